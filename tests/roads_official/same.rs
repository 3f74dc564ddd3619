//! The same roads in three formats and two systems of coordinates give the same network and the same scores.

use std::collections::BTreeMap;

use corredor::cli::config;
use corredor::cli::engine::{self, Loaded};
use corredor::cli::progress::Progress;
use corredor::layers::feature::Lang;
use geo::{Distance as _, Geodesic, Point};
use serde_json::{Value, json};

use super::generator::maps::{self, Layer, System};
use super::support::{self, Answer, Study, corredor};

/// Columns of the file and what the table calls them.
const COLUMNS: [(&str, &str); 10] = [
    ("CLAVE", "id"),
    ("RUTA", "ref"),
    ("CLASE", "class"),
    ("SUPERF", "surface"),
    ("CUOTA", "toll"),
    ("SENTIDO", "oneway"),
    ("VEL", "speed_kmh"),
    ("LARGO_KM", "length_km"),
    ("REGION", "region"),
    ("ESQUEMA", "schematic"),
];

/// Moves a position by less than a metre, equal ones equally: so that it has nine decimals, as surveys have.
fn moved(value: &Value) -> f64 {
    let degrees = value.as_f64().unwrap();
    let offset = (degrees * 12_345.678).sin() * 5e-6;
    ((degrees + offset) * 1e9).round() / 1e9
}

/// The roads of the embedded study under other names.
fn roads(study: &Study) -> Layer {
    let whole: Value = serde_json::from_str(&study.text("roads.geojson")).unwrap();
    let mut layer = Layer::lines("caminos", &COLUMNS.map(|(name, _)| name), &[]);
    for feature in whole["features"].as_array().unwrap() {
        let value = |(_, key): &(&str, &str)| match &feature["properties"][*key] {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        };
        let points: Vec<String> = feature["geometry"]["coordinates"]
            .as_array()
            .unwrap()
            .iter()
            .map(|c| format!("{} {}", moved(&c[0]), moved(&c[1])))
            .collect();
        layer.push(COLUMNS.iter().map(value).collect(), Some(format!("LINESTRING ({})", points.join(","))));
    }
    layer
}

fn geojson(layer: &Layer) -> String {
    let features: Vec<Value> = layer
        .sheet
        .rows
        .iter()
        .zip(&layer.shapes)
        .map(|(row, shape)| {
            let properties: BTreeMap<&String, &String> = layer.sheet.header.iter().zip(row).collect();
            let wkt = shape.as_deref().unwrap().trim_start_matches("LINESTRING (").trim_end_matches(')');
            let points: Vec<Vec<f64>> = wkt
                .split(',')
                .map(|point| point.split(' ').map(|number| number.parse().unwrap()).collect())
                .collect();
            json!({ "type": "Feature", "properties": properties,
                    "geometry": { "type": "LineString", "coordinates": points } })
        })
        .collect();
    json!({ "type": "FeatureCollection", "features": features }).to_string()
}

/// The embedded study with its roads in a file of this name.
fn study(file: &str) -> Study {
    let study = Study::new();
    let layer = roads(&study);
    let path = study.path(file);
    match path.extension().and_then(|e| e.to_str()).unwrap() {
        "shp" => maps::write_shapefiles(&study.dir(), &[&layer], System::Epsg(6372)),
        "gpkg" => maps::write(&path, "GPKG", &[&layer], System::Degrees),
        _ => study.write(file, geojson(&layer)),
    }
    let fields: Vec<String> = COLUMNS.iter().map(|(name, key)| format!("{key} = \"{name}\"")).collect();
    let spec = format!("{{ path = \"{file}\", preset = \"lines\", fields = {{ {} }} }}", fields.join(", "));
    study.edit("study.toml", "{ path = \"roads.geojson\" }", &spec);
    study
}

fn loaded(study: &Study) -> Loaded {
    let file = config::read(&study.path("study.toml")).unwrap();
    engine::load(file, Progress::new(Lang::Es, true)).unwrap_or_else(|e| panic!("{e}"))
}

/// The layers of a run without the mark of the run.
fn layers(study: &Study) -> BTreeMap<String, String> {
    study.run(&[]).exits(0);
    Answer::of(corredor().arg("verify").arg(study.out())).exits(0);
    let run = support::manifest(&study.out())["run_id"].as_str().unwrap().to_owned();
    support::texts(&study.out().join("layers"))
        .into_iter()
        .map(|(name, text)| (name, text.replace(&run, "RUN")))
        .collect()
}

#[test]
fn formats_and_systems_of_coordinates_change_nothing() {
    let studies = ["caminos.geojson", "caminos.gpkg", "caminos.shp"].map(study);
    let [expected, others @ ..] = studies.each_ref().map(loaded);
    let first = &expected.built.network;
    assert!(first.link_count() > 100);
    for other in others {
        let network = &other.built.network;
        assert_eq!(
            (network.junction_count(), network.link_count()),
            (first.junction_count(), first.link_count())
        );
        for id in (0..u32::try_from(first.junction_count()).unwrap()).map(corredor::ids::JunctionId) {
            let [a, b] = [first, network].map(|n| Point(n.junction(id).at));
            assert!(Geodesic.distance(a, b) < 0.01, "{a:?} {b:?}");
        }
        for (id, link) in first.links() {
            assert_eq!(first.key(id), network.key(id));
            let there = network.link(id);
            assert_eq!((link.from, link.to, &link.records), (there.from, there.to, &there.records));
        }
    }

    let [expected, others @ ..] = studies.each_ref().map(layers);
    assert!(expected.keys().any(|name| name.starts_with("corridors")), "{:?}", expected.keys());
    for other in others {
        let differ: Vec<&String> =
            expected.keys().filter(|name| other.get(*name) != expected.get(*name)).collect();
        assert!(differ.is_empty(), "not the same: {differ:?}");
        assert_eq!(other.len(), expected.len());
    }
}
