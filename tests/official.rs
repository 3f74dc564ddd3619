//! Files in the layouts of the offices, whole and broken, through the library and through the binary.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail by panicking")]
#![allow(clippy::needless_for_each, reason = "short lists of cases")]

#[path = "official/mod.rs"]
mod generator;
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use corredor::error::Faults;
use corredor::sources::raw::{RawTable, Value};
use corredor::sources::spec::{GeometryNeed, SourceSpec};
use corredor::sources::{self, ColumnRules, Limits};
use rstest::rstest;
use serde_json::json;

use generator::crimes::{self, Plan, TRAFFICKING};
use generator::{CHIAPAS, Form, Sheet, census, places, register, state};
use support::{Answer, Study, corredor, layer, layer_names};

/// Rule, row and field of a fault.
type Told = (String, Option<u64>, Option<String>);

const ENTITIES: [u32; 4] = [7, 20, 27, 30];

// ---- reading ----------------------------------------------------------------------------------------

/// Reads a file of a folder as `source`, by the keys of a study file.
fn read(dir: &Path, source: &str, keys: &str) -> (Option<RawTable>, Faults) {
    let spec: SourceSpec = toml::from_str(keys).unwrap();
    let need = if source == "worksites" { GeometryNeed::Point } else { GeometryNeed::None };
    let rules = ColumnRules { business_register: source == "worksites" };
    let mut faults = Faults::default();
    let table = sources::read(dir, source, &spec, need, &rules, &Limits::default(), &mut faults).unwrap();
    (table, faults)
}

/// Reads the bytes of a file that has no error.
#[track_caller]
fn read_whole(bytes: &[u8], source: &str, keys: &str) -> RawTable {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.csv"), bytes).unwrap();
    let (table, faults) = read(dir.path(), source, &format!("path = \"a.csv\"\n{keys}"));
    assert!(!faults.has_errors(), "{faults}");
    table.unwrap()
}

/// What of a table must not depend on how it is written.
fn canonical(table: &RawTable) -> String {
    format!("{:?}\n{:?}\n{:?}\n{:#?}", table.fields, table.labels, table.provenance.dropped, table.rows)
}

fn text(row: &sources::RawRow, at: usize) -> String {
    row.values[at].text().unwrap_or_default()
}

fn dropped(table: &RawTable) -> BTreeMap<&str, u64> {
    table.provenance.dropped.iter().map(|(reason, count)| (*reason, *count)).collect()
}

fn rows(sheet: &Sheet) -> u64 {
    sheet.rows.len() as u64
}

// ---- studies ----------------------------------------------------------------------------------------

/// The study of Chiapas with other files for some of its sources: name, and what stands behind its `=`.
fn chiapas(replaced: &[(&str, &str)]) -> Study {
    const FILE: &str = "study.toml";
    let study = Study::new();
    study.edit(FILE, "region = \"Chiapas\"", "region = \"Chiapas\"\nentities = [\"07\"]");
    for (name, spec) in replaced {
        match *name {
            "population" => study.cut(FILE, "[sources.population]", "# 07125"),
            "marginalization" => {}
            name => {
                let text = study.text(FILE);
                let line = text.lines().find(|line| line.starts_with(&format!("{name} = {{"))).unwrap();
                study.edit(FILE, &format!("{line}\n"), "");
            }
        }
        if *name == "counts" {
            study.cut(FILE, "period = \"2009", "# Parte de los casos");
        }
        study.edit(FILE, "[sources]\n", &format!("[sources]\n{name} = {spec}\n"));
    }
    study
}

/// The sources of an answer of `check` by name; several files of one in their order.
fn sources_of(answer: &serde_json::Value, name: &str) -> Vec<serde_json::Value> {
    let all = answer["sources"].as_array().unwrap();
    all.iter().filter(|source| source["source"] == name).cloned().collect()
}

// ---- whole files ------------------------------------------------------------------------------------

#[test]
fn counts_of_sesnsp_are_added_up_by_municipality() {
    let plan = Plan::usual();
    let sheet = crimes::incidents(&plan);
    let cases = crimes::cases(&plan);
    let (located, unlocated) = crimes::sums(&cases, CHIAPAS);
    assert_eq!(located.len(), 124);
    assert!(located.values().filter(|n| **n == 0).count() > 62, "most are zero");

    let table = read_whole(&sheet.utf8(), "counts", "preset = \"sesnsp-municipal\"\nentities = [\"07\"]");
    let found: BTreeMap<String, u64> =
        table.rows.iter().map(|row| (text(row, 0), text(row, 2).parse().unwrap())).collect();
    assert_eq!(found.len(), 126);
    for (code, sum) in &located {
        assert_eq!(found[code], *sum, "{code}");
    }
    assert!(found.contains_key("07089"), "written 7089");
    assert_eq!(found["07998"] + found["07999"], unlocated);
    let trafficking = sheet.find(&[("Tipo de delito", TRAFFICKING)]).len() as u64;
    assert_eq!(table.provenance.records, rows(&sheet));
    assert_eq!(
        dropped(&table),
        [
            ("months_unpublished", 4),
            ("other_entity", trafficking - 2 * 126),
            ("other_offence", rows(&sheet) - trafficking)
        ]
        .into()
    );
    let period = table.provenance.period.clone().unwrap();
    assert_eq!((period.from.as_str(), period.to.as_str(), period.months), ("2023-01", "2024-08", 20));

    // A window of time.
    let keys = "preset = \"sesnsp-municipal\"\nentities = [\"07\"]\nfrom = \"2023-06\"\nto = \"2023\"";
    let part = read_whole(&sheet.utf8(), "counts", keys);
    let period = part.provenance.period.clone().unwrap();
    assert_eq!((period.from.as_str(), period.to.as_str(), period.months), ("2023-06", "2023-12", 7));
    assert_eq!(dropped(&part)["outside_period"], 126);
    for row in &part.rows {
        let months = &cases[&(text(row, 0).parse().unwrap(), 2023)];
        let sum: u32 = months[5..].iter().flatten().sum();
        assert_eq!(text(row, 2), sum.to_string());
    }

    // The whole way, with one file for each year.
    let year = |year: &str| {
        let at = sheet.column("Año");
        let rows = sheet.rows.iter().filter(|row| row[at] == year).cloned().collect();
        Sheet { rows, header: sheet.header.clone() }
    };
    let whole = chiapas(&[("counts", "{ path = \"todo.csv\", preset = \"sesnsp-municipal\" }")]);
    whole.write("todo.csv", sheet.bytes(Form::Windows1252, ','));
    let years = chiapas(&[(
        "counts",
        "{ path = \"2023.csv\", more = [\"2024.csv\"], preset = \"sesnsp-municipal\" }",
    )]);
    years.write("2023.csv", year("2023").bytes(Form::Latin1, ';'));
    years.write("2024.csv", year("2024").bytes(Form::Utf8Bom, ','));
    let total = located.values().sum::<u64>() + unlocated;
    for (study, files) in [(&whole, 1), (&years, 2)] {
        let answer = study.check(&["--json"]).exits(0).json();
        assert_eq!(
            answer["counts"],
            json!({
                "exact": 124, "interval": 0, "unknown": 0, "total": total, "unlocated": unlocated,
                "period_years": 20.0 / 12.0, "period": "2023-01–2024-08",
            }),
            "{files}"
        );
        let counts = sources_of(&answer, "counts");
        assert_eq!(counts.len(), files);
        assert_eq!(counts[0]["period"]["from"], "2023-01");
        assert_eq!(counts[files - 1]["period"]["to"], "2024-08");
        let records: u64 = counts.iter().map(|source| source["records"].as_u64().unwrap()).sum();
        assert_eq!(records, rows(&sheet));
        let warnings = answer["warnings"].to_string();
        assert!(!warnings.contains("S062"), "{warnings}");
    }
}

