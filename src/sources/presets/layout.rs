//! Columns of an official table by the names that its editions use.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::error::{Error, Fault, Faults, Rule, shape};
use crate::sources::names::{find_field, normalised};
use crate::sources::number::whole;
use crate::sources::raw::Value;
use crate::sources::selection::Passed;
use crate::sources::sink::Sink;
use crate::sources::{Job, columns, environment};

/// A column that a preset reads.
pub(super) struct Field {
    /// Name in the table that the preset makes, and key of the study's `fields`.
    pub(super) key: &'static str,
    /// Names in the editions, the usual one first.
    pub(super) names: &'static [&'static str],
    presence: Presence,
}

impl Field {
    /// Whether the file is of no use without it.
    pub(super) const fn is_needed(&self) -> bool {
        matches!(self.presence, Presence::Needed)
    }
}

/// What it means that a file lacks a column.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    Needed,
    Expected,
    Optional,
}

/// A column without which the file is of no use.
pub(super) const fn needed(key: &'static str, names: &'static [&'static str]) -> Field {
    Field { key, names, presence: Presence::Needed }
}

/// A column that all editions have, but without which the file can still be used: its absence is a warning.
pub(super) const fn expected(key: &'static str, names: &'static [&'static str]) -> Field {
    Field { key, names, presence: Presence::Expected }
}

/// A column that some editions lack.
pub(super) const fn optional(key: &'static str, names: &'static [&'static str]) -> Field {
    Field { key, names, presence: Presence::Optional }
}

/// A value of a record, whatever the format gives.
pub(super) trait Cell {
    /// Its text, trimmed; blank for null.
    fn text(&self) -> Cow<'_, str>;
}

impl Cell for String {
    fn text(&self) -> Cow<'_, str> {
        Cow::Borrowed(self)
    }
}

impl Cell for Value {
    fn text(&self) -> Cow<'_, str> {
        self.as_text().unwrap_or_default()
    }
}

/// Where the columns of a preset stand.
#[derive(Default)]
pub(super) struct Layout {
    /// By field: its place among the values of a record.
    at: Vec<Option<usize>>,
    /// By field: its name in the file, or the usual one where it is missing.
    names: Vec<String>,
    keys: Vec<&'static str>,
}

impl Layout {
    /// Finds `fields` in the header, and gives the columns to read.
    ///
    /// # Errors
    /// One fault for each needed column that is missing, for each that stands twice, and for each that describes a
    /// person. `known` are names, in letters and digits, that the official layout has and that only look like one;
    /// `others` are faults that the preset found itself.
    pub(super) fn find(
        header: &[String],
        fields: &[Field],
        known: &[&str],
        others: Faults,
        job: &Job<'_>,
        sink: &mut Sink<'_>,
    ) -> Result<(Self, Vec<usize>), Error> {
        let mut layout = Self::default();
        let mut wanted = Vec::new();
        let mut missing = Vec::new();
        let mut faults = others;
        for field in fields {
            let usual = field.names.first().copied().unwrap_or(field.key);
            let mapped = job.spec.fields.get(field.key).map(String::as_str);
            let found = match mapped {
                Some(name) => find_field(header, name),
                None => field.names.iter().find_map(|name| find_field(header, name)),
            };
            let name = found.and_then(|at| header.get(at)).map_or(mapped.unwrap_or(usual), String::as_str);
            match field.presence {
                _ if found.is_some() => {}
                Presence::Optional if mapped.is_none() => {}
                Presence::Expected if mapped.is_none() => {
                    let fault = sink.fault(Rule::FieldAbsent).field(name);
                    sink.push(fault);
                }
                _ => missing.push(name.to_owned()),
            }
            layout.at.push(found.map(|_| wanted.len()));
            layout.names.push(name.to_owned());
            layout.keys.push(field.key);
            wanted.extend(found);
        }
        let unread = header.iter().enumerate().filter(|(i, _)| !wanted.contains(i)).map(|(_, name)| name);
        let refused = columns::refuse_persons(unread, known, *job.rules, sink);
        // Which of two columns of one name holds the figures cannot be known.
        for (at, name) in header.iter().enumerate() {
            let same = |other: &usize| header.get(*other).is_some_and(|o| normalised(o) == normalised(name));
            if wanted.iter().any(|other| *other != at && same(other)) {
                faults.push(sink.fault(Rule::ColumnTwice).field(name));
            }
        }
        for name in missing {
            faults.push(missing_column(&name, header, sink));
        }
        if faults.has_errors() {
            return Err(faults.into());
        }
        if refused {
            return Err(crate::sources::table::refused());
        }
        Ok((layout, wanted))
    }

    /// The name of a column in the file, or the usual one where it is missing.
    pub(super) fn name(&self, field: usize) -> &str {
        self.names.get(field).map_or("", String::as_str)
    }

    /// Whether the file has the column.
    pub(super) fn has(&self, field: usize) -> bool {
        self.at.get(field).copied().flatten().is_some()
    }

    /// A column in a record, where the file has it.
    pub(super) fn cell<'v, C: Cell>(&self, values: &'v [C], field: usize) -> Option<&'v C> {
        self.at.get(field).copied().flatten().and_then(|at| values.get(at))
    }

    /// The text of a column in a record; blank where the file has no such column.
    pub(super) fn get<'v, C: Cell>(&self, values: &'v [C], field: usize) -> Cow<'v, str> {
        self.cell(values, field).map(C::text).unwrap_or_default()
    }

    /// A fault at a column of a record, with the shape of what stands there.
    pub(super) fn fault(&self, rule: Rule, row: u64, field: usize, seen: &str, sink: &Sink<'_>) -> Fault {
        let fault = sink.fault(rule).row(row).field(self.name(field));
        if seen.is_empty() { fault } else { fault.seen(shape(seen)) }
    }

    /// A whole number from 0 to `high`; `None`, with a fault, for anything else, blanks too.
    pub(super) fn number<C: Cell>(
        &self,
        values: &[C],
        row: u64,
        field: usize,
        high: u32,
        sink: &mut Sink<'_>,
    ) -> Option<u32> {
        let text = self.get(values, field);
        let found = whole(&text, high);
        if let Err(rule) = found {
            let mut fault = self.fault(rule, row, field, &text, sink);
            if rule == Rule::OutOfRange {
                fault = fault.with("range", format!("0 – {high}"));
            }
            sink.push(fault);
        }
        found.ok()
    }

    /// The code of an entity, 1 – 32; `None`, with a fault, for anything else.
    pub(super) fn entity<C: Cell>(
        &self,
        values: &[C],
        row: u64,
        field: usize,
        sink: &mut Sink<'_>,
    ) -> Option<u32> {
        self.one_up_to(values, row, field, ENTITIES, sink)
    }

    /// The code of a municipality within its entity, 1 – 999; `None`, with a fault, for anything else.
    pub(super) fn municipality<C: Cell>(
        &self,
        values: &[C],
        row: u64,
        field: usize,
        sink: &mut Sink<'_>,
    ) -> Option<u32> {
        self.one_up_to(values, row, field, 999, sink)
    }

    fn one_up_to<C: Cell>(
        &self,
        values: &[C],
        row: u64,
        field: usize,
        high: u32,
        sink: &mut Sink<'_>,
    ) -> Option<u32> {
        let number = self.number(values, row, field, high, sink)?;
        if number == 0 {
            let fault = self.fault(Rule::OutOfRange, row, field, &self.get(values, field), sink);
            sink.push(fault.with("range", format!("1 – {high}")));
            return None;
        }
        Some(number)
    }

    /// The code of a municipality with its entity, the leading zero left out or not; `None`, with a fault, for
    /// anything else. `totals` says whether a code that ends in 000, of an entity or of the country, is one too.
    pub(super) fn code<C: Cell>(
        &self,
        values: &[C],
        row: u64,
        field: usize,
        totals: bool,
        sink: &mut Sink<'_>,
    ) -> Option<u32> {
        let text = self.text(values, row, field, sink)?;
        let digits = text.strip_suffix(".0").unwrap_or(&text);
        let code = if digits.len() > 5 { None } else { whole(digits, ENTITIES * 1_000 + 999).ok() };
        let code = code.filter(|code| match code % 1_000 {
            0 => totals,
            _ => *code > 1_000,
        });
        if code.is_none() {
            let fault = self.fault(Rule::CvegeoFormat, row, field, &text, sink);
            sink.push(fault);
        }
        code
    }

    /// A text that must not be blank.
    pub(super) fn text<'v, C: Cell>(
        &self,
        values: &'v [C],
        row: u64,
        field: usize,
        sink: &mut Sink<'_>,
    ) -> Option<Cow<'v, str>> {
        let text = self.get(values, field);
        if text.is_empty() {
            let fault = self.fault(Rule::ValueEmpty, row, field, &text, sink);
            sink.push(fault);
            return None;
        }
        Some(text)
    }

    /// By name of the table's columns: what they are called in the file.
    pub(super) fn labels(&self) -> BTreeMap<&'static str, String> {
        self.keys.iter().copied().zip(self.names.iter().cloned()).collect()
    }
}

