//! What RFC 7946 asks of shapes across the antimeridian: they are cut there (§3.1.9), and the box around them has its
//! west greater than its east (§5.2).
//!
//! A step of more than 180 degrees of longitude is taken for one across the antimeridian: the way around the other side
//! of the globe is longer.

use geo::{BooleanOps, BoundingRect, Coord, Geometry, LineString, MapCoords, Polygon, Rect};

/// Whether a chain of positions steps across.
fn crosses(line: &LineString<f64>) -> bool {
    line.0.windows(2).any(|pair| (pair[0].x - pair[1].x).abs() > 180.0)
}

/// A line in parts that end and begin at the antimeridian; one part where it does not cross it.
pub(super) fn cut_line(line: LineString<f64>) -> Vec<LineString<f64>> {
    if !crosses(&line) {
        return vec![line];
    }
    let mut parts = vec![Vec::new()];
    let push = |parts: &mut Vec<Vec<Coord>>, c: Coord| {
        if let Some(part) = parts.last_mut().filter(|part| part.last() != Some(&c)) {
            part.push(c);
        }
    };
    for (i, &to) in line.0.iter().enumerate() {
        let from = if i == 0 { to } else { line.0[i - 1] };
        if (from.x - to.x).abs() > 180.0 {
            let edge = 180.0_f64.copysign(from.x);
            // Where the step would end if longitudes went on.
            let beyond = to.x + 2.0 * edge;
            let y = from.y + (to.y - from.y) * (edge - from.x) / (beyond - from.x);
            push(&mut parts, Coord { x: edge, y });
            parts.push(vec![Coord { x: -edge, y }]);
        }
        push(&mut parts, to);
    }
    parts.into_iter().map(LineString).collect()
}

/// A polygon in parts on either side of the antimeridian; itself where it does not cross it, or where it goes around a
/// pole and cannot be laid flat.
pub(super) fn cut_polygon(polygon: Polygon<f64>) -> Vec<Polygon<f64>> {
    if !crosses(polygon.exterior()) {
        return vec![polygon];
    }
    let Some(flat) = flattened(&polygon) else { return vec![polygon] };
    let mut parts = Vec::new();
    for turn in [-360.0, 0.0, 360.0] {
        let half = Rect::new(Coord { x: turn - 180.0, y: -90.0 }, Coord { x: turn + 180.0, y: 90.0 });
        let cut = flat.intersection(&half.to_polygon());
        parts.extend(cut.0.into_iter().map(|part| part.map_coords(|c| Coord { x: c.x - turn, y: c.y })));
    }
    parts
}

/// The polygon with longitudes that go on beyond 180 degrees; `None` where a ring does not come back to itself.
fn flattened(polygon: &Polygon<f64>) -> Option<Polygon<f64>> {
    let exterior = unrolled(polygon.exterior())?;
    let span = exterior.bounding_rect()?;
    let holes = polygon.interiors().iter().map(|hole| {
        let hole = unrolled(hole)?;
        let x = hole.bounding_rect()?.center().x;
        let within = |turn: &f64| (span.min().x..=span.max().x).contains(&(x + turn));
        let turn = [0.0, 360.0, -360.0].into_iter().find(within)?;
        Some(hole.map_coords(|c| Coord { x: c.x + turn, y: c.y }))
    });
    Some(Polygon::new(exterior.clone(), holes.collect::<Option<Vec<_>>>()?))
}

fn unrolled(ring: &LineString<f64>) -> Option<LineString<f64>> {
    let mut turn = 0.0_f64;
    let mut out: Vec<Coord> = Vec::with_capacity(ring.0.len());
    for (i, c) in ring.0.iter().enumerate() {
        if i > 0 {
            let step = c.x - ring.0[i - 1].x;
            if step.abs() > 180.0 {
                turn -= 360.0_f64.copysign(step);
            }
        }
        out.push(Coord { x: c.x + turn, y: c.y });
    }
    (turn == 0.0).then_some(LineString(out))
}

