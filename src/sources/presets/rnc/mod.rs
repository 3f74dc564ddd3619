//! Red Nacional de Caminos (INEGI, IMT, SICT): roads with their junctions, turn bans and ferries.
//!
//! | layer | what is read | needed |
//! |---|---|---|
//! | `red_vial` | lines with the keys of their junctions | yes |
//! | `union`, `union_p` | positions of the junctions: roads are turned and checked by them | no |
//! | `maniobra_prohibida` | sequences of roads that may not be driven | no |
//! | `transbordador` | ferries | no |
//!
//! A `GeoPackage` has the layers in one file; of a shapefile set the study names `red_vial.shp`, and the others are
//! found beside it. The topology is the one that the file states: roads meet where their junctions have the same
//! key, so that an overpass touches nothing.

mod bans;
mod ferries;
mod junctions;
mod roads;
mod terms;
mod values;

use std::path::Path;

use gdal::vector::{LayerAccess as _, OGRwkbGeometryType as Kind, geometry_type_flatten};

use crate::error::{Error, Rule};
use crate::sources::guard::{self, Format, Input};
use crate::sources::ogr::{self, Consumer};
use crate::sources::raw::RawTable;
use crate::sources::sink::Sink;
use crate::sources::spec::GeometryNeed;
use crate::sources::{Job, content, hash};

/// Names of the layers in the editions.
const ROADS: [&str; 1] = ["red_vial"];
const JUNCTIONS: [&str; 2] = ["union", "union_p"];
const BANS: [&str; 1] = ["maniobra_prohibida"];
const FERRIES: [&str; 1] = ["transbordador"];

/// Names of the shapefiles that stand beside that of the roads.
pub(super) const BESIDE_ROADS: [&str; 4] = [JUNCTIONS[0], JUNCTIONS[1], BANS[0], FERRIES[0]];

/// How far the end of a road may lie from its junction, in metres: coordinates are rounded, and no more.
const BESIDE: f64 = 25.0;

/// Columns of the table.
const FIELDS: [&str; 10] =
    ["id", "ref", "class", "surface", "toll", "oneway", "speed_kmh", "from_node", "to_node", "level"];

/// Reads roads, junctions, bans and ferries.
pub(super) fn read(input: &Input, job: &Job<'_>, sink: &mut Sink<'_>) -> Result<RawTable, Error> {
    if !matches!(input.format, Format::GeoPackage | Format::Shapefile) {
        return Err(sink.fault(Rule::FormatUnknown).with("allowed", ".shp .gpkg .zip").into());
    }
    let beside = Beside { input, job };
    let mut inputs = Vec::new();

    let mut junctions = junctions::Junctions::new(job);
    let found = beside.scan(&JUNCTIONS, Geometry::Points, &mut junctions, sink, &mut inputs)?;
    let positions = found.then_some(&junctions.positions);

    let opened = ogr::open(input, job, sink)?;
    let named = if job.spec.layer.is_none() { opened.named(&ROADS) } else { None };
    let mut layer = match named {
        Some(layer) => layer,
        None => opened.find_layer(job, sink)?,
    };
    sink.set_layer(&layer.name());
    let mut roads = roads::Roads::new(job, positions);
    let scanned = opened.scan(&mut layer, job, GeometryNeed::Line, sink, &mut roads)?;
    if scanned.records == 0 {
        return Err(sink.fault(Rule::NoRecords).into());
    }

    let mut bans = bans::Bans::new(job, &roads.known, positions, BANS[0]);
    beside.scan(&BANS, Geometry::None, &mut bans, sink, &mut inputs)?;
    let bans = bans.read;
    let mut ferries = ferries::Ferries::new(job, positions);
    beside.scan(&FERRIES, Geometry::Lines, &mut ferries, sink, &mut inputs)?;

    let mut provenance = scanned.provenance(input, job);
    for (reason, count) in [
        ("not_for_vehicles", roads.not_for_vehicles),
        ("disabled", roads.disabled),
        ("under_construction", roads.under_construction),
    ] {
        if count > 0 {
            provenance.dropped.insert(reason, count);
        }
    }
    provenance.bytes = input.bytes + inputs.iter().map(|other: &Input| other.bytes).sum::<u64>();
    provenance.sha256 = hash::sha256_of(std::iter::once(input).chain(&inputs))?;
    let labels = roads.labels();
    let mut rows = roads.rows;
    provenance.records += ferries.rows.len() as u64;
    rows.extend(ferries.rows);
    Ok(RawTable {
        provenance,
        fields: FIELDS.map(str::to_owned).into(),
        labels,
        bans,
        rows,
        ..RawTable::default()
    })
}

/// What a layer beside the roads must hold.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Geometry {
    None,
    Points,
    Lines,
}

