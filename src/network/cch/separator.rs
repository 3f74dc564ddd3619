//! Small balanced vertex separators by inertial flow (Schild & Sommer 2015, On balanced separators in road networks).
//!
//! 1. Nodes are projected on a direction; the first and the last part of them become sources and sinks.
//! 2. A maximum flow between them in which every node has capacity one (Dinic 1970) is bounded by a smallest set of
//!    nodes that separates them (Menger 1927).
//! 3. Of several directions, and of the smallest set nearest to the sources and that nearest to the sinks, the one
//!    that is small and leaves two sides of like size is taken.
//!
//! A flow of node capacity one is a set of disjoint paths, so that its whole state is the node before and the node
//! after each node. Ties are broken by the number of the node: the separator depends on the piece alone.

use geo::Coord;

/// No node.
const NONE: u32 = u32::MAX;
/// In the place of the node before a source or after a sink.
const END: u32 = u32::MAX - 1;
/// Share of the nodes that are sources, and of those that are sinks. Wide bands make less work of a large piece, and
/// cost some of the choice between separators.
const BAND: f64 = 0.3;
const WIDE_BAND: f64 = 0.4;
/// Pieces of more nodes have wide bands, and half as many directions are tried.
const LARGE: usize = 60_000;
/// Pieces of at least this size have their directions computed two at a time.
const PARALLEL: usize = 20_000;
/// Directions, in the order in which they are tried.
const DIRECTIONS: [Coord<f64>; 8] = [
    Coord { x: 1.0, y: 0.0 },
    Coord { x: 0.0, y: 1.0 },
    Coord { x: 1.0, y: 1.0 },
    Coord { x: 1.0, y: -1.0 },
    Coord { x: 2.0, y: 1.0 },
    Coord { x: -1.0, y: 2.0 },
    Coord { x: 1.0, y: 2.0 },
    Coord { x: -2.0, y: 1.0 },
];

/// A part of a graph by itself: `node` has the number of each of its nodes in the whole, `first` and `head` are its
/// adjacency array in its own numbers, each edge in both directions.
#[derive(Debug, Clone, Default)]
pub(super) struct Piece {
    pub(super) node: Vec<u32>,
    pub(super) first: Vec<u32>,
    pub(super) head: Vec<u32>,
}

/// Where a node of a piece comes to lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// On the side of the sources.
    Near,
    /// On the side of the sinks.
    Far,
    /// In between.
    Separator,
}

/// A separator: the side of each node of the piece, and its direction.
#[derive(Debug, Clone)]
pub(super) struct Separation {
    pub(super) side: Vec<Side>,
    pub(super) direction: Coord<f64>,
    score: f64,
    size: u32,
}

impl Piece {
    pub(super) fn len(&self) -> usize {
        self.node.len()
    }

    pub(super) fn neighbours(&self, v: u32) -> &[u32] {
        &self.head[self.first[v as usize] as usize..self.first[v as usize + 1] as usize]
    }

    /// The part of the piece that lies on one side.
    pub(super) fn part(&self, side: &[Side], which: Side) -> Self {
        let mut number = vec![NONE; self.len()];
        let mut out = Self::default();
        for (v, slot) in number.iter_mut().enumerate().filter(|(v, _)| side[*v] == which) {
            *slot = super::number(out.node.len());
            out.node.push(self.node[v]);
        }
        out.first.reserve_exact(out.node.len() + 1);
        out.first.push(0);
        for v in (0..super::number(self.len())).filter(|v| side[*v as usize] == which) {
            out.head.extend(self.neighbours(v).iter().map(|w| number[*w as usize]).filter(|w| *w != NONE));
            out.first.push(super::number(out.head.len()));
        }
        out
    }

    /// A separator of the piece, whose nodes stand at `at` (in the numbers of the whole).
    pub(super) fn separate(&self, at: &[Coord<f64>]) -> Option<Separation> {
        let few = self.len() < 200 || self.len() > LARGE;
        let directions = if few { &DIRECTIONS[..4] } else { &DIRECTIONS[..] };
        let mut best: Option<Separation> = None;
        let better = |a: Option<Separation>, b: Option<Separation>| match (a, b) {
            (Some(a), Some(b)) => Some(if b.score < a.score { b } else { a }),
            (a, b) => a.or(b),
        };
        for pair in directions.chunks(2) {
            // What a direction may cost is known before a pair of them begins, not while it runs: what is found must
            // not depend on which is done first.
            let bound = best.as_ref().map_or(NONE, |b| b.size + b.size / 4 + 1);
            let try_one = |direction: Coord<f64>| self.separation(at, direction, bound);
            let (a, b) = match pair {
                [a, b] if self.len() >= PARALLEL => rayon::join(|| try_one(*a), || try_one(*b)),
                _ => (pair.first().and_then(|d| try_one(*d)), pair.get(1).and_then(|d| try_one(*d))),
            };
            best = better(best, better(a, b));
        }
        best
    }

