//! The network while it is being built: plain tables of nodes and edges.
//!
//! An edge keeps its number when it is cut: its first part takes its place and the others are added, so that the
//! stretches of a road can be walked along at any time. That is what turn bans need.

use geo::{Coord, LineString};

use super::noding::Noded;
use crate::model::domain::{Direction, Domain, Road};
use crate::units::{Metres, Minutes};

/// No edge.
pub(super) const NONE: u32 = u32::MAX;

/// A node: a junction, or a place on a chain that will be none.
#[derive(Debug, Clone, Copy)]
pub(super) struct DraftNode {
    /// Longitude and latitude in degrees.
    pub(super) at: Coord<f64>,
    /// Position in the work frame, metres.
    pub(super) plane: Coord<f64>,
    /// Key in the file.
    pub(super) key: Option<i64>,
    /// Level, where there is no key.
    pub(super) level: i32,
    /// Index of the town that stands here.
    pub(super) town: Option<usize>,
    /// Whether it stays a junction.
    pub(super) anchor: bool,
}

impl DraftNode {
    /// What nodes are ordered by: the same whatever the order of the roads.
    pub(super) fn order(&self, other: &Self) -> std::cmp::Ordering {
        let by_place = self.at.x.total_cmp(&other.at.x).then(self.at.y.total_cmp(&other.at.y));
        by_place.then(self.key.cmp(&other.key)).then(self.level.cmp(&other.level))
    }
}

/// What an edge is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// A road, by index.
    Road(u32),
    /// The inner side of a crossing, by index.
    Gate(u32),
    /// The outer side of a crossing, by index.
    Approach(u32),
}

/// A stretch between two nodes; its line runs from `from` to `to`.
#[derive(Debug, Clone)]
pub(super) struct Edge {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) of: Part,
    /// The next stretch of the same road, or [`NONE`].
    pub(super) next: u32,
    pub(super) length: Metres,
    pub(super) time: Minutes,
    pub(super) line: LineString<f64>,
}

/// Nodes and edges.
pub(super) struct Draft<'a> {
    pub(super) domain: &'a Domain,
    pub(super) nodes: Vec<DraftNode>,
    pub(super) edges: Vec<Edge>,
    /// By road: its first stretch, or [`NONE`].
    pub(super) first: Vec<u32>,
    /// By key in rising order: its node.
    pub(super) node_of_key: Vec<(i64, u32)>,
}

pub(super) fn short(index: usize) -> u32 {
    // More than 2³² nodes or edges do not fit in memory.
    u32::try_from(index).unwrap_or(u32::MAX)
}

impl<'a> Draft<'a> {
    /// The stretches of `noded` roads.
    pub(super) fn new(domain: &'a Domain, noded: Noded) -> Self {
        let nodes = noded.nodes.iter().map(|n| DraftNode {
            at: n.at,
            plane: n.plane,
            key: n.key,
            level: n.level,
            town: None,
            anchor: false,
        });
        let mut out = Self {
            domain,
            nodes: nodes.collect(),
            edges: Vec::with_capacity(noded.pieces.len()),
            first: vec![NONE; domain.roads.len()],
            node_of_key: noded.node_of_key,
        };
        for piece in noded.pieces {
            let road = &domain.roads[piece.road as usize];
            let number = short(out.edges.len());
            match out.edges.last_mut() {
                Some(before) if before.of == Part::Road(piece.road) => before.next = number,
                _ => out.first[piece.road as usize] = number,
            }
            out.edges.push(Edge {
                from: piece.from,
                to: piece.to,
                of: Part::Road(piece.road),
                next: NONE,
                length: piece.length,
                time: piece.length.at(road.speed_kmh),
                line: piece.line,
            });
        }
        out
    }

    /// Adds a node that stays a junction.
    pub(super) fn add_anchor(&mut self, at: Coord<f64>, level: i32) -> u32 {
        let plane = self.domain.frame.to_plane(at);
        self.nodes.push(DraftNode { at, plane, key: None, level, town: None, anchor: true });
        short(self.nodes.len() - 1)
    }

    /// The road of an edge, if it is of one.
    pub(super) fn road(&self, edge: u32) -> Option<&'a Road> {
        match self.edges[edge as usize].of {
            Part::Road(road) => Some(&self.domain.roads[road as usize]),
            Part::Gate(_) | Part::Approach(_) => None,
        }
    }

    /// Directions of an edge, seen along it or, `reversed`, against it.
    pub(super) fn direction(&self, edge: u32, reversed: bool) -> Direction {
        let along = self.road(edge).map_or(Direction::Both, |r| r.direction);
        if reversed { along.reversed() } else { along }
    }

    /// The node at the beginning of an edge, or, `reversed`, at its end.
    pub(super) fn start(&self, edge: u32, reversed: bool) -> u32 {
        let edge = &self.edges[edge as usize];
        if reversed { edge.to } else { edge.from }
    }

    /// The stretches of a road in the order of its line.
    pub(super) fn stretches(&self, road: usize) -> impl Iterator<Item = u32> {
        let first = self.first.get(road).copied().filter(|e| *e != NONE);
        std::iter::successors(first, |e| Some(self.edges[*e as usize].next).filter(|e| *e != NONE))
    }
}
