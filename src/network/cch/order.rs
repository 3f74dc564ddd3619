//! Nested dissection (George 1973): the order in which nodes are contracted.
//!
//! 1. Nodes of at most two neighbours are contracted first, in rounds of nodes that are not neighbours of each other,
//!    so that chains and trees become flat: none of them adds more than one edge.
//! 2. What is left is cut by a small separator ([`super::separator`]); the two sides come first, each cut further,
//!    and then the separator. Where a side falls into several parts, the separator is empty and the parts are halved.
//! 3. A piece of a few nodes is ordered by least degree, its surroundings counted.
//!
//! The nodes of a separator follow each other along it: the neighbours that a node below has in it then mostly have
//! consecutive numbers, which is what the later sweeps are made for. The order is the same for any number of threads.

use std::sync::atomic::{AtomicBool, Ordering};

use geo::Coord;
use rayon::prelude::*;

use super::number;
use super::separator::{Piece, Side};

/// Largest piece that is ordered by least degree.
const LEAF: usize = 24;
/// Pieces of at least this size have their sides ordered at the same time.
const PARALLEL: usize = 2_000;

/// An undirected graph without loops and parallel edges, by node: its neighbours, ascending.
#[derive(Debug, Clone)]
pub(super) struct Undirected {
    pub(super) first: Vec<u32>,
    pub(super) head: Vec<u32>,
}

impl Undirected {
    /// From arcs of `nodes` nodes in any order.
    pub(super) fn new(nodes: usize, arcs: impl Iterator<Item = (u32, u32)>) -> Self {
        let mut list: Vec<(u32, u32)> =
            arcs.filter(|(a, b)| a != b).flat_map(|(a, b)| [(a, b), (b, a)]).collect();
        list.par_sort_unstable();
        list.dedup();
        let mut first = vec![0; nodes + 1];
        for (a, _) in &list {
            first[*a as usize + 1] += 1;
        }
        for i in 0..nodes {
            first[i + 1] += first[i];
        }
        Self { first, head: list.into_iter().map(|(_, b)| b).collect() }
    }

    pub(super) fn neighbours(&self, v: u32) -> &[u32] {
        &self.head[self.first[v as usize] as usize..self.first[v as usize + 1] as usize]
    }
}

/// All nodes in the order of contraction; `at` has the position of each. `None` if `stop` was set meanwhile.
pub(super) fn order(graph: &Undirected, at: &[Coord<f64>], stop: &AtomicBool) -> Option<Vec<u32>> {
    let mut core = Core::new(graph);
    let mut out = core.contract_small();
    let piece = core.piece();
    let start = out.len();
    out.resize(start + piece.len(), 0);
    let whole = core.undirected();
    Dissection { graph: &whole, at, stop }.order(piece, &mut out[start..]);
    (!stop.load(Ordering::Relaxed)).then_some(out)
}

/// The graph while nodes of few neighbours are taken out. No node gains neighbours, so that lists stay in place.
struct Core {
    first: Vec<u32>,
    head: Vec<u32>,
    degree: Vec<u32>,
    gone: Vec<bool>,
}

impl Core {
    fn new(graph: &Undirected) -> Self {
        let degree = graph.first.windows(2).map(|w| w[1] - w[0]).collect();
        let gone = vec![false; graph.first.len() - 1];
        Self { first: graph.first.clone(), head: graph.head.clone(), degree, gone }
    }

    fn neighbours(&self, v: u32) -> &[u32] {
        let first = self.first[v as usize] as usize;
        &self.head[first..first + self.degree[v as usize] as usize]
    }

    /// Puts `new` in the place of `old` among the neighbours of `v`, or nothing if it is there already.
    fn replace(&mut self, v: u32, old: u32, new: Option<u32>) {
        let new = new.filter(|n| !self.neighbours(v).contains(n));
        let first = self.first[v as usize] as usize;
        let list = &mut self.head[first..first + self.degree[v as usize] as usize];
        let Some(place) = list.iter().position(|w| *w == old) else { return };
        if let Some(new) = new {
            list[place] = new;
        } else {
            let last = list.len() - 1;
            list.swap(place, last);
            self.degree[v as usize] -= 1;
        }
    }

