//! GeoJSON, GeoPackage, shapefile and `FlatGeobuf` through GDAL, one layer at a time.

use gdal::spatial_ref::SpatialRef;
use gdal::vector::{Feature, Layer, LayerAccess as _, OGRFieldType as Type, OGRwkbGeometryType as Kind};
use gdal::{Dataset, DatasetOptions, GdalOpenFlags};

use super::crs::{self, ToWgs84};
use super::geometry::{self, Shape, Survey};
use super::guard::{Format, Input};
use super::raw::{Provenance, RawRow, RawTable, Value};
use super::sink::Sink;
use super::spec::GeometryNeed;
use super::{Job, columns, dbf, environment, table, text};
use crate::error::{Error, Rule};

/// Tables in which QGIS and GDAL keep styles and projects; never meant where no layer is named.
const NOT_DATA: [&str; 2] = ["layer_styles", "qgis_projects"];

/// Reads one layer whole.
pub(super) fn read(input: &Input, job: &Job<'_>, sink: &mut Sink<'_>) -> Result<RawTable, Error> {
    environment::quiet();
    environment::forget();
    let text = text_of(input, job, sink)?;
    let mut options: Vec<String> = match input.format {
        Format::GeoJson => ["DATE_AS_STRING=YES", "ARRAY_AS_STRING=YES"].map(str::to_owned).into(),
        Format::GeoPackage => vec!["IMMUTABLE=YES".to_owned()],
        Format::FlatGeobuf => vec!["VERIFY_BUFFERS=YES".to_owned()],
        Format::Shapefile | Format::Csv => Vec::new(),
    };
    if input.format == Format::Shapefile {
        options.push(format!("ENCODING={}", text.encoding));
    }
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let opened = Dataset::open_ex(
        &input.path,
        DatasetOptions {
            open_flags: GdalOpenFlags::GDAL_OF_VECTOR
                | GdalOpenFlags::GDAL_OF_READONLY
                | GdalOpenFlags::GDAL_OF_VERBOSE_ERROR,
            allowed_drivers: Some(&[input.format.driver()]),
            open_options: Some(&options),
            sibling_files: None,
        },
    );
    let dataset = opened.map_err(|error| {
        let detail = environment::failure().unwrap_or_else(|| environment::one_line(&error.to_string()));
        Error::from(sink.fault(Rule::OpenFailed).with("detail", without_path(&detail, input)))
    })?;
    let mut layer = find_layer(&dataset, input, job, sink)?;
    let name = layer.name();
    sink.set_layer(&name);
    let mut table = read_layer(&mut layer, input, job, &text, sink)?;
    table.provenance.layer = Some(name);
    Ok(table)
}

/// What is known of the text before GDAL reads it.
struct TextOf {
    encoding: &'static str,
    /// Records that are not deleted, where the table of a shapefile states it.
    records: Option<u64>,
}

/// The encoding of a shapefile's table: declared in the study, or in the `.cpg`, or detected. The other
/// formats are UTF-8 by definition.
fn text_of(input: &Input, job: &Job<'_>, sink: &Sink<'_>) -> Result<TextOf, Error> {
    let wrong = |label: &str| Error::from(sink.fault(Rule::EncodingWrong).with("encoding", label));
    if input.format != Format::Shapefile {
        return match job.spec.encoding.as_deref() {
            Some(label) if text::find(label) != Some(encoding_rs::UTF_8) => Err(wrong(label)),
            _ => Ok(TextOf { encoding: "UTF-8", records: None }),
        };
    }
    let (Some(table), cpg) = (input.companion("dbf"), input.companion("cpg")) else {
        return Err(sink.fault(Rule::OpenFailed).with("detail", "missing: .dbf").into());
    };
    let Some(header) = dbf::header(table)? else {
        return Err(sink.fault(Rule::OpenFailed).with("detail", "content: .dbf").into());
    };
    let survey = dbf::survey(table, &header)?;
    let label = match (&job.spec.encoding, cpg) {
        (Some(label), _) => Some(label.clone()),
        (None, Some(cpg)) => {
            let label = text::read_text(cpg, 1024).ok().map(|label| label.trim().to_owned());
            label.filter(|label| !label.is_empty())
        }
        (None, None) => None,
    };
    let encoding =
        survey.census.decide(label.as_deref()).map_err(|label| wrong(&environment::one_line(&label)))?;
    if survey.census.contradicts(encoding) {
        return Err(wrong(&encoding.name().to_ascii_lowercase()));
    }
    let records = u64::from(header.records).saturating_sub(survey.deleted);
    Ok(TextOf { encoding: encoding.name(), records: Some(records) })
}

/// Messages of GDAL begin with the full path, which says nothing that the fault does not.
fn without_path(detail: &str, input: &Input) -> String {
    let name = input.path.file_name().unwrap_or_default().to_string_lossy();
    detail.replace(&*input.path.to_string_lossy(), &name)
}

