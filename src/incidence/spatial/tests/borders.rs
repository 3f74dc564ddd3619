//! Contiguity: special cases, and random maps judged pair by pair by the DE-9IM matrices of `geo`.

use geo::coordinate_position::CoordPos;
use geo::dimensions::Dimensions;
use geo::{Coord, LineString, MultiPolygon, Polygon, Relate as _};

use super::*;

fn ring(points: &[(f64, f64)]) -> LineString {
    let mut ring: Vec<Coord> = points.iter().map(|(x, y)| Coord { x: *x, y: *y }).collect();
    ring.push(ring[0]);
    LineString(ring)
}

fn area(points: &[(f64, f64)]) -> MultiPolygon {
    MultiPolygon(vec![Polygon::new(ring(points), vec![])])
}

fn rectangle(left: f64, bottom: f64, right: f64, top: f64) -> MultiPolygon {
    area(&[(left, bottom), (right, bottom), (right, top), (left, top)])
}

fn given(areas: &[MultiPolygon]) -> Vec<Option<&MultiPolygon>> {
    areas.iter().map(Some).collect()
}

/// Queen and rook neighbours of a pair, with a tolerance.
fn pair(a: &MultiPolygon, b: &MultiPolygon, tolerance: f64) -> (bool, bool) {
    let areas = [Some(a), Some(b)];
    let queen = SpatialWeights::queen(&areas, tolerance).unwrap();
    let rook = SpatialWeights::rook(&areas, tolerance).unwrap();
    assert!(queen.is_symmetric() && rook.is_symmetric());
    (queen.n_nonzero() == 2, rook.n_nonzero() == 2)
}

#[test]
fn borders_in_common_are_found_whatever_their_vertices() {
    let square = rectangle(0.0, 0.0, 1.0, 1.0);
    for (other, expected, what) in [
        (rectangle(1.0, 0.0, 2.0, 1.0), (true, true), "an edge"),
        (rectangle(1.0, 1.0, 2.0, 2.0), (true, false), "a corner"),
        (rectangle(1.0, 0.25, 2.0, 0.75), (true, true), "part of an edge, no vertex"),
        (rectangle(1.0, -5.0, 2.0, 5.0), (true, true), "an edge within a longer one"),
        (rectangle(1.0, 0.5, 2.0, 5.0), (true, true), "edges that overlap"),
        (area(&[(1.0, 0.5), (2.0, 0.0), (2.0, 1.0)]), (true, false), "a corner on an edge"),
        (rectangle(1.000_001, 0.0, 2.0, 1.0), (false, false), "a gap"),
        (rectangle(0.5, 0.5, 2.0, 2.0), (true, false), "borders that cross"),
        (rectangle(0.25, 0.25, 0.75, 0.75), (false, false), "inside, away from the border"),
        (rectangle(0.0, 0.25, 0.75, 0.75), (true, true), "inside, along the border"),
        (square.clone(), (true, true), "the same area"),
        (area(&[(1.0, 0.0), (1.0, 0.3), (1.0, 0.6), (1.0, 1.0), (2.0, 0.5)]), (true, true), "more vertices"),
    ] {
        assert_eq!(pair(&square, &other, 0.0), expected, "{what}");
        assert_eq!(pair(&other, &square, 0.0), expected, "{what}, the other way round");
    }
}

#[test]
fn a_vertex_on_an_oblique_edge_is_found_exactly() {
    // (1, 1/3) is not on the line from (0, 0) to (3, 1) in binary; (1.5, 0.5) is.
    let below = area(&[(0.0, 0.0), (0.0, -1.0), (3.0, -1.0), (3.0, 1.0)]);
    assert_eq!(pair(&below, &area(&[(1.5, 0.5), (1.0, 3.0), (2.0, 3.0)]), 0.0), (true, false));
    assert_eq!(pair(&below, &area(&[(1.5, 0.500_000_1), (1.0, 3.0), (2.0, 3.0)]), 0.0), (false, false));
    assert_eq!(pair(&below, &area(&[(1.5, 0.500_000_1), (1.0, 3.0), (2.0, 3.0)]), 1e-6), (true, false));
}

