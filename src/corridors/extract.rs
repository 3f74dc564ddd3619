//! From flows on links to corridors.
//!
//! 1. Parallel links between the same two junctions (detour below 1.3) are one bundle and judged together, and so are
//!    longer ways beside each other ([`super::bundles`]).
//! 2. In each draw, bundles in falling order of flow fill the top tenth of the length of road with flow; a
//!    bundle belongs to a corridor if it is there in at least `membership` of the draws.
//! 3. Member links of one road reference are joined where they meet; of more than two, the straightest pair. What is
//!    parallel is not joined: links of one bundle, and links between which a way would turn back.
//!    A gap in the same road shorter than the minimum length, over links that carry flow, does not end a
//!    chain: there the flow spreads over parallel streets and no single one of them is a member.
//! 4. A chain is split where its flow divides: neighbours are merged, the most alike first, while the smaller
//!    mean share is at least [`ALIKE`] of the larger, so that a corridor ends where the larger part of its
//!    flow leaves; pieces shorter than the minimum go to the neighbour that is most like them, and at an end,
//!    where the one neighbour is not like them, they are no part of the corridor.
//! 5. What is still shorter than the minimum is a street or a junction, not a corridor.

use std::collections::BTreeMap;

use petgraph::unionfind::UnionFind;

use super::bundles::{Bundles, between_two_junctions, by_key};
use super::draws::Flows;
use super::table::LinkFlow;
use crate::ids::{JunctionId, LinkId};
use crate::network::graph::Network;

/// Neighbouring stretches whose mean shares have at least this ratio are one corridor.
pub const ALIKE: f64 = 0.5;
/// Share of road length with flow that counts as the top.
pub const TOP_LENGTH: f64 = 0.1;

/// A way that turns by more at a junction goes back beside itself: two carriageways part there.
const TURNS_BACK: f64 = 150.0 / 180.0 * std::f64::consts::PI;

/// A corridor as a chain of links.
#[derive(Debug, Clone, PartialEq)]
pub struct Chain {
    /// Road reference.
    pub reference: String,
    /// Links in order.
    pub links: Vec<LinkId>,
    /// Junctions in order, one more than links.
    pub junctions: Vec<JunctionId>,
    /// Lowest membership probability of its links.
    pub membership: f64,
}

/// Probability of each link to stand in the top tenth of road length with flow, over `draws` of `flows`.
#[must_use]
pub fn membership(network: &Network, flows: &Flows, draws: impl ExactSizeIterator<Item = usize>) -> Vec<f64> {
    let number = draws.len().max(1) as f64;
    let bundles = Bundles::new(network);
    let count = bundles.count();
    let mut length = vec![0.0; count];
    for (id, link) in network.links() {
        if let Some(bundle) = bundles.of[id.index()] {
            length[bundle] += link.length.0;
        }
    }
    let mut hits = vec![0_u32; count];
    let mut flow = vec![0_i64; count];
    let mut order: Vec<usize> = Vec::with_capacity(count);
    for draw in draws {
        for bundle in order.drain(..) {
            flow[bundle] = 0;
        }
        let links: Vec<(usize, LinkFlow)> = flows.loads.of(draw).collect();
        for &(link, LinkFlow { main, .. }) in &links {
            if let Some(bundle) = bundles.of[link].filter(|_| main > 0) {
                if flow[bundle] == 0 {
                    order.push(bundle);
                }
                flow[bundle] += main;
            }
        }
        bundles.add_beside(&links, &mut flow);
        order.sort_unstable_by_key(|&b| (std::cmp::Reverse(flow[b]), b));
        let limit = TOP_LENGTH * order.iter().map(|&b| length[b]).sum::<f64>();
        let mut filled = 0.0;
        for &bundle in &order {
            // The bundle in which the limit falls is still in the top.
            if filled >= limit {
                break;
            }
            filled += length[bundle];
            hits[bundle] += 1;
        }
    }
    bundles.of.iter().map(|b| b.map_or(0.0, |b| f64::from(hits[b]) / number)).collect()
}

