//! Whether two borders meet: at a point (queen), or along a stretch (rook).
//!
//! Without a tolerance the answers are exact: which side of a segment a vertex lies on comes from adaptive arithmetic
//! (Shewchuk 1997, Discrete Comput. Geom. 18:305), never from a rounded product. With a tolerance, a place is common
//! to both borders if it lies within it of the other one.

use geo::{Coord, GeoNum, Kernel as _, Orientation};

/// A piece of a border; both ends differ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Segment {
    pub(super) a: Coord,
    pub(super) b: Coord,
}

/// Left, bottom, right, top.
pub(super) type Rect = [f64; 4];

impl Segment {
    pub(super) fn rect(&self) -> Rect {
        let (a, b) = (self.a, self.b);
        [a.x.min(b.x), a.y.min(b.y), a.x.max(b.x), a.y.max(b.y)]
    }

    pub(super) fn length(&self) -> f64 {
        (self.b.x - self.a.x).hypot(self.b.y - self.a.y)
    }
}

/// Whether two boxes come within `margin` of each other.
pub(super) fn near(a: &Rect, b: &Rect, margin: f64) -> bool {
    a[0] - margin <= b[2] && b[0] - margin <= a[2] && a[1] - margin <= b[3] && b[1] - margin <= a[3]
}

fn side(segment: &Segment, at: Coord) -> Orientation {
    <f64 as GeoNum>::Ker::orient2d(segment.a, segment.b, at)
}

/// Whether two segments have a point in common, exactly.
pub(super) fn touch(a: &Segment, b: &Segment) -> bool {
    if a.a == b.a || a.a == b.b || a.b == b.a || a.b == b.b {
        return true;
    }
    if !near(&a.rect(), &b.rect(), 0.0) {
        return false;
    }
    let [b_start, b_end] = [side(a, b.a), side(a, b.b)];
    let [a_start, a_end] = [side(b, a.a), side(b, a.b)];
    // On one line, their boxes meet only where they do.
    b_start != b_end && a_start != a_end || [b_start, b_end, a_start, a_end] == [Orientation::Collinear; 4]
}

/// Whether two segments have a stretch in common, exactly.
pub(super) fn overlap(a: &Segment, b: &Segment) -> bool {
    if (a.a == b.a && a.b == b.b) || (a.a == b.b && a.b == b.a) {
        return true;
    }
    if [side(a, b.a), side(a, b.b)] != [Orientation::Collinear; 2] {
        return false;
    }
    let (p, q) = (a.rect(), b.rect());
    // On one line: their shadows on either axis overlap by more than a point.
    let shared = |low: usize, high: usize| p[high].min(q[high]) > p[low].max(q[low]);
    shared(0, 2) || shared(1, 3)
}

/// The distance from a point to a segment.
fn distance(segment: &Segment, at: Coord) -> f64 {
    let (dx, dy) = (segment.b.x - segment.a.x, segment.b.y - segment.a.y);
    let square = dx * dx + dy * dy;
    let along = ((at.x - segment.a.x) * dx + (at.y - segment.a.y) * dy) / square;
    // Not finite for a segment whose square is zero; an end is as good as any.
    let along = if along.is_finite() { along.clamp(0.0, 1.0) } else { 0.0 };
    (at.x - segment.a.x - along * dx).hypot(at.y - segment.a.y - along * dy)
}

/// Whether two segments come within `tolerance` of each other.
pub(super) fn touch_within(a: &Segment, b: &Segment, tolerance: f64) -> bool {
    touch(a, b)
        || [distance(a, b.a), distance(a, b.b), distance(b, a.a), distance(b, a.b)]
            .into_iter()
            .any(|distance| distance <= tolerance)
}

/// The stretch of `a` that lies within `tolerance` of `b`, as shares of the length of `a` from its start.
///
/// What lies within a distance of a segment is convex, so that it cuts a line in one interval: that of a rectangle
/// along `b` and of a disc at each end, taken together.
pub(super) fn stretch(a: &Segment, b: &Segment, tolerance: f64) -> Option<(f64, f64)> {
    let (length, along) = (a.length(), b.length());
    if length <= 0.0 || along <= 0.0 {
        return None;
    }
    // In the frame of b: its start is the origin, its direction the first axis.
    let (ux, uy) = ((b.b.x - b.a.x) / along, (b.b.y - b.a.y) / along);
    let turned = |c: Coord| {
        let (x, y) = (c.x - b.a.x, c.y - b.a.y);
        (x * ux + y * uy, y * ux - x * uy)
    };
    let (x0, y0) = turned(a.a);
    let (x1, y1) = turned(a.b);
    let (dx, dy) = (x1 - x0, y1 - y0);
    let mut found: Option<(f64, f64)> = None;
    let mut take = |from: f64, to: f64| {
        let (from, to) = (from.max(0.0), to.min(1.0));
        if from <= to {
            found = Some(found.map_or((from, to), |(low, high)| (low.min(from), high.max(to))));
        }
    };
    // The rectangle: both coordinates within bounds.
    let within = |start: f64, step: f64, low: f64, high: f64| {
        if step.abs() > 0.0 {
            let (s, t) = ((low - start) / step, (high - start) / step);
            Some((s.min(t), s.max(t)))
        } else {
            (low..=high).contains(&start).then_some((0.0, 1.0))
        }
    };
    if let (Some(x), Some(y)) = (within(x0, dx, 0.0, along), within(y0, dy, -tolerance, tolerance)) {
        take(x.0.max(y.0), x.1.min(y.1));
    }
    // The discs: |a(t) − centre|² ≤ tolerance². The root by a cross product, since squares of the distance would
    // drown those of the tolerance.
    for centre in [0.0, along] {
        let (px, square) = (x0 - centre, dx * dx + dy * dy);
        let half = px * dx + y0 * dy;
        let cross = px * dy - y0 * dx;
        let root = square * tolerance * tolerance - cross * cross;
        if root >= 0.0 && square > 0.0 {
            take((-half - root.sqrt()) / square, (-half + root.sqrt()) / square);
        }
    }
    found
}

/// A part of a ring, by the distances of its ends from where the ring begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) ring: usize,
    pub(super) from: f64,
    pub(super) to: f64,
}

/// The longest stretch that parts of rings cover without a gap; `lengths` are those of the rings. A stretch may go on
/// over the place where a ring begins.
pub(super) fn longest(mut parts: Vec<Part>, lengths: &[f64]) -> f64 {
    parts.sort_by(|p, q| p.ring.cmp(&q.ring).then(p.from.total_cmp(&q.from)));
    let mut longest = 0.0_f64;
    for parts in parts.chunk_by(|p, q| p.ring == q.ring) {
        let Some(length) = parts.first().and_then(|part| lengths.get(part.ring)) else { continue };
        let slack = 1e-12 * length;
        let mut runs: Vec<(f64, f64)> = Vec::new();
        for part in parts {
            match runs.last_mut() {
                Some(run) if part.from <= run.1 + slack => run.1 = run.1.max(part.to),
                _ => runs.push((part.from, part.to)),
            }
        }
        longest = runs.iter().map(|(from, to)| to - from).fold(longest, f64::max);
        if let [first, .., last] = runs.as_slice()
            && first.0 <= slack
            && last.1 >= length - slack
        {
            longest = longest.max(first.1 - first.0 + last.1 - last.0);
        }
    }
    longest
}
