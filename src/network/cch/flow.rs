//! Flows of trips on links.
//!
//! 1. For each origin, demand is pushed from the destinations towards the origin, node by node: a node is reached over
//!    the arc for which the sum of labels is exact (`push`). What passes over arcs of the hierarchy is summed over
//!    all origins.
//! 2. From the highest arcs to the lowest, each arc that carries something in a lane is replaced by the link or by the two
//!    lower arcs it stands for in that lane, subtrees in parallel.
//! 3. Flows go down in that order, once for all origins.
//!
//! Flows are integers; nothing depends on the order of sums.

use std::sync::Mutex;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::customize::Metric;
use super::push::{Pushing, WayFlows};
use super::query::{Batch, Labels, Selection};
use super::ties::{Choice, Choices, lower_triangles, over};
use super::topology::{Hierarchy, Segment};

/// Demand by origin and destination of a selection (`origin * destinations + destination`), in any integer unit, in `P` parts
/// that are assigned side by side.
#[derive(Debug, Clone, Copy)]
pub enum Demand<'a, const P: usize, const W: usize> {
    /// The same in all lanes.
    Shared(&'a [[i64; P]]),
    /// By lane.
    ByLane(&'a [[[i64; P]; W]]),
}

impl<const P: usize, const W: usize> Demand<'_, P, W> {
    pub(super) fn at(&self, pair: usize, lane: usize) -> &[i64; P] {
        match self {
            Self::Shared(all) => &all[pair],
            Self::ByLane(all) => &all[pair][lane],
        }
    }
}

/// Flows on the links that carry any, in ascending order of the links.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinkFlows<const P: usize, const W: usize> {
    /// Links.
    pub link: Vec<u32>,
    /// By place of the link, by lane: flow of each part, both directions together.
    pub flow: Vec<[[i64; P]; W]>,
}

/// What an assignment gives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Assigned<const P: usize, const W: usize, T> {
    /// Flows.
    pub flows: LinkFlows<P, W>,
    /// What the visitor returned, by origin.
    pub visits: Vec<T>,
}

/// What assignments over one hierarchy work in: of some 12 bytes an arc and thread, as far as they are touched.
#[derive(Debug, Clone)]
pub struct Workspace<const P: usize, const W: usize> {
    pushing: Vec<Pushing<P, W>>,
    links: WayFlows<P, W>,
    /// By arc of the hierarchy, up and down: lanes in which it carries something.
    masks: Vec<[u8; 2]>,
}

impl<const P: usize, const W: usize> Workspace<P, W> {
    /// For `hierarchy`, over a network of `links` links.
    #[must_use]
    pub fn new(hierarchy: &Hierarchy, links: usize) -> Self {
        let masks = vec![[0; 2]; hierarchy.arc_count()];
        Self { pushing: vec![Pushing::new(hierarchy)], links: WayFlows::new(links), masks }
    }

