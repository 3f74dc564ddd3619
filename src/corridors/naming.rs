//! Names of corridors: the road reference and the towns at both ends, from south to north.

use std::collections::{BTreeMap, BTreeSet};

use geo::{Contains, Distance, Geodesic, Point};

use super::extract::Chain;
use super::object::Corridor;
use crate::ids::JunctionId;
use crate::model::domain::Domain;
use crate::network::graph::Network;

/// A town names a corridor's end within this distance of it, metres.
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
    let start =
        end_name(network, domain, chain.junctions.iter().copied().zip(distances(network, chain, false)));
    let end =
        end_name(network, domain, chain.junctions.iter().rev().copied().zip(distances(network, chain, true)));
    [start, end]
}

/// Distance of each junction of the chain from its start, or from its end in reverse order.
pub(super) fn distances(network: &Network, chain: &Chain, backward: bool) -> Vec<f64> {
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

/// What the end of a corridor is called. The best known name comes first: a seat on the corridor, a seat
/// beside its end, any town on it, any town beside its end; without a town, the municipality, or the roads
/// that meet there.
fn end_name(network: &Network, domain: &Domain, along: impl Iterator<Item = (JunctionId, f64)>) -> String {
    let near: Vec<(JunctionId, f64)> = along.take_while(|(_, d)| *d <= TOWN_REACH).collect();
    let Some(&(end, _)) = near.first() else { return String::new() };
    let at = Point(network.junction(end).at);
    let on_road =
        near.iter().filter_map(|(junction, distance)| Some((network.junction(*junction).town?, *distance)));
    let beside = (0..domain.towns.len()).map(|t| (t, Geodesic.distance(at, Point(domain.towns[t].at))));
    let candidates = on_road.map(|(t, d)| (false, t, d)).chain(beside.map(|(t, d)| (true, t, d)));
    candidates
        .filter(|(_, _, distance)| *distance <= TOWN_REACH)
        .min_by(|a, b| {
            let key = |c: &(bool, usize, f64)| (!domain.towns[c.1].seat, c.0);
            key(a).cmp(&key(b)).then(a.2.total_cmp(&b.2)).then(a.1.cmp(&b.1))
        })
        .map(|(_, town, _)| domain.towns[town].name.clone())
        .or_else(|| municipality_at(domain, at))
        .unwrap_or_else(|| crossing_roads(network, end))
}

/// Tells corridors of the same name apart, each with its chain: by a town on the way that is on none of the others
/// of that name, as `NAME via TOWN` with the word `via`; those without such a town, if there are several, by their
/// length, and where that is the same too, by their id.
pub fn tell_apart(network: &Network, domain: &Domain, corridors: &mut [Corridor], via: &str) {
    let mut of_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (i, corridor) in corridors.iter().enumerate() {
        of_name.entry(corridor.name.clone()).or_default().push(i);
    }
    for (name, alike) in of_name.into_iter().filter(|(_, alike)| alike.len() > 1) {
        let towns: Vec<Vec<&str>> =
            alike.iter().map(|i| towns_on(network, domain, &corridors[*i].chain)).collect();
        let own = |at: usize| {
            let elsewhere = |town: &&str| towns.iter().enumerate().any(|(o, t)| o != at && t.contains(town));
            let is_end = |town: &&str| corridors[alike[at]].ends.iter().any(|end| end == town);
            towns[at].iter().find(|town| !elsewhere(town) && !is_end(town)).map(|town| (*town).to_owned())
        };
        let own: Vec<Option<String>> = (0..alike.len()).map(own).collect();
        let (by_town, rest): (Vec<_>, Vec<_>) =
            alike.into_iter().zip(own).partition(|(_, own)| own.is_some());
        for (i, town) in by_town {
            corridors[i].name = format!("{name} {via} {}", town.unwrap_or_default());
        }
        if rest.len() < 2 {
            continue;
        }
        let length = |i: usize| -> u64 {
            corridors[i].chain.links.iter().map(|link| network.link(*link).length.millimetres()).sum()
        };
        // To a kilometre, or as much finer as it takes.
        let told = [0, 1, 3].into_iter().find_map(|decimals| {
            let km = |(i, _): &(usize, Option<String>)| format!("{:.decimals$} km", length(*i) as f64 / 1e6);
            let texts: Vec<String> = rest.iter().map(km).collect();
            let distinct: BTreeSet<&String> = texts.iter().collect();
            (distinct.len() == texts.len()).then_some(texts)
        });
        let ids = || rest.iter().map(|(i, _)| corridors[*i].id.clone()).collect();
        let told: Vec<String> = told.unwrap_or_else(ids);
        for ((i, _), text) in rest.into_iter().zip(told) {
            corridors[i].name = format!("{name} ({text})");
        }
    }
}

/// The names of the towns on a chain: seats first, those nearest to its middle first.
fn towns_on<'a>(network: &Network, domain: &'a Domain, chain: &Chain) -> Vec<&'a str> {
    let along = distances(network, chain, false);
    let middle = along.last().map_or(0.0, |length| length / 2.0);
    let mut towns: Vec<(bool, f64, &str)> = chain
        .junctions
        .iter()
        .zip(along)
        .filter_map(|(junction, along)| {
            let town = &domain.towns[network.junction(*junction).town?];
            Some((!town.seat, (along - middle).abs(), town.name.as_str()))
        })
        .collect();
    towns.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(b.2)));
    towns.into_iter().map(|(_, _, name)| name).collect()
}

/// What the place of a junction is called: its town, one beside it, the municipality, or the roads there.
#[must_use]
pub fn place_name(network: &Network, domain: &Domain, junction: JunctionId) -> String {
    match network.junction(junction).town {
        Some(town) => domain.towns[town].name.clone(),
        None => end_name(network, domain, std::iter::once((junction, 0.0))),
    }
}

/// The name of the municipality in which a position lies.
fn municipality_at(domain: &Domain, at: Point<f64>) -> Option<String> {
    let inside = |polygon: &geo::MultiPolygon<f64>| polygon.contains(&at);
    domain.municipalities.iter().find(|m| m.polygon.as_ref().is_some_and(inside)).map(|m| m.name.clone())
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
