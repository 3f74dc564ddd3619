//! A look at a file that no study names yet: its layers, fields and first values. Values of columns that describe
//! persons, or that no score may use, are never shown.

use std::path::Path;

use gdal::vector::{Layer, LayerAccess as _, OGRwkbGeometryType as Kind, geometry_type_flatten};
use serde::Serialize;

use super::by_hand::by_hand;
use super::geometry::Survey;
use super::guard::{self, Format, Input};
use super::points::PointReader;
use super::raw::Value;
use super::sink::Sink;
use super::spec::{GeometryNeed, SourceSpec};
use super::table::Head;
use super::{ColumnRules, Job, columns, content, gpx, ogr, personal, sheet, table, text};
use crate::error::{Error, Faults};

/// Values of a field that are shown.
const SHOWN: usize = 3;

/// What a file holds.
#[derive(Debug, Clone, Serialize)]
pub struct Inspection {
    /// The file as it was named; within an archive with the member.
    pub file: String,
    /// The path as a study beside the file would have it; of the archive where it is a member of one.
    pub path: String,
    /// The member of the archive.
    pub member: Option<String>,
    /// Whether a study has to name the layer: there are several, or it was asked for by its name.
    pub names_layer: bool,
    /// Driver or reader.
    pub driver: String,
    /// Whether it is an extract of OpenStreetMap, which has no layers and fields of its own.
    pub is_osm: bool,
    /// Its layers or sheets.
    pub layers: Vec<LayerFacts>,
}

/// What a layer, sheet or table holds.
#[derive(Debug, Clone, Serialize)]
pub struct LayerFacts {
    /// Name, where the format has one.
    pub name: Option<String>,
    /// `point`, `line`, `polygon`, `other`; none for a table without positions.
    pub geometry: Option<&'static str>,
    /// Records, those that cannot be read too.
    pub records: u64,
    /// CRS, where there is geometry.
    pub crs: Option<String>,
    /// Encoding as detected.
    pub encoding: String,
    /// West, south, east, north in degrees.
    pub extent: Option<[f64; 4]>,
    /// Its fields in order.
    pub fields: Vec<FieldFacts>,
}

/// A field and its first values.
#[derive(Debug, Clone, Serialize)]
pub struct FieldFacts {
    /// Name.
    pub name: String,
    /// `integer`, `real`, `text`, `mixed`, or `empty`, by what was seen.
    pub kind: &'static str,
    /// Whether it describes persons or is barred from scores, so that its values are not shown.
    pub hidden: bool,
    /// First values that are not empty and differ.
    pub values: Vec<String>,
}

/// Looks at a file. `layer` and `member` choose where there are several.
///
/// What cannot be read goes to `faults`; `None` if the file cannot be opened at all.
///
/// # Errors
/// As [`super::read`].
pub fn inspect(
    path: &Path,
    layer: Option<&str>,
    member: Option<&str>,
    faults: &mut Faults,
) -> Result<Option<Inspection>, Error> {
    let spec = SourceSpec {
        layer: layer.map(str::to_owned),
        member: member.map(str::to_owned),
        ..SourceSpec::default()
    };
    by_hand(path, spec, faults, look)
}

fn look(job: &Job<'_>, sink: &mut Sink<'_>) -> Result<Inspection, Error> {
    let input = guard::admit_source(job.base, job.spec, GeometryNeed::None, job.limits)?;
    sink.set_file(&input.shown);
    content::check(&input, &input.shown)?;
    let mut several = job.spec.layer.is_some();
    let layers = match input.format {
        Format::Xlsx | Format::Ods if job.spec.layer.is_none() => {
            let sheets = sheet::filled(&input, job, sink)?;
            several = sheets.len() > 1;
            if several { of_sheets(&input, sheets, job, sink)? } else { vec![of_table(&input, job, sink)?] }
        }
        Format::Csv | Format::Xlsx | Format::Ods => vec![of_table(&input, job, sink)?],
        Format::Gpx => vec![of_waypoints(&input, job, sink)?],
        Format::OsmPbf => Vec::new(),
        Format::GeoJson => {
            // Values that have names themselves are not shown, whatever the names are.
            content::check_json(&input, &input.shown)?;
            of_layers(&input, job, sink)?
        }
        Format::GeoPackage | Format::Shapefile | Format::Dbf | Format::FlatGeobuf => {
            of_layers(&input, job, sink)?
        }
    };
    Ok(Inspection {
        driver: input.format.driver().to_owned(),
        is_osm: input.format == Format::OsmPbf,
        file: input.shown.clone(),
        path: job.spec.path.clone(),
        member: input.unpacked.as_ref().map(|unpacked| unpacked.member.clone()),
        names_layer: several || layers.len() > 1,
        layers,
    })
}

