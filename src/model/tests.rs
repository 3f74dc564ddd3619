//! Roads, crossings and visits that are told and kept, told and dropped, or mended.

use std::collections::BTreeSet;

use geo::{Geodesic, Geometry, Length, LineString};

use super::build::{Source, WARNINGS, cap_warnings};
use super::domain::{KnownBy, Municipality, Road, Stratum};
use super::incidence::CountDatum;
use super::study::{Study, date};
use super::{counts, places, roads};
use crate::error::{Faults, Rule};
use crate::sources::raw::{RawRow, RawTable, Value};
use crate::sources::spec::SourceSpec;

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
    let mut table = RawTable {
        fields: ["id", "ref", "class", "oneway", "length_km"].map(str::to_owned).to_vec(),
        rows: (2..)
            .zip(rows)
            .map(|(row, &(id, reference, oneway, length, line))| RawRow {
                layer: None,
                row,
                values: vec![text(id), text(reference), text("state"), text(oneway), text(length)],
                geometry: Some(Geometry::LineString(line.iter().copied().collect())),
            })
            .collect(),
        ..RawTable::default()
    };
    let mut faults = Faults::default();
    let rows = std::mem::take(&mut table.rows);
    let source = Source { tables: &[table], spec: &spec("r.geojson") };
    let (roads, _) = roads::roads(&source, vec![rows], &study(), &mut faults);
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
                layer: None,
                row,
                values: values.iter().map(|v| Value::Text((*v).to_owned())).collect(),
                geometry: Some(Geometry::Point((*at).into())),
            })
            .collect(),
        ..RawTable::default()
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
    let source = Source { tables: &[table], spec: &spec("c.csv") };
    let crossings = places::crossings(&source, &mut faults);
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
    let source = Source { tables: &[table], spec: &spec("w.csv") };
    let sites = places::worksites(&source, &codes, date("2026-01-01"), &mut faults);
    let days: Vec<_> = sites.iter().map(|s| s.days_since_visit).collect();
    assert_eq!(days, [Some(1), Some(0), None]);
    let told: Vec<_> = faults.0.iter().map(|f| (f.rule, f.place.row, f.is_error())).collect();
    assert_eq!(told, [(Rule::VisitAfterReference, Some(3), false)]);
}

/// Counts of `07001` to `07003` from rows of code, period, modality, count, `known_by` and search effort.
fn counted(rows: &[[&str; 6]]) -> (Vec<Municipality>, Faults) {
    let text = |t: &&str| if t.is_empty() { Value::Null } else { Value::Text((*t).to_owned()) };
    let table = RawTable {
        fields: ["cvegeo", "period", "modality", "count", "known_by", "search_effort"]
            .map(str::to_owned)
            .to_vec(),
        rows: (2..)
            .zip(rows)
            .map(|(row, cells)| RawRow {
                layer: None,
                row,
                values: cells.iter().map(text).collect(),
                geometry: None,
            })
            .collect(),
        ..RawTable::default()
    };
    let codes: BTreeSet<String> = ["07001", "07002", "07003"].map(str::to_owned).into();
    let mut municipalities: Vec<Municipality> =
        (7001..=7003).map(|code| crate::network::tests::support::municipality(code, 1e4)).collect();
    let mut faults = Faults::default();
    let source = Source { tables: &[table], spec: &spec("c.csv") };
    counts::counts(&source, &study(), &codes, &mut municipalities, &mut faults);
    (municipalities, faults)
}

#[test]
fn counts_are_kept_apart_by_modality_and_period() {
    use CountDatum::{AtLeast, Exact, Interval, Unknown};

    let (m, faults) = counted(&[
        ["07001", "2019", "sexual", "3", "found", "10"],
        ["07001", "2019", "laboral", "1", "found", "10"],
        ["07001", "2020", "sexual", "4", "reported", "10"],
        ["07001", "2020", "laboral", "0", "found", "10"],
        ["07002", "2019", "sexual", "2", "reported", ""],
        ["07002", "2019", "", "5", "reported", ""],
        ["07003", "2019", "", "5", "", ""],
        ["07003", "2020", "", "0", "", ""],
    ]);
    assert!(!faults.has_errors(), "{faults:?}");
    let part = |parts: &[Stratum]| -> Vec<(String, u32, CountDatum)> {
        parts.iter().map(|s| (s.name.clone(), s.months, s.datum)).collect()
    };
    assert_eq!(m[0].datum, Exact(8));
    assert_eq!(
        part(&m[0].by_modality),
        [("laboral".to_owned(), 24, Exact(1)), ("sexual".to_owned(), 24, Exact(7))]
    );
    assert_eq!(part(&m[0].by_period), [("2019".to_owned(), 12, Exact(4)), ("2020".to_owned(), 12, Exact(4))]);
    // Of the second, 2020 is missing; five cases of 2019 can be of any modality, and are in no part.
    assert_eq!(m[1].datum, AtLeast { min: 7 });
    assert_eq!(
        part(&m[1].by_modality),
        [("laboral".to_owned(), 24, Unknown { max: None }), ("sexual".to_owned(), 24, AtLeast { min: 2 })]
    );
    assert_eq!(m[1].by_period[0].datum, Exact(7));
    assert_eq!(m[1].by_period[1].datum, Unknown { max: None });
    // Of the third no modality is stated: any part of its five may be of each.
    assert_eq!(
        part(&m[2].by_modality),
        [
            ("laboral".to_owned(), 24, Interval { min: 0, max: 5 }),
            ("sexual".to_owned(), 24, Interval { min: 0, max: 5 })
        ]
    );
    // What was found anywhere depends on where one looked.
    assert_eq!((m[0].known_by, m[0].search_effort), (Some(KnownBy::Found), Some(20.0)));
    assert_eq!((m[1].known_by, m[1].search_effort), (Some(KnownBy::Reported), None));
}

#[test]
fn one_period_and_one_modality_divide_nothing() {
    let (m, _) =
        counted(&[["07001", "2019", "sexual", "3", "", ""], ["07002", "2019", "sexual", "1", "", ""]]);
    assert!(m.iter().all(|m| m.by_modality.is_empty() && m.by_period.is_empty()));
}

#[test]
fn a_search_effort_is_a_positive_number() {
    let (_, faults) =
        counted(&[["07001", "2019", "", "3", "found", "0"], ["07002", "2019", "", "3", "found", "x"]]);
    let rules: Vec<Rule> = faults.0.iter().filter(|f| f.is_error()).map(|f| f.rule).collect();
    assert_eq!(rules, [Rule::OutOfRange, Rule::NotANumber]);
}
