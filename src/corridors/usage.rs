//! Select link: who uses a corridor or a link: its share of trips, and the pairs of places whose trips load it most.
//!
//! What passes several links of a corridor can be counted once only where its whole way is known, and corridors are
//! known only after all draws. So this stands on the paths that are kept for planning, one perturbation of each kept
//! draw ([`super::draws::Flows::trees`]): a fair sample of draws and behaviour profiles, whose quantiles hold how
//! travellers differ as well as what is not known.
//!
//! A trip uses a corridor if any link of its way is part of it, and counts with its whole demand however short that
//! part is. Trips that load no link are no trips here. All sums are of integers: the pairs of a link add up to what
//! the kept paths load on it, a way that a turn ban leads along it twice counting twice, as in the flow.

use rayon::prelude::*;

use super::demand::{Destination, DestinationClass, Origin, OriginClass, Places};
use super::flow::Tree;
use crate::ids::LinkId;
use crate::model::domain::Domain;
use crate::network::graph::Network;
use crate::stats::spread;

/// Pairs of places that are told one by one for a corridor.
pub const LISTED: usize = 10;

/// Pairs of places that are told one by one for a link, of which a network has many.
pub const LISTED_OF_LINK: usize = 5;

/// Steps of a part: as many as layers show, so that the parts still add up to 1 when they are written.
const STEPS: u32 = 1_000_000_000;

const NONE: u32 = u32::MAX;

/// A pair of places and its part of the flow of a corridor.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// Name of the crossing or municipality where its trips begin.
    pub origin: String,
    /// Name of the municipality or exit where they end.
    pub destination: String,
    /// Part of the corridor's length-weighted flow.
    pub value: f64,
}

/// Where the flow of a corridor or of a link comes from and goes to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pairs {
    /// The pairs with the largest parts, at most [`LISTED`] or [`LISTED_OF_LINK`]; empty where no trip passes.
    pub largest: Vec<Pair>,
    /// Number of the other pairs, and their part.
    pub others: (usize, f64),
}

/// Who uses a corridor.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Usage {
    /// Share of served trips that use it, each once: mean, 5 % and 95 % quantile over draws; `None` where no trip is
    /// served in any.
    pub share: Option<[f64; 3]>,
    /// By length-weighted flow.
    pub pairs: Pairs,
}

/// Who uses the corridors and the links of a network.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Usages {
    /// Draws with served trips, on which the rest stands.
    pub draws: usize,
    /// By corridor.
    pub of: Vec<Usage>,
    /// By link.
    pub links: Vec<Pairs>,
}

/// Who uses `corridors`, which share no link, and each link, by `trees` by draw and origin.
#[must_use]
pub fn usages(
    network: &Network,
    domain: &Domain,
    places: &Places,
    trees: &[Vec<Tree>],
    corridors: &[&[LinkId]],
) -> Usages {
    let on = Roads::new(network, corridors);
    let none = || Sums::none(trees.len(), &on);
    // Each worker has a sum for every link: no more of them than threads.
    let workers = rayon::current_num_threads().clamp(1, places.origins.len().max(1));
    let sums = (0..workers)
        .into_par_iter()
        .with_max_len(1)
        .map(|worker| {
            let mut sums = none();
            let mut walk = Walk::new(&on, trees.len());
            for origin in (worker..places.origins.len()).step_by(workers) {
                walk.add(&on, trees, origin, places.destinations.len(), &mut sums);
            }
            sums
        })
        .reduce(none, Sums::merge);
    let with_trips: Vec<usize> = (0..trees.len()).filter(|draw| sums.served[*draw] > 0).collect();
    let usage = |c: usize| {
        let share = |draw: &usize| sums.used[draw * on.count + c] as f64 / sums.served[*draw] as f64;
        Usage {
            share: (!with_trips.is_empty()).then(|| spread(with_trips.iter().map(share).collect())),
            pairs: sums.corridors[c].pairs(domain, places),
        }
    };
    Usages {
        of: (0..on.count).map(usage).collect(),
        links: sums.links.iter().map(|link| link.pairs(domain, places)).collect(),
        draws: with_trips.len(),
    }
}

fn origin_name(domain: &Domain, origin: &Origin) -> String {
    match origin.class {
        OriginClass::Border => domain.crossings[origin.place].name.clone(),
        OriginClass::Domestic => domain.municipalities[origin.place].name.clone(),
    }
}

