//! The frozen network: a petgraph graph of junctions and links.
//!
//! Invariants, checked by [`Network::new`] in every build: junction and link numbers are dense and equal petgraph's
//! indices; every line begins at its `from` junction and ends at its `to`; lengths and times are finite and not
//! negative. Link keys are unique. Numbers come from positions and keys, not from the order of the roads.

use std::fmt::Write as _;

use geo::{Coord, LineString};
use petgraph::graph::{NodeIndex, UnGraph};
use petgraph::unionfind::UnionFind;
use petgraph::visit::EdgeRef;
use rayon::prelude::*;

use super::shared::SharedText;
use crate::ids::{JunctionId, LinkId, stable_id};
use crate::model::domain::{Direction, RoadClass, Surface};
use crate::units::{Metres, Minutes};

/// A place where links meet, or where trips begin, end or are counted.
#[derive(Debug, Clone, PartialEq)]
pub struct Junction {
    /// Longitude and latitude in degrees.
    pub at: Coord<f64>,
    /// Position in the work frame, metres.
    pub plane: Coord<f64>,
    /// Index of the town that stands here.
    pub town: Option<usize>,
    /// Whether it must stay a junction although only two links meet here.
    pub anchor: bool,
}

/// What a link is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    /// A road.
    Road,
    /// The part of a crossing between the gate and the network inside; closing the crossing closes it.
    Gate {
        /// Index of the crossing.
        crossing: usize,
    },
    /// The part of a crossing between the gate and the network outside.
    Approach {
        /// Index of the crossing.
        crossing: usize,
    },
}

/// A stretch of road between two junctions.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// Junction at the first position of the line.
    pub from: JunctionId,
    /// Junction at the last position of the line.
    pub to: JunctionId,
    /// What it is.
    pub kind: LinkKind,
    /// Directions, seen along the line.
    pub direction: Direction,
    /// Road reference; blank where there is none.
    pub reference: SharedText,
    /// Class.
    pub class: RoadClass,
    /// Surface.
    pub surface: Surface,
    /// Whether a toll is paid.
    pub toll: bool,
    /// Region of the road.
    pub region: SharedText,
    /// Whether the line is schematic.
    pub schematic: bool,
    /// Length along the road.
    pub length: Metres,
    /// Time at the road's own speed.
    pub time: Minutes,
    /// Ids of the road records it is made of, in order.
    pub records: Vec<SharedText>,
    /// Longitude and latitude in degrees.
    pub line: LineString<f64>,
}

impl Link {
    /// Mean speed in km/h.
    #[must_use]
    pub fn speed_kmh(&self) -> f64 {
        if self.time.0 > 0.0 { self.length.km() / self.time.0 * 60.0 } else { 0.0 }
    }

    /// Whether it is a road of the region and its neighbours on this side of the border.
    #[must_use]
    pub fn is_home_road(&self) -> bool {
        self.kind == LinkKind::Road && self.class != RoadClass::Foreign
    }
}

/// A part of the network that is connected in itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Component {
    /// Lowest junction in it.
    pub first: JunctionId,
    /// Number of junctions.
    pub junctions: usize,
    /// Length of its links.
    pub length: Metres,
}

/// A link in the sense in which it is driven: `true` against its line.
pub type Driven = (LinkId, bool);

/// The frozen network.
#[derive(Debug, Clone)]
pub struct Network {
    graph: UnGraph<Junction, Link>,
    keys: Vec<String>,
    bans: Vec<Vec<Driven>>,
}

impl Network {
    /// Freezes a graph without turn bans. Links are given keys from what they are, not from their order.
    ///
    /// # Panics
    /// If an invariant of the module does not hold.
    #[must_use]
    pub fn new(graph: UnGraph<Junction, Link>) -> Self {
        let keys = graph.raw_edges().par_iter().map(|edge| link_key(&edge.weight)).collect();
        Self::with_keys(graph, keys, Vec::new())
    }

