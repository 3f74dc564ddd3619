//! `corredor spatial` beside libpysal, esda, scipy and shapely on the example data of libpysal (`compare.py`), and what
//! it says of bad input.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::format_collect,
    reason = "tests may fail by panicking, and tell what they skip"
)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rstest::rstest;
use support::{Answer, corredor};

/// The environment that `scripts/setup test` makes, if the peers are in it.
fn python() -> Option<PathBuf> {
    let python = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("venv").join("bin/python");
    let has = Command::new(&python).args(["-c", "import esda, numba"]).output();
    if has.is_ok_and(|out| out.status.success()) {
        return Some(python);
    }
    assert!(std::env::var_os("CORREDOR_REQUIRE_ORACLES").is_none(), "esda is missing");
    println!("skipped: esda is missing");
    None
}

#[test]
fn neighbours_and_statistics_are_those_of_libpysal_and_esda() {
    let Some(python) = python() else { return };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/spatial/compare.py");
    let answer = Command::new(python).arg(script).arg(env!("CARGO_BIN_EXE_corredor")).output().unwrap();
    println!("{}", String::from_utf8_lossy(&answer.stdout));
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
}

/// Nine squares in a map of Chiapas, with a value that rises to the east.
fn squares(dir: &Path, value: impl Fn(usize) -> String) -> PathBuf {
    let square = |site: usize| {
        let (x, y) = (-93.0 + 0.1 * (site % 3) as f64, 16.0 + 0.1 * (site / 3) as f64);
        let ring = [(x, y), (x + 0.1, y), (x + 0.1, y + 0.1), (x, y + 0.1), (x, y)];
        let ring: Vec<String> = ring.iter().map(|(x, y)| format!("[{x:.1},{y:.1}]")).collect();
        format!(
            r#"{{"type":"Feature","properties":{{"clave":"a{site}","casos":{},"pob":{}}},"geometry":{{"type":"Polygon","coordinates":[[{}]]}}}}"#,
            value(site),
            1000 + site,
            ring.join(",")
        )
    };
    let features: Vec<String> = (0..9).map(square).collect();
    let path = dir.join("areas.geojson");
    fs::write(&path, format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, features.join(",")))
        .unwrap();
    path
}

fn spatial(file: &Path, more: &[&str]) -> Answer {
    Answer::of(corredor().arg("spatial").arg(file).args(["--value", "casos"]).args(more))
}

