//! What passes over ways of the hierarchy, brought down to links.
//!
//! Nodes are taken from the highest down, so that what passes over the arcs of a node is complete when its turn comes.
//! Few of them carry something. The node's lower neighbours are marked, and for each arc that carries something the
//! lower neighbours of its head are gone through for marked ones. What a way carries goes on to the link or to the two
//! lower ways for which it stands, and both are in the same part of the elimination tree: parts are taken in parallel,
//! each with the flows of its own ways.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::flow::{exact_lanes, lane_mask};
use super::query::Batch;
use super::sparse::{Few, Parts, Sparse, add_lanes, carried};
use super::ties::{Choice, Choices, over};
use super::topology::Segment;

/// What a way stands for in some lanes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Split {
    pub(super) way: u32,
    pub(super) lanes: u8,
    pub(super) choice: Choice,
}

/// What comes of a part of the hierarchy.
#[derive(Debug)]
pub(super) struct Unpacked<const P: usize, const W: usize> {
    /// Flows on links: of a link once for each row that takes it in.
    pub(super) links: Vec<(u32, Parts<P, W>)>,
    /// What ways stand for, if that is wanted; those of one way follow each other.
    pub(super) splits: Vec<Split>,
}

/// Brings what `ways` carry down to links, and leaves `ways` empty.
pub(super) fn unpack<const P: usize, const W: usize>(
    batch: Batch<'_, W>,
    ways: &mut Sparse<P, W>,
    splits: bool,
) -> Vec<Unpacked<P, W>> {
    let part = Part {
        batch,
        segment: &batch.hierarchy.segments,
        base: 0,
        place: &mut ways.place,
        flows: std::mem::take(&mut ways.few),
        splits,
    };
    part.unpack()
}

/// A part of the hierarchy, with the flows of its ways.
struct Part<'a, 'p, const P: usize, const W: usize> {
    batch: Batch<'a, W>,
    segment: &'a Segment,
    /// First arc.
    base: usize,
    /// By way, from that of the first arc on: where its flow stands.
    place: &'p mut [u32],
    flows: Few<P, W>,
    /// Whether splits are wanted.
    splits: bool,
}

impl<const P: usize, const W: usize> Part<'_, '_, P, W> {
    fn unpack(mut self) -> Vec<Unpacked<P, W>> {
        if self.flows.key.is_empty() {
            return Vec::new();
        }
        let segment = self.segment;
        let lowest = if segment.below.is_empty() { segment.from } else { segment.chain };
        let own = self.rows(lowest);
        let below: Vec<Vec<Unpacked<P, W>>> = self.parts_below().into_par_iter().map(Part::unpack).collect();
        std::iter::once(own).chain(below.into_iter().flatten()).collect()
    }

    /// Rows from the highest of the part down to that of node `lowest`.
    fn rows(&mut self, lowest: u32) -> Unpacked<P, W> {
        let Self { batch, segment, base, place, flows, splits } = self;
        let (hierarchy, first_way) = (batch.hierarchy, 2 * *base);
        let mut space = Space {
            batch: *batch,
            lowest: segment.from,
            marks: vec![0; (segment.to - segment.from) as usize],
            triangles: Vec::new(),
            hits: Vec::new(),
            choices: std::array::from_fn(|lane| Choices::new(*batch, lane)),
        };
        let mut out = Unpacked { links: Vec::new(), splits: Vec::new() };
        let (mut masks, mut of_row) = (Vec::new(), Vec::new());
        for rank in (lowest..segment.to).rev() {
            let row = hierarchy.row(rank);
            let here = &place[2 * row.start - first_way..2 * row.end - first_way];
            if here.iter().all(|place| *place == 0) {
                continue;
            }
            let lanes =
                |place: &u32| (*place as usize).checked_sub(1).map_or(0, |at| carried(&flows.flow[at]));
            masks.clear();
            masks.extend(here.as_chunks::<2>().0.iter().map(|ways| ways.each_ref().map(lanes)));
            of_row.clear();
            space.split_row(rank, &masks, &mut of_row);
            // Where ways tie, what was found first may be left with no lane.
            of_row.retain(|split| split.lanes != 0);
            let links = out.links.len();
            for Split { way, lanes, choice } in &of_row {
                let at = place[*way as usize - first_way] as usize - 1;
                let flow = flows.flow[at];
                match choice {
                    Choice::Link(link) => {
                        let known = out.links[links..].iter().position(|(known, _)| known == link);
                        let at = known.map_or(out.links.len(), |at| links + at);
                        if known.is_none() {
                            out.links.push((*link, [[0; P]; W]));
                        }
                        add_lanes(&mut out.links[at].1, &flow, *lanes);
                    }
                    Choice::Over(first, second) => {
                        for way in [*first, *second] {
                            let place = &mut place[way as usize - first_way];
                            add_lanes(&mut flows.slots(place, way, 1)[0], &flow, *lanes);
                        }
                    }
                }
            }
            place[2 * row.start - first_way..2 * row.end - first_way].fill(0);
            if *splits {
                out.splits.extend_from_slice(&of_row);
            }
        }
        out
    }

    /// The parts below this one, with the flows that its own rows have not taken.
    fn parts_below(self) -> Vec<Self> {
        let Self { batch, segment, base, place, flows, splits } = self;
        let mut parts: Vec<Self> = Vec::with_capacity(segment.below.len());
        let (mut rest, mut from) = (place, base);
        for part in &segment.below {
            let to = batch.hierarchy.first[part.to as usize] as usize;
            let (own, more) = rest.split_at_mut(2 * (to - from));
            let flows = Few::default();
            parts.push(Part { batch, segment: part, base: from, place: own, flows, splits });
            (rest, from) = (more, to);
        }
        for (way, flow) in flows.key.into_iter().zip(flows.flow) {
            let arc = way as usize / 2;
            if arc >= from {
                continue;
            }
            let after = parts.partition_point(|part| part.base <= arc);
            let Some(part) = after.checked_sub(1).and_then(|at| parts.get_mut(at)) else { continue };
            let place = &mut part.place[way as usize - 2 * part.base];
            *place = 0;
            part.flows.slots(place, way, 1)[0] = flow;
        }
        parts
    }
}

