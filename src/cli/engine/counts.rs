//! Counts of a study as the incidence stage takes them, and what can be wrong with them.

use crate::error::{Fault, Faults, Rule, Why};
use crate::incidence::bym2::{Bym2Options, SigmaPrior};
use crate::incidence::spatial::SpatialWeights;
use crate::incidence::{
    CountCell, CountModel, CountOptions, HyperPrior, IncidenceError, RateModel, Unlocated,
};
use crate::model::domain::{Domain, KnownBy, Municipality};
use crate::model::incidence::CountDatum;
use crate::model::prior::Prior;
use crate::model::study::{CountLaw, Study};

pub(super) fn data_of(domain: &Domain) -> Vec<CountDatum> {
    domain.municipalities.iter().map(|m| m.datum).collect()
}

pub(super) fn cells(study: &Study, domain: &Domain, data: &[CountDatum]) -> Vec<CountCell> {
    domain
        .municipalities
        .iter()
        .zip(data)
        .map(|(m, &datum)| CountCell { exposure: m.population * study.incidence.years(), datum })
        .collect()
}

/// How the counts of a study are modelled.
#[must_use]
pub fn count_options(study: &Study) -> CountOptions {
    let spec = &study.incidence;
    // Other laws are refused when the study is checked.
    let unlocated = match spec.unlocated {
        Prior::Beta { a, b } => Unlocated::Beta { a, b },
        other => Unlocated::Fixed(other.mean().clamp(0.0, 1.0)),
    };
    let positive = |prior: Prior, unit: f64| match prior {
        Prior::Lognormal { median, sigma } => HyperPrior::Lognormal { median: median * unit, sigma },
        other => HyperPrior::Fixed(other.mean() * unit),
    };
    let rates = match spec.model {
        CountLaw::Common => RateModel::Common,
        CountLaw::NegativeBinomial | CountLaw::Bym2 => RateModel::NegativeBinomial {
            rate: positive(spec.rate, 1e-5),
            heterogeneity: positive(spec.heterogeneity, 1.0),
        },
    };
    CountOptions { unlocated, rates, ..CountOptions::default() }
}

/// Checks the counts by themselves and against the total; what a run prepares can still be too large.
pub(super) fn check_counts(study: &Study, study_name: &str, domain: &Domain, faults: &mut Faults) {
    let cells = cells(study, domain, &data_of(domain));
    // Whether bounds and total can meet does not hang on the law, which is for the run alone.
    if let Err(e) = CountModel::check(&cells, study.incidence.total, &count_options(study)) {
        faults.push(count_fault(study_name, domain, &e));
    }
}

/// The counts ready for draws, levelled by search effort where that is known.
pub(super) fn prepare_counts(
    study: &Study,
    domain: &Domain,
    data: &[CountDatum],
    total: Option<u32>,
) -> Result<CountModel, IncidenceError> {
    let cells = cells(study, domain, data);
    let model = match study.incidence.model {
        CountLaw::Bym2 => CountModel::bym2(&cells, total, &adjacency(domain)?, &bym2_options(study))?,
        CountLaw::Common | CountLaw::NegativeBinomial => {
            CountModel::prepare(&cells, total, &count_options(study))?
        }
    };
    match levelling(domain) {
        Levelling::By(keep) => model.levelled(keep),
        Levelling::Unknown | Levelling::NoneFound => Ok(model),
    }
}

/// Priors and chains of BYM2.
fn bym2_options(study: &Study) -> Bym2Options {
    let (spec, counts) = (study.incidence.bym2, count_options(study));
    let (b0_mean, b0_sd) = match study.incidence.rate {
        Prior::Lognormal { median, sigma } => (Some((1e-5 * median).ln()), sigma),
        // Next to known.
        other => (Some((1e-5 * other.mean()).ln()), 1e-3),
    };
    let (phi_a, phi_b) = match spec.spatial_share {
        Prior::Beta { a, b } => (a, b),
        _ => (0.5, 0.5),
    };
    Bym2Options {
        unlocated: counts.unlocated,
        b0_mean,
        b0_sd,
        sigma: SigmaPrior::HalfNormal { scale: spec.sigma },
        phi_a,
        phi_b,
        chains: spec.chains,
        warm_up: spec.warm_up,
        samples: spec.samples,
        // Shorter steps than usual: few counts leave corners in the posterior.
        target_acceptance: 0.9,
        seed: study.seed,
        ..Bym2Options::default()
    }
}

