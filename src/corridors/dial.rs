//! Logit route choice over efficient routes, without listing them (Dial 1971, A probabilistic multipath traffic
//! assignment model which obviates path enumeration, Transp. Res. 5:83): the algorithm STOCH, for all destinations of an
//! origin at once.
//!
//! A route is efficient if each of its arcs leads farther from the origin, `r(i) < r(j)` by cheapest costs `r`. Each efficient
//! route of cost `c` to a destination is taken in proportion to `exp(−θ c)`.
//!
//! 1. Cheapest costs `r` from the origin.
//! 2. Nodes by rising `r`: `W_j = Σ_i W_i exp(θ (r_j − r_i − c_ij))` over efficient arcs, `W = 1` at the origin; kept as
//!    logarithms, because the number of routes through a large network has no place in a number.
//! 3. Nodes by falling `r`: what ends at a node or has come back to it goes to its incoming arcs in proportion to the
//!    terms of that sum.
//!
//! Where turn bans give a junction several nodes, its trips end at them in proportion to `W exp(−θ r)`.

use std::convert::Infallible;
use std::sync::atomic::AtomicBool;

use super::logit::{Arc, Graph, Loaded, Trip, grouped, sum};
use crate::network::search::UNREACHED;

/// Milliseconds of a minute.
const MINUTE: f64 = 60_000.0;

/// Loads `trips` on the links of `graph`, whose costs are `weights` (ms by link, [`UNREACHED`] for a closed one); θ is
/// per minute, above 0. Trips within a junction load nothing. Once `stop` is set, what comes back is of no use.
#[must_use]
pub fn dial(graph: &Graph, weights: &[u32], theta: f64, trips: &[Trip], stop: &AtomicBool) -> Loaded {
    let by_origin = grouped(trips, |trip| trip.from);
    let of = |trips: &Vec<Trip>| Ok::<_, Infallible>(origin(graph, weights, theta / MINUTE, trips));
    match sum(weights.len(), &by_origin, stop, of) {
        Ok(loaded) => loaded,
        Err(never) => match never {},
    }
}

/// The trips of one origin; `theta` per ms.
fn origin(graph: &Graph, weights: &[u32], theta: f64, trips: &[Trip]) -> Loaded {
    let mut out = Loaded::none(weights.len());
    let Some(first) = trips.first() else { return out };
    let r = graph.distances(weights, std::iter::once(first.from.0), false);
    let mut order: Vec<u32> = (0..).take(graph.nodes()).filter(|n| r[*n as usize] != Graph::FAR).collect();
    order.sort_unstable_by_key(|node| (r[*node as usize], *node));
    let mut log_weight = vec![f64::NEG_INFINITY; graph.nodes()];
    log_weight[first.from.index()] = 0.0;
    let mut terms = Vec::new();
    for &node in &order[1.min(order.len())..] {
        incoming(graph, weights, theta, &r, &log_weight, node, &mut terms);
        log_weight[node as usize] = log_sum(terms.iter().map(|(_, term)| *term));
    }
    let mut flow = vec![0.0; graph.nodes()];
    for trip in trips {
        let ends: Vec<(u32, f64)> = graph
            .nodes_of(trip.to)
            .filter(|node| r[*node as usize] != Graph::FAR)
            .map(|node| (node, log_weight[node as usize] - theta * r[node as usize] as f64))
            .collect();
        let all = log_sum(ends.iter().map(|(_, term)| *term));
        if ends.is_empty() {
            out.unserved += trip.demand;
        }
        for (node, term) in ends {
            flow[node as usize] += trip.demand * (term - all).exp();
        }
    }
    for &node in order.iter().skip(1).rev() {
        let gathered = std::mem::take(&mut flow[node as usize]);
        if gathered <= 0.0 {
            continue;
        }
        incoming(graph, weights, theta, &r, &log_weight, node, &mut terms);
        for &(arc, term) in &terms {
            let Arc { tail, link, .. } = graph.arcs[arc as usize];
            let part = gathered * (term - log_weight[node as usize]).exp();
            out.links[link as usize] += part;
            flow[tail as usize] += part;
        }
    }
    out
}

/// The efficient arcs into a node, with the logarithms of their terms.
fn incoming(
    graph: &Graph,
    weights: &[u32],
    theta: f64,
    r: &[u64],
    log_weight: &[f64],
    node: u32,
    out: &mut Vec<(u32, f64)>,
) {
    out.clear();
    let here = r[node as usize];
    for &arc in graph.into(node) {
        let Arc { tail, link, .. } = graph.arcs[arc as usize];
        let (before, weight) = (r[tail as usize], weights[link as usize]);
        if weight != UNREACHED && before < here {
            // What the way over this arc costs more than the cheapest one.
            let detour = before + u64::from(weight.max(1)) - here;
            out.push((arc, log_weight[tail as usize] - theta * detour as f64));
        }
    }
}

/// `ln Σ exp` without leaving the range of numbers.
fn log_sum(terms: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest = terms.clone().fold(f64::NEG_INFINITY, f64::max);
    if largest == f64::NEG_INFINITY {
        return largest;
    }
    largest + terms.map(|term| (term - largest).exp()).sum::<f64>().ln()
}
