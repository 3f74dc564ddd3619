//! Junctions that the file names by key.
//!
//! A source that states topology knows where an overpass is one. So roads with keys meet where their keys are
//! equal, and geometry only tells where the junction stands and whether the file contradicts itself.

use std::cmp::Ordering;

use geo::Coord;
use petgraph::unionfind::UnionFind;
use rayon::prelude::*;

use super::grid::PointGrid;
use super::noding::{Node, Noded, Piece, Place, between, number};
use crate::model::domain::{Road, RoadClass};
use crate::model::frame::WorkFrame;
use crate::units::Metres;

/// Ends of one key may lie this far apart, metres, or as far as the tolerance where that is more.
const TORN: f64 = 50.0;

/// Ends of one key are compared pair by pair up to this number.
const PAIRS: usize = 32;

/// A key whose ends lie too far apart: the file's topology contradicts its geometry.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Torn {
    /// The key.
    pub key: i64,
    /// Index of the road whose end lies off.
    pub road: usize,
    /// Largest distance between two ends.
    pub distance: Metres,
}

/// Where roads without keys should have joined one and do not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Loose {
    /// Index of a road whose end it is.
    pub road: usize,
    /// Distance to the nearest junction with a key.
    pub distance: Metres,
}

struct End {
    key: i64,
    at: Coord<f64>,
    /// Twice the road, and one more for its last position.
    slot: u32,
}

impl End {
    const fn road(&self) -> usize {
        self.slot as usize / 2
    }
}

/// Adds the junctions of all keys to `out`, each at the smallest of its ends' positions, and what contradicts.
/// Returns the nodes of the ends of each road that has keys, in the order of the roads.
pub(super) fn nodes(
    roads: &[Road],
    frame: &WorkFrame,
    tolerance: f64,
    out: &mut Noded,
) -> Vec<(u32, [u32; 2])> {
    let mut ends: Vec<End> = roads
        .par_iter()
        .enumerate()
        .flat_map_iter(|(road, r)| {
            let keys = r.ends.zip(r.line.0.first().zip(r.line.0.last()));
            keys.into_iter().flat_map(move |([from, to], (first, last))| {
                let slot = number(2 * road);
                [End { key: from, at: *first, slot }, End { key: to, at: *last, slot: slot + 1 }]
            })
        })
        .collect();
    let place = |e: &End| (e.at.x, e.at.y);
    ends.par_sort_unstable_by(|a, b| {
        let rest = || place(a).partial_cmp(&place(b)).unwrap_or(Ordering::Equal);
        a.key.cmp(&b.key).then_with(rest).then(a.slot.cmp(&b.slot))
    });
    let limit = tolerance.max(TORN);
    let mut node_of_end: Vec<(u32, u32)> = Vec::with_capacity(ends.len());
    for group in ends.chunk_by(|a, b| a.key == b.key) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
        let node = number(out.node_of_key.len());
        out.node_of_key.push((first.key, node));
        node_of_end.extend(group.iter().map(|end| (end.slot, node)));
        // Ends are sorted by place: most keys have theirs at one.
        if place(first) != place(last) {
            let (distance, road) = spread(group, frame);
            if distance > limit {
                out.torn.push(Torn { key: first.key, road, distance: Metres(distance) });
            }
        }
    }
    // The node of a key stands at the first of its ends.
    let firsts: Vec<&End> = ends.chunk_by(|a, b| a.key == b.key).filter_map(<[End]>::first).collect();
    let at_first = |e: &&End| Node { at: e.at, plane: frame.to_plane(e.at), key: Some(e.key), level: 0 };
    out.nodes = firsts.par_iter().map(at_first).collect();
    merge_zero(roads, out);
    node_of_end.par_sort_unstable();
    let of_key = |node: u32| out.node_of_key.get(node as usize).map_or(node, |k| k.1);
    node_of_end.chunks_exact(2).map(|pair| (pair[0].0 / 2, [of_key(pair[0].1), of_key(pair[1].1)])).collect()
}

/// Largest distance between two ends of one key, and the road of the one that comes later in the file. Of very
/// many ends, that of the one farthest from the first to the one farthest from it.
fn spread(group: &[End], frame: &WorkFrame) -> (f64, usize) {
    let planes: Vec<(Coord<f64>, usize)> = group.iter().map(|e| (frame.to_plane(e.at), e.road())).collect();
    let apart = |a: &(Coord<f64>, usize), b: &(Coord<f64>, usize)| {
        ((a.0.x - b.0.x).hypot(a.0.y - b.0.y), a.1.max(b.1))
    };
    let farthest = |from: &(Coord<f64>, usize)| {
        planes.iter().map(|to| (apart(from, to), to)).max_by(|x, y| x.0.0.total_cmp(&y.0.0))
    };
    let firsts = if planes.len() <= PAIRS { &planes[..] } else { &planes[..1] };
    let mut best = (0.0, 0);
    for from in firsts {
        let Some((found, to)) = farthest(from) else { continue };
        let again = if planes.len() > PAIRS { farthest(to).map_or(found, |f| f.0) } else { found };
        if again.0 > best.0 {
            best = again;
        }
    }
    best
}