/// Corridors of the links whose membership is at least `threshold`.
#[must_use]
pub fn corridors(
    network: &Network,
    shares: &[f64],
    membership: &[f64],
    threshold: f64,
    min_km: f64,
) -> Vec<Chain> {
    let is_member = |id: LinkId| {
        let link = network.link(id);
        membership[id.index()] >= threshold && shares[id.index()] > 0.0 && link.is_home_road()
    };
    let member: Vec<bool> = network.links().map(|(id, _)| is_member(id)).collect();
    let member = bridged(network, shares, member, min_km);
    let is_member = |id: LinkId| member[id.index()];
    let next = continuations(network, &is_member);
    let mut done = vec![false; network.link_count()];
    let mut out = Vec::new();
    // Chains with an end first, then rings.
    let ids: Vec<LinkId> = by_key(network).into_iter().filter(|id| is_member(*id)).collect();
    let place = |j: JunctionId| {
        let at = network.junction(j).at;
        (at.y, at.x)
    };
    for ring in [false, true] {
        for &id in &ids {
            if done[id.index()] {
                continue;
            }
            let link = network.link(id);
            let end = [link.from, link.to].into_iter().find(|j| !next.contains_key(&(id, *j)));
            let southern = if place(link.from) <= place(link.to) { link.from } else { link.to };
            let Some(start) = end.or(ring.then_some(southern)) else { continue };
            let mut chain = follow(network, id, start, &next, &mut done);
            // From south to north, so that ties are broken alike whatever end was found first.
            if place(chain.1[0]) > place(chain.1[chain.1.len() - 1]) {
                chain.0.reverse();
                chain.1.reverse();
            }
            out.extend(split(network, shares, membership, &chain, min_km));
        }
    }
    out.retain(|chain| chain.links.iter().map(|l| network.link(*l).length.km()).sum::<f64>() >= min_km);
    out
}

/// The members and what bridges gaps of less than `min_km` between them along one road.
fn bridged(network: &Network, shares: &[f64], mut member: Vec<bool>, min_km: f64) -> Vec<bool> {
    let mut at: BTreeMap<(&str, JunctionId), u32> = BTreeMap::new();
    let of_road = || network.links().filter(|(id, l)| member[id.index()] && !l.reference.is_empty());
    for (_, link) in of_road() {
        for junction in [link.from, link.to] {
            *at.entry((link.reference.as_str(), junction)).or_default() += 1;
        }
    }
    // Ends of one stretch are not joined to each other: that would make a ring of a road and its bypass.
    let number: BTreeMap<(&str, JunctionId), usize> = at.keys().enumerate().map(|(i, k)| (*k, i)).collect();
    let mut stretch = UnionFind::<usize>::new(number.len());
    for (_, link) in of_road() {
        let reference = link.reference.as_str();
        stretch.union(number[&(reference, link.from)], number[&(reference, link.to)]);
    }
    let mut bridges: Vec<LinkId> = Vec::new();
    for (&(reference, start), _) in at.iter().filter(|(_, n)| **n == 1) {
        // A shortest-path search along the road over links with flow, up to the length of a gap.
        let mut best: BTreeMap<JunctionId, (f64, Option<(JunctionId, LinkId)>)> =
            BTreeMap::from([(start, (0.0, None))]);
        let mut open = vec![start];
        while let Some(i) = (0..open.len()).min_by(|&a, &b| best[&open[a]].0.total_cmp(&best[&open[b]].0)) {
            let here = open.swap_remove(i);
            let is_end = here != start && at.get(&(reference, here)) == Some(&1);
            if is_end && stretch.equiv(number[&(reference, start)], number[&(reference, here)]) {
                continue;
            }
            if is_end {
                let mut junction = here;
                while let Some((before, link)) = best[&junction].1 {
                    bridges.push(link);
                    junction = before;
                }
                break;
            }
            for (id, other) in network.links_at(here) {
                let link = network.link(id);
                let reach = best[&here].0 + link.length.km();
                let usable = link.reference == reference
                    && !member[id.index()]
                    && shares[id.index()] > 0.0
                    && link.is_home_road();
                if usable && reach < min_km && best.get(&other).is_none_or(|(d, _)| reach < *d) {
                    best.insert(other, (reach, Some((here, id))));
                    open.push(other);
                }
            }
        }
    }
    for id in bridges {
        member[id.index()] = true;
    }
    member
}

type Continuations = BTreeMap<(LinkId, JunctionId), LinkId>;

/// For a member link and one of its junctions: the member link that continues it there.
fn continuations(network: &Network, is_member: &dyn Fn(LinkId) -> bool) -> Continuations {
    let mut at: BTreeMap<(JunctionId, &str), Vec<LinkId>> = BTreeMap::new();
    for (id, link) in network.links().filter(|(id, _)| is_member(*id)) {
        for junction in [link.from, link.to] {
            at.entry((junction, link.reference.as_str())).or_default().push(id);
        }
    }
    let bundles = between_two_junctions(network);
    let mut out = BTreeMap::new();
    for ((junction, reference), mut links) in at {
        // Roads without a reference have nothing that says they go on.
        if reference.is_empty() && links.len() != 2 {
            continue;
        }
        links.sort_by_key(|id| network.key(*id));
        let mut best: Option<(f64, LinkId, LinkId)> = None;
        for (i, &a) in links.iter().enumerate() {
            for &b in &links[i + 1..] {
                let turn = turn(network, a, b, junction);
                let beside = bundles[a.index()] == bundles[b.index()] || turn > TURNS_BACK;
                if !beside && best.is_none_or(|(t, ..)| turn < t) {
                    best = Some((turn, a, b));
                }
            }
        }
        if let Some((_, a, b)) = best {
            out.insert((a, junction), b);
            out.insert((b, junction), a);
        }
    }
    out
}

