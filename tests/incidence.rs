//! What a result says of counts: laws, parts, search effort, scenario, hot spots; and what makes counts impossible.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail by panicking")]

mod support;

use serde_json::{Value, json};
use support::{Answer, Study, layer, manifest};

const STEPS: &[&str] = &["--steps", "incidence"];

/// Properties of the municipalities of a run, by code.
fn municipalities(study: &Study) -> Vec<Value> {
    let features = layer(&study.out(), "municipalities");
    features["features"].as_array().unwrap().iter().map(|f| f["properties"].clone()).collect()
}

fn of<'a>(rows: &'a [Value], code: &str) -> &'a Value {
    rows.iter().find(|r| r["cvegeo"] == code).unwrap()
}

fn notices(study: &Study) -> String {
    manifest(&study.out())["notices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|n| n.as_str().unwrap().to_owned() + "\n")
        .collect()
}

#[test]
fn arithmetic_and_model_are_told_apart() {
    let study = Study::new();
    study.run(STEPS).exits(0);
    let said = notices(&study);
    assert!(
        said.contains("Aritmética (no depende del modelo): de 645 casos, 394 están en 6 municipios"),
        "{said}"
    );
    assert!(said.contains("al menos 97 casos están en otros municipios o no tienen lugar"), "{said}");
    assert!(said.contains("Modelo (depende de supuestos): sin lugar,"), "{said}");
    assert!(said.contains("no corregido"), "{said}");
    assert!(said.contains("236 casos detectados con modalidad conocida"), "{said}");
    let counts = &manifest(&study.out())["statistics"]["counts"];
    assert_eq!(counts["arithmetic"]["elsewhere_at_least"], 97);
    assert_eq!(counts["modalities"]["denominator"], 236.0);
    assert_eq!(counts["model"]["law"], "negative_binomial");
    for figure in ["heterogeneity", "rate_100k_year", "unlocated_share", "cases_in_unknown"] {
        let f = &counts["model"][figure];
        assert!(f["p05"].as_f64().unwrap() <= f["p95"].as_f64().unwrap(), "{figure}: {f}");
    }
}

#[test]
fn what_is_unknown_shows_no_rate_and_no_hot_spot() {
    let study = Study::new();
    study.run(STEPS).exits(0);
    for row in municipalities(&study) {
        let shown = ["rate_mean", "rate_p05", "rate_p95", "pr_above", "pr_hot", "scenario_rate_mean"];
        for field in shown {
            assert_eq!(row[field].is_null(), row["datum"] == "unknown", "{field} of {row}");
        }
        assert_eq!(row["hot_class"] == "no_data", row["datum"] == "unknown", "{row}");
        if row["datum"] != "unknown" {
            let [low, mean, high] = ["rate_p05", "rate_mean", "rate_p95"].map(|f| row[f].as_f64().unwrap());
            assert!(low <= mean && mean <= high, "{row}");
            // What was not detected can only add.
            assert!(row["scenario_rate_mean"].as_f64().unwrap() > mean, "{row}");
            assert!((0.0..=1.0).contains(&row["pr_hot"].as_f64().unwrap()));
        }
    }
    let rows = municipalities(&study);
    assert!(of(&rows, "07101")["pr_above"].as_f64().unwrap() > 0.99, "Tuxtla Gutiérrez is above the state");
    let hot = &manifest(&study.out())["statistics"]["counts"]["hot_spots"];
    assert_eq!((&hot["neighbours"], &hot["tested"]), (&json!("queen"), &json!(17)));
    assert!(hot["moran"]["mean"].as_f64().unwrap().abs() < 1.0);
}

#[test]
fn each_law_and_each_kind_of_neighbour_can_be_asked_for() {
    for (from, to) in [
        ("model = \"negative_binomial\"", "model = \"common\""),
        ("heterogeneity = { lognormal = { median = 1.0, sigma = 0.7 } }", "heterogeneity = { fixed = 0.5 }"),
        ("unlocated = { beta = { a = 1.0, b = 9.0 } }", "unlocated = { fixed = 0.0 }"),
        (
            "[incidence.modalities]",
            "hot_spots = { neighbours = \"rook\", inference = \"analytic\" }\n[incidence.modalities]",
        ),
        (
            "[incidence.modalities]",
            "hot_spots = { neighbours = { nearest = 5 }, permutations = 99 }\n[incidence.modalities]",
        ),
        (
            "[incidence.modalities]",
            "hot_spots = { neighbours = { within_km = 60.0 } }\n[incidence.modalities]",
        ),
    ] {
        let study = Study::new();
        study.edit("study.toml", from, to);
        study.run(STEPS).exits(0);
        let located: f64 = municipalities(&study).iter().map(|r| r["count_mean"].as_f64().unwrap()).sum();
        assert!(located <= 645.0 + 1e-9 && located > 394.0, "{to}: {located}");
    }
}

#[test]
fn parameters_out_of_their_ranges_are_named() {
    let study = Study::new();
    study.edit("study.toml", "rate = { lognormal = { median = 1.0", "rate = { lognormal = { median = 0.0");
    study.edit(
        "study.toml",
        "heterogeneity = { lognormal = { median = 1.0, sigma = 0.7 } }",
        "heterogeneity = { beta = { a = 1.0, b = 1.0 } }",
    );
    study.edit("study.toml", "spread = 0.5", "spread = 7.0");
    study.edit(
        "study.toml",
        "[incidence.modalities]",
        "hot_spots = { neighbours = { nearest = 0 }, permutations = 5 }\n[incidence.modalities]",
    );
    let answer = study.fails(1);
    for path in [
        "incidence.rate",
        "incidence.heterogeneity",
        "incidence.under_detection.spread",
        "incidence.hot_spots.permutations",
        "incidence.hot_spots.neighbours.nearest",
    ] {
        assert!(answer.stderr.contains(path), "{path}: {}", answer.stderr);
    }
}

#[test]
fn counts_that_cannot_be_are_told_with_the_numbers_that_break() {
    let study = Study::new();
    study.edit("study.toml", "total = 645", "total = 400");
    let answer = study.fails(1);
    assert!(answer.stderr.contains("405") && answer.stderr.contains("400"), "{}", answer.stderr);
    let study = Study::new();
    study.edit("study.toml", "total = 645", "total = 100000");
    study.edit("study.toml", "unlocated = { beta = { a = 1.0, b = 9.0 } }", "unlocated = { fixed = 0.0 }");
    let answer = study.fails(1);
    // 394 + 11 · 14 + 107 · 14.
    assert!(answer.stderr.contains("2046") && answer.stderr.contains("100000"), "{}", answer.stderr);
}

/// The study with counts of its own: rows of code, period, modality, count, `known_by`, search effort.
fn with_counts(rows: &[[&str; 6]]) -> Study {
    let study = Study::new();
    let lines: String = rows.iter().map(|row| row.join(",") + "\n").collect();
    study.write("incidencia.csv", format!("cvegeo,period,modality,count,known_by,search_effort\n{lines}"));
    study.cut("study.toml", "period = ", "unlisted_max");
    study
}

#[test]
fn counts_are_told_by_period_and_by_modality() {
    let study = with_counts(&[
        ["07101", "2019", "sexual", "30", "reported", ""],
        ["07101", "2019", "laboral", "6", "reported", ""],
        ["07101", "2020", "sexual", "10", "reported", ""],
        ["07101", "2020", "laboral", "2", "reported", ""],
        ["07089", "2019", "sexual", "5", "reported", ""],
        ["07089", "2019", "", "4", "reported", ""],
        ["07089", "2020", "", "7", "reported", ""],
    ]);
    study.run(&[]).exits(0);
    let rows = municipalities(&study);
    let tuxtla = of(&rows, "07101");
    assert_eq!((&tuxtla["count_min"], &tuxtla["period_years"]), (&json!(48), &json!(2.0)));
    let part = |row: &Value, field: &str, name: &str| {
        row[field].as_array().unwrap().iter().find(|p| p["name"] == name).unwrap().clone()
    };
    let year = part(tuxtla, "by_period", "2019");
    assert_eq!((&year["count_min"], &year["count_max"]), (&json!(36), &json!(36)));
    let later = part(tuxtla, "by_period", "2020");
    assert!(year["rate_p05"].as_f64().unwrap() > later["rate_p95"].as_f64().unwrap(), "{year} {later}");
    // Eleven cases of Tapachula are of no modality: each can be of any, and is in none.
    let tapachula = of(&rows, "07089");
    let sexual = part(tapachula, "by_modality", "sexual");
    assert_eq!(sexual["count_min"], 5);
    assert!(sexual["count_max"].is_null() || sexual["count_max"].as_u64().unwrap() >= 16, "{sexual}");
    let of_sexual = &of(&rows, "07101")["roles"]["exploitation"]["cases"];
    assert_eq!((&of_sexual["sexual"], &of_sexual["laboral"]), (&json!(40.0), &json!(8.0)));
    assert_eq!(tapachula["roles"]["exploitation"]["cases"]["sexual"], Value::Null);
    // Of one that no row names nothing is known, and none of the 48 or of the 236 is given to it.
    assert!(of(&rows, "07001")["by_modality"].is_null());

    // None of it is for the public.
    let public = Study::new();
    public.write("incidencia.csv", study.text("incidencia.csv"));
    public.run(&["--audience", "public"]).exits(0);
    let text = layer(&public.out(), "municipalities").to_string();
    assert!(
        !text.contains("by_modality") && !text.contains("recruitment"),
        "restricted fields are not there"
    );
}

#[test]
fn found_counts_are_levelled_where_the_search_effort_is_known() {
    let rows = |effort: &'static str| {
        [
            ["07101", "2019", "", "200", "found", effort],
            ["07089", "2019", "", "40", "found", "1"],
            ["07078", "2019", "", "20", "reported", ""],
        ]
    };
    let even = with_counts(&rows("1"));
    even.run(&[]).exits(0);
    let uneven = with_counts(&rows("10"));
    uneven.run(&[]).exits(0);
    for study in [&even, &uneven] {
        assert!(notices(study).contains("se igualan al menor esfuerzo"), "{}", notices(study));
    }
    // Ten times the search in Tuxtla Gutiérrez: a tenth of its cases decides, but its rate is that of what was detected.
    let reception = |study: &Study, code: &str| {
        of(&municipalities(study), code)["roles"]["reception"]["mean"].as_f64().unwrap()
    };
    assert!(reception(&uneven, "07101") < 0.5 * reception(&even, "07101"));
    assert!(reception(&uneven, "07089") > 1.5 * reception(&even, "07089"));
    let rate = |study: &Study| of(&municipalities(study), "07101")["rate_100k_year"].clone();
    assert_eq!(rate(&even), rate(&uneven));
    assert_eq!(of(&municipalities(&uneven), "07101")["search_effort"], 10.0);
    // One without its effort, and nothing is corrected, which is told with its row.
    let lacking =
        with_counts(&[["07101", "2019", "", "200", "found", ""], ["07089", "2019", "", "40", "found", "1"]]);
    let answer = lacking.run(STEPS).exits(0);
    assert!(notices(&lacking).contains("no corregido"), "{}", notices(&lacking));
    assert!(
        answer.stderr.contains("M036") && answer.stderr.contains("incidencia.csv, fila 2"),
        "{}",
        answer.stderr
    );
    // Reported and found cases of one municipality.
    let mixed = with_counts(&[
        ["07101", "2019", "", "20", "found", "2"],
        ["07101", "2020", "", "4", "reported", "1"],
    ]);
    let answer = mixed.run(STEPS);
    assert!(answer.stderr.contains("M037"), "{}", answer.stderr);
    // One that looked little decides for all.
    let little =
        with_counts(&[["07101", "2019", "", "200", "found", "50"], ["07089", "2019", "", "2", "found", "1"]]);
    little.run(STEPS).exits(0);
    assert!(notices(&little).contains("el menor esfuerzo es el de Tapachula"), "{}", notices(&little));
    // Nobody says how cases came to be known.
    let silent = with_counts(&[["07101", "2019", "", "200", "", ""]]);
    silent.run(STEPS).exits(0);
    assert!(notices(&silent).contains("no dicen cómo se conocieron"), "{}", notices(&silent));
}

