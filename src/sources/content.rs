//! Whether the content is of the format that the name promises, and whole.
//!
//! GDAL opens a file by its content: a VRT under the name `roads.geojson` would pull in other files. And most
//! drivers read a cut file up to the cut without an error, so the lengths that headers state are compared
//! with the lengths that are there.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::environment::one_line;
use super::guard::{Format, Input};
use super::{columns, crs, dbf};
use crate::error::{Error, Fault, Faults, Rule};

/// Names within values that are remembered; a file that has more is strange, and only slower to look at.
const NAMES: usize = 10_000;

/// Bytes from the front that the checks look at.
const HEAD: u64 = 128;

/// Checks the first bytes and the stated lengths of the file and its companions.
pub(super) fn check(input: &Input, shown: &str) -> Result<(), Error> {
    let head = head(&input.path)?;
    let size = size(&input.path)?;
    if size == 0 {
        return Err(Fault::new(Rule::NoRecords, shown).into());
    }
    if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) {
        let encoding = if head.first() == Some(&0xff) { "utf-16le" } else { "utf-16be" };
        if matches!(input.format, Format::Csv | Format::GeoJson | Format::Gpx) {
            return Err(Fault::new(Rule::EncodingWrong, shown).with("encoding", encoding).into());
        }
    }
    let wrong = match input.format {
        Format::Csv => csv(&head),
        Format::GeoJson => geojson(&head),
        Format::GeoPackage => geopackage(&head, size, &input.path),
        Format::Shapefile => shapefile(&head, size, input)?,
        Format::Dbf => table(&input.path)?,
        Format::FlatGeobuf => flatgeobuf(&head),
        Format::Gpx => (!text_start(&head).starts_with(b"<")).then(|| "content: not XML".to_owned()),
        Format::OsmPbf => osm_pbf(&head),
        // Looked at with the parts.
        Format::Xlsx | Format::Ods => None,
    };
    match wrong {
        None if input.format == Format::GeoPackage => only_tables(&input.path, shown),
        None => Ok(()),
        Some(detail) => Err(Fault::new(Rule::OpenFailed, shown).with("detail", detail).into()),
    }
}

fn head(path: &Path) -> Result<Vec<u8>, Error> {
    let mut head = Vec::new();
    let file = File::open(path).map_err(|source| Error::io(path, source))?;
    file.take(HEAD).read_to_end(&mut head).map_err(|source| Error::io(path, source))?;
    Ok(head)
}

fn size(path: &Path) -> Result<u64, Error> {
    Ok(fs::metadata(path).map_err(|source| Error::io(path, source))?.len())
}

/// The first bytes that are not white space or a byte order mark.
fn text_start(head: &[u8]) -> &[u8] {
    head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start()
}

fn csv(head: &[u8]) -> Option<String> {
    // A spreadsheet or a download page that was renamed.
    [
        (&b"PK\x03\x04"[..], "zip"),
        (b"\xd0\xcf\x11\xe0", "ole2"),
        (b"SQLite format 3", "sqlite"),
        (b"%PDF", "pdf"),
    ]
    .iter()
    .find(|(magic, _)| head.starts_with(magic))
    .map(|(_, name)| format!("content: {name}"))
    .or_else(|| text_start(head).starts_with(b"<").then(|| "content: markup".to_owned()))
    .or_else(|| text_start(head).starts_with(b"{").then(|| "content: json".to_owned()))
}

fn geojson(head: &[u8]) -> Option<String> {
    let start = text_start(head);
    if start.starts_with(b"{") {
        return None;
    }
    Some(if start.starts_with(b"<") {
        "content: markup".to_owned()
    } else {
        "content: not a JSON object".to_owned()
    })
}

fn geopackage(head: &[u8], size: u64, path: &Path) -> Option<String> {
    if !head.starts_with(b"SQLite format 3\0") {
        return Some("content: not SQLite".to_owned());
    }
    // The file is read as immutable, so that nothing is written beside it. What a program has not yet moved
    // from its log into the file would be lost in silence.
    for suffix in ["-wal", "-journal"] {
        let mut log = path.as_os_str().to_owned();
        log.push(suffix);
        if fs::metadata(&log).is_ok_and(|meta| meta.len() > 0) {
            return Some(format!("unfinished writes: *.gpkg{suffix}"));
        }
    }
    // https://www.sqlite.org/fileformat.html, 1.3: a page size of 1 means 65536; the number of pages holds
    // only if the change counter equals the one at 92.
    let page = match u64::from(be16(head, 16)?) {
        1 => 65_536,
        page => page,
    };
    let pages = u64::from(be32(head, 28)?);
    let stated = page * pages;
    (be32(head, 24) == be32(head, 92) && size < stated).then(|| truncated(size, stated))
}

