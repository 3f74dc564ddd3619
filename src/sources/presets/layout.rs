//! Columns of an official table by the names that its editions use.

use std::collections::BTreeMap;

use crate::error::{Error, Fault, Faults, Rule, shape};
use crate::sources::names::find_field;
use crate::sources::sink::Sink;
use crate::sources::table::Head;
use crate::sources::{Job, columns, environment};

/// A column that a preset reads.
pub(super) struct Field {
    /// Name in the table that the preset makes, and key of the study's `fields`.
    pub(super) key: &'static str,
    /// Names in the editions, the usual one first.
    pub(super) names: &'static [&'static str],
    /// Whether the file is of no use without it.
    pub(super) needed: bool,
}

/// A column without which the file is of no use.
pub(super) const fn needed(key: &'static str, names: &'static [&'static str]) -> Field {
    Field { key, names, needed: true }
}

/// A column that some editions lack.
pub(super) const fn optional(key: &'static str, names: &'static [&'static str]) -> Field {
    Field { key, names, needed: false }
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
    /// One fault for each needed column that is missing, and for each column that describes a person. `known`
    /// are names, in letters and digits, that the official layout has and that only look like one.
    pub(super) fn find(
        head: &Head<'_>,
        fields: &[Field],
        known: &[&str],
        job: &Job<'_>,
        sink: &mut Sink<'_>,
    ) -> Result<(Self, Vec<usize>), Error> {
        let mut layout = Self::default();
        let mut wanted = Vec::new();
        let mut missing = Vec::new();
        for field in fields {
            let usual = field.names.first().copied().unwrap_or(field.key);
            let mapped = job.spec.fields.get(field.key).map(String::as_str);
            let found = match mapped {
                Some(name) => find_field(head.fields, name),
                None => field.names.iter().find_map(|name| find_field(head.fields, name)),
            };
            let name =
                found.and_then(|at| head.fields.get(at)).map_or(mapped.unwrap_or(usual), String::as_str);
            if found.is_none() && (field.needed || mapped.is_some()) {
                missing.push(name.to_owned());
            }
            layout.at.push(found.map(|_| wanted.len()));
            layout.names.push(name.to_owned());
            layout.keys.push(field.key);
            wanted.extend(found);
        }
        let unread =
            head.fields.iter().enumerate().filter(|(i, _)| !wanted.contains(i)).map(|(_, name)| name);
        let refused = columns::refuse_persons(unread, known, *job.rules, sink);
        if !missing.is_empty() {
            let all = environment::one_line(&head.fields.join(", "));
            let fault = |name| sink.fault(Rule::FieldMissing).field(name).with("allowed", &all);
            return Err(Faults(missing.into_iter().map(fault).collect()).into());
        }
        if refused {
            return Err(crate::sources::table::refused());
        }
        Ok((layout, wanted))
    }

    /// Whether the file has the column.
    pub(super) fn has(&self, field: usize) -> bool {
        self.at.get(field).copied().flatten().is_some()
    }

    /// The text of a column in a record; blank where the file has no such column.
    pub(super) fn get<'v>(&self, values: &'v [String], field: usize) -> &'v str {
        let at = self.at.get(field).copied().flatten();
        at.and_then(|at| values.get(at)).map_or("", String::as_str)
    }

    /// A fault at a column of a record, with the shape of what stands there.
    pub(super) fn fault(&self, rule: Rule, row: u64, field: usize, seen: &str, sink: &Sink<'_>) -> Fault {
        let fault = sink.fault(rule).row(row).field(self.names.get(field).map_or("", String::as_str));
        if seen.is_empty() { fault } else { fault.seen(shape(seen)) }
    }

    /// A whole number from 0 to `high`; `None`, with a fault, for anything else, blanks too.
    pub(super) fn number(
        &self,
        values: &[String],
        row: u64,
        field: usize,
        high: u32,
        sink: &mut Sink<'_>,
    ) -> Option<u32> {
        let text = self.get(values, field);
        let found = whole(text, high);
        if let Err(rule) = found {
            let mut fault = self.fault(rule, row, field, text, sink);
            if rule == Rule::OutOfRange {
                fault = fault.with("range", format!("0 – {high}"));
            }
            sink.push(fault);
        }
        found.ok()
    }

    /// A text that must not be blank.
    pub(super) fn text<'v>(
        &self,
        values: &'v [String],
        row: u64,
        field: usize,
        sink: &mut Sink<'_>,
    ) -> Option<&'v str> {
        let text = self.get(values, field);
        if text.is_empty() {
            let fault = self.fault(Rule::ValueEmpty, row, field, text, sink);
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

/// A whole number as offices write it: digits, or digits with `.0` where a spreadsheet has been at it.
pub(super) fn whole(text: &str, high: u32) -> Result<u32, Rule> {
    let digits = text.strip_suffix(".0").unwrap_or(text);
    if digits.is_empty() {
        return Err(Rule::ValueEmpty);
    }
    if text == "*" {
        return Err(Rule::ValueSuppressed);
    }
    match digits.parse::<u64>() {
        Ok(number) => u32::try_from(number).ok().filter(|n| *n <= high).ok_or(Rule::OutOfRange),
        Err(_) => Err(match digits.parse::<f64>() {
            Ok(number) if number.is_finite() && number.fract() != 0.0 => Rule::NotAnInteger,
            Ok(number) if number.is_finite() => Rule::OutOfRange,
            _ => Rule::NotANumber,
        }),
    }
}

/// Entities whose records are kept; all if the list is empty.
pub(super) struct Entities(Vec<u32>);

impl Entities {
    /// Those that the study names for this source.
    pub(super) fn of(job: &Job<'_>) -> Self {
        Self(job.spec.entities.iter().filter_map(|code| code.parse().ok()).collect())
    }

    /// Whether records of the entity are kept.
    pub(super) fn keep(&self, entity: u32) -> bool {
        self.0.is_empty() || self.0.contains(&entity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_read_or_refused() {
        assert_eq!(whole("12", 20), Ok(12));
        assert_eq!(whole("12.0", 20), Ok(12));
        assert_eq!(whole("", 20), Err(Rule::ValueEmpty));
        assert_eq!(whole("*", 20), Err(Rule::ValueSuppressed));
        assert_eq!(whole("21", 20), Err(Rule::OutOfRange));
        assert_eq!(whole("-1", 20), Err(Rule::OutOfRange));
        assert_eq!(whole("1.5", 20), Err(Rule::NotAnInteger));
        for text in ["1,234", "doce", "NaN", "inf", "99999999999999999999999", "1 2"] {
            assert!(whole(text, 20).is_err(), "{text}");
        }
    }
}
