//! What the two logit models of route choice share: the network as a graph with costs in minutes, distances on it, and
//! the scale that goes with the errors of the probit model.
//!
//! They are models of another kind than the one that a run uses ([`super::choice`]): errors of whole routes instead of
//! links, given in closed form instead of drawn. Where they load the same roads, it is not the form of the errors that
//! puts the flow there.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::ids::JunctionId;
use crate::network::search::{Arcs, UNREACHED};

/// The scale θ of a logit model, per minute, whose errors have the variance that the probit model gives to a route of
/// `minutes`: `π² / (6 θ²) = ς c`. Infinite where nobody errs.
#[must_use]
pub fn scale(route_variance: f64, minutes: f64) -> f64 {
    std::f64::consts::PI / (6.0 * route_variance * minutes).sqrt()
}

/// One arc of the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arc {
    /// Node at which it begins.
    pub tail: u32,
    /// Node at which it ends.
    pub head: u32,
    /// Link that it drives along.
    pub link: u32,
}

/// Arcs with what lies before and after each node, and the nodes of each junction.
#[derive(Debug, Clone)]
pub struct Graph {
    /// Arcs by tail.
    pub arcs: Vec<Arc>,
    /// By node: its first arc; one entry more than nodes.
    first_out: Vec<u32>,
    /// Arcs by head.
    into: Vec<u32>,
    first_in: Vec<u32>,
    /// Nodes beyond the junctions with theirs, sorted by junction.
    copies: Vec<(u32, u32)>,
}

impl Graph {
    /// Of arcs in which turn bans are built in: a junction can have several nodes.
    #[must_use]
    pub fn new(arcs: &Arcs) -> Self {
        let nodes = arcs.node_count();
        let list: Vec<Arc> = arcs.all().map(|(tail, head, link)| Arc { tail, head, link }).collect();
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let starts = |of: &dyn Fn(&Arc) -> u32| {
            let mut first = vec![0_u32; nodes + 1];
            for arc in &list {
                first[of(arc) as usize + 1] += 1;
            }
            for node in 0..nodes {
                first[node + 1] += first[node];
            }
            first
        };
        let mut into: Vec<u32> = (0..number(list.len())).collect();
        into.sort_by_key(|arc| (list[*arc as usize].head, *arc));
        let mut copies: Vec<(u32, u32)> = (number(arcs.junction_count())..number(nodes))
            .map(|node| (arcs.junction_of(node).0, node))
            .collect();
        copies.sort_unstable();
        Self {
            first_out: starts(&|arc| arc.tail),
            first_in: starts(&|arc| arc.head),
            arcs: list,
            into,
            copies,
        }
    }

    /// Number of nodes.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.first_out.len() - 1
    }

    /// Numbers of the arcs that begin at a node.
    #[must_use]
    pub fn out(&self, node: u32) -> std::ops::Range<usize> {
        self.first_out[node as usize] as usize..self.first_out[node as usize + 1] as usize
    }

    /// Numbers of the arcs that end at a node.
    #[must_use]
    pub fn into(&self, node: u32) -> &[u32] {
        &self.into[self.first_in[node as usize] as usize..self.first_in[node as usize + 1] as usize]
    }

    /// The nodes at which a way to a junction can end: the junction itself, then its copies.
    pub fn nodes_of(&self, junction: JunctionId) -> impl Iterator<Item = u32> + '_ {
        let from = self.copies.partition_point(|(of, _)| *of < junction.0);
        let copies = self.copies[from..].iter().take_while(move |(of, _)| *of == junction.0);
        std::iter::once(junction.0).chain(copies.map(|(_, node)| *node))
    }

    /// Cheapest costs by node from `nodes`, or to them if `back`; in the unit of `weights` (ms by link, [`UNREACHED`] for a
    /// closed one), [`Self::FAR`] where there is no way.
    #[must_use]
    pub fn distances(&self, weights: &[u32], nodes: impl Iterator<Item = u32>, back: bool) -> Vec<u64> {
        let mut out = vec![Self::FAR; self.nodes()];
        let mut heap = BinaryHeap::new();
        for node in nodes {
            out[node as usize] = 0;
            heap.push(Reverse((0, node)));
        }
        while let Some(Reverse((distance, node))) = heap.pop() {
            if distance > out[node as usize] {
                continue;
            }
            let mut look = |arc: usize| {
                let Arc { tail, head, link } = self.arcs[arc];
                let weight = weights[link as usize];
                let next = if back { tail } else { head };
                let reach = distance + u64::from(weight.max(1));
                if weight != UNREACHED && reach < out[next as usize] {
                    out[next as usize] = reach;
                    heap.push(Reverse((reach, next)));
                }
            };
            if back {
                self.into(node).iter().for_each(|arc| look(*arc as usize));
            } else {
                self.out(node).for_each(look);
            }
        }
        out
    }

    /// Distance of a node that is not reached.
    pub const FAR: u64 = u64::MAX;
}

/// Demand from one junction to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trip {
    /// Where it begins.
    pub from: JunctionId,
    /// Where it ends.
    pub to: JunctionId,
    /// How much, above 0.
    pub demand: f64,
}

/// What a model loads.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Loaded {
    /// By link: flow, both directions together.
    pub links: Vec<f64>,
    /// Demand that finds no way.
    pub unserved: f64,
}

impl Loaded {
    /// Nothing on `links` links.
    #[must_use]
    pub fn none(links: usize) -> Self {
        Self { links: vec![0.0; links], unserved: 0.0 }
    }

    /// Adds another load, `share` of it.
    pub fn add(&mut self, other: &Self, share: f64) {
        self.links.iter_mut().zip(&other.links).for_each(|(sum, flow)| *sum += share * flow);
        self.unserved += share * other.unserved;
    }
}

/// Sums what `of` gives of each of `groups`, in parallel and yet in a fixed order: some at a time, then one after the
/// other. Once `stop` is set, what comes back is of no use.
pub(super) fn sum<G: Sync, E: Send>(
    links: usize,
    groups: &[G],
    stop: &AtomicBool,
    of: impl Fn(&G) -> Result<Loaded, E> + Sync,
) -> Result<Loaded, E> {
    use rayon::prelude::*;
    let mut out = Loaded::none(links);
    for some in groups.chunks(16).take_while(|_| !stop.load(Ordering::Relaxed)) {
        let loads: Vec<Result<Loaded, E>> = some.par_iter().map(&of).collect();
        for load in loads {
            out.add(&load?, 1.0);
        }
    }
    Ok(out)
}

/// Trips by the junction that `key` takes, each group in the order of the list.
pub(super) fn grouped(trips: &[Trip], key: impl Fn(&Trip) -> JunctionId) -> Vec<Vec<Trip>> {
    let mut sorted: Vec<Trip> = trips.iter().filter(|t| t.demand > 0.0 && t.from != t.to).copied().collect();
    sorted.sort_by_key(|trip| key(trip).0);
    sorted.chunk_by(|a, b| key(a) == key(b)).map(<[Trip]>::to_vec).collect()
}
