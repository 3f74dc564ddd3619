//! CSV: comma, semicolon, tab or bar; any line ends; quoted line breaks; the encoding declared or detected.

use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;

use csv::ByteRecord;
use encoding_rs::Encoding;
use sha2::{Digest as _, Sha256};

use super::geometry::{self, Survey};
use super::guard::{Format, Input};
use super::lines::{Budget, Lines};
use super::points::PointReader;
use super::raw::{Provenance, RawRow, RawTable, Value};
use super::sink::Sink;
use super::spec::GeometryNeed;
use super::text::{self, Census};
use super::{Job, columns, environment, hash, sheet};
use crate::error::{Error, Fault, Rule, Why};

/// Bytes of the header line at most.
const MAX_HEADER: u64 = 1 << 20;

/// Who takes the records of a table one by one, so that a file of millions need not be held in memory.
pub(super) trait Consumer {
    /// Looks at the header and gives the columns to read, in the order in which [`Consumer::record`] gets them.
    /// The others are not decoded.
    fn header(&mut self, table: &Head<'_>, sink: &mut Sink<'_>) -> Result<Vec<usize>, Error>;

    /// Whether a record is wanted, by the first of the columns that were asked for. The others of a record that is
    /// not are never decoded: of a large table most records are not.
    fn wants(&mut self, _first: &str) -> bool {
        true
    }

    /// Takes one record: `row` is its line, `values` the trimmed texts of the columns that were asked for.
    fn record(&mut self, row: u64, values: &[String], sink: &mut Sink<'_>) -> Result<(), Error>;

    /// The same from a format that has types, for who wants them.
    fn typed(&mut self, row: u64, values: &[Typed], sink: &mut Sink<'_>) -> Result<(), Error> {
        if values.first().is_some_and(|first| !self.wants(&first.text)) {
            return Ok(());
        }
        let texts: Vec<String> = values.iter().map(|value| value.text.clone()).collect();
        self.record(row, &texts, sink)
    }
}

/// A value and its text.
#[derive(Debug, Clone)]
pub(super) struct Typed {
    pub(super) value: Value,
    pub(super) text: String,
}

/// What is known of a table before its first record.
pub(super) struct Head<'a> {
    /// Names of the columns, trimmed.
    pub(super) fields: &'a [String],
    /// Whether a comma in a number stands for the decimal point: where columns are not divided by it.
    pub(super) decimal_comma: bool,
}

/// What was seen of a table that was scanned.
pub(super) struct Scanned {
    /// Encoding of the text, in lower case.
    pub(super) encoding: String,
    /// The sheet of a spreadsheet.
    pub(super) layer: Option<String>,
    /// SHA-256 of the file; blank where it was not read to its end on the way.
    pub(super) sha256: String,
    /// Records, those with faults too.
    pub(super) records: u64,
}

impl Scanned {
    /// Where the table came from; what is blank is filled in by [`super::read`].
    pub(super) fn provenance(self, input: &Input, job: &Job<'_>) -> Provenance {
        Provenance {
            bytes: input.bytes,
            sha256: self.sha256,
            source: job.name.to_owned(),
            file: input.shown.clone(),
            driver: input.format.driver().to_owned(),
            layer: self.layer,
            encoding: Some(self.encoding),
            preset: job.spec.preset.map(super::Preset::name),
            records: self.records,
            ..Provenance::default()
        }
    }
}

/// Hands the records of a table to `consumer`, in the order of the file.
pub(super) fn scan(
    input: &Input,
    job: &Job<'_>,
    sink: &mut Sink<'_>,
    consumer: &mut dyn Consumer,
) -> Result<Scanned, Error> {
    match input.format {
        Format::Xlsx | Format::Ods => sheet::scan(input, job, sink, consumer),
        _ => scan_csv(input, job, sink, consumer),
    }
}

