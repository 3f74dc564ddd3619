//! What the arcs stand for that carry something.
//!
//! Nodes are taken from the highest down. Few of the arcs of a node carry something. The node's lower neighbours are
//! marked, and for each of those arcs the lower neighbours of its head are gone through for marked ones.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::flow::{exact_lanes, lane_mask};
use super::query::Batch;
use super::ties::{Choice, Choices, over};
use super::topology::Segment;

/// What an arc stands for in some lanes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Split {
    pub(super) way: u32,
    pub(super) lanes: u8,
    pub(super) choice: Choice,
}

/// What the arcs stand for that carry something, the highest first, in lists one after the other. `masks` has the
/// lanes in which the arcs of the segment carry something, up and down, from arc `base` on.
pub(super) fn splits<const W: usize>(
    batch: Batch<'_, W>,
    segment: &Segment,
    masks: &mut [[u8; 2]],
    base: usize,
) -> Vec<Vec<Split>> {
    let hierarchy = batch.hierarchy;
    let own = if segment.below.is_empty() { segment.from..segment.to } else { segment.chain..segment.to };
    let choices = std::array::from_fn(|lane| Choices::new(batch, lane));
    let mut space = Space {
        batch,
        lowest: segment.from,
        marks: vec![0; (segment.to - segment.from) as usize],
        triangles: Vec::new(),
        hits: Vec::new(),
        choices,
    };
    let mut out = Vec::new();
    for rank in own.rev() {
        let row = hierarchy.row(rank);
        let of_row = &masks[row.start - base..row.end - base];
        if any(of_row) == 0 {
            continue;
        }
        let begin = out.len();
        space.split_row(rank, of_row, &mut out);
        for split in &out[begin..] {
            if let Choice::Over(first, second) = split.choice {
                for way in [first, second] {
                    masks[(way / 2) as usize - base][(way % 2) as usize] |= split.lanes;
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

/// The lanes in which any of some arcs carries something.
fn any(masks: &[[u8; 2]]) -> u8 {
    masks.as_flattened().iter().fold(0, |any, mask| any | mask)
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
            let (weight, link) = (batch.metric.way(input.way), &batch.weights[input.link as usize]);
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
