//! Paths of an assignment, when asked for: trees of one origin, in one lane.
//!
//! An assignment finds by which way of the hierarchy each node that carries something is reached, and what each way
//! that carries something stands for. With both at hand, a way is unpacked once per lane, whatever the number of
//! origins whose paths take it, and a tree costs little more than its nodes.

use super::query::{Batch, Selection};
use super::ties::{Choice, end, start};
use super::unpack::Split;
use super::{NONE, number};
use crate::ids::{JunctionId, LinkId};
use crate::network::paths::{Growing, PathTree};

/// How the nodes that carry something of one origin are reached.
#[derive(Debug, Clone)]
pub(super) struct Sketch<const W: usize> {
    /// By destination: its nearest node, as a place in the union, in the lanes with demand; else [`NONE`].
    pub(super) ends: Vec<[u32; W]>,
    /// By place in the union, ascending: the way down to it, or [`NONE`] where the path comes over lower nodes.
    pub(super) fallen: Vec<(u32, [u32; W])>,
    /// By position among the ancestors of the origin: the way up to it.
    pub(super) risen: Vec<[u32; W]>,
}

/// Paths of all origins of an assignment to the destinations for which there is demand.
#[derive(Debug)]
pub struct Paths<'a, const W: usize> {
    pub(super) batch: Batch<'a, W>,
    pub(super) selection: &'a Selection,
    pub(super) sketches: Vec<Sketch<W>>,
    /// What ways stand for; those of one way follow each other.
    pub(super) splits: Vec<Split>,
    /// By way: one more than the place of the first of its splits, or zero.
    pub(super) first: &'a [u32],
}

/// Paths in one lane.
#[derive(Debug)]
pub struct LanePaths<'p, 'a, const W: usize> {
    paths: &'p Paths<'a, W>,
    lane: usize,
    /// By place of a way's first split: where its links begin, and how many they are; zero for none yet.
    span: Vec<(u32, u32)>,
    /// Links of ways, one after the other, each with the node to which it leads.
    steps: Vec<(u32, u32)>,
    open: Vec<u32>,
    growing: Growing,
}

/// Where a path is followed back: along the links of a way, and then on from a node.
#[derive(Debug, Clone, Copy)]
struct Backtrack {
    from: u32,
    left: u32,
    /// Node at which the way begins.
    begin: u32,
    next: Stop,
}

#[derive(Debug, Clone, Copy)]
enum Stop {
    /// Place in the union.
    Place(u32),
    /// Position among the ancestors of the origin.
    Position(u32),
}

impl<'a, const W: usize> Paths<'a, W> {
    /// Those of a lane.
    #[must_use]
    pub fn lane(&self, lane: usize) -> LanePaths<'_, 'a, W> {
        LanePaths {
            paths: self,
            lane,
            span: vec![(0, 0); self.splits.len()],
            steps: Vec::new(),
            open: Vec::new(),
            growing: Growing::default(),
        }
    }

    /// Splits of a way, from the place of the first one on.
    fn splits_of(&self, way: u32) -> Option<(usize, impl Iterator<Item = &Split>)> {
        let first = (self.first[way as usize] as usize).checked_sub(1)?;
        Some((first, self.splits[first..].iter().take_while(move |split| split.way == way)))
    }
}

impl<const W: usize> LanePaths<'_, '_, W> {
    /// The paths of an origin to those destinations that `wanted` names, and for which it has demand.
    #[must_use]
    pub fn tree(&mut self, origin: usize, wanted: impl Fn(usize) -> bool) -> PathTree {
        let Paths { batch, selection, sketches, .. } = self.paths;
        let (hierarchy, lane) = (batch.hierarchy, self.lane);
        let Some(sketch) = sketches.get(origin) else { return PathTree::default() };
        let end = |(j, places): (usize, &[u32; W])| {
            let place = Some(places[lane]).filter(|place| *place != NONE && wanted(j))?;
            let node = hierarchy.node[selection.union[place as usize] as usize];
            Some((node, Backtrack { from: 0, left: 0, begin: node, next: Stop::Place(place) }))
        };
        let rank = selection.origin[origin];
        let root = hierarchy.node[rank as usize];
        let mut growing = std::mem::take(&mut self.growing);
        let ends = sketch.ends.iter().enumerate().map(end);
        let back = |trail: &mut Backtrack| self.back(sketch, rank, trail);
        let tree = growing.tree(hierarchy.node_count(), root, ends, back);
        self.growing = growing;
        tree
    }