/// Refuses a `GeoPackage` that holds views, or tables that a module of `SQLite` makes up: to read them runs what the
/// file says, which need not end. The tables of a spatial index are none of these.
fn only_tables(path: &Path, shown: &str) -> Result<(), Error> {
    use rusqlite::{Connection, OpenFlags};
    // Characters with a meaning in an address are given by their codes.
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(byte);
    let encoded: String = path
        .as_os_str()
        .as_encoded_bytes()
        .iter()
        .map(|byte| if plain(byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") })
        .collect();
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let names = || -> rusqlite::Result<Vec<String>> {
        let file = Connection::open_with_flags(format!("file:{encoded}?immutable=1"), flags)?;
        let mut query = file.prepare(
            "SELECT name FROM sqlite_master WHERE type = 'view' OR (type = 'table' \
             AND sql LIKE 'CREATE VIRTUAL%' AND sql NOT LIKE '%USING rtree%') LIMIT 20",
        )?;
        let names = query.query_map([], |row| row.get::<_, String>(0))?;
        names.collect()
    };
    match names() {
        Ok(names) if names.is_empty() => Ok(()),
        Ok(names) => {
            let names = one_line(&names.join(", "));
            Err(Fault::new(Rule::NotATable, shown).with("names", names).into())
        }
        Err(error) => {
            let said = one_line(&error.to_string());
            Err(Fault::new(Rule::OpenFailed, shown).with("detail", "SQLite").foreign(said).into())
        }
    }
}

fn shapefile(head: &[u8], size: u64, input: &Input) -> Result<Option<String>, Error> {
    if be32(head, 0) != Some(0x270a) {
        return Ok(Some("content: not a shapefile".to_owned()));
    }
    if let Some(detail) = stated_length(head, size) {
        return Ok(Some(detail));
    }
    let Some(shx) = input.companion("shx") else { return Ok(Some("missing: .shx".to_owned())) };
    let shx_head = self::head(shx)?;
    if be32(&shx_head, 0) != Some(0x270a) {
        return Ok(Some("content: .shx".to_owned()));
    }
    if let Some(detail) = stated_length(&shx_head, self::size(shx)?) {
        return Ok(Some(format!(".shx {detail}")));
    }
    let Some(table) = input.companion("dbf") else { return Ok(Some("missing: .dbf".to_owned())) };
    if let Some(detail) = self::table(table)? {
        return Ok(Some(detail));
    }
    let Some(header) = dbf::header(table)? else { return Ok(Some("content: .dbf".to_owned())) };
    let shapes = self::size(shx)?.saturating_sub(100) / 8;
    if shapes != u64::from(header.records) {
        return Ok(Some(format!(".shx {shapes} records, .dbf {}", header.records)));
    }
    Ok(None)
}

/// The table of a shapefile.
fn table(path: &Path) -> Result<Option<String>, Error> {
    let Some(header) = dbf::header(path)? else { return Ok(Some("content: .dbf".to_owned())) };
    let there = size(path)?;
    Ok((there < header.stated_bytes()).then(|| format!(".dbf {}", truncated(there, header.stated_bytes()))))
}

/// Length in 16-bit words at byte 24 of a `.shp` and a `.shx`.
fn stated_length(head: &[u8], size: u64) -> Option<String> {
    let Some(words) = be32(head, 24) else { return Some(truncated(size, 100)) };
    let stated = u64::from(words) * 2;
    (size < stated.max(100)).then(|| truncated(size, stated))
}

fn flatgeobuf(head: &[u8]) -> Option<String> {
    (!head.starts_with(b"fgb\x03fgb")).then(|| "content: not FlatGeobuf".to_owned())
}

/// A length in four bytes, then a message whose first field is the type of the first blob.
fn osm_pbf(head: &[u8]) -> Option<String> {
    let wrong = head.get(4..).is_none_or(|header| !header.starts_with(b"\x0a\x09OSMHeader"));
    wrong.then(|| "content: not OSM PBF".to_owned())
}

fn truncated(size: u64, stated: u64) -> String {
    format!("truncated: {size} of {stated} bytes")
}

fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|part| u16::from_be_bytes(*part))
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|part| u32::from_be_bytes(*part))
}

