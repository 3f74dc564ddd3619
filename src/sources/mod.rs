//! Files become tables of plain values with where they came from. The only stage that opens an input.
//!
//! What holds for every table that [`read`] returns:
//!
//! 1. the path was checked before a library saw it, and one driver only was allowed to open it;
//! 2. the first bytes, and the lengths that a header states, agree with the ending of the name;
//! 3. no column describes a person, and none is of the kind that no score may use;
//! 4. coordinates are finite, in longitude and latitude of WGS 84, and in this order;
//! 5. text was decoded without loss, and nothing in it is hidden.
//!
//! | concern | file |
//! |---|---|
//! | paths, companions, sizes | `guard` |
//! | zip archives | `archive`, `unpack` |
//! | first bytes, stated lengths, JSON syntax | `content` |
//! | encodings, and text read whole | `text`, `dbf` |
//! | CSV | `table`, `lines`, `points` |
//! | XLSX and ODS | `workbook`, `sheet`, `rows` |
//! | GPX, and what holds of all XML | `gpx`, `xml` |
//! | other formats, through GDAL | `ogr`, `environment` |
//! | coordinates | `crs`, `geometry` |
//! | names of columns | `names`, `columns` |
//! | files as the offices publish them | `presets` |
//! | a file that no study names | `by_hand`; a look at it: `inspect`; areas or points for an analyst: `areas`, `gal` |

mod archive;
mod areas;
mod by_hand;
mod columns;
mod content;
mod crs;
mod dbf;
mod environment;
mod gal;
mod geometry;
mod gpx;
mod guard;
mod hash;
mod inspect;
mod lines;
mod names;
pub(crate) mod number;
mod ogr;
mod personal;
mod points;
mod presets;
pub mod raw;
mod rows;
mod selection;
mod sheet;
mod sink;
pub mod spec;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod unpack;
mod workbook;
mod xml;

use std::path::Path;

pub use areas::{AreaRequest, AreaShape, read_areas};
pub use columns::ColumnRules;
pub(crate) use environment::{failure as gdal_failure, forget as forget_gdal_failures};
pub use environment::{quiet as quiet_gdal, require_offline_proj};
pub use gal::{Gal, read_gal};
pub use inspect::{FieldFacts, Inspection, LayerFacts, inspect};
pub use names::{find_field, normalised};
pub(crate) use personal::shown;
pub use presets::month_of;
pub use raw::{Period, Provenance, RawBan, RawRow, RawTable, Value};
pub use spec::{GeometryNeed, Offence, Preset, SourceSpec};
pub use text::{hidden, read_text};

use crate::error::{Error, Faults, Rule};
use guard::Format;
use selection::Passed;
use sink::Sink;

/// Caps on what is read from one source, so that a hostile or broken file ends in a fault and not in a
/// machine without memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file and its companions. Default 4 GiB.
    pub max_bytes: u64,
    /// Records. Default 20 million.
    pub max_records: u64,
    /// Vertices of all geometries. Default 200 million.
    pub max_vertices: u64,
    /// Columns. Default 2,000.
    pub max_columns: usize,
    /// Bytes of one value. Default 1 MiB.
    pub max_field_bytes: usize,
    /// Whether a path may be absolute and lead out of the study folder. Default no: an absolute path is
    /// taken only if it lies inside.
    pub allow_absolute: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_bytes: 4 << 30,
            max_records: 20_000_000,
            max_vertices: 200_000_000,
            max_columns: 2_000,
            max_field_bytes: 1 << 20,
            allow_absolute: false,
        }
    }
}

/// Reads one source of the study whole.
///
/// `base` is the folder of the study file, `name` the key of the source, such as `roads`. Geometry comes
/// back in degrees, longitude first: [`GeometryNeed::Point`] as `Point`; [`GeometryNeed::Line`] as
/// `LineString`, or `MultiLineString` where there are several parts; [`GeometryNeed::Polygon`] likewise.
/// Curves are made straight, and Z and M are dropped.
///
/// Faults go to `faults`, at most 200 of one rule in one file, then one more of the same rule without a row
/// whose `count` is the number of all of them. A row with a fault may be left out of the table.
///
/// Returns `None` where the file as a whole cannot be used; `faults` then says why.
///
/// # Errors
///
/// [`Error::Io`] if the file is there but cannot be read, and [`Error::Environment`] if PROJ or GDAL is not
/// fit for use. What is wrong with the data is never an `Err`.
pub fn read(
    base: &Path,
    name: &str,
    spec: &SourceSpec,
    need: GeometryNeed,
    rules: &ColumnRules,
    limits: &Limits,
    faults: &mut Faults,
) -> Result<Option<RawTable>, Error> {
    let mut sink = Sink::new(faults, &spec.path);
    let job = Job { base, name, spec, need, rules, limits, plane: false, islands: false };
    let result = read_admitted(&job, &mut sink);
    sink.finish();
    settled(result, faults)
}

/// What was read, or `None` with the faults that ended the reading among the others.
fn settled<T>(result: Result<T, Error>, faults: &mut Faults) -> Result<Option<T>, Error> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(Error::Faults(more)) => {
            faults.extend(more);
            Ok(None)
        }
        Err(other) => Err(other),
    }
}

/// Sources whose records have the code of a municipality.
pub const CODED: [&str; 5] = ["municipalities", "population", "marginalization", "counts", "worksites"];

/// Whether a record is kept, by one of its values.
type Keep<'a> = &'a dyn Fn(&str) -> bool;

