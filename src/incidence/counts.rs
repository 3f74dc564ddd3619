//! The model of the counts: data and options in, exact draws and means out.

use rand::{Rng, RngExt};
use rand_distr::{Distribution, Gamma};

use super::checks::{Cell, check_cells, check_total, pi_grid};
use super::common::{Conditioned, Layout, Parts};
use super::convolution::{ConvolutionFilter, MAX_ENTRIES};
use super::error::IncidenceError;
use super::located_rate::LocatedRate;
use super::unimodal;
use super::weights::{self, CellWeights, GammaCell};
use crate::model::incidence::CountDatum;

/// One municipality: its exposure and what is known of its located count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CountCell {
    /// `E`, person-years: population times the years of the period. 0, or in [1e-6, 1e12].
    pub exposure: f64,
    /// What is known of the located count `y`.
    pub datum: CountDatum,
}

/// `π`, the probability that a case is not located in its municipality.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Unlocated {
    /// A known value, 0 or in [1e-9, 1 − 1e-9]. At 0 every case is located, exactly.
    Fixed(f64),
    /// A Beta(a, b) prior, `a` and `b` in [0.01, 1e6]; it stands for its quantiles `(i + ½)/n`, `i < n`.
    Beta {
        /// Weight of unlocated cases.
        a: f64,
        /// Weight of located cases.
        b: f64,
    },
}

/// The law of the cases given the exposures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RateModel {
    /// `T_m ~ Poisson(λ E_m)`, one λ for all cells, prior `λ^{−½}`.
    Common,
    /// `T_m ~ NB(α, β/(β+E_m))`: own rates with a Gamma(α, β) law, α and β given, in [1e-6, 1e12].
    Gamma {
        /// Shape.
        alpha: f64,
        /// Rate, in person-years.
        beta: f64,
    },
}

/// Options of [`CountModel::prepare`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CountOptions {
    /// The share of cases without a place.
    pub unlocated: Unlocated,
    /// The law of the cases.
    pub rates: RateModel,
    /// Points that stand for a Beta prior of π, 1 to 1,000.
    pub pi_points: usize,
}

impl Default for CountOptions {
    /// All cases located, a common rate, 17 points.
    fn default() -> Self {
        Self { unlocated: Unlocated::Fixed(0.0), rates: RateModel::Common, pi_points: 17 }
    }
}

/// One joint draw. Vectors have one entry per cell, in the order of the cells.
#[derive(Debug, Clone, PartialEq)]
pub struct CountDraw {
    /// `T`, the cases that belong to each cell. They add up to the total where one is given.
    pub total: Vec<u32>,
    /// `y`, the located ones, within their bounds.
    pub located: Vec<u32>,
    /// `Σ (T − y)`.
    pub unlocated: u32,
    /// `θ`, the rate of each cell per person-year.
    pub rate: Vec<f64>,
    /// `λ` per person-year; `α/β`, the mean of the rates' law, for [`RateModel::Gamma`].
    pub common_rate: f64,
    /// `π`.
    pub pi: f64,
}

/// Prepared counts; see the documentation of [the stage](super) for the method.
#[derive(Debug, Clone)]
pub struct CountModel {
    cells: Vec<Cell>,
    total: Option<u32>,
    pi: Vec<f64>,
    kernel: Kernel,
}

#[derive(Debug, Clone)]
enum Kernel {
    /// Common rate and a total: one filter per π.
    Conditioned { layout: Layout, points: Vec<Conditioned> },
    /// Common rate, no total: the posterior of the located rate does not depend on π.
    Free { layout: Layout, rate: LocatedRate },
    /// Gamma rates: one filter per π, with or without a total.
    Gamma { alpha: f64, beta: f64, filters: Vec<ConvolutionFilter> },
}

