//! Cutting lines where they meet.
//!
//! Roads whose file states the keys of their ends meet where the keys are equal, and only there ([`super::keyed`]).
//! The others meet where (1) their ends lie within the tolerance of each other, (2) the end of one lies within
//! the tolerance of the inside of another of the same level, or (3) two of the same level share a vertex to the
//! centimetre. Lines that cross without any of these do not meet: one passes over the other.
//!
//! Everything is done in sorted vectors and in parallel by line; nothing depends on the number of threads, and
//! no position on the order of the roads.

use geo::{Coord, Geodesic, Length, LineString};
use petgraph::unionfind::UnionFind;
use rayon::prelude::*;

use super::grid::{PointGrid, project};
use super::keyed::{self, Loose, Torn};
use crate::model::domain::Road;
use crate::model::frame::WorkFrame;
use crate::units::Metres;

/// Ends this near are one node even without a tolerance, metres.
pub(super) const SAME: f64 = 0.005;

/// A stretch of one road between two nodes.
#[derive(Debug, Clone)]
pub struct Piece {
    /// Node at the first position.
    pub from: u32,
    /// Node at the last position.
    pub to: u32,
    /// Index of the road.
    pub road: u32,
    /// Longitude and latitude in degrees.
    pub line: LineString<f64>,
    /// Length along the road.
    pub length: Metres,
}

/// Where roads meet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Node {
    /// Longitude and latitude in degrees.
    pub at: Coord<f64>,
    /// Position in the work frame, metres.
    pub plane: Coord<f64>,
    /// Key in the file, where it states one.
    pub key: Option<i64>,
    /// Lowest level of what meets there, where there is no key: two nodes may lie over each other.
    pub level: i32,
}

/// Nodes and the stretches between them.
#[derive(Debug, Clone, Default)]
pub struct Noded {
    /// Nodes.
    pub nodes: Vec<Node>,
    /// Stretches, in the order of the roads and along each.
    pub pieces: Vec<Piece>,
    /// Roads that have no length, by index.
    pub degenerate: Vec<usize>,
    /// Keys whose ends lie apart, by key.
    pub torn: Vec<Torn>,
    /// Roads without keys that join no key, where others have keys.
    pub loose: Vec<Loose>,
    /// By key in rising order: its node.
    pub node_of_key: Vec<(i64, u32)>,
}

/// A position at which there must be a node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) plane: Coord<f64>,
    pub(super) at: Coord<f64>,
    /// Of a node: the lowest of its places.
    pub(super) level: i32,
    pub(super) is_end: bool,
}

/// A position on a line: after vertex `vertex`, at share `t` of the segment that begins there.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Cut {
    vertex: usize,
    t: f64,
    node: u32,
}

/// Cuts `roads` where they meet; ends within `tolerance` metres are one node.
#[must_use]
pub fn node(roads: &[Road], frame: &WorkFrame, tolerance: f64) -> Noded {
    let reach = tolerance.max(SAME);
    let mut out = Noded::default();
    let ends = keyed::nodes(roads, frame, tolerance, &mut out);
    let mut keyed = keyed::pieces(roads, &ends, &out.nodes).into_iter().peekable();
    let free: Vec<usize> = (0..roads.len()).filter(|&i| roads[i].ends.is_none()).collect();
    let mut cut = if free.is_empty() { Vec::new() } else { node_free(roads, &free, frame, reach, &mut out) };
    let mut free_pieces = free.iter().zip(cut.iter_mut()).peekable();
    out.pieces.reserve(roads.len());
    for i in 0..roads.len() {
        let before = out.pieces.len();
        match free_pieces.next_if(|(road, _)| **road == i) {
            Some((_, pieces)) => out.pieces.append(pieces),
            None => out.pieces.extend(keyed.next_if(|p| p.0 == number(i)).and_then(|p| p.1)),
        }
        if out.pieces.len() == before {
            out.degenerate.push(i);
        }
    }
    out.loose = keyed::loose(roads, reach, &out);
    out
}

