//! Cells with Gamma rates whose hyperparameters are not known: the posterior of (α, β, π).
//!
//! The rates have the mean `μ = α/β` and the coefficient of variation `κ = 1/√α`. On the scale
//! (ln μ, ln κ, logit π) the posterior is prior × likelihood, and the likelihood of bounds and total is the
//! normaliser of the filter, exactly. It is explored on a lattice ([`super::lattice`]); each point keeps its filter.
//!
//! A draw takes a point by its weight, then the cases from its filter, so that cases follow the sum over the
//! lattice. Then one step of a Gibbs sampler, which leaves the joint posterior as it is, brings the
//! hyperparameters off the lattice: `π | T, y ~ Beta(a + Σ(T−y), b + Σy)` and ln μ, ln κ given T by slice sampling
//! (Neal 2003, Ann. Stat. 31:705). So no hyperparameter is ever plugged in, nor confined to a grid.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rand::{Rng, RngExt};
use rand_distr::{Beta, Distribution};
use rayon::prelude::*;

use super::checks::Cell;
use super::convolution::{ConvolutionFilter, MAX_ENTRIES};
use super::counts::{HyperPrior, Unlocated};
use super::error::IncidenceError;
use super::generating::{self, Marked};
use super::lattice::{AXES, Axis, Point, explore};
use super::negative_binomial::{self as nb, Hyper, LocatedTables};
use super::{unimodal, unlocated};

/// Filters with more entries than this are made only for the points that draws begin from; the posterior is then
/// explored by the generating function, whose cost does not depend on the total.
const LARGE_FILTER: u64 = 150_000;

/// Cells times what the total leaves above their bounds, from which on filters are large without looking.
const CROWDED: u64 = 2_000_000;

/// Unlocated cases from which on the posterior is explored by the generating function.
const FEW_UNLOCATED: u32 = 100;

/// Entries that the filters of all points may hold together.
const KEPT_ENTRIES: u64 = MAX_ENTRIES / 2;

/// Points that draws begin from, where filters are large: at least, and at most.
const FEW: [usize; 2] = [8, 16];

/// Gibbs steps of a draw that begins from one of these few: one step alone would show where it began.
const MORE_STEPS: usize = 5;

/// Largest distance of ln μ and ln κ from their start, and of logit π from 0.
const REACH: [f64; AXES] = [40.0, 13.8, 20.0];

/// Steps by which a slice is widened at most.
const WIDENINGS: u32 = 8;

/// Priors of the hyperparameters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Priors {
    /// Mean of the rates, per person-year.
    pub rate: HyperPrior,
    /// Coefficient of variation of the rates.
    pub heterogeneity: HyperPrior,
    pub unlocated: Unlocated,
}

/// What is known of sums over the cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    Nothing,
    /// `ΣT`.
    Cases(u32),
    /// `Σ(T − y)`.
    Unlocated(u32),
}

/// A point of the posterior.
#[derive(Debug, Clone)]
struct Atom {
    hyper: Hyper,
    weight: f64,
    /// Where a sum is known.
    filter: Option<ConvolutionFilter>,
}

/// The posterior of the hyperparameters, ready for draws.
#[derive(Debug, Clone)]
pub(super) struct Hierarchy {
    priors: Priors,
    known: Known,
    atoms: Vec<Atom>,
    /// Running sums of the weights.
    cumulative: Vec<f64>,
    /// Widths of slices in ln μ and ln κ.
    width: [f64; 2],
    /// Gibbs steps of a draw.
    steps: usize,
}

/// What a draw gives.
pub(super) struct Drawn {
    pub hyper: Hyper,
    pub cases: Vec<u32>,
    pub located: Vec<u32>,
}

