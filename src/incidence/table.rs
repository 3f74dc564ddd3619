//! Tables of weights over a range of counts, and what the filter does with them.

use rand::{Rng, RngExt};

use super::error::IncidenceError;

/// Ends of tables below this share of their maximum are cut off.
const CUT: f64 = 1e-40;

/// Values for the counts `first..`, not negative, neither empty nor all zero.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub first: u32,
    pub values: Vec<f64>,
}

impl Table {
    /// Highest count.
    pub(super) fn last(&self) -> u32 {
        // Tables end at MAX_COUNT, so their length fits.
        self.first + u32::try_from(self.values.len()).unwrap_or(u32::MAX).saturating_sub(1)
    }

    /// Scales to a maximum of 1 and cuts negligible ends off; the logarithm of the scale.
    pub(super) fn normalise(&mut self) -> Result<f64, IncidenceError> {
        let highest = self.values.iter().copied().fold(0.0, f64::max);
        if !(highest > 0.0 && highest.is_finite()) {
            return Err(IncidenceError::Impossible);
        }
        for value in &mut self.values {
            *value /= highest;
        }
        let end = self.values.iter().rposition(|v| *v >= CUT).map_or(0, |i| i + 1);
        self.values.truncate(end);
        let start = self.values.iter().position(|v| *v >= CUT).unwrap_or(0);
        self.values.drain(..start);
        self.first += u32::try_from(start).unwrap_or(0);
        Ok(highest.ln())
    }
}

/// `out(s) = Σ_t a(s−t) b(t)` for `s` in `lo..=hi`.
pub(super) fn convolve(a: &Table, b: &Table, lo: u32, hi: u32) -> Table {
    // The inner loop runs over the longer table, where it becomes vector instructions.
    let (short, long) = if a.values.len() <= b.values.len() { (a, b) } else { (b, a) };
    let mut out = vec![0.0; (hi - lo) as usize + 1];
    for (t, &factor) in (short.first..).zip(&short.values) {
        let start = t + long.first;
        let skip = lo.saturating_sub(start) as usize;
        let offset = start.saturating_sub(lo) as usize;
        if skip >= long.values.len() || offset >= out.len() {
            continue;
        }
        for (slot, value) in out[offset..].iter_mut().zip(&long.values[skip..]) {
            *slot += factor * value;
        }
    }
    Table { first: lo, values: out }
}

/// The products `a_{k−1}(sum − t) w_k(t)` for the counts `t` that both tables allow; the first such count.
pub(super) fn overlap(before: &Table, cell: &Table, sum: u32, products: &mut Vec<f64>) -> u32 {
    let first = cell.first.max(sum.saturating_sub(before.last()));
    let last = cell.last().min(sum.saturating_sub(before.first));
    products.clear();
    if first <= last {
        let weights = &cell.values[(first - cell.first) as usize..=(last - cell.first) as usize];
        let top = (sum - first - before.first) as usize;
        let sums = before.values[..=top].iter().rev();
        products.extend(weights.iter().zip(sums).map(|(w, a)| w * a));
    }
    first
}

/// An index with probability proportional to its weight, by inversion.
pub(super) fn pick(weights: &[f64], rng: &mut impl Rng) -> u32 {
    if weights.len() < 2 {
        return 0;
    }
    let mut left = rng.random::<f64>() * weights.iter().sum::<f64>();
    let mut chosen = 0;
    for (i, weight) in (0..).zip(weights) {
        if *weight > 0.0 {
            chosen = i;
            left -= weight;
            if left < 0.0 {
                break;
            }
        }
    }
    chosen
}

/// Mean of a law given by weights that need not add up to 1.
pub(super) fn mean(first: u32, weights: &[f64]) -> f64 {
    let (mut sum, mut moment, mut x) = (0.0, 0.0, 0.0);
    for weight in weights {
        sum += weight;
        moment += weight * x;
        x += 1.0;
    }
    f64::from(first) + moment / sum
}
