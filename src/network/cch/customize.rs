//! Weights of a hierarchy: `W` weight vectors side by side.
//!
//! A node takes over what its lower neighbours know, in ascending order of rank: for a lower neighbour `m` of `u` and
//! `v`, the way from `u` to `v` is no longer than that over `m`. So a row is written by one pass that keeps it in the
//! first-level cache, and reads the rows of the nodes below it in order. Parts of the elimination tree are swept in
//! parallel, each in its own range of memory; on top of them, rows are taken in blocks, and what comes to a block from
//! below it is gathered in parallel too.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::UNREACHED;
use super::topology::{Hierarchy, Low, Segment};

/// Rows that are gathered at the same time on top of the parts of a tree.
const BLOCK: usize = 32;
/// Shorter rows are not worth it.
const LONG_ROW: usize = 64;

/// Weights of the arcs of a hierarchy in ms, by arc and lane: `up` from tail to head, `down` from head to tail.
/// [`UNREACHED`] where there is no way over lower nodes.
#[derive(Debug, Clone)]
pub struct Metric<const W: usize> {
    pub(super) up: Vec<[u32; W]>,
    pub(super) down: Vec<[u32; W]>,
}

impl<const W: usize> Metric<W> {
    /// Room for the weights of `hierarchy`; no way anywhere.
    #[must_use]
    pub fn new(hierarchy: &Hierarchy) -> Self {
        let closed = vec![[UNREACHED; W]; hierarchy.arc_count()];
        Self { up: closed.clone(), down: closed }
    }

    /// Computes the weights of all arcs from those of the links, `weights` in the order of [`Hierarchy::links`], by
    /// lane.
    ///
    /// # Panics
    /// If `weights` has fewer entries than there are links, or the room was made for another hierarchy.
    pub fn customize(&mut self, hierarchy: &Hierarchy, weights: &[[u32; W]]) {
        let task = Task { hierarchy, weights, arch: Arch::new() };
        let all = Arcs { up: &mut self.up, down: &mut self.down, base: 0 };
        task.sweep(&hierarchy.segments, all);
    }

    /// The weights of an arc in one direction: up for `2 a`, down for `2 a + 1`.
    pub(super) fn way(&self, way: u32) -> &[u32; W] {
        let side = if way.is_multiple_of(2) { &self.up } else { &self.down };
        &side[(way / 2) as usize]
    }

    /// Bytes that the weights take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        2 * size_of_val(&*self.up)
    }
}

/// Weights of a range of arcs, the first of which is `base`.
struct Arcs<'a, const W: usize> {
    up: &'a mut [[u32; W]],
    down: &'a mut [[u32; W]],
    base: usize,
}

impl<const W: usize> Arcs<'_, W> {
    /// Those before an arc, and the others.
    fn split(self, arc: usize) -> (Self, Self) {
        let (up, more_up) = self.up.split_at_mut(arc - self.base);
        let (down, more_down) = self.down.split_at_mut(arc - self.base);
        (Self { up, down, base: self.base }, Self { up: more_up, down: more_down, base: arc })
    }

    fn lend(&mut self) -> Arcs<'_, W> {
        Arcs { up: self.up, down: self.down, base: self.base }
    }
}

#[derive(Clone, Copy)]
struct Task<'a, const W: usize> {
    hierarchy: &'a Hierarchy,
    weights: &'a [[u32; W]],
    arch: Arch,
}

