//! The ways that are roads, and the stretches between the nodes where they are cut.

use std::collections::{BTreeMap, HashSet};

use geo::{Geodesic, Length as _, LineString};
use petgraph::unionfind::UnionFind;
use rayon::prelude::*;

use super::nodes::{Nodes, degrees};
use super::reasons::{Dropped, Reason};
use super::tags::{Road, Speed, ferry_speed};
use crate::sources::raw::{RawRow, Value};

/// The fields of a row, in this order.
pub(super) const FIELDS: [&str; 10] =
    ["id", "ref", "class", "surface", "toll", "oneway", "speed_kmh", "from_node", "to_node", "level"];

/// Where in [`FIELDS`] class, direction and keys stand.
pub(super) const CLASS: usize = 2;
pub(super) const ONEWAY: usize = 5;
pub(super) const FROM_NODE: usize = 7;
pub(super) const TO_NODE: usize = 8;

/// Ways that are cut into rows at a time.
const CHUNK: usize = 1 << 15;

/// A way that is a road.
#[derive(Debug, Clone)]
pub(super) struct Way {
    pub(super) id: i64,
    pub(super) road: Road,
    /// Where its nodes begin among those of all ways, and how many they are.
    start: usize,
    count: u32,
}

/// Ways in the order of the file, then of their ids.
#[derive(Debug, Default)]
pub(super) struct Ways {
    pub(super) list: Vec<Way>,
    /// Ids of the nodes of all ways.
    refs: Vec<i64>,
}

impl Ways {
    /// Adds a way. A node that follows itself is taken once.
    pub(super) fn push(&mut self, id: i64, road: Road, refs: impl Iterator<Item = i64>) -> bool {
        let start = self.refs.len();
        for node in refs {
            if self.refs.len() == start || self.refs.last() != Some(&node) {
                self.refs.push(node);
            }
        }
        let count = self.refs.len() - start;
        if count < 2 {
            self.refs.truncate(start);
            return false;
        }
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.list.push(Way { id, road, start, count });
        true
    }

    /// Adds all of `other`.
    pub(super) fn append(&mut self, other: Self) {
        let before = self.refs.len();
        self.refs.extend(other.refs);
        self.list.extend(other.list.into_iter().map(|way| Way { start: way.start + before, ..way }));
    }

    /// Number of mentions of nodes.
    pub(super) const fn mentions(&self) -> usize {
        self.refs.len()
    }

    fn refs_of(&self, way: &Way) -> &[i64] {
        self.refs.get(way.start..way.start + way.count as usize).unwrap_or_default()
    }

    /// Sorts by id and drops what stands there twice. Returns the ids of those that differ.
    pub(super) fn sort(&mut self, dropped: &mut Dropped) -> Vec<i64> {
        self.list.par_sort_by_key(|way| way.id);
        let mut differ = Vec::new();
        let mut kept: Vec<Way> = Vec::new();
        if self.list.windows(2).any(|pair| matches!(pair, [a, b] if a.id == b.id)) {
            for way in std::mem::take(&mut self.list) {
                match kept.last().filter(|last| last.id == way.id) {
                    None => kept.push(way),
                    Some(last) if last.road == way.road && self.refs_of(last) == self.refs_of(&way) => {
                        dropped.add(Reason::Repeated);
                    }
                    Some(_) => differ.push(way.id),
                }
            }
            // What was dropped must not make its nodes shared.
            let mut ways = Self::default();
            for way in kept {
                let refs = self.refs_of(&way).to_vec();
                ways.push(way.id, way.road, refs.into_iter());
            }
            *self = ways;
        }
        differ
    }

    /// The nodes of the ways, and the ways by the indices of their nodes.
    pub(super) fn resolve(self) -> (Nodes, Lines) {
        let nodes = Nodes::of(&self.refs);
        // Limits keep the number of nodes far below 2^32.
        let index = |id: &i64| nodes.find(*id).and_then(|i| u32::try_from(i).ok()).unwrap_or(u32::MAX);
        let refs = self.refs.par_iter().map(index).collect();
        let lines = Lines { list: self.list, refs };
        (nodes, lines)
    }
}

/// Ways by the indices of their nodes.
#[derive(Debug, Default)]
pub(super) struct Lines {
    pub(super) list: Vec<Way>,
    refs: Vec<u32>,
}

/// Rows, and where those of each way begin.
#[derive(Debug, Default)]
pub(super) struct Cut {
    pub(super) rows: Vec<RawRow>,
    /// By way; one more at the end.
    pub(super) firsts: Vec<usize>,
}

