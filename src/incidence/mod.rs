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
//! | model and joint draws | [`CountModel`], [`CountDraw`] | |
//! | located rate without a total | `located_rate` | grid posterior |
//! | rates that borrow from neighbours | [`bym2`] | BYM2: Riebler et al. 2016 |
//! | rates from exact counts alone | [`shrinkage`] | Clayton & Kaldor 1987; Marshall 1991 |
//! | scale of the ICAR law on a graph | [`scale_factors`] | Sørbye & Rue 2014 |
//! | summaries | [`summarise`] | type-7 quantiles: Hyndman & Fan 1996, Am. Stat. 50:361 |
//!
//! What a draw is made of, in this version:
//!
//! - **π** comes from its prior, as equally likely quantiles for which filters are prepared once. The counts
//!   do *not* update it: under a common rate a few high counts could only be explained by a π that says
//!   nothing about how cases are located. At π = 0 every case is located, exactly.
//! - **T, y** given π are exact draws. With a total and a common rate they do not depend on λ.
//! - **λ** is drawn, never plugged in, with the prior `λ^{−½}` (Gamma(½, b), b → 0). Given a total N its
//!   posterior is Gamma(½ + N, ΣE) exactly, whatever the bounds, since they add no information on λ once the
//!   sum is known: no grid is needed. Without a total it comes from a grid posterior.
//! - **θ**: `θ_m | T_m ~ Gamma(½ + T_m, E_m)` for the common rate: Jeffreys, the municipality's own uncertainty,
//!   *not* shrunk to λ. With [`RateModel::Gamma`], `Gamma(α + T_m, β + E_m)`. A cell without exposure has
//!   no rate of its own and shows λ.
//!
//! Work: with a total, preparation costs per π the sum of (support × message length), a draw the sum of
//! supports. Draws take a caller's generator; the number of random numbers that they use varies.
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
mod error;
mod icar;
mod located_rate;
mod rates;
pub mod shrinkage;
mod table;
#[cfg(test)]
mod tests;
mod unimodal;
mod weights;

pub use checks::MAX_CELLS;
pub use convolution::{ConvolutionFilter, MAX_ENTRIES};
pub use counts::{CountCell, CountDraw, CountModel, CountOptions, RateModel, Unlocated};
pub use error::IncidenceError;
pub use icar::{IcarScale, scale_factors};
pub use rates::{RateSummary, crude_rate, summarise};
pub use weights::{CellWeights, GammaCell, MAX_COUNT, TRUNCATION};
