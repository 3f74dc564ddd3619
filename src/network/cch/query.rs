//! Distances between origins and destinations.
//!
//! What does not depend on weights is computed once for a set of pairs ([`Selection`]): the union of the destinations'
//! ancestors in the elimination tree, and each origin's ancestors. Per batch of weights, an origin's distances rise
//! along its ancestors; then they come down over the union, from the roots to the destinations, for a block of origins
//! at a time, so that a weight is read once for all of them. All lanes go side by side.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::customize::Metric;
use super::topology::Hierarchy;
use super::{NONE, UNREACHED, number};
use crate::ids::JunctionId;

/// Origins whose labels of one node lie side by side: as many vectors as leave registers free.
const BLOCK: usize = 8;

/// A run of arcs from a node of the union to nodes that follow each other in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    /// First head, as a place in the union.
    pub(super) place: u32,
    /// First arc.
    pub(super) arc: u32,
    /// Number of arcs.
    pub(super) len: u32,
}

/// A hierarchy with the weights of a batch.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a, const W: usize> {
    /// The hierarchy.
    pub hierarchy: &'a Hierarchy,
    /// Weights of its arcs.
    pub metric: &'a Metric<W>,
    /// Weights of the links in ms, in the order of [`Hierarchy::links`], by lane, from which they were customized.
    pub weights: &'a [[u32; W]],
}

/// Origins and destinations, and the nodes between which distances are needed.
#[derive(Debug, Clone)]
pub struct Selection {
    /// By origin: its rank.
    pub(super) origin: Vec<u32>,
    /// Destinations and their ancestors, by rank.
    pub(super) union: Vec<u32>,
    /// By rank: place in the union, or [`NONE`].
    pub(super) place: Vec<u32>,
    run_first: Vec<u32>,
    runs: Vec<Run>,
    target_first: Vec<u32>,
    /// By destination: places of the nodes of its junction, by number of the node.
    target_place: Vec<u32>,
    /// Whether one thread is to do all.
    alone: bool,
}

impl Selection {
    /// Ways from each of `origins` to each of `destinations`.
    ///
    /// # Panics
    /// If one of them is no junction of the network.
    #[must_use]
    pub fn new(hierarchy: &Hierarchy, origins: &[JunctionId], destinations: &[JunctionId]) -> Self {
        let copies = |j: &JunctionId| {
            let junction = j.0;
            let from = hierarchy.copies.partition_point(|c| c.0 < junction);
            hierarchy.copies[from..].iter().take_while(move |c| c.0 == junction).map(|c| c.1)
        };
        let nodes = |j: &JunctionId| -> Vec<u32> {
            std::iter::once(j.0).chain(copies(j)).map(|v| hierarchy.rank[v as usize]).collect()
        };
        let target: Vec<Vec<u32>> = destinations.iter().map(nodes).collect();
        let mut place = vec![NONE; hierarchy.node_count()];
        for &rank in target.iter().flatten() {
            let mut at = rank;
            while at != NONE && place[at as usize] == NONE {
                place[at as usize] = 0;
                at = hierarchy.parent[at as usize];
            }
        }
        let mut union = Vec::new();
        for (rank, slot) in (0..).zip(&mut place).filter(|(_, slot)| **slot == 0) {
            *slot = number(union.len());
            union.push(rank);
        }
        let mut out = Self {
            origin: origins.iter().map(|j| hierarchy.rank[j.index()]).collect(),
            run_first: vec![0],
            runs: Vec::new(),
            target_first: vec![0],
            target_place: Vec::new(),
            union,
            place,
            alone: false,
        };
        for &rank in &out.union {
            let row = hierarchy.row(rank);
            let mut arc = row.start;
            while arc < row.end {
                let len = hierarchy.run[arc];
                let place = out.place[hierarchy.head[arc] as usize];
                out.runs.push(Run { place, arc: number(arc), len: u32::from(len) });
                arc += usize::from(len);
            }
            out.run_first.push(number(out.runs.len()));
        }
        for nodes in &target {
            out.target_place.extend(nodes.iter().map(|rank| out.place[*rank as usize]));
            out.target_first.push(number(out.target_place.len()));
        }
        out
    }

