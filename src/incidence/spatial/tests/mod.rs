//! Tests: formulae over all pairs, exhaustive permutation, published values, geometry pair by pair.

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::*;

mod borders;
mod many;
mod points;
mod published;
mod ranking;

/// A generator of its own for each test.
fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// A number in [0, 1).
fn unit(rng: &mut ChaCha8Rng) -> f64 {
    f64::from(rng.next_u32()) / 4_294_967_296.0
}

/// A number below `bound`.
fn pick(rng: &mut ChaCha8Rng, bound: usize) -> usize {
    rng.next_u32() as usize % bound
}

#[track_caller]
fn close(a: f64, b: f64) {
    assert!((a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0), "{a} != {b}");
}

/// Queen neighbours on a lattice of squares.
fn lattice(width: usize, height: usize) -> SpatialWeights {
    let rows: Vec<Vec<usize>> = (0..width * height)
        .map(|site| {
            let (x, y) = (site % width, site / width);
            let mut row = Vec::new();
            for v in y.saturating_sub(1)..(y + 2).min(height) {
                for u in x.saturating_sub(1)..(x + 2).min(width) {
                    if (u, v) != (x, y) {
                        row.push(v * width + u);
                    }
                }
            }
            row
        })
        .collect();
    SpatialWeights::from_neighbours(&rows).unwrap()
}

/// Random links with random weights, some sites without any.
fn random_weights(n: usize, rng: &mut ChaCha8Rng) -> SpatialWeights {
    let rows = (0..n)
        .map(|site| {
            if pick(rng, 6) == 0 {
                return Vec::new();
            }
            let mut row = Vec::new();
            for other in (0..n).filter(|other| *other != site) {
                if pick(rng, 3) == 0 {
                    row.push((other, unit(rng) + 0.1));
                }
            }
            row
        })
        .collect();
    SpatialWeights::from_weighted(rows).unwrap()
}
