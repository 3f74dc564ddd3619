//! Recursive logit: route choice link by link, over all routes (Fosgerau, Frejinger & Karlström 2013, A link based network
//! route choice model with unrestricted choice set, Transp. Res. B 56:70).
//!
//! A traveller who has driven along arc `a` chooses the next arc `b` by `−c_b + V(b)`, plus an error of scale `1/θ`, where `V` is
//! the expected utility of all that follows. With `z = exp(θ V)` this is a linear system, `z = M z + b`, with
//! `M_ab = exp(−θ c_b)` for each arc `b` that can follow `a`; the choice is `P_ab = M_ab z_b / z_a`, and expected flows are
//! `x = Pᵀ x + g` with the demand `g` that enters. It is the logit model over all ways, those that return included:
//! each is taken in proportion to `exp(−θ c)`. As in the paper arcs are the states, so that turns can be told apart; here
//! nobody turns back on a link, and a trip ends where it first reaches its destination.
//!
//! The sum over all ways is finite only where the spectral radius `ρ` of `M` is below 1. It is enclosed by the bounds of
//! Collatz and Wielandt, block by strongly connected block: for a positive vector `x`,
//! `min (Mx)_a / x_a ≤ ρ ≤ max (Mx)_a / x_a` on each. Where `ρ < 1` is not shown, the model is refused.
//!
//! Systems are solved by Gauss–Seidel from the destination outwards, values relative to the cheapest way, so
//! that nothing underflows: `z_a exp(θ d_a)` with `d` the cheapest cost to the destination. Both iterations rise to
//! the solution, and stop when what is left is below 10⁻¹².

use std::sync::atomic::AtomicBool;

use super::logit::{Arc, Graph, Loaded, Trip, grouped, sum};
use crate::network::search::UNREACHED;

/// Milliseconds of a minute.
const MINUTE: f64 = 60_000.0;
/// Where iterations stop: the part that is still missing.
const ENOUGH: f64 = 1e-12;
/// Rounds of an iteration.
const ROUNDS: usize = 100_000;
/// Rounds in which the spectral radius is enclosed.
const RADIUS_ROUNDS: usize = 2_000;
/// Relative width at which it is narrow enough.
const RADIUS_WIDTH: f64 = 1e-6;

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RecursiveLogitError {
    /// Ways that return weigh too much: their sum over all ways is not shown to be finite.
    #[error(
        "the spectral radius of the weights is within {low:.6} and {high:.6} at θ = {theta} per minute, not below 1; errors must be smaller (θ of at least {needed:?})"
    )]
    Radius {
        /// Scale, per minute.
        theta: f64,
        /// What the radius is not below.
        low: f64,
        /// What it is not above.
        high: f64,
        /// The least scale that does, to a hundredth of it; `None` where none was found.
        needed: Option<f64>,
    },
    /// An iteration did not come to its end, which a radius just below 1 makes long.
    #[error("no convergence in {rounds} rounds: {missing:e} is missing")]
    NotConverged {
        /// Rounds.
        rounds: usize,
        /// Part that is missing.
        missing: f64,
    },
}

/// Bounds of a spectral radius.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Radius {
    /// What it is not below.
    pub low: f64,
    /// What it is not above.
    pub high: f64,
}

/// A network with its weights, of which it is known that all ways have a finite sum.
#[derive(Debug, Clone)]
pub struct RecursiveLogit<'a> {
    graph: &'a Graph,
    weights: &'a [u32],
    /// Per ms.
    theta: f64,
    radius: Radius,
}