fn find_layer<'d>(
    dataset: &'d Dataset,
    input: &Input,
    job: &Job<'_>,
    sink: &Sink<'_>,
) -> Result<Layer<'d>, Error> {
    let names: Vec<String> = dataset.layers().map(|layer| layer.name()).collect();
    let found = if let Some(wanted) = &job.spec.layer {
        // GDAL names the layer of a GeoJSON file after one of its members; users name it after the file.
        let single = names.len() == 1 && input.format != Format::GeoPackage && *wanted == input.stem();
        let by = |same: &dyn Fn(&String) -> bool| names.iter().position(same);
        by(&|name| name == wanted)
            .or_else(|| by(&|name| name.eq_ignore_ascii_case(wanted)))
            .or(single.then_some(0))
    } else {
        let mut data = names.iter().enumerate().filter(|(_, name)| !NOT_DATA.contains(&name.as_str()));
        data.next().filter(|_| data.next().is_none()).map(|(i, _)| i)
    };
    found.and_then(|i| dataset.layer(i).ok()).ok_or_else(|| {
        let mut fault =
            sink.fault(Rule::LayerMissing).with("allowed", environment::one_line(&names.join(", ")));
        if let Some(wanted) = &job.spec.layer {
            fault = fault.field(wanted);
        }
        fault.into()
    })
}

/// The way to WGS 84 from what the layer and the study say.
fn projection(layer: &Layer<'_>, format: Format, job: &Job<'_>, sink: &Sink<'_>) -> Result<ToWgs84, Error> {
    let unusable = |detail: String| Error::from(sink.fault(Rule::CrsUnusable).with("detail", detail));
    let declared = match &job.spec.crs {
        Some(text) => Some(crs::parse(text).ok_or_else(|| unusable(environment::one_line(text)))?),
        None => None,
    };
    let found = layer.spatial_ref().filter(crs::is_defined).map(crs::ordered);
    let system: SpatialRef = match (found, declared) {
        (Some(found), Some(declared)) if !crs::same(&found, &declared) => {
            return Err(unusable(format!("{} != {}", crs::label(&found), crs::label(&declared))));
        }
        (_, Some(declared)) => declared,
        (Some(found), None) => found,
        // RFC 7946: always WGS 84.
        (None, None) if format == Format::GeoJson => {
            crs::parse("EPSG:4326").ok_or_else(|| Error::Environment("PROJ: EPSG:4326".to_owned()))?
        }
        (None, None) => return Err(unusable("none".to_owned())),
    };
    let label = crs::label(&system);
    ToWgs84::new(system)?.ok_or_else(|| unusable(label))
}

/// A column that is kept.
struct Column {
    index: usize,
    name: String,
    kind: Type::Type,
}

fn read_layer(
    layer: &mut Layer<'_>,
    input: &Input,
    job: &Job<'_>,
    text: &TextOf,
    sink: &mut Sink<'_>,
) -> Result<RawTable, Error> {
    let (names, kinds): (Vec<String>, Vec<Type::Type>) =
        layer.defn().fields().map(|field| (field.name(), field.field_type())).unzip();
    if names.len() > job.limits.max_columns {
        return Err(sink.fault(Rule::TooMany).with("limit", job.limits.max_columns).into());
    }
    if names.iter().any(|name| name.contains('\u{fffd}')) {
        return Err(sink
            .fault(Rule::EncodingWrong)
            .with("encoding", text.encoding.to_ascii_lowercase())
            .into());
    }
    let kept = columns::admit(&names, *job.rules, sink).ok_or_else(table::refused)?;
    let columns: Vec<Column> = kept
        .into_iter()
        .filter_map(|index| Some(Column { index, name: names.get(index)?.clone(), kind: *kinds.get(index)? }))
        .collect();
    let to_wgs84 = if job.need == GeometryNeed::None {
        None
    } else if layer.defn().geometry_type() == Kind::wkbNone {
        let fault = sink.fault(Rule::GeometryType).with("expected", geometry::expected(job.need));
        return Err(fault.with("found", "none").into());
    } else {
        Some(projection(layer, input.format, job, sink)?)
    };
    let stated = text.records.or_else(|| layer.try_feature_count());

    let mut rows = Vec::new();
    let mut survey = Survey::default();
    let mut count = 0;
    environment::forget();
    for feature in layer.features() {
        count += 1;
        if count > job.limits.max_records {
            return Err(sink.fault(Rule::TooMany).with("limit", job.limits.max_records).into());
        }
        let values = values(&feature, &columns, count, job, text, sink);
        let geometry = match &to_wgs84 {
            Some(to_wgs84) => geometry(&feature, job, to_wgs84, count, &mut survey, sink),
            None => None,
        };
        if survey.vertices > job.limits.max_vertices {
            return Err(sink.fault(Rule::TooMany).with("limit", job.limits.max_vertices).into());
        }
        if let Some(message) = environment::failure() {
            let fault = sink.fault(Rule::RecordBroken).row(count);
            sink.push(fault.with("detail", without_path(&message, input)));
        } else if let Some(values) = values
            && (geometry.is_some() || to_wgs84.is_none())
        {
            rows.push(RawRow { row: count, values, geometry });
        }
    }
    // Where a file breaks off, the loop only ends.
    if let Some(message) = environment::failure() {
        let fault = sink.fault(Rule::RecordBroken).with("detail", without_path(&message, input));
        sink.push(fault);
    } else if let Some(stated) = stated
        && stated != count
    {
        let fault = sink.fault(Rule::RecordBroken).with("detail", format!("records: {count} of {stated}"));
        sink.push(fault);
    }
    if count == 0 {
        return Err(sink.fault(Rule::NoRecords).into());
    }
    survey.finish(sink);
    Ok(RawTable {
        provenance: Provenance {
            source: job.name.to_owned(),
            file: job.spec.path.clone(),
            driver: input.format.driver().to_owned(),
            crs: to_wgs84.map(|to_wgs84| to_wgs84.label),
            encoding: Some(text.encoding.to_ascii_lowercase()),
            records: count,
            extent: survey.extent,
            ..Provenance::default()
        },
        fields: columns.into_iter().map(|column| column.name).collect(),
        rows,
        ..RawTable::default()
    })
}