#[test]
fn a_municipality_that_lacks_months_has_only_a_lower_bound() {
    let plan = Plan::usual();
    let mut sheet = crimes::incidents(&plan);
    let (located, _) = crimes::sums(&crimes::cases(&plan), CHIAPAS);
    let of = |sheet: &Sheet, code: &str| {
        sheet.find(&[("Tipo de delito", TRAFFICKING), ("Cve. Municipio", code), ("Año", "2023")])[0]
    };
    let blank = of(&sheet, "7089");
    sheet.set(blank, "Marzo", "");
    let gone = of(&sheet, "7101");
    sheet.rows.remove(gone);
    let study = chiapas(&[("counts", "{ path = \"a.csv\", preset = \"sesnsp-municipal\" }")]);
    study.write("a.csv", sheet.utf8());
    let answer = study.check(&["--json"]).exits(0).json();
    assert_eq!(answer["counts"]["exact"], 122);
    assert_eq!(answer["counts"]["interval"], 2);
    assert_eq!(answer["counts"]["total"], json!(null), "not known where a month is missing");
    let told: Vec<(String, String)> = answer["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|w| w["rule"] == "S062")
        .map(|w| (w["seen"].as_str().unwrap().to_owned(), w["message"].as_str().unwrap().to_owned()))
        .collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].0 == "07089" && told[0].1.contains("1 de 20"), "{told:?}");
    assert!(told[1].0 == "07101" && told[1].1.contains("12 de 20"), "{told:?}");
    assert!(located.contains_key("07101"));
}

#[test]
fn other_offences_can_be_selected() {
    let plan = Plan::usual();
    let sheet = crimes::incidents(&plan);
    let keys = "preset = \"sesnsp-municipal\"\nentities = [\"20\"]\n[offence]\ntype = [\"ROBO\", \"extorsion\"]\n\
                modality = [\"con violencia\", \"Extorsión\"]";
    let table = read_whole(&sheet.utf8(), "counts", keys);
    let [kind, modality, months] = ["Tipo de delito", "Modalidad", "Enero"].map(|c| sheet.column(c));
    let mut sum = 0;
    for row in sheet.rows.iter().filter(|row| row[1] == "20") {
        let fits = ["Robo", "Extorsión"].contains(&row[kind].as_str())
            && ["Con violencia", "Extorsión"].contains(&row[modality].as_str());
        if fits {
            sum += row[months..].iter().map(|n| n.parse().unwrap_or(0)).sum::<u64>();
        }
    }
    let found: u64 = table.rows.iter().map(|row| text(row, 2).parse::<u64>().unwrap()).sum();
    assert!(sum > 1_000);
    assert_eq!(found, sum);
}

#[test]
fn victims_are_refused_unless_added_up_over_sex_and_age() {
    let plan = Plan::usual();
    let victims = crimes::victims(&plan);
    let study = chiapas(&[("counts", "{ path = \"v.csv\", preset = \"sesnsp-municipal\" }")]);
    study.write("v.csv", victims.bytes(Form::Windows1252, ','));
    let answer = study.check(&["--json"]).exits(1);
    assert_told(&answer, "v.csv", vec![("S065".into(), None, None)]);
    assert!(answer.stdout.contains("Sexo, Rango de edad"), "{}", answer.stdout);

    let keys = "preset = \"sesnsp-municipal\"\nentities = [\"07\"]";
    let summed =
        read_whole(&victims.utf8(), "counts", &format!("{keys}\nsum_over = [\"sexo\", \"RANGO_DE_EDAD\"]"));
    let incidents = read_whole(&crimes::incidents(&plan).utf8(), "counts", keys);
    let counts = |table: &RawTable| -> Vec<(String, String)> {
        table.rows.iter().map(|row| (text(row, 0), text(row, 2))).collect()
    };
    assert_eq!(counts(&summed), counts(&incidents));

    // Other editions call both otherwise.
    let mut renamed = victims.clone();
    for name in &mut renamed.header {
        *name = match name.as_str() {
            "Sexo" => "Sexo de la víctima".to_owned(),
            "Rango de edad" => "Grupo etario".to_owned(),
            other => other.to_owned(),
        };
    }
    let over = "sum_over = [\"Sexo de la víctima\", \"Grupo etario\"]";
    assert_eq!(
        counts(&read_whole(&renamed.utf8(), "counts", &format!("{keys}\n{over}"))),
        counts(&incidents)
    );
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.csv"), renamed.utf8()).unwrap();
    let (table, faults) = read(dir.path(), "counts", &format!("path = \"a.csv\"\n{keys}"));
    assert!(table.is_none());
    assert_eq!(faults.0.iter().map(|fault| fault.rule.code()).collect::<Vec<_>>(), ["S065"]);

    // One of both is not enough, and no other trait comes in this way.
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.csv"), victims.clone().with("CURP", "").utf8()).unwrap();
    let keys = format!("path = \"a.csv\"\n{keys}\nsum_over = [\"Sexo\", \"CURP\"]");
    let (table, faults) = read(dir.path(), "counts", &keys);
    let mut rules: Vec<&str> = faults.0.iter().map(|fault| fault.rule.code()).collect();
    rules.sort_unstable();
    assert_eq!(rules, ["S014", "S065"]);
    assert!(table.is_none());
}

#[test]
fn the_census_gives_one_row_for_each_municipality() {
    let sheet = census::iter(&ENTITIES);
    assert_eq!(sheet.header.len(), 286);
    let table = read_whole(&sheet.utf8(), "population", "preset = \"inegi-iter\"\nentities = [\"07\"]");
    let found: Vec<[String; 3]> = table.rows.iter().map(|row| [0, 1, 2].map(|at| text(row, at))).collect();
    let expected: Vec<[String; 3]> = places(CHIAPAS)
        .iter()
        .map(|place| [place.cvegeo(), place.name.clone(), place.population.to_string()])
        .collect();
    assert_eq!(found, expected);
    let own = 3 + 124 * (1 + census::LOCALITIES);
    assert_eq!(
        dropped(&table),
        [("localities", 124 * census::LOCALITIES), ("other_entity", rows(&sheet) - 3 - own), ("totals", 6)]
            .into()
    );
    assert_eq!(table.rows.len() as u64 + table.provenance.dropped.values().sum::<u64>(), rows(&sheet));
    // All of them where no entity is named.
    let all = read_whole(&sheet.utf8(), "population", "preset = \"inegi-iter\"");
    assert_eq!(all.rows.len(), 124 + 24 + 17 + 20);
}

#[test]
fn the_index_of_conapo_is_read_as_it_is() {
    let sheet = census::imm(&ENTITIES);
    let grades: Vec<&str> = sheet.rows.iter().map(|row| row[15].as_str()).collect();
    for grade in ["Muy alto", "Alto", "Medio", "Bajo", "Muy bajo"] {
        assert!(grades.contains(&grade));
    }
    let table = read_whole(
        &sheet.bytes(Form::Utf8Bom, ','),
        "marginalization",
        "preset = \"conapo-imm\"\nentities = [\"07\"]",
    );
    assert_eq!(table.rows.len(), 124);
    for (row, place) in table.rows.iter().zip(places(CHIAPAS)) {
        assert_eq!(text(row, 0), place.cvegeo());
        assert_eq!(row.values[3], Value::Real(place.index));
    }
    assert_eq!(dropped(&table), [("other_entity", 24 + 17 + 20)].into());
    // A decimal comma goes with a semicolon.
    let mut comma = sheet.clone();
    for row in &mut comma.rows {
        row.iter_mut().skip(5).for_each(|value| *value = value.replace('.', ","));
    }
    let other = read_whole(
        &comma.bytes(Form::Windows1252, ';'),
        "marginalization",
        "preset = \"conapo-imm\"\nentities = [\"07\"]",
    );
    assert_eq!(canonical(&other), canonical(&table));
}

