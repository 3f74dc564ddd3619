//! What is judged together: links between the same two junctions, and whole ways that run beside each other from one
//! junction to another, such as a toll road and the free one, or the carriageways of a road.
//!
//! Half of a flow on each of two roads must not make both look minor. So a link of such a way is judged by what it
//! carries and the mean of what the way beside it carries; each keeps its own share as its score.

use std::collections::BTreeMap;

use super::table::LinkFlow;
use crate::ids::{JunctionId, LinkId};
use crate::network::graph::Network;

/// Longest detour of a parallel alternative within a bundle.
pub const BUNDLE_DETOUR: f64 = 1.3;

/// A link counts with the way beside it if it carries at least this part of what both carry: beside a main road a lane
/// that hardly anybody takes is no alternative.
pub const TAKES_PART: f64 = 0.1;

/// Links of one way, each with its length in millimetres.
type Way = Vec<(LinkId, u64)>;

/// What is judged together on a network.
#[derive(Debug, Clone, Default)]
pub(super) struct Bundles {
    /// By link: the bundle of links between its two junctions; `None` for what is no road of this side of the border.
    pub(super) of: Vec<Option<usize>>,
    /// Pairs of ways beside each other.
    ways: Vec<[Way; 2]>,
}

impl Bundles {
    /// Of a network. Nothing depends on the order of the roads.
    pub(super) fn new(network: &Network) -> Self {
        let of = between_two_junctions(network);
        let mut ways = beside(network);
        // Links of one bundle are judged together already.
        ways.retain(|pair| {
            let [a, b] = pair.each_ref().map(|way| way.first().and_then(|(link, _)| of[link.index()]));
            pair.iter().any(|way| way.len() > 1) || a != b
        });
        Self { of, ways }
    }

    /// Number of bundles.
    pub(super) fn count(&self) -> usize {
        self.of.iter().flatten().max().map_or(0, |most| most + 1)
    }

    /// Adds to the flows of bundles in a draw what runs beside them. `links` are those that carry something in the draw,
    /// ascending.
    pub(super) fn add_beside(&self, links: &[(usize, LinkFlow)], flow: &mut [i64]) {
        let at = |link: LinkId| {
            links.binary_search_by_key(&link.index(), |(link, _)| *link).map_or(0, |at| links[at].1.main)
        };
        let mut added: Vec<(usize, i64)> = Vec::new();
        for pair in &self.ways {
            let mean = pair.each_ref().map(|way| {
                let (mut sum, mut length) = (0_i128, 0_i128);
                for (link, millimetres) in way {
                    sum += i128::from(at(*link)) * i128::from(*millimetres);
                    length += i128::from(*millimetres);
                }
                i64::try_from(sum / length.max(1)).unwrap_or(i64::MAX)
            });
            for (way, other) in [(&pair[0], mean[1]), (&pair[1], mean[0])] {
                for (link, _) in way {
                    let own = at(*link);
                    if own > 0 && own as f64 >= TAKES_PART * (own as f64 + other as f64) {
                        added.extend(self.of[link.index()].map(|bundle| (bundle, other)));
                    }
                }
            }
        }
        // Links of one bundle can be in several ways: the bundle gains once, the most.
        added.sort_unstable_by_key(|(bundle, other)| (*bundle, std::cmp::Reverse(*other)));
        added.dedup_by_key(|(bundle, _)| *bundle);
        for (bundle, other) in added {
            flow[bundle] += other;
        }
    }
}

/// By link: its bundle among the links between the same two junctions.
pub(super) fn between_two_junctions(network: &Network) -> Vec<Option<usize>> {
    let mut shortest: BTreeMap<(JunctionId, JunctionId), f64> = BTreeMap::new();
    let ends = |a: JunctionId, b: JunctionId| if a <= b { (a, b) } else { (b, a) };
    for (_, link) in network.links().filter(|(_, l)| l.is_home_road()) {
        let best = shortest.entry(ends(link.from, link.to)).or_insert(f64::INFINITY);
        *best = best.min(link.length.0);
    }
    // Numbered by the keys of their links, so that ties of flow do not depend on the order of the roads.
    let mut number: BTreeMap<(JunctionId, JunctionId), usize> = BTreeMap::new();
    let mut out = vec![None; network.link_count()];
    let mut next = 0;
    for id in by_key(network).into_iter().filter(|id| network.link(*id).is_home_road()) {
        let link = network.link(id);
        let key = ends(link.from, link.to);
        let bundled = link.length.0 <= BUNDLE_DETOUR * shortest[&key];
        let bundle = if bundled { *number.entry(key).or_insert(next) } else { next };
        next = next.max(bundle + 1);
        out[id.index()] = Some(bundle);
    }
    out
}

