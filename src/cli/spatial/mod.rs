//! `spatial`: hot spots and spatial association of one field of one layer, for analysts.
//!
//! The path: [`Request`] → [`read`] (layer and weights, through `sources`) → [`analyse`] → [`Report`], which
//! [`report`] puts into words or JSON.

mod analyse;
mod read;
mod report;

use std::path::PathBuf;
use std::str::FromStr;

use super::args::{SpatialArgs, TransformArg};
use crate::error::{Error, Faults, Result};
pub use report::{as_json, lines};

use crate::incidence::IcarScale;
use crate::incidence::shrinkage::GammaPoisson;
use crate::incidence::spatial::{
    GetisOrd, GlobalPermutation, GlobalStatistic, LocalMoran, Metric, PermutationP, SpatialWeights,
};

/// How neighbours are found.
#[derive(Debug, Clone, PartialEq)]
pub enum WeightsArg {
    /// A common point of the border.
    Queen,
    /// A common stretch of the border.
    Rook,
    /// The nearest `k`.
    Nearest(usize),
    /// All within a distance.
    Band(f64),
    /// A contiguity file.
    File(PathBuf),
}

/// The forms of [`WeightsArg`] on the command line, in every language.
pub(super) const WEIGHT_FORMS: &str = "queen, rook, knn:K, band:D, *.gal";

impl FromStr for WeightsArg {
    type Err = &'static str;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        match text.split_once(':') {
            None if text == "queen" => Ok(Self::Queen),
            None if text == "rook" => Ok(Self::Rook),
            Some(("knn", k)) => k.parse().ok().filter(|k| *k > 0).map(Self::Nearest).ok_or(WEIGHT_FORMS),
            Some(("band", d)) => d
                .parse()
                .ok()
                .filter(|d: &f64| d.is_finite() && *d >= 0.0)
                .map(Self::Band)
                .ok_or(WEIGHT_FORMS),
            _ if text.to_ascii_lowercase().ends_with(".gal") => Ok(Self::File(PathBuf::from(text))),
            _ => Err(WEIGHT_FORMS),
        }
    }
}

impl WeightsArg {
    /// As it is written on the command line.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Queen => "queen".to_owned(),
            Self::Rook => "rook".to_owned(),
            Self::Nearest(k) => format!("knn:{k}"),
            Self::Band(distance) => format!("band:{distance}"),
            Self::File(path) => path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        }
    }
}

/// What is asked for.
#[derive(Debug)]
pub struct Request {
    /// The arguments.
    pub args: SpatialArgs,
    /// Seed of the permutations.
    pub seed: u64,
}

impl Request {
    /// How distances are measured.
    const fn metric(&self) -> Metric {
        if self.args.planar { Metric::Plane } else { Metric::Sphere }
    }

    /// Weights for global statistics and local Moran.
    fn transformed(&self, weights: &SpatialWeights) -> SpatialWeights {
        match self.args.transform {
            TransformArg::Row => weights.row_standardised(),
            TransformArg::Binary => weights.clone(),
        }
    }
}

/// What a layer holds.
#[derive(Debug)]
pub struct Areas {
    /// The file as it was named.
    pub file: String,
    /// The layer.
    pub layer: Option<String>,
    /// CRS, `plane` for none.
    pub crs: Option<String>,
    /// Number of each record in the file.
    pub rows: Vec<u64>,
    /// Numbers of the records without a value or a population, which are left out of everything else.
    pub unknown: Vec<u64>,
    /// What identifies each record, where a field was named for it.
    pub ids: Option<Vec<String>>,
    /// The field.
    pub values: Vec<f64>,
    /// The population at risk.
    pub population: Option<Vec<f64>>,
}

impl Areas {
    /// Whether every value is a whole number of 0 or more, as counts are.
    fn are_counts(&self) -> bool {
        self.values.iter().all(|value| *value >= 0.0 && value.fract() == 0.0)
    }
}

/// Rates, where there is a population.
#[derive(Debug)]
pub struct Rates {
    /// Events per head.
    pub crude: Vec<f64>,
    /// Assunção & Reis.
    pub standardised: Vec<f64>,
    /// Marshall.
    pub smoothed: Vec<f64>,
    /// The law of the rates by maximum likelihood, where every value is a count and all are within its range.
    pub law: Option<GammaPoisson>,
}

/// p values of one local statistic, and what many tests make of them.
#[derive(Debug)]
pub struct Tests {
    /// From permutations; `None` for islands, and without permutations.
    pub permuted: Vec<Option<PermutationP>>,
    /// Two-sided: from permutations where there are any, otherwise from z.
    pub p: Vec<Option<f64>>,
    /// Benjamini & Hochberg.
    pub bh: Vec<Option<f64>>,
    /// Benjamini & Yekutieli.
    pub by: Vec<Option<f64>>,
    /// Bonferroni.
    pub bonferroni: Vec<Option<f64>>,
}

/// A global statistic with its permutations.
pub type Global = (GlobalStatistic, Option<GlobalPermutation>);

/// A local statistic with its tests.
pub type Local<S> = (S, Tests);

/// Everything that was computed.
#[derive(Debug)]
pub struct Report {
    /// What was asked for.
    pub request: Request,
    /// The records.
    pub areas: Areas,
    /// Binary weights.
    pub weights: SpatialWeights,
    /// Permutations that were made; 0 for none.
    pub permutations: u32,
    /// Their sums under the transform.
    pub sums: [f64; 3],
    /// Scale of the intrinsic autoregression on their graph; `None` for weights that are not symmetric.
    pub icar: Option<IcarScale>,
    /// Rates, where there is a population.
    pub rates: Option<Rates>,
    /// Moran's I and Geary's C, each with its permutations.
    pub global: [Global; 2],
    /// Local Moran.
    pub moran: Local<LocalMoran>,
    /// Gi and Gi*.
    pub getis: [Local<GetisOrd>; 2],
}

/// Reads, computes.
///
/// # Errors
/// [`Error::Faults`] for what is wrong with the data, [`Error::Usage`] for arguments that do not fit them, and as
/// [`crate::sources::read`]. Warnings go to `warnings`.
pub fn run(request: Request, warnings: &mut Faults) -> Result<Report> {
    let refused =
        |key: &'static str, value: f64| Err(Error::Usage { key, params: vec![("value", value.to_string())] });
    let (level, tolerance) = (request.args.level, request.args.tolerance);
    if !(level > 0.0 && level < 1.0) {
        return refused("error.spatial_level", level);
    }
    if !(tolerance.is_finite() && tolerance >= 0.0) {
        return refused("error.spatial_tolerance", tolerance);
    }
    let found =
        read::read(&request, warnings).and_then(|(areas, weights)| analyse::analyse(request, areas, weights));
    warnings.set_by_hand();
    found.map_err(|error| match error {
        Error::Faults(mut faults) => {
            faults.set_by_hand();
            faults.into()
        }
        other => other,
    })
}
