//! What a source hands on: rows of plain values with where they came from.

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
}

impl Value {
    /// The value as text, trimmed; `None` for null and blanks.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Integer(v) => Some(v.to_string()),
            Self::Real(v) => Some(v.to_string()),
            Self::Text(v) => {
                let v = v.trim();
                (!v.is_empty()).then(|| v.to_owned())
            }
        }
    }
}

/// One record.
#[derive(Debug, Clone)]
pub struct RawRow {
    /// Line of a text table (the header is line 1), or feature number from 1 in other formats.
    pub row: u64,
    /// One value per field of the table.
    pub values: Vec<Value>,
    /// Longitude and latitude in degrees, WGS 84.
    pub geometry: Option<geo::Geometry<f64>>,
}

/// Where a table came from, for the manifest and for `check`.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Provenance {
    /// Name of the source in the study, such as `roads`.
    pub source: String,
    /// The file as the study names it.
    pub file: String,
    /// The layer that was read.
    pub layer: Option<String>,
    /// Driver or reader: `csv`, `GeoJSON`, `GPKG`, …
    pub driver: String,
    /// CRS as found or declared, such as `EPSG:6372`.
    pub crs: Option<String>,
    /// Encoding as detected or declared.
    pub encoding: Option<String>,
    /// SHA-256 of the bytes of the file and its companions, in hexadecimal.
    pub sha256: String,
    /// Size in bytes, companions included.
    pub bytes: u64,
    /// Records read.
    pub records: u64,
    /// West, south, east, north in degrees, where there is geometry.
    pub extent: Option<[f64; 4]>,
}

/// A table of records with one provenance.
#[derive(Debug, Clone, Default)]
pub struct RawTable {
    /// Where it came from.
    pub provenance: Provenance,
    /// Names of the fields as they stand in the file.
    pub fields: Vec<String>,
    /// The records in the order of the file.
    pub rows: Vec<RawRow>,
}

impl RawTable {
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

    /// A fault at a row and field of this table.
    #[must_use]
    pub fn fault(&self, rule: Rule, row: Option<u64>, field: Option<&str>) -> Fault {
        Fault::at(rule, self.place(row, field))
    }
}