/// Neighbours by a common point of the border.
fn adjacency(domain: &Domain) -> Result<Vec<Vec<usize>>, IncidenceError> {
    let polygons: Vec<_> = domain.municipalities.iter().map(|m| m.polygon.as_ref()).collect();
    let weights = SpatialWeights::queen(&polygons, BORDER_TOLERANCE).map_err(IncidenceError::Neighbours)?;
    Ok((0..polygons.len()).map(|m| weights.row(m).0.iter().map(|&n| n as usize).collect()).collect())
}

/// Distance within which borders of two polygons are the same, in degrees: some ten metres.
pub(super) const BORDER_TOLERANCE: f64 = 1e-4;

/// Whether found counts can be levelled by how much was looked for.
pub(super) enum Levelling {
    /// Share of cases that stays, by municipality.
    By(Vec<f64>),
    /// Some counts were found, and not all of these have their search effort.
    Unknown,
    /// No count is said to have been found.
    NoneFound,
}

/// The least effort over that of each municipality with found counts; 1 for the others.
pub(super) fn levelling(domain: &Domain) -> Levelling {
    let found = || domain.municipalities.iter().filter(|m| m.known_by == Some(KnownBy::Found));
    if found().next().is_none() {
        return Levelling::NoneFound;
    }
    let Some(efforts) = found().map(|m| m.search_effort).collect::<Option<Vec<f64>>>() else {
        return Levelling::Unknown;
    };
    let least = efforts.into_iter().fold(f64::INFINITY, f64::min);
    let keep = |m: &Municipality| match (m.known_by, m.search_effort) {
        (Some(KnownBy::Found), Some(effort)) => least / effort,
        _ => 1.0,
    };
    Levelling::By(domain.municipalities.iter().map(keep).collect())
}

/// An impossible set of counts as a fault of the study, with the municipality named where one is at fault.
pub(super) fn count_fault(study_name: &str, domain: &Domain, error: &IncidenceError) -> Fault {
    let named =
        |cell: usize| domain.municipalities.get(cell).map_or_else(String::new, |m| format!("{}: ", m.cvegeo));
    let fault = Fault::new(Rule::TotalImpossible, study_name).field("incidence");
    let detail = match error {
        IncidenceError::NoCells => return fault.why(Why::NoCells),
        IncidenceError::NoExposure => return fault.why(Why::NoExposure),
        IncidenceError::RateUnbounded => return fault.why(Why::RateUnbounded),
        IncidenceError::Impossible => return fault.why(Why::Impossible),
        IncidenceError::Exposure { cell, exposure } => {
            format!("{}population × years = {exposure}", named(*cell))
        }
        IncidenceError::BoundsCrossed { cell, min, max } => {
            format!("{}count_min = {min} > count_max = {max}", named(*cell))
        }
        IncidenceError::CasesWithoutExposure { cell, min } => {
            format!("{}count_min = {min}, population = 0", named(*cell))
        }
        IncidenceError::Parameter { name, value, range } => format!("{name} = {value} ∉ {range}"),
        IncidenceError::TooLarge { what, size, limit } => format!("{what} = {size} > {limit}"),
        IncidenceError::LowerBoundsAboveTotal { lower, total } => {
            format!("Σ count_min = {lower} > total = {total}")
        }
        IncidenceError::UpperBoundsBelowTotal { upper, total } => {
            format!("Σ count_max = {upper} < total = {total}")
        }
        IncidenceError::Neighbours(e) => e.to_string(),
        other => other.to_string(),
    };
    fault.with("detail", detail)
}
