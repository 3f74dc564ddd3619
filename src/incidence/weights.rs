//! Cell weights `w(t) = p(t) · P(L ≤ y ≤ U | t, π)` as tables of logarithms on a finite support.

use statrs::function::gamma::ln_gamma;

use super::error::IncidenceError;
use super::unimodal;

/// Largest total, and largest bound of one cell.
pub const MAX_COUNT: u32 = 200_000;

/// Where there is no total, tables end when what is left out is below this share of their sum.
pub const TRUNCATION: f64 = 1e-12;

/// The unnormalised law of one cell's count: `ln w(first), ln w(first + 1), …`.
///
/// A table has at least one entry, all its counts are at most [`MAX_COUNT`], no entry is NaN or +∞, and at
/// least one is finite.
#[derive(Debug, Clone, PartialEq)]
pub struct CellWeights {
    first: u32,
    ln: Vec<f64>,
}

/// A cell with a Gamma rate: `T ~ NB(α, β/(β+E))`, `y | T ~ Bin(T, 1−π)` and `min ≤ y ≤ max`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GammaCell {
    /// `E`, exposure in person-years.
    pub exposure: f64,
    /// Lower bound of the located count.
    pub min: u32,
    /// Upper bound of the located count, `None` for no bound.
    pub max: Option<u32>,
    /// `α`, shape of the rate's law.
    pub alpha: f64,
    /// `β`, rate parameter of the rate's law, in person-years.
    pub beta: f64,
    /// `π`, probability that a case is not located: 0, or in [1e-9, 1 − 1e-9].
    pub pi: f64,
}

impl CellWeights {
    /// A table from its logarithms, `-∞` for a count that is not possible.
    ///
    /// # Errors
    /// [`IncidenceError::Impossible`] where no entry is finite or one is NaN or +∞,
    /// [`IncidenceError::TooLarge`] where a count is above [`MAX_COUNT`].
    pub fn new(first: u32, ln: Vec<f64>) -> Result<Self, IncidenceError> {
        let last = u64::from(first) + ln.len() as u64;
        if last > u64::from(MAX_COUNT) + 1 {
            return Err(too_many_counts(last - 1));
        }
        if ln.iter().any(|w| w.is_nan() || *w == f64::INFINITY) || !ln.iter().any(|w| w.is_finite()) {
            return Err(IncidenceError::Impossible);
        }
        Ok(Self { first, ln })
    }

    /// `Poisson(mean)` on `first..=last`: `ln w(t) = t ln mean − mean − ln t!`. A mean of 0 leaves t = 0.
    ///
    /// # Errors
    /// As [`CellWeights::new`].
    pub fn poisson(mean: f64, first: u32, last: u32) -> Result<Self, IncidenceError> {
        if last > MAX_COUNT {
            return Err(too_many_counts(last.into()));
        }
        let ln_mean = mean.ln();
        let ln = (first..=last).map(|t| ln_poisson(mean, ln_mean, t)).collect();
        Self::new(first, ln)
    }

    /// The weights of a cell with a Gamma rate, over the cases `t` that belong to it:
    ///
    /// `w(t) = Γ(α+t)/(Γ(α) t!) · (β/(β+E))^α (E/(β+E))^t · P(min ≤ Bin(t, 1−π) ≤ max)`.
    ///
    /// The support runs from `min` to `limit`, the highest count that a total leaves to the cell. Without a
    /// limit it ends where the rest is below [`TRUNCATION`] of the sum: the ratio of successive NB terms is
    /// at most `r = max(1, (α+t)/(t+1)) · E/(β+E)` from `t` on, so that the rest is at most `w(t) r/(1−r)`
    /// once the binomial factor no longer grows (before that, with the factor at 1).
    ///
    /// # Errors
    /// [`IncidenceError::Parameter`] for α, β or π out of range, [`IncidenceError::TooLarge`] where the
    /// support would go beyond [`MAX_COUNT`], [`IncidenceError::Impossible`] where it is empty.
    pub fn gamma(cell: &GammaCell, limit: Option<u32>) -> Result<Self, IncidenceError> {
        check_gamma(cell.alpha, cell.beta)?;
        check_pi(cell.pi)?;
        if !(cell.exposure >= 0.0 && cell.exposure.is_finite()) {
            return Err(IncidenceError::Exposure { cell: 0, exposure: cell.exposure });
        }
        let GammaCell { alpha, beta, exposure, .. } = *cell;
        // Every case is located where π = 0, so that the bounds are those of t itself.
        let upper = if cell.pi > 0.0 { None } else { cell.max };
        let end = [limit, upper].into_iter().flatten().min();
        if end.is_some_and(|end| end < cell.min) {
            return Err(IncidenceError::Impossible);
        }
        let last = end.unwrap_or(MAX_COUNT);
        if last > MAX_COUNT {
            return Err(too_many_counts(last.into()));
        }
        if exposure <= 0.0 {
            return if cell.min == 0 { Self::new(0, vec![0.0]) } else { Err(IncidenceError::Impossible) };
        }
        let success = exposure / (beta + exposure);
        let ln_success = success.ln();
        let ln_start = -alpha * (exposure / beta).ln_1p();
        // From here on the probability of `min ≤ y ≤ max` does not grow with t.
        let settled = match cell.max {
            _ if cell.min == 0 => 0.0,
            Some(max) => f64::from(max) / (1.0 - cell.pi),
            None => f64::INFINITY,
        };
        let mut ln = Vec::new();
        let (mut highest, mut sum) = (f64::NEG_INFINITY, 0.0_f64);
        for t in cell.min..=last {
            let x = f64::from(t);
            let ln_cases = ln_start + ln_rising(alpha, x) - ln_gamma(x + 1.0) + x * ln_success;
            let w = ln_cases + ln_located(t, cell.min, cell.max, cell.pi);
            ln.push(w);
            if end.is_some() {
                continue;
            }
            if w > highest {
                sum = sum * (highest - w).exp() + 1.0;
                highest = w;
            } else {
                sum += (w - highest).exp();
            }
            let ratio = ((alpha + x) / (x + 1.0)).max(1.0) * success;
            if ratio < 1.0 {
                let bound = if x >= settled { w } else { ln_cases };
                let rest = (bound - highest).exp() * ratio / (1.0 - ratio);
                if rest < TRUNCATION * sum {
                    return Self::new(cell.min, ln);
                }
            }
        }
        if end.is_none() {
            return Err(too_many_counts(u64::from(MAX_COUNT) + 1));
        }
        Self::new(cell.min, ln)
    }