/// Links in the order of their keys, which does not depend on the order of the roads.
pub(super) fn by_key(network: &Network) -> Vec<LinkId> {
    let mut ids: Vec<LinkId> = network.links().map(|(id, _)| id).collect();
    ids.sort_by_key(|id| network.key(*id));
    ids
}

/// The links of one reference by junction, in the order of their keys.
type Road = BTreeMap<JunctionId, Vec<LinkId>>;

/// Pairs of ways beside each other.
///
/// 1. Of two references that meet at two junctions or more, the stretches between the same two of them on which
///    neither meets the other.
/// 2. Of one reference, the stretches between the same two junctions at which it branches.
/// 3. Both are as long, but for [`BUNDLE_DETOUR`].
fn beside(network: &Network) -> Vec<[Way; 2]> {
    let mut roads: BTreeMap<&str, Road> = BTreeMap::new();
    for id in by_key(network) {
        let link = network.link(id);
        if link.is_home_road() && !link.reference.is_empty() {
            let road = roads.entry(link.reference.as_str()).or_default();
            for junction in [link.from, link.to] {
                road.entry(junction).or_default().push(id);
            }
        }
    }
    let mut meeting: BTreeMap<JunctionId, Vec<&str>> = BTreeMap::new();
    for (reference, road) in &roads {
        for junction in road.keys() {
            meeting.entry(*junction).or_default().push(reference);
        }
    }
    let mut shared: BTreeMap<[&str; 2], Vec<JunctionId>> = BTreeMap::new();
    for (junction, references) in &meeting {
        for (i, a) in references.iter().enumerate() {
            for b in &references[i + 1..] {
                shared.entry([a, b]).or_default().push(*junction);
            }
        }
    }
    let mut out = Vec::new();
    for road in roads.values() {
        let branches = road.iter().filter(|(_, links)| links.len() > 2).map(|(junction, _)| *junction);
        let ways = stretches(network, road, &branches.collect::<Vec<_>>());
        for (i, a) in ways.iter().enumerate() {
            // By their ends: those between the same two stand one after the other.
            out.extend(ways[i + 1..].iter().take_while(|b| b.0 == a.0).filter_map(|b| alike(&a.1, &b.1)));
        }
    }
    for ([a, b], junctions) in shared.into_iter().filter(|(_, junctions)| junctions.len() > 1) {
        let [a, b] = [a, b].map(|reference| stretches(network, &roads[reference], &junctions));
        for one in &a {
            let first = b.partition_point(|other| other.0 < one.0);
            let same = b[first..].iter().take_while(|other| other.0 == one.0);
            out.extend(same.filter_map(|other| alike(&one.1, &other.1)));
        }
    }
    out
}

/// Two ways as a pair, if they are alike long.
fn alike(a: &Way, b: &Way) -> Option<[Way; 2]> {
    let [x, y] = [a, b].map(|way| way.iter().map(|(_, millimetres)| *millimetres).sum::<u64>() as f64);
    (x.max(y) <= BUNDLE_DETOUR * x.min(y)).then(|| [a.clone(), b.clone()])
}

/// The stretches of a road between two of `stops` without another one, or a branch, on the way, by their ends.
fn stretches(network: &Network, road: &Road, stops: &[JunctionId]) -> Vec<([JunctionId; 2], Way)> {
    let mut out = Vec::new();
    for &start in stops {
        for &first in road.get(&start).into_iter().flatten() {
            let (mut way, mut at, mut link) = (Way::new(), start, first);
            let end = loop {
                let here = network.link(link);
                way.push((link, here.length.millimetres()));
                at = if here.from == at { here.to } else { here.from };
                if stops.binary_search(&at).is_ok() {
                    break Some(at);
                }
                let on = road.get(&at).map_or(&[][..], Vec::as_slice);
                match on {
                    [a, b] if *a == link || *b == link => link = if *a == link { *b } else { *a },
                    _ => break None,
                }
                if way.len() > road.len() {
                    break None;
                }
            };
            // Each is found from both of its ends; a ring is no way between two.
            out.extend(end.filter(|end| start < *end).map(|end| ([start, end], way)));
        }
    }
    out.sort();
    out.dedup();
    out
}
