//! The hierarchy without weights: the chordal graph that contraction in a given order makes, and its elimination tree
//! (Dibbelt, Strasser & Wagner 2016, Customizable contraction hierarchies, 10.1145/2886843).
//!
//! Invariants of [`Hierarchy`], which every sweep relies on:
//! - Nodes are numbered by rank: the tree is in postorder, so that the nodes below a node, and their arcs, are a
//!   contiguous range that ends with it; the child with most nodes below it is numbered last.
//! - An arc joins a `tail` to a `head` of higher rank and stands for both directions. Arcs are sorted by tail, then
//!   head. The heads of a node are ancestors of it, and all but the first of them are heads of the first, its parent.
//! - Of two consecutive heads with consecutive ranks the second is the parent of the first. Such heads are a *run*;
//!   what is consecutive in one row is consecutive in every row that has all of it.

use std::ops::Range;
use std::sync::atomic::AtomicBool;

use geo::Coord;

use super::order::{Undirected, order};
use super::{NONE, number};
use crate::ids::JunctionId;
use crate::network::arcs::Arcs;

/// Subtrees below this number of arcs and triangles are swept by one thread.
const SERIAL_WORK: u64 = 60_000;

/// An arc of the network on the arc of the hierarchy that has its ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Input {
    /// Arc of the hierarchy and direction: `2 a` from tail to head, `2 a + 1` from head to tail.
    pub(super) way: u32,
    /// Link.
    pub(super) link: u32,
    /// Its place among the weights.
    pub(super) place: u32,
}

/// An arc that comes to a node from a lower one, whose rank is `tail`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Low {
    pub(super) tail: u32,
    pub(super) arc: u32,
}

/// A part of the elimination tree: ranks `from..chain` are those of `below`, without gap; `chain..to` is a path in
/// the tree on top of them. A part without anything below it is swept by one thread.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    pub(super) from: u32,
    pub(super) chain: u32,
    pub(super) to: u32,
    pub(super) below: Vec<Segment>,
}

/// The hierarchy of a network.
#[derive(Debug, Clone)]
pub struct Hierarchy {
    /// By node of the search: its rank. By rank: the node.
    pub(super) rank: Vec<u32>,
    pub(super) node: Vec<u32>,
    /// By rank: parent in the elimination tree, [`NONE`] for a root; number of ancestors.
    pub(super) parent: Vec<u32>,
    pub(super) depth: Vec<u32>,
    /// By rank: its first arc; one more for the end.
    pub(super) first: Vec<u32>,
    /// By arc.
    pub(super) head: Vec<u32>,
    pub(super) tail: Vec<u32>,
    /// By arc: number of arcs from it on to the end of its run, itself counted.
    pub(super) run: Vec<u16>,
    /// By rank: arcs that end there, sorted; `low_first` has one entry more.
    pub(super) low_first: Vec<u32>,
    pub(super) low: Vec<Low>,
    /// By rank of the tail: arcs of the network, sorted.
    pub(super) input_first: Vec<u32>,
    pub(super) input: Vec<Input>,
    /// Links in the order of their weights: that in which the rows take them in.
    links: Vec<u32>,
    pub(super) segments: Segment,
    /// Nodes on the longest way from a root to a leaf.
    pub(super) height: usize,
    pub(super) triangles: u64,
    /// Nodes of each junction beyond its own, by junction: (junction, node).
    pub(super) copies: Vec<(u32, u32)>,
    /// The junction of each node beyond the junctions.
    extra: Vec<u32>,
    junctions: usize,
}

impl Hierarchy {
    /// The hierarchy of `arcs`, whose junctions stand at `at` (one position per junction, in a plane, any unit).
    #[must_use]
    pub fn new(arcs: &Arcs, at: &[Coord<f64>]) -> Self {
        let never = AtomicBool::new(false);
        Self::in_order(arcs, &Self::order(arcs, at, &never).unwrap_or_default())
    }

    /// The order in which nodes are contracted: what takes the time. `None` if `stop` was set meanwhile.
    pub(super) fn order(arcs: &Arcs, at: &[Coord<f64>], stop: &AtomicBool) -> Option<Vec<u32>> {
        let positions: Vec<Coord<f64>> = (0..number(arcs.node_count()))
            .map(|v| at.get(arcs.junction_of(v).index()).copied().unwrap_or_default())
            .collect();
        order(&undirected(arcs), &positions, stop)
    }

