//! Log-likelihood of rates and π with all counts summed out, and its gradient.
//!
//! `T_m ~ Poisson(μ_m)` splits into located counts `y_m ~ Poisson((1−π) μ_m)`, cut to their bounds, and
//! unlocated ones, `Poisson(π μ_m)`. Unlocated and unbounded counts together are Poisson with mean
//! `R = π Σμ + (1−π) Σ_{no bound} μ`. Without a total they say nothing and the likelihood is
//! `Π P(L_m ≤ y_m ≤ U_m)`; with a total `N` it is the probability of the bounds and `Σ y_m + U = N`. In both
//! cases the derivative in the log of a Poisson mean `a` is `E[count | data] − a`.

use super::cut::Tables;
use super::lattice::{Lattice, Tilted};
use crate::incidence::checks::Cell;

/// How far the mean of the tilted sum may be from the total, in standard deviations: the probability of the
/// total is then at least e^{−1/8} of the highest, so that no digits are lost.
const TILT_MISS: f64 = 0.5;

/// Poisson means above this are taken as no density: no such rate can be meant.
const MAX_MEAN: f64 = 1e8;

/// What the data say, and buffers.
#[derive(Debug, Clone)]
pub(super) struct Likelihood {
    /// Index and count.
    exact: Vec<(usize, u32)>,
    /// Index, lower and upper bound, `u32::MAX` for none.
    bounded: Vec<(usize, u32, u32)>,
    /// Areas with exposure and without a bound.
    free: Vec<usize>,
    /// Areas with exposure.
    exposed: Vec<usize>,
    /// The total less the exact counts.
    rest: Option<u32>,
    lattice: Lattice,
    tilted: Vec<Tilted>,
    means: Vec<f64>,
    tables: Tables,
    /// Where the search for the tilt starts: the last one, since steps are small.
    last_tilt: f64,
}

impl Likelihood {
    /// From checked cells; `total` leaves room for all bounds.
    pub(super) fn new(cells: &[Cell], total: Option<u32>) -> Self {
        let (mut exact, mut bounded, mut free, mut exposed) = (vec![], vec![], vec![], vec![]);
        for (i, cell) in cells.iter().enumerate().filter(|(_, c)| c.exposure > 0.0) {
            exposed.push(i);
            match cell.max {
                Some(max) if max == cell.min => exact.push((i, max)),
                Some(max) => bounded.push((i, cell.min, max)),
                None if cell.min > 0 => bounded.push((i, cell.min, u32::MAX)),
                None => free.push(i),
            }
        }
        let counted = exact.iter().fold(0_u32, |sum, (_, y)| sum.saturating_add(*y));
        Self {
            tilted: vec![Tilted::default(); bounded.len()],
            means: vec![0.0; bounded.len()],
            rest: total.map(|total| total.saturating_sub(counted)),
            lattice: Lattice::default(),
            tables: Tables::new(),
            last_tilt: 0.0,
            exact,
            bounded,
            free,
            exposed,
        }
    }

    /// Whether the area is part of a sum that the data limit from above.
    pub(super) fn speaks_of(&self, area: usize) -> bool {
        let bounded = || self.bounded.iter().filter(|b| b.2 < u32::MAX).map(|b| b.0);
        match self.rest {
            Some(_) => self.exposed.contains(&area),
            None => self.exact.iter().map(|e| e.0).chain(bounded()).any(|i| i == area),
        }
    }

