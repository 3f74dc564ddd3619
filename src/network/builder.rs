//! From roads, crossings and places to the frozen network.
//!
//! 1. cut the roads where they meet ([`super::noding`]);
//! 2. join each crossing to the network on both sides;
//! 3. keep to the largest connected part, and join the places where trips begin and end to its nearest road;
//! 4. mark towns that stand on the network;
//! 5. contract chains and freeze.

use std::collections::BTreeMap;

use geo::{Coord, Distance, Euclidean, Geodesic, Length, LineString, Point};
use petgraph::graph::UnGraph;
use petgraph::stable_graph::{EdgeIndex, NodeIndex};
use petgraph::unionfind::UnionFind;
use petgraph::visit::{EdgeRef, IntoEdgeReferences, NodeIndexable};

use super::contract::{Draft, contract};
use super::graph::{Junction, Link, LinkKind, Network};
use super::noding::{Noded, node, project};
use super::spatial::segment_tree;
use crate::ids::JunctionId;
use crate::model::domain::{Direction, Domain, RoadClass, Surface};
use crate::units::{Metres, Minutes};

/// How the network is built.
#[derive(Debug, Clone, Copy)]
pub struct BuildOptions {
    /// Distance within which line ends are one junction, metres.
    pub tolerance: f64,
    /// Largest distance from a point to the road it is joined to, metres.
    pub max_snap: f64,
    /// Speed between a point and its road, km/h.
    pub access_speed_kmh: f64,
}

/// Speed on the approaches of a crossing, km/h: streets, queues and short ways on foot.
const APPROACH_SPEED_KMH: f64 = 30.0;

/// Within this distance of a junction, in metres, a point is joined to the junction itself, and a town
/// is taken to stand on it.
const AT_JUNCTION: f64 = 250.0;

/// A point that was joined to the network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Access {
    /// The junction.
    pub junction: JunctionId,
    /// Distance from the point to the road.
    pub distance: Metres,
    /// Time from the point to the road.
    pub time: Minutes,
}

/// A point that could not be joined.
#[derive(Debug, Clone, PartialEq)]
pub struct Unsnapped {
    /// Source, such as `towns`.
    pub source: &'static str,
    /// Id of the record.
    pub id: String,
    /// Name of the record.
    pub name: String,
    /// Row in the file.
    pub row: u64,
    /// Longitude and latitude in degrees.
    pub at: Coord<f64>,
    /// Distance to the nearest road, if there is any.
    pub distance: Option<Metres>,
}

/// The network with what was joined to it.
#[derive(Debug, Clone)]
pub struct Built {
    /// The network.
    pub network: Network,
    /// By municipality: where its trips begin and end.
    pub seats: Vec<Option<Access>>,
    /// By crossing: the gate.
    pub gates: Vec<Option<Access>>,
    /// By exit.
    pub exits: Vec<Option<Access>>,
    /// By town: the junction it stands on.
    pub towns: Vec<Option<JunctionId>>,
    /// Points that could not be joined.
    pub unsnapped: Vec<Unsnapped>,
    /// Roads without length, by index.
    pub degenerate: Vec<usize>,
}

