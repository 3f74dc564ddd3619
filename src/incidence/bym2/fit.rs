//! From cells to posterior draws.

use std::sync::atomic::{AtomicBool, Ordering};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::adapt::{self, Chain, Plan};
use super::convergence::Convergence;
use super::density::{Posterior, Priors};
use super::diagnostics::{Diagnostics, ParameterConvergence, over_areas, warnings};
use super::learned::Learned;
use super::likelihood::Likelihood;
use super::options::{Bym2Options, Law};
use crate::incidence::checks::{Cell, check_cells, check_total};
use crate::incidence::common::{Conditioned, Layout};
use crate::incidence::convolution::MAX_ENTRIES;
use crate::incidence::counts::{CountCell, CountDraw, Unlocated};
use crate::incidence::error::IncidenceError;
use crate::incidence::icar::IcarField;

/// Most numbers that the kept draws may hold together (8 bytes each).
const MAX_HELD: u64 = 200_000_000;

/// The model; see the documentation of the [module](self).
///
/// ```
/// use corredor::incidence::{CountCell, bym2::{Bym2Model, Bym2Options}};
/// use corredor::model::incidence::CountDatum::{Exact, Unknown};
/// use rand::SeedableRng;
///
/// # fn main() -> Result<(), corredor::incidence::IncidenceError> {
/// let data = [Exact(7), Unknown { max: Some(4) }, Unknown { max: None }];
/// let cells = data.map(|datum| CountCell { exposure: 1e5, datum });
/// let options = Bym2Options { warm_up: 100, samples: 100, ..Bym2Options::default() };
/// let fit = Bym2Model::fit(&cells, Some(12), &[vec![1], vec![0, 2], vec![1]], &options)?;
/// let draw = fit.draw(0, &mut rand_chacha::ChaCha8Rng::seed_from_u64(1));
/// assert_eq!(draw.total.iter().sum::<u32>(), 12);
/// assert!(draw.located[0] == 7 && draw.located[1] <= 4);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Bym2Model;

/// The numbers that all areas share, in one posterior draw.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Hyperparameters {
    /// Level: the log of a rate per person-year.
    pub b0: f64,
    /// Standard deviation of the log-rates.
    pub sigma: f64,
    /// Spatial share of their variance.
    pub phi: f64,
    /// Probability that a case has no place.
    pub pi: f64,
}

/// Posterior draws, chain after chain.
#[derive(Debug, Clone)]
pub struct Bym2Fit {
    cells: Vec<Cell>,
    total: Option<u32>,
    shared: Vec<Hyperparameters>,
    rates: Vec<Vec<f64>>,
    diagnostics: Diagnostics,
}

impl Bym2Model {
    /// Samples from the posterior of rates, `b0`, σ, φ and π given what is known of the counts.
    ///
    /// `total` is the statewide number of cases, located or not. `adjacency[m]` lists the neighbours of cell
    /// `m`. A cell without exposure holds no case; its rate is what its neighbours say.
    ///
    /// # Errors
    /// [`IncidenceError::Parameter`] for an option out of range, those of [`CountModel::prepare`](crate::incidence::CountModel::prepare) that speak of cells and totals,
    /// [`IncidenceError::ShapeMismatch`] for another number of lists than cells, those of [`scale_factors`](crate::incidence::scale_factors), and
    /// [`IncidenceError::Impossible`] where no start has a finite density. That chains disagree is no error: see
    /// [`Diagnostics::warnings`].
    pub fn fit(
        cells: &[CountCell],
        total: Option<u32>,
        adjacency: &[Vec<usize>],
        options: &Bym2Options,
    ) -> Result<Bym2Fit, IncidenceError> {
        Self::fit_until(cells, total, adjacency, options, &AtomicBool::new(false))
    }

