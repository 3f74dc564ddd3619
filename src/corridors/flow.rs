//! All trips of one origin on its tree of cheapest paths, and compact trees for planning.

use std::collections::BTreeMap;

use super::demand::{Demand, DestinationClass, OriginClass, Places, is_inner};
use crate::ids::JunctionId;
use crate::network::paths::{PathNode, PathTree};
use crate::network::search::{Search, UNREACHED};

/// Parts of a link's flow: by class of destination, then the null flow.
pub const PARTS: usize = 4;

/// What became of the demand of one origin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fate {
    /// Travelled over links.
    pub served: i64,
    /// Stayed inside its municipality, or at the junction that it shares with its neighbour: loads no link.
    pub inner: i64,
    /// Had no way.
    pub unserved: i64,
}

impl std::ops::AddAssign for Fate {
    fn add_assign(&mut self, other: Self) {
        self.served += other.served;
        self.inner += other.inner;
        self.unserved += other.unserved;
    }
}

/// Position of a class of destination among the parts.
#[must_use]
pub const fn part(class: DestinationClass) -> usize {
    match class {
        DestinationClass::Exact => 0,
        DestinationClass::Censored => 1,
        DestinationClass::Exit => 2,
    }
}

/// The demand of a draw as it loads the network.
#[derive(Debug, Clone)]
pub struct Loads {
    /// By class of origin: units of each part, by origin of the class and destination
    /// (`origin * destinations + destination`). Zero where a trip loads no link whatever the way.
    pub parts: [Vec<[i64; PARTS]>; 2],
    /// Main demand that loads no link.
    pub inner: i64,
}

impl Loads {
    /// The loads of `demand`.
    #[must_use]
    pub fn new(places: &Places, demand: &Demand) -> Self {
        let mut out = Self { parts: [Vec::new(), Vec::new()], inner: 0 };
        for (i, origin) in places.origins.iter().enumerate() {
            let (main, null) = demand.row(i);
            for ((destination, &main), &null) in places.destinations.iter().zip(main).zip(null) {
                let mut parts = [0; PARTS];
                // Between places that are joined to the network at one junction there is no link to load either.
                if is_inner(origin, destination) || destination.access.junction == origin.access.junction {
                    out.inner += main;
                } else {
                    parts[part(destination.class)] = main;
                    parts[PARTS - 1] = null;
                }
                out.parts[origin.class as usize].push(parts);
            }
        }
        out
    }

    /// Main demand that loads links where there is a way.
    #[must_use]
    pub fn outer(&self) -> i64 {
        self.parts.iter().flatten().map(main_units).sum()
    }

    /// Loads of an origin, by its class and place among those of the class.
    #[must_use]
    pub fn of_origin(&self, class: OriginClass, origin: usize, destinations: usize) -> &[[i64; PARTS]] {
        &self.parts[class as usize][origin * destinations..(origin + 1) * destinations]
    }
}

/// Main demand of all classes of destinations.
#[must_use]
pub fn main_units(parts: &[i64; PARTS]) -> i64 {
    parts[..PARTS - 1].iter().sum()
}

/// Assigns the loads of one origin to the tree in `search`. Adds to `links` (one entry of parts per link) and
/// returns the main demand that has no way. `nodes` has one entry per node of the search, and holds zeros on entry
/// and on return. A path that a turn ban leads along a link twice loads it twice.
pub fn assign(
    places: &Places,
    loads: &[[i64; PARTS]],
    search: &Search,
    nodes: &mut [[i64; PARTS]],
    links: &mut [[i64; PARTS]],
) -> i64 {
    let mut unserved = 0;
    for (junction, load) in places.ends.iter().zip(loads) {
        if search.distance(*junction) == UNREACHED {
            unserved += main_units(load);
            continue;
        }
        let node = &mut nodes[search.best(*junction) as usize];
        node.iter_mut().zip(load).for_each(|(sum, units)| *sum += units);
    }
    // Children are settled after their parents: backwards, each node hands on what it has gathered.
    for &node in search.settled().iter().rev() {
        let gathered = std::mem::take(&mut nodes[node as usize]);
        if gathered == [0; PARTS] {
            continue;
        }
        if let Some((parent, link)) = search.parent(node) {
            for p in 0..PARTS {
                links[link.index()][p] += gathered[p];
                nodes[parent as usize][p] += gathered[p];
            }
        }
    }
    unserved
}

/// A node of a compact tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeNode {
    /// Position of the parent; the root is its own.
    pub parent: u32,
    /// Link to the parent; `u32::MAX` for the root.
    pub link: u32,
    /// Junction. Where turn bans make paths return, several nodes can have the same one.
    pub junction: u32,
}

/// A node of a compact tree whose way has been here before, because of a turn ban.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Return {
    /// Position of the node.
    pub node: u32,
    /// Whether the way to it has already passed its junction.
    pub junction: bool,
    /// Whether the way to it has already passed along its link, in either direction.
    pub link: bool,
}

/// Trips that end at a node of a compact tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaf {
    /// Position of the node.
    pub node: u32,
    /// Index of the destination.
    pub destination: u32,
    /// Demand in units.
    pub demand: i64,
}

/// The paths of one origin in one draw: only what lies on a way to a destination. Parents stand before
/// their children.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    /// Nodes, the root first.
    pub nodes: Vec<TreeNode>,
    /// Trips.
    pub leaves: Vec<Leaf>,
    /// Nodes at which a way returns, in order: a trip counts once where it passes twice.
    pub returns: Vec<Return>,
}

impl Tree {
    /// The trips of `demand`, by destination, along `paths`. `junction_of` tells the junction of a node; where
    /// `may_return`, ways that return are looked for.
    #[must_use]
    pub fn new(
        paths: &PathTree,
        demand: &[i64],
        junction_of: impl Fn(u32) -> JunctionId,
        may_return: bool,
    ) -> Self {
        let node =
            |n: &PathNode| TreeNode { parent: n.parent, link: n.link, junction: junction_of(n.node).0 };
        let ends = (0..).zip(&paths.ends).zip(demand).filter(|((_, node), _)| **node != u32::MAX);
        let mut tree = Self {
            nodes: paths.nodes.iter().map(node).collect(),
            leaves: ends
                .map(|((destination, node), demand)| Leaf { node: *node, destination, demand: *demand })
                .collect(),
            returns: Vec::new(),
        };
        if may_return {
            tree.returns = tree.returns();
        }
        tree
    }

    fn returns(&self) -> Vec<Return> {
        let mut several: BTreeMap<u32, bool> = BTreeMap::new();
        for node in &self.nodes {
            several.entry(node.junction).and_modify(|s| *s = true).or_insert(false);
        }
        let mut out = Vec::new();
        // Only a junction with several nodes can be on one way twice, and so can a link only if both its ends are.
        for (node, position) in self.nodes.iter().zip(0..).filter(|(n, _)| several[&n.junction]) {
            let (mut junction, mut link, mut at) = (false, false, node);
            while at.link != u32::MAX {
                at = &self.nodes[at.parent as usize];
                junction |= at.junction == node.junction;
                link |= at.link == node.link;
            }
            if junction || link {
                out.push(Return { node: position, junction, link });
            }
        }
        out
    }

    /// What is said of the return at a node, if there is one.
    #[must_use]
    pub fn return_at(&self, node: usize) -> Option<&Return> {
        let found = self.returns.binary_search_by_key(&node, |r| r.node as usize).ok()?;
        self.returns.get(found)
    }
}