impl<'a> RecursiveLogit<'a> {
    /// With costs `weights` (ms by link, [`UNREACHED`] for a closed one) and θ per minute, above 0.
    ///
    /// # Errors
    /// [`RecursiveLogitError::Radius`] where the spectral radius is not shown to be below 1.
    pub fn new(graph: &'a Graph, weights: &'a [u32], theta: f64) -> Result<Self, RecursiveLogitError> {
        let blocks = Blocks::new(graph, weights);
        let radius = blocks.radius(weights, theta / MINUTE, Until::Narrow);
        if radius.high < 1.0 {
            return Ok(Self { graph, weights, theta: theta / MINUTE, radius });
        }
        let Radius { low, high } = radius;
        let needed = blocks.least_scale(weights, theta / MINUTE).map(|theta| theta * MINUTE);
        Err(RecursiveLogitError::Radius { theta, low, high, needed })
    }

    /// Spectral radius of the weights.
    #[must_use]
    pub const fn radius(&self) -> Radius {
        self.radius
    }

    /// Loads `trips`. Trips within a junction load nothing. Once `stop` is set, what comes back is of no use.
    ///
    /// # Errors
    /// [`RecursiveLogitError::NotConverged`].
    pub fn load(&self, trips: &[Trip], stop: &AtomicBool) -> Result<Loaded, RecursiveLogitError> {
        let by_destination = grouped(trips, |trip| trip.to);
        sum(self.weights.len(), &by_destination, stop, |trips| self.destination(trips))
    }

    /// The trips to one destination.
    ///
    /// 1. `ahead_a`: what the arcs that can follow `a` add up to, `Σ_b w_b y_b`, where `w_b` is the weight of the detour
    ///    over `b` and `y_b` is 1 where `b` ends at the destination, else `ahead_b`: values relative to the cheapest way.
    /// 2. Flows: of what has come over `a`, the arc `b` takes the share `w_b y_b` of that sum.
    fn destination(&self, trips: &[Trip]) -> Result<Loaded, RecursiveLogitError> {
        let Self { graph, weights, theta, .. } = *self;
        let mut out = Loaded::none(weights.len());
        let Some(to) = trips.first().map(|trip| trip.to) else { return Ok(out) };
        let left = graph.distances(weights, graph.nodes_of(to), true);
        let mut ends = vec![false; graph.nodes()];
        graph.nodes_of(to).for_each(|node| ends[node as usize] = true);
        // Arcs on some way to the destination that does not pass it, the last ones first.
        let on_way = |arc: &u32| {
            let Arc { tail, head, link } = graph.arcs[*arc as usize];
            weights[link as usize] != UNREACHED && left[head as usize] != Graph::FAR && !ends[tail as usize]
        };
        let mut order: Vec<u32> = (0..).take(graph.arcs.len()).filter(on_way).collect();
        order.sort_unstable_by_key(|arc| (left[graph.arcs[*arc as usize].head as usize], *arc));
        let mut used = vec![false; graph.arcs.len()];
        let mut weight = vec![0.0; graph.arcs.len()];
        for &arc in &order {
            let Arc { tail, head, link } = graph.arcs[arc as usize];
            let cost = u64::from(weights[link as usize].max(1));
            let detour = cost + left[head as usize] - left[tail as usize];
            used[arc as usize] = true;
            weight[arc as usize] = (-theta * detour as f64).exp();
        }
        let is_last = |arc: usize| ends[graph.arcs[arc].head as usize];
        let mut ahead = vec![0.0; graph.arcs.len()];
        let value = |ahead: &[f64], arc: usize| if is_last(arc) { 1.0 } else { ahead[arc] };
        let after = |ahead: &[f64], node: u32, link: u32| -> f64 {
            let next = graph.out(node).filter(|b| used[*b] && graph.arcs[*b].link != link);
            next.map(|b| weight[b] * value(ahead, b)).sum()
        };
        let mut last_change = f64::INFINITY;
        converge(|| {
            let mut change = 0.0_f64;
            for &arc in order.iter().filter(|arc| !is_last(**arc as usize)) {
                let Arc { head, link, .. } = graph.arcs[arc as usize];
                let new = after(&ahead, head, link);
                let old = std::mem::replace(&mut ahead[arc as usize], new);
                if new > 0.0 {
                    change = change.max((new - old) / new);
                }
            }
            // Changes fall as a geometric series in the end: what is left is the rest of it.
            let ratio = (change / last_change).clamp(0.0, 1.0);
            last_change = change;
            if change <= f64::EPSILON { 0.0 } else { change * (ratio / (1.0 - ratio)).max(1.0) }
        })?;

        // Summed once more from the values as they are now, so that what goes on is all that has come.
        let mut sums = vec![0.0; graph.arcs.len()];
        for &arc in order.iter().filter(|arc| !is_last(**arc as usize)) {
            let Arc { head, link, .. } = graph.arcs[arc as usize];
            sums[arc as usize] = after(&ahead, head, link);
        }
        let mut entering = vec![0.0; graph.arcs.len()];
        let mut demand = 0.0;
        for trip in trips {
            let from = trip.from.0;
            let whole = after(&ahead, from, u32::MAX);
            if whole > 0.0 {
                demand += trip.demand;
                for arc in graph.out(from).filter(|arc| used[*arc]) {
                    entering[arc] += trip.demand * weight[arc] * value(&ahead, arc) / whole;
                }
            } else {
                out.unserved += trip.demand;
            }
        }
        if demand > 0.0 {
            let mut flow = vec![0.0; graph.arcs.len()];
            converge(|| {
                let mut arrived = 0.0;
                for &arc in order.iter().rev() {
                    let (b, Arc { tail, link, .. }) = (arc as usize, graph.arcs[arc as usize]);
                    let before = graph.into(tail).iter().map(|a| *a as usize).filter(|a| {
                        used[*a] && !is_last(*a) && sums[*a] > 0.0 && graph.arcs[*a].link != link
                    });
                    let share: f64 = before.map(|a| flow[a] / sums[a]).sum();
                    flow[b] = entering[b] + weight[b] * value(&ahead, b) * share;
                    if is_last(b) {
                        arrived += flow[b];
                    }
                }
                1.0 - arrived / demand
            })?;
            for &arc in &order {
                out.links[graph.arcs[arc as usize].link as usize] += flow[arc as usize];
            }
        }
        Ok(out)
    }
}

