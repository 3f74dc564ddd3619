//! Trees of cheapest paths, as both routers give them.

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

/// The cheapest paths from one origin to destinations: only what lies on a way to one of them. Parents stand before
/// their children, in the order in which the ways to the destinations, one after the other, come upon them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PathTree {
    /// Nodes, the root first.
    pub nodes: Vec<PathNode>,
    /// By destination: position of its node, `u32::MAX` where it was not asked for or has no way.
    pub ends: Vec<u32>,
}

/// Buffers for growing trees.
#[derive(Debug, Clone, Default)]
pub(super) struct Growing {
    /// By node: one more than its position in the tree, or zero.
    position: Vec<u32>,
    /// Nodes and links of a way that are not in the tree yet, the last one first.
    way: Vec<(u32, u32)>,
}

impl Growing {
    /// The tree of the ways from `root` to `ends`: an end is a node with what `back` follows from there, and `None`
    /// where there is no way. `back` gives the last link of the way that is left and the node before it. The network
    /// has `nodes` nodes.
    pub(super) fn tree<S>(
        &mut self,
        nodes: usize,
        root: u32,
        ends: impl Iterator<Item = Option<(u32, S)>>,
        mut back: impl FnMut(&mut S) -> Option<(u32, u32)>,
    ) -> PathTree {
        let Self { position, way } = self;
        position.resize(nodes, 0);
        let mut tree =
            PathTree { nodes: vec![PathNode { parent: 0, link: u32::MAX, node: root }], ends: Vec::new() };
        position[root as usize] = 1;
        for end in ends {
            let Some((mut node, mut from)) = end else {
                tree.ends.push(u32::MAX);
                continue;
            };
            way.clear();
            while position[node as usize] == 0 {
                let Some((link, before)) = back(&mut from) else { break };
                way.push((node, link));
                node = before;
            }
            // A way that does not come from the root is none.
            let Some(mut parent) = position[node as usize].checked_sub(1) else {
                tree.ends.push(u32::MAX);
                continue;
            };
            for &(child, link) in way.iter().rev() {
                tree.nodes.push(PathNode { parent, link, node: child });
                parent = u32::try_from(tree.nodes.len() - 1).unwrap_or(u32::MAX);
                position[child as usize] = parent + 1;
            }
            tree.ends.push(parent);
        }
        for node in &tree.nodes {
            position[node.node as usize] = 0;
        }
        tree
    }
}
