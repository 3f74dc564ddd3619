//! GeoJSON, GeoPackage, shapefile and `FlatGeobuf` through GDAL, one layer at a time.

use std::collections::BTreeMap;

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
use crate::error::{Error, Rule, shape};

/// Tables in which QGIS and GDAL keep styles and projects; never meant where no layer is named.
const NOT_DATA: [&str; 2] = ["layer_styles", "qgis_projects"];

/// Who takes the features of a layer one by one.
pub(super) trait Consumer {
    /// Looks at the names of the fields and gives those to read, in the order in which
    /// [`Consumer::feature`] gets them.
    fn header(&mut self, fields: &[String], sink: &mut Sink<'_>) -> Result<Vec<usize>, Error>;

    /// Takes one feature: `row` is its number from 1.
    fn feature(
        &mut self,
        row: u64,
        values: Vec<Value>,
        geometry: Option<geo::Geometry<f64>>,
        sink: &mut Sink<'_>,
    ) -> Result<(), Error>;
}

/// What was seen of a layer that was scanned.
pub(super) struct Scanned {
    /// Name of the layer.
    pub(super) layer: String,
    /// CRS, where geometry was read.
    pub(super) crs: Option<String>,
    /// Encoding of the text, in lower case.
    pub(super) encoding: String,
    /// Features, those with faults too.
    pub(super) records: u64,
    /// West, south, east, north in degrees.
    pub(super) extent: Option<[f64; 4]>,
    /// Features outside the study's box.
    pub(super) outside: u64,
}

impl Scanned {
    /// Where the table came from; hash and size are filled in by [`super::read`].
    pub(super) fn provenance(self, input: &Input, job: &Job<'_>) -> Provenance {
        Provenance {
            source: job.name.to_owned(),
            file: input.shown.clone(),
            layer: Some(self.layer),
            driver: input.format.driver().to_owned(),
            crs: self.crs,
            encoding: Some(self.encoding),
            preset: job.spec.preset.map(super::Preset::name),
            records: self.records,
            extent: self.extent,
            dropped: (self.outside > 0).then_some(("outside_bbox", self.outside)).into_iter().collect(),
            ..Provenance::default()
        }
    }
}

/// Reads one layer whole.
pub(super) fn read(input: &Input, job: &Job<'_>, sink: &mut Sink<'_>) -> Result<RawTable, Error> {
    let opened = open(input, job, sink)?;
    let mut layer = opened.find_layer(job, sink)?;
    let mut whole = Whole { rules: job.rules, fields: Vec::new(), rows: Vec::new() };
    let scanned = opened.scan(&mut layer, job, job.need, sink, &mut whole)?;
    if scanned.records == 0 {
        table::no_records(job, sink)?;
    }
    Ok(RawTable {
        provenance: scanned.provenance(input, job),
        fields: whole.fields,
        rows: whole.rows,
        ..RawTable::default()
    })
}

/// Keeps every feature.
struct Whole<'a> {
    rules: &'a super::ColumnRules,
    fields: Vec<String>,
    rows: Vec<RawRow>,
}

impl Consumer for Whole<'_> {
    fn header(&mut self, fields: &[String], sink: &mut Sink<'_>) -> Result<Vec<usize>, Error> {
        let kept = columns::admit(fields, *self.rules, sink).ok_or_else(table::refused)?;
        self.fields = kept.iter().filter_map(|i| fields.get(*i).cloned()).collect();
        Ok(kept)
    }

    fn feature(
        &mut self,
        row: u64,
        values: Vec<Value>,
        geometry: Option<geo::Geometry<f64>>,
        _sink: &mut Sink<'_>,
    ) -> Result<(), Error> {
        self.rows.push(RawRow { layer: None, row, values, geometry });
        Ok(())
    }
}

/// Hands the records of a layer's table to a consumer of text, for formats that are tables as well as maps.
pub(super) fn scan_text(
    input: &Input,
    job: &Job<'_>,
    sink: &mut Sink<'_>,
    consumer: &mut dyn table::Consumer,
) -> Result<Scanned, Error> {
    let opened = open(input, job, sink)?;
    let mut layer = opened.find_layer(job, sink)?;
    let scanned = opened.scan(&mut layer, job, GeometryNeed::None, sink, &mut AsText { consumer })?;
    if scanned.records == 0 {
        table::no_records(job, sink)?;
    }
    Ok(scanned)
}

/// Gives each feature on as texts.
struct AsText<'a> {
    consumer: &'a mut dyn table::Consumer,
}

