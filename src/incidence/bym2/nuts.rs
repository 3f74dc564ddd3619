//! The no-U-turn sampler.
//!
//! Hoffman & Gelman 2014 (J. Mach. Learn. Res. 15:1593) with multinomial weights along the trajectory and
//! the generalised criterion of Betancourt 2017 (arXiv 1701.02434), checked across the seam of two subtrees
//! as well. One transition:
//!
//! 1. momenta `p ~ N(0, M)`, `M` diagonal;
//! 2. double the trajectory, forward or backward by a coin, with leapfrog steps; within a subtree a state is
//!    chosen by its weight `e^{−H}`, between the old and the new half with a bias to the new one;
//! 3. stop where an end moves towards the middle (`p♯ · Σp ≤ 0`), at a divergence (energy error above
//!    1,000, or no finite density), or at the largest depth.
//!
//! All arithmetic is `+ − × ÷ √` and functions of `libm`, in a fixed order: a chain has the same bits on every
//! processor. The warm-up is in `adapt`.

use rand::{Rng, RngExt};

use super::normal;

/// Energy error beyond which a trajectory counts as divergent.
const DIVERGENCE: f64 = 1_000.0;

/// A log-density to sample from.
pub(super) trait Density {
    /// Number of coordinates.
    fn dimension(&self) -> usize;
    /// The log-density up to a constant, with its gradient; not finite where it cannot be computed.
    fn evaluate(&mut self, at: &[f64], gradient: &mut [f64]) -> f64;
    /// A move between transitions that leaves the law as it is; whether it moved.
    fn interweave(&mut self, _at: &mut [f64], _rng: &mut impl Rng) -> bool {
        false
    }
}

#[derive(Debug, Clone)]
pub(super) struct State {
    pub position: Vec<f64>,
    momentum: Vec<f64>,
    gradient: Vec<f64>,
    pub ln_density: f64,
}

/// What a transition did.
#[derive(Debug, Clone, Copy)]
pub(super) struct Report {
    /// Mean acceptance of its leapfrog steps.
    pub acceptance: f64,
    pub steps: u32,
    pub divergent: bool,
    /// The largest depth ended it.
    pub exhausted: bool,
}

/// Part of a trajectory, in the order in which it was walked.
struct Subtree {
    first: Vec<f64>,
    last: Vec<f64>,
    /// Sum of the momenta.
    sum: Vec<f64>,
    ln_weight: f64,
    chosen: State,
}

pub(super) struct Sampler<'a, D> {
    pub density: &'a mut D,
    pub step: f64,
    /// Diagonal of M⁻¹.
    pub inverse_mass: Vec<f64>,
    pub max_depth: u32,
}

/// State of a walk that all subtrees share.
struct Walk {
    end: State,
    signed_step: f64,
    energy: f64,
    acceptance: f64,
    steps: u32,
    divergent: bool,
}

