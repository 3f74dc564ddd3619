//! How a study names a source.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One input of the study: a file and how to read it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceSpec {
    /// Path of the file, relative to the study file.
    pub path: String,
    /// Further files of the same layout, read after `path` into the same source.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more: Vec<String>,
    /// Layer or sheet of a file with several; may be left out where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<String>,
    /// How the file is laid out, where it is one that an office or a project publishes, such as `inegi-rnc`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<Preset>,
    /// File within a zip archive; may be left out where only one fits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
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
    /// West, south, east, north in degrees: only records whose extent meets this box are kept. For maps of the whole
    /// country.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bbox: Option<[f64; 4]>,
    /// Two-digit codes of the entities (states) whose records are kept; if left out, those of `study.entities`.
    /// For files of the whole country; `municipalities`, `population`, `marginalization`, `counts` and `worksites`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entities: Vec<String>,
    /// `sesnsp-municipal`: which offences count. Default: `type = ["Trata de personas"]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offence: Option<Offence>,
    /// `sesnsp-municipal`: first month that counts, `YYYY-MM`, or `YYYY` for its January.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// `sesnsp-municipal`: last month that counts, `YYYY-MM`, or `YYYY` for its December.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// `sesnsp-municipal`: columns of persons to add up over, such as `["Sexo", "Rango de edad"]`. Without it a
    /// file that has them is refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sum_over: Vec<String>,
    /// `counts`: modalities that count; all if left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modalities: Vec<String>,
    /// `denue`, `worksites`: prefixes of the SCIAN classes to keep, such as `["7211", "722412"]`; all if left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scian: Vec<String>,
}

impl SourceSpec {
    /// The paths of its files, in the order in which they are read.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.path.as_str()).chain(self.more.iter().map(String::as_str))
    }

    /// The options that are set and belong to some presets only, with those presets.
    #[must_use]
    pub fn special(&self) -> Vec<(&'static str, &'static [Preset])> {
        use Preset::{Counts, Denue, SesnspMunicipal, Worksites};
        const SESNSP: &[Preset] = &[SesnspMunicipal];
        [
            ("offence", self.offence.is_some(), SESNSP),
            ("from", self.from.is_some(), SESNSP),
            ("to", self.to.is_some(), SESNSP),
            ("sum_over", !self.sum_over.is_empty(), SESNSP),
            ("modalities", !self.modalities.is_empty(), &[Counts][..]),
            ("scian", !self.scian.is_empty(), &[Denue, Worksites][..]),
        ]
        .into_iter()
        .filter(|(_, set, _)| *set)
        .map(|(name, _, presets)| (name, presets))
        .collect()
    }
}

/// Which offences of a crime table count: a record must fit every list that is given, compared without regard to
/// case and accents.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Offence {
    /// `Bien jurídico afectado`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub legal_good: Vec<String>,
    /// `Tipo de delito`.
    #[serde(rename = "type", skip_serializing_if = "Vec::is_empty")]
    pub kind: Vec<String>,
    /// `Subtipo de delito`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subtype: Vec<String>,
    /// `Modalidad`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub modality: Vec<String>,
}

/// Layouts that are known by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// Red Nacional de Caminos (INEGI, IMT, SICT): `red_vial`, `union`, `maniobra_prohibida`, `transbordador`.
    InegiRnc,
    /// OpenStreetMap, `.osm.pbf`.
    Osm,
    /// Any lines, joined by geometry, with `fields` for what is called otherwise. What roads are without a preset.
    Lines,
    /// Marco Geoestadístico (INEGI): `CVEGEO`, `NOMGEO`.
    InegiMarco,
    /// Incidencia delictiva municipal of SESNSP, one row by offence and year; the victims' files too.
    SesnspMunicipal,
    /// A tidy table of counts. What counts are without a preset.
    Counts,
    /// Censo de Población y Vivienda 2020 (INEGI), principal results by locality.
    InegiIter,
    /// Índice de marginación by municipality (CONAPO), 2020.
    ConapoImm,
    /// Directorio Estadístico Nacional de Unidades Económicas (INEGI).
    Denue,
    /// A tidy table of workplaces. What worksites are without a preset.
    Worksites,
}

impl Preset {
    /// The name in the study file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InegiRnc => "inegi-rnc",
            Self::Osm => "osm",
            Self::Lines => "lines",
            Self::InegiMarco => "inegi-marco",
            Self::SesnspMunicipal => "sesnsp-municipal",
            Self::Counts => "counts",
            Self::InegiIter => "inegi-iter",
            Self::ConapoImm => "conapo-imm",
            Self::Denue => "denue",
            Self::Worksites => "worksites",
        }
    }

    /// The sources that it may stand at.
    #[must_use]
    pub const fn sources(self) -> &'static [&'static str] {
        match self {
            Self::InegiRnc | Self::Osm | Self::Lines => &["roads"],
            Self::InegiMarco => &["municipalities"],
            Self::SesnspMunicipal | Self::Counts => &["counts"],
            Self::InegiIter => &["population"],
            Self::ConapoImm => &["population", "marginalization"],
            Self::Denue | Self::Worksites => &["worksites"],
        }
    }
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
