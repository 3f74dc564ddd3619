//! `red_vial`: the roads.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use geo::{Coord, Distance, Geodesic, Geometry, LineString, Point};

use super::junctions::Junction;
use super::terms::{self, Cover, Seen, Term};
use super::values::{key, term};
use super::{BESIDE, FIELDS};
use crate::error::{Error, Faults, Rule};
use crate::sources::Job;
use crate::sources::ogr::Consumer;
use crate::sources::presets::layout::{Field, Layout, expected, needed};
use crate::sources::raw::{RawRow, Value};
use crate::sources::sink::Sink;

const COLUMNS: [Field; 15] = [
    needed("id", &["ID_RED"]),
    needed("type", &["TIPO_VIAL"]),
    needed("oneway", &["CIRCULA"]),
    needed("from_node", &["UNION_INI"]),
    needed("to_node", &["UNION_FIN"]),
    expected("ref", &["CODIGO"]),
    expected("surface", &["COND_PAV"]),
    expected("cover", &["RECUBRI"]),
    expected("status", &["ESTATUS"]),
    expected("condition", &["CONDICION"]),
    expected("level", &["NIVEL"]),
    expected("toll", &["PEAJE"]),
    expected("administration", &["ADMINISTRA"]),
    expected("jurisdiction", &["JURISDI"]),
    expected("speed_kmh", &["VELOCIDAD"]),
];
const ID: usize = 0;
const KIND: usize = 1;
const CIRCULATION: usize = 2;
const FROM: usize = 3;
const TO: usize = 4;
const REFERENCE: usize = 5;
const PAVING: usize = 6;
const COVER: usize = 7;
const STATUS: usize = 8;
const CONDITION: usize = 9;
const LEVEL: usize = 10;
const TOLL: usize = 11;
const ADMINISTRATION: usize = 12;
const JURISDICTION: usize = 13;
const SPEED: usize = 14;

/// Posted speeds within this range are taken, km/h.
const SPEEDS: std::ops::RangeInclusive<f64> = 1.0..=160.0;

/// Levels of interchanges are far within this range.
const LEVELS: std::ops::RangeInclusive<i64> = -99..=99;

/// `red_vial`.
pub(super) struct Roads<'a> {
    job: &'a Job<'a>,
    junctions: Option<&'a HashMap<i64, Junction>>,
    layout: Layout,
    words: Words,
    pub(super) rows: Vec<RawRow>,
    /// Keys of all records with their rows, those that were left out by rule too.
    pub(super) known: HashMap<i64, u64>,
    pub(super) not_for_vehicles: u64,
    pub(super) disabled: u64,
    pub(super) under_construction: u64,
}

impl<'a> Roads<'a> {
    pub(super) fn new(job: &'a Job<'a>, junctions: Option<&'a HashMap<i64, Junction>>) -> Self {
        Self {
            job,
            junctions,
            layout: Layout::default(),
            words: Words::default(),
            rows: Vec::new(),
            known: HashMap::new(),
            not_for_vehicles: 0,
            disabled: 0,
            under_construction: 0,
        }
    }

