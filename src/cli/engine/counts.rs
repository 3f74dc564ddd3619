//! Counts of a study as the incidence stage takes them, and what can be wrong with them.

use std::sync::atomic::AtomicBool;

use crate::disclosure::Tier;
use crate::disclosure::cells::Release;
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
    let options = CountOptions { unlocated_cases: domain.counted.unlocated, ..count_options(study) };
    // Whether bounds and total can meet does not hang on the law, which is for the run alone.
    if let Err(e) = CountModel::check(&cells, study.incidence.total, &options) {
        faults.push(count_fault(study, study_name, domain, &e));
    }
}

/// The cases without a place that a run takes as known. To the public their number is not released; and where each count is a
/// number, the total says the same.
pub(super) fn unlocated_cases(domain: &Domain, audience: Tier, released: &Release) -> Option<u32> {
    let is_exact = |d: &CountDatum| matches!(d, CountDatum::Exact(_));
    let told = released.total.is_some() && released.data.iter().all(is_exact);
    domain.counted.unlocated.filter(|_| audience == Tier::Restricted && !told)
}

/// The counts ready for draws, levelled by search effort where that is known.
pub(super) fn prepare_counts(
    study: &Study,
    domain: &Domain,
    audience: Tier,
    released: &Release,
    stop: &AtomicBool,
) -> Result<CountModel, IncidenceError> {
    let Release { ref data, total, .. } = *released;
    let cells = cells(study, domain, data);
    let unlocated_cases = unlocated_cases(domain, audience, released);
    let model = match study.incidence.model {
        CountLaw::Bym2 => {
            let (adjacency, options) = (adjacency(domain)?, bym2_options(study));
            CountModel::bym2(&cells, total, unlocated_cases, &adjacency, &options, stop)?
        }
        CountLaw::Common | CountLaw::NegativeBinomial => {
            let options = CountOptions { unlocated_cases, ..count_options(study) };
            CountModel::prepare_until(&cells, total, &options, stop)?
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

/// Counts that cannot be, or are too much to work out, as a fault of the study, with the municipality named where one
/// is at fault.
pub(super) fn count_fault(study: &Study, study_name: &str, domain: &Domain, error: &IncidenceError) -> Fault {
    let code = |cell: usize| domain.municipalities.get(cell).map_or("", |m| m.cvegeo.as_str());
    let named = |cell: usize| format!("{}: ", code(cell));
    let fault = Fault::new(Rule::TotalImpossible, study_name).field("incidence");
    let detail = match error {
        IncidenceError::TooLarge { what, size, limit } => {
            let fault = Fault::new(Rule::CountsTooLarge, study_name).field("incidence");
            return fault.with("what", what).with("size", size).with("limit", limit);
        }
        IncidenceError::CountTooLarge { cell, count, limit } => {
            let file = study.sources.counts.as_ref().and_then(|spec| spec.paths().next());
            let fault = Fault::new(Rule::CountsTooLarge, file.unwrap_or(study_name)).field("count");
            return fault.seen(code(*cell)).with("what", "count").with("size", count).with("limit", limit);
        }
        IncidenceError::UnlocatedExcluded { cases } => {
            let fault = Fault::new(Rule::UnlocatedExcluded, study_name).field("incidence.unlocated");
            return fault.with("cases", cases);
        }
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
        IncidenceError::LocatedImpossible { total, cases, lower, upper } => {
            let left = i64::from(*total) - i64::from(*cases);
            let upper = upper.map_or_else(|| "∞".to_owned(), |n| n.to_string());
            format!(
                "total − (…998, …999) = {total} − {cases} = {left} ∉ [Σ count_min, Σ count_max] = [{lower}, {upper}]"
            )
        }
        IncidenceError::LowerBoundsAboveTotal { lower, total } => {
            format!("Σ count_min = {lower} > total = {total}")
        }
        IncidenceError::UpperBoundsBelowTotal { upper, total } => {
            format!("Σ count_max = {upper} < total = {total}")
        }
        other => other.to_string(),
    };
    fault.with("detail", detail)
}
