//! Sums over Poisson laws cut to bounds.

use super::lattice::Tilted;
use crate::incidence::unimodal;

/// Tables end where weights are below this share of the highest.
const CUT: f64 = 1e-17;

/// `ln k!` and `1/(k+1)` are tabulated up to here.
const TABLED: u32 = 1_024;

/// Sums over a Poisson law cut to bounds.
pub(super) struct Cut {
    pub mode: u32,
    /// Sum relative to the weight at the mode.
    pub sum: f64,
    pub mean: f64,
    pub variance: f64,
}

/// Logarithms of factorials and reciprocals.
#[derive(Debug, Clone)]
pub(super) struct Tables {
    ln_factorial: Vec<f64>,
    inverse: Vec<f64>,
}

impl Tables {
    pub(super) fn new() -> Self {
        Self {
            ln_factorial: (0..TABLED).map(|k| libm::lgamma(f64::from(k) + 1.0)).collect(),
            inverse: (0..TABLED).map(|k| 1.0 / (f64::from(k) + 1.0)).collect(),
        }
    }

    pub(super) fn ln_factorial(&self, k: u32) -> f64 {
        let computed = || libm::lgamma(f64::from(k) + 1.0);
        self.ln_factorial.get(k as usize).copied().unwrap_or_else(computed)
    }

    /// `1/(k+1)`.
    pub(super) fn inverse(&self, k: u32) -> f64 {
        self.inverse.get(k as usize).copied().unwrap_or_else(|| 1.0 / (f64::from(k) + 1.0))
    }

    /// `ln Σ a^t/t!` over the bounds.
    pub(super) fn ln_sum(&self, a: f64, cut: &Cut) -> f64 {
        f64::from(cut.mode) * libm::log(a) - self.ln_factorial(cut.mode) + libm::log(cut.sum)
    }

    /// Sums of `a^t/t!` over `lo..=hi`, outward from the mode; the probabilities go into `table`.
    pub(super) fn cut_poisson(&self, a: f64, lo: u32, hi: u32, table: Option<&mut Tilted>) -> Cut {
        let mode = unimodal::floor(a).clamp(lo, hi);
        let (mut sum, mut moment, mut square) = (1.0, 0.0, 0.0);
        let mut keep = table;
        if let Some(table) = keep.as_deref_mut() {
            table.weights.clear();
        }
        let (mut weight, mut distance) = (1.0, 0.0);
        let mut first = mode;
        let inverse_a = 1.0 / a;
        for k in (lo..mode).rev() {
            weight *= (f64::from(k) + 1.0) * inverse_a;
            if weight < CUT {
                break;
            }
            distance -= 1.0;
            sum += weight;
            moment += weight * distance;
            square += weight * distance * distance;
            first = k;
            if let Some(table) = keep.as_deref_mut() {
                table.weights.push(weight);
            }
        }
        if let Some(table) = keep.as_deref_mut() {
            table.weights.reverse();
            table.weights.push(1.0);
        }
        (weight, distance) = (1.0, 0.0);
        for k in mode..hi {
            weight *= a * self.inverse(k);
            if weight < CUT {
                break;
            }
            distance += 1.0;
            sum += weight;
            moment += weight * distance;
            square += weight * distance * distance;
            if let Some(table) = keep.as_deref_mut() {
                table.weights.push(weight);
            }
        }
        let centre = moment / sum;
        let mean = f64::from(mode) + centre;
        if let Some(table) = keep {
            table.first = first;
            table.mean = mean;
            for weight in &mut table.weights {
                *weight /= sum;
            }
        }
        Cut { mode, sum, mean, variance: (square / sum - centre * centre).max(0.0) }
    }
}
