//! The model of the counts: data and options in, exact draws and means out.

use std::sync::atomic::AtomicBool;

use rand::{Rng, RngExt};
use rand_distr::{Beta, Binomial, Distribution};

use super::bym2::{Bym2Fit, Bym2Model, Bym2Options, Diagnostics};
use super::checks::{Cell, check_cells, check_hyper, check_located, check_total, check_unlocated, pi_grid};
use super::common::{Conditioned, Layout};
use super::convolution::MAX_ENTRIES;
use super::error::IncidenceError;
use super::located_rate::LocatedRate;
use super::negative_binomial::gamma;
use super::posterior::{Drawn, Hierarchy, Known, Priors};
use super::{unimodal, unlocated};
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
    /// A Beta(a, b) prior, `a` and `b` in [0.01, 1e6].
    Beta {
        /// Weight of unlocated cases.
        a: f64,
        /// Weight of located cases.
        b: f64,
    },
}

/// What is known of a positive hyperparameter before the data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum HyperPrior {
    /// Its value.
    Fixed(f64),
    /// Log-normal.
    Lognormal {
        /// Median, above 0.
        median: f64,
        /// Standard deviation of the logarithm, in [1e-3, 10].
        sigma: f64,
    },
}

impl HyperPrior {
    /// Log-density of the logarithm, up to a constant; 0 for a value that is known.
    pub(super) fn ln_density(self, ln: f64) -> f64 {
        match self {
            Self::Fixed(_) => 0.0,
            Self::Lognormal { median, sigma } => -0.5 * ((ln - median.ln()) / sigma).powi(2),
        }
    }
}

/// The law of the cases given the exposures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RateModel {
    /// `T_m ~ Poisson(λ E_m)`, one λ for all cells, prior `λ^{−½}`. A prior of π stands for its quantiles
    /// `(i + ½)/n`, `i < n`, and is not updated: under one rate a few high counts could only be explained by a π that
    /// says nothing about how cases are located.
    Common,
    /// `T_m ~ NB(α, β/(β+E_m))`: own rates with a Gamma(α, β) law, α and β given, in [1e-6, 1e12]; π, where it has
    /// a prior, has its posterior.
    Gamma {
        /// Shape.
        alpha: f64,
        /// Rate, in person-years.
        beta: f64,
    },
    /// The same law of rates with unknown mean `μ = α/β` and coefficient of variation `κ = 1/√α`: both, and π, have
    /// their joint posterior.
    NegativeBinomial {
        /// Prior of μ, per person-year; a value in [1e-12, 1e3].
        rate: HyperPrior,
        /// Prior of κ, a pure number in [1e-3, 1e3].
        heterogeneity: HyperPrior,
    },
}

/// Options of [`CountModel::prepare`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CountOptions {
    /// The share of cases without a place.
    pub unlocated: Unlocated,
    /// The law of the cases.
    pub rates: RateModel,
    /// `Σ(T − y)`, where it is known. Own rates without a total take it as a datum. Elsewhere it fixes the draws of the
    /// unlocated cases and of π; a total less it is `Σy`, from which the law of the located rates is then worked out.
    pub unlocated_cases: Option<u32>,
    /// Points that stand for a Beta prior of π under [`RateModel::Common`], 1 to 1,000.
    pub pi_points: usize,
}