fn destination_name(domain: &Domain, destination: &Destination) -> String {
    match destination.class {
        DestinationClass::Exit => domain.exits[destination.place].name.clone(),
        DestinationClass::Exact | DestinationClass::Censored => {
            domain.municipalities[destination.place].name.clone()
        }
    }
}

/// Parts of a whole in steps of 1 / [`STEPS`] that add up to 1: each is rounded down, and what is left over goes to
/// those that lost most (Hamilton's method). Zeros for a whole of nothing.
fn parts(values: &[u128]) -> Vec<f64> {
    let whole: u128 = values.iter().sum();
    let steps = u128::from(STEPS);
    let mut floors: Vec<u128> = values.iter().map(|v| (v * steps).checked_div(whole).unwrap_or(0)).collect();
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by_key(|&i| (std::cmp::Reverse((values[i] * steps).checked_rem(whole)), i));
    let left = if whole > 0 { steps - floors.iter().sum::<u128>() } else { 0 };
    for (_, at) in (0..left).zip(order) {
        floors[at] += 1;
    }
    floors.into_iter().map(|n| n as f64 / f64::from(STEPS)).collect()
}

/// The links of the corridors.
struct Roads {
    /// Number of corridors.
    count: usize,
    /// By link: its corridor, or [`NONE`].
    corridor: Vec<u32>,
    /// By link: its length in millimetres.
    length: Vec<u64>,
}

impl Roads {
    fn new(network: &Network, corridors: &[&[LinkId]]) -> Self {
        let mut corridor = vec![NONE; network.link_count()];
        for (number, links) in (0..).zip(corridors) {
            for link in *links {
                corridor[link.index()] = number;
            }
        }
        let length = network.links().map(|(_, link)| link.length.millimetres()).collect();
        Self { count: corridors.len(), corridor, length }
    }
}

/// What a pair of places sends over a corridor, in units of demand times millimetres, or over a link, in units of
/// demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct OfPair {
    units: u128,
    origin: usize,
    destination: usize,
}

/// What a corridor or a link carries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Carried<const LARGEST: usize> {
    units: u128,
    /// Pairs that send something.
    pairs: usize,
    /// Those that send most, by falling units; of equal ones the first by origin and destination.
    largest: Vec<OfPair>,
}

impl<const LARGEST: usize> Carried<LARGEST> {
    fn add(&mut self, of_pair: OfPair) {
        self.units += of_pair.units;
        self.pairs += 1;
        self.keep(of_pair);
    }

    fn keep(&mut self, of_pair: OfPair) {
        let key = |p: &OfPair| (std::cmp::Reverse(p.units), p.origin, p.destination);
        let at = self.largest.partition_point(|p| key(p) < key(&of_pair));
        if at < LARGEST {
            self.largest.truncate(LARGEST - 1);
            self.largest.insert(at, of_pair);
        }
    }

    fn merge(&mut self, other: Self) {
        self.units += other.units;
        self.pairs += other.pairs;
        other.largest.into_iter().for_each(|of_pair| self.keep(of_pair));
    }

    fn pairs(&self, domain: &Domain, places: &Places) -> Pairs {
        let mut values: Vec<u128> = self.largest.iter().map(|of_pair| of_pair.units).collect();
        values.push(self.units - values.iter().sum::<u128>());
        let mut parts = parts(&values);
        let others = parts.pop().unwrap_or(0.0);
        let pair = |(of_pair, value): (&OfPair, f64)| Pair {
            origin: origin_name(domain, &places.origins[of_pair.origin]),
            destination: destination_name(domain, &places.destinations[of_pair.destination]),
            value,
        };
        Pairs {
            largest: self.largest.iter().zip(parts).map(pair).collect(),
            others: (self.pairs - self.largest.len(), others),
        }
    }
}

/// Sums over origins.
struct Sums {
    /// By draw: units of demand of the trips.
    served: Vec<i64>,
    /// By draw and corridor: of those that use it.
    used: Vec<i64>,
    corridors: Vec<Carried<LISTED>>,
    links: Vec<Carried<LISTED_OF_LINK>>,
}

