//! Rates with a Gamma law, estimated by maximum likelihood.

use statrs::function::gamma::{checked_gamma_lr, ln_gamma};

use super::likelihood::{Likelihood, Profile};
use super::{Area, exact};
use crate::incidence::counts::CountCell;
use crate::incidence::error::IncidenceError;

/// Over-dispersion `ψ = 1/α` is sought on this grid first: 10^-12 to 10^8, four points per decade.
const GRID: std::ops::RangeInclusive<i32> = -48..=32;

/// What maximum likelihood gives.
///
/// ```
/// use corredor::incidence::{CountCell, shrinkage::GammaPoisson};
/// use corredor::model::incidence::CountDatum::Exact;
///
/// # fn main() -> Result<(), corredor::incidence::IncidenceError> {
/// let cells = [(3, 1.4), (11, 3.1), (0, 2.2), (9, 2.4)]
///     .map(|(count, exposure)| CountCell { exposure, datum: Exact(count) });
/// let fit = GammaPoisson::fit(&cells)?;
/// let means = fit.posterior_means();
/// assert!(means[2] > 0.0 && means[2] < 1.0);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum GammaPoisson {
    /// The rates differ by more than chance.
    Gamma(GammaFit),
    /// The counts vary no more than those of one common rate: the likelihood grows as α → ∞ with α/β fixed.
    PoissonLimit(PoissonLimit),
}

/// `y_m ~ NB(α, β/(β+E_m))`: a Poisson count with a Gamma(α, β) rate.
#[derive(Debug, Clone, PartialEq)]
pub struct GammaFit {
    /// `α`, shape, without unit.
    pub alpha: f64,
    /// `β`, in the unit of the exposure.
    pub beta: f64,
    /// Standard error of α from the observed information.
    pub alpha_se: f64,
    /// Standard error of β from the observed information.
    pub beta_se: f64,
    /// Covariance of the two.
    pub covariance: f64,
    /// Maximum of the log-likelihood, constants included.
    pub log_likelihood: f64,
    /// Log-likelihood of one common rate, for a likelihood ratio.
    pub poisson_log_likelihood: f64,
    /// Steps of the search after its grid.
    pub iterations: u32,
    areas: Vec<Area>,
}

/// One common rate for all areas.
#[derive(Debug, Clone, PartialEq)]
pub struct PoissonLimit {
    /// `Σy/ΣE` per unit of exposure.
    pub rate: f64,
    /// Its standard error, `√Σy / ΣE`.
    pub rate_se: f64,
    /// Log-likelihood, constants included.
    pub log_likelihood: f64,
    areas: usize,
}

impl GammaPoisson {
    /// Estimates (α, β) from exact counts, with exposures as person-years or expected counts.
    ///
    /// 1. If the squared residuals of a common rate do not exceed the counts (`dℓ/dψ ≤ 0` at `ψ = 1/α = 0`)
    ///    and no point of a grid of ψ is better than ψ = 0, the result is the Poisson limit;
    /// 2. else Newton steps in log ψ on the likelihood with its best mean, within the bracket that the grid
    ///    gives, until the step is below the rounding of `f64`.
    ///
    /// Areas without exposure take no part in the estimate. Multiplying all exposures by a factor
    /// multiplies β by it and changes nothing else.
    ///
    /// # Errors
    /// [`IncidenceError::NotExact`] names the first cell whose count is no number; [`IncidenceError::NoCases`] where all counts are
    /// zero, since the likelihood then grows as the rate falls to 0; otherwise as for
    /// [`CountModel::prepare`](crate::incidence::CountModel::prepare).
    pub fn fit(cells: &[CountCell]) -> Result<Self, IncidenceError> {
        let areas = exact(cells)?;
        let likelihood = Likelihood::new(&areas);
        let poisson = likelihood.poisson();
        let Some((best, iterations)) = maximum(&likelihood, poisson) else {
            let exposure: f64 = areas.iter().map(|a| a.exposure).sum();
            let cases: f64 = areas.iter().map(|a| a.count()).sum();
            return Ok(Self::PoissonLimit(PoissonLimit {
                rate: likelihood.crude(),
                rate_se: cases.sqrt() / exposure,
                log_likelihood: poisson,
                areas: areas.len(),
            }));
        };
        let [aa, ap, pp] = best.information;
        let determinant = aa * pp - ap * ap;
        let (var_a, cov, var_psi) = (pp / determinant, -ap / determinant, aa / determinant);
        let (alpha, beta) = (1.0 / best.psi, 1.0 / (best.psi * best.rate));
        // dα = −α² dψ and dβ = −β da − αβ dψ.
        let alpha_var = alpha.powi(4) * var_psi;
        let beta_var = beta * beta * (var_a + 2.0 * alpha * cov + alpha * alpha * var_psi);
        let covariance = alpha * alpha * beta * (cov + alpha * var_psi);
        Ok(Self::Gamma(GammaFit {
            alpha,
            beta,
            alpha_se: alpha_var.sqrt(),
            beta_se: beta_var.sqrt(),
            covariance,
            log_likelihood: best.value,
            poisson_log_likelihood: poisson,
            iterations,
            areas,
        }))
    }