/// Builds the network of `domain`.
#[must_use]
pub fn build(domain: &Domain, options: BuildOptions) -> Built {
    let noded = node(&domain.roads, &domain.frame, options.tolerance);
    let degenerate = noded.degenerate.clone();
    let mut draft = draft_of(domain, noded);
    let mut unsnapped = Vec::new();

    let gates = join_crossings(&mut draft, domain, options, &mut unsnapped);
    let main = main_part(&draft);

    let seats_at: Vec<Option<Coord<f64>>> =
        domain.municipalities.iter().map(|m| seat_position(domain, &m.cvegeo)).collect();
    let known: Vec<usize> = (0..seats_at.len()).filter(|&i| seats_at[i].is_some()).collect();
    let points: Vec<Coord<f64>> = known
        .iter()
        .filter_map(|&i| seats_at[i])
        .chain(domain.exits.iter().map(|e| e.at))
        .map(|c| domain.frame.to_plane(c))
        .collect();
    let joined = attach(&mut draft, domain, &points, &main, options);

    let mut seats: Vec<Option<(NodeIndex, f64)>> = vec![None; domain.municipalities.len()];
    for (&i, hit) in known.iter().zip(&joined) {
        let m = &domain.municipalities[i];
        match hit {
            Hit::Joined(node, distance) => seats[i] = Some((*node, *distance)),
            Hit::Far(distance) => {
                let town = domain.towns.iter().find(|t| t.seat && t.cvegeo.as_deref() == Some(&*m.cvegeo));
                unsnapped.push(Unsnapped {
                    source: if town.is_some() { "towns" } else { "municipalities" },
                    id: town.map_or_else(|| m.cvegeo.clone(), |t| t.id.clone()),
                    name: town.map_or_else(|| m.name.clone(), |t| t.name.clone()),
                    row: town.map_or(0, |t| t.row),
                    at: seats_at[i].unwrap_or_default(),
                    distance: distance.map(Metres),
                });
            }
        }
    }
    let mut exits: Vec<Option<(NodeIndex, f64)>> = vec![None; domain.exits.len()];
    for ((exit, hit), slot) in domain.exits.iter().zip(&joined[known.len()..]).zip(&mut exits) {
        match hit {
            Hit::Joined(node, distance) => *slot = Some((*node, *distance)),
            Hit::Far(distance) => unsnapped.push(Unsnapped {
                source: "exits",
                id: exit.id.clone(),
                name: exit.name.clone(),
                row: exit.row,
                at: exit.at,
                distance: distance.map(Metres),
            }),
        }
    }
    for (node, _) in seats.iter().chain(&exits).chain(&gates).flatten() {
        draft[*node].anchor = true;
    }
    let towns = mark_towns(&mut draft, domain);
    contract(&mut draft);
    let (network, number) = freeze(&draft);
    let access = |slot: Option<(NodeIndex, f64)>| {
        slot.and_then(|(node, distance)| {
            Some(Access {
                junction: number[node.index()]?,
                distance: Metres(distance),
                time: Metres(distance).at(options.access_speed_kmh),
            })
        })
    };
    Built {
        seats: seats.into_iter().map(access).collect(),
        exits: exits.into_iter().map(access).collect(),
        gates: gates.into_iter().map(access).collect(),
        towns: towns.into_iter().map(|t| t.and_then(|node| number[node.index()])).collect(),
        network,
        unsnapped,
        degenerate,
    }
}

/// Where trips of a municipality begin and end: its seat, or a point inside its polygon.
fn seat_position(domain: &Domain, cvegeo: &str) -> Option<Coord<f64>> {
    use geo::InteriorPoint;
    let seat = domain.towns.iter().find(|t| t.seat && t.cvegeo.as_deref() == Some(cvegeo)).map(|t| t.at);
    seat.or_else(|| {
        let m = domain.municipalities.iter().find(|m| m.cvegeo == cvegeo)?;
        m.polygon.as_ref()?.interior_point().map(|p| p.0)
    })
}

fn draft_of(domain: &Domain, noded: Noded) -> Draft {
    let mut draft = Draft::with_capacity(noded.nodes.len(), noded.pieces.len());
    let nodes: Vec<NodeIndex> = noded
        .nodes
        .iter()
        .map(|&at| {
            draft.add_node(Junction { at, plane: domain.frame.to_plane(at), town: None, anchor: false })
        })
        .collect();
    for piece in noded.pieces {
        let road = &domain.roads[piece.road];
        let link = Link {
            from: JunctionId(0),
            to: JunctionId(0),
            kind: LinkKind::Road,
            direction: road.direction,
            reference: road.reference.clone(),
            class: road.class,
            surface: road.surface,
            toll: road.toll,
            region: road.region.clone(),
            schematic: road.schematic,
            length: piece.length,
            time: piece.length.at(road.speed_kmh),
            records: vec![road.id.clone()],
            line: piece.line,
        };
        draft.add_edge(nodes[piece.from], nodes[piece.to], link);
    }
    draft
}

