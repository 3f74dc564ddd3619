//! The sampler on targets with known moments, and the figures of convergence against `ArviZ`.

use std::sync::atomic::AtomicBool;

use super::{Convergence, Density, adapt, normal, rng};

/// Normal with the precision matrix of an autoregression, and scales from 1 to 100.
struct Correlated {
    rho: f64,
    scales: Vec<f64>,
}

impl Density for Correlated {
    fn dimension(&self) -> usize {
        self.scales.len()
    }

    fn evaluate(&mut self, at: &[f64], gradient: &mut [f64]) -> f64 {
        let x: Vec<f64> = at.iter().zip(&self.scales).map(|(x, s)| x / s).collect();
        let variance = 1.0 - self.rho * self.rho;
        gradient.fill(0.0);
        let mut value = -0.5 * x[0] * x[0];
        gradient[0] -= x[0];
        for i in 1..x.len() {
            let residual = x[i] - self.rho * x[i - 1];
            value -= 0.5 * residual * residual / variance;
            gradient[i] -= residual / variance;
            gradient[i - 1] += self.rho * residual / variance;
        }
        for (g, s) in gradient.iter_mut().zip(&self.scales) {
            *g /= s;
        }
        value
    }
}

static NEVER: AtomicBool = AtomicBool::new(false);

fn plan(warm_up: u32, samples: u32) -> adapt::Plan<'static> {
    adapt::Plan { warm_up, samples, target: 0.8, max_depth: 10, stop: &NEVER }
}

#[test]
fn a_correlated_normal_law_has_its_moments() {
    let scales: Vec<f64> = (0..12).map(|i| 10_f64.powf(f64::from(i) / 6.0)).collect();
    let chains: Vec<_> = (0..4)
        .map(|c| {
            let mut density = Correlated { rho: 0.8, scales: scales.clone() };
            adapt::run(&mut density, &plan(500, 1_000), &mut rng(c)).unwrap()
        })
        .collect();
    let draws = |f: &dyn Fn(&[f64]) -> f64| -> Vec<Vec<f64>> {
        chains.iter().map(|c| c.positions.iter().map(|x| f(x)).collect()).collect()
    };
    let check = |f: &dyn Fn(&[f64]) -> f64, expected: f64| {
        let values = draws(f);
        let figures = Convergence::new(&values);
        assert!(figures.r_hat < 1.02, "{figures:?}");
        let all: Vec<f64> = values.concat();
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        let sd = (all.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / all.len() as f64).sqrt();
        assert!(
            (mean - expected).abs() < 4.0 * sd / figures.ess_bulk.sqrt(),
            "{mean} is not {expected}: {figures:?}"
        );
    };
    for i in [0, 5, 11] {
        check(&|x| x[i], 0.0);
        check(&|x| (x[i] / scales[i]).powi(2), 1.0);
    }
    check(&|x| x[4] * x[5] / scales[4] / scales[5], 0.8);
    check(&|x| x[4] * x[7] / scales[4] / scales[7], 0.8_f64.powi(3));
    assert!(chains.iter().all(|c| c.divergences == 0 && c.exhausted == 0));
}

/// Two independent heavy-tailed coordinates, Student with 5 degrees of freedom: E x² = 5/3.
struct Student;

impl Density for Student {
    fn dimension(&self) -> usize {
        2
    }

    fn evaluate(&mut self, at: &[f64], gradient: &mut [f64]) -> f64 {
        let mut value = 0.0;
        for (g, x) in gradient.iter_mut().zip(at) {
            value -= 3.0 * (1.0 + x * x / 5.0).ln();
            *g = -6.0 * x / (5.0 + x * x);
        }
        value
    }
}

#[test]
fn heavy_tails_have_their_quantiles() {
    let chain = adapt::run(&mut Student, &plan(500, 20_000), &mut rng(9)).unwrap();
    for i in 0..2 {
        let share =
            |limit: f64| chain.positions.iter().filter(|x| x[i].abs() < limit).count() as f64 / 20_000.0;
        // scipy.stats.t(5).ppf([0.75, 0.975])
        assert!((share(0.726_686_843_800_422_6) - 0.5).abs() < 0.02);
        assert!((share(2.570_581_835_636_313_7) - 0.95).abs() < 0.01);
    }
}

#[test]
fn normal_variables_have_their_moments() {
    let mut x = vec![0.0; 200_001];
    normal::fill(&mut x, &mut rng(3));
    let moment = |k: i32| x.iter().map(|v| v.powi(k)).sum::<f64>() / x.len() as f64;
    for (k, expected, tolerance) in [(1, 0.0, 0.01), (2, 1.0, 0.015), (3, 0.0, 0.04), (4, 3.0, 0.1)] {
        assert!((moment(k) - expected).abs() < tolerance);
    }
}

/// Four chains of 50, a fixed arithmetic sequence; `arviz_stats.base.array_stats` gives the figures.
#[test]
fn convergence_agrees_with_arviz() {
    let mut chains = Vec::new();
    let mut state: u32 = 12_345;
    for c in 0..4 {
        let mut x = 0.0;
        let mut chain = Vec::new();
        for _ in 0..50 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let u = f64::from(state) / 4_294_967_296.0;
            x = 0.6 * x + u - 0.5 + 0.02 * f64::from(c);
            chain.push(x);
        }
        chains.push(chain);
    }
    let got = Convergence::new(&chains);
    for (got, expected) in [
        (got.r_hat, 1.072_745_924_978_703),
        (got.ess_bulk, 39.112_376_035_141_96),
        (got.ess_tail, 161.215_245_787_441_1),
    ] {
        assert!((got - expected).abs() < 1e-6 * expected, "{got} is not {expected}");
    }
}
