//! Counts by modality and by period: each part with rates from a model of its own.
//!
//! A part has no published total, so its cells are independent given the law of rates. Nothing is moved between parts:
//! a case whose modality is not stated is in none, and the parts of a municipality need not add up to its count.

use super::counts::count_options;
use crate::corridors::params::stream;
use crate::incidence::{CountCell, CountModel, IncidenceError, summarise};
use crate::model::domain::{Domain, Municipality, Stratum};
use crate::model::incidence::CountDatum;
use crate::model::study::Study;

/// What is known of one part of a municipality's count.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Modality or period.
    pub name: String,
    /// What was published.
    pub datum: CountDatum,
    /// Mean, 5 % and 95 % quantile of the rate per 100,000 persons and year; `None` where nothing was published.
    pub rate: Option<[f64; 3]>,
}

/// The parts of all municipalities' counts, one list per municipality, empty where counts are not divided.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parts {
    /// By modality.
    pub by_modality: Vec<Vec<Part>>,
    /// By period.
    pub by_period: Vec<Vec<Part>>,
}

impl Parts {
    /// The parts with their rates.
    pub(super) fn new(study: &Study, domain: &Domain) -> Result<Self, IncidenceError> {
        Ok(Self {
            by_modality: rated(study, domain, "modality", |m| &m.by_modality)?,
            by_period: rated(study, domain, "period", |m| &m.by_period)?,
        })
    }
}

fn rated(
    study: &Study,
    domain: &Domain,
    kind: &str,
    strata: impl Fn(&Municipality) -> &[Stratum],
) -> Result<Vec<Vec<Part>>, IncidenceError> {
    let mut out: Vec<Vec<Part>> = domain.municipalities.iter().map(|_| Vec::new()).collect();
    // Every listed municipality has the same parts.
    let Some(names) = domain.municipalities.iter().map(&strata).find(|s| !s.is_empty()) else {
        return Ok(out);
    };
    for (s, first) in names.iter().enumerate() {
        let years = if first.months > 0 { f64::from(first.months) / 12.0 } else { study.incidence.years() };
        let cell = |m: &Municipality| {
            let datum = strata(m).get(s).map_or(CountDatum::Unknown { max: None }, |stratum| stratum.datum);
            CountCell { exposure: m.population * years, datum }
        };
        let cells: Vec<CountCell> = domain.municipalities.iter().map(cell).collect();
        let rates = rates(study, &cells, &format!("{kind} {}", first.name))?;
        for (m, parts) in out.iter_mut().enumerate() {
            let datum = cells[m].datum;
            let known = !matches!(datum, CountDatum::Unknown { .. });
            let rate = rates.as_ref().filter(|_| known).map(|rates| rates[m]);
            parts.push(Part { name: first.name.clone(), datum, rate });
        }
    }
    Ok(out)
}

/// `None` where nothing bounds a rate from above.
fn rates(study: &Study, cells: &[CountCell], purpose: &str) -> Result<Option<Vec<[f64; 3]>>, IncidenceError> {
    let model = match CountModel::prepare(cells, None, &count_options(study)) {
        Ok(model) => model,
        Err(IncidenceError::RateUnbounded) => return Ok(None),
        Err(e) => return Err(e),
    };
    let draws: Vec<_> =
        (0..study.parameters.draws).map(|d| model.draw(&mut stream(purpose, study.seed, d))).collect();
    let summaries = summarise(cells, &draws)?;
    Ok(Some(summaries.into_iter().map(|s| [s.rate_mean, s.rate_p05, s.rate_p95]).collect()))
}
