//! The reference search: Dijkstra on an adjacency array with a 4-ary heap and reused buffers.
//!
//! Weights are whole milliseconds. Ties are broken by the lower link number, so that the tree does not
//! depend on the order in which nodes are settled, and any other engine can reproduce it.

pub use super::arcs::Arcs;
use super::arcs::junction_of;
use super::paths::{Growing, PathTree};
use crate::ids::{JunctionId, LinkId};

/// The weight of a link that is closed, and the distance of a junction that is not reached.
pub const UNREACHED: u32 = u32::MAX;

/// Buffers of one search; one for each thread. Where the arcs hold turn bans, a junction can be reached in several
/// ways that may go on differently; each is a node, and what is said of a junction is said of its nearest node.
#[derive(Debug, Clone)]
pub struct Search {
    distance: Vec<u32>,
    parent: Vec<(u32, u32)>,
    settled: Vec<u32>,
    heap: Heap,
    junctions: usize,
    /// Junctions of the nodes beyond the junctions.
    extra: Vec<u32>,
    /// By junction: its nearest node, where there are several; itself before it is reached. Empty without bans.
    best: Vec<u32>,
    growing: Growing,
}

impl Search {
    /// Buffers for the nodes of `arcs`.
    #[must_use]
    pub fn new(arcs: &Arcs) -> Self {
        let (nodes, junctions) = (arcs.node_count(), arcs.junction_count());
        Self {
            distance: vec![UNREACHED; nodes],
            parent: vec![(u32::MAX, u32::MAX); nodes],
            settled: Vec::with_capacity(nodes),
            heap: Heap::default(),
            junctions,
            extra: arcs.extra.clone(),
            best: if nodes > junctions { (0..).take(junctions).collect() } else { Vec::new() },
            growing: Growing::default(),
        }
    }

    /// Cheapest paths from `source` with one weight (ms) per link. Stops when `wanted` targets are settled;
    /// `is_target` has one entry per junction. `arcs` are those that the buffers were made for.
    pub fn run(
        &mut self,
        arcs: &Arcs,
        weights: &[u32],
        source: JunctionId,
        is_target: &[bool],
        wanted: usize,
    ) {
        // Two loops of machine code: without bans not even the question is asked.
        if self.best.is_empty() {
            self.settle::<false>(arcs, weights, source, is_target, wanted);
        } else {
            self.settle::<true>(arcs, weights, source, is_target, wanted);
        }
    }

    fn settle<const BANS: bool>(
        &mut self,
        arcs: &Arcs,
        weights: &[u32],
        source: JunctionId,
        is_target: &[bool],
        mut wanted: usize,
    ) {
        for &node in &self.settled {
            self.distance[node as usize] = UNREACHED;
            if BANS {
                let junction = junction_of(&self.extra, self.junctions, node);
                self.best[junction as usize] = junction;
            }
        }
        for node in self.heap.nodes() {
            self.distance[node as usize] = UNREACHED;
        }
        self.settled.clear();
        self.heap.0.clear();
        self.distance[source.index()] = 0;
        self.parent[source.index()] = (u32::MAX, u32::MAX);
        self.heap.push(0, source.0);
        while let Some((distance, node)) = self.heap.pop() {
            if distance > self.distance[node as usize] {
                continue;
            }
            self.settled.push(node);
            let first = if BANS { self.first_at_junction(node) } else { Some(node) };
            if let Some(junction) = first
                && is_target[junction as usize]
            {
                wanted = wanted.saturating_sub(1);
                if wanted == 0 {
                    return;
                }
            }
            let range = arcs.first_out[node as usize] as usize..arcs.first_out[node as usize + 1] as usize;
            for arc in range {
                let (head, link) = (arcs.head[arc] as usize, arcs.link[arc]);
                let weight = weights[link as usize];
                if weight == UNREACHED {
                    continue;
                }
                // A weight of at least one keeps a parent settled before its child.
                // A way of more than 49 days does not fit, and is none.
                let Some(reach) = distance.checked_add(weight.max(1)).filter(|r| *r < UNREACHED) else {
                    continue;
                };
                if reach < self.distance[head] {
                    self.distance[head] = reach;
                    self.parent[head] = (node, link);
                    self.heap.push(reach, arcs.head[arc]);
                } else if reach == self.distance[head] && link < self.parent[head].1 && head != source.index()
                {
                    self.parent[head] = (node, link);
                }
            }
        }
    }

