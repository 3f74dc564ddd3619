//! Demand of one origin, pushed from its destinations to it over arcs of the hierarchy.

use pulp::{Arch, Simd, WithSimd};

use super::flow::{Demand, exact_lanes, lane_mask};
use super::paths::Sketch;
use super::query::Labels;
use super::sparse::{Parts, Sparse, add, add_lanes, carried};
use super::ties::{Choices, Reached, Tracing};
use super::topology::Hierarchy;
use super::{NONE, UNREACHED};

/// Lanes of a mask.
fn each_lane(lanes: u8) -> impl Iterator<Item = usize> {
    (0..8).filter(move |lane| lanes >> lane & 1 == 1)
}

/// Origins for which the arcs of a node are looked at together: as many as leave registers free.
const TOGETHER: usize = 4;

/// What a thread pushes with; it can be used again for the same hierarchy.
#[derive(Debug, Clone)]
pub(super) struct Pushing<const P: usize, const W: usize> {
    /// By way of the hierarchy: what passes over it, of all origins so far.
    pub(super) ways: Sparse<P, W>,
    /// By place in the union, for the origins of a block beside each other: what has come to a node and goes on from
    /// it.
    falling: Sparse<P, W>,
    /// By origin of a block, by position among its ancestors: what goes on over lower nodes alone.
    rising: Vec<Sparse<P, W>>,
    /// By position: lanes in which what has come is not yet handed on.
    waiting: Vec<u8>,
}

impl<const P: usize, const W: usize> Pushing<P, W> {
    pub(super) fn new(hierarchy: &Hierarchy) -> Self {
        Self {
            ways: Sparse::new(2 * hierarchy.arc_count()),
            falling: Sparse::new(0),
            rising: Vec::new(),
            waiting: vec![0; hierarchy.height()],
        }
    }

    /// Adds the trips of the origins of `labels`, which are of one block, to its ways. Returns how the nodes are
    /// reached, by origin, if that is asked for.
    pub(super) fn push(
        &mut self,
        labels: &[Labels<'_, W>],
        demand: Demand<'_, P, W>,
        choices: &mut [Choices<'_, W>; W],
        sketched: bool,
    ) -> Vec<Sketch<W>> {
        let Some(first) = labels.first() else { return Vec::new() };
        self.falling.make_room(first.selection.union_size(), labels.len());
        let more = self.rising.len().max(labels.len());
        self.rising.resize_with(more, || Sparse::new(self.waiting.len()));
        let sketch = |labels: &Labels<'_, W>| Sketch {
            ends: vec![[NONE; W]; labels.selection.destinations()],
            fallen: Vec::new(),
            risen: vec![[NONE; W]; labels.chain().rank.len()],
        };
        let mut sketches: Vec<Sketch<W>> = labels.iter().filter(|_| sketched).map(sketch).collect();
        for (b, labels) in labels.iter().enumerate() {
            let destinations = labels.selection.destinations();
            for j in 0..destinations {
                let pair = labels.origin() * destinations + j;
                for lane in 0..W {
                    let units = demand.at(pair, lane);
                    if *units != [0; P]
                        && let Some(place) = labels.nearest(j, lane)
                    {
                        add(&mut self.falling.slots(super::number(place))[b][lane], units);
                        if let Some(sketch) = sketches.get_mut(b) {
                            sketch.ends[j][lane] = super::number(place);
                        }
                    }
                }
            }
        }
        Arch::new().dispatch(Push { labels, pushing: self, choices, sketches: &mut sketches });
        self.rising.iter_mut().for_each(Sparse::clear);
        self.falling.clear();
        sketches
    }
}

struct Push<'p, 'l, 'a, const P: usize, const W: usize> {
    labels: &'p [Labels<'l, W>],
    pushing: &'p mut Pushing<P, W>,
    choices: &'p mut [Choices<'a, W>; W],
    /// By origin, or none.
    sketches: &'p mut [Sketch<W>],
}

impl<const P: usize, const W: usize> WithSimd for Push<'_, '_, '_, P, W> {
    type Output = ();

    #[expect(clippy::inline_always, reason = "a function of its own would not be made for the vector unit")]
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { labels, pushing, choices, sketches } = self;
        let Some(first) = labels.first() else { return };
        let mut reached: Vec<[Reached; W]> =
            labels.iter().map(|_| std::array::from_fn(|_| Reached::new())).collect();
        let mut falls: Vec<Falling<P, W>> = labels.iter().map(|_| Falling::nothing()).collect();
        // Node by node for all origins: its arcs are read once.
        for place in 0..first.selection.union_size() {
            let Some(flows) = pushing.falling.beside(super::number(place)) else { continue };
            for (fall, flow) in falls.iter_mut().zip(flows) {
                *fall = Falling { flow: *flow, left: carried(flow), over: [NONE; W] };
            }
            look(labels, place, &mut falls, choices, &mut reached);
            for (b, fall) in falls.iter().enumerate().filter(|(_, fall)| fall.left != 0) {
                if let Some(sketch) = sketches.get_mut(b) {
                    sketch.fallen.push((super::number(place), fall.over));
                }
            }
            fall(labels, place, &mut falls, pushing);
        }
        let Pushing { ways, rising, waiting, .. } = pushing;
        for (b, labels) in labels.iter().enumerate() {
            let sketch = sketches.get_mut(b);
            rise(*labels, &mut rising[b], waiting, choices, &mut reached[b], ways, sketch);
        }
    }
}

