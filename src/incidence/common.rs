//! Cells with one common rate λ per person-year: `T_m ~ Poisson(λ E_m)`.
//!
//! Thinning a Poisson law splits it into independent parts: `y_m ~ Poisson(λ(1−π) E_m)`, cut to its bounds,
//! and `T_m − y_m ~ Poisson(λπ E_m)`, free. All free parts together are one Poisson cell of mean
//! `λ R`, `R = π ΣE + (1−π) Σ_{no upper bound} E`, whose cases are split afterwards with probabilities
//! `πE_m/R` (unlocated) and `(1−π)E_m/R` (located, where there is no upper bound). So the filter holds the
//! bounded cells, with their narrow supports, and one wide cell.

use rand::{Rng, RngExt};

use super::checks::Cell;
use super::convolution::ConvolutionFilter;
use super::error::IncidenceError;
use super::located_rate::{self, Bounded, LocatedRate, OPEN};
use super::negative_binomial::poisson;
use super::unimodal;
use super::weights::{self, CellWeights};

/// Cases expected at the highest rate of the grid, where there is no total to limit them.
const MAX_EXPECTED: f64 = 1e9;

/// Located and unlocated cases per cell.
pub(super) struct Parts {
    pub located: Vec<u32>,
    pub unlocated: Vec<u32>,
}

impl Parts {
    /// Cases per cell.
    pub(super) fn total(&self) -> Vec<u32> {
        self.located.iter().zip(&self.unlocated).map(|(y, u)| y.saturating_add(*u)).collect()
    }
}

/// Which cells are bounded, from below at least, and which are free, both among those with exposure.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    exposure: Vec<f64>,
    total_exposure: f64,
    /// Index and bounds.
    bounded: Vec<(usize, Bounded)>,
    free: Vec<usize>,
}

/// One point of the grid of π, given a total.
#[derive(Debug, Clone)]
pub(super) struct Conditioned {
    filter: ConvolutionFilter,
    reference: f64,
    has_free: bool,
    split: Categories,
}

impl Layout {
    pub(super) fn new(cells: &[Cell]) -> Self {
        let exposure: Vec<f64> = cells.iter().map(|c| c.exposure).collect();
        let mut bounded = Vec::new();
        let mut free = Vec::new();
        for (i, cell) in cells.iter().enumerate().filter(|(_, c)| c.exposure > 0.0) {
            let Cell { exposure, min, .. } = *cell;
            match cell.max {
                Some(max) => bounded.push((i, Bounded { exposure, min, max })),
                None if min > 0 => bounded.push((i, Bounded { exposure, min, max: OPEN })),
                None => free.push(i),
            }
        }
        Self { total_exposure: exposure.iter().sum(), exposure, bounded, free }
    }

    /// `ΣE`, person-years.
    pub(super) fn total_exposure(&self) -> f64 {
        self.total_exposure
    }

    fn parts(&self) -> Parts {
        Parts { located: vec![0; self.exposure.len()], unlocated: vec![0; self.exposure.len()] }
    }

    /// The posterior of the located rate, where there is no total.
    pub(super) fn located_rate(&self, highest_pi: f64) -> Result<LocatedRate, IncidenceError> {
        let bounded: Vec<Bounded> = self.bounded.iter().map(|(_, b)| *b).collect();
        let rate = LocatedRate::new(&bounded)?;
        let expected = rate.highest() / (1.0 - highest_pi) * self.total_exposure;
        if expected.is_nan() || expected > MAX_EXPECTED {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
            let size = expected as u64;
            let limit = 1_000_000_000;
            return Err(IncidenceError::TooLarge { what: "expected cases", size, limit });
        }
        Ok(rate)
    }

    /// Log-likelihood of the bounds at the located rate μ.
    pub(super) fn ln_likelihood(&self, located: f64) -> f64 {
        let bounded: Vec<Bounded> = self.bounded.iter().map(|(_, b)| *b).collect();
        located_rate::ln_likelihood(&bounded, located)
    }

    /// A draw at the located rate μ, without a total.
    pub(super) fn sample(&self, located: f64, pi: f64, rng: &mut impl Rng) -> Parts {
        let mut parts = self.parts();
        for (i, cell) in &self.bounded {
            let law = unimodal::poisson(located * cell.exposure, cell.min, cell.max);
            parts.located[*i] = law.sample(rng);
        }
        for &i in &self.free {
            parts.located[i] = poisson(located * self.exposure[i], rng);
        }
        if pi > 0.0 {
            let unlocated = located * pi / (1.0 - pi);
            for (count, exposure) in parts.unlocated.iter_mut().zip(&self.exposure) {
                *count = poisson(unlocated * exposure, rng);
            }
        }
        parts
    }

