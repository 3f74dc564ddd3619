//! The layers of the network, feature by feature.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use geo::{Coord, Distance, Geodesic, Geometry, LineString, Point};

use super::terms::{self, Cover, Seen, Term};
use super::{BESIDE, FIELDS};
use crate::error::{Error, Fault, Faults, Rule, shape};
use crate::sources::names::find_field;
use crate::sources::ogr::Consumer;
use crate::sources::raw::{RawBan, RawRow, Value};
use crate::sources::sink::Sink;
use crate::sources::{Job, environment};

/// Columns of a layer by number.
#[derive(Default)]
pub(super) struct Fields {
    at: Vec<Option<usize>>,
    names: Vec<String>,
}

impl Fields {
    /// Finds columns by name; `needed` is how many of them, from the first, the layer is of no use without. The
    /// others are reported where they are missing and read as `N/A`.
    fn find(
        header: &[String],
        names: &[(&'static str, &str)],
        needed: usize,
        job: &Job<'_>,
        sink: &mut Sink<'_>,
    ) -> Result<(Self, Vec<usize>), Error> {
        let mut fields = Self::default();
        let mut wanted = Vec::new();
        let mut missing = Vec::new();
        for (i, (key, name)) in names.iter().enumerate() {
            let mapped = job.spec.fields.get(*key).map(String::as_str);
            let name = mapped.unwrap_or(name);
            let found = find_field(header, name);
            if found.is_none() {
                let all = environment::one_line(&header.join(", "));
                if i < needed || mapped.is_some() {
                    missing.push(sink.fault(Rule::FieldMissing).field(name).with("allowed", all));
                } else {
                    let fault = sink.fault(Rule::FieldAbsent).field(name);
                    sink.push(fault);
                }
            }
            fields.at.push(found.map(|_| wanted.len()));
            fields.names.push(name.to_owned());
            wanted.extend(found);
        }
        if missing.is_empty() { Ok((fields, wanted)) } else { Err(Faults(missing).into()) }
    }

    fn value<'v>(&self, values: &'v [Value], field: usize) -> &'v Value {
        let at = self.at.get(field).copied().flatten();
        at.and_then(|at| values.get(at)).unwrap_or(&Value::Null)
    }

    /// The text of a column; blank for null.
    fn text<'v>(&self, values: &'v [Value], field: usize) -> Cow<'v, str> {
        self.value(values, field).as_text().unwrap_or_default()
    }

    fn fault(&self, rule: Rule, row: u64, field: usize, seen: &str, sink: &Sink<'_>) -> Fault {
        let fault = sink.fault(rule).row(row).field(self.names.get(field).map_or("", String::as_str));
        if seen.is_empty() { fault } else { fault.seen(shape(seen)) }
    }

    /// A key: a whole number, also where it is stored as text or as a real number; a fault for anything else.
    fn key(&self, values: &[Value], row: u64, field: usize, sink: &mut Sink<'_>) -> Option<i64> {
        let found = key(self.value(values, field));
        if let Err(rule) = found {
            let fault = self.fault(rule, row, field, &self.text(values, field), sink);
            sink.push(fault);
        }
        found.ok()
    }

    /// What a word comes to; a fault with the list of words if it is none of them.
    fn term<T>(
        &self,
        term: Term<T>,
        values: &[Value],
        row: u64,
        field: usize,
        sink: &mut Sink<'_>,
    ) -> Option<T> {
        match term {
            Ok(value) => Some(value),
            Err(allowed) => {
                let text = self.text(values, field);
                let rule = if text.is_empty() { Rule::ValueEmpty } else { Rule::ValueUnknown };
                let fault = self.fault(rule, row, field, &text, sink);
                sink.push(if text.is_empty() { fault } else { fault.with("allowed", allowed) });
                None
            }
        }
    }
}

/// A key of a record or of a junction.
fn key(value: &Value) -> Result<i64, Rule> {
    if let Value::Integer(number) = value {
        return Ok(*number);
    }
    let text = value.as_text().unwrap_or_default();
    if terms::is_blank(&text) {
        return Err(Rule::ValueEmpty);
    }
    let digits = text.strip_suffix(".0").unwrap_or(&text);
    digits.parse().map_err(|_| Rule::NotAnInteger)
}

