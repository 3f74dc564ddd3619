//! Cutting lines where they meet.
//!
//! Lines meet where (1) their ends lie within the tolerance of each other, (2) the end of one lies within
//! the tolerance of the inside of another, or (3) they share a vertex to the centimetre. Lines that cross
//! without any of these do not meet: one passes over the other.

use std::collections::BTreeMap;

use geo::{Closest, ClosestPoint, Coord, Distance, Euclidean, Geodesic, Length, Line, LineString, Point};
use petgraph::unionfind::UnionFind;
use rstar::RTree;
use rstar::primitives::GeomWithData;

use crate::model::domain::Road;
use crate::model::frame::WorkFrame;
use crate::units::Metres;

/// A stretch of one road between two nodes.
#[derive(Debug, Clone)]
pub struct Piece {
    /// Node at the first position.
    pub from: usize,
    /// Node at the last position.
    pub to: usize,
    /// Index of the road.
    pub road: usize,
    /// Longitude and latitude in degrees.
    pub line: LineString<f64>,
    /// Length along the road.
    pub length: Metres,
}

/// Nodes and the stretches between them.
#[derive(Debug, Clone, Default)]
pub struct Noded {
    /// Longitude and latitude of each node.
    pub nodes: Vec<Coord<f64>>,
    /// Stretches, in the order of the roads and along each.
    pub pieces: Vec<Piece>,
    /// Roads that have no length, by index.
    pub degenerate: Vec<usize>,
}

/// A position in the plane (metres), and its longitude and latitude.
type Place = (Coord<f64>, Coord<f64>);

/// A position on a line: after vertex `vertex`, at share `t` of the segment that begins there.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Cut {
    vertex: usize,
    t: f64,
    node: usize,
}

/// Cuts `roads` where they meet within `tolerance` metres.
#[must_use]
pub fn node(roads: &[Road], frame: &WorkFrame, tolerance: f64) -> Noded {
    let plane: Vec<LineString<f64>> = roads.iter().map(|r| frame.geometry_to_plane(&r.line)).collect();
    let usable: Vec<bool> = plane.iter().map(|line| line.0.len() >= 2).collect();

    // Places where nodes must be: both ends of each line, and vertices that lines share.
    let mut places: Vec<Place> = Vec::new();
    let mut cuts: Vec<Vec<(usize, usize)>> = vec![Vec::new(); roads.len()];
    for ((line, road), (cut, _)) in
        plane.iter().zip(roads).zip(cuts.iter_mut().zip(&usable)).filter(|(_, (_, u))| **u)
    {
        let last = line.0.len() - 1;
        for vertex in [0, last] {
            cut.push((vertex, places.len()));
            places.push((line.0[vertex], road.line.0[vertex]));
        }
    }
    let mut vertices: BTreeMap<(i64, i64), Vec<(usize, usize)>> = BTreeMap::new();
    for (i, line) in plane.iter().enumerate().filter(|(i, _)| usable[*i]) {
        for (v, c) in line.0.iter().enumerate() {
            vertices.entry(centimetres(*c)).or_default().push((i, v));
        }
    }
    for shared in vertices.values().filter(|list| list.len() > 1) {
        for &(i, v) in shared {
            if v > 0 && v + 1 < plane[i].0.len() {
                cuts[i].push((v, places.len()));
                places.push((plane[i].0[v], roads[i].line.0[v]));
            }
        }
    }

    let (node_of, nodes) = cluster(&places, tolerance);
    let touches = touches(&plane, &usable, &nodes, tolerance);

    let mut out = Noded { nodes: nodes.iter().map(|n| n.1).collect(), ..Noded::default() };
    for (i, road) in roads.iter().enumerate() {
        if !usable[i] {
            out.degenerate.push(i);
            continue;
        }
        let mut at: Vec<Cut> =
            cuts[i].iter().map(|&(vertex, place)| Cut { vertex, t: 0.0, node: node_of[place] }).collect();
        at.extend(touches.get(&i).into_iter().flatten());
        let pieces = cut_line((i, road), &plane[i], &nodes, tolerance, at);
        if pieces.is_empty() {
            out.degenerate.push(i);
        }
        out.pieces.extend(pieces);
    }
    out
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "metres of a map projection fit in an i64 of centimetres"
)]
fn centimetres(c: Coord<f64>) -> (i64, i64) {
    ((c.x * 100.0).round() as i64, (c.y * 100.0).round() as i64)
}

/// Joins places within `tolerance` of each other. Returns the node of each place and the nodes, each at
/// the smallest of its places, so that the order of the lines does not move it.
fn cluster(places: &[Place], tolerance: f64) -> (Vec<usize>, Vec<Place>) {
    let tree = RTree::bulk_load(
        places.iter().enumerate().map(|(i, p)| GeomWithData::new(Point(p.0), i)).collect::<Vec<_>>(),
    );
    let mut union = UnionFind::new(places.len());
    let reach = tolerance.max(0.005);
    for (i, place) in places.iter().enumerate() {
        for other in tree.locate_within_distance(Point(place.0), reach * reach) {
            union.union(i, other.data);
        }
    }
    let mut members: BTreeMap<usize, usize> = BTreeMap::new();
    let key = |i: usize| (places[i].1.x, places[i].1.y);
    for i in 0..places.len() {
        let root = union.find(i);
        let best = members.entry(root).or_insert(i);
        if key(i) < key(*best) {
            *best = i;
        }
    }
    let number: BTreeMap<usize, usize> = members.keys().enumerate().map(|(n, &root)| (root, n)).collect();
    let node_of = (0..places.len()).map(|i| number[&union.find(i)]).collect();
    (node_of, members.values().map(|&i| places[i]).collect())
}