/// Cuts the roads `free` by geometry. Adds their nodes to `out`; returns the pieces of each.
fn node_free(
    roads: &[Road],
    free: &[usize],
    frame: &WorkFrame,
    reach: f64,
    out: &mut Noded,
) -> Vec<Vec<Piece>> {
    let plane: Vec<Vec<Coord<f64>>> =
        free.par_iter().map(|&i| roads[i].line.0.iter().map(|c| frame.to_plane(*c)).collect()).collect();
    // Places where nodes must be: both ends of each line, and vertices that lines share.
    let mut places: Vec<Place> = Vec::with_capacity(2 * free.len());
    let mut shared = shared_vertices(roads, free, &plane).into_iter().peekable();
    // By line: its first place, in the order of the vertices, and the vertices.
    let mut first_place = Vec::with_capacity(free.len() + 1);
    let mut vertex_of: Vec<u32> = Vec::with_capacity(2 * free.len());
    for (line, &i) in free.iter().enumerate() {
        first_place.push(places.len());
        let points = &plane[line];
        if points.len() < 2 {
            continue;
        }
        let mut add = |vertex: usize, is_end: bool| {
            let level = roads[i].level;
            places.push(Place { plane: points[vertex], at: roads[i].line.0[vertex], level, is_end });
            vertex_of.push(number(vertex));
        };
        add(0, true);
        while let Some((_, vertex)) = shared.next_if(|s| s.0 == number(line)) {
            add(vertex as usize, false);
        }
        add(points.len() - 1, true);
    }
    first_place.push(places.len());

    let (node_of, own) = cluster(&places, reach);
    let number_of = keyed::join(&own, reach, out);
    let levels = levels(&places, &node_of);
    let grid = PointGrid::new(
        levels.iter().zip(0..).map(|(&(node, _), pair)| (own[node as usize].plane, pair)),
        reach,
    );
    let nodes = &out.nodes;
    (0..free.len())
        .into_par_iter()
        .map(|line| {
            let road = &roads[free[line]];
            let mut cuts: Vec<Cut> = (first_place[line]..first_place[line + 1])
                .map(|p| Cut { vertex: vertex_of[p] as usize, t: 0.0, node: node_of[p] })
                .collect();
            if cuts.is_empty() {
                return Vec::new();
            }
            let touching = |pair: u32| {
                let (node, level) = levels[pair as usize];
                (level == road.level).then_some(node)
            };
            touches(&plane[line], &grid, reach, touching, &mut cuts);
            for cut in &mut cuts {
                cut.node = number_of[cut.node as usize];
            }
            cut_line(number(free[line]), road, &plane[line], nodes, reach, cuts)
        })
        .collect()
}

/// A number of a node, line or vertex. More than 2³² of them do not fit in memory.
pub(super) fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// Inner vertices (line, vertex) that another line of the same level, or the line itself, has as well; in the
/// order of the lines and along each.
fn shared_vertices(roads: &[Road], free: &[usize], plane: &[Vec<Coord<f64>>]) -> Vec<(u32, u32)> {
    let total = plane.iter().map(Vec::len).sum();
    let mut all: Vec<((i64, i64), i32, u32, u32)> = Vec::with_capacity(total);
    for (line, points) in plane.iter().enumerate() {
        let level = roads[free[line]].level;
        all.extend(points.iter().zip(0..).map(|(c, v)| (centimetres(*c), level, number(line), v)));
    }
    all.par_sort_unstable();
    let mut out: Vec<(u32, u32)> = all
        .chunk_by(|a, b| (a.0, a.1) == (b.0, b.1))
        .filter(|group| group.len() > 1)
        .flatten()
        .map(|&(_, _, line, vertex)| (line, vertex))
        .filter(|&(line, vertex)| vertex > 0 && (vertex as usize) + 1 < plane[line as usize].len())
        .collect();
    out.sort_unstable();
    out
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "metres of a map projection fit in an i64 of centimetres"
)]
fn centimetres(c: Coord<f64>) -> (i64, i64) {
    ((c.x * 100.0).round() as i64, (c.y * 100.0).round() as i64)
}

