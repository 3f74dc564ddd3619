//! Malformed and hostile inputs, one at a time in a copy of the embedded study: each ends with its exit code,
//! names its rule and its place, and nothing is written.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail by panicking")]
#![allow(
    clippy::needless_for_each,
    clippy::case_sensitive_file_extension_comparisons,
    reason = "short lists of cases"
)]

mod support;
#[path = "support/workbooks.rs"]
mod workbooks;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use rstest::rstest;
use serde_json::{Value, json};
use support::{Answer, Study, assert_same, corredor, layer, layer_names, snapshot, texts};

type Change = fn(&Study);

/// A table of the study whose every row is one place.
const MUNICIPALITIES: &str = "municipalities.geojson";

/// The spec of a source in `study.toml` is `{ path = "…" }`; this adds to it.
#[track_caller]
fn spec(study: &Study, file: &str, more: &str) {
    study.edit("study.toml", &format!("path = \"{file}\""), &format!("path = \"{file}\", {more}"));
}

/// Points the study to another file than `file`.
#[track_caller]
fn repoint(study: &Study, file: &str, other: &str) {
    study.edit("study.toml", &format!("path = \"{file}\""), &format!("path = '{other}'"));
}

/// Feature `n`, from 1.
fn feature(study: &Study, file: &str, n: usize, change: impl FnOnce(&mut Value)) {
    study.features(file, |features| change(&mut features[n - 1]));
}

/// Exchanges the first two numbers of every position.
fn swap_axes(coordinates: &mut Value) {
    let Value::Array(list) = coordinates else { return };
    if list.first().is_some_and(Value::is_number) {
        list.swap(0, 1);
    } else {
        list.iter_mut().for_each(swap_axes);
    }
}

/// Every position as metres of some projected system.
fn to_metres(coordinates: &mut Value) {
    let Value::Array(list) = coordinates else { return };
    if list.first().is_some_and(Value::is_number) {
        list.iter_mut().for_each(|v| *v = json!(v.as_f64().unwrap() * 111_000.0));
    } else {
        list.iter_mut().for_each(to_metres);
    }
}

fn swap_columns(study: &Study, file: &str) {
    study.table(file, |header, _| {
        for name in header {
            *name = match name.as_str() {
                "lat" => "lon".to_owned(),
                "lon" => "lat".to_owned(),
                _ => continue,
            };
        }
    });
}

fn to_windows_1252(study: &Study, file: &str) {
    let text = study.text(file);
    let (bytes, _, lost) = encoding_rs::WINDOWS_1252.encode(&text);
    assert!(!lost, "{file} holds what windows-1252 has not");
    study.write(file, bytes);
}

/// Says what the message of a fault must hold.
#[track_caller]
fn told(answer: &Answer, rule: &str, file: &str, row: Option<u64>, field: Option<&str>) {
    assert!(
        answer.tells(rule, file, row, field),
        "no {rule} at {file}, row {row:?}, field {field:?} in:\n{}",
        answer.stderr
    );
    assert!(!answer.stderr.contains("%{"), "a parameter without a value:\n{}", answer.stderr);
    assert!(answer.stderr.contains("No se escribió nada."), "{}", answer.stderr);
}

// ---- columns ----------------------------------------------------------------------------------------

#[rstest]
#[case::municipalities(MUNICIPALITIES, "cvegeo", |s: &Study| s.features(MUNICIPALITIES, |features| {
    for f in features {
        f["properties"].as_object_mut().unwrap().remove("cvegeo");
    }
}))]
#[case::roads("roads.geojson", "class", |s: &Study| s.features("roads.geojson", |features| {
    for f in features {
        f["properties"].as_object_mut().unwrap().remove("class");
    }
}))]
#[case::population("municipios.csv", "poblacion_2020", |s: &Study| s.drop_column("municipios.csv", "poblacion_2020"))]
#[case::population_code("municipios.csv", "cvegeo", |s: &Study| s.drop_column("municipios.csv", "cvegeo"))]
#[case::mapped("municipios.csv", "indice_marginacion_2020", |s: &Study| s.drop_column("municipios.csv", "indice_marginacion_2020"))]
#[case::counts_code("incidencia.csv", "cvegeo", |s: &Study| s.drop_column("incidencia.csv", "cvegeo"))]
#[case::counts("incidencia.csv", "count | count_min + count_max", |s: &Study| {
    s.drop_column("incidencia.csv", "count");
    s.drop_column("incidencia.csv", "count_max");
})]
#[case::crossings("crossings.csv", "name", |s: &Study| s.drop_column("crossings.csv", "name"))]
#[case::crossings_lat("crossings.csv", "lat", |s: &Study| s.drop_column("crossings.csv", "lat"))]
#[case::exits("exits.csv", "id", |s: &Study| s.drop_column("exits.csv", "id"))]
#[case::exits_lon("exits.csv", "lon", |s: &Study| s.drop_column("exits.csv", "lon"))]
#[case::towns("towns.csv", "name", |s: &Study| s.drop_column("towns.csv", "name"))]
#[case::posts("posts.csv", "purpose", |s: &Study| s.drop_column("posts.csv", "purpose"))]
#[case::worksites("worksites.csv", "scian", |s: &Study| s.drop_column("worksites.csv", "scian"))]
fn a_missing_column_is_named_with_those_that_are_there(
    #[case] file: &str,
    #[case] field: &str,
    #[case] change: Change,
) {
    let study = Study::new();
    change(&study);
    let answer = study.fails(1);
    told(&answer, "M001", file, None, Some(field));
    let line = answer.stderr.lines().find(|l| l.contains("M001")).unwrap();
    let there = if file.ends_with(".csv") {
        study.text(file).lines().next().unwrap().split(',').next_back().unwrap().to_owned()
    } else {
        "name".to_owned()
    };
    assert!(line.contains(&there) || file == "roads.geojson", "{line}");
}

#[rstest]
#[case("towns.csv", "curp", "S014")]
#[case("towns.csv", "nombre_victima", "S014")]
#[case("crossings.csv", "telefono", "S014")]
#[case("posts.csv", "correo_electronico", "S014")]
#[case("incidencia.csv", "Fecha de nacimiento", "S014")]
#[case("incidencia.csv", "sexo", "S014")]
#[case("municipios.csv", "victim_name", "S014")]
#[case("exits.csv", "license_plate", "S014")]
#[case("worksites.csv", "nombre_propietario", "S014")]
#[case("worksites.csv", "CURP", "S014")]
#[case("incidencia.csv", "nacionalidad", "S015")]
#[case("municipios.csv", "hablantes_lengua", "S015")]
#[case("municipios.csv", "lengua", "S015")]
#[case("worksites.csv", "Religión", "S015")]
#[case("towns.csv", "ethnicity", "S015")]
#[case("crossings.csv", "migratory_status", "S015")]
fn columns_about_persons_and_denied_ones_are_refused(
    #[case] file: &str,
    #[case] column: &str,
    #[case] rule: &str,
) {
    let study = Study::new();
    study.add_column(file, column, "XAXX010101HCSRRL09");
    let answer = study.fails(1);
    told(&answer, rule, file, None, Some(column));
    assert!(!answer.stderr.contains("XAXX0101"), "a personal value in:\n{}", answer.stderr);
}

