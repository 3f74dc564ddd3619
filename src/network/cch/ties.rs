//! Which of several cheapest paths the reference takes, in one lane.
//!
//! Cheapest paths to a node fall into classes: by the last node on them that is higher than all after it, or, on the
//! way up, by the last before it that is higher than all before. Each class is an arc of the hierarchy and a choice
//! of the same kind before it; a path over an arc is a link, or falls into classes by the highest node inside. Where
//! more than one class has cheapest paths, the best path of each is unpacked from its end until they differ. What has
//! been decided is kept, so that a network on which everything ties costs time, but not exponentially.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::query::{Batch, Labels};
use super::topology::{Hierarchy, Low};
use super::{NONE, UNREACHED};

/// What an arc of the hierarchy stands for, in one direction and lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Choice {
    /// A link of the network.
    Link(u32),
    /// Two arcs over a lower node, as ways: `2 a` up along arc `a`, `2 a + 1` down.
    Over(u32, u32),
}

/// Choices for the arcs of a hierarchy in one lane.
#[derive(Debug, Clone)]
pub(super) struct Choices<'a, const W: usize> {
    batch: Batch<'a, W>,
    lane: usize,
    known: BTreeMap<u32, Choice>,
}

/// The node at which a way begins.
pub(super) fn start(hierarchy: &Hierarchy, way: u32) -> u32 {
    let arc = (way / 2) as usize;
    if way.is_multiple_of(2) { hierarchy.tail[arc] } else { hierarchy.head[arc] }
}

/// The node to which a way leads.
pub(super) fn end(hierarchy: &Hierarchy, way: u32) -> u32 {
    start(hierarchy, way ^ 1)
}

/// Fills `out` with the lower nodes that both ends of an arc have: for each, its arc to the tail and to the head.
pub(super) fn lower_triangles(hierarchy: &Hierarchy, arc: u32, out: &mut Vec<[u32; 2]>) {
    out.clear();
    let of_tail = hierarchy.lows(hierarchy.tail[arc as usize]);
    let of_head = hierarchy.lows(hierarchy.head[arc as usize]);
    let Some(lowest) = of_tail.first() else { return };
    // The lower nodes of the tail lie far up the list of the head.
    let of_head = &of_head[of_head.partition_point(|low| low.tail < lowest.tail)..];
    // Every pair is written and the next one overwrites it unless it is one: which it is cannot be foreseen.
    out.resize(of_tail.len().min(of_head.len()) + 1, [0; 2]);
    let (mut i, mut j, mut count) = (0, 0, 0);
    while let (Some(a), Some(b)) = (of_tail.get(i), of_head.get(j)) {
        out[count] = [a.arc, b.arc];
        count += usize::from(a.tail == b.tail);
        i += usize::from(a.tail <= b.tail);
        j += usize::from(b.tail <= a.tail);
    }
    out.truncate(count);
}

/// The two ways that a way stands for over a lower node, given by its arcs to the tail and to the head.
pub(super) const fn over(way: u32, [to_tail, to_head]: [u32; 2]) -> Choice {
    if way.is_multiple_of(2) {
        Choice::Over(2 * to_tail + 1, 2 * to_head)
    } else {
        Choice::Over(2 * to_head + 1, 2 * to_tail)
    }
}

impl<'a, const W: usize> Choices<'a, W> {
    pub(super) const fn new(batch: Batch<'a, W>, lane: usize) -> Self {
        Self { batch, lane, known: BTreeMap::new() }
    }

    /// What a way, which is not closed, stands for.
    pub(super) fn choose(&mut self, way: u32) -> Option<Choice> {
        if let Some(known) = self.known.get(&way) {
            return Some(*known);
        }
        let mut best: Option<Choice> = None;
        for other in self.candidates(way) {
            best = Some(match best {
                Some(best) if self.compare(way, best, other) != Ordering::Greater => best,
                _ => other,
            });
        }
        if let Some(best) = best {
            self.known.insert(way, best);
        }
        best
    }

    fn candidates(&self, way: u32) -> Vec<Choice> {
        let (lane, weight) = (self.lane, self.batch.metric.way(way)[self.lane]);
        let mut out = Vec::new();
        let inputs = self.batch.hierarchy.inputs(self.batch.hierarchy.tail[(way / 2) as usize]);
        // Of parallel links the first is the lowest.
        let tight = |input: &&super::topology::Input| {
            input.way == way && self.batch.weights[input.place as usize][lane].max(1) == weight
        };
        out.extend(inputs.iter().find(tight).map(|input| Choice::Link(input.link)));
        let mut triangles = Vec::new();
        lower_triangles(self.batch.hierarchy, way / 2, &mut triangles);
        for choice in triangles.into_iter().map(|arcs| over(way, arcs)) {
            if let Choice::Over(first, second) = choice {
                let [first, second] = [first, second].map(|way| self.batch.metric.way(way)[lane]);
                if first.saturating_add(second) == weight {
                    out.push(choice);
                }
            }
        }
        out
    }

    fn compare(&mut self, way: u32, a: Choice, b: Choice) -> Ordering {
        let [mut a, mut b] = [a, b].map(|choice| Unpacking::of(start(self.batch.hierarchy, way), choice));
        loop {
            match (a.back(self), b.back(self)) {
                (Some(a), Some(b)) if a == b => {}
                (a, b) => return a.cmp(&b),
            }
        }
    }
}