fn scan_csv(
    input: &Input,
    job: &Job<'_>,
    sink: &mut Sink<'_>,
    consumer: &mut dyn Consumer,
) -> Result<Scanned, Error> {
    if let Some(layer) = &job.spec.layer
        && *layer != input.stem()
    {
        return Err(sink.fault(Rule::LayerMissing).field(layer).with("allowed", input.stem()).into());
    }
    let (encoding, sha256) = survey(input, job.spec.encoding.as_deref(), sink)?;
    let Delimiter { byte: delimiter, stated } = delimiter(input)?;
    let mut records = Records::open(input, delimiter)?;

    let mut record = ByteRecord::new();
    if stated {
        records.next(&mut record, sink)?;
    }
    let Some(row) = records.next(&mut record, sink)? else {
        return Err(sink.fault(Rule::NoRecords).into());
    };
    if record.len() > job.limits.max_columns {
        return Err(sink.fault(Rule::TooMany).with("limit", job.limits.max_columns).into());
    }
    let mut fields = Vec::with_capacity(record.len());
    for name in &record {
        let Some(name) = text::decode(encoding, name) else {
            return Err(sink.fault(Rule::EncodingWrong).row(row).with("encoding", encoding.name()).into());
        };
        fields.push(name.trim().to_owned());
    }
    let head = Head { fields: &fields, decimal_comma: delimiter != b',' };
    let wanted = consumer.header(&head, sink)?;

    let mut values: Vec<String> = vec![String::new(); wanted.len()];
    let mut count = 0;
    while let Some(row) = records.next(&mut record, sink)? {
        if record.iter().all(|value| value.trim_ascii().is_empty()) {
            continue; // Spreadsheets leave empty rows at the end.
        }
        count += 1;
        if count > job.limits.max_records {
            return Err(sink.fault(Rule::TooMany).with("limit", job.limits.max_records).into());
        }
        if record.len() != fields.len() {
            let fault = sink.fault(Rule::RowRagged).row(row);
            sink.push(fault.with("expected", fields.len()).with("found", record.len()));
            continue;
        }
        let mut whole = true;
        let mut wants = true;
        for (i, (column, value)) in wanted.iter().zip(&mut values).enumerate() {
            let bytes = record.get(*column).unwrap_or_default();
            if let Some(fault) = decode(bytes, encoding, job, sink, value) {
                whole = false;
                sink.push(fault.row(row).field(fields.get(*column).map_or("", String::as_str)));
            } else if i == 0 && !consumer.wants(value) {
                wants = false;
                break;
            }
        }
        if whole && wants {
            consumer.record(row, &values, sink)?;
        }
    }
    // Where a record could not be read the file is not empty.
    if count == 0 && sink.is_clean() {
        no_records(job, sink)?;
    }
    // That of a file in an archive is that of the archive.
    let sha256 = if input.unpacked.is_some() { String::new() } else { sha256 };
    Ok(Scanned { encoding: encoding.name().to_ascii_lowercase(), layer: None, sha256, records: count })
}

/// A source without a record: a warning where the study can do without it.
pub(super) fn no_records(job: &Job<'_>, sink: &mut Sink<'_>) -> Result<(), Error> {
    if !job.can_be_empty() {
        return Err(sink.fault(Rule::NoRecords).into());
    }
    let fault = sink.fault(Rule::SourceEmpty);
    sink.push(fault);
    Ok(())
}

/// Reads the table whole.
pub(super) fn read(input: &Input, job: &Job<'_>, sink: &mut Sink<'_>) -> Result<RawTable, Error> {
    if matches!(job.need, GeometryNeed::Line | GeometryNeed::Polygon) {
        let fault = sink
            .fault(Rule::GeometryType)
            .with("expected", geometry::expected(job.need))
            .with("found", input.format.driver());
        return Err(fault.into());
    }
    let mut whole = Whole {
        job,
        fields: Vec::new(),
        decimal_comma: false,
        points: None,
        kept: 0,
        survey: Survey::default(),
        rows: Vec::new(),
    };
    let scanned = scan(input, job, sink, &mut whole)?;
    whole.survey.finish(sink);
    Ok(RawTable {
        provenance: Provenance {
            crs: whole.points.map(|points| points.to_wgs84.label),
            extent: whole.survey.extent,
            ..scanned.provenance(input, job)
        },
        fields: whole.fields,
        decimal_comma: whole.decimal_comma,
        rows: whole.rows,
        ..RawTable::default()
    })
}

