//! GPX: the waypoints, read without GDAL, whose XML library would follow what a document type names.
//!
//! Tracks and routes are not read: a line that somebody drove is not a road of the network.

use std::fs::File;
use std::io::BufReader;

use geo::Coord;
use quick_xml::events::BytesStart;

use super::crs::{self, ToWgs84};
use super::geometry::{self, Shape, Survey};
use super::guard::Input;
use super::points::number;
use super::raw::{Provenance, RawRow, RawTable, Value};
use super::sink::Sink;
use super::spec::GeometryNeed;
use super::xml::{self, Flaw, Visitor};
use super::{Job, columns, table};
use crate::error::{Error, Rule, shape};

/// What is read of a waypoint, by the names of the format (<https://www.topografix.com/GPX/1/1/>).
const FIELDS: [&str; 7] = ["name", "desc", "cmt", "sym", "type", "ele", "time"];

/// The layer as GDAL and QGIS call it.
const LAYER: &str = "waypoints";

/// Reads the waypoints.
pub(super) fn read(input: &Input, job: &Job<'_>, sink: &mut Sink<'_>) -> Result<RawTable, Error> {
    if matches!(job.need, GeometryNeed::Line | GeometryNeed::Polygon) {
        let fault = sink.fault(Rule::GeometryType).with("expected", geometry::expected(job.need));
        return Err(fault.with("found", LAYER).into());
    }
    if let Some(layer) = &job.spec.layer
        && layer != LAYER
    {
        return Err(sink.fault(Rule::LayerMissing).field(layer).with("allowed", LAYER).into());
    }
    let unusable = |detail: &str| Error::from(sink.fault(Rule::CrsUnusable).with("detail", detail));
    let system = crs::parse("EPSG:4326").ok_or_else(|| unusable("EPSG:4326"))?;
    if let Some(declared) = &job.spec.crs {
        // The format knows no other.
        let agrees = crs::parse(declared).is_some_and(|declared| crs::same(&declared, &system));
        if !agrees {
            return Err(unusable(&format!("EPSG:4326 != {}", super::environment::one_line(declared))));
        }
    }
    let to_wgs84 = ToWgs84::new(system)?.ok_or_else(|| unusable("EPSG:4326"))?;
    sink.set_layer(LAYER);
    let fields: Vec<String> = FIELDS.iter().map(|name| (*name).to_owned()).collect();
    columns::admit(&fields, *job.rules, sink).ok_or_else(table::refused)?;

    let file = File::open(&input.path).map_err(|source| Error::io(&input.path, source))?;
    let mut waypoints = Waypoints {
        job,
        sink,
        to_wgs84,
        path: Vec::new(),
        open: None,
        count: 0,
        survey: Survey::default(),
        rows: Vec::new(),
        stopped: false,
    };
    let read = xml::visit(BufReader::with_capacity(1 << 16, file), &mut waypoints);
    let Waypoints { count, survey, rows, to_wgs84, stopped, .. } = waypoints;
    if stopped {
        return Err(sink.fault(Rule::TooMany).with("limit", job.limits.max_records).into());
    }
    if let Err(flaw) = read {
        return Err(flaw.fault("", sink).into());
    }
    if count == 0 {
        return Err(sink.fault(Rule::NoRecords).into());
    }
    survey.finish(sink);
    Ok(RawTable {
        provenance: Provenance {
            source: job.name.to_owned(),
            file: input.shown.clone(),
            layer: Some(LAYER.to_owned()),
            driver: input.format.driver().to_owned(),
            crs: Some(to_wgs84.label),
            encoding: Some("utf-8".to_owned()),
            records: count,
            extent: survey.extent,
            ..Provenance::default()
        },
        fields,
        rows,
        ..RawTable::default()
    })
}

/// A waypoint of which the end has not come.
struct Open {
    /// Latitude and longitude as written.
    lat: String,
    lon: String,
    texts: [String; FIELDS.len()],
    /// The field whose text is being read.
    field: Option<usize>,
}

struct Waypoints<'a, 's, 'f> {
    job: &'a Job<'a>,
    sink: &'s mut Sink<'f>,
    to_wgs84: ToWgs84,
    /// Names of the elements around.
    path: Vec<String>,
    open: Option<Open>,
    count: u64,
    survey: Survey,
    rows: Vec<RawRow>,
    stopped: bool,
}

impl Visitor for Waypoints<'_, '_, '_> {
    fn start(&mut self, element: &BytesStart<'_>) -> Result<(), Flaw> {
        let name = element.local_name().as_ref().to_owned();
        let depth = self.path.len();
        if depth == 0 && name != "gpx" {
            return Err(format!("content: {}", super::environment::one_line(&name)).into());
        }
        if depth == 1 && name == "wpt" {
            self.count += 1;
            if self.count > self.job.limits.max_records {
                self.stopped = true;
                return Err(String::new().into());
            }
            let of = |name| xml::attribute(element, name).map(Option::unwrap_or_default);
            self.open =
                Some(Open { lat: of("lat")?, lon: of("lon")?, texts: Default::default(), field: None });
        }
        if let Some(open) = &mut self.open {
            open.field = (depth == 2).then(|| FIELDS.iter().position(|field| *field == name)).flatten();
        }
        self.path.push(name);
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), Flaw> {
        if let Some(open) = &mut self.open
            && let Some(kept) = open.field.and_then(|at| open.texts.get_mut(at))
            && kept.len() <= self.job.limits.max_field_bytes
        {
            kept.push_str(text);
        }
        Ok(())
    }

    fn end(&mut self, _name: &str) -> Result<(), Flaw> {
        self.path.pop();
        if let Some(open) = &mut self.open {
            open.field = None;
        }
        if self.path.len() == 1
            && let Some(open) = self.open.take()
        {
            self.close(&open);
        }
        Ok(())
    }
}

impl Waypoints<'_, '_, '_> {
    fn close(&mut self, open: &Open) {
        let row = self.count;
        let mut values = Vec::with_capacity(FIELDS.len());
        for (text, field) in open.texts.iter().zip(FIELDS) {
            let text = text.trim();
            if text.len() > self.job.limits.max_field_bytes {
                let detail = format!("field_bytes > {}", self.job.limits.max_field_bytes);
                let fault = self.sink.fault(Rule::RecordBroken).row(row).field(field);
                self.sink.push(fault.with("detail", detail));
                return;
            }
            values.push(match text {
                "" => Value::Null,
                text => match text.parse::<f64>() {
                    Ok(height) if field == "ele" && height.is_finite() => Value::Real(height),
                    _ => Value::Text(text.to_owned()),
                },
            });
        }
        let mut read = |text: &str, field: &str| match number(text.trim(), false) {
            Ok(number) => Some(number),
            Err(rule) => {
                let mut fault = self.sink.fault(rule).row(row).field(field);
                if !text.trim().is_empty() {
                    fault = fault.seen(shape(text.trim()));
                }
                self.sink.push(fault);
                None
            }
        };
        let (x, y) = (read(&open.lon, "lon"), read(&open.lat, "lat"));
        let (Some(x), Some(y)) = (x, y) else { return };
        let point = Shape::Points(vec![Coord { x, y }]);
        let need = GeometryNeed::Point;
        if let Some(point) = geometry::settle(point, need, &self.to_wgs84, row, &mut self.survey, self.sink) {
            self.rows.push(RawRow { layer: None, row, values, geometry: Some(point) });
        }
    }
}