    /// The hierarchy in a given order of contraction, which has each node once.
    pub(super) fn in_order(arcs: &Arcs, order: &[u32]) -> Self {
        let graph = undirected(arcs);
        let n = order.len();
        let tree = Tree::new(&graph, order);
        let mut node = vec![0; n];
        for (v, rank) in order.iter().zip(&tree.rank) {
            node[*rank as usize] = *v;
        }
        let mut rank = vec![0; n];
        for (r, v) in (0..).zip(&node) {
            rank[*v as usize] = r;
        }
        let parent = tree.parent;
        let mut depth = vec![0; n];
        for v in (0..n).rev().filter(|v| parent[*v] != NONE) {
            depth[v] = depth[parent[v] as usize] + 1;
        }
        let mut out = Self {
            height: depth.iter().max().map_or(0, |d| *d as usize + 1),
            rank,
            node,
            parent,
            depth,
            first: Vec::new(),
            head: Vec::new(),
            tail: Vec::new(),
            run: Vec::new(),
            low_first: Vec::new(),
            low: Vec::new(),
            input_first: Vec::new(),
            input: Vec::new(),
            links: Vec::new(),
            segments: Segment { from: 0, chain: 0, to: 0, below: Vec::new() },
            triangles: 0,
            copies: arcs.copies(),
            extra: arcs.extra.clone(),
            junctions: arcs.junction_count(),
        };
        out.fill_rows(&graph);
        out.transpose();
        out.place_inputs(arcs);
        out.segments = out.segment_all();
        out
    }

    /// The heads of every node: its own neighbours above it, and those of its children.
    fn fill_rows(&mut self, graph: &Undirected) {
        let n = self.node.len();
        let mut seen = vec![NONE; n];
        let mut child = vec![NONE; n];
        let mut sibling = vec![NONE; n];
        self.first = Vec::with_capacity(n + 1);
        self.first.push(0);
        self.head.reserve(4 * n);
        for v in 0..number(n) {
            let start = self.head.len();
            for w in graph.neighbours(self.node[v as usize]) {
                let w = self.rank[*w as usize];
                if w > v {
                    seen[w as usize] = v;
                    self.head.push(w);
                }
            }
            let mut below = child[v as usize];
            while below != NONE {
                // The first head of a child is this node.
                for arc in self.first[below as usize] as usize + 1..self.first[below as usize + 1] as usize {
                    let w = self.head[arc];
                    if seen[w as usize] != v {
                        seen[w as usize] = v;
                        self.head.push(w);
                    }
                }
                below = sibling[below as usize];
            }
            self.head[start..].sort_unstable();
            self.first.push(number(self.head.len()));
            let parent = self.parent[v as usize];
            if parent != NONE {
                sibling[v as usize] = std::mem::replace(&mut child[parent as usize], v);
            }
        }
        self.run = vec![1; self.head.len()];
        self.tail = vec![0; self.head.len()];
        for v in 0..number(n) {
            let row = self.row(v);
            self.triangles += (row.len() * row.len().saturating_sub(1) / 2) as u64;
            for arc in row.clone().rev() {
                self.tail[arc] = v;
                if arc + 1 < row.end && self.head[arc + 1] == self.head[arc] + 1 {
                    self.run[arc] = self.run[arc + 1].saturating_add(1);
                }
            }
        }
    }

    fn transpose(&mut self) {
        let n = self.node.len();
        self.low_first = vec![0; n + 1];
        self.head.iter().for_each(|h| self.low_first[*h as usize + 1] += 1);
        for v in 0..n {
            self.low_first[v + 1] += self.low_first[v];
        }
        let mut next = self.low_first.clone();
        self.low = vec![Low::default(); self.head.len()];
        for ((arc, head), tail) in (0..).zip(&self.head).zip(&self.tail) {
            let slot = &mut next[*head as usize];
            self.low[*slot as usize] = Low { tail: *tail, arc };
            *slot += 1;
        }
    }