/// Checks the syntax of a JSON file as a stream, and that its `crs` member names a CRS and not a URL, which
/// GDAL would fetch. GDAL itself reads a cut file up to the cut and says nothing.
///
/// Gives a fault for each name within a value of a feature that no column may have: GDAL hands such a value on as a
/// text, so that the names of the columns do not tell.
pub(super) fn check_json(input: &Input, shown: &str) -> Result<Faults, Error> {
    let io = |source| Error::io(&input.path, source);
    let mut reader = BufReader::with_capacity(1 << 16, File::open(&input.path).map_err(io)?);
    if reader.fill_buf().map_err(io)?.starts_with(b"\xef\xbb\xbf") {
        reader.consume(3);
    }
    let mut seen = Seen::default();
    let mut parser = serde_json::Deserializer::from_reader(reader);
    let parsed = Root(&mut seen).deserialize(&mut parser).and_then(|()| parser.end());
    if let Some(seen) = seen.systems.iter().find_map(refused_crs) {
        return Err(Fault::new(Rule::CrsUnusable, shown).with("detail", seen).into());
    }
    match parsed {
        Ok(()) => {
            let fault = |(name, rule): (&String, &Rule)| Fault::new(*rule, shown).field(one_line(name));
            Ok(Faults(seen.refused.iter().map(fault).collect()))
        }
        Err(error) if error.is_io() => Err(io(error.into())),
        Err(error) if error.to_string().starts_with("invalid unicode code point") => {
            Err(Fault::new(Rule::EncodingWrong, shown).with("encoding", "utf-8").into())
        }
        Err(error) => {
            let said = one_line(&error.to_string());
            // What programs write for a coordinate that they could not compute is not JSON.
            let near = around(&input.path, error.line(), error.column())?.to_ascii_lowercase();
            let not_finite =
                [&b"nan"[..], b"inf"].iter().any(|word| near.windows(3).any(|three| three == *word));
            let rule = if not_finite { Rule::CoordinateNotFinite } else { Rule::OpenFailed };
            Err(Fault::new(rule, shown).with("detail", "JSON").foreign(said).into())
        }
    }
}

/// A few bytes around a position that the JSON parser gives: both numbers from 1, the column in bytes.
fn around(path: &Path, line: usize, column: usize) -> Result<Vec<u8>, Error> {
    let io = |source| Error::io(path, source);
    let mut reader = BufReader::with_capacity(1 << 16, File::open(path).map_err(io)?);
    for _ in 1..line {
        reader.skip_until(b'\n').map_err(io)?;
    }
    let before = (&mut reader).take((column as u64).saturating_sub(3));
    std::io::copy(&mut { before }, &mut std::io::sink()).map_err(io)?;
    let mut near = Vec::new();
    reader.take(8).read_to_end(&mut near).map_err(io)?;
    Ok(near)
}

/// Why the value of a `crs` member is not used, if so.
fn refused_crs(value: &serde_json::Value) -> Option<String> {
    if value.is_null() {
        return None;
    }
    let name =
        value.get("properties").and_then(|properties| properties.get("name")).and_then(|name| name.as_str());
    let kind = value.get("type").and_then(|kind| kind.as_str());
    match (kind, name) {
        (Some("name" | "Name"), Some(name)) if crs::code(name).is_some() => None,
        (_, Some(name)) => Some(format!("crs: {}", one_line(name))),
        _ => Some("crs: no name".to_owned()),
    }
}

/// What is kept of a JSON file.
#[derive(Default)]
struct Seen {
    /// Values of the outermost `crs`.
    systems: Vec<serde_json::Value>,
    /// Names within values that no column may have.
    refused: BTreeMap<String, Rule>,
    /// Other names within values: few, and asked for at each feature.
    harmless: HashSet<String>,
}

impl Seen {
    fn name(&mut self, name: &str) {
        if self.refused.len() >= NAMES || self.harmless.contains(name) {
            return;
        }
        match columns::refuses_nested(name) {
            Some(rule) => {
                self.refused.insert(name.to_owned(), rule);
            }
            None if self.harmless.len() < NAMES => {
                self.harmless.insert(name.to_owned());
            }
            None => {}
        }
    }
}

/// The outermost object: its `crs`, its features, and the properties where it is a feature itself.
struct Root<'a>(&'a mut Seen);

impl<'de> DeserializeSeed<'de> for Root<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Root<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "crs" => self.0.systems.push(map.next_value()?),
                "features" => map.next_value_seed(Within { seen: self.0, depth: 0 })?,
                "properties" => map.next_value_seed(Within { seen: self.0, depth: 1 })?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// A value within features: at depth 0 a feature, at depth 1 its properties, whose names are those of the columns,
/// and below them values that have names themselves.
struct Within<'a> {
    seen: &'a mut Seen,
    depth: u8,
}

impl<'de> DeserializeSeed<'de> for Within<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Within<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if self.depth == 0 && key == "geometry" {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            if self.depth > 1 {
                self.seen.name(&key);
            }
            // Where a feature has no properties, GDAL takes its other members for columns.
            let depth = if self.depth == 0 && key != "properties" { 2 } else { self.depth.saturating_add(1) };
            map.next_value_seed(Within { seen: &mut *self.seen, depth })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Within { seen: &mut *self.seen, depth: self.depth })?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _value: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _value: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _value: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _value: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _value: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}