impl CountModel {
    /// Checks the cells and prepares what draws need.
    ///
    /// `total` is the statewide number of cases, located or not. Cells without exposure hold no case.
    ///
    /// # Errors
    /// The variants of [`IncidenceError`] that speak of cells, totals and options; the first broken rule in the order: options,
    /// cells, sums of bounds against the total, size.
    pub fn prepare(
        cells: &[CountCell],
        total: Option<u32>,
        options: &CountOptions,
    ) -> Result<Self, IncidenceError> {
        let pi = pi_grid(options)?;
        if let RateModel::Gamma { alpha, beta } = options.rates {
            weights::check_gamma(alpha, beta)?;
        }
        let cells = check_cells(cells, total)?;
        if let Some(total) = total {
            check_total(&cells, total, pi.iter().all(|p| *p > 0.0))?;
        }
        let budget = MAX_ENTRIES / pi.len() as u64;
        let kernel = match (options.rates, total) {
            (RateModel::Common, Some(total)) => {
                let layout = Layout::new(&cells);
                let points: Result<_, _> =
                    pi.iter().map(|p| Conditioned::new(&layout, total, *p, budget)).collect();
                Kernel::Conditioned { points: points?, layout }
            }
            (RateModel::Common, None) => {
                let layout = Layout::new(&cells);
                let rate = layout.located_rate(pi.iter().copied().fold(0.0, f64::max))?;
                Kernel::Free { layout, rate }
            }
            (RateModel::Gamma { alpha, beta }, _) => {
                let filters: Result<_, _> =
                    pi.iter().map(|p| gamma_filter(&cells, total, (alpha, beta, *p), budget)).collect();
                Kernel::Gamma { alpha, beta, filters: filters? }
            }
        };
        Ok(Self { cells, total, pi, kernel })
    }

    /// The values that π can take, in ascending order and with equal weights.
    #[must_use]
    pub fn pi_values(&self) -> &[f64] {
        &self.pi
    }

    /// One joint draw of π, λ, the cases, the located cases and the rates.
    pub fn draw(&self, rng: &mut impl Rng) -> CountDraw {
        #[expect(clippy::cast_precision_loss, reason = "at most 1,000 points")]
        let points = self.pi.len() as f64;
        let point = match self.pi.len() {
            1 => 0,
            n => (unimodal::floor(rng.random::<f64>() * points) as usize).min(n - 1),
        };
        let pi = self.pi[point];
        let (parts, common_rate) = match &self.kernel {
            Kernel::Conditioned { layout, points } => {
                let parts = points[point].sample(layout, rng);
                (parts, gamma(0.5 + f64::from(self.total.unwrap_or(0)), layout.total_exposure(), rng))
            }
            Kernel::Free { layout, rate } => {
                let located = rate.sample(rng);
                (layout.sample(located, pi, rng), located / (1.0 - pi))
            }
            Kernel::Gamma { alpha, beta, filters } => {
                let cases = filters[point].sample(rng);
                (self.locate(&cases, pi, rng), alpha / beta)
            }
        };
        let total: Vec<u32> =
            parts.located.iter().zip(&parts.unlocated).map(|(y, u)| y.saturating_add(*u)).collect();
        let rate = self.rates(&total, common_rate, rng);
        let unlocated = parts.unlocated.iter().fold(0_u32, |sum, u| sum.saturating_add(*u));
        CountDraw { total, located: parts.located, unlocated, rate, common_rate, pi }
    }

    /// Exact conditional means `E[T_m | bounds, total, π]`, one per cell, at the π of that index; without a
    /// total and with a common rate also averaged over the posterior grid of λ. `None` where there is no
    /// such index.
    #[must_use]
    pub fn expected_totals(&self, pi_index: usize) -> Option<Vec<f64>> {
        let pi = *self.pi.get(pi_index)?;
        match &self.kernel {
            Kernel::Conditioned { layout, points } => Some(points.get(pi_index)?.expected(layout, pi)),
            Kernel::Free { layout, rate } => Some(layout.expected(rate, pi)),
            Kernel::Gamma { filters, .. } => Some(filters.get(pi_index)?.means()),
        }
    }

