//! Joining points to the network: seats, exits, and crossings with their approaches.

use geo::{Coord, Geodesic, Length, LineString};

use super::builder::{BuildOptions, Standing, Unsnapped};
use super::draft::{Draft, DraftNode, Edge, NONE, Part, short};
use super::graph::Network;
use super::noding::{SAME, between};
use super::spatial::{Hit, LineTree, LinkIndex};
use crate::ids::LinkId;
use crate::model::domain::Post;
use crate::model::frame::WorkFrame;
use crate::units::{Metres, Minutes};

/// Within this distance of a junction, in metres, a point is joined to the junction itself, and a town
/// is taken to stand on it.
pub(super) const AT_JUNCTION: f64 = 250.0;

/// Speed on the approaches of a crossing, km/h: streets, queues and short ways on foot.
const APPROACH_SPEED_KMH: f64 = 30.0;

/// What became of a point.
#[derive(Debug, Clone, Copy)]
pub(super) enum Joined {
    /// Joined at a node, at a distance in metres.
    At(u32, f64),
    /// The nearest road is too far, or there is none.
    Far(Option<f64>),
}

/// Joins `points` (plane, metres) to the nearest edge whose nodes are `allowed`, cutting it where needed. All
/// points are placed before the first cut, so that their order does not matter.
pub(super) fn attach(
    draft: &mut Draft<'_>,
    points: &[Coord<f64>],
    allowed: &[bool],
    options: BuildOptions,
) -> Vec<Joined> {
    if points.is_empty() {
        return Vec::new();
    }
    let lines: Vec<(u32, &[Coord<f64>])> = draft
        .edges
        .iter()
        .zip(0..)
        .filter(|(e, _)| allowed[e.from as usize])
        .map(|(e, number)| (number, e.line.0.as_slice()))
        .collect();
    let tree = LineTree::new(&lines, &draft.domain.frame);
    drop(lines);
    let mut out = Vec::with_capacity(points.len());
    // Edge, vertex and share of each cut, and the point it is for.
    let mut cuts: Vec<(u32, usize, f64, usize)> = Vec::new();
    for (i, point) in points.iter().enumerate() {
        let Some(hit) = nearest(draft, &tree, *point) else {
            out.push(Joined::Far(None));
            continue;
        };
        let distance = hit.square.sqrt();
        if distance.is_nan() || distance > options.max_snap {
            out.push(Joined::Far(distance.is_finite().then_some(distance)));
            continue;
        }
        if let Some(node) = junction_near(draft, &hit, options) {
            out.push(Joined::At(node, distance));
        } else {
            // The end of a segment is the beginning of the next.
            let (vertex, t) = if hit.t >= 1.0 { (hit.vertex + 1, 0.0) } else { (hit.vertex, hit.t) };
            cuts.push((hit.line, vertex, t, i));
            out.push(Joined::At(NONE, distance));
        }
    }
    cuts.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then(a.2.total_cmp(&b.2)).then(a.3.cmp(&b.3)));
    for list in cuts.chunk_by(|a, b| a.0 == b.0) {
        for (point, node) in cut_edge(draft, list) {
            if let Joined::At(slot, _) = &mut out[point] {
                *slot = node;
            }
        }
    }
    out
}

/// The nearest place on an edge; of edges that are equally near, the first by road and line.
fn nearest(draft: &Draft<'_>, tree: &LineTree, point: Coord<f64>) -> Option<Hit> {
    let rank = |hit: &Hit| {
        let (road, line) = (draft.road(hit.line), &draft.edges[hit.line as usize].line.0);
        let text = road.map(|r| (r.class, r.reference.as_str(), r.id.as_str()));
        let ends = [line.first(), line.last()].map(|c| c.map_or((0.0, 0.0), |c| (c.x, c.y)));
        (text, ends)
    };
    let mut best: Option<Hit> = None;
    tree.nearest_all(point, |hit| {
        let better = best.as_ref().is_none_or(|b| {
            let by_line = if hit.line == b.line {
                std::cmp::Ordering::Equal
            } else {
                rank(&hit).partial_cmp(&rank(b)).unwrap_or(std::cmp::Ordering::Equal)
            };
            by_line.then(hit.square.total_cmp(&b.square)).then(hit.vertex.cmp(&b.vertex)).is_lt()
        });
        if better {
            best = Some(hit);
        }
    });
    best
}

