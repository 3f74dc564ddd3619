//! Raw tables of points to places: crossings, exits, towns, posts, workplaces.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use geo::{Coord, Distance, Geodesic, Geometry, Point};

use super::build::Source;
use super::columns::{Columns, Keys, records};
use super::domain::{Approach, Crossing, CrossingStatus, Exit, Municipality, Post, Town, Worksite};
use super::frame::WorkFrame;
use super::study::date;
use crate::error::{Faults, Rule};
use crate::sources::raw::RawRow;
use crate::units::Metres;

/// How far beside its municipality a workplace may lie, in metres: borders of different editions and simplified
/// ones differ by as much.
const BESIDE: f64 = 500.0;

/// How far apart, in kilometres, a crossing and its approach may lie beyond the stated length: positions of both are
/// read off maps.
const AROUND_KM: f64 = 10.0;

/// The position of a record; sources have already refused what is not a point.
fn position(row: &RawRow) -> Option<Coord<f64>> {
    match row.geometry.as_ref()? {
        Geometry::Point(point) => Some(point.0),
        Geometry::MultiPoint(points) if points.0.len() == 1 => points.0.first().map(|p| p.0),
        _ => None,
    }
}

/// Crossings: `id`, `name`; optional `status`, `mode`, `precision_km`, `weight` and both approaches.
pub fn crossings(source: &Source<'_>, faults: &mut Faults) -> Vec<Crossing> {
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
    let tables = source.columns(&["id", "name"], &optional, faults);
    let mut keys = Keys::default();
    let mut places: BTreeMap<[String; 2], u64> = BTreeMap::new();
    let mut out = Vec::new();
    for (columns, row) in records(&tables) {
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
        for (side, km) in approaches.iter().flatten().zip(["inside_km", "outside_km"]) {
            let straight = Metres(Geodesic.distance(Point(at), Point(side.at)));
            // No road is shorter than the straight line, but for what the positions are out by.
            let off = AROUND_KM + precision_km.unwrap_or(0.0);
            if straight.km() > side.length.km() + off {
                faults.push(
                    columns
                        .place_fault(Rule::LengthImplausible, Some(row), Some(km))
                        .with("stated", format!("{:.1}", side.length.km()))
                        .with("line", format!("{:.1}", straight.km()))
                        .with("used", format!("{:.1}", straight.km())),
                );
            }
        }
        // To a metre or so. Both stay: a bridge and the ford below it may have been given one position.
        let place = [format!("{:.5}", at.x), format!("{:.5}", at.y)];
        let first = *places.entry(place).or_insert(row.row);
        if first != row.row {
            faults.push(
                columns
                    .place_fault(Rule::CrossingRepeated, Some(row), None)
                    .seen(id.clone())
                    .with("first", first),
            );
        }
        if keys.insert(&id, columns, row, "id", faults) {
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
pub fn exits(source: &Source<'_>, faults: &mut Faults) -> Vec<Exit> {
    let tables = source.columns(&["id", "name"], &["weight"], faults);
    let mut keys = Keys::default();
    let mut out = Vec::new();
    for (columns, row) in records(&tables) {
        let id = columns.needed(row, "id", faults);
        let name = columns.needed(row, "name", faults);
        let weight = columns.number(row, "weight", 0.0, 1e9, faults).unwrap_or(1.0);
        let (Some(id), Some(name), Some(at)) = (id, name, position(row)) else { continue };
        if keys.insert(&id, columns, row, "id", faults) {
            out.push(Exit { id, name, row: row.row, at, weight });
        }
    }
    out
}

/// Towns: `id`, `name`, optional `cvegeo`, `seat`. Two seats of one municipality are a fault.
pub fn towns(source: &Source<'_>, codes: &BTreeSet<String>, faults: &mut Faults) -> Vec<Town> {
    let tables = source.columns(&["id", "name"], &["cvegeo", "seat"], faults);
    let (mut keys, mut seats) = (Keys::default(), Keys::default());
    let mut out = Vec::new();
    for (columns, row) in records(&tables) {
        let id = columns.needed(row, "id", faults);
        let name = columns.needed(row, "name", faults);
        let cvegeo = match columns.text(row, "cvegeo") {
            Some(_) => known_code(columns, row, codes, faults),
            None => None,
        };
        let seat = columns.boolean(row, "seat", faults).unwrap_or(false);
        if seat && columns.has("cvegeo") && columns.text(row, "cvegeo").is_none() {
            columns.fault(Rule::ValueEmpty, row, "cvegeo", None, faults);
        }
        if let (true, Some(code)) = (seat, &cvegeo) {
            seats.insert(code, columns, row, "cvegeo", faults);
        }
        let (Some(id), Some(name), Some(at)) = (id, name, position(row)) else { continue };
        if keys.insert(&id, columns, row, "id", faults) {
            out.push(Town { id, name, row: row.row, cvegeo, seat, at });
        }
    }
    out
}

/// Posts: `id`, `name`, `operator`, `purpose`; optional `ref`, `staffed_share`, `precision_km`.
pub fn posts(source: &Source<'_>, faults: &mut Faults) -> Vec<Post> {
    let tables = source.columns(
        &["id", "name", "operator", "purpose"],
        &["ref", "staffed_share", "precision_km"],
        faults,
    );
    let mut keys = Keys::default();
    let mut out = Vec::new();
    for (columns, row) in records(&tables) {
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
        if keys.insert(&id, columns, row, "id", faults) {
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
    source: &Source<'_>,
    codes: &BTreeSet<String>,
    reference: Option<NaiveDate>,
    faults: &mut Faults,
) -> Vec<Worksite> {
    let optional = ["name", "clee", "sector", "size", "last_visit", "complaints", "synthetic"];
    let tables = source.columns(&["id", "cvegeo", "scian"], &optional, faults);
    let mut keys = Keys::default();
    let mut out = Vec::new();
    for (columns, row) in records(&tables) {
        let id = columns.needed(row, "id", faults);
        let cvegeo = known_code(columns, row, codes, faults);
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
                columns
                    .place_fault(Rule::VisitAfterReference, Some(row), Some("last_visit"))
                    .with("visit", visited)
                    .with("reference", reference),
            );
        }
        let complaints = columns.count(row, "complaints", 0, 1_000_000, faults);
        let synthetic = columns.boolean(row, "synthetic", faults).unwrap_or(false);
        let (Some(id), Some(cvegeo), Some(scian), Some(at)) = (id, cvegeo, scian, position(row)) else {
            continue;
        };
        if keys.insert(&id, columns, row, "id", faults) {
            out.push(Worksite {
                name: columns.text(row, "name").unwrap_or_default(),
                row: row.row,
                table: columns.table_number(),
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

/// Reports workplaces that lie outside the municipality they state, farther than [`BESIDE`]: one of the two is
/// wrong, and an inspector would look for it in the wrong place.
pub fn check_positions(
    source: &Source<'_>,
    worksites: &[Worksite],
    municipalities: &[Municipality],
    frame: &WorkFrame,
    faults: &mut Faults,
) {
    use geo::{BoundingRect, Contains, Distance, Euclidean};
    let polygon_of = |code: &str| {
        let at = |code: &str| municipalities.binary_search_by(|m| m.cvegeo.as_str().cmp(code)).ok();
        let m = municipalities.get(at(code)?)?;
        let own = m.polygon.as_ref();
        own.or_else(|| municipalities.get(at(m.polygon_of.as_deref()?)?)?.polygon.as_ref())
    };
    let mut by_code: BTreeMap<&str, Vec<&Worksite>> = BTreeMap::new();
    for site in worksites {
        by_code.entry(&site.cvegeo).or_default().push(site);
    }
    for (code, sites) in by_code {
        let Some(polygon) = polygon_of(code) else { continue };
        let Some(bounds) = polygon.bounding_rect() else { continue };
        let mut plane = None;
        for site in sites {
            let point = Point(site.at);
            if bounds.contains(&point) && polygon.contains(&point) {
                continue;
            }
            let plane = plane.get_or_insert_with(|| frame.geometry_to_plane(polygon));
            let distance = Euclidean.distance(&Point(frame.to_plane(site.at)), &*plane);
            if distance > BESIDE {
                let fault = source
                    .tables
                    .get(site.table)
                    .map(|t| t.fault(Rule::OutsideMunicipality, Some(site.row), None));
                faults.push(
                    fault
                        .unwrap_or_else(|| source.fault(Rule::OutsideMunicipality))
                        .seen(code.to_owned())
                        .with("distance", format!("{:.1} km", distance / 1_000.0)),
                );
            }
        }
    }
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