/// A needed column that the file does not have, with those that are there.
pub(super) fn missing_column(name: &str, header: &[String], sink: &Sink<'_>) -> Fault {
    sink.fault(Rule::FieldMissing).field(name).with("allowed", environment::one_line(&header.join(", ")))
}

/// Number of entities, which is the highest code.
const ENTITIES: u32 = 32;

/// Entities whose records are kept; all if the list is empty.
pub(super) struct Entities {
    wanted: Vec<u32>,
    passed: Passed,
}

impl Entities {
    /// Those that the study names for this source.
    pub(super) fn of(job: &Job<'_>) -> Self {
        let wanted = job.spec.entities.iter().filter_map(|code| code.parse().ok()).collect();
        Self { wanted, passed: Passed::default() }
    }

    /// Whether records of the entity are kept.
    pub(super) fn keep(&mut self, entity: u32) -> bool {
        let kept = self.wanted.is_empty() || self.wanted.contains(&entity);
        if !kept {
            self.passed.note(&format!("{entity:02}"));
        }
        kept
    }

    /// That no record is of an entity that the study names.
    pub(super) fn nothing(&self, field: &str, job: &Job<'_>, sink: &Sink<'_>) -> Fault {
        self.passed.tell(sink.fault(Rule::NothingSelected).field(field), &job.spec.entities)
    }
}
