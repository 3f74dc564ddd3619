//! Raw tables to the checked domain. All faults are collected; the caller stops if one is an error.

use std::collections::{BTreeMap, BTreeSet};

use geo::{Geodesic, Geometry, Length, LineString, MultiPolygon};

use super::columns::{Columns, Keys};
use super::domain::{Direction, Domain, KnownBy, Municipality, Road, RoadClass, Surface, TurnBan};
use super::frame::WorkFrame;
use super::incidence::CountDatum;
use super::places;
use super::study::{Study, date};
use crate::error::{Fault, Faults, Result, Rule};
use crate::sources::raw::{RawBan, RawRow, RawTable};
use crate::sources::spec::SourceSpec;
use crate::units::Metres;

/// The tables of a study by the name of their source.
pub type Tables = BTreeMap<&'static str, RawTable>;

/// Builds the domain of `study` from its tables.
///
/// # Errors
/// [`crate::error::Error::Environment`] if the projection cannot be set up. Faults of the data go into
/// `faults`; with an error among them the domain is incomplete and must not be used.
pub fn build(study: &Study, tables: &Tables, study_file: &str, faults: &mut Faults) -> Result<Domain> {
    let empty = RawTable::default();
    let table = |name: &str| tables.get(name).unwrap_or(&empty);
    let spec = &study.sources;

    let mut municipalities = population(table("population"), &spec.population, faults);
    let codes: BTreeSet<String> = municipalities.iter().map(|m| m.cvegeo.clone()).collect();
    if tables.contains_key("municipalities") {
        let merge = Merge { study_file, codes: &spec.merge };
        polygons(table("municipalities"), &spec.municipalities, &merge, &mut municipalities, faults);
    }
    if let (Some(counts_spec), Some(counts)) = (&spec.counts, tables.get("counts")) {
        counts_of(counts, counts_spec, study, &codes, &mut municipalities, faults);
    } else {
        for m in &mut municipalities {
            m.datum = CountDatum::Unknown { max: study.incidence.unlisted_max };
        }
    }
    let roads = roads(table("roads"), &spec.roads, study, faults);
    let bans = turn_bans(table("roads"), &roads, faults);
    let reference = date(&study.planning.reference_date);
    let points = |name: &str| tables.get(name);
    macro_rules! read {
        ($name:literal, $field:ident, $function:path $(, $extra:expr)*) => {
            match (&spec.$field, points($name)) {
                (Some(spec), Some(table)) => $function(table, spec $(, $extra)*, faults),
                _ => Vec::new(),
            }
        };
    }
    let crossings = read!("crossings", crossings, places::crossings);
    let exits = read!("exits", exits, places::exits);
    let towns = read!("towns", towns, places::towns, &codes);
    let posts = read!("posts", posts, places::posts);
    let worksites = read!("worksites", worksites, places::worksites, &codes, reference);
    faults.sort();
    Ok(Domain {
        municipalities,
        roads,
        bans,
        crossings,
        exits,
        towns,
        posts,
        worksites,
        frame: WorkFrame::new()?,
        provenance: study
            .sources
            .given()
            .into_iter()
            .filter_map(|(name, _)| tables.get(name).map(|t| t.provenance.clone()))
            .collect(),
    })
}

fn population(table: &RawTable, spec: &SourceSpec, faults: &mut Faults) -> Vec<Municipality> {
    let columns = Columns::new(table, spec, &["cvegeo", "name", "population"], &["marginalization"], faults);
    let mut keys = Keys::default();
    let mut out = Vec::new();
    for row in &table.rows {
        let cvegeo = columns.cvegeo(row, "cvegeo", faults);
        let name = columns.needed(row, "name", faults);
        let _ = columns.needed(row, "population", faults);
        let population = columns.number(row, "population", 1.0, 1e9, faults);
        let marginalization = columns.number(row, "marginalization", -1e6, 1e6, faults);
        let (Some(cvegeo), Some(name), Some(population)) = (cvegeo, name, population) else { continue };
        if keys.insert(&cvegeo, &columns, row, "cvegeo", faults) {
            out.push(Municipality {
                cvegeo,
                name,
                population,
                marginalization,
                polygon: None,
                polygon_of: None,
                datum: CountDatum::Unknown { max: None },
                known_by: None,
            });
        }
    }
    out.sort_by(|a, b| a.cvegeo.cmp(&b.cvegeo));
    out
}

/// Municipalities that share another's polygon, as the study says.
struct Merge<'a> {
    study_file: &'a str,
    codes: &'a BTreeMap<String, String>,
}