/// A road of no length between two keys says that they are one place.
fn merge_zero(roads: &[Road], out: &mut Noded) {
    let mut union: Option<UnionFind<u32>> = None;
    for road in roads {
        let (Some(keys), 1) = (road.ends, road.line.0.len()) else { continue };
        if keys[0] == keys[1] {
            continue;
        }
        if let [Some(a), Some(b)] = keys.map(|key| node_of(&out.node_of_key, key)) {
            union.get_or_insert_with(|| UnionFind::new(out.nodes.len())).union(a, b);
        }
    }
    let Some(union) = union else { return };
    // The node of the lowest key stands for all: keys come in rising order.
    let mut least = vec![u32::MAX; out.nodes.len()];
    for slot in &mut out.node_of_key {
        let root = &mut least[union.find(slot.1) as usize];
        *root = slot.1.min(*root);
        slot.1 = *root;
    }
}

/// The node of a key.
pub(super) fn node_of(node_of_key: &[(i64, u32)], key: i64) -> Option<u32> {
    node_of_key.binary_search_by_key(&key, |k| k.0).ok().map(|i| node_of_key[i].1)
}

/// The one piece of each road with keys, by index of the road; `None` if it has no length. `ends` is what [`nodes`] returned.
pub(super) fn pieces(roads: &[Road], ends: &[(u32, [u32; 2])], nodes: &[Node]) -> Vec<(u32, Option<Piece>)> {
    ends.par_iter()
        .map(|&(index, [from, to])| {
            let road = &roads[index as usize];
            let points = &road.line.0;
            let inner = points.get(1..points.len().saturating_sub(1)).unwrap_or_default();
            let line = between(nodes[from as usize].at, inner.iter().copied(), nodes[to as usize].at);
            let piece = Piece { from, to, road: index, line, length: road.length };
            (index, Some(piece).filter(|p| p.line.0.len() >= 2))
        })
        .collect()
}

/// Numbers the nodes of roads without keys: those where a road ends take the nearest junction with a key within
/// `reach`, the others are added to `out`.
pub(super) fn join(own: &[Place], reach: f64, out: &mut Noded) -> Vec<u32> {
    let grid = grid(out, reach);
    let found: Vec<Option<u32>> = own
        .par_iter()
        .map(|place| {
            let mut best: Option<(f64, u32)> = None;
            if place.is_end {
                grid.within(place.plane, reach, |node, square| {
                    // Nodes of keys are in the order of their keys.
                    if best.is_none_or(|b| (square, node) < b) {
                        best = Some((square, node));
                    }
                });
            }
            best.map(|b| b.1)
        })
        .collect();
    out.nodes.reserve(own.len());
    own.iter()
        .zip(found)
        .map(|(place, found)| {
            found.unwrap_or_else(|| {
                out.nodes.push(Node { at: place.at, plane: place.plane, key: None, level: place.level });
                number(out.nodes.len() - 1)
            })
        })
        .collect()
}

fn grid(noded: &Noded, reach: f64) -> PointGrid {
    let mut used: Vec<u32> = noded.node_of_key.iter().map(|k| k.1).collect();
    used.sort_unstable();
    used.dedup();
    PointGrid::new(used.into_iter().map(|n| (noded.nodes[n as usize].plane, n)), reach)
}

/// Where roads without keys should join those with keys and do not: a connected part of them that joins none, at
/// its end nearest to one; and each end of a ferry that lies loose.
pub(super) fn loose(roads: &[Road], reach: f64, noded: &Noded) -> Vec<Loose> {
    let is_free = |p: &&Piece| roads[p.road as usize].ends.is_none();
    let free: Vec<&Piece> = noded.pieces.iter().filter(is_free).collect();
    if free.is_empty() || noded.node_of_key.is_empty() {
        return Vec::new();
    }
    let mut union = UnionFind::<u32>::new(noded.nodes.len());
    let mut degree = vec![0_u32; noded.nodes.len()];
    for piece in &free {
        union.union(piece.from, piece.to);
        degree[piece.from as usize] += 1;
        degree[piece.to as usize] += 1;
    }
    let has_key = |node: u32| noded.nodes[node as usize].key.is_some();
    let mut joined = vec![false; noded.nodes.len()];
    for node in free.iter().flat_map(|p| [p.from, p.to]).filter(|n| has_key(*n)) {
        joined[union.find(node) as usize] = true;
    }
    let grid = grid(noded, reach);
    let mut found: Vec<(u32, Loose, bool)> = free
        .par_iter()
        .flat_map_iter(|piece| {
            let (union, joined, degree, grid) = (&union, &joined, &degree, &grid);
            let road = piece.road as usize;
            [piece.from, piece.to].into_iter().filter_map(move |node| {
                let part = union.find(node);
                let ferry = roads[road].class == RoadClass::Ferry && degree[node as usize] == 1;
                if has_key(node) || (joined[part as usize] && !ferry) {
                    return None;
                }
                let distance = Metres(grid.nearest(noded.nodes[node as usize].plane));
                Some((part, Loose { road, distance }, ferry))
            })
        })
        .collect();
    found.sort_by(|a, b| {
        a.0.cmp(&b.0).then(a.1.distance.0.total_cmp(&b.1.distance.0)).then(a.1.road.cmp(&b.1.road))
    });
    let mut part = u32::MAX;
    found.retain(|f| f.2 || std::mem::replace(&mut part, f.0) != f.0);
    found.into_iter().map(|f| f.1).collect()
}