#[test]
fn workplaces_of_the_directory_come_without_their_contacts() {
    let sheet = register::denue(&ENTITIES, 8, 1_000);
    let keys = "preset = \"denue\"\nentities = [\"07\"]\nscian = [\"7211\", \"722412\"]";
    let table = read_whole(&sheet.utf8(), "worksites", keys);
    let of = |entity: &str| sheet.rows.iter().filter(|row| row[27] == entity).collect::<Vec<_>>();
    let wanted = |row: &&Vec<String>| row[4].starts_with("7211") || row[4] == "722412";
    let expected: Vec<&Vec<String>> = of("7").into_iter().filter(wanted).collect();
    assert!(expected.len() > 200);
    assert_eq!(table.rows.len(), expected.len());
    for (row, record) in table.rows.iter().zip(&expected) {
        assert_eq!(text(row, 0), record[0]);
        assert_eq!(text(row, 1), record[1]);
        assert_eq!(text(row, 3), format!("07{:0>3}", record[29]));
        assert_eq!(text(row, 6), record[6]);
    }
    let others = (24 + 17 + 20) * 8;
    assert_eq!(
        dropped(&table),
        [("other_entity", others), ("sector", 124 * 8 - expected.len() as u64)].into()
    );
    let shown = format!("{table:?}");
    for contact in ["9610000000", "NADIE@", "WWW.EJEMPLO", "INVENTADA"] {
        assert!(!shown.contains(contact), "{contact}");
    }
    // An older release.
    let older = read_whole(&sheet.clone().without("clee").utf8(), "worksites", keys);
    assert_eq!(older.rows.len(), table.rows.len());
    assert_eq!(older.rows[0].values[1], Value::Null);
}

#[test]
fn tidy_counts_are_added_up_over_periods_and_modalities() {
    let sheet = register::counts(&ENTITIES);
    let study = chiapas(&[("counts", "{ path = \"c.csv\" }")]);
    study.write("c.csv", sheet.bytes(Form::Windows1252, ';'));
    let answer = study.check(&["--json"]).exits(0).json();
    assert_eq!(
        answer["counts"],
        json!({
            "exact": 42, "interval": 41, "unknown": 41, "total": null, "unlocated": 8,
            "period_years": 2.0, "period": "2023–2024",
        })
    );
    let counts = &sources_of(&answer, "counts")[0];
    assert_eq!(counts["dropped"], json!({ "other_entity": 4 * (24 + 17 + 20) + 8 * 3 }));
    // One modality, all known: the total follows with what has no municipality.
    let mut known = sheet.clone();
    let [count, low, high] = ["count", "count_min", "count_max"].map(|c| known.column(c));
    for row in &mut known.rows {
        if row[count].is_empty() {
            "2".clone_into(&mut row[count]);
            row[low].clear();
            row[high].clear();
        }
    }
    study.write("c.csv", known.utf8());
    study.edit("study.toml", "path = \"c.csv\"", "path = \"c.csv\", modalities = [\"TRABAJO forzado\"]");
    let answer = study.check(&["--json"]).exits(0).json();
    let sum: u64 = known
        .rows
        .iter()
        .filter(|row| row[0].starts_with("07") && row[3] == "Trabajo forzado")
        .map(|row| row[count].parse::<u64>().unwrap())
        .sum();
    assert_eq!(
        answer["counts"],
        json!({
            "exact": 124, "interval": 0, "unknown": 0, "total": sum, "unlocated": 4,
            "period_years": 2.0, "period": "2023–2024",
        })
    );
    assert_eq!(sources_of(&answer, "counts")[0]["dropped"]["other_modality"], (124 + 2) * 2);
    // Not if one of the cases without a municipality is only bounded.
    let row = known.find(&[("cvegeo", "07998"), ("modality", "Trabajo forzado")])[0];
    known.set(row, "count", "");
    known.set(row, "count_max", "9");
    study.write("c.csv", known.utf8());
    assert_eq!(study.check(&["--json"]).exits(0).json()["counts"]["total"], json!(null));
}

#[test]
fn entities_and_sectors_select_from_tables_without_a_preset() {
    let sheet = register::worksites(&ENTITIES, 5);
    let study = chiapas(&[("worksites", "{ path = \"w.csv\", scian = [\"7224\", \"81\"] }")]);
    study.write("w.csv", sheet.utf8());
    let answer = study.check(&["--json"]).exits(0).json();
    let kept = sheet
        .rows
        .iter()
        .filter(|row| row[3].starts_with("07") && (row[4].starts_with("7224") || row[4].starts_with("81")))
        .count() as u64;
    let source = &sources_of(&answer, "worksites")[0];
    let others = 5 * (24 + 17 + 20);
    assert_eq!(source["records"], rows(&sheet));
    assert_eq!(source["dropped"], json!({ "other_entity": others, "sector": rows(&sheet) - others - kept }));

    // Population and polygons as well, by `entities` of the source.
    let mut people = Sheet::new(&["cvegeo", "name", "population", "marginalization"]);
    for place in generator::all_places(&ENTITIES) {
        let texts =
            [place.code().to_string(), place.name, place.population.to_string(), place.index.to_string()];
        people.rows.push(texts.into());
    }
    let study = chiapas(&[("population", "{ path = \"p.csv\", entities = [\"07\"] }")]);
    study.write("p.csv", people.utf8());
    let answer = study.check(&["--json"]).exits(0).json();
    assert_eq!(sources_of(&answer, "population")[0]["dropped"], json!({ "other_entity": 61 }));

    // A file of another state alone is the wrong file.
    let study = chiapas(&[("worksites", "{ path = \"w.csv\" }")]);
    study.write("w.csv", register::worksites(&[20], 5).utf8());
    let answer = study.check(&["--json"]).exits(1);
    assert_told(&answer, "w.csv", vec![("S060".into(), None, Some("cvegeo".into()))]);
    // And `entities` has no meaning where records have no code.
    study.edit("study.toml", "posts = { ", "posts = { entities = [\"07\"], ");
    study.check(&["--json"]).exits(1);
    assert!(study.check(&[]).tells("T006", "study.toml", None, Some("sources.posts.entities")));
}

