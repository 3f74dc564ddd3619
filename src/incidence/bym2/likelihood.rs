//! Log-likelihood of rates and π with all counts summed out, and its gradient.
//!
//! `T_m ~ Poisson(μ_m)` splits into located counts `y_m ~ Poisson((1−π) μ_m)`, cut to their bounds, and
//! unlocated ones, `Poisson(π μ_m)`. Unlocated and unbounded counts together are Poisson with mean
//! `R = π Σμ + (1−π) Σ_{no bound} μ`. Without a total they say nothing and the likelihood is
//! `Π P(L_m ≤ y_m ≤ U_m)`; with a total `N` it is the probability of the bounds and `Σ y_m + U = N`. In both
//! cases the derivative in the log of a Poisson mean `a` is `E[count | data] − a`.

use super::lattice::{Lattice, Tilted};
use crate::incidence::checks::Cell;
use crate::incidence::unimodal;

/// Tables end where weights are below this share of the highest.
const CUT: f64 = 1e-17;

/// `ln k!` and `1/(k+1)` are tabulated up to here.
const TABLED: u32 = 1_024;

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

#[derive(Debug, Clone)]
struct Tables {
    ln_factorial: Vec<f64>,
    inverse: Vec<f64>,
}

impl Tables {
    fn new() -> Self {
        Self {
            ln_factorial: (0..TABLED).map(|k| libm::lgamma(f64::from(k) + 1.0)).collect(),
            inverse: (0..TABLED).map(|k| 1.0 / (f64::from(k) + 1.0)).collect(),
        }
    }

    fn ln_factorial(&self, k: u32) -> f64 {
        let computed = || libm::lgamma(f64::from(k) + 1.0);
        self.ln_factorial.get(k as usize).copied().unwrap_or_else(computed)
    }

    /// `1/(k+1)`.
    fn inverse(&self, k: u32) -> f64 {
        self.inverse.get(k as usize).copied().unwrap_or_else(|| 1.0 / (f64::from(k) + 1.0))
    }
}

/// Sums over a Poisson law cut to bounds.
struct Cut {
    mode: u32,
    /// Sum relative to the weight at the mode.
    sum: f64,
    mean: f64,
    variance: f64,
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

impl Tables {
    /// `ln Σ a^t/t!` over the bounds.
    fn ln_sum(&self, a: f64, cut: &Cut) -> f64 {
        f64::from(cut.mode) * libm::log(a) - self.ln_factorial(cut.mode) + libm::log(cut.sum)
    }