#[rstest]
#[case("roads.geojson", "propietario_nombre", "S014")]
#[case(MUNICIPALITIES, "pob_indigena", "S015")]
fn so_are_properties_of_features_even_where_only_one_has_them(
    #[case] file: &str,
    #[case] column: &str,
    #[case] rule: &str,
) {
    let study = Study::new();
    feature(&study, file, 7, |f| f["properties"][column] = json!("Fulana"));
    let answer = study.fails(1);
    told(&answer, rule, file, None, Some(column));
    assert!(!answer.stderr.contains("Fulana"));
}

#[test]
fn contact_columns_of_workplaces_are_dropped_with_a_warning() {
    let study = Study::new();
    study.add_column("worksites.csv", "telefono", "9617654321");
    study.add_column("worksites.csv", "correoelec", "duena@ejemplo.mx");
    study.add_column("worksites.csv", "raz_social", "Razón Social de Prueba");
    let answer = study.run(&[]).exits(0);
    for column in ["telefono", "correoelec", "raz_social"] {
        assert!(answer.tells("S023", "worksites.csv", None, Some(column)), "{}", answer.stderr);
    }
    for (name, text) in texts(&study.out()) {
        for value in ["9617654321", "duena@ejemplo", "Razón Social de Prueba"] {
            assert!(!text.contains(value), "{name} holds {value}");
        }
    }
    // The rest of the table counts as before.
    let other = Study::new();
    other.run(&[]).exits(0);
    let scores = |study: &Study| -> Vec<Value> {
        let layer = layer(&study.out(), "worksites");
        layer["features"].as_array().unwrap().iter().map(|f| f["properties"]["score"].clone()).collect()
    };
    assert_eq!(scores(&study), scores(&other));
}

// ---- coordinates ------------------------------------------------------------------------------------

#[rstest]
// The CRS that is declared is not that of the file.
#[case::degrees_as_metres_json("S008", "roads.geojson", None, None, |s: &Study| spec(s, "roads.geojson", "crs = 'EPSG:6372'"))]
#[case::degrees_as_metres_csv("S009", "towns.csv", None, None, |s: &Study| spec(s, "towns.csv", "crs = 'EPSG:6372'"))]
#[case::metres_as_degrees_json("S009", "roads.geojson", Some(3), None, |s: &Study| {
    feature(s, "roads.geojson", 3, |f| to_metres(&mut f["geometry"]["coordinates"]));
})]
#[case::metres_as_degrees_all("S009", MUNICIPALITIES, Some(123), None, |s: &Study| s.features(MUNICIPALITIES, |features| {
    features.iter_mut().for_each(|f| to_metres(&mut f["geometry"]["coordinates"]));
}))]
#[case::metres_as_degrees_csv("S009", "posts.csv", Some(2), None, |s: &Study| {
    s.cell("posts.csv", 2, "lon", "3543210.5");
    s.cell("posts.csv", 2, "lat", "312345.5");
})]
#[case::unknown_crs("S008", "towns.csv", None, None, |s: &Study| spec(s, "towns.csv", "crs = 'EPSG:999999'"))]
#[case::crs_of_heights("S008", "towns.csv", None, None, |s: &Study| spec(s, "towns.csv", "crs = 'EPSG:5773'"))]
#[case::crs_by_url("S008", "towns.csv", None, None, |s: &Study| spec(s, "towns.csv", "crs = 'http://127.0.0.1:9/crs'"))]
#[case::crs_of_the_file_by_url("S008", "roads.geojson", None, None, |s: &Study| s.edit(
    "roads.geojson",
    "\"type\":\"FeatureCollection\",",
    "\"type\":\"FeatureCollection\",\"crs\":{\"type\":\"link\",\"properties\":{\"href\":\"http://127.0.0.1:9\"}},",
))]
#[case::another_country("S009", "exits.csv", None, None, |s: &Study| s.table("exits.csv", |header, rows| {
    let at = header.iter().position(|h| h == "lon").unwrap();
    rows.iter_mut().for_each(|row| row[at] = "12.5".to_owned());
}))]
// Axes.
#[case::swapped_csv("S010", "towns.csv", Some(2), None, |s: &Study| swap_columns(s, "towns.csv"))]
#[case::one_row_swapped("S010", "worksites.csv", Some(4), None, |s: &Study| {
    s.cell("worksites.csv", 4, "lat", "-92.26288");
    s.cell("worksites.csv", 4, "lon", "14.8783");
})]
#[case::swapped_lines("S010", "roads.geojson", Some(1), None, |s: &Study| s.features("roads.geojson", |features| {
    features.iter_mut().for_each(|f| swap_axes(&mut f["geometry"]["coordinates"]));
}))]
#[case::one_line_swapped("S010", "roads.geojson", Some(40), None, |s: &Study| {
    feature(s, "roads.geojson", 40, |f| swap_axes(&mut f["geometry"]["coordinates"]));
})]
#[case::swapped_polygon("S010", MUNICIPALITIES, Some(5), None, |s: &Study| {
    feature(s, MUNICIPALITIES, 5, |f| swap_axes(&mut f["geometry"]["coordinates"]));
})]
// Numbers that are none.
#[case::nan_json("S018", "roads.geojson", None, None, |s: &Study| s.edit("roads.geojson", "[-93.585,17.345]", "[NaN,17.345]"))]
#[case::infinity_json("S018", "roads.geojson", None, None, |s: &Study| s.edit("roads.geojson", "[-93.585,17.345]", "[-93.585,-Infinity]"))]
#[case::overflow_json("S018", "roads.geojson", Some(1), None, |s: &Study| s.edit("roads.geojson", "[-93.585,17.345]", "[-93.585,1e999]"))]
#[case::nan_csv("S018", "crossings.csv", Some(3), Some("lat"), |s: &Study| s.cell("crossings.csv", 3, "lat", "NaN"))]
#[case::infinity_csv("S018", "crossings.csv", Some(4), Some("lon"), |s: &Study| s.cell("crossings.csv", 4, "lon", "-inf"))]
#[case::sexagesimal("S019", "towns.csv", Some(9), Some("lat"), |s: &Study| s.cell("towns.csv", 9, "lat", "14°40'12\""))]
#[case::decimal_comma("S019", "exits.csv", Some(2), Some("lon"), |s: &Study| s.cell("exits.csv", 2, "lon", "-94,585"))]
#[case::blank_coordinate("S016", "towns.csv", Some(6), Some("lon"), |s: &Study| s.cell("towns.csv", 6, "lon", ""))]
#[case::no_coordinates("S016", "towns.csv", Some(6), None, |s: &Study| {
    s.cell("towns.csv", 6, "lon", "");
    s.cell("towns.csv", 6, "lat", " ");
})]
#[case::approach("M003", "crossings.csv", Some(2), Some("inside_lat"), |s: &Study| s.cell("crossings.csv", 2, "inside_lat", "NaN"))]
#[case::half_an_approach("M002", "crossings.csv", Some(2), Some("outside_lat"), |s: &Study| s.cell("crossings.csv", 2, "outside_lat", ""))]
// Shapes.
#[case::unclosed_ring("S017", MUNICIPALITIES, Some(2), None, |s: &Study| feature(s, MUNICIPALITIES, 2, |f| {
    f["geometry"]["coordinates"][0].as_array_mut().unwrap().pop();
}))]
#[case::short_ring("S017", MUNICIPALITIES, Some(2), None, |s: &Study| feature(s, MUNICIPALITIES, 2, |f| {
    f["geometry"]["coordinates"] = json!([[[-92.0, 15.0], [-92.1, 15.0], [-92.0, 15.0]]]);
}))]
#[case::bow_tie("M015", MUNICIPALITIES, Some(2), None, |s: &Study| feature(s, MUNICIPALITIES, 2, |f| {
    f["geometry"]["coordinates"] =
        json!([[[-92.0, 15.0], [-92.1, 15.1], [-92.0, 15.1], [-92.1, 15.0], [-92.0, 15.0]]]);
}))]
#[case::null_geometry("S016", "roads.geojson", Some(8), None, |s: &Study| feature(s, "roads.geojson", 8, |f| f["geometry"] = Value::Null))]
#[case::empty_line("S016", "roads.geojson", Some(8), None, |s: &Study| feature(s, "roads.geojson", 8, |f| {
    f["geometry"]["coordinates"] = json!([]);
}))]
#[case::line_of_one_point("S016", "roads.geojson", Some(8), None, |s: &Study| feature(s, "roads.geojson", 8, |f| {
    f["geometry"]["coordinates"] = json!([[-93.585, 17.345]]);
}))]
#[case::point_for_a_line("S021", "roads.geojson", Some(8), None, |s: &Study| feature(s, "roads.geojson", 8, |f| {
    f["geometry"] = json!({ "type": "Point", "coordinates": [-93.585, 17.345] });
}))]
#[case::line_for_a_polygon("S021", MUNICIPALITIES, Some(8), None, |s: &Study| feature(s, MUNICIPALITIES, 8, |f| {
    f["geometry"] = json!({ "type": "LineString", "coordinates": [[-93.5, 17.3], [-93.6, 17.3]] });
}))]
#[case::table_for_lines("S021", "towns.csv", None, None, |s: &Study| repoint(s, "roads.geojson", "towns.csv"))]
fn coordinates_that_cannot_be_are_faults(
    #[case] rule: &str,
    #[case] file: &str,
    #[case] row: Option<u64>,
    #[case] field: Option<&str>,
    #[case] change: Change,
) {
    let study = Study::new();
    change(&study);
    told(&study.fails(1), rule, file, row, field);
}