impl Consumer for AsText<'_> {
    fn header(&mut self, fields: &[String], sink: &mut Sink<'_>) -> Result<Vec<usize>, Error> {
        self.consumer.header(&table::Head { fields, decimal_comma: false }, sink)
    }

    fn feature(
        &mut self,
        row: u64,
        values: Vec<Value>,
        _geometry: Option<geo::Geometry<f64>>,
        sink: &mut Sink<'_>,
    ) -> Result<(), Error> {
        let texts: Vec<String> = values.iter().map(|value| value.text().unwrap_or_default()).collect();
        if texts.first().is_some_and(|first| !self.consumer.wants(first)) {
            return Ok(());
        }
        self.consumer.record(row, &texts, sink)
    }
}

/// A file that GDAL has opened.
pub(super) struct Opened<'a> {
    dataset: Dataset,
    text: TextOf,
    input: &'a Input,
}

/// Opens a file with the one driver of its format.
pub(super) fn open<'a>(input: &'a Input, job: &Job<'_>, sink: &mut Sink<'_>) -> Result<Opened<'a>, Error> {
    environment::quiet();
    environment::forget();
    let text = text_of(input, job, sink)?;
    let mut options: Vec<String> = match input.format {
        Format::GeoJson => ["DATE_AS_STRING=YES", "ARRAY_AS_STRING=YES"].map(str::to_owned).into(),
        Format::GeoPackage => vec!["IMMUTABLE=YES".to_owned()],
        Format::FlatGeobuf => vec!["VERIFY_BUFFERS=YES".to_owned()],
        _ => Vec::new(),
    };
    if matches!(input.format, Format::Shapefile | Format::Dbf) {
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
        Error::from(sink.fault(Rule::OpenFailed).foreign(without_path(&detail, input)))
    })?;
    Ok(Opened { dataset, text, input })
}

impl Opened<'_> {
    /// The layer that the study names, or the only one with data; its name is set in all faults that follow.
    pub(super) fn find_layer(&self, job: &Job<'_>, sink: &mut Sink<'_>) -> Result<Layer<'_>, Error> {
        let layer = find_layer(&self.dataset, self.input, job, sink)?;
        sink.set_layer(&layer.name());
        Ok(layer)
    }

    /// The first layer that has one of these names, without regard to case.
    pub(super) fn named(&self, names: &[&str]) -> Option<Layer<'_>> {
        let by = |layer: &Layer<'_>| names.iter().any(|name| layer.name().eq_ignore_ascii_case(name));
        self.dataset.layers().find(by)
    }

    /// The layers that hold data.
    pub(super) fn data_layers(&self) -> impl Iterator<Item = Layer<'_>> {
        self.dataset.layers().filter(|layer| !NOT_DATA.contains(&layer.name().as_str()))
    }

    /// The only layer whose name fits.
    pub(super) fn matching(&self, fits: impl Fn(&str) -> bool) -> Option<Layer<'_>> {
        let mut fitting = self.dataset.layers().filter(|layer| fits(&layer.name()));
        fitting.next().filter(|_| fitting.next().is_none())
    }

    /// Hands the features of a layer to `consumer`, in the order of the file, with geometry of the type that is
    /// needed. A layer without features is none of this function's business.
    pub(super) fn scan(
        &self,
        layer: &mut Layer<'_>,
        job: &Job<'_>,
        need: GeometryNeed,
        sink: &mut Sink<'_>,
        consumer: &mut dyn Consumer,
    ) -> Result<Scanned, Error> {
        scan_layer(layer, self.input, &Job { need, ..*job }, &self.text, sink, consumer)
    }
}

/// What is known of the text before GDAL reads it.
struct TextOf {
    encoding: &'static str,
    /// Records that are not deleted, where the table of a shapefile states it.
    records: Option<u64>,
    /// By row and field: what stands in a table of dBASE instead of a number.
    broken: BTreeMap<(u64, usize), String>,
}