    fn separation(&self, at: &[Coord<f64>], direction: Coord<f64>, bound: u32) -> Option<Separation> {
        let n = self.len();
        let mut along: Vec<(f64, u32)> = (0..)
            .zip(&self.node)
            .map(|(v, node)| {
                let at = at[*node as usize];
                (at.x * direction.x + at.y * direction.y, v)
            })
            .collect();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length")]
        let band = ((n as f64 * if n > LARGE { WIDE_BAND } else { BAND }) as usize).max(1);
        if n < 2 {
            return None;
        }
        let order = |a: &(f64, u32), b: &(f64, u32)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
        let mut band_of = vec![Band::Middle; n];
        let (sources, _, rest) = along.select_nth_unstable_by(band - 1, order);
        for (_, v) in sources {
            band_of[*v as usize] = Band::Source;
        }
        let others = rest.len();
        rest.select_nth_unstable_by(others - band, order);
        for (_, v) in &rest[others - band..] {
            band_of[*v as usize] = Band::Sink;
        }
        band_of[along[band - 1].1 as usize] = Band::Source;
        let mut flow = Flow::new(self, band_of);
        let size = flow.maximize(bound)?;
        let score = |side: &[Side]| {
            let count = |which| side.iter().filter(|s| **s == which).count();
            let smaller = count(Side::Near).min(count(Side::Far)).max(1);
            (f64::from(size) + 0.5) / (smaller as f64 / n as f64).sqrt()
        };
        let [near, far] = [flow.near_cut(), flow.far_cut()];
        let (a, b) = (score(&near), score(&far));
        let (side, score) = if b < a { (far, b) } else { (near, a) };
        Some(Separation { side, direction, score, size })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Band {
    Source,
    Middle,
    Sink,
}

/// A flow of disjoint paths. A node is entered at state `2 v` and left at state `2 v + 1`.
struct Flow<'a> {
    piece: &'a Piece,
    band: Vec<Band>,
    /// Sources with a neighbour that is none.
    frontier: Vec<u32>,
    /// By node: the node before it on its path, and the node after it.
    before: Vec<u32>,
    after: Vec<u32>,
    /// By state: moves from the sources.
    level: Vec<u32>,
    /// By node: the next neighbour to try.
    next: Vec<u32>,
    states: Vec<u32>,
}

impl<'a> Flow<'a> {
    fn new(piece: &'a Piece, band: Vec<Band>) -> Self {
        let n = piece.len();
        let outward = |v: &u32| {
            let leaves = |w: &u32| band[*w as usize] != Band::Source;
            band[*v as usize] == Band::Source && piece.neighbours(*v).iter().any(leaves)
        };
        let frontier = (0..super::number(n)).filter(outward).collect();
        Self {
            piece,
            frontier,
            before: vec![NONE; n],
            after: vec![NONE; n],
            level: vec![NONE; 2 * n],
            next: vec![0; n],
            states: Vec::new(),
            band,
        }
    }

    fn used(&self, v: u32) -> bool {
        self.before[v as usize] != NONE
    }

    /// The number of disjoint paths, or `None` if there are `bound` of them.
    fn maximize(&mut self, bound: u32) -> Option<u32> {
        let mut paths = 0;
        while self.levels() {
            self.next.fill(0);
            for i in 0..self.frontier.len() {
                if !self.used(self.frontier[i]) && self.advance(self.frontier[i]) {
                    paths += 1;
                    if paths >= bound {
                        return None;
                    }
                }
            }
        }
        Some(paths)
    }

    /// Counts moves from the sources to every state, breadth first, and says whether a sink is among them.
    fn levels(&mut self) -> bool {
        self.level.fill(NONE);
        let mut queue = std::mem::take(&mut self.states);
        queue.clear();
        queue.extend(self.frontier.iter().filter(|s| !self.used(**s)).map(|s| 2 * s));
        for state in &queue {
            self.level[*state as usize] = 0;
        }
        let (mut at, mut found) = (0, NONE);
        while let Some(&state) = queue.get(at) {
            at += 1;
            let (v, level) = (state / 2, self.level[state as usize]);
            if level >= found {
                break;
            }
            let mut visit = |to: u32| {
                let slot = &mut self.level[to as usize];
                if *slot == NONE {
                    *slot = level + 1;
                    queue.push(to);
                }
            };
            let before = self.before[v as usize];
            if state % 2 == 0 {
                match before {
                    NONE => visit(state + 1),
                    END => {}
                    before => visit(2 * before + 1),
                }
            } else if self.band[v as usize] == Band::Sink {
                found = level;
            } else {
                for &w in self.piece.neighbours(v) {
                    if self.band[w as usize] != Band::Source && self.after[v as usize] != w {
                        visit(2 * w);
                    }
                }
                if before != NONE {
                    visit(state - 1);
                }
            }
        }
        self.states = queue;
        found != NONE
    }