#[test]
fn sources_without_a_record_are_a_warning_where_a_study_can_do_without() {
    let study = Study::new();
    for name in ["crossings", "exits", "towns", "posts", "worksites"] {
        let file = format!("{name}.csv");
        let text = study.text(&file);
        study.write(&file, text.lines().next().unwrap());
    }
    let answer = study.check(&["--json"]).exits(0).json();
    let mut told: Vec<&str> = answer["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|w| w["rule"] == "S067")
        .map(|w| w["place"]["file"].as_str().unwrap())
        .collect();
    told.sort_unstable();
    assert_eq!(told, ["crossings.csv", "exits.csv", "posts.csv", "towns.csv", "worksites.csv"]);
    study.run(&[]).exits(0);
    // A map without a feature too; but a file without a header is no table.
    study.edit("study.toml", "\"posts.csv\"", "\"posts.geojson\"");
    study.write("posts.geojson", "{\"type\":\"FeatureCollection\",\"features\":[]}");
    study.check(&[]).exits(0);
    study.write("exits.csv", "");
    assert!(study.check(&[]).exits(1).tells("S013", "exits.csv", None, None));
}

// ---- encodings --------------------------------------------------------------------------------------

/// Every layout: its source, what to say of it, and a sheet.
fn layouts() -> Vec<(&'static str, &'static str, Sheet)> {
    let plan = Plan { entities: vec![7, 27], years: 2023..=2024, published: 8 };
    vec![
        ("counts", "preset = \"sesnsp-municipal\"\nentities = [\"07\"]", crimes::incidents(&plan)),
        (
            "counts",
            "preset = \"sesnsp-municipal\"\nentities = [\"07\"]\nsum_over = [\"Sexo\", \"Rango de edad\"]",
            crimes::victims(&plan),
        ),
        ("population", "preset = \"inegi-iter\"\nentities = [\"07\"]", census::iter(&[7, 27])),
        ("population", "preset = \"conapo-imm\"\nentities = [\"07\"]", census::imm(&[7, 27])),
        ("worksites", "preset = \"denue\"\nentities = [\"07\"]", register::denue(&[7, 27], 3, 1)),
        ("counts", "entities = [\"07\"]", register::counts(&[7, 27])),
        ("worksites", "entities = [\"07\"]", register::worksites(&[7, 27], 2)),
    ]
}

#[test]
fn every_encoding_and_delimiter_gives_the_same_table() {
    for (source, keys, sheet) in layouts() {
        let expected = canonical(&read_whole(&sheet.utf8(), source, keys));
        for form in Form::ALL {
            for delimiter in [',', ';'] {
                let table = read_whole(&sheet.bytes(form, delimiter), source, keys);
                assert!(canonical(&table) == expected, "{source}, {keys}: {form:?} {delimiter}");
            }
        }
    }
}

#[test]
fn a_wrong_encoding_is_a_fault_and_never_a_replacement_character() {
    for (source, keys, sheet) in layouts() {
        for (form, declared) in [
            (Form::Windows1252, "utf-8"),
            (Form::Latin1, "utf-8"),
            (Form::Utf8, "windows-1252"),
            (Form::Utf8, "latin1"),
            (Form::Utf8Bom, "windows-1252"),
        ] {
            let dir = tempfile::tempdir().unwrap();
            fs::write(dir.path().join("a.csv"), sheet.bytes(form, ',')).unwrap();
            let keys = format!("path = \"a.csv\"\nencoding = \"{declared}\"\n{keys}");
            let (table, faults) = read(dir.path(), source, &keys);
            assert!(
                faults.0.iter().any(|fault| fault.rule.code() == "S011"),
                "{form:?} as {declared}: {faults}"
            );
            if let Some(table) = table {
                assert!(!format!("{table:?}").contains('\u{fffd}'));
            }
        }
    }
}

/// The sources of a study of official files alone, for [`chiapas`].
const OFFICIAL: [(&str, &str); 4] = [
    ("population", "{ path = \"iter.csv\", preset = \"inegi-iter\" }"),
    ("marginalization", "{ path = \"imm.csv\", preset = \"conapo-imm\" }"),
    ("counts", "{ path = \"idm.csv\", preset = \"sesnsp-municipal\" }"),
    ("worksites", "{ path = \"denue_07.csv\", more = [\"denue_27.csv\"], preset = \"denue\" }"),
];

fn write_official(study: &Study, form: Form, delimiter: char) {
    let plan = Plan { entities: vec![7, 27], years: 2023..=2024, published: 8 };
    for (name, sheet) in [
        ("iter.csv", census::iter(&[7, 27])),
        ("imm.csv", census::imm(&[7, 27])),
        ("idm.csv", crimes::incidents(&plan)),
        ("denue_07.csv", register::denue(&[7, 27], 2, 1)),
        ("denue_27.csv", register::denue(&[7, 27], 1, 10_000)),
    ] {
        study.write(name, sheet.bytes(form, delimiter));
    }
}

#[test]
fn check_says_the_same_of_every_encoding() {
    let study = chiapas(&OFFICIAL);
    let mut answers = Vec::new();
    for (form, delimiter) in Form::ALL.into_iter().zip([',', ';', ',', ';']) {
        write_official(&study, form, delimiter);
        let mut answer = study.check(&["--json"]).exits(0).json();
        for source in answer["sources"].as_array_mut().unwrap() {
            let source = source.as_object_mut().unwrap();
            for key in ["encoding", "sha256", "bytes"] {
                source.remove(key);
            }
        }
        answers.push(answer);
    }
    for answer in &answers[1..] {
        assert_eq!(*answer, answers[0]);
    }
}

// ---- studies of official files ----------------------------------------------------------------------

#[test]
fn a_study_of_chiapas_runs_on_official_files() {
    let study = chiapas(&OFFICIAL);
    write_official(&study, Form::Windows1252, ',');
    let answer = study.check(&["--json"]).exits(0).json();
    assert_eq!(answer["counts"]["exact"], 124);
    assert_eq!(sources_of(&answer, "worksites").len(), 2);
    // What was left out is told to people as well.
    let told = study.check(&[]).exits(0).stdout;
    assert!(told.contains("de localidades, no de municipios"), "{told}");
    assert!(told.contains("20 meses publicados"), "{told}");
    study.run(&["--quiet"]).exits(0);
    let worksites = layer(&study.out(), "worksites");
    assert_eq!(worksites["features"].as_array().unwrap().len(), 124 * 3);
    Answer::of(corredor().arg("verify").arg(study.out())).exits(0);
}

#[test]
fn a_study_of_another_state_runs_on_official_files() {
    for entity in [20, 27] {
        let study = Study::new();
        let (code, name) = (format!("{entity:02}"), generator::entity_name(entity));
        study.write(
            "study.toml",
            format!(
                "format = 1\n[study]\nname = \"otro\"\ntitle = \"Otro\"\nregion = \"{name}\"\nentities = [\"{code}\"]\n\
                 [sources]\nmunicipalities = {{ path = \"m.geojson\", preset = \"inegi-marco\" }}\n\
                 roads = {{ path = \"r.geojson\" }}\n\
                 population = {{ path = \"iter.csv\", preset = \"inegi-iter\" }}\n\
                 marginalization = {{ path = \"imm.csv\", preset = \"conapo-imm\" }}\n\
                 counts = {{ path = \"idm.csv\", preset = \"sesnsp-municipal\" }}\n\
                 worksites = {{ path = \"d1.csv\", more = [\"d2.csv\"], preset = \"denue\", scian = [\"72\"] }}\n\
                 [referral]\nvictim_authority = \"x\"\ncontact_24h = \"x\"\nnon_punishment = \"x\"\nexample = true\n"
            ),
        );
        let plan = Plan { entities: ENTITIES.into(), ..Plan::usual() };
        study.write("m.geojson", state::polygons(entity));
        study.write("r.geojson", state::roads(entity));
        study.write("iter.csv", census::iter(&ENTITIES).bytes(Form::Windows1252, ','));
        study.write("imm.csv", census::imm(&ENTITIES).bytes(Form::Utf8Bom, ','));
        study.write("idm.csv", crimes::incidents(&plan).bytes(Form::Latin1, ','));
        study.write("d1.csv", register::denue(&[entity], 4, 1).bytes(Form::Latin1, ','));
        study.write("d2.csv", register::denue(&[entity], 4, 1_000).without("clee").utf8());
        let count = places(entity).len();
        let answer = study.check(&["--json"]).exits(0).json();
        let seats = &answer["joined"]["seats"];
        assert_eq!((&seats["joined"], &seats["all"]), (&json!(count), &json!(count)));
        let (located, unlocated) = crimes::sums(&crimes::cases(&plan), entity);
        assert_eq!(answer["counts"]["total"], located.values().sum::<u64>() + unlocated);
        study.run(&[]).exits(0);
        let names = layer_names(&study.out());
        for layer in ["municipalities", "roads", "corridors", "checkpoints", "worksites"] {
            assert!(names.iter().any(|name| name == layer), "{names:?}");
        }
        assert_eq!(layer(&study.out(), "municipalities")["features"].as_array().unwrap().len(), count);
        assert!(!layer(&study.out(), "corridors")["features"].as_array().unwrap().is_empty());
        Answer::of(corredor().arg("verify").arg(study.out())).exits(0);
    }
}

// ---- broken files -----------------------------------------------------------------------------------

/// Fails unless `check --json` says of `file` exactly what is expected, and of no other file that it has an error.
#[track_caller]
fn assert_told(answer: &Answer, file: &str, mut expected: Vec<Told>) {
    let answer = answer.json();
    let mut found: Vec<Told> = Vec::new();
    for fault in answer["faults"].as_array().unwrap() {
        let place = &fault["place"];
        if place["file"] == file {
            found.push((
                fault["rule"].as_str().unwrap().to_owned(),
                place["row"].as_u64(),
                place["field"].as_str().map(str::to_owned),
            ));
            let message = fault["message"].as_str().unwrap();
            assert!(!message.contains("%{"), "a parameter without a value: {message}");
        } else {
            assert_ne!(fault["severity"], "error", "{fault}");
        }
    }
    let order = |(rule, row, field): &Told| (*row, field.clone(), rule.clone());
    found.sort_by_key(order);
    expected.sort_by_key(order);
    let missing: Vec<&Told> = expected.iter().filter(|told| !found.contains(told)).collect();
    let surplus: Vec<&Told> = found.iter().filter(|told| !expected.contains(told)).collect();
    assert!(missing.is_empty() && surplus.is_empty(), "not told: {missing:#?}\nnot expected: {surplus:#?}");
    assert_eq!(found.len(), expected.len());
}

/// A sheet into which faults are put, one in each of its `rows`, and what is to be said of them.
struct Broken {
    sheet: Sheet,
    rows: std::vec::IntoIter<usize>,
    told: Vec<(&'static str, Option<usize>, Option<String>)>,
}

impl Broken {
    fn new(sheet: Sheet, rows: Vec<usize>) -> Self {
        Self { sheet, rows: rows.into_iter(), told: Vec::new() }
    }

    fn change(&mut self, rule: &'static str, field: Option<&str>, change: impl FnOnce(&mut Sheet, usize)) {
        let row = self.rows.next().unwrap();
        change(&mut self.sheet, row);
        self.told.push((rule, Some(row), field.map(str::to_owned)));
    }

    /// Puts values into the cells of a column, a row each.
    fn cells(&mut self, column: &str, faults: &[(&'static str, &str)]) {
        for (rule, value) in faults {
            self.change(rule, Some(column), |sheet, row| sheet.set(row, column, value));
        }
    }

    /// The faults that any table may have: a row that is short, one that is long, one that stands twice, bytes that are
    /// no text in `column`.
    fn usual(&mut self, key: &str, column: &str) {
        self.change("S012", None, |sheet, row| drop(sheet.rows[row].pop()));
        self.change("S012", None, |sheet, row| sheet.rows[row].push("1".to_owned()));
        self.cells(column, &[("S011", "Zinacant\u{fffd}n"), ("S024", "a\0b")]);
        let row = self.rows.next().unwrap();
        self.sheet.rows.push(self.sheet.rows[row].clone());
        self.told.push(("M007", Some(self.sheet.rows.len() - 1), Some(key.to_owned())));
    }

    /// The file, with a quote at its end that is never closed, and what is to be said of it.
    fn finish(self) -> (Vec<u8>, Vec<Told>) {
        let lines = self.sheet.lines();
        let mut text = self.sheet.utf8();
        text.extend_from_slice(b"1,\"abierta\n");
        let after = text.iter().map(|byte| u64::from(*byte == b'\n')).sum();
        let place = |(rule, row, field): (&str, Option<usize>, Option<String>)| {
            (rule.to_owned(), row.map(|row| lines[row]), field)
        };
        let mut told: Vec<Told> = self.told.into_iter().map(place).collect();
        told.push(("S024".to_owned(), Some(after), None));
        (text, told)
    }
}

#[test]
fn every_fault_of_sesnsp_is_told_in_one_pass() {
    let sheet = crimes::incidents(&Plan::usual());
    let rows = sheet.find(&[("Tipo de delito", TRAFFICKING), ("Año", "2023"), ("Clave_Ent", "7")]);
    let mut broken = Broken::new(sheet, rows);
    broken.usual("Cve. Municipio", "Subtipo de delito");
    broken.cells("Tipo de delito", &[("M002", "")]);
    broken.cells("Año", &[("M002", ""), ("S066", "1890"), ("S066", "2101"), ("S066", "dos mil")]);
    broken.cells("Clave_Ent", &[("M002", ""), ("M005", "33"), ("M005", "0"), ("M003", "siete")]);
    broken.cells(
        "Cve. Municipio",
        &[
            ("S064", "20067"),
            ("M012", "7000"),
            ("M012", "0"),
            ("M012", "107089"),
            ("M012", "Tapachula"),
            ("M012", "7.089"),
            ("M012", "7,089"),
            ("M012", "-7089"),
            ("M002", ""),
        ],
    );
    broken.cells(
        "Marzo",
        &[
            ("M003", "doce"),
            ("M005", "-1"),
            ("M004", "2.5"),
            ("M003", "1,234"),
            ("M004", "1.234"),
            ("S061", "*"),
            ("M003", "NaN"),
            ("M003", "+5"),
            ("M003", "1e3"),
            ("M005", "1000001"),
            ("M005", "99999999999999999999"),
        ],
    );
    let (bytes, told) = broken.finish();
    assert!(told.len() >= 30);
    let study = chiapas(&[("counts", "{ path = \"a.csv\", preset = \"sesnsp-municipal\" }")]);
    study.write("a.csv", bytes);
    assert_told(&study.check(&["--json"]).exits(1), "a.csv", told);
}

#[test]
fn every_fault_of_the_census_is_told_in_one_pass() {
    let sheet = census::iter(&[7]);
    let rows: Vec<usize> = sheet
        .find(&[("ENTIDAD", "07"), ("LOC", "0000")])
        .into_iter()
        .filter(|row| sheet.get(*row, "MUN") != "000")
        .collect();
    let mut broken = Broken::new(sheet, rows);
    broken.usual("MUN", "NOM_MUN");
    broken.cells(
        "POBTOT",
        &[
            ("M002", ""),
            ("S061", "*"),
            ("M003", "muchos"),
            ("M005", "-26899"),
            ("M004", "1234.5"),
            ("M003", "12,345"),
            ("M004", "12.345"),
            ("M005", "0"),
            ("M005", "100000001"),
            ("M003", "NaN"),
        ],
    );
    broken.cells("NOM_MUN", &[("M002", "")]);
    broken.cells("ENTIDAD", &[("M002", ""), ("M005", "33"), ("M003", "Chiapas"), ("M005", "-7")]);
    broken.cells("MUN", &[("M002", ""), ("M005", "1000"), ("M003", "Acala"), ("M004", "2.5")]);
    broken.cells("LOC", &[("M002", ""), ("M005", "10000"), ("M003", "x")]);
    let (bytes, told) = broken.finish();
    assert!(told.len() >= 25);
    let study = chiapas(&[
        ("population", "{ path = \"a.csv\", preset = \"inegi-iter\" }"),
        ("marginalization", "{ path = \"imm.csv\", preset = \"conapo-imm\" }"),
    ]);
    study.write("a.csv", bytes);
    study.write("imm.csv", census::imm(&[7]).utf8());
    assert_told(&study.check(&["--json"]).exits(1), "a.csv", told);
}

#[test]
fn every_fault_of_the_index_is_told_in_one_pass() {
    let sheet = census::imm(&[7]);
    let rows = (0..sheet.rows.len()).collect();
    let mut broken = Broken::new(sheet, rows);
    broken.usual("CVE_MUN", "NOM_MUN");
    broken.cells(
        "CVE_MUN",
        &[
            ("M002", ""),
            ("M012", "Acala"),
            ("M012", "107089"),
            ("M012", "7"),
            ("M012", "7.089"),
            ("S064", "20067"),
            ("M034", "07995"),
        ],
    );
    broken.cells("CVE_ENT", &[("M002", ""), ("M005", "33"), ("M003", "Chiapas"), ("M005", "0")]);
    broken.cells(
        "IM_2020",
        &[
            ("M002", ""),
            ("M003", "alto"),
            ("M003", "NaN"),
            ("M003", "inf"),
            ("M003", "53,29"),
            ("M005", "-1.2"),
            ("M005", "100.5"),
            ("S061", "*"),
        ],
    );
    broken.cells("GM_2020", &[("M002", ""), ("M006", "Altísimo")]);
    broken
        .cells("POB_TOT", &[("M002", ""), ("M003", "x"), ("M005", "-1"), ("M004", "1.5"), ("M003", "1,000")]);
    broken.cells("NOM_MUN", &[("M002", "")]);
    let (bytes, told) = broken.finish();
    assert!(told.len() >= 30);
    let study = chiapas(&[
        ("population", "{ path = \"iter.csv\", preset = \"inegi-iter\" }"),
        ("marginalization", "{ path = \"a.csv\", preset = \"conapo-imm\" }"),
    ]);
    study.write("iter.csv", census::iter(&[7]).utf8());
    study.write("a.csv", bytes);
    assert_told(&study.check(&["--json"]).exits(1), "a.csv", told);
}

fn at(broken: &mut Broken, columns: [&str; 2], faults: &[(&'static str, Option<&str>, [&str; 2])]) {
    for (rule, field, values) in faults {
        broken.change(rule, *field, |sheet, row| {
            for (column, value) in columns.iter().zip(values) {
                sheet.set(row, column, value);
            }
        });
    }
}

#[test]
fn every_fault_of_the_directory_is_told_in_one_pass() {
    let sheet = register::denue(&[7], 1, 1_001);
    let rows = (0..sheet.rows.len()).collect();
    let mut broken = Broken::new(sheet, rows);
    broken.usual("id", "nom_estab");
    broken.cells("id", &[("M002", "")]);
    broken.cells("per_ocu", &[("M002", ""), ("M006", "muchas personas"), ("M006", "12")]);
    broken.cells(
        "codigo_act",
        &[
            ("M002", ""),
            ("M006", "991111"),
            ("M006", "471111"),
            ("M006", "7224"),
            ("M006", "bar"),
            ("M006", "7224121"),
        ],
    );
    broken.cells("cve_ent", &[("M002", ""), ("M005", "33"), ("M005", "0"), ("M003", "Chiapas")]);
    broken.cells(
        "cve_mun",
        &[("M002", ""), ("M005", "0"), ("M005", "1000"), ("M003", "Acala"), ("M004", "8.9"), ("M008", "995")],
    );
    at(
        &mut broken,
        ["longitud", "latitud"],
        &[
            ("S010", None, ["14.9", "-92.26"]),
            ("S019", Some("latitud"), ["-92.26", "14°54'21.3\" N"]),
            ("S019", Some("longitud"), ["-92,26", "14.9"]),
            ("S018", Some("longitud"), ["NaN", "14.9"]),
            ("S018", Some("latitud"), ["-92.26", "1e999"]),
            ("S009", None, ["0", "0"]),
            ("S009", None, ["0", "14.9"]),
            ("S009", None, ["2.35", "48.85"]),
            ("S009", None, ["2500000", "600000"]),
            ("S016", None, ["", ""]),
            ("S016", Some("latitud"), ["-92.26", ""]),
        ],
    );
    let (bytes, mut told) = broken.finish();
    assert!(told.len() >= 35);
    for contact in ["telefono", "correoelec", "www", "raz_social"] {
        told.push(("S023".to_owned(), None, Some(contact.to_owned())));
    }
    let study = chiapas(&[("worksites", "{ path = \"a.csv\", preset = \"denue\" }")]);
    study.write("a.csv", bytes);
    assert_told(&study.check(&["--json"]).exits(1), "a.csv", told);
}

#[test]
fn every_fault_of_tidy_counts_is_told_in_one_pass() {
    let sheet = register::counts(&[7]);
    // One row of each municipality, so that a fault leaves no period without a row.
    let rows = (0..124).map(|place| 4 * place).collect();
    let mut broken = Broken::new(sheet, rows);
    broken.usual("cvegeo", "municipio");
    broken.cells(
        "cvegeo",
        &[("M002", ""), ("M012", "Acala"), ("M012", "107089"), ("M012", "089"), ("M008", "07995")],
    );
    let only = |sheet: &mut Sheet, row: usize, values: [&str; 3]| {
        for (column, value) in ["count", "count_min", "count_max"].iter().zip(values) {
            sheet.set(row, column, value);
        }
    };
    for (rule, value) in [
        ("M003", "doce"),
        ("M005", "-1"),
        ("M004", "2.5"),
        ("M003", "1,234"),
        ("M003", "NaN"),
        ("M003", "inf"),
        ("M005", "10000001"),
        ("S061", "*"),
    ] {
        broken.change(rule, Some("count"), |sheet, row| only(sheet, row, [value, "", ""]));
    }
    broken.change("M009", Some("count"), |sheet, row| only(sheet, row, ["3", "5", "9"]));
    broken.change("M009", Some("count_min"), |sheet, row| only(sheet, row, ["", "9", "5"]));
    broken.cells("known_by", &[("M006", "rumor")]);
    broken.cells(
        "period",
        &[
            ("M030", "marzo 2023"),
            ("M030", "2023-13"),
            ("M030", "2024/2023"),
            ("M002", ""),
            ("M031", "2024-06"),
        ],
    );
    // The cases without a municipality of another state stay out, and are no fault.
    let (bytes, mut told) = broken.finish();
    // The one that overlaps is told at the later row of the two.
    let overlapping = told.iter_mut().find(|(rule, ..)| rule == "M031").unwrap();
    overlapping.1 = overlapping.1.map(|row| row + 2);
    assert!(told.len() >= 20);
    let study = chiapas(&[("counts", "{ path = \"a.csv\" }")]);
    study.write("a.csv", bytes);
    assert_told(&study.check(&["--json"]).exits(1), "a.csv", told);

    // Where no entity is selected, a foreign code is a fault, also of cases without a municipality.
    let study = chiapas(&[("counts", "{ path = \"a.csv\" }")]);
    study.edit("study.toml", "entities = [\"07\"]", "");
    study.write("a.csv", "cvegeo,count\n07001,1\n20998,2\n20001,3\n07999,4\n");
    let code = |row| ("M008".to_owned(), Some(row), Some("cvegeo".to_owned()));
    assert_told(&study.check(&["--json"]).exits(1), "a.csv", vec![code(3), code(4)]);
}

#[test]
fn every_fault_of_tidy_workplaces_is_told_in_one_pass() {
    let sheet = register::worksites(&[7], 1);
    let rows = (0..sheet.rows.len()).collect();
    let mut broken = Broken::new(sheet, rows);
    broken.usual("id", "name");
    broken.cells("id", &[("M002", "")]);
    broken.cells("cvegeo", &[("M002", ""), ("M012", "Acala"), ("M012", "107089"), ("M008", "07995")]);
    broken.cells("scian", &[("M002", ""), ("M006", "bar"), ("M006", "7224121"), ("M006", "7")]);
    broken.cells("last_visit", &[("M019", "25/08/2024"), ("M019", "2023-02-29")]);
    broken.cells("complaints", &[("M005", "-3"), ("M004", "1.5"), ("M003", "dos"), ("S061", "*")]);
    broken.cells("synthetic", &[("M018", "quizá")]);
    at(
        &mut broken,
        ["lon", "lat"],
        &[
            ("S010", None, ["14.9", "-92.26"]),
            ("S019", Some("lat"), ["-92.26", "14°54' N"]),
            ("S018", Some("lon"), ["NaN", "14.9"]),
            ("S009", None, ["0", "0"]),
            ("S009", None, ["2500000", "600000"]),
            ("S016", None, ["", ""]),
            ("S016", Some("lon"), ["", "14.9"]),
        ],
    );
    let (bytes, told) = broken.finish();
    assert!(told.len() >= 25);
    let study = chiapas(&[("worksites", "{ path = \"a.csv\" }")]);
    study.write("a.csv", bytes);
    assert_told(&study.check(&["--json"]).exits(1), "a.csv", told);
}

/// What the header says wrong, which ends the file: but all of it comes at once.
#[rstest]
#[case::sesnsp("counts", "preset = \"sesnsp-municipal\"", crimes::incidents(&Plan::usual())
    .without("Enero").without("Tipo de delito").renamed("Modalidad", "marzo").with("Sexo", "").with("CURP", ""),
    &[("M001", Some("Enero")), ("M001", Some("Tipo de delito")), ("S014", Some("CURP")), ("S020", Some("marzo")), ("S065", None)])]
#[case::sesnsp_selection("counts", "preset = \"sesnsp-municipal\", offence = { modality = [\"x\"] }, sum_over = [\"Edad\"]",
    crimes::incidents(&Plan::usual()).without("Modalidad"), &[("M001", Some("Modalidad")), ("M001", Some("Edad"))])]
#[case::sesnsp_nothing("counts", "preset = \"sesnsp-municipal\", offence = { type = [\"Pesca\"] }",
    crimes::incidents(&Plan::usual()), &[("S060", Some("Tipo de delito"))])]