#[test]
fn without_a_scenario_its_fields_are_empty() {
    let study = Study::new();
    study.cut("study.toml", "[incidence.under_detection]", "[parameters]");
    study.run(STEPS).exits(0);
    assert!(municipalities(&study).iter().all(|r| r["scenario_rate_mean"].is_null()));
    assert!(!notices(&study).contains("Escenario de subdetección"));
}

#[test]
fn a_small_modality_is_not_for_the_public() {
    let study = Study::new();
    study.edit("study.toml", "\"sexual y laboral\" = 17", "\"sexual y laboral\" = 3");
    study.run(&["--audience", "public", "--steps", "incidence"]).exits(0);
    assert!(!notices(&study).contains("Modalidades"), "{}", notices(&study));
    assert!(manifest(&study.out())["statistics"]["counts"]["modalities"].is_null());
}

#[test]
fn extreme_counts_run() {
    for (rows, total) in [
        (vec![["07101", "2019", "", "0", "", ""], ["07089", "2019", "", "0", "", ""]], Some(0)),
        (vec![["07101", "2019", "", "5000", "", ""]], None),
        (vec![["07101", "2019", "", "1", "", ""]], Some(5000)),
    ] {
        let study = with_counts(&rows);
        if let Some(total) = total {
            study.edit("study.toml", "unlisted_max = 14", &format!("unlisted_max = 14\ntotal = {total}"));
        }
        let answer = Answer::of(study.command("out").args(["--steps", "incidence"]));
        answer.exits(0);
        assert!(municipalities(&study).iter().all(|r| r["count_mean"].as_f64().unwrap().is_finite()));
    }
}

