//! Many cells with Gamma rates at once: `T_m ~ NB(α, β/(β+E_m))`, `y_m | T_m ~ Bin(T_m, 1−π)` within its bounds.
//!
//! With a total, each cell is a table over `t`, whose parts are shared: the rising factor
//! `ln Γ(α+t)/(Γ(α) t!)` by all cells, and `ln P(L ≤ Bin(t, 1−π) ≤ U)` by all cells with the same bounds. Tables end
//! where the tilt that the total needs leaves nothing (see [`ConvolutionFilter`]).
//!
//! Without a total the cells are independent, and integrating over the cases that were not located leaves
//! `y_m ~ NB(α, β/(β + (1−π) E_m))` and `T_m − y_m | y_m ~ NB(α + y_m, …)`: no table is needed.

use std::collections::BTreeMap;

use rand::Rng;
use rand_distr::{Distribution, Gamma, Poisson};
use statrs::function::beta::checked_beta_reg;
use statrs::function::gamma::ln_gamma;

use super::checks::Cell;
use super::convolution::{ConvolutionFilter, MAX_TILT};
use super::error::IncidenceError;
use super::unimodal;
use super::weights::{CellWeights, ln_located, ln_rising};

/// Logarithm of the share of the highest weight below which the end of a table is left out.
pub(super) const NEGLIGIBLE: f64 = -80.0;

/// Entries that shared tables may hold together.
const MOST_SHARED: usize = 2_000_000;

/// How far the tilt may lie above the one for which tables were made, before they are made anew.
const TILT_MARGIN: f64 = 0.02;

/// Shape and rate of the law of rates, and the probability that a case is not located.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Hyper {
    pub alpha: f64,
    pub beta: f64,
    pub pi: f64,
}

/// `ln P(min ≤ Bin(t, 1−π) ≤ max)` for the bounds of the cells, from `t = min` on, at one π, as far as it is likely to be
/// asked for.
#[derive(Debug)]
pub(super) struct LocatedTables {
    pi: f64,
    tables: BTreeMap<(u32, Option<u32>), Vec<f64>>,
}

impl LocatedTables {
    /// For `t` up to `min + slack` at most.
    pub(super) fn new(cells: &[Cell], slack: u32, pi: f64) -> Self {
        let mut tables = BTreeMap::new();
        for cell in cells.iter().filter(|c| c.exposure > 0.0) {
            tables.entry((cell.min, cell.max)).or_insert_with(|| {
                let likely =
                    unimodal::floor(2.0 * f64::from(cell.max.unwrap_or(cell.min)) / (1.0 - pi).max(0.01));
                let last = cell.min.saturating_add(slack.min(likely.saturating_add(300)));
                // Where every case is located the bound ends the table.
                let last = if pi > 0.0 { last } else { cell.max.map_or(last, |max| max.min(last)) };
                ln_within(cell.min, cell.max, last, pi)
            });
        }
        if tables.values().map(Vec::len).sum::<usize>() > MOST_SHARED {
            tables.clear();
        }
        Self { pi, tables }
    }

    fn of(&self, cell: &Cell) -> &[f64] {
        self.tables.get(&(cell.min, cell.max)).map_or(&[], Vec::as_slice)
    }
}

/// `ln P(min ≤ Bin(t, 1−π) ≤ max)` for `t` in `min..=last`.
fn ln_within(min: u32, max: Option<u32>, last: u32, pi: f64) -> Vec<f64> {
    /// Widest interval for which the law is carried from one `t` to the next.
    const CARRIED: u32 = 64;
    /// Powers of ten between the terms of one `t` at most, by their odds alone.
    const DECADES: f64 = 200.0;
    let decades = |min: u32, max: u32| f64::from(max - min) * -pi.min(1.0 - pi).log10();
    match max {
        _ if min == 0 && max.is_none_or(|max| max >= last) => vec![0.0; last as usize + 1],
        Some(max) if pi > 0.0 && max - min <= CARRIED && decades(min, max) <= DECADES => {
            carried(min, max, last, pi)
        }
        // Wide intervals cost as much to share as to ask for.
        _ if max.is_some() && pi > 0.0 => Vec::new(),
        _ => (min..=last).map(|t| ln_located(t, min, max, pi)).collect(),
    }
}

