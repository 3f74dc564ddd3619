//! Summaries of counts and rates per municipality, from draws.

use super::counts::{CountCell, CountDraw};
use super::error::IncidenceError;
use crate::model::incidence::CountDatum;
use crate::stats::{mean, quantile};

/// Persons of the unit in which rates are reported.
pub(super) const PER: f64 = 1e5;

/// What the draws say of one municipality. Quantiles are of type 7 (see [`quantile`]).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateSummary {
    /// Mean of the located count `y`.
    pub count_mean: f64,
    /// 5 % quantile of the located count.
    pub count_p05: f64,
    /// 95 % quantile of the located count.
    pub count_p95: f64,
    /// Mean of the located count that guides demand: levelled by search effort where that can be, else `y`.
    pub guiding_mean: f64,
    /// Mean of the cases `T` that belong to the municipality, located or not.
    pub total_mean: f64,
    /// Crude rate per 100,000 persons and year, `1e5 · y/E`: only where the count is exact and there is
    /// exposure.
    pub rate_100k_year: Option<f64>,
    /// Mean of the drawn rate `θ`, per 100,000 persons and year.
    pub rate_mean: f64,
    /// 5 % quantile of the drawn rate, per 100,000 persons and year.
    pub rate_p05: f64,
    /// 95 % quantile of the drawn rate, per 100,000 persons and year.
    pub rate_p95: f64,
    /// Share of draws in which the drawn rate is above that of the whole state, `Σ θE / Σ E` of the draw.
    pub pr_above: f64,
}

/// Summarises draws, one entry per cell in the order of the cells.
///
/// The crude rate of an exact count speaks of located cases, the drawn rate of all cases that belong to the
/// place, so that the drawn one is the higher where cases are unlocated.
///
/// # Errors
/// [`IncidenceError::NoDraws`] without draws, [`IncidenceError::ShapeMismatch`] where a draw has another
/// number of cells.
pub fn summarise(cells: &[CountCell], draws: &[CountDraw]) -> Result<Vec<RateSummary>, IncidenceError> {
    for draw in draws {
        for found in [draw.located.len(), draw.total.len(), draw.rate.len()] {
            if found != cells.len() {
                return Err(IncidenceError::ShapeMismatch { expected: cells.len(), found });
            }
        }
    }
    let state: Vec<f64> = draws.iter().map(|d| regional(&d.rate, cells)).collect();
    let summary = |(i, cell): (usize, &CountCell)| {
        let of = |value: &dyn Fn(&CountDraw) -> f64| Spread::new(draws.iter().map(value).collect());
        let count = of(&|d| f64::from(d.located[i]))?;
        let guiding = of(&|d| f64::from(d.guiding_counts()[i]))?;
        let total = of(&|d| f64::from(d.total[i]))?;
        let rate = of(&|d| PER * d.rate[i])?;
        let above = draws.iter().zip(&state).filter(|(d, state)| is_above(d.rate[i], **state)).count();
        Some(RateSummary {
            count_mean: count.mean,
            count_p05: count.p05,
            count_p95: count.p95,
            guiding_mean: guiding.mean,
            total_mean: total.mean,
            rate_100k_year: crude_rate(cell),
            rate_mean: rate.mean,
            rate_p05: rate.p05,
            rate_p95: rate.p95,
            pr_above: above as f64 / draws.len().max(1) as f64,
        })
    };
    cells.iter().enumerate().map(summary).collect::<Option<_>>().ok_or(IncidenceError::NoDraws)
}

/// Whether a rate is above another by more than rounding, so that a place that is all of the region is not above it.
pub(super) fn is_above(rate: f64, region: f64) -> bool {
    rate > region * (1.0 + 1e-12)
}

/// `Σ θE / ΣE`: the rate of all cells together, given their rates.
pub(super) fn regional(rates: &[f64], cells: &[CountCell]) -> f64 {
    let exposure: f64 = cells.iter().map(|c| c.exposure).sum();
    rates.iter().zip(cells).map(|(rate, cell)| rate * cell.exposure).sum::<f64>()
        / exposure.max(f64::MIN_POSITIVE)
}

/// `1e5 · y/E` per 100,000 persons and year, for an exact count with exposure.
#[must_use]
pub fn crude_rate(cell: &CountCell) -> Option<f64> {
    match cell.datum {
        CountDatum::Exact(count) if cell.exposure > 0.0 => Some(PER * f64::from(count) / cell.exposure),
        _ => None,
    }
}

struct Spread {
    mean: f64,
    p05: f64,
    p95: f64,
}

impl Spread {
    fn new(mut values: Vec<f64>) -> Option<Self> {
        let mean = mean(&values)?;
        values.sort_by(f64::total_cmp);
        Some(Self { mean, p05: quantile(&values, 0.05)?, p95: quantile(&values, 0.95)? })
    }
}
