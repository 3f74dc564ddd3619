//! Cells whose counts add up to a total: exact likelihood, means and draws.
//!
//! For independent cells with weights `w_k(t)` and the condition `Σ t_k = N`:
//!
//! 1. *tilt*: replace `w_k(t)` by `w_k(t) e^{ηt}`, with η such that the mean of the sum is N. The law given
//!    the total does not change (every configuration gains the same `e^{ηN}`), but N moves from a tail,
//!    where messages would underflow, to the middle (Daniels 1954, Ann. Math. Stat. 25:631);
//! 2. *filter forward*: `a_k(s) = Σ_t a_{k−1}(s−t) w_k(t)`, each message scaled to a maximum of 1 and its
//!    scale kept as a logarithm. `ln Z = ln Σ Π w_k(t_k)` is the sum of the scales, less ηN;
//! 3. *sample backward*: from `s = N`, `P(t_k = t | s) ∝ a_{k−1}(s−t) w_k(t)`, then `s ← s − t`.
//!    It is the forward filter, backward sampling of hidden Markov models (Rabiner 1989, Proc. IEEE 77:257),
//!    with the partial sum as the state.
//!
//! Tilted weights and message entries below 1e-40 of their maximum are cut off at the ends. What is lost is
//! far below the rounding of `f64`, and a total of 200,000 keeps supports of a few thousand counts.
//! A message holds only partial sums from which the total can be reached.

use rand::Rng;

use super::error::IncidenceError;
use super::root::tilt_for;
use super::table::{Table, convolve, mean, overlap, pick};
use super::weights::{CellWeights, MAX_COUNT, too_many_counts};

/// Entries of all tables and messages that filters may hold together (8 bytes each).
pub const MAX_ENTRIES: u64 = 50_000_000;

/// Multiplications allowed per entry of the budget.
const WORK_PER_ENTRY: u64 = 200;

/// Weights whose logarithm is this far below the highest add nothing to moments.
const NEGLIGIBLE: f64 = -60.0;

/// Tilts beyond this leave one count per cell, whatever the weights.
pub(super) const MAX_TILT: f64 = 500.0;

/// Independent cells, with or without a condition on their sum; see the module's documentation.
#[derive(Debug, Clone)]
pub struct ConvolutionFilter {
    cells: Vec<Table>,
    /// `a_k` for the sum of cells `0..=k`; empty without a total.
    messages: Vec<Table>,
    total: Option<u32>,
    ln_normaliser: f64,
    tilt: f64,
}

impl ConvolutionFilter {
    /// Prepares the cells. With a total the condition is `Σ t_k = total`; without, the cells stay
    /// independent and the normaliser is the product of their sums.
    ///
    /// # Errors
    /// [`IncidenceError::NoCells`]; [`IncidenceError::LowerBoundsAboveTotal`] or
    /// [`IncidenceError::UpperBoundsBelowTotal`] where the supports cannot add up to the total;
    /// [`IncidenceError::TooLarge`] above [`MAX_ENTRIES`]; [`IncidenceError::Impossible`].
    pub fn new(cells: &[CellWeights], total: Option<u32>) -> Result<Self, IncidenceError> {
        Self::with_budget(cells, total, MAX_ENTRIES)
    }

    /// As [`ConvolutionFilter::new`], with a smaller share of the memory.
    pub(super) fn with_budget(
        cells: &[CellWeights],
        total: Option<u32>,
        budget: u64,
    ) -> Result<Self, IncidenceError> {
        if cells.is_empty() {
            return Err(IncidenceError::NoCells);
        }
        let Some(total) = total else {
            return Self::independent(cells);
        };
        if total > MAX_COUNT {
            return Err(too_many_counts(total.into()));
        }
        let tilt = Self::find_tilt(cells, total, 0.0)?;
        Self::tilted(cells, total, budget, tilt)
    }

    /// The tilt that moves the mean of the sum to the total, looked for from `start` on.
    pub(super) fn find_tilt(cells: &[CellWeights], total: u32, start: f64) -> Result<f64, IncidenceError> {
        let lower: u64 = cells.iter().map(|c| u64::from(c.first())).sum();
        let upper: u64 = cells.iter().map(|c| u64::from(c.last())).sum();
        if lower > total.into() {
            return Err(IncidenceError::LowerBoundsAboveTotal { lower, total });
        }
        if upper < total.into() {
            return Err(IncidenceError::UpperBoundsBelowTotal { upper, total });
        }
        find_tilt(cells, total, (lower, upper), start)
    }

