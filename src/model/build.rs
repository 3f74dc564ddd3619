//! Raw tables to the checked domain. All faults are collected; the caller stops if one is an error.

use std::collections::{BTreeMap, BTreeSet};

use geo::{Geodesic, Geometry, Length, LineString, MultiPolygon};
use sha2::{Digest, Sha256};

use super::columns::{Columns, Keys};
use super::domain::{Direction, Domain, KnownBy, Municipality, Road, RoadClass, Surface};
use super::frame::WorkFrame;
use super::incidence::CountDatum;
use super::places;
use super::study::{Study, date};
use crate::error::{Fault, Faults, Result, Rule};
use crate::sources::raw::{RawRow, RawTable};
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
    let mut crossings = read!("crossings", crossings, places::crossings);
    let mut exits = read!("exits", exits, places::exits);
    // Their weights are drawn one after the other: in the order of ids, so that that of rows decides nothing.
    crossings.sort_by(|a, b| a.id.cmp(&b.id));
    exits.sort_by(|a, b| a.id.cmp(&b.id));
    let towns = read!("towns", towns, places::towns, &codes);
    let posts = read!("posts", posts, places::posts);
    let worksites = read!("worksites", worksites, places::worksites, &codes, reference);
    cap_warnings(faults);
    faults.sort();
    Ok(Domain {
        municipalities,
        roads,
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
    let optional =
        ["id", "ref", "surface", "toll", "oneway", "speed_kmh", "length_km", "region", "schematic"];
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
        let used = used_length(length_km.map(|km| km * 1000.0), total);
        if used.is_implausible {
            let km = |m: f64| format!("{:.3}", m / 1000.0);
            faults.push(
                table
                    .fault(Rule::LengthImplausible, Some(row.row), Some(columns.label("length_km")))
                    .seen(id.clone())
                    .with("stated", km(length_km.unwrap_or(0.0) * 1000.0))
                    .with("line", km(total))
                    .with("used", km(used.metres)),
            );
        }
        for line in lines {
            let own = Geodesic.length(&line);
            // A stated length belongs to the record: its parts share it by their own length.
            let length = if total > 0.0 { used.metres * own / total } else { own };
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
                line: without_repeats(&line),
            });
        }
    }
    without_repeated_roads(table, out, faults)
}

/// A road is not shorter than its line: below this ratio of stated length to line the line is believed.
const LEAST_STATED: f64 = 0.95;
/// A road winds between the vertices of a schematic line, but hardly as much as this.
const MOST_STATED: f64 = 5.0;
/// Differences of less than this are rounding, metres: lengths are often given to a tenth of a kilometre.
const LENGTH_ROUNDING: f64 = 50.0;

/// The length of a record, and whether what it states is worth a warning.
struct UsedLength {
    metres: f64,
    is_implausible: bool,
}

/// The length to use for a line of `total` metres whose record says `stated` metres. Nothing and zero are no
/// statement. A stated length below that of the line cannot be: the line's is used. One far above it, as where
/// metres stand in the place of kilometres, may yet be right on a sketch: it is kept.
fn used_length(stated: Option<f64>, total: f64) -> UsedLength {
    let Some(stated) = stated.filter(|m| *m > 0.0 && total > 0.0) else {
        return UsedLength { metres: total, is_implausible: false };
    };
    let short = stated < LEAST_STATED * total;
    let apart = (stated - total).abs() > LENGTH_ROUNDING;
    UsedLength {
        metres: if short { total } else { stated },
        is_implausible: apart && (short || stated > MOST_STATED * total),
    }
}

/// The roads without those that are there twice: of one reference, along the same positions, as long, and to be
/// driven in the same directions. Two links between the same junctions would share the flow of one. The one with
/// the lower id stays, so that the order of rows decides nothing.
fn without_repeated_roads(table: &RawTable, roads: Vec<Road>, faults: &mut Faults) -> Vec<Road> {
    let what: Vec<[u8; 32]> = roads.iter().map(same_road).collect();
    let mut kept: BTreeMap<[u8; 32], usize> = BTreeMap::new();
    for (i, key) in what.iter().enumerate() {
        let first = kept.entry(*key).or_insert(i);
        if roads[i].id < roads[*first].id {
            *first = i;
        }
    }
    for (i, key) in what.iter().enumerate().filter(|(i, key)| kept[*key] != *i) {
        faults.push(
            table
                .fault(Rule::RoadRepeated, Some(roads[i].row), None)
                .seen(roads[i].id.clone())
                .with("first", roads[kept[key]].row),
        );
    }
    let mut i = 0..;
    roads
        .into_iter()
        .zip(what)
        .filter(|(_, key)| i.next() == kept.get(key).copied())
        .map(|(r, _)| r)
        .collect()
}