    /// The junction of a node that is being settled, if it is the first one there. Nodes of equal distance are
    /// settled by number, so that the choice does not depend on the order of work.
    fn first_at_junction(&mut self, node: u32) -> Option<u32> {
        let junction = junction_of(&self.extra, self.junctions, node);
        let best = &mut self.best[junction as usize];
        // The junction's own node stands for "none yet" too: had it been settled, it would be no farther.
        let first = *best == junction
            && (node == junction || self.distance[junction as usize] > self.distance[node as usize]);
        if first {
            *best = node;
        }
        first.then_some(junction)
    }

    /// Distance in ms; [`UNREACHED`] where the search did not come.
    #[must_use]
    pub fn distance(&self, junction: JunctionId) -> u32 {
        self.distance[self.best(junction) as usize]
    }

    /// The nearest node of a junction: that from which its cheapest path is followed back.
    #[must_use]
    pub fn best(&self, junction: JunctionId) -> u32 {
        self.best.get(junction.index()).copied().unwrap_or(junction.0)
    }

    /// Nodes in the order in which they were settled; the source is the first. Without turn bans nodes are
    /// junctions.
    #[must_use]
    pub fn settled(&self) -> &[u32] {
        &self.settled
    }

    /// Number of nodes: what a table by node has entries for.
    #[must_use]
    pub fn node_count(&self) -> usize {
        self.distance.len()
    }

    /// The junction of a node.
    #[must_use]
    pub fn junction_of(&self, node: u32) -> JunctionId {
        JunctionId(junction_of(&self.extra, self.junctions, node))
    }

    /// Whether a path can pass a junction twice: only where turn bans make it.
    #[must_use]
    pub fn may_return(&self) -> bool {
        !self.extra.is_empty()
    }

    /// The cheapest paths to those of `destinations` that `wanted` names by their places among them.
    #[must_use]
    pub fn tree(&mut self, destinations: &[JunctionId], wanted: impl Fn(usize) -> bool) -> PathTree {
        let mut growing = std::mem::take(&mut self.growing);
        let end = |(j, junction): (usize, &JunctionId)| {
            let node = self.best(*junction);
            (wanted(j) && self.distance[node as usize] != UNREACHED).then_some((node, node))
        };
        let back = |node: &mut u32| {
            let (before, link) = self.parent(*node)?;
            *node = before;
            Some((link.0, before))
        };
        let root = self.settled.first().copied().unwrap_or(0);
        let ends = destinations.iter().enumerate().map(end);
        let tree = growing.tree(self.node_count(), root, ends, back);
        self.growing = growing;
        tree
    }

    /// The node before `node` on its path and the link between them; `None` for the source.
    #[must_use]
    pub fn parent(&self, node: u32) -> Option<(u32, LinkId)> {
        let (before, link) = self.parent[node as usize];
        (before != u32::MAX).then_some((before, LinkId(link)))
    }
}

/// A 4-ary heap of (distance, node): shallower than a binary one, and four children share a cache line. The two are
/// one number, the distance first, so that one comparison orders both.
#[derive(Debug, Clone, Default)]
struct Heap(Vec<u64>);

impl Heap {
    fn push(&mut self, distance: u32, node: u32) {
        let item = u64::from(distance) << 32 | u64::from(node);
        let mut at = self.0.len();
        self.0.push(item);
        while at > 0 {
            let up = (at - 1) / 4;
            if self.0[up] <= item {
                break;
            }
            self.0[at] = self.0[up];
            at = up;
        }
        self.0[at] = item;
    }

    fn pop(&mut self) -> Option<(u32, u32)> {
        let last = self.0.pop()?;
        let Some(top) = self.0.first().copied() else { return Some(parts(last)) };
        let mut at = 0;
        loop {
            let first = 4 * at + 1;
            let (least, item) = match self.0.get(first..) {
                // Without branches: which child is the least is as good as random.
                Some(&[a, b, c, d, ..]) => {
                    let left = if b < a { (first + 1, b) } else { (first, a) };
                    let right = if d < c { (first + 3, d) } else { (first + 2, c) };
                    if right.1 < left.1 { right } else { left }
                }
                Some(&[a, ref rest @ ..]) => {
                    let others = (first + 1..).zip(rest.iter().copied());
                    others.fold((first, a), |least, other| if other.1 < least.1 { other } else { least })
                }
                _ => break,
            };
            if last <= item {
                break;
            }
            self.0[at] = item;
            at = least;
        }
        self.0[at] = last;
        Some(parts(top))
    }

    fn nodes(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().map(|item| parts(*item).1)
    }
}

/// Distance and node of an item of the heap.
const fn parts(item: u64) -> (u32, u32) {
    #[expect(clippy::cast_possible_truncation, reason = "each half has 32 bits")]
    let halves = ((item >> 32) as u32, item as u32);
    halves
}