/// The first values of each field.
#[derive(Default)]
struct Sample {
    fields: Vec<FieldFacts>,
}

impl Sample {
    fn new(names: &[String], rules: ColumnRules) -> Self {
        let field = |name: &String| FieldFacts {
            name: text::visible(name),
            kind: "empty",
            hidden: columns::is_sensitive(name, rules),
            values: Vec::new(),
        };
        Self { fields: names.iter().map(field).collect() }
    }

    fn take(&mut self, field: usize, value: &Value) {
        let Some(field) = self.fields.get_mut(field) else { return };
        let Some(text) = value.text() else { return };
        let number = text.parse::<f64>().is_ok_and(f64::is_finite);
        let kind = match value {
            Value::Integer(_) => "integer",
            Value::Real(_) => "real",
            _ if text.parse::<i64>().is_ok() => "integer",
            _ if number => "real",
            _ => "text",
        };
        field.kind = match (field.kind, kind) {
            ("empty", kind) => kind,
            (before, kind) if before == kind => kind,
            ("integer", "real") | ("real", "integer") => "real",
            _ => "mixed",
        };
        if !field.hidden && field.values.len() < SHOWN {
            let shown = personal::shown(&text);
            if !field.values.contains(&shown) {
                field.values.push(shown);
            }
        }
    }
}

/// A table: all columns are sampled, and points are made where two columns look like coordinates.
struct Rows<'a> {
    job: &'a Job<'a>,
    sample: Sample,
    points: Option<(PointReader, [usize; 2])>,
    survey: Survey,
}

impl table::Consumer for Rows<'_> {
    fn header(&mut self, head: &Head<'_>, sink: &mut Sink<'_>) -> Result<Vec<usize>, Error> {
        self.sample = Sample::new(head.fields, *self.job.rules);
        // No coordinates are no fault here.
        self.points = PointReader::new(head.fields, self.job, head.decimal_comma, sink).ok().map(|points| {
            let at = points.columns();
            (points, at)
        });
        Ok((0..head.fields.len()).collect())
    }

    fn record(&mut self, row: u64, values: &[String], sink: &mut Sink<'_>) -> Result<(), Error> {
        for (i, value) in values.iter().enumerate().filter(|(_, value)| !value.is_empty()) {
            self.sample.take(i, &Value::Text(value.clone()));
        }
        if let Some((points, [x, y])) = &self.points
            && let (Some(x), Some(y)) = (values.get(*x), values.get(*y))
        {
            points.point([x, y], row, &mut self.survey, sink);
        }
        Ok(())
    }
}

fn of_table(input: &Input, job: &Job<'_>, sink: &mut Sink<'_>) -> Result<LayerFacts, Error> {
    let mut rows = Rows { job, sample: Sample::default(), points: None, survey: Survey::default() };
    let scanned = table::scan(input, job, sink, &mut rows)?;
    Ok(LayerFacts {
        name: scanned.layer,
        geometry: rows.points.as_ref().map(|_| "point"),
        records: scanned.records,
        crs: rows.points.map(|(points, _)| points.to_wgs84.label),
        encoding: scanned.encoding,
        extent: rows.survey.extent,
        fields: rows.sample.fields,
    })
}

/// Each sheet as a layer. What stands in the way of one does not keep the others from being looked at.
fn of_sheets(
    input: &Input,
    sheets: Vec<String>,
    job: &Job<'_>,
    sink: &mut Sink<'_>,
) -> Result<Vec<LayerFacts>, Error> {
    let mut found = Vec::new();
    for name in sheets {
        let spec = SourceSpec { layer: Some(name), ..job.spec.clone() };
        match of_table(input, &Job { spec: &spec, ..*job }, sink) {
            Ok(facts) => found.push(facts),
            Err(Error::Faults(faults)) => faults.0.into_iter().for_each(|fault| sink.push(fault)),
            Err(other) => return Err(other),
        }
    }
    Ok(found)
}

fn of_waypoints(input: &Input, job: &Job<'_>, sink: &mut Sink<'_>) -> Result<LayerFacts, Error> {
    let table = gpx::read(input, &Job { need: GeometryNeed::Point, ..*job }, sink)?;
    let mut sample = Sample::new(&table.fields, *job.rules);
    for row in &table.rows {
        row.values.iter().enumerate().for_each(|(i, value)| sample.take(i, value));
    }
    Ok(LayerFacts {
        name: table.provenance.layer,
        geometry: Some("point"),
        records: table.provenance.records,
        crs: table.provenance.crs,
        encoding: table.provenance.encoding.unwrap_or_default(),
        extent: table.provenance.extent,
        fields: sample.fields,
    })
}