    /// Sums of `a^t/t!` over `lo..=hi`, outward from the mode; the probabilities go into `table`.
    fn cut_poisson(&self, a: f64, lo: u32, hi: u32, table: Option<&mut Tilted>) -> Cut {
        let mode = unimodal::floor(a).clamp(lo, hi);
        let (mut sum, mut moment, mut square) = (1.0, 0.0, 0.0);
        let mut keep = table;
        if let Some(table) = keep.as_deref_mut() {
            table.weights.clear();
        }
        let (mut weight, mut distance) = (1.0, 0.0);
        let mut first = mode;
        let inverse_a = 1.0 / a;
        for k in (lo..mode).rev() {
            weight *= (f64::from(k) + 1.0) * inverse_a;
            if weight < CUT {
                break;
            }
            distance -= 1.0;
            sum += weight;
            moment += weight * distance;
            square += weight * distance * distance;
            first = k;
            if let Some(table) = keep.as_deref_mut() {
                table.weights.push(weight);
            }
        }
        if let Some(table) = keep.as_deref_mut() {
            table.weights.reverse();
            table.weights.push(1.0);
        }
        (weight, distance) = (1.0, 0.0);
        for k in mode..hi {
            weight *= a * self.inverse(k);
            if weight < CUT {
                break;
            }
            distance += 1.0;
            sum += weight;
            moment += weight * distance;
            square += weight * distance * distance;
            if let Some(table) = keep.as_deref_mut() {
                table.weights.push(weight);
            }
        }
        let centre = moment / sum;
        let mean = f64::from(mode) + centre;
        if let Some(table) = keep {
            table.first = first;
            table.mean = mean;
            for weight in &mut table.weights {
                *weight /= sum;
            }
        }
        Cut { mode, sum, mean, variance: (square / sum - centre * centre).max(0.0) }
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::Likelihood;
    use crate::incidence::checks::Cell;
    use crate::incidence::convolution::ConvolutionFilter;
    use crate::incidence::weights::{CellWeights, ln_poisson_interval};

    fn cell(min: u32, max: Option<u32>) -> Cell {
        Cell { exposure: 1.0, min, max }
    }

    fn assert_near(got: f64, expected: f64, what: &str) {
        assert!((got - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{what}: {got} is not {expected}");
    }

    fn filter(cells: &[Cell], mu: &[f64], pi: f64, total: u32) -> ConvolutionFilter {
        let mut pool = pi * mu.iter().sum::<f64>();
        let mut tables = Vec::new();
        for (cell, mu) in cells.iter().zip(mu) {
            match cell.max {
                None if cell.min == 0 => pool += (1.0 - pi) * mu,
                max => {
                    let last = max.unwrap_or(total);
                    tables.push(CellWeights::poisson((1.0 - pi) * mu, cell.min, last).unwrap());
                }
            }
        }
        if pool > 0.0 {
            tables.push(CellWeights::poisson(pool, 0, total).unwrap());
        }
        ConvolutionFilter::new(&tables, Some(total)).unwrap()
    }

    /// The Fourier sum against the convolution filter, far into the tails.
    #[test]
    fn the_likelihood_with_a_total_is_that_of_the_filter() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        for case in 0..60 {
            let n = 1 + case % 12;
            let cells: Vec<Cell> = (0..n)
                .map(|_| match rng.random_range(0..5) {
                    0 => {
                        let y = rng.random_range(0..30);
                        cell(y, Some(y))
                    }
                    1 => cell(1, Some(14)),
                    2 => cell(0, Some(14)),
                    3 => cell(rng.random_range(1..6), None),
                    _ => cell(0, None),
                })
                .collect();
            let mu: Vec<f64> = (0..n).map(|_| 10_f64.powf(rng.random_range(-2.0..2.0))).collect();
            let pi = if case % 3 == 0 { 0.0 } else { rng.random_range(0.001..0.9) };
            let lower: u32 = cells.iter().map(|c| c.min).sum();
            let room = cells.iter().map(|c| c.max.map_or(50, |max| max - c.min)).sum::<u32>();
            let total = lower + if room == 0 { 0 } else { rng.random_range(0..=room) };
            let mut likelihood = Likelihood::new(&cells, Some(total));
            let mut slope = vec![0.0; n];
            let (value, pi_slope) = likelihood.evaluate(&mu, pi, &mut slope).unwrap();
            let filter = filter(&cells, &mu, pi, total);
            assert_near(value, filter.ln_normaliser(), "value");
            let means = filter.means();
            let mut k = 0;
            let located = 1.0 - pi;
            let mut pool_share = 0.0;
            if pi > 0.0 || cells.iter().any(|c| c.max.is_none() && c.min == 0) {
                let pool = pi * mu.iter().sum::<f64>()
                    + cells
                        .iter()
                        .zip(&mu)
                        .filter(|(c, _)| c.max.is_none() && c.min == 0)
                        .map(|(_, m)| located * m)
                        .sum::<f64>();
                pool_share = means.last().unwrap() / pool - 1.0;
            }
            for (i, c) in cells.iter().enumerate() {
                let own = if c.max.is_none() && c.min == 0 {
                    pool_share * located * mu[i]
                } else {
                    k += 1;
                    means[k - 1] - located * mu[i]
                };
                assert_near(slope[i], own + pool_share * pi * mu[i], "slope");
            }
            if pi > 0.0 {
                let mut shifted = vec![0.0; n];
                let h = 1e-6 * pi;
                let up = likelihood.evaluate(&mu, pi + h, &mut shifted).unwrap().0;
                let down = likelihood.evaluate(&mu, pi - h, &mut shifted).unwrap().0;
                let numeric = (up - down) / (2.0 * h);
                assert!((pi_slope - numeric).abs() < 1e-5 * numeric.abs().max(10.0), "{pi_slope} {numeric}");
            }
        }
    }

    #[test]
    fn without_a_total_it_is_that_of_the_bounds() {
        let cells = [cell(3, Some(3)), cell(1, Some(14)), cell(0, Some(14)), cell(4, None), cell(0, None)];
        let mu = [2.5, 30.0, 0.01, 3.0, 7.0];
        let mut likelihood = Likelihood::new(&cells, None);
        let mut slope = vec![0.0; 5];
        let (value, _) = likelihood.evaluate(&mu, 0.2, &mut slope).unwrap();
        let expected: f64 = cells
            .iter()
            .zip(&mu)
            .map(|(c, m)| ln_poisson_interval(0.8 * m, c.min, c.max.unwrap_or(u32::MAX)))
            .sum();
        assert_near(value, expected, "value");
        assert_eq!(slope[4], 0.0);
        for i in 0..4 {
            let shifted = |h: f64| {
                let mut mu = mu;
                mu[i] *= h.exp();
                Likelihood::new(&cells, None).evaluate(&mu, 0.2, &mut [0.0; 5]).unwrap().0
            };
            let numeric = (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
            assert!((slope[i] - numeric).abs() < 1e-7 * numeric.abs().max(1.0));
        }
    }

    /// The search for the tilt starts at the last one: wherever that was, the answer is the same.
    #[test]
    fn an_evaluation_does_not_depend_on_the_one_before() {
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        let cells: Vec<Cell> = (0..60)
            .map(|i| match i % 10 {
                0 => cell(20, Some(20)),
                1 => cell(1, Some(14)),
                _ => cell(0, Some(14)),
            })
            .collect();
        let mut likelihood = Likelihood::new(&cells, Some(320));
        for _ in 0..1_000 {
            let (level, spread) = (rng.random_range(-30.0..8.0), rng.random_range(0.0..5.0));
            let mu: Vec<f64> =
                (0..60).map(|_| f64::exp(level + spread * rng.random_range(-2.0..2.0))).collect();
            let pi = f64::exp(rng.random_range(-300.0..-0.05));
            let mut slopes = [vec![0.0; 60], vec![0.0; 60]];
            let warm = likelihood.evaluate(&mu, pi, &mut slopes[0]);
            let fresh = Likelihood::new(&cells, Some(320)).evaluate(&mu, pi, &mut slopes[1]);
            let (Some(warm), Some(fresh)) = (warm, fresh) else {
                panic!("{level} {spread} {pi} {warm:?} {fresh:?}")
            };
            assert_near(warm.0, fresh.0, "value");
            for (warm, fresh) in slopes[0].iter().zip(&slopes[1]) {
                assert_near(*warm, *fresh, "slope");
            }
        }
    }
}
