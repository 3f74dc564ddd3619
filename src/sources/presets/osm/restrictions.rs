//! Turn restrictions, as bans of sequences of rows.
//!
//! <https://wiki.openstreetmap.org/wiki/Relation:restriction>

use std::collections::{BTreeMap, BTreeSet};

use osmpbf::{RelMemberType, Relation};

use super::nodes::Nodes;
use super::reasons::{Dropped, Reason};
use super::tags::Direction;
use super::ways::{Cut, FROM_NODE, ONEWAY, TO_NODE, Way};
use crate::sources::raw::{RawBan, Value};

/// Ways by which a restriction may lead at most.
const MAX_VIA: usize = 16;

/// A restriction that holds for motorcars at all times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Restriction {
    id: i64,
    /// Whether the turn is the only one that is allowed.
    only: bool,
    from: Vec<i64>,
    via: Via,
    to: Vec<i64>,
}

/// Where a turn is made.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Via {
    Node(i64),
    Ways(Vec<i64>),
}

/// Reads a relation; nothing if it is no restriction.
pub(super) fn read(relation: &Relation<'_>) -> Option<Result<Restriction, Reason>> {
    let mut is_restriction = false;
    // From the general to the particular.
    let mut values: [Option<&str>; 4] = [None; 4];
    let (mut other, mut timed, mut dated, mut exempt) = (false, false, false, false);
    for (key, value) in relation.tags() {
        let value = value.trim();
        match key {
            "type" => is_restriction = value == "restriction",
            "restriction" => values[0] = Some(value),
            "restriction:vehicle" => values[1] = Some(value),
            "restriction:motor_vehicle" => values[2] = Some(value),
            "restriction:motorcar" => values[3] = Some(value),
            "except" => {
                exempt = value
                    .split(';')
                    .any(|mode| matches!(mode.trim(), "motorcar" | "motor_vehicle" | "vehicle"));
            }
            "day_on" | "day_off" | "hour_on" | "hour_off" => dated = true,
            _ if key.starts_with("restriction") && key.ends_with(":conditional") => timed = true,
            _ if key.starts_with("restriction:") => other = true,
            _ => {}
        }
    }
    if !is_restriction {
        return None;
    }
    let value = values.into_iter().rev().flatten().next();
    Some(match value {
        _ if dated => Err(Reason::RestrictionTimed),
        None if timed => Err(Reason::RestrictionTimed),
        None if other => Err(Reason::RestrictionOther),
        None => Err(Reason::RestrictionKind),
        Some(_) if exempt => Err(Reason::RestrictionOther),
        Some("none" | "no") => Err(Reason::RestrictionOther),
        Some(value) => members(relation, value),
    })
}

fn members(relation: &Relation<'_>, value: &str) -> Result<Restriction, Reason> {
    let (only, many_from, many_to) = match value {
        "no_left_turn" | "no_right_turn" | "no_straight_on" | "no_u_turn" => (false, false, false),
        "only_left_turn" | "only_right_turn" | "only_straight_on" | "only_u_turn" => (true, false, false),
        "no_entry" => (false, true, false),
        "no_exit" => (false, false, true),
        _ => return Err(Reason::RestrictionKind),
    };
    let (mut from, mut to, mut nodes, mut ways) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for member in relation.members() {
        let list = match (member.role(), member.member_type) {
            (Ok("from"), RelMemberType::Way) => &mut from,
            (Ok("to"), RelMemberType::Way) => &mut to,
            (Ok("via"), RelMemberType::Node) => &mut nodes,
            (Ok("via"), RelMemberType::Way) => &mut ways,
            (Ok("from" | "to" | "via"), _) => return Err(Reason::RestrictionMembers),
            _ => continue,
        };
        list.push(member.member_id);
    }
    let fits = |list: &[i64], many: bool| list.len() == 1 || many && !list.is_empty();
    let via = match (nodes.as_slice(), ways.len()) {
        ([node], 0) => Via::Node(*node),
        ([], 1..=MAX_VIA) => Via::Ways(ways),
        _ => return Err(Reason::RestrictionMembers),
    };
    if !fits(&from, many_from) || !fits(&to, many_to) {
        return Err(Reason::RestrictionMembers);
    }
    Ok(Restriction { id: relation.id(), only, from, via, to })
}

/// A turn on rows: along `roads`, by the node `at` after the first, to the last from the node `out`.
struct Turn {
    restriction: usize,
    at: i64,
    out: i64,
    /// Without the last.
    roads: Vec<usize>,
    to: usize,
}

/// The bans of `restrictions`, in the order of their ids.
pub(super) fn bans(
    mut restrictions: Vec<Restriction>,
    ways: &[Way],
    nodes: &Nodes,
    cut: &Cut,
    dropped: &mut Dropped,
) -> Vec<RawBan> {
    restrictions.sort_by_key(|restriction| restriction.id);
    restrictions.dedup();
    let rows = Rows { ways, nodes, cut };
    let mut turns = Vec::new();
    for (i, restriction) in restrictions.iter().enumerate() {
        match rows.turns(i, restriction) {
            Ok(found) => turns.extend(found),
            Err(reason) => dropped.add(reason),
        }
    }
    // The ways out of the junctions where only one may be taken.
    let is_only = |turn: &&Turn| restrictions.get(turn.restriction).is_some_and(|r| r.only);
    let junctions: BTreeSet<i64> = turns.iter().filter(is_only).map(|turn| turn.out).collect();
    let mut outward: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    if !junctions.is_empty() {
        for row in 0..cut.rows.len() {
            let Some(ends) = rows.ends(row) else { continue };
            for key in ends.into_iter().filter(|key| junctions.contains(key) && rows.leaves(row, *key)) {
                outward.entry(key).or_default().push(row);
            }
        }
    }
    let mut bans = Vec::new();
    for turn in &turns {
        let Some(restriction) = restrictions.get(turn.restriction) else { continue };
        let banned: Vec<usize> = if restriction.only {
            let all = outward.get(&turn.out).into_iter().flatten().copied();
            all.filter(|row| *row != turn.to).collect()
        } else {
            vec![turn.to]
        };
        bans.extend(banned.into_iter().map(|last| RawBan {
            layer: None,
            row: 0,
            id: format!("r{}", restriction.id),
            via: Some(turn.at),
            roads: turn.roads.iter().chain([&last]).filter_map(|row| rows.id(*row)).collect(),
        }));
    }
    bans
}

