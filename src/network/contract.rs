//! Contraction of chains: a junction where exactly two like stretches meet, and where nothing begins or ends,
//! is no junction.
//!
//! Which junctions remain, and which way a chain runs, depends on positions alone. A chain that comes back to
//! where it began keeps the last of its inner junctions in the order of positions, a closed ring its last two, so
//! that no link is a loop that was none before.

use super::draft::{Draft, NONE};
use crate::model::domain::Direction;

/// An edge, and whether it is passed against its line.
pub(super) type Step = (u32, bool);

/// Chains of edges, each a link to be.
#[derive(Debug, Default)]
pub(super) struct Chains {
    first: Vec<usize>,
    steps: Vec<Step>,
}

impl Chains {
    /// Number of chains.
    pub(super) fn len(&self) -> usize {
        self.first.len()
    }

    /// The edges of a chain in order.
    pub(super) fn steps(&self, chain: usize) -> &[Step] {
        let end = self.first.get(chain + 1).copied().unwrap_or(self.steps.len());
        &self.steps[self.first[chain]..end]
    }

    fn push(&mut self, steps: impl IntoIterator<Item = Step>) {
        self.first.push(self.steps.len());
        self.steps.extend(steps);
    }
}

/// The two edges at each node that is no junction; [`NONE`] at the others.
fn inner_nodes(draft: &Draft<'_>) -> Vec<[u32; 2]> {
    const FULL: u32 = NONE - 1;
    let mut out = vec![[NONE; 2]; draft.nodes.len()];
    for (edge, number) in draft.edges.iter().zip(0..) {
        for node in [edge.from, edge.to] {
            let slot = &mut out[node as usize];
            match *slot {
                [NONE, _] => slot[0] = number,
                [_, NONE] => slot[1] = number,
                _ => *slot = [FULL, FULL],
            }
        }
    }
    for (node, number) in draft.nodes.iter().zip(0..) {
        let [a, b] = out[number as usize];
        let pass = !node.anchor && b != NONE && b != FULL && a != b && alike(draft, a, b, number);
        if !pass {
            out[number as usize] = [NONE; 2];
        }
    }
    out
}

/// Whether two edges that meet at `node` are stretches of the same road.
fn alike(draft: &Draft<'_>, a: u32, b: u32, node: u32) -> bool {
    let (Some(x), Some(y)) = (draft.road(a), draft.road(b)) else { return false };
    // Both as they are passed on the way from `a` to `b`.
    let into = draft.direction(a, draft.edges[a as usize].from == node);
    let out = draft.direction(b, draft.edges[b as usize].from != node);
    into == out
        && into != Direction::Closed
        && x.reference == y.reference
        && x.class == y.class
        && x.surface == y.surface
        && x.toll == y.toll
        && x.region == y.region
        && x.schematic == y.schematic
}

/// All chains of `draft`. Every edge is in one of them.
pub(super) fn chains(draft: &Draft<'_>) -> Chains {
    let inner = inner_nodes(draft);
    let mut out = Chains::default();
    let mut done = vec![false; draft.edges.len()];
    let mut steps: Vec<Step> = Vec::new();
    for edge in 0..super::draft::short(draft.edges.len()) {
        if done[edge as usize] {
            continue;
        }
        // Back to where the chain begins, or once round a ring; then all of it forward.
        let (mut at, mut reversed) = (edge, true);
        while let Some(next) = next(draft, &inner, at, reversed).filter(|n| n.0 != edge) {
            (at, reversed) = next;
        }
        steps.clear();
        let mut step = Some((at, !reversed));
        while let Some((edge, reversed)) = step.filter(|s| !done[s.0 as usize]) {
            done[edge as usize] = true;
            steps.push((edge, reversed));
            step = next(draft, &inner, edge, reversed);
        }
        split(draft, &inner, &mut steps, &mut out);
    }
    out
}

/// The edge that follows on a chain; `None` at a junction.
fn next(draft: &Draft<'_>, inner: &[[u32; 2]], edge: u32, reversed: bool) -> Option<Step> {
    let end = draft.start(edge, !reversed);
    let [a, b] = inner[end as usize];
    let other = if a == edge { b } else { a };
    (other != NONE).then(|| (other, draft.edges[other as usize].from != end))
}

/// Adds a chain to `out`, in two where it would be a loop.
fn split(draft: &Draft<'_>, inner: &[[u32; 2]], steps: &mut [Step], out: &mut Chains) {
    let (Some(&first), Some(&last)) = (steps.first(), steps.last()) else { return };
    let begin = draft.start(first.0, first.1);
    if steps.len() < 2 || begin != draft.start(last.0, !last.1) {
        out.push(turned(draft, steps));
        return;
    }
    let node = |i: usize, steps: &[Step]| draft.nodes[draft.start(steps[i].0, steps[i].1) as usize];
    let greatest = |from: usize, steps: &[Step]| {
        (from..steps.len()).max_by(|&i, &j| node(i, steps).order(&node(j, steps))).unwrap_or(from)
    };
    // A ring has no junction: it begins at its last node.
    if inner[begin as usize][0] != NONE {
        let start = greatest(0, steps);
        steps.rotate_left(start);
    }
    let middle = greatest(1, steps);
    out.push(turned(draft, &steps[..middle]));
    out.push(turned(draft, &steps[middle..]));
}

/// The steps in the sense in which most of their length is drawn; of two halves, from the end that comes first in
/// the order of positions.
fn turned(draft: &Draft<'_>, steps: &[Step]) -> Vec<Step> {
    let mut balance = 0_i64;
    for &(edge, reversed) in steps {
        #[expect(clippy::cast_possible_truncation, reason = "saturates far beyond any road")]
        let millimetres = (draft.edges[edge as usize].length.0 * 1000.0).round() as i64;
        balance = balance.saturating_add(if reversed { -millimetres } else { millimetres });
    }
    let turn = match (balance.cmp(&0), steps) {
        (_, [only]) => only.1,
        (std::cmp::Ordering::Less, _) => true,
        (std::cmp::Ordering::Greater, _) => false,
        (std::cmp::Ordering::Equal, _) => match (steps.first(), steps.last()) {
            (Some(first), Some(last)) => {
                let begin = draft.nodes[draft.start(first.0, first.1) as usize];
                let end = draft.nodes[draft.start(last.0, !last.1) as usize];
                begin.order(&end).is_gt()
            }
            _ => false,
        },
    };
    if turn { steps.iter().rev().map(|&(e, r)| (e, !r)).collect() } else { steps.to_vec() }
}
