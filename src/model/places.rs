//! Raw tables of points to places: crossings, exits, towns, posts, workplaces.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use geo::{Coord, Geometry};

use super::columns::{Columns, Keys};
use super::domain::{Approach, Crossing, CrossingStatus, Exit, Post, Town, Worksite};
use super::study::date;
use crate::error::{Faults, Rule};
use crate::sources::raw::{RawRow, RawTable};
use crate::sources::spec::SourceSpec;
use crate::units::Metres;

/// The position of a record; sources have already refused what is not a point.
fn position(row: &RawRow) -> Option<Coord<f64>> {
    match row.geometry.as_ref()? {
        Geometry::Point(point) => Some(point.0),
        Geometry::MultiPoint(points) if points.0.len() == 1 => points.0.first().map(|p| p.0),
        _ => None,
    }
}

/// Crossings: `id`, `name`; optional `status`, `mode`, `precision_km`, `weight` and both approaches.
pub fn crossings(table: &RawTable, spec: &SourceSpec, faults: &mut Faults) -> Vec<Crossing> {
    const SIDES: [[&str; 3]; 2] =
        [["inside_lon", "inside_lat", "inside_km"], ["outside_lon", "outside_lat", "outside_km"]];
    let optional = [
        "status",
        "mode",
        "precision_km",
        "weight",
        "inside_lon",
        "inside_lat",
        "inside_km",
        "outside_lon",
        "outside_lat",
        "outside_km",
    ];
    let columns = Columns::new(table, spec, &["id", "name"], &optional, faults);
    let mut keys = Keys::default();
    let mut places: BTreeMap<[String; 2], u64> = BTreeMap::new();
    let mut out = Vec::new();
    for row in &table.rows {
        let id = columns.needed(row, "id", faults);
        let name = columns.needed(row, "name", faults);
        let status = columns.choice(
            row,
            "status",
            &[
                ("formal", CrossingStatus::Formal),
                ("local", CrossingStatus::Local),
                ("informal", CrossingStatus::Informal),
            ],
            faults,
        );
        let precision_km = columns.number(row, "precision_km", 0.0, 1_000.0, faults);
        let weight = columns.number(row, "weight", 0.0, 1e9, faults);
        let mut side = |[lon, lat, km]: [&'static str; 3]| {
            let x = columns.number(row, lon, -180.0, 180.0, faults);
            let y = columns.number(row, lat, -90.0, 90.0, faults);
            let length = columns.number(row, km, 0.0, 1_000.0, faults);
            match (x, y) {
                (Some(x), Some(y)) => {
                    Some(Approach { at: Coord { x, y }, length: Metres(length.unwrap_or(0.0) * 1000.0) })
                }
                (None, None) => None,
                // One without the other: name the blank one.
                (x, _) => {
                    columns.fault(Rule::ValueEmpty, row, if x.is_none() { lon } else { lat }, None, faults);
                    None
                }
            }
        };
        let approaches = match (side(SIDES[0]), side(SIDES[1])) {
            (Some(inside), Some(outside)) => Some([inside, outside]),
            (None, None) => None,
            (inside, _) => {
                let missing = if inside.is_none() { "inside_lon" } else { "outside_lon" };
                columns.fault(Rule::ValueEmpty, row, missing, None, faults);
                None
            }
        };
        let (Some(id), Some(name), Some(at)) = (id, name, position(row)) else { continue };
        // To a metre or so. Both stay: a bridge and the ford below it may have been given one position.
        let place = [format!("{:.5}", at.x), format!("{:.5}", at.y)];
        let first = *places.entry(place).or_insert(row.row);
        if first != row.row {
            faults.push(
                table
                    .fault(Rule::CrossingRepeated, Some(row.row), None)
                    .seen(id.clone())
                    .with("first", first),
            );
        }
        if keys.insert(&id, &columns, row, "id", faults) {
            out.push(Crossing {
                id,
                name,
                row: row.row,
                at,
                // A crossing whose standing is not stated is treated as the most sensitive kind.
                status: status.unwrap_or(CrossingStatus::Informal),
                mode: columns.text(row, "mode").unwrap_or_default(),
                precision_km,
                weight: weight.unwrap_or(1.0),
                approaches,
            });
        }
    }
    out
}

/// Exits: `id`, `name`, optional `weight`.
pub fn exits(table: &RawTable, spec: &SourceSpec, faults: &mut Faults) -> Vec<Exit> {
    let columns = Columns::new(table, spec, &["id", "name"], &["weight"], faults);
    let mut keys = Keys::default();
    let mut out = Vec::new();
    for row in &table.rows {
        let id = columns.needed(row, "id", faults);
        let name = columns.needed(row, "name", faults);
        let weight = columns.number(row, "weight", 0.0, 1e9, faults).unwrap_or(1.0);
        let (Some(id), Some(name), Some(at)) = (id, name, position(row)) else { continue };
        if keys.insert(&id, &columns, row, "id", faults) {
            out.push(Exit { id, name, row: row.row, at, weight });
        }
    }
    out
}

