//! Who uses a corridor: its share of trips, and the pairs of places whose trips load it most.
//!
//! What passes several links of a corridor can be counted once only where its whole way is known, and corridors are
//! known only after all draws. So this stands on the paths that are kept for planning, one perturbation of each kept
//! draw ([`super::draws::Flows::trees`]): a fair sample of draws and behaviour profiles, whose quantiles hold how
//! travellers differ as well as what is not known.
//!
//! A trip uses a corridor if any link of its way is part of it, and counts with its whole demand however short that
//! part is. Trips that load no link are no trips here. All sums are of integers.

use rayon::prelude::*;

use super::demand::{Destination, DestinationClass, Origin, OriginClass, Places};
use super::flow::Tree;
use crate::ids::LinkId;
use crate::model::domain::Domain;
use crate::network::graph::Network;
use crate::stats::spread;

/// Pairs of places that are told one by one.
pub const LISTED: usize = 10;

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

/// Who uses a corridor.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Usage {
    /// Share of served trips that use it, each once: mean, 5 % and 95 % quantile over draws; `None` where no trip is
    /// served in any.
    pub share: Option<[f64; 3]>,
    /// The pairs with the largest parts, at most [`LISTED`]; empty where no trip uses it.
    pub pairs: Vec<Pair>,
    /// Number of the other pairs, and their part.
    pub others: (usize, f64),
}

/// Who uses the corridors.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Usages {
    /// Draws with served trips, on which the rest stands.
    pub draws: usize,
    /// By corridor.
    pub of: Vec<Usage>,
}

/// Who uses `corridors`, which share no link, by `trees` by draw and origin.
#[must_use]
pub fn usages(
    network: &Network,
    domain: &Domain,
    places: &Places,
    trees: &[Vec<Tree>],
    corridors: &[&[LinkId]],
) -> Usages {
    let on = Roads::new(network, corridors);
    let sums = (0..places.origins.len())
        .into_par_iter()
        .map(|origin| Sums::new(&on, trees, origin, places.destinations.len()))
        .reduce(|| Sums::none(trees.len(), on.count), Sums::merge);
    let with_trips: Vec<usize> = (0..trees.len()).filter(|draw| sums.served[*draw] > 0).collect();
    let usage = |c: usize| {
        let share = |draw: &usize| sums.used[draw * on.count + c] as f64 / sums.served[*draw] as f64;
        let flow = &sums.flow[c];
        let mut values: Vec<u128> = flow.largest.iter().map(|of_pair| of_pair.units).collect();
        values.push(flow.units - values.iter().sum::<u128>());
        let mut parts = parts(&values);
        let others = parts.pop().unwrap_or(0.0);
        let pair = |(of_pair, value): (&OfPair, f64)| Pair {
            origin: origin_name(domain, &places.origins[of_pair.origin]),
            destination: destination_name(domain, &places.destinations[of_pair.destination]),
            value,
        };
        Usage {
            share: (!with_trips.is_empty()).then(|| spread(with_trips.iter().map(share).collect())),
            pairs: flow.largest.iter().zip(parts).map(pair).collect(),
            others: (flow.pairs - flow.largest.len(), others),
        }
    };
    Usages { of: (0..on.count).map(usage).collect(), draws: with_trips.len() }
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

/// What a pair of places sends over a corridor, in units of demand times millimetres.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct OfPair {
    units: u128,
    origin: usize,
    destination: usize,
}

/// What a corridor carries.
#[derive(Debug, Clone, Default)]
struct OfCorridor {
    units: u128,
    /// Pairs that send something.
    pairs: usize,
    /// Those that send most.
    largest: Vec<OfPair>,
}

impl OfCorridor {
    /// Keeps the largest; of equal ones the first by origin and destination, whose order does not depend on the input's.
    fn cut(&mut self) {
        self.largest.sort_by_key(|p| (std::cmp::Reverse(p.units), p.origin, p.destination));
        self.largest.truncate(LISTED);
    }
}

