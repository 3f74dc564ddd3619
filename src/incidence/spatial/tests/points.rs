//! Weights from lists and from points.

use geo::Coord;

use super::*;

fn at(points: &[(f64, f64)]) -> Vec<Coord> {
    points.iter().map(|(x, y)| Coord { x: *x, y: *y }).collect()
}

fn rows(weights: &SpatialWeights) -> Vec<Vec<u32>> {
    (0..weights.len()).map(|site| weights.row(site).0.to_vec()).collect()
}

/// Great-circle distance by the haversine formula, in metres.
fn haversine(a: Coord, b: Coord) -> f64 {
    let (p, q) = (a.y.to_radians(), b.y.to_radians());
    let (dp, dl) = (q - p, (b.x - a.x).to_radians());
    let h = (dp / 2.0).sin().powi(2) + p.cos() * q.cos() * (dl / 2.0).sin().powi(2);
    2.0 * EARTH_RADIUS * h.sqrt().min(1.0).asin()
}

#[test]
fn nearest_points_are_those_of_all_pairs() {
    for seed in 0..10 {
        let mut rng = rng(seed);
        let n = 30 + pick(&mut rng, 50);
        // On a coarse grid, so that places and distances coincide.
        let points: Vec<Coord> =
            (0..n).map(|_| Coord { x: pick(&mut rng, 7) as f64, y: pick(&mut rng, 7) as f64 }).collect();
        let globe: Vec<Coord> = (0..n)
            .map(|_| Coord { x: 360.0 * unit(&mut rng) - 180.0, y: 180.0 * unit(&mut rng) - 90.0 })
            .collect();
        let k = 1 + pick(&mut rng, n - 1);
        for (points, metric) in [(&points, Metric::Plane), (&globe, Metric::Sphere)] {
            let distance = |i: usize, j: usize| match metric {
                Metric::Plane => (points[i].x - points[j].x).hypot(points[i].y - points[j].y),
                Metric::Sphere => haversine(points[i], points[j]),
            };
            let order = |i: usize| {
                let mut others: Vec<usize> = (0..n).filter(|j| *j != i).collect();
                others.sort_by(|a, b| distance(i, *a).total_cmp(&distance(i, *b)).then(a.cmp(b)));
                others
            };
            let found = SpatialWeights::k_nearest(points, k, metric).unwrap();
            for i in 0..n {
                let mut expected: Vec<u32> = order(i)[..k].iter().map(|j| weights::short(*j)).collect();
                expected.sort_unstable();
                assert_eq!(found.row(i).0, expected, "seed {seed}, site {i}, {metric:?}");
            }
            let threshold = if metric == Metric::Plane { 2.0 } else { 3e6 };
            let band = SpatialWeights::distance_band(points, threshold, metric).unwrap();
            assert!(band.is_symmetric());
            for i in 0..n {
                let expected: Vec<u32> =
                    (0..n).filter(|j| *j != i && distance(i, *j) <= threshold).map(weights::short).collect();
                assert_eq!(band.row(i).0, expected, "seed {seed}, site {i}, {metric:?}");
            }
        }
    }
}

#[test]
fn ties_go_to_the_lower_number_and_places_may_coincide() {
    let points = at(&[(0.0, 0.0), (1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, 0.0)]);
    let weights = SpatialWeights::k_nearest(&points, 2, Metric::Plane).unwrap();
    assert_eq!(rows(&weights), [vec![1, 4], vec![0, 4], vec![0, 4], vec![0, 4], vec![0, 1]]);
    let same = SpatialWeights::k_nearest(&at(&[(2.0, 3.0); 5]), 2, Metric::Plane).unwrap();
    assert_eq!(rows(&same), [vec![1, 2], vec![0, 2], vec![0, 1], vec![0, 1], vec![0, 1]]);
    let band = SpatialWeights::distance_band(&at(&[(2.0, 3.0), (2.0, 3.0), (2.0, 4.0)]), 0.0, Metric::Plane);
    assert_eq!(rows(&band.unwrap()), [vec![1], vec![0], vec![]]);
}