/// Joins places within `reach` of each other: ends whatever their level, others within theirs. Returns the node of
/// each place and the nodes, each at the smallest of its places, so that the order of the lines does not move it.
fn cluster(places: &[Place], reach: f64) -> (Vec<u32>, Vec<Place>) {
    let grid = PointGrid::new(places.iter().zip(0..).map(|(p, i)| (p.plane, i)), reach);
    let pairs: Vec<(u32, u32)> = (0..places.len())
        .into_par_iter()
        .flat_map_iter(|i| {
            let (place, mut near) = (&places[i], Vec::new());
            grid.within(place.plane, reach, |other, _| {
                let with = &places[other as usize];
                if other as usize > i && (place.level == with.level || (place.is_end && with.is_end)) {
                    near.push((number(i), other));
                }
            });
            near
        })
        .collect();
    drop(grid);
    let mut union = UnionFind::<u32>::new(places.len());
    for (a, b) in pairs {
        union.union(a, b);
    }
    let key = |p: &Place| (p.at.x, p.at.y);
    let mut node_of_root = vec![u32::MAX; places.len()];
    let mut nodes: Vec<Place> = Vec::new();
    let mut node_of = Vec::with_capacity(places.len());
    for (place, i) in places.iter().zip(0..) {
        let slot = &mut node_of_root[union.find(i) as usize];
        if *slot == u32::MAX {
            *slot = number(nodes.len());
            nodes.push(*place);
        } else {
            let best = &mut nodes[*slot as usize];
            if key(place) < key(best) {
                (best.plane, best.at) = (place.plane, place.at);
            }
            best.is_end |= place.is_end;
            best.level = best.level.min(place.level);
        }
        node_of.push(*slot);
    }
    (node_of, nodes)
}

/// Pairs of node and level: of which levels its places are.
fn levels(places: &[Place], node_of: &[u32]) -> Vec<(u32, i32)> {
    let mut out: Vec<(u32, i32)> = node_of.iter().zip(places).map(|(&n, p)| (n, p.level)).collect();
    out.par_sort_unstable();
    out.dedup();
    out
}

/// Adds to `cuts` the nodes that lie within `reach` of a line: one for each node, at the nearest segment.
/// `touching` gives the node of a point of `grid`, if it can touch the line.
fn touches(
    plane: &[Coord<f64>],
    grid: &PointGrid,
    reach: f64,
    touching: impl Fn(u32) -> Option<u32>,
    cuts: &mut Vec<Cut>,
) {
    let mut found: Vec<(u32, f64, usize, f64)> = Vec::new();
    for (vertex, ends) in plane.windows(2).enumerate() {
        grid.near_segment(ends[0], ends[1], reach, |point, at| {
            let (square, t) = project(ends[0], ends[1], at);
            if square <= reach * reach
                && let Some(node) = touching(point)
            {
                found.push((node, square, vertex, t));
            }
        });
    }
    found.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
    found.dedup_by_key(|f| f.0);
    cuts.extend(found.into_iter().map(|(node, _, vertex, t)| Cut { vertex, t, node }));
}

fn distance(a: Coord<f64>, b: Coord<f64>) -> f64 {
    (a.x - b.x).hypot(a.y - b.y)
}