#[case::sesnsp_no_time("counts", "preset = \"sesnsp-municipal\", from = \"2030\"",
    crimes::incidents(&Plan::usual()), &[("S060", Some("Año"))])]
#[case::sesnsp_no_place("counts", "preset = \"sesnsp-municipal\", entities = [\"01\"]",
    crimes::incidents(&Plan::usual()), &[("S060", Some("Clave_Ent"))])]
#[case::iter("population", "preset = \"inegi-iter\"", census::iter(&[7])
    .without("POBTOT").without("LOC").renamed("POBFEM", "mun").with("telefono", ""),
    &[("M001", Some("POBTOT")), ("M001", Some("LOC")), ("S020", Some("mun")), ("S014", Some("telefono"))])]
#[case::iter_of_another_state("population", "preset = \"inegi-iter\"", census::iter(&[20]), &[("S060", Some("ENTIDAD"))])]
#[case::imm("marginalization", "preset = \"conapo-imm\"", census::imm(&[7])
    .without("IM_2020").renamed("ANALF", "cve_mun").with("nombre_victima", ""),
    &[("M001", Some("IM_2020")), ("S020", Some("cve_mun")), ("S014", Some("nombre_victima"))])]
#[case::imm_of_another_state("marginalization", "preset = \"conapo-imm\"", census::imm(&[20]), &[("S060", Some("CVE_MUN"))])]
#[case::denue("worksites", "preset = \"denue\"", register::denue(&[7], 1, 1)
    .without("per_ocu").without("latitud").renamed("letra_ext", "ID").without("raz_social").without("www")
    .without("telefono").without("correoelec").with("nombre_propietario", ""),
    &[("M001", Some("per_ocu")), ("M001", Some("lat")), ("S020", Some("ID")), ("S014", Some("nombre_propietario"))])]
