//! Which municipalities links run through, and the trips that pass through each of them.
//!
//! A trip passes through a municipality in which it neither begins nor ends if [`PASS_METRES`] of its way lie inside.
//! The way is summed over its links, so that it does not matter where junctions cut a road, and a road that runs along
//! a border and strays over it here and there passes nothing. Each trip counts once, where its way reaches that length.

use std::sync::atomic::{AtomicI64, Ordering};

use geo::{BoundingRect, Coord, Distance, Haversine, Line, LineString, LinesIter, MultiPolygon, Point, Rect};
use rayon::prelude::*;
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};

use super::demand::{DestinationClass, Origin, OriginClass, Places};
use super::flow::Tree;
use crate::ids::LinkId;
use crate::model::domain::Domain;
use crate::network::graph::Network;

/// Length of way inside a municipality from which on a trip passes through it. Longer than what two digitisations of
/// one line differ by along a border, shorter than the way through the smallest municipality.
pub const PASS_METRES: u32 = 500;

/// A link's way inside one municipality.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Index of the municipality.
    pub municipality: u32,
    /// Length inside, in whole metres.
    pub metres: u32,
}

/// The ways of all links through municipalities that have a polygon of their own.
#[derive(Debug, Clone, Default)]
pub struct Passages {
    /// By link: where its pieces begin; one more for the end.
    first: Vec<usize>,
    pieces: Vec<Piece>,
    /// By municipality: metres of links inside, and of those the schematic ones. `None` without a polygon of its own.
    roads: Vec<Option<[u64; 2]>>,
}

impl Passages {
    /// Cuts the links of `network` at the polygons of `domain`. A polygon that several municipalities share belongs to
    /// none of them: what passes through it cannot be told apart.
    #[must_use]
    pub fn new(network: &Network, domain: &Domain) -> Self {
        let shared = |code: &str| domain.municipalities.iter().any(|m| m.polygon_of.as_deref() == Some(code));
        let boxes = network.links().filter_map(|(id, link)| {
            let bounds = link.line.bounding_rect()?;
            Some(GeomWithData::new(Rectangle::from_corners(corner(bounds.min()), corner(bounds.max())), id))
        });
        let boxes = RTree::bulk_load(boxes.collect());
        let cut = |polygon: &MultiPolygon<f64>| -> Vec<(LinkId, u32)> {
            let Some(region) = Region::new(polygon) else { return Vec::new() };
            let [low, high] = [region.bounds.min(), region.bounds.max()].map(corner);
            let near = boxes.locate_in_envelope_intersecting(&AABB::from_corners(low, high));
            near.map(|found| (found.data, region.metres(&network.link(found.data).line)))
                .filter(|(_, metres)| *metres > 0)
                .collect()
        };
        let by_municipality: Vec<Option<Vec<(LinkId, u32)>>> = domain
            .municipalities
            .par_iter()
            .map(|m| m.polygon.as_ref().filter(|_| !shared(&m.cvegeo)).map(cut))
            .collect();

        let roads = by_municipality.iter().map(|links| {
            links.as_ref().map(|links| {
                links.iter().fold([0, 0], |[all, schematic], (id, metres)| {
                    let metres = u64::from(*metres);
                    let drawn = if network.link(*id).schematic { metres } else { 0 };
                    [all + metres, schematic + drawn]
                })
            })
        });
        let roads = roads.collect();
        let mut pieces: Vec<(LinkId, Piece)> = (0..)
            .zip(by_municipality)
            .flat_map(|(municipality, links)| {
                let piece = move |(id, metres)| (id, Piece { municipality, metres });
                links.into_iter().flatten().map(piece)
            })
            .collect();
        pieces.sort_unstable_by_key(|(id, piece)| (*id, piece.municipality));
        let mut first = vec![0; network.link_count() + 1];
        for (id, _) in &pieces {
            first[id.index() + 1] += 1;
        }
        for link in 1..first.len() {
            first[link] += first[link - 1];
        }
        Self { first, pieces: pieces.into_iter().map(|(_, piece)| piece).collect(), roads }
    }

    /// The municipalities that a link runs through, in the order of their indices.
    #[must_use]
    pub fn of(&self, link: LinkId) -> &[Piece] {
        match self.first.get(link.index()..link.index() + 2) {
            Some(&[from, to]) => &self.pieces[from..to],
            _ => &[],
        }
    }

