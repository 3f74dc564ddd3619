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
    let text = squares(dir.path(), |site| if site == 4 { "\"dos\"".to_owned() } else { site.to_string() });
    let answer = spatial(&text, &[]).exits(1);
    for part in ["M003 areas.geojson", "fila 5", "campo «casos»", "aaa]"] {
        assert!(answer.stderr.contains(part), "{part}: {}", answer.stderr);
    }
    let many: String = (0..400).map(|i| format!("{}.5,16.1,x\n", -93 + i % 2)).collect();
    let wrong = dir.path().join("wrong.csv");
    fs::write(&wrong, format!("lon,lat,casos\n{many}")).unwrap();
    let answer = spatial(&wrong, &["--weights", "knn:2"]).exits(1);
    assert!(
        answer.stderr.contains("M003 wrong.csv, campo «casos»") && answer.stderr.contains("400"),
        "{}",
        answer.stderr
    );
    assert_eq!(answer.stderr.matches("M003").count(), 21);
    let equal = squares(dir.path(), |_| "3".to_owned());
    assert!(spatial(&equal, &[]).exits(1).stderr.contains("todos los valores son iguales"));
    let zero = squares(dir.path(), |_| "0".to_owned());
    assert!(spatial(&zero, &["--population", "pob"]).exits(1).stderr.contains("no hay ningún caso"));
}

#[test]
fn areas_without_a_value_are_counted_and_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let blank = |site: usize| if site == 4 { "null".to_owned() } else { (site % 4).to_string() };
    let file = squares(dir.path(), blank);
    let answer = spatial(&file, &[]).exits(0);
    assert!(
        answer.stdout.contains("8 áreas") && answer.stdout.contains("Sin dato: 1 (filas 5)"),
        "{}",
        answer.stdout
    );
    let found = spatial(&file, &["--weights", "rook", "--json"]).exits(0).json();
    assert_eq!(found["unknown"], serde_json::json!([5]));
    let rows: Vec<u64> =
        found["areas"].as_array().unwrap().iter().map(|a| a["row"].as_u64().unwrap()).collect();
    assert_eq!(rows, [1, 2, 3, 4, 6, 7, 8, 9]);
    // A ring is left of the nine squares, whose neighbours are numbered anew.
    assert_eq!(found["weights"]["links"], 16);
    assert_eq!(found["areas"][4]["neighbours"], serde_json::json!([2, 7]));
    // What a file without the area says, and what its contiguity as a file says.
    let gal = dir.path().join("a.gal");
    let near = |a: usize, b: usize| a.abs_diff(b) == 3 || (a.abs_diff(b) == 1 && a / 3 == b / 3);
    let row = |a: usize| {
        let of: Vec<String> = (0..9).filter(|b| near(a, *b)).map(|b| format!("a{b}")).collect();
        format!("a{a} {}\n{}\n", of.len(), of.join(" "))
    };
    fs::write(&gal, format!("0 9 areas clave\n{}", (0..9).map(row).collect::<String>())).unwrap();
    let listed = spatial(&file, &["--weights", gal.to_str().unwrap(), "--json"]).exits(0).json();
    assert_eq!(listed["areas"][4]["neighbours"], found["areas"][4]["neighbours"]);
    assert_eq!(listed["moran"], found["moran"]);
    let few = squares(dir.path(), |site| if site > 2 { "null".to_owned() } else { site.to_string() });
    let answer = spatial(&few, &["--lang", "en"]).exits(1);
    assert!(
        answer.stderr.contains("at least 4 areas with a value are needed, and there are 3"),
        "{}",
        answer.stderr
    );
}

#[test]
fn there_are_permutations_enough_for_one_area_to_be_found() {
    let dir = tempfile::tempdir().unwrap();
    let file = squares(dir.path(), |site| (site % 4).to_string());
    let count = |more: &[&str]| {
        let words = [&["--json"], more].concat();
        spatial(&file, &words).exits(0).json()["permutations"].clone()
    };
    assert_eq!(count(&[]), 999);
    assert_eq!(count(&["--level", "0.01"]), 1800);
    assert_eq!(count(&["--level", "0.0001"]), 9999);
    assert_eq!(count(&["--level", "0.01", "--permutations", "99"]), 99);
}

#[test]
fn help_lists_what_works_and_the_rest_is_refused() {
    let help = Answer::of(corredor().args(["spatial", "--help"])).exits(0).stdout.clone();
    for option in ["--draws", "--audience", "--force", "del estudio"] {
        assert!(!help.contains(option), "{option}: {help}");
    }
    assert!(
        help.contains("--seed") && help.contains("--threads") && help.contains("permutaciones"),
        "{help}"
    );
    let dir = tempfile::tempdir().unwrap();
    let file = squares(dir.path(), |site| site.to_string());
    for more in [&["--draws", "50"][..], &["--force"], &["--audience", "public"]] {
        let answer = spatial(&file, more).exits(2);
        let told = format!("«corredor spatial» no usa {}", more[0]);
        assert!(answer.stderr.contains(&told), "{}", answer.stderr);
    }
    let answer = spatial(&file, &["--weights", "bishop", "--lang", "en"]).exits(2);
    assert!(answer.stderr.contains("queen, rook, knn:K, band:D, *.gal"), "{}", answer.stderr);
}