#[case::denue_sector("worksites", "preset = \"denue\", scian = [\"21\"]", register::denue(&[7], 1, 1)
    .without("raz_social").without("www").without("telefono").without("correoelec"), &[("S060", Some("codigo_act"))])]
#[case::denue_of_another_state("worksites", "preset = \"denue\"", register::denue(&[20], 1, 1)
    .without("raz_social").without("www").without("telefono").without("correoelec"), &[("S060", Some("cve_ent"))])]
#[case::counts("counts", "modalities = [\"x\"]", register::counts(&[7])
    .without("cvegeo").without("count").without("count_min").without("modality"),
    &[("M001", Some("cvegeo")), ("M001", Some("modality")), ("M001", Some("count | count_min + count_max"))])]
#[case::counts_modality("counts", "modalities = [\"x\"]", register::counts(&[7]), &[("S060", Some("modality"))])]
#[case::counts_persons("counts", "", register::counts(&[7]).with("edad", "").with("Nacionalidad", "").with("COUNT", ""),
    &[("S014", Some("edad")), ("S015", Some("Nacionalidad")), ("S020", Some("COUNT"))])]
#[case::worksites("worksites", "", register::worksites(&[7], 1).without("lat").without("lon"),
    &[("M001", Some("lat")), ("M001", Some("lon"))])]