/// Sums over origins.
struct Sums {
    /// By draw: units of demand of the trips.
    served: Vec<i64>,
    /// By draw and corridor: of those that use it.
    used: Vec<i64>,
    /// By corridor.
    flow: Vec<OfCorridor>,
}

/// A stretch of the way to a node along one corridor, up to there.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    corridor: u32,
    millimetres: u64,
    /// The stretch before it on the way, on another corridor.
    before: u32,
}

impl Sums {
    fn none(draws: usize, corridors: usize) -> Self {
        Self {
            served: vec![0; draws],
            used: vec![0; draws * corridors],
            flow: vec![OfCorridor::default(); corridors],
        }
    }

    /// The trips of one origin in all draws.
    ///
    /// 1. Parents stand before their children, so that each node of a tree takes over the stretches of its parent and
    ///    adds its own link; a way has few of them.
    /// 2. At each leaf the stretches of its way tell the corridors that its trips use, and along how much of them.
    fn new(on: &Roads, trees: &[Vec<Tree>], origin: usize, destinations: usize) -> Self {
        let mut out = Self::none(trees.len(), on.count);
        let mut units = vec![0_u128; on.count * destinations];
        let (mut stretches, mut last): (Vec<Stretch>, Vec<u32>) = (Vec::new(), Vec::new());
        let mut using: Vec<usize> = Vec::new();
        for (draw, tree) in trees.iter().enumerate().filter_map(|(d, trees)| Some((d, trees.get(origin)?))) {
            stretches.clear();
            last.clear();
            for node in &tree.nodes {
                // The root, which comes first and has no link, is its own parent.
                let before = last.get(node.parent as usize).copied().unwrap_or(NONE);
                let link = node.link as usize;
                let corridor = on.corridor.get(link).copied().filter(|corridor| *corridor != NONE);
                last.push(corridor.map_or(before, |corridor| {
                    let length = on.length[link];
                    let stretch = match stretches.get(before as usize) {
                        Some(s) if s.corridor == corridor => {
                            Stretch { millimetres: s.millimetres + length, ..*s }
                        }
                        _ => Stretch { corridor, millimetres: length, before },
                    };
                    stretches.push(stretch);
                    u32::try_from(stretches.len() - 1).unwrap_or(NONE)
                }));
            }
            for leaf in tree.leaves.iter().filter(|leaf| leaf.node > 0) {
                out.served[draw] += leaf.demand;
                using.clear();
                let mut at = last[leaf.node as usize];
                while let Some(stretch) = stretches.get(at as usize) {
                    let corridor = stretch.corridor as usize;
                    let demand = u128::from(leaf.demand.unsigned_abs());
                    units[corridor * destinations + leaf.destination as usize] +=
                        demand * u128::from(stretch.millimetres);
                    // A way can leave a corridor and come back to it.
                    if !using.contains(&corridor) {
                        using.push(corridor);
                        out.used[draw * on.count + corridor] += leaf.demand;
                    }
                    at = stretch.before;
                }
            }
        }
        for (corridor, of) in out.flow.iter_mut().enumerate() {
            let row = &units[corridor * destinations..(corridor + 1) * destinations];
            let sent = row.iter().enumerate().filter(|(_, units)| **units > 0);
            of.largest = sent.map(|(destination, &units)| OfPair { units, origin, destination }).collect();
            of.units = row.iter().sum();
            of.pairs = of.largest.len();
            of.cut();
        }
        out
    }

    fn merge(mut self, other: Self) -> Self {
        self.served.iter_mut().zip(other.served).for_each(|(a, b)| *a += b);
        self.used.iter_mut().zip(other.used).for_each(|(a, b)| *a += b);
        for (a, b) in self.flow.iter_mut().zip(other.flow) {
            a.units += b.units;
            a.pairs += b.pairs;
            a.largest.extend(b.largest);
            a.cut();
        }
        self
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