/// What falls from a node, of one origin.
#[derive(Clone, Copy)]
struct Falling<const P: usize, const W: usize> {
    flow: Parts<P, W>,
    /// Lanes that carry anything and are not yet handed on.
    left: u8,
    /// By lane: the way down to the node, or [`NONE`] where the path comes over lower nodes.
    over: [u32; W],
}

impl<const P: usize, const W: usize> Falling<P, W> {
    const fn nothing() -> Self {
        Self { flow: [[0; P]; W], left: 0, over: [NONE; W] }
    }
}

/// Finds over which ways a node is reached, for all origins that carry something there.
#[expect(clippy::inline_always, reason = "a function of its own would not be made for the vector unit")]
#[inline(always)]
fn look<const P: usize, const W: usize>(
    labels: &[Labels<'_, W>],
    place: usize,
    falls: &mut [Falling<P, W>],
    choices: &mut [Choices<'_, W>; W],
    reached: &mut [[Reached; W]],
) {
    let mut from = 0;
    while from < labels.len() {
        let together = if labels.len() - from < TOGETHER { 1 } else { TOGETHER };
        let group = from..from + together;
        if falls[group.clone()].iter().any(|fall| fall.left != 0) {
            let mut arcs = [[[NONE; W], [0; W]]; TOGETHER];
            if together == TOGETHER {
                arcs = tight::<TOGETHER, W>(labels[from], place);
            } else {
                [arcs[0]] = tight::<1, W>(labels[from], place);
            }
            for (b, arcs) in group.zip(arcs) {
                falls[b].over = over(labels[b], place, falls[b].left, arcs, choices, &mut reached[b]);
            }
        }
        from += together;
    }
}

/// By lane: the first arc over which a node is reached and one more than the last, or [`NONE`] and zero.
type Tight<const W: usize> = [[u32; W]; 2];

/// The arcs over which a node of the union is reached, for `G` origins from that of `labels` on.
#[expect(clippy::inline_always, reason = "a function of its own would not be made for the vector unit")]
#[inline(always)]
fn tight<const G: usize, const W: usize>(labels: Labels<'_, W>, place: usize) -> [Tight<W>; G] {
    let (mut first, mut last) = ([[NONE; W]; G], [[0; W]; G]);
    if let Some(own) = labels.beside::<G>(super::number(place), 1).next() {
        for run in labels.selection.runs(place) {
            let ways = &labels.batch.metric.down[run.arc as usize..][..run.len as usize];
            for ((from, way), arc) in labels.beside::<G>(run.place, run.len).zip(ways).zip(run.arc..) {
                for g in 0..G {
                    // Whole words of ones: another form would be taken apart into single lanes.
                    for lane in 0..W {
                        let sum = from[g][lane].saturating_add(way[lane]);
                        let exact = if sum == own[g][lane] { u32::MAX } else { 0 };
                        first[g][lane] = first[g][lane].min(arc | !exact);
                        last[g][lane] = last[g][lane].max((arc + 1) & exact);
                    }
                }
            }
        }
    }
    std::array::from_fn(|g| [first[g], last[g]])
}

/// The way down to a node in each of `lanes`, over one of the arcs that are tight, or [`NONE`] where the path comes
/// over lower nodes.
#[expect(clippy::inline_always, reason = "a function of its own would not be made for the vector unit")]
#[inline(always)]
fn over<const W: usize>(
    labels: Labels<'_, W>,
    place: usize,
    lanes: u8,
    [first, last]: Tight<W>,
    choices: &mut [Choices<'_, W>; W],
    reached: &mut [Reached; W],
) -> [u32; W] {
    let rank = labels.selection.union[place];
    let mut over = first.map(|arc| 2 * arc.min(NONE / 2) + 1);
    let one = lane_mask::<W>(|lane| first[lane].wrapping_add(1) == last[lane]);
    let (mut tie, position) = (!one, labels.position(rank));
    if let Some(position) = position {
        let (below, label) = (&labels.chain().label[position], labels.label(place));
        let turns = lane_mask::<W>(|lane| below[lane] == label[lane]);
        tie |= turns;
        each_lane(turns).for_each(|lane| over[lane] = NONE);
    }
    tie &= lane_mask::<W>(|lane| first[lane] != NONE) & lanes;
    // The origin itself is reached over nothing.
    for lane in each_lane(tie).filter(|_| position != Some(0)) {
        let mut paths = Tracing::new(labels, &mut choices[lane], &mut reached[lane]);
        over[lane] = paths.parent(rank, false).filter(|way| !way.is_multiple_of(2)).unwrap_or(NONE);
    }
    over
}

/// Hands on what falls from a node: lanes and origins with the same way go together.
#[expect(clippy::inline_always, reason = "a function of its own would not be made for the vector unit")]
#[inline(always)]
fn fall<const P: usize, const W: usize>(
    labels: &[Labels<'_, W>],
    place: usize,
    falls: &mut [Falling<P, W>],
    Pushing { ways, falling, rising, .. }: &mut Pushing<P, W>,
) {
    for b in 0..falls.len() {
        while falls[b].left != 0 {
            let way = falls[b].over[falls[b].left.trailing_zeros() as usize];
            if way == NONE {
                let Falling { flow, left, over } = &mut falls[b];
                let same = lane_mask::<W>(|lane| over[lane] == NONE) & *left;
                *left &= !same;
                if let Some(position) = labels[b].position(labels[b].selection.union[place]) {
                    add_lanes(rising[b].slot(super::number(position)), flow, same);
                }
                continue;
            }
            let head = labels[b].batch.hierarchy.head[(way / 2) as usize];
            let above = falling.slots(labels[b].selection.place[head as usize]);
            let mut sum = [[0; P]; W];
            for (Falling { flow, left, over }, above) in falls[b..].iter_mut().zip(&mut above[b..]) {
                let same = lane_mask::<W>(|lane| over[lane] == way) & *left;
                if same != 0 {
                    *left &= !same;
                    add_lanes(above, flow, same);
                    add_lanes(&mut sum, flow, same);
                }
            }
            ways.slot(way).iter_mut().zip(&sum).for_each(|(all, new)| add(all, new));
        }
    }
}

/// From where paths turn, down the ancestors of the origin to itself.
#[expect(clippy::inline_always, reason = "a function of its own would not be made for the vector unit")]
#[inline(always)]
fn rise<const P: usize, const W: usize>(
    labels: Labels<'_, W>,
    rising: &mut Sparse<P, W>,
    waiting: &mut [u8],
    choices: &mut [Choices<'_, W>; W],
    reached: &mut [Reached; W],
    flows: &mut Sparse<P, W>,
    mut sketch: Option<&mut Sketch<W>>,
) {
    let (hierarchy, chain) = (labels.batch.hierarchy, labels.chain());
    let deepest = hierarchy.depth[chain.rank[0] as usize];
    for position in (0..chain.rank.len()).rev() {
        let (rank, label) = (chain.rank[position], &chain.label[position]);
        // What waits above for a node from which it is reached.
        let row = hierarchy.row(rank);
        let mut arc = row.start;
        while arc < row.end && *label != [UNREACHED; W] {
            let run = usize::from(hierarchy.run[arc]);
            let place = (deepest - hierarchy.depth[hierarchy.head[arc] as usize]) as usize;
            let here = &mut waiting[place..place + run];
            // Few nodes have something to hand on.
            if here.iter().fold(0, |any, lanes| any | lanes) != 0 {
                let ways = &labels.batch.metric.up[arc..arc + run];
                let above = &chain.label[place..place + run];
                for (k, ((waiting, way), above)) in here.iter_mut().zip(ways).zip(above).enumerate() {
                    let exact = if *waiting == 0 { 0 } else { exact_lanes(label, way, above) & *waiting };
                    if exact == 0 {
                        continue;
                    }
                    *waiting &= !exact;
                    if let Some(flow) = rising.get(super::number(place + k)).copied() {
                        add_lanes(flows.slot(2 * super::number(arc + k)), &flow, exact);
                        add_lanes(rising.slot(super::number(position)), &flow, exact);
                        if let Some(sketch) = &mut sketch {
                            let way = 2 * super::number(arc + k);
                            each_lane(exact).for_each(|lane| sketch.risen[place + k][lane] = way);
                        }
                    }
                }
            }
            arc += run;
        }
        let Some(flow) = rising.get(super::number(position)).copied().filter(|_| position > 0) else {
            continue;
        };
        let lanes = carried(&flow);
        let tie = lane_mask::<W>(|lane| chain.tie[position][lane] != 0) & lanes;
        waiting[position] = lanes & !tie;
        for lane in each_lane(tie) {
            let mut paths = Tracing::new(labels, &mut choices[lane], &mut reached[lane]);
            let Some(way) = paths.parent(rank, true) else { continue };
            add(&mut flows.slot(way)[lane], &flow[lane]);
            if let Some(sketch) = &mut sketch {
                sketch.risen[position][lane] = way;
            }
            if let Some(below) = labels.position(hierarchy.tail[(way / 2) as usize]) {
                add(&mut rising.slot(super::number(below))[lane], &flow[lane]);
            }
        }
    }
}
