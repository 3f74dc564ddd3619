//! Junctions by key, levels, and the order of rows.

use proptest::prelude::*;

use super::support::{OPTIONS, at, built, domain, exit, named, road, town};
use crate::error::Rule;
use crate::model::domain::{Direction, Road, RoadClass, TurnBan};
use crate::model::frame::WorkFrame;
use crate::network::builder::{Built, build};
use crate::network::noding::{Noded, node};
use crate::network::report;

fn keyed(id: &str, ends: [i64; 2], points: &[(f64, f64)]) -> Road {
    Road { ends: Some(ends), ..road(id, points) }
}

fn noded(roads: &[Road]) -> Noded {
    node(roads, &WorkFrame::new().unwrap(), 10.0)
}

fn degrees(noded: &Noded) -> Vec<usize> {
    let mut out = vec![0; noded.nodes.len()];
    for piece in &noded.pieces {
        out[piece.from as usize] += 1;
        out[piece.to as usize] += 1;
    }
    out.sort_unstable();
    out
}

#[test]
fn roads_with_keys_meet_where_keys_are_equal_and_only_there() {
    // They share a vertex, an end lies on a line, and two ends share their place: none of it joins.
    let roads = [
        keyed("a", [1, 2], &[(0.0, 0.0), (5.0, 0.0), (10.0, 0.0)]),
        keyed("b", [3, 4], &[(5.0, -5.0), (5.0, 0.0), (5.0, 5.0)]),
        keyed("c", [5, 6], &[(10.0, 0.0), (10.0, 5.0)]),
        keyed("d", [2, 7], &[(10.0, 0.0), (15.0, 0.0)]),
        keyed("e", [8, 9], &[(2.0, 0.0), (2.0, 5.0)]),
    ];
    let got = noded(&roads);
    assert_eq!(got.pieces.len(), 5);
    assert_eq!(degrees(&got), [1, 1, 1, 1, 1, 1, 1, 1, 2]);
    assert!(got.torn.is_empty() && got.loose.is_empty());
    let network = built(&domain(roads.into())).network;
    assert_eq!(network.components().len(), 4);
    // Keys of both signs, the same key at both ends: a loop.
    let ring = keyed("r", [-7, -7], &[(0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 0.0)]);
    assert_eq!(noded(&[ring]).nodes.len(), 1);
}

#[test]
fn ends_of_one_key_far_apart_are_an_error_with_key_row_and_distance() {
    let apart = |metres: f64| {
        let x = 10.0 + metres / 1000.0;
        let second = Road { row: 7, ..keyed("b", [2, 3], &[(x, 0.0), (20.0, 0.0)]) };
        domain(vec![keyed("a", [1, 2], &[(0.0, 0.0), (10.0, 0.0)]), second])
    };
    let got = built(&apart(45.0));
    assert!(got.torn.is_empty());
    assert_eq!(got.network.components().len(), 1, "within 50 m the key decides");
    let all = apart(60.0);
    let got = built(&all);
    let faults = report::faults(&all, &got);
    let fault = faults.0.iter().find(|f| f.rule == Rule::KeyTorn).unwrap();
    assert_eq!((fault.place.row, fault.params[0].1.as_str()), (Some(7), "2"));
    assert_eq!(fault.params[1].1, "60 m");
    assert!(faults.has_errors());
    // Three ends in a row, each 40 m from the next.
    let x = |n: f64| 10.0 + n * 0.04;
    let three = noded(&[
        keyed("a", [1, 2], &[(0.0, 0.0), (x(1.0), 0.0)]),
        keyed("b", [2, 3], &[(x(0.0), 0.0), (20.0, 0.0)]),
        keyed("c", [2, 4], &[(x(2.0), 0.0), (20.0, 5.0)]),
    ]);
    assert!((three.torn[0].distance.0 - 80.0).abs() < 0.5, "{:?}", three.torn);
    // A tolerance of the study that is wider allows more.
    let wide = node(&apart(60.0).roads, &WorkFrame::new().unwrap(), 100.0);
    assert!(wide.torn.is_empty());
}

#[test]
fn a_road_of_no_length_between_two_keys_makes_them_one_place() {
    let got = noded(&[
        keyed("a", [1, 2], &[(0.0, 0.0), (5.0, 0.0)]),
        keyed("point", [2, 3], &[(5.0, 0.0)]),
        keyed("b", [3, 4], &[(5.0, 0.0), (9.0, 0.0)]),
    ]);
    assert_eq!(got.degenerate, [1]);
    assert_eq!(got.pieces[0].to, got.pieces[1].from);
}

