use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{IcarField, scale_factors};
use crate::incidence::IncidenceError;

fn graph(nodes: usize, edges: &[(usize, usize)]) -> Vec<Vec<usize>> {
    let mut lists = vec![Vec::new(); nodes];
    for &(a, b) in edges {
        lists[a].push(b);
        lists[b].push(a);
    }
    lists
}

fn path(nodes: usize) -> Vec<Vec<usize>> {
    graph(nodes, &(1..nodes).map(|i| (i - 1, i)).collect::<Vec<_>>())
}

fn grid(side: usize) -> Vec<Vec<usize>> {
    let across = (0..side * side).filter(|i| i % side > 0).map(|i| (i - 1, i));
    let down = (side..side * side).map(|i| (i - side, i));
    graph(side * side, &across.chain(down).collect::<Vec<_>>())
}

fn assert_near(got: f64, expected: f64) {
    assert!((got - expected).abs() <= 1e-12 * expected.abs(), "{got} is not {expected}");
}

#[test]
fn complete_graphs_and_cycles_have_known_variances() {
    for n in [2_usize, 3, 10, 60] {
        let complete: Vec<Vec<usize>> = (0..n).map(|i| (0..n).filter(|j| *j != i).collect()).collect();
        let size = n as f64;
        assert_near(scale_factors(&complete).unwrap().factors[0], (size - 1.0) / (size * size));
        if n > 2 {
            let mut cycle = path(n);
            cycle[0].push(n - 1);
            cycle[n - 1].push(0);
            assert_near(scale_factors(&cycle).unwrap().factors[0], (size * size - 1.0) / (12.0 * size));
        }
    }
}

/// Each edge of a tree splits it; the field is a sum over edges of the share on the other side.
#[test]
fn paths_have_known_variances() {
    for n in [2_usize, 5, 200] {
        let scale = scale_factors(&path(n)).unwrap();
        let mut ln = 0.0;
        for i in 1..=n {
            let side = |k: usize| if k < i { k as f64 } else { (n - k) as f64 } / n as f64;
            let variance: f64 = (1..n).map(|k| side(k) * side(k)).sum();
            assert_near(scale.variances[i - 1], variance);
            ln += variance.ln() / n as f64;
        }
        assert_near(scale.factors[0], ln.exp());
    }
}

/// Eigenvalues by Jacobi rotations; the generalised inverse without the null space.
fn pseudo_inverse_diagonal(adjacency: &[Vec<usize>]) -> Vec<f64> {
    let n = adjacency.len();
    let mut a = vec![vec![0.0; n]; n];
    let mut v = vec![vec![0.0; n]; n];
    for (i, list) in adjacency.iter().enumerate() {
        v[i][i] = 1.0;
        a[i][i] = list.len() as f64;
        for j in list {
            a[i][*j] = -1.0;
        }
    }
    for _ in 0..60 {
        for p in 0..n {
            for q in p + 1..n {
                if a[p][q].abs() < 1e-300 {
                    continue;
                }
                let theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
                let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
                let c = 1.0 / (t * t + 1.0).sqrt();
                let s = t * c;
                for row in a.iter_mut().chain(v.iter_mut()) {
                    (row[p], row[q]) = (c * row[p] - s * row[q], s * row[p] + c * row[q]);
                }
                let (head, tail) = a.split_at_mut(q);
                for (x, y) in head[p].iter_mut().zip(tail[0].iter_mut()) {
                    (*x, *y) = (c * *x - s * *y, s * *x + c * *y);
                }
            }
        }
    }
    let inverse = |k: usize| if a[k][k].abs() < 1e-9 { 0.0 } else { 1.0 / a[k][k] };
    (0..n).map(|i| (0..n).map(|k| v[i][k] * v[i][k] * inverse(k)).sum()).collect()
}

#[test]
fn random_graphs_agree_with_an_eigendecomposition() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    for n in [4_usize, 9, 17] {
        let mut edges: Vec<(usize, usize)> = (1..n).map(|i| (rng.random_range(0..i), i)).collect();
        for _ in 0..n {
            let (a, b) = (rng.random_range(0..n), rng.random_range(0..n));
            if a != b && !edges.contains(&(a, b)) && !edges.contains(&(b, a)) {
                edges.push((a, b));
            }
        }
        let adjacency = graph(n, &edges);
        let scale = scale_factors(&adjacency).unwrap();
        for (got, expected) in scale.variances.iter().zip(pseudo_inverse_diagonal(&adjacency)) {
            assert!((got - expected).abs() < 1e-10);
        }
    }
}

/// Contiguity of the Columbus areas as shipped with libpysal; the factor by `numpy.linalg.pinv`.
#[test]
fn columbus_agrees_with_numpy() {
    let columbus: Vec<Vec<usize>> = COLUMBUS.iter().map(|list| list.to_vec()).collect();
    let scale = scale_factors(&columbus).unwrap();
    assert!((scale.factors[0] - 0.481_200_193_922_309_5).abs() < 1e-11);
}