/// The values of a feature, or a fault for each that cannot be read.
fn values(
    feature: &Feature<'_>,
    columns: &[Column],
    row: u64,
    job: &Job<'_>,
    text: &TextOf,
    sink: &mut Sink<'_>,
) -> Option<Vec<Value>> {
    let mut values = Vec::with_capacity(columns.len());
    for column in columns {
        let value = value(feature, column);
        let fault = match &value {
            None => sink.fault(Rule::RecordBroken).with("detail", "value"),
            Some(Value::Text(text)) if text.len() > job.limits.max_field_bytes => sink
                .fault(Rule::RecordBroken)
                .with("detail", format!("field_bytes > {}", job.limits.max_field_bytes)),
            Some(Value::Text(value)) if value.contains('\u{fffd}') => {
                sink.fault(Rule::EncodingWrong).with("encoding", text.encoding.to_ascii_lowercase())
            }
            Some(_) => {
                values.extend(value);
                continue;
            }
        };
        sink.push(fault.row(row).field(&column.name));
    }
    (values.len() == columns.len()).then_some(values)
}

/// One value; `None` if GDAL cannot give it.
///
/// GDAL knows a field that is null from one that was never set, such as a property that a GeoJSON feature
/// leaves out; asked for a number, it answers 0 for the latter. Only its text tells it apart from a real 0.
fn value(feature: &Feature<'_>, column: &Column) -> Option<Value> {
    let text = || feature.field_as_string(column.index).ok().map(Option::unwrap_or_default);
    match column.kind {
        Type::OFTInteger | Type::OFTInteger64 => match feature.field_as_integer64(column.index).ok()? {
            None => Some(Value::Null),
            Some(0) if text()?.is_empty() => Some(Value::Null),
            Some(number) => Some(Value::Integer(number)),
        },
        Type::OFTReal => match feature.field_as_double(column.index).ok()? {
            None => Some(Value::Null),
            // Zero as GDAL gives it is exact.
            Some(number) if number.to_bits() == 0 && text()?.is_empty() => Some(Value::Null),
            Some(number) => Some(Value::Real(number)),
        },
        Type::OFTBinary => Some(Value::Null),
        kind => {
            let mut text = text()?;
            if matches!(kind, Type::OFTDate | Type::OFTDateTime) {
                text = text.replace('/', "-");
                // FlatGeobuf has no type for a date, so that a day comes back as its midnight.
                if let Some(day) = text.strip_suffix(" 00:00:00") {
                    text.truncate(day.len());
                }
            }
            Some(if text.is_empty() { Value::Null } else { Value::Text(text) })
        }
    }
}

fn geometry(
    feature: &Feature<'_>,
    job: &Job<'_>,
    to_wgs84: &ToWgs84,
    row: u64,
    survey: &mut Survey,
    sink: &mut Sink<'_>,
) -> Option<geo::Geometry<f64>> {
    let Some(found) = feature.geometry_by_index(0).ok().filter(|geometry| !geometry.is_empty()) else {
        sink.at(Rule::GeometryEmpty, row);
        return None;
    };
    let settled = geometry::settle(Shape::of(found), job.need, to_wgs84, row, survey, sink)?;
    if job.need == GeometryNeed::Polygon && !found.is_valid() {
        sink.at(Rule::PolygonInvalid, row);
        // What GEOS says of it is told by the rule.
        environment::forget();
        return None;
    }
    Some(settled)
}
