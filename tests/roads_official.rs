//! Roads and municipalities as INEGI publishes them, whole and broken, and the same roads in several formats.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail by panicking")]

#[path = "official/mod.rs"]
mod generator;
#[path = "roads_official/marco.rs"]
mod marco;
#[path = "roads_official/rnc.rs"]
mod rnc;
#[path = "roads_official/same.rs"]
mod same;
#[path = "support/mod.rs"]
mod support;
#[path = "support/workbooks.rs"]
mod workbooks;

use std::collections::BTreeMap;
use std::path::Path;

use corredor::error::Faults;
use corredor::sources::raw::RawTable;
use corredor::sources::spec::{GeometryNeed, SourceSpec};
use corredor::sources::{self, ColumnRules, Limits};

/// Rule, row and field of a fault.
type Told = (String, Option<u64>, Option<String>);

/// Reads a file of a folder as `source`, by the keys of a study file.
fn read(dir: &Path, source: &str, keys: &str) -> (Option<RawTable>, Faults) {
    let spec: SourceSpec = toml::from_str(keys).unwrap();
    let need = if source == "roads" { GeometryNeed::Line } else { GeometryNeed::Polygon };
    let (rules, mut faults) = (ColumnRules::default(), Faults::default());
    let table = sources::read(dir, source, &spec, need, &rules, &Limits::default(), &mut faults).unwrap();
    (table, faults)
}

/// Rule, row and field of all faults of one file, in order.
fn told(faults: &Faults, file: &str) -> Vec<Told> {
    let mut out: Vec<Told> = faults
        .0
        .iter()
        .filter(|fault| fault.place.file == file)
        .map(|fault| (fault.rule.code().to_owned(), fault.place.row, fault.place.field.clone()))
        .collect();
    out.sort();
    out
}

/// Fails unless exactly these faults are told of a file.
#[track_caller]
fn assert_told(faults: &Faults, file: &str, expected: &[(&str, Option<u64>, Option<&str>)]) {
    let found = told(faults, file);
    let mut expected: Vec<Told> = expected
        .iter()
        .map(|(rule, row, field)| ((*rule).to_owned(), *row, field.map(str::to_owned)))
        .collect();
    expected.sort();
    let missing: Vec<&Told> = expected.iter().filter(|told| !found.contains(told)).collect();
    let surplus: Vec<&Told> = found.iter().filter(|told| !expected.contains(told)).collect();
    assert!(
        missing.is_empty() && surplus.is_empty(),
        "{file}: not told: {missing:#?}\nnot expected: {surplus:#?}"
    );
    assert_eq!(found.len(), expected.len());
}

fn text(row: &sources::RawRow, at: usize) -> String {
    row.values[at].text().unwrap_or_default()
}

/// What of a table must not depend on how it is written.
fn canonical(table: &RawTable) -> String {
    format!("{:?}\n{:?}\n{:#?}", table.fields, table.provenance.dropped, table.rows)
}

fn dropped(table: &RawTable) -> BTreeMap<&str, u64> {
    table.provenance.dropped.iter().map(|(reason, count)| (*reason, *count)).collect()
}