#[test]
fn roads_without_keys_join_junctions_with_keys_at_their_ends() {
    let roads = |gap: f64| {
        vec![
            keyed("a", [1, 2], &[(0.0, 0.0), (10.0, 0.0)]),
            keyed("b", [3, 4], &[(0.0, 9.0), (10.0, 9.0)]),
            Road {
                class: RoadClass::Ferry,
                row: 5,
                ..road("ferry", &[(10.0, gap), (12.0, 4.0), (10.0, 9.0)])
            },
            // Its end lies on the inside of a road with keys: no junction there.
            Road { row: 6, ..road("side", &[(5.0, 0.0), (5.0, -3.0)]) },
            road("more", &[(5.0, -3.0), (5.0, -9.0)]),
        ]
    };
    let got = noded(&roads(0.005));
    assert_eq!(got.pieces[2].from, got.pieces[0].to);
    assert_eq!(got.pieces[2].line.0[0], at((10.0, 0.0)), "drawn to the junction");
    assert_eq!(got.pieces[2].to, got.pieces[1].to);
    assert_eq!(got.pieces[3].to, got.pieces[4].from, "joined among themselves");
    let loose: Vec<usize> = got.loose.iter().map(|l| l.road).collect();
    assert_eq!(loose, [3], "one for the part that joins nothing");
    assert!((got.loose[0].distance.0 - 5000.0).abs() < 5.0);
    // A ferry with one end out of reach is reported although its other end is joined.
    let all = domain(roads(0.012));
    let got = built(&all);
    let mut rows: Vec<Option<u64>> = report::faults(&all, &got)
        .0
        .iter()
        .filter(|f| f.rule == Rule::RoadLoose)
        .map(|f| f.place.row)
        .collect();
    rows.sort_unstable();
    assert_eq!(rows, [Some(5), Some(6)]);
}

#[test]
fn levels_part_what_lies_over_each_other() {
    let over = |level: i32| {
        let east = road("a", &[(0.0, 0.0), (5.0, 0.0), (10.0, 0.0)]);
        let north = Road { level, ..road("b", &[(5.0, -5.0), (5.0, 0.0), (5.0, 5.0)]) };
        degrees(&noded(&[east, north]))
    };
    assert_eq!(over(0), [1, 1, 1, 1, 4]);
    assert_eq!(over(1), [1, 1, 1, 1], "a shared vertex of an overpass joins nothing");
    let touching = |level: i32| {
        let east = road("a", &[(0.0, 0.0), (10.0, 0.0)]);
        noded(&[east, Road { level, ..road("b", &[(5.0, 0.0), (5.0, 5.0)]) }]).pieces.len()
    };
    assert_eq!((touching(0), touching(-1)), (3, 2));
    // Ends join ends: a ramp leads from one level to the other.
    let ramp = [
        road("a", &[(0.0, 0.0), (5.0, 0.0)]),
        Road { level: 1, ..road("b", &[(5.0, 0.0), (9.0, 0.0)]) },
        Road { level: 1, ..road("c", &[(9.0, -5.0), (9.0, 5.0)]) },
        road("d", &[(8.999, 5.005), (20.0, 5.0)]),
    ];
    let got = noded(&ramp);
    assert_eq!(degrees(&got), [1, 1, 1, 2, 2, 3]);
}

