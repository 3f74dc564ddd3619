//! Seeded random networks with everything that makes routing hard.

use geo::Coord;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::ids::JunctionId;
use crate::network::search::{Arcs, UNREACHED};

/// A network, weights of its links in lanes, and who travels.
pub(super) struct Case {
    pub(super) seed: u64,
    pub(super) arcs: Arcs,
    pub(super) at: Vec<Coord<f64>>,
    pub(super) weights: Vec<[u32; 8]>,
    pub(super) origins: Vec<JunctionId>,
    pub(super) destinations: Vec<JunctionId>,
}

/// How weights are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weights {
    /// 0 to 3: almost everything ties.
    Tiny,
    /// Up to ten minutes, seldom a tie.
    Minutes,
    /// So large that sums do not fit.
    Huge,
}

impl Case {
    /// Case `seed`. Islands, parallel links, loops, one-ways, closed links, links of zero cost; with `bans`, links that lead
    /// to copies of junctions.
    pub(super) fn new(seed: u64, weights: Weights, bans: bool) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let n: u32 = rng.random_range(1..60);
        let at: Vec<Coord<f64>> = (0..n)
            .map(|_| Coord { x: f64::from(rng.random_range(0..20_u32)), y: rng.random_range(0.0..20.0) })
            .collect();
        let links: u32 = rng.random_range(0..3 * n);
        let reach = rng.random_range(1..=n);
        let mut list = Vec::new();
        for link in 0..links {
            let tail = rng.random_range(0..n);
            let head = if rng.random_bool(0.1) { tail } else { (tail + rng.random_range(0..=reach)) % n };
            let forward = rng.random_bool(0.9);
            if forward {
                list.push((tail, head, link));
            }
            if !forward || rng.random_bool(0.7) {
                list.push((head, tail, link));
            }
        }
        let copies = if bans { rng.random_range(0..=n / 3) } else { 0 };
        let mut extra: Vec<u32> = (0..copies).map(|_| rng.random_range(0..n)).collect();
        extra.sort_unstable();
        // A copy has some of its junction's arcs; some arcs lead to copies instead of junctions.
        for (copy, junction) in (n..).zip(&extra) {
            let own: Vec<_> = list.iter().filter(|a| a.0 == *junction).copied().collect();
            list.extend(own.into_iter().filter(|_| rng.random_bool(0.7)).map(|a| (copy, a.1, a.2)));
        }
        for arc in &mut list {
            let heads: Vec<u32> =
                (n..).zip(&extra).filter(|(_, junction)| **junction == arc.1).map(|(copy, _)| copy).collect();
            if !heads.is_empty() && rng.random_bool(0.5) {
                arc.1 = heads[rng.random_range(0..heads.len())];
            }
        }
        list.sort_unstable();
        list.dedup();
        let mut arcs = Arcs::of_list((n + copies) as usize, list);
        arcs.extra = extra;
        let weight = |rng: &mut ChaCha8Rng| match weights {
            _ if rng.random_bool(0.05) => UNREACHED,
            Weights::Tiny => rng.random_range(0..=3),
            Weights::Minutes => rng.random_range(0..600_000),
            Weights::Huge => rng.random_range(0..u32::MAX / 3),
        };
        let weights = (0..links).map(|_| std::array::from_fn(|_| weight(&mut rng))).collect();
        let mut some = |most: u32| -> Vec<JunctionId> {
            (0..rng.random_range(0..=most)).map(|_| JunctionId(rng.random_range(0..n))).collect()
        };
        let (origins, destinations) = (some(12), some(12));
        Self { seed, arcs, at, weights, origins, destinations }
    }

    /// A lattice of `side` by `side` junctions with gaps, and an island apart from it.
    pub(super) fn lattice(side: u32, seed: u64, weights: Weights) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let n = side * side + 3;
        let at = (0..n)
            .map(|v| Coord { x: f64::from(v % side), y: f64::from(v / side) + rng.random_range(0.0..0.4) })
            .collect();
        let mut ends = vec![(n - 3, n - 2), (n - 2, n - 1)];
        for v in 0..n - 3 {
            let right = (v % side + 1 < side).then_some((v, v + 1));
            let up = (v + side < n - 3).then_some((v, v + side));
            ends.extend([right, up].into_iter().flatten().filter(|_| rng.random_bool(0.8)));
        }
        let list = (0..).zip(&ends).flat_map(|(link, (a, b))| [(*a, *b, link), (*b, *a, link)]).collect();
        let most = if weights == Weights::Tiny { 3 } else { 600_000 };
        let weights = ends.iter().map(|_| std::array::from_fn(|_| rng.random_range(1..=most))).collect();
        let mut some = |count: u32| (0..count).map(|_| JunctionId(rng.random_range(0..n))).collect();
        let (origins, destinations) = (some(20), some(30));
        Self { seed, arcs: Arcs::of_list(n as usize, list), at, weights, origins, destinations }
    }

    /// The same with links beside others, one-ways, closed links, and copies of junctions to which some links lead.
    pub(super) fn tangled(mut self) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed ^ 1);
        let n = u32::try_from(self.arcs.node_count()).unwrap();
        let mut list: Vec<(u32, u32, u32)> = self.arcs.all().collect();
        list.retain(|_| rng.random_bool(0.9));
        let mut beside = list.clone();
        beside.retain(|_| rng.random_bool(0.1));
        for arc in beside {
            list.push((arc.0, arc.1, u32::try_from(self.weights.len()).unwrap()));
            self.weights.push(std::array::from_fn(|_| rng.random_range(1..=600_000)));
        }
        for link in self.weights.iter_mut().filter(|_| rng.random_bool(0.03)) {
            *link = [UNREACHED; 8];
        }
        let mut extra: Vec<u32> = (0..n / 10).map(|_| rng.random_range(0..n)).collect();
        extra.sort_unstable();
        extra.dedup();
        for (copy, junction) in (n..).zip(&extra) {
            let own: Vec<_> = list.iter().filter(|a| a.0 == *junction).copied().collect();
            list.extend(own.into_iter().filter(|_| rng.random_bool(0.8)).map(|a| (copy, a.1, a.2)));
            for arc in list.iter_mut().filter(|a| a.1 == *junction) {
                if rng.random_bool(0.5) {
                    arc.1 = copy;
                }
            }
        }
        list.sort_unstable();
        list.dedup();
        self.arcs = Arcs::of_list(n as usize + extra.len(), list);
        self.arcs.extra = extra;
        self
    }
}