    /// `log P(bounds, total | λ, π)` at the π of that index and the rate λ per person-year, which
    /// [`RateModel::Gamma`] does not use: there it is the likelihood of (α, β, π). `None` where there is no
    /// such index or λ is not positive and finite.
    #[must_use]
    pub fn log_likelihood(&self, pi_index: usize, rate: f64) -> Option<f64> {
        let pi = *self.pi.get(pi_index)?;
        let usable = rate > 0.0 && rate.is_finite();
        match &self.kernel {
            Kernel::Conditioned { layout, points } if usable => {
                Some(points.get(pi_index)?.ln_likelihood(layout, self.total?, rate))
            }
            Kernel::Free { layout, .. } if usable => Some(layout.ln_likelihood(rate * (1.0 - pi))),
            Kernel::Gamma { filters, .. } => Some(filters.get(pi_index)?.ln_normaliser()),
            _ => None,
        }
    }

    /// `y | T ~ Bin(T, 1−π)` cut to the bounds.
    fn locate(&self, cases: &[u32], pi: f64, rng: &mut impl Rng) -> Parts {
        let mut parts = Parts { located: cases.to_vec(), unlocated: vec![0; cases.len()] };
        if pi > 0.0 {
            for (i, (cell, &t)) in self.cells.iter().zip(cases).enumerate() {
                let hi = cell.max.map_or(t, |max| max.min(t));
                let y = unimodal::binomial(t, 1.0 - pi, pi, cell.min.min(hi), hi).sample(rng);
                parts.located[i] = y;
                parts.unlocated[i] = t - y;
            }
        }
        parts
    }

    fn rates(&self, total: &[u32], common_rate: f64, rng: &mut impl Rng) -> Vec<f64> {
        let (shape, rate) = match self.kernel {
            Kernel::Gamma { alpha, beta, .. } => (alpha, beta),
            // Jeffreys: the rate's own uncertainty, not shrunk to the common rate.
            _ => (0.5, 0.0),
        };
        let draw = |(cell, t): (&Cell, &u32)| {
            let rate = rate + cell.exposure;
            // Without exposure and without a prior, the common rate is all that is known.
            if rate > 0.0 { gamma(shape + f64::from(*t), rate, rng) } else { common_rate }
        };
        self.cells.iter().zip(total).map(draw).collect()
    }
}

/// A Gamma draw; both parameters are positive and finite by the checks on preparation.
fn gamma(shape: f64, rate: f64, rng: &mut impl Rng) -> f64 {
    Gamma::new(shape, 1.0 / rate).map_or(shape / rate, |law| law.sample(rng))
}

/// Filter of cells with Gamma rates, in the order of the cells.
fn gamma_filter(
    cells: &[Cell],
    total: Option<u32>,
    (alpha, beta, pi): (f64, f64, f64),
    budget: u64,
) -> Result<ConvolutionFilter, IncidenceError> {
    let lower: u64 = cells.iter().map(|c| u64::from(c.min)).sum();
    let slack = total.map(|n| u32::try_from(u64::from(n).saturating_sub(lower)).unwrap_or(0));
    let mut entries = 0;
    let mut tables = Vec::with_capacity(cells.len());
    for cell in cells {
        let limit = slack.map(|slack| weights::reach(None, cell.min, slack));
        let Cell { exposure, min, max } = *cell;
        let table = CellWeights::gamma(&GammaCell { exposure, min, max, alpha, beta, pi }, limit)?;
        entries += table.ln().len() as u64;
        if entries > budget {
            let what = "entries of tables";
            return Err(IncidenceError::TooLarge { what, size: entries, limit: budget });
        }
        tables.push(table);
    }
    ConvolutionFilter::with_budget(&tables, total, budget)
}