/// A hash of what makes two records the same road, whichever way they are drawn. Hashes, since a file may hold any
/// number of roads between the same ends.
fn same_road(road: &Road) -> [u8; 32] {
    let bits = |c: &geo::Coord<f64>| [c.x.to_bits(), c.y.to_bits()];
    let there: Vec<[u64; 2]> = road.line.0.iter().map(bits).collect();
    let back: Vec<[u64; 2]> = there.iter().rev().copied().collect();
    let (course, direction) =
        if back < there { (back, road.direction.reversed()) } else { (there, road.direction) };
    let mut hash = Sha256::new();
    // Lengths to a millimetre: those of a line and of its reverse differ in the last bits.
    hash.update(format!("{}\0{direction:?}\0{:.3}\0", road.reference, road.length.0));
    for [x, y] in course {
        hash.update(x.to_le_bytes());
        hash.update(y.to_le_bytes());
    }
    hash.finalize().into()
}

/// Warnings of one rule that are kept one by one.
const WARNINGS: usize = 200;

/// Of the warnings that a whole column can give, keeps the first ones and says how many there were.
fn cap_warnings(faults: &mut Faults) {
    for rule in [Rule::LengthImplausible, Rule::RoadRepeated, Rule::VisitAfterReference] {
        let count = faults.0.iter().filter(|f| f.rule == rule).count();
        let Some(last) = faults.0.iter().rfind(|f| f.rule == rule).filter(|_| count > WARNINGS).cloned()
        else {
            continue;
        };
        let mut seen = 0;
        faults.0.retain(|f| {
            seen += usize::from(f.rule == rule);
            f.rule != rule || seen <= WARNINGS
        });
        faults.push(last.with("count", count));
    }
}