#[test]
fn cases_without_a_municipality_are_a_datum_where_there_is_no_total() {
    let rows = [
        ["07101", "2019", "", "30", "", ""],
        ["07089", "2019", "", "", "", ""],
        ["07998", "2019", "", "12", "", ""],
        ["07999", "2019", "", "3", "", ""],
    ];
    let study = with_counts(&rows);
    study.run(STEPS).exits(0);
    let model = &manifest(&study.out())["statistics"]["counts"]["model"];
    assert_eq!(model["unlocated_cases"], 15);
    assert!(model["posterior_points"].as_u64().unwrap() > 20, "{model}");
    assert!(
        notices(&study).contains("15 casos sin municipio en las tablas: es un dato"),
        "{}",
        notices(&study)
    );
    // Few counts carry the law of rates.
    assert!(notices(&study).contains("Municipios con cuenta o intervalo: 1."), "{}", notices(&study));
    // The public is not told their number.
    study.run(&["--steps", "incidence", "--audience", "public", "--force"]).exits(0);
    let public = manifest(&study.out()).to_string();
    assert!(!public.contains("casos sin municipio en las tablas"), "{public}");
    assert!(notices(&study).contains("Ningún dato informa de la proporción"), "{}", notices(&study));

    let without = with_counts(&rows);
    without.edit("study.toml", "unlocated = { beta = { a = 1.0, b = 9.0 } }", "unlocated = { fixed = 0.0 }");
    let answer = without.fails(1);
    assert!(answer.stderr.contains("I011") && answer.stderr.contains("15 casos"), "{}", answer.stderr);
}