impl<const W: usize> Task<'_, W> {
    fn first(&self, rank: u32) -> usize {
        self.hierarchy.first[rank as usize] as usize
    }

    fn sweep(&self, segment: &Segment, arcs: Arcs<'_, W>) {
        let mut arcs = arcs;
        let (below, _) = arcs.lend().split(self.first(segment.chain));
        if segment.below.is_empty() {
            self.serial(segment.from..segment.chain, segment.from, true, below);
        } else {
            let mut parts = Vec::with_capacity(segment.below.len());
            let mut rest = below;
            for part in &segment.below {
                let (own, more) = rest.split(self.first(part.to));
                parts.push((part, own));
                rest = more;
            }
            parts.into_par_iter().for_each(|(part, own)| self.sweep(part, own));
        }
        let mut from = segment.chain;
        while from < segment.to {
            let to = segment.to.min(from + super::number(BLOCK));
            let (own, _) = arcs.lend().split(self.first(to));
            if to - from < 4 || self.hierarchy.row(from).len() < LONG_ROW {
                self.serial(from..to, segment.from, true, own);
            } else {
                let (done, block) = own.split(self.first(from));
                self.gather(from..to, &done, block);
                let (own, _) = arcs.lend().split(self.first(to));
                self.serial(from..to, from, false, own);
            }
            from = to;
        }
    }

    /// Rows one after the other, from the lower neighbours of rank `lowest` and more.
    fn serial(&self, rows: Range<u32>, lowest: u32, fill: bool, arcs: Arcs<'_, W>) {
        let mut places = vec![0; self.hierarchy.height];
        self.arch.dispatch(Rows { task: *self, range: rows, lowest, fill, arcs, places: &mut places });
    }

    /// The rows of a block, each by itself, from all that is below the block.
    fn gather(&self, rows: Range<u32>, done: &Arcs<'_, W>, block: Arcs<'_, W>) {
        let mut list = Vec::with_capacity(rows.len());
        let mut rest = block;
        for row in rows.clone() {
            let (own, more) = rest.split(self.first(row + 1));
            list.push((row, own));
            rest = more;
        }
        let places = || vec![0; self.hierarchy.height];
        list.into_par_iter().with_max_len(4).for_each_init(places, |places, (row, own)| {
            let lows = self.hierarchy.lows(row);
            let below = lows.partition_point(|low| low.tail < rows.start);
            let done = Done { up: done.up, down: done.down, base: done.base };
            self.arch.dispatch(Row {
                task: *self,
                rank: row,
                lows: &lows[..below],
                fill: true,
                done,
                own,
                places,
            });
        });
    }
}

/// Weights of arcs that are final.
#[derive(Clone, Copy)]
struct Done<'a, const W: usize> {
    up: &'a [[u32; W]],
    down: &'a [[u32; W]],
    base: usize,
}

struct Rows<'a, const W: usize> {
    task: Task<'a, W>,
    range: Range<u32>,
    lowest: u32,
    fill: bool,
    arcs: Arcs<'a, W>,
    places: &'a mut [u32],
}

impl<const W: usize> WithSimd for Rows<'_, W> {
    type Output = ();

    #[expect(clippy::inline_always, reason = "a function of its own would not be made for the vector unit")]
    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) {
        let hierarchy = self.task.hierarchy;
        for row in self.range {
            let (done, rest) = self.arcs.lend().split(hierarchy.first[row as usize] as usize);
            let (own, _) = rest.split(hierarchy.first[row as usize + 1] as usize);
            let mut lows = hierarchy.lows(row);
            if !self.fill {
                let lowest = self.lowest;
                lows = &lows[lows.partition_point(|low| low.tail < lowest)..];
            }
            let done = Done { up: done.up, down: done.down, base: done.base };
            one_row(&self.task, row, lows, self.fill, done, own, self.places);
        }
    }
}

struct Row<'a, const W: usize> {
    task: Task<'a, W>,
    rank: u32,
    lows: &'a [Low],
    fill: bool,
    done: Done<'a, W>,
    own: Arcs<'a, W>,
    places: &'a mut [u32],
}

impl<const W: usize> WithSimd for Row<'_, W> {
    type Output = ();

    #[expect(clippy::inline_always, reason = "a function of its own would not be made for the vector unit")]
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        one_row(&self.task, self.rank, self.lows, self.fill, self.done, self.own, self.places);
    }
}