/// The same by the recurrence `b(t+1, y) = π b(t, y) + (1−π) b(t, y−1)` on `y` in `min..=max`, with
/// `b(t, min−1)` in closed form. All terms are positive, so nothing cancels.
fn carried(min: u32, max: u32, last: u32, pi: f64) -> Vec<f64> {
    let p = 1.0 - pi;
    // Relative to e^scale; at t = min only y = min is possible.
    let mut law = vec![0.0; (max - min) as usize + 1];
    law[0] = 1.0;
    let mut scale = f64::from(min) * p.ln();
    // ln b(t, min−1), from t = min on.
    let mut ln_below =
        if min > 0 { f64::from(min).ln() + f64::from(min - 1) * p.ln() + pi.ln() } else { f64::NEG_INFINITY };
    let mut out = Vec::with_capacity((last - min) as usize + 1);
    for t in min..=last {
        let sum: f64 = law.iter().sum();
        out.push((scale + sum.ln()).min(0.0));
        let mut before = (ln_below - scale).exp();
        for slot in &mut law {
            let own = *slot;
            *slot = pi * own + p * before;
            before = own;
        }
        if min > 0 {
            let x = f64::from(t) + 1.0;
            ln_below += x.ln() - (x - f64::from(min - 1)).ln() + pi.ln();
        }
        if !(1e-10..1e10).contains(&sum) {
            let sum: f64 = law.iter().sum();
            if sum > 0.0 && sum.is_finite() {
                for v in &mut law {
                    *v /= sum;
                }
                scale += sum.ln();
            }
        }
    }
    out
}

/// The filter of all cells given the total, started from a tilt that may be near.
pub(super) fn filter(
    cells: &[Cell],
    total: u32,
    hyper: Hyper,
    located: &LocatedTables,
    budget: u64,
    tilt: f64,
) -> Result<ConvolutionFilter, IncidenceError> {
    debug_assert!(located.pi.total_cmp(&hyper.pi).is_eq());
    let lower: u64 = cells.iter().map(|c| u64::from(c.min)).sum();
    let slack = u32::try_from(u64::from(total).saturating_sub(lower)).unwrap_or(u32::MAX);
    let longest = cells.iter().map(|c| c.min.saturating_add(slack).min(total)).max().unwrap_or(0);
    let mut rising = Rising::new(hyper.alpha);
    rising.reach(longest.min(1_000));
    fitted(cells, total, budget, tilt, |cell, tilt| {
        let last = cell.min.saturating_add(slack);
        let last = if hyper.pi > 0.0 { last } else { cell.max.map_or(last, |max| max.min(last)) };
        table(cell, hyper, (located.of(cell), last), &mut rising, tilt)
    })
}

/// The filter of cells whose tables, made by `table` for a tilt, end where that tilt leaves nothing.
pub(super) fn fitted(
    cells: &[Cell],
    total: u32,
    budget: u64,
    tilt: f64,
    mut table: impl FnMut(&Cell, f64) -> Result<CellWeights, IncidenceError>,
) -> Result<ConvolutionFilter, IncidenceError> {
    let (mut tilt, mut more) = (tilt, 0.1);
    loop {
        let (mut entries, mut reach) = (0, 0_u64);
        let mut tables = Vec::with_capacity(cells.len());
        for cell in cells {
            let table = table(cell, tilt + TILT_MARGIN)?;
            entries += table.ln().len() as u64;
            if entries > budget {
                let what = "entries of tables";
                return Err(IncidenceError::TooLarge { what, size: entries, limit: budget });
            }
            reach += u64::from(table.last());
            tables.push(table);
        }
        if reach < u64::from(total) && tilt < MAX_TILT {
            // The ends that were left out are needed.
            tilt += more;
            more *= 2.0;
            continue;
        }
        let found = ConvolutionFilter::find_tilt(&tables, total, tilt)?;
        if found <= tilt + TILT_MARGIN {
            return ConvolutionFilter::tilted(&tables, total, budget, found);
        }
        tilt = found;
    }
}