/// The line without positions that repeat their predecessor.
fn without_repeats(line: &LineString<f64>) -> LineString<f64> {
    let mut points = line.0.clone();
    points.dedup();
    LineString(points)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::raw::{Provenance, Value};

    fn spec(path: &str) -> SourceSpec {
        toml::from_str(&format!("path = '{path}'")).unwrap()
    }

    fn study() -> Study {
        crate::network::tests::support::study()
    }

    type Line<'a> = &'a [(f64, f64)];

    /// A table of roads: id, reference, direction, stated length and line.
    fn roads_of(rows: &[(&str, &str, &str, &str, Line<'_>)]) -> (Vec<Road>, Faults) {
        let text = |t: &str| if t.is_empty() { Value::Null } else { Value::Text(t.to_owned()) };
        let table = RawTable {
            fields: ["id", "ref", "class", "oneway", "length_km"].map(str::to_owned).to_vec(),
            rows: (2..)
                .zip(rows)
                .map(|(row, &(id, reference, oneway, length, line))| RawRow {
                    row,
                    values: vec![text(id), text(reference), text("state"), text(oneway), text(length)],
                    geometry: Some(Geometry::LineString(line.iter().copied().collect())),
                })
                .collect(),
            provenance: Provenance::default(),
        };
        let mut faults = Faults::default();
        let roads = roads(&table, &spec("r.geojson"), &study(), &mut faults);
        (roads, faults)
    }

    const EAST: Line<'_> = &[(-93.0, 16.0), (-92.9, 16.0)];
    const BACK: Line<'_> = &[(-92.9, 16.0), (-93.0, 16.0)];

    #[test]
    fn a_length_that_cannot_be_gives_way_to_the_line_and_one_far_above_is_only_told() {
        let line = Geodesic.length(&EAST.iter().copied().collect::<LineString<f64>>());
        let km = line / 1000.0;
        for (stated, used, told) in [
            ("", line, false),
            ("0", line, false),
            ("3.2", line, true),
            (&format!("{:.1}", km * 0.97), (km * 0.97 * 10.0).round() * 100.0, false),
            ("20", 20_000.0, false),
            ("100", 100_000.0, true),
        ] {
            let (roads, faults) = roads_of(&[("a", "R1", "", stated, EAST)]);
            assert!((roads[0].length.0 - used).abs() < 0.01, "{stated}: {:?}", roads[0].length);
            let rules: Vec<Rule> = faults.0.iter().map(|f| f.rule).collect();
            assert_eq!(rules, if told { vec![Rule::LengthImplausible] } else { Vec::new() }, "{stated}");
            assert!(!faults.has_errors());
        }
        // A tenth of a kilometre for 120 metres is rounding: the line is used, and nothing said.
        let short: Line<'_> = &[(-93.0, 16.0), (-92.99888, 16.0)];
        let (roads, faults) = roads_of(&[("a", "R1", "", "0.1", short)]);
        assert!(faults.0.is_empty() && roads[0].length.0 > 115.0, "{faults:?}");
    }

    #[test]
    fn a_road_that_is_there_twice_is_told_and_used_once() {
        for (first, second, third, kept) in [("a", "b", "c", 2), ("c", "b", "a", 4)] {
            let (roads, faults) = roads_of(&[
                (first, "R1", "", "12", EAST),
                (second, "R1", "", "12", BACK),
                (third, "R1", "both", "12", EAST),
            ]);
            let told: Vec<u64> = faults.0.iter().filter_map(|f| f.place.row).collect();
            assert_eq!((roads.len(), roads[0].id.as_str(), roads[0].row), (1, "a", kept));
            assert_eq!(told.len(), 2);
            assert!(faults.0.iter().all(|f| f.rule == Rule::RoadRepeated && !f.is_error()));
        }
        // What differs in reference, length, direction or course is another road.
        let other: Line<'_> = &[(-93.0, 16.0), (-92.95, 16.01), (-92.9, 16.0)];
        let (roads, faults) = roads_of(&[
            ("a", "R1", "", "12", EAST),
            ("b", "R2", "", "12", EAST),
            ("c", "R1", "", "13", EAST),
            ("d", "R1", "", "12", other),
            ("e", "R1", "yes", "12", EAST),
            ("f", "R1", "yes", "12", BACK),
        ]);
        assert_eq!((roads.len(), faults.0.len()), (6, 0), "{faults:?}");
        // Against the line and along its reverse are the same way.
        let (roads, _) = roads_of(&[("a", "R1", "-1", "12", EAST), ("b", "R1", "yes", "12", BACK)]);
        assert_eq!(roads.len(), 1);
    }

    #[test]
    fn warnings_of_a_whole_column_are_counted() {
        let names: Vec<String> = (0..500).map(|i| format!("r{i:03}")).collect();
        let rows: Vec<_> = names.iter().map(|n| (n.as_str(), n.as_str(), "", "1000", EAST)).collect();
        let (_, mut faults) = roads_of(&rows);
        cap_warnings(&mut faults);
        assert_eq!(faults.0.len(), WARNINGS + 1);
        assert_eq!(faults.0[WARNINGS].params.last(), Some(&("count", "500".to_owned())));
    }

    fn points_of(fields: &[&str], rows: &[(&[&str], (f64, f64))]) -> RawTable {
        RawTable {
            fields: fields.iter().map(|f| (*f).to_owned()).collect(),
            rows: (2..)
                .zip(rows)
                .map(|(row, (values, at))| RawRow {
                    row,
                    values: values.iter().map(|v| Value::Text((*v).to_owned())).collect(),
                    geometry: Some(Geometry::Point((*at).into())),
                })
                .collect(),
            provenance: Provenance::default(),
        }
    }

    #[test]
    fn crossings_at_one_position_are_told_and_both_stay() {
        let table = points_of(
            &["id", "name"],
            &[
                (&["b", "Uno"], (-92.15, 14.68)),
                (&["a", "Dos"], (-92.150_001, 14.68)),
                (&["c", "Tres"], (-92.16, 14.68)),
            ],
        );
        let mut faults = Faults::default();
        let crossings = places::crossings(&table, &spec("c.csv"), &mut faults);
        assert_eq!(crossings.len(), 3);
        let told: Vec<_> = faults.0.iter().map(|f| (f.rule, f.place.row)).collect();
        assert_eq!(told, [(Rule::CrossingRepeated, Some(3))]);
    }

    #[test]
    fn a_visit_after_the_reference_date_is_told() {
        let table = points_of(
            &["id", "cvegeo", "scian", "last_visit"],
            &[
                (&["w1", "07001", "721111", "2025-12-31"], (-93.0, 16.0)),
                (&["w2", "07001", "721111", "2026-01-02"], (-93.0, 16.0)),
                (&["w3", "07001", "721111", ""], (-93.0, 16.0)),
            ],
        );
        let mut faults = Faults::default();
        let codes = BTreeSet::from(["07001".to_owned()]);
        let sites = places::worksites(&table, &spec("w.csv"), &codes, date("2026-01-01"), &mut faults);
        let days: Vec<_> = sites.iter().map(|s| s.days_since_visit).collect();
        assert_eq!(days, [Some(1), Some(0), None]);
        let told: Vec<_> = faults.0.iter().map(|f| (f.rule, f.place.row, f.is_error())).collect();
        assert_eq!(told, [(Rule::VisitAfterReference, Some(3), false)]);
    }
}