impl Hierarchy {
    /// # Errors
    /// [`IncidenceError::Interrupted`] if `stop` was set, and what filters and lattice fail with.
    pub(super) fn new(
        cells: &[Cell],
        known: Known,
        priors: Priors,
        stop: &AtomicBool,
    ) -> Result<Self, IncidenceError> {
        let mut evaluator = Evaluator::new(cells, known, priors, stop);
        let has_sum = known != Known::Nothing;
        let axes = evaluator.axes();
        // One filter tells how large they are, and the tilt that is near those of the others.
        let middle = axes.map(|a| a.starts[0]);
        let crowded = evaluator.is_crowded();
        let probe = if crowded { Ok(None) } else { evaluator.filter(evaluator.hyper(&middle), 0.0) };
        let (tilt, size) = match probe {
            Ok(None) if has_sum => (0.0, KEPT_ENTRIES / FEW[1] as u64),
            Ok(filter) => filter.map_or((0.0, 0), |f| (f.tilt(), f.entries())),
            Err(IncidenceError::Impossible | IncidenceError::TooLarge { .. }) => {
                (0.0, KEPT_ENTRIES / FEW[1] as u64)
            }
            Err(e) => return Err(e),
        };
        evaluator.by_filter = size <= LARGE_FILTER;
        let steps = if has_sum && !evaluator.by_filter { MORE_STEPS } else { 1 };
        // A probability is at most 1.
        let ceiling = |place: &[f64; AXES]| evaluator.ln_prior(place);
        let lattice = explore(&axes, ceiling, |place| evaluator.evaluate(place, tilt))?;
        let mut atoms = weighed(lattice.points, &evaluator);
        if has_sum && !evaluator.by_filter {
            let fit = usize::try_from(KEPT_ENTRIES / size.max(1)).unwrap_or(usize::MAX);
            atoms = thinned(&atoms, fit.clamp(FEW[0], FEW[1]));
            atoms.par_iter_mut().try_for_each(|atom| {
                evaluator.check_stop()?;
                atom.filter = evaluator.filter(atom.hyper, tilt)?;
                Ok(())
            })?;
        }
        if !matches!(known, Known::Cases(_)) {
            check_expected(cells, &atoms)?;
        }
        let mut sum = 0.0;
        let cumulative = atoms
            .iter()
            .map(|a| {
                sum += a.weight;
                sum
            })
            .collect();
        let width = [0, 1].map(|k| if lattice.step[k] > 0.0 { 2.0 * lattice.step[k] } else { 1.0 });
        Ok(Self { priors, known, atoms, cumulative, width, steps })
    }

    /// Number of points.
    pub(super) fn points(&self) -> usize {
        self.atoms.len()
    }

    /// Hyperparameters and weight of a point.
    pub(super) fn point(&self, i: usize) -> Option<(Hyper, f64)> {
        self.atoms.get(i).map(|a| (a.hyper, a.weight))
    }

    /// Means of the cases at a point; `None` where only the number of the unlocated ones is known.
    pub(super) fn expected(&self, cells: &[Cell], i: usize) -> Option<Vec<f64>> {
        let atom = self.atoms.get(i).filter(|_| !matches!(self.known, Known::Unlocated(_)))?;
        Some(atom.filter.as_ref().map_or_else(|| nb::means_free(cells, atom.hyper), ConvolutionFilter::means))
    }

    /// `log P(bounds, total | α, β, π)` at a point.
    pub(super) fn ln_likelihood(&self, cells: &[Cell], i: usize) -> Option<f64> {
        let atom = self.atoms.get(i)?;
        let ln = atom.filter.as_ref().map(ConvolutionFilter::ln_normaliser);
        Some(ln.unwrap_or_else(|| nb::ln_likelihood(cells, atom.hyper)))
    }

    /// A joint draw.
    pub(super) fn sample(&self, cells: &[Cell], rng: &mut impl Rng) -> Drawn {
        let target = match self.atoms.len() {
            1 => 0.0,
            _ => rng.random::<f64>() * self.cumulative.last().copied().unwrap_or(0.0),
        };
        let chosen = self.cumulative.partition_point(|c| *c <= target).min(self.atoms.len() - 1);
        let Atom { mut hyper, ref filter, .. } = self.atoms[chosen];
        let (cases, located) = match filter {
            Some(filter) if matches!(self.known, Known::Unlocated(_)) => {
                let without = filter.sample(rng);
                let located = unlocated::locate(cells, &without, hyper, rng);
                let cases = without.iter().zip(&located).map(|(u, y)| y.saturating_add(*u)).collect();
                (cases, located)
            }
            Some(filter) => {
                let cases = filter.sample(rng);
                let located = locate(cells, &cases, hyper.pi, rng);
                (cases, located)
            }
            None => nb::sample_free(cells, hyper, rng),
        };
        for _ in 0..self.steps {
            self.refresh(cells, &cases, &located, &mut hyper, rng);
        }
        Drawn { hyper, cases, located }
    }

