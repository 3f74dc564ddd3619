//! The common rate of located cases where no total is given: a posterior on a grid.
//!
//! With `μ = λ(1−π)` the located counts are `y_m ~ Poisson(μ E_m)`, so that the data speak about μ alone:
//! `log p(μ | data) = −½ log μ + Σ_m log P(L_m ≤ Poisson(μ E_m) ≤ U_m)`, the sum over cells with an upper
//! bound, with the Jeffreys prior `μ^{−½}` (the limit of Gamma(½, b) for b → 0). The posterior is proper as
//! soon as one cell with exposure has an upper bound.
//!
//! In `η = log μ` the log-posterior is concave, because cutting a Poisson law to an interval does not raise
//! its variance. So its mode is the root of `½ + Σ E[y_m | η] − e^η Σ E_m`, which lies between the values
//! with every count at its lower and at its upper bound, and the grid is spaced evenly in η between the two
//! points where the density is e^{−30} of its maximum. A draw takes a grid point by its weight, then a
//! uniform place within its step.

use rand::{Rng, RngExt};

use super::error::IncidenceError;
use super::unimodal;
use super::weights::ln_poisson_interval;

const POINTS: u32 = 513;

/// How far the log-density has fallen where the grid ends.
const DROP: f64 = 30.0;

/// The upper bound of a cell that has none: sums over it end long before.
pub(super) const OPEN: u32 = u32::MAX;

/// A cell with exposure and a bound.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounded {
    /// Person-years, above 0.
    pub exposure: f64,
    /// Lower bound of the located count.
    pub min: u32,
    /// Upper bound of the located count, or [`OPEN`].
    pub max: u32,
}

/// Posterior of `μ`, per person-year.
#[derive(Debug, Clone)]
pub(super) struct LocatedRate {
    start: f64,
    step: f64,
    /// Unnormalised posterior at `η = start + i step`, and its running sum.
    weights: Vec<f64>,
    cumulative: Vec<f64>,
}

impl LocatedRate {
    /// # Errors
    /// [`IncidenceError::RateUnbounded`] without a cell that has an upper bound, [`IncidenceError::Impossible`] where the posterior
    /// leaves the range of `f64`.
    pub(super) fn new(cells: &[Bounded]) -> Result<Self, IncidenceError> {
        // Lower bounds alone are fitted the better the higher the rate.
        if cells.iter().all(|c| c.max == OPEN) {
            return Err(IncidenceError::RateUnbounded);
        }
        let exposure: f64 = cells.iter().map(|c| c.exposure).sum();
        let at = |count: f64| ((0.5 + count) / exposure).ln();
        let lower: f64 = cells.iter().map(|c| f64::from(c.min)).sum();
        let upper: f64 = cells.iter().map(|c| f64::from(c.max)).sum();
        let slope = |eta: f64| {
            let located: f64 = cells.iter().map(|c| mean_located(c, eta.exp())).sum();
            0.5 + located - eta.exp() * exposure
        };
        let mode = bisect(at(lower), at(upper), |eta| slope(eta) > 0.0);
        let highest = ln_density(cells, mode);
        let inside = |eta: f64| ln_density(cells, eta) > highest - DROP;
        // The density has half a unit of slope at least below every count, and falls faster above.
        let start = edge(mode, -1.0, inside);
        let end = edge(mode, 1.0, inside);
        let step = (end - start) / f64::from(POINTS - 1);
        let weights: Vec<f64> = (0..POINTS)
            .map(|i| (ln_density(cells, f64::from(i).mul_add(step, start)) - highest).exp())
            .collect();
        let mut sum = 0.0;
        let cumulative: Vec<f64> = weights
            .iter()
            .map(|w| {
                sum += w;
                sum
            })
            .collect();
        if !(sum > 0.0 && sum.is_finite() && step.is_finite()) {
            return Err(IncidenceError::Impossible);
        }
        Ok(Self { start, step, weights, cumulative })
    }

    /// Highest rate that a draw can have.
    pub(super) fn highest(&self) -> f64 {
        f64::from(POINTS).mul_add(self.step, self.start).exp()
    }

    /// One draw of μ.
    pub(super) fn sample(&self, rng: &mut impl Rng) -> f64 {
        let sum = self.cumulative.last().copied().unwrap_or(0.0);
        let target = rng.random::<f64>() * sum;
        let point = self.cumulative.partition_point(|c| *c <= target).min(self.cumulative.len() - 1);
        #[expect(clippy::cast_precision_loss, reason = "the grid has 513 points")]
        let place = point as f64 + rng.random::<f64>() - 0.5;
        place.mul_add(self.step, self.start).exp()
    }

    /// Posterior mean of `f(μ)` over the grid points.
    pub(super) fn posterior_mean(&self, f: impl Fn(f64) -> f64) -> f64 {
        let (mut sum, mut moment, mut i) = (0.0, 0.0, 0.0_f64);
        for weight in &self.weights {
            sum += weight;
            moment += weight * f(i.mul_add(self.step, self.start).exp());
            i += 1.0;
        }
        moment / sum
    }
}

/// `Σ log P(min ≤ Poisson(μ E) ≤ max)`.
pub(super) fn ln_likelihood(cells: &[Bounded], rate: f64) -> f64 {
    cells.iter().map(|c| ln_poisson_interval(rate * c.exposure, c.min, c.max)).sum()
}

/// `E[y | μ, min ≤ y ≤ max]`.
pub(super) fn mean_located(cell: &Bounded, rate: f64) -> f64 {
    unimodal::poisson(rate * cell.exposure, cell.min, cell.max).mean()
}

/// Log-density in η, which adds the Jacobian `e^η` to the prior `μ^{−½}`.
fn ln_density(cells: &[Bounded], eta: f64) -> f64 {
    0.5 * eta + ln_likelihood(cells, eta.exp())
}

/// The point in a bracket up to which `before` holds.
fn bisect(mut low: f64, mut high: f64, before: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if before(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// Where `inside` ends, in the direction of the sign, by doubling and bisection.
fn edge(mode: f64, direction: f64, inside: impl Fn(f64) -> bool) -> f64 {
    let mut reach = 1e-3;
    // 2^18 e-3 is far more than the 60 + log(U/L) units of η that the slope of ½ allows.
    for _ in 0..18 {
        if !inside(mode + direction * reach) {
            break;
        }
        reach *= 2.0;
    }
    let far = bisect(0.0, reach, |r| inside(mode + direction * r));
    mode + direction * far
}
