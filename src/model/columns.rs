//! Typed access to the columns of a raw table: each breach is a fault with row and field.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use crate::error::{Fault, Faults, Place, Rule, shape};
use crate::sources::number;
use crate::sources::raw::{RawRow, RawTable, Value};
use crate::sources::spec::SourceSpec;

/// The columns of one table by the names that corredor uses.
pub struct Columns<'a> {
    table: &'a RawTable,
    /// Number of the table among those of its source.
    number: usize,
    at: BTreeMap<&'static str, (usize, String)>,
}

impl<'a> Columns<'a> {
    /// Looks up `needed` and `optional` names, through the study's mapping where it has one. A needed
    /// column that is missing, or a mapped one, is a fault.
    pub fn new(
        table: &'a RawTable,
        spec: &SourceSpec,
        needed: &[&'static str],
        optional: &[&'static str],
        faults: &mut Faults,
    ) -> Self {
        let mut at = BTreeMap::new();
        for (&name, need) in needed.iter().map(|n| (n, true)).chain(optional.iter().map(|n| (n, false))) {
            if let Some((index, label)) = table.column(name, spec) {
                at.insert(name, (index, label.to_owned()));
            // A file without a feature may not say what its fields are.
            } else if !table.fields.is_empty()
                && (need || (!table.is_translated() && spec.fields.contains_key(name)))
            {
                faults.push(
                    table
                        .fault(Rule::FieldMissing, None, Some(table.wanted(name, spec)))
                        .with("allowed", table.fields.join(", ")),
                );
            }
        }
        Self { table, number: 0, at }
    }

    /// The same as table `number` of its source.
    #[must_use]
    pub fn numbered(self, number: usize) -> Self {
        Self { number, ..self }
    }

    /// Number of the table among those of its source.
    #[must_use]
    pub const fn table_number(&self) -> usize {
        self.number
    }

    /// The records of the table.
    pub fn rows(&self) -> impl Iterator<Item = &'a RawRow> {
        self.table.rows.iter()
    }

    /// A fault at a row and column, or at the table as a whole.
    #[must_use]
    pub fn place_fault(&self, rule: Rule, row: Option<&RawRow>, name: Option<&str>) -> Fault {
        let name = name.map(|name| self.label(name));
        match row {
            Some(row) => self.table.fault_at(rule, row, name),
            None => self.table.fault(rule, None, name),
        }
    }

    /// Whether the column is there.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.at.contains_key(name)
    }

    /// The column's name in the file.
    #[must_use]
    pub fn label<'b>(&'b self, name: &'b str) -> &'b str {
        self.at.get(name).map_or(name, |(_, label)| label.as_str())
    }

    /// Reports `rule` at a row and column.
    pub fn fault(&self, rule: Rule, row: &RawRow, name: &str, seen: Option<&str>, faults: &mut Faults) {
        let mut fault = self.table.fault_at(rule, row, Some(self.label(name)));
        if let Some(seen) = seen {
            fault = fault.seen(shape(seen));
        }
        faults.push(fault);
    }

