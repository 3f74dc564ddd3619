//! Counts of a study as the incidence stage takes them, and what can be wrong with them.

use crate::error::{Fault, Faults, Rule, Why};
use crate::incidence::{CountCell, CountModel, CountOptions, IncidenceError, RateModel, Unlocated};
use crate::model::domain::Domain;
use crate::model::incidence::CountDatum;
use crate::model::prior::Prior;
use crate::model::study::Study;

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

pub(super) fn count_options(study: &Study) -> CountOptions {
    let unlocated = match study.incidence.unlocated {
        Prior::Beta { a, b } => Unlocated::Beta { a, b },
        // Shares have a beta prior or a fixed value; another law stands for its mean.
        other => Unlocated::Fixed(other.mean().clamp(0.0, 1.0)),
    };
    CountOptions { unlocated, rates: RateModel::Common, ..CountOptions::default() }
}

pub(super) fn check_counts(study: &Study, study_name: &str, domain: &Domain, faults: &mut Faults) {
    if let Err(e) = prepare_counts(study, domain, &data_of(domain), study.incidence.total) {
        faults.push(count_fault(study_name, domain, &e));
    }
}

pub(super) fn prepare_counts(
    study: &Study,
    domain: &Domain,
    data: &[CountDatum],
    total: Option<u32>,
) -> Result<CountModel, IncidenceError> {
    CountModel::prepare(&cells(study, domain, data), total, &count_options(study))
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
        other => other.to_string(),
    };
    fault.with("detail", detail)
}