    /// Posterior means of the cases per cell, without a total.
    pub(super) fn expected(&self, rate: &LocatedRate, pi: f64) -> Vec<f64> {
        let mean_rate = rate.posterior_mean(|mu| mu);
        let mut means: Vec<f64> = self.exposure.iter().map(|e| mean_rate * pi / (1.0 - pi) * e).collect();
        for (i, cell) in &self.bounded {
            means[*i] += rate.posterior_mean(|mu| located_rate::mean_located(cell, mu));
        }
        for &i in &self.free {
            means[i] += mean_rate * self.exposure[i];
        }
        means
    }
}

impl Conditioned {
    /// Prepares one π. The law given the total does not depend on λ; the weights use `λ₀ = N/ΣE`.
    pub(super) fn new(layout: &Layout, total: u32, pi: f64, budget: u64) -> Result<Self, IncidenceError> {
        let reference = f64::from(total).max(0.5) / layout.total_exposure;
        let lower: u64 = layout.bounded.iter().map(|(_, b)| u64::from(b.min)).sum();
        let slack = u32::try_from(u64::from(total).saturating_sub(lower)).unwrap_or(0);
        let mut cells = Vec::with_capacity(layout.bounded.len() + 1);
        let mut entries = 0;
        for (_, cell) in &layout.bounded {
            let last = weights::reach(Some(cell.max), cell.min, slack);
            entries += u64::from(last - cell.min) + 1;
            if entries > budget {
                let what = "entries of tables";
                return Err(IncidenceError::TooLarge { what, size: entries, limit: budget });
            }
            let mean = reference * (1.0 - pi) * cell.exposure;
            cells.push(CellWeights::poisson(mean, cell.min, last)?);
        }
        let unlocated = layout.exposure.iter().map(|e| pi * e);
        let located = layout.free.iter().map(|&i| (1.0 - pi) * layout.exposure[i]);
        let split = Categories::new(unlocated.chain(located));
        let has_free = split.sum() > 0.0;
        if has_free {
            cells.push(CellWeights::poisson(reference * split.sum(), 0, slack)?);
        }
        let filter = ConvolutionFilter::with_budget(&cells, Some(total), budget)?;
        Ok(Self { filter, reference, has_free, split })
    }

    /// `log P(bounds, total | λ, π)`: the filter's normaliser at λ₀, moved to λ. All counts of the filter
    /// add up to N and their means to `λ ΣE`, hence the factor `(λ/λ₀)^N e^{−(λ−λ₀) ΣE}`.
    pub(super) fn ln_likelihood(&self, layout: &Layout, total: u32, rate: f64) -> f64 {
        self.filter.ln_normaliser() + f64::from(total) * (rate / self.reference).ln()
            - (rate - self.reference) * layout.total_exposure
    }

    /// A draw of all parts.
    pub(super) fn sample(&self, layout: &Layout, rng: &mut impl Rng) -> Parts {
        let mut parts = layout.parts();
        let counts = self.filter.sample(rng);
        for ((i, _), count) in layout.bounded.iter().zip(&counts) {
            parts.located[*i] = *count;
        }
        if self.has_free {
            let cells = layout.exposure.len();
            for _ in 0..counts.last().copied().unwrap_or(0) {
                let category = self.split.pick(rng.random());
                if category < cells {
                    parts.unlocated[category] += 1;
                } else {
                    parts.located[layout.free[category - cells]] += 1;
                }
            }
        }
        parts
    }

    /// Exact means of the cases per cell.
    pub(super) fn expected(&self, layout: &Layout, pi: f64) -> Vec<f64> {
        let means = self.filter.means();
        let mut expected = vec![0.0; layout.exposure.len()];
        if self.has_free {
            let per_weight = means.last().copied().unwrap_or(0.0) / self.split.sum();
            for (slot, exposure) in expected.iter_mut().zip(&layout.exposure) {
                *slot = per_weight * pi * exposure;
            }
            for &i in &layout.free {
                expected[i] += per_weight * (1.0 - pi) * layout.exposure[i];
            }
        }
        for ((i, _), mean) in layout.bounded.iter().zip(&means) {
            expected[*i] += mean;
        }
        expected
    }
}

/// Running sums of weights, for categorical draws.
#[derive(Debug, Clone)]
struct Categories {
    cumulative: Vec<f64>,
}

impl Categories {
    /// From weights that are not negative, added in their order.
    fn new(weights: impl IntoIterator<Item = f64>) -> Self {
        let mut sum = 0.0;
        let running = weights.into_iter().map(|w| {
            sum += w;
            sum
        });
        Self { cumulative: running.collect() }
    }

    fn sum(&self) -> f64 {
        self.cumulative.last().copied().unwrap_or(0.0)
    }

    /// The category at `u` in [0, 1), never one of weight 0. Needs a positive sum.
    fn pick(&self, u: f64) -> usize {
        let sum = self.sum();
        let target = u * sum;
        let found = self.cumulative.partition_point(|c| *c <= target);
        // u · sum can round up to the sum: then the last category that has weight.
        if found < self.cumulative.len() { found } else { self.cumulative.partition_point(|c| *c < sum) }
    }
}