impl Default for CountOptions {
    /// All cases located, a common rate, 17 points.
    fn default() -> Self {
        Self {
            unlocated: Unlocated::Fixed(0.0),
            rates: RateModel::Common,
            unlocated_cases: None,
            pi_points: 17,
        }
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
    /// `λ` per person-year; `μ = α/β`, the mean of the rates' law, where rates differ.
    pub common_rate: f64,
    /// `κ = 1/√α`, the coefficient of variation of the rates' law; 0 for one common rate.
    pub heterogeneity: f64,
    /// `π`.
    pub pi: f64,
    /// What is left where found counts are thinned to an equal search effort; `None` where none is.
    pub levelled: Option<Levelled>,
}

/// Counts and rates as they would be if everywhere had been looked as little as where it was least.
#[derive(Debug, Clone, PartialEq)]
pub struct Levelled {
    /// `y'`, the located cases that are left.
    pub located: Vec<u32>,
    /// The rate of each cell per person-year, from the cases that are left.
    pub rate: Vec<f64>,
}

impl CountDraw {
    /// Located cases for all that decides where to look next: levelled where that can be.
    #[must_use]
    pub fn guiding_counts(&self) -> &[u32] {
        self.levelled.as_ref().map_or(&self.located, |l| &l.located)
    }

    /// Rates per person-year for the same.
    #[must_use]
    pub fn guiding_rates(&self) -> &[f64] {
        self.levelled.as_ref().map_or(&self.rate, |l| &l.rate)
    }
}

/// A value of the hyperparameters that draws can begin from, with its posterior probability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HyperPoint {
    /// `α` and `β` of the rates' law, the latter in person-years; `None` for one common rate.
    pub law: Option<(f64, f64)>,
    /// `π`.
    pub pi: f64,
    /// Probability; all add up to 1.
    pub weight: f64,
}

/// Prepared counts; see the documentation of [the stage](super) for the method.
#[derive(Debug, Clone)]
pub struct CountModel {
    cells: Vec<Cell>,
    total: Option<u32>,
    kernel: Kernel,
    /// `Σ(T − y)` with the prior of π, where the kernel does not take it as a datum.
    unlocated: Option<(u32, Unlocated)>,
    /// By cell: the share of cases that stays when search effort is levelled.
    keep: Option<Vec<f64>>,
}

