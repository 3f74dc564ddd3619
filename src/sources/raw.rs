//! What a source hands on: rows of plain values with where they came from.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::names::find_field;
use super::spec::SourceSpec;
use crate::error::{Fault, Place, Rule};

/// A value as it stands in the file, before any rule has looked at it.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Empty, or not set.
    Null,
    /// A whole number from a typed format.
    Integer(i64),
    /// A number from a typed format.
    Real(f64),
    /// Text; every value of a CSV file.
    Text(String),
    /// One of this crate's own words, such as `federal`: what a preset makes of an official term.
    Word(&'static str),
}

impl Value {
    /// The value as text, trimmed; `None` for null and blanks.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        self.as_text().map(Cow::into_owned)
    }

    /// The same, borrowed where the value is a text.
    #[must_use]
    pub fn as_text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Null => None,
            Self::Integer(v) => Some(v.to_string().into()),
            Self::Real(v) => Some(v.to_string().into()),
            Self::Word(v) => Some((*v).into()),
            Self::Text(v) => {
                let v = v.trim();
                (!v.is_empty()).then(|| v.into())
            }
        }
    }

    /// The value of a number of a typed format.
    #[must_use]
    pub const fn number(&self) -> Option<f64> {
        match self {
            Self::Integer(v) => Some(*v as f64),
            Self::Real(v) => Some(*v),
            Self::Null | Self::Text(_) | Self::Word(_) => None,
        }
    }
}

/// One record.
#[derive(Debug, Clone)]
pub struct RawRow {
    /// Layer of the record, where it is another than that of the table.
    pub layer: Option<&'static str>,
    /// Line of a text table (the header is line 1), or feature number from 1 in other formats.
    pub row: u64,
    /// One value per field of the table.
    pub values: Vec<Value>,
    /// Longitude and latitude in degrees, WGS 84.
    pub geometry: Option<geo::Geometry<f64>>,
}

/// Why records are left out by rule: the keys of [`Provenance::dropped`], beside those of OpenStreetMap. Each has a text in `locales/` under `drop.`.
#[rustfmt::skip] // One a line hides the list.
pub const REASONS: &[&str] = &[
    "localities", "totals", "other_entity", "other_offence", "other_modality", "outside_period",
    "months_unpublished", "sector", "outside_bbox", "not_for_vehicles", "disabled", "under_construction",
];

/// Where a table came from, for the manifest and for `check`.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Provenance {
    /// Name of the source in the study, such as `roads`.
    pub source: String,
    /// The file as the study names it, or `archive.zip/member`.
    pub file: String,
    /// The layer that was read.
    pub layer: Option<String>,
    /// Driver or reader: `csv`, `GeoJSON`, `GPKG`, …
    pub driver: String,
    /// CRS as found or declared, such as `EPSG:6372`.
    pub crs: Option<String>,
    /// Encoding as detected or declared.
    pub encoding: Option<String>,
    /// SHA-256 of the bytes of the file and its companions, or of the archive, in hexadecimal.
    pub sha256: String,
    /// Size in bytes, companions included, or of the archive.
    pub bytes: u64,
    /// The preset that the study names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<&'static str>,
    /// Records read.
    pub records: u64,
    /// Records of the table: those that were read and kept, or what a preset made of them.
    pub kept: u64,
    /// Records that were left out by rule and not by fault, by reason, one of [`REASONS`]. A preset that adds records
    /// up, such as months, counts what it left out before.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub dropped: BTreeMap<&'static str, u64>,
    /// Months that the records cover, where they are of a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<Period>,
    /// West, south, east, north in degrees, where there is geometry.
    pub extent: Option<[f64; 4]>,
}

/// A stretch of whole months.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Period {
    /// First month, `YYYY-MM`.
    pub from: String,
    /// Last month, `YYYY-MM`.
    pub to: String,
    /// Months that were published; gaps are not counted.
    pub months: usize,
    /// These months, counted from January of year 0.
    #[serde(skip)]
    pub published: BTreeSet<i32>,
}

impl Period {
    /// From the months that were published; `None` if there is none.
    #[must_use]
    pub fn new(published: BTreeSet<i32>) -> Option<Self> {
        let name = |month: &i32| format!("{:04}-{:02}", month.div_euclid(12), month.rem_euclid(12) + 1);
        let (from, to) = (name(published.first()?), name(published.last()?));
        Some(Self { from, to, months: published.len(), published })
    }
}

/// A sequence of roads that may not be driven one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawBan {
    /// Layer of the file, where it has several.
    pub layer: Option<String>,
    /// Feature number from 1, or 0 where the format has none.
    pub row: u64,
    /// Id of the record.
    pub id: String,
    /// Key of the junction between the first two roads, where it is stated; needed where they meet twice.
    pub via: Option<i64>,
    /// Ids of the road records, at least two; the same twice for a turn back.
    pub roads: Vec<String>,
}

/// A table of records with one provenance.
#[derive(Debug, Clone, Default)]
pub struct RawTable {
    /// Where it came from.
    pub provenance: Provenance,
    /// Names by which the values are found: those of the file, or this crate's own where a preset made them.
    pub fields: Vec<String>,
    /// By name of a preset's field: what it is called in the file, for messages.
    pub labels: BTreeMap<&'static str, String>,
    /// Whether a comma in a number stands for the decimal point: where the columns are not divided by it.
    pub decimal_comma: bool,
    /// Turn bans of a road source.
    pub bans: Vec<RawBan>,
    /// The records in the order of the file.
    pub rows: Vec<RawRow>,
}

impl RawTable {
    /// The index of a column by the name that corredor uses, and what it is called in the file; through the mapping of
    /// `spec`, unless a preset has named the columns already.
    #[must_use]
    pub fn column<'a>(&'a self, name: &'a str, spec: &'a SourceSpec) -> Option<(usize, &'a str)> {
        let label = self.wanted(name, spec);
        find_field(&self.fields, if self.is_translated() { name } else { label }).map(|at| (at, label))
    }

    /// What a column is called in the file, or would be.
    #[must_use]
    pub fn wanted<'a>(&'a self, name: &'a str, spec: &'a SourceSpec) -> &'a str {
        let label = if self.is_translated() { self.labels.get(name) } else { spec.fields.get(name) };
        label.map_or(name, String::as_str)
    }

    /// Whether a preset has named the columns.
    #[must_use]
    pub fn is_translated(&self) -> bool {
        !self.labels.is_empty()
    }

    /// The place of `row` and `field` in this table.
    #[must_use]
    pub fn place(&self, row: Option<u64>, field: Option<&str>) -> Place {
        Place {
            file: self.provenance.file.clone(),
            layer: self.provenance.layer.clone(),
            row,
            field: field.map(str::to_owned),
        }
    }

    /// Another row as seen from this table: its number, with the file where it is another one.
    #[must_use]
    pub fn beside(&self, other: &Place) -> String {
        let row = other.row.unwrap_or_default();
        if other.file == self.provenance.file { row.to_string() } else { format!("{row} ({})", other.file) }
    }

    /// A fault at a field of a record of this table.
    #[must_use]
    pub fn fault_at(&self, rule: Rule, row: &RawRow, field: Option<&str>) -> Fault {
        let fault = self.fault(rule, Some(row.row), field);
        if row.layer.is_some() { fault.layer(row.layer) } else { fault }
    }

    /// A fault at a row and field of this table.
    #[must_use]
    pub fn fault(&self, rule: Rule, row: Option<u64>, field: Option<&str>) -> Fault {
        Fault::at(rule, self.place(row, field))
    }
}
