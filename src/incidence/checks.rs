//! Checks of cells, total and options before anything is prepared, and the grid of π.

use statrs::function::beta::checked_beta_reg;

use super::counts::{CountCell, CountOptions, HyperPrior, RateModel, Unlocated};
use super::error::IncidenceError;
use super::weights::{self, MAX_COUNT};

/// Most cells of one model.
pub const MAX_CELLS: usize = 10_000;

/// A cell after its checks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    pub exposure: f64,
    pub min: u32,
    pub max: Option<u32>,
}

/// Each cell by itself.
pub(super) fn check_cells(cells: &[CountCell], total: Option<u32>) -> Result<Vec<Cell>, IncidenceError> {
    if cells.is_empty() {
        return Err(IncidenceError::NoCells);
    }
    if cells.len() > MAX_CELLS {
        let (size, limit) = (cells.len() as u64, MAX_CELLS as u64);
        return Err(IncidenceError::TooLarge { what: "number of cells", size, limit });
    }
    let mut checked = Vec::with_capacity(cells.len());
    for (i, cell) in cells.iter().enumerate() {
        let CountCell { exposure, datum } = *cell;
        let (min, max) = (datum.min(), datum.max());
        let none = exposure == 0.0;
        if !none && !(1e-6..=1e12).contains(&exposure) {
            return Err(IncidenceError::Exposure { cell: i, exposure });
        }
        if let Some(max) = max.filter(|max| *max < min) {
            return Err(IncidenceError::BoundsCrossed { cell: i, min, max });
        }
        if none && min > 0 {
            return Err(IncidenceError::CasesWithoutExposure { cell: i, min });
        }
        // A total limits every cell, and is itself checked.
        let largest = if total.is_some() { 0 } else { max.unwrap_or(min) };
        if largest > MAX_COUNT {
            return Err(IncidenceError::CountTooLarge { cell: i, count: largest, limit: MAX_COUNT });
        }
        checked.push(Cell { exposure, min, max });
    }
    if checked.iter().all(|c| c.exposure <= 0.0) {
        return Err(IncidenceError::NoExposure);
    }
    Ok(checked)
}

/// Whether the bounds leave room for the total.
pub(super) fn check_total(cells: &[Cell], total: u32, absorbs: bool) -> Result<(), IncidenceError> {
    if total > MAX_COUNT {
        let (size, limit) = (total.into(), MAX_COUNT.into());
        return Err(IncidenceError::TooLarge { what: "total", size, limit });
    }
    let lower: u64 = cells.iter().map(|c| u64::from(c.min)).sum();
    if lower > total.into() {
        return Err(IncidenceError::LowerBoundsAboveTotal { lower, total });
    }
    let exposed = || cells.iter().filter(|c| c.exposure > 0.0);
    if !absorbs && exposed().all(|c| c.max.is_some()) {
        let upper: u64 = exposed().filter_map(|c| c.max).map(u64::from).sum();
        if upper < total.into() {
            return Err(IncidenceError::UpperBoundsBelowTotal { upper, total });
        }
    }
    Ok(())
}

/// Whether so many cases can have no place.
pub(super) fn check_unlocated(cases: u32, unlocated: Unlocated) -> Result<(), IncidenceError> {
    if cases > MAX_COUNT {
        let (size, limit) = (cases.into(), MAX_COUNT.into());
        return Err(IncidenceError::TooLarge { what: "cases without a place", size, limit });
    }
    if cases > 0 && unlocated == Unlocated::Fixed(0.0) {
        return Err(IncidenceError::UnlocatedExcluded { cases });
    }
    Ok(())
}

/// Whether the bounds leave room for what of the total has a place.
pub(super) fn check_located(cells: &[Cell], total: u32, cases: u32) -> Result<(), IncidenceError> {
    let lower: u64 = cells.iter().map(|c| u64::from(c.min)).sum();
    let exposed = || cells.iter().filter(|c| c.exposure > 0.0);
    let upper: Option<u64> = exposed().map(|c| c.max.map(u64::from)).sum();
    let fits = |located: u32| u64::from(located) >= lower && upper.is_none_or(|u| u64::from(located) <= u);
    if total.checked_sub(cases).is_some_and(fits) {
        return Ok(());
    }
    Err(IncidenceError::LocatedImpossible { total, cases, lower, upper })
}

/// The options by themselves.
pub(super) fn check_hyper(options: &CountOptions) -> Result<(), IncidenceError> {
    match options.unlocated {
        Unlocated::Fixed(value) => weights::check_pi(value)?,
        Unlocated::Beta { a, b } => {
            for (name, value) in [("a", a), ("b", b)] {
                if !(0.01..=1e6).contains(&value) {
                    return Err(IncidenceError::Parameter { name, value, range: "[0.01, 1e6]" });
                }
            }
        }
    }
    match options.rates {
        RateModel::Common => {
            if !(1..=1000).contains(&options.pi_points) {
                let value = options.pi_points as f64;
                return Err(IncidenceError::Parameter { name: "pi_points", value, range: "[1, 1000]" });
            }
        }
        RateModel::Gamma { alpha, beta } => weights::check_gamma(alpha, beta)?,
        RateModel::NegativeBinomial { rate, heterogeneity } => {
            check_prior("rate", rate, 1e-12..=1e3, "[1e-12, 1e3]")?;
            check_prior("heterogeneity", heterogeneity, 1e-3..=1e3, "[1e-3, 1e3]")?;
        }
    }
    Ok(())
}

fn check_prior(
    name: &'static str,
    prior: HyperPrior,
    allowed: std::ops::RangeInclusive<f64>,
    range: &'static str,
) -> Result<(), IncidenceError> {
    let (value, sigma) = match prior {
        HyperPrior::Fixed(value) => (value, 1.0),
        HyperPrior::Lognormal { median, sigma } => (median, sigma),
    };
    if !allowed.contains(&value) {
        return Err(IncidenceError::Parameter { name, value, range });
    }
    if !(1e-3..=10.0).contains(&sigma) {
        return Err(IncidenceError::Parameter { name: "sigma", value: sigma, range: "[1e-3, 10]" });
    }
    Ok(())
}

/// The values of π under a common rate: the fixed one, or the quantiles `(i + ½)/n` of its prior.
pub(super) fn pi_grid(options: &CountOptions) -> Result<Vec<f64>, IncidenceError> {
    let (a, b) = match options.unlocated {
        Unlocated::Fixed(value) => return Ok(vec![value]),
        Unlocated::Beta { a, b } => (a, b),
    };
    let n = options.pi_points as f64;
    (0..options.pi_points)
        .map(|i| {
            let q = (i as f64 + 0.5) / n;
            beta_quantile(a, b, q)
        })
        .collect()
}

/// Quantile of Beta(a, b) by bisection, kept within [1e-9, 1 − 1e-9] so that some cases can be located and
/// some not.
fn beta_quantile(a: f64, b: f64, q: f64) -> Result<f64, IncidenceError> {
    let (mut low, mut high) = (1e-9, 1.0 - 1e-9);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        let below = checked_beta_reg(a, b, middle).map_err(|_| IncidenceError::Parameter {
            name: "a",
            value: a,
            range: "[0.01, 1e6]",
        })?;
        if below < q {
            low = middle;
        } else {
            high = middle;
        }
    }
    Ok(0.5 * (low + high))
}