impl Sums {
    fn none(draws: usize, on: &Roads) -> Self {
        Self {
            served: vec![0; draws],
            used: vec![0; draws * on.count],
            corridors: vec![Carried::default(); on.count],
            links: vec![Carried::default(); on.corridor.len()],
        }
    }

    fn merge(mut self, other: Self) -> Self {
        self.served.iter_mut().zip(other.served).for_each(|(a, b)| *a += b);
        self.used.iter_mut().zip(other.used).for_each(|(a, b)| *a += b);
        self.corridors.iter_mut().zip(other.corridors).for_each(|(a, b)| a.merge(b));
        self.links.iter_mut().zip(other.links).for_each(|(a, b)| a.merge(b));
        self
    }
}

/// What one pair of places loads, and where. Empty between pairs.
struct Walk {
    /// By link: units of demand.
    on_link: Vec<u64>,
    /// Links that the pair loads.
    links: Vec<u32>,
    /// By corridor: units of demand times millimetres.
    on_corridor: Vec<u128>,
    /// Corridors of one way.
    using: Vec<u32>,
    /// By draw: the next leaf of the origin's tree.
    next: Vec<usize>,
}

impl Walk {
    fn new(on: &Roads, draws: usize) -> Self {
        Self {
            on_link: vec![0; on.corridor.len()],
            links: Vec::new(),
            on_corridor: vec![0; on.count],
            using: Vec::new(),
            next: vec![0; draws],
        }
    }

    /// Adds the trips of one origin in all draws, a destination after the other: a pair is added up whole before it is
    /// compared with others.
    fn add(&mut self, on: &Roads, trees: &[Vec<Tree>], origin: usize, destinations: usize, sums: &mut Sums) {
        self.next.fill(0);
        for destination in 0..destinations {
            for (draw, tree) in
                trees.iter().enumerate().filter_map(|(d, trees)| Some((d, trees.get(origin)?)))
            {
                // Leaves stand in the order of their destinations.
                let Some(leaf) = tree.leaves.get(self.next[draw]) else { continue };
                if leaf.destination as usize != destination {
                    continue;
                }
                self.next[draw] += 1;
                let Ok(units) = u64::try_from(leaf.demand) else { continue };
                if units == 0 || leaf.node == 0 {
                    continue;
                }
                sums.served[draw] += leaf.demand;
                self.using.clear();
                let mut node = &tree.nodes[leaf.node as usize];
                while node.link != NONE {
                    let link = node.link as usize;
                    if self.on_link[link] == 0 {
                        self.links.push(node.link);
                    }
                    self.on_link[link] += units;
                    let corridor = on.corridor[link];
                    // A way can leave a corridor and come back to it.
                    if corridor != NONE && !self.using.contains(&corridor) {
                        self.using.push(corridor);
                        sums.used[draw * on.count + corridor as usize] += leaf.demand;
                    }
                    node = &tree.nodes[node.parent as usize];
                }
            }
            self.hand_over(on, (origin, destination), sums);
        }
    }

    fn hand_over(&mut self, on: &Roads, (origin, destination): (usize, usize), sums: &mut Sums) {
        self.using.clear();
        for link in self.links.drain(..) {
            let at = link as usize;
            let units = u128::from(std::mem::take(&mut self.on_link[at]));
            sums.links[at].add(OfPair { units, origin, destination });
            let corridor = on.corridor[at];
            if corridor != NONE {
                let sum = &mut self.on_corridor[corridor as usize];
                if *sum == 0 {
                    self.using.push(corridor);
                }
                *sum += units * u128::from(on.length[at]);
            }
        }
        for corridor in self.using.drain(..) {
            let at = corridor as usize;
            let units = std::mem::take(&mut self.on_corridor[at]);
            if units > 0 {
                sums.corridors[at].add(OfPair { units, origin, destination });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_whole_steps_that_add_up() {
        let found = parts(&[1, 1, 1, 0]);
        assert_eq!(found, [0.333_333_334, 0.333_333_333, 0.333_333_333, 0.0]);
        assert_eq!(parts(&[5, 0]), [1.0, 0.0]);
        assert_eq!(parts(&[0, 0]), [0.0, 0.0]);
        // As large as a sum can be: all demand over all roads in a hundred thousand draws.
        let huge = 1_u128 << (40 + 40 + 17);
        assert_eq!(parts(&[huge, huge, 2 * huge]), [0.25, 0.25, 0.5]);
    }
}
