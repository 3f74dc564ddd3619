//! Tests of the stage.

mod intercepting;
mod visiting;

use super::intercept::{SiteKind, Trips};
use crate::corridors::draws::Flows;
use crate::corridors::flow::{Leaf, Tree, TreeNode};
use crate::corridors::params::DrawParams;
use crate::corridors::table::{FlowTable, LinkFlow};

/// Steps (link, junction), destination, demand.
pub(super) type Path<'a> = (&'a [(u32, u32)], u32, i64);

/// The trips of one origin as a tree. A path is its junctions from the origin, each with the link that leads
/// to it; a path ends in a destination with its demand.
pub(super) fn tree(origin: u32, paths: &[Path<'_>]) -> Tree {
    let mut nodes = vec![TreeNode { parent: 0, link: u32::MAX, junction: origin }];
    let mut leaves = Vec::new();
    for (path, destination, demand) in paths {
        let mut at = 0;
        for &(link, junction) in *path {
            let known = nodes.iter().skip(1).position(|n| n.parent == at && n.link == link);
            at = u32::try_from(known.map_or(nodes.len(), |n| n + 1)).unwrap();
            if known.is_none() {
                let parent = u32::try_from(at_of(&nodes, path, junction, origin)).unwrap();
                nodes.push(TreeNode { parent, link, junction });
            }
        }
        leaves.push(Leaf { node: at, destination: *destination, demand: *demand });
    }
    Tree { nodes, leaves, returns: Vec::new() }
}

/// The flows that belong to `trees`: with one perturbation, what the trees load is all there is.
pub(super) fn flows_of(trees: Vec<Vec<Tree>>, params: Vec<DrawParams>, links: usize) -> Flows {
    let mut loads = FlowTable::new(links, 1);
    for draw in &trees {
        let one = std::slice::from_ref(draw);
        let main = Trips::new(one, SiteKind::Link, links).unmet(&vec![false; links]);
        loads.push(loads.packed((0..).zip(main).map(|(link, main)| (link, LinkFlow { main, null: 0 }))));
    }
    Flows { perturbations: 1, params, loads, trees, ..Flows::default() }
}

/// Position of the node before `junction` on `path`.
fn at_of(nodes: &[TreeNode], path: &[(u32, u32)], junction: u32, origin: u32) -> usize {
    let step = path.iter().position(|p| p.1 == junction).unwrap();
    let before = if step == 0 { origin } else { path[step - 1].1 };
    nodes.iter().position(|n| n.junction == before).unwrap()
}