/// The encoding of a shapefile's table: declared in the study, or in the `.cpg`, or detected. The other
/// formats are UTF-8 by definition.
fn text_of(input: &Input, job: &Job<'_>, sink: &Sink<'_>) -> Result<TextOf, Error> {
    let wrong = |label: &str| Error::from(sink.fault(Rule::EncodingWrong).with("encoding", label));
    if !matches!(input.format, Format::Shapefile | Format::Dbf) {
        return match job.spec.encoding.as_deref() {
            Some(label) if text::find(label) != Some(encoding_rs::UTF_8) => Err(wrong(label)),
            _ => Ok(TextOf { encoding: "UTF-8", records: None, broken: BTreeMap::new() }),
        };
    }
    let own = (input.format == Format::Dbf).then_some(input.path.as_path());
    let (Some(table), cpg) = (own.or_else(|| input.companion("dbf")), input.companion("cpg")) else {
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
    // Nobody says otherwise, and there is text that ASCII has not.
    if let (None, Some(dos)) = (&label, header.dos)
        && survey.census.is_not_utf8()
    {
        return Err(wrong(dos));
    }
    let encoding =
        survey.census.decide(label.as_deref()).map_err(|label| wrong(&environment::one_line(&label)))?;
    if survey.census.contradicts(encoding) {
        return Err(wrong(&encoding.name().to_ascii_lowercase()));
    }
    let records = u64::from(header.records).saturating_sub(survey.deleted);
    Ok(TextOf { encoding: encoding.name(), records: Some(records), broken: survey.broken })
}

/// Messages of GDAL begin with the full path, which says nothing that the fault does not.
fn without_path(detail: &str, input: &Input) -> String {
    let name = input.path.file_name().unwrap_or_default().to_string_lossy();
    let detail = detail.replace(&*input.path.to_string_lossy(), &name);
    // The value itself ends the message.
    detail.split(" for '").next().unwrap_or_default().to_owned()
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
    if job.plane {
        return Ok(ToWgs84::plane());
    }
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

fn scan_layer(
    layer: &mut Layer<'_>,
    input: &Input,
    job: &Job<'_>,
    text: &TextOf,
    sink: &mut Sink<'_>,
    consumer: &mut dyn Consumer,
) -> Result<Scanned, Error> {
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
    let columns: Vec<Column> = consumer
        .header(&names, sink)?
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

    let mut survey = Survey::default();
    let (mut count, mut outside) = (0, 0);
    environment::forget();
    for feature in layer.features() {
        count += 1;
        if count > job.limits.max_records {
            return Err(sink.fault(Rule::TooMany).with("limit", job.limits.max_records).into());
        }
        let values = values(&feature, &columns, count, job, text, sink);
        let island = job.islands && !feature.geometry_by_index(0).is_ok_and(|found| !found.is_empty());
        if island {
            environment::forget();
            sink.at(Rule::AreaWithoutPolygon, count);
        }
        let geometry = match &to_wgs84 {
            Some(_) if island => None,
            Some(to_wgs84) => geometry(&feature, job, to_wgs84, count, &mut survey, sink),
            None => None,
        };
        if survey.vertices > job.limits.max_vertices {
            return Err(sink.fault(Rule::TooMany).with("limit", job.limits.max_vertices).into());
        }
        if let (Some(bbox), Some(geometry)) = (job.spec.bbox, &geometry)
            && !geometry::meets(geometry, bbox)
        {
            outside += 1;
            environment::forget();
            continue;
        }
        if let Some(message) = environment::failure() {
            // GDAL reads ahead in GeoJSON: what it complains of may stand in any later feature.
            let fault = sink.fault(Rule::RecordBroken);
            let fault = if input.format == Format::GeoJson { fault } else { fault.row(count) };
            sink.push(fault.foreign(without_path(&message, input)));
        } else if let Some(values) = values
            && (geometry.is_some() || to_wgs84.is_none() || island)
        {
            consumer.feature(count, values, geometry, sink)?;
        }
    }
    // Where a file breaks off, the loop only ends.
    if let Some(message) = environment::failure() {
        let fault = sink.fault(Rule::RecordBroken).foreign(without_path(&message, input));
        sink.push(fault);
    } else if let Some(stated) = stated
        && stated != count
    {
        let fault = sink.fault(Rule::RecordBroken).with("detail", format!("records: {count} of {stated}"));
        sink.push(fault);
    }
    survey.finish(sink);
    Ok(Scanned {
        layer: layer.name(),
        crs: to_wgs84.map(|to_wgs84| to_wgs84.label),
        encoding: text.encoding.to_ascii_lowercase(),
        records: count,
        extent: survey.extent,
        outside,
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
        if let Some(seen) = text.broken.get(&(row, column.index)) {
            sink.push(sink.fault(Rule::NotANumber).row(row).field(&column.name).seen(shape(seen)));
            continue;
        }
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
    if job.need != GeometryNeed::Polygon || found.is_valid() {
        return geometry::settle(Shape::of(found), job.need, to_wgs84, row, survey, sink);
    }
    // What GEOS says of it is told by the rule.
    environment::forget();
    // The checks of positions and rings stand before the repair, which would hide what they find.
    geometry::settle(Shape::of(found), job.need, to_wgs84, row, &mut Survey::default(), sink)?;
    let repaired = geometry::repair(found);
    environment::forget();
    let Some((shape, change)) = repaired else {
        sink.at(Rule::PolygonInvalid, row);
        return None;
    };
    let fault = sink.fault(Rule::PolygonRepaired).row(row);
    sink.push(fault.with("change", format!("{:.4} %", change * 100.0)));
    geometry::settle(shape, job.need, to_wgs84, row, survey, sink)
}
