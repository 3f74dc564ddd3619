//! The spatial index: a packed tree over short runs of segments, so that the nearest link is the nearest line and
//! not the nearest box.
//!
//! Runs are sorted along a Hilbert curve and packed in groups of sixteen, bottom up (Kamel & Faloutsos 1993, On
//! Packing R-trees). Built once and never changed, it takes a tenth of the time of bulk loading an R-tree of
//! segments, and 50 bytes a run.

use geo::Coord;
use rayon::prelude::*;

use super::graph::Network;
use super::grid::project;
use super::hilbert::hilbert;
use crate::ids::LinkId;
use crate::model::frame::WorkFrame;
use crate::units::Metres;

/// Children of a node of the tree.
const FAN: usize = 16;
/// Segments of a run.
const RUN: usize = 8;

/// West, south, east, north in metres.
type Rect = [f64; 4];

const EMPTY: Rect = [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY];

fn grow(a: Rect, b: Rect) -> Rect {
    [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])]
}

/// Square of the distance from a position to a box.
fn to_rect(rect: &Rect, at: Coord<f64>) -> f64 {
    let dx = (rect[0] - at.x).max(at.x - rect[2]).max(0.0);
    let dy = (rect[1] - at.y).max(at.y - rect[3]).max(0.0);
    dx.mul_add(dx, dy * dy)
}

/// Consecutive segments of one line.
#[derive(Debug, Clone, Copy)]
struct Run {
    line: u32,
    /// First vertex within the line.
    vertex: u32,
    /// The same within all positions.
    start: u32,
    segments: u32,
}

/// A segment near a position.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// Number of the line.
    pub line: u32,
    /// Vertex at which the segment begins.
    pub vertex: usize,
    /// Share of the segment at the nearest place.
    pub t: f64,
    /// Square of the distance, m².
    pub square: f64,
}

/// Lines in metres, found by position.
#[derive(Debug, Default)]
pub struct LineTree {
    points: Vec<Coord<f64>>,
    runs: Vec<Run>,
    /// Boxes of the runs, of groups of runs, and so on up to one.
    levels: Vec<Vec<Rect>>,
}

impl LineTree {
    /// Indexes lines: each a number and its positions in degrees. Positions outside the frame are left out.
    #[must_use]
    pub fn new(lines: &[(u32, &[Coord<f64>])], frame: &WorkFrame) -> Self {
        let points: Vec<Coord<f64>> =
            lines.par_iter().flat_map_iter(|(_, line)| line.iter().map(|c| frame.to_plane(*c))).collect();
        let mut runs = Vec::with_capacity(lines.len());
        let mut start = 0;
        for (line, positions) in lines {
            let mut vertex = 0;
            while vertex + 1 < positions.len() {
                let segments = RUN.min(positions.len() - 1 - vertex);
                runs.push(Run {
                    line: *line,
                    vertex: short(vertex),
                    start: short(start + vertex),
                    segments: short(segments),
                });
                vertex += segments;
            }
            start += positions.len();
        }
        let boxed = |run: &Run| {
            let (from, to) = (run.start as usize, (run.start + run.segments) as usize);
            points[from..=to].iter().fold(EMPTY, |r, c| grow(r, [c.x, c.y, c.x, c.y]))
        };
        let mut keyed: Vec<(u64, Run, Rect)> = runs
            .into_par_iter()
            .map(|run| {
                let rect = boxed(&run);
                let middle = Coord { x: f64::midpoint(rect[0], rect[2]), y: f64::midpoint(rect[1], rect[3]) };
                (hilbert(middle), run, rect)
            })
            .collect();
        keyed.par_sort_unstable_by_key(|(place, run, _)| (*place, run.line, run.vertex));
        let mut levels: Vec<Vec<Rect>> = vec![keyed.iter().map(|k| k.2).collect()];
        let runs = keyed.into_iter().map(|k| k.1).collect();
        while let Some(below) = levels.last().filter(|l| l.len() > 1) {
            levels.push(below.chunks(FAN).map(|g| g.iter().copied().fold(EMPTY, grow)).collect());
        }
        Self { points, runs, levels }
    }

