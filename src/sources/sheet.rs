//! Spreadsheets, XLSX and ODS: a sheet whose first row that is not empty names the columns.
//!
//! The library that reads them believes what a file states of itself, so that it never sees the file: what it
//! needs is unpacked under the caps of [`super::archive`], checked part by part, and handed on in a copy.

use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _};

use calamine::{Data, Ods, OdsError, Range, Reader as _, SheetType, SheetVisible, Xlsx, XlsxError};

use super::Job;
use super::environment::{contained, one_line};
use super::guard::{Format, Input};
use super::rows::{Cells, Found};
use super::sink::Sink;
use super::table::{Consumer, Scanned};
use super::workbook::{self, Kind};
use crate::error::{Error, Rule, Why};

type Sheets = BufReader<File>;

/// What the library could not read.
enum Failed {
    Xlsx(XlsxError),
    Ods(OdsError),
    /// It panicked.
    Broke,
}

impl Failed {
    fn error(self, sink: &Sink<'_>) -> Error {
        let detail = match self {
            Self::Xlsx(XlsxError::Password) | Self::Ods(OdsError::Password) => {
                return sink.fault(Rule::Encrypted).into();
            }
            Self::Xlsx(error) => error.to_string(),
            Self::Ods(error) => error.to_string(),
            Self::Broke => return sink.fault(Rule::OpenFailed).with("detail", "content").into(),
        };
        sink.fault(Rule::OpenFailed).foreign(one_line(&detail)).into()
    }
}

/// A workbook of either kind.
enum Book {
    Xlsx(Box<Xlsx<Sheets>>),
    Ods(Box<Ods<Sheets>>),
}

impl Book {
    fn open(file: File, kind: Kind) -> Result<Self, Failed> {
        let reader = BufReader::new(file);
        match kind {
            Kind::Xlsx => {
                let book = contained(|| Xlsx::new(reader)).ok_or(Failed::Broke)?;
                book.map(|book| Self::Xlsx(Box::new(book))).map_err(Failed::Xlsx)
            }
            Kind::Ods => {
                let book = contained(|| Ods::new(reader)).ok_or(Failed::Broke)?;
                book.map(|book| Self::Ods(Box::new(book))).map_err(Failed::Ods)
            }
        }
    }

    /// Names of the sheets of cells, and whether each is shown.
    fn names(&self) -> Vec<(String, bool)> {
        let sheets = match self {
            Self::Xlsx(book) => book.sheets_metadata(),
            Self::Ods(book) => book.sheets_metadata(),
        };
        sheets
            .iter()
            .filter(|sheet| sheet.typ == SheetType::WorkSheet)
            .map(|sheet| (sheet.name.clone(), sheet.visible == SheetVisible::Visible))
            .collect()
    }

    /// Hands the cells of a sheet to `take` in the order of the file, until it says that it has enough.
    fn cells(
        &mut self,
        name: &str,
        take: &mut dyn FnMut(u32, u32, Found) -> Result<bool, Error>,
    ) -> Result<Result<(), Error>, Failed> {
        match self {
            Self::Xlsx(book) => {
                let mut cells = contained(|| book.worksheet_cells_reader(name))
                    .ok_or(Failed::Broke)?
                    .map_err(Failed::Xlsx)?;
                while let Some(cell) = contained(|| cells.next_cell_with_formula_metadata())
                    .ok_or(Failed::Broke)?
                    .map_err(Failed::Xlsx)?
                {
                    let (row, column) = cell.pos;
                    match take(row, column, Found::of(cell.value.into(), cell.formula.is_some())) {
                        Ok(true) => {}
                        Ok(false) => break,
                        Err(error) => return Ok(Err(error)),
                    }
                }
            }
            Self::Ods(book) => {
                let range =
                    contained(|| book.worksheet_range(name)).ok_or(Failed::Broke)?.map_err(Failed::Ods)?;
                let formulas =
                    contained(|| book.worksheet_formula(name)).ok_or(Failed::Broke)?.map_err(Failed::Ods)?;
                // Both in the order of rows; a formula without a value stands in the second only.
                let mut values = placed(&range).map(|(at, value)| (at, value.clone())).peekable();
                let mut formulas = placed(&formulas).map(|(at, _)| at).peekable();
                loop {
                    let formula = formulas.peek().copied();
                    let has_value = values.peek().is_some_and(|(at, _)| formula.is_none_or(|f| *at <= f));
                    let next = if has_value { values.next() } else { formula.map(|at| (at, Data::Empty)) };
                    let Some(((row, column), value)) = next else { break };
                    let is_formula = formulas.next_if_eq(&(row, column)).is_some();
                    match take(row, column, Found::of(value, is_formula)) {
                        Ok(true) => {}
                        Ok(false) => break,
                        Err(error) => return Ok(Err(error)),
                    }
                }
            }
        }
        Ok(Ok(()))
    }
}