    /// The same, until `stop` is set from outside.
    ///
    /// # Errors
    /// As [`Bym2Model::fit`], and [`IncidenceError::Interrupted`].
    pub fn fit_until(
        cells: &[CountCell],
        total: Option<u32>,
        adjacency: &[Vec<usize>],
        options: &Bym2Options,
        stop: &AtomicBool,
    ) -> Result<Bym2Fit, IncidenceError> {
        options.check()?;
        let checked = check_cells(cells, total)?;
        if let Some(total) = total {
            let absorbs = !matches!(options.unlocated, Unlocated::Fixed(pi) if pi <= 0.0);
            check_total(&checked, total, absorbs)?;
        }
        if adjacency.len() != cells.len() {
            return Err(IncidenceError::ShapeMismatch { expected: cells.len(), found: adjacency.len() });
        }
        let field = IcarField::new(adjacency)?;
        let kept = u64::from(options.chains) * u64::from(options.samples);
        let held = kept * (3 * cells.len() as u64 + 4);
        if held > MAX_HELD {
            return Err(IncidenceError::TooLarge {
                what: "kept draws times areas",
                size: held,
                limit: MAX_HELD,
            });
        }
        let likelihood = Likelihood::new(&checked, total);
        let exposure = checked.iter().map(|c| c.exposure).collect();
        let posterior = Posterior::new(priors(&checked, total, options), field, likelihood, exposure);
        let plan = Plan {
            warm_up: options.warm_up,
            samples: options.samples,
            target: options.target_acceptance,
            max_depth: options.max_depth,
            stop,
        };
        let chains: Vec<Chain> = (0..u64::from(options.chains))
            .into_par_iter()
            .map(|chain| {
                let mut rng = ChaCha8Rng::seed_from_u64(options.seed);
                rng.set_stream(chain);
                adapt::run(&mut posterior.clone(), &plan, &mut rng)
            })
            .collect::<Option<_>>()
            .ok_or_else(|| {
                let stopped = stop.load(Ordering::Relaxed);
                if stopped { IncidenceError::Interrupted } else { IncidenceError::Impossible }
            })?;
        Ok(Bym2Fit::new(checked, total, posterior, &chains))
    }
}

fn priors(cells: &[Cell], total: Option<u32>, options: &Bym2Options) -> Priors {
    let middle = |c: &Cell| 0.5 * (f64::from(c.min) + f64::from(c.max.unwrap_or(c.min)));
    let cases = total.map_or_else(|| cells.iter().map(middle).sum(), f64::from);
    let exposure: f64 = cells.iter().map(|c| c.exposure).sum();
    let b0_mean = options.b0_mean.unwrap_or_else(|| libm::log((cases + 0.5) / exposure));
    Priors {
        b0: Law::Normal { mean: b0_mean, sd: options.b0_sd },
        b0_mean,
        sigma: options.sigma.law(),
        phi: (options.phi_a, options.phi_b),
        pi: match options.unlocated {
            Unlocated::Fixed(pi) => Err(pi),
            Unlocated::Beta { a, b } => Ok(Law::Beta { a, b }),
        },
    }
}

/// One of the shared numbers.
type Value = fn(&Hyperparameters) -> f64;

impl Bym2Fit {
    fn new(cells: Vec<Cell>, total: Option<u32>, mut posterior: Posterior, chains: &[Chain]) -> Self {
        let positions = || chains.iter().flat_map(|c| &c.positions);
        let shared: Vec<Hyperparameters> = positions()
            .map(|at| {
                let s = posterior.shared(at);
                Hyperparameters { b0: s.b0, sigma: s.sigma, phi: s.phi, pi: s.pi }
            })
            .collect();
        let rates: Vec<Vec<f64>> = positions().map(|at| posterior.rates(at)).collect();
        let length = chains.first().map_or(0, |c| c.positions.len());
        let figures = |value: &(dyn Fn(usize) -> f64 + Sync)| {
            let values: Vec<Vec<f64>> =
                (0..chains.len()).map(|c| (c * length..(c + 1) * length).map(value).collect()).collect();
            Convergence::new(&values)
        };
        let Priors { b0, sigma, phi, pi, .. } = posterior.priors;
        let mut parameters = Vec::new();
        let mut learned = Vec::new();
        let pick: [(&str, Option<Law>, Value); 4] = [
            ("b0", Some(b0), |h| h.b0),
            ("sigma", Some(sigma), |h| h.sigma),
            ("phi", Some(Law::Beta { a: phi.0, b: phi.1 }), |h| h.phi),
            ("pi", pi.ok(), |h| h.pi),
        ];
        for (parameter, law, value) in pick {
            let Some(law) = law else { continue };
            parameters.push(ParameterConvergence { parameter, convergence: figures(&|i| value(&shared[i])) });
            learned.push(Learned::new(parameter, law, &shared.iter().map(value).collect::<Vec<_>>()));
        }
        let areas: Vec<Convergence> =
            (0..cells.len()).into_par_iter().map(|m| figures(&|i| rates[i][m])).collect();
        let areas = over_areas(&areas);
        let divergences = chains.iter().map(|c| c.divergences).sum();
        let exhausted = chains.iter().map(|c| c.exhausted).sum();
        let diagnostics = Diagnostics {
            chains: chains.len(),
            samples_per_chain: length,
            warnings: warnings(&parameters, &areas, divergences, exhausted),
            parameters,
            areas,
            divergences,
            exhausted,
            steps: chains.iter().map(|c| c.steps).sum(),
            step_sizes: chains.iter().map(|c| c.step).collect(),
            learned,
        };
        Self { cells, total, shared, rates, diagnostics }
    }