    fn place_inputs(&mut self, arcs: &Arcs) {
        let mut list = Vec::with_capacity(arcs.arc_count());
        for (tail, head, link) in arcs.all() {
            let [a, b] = [tail, head].map(|v| self.rank[v as usize]);
            if let Some(arc) = self.find(a.min(b), a.max(b)) {
                list.push(Input { way: 2 * arc + u32::from(b < a), link, place: NONE });
            }
        }
        // Ways are sorted by tail.
        list.sort_unstable();
        let mut place = vec![NONE; list.iter().map(|input| input.link as usize + 1).max().unwrap_or(0)];
        for input in &mut list {
            let place = &mut place[input.link as usize];
            if *place == NONE {
                *place = number(self.links.len());
                self.links.push(input.link);
            }
            input.place = *place;
        }
        self.input_first = vec![0; self.node.len() + 1];
        for input in &list {
            self.input_first[self.tail[(input.way / 2) as usize] as usize + 1] += 1;
        }
        for v in 0..self.node.len() {
            self.input_first[v + 1] += self.input_first[v];
        }
        self.input = list;
    }

    /// The arc from `tail` to the higher `head`.
    pub(super) fn find(&self, tail: u32, head: u32) -> Option<u32> {
        let row = self.row(tail);
        self.head[row.clone()].binary_search(&head).ok().map(|at| number(row.start + at))
    }

    /// The arcs of a node to higher ones.
    #[inline]
    pub(super) fn row(&self, rank: u32) -> Range<usize> {
        self.first[rank as usize] as usize..self.first[rank as usize + 1] as usize
    }

    /// The arcs that come to a node from lower ones.
    #[inline]
    pub(super) fn lows(&self, rank: u32) -> &[Low] {
        &self.low[self.low_first[rank as usize] as usize..self.low_first[rank as usize + 1] as usize]
    }

    /// The arcs of the network between a node and higher ones.
    #[inline]
    pub(super) fn inputs(&self, rank: u32) -> &[Input] {
        &self.input[self.input_first[rank as usize] as usize..self.input_first[rank as usize + 1] as usize]
    }

    /// The links that are arcs of the network, in the order in which weights of links are given.
    #[must_use]
    pub fn links(&self) -> &[u32] {
        &self.links
    }

    /// What is given by link, in the order of [`Hierarchy::links`].
    ///
    /// # Panics
    /// If a link has nothing.
    #[must_use]
    pub fn arranged<T: Copy>(&self, by_link: &[T]) -> Vec<T> {
        self.links.iter().map(|link| by_link[*link as usize]).collect()
    }

    /// Number of nodes.
    #[must_use]
    pub fn node_count(&self) -> usize {
        self.node.len()
    }

    /// Number of arcs of the chordal graph, each for both directions.
    #[must_use]
    pub fn arc_count(&self) -> usize {
        self.head.len()
    }

    /// Number of triangles that a customization goes through.
    #[must_use]
    pub const fn triangle_count(&self) -> u64 {
        self.triangles
    }

    /// Nodes on the longest way from a root of the elimination tree to a leaf.
    #[must_use]
    pub const fn height(&self) -> usize {
        self.height
    }

    /// The junction of a node.
    #[must_use]
    pub fn junction_of(&self, node: u32) -> JunctionId {
        let copy = (node as usize).checked_sub(self.junctions).and_then(|copy| self.extra.get(copy));
        JunctionId(copy.copied().unwrap_or(node))
    }

