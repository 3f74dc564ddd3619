//! Spatial association of values in areas: who borders whom, whether high values lie together, and where.
//!
//! | concept | where | source |
//! |---|---|---|
//! | weights, their sums, parts of the graph | [`SpatialWeights`] | Cliff & Ord 1981, Spatial Processes |
//! | common borders, with a tolerance | [`SpatialWeights::queen`], [`SpatialWeights::rook`] | |
//! | nearest points, distance bands, on the plane or the sphere | [`SpatialWeights::k_nearest`], [`SpatialWeights::distance_band`] | |
//! | Moran's I, Geary's C | [`moran`], [`geary`] | Cliff & Ord 1981 |
//! | local Moran | [`local_moran`] | Anselin 1995, Geogr. Anal. 27:93; moments Sokal, Oden & Thomson 1998, Geogr. Anal. 30:331 |
//! | Gi and Gi\* | [`getis_ord`] | Ord & Getis 1995, Geogr. Anal. 27:286 |
//! | conditional permutation | [`Permutations`], [`usual_permutations`] | Anselin 1995; p values Davison & Hinkley 1997, § 4.2 |
//! | standardised and smoothed rates | [`eb_standardised`], [`eb_smoothed`] | Assunção & Reis 1999, Stat. Med. 18:2147; Marshall 1991, Appl. Stat. 40:283 |
//! | many tests | [`benjamini_hochberg`], [`benjamini_yekutieli`], [`bonferroni`] | Benjamini & Hochberg 1995, JRSS B 57:289; Benjamini & Yekutieli 2001, Ann. Stat. 29:1165 |
//! | hot spots over draws | [`hot_probability`] | |
//!
//! What holds throughout: sites are numbered from 0 in the order of the input; a row of weights never holds its own
//! site, except after [`SpatialWeights::with_self`]; what cannot be computed (an island, no variance) is `None` and
//! never NaN; the same input and seed give the same bits on any number of threads.
//!
//! ```
//! use corredor::incidence::spatial::{SpatialWeights, moran};
//!
//! # fn main() -> Result<(), corredor::incidence::spatial::SpatialError> {
//! // Five areas in a row, with values that rise from left to right.
//! let row = vec![vec![1], vec![0, 2], vec![1, 3], vec![2, 4], vec![3]];
//! let weights = SpatialWeights::from_neighbours(&row)?;
//! assert!((moran(&[1.0, 2.0, 3.0, 4.0, 5.0], &weights)?.value - 0.5).abs() < 1e-12);
//! # Ok(())
//! # }
//! ```

mod border;
mod contiguity;
mod error;
mod fdr;
mod global;
mod hot;
mod local;
mod nearest;
mod permute;
mod ranks;
mod rates;
#[cfg(test)]
mod tests;
mod weights;

pub use error::{Counted, SpatialError};
pub use fdr::{benjamini_hochberg, benjamini_yekutieli, bonferroni, rejections};
pub use global::{
    Global, GlobalPermutation, GlobalStatistic, geary, global_permutation, moran, moran_rates, two_sided,
    upper_tail,
};
pub use hot::{HotOptions, HotSpots, Inference, hot_probability};
pub use local::{GetisOrd, LocalMoran, Quadrant, getis_ord, lag, local_moran};
pub use nearest::{EARTH_RADIUS, Metric};
pub use permute::{MAX_PERMUTED, PermutationP, Permutations, usual_permutations};
pub use rates::{eb_smoothed, eb_standardised};
pub use weights::{SpatialWeights, Transform};
