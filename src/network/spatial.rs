//! The spatial index: an R-tree of line segments, so that the nearest link is the nearest line and not the
//! nearest box.

use geo::{Coord, Line, LineString, Point};
use rstar::RTree;
use rstar::primitives::GeomWithData;

use super::graph::Network;
use super::noding::project;
use crate::ids::LinkId;
use crate::model::frame::WorkFrame;
use crate::units::Metres;

/// A segment with the number of its line and of its first vertex.
pub type Segment = GeomWithData<Line<f64>, (usize, usize)>;

/// An R-tree of the segments of lines in metres. A line of no length is one point-like segment.
pub fn segment_tree(lines: impl Iterator<Item = (usize, LineString<f64>)>) -> RTree<Segment> {
    let mut segments = Vec::new();
    for (id, line) in lines {
        segments.extend(line.lines().enumerate().map(|(v, s)| GeomWithData::new(s, (id, v))));
    }
    RTree::bulk_load(segments)
}

/// Finds links near a position.
pub struct LinkIndex {
    tree: RTree<Segment>,
    /// By link: its place in the order of the keys, which the order of the input does not change.
    order: Vec<usize>,
}

/// The nearest position on a link.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Nearest {
    /// The link.
    pub link: LinkId,
    /// Distance to it.
    pub distance: Metres,
}

impl LinkIndex {
    /// Indexes the links of `network` that `keep` takes.
    #[must_use]
    pub fn new(network: &Network, frame: &WorkFrame, keep: impl Fn(LinkId) -> bool) -> Self {
        let mut by_key: Vec<LinkId> = network.links().map(|(id, _)| id).collect();
        by_key.sort_by(|a, b| network.key(*a).cmp(network.key(*b)));
        let mut order = vec![0; by_key.len()];
        for (place, id) in by_key.into_iter().enumerate() {
            order[id.index()] = place;
        }
        let tree = segment_tree(
            network
                .links()
                .filter(|(id, _)| keep(*id))
                .map(|(id, link)| (id.index(), frame.geometry_to_plane(&link.line))),
        );
        Self { tree, order }
    }

    /// The link nearest to a position in metres; where several are equally near, the one whose key
    /// comes first.
    #[must_use]
    pub fn nearest(&self, at: Coord<f64>) -> Option<Nearest> {
        let point = Point(at);
        let first = self.tree.nearest_neighbor(&point)?;
        let (distance, _) = project(first.geom(), point);
        let reach = distance + 1e-6;
        let link = self
            .tree
            .locate_within_distance(point, reach * reach)
            .map(|s| s.data.0)
            .min_by_key(|&link| self.order[link])
            .unwrap_or(first.data.0);
        Some(Nearest { link: link_id(link), distance: Metres(distance) })
    }

    /// Links within `radius` metres of a position, by number.
    #[must_use]
    pub fn within(&self, at: Coord<f64>, radius: f64) -> Vec<LinkId> {
        let mut out: Vec<LinkId> =
            self.tree.locate_within_distance(Point(at), radius * radius).map(|s| link_id(s.data.0)).collect();
        out.sort_unstable();
        out.dedup();
        out
    }
}

fn link_id(index: usize) -> LinkId {
    #[expect(clippy::cast_possible_truncation, reason = "petgraph's own indices are u32")]
    LinkId(index as u32)
}
