use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::Likelihood;
use crate::incidence::checks::Cell;
use crate::incidence::convolution::ConvolutionFilter;
use crate::incidence::weights::{CellWeights, ln_poisson_interval};

fn cell(min: u32, max: Option<u32>) -> Cell {
    Cell { exposure: 1.0, min, max }
}

fn assert_near(got: f64, expected: f64, what: &str) {
    assert!((got - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{what}: {got} is not {expected}");
}

fn filter(cells: &[Cell], mu: &[f64], pi: f64, total: u32) -> ConvolutionFilter {
    let mut pool = pi * mu.iter().sum::<f64>();
    let mut tables = Vec::new();
    for (cell, mu) in cells.iter().zip(mu) {
        match cell.max {
            None if cell.min == 0 => pool += (1.0 - pi) * mu,
            max => {
                let last = max.unwrap_or(total);
                tables.push(CellWeights::poisson((1.0 - pi) * mu, cell.min, last).unwrap());
            }
        }
    }
    if pool > 0.0 {
        tables.push(CellWeights::poisson(pool, 0, total).unwrap());
    }
    ConvolutionFilter::new(&tables, Some(total)).unwrap()
}

/// The Fourier sum against the convolution filter, far into the tails.
#[test]
fn the_likelihood_with_a_total_is_that_of_the_filter() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    for case in 0..60 {
        let n = 1 + case % 12;
        let cells: Vec<Cell> = (0..n)
            .map(|_| match rng.random_range(0..5) {
                0 => {
                    let y = rng.random_range(0..30);
                    cell(y, Some(y))
                }
                1 => cell(1, Some(14)),
                2 => cell(0, Some(14)),
                3 => cell(rng.random_range(1..6), None),
                _ => cell(0, None),
            })
            .collect();
        let mu: Vec<f64> = (0..n).map(|_| 10_f64.powf(rng.random_range(-2.0..2.0))).collect();
        let pi = if case % 3 == 0 { 0.0 } else { rng.random_range(0.001..0.9) };
        let lower: u32 = cells.iter().map(|c| c.min).sum();
        let room = cells.iter().map(|c| c.max.map_or(50, |max| max - c.min)).sum::<u32>();
        let total = lower + if room == 0 { 0 } else { rng.random_range(0..=room) };
        let mut likelihood = Likelihood::new(&cells, Some(total));
        let mut slope = vec![0.0; n];
        let (value, pi_slope) = likelihood.evaluate(&mu, pi, &mut slope).unwrap();
        let filter = filter(&cells, &mu, pi, total);
        assert_near(value, filter.ln_normaliser(), "value");
        let means = filter.means();
        let mut k = 0;
        let located = 1.0 - pi;
        let mut pool_share = 0.0;
        if pi > 0.0 || cells.iter().any(|c| c.max.is_none() && c.min == 0) {
            let pool = pi * mu.iter().sum::<f64>()
                + cells
                    .iter()
                    .zip(&mu)
                    .filter(|(c, _)| c.max.is_none() && c.min == 0)
                    .map(|(_, m)| located * m)
                    .sum::<f64>();
            pool_share = means.last().unwrap() / pool - 1.0;
        }
        for (i, c) in cells.iter().enumerate() {
            let own = if c.max.is_none() && c.min == 0 {
                pool_share * located * mu[i]
            } else {
                k += 1;
                means[k - 1] - located * mu[i]
            };
            assert_near(slope[i], own + pool_share * pi * mu[i], "slope");
        }
        if pi > 0.0 {
            let mut shifted = vec![0.0; n];
            let h = 1e-6 * pi;
            let up = likelihood.evaluate(&mu, pi + h, &mut shifted).unwrap().0;
            let down = likelihood.evaluate(&mu, pi - h, &mut shifted).unwrap().0;
            let numeric = (up - down) / (2.0 * h);
            assert!((pi_slope - numeric).abs() < 1e-5 * numeric.abs().max(10.0), "{pi_slope} {numeric}");
        }
    }
}

#[test]
fn without_a_total_it_is_that_of_the_bounds() {
    let cells = [cell(3, Some(3)), cell(1, Some(14)), cell(0, Some(14)), cell(4, None), cell(0, None)];
    let mu = [2.5, 30.0, 0.01, 3.0, 7.0];
    let mut likelihood = Likelihood::new(&cells, None);
    let mut slope = vec![0.0; 5];
    let (value, _) = likelihood.evaluate(&mu, 0.2, &mut slope).unwrap();
    let expected: f64 = cells
        .iter()
        .zip(&mu)
        .map(|(c, m)| ln_poisson_interval(0.8 * m, c.min, c.max.unwrap_or(u32::MAX)))
        .sum();
    assert_near(value, expected, "value");
    assert_eq!(slope[4], 0.0);
    for i in 0..4 {
        let shifted = |h: f64| {
            let mut mu = mu;
            mu[i] *= h.exp();
            Likelihood::new(&cells, None).evaluate(&mu, 0.2, &mut [0.0; 5]).unwrap().0
        };
        let numeric = (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
        assert!((slope[i] - numeric).abs() < 1e-7 * numeric.abs().max(1.0));
    }
}

/// The search for the tilt starts at the last one: wherever that was, the answer is the same.
#[test]
fn an_evaluation_does_not_depend_on_the_one_before() {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let cells: Vec<Cell> = (0..60)
        .map(|i| match i % 10 {
            0 => cell(20, Some(20)),
            1 => cell(1, Some(14)),
            _ => cell(0, Some(14)),
        })
        .collect();
    let mut likelihood = Likelihood::new(&cells, Some(320));
    for _ in 0..1_000 {
        let (level, spread) = (rng.random_range(-30.0..8.0), rng.random_range(0.0..5.0));
        let mu: Vec<f64> = (0..60).map(|_| f64::exp(level + spread * rng.random_range(-2.0..2.0))).collect();
        let pi = f64::exp(rng.random_range(-300.0..-0.05));
        let mut slopes = [vec![0.0; 60], vec![0.0; 60]];
        let warm = likelihood.evaluate(&mu, pi, &mut slopes[0]);
        let fresh = Likelihood::new(&cells, Some(320)).evaluate(&mu, pi, &mut slopes[1]);
        let (Some(warm), Some(fresh)) = (warm, fresh) else {
            panic!("{level} {spread} {pi} {warm:?} {fresh:?}")
        };
        assert_near(warm.0, fresh.0, "value");
        for (warm, fresh) in slopes[0].iter().zip(&slopes[1]) {
            assert_near(*warm, *fresh, "slope");
        }
    }
}
