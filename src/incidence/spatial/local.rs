//! A number for each site: local Moran, Gi and Gi\*.

use super::error::SpatialError;
use super::global::{Centred, centred};
use super::weights::{SpatialWeights, short};
use crate::stats::mean;

/// `Σ_j w_ij x_j` for each site, added in the order of the neighbours. `values` has one entry for each site; what is
/// beyond counts as 0.
#[must_use]
pub fn lag(values: &[f64], weights: &SpatialWeights) -> Vec<f64> {
    let of_row = |site: usize| {
        let (row, of) = weights.row(site);
        row.iter().zip(of).map(|(other, w)| w * values.get(*other as usize).copied().unwrap_or(0.0)).sum()
    };
    (0..weights.len()).map(of_row).collect()
}

/// A site and its neighbours: which of them are above the mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Quadrant {
    /// High among high.
    HighHigh,
    /// Low among high.
    LowHigh,
    /// Low among low.
    LowLow,
    /// High among low.
    HighLow,
}

/// Local Moran `I_i = (n − 1) z_i Σ_j w_ij z_j / Σ z²` of every site; without a unit.
#[derive(Debug, Clone, PartialEq)]
pub struct LocalMoran {
    /// `I_i`; 0 for islands.
    pub value: Vec<f64>,
    /// Expectation where the value of the site stays and the others lie at random (Sokal et al. 1998, A7).
    pub expected: Vec<f64>,
    /// Variance under the same (A8).
    pub variance: Vec<f64>,
    /// Standardised by both; `None` for islands, and where the value is the mean, so that nothing varies.
    pub z: Vec<Option<f64>>,
    /// The quadrant; values and lags equal to the mean count as low, as in `esda`. `None` for islands.
    pub quadrant: Vec<Option<Quadrant>>,
}

/// Local Moran with its moments under conditional randomisation.
///
/// # Errors
/// [`SpatialError::Constant`] where all values are equal, [`SpatialError::TooFew`] for fewer than four sites,
/// [`SpatialError::SelfWeights`] for weights that hold the sites themselves, [`SpatialError::ShapeMismatch`] and
/// [`SpatialError::Value`] for values that do not fit.
pub fn local_moran(values: &[f64], weights: &SpatialWeights) -> Result<LocalMoran, SpatialError> {
    weights.check(values)?;
    if values.len() < 4 {
        return Err(SpatialError::TooFew { sites: values.len(), needed: 4 });
    }
    if weights.has_self() {
        return Err(SpatialError::SelfWeights { found: true, needed: false });
    }
    let Centred { z, squares, .. } = centred(values)?;
    let n = values.len() as f64;
    let m2 = squares / n;
    let lags = lag(&z, weights);
    let mut out = LocalMoran {
        value: z.iter().zip(&lags).map(|(z, lag)| (n - 1.0) * z * lag / squares).collect(),
        expected: Vec::with_capacity(z.len()),
        variance: Vec::with_capacity(z.len()),
        z: Vec::with_capacity(z.len()),
        quadrant: Vec::with_capacity(z.len()),
    };
    for (site, (own, lag)) in z.iter().zip(&lags).enumerate() {
        let (row, of) = weights.row(site);
        let (sum, square) = (of.iter().sum::<f64>(), of.iter().map(|w| w * w).sum::<f64>());
        // esda scales I by (n − 1)/Σz² and the moments by n/Σz²; both are kept as they are published.
        let expected = -own * own * sum / ((n - 1.0) * m2);
        let variance = (own / m2).powi(2)
            * (n / (n - 2.0))
            * (square - sum * sum / (n - 1.0))
            * (m2 - own * own / (n - 1.0));
        out.expected.push(expected);
        out.variance.push(variance);
        let varies = !row.is_empty() && variance > 0.0;
        out.z.push(varies.then(|| (out.value[site] - expected) / variance.sqrt()));
        out.quadrant.push((!row.is_empty()).then_some(match (*own > 0.0, *lag > 0.0) {
            (true, true) => Quadrant::HighHigh,
            (false, true) => Quadrant::LowHigh,
            (false, false) => Quadrant::LowLow,
            (true, false) => Quadrant::HighLow,
        }));
    }
    Ok(out)
}

