//! Raw tables of lines to roads and turn bans.

use std::collections::hash_map::DefaultHasher;
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::ops::RangeInclusive;

use geo::{Coord, Geodesic, Geometry, Length, LineString};
use rayon::prelude::*;

use super::build::Source;
use super::columns::{Columns, Keys};
use super::domain::{Direction, Road, RoadClass, Surface, TurnBan};
use super::study::Study;
use crate::error::{Faults, Rule};
use crate::sources::raw::{RawBan, RawRow};
use crate::units::Metres;

/// Words for surface and direction, in the file and here.
const SURFACES: [(&str, Surface); 5] = [
    ("paved", Surface::Paved),
    ("pavimentado", Surface::Paved),
    ("partly_paved", Surface::PartlyPaved),
    ("unpaved", Surface::Unpaved),
    ("terracería", Surface::Unpaved),
];
const DIRECTIONS: [(&str, Direction); 17] = [
    ("no", Direction::Both),
    ("both", Direction::Both),
    ("yes", Direction::Forward),
    ("forward", Direction::Forward),
    ("-1", Direction::Backward),
    ("backward", Direction::Backward),
    ("closed", Direction::Closed),
    ("0", Direction::Both),
    ("1", Direction::Forward),
    ("false", Direction::Both),
    ("true", Direction::Forward),
    ("un sentido", Direction::Forward),
    ("sí", Direction::Forward),
    ("si", Direction::Forward),
    ("dos sentidos", Direction::Both),
    ("ambos sentidos", Direction::Both),
    ("ambos", Direction::Both),
];
const CLASSES: [(&str, RoadClass); 12] = [
    ("toll", RoadClass::Toll),
    ("cuota", RoadClass::Toll),
    ("federal", RoadClass::Federal),
    ("state", RoadClass::State),
    ("estatal", RoadClass::State),
    ("local", RoadClass::Local),
    ("municipal", RoadClass::Local),
    ("foreign", RoadClass::Foreign),
    ("extranjera", RoadClass::Foreign),
    ("extranjero", RoadClass::Foreign),
    ("ferry", RoadClass::Ferry),
    ("transbordador", RoadClass::Ferry),
];
const OPTIONAL: [&str; 12] = [
    "id",
    "ref",
    "surface",
    "toll",
    "oneway",
    "speed_kmh",
    "length_km",
    "region",
    "schematic",
    "from_node",
    "to_node",
    "level",
];

/// Roads: `class`; optional `id`, `ref`, `surface`, `toll`, `oneway`, `speed_kmh`, `length_km`, `region`,
/// `schematic`, `from_node`, `to_node`, `level`; and the turn bans on them.
///
/// `rows` are those of each table of `source`. A country has millions, so that their lines are taken over.
pub fn roads(
    source: &Source<'_>,
    rows: Vec<Vec<RawRow>>,
    study: &Study,
    faults: &mut Faults,
) -> (Vec<Road>, Vec<TurnBan>) {
    let tables = source.columns(&["class"], &OPTIONAL, faults);
    let mut keys = Keys::default();
    let mut out = Vec::with_capacity(rows.iter().map(Vec::len).sum());
    let totals: Vec<Vec<f64>> = rows.iter().map(|rows| rows.par_iter().map(length_of).collect()).collect();
    let numbered = tables.iter().zip(rows.into_iter().zip(totals));
    let records = numbered.flat_map(|(columns, (rows, totals))| {
        rows.into_iter().zip(totals).map(move |(r, t)| (columns, r, t))
    });
    for (columns, mut row, total) in records {
        let id = columns.text(&row, "id").unwrap_or_else(|| row.row.to_string());
        let attributes = attributes(columns, &row, study, faults);
        let Some(attributes) = attributes.filter(|_| keys.insert(&id, columns, &row, "id", faults)) else {
            continue;
        };
        let lines = match row.geometry.take() {
            Some(Geometry::LineString(line)) => vec![line],
            Some(Geometry::MultiLineString(lines)) => lines.0,
            _ => continue,
        };
        let stated = attributes.stated_length;
        let used = used_length(stated, total);
        if used.is_implausible {
            let km = |m: f64| format!("{:.3}", m / 1000.0);
            faults.push(
                columns
                    .place_fault(Rule::LengthImplausible, Some(&row), Some("length_km"))
                    .seen(id.clone())
                    .with("stated", km(stated.unwrap_or(0.0)))
                    .with("line", km(total))
                    .with("used", km(used.metres)),
            );
        }
        let whole = Road { id, ..attributes.road };
        let length = |share: f64| Metres(if total > 0.0 { used.metres * share } else { 0.0 });
        match <[LineString<f64>; 1]>::try_from(lines) {
            Ok([line]) => out.push(Road { length: length(1.0), line: without_repeats(line), ..whole }),
            Err(lines) => out.extend(lines.into_iter().map(|line| Road {
                // A stated length belongs to the record: its parts share it by their own length.
                length: length(Geodesic.length(&line) / total),
                line: without_repeats(line),
                // Keys are of the ends of a record, which has two only if it is one line.
                ends: None,
                ..whole.clone()
            })),
        }
    }
    let (out, stands_for) = without_repeated_roads(source, out, faults);
    let bans = turn_bans(source, &out, &stands_for);
    (out, bans)
}