fn every_fault_of_a_header_is_told_in_one_pass(
    #[case] source: &str,
    #[case] keys: &str,
    #[case] sheet: Sheet,
    #[case] told: &[(&str, Option<&str>)],
) {
    let comma = if keys.is_empty() { "" } else { ", " };
    let spec = format!("{{ path = \"a.csv\"{comma}{keys} }}");
    let study = chiapas(&[(source, &spec)]);
    study.write("a.csv", sheet.utf8());
    let told =
        told.iter().map(|(rule, field)| ((*rule).to_owned(), None, field.map(str::to_owned))).collect();
    assert_told(&study.check(&["--json"]).exits(1), "a.csv", told);
}

#[test]
fn an_index_that_runs_the_other_way_is_refused() {
    let mut sheet = census::imm(&[7, 20]);
    for row in 0..sheet.rows.len() {
        let turned = 100.0 - sheet.get(row, "IM_2020").parse::<f64>().unwrap();
        sheet.set(row, "IM_2020", &format!("{turned:.4}"));
    }
    let study = chiapas(&[("marginalization", "{ path = \"a.csv\", preset = \"conapo-imm\" }")]);
    study.write("a.csv", sheet.utf8());
    let told = vec![("S063".to_owned(), None, Some("IM_2020".to_owned()))];
    assert_told(&study.check(&["--json"]).exits(1), "a.csv", told);
}

#[test]
fn columns_of_later_editions_are_mapped_by_the_study() {
    let plan = Plan::usual();
    let sheet = crimes::incidents(&plan);
    let keys = "preset = \"sesnsp-municipal\"\nentities = [\"07\"]";
    let expected = read_whole(&sheet.utf8(), "counts", keys);
    let renamed = sheet.renamed("Cve. Municipio", "Clave INEGI").renamed("Tipo de delito", "Delito");
    let study = chiapas(&[(
        "counts",
        "{ path = \"a.csv\", preset = \"sesnsp-municipal\", fields = { cvegeo = \"clave_inegi\", type = \"Delito\" } }",
    )]);
    study.write("a.csv", renamed.utf8());
    let answer = study.check(&["--json"]).exits(0).json();
    assert_eq!(answer["counts"]["exact"], 124);
    let fields = "[fields]\ncvegeo = \"clave_inegi\"\ntype = \"Delito\"";
    let table = read_whole(&renamed.utf8(), "counts", &format!("{keys}\n{fields}"));
    assert_eq!(format!("{:?}", table.rows), format!("{:?}", expected.rows));
}

// ---- tidy counts: periods, modalities, bounds -------------------------------------------------------

/// Counts of a study whose tidy tables are these; the others of its municipalities are not listed.
#[track_caller]
fn tidy(tables: &[&str]) -> serde_json::Value {
    let more: Vec<String> = (1..tables.len()).map(|i| format!("\"c{i}.csv\"")).collect();
    let study = chiapas(&[("counts", &format!("{{ path = \"c0.csv\", more = [{}] }}", more.join(", ")))]);
    for (i, table) in tables.iter().enumerate() {
        study.write(&format!("c{i}.csv"), table);
    }
    study.check(&["--json"]).exits(0).json()
}

fn warned(answer: &serde_json::Value, rule: &str) -> Vec<String> {
    let warnings = answer["warnings"].as_array().unwrap();
    warnings.iter().filter(|w| w["rule"] == rule).map(|w| w["seen"].as_str().unwrap().to_owned()).collect()
}