/// A town with keys, without, levels, one-way streets, twins, a ring, a chain and a ban.
fn mixed() -> Vec<Road> {
    let mut roads = Vec::new();
    for i in 0..4_i32 {
        for j in 0..3_i32 {
            let (x, y) = (f64::from(i), f64::from(j));
            let name = |d: &str| format!("{d}{i}{j}");
            let key = |i: i32, j: i32| i64::from(10 * i + j);
            roads.push(keyed(&name("n"), [key(i, j), key(i, j + 1)], &[(x, y), (x, y + 1.0)]));
            roads.push(keyed(&name("e"), [key(j, i), key(j + 1, i)], &[(y, x), (y + 1.0, x)]));
        }
    }
    for (i, direction) in [Direction::Both, Direction::Forward, Direction::Backward].into_iter().enumerate() {
        let y = 6.0 + i as f64;
        for k in 0..5 {
            let x = f64::from(k);
            roads.push(Road {
                direction,
                ..road(&format!("c{i}{k}"), &[(x, y), (x + 0.5, y + 0.1), (x + 1.0, y)])
            });
        }
    }
    roads.push(road("twin", &[(0.0, 6.0), (0.0, 8.0)]));
    roads.push(road("twin2", &[(0.0, 6.0), (0.0, 8.0)]));
    roads.push(named("spur", "S", &[(0.0, 3.0), (0.0, 6.0)]));
    for (i, ends) in
        [(20.0, 20.0, 22.0, 20.0), (22.0, 20.0, 22.0, 22.0), (22.0, 22.0, 20.0, 20.0)].iter().enumerate()
    {
        roads.push(road(&format!("ring{i}"), &[(ends.0, ends.1), (ends.2, ends.3)]));
    }
    // An overpass whose shared vertex lies over that of another level.
    for level in 0..2 {
        let id = |c: &str| format!("{c}{level}");
        roads.push(Road { level, ..road(&id("x"), &[(9.0, 1.0), (10.0, 1.0), (11.0, 1.0)]) });
        roads.push(Road { level, ..road(&id("y"), &[(10.0, 0.0), (10.0, 1.0), (10.0, 2.0)]) });
    }
    roads
}

/// Everything of a network that has a number, and what is joined to it.
fn image(order: &[usize]) -> (Vec<String>, Built) {
    let all = mixed();
    let mut place = vec![0; all.len()];
    for (row, &i) in order.iter().enumerate() {
        place[i] = row;
    }
    let id = |name: &str| place[all.iter().position(|r| r.id == name).unwrap()];
    let bans = vec![
        TurnBan { layer: None, id: "t".into(), row: 1, via: Some(11), roads: vec![id("n10"), id("e11")] },
        TurnBan {
            layer: None,
            id: "u".into(),
            row: 2,
            via: None,
            roads: vec![id("c00"), id("c01"), id("c02")],
        },
    ];
    let mut with = domain(order.iter().map(|&i| all[i].clone()).collect());
    with.bans = bans;
    with.towns = vec![town("T", None, (1.0, 1.0))];
    with.exits = vec![exit("x", 1.0, (2.4, 6.2)), exit("y", 1.0, (0.0, 7.0))];
    let got = build(&with, OPTIONS);
    let network = &got.network;
    let mut out: Vec<String> =
        network.graph().node_weights().map(|j| format!("{:?} {:?}", j.at, j.town)).collect();
    for (link, l) in network.links() {
        // Twins are the same but for their name.
        let records: Vec<String> = l.records.iter().map(|r| r.replace("twin2", "twin")).collect();
        out.push(format!(
            "{} {:?}",
            network.key(link),
            (l.from, l.to, l.direction, l.length, &l.line, records)
        ));
    }
    out.push(format!("{:?} {:?} {:?}", got.exits, got.towns, network.bans()));
    (out, got)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_order_of_rows_changes_no_number(
        order in Just((0..mixed().len()).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let sorted: Vec<usize> = (0..mixed().len()).collect();
        let ((one, built), (two, _)) = (image(&sorted), image(&order));
        prop_assert_eq!(one, two);
        prop_assert_eq!(built.bans_applied, 2);
    }
}

#[test]
fn disconnected_parts_are_listed_up_to_two_hundred_and_added_up() {
    let islands = |n: i32| -> Vec<Road> {
        (0..n).map(|i| road(&i.to_string(), &[(f64::from(i), 0.0), (f64::from(i) + 0.5, 0.0)])).collect()
    };
    let count = |n: i32, rule: Rule| {
        let all = domain(islands(n));
        report::faults(&all, &built(&all)).0.iter().filter(|f| f.rule == rule).count()
    };
    assert_eq!((count(201, Rule::Disconnected), count(201, Rule::DisconnectedTotal)), (200, 0));
    assert_eq!((count(230, Rule::Disconnected), count(230, Rule::DisconnectedTotal)), (200, 1));
    let all = domain(islands(230));
    let total = report::faults(&all, &built(&all)).0;
    let total = total.iter().find(|f| f.rule == Rule::DisconnectedTotal).unwrap();
    let value = |name: &str| total.params.iter().find(|p| p.0 == name).unwrap().1.clone();
    assert_eq!(
        (value("count"), value("junctions"), value("length")),
        ("229".into(), "458".into(), "114.2".into())
    );
}