/// The end of the edge that is near enough to the place to stand for it.
fn junction_near(draft: &Draft<'_>, hit: &Hit, options: BuildOptions) -> Option<u32> {
    let edge = &draft.edges[hit.line as usize];
    let plane = |v: usize| edge.line.0.get(v).map(|c| draft.domain.frame.to_plane(*c));
    let (a, b) = (plane(hit.vertex)?, plane(hit.vertex + 1)?);
    let place = a + (b - a) * hit.t;
    let distance = |n: &DraftNode| (n.plane.x - place.x).hypot(n.plane.y - place.y);
    [edge.from, edge.to]
        .into_iter()
        .map(|n| (distance(&draft.nodes[n as usize]), n))
        .filter(|(d, _)| *d <= AT_JUNCTION.min(options.max_snap).max(SAME))
        .min_by(|x, y| {
            let order = || draft.nodes[x.1 as usize].order(&draft.nodes[y.1 as usize]);
            x.0.total_cmp(&y.0).then_with(order)
        })
        .map(|(_, n)| n)
}

/// Cuts one edge at `list` (edge, vertex, share, point; in order along the line); returns the node of each point.
fn cut_edge(draft: &mut Draft<'_>, list: &[(u32, usize, f64, usize)]) -> Vec<(usize, u32)> {
    let mut out = Vec::with_capacity(list.len());
    let Some(&(number, ..)) = list.first() else { return out };
    let level = draft.road(number).map_or(0, |r| r.level);
    let slot = &mut draft.edges[number as usize];
    let whole = Edge { line: std::mem::replace(&mut slot.line, LineString(Vec::new())), ..*slot };
    let points = &whole.line.0;
    let (Some(&first), Some(&last)) = (points.first(), points.last()) else { return out };
    let mut start = (whole.from, first);
    let mut done = 0;
    let mut parts: Vec<(u32, u32, LineString<f64>)> = Vec::with_capacity(list.len() + 1);
    for &(_, vertex, t, point) in list {
        let (a, b) = (points[vertex], points[vertex + 1]);
        let at = a + (b - a) * t;
        if at == start.1 {
            out.push((point, start.0));
            continue;
        }
        // At the other end there is a junction already; the rest of the line would have no length.
        if at == last {
            out.push((point, whole.to));
            continue;
        }
        let node = draft.add_anchor(at, level);
        parts.push((start.0, node, between(start.1, points[done + 1..=vertex].iter().copied(), at)));
        out.push((point, node));
        start = (node, at);
        done = vertex;
    }
    parts.push((
        start.0,
        whole.to,
        between(start.1, points[done + 1..points.len() - 1].iter().copied(), last),
    ));
    // Shares of the sum of the parts, so that no length is lost or won by the cut.
    let drawn: Vec<f64> = parts.iter().map(|(_, _, line)| Geodesic.length(line)).collect();
    let total: f64 = drawn.iter().sum();
    let count = parts.len();
    let added = draft.edges.len();
    for (place, ((from, to, line), own)) in parts.into_iter().zip(drawn).enumerate() {
        let share = if total > 0.0 { own / total } else { 0.0 };
        let next = if place + 1 == count { whole.next } else { short(added + place) };
        let part = Edge {
            from,
            to,
            next,
            length: Metres(whole.length.0 * share),
            time: Minutes(whole.time.0 * share),
            line,
            of: whole.of,
        };
        // The first part takes the place of the whole.
        if place == 0 {
            draft.edges[number as usize] = part;
        } else {
            draft.edges.push(part);
        }
    }
    out
}

