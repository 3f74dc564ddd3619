//! Flows of trips on links.
//!
//! 1. For each origin, demand is pushed from the destinations towards the origin, node by node: a node is reached over
//!    the arc for which the sum of labels is exact (`push`). What passes over arcs of the hierarchy is summed over
//!    all origins.
//! 2. From the highest arcs to the lowest, what passes over an arc in a lane goes on to the link or to the two lower
//!    arcs for which it stands in that lane, once for all origins, subtrees in parallel (`unpack`).
//!
//! Flows are integers; nothing depends on the order of sums.

use std::sync::Mutex;

use super::paths::{Paths, Sketch};
use super::push::Pushing;
use super::query::{Batch, Labels, Selection};
use super::sparse::{Parts, add};
use super::ties::Choices;
use super::topology::Hierarchy;
use super::unpack::{Split, Unpacked, unpack};

/// Demand by origin and destination of a selection (`origin * destinations + destination`), in any integer unit, in
/// `P` parts that are assigned side by side.
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
    pub flow: Vec<Parts<P, W>>,
}

/// What is wanted of an assignment beside flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Nothing.
    Flows,
    /// Paths of all origins.
    Paths,
}

/// What an assignment gives.
#[derive(Debug)]
pub struct Assigned<'a, const P: usize, const W: usize, T> {
    /// Flows.
    pub flows: LinkFlows<P, W>,
    /// What the visitor returned, by origin.
    pub visits: Vec<T>,
    /// Paths, of no origin unless they are wanted.
    pub paths: Paths<'a, W>,
}

/// What assignments over one hierarchy work in, as far as it is touched: 8 bytes an arc and thread, 8 more an arc once paths
/// are wanted, 4 a link. Beside it an assignment takes `8 P W` bytes for each way and link that carries something, twice
/// while flows are handed on.
#[derive(Debug, Clone)]
pub struct Workspace<const P: usize, const W: usize> {
    pushing: Vec<Pushing<P, W>>,
    /// By link: one more than its place among those that carry something, or zero.
    links: Vec<u32>,
    /// By way: one more than the place of its first split; nothing until paths are wanted.
    first: Vec<u32>,
    /// Ways of which it is known.
    known: Vec<u32>,
}

impl<const P: usize, const W: usize> Workspace<P, W> {
    /// For `hierarchy`.
    #[must_use]
    pub fn new(hierarchy: &Hierarchy) -> Self {
        let links = hierarchy.links().iter().max().map_or(0, |last| *last as usize + 1);
        Self {
            pushing: vec![Pushing::new(hierarchy)],
            links: vec![0; links],
            first: Vec::new(),
            known: Vec::new(),
        }
    }

    /// Assigns `demand` to cheapest paths, the same that the reference search finds. Demand without a way loads no
    /// link, and neither does demand from a junction to itself. `visit` sees the labels of each origin, for
    /// distances. `batch` is of the hierarchy that this was made for.
    ///
    /// Sums of demand must fit in 64 bits.
    pub fn assign<'a, T: Send>(
        &'a mut self,
        batch: Batch<'a, W>,
        selection: &'a Selection,
        demand: Demand<'_, P, W>,
        wanted: Wanted,
        visit: impl Fn(&Labels<'_, W>) -> T + Sync,
    ) -> Assigned<'a, P, W, T> {
        let idle = Mutex::new(std::mem::take(&mut self.pushing));
        let space = || {
            let used = idle.lock().ok().and_then(|mut idle| idle.pop());
            (used.unwrap_or_else(|| Pushing::new(batch.hierarchy)), choices(batch))
        };
        let (spaces, seen) = selection.each(batch, space, |labels, (pushing, choices)| {
            let sketches = pushing.push(labels, demand, choices, wanted == Wanted::Paths);
            let sketches = sketches.into_iter().map(Some).chain(std::iter::repeat_with(|| None));
            labels.iter().map(&visit).zip(sketches).collect()
        });
        let (visits, sketches): (Vec<T>, Vec<Option<Sketch<W>>>) = seen.into_iter().unzip();
        self.pushing = spaces.into_iter().map(|(pushing, _)| pushing).collect();
        // What no thread took stays for the next call.
        self.pushing.extend(idle.into_inner().unwrap_or_default());
        for way in self.known.drain(..) {
            self.first[way as usize] = 0;
        }
        let (mut flows, mut splits): (LinkFlows<P, W>, Vec<Split>) = Default::default();
        if let Some((first, others)) = self.pushing.split_first_mut() {
            for other in others {
                first.ways.take(&mut other.ways);
            }
            let unpacked = unpack(batch, &mut first.ways, wanted == Wanted::Paths);
            flows = collect(&unpacked, &mut self.links);
            splits = unpacked.into_iter().flat_map(|part| part.splits).collect();
        }
        if wanted == Wanted::Paths {
            self.first.resize(2 * batch.hierarchy.arc_count(), 0);
            for (at, split) in splits.iter().enumerate() {
                if at == 0 || splits[at - 1].way != split.way {
                    self.first[split.way as usize] = super::number(at + 1);
                    self.known.push(split.way);
                }
            }
        }
        let sketches = sketches.into_iter().flatten().collect();
        let paths = Paths { batch, selection, sketches, splits, first: &self.first };
        Assigned { flows, visits, paths }
    }
}

fn choices<const W: usize>(batch: Batch<'_, W>) -> [Choices<'_, W>; W] {
    std::array::from_fn(|lane| Choices::new(batch, lane))
}

/// The flows of all parts by link. `place` is by link, and zero before and after.
fn collect<const P: usize, const W: usize>(parts: &[Unpacked<P, W>], place: &mut [u32]) -> LinkFlows<P, W> {
    let all = || parts.iter().flat_map(|part| &part.links);
    all().for_each(|(link, _)| place[*link as usize] = 1);
    let mut out = LinkFlows { link: Vec::with_capacity(all().count()), flow: Vec::new() };
    for (link, place) in (0..).zip(&mut *place).filter(|(_, place)| **place != 0) {
        out.link.push(link);
        *place = super::number(out.link.len());
    }
    out.flow = vec![[[0; P]; W]; out.link.len()];
    for (link, flow) in all() {
        let slot = &mut out.flow[place[*link as usize] as usize - 1];
        slot.iter_mut().zip(flow).for_each(|(sum, flow)| add(sum, flow));
    }
    out.link.iter().for_each(|link| place[*link as usize] = 0);
    out
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

/// The lanes that are zero, as bits. Seldom there are any; which they are is found apart, because the compiler would
/// take the question whether there are any into single lanes too.
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