#[derive(Debug, Clone)]
enum Kernel {
    /// Common rate and a total: one filter per π.
    Conditioned { layout: Layout, points: Vec<(f64, Conditioned)> },
    /// Common rate, no total: the posterior of the located rate does not depend on π.
    Free { layout: Layout, rate: LocatedRate, pi: Vec<f64> },
    /// Own rates, with or without a total.
    Hierarchy(Box<Hierarchy>),
    /// Own rates that are alike among neighbours.
    Bym2(Box<Bym2Fit>),
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
        Self::prepare_until(cells, total, options, &AtomicBool::new(false))
    }

    /// The same, until `stop` is set from outside.
    ///
    /// # Errors
    /// As [`CountModel::prepare`], and [`IncidenceError::Interrupted`].
    pub fn prepare_until(
        cells: &[CountCell],
        total: Option<u32>,
        options: &CountOptions,
        stop: &AtomicBool,
    ) -> Result<Self, IncidenceError> {
        let cells = Self::checked(cells, total, options)?;
        let (total, share) = located_alone(total, options.unlocated_cases, options.unlocated);
        let known = match (total, options.unlocated_cases) {
            (Some(total), _) => Known::Cases(total),
            (None, Some(number)) => Known::Unlocated(number),
            (None, None) => Known::Nothing,
        };
        let hierarchy = |rate, heterogeneity| {
            let priors = Priors { rate, heterogeneity, unlocated: share };
            Ok(Kernel::Hierarchy(Box::new(Hierarchy::new(&cells, known, priors, stop)?)))
        };
        let kernel = match options.rates {
            RateModel::Common => common(&cells, total, &CountOptions { unlocated: share, ..*options })?,
            RateModel::Gamma { alpha, beta } => {
                hierarchy(HyperPrior::Fixed(alpha / beta), HyperPrior::Fixed(alpha.powf(-0.5)))?
            }
            RateModel::NegativeBinomial { rate, heterogeneity } => hierarchy(rate, heterogeneity)?,
        };
        let aside = total.is_some() || matches!(kernel, Kernel::Free { .. });
        let unlocated = options.unlocated_cases.filter(|_| aside).map(|n| (n, options.unlocated));
        Ok(Self { cells, total, kernel, unlocated, keep: None })
    }

    /// Checks options, cells and total as [`CountModel::prepare`] does, and prepares nothing.
    ///
    /// # Errors
    /// As [`CountModel::prepare`], but for what only shows when the law is worked out.
    pub fn check(
        cells: &[CountCell],
        total: Option<u32>,
        options: &CountOptions,
    ) -> Result<(), IncidenceError> {
        Self::checked(cells, total, options).map(|_| ())
    }

    fn checked(
        cells: &[CountCell],
        total: Option<u32>,
        options: &CountOptions,
    ) -> Result<Vec<Cell>, IncidenceError> {
        check_hyper(options)?;
        let cells = check_cells(cells, total)?;
        check_sums(&cells, total, options.unlocated_cases, options.unlocated)?;
        let unbounded = cells.iter().all(|c| c.exposure <= 0.0 || c.max.is_none());
        if options.rates == RateModel::Common && total.is_none() && unbounded {
            return Err(IncidenceError::RateUnbounded);
        }
        Ok(cells)
    }

    /// The same with found counts thinned: `y' ~ Bin(y, keep)`, where `keep` is the least search effort over that of
    /// the cell, and 1 where cases are reported. What was found grows with how much was looked for it; without this,
    /// where one looked most becomes where one looks next (Ensign et al. 2018, Proc. Mach. Learn. Res. 81:160).
    ///
    /// # Errors
    /// [`IncidenceError::ShapeMismatch`] where `keep` has not one entry per cell, [`IncidenceError::Parameter`] for an
    /// entry outside (0, 1].
    pub fn levelled(mut self, keep: Vec<f64>) -> Result<Self, IncidenceError> {
        if keep.len() != self.cells.len() {
            return Err(IncidenceError::ShapeMismatch { expected: self.cells.len(), found: keep.len() });
        }
        if let Some(&value) = keep.iter().find(|k| !(**k > 0.0 && **k <= 1.0)) {
            return Err(IncidenceError::Parameter { name: "keep", value, range: "(0, 1]" });
        }
        self.keep = Some(keep);
        Ok(self)
    }

    /// The same with rates that are alike among neighbours: `adjacency` lists the neighbours of each cell;
    /// `unlocated_cases` as in [`CountOptions`].
    ///
    /// # Errors
    /// As [`Bym2Model::fit_until`].
    pub fn bym2(
        cells: &[CountCell],
        total: Option<u32>,
        unlocated_cases: Option<u32>,
        adjacency: &[Vec<usize>],
        options: &Bym2Options,
        stop: &AtomicBool,
    ) -> Result<Self, IncidenceError> {
        check_sums(&check_cells(cells, total)?, total, unlocated_cases, options.unlocated)?;
        let unlocated = unlocated_cases.map(|n| (n, options.unlocated));
        let (total, share) = located_alone(total, unlocated_cases, options.unlocated);
        let options = Bym2Options { unlocated: share, ..*options };
        let fit = Bym2Model::fit_until(cells, total, adjacency, &options, stop)?;
        let cells = check_cells(cells, total)?;
        Ok(Self { cells, total, kernel: Kernel::Bym2(Box::new(fit)), unlocated, keep: None })
    }

    /// How the sampler of [`CountModel::bym2`] converged, and how far the data moved its priors; `None` for other laws,
    /// whose draws are independent.
    #[must_use]
    pub fn diagnostics(&self) -> Option<&Diagnostics> {
        match &self.kernel {
            Kernel::Bym2(fit) => Some(fit.diagnostics()),
            _ => None,
        }
    }

    /// Number of [points](HyperPoint).
    #[must_use]
    pub fn points(&self) -> usize {
        match &self.kernel {
            Kernel::Conditioned { points, .. } => points.len(),
            Kernel::Free { pi, .. } => pi.len(),
            Kernel::Hierarchy(hierarchy) => hierarchy.points(),
            Kernel::Bym2(fit) => fit.samples(),
        }
    }

    /// A point; `None` where there is no such number.
    #[must_use]
    pub fn point(&self, i: usize) -> Option<HyperPoint> {
        let even = |pi: f64| HyperPoint { law: None, pi, weight: 1.0 / self.points() as f64 };
        match &self.kernel {
            Kernel::Conditioned { points, .. } => points.get(i).map(|p| even(p.0)),
            Kernel::Free { pi, .. } => pi.get(i).copied().map(even),
            Kernel::Hierarchy(hierarchy) => hierarchy.point(i).map(|(h, weight)| HyperPoint {
                law: Some((h.alpha, h.beta)),
                pi: h.pi,
                weight,
            }),
            Kernel::Bym2(fit) => fit.hyperparameters().get(i).map(|h| even(h.pi)),
        }
    }

    /// One joint draw of the hyperparameters, the cases, the located cases and the rates.
    pub fn draw(&self, rng: &mut impl Rng) -> CountDraw {
        let (mut draw, law) = self.drawn(rng);
        draw.levelled = self.keep.as_ref().map(|keep| self.level(&draw, law, keep, rng));
        draw
    }

    /// A draw before levelling, with what its rates are drawn from.
    fn drawn(&self, rng: &mut impl Rng) -> (CountDraw, Law) {
        let (mut total, located, law, mut pi) = match &self.kernel {
            Kernel::Conditioned { layout, points } => {
                let (pi, point) = &points[even(points.len(), rng)];
                let parts = point.sample(layout, rng);
                let cases = f64::from(self.total.unwrap_or(0));
                let rate = gamma(0.5 + cases, layout.total_exposure(), rng);
                (parts.total(), parts.located, Law::Common(rate), *pi)
            }
            Kernel::Free { layout, rate, pi } => {
                let pi = pi[even(pi.len(), rng)];
                let located = rate.sample(rng);
                let parts = layout.sample(located, pi, rng);
                (parts.total(), parts.located, Law::Common(located / (1.0 - pi)), pi)
            }
            Kernel::Hierarchy(hierarchy) => {
                let Drawn { hyper, cases, located } = hierarchy.sample(&self.cells, rng);
                (cases, located, Law::Gamma(hyper.alpha, hyper.beta), hyper.pi)
            }
            Kernel::Bym2(fit) => {
                let chosen = even(fit.samples(), rng);
                let mut draw = fit.draw(chosen, rng);
                if let Some((total, pi)) = self.with_unlocated(&draw.located, &draw.rate, rng) {
                    // What was located tells of θ(1−π) alone.
                    let more = (1.0 - draw.pi) / (1.0 - pi);
                    draw.rate.iter_mut().for_each(|rate| *rate *= more);
                    draw.common_rate *= more;
                    (draw.total, draw.pi) = (total, pi);
                    draw.unlocated = unlocated_of(&draw.total, &draw.located);
                }
                return (draw, Law::Own);
            }
        };
        let mut law = law;
        let rates = match law {
            Law::Gamma(..) if self.unlocated.is_some() => self.rates(&located, law, None, rng),
            _ => Vec::new(),
        };
        if let Some((with, share)) = self.with_unlocated(&located, &rates, rng) {
            // What was located tells of θ(1−π) alone.
            let more = (1.0 - pi) / (1.0 - share);
            match &mut law {
                Law::Common(rate) => *rate *= more,
                Law::Gamma(_, rate) => *rate /= more,
                Law::Own => {}
            }
            (total, pi) = (with, share);
        }
        let rate = self.rates(&total, law, None, rng);
        let unlocated = unlocated_of(&total, &located);
        let (common_rate, heterogeneity) = match law {
            Law::Gamma(alpha, beta) => (alpha / beta, alpha.powf(-0.5)),
            Law::Common(rate) => (rate, 0.0),
            Law::Own => (0.0, 0.0),
        };
        (CountDraw { total, located, unlocated, rate, common_rate, heterogeneity, pi, levelled: None }, law)
    }

    /// Cases by cell and π, where the number of the unlocated is known and they are spread by what is expected: one
    /// common rate, or `rates`. `π | Σu, Σy` does not hang on the rates.
    fn with_unlocated(&self, located: &[u32], rates: &[f64], rng: &mut impl Rng) -> Option<(Vec<u32>, f64)> {
        let (number, prior) = self.unlocated?;
        let expected = |(m, cell): (usize, &Cell)| cell.exposure * rates.get(m).copied().unwrap_or(1.0);
        let expected: Vec<f64> = self.cells.iter().enumerate().map(expected).collect();
        let without = unlocated::spread(number, &expected, rng);
        let pi = match prior {
            Unlocated::Fixed(pi) => pi,
            Unlocated::Beta { a, b } => {
                let found: f64 = located.iter().map(|y| f64::from(*y)).sum();
                let law = Beta::new(a + f64::from(number), b + found);
                law.map_or(a / (a + b), |law| law.sample(rng)).clamp(1e-9, 1.0 - 1e-9)
            }
        };
        Some((located.iter().zip(&without).map(|(y, u)| y.saturating_add(*u)).collect(), pi))
    }

    fn level(&self, draw: &CountDraw, law: Law, keep: &[f64], rng: &mut impl Rng) -> Levelled {
        let mut kept = |n: u32, keep: f64| {
            if keep >= 1.0 {
                return n;
            }
            let left = Binomial::new(n.into(), keep).map_or(0, |law| law.sample(rng));
            u32::try_from(left).unwrap_or(n)
        };
        let (mut located, mut cases) = (Vec::new(), Vec::new());
        for ((&t, &y), &keep) in draw.total.iter().zip(&draw.located).zip(keep) {
            let left = kept(y, keep);
            located.push(left);
            cases.push(left + kept(t - y, keep));
        }
        let rate = match law {
            // The rates are not drawn from the cases alone: thinning a Poisson law thins its rate.
            Law::Own => draw.rate.iter().zip(keep).map(|(rate, keep)| rate * keep).collect(),
            _ => self.rates(&cases, law, Some(keep), rng),
        };
        Levelled { located, rate }
    }

    /// Exact conditional means `E[T_m | bounds, total, hyperparameters]`, one per cell, at a point; without a
    /// total and with a common rate averaged over the posterior grid of λ. `None` where there is no such point, under BYM2,
    /// and where the number of unlocated cases is known.
    #[must_use]
    pub fn expected_totals(&self, point: usize) -> Option<Vec<f64>> {
        if self.unlocated.is_some() {
            return None;
        }
        match &self.kernel {
            Kernel::Conditioned { layout, points } => {
                let (pi, conditioned) = points.get(point)?;
                Some(conditioned.expected(layout, *pi))
            }
            Kernel::Free { layout, rate, pi } => Some(layout.expected(rate, *pi.get(point)?)),
            Kernel::Hierarchy(hierarchy) => hierarchy.expected(&self.cells, point),
            Kernel::Bym2(_) => None,
        }
    }

    /// `log P(bounds, total | λ, π)` at a point and the rate λ per person-year, which only
    /// [`RateModel::Common`] uses: elsewhere it is the likelihood of (α, β, π). `None` where there is no
    /// such point or λ is not positive and finite. Where total and unlocated cases are both known, it is that of the located
    /// ones and of their rates.
    #[must_use]
    pub fn log_likelihood(&self, point: usize, rate: f64) -> Option<f64> {
        let usable = rate > 0.0 && rate.is_finite();
        match &self.kernel {
            Kernel::Conditioned { layout, points } if usable => {
                Some(points.get(point)?.1.ln_likelihood(layout, self.total?, rate))
            }
            Kernel::Free { layout, pi, .. } if usable => {
                Some(layout.ln_likelihood(rate * (1.0 - pi.get(point)?)))
            }
            Kernel::Hierarchy(hierarchy) => hierarchy.ln_likelihood(&self.cells, point),
            _ => None,
        }
    }

    /// `keep` is the share of cases that stayed: a rate of which that share is left has a Gamma(α, β/keep) law.
    fn rates(&self, total: &[u32], law: Law, keep: Option<&[f64]>, rng: &mut impl Rng) -> Vec<f64> {
        let (shape, rate, common) = match law {
            Law::Gamma(alpha, beta) => (alpha, beta, 0.0),
            // Jeffreys: the rate's own uncertainty, not shrunk to the common rate.
            Law::Common(rate) => (0.5, 0.0, rate),
            Law::Own => (0.5, 0.0, 0.0),
        };
        let draw = |(m, (cell, t)): (usize, (&Cell, &u32))| {
            let left = keep.and_then(|keep| keep.get(m).copied()).unwrap_or(1.0);
            let rate = rate / left + cell.exposure;
            // Without exposure and without a prior, the common rate is all that is known.
            if rate > 0.0 { gamma(shape + f64::from(*t), rate, rng) } else { common * left }
        };
        self.cells.iter().zip(total).enumerate().map(draw).collect()
    }
}

