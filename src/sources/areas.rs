//! A layer of areas or points that an analyst names by hand, with its columns: what `corredor spatial` works on.

use std::path::Path;

use super::guard::{self, Format};
use super::inspect::{Geometry, geometry_of};
use super::raw::RawTable;
use super::sink::Sink;
use super::spec::{GeometryNeed, SourceSpec};
use super::{ColumnRules, Job, Limits, ogr, read_admitted};
use crate::error::{Error, Fault, Faults, Rule};

/// What shape the records must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AreaShape {
    /// Polygons.
    Polygons,
    /// Polygons or points, as the layer has them.
    Either,
    /// None is needed, and none is read.
    Table,
}

/// Which layer, and how its coordinates are meant.
#[derive(Debug, Clone, Copy)]
pub struct AreaRequest<'a> {
    /// The file.
    pub path: &'a Path,
    /// The layer or sheet, where there are several.
    pub layer: Option<&'a str>,
    /// CRS, where the file says none.
    pub crs: Option<&'a str>,
    /// Whether coordinates are taken as they stand, on a plane: neither a CRS nor a place in Mexico is asked for.
    pub plane: bool,
    /// What the records must have.
    pub shape: AreaShape,
}

/// Reads a layer whole, with the guards of a source of a study: paths, formats, sizes, columns about persons.
///
/// Coordinates come back in degrees, longitude first, or as they are with `plane`. What is wrong goes to `faults`;
/// `None` if the file cannot be used.
///
/// # Errors
/// As [`super::read`].
pub fn read_areas(request: &AreaRequest<'_>, faults: &mut Faults) -> Result<Option<RawTable>, Error> {
    let name = request.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let base = request.path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let whole = request.path.to_string_lossy();
    if guard::is_virtual(&whole) {
        faults.push(Fault::new(Rule::PathRefused, super::environment::one_line(&whole)));
        return Ok(None);
    }
    let spec = SourceSpec {
        path: name,
        layer: request.layer.map(str::to_owned),
        crs: request.crs.map(str::to_owned),
        ..SourceSpec::default()
    };
    // The user names the file by hand: where a link leads is their choice.
    let limits = Limits { allow_absolute: true, ..Limits::default() };
    let rules = ColumnRules { business_register: true };
    let mut sink = Sink::new(faults, &spec.path);
    let need = match request.shape {
        AreaShape::Table => GeometryNeed::None,
        AreaShape::Polygons | AreaShape::Either => GeometryNeed::Polygon,
    };
    let job = Job { base, name: "", spec: &spec, need, rules: &rules, limits: &limits, plane: request.plane };
    let read = match request.shape {
        AreaShape::Either => either(&job, &mut sink),
        AreaShape::Polygons | AreaShape::Table => read_admitted(&job, &mut sink),
    };
    sink.finish();
    match read {
        Ok(table) => Ok(Some(table)),
        Err(Error::Faults(more)) => {
            faults.extend(more);
            Ok(None)
        }
        Err(other) => Err(other),
    }
}

/// Points where the format or the layer has points, polygons otherwise.
fn either(job: &Job<'_>, sink: &mut Sink<'_>) -> Result<RawTable, Error> {
    let input = guard::admit_source(job.base, job.spec, GeometryNeed::None, job.limits)?;
    let need = match input.format {
        format if format.is_table() => GeometryNeed::Point,
        Format::Gpx => GeometryNeed::Point,
        Format::OsmPbf => GeometryNeed::Polygon,
        _ => {
            sink.set_file(&input.shown);
            super::content::check(&input, &input.shown)?;
            let opened = ogr::open(&input, job, sink)?;
            let mut layer = opened.find_layer(job, sink)?;
            match geometry_of(&mut layer) {
                Geometry::Of(need @ (GeometryNeed::Point | GeometryNeed::Polygon), _) => need,
                _ => GeometryNeed::Polygon,
            }
        }
    };
    read_admitted(&Job { need, ..*job }, sink)
}