/// West, south, east and north of geometries that have been cut: the narrowest box that holds all of them, so that west
/// is greater than east where it crosses the antimeridian. `None` where there is none.
pub(super) fn bbox(geometries: impl Iterator<Item = Geometry<f64>>) -> Option<[f64; 4]> {
    let mut parts: Vec<Rect<f64>> = geometries.flat_map(rects).collect();
    parts.sort_by(|a, b| a.min().x.total_cmp(&b.min().x));
    let south = parts.iter().map(|r| r.min().y).reduce(f64::min)?;
    let north = parts.iter().map(|r| r.max().y).reduce(f64::max)?;
    let first = parts.first()?.min().x;
    let mut end = first;
    // The widest gap between parts in the east, and what lies on either side of it.
    let mut widest: Option<(f64, f64, f64)> = None;
    for part in &parts {
        let gap = part.min().x - end;
        if gap > widest.map_or(0.0, |(gap, ..)| gap) {
            widest = Some((gap, end, part.min().x));
        }
        end = end.max(part.max().x);
    }
    Some(match widest.filter(|(gap, ..)| *gap > first + 360.0 - end) {
        Some((_, east, west)) => [west, south, east, north],
        None => [first, south, end, north],
    })
}

/// The boxes of a geometry's parts.
fn rects(geometry: Geometry<f64>) -> Vec<Rect<f64>> {
    match geometry {
        Geometry::MultiLineString(lines) => lines.0.iter().filter_map(BoundingRect::bounding_rect).collect(),
        Geometry::MultiPolygon(polygons) => {
            polygons.0.iter().filter_map(BoundingRect::bounding_rect).collect()
        }
        other => other.bounding_rect().into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use geo::{Area, line_string, point, polygon};

    use super::*;

    #[test]
    fn a_line_is_cut_where_it_crosses() {
        let line = line_string![(x: 179.0, y: 0.0), (x: -179.0, y: 2.0), (x: 179.0, y: 4.0)];
        let parts = cut_line(line);
        assert_eq!(
            parts,
            [
                line_string![(x: 179.0, y: 0.0), (x: 180.0, y: 1.0)],
                line_string![(x: -180.0, y: 1.0), (x: -179.0, y: 2.0), (x: -180.0, y: 3.0)],
                line_string![(x: 180.0, y: 3.0), (x: 179.0, y: 4.0)],
            ]
        );
        let plain = line_string![(x: -93.0, y: 16.0), (x: -92.0, y: 15.0)];
        assert_eq!(cut_line(plain.clone()), [plain]);
        // A position on the antimeridian itself is no part of its own beside the cut.
        let on_it = line_string![(x: 179.0, y: 0.0), (x: 180.0, y: 1.0), (x: -179.0, y: 2.0)];
        assert_eq!(cut_line(on_it).iter().map(|l| l.0.len()).collect::<Vec<_>>(), [2, 2]);
    }

    #[test]
    fn a_polygon_is_cut_and_keeps_its_area_and_its_hole() {
        let island = polygon! {
            exterior: [(x: 179.0, y: -17.0), (x: -179.0, y: -17.0), (x: -179.0, y: -16.0), (x: 179.0, y: -16.0)],
            interiors: [[(x: 179.5, y: -16.6), (x: 179.5, y: -16.4), (x: -179.5, y: -16.4), (x: -179.5, y: -16.6)]],
        };
        let parts = cut_polygon(island);
        assert_eq!(parts.len(), 2);
        let area: f64 = parts.iter().map(Area::unsigned_area).sum();
        assert!((area - (2.0 - 0.2)).abs() < 1e-6, "{area}");
        assert!(parts.iter().all(|p| p.exterior().0.iter().all(|c| c.x.abs() <= 180.0)));
        assert!(parts.iter().all(|p| !crosses(p.exterior())));
        // Around the pole: it has no flat shape.
        let cap = polygon![(x: 0.0, y: -80.0), (x: 120.0, y: -80.0), (x: -120.0, y: -80.0)];
        assert_eq!(cut_polygon(cap.clone()), [cap]);
    }

    #[test]
    fn the_box_is_the_narrowest_one() {
        let at = |x: f64, y: f64| Geometry::Point(point! { x: x, y: y });
        let of = |points: Vec<Geometry<f64>>| bbox(points.into_iter());
        // The example of RFC 7946, §5.2.
        assert_eq!(of(vec![at(177.0, -20.0), at(-178.0, -16.0)]), Some([177.0, -20.0, -178.0, -16.0]));
        assert_eq!(of(vec![at(-93.0, 16.0), at(-92.0, 15.0)]), Some([-93.0, 15.0, -92.0, 16.0]));
        assert_eq!(of(vec![at(-93.0, 16.0)]), Some([-93.0, 16.0, -93.0, 16.0]));
        assert_eq!(of(vec![]), None);
    }
}