/// `ln Γ(α+t)/(Γ(α) t!)` from `t = 0` on, as far as it was asked for.
struct Rising {
    alpha: f64,
    ln: Vec<f64>,
}

impl Rising {
    fn new(alpha: f64) -> Self {
        Self { alpha, ln: vec![0.0] }
    }

    fn reach(&mut self, last: u32) {
        while self.ln.len() <= last as usize {
            let t = self.ln.len() as f64 - 1.0;
            let before = self.ln.last().copied().unwrap_or(0.0);
            self.ln.push(before + ((self.alpha + t) / (t + 1.0)).ln());
        }
    }

    fn at(&mut self, t: u32) -> f64 {
        if t as usize >= self.ln.len() {
            self.reach(t.saturating_add(255));
        }
        self.ln[t as usize]
    }
}

/// The weights of a cell up to `last`; what `located` does not hold is worked out.
fn table(
    cell: &Cell,
    hyper: Hyper,
    (located, last): (&[f64], u32),
    rising: &mut Rising,
    tilt: f64,
) -> Result<CellWeights, IncidenceError> {
    if cell.exposure <= 0.0 {
        return CellWeights::new(0, vec![0.0]);
    }
    let Hyper { alpha, beta, pi } = hyper;
    let ln_q = (cell.exposure / (beta + cell.exposure)).ln();
    let start = -alpha * (cell.exposure / beta).ln_1p();
    let settled = match cell.max {
        _ if cell.min == 0 && cell.max.is_none() => 0.0,
        Some(max) => f64::from(max) / (1.0 - pi),
        None => f64::INFINITY,
    };
    let (mut highest, mut before) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
    let mut ln = Vec::with_capacity(256);
    for count in cell.min..=last {
        let within = located.get((count - cell.min) as usize).copied();
        let within = within.unwrap_or_else(|| ln_located(count, cell.min, cell.max, pi));
        let t = f64::from(count);
        let w = start + rising.at(count) + t.mul_add(ln_q, within);
        ln.push(w);
        let tilted = t.mul_add(tilt, w);
        highest = highest.max(tilted);
        // Past `settled` the binomial factor falls ever faster, and the ratio of successive NB terms goes
        // towards E/(β+E): where the step is downward under both, it stays so.
        let step = tilted - before;
        if tilted < highest + NEGLIGIBLE && t > settled && step < 0.0 && step < ((alpha + t) / (t + 1.0)).ln()
        {
            break;
        }
        before = tilted;
    }
    CellWeights::new(cell.min, ln)
}

/// Probabilities below this are summed term by term.
const TINY: f64 = 1e-200;

/// A cell without a total: its located count alone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Located {
    alpha: f64,
    /// `(1−π)E / (β + (1−π)E)`.
    q: f64,
    min: u32,
    max: Option<u32>,
}

impl Located {
    fn new(cell: &Cell, hyper: Hyper) -> Self {
        let exposure = (1.0 - hyper.pi) * cell.exposure;
        Self { alpha: hyper.alpha, q: exposure / (hyper.beta + exposure), min: cell.min, max: cell.max }
    }

    /// Where so many cases of the cell are known to have no place.
    pub(super) fn given(cell: &Cell, hyper: Hyper, unlocated: u32) -> Self {
        let q = (1.0 - hyper.pi) * cell.exposure / (hyper.beta + cell.exposure);
        Self { alpha: hyper.alpha + f64::from(unlocated), q, min: cell.min, max: cell.max }
    }

    fn law(&self) -> unimodal::Unimodal<impl Fn(u32) -> f64 + use<>> {
        unimodal::negative_binomial(self.alpha, self.q, self.min, self.max.unwrap_or(u32::MAX))
    }

    /// `P(y ≥ min) = I_q(min, α)`.
    fn above(&self) -> f64 {
        if self.min == 0 {
            return 1.0;
        }
        checked_beta_reg(self.min.into(), self.alpha, self.q).unwrap_or(0.0)
    }