    /// The same for a caller that works in parallel itself: origins are not shared out. Parts of a large hierarchy still
    /// are.
    #[must_use]
    pub const fn on_one_thread(mut self) -> Self {
        self.alone = true;
        self
    }

    /// Number of origins.
    #[must_use]
    #[inline]
    pub fn origins(&self) -> usize {
        self.origin.len()
    }

    /// Number of destinations.
    #[must_use]
    #[inline]
    pub fn destinations(&self) -> usize {
        self.target_first.len() - 1
    }

    /// Number of nodes that are destinations or ancestors of them.
    #[must_use]
    #[inline]
    pub fn union_size(&self) -> usize {
        self.union.len()
    }

    /// Bytes that the selection takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        4 * (self.union.len() + self.place.len()) + size_of_val(&*self.runs)
    }

    #[inline]
    pub(super) fn runs(&self, place: usize) -> &[Run] {
        &self.runs[self.run_first[place] as usize..self.run_first[place + 1] as usize]
    }

    #[inline]
    fn targets(&self, destination: usize) -> &[u32] {
        &self.target_place
            [self.target_first[destination] as usize..self.target_first[destination + 1] as usize]
    }

    /// Distances in ms by origin, destination and lane; [`UNREACHED`] where there is no way.
    #[must_use]
    pub fn distances<const W: usize>(&self, batch: Batch<'_, W>) -> Vec<[u32; W]> {
        let row = |labels: &Labels<'_, W>| (0..self.destinations()).map(|j| labels.distances(j)).collect();
        let (_, rows) = self.each(batch, || (), |labels, ()| labels.iter().map(row).collect::<Vec<Vec<_>>>());
        rows.into_iter().flatten().collect()
    }

    /// Calls `visit` with the labels of origins that follow each other, in parallel, and returns what it returns in the
    /// order of the origins, with what the threads worked with, which `space` makes.
    pub(super) fn each<const W: usize, S: Send, T: Send>(
        &self,
        batch: Batch<'_, W>,
        space: impl Fn() -> S + Sync,
        visit: impl Fn(&[Labels<'_, W>], &mut S) -> Vec<T> + Sync,
    ) -> (Vec<S>, Vec<T>) {
        let blocks = self.blocks();
        let next = AtomicUsize::new(0);
        let threads = self.threads().min(blocks.len());
        let work = |_| {
            let (mut space, mut block, mut seen) = (space(), Block::new(), Vec::new());
            while let Some(origins) = blocks.get(next.fetch_add(1, Ordering::Relaxed)) {
                block.fill(batch, self, origins.clone());
                let one = |b| Labels { batch, selection: self, block: &block, b };
                let labels: Vec<Labels<'_, W>> = (0..origins.len()).map(one).collect();
                seen.push((origins.start, visit(&labels, &mut space)));
            }
            (space, seen)
        };
        let (spaces, seen): (Vec<S>, Vec<_>) = (0..threads).into_par_iter().with_max_len(1).map(work).unzip();
        let mut seen: Vec<(usize, Vec<T>)> = seen.into_iter().flatten().collect();
        seen.sort_unstable_by_key(|(first, _)| *first);
        (spaces, seen.into_iter().flat_map(|(_, t)| t).collect())
    }

    fn threads(&self) -> usize {
        if self.alone { 1 } else { rayon::current_num_threads().max(1) }
    }

    /// Origins in blocks of like size, so that no thread waits long for another.
    fn blocks(&self) -> Vec<Range<usize>> {
        let n = self.origins();
        let threads = self.threads();
        let count = n.div_ceil(BLOCK).next_multiple_of(threads).min(n);
        (0..count).map(|k| k * n / count..(k + 1) * n / count).collect()
    }
}

/// Labels of a block of origins.
#[derive(Debug, Clone)]
pub(super) struct Block<const W: usize> {
    origins: Range<usize>,
    /// By place in the union and origin of the block: distance.
    label: Vec<[u32; W]>,
    chains: Vec<Chain<W>>,
}

/// The ancestors of an origin, itself first.
#[derive(Debug, Clone)]
pub(super) struct Chain<const W: usize> {
    pub(super) rank: Vec<u32>,
    /// Distance by a way over lower nodes alone.
    pub(super) label: Vec<[u32; W]>,
    /// Lanes, as whole words of ones, in which more than one lower neighbour may lie on a cheapest way.
    pub(super) tie: Vec<[u32; W]>,
}

impl<const W: usize> Block<W> {
    pub(super) const fn new() -> Self {
        Self { origins: 0..0, label: Vec::new(), chains: Vec::new() }
    }

    pub(super) fn fill(
        &mut self,
        Batch { hierarchy, metric, .. }: Batch<'_, W>,
        selection: &Selection,
        origins: Range<usize>,
    ) {
        let arch = Arch::new();
        let n = origins.len();
        self.label.clear();
        self.label.resize(selection.union.len() * n, [UNREACHED; W]);
        let empty = || Chain { rank: Vec::new(), label: Vec::new(), tie: Vec::new() };
        self.chains.resize_with(n, empty);
        for (b, (chain, origin)) in self.chains.iter_mut().zip(origins.clone()).enumerate() {
            chain.rank.clear();
            let mut at = selection.origin[origin];
            while at != NONE {
                chain.rank.push(at);
                at = hierarchy.parent[at as usize];
            }
            arch.dispatch(Rise { hierarchy, metric, chain });
            for (rank, label) in chain.rank.iter().zip(&chain.label) {
                let place = selection.place[*rank as usize];
                if place != NONE {
                    self.label[place as usize * n + b] = *label;
                }
            }
        }
        self.origins = origins;
        let label = &mut self.label;
        match n {
            1 => arch.dispatch(Fall::<W, 1> { metric, selection, label }),
            2 => arch.dispatch(Fall::<W, 2> { metric, selection, label }),
            3 => arch.dispatch(Fall::<W, 3> { metric, selection, label }),
            4 => arch.dispatch(Fall::<W, 4> { metric, selection, label }),
            5 => arch.dispatch(Fall::<W, 5> { metric, selection, label }),
            6 => arch.dispatch(Fall::<W, 6> { metric, selection, label }),
            7 => arch.dispatch(Fall::<W, 7> { metric, selection, label }),
            _ => arch.dispatch(Fall::<W, BLOCK> { metric, selection, label }),
        }
    }
}

/// Distances along the ancestors of an origin.
struct Rise<'a, const W: usize> {
    hierarchy: &'a Hierarchy,
    metric: &'a Metric<W>,
    chain: &'a mut Chain<W>,
}