/// Keeps every record, with the point of its coordinates where the source needs one.
struct Whole<'a> {
    job: &'a Job<'a>,
    fields: Vec<String>,
    decimal_comma: bool,
    points: Option<PointReader>,
    /// Number of columns that are kept; the coordinates follow them.
    kept: usize,
    survey: Survey,
    rows: Vec<RawRow>,
}

impl Consumer for Whole<'_> {
    fn header(&mut self, head: &Head<'_>, sink: &mut Sink<'_>) -> Result<Vec<usize>, Error> {
        let mut wanted = columns::admit(head.fields, *self.job.rules, sink).ok_or_else(refused)?;
        self.kept = wanted.len();
        self.decimal_comma = head.decimal_comma;
        self.fields = wanted.iter().filter_map(|i| head.fields.get(*i).cloned()).collect();
        if self.job.need == GeometryNeed::Point {
            let points = PointReader::new(head.fields, self.job, head.decimal_comma, sink)?;
            wanted.extend(points.columns());
            self.points = Some(points);
        }
        Ok(wanted)
    }

    fn record(&mut self, row: u64, values: &[String], sink: &mut Sink<'_>) -> Result<(), Error> {
        let (values, coordinates) = values.split_at(self.kept.min(values.len()));
        let coordinates: Vec<&str> = coordinates.iter().map(String::as_str).collect();
        let value = |text: &String| if text.is_empty() { Value::Null } else { Value::Text(text.clone()) };
        self.keep(row, values.iter().map(value), &coordinates, sink);
        Ok(())
    }

    fn typed(&mut self, row: u64, values: &[Typed], sink: &mut Sink<'_>) -> Result<(), Error> {
        let (values, coordinates) = values.split_at(self.kept.min(values.len()));
        let coordinates: Vec<&str> = coordinates.iter().map(|typed| typed.text.as_str()).collect();
        self.keep(row, values.iter().map(|typed| typed.value.clone()), &coordinates, sink);
        Ok(())
    }
}

impl Whole<'_> {
    /// Keeps a record unless its point is at fault.
    fn keep(
        &mut self,
        row: u64,
        values: impl Iterator<Item = Value>,
        coordinates: &[&str],
        sink: &mut Sink<'_>,
    ) {
        let geometry = match (&self.points, coordinates) {
            (Some(points), [x, y]) => match points.point([x, y], row, &mut self.survey, sink) {
                None => return,
                some => some,
            },
            _ => None,
        };
        self.rows.push(RawRow { layer: None, row, values: values.collect(), geometry });
    }
}

/// The faults are in the sink already.
pub(super) fn refused() -> Error {
    Error::Faults(crate::error::Faults::default())
}

/// Decodes one value into `out`; a fault if it is not text.
fn decode(
    bytes: &[u8],
    encoding: &'static Encoding,
    job: &Job<'_>,
    sink: &Sink<'_>,
    out: &mut String,
) -> Option<Fault> {
    out.clear();
    let broken = |detail: String| Some(sink.fault(Rule::RecordBroken).with("detail", detail));
    if bytes.len() > job.limits.max_field_bytes {
        return broken(format!("field_bytes > {}", job.limits.max_field_bytes));
    }
    if bytes.contains(&0) {
        return broken("NUL".to_owned());
    }
    // What is ASCII reads the same in every encoding that is taken, and is most of most files.
    if let Some(text) = std::str::from_utf8(bytes).ok().filter(|text| text.is_ascii()) {
        out.push_str(text.trim());
    } else if let Some(text) = text::decode(encoding, bytes) {
        out.push_str(text.trim());
    } else {
        return Some(sink.fault(Rule::EncodingWrong).with("encoding", encoding.name().to_ascii_lowercase()));
    }
    None
}

