//! One number for the whole map: Moran's I and Geary's C.

use rayon::prelude::*;

use super::error::SpatialError;
use super::local::lag;
use super::permute::{below, stream};
use super::rates::eb_standardised;
use super::weights::SpatialWeights;
use crate::stats::mean;

/// A statistic with its moments under both null hypotheses of Cliff & Ord 1981.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct GlobalStatistic {
    /// The statistic.
    pub value: f64,
    /// Its expectation where values lie at random: `−1/(n − 1)` for I, 1 for C.
    pub expected: f64,
    /// Its variance where values are independent and normal.
    pub variance_normal: f64,
    /// Its variance over all orders of the values.
    pub variance_random: f64,
    /// Standardised by the former.
    pub z_normal: f64,
    /// Standardised by the latter.
    pub z_random: f64,
    /// Two-sided p value of `z_normal`.
    pub p_normal: f64,
    /// Two-sided p value of `z_random`.
    pub p_random: f64,
}

/// Where the observed statistic stands among those of permuted values.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct GlobalPermutation {
    /// Permutations in all.
    pub permutations: u32,
    /// `(#{≥ observed} + 1)/(R + 1)`.
    pub p_greater: f64,
    /// `(#{≤ observed} + 1)/(R + 1)`.
    pub p_lesser: f64,
    /// `(min(L, R − L) + 1)/(R + 1)` with `L = #{≥ observed}`: what `esda` calls `p_sim`.
    pub p_directed: f64,
    /// Mean of the permuted statistics.
    pub mean: f64,
    /// Their standard deviation, with divisor `R`.
    pub sd: f64,
}

/// Two-sided p value of a standard normal deviate.
#[must_use]
pub fn two_sided(z: f64) -> f64 {
    statrs::function::erf::erfc(z.abs() / std::f64::consts::SQRT_2)
}

/// Upper-tail p value of a standard normal deviate.
#[must_use]
pub fn upper_tail(z: f64) -> f64 {
    statrs::function::erf::erfc(z / std::f64::consts::SQRT_2) / 2.0
}

fn statistic(value: f64, expected: f64, variance_normal: f64, variance_random: f64) -> GlobalStatistic {
    let z = |variance: f64| if variance > 0.0 { (value - expected) / variance.sqrt() } else { 0.0 };
    let (z_normal, z_random) = (z(variance_normal), z(variance_random));
    GlobalStatistic {
        value,
        expected,
        variance_normal,
        variance_random,
        z_normal,
        z_random,
        p_normal: two_sided(z_normal),
        p_random: two_sided(z_random),
    }
}

/// What both statistics need of the values.
pub(super) struct Centred {
    pub(super) z: Vec<f64>,
    /// `Σ z²`.
    pub(super) squares: f64,
    /// `n Σ z⁴ / (Σ z²)²`.
    pub(super) kurtosis: f64,
}

/// Values about their mean. Such as are equal up to rounding are refused.
pub(super) fn centred(values: &[f64]) -> Result<Centred, SpatialError> {
    let middle = mean(values).unwrap_or(0.0);
    let z: Vec<f64> = values.iter().map(|value| value - middle).collect();
    let squares: f64 = z.iter().map(|z| z * z).sum();
    let fourth: f64 = z.iter().map(|z| z * z * z * z).sum();
    let n = values.len() as f64;
    let greatest = values.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
    let noise = 1e-14 * greatest;
    if squares <= n * noise * noise || squares < f64::MIN_POSITIVE {
        return Err(SpatialError::Constant);
    }
    Ok(Centred { z, squares, kurtosis: n * fourth / (squares * squares) })
}

fn admit(values: &[f64], weights: &SpatialWeights) -> Result<[f64; 3], SpatialError> {
    weights.check(values)?;
    if values.len() < 4 {
        return Err(SpatialError::TooFew { sites: values.len(), needed: 4 });
    }
    if weights.has_self() {
        return Err(SpatialError::SelfWeights { found: true, needed: false });
    }
    let sums = weights.sums();
    if sums[0] > 0.0 { Ok(sums) } else { Err(SpatialError::NoLinks) }
}

/// Moran's `I = (n/S0) Σ w_ij z_i z_j / Σ z_i²`, with `z` the values about their mean; above its expectation where
/// like values lie together. Without a unit. Islands count among the `n`.
///
/// # Errors
/// [`SpatialError::Constant`] where all values are equal, [`SpatialError::NoLinks`], [`SpatialError::TooFew`] for
/// fewer than four sites, [`SpatialError::ShapeMismatch`] and [`SpatialError::Value`] for values that do not fit.
pub fn moran(values: &[f64], weights: &SpatialWeights) -> Result<GlobalStatistic, SpatialError> {
    let [s0, s1, s2] = admit(values, weights)?;
    let Centred { z, squares, kurtosis: k } = centred(values)?;
    let n = values.len() as f64;
    let cross = cross(&z, weights);
    let expected = -1.0 / (n - 1.0);
    let s02 = s0 * s0;
    let normal = (n * n * s1 - n * s2 + 3.0 * s02) / ((n * n - 1.0) * s02) - expected * expected;
    let a = n * ((n * n - 3.0 * n + 3.0) * s1 - n * s2 + 3.0 * s02);
    let b = k * ((n * n - n) * s1 - 2.0 * n * s2 + 6.0 * s02);
    let random = (a - b) / ((n - 1.0) * (n - 2.0) * (n - 3.0) * s02) - expected * expected;
    Ok(statistic(n / s0 * cross / squares, expected, normal, random))
}

