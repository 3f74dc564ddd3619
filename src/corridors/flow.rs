//! All trips of one origin on its tree of cheapest paths, and compact trees for planning.

use std::collections::BTreeMap;

use super::demand::{DestinationClass, Origin, Places, is_inner};
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

/// Assigns the trips of `origin` to the tree in `search`. Adds to `links` (one entry of parts per link) and
/// returns what became of the main demand. `nodes` has one entry per node of the search, and holds zeros on entry
/// and on return. A path that a turn ban leads along a link twice loads it twice.
pub fn assign(
    places: &Places,
    origin: &Origin,
    demand: (&[i64], &[i64]),
    search: &Search,
    nodes: &mut [[i64; PARTS]],
    links: &mut [[i64; PARTS]],
) -> Fate {
    let mut fate = Fate::default();
    for ((destination, &main), &null) in places.destinations.iter().zip(demand.0).zip(demand.1) {
        let junction = destination.access.junction;
        // Between places that are joined to the network at one junction there is no link to load either.
        if is_inner(origin, destination) || junction == origin.access.junction {
            fate.inner += main;
            continue;
        }
        if search.distance(junction) == UNREACHED {
            fate.unserved += main;
            continue;
        }
        fate.served += main;
        let node = &mut nodes[search.best(junction) as usize];
        node[part(destination.class)] += main;
        node[PARTS - 1] += null;
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
    fate
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
    /// Keeps the paths of `origin` from `search`. `number` is scratch of one entry per node of the search.
    #[must_use]
    pub fn new(
        places: &Places,
        origin: &Origin,
        demand: &[i64],
        search: &Search,
        number: &mut [u32],
    ) -> Self {
        let mut tree = Self::default();
        tree.refill(places, origin, demand, search, number);
        if search.may_return() {
            tree.returns = tree.returns();
        }
        tree
    }

    /// The same in the place of another tree, without [`Tree::returns`], which cost more than the rest.
    pub fn refill(
        &mut self,
        places: &Places,
        origin: &Origin,
        demand: &[i64],
        search: &Search,
        number: &mut [u32],
    ) {
        const MARK: u32 = u32::MAX - 1;
        let reached: Vec<usize> = (0..places.destinations.len())
            .filter(|&j| {
                let d = &places.destinations[j];
                demand[j] > 0 && !is_inner(origin, d) && search.distance(d.access.junction) != UNREACHED
            })
            .collect();
        // Mark the ways back to the root, then number the marked nodes in settled order.
        number.fill(u32::MAX);
        for &j in &reached {
            let mut at = search.best(places.destinations[j].access.junction);
            while number[at as usize] != MARK {
                number[at as usize] = MARK;
                match search.parent(at) {
                    Some((parent, _)) => at = parent,
                    None => break,
                }
            }
        }
        self.nodes.clear();
        self.returns.clear();
        for &node in search.settled() {
            if number[node as usize] != MARK {
                continue;
            }
            let position = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
            let (parent, link) =
                search.parent(node).map_or((position, u32::MAX), |(p, l)| (number[p as usize], l.0));
            self.nodes.push(TreeNode { parent, link, junction: search.junction_of(node).0 });
            number[node as usize] = position;
        }
        self.leaves.clear();
        self.leaves.extend(reached.into_iter().map(|j| Leaf {
            node: number[search.best(places.destinations[j].access.junction) as usize],
            destination: u32::try_from(j).unwrap_or(u32::MAX),
            demand: demand[j],
        }));
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