#[test]
fn slivers_are_bridged_by_a_tolerance_and_corners_stay_corners() {
    let square = rectangle(0.0, 0.0, 1.0, 1.0);
    // A gap, an overlap, and a border drawn anew with other vertices that wave.
    let wavy = area(&[
        (1.000_4, 0.1),
        (0.999_7, 0.21),
        (1.000_3, 0.37),
        (0.999_8, 0.55),
        (1.000_2, 0.81),
        (0.999_9, 0.9),
        (2.0, 0.9),
        (2.0, 0.1),
    ]);
    for (other, what) in [
        (rectangle(1.000_5, 0.0, 2.0, 1.0), "a gap"),
        (rectangle(0.999_5, 0.1, 2.0, 0.9), "an overlap"),
        (wavy, "a border drawn anew"),
    ] {
        assert_eq!(pair(&square, &other, 0.001), (true, true), "{what}");
        assert!(!pair(&square, &other, 0.0).1, "{what}");
    }
    for other in [
        rectangle(1.000_5, 1.0, 2.0, 2.0),
        rectangle(1.0, 1.0, 2.0, 2.0),
        rectangle(0.999_5, 0.999_5, 2.0, 2.0),
        area(&[(1.000_5, 0.5), (2.0, 0.0), (2.0, 1.0)]),
    ] {
        assert_eq!(pair(&square, &other, 0.001), (true, false));
    }
    // A tolerance far above the size of the areas makes neighbours of all and overflows nothing.
    assert!(pair(&square, &rectangle(5.0, 5.0, 6.0, 6.0), 100.0).0);
    assert!(pair(&square, &rectangle(5.0, 5.0, 6.0, 6.0), 1e300).0);
}

#[test]
fn holes_parts_islands_and_areas_without_polygon() {
    let hole = ring(&[(1.0, 1.0), (2.0, 1.0), (2.0, 2.0), (1.0, 2.0)]);
    let around =
        MultiPolygon(vec![Polygon::new(ring(&[(0.0, 0.0), (3.0, 0.0), (3.0, 3.0), (0.0, 3.0)]), vec![hole])]);
    let enclave = rectangle(1.0, 1.0, 2.0, 2.0);
    // Two parts: one beside the outer ring, one far away beside another area.
    let parts = MultiPolygon(
        rectangle(3.0, 0.0, 4.0, 1.0).into_iter().chain(rectangle(50.0, 0.0, 51.0, 1.0)).collect(),
    );
    let far = rectangle(51.0, 0.0, 52.0, 1.0);
    let lone = rectangle(20.0, 20.0, 21.0, 21.0);
    let nothing = MultiPolygon(vec![]);
    let areas = [Some(&around), Some(&enclave), Some(&parts), Some(&far), None, Some(&lone), Some(&nothing)];
    for weights in [SpatialWeights::queen(&areas, 0.0).unwrap(), SpatialWeights::rook(&areas, 0.0).unwrap()] {
        let rows: Vec<&[u32]> = (0..7).map(|site| weights.row(site).0).collect();
        assert_eq!(rows, [&[1, 2][..], &[0], &[0, 3], &[2], &[], &[], &[]]);
        assert_eq!(weights.islands(), [4, 5, 6]);
        assert_eq!(weights.components(), [0, 0, 0, 0, 1, 2, 3]);
    }
}

#[test]
fn what_is_no_polygon_is_refused_or_an_island() {
    let bad = area(&[(0.0, 0.0), (1.0, f64::NAN), (1.0, 1.0)]);
    let good = rectangle(0.0, 0.0, 1.0, 1.0);
    let two = [Some(&good), Some(&bad)];
    assert_eq!(SpatialWeights::queen(&two, 0.0), Err(SpatialError::Coordinate { site: 1 }));
    assert!(matches!(SpatialWeights::rook(&two[..1], -1.0), Err(SpatialError::Distance { .. })));
    assert!(matches!(SpatialWeights::rook(&two[..1], f64::NAN), Err(SpatialError::Distance { .. })));
    assert_eq!(SpatialWeights::queen(&[], 0.0), Err(SpatialError::TooFew { sites: 0, needed: 1 }));
    // A ring of one point, and of no area.
    let point = area(&[(1.0, 1.0), (1.0, 1.0), (1.0, 1.0)]);
    let line = area(&[(0.0, 0.5), (1.0, 0.5)]);
    assert_eq!(pair(&good, &point, 0.0), (false, false));
    assert_eq!(pair(&good, &line, 0.0), (true, false));
    let huge = rectangle(-1e300, -1e300, 1e300, 1e300);
    for tolerance in [0.0, 1.0] {
        pair(&good, &huge, tolerance);
    }
}

