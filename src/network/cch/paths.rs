//! Paths when asked for: those of one origin, in one lane, to its destinations.

use super::NONE;
use super::query::{Batch, Labels, Selection};
use super::ties::{Choices, Paths, Reached, Trail};
use crate::ids::{JunctionId, LinkId};

/// A node of a tree of paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathNode {
    /// Position of the node before it; the root is its own.
    pub parent: u32,
    /// The link from there; `u32::MAX` for the root.
    pub link: u32,
    /// Node of the search: where turn bans make paths return, a junction can have several.
    pub node: u32,
}

/// The cheapest paths from one origin to destinations. Parents stand before their children.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PathTree {
    /// Nodes, the root first.
    pub nodes: Vec<PathNode>,
    /// By destination: position of its node, `u32::MAX` where it was not asked for or has no way.
    pub ends: Vec<u32>,
}

impl<const W: usize> Labels<'_, W> {
    /// The paths to those destinations that `wanted` names, in one lane.
    #[must_use]
    pub fn tree(&self, lane: usize, wanted: impl Fn(usize) -> bool) -> PathTree {
        let hierarchy = self.batch.hierarchy;
        let mut choices = Choices::new(self.batch, lane);
        let mut reached = Reached::new();
        let mut paths = Paths::new(*self, &mut choices, &mut reached);
        let root = self.chain().rank.first().map_or(0, |rank| hierarchy.node[*rank as usize]);
        let mut tree = PathTree {
            nodes: vec![PathNode { parent: 0, link: u32::MAX, node: root }],
            ends: vec![NONE; self.selection.destinations()],
        };
        // By node: one more than its position. Fresh zeros take no memory until they are touched.
        let mut position = vec![0_u32; hierarchy.node_count()];
        position[root as usize] = 1;
        let mut way = Vec::new();
        for (j, end) in tree.ends.iter_mut().enumerate().filter(|(j, _)| wanted(*j)) {
            let Some(place) = self.nearest(j, lane) else { continue };
            let rank = self.selection.union[place];
            let mut trail = Trail::from(rank);
            let mut node = hierarchy.node[rank as usize];
            way.clear();
            while position[node as usize] == 0 {
                let Some((link, before)) = paths.back(&mut trail) else { break };
                way.push((node, link));
                node = before;
            }
            for &(child, link) in way.iter().rev() {
                let parent = position[node as usize] - 1;
                tree.nodes.push(PathNode { parent, link, node: child });
                position[child as usize] = super::number(tree.nodes.len());
                node = child;
            }
            *end = position[node as usize] - 1;
        }
        tree
    }

    /// The path to a destination in one lane, from its beginning: each link with the junction to which it leads. Empty
    /// where there is no way, and from a junction to itself.
    #[must_use]
    pub fn path(&self, destination: usize, lane: usize) -> Vec<(LinkId, JunctionId)> {
        let tree = self.tree(lane, |j| j == destination);
        let mut out = Vec::new();
        let mut at = tree.ends[destination];
        while at != NONE && at != 0 {
            let node = tree.nodes[at as usize];
            out.push((LinkId(node.link), self.batch.hierarchy.junction_of(node.node)));
            at = node.parent;
        }
        out.reverse();
        out
    }
}

impl Selection {
    /// What `visit` makes of the labels of each origin, in the order of the origins; for trees and paths without flows.
    pub fn visit<const W: usize, T: Send>(
        &self,
        batch: Batch<'_, W>,
        visit: impl Fn(&Labels<'_, W>) -> T + Sync,
    ) -> Vec<T> {
        self.each(batch, || (), |labels, ()| labels.iter().map(&visit).collect()).1
    }
}