/// The cells of a range that hold something, by their places in the sheet.
fn placed<T: calamine::CellType>(range: &Range<T>) -> impl Iterator<Item = ((u32, u32), &T)> {
    let (top, left) = range.start().unwrap_or_default();
    let at = |first: u32, more: usize| first.saturating_add(u32::try_from(more).unwrap_or(u32::MAX));
    range.used_cells().map(move |(row, column, value)| ((at(top, row), at(left, column)), value))
}

/// Hands the rows of the sheet to `consumer`, as [`super::table::scan`] does those of a CSV file.
pub(super) fn scan(
    input: &Input,
    job: &Job<'_>,
    sink: &mut Sink<'_>,
    consumer: &mut dyn Consumer,
) -> Result<Scanned, Error> {
    let mut book = open(input, job, sink)?;
    let name = choose(&mut book, job, sink)?;
    sink.set_layer(&name);
    let mut cells = Cells::new(job, consumer);
    book.cells(&name, &mut |row, column, found| cells.take(row, column, found, sink).map(|()| true))
        .map_err(|failed| failed.error(sink))??;
    let records = cells.finish(sink)?;
    Ok(Scanned { encoding: "utf-8".to_owned(), layer: Some(name), sha256: String::new(), records })
}

/// The sheets that are shown and hold something.
pub(super) fn filled(input: &Input, job: &Job<'_>, sink: &Sink<'_>) -> Result<Vec<String>, Error> {
    filled_of(&mut open(input, job, sink)?, sink)
}

fn open(input: &Input, job: &Job<'_>, sink: &Sink<'_>) -> Result<Book, Error> {
    let kind = kind(input, sink)?;
    let file = workbook::checked(&input.path, &input.shown, kind, job.limits, sink)?;
    Book::open(file, kind).map_err(|failed| failed.error(sink))
}

fn filled_of(book: &mut Book, sink: &Sink<'_>) -> Result<Vec<String>, Error> {
    let mut filled = Vec::new();
    for (name, _) in book.names().into_iter().filter(|(_, shown)| *shown) {
        let mut empty = true;
        book.cells(&name, &mut |_, _, found| {
            empty = found.is_blank();
            Ok(empty)
        })
        .map_err(|failed| failed.error(sink))??;
        if !empty {
            filled.push(name);
        }
    }
    Ok(filled)
}

/// What the first bytes say. A spreadsheet with a password, and one of before 2007, are of another kind of file.
fn kind(input: &Input, sink: &Sink<'_>) -> Result<Kind, Error> {
    let io = |source| Error::io(&input.path, source);
    let mut file = File::open(&input.path).map_err(io)?;
    let mut head = Vec::new();
    std::io::Read::by_ref(&mut file).take(8).read_to_end(&mut head).map_err(io)?;
    if head.starts_with(b"\xd0\xcf\x11\xe0") {
        file.rewind().map_err(io)?;
        let word: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let rule =
            if holds(BufReader::new(file), &word).map_err(io)? { Rule::Encrypted } else { Rule::OpenFailed };
        return Err(sink.fault(rule).why(Why::OldSpreadsheet).into());
    }
    if !head.starts_with(b"PK") {
        return Err(sink.fault(Rule::OpenFailed).why(Why::NotASpreadsheet).into());
    }
    Ok(if input.format == Format::Ods { Kind::Ods } else { Kind::Xlsx })
}

/// Whether the bytes stand anywhere in the file.
fn holds(mut reader: impl std::io::Read, word: &[u8]) -> std::io::Result<bool> {
    let mut buffer = vec![0; 1 << 16];
    let mut window = Vec::new();
    loop {
        let n = reader.read(&mut buffer)?;
        if n == 0 {
            return Ok(false);
        }
        window.extend_from_slice(buffer.get(..n).unwrap_or_default());
        if window.windows(word.len()).any(|part| part == word) {
            return Ok(true);
        }
        window.drain(..window.len().saturating_sub(word.len()));
    }
}

/// The sheet that the study names, or the only one that is shown and holds something.
fn choose(book: &mut Book, job: &Job<'_>, sink: &Sink<'_>) -> Result<String, Error> {
    let names = book.names();
    let found = if let Some(wanted) = &job.spec.layer {
        let by = |same: &dyn Fn(&str) -> bool| names.iter().map(|(name, _)| name).find(|name| same(name));
        by(&|name| name == wanted)
            .or_else(|| by(&|name| super::normalised(name) == super::normalised(wanted)))
            .cloned()
    } else {
        let mut filled = filled_of(book, sink)?;
        if filled.is_empty() && !names.is_empty() {
            return Err(sink.fault(Rule::NoRecords).into());
        }
        filled.pop().filter(|_| filled.is_empty())
    };
    found.ok_or_else(|| {
        let all: Vec<&str> = names.iter().map(|(name, _)| name.as_str()).collect();
        let fault = sink.fault(Rule::LayerMissing).with("allowed", one_line(&all.join(", ")));
        match &job.spec.layer {
            Some(wanted) => fault.field(one_line(wanted)).into(),
            None => fault.into(),
        }
    })
}
