//! What a fit says of itself.

use serde::Serialize;

use super::convergence::Convergence;
use super::learned::Learned;

/// R̂ above this is warned of (Vehtari et al. 2021).
pub const R_HAT_LIMIT: f64 = 1.01;

/// Effective sample sizes below this are warned of (Vehtari et al. 2021).
pub const ESS_LIMIT: f64 = 400.0;

/// Convergence of a number that all areas share.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ParameterConvergence {
    /// `b0`, `sigma`, `phi` or `pi`.
    pub parameter: &'static str,
    /// Its figures.
    #[serde(flatten)]
    pub convergence: Convergence,
}

/// The worst figures of the areas' log-rates, each with the area that has it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AreaConvergence {
    /// Lowest R̂.
    pub r_hat_min: f64,
    /// Highest R̂.
    pub r_hat_max: f64,
    /// Area of the highest R̂.
    pub r_hat_area: usize,
    /// Lowest bulk effective sample size.
    pub ess_bulk_min: f64,
    /// Highest bulk effective sample size.
    pub ess_bulk_max: f64,
    /// Area of the lowest.
    pub ess_bulk_area: usize,
    /// Lowest tail effective sample size.
    pub ess_tail_min: f64,
    /// Highest tail effective sample size.
    pub ess_tail_max: f64,
    /// Area of the lowest.
    pub ess_tail_area: usize,
}

/// A reason not to trust the draws yet.
#[derive(Debug, Clone, PartialEq, Serialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Bym2Warning {
    /// Chains do not agree.
    #[error("{of}: R-hat {value:.3} is above {limit}", limit = R_HAT_LIMIT)]
    RHat {
        /// The parameter, or `area` and its index.
        of: String,
        /// R̂.
        value: f64,
    },
    /// Too few independent draws.
    #[error("{of}: effective sample size {value:.0} is below {limit}", limit = ESS_LIMIT)]
    EffectiveSize {
        /// The parameter, or `area` and its index.
        of: String,
        /// The smaller of bulk and tail.
        value: f64,
    },
    /// Trajectories that left the region where the sampler is exact.
    #[error("{count} divergent transitions after the warm-up")]
    Divergences {
        /// How many.
        count: u32,
    },
    /// Trajectories that the largest depth cut off: correct, but slow.
    #[error("{count} transitions reached the largest depth")]
    Exhausted {
        /// How many.
        count: u32,
    },
}

/// Convergence, and how far the data moved each prior.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diagnostics {
    /// Chains and kept draws of each.
    pub chains: usize,
    /// Kept draws of each chain.
    pub samples_per_chain: usize,
    /// Per parameter.
    pub parameters: Vec<ParameterConvergence>,
    /// Over the areas.
    pub areas: AreaConvergence,
    /// Divergent transitions after the warm-up.
    pub divergences: u32,
    /// Transitions after the warm-up that reached the largest depth.
    pub exhausted: u32,
    /// Leapfrog steps after the warm-up, of all chains.
    pub steps: u64,
    /// Step of each chain.
    pub step_sizes: Vec<f64>,
    /// Prior against posterior, per parameter.
    pub learned: Vec<Learned>,
    /// What stands against using the draws; empty if nothing does.
    pub warnings: Vec<Bym2Warning>,
}

impl Diagnostics {
    /// Whether nothing stands against using the draws.
    #[must_use]
    pub fn converged(&self) -> bool {
        self.warnings.is_empty()
    }
}

/// Extremes over the areas, each with its area.
pub(super) fn over_areas(areas: &[Convergence]) -> AreaConvergence {
    let lowest = |f: &dyn Fn(&Convergence) -> f64| -> (usize, f64) {
        areas.iter().map(f).enumerate().min_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((0, f64::NAN))
    };
    let (r_hat_area, r_hat_max) = lowest(&|c| -c.r_hat);
    let (ess_bulk_area, ess_bulk_min) = lowest(&|c| c.ess_bulk);
    let (ess_tail_area, ess_tail_min) = lowest(&|c| c.ess_tail);
    AreaConvergence {
        r_hat_min: lowest(&|c| c.r_hat).1,
        r_hat_max: -r_hat_max,
        r_hat_area,
        ess_bulk_min,
        ess_bulk_max: -lowest(&|c| -c.ess_bulk).1,
        ess_bulk_area,
        ess_tail_min,
        ess_tail_max: -lowest(&|c| -c.ess_tail).1,
        ess_tail_area,
    }
}

/// The warnings: one per parameter and kind, and for the areas the worst.
pub(super) fn warnings(
    parameters: &[ParameterConvergence],
    areas: &AreaConvergence,
    divergences: u32,
    exhausted: u32,
) -> Vec<Bym2Warning> {
    let mut figures: Vec<(String, f64, f64)> = parameters
        .iter()
        .map(|p| {
            let c = p.convergence;
            (p.parameter.to_owned(), c.r_hat, c.ess_bulk.min(c.ess_tail))
        })
        .collect();
    figures.push((format!("area {}", areas.r_hat_area), areas.r_hat_max, f64::INFINITY));
    let (worst, size) = if areas.ess_bulk_min < areas.ess_tail_min {
        (areas.ess_bulk_area, areas.ess_bulk_min)
    } else {
        (areas.ess_tail_area, areas.ess_tail_min)
    };
    figures.push((format!("area {worst}"), 1.0, size));
    let mut found = Vec::new();
    for (of, r_hat, size) in figures {
        if r_hat.is_nan() || r_hat > R_HAT_LIMIT {
            found.push(Bym2Warning::RHat { of: of.clone(), value: r_hat });
        }
        if size.is_nan() || size < ESS_LIMIT {
            found.push(Bym2Warning::EffectiveSize { of, value: size });
        }
    }
    if divergences > 0 {
        found.push(Bym2Warning::Divergences { count: divergences });
    }
    if exhausted > 0 {
        found.push(Bym2Warning::Exhausted { count: exhausted });
    }
    found
}