// ---- values -----------------------------------------------------------------------------------------

#[rstest]
#[case::text_in_a_number("M003", "municipios.csv", 2, "poblacion_2020", "muchos")]
#[case::group_separator("M003", "municipios.csv", 2, "poblacion_2020", "17,994")]
#[case::nan("M003", "municipios.csv", 3, "poblacion_2020", "NaN")]
#[case::infinity("M003", "municipios.csv", 3, "indice_marginacion_2020", "inf")]
#[case::negative_population("M005", "municipios.csv", 4, "poblacion_2020", "-26899")]
#[case::nobody("M005", "municipios.csv", 4, "poblacion_2020", "0")]
#[case::blank_population("M002", "municipios.csv", 5, "poblacion_2020", "")]
#[case::blank_name("M002", "municipios.csv", 5, "nombre", "  ")]
#[case::code_without_digits("M012", "municipios.csv", 6, "cvegeo", "Tapachula")]
#[case::long_code("M012", "municipios.csv", 6, "cvegeo", "0700100")]
#[case::duplicate_municipality("M007", "municipios.csv", 3, "cvegeo", "07001")]
#[case::duplicate_count("M007", "incidencia.csv", 3, "cvegeo", "07002")]
#[case::unknown_count("M008", "incidencia.csv", 3, "cvegeo", "07995")]
#[case::negative_count("M005", "incidencia.csv", 2, "count", "-1")]
#[case::half_a_count("M004", "incidencia.csv", 2, "count", "2.5")]
#[case::count_above_its_bounds("M009", "incidencia.csv", 2, "count", "20")]
#[case::bounds_crossed("M009", "incidencia.csv", 2, "count_min", "15")]
#[case::known_by("M006", "incidencia.csv", 2, "known_by", "rumor")]
#[case::unknown_town("M008", "towns.csv", 4, "cvegeo", "07999")]
#[case::two_seats("M007", "towns.csv", 7, "cvegeo", "07111")]
#[case::not_a_boolean("M018", "towns.csv", 4, "seat", "quizá")]
#[case::blank_id("M002", "towns.csv", 4, "id", "")]
#[case::duplicate_id("M007", "towns.csv", 4, "id", "G11234244")]
#[case::unknown_worksite("M008", "worksites.csv", 2, "cvegeo", "09001")]
#[case::scian("M006", "worksites.csv", 2, "scian", "bar")]
#[case::date("M019", "worksites.csv", 2, "last_visit", "25/08/2024")]
#[case::day_that_is_none("M019", "worksites.csv", 2, "last_visit", "2023-02-29")]
#[case::negative_complaints("M005", "worksites.csv", 2, "complaints", "-3")]
#[case::no_operator("M002", "posts.csv", 2, "operator", "")]
#[case::no_purpose("M002", "posts.csv", 2, "purpose", "")]
#[case::negative_weight("M005", "exits.csv", 2, "weight", "-1")]
#[case::status("M006", "crossings.csv", 2, "status", "cerrado")]
fn a_value_that_cannot_be_is_a_fault_at_its_row_and_field(
    #[case] rule: &str,
    #[case] file: &str,
    #[case] row: u64,
    #[case] field: &str,
    #[case] value: &str,
) {
    let study = Study::new();
    if rule == "M007" && field == "cvegeo" && file == "towns.csv" {
        // Line 4 is the seat of 07111; line 7 becomes a second one.
        study.cell(file, 7, "seat", "true");
    }
    study.cell(file, usize::try_from(row).unwrap(), field, value);
    told(&study.fails(1), rule, file, Some(row), Some(field));
}

#[rstest]
#[case::duplicate_polygon("M007", MUNICIPALITIES, Some(2), Some("cvegeo"), |s: &Study| feature(s, MUNICIPALITIES, 2, |f| f["properties"]["cvegeo"] = json!("07001")))]
#[case::polygon_gone("M013", MUNICIPALITIES, None, None, |s: &Study| s.features(MUNICIPALITIES, |features| { features.remove(20); }))]
#[case::road_class("M006", "roads.geojson", Some(9), Some("class"), |s: &Study| feature(s, "roads.geojson", 9, |f| f["properties"]["class"] = json!("autopista")))]
#[case::no_class("M002", "roads.geojson", Some(9), Some("class"), |s: &Study| feature(s, "roads.geojson", 9, |f| f["properties"]["class"] = Value::Null))]
#[case::class_left_out("M002", "roads.geojson", Some(9), Some("class"), |s: &Study| feature(s, "roads.geojson", 9, |f| {
    f["properties"].as_object_mut().unwrap().remove("class");
}))]
#[case::length("M003", "roads.geojson", Some(9), Some("length_km"), |s: &Study| feature(s, "roads.geojson", 9, |f| f["properties"]["length_km"] = json!("10 km")))]
#[case::negative_length("M005", "roads.geojson", Some(9), Some("length_km"), |s: &Study| feature(s, "roads.geojson", 9, |f| f["properties"]["length_km"] = json!(-1)))]
#[case::speed("M005", "roads.geojson", Some(9), Some("speed_kmh"), |s: &Study| feature(s, "roads.geojson", 9, |f| f["properties"]["speed_kmh"] = json!(0)))]
#[case::direction("M006", "roads.geojson", Some(9), Some("oneway"), |s: &Study| feature(s, "roads.geojson", 9, |f| f["properties"]["oneway"] = json!("a veces")))]
#[case::road_twice("M007", "roads.geojson", Some(2), Some("id"), |s: &Study| feature(s, "roads.geojson", 2, |f| f["properties"]["id"] = json!("mex145d-001")))]
#[case::total_too_small("M010", "study.toml", None, Some("incidence"), |s: &Study| s.edit("study.toml", "total = 645", "total = 100"))]
#[case::total_too_large("M010", "study.toml", None, Some("incidence"), |s: &Study| {
    s.edit("study.toml", "total = 645", "total = 100000");
    s.edit("study.toml", "unlocated = { beta = { a = 1.0, b = 9.0 } }", "unlocated = { fixed = 0.0 }");
})]
#[case::merge_into_nothing("M008", "study.toml", None, Some("sources.merge.07125"), |s: &Study| s.edit("study.toml", "07125 = \"07080\"", "07125 = \"07999\""))]
#[case::merge_of_nothing("M008", "study.toml", None, Some("sources.merge.07999"), |s: &Study| s.edit("study.toml", "07125 = \"07080\"", "07125 = \"07080\"\n07999 = \"07080\""))]
fn what_does_not_fit_together_is_a_fault(
    #[case] rule: &str,
    #[case] file: &str,
    #[case] row: Option<u64>,
    #[case] field: Option<&str>,
    #[case] change: Change,
) {
    let study = Study::new();
    change(&study);
    told(&study.fails(1), rule, file, row, field);
}