    /// One Gibbs step of the hyperparameters given the cases.
    fn refresh(&self, cells: &[Cell], cases: &[u32], located: &[u32], hyper: &mut Hyper, rng: &mut impl Rng) {
        if let Unlocated::Beta { a, b } = self.priors.unlocated {
            let found: f64 = located.iter().map(|&y| f64::from(y)).sum();
            let all: f64 = cases.iter().map(|&t| f64::from(t)).sum();
            if let Ok(law) = Beta::new(a + all - found, b + found) {
                let [low, high] = [-REACH[2], REACH[2]].map(logistic);
                hyper.pi = law.sample(rng).clamp(low, high);
            }
        }
        let [mut ln_rate, mut ln_heterogeneity] = [(hyper.alpha / hyper.beta).ln(), -0.5 * hyper.alpha.ln()];
        let Priors { rate, heterogeneity, .. } = self.priors;
        let density = nb::CasesDensity::new(cells, cases);
        if let HyperPrior::Lognormal { median, .. } = rate {
            let ln = |x: f64| {
                // Beyond this the formulae leave `f64`; no posterior with data goes there.
                if (x - median.ln()).abs() > REACH[0] {
                    return f64::NEG_INFINITY;
                }
                rate.ln_density(x) + density.rate(hyper.alpha, hyper.alpha / x.exp())
            };
            ln_rate = slice(ln_rate, self.width[0], ln, rng);
        }
        if let HyperPrior::Lognormal { median, .. } = heterogeneity {
            let ln = |x: f64| {
                if (x - median.ln()).abs() > REACH[1] {
                    return f64::NEG_INFINITY;
                }
                let (alpha, beta) = shape_and_rate(ln_rate, x);
                heterogeneity.ln_density(x) + density.shape(alpha) + density.rate(alpha, beta)
            };
            ln_heterogeneity = slice(ln_heterogeneity, self.width[1], ln, rng);
        }
        (hyper.alpha, hyper.beta) = shape_and_rate(ln_rate, ln_heterogeneity);
    }
}

/// Refuses rates under which draws would hold more cases than can be counted.
fn check_expected(cells: &[Cell], atoms: &[Atom]) -> Result<(), IncidenceError> {
    let open: f64 = cells.iter().filter(|c| c.max.is_none()).map(|c| c.exposure).sum();
    let expected = |atom: &Atom| atom.hyper.alpha / atom.hyper.beta * open;
    let most = atoms.iter().map(expected).fold(0.0, f64::max);
    if most > MAX_EXPECTED {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
        let size = most as u64;
        return Err(IncidenceError::TooLarge { what: "expected cases", size, limit: 1_000_000_000 });
    }
    Ok(())
}

/// Cases expected in cells without an upper bound, at most.
const MAX_EXPECTED: f64 = 1e9;

/// `y | T ~ Bin(T, 1−π)` cut to the bounds.
fn locate(cells: &[Cell], cases: &[u32], pi: f64, rng: &mut impl Rng) -> Vec<u32> {
    if pi <= 0.0 {
        return cases.to_vec();
    }
    let one = |(cell, &t): (&Cell, &u32)| {
        let hi = cell.max.map_or(t, |max| max.min(t));
        unimodal::binomial(t, 1.0 - pi, pi, cell.min.min(hi), hi).sample(rng)
    };
    cells.iter().zip(cases).map(one).collect()
}

/// A new value by slice sampling with stepping out.
fn slice(x: f64, width: f64, ln: impl Fn(f64) -> f64, rng: &mut impl Rng) -> f64 {
    // ln of a uniform number in (0, 1].
    let level = ln(x) + (1.0 - rng.random::<f64>()).ln();
    if !level.is_finite() {
        return x;
    }
    let mut low = x - width * rng.random::<f64>();
    let mut high = low + width;
    // The widenings are split by chance, so that the step can be undone (Neal 2003, figure 3).
    let mut left = unimodal::floor(rng.random::<f64>() * f64::from(WIDENINGS)).min(WIDENINGS - 1);
    let mut right = WIDENINGS - 1 - left;
    while left > 0 && ln(low) > level {
        low -= width;
        left -= 1;
    }
    while right > 0 && ln(high) > level {
        high += width;
        right -= 1;
    }
    loop {
        let next = low + (high - low) * rng.random::<f64>();
        if ln(next) > level {
            return next;
        }
        if next < x {
            low = next;
        } else {
            high = next;
        }
        if high - low < 1e-12 {
            return x;
        }
    }
}

