//! What must hold of the parts of a spreadsheet before the library sees them.

use std::fs::File;
use std::io::{BufReader, Seek as _};
use std::path::Path;

use quick_xml::events::BytesStart;
use zip::write::{SimpleFileOptions, ZipWriter};
use zip::{CompressionMethod, ZipArchive};

use super::Limits;
use super::archive::{Archive, Member};
use super::environment::one_line;
use super::sink::Sink;
use super::xml::{self, Flaw, Visitor};
use crate::error::{Error, Rule};

/// Bytes of all parts at most, unpacked.
const MAX_BYTES: u64 = 1 << 30;

/// Cells at most that the marks of repetition of an ODS file may add up to.
const MAX_REPEATED: u64 = 5_000_000;

/// Bytes of text at most that they may add up to.
const MAX_REPEATED_BYTES: u64 = 512 << 20;

/// Spaces in a row that one mark may stand for.
const MAX_SPACES: u64 = 1_000;

/// Which spreadsheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Xlsx,
    Ods,
}

/// A copy of the spreadsheet that holds only the parts that are read, each well formed and within the caps. It
/// has no name, and is gone when it is closed.
pub(super) fn checked(
    path: &Path,
    shown: &str,
    kind: Kind,
    limits: &Limits,
    sink: &Sink<'_>,
) -> Result<File, Error> {
    let mut archive = Archive::open(path, shown)?;
    let parts: Vec<Member> = archive.members.iter().filter(|member| is_read(&member.name)).cloned().collect();
    let copy = tempfile::tempfile().map_err(|source| Error::io("tmp", source))?;
    let broken = |detail: &dyn std::fmt::Display| {
        Error::from(sink.fault(Rule::OpenFailed).foreign(one_line(&detail.to_string())))
    };
    // The parts are written as they are and not packed again: they are read once.
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored).large_file(true);
    let mut writer = ZipWriter::new(copy);
    let mut left = limits.max_bytes.min(MAX_BYTES);
    for part in &parts {
        writer.start_file(part.name.as_str(), options).map_err(|e| broken(&e))?;
        left = left.saturating_sub(archive.inflate(part, left, &mut writer)?);
    }
    let mut copy = writer.finish().map_err(|e| broken(&e))?;
    copy.rewind().map_err(|source| Error::io("tmp", source))?;
    let mut again = ZipArchive::new(BufReader::new(copy)).map_err(|e| broken(&e))?;
    for index in 0..again.len() {
        let part = again.by_index(index).map_err(|e| broken(&e))?;
        let name = part.name().map_err(|e| broken(&e))?.into_owned();
        if name == "mimetype" {
            continue;
        }
        let size = part.size();
        let reader = BufReader::new(part);
        let checked = match kind {
            Kind::Xlsx => xml::visit(reader, &mut Workbook { size }),
            Kind::Ods => xml::visit(reader, &mut Content::default()),
        };
        if let Err(flaw) = checked {
            return Err(flaw.fault(&name, sink).into());
        }
    }
    let mut copy = again.into_inner().into_inner();
    copy.rewind().map_err(|source| Error::io("tmp", source))?;
    Ok(copy)
}

/// Whether the library may ask for the part: XML, but no pictures, macros or properties of the document.
fn is_read(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let unread = [
        "docprops/",
        "customxml/",
        "xl/drawings/",
        "xl/charts/",
        "xl/media/",
        "configurations2/",
        "thumbnails/",
    ];
    let xml = lower.rsplit_once('.').is_some_and(|(_, ending)| matches!(ending, "xml" | "rels"));
    name.is_ascii()
        && (lower == "mimetype" || xml)
        && !unread.iter().any(|folder| lower.starts_with(folder))
        && lower != "meta.xml"
}

/// A part of an XLSX file.
struct Workbook {
    /// Bytes of the part.
    size: u64,
}