/// Towns: `id`, `name`, optional `cvegeo`, `seat`. Two seats of one municipality are a fault.
pub fn towns(
    table: &RawTable,
    spec: &SourceSpec,
    codes: &BTreeSet<String>,
    faults: &mut Faults,
) -> Vec<Town> {
    let columns = Columns::new(table, spec, &["id", "name"], &["cvegeo", "seat"], faults);
    let (mut keys, mut seats) = (Keys::default(), Keys::default());
    let mut out = Vec::new();
    for row in &table.rows {
        let id = columns.needed(row, "id", faults);
        let name = columns.needed(row, "name", faults);
        let cvegeo = match columns.text(row, "cvegeo") {
            Some(_) => known_code(&columns, row, codes, faults),
            None => None,
        };
        let seat = columns.boolean(row, "seat", faults).unwrap_or(false);
        if seat && columns.has("cvegeo") && columns.text(row, "cvegeo").is_none() {
            columns.fault(Rule::ValueEmpty, row, "cvegeo", None, faults);
        }
        if let (true, Some(code)) = (seat, &cvegeo) {
            seats.insert(code, &columns, row, "cvegeo", faults);
        }
        let (Some(id), Some(name), Some(at)) = (id, name, position(row)) else { continue };
        if keys.insert(&id, &columns, row, "id", faults) {
            out.push(Town { id, name, row: row.row, cvegeo, seat, at });
        }
    }
    out
}

/// Posts: `id`, `name`, `operator`, `purpose`; optional `ref`, `staffed_share`, `precision_km`.
pub fn posts(table: &RawTable, spec: &SourceSpec, faults: &mut Faults) -> Vec<Post> {
    let columns = Columns::new(
        table,
        spec,
        &["id", "name", "operator", "purpose"],
        &["ref", "staffed_share", "precision_km"],
        faults,
    );
    let mut keys = Keys::default();
    let mut out = Vec::new();
    for row in &table.rows {
        let id = columns.needed(row, "id", faults);
        let name = columns.needed(row, "name", faults);
        // Who runs a post and what for decides whether it counts as coverage: never guessed.
        let operator = columns.needed(row, "operator", faults);
        let purpose = columns.needed(row, "purpose", faults);
        let staffed_share = columns.number(row, "staffed_share", 0.0, 1.0, faults);
        let precision_km = columns.number(row, "precision_km", 0.0, 1_000.0, faults);
        let (Some(id), Some(name), Some(operator), Some(purpose), Some(at)) =
            (id, name, operator, purpose, position(row))
        else {
            continue;
        };
        if keys.insert(&id, &columns, row, "id", faults) {
            out.push(Post {
                id,
                name,
                row: row.row,
                reference: columns.text(row, "ref").unwrap_or_default(),
                operator,
                purpose,
                staffed_share,
                precision_km,
                at,
            });
        }
    }
    out
}

/// Workplaces: `id`, `cvegeo`, `scian`; optional `name`, `clee`, `sector`, `size`, `last_visit`,
/// `complaints`, `synthetic`.
pub fn worksites(
    table: &RawTable,
    spec: &SourceSpec,
    codes: &BTreeSet<String>,
    reference: Option<NaiveDate>,
    faults: &mut Faults,
) -> Vec<Worksite> {
    let optional = ["name", "clee", "sector", "size", "last_visit", "complaints", "synthetic"];
    let columns = Columns::new(table, spec, &["id", "cvegeo", "scian"], &optional, faults);
    let mut keys = Keys::default();
    let mut out = Vec::new();
    for row in &table.rows {
        let id = columns.needed(row, "id", faults);
        let cvegeo = known_code(&columns, row, codes, faults);
        let scian = columns.needed(row, "scian", faults).filter(|code| {
            let fine = (2..=6).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit());
            if !fine {
                columns.unknown_value(row, "scian", code, "7213, 722412…", faults);
            }
            fine
        });
        let last_visit = columns.text(row, "last_visit");
        let visited = last_visit.as_deref().and_then(|text| {
            let parsed = date(text);
            if parsed.is_none() {
                columns.fault(Rule::DateFormat, row, "last_visit", Some(text), faults);
            }
            parsed
        });
        if let (Some(visited), Some(reference)) = (visited, reference)
            && visited > reference
        {
            faults.push(
                table
                    .fault(Rule::VisitAfterReference, Some(row.row), Some(columns.label("last_visit")))
                    .with("visit", visited)
                    .with("reference", reference),
            );
        }
        let complaints = columns.count(row, "complaints", 1_000_000, faults);
        let synthetic = columns.boolean(row, "synthetic", faults).unwrap_or(false);
        let (Some(id), Some(cvegeo), Some(scian), Some(at)) = (id, cvegeo, scian, position(row)) else {
            continue;
        };
        if keys.insert(&id, &columns, row, "id", faults) {
            out.push(Worksite {
                name: columns.text(row, "name").unwrap_or_default(),
                row: row.row,
                clee: columns.text(row, "clee").unwrap_or_default(),
                cvegeo,
                scian,
                sector: columns.text(row, "sector").unwrap_or_default(),
                size: columns.text(row, "size").unwrap_or_default(),
                // A visit after the reference date counts as of that day, and was reported above.
                days_since_visit: visited.zip(reference).map(|(v, r)| (r - v).num_days().max(0)),
                last_visit,
                complaints,
                synthetic,
                at,
                id,
            });
        }
    }
    out
}

/// A CVEGEO that the study knows.
pub fn known_code(
    columns: &Columns<'_>,
    row: &RawRow,
    codes: &BTreeSet<String>,
    faults: &mut Faults,
) -> Option<String> {
    let code = columns.cvegeo(row, "cvegeo", faults)?;
    if codes.contains(&code) {
        return Some(code);
    }
    columns.unknown_code(row, &code, faults);
    None
}