/// What rates follow given the cases.
#[derive(Debug, Clone, Copy)]
enum Law {
    /// Gamma(α, β) before the cases.
    Gamma(f64, f64),
    /// One rate for all.
    Common(f64),
    /// Rates that came with the cases.
    Own,
}

/// What the kernel is told where total and unlocated cases are both known: that all of the rest are located. With the
/// rates given, `Σu | ΣT ~ Bin(ΣT, π)` whatever they are, so that π has its own posterior, and what is left out is the little
/// that the unlocated cases tell of the rates beyond the located ones.
fn located_alone(total: Option<u32>, unlocated: Option<u32>, share: Unlocated) -> (Option<u32>, Unlocated) {
    match (total, unlocated) {
        (Some(total), Some(cases)) => (Some(total.saturating_sub(cases)), Unlocated::Fixed(0.0)),
        _ => (total, share),
    }
}

fn check_sums(
    cells: &[Cell],
    total: Option<u32>,
    unlocated: Option<u32>,
    share: Unlocated,
) -> Result<(), IncidenceError> {
    if let Some(cases) = unlocated {
        check_unlocated(cases, share)?;
    }
    match (total, unlocated) {
        (Some(total), Some(cases)) => check_located(cells, total, cases),
        (Some(total), None) => check_total(cells, total, share != Unlocated::Fixed(0.0)),
        (None, _) => Ok(()),
    }
}

fn unlocated_of(total: &[u32], located: &[u32]) -> u32 {
    total.iter().zip(located).fold(0, |sum, (t, y)| sum.saturating_add(t - y))
}

/// One of `n` points that are equally likely.
fn even(n: usize, rng: &mut impl Rng) -> usize {
    match n {
        0 | 1 => 0,
        n => (unimodal::floor(rng.random::<f64>() * n as f64) as usize).min(n - 1),
    }
}

fn common(cells: &[Cell], total: Option<u32>, options: &CountOptions) -> Result<Kernel, IncidenceError> {
    let pi = pi_grid(options)?;
    let layout = Layout::new(cells);
    let Some(total) = total else {
        let rate = layout.located_rate(pi.iter().copied().fold(0.0, f64::max))?;
        return Ok(Kernel::Free { layout, rate, pi });
    };
    let budget = MAX_ENTRIES / pi.len() as u64;
    let points: Result<_, _> =
        pi.iter().map(|&pi| Ok((pi, Conditioned::new(&layout, total, pi, budget)?))).collect();
    Ok(Kernel::Conditioned { points: points?, layout })
}