    /// The filter under a tilt from [`ConvolutionFilter::find_tilt`].
    pub(super) fn tilted(
        cells: &[CellWeights],
        total: u32,
        budget: u64,
        tilt: f64,
    ) -> Result<Self, IncidenceError> {
        let mut ln_normaliser = -tilt * f64::from(total);
        let mut tables = Vec::with_capacity(cells.len());
        for cell in cells {
            let (table, ln_scale) = tilted(cell, tilt)?;
            ln_normaliser += ln_scale;
            tables.push(table);
        }
        let messages = forward(&tables, total, budget, &mut ln_normaliser)?;
        Ok(Self { cells: tables, messages, total: Some(total), ln_normaliser, tilt })
    }

    fn independent(cells: &[CellWeights]) -> Result<Self, IncidenceError> {
        let mut ln_normaliser = 0.0;
        let mut tables = Vec::with_capacity(cells.len());
        for cell in cells {
            let (table, ln_scale) = tilted(cell, 0.0)?;
            ln_normaliser += ln_scale + table.values.iter().sum::<f64>().ln();
            tables.push(table);
        }
        Ok(Self { cells: tables, messages: Vec::new(), total: None, ln_normaliser, tilt: 0.0 })
    }

    /// `ln Σ Π_k w_k(t_k)` over all counts that respect the condition. With normalised cell laws it is the
    /// log-probability of the bounds and the total.
    #[must_use]
    pub const fn ln_normaliser(&self) -> f64 {
        self.ln_normaliser
    }

    /// `η` of the tilt.
    pub(super) const fn tilt(&self) -> f64 {
        self.tilt
    }

    /// Number of cells.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.cells.len()
    }

    /// Entries held, 8 bytes each.
    #[must_use]
    pub fn entries(&self) -> u64 {
        entries(&self.cells) + entries(&self.messages)
    }

    /// One draw of all counts, exactly from their joint law; with a total they add up to it.
    pub fn sample(&self, rng: &mut impl Rng) -> Vec<u32> {
        let mut counts = vec![0; self.cells.len()];
        let Some(mut sum) = self.total else {
            for (count, cell) in counts.iter_mut().zip(&self.cells) {
                *count = cell.first + pick(&cell.values, rng);
            }
            return counts;
        };
        let mut products = Vec::new();
        for k in (1..self.cells.len()).rev() {
            let (cell, before) = (&self.cells[k], &self.messages[k - 1]);
            let first = overlap(before, cell, sum, &mut products);
            counts[k] = first + pick(&products, rng);
            sum -= counts[k];
        }
        counts[0] = sum;
        counts
    }

    /// Exact means of all counts, by a backward pass: with `g_k` the law of the partial sum `S_k`,
    /// `g_{k−1}(s) = Σ_t g_k(s+t) a_{k−1}(s) w_k(t) / a_k(s+t)` and `E t_k = E S_k − E S_{k−1}`.
    #[must_use]
    pub fn means(&self) -> Vec<f64> {
        let Some(total) = self.total else {
            return self.cells.iter().map(|c| mean(c.first, &c.values)).collect();
        };
        let mut means = vec![0.0; self.cells.len()];
        let mut law = Table { first: total, values: vec![1.0] };
        let mut products = Vec::new();
        for k in (1..self.cells.len()).rev() {
            let (cell, before) = (&self.cells[k], &self.messages[k - 1]);
            let mut earlier = vec![0.0; before.values.len()];
            for (sum, mass) in (law.first..).zip(&law.values) {
                if *mass <= 0.0 {
                    continue;
                }
                let first = overlap(before, cell, sum, &mut products);
                if products.is_empty() {
                    continue;
                }
                let scale = mass / products.iter().sum::<f64>();
                // The count `first` leaves the highest earlier sum, the next count one less, and so on.
                let highest = (sum - first - before.first) as usize;
                for (slot, product) in earlier[..=highest].iter_mut().rev().zip(&products) {
                    *slot += scale * product;
                }
            }
            let earlier = Table { first: before.first, values: earlier };
            means[k] = mean(law.first, &law.values) - mean(earlier.first, &earlier.values);
            law = earlier;
        }
        means[0] = mean(law.first, &law.values);
        means
    }
}

fn entries(tables: &[Table]) -> u64 {
    tables.iter().map(|t| t.values.len() as u64).sum()
}