    /// The same network with sequences of links that may not be driven one after the other. Those that are no way
    /// of at least two links, or that cannot be driven at all, ban nothing and are left out.
    ///
    /// # Panics
    /// If a link is not of this network.
    #[must_use]
    pub fn with_bans(mut self, bans: Vec<Vec<Driven>>) -> Self {
        let (tail, head) = (|d: Driven| self.ends(d).0, |d: Driven| self.ends(d).1);
        let may = |(id, against): Driven| {
            let direction = self.link(id).direction;
            if against { direction.backward() } else { direction.forward() }
        };
        let mut bans = bans;
        bans.retain(|way| {
            let joined = way.windows(2).all(|pair| head(pair[0]) == tail(pair[1]));
            way.len() > 1 && joined && way.iter().all(|d| may(*d))
        });
        bans.sort_unstable();
        bans.dedup();
        self.bans = bans;
        self
    }

    /// Freezes a graph whose links have their keys; equal ones are told apart in the order of the links.
    pub(super) fn with_keys(
        graph: UnGraph<Junction, Link>,
        mut keys: Vec<String>,
        bans: Vec<Vec<Driven>>,
    ) -> Self {
        for edge in graph.edge_references() {
            let link = edge.weight();
            assert_eq!((link.from.index(), link.to.index()), (edge.source().index(), edge.target().index()));
            assert!(link.length.0.is_finite() && link.length.0 >= 0.0, "length");
            assert!(link.time.0.is_finite() && link.time.0 >= 0.0, "time");
            assert_eq!(link.line.0.first(), graph.node_weight(edge.source()).map(|j| &j.at));
            assert_eq!(link.line.0.last(), graph.node_weight(edge.target()).map(|j| &j.at));
        }
        // Most keys differ in their first eight digits already.
        let mut order: Vec<([u8; 8], usize)> = keys
            .iter()
            .enumerate()
            .map(|(link, key)| (key.as_bytes().first_chunk().copied().unwrap_or_default(), link))
            .collect();
        order.par_sort_unstable_by(|a, b| {
            a.0.cmp(&b.0).then_with(|| keys[a.1].cmp(&keys[b.1])).then(a.1.cmp(&b.1))
        });
        let mut again: Vec<(usize, usize)> = Vec::new();
        for group in order.chunk_by(|a, b| a.0 == b.0 && keys[a.1] == keys[b.1]).filter(|g| g.len() > 1) {
            again.extend(group.iter().map(|g| g.1).zip(1..).skip(1));
        }
        for (link, times) in again {
            // Writing to a string cannot fail.
            let _ = write!(keys[link], "-{times}");
        }
        Self { graph, keys, bans: Vec::new() }.with_bans(bans)
    }

    /// Sequences of links that may not be driven one after the other, sorted; each a way of two links or more.
    #[must_use]
    pub fn bans(&self) -> &[Vec<Driven>] {
        &self.bans
    }

    /// The junctions at the beginning and at the end of a link as it is driven.
    ///
    /// # Panics
    /// If the link is not of this network.
    #[must_use]
    pub fn ends(&self, (id, against): Driven) -> (JunctionId, JunctionId) {
        let link = self.link(id);
        if against { (link.to, link.from) } else { (link.from, link.to) }
    }

    /// The petgraph graph.
    #[must_use]
    pub const fn graph(&self) -> &UnGraph<Junction, Link> {
        &self.graph
    }

    /// Number of junctions.
    #[must_use]
    pub fn junction_count(&self) -> usize {
        self.graph.node_count()
    }

    /// Number of links.
    #[must_use]
    pub fn link_count(&self) -> usize {
        self.graph.edge_count()
    }

    /// A junction.
    ///
    /// # Panics
    /// If `id` is not of this network.
    #[must_use]
    pub fn junction(&self, id: JunctionId) -> &Junction {
        &self.graph[NodeIndex::new(id.index())]
    }