/// The rows, by way and by end.
struct Rows<'a> {
    ways: &'a [Way],
    nodes: &'a Nodes,
    cut: &'a Cut,
}

impl Rows<'_> {
    fn value(&self, row: usize, field: usize) -> Option<&Value> {
        self.cut.rows.get(row)?.values.get(field)
    }

    fn id(&self, row: usize) -> Option<String> {
        self.value(row, 0)?.text()
    }

    /// The keys of the two ends.
    fn ends(&self, row: usize) -> Option<[i64; 2]> {
        match (self.value(row, FROM_NODE)?, self.value(row, TO_NODE)?) {
            (Value::Integer(from), Value::Integer(to)) => Some([*from, *to]),
            _ => None,
        }
    }

    /// Whether one may drive on the row away from `key`, or towards it.
    fn drives(&self, row: usize, key: i64, away: bool) -> bool {
        let Some([from, to]) = self.ends(row) else { return false };
        let Some(Value::Word(word)) = self.value(row, ONEWAY) else { return false };
        let (begins, ends) = if away { (from, to) } else { (to, from) };
        begins == key && *word != Direction::Backward.word()
            || ends == key && *word != Direction::Forward.word()
    }

    fn leaves(&self, row: usize, key: i64) -> bool {
        self.drives(row, key, true)
    }

    /// The rows of a way.
    fn of(&self, way: i64) -> Result<std::ops::Range<usize>, Reason> {
        let i = self.ways.binary_search_by_key(&way, |way| way.id).map_err(|_| Reason::RestrictionAbsent)?;
        match (self.cut.firsts.get(i), self.cut.firsts.get(i + 1)) {
            (Some(first), Some(last)) if first < last => Ok(*first..*last),
            _ => Err(Reason::RestrictionAbsent),
        }
    }

    /// The one row of a way on which one may arrive at `key`, or leave it. A way that passes through the
    /// junction has two, of which its direction may rule one out.
    fn only_row(&self, way: i64, key: i64, away: bool) -> Result<usize, Reason> {
        let mut found = self.of(way)?.filter(|row| self.drives(*row, key, away));
        match (found.next(), found.next()) {
            (Some(row), None) => Ok(row),
            _ => Err(Reason::RestrictionApart),
        }
    }

    fn turns(&self, number: usize, restriction: &Restriction) -> Result<Vec<Turn>, Reason> {
        let mut turns = Vec::new();
        for from in &restriction.from {
            for to in &restriction.to {
                turns.push(match &restriction.via {
                    Via::Node(node) => self.at_node(number, *from, *node, *to)?,
                    Via::Ways(via) => self.by_ways(number, *from, via, *to)?,
                });
            }
        }
        Ok(turns)
    }

    fn at_node(&self, number: usize, from: i64, node: i64, to: i64) -> Result<Turn, Reason> {
        // The node itself, or the one that stands for it.
        let key = self.nodes.find(node).map(|i| self.nodes.id(self.nodes.stands(i)));
        let key = key.ok_or(Reason::RestrictionAbsent)?;
        let first = self.only_row(from, key, false)?;
        let last = self.only_row(to, key, true)?;
        Ok(Turn { restriction: number, at: key, out: key, roads: vec![first], to: last })
    }

    /// Follows `via` from one end to the other, from the end where `from` arrives to that where `to` leaves.
    fn by_ways(&self, number: usize, from: i64, via: &[i64], to: i64) -> Result<Turn, Reason> {
        let mut found = None;
        let first_way = self.of(*via.first().ok_or(Reason::RestrictionMembers)?)?;
        let starts = self.ends(first_way.start).into_iter().chain(self.ends(first_way.end - 1)).flatten();
        for start in starts.collect::<BTreeSet<i64>>() {
            let Some((along, end)) = self.chain(via, start)? else { continue };
            let (Ok(first), Ok(last)) = (self.only_row(from, start, false), self.only_row(to, end, true))
            else {
                continue;
            };
            let roads: Vec<usize> = std::iter::once(first).chain(along).collect();
            if found.is_some() {
                return Err(Reason::RestrictionApart);
            }
            found = Some(Turn { restriction: number, at: start, out: end, roads, to: last });
        }
        found.ok_or(Reason::RestrictionApart)
    }

    /// The rows of the ways one after the other from `start`, each whole, and where they end.
    fn chain(&self, via: &[i64], start: i64) -> Result<Option<(Vec<usize>, i64)>, Reason> {
        let (mut rows, mut at) = (Vec::new(), start);
        for way in via {
            let range = self.of(*way)?;
            let forward = self.ends(range.start).is_some_and(|[from, _]| from == at);
            let ordered: Vec<usize> = if forward { range.collect() } else { range.rev().collect() };
            for row in ordered {
                let Some([from, to]) = self.ends(row) else { return Ok(None) };
                if !self.leaves(row, at) {
                    return Ok(None);
                }
                at = if from == at { to } else { from };
                rows.push(row);
            }
        }
        Ok(Some((rows, at)))
    }
}