    /// The path of an origin to a destination, from its beginning: each link with the junction to which it leads. Empty
    /// where there is no way or no demand, and from a junction to itself.
    #[must_use]
    pub fn path(&mut self, origin: usize, destination: usize) -> Vec<(LinkId, JunctionId)> {
        let tree = self.tree(origin, |j| j == destination);
        let hierarchy = self.paths.batch.hierarchy;
        let mut out = Vec::new();
        let mut at = tree.ends.get(destination).copied().unwrap_or(NONE);
        while at != NONE && at != 0 {
            let node = tree.nodes[at as usize];
            out.push((LinkId(node.link), hierarchy.junction_of(node.node)));
            at = node.parent;
        }
        out.reverse();
        out
    }

    /// The last link that is left of a path, with the node before it; `None` at the origin, which is `origin` by rank.
    fn back(&mut self, sketch: &Sketch<W>, origin: u32, trail: &mut Backtrack) -> Option<(u32, u32)> {
        let Paths { batch, selection, .. } = self.paths;
        let hierarchy = batch.hierarchy;
        while trail.left == 0 {
            let position =
                |rank: u32| hierarchy.depth[origin as usize].checked_sub(hierarchy.depth[rank as usize]);
            let way = match trail.next {
                Stop::Place(place) => {
                    let at = sketch.fallen.binary_search_by_key(&place, |fallen| fallen.0).ok()?;
                    let way = sketch.fallen[at].1[self.lane];
                    if way == NONE {
                        trail.next = Stop::Position(position(selection.union[place as usize])?);
                        continue;
                    }
                    way
                }
                Stop::Position(0) => return None,
                Stop::Position(position) => sketch.risen.get(position as usize)?[self.lane],
            };
            let (from, left) = self.unpacked(way)?;
            let before = start(hierarchy, way);
            let next = match trail.next {
                Stop::Place(_) => Stop::Place(selection.place[before as usize]),
                Stop::Position(_) => Stop::Position(position(before)?),
            };
            *trail = Backtrack { from, left, begin: hierarchy.node[before as usize], next };
        }
        trail.left -= 1;
        let at = (trail.from + trail.left) as usize;
        let before = if trail.left == 0 { trail.begin } else { self.steps[at - 1].1 };
        Some((self.steps[at].0, before))
    }

    /// Where the links of a way stand among the steps, and how many they are.
    fn unpacked(&mut self, way: u32) -> Option<(u32, u32)> {
        let (first, _) = self.paths.splits_of(way)?;
        if self.span[first].1 > 0 {
            return Some(self.span[first]);
        }
        let hierarchy = self.paths.batch.hierarchy;
        self.open.clear();
        self.open.push(way);
        // A way's parts before itself.
        while let Some(&way) = self.open.last() {
            let (first, mut splits) = self.paths.splits_of(way)?;
            let choice = splits.find(|split| split.lanes >> self.lane & 1 == 1)?.choice;
            let begin = self.steps.len();
            match choice {
                Choice::Link(link) => {
                    self.steps.push((link, hierarchy.node[end(hierarchy, way) as usize]));
                }
                Choice::Over(a, b) => {
                    let spans = [a, b].map(|part| self.paths.splits_of(part).map(|(at, _)| self.span[at]));
                    let [Some(of_a), Some(of_b)] = spans else { return None };
                    if of_a.1 == 0 || of_b.1 == 0 {
                        self.open
                            .extend([(a, of_a), (b, of_b)].into_iter().filter(|p| p.1.1 == 0).map(|p| p.0));
                        continue;
                    }
                    for (from, len) in [of_a, of_b] {
                        self.steps.extend_from_within(from as usize..(from + len) as usize);
                    }
                }
            }
            self.span[first] = (number(begin), number(self.steps.len() - begin));
            self.open.pop();
        }
        Some(self.span[first])
    }
}