    /// Assigns `demand` to cheapest paths, the same that the reference search finds. Demand without a way loads no link,
    /// and neither does demand from a junction to itself. `visit` sees the labels of each origin, for distances and paths.
    /// `batch` is of the hierarchy that this was made for.
    ///
    /// Sums of demand must fit in 64 bits.
    pub fn assign<T: Send>(
        &mut self,
        batch: Batch<'_, W>,
        selection: &Selection,
        demand: Demand<'_, P, W>,
        visit: impl Fn(&Labels<'_, W>) -> T + Sync,
    ) -> Assigned<P, W, T> {
        let idle = Mutex::new(std::mem::take(&mut self.pushing));
        let space = || {
            let used = idle.lock().ok().and_then(|mut idle| idle.pop());
            (used.unwrap_or_else(|| Pushing::new(batch.hierarchy)), choices(batch))
        };
        let (spaces, visits) = selection.each(batch, space, |labels, (pushing, choices)| {
            pushing.push(labels, demand, choices);
            labels.iter().map(&visit).collect()
        });
        self.pushing = spaces.into_iter().map(|(pushing, _)| pushing).collect();
        if let Some((first, others)) = self.pushing.split_first_mut() {
            for other in others {
                first.ways.take(&mut other.ways);
            }
            unpack(batch, &mut first.ways, &mut self.masks, &mut self.links);
        }
        let (link, flow) = self.links.sorted();
        self.links.clear();
        Assigned { flows: LinkFlows { link, flow }, visits }
    }
}

fn choices<const W: usize>(batch: Batch<'_, W>) -> [Choices<'_, W>; W] {
    std::array::from_fn(|lane| Choices::new(batch, lane))
}

/// Brings what `ways` carry down to links, and leaves `ways` empty and `masks` zero.
fn unpack<const P: usize, const W: usize>(
    batch: Batch<'_, W>,
    ways: &mut WayFlows<P, W>,
    masks: &mut [[u8; 2]],
    links: &mut WayFlows<P, W>,
) {
    for (way, lanes) in ways.lanes() {
        masks[(way / 2) as usize][(way % 2) as usize] = lanes;
    }
    let splits = splits(batch, &batch.hierarchy.segments, masks, 0);
    for split in splits.into_iter().flatten() {
        masks[(split.way / 2) as usize] = [0; 2];
        match split.choice {
            Choice::Link(link) => ways.hand_to(split.way, split.lanes, links, link),
            Choice::Over(first, second) => {
                ways.hand_on(split.way, split.lanes, first);
                ways.hand_on(split.way, split.lanes, second);
            }
        }
    }
    ways.clear();
}

/// What an arc stands for in some lanes.
#[derive(Debug, Clone, Copy)]
struct Split {
    way: u32,
    lanes: u8,
    choice: Choice,
}

/// What the arcs stand for that carry something, the highest first, in lists one after the other. `masks` has the lanes in which the arcs of the
/// segment carry something, up and down, from arc `base` on.
fn splits<const W: usize>(
    batch: Batch<'_, W>,
    segment: &Segment,
    masks: &mut [[u8; 2]],
    base: usize,
) -> Vec<Vec<Split>> {
    let hierarchy = batch.hierarchy;
    let own = if segment.below.is_empty() { segment.from..segment.to } else { segment.chain..segment.to };
    let mut out = Vec::new();
    let mut space = Space { triangles: Vec::new(), hits: Vec::new(), choices: choices(batch) };
    for rank in own.rev() {
        let row = hierarchy.row(rank);
        if masks[row.start - base..row.end - base].as_flattened().iter().fold(0, |any, m| any | m) == 0 {
            continue;
        }
        for arc in row {
            let carried = masks[arc - base];
            for (way, lanes) in (2 * super::number(arc)..).zip(carried).filter(|(_, lanes)| *lanes != 0) {
                let begin = out.len();
                decide(batch, way, lanes, &mut space, &mut out);
                for split in &out[begin..] {
                    if let Choice::Over(first, second) = split.choice {
                        for way in [first, second] {
                            masks[(way / 2) as usize - base][(way % 2) as usize] |= split.lanes;
                        }
                    }
                }
            }
        }
    }
    let mut parts = Vec::with_capacity(segment.below.len());
    let (mut rest, mut from) = (masks, base);
    for part in &segment.below {
        let to = hierarchy.first[part.to as usize] as usize;
        let (own, more) = rest.split_at_mut(to - from);
        parts.push((part, own, from));
        (rest, from) = (more, to);
    }
    let below: Vec<Vec<Vec<Split>>> =
        parts.into_par_iter().map(|(part, own, from)| splits(batch, part, own, from)).collect();
    std::iter::once(out).chain(below.into_iter().flatten()).collect()
}

/// What a thread splits with.
struct Space<'a, const W: usize> {
    triangles: Vec<[u32; 2]>,
    /// Lower nodes over which a way is exact, with the lanes in which it is.
    hits: Vec<(u8, [u32; 2])>,
    choices: [Choices<'a, W>; W],
}

/// Adds to `out` what `way` stands for in each of `lanes`.
fn decide<'a, const W: usize>(
    batch: Batch<'a, W>,
    way: u32,
    lanes: u8,
    space: &mut Space<'a, W>,
    out: &mut Vec<Split>,
) {
    let weight = batch.metric.way(way);
    let (mut found, mut tie) = (0_u8, 0_u8);
    let begin = out.len();
    // An arc stands for few things at most.
    let mut add = |lanes: u8, choice: Choice| {
        let new = lanes & !found;
        tie |= lanes & found;
        found |= lanes;
        if new != 0 {
            out.push(Split { way, lanes: new, choice });
        }
    };
    let inputs = batch.hierarchy.inputs(batch.hierarchy.tail[(way / 2) as usize]);
    let mut by_link = 0;
    for input in inputs.iter().filter(|input| input.way == way) {
        let own = &batch.weights[input.link as usize];
        let exact = lane_mask::<W>(|lane| own[lane].max(1) == weight[lane]) & lanes & !by_link;
        // Of parallel links that tie the first is taken, and that is the lowest.
        by_link |= exact;
        add(exact, Choice::Link(input.link));
    }
    lower_triangles(batch.hierarchy, way / 2, &mut space.triangles);
    space.hits.clear();
    let Space { triangles, hits, .. } = &mut *space;
    Arch::new().dispatch(Exact { metric: batch.metric, way, lanes, triangles, hits });
    for (lanes, arcs) in hits {
        add(*lanes, over(way, *arcs));
    }
    if tie != 0 {
        for split in &mut out[begin..] {
            split.lanes &= !tie;
        }
        for (lane, choices) in space.choices.iter_mut().enumerate().filter(|(lane, _)| tie >> lane & 1 == 1) {
            if let Some(choice) = choices.choose(way) {
                out.push(Split { way, lanes: 1 << lane, choice });
            }
        }
    }
}