impl Visitor for Workbook {
    fn start(&mut self, element: &BytesStart<'_>) -> Result<(), Flaw> {
        // The library makes room for as many texts as are stated.
        if element.local_name().as_ref() == "sst"
            && let Some(count) = xml::attribute(element, "uniqueCount")?
            && count.trim().parse::<u64>().is_ok_and(|count| count > self.size)
        {
            return Err(format!("uniqueCount {}", one_line(&count)).into());
        }
        Ok(())
    }
}

/// The content of an ODS file: what the marks of repetition add up to, since the library writes them out.
#[derive(Default)]
struct Content {
    /// Cells of this row, and those that count only if one follows that is not empty.
    row: u64,
    pending: u64,
    /// Bytes of the cell, and how often it stands in the row.
    cell: Option<(u64, u64)>,
    row_bytes: u64,
    /// How often the row stands.
    repeated: u64,
    /// Rows so far, and cells of the widest.
    rows: u64,
    width: u64,
    cells: u64,
    bytes: u64,
}

impl Visitor for Content {
    fn start(&mut self, element: &BytesStart<'_>) -> Result<(), Flaw> {
        match element.name().as_ref() {
            "manifest:encryption-data" => return Err(Flaw::Encrypted),
            "table:table" => (self.rows, self.width) = (0, 0),
            "table:table-row" => {
                self.repeated = number(element, "table:number-rows-repeated", 1)?;
                (self.row, self.pending, self.row_bytes) = (0, 0, 0);
            }
            "table:table-cell" | "table:covered-table-cell" => {
                let times = number(element, "table:number-columns-repeated", 1)?;
                let attributes = element.attributes_raw();
                if attributes.contains("office:") || attributes.contains("table:formula") {
                    self.row = self.row.saturating_add(self.pending).saturating_add(times);
                    self.pending = 0;
                    self.cell = Some((attributes.len() as u64, times));
                } else {
                    self.pending = self.pending.saturating_add(times);
                }
                if self.row > MAX_REPEATED {
                    return Err(format!("cells > {MAX_REPEATED}").into());
                }
            }
            "text:s" if number(element, "text:c", 1)? > MAX_SPACES => {
                return Err(format!("text:c > {MAX_SPACES}").into());
            }
            "text:s" => {
                if let Some((bytes, _)) = &mut self.cell {
                    *bytes += number(element, "text:c", 1)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), Flaw> {
        if let Some((bytes, _)) = &mut self.cell {
            *bytes += text.len() as u64;
        }
        Ok(())
    }

    fn end(&mut self, name: &str) -> Result<(), Flaw> {
        match name {
            "table:table-cell" | "table:covered-table-cell" => {
                if let Some((bytes, times)) = self.cell.take() {
                    self.row_bytes = self.row_bytes.saturating_add(bytes.saturating_mul(times));
                }
            }
            "table:table-row" => {
                self.rows = self.rows.saturating_add(self.repeated);
                if self.row > 0 {
                    self.width = self.width.max(self.row);
                    self.cells = self.cells.saturating_add(self.row.saturating_mul(self.repeated));
                    self.bytes = self.bytes.saturating_add(self.row_bytes.saturating_mul(self.repeated));
                    // Rows between two that are not empty are written out as well, as wide as the widest.
                    let area = self.rows.saturating_mul(self.width);
                    if self.cells > MAX_REPEATED || area > 4 * MAX_REPEATED {
                        return Err(format!("cells > {MAX_REPEATED}").into());
                    }
                    if self.bytes > MAX_REPEATED_BYTES {
                        return Err(format!("text bytes > {MAX_REPEATED_BYTES}").into());
                    }
                }
                (self.row, self.pending, self.row_bytes) = (0, 0, 0);
            }
            _ => {}
        }
        Ok(())
    }
}

/// A count in an attribute.
fn number(element: &BytesStart<'_>, name: &str, default: u64) -> Result<u64, Flaw> {
    match xml::attribute(element, name)? {
        None => Ok(default),
        Some(text) => text.trim().parse().map_err(|_| one_line(&format!("{name} {text}")).into()),
    }
}