/// What a record says of its road; the road has no id, no line and no length yet.
struct Attributes {
    road: Road,
    /// In metres.
    stated_length: Option<f64>,
}

fn attributes(columns: &Columns<'_>, row: &RawRow, study: &Study, faults: &mut Faults) -> Option<Attributes> {
    columns.require(row, "class", faults);
    let class = columns.choice(row, "class", &CLASSES, faults);
    let surface = columns.choice(row, "surface", &SURFACES, faults).unwrap_or(Surface::Paved);
    let toll = columns.boolean(row, "toll", faults);
    let direction = columns.choice(row, "oneway", &DIRECTIONS, faults).unwrap_or(Direction::Both);
    let speed = columns.number(row, "speed_kmh", 1.0, 200.0, faults);
    let length_km = columns.number(row, "length_km", 0.0, 10_000.0, faults);
    let schematic = columns.boolean(row, "schematic", faults).unwrap_or(false);
    let from = columns.integer(row, "from_node", faults);
    let to = columns.integer(row, "to_node", faults);
    let level = level(columns, row, faults);
    // A road has both of its junctions or none.
    if from.is_some() != to.is_some() {
        let name = if from.is_none() { "from_node" } else { "to_node" };
        let _ = columns.needed(row, name, faults);
    }
    let class = class?;
    let by_study = || {
        let speeds = &study.parameters.speeds_kmh;
        let own = speeds.get(&format!("{}/{}", class.name(), surface.name()));
        own.or_else(|| speeds.get(class.name())).copied()
    };
    let road = Road {
        id: String::new(),
        layer: row.layer,
        row: row.row,
        reference: columns.text(row, "ref").unwrap_or_default(),
        class,
        surface,
        toll: toll.unwrap_or(class == RoadClass::Toll),
        direction,
        speed_kmh: speed.or_else(by_study).unwrap_or_else(|| class.default_speed(surface)),
        length: Metres(0.0),
        region: columns.text(row, "region").unwrap_or_default(),
        schematic,
        ends: from.zip(to).map(|(from, to)| [from, to]),
        level: level.unwrap_or(0),
        line: LineString(Vec::new()),
    };
    Some(Attributes { road, stated_length: length_km.map(|km| km * 1000.0) })
}

/// Levels of interchanges are far within this range.
const LEVELS: RangeInclusive<i64> = -99..=99;

fn level(columns: &Columns<'_>, row: &RawRow, faults: &mut Faults) -> Option<i32> {
    let level = columns.integer(row, "level", faults)?;
    if !LEVELS.contains(&level) {
        let fault = columns.place_fault(Rule::OutOfRange, Some(row), Some("level")).seen(level.to_string());
        faults.push(fault.with("range", format!("{} – {}", LEVELS.start(), LEVELS.end())));
    }
    i32::try_from(level).ok()
}

/// The bans of a source by index of their roads. One on a road that was left out by rule, such as a closed one,
/// bans nothing and is left out as well; the presets report those on roads that no record has.
///
/// `stands_for`: by the id of a road that was there twice, that of the one that stayed.
fn turn_bans(source: &Source<'_>, roads: &[Road], stands_for: &HashMap<String, String>) -> Vec<TurnBan> {
    if source.tables.iter().all(|table| table.bans.is_empty()) {
        return Vec::new();
    }
    let kept = |id: &'_ String| stands_for.get(id).map_or(id.as_str(), String::as_str).to_owned();
    let bans = || source.tables.iter().flat_map(|table| &table.bans);
    let mut index: HashMap<String, Option<usize>> =
        bans().flat_map(|ban| &ban.roads).map(|id| (kept(id), None)).collect();
    let mut several: HashSet<&str> = HashSet::new();
    for (i, road) in roads.iter().enumerate() {
        if let Some(slot) = index.get_mut(road.id.as_str())
            && slot.replace(i).is_some()
        {
            several.insert(&road.id);
        }
    }
    // A record with several parts has no single place in a sequence.
    for id in several {
        index.insert(id.to_owned(), None);
    }
    let resolve = |ban: &RawBan| {
        let roads: Option<Vec<usize>> =
            ban.roads.iter().map(|id| index.get(&kept(id)).copied().flatten()).collect();
        Some(TurnBan {
            id: ban.id.clone(),
            layer: ban.layer.clone(),
            row: ban.row,
            via: ban.via,
            roads: roads?,
        })
    };
    bans().filter(|ban| ban.roads.len() >= 2).filter_map(resolve).collect()
}

/// A road is not shorter than its line: below this ratio of stated length to line the line is believed.
const LEAST_STATED: f64 = 0.95;
/// A road winds between the vertices of a schematic line, but hardly as much as this.
const MOST_STATED: f64 = 5.0;
/// Differences of less than this are rounding, metres: lengths are often given to a tenth of a kilometre.
const LENGTH_ROUNDING: f64 = 50.0;

