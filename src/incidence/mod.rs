//! Counts under constraint: from what is published to draws of counts and rates.
//!
//! `T_m` cases belong to municipality `m` with exposure `E_m` (person-years); `y_m | T_m ~ Bin(T_m, 1−π)` of
//! them were located there. A datum (exact, interval, unknown) bounds `y_m`; a statewide total, if given, is
//! `Σ T_m`; `Σ (T_m − y_m)` cases are unlocated. Cases without a place are thus never spread over the places
//! that happen to be named.
//!
//! | concept | where | source |
//! |---|---|---|
//! | cell weights `p(t) P(L ≤ y ≤ U \| t, π)` | [`CellWeights`] | NB as Gamma mixture: Clayton & Kaldor 1987, Biometrics 43:671 |
//! | condition on the total, likelihood, draws, means | [`ConvolutionFilter`] | forward filter, backward sampling: Rabiner 1989, Proc. IEEE 77:257 |
//! | own rates, and the posterior of (α, β, π) | [`RateModel::NegativeBinomial`] | lattice: Rue, Martino & Chopin 2009, J. R. Stat. Soc. B 71:319; slice sampling: Neal 2003, Ann. Stat. 31:705 |
//! | model and joint draws | [`CountModel`], [`CountDraw`] | |
//! | located rate without a total | `located_rate` | grid posterior |
//! | rates that borrow from neighbours | [`bym2`] | BYM2: Riebler et al. 2016 |
//! | rates from exact counts alone | [`shrinkage`] | Clayton & Kaldor 1987; Marshall 1991 |
//! | scale of the ICAR law on a graph | [`scale_factors`] | Sørbye & Rue 2014 |
//! | search effort | [`CountModel::levelled`] | Ensign et al. 2018, Proc. Mach. Learn. Res. 81:160 |
//! | what was not detected | [`detection`] | scenario |
//! | summaries | [`summarise`] | type-7 quantiles: Hyndman & Fan 1996, Am. Stat. 50:361 |
//!
//! What a draw is made of:
//!
//! - **α, β, π** from their joint posterior: a point of a lattice by its weight, then one Gibbs step. Under
//!   [`RateModel::Common`] π comes from its prior instead, as equally likely quantiles: with one rate a few high
//!   counts could only be explained by a π that says nothing about how cases are located.
//! - **T, y** given these are exact draws. At π = 0 every case is located, exactly.
//! - **λ** of the common rate has the prior `λ^{−½}` (Gamma(½, b), b → 0). Given a total N its posterior is
//!   Gamma(½ + N, ΣE) exactly, whatever the bounds, since they add no information on λ once the sum is known. Without
//!   a total it comes from a grid posterior.
//! - **θ**: `θ_m | T_m ~ Gamma(α + T_m, β + E_m)`; for the common rate `Gamma(½ + T_m, E_m)`, Jeffreys, not shrunk to
//!   λ. A cell without exposure has no rate of its own and shows λ.
//!
//! Work: with a total, a filter costs the sum of (support × message length), a draw the sum of supports; preparation
//! makes some two hundred filters, in parallel. Draws take a caller's generator; the number of random numbers that they
//! use varies.
//!
//! ```
//! use corredor::incidence::{CountCell, CountModel, CountOptions};
//! use corredor::model::incidence::CountDatum::Interval;
//!
//! # fn main() -> Result<(), corredor::incidence::IncidenceError> {
//! let cells = [1.0, 2.0, 3.0].map(|exposure| CountCell { exposure, datum: Interval { min: 1, max: 4 } });
//! let model = CountModel::prepare(&cells, Some(7), &CountOptions::default())?;
//! let means = model.expected_totals(0).unwrap_or_default();
//! assert!((means[0] - 1.660_574_412_5).abs() < 1e-9);
//! # Ok(())
//! # }
//! ```

mod band;
pub mod bym2;
mod checks;
mod common;
mod convolution;
mod counts;
pub mod detection;
mod error;
mod generating;
mod icar;
mod lattice;
mod located_rate;
mod negative_binomial;
mod parts;
mod posterior;
mod rates;
mod root;
pub mod shrinkage;
pub mod spatial;
mod table;
#[cfg(test)]
mod tests;
mod unimodal;
mod unlocated;
mod weights;

pub use checks::MAX_CELLS;
pub use convolution::{ConvolutionFilter, MAX_ENTRIES};
pub use counts::{
    CountCell, CountDraw, CountModel, CountOptions, HyperPoint, HyperPrior, RateModel, Unlocated,
};
pub use error::IncidenceError;
pub use icar::{IcarScale, scale_factors};
pub use parts::{Part, parts};
pub use rates::{RateSummary, crude_rate, summarise};
pub use weights::{CellWeights, GammaCell, MAX_COUNT, TRUNCATION};