#[test]
fn what_only_follows_from_a_broken_record_is_not_told() {
    // Half of the study names these two.
    let study = Study::new();
    study.table("municipios.csv", |header, rows| {
        let at = header.iter().position(|h| h == "poblacion_2020").unwrap();
        for row in rows.iter_mut().filter(|row| ["07089", "07101"].contains(&row[0].as_str())) {
            row[at] = "-1".to_owned();
        }
    });
    feature(&study, MUNICIPALITIES, 9, |f| f["geometry"] = Value::Null);
    let answer = study.fails(1);
    let errors: Vec<&str> = answer.stderr.lines().filter(|l| l.starts_with("error ")).collect();
    assert_eq!(errors.len(), 3, "{errors:#?}");
    // But a code that nobody knows is told beside a file that is missing.
    let study = Study::new();
    study.cell("towns.csv", 4, "cvegeo", "07999");
    fs::remove_file(study.path("posts.csv")).unwrap();
    let answer = study.fails(1);
    told(&answer, "M008", "towns.csv", Some(4), Some("cvegeo"));
    told(&answer, "S001", "posts.csv", None, None);
}

// ---- files ------------------------------------------------------------------------------------------

#[rstest]
#[case::missing("S001", "roads.geojson", None, None, |s: &Study| fs::remove_file(s.path("roads.geojson")).unwrap())]
#[case::directory("S002", "towns.csv", None, None, |s: &Study| {
    fs::remove_file(s.path("towns.csv")).unwrap();
    fs::create_dir(s.path("towns.csv")).unwrap();
})]
#[case::pipe("S002", "towns.csv", None, None, |s: &Study| {
    fs::remove_file(s.path("towns.csv")).unwrap();
    assert!(Command::new("mkfifo").arg(s.path("towns.csv")).status().unwrap().success());
})]
#[case::empty_csv("S013", "towns.csv", None, None, |s: &Study| s.write("towns.csv", ""))]
#[case::empty_json("S013", "roads.geojson", None, None, |s: &Study| s.write("roads.geojson", ""))]
#[case::header_only("S013", "incidencia.csv", None, None, |s: &Study| s.write("incidencia.csv", "cvegeo,count\n"))]
#[case::header_and_blank_rows("S013", "incidencia.csv", None, None, |s: &Study| s.write("incidencia.csv", "cvegeo,count\n,\n\n,\n"))]
#[case::no_features("S013", "roads.geojson", None, None, |s: &Study| s.features("roads.geojson", Vec::clear))]
#[case::truncated("S006", "roads.geojson", None, None, |s: &Study| s.write("roads.geojson", &s.text("roads.geojson")[..40_000]))]
#[case::two_documents("S006", "roads.geojson", None, None, |s: &Study| s.append("roads.geojson", "{}"))]
#[case::vrt("S006", "roads.geojson", None, None, |s: &Study| s.write(
    "roads.geojson",
    "<OGRVRTDataSource><OGRVRTLayer name=\"roads\"><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>",
))]
#[case::array("S006", "roads.geojson", None, None, |s: &Study| s.write("roads.geojson", "[1, 2]"))]
#[case::other_json("S006", "roads.geojson", None, None, |s: &Study| s.write("roads.geojson", "{\"a\": 1}"))]
#[case::renamed_spreadsheet("S006", "towns.csv", None, None, |s: &Study| s.write("towns.csv", b"PK\x03\x04\x14\0"))]
#[case::download_page("S006", "towns.csv", None, None, |s: &Study| s.write("towns.csv", "<!doctype html><html>"))]
#[case::ending("S004", "roads.kml", None, None, |s: &Study| repoint(s, "roads.geojson", "roads.kml"))]
#[case::parent("S005", "../other/roads.geojson", None, None, |s: &Study| {
    fs::create_dir(s.root().join("other")).unwrap();
    fs::copy(s.path("roads.geojson"), s.root().join("other/roads.geojson")).unwrap();
    repoint(s, "roads.geojson", "../other/roads.geojson");
})]
#[case::absolute("S005", concat!(env!("CARGO_MANIFEST_DIR"), "/geodata/chiapas/study/towns.csv"), None, None, |s: &Study| {
    repoint(s, "towns.csv", concat!(env!("CARGO_MANIFEST_DIR"), "/geodata/chiapas/study/towns.csv"));
})]
#[case::url("S005", "https://127.0.0.1:9/roads.geojson", None, None, |s: &Study| repoint(s, "roads.geojson", "https://127.0.0.1:9/roads.geojson"))]
#[case::vsicurl("S005", "/vsicurl/http://127.0.0.1:9/roads.geojson", None, None, |s: &Study| repoint(s, "roads.geojson", "/vsicurl/http://127.0.0.1:9/roads.geojson"))]
#[case::inline("S005", "{\"type\":\"FeatureCollection\",\"features\":[]}.geojson", None, None, |s: &Study| repoint(s, "roads.geojson", "{\"type\":\"FeatureCollection\",\"features\":[]}.geojson"))]
#[case::link_out("S005", "towns.csv", None, None, |s: &Study| {
    fs::rename(s.path("towns.csv"), s.root().join("towns.csv")).unwrap();
    symlink(s.root().join("towns.csv"), s.path("towns.csv")).unwrap();
})]
#[case::link_to_memory("S005", "towns.csv", None, None, |s: &Study| {
    fs::remove_file(s.path("towns.csv")).unwrap();
    symlink("/proc/self/mem", s.path("towns.csv")).unwrap();
})]
#[case::folder_link_out("S005", "data/towns.csv", None, None, |s: &Study| {
    fs::create_dir(s.root().join("other")).unwrap();
    fs::copy(s.path("towns.csv"), s.root().join("other/towns.csv")).unwrap();
    symlink(s.root().join("other"), s.path("data")).unwrap();
    repoint(s, "towns.csv", "data/towns.csv");
})]
#[case::link_in_a_circle("S005", "towns.csv", None, None, |s: &Study| {
    fs::remove_file(s.path("towns.csv")).unwrap();
    symlink("towns.csv", s.path("towns.csv")).unwrap();
})]
#[case::dangling_link("S001", "towns.csv", None, None, |s: &Study| {
    fs::remove_file(s.path("towns.csv")).unwrap();
    symlink("nowhere.csv", s.path("towns.csv")).unwrap();
})]
// Text.
#[case::wrong_encoding("S011", "towns.csv", Some(4), Some("name"), |s: &Study| {
    to_windows_1252(s, "towns.csv");
    spec(s, "towns.csv", "encoding = 'utf-8'");
})]
#[case::one_damaged_byte("S011", "municipios.csv", Some(10), Some("nombre"), |s: &Study| {
    s.cell("municipios.csv", 10, "nombre", "@");
    let mut bytes = s.text("municipios.csv").into_bytes();
    let at = bytes.iter().position(|b| *b == b'@').unwrap();
    bytes[at] = 0xe1;
    s.write("municipios.csv", bytes);
})]
#[case::utf8_declared_latin("S011", "towns.csv", None, None, |s: &Study| spec(s, "towns.csv", "encoding = 'latin1'"))]
#[case::unknown_encoding("S011", "towns.csv", None, None, |s: &Study| spec(s, "towns.csv", "encoding = 'klingon'"))]
#[case::utf16("S011", "towns.csv", None, None, |s: &Study| {
    let units: Vec<u8> = s.text("towns.csv").encode_utf16().flat_map(u16::to_le_bytes).collect();
    s.write("towns.csv", [&[0xff, 0xfe][..], &units].concat());
})]
#[case::replacement_character("S011", "towns.csv", Some(4), Some("name"), |s: &Study| s.cell("towns.csv", 4, "name", "Zinacant\u{fffd}n"))]
#[case::too_few_fields("S012", "towns.csv", Some(5), None, |s: &Study| s.table("towns.csv", |_, rows| { rows[3].pop(); }))]
#[case::too_many_fields("S012", "towns.csv", Some(5), None, |s: &Study| s.table("towns.csv", |_, rows| rows[3].push("x".to_owned())))]
#[case::open_quote("S024", "towns.csv", Some(3), None, |s: &Study| s.edit("towns.csv", "Parrilla II", "\"Parrilla II"))]
#[case::nul("S024", "towns.csv", Some(3), Some("name"), |s: &Study| s.edit("towns.csv", "Parrilla II", "Parrilla\0II"))]
#[case::column_twice("S020", "towns.csv", None, Some("Name"), |s: &Study| s.add_column("towns.csv", "Name", "x"))]
#[case::layer("S007", "roads.geojson", None, Some("caminos"), |s: &Study| spec(s, "roads.geojson", "layer = 'caminos'"))]
fn a_file_that_is_not_what_it_should_be_is_a_fault(
    #[case] rule: &str,
    #[case] file: &str,
    #[case] row: Option<u64>,
    #[case] field: Option<&str>,
    #[case] change: Change,
) {
    let study = Study::new();
    change(&study);
    told(&study.fails(1), rule, file, row, field);
}