/// Reads the file once from end to end, for what must be known before its first record and for its hash.
fn survey(
    input: &Input,
    declared: Option<&str>,
    sink: &Sink<'_>,
) -> Result<(&'static Encoding, String), Error> {
    let io = |source| Error::io(&input.path, source);
    let mut file = File::open(&input.path).map_err(io)?;
    let mut buffer = vec![0; 1 << 16];
    let mut census = Census::default();
    let mut hasher = Sha256::new();
    let mut marked = None;
    loop {
        let n = match file.read(&mut buffer) {
            Ok(n) => n,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(source) => return Err(io(source)),
        };
        let chunk = buffer.get(..n).unwrap_or_default();
        if chunk.is_empty() {
            break;
        }
        hasher.update(chunk);
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
    Ok((encoding, hash::hex(hasher)))
}

/// What divides the columns.
struct Delimiter {
    byte: u8,
    /// Whether the first line states it as Excel does, and is not the header.
    stated: bool,
}

/// Those that are known; of those that stand equally often the last is taken.
const DELIMITERS: [u8; 4] = [b'|', b'\t', b';', b','];

/// The one that the first line states, as in `sep=;`, or that stands most often in the header line, outside quotes.
fn delimiter(input: &Input) -> Result<Delimiter, Error> {
    let io = |source| Error::io(&input.path, source);
    let file = File::open(&input.path).map_err(io)?;
    let mut head = Vec::new();
    Lines::new(file, Budget::default()).take(MAX_HEADER).read_to_end(&mut head).map_err(io)?;
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head);
    let start = head.iter().position(|byte| *byte != b'\n').unwrap_or(0);
    let head = head.get(start..).unwrap_or_default();
    if let Some(byte) = stated_delimiter(head) {
        return Ok(Delimiter { byte, stated: true });
    }
    let mut counts = DELIMITERS.map(|byte| (byte, 0));
    let mut quoted = false;
    for byte in head {
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
    let byte = counts.iter().max_by_key(|(_, count)| *count).map_or(b',', |(delimiter, _)| *delimiter);
    Ok(Delimiter { byte, stated: false })
}

/// The delimiter of a first line such as `sep=;`, alone or filled up with delimiters to the width of the table.
fn stated_delimiter(head: &[u8]) -> Option<u8> {
    let line = head.split(|byte| *byte == b'\n').next()?;
    let line: Vec<u8> = line.iter().copied().filter(|byte| !matches!(byte, b'"' | b'\r' | b' ')).collect();
    let (word, rest) = line.split_at_checked(4)?;
    let byte = *rest.first().filter(|byte| DELIMITERS.contains(byte))?;
    (word.eq_ignore_ascii_case(b"sep=") && rest.iter().all(|other| *other == byte)).then_some(byte)
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

    /// Reads the next record into `record` and gives the line where it begins. One that cannot be read is a
    /// fault, and the last.
    fn next(&mut self, record: &mut ByteRecord, sink: &mut Sink<'_>) -> Result<Option<u64>, Error> {
        if self.stopped {
            return Ok(None);
        }
        self.budget.set(0);
        match self.reader.read_byte_record(record) {
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
                sink.push(fault.foreign(environment::one_line(&error.to_string())));
                return Ok(None);
            }
        }
        // The position that the reader gives counts from before blank lines, so that the line is reckoned
        // back from the end: one line end for the record, and those within its quotes.
        let after = self.reader.position().line();
        let text = record.as_slice();
        // Few records have a line break within quotes; to look for one is much faster than to count.
        let breaks =
            if text.contains(&b'\n') { text.iter().map(|byte| u64::from(*byte == b'\n')).sum() } else { 0 };
        let row = after.saturating_sub(1 + breaks);
        if row < self.line {
            // The line end that closes the file stands within quotes.
            self.stopped = true;
            let fault: Fault = sink.fault(Rule::RecordBroken).row(self.line);
            sink.push(fault.why(Why::UnclosedQuote));
            return Ok(None);
        }
        self.line = after;
        Ok(Some(row))
    }
}