/// The features of a layer, sampled.
struct Features {
    rules: ColumnRules,
    sample: Sample,
}

impl ogr::Consumer for Features {
    fn header(&mut self, fields: &[String], _sink: &mut Sink<'_>) -> Result<Vec<usize>, Error> {
        self.sample = Sample::new(fields, self.rules);
        Ok((0..fields.len()).collect())
    }

    fn feature(
        &mut self,
        _row: u64,
        values: Vec<Value>,
        _geometry: Option<geo::Geometry<f64>>,
        _sink: &mut Sink<'_>,
    ) -> Result<(), Error> {
        values.iter().enumerate().for_each(|(i, value)| self.sample.take(i, value));
        Ok(())
    }
}

fn of_layers(input: &Input, job: &Job<'_>, sink: &mut Sink<'_>) -> Result<Vec<LayerFacts>, Error> {
    let opened = ogr::open(input, job, sink)?;
    if job.spec.layer.is_some() {
        let layer = opened.find_layer(job, sink)?;
        return Ok(vec![of_layer(&opened, layer, job, sink)?]);
    }
    opened.data_layers().map(|layer| of_layer(&opened, layer, job, sink)).collect()
}

fn of_layer(
    opened: &ogr::Opened<'_>,
    mut layer: Layer<'_>,
    job: &Job<'_>,
    sink: &mut Sink<'_>,
) -> Result<LayerFacts, Error> {
    let name = layer.name();
    sink.set_layer(&name);
    let (need, geometry) = match geometry_of(&mut layer) {
        Geometry::None => (GeometryNeed::None, None),
        Geometry::Of(need, name) => (need, Some(name)),
        Geometry::Mixed => (GeometryNeed::None, Some("other")),
    };
    let mut features = Features { rules: *job.rules, sample: Sample::default() };
    let scanned = match opened.scan(&mut layer, job, need, sink, &mut features) {
        // What stands in the way of the geometry does not keep the fields from being looked at.
        Err(Error::Faults(faults)) if need != GeometryNeed::None => {
            faults.0.into_iter().for_each(|fault| sink.push(fault));
            opened.scan(&mut layer, job, GeometryNeed::None, sink, &mut features)?
        }
        scanned => scanned?,
    };
    Ok(LayerFacts {
        name: Some(name),
        geometry,
        records: scanned.records,
        crs: scanned.crs,
        encoding: scanned.encoding,
        extent: scanned.extent,
        fields: features.sample.fields,
    })
}

/// What the geometries of a layer are.
pub(super) enum Geometry {
    None,
    Of(GeometryNeed, &'static str),
    Mixed,
}

/// As the layer states, or as its features have it where it states nothing: polygons and multi-polygons of one file
/// are of no common type.
pub(super) fn geometry_of(layer: &mut Layer<'_>) -> Geometry {
    let of = |kind: Kind::Type| match geometry_type_flatten(kind) {
        Kind::wkbNone => Some(Geometry::None),
        Kind::wkbPoint | Kind::wkbMultiPoint => Some(Geometry::Of(GeometryNeed::Point, "point")),
        Kind::wkbLineString | Kind::wkbMultiLineString | Kind::wkbMultiCurve | Kind::wkbCompoundCurve => {
            Some(Geometry::Of(GeometryNeed::Line, "line"))
        }
        Kind::wkbPolygon | Kind::wkbMultiPolygon | Kind::wkbMultiSurface | Kind::wkbCurvePolygon => {
            Some(Geometry::Of(GeometryNeed::Polygon, "polygon"))
        }
        _ => None,
    };
    if let Some(stated) = of(layer.defn().geometry_type()) {
        return stated;
    }
    let mut found: Option<Geometry> = None;
    for feature in layer.features() {
        let Ok(geometry) = feature.geometry_by_index(0) else { continue };
        let next = of(geometry.geometry_type());
        found = match (found, next) {
            (None, Some(next)) => Some(next),
            (Some(Geometry::Of(a, name)), Some(Geometry::Of(b, _))) if a == b => Some(Geometry::Of(a, name)),
            _ => return Geometry::Mixed,
        };
    }
    found.unwrap_or(Geometry::Mixed)
}