/// `ogr2ogr` from a file of the study to another beside it.
fn ogr2ogr(study: &Study, args: &[&str]) {
    let made = Command::new("ogr2ogr").current_dir(study.dir()).args(args).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

#[rstest]
#[case::projected_label_over_degrees("S009", "r.gpkg", |s: &Study| ogr2ogr(s, &["-a_srs", "EPSG:6372", "r.gpkg", "roads.geojson"]))]
#[case::geographic_label_over_metres("S009", "r.gpkg", |s: &Study| {
    ogr2ogr(s, &["-t_srs", "EPSG:6372", "m.gpkg", "roads.geojson"]);
    ogr2ogr(s, &["-a_srs", "EPSG:4326", "r.gpkg", "m.gpkg"]);
})]
#[case::no_label("S008", "r.shp", |s: &Study| {
    ogr2ogr(s, &["r.shp", "roads.geojson"]);
    fs::remove_file(s.path("r.prj")).unwrap();
})]
#[case::no_attributes("S006", "r.shp", |s: &Study| {
    ogr2ogr(s, &["r.shp", "roads.geojson"]);
    fs::remove_file(s.path("r.dbf")).unwrap();
})]
#[case::no_index("S006", "r.shp", |s: &Study| {
    ogr2ogr(s, &["r.shp", "roads.geojson"]);
    fs::remove_file(s.path("r.shx")).unwrap();
})]
#[case::cut_shapefile("S006", "r.shp", |s: &Study| {
    ogr2ogr(s, &["r.shp", "roads.geojson"]);
    let bytes = fs::read(s.path("r.shp")).unwrap();
    s.write("r.shp", &bytes[..bytes.len() / 2]);
})]
#[case::cut_geopackage("S006", "r.gpkg", |s: &Study| {
    ogr2ogr(s, &["r.gpkg", "roads.geojson"]);
    let bytes = fs::read(s.path("r.gpkg")).unwrap();
    s.write("r.gpkg", &bytes[..bytes.len() / 2]);
})]
#[case::two_layers("S007", "r.gpkg", |s: &Study| {
    ogr2ogr(s, &["r.gpkg", "roads.geojson", "-nln", "a"]);
    ogr2ogr(s, &["-update", "r.gpkg", "roads.geojson", "-nln", "b"]);
})]
#[case::sqlite_renamed("S006", "r.fgb", |s: &Study| {
    ogr2ogr(s, &["r.gpkg", "roads.geojson"]);
    fs::rename(s.path("r.gpkg"), s.path("r.fgb")).unwrap();
})]
#[case::person_in_a_shapefile("S014", "r.shp", |s: &Study| {
    ogr2ogr(s, &["-sql", "SELECT *, 'x' AS nom_victima FROM roads", "r.shp", "roads.geojson"]);
})]
fn so_are_files_of_other_formats(#[case] rule: &str, #[case] file: &str, #[case] change: Change) {
    let study = Study::new();
    change(&study);
    repoint(&study, "roads.geojson", file);
    told(&study.fails(1), rule, file, None, None);
}

#[test]
fn a_cut_flatgeobuf_is_a_fault() {
    let study = Study::new();
    ogr2ogr(&study, &["r.fgb", "roads.geojson"]);
    repoint(&study, "roads.geojson", "r.fgb");
    let bytes = fs::read(study.path("r.fgb")).unwrap();
    for length in [bytes.len() - 1, bytes.len() / 2, bytes.len() / 10, 100, 9] {
        study.write("r.fgb", &bytes[..length]);
        let answer = study.fails(1);
        assert!(answer.stderr.contains("r.fgb"), "{length}: {}", answer.stderr);
    }
}