/// Repeats `round`, which tells what part is missing, until that is below [`ENOUGH`].
fn converge(mut round: impl FnMut() -> f64) -> Result<(), RecursiveLogitError> {
    let mut missing = f64::INFINITY;
    for _ in 0..ROUNDS {
        missing = round();
        if missing < ENOUGH {
            return Ok(());
        }
    }
    Err(RecursiveLogitError::NotConverged { rounds: ROUNDS, missing })
}

/// Arcs that lead back to themselves, in blocks within which each leads to each.
struct Blocks {
    /// By block, by arc of it: its link, and the places in the block of the arcs that can follow.
    blocks: Vec<Vec<(u32, Vec<u32>)>>,
}

impl Blocks {
    fn new(graph: &Graph, weights: &[u32]) -> Self {
        use petgraph::graph::{DiGraph, NodeIndex};
        let open = |arc: usize| weights[graph.arcs[arc].link as usize] != UNREACHED;
        let follow = |arc: usize| {
            let Arc { head, link, .. } = graph.arcs[arc];
            graph.out(head).filter(move |next| open(*next) && graph.arcs[*next].link != link)
        };
        let mut turns: DiGraph<(), ()> = DiGraph::new();
        let nodes: Vec<NodeIndex> = graph.arcs.iter().map(|_| turns.add_node(())).collect();
        for arc in (0..graph.arcs.len()).filter(|arc| open(*arc)) {
            follow(arc).for_each(|next| {
                turns.add_edge(nodes[arc], nodes[next], ());
            });
        }
        let mut place = vec![u32::MAX; graph.arcs.len()];
        let mut blocks = Vec::new();
        // Two passes that do not call themselves: a chain of a hundred thousand links is no hundred thousand calls.
        for block in petgraph::algo::kosaraju_scc(&turns).into_iter().filter(|block| block.len() > 1) {
            let mut members: Vec<usize> = block.into_iter().map(NodeIndex::index).collect();
            members.sort_unstable();
            (0..).zip(&members).for_each(|(at, arc)| place[*arc] = at);
            let within = |arc: usize| follow(arc).map(|next| place[next]).filter(|at| *at != u32::MAX);
            blocks.push(members.iter().map(|arc| (graph.arcs[*arc].link, within(*arc).collect())).collect());
            for arc in &members {
                place[*arc] = u32::MAX;
            }
        }
        Self { blocks }
    }