/// The layers beside the roads: in the same `GeoPackage`, or in the same folder of a shapefile set.
struct Beside<'a> {
    input: &'a Input,
    job: &'a Job<'a>,
}

impl Beside<'_> {
    /// Hands the features of the first layer of these names on; `false`, with a warning, if there is none. Files that
    /// were read go to `inputs`.
    fn scan(
        &self,
        names: &[&str],
        geometry: Geometry,
        consumer: &mut dyn Consumer,
        sink: &mut Sink<'_>,
        inputs: &mut Vec<Input>,
    ) -> Result<bool, Error> {
        // A road that leads out of the study's box ends at a junction beyond it.
        let bbox = self.job.spec.bbox.filter(|_| geometry == Geometry::Lines);
        let unbound = crate::sources::SourceSpec { bbox, ..self.job.spec.clone() };
        let job = Job { need: GeometryNeed::None, spec: &unbound, ..*self.job };
        let absent = |sink: &mut Sink<'_>| {
            let fault = sink.fault(Rule::LayerAbsent).field(names.join(", "));
            sink.push(fault);
            Ok(false)
        };
        if self.input.format == Format::GeoPackage {
            let opened = ogr::open(self.input, &job, sink)?;
            let Some(mut layer) = opened.named(names) else { return absent(sink) };
            let place = sink.enter(&self.input.shown, &layer.name());
            let done = scan_layer(&opened, &mut layer, &job, geometry, consumer, sink);
            sink.leave(place);
            return done;
        }
        let Some(shown) = sibling(self.input, &self.input.shown, names)? else { return absent(sink) };
        let spec = crate::sources::SourceSpec { path: shown.clone(), layer: None, ..unbound.clone() };
        let job = Job { spec: &spec, ..job };
        let place = sink.enter(&shown, names.first().unwrap_or(&""));
        let mut done = || {
            let input = self.admit(&shown)?;
            content::check(&input, &shown)?;
            let done = {
                let opened = ogr::open(&input, &job, sink)?;
                let mut layer = opened.find_layer(&job, sink)?;
                scan_layer(&opened, &mut layer, &job, geometry, consumer, sink)
            };
            inputs.push(input);
            done
        };
        let done = done();
        sink.leave(place);
        done
    }

    /// A file beside the roads, in the folder of the study or unpacked from the same archive.
    fn admit(&self, shown: &str) -> Result<Input, Error> {
        let Some(unpacked) = &self.input.unpacked else {
            return guard::admit(self.job.base, shown, self.job.limits);
        };
        let name = Path::new(shown).file_name().unwrap_or_default().to_string_lossy();
        let input = guard::admit(unpacked.folder.path(), &name, self.job.limits)?;
        // Its bytes are those of the archive, which count once.
        Ok(Input { bytes: 0, shown: shown.to_owned(), originals: Vec::new(), ..input })
    }
}

fn scan_layer(
    opened: &ogr::Opened<'_>,
    layer: &mut gdal::vector::Layer<'_>,
    job: &Job<'_>,
    geometry: Geometry,
    consumer: &mut dyn Consumer,
    sink: &mut Sink<'_>,
) -> Result<bool, Error> {
    let flat = geometry_type_flatten(layer.defn().geometry_type());
    let is_point = matches!(flat, Kind::wkbPoint | Kind::wkbMultiPoint);
    let need = match geometry {
        Geometry::None => GeometryNeed::None,
        Geometry::Points => GeometryNeed::Point,
        // Some editions have the landings only: nothing to drive on.
        Geometry::Lines if is_point => return Ok(false),
        Geometry::Lines => GeometryNeed::Line,
    };
    opened.scan(layer, job, need, sink, consumer).map(|_| true)
}

/// The file of a shapefile set with one of these names, as the study would name it.
fn sibling(input: &Input, shown: &str, names: &[&str]) -> Result<Option<String>, Error> {
    let Some(folder) = input.path.parent() else { return Ok(None) };
    let io = |source| Error::io(folder, source);
    let mut found: Vec<(usize, bool, String)> = Vec::new();
    for entry in folder.read_dir().map_err(io)? {
        let name = entry.map_err(io)?.file_name().to_string_lossy().into_owned();
        let path = Path::new(&name);
        let ending = |ending: &str| path.extension().is_some_and(|e| e.eq_ignore_ascii_case(ending));
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        if let Some(place) = names.iter().position(|wanted| stem.eq_ignore_ascii_case(wanted))
            && (ending("shp") || ending("dbf"))
        {
            found.push((place, !ending("shp"), name));
        }
    }
    // A table alone where there is no map of that name.
    found.sort();
    let beside = Path::new(shown).parent().unwrap_or(Path::new(""));
    Ok(found.into_iter().next().map(|(_, _, name)| beside.join(name).to_string_lossy().into_owned()))
}
