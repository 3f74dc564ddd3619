//! The table of a shapefile, read for its encoding only: GDAL trusts the label, which is often wrong or absent.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use super::text::Census;
use crate::error::Error;

/// The lengths that the header states.
#[derive(Debug)]
pub(super) struct Header {
    /// Records, deleted ones included.
    pub(super) records: u32,
    /// The encoding of DOS that the header names.
    pub(super) dos: Option<&'static str>,
    /// Bytes before the first record.
    start: u16,
    /// Bytes of one record.
    stride: u16,
    /// Start and length of the text fields within a record.
    text: Vec<(usize, usize)>,
    /// Number, start and length of the fields of numbers.
    numbers: Vec<(usize, usize, usize)>,
}

impl Header {
    /// Bytes that the file has at least.
    pub(super) fn stated_bytes(&self) -> u64 {
        u64::from(self.start) + u64::from(self.records) * u64::from(self.stride)
    }
}

/// What the records say.
pub(super) struct Survey {
    pub(super) census: Census,
    /// Records that are marked as deleted.
    pub(super) deleted: u64,
    /// By record that is not deleted, from 1, and by field: what stands there instead of a number. GDAL reads the
    /// digits that come first and lets the rest go.
    pub(super) broken: BTreeMap<(u64, usize), String>,
}

/// Broken numbers that are remembered; a column of another type has as many as the table has records.
const BROKEN: usize = 10_000;

/// Reads the header; `None` if it is not one.
pub(super) fn header(path: &Path) -> Result<Option<Header>, Error> {
    let io = |source| Error::io(path, source);
    let mut bytes = Vec::new();
    File::open(path).map_err(io)?.take(u64::from(u16::MAX)).read_to_end(&mut bytes).map_err(io)?;
    Ok(parse(&bytes))
}

fn parse(bytes: &[u8]) -> Option<Header> {
    let records = u32::from_le_bytes(*bytes.get(4..)?.first_chunk()?);
    let start = u16::from_le_bytes(*bytes.get(8..)?.first_chunk()?);
    let stride = u16::from_le_bytes(*bytes.get(10..)?.first_chunk()?);
    if start < 33 || stride == 0 {
        return None;
    }
    let dos = match bytes.get(29)? {
        0x01 => Some("cp437"),
        0x02 => Some("cp850"),
        _ => None,
    };
    let (mut text, mut numbers) = (Vec::new(), Vec::new());
    let mut at = 1; // The first byte of a record says whether it is deleted.
    for (i, field) in bytes.get(32..usize::from(start))?.chunks_exact(32).enumerate() {
        if field.first() == Some(&0x0d) {
            break;
        }
        let kind = *field.get(11)?;
        let mut length = usize::from(*field.get(16)?);
        if kind == b'C' {
            // Long texts keep the high byte of their length in the place of the decimals.
            length += usize::from(*field.get(17)?) << 8;
            text.push((at, length));
        } else if matches!(kind, b'N' | b'F') {
            numbers.push((i, at, length));
        }
        at += length;
    }
    Some(Header { records, dos, start, stride, text, numbers })
}

/// Whether a field is blank or holds one number and nothing else.
fn is_number(value: &[u8]) -> bool {
    let text = value.trim_ascii();
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default().trim_ascii();
    let allowed = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    // Most are plain digits, which need no second look; asterisks through the whole field stand for null.
    text.iter().all(|byte| *byte == b'*')
        || (!digits.is_empty() && digits.iter().all(u8::is_ascii_digit))
        || (text.iter().all(allowed)
            && std::str::from_utf8(text).is_ok_and(|text| text.parse::<f64>().is_ok()))
}

/// Reads all records for their encoding.
pub(super) fn survey(path: &Path, header: &Header) -> Result<Survey, Error> {
    let io = |source| Error::io(path, source);
    let mut reader = BufReader::with_capacity(1 << 16, File::open(path).map_err(io)?);
    reader.seek(SeekFrom::Start(u64::from(header.start))).map_err(io)?;
    let mut survey = Survey { census: Census::default(), deleted: 0, broken: BTreeMap::new() };
    let mut row = 0;
    let mut record = vec![0; usize::from(header.stride)];
    for _ in 0..header.records {
        match reader.read_exact(&mut record) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(io(error)),
        }
        if record.first() == Some(&b'*') {
            survey.deleted += 1;
            continue;
        }
        row += 1;
        for (field, at, length) in &header.numbers {
            let Some(value) = record.get(*at..at + length) else { continue };
            if !is_number(value) && survey.broken.len() < BROKEN {
                survey.broken.insert((row, *field), String::from_utf8_lossy(value).trim().to_owned());
            }
        }
        for (at, length) in &header.text {
            let Some(value) = record.get(*at..at + length) else { continue };
            survey.census.feed(value);
            // A value that was cut within a character is damage, and does not join with the next one.
            survey.census.end();
        }
    }
    Ok(survey)
}