    /// A link.
    ///
    /// # Panics
    /// If `id` is not of this network.
    #[must_use]
    pub fn link(&self, id: LinkId) -> &Link {
        &self.graph[petgraph::graph::EdgeIndex::new(id.index())]
    }

    /// The key of a link: the same for the same stretch of road in every run.
    #[must_use]
    pub fn key(&self, id: LinkId) -> &str {
        &self.keys[id.index()]
    }

    /// All links with their numbers.
    #[must_use]
    pub fn links(&self) -> impl ExactSizeIterator<Item = (LinkId, &Link)> {
        // A network of more than 2^32 links does not fit in memory.
        #[expect(clippy::cast_possible_truncation, reason = "petgraph's own indices are u32")]
        self.graph.raw_edges().iter().enumerate().map(|(i, edge)| (LinkId(i as u32), &edge.weight))
    }

    /// Links at a junction, with the junction at the other end.
    pub fn links_at(&self, id: JunctionId) -> impl Iterator<Item = (LinkId, JunctionId)> + '_ {
        let mut out: Vec<(LinkId, JunctionId)> = self
            .graph
            .edges(NodeIndex::new(id.index()))
            .map(|edge| {
                let other = if edge.source().index() == id.index() { edge.target() } else { edge.source() };
                #[expect(clippy::cast_possible_truncation, reason = "petgraph's own indices are u32")]
                (LinkId(edge.id().index() as u32), JunctionId(other.index() as u32))
            })
            .collect();
        out.sort_unstable();
        out.into_iter()
    }

    /// Connected parts, the longest first. One-way links count as connections.
    #[must_use]
    pub fn components(&self) -> Vec<Component> {
        let mut union = UnionFind::<usize>::new(self.junction_count());
        for link in self.graph.edge_weights() {
            union.union(link.from.index(), link.to.index());
        }
        let mut place = vec![usize::MAX; self.junction_count()];
        let mut out: Vec<Component> = Vec::new();
        for junction in 0..self.junction_count() {
            let slot = &mut place[union.find(junction)];
            if *slot == usize::MAX {
                *slot = out.len();
                #[expect(clippy::cast_possible_truncation, reason = "petgraph's own indices are u32")]
                let first = JunctionId(junction as u32);
                out.push(Component { first, junctions: 0, length: Metres(0.0) });
            }
            out[*slot].junctions += 1;
        }
        for (_, link) in self.links() {
            let part = &mut out[place[union.find(link.from.index())]];
            part.length = part.length + link.length;
        }
        out.sort_by(|a, b| b.length.0.total_cmp(&a.length.0).then(a.first.cmp(&b.first)));
        out
    }
}

/// Key of a link from its road and its geometry, whichever way round the line runs.
pub(super) fn link_key(link: &Link) -> String {
    let text = |c: &Coord<f64>| format!("{:.6},{:.6}", c.x, c.y);
    let points = &link.line.0;
    let mut places: Vec<String> = [points.first(), points.get(points.len() / 2), points.last()]
        .into_iter()
        .flatten()
        .map(text)
        .collect();
    if places.first() > places.last() {
        places.reverse();
    }
    // The middle vertex of a line of even length depends on its direction; for a straight one it is an end.
    if points.len().is_multiple_of(2) && points.len() > 2 {
        let mut middle =
            [points.get(points.len() / 2 - 1), points.get(points.len() / 2)].map(|c| c.map(text));
        middle.sort();
        places.splice(1..2, middle.into_iter().flatten());
    } else if points.len() == 2 {
        places.remove(1);
    }
    let kind = match link.kind {
        LinkKind::Road => "road",
        LinkKind::Gate { .. } => "gate",
        LinkKind::Approach { .. } => "approach",
    };
    stable_id([kind, &link.reference, link.class.name()].into_iter().map(str::to_owned).chain(places))
}
