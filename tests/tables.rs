//! `datapackage.json` beside the files that it describes: every value of every table is of its type and within its limits.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail by panicking")]
#![allow(clippy::print_stdout, reason = "a test that is passed over, or that measures, says so")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use corredor::layers::manifest::hash_file;
use serde_json::Value;
use support::{Answer, Study, corredor, manifest, snapshot};

/// The environment that `scripts/setup test` makes, if frictionless is in it.
fn python() -> Option<PathBuf> {
    let python = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("venv").join("bin/python");
    let has = Command::new(&python).args(["-c", "import frictionless"]).output();
    if has.is_ok_and(|out| out.status.success()) {
        return Some(python);
    }
    assert!(std::env::var_os("CORREDOR_REQUIRE_ORACLES").is_none(), "frictionless is missing");
    println!("skipped: frictionless is missing");
    None
}

/// What `tests/tables/check_package.py` says of a result.
fn checked(result: &Path) -> Option<Answer> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tables/check_package.py");
    Some(Answer::of(Command::new(python()?).arg(script).arg(result)))
}

fn package(result: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(result.join("datapackage.json")).unwrap()).unwrap()
}

/// What is wrong with a cell by a field of a Table Schema; nothing is wrong with an empty one unless it is required.
fn of_cell(field: &Value, cell: &str) -> Option<String> {
    let limits = &field["constraints"];
    if cell.is_empty() {
        return (limits["required"] == true).then(|| "is required".to_owned());
    }
    let kind = field["type"].as_str().unwrap();
    let number = cell.parse::<f64>().ok().filter(|n| n.is_finite());
    let is_json = |of: fn(&Value) -> bool| serde_json::from_str(cell).is_ok_and(|value| of(&value));
    let fits = match kind {
        "string" => true,
        "integer" => cell.parse::<i64>().is_ok(),
        "number" => number.is_some(),
        "boolean" => ["true", "false"].contains(&cell),
        "array" => is_json(Value::is_array),
        "object" => is_json(Value::is_object),
        _ => false,
    };
    if !fits {
        return Some(format!("is no {kind}"));
    }
    if let (Some(least), Some(n)) = (limits["minimum"].as_f64(), number)
        && n < least
    {
        return Some(format!("is below {least}"));
    }
    if let (Some(most), Some(n)) = (limits["maximum"].as_f64(), number)
        && n > most
    {
        return Some(format!("is above {most}"));
    }
    if let Some(codes) = limits["enum"].as_array()
        && !codes.iter().any(|code| code == cell)
    {
        return Some("is none of the codes".to_owned());
    }
    // The expressions that are in use: digits and hyphens of a fixed number.
    let shape: String = cell.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
    match limits["pattern"].as_str() {
        None => None,
        Some("^[0-9]{5}$") => (shape != "99999").then(|| "is no code".to_owned()),
        Some("^[0-9]{4}-[0-9]{2}-[0-9]{2}$") => (shape != "9999-99-99").then(|| "is no date".to_owned()),
        Some(other) => Some(format!("has an expression that the test does not know: {other}")),
    }
}