impl Lines {
    fn refs_of(&self, way: &Way) -> &[u32] {
        self.refs.get(way.start..way.start + way.count as usize).unwrap_or_default()
    }

    /// Dropped the ways whose extent does not meet a box of west, south, east and north: their rows are most of what
    /// a whole country takes.
    pub(super) fn keep_within(&mut self, nodes: &Nodes, [west, south, east, north]: [f64; 4]) -> u64 {
        let before = self.list.len();
        let refs = &self.refs;
        self.list.retain(|way| {
            let nodes_of = refs.get(way.start..way.start + way.count as usize).unwrap_or_default();
            let mut at = nodes_of.iter().filter_map(|node| nodes.at(*node as usize)).map(degrees);
            let Some(first) = at.next() else { return true };
            let (low, high) = at.fold((first, first), |(low, high), c| {
                let low = geo::Coord { x: low.x.min(c.x), y: low.y.min(c.y) };
                (low, geo::Coord { x: high.x.max(c.x), y: high.y.max(c.y) })
            });
            low.x <= east && high.x >= west && low.y <= north && high.y >= south
        });
        (before - self.list.len()) as u64
    }

    /// Drops tracks and service ways that no other road reaches by way of others of their kind: only a footpath leads
    /// there, or the map lacks the road, so that no vehicle of the network can be on them. Where a file has no other
    /// road, all stay.
    pub(super) fn drop_unreached(&mut self, nodes: &Nodes) -> u64 {
        if self.list.iter().all(|way| way.road.is_access) {
            return 0;
        }
        let mut owner: Vec<u32> = vec![u32::MAX; nodes.len()];
        let mut parts: UnionFind<u32> = UnionFind::new(self.list.len());
        for (number, way) in (0..).zip(&self.list) {
            let passable = |node: &&u32| is_there(nodes, **node) && !nodes.is_blocked(**node as usize);
            for node in self.refs_of(way).iter().filter(passable) {
                match owner.get_mut(*node as usize) {
                    Some(slot) if *slot == u32::MAX => *slot = number,
                    Some(slot) => {
                        parts.union(*slot, number);
                    }
                    None => {}
                }
            }
        }
        let labels = parts.into_labeling();
        let roads = || self.list.iter().zip(&labels).filter(|(way, _)| !way.road.is_access);
        let reached: HashSet<u32> = roads().map(|(_, part)| *part).collect();
        let before = self.list.len();
        let mut label = labels.iter();
        self.list.retain(|way| {
            let part = label.next();
            !way.road.is_access || part.is_some_and(|part| reached.contains(part))
        });
        (before - self.list.len()) as u64
    }

    /// Makes neighbours on a road that have the same position one node: a stretch without length would be left
    /// out of the network, and with it the connection.
    pub(super) fn merge(&mut self, nodes: &mut Nodes) {
        let mut pairs: Vec<(u32, u32)> = self
            .list
            .par_iter()
            .flat_map_iter(|way| self.refs_of(way).windows(2))
            .filter_map(|pair| match pair {
                [a, b] if a != b && nodes.at(*a as usize).is_some() => {
                    (nodes.at(*a as usize) == nodes.at(*b as usize)).then(|| (*a.min(b), *a.max(b)))
                }
                _ => None,
            })
            .collect();
        pairs.sort_unstable();
        pairs.dedup();
        let mut parent: BTreeMap<u32, u32> = BTreeMap::new();
        let root = |parent: &BTreeMap<u32, u32>, mut node: u32| {
            while let Some(up) = parent.get(&node) {
                node = *up;
            }
            node
        };
        for (a, b) in pairs {
            let (a, b) = (root(&parent, a), root(&parent, b));
            if a != b {
                parent.insert(a.max(b), a.min(b));
            }
        }
        if parent.is_empty() {
            return;
        }
        for merged in parent.keys() {
            nodes.merge(*merged as usize, root(&parent, *merged) as usize);
        }
        let stands = |node: u32| u32::try_from(nodes.stands(node as usize)).unwrap_or(node);
        self.refs.par_iter_mut().for_each(|node| *node = stands(*node));
        for way in &mut self.list {
            let mut end = way.start;
            for at in way.start..way.start + way.count as usize {
                let node = self.refs.get(at).copied().unwrap_or_default();
                if end == way.start || self.refs.get(end - 1) != Some(&node) {
                    if let Some(slot) = self.refs.get_mut(end) {
                        *slot = node;
                    }
                    end += 1;
                }
            }
            way.count = u32::try_from(end - way.start).unwrap_or(u32::MAX);
        }
    }

