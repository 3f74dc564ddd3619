//! A layer of areas or points that an analyst names by hand, with its columns: what `corredor spatial` works on.

use std::path::Path;

use super::by_hand::by_hand;
use super::guard::{self, Format};
use super::inspect::{Geometry, geometry_of};
use super::raw::RawTable;
use super::sink::Sink;
use super::spec::{GeometryNeed, SourceSpec};
use super::{Job, ogr, read_admitted};
use crate::error::{Error, Faults};

/// What shape the records must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AreaShape {
    /// Polygons; a record without one stays, without geometry, and is warned of (`S045`).
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
    /// The file within a zip archive, where there are several.
    pub member: Option<&'a str>,
    /// The column of longitudes of a table, or of x, where it has no usual name.
    pub lon: Option<&'a str>,
    /// The column of latitudes of a table, or of y.
    pub lat: Option<&'a str>,
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
    let spec = SourceSpec {
        layer: request.layer.map(str::to_owned),
        member: request.member.map(str::to_owned),
        crs: request.crs.map(str::to_owned),
        fields: [("lon", request.lon), ("lat", request.lat)]
            .into_iter()
            .filter_map(|(key, field)| Some((key.to_owned(), field?.to_owned())))
            .collect(),
        ..SourceSpec::default()
    };
    by_hand(request.path, spec, faults, |job, sink| {
        let job = Job { plane: request.plane, islands: request.shape == AreaShape::Polygons, ..*job };
        match request.shape {
            AreaShape::Either => either(&job, sink),
            AreaShape::Polygons => read_admitted(&Job { need: GeometryNeed::Polygon, ..job }, sink),
            AreaShape::Table => read_admitted(&job, sink),
        }
    })
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