/// A path that is unpacked from its end.
#[derive(Debug, Clone, Default)]
pub(super) struct Unpacking {
    /// What is not yet unpacked, the last part last. A link with the node at which it begins.
    stack: Vec<Part>,
}

#[derive(Debug, Clone, Copy)]
enum Part {
    Way(u32),
    Link { start: u32, link: u32 },
}

impl Unpacking {
    fn of(start: u32, choice: Choice) -> Self {
        let mut out = Self::default();
        out.push(start, choice);
        out
    }

    fn push(&mut self, start: u32, choice: Choice) {
        match choice {
            Choice::Link(link) => self.stack.push(Part::Link { start, link }),
            Choice::Over(first, second) => self.stack.extend([Part::Way(first), Part::Way(second)]),
        }
    }

    /// The last link that is left, with the node (in the numbers of the network) at which it begins.
    fn back<const W: usize>(&mut self, choices: &mut Choices<'_, W>) -> Option<(u32, u32)> {
        loop {
            match self.stack.pop()? {
                Part::Link { start, link } => {
                    return Some((link, choices.batch.hierarchy.node[start as usize]));
                }
                Part::Way(way) => {
                    let choice = choices.choose(way)?;
                    self.push(start(choices.batch.hierarchy, way), choice);
                }
            }
        }
    }
}

/// The cheapest paths from one origin, in one lane.
#[derive(Debug)]
pub(super) struct Tracing<'l, 'a, 'c, const W: usize> {
    labels: Labels<'l, W>,
    choices: &'c mut Choices<'a, W>,
    known: &'c mut Reached,
}

/// By rank, and whether only ways over lower nodes count: the way by which a node is reached from an origin.
pub(super) type Reached = BTreeMap<(u32, bool), u32>;

/// A path that is followed back to the origin.
#[derive(Debug, Clone)]
pub(super) struct Trail {
    parts: Unpacking,
    /// Where it goes on when its parts are done.
    at: u32,
    rising: bool,
}

impl Trail {
    fn over(hierarchy: &Hierarchy, way: u32) -> Self {
        let parts = Unpacking { stack: vec![Part::Way(way)] };
        Self { parts, at: start(hierarchy, way), rising: way.is_multiple_of(2) }
    }
}

impl<'l, 'a, 'c, const W: usize> Tracing<'l, 'a, 'c, W> {
    pub(super) fn new(
        labels: Labels<'l, W>,
        choices: &'c mut Choices<'a, W>,
        known: &'c mut Reached,
    ) -> Self {
        Self { labels, choices, known }
    }

    /// The link before the last one that was given, with the node at which it begins; `None` at the origin.
    pub(super) fn back(&mut self, trail: &mut Trail) -> Option<(u32, u32)> {
        loop {
            if let Some(link) = trail.parts.back(self.choices) {
                return Some(link);
            }
            let way = self.parent(trail.at, trail.rising)?;
            *trail = Trail::over(self.labels.batch.hierarchy, way);
        }
    }

    /// The way by which the path comes to a node; `None` for the origin, and where nothing comes. `rising`: over lower
    /// nodes alone.
    pub(super) fn parent(&mut self, rank: u32, rising: bool) -> Option<u32> {
        if let Some(&way) = self.known.get(&(rank, rising)) {
            return Some(way);
        }
        let mut best: Option<u32> = None;
        for other in self.candidates(rank, rising) {
            best = Some(match best {
                Some(best) if self.compare(best, other) != Ordering::Greater => best,
                _ => other,
            });
        }
        if let Some(best) = best {
            self.known.insert((rank, rising), best);
        }
        best
    }

    fn candidates(&self, rank: u32, rising: bool) -> Vec<u32> {
        let (labels, hierarchy, lane) = (&self.labels, self.labels.batch.hierarchy, self.choices.lane);
        let (mut out, chain) = (Vec::new(), labels.chain());
        let position = labels.position(rank);
        let below = position.map_or(UNREACHED, |p| chain.label[p][lane]);
        let label = match labels.selection.place[rank as usize] {
            place if !rising && place != NONE => {
                let label = labels.label(place as usize)[lane];
                for run in labels.selection.runs(place as usize) {
                    for k in 0..run.len {
                        let reach = labels.label((run.place + k) as usize)[lane]
                            .saturating_add(labels.batch.metric.down[(run.arc + k) as usize][lane]);
                        if reach == label {
                            out.push(2 * (run.arc + k) + 1);
                        }
                    }
                }
                label
            }
            _ => below,
        };
        if label == UNREACHED || position == Some(0) {
            return Vec::new();
        }
        if label == below {
            for &Low { tail, arc } in hierarchy.lows(rank) {
                let tight = |p: usize| {
                    chain.label[p][lane].saturating_add(labels.batch.metric.up[arc as usize][lane]) == label
                };
                if labels.position(tail).is_some_and(tight) {
                    out.push(2 * arc);
                }
            }
        }
        out
    }

    fn compare(&mut self, a: u32, b: u32) -> Ordering {
        let [mut a, mut b] = [a, b].map(|way| Trail::over(self.labels.batch.hierarchy, way));
        loop {
            match (self.back(&mut a), self.back(&mut b)) {
                (Some(a), Some(b)) if a == b => {}
                (a, b) => return a.cmp(&b),
            }
        }
    }
}