/// Points with their weights, which add up to 1; those that carry none are left out.
fn weighed(points: Vec<Point<Option<ConvolutionFilter>>>, evaluator: &Evaluator<'_>) -> Vec<Atom> {
    let highest = points.iter().map(|p| p.ln).fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = points.iter().map(|p| (p.ln - highest).exp()).sum();
    points
        .into_iter()
        .map(|p| Atom {
            hyper: evaluator.hyper(&p.place),
            weight: (p.ln - highest).exp() / sum,
            filter: p.value,
        })
        .collect()
}

/// At most `count` of the atoms, by systematic sampling from their weights.
fn thinned(atoms: &[Atom], count: usize) -> Vec<Atom> {
    if atoms.len() <= count {
        return atoms.to_vec();
    }
    let share = 1.0 / count as f64;
    let (mut out, mut sum, mut taken) = (Vec::new(), 0.0, 0);
    for atom in atoms {
        sum += atom.weight;
        let mut weight = 0.0;
        while taken < count && (taken as f64 + 0.5) * share < sum {
            weight += share;
            taken += 1;
        }
        if weight > 0.0 {
            out.push(Atom { weight, ..atom.clone() });
        }
    }
    out
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn shape_and_rate(ln_rate: f64, ln_heterogeneity: f64) -> (f64, f64) {
    let alpha = (-2.0 * ln_heterogeneity).exp();
    (alpha, alpha / ln_rate.exp())
}

/// The density on the unbounded scale.
struct Evaluator<'a> {
    cells: &'a [Cell],
    known: Known,
    stop: &'a AtomicBool,
    /// What the total leaves above the lower bounds.
    slack: u32,
    priors: Priors,
    /// Whether the likelihood comes from a filter, which is then kept.
    by_filter: bool,
    /// Multiplications of generating functions so far.
    spent: AtomicU64,
    /// By the bits of π.
    located: Mutex<BTreeMap<u64, Arc<LocatedTables>>>,
}

impl<'a> Evaluator<'a> {
    fn new(cells: &'a [Cell], known: Known, priors: Priors, stop: &'a AtomicBool) -> Self {
        let lower: u64 = cells.iter().map(|c| u64::from(c.min)).sum();
        let slack = match known {
            Known::Cases(n) => u32::try_from(u64::from(n).saturating_sub(lower)).unwrap_or(0),
            Known::Nothing | Known::Unlocated(_) => 0,
        };
        Self {
            cells,
            known,
            stop,
            slack,
            priors,
            by_filter: true,
            spent: AtomicU64::new(0),
            located: Mutex::default(),
        }
    }

    /// Whether filters are large without looking.
    fn is_crowded(&self) -> bool {
        match self.known {
            // Their tables cost more than their size says.
            Known::Unlocated(number) => number > FEW_UNLOCATED,
            Known::Nothing | Known::Cases(_) => u64::from(self.slack) * self.cells.len() as u64 > CROWDED,
        }
    }

