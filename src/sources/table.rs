//! CSV: comma, semicolon or tab; any line ends; quoted line breaks; the encoding declared or detected.

use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;

use csv::ByteRecord;
use encoding_rs::Encoding;

use super::geometry::{self, Survey};
use super::guard::Input;
use super::lines::{Budget, Lines};
use super::points::PointReader;
use super::raw::{Provenance, RawRow, RawTable, Value};
use super::sink::Sink;
use super::spec::GeometryNeed;
use super::text::{self, Census};
use super::{Job, columns, environment};
use crate::error::{Error, Fault, Rule};

/// Bytes of the header line at most.
const MAX_HEADER: u64 = 1 << 20;

/// Reads the table whole.
pub(super) fn read(input: &Input, job: &Job<'_>, sink: &mut Sink<'_>) -> Result<RawTable, Error> {
    if matches!(job.need, GeometryNeed::Line | GeometryNeed::Polygon) {
        let fault = sink
            .fault(Rule::GeometryType)
            .with("expected", geometry::expected(job.need))
            .with("found", "csv");
        return Err(fault.into());
    }
    if let Some(layer) = &job.spec.layer
        && *layer != input.stem()
    {
        return Err(sink.fault(Rule::LayerMissing).field(layer).with("allowed", input.stem()).into());
    }
    let encoding = encoding(input, job.spec.encoding.as_deref(), sink)?;
    let delimiter = delimiter(input)?;
    let mut records = Records::open(input, delimiter)?;

    let Some((row, header)) = records.next(sink)? else {
        return Err(sink.fault(Rule::NoRecords).into());
    };
    if header.len() > job.limits.max_columns {
        return Err(sink.fault(Rule::TooMany).with("limit", job.limits.max_columns).into());
    }
    let mut fields = Vec::with_capacity(header.len());
    for name in &header {
        let Some(name) = text::decode(encoding, name) else {
            return Err(sink.fault(Rule::EncodingWrong).row(row).with("encoding", encoding.name()).into());
        };
        fields.push(name.trim().to_owned());
    }
    let columns_before = fields.len();
    let kept = columns::admit(&fields, *job.rules, sink).ok_or_else(refused)?;
    let points = match job.need {
        GeometryNeed::Point => Some(PointReader::new(&fields, job, delimiter != b',', sink)?),
        GeometryNeed::None | GeometryNeed::Line | GeometryNeed::Polygon => None,
    };

    let mut rows = Vec::new();
    let mut survey = Survey::default();
    let mut count = 0;
    while let Some((row, record)) = records.next(sink)? {
        if record.iter().all(|value| value.trim_ascii().is_empty()) {
            continue; // Spreadsheets leave empty rows at the end.
        }
        count += 1;
        if count > job.limits.max_records {
            return Err(sink.fault(Rule::TooMany).with("limit", job.limits.max_records).into());
        }
        if record.len() != columns_before {
            let fault = sink.fault(Rule::RowRagged).row(row);
            sink.push(fault.with("expected", columns_before).with("found", record.len()));
            continue;
        }
        let Some(values) = decode_row(&record, &fields, encoding, row, job, sink) else { continue };
        let geometry = match &points {
            Some(points) => match points.point(&values, row, &mut survey, sink) {
                None => continue,
                some => some,
            },
            None => None,
        };
        let values = take(values, &kept);
        rows.push(RawRow { row, values, geometry });
    }
    if count == 0 {
        return Err(sink.fault(Rule::NoRecords).into());
    }
    survey.finish(sink);
    Ok(RawTable {
        provenance: Provenance {
            source: job.name.to_owned(),
            file: job.spec.path.clone(),
            driver: input.format.driver().to_owned(),
            crs: points.map(|points| points.to_wgs84.label),
            encoding: Some(encoding.name().to_ascii_lowercase()),
            records: count,
            extent: survey.extent,
            ..Provenance::default()
        },
        fields: kept.iter().filter_map(|i| fields.get(*i).cloned()).collect(),
        rows,
        ..RawTable::default()
    })
}

/// The faults are in the sink already.
pub(super) fn refused() -> Error {
    Error::Faults(crate::error::Faults::default())
}

/// Decodes one row, or pushes a fault for each value that is not text.
fn decode_row(
    record: &ByteRecord,
    fields: &[String],
    encoding: &'static Encoding,
    row: u64,
    job: &Job<'_>,
    sink: &mut Sink<'_>,
) -> Option<Vec<String>> {
    let mut values = Vec::with_capacity(fields.len());
    for (value, field) in record.iter().zip(fields) {
        let fault = if value.len() > job.limits.max_field_bytes {
            sink.fault(Rule::RecordBroken)
                .with("detail", format!("field_bytes > {}", job.limits.max_field_bytes))
        } else if value.contains(&0) {
            sink.fault(Rule::RecordBroken).with("detail", "NUL")
        } else if let Some(text) = text::decode(encoding, value) {
            values.push(text);
            continue;
        } else {
            sink.fault(Rule::EncodingWrong).with("encoding", encoding.name().to_ascii_lowercase())
        };
        sink.push(fault.row(row).field(field));
    }
    (values.len() == fields.len()).then_some(values)
}

