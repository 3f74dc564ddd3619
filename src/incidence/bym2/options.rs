//! Options and priors of the model.

use serde::{Deserialize, Serialize};
use statrs::function::beta::{checked_beta_reg, ln_beta};
use statrs::function::erf::{erf_inv, erfc_inv};

use crate::incidence::counts::Unlocated;
use crate::incidence::error::IncidenceError;
use crate::incidence::weights::check_pi;

/// Prior of σ, the standard deviation of the log-rates around their level.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SigmaPrior {
    /// The positive half of a normal law with this scale, in [1e-3, 100].
    HalfNormal {
        /// Scale.
        scale: f64,
    },
    /// Penalised complexity: exponential with `P(σ > upper) = alpha` (Simpson et al. 2017, Stat. Sci. 32:1).
    PenalisedComplexity {
        /// In [1e-3, 100].
        upper: f64,
        /// In [1e-6, 1 − 1e-6].
        alpha: f64,
    },
}

/// Options of [`Bym2Model::fit`](super::Bym2Model::fit).
///
/// The default priors of σ and φ are those of Morris et al. 2019.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bym2Options {
    /// The share of cases without a place: known, or a Beta prior on all of (0, 1), which the data update.
    #[serde(with = "UnlocatedNumbers")]
    pub unlocated: Unlocated,
    /// Mean of the normal prior of `b0`, the log of a rate per person-year. `None` is the log of the crude rate: the
    /// total, or without one the middles of the bounds, over the exposure. In [-60, 60].
    pub b0_mean: Option<f64>,
    /// Standard deviation of the prior of `b0`, in [1e-3, 100].
    pub b0_sd: f64,
    /// Prior of σ.
    pub sigma: SigmaPrior,
    /// First parameter of the Beta prior of φ, the spatial share of the variance, in [0.05, 1e3].
    pub phi_a: f64,
    /// Second parameter of the Beta prior of φ, in [0.05, 1e3].
    pub phi_b: f64,
    /// Chains, 1 to 64.
    pub chains: u32,
    /// Transitions per chain that adapt step and metric and are not kept, 20 to 100,000.
    pub warm_up: u32,
    /// Transitions per chain that are kept, 20 to 100,000.
    pub samples: u32,
    /// Acceptance that the step is adapted to, in [0.5, 0.999].
    pub target_acceptance: f64,
    /// A trajectory has at most `2^max_depth` steps, 1 to 14.
    pub max_depth: u32,
    /// Seed of the chains.
    pub seed: u64,
}

/// [`Unlocated`] as it is written in files.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Unlocated", rename_all = "snake_case", deny_unknown_fields)]
enum UnlocatedNumbers {
    Fixed(f64),
    Beta { a: f64, b: f64 },
}

impl Default for Bym2Options {
    /// π ~ Beta(1, 9), `b0` normal around the crude rate with sd 3, σ half-normal of scale 1, φ ~ Beta(½, ½), four
    /// chains of 1,000 + 1,000.
    fn default() -> Self {
        Self {
            unlocated: Unlocated::Beta { a: 1.0, b: 9.0 },
            b0_mean: None,
            b0_sd: 3.0,
            sigma: SigmaPrior::HalfNormal { scale: 1.0 },
            phi_a: 0.5,
            phi_b: 0.5,
            chains: 4,
            warm_up: 1_000,
            samples: 1_000,
            target_acceptance: 0.8,
            max_depth: 10,
            seed: 1,
        }
    }
}