    /// Posterior means of the rates, `(α + y)/(β + E)`, one per cell; the common rate in the Poisson limit.
    #[must_use]
    pub fn posterior_means(&self) -> Vec<f64> {
        match self {
            Self::Gamma(fit) => fit.posterior_means(),
            Self::PoissonLimit(limit) => vec![limit.rate; limit.areas],
        }
    }

    /// Quantiles of the rates' posteriors, Gamma(α + y, β + E), one per cell; the common rate in the Poisson
    /// limit, whose law is a point. `None` for `q` outside (0, 1).
    #[must_use]
    pub fn posterior_quantiles(&self, q: f64) -> Option<Vec<f64>> {
        if !(q > 0.0 && q < 1.0) {
            return None;
        }
        match self {
            Self::Gamma(fit) => Some(fit.posterior_quantiles(q)),
            Self::PoissonLimit(limit) => Some(vec![limit.rate; limit.areas]),
        }
    }

    /// Mean of the rates' law, per unit of exposure.
    #[must_use]
    pub fn mean_rate(&self) -> f64 {
        match self {
            Self::Gamma(fit) => fit.alpha / fit.beta,
            Self::PoissonLimit(limit) => limit.rate,
        }
    }

    /// Maximum of the log-likelihood, constants included.
    #[must_use]
    pub fn log_likelihood(&self) -> f64 {
        match self {
            Self::Gamma(fit) => fit.log_likelihood,
            Self::PoissonLimit(limit) => limit.log_likelihood,
        }
    }
}

impl GammaFit {
    fn posterior_means(&self) -> Vec<f64> {
        self.areas.iter().map(|a| (self.alpha + a.count()) / (self.beta + a.exposure)).collect()
    }

    fn posterior_quantiles(&self, q: f64) -> Vec<f64> {
        let quantile = |a: &Area| gamma_quantile(self.alpha + a.count(), q) / (self.beta + a.exposure);
        self.areas.iter().map(quantile).collect()
    }
}

/// The interior maximum over ψ, if it is above the Poisson limit.
fn maximum(likelihood: &Likelihood, poisson: f64) -> Option<(Profile, u32)> {
    let grid: Vec<Profile> = GRID.map(|i| likelihood.profile(10_f64.powf(f64::from(i) / 4.0))).collect();
    let (best, highest) = grid.iter().enumerate().max_by(|a, b| a.1.value.total_cmp(&b.1.value))?;
    if likelihood.slope_at_zero() <= 0.0 {
        // Far beyond rounding, or it is the flat end of the curve.
        let margin = 1e-9 * poisson.abs().max(1.0);
        if best == 0 || highest.value <= poisson + margin {
            return None;
        }
    }
    let (mut low, mut high) = bracket(&grid, best);
    let mut at = *highest;
    for step in 1..=200 {
        if at.slope > 0.0 {
            low = at.psi.ln();
        } else {
            high = at.psi.ln();
        }
        // In log ψ: slope ψℓ', curvature ψ²ℓ'' + ψℓ'.
        let slope = at.psi * at.slope;
        let curvature = at.psi * at.psi * at.curvature() + slope;
        let newton = at.psi.ln() - slope / curvature;
        let next = if curvature < 0.0 && newton > low && newton < high { newton } else { 0.5 * (low + high) };
        let done = (next - at.psi.ln()).abs() <= 1e-15 * next.abs().max(1.0);
        at = likelihood.profile(next.exp());
        if done || high - low <= 1e-15 {
            return Some((at, step));
        }
    }
    Some((at, 200))
}

/// Where the slope changes its sign around the best point of the grid, in log ψ.
fn bracket(grid: &[Profile], best: usize) -> (f64, f64) {
    // Near ψ = 0 values differ by less than rounding, but slopes do not.
    let low = grid[..=best].iter().rev().find(|p| p.slope > 0.0).map_or(-60.0, |p| p.psi.ln());
    let high = grid[best..].iter().find(|p| p.slope < 0.0).map_or(60.0, |p| p.psi.ln());
    (low, high)
}

/// Quantile of Gamma(shape, 1): bisection on the logarithm, then Newton steps within the bracket.
fn gamma_quantile(shape: f64, q: f64) -> f64 {
    let below = |x: f64| checked_gamma_lr(shape, x).is_ok_and(|p| p < q);
    let (mut low, mut high) = (shape.min(1e-300), shape + 1.0);
    while below(high) {
        high *= 2.0;
    }
    for _ in 0..1_100 {
        // The geometric mean while the ends are far apart: a small shape has quantiles near 1e-300.
        let middle = if high > 4.0 * low { (low * high).sqrt() } else { 0.5 * (low + high) };
        if middle <= low || middle >= high {
            break;
        }
        if below(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    let x = 0.5 * (low + high);
    // One Newton step removes what is left of the last bisection.
    let density = ((shape - 1.0) * x.ln() - x - ln_gamma(shape)).exp();
    match checked_gamma_lr(shape, x) {
        Ok(p) if density > 0.0 => {
            let next = x - (p - q) / density;
            if next > 0.5 * x && next < 2.0 * x { next } else { x }
        }
        _ => x,
    }
}