fn polygons(
    table: &RawTable,
    spec: &SourceSpec,
    merge: &Merge<'_>,
    municipalities: &mut [Municipality],
    faults: &mut Faults,
) {
    let columns = Columns::new(table, spec, &["cvegeo"], &["name"], faults);
    let mut keys = Keys::default();
    let mut found: BTreeMap<String, MultiPolygon<f64>> = BTreeMap::new();
    for row in &table.rows {
        let Some(code) = columns.cvegeo(row, "cvegeo", faults) else { continue };
        let polygon = match &row.geometry {
            Some(Geometry::Polygon(p)) => MultiPolygon(vec![p.clone()]),
            Some(Geometry::MultiPolygon(p)) => p.clone(),
            _ => continue,
        };
        if !keys.insert(&code, &columns, row, "cvegeo", faults) {
            continue;
        }
        if municipalities.iter().all(|m| m.cvegeo != code) {
            faults.push(
                table
                    .fault(Rule::PolygonWithoutPopulation, Some(row.row), Some(columns.label("cvegeo")))
                    .with("cvegeo", &code),
            );
        }
        found.insert(code, polygon);
    }
    for m in municipalities.iter_mut() {
        m.polygon = found.get(&m.cvegeo).cloned();
        match (&m.polygon, merge.codes.get(&m.cvegeo)) {
            (None, Some(target)) if found.contains_key(target) => {
                m.polygon_of = Some(target.clone());
                faults.push(
                    table
                        .fault(Rule::PolygonShared, None, None)
                        .with("cvegeo", &m.cvegeo)
                        .with("target", target),
                );
            }
            (None, _) => {
                faults.push(table.fault(Rule::PolygonMissing, None, None).with("cvegeo", &m.cvegeo));
            }
            (Some(_), _) => {}
        }
    }
    for (code, target) in merge.codes {
        let known = municipalities.iter().any(|m| m.cvegeo == *code);
        if !known || !found.contains_key(target) {
            faults.push(
                Fault::new(Rule::ReferenceUnknown, merge.study_file)
                    .field(format!("sources.merge.{code}"))
                    .seen(if known { target.clone() } else { code.clone() }),
            );
        }
    }
}

fn counts_of(
    table: &RawTable,
    spec: &SourceSpec,
    study: &Study,
    codes: &BTreeSet<String>,
    municipalities: &mut [Municipality],
    faults: &mut Faults,
) {
    const MOST: u32 = 10_000_000;
    let optional = ["count", "count_min", "count_max", "known_by"];
    let columns = Columns::new(table, spec, &["cvegeo"], &optional, faults);
    let bounds = columns.has("count_min") && columns.has("count_max");
    if !(bounds || columns.has("count")) {
        faults.push(
            table
                .fault(Rule::FieldMissing, None, Some("count | count_min + count_max"))
                .with("allowed", table.fields.join(", ")),
        );
    }
    for m in municipalities.iter_mut() {
        m.datum = CountDatum::Unknown { max: study.incidence.unlisted_max };
    }
    let mut keys = Keys::default();
    for row in &table.rows {
        let code = places::known_code(&columns, row, codes, faults);
        let count = columns.count(row, "count", MOST, faults);
        let min = columns.count(row, "count_min", MOST, faults);
        let max = columns.count(row, "count_max", MOST, faults);
        let choices = [
            ("reported", KnownBy::Reported),
            ("denuncia", KnownBy::Reported),
            ("found", KnownBy::Found),
            ("hallazgo", KnownBy::Found),
        ];
        let known_by = columns.choice(row, "known_by", &choices, faults);
        let Some(code) = code else { continue };
        if !keys.insert(&code, &columns, row, "cvegeo", faults) {
            continue;
        }
        if let Some(datum) = datum(&columns, row, [count, min, max], faults)
            && let Some(m) = municipalities.iter_mut().find(|m| m.cvegeo == code)
        {
            m.datum = datum;
            m.known_by = known_by;
        }
    }
}

/// The datum of a row, from `[count, min, max]`.
fn datum(
    columns: &Columns<'_>,
    row: &RawRow,
    values: [Option<u32>; 3],
    faults: &mut Faults,
) -> Option<CountDatum> {
    let datum = match values {
        [Some(n), min, max] if min.is_none_or(|m| m <= n) && max.is_none_or(|m| n <= m) => {
            CountDatum::Exact(n)
        }
        [None, Some(min), Some(max)] if min == max => CountDatum::Exact(min),
        [None, min, Some(max)] if min.unwrap_or(0) <= max => {
            CountDatum::Interval { min: min.unwrap_or(0), max }
        }
        // A lower bound alone cannot be told from "unknown, at least": the sampler needs both ends.
        [None, Some(_), None] => {
            columns.fault(Rule::ValueEmpty, row, "count_max", None, faults);
            return None;
        }
        [None, None, None] => CountDatum::Unknown { max: None },
        _ => {
            columns.fault(
                Rule::BoundsCrossed,
                row,
                if values[0].is_some() { "count" } else { "count_min" },
                None,
                faults,
            );
            return None;
        }
    };
    Some(datum)
}