/// Moran's I of rates, by the standardised rates of Assunção & Reis 1999 ([`eb_standardised`]).
///
/// # Errors
/// As [`moran`] and [`eb_standardised`].
pub fn moran_rates(
    events: &[f64],
    population: &[f64],
    weights: &SpatialWeights,
) -> Result<GlobalStatistic, SpatialError> {
    moran(&eb_standardised(events, population)?, weights)
}

/// Geary's `C = (n − 1) Σ w_ij (x_i − x_j)² / (2 S0 Σ z_i²)`; below 1 where like values lie together. Without a unit.
///
/// # Errors
/// As [`moran`].
pub fn geary(values: &[f64], weights: &SpatialWeights) -> Result<GlobalStatistic, SpatialError> {
    let [s0, s1, s2] = admit(values, weights)?;
    let Centred { z, squares, kurtosis: k } = centred(values)?;
    let n = values.len() as f64;
    let value = (n - 1.0) * differences(&z, weights) / (2.0 * s0 * squares);
    let s02 = s0 * s0;
    let normal = ((2.0 * s1 + s2) * (n - 1.0) - 4.0 * s02) / (2.0 * (n + 1.0) * s02);
    let a = (n - 1.0) * s1 * (n * n - 3.0 * n + 3.0 - (n - 1.0) * k);
    let b = (n - 1.0) * s2 * (n * n + 3.0 * n - 6.0 - (n * n - n + 2.0) * k) / 4.0;
    let c = s02 * (n * n - 3.0 - (n - 1.0) * (n - 1.0) * k);
    Ok(statistic(value, 1.0, normal, (a - b + c) / (n * (n - 2.0) * (n - 3.0) * s02)))
}

/// `Σ w_ij z_i z_j`.
fn cross(z: &[f64], weights: &SpatialWeights) -> f64 {
    lag(z, weights).iter().zip(z).map(|(lag, z)| lag * z).sum()
}

/// `Σ w_ij (z_i − z_j)²`.
fn differences(z: &[f64], weights: &SpatialWeights) -> f64 {
    let of_row = |(site, own): (usize, &f64)| {
        let (row, of) = weights.row(site);
        let pairs = row.iter().zip(of);
        pairs.map(|(other, weight)| weight * (own - z[*other as usize]).powi(2)).sum::<f64>()
    };
    z.iter().enumerate().map(of_row).sum()
}

/// A statistic of the whole map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Global {
    /// [`moran`].
    Moran,
    /// [`geary`].
    Geary,
}

/// Permutes all values and ranks the observed statistic among the permuted ones; such as differ by less than 10⁻¹²
/// of the greater are equal.
///
/// # Errors
/// As [`moran`], and [`SpatialError::Parameter`] for no permutation or more than a million.
pub fn global_permutation(
    statistic: Global,
    values: &[f64],
    weights: &SpatialWeights,
    permutations: u32,
    seed: u64,
) -> Result<GlobalPermutation, SpatialError> {
    let [s0, ..] = admit(values, weights)?;
    let Centred { z, squares, .. } = centred(values)?;
    if !(1..=1_000_000).contains(&permutations) {
        let range = "[1, 1000000]";
        return Err(SpatialError::Parameter { name: "permutations", value: f64::from(permutations), range });
    }
    let n = values.len() as f64;
    let of = |z: &[f64]| match statistic {
        Global::Moran => n / (s0 * squares) * cross(z, weights),
        Global::Geary => (n - 1.0) / (2.0 * s0 * squares) * differences(z, weights),
    };
    let observed = of(&z);
    let found: Vec<f64> = (0..permutations as usize)
        .into_par_iter()
        .map_init(
            || z.clone(),
            |order, permutation| {
                let mut rng = stream(seed, "global", permutation);
                order.copy_from_slice(&z);
                for at in (1..order.len()).rev() {
                    order.swap(at, below(&mut rng, at + 1));
                }
                of(order)
            },
        )
        .collect();
    let same = |value: f64| 1e-12 * value.abs().max(observed.abs()).max(1e-3);
    let (mut at_least, mut at_most) = (0_u32, 0_u32);
    for value in &found {
        at_least += u32::from(*value >= observed - same(*value));
        at_most += u32::from(*value <= observed + same(*value));
    }
    let share = |count: u32| (f64::from(count) + 1.0) / (f64::from(permutations) + 1.0);
    let middle = mean(&found).unwrap_or(0.0);
    let squares: Vec<f64> = found.iter().map(|value| (value - middle) * (value - middle)).collect();
    Ok(GlobalPermutation {
        permutations,
        p_greater: share(at_least),
        p_lesser: share(at_most),
        p_directed: share(at_least.min(permutations - at_least)),
        mean: middle,
        sd: mean(&squares).unwrap_or(0.0).sqrt(),
    })
}
