//! What does not change a corridor: the order of the inputs, their projection, roads far away, the seed.
//!
//! `run_id` is a hash of the inputs' bytes and changes; ids, names and numbers of corridors do not.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail by panicking")]
#![allow(clippy::print_stdout, reason = "a test that is passed over, or that measures, says so")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rstest::rstest;
use serde_json::{Value, json};
use support::{Answer, Study, layer};

/// Draws of each run: few, but enough that several corridors pass the threshold.
const DRAWS: u32 = 20;

/// The files of the embedded study by their form.
const TABLES: [&str; 7] = [
    "crossings.csv",
    "exits.csv",
    "incidencia.csv",
    "municipios.csv",
    "posts.csv",
    "towns.csv",
    "worksites.csv",
];
const SHAPES: [&str; 2] = ["municipalities.geojson", "roads.geojson"];

/// The layers of a run without what names the run, by layer.
fn layers(study: &Study, args: &[&str]) -> BTreeMap<&'static str, Vec<Value>> {
    Answer::of(study.command_of("out", DRAWS).args(args)).exits(0);
    let mut out = BTreeMap::new();
    for name in ["corridors", "roads", "crossings", "municipalities", "checkpoints"] {
        let mut features = layer(&study.out(), name)["features"].as_array().unwrap().clone();
        for feature in &mut features {
            feature["properties"].as_object_mut().unwrap().shift_remove("run_id").unwrap();
        }
        out.insert(name, features);
    }
    fs::remove_dir_all(study.out()).unwrap();
    assert!(out["corridors"].len() >= 4, "too few corridors to compare: {}", out["corridors"].len());
    out
}

/// Id and name of every corridor, in the order of their ranks.
fn names(corridors: &[Value]) -> Vec<[&str; 2]> {
    let text = |v: &'static str| move |c: &'_ Value| c["properties"][v].as_str().unwrap().to_owned();
    let _ = text;
    corridors.iter().map(|c| [c["id"].as_str().unwrap(), c["properties"]["name"].as_str().unwrap()]).collect()
}

/// Fails where two lists of features differ, and names the first that does.
#[track_caller]
fn assert_equal(layer: &str, a: &[Value], b: &[Value]) {
    assert_eq!(a.len(), b.len(), "{layer}");
    for (a, b) in a.iter().zip(b) {
        assert!(a == b, "{layer}:\n{a}\n{b}");
    }
}

/// Everything in another order: rows of tables, features of layers.
fn shuffle(study: &Study, seed: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for name in TABLES {
        study.table(name, |_, rows| rows.shuffle(&mut rng));
    }
    for name in SHAPES {
        study.features(name, |features| features.shuffle(&mut rng));
    }
}

#[rstest]
#[case(1)]
#[case(2)]
fn the_order_of_the_inputs_changes_nothing(#[case] seed: u64) {
    let study = Study::new();
    let before = layers(&study, &[]);
    shuffle(&study, seed);
    let after = layers(&study, &[]);
    for (name, before) in &before {
        // Layers that follow the order of their file are compared feature by feature.
        let sorted = |features: &[Value]| {
            let mut all = features.to_vec();
            all.sort_by_key(|f| f["id"].as_str().unwrap().to_owned());
            all
        };
        assert_equal(name, &sorted(before), &sorted(&after[name]));
    }
    assert_equal("corridors", &before["corridors"], &after["corridors"]);
}

/// Rewrites a GeoJSON of the study as a GeoPackage in another system of coordinates, by GDAL.
fn project(study: &Study, name: &str, crs: &str) {
    let (from, to) = (study.path(name), study.path(name).with_extension("gpkg"));
    let done =
        Command::new("ogr2ogr").args(["-f", "GPKG", "-t_srs", crs]).args([&to, &from]).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    fs::remove_file(from).unwrap();
}

/// The crossings as points of a GeoJSON in place of a table.
fn crossings_as_points(study: &Study) {
    let mut features = Vec::new();
    study.table("crossings.csv", |header, rows| {
        let at = |name: &str| header.iter().position(|h| h == name).unwrap();
        for row in rows.iter() {
            let of = |name: &str| row[at(name)].parse::<f64>().unwrap();
            let properties: serde_json::Map<String, Value> = header
                .iter()
                .zip(row)
                .filter(|(name, _)| !["lat", "lon"].contains(&name.as_str()))
                .map(|(name, value)| {
                    let number = value.parse::<f64>().ok().filter(|_| name != "name" && name != "id");
                    (name.clone(), number.map_or_else(|| json!(value), |n| json!(n)))
                })
                .collect();
            features.push(json!({
                "type": "Feature", "properties": properties,
                "geometry": { "type": "Point", "coordinates": [of("lon"), of("lat")] },
            }));
        }
    });
    study
        .write("crossings.geojson", json!({ "type": "FeatureCollection", "features": features }).to_string());
}

/// Geometries are compared by their positions to this many degrees: a centimetre, the last decimal that is written.
const STEP: f64 = 1.5e-7;

fn same_place(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_place(a, b))
        }
        (Value::Number(a), Value::Number(b)) => (a.as_f64().unwrap() - b.as_f64().unwrap()).abs() <= STEP,
        _ => a == b,
    }
}