#[track_caller]
fn holds(result: &Path) {
    let package = package(result);
    let resources = package["resources"].as_array().unwrap();
    let mut named = BTreeSet::new();
    let mut tables = 0;
    for resource in resources {
        let path = resource["path"].as_str().unwrap();
        assert!(named.insert(path.to_owned()), "{path} stands twice");
        let (sha256, bytes) = hash_file(&result.join(path)).unwrap();
        assert_eq!(resource["hash"], format!("sha256:{sha256}"), "{path}");
        assert_eq!(resource["bytes"], bytes, "{path}");
        let name = resource["name"].as_str().unwrap();
        assert!(
            name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._/".contains(c)),
            "{name}"
        );
        if resource["profile"] != "tabular-data-resource" {
            continue;
        }
        tables += 1;
        let text = fs::read_to_string(result.join(path)).unwrap();
        let mut reader = csv::Reader::from_reader(text.strip_prefix('\u{feff}').unwrap().as_bytes());
        let fields = resource["schema"]["fields"].as_array().unwrap();
        let header: Vec<&str> = fields.iter().map(|f| f["name"].as_str().unwrap()).collect();
        assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), header, "{path}");
        let (mut rows, mut keys) = (0_u64, BTreeSet::new());
        for row in reader.records() {
            let row = row.unwrap();
            rows += 1;
            for (field, cell) in fields.iter().zip(&row) {
                if let Some(fault) = of_cell(field, cell) {
                    panic!("{path}, row {rows}, {}: {cell:?} {fault}", field["name"]);
                }
            }
            assert!(keys.insert(row[0].to_owned()), "{path}: key {} twice", &row[0]);
        }
        assert_eq!(resource["rows"], rows, "{path}");
    }
    assert!(tables >= 3, "{tables}");
    let files: BTreeSet<String> =
        snapshot(result).into_keys().filter(|name| result.join(name).is_file()).collect();
    let rest: Vec<&String> = files.difference(&named).collect();
    assert_eq!(rest, ["datapackage.json", "run.json"]);
    // The manifest holds the descriptor as it holds every file.
    let manifest = manifest(result);
    let listed =
        manifest["outputs"].as_array().unwrap().iter().find(|o| o["path"] == "datapackage.json").unwrap();
    assert_eq!(listed["sha256"], hash_file(&result.join("datapackage.json")).unwrap().0);
}

#[test]
fn the_tables_of_the_demo_are_as_they_are_described_to_both_audiences() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("demo");
    Answer::of(corredor().args(["demo", "--draws", "20", "--out"]).arg(&out)).exits(0);
    for audience in ["restricted", "public"] {
        holds(&out.join(audience));
        if let Some(answer) = checked(&out.join(audience)) {
            answer.exits(0);
        }
    }
    Answer::of(corredor().arg("verify").arg(&out)).exits(0);
    // Nothing that the public may not see, and no word about how it was made.
    let public = package(&out.join("public")).to_string();
    for word in [
        "count_mean",
        "recruitment",
        "worksites",
        "checkpoints",
        "/roads.",
        "RESTRINGIDO",
        "\"seed\"",
        "draws\"",
    ] {
        assert!(!public.contains(word), "{word}");
    }
}

#[test]
fn a_damaged_table_does_not_fit_its_description() {
    let study = Study::new();
    study.run(&["--lang", "en"]).exits(0);
    let path = study.out().join("tables/municipalities.csv");
    let table = fs::read_to_string(&path).unwrap();
    let described = package(&study.out());
    let title = |name: &str| {
        let tables = described["resources"].as_array().unwrap();
        let table = tables.iter().find(|r| r["name"] == "municipalities").unwrap();
        let fields = table["schema"]["fields"].as_array().unwrap();
        fields.iter().find(|f| f["name"] == name).unwrap()["title"].clone()
    };
    assert_eq!(title("population"), "Population", "the language of the run");
    for (from, to) in
        [(",exact,", ",certain,"), (",07001,", ",7001,"), (",interval,", ",interval"), ("\n", "\n\"")]
    {
        assert!(table.contains(from), "{from:?}");
        fs::write(&path, table.replacen(from, to, 2)).unwrap();
        if let Some(answer) = checked(&study.out()) {
            answer.exits(1);
        }
    }
    let field = serde_json::json!({ "type": "integer", "constraints": { "minimum": 0, "maximum": 5 } });
    for (cell, fault) in
        [("", None), ("3", None), ("-1", Some("below")), ("6", Some("above")), ("3.5", Some("no integer"))]
    {
        let said = of_cell(&field, cell);
        assert_eq!(said.is_some(), fault.is_some(), "{cell}");
        assert!(fault.is_none_or(|words| said.unwrap().contains(words)), "{cell}");
    }
}