    /// A draw of the located count.
    pub(super) fn sample(&self, rng: &mut impl Rng) -> u32 {
        // Where there is no upper bound a walk over counts would be as long as the mean; far in the tail it is short.
        if self.max.is_none() && self.above() > 1e-3 {
            for _ in 0..100_000 {
                let y = poisson(gamma(self.alpha, (1.0 - self.q) / self.q, rng), rng);
                if y >= self.min {
                    return y;
                }
            }
        }
        self.law().sample(rng)
    }

    /// Mean of the located count.
    fn mean(&self) -> f64 {
        let free = self.alpha * self.q / (1.0 - self.q);
        match (self.min, self.max) {
            (0, None) => free,
            // y NB(y; α) = αq/(1−q) NB(y−1; α+1).
            (min, None) if self.above() > TINY => {
                let more = Self { alpha: self.alpha + 1.0, min: min - 1, ..*self };
                free * more.above() / self.above()
            }
            _ => self.law().mean(),
        }
    }

    /// `ln P(min ≤ y ≤ max)`.
    pub(super) fn ln_probability(&self) -> f64 {
        match (self.min, self.max) {
            (0, None) => 0.0,
            // P(y ≥ min), where the incomplete beta function can hold it.
            (_, None) if self.above() > TINY => self.above().ln(),
            _ => {
                let law = self.law();
                let k = f64::from(law.mode());
                let ln_mode = ln_rising(self.alpha, k) - ln_gamma(k + 1.0)
                    + self.alpha * (-self.q).ln_1p()
                    + if k > 0.0 { k * self.q.ln() } else { 0.0 };
                (ln_mode + law.relative_sum().ln()).min(0.0)
            }
        }
    }
}

/// Log-probability of all bounds, without a total.
pub(super) fn ln_likelihood(cells: &[Cell], hyper: Hyper) -> f64 {
    cells.iter().filter(|c| c.exposure > 0.0).map(|c| Located::new(c, hyper).ln_probability()).sum()
}

/// A draw without a total: the cases of each cell and how many of them were located.
pub(super) fn sample_free(cells: &[Cell], hyper: Hyper, rng: &mut impl Rng) -> (Vec<u32>, Vec<u32>) {
    let one = |cell: &Cell| {
        if cell.exposure <= 0.0 {
            return (0, 0);
        }
        let y = Located::new(cell, hyper).sample(rng);
        let unlocated = if hyper.pi > 0.0 {
            let rate = hyper.beta + (1.0 - hyper.pi) * cell.exposure;
            let mean = gamma(hyper.alpha + f64::from(y), rate / (hyper.pi * cell.exposure), rng);
            poisson(mean, rng)
        } else {
            0
        };
        (y.saturating_add(unlocated), y)
    };
    cells.iter().map(one).unzip()
}

/// Means of the cases without a total: `E[T] = E[y] + (α + E[y]) πE/(β + (1−π)E)`.
pub(super) fn means_free(cells: &[Cell], hyper: Hyper) -> Vec<f64> {
    let mean = |cell: &Cell| {
        if cell.exposure <= 0.0 {
            return 0.0;
        }
        let y = Located::new(cell, hyper).mean();
        let rate = hyper.beta + (1.0 - hyper.pi) * cell.exposure;
        y + (hyper.alpha + y) * hyper.pi * cell.exposure / rate
    };
    cells.iter().map(mean).collect()
}

/// `ln Π NB(T_m; α, β/(β+E_m))` of known cases as a function of (α, β), without what does not depend on them.
pub(super) struct CasesDensity {
    /// Exposure and cases, of cells with exposure.
    cells: Vec<(f64, f64)>,
    /// Counts above 0 and how many cells have them: few counts are common to many cells.
    tally: Vec<(f64, f64)>,
    sum: f64,
}

