//! From the cells of a sheet to records: the header, the columns, and the types of the values.

use calamine::{Data, ExcelDateTime};

use super::Job;
use super::raw::Value;
use super::sink::Sink;
use super::table::{Consumer, Head, Typed};
use crate::error::{Error, Fault, Rule, shape};

/// Cells that are not empty, at most.
const MAX_CELLS: u64 = 30_000_000;

/// Bytes of all texts at most: a text that stands once in the file may be named by every cell.
const MAX_TEXT: u64 = 1 << 30;

/// Largest whole number that a cell can hold exactly.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Takes the cells of a sheet one by one, in the order of rows.
pub(super) struct Cells<'a, 'c> {
    job: &'a Job<'a>,
    consumer: &'c mut dyn Consumer,
    /// Row of the cells in `pending`, from 1.
    row: u64,
    pending: Vec<(u32, Found)>,
    header: Option<Header>,
    records: u64,
    filled: u64,
    text: u64,
}

/// What the header says.
struct Header {
    row: u64,
    /// Column of the sheet by field.
    columns: Vec<u32>,
    fields: Vec<String>,
    /// Fields that the consumer asked for.
    wanted: Vec<usize>,
}

impl<'a, 'c> Cells<'a, 'c> {
    pub(super) fn new(job: &'a Job<'a>, consumer: &'c mut dyn Consumer) -> Self {
        Self { job, consumer, row: 0, pending: Vec::new(), header: None, records: 0, filled: 0, text: 0 }
    }

    /// Takes one cell; `row` and `column` count from 0.
    pub(super) fn take(
        &mut self,
        row: u32,
        column: u32,
        found: Found,
        sink: &mut Sink<'_>,
    ) -> Result<(), Error> {
        if found.is_blank() {
            return Ok(());
        }
        self.filled += 1;
        if self.filled > MAX_CELLS {
            return Err(sink.fault(Rule::TooMany).with("limit", MAX_CELLS).into());
        }
        if let Found::Value(Data::String(text)) = &found {
            self.text = self.text.saturating_add(text.len() as u64);
            if self.text > MAX_TEXT {
                return Err(sink.fault(Rule::TooMany).with("limit", MAX_TEXT).into());
            }
        }
        let row = u64::from(row) + 1;
        if row < self.row {
            return Err(sink.fault(Rule::RecordBroken).row(row).with("detail", "order of rows").into());
        }
        if row > self.row {
            self.close(sink)?;
            self.row = row;
        }
        self.pending.push((column, found));
        Ok(())
    }

    /// Takes the last row, and gives the number of records.
    pub(super) fn finish(mut self, sink: &mut Sink<'_>) -> Result<u64, Error> {
        self.close(sink)?;
        if self.records == 0 {
            if self.header.is_none() {
                return Err(sink.fault(Rule::NoRecords).into());
            }
            super::table::no_records(self.job, sink)?;
        }
        Ok(self.records)
    }

    /// Ends a row: the first is the header.
    fn close(&mut self, sink: &mut Sink<'_>) -> Result<(), Error> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let mut cells = std::mem::take(&mut self.pending);
        cells.sort_by_key(|(column, _)| *column);
        let Some(header) = &self.header else {
            self.header = Some(self.names(&cells, sink)?);
            return Ok(());
        };
        self.records += 1;
        if self.records > self.job.limits.max_records {
            return Err(sink.fault(Rule::TooMany).with("limit", self.job.limits.max_records).into());
        }
        let outside =
            cells.iter().filter(|(column, _)| header.columns.binary_search(column).is_err()).count();
        if outside > 0 {
            if self.records == 1 {
                // A title above the table, or a header of two rows, has fewer cells than the rows below.
                let seen: Vec<String> = header.fields.iter().map(|name| shape(name)).collect();
                let fault = sink.fault(Rule::SheetHeader).row(header.row).with("found", cells.len());
                return Err(fault.with("expected", header.fields.len()).seen(seen.join(" | ")).into());
            }
            let fault = sink.fault(Rule::RowRagged).row(self.row);
            sink.push(fault.with("expected", header.fields.len()).with("found", cells.len()));
            return Ok(());
        }
        let mut values = Vec::with_capacity(header.wanted.len());
        let mut whole = true;
        for wanted in &header.wanted {
            let column = header.columns.get(*wanted).copied().unwrap_or(u32::MAX);
            let found = cells.binary_search_by_key(&column, |(at, _)| *at).ok();
            let cell = found.and_then(|at| cells.get(at)).map_or(&BLANK, |(_, found)| found);
            match cell.value(self.job, sink) {
                Ok(found) => values.push(found),
                Err(fault) => {
                    whole = false;
                    sink.push(
                        fault.row(self.row).field(header.fields.get(*wanted).map_or("", String::as_str)),
                    );
                }
            }
        }
        if whole {
            self.consumer.typed(self.row, &values, sink)?;
        }
        Ok(())
    }