#[test]
fn faults_of_several_files_come_in_one_pass_in_order() {
    let study = Study::new();
    study.cell("municipios.csv", 4, "poblacion_2020", "-5");
    study.cell("municipios.csv", 9, "poblacion_2020", "x");
    study.cell("incidencia.csv", 2, "count_min", "15");
    study.drop_column("posts.csv", "operator");
    fs::remove_file(study.path("exits.csv")).unwrap();
    study.add_column("towns.csv", "curp", "x");
    feature(&study, "roads.geojson", 12, |f| f["geometry"] = Value::Null);
    feature(&study, MUNICIPALITIES, 3, |f| swap_axes(&mut f["geometry"]["coordinates"]));
    repoint(&study, "crossings.csv", "../crossings.csv");
    let answer = study.fails(1);
    let expected = [
        ("S005", "../crossings.csv", None, None),
        ("S001", "exits.csv", None, None),
        ("M009", "incidencia.csv", Some(2), Some("count_min")),
        ("S010", MUNICIPALITIES, Some(3), None),
        ("M005", "municipios.csv", Some(4), Some("poblacion_2020")),
        ("M003", "municipios.csv", Some(9), Some("poblacion_2020")),
        ("M001", "posts.csv", None, Some("operator")),
        ("S016", "roads.geojson", Some(12), None),
        ("S014", "towns.csv", None, Some("curp")),
    ];
    for (rule, file, row, field) in expected {
        told(&answer, rule, file, row, field);
    }
    let errors: Vec<&str> = answer.stderr.lines().filter(|l| l.starts_with("error ")).collect();
    assert_eq!(errors.len(), expected.len(), "{errors:#?}");
    for (line, (rule, file, ..)) in errors.iter().zip(expected) {
        assert!(line.starts_with(&format!("error {rule} {file}")), "{line}");
    }
    assert!(answer.stderr.contains(&format!("Errores: {}.", expected.len())), "{}", answer.stderr);
}

#[test]
fn a_file_with_a_thousand_broken_rows_is_told_in_two_hundred_lines() {
    let study = Study::new();
    study.table("worksites.csv", |header, rows| {
        let at = header.iter().position(|h| h == "lat").unwrap();
        rows.iter_mut().for_each(|row| row[at] = "x".to_owned());
    });
    let answer = study.fails(1);
    let lines = answer.stderr.lines().filter(|l| l.contains("S019")).count();
    assert!((200..=201).contains(&lines), "{lines}");
    assert!(
        answer.stderr.contains("2000"),
        "says how many there are: {}",
        answer.stderr.lines().last().unwrap()
    );
}

// ---- the study file ---------------------------------------------------------------------------------

#[rstest]
#[case::unknown_key("T002", "drwas = 200", "parameters.drwas", |s: &Study| s.edit("study.toml", "draws = 200", "drwas = 200"))]
#[case::unknown_table("T002", "[planing]", "planing", |s: &Study| s.append("study.toml", "[planing]\nposts = 1\n"))]
#[case::unknown_source_key("T002", "roads = { paht", "sources.roads.paht", |s: &Study| {
    s.edit("study.toml", "roads = { path", "roads = { paht = \"x\", path");
})]
#[case::unknown_closure_key("T002", "lnik = \"x\"", "closures[0].lnik", |s: &Study| s.append("study.toml", "[[closures]]\nlnik = \"x\"\n"))]
#[case::type_of_a_number("T003", "draws = \"muchos\"", "parameters.draws", |s: &Study| s.edit("study.toml", "draws = 200", "draws = \"muchos\""))]
#[case::negative_draws("T003", "draws = -200", "parameters.draws", |s: &Study| s.edit("study.toml", "draws = 200", "draws = -200"))]
#[case::type_of_a_path("T003", "roads = { path = 7 }", "sources.roads.path", |s: &Study| s.edit("study.toml", "\"roads.geojson\"", "7"))]
#[case::prior_of_no_law("T003", "gamma = { cauchy", "parameters.gamma", |s: &Study| s.edit("study.toml", "draws = 200", "draws = 200\ngamma = { cauchy = { a = 1.0 } }"))]
#[case::too_few_draws("T004", "draws = 5", "parameters.draws", |s: &Study| s.edit("study.toml", "draws = 200", "draws = 5"))]
#[case::too_many_draws("T004", "draws = 100001", "parameters.draws", |s: &Study| s.edit("study.toml", "draws = 200", "draws = 100001"))]
#[case::nan("T004", "max_snap_m = nan", "parameters.max_snap_m", |s: &Study| s.edit("study.toml", "max_snap_m = 15000.0", "max_snap_m = nan"))]
#[case::infinity("T004", "max_snap_m = inf", "parameters.max_snap_m", |s: &Study| s.edit("study.toml", "max_snap_m = 15000.0", "max_snap_m = inf"))]
#[case::share_above_one("T004", "border_share = { fixed", "parameters.border_share", |s: &Study| s.edit("study.toml", "draws = 200", "draws = 200\nborder_share = { fixed = 1.5 }"))]
#[case::period("T004", "period_years = 0.0", "incidence.period_years", |s: &Study| s.edit("study.toml", "period_years = 12.0", "period_years = 0.0"))]
#[case::threshold("T004", "k = 10", "disclosure.k", |s: &Study| s.edit("study.toml", "k = 15", "k = 10"))]
#[case::format("T005", "format = 2", "format", |s: &Study| s.edit("study.toml", "format = 1", "format = 2"))]
#[case::date("M019", "reference_date = ", "planning.reference_date", |s: &Study| s.edit("study.toml", "2026-01-01", "1 de enero"))]
#[case::blank_referral("M002", "contact_24h = ", "referral.contact_24h", |s: &Study| s.edit("study.toml", "EJEMPLO: 911", " "))]
#[case::blank_signature("M002", "name = \"\"", "sign_off.name", |s: &Study| {
    s.append("study.toml", "\n[sign_off]\nname = \"\"\noffice = \"x\"\ndate = \"2026-01-01\"\n");
})]
#[case::closure_named_in_no_way("N003", "[[closures]]", "closures[0]", |s: &Study| s.append("study.toml", "\n[[closures]]\nname = \"x\"\n"))]
#[case::closure_named_in_two_ways("N003", "[[closures]]", "closures[0]", |s: &Study| {
    s.append("study.toml", "\n[[closures]]\nlink = \"mex200-001\"\ncrossing = \"talisman\"\n");
})]
#[case::closure_without_towns("N003", "[[closures]]", "closures[0]", |s: &Study| s.append("study.toml", "\n[[closures]]\nref = \"MEX-200\"\n"))]
fn a_fault_of_the_study_names_its_line_and_dotted_path(
    #[case] rule: &str,
    #[case] line: &str,
    #[case] field: &str,
    #[case] change: Change,
) {
    let study = Study::new();
    change(&study);
    let text = study.text("study.toml");
    let row = text.lines().position(|l| l.trim_start().starts_with(line)).unwrap() as u64 + 1;
    told(&study.fails(1), rule, "study.toml", Some(row), Some(field));
}

#[test]
fn an_unknown_key_comes_with_the_nearest_known_one() {
    let study = Study::new();
    study.edit("study.toml", "draws = 200", "drwas = 200");
    let answer = study.fails(1);
    assert!(answer.stderr.contains("parameters.draws"), "{}", answer.stderr);
    // All that is wrong with the file comes at once.
    study.edit("study.toml", "k = 15", "k = 3");
    study.edit("study.toml", "posts = 10", "post = 10");
    let answer = study.fails(1);
    told(&answer, "T002", "study.toml", None, Some("parameters.drwas"));
    told(&answer, "T002", "study.toml", None, Some("planning.post"));
    told(&answer, "T004", "study.toml", None, Some("disclosure.k"));
}