#[test]
fn parts_are_scaled_apart_and_islands_have_variance_one() {
    // 0–1–2, island 3, 4–5.
    let adjacency = graph(6, &[(0, 1), (1, 2), (4, 5)]);
    let scale = scale_factors(&adjacency).unwrap();
    assert_eq!(scale.component, [0, 0, 0, 1, 2, 2]);
    assert_eq!(scale.sizes, [3, 1, 2]);
    assert_near(scale.factors[0], scale_factors(&path(3)).unwrap().factors[0]);
    assert_eq!((scale.factors[1], scale.variances[3]), (1.0, 1.0));
    assert_near(scale.factors[2], 0.25);
}

#[test]
fn the_map_has_the_scaled_covariance() {
    let adjacency = graph(7, &[(0, 1), (1, 2), (2, 0), (2, 3), (4, 5)]);
    let field = IcarField::new(&adjacency).unwrap();
    let scale = scale_factors(&adjacency).unwrap();
    assert_eq!(field.dimension(), 3 + 1 + 1);
    // Columns of the map: the variance of an area is the sum of their squares.
    let mut variances = [0.0; 7];
    let mut columns = Vec::new();
    for k in 0..field.dimension() {
        let mut normals = vec![0.0; field.dimension()];
        normals[k] = 1.0;
        let mut effects = vec![0.0; 7];
        field.effects(&normals, &mut effects);
        assert!(effects[..4].iter().sum::<f64>().abs() < 1e-14 && (effects[4] + effects[5]).abs() < 1e-14);
        for (variance, effect) in variances.iter_mut().zip(&effects) {
            *variance += effect * effect;
        }
        columns.push(effects);
    }
    for (i, variance) in variances.iter().enumerate() {
        assert_near(*variance, scale.variances[i] / scale.factors[scale.component[i]]);
    }
    // The pull-back is the transpose.
    let gradient: Vec<f64> = (0..7).map(|i| f64::from(i * i) - 3.0).collect();
    let mut pulled = vec![0.0; field.dimension()];
    field.pull_back(&gradient, &mut pulled);
    for (got, column) in pulled.iter().zip(&columns) {
        let expected: f64 = column.iter().zip(&gradient).map(|(a, b)| a * b).sum();
        assert!((got - expected).abs() < 1e-12);
    }
}

#[test]
fn a_map_of_a_country_takes_a_moment() {
    let scale = scale_factors(&grid(50)).unwrap();
    assert_eq!(scale.sizes, [2_500]);
    // Logarithmic growth in two dimensions: for 50 × 50 about (ln 50)/(2π) + a constant below 1.
    assert!(scale.factors[0] > 0.6 && scale.factors[0] < 1.6, "{}", scale.factors[0]);
}

#[test]
fn lists_that_are_no_graph_are_refused() {
    let fault = |lists: &[Vec<usize>]| match scale_factors(lists) {
        Err(IncidenceError::Adjacency { area, neighbour, .. }) => (area, neighbour),
        other => panic!("{other:?}"),
    };
    assert_eq!(fault(&[vec![5]]), (0, 5));
    assert_eq!(fault(&[vec![0]]), (0, 0));
    assert_eq!(fault(&[vec![1], vec![]]), (0, 1));
    assert_eq!(fault(&[vec![1, 1], vec![0, 0]]), (0, 1));
    assert_eq!(scale_factors(&[]), Err(IncidenceError::NoCells));
}

#[rustfmt::skip]
const COLUMBUS: [&[usize]; 49] = [
    &[1, 2], &[3, 2, 0], &[4, 3, 1, 0], &[7, 2, 4, 1], &[15, 14, 10, 7, 8, 5, 2, 3], &[8, 4], &[13, 12, 11, 7],
    &[12, 11, 10, 4, 3, 6], &[25, 24, 21, 19, 14, 9, 5, 4], &[21, 19, 16, 8], &[15, 14, 11, 4, 7],
    &[15, 13, 12, 10, 7, 6], &[13, 11, 6, 7], &[18, 11, 12, 15, 17, 6], &[24, 15, 25, 4, 8, 10],
    &[24, 23, 17, 14, 4, 10, 11, 13], &[22, 19, 9], &[23, 18, 15, 13], &[17, 23, 13],
    &[34, 32, 26, 21, 22, 31, 39, 16, 9, 8], &[33, 23, 29], &[27, 26, 25, 19, 9, 8], &[31, 16, 19],
    &[29, 28, 24, 15, 17, 20, 18], &[29, 28, 14, 25, 27, 15, 23, 8], &[28, 27, 21, 8, 24, 14], &[32, 27, 19, 21],
    &[37, 36, 28, 26, 32, 34, 21, 25, 24], &[36, 29, 27, 37, 23, 24, 25], &[36, 28, 23, 24, 20], &[38, 35, 33],
    &[40, 39, 22, 19], &[34, 19, 26, 27], &[41, 35, 20, 30], &[43, 42, 37, 39, 19, 32, 27], &[45, 38, 33, 41, 30],
    &[44, 37, 42, 27, 28, 29], &[42, 34, 43, 27, 36, 28], &[45, 35, 30], &[46, 40, 31, 34, 19], &[46, 31, 39],
    &[33, 35], &[47, 44, 34, 43, 37, 36], &[48, 47, 34, 42, 37], &[47, 48, 36, 42], &[35, 38], &[39, 40],
    &[48, 43, 42, 44], &[43, 47, 44],
];