/// The values of the columns that are kept, in order.
fn take(values: Vec<String>, kept: &[usize]) -> Vec<Value> {
    let mut kept = kept.iter().copied().peekable();
    let mut out = Vec::with_capacity(kept.len());
    for (i, value) in values.into_iter().enumerate() {
        if kept.next_if_eq(&i).is_some() {
            out.push(if value.is_empty() { Value::Null } else { Value::Text(value) });
        }
    }
    out
}

fn encoding(input: &Input, declared: Option<&str>, sink: &Sink<'_>) -> Result<&'static Encoding, Error> {
    let io = |source| Error::io(&input.path, source);
    let mut file = File::open(&input.path).map_err(io)?;
    let mut buffer = vec![0; 1 << 16];
    let mut census = Census::default();
    let mut marked = None;
    loop {
        let n = file.read(&mut buffer).map_err(io)?;
        let chunk = buffer.get(..n).unwrap_or_default();
        if chunk.is_empty() {
            break;
        }
        marked.get_or_insert_with(|| chunk.starts_with(b"\xef\xbb\xbf"));
        census.feed(chunk);
    }
    census.end();
    // A byte order mark says UTF-8; a declaration of another encoding then contradicts it.
    let declared = if marked == Some(true) { declared.or(Some("utf-8")) } else { declared };
    let wrong = |label: String| Error::from(sink.fault(Rule::EncodingWrong).with("encoding", label));
    let encoding = census.decide(declared).map_err(wrong)?;
    if census.contradicts(encoding) {
        return Err(wrong(encoding.name().to_ascii_lowercase()));
    }
    Ok(encoding)
}

/// The one of comma, semicolon and tab that stands most often in the header line, outside quotes.
fn delimiter(input: &Input) -> Result<u8, Error> {
    let io = |source| Error::io(&input.path, source);
    let file = File::open(&input.path).map_err(io)?;
    let mut head = Vec::new();
    Lines::new(file, Budget::default()).take(MAX_HEADER).read_to_end(&mut head).map_err(io)?;
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
    let mut quoted = false;
    let start = head.iter().position(|byte| *byte != b'\n').unwrap_or(0);
    for byte in head.get(start..).unwrap_or_default() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => break,
            byte if !quoted => {
                for (delimiter, count) in &mut counts {
                    *count += usize::from(delimiter == byte);
                }
            }
            _ => {}
        }
    }
    // Of equals the last is taken: the comma.
    counts.reverse();
    Ok(counts.iter().max_by_key(|(_, count)| *count).map_or(b',', |(delimiter, _)| *delimiter))
}

/// Records with the line where each begins.
struct Records {
    path: PathBuf,
    reader: csv::Reader<Lines<File>>,
    budget: Budget,
    /// The line after the last record.
    line: u64,
    stopped: bool,
}

impl Records {
    fn open(input: &Input, delimiter: u8) -> Result<Self, Error> {
        let io = |source| Error::io(&input.path, source);
        let mut file = File::open(&input.path).map_err(io)?;
        let mut mark = [0; 3];
        if !matches!(file.read_exact(&mut mark), Ok(()) if mark == *b"\xef\xbb\xbf") {
            file = File::open(&input.path).map_err(io)?;
        }
        let budget = Budget::default();
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(Lines::new(file, Budget::clone(&budget)));
        Ok(Self { path: input.path.clone(), reader, budget, line: 1, stopped: false })
    }

    /// The next record. One that cannot be read is a fault, and the last.
    fn next(&mut self, sink: &mut Sink<'_>) -> Result<Option<(u64, ByteRecord)>, Error> {
        let mut record = ByteRecord::new();
        if self.stopped {
            return Ok(None);
        }
        self.budget.set(0);
        match self.reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(error) => {
                self.stopped = true;
                if let csv::ErrorKind::Io(io) = error.kind()
                    && let Some(code) = io.raw_os_error()
                {
                    return Err(Error::io(&self.path, std::io::Error::from_raw_os_error(code)));
                }
                let fault: Fault = sink.fault(Rule::RecordBroken).row(self.line);
                sink.push(fault.with("detail", environment::one_line(&error.to_string())));
                return Ok(None);
            }
        }
        // The position that the reader gives counts from before blank lines, so that the line is reckoned
        // back from the end: one line end for the record, and those within its quotes.
        let after = self.reader.position().line();
        let breaks = record.as_slice().iter().map(|byte| u64::from(*byte == b'\n')).sum::<u64>();
        let row = after.saturating_sub(1 + breaks);
        if row < self.line {
            // The line end that closes the file stands within quotes.
            self.stopped = true;
            let fault: Fault = sink.fault(Rule::RecordBroken).row(self.line);
            sink.push(fault.with("detail", "unclosed quote"));
            return Ok(None);
        }
        self.line = after;
        Ok(Some((row, record)))
    }
}