#[rstest]
#[case::no_toml("T001", Some(3), |s: &Study| s.write("study.toml", "format = 1\n\n[study\nname = 'x'\n"))]
#[case::key_twice("T001", Some(2), |s: &Study| s.write("study.toml", "format = 1\nformat = 1\n"))]
#[case::empty("T003", None, |s: &Study| s.write("study.toml", ""))]
#[case::no_roads("T003", None, |s: &Study| s.edit("study.toml", "roads = { path = \"roads.geojson\" }\n", ""))]
#[case::encoding("S011", Some(2), |s: &Study| s.write("study.toml", b"format = 1\n# a\xf1o\n"))]
#[case::folder("S002", None, |s: &Study| {
    fs::remove_file(s.path("study.toml")).unwrap();
    fs::create_dir(s.path("study.toml")).unwrap();
    fs::create_dir(s.path("study.toml/study.toml")).unwrap();
})]
#[case::pipe("S002", None, |s: &Study| {
    fs::remove_file(s.path("study.toml")).unwrap();
    assert!(Command::new("mkfifo").arg(s.path("study.toml")).status().unwrap().success());
})]
#[case::missing("S001", None, |s: &Study| fs::remove_file(s.path("study.toml")).unwrap())]
fn a_study_that_cannot_be_read_is_a_fault(
    #[case] rule: &str,
    #[case] row: Option<u64>,
    #[case] change: Change,
) {
    let study = Study::new();
    change(&study);
    let answer = study.fails(1);
    let line =
        answer.stderr.lines().find(|l| l.starts_with(&format!("error {rule} "))).unwrap_or_else(|| {
            panic!("no {rule} in:\n{}", answer.stderr);
        });
    assert!(line.contains("study.toml"), "{line}");
    if let Some(row) = row {
        assert!(line.contains(&format!("fila {row}")), "{line}");
    }
    assert!(!answer.stderr.contains("%{"), "{}", answer.stderr);
}

#[rstest]
#[case::road("ref = \"MEX-999\"\nbetween = [\"Mapastepec\", \"Pijijiapan\"]")]
#[case::town("ref = \"MEX-200\"\nbetween = [\"Mapastepec\", \"Atlántida\"]")]
#[case::town_on_another_road("ref = \"MEX-200\"\nbetween = [\"Mapastepec\", \"Comitán de Domínguez\"]")]
#[case::one_town_twice("ref = \"MEX-200\"\nbetween = [\"Mapastepec\", \"Mapastepec\"]")]
#[case::point("point = [-100.0, 20.0]\nradius_m = 500.0")]
#[case::swapped_point("point = [15.44, -92.9]\nradius_m = 500.0")]
#[case::link("link = \"mex-nowhere\"")]
#[case::crossing("crossing = \"suchiate-iii\"")]
fn a_closure_that_names_nothing_is_a_fault(#[case] closure: &str) {
    let study = Study::new();
    study.append(
        "study.toml",
        &format!("\n[[closures]]\nlink = \"mex145d-001\"\n\n[[closures]]\n{closure}\n"),
    );
    told(&study.fails(1), "N003", "study.toml", None, Some("closures[1]"));
}

// ---- input and output -------------------------------------------------------------------------------

#[test]
fn a_file_that_cannot_be_read_is_an_error_of_the_environment() {
    let study = Study::new();
    for name in ["towns.csv", "roads.geojson", "study.toml"] {
        let path = study.path(name);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
        if fs::File::open(&path).is_ok() {
            // The superuser reads everything; but nobody reads the first page of a process.
            if name == "study.toml" {
                fs::remove_file(&path).unwrap();
                symlink("/proc/self/mem", &path).unwrap();
            } else {
                fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
                continue;
            }
        }
        let answer = study.fails(3);
        assert!(answer.stderr.contains(name), "{}", answer.stderr);
        if !path.is_symlink() {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        }
    }
}

#[test]
fn a_target_that_cannot_be_written_is_an_error_of_the_environment() {
    let study = Study::new();
    fs::write(study.root().join("file"), "x").unwrap();
    let below = study.root().join("file/out");
    let before = snapshot(study.root());
    for target in
        [Path::new("/proc/corredor/out"), Path::new("/proc/corredor"), Path::new("/dev/null/out"), &below]
    {
        for command in ["run", "demo"] {
            let mut process = corredor();
            process.arg(command);
            if command == "run" {
                process.arg(study.path("study.toml"));
            }
            process.arg("--out").arg(target);
            let answer = Answer::of(process.args(["--draws", "10"])).exits(3);
            assert!(answer.stderr.contains("no se pudo leer o escribir"), "{}", answer.stderr);
            assert_eq!(answer.stdout, "");
        }
        Answer::of(corredor().arg("init").arg(target)).exits(3);
    }
    assert_same(&before, &snapshot(study.root()));
}

// ---- formats and encodings --------------------------------------------------------------------------

/// Ids, names and mean shares of a result's corridors.
fn corridors(result: &Path) -> Vec<(String, String, f64)> {
    let layer = layer(result, "corridors");
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    layer["features"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| {
            let p = &f["properties"];
            (text(&p["id"]), text(&p["name"]), p["mean"].as_f64().unwrap())
        })
        .collect()
}

#[rstest]
#[case::geopackage("r.gpkg", &["r.gpkg", "roads.geojson"])]
#[case::projected_shapefile("r.shp", &["-t_srs", "EPSG:6372", "-lco", "ENCODING=UTF-8", "r.shp", "roads.geojson"])]
#[case::latin_shapefile("r.shp", &["-lco", "ENCODING=CP1252", "r.shp", "roads.geojson"])]
#[case::flatgeobuf("r.fgb", &["r.fgb", "roads.geojson"])]
#[case::unindexed_flatgeobuf("r.fgb", &["-lco", "SPATIAL_INDEX=NO", "r.fgb", "roads.geojson"])]
#[case::projected_geopackage("r.gpkg", &["-t_srs", "EPSG:32615", "r.gpkg", "roads.geojson"])]
fn roads_of_every_format_give_the_same_corridors(#[case] file: &str, #[case] args: &[&str]) {
    let study = Study::new();
    study.run(&["--steps", "corridors"]).exits(0);
    let expected = corridors(&study.out());
    assert!(expected.len() >= 4);

    ogr2ogr(&study, args);
    repoint(&study, "roads.geojson", file);
    let before = snapshot(&study.dir());
    Answer::of(study.command("other").args(["--steps", "corridors"])).exits(0);
    assert_same(&before, &snapshot(&study.dir()));
    let found = corridors(&study.root().join("other"));
    let names = |list: &[(String, String, f64)]| -> Vec<(String, String)> {
        let mut names: Vec<_> = list.iter().map(|(id, name, _)| (id.clone(), name.clone())).collect();
        names.sort();
        names
    };
    assert_eq!(names(&found), names(&expected));
    for (id, name, mean) in &found {
        let other = expected.iter().find(|(other, ..)| other == id).unwrap().2;
        assert!((mean - other).abs() <= 0.002, "{name}: {mean} and {other}");
    }
}