/// Joins each crossing: its gate becomes a junction with a link to the network inside and one outside; a
/// crossing without approaches is joined to the nearest road itself.
pub(super) fn join_crossings(
    draft: &mut Draft<'_>,
    options: BuildOptions,
    unsnapped: &mut Vec<Unsnapped>,
) -> Vec<Option<(u32, f64)>> {
    let domain = draft.domain;
    let mut points = Vec::new();
    for crossing in &domain.crossings {
        match &crossing.approaches {
            Some(sides) => points.extend(sides.iter().map(|s| domain.frame.to_plane(s.at))),
            None => points.push(domain.frame.to_plane(crossing.at)),
        }
    }
    let everything = vec![true; draft.nodes.len()];
    let mut next = attach(draft, &points, &everything, options).into_iter();
    let mut gates = Vec::with_capacity(domain.crossings.len());
    for (i, crossing) in domain.crossings.iter().enumerate() {
        let mut take = || next.next().unwrap_or(Joined::Far(None));
        let gate = match &crossing.approaches {
            None => match take() {
                Joined::At(node, distance) => Ok((node, distance)),
                Joined::Far(distance) => Err(distance),
            },
            Some(sides) => match (take(), take()) {
                (Joined::At(inside, d0), Joined::At(outside, d1)) => {
                    let gate = draft.add_anchor(crossing.at, 0);
                    let ends = [(inside, d0, Part::Gate(short(i))), (outside, d1, Part::Approach(short(i)))];
                    for ((node, beside, of), side) in ends.into_iter().zip(sides) {
                        draft.nodes[node as usize].anchor = true;
                        let line = LineString(vec![crossing.at, draft.nodes[node as usize].at]);
                        // The stated length, but never less than the straight line.
                        let length = Metres(side.length.0.max(Geodesic.length(&line)).max(beside));
                        let time = length.at(APPROACH_SPEED_KMH);
                        draft.edges.push(Edge { from: gate, to: node, of, next: NONE, length, time, line });
                    }
                    Ok((gate, 0.0))
                }
                (Joined::Far(distance), _) | (_, Joined::Far(distance)) => Err(distance),
            },
        };
        gates.push(gate.as_ref().ok().copied());
        if let Err(distance) = gate {
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
    gates
}

/// By post: where it stands, within `reach` metres of a road of the region, or the distance from the nearest one, if
/// there is any.
pub(super) fn place_posts(
    posts: &[Post],
    frame: &WorkFrame,
    network: &Network,
    reach: f64,
) -> Vec<Result<Standing, Option<Metres>>> {
    if posts.is_empty() {
        return Vec::new();
    }
    let roads = LinkIndex::new(network, frame, |id| network.link(id).is_home_road());
    let place = |post: &Post| {
        let at = frame.to_plane(post.at);
        let nearest = roads.nearest(at).ok_or(None)?;
        if nearest.distance.0 > reach {
            return Err(Some(nearest.distance));
        }
        let same_road = |id: LinkId| network.link(id).reference == post.reference;
        if post.reference.is_empty() || same_road(nearest.link) {
            return Ok(nearest);
        }
        let own = LinkIndex::new(network, frame, |id| network.link(id).is_home_road() && same_road(id));
        Ok(own.nearest(at).filter(|n| n.distance.0 <= reach).unwrap_or(nearest))
    };
    let standing = |post| place(post).map(|n| Standing { link: n.link, distance: n.distance });
    posts.iter().map(standing).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::network::noding::node;
    use crate::network::tests::support::{OPTIONS, domain, road};

    #[test]
    fn a_cut_at_the_end_of_a_line_makes_no_part_without_length() {
        let all = domain(vec![road("a", &[(0.0, 0.0), (5.0, 0.0), (10.0, 0.0)])]);
        let mut draft = Draft::new(&all, node(&all.roads, &all.frame, OPTIONS.tolerance));
        let (from, to) = (draft.edges[0].from, draft.edges[0].to);
        let last = draft.edges[0].line.0.len() - 2;
        let cuts = [(0, 0, 0.0, 7), (0, 0, 0.5, 8), (0, last, 1.0, 9)];
        let joined: BTreeMap<usize, u32> = cut_edge(&mut draft, &cuts).into_iter().collect();
        assert_eq!((joined[&7], joined[&9]), (from, to));
        assert_eq!(draft.stretches(0).collect::<Vec<_>>(), [0, 1]);
        assert!(draft.edges.iter().all(|e| e.line.0.len() >= 2 && e.length.0 > 0.0));
    }
}
