//! Names of corridors: the road reference and the towns at both ends, from south to north.

use geo::{Distance, Geodesic, Point};

use super::extract::Chain;
use crate::ids::JunctionId;
use crate::model::domain::Domain;
use crate::network::graph::Network;

/// A town names a corridor's end if it stands on the corridor within this distance of the end, or beside
/// the end within it, metres.
const TOWN_REACH: f64 = 10_000.0;

/// Names of both ends of a chain, the southern one first. The chain is turned round where needed, so that
/// the same corridor has the same direction in every run.
pub fn name_ends(network: &Network, domain: &Domain, chain: &mut Chain) -> [String; 2] {
    let at = |j: Option<&JunctionId>| j.map(|j| network.junction(*j).at).unwrap_or_default();
    let (first, last) = (at(chain.junctions.first()), at(chain.junctions.last()));
    if (first.y, first.x) > (last.y, last.x) {
        chain.junctions.reverse();
        chain.links.reverse();
    }
    let start = end_name(network, domain, chain.junctions.iter().copied().zip(distances(network, chain, false)));
    let end = end_name(network, domain, chain.junctions.iter().rev().copied().zip(distances(network, chain, true)));
    [start, end]
}

/// Distance of each junction of the chain from its start, or from its end in reverse order.
fn distances(network: &Network, chain: &Chain, backward: bool) -> Vec<f64> {
    let mut lengths: Vec<f64> = chain.links.iter().map(|id| network.link(*id).length.0).collect();
    if backward {
        lengths.reverse();
    }
    let mut out = vec![0.0];
    let mut sum = 0.0;
    for length in lengths {
        sum += length;
        out.push(sum);
    }
    out
}

fn end_name(network: &Network, domain: &Domain, along: impl Iterator<Item = (JunctionId, f64)>) -> String {
    let mut along = along.peekable();
    let end = along.peek().map(|(j, _)| *j);
    // A seat of a municipality is the better known name than a village nearer to the end.
    let mut best: Option<(bool, f64, usize)> = None;
    for (junction, distance) in along.take_while(|(_, d)| *d <= TOWN_REACH) {
        if let Some(town) = network.junction(junction).town {
            let candidate = (!domain.towns[town].seat, distance, town);
            if best.is_none_or(|b| candidate < b) {
                best = Some(candidate);
            }
        }
    }
    if let Some((_, _, town)) = best {
        return domain.towns[town].name.clone();
    }
    let Some(end) = end else { return String::new() };
    near_town(domain, network, end).unwrap_or_else(|| crossing_roads(network, end))
}

/// The nearest town beside a junction, a seat first.
fn near_town(domain: &Domain, network: &Network, junction: JunctionId) -> Option<String> {
    let at = Point(network.junction(junction).at);
    domain
        .towns
        .iter()
        .map(|t| (!t.seat, Geodesic.distance(at, Point(t.at)), t))
        .filter(|(_, d, _)| *d <= TOWN_REACH)
        .min_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)))
        .map(|(_, _, t)| t.name.clone())
}

/// The references of the roads that meet at a junction.
#[must_use]
pub fn crossing_roads(network: &Network, junction: JunctionId) -> String {
    let mut roads: Vec<&str> = network
        .links_at(junction)
        .map(|(link, _)| network.link(link).reference.as_str())
        .filter(|r| !r.is_empty())
        .collect();
    roads.sort_unstable();
    roads.dedup();
    roads.join(" / ")
}

/// What a junction is called: its town, or the roads that meet there.
#[must_use]
pub fn junction_name(network: &Network, domain: &Domain, junction: JunctionId) -> String {
    match network.junction(junction).town {
        Some(town) => domain.towns[town].name.clone(),
        None => crossing_roads(network, junction),
    }
}
