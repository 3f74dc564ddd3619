//! Warm-up and a whole chain.
//!
//! The step follows dual averaging (Nesterov; Hoffman & Gelman 2014, section 3.2), the metric the variances
//! of the positions in windows of growing length, as in Stan (Reference Manual, "HMC algorithm
//! parameters"): a first phase for the step alone, windows that double, a last phase for the step.

use std::sync::atomic::{AtomicBool, Ordering};

use rand::Rng;

use super::normal;
use super::nuts::{Density, Sampler, State};

/// Draws of one chain and what happened on the way.
#[derive(Debug, Clone)]
pub(super) struct Chain {
    /// Positions after the warm-up.
    pub positions: Vec<Vec<f64>>,
    pub divergences: u32,
    pub exhausted: u32,
    /// Leapfrog steps after the warm-up.
    pub steps: u64,
    pub step: f64,
}

pub(super) struct Plan<'a> {
    pub warm_up: u32,
    pub samples: u32,
    pub target: f64,
    pub max_depth: u32,
    /// Set from outside to stop.
    pub stop: &'a AtomicBool,
}

struct DualAveraging {
    target: f64,
    centre: f64,
    count: f64,
    error: f64,
    ln_average: f64,
}

impl DualAveraging {
    fn new(step: f64, target: f64) -> Self {
        Self { target, centre: libm::log(10.0 * step), count: 0.0, error: 0.0, ln_average: 0.0 }
    }

    /// The next step.
    fn learn(&mut self, acceptance: f64) -> f64 {
        self.count += 1.0;
        let share = 1.0 / (self.count + 10.0);
        self.error += share * (self.target - acceptance - self.error);
        let ln_step = self.centre - self.error * self.count.sqrt() / 0.05;
        let weight = libm::pow(self.count, -0.75);
        self.ln_average += weight * (ln_step - self.ln_average);
        libm::exp(ln_step)
    }

    fn average(&self) -> f64 {
        libm::exp(self.ln_average)
    }
}

/// Running variances (Welford 1962).
struct Variances {
    count: f64,
    mean: Vec<f64>,
    square: Vec<f64>,
}

impl Variances {
    fn new(dimension: usize) -> Self {
        Self { count: 0.0, mean: vec![0.0; dimension], square: vec![0.0; dimension] }
    }

    fn add(&mut self, position: &[f64]) {
        self.count += 1.0;
        for ((mean, square), x) in self.mean.iter_mut().zip(&mut self.square).zip(position) {
            let before = x - *mean;
            *mean += before / self.count;
            *square += before * (x - *mean);
        }
    }

    /// Pulled a little towards 1e-3, as in Stan.
    fn regularised(&self) -> Vec<f64> {
        let n = self.count;
        self.square.iter().map(|s| s / (n - 1.0) * n / (n + 5.0) + 1e-3 * 5.0 / (n + 5.0)).collect()
    }
}

/// The transitions after which a window of the metric ends, and the first one that counts.
fn windows(warm_up: u32) -> (u32, Vec<u32>) {
    let (mut first, mut last, mut length) = (75, 50, 25);
    if first + last + length > warm_up {
        first = warm_up * 15 / 100;
        last = warm_up / 10;
        length = warm_up - first - last;
    }
    let end = warm_up - last;
    let mut ends = Vec::new();
    let mut at = first;
    while at < end {
        // A window that would leave less than the next one takes the rest.
        let next = at + length;
        at = if next + 2 * length > end { end } else { next };
        ends.push(at);
        length *= 2;
    }
    (first, ends)
}

/// One chain from a random start near zero; `None` where no start has a finite density, or when it was stopped.
pub(super) fn run<D: Density>(density: &mut D, plan: &Plan<'_>, rng: &mut impl Rng) -> Option<Chain> {
    let dimension = density.dimension();
    let mut sampler =
        Sampler { density, step: 1.0, inverse_mass: vec![1.0; dimension], max_depth: plan.max_depth };
    let mut state = start(&mut sampler, dimension, rng)?;
    sampler.step = first_step(&mut sampler, &state, rng);
    let mut averaging = DualAveraging::new(sampler.step, plan.target);
    let (first, ends) = windows(plan.warm_up);
    let mut variances = Variances::new(dimension);
    for i in 0..plan.warm_up {
        if plan.stop.load(Ordering::Relaxed) {
            return None;
        }
        let report = sampler.transition(&mut state, rng);
        interweave(&mut sampler, &mut state, rng);
        sampler.step = averaging.learn(report.acceptance);
        if i >= first && ends.last().is_some_and(|end| i < *end) {
            variances.add(&state.position);
        }
        if ends.contains(&(i + 1)) && variances.count > 1.0 {
            sampler.inverse_mass = variances.regularised();
            variances = Variances::new(dimension);
            sampler.step = first_step(&mut sampler, &state, rng);
            averaging = DualAveraging::new(sampler.step, plan.target);
        }
    }
    sampler.step = averaging.average();
    let mut chain =
        Chain { positions: Vec::new(), divergences: 0, exhausted: 0, steps: 0, step: sampler.step };
    for _ in 0..plan.samples {
        if plan.stop.load(Ordering::Relaxed) {
            return None;
        }
        let report = sampler.transition(&mut state, rng);
        interweave(&mut sampler, &mut state, rng);
        chain.divergences += u32::from(report.divergent);
        chain.exhausted += u32::from(report.exhausted);
        chain.steps += u64::from(report.steps);
        chain.positions.push(state.position.clone());
    }
    Some(chain)
}

/// The density's own move, if it is to a place where the density can be computed.
fn interweave<D: Density>(sampler: &mut Sampler<'_, D>, state: &mut State, rng: &mut impl Rng) {
    let mut position = state.position.clone();
    if sampler.density.interweave(&mut position, rng) {
        let moved = sampler.state(position);
        if moved.ln_density.is_finite() {
            *state = moved;
        }
    }
}

/// A start with a finite density: normal with standard deviation 1, then closer and closer to zero.
fn start<D: Density>(sampler: &mut Sampler<'_, D>, dimension: usize, rng: &mut impl Rng) -> Option<State> {
    let mut position = vec![0.0; dimension];
    let mut spread = 1.0;
    for _ in 0..30 {
        normal::fill(&mut position, rng);
        for x in &mut position {
            *x *= spread;
        }
        let state = sampler.state(position.clone());
        if state.ln_density.is_finite() {
            return Some(state);
        }
        spread *= 0.7;
    }
    let state = sampler.state(vec![0.0; dimension]);
    state.ln_density.is_finite().then_some(state)
}

/// A step whose first acceptance crosses 0.8, by doubling or halving.
fn first_step<D: Density>(sampler: &mut Sampler<'_, D>, state: &State, rng: &mut impl Rng) -> f64 {
    let mut step = sampler.step.clamp(1e-7, 10.0);
    let mut direction = 0.0;
    for _ in 0..60 {
        let mut trial = state.clone();
        sampler.refresh(&mut trial, rng);
        let before = sampler.energy(&trial);
        sampler.leapfrog(&mut trial, step);
        let accepted = before - sampler.energy(&trial) > libm::log(0.8);
        let wanted = if accepted { 1.0 } else { -1.0 };
        if direction == 0.0 {
            direction = wanted;
        } else if direction != wanted {
            break;
        }
        step *= if accepted { 2.0 } else { 0.5 };
    }
    step
}