#[test]
fn without_a_located_case_there_is_no_corridor() {
    let study = Study::new();
    let codes = study.text("municipios.csv");
    let zero = |line: &str| [line.split(',').next().unwrap(), ",2019,,0,,\n"].concat();
    let rows: String = codes.lines().skip(1).map(zero).collect();
    study.write("incidencia.csv", format!("cvegeo,period,modality,count,known_by,search_effort\n{rows}"));
    study.cut("study.toml", "period = ", "unlisted_max");
    let answer = study.run(&["--steps", "incidence,corridors"]).exits(0);
    assert!(answer.stdout.contains("No hay casos con lugar en ningún sorteo"), "{}", answer.stdout);
    assert!(!answer.stdout.contains("100.0"), "{}", answer.stdout);
}

#[test]
fn priors_of_a_wrong_law_and_keys_without_use_are_told() {
    let study = Study::new();
    study.edit(
        "study.toml",
        "unlocated = { beta = { a = 1.0, b = 9.0 } }",
        "unlocated = { lognormal = { median = 0.1, sigma = 1.0 } }\nmodel = \"common\"",
    );
    study.edit("study.toml", "model = \"negative_binomial\"\n", "");
    study.edit(
        "study.toml",
        "heterogeneity = { lognormal = { median = 1.0, sigma = 0.7 } }",
        "heterogeneity = { fixed = 0.5 }",
    );
    study.edit(
        "study.toml",
        "[incidence.modalities]",
        "hot_spots = { inference = \"analytic\", permutations = 999 }\n[incidence.modalities]",
    );
    let answer = study.fails(1);
    assert!(answer.stderr.contains("Errores: 1."), "{}", answer.stderr);
    assert!(answer.stderr.contains("use una de: fixed, beta"), "{}", answer.stderr);
    for path in ["incidence.heterogeneity", "incidence.hot_spots.permutations"] {
        let line = answer.stderr.lines().find(|l| l.contains(path)).unwrap_or_default();
        assert!(answer.stderr.contains("T008") && !line.is_empty(), "{path}: {}", answer.stderr);
    }
}