    /// Adds a path that begins at `source` and rises by one level with each move, if there is one.
    fn advance(&mut self, source: u32) -> bool {
        let mut path = std::mem::take(&mut self.states);
        path.clear();
        path.push(2 * source);
        let found = loop {
            let Some(&state) = path.last() else { break false };
            let v = state / 2;
            if state % 2 == 1 && self.band[v as usize] == Band::Sink {
                break true;
            }
            if let Some(to) = self.move_from(state) {
                path.push(to);
            } else {
                self.level[state as usize] = NONE;
                path.pop();
            }
        };
        if found {
            self.before[source as usize] = END;
            for pair in path.windows(2) {
                let (v, w) = ((pair[0] / 2) as usize, (pair[1] / 2) as usize);
                match (pair[0] % 2, v == w) {
                    (1, false) => {
                        self.after[v] = pair[1] / 2;
                        self.before[w] = pair[0] / 2;
                    }
                    (1, true) => {
                        self.after[v] = NONE;
                        self.before[v] = NONE;
                    }
                    _ => {}
                }
            }
            if let Some(last) = path.last() {
                self.after[(last / 2) as usize] = END;
            }
        }
        self.states = path;
        found
    }

    fn move_from(&mut self, state: u32) -> Option<u32> {
        let v = state / 2;
        let rises = self.level[state as usize] + 1;
        let before = self.before[v as usize];
        if state.is_multiple_of(2) {
            let to = match before {
                NONE => state + 1,
                END => return None,
                before => 2 * before + 1,
            };
            return (self.level[to as usize] == rises).then_some(to);
        }
        let neighbours = self.piece.neighbours(v);
        while let Some(&w) = neighbours.get(self.next[v as usize] as usize) {
            let open = self.band[w as usize] != Band::Source && self.after[v as usize] != w;
            if open && self.level[2 * w as usize] == rises {
                return Some(2 * w);
            }
            self.next[v as usize] += 1;
        }
        (before != NONE && self.level[state as usize - 1] == rises).then(|| state - 1)
    }

    /// The smallest separator nearest to the sources; after [`Self::maximize`], whose last levels it reads.
    fn near_cut(&self) -> Vec<Side> {
        let side = |v: u32| {
            let source = self.band[v as usize] == Band::Source;
            let [entered, left] = [0, 1].map(|s| self.level[(2 * v + s) as usize] != NONE);
            match (source || entered, self.used(v) && !left) {
                (true, true) => Side::Separator,
                (true, false) => Side::Near,
                (false, _) => Side::Far,
            }
        };
        (0..super::number(self.piece.len())).map(side).collect()
    }

    /// The smallest separator nearest to the sinks: what still could reach one is beyond it.
    fn far_cut(&mut self) -> Vec<Side> {
        let n = super::number(self.piece.len());
        let mut reaches = vec![false; 2 * self.piece.len()];
        let mut queue: Vec<u32> = (0..n)
            .filter(|v| self.band[*v as usize] == Band::Sink && !self.used(*v))
            .map(|v| 2 * v + 1)
            .collect();
        for state in &queue {
            reaches[*state as usize] = true;
        }
        while let Some(state) = queue.pop() {
            let v = state / 2;
            let mut visit = |from: u32| {
                if !std::mem::replace(&mut reaches[from as usize], true) {
                    queue.push(from);
                }
            };
            if state % 2 == 1 {
                match self.after[v as usize] {
                    END => {}
                    NONE => visit(state - 1),
                    after => visit(2 * after),
                }
            } else if self.band[v as usize] != Band::Source {
                for &u in self.piece.neighbours(v) {
                    if self.after[u as usize] != v && self.band[u as usize] != Band::Sink {
                        visit(2 * u + 1);
                    }
                }
                if self.used(v) {
                    visit(state + 1);
                }
            }
        }
        let side = |v: u32| {
            let sink = self.band[v as usize] == Band::Sink;
            let [enters, leaves] = [0, 1].map(|s| reaches[(2 * v + s) as usize]);
            match (sink || leaves, self.used(v) && !enters) {
                (true, true) => Side::Separator,
                (true, false) => Side::Far,
                (false, _) => Side::Near,
            }
        };
        (0..n).map(side).collect()
    }
}
