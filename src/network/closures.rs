//! The study's closures as closed links.

use geo::{Coord, Distance, Geodesic, Point};
use petgraph::algo::astar;
use petgraph::graph::{EdgeIndex, NodeIndex};
use petgraph::visit::EdgeFiltered;

use super::builder::Built;
use super::graph::LinkKind;
use super::spatial::LinkIndex;
use crate::error::{Fault, Faults, Rule};
use crate::ids::{JunctionId, LinkId};
use crate::model::domain::Domain;
use crate::model::study::{Closure, ClosureTarget};

/// A town may lie this far beside the road that a closure names, in metres.
const TOWN_REACH: f64 = 10_000.0;

/// By link: whether it is closed by `closures`, which stand at `path` in the study file. A closure that names no link
/// is a fault, so that a misspelt road does not pass for an open one.
#[must_use]
pub fn closed_links(
    closures: &[Closure],
    (study_file, path): (&str, &str),
    domain: &Domain,
    built: &Built,
    faults: &mut Faults,
) -> Vec<bool> {
    let network = &built.network;
    let mut closed = vec![false; network.link_count()];
    let mut index = None;
    for (i, closure) in closures.iter().enumerate() {
        let Some(target) = closure.target() else { continue };
        let found = match target {
            ClosureTarget::Between(reference, a, b) => between(domain, built, reference, [a, b]),
            ClosureTarget::Around([lon, lat], radius) => {
                let index = index.get_or_insert_with(|| LinkIndex::new(network, &domain.frame, |_| true));
                let links = index.within(domain.frame.to_plane(Coord { x: lon, y: lat }), radius);
                if links.is_empty() { Err("point + radius_m".to_owned()) } else { Ok(links) }
            }
            ClosureTarget::Link(id) => {
                let links: Vec<LinkId> = network
                    .links()
                    .filter(|(n, link)| {
                        link.kind == LinkKind::Road
                            && (network.key(*n) == id || link.records.iter().any(|r| r.as_str() == id))
                    })
                    .map(|(n, _)| n)
                    .collect();
                if links.is_empty() { Err(id.to_owned()) } else { Ok(links) }
            }
            ClosureTarget::Crossing(id) => crossing(domain, built, id),
        };
        match found {
            Ok(links) => links.into_iter().for_each(|link| closed[link.index()] = true),
            Err(detail) => faults.push(
                Fault::new(Rule::ClosureUnmatched, study_file)
                    .field(format!("{path}[{i}]"))
                    .with("detail", detail),
            ),
        }
    }
    closed
}

/// The gate of a crossing; without one, every link at the junction it is joined to.
fn crossing(domain: &Domain, built: &Built, id: &str) -> Result<Vec<LinkId>, String> {
    let position = domain.crossings.iter().position(|c| c.id == id).ok_or_else(|| {
        format!("{id}: {}", domain.crossings.iter().map(|c| c.id.as_str()).collect::<Vec<_>>().join(", "))
    })?;
    let gates: Vec<LinkId> = built
        .network
        .links()
        .filter(|(_, link)| link.kind == LinkKind::Gate { crossing: position })
        .map(|(n, _)| n)
        .collect();
    if !gates.is_empty() {
        return Ok(gates);
    }
    let gate = built.gates[position].ok_or_else(|| id.to_owned())?;
    Ok(built.network.links_at(gate.junction).map(|(link, _)| link).collect())
}

/// The links of a road on its shortest way between two towns.
fn between(domain: &Domain, built: &Built, reference: &str, towns: [&str; 2]) -> Result<Vec<LinkId>, String> {
    let network = &built.network;
    let graph = network.graph();
    let wanted = normal(reference);
    let on_road: Vec<bool> = graph.edge_weights().map(|link| normal(&link.reference) == wanted).collect();
    if !on_road.contains(&true) {
        return Err(reference.to_owned());
    }
    let mut ends = [NodeIndex::new(0); 2];
    for (end, name) in ends.iter_mut().zip(towns) {
        *end = town_on_road(domain, built, &on_road, name).ok_or_else(|| format!("{name} ({reference})"))?;
    }
    // Only the named road: the way between the towns must not leave it.
    let road = EdgeFiltered::from_fn(graph, |edge| on_road[petgraph::visit::EdgeRef::id(&edge).index()]);
    let (_, path) = astar(&road, ends[0], |n| n == ends[1], |e| e.weight().length.0, |_| 0.0)
        .ok_or_else(|| format!("{} – {} ({reference})", towns[0], towns[1]))?;
    if path.len() < 2 {
        return Err(format!("{} – {} ({reference})", towns[0], towns[1]));
    }
    let mut links = Vec::new();
    for pair in path.windows(2) {
        // Parallel links of the same road between the same junctions are closed together.
        links.extend(
            graph
                .edges_connecting(pair[0], pair[1])
                .map(|e| petgraph::visit::EdgeRef::id(&e))
                .filter(|e: &EdgeIndex| on_road[e.index()])
                .filter_map(|e| u32::try_from(e.index()).ok().map(LinkId)),
        );
    }
    Ok(links)
}

/// The junction of the road nearest to a town of that name; of several towns of one name the nearest counts.
fn town_on_road(domain: &Domain, built: &Built, on_road: &[bool], name: &str) -> Option<NodeIndex> {
    let network = &built.network;
    let wanted = normal(name);
    let mut best: Option<(f64, JunctionId)> = None;
    for town in domain.towns.iter().filter(|t| normal(&t.name) == wanted) {
        for (id, link) in network.links().filter(|(id, _)| on_road[id.index()]) {
            let _ = id;
            for junction in [link.from, link.to] {
                let distance = Geodesic.distance(Point(town.at), Point(network.junction(junction).at));
                if distance <= TOWN_REACH && best.is_none_or(|(d, j)| (distance, junction) < (d, j)) {
                    best = Some((distance, junction));
                }
            }
        }
    }
    best.map(|(_, junction)| NodeIndex::new(junction.index()))
}

fn normal(text: &str) -> String {
    crate::sources::normalised(text)
}