/// `union`: positions of junctions by key.
pub(super) struct Junctions<'a> {
    job: &'a Job<'a>,
    fields: Fields,
    pub(super) positions: HashMap<i64, Junction>,
}

/// Where a junction stands, and in which row of its file.
#[derive(Clone, Copy)]
pub(super) struct Junction {
    at: Coord<f64>,
    row: u64,
}

impl<'a> Junctions<'a> {
    pub(super) fn new(job: &'a Job<'a>) -> Self {
        Self { job, fields: Fields::default(), positions: HashMap::new() }
    }
}

impl Consumer for Junctions<'_> {
    fn header(&mut self, header: &[String], sink: &mut Sink<'_>) -> Result<Vec<usize>, Error> {
        let (fields, wanted) = Fields::find(header, &[("junction", "ID_UNION")], 1, self.job, sink)?;
        self.fields = fields;
        Ok(wanted)
    }

    fn feature(
        &mut self,
        row: u64,
        values: Vec<Value>,
        geometry: Option<Geometry<f64>>,
        sink: &mut Sink<'_>,
    ) -> Result<(), Error> {
        let key = self.fields.key(&values, row, 0, sink);
        let (Some(key), Some(Geometry::Point(point))) = (key, geometry) else { return Ok(()) };
        match self.positions.entry(key) {
            Entry::Vacant(slot) => {
                slot.insert(Junction { at: point.0, row });
            }
            // The same twice says nothing new.
            Entry::Occupied(first) if first.get().at == point.0 => {}
            Entry::Occupied(first) => {
                let fault = self.fields.fault(Rule::DuplicateKey, row, 0, "", sink);
                sink.push(fault.seen(key.to_string()).with("first", first.get().row));
            }
        }
        Ok(())
    }
}

const COLUMNS: [(&str, &str); 15] = [
    ("id", "ID_RED"),
    ("type", "TIPO_VIAL"),
    ("oneway", "CIRCULA"),
    ("from_node", "UNION_INI"),
    ("to_node", "UNION_FIN"),
    ("ref", "CODIGO"),
    ("surface", "COND_PAV"),
    ("cover", "RECUBRI"),
    ("status", "ESTATUS"),
    ("condition", "CONDICION"),
    ("level", "NIVEL"),
    ("toll", "PEAJE"),
    ("administration", "ADMINISTRA"),
    ("jurisdiction", "JURISDI"),
    ("speed_kmh", "VELOCIDAD"),
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

/// The first columns without which there is no network.
const NEEDED: usize = 5;

/// Posted speeds within this range are taken, km/h.
const SPEEDS: std::ops::RangeInclusive<f64> = 1.0..=160.0;

/// Levels of interchanges are far within this range.
const LEVELS: std::ops::RangeInclusive<i64> = -99..=99;

/// `red_vial`.
pub(super) struct Roads<'a> {
    job: &'a Job<'a>,
    junctions: Option<&'a HashMap<i64, Junction>>,
    fields: Fields,
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
            fields: Fields::default(),
            words: Words::default(),
            rows: Vec::new(),
            known: HashMap::new(),
            not_for_vehicles: 0,
            disabled: 0,
            under_construction: 0,
        }
    }

    /// By name of the table's columns: what they are called in the file.
    pub(super) fn labels(&self) -> std::collections::BTreeMap<&'static str, String> {
        COLUMNS.iter().map(|(key, _)| *key).zip(self.fields.names.iter().cloned()).collect()
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
        let text = self.fields.text(values, SPEED);
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
        let fault = self.fields.fault(rule, row, SPEED, &text, sink);
        sink.push(fault.with("range", format!("{} – {}", SPEEDS.start(), SPEEDS.end())));
        None
    }

    /// `NIVEL`; blank is the ground.
    fn level(&self, values: &[Value], row: u64, sink: &mut Sink<'_>) -> Option<i64> {
        let text = self.fields.text(values, LEVEL);
        if terms::is_blank(&text) {
            return Some(0);
        }
        let level = self.fields.key(values, row, LEVEL, sink)?;
        if LEVELS.contains(&level) {
            return Some(level);
        }
        let fault = self.fields.fault(Rule::OutOfRange, row, LEVEL, &text, sink);
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
                let fault = self.fields.fault(Rule::JunctionUnknown, row, field, "", sink);
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
                let fault = self.fields.fault(Rule::EndBesideJunction, row, field, "", sink);
                sink.push(fault.with("distance", format!("{distance:.0} m")));
                return None;
            }
        }
        Some(line)
    }
}

