//! How far the data moved a prior.

use serde::Serialize;

use super::options::Law;
use crate::stats::{mean, quantile};

/// Points at which two laws are compared.
const POINTS: u32 = 400;

/// 5 %, 50 % and 95 % quantiles.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Quantiles {
    /// 5 %.
    pub p05: f64,
    /// The median.
    pub p50: f64,
    /// 95 %.
    pub p95: f64,
}

/// What the data did to a prior.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// Distance below 0.1 prior standard deviations: the result repeats the assumption.
    Unmoved,
    /// Distance below 0.5 prior standard deviations.
    MovedALittle,
    /// More than that.
    Moved,
}

/// Prior and posterior of one number.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Learned {
    /// `b0`, `sigma`, `phi` or `pi`.
    pub parameter: &'static str,
    /// Quantiles of the prior.
    pub prior: Quantiles,
    /// Quantiles of the posterior draws.
    pub posterior: Quantiles,
    /// Posterior standard deviation over that of the prior: 1 where nothing was learned about the spread.
    pub sd_ratio: f64,
    /// 1-Wasserstein distance between prior and posterior, in standard deviations of the prior: how far a unit of
    /// probability moved on average.
    pub distance: f64,
    /// The distance in three classes.
    pub reading: Reading,
    /// The same in a sentence, in English.
    pub statement: String,
}

impl Learned {
    /// From draws in any order, at least one.
    pub(super) fn new(parameter: &'static str, law: Law, draws: &[f64]) -> Self {
        let mut sorted = draws.to_vec();
        sorted.sort_by(f64::total_cmp);
        let drawn = |q| quantile(&sorted, q).unwrap_or(f64::NAN);
        let of = |f: &dyn Fn(f64) -> f64| Quantiles { p05: f(0.05), p50: f(0.5), p95: f(0.95) };
        let (prior, posterior) = (of(&|q| law.quantile(q)), of(&drawn));
        // W₁ = ∫ |F⁻¹ − G⁻¹| dq.
        let gap = |i: u32| {
            let q = (f64::from(i) + 0.5) / f64::from(POINTS);
            (law.quantile(q) - drawn(q)).abs()
        };
        let distance = (0..POINTS).map(gap).sum::<f64>() / f64::from(POINTS) / law.sd();
        let centre = mean(&sorted).unwrap_or(f64::NAN);
        let square = sorted.iter().map(|x| (x - centre) * (x - centre)).sum::<f64>() / sorted.len() as f64;
        let sd_ratio = square.sqrt() / law.sd();
        let (reading, verb) = if distance < 0.1 {
            (Reading::Unmoved, "did not move")
        } else if distance < 0.5 {
            (Reading::MovedALittle, "moved a little")
        } else {
            (Reading::Moved, "moved")
        };
        let statement = format!(
            "The data {verb} the prior of {parameter}: by {distance:.2} of its standard deviations, to {:.0} % of its spread.",
            100.0 * sd_ratio
        );
        Self { parameter, prior, posterior, sd_ratio, distance, reading, statement }
    }
}