    /// The names of the columns, in the order of the sheet; columns without a name are not read.
    fn names(&mut self, cells: &[(u32, Found)], sink: &mut Sink<'_>) -> Result<Header, Error> {
        if cells.len() > self.job.limits.max_columns {
            return Err(sink.fault(Rule::TooMany).with("limit", self.job.limits.max_columns).into());
        }
        let mut fields = Vec::with_capacity(cells.len());
        for (_, found) in cells {
            let typed = found.value(self.job, sink).map_err(|fault| fault.row(self.row))?;
            fields.push(typed.text);
        }
        let head = Head { fields: &fields, decimal_comma: true };
        let wanted = self.consumer.header(&head, sink)?;
        Ok(Header {
            row: self.row,
            columns: cells.iter().map(|(column, _)| *column).collect(),
            fields,
            wanted,
        })
    }
}

/// What stands in a cell.
pub(super) enum Found {
    Value(Data),
    /// A formula, and no value of it: a program wrote the file that does not calculate.
    Formula,
}

const BLANK: Found = Found::Value(Data::Empty);

impl Found {
    pub(super) fn of(value: Data, is_formula: bool) -> Self {
        if is_formula && matches!(value, Data::Empty) { Self::Formula } else { Self::Value(value) }
    }

    /// Whether a cell holds nothing that is seen.
    pub(super) fn is_blank(&self) -> bool {
        match self {
            Self::Value(Data::Empty) => true,
            Self::Value(Data::String(text)) => text.trim().is_empty(),
            _ => false,
        }
    }

    /// The value of the cell with its text, or the fault that says why it has none.
    fn value(&self, job: &Job<'_>, sink: &Sink<'_>) -> Result<Typed, Box<Fault>> {
        match self {
            Self::Value(data) => value(data, job, sink),
            Self::Formula => Err(Box::new(sink.fault(Rule::FormulaWithoutValue))),
        }
    }
}

fn value(data: &Data, job: &Job<'_>, sink: &Sink<'_>) -> Result<Typed, Box<Fault>> {
    let typed = |text: String| Typed { value: Value::Text(text.clone()), text };
    Ok(match data {
        Data::Empty => Typed { value: Value::Null, text: String::new() },
        Data::Int(number) => Typed { value: Value::Integer(*number), text: number.to_string() },
        Data::Float(number) => float(*number),
        Data::Bool(truth) => typed(truth.to_string()),
        Data::DateTime(at) => typed(moment(*at)),
        Data::DateTimeIso(at) => typed(at.trim().trim_end_matches("T00:00:00").replace('T', " ")),
        Data::DurationIso(length) => typed(length.trim().to_owned()),
        Data::Error(error) => return Err(Box::new(sink.fault(Rule::CellError).seen(error.to_string()))),
        Data::String(found) => {
            if found.len() > job.limits.max_field_bytes {
                let detail = format!("field_bytes > {}", job.limits.max_field_bytes);
                return Err(Box::new(sink.fault(Rule::RecordBroken).with("detail", detail)));
            }
            if found.contains('\u{fffd}') {
                return Err(Box::new(sink.fault(Rule::EncodingWrong).with("encoding", "utf-8")));
            }
            let found = found.trim();
            if found.is_empty() {
                Typed { value: Value::Null, text: String::new() }
            } else {
                typed(found.to_owned())
            }
        }
    })
}

/// Whole numbers lose the fraction that the format gives them.
fn float(number: f64) -> Typed {
    if number.fract() == 0.0 && number.abs() <= EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "whole and in range by the check above")]
        let whole = number as i64;
        return Typed { value: Value::Integer(whole), text: whole.to_string() };
    }
    Typed { value: Value::Real(number), text: number.to_string() }
}

/// A day, or a day with a time where it has one; a length of time as hours.
fn moment(at: ExcelDateTime) -> String {
    let (year, month, day, hour, minute, second, _) = at.to_ymd_hms_milli();
    if at.is_duration() {
        return at.as_f64().to_string();
    }
    let date = format!("{year:04}-{month:02}-{day:02}");
    if (hour, minute, second) == (0, 0, 0) {
        date
    } else {
        format!("{date} {hour:02}:{minute:02}:{second:02}")
    }
}