/// Finds the lower nodes over which a way is exact in some of `lanes`.
struct Exact<'a, const W: usize> {
    metric: &'a Metric<W>,
    way: u32,
    lanes: u8,
    triangles: &'a [[u32; 2]],
    hits: &'a mut Vec<(u8, [u32; 2])>,
}

impl<const W: usize> WithSimd for Exact<'_, W> {
    type Output = ();

    #[expect(clippy::inline_always, reason = "a function of its own would not be made for the vector unit")]
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Metric { up, down } = self.metric;
        let weight = self.metric.way(self.way);
        let upward = self.way.is_multiple_of(2);
        for &[to_tail, to_head] in self.triangles {
            let (first, second) = if upward { (to_tail, to_head) } else { (to_head, to_tail) };
            let lanes = exact_lanes(&down[first as usize], &up[second as usize], weight) & self.lanes;
            if lanes != 0 {
                self.hits.push((lanes, [to_tail, to_head]));
            }
        }
    }
}

/// The lanes in which two weights add up to a third, as bits.
#[expect(clippy::inline_always, reason = "a function of its own would not be made for the vector unit")]
#[inline(always)]
pub(super) fn exact_lanes<const W: usize>(a: &[u32; W], b: &[u32; W], sum: &[u32; W]) -> u8 {
    let mut apart = [0_u32; W];
    for lane in 0..W {
        apart[lane] = a[lane].saturating_add(b[lane]) ^ sum[lane];
    }
    let any = apart.iter().fold(0, |any, lane| any | u32::from(*lane == 0));
    if any == 0 { 0 } else { zeros(&apart) }
}

/// The lanes that are zero, as bits. Seldom there are any; which they are is found apart, because the compiler would take
/// the question whether there are any into single lanes too.
#[inline(never)]
fn zeros<const W: usize>(lanes: &[u32; W]) -> u8 {
    lane_mask::<W>(|lane| lanes[lane] == 0)
}

/// The lanes for which something holds, as bits.
#[expect(clippy::inline_always, reason = "a function of its own would not be made for the vector unit")]
#[inline(always)]
pub(super) fn lane_mask<const W: usize>(holds: impl Fn(usize) -> bool) -> u8 {
    const { assert!(W <= 8, "a mask of lanes is a byte") };
    let mut mask = 0;
    for lane in 0..W {
        mask |= u8::from(holds(lane)) << lane;
    }
    mask
}