/// The length of a record, and whether what it states is worth a warning.
struct UsedLength {
    metres: f64,
    is_implausible: bool,
}

/// The length to use for a line of `total` metres whose record says `stated` metres. Nothing and zero are no
/// statement. A stated length below that of the line cannot be: the line's is used. One far above it, as where
/// metres stand in the place of kilometres, may yet be right on a sketch: it is kept.
fn used_length(stated: Option<f64>, total: f64) -> UsedLength {
    let Some(stated) = stated.filter(|m| *m > 0.0 && total > 0.0) else {
        return UsedLength { metres: total, is_implausible: false };
    };
    let short = stated < LEAST_STATED * total;
    let apart = (stated - total).abs() > LENGTH_ROUNDING;
    UsedLength {
        metres: if short { total } else { stated },
        is_implausible: apart && (short || stated > MOST_STATED * total),
    }
}

/// The roads without those that are there twice: of one reference, along the same positions, as long, and to be
/// driven in the same directions. Two links between the same junctions would share the flow of one. The one with
/// the lower id stays, so that the order of rows decides nothing.
///
/// Beside them: by the id of a road that was left out, that of the one that stands for it.
fn without_repeated_roads(
    source: &Source<'_>,
    roads: Vec<Road>,
    faults: &mut Faults,
) -> (Vec<Road>, HashMap<String, String>) {
    let mut by_hash: Vec<(u64, usize)> = roads.par_iter().map(course_hash).zip(0..roads.len()).collect();
    by_hash.par_sort_unstable();
    let mut repeats: HashMap<usize, usize> = HashMap::new();
    for group in by_hash.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() > 1) {
        let mut group: Vec<usize> = group.iter().map(|(_, i)| *i).collect();
        group.sort_by(|&a, &b| roads[a].id.cmp(&roads[b].id).then(a.cmp(&b)));
        for (n, &i) in group.iter().enumerate() {
            let same = |kept: &&usize| !repeats.contains_key(*kept) && same_course(&roads[**kept], &roads[i]);
            if let Some(kept) = group[..n].iter().find(same).copied() {
                repeats.insert(i, kept);
            }
        }
    }
    let mut told: Vec<(usize, usize)> = repeats.iter().map(|(repeat, kept)| (*repeat, *kept)).collect();
    told.sort_unstable();
    for (repeat, kept) in told {
        let road = &roads[repeat];
        let fault = source.fault(Rule::RoadRepeated).row(road.row).seen(road.id.clone());
        let fault = if road.layer.is_some() { fault.layer(road.layer) } else { fault };
        faults.push(fault.with("first", roads[kept].row));
    }
    let id = |i: &usize| roads[*i].id.clone();
    let stands_for = repeats.iter().map(|(repeat, kept)| (id(repeat), id(kept))).collect();
    let kept = |(i, road)| (!repeats.contains_key(&i)).then_some(road);
    (roads.into_iter().enumerate().filter_map(kept).collect(), stands_for)
}

/// The positions of a road in the one of both orders that begins lower, with its direction seen that way.
fn course(road: &Road) -> (impl Iterator<Item = [u64; 2]>, Direction) {
    let bits = |c: &Coord<f64>| [c.x.to_bits(), c.y.to_bits()];
    let points = &road.line.0;
    let backward = points.iter().rev().map(bits).lt(points.iter().map(bits));
    let direction = if backward { road.direction.reversed() } else { road.direction };
    let last = points.len().saturating_sub(1);
    let at = move |i: usize| if backward { last - i } else { i };
    ((0..points.len()).map(move |i| bits(&points[at(i)])), direction)
}

/// Length in whole millimetres.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "lengths are checked and not negative"
)]
fn millimetres(road: &Road) -> u64 {
    (road.length.0 * 1000.0).round().max(0.0) as u64
}

/// Equal for roads of the same course.
fn course_hash(road: &Road) -> u64 {
    let (points, direction) = course(road);
    let mut hasher = DefaultHasher::new();
    points.for_each(|point| point.hash(&mut hasher));
    (&road.reference, millimetres(road), direction.forward(), direction.backward()).hash(&mut hasher);
    hasher.finish()
}

/// Of two decks of one course, or between other junctions, both are roads of their own.
fn same_course(a: &Road, b: &Road) -> bool {
    let ((one, there), (other, back)) = (course(a), course(b));
    let turned = a.line.0.first() != b.line.0.first();
    let ends = b.ends.map(|[from, to]| if turned { [to, from] } else { [from, to] });
    a.reference == b.reference
        && millimetres(a) == millimetres(b)
        && a.level == b.level
        && a.ends == ends
        && there == back
        && one.eq(other)
}

/// The line without positions that repeat their predecessor.
fn without_repeats(mut line: LineString<f64>) -> LineString<f64> {
    line.0.dedup();
    line
}

/// Length of the lines of a record in metres.
fn length_of(row: &RawRow) -> f64 {
    match &row.geometry {
        Some(Geometry::LineString(line)) => Geodesic.length(line),
        Some(Geometry::MultiLineString(lines)) => lines.0.iter().map(|line| Geodesic.length(line)).sum(),
        _ => 0.0,
    }
}