    /// Bytes that the hierarchy takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        4 * (4 * self.node.len() + self.first.len() + self.low_first.len() + self.input_first.len())
            + 18 * self.head.len()
            + size_of_val(&*self.input)
            + size_of_val(&*self.links)
    }

    /// Cuts the tree into parts that can be swept at the same time.
    fn segment_all(&self) -> Segment {
        let n = number(self.node.len());
        let mut lowest: Vec<u32> = (0..n).collect();
        let mut work = vec![0_u64; self.node.len()];
        let mut roots = Vec::new();
        for v in 0..n {
            let row = self.row(v).len() as u64;
            work[v as usize] += 8 + row + row * row.saturating_sub(1) / 2;
            let parent = self.parent[v as usize];
            if parent == NONE {
                roots.push(v);
            } else {
                lowest[parent as usize] = lowest[parent as usize].min(lowest[v as usize]);
                work[parent as usize] += work[v as usize];
            }
        }
        Segment { from: 0, chain: n, to: n, below: self.segments_of(&roots, &lowest, &work) }
    }

    /// Parts for neighbouring subtrees, given by their roots in ascending order. Small ones are swept together.
    fn segments_of(&self, roots: &[u32], lowest: &[u32], work: &[u64]) -> Vec<Segment> {
        let mut out: Vec<Segment> = Vec::new();
        let mut gathered = 0;
        for &root in roots {
            let (from, to) = (lowest[root as usize], root + 1);
            if work[root as usize] > SERIAL_WORK {
                out.push(self.segment(root, lowest, work));
                gathered = u64::MAX;
            } else if gathered.saturating_add(work[root as usize]) <= SERIAL_WORK
                && let Some(last) = out.last_mut()
            {
                gathered += work[root as usize];
                last.to = to;
                last.chain = to;
            } else {
                gathered = work[root as usize];
                out.push(Segment { from, chain: to, to, below: Vec::new() });
            }
        }
        out
    }

    fn segment(&self, root: u32, lowest: &[u32], work: &[u64]) -> Segment {
        let (from, to) = (lowest[root as usize], root + 1);
        let mut below = Vec::new();
        let mut chain = root;
        loop {
            // The children of a node end one after the other below it.
            let mut children = Vec::new();
            let mut end = chain;
            while end > lowest[chain as usize] {
                children.push(end - 1);
                end = lowest[end as usize - 1];
            }
            let total: u64 = children.iter().map(|c| work[*c as usize]).sum();
            let goes_on = |heavy: &&u32| work[**heavy as usize] * 4 > total * 3 && total > SERIAL_WORK;
            let Some(&heavy) = children.first().filter(goes_on) else {
                below.extend_from_slice(&children);
                break;
            };
            below.extend_from_slice(&children[1..]);
            chain = heavy;
        }
        below.sort_unstable();
        Segment { from, chain, to, below: self.segments_of(&below, lowest, work) }
    }
}

fn undirected(arcs: &Arcs) -> Undirected {
    Undirected::new(arcs.node_count(), arcs.all().map(|(tail, head, _)| (tail, head)))
}

/// The elimination tree, renumbered in postorder. `rank` is by position in the order of contraction, `parent` by rank.
struct Tree {
    rank: Vec<u32>,
    parent: Vec<u32>,
}

impl Tree {
    fn new(graph: &Undirected, order: &[u32]) -> Self {
        let n = order.len();
        let mut place = vec![0; n];
        for (i, v) in (0..).zip(order) {
            place[*v as usize] = i;
        }
        // Liu 1986, A compact row storage scheme for Cholesky factors: ancestors with path compression.
        let mut parent = vec![NONE; n];
        let mut top = vec![NONE; n];
        for (v, node) in (0..).zip(order) {
            for w in graph.neighbours(*node) {
                let mut at = place[*w as usize];
                while at < v {
                    let next = std::mem::replace(&mut top[at as usize], v);
                    if next == NONE {
                        parent[at as usize] = v;
                        break;
                    }
                    at = next;
                }
            }
        }
        let mut size = vec![1_u32; n];
        for v in 0..n {
            if parent[v] != NONE {
                size[parent[v] as usize] += size[v];
            }
        }
        // Children from the smallest to the largest, then down from the roots: a node ends its range of ranks.
        let mut by_size: Vec<u32> = (0..number(n)).collect();
        by_size.sort_unstable_by_key(|v| (size[*v as usize], *v));
        let mut before = vec![0_u32; n];
        let mut filled = vec![0_u32; n + 1];
        for &v in &by_size {
            let at = if parent[v as usize] == NONE { n } else { parent[v as usize] as usize };
            before[v as usize] = filled[at];
            filled[at] += size[v as usize];
        }
        let mut start = vec![0_u32; n];
        let mut rank = vec![0; n];
        for v in (0..n).rev() {
            let base = if parent[v] == NONE { 0 } else { start[parent[v] as usize] };
            start[v] = base + before[v];
            rank[v] = start[v] + size[v] - 1;
        }
        let mut ranked = vec![NONE; n];
        for v in (0..n).filter(|v| parent[*v] != NONE) {
            ranked[rank[v] as usize] = rank[parent[v] as usize];
        }
        Self { rank, parent: ranked }
    }
}