#[test]
fn what_is_said_of_a_file_named_by_hand_names_options_and_no_study() {
    let dir = tempfile::tempdir().unwrap();
    let file = squares(dir.path(), |site| site.to_string());
    let field = spatial(&file, &["--population", "nada"]).exits(1);
    assert!(
        field.stderr.contains("el archivo no tiene esta columna; tiene: clave, casos, pob"),
        "{}",
        field.stderr
    );
    let layer = spatial(&file, &["--layer", "otra", "--lang", "en"]).exits(1);
    assert!(layer.stderr.contains("give --layer one of: areas"), "{}", layer.stderr);
    let missing = spatial(&dir.path().join("no.csv"), &[]).exits(1);
    assert!(!missing.stderr.contains("estudio"), "{}", missing.stderr);
    let points = dir.path().join("p.csv");
    fs::write(
        &points,
        "largo,ancho,casos\n-93.1,16.1,1\n-93.2,16.3,2\n-93.3,16.2,5\n-93.5,16.2,7\n-93.6,16.4,9\n",
    )
    .unwrap();
    let answer = spatial(&points, &["--weights", "knn:1", "--json"]).exits(1).json();
    assert!(answer["faults"][0]["message"].as_str().unwrap().contains("--lon y --lat"), "{answer}");
    let named = ["--weights", "knn:1", "--lon", "largo", "--lat", "ancho", "--json"];
    assert_eq!(spatial(&points, &named).exits(0).json()["weights"]["links"], 5);
}

#[test]
fn what_is_no_count_has_no_law_and_a_note_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let part = squares(dir.path(), |site| format!("{}.5", site % 3));
    let rated = spatial(&part, &["--population", "pob", "--level", "0.99"]).exits(0);
    assert!(rated.stdout.contains("no se estima, porque «casos» tiene valores"), "{}", rated.stdout);
    assert!(rated.stdout.contains("depende de dónde se buscó"), "{}", rated.stdout);
    let values = spatial(&part, &["--level", "0.99"]).exits(0);
    assert!(
        values.stdout.contains("valores parecidos") && !values.stdout.contains("se buscó."),
        "{}",
        values.stdout
    );
    let counts = squares(dir.path(), |site| (site % 3 * 40).to_string());
    let counted = spatial(&counts, &["--level", "0.99"]).exits(0);
    assert!(counted.stdout.contains("compare tasas con --population"), "{}", counted.stdout);
    let law = spatial(&counts, &["--population", "pob"]).exits(0);
    let line = law.stdout.lines().find(|line| line.starts_with("Ley de las tasas")).unwrap();
    assert!(line.contains("tasa media α/β = 0.0") && !line.contains("e-") && !line.contains("e1"), "{line}");
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
    let answer = with(&[]).exits(1);
    assert!(
        answer.stderr.contains("I002 a.gal: ") && answer.stderr.contains("tiene 2 y la capa 9"),
        "{}",
        answer.stderr
    );
    let line = |i: usize| format!("a{i} 1\na{}\n", (i + 1) % 9);
    let ring: String = (0..9).rev().map(line).collect();
    // The header names the field of the ids; without one the option does.
    for (header, more) in [("0 9 areas clave", &["--json"][..]), ("9", &["--json", "--id", "clave"])] {
        fs::write(&gal, format!("{header}\n{ring}")).unwrap();
        assert_eq!(with(more).exits(0).json()["areas"][8]["neighbours"], serde_json::json!([0]));
    }
    assert!(with(&["--id", "casos"]).exits(1).stderr.contains("I002"));
}

#[test]
fn an_id_that_only_one_side_has_is_named_with_file_and_line() {
    let dir = tempfile::tempdir().unwrap();
    let file = squares(dir.path(), |site| site.to_string());
    let gal = dir.path().join("a.gal");
    let with =
        || spatial(&file, &["--weights", gal.to_str().unwrap(), "--id", "clave"]).exits(1).stderr.clone();
    let line = |i: usize| format!("a{i} 1\na{}\n", (i + 1) % 9);
    let ring: String = (0..9).map(line).collect();
    fs::write(&gal, format!("9\n{}", ring.replace("a4", "Z4"))).unwrap();
    let told = with();
    assert!(
        told.contains("I002 a.gal, fila 10: ")
            && told.contains("esta clave en «clave»")
            && told.contains("Z4]"),
        "{told}"
    );
    assert!(told.contains("I002 areas.geojson, capa «areas», fila 5") && told.contains("a4]"), "{told}");
    // A neighbour that is none of the areas of the file itself.
    fs::write(&gal, format!("9\n{}", ring.replace("\na3\n", "\nZ9\n"))).unwrap();
    let told = with();
    assert!(told.contains("S044 a.gal, fila 7: ") && told.contains("Z9]"), "{told}");
    // A file without its header.
    fs::write(&gal, &ring).unwrap();
    assert!(with().contains("S044 a.gal, fila 1: no es un archivo de contigüidad GAL (sin encabezado)"));
    // Of a field that has other ids not every one is told.
    fs::write(&gal, format!("9\n{}", ring.replace('a', "z"))).unwrap();
    let told = with();
    assert!(told.lines().count() <= 20, "{told}");
    let text = fs::read_to_string(&file).unwrap().replace("\"a7\"", "\"a6\"");
    fs::write(&file, text).unwrap();
    fs::write(&gal, format!("9\n{ring}")).unwrap();
    let told = with();
    assert!(told.contains("M007") && told.contains("fila 8") && told.contains("fila 7"), "{told}");
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