impl<const W: usize> WithSimd for Rise<'_, W> {
    type Output = ();

    #[expect(clippy::inline_always, reason = "a function of its own would not be made for the vector unit")]
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Chain { rank, label, tie } = self.chain;
        label.clear();
        label.resize(rank.len(), [UNREACHED; W]);
        tie.clear();
        tie.resize(rank.len(), [0; W]);
        let Some(first) = label.first_mut() else { return };
        *first = [0; W];
        let deepest = self.hierarchy.depth[rank[0] as usize];
        for (at, &node) in rank.iter().enumerate() {
            let here = label[at];
            if here == [UNREACHED; W] {
                continue;
            }
            let row = self.hierarchy.row(node);
            let mut arc = row.start;
            while arc < row.end {
                let run = usize::from(self.hierarchy.run[arc]);
                let head = self.hierarchy.head[arc] as usize;
                let place = (deepest - self.hierarchy.depth[head]) as usize;
                let ways = &self.metric.up[arc..arc + run];
                let labels = &mut label[place..place + run];
                for ((way, label), tie) in ways.iter().zip(labels).zip(&mut tie[place..place + run]) {
                    for lane in 0..W {
                        let reach = here[lane].saturating_add(way[lane]);
                        let same = reach == label[lane] && reach != UNREACHED;
                        tie[lane] |= if same { u32::MAX } else { 0 };
                        label[lane] = label[lane].min(reach);
                    }
                }
                arc += run;
            }
        }
    }
}