    fn contract_small(&mut self) -> Vec<u32> {
        let small = |core: &Self, v: u32| !core.gone[v as usize] && core.degree[v as usize] <= 2;
        let mut out = Vec::new();
        let mut round: Vec<u32> = (0..number(self.gone.len())).filter(|v| small(self, *v)).collect();
        let mut untouched_from = vec![0_u32; self.gone.len()];
        for turn in 1.. {
            let mut later = Vec::new();
            for v in std::mem::take(&mut round) {
                if !small(self, v) {
                    continue;
                }
                if untouched_from[v as usize] == turn {
                    later.push(v);
                    continue;
                }
                let around: Vec<u32> = self.neighbours(v).to_vec();
                match *around {
                    [a] => self.replace(a, v, None),
                    [a, b] => {
                        self.replace(a, v, Some(b));
                        self.replace(b, v, Some(a));
                    }
                    _ => {}
                }
                self.gone[v as usize] = true;
                out.push(v);
                for w in around {
                    untouched_from[w as usize] = turn;
                    later.push(w);
                }
            }
            later.retain(|v| small(self, *v));
            later.sort_unstable();
            later.dedup();
            if later.is_empty() {
                break;
            }
            round = later;
        }
        out
    }

    /// What is left, as a piece.
    fn piece(&self) -> Piece {
        let node: Vec<u32> = (0..number(self.gone.len())).filter(|v| !self.gone[*v as usize]).collect();
        let mut place = vec![u32::MAX; self.gone.len()];
        for (i, v) in (0..).zip(&node) {
            place[*v as usize] = i;
        }
        let mut piece = Piece { node, first: vec![0], head: Vec::new() };
        for v in &piece.node {
            piece.head.extend(self.neighbours(*v).iter().map(|w| place[*w as usize]));
            piece.first.push(number(piece.head.len()));
        }
        piece
    }

    /// What is left, in the numbers of the whole.
    fn undirected(&self) -> Undirected {
        let mut out = Undirected { first: vec![0], head: Vec::new() };
        for v in 0..number(self.gone.len()) {
            if !self.gone[v as usize] {
                out.head.extend(self.neighbours(v));
            }
            out.first.push(number(out.head.len()));
        }
        out
    }
}

/// What all pieces are cut with.
#[derive(Clone, Copy)]
struct Dissection<'a> {
    graph: &'a Undirected,
    at: &'a [Coord<f64>],
    /// Once set, pieces are left as they are.
    stop: &'a AtomicBool,
}

impl Dissection<'_> {
    fn order(self, piece: Piece, out: &mut [u32]) {
        let at = self.at;
        if piece.len() <= LEAF {
            return least_degree(&piece.node, self.graph, out);
        }
        let cut = if self.stop.load(Ordering::Relaxed) { None } else { piece.separate(at) };
        let Some(cut) = cut else { return out.copy_from_slice(&piece.node) };
        let [near, far] = [Side::Near, Side::Far].map(|side| piece.part(&cut.side, side));
        let (first, rest) = out.split_at_mut(near.len());
        let (second, last) = rest.split_at_mut(far.len());
        let between = piece.node.iter().zip(&cut.side).filter(|(_, s)| **s == Side::Separator);
        let mut between: Vec<u32> = between.map(|(v, _)| *v).collect();
        let across = |v: &u32| at[*v as usize].y * cut.direction.x - at[*v as usize].x * cut.direction.y;
        between.sort_unstable_by(|a, b| across(a).total_cmp(&across(b)).then(a.cmp(b)));
        last.copy_from_slice(&between);
        drop(cut);
        if piece.len() >= PARALLEL {
            drop(piece);
            rayon::join(|| self.order(near, first), || self.order(far, second));
        } else {
            self.order(near, first);
            self.order(far, second);
        }
    }
}

/// Orders a few nodes by least degree; the nodes around them count, and come later.
fn least_degree(nodes: &[u32], graph: &Undirected, out: &mut [u32]) {
    // Rows of bits: the piece first, then what surrounds it, as far as there is room.
    let mut all = nodes.to_vec();
    for v in nodes {
        for w in graph.neighbours(*v) {
            if !all.contains(w) && all.len() < 128 {
                all.push(*w);
            }
        }
    }
    let place = |w: &u32| all.iter().position(|v| v == w);
    let mut rows = vec![0_u128; all.len()];
    for (i, v) in nodes.iter().enumerate() {
        for j in graph.neighbours(*v).iter().filter_map(place) {
            rows[i] |= 1 << j;
            rows[j] |= 1 << i;
        }
    }
    let mut left: Vec<usize> = (0..nodes.len()).collect();
    for slot in out {
        let Some(best) = (0..left.len()).min_by_key(|k| (rows[left[*k]].count_ones(), left[*k])) else {
            return;
        };
        let v = left.swap_remove(best);
        *slot = nodes[v];
        let around = rows[v];
        for (w, row) in rows.iter_mut().enumerate() {
            if around >> w & 1 == 1 {
                *row |= around;
                *row &= !(1 << w | 1 << v);
            }
        }
    }
}