#[rstest]
#[case::one_year_written_in_two_ways("07089,2023,3\n07101,2023-01/2023-12,4\n", 12, 2, &[])]
#[case::half_a_year_within_a_year("07089,2023,3\n07101,2023-01/2023-06,4\n", 12, 1, &["07101"])]
#[case::a_year_of_cases_without_a_place("07089,2023,3\n07101,2023,4\n07019,2019/2019,1\n07019,2023,1\n07998,2019,1\n", 24, 1, &["07089", "07101"])]
fn a_period_is_the_union_of_its_months(
    #[case] rows: &str,
    #[case] months: u32,
    #[case] exact: u32,
    #[case] partial: &[&str],
) {
    let answer = tidy(&[&format!("cvegeo,period,count\n{rows}")]);
    assert_eq!(answer["counts"]["period_years"], f64::from(months) / 12.0);
    assert_eq!(answer["counts"]["exact"], exact);
    assert_eq!(warned(&answer, "S062"), partial);
}

#[test]
fn a_modality_that_others_have_is_missing_and_not_zero() {
    let head = "cvegeo,period,modality,count\n";
    let whole = "07101,2022,A,1\n07101,2022,B,1\n07101,2023,A,1\n07101,2023,B,1\n";
    let answer =
        tidy(&[&format!("{head}{whole}07089,2022,A,2\n07089,2023,B,2\n07019,2022,,5\n07019,2023,,6\n")]);
    assert_eq!(warned(&answer, "M025"), ["07089"], "a row without a modality stands for all");
    assert_eq!(answer["counts"]["exact"], 2);
    assert_eq!(answer["counts"]["interval"], 1);
}

#[test]
fn if_one_table_has_periods_all_must() {
    let study = chiapas(&[("counts", "{ path = \"a.csv\", more = [\"b.csv\"] }")]);
    study.write("a.csv", "cvegeo,period,count\n07089,2023,4\n");
    study.write("b.csv", "cvegeo,count\n07089,3\n");
    let answer = study.check(&[]).exits(1);
    assert!(answer.tells("M001", "b.csv", None, Some("period")), "{}", answer.stderr);
}

#[test]
fn a_lower_bound_alone_is_one() {
    let answer = tidy(&["cvegeo,count,count_min,count_max\n07089,,3,\n07101,2,,\n"]);
    assert_eq!(answer["counts"]["interval"], 1);
    assert_eq!(answer["counts"]["exact"], 1);
}

#[test]
fn cases_without_a_place_that_lack_months_leave_the_total_open() {
    let plan = Plan::usual();
    let sheet = crimes::incidents(&plan);
    let record =
        sheet.find(&[("Tipo de delito", TRAFFICKING), ("Cve. Municipio", "7998"), ("Año", "2023")])[0];
    let study = chiapas(&[("counts", "{ path = \"a.csv\", preset = \"sesnsp-municipal\" }")]);
    let mut blank = sheet.clone();
    blank.set(record, "Marzo", "");
    let mut gone = sheet.clone();
    gone.rows.remove(record);
    for sheet in [blank, gone] {
        study.write("a.csv", sheet.utf8());
        let answer = study.check(&["--json"]).exits(0).json();
        assert_eq!(answer["counts"]["exact"], 124);
        assert_eq!(answer["counts"]["total"], json!(null));
    }
}

#[test]
fn a_record_that_stands_twice_is_told_whatever_its_case() {
    let mut sheet = crimes::incidents(&Plan::usual());
    let first =
        sheet.find(&[("Tipo de delito", TRAFFICKING), ("Cve. Municipio", "7089"), ("Año", "2023")])[0];
    let mut again = sheet.rows[first].clone();
    again[sheet.column("Modalidad")] = again[sheet.column("Modalidad")].to_uppercase();
    sheet.rows.push(again);
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.csv"), sheet.utf8()).unwrap();
    let (_, faults) = read(dir.path(), "counts", "path = \"a.csv\"\npreset = \"sesnsp-municipal\"");
    assert_eq!(faults.0.iter().filter(|f| f.rule.code() == "M007").count(), 1, "{faults}");
}

#[test]
fn every_record_is_kept_or_left_out() {
    let sheet = crimes::incidents(&Plan::usual());
    let table = read_whole(&sheet.utf8(), "counts", "preset = \"sesnsp-municipal\"\nentities = [\"07\"]");
    let origin = &table.provenance;
    let dropped: u64 =
        origin.dropped.iter().filter(|(reason, _)| **reason != "months_unpublished").map(|(_, n)| n).sum();
    assert_eq!(origin.kept + dropped, origin.records, "{origin:?}");
}

#[test]
fn what_is_asked_for_is_told_beside_what_the_file_has() {
    let study = chiapas(&[("worksites", "{ path = \"a.csv\", preset = \"denue\", scian = [\"4611\"] }")]);
    study.write("a.csv", register::denue(&[7], 1, 1).utf8());
    let answer = study.check(&[]).exits(1);
    assert!(answer.stderr.contains("S060") && answer.stderr.contains("(4611)"), "{}", answer.stderr);
    study.edit("study.toml", "\"4611\"", "\"bares\"");
    assert!(study.check(&[]).exits(1).stderr.contains("T004"));
}

// ---- numbers and encodings --------------------------------------------------------------------------

#[rstest]
#[case("17.994", "M004")]
#[case("17,994", "M003")]
#[case("2.1e4", "M003")]
#[case("+5", "M003")]
fn what_may_be_thousands_is_not_guessed_at(#[case] population: &str, #[case] rule: &str) {
    let study = Study::new();
    let text = study.text("municipios.csv");
    let line = text.lines().nth(1).unwrap();
    let mut fields: Vec<&str> = line.split(',').collect();
    let at = text.lines().next().unwrap().split(',').position(|name| name.contains("poblacion")).unwrap();
    let quoted = format!("\"{population}\"");
    fields[at] = &quoted;
    study.edit("municipios.csv", line, &fields.join(","));
    let answer = study.check(&[]).exits(1);
    assert!(answer.stderr.contains(rule), "{}", answer.stderr);
}

#[test]
fn a_text_of_another_encoding_is_a_fault() {
    let study = chiapas(&[("counts", "{ path = \"a.csv\" }")]);
    for (label, bytes) in
        [("cp850", &b"Comit\xa0n de Dom\xa1nguez"[..]), ("macintosh", b"Comit\x87n de Dom\x92nguez")]
    {
        study.write("a.csv", [b"cvegeo,count,nota\n07019,3,", bytes, b"\n"].concat());
        let answer = study.check(&[]).exits(1);
        assert!(answer.stderr.contains("S011"), "{label}: {}", answer.stderr);
    }
}

// ---- places beside the network ----------------------------------------------------------------------

#[test]
fn a_post_far_from_every_road_is_told() {
    let study = Study::new();
    let answer = study.check(&["--json"]).exits(0).json();
    assert_eq!(answer["joined"]["posts"]["joined"], answer["joined"]["posts"]["all"]);
    study.cell("posts.csv", 2, "lon", "92.46");
    let answer = study.check(&[]).exits(0);
    assert!(answer.tells("N001", "posts.csv", Some(2), None), "{}", answer.stderr);
}

#[test]
fn an_approach_far_from_its_crossing_is_told() {
    let study = Study::new();
    assert!(!study.check(&[]).exits(0).stderr.contains("M021"));
    study.cell("crossings.csv", 2, "lon", "92.15");
    let answer = study.check(&[]).exits(0);
    assert!(answer.tells("M021", "crossings.csv", Some(2), Some("inside_km")), "{}", answer.stderr);
}

#[test]
fn a_key_that_stands_in_two_files_names_the_other_one() {
    let study = chiapas(&[("counts", "{ path = \"a.csv\", more = [\"b.csv\"] }")]);
    study.write("a.csv", "cvegeo,count\n07089,3\n");
    study.write("b.csv", "cvegeo,count\n07101,1\n07089,3\n");
    let answer = study.check(&[]).exits(1);
    assert!(answer.tells("M007", "b.csv", Some(3), Some("cvegeo")), "{}", answer.stderr);
    assert!(answer.stderr.contains("2 (a.csv)"), "{}", answer.stderr);
}