    fn value<'r>(&self, row: &'r RawRow, name: &str) -> Option<&'r Value> {
        row.values.get(self.at.get(name)?.0)
    }

    /// The text, `None` if blank or the column is not there.
    #[must_use]
    pub fn text(&self, row: &RawRow, name: &str) -> Option<String> {
        self.value(row, name)?.text()
    }

    /// The same, borrowed where it can be.
    fn as_text<'r>(&self, row: &'r RawRow, name: &str) -> Option<Cow<'r, str>> {
        self.value(row, name)?.as_text()
    }

    /// The text, a fault if blank.
    pub fn needed(&self, row: &RawRow, name: &str, faults: &mut Faults) -> Option<String> {
        self.require(row, name, faults);
        self.text(row, name)
    }

    /// A fault if the value is blank.
    pub fn require(&self, row: &RawRow, name: &str, faults: &mut Faults) {
        if self.has(name) && self.as_text(row, name).is_none() {
            self.fault(Rule::ValueEmpty, row, name, None, faults);
        }
    }

    /// A real number within `low..=high`; `None` if blank, with a fault for anything else.
    pub fn number(&self, row: &RawRow, name: &str, low: f64, high: f64, faults: &mut Faults) -> Option<f64> {
        let value = self.value(row, name)?;
        let text = value.as_text()?;
        let number = value.number().or_else(|| number::decimal(&text, self.table.decimal_comma));
        let found = match number.filter(|number| number.is_finite()) {
            Some(number) if (low..=high).contains(&number) => Ok(number),
            Some(_) => Err(Rule::OutOfRange),
            None if text == "*" => Err(Rule::ValueSuppressed),
            None => Err(Rule::NotANumber),
        };
        found.map_err(|rule| self.refuse(rule, row, name, &text, (low, high), faults)).ok()
    }

    /// A whole number within `low..=high`; `None` if blank, with a fault for anything else. Group separators are not
    /// taken: `1,234` and `1.234` are faults rather than a guess.
    pub fn count(&self, row: &RawRow, name: &str, low: u32, high: u32, faults: &mut Faults) -> Option<u32> {
        let value = self.value(row, name)?;
        let text = value.as_text()?;
        let range = (f64::from(low), f64::from(high));
        let found = match value.number() {
            Some(number) if !(range.0..=range.1).contains(&number) => Err(Rule::OutOfRange),
            Some(number) if number.fract() != 0.0 => Err(Rule::NotAnInteger),
            // In 0..=u32::MAX and whole by the checks above.
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "range checked above"
            )]
            Some(number) => Ok(number as u32),
            None => {
                number::whole(&text, high).and_then(|n| if n < low { Err(Rule::OutOfRange) } else { Ok(n) })
            }
        };
        found.map_err(|rule| self.refuse(rule, row, name, &text, range, faults)).ok()
    }

    /// A whole number, such as the key of a junction; `None` if blank. Typed formats may hold it as a real number.
    pub fn integer(&self, row: &RawRow, name: &str, faults: &mut Faults) -> Option<i64> {
        let value = self.value(row, name)?;
        if let Value::Integer(number) = value {
            return Some(*number);
        }
        let text = value.as_text()?;
        let number = number::key(&text);
        if number.is_none() {
            self.fault(Rule::NotAnInteger, row, name, Some(&text), faults);
        }
        number
    }

    /// Reports what is no number of a range.
    fn refuse(
        &self,
        rule: Rule,
        row: &RawRow,
        name: &str,
        text: &str,
        (low, high): (f64, f64),
        faults: &mut Faults,
    ) {
        match rule {
            Rule::ValueSuppressed => self.fault(rule, row, name, None, faults),
            Rule::OutOfRange => {
                let fault = self.table.fault_at(rule, row, Some(self.label(name)));
                faults.push(fault.seen(text.to_owned()).with("range", format!("{low} – {high}")));
            }
            _ => self.fault(rule, row, name, Some(text), faults),
        }
    }

    /// True or false, in Spanish, English and digits; `None` if blank.
    pub fn boolean(&self, row: &RawRow, name: &str, faults: &mut Faults) -> Option<bool> {
        let value = self.value(row, name)?;
        if let Value::Integer(flag @ (0 | 1)) = value {
            return Some(*flag == 1);
        }
        let text = value.as_text()?;
        match text.to_lowercase().as_str() {
            "true" | "1" | "si" | "sí" | "s" | "yes" | "y" | "verdadero" => Some(true),
            "false" | "0" | "no" | "n" | "falso" => Some(false),
            _ => {
                self.fault(Rule::NotABoolean, row, name, Some(&text), faults);
                None
            }
        }
    }

    /// One of a list of names, compared without case; `None` if blank.
    pub fn choice<T: Copy>(
        &self,
        row: &RawRow,
        name: &str,
        choices: &[(&str, T)],
        faults: &mut Faults,
    ) -> Option<T> {
        let text = self.as_text(row, name)?;
        let found = choices.iter().find(|(key, _)| key.eq_ignore_ascii_case(&text)).map(|(_, value)| *value);
        if found.is_none() {
            let allowed: Vec<&str> = choices.iter().map(|(key, _)| *key).collect();
            self.unknown_value(row, name, &text, allowed.join(", "), faults);
        }
        found
    }

    /// A five-digit CVEGEO. Typed formats may have lost the leading zero: `7001` is read as `07001`.
    pub fn cvegeo(&self, row: &RawRow, name: &str, faults: &mut Faults) -> Option<String> {
        let text = self.needed(row, name, faults)?;
        let digits = text.bytes().all(|b| b.is_ascii_digit());
        match (digits, text.len()) {
            (true, 5) => Some(text),
            (true, 4) => Some(format!("0{text}")),
            _ => {
                self.fault(Rule::CvegeoFormat, row, name, Some(&text), faults);
                None
            }
        }
    }
}

/// All records of several tables, each with its columns.
pub fn records<'c, 'a>(tables: &'c [Columns<'a>]) -> impl Iterator<Item = (&'c Columns<'a>, &'a RawRow)> {
    tables.iter().flat_map(|columns| columns.rows().map(move |row| (columns, row)))
}

/// Collects keys of a table and reports those that stand twice.
#[derive(Default)]
pub struct Keys(HashMap<String, Place>);

impl Keys {
    /// Whether `key` is new; a repeat is a fault that names the first row.
    pub fn insert(
        &mut self,
        key: &str,
        columns: &Columns<'_>,
        row: &RawRow,
        name: &str,
        faults: &mut Faults,
    ) -> bool {
        if let Some(first) = self.0.get(key) {
            faults.push(
                columns
                    .table
                    .fault_at(Rule::DuplicateKey, row, Some(columns.label(name)))
                    .seen(key.to_owned())
                    .with("first", columns.table.beside(first)),
            );
            return false;
        }
        self.0.insert(key.to_owned(), columns.table.place(Some(row.row), None));
        true
    }
}

impl Columns<'_> {
    /// Reports a value that is not one of `allowed`.
    pub fn unknown_value(
        &self,
        row: &RawRow,
        name: &str,
        seen: &str,
        allowed: impl std::fmt::Display,
        faults: &mut Faults,
    ) {
        faults.push(
            self.table
                .fault_at(Rule::ValueUnknown, row, Some(self.label(name)))
                .seen(shape(seen))
                .with("allowed", allowed),
        );
    }

    /// Reports a well-formed code that no municipality of the study has. Codes are of places, so it is shown.
    pub fn unknown_code(&self, row: &RawRow, code: &str, faults: &mut Faults) {
        faults.push(
            self.table
                .fault_at(Rule::ReferenceUnknown, row, Some(self.label("cvegeo")))
                .seen(code.to_owned()),
        );
    }
}