    /// Where to look for the mode.
    fn axes(&self) -> [Axis; AXES] {
        let exposure: f64 = self.cells.iter().map(|c| c.exposure).sum();
        let bounded = || self.cells.iter().filter(|c| c.exposure > 0.0 && (c.max.is_some() || c.min > 0));
        let seen: f64 = match self.known {
            Known::Cases(total) => f64::from(total),
            Known::Nothing | Known::Unlocated(_) => {
                bounded().map(|c| f64::midpoint(c.min.into(), c.max.unwrap_or(c.min).into())).sum()
            }
        };
        let of_all = matches!(self.known, Known::Cases(_));
        let person_years = if of_all { exposure } else { bounded().map(|c| c.exposure).sum() };
        let crude = ((seen + 0.5) / person_years).ln();
        let axis = |prior: HyperPrior, guess: Option<f64>, reach: f64| match prior {
            HyperPrior::Fixed(value) => {
                Axis { starts: [value.ln(); 3], scale: 0.0, range: [f64::MIN, f64::MAX] }
            }
            HyperPrior::Lognormal { median, sigma } => {
                let centre = guess.unwrap_or(median.ln());
                let [low, high] = [median.ln() - reach, median.ln() + reach];
                let centre = centre.clamp(low, high);
                // The data are worth a unit or so, whatever the prior.
                let scale = sigma.min(1.0);
                // Of the mean, where it is guessed from the data, the prior's own is tried too.
                let starts = match guess {
                    Some(_) => [centre, median.ln(), 0.5 * (centre + median.ln())],
                    None => [centre, centre - scale, centre + scale],
                };
                Axis { starts, scale, range: [low, high] }
            }
        };
        let pi = match self.priors.unlocated {
            Unlocated::Fixed(_) => Axis { starts: [0.0; 3], scale: 0.0, range: [f64::MIN, f64::MAX] },
            Unlocated::Beta { a, b } => {
                let middle = (a / b).ln().clamp(-6.0, 6.0);
                Axis {
                    starts: [middle, middle - 1.5, middle + 1.5],
                    scale: 1.0,
                    range: [-REACH[2], REACH[2]],
                }
            }
        };
        [axis(self.priors.rate, Some(crude), REACH[0]), axis(self.priors.heterogeneity, None, REACH[1]), pi]
    }

    fn hyper(&self, place: &[f64; AXES]) -> Hyper {
        let (alpha, beta) = shape_and_rate(place[0], place[1]);
        let pi = match self.priors.unlocated {
            Unlocated::Fixed(value) => value,
            Unlocated::Beta { .. } => logistic(place[2]),
        };
        Hyper { alpha, beta, pi }
    }

    fn ln_prior(&self, place: &[f64; AXES]) -> f64 {
        let pi = match self.priors.unlocated {
            Unlocated::Fixed(_) => 0.0,
            // The density of logit π.
            Unlocated::Beta { a, b } => -a * (-place[2]).exp().ln_1p() - b * place[2].exp().ln_1p(),
        };
        self.priors.rate.ln_density(place[0]) + self.priors.heterogeneity.ln_density(place[1]) + pi
    }

    fn evaluate(
        &self,
        place: &[f64; AXES],
        tilt: f64,
    ) -> Result<(f64, Option<ConvolutionFilter>), IncidenceError> {
        self.check_stop()?;
        let hyper = self.hyper(place);
        let (ln, filter) = match self.known {
            Known::Cases(total) if !self.by_filter => {
                (generating::ln_likelihood(self.cells, (Marked::Cases, total), hyper, &self.spent)?, None)
            }
            Known::Unlocated(number) if !self.by_filter => {
                let of = (Marked::Unlocated, number);
                (generating::ln_likelihood(self.cells, of, hyper, &self.spent)?, None)
            }
            _ => match self.filter(hyper, tilt)? {
                Some(filter) => (filter.ln_normaliser(), Some(filter)),
                None => (nb::ln_likelihood(self.cells, hyper), None),
            },
        };
        Ok((self.ln_prior(place) + ln, filter))
    }

    fn check_stop(&self) -> Result<(), IncidenceError> {
        if self.stop.load(Ordering::Relaxed) { Err(IncidenceError::Interrupted) } else { Ok(()) }
    }

    fn filter(&self, hyper: Hyper, tilt: f64) -> Result<Option<ConvolutionFilter>, IncidenceError> {
        match self.known {
            Known::Nothing => Ok(None),
            Known::Cases(total) => {
                let located = self.located(hyper.pi);
                nb::filter(self.cells, total, hyper, &located, MAX_ENTRIES, tilt).map(Some)
            }
            Known::Unlocated(number) => {
                unlocated::filter(self.cells, number, hyper, MAX_ENTRIES, tilt).map(Some)
            }
        }
    }

    fn located(&self, pi: f64) -> Arc<LocatedTables> {
        let key = pi.to_bits();
        let held = |tables: &BTreeMap<u64, Arc<LocatedTables>>| tables.get(&key).cloned();
        // A thread that panicked while holding the lock has left whole tables behind.
        if let Some(found) = held(&self.located.lock().unwrap_or_else(PoisonError::into_inner)) {
            return found;
        }
        let made = Arc::new(LocatedTables::new(self.cells, self.slack, pi));
        let mut tables = self.located.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(tables.entry(key).or_insert(made))
    }
}