#[test]
fn a_count_beyond_what_can_be_modelled_is_named_in_its_file() {
    let study = with_counts(&[["07101", "2019", "", "1", "", ""], ["07089", "2019", "", "250000", "", ""]]);
    let answer = study.fails(1);
    assert!(
        answer.stderr.contains("I010")
            && answer.stderr.contains("incidencia.csv")
            && answer.stderr.contains("07089"),
        "{}",
        answer.stderr
    );
}

#[test]
fn a_total_beside_cases_without_a_municipality_must_fit_and_tells_the_public_no_small_number() {
    let study = Study::new();
    study.append("incidencia.csv", "07999,No especificado,300,,,found,x\n");
    let answer = study.fails(1);
    assert!(answer.stderr.contains("M010") && answer.stderr.contains("645 − 300 = 345"), "{}", answer.stderr);

    let study = Study::new();
    study.append("incidencia.csv", "07999,No especificado,200,,,found,x\n");
    study.run(STEPS).exits(0);
    let counts = manifest(&study.out())["statistics"]["counts"].clone();
    let share = counts["model"]["unlocated_share"].clone();
    assert!((share["mean"].as_f64().unwrap() - 200.0 / 645.0).abs() < 1e-9, "{share}");

    // Every count a number of its own, and seven cases without a municipality.
    let complete = Study::new();
    let codes = complete.text("municipios.csv");
    let row = |line: &str| [line.split(',').next().unwrap(), ",2019,,40,,\n"].concat();
    let rows: String = codes.lines().skip(1).map(row).collect();
    let table =
        ["cvegeo,period,modality,count,known_by,search_effort\n", &rows, "07999,2019,,7,,\n"].concat();
    complete.write("incidencia.csv", table);
    complete.cut("study.toml", "period = ", "unlisted_max");
    complete.run(&["--steps", "incidence", "--audience", "public"]).exits(0);
    let said = notices(&complete);
    assert!(!said.contains("no tienen lugar") && said.contains("El total no se publica"), "{said}");
    assert!(manifest(&complete.out())["statistics"]["counts"]["total"].is_null());
}

#[test]
fn neighbours_that_cannot_be_found_are_told_before_a_run() {
    let study = Study::new();
    // Each municipality with a polygon of its own: two that share one stand at one place.
    study.cut("study.toml", "[sources.merge]", "[incidence]");
    study.features("municipalities.geojson", |features| {
        let square = json!([[[-93.9, 14.0], [-93.8, 14.0], [-93.8, 14.1], [-93.9, 14.1], [-93.9, 14.0]]]);
        features.push(json!({
            "type": "Feature",
            "properties": { "cvegeo": "07125", "name": "Lejos" },
            "geometry": { "type": "Polygon", "coordinates": square },
        }));
    });
    let near = |km: &str| {
        study.edit(
            "study.toml",
            "[incidence.modalities]",
            &format!("hot_spots = {{ neighbours = {{ within_km = {km} }} }}\n[incidence.modalities]"),
        );
    };
    near("0.5");
    let answer = study.fails(1);
    assert!(
        answer.stderr.contains("I003") && answer.stderr.contains("«incidence.hot_spots»"),
        "{}",
        answer.stderr
    );
    study.edit("study.toml", "within_km = 0.5", "within_km = 60.0");
    study.check(&[]).exits(0);
}
