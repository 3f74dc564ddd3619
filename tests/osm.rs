//! OpenStreetMap files: every rule of the preset on small files written here, damage, and real extracts beside
//! two programs that nobody here wrote.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "tests and their helpers may fail by panicking"
)]

use std::fs;
use std::path::Path;

use corredor::error::{Faults, Rule};
use corredor::sources::{
    ColumnRules, GeometryNeed, Limits, Preset, RawRow, RawTable, SourceSpec, Value, read,
};

#[path = "osm/damage.rs"]
mod damage;
#[path = "osm/extracts.rs"]
mod extracts;
#[path = "osm/network.rs"]
mod network;
#[path = "support/pbf.rs"]
mod pbf;
#[path = "osm/roads.rs"]
mod roads;
#[path = "osm/turns.rs"]
mod turns;

const PRIMARY: &[(&str, &str)] = &[("highway", "primary")];

fn osm_spec(path: &str) -> SourceSpec {
    SourceSpec { path: path.to_owned(), preset: Some(Preset::Osm), ..SourceSpec::default() }
}

/// Reads a file of a folder.
fn read_as(dir: &Path, spec: &SourceSpec, need: GeometryNeed, limits: &Limits) -> (Option<RawTable>, Faults) {
    let mut faults = Faults::default();
    let table = read(dir, "roads", spec, need, &ColumnRules::default(), limits, &mut faults).unwrap();
    (table, faults)
}

/// Writes bytes as a file of its own and reads it.
fn read_bytes(bytes: &[u8]) -> (Option<RawTable>, Faults) {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.osm.pbf"), bytes).unwrap();
    read_as(dir.path(), &osm_spec("a.osm.pbf"), GeometryNeed::Line, &Limits::default())
}

/// The table of a file without faults, the same from dense nodes and from single ones.
#[track_caller]
fn clean(osm: &pbf::Osm) -> RawTable {
    let (table, faults) = read_bytes(&osm.file());
    assert!(faults.0.is_empty(), "{faults}");
    let table = table.unwrap();
    let (plain, faults) = read_bytes(&osm.plain_file());
    assert!(faults.0.is_empty(), "{faults}");
    let plain = plain.unwrap();
    assert_eq!(format!("{:?}", (&table.rows, &table.bans)), format!("{:?}", (&plain.rows, &plain.bans)));
    assert_eq!(table.provenance.dropped, plain.provenance.dropped);
    table
}

/// The rules that were broken, in order.
fn rules(faults: &Faults) -> Vec<Rule> {
    faults.0.iter().map(|fault| fault.rule).collect()
}

/// The value of a field as text; blank where there is none.
fn get(row: &RawRow, field: &str) -> String {
    const FIELDS: [&str; 10] =
        ["id", "ref", "class", "surface", "toll", "oneway", "speed_kmh", "from_node", "to_node", "level"];
    row.values[FIELDS.iter().position(|name| *name == field).unwrap()].text().unwrap_or_default()
}

fn key(row: &RawRow, field: &str) -> i64 {
    get(row, field).parse().unwrap()
}

/// Id and keys of every row.
fn ends(table: &RawTable) -> Vec<(String, i64, i64)> {
    table.rows.iter().map(|row| (get(row, "id"), key(row, "from_node"), key(row, "to_node"))).collect()
}

fn owned(list: &[(&str, i64, i64)]) -> Vec<(String, i64, i64)> {
    list.iter().map(|(id, from, to)| ((*id).to_owned(), *from, *to)).collect()
}

/// Positions along a row.
fn line(row: &RawRow) -> Vec<(f64, f64)> {
    match &row.geometry {
        Some(geo::Geometry::LineString(line)) => line.coords().map(|c| (c.x, c.y)).collect(),
        other => panic!("{other:?}"),
    }
}

fn dropped(table: &RawTable) -> Vec<(&'static str, u64)> {
    table.provenance.dropped.iter().map(|(reason, count)| (*reason, *count)).collect()
}