    /// Log-likelihood at the means `μ` and at π. `slope` gets `∂/∂ ln μ_m`; the second value is `∂/∂π`.
    /// `None` where it cannot be computed.
    pub(super) fn evaluate(&mut self, mu: &[f64], pi: f64, slope: &mut [f64]) -> Option<(f64, f64)> {
        slope.fill(0.0);
        if self.exposed.iter().any(|&i| !(mu[i] > 0.0 && mu[i] < MAX_MEAN)) {
            return None;
        }
        let located = 1.0 - pi;
        let (mut value, mut surplus) = (0.0, 0.0);
        for &(i, count) in &self.exact {
            let a = mu[i] * located;
            let y = f64::from(count);
            value += y * libm::log(a) - a - self.tables.ln_factorial(count);
            slope[i] = y - a;
            surplus += slope[i];
        }
        let Some(rest) = self.rest else {
            for &(i, lo, hi) in &self.bounded {
                let a = mu[i] * located;
                let cut = self.tables.cut_poisson(a, lo, hi, None);
                value += (self.tables.ln_sum(a, &cut) - a).min(0.0);
                slope[i] = cut.mean - a;
                surplus += slope[i];
            }
            return Some((value, -surplus / located));
        };
        let exposed: f64 = self.exposed.iter().map(|&i| mu[i]).sum();
        let open: f64 = self.free.iter().map(|&i| mu[i]).sum();
        let pool = pi * exposed + located * open;
        let (tilt, variance) = self.tilt(mu, located, pool, rest)?;
        let factor = libm::exp(tilt);
        for (&(i, lo, hi), table) in self.bounded.iter().zip(&mut self.tilted) {
            let a = mu[i] * located;
            let cut = self.tables.cut_poisson(a * factor, lo, hi, Some(table));
            value += self.tables.ln_sum(a * factor, &cut) - a;
        }
        let given = self.lattice.given_sum(&self.tilted, pool * factor, rest, variance, &mut self.means)?;
        value += pool * factor - pool - tilt * f64::from(rest) + given.ln_probability;
        for (&(i, ..), mean) in self.bounded.iter().zip(&self.means) {
            slope[i] = mean - mu[i] * located;
            surplus += slope[i];
        }
        let mut pi_slope = -surplus / located;
        if pool > 0.0 {
            let per_case = given.free / pool - 1.0;
            for &i in &self.exposed {
                slope[i] += per_case * pi * mu[i];
            }
            for &i in &self.free {
                slope[i] += per_case * located * mu[i];
            }
            pi_slope += per_case * (exposed - open);
        }
        if !value.is_finite() {
            return None;
        }
        self.last_tilt = tilt;
        Some((value, pi_slope))
    }

    /// A tilt η under which the mean of the sum is near the total, and the variance there. Any tilt gives the
    /// same probability.
    ///
    /// Newton steps on the logarithm of what the mean exceeds the lower bounds by, which is linear in η for a
    /// Poisson law, inside a shrinking bracket.
    fn tilt(&self, mu: &[f64], located: f64, pool: f64, rest: u32) -> Option<(f64, f64)> {
        let lower: f64 = self.bounded.iter().map(|(_, lo, _)| f64::from(*lo)).sum();
        let target = f64::from(rest) - lower;
        // The pool alone must not exceed what is left to it.
        let highest = if pool > 0.0 { libm::log((target + 1.0) / pool).min(700.0) } else { 700.0 };
        let (mut below, mut above) = (-700.0_f64, highest.max(-690.0));
        let mut tilt = self.last_tilt.clamp(below, above);
        for _ in 0..200 {
            let factor = libm::exp(tilt);
            let (mut excess, mut variance) = (pool * factor, pool * factor);
            for &(i, lo, hi) in &self.bounded {
                let cut = self.tables.cut_poisson(mu[i] * located * factor, lo, hi, None);
                excess += cut.mean - f64::from(lo);
                variance += cut.variance;
            }
            let miss = excess - target;
            if miss.is_finite() && miss.abs() <= TILT_MISS * variance.sqrt() {
                return Some((tilt, variance));
            }
            if miss > 0.0 {
                above = tilt;
            } else {
                below = tilt;
            }
            let step = libm::log(target / excess) * excess / variance;
            let newton = tilt + step.clamp(-40.0, 40.0);
            tilt = if newton > below && newton < above { newton } else { 0.5 * (below + above) };
        }
        None
    }
}

#[cfg(test)]
mod tests;