#[rstest]
#[case("EPSG:6372")]
#[case("EPSG:32615")]
fn the_projection_of_the_inputs_changes_nothing(#[case] crs: &str) {
    // Part of what `scripts/setup test` installs.
    if Command::new("ogr2ogr").arg("--version").output().is_err() {
        assert!(std::env::var_os("CORREDOR_REQUIRE_ORACLES").is_none(), "ogr2ogr is missing");
        println!("skipped: ogr2ogr is missing");
        return;
    }
    let study = Study::new();
    let before = layers(&study, &[]);
    crossings_as_points(&study);
    study.edit("study.toml", "crossings.csv", "crossings.geojson");
    for name in ["municipalities.geojson", "roads.geojson", "crossings.geojson"] {
        project(&study, name, crs);
        let projected = Path::new(name).with_extension("gpkg").display().to_string();
        study.edit("study.toml", &format!("\"{name}\""), &format!("\"{projected}\", crs = \"{crs}\""));
    }
    let after = layers(&study, &[]);
    assert_eq!(names(&before["corridors"]), names(&after["corridors"]));
    for name in ["corridors", "roads"] {
        assert_eq!(before[name].len(), after[name].len());
        for (a, b) in before[name].iter().zip(&after[name]) {
            assert_eq!(a["id"], b["id"]);
            assert_eq!(a["properties"], b["properties"]);
            let shapes = [a, b].map(|f| &f["geometry"]["coordinates"]);
            assert!(same_place(shapes[0], shapes[1]), "{name} {}", a["id"]);
        }
    }
}

/// A road with the columns of the study's.
fn road(id: &str, reference: &str, line: &[[f64; 2]]) -> Value {
    json!({
        "type": "Feature",
        "properties": {
            "id": id, "ref": reference, "class": "federal", "surface": "paved", "toll": false, "oneway": "no",
            "speed_kmh": 80, "region": "MEX", "from_name": "", "to_name": "", "schematic": true,
        },
        "geometry": { "type": "LineString", "coordinates": line },
    })
}

/// Roads that no trip of the study would take.
fn far_roads(joined: bool) -> Vec<Value> {
    // In Puebla and Hidalgo, joined to each other alone.
    let mut roads = vec![
        road("far-1", "MEX-150", &[[-98.2, 19.0], [-97.9, 18.95], [-97.4, 18.85]]),
        road("far-2", "MEX-119", &[[-98.2, 19.0], [-98.1, 19.6], [-98.3, 20.1]]),
        road("far-3", "MEX-190", &[[-98.2, 19.0], [-98.45, 18.6]]),
    ];
    if joined {
        // From where the study's network ends in the west and in the north, by the roads' own names.
        roads.push(road("far-4", "MEX-190", &[[-98.45, 18.6], [-96.7, 17.06], [-94.585, 16.555]]));
        roads.push(road("far-5", "MEX-180", &[[-97.4, 18.85], [-96.1, 19.17], [-94.595, 18.003]]));
    }
    roads
}

#[rstest]
#[case::apart(false)]
#[case::joined(true)]
fn roads_far_away_change_no_corridor(#[case] joined: bool) {
    let study = Study::new();
    let before = layers(&study, &[]);
    study.features("roads.geojson", |features| {
        let new = far_roads(joined);
        features.splice(0..0, new);
    });
    let after = layers(&study, &[]);
    assert!(after["roads"].len() > before["roads"].len(), "the roads are part of the network");
    assert_eq!(names(&before["corridors"]), names(&after["corridors"]));
    assert_equal("corridors", &before["corridors"], &after["corridors"]);
}

/// Links of each of the first ten corridors, with their lengths.
fn first_ten(study: &Study, seed: &str) -> Vec<(String, BTreeMap<String, f64>)> {
    Answer::of(study.command_of("out", 1000).args(["--seed", seed])).exits(0);
    let mut links: BTreeMap<String, BTreeMap<String, f64>> = BTreeMap::new();
    for link in layer(&study.out(), "roads")["features"].as_array().unwrap() {
        if let Some(corridor) = link["properties"]["corridor_id"].as_str() {
            let length = link["properties"]["length_km"].as_f64().unwrap();
            links
                .entry(corridor.to_owned())
                .or_default()
                .insert(link["id"].as_str().unwrap().to_owned(), length);
        }
    }
    let corridors = layer(&study.out(), "corridors");
    fs::remove_dir_all(study.out()).unwrap();
    let ids = corridors["features"].as_array().unwrap().iter().take(10).map(|c| c["id"].as_str().unwrap());
    ids.map(|id| (id.to_owned(), links.remove(id).unwrap())).collect()
}

/// Length that two sets of links have in common, over that of both.
fn jaccard(a: &BTreeMap<String, f64>, b: &BTreeMap<String, f64>) -> f64 {
    let both: f64 = a.iter().filter(|(id, _)| b.contains_key(*id)).map(|(_, km)| km).sum();
    both / (a.values().sum::<f64>() + b.values().sum::<f64>() - both)
}

/// All pairs of eight seeds are measured by `cargo bench --bench seeds`.
#[test]
fn two_seeds_share_nine_tenths_of_their_first_ten_corridors() {
    let study = Study::new();
    let [a, b] = ["1", "2"].map(|seed| first_ten(&study, seed));
    let same = |list: &[(String, BTreeMap<String, f64>)], (id, links): &(String, BTreeMap<String, f64>)| {
        let found = list.iter().any(|(other, those)| other == id || jaccard(links, those) >= 0.5);
        u32::from(found)
    };
    let shared = a.iter().map(|corridor| same(&b, corridor)).sum::<u32>();
    let most = a.len().max(b.len());
    println!("{shared} of {most}");
    assert!(f64::from(shared) >= 0.9 * most as f64, "{shared} of {most}");
}