#[test]
fn people_get_a_summary_and_the_areas_that_stand_out() {
    let dir = tempfile::tempdir().unwrap();
    let file = squares(dir.path(), |site| (site % 3).to_string());
    let answer = spatial(&file, &["--weights", "rook", "--level", "0.99", "--id", "clave"]).exits(0);
    for part in ["Vecinos (rook): 9 áreas, 24 enlaces", "I de Moran: 0.5556", "C de Geary", "a5", "caliente"]
    {
        assert!(answer.stdout.contains(part), "{part}: {}", answer.stdout);
    }
    let english = spatial(&file, &["--lang", "en", "--population", "pob", "--permutations", "0"]).exits(0);
    assert!(english.stdout.contains("Rates: casos / pob"), "{}", english.stdout);
    let none = spatial(&file, &["--level", "0.0001", "--permutations", "0"]).exits(0);
    assert!(none.stdout.contains("Ningún área destaca"), "{}", none.stdout);
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_any_number_of_threads() {
    let dir = tempfile::tempdir().unwrap();
    let file = squares(dir.path(), |site| (site * site % 7).to_string());
    let with = |threads: &str, seed: &str| {
        spatial(&file, &["--json", "--threads", threads, "--seed", seed]).exits(0).stdout.clone()
    };
    assert_eq!(with("1", "3"), with("3", "3"));
    assert_ne!(with("1", "3"), with("1", "4"));
}

#[rstest]
#[case::no_such_field(&["--population", "nada"], "M001", 1)]
#[case::text_as_value(&["--population", "clave"], "M003", 1)]
#[case::missing_gal(&["--weights", "no.gal"], "S001", 1)]
#[case::too_many_neighbours(&["--weights", "knn:9"], "I003", 1)]
#[case::unknown_weights(&["--weights", "bishop"], "bishop", 2)]
#[case::negative_tolerance(&["--tolerance=-1"], "--tolerance debe", 2)]
#[case::level(&["--level", "1.5"], "--level", 2)]
#[case::two_systems(&["--planar", "--crs", "EPSG:4326"], "", 2)]
#[case::no_neighbour(&["--weights", "band:1"], "I003", 1)]
fn what_is_wrong_is_told(#[case] more: &[&str], #[case] told: &str, #[case] code: i32) {
    let dir = tempfile::tempdir().unwrap();
    let file = squares(dir.path(), |site| (site % 3).to_string());
    let answer = spatial(&file, more).exits(code);
    assert!(answer.stderr.contains(told), "{}", answer.stderr);
}

#[test]
fn values_that_cannot_be_used_are_told_with_their_rows() {
    let dir = tempfile::tempdir().unwrap();
    let empty = squares(dir.path(), |site| if site == 4 { "null".to_owned() } else { site.to_string() });
    let answer = spatial(&empty, &[]).exits(1);
    assert!(answer.stderr.contains("M002") && answer.stderr.contains("fila 5"), "{}", answer.stderr);
    let equal = squares(dir.path(), |_| "3".to_owned());
    assert!(spatial(&equal, &[]).exits(1).stderr.contains("todos los valores son iguales"));
    let zero = squares(dir.path(), |_| "0".to_owned());
    assert!(spatial(&zero, &["--population", "pob"]).exits(1).stderr.contains("no hay ningún caso"));
}

#[test]
fn an_area_without_polygon_is_an_island() {
    let dir = tempfile::tempdir().unwrap();
    let file = squares(dir.path(), |site| (site % 4).to_string());
    let text = fs::read_to_string(&file).unwrap();
    let (head, _) = text.rsplit_once(r#""geometry":"#).unwrap();
    fs::write(&file, format!(r#"{head}"geometry":null}}]}}"#)).unwrap();
    let answer = spatial(&file, &["--json"]).exits(0);
    let found: serde_json::Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!(found["weights"]["islands"], serde_json::json!([9]));
    assert_eq!(found["warnings"][0]["rule"], "S045");
    assert_eq!(found["areas"][8]["gi_star"]["p"], serde_json::Value::Null);
    assert_eq!(found["rejected"]["gi_star"]["tested"], 8);
    // A distance needs a place.
    assert!(spatial(&file, &["--weights", "knn:2"]).exits(1).stderr.contains("S016"));
}

#[test]
fn columns_about_persons_are_refused_here_as_well() {
    let dir = tempfile::tempdir().unwrap();
    let file = squares(dir.path(), |site| site.to_string());
    let text = fs::read_to_string(&file).unwrap().replace("\"pob\"", "\"curp\"");
    fs::write(&file, text).unwrap();
    assert!(spatial(&file, &[]).exits(1).stderr.contains("S014"));
}

#[test]
fn a_broken_gal_names_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let file = squares(dir.path(), |site| site.to_string());
    let gal = dir.path().join("a.gal");
    fs::write(&gal, "9\n1 1\nzz\n").unwrap();
    let with = |more: &[&str]| {
        let mut words = vec!["--weights", gal.to_str().unwrap()];
        words.extend(more);
        spatial(&file, &words)
    };
    let answer = with(&[]).exits(1);
    assert!(answer.stderr.contains("S044") && answer.stderr.contains("a.gal, fila 3"), "{}", answer.stderr);
    fs::write(&gal, "2\n1 1\n2\n2 1\n1\n").unwrap();
    assert!(with(&[]).exits(1).stderr.contains("I002"));
    let line = |i: usize| format!("a{i} 1\na{}\n", (i + 1) % 9);
    let ring: String = (0..9).rev().map(line).collect();
    fs::write(&gal, format!("0 9 areas clave\n{ring}")).unwrap();
    let answer = with(&["--id", "clave", "--json"]).exits(0);
    let found: serde_json::Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!(found["areas"][8]["neighbours"], serde_json::json!([0]));
    assert!(with(&["--id", "casos"]).exits(1).stderr.contains("I002"));
}

#[test]
fn points_have_nearest_neighbours() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("points.csv");
    let rows: String = (0..8).map(|i| format!("{}.5,16.{i},{}\n", -93 + i % 2, i * i)).collect();
    fs::write(&file, format!("lon,lat,casos\n{rows}")).unwrap();
    let answer = spatial(&file, &["--weights", "knn:2", "--json"]).exits(0);
    let found: serde_json::Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!(found["weights"]["links"], 16);
    assert_eq!(found["areas"][0]["neighbours"], serde_json::json!([2, 4]));
}