    /// By name of the table's columns: what they are called in the file.
    pub(super) fn labels(&self) -> BTreeMap<&'static str, String> {
        self.layout.labels()
    }

    /// `VELOCIDAD`, or the speed of the type and cover where it is `N/A`.
    fn speed(
        &mut self,
        values: &[Value],
        row: u64,
        kind: usize,
        cover: Cover,
        sink: &mut Sink<'_>,
    ) -> Option<f64> {
        let text = self.layout.get(values, SPEED);
        // Digits only: `1e2` and `+80` are typing errors rather than speeds.
        let is_plain =
            |text: &str| text.trim_start_matches('-').bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let read = |text: &str| match text.parse::<f64>() {
            _ if terms::is_blank(text) => Ok(None),
            Ok(speed) if is_plain(text) && SPEEDS.contains(&speed) => Ok(Some(speed)),
            Ok(speed) if is_plain(text) && speed.is_finite() => Err(Rule::OutOfRange),
            _ => Err(Rule::NotANumber),
        };
        let rule = match self.words.speed.get(&text, read) {
            Ok(Some(speed)) => return Some(speed),
            Ok(None) => return terms::speed(kind, cover).map(f64::from),
            Err(rule) => rule,
        };
        let fault = self.layout.fault(rule, row, SPEED, &text, sink);
        sink.push(fault.with("range", format!("{} – {}", SPEEDS.start(), SPEEDS.end())));
        None
    }

    /// `NIVEL`; blank is the ground.
    fn level(&self, values: &[Value], row: u64, sink: &mut Sink<'_>) -> Option<i64> {
        let text = self.layout.get(values, LEVEL);
        if terms::is_blank(&text) {
            return Some(0);
        }
        let level = key(&self.layout, values, row, LEVEL, sink)?;
        if LEVELS.contains(&level) {
            return Some(level);
        }
        let fault = self.layout.fault(Rule::OutOfRange, row, LEVEL, &text, sink);
        sink.push(fault.with("range", format!("{} – {}", LEVELS.start(), LEVELS.end())));
        None
    }

    /// Turns the line so that it begins at `from`, and checks that both ends lie at their junctions.
    fn turned(
        &self,
        mut line: LineString<f64>,
        ends: [i64; 2],
        row: u64,
        sink: &mut Sink<'_>,
    ) -> Option<LineString<f64>> {
        let Some(junctions) = self.junctions else { return Some(line) };
        let mut at = [Coord::default(); 2];
        for (slot, (key, field)) in at.iter_mut().zip(ends.into_iter().zip([FROM, TO])) {
            let Some(position) = junctions.get(&key) else {
                let fault = self.layout.fault(Rule::JunctionUnknown, row, field, "", sink);
                sink.push(fault.seen(key.to_string()));
                return None;
            };
            *slot = position.at;
        }
        let [from, to] = at;
        let (Some(first), Some(last)) = (line.0.first().copied(), line.0.last().copied()) else {
            return None;
        };
        let squared = |a: Coord<f64>, b: Coord<f64>| (a.x - b.x).powi(2) + (a.y - b.y).powi(2);
        // Traffic is told from the first junction to the second, however the line was drawn.
        let (mut first, mut last) = (first, last);
        if squared(first, to) + squared(last, from) < squared(first, from) + squared(last, to) {
            line.0.reverse();
            std::mem::swap(&mut first, &mut last);
        }
        for (end, position, field) in [(first, from, FROM), (last, to, TO)] {
            // A cheap look first: most ends are their junction to the last digit.
            if end == position {
                continue;
            }
            let distance = Geodesic.distance(Point(end), Point(position));
            if distance > BESIDE {
                let fault = self.layout.fault(Rule::EndBesideJunction, row, field, "", sink);
                sink.push(fault.with("distance", format!("{distance:.0} m")));
                return None;
            }
        }
        Some(line)
    }
}