    /// Visits runs whose boxes are nearer than `limit` (square, m²), the nearer groups first.
    /// `visit` takes a run and returns the limit from then on.
    fn search(&self, at: Coord<f64>, mut limit: f64, mut visit: impl FnMut(&Run) -> f64) {
        let mut stack: Vec<(f64, usize, usize)> = Vec::new();
        let top = self.levels.len().saturating_sub(1);
        stack.extend(self.levels.last().and_then(|l| l.first()).map(|rect| (to_rect(rect, at), top, 0)));
        while let Some((square, level, index)) = stack.pop() {
            if square > limit {
                continue;
            }
            if level == 0 {
                limit = visit(&self.runs[index]);
                continue;
            }
            let below = &self.levels[level - 1];
            let first = stack.len();
            for (child, rect) in below.iter().enumerate().skip(index * FAN).take(FAN) {
                let square = to_rect(rect, at);
                if square <= limit {
                    stack.push((square, level - 1, child));
                }
            }
            stack[first..].sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        }
    }

    fn segments(&self, run: &Run, at: Coord<f64>, mut found: impl FnMut(Hit)) {
        let start = run.start as usize;
        for segment in 0..run.segments as usize {
            let (square, t) = project(self.points[start + segment], self.points[start + segment + 1], at);
            found(Hit { line: run.line, vertex: run.vertex as usize + segment, t, square });
        }
    }

    /// Distance from `at` to the nearest line in metres; `None` if there is no line.
    #[must_use]
    pub fn nearest(&self, at: Coord<f64>) -> Option<f64> {
        let mut best = f64::INFINITY;
        self.search(at, f64::INFINITY, |run| {
            self.segments(run, at, |hit| best = best.min(hit.square));
            best
        });
        best.is_finite().then(|| best.sqrt())
    }

    /// Calls `found` with each segment within `reach` metres of `at`.
    pub fn within(&self, at: Coord<f64>, reach: f64, mut found: impl FnMut(Hit)) {
        let limit = reach * reach;
        self.search(at, limit, |run| {
            self.segments(run, at, |hit| {
                if hit.square <= limit {
                    found(hit);
                }
            });
            limit
        });
    }

    /// Calls `found` with each segment that is as near to `at` as the nearest, to a micrometre.
    pub fn nearest_all(&self, at: Coord<f64>, found: impl FnMut(Hit)) {
        if let Some(distance) = self.nearest(at) {
            self.within(at, distance + 1e-6, found);
        }
    }
}

fn short(index: usize) -> u32 {
    // More than 2³² positions do not fit in memory.
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// Finds links near a position.
#[derive(Debug)]
pub struct LinkIndex {
    tree: LineTree,
}

/// The nearest position on a link.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Nearest {
    /// The link.
    pub link: LinkId,
    /// Distance to it.
    pub distance: Metres,
}

impl LinkIndex {
    /// Indexes the links of `network` that `keep` takes.
    #[must_use]
    pub fn new(network: &Network, frame: &WorkFrame, keep: impl Fn(LinkId) -> bool) -> Self {
        let kept = network.links().filter(|(id, _)| keep(*id));
        let lines: Vec<(u32, &[Coord<f64>])> =
            kept.map(|(id, link)| (id.0, link.line.0.as_slice())).collect();
        Self { tree: LineTree::new(&lines, frame) }
    }

    /// The link nearest to a position in metres; where several are equally near, the one of the lowest number,
    /// which does not depend on the order of the input.
    #[must_use]
    pub fn nearest(&self, at: Coord<f64>) -> Option<Nearest> {
        let distance = self.tree.nearest(at)?;
        let mut link = u32::MAX;
        self.tree.within(at, distance + 1e-6, |hit| link = link.min(hit.line));
        Some(Nearest { link: LinkId(link), distance: Metres(distance) })
    }

    /// Links within `radius` metres of a position, by number.
    #[must_use]
    pub fn within(&self, at: Coord<f64>, radius: f64) -> Vec<LinkId> {
        let mut out: Vec<LinkId> = Vec::new();
        self.tree.within(at, radius, |hit| out.push(LinkId(hit.line)));
        out.sort_unstable();
        out.dedup();
        out
    }
}