/// What became of a point.
enum Hit {
    /// Joined at a node, at a distance in metres.
    Joined(NodeIndex, f64),
    /// The nearest road is too far, or there is none.
    Far(Option<f64>),
}

/// Joins `points` (plane, metres) to the nearest allowed link, cutting it where needed. All points are
/// placed before the first cut, so that their order does not matter.
fn attach(
    draft: &mut Draft,
    domain: &Domain,
    points: &[Coord<f64>],
    allowed: &[bool],
    options: BuildOptions,
) -> Vec<Hit> {
    let tree = segment_tree(
        draft
            .edge_references()
            .filter(|e| allowed[e.source().index()])
            .map(|e| (e.id().index(), domain.frame.geometry_to_plane(&e.weight().line))),
    );
    let mut hits = Vec::with_capacity(points.len());
    // By edge: vertex and share of the cut, and the point it is for.
    let mut cuts: BTreeMap<usize, Vec<(usize, f64, usize)>> = BTreeMap::new();
    for (i, point) in points.iter().enumerate() {
        let Some(nearest) = tree.nearest_neighbor(&Point(*point)) else {
            hits.push(Hit::Far(None));
            continue;
        };
        let (edge, vertex) = nearest.data;
        let (distance, t) = project(nearest.geom(), Point(*point));
        if distance.is_nan() || distance > options.max_snap {
            hits.push(Hit::Far(distance.is_finite().then_some(distance)));
            continue;
        }
        let place = nearest.geom().start_point().0
            + (nearest.geom().end_point() - nearest.geom().start_point()).0 * t;
        let close = draft.edge_endpoints(EdgeIndex::new(edge)).and_then(|(a, b)| {
            [a, b]
                .into_iter()
                .map(|n| (Euclidean.distance(Point(draft[n].plane), Point(place)), n))
                .filter(|(d, _)| *d <= AT_JUNCTION.min(options.max_snap))
                .min_by(|x, y| x.0.total_cmp(&y.0))
        });
        if let Some((_, node)) = close {
            hits.push(Hit::Joined(node, distance));
        } else {
            cuts.entry(edge).or_default().push((vertex, t, i));
            hits.push(Hit::Joined(NodeIndex::end(), distance));
        }
    }
    for (edge, mut list) in cuts {
        list.sort_by(|a, b| {
            (a.0, a.1, a.2).partial_cmp(&(b.0, b.1, b.2)).unwrap_or(std::cmp::Ordering::Equal)
        });
        for (point, node) in cut_edge(draft, domain, EdgeIndex::new(edge), &list) {
            if let Hit::Joined(slot, _) = &mut hits[point] {
                *slot = node;
            }
        }
    }
    hits
}

/// Cuts one edge at `list` (vertex, share, point; in order along the line); returns the node of each point.
fn cut_edge(
    draft: &mut Draft,
    domain: &Domain,
    edge: EdgeIndex,
    list: &[(usize, f64, usize)],
) -> Vec<(usize, NodeIndex)> {
    let mut out = Vec::with_capacity(list.len());
    let Some((source, target)) = draft.edge_endpoints(edge) else { return out };
    let Some(whole) = draft.remove_edge(edge) else { return out };
    let mut start = (source, whole.line.0[0]);
    let mut vertex_done = 0;
    let mut parts: Vec<(NodeIndex, NodeIndex, LineString<f64>)> = Vec::with_capacity(list.len() + 1);
    for &(vertex, t, point) in list {
        let (a, b) = (whole.line.0[vertex], whole.line.0[vertex + 1]);
        let at = a + (b - a) * t;
        if at == start.1 {
            out.push((point, start.0));
            continue;
        }
        // At the other end there is a junction already; the rest of the line would have no length.
        if whole.line.0.last() == Some(&at) {
            out.push((point, target));
            continue;
        }
        let node =
            draft.add_node(Junction { at, plane: domain.frame.to_plane(at), town: None, anchor: true });
        let mut points = vec![start.1];
        points.extend_from_slice(&whole.line.0[vertex_done + 1..=vertex]);
        points.push(at);
        points.dedup();
        parts.push((start.0, node, LineString(points)));
        out.push((point, node));
        start = (node, at);
        vertex_done = vertex;
    }
    let mut points = vec![start.1];
    points.extend_from_slice(&whole.line.0[vertex_done + 1..]);
    points.dedup();
    parts.push((start.0, target, LineString(points)));
    // Shares of the sum of the parts, so that no length is lost or won by the cut.
    let total: f64 = parts.iter().map(|(_, _, line)| Geodesic.length(line)).sum();
    for (from, to, line) in parts {
        let share = if total > 0.0 { Geodesic.length(&line) / total } else { 0.0 };
        let part = Link {
            length: Metres(whole.length.0 * share),
            time: Minutes(whole.time.0 * share),
            line,
            ..whole.clone()
        };
        draft.add_edge(from, to, part);
    }
    out
}