impl CasesDensity {
    pub(super) fn new(cells: &[Cell], cases: &[u32]) -> Self {
        let exposed = || cells.iter().zip(cases).filter(|(c, _)| c.exposure > 0.0);
        let mut counts: Vec<u32> = exposed().map(|(_, t)| *t).filter(|t| *t > 0).collect();
        counts.sort_unstable();
        let tally =
            counts.chunk_by(|a, b| a == b).map(|same| (f64::from(same[0]), same.len() as f64)).collect();
        Self {
            cells: exposed().map(|(c, t)| (c.exposure, f64::from(*t))).collect(),
            tally,
            sum: counts.iter().map(|t| f64::from(*t)).sum(),
        }
    }

    /// `Σ ln Γ(α+T)/Γ(α)`.
    pub(super) fn shape(&self, alpha: f64) -> f64 {
        self.tally.iter().map(|(t, n)| n * ln_rising(alpha, *t)).sum()
    }

    /// `−Σ (α+T) ln(1 + E/β) − ΣT ln β`.
    pub(super) fn rate(&self, alpha: f64, beta: f64) -> f64 {
        let spread: f64 = self.cells.iter().map(|(e, t)| (alpha + t) * (e / beta).ln_1p()).sum();
        -spread - self.sum * beta.ln()
    }
}

/// A Gamma draw; its mean where a parameter is beyond `f64`.
pub(super) fn gamma(shape: f64, rate: f64, rng: &mut impl Rng) -> f64 {
    Gamma::new(shape, 1.0 / rate).map_or(shape / rate, |law| law.sample(rng))
}

/// A Poisson draw; 0 for a mean of 0.
pub(super) fn poisson(mean: f64, rng: &mut impl Rng) -> u32 {
    // The only error is a mean that is not positive and finite; large means are refused on preparation.
    Poisson::new(mean).map_or(0, |law| unimodal::floor(law.sample(rng)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incidence::GammaCell;

    #[test]
    fn the_carried_law_is_the_binomial_one() {
        for (min, max, pi) in
            [(0, 14, 0.1), (1, 14, 0.3), (5, 5, 0.02), (224, 224, 0.1), (40, 90, 1e-4), (3, 9, 0.97)]
        {
            let last = max + 400;
            let got = carried(min, max, last, pi);
            for (t, got) in (min..=last).zip(got) {
                let expected = ln_located(t, min, Some(max), pi);
                assert!(
                    (got - expected).abs() < 1e-9 * expected.abs().max(1.0),
                    "{min} {max} {pi} {t}: {got} {expected}"
                );
            }
        }
    }

    #[test]
    fn shared_tables_are_those_of_single_cells() {
        let bounds = [(0, None), (0, Some(14)), (1, Some(14)), (23, Some(23)), (4, None)];
        for pi in [0.0, 0.1] {
            for alpha in [0.3, 1.0, 12.0] {
                let hyper = Hyper { alpha, beta: 1e5 * alpha, pi };
                let cells: Vec<Cell> =
                    bounds.iter().map(|&(min, max)| Cell { exposure: 7e5, min, max }).collect();
                let located = LocatedTables::new(&cells, 200, pi);
                let mut rising = Rising::new(alpha);
                for cell in &cells {
                    let last = if pi > 0.0 { cell.min + 200 } else { cell.max.unwrap_or(cell.min + 200) };
                    let got = table(cell, hyper, (located.of(cell), last), &mut rising, 0.0).unwrap();
                    let one = GammaCell {
                        exposure: 7e5,
                        min: cell.min,
                        max: cell.max,
                        alpha,
                        beta: hyper.beta,
                        pi,
                    };
                    let limit = cell.min + 200;
                    let expected = CellWeights::gamma(&one, Some(limit)).unwrap();
                    assert_eq!(got.first(), expected.first());
                    for (a, b) in got.ln().iter().zip(expected.ln()) {
                        assert!((a - b).abs() < 1e-9 * b.abs().max(1.0), "{cell:?} {a} {b}");
                    }
                    // What is left out is negligible.
                    let highest = expected.ln().iter().copied().fold(f64::NEG_INFINITY, f64::max);
                    assert!(expected.ln()[got.ln().len()..].iter().all(|w| *w < highest + NEGLIGIBLE + 1e-9));
                }
            }
        }
    }
}
