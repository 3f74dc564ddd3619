//! Every layer as others read it: by the schema of RFC 7946, by the `geojson` crate, by GEOS and GDAL.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail by panicking")]
#![allow(clippy::print_stdout, reason = "a test that is passed over, or that measures, says so")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use corredor::disclosure::Tier;
use corredor::layers::feature::{Feature, Lang, Layer, LayerDef};
use corredor::layers::manifest::Manifest;
use corredor::layers::report::Subject;
use corredor::layers::schema;
use corredor::layers::write::{ResultSet, write_result};
use geo::{Geometry, line_string, point, polygon};
use jsonschema::Validator;
use rstest::rstest;
use serde_json::{Value, json};
use support::{Answer, corredor, snapshot};

/// The environment that `scripts/setup test` makes, if shapely is in it.
fn python() -> Option<PathBuf> {
    let python = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("venv").join("bin/python");
    let has = Command::new(&python).args(["-c", "import shapely, pyogrio"]).output();
    if has.is_ok_and(|out| out.status.success()) {
        return Some(python);
    }
    assert!(std::env::var_os("CORREDOR_REQUIRE_ORACLES").is_none(), "shapely is missing");
    println!("skipped: shapely is missing");
    None
}

/// Runs `tests/geojson/check_layers.py`, which says what is wrong.
#[track_caller]
fn checked(words: &[&std::ffi::OsStr]) {
    let Some(python) = python() else { return };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/geojson/check_layers.py");
    let answer = Command::new(python).arg(script).args(words).output().unwrap();
    let [out, err] =
        [&answer.stdout, &answer.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    assert!(answer.status.success(), "{out}{err}");
}

fn rfc_7946() -> Validator {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schema/geojson.schema.json");
    let schema: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    jsonschema::draft202012::meta::validate(&schema).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

/// The layers below a folder, of which there must be some.
#[track_caller]
fn layers(root: &Path) -> Vec<PathBuf> {
    let found: Vec<PathBuf> =
        snapshot(root).keys().filter(|name| name.ends_with(".geojson")).map(|name| root.join(name)).collect();
    assert!(!found.is_empty());
    found
}

/// All that is looked for.
#[track_caller]
fn all_in_order(root: &Path) {
    let schema = rfc_7946();
    let layers = layers(root);
    for path in &layers {
        let text = fs::read_to_string(path).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        if let Err(fault) = schema.validate(&value) {
            panic!("{}: {fault} at {}", path.display(), fault.instance_path());
        }
        let parsed: geojson::FeatureCollection = text.parse().unwrap();
        assert_eq!(parsed.features.len(), value["features"].as_array().unwrap().len());
    }
    checked(&layers.iter().map(|path| path.as_os_str()).collect::<Vec<_>>());
}

#[test]
fn the_layers_of_the_demo_are_in_order_for_both_audiences() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("demo");
    Answer::of(corredor().args(["demo", "--draws", "20", "--out"]).arg(&out)).exits(0);
    for audience in ["restricted", "public"] {
        all_in_order(&out.join(audience));
    }
}

#[test]
fn the_reader_sees_every_fault_that_it_looks_for() {
    checked(&["--broken".as_ref()]);
}

fn feature(def: &LayerDef, id: &str, geometry: Option<Geometry<f64>>) -> Feature {
    let value = |name: &str| if ["id", "name"].contains(&name) { json!(id) } else { Value::Null };
    Feature { geometry, values: def.fields.iter().map(|field| value(field.name)).collect() }
}

/// Layers of each type of geometry around a place: points, lines and areas on either side of it and across, with holes,
/// wound both ways, in more decimals than are written, and without a place.
fn set(lon: f64, lat: f64) -> ResultSet {
    let around = |x: f64| if lon + x > 180.0 { lon + x - 360.0 } else { lon + x };
    let at = |x: f64, y: f64| geo::Coord { x: around(x), y: lat + y };
    let areas: Vec<Option<Geometry<f64>>> = vec![
        // Clockwise across the place, its hole counter-clockwise and across it too.
        Some(
            polygon! {
                exterior: [at(-0.5, -0.5), at(-0.5, 0.123_456_789), at(0.5, 0.123_456_789), at(0.5, -0.5)],
                interiors: [[at(-0.1, -0.3), at(0.1, -0.3), at(0.1, -0.1), at(-0.1, -0.1)]],
            }
            .into(),
        ),
        Some(polygon![at(-1.5, -0.5), at(-1.0, -0.5), at(-1.0, 0.5)].into()),
        Some(polygon![at(1.0, 0.25), at(1.5, 0.25), at(1.5, 0.5)].into()),
        // A triangle that touches the place with its tip.
        Some(polygon![at(-0.9, 0.6), at(0.0, 0.7), at(-0.9, 0.8)].into()),
        None,
    ];
    let lines: Vec<Option<Geometry<f64>>> = vec![
        Some(line_string![at(-1.0, 0.0), at(0.3, 0.4), at(-0.2, 0.6), at(0.000_000_04, 0.7)].into()),
        Some(line_string![at(-1.0, 0.1), at(-0.5, 0.1)].into()),
        None,
    ];
    let points = [(-1.2, 0.4), (0.7, -0.3), (0.0, 0.0)]
        .map(|(x, y)| Some(Geometry::Point(point! { x: around(x), y: lat + y })));
    let layer = |def: &'static LayerDef, geometries: Vec<Option<Geometry<f64>>>| Layer {
        def,
        features: geometries.into_iter().zip(1..).map(|(g, n)| feature(def, &format!("x{n}"), g)).collect(),
    };
    ResultSet {
        layers: vec![
            layer(&schema::MUNICIPALITIES, areas),
            layer(&schema::ROADS, lines),
            layer(&schema::CROSSINGS, points.to_vec()),
            layer(&schema::CHECKPOINTS, vec![]),
        ],
        manifest: Manifest::new("prueba", Tier::Restricted, Lang::Es),
        signed_off: None,
        notices: vec![],
        attributions: vec![],
        subject: Subject::default(),
        lang: Lang::Es,
        audience: Tier::Restricted,
    }
}