/// Writes one row: its links if `fill`, then what comes over `lows`, arcs of lower nodes that end here.
/// `places` is scratch of one entry per depth.
#[expect(clippy::inline_always, reason = "a function of its own would not be made for the vector unit")]
#[inline(always)]
fn one_row<const W: usize>(
    task: &Task<'_, W>,
    row: u32,
    lows: &[Low],
    fill: bool,
    done: Done<'_, W>,
    own: Arcs<'_, W>,
    places: &mut [u32],
) {
    let hierarchy = task.hierarchy;
    let (up, down) = (own.up, own.down);
    if fill {
        up.fill([UNREACHED; W]);
        down.fill([UNREACHED; W]);
        for input in hierarchy.inputs(row) {
            let weight = &task.weights[input.place as usize];
            let arc = (input.way / 2) as usize - own.base;
            let slot = if input.way % 2 == 0 { &mut up[arc] } else { &mut down[arc] };
            for lane in 0..W {
                // A weight of at least one, as the reference has it.
                slot[lane] = slot[lane].min(weight[lane].max(1));
            }
        }
    }
    if lows.is_empty() {
        return;
    }
    let heads = &hierarchy.head[hierarchy.row(row)];
    for (place, head) in (0..).zip(heads) {
        places[hierarchy.depth[*head as usize] as usize] = place;
    }
    let mut rest = lows;
    while let Some((low, others)) = rest.split_first() {
        let end = hierarchy.first[low.tail as usize + 1] as usize;
        // Nodes that follow each other and have the same heads from here on are taken together: their ways are added
        // up in registers.
        if let [b, c, d, ..] = others
            && follows(hierarchy, low, b)
            && follows(hierarchy, b, c)
            && follows(hierarchy, c, d)
        {
            let arcs = [low.arc as usize, b.arc as usize, c.arc as usize, d.arc as usize];
            over_lower(hierarchy, arcs, end, done, up, down, places);
            rest = &rest[4..];
        } else {
            over_lower(hierarchy, [low.arc as usize], end, done, up, down, places);
            rest = others;
        }
    }
}

/// Whether a lower node is the parent of another that has the same heads beyond the node at hand.
#[expect(clippy::inline_always, reason = "a function of its own would not be made for the vector unit")]
#[inline(always)]
fn follows(hierarchy: &Hierarchy, low: &Low, next: &Low) -> bool {
    let heads = |low: &Low| hierarchy.first[low.tail as usize + 1] - low.arc;
    next.tail == low.tail + 1 && hierarchy.parent[low.tail as usize] == next.tail && heads(low) == heads(next)
}

/// Takes over what comes over `K` lower nodes with the same heads, given by their arcs to the node at hand; `end` is
/// the end of the row of the first of them.
#[expect(clippy::inline_always, reason = "a function of its own would not be made for the vector unit")]
#[inline(always)]
fn over_lower<const W: usize, const K: usize>(
    hierarchy: &Hierarchy,
    arcs: [usize; K],
    end: usize,
    done: Done<'_, W>,
    up: &mut [[u32; W]],
    down: &mut [[u32; W]],
    places: &[u32],
) {
    let (mut to_lower, mut from_lower) = ([[0; W]; K], [[0; W]; K]);
    for k in 0..K {
        to_lower[k] = done.down[arcs[k] - done.base];
        from_lower[k] = done.up[arcs[k] - done.base];
    }
    let mut next = arcs[0] + 1;
    while next < end {
        let run = usize::from(hierarchy.run[next]);
        let place = places[hierarchy.depth[hierarchy.head[next] as usize] as usize] as usize;
        let mut ups: [&[[u32; W]]; K] = [&[]; K];
        let mut downs = ups;
        for k in 0..K {
            let from = next - arcs[0] + arcs[k] - done.base;
            ups[k] = &done.up[from..from + run];
            downs[k] = &done.down[from..from + run];
        }
        relax(&mut up[place..place + run], ups, &to_lower);
        relax(&mut down[place..place + run], downs, &from_lower);
        next += run;
    }
}

/// Lowers the weights of `target` to those over each of `K` nodes: `via` to the node, and `on` from there.
#[expect(clippy::inline_always, reason = "a function of its own would not be made for the vector unit")]
#[inline(always)]
fn relax<const W: usize, const K: usize>(target: &mut [[u32; W]], on: [&[[u32; W]]; K], via: &[[u32; W]; K]) {
    for (i, slot) in target.iter_mut().enumerate() {
        let mut best = *slot;
        for k in 0..K {
            for lane in 0..W {
                best[lane] = best[lane].min(on[k][i][lane].saturating_add(via[k][lane]));
            }
        }
        *slot = best;
    }
}
