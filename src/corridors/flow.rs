//! All trips of one origin on its tree of cheapest paths, and compact trees for planning.

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
/// returns what became of the main demand. `nodes` holds zeros on entry and on return.
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
        let node = &mut nodes[junction.index()];
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
    /// Junction.
    pub junction: u32,
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
}

impl Tree {
    /// Keeps the paths of `origin` from `search`. `number` is scratch of one entry per junction.
    #[must_use]
    pub fn new(
        places: &Places,
        origin: &Origin,
        demand: &[i64],
        search: &Search,
        number: &mut [u32],
    ) -> Self {
        const MARK: u32 = u32::MAX - 1;
        let reached: Vec<usize> = (0..places.destinations.len())
            .filter(|&j| {
                let d = &places.destinations[j];
                demand[j] > 0 && !is_inner(origin, d) && search.distance(d.access.junction) != UNREACHED
            })
            .collect();
        // Mark the ways back to the root, then number the marked junctions in settled order.
        number.fill(u32::MAX);
        for &j in &reached {
            let mut at = places.destinations[j].access.junction.0;
            while number[at as usize] != MARK {
                number[at as usize] = MARK;
                match search.parent(at) {
                    Some((parent, _)) => at = parent,
                    None => break,
                }
            }
        }
        let mut tree = Self::default();
        for &junction in search.settled().iter().filter(|&&n| number[n as usize] == MARK).collect::<Vec<_>>()
        {
            let position = u32::try_from(tree.nodes.len()).unwrap_or(u32::MAX);
            let (parent, link) =
                search.parent(junction).map_or((position, u32::MAX), |(p, l)| (number[p as usize], l.0));
            tree.nodes.push(TreeNode { parent, link, junction });
            number[junction as usize] = position;
        }
        tree.leaves = reached
            .into_iter()
            .map(|j| Leaf {
                node: number[places.destinations[j].access.junction.index()],
                destination: u32::try_from(j).unwrap_or(u32::MAX),
                demand: demand[j],
            })
            .collect();
        tree
    }
}