    /// Cuts the ways into rows; nothing if there would be more than `most`.
    pub(super) fn cut(&self, nodes: &Nodes, most: u64, dropped: &mut Dropped) -> Option<Cut> {
        let counts: Vec<(usize, u64)> = self
            .list
            .par_iter()
            .map(|way| {
                let refs = self.refs_of(way);
                let missing = refs.iter().filter(|node| !is_there(nodes, **node)).count() as u64;
                let mut count = 0;
                stretches(refs, nodes, |_| count += 1);
                (count, missing)
            })
            .collect();
        let mut firsts = Vec::with_capacity(counts.len() + 1);
        let mut total = 0;
        for (count, missing) in counts {
            firsts.push(total);
            total += count;
            dropped.add_all(Reason::NodeMissing, missing);
            if count == 0 {
                dropped.add(if missing > 0 { Reason::Short } else { Reason::NoLength });
            }
        }
        firsts.push(total);
        if total as u64 > most {
            return None;
        }
        let mut rows = Vec::with_capacity(total);
        for (chunk, firsts) in self.list.chunks(CHUNK).zip(firsts.chunks(CHUNK)) {
            let made: Vec<Vec<RawRow>> = chunk
                .par_iter()
                .zip(firsts)
                .map(|(way, first)| rows_of(way, self.refs_of(way), nodes, *first as u64))
                .collect();
            rows.extend(made.into_iter().flatten());
        }
        Some(Cut { rows, firsts })
    }
}

fn is_there(nodes: &Nodes, node: u32) -> bool {
    nodes.at(node as usize).is_some()
}

/// Calls `each` with the nodes of every stretch of a way: cut where a node is shared, blocked, or missing.
///
/// A stretch that ends where it begins is cut in its middle once more, so that its two ends can be told apart
/// in a turn ban, and no link of the network is a loop.
fn stretches<'a>(refs: &'a [u32], nodes: &Nodes, mut each: impl FnMut(&'a [u32])) {
    let mut emit = |part: &'a [u32]| {
        let middle = part.len() / 2;
        let loops = part.first() == part.last();
        if loops && part.first().is_some_and(|node| !nodes.is_blocked(*node as usize)) {
            each(part.get(..=middle).unwrap_or_default());
            each(part.get(middle..).unwrap_or_default());
        } else {
            each(part);
        }
    };
    for run in refs.split(|node| !is_there(nodes, *node)) {
        let mut start = 0;
        for (end, node) in run.iter().enumerate().skip(1) {
            if nodes.is_cut(*node as usize) || end + 1 == run.len() {
                emit(run.get(start..=end).unwrap_or_default());
                start = end;
            }
        }
    }
}

/// The rows of a way; `first` is the number of rows before it.
fn rows_of(way: &Way, refs: &[u32], nodes: &Nodes, first: u64) -> Vec<RawRow> {
    let line = |part: &[u32]| -> LineString<f64> {
        part.iter().filter_map(|node| nodes.at(*node as usize)).map(degrees).collect()
    };
    let road = &way.road;
    let speed = match road.speed {
        Speed::Kmh(speed) => speed,
        Speed::Minutes(minutes) => ferry_speed(Geodesic.length(&line(refs)), minutes),
    };
    let text = |text: &str| Value::Text(text.to_owned());
    let mut rows = Vec::new();
    stretches(refs, nodes, |part| {
        let number = rows.len() as u64 + 1;
        let key = |node: Option<&u32>, end: i64| {
            let node = node.copied().unwrap_or_default() as usize;
            if nodes.is_blocked(node) {
                // Nothing else has it: the roads on either side end here.
                i64::MIN + (first + number).cast_signed() * 2 + end
            } else {
                nodes.id(node)
            }
        };
        let values = vec![
            text(&format!("w{}-{number}", way.id)),
            road.reference.as_deref().map_or(Value::Null, text),
            Value::Word(road.class),
            Value::Word(road.surface),
            Value::Word(if road.toll { "yes" } else { "no" }),
            Value::Word(road.direction.word()),
            Value::Real(speed),
            Value::Integer(key(part.first(), 0)),
            Value::Integer(key(part.last(), 1)),
            Value::Integer(road.level.into()),
        ];
        rows.push(RawRow { layer: None, row: first + number, values, geometry: Some(line(part).into()) });
    });
    rows
}