#[rstest]
#[case::geojson("towns.csv", "t.geojson", &["-oo", "X_POSSIBLE_NAMES=lon", "-oo", "Y_POSSIBLE_NAMES=lat", "-a_srs", "EPSG:4326", "t.geojson", "towns.csv"])]
#[case::shapefile("exits.csv", "t.shp", &["-oo", "X_POSSIBLE_NAMES=lon", "-oo", "Y_POSSIBLE_NAMES=lat", "-a_srs", "EPSG:4326", "t.shp", "exits.csv"])]
fn points_of_every_format_are_read(#[case] from: &str, #[case] to: &str, #[case] args: &[&str]) {
    let study = Study::new();
    study.run(&["--steps", "corridors"]).exits(0);
    ogr2ogr(&study, args);
    repoint(&study, from, to);
    Answer::of(study.command("other").args(["--steps", "corridors"])).exits(0);
    assert_eq!(corridors(&study.out()), corridors(&study.root().join("other")));
}

/// The layers and tables of a result, without the id of the run, which is made from the bytes of the inputs.
fn figures(result: &Path) -> Vec<(String, String)> {
    let run = support::manifest(result)["run_id"].as_str().unwrap().to_owned();
    texts(result)
        .into_iter()
        .filter(|(name, _)| name.starts_with("layers/") || name.starts_with("tables/"))
        .map(|(name, text)| (name, text.replace(&run, "")))
        .collect()
}

const TABLES: [&str; 7] = [
    "municipios.csv",
    "incidencia.csv",
    "crossings.csv",
    "exits.csv",
    "towns.csv",
    "posts.csv",
    "worksites.csv",
];

#[rstest]
#[case::windows_1252(|text: &str| {
    let (bytes, _, lost) = encoding_rs::WINDOWS_1252.encode(text);
    assert!(!lost);
    bytes.into_owned()
})]
#[case::byte_order_mark(|text: &str| format!("\u{feff}{text}").into_bytes())]
#[case::line_ends(|text: &str| text.replace('\n', "\r\n").into_bytes())]
#[case::no_last_line_end(|text: &str| text.trim_end().as_bytes().to_vec())]
#[case::empty_rows(|text: &str| format!("{text}\n\n").into_bytes())]
fn the_way_a_table_is_written_changes_no_figure(#[case] encode: fn(&str) -> Vec<u8>) {
    let study = Study::new();
    study.run(&[]).exits(0);
    let expected = figures(&study.out());
    for name in TABLES {
        study.write(name, encode(&study.text(name)));
    }
    Answer::of(&mut study.command("other")).exits(0);
    let found = figures(&study.root().join("other"));
    for (a, b) in expected.iter().zip(&found) {
        assert!(a == b, "{} differs", a.0);
    }
    assert_eq!(expected.len(), found.len());
}

#[test]
fn another_delimiter_a_decimal_comma_and_declared_encodings_change_no_figure() {
    let study = Study::new();
    study.run(&[]).exits(0);
    let expected = figures(&study.out());
    let mut reader = csv::Reader::from_path(study.path("exits.csv")).unwrap();
    let header = reader.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let mut writer = csv::WriterBuilder::new().delimiter(b';').from_path(study.path("exits.csv")).unwrap();
    writer.write_record(&header).unwrap();
    for row in rows {
        let values = row.iter().zip(&header).map(|(value, name)| match name {
            "lat" | "lon" => value.replace('.', ","),
            _ => value.to_owned(),
        });
        writer.write_record(values).unwrap();
    }
    writer.flush().unwrap();
    to_windows_1252(&study, "towns.csv");
    spec(&study, "towns.csv", "encoding = 'windows-1252'");
    spec(&study, "crossings.csv", "encoding = 'UTF-8', crs = 'EPSG:4326'");
    Answer::of(&mut study.command("other")).exits(0);
    for (a, b) in expected.iter().zip(&figures(&study.root().join("other"))) {
        assert!(a == b, "{} differs", a.0);
    }
}

/// The table as the rows of a sheet: coordinates as numbers, codes and all the rest as text.
fn sheet(study: &Study, file: &str) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    study.table(file, |header, body| {
        let text = |value: &str| {
            let value = value.replace('&', "&amp;").replace('<', "&lt;");
            format!("<c r=\"AT\" t=\"inlineStr\"><is><t>{value}</t></is></c>")
        };
        let numbers: Vec<bool> = header.iter().map(|name| matches!(name.as_str(), "lat" | "lon")).collect();
        rows.push(header.iter().map(|name| text(name)).collect());
        rows.extend(body.iter().map(|row| {
            let cells = row.iter().zip(&numbers);
            cells
                .map(|(v, number)| if *number || v.is_empty() { v.clone() } else { text(v) })
                .collect::<Vec<String>>()
        }));
    });
    rows
}

#[test]
fn archives_and_spreadsheets_change_no_figure() {
    let study = Study::new();
    study.run(&[]).exits(0);
    let expected = figures(&study.out());
    for file in ["exits.csv", "towns.csv", "crossings.csv"] {
        let rows = sheet(&study, file);
        let rows: Vec<Vec<&str>> = rows.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
        let rows: Vec<&[&str]> = rows.iter().map(Vec::as_slice).collect();
        let name = file.replace("csv", "xlsx");
        study.write(&name, workbooks::xlsx(&rows));
        repoint(&study, file, &name);
        fs::remove_file(study.path(file)).unwrap();
    }
    for file in ["roads.geojson", "municipios.csv", "incidencia.csv", "posts.csv", "exits.xlsx"] {
        let name = format!("{file}.zip");
        let bytes = fs::read(study.path(file)).unwrap();
        study.write(&name, workbooks::zipped(&[("LEEME.txt", b"x"), (&format!("datos/{file}"), &bytes)]));
        study.write(
            "study.toml",
            study
                .text("study.toml")
                .replace(&format!("{file}\""), &format!("{name}\""))
                .replace(&format!("{file}'"), &format!("{name}'")),
        );
        fs::remove_file(study.path(file)).unwrap();
    }
    let before = snapshot(&study.dir());
    Answer::of(&mut study.command("other")).exits(0);
    assert_same(&before, &snapshot(&study.dir()));
    let found = figures(&study.root().join("other"));
    assert_eq!(expected.len(), found.len());
    for (a, b) in expected.iter().zip(&found) {
        assert!(a == b, "{} differs", a.0);
    }
    // And a fault names the file within the archive.
    fs::remove_dir_all(study.out()).unwrap();
    study.write("posts.csv.zip", workbooks::zipped(&[("datos/posts.csv", b"id,lon,lat\n1,-92.2\n")]));
    let answer = study.fails(1);
    told(&answer, "S012", "posts.csv.zip/datos/posts.csv", Some(2), None);
}

#[test]
fn the_order_of_rows_changes_no_name() {
    let study = Study::new();
    study.run(&["--steps", "corridors"]).exits(0);
    for name in TABLES {
        study.table(name, |_, rows| rows.reverse());
    }
    study.features("roads.geojson", |features| features.reverse());
    study.features(MUNICIPALITIES, |features| features.reverse());
    Answer::of(study.command("other").args(["--steps", "corridors"])).exits(0);
    let said = |result: &Path| -> Vec<String> {
        let layer = layer(result, "corridors");
        let of = |feature: &Value| {
            ["id", "name", "parallel_to", "border_zone", "border_km"]
                .map(|f| feature["properties"][f].to_string())
        };
        let mut said: Vec<_> =
            layer["features"].as_array().unwrap().iter().map(|f| of(f).join(" ")).collect();
        said.sort();
        said
    };
    assert_eq!(said(&study.out()), said(&study.root().join("other")));
    assert_eq!(layer_names(&study.out()), layer_names(&study.root().join("other")));
}
