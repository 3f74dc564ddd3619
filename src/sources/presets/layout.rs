//! Columns of an official table by the names that its editions use.

use std::collections::BTreeMap;

use crate::error::{Error, Fault, Faults, Rule, shape};
use crate::sources::names::{find_field, normalised};
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
    /// One fault for each needed column that is missing, for each that stands twice, and for each that describes a
    /// person. `known` are names, in letters and digits, that the official layout has and that only look like one;
    /// `others` are faults that the preset found itself.
    pub(super) fn find(
        head: &Head<'_>,
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
        // Which of two columns of one name holds the figures cannot be known.
        for (at, name) in head.fields.iter().enumerate() {
            let same =
                |other: &usize| head.fields.get(*other).is_some_and(|o| normalised(o) == normalised(name));
            if wanted.iter().any(|other| *other != at && same(other)) {
                faults.push(sink.fault(Rule::ColumnTwice).field(name));
            }
        }
        for name in missing {
            faults.push(missing_column(&name, head, sink));
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

    /// The text of a column in a record; blank where the file has no such column.
    pub(super) fn get<'v>(&self, values: &'v [String], field: usize) -> &'v str {
        let at = self.at.get(field).copied().flatten();
        at.and_then(|at| values.get(at)).map_or("", String::as_str)
    }

    /// A fault at a column of a record, with the shape of what stands there.
    pub(super) fn fault(&self, rule: Rule, row: u64, field: usize, seen: &str, sink: &Sink<'_>) -> Fault {
        let fault = sink.fault(rule).row(row).field(self.name(field));
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

    /// The code of an entity, 1 – 32; `None`, with a fault, for anything else.
    pub(super) fn entity(
        &self,
        values: &[String],
        row: u64,
        field: usize,
        sink: &mut Sink<'_>,
    ) -> Option<u32> {
        let entity = self.number(values, row, field, ENTITIES, sink)?;
        if entity == 0 {
            let fault = self.fault(Rule::OutOfRange, row, field, self.get(values, field), sink);
            sink.push(fault.with("range", format!("1 – {ENTITIES}")));
            return None;
        }
        Some(entity)
    }

    /// The code of a municipality with its entity, the leading zero left out or not; `None`, with a fault, for
    /// anything else. `totals` says whether a code that ends in 000, of an entity or of the country, is one too.
    pub(super) fn code(
        &self,
        values: &[String],
        row: u64,
        field: usize,
        totals: bool,
        sink: &mut Sink<'_>,
    ) -> Option<u32> {
        let text = self.text(values, row, field, sink)?;
        let digits = text.strip_suffix(".0").unwrap_or(text);
        let code = if digits.len() > 5 { None } else { whole(digits, ENTITIES * 1_000 + 999).ok() };
        let code = code.filter(|code| match code % 1_000 {
            0 => totals,
            _ => *code > 1_000,
        });
        if code.is_none() {
            let fault = self.fault(Rule::CvegeoFormat, row, field, text, sink);
            sink.push(fault);
        }
        code
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

/// A needed column that the file does not have, with those that are there.
pub(super) fn missing_column(name: &str, head: &Head<'_>, sink: &Sink<'_>) -> Fault {
    sink.fault(Rule::FieldMissing).field(name).with("allowed", environment::one_line(&head.fields.join(", ")))
}

/// Number of entities, which is the highest code.
const ENTITIES: u32 = 32;

/// A whole number as offices write it: digits, or digits with `.0` where a spreadsheet has been at it. A sign of plus,
/// an exponent or a group separator is not taken: `1.234` is a fault rather than a guess.
pub(super) fn whole(text: &str, high: u32) -> Result<u32, Rule> {
    match text {
        "" => return Err(Rule::ValueEmpty),
        "*" => return Err(Rule::ValueSuppressed),
        _ => {}
    }
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let positive = text.strip_prefix('-').unwrap_or(text);
    let digits = positive.strip_suffix(".0").unwrap_or(positive);
    if is_digits(digits) {
        // Twenty digits and more do not fit the type, and no range either.
        let number = digits.parse::<u32>().ok().filter(|n| *n <= high && positive.len() == text.len());
        return number.ok_or(Rule::OutOfRange);
    }
    Err(match digits.split_once('.') {
        Some((whole, part)) if is_digits(whole) && is_digits(part) => Rule::NotAnInteger,
        _ => Rule::NotANumber,
    })
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
        assert_eq!(whole("99999999999999999999999", 20), Err(Rule::OutOfRange));
        for text in ["1.234", "12.00", "-0.5"] {
            assert_eq!(whole(text, 2_000), Err(Rule::NotAnInteger), "{text}");
        }
        for text in ["1,234", "doce", "NaN", "inf", "1 2", "+5", "1e3", ".0", "-", "0x10", "１２"] {
            assert_eq!(whole(text, 2_000), Err(Rule::NotANumber), "{text}");
        }
    }
}