/// Distances down the union, for `B` origins at a time.
struct Fall<'a, const W: usize, const B: usize> {
    metric: &'a Metric<W>,
    selection: &'a Selection,
    label: &'a mut [[u32; W]],
}

impl<const W: usize, const B: usize> WithSimd for Fall<'_, W, B> {
    type Output = ();

    #[expect(clippy::inline_always, reason = "a function of its own would not be made for the vector unit")]
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let (blocks, _) = self.label.as_chunks_mut::<B>();
        for place in (0..blocks.len()).rev() {
            let (lower, upper) = blocks.split_at_mut(place + 1);
            let Some(own) = lower.last_mut() else { return };
            let mut best = *own;
            for run in self.selection.runs(place) {
                let (at, arc, len) = (run.place as usize - place - 1, run.arc as usize, run.len as usize);
                for (way, from) in self.metric.down[arc..arc + len].iter().zip(&upper[at..at + len]) {
                    for b in 0..B {
                        for lane in 0..W {
                            best[b][lane] = best[b][lane].min(from[b][lane].saturating_add(way[lane]));
                        }
                    }
                }
            }
            *own = best;
        }
    }
}

/// Distances of one origin.
#[derive(Debug, Clone, Copy)]
pub struct Labels<'a, const W: usize> {
    pub(super) batch: Batch<'a, W>,
    pub(super) selection: &'a Selection,
    block: &'a Block<W>,
    b: usize,
}

impl<'a, const W: usize> Labels<'a, W> {
    /// The origin, by its place among the origins of the selection.
    #[must_use]
    pub const fn origin(&self) -> usize {
        self.block.origins.start + self.b
    }

    /// Distances in ms to a destination, by lane; [`UNREACHED`] where there is no way. Where turn bans make several
    /// nodes of its junction, to the nearest of them.
    #[must_use]
    pub fn distances(&self, destination: usize) -> [u32; W] {
        let mut out = [UNREACHED; W];
        for &place in self.selection.targets(destination) {
            let label = self.label(place as usize);
            for lane in 0..W {
                out[lane] = out[lane].min(label[lane]);
            }
        }
        out
    }

    /// The nearest node of a destination in a lane, as a place in the union; the one of lowest number among the
    /// nearest.
    #[inline]
    pub(super) fn nearest(&self, destination: usize, lane: usize) -> Option<usize> {
        let places = self.selection.targets(destination).iter().map(|p| *p as usize);
        places.filter(|p| self.label(*p)[lane] != UNREACHED).min_by_key(|p| self.label(*p)[lane])
    }

    /// Distances of a node of the union.
    #[inline]
    pub(super) fn label(&self, place: usize) -> &'a [u32; W] {
        &self.block.label[place * self.block.origins.len() + self.b]
    }

    /// Distances of nodes of the union that follow each other, for this origin and those after it, `G` in all.
    #[expect(clippy::inline_always, reason = "a function of its own would not be made for the vector unit")]
    #[inline(always)]
    pub(super) fn beside<const G: usize>(
        &self,
        place: u32,
        len: u32,
    ) -> impl Iterator<Item = &'a [[u32; W]; G]> {
        let (n, b) = (self.block.origins.len(), self.b);
        let nodes = self.block.label[place as usize * n..(place + len) as usize * n].chunks_exact(n);
        nodes.filter_map(move |of_node| of_node.get(b..)?.first_chunk::<G>())
    }

    #[inline]
    pub(super) fn chain(&self) -> &'a Chain<W> {
        &self.block.chains[self.b]
    }

    /// Where a node stands among the ancestors of the origin, if it is one.
    #[inline]
    pub(super) fn position(&self, rank: u32) -> Option<usize> {
        let chain = &self.chain().rank;
        let deepest = self.batch.hierarchy.depth[*chain.first()? as usize];
        let position = deepest.checked_sub(self.batch.hierarchy.depth[rank as usize])? as usize;
        (*chain.get(position)? == rank).then_some(position)
    }
}