/// Joins each crossing: its gate becomes a junction with a link to the network inside and one outside; a
/// crossing without approaches is joined to the nearest road itself.
fn join_crossings(
    draft: &mut Draft,
    domain: &Domain,
    options: BuildOptions,
    unsnapped: &mut Vec<Unsnapped>,
) -> Vec<Option<(NodeIndex, f64)>> {
    let mut points = Vec::new();
    for crossing in &domain.crossings {
        match &crossing.approaches {
            Some(sides) => points.extend(sides.iter().map(|s| domain.frame.to_plane(s.at))),
            None => points.push(domain.frame.to_plane(crossing.at)),
        }
    }
    let everything = vec![true; draft.node_bound()];
    let hits = attach(draft, domain, &points, &everything, options);
    let mut next = hits.into_iter();
    let mut gates = Vec::with_capacity(domain.crossings.len());
    for (i, crossing) in domain.crossings.iter().enumerate() {
        let mut take = || next.next().unwrap_or(Hit::Far(None));
        let gate = match &crossing.approaches {
            None => match take() {
                Hit::Joined(node, distance) => Ok((node, distance)),
                Hit::Far(distance) => Err(distance),
            },
            Some(sides) => match (take(), take()) {
                (Hit::Joined(inside, d0), Hit::Joined(outside, d1)) => {
                    let gate = draft.add_node(Junction {
                        at: crossing.at,
                        plane: domain.frame.to_plane(crossing.at),
                        town: None,
                        anchor: true,
                    });
                    let ends = [
                        (inside, d0, LinkKind::Gate { crossing: i }),
                        (outside, d1, LinkKind::Approach { crossing: i }),
                    ];
                    for ((node, beside, kind), side) in ends.into_iter().zip(sides) {
                        draft[node].anchor = true;
                        let line = LineString(vec![crossing.at, draft[node].at]);
                        // The stated length, but never less than the straight line.
                        let length = Metres(side.length.0.max(Geodesic.length(&line)).max(beside));
                        let region = if matches!(kind, LinkKind::Gate { .. }) { "" } else { "foreign" };
                        draft.add_edge(
                            gate,
                            node,
                            approach_link(crossing.id.clone(), kind, region, length, line),
                        );
                    }
                    Ok((gate, 0.0))
                }
                (Hit::Far(distance), _) | (_, Hit::Far(distance)) => Err(distance),
            },
        };
        match gate {
            Ok(gate) => gates.push(Some(gate)),
            Err(distance) => {
                gates.push(None);
                unsnapped.push(Unsnapped {
                    source: "crossings",
                    id: crossing.id.clone(),
                    name: crossing.name.clone(),
                    row: crossing.row,
                    at: crossing.at,
                    distance: distance.map(Metres),
                });
            }
        }
    }
    gates
}

fn approach_link(id: String, kind: LinkKind, region: &str, length: Metres, line: LineString<f64>) -> Link {
    Link {
        from: JunctionId(0),
        to: JunctionId(0),
        kind,
        direction: Direction::Both,
        reference: String::new(),
        class: if region == "foreign" { RoadClass::Foreign } else { RoadClass::Local },
        surface: Surface::Paved,
        toll: false,
        region: region.to_owned(),
        schematic: true,
        length,
        time: length.at(APPROACH_SPEED_KMH),
        records: vec![id],
        line,
    }
}