fn roads(table: &RawTable, spec: &SourceSpec, study: &Study, faults: &mut Faults) -> Vec<Road> {
    let optional = [
        "id",
        "ref",
        "surface",
        "toll",
        "oneway",
        "speed_kmh",
        "length_km",
        "region",
        "schematic",
        "from_node",
        "to_node",
        "level",
    ];
    let columns = Columns::new(table, spec, &["class"], &optional, faults);
    let classes = RoadClass::ALL.map(|class| (class.name(), class));
    let surfaces = [
        ("paved", Surface::Paved),
        ("pavimentado", Surface::Paved),
        ("partly_paved", Surface::PartlyPaved),
        ("unpaved", Surface::Unpaved),
        ("terracería", Surface::Unpaved),
    ];
    let directions = [
        ("no", Direction::Both),
        ("both", Direction::Both),
        ("yes", Direction::Forward),
        ("forward", Direction::Forward),
        ("-1", Direction::Backward),
        ("backward", Direction::Backward),
        ("closed", Direction::Closed),
        ("0", Direction::Both),
        ("1", Direction::Forward),
        ("false", Direction::Both),
        ("true", Direction::Forward),
    ];
    let mut keys = Keys::default();
    let mut out = Vec::new();
    for row in &table.rows {
        let _ = columns.needed(row, "class", faults);
        let class = columns.choice(row, "class", &classes, faults);
        let surface = columns.choice(row, "surface", &surfaces, faults).unwrap_or(Surface::Paved);
        let toll = columns.boolean(row, "toll", faults);
        let direction = columns.choice(row, "oneway", &directions, faults).unwrap_or(Direction::Both);
        let speed = columns.number(row, "speed_kmh", 1.0, 200.0, faults);
        let length_km = columns.number(row, "length_km", 0.0, 10_000.0, faults);
        let schematic = columns.boolean(row, "schematic", faults).unwrap_or(false);
        let ends = match (columns.integer(row, "from_node", faults), columns.integer(row, "to_node", faults))
        {
            (Some(from), Some(to)) => Some([from, to]),
            _ => None,
        };
        let level = columns.integer(row, "level", faults).and_then(|l| i32::try_from(l).ok()).unwrap_or(0);
        let id = columns.text(row, "id").unwrap_or_else(|| row.row.to_string());
        let Some(class) = class else { continue };
        if !keys.insert(&id, &columns, row, "id", faults) {
            continue;
        }
        let lines = match &row.geometry {
            Some(Geometry::LineString(line)) => vec![line.clone()],
            Some(Geometry::MultiLineString(lines)) => lines.0.clone(),
            _ => continue,
        };
        let by_study = || {
            let speeds = &study.parameters.speeds_kmh;
            speeds
                .get(&format!("{}/{}", class.name(), surface.name()))
                .or_else(|| speeds.get(class.name()))
                .copied()
        };
        let speed_kmh = speed.or_else(by_study).unwrap_or_else(|| class.default_speed(surface));
        let total: f64 = lines.iter().map(|line| Geodesic.length(line)).sum();
        // Keys are of the ends of a record, which has two only if it is one line.
        let ends = ends.filter(|_| lines.len() == 1);
        for line in lines {
            let own = Geodesic.length(&line);
            // A stated length belongs to the record: its parts share it by their own length.
            let length = match length_km {
                Some(km) if total > 0.0 => km * 1000.0 * own / total,
                _ => own,
            };
            out.push(Road {
                id: id.clone(),
                row: row.row,
                reference: columns.text(row, "ref").unwrap_or_default(),
                class,
                surface,
                toll: toll.unwrap_or(class == RoadClass::Toll),
                direction,
                speed_kmh,
                length: Metres(length),
                region: columns.text(row, "region").unwrap_or_default(),
                schematic,
                ends,
                level,
                line: without_repeats(&line),
            });
        }
    }
    out
}

/// The bans of a table by index of their roads. A ban on a road that was left out by rule, such as a closed one,
/// bans nothing and is left out as well; one on a road that no record has is a warning.
fn turn_bans(table: &RawTable, roads: &[Road], _faults: &mut Faults) -> Vec<TurnBan> {
    if table.bans.is_empty() {
        return Vec::new();
    }
    // A record with several parts has no single place in a sequence.
    let mut index: BTreeMap<&str, Option<usize>> = BTreeMap::new();
    for (i, road) in roads.iter().enumerate() {
        index.entry(&road.id).and_modify(|slot| *slot = None).or_insert(Some(i));
    }
    let resolve = |ban: &RawBan| {
        let roads: Option<Vec<usize>> =
            ban.roads.iter().map(|id| index.get(id.as_str()).copied().flatten()).collect();
        Some(TurnBan { id: ban.id.clone(), row: ban.row, via: ban.via, roads: roads? })
    };
    table.bans.iter().filter(|ban| ban.roads.len() >= 2).filter_map(resolve).collect()
}

/// The line without positions that repeat their predecessor.
fn without_repeats(line: &LineString<f64>) -> LineString<f64> {
    let mut points = line.0.clone();
    points.dedup();
    LineString(points)
}