    /// Lowest count of the support.
    #[must_use]
    pub const fn first(&self) -> u32 {
        self.first
    }

    /// `ln w`, from the lowest count on.
    #[must_use]
    pub fn ln(&self) -> &[f64] {
        &self.ln
    }

    /// Highest count of the support.
    #[must_use]
    pub fn last(&self) -> u32 {
        self.first.saturating_add(u32::try_from(self.ln.len() - 1).unwrap_or(u32::MAX))
    }
}

/// `ln Γ(α+t)/Γ(α)`, without the difference of two large logarithms where α is large.
pub(super) fn ln_rising(alpha: f64, t: f64) -> f64 {
    if alpha < 100.0 {
        return ln_gamma(alpha + t) - ln_gamma(alpha);
    }
    // Stirling's series to the third order: the next term is below 1e-12 from here on.
    let series = |x: f64| 1.0 / (12.0 * x) - 1.0 / (360.0 * x.powi(3)) + 1.0 / (1260.0 * x.powi(5));
    (alpha + t - 0.5) * (t / alpha).ln_1p() + t * alpha.ln() - t + series(alpha + t) - series(alpha)
}

/// `ln Poisson(t; mean)`.
pub(super) fn ln_poisson(mean: f64, ln_mean: f64, t: u32) -> f64 {
    if t == 0 {
        return -mean;
    }
    let x = f64::from(t);
    x * ln_mean - mean - ln_gamma(x + 1.0)
}

/// `ln P(lo ≤ Poisson(mean) ≤ hi)`. Needs `lo <= hi`.
pub(super) fn ln_poisson_interval(mean: f64, lo: u32, hi: u32) -> f64 {
    let law = unimodal::poisson(mean, lo, hi);
    // The sum of positive terms can exceed 1 by rounding.
    (ln_poisson(mean, mean.ln(), law.mode()) + law.relative_sum().ln()).min(0.0)
}

/// `ln P(min ≤ Bin(t, 1−π) ≤ max)`, `-∞` where `t < min`.
pub(super) fn ln_located(t: u32, min: u32, max: Option<u32>, pi: f64) -> f64 {
    let hi = max.map_or(t, |max| max.min(t));
    if hi < min {
        return f64::NEG_INFINITY;
    }
    if min == 0 && hi == t {
        return 0.0;
    }
    if pi <= 0.0 {
        return if hi == t { 0.0 } else { f64::NEG_INFINITY };
    }
    let law = unimodal::binomial(t, 1.0 - pi, pi, min, hi);
    let (n, k) = (f64::from(t), f64::from(law.mode()));
    let ln_mode =
        ln_gamma(n + 1.0) - ln_gamma(k + 1.0) - ln_gamma(n - k + 1.0) + k * (-pi).ln_1p() + (n - k) * pi.ln();
    (ln_mode + law.relative_sum().ln()).min(0.0)
}

/// Odds of 0, or between 1e-9 and 1e9, so that powers of them stay apart from 0 on the log scale.
pub(super) fn check_pi(value: f64) -> Result<(), IncidenceError> {
    if value == 0.0 || (1e-9..=1.0 - 1e-9).contains(&value) {
        return Ok(());
    }
    Err(IncidenceError::Parameter { name: "pi", value, range: "0 or [1e-9, 1 - 1e-9]" })
}

/// Ranges within which every formula here stays within `f64`.
pub(super) fn check_gamma(alpha: f64, beta: f64) -> Result<(), IncidenceError> {
    for (name, value) in [("alpha", alpha), ("beta", beta)] {
        if !(1e-6..=1e12).contains(&value) {
            return Err(IncidenceError::Parameter { name, value, range: "[1e-6, 1e12]" });
        }
    }
    Ok(())
}

pub(super) fn too_many_counts(size: u64) -> IncidenceError {
    IncidenceError::TooLarge { what: "highest count", size, limit: MAX_COUNT.into() }
}

/// Upper end of what a cell can hold: its bound, or what the total leaves beside the other lower bounds.
pub(super) fn reach(max: Option<u32>, min: u32, slack: u32) -> u32 {
    max.unwrap_or(u32::MAX).min(min.saturating_add(slack))
}
