//! No file of a public result, in either language, names what is not for the public: the role of recruitment, posts and
//! visits.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may fail by panicking"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

mod support;
use support::{Answer, Study, project_text};

/// Beginnings of words that no public file holds.
const BEGINNINGS: [&str; 4] = ["reclut", "recruit", "checkpoint", "worksite"];
/// Words that no public file holds; as beginnings they would meet others, such as *postal*.
const WORDS: [&str; 9] =
    ["puesto", "puestos", "visita", "visitas", "retén", "post", "posts", "visit", "visits"];

fn forbidden(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !c.is_alphabetic())
        .map(str::to_lowercase)
        .filter(|w| WORDS.contains(&w.as_str()) || BEGINNINGS.iter().any(|start| w.starts_with(start)))
        .collect()
}

/// All files under a folder.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { out.extend(files(&path)) } else { out.push(path) }
    }
    out
}

/// All texts of an `SQLite` file, the statements that made its tables too.
fn texts_of_database(path: &Path) -> String {
    let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let tables: Vec<String> = database
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let mut out = String::new();
    for table in tables.iter().map(String::as_str).chain(["sqlite_master"]) {
        let mut statement = database.prepare(&format!("SELECT * FROM \"{table}\"")).unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..columns {
                if let ValueRef::Text(text) = row.get_ref(column).unwrap() {
                    out.push_str(std::str::from_utf8(text).unwrap());
                    out.push('\n');
                }
            }
        }
    }
    out
}

fn text_of(path: &Path) -> String {
    match path.extension().and_then(|e| e.to_str()) {
        Some("gpkg") => texts_of_database(path),
        Some("qgz") => project_text(&fs::read(path).unwrap()),
        Some("geojson" | "qml" | "csv" | "json" | "txt" | "html" | "qgs") => {
            fs::read_to_string(path).unwrap()
        }
        Some("pdf") => {
            let out = Command::new("pdftotext").arg(path).arg("-").output();
            let out = out.expect("pdftotext, which scripts/setup test installs");
            assert!(out.status.success(), "{}", path.display());
            String::from_utf8(out.stdout).unwrap()
        }
        other => panic!("{other:?}: how is the text of {} read?", path.display()),
    }
}

fn finds_nothing(study: &Study, told: &str) {
    for lang in ["es", "en"] {
        let out = study.root().join(lang);
        Answer::of(study.command(lang).args(["--audience", "public", "--lang", lang])).exits(0);
        let all = files(&out);
        assert!(
            all.iter().any(|p| p.ends_with("corredor.gpkg")) && all.iter().any(|p| p.ends_with("run.json"))
        );
        for path in all {
            let found = forbidden(&text_of(&path));
            assert!(found.is_empty(), "{told}, {lang}: {} holds {found:?}", path.display());
        }
    }
}

#[test]
fn no_public_file_names_what_is_not_for_the_public() {
    finds_nothing(&Study::new(), "as it is");
    // The notices are others where the source does not say how cases came to be known, and where it says how much was searched.
    for (told, rows) in [
        ("unstated", "07101,2019,200,,\n07089,2019,40,,\n"),
        ("levelled", "07101,2019,200,found,10\n07089,2019,40,found,1\n"),
    ] {
        let study = Study::new();
        study.write("incidencia.csv", format!("cvegeo,period,count,known_by,search_effort\n{rows}"));
        study.cut("study.toml", "period = ", "unlisted_max");
        finds_nothing(&study, told);
    }
}

#[test]
fn the_restricted_result_has_them_so_that_the_search_finds_what_is_there() {
    let study = Study::new();
    study.run(&["--lang", "en"]).exits(0);
    let found = |name: &str| forbidden(&text_of(&study.out().join(name)));
    assert!(found("corredor.gpkg").contains("recruitment"));
    assert!(found("layers/municipalities.qml").contains("recruitment"));
    assert!(found("LEEME.txt").contains("posts"));
    assert!(found("corredor.qgz").contains("recruitment"));
    assert!(found("report.html").contains("posts"));
    if corredor::layers::report::HAS_PDF {
        assert!(found("report.pdf").contains("posts"));
    }
}
