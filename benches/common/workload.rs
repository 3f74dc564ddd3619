//! What the benches of cheapest paths share: a network with weights, perturbations of them, pairs with demand, and the
//! assignment by the reference search.

#![allow(dead_code, reason = "each bench is a program of its own and uses a part of this")]

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use corredor::ids::JunctionId;
use corredor::network::cch::LANES;
use corredor::network::perturb::{Perception, VectorKey};
use corredor::network::search::{Arcs, Search, UNREACHED};
use geo::Coord;
use rayon::prelude::*;

/// Variance of a perceived cost over its mean, in minutes.
const VARIANCE: f64 = 0.3;

/// A network with unperturbed weights.
pub(crate) struct Workload {
    pub(crate) arcs: Arcs,
    /// Positions of the nodes in a plane.
    pub(crate) at: Vec<Coord<f64>>,
    /// Costs of the links in ms.
    pub(crate) weights: Vec<u32>,
}

impl Workload {
    /// Perceived costs of the perturbations of draw `draw`, by link and lane.
    pub(crate) fn perceived(&self, draw: u32) -> Vec<[u32; LANES]> {
        let mut out = Vec::new();
        self.perceive(draw, &mut out);
        out
    }

    /// The same in room that is used again, as a run does it.
    pub(crate) fn perceive(&self, draw: u32, out: &mut Vec<[u32; LANES]>) {
        let keys = [0, 1, 2, 3, 4, 5, 6, 7].map(|r| VectorKey::new(1, draw, r));
        let table = Perception::table();
        let one = |(link, weight): (usize, &u32)| {
            table.lanes(&keys, link as u64, &[f64::from(*weight) / 60_000.0; LANES], &[VARIANCE; LANES])
        };
        self.weights.par_iter().enumerate().with_min_len(4_096).map(one).collect_into_vec(out);
    }
}

/// A number that looks random, from 0 to 1.
pub(crate) fn scatter(key: [u64; 3]) -> f64 {
    let z = key.into_iter().fold(0x9e37_79b9_7f4a_7c15_u64, |state, part| {
        let mut z = (state ^ part).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    });
    (z >> 11) as f64 / (1_u64 << 53) as f64
}

/// `count` different ones of `all`, spread at random; all of them, if there are less.
pub(crate) fn some(all: &[u32], count: usize, salt: u64) -> Vec<JunctionId> {
    let mut left = all.to_vec();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length")]
    let one = |i: usize| {
        let place = (scatter([salt, i as u64, 6]) * left.len() as f64) as usize;
        JunctionId(left.swap_remove(place))
    };
    (0..count.min(all.len())).map(one).collect()
}

/// Demand between `pairs` pairs.
pub(crate) fn demand(pairs: usize) -> Vec<[i64; 1]> {
    (0_i64..).take(pairs).map(|p| [1 + p * 7919 % 101]).collect()
}

/// A setting of the environment.
pub(crate) fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// What `run` returns, and how long it takes.
pub(crate) fn seconds<T>(run: impl FnOnce() -> T) -> (T, f64) {
    let start = Instant::now();
    let out = run();
    (out, start.elapsed().as_secs_f64())
}

/// The middle one of some times; no number if there are none.
pub(crate) fn median(times: &[f64]) -> f64 {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Kilobytes of a line of this process' state: `VmRSS:` now, `VmHWM:` at most.
pub(crate) fn memory(line: &str) -> f64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let found = text.lines().find_map(|l| l.strip_prefix(line));
    found.and_then(|l| l.split_whitespace().next()).and_then(|n| n.parse().ok()).unwrap_or(f64::NAN)
}

/// Hands `items` out to threads, one after the other, and returns what each thread has made of its own; `spaces` has one
/// entry for each thread.
pub(crate) fn share<S: Send>(spaces: Vec<S>, items: usize, work: impl Fn(&mut S, usize) + Sync) -> Vec<S> {
    let next = AtomicUsize::new(0);
    let run = |mut space: S| {
        loop {
            let item = next.fetch_add(1, Ordering::Relaxed);
            if item >= items {
                return space;
            }
            work(&mut space, item);
        }
    };
    spaces.into_par_iter().with_max_len(1).map(run).collect()
}

/// The assignment by the reference search, in parallel over origins.
pub(crate) struct Reference<'a> {
    arcs: &'a Arcs,
    origins: &'a [JunctionId],
    destinations: &'a [JunctionId],
    is_target: Vec<bool>,
    wanted: usize,
}

impl<'a> Reference<'a> {
    pub(crate) fn new(arcs: &'a Arcs, origins: &'a [JunctionId], destinations: &'a [JunctionId]) -> Self {
        let mut is_target = vec![false; arcs.junction_count()];
        for d in destinations {
            is_target[d.index()] = true;
        }
        let wanted = is_target.iter().filter(|t| **t).count();
        Self { arcs, origins, destinations, is_target, wanted }
    }

    /// The sum of all distances.
    pub(crate) fn matrix(&self, weights: &[u32]) -> i128 {
        let spaces = (0..rayon::current_num_threads()).map(|_| (Search::new(self.arcs), 0)).collect();
        let work = |(search, sum): &mut (Search, i128), i: usize| {
            search.run(self.arcs, weights, self.origins[i], &self.is_target, self.wanted);
            let reached = self.destinations.iter().map(|d| search.distance(*d)).filter(|d| *d != UNREACHED);
            *sum += reached.map(i128::from).sum::<i128>();
        };
        share(spaces, self.origins.len(), work).into_iter().map(|(_, sum)| sum).sum()
    }

    /// The sum of flow times cost. `demand` is by origin and destination.
    pub(crate) fn assign(&self, weights: &[u32], demand: &[[i64; 1]]) -> i128 {
        struct Space {
            search: Search,
            nodes: Vec<i64>,
            links: Vec<i64>,
        }
        let space = |_| Space {
            search: Search::new(self.arcs),
            nodes: vec![0; self.arcs.node_count()],
            links: vec![0; weights.len()],
        };
        let spaces = (0..rayon::current_num_threads()).map(space).collect();
        let work = |Space { search, nodes, links }: &mut Space, i: usize| {
            search.run(self.arcs, weights, self.origins[i], &self.is_target, self.wanted);
            for (j, d) in self.destinations.iter().enumerate() {
                if search.distance(*d) != UNREACHED {
                    nodes[search.best(*d) as usize] += demand[i * self.destinations.len() + j][0];
                }
            }
            for &node in search.settled().iter().rev() {
                let flow = std::mem::take(&mut nodes[node as usize]);
                if let (true, Some((parent, link))) = (flow != 0, search.parent(node)) {
                    links[link.index()] += flow;
                    nodes[parent as usize] += flow;
                }
            }
        };
        let done = share(spaces, self.origins.len(), work);
        let flow = |link: usize| done.iter().map(|s| i128::from(s.links[link])).sum::<i128>();
        weights.iter().enumerate().map(|(link, w)| flow(link) * i128::from((*w).max(1))).sum()
    }
}