impl Consumer for Roads<'_> {
    fn header(&mut self, header: &[String], sink: &mut Sink<'_>) -> Result<Vec<usize>, Error> {
        let (fields, wanted) = Fields::find(header, &COLUMNS, NEEDED, self.job, sink)?;
        self.fields = fields;
        Ok(wanted)
    }

    fn feature(
        &mut self,
        row: u64,
        values: Vec<Value>,
        geometry: Option<Geometry<f64>>,
        sink: &mut Sink<'_>,
    ) -> Result<(), Error> {
        let (fields, words) = (&self.fields, &mut self.words);
        let text = |field: usize| fields.text(&values, field);
        // Every fault of the record is told before it is left out.
        let id = fields.key(&values, row, ID, sink);
        let kind = fields.term(words.kind.get(&text(KIND), terms::kind), &values, row, KIND, sink);
        let direction = words.direction.get(&text(CIRCULATION), terms::direction);
        let direction = fields.term(direction, &values, row, CIRCULATION, sink);
        let in_use = fields.term(words.in_use.get(&text(STATUS), terms::in_use), &values, row, STATUS, sink);
        let open = fields.term(words.open.get(&text(CONDITION), terms::open), &values, row, CONDITION, sink);
        let cover = words.cover.get(&text(COVER), Cover::of);
        let paving = words.paving.get(&text(PAVING), terms::paving);
        let surface = terms::surface(paving, cover, kind.unwrap_or_default());
        let surface = fields.term(surface, &values, row, PAVING, sink);
        let from = fields.key(&values, row, FROM, sink);
        let to = fields.key(&values, row, TO, sink);
        let level = self.level(&values, row, sink);
        if let Some(id) = id {
            match self.known.entry(id) {
                Entry::Vacant(slot) => {
                    slot.insert(row);
                }
                Entry::Occupied(first) => {
                    let fault = fields.fault(Rule::DuplicateKey, row, ID, "", sink);
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
        let (fields, words) = (&self.fields, &mut self.words);
        let text = |field: usize| fields.text(&values, field);
        let toll = words.toll.get(&text(TOLL), is_yes);
        let mut office = |field: usize| words.office.get(&text(field), terms::office);
        let class = terms::class(office(ADMINISTRATION), office(JURISDICTION), toll);
        let reference = text(REFERENCE);
        self.rows.push(RawRow {
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

/// Most roads that a ban names.
const SEQUENCE: usize = 6;

/// `maniobra_prohibida`.
pub(super) struct Bans<'a> {
    job: &'a Job<'a>,
    known: &'a HashMap<i64, u64>,
    junctions: Option<&'a HashMap<i64, Junction>>,
    layer: Option<String>,
    fields: Fields,
    pub(super) read: Vec<RawBan>,
}

impl<'a> Bans<'a> {
    pub(super) fn new(
        job: &'a Job<'a>,
        known: &'a HashMap<i64, u64>,
        junctions: Option<&'a HashMap<i64, Junction>>,
        layer: &str,
    ) -> Self {
        let layer = Some(layer.to_owned());
        Self { job, known, junctions, layer, fields: Fields::default(), read: Vec::new() }
    }
}

impl Consumer for Bans<'_> {
    fn header(&mut self, header: &[String], sink: &mut Sink<'_>) -> Result<Vec<usize>, Error> {
        let names = [
            ("ban", "ID_MAN"),
            ("junction", "ID_UNION"),
            ("road_1", "ID_RED1"),
            ("road_2", "ID_RED2"),
            ("road_3", "ID_RED3"),
            ("road_4", "ID_RED4"),
            ("road_5", "ID_RED5"),
            ("road_6", "ID_RED6"),
        ];
        let (fields, wanted) = Fields::find(header, &names, 4, self.job, sink)?;
        self.fields = fields;
        Ok(wanted)
    }

    fn feature(
        &mut self,
        row: u64,
        values: Vec<Value>,
        _geometry: Option<Geometry<f64>>,
        sink: &mut Sink<'_>,
    ) -> Result<(), Error> {
        let fields = &self.fields;
        let id = fields.key(&values, row, 0, sink);
        let via = fields.key(&values, row, 1, sink);
        let mut roads = Vec::new();
        let mut fine = true;
        // The first two make a turn; what follows the last one fills the row up.
        let blank = |field: &usize| terms::is_blank(&fields.text(&values, *field));
        let last = (4..2 + SEQUENCE).rev().find(|field| !blank(field)).unwrap_or(3);
        for field in 2..=last {
            let Some(road) = fields.key(&values, row, field, sink) else {
                fine = false;
                continue;
            };
            // Of a part of the country, most bans are on roads beyond it: they ban nothing there.
            if !self.known.contains_key(&road) && self.job.spec.bbox.is_none() {
                let fault = fields.fault(Rule::BanUnknown, row, field, "", sink);
                sink.push(fault.seen(road.to_string()));
                fine = false;
            }
            roads.push(road.to_string());
        }
        if let (Some(via), Some(junctions)) = (via, self.junctions)
            && !junctions.contains_key(&via)
        {
            let fault = fields.fault(Rule::JunctionUnknown, row, 1, "", sink);
            sink.push(fault.seen(via.to_string()));
            fine = false;
        }
        if let (Some(id), Some(via), true) = (id, via, fine) {
            let layer = self.layer.clone();
            self.read.push(RawBan { layer, row, id: id.to_string(), via: Some(via), roads });
        }
        Ok(())
    }
}

/// `transbordador`: lines that are driven on a ferry.
pub(super) struct Ferries<'a> {
    job: &'a Job<'a>,
    junctions: Option<&'a HashMap<i64, Junction>>,
    fields: Fields,
    pub(super) rows: Vec<RawRow>,
}

impl<'a> Ferries<'a> {
    pub(super) fn new(job: &'a Job<'a>, junctions: Option<&'a HashMap<i64, Junction>>) -> Self {
        Self { job, junctions, fields: Fields::default(), rows: Vec::new() }
    }

    /// The key of an end. A landing may have none: it is then joined by its position.
    fn end(&self, values: &[Value], row: u64, field: usize, sink: &mut Sink<'_>) -> Option<Value> {
        if terms::is_blank(&self.fields.text(values, field)) {
            return Some(Value::Null);
        }
        let key = self.fields.key(values, row, field, sink)?;
        if self.junctions.is_some_and(|junctions| !junctions.contains_key(&key)) {
            let fault = self.fields.fault(Rule::JunctionUnknown, row, field, "", sink);
            sink.push(fault.seen(key.to_string()));
            return None;
        }
        Some(Value::Integer(key))
    }
}

impl Consumer for Ferries<'_> {
    fn header(&mut self, header: &[String], sink: &mut Sink<'_>) -> Result<Vec<usize>, Error> {
        let names = [("from_node", "UNION_INI"), ("to_node", "UNION_FIN")];
        let there: Vec<(&'static str, &str)> =
            names.into_iter().filter(|(_, name)| find_field(header, name).is_some()).collect();
        let both = if there.len() == 2 { there } else { Vec::new() };
        let (fields, wanted) = Fields::find(header, &both, 0, self.job, sink)?;
        self.fields = fields;
        Ok(wanted)
    }

    fn feature(
        &mut self,
        row: u64,
        values: Vec<Value>,
        geometry: Option<Geometry<f64>>,
        sink: &mut Sink<'_>,
    ) -> Result<(), Error> {
        let (from, to) = (self.end(&values, row, 0, sink), self.end(&values, row, 1, sink));
        let (Some(from), Some(to)) = (from, to) else { return Ok(()) };
        self.rows.push(RawRow {
            row,
            values: vec![
                Value::Text(format!("transbordador-{row}")),
                Value::Null,
                Value::Word("ferry"),
                Value::Word("paved"),
                Value::Integer(0),
                Value::Word("both"),
                Value::Null,
                from,
                to,
                Value::Integer(0),
            ],
            geometry,
        });
        Ok(())
    }
}
