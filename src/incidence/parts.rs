//! Counts by modality and by period: each part with rates from a model of its own.
//!
//! A part has no published total, so its cells are independent given the law of rates. Nothing is moved between parts:
//! a case whose modality is not stated is in none, and the parts of a municipality need not add up to its count.

use rand::Rng;

use super::counts::{CountCell, CountModel, CountOptions};
use super::error::IncidenceError;
use super::rates::summarise;
use crate::model::domain::{Municipality, Stratum};
use crate::model::incidence::CountDatum;

/// What is known of one part of a municipality's count.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Modality or period.
    pub name: String,
    /// What was published.
    pub datum: CountDatum,
    /// Mean, 5 % and 95 % quantile of the rate per 100,000 persons and year; `None` where nothing was published or
    /// nothing bounds it from above.
    pub rate: Option<[f64; 3]>,
}

/// The parts of all municipalities' counts, one list per municipality, empty where counts are not divided. `strata`
/// takes them by modality or by period; `years` is the length of a part that does not say its months; `rng` gives the
/// random numbers of a draw of a part.
///
/// # Errors
/// As [`CountModel::prepare`], but for a part that nothing bounds from above.
pub fn parts<R: Rng>(
    municipalities: &[Municipality],
    strata: impl Fn(&Municipality) -> &[Stratum],
    years: f64,
    options: &CountOptions,
    draws: u32,
    rng: impl Fn(&str, u32) -> R,
) -> Result<Vec<Vec<Part>>, IncidenceError> {
    let mut out: Vec<Vec<Part>> = municipalities.iter().map(|_| Vec::new()).collect();
    // Every listed municipality has the same parts.
    let Some(names) = municipalities.iter().map(&strata).find(|s| !s.is_empty()) else {
        return Ok(out);
    };
    for (s, first) in names.iter().enumerate() {
        let years = if first.months > 0 { f64::from(first.months) / 12.0 } else { years };
        let cell = |m: &Municipality| {
            let datum = strata(m).get(s).map_or(CountDatum::Unknown { max: None }, |stratum| stratum.datum);
            CountCell { exposure: m.population * years, datum }
        };
        let cells: Vec<CountCell> = municipalities.iter().map(cell).collect();
        let rates = rates(&cells, options, draws, |draw| rng(&first.name, draw))?;
        for ((parts, cell), m) in out.iter_mut().zip(&cells).zip(0..) {
            // Of one that no row names nothing is divided.
            if strata(&municipalities[m]).is_empty() {
                continue;
            }
            let known = !matches!(cell.datum, CountDatum::Unknown { .. });
            let rate: Option<[f64; 3]> = rates.get(m).copied().filter(|_| known);
            parts.push(Part { name: first.name.clone(), datum: cell.datum, rate });
        }
    }
    Ok(out)
}

/// One entry per cell; none where nothing bounds a rate from above.
fn rates<R: Rng>(
    cells: &[CountCell],
    options: &CountOptions,
    draws: u32,
    rng: impl Fn(u32) -> R,
) -> Result<Vec<[f64; 3]>, IncidenceError> {
    if cells.iter().all(|c| c.exposure <= 0.0 || c.datum.max().is_none()) {
        return Ok(Vec::new());
    }
    let model = CountModel::prepare(cells, None, options)?;
    let draws: Vec<_> = (0..draws).map(|d| model.draw(&mut rng(d))).collect();
    let summaries = summarise(cells, &draws)?;
    Ok(summaries.into_iter().map(|s| [s.rate_mean, s.rate_p05, s.rate_p95]).collect())
}