    /// Whether no link runs through any municipality.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Whether a municipality has a polygon of its own.
    #[must_use]
    pub fn has_polygon(&self, municipality: usize) -> bool {
        self.roads.get(municipality).is_some_and(Option::is_some)
    }

    /// Whether the network has a way through a municipality that is long enough to be passed.
    #[must_use]
    pub fn has_road(&self, municipality: usize) -> bool {
        matches!(self.roads.get(municipality), Some(Some([all, _])) if *all >= u64::from(PASS_METRES))
    }

    /// Whether most of the way inside a municipality is drawn schematically.
    #[must_use]
    pub fn is_schematic(&self, municipality: usize) -> bool {
        matches!(self.roads.get(municipality), Some(Some([all, drawn])) if 2 * drawn > *all)
    }
}

const fn corner(c: Coord<f64>) -> [f64; 2] {
    [c.x, c.y]
}

/// A polygon whose edges are found by position.
struct Region {
    edges: RTree<Line<f64>>,
    bounds: Rect<f64>,
}

impl Region {
    fn new(polygon: &MultiPolygon<f64>) -> Option<Self> {
        let bounds = polygon.bounding_rect()?;
        Some(Self { edges: RTree::bulk_load(polygon.lines_iter().collect()), bounds })
    }

    /// Whether a position is inside: an odd number of edges lies east of it. One on an edge is inside of one of the two
    /// polygons that share the edge.
    fn holds(&self, at: Coord<f64>) -> bool {
        let ray = AABB::from_corners(Point(at), Point(Coord { x: self.bounds.max().x.max(at.x), y: at.y }));
        let east = |edge: &&Line<f64>| {
            let Line { start: a, end: b } = **edge;
            (a.y > at.y) != (b.y > at.y) && at.x < a.x + (at.y - a.y) / (b.y - a.y) * (b.x - a.x)
        };
        self.edges.locate_in_envelope_intersecting(&ray).filter(east).count() % 2 == 1
    }

    /// Length of a line inside, in metres on the sphere.
    fn metres(&self, line: &LineString<f64>) -> u32 {
        let (mut sum, mut inside, mut cuts) = (0.0, None, Vec::new());
        for segment in line.lines() {
            let (from, way) = (segment.start, segment.delta());
            let at = |t: f64| from + way * t;
            cuts.clear();
            let mut apart = true;
            for edge in self.edges.locate_in_envelope_intersecting(&AABB::from_corners(
                Point(segment.start),
                Point(segment.end),
            )) {
                apart = false;
                cuts.extend(cut(segment, *edge));
            }
            if apart {
                // No edge between the last place that was looked at and this one.
                if *inside.get_or_insert_with(|| self.holds(at(0.5))) {
                    sum += Haversine.distance(Point(segment.start), Point(segment.end));
                }
                continue;
            }
            cuts.push(1.0);
            cuts.sort_by(f64::total_cmp);
            let (mut share, mut last) = (0.0, 0.0);
            for &t in &cuts {
                if t > last {
                    let holds = self.holds(at(f64::midpoint(last, t)));
                    share += if holds { t - last } else { 0.0 };
                    inside = Some(holds);
                    last = t;
                }
            }
            sum += share * Haversine.distance(Point(segment.start), Point(segment.end));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a length on the globe is a positive number of metres below 2^32"
        )]
        let metres = sum.round() as u32;
        metres
    }
}

/// Where an edge may cut a segment, as a share of it: its crossing, or its ends where it is parallel. A place too many
/// does no harm, since what lies between two places is looked at by itself.
fn cut(segment: Line<f64>, edge: Line<f64>) -> impl Iterator<Item = f64> {
    let (way, other, gap) = (segment.delta(), edge.delta(), edge.start - segment.start);
    let cross = |a: Coord<f64>, b: Coord<f64>| a.x * b.y - a.y * b.x;
    let along = |c: Coord<f64>| (c.x * way.x + c.y * way.y) / (way.x * way.x + way.y * way.y);
    let sine = cross(way, other);
    let places = if sine == 0.0 {
        [Some(along(gap)), Some(along(edge.end - segment.start))]
    } else {
        let on_edge = (-1e-9..=1.0 + 1e-9).contains(&(cross(gap, way) / sine));
        [on_edge.then(|| cross(gap, other) / sine), None]
    };
    places.into_iter().flatten().filter(|t| *t > 0.0 && *t < 1.0)
}