/// The weights `w(t) e^{ηt}`, scaled to a maximum of 1, and the logarithm of the scale.
fn tilted(cell: &CellWeights, tilt: f64) -> Result<(Table, f64), IncidenceError> {
    let exponents = || (cell.first()..).zip(cell.ln()).map(move |(t, w)| w + tilt * f64::from(t));
    let highest = exponents().fold(f64::NEG_INFINITY, f64::max);
    if !highest.is_finite() {
        return Err(IncidenceError::Impossible);
    }
    let mut table = Table { first: cell.first(), values: exponents().map(|w| weight(w - highest)).collect() };
    let ln_scale = table.normalise()?;
    Ok((table, highest + ln_scale))
}

/// `e^x`, or 0 far below what tables keep.
fn weight(x: f64) -> f64 {
    if x < -120.0 { 0.0 } else { x.exp() }
}

/// Mean and variance of the sum of the cells under a tilt.
fn tilted_moments(cells: &[CellWeights], tilt: f64) -> (f64, f64) {
    let (mut mean, mut variance) = (0.0, 0.0);
    for cell in cells {
        let exponents = || (cell.first()..).zip(cell.ln()).map(move |(t, w)| w + tilt * f64::from(t));
        let highest = exponents().fold(f64::NEG_INFINITY, f64::max);
        let (mut sum, mut first, mut second) = (0.0, 0.0, 0.0);
        for (i, w) in exponents().enumerate() {
            #[expect(clippy::cast_precision_loss, reason = "a table has at most MAX_COUNT + 1 entries")]
            let x = i as f64;
            let below = w - highest;
            if below < NEGLIGIBLE {
                continue;
            }
            let p = below.exp();
            sum += p;
            first += p * x;
            second += p * x * x;
        }
        let centre = first / sum;
        mean += f64::from(cell.first()) + centre;
        variance += (second / sum - centre * centre).max(0.0);
    }
    (mean, variance)
}

/// The tilt that moves the mean of the sum to the total.
fn find_tilt(
    cells: &[CellWeights],
    total: u32,
    (lower, upper): (u64, u64),
    start: f64,
) -> Result<f64, IncidenceError> {
    let target = u64::from(total);
    // At the ends of the support the tilt would be infinite.
    if target == upper {
        return Ok(if lower == upper { 0.0 } else { MAX_TILT });
    }
    if target == lower {
        return Ok(-MAX_TILT);
    }
    tilt_for(f64::from(total), (-MAX_TILT, MAX_TILT), start, 0.05, |tilt| Ok(tilted_moments(cells, tilt)))
}

/// The forward messages, each over the partial sums from which the total can be reached.
fn forward(
    cells: &[Table],
    total: u32,
    budget: u64,
    ln_normaliser: &mut f64,
) -> Result<Vec<Table>, IncidenceError> {
    let mut rest_lower: u64 = cells.iter().map(|c| u64::from(c.first)).sum();
    let mut rest_upper: u64 = cells.iter().map(|c| u64::from(c.last())).sum();
    let (mut held, mut work) = (entries(cells), 0_u64);
    let mut messages: Vec<Table> = Vec::with_capacity(cells.len());
    let empty_sum = Table { first: 0, values: vec![1.0] };
    for cell in cells {
        rest_lower -= u64::from(cell.first);
        rest_upper -= u64::from(cell.last());
        let before = messages.last().unwrap_or(&empty_sum);
        let lo = u64::from(before.first + cell.first).max(u64::from(total).saturating_sub(rest_upper));
        let hi = u64::from(before.last() + cell.last()).min(u64::from(total).saturating_sub(rest_lower));
        let (Ok(lo), Ok(hi)) = (u32::try_from(lo), u32::try_from(hi)) else {
            return Err(IncidenceError::Impossible);
        };
        if lo > hi {
            return Err(IncidenceError::Impossible);
        }
        held += u64::from(hi - lo) + 1;
        if held > budget {
            return Err(IncidenceError::TooLarge { what: "entries of tables", size: held, limit: budget });
        }
        work += before.values.len() as u64 * cell.values.len() as u64;
        if work > budget.saturating_mul(WORK_PER_ENTRY) {
            let limit = budget.saturating_mul(WORK_PER_ENTRY);
            return Err(IncidenceError::TooLarge { what: "multiplications", size: work, limit });
        }
        let mut message = convolve(before, cell, lo, hi);
        *ln_normaliser += message.normalise()?;
        messages.push(message);
    }
    Ok(messages)
}
