//! Rates that borrow strength from their neighbours: the BYM2 model for counts under constraint.
//!
//! ```text
//! T_m ~ Poisson(E_m λ_m)     y_m | T_m ~ Bin(T_m, 1−π)     L_m ≤ y_m ≤ U_m     Σ T_m = N, if given
//! ln λ_m = b0 + σ (√(1−φ) v_m + √φ u_m/√s)
//! ```
//!
//! `v` is standard normal, `u` an intrinsic conditional autoregression on the graph of areas, scaled by
//! [`scale_factors`](super::scale_factors) so that σ is the standard deviation of the log-rates whatever the graph, and φ the
//! share of their variance that neighbours have in common (Riebler et al. 2016, Stat. Methods Med. Res.
//! 25:1145). An island has an independent effect in place of `u`. Priors: [`Bym2Options`].
//!
//! | step | where |
//! |---|---|
//! | counts summed out: likelihood of the rates and π, gradient | `likelihood`, `cut`, `lattice` |
//! | posterior in coordinates without bounds | `density` |
//! | no-U-turn sampler and its warm-up | `nuts`, `adapt` |
//! | φ drawn anew given the effects | `density`, `icar::split` |
//! | R̂, effective sample sizes, prior against posterior | [`Convergence`], [`Learned`] |
//! | counts of a draw, exact given its rates and π | [`Bym2Fit::draw`] |
//!
//! The counts are not sampled along with the rates but summed out, because a located share and its counts
//! determine each other so closely that a sampler that alternates between them hardly moves. Chains run in
//! parallel, each with a stream of its own, and give the same bits on any number of threads and on any processor
//! (`docs/decisions/020-bym2-sampler.md`).
//!
//! As with own rates of the negative binomial, the data update π where there is a total: places differ by σ, so that
//! a high count need not be a surprise. Without a total only `λ(1−π)` is seen, and π keeps its prior.

mod adapt;
mod convergence;
mod cut;
mod density;
mod diagnostics;
mod fit;
mod lattice;
mod learned;
mod likelihood;
mod normal;
mod nuts;
mod options;
#[cfg(test)]
mod tests;

pub use convergence::Convergence;
pub use diagnostics::{
    AreaConvergence, Bym2Warning, Diagnostics, ESS_LIMIT, ParameterConvergence, R_HAT_LIMIT,
};
pub use fit::{Bym2Fit, Bym2Model, Hyperparameters};
pub use learned::{Learned, Quantiles, Reading};
pub use options::{Bym2Options, SigmaPrior};