impl<D: Density> Sampler<'_, D> {
    pub(super) fn state(&mut self, position: Vec<f64>) -> State {
        let mut gradient = vec![0.0; position.len()];
        let ln_density = self.density.evaluate(&position, &mut gradient);
        State { momentum: vec![0.0; position.len()], position, gradient, ln_density }
    }

    pub(super) fn refresh(&self, state: &mut State, rng: &mut impl Rng) {
        normal::fill(&mut state.momentum, rng);
        for (p, inverse) in state.momentum.iter_mut().zip(&self.inverse_mass) {
            *p /= inverse.sqrt();
        }
    }

    pub(super) fn energy(&self, state: &State) -> f64 {
        let kinetic: f64 = state.momentum.iter().zip(&self.inverse_mass).map(|(p, i)| p * p * i).sum();
        let energy = 0.5 * kinetic - state.ln_density;
        if energy.is_nan() { f64::INFINITY } else { energy }
    }

    pub(super) fn leapfrog(&mut self, state: &mut State, step: f64) {
        let half = 0.5 * step;
        for (p, g) in state.momentum.iter_mut().zip(&state.gradient) {
            *p += half * g;
        }
        for ((q, p), inverse) in state.position.iter_mut().zip(&state.momentum).zip(&self.inverse_mass) {
            *q += step * inverse * p;
        }
        state.ln_density = self.density.evaluate(&state.position, &mut state.gradient);
        for (p, g) in state.momentum.iter_mut().zip(&state.gradient) {
            *p += half * g;
        }
    }

    /// Whether both ends still move away from each other.
    fn goes_on(&self, first: &[f64], last: &[f64], sum: &[f64]) -> bool {
        let dot = |p: &[f64]| -> f64 {
            p.iter().zip(sum).zip(&self.inverse_mass).map(|((p, s), inverse)| p * s * inverse).sum()
        };
        dot(first) > 0.0 && dot(last) > 0.0
    }

    /// The criterion for two adjacent parts, for the whole and across their seam.
    fn parts_go_on(&self, left: &Subtree, right: &Subtree) -> bool {
        self.goes_on(&left.first, &right.last, &add(&left.sum, &right.sum))
            && self.goes_on(&left.first, &right.first, &add(&left.sum, &right.first))
            && self.goes_on(&left.last, &right.last, &add(&right.sum, &left.last))
    }

    /// One transition, in place.
    pub(super) fn transition(&mut self, state: &mut State, rng: &mut impl Rng) -> Report {
        self.refresh(state, rng);
        let energy = self.energy(state);
        let mut ends = [state.clone(), state.clone()];
        let mut whole = leaf(state, 0.0);
        let mut report = Report { acceptance: 0.0, steps: 0, divergent: false, exhausted: true };
        for depth in 0..self.max_depth {
            let forward = rng.random::<f64>() < 0.5;
            let side = usize::from(forward);
            let signed_step = if forward { self.step } else { -self.step };
            let end = ends[side].clone();
            let mut walk = Walk { end, signed_step, energy, acceptance: 0.0, steps: 0, divergent: false };
            let grown = self.grow(depth, &mut walk, rng);
            report.acceptance += walk.acceptance;
            report.steps += walk.steps;
            report.divergent |= walk.divergent;
            ends[side] = walk.end;
            let Some(mut grown) = grown else {
                report.exhausted = false;
                break;
            };
            // Biased towards the new half, which moves the chain farther.
            if rng.random::<f64>() < libm::exp(grown.ln_weight - whole.ln_weight) {
                std::mem::swap(&mut whole.chosen, &mut grown.chosen);
            }
            if !forward {
                // A walk backward meets its momenta from the last to the first.
                std::mem::swap(&mut grown.first, &mut grown.last);
            }
            let go_on =
                if forward { self.parts_go_on(&whole, &grown) } else { self.parts_go_on(&grown, &whole) };
            let ln_weight = ln_sum(whole.ln_weight, grown.ln_weight);
            let sum = add(&whole.sum, &grown.sum);
            let (first, last) = if forward { (whole.first, grown.last) } else { (grown.first, whole.last) };
            whole = Subtree { first, last, sum, ln_weight, chosen: whole.chosen };
            if !go_on {
                report.exhausted = false;
                break;
            }
        }
        report.acceptance /= f64::from(report.steps.max(1));
        *state = whole.chosen;
        report
    }

    /// `2^depth` steps from the end of the walk; `None` where they must not be used.
    fn grow(&mut self, depth: u32, walk: &mut Walk, rng: &mut impl Rng) -> Option<Subtree> {
        if depth == 0 {
            self.leapfrog(&mut walk.end, walk.signed_step);
            walk.steps += 1;
            let gain = walk.energy - self.energy(&walk.end);
            walk.acceptance += libm::exp(gain.min(0.0));
            if gain < -DIVERGENCE {
                walk.divergent = true;
                return None;
            }
            return Some(leaf(&walk.end, gain));
        }
        let early = self.grow(depth - 1, walk, rng)?;
        let late = self.grow(depth - 1, walk, rng)?;
        // Backward in time both ends and both sides of the seam change places, which leaves the criterion.
        if !self.parts_go_on(&early, &late) {
            return None;
        }
        let ln_weight = ln_sum(early.ln_weight, late.ln_weight);
        let sum = add(&early.sum, &late.sum);
        let late_chosen = rng.random::<f64>() < libm::exp(late.ln_weight - ln_weight);
        let chosen = if late_chosen { late.chosen } else { early.chosen };
        Some(Subtree { first: early.first, last: late.last, sum, ln_weight, chosen })
    }
}

fn leaf(state: &State, ln_weight: f64) -> Subtree {
    let p = &state.momentum;
    Subtree { first: p.clone(), last: p.clone(), sum: p.clone(), ln_weight, chosen: state.clone() }
}

fn add(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

fn ln_sum(a: f64, b: f64) -> f64 {
    let (high, low) = if a > b { (a, b) } else { (b, a) };
    if high == f64::NEG_INFINITY { high } else { high + libm::log1p(libm::exp(low - high)) }
}