    /// Bounds of the radius at `theta` per ms.
    fn radius(&self, weights: &[u32], theta: f64, until: Until) -> Radius {
        let mut out = Radius::default();
        for block in &self.blocks {
            let weight: Vec<f64> = block
                .iter()
                .map(|(link, _)| (-theta * f64::from(weights[*link as usize].max(1))).exp())
                .collect();
            let of = radius(block, &weight, until);
            out = Radius { low: out.low.max(of.low), high: out.high.max(of.high) };
        }
        out
    }

    /// The least scale above `theta` at which the radius is below 1, to a hundredth of it; not looked for where there are
    /// more than [`SEARCHED`] arcs.
    fn least_scale(&self, weights: &[u32], theta: f64) -> Option<f64> {
        // It takes some fifty radii, each of thousands of passes over all arcs.
        if self.blocks.iter().map(Vec::len).sum::<usize>() > SEARCHED {
            return None;
        }
        let fits = |theta: f64| self.radius(weights, theta, Until::Decided).high < 1.0;
        let mut low = theta;
        let mut high = std::iter::successors(Some(2.0 * theta), |t| Some(2.0 * t)).take(40).find(|t| {
            let fits = fits(*t);
            if !fits {
                low = *t;
            }
            fits
        })?;
        while high / low > 1.01 {
            let middle = (low * high).sqrt();
            if fits(middle) { high = middle } else { low = middle }
        }
        Some(high)
    }
}

/// Arcs up to which the least scale is looked for.
const SEARCHED: usize = 50_000;

/// How narrow bounds must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Until {
    /// To [`RADIUS_WIDTH`].
    Narrow,
    /// Until they tell on which side of 1 the radius is.
    Decided,
}

/// By power iteration. The matrix is shifted by a part of itself, so that blocks with a period converge as well.
fn radius(block: &[(u32, Vec<u32>)], weight: &[f64], until: Until) -> Radius {
    let mut x = vec![1.0; block.len()];
    let mut best = Radius { low: 0.0, high: f64::INFINITY };
    for _ in 0..RADIUS_ROUNDS {
        let product = |(_, next): &(u32, Vec<u32>)| -> f64 {
            next.iter().map(|b| weight[*b as usize] * x[*b as usize]).sum()
        };
        let image: Vec<f64> = block.iter().map(product).collect();
        let ratios = image.iter().zip(&x).map(|(new, old)| new / old);
        let (low, high) = ratios.fold((f64::INFINITY, 0.0_f64), |(low, high), r| (low.min(r), high.max(r)));
        best = Radius { low: best.low.max(low), high: best.high.min(high) };
        let decided = until == Until::Decided && (best.high < 1.0 || best.low >= 1.0);
        if decided || best.high - best.low <= RADIUS_WIDTH * best.high {
            break;
        }
        let shift = 0.5 * best.high;
        let largest = image.iter().zip(&x).map(|(new, old)| new + shift * old).fold(0.0, f64::max);
        if largest <= 0.0 {
            break;
        }
        for (old, new) in x.iter_mut().zip(&image) {
            // A value that has underflowed would make a ratio of nothing to nothing.
            *old = ((new + shift * *old) / largest).max(f64::MIN_POSITIVE);
        }
    }
    best
}
