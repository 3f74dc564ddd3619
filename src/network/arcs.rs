//! The network as arcs for the search, with turn bans built in.
//!
//! A ban forbids a sequence of arcs. The node of a search is a junction together with what of a ban has been
//! driven on the way to it: the state of an Aho–Corasick automaton over the forbidden sequences (Aho & Corasick
//! 1975; Villeneuve & Desaulniers 2005, The shortest path problem with forbidden paths, EJOR 165:97). Every
//! junction has one node for "nothing of a ban", with the number of the junction; further nodes stand for the
//! proper beginnings of forbidden sequences. A network without bans has no further node, and the arrays are those
//! of the plain graph, so that its search is the plain search.

use std::collections::{BTreeMap, VecDeque};

use super::graph::{Driven, Network};
use crate::ids::JunctionId;

/// Arcs in adjacency-array form. `first_out` has one entry more than there are nodes, rises, and ends at
/// the number of arcs; `head` and `link` have one entry per arc; `extra` has the junction of each node beyond the
/// junctions.
#[derive(Debug, Clone)]
pub struct Arcs {
    pub(super) first_out: Vec<u32>,
    pub(super) head: Vec<u32>,
    pub(super) link: Vec<u32>,
    pub(super) extra: Vec<u32>,
}

/// An arc of the plain graph: junction, junction, link, and whether the link is driven against its line.
type Plain = (u32, u32, u32, bool);

impl Arcs {
    /// The arcs of `network`: one for each direction in which a link may be driven, and copies of those that
    /// begin where a ban has begun.
    ///
    #[must_use]
    pub fn new(network: &Network) -> Self {
        let n = network.junction_count();
        let mut list: Vec<Plain> = Vec::with_capacity(2 * network.link_count());
        for (id, link) in network.links() {
            if link.direction.forward() {
                list.push((link.from.0, link.to.0, id.0, false));
            }
            if link.direction.backward() {
                list.push((link.to.0, link.from.0, id.0, true));
            }
        }
        list.sort_unstable();
        // The order of the shorter list is that of the longer one: a link is in it once for each direction.
        let mut arcs = Self::of_list(n, list.iter().map(|a| (a.0, a.1, a.2)).collect());
        if !network.bans().is_empty() {
            arcs.forbid(&Automaton::new(network), &list);
        }
        arcs
    }

    /// Arcs without turn bans, from (tail, head, link) in any order; ends are below `junctions`.
    ///
    /// # Panics
    /// If an end is none of the junctions.
    #[must_use]
    pub fn of_list(junctions: usize, mut list: Vec<(u32, u32, u32)>) -> Self {
        assert!(list.iter().all(|a| (a.0.max(a.1) as usize) < junctions), "an end beyond the junctions");
        list.sort_unstable();
        let mut first_out = vec![0; junctions + 1];
        for &(tail, ..) in &list {
            first_out[tail as usize + 1] += 1;
        }
        for i in 0..junctions {
            first_out[i + 1] += first_out[i];
        }
        Self {
            first_out,
            head: list.iter().map(|a| a.1).collect(),
            link: list.iter().map(|a| a.2).collect(),
            extra: Vec::new(),
        }
    }