/// Angle by which the way from `a` to `b` at `junction` departs from straight on, 0 to π.
fn turn(network: &Network, a: LinkId, b: LinkId, junction: JunctionId) -> f64 {
    let away = |id: LinkId| {
        let link = network.link(id);
        let points = &link.line.0;
        if points.len() < 2 {
            return 0.0;
        }
        // Longitudes shrink with latitude; near the equator the cosine is close enough for an angle.
        let (at, beside) = if link.from == junction {
            (points[0], points[1])
        } else {
            (points[points.len() - 1], points[points.len() - 2])
        };
        let east = (beside.x - at.x) * at.y.to_radians().cos();
        (beside.y - at.y).atan2(east)
    };
    let difference = (away(a) - away(b)).abs() % std::f64::consts::TAU;
    let opening = difference.min(std::f64::consts::TAU - difference);
    std::f64::consts::PI - opening
}

/// Links and junctions from `start` along `first` and its continuations.
fn follow(
    network: &Network,
    first: LinkId,
    start: JunctionId,
    next: &Continuations,
    done: &mut [bool],
) -> (Vec<LinkId>, Vec<JunctionId>) {
    let (mut links, mut junctions) = (Vec::new(), vec![start]);
    let (mut at, mut from) = (Some(first), start);
    while let Some(id) = at.filter(|id| !done[id.index()]) {
        done[id.index()] = true;
        let link = network.link(id);
        let to = if link.from == from { link.to } else { link.from };
        links.push(id);
        junctions.push(to);
        at = next.get(&(id, to)).copied();
        from = to;
    }
    (links, junctions)
}

/// Splits a chain where its flow changes.
fn split(
    network: &Network,
    shares: &[f64],
    membership: &[f64],
    (links, junctions): &(Vec<LinkId>, Vec<JunctionId>),
    min_km: f64,
) -> Vec<Chain> {
    struct Group {
        range: std::ops::Range<usize>,
        km: f64,
        weighted: f64,
    }
    /// Puts group `at` and the next one together.
    fn merge(groups: &mut Vec<Group>, at: usize) {
        let right = groups.remove(at + 1);
        let left = &mut groups[at];
        left.range.end = right.range.end;
        left.km += right.km;
        left.weighted += right.weighted;
    }
    let mut groups: Vec<Group> = links
        .iter()
        .enumerate()
        .map(|(i, id)| {
            let km = network.link(*id).length.km().max(1e-6);
            Group { range: i..i + 1, km, weighted: km * shares[id.index()] }
        })
        .collect();
    loop {
        let ratio = |i: usize| {
            let (a, b) = (groups[i].weighted / groups[i].km, groups[i + 1].weighted / groups[i + 1].km);
            if a.max(b) > 0.0 { a.min(b) / a.max(b) } else { 1.0 }
        };
        let pairs = groups.len().saturating_sub(1);
        let alike = (0..pairs)
            .map(|i| (ratio(i), i))
            .filter(|(r, _)| *r >= ALIKE)
            .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
        let shortest = |among: std::ops::Range<usize>| {
            among
                .filter(|&g| groups[g].km < min_km)
                .min_by(|&a, &b| groups[a].km.total_cmp(&groups[b].km).then(a.cmp(&b)))
        };
        let at = alike.map(|(_, i)| i).or_else(|| {
            let short = shortest(1..pairs)?;
            Some(if ratio(short - 1) >= ratio(short) { short - 1 } else { short })
        });
        let Some(at) = at else {
            // What is left short stands at an end and is not like its neighbour: the flow that makes the corridor
            // is not on it. It is cut off as long as a corridor remains, and only then merged.
            let Some(short) = shortest(0..groups.len()).filter(|_| pairs > 0) else { break };
            let km: f64 = groups.iter().map(|g| g.km).sum();
            if km - groups[short].km >= min_km {
                groups.remove(short);
                continue;
            }
            let at = short.min(pairs - 1);
            merge(&mut groups, at);
            continue;
        };
        merge(&mut groups, at);
    }
    groups
        .into_iter()
        .map(|g| {
            let part = links[g.range.clone()].to_vec();
            Chain {
                reference: network.link(part[0]).reference.to_string(),
                membership: part.iter().map(|id| membership[id.index()]).fold(1.0, f64::min),
                junctions: junctions[g.range.start..=g.range.end].to_vec(),
                links: part,
            }
        })
        .collect()
}