/// Nodes that lie within `tolerance` of the inside of a line, as cuts by line.
fn touches(
    plane: &[LineString<f64>],
    usable: &[bool],
    nodes: &[Place],
    tolerance: f64,
) -> BTreeMap<usize, Vec<Cut>> {
    let mut segments = Vec::new();
    for (i, line) in plane.iter().enumerate().filter(|(i, _)| usable[*i]) {
        segments.extend(line.lines().enumerate().map(|(v, segment)| GeomWithData::new(segment, (i, v))));
    }
    let tree = RTree::bulk_load(segments);
    let mut out: BTreeMap<usize, Vec<Cut>> = BTreeMap::new();
    let reach = tolerance.max(0.005);
    for (node, (at, _)) in nodes.iter().enumerate() {
        let point = Point(*at);
        // One cut for each line and node: the nearest segment's.
        let mut best: BTreeMap<usize, (f64, Cut)> = BTreeMap::new();
        for hit in tree.locate_within_distance(point, reach * reach) {
            let (line, vertex) = hit.data;
            let (distance, t) = project(hit.geom(), point);
            let cut = Cut { vertex, t, node };
            let entry = best.entry(line).or_insert((distance, cut));
            if (distance, vertex) < (entry.0, entry.1.vertex) {
                *entry = (distance, cut);
            }
        }
        for (line, (_, cut)) in best {
            out.entry(line).or_default().push(cut);
        }
    }
    out
}

/// Distance from `point` to `segment`, and the share of the segment at the nearest point.
#[must_use]
pub fn project(segment: &Line<f64>, point: Point<f64>) -> (f64, f64) {
    let nearest = match segment.closest_point(&point) {
        Closest::Intersection(p) | Closest::SinglePoint(p) => p,
        Closest::Indeterminate => segment.start_point(),
    };
    let length = Euclidean.length(segment);
    let t = if length > 0.0 { Euclidean.distance(segment.start_point(), nearest) / length } else { 0.0 };
    (Euclidean.distance(point, nearest), t.clamp(0.0, 1.0))
}

/// Cuts one road at `cuts`. Cuts at its own end nodes that are only the end itself seen again are dropped, and
/// so is a node that is met twice in a row; a road that comes back to a node makes a loop there.
fn cut_line(
    (index, road): (usize, &Road),
    plane: &LineString<f64>,
    nodes: &[Place],
    tolerance: f64,
    mut cuts: Vec<Cut>,
) -> Vec<Piece> {
    let last = road.line.0.len() - 1;
    for cut in &mut cuts {
        // The end of a segment is the beginning of the next.
        if cut.t >= 1.0 {
            *cut = Cut { vertex: cut.vertex + 1, t: 0.0, node: cut.node };
        }
    }
    cuts.sort_by(|a, b| {
        (a.vertex, a.t, a.node).partial_cmp(&(b.vertex, b.t, b.node)).unwrap_or(std::cmp::Ordering::Equal)
    });
    // The ends of the line keep the node of the end, whatever else lies near.
    let node_at = |vertex: usize| cuts.iter().find(|c| c.vertex == vertex && c.t == 0.0).map(|c| c.node);
    let (Some(first), Some(end)) = (node_at(0), node_at(last)) else { return Vec::new() };
    // Metres from the first position, by vertex.
    let mut along = vec![0.0];
    for segment in plane.lines() {
        along.push(along[along.len() - 1] + Euclidean.length(&segment));
    }
    let position = |c: &Cut| {
        let next = along[(c.vertex + 1).min(last)];
        c.t.mul_add(next - along[c.vertex], along[c.vertex])
    };
    let slack = 4.0 * tolerance.max(0.005);
    let near =
        |node: usize, vertex: usize| Euclidean.distance(Point(nodes[node].0), Point(plane.0[vertex])) + slack;
    let (near_first, near_end) = (near(first, 0), near(end, last));
    cuts.retain(|c| {
        let at = position(c);
        let is_end = (c.vertex == 0 && c.t == 0.0) || c.vertex == last;
        let seen_again =
            (c.node == first && at <= near_first) || (c.node == end && along[last] - at <= near_end);
        !is_end && !seen_again
    });
    cuts.dedup_by(|b, a| a.node == b.node && position(b) - position(a) <= slack);
    let mut stops = vec![Cut { vertex: 0, t: 0.0, node: first }];
    stops.extend(cuts);
    stops.push(Cut { vertex: last, t: 0.0, node: end });
    let mut pieces = Vec::with_capacity(stops.len() - 1);
    for pair in stops.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        // The vertices strictly between the two stops; the stops themselves stand at their nodes.
        let beyond = if b.t > 0.0 { b.vertex + 1 } else { b.vertex };
        let mut points = vec![nodes[a.node].1];
        points.extend((a.vertex + 1..beyond).map(|v| road.line.0[v]));
        points.push(nodes[b.node].1);
        points.dedup();
        let line = LineString(points);
        let length = Metres(Geodesic.length(&line));
        if line.0.len() >= 2 && length.0 > 0.0 {
            pieces.push(Piece { from: a.node, to: b.node, road: index, line, length });
        }
    }
    // The stated length of a road is shared by geodesic length, and all of it: nodes a little beside the
    // line do not change the sum.
    let drawn: f64 = pieces.iter().map(|p| p.length.0).sum();
    for piece in &mut pieces {
        piece.length.0 *= road.length.0 / drawn;
    }
    pieces
}
