//! Contraction of chains: a junction where exactly two like links meet, and where nothing begins or ends,
//! is no junction.

use geo::LineString;
use petgraph::stable_graph::{EdgeIndex, NodeIndex, StableUnGraph};
use petgraph::visit::EdgeRef;

use super::graph::{Junction, Link, LinkKind};
use crate::ids::JunctionId;
use crate::model::domain::Direction;

/// The graph while it is being built. The `from` and `to` of a link are set when it is frozen; until then
/// petgraph's own ends count, and the line runs from the edge's source to its target.
pub type Draft = StableUnGraph<Junction, Link>;

/// Contracts all chains of `draft`.
pub fn contract(draft: &mut Draft) {
    let mut nodes: Vec<NodeIndex> = draft.node_indices().collect();
    // By position: which junctions of a ring remain must not depend on the order of the roads.
    nodes.sort_by(|a, b| {
        let (a, b) = (draft[*a].at, draft[*b].at);
        a.x.total_cmp(&b.x).then(a.y.total_cmp(&b.y))
    });
    for node in nodes {
        let edges: Vec<(EdgeIndex, NodeIndex)> = draft
            .edges(node)
            .map(|e| (e.id(), if e.source() == node { e.target() } else { e.source() }))
            .collect();
        let [(first, a), (second, b)] = edges[..] else { continue };
        // Two links to the same place would become a loop, a link twice is one already.
        if draft[node].anchor || first == second || a == b || a == node || b == node {
            continue;
        }
        let incoming = oriented(draft, first, a);
        let outgoing = oriented(draft, second, node);
        let Some(merged) = joined(&incoming, &outgoing) else { continue };
        draft.remove_node(node);
        draft.add_edge(a, b, merged);
    }
}

/// The link with its line running away from `start`.
#[must_use]
pub fn oriented(draft: &Draft, edge: EdgeIndex, start: NodeIndex) -> Link {
    let link = draft[edge].clone();
    let runs_from_start = draft.edge_endpoints(edge).is_some_and(|(source, _)| source == start);
    if runs_from_start { link } else { reversed(link) }
}

fn reversed(mut link: Link) -> Link {
    link.line.0.reverse();
    link.records.reverse();
    link.direction = link.direction.reversed();
    link
}

/// `a` followed by `b`, if they are stretches of the same road.
fn joined(a: &Link, b: &Link) -> Option<Link> {
    let alike = a.kind == LinkKind::Road
        && b.kind == LinkKind::Road
        && a.direction == b.direction
        && a.direction != Direction::Closed
        && a.reference == b.reference
        && a.class == b.class
        && a.surface == b.surface
        && a.toll == b.toll
        && a.region == b.region
        && a.schematic == b.schematic;
    if !alike {
        return None;
    }
    let mut points = a.line.0.clone();
    points.extend(b.line.0.iter().skip(1).copied());
    let mut records = a.records.clone();
    records.extend(b.records.iter().filter(|r| a.records.last() != Some(r)).cloned());
    Some(Link {
        length: a.length + b.length,
        time: a.time + b.time,
        line: LineString(points),
        records,
        from: JunctionId(0),
        to: JunctionId(0),
        ..a.clone()
    })
}