#[test]
fn the_date_line_and_the_poles_are_no_edges() {
    let points = at(&[(179.9, 0.0), (-179.9, 0.0), (170.0, 0.0), (0.0, 89.9), (180.0, 89.9), (90.0, -80.0)]);
    let weights = SpatialWeights::k_nearest(&points, 1, Metric::Sphere).unwrap();
    assert_eq!(rows(&weights)[0], [1]);
    assert_eq!(rows(&weights)[3], [4]);
    let all = SpatialWeights::distance_band(&points, 1e9, Metric::Sphere).unwrap();
    assert_eq!(all.n_nonzero(), 30);
    // One degree along the equator is 111,195 m.
    let pair = at(&[(0.0, 0.0), (1.0, 0.0)]);
    let links =
        |threshold| SpatialWeights::distance_band(&pair, threshold, Metric::Sphere).unwrap().n_nonzero();
    assert_eq!((links(111_195.0), links(111_196.0)), (0, 2));
}

#[test]
fn points_that_cannot_be_used_are_refused() {
    let points = at(&[(0.0, 0.0), (1.0, 1.0)]);
    for k in [0, 2, usize::MAX] {
        let found = SpatialWeights::k_nearest(&points, k, Metric::Plane);
        assert_eq!(found, Err(SpatialError::Neighbours { k, sites: 2 }));
    }
    assert_eq!(
        SpatialWeights::k_nearest(&[], 1, Metric::Plane),
        Err(SpatialError::TooFew { sites: 0, needed: 1 })
    );
    let infinite = at(&[(0.0, 0.0), (f64::INFINITY, 1.0)]);
    assert_eq!(
        SpatialWeights::distance_band(&infinite, 1.0, Metric::Plane),
        Err(SpatialError::Coordinate { site: 1 })
    );
    assert_eq!(
        SpatialWeights::k_nearest(&at(&[(0.0, 91.0), (0.0, 0.0)]), 1, Metric::Sphere),
        Err(SpatialError::NotDegrees { site: 0 })
    );
    for threshold in [-1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(
            SpatialWeights::distance_band(&points, threshold, Metric::Plane),
            Err(SpatialError::Distance { .. })
        ));
    }
}

#[test]
fn lists_are_checked() {
    let of = |rows: &[Vec<usize>]| SpatialWeights::from_neighbours(rows);
    assert_eq!(of(&[vec![1], vec![1]]), Err(SpatialError::NotASite { site: 1, neighbour: 1 }));
    assert_eq!(of(&[vec![5], vec![]]), Err(SpatialError::NotASite { site: 0, neighbour: 5 }));
    assert_eq!(of(&[vec![1, 1], vec![]]), Err(SpatialError::Repeated { site: 0, neighbour: 1 }));
    assert_eq!(of(&[]), Err(SpatialError::TooFew { sites: 0, needed: 1 }));
    let negative = SpatialWeights::from_weighted(vec![vec![(1, -0.5)], vec![]]);
    assert_eq!(negative, Err(SpatialError::Weight { site: 0, weight: -0.5 }));
    // In any order; a weight of zero is no link.
    let weights =
        SpatialWeights::from_weighted(vec![vec![(2, 0.5), (1, 0.0)], vec![(0, 2.0)], vec![]]).unwrap();
    assert_eq!(rows(&weights), [vec![2], vec![0], vec![]]);
    assert_eq!(
        (weights.transform(), weights.is_symmetric(), weights.n_nonzero()),
        (Transform::General, false, 2)
    );
    assert_eq!(weights.components(), [0, 0, 0]);
    assert_eq!(weights.row(99), (&[][..], &[][..]));
}

#[test]
fn self_weights_follow_the_conventions_of_esda() {
    let binary = SpatialWeights::from_neighbours(&[vec![1, 2], vec![0], vec![0], vec![]]).unwrap();
    let star = binary.with_self();
    assert_eq!(rows(&star), [vec![0, 1, 2], vec![0, 1], vec![0, 2], vec![3]]);
    assert_eq!(star.islands(), [3]);
    assert_eq!(star, star.with_self());
    let row = binary.row_standardised();
    assert_eq!((row.weight(0, 1), row.transform()), (0.5, Transform::Row));
    let star = row.with_self();
    assert_eq!(rows(&star), [vec![0, 1, 2], vec![0, 1], vec![0, 2], vec![]]);
    close(star.weight(0, 0), 1.0 / 3.0);
    close(star.weight(1, 1), 0.5);
}