/// Leaves out records of other entities, sectors and modalities, where the study selects some. What is blank or no code
/// stays, for the model to say so.
fn keep_selected(job: &Job<'_>, table: &mut RawTable, sink: &Sink<'_>) -> Result<(), Error> {
    let any = !table.rows.is_empty();
    let SourceSpec { entities, scian, modalities, .. } = job.spec;
    // Codes whose leading zero was lost have four digits.
    let entity_of = |code: &str| {
        let fine = (4..=5).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_digit());
        fine.then(|| format!("{code:0>5}").chars().take(2).collect::<String>())
    };
    let in_entity = |code: &str| entity_of(code).is_none_or(|entity| entities.contains(&entity));
    let is_class = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let in_sector =
        |class: &str| !is_class(class) || scian.iter().any(|prefix| class.starts_with(prefix.as_str()));
    let of_modality = |name: &str| modalities.iter().any(|modality| normalised(modality) == normalised(name));
    let selections: [(&str, &'static str, &[String], Keep<'_>); 3] = [
        ("cvegeo", "other_entity", entities, &in_entity),
        ("scian", "sector", scian, &in_sector),
        ("modality", "other_modality", modalities, &of_modality),
    ];
    for (column, reason, wanted, keep) in selections {
        if wanted.is_empty() || !CODED.contains(&job.name) {
            continue;
        }
        let column = table.column(column, job.spec).map(|(at, label)| (at, label.to_owned()));
        let Some((at, label)) = column else { continue };
        let before = table.rows.len();
        let mut passed = Passed::default();
        table.rows.retain(|row| {
            row.values.get(at).and_then(Value::text).is_none_or(|text| {
                let kept = keep(&text);
                if !kept {
                    passed.note(&text);
                }
                kept
            })
        });
        let left_out = before - table.rows.len();
        if left_out > 0 {
            *table.provenance.dropped.entry(reason).or_default() += left_out as u64;
        }
        if any && table.rows.is_empty() && sink.is_clean() {
            let fault = sink.fault(Rule::NothingSelected).field(label);
            return Err(passed.tell(fault, wanted).into());
        }
    }
    Ok(())
}

/// What the readers need to know of one call.
#[derive(Clone, Copy)]
struct Job<'a> {
    /// Folder of the study.
    base: &'a Path,
    name: &'a str,
    spec: &'a SourceSpec,
    need: GeometryNeed,
    rules: &'a ColumnRules,
    limits: &'a Limits,
    /// Whether coordinates are taken as they stand, on a plane of their own.
    plane: bool,
    /// Whether records without geometry stay, with a warning.
    islands: bool,
}

impl Job<'_> {
    /// Whether a study can do without a single record of this source.
    fn can_be_empty(&self) -> bool {
        matches!(self.name, "crossings" | "exits" | "towns" | "posts" | "worksites")
    }
}

/// Inside this stage a fault that ends the reading of a file is an [`Error::Faults`].
fn read_admitted(job: &Job<'_>, sink: &mut Sink<'_>) -> Result<RawTable, Error> {
    if job.need != GeometryNeed::None {
        crs::require_proj()?;
    }
    let input = guard::admit_source(job.base, job.spec, job.need, job.limits)?;
    sink.set_file(&input.shown);
    content::check(&input, &input.shown)?;
    if input.format == Format::GeoJson {
        let refused = content::check_json(&input, &input.shown)?;
        if refused.has_errors() {
            return Err(refused.into());
        }
    }
    let by_preset = presets::read(&input, job, sink).transpose()?;
    let mut table = match (by_preset, input.format) {
        (Some(table), _) => table,
        (None, Format::Csv | Format::Xlsx | Format::Ods) => table::read(&input, job, sink)?,
        (None, Format::Gpx) => gpx::read(&input, job, sink)?,
        (None, Format::OsmPbf) => {
            let fault = sink.fault(Rule::PresetFormat).with("expected", "preset = \"osm\"");
            return Err(fault.with("found", ".osm.pbf").into());
        }
        (
            None,
            Format::GeoJson | Format::GeoPackage | Format::Shapefile | Format::Dbf | Format::FlatGeobuf,
        ) => ogr::read(&input, job, sink)?,
    };
    if let Some(bbox) = job.spec.bbox {
        let before = table.rows.len();
        table.rows.retain(|row| row.geometry.as_ref().is_none_or(|g| geometry::meets(g, bbox)));
        let outside = before - table.rows.len();
        if outside > 0 {
            *table.provenance.dropped.entry("outside_bbox").or_default() += outside as u64;
        }
    }
    if let Some(bbox) = job.spec.bbox
        && table.rows.is_empty()
        && table.provenance.dropped.contains_key("outside_bbox")
        && sink.is_clean()
    {
        let shown =
            |[west, south, east, north]: [f64; 4]| format!("{west:.2} {south:.2} {east:.2} {north:.2}");
        let there = table.provenance.extent.map_or_else(|| "–".to_owned(), shown);
        let fault = sink.fault(Rule::NothingSelected).field("bbox");
        return Err(fault.with("wanted", shown(bbox)).with("allowed", there).into());
    }
    text::take_hidden_out(&mut table, sink);
    keep_selected(job, &mut table, sink)?;
    // A preset that adds records up has counted those that it kept.
    if table.provenance.kept == 0 {
        table.provenance.kept = table.rows.len() as u64;
    }
    // A preset that read more files than the one has hashed them all.
    if table.provenance.sha256.is_empty() {
        table.provenance.sha256 = hash::sha256(&input)?;
        table.provenance.bytes = input.bytes;
    }
    Ok(table)
}