const NONE: u32 = u32::MAX;
/// Marks a node on the stack that is being left.
const LEAVE: u32 = 1 << 31;

/// Buffers for walking trees; one for each thread.
#[derive(Debug, Clone, Default)]
pub struct Walk {
    /// By municipality: metres of the way from the origin to the node at hand.
    metres: Vec<u32>,
    /// By node: demand that passes or ends there.
    below: Vec<i64>,
    /// By node: first child, next sibling, first leaf.
    child: Vec<u32>,
    sibling: Vec<u32>,
    leaf: Vec<u32>,
    /// By leaf: the next one at its node.
    next_leaf: Vec<u32>,
    stack: Vec<u32>,
}

impl Walk {
    /// Adds to `through`, one entry per municipality, which several threads may share, the demand of the trips of
    /// `tree` that pass through it without beginning or ending there.
    ///
    /// 1. Demand is gathered from the leaves towards the root.
    /// 2. The tree is walked depth first, and the metres of the way so far are kept by municipality. At the node where
    ///    they reach [`PASS_METRES`], all trips to it and beyond pass. That happens at most once on a way.
    /// 3. A trip that ends in a municipality it has passed by this measure is taken out again.
    pub fn add(
        &mut self,
        passages: &Passages,
        places: &Places,
        origin: &Origin,
        tree: &Tree,
        through: &[AtomicI64],
    ) {
        self.prepare(tree, through.len());
        let home = (origin.class == OriginClass::Domestic).then_some(origin.place);
        self.stack.push(0);
        while let Some(top) = self.stack.pop() {
            let at = (top & !LEAVE) as usize;
            let Some(node) = tree.nodes.get(at) else { continue };
            let pieces = if node.link == NONE { &[] } else { passages.of(LinkId(node.link)) };
            if top & LEAVE != 0 {
                for piece in pieces {
                    self.metres[piece.municipality as usize] -= piece.metres;
                }
                continue;
            }
            for piece in pieces {
                let m = piece.municipality as usize;
                let before = self.metres[m];
                self.metres[m] += piece.metres;
                if before < PASS_METRES && self.metres[m] >= PASS_METRES && home != Some(m) {
                    through[m].fetch_add(self.below[at], Ordering::Relaxed);
                }
            }
            let mut next = self.leaf[at];
            while let Some(leaf) = tree.leaves.get(next as usize) {
                let end = &places.destinations[leaf.destination as usize];
                if end.class != DestinationClass::Exit
                    && self.metres[end.place] >= PASS_METRES
                    && home != Some(end.place)
                {
                    through[end.place].fetch_sub(leaf.demand, Ordering::Relaxed);
                }
                next = self.next_leaf[next as usize];
            }
            self.stack.push(top | LEAVE);
            let mut child = self.child[at];
            while child != NONE {
                self.stack.push(child);
                child = self.sibling[child as usize];
            }
        }
    }

    fn prepare(&mut self, tree: &Tree, municipalities: usize) {
        let fill = |list: &mut Vec<u32>, n: usize| {
            list.clear();
            list.resize(n, NONE);
        };
        let nodes = tree.nodes.len();
        for list in [&mut self.child, &mut self.sibling, &mut self.leaf] {
            fill(list, nodes);
        }
        fill(&mut self.next_leaf, tree.leaves.len());
        self.metres.resize(municipalities, 0);
        self.below.clear();
        self.below.resize(nodes, 0);
        for (leaf, number) in tree.leaves.iter().zip(0..) {
            let node = leaf.node as usize;
            self.below[node] += leaf.demand;
            self.next_leaf[number as usize] = std::mem::replace(&mut self.leaf[node], number);
        }
        // Parents stand before their children: backwards, each node hands on what it has gathered.
        for (at, node) in tree.nodes.iter().enumerate().skip(1).rev() {
            let parent = node.parent as usize;
            self.below[parent] += self.below[at];
            let number = u32::try_from(at).unwrap_or(NONE);
            self.sibling[at] = std::mem::replace(&mut self.child[parent], number);
        }
    }
}