    /// Number of posterior draws, those of all chains.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.shared.len()
    }

    /// The shared numbers of each posterior draw.
    #[must_use]
    pub fn hyperparameters(&self) -> &[Hyperparameters] {
        &self.shared
    }

    /// `λ` of each cell per person-year, for each posterior draw.
    #[must_use]
    pub fn rates(&self) -> &[Vec<f64>] {
        &self.rates
    }

    /// Convergence, and how far the data moved the priors.
    #[must_use]
    pub const fn diagnostics(&self) -> &Diagnostics {
        &self.diagnostics
    }

    /// Rates and shared numbers of a posterior draw, with counts drawn from their exact law given those. A
    /// `sample` beyond [`Bym2Fit::samples`] is that number modulo them.
    ///
    /// `rate` is `λ_m`, `common_rate` the rate of the whole, `Σ E_m λ_m / ΣE`, and `heterogeneity` the coefficient of
    /// variation `√(e^{σ²} − 1)` of the rates' law. Search effort is levelled by [`CountModel`](crate::incidence::CountModel).
    pub fn draw(&self, sample: usize, rng: &mut impl Rng) -> CountDraw {
        // Bounds and total have a likelihood at every posterior draw, so that the first has its counts already; a
        // filter that all the same fails by rounding gives way to the next draw.
        let n = self.samples();
        (0..n).find_map(|k| self.try_draw((sample + k) % n, rng).ok()).unwrap_or_else(|| self.at_the_bounds())
    }

    /// Every count at its lower bound: what is left where nothing can be drawn.
    fn at_the_bounds(&self) -> CountDraw {
        let least: Vec<u32> = self.cells.iter().map(|c| c.min).collect();
        CountDraw {
            total: least.clone(),
            located: least,
            unlocated: 0,
            rate: vec![0.0; self.cells.len()],
            common_rate: 0.0,
            heterogeneity: 0.0,
            pi: 0.0,
            levelled: None,
        }
    }

    fn try_draw(&self, sample: usize, rng: &mut impl Rng) -> Result<CountDraw, IncidenceError> {
        let (Some(shared), Some(rates)) = (self.shared.get(sample), self.rates.get(sample)) else {
            return Err(IncidenceError::NoDraws);
        };
        // The module of the common rate, with expected cases in place of person-years and a rate of 1.
        let expected = |(cell, rate): (&Cell, &f64)| Cell { exposure: cell.exposure * rate, ..*cell };
        let cells: Vec<Cell> = self.cells.iter().zip(rates).map(expected).collect();
        let layout = Layout::new(&cells);
        let parts = match self.total {
            Some(total) => Conditioned::new(&layout, total, shared.pi, MAX_ENTRIES)?.sample(&layout, rng),
            None => layout.sample(1.0 - shared.pi, shared.pi, rng),
        };
        let total = parts.total();
        let unlocated = parts.unlocated.iter().fold(0_u32, |sum, u| sum.saturating_add(*u));
        let exposure: f64 = self.cells.iter().map(|c| c.exposure).sum();
        let common_rate = layout.total_exposure() / exposure;
        // Of a log-normal law.
        let heterogeneity = libm::expm1(shared.sigma * shared.sigma).sqrt();
        Ok(CountDraw {
            total,
            located: parts.located,
            unlocated,
            rate: rates.clone(),
            common_rate,
            heterogeneity,
            pi: shared.pi,
            levelled: None,
        })
    }
}
