//! What is known of an uncertain parameter before the data.

use rand::Rng;
use rand_distr::{Beta, Distribution, LogNormal, Normal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A distribution to draw a parameter from, once per draw.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Prior {
    /// One value, known.
    Fixed(f64),
    /// Normal with mean and standard deviation.
    Normal {
        /// Mean.
        mean: f64,
        /// Standard deviation, above 0.
        sd: f64,
    },
    /// Log-normal with median and standard deviation of the logarithm.
    Lognormal {
        /// Median, above 0.
        median: f64,
        /// Standard deviation of the logarithm, above 0.
        sigma: f64,
    },
    /// Beta, for shares.
    Beta {
        /// First shape, above 0.
        a: f64,
        /// Second shape, above 0.
        b: f64,
    },
}

impl Prior {
    /// One value. The shapes were checked by [`Prior::problem`]; a distribution that is refused all the
    /// same falls back to its centre rather than stopping a run half-way.
    pub fn draw(self, rng: &mut impl Rng) -> f64 {
        match self {
            Self::Fixed(value) => value,
            Self::Normal { mean, sd } => Normal::new(mean, sd).map_or(mean, |d| d.sample(rng)),
            Self::Lognormal { median, sigma } => {
                LogNormal::new(median.ln(), sigma).map_or(median, |d| d.sample(rng))
            }
            Self::Beta { a, b } => Beta::new(a, b).map_or(a / (a + b), |d| d.sample(rng)),
        }
    }

    /// Name of its law, as the study file has it.
    #[must_use]
    pub const fn law(self) -> &'static str {
        match self {
            Self::Fixed(_) => "fixed",
            Self::Normal { .. } => "normal",
            Self::Lognormal { .. } => "lognormal",
            Self::Beta { .. } => "beta",
        }
    }

    /// Mean of the distribution.
    #[must_use]
    pub fn mean(self) -> f64 {
        match self {
            Self::Fixed(value) => value,
            Self::Normal { mean, .. } => mean,
            Self::Lognormal { median, sigma } => median * (sigma * sigma / 2.0).exp(),
            Self::Beta { a, b } => a / (a + b),
        }
    }

    /// Why the prior cannot be used for a parameter that must lie in `low..=high`: the range as text.
    #[must_use]
    pub fn problem(self, low: f64, high: f64) -> Option<String> {
        let inside = |v: f64| v.is_finite() && v >= low && v <= high;
        let positive = |v: f64| v.is_finite() && v > 0.0;
        let fine = match self {
            Self::Fixed(value) => inside(value),
            Self::Normal { mean, sd } => inside(mean) && positive(sd),
            Self::Lognormal { median, sigma } => {
                positive(median) && inside(median) && positive(sigma) && sigma <= 3.0
            }
            Self::Beta { a, b } => positive(a) && positive(b) && low <= 0.0 && high >= 1.0,
        };
        (!fine).then(|| format!("{low} – {high}"))
    }
}