/// Cuts one road at `cuts`. Cuts at its own end nodes that are only the end itself seen again are dropped, and
/// so is a node that is met twice in a row; a road that comes back to a node makes a loop there.
fn cut_line(
    index: u32,
    road: &Road,
    plane: &[Coord<f64>],
    nodes: &[Node],
    reach: f64,
    mut cuts: Vec<Cut>,
) -> Vec<Piece> {
    let last = road.line.0.len() - 1;
    for cut in &mut cuts {
        // The end of a segment is the beginning of the next.
        if cut.t >= 1.0 {
            *cut = Cut { vertex: cut.vertex + 1, t: 0.0, node: cut.node };
        }
    }
    // The ends of the line keep the node of the end, whatever else lies near.
    let node_at = |vertex: usize| cuts.iter().find(|c| c.vertex == vertex && c.t == 0.0).map(|c| c.node);
    let (Some(first), Some(end)) = (node_at(0), node_at(last)) else { return Vec::new() };
    let order = |c: &Cut| {
        let at = nodes[c.node as usize].at;
        (c.vertex, c.t, at.x, at.y)
    };
    cuts.sort_by(|a, b| order(a).partial_cmp(&order(b)).unwrap_or(std::cmp::Ordering::Equal));
    // Metres from the first position, by vertex.
    let mut along = Vec::with_capacity(plane.len());
    let mut sum = 0.0;
    along.push(sum);
    for ends in plane.windows(2) {
        sum += distance(ends[0], ends[1]);
        along.push(sum);
    }
    let position = |c: &Cut| {
        let next = along[(c.vertex + 1).min(last)];
        c.t.mul_add(next - along[c.vertex], along[c.vertex])
    };
    let slack = 4.0 * reach;
    let near = |node: u32, vertex: usize| distance(nodes[node as usize].plane, plane[vertex]) + slack;
    let (near_first, near_end) = (near(first, 0), near(end, last));
    cuts.retain(|c| {
        let at = position(c);
        let is_end = (c.vertex == 0 && c.t == 0.0) || c.vertex == last;
        let seen_again =
            (c.node == first && at <= near_first) || (c.node == end && along[last] - at <= near_end);
        !is_end && !seen_again
    });
    cuts.dedup_by(|b, a| a.node == b.node && position(b) - position(a) <= slack);
    let mut stops = Vec::with_capacity(cuts.len() + 2);
    stops.push(Cut { vertex: 0, t: 0.0, node: first });
    stops.extend(cuts);
    stops.push(Cut { vertex: last, t: 0.0, node: end });
    let mut pieces = Vec::with_capacity(stops.len() - 1);
    for pair in stops.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        // The vertices strictly between the two stops; the stops themselves stand at their nodes.
        let beyond = if b.t > 0.0 { b.vertex + 1 } else { b.vertex };
        let inner = (a.vertex + 1..beyond).map(|v| road.line.0[v]);
        let line = between(nodes[a.node as usize].at, inner, nodes[b.node as usize].at);
        if line.0.len() >= 2 {
            pieces.push(Piece { from: a.node, to: b.node, road: index, line, length: road.length });
        }
    }
    share_length(&mut pieces, road.length);
    pieces
}

/// The line from one node to another; positions that repeat their predecessor are left out.
pub(super) fn between(
    from: Coord<f64>,
    inner: impl ExactSizeIterator<Item = Coord<f64>>,
    to: Coord<f64>,
) -> LineString<f64> {
    let mut points = Vec::with_capacity(inner.len() + 2);
    points.push(from);
    points.extend(inner);
    points.push(to);
    points.dedup();
    LineString(points)
}

/// Shares the stated length of a road by geodesic length, and all of it: nodes a little beside the line do not
/// change the sum.
fn share_length(pieces: &mut [Piece], length: Metres) {
    if pieces.len() < 2 {
        return;
    }
    let drawn: Vec<f64> = pieces.iter().map(|p| Geodesic.length(&p.line)).collect();
    let sum: f64 = drawn.iter().sum();
    let equal = 1.0 / pieces.len() as f64;
    for (piece, own) in pieces.iter_mut().zip(drawn) {
        piece.length = Metres(length.0 * if sum > 0.0 { own / sum } else { equal });
    }
}