#[rstest]
#[case::at_the_antimeridian(180.0, -17.0, true)]
#[case::east_of_it(-178.3, -17.0, false)]
#[case::in_the_southern_hemisphere(-58.4, -34.6, false)]
#[case::at_the_equator_and_greenwich(0.0, 0.0, false)]
fn layers_of_other_parts_of_the_world_are_in_order(#[case] lon: f64, #[case] lat: f64, #[case] cut: bool) {
    let dir = tempfile::tempdir().unwrap();
    write_result(dir.path(), &set(lon, lat)).unwrap();
    all_in_order(dir.path());
    for name in ["municipalities", "roads", "crossings"] {
        let layer = support::layer(dir.path(), name);
        let bbox = layer["bbox"].as_array().unwrap();
        assert_eq!(bbox[0].as_f64() > bbox[2].as_f64(), cut, "{name}: {bbox:?}");
    }
    let parts = |name: &str| {
        support::layer(dir.path(), name)["features"][0]["geometry"]["coordinates"].as_array().unwrap().len()
    };
    assert_eq!((parts("municipalities") > 1, parts("roads") > 1), (cut, cut));
}

#[test]
fn the_schema_takes_what_the_standard_shows_and_refuses_what_it_forbids() {
    let schema = rfc_7946();
    let point = json!({ "type": "Point", "coordinates": [100.0, 0.0] });
    let ring = json!([[0, 0], [1, 0], [1, 1], [0, 0]]);
    let feature = |geometry: &Value| json!({ "type": "Feature", "geometry": geometry, "properties": null });
    // The types of section 3 and the examples of appendix A.
    for sound in [
        point.clone(),
        json!({ "type": "Point", "coordinates": [100.0, 0.0, -12.5] }),
        json!({ "type": "MultiPoint", "coordinates": [[100.0, 0.0], [101.0, 1.0]] }),
        json!({ "type": "LineString", "coordinates": [[100.0, 0.0], [101.0, 1.0]] }),
        json!({ "type": "MultiLineString", "coordinates": [[[100.0, 0.0], [101.0, 1.0]]] }),
        json!({ "type": "Polygon", "coordinates": [ring] }),
        json!({ "type": "MultiPolygon", "coordinates": [[ring, ring]] }),
        json!({ "type": "GeometryCollection", "geometries": [point] }),
        feature(&point),
        feature(&Value::Null),
        json!({ "type": "Feature", "id": 7, "geometry": null, "properties": { "a": [1] }, "bbox": [177, -20, -178, -16] }),
        json!({ "type": "FeatureCollection", "features": [feature(&point)], "bbox": [100, 0, -100, 105, 1, 0], "name": "x" }),
        json!({ "type": "FeatureCollection", "features": [] }),
    ] {
        assert!(schema.is_valid(&sound), "{sound}");
    }
    for broken in [
        json!([]),
        json!({ "type": "Circle", "coordinates": [0, 0] }),
        json!({ "type": "Point" }),
        json!({ "type": "Point", "coordinates": [0] }),
        json!({ "type": "Point", "coordinates": [0, 0, 0, 0] }),
        json!({ "type": "Point", "coordinates": ["0", 0] }),
        json!({ "type": "Point", "coordinates": [181, 0] }),
        json!({ "type": "Point", "coordinates": [0, 91] }),
        json!({ "type": "Point", "coordinates": [[0, 0]] }),
        json!({ "type": "Point", "coordinates": [0, 0], "crs": null }),
        json!({ "type": "Point", "coordinates": [0, 0], "properties": {} }),
        json!({ "type": "LineString", "coordinates": [[0, 0]] }),
        json!({ "type": "Polygon", "coordinates": [] }),
        json!({ "type": "Polygon", "coordinates": [[[0, 0], [1, 0], [0, 0]]] }),
        json!({ "type": "MultiPolygon", "coordinates": [ring] }),
        json!({ "type": "GeometryCollection", "coordinates": [] }),
        json!({ "type": "Feature", "geometry": point }),
        json!({ "type": "Feature", "properties": null }),
        json!({ "type": "Feature", "id": true, "geometry": null, "properties": null }),
        json!({ "type": "Feature", "geometry": null, "properties": [] }),
        json!({ "type": "Feature", "geometry": null, "properties": null, "coordinates": [0, 0] }),
        json!({ "type": "Feature", "geometry": null, "properties": null, "bbox": [0, 0, 1] }),
        json!({ "type": "FeatureCollection" }),
        json!({ "type": "FeatureCollection", "features": [point] }),
        json!({ "type": "FeatureCollection", "features": [], "bbox": [0, 0, 1, 1, 2] }),
        json!({ "type": "FeatureCollection", "features": [], "bbox": [0, -91, 1, 1] }),
        json!({ "type": "FeatureCollection", "features": [], "crs": { "type": "name" } }),
        json!({ "type": "FeatureCollection", "features": [], "properties": {} }),
        json!({ "type": "FeatureCollection", "features": [{ "type": "Feature", "geometry": null, "properties": null, "crs": 1 }] }),
    ] {
        assert!(!schema.is_valid(&broken), "{broken}");
    }
}