/// Gi or Gi\* of every site.
#[derive(Debug, Clone, PartialEq)]
pub struct GetisOrd {
    /// `Σ_j w_ij x_j / Σ_j x_j`, where Gi leaves out the site itself in both sums; `None` where the sum below is zero.
    pub value: Vec<Option<f64>>,
    /// The standardised statistic, which is what Ord & Getis 1995 call Gi and Gi\*; positive where high values lie
    /// together. `None` for sites without neighbours, for such as have all others as neighbours, and where the
    /// others do not vary.
    pub z: Vec<Option<f64>>,
}

/// Gi, or with `star` Gi\*, in the general form of Ord & Getis 1995, eqs. 5 and 6:
///
/// `z_i = (Σ_j w_ij x_j − W_i x̄) / (s √((N S1_i − W_i²)/(N − 1)))`, `W_i = Σ_j w_ij`, `S1_i = Σ_j w_ij²`
///
/// with mean, standard deviation (divisor `N`) and number of all sites for Gi\*, of all others for Gi. It does not
/// change when a row is multiplied by a number: binary and row-standardised weights give the same z. For binary weights
/// this is `esda`'s; for row-standardised ones `esda` 2.9 keeps the binary variance, which this does not.
///
/// Gi\* needs weights with self weights; where there are none, [`SpatialWeights::with_self`] puts them in. Gi leaves
/// self weights out.
///
/// # Errors
/// [`SpatialError::TooFew`] for fewer than three sites, [`SpatialError::ShapeMismatch`] and [`SpatialError::Value`]
/// for values that do not fit. Values that do not vary give `None` throughout.
pub fn getis_ord(values: &[f64], weights: &SpatialWeights, star: bool) -> Result<GetisOrd, SpatialError> {
    weights.check(values)?;
    if values.len() < 3 {
        return Err(SpatialError::TooFew { sites: values.len(), needed: 3 });
    }
    let owned;
    let weights = if star && !weights.has_self() {
        owned = weights.with_self();
        &owned
    } else {
        weights
    };
    let total: f64 = values.iter().sum();
    let mut out = GetisOrd { value: Vec::with_capacity(values.len()), z: Vec::new() };
    Scores::new(values, weights, star).fill(&mut out.z);
    for (site, own) in values.iter().enumerate() {
        let (row, of) = weights.row(site);
        let kept = |other: &u32| star || *other != short(site);
        let pairs = row.iter().zip(of).filter(|(other, _)| kept(other));
        let sum: f64 = pairs.map(|(other, weight)| weight * values[*other as usize]).sum();
        let below = if star { total } else { total - own };
        out.value.push((below != 0.0).then(|| sum / below));
    }
    Ok(out)
}

/// The standardised statistics of values that were checked.
pub(super) struct Scores<'a> {
    weights: &'a SpatialWeights,
    star: bool,
    z: Vec<f64>,
    squares: f64,
    /// Sums of squares up to this are rounding.
    noise: f64,
}

impl<'a> Scores<'a> {
    pub(super) fn new(values: &[f64], weights: &'a SpatialWeights, star: bool) -> Self {
        // About the mean, which changes nothing but the last digits: a variance by squares of large values has none.
        let middle = mean(values).unwrap_or(0.0);
        let z: Vec<f64> = values.iter().map(|value| value - middle).collect();
        let squares = z.iter().map(|z| z * z).sum();
        let greatest = values.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
        let noise = (1e-14 * greatest).powi(2) * values.len() as f64;
        Self { weights, star, z, squares, noise }
    }

    /// Appends one for each site.
    pub(super) fn fill(&self, out: &mut Vec<Option<f64>>) {
        let sites = self.z.len() as f64;
        let n = if self.star { sites } else { sites - 1.0 };
        let total: f64 = self.z.iter().sum();
        for (site, own) in self.z.iter().enumerate() {
            let (row, of) = self.weights.row(site);
            let (mut w, mut w2, mut sum) = (0.0, 0.0, 0.0);
            for (other, weight) in row.iter().zip(of) {
                if self.star || *other != short(site) {
                    w += weight;
                    w2 += weight * weight;
                    sum += weight * self.z[*other as usize];
                }
            }
            let (total, squares) =
                if self.star { (total, self.squares) } else { (total - own, self.squares - own * own) };
            let middle = total / n;
            let variance = squares / n - middle * middle;
            let spread = (n * w2 - w * w) / (n - 1.0);
            // The second: of a row that holds everyone, up to rounding.
            let varies = squares > self.noise && variance > 0.0 && spread > 1e-12 * n * w2;
            out.push(varies.then(|| (sum - w * middle) / (variance * spread).sqrt()));
        }
    }
}
