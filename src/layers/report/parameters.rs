//! The parameters of a run as a table: what each is, its value or what is known of it before the data, its unit.

use serde_json::Value;

use super::document::{Block, Column, Table};
use crate::layers::feature::Lang;
use crate::layers::words::{fill, text};
use crate::model::prior::Prior;

/// Parts of the study file whose parameters are told; files, closures and texts stand elsewhere.
const PARTS: [&str; 4] = ["parameters", "incidence", "planning", "disclosure"];
/// Tables of a study file that are shown in other places, or have no end.
const ELSEWHERE: [&str; 3] = ["incidence.modalities", "incidence.period", "planning.reference_date"];

/// Unit of a parameter: a key under `report.parameters`, or the unit itself.
fn unit(path: &str) -> &'static str {
    match path {
        "parameters.gamma" => "per_minute",
        "parameters.border_share"
        | "parameters.exit_share"
        | "incidence.unlocated"
        | "incidence.under_detection.probability"
        | "planning.staffed_share"
        | "planning.detection"
        | "parameters.membership" => "share",
        "parameters.crossing_concentration" => "per_crossing",
        "parameters.speed_factor" | "parameters.profiles.major_road_factor" => "factor",
        "parameters.route_variance_min"
        | "parameters.crossing_min"
        | "parameters.profiles.post_penalty_min" => "min",
        "parameters.node_tolerance_m" | "parameters.max_snap_m" | "planning.exposure_radius_m" => "m",
        "parameters.access_speed_kmh" => "km/h",
        "parameters.corridor_min_km" => "km",
        "incidence.rate" => "rate",
        "incidence.period_years" => "years",
        "incidence.total" | "incidence.unlisted_max" | "disclosure.k" => "cases",
        path if path.starts_with("parameters.speeds_kmh.") => "km/h",
        _ => "",
    }
}

/// The parameters, or nothing for an audience that has none.
pub(super) fn blocks(parameters: Option<&Value>, lang: Lang) -> Vec<Block> {
    let Some(parameters) = parameters else { return Vec::new() };
    let mut rows = Vec::new();
    if let Some(seed) = parameters.get("seed") {
        row("seed", seed, lang, &mut rows);
    }
    for part in PARTS {
        if let Some(value) = parameters.get(part) {
            walk(part, value, lang, &mut rows);
        }
    }
    let head = |key: &str| text(lang, &format!("report.parameters.{key}"));
    let columns = vec![
        Column::words(head("name"), 2),
        Column::words(head("key"), 2),
        Column::words(head("value"), 2),
        Column::words(head("unit"), 1),
    ];
    let note = String::new();
    vec![Block::Table(Table { caption: head("caption"), columns, rows, header: 0, note, codes: false })]
}

fn walk(path: &str, value: &Value, lang: Lang, rows: &mut Vec<Vec<String>>) {
    if ELSEWHERE.contains(&path) {
        return;
    }
    // Options of a law that is not the one in use.
    let law = |map: &serde_json::Map<String, Value>| map.get("model").and_then(Value::as_str) == Some("bym2");
    match value {
        Value::Object(map) if prior(value, lang).is_none() => {
            // Sorted, whatever the order of the file.
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            for key in keys.into_iter().filter(|key| *key != "bym2" || law(map)) {
                walk(&format!("{path}.{key}"), &map[key], lang, rows);
            }
        }
        Value::Null => {}
        _ => row(path, value, lang, rows),
    }
}

fn row(path: &str, value: &Value, lang: Lang, rows: &mut Vec<Vec<String>>) {
    let key = format!("report.parameters.of.{}", path.replace('.', "_"));
    let name = known(&key, lang).or_else(|| of_many(path, lang));
    let told = prior(value, lang).unwrap_or_else(|| match value {
        Value::String(code) => {
            known(&format!("report.parameters.words.{code}"), lang).unwrap_or_else(|| code.clone())
        }
        Value::Number(n) => n.as_f64().map_or_else(|| n.to_string(), number),
        other => other.to_string(),
    });
    let unit = unit(path);
    let words = format!("report.parameters.{unit}");
    let unit = Some(text(lang, &words)).filter(|found| *found != words && !unit.is_empty());
    let unit = unit.unwrap_or_else(|| self::unit(path).to_owned());
    rows.push(vec![name.unwrap_or_else(|| path.to_owned()), path.to_owned(), told, unit]);
}

/// The text of a key, if there is one.
pub(super) fn known(key: &str, lang: Lang) -> Option<String> {
    Some(text(lang, key)).filter(|found| found != key)
}

/// A parameter that a study may have any number of.
fn of_many(path: &str, lang: Lang) -> Option<String> {
    ["planning.sectors", "parameters.speeds_kmh"].iter().find_map(|table| {
        let name = path.strip_prefix(table)?.strip_prefix('.')?;
        let key = format!("report.parameters.of.{}", table.replace('.', "_"));
        Some(fill(lang, &key, &[("name", name)]))
    })
}

/// A parameter as it is in the study: not rounded, as it may be needed for another run, but for the dust of a fraction.
fn number(x: f64) -> String {
    let short = format!("{x:.6}");
    short.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn prior(value: &Value, lang: Lang) -> Option<String> {
    if !value.is_object() {
        return None;
    }
    let told = |key: &str, [a, b]: [f64; 2]| {
        fill(lang, &format!("report.parameters.{key}"), &[("a", number(a)), ("b", number(b))])
    };
    Some(match serde_json::from_value(value.clone()).ok()? {
        Prior::Fixed(x) => number(x),
        Prior::Normal { mean, sd } => told("normal", [mean, sd]),
        Prior::Lognormal { median, sigma } => told("lognormal", [median, sigma]),
        Prior::Beta { a, b } => told("beta", [a, b]),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::study::{CountLaw, Study};

    #[test]
    fn every_parameter_of_a_study_has_a_name_in_both_languages() {
        let mut study: Study = toml::from_str(
            "format = 1\n[study]\nname = \"a\"\ntitle = \"b\"\nregion = \"c\"\n[sources]\nmunicipalities = { path = \"m\" }\npopulation = { path = \"p\" }\nroads = { path = \"r\" }\n",
        )
        .unwrap();
        study.incidence.model = CountLaw::Bym2;
        study.planning.sectors.insert("7211".into(), 1.5);
        study.parameters.speeds_kmh.insert("federal/paved".into(), 80.0);
        let parameters = serde_json::to_value(&study).unwrap();
        for lang in [Lang::Es, Lang::En] {
            let blocks = blocks(Some(&parameters), lang);
            let Block::Table(table) = &blocks[0] else { panic!("a table") };
            assert!(table.rows.len() > 30, "{}", table.rows.len());
            for row in &table.rows {
                assert_ne!(row[0], row[1], "a parameter has no name");
            }
            let gamma = table.rows.iter().find(|row| row[1] == "parameters.gamma").unwrap();
            assert!(gamma[2].contains("0.02") && gamma[2].contains("0.35"), "{gamma:?}");
        }
        assert!(blocks(None, Lang::Es).is_empty());
    }

    #[test]
    fn a_table_that_is_no_prior_is_told_key_by_key() {
        let mut rows = Vec::new();
        walk(
            "parameters",
            &json!({ "x": { "z": 1, "a": { "fixed": 0.5 } }, "n": null }),
            Lang::Es,
            &mut rows,
        );
        let keys: Vec<&str> = rows.iter().map(|row| row[1].as_str()).collect();
        assert_eq!(keys, ["parameters.x.a", "parameters.x.z"]);
        assert_eq!([&rows[0][2], &rows[1][2]], ["0.5", "1"]);
    }
}