/// A rectangle of whole numbers cut into smaller ones at random, some of them put together again: edges end within
/// others, areas have parts and holes.
fn random_map(seed: u64) -> Vec<MultiPolygon> {
    let mut rng = rng(seed);
    let mut pieces = vec![[0, 0, 64, 64_usize]];
    for _ in 0..40 {
        let at = pick(&mut rng, pieces.len());
        let [left, bottom, right, top] = pieces[at];
        let (wide, high) = (right - left, top - bottom);
        if wide >= high && wide > 1 {
            let cut = left + 1 + pick(&mut rng, wide - 1);
            pieces[at] = [left, bottom, cut, top];
            pieces.push([cut, bottom, right, top]);
        } else if high > 1 {
            let cut = bottom + 1 + pick(&mut rng, high - 1);
            pieces[at] = [left, bottom, right, cut];
            pieces.push([left, cut, right, top]);
        }
    }
    let groups = 25;
    let mut areas = vec![MultiPolygon(vec![]); groups];
    // A shear by a power of two keeps whole numbers exact and leaves few edges parallel to an axis.
    let place = |x: usize, y: usize| (x as f64 + y as f64 / 4.0, y as f64 - x as f64 / 8.0);
    for [left, bottom, right, top] in pieces {
        let corners = [(left, bottom), (right, bottom), (right, top), (left, top)].map(|(x, y)| place(x, y));
        areas[pick(&mut rng, groups)].0.push(Polygon::new(ring(&corners), vec![]));
    }
    areas
}

#[test]
fn random_maps_are_judged_as_by_de_9im() {
    for seed in 0..12 {
        let areas = random_map(seed);
        let queen = SpatialWeights::queen(&given(&areas), 0.0).unwrap();
        let rook = SpatialWeights::rook(&given(&areas), 0.0).unwrap();
        let near = SpatialWeights::queen(&given(&areas), 1e-9).unwrap();
        let along = SpatialWeights::rook(&given(&areas), 1e-9).unwrap();
        assert_eq!((&queen, &rook), (&near, &along), "a tolerance far below the map's grain changes nothing");
        for (i, a) in areas.iter().enumerate() {
            for (j, b) in areas.iter().enumerate().filter(|(j, _)| *j != i) {
                // Part by part, since parts of one area may lie side by side.
                let dimension = a
                    .iter()
                    .flat_map(|a| b.iter().map(move |b| a.relate(b)))
                    .map(|matrix| matrix.get(CoordPos::OnBoundary, CoordPos::OnBoundary))
                    .max()
                    .unwrap_or(Dimensions::Empty);
                let expected = (dimension != Dimensions::Empty, dimension == Dimensions::OneDimensional);
                let found = (queen.weight(i, j) > 0.0, rook.weight(i, j) > 0.0);
                assert_eq!(found, expected, "map {seed}, areas {i} and {j}");
            }
        }
    }
}

/// Every second row of vertices moved by less than a tolerance, and more vertices put in: the neighbours stay.
#[test]
fn maps_with_slivers_have_the_neighbours_of_the_clean_map() {
    for seed in 0..6 {
        let clean = random_map(seed);
        let mut rng = rng(100 + seed);
        let mut moved = |c: Coord| {
            let shift = |u: f64| (u - 0.5) * 0.002;
            Coord { x: c.x + shift(unit(&mut rng)), y: c.y + shift(unit(&mut rng)) }
        };
        let noisy: Vec<MultiPolygon> = clean
            .iter()
            .map(|area| {
                let polygons = area.iter().map(|polygon| {
                    let mut points = Vec::new();
                    for line in polygon.exterior().lines() {
                        points.push(moved(line.start));
                        points.push(moved((line.start + line.end) / 2.0));
                    }
                    points.push(points[0]);
                    Polygon::new(LineString(points), vec![])
                });
                MultiPolygon(polygons.collect())
            })
            .collect();
        let tolerance = 0.004;
        assert_eq!(
            SpatialWeights::queen(&given(&noisy), tolerance).unwrap(),
            SpatialWeights::queen(&given(&clean), 0.0).unwrap()
        );
        assert_eq!(
            SpatialWeights::rook(&given(&noisy), tolerance).unwrap(),
            SpatialWeights::rook(&given(&clean), 0.0).unwrap()
        );
    }
}
