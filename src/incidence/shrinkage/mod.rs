//! Empirical Bayes: the law of the rates estimated from the counts, and each rate pulled towards it.
//!
//! Only for areas whose counts are *all* exact. Where some counts are published because they are high, an
//! estimate from those alone inherits their selection; [`CountModel`](super::CountModel) works with intervals and unknowns instead.
//!
//! | method | where | source |
//! |---|---|---|
//! | Gamma–Poisson, maximum likelihood | [`GammaPoisson::fit`] | Clayton & Kaldor 1987, Biometrics 43:671 |
//! | moments, one mean for all areas | [`marshall`] | Marshall 1991, Appl. Stat. 40:283, section 2 |
//! | moments, a mean of the neighbourhood | [`marshall_local`] | Marshall 1991, section 3 |
//!
//! Exposures can be person-years or expected counts; estimates have the unit of a count per exposure. All
//! three treat the estimated law as known, so that intervals are too narrow where there are few areas.

mod gamma_poisson;
mod likelihood;
mod marshall;
#[cfg(test)]
mod tests;

pub use gamma_poisson::{GammaFit, GammaPoisson, PoissonLimit};
pub use marshall::{Marshall, marshall, marshall_local};

use super::checks::check_cells;
use super::counts::CountCell;
use super::error::IncidenceError;
use crate::model::incidence::CountDatum;

/// An area whose count is a number.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Area {
    /// Person-years or expected cases; 0 for nobody exposed.
    exposure: f64,
    count: u32,
}

impl Area {
    fn count(self) -> f64 {
        f64::from(self.count)
    }
}

/// The areas, if every count is exact and there is a case.
fn exact(cells: &[CountCell]) -> Result<Vec<Area>, IncidenceError> {
    check_cells(cells, None)?;
    let area = |(i, cell): (usize, &CountCell)| match cell.datum {
        CountDatum::Exact(count) => Ok(Area { exposure: cell.exposure, count }),
        _ => Err(IncidenceError::NotExact { cell: i }),
    };
    let areas: Vec<Area> = cells.iter().enumerate().map(area).collect::<Result<_, _>>()?;
    if areas.iter().all(|a| a.count == 0) {
        return Err(IncidenceError::NoCases);
    }
    Ok(areas)
}
