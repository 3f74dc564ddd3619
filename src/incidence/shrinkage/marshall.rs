//! Moment estimates of the rates' mean and variance.

use super::{Area, exact};
use crate::incidence::counts::CountCell;
use crate::incidence::error::IncidenceError;
use crate::incidence::icar::check_adjacency;

/// Estimates of one law for all areas, and the shrunk rates.
#[derive(Debug, Clone, PartialEq)]
pub struct Marshall {
    /// `m = Σy/ΣE`, per unit of exposure.
    pub mean: f64,
    /// `A`, variance of the true rates; 0 where the rates vary no more than by chance.
    pub variance: f64,
    /// `θ_m`, one per cell.
    pub rates: Vec<f64>,
}

/// Marshall's global estimator: with `r = y/E`, `n` areas and `Ē = ΣE/n`,
///
/// - `m = Σy/ΣE`, `s² = ΣE(r − m)²/ΣE`, `A = s² − m/Ē`, 0 if negative;
/// - `θ_m = m + (r_m − m) A/(A + m/E_m)`.
///
/// Areas without exposure do not count among the `n` and get `m`.
///
/// # Errors
/// As [`GammaPoisson::fit`](super::GammaPoisson::fit).
pub fn marshall(cells: &[CountCell]) -> Result<Marshall, IncidenceError> {
    let areas = exact(cells)?;
    let (mean, variance) = moments(areas.iter());
    let rates = areas.iter().map(|a| shrunk(*a, mean, variance)).collect();
    Ok(Marshall { mean, variance, rates })
}

/// Marshall's local estimator: each area with the moments of its neighbourhood, itself included.
///
/// `neighbours[m]` lists the neighbours of area `m`, symmetric, without `m` itself. A neighbourhood without
/// a case has the rate 0, and one without exposure the mean of all areas. One entry per cell.
///
/// # Errors
/// As [`marshall`]; [`IncidenceError::ShapeMismatch`] and [`IncidenceError::Adjacency`] for lists that are not of this form.
pub fn marshall_local(cells: &[CountCell], neighbours: &[Vec<usize>]) -> Result<Vec<f64>, IncidenceError> {
    let areas = exact(cells)?;
    if neighbours.len() != areas.len() {
        return Err(IncidenceError::ShapeMismatch { expected: areas.len(), found: neighbours.len() });
    }
    check_adjacency(neighbours)?;
    let (everywhere, _) = moments(areas.iter());
    let rate = |(area, list): (&Area, &Vec<usize>)| {
        let around = || std::iter::once(area).chain(list.iter().map(|i| &areas[*i]));
        if around().all(|a| a.exposure <= 0.0) {
            return everywhere;
        }
        let (mean, variance) = moments(around());
        shrunk(*area, mean, variance)
    };
    Ok(areas.iter().zip(neighbours).map(rate).collect())
}

/// `m` and `A`.
fn moments<'a>(areas: impl Iterator<Item = &'a Area>) -> (f64, f64) {
    let areas: Vec<&Area> = areas.filter(|a| a.exposure > 0.0).collect();
    let exposed = || areas.iter().copied();
    let exposure: f64 = exposed().map(|a| a.exposure).sum();
    let mean = exposed().map(|a| a.count()).sum::<f64>() / exposure;
    let spread = |a: &Area| a.exposure * (a.count() / a.exposure - mean).powi(2);
    let variance = exposed().map(spread).sum::<f64>() / exposure;
    let by_chance = mean * exposed().count() as f64 / exposure;
    (mean, (variance - by_chance).max(0.0))
}

fn shrunk(area: Area, mean: f64, variance: f64) -> f64 {
    if area.exposure <= 0.0 || variance <= 0.0 {
        return mean;
    }
    mean + (area.count() / area.exposure - mean) * variance / (variance + mean / area.exposure)
}
