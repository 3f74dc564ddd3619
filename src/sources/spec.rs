//! How a study names a source.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One input of the study: a file and how to read it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceSpec {
    /// Path of the file, relative to the study file.
    pub path: String,
    /// Layer of a file with several; may be left out where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<String>,
    /// Names of this file's fields, by the name that corredor uses: `cvegeo = "CVEGEO"`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
    /// Encoding of a text file or of a shapefile's table, such as `utf-8` or `windows-1252`; detected if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// CRS of the coordinates, such as `EPSG:6372`. For CSV the default is `EPSG:4326`; for other formats what
    /// the file says, and a fault where both are given and differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crs: Option<String>,
}

/// What geometry a source must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GeometryNeed {
    /// A table without geometry; geometry in the file is not read.
    None,
    /// Points.
    Point,
    /// Lines; parts of a multi-line stay one record.
    Line,
    /// Polygons.
    Polygon,
}