/// By node: whether it belongs to the connected part with the most road length.
fn main_part(draft: &Draft) -> Vec<bool> {
    let mut union = UnionFind::<usize>::new(draft.node_bound());
    for edge in draft.edge_references() {
        union.union(edge.source().index(), edge.target().index());
    }
    let mut length: BTreeMap<usize, f64> = BTreeMap::new();
    for edge in draft.edge_references() {
        *length.entry(union.find(edge.source().index())).or_default() += edge.weight().length.0;
    }
    let main = length.iter().max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(a.0))).map(|(root, _)| *root);
    (0..draft.node_bound()).map(|n| Some(union.find(n)) == main).collect()
}

/// Gives each junction the town that stands on it, the nearest first; a seat comes before another town.
fn mark_towns(draft: &mut Draft, domain: &Domain) -> Vec<Option<NodeIndex>> {
    use rstar::RTree;
    use rstar::primitives::GeomWithData;
    let tree = RTree::bulk_load(
        draft.node_indices().map(|n| GeomWithData::new(Point(draft[n].plane), n)).collect::<Vec<_>>(),
    );
    let mut wishes: Vec<(bool, f64, usize, NodeIndex)> = Vec::new();
    for (i, town) in domain.towns.iter().enumerate() {
        let at = Point(domain.frame.to_plane(town.at));
        if let Some(node) = tree.nearest_neighbor(&at) {
            let distance = Euclidean.distance(at, *node.geom());
            if distance <= AT_JUNCTION {
                wishes.push((!town.seat, distance, i, node.data));
            }
        }
    }
    wishes.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
    let mut out = vec![None; domain.towns.len()];
    for (_, _, town, node) in wishes {
        let junction = &mut draft[node];
        junction.anchor = true;
        junction.town.get_or_insert(town);
        out[town] = Some(node);
    }
    out
}

/// Numbers junctions and links densely, in the order of the draft. Junctions without a link are left out.
fn freeze(draft: &Draft) -> (Network, Vec<Option<JunctionId>>) {
    let mut graph = UnGraph::with_capacity(draft.node_count(), draft.edge_count());
    let mut number = vec![None; draft.node_bound()];
    for node in draft.node_indices() {
        if draft.edges(node).next().is_some() || draft[node].anchor {
            let index = graph.add_node(draft[node].clone());
            #[expect(clippy::cast_possible_truncation, reason = "petgraph's own indices are u32")]
            let id = JunctionId(index.index() as u32);
            number[node.index()] = Some(id);
        }
    }
    for edge in draft.edge_references() {
        if let (Some(from), Some(to)) = (number[edge.source().index()], number[edge.target().index()]) {
            let link = Link { from, to, ..edge.weight().clone() };
            graph.add_edge(NodeIndex::new(from.index()), NodeIndex::new(to.index()), link);
        }
    }
    (Network::new(graph), number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::tests::support::{OPTIONS, domain, road};

    #[test]
    fn a_cut_at_the_end_of_a_line_makes_no_part_without_length() {
        let all = domain(vec![road("a", &[(0.0, 0.0), (5.0, 0.0), (10.0, 0.0)])]);
        let mut draft = draft_of(&all, node(&all.roads, &all.frame, OPTIONS.tolerance));
        let edge = draft.edge_indices().next().unwrap();
        let (source, target) = draft.edge_endpoints(edge).unwrap();
        let last = draft[edge].line.0.len() - 2;
        let cuts = [(0, 0.0, 7), (0, 0.5, 8), (last, 1.0, 9)];
        let joined: BTreeMap<usize, NodeIndex> =
            cut_edge(&mut draft, &all, edge, &cuts).into_iter().collect();
        assert_eq!((joined[&7], joined[&9]), (source, target));
        assert_eq!(draft.edge_count(), 2);
        assert!(draft.edge_weights().all(|l| l.line.0.len() >= 2 && l.length.0 > 0.0));
    }
}