impl Consumer for Roads<'_> {
    fn header(&mut self, header: &[String], sink: &mut Sink<'_>) -> Result<Vec<usize>, Error> {
        let (layout, wanted) = Layout::find(header, &COLUMNS, &[], Faults::default(), self.job, sink)?;
        self.layout = layout;
        Ok(wanted)
    }

    fn feature(
        &mut self,
        row: u64,
        values: Vec<Value>,
        geometry: Option<Geometry<f64>>,
        sink: &mut Sink<'_>,
    ) -> Result<(), Error> {
        let (layout, words) = (&self.layout, &mut self.words);
        let text = |field: usize| layout.get(&values, field);
        // Every fault of the record is told before it is left out.
        let id = key(layout, &values, row, ID, sink);
        let kind = term(layout, words.kind.get(&text(KIND), terms::kind), &values, row, KIND, sink);
        let direction = words.direction.get(&text(CIRCULATION), terms::direction);
        let direction = term(layout, direction, &values, row, CIRCULATION, sink);
        let in_use = term(layout, words.in_use.get(&text(STATUS), terms::in_use), &values, row, STATUS, sink);
        let open = term(layout, words.open.get(&text(CONDITION), terms::open), &values, row, CONDITION, sink);
        let cover = words.cover.get(&text(COVER), Cover::of);
        let paving = words.paving.get(&text(PAVING), terms::paving);
        let surface = terms::surface(paving, cover, kind.unwrap_or_default());
        let surface = term(layout, surface, &values, row, PAVING, sink);
        let from = key(layout, &values, row, FROM, sink);
        let to = key(layout, &values, row, TO, sink);
        let level = self.level(&values, row, sink);
        if let Some(id) = id {
            match self.known.entry(id) {
                Entry::Vacant(slot) => {
                    slot.insert(row);
                }
                Entry::Occupied(first) => {
                    let fault = layout.fault(Rule::DuplicateKey, row, ID, "", sink);
                    sink.push(fault.seen(id.to_string()).with("first", *first.get()));
                    return Ok(());
                }
            }
        }
        if let Some(kind) = kind
            && terms::speed(kind, cover).is_none()
        {
            self.not_for_vehicles += 1;
            return Ok(());
        }
        let speed = kind.and_then(|kind| self.speed(&values, row, kind, cover, sink));
        let (
            Some(id),
            Some(_),
            Some(direction),
            Some(in_use),
            Some(open),
            Some(surface),
            Some(from),
            Some(to),
        ) = (id, kind, direction, in_use, open, surface, from, to)
        else {
            return Ok(());
        };
        if !in_use {
            self.disabled += 1;
            return Ok(());
        }
        if !open {
            self.under_construction += 1;
            return Ok(());
        }
        let (Some(speed), Some(level)) = (speed, level) else { return Ok(()) };
        let line = match geometry {
            Some(Geometry::LineString(line)) => line,
            // A record has one line from junction to junction; a gap in it cannot be driven.
            Some(Geometry::MultiLineString(lines)) if lines.0.len() == 1 => {
                let Some(line) = lines.0.into_iter().next() else { return Ok(()) };
                line
            }
            _ => {
                let fault = sink.fault(Rule::GeometryType).row(row);
                sink.push(fault.with("expected", "LineString").with("found", "MultiLineString"));
                return Ok(());
            }
        };
        let Some(line) = self.turned(line, [from, to], row, sink) else { return Ok(()) };
        let (layout, words) = (&self.layout, &mut self.words);
        let text = |field: usize| layout.get(&values, field);
        let toll = words.toll.get(&text(TOLL), is_yes);
        let mut office = |field: usize| words.office.get(&text(field), terms::office);
        let class = terms::class(office(ADMINISTRATION), office(JURISDICTION), toll);
        let reference = text(REFERENCE);
        self.rows.push(RawRow {
            layer: None,
            row,
            values: vec![
                Value::Integer(id),
                if terms::is_blank(&reference) { Value::Null } else { Value::Text(reference.into_owned()) },
                Value::Word(class),
                Value::Word(surface),
                Value::Integer(toll.into()),
                Value::Word(direction),
                Value::Real(speed),
                Value::Integer(from),
                Value::Integer(to),
                Value::Integer(level),
            ],
            geometry: Some(Geometry::LineString(line)),
        });
        debug_assert_eq!(self.rows.last().map(|row| row.values.len()), Some(FIELDS.len()));
        Ok(())
    }
}

/// `Si`, with and without accent.
fn is_yes(text: &str) -> bool {
    matches!(crate::sources::names::normalised(text).as_str(), "si" | "s")
}

/// What the words of the roads came to.
#[derive(Default)]
struct Words {
    kind: Seen<Term<usize>>,
    direction: Seen<Term<&'static str>>,
    in_use: Seen<Term<bool>>,
    open: Seen<Term<bool>>,
    cover: Seen<Cover>,
    paving: Seen<Option<Term<&'static str>>>,
    toll: Seen<bool>,
    office: Seen<Option<&'static str>>,
    /// `None` for a blank.
    speed: Seen<Result<Option<f64>, Rule>>,
}
