//! The reference search: Dijkstra on an adjacency array with a 4-ary heap and reused buffers.
//!
//! Weights are whole milliseconds. Ties are broken by the lower link number, so that the tree does not
//! depend on the order in which nodes are settled, and any other engine can reproduce it.

use super::graph::Network;
use crate::ids::{JunctionId, LinkId};

/// The weight of a link that is closed, and the distance of a junction that is not reached.
pub const UNREACHED: u32 = u32::MAX;

/// Arcs in adjacency-array form. `first_out` has one entry more than there are junctions, rises, and ends at
/// the number of arcs; `head` and `link` have one entry per arc.
#[derive(Debug, Clone)]
pub struct Arcs {
    first_out: Vec<u32>,
    head: Vec<u32>,
    link: Vec<u32>,
}

impl Arcs {
    /// The arcs of `network`: one for each direction in which a link may be driven.
    ///
    /// # Panics
    /// Never for a network: its arcs are counted and placed by the same loop.
    #[must_use]
    pub fn new(network: &Network) -> Self {
        let n = network.junction_count();
        let mut list: Vec<(u32, u32, u32)> = Vec::with_capacity(2 * network.link_count());
        for (id, link) in network.links() {
            if link.direction.forward() {
                list.push((link.from.0, link.to.0, id.0));
            }
            if link.direction.backward() {
                list.push((link.to.0, link.from.0, id.0));
            }
        }
        list.sort_unstable();
        let mut first_out = vec![0; n + 1];
        for &(tail, _, _) in &list {
            first_out[tail as usize + 1] += 1;
        }
        for i in 0..n {
            first_out[i + 1] += first_out[i];
        }
        let arcs = Self {
            first_out,
            head: list.iter().map(|a| a.1).collect(),
            link: list.iter().map(|a| a.2).collect(),
        };
        assert_eq!(arcs.first_out.last().copied().map(|v| v as usize), Some(arcs.head.len()));
        arcs
    }

    /// Number of junctions.
    #[must_use]
    pub fn junction_count(&self) -> usize {
        self.first_out.len() - 1
    }
}

/// Buffers of one search; one for each thread.
#[derive(Debug, Clone)]
pub struct Search {
    distance: Vec<u32>,
    parent: Vec<(u32, u32)>,
    settled: Vec<u32>,
    heap: Heap,
}

impl Search {
    /// Buffers for a network of `junctions`.
    #[must_use]
    pub fn new(junctions: usize) -> Self {
        Self {
            distance: vec![UNREACHED; junctions],
            parent: vec![(u32::MAX, u32::MAX); junctions],
            settled: Vec::with_capacity(junctions),
            heap: Heap::default(),
        }
    }

    /// Cheapest paths from `source` with one weight (ms) per link. Stops when `wanted` targets are settled;
    /// `is_target` has one entry per junction.
    pub fn run(
        &mut self,
        arcs: &Arcs,
        weights: &[u32],
        source: JunctionId,
        is_target: &[bool],
        mut wanted: usize,
    ) {
        for &node in &self.settled {
            self.distance[node as usize] = UNREACHED;
        }
        for &(_, node) in &self.heap.0 {
            self.distance[node as usize] = UNREACHED;
        }
        self.settled.clear();
        self.heap.0.clear();
        self.distance[source.index()] = 0;
        self.parent[source.index()] = (u32::MAX, u32::MAX);
        self.heap.push((0, source.0));
        while let Some((distance, node)) = self.heap.pop() {
            if distance > self.distance[node as usize] {
                continue;
            }
            self.settled.push(node);
            if is_target[node as usize] {
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
                    self.heap.push((reach, arcs.head[arc]));
                } else if reach == self.distance[head] && link < self.parent[head].1 && head != source.index()
                {
                    self.parent[head] = (node, link);
                }
            }
        }
    }

    /// Distance in ms; [`UNREACHED`] where the search did not come.
    #[must_use]
    pub fn distance(&self, node: JunctionId) -> u32 {
        self.distance[node.index()]
    }

    /// Junctions in the order in which they were settled; the source is the first.
    #[must_use]
    pub fn settled(&self) -> &[u32] {
        &self.settled
    }

    /// The junction before `node` on its path and the link between them; `None` for the source.
    #[must_use]
    pub fn parent(&self, node: u32) -> Option<(u32, LinkId)> {
        let (before, link) = self.parent[node as usize];
        (before != u32::MAX).then_some((before, LinkId(link)))
    }
}

/// A 4-ary heap of (distance, junction): shallower than a binary one, and four children share a cache line.
#[derive(Debug, Clone, Default)]
struct Heap(Vec<(u32, u32)>);

impl Heap {
    fn push(&mut self, item: (u32, u32)) {
        self.0.push(item);
        let mut at = self.0.len() - 1;
        while at > 0 {
            let up = (at - 1) / 4;
            if self.0[up] <= self.0[at] {
                break;
            }
            self.0.swap(up, at);
            at = up;
        }
    }

    fn pop(&mut self) -> Option<(u32, u32)> {
        let last = self.0.pop()?;
        let Some(top) = self.0.first().copied() else { return Some(last) };
        self.0[0] = last;
        let mut at = 0;
        loop {
            let first = 4 * at + 1;
            let Some(least) = (first..(first + 4).min(self.0.len())).min_by_key(|&c| self.0[c]) else {
                break;
            };
            if self.0[at] <= self.0[least] {
                break;
            }
            self.0.swap(at, least);
            at = least;
        }
        Some(top)
    }
}