/// Something that a way stands for.
#[derive(Debug, Clone, Copy)]
struct Hit {
    way: u32,
    lanes: u8,
    choice: Choice,
}

/// What a thread splits with.
struct Space<'a, const W: usize> {
    batch: Batch<'a, W>,
    /// Lowest rank of the segment.
    lowest: u32,
    /// By rank, from there on: one more than the arc from a lower neighbour of the node at hand, else zero.
    marks: Vec<u32>,
    triangles: Vec<[u32; 2]>,
    hits: Vec<Hit>,
    choices: [Choices<'a, W>; W],
}

impl<const W: usize> Space<'_, W> {
    /// Adds to `out` what the ways of a row stand for, in whose arcs `masks` says what they carry.
    fn split_row(&mut self, rank: u32, masks: &[[u8; 2]], out: &mut Vec<Split>) {
        let Self { batch, lowest, marks, triangles, hits, choices } = self;
        let first = super::number(batch.hierarchy.row(rank).start);
        hits.clear();
        for input in batch.hierarchy.inputs(rank) {
            let (weight, link) = (batch.metric.way(input.way), &batch.weights[input.place as usize]);
            let carried = masks[(input.way / 2 - first) as usize][(input.way % 2) as usize];
            let exact = lane_mask::<W>(|lane| link[lane].max(1) == weight[lane]) & carried;
            if exact != 0 {
                hits.push(Hit { way: input.way, lanes: exact, choice: Choice::Link(input.link) });
            }
        }
        Arch::new().dispatch(OverLower {
            batch: *batch,
            rank,
            masks,
            lowest: *lowest,
            marks,
            triangles,
            hits,
        });
        hits.sort_by_key(|hit| hit.way);
        for of_way in hits.chunk_by(|a, b| a.way == b.way) {
            let (begin, way) = (out.len(), of_way[0].way);
            let (mut found, mut by_link, mut tie) = (0_u8, 0_u8, 0_u8);
            for hit in of_way {
                let mut lanes = hit.lanes;
                if matches!(hit.choice, Choice::Link(_)) {
                    // Of parallel links that tie the first is taken, and that is the lowest.
                    lanes &= !by_link;
                    by_link |= lanes;
                }
                tie |= lanes & found;
                if lanes & !found != 0 {
                    out.push(Split { way, lanes: lanes & !found, choice: hit.choice });
                }
                found |= lanes;
            }
            if tie != 0 {
                for split in &mut out[begin..] {
                    split.lanes &= !tie;
                }
                for (lane, choices) in choices.iter_mut().enumerate().filter(|(lane, _)| tie >> lane & 1 == 1)
                {
                    if let Some(choice) = choices.choose(way) {
                        out.push(Split { way, lanes: 1 << lane, choice });
                    }
                }
            }
        }
    }
}

/// Finds the lower nodes over which the ways of a row are exact that carry something.
struct OverLower<'p, 'a, const W: usize> {
    batch: Batch<'a, W>,
    rank: u32,
    masks: &'p [[u8; 2]],
    lowest: u32,
    marks: &'p mut [u32],
    triangles: &'p mut Vec<[u32; 2]>,
    hits: &'p mut Vec<Hit>,
}

impl<const W: usize> WithSimd for OverLower<'_, '_, W> {
    type Output = ();

    #[expect(clippy::inline_always, reason = "a function of its own would not be made for the vector unit")]
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { batch: Batch { hierarchy, metric, .. }, rank, masks, lowest, marks, triangles, hits } =
            self;
        let lows = hierarchy.lows(rank);
        let Some(first) = lows.first() else { return };
        for low in lows {
            marks[(low.tail - lowest) as usize] = low.arc + 1;
        }
        for (arc, [upward, downward]) in hierarchy.row(rank).zip(masks).filter(|(_, m)| **m != [0; 2]) {
            let of_head = hierarchy.lows(hierarchy.head[arc]);
            let below = of_head.partition_point(|low| low.tail < first.tail);
            let of_head = &of_head[below..];
            let of_head = &of_head[..of_head.partition_point(|low| low.tail < rank)];
            // Every pair is written and the next one overwrites it unless it is one: which it is cannot be foreseen.
            triangles.resize(of_head.len() + 1, [0; 2]);
            let mut count = 0;
            for low in of_head {
                let mark = marks[(low.tail - lowest) as usize];
                triangles[count] = [mark, low.arc];
                count += usize::from(mark != 0);
            }
            let way = 2 * super::number(arc);
            for [mark, on] in &triangles[..count] {
                let arcs = [mark - 1, *on];
                let [to_lower, on] = arcs.map(|arc| arc as usize);
                if *upward != 0 {
                    let lanes = exact_lanes(&metric.down[to_lower], &metric.up[on], &metric.up[arc]) & upward;
                    if lanes != 0 {
                        hits.push(Hit { way, lanes, choice: over(way, arcs) });
                    }
                }
                if *downward != 0 {
                    let lanes =
                        exact_lanes(&metric.down[on], &metric.up[to_lower], &metric.down[arc]) & downward;
                    if lanes != 0 {
                        hits.push(Hit { way: way + 1, lanes, choice: over(way + 1, arcs) });
                    }
                }
            }
        }
        for low in lows {
            marks[(low.tail - lowest) as usize] = 0;
        }
    }
}