impl Bym2Options {
    pub(super) fn check(&self) -> Result<(), IncidenceError> {
        let within = |name, value: f64, low: f64, high: f64, range| {
            if (low..=high).contains(&value) {
                Ok(())
            } else {
                Err(IncidenceError::Parameter { name, value, range })
            }
        };
        match self.unlocated {
            Unlocated::Fixed(pi) => check_pi(pi)?,
            Unlocated::Beta { a, b } => {
                within("a", a, 0.05, 1e6, "[0.05, 1e6]")?;
                within("b", b, 0.05, 1e6, "[0.05, 1e6]")?;
            }
        }
        within("b0_mean", self.b0_mean.unwrap_or(0.0), -60.0, 60.0, "[-60, 60]")?;
        within("b0_sd", self.b0_sd, 1e-3, 100.0, "[1e-3, 100]")?;
        match self.sigma {
            SigmaPrior::HalfNormal { scale } => within("scale", scale, 1e-3, 100.0, "[1e-3, 100]")?,
            SigmaPrior::PenalisedComplexity { upper, alpha } => {
                within("upper", upper, 1e-3, 100.0, "[1e-3, 100]")?;
                within("alpha", alpha, 1e-6, 1.0 - 1e-6, "[1e-6, 1 - 1e-6]")?;
            }
        }
        within("phi_a", self.phi_a, 0.05, 1e3, "[0.05, 1e3]")?;
        within("phi_b", self.phi_b, 0.05, 1e3, "[0.05, 1e3]")?;
        within("chains", self.chains.into(), 1.0, 64.0, "[1, 64]")?;
        within("warm_up", self.warm_up.into(), 20.0, 1e5, "[20, 1e5]")?;
        within("samples", self.samples.into(), 20.0, 1e5, "[20, 1e5]")?;
        within("target_acceptance", self.target_acceptance, 0.5, 0.999, "[0.5, 0.999]")?;
        within("max_depth", self.max_depth.into(), 1.0, 14.0, "[1, 14]")
    }
}

/// A prior of one number: log-density, quantiles, standard deviation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Law {
    Normal { mean: f64, sd: f64 },
    HalfNormal { scale: f64 },
    Exponential { rate: f64 },
    Beta { a: f64, b: f64 },
}

impl SigmaPrior {
    pub(super) fn law(self) -> Law {
        match self {
            Self::HalfNormal { scale } => Law::HalfNormal { scale },
            Self::PenalisedComplexity { upper, alpha } => {
                Law::Exponential { rate: -libm::log(alpha) / upper }
            }
        }
    }
}

impl Law {
    /// Log-density, up to a constant, and its derivative, in the coordinate that has no bounds: the number
    /// itself, its logarithm, its logit. `complement` is `1 − value`, needed for a Beta law.
    pub(super) fn ln_density(self, value: f64, complement: f64) -> (f64, f64) {
        match self {
            Self::Normal { mean, sd } => {
                let z = (value - mean) / sd;
                (-0.5 * z * z, -z / sd)
            }
            Self::HalfNormal { scale } => {
                let z = value / scale;
                (-0.5 * z * z + libm::log(value), 1.0 - z * z)
            }
            Self::Exponential { rate } => (libm::log(value) - rate * value, 1.0 - rate * value),
            Self::Beta { a, b } => {
                (a * libm::log(value) + b * libm::log(complement), a * complement - b * value)
            }
        }
    }

    /// Quantile, `0 < q < 1`.
    pub(super) fn quantile(self, q: f64) -> f64 {
        match self {
            Self::Normal { mean, sd } => mean - sd * std::f64::consts::SQRT_2 * erfc_inv(2.0 * q),
            Self::HalfNormal { scale } => scale * std::f64::consts::SQRT_2 * erf_inv(q),
            Self::Exponential { rate } => -libm::log1p(-q) / rate,
            Self::Beta { a, b } => beta_quantile(a, b, q),
        }
    }

    pub(super) fn sd(self) -> f64 {
        match self {
            Self::Normal { sd, .. } => sd,
            Self::HalfNormal { scale } => scale * (1.0 - std::f64::consts::FRAC_2_PI).sqrt(),
            Self::Exponential { rate } => 1.0 / rate,
            Self::Beta { a, b } => (a * b / (a + b + 1.0)).sqrt() / (a + b),
        }
    }
}

/// Bisection on the logit, so that both ends keep their digits.
fn beta_quantile(a: f64, b: f64, q: f64) -> f64 {
    let at = |x: f64| 1.0 / (1.0 + libm::exp(-x));
    let below = |x: f64| {
        // Near 0 the leading term of the series is exact to rounding, and the library's fraction is slow.
        let tail = libm::exp(a * x - ln_beta(a, b)) / a;
        let p = if x < -40.0 { tail } else { checked_beta_reg(a, b, at(x)).unwrap_or(1.0) };
        p < q
    };
    let (mut low, mut high) = (-700.0, 700.0);
    for _ in 0..70 {
        let middle = 0.5 * (low + high);
        if below(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    at(0.5 * (low + high))
}