    /// All arcs by their tails: tail, head and link.
    pub fn all(&self) -> impl Iterator<Item = (u32, u32, u32)> + '_ {
        (0..).zip(self.first_out.windows(2)).flat_map(move |(tail, range)| {
            let range = range[0] as usize..range[1] as usize;
            range.map(move |arc| (tail, self.head[arc], self.link[arc]))
        })
    }

    /// Junction and number of each node beyond the junctions, sorted.
    pub(super) fn copies(&self) -> Vec<(u32, u32)> {
        let first = u32::try_from(self.junction_count()).unwrap_or(u32::MAX);
        let mut copies: Vec<(u32, u32)> = self.extra.iter().copied().zip(first..).collect();
        copies.sort_unstable();
        copies
    }

    /// Adds the nodes of the automaton's states, and leads arcs to them.
    fn forbid(&mut self, automaton: &Automaton, list: &[Plain]) {
        let junctions = self.junction_count();
        // States in the order of their junctions, so that copies of a junction lie together.
        let mut states: Vec<(u32, usize)> = (1..automaton.states.len())
            .filter(|s| !automaton.states[*s].forbidden)
            .map(|s| (automaton.states[s].junction, s))
            .collect();
        states.sort_unstable();
        let mut node_of = vec![u32::MAX; automaton.states.len()];
        for (node, &(_, state)) in (junctions..).zip(&states) {
            node_of[state] = u32::try_from(node).unwrap_or(u32::MAX);
        }
        let head = |state: usize, arc: &Plain| -> Option<u32> {
            match automaton.next(state, (arc.2, arc.3)) {
                0 => Some(arc.1),
                next => Some(node_of[next]).filter(|n| *n != u32::MAX),
            }
        };
        for (arc, slot) in list.iter().zip(&mut self.head) {
            // One arc alone is never forbidden.
            *slot = head(0, arc).unwrap_or(arc.1);
        }
        for &(junction, state) in &states {
            let range =
                self.first_out[junction as usize] as usize..self.first_out[junction as usize + 1] as usize;
            for arc in &list[range] {
                if let Some(head) = head(state, arc) {
                    self.head.push(head);
                    self.link.push(arc.2);
                }
            }
            self.first_out.push(u32::try_from(self.head.len()).unwrap_or(u32::MAX));
            self.extra.push(junction);
        }
    }

    /// Number of nodes of the search: the junctions, and the copies that turn bans need.
    #[must_use]
    pub fn node_count(&self) -> usize {
        self.first_out.len() - 1
    }

    /// Number of junctions: nodes with a lower number are junctions themselves.
    #[must_use]
    pub fn junction_count(&self) -> usize {
        self.node_count() - self.extra.len()
    }

    /// Number of arcs.
    #[must_use]
    pub fn arc_count(&self) -> usize {
        self.head.len()
    }

    /// The junction of a node.
    #[must_use]
    pub fn junction_of(&self, node: u32) -> JunctionId {
        JunctionId(junction_of(&self.extra, self.junction_count(), node))
    }
}

/// The junction of a node, where nodes from `junctions` on stand at those of `extra`.
pub(super) fn junction_of(extra: &[u32], junctions: usize, node: u32) -> u32 {
    (node as usize).checked_sub(junctions).and_then(|copy| extra.get(copy)).copied().unwrap_or(node)
}

/// What has been driven of the forbidden sequences.
struct State {
    next: BTreeMap<(u32, bool), usize>,
    /// The longest other beginning of a sequence that this one ends with.
    fail: usize,
    /// Whether a forbidden sequence is complete here.
    forbidden: bool,
    /// Where it stands.
    junction: u32,
}

/// The automaton; state 0 is "nothing".
struct Automaton {
    states: Vec<State>,
}

impl Automaton {
    fn new(network: &Network) -> Self {
        let state = |junction| State { next: BTreeMap::new(), fail: 0, forbidden: false, junction };
        let mut states = vec![state(u32::MAX)];
        for way in network.bans() {
            let mut at = 0;
            for &driven in way {
                let new = states.len();
                let (link, against): Driven = driven;
                at = *states[at].next.entry((link.0, against)).or_insert(new);
                if at == new {
                    states.push(state(network.ends(driven).1.0));
                }
            }
            states[at].forbidden = true;
        }
        let mut out = Self { states };
        // Breadth first: what a state falls back to is shorter and has been seen.
        let mut queue: VecDeque<usize> = out.states[0].next.values().copied().collect();
        while let Some(at) = queue.pop_front() {
            let children: Vec<((u32, bool), usize)> =
                out.states[at].next.iter().map(|(label, child)| (*label, *child)).collect();
            for (label, child) in children {
                let fail = out.next(out.states[at].fail, label);
                // A sequence that contains a forbidden one is forbidden there already.
                let forbidden = out.states[at].forbidden || out.states[fail].forbidden;
                let slot = &mut out.states[child];
                slot.fail = fail;
                slot.forbidden |= forbidden;
                queue.push_back(child);
            }
        }
        out
    }

    /// The state after one more arc.
    fn next(&self, mut state: usize, label: (u32, bool)) -> usize {
        loop {
            if let Some(&next) = self.states[state].next.get(&label) {
                return next;
            }
            if state == 0 {
                return 0;
            }
            state = self.states[state].fail;
        }
    }
}
