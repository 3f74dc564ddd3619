//! What ways become rows, what their tags say, and where they are cut.

use super::pbf::Osm;
use super::*;

type Tags = &'static [(&'static str, &'static str)];

/// A way with some tags at the end of one that is a road.
fn beside(tags: Tags) -> RawTable {
    clean(&Osm::new().row_of_nodes(1..=3).way(10, &[1, 2], tags).way(11, &[2, 3], PRIMARY))
}

/// The row of a way with some tags.
#[track_caller]
fn road(tags: Tags) -> RawRow {
    let table = beside(tags);
    assert_eq!(table.rows.len(), 2, "{tags:?}: {:?}", table.provenance.dropped);
    assert_eq!(table.provenance.records, 2);
    table.rows[0].clone()
}

#[track_caller]
fn assert_field(field: &str, cases: &[(Tags, &str)]) {
    for (tags, expected) in cases {
        assert_eq!(get(&road(tags), field), *expected, "{tags:?}");
    }
}

#[test]
fn a_road_has_every_field() {
    let tags: Tags = &[
        ("highway", "trunk"),
        ("ref", " MEX 200 "),
        ("name", "Costera"),
        ("toll", "yes"),
        ("layer", "-1"),
        ("maxspeed", "90"),
        ("oneway", "-1"),
    ];
    let table = beside(tags);
    assert_eq!(
        table.fields,
        ["id", "ref", "class", "surface", "toll", "oneway", "speed_kmh", "from_node", "to_node", "level"]
    );
    let row = &table.rows[0];
    let values: Vec<String> = row.values.iter().map(|value| value.text().unwrap_or_default()).collect();
    assert_eq!(values, ["w10-1", "MEX 200", "toll", "paved", "yes", "backward", "90", "1", "2", "-1"]);
    assert_eq!(line(row), [(-91.99, 15.0), (-91.98, 15.0)]);
    assert!(matches!(row.values[2], Value::Word("toll")) && matches!(row.values[7], Value::Integer(1)));
    // A name is no reference.
    assert!(matches!(road(&[("highway", "primary"), ("name", "x")]).values[1], Value::Null));
    let provenance = &table.provenance;
    assert_eq!(provenance.preset, Some("osm"));
    assert_eq!(provenance.driver, "osm-pbf");
    assert_eq!(provenance.extent, Some([-91.99, 15.0, -91.97, 15.0]));
    assert_eq!(provenance.sha256.len(), 64);
    assert!(table.labels.is_empty());
}

#[test]
fn classes_come_from_highway_and_toll() {
    assert_field(
        "class",
        &[
            (&[("highway", "motorway")], "federal"),
            (&[("highway", "trunk_link")], "federal"),
            (&[("highway", "primary")], "federal"),
            (&[("highway", "secondary")], "state"),
            (&[("highway", "tertiary_link")], "state"),
            (&[("highway", "unclassified")], "local"),
            (&[("highway", "residential")], "local"),
            (&[("highway", "living_street")], "local"),
            (&[("highway", "service")], "local"),
            (&[("highway", "road")], "local"),
            (&[("highway", "track")], "local"),
            (&[("highway", "motorway"), ("toll", "yes")], "toll"),
            (&[("highway", "motorway"), ("toll:motorcar", "yes"), ("toll", "no")], "toll"),
            (&[("highway", "motorway"), ("toll", "no")], "federal"),
            (&[("highway", "secondary"), ("toll", "yes")], "state"),
            (&[("route", "ferry")], "ferry"),
        ],
    );
    assert_field("toll", &[(&[("highway", "secondary"), ("toll", "yes")], "yes"), (PRIMARY, "no")]);
}

#[test]
fn what_no_motor_vehicle_may_use_is_counted_by_reason() {
    let cases: &[(Tags, &str)] = &[
        (&[("highway", "footway")], "osm_other_highway"),
        (&[("highway", "steps")], "osm_other_highway"),
        (&[("highway", "rest_area")], "osm_other_highway"),
        (&[("highway", "no such thing")], "osm_other_highway"),
        (&[("highway", "construction"), ("construction", "primary")], "osm_unbuilt"),
        (&[("highway", "proposed")], "osm_unbuilt"),
        (&[("highway", "service"), ("area", "yes")], "osm_area"),
        (&[("highway", "service"), ("access", "private")], "osm_access"),
        (&[("highway", "track"), ("motor_vehicle", "agricultural;forestry")], "osm_access"),
        (&[("highway", "track"), ("vehicle", "no")], "osm_access"),
        (&[("highway", "residential"), ("motorcar", "no"), ("access", "yes")], "osm_access"),
        (&[("highway", "service"), ("service", "emergency_access")], "osm_access"),
        (&[("route", "ferry"), ("motor_vehicle", "no")], "osm_access"),
        (&[("route", "ferry"), ("motor_vehicle", "yes"), ("motorcar", "no")], "osm_access"),
    ];
    for (tags, reason) in cases {
        let table = beside(tags);
        assert_eq!(dropped(&table), [(*reason, 1)], "{tags:?}");
        assert_eq!((table.rows.len(), table.provenance.records), (1, 2));
    }
    let table = beside(&[("building", "yes"), ("access", "private")]);
    assert_eq!((dropped(&table), table.provenance.records), (vec![], 1));
}

#[test]
fn the_most_particular_access_counts() {
    for tags in [
        &[("highway", "track"), ("access", "no"), ("motor_vehicle", "yes")][..],
        &[("highway", "track"), ("motor_vehicle", "no"), ("motorcar", "permissive")],
        &[("highway", "residential"), ("access", "destination")],
        &[("highway", "residential"), ("access", "customers")],
        &[("highway", "residential"), ("vehicle", "private;destination")],
        &[("highway", "residential"), ("motor_vehicle", "no one knows")],
        &[("route", "ferry"), ("foot", "yes")],
    ] {
        road(tags);
    }
}

#[test]
fn directions_are_stated_or_implied() {
    assert_field(
        "oneway",
        &[
            (PRIMARY, "both"),
            (&[("highway", "primary"), ("oneway", "yes")], "forward"),
            (&[("highway", "primary"), ("oneway", "1")], "forward"),
            (&[("highway", "primary"), ("oneway", "-1")], "backward"),
            (&[("highway", "primary"), ("oneway", "reverse")], "backward"),
            (&[("highway", "primary"), ("oneway", "reversible")], "both"),
            (&[("highway", "primary"), ("oneway", "alternating")], "both"),
            (&[("highway", "primary"), ("oneway", "yes"), ("oneway:motor_vehicle", "no")], "both"),
            (&[("highway", "primary"), ("oneway:motorcar", "-1"), ("oneway", "yes")], "backward"),
            (&[("highway", "motorway")], "forward"),
            (&[("highway", "motorway"), ("oneway", "no")], "both"),
            (&[("highway", "motorway_link")], "both"),
            (&[("highway", "tertiary"), ("junction", "roundabout")], "forward"),
            (&[("highway", "tertiary"), ("junction", "circular")], "forward"),
            (&[("highway", "tertiary"), ("junction", "roundabout"), ("oneway", "-1")], "backward"),
            (&[("highway", "tertiary"), ("junction", "yes")], "both"),
            (&[("route", "ferry"), ("oneway", "yes")], "forward"),
        ],
    );
}

#[test]
fn speeds_are_signed_or_by_class() {
    assert_field(
        "speed_kmh",
        &[
            (&[("highway", "motorway")], "100"),
            (&[("highway", "secondary")], "60"),
            (&[("highway", "service")], "20"),
            (&[("highway", "primary"), ("maxspeed", "80")], "80"),
            (&[("highway", "primary"), ("maxspeed", "80 km/h")], "80"),
            (&[("highway", "primary"), ("maxspeed", "50 mph")], "80.4672"),
            (&[("highway", "primary"), ("maxspeed", "50mph")], "80.4672"),
            (&[("highway", "primary"), ("maxspeed", "10 knots")], "18.52"),
            (&[("highway", "primary"), ("maxspeed", "60;80")], "60"),
            (&[("highway", "primary"), ("maxspeed", "60|80")], "60"),
            (&[("highway", "primary"), ("maxspeed", "walk")], "5"),
            (&[("highway", "primary"), ("maxspeed", "none")], "70"),
            (&[("highway", "primary"), ("maxspeed", "MX:urban")], "70"),
            (&[("highway", "primary"), ("maxspeed", "signals")], "70"),
            (&[("highway", "primary"), ("maxspeed", "-40")], "70"),
            (&[("highway", "primary"), ("maxspeed", "0")], "70"),
            (&[("highway", "primary"), ("maxspeed", "5000")], "70"),
            (&[("highway", "primary"), ("maxspeed", "NaN")], "70"),
            (&[("highway", "primary"), ("maxspeed", "")], "70"),
            (&[("highway", "primary"), ("maxspeed:forward", "60"), ("maxspeed:backward", "50")], "50"),
            (
                &[
                    ("highway", "primary"),
                    ("maxspeed:forward", "60"),
                    ("maxspeed:backward", "50"),
                    ("oneway", "yes"),
                ],
                "60",
            ),
            (&[("highway", "primary"), ("surface", "gravel")], "45"),
            (&[("highway", "primary"), ("surface", "gravel"), ("maxspeed", "80")], "45"),
            (&[("highway", "primary"), ("surface", "gravel"), ("maxspeed", "30")], "30"),
            (&[("highway", "primary"), ("surface", "asphalt;gravel")], "57.5"),
            (&[("highway", "track")], "15"),
            (&[("highway", "track"), ("tracktype", "grade5")], "10"),
            (&[("highway", "track"), ("tracktype", "grade2")], "25"),
            (&[("route", "ferry")], "15"),
        ],
    );
}

#[test]
fn a_ferry_takes_as_long_as_it_says() {
    // 1.0747 km on this parallel, by GeographicLib.
    let length = 1.075_1;
    for (duration, minutes) in
        [("00:04", 4.0), ("0:04:30", 4.5), ("5", 5.0), ("PT6M", 6.0), ("PT0H3M30S", 3.5)]
    {
        let tags: Tags = Box::leak(Box::new([("route", "ferry"), ("duration", duration)]));
        let speed: f64 = get(&road(tags), "speed_kmh").parse().unwrap();
        assert!((speed - length / minutes * 60.0).abs() < 0.02, "{duration}: {speed}");
    }
    assert_field(
        "speed_kmh",
        &[
            (&[("route", "ferry"), ("duration", "00:00")], "15"),
            (&[("route", "ferry"), ("duration", "-5")], "15"),
            (&[("route", "ferry"), ("duration", "1:2:3:4")], "15"),
            (&[("route", "ferry"), ("duration", "inf")], "15"),
            // 65 km/h is no ferry of this length, 0.1 km/h none at all.
            (&[("route", "ferry"), ("duration", "00:00:01")], "15"),
            (&[("route", "ferry"), ("duration", "99:00")], "15"),
        ],
    );
}

#[test]
fn surfaces_are_paved_or_not() {
    assert_field(
        "surface",
        &[
            (PRIMARY, "paved"),
            (&[("highway", "primary"), ("surface", "concrete:plates")], "paved"),
            (&[("highway", "primary"), ("surface", "dirt")], "unpaved"),
            (&[("highway", "primary"), ("surface", "asphalt; ground")], "partly_paved"),
            (&[("highway", "primary"), ("surface", "yellow")], "paved"),
            (&[("highway", "track")], "unpaved"),
            (&[("highway", "track"), ("tracktype", "grade1")], "paved"),
            (&[("highway", "track"), ("tracktype", "grade3"), ("surface", "asphalt")], "paved"),
            (&[("highway", "unclassified"), ("tracktype", "grade4")], "unpaved"),
            (&[("highway", "unclassified"), ("tracktype", "grade9")], "paved"),
        ],
    );
    assert_field(
        "level",
        &[
            (&[("highway", "primary"), ("layer", "2;3")], "2"),
            (&[("highway", "primary"), ("layer", "up")], "0"),
        ],
    );
}

#[test]
fn ways_are_cut_where_they_share_a_node() {
    let table =
        clean(&Osm::new().row_of_nodes(1..=6).way(20, &[6, 3, 5], PRIMARY).way(10, &[1, 2, 3, 4], PRIMARY));
    assert_eq!(ends(&table), owned(&[("w10-1", 1, 3), ("w10-2", 3, 4), ("w20-1", 6, 3), ("w20-2", 3, 5)]));
    assert_eq!(line(&table.rows[0]), [(-91.99, 15.0), (-91.98, 15.0), (-91.97, 15.0)]);
    assert_eq!(table.rows.iter().map(|row| row.row).collect::<Vec<_>>(), [1, 2, 3, 4]);
    // A footpath is no road, and where it crosses is no junction.
    let table = clean(&Osm::new().row_of_nodes(1..=4).way(10, &[1, 2, 3], PRIMARY).way(
        11,
        &[2, 4],
        &[("highway", "footway")],
    ));
    assert_eq!(ends(&table), owned(&[("w10-1", 1, 3)]));
}

#[test]
fn ways_that_cross_without_a_node_do_not_meet() {
    let table = clean(
        &Osm::new()
            .node(1, -92.0, 15.0, &[])
            .node(2, -91.0, 16.0, &[])
            .node(3, -92.0, 16.0, &[])
            .node(4, -91.0, 15.0, &[])
            .way(1, &[1, 2], PRIMARY)
            .way(2, &[3, 4], PRIMARY),
    );
    assert_eq!(ends(&table), owned(&[("w1-1", 1, 2), ("w2-1", 3, 4)]));
}

#[test]
fn negative_and_large_ids_are_ids() {
    let far = 1 << 40;
    let table = clean(
        &Osm::new()
            .node(-1, -92.0, 15.0, &[])
            .node(far, -92.1, 15.0, &[])
            .node(-far, -92.2, 15.0, &[])
            .way(-7, &[-1, far], PRIMARY)
            .way(far, &[far, -far], PRIMARY),
    );
    assert_eq!(ends(&table), owned(&[("w-7-1", -1, far), ("w1099511627776-1", far, -far)]));
}

#[test]
fn a_node_that_is_missing_cuts_the_way() {
    let table = clean(&Osm::new().row_of_nodes(1..=7).way(10, &[99, 1, 2, 98, 3, 4, 97, 5], PRIMARY).way(
        11,
        &[96, 6, 95],
        PRIMARY,
    ));
    assert_eq!(ends(&table), owned(&[("w10-1", 1, 2), ("w10-2", 3, 4)]));
    assert_eq!(dropped(&table), [("osm_node_missing", 5), ("osm_short", 1)]);
}

#[test]
fn ways_of_one_node_are_counted() {
    let table = clean(
        &Osm::new()
            .row_of_nodes(1..=3)
            .way(1, &[1], PRIMARY)
            .way(2, &[], PRIMARY)
            .way(3, &[2, 2], PRIMARY)
            .way(4, &[2, 3, 3], PRIMARY),
    );
    assert_eq!(ends(&table), owned(&[("w4-1", 2, 3)]));
    assert_eq!(dropped(&table), [("osm_short", 3)]);
}

#[test]
fn a_way_that_touches_itself_is_cut_there() {
    // A lollipop: the loop at node 2 is cut once more, so that no row ends where it begins.
    let lollipop = Osm::new()
        .node(1, -92.0, 15.0, &[])
        .node(2, -92.0, 15.1, &[])
        .node(3, -92.1, 15.2, &[])
        .node(4, -91.9, 15.2, &[])
        .way(1, &[1, 2, 3, 4, 2], PRIMARY);
    assert_eq!(ends(&clean(&lollipop)), owned(&[("w1-1", 1, 2), ("w1-2", 2, 4), ("w1-3", 4, 2)]));
    // There and back on the same nodes.
    let back = Osm::new().row_of_nodes(1..=2).way(1, &[1, 2, 1], PRIMARY);
    assert_eq!(ends(&clean(&back)), owned(&[("w1-1", 1, 2), ("w1-2", 2, 1)]));
}

#[test]
fn a_closed_way_has_two_rows_at_least() {
    let ring = Osm::new()
        .node(1, -92.0, 15.0, &[])
        .node(2, -92.0, 15.1, &[])
        .node(3, -92.1, 15.1, &[])
        .node(4, -92.1, 15.0, &[])
        .way(1, &[1, 2, 3, 4, 1], &[("highway", "tertiary"), ("junction", "roundabout")]);
    assert_eq!(ends(&clean(&ring)), owned(&[("w1-1", 1, 3), ("w1-2", 3, 1)]));
    // With two arms it is cut at them, and where it begins.
    let arms = ring.row_of_nodes(5..=6).way(2, &[5, 2], PRIMARY).way(3, &[4, 6], PRIMARY);
    assert_eq!(
        ends(&clean(&arms)),
        owned(&[("w1-1", 1, 2), ("w1-2", 2, 4), ("w1-3", 4, 1), ("w2-1", 5, 2), ("w3-1", 4, 6)])
    );
}

#[test]
fn neighbours_of_one_position_are_one_node() {
    // Nodes 2 and 3 stand at the same place: the roads of both meet.
    let table = clean(
        &Osm::new()
            .node(1, -92.0, 15.0, &[])
            .node(2, -92.1, 15.0, &[])
            .node(3, -92.1, 15.0, &[])
            .node(4, -92.2, 15.0, &[])
            .node(5, -92.3, 15.0, &[])
            .way(1, &[1, 3, 2, 4], PRIMARY)
            .way(2, &[3, 5], PRIMARY)
            .way(3, &[2, 3], PRIMARY),
    );
    assert_eq!(ends(&table), owned(&[("w1-1", 1, 2), ("w1-2", 2, 4), ("w2-1", 2, 5)]));
    assert_eq!(dropped(&table), [("osm_no_length", 1)]);
    // At the same place without a road between them they do not.
    let apart = Osm::new()
        .node(1, -92.0, 15.0, &[])
        .node(2, -92.1, 15.0, &[])
        .node(3, -92.1, 15.0, &[])
        .node(4, -92.2, 15.0, &[])
        .way(1, &[1, 2], PRIMARY)
        .way(2, &[3, 4], PRIMARY);
    assert_eq!(ends(&clean(&apart)), owned(&[("w1-1", 1, 2), ("w2-1", 3, 4)]));
}

#[test]
fn a_barrier_ends_the_roads_on_both_sides() {
    let with = |tags: Tags| {
        let table = clean(
            &Osm::new().row_of_nodes([1, 3, 4]).node(2, -91.98, 15.0, tags).way(1, &[1, 2, 3], PRIMARY).way(
                2,
                &[4, 2],
                PRIMARY,
            ),
        );
        let keys: Vec<i64> = table
            .rows
            .iter()
            .flat_map(|row| [key(row, "from_node"), key(row, "to_node")])
            .filter(|key| ![1, 3, 4].contains(key))
            .collect();
        assert_eq!(keys.len(), 3, "{:?}", ends(&table));
        let different = keys.iter().collect::<std::collections::BTreeSet<_>>().len();
        assert!(different == 1 && keys[0] == 2 || different == 3 && keys.iter().all(|key| *key < -(1 << 62)));
        different == 3
    };
    for tags in [
        &[("barrier", "bollard")][..],
        &[("barrier", "block")],
        &[("barrier", "gate"), ("access", "private")],
        &[("barrier", "lift_gate"), ("motor_vehicle", "no"), ("access", "yes")],
    ] {
        assert!(with(tags), "{tags:?}");
    }
    for tags in [
        &[][..],
        &[("barrier", "gate")],
        &[("barrier", "toll_booth")],
        &[("barrier", "cattle_grid")],
        &[("barrier", "bollard"), ("bollard", "rising")],
        &[("barrier", "bollard"), ("motor_vehicle", "yes")],
        &[("barrier", "new kind")],
        &[("access", "private")],
    ] {
        assert!(!with(tags), "{tags:?}");
    }
}

#[test]
fn only_what_meets_the_box_is_kept() {
    let osm = Osm::new().row_of_nodes(1..=6).way(1, &[1, 2, 3], PRIMARY).way(2, &[3, 4], PRIMARY).way(
        3,
        &[3, 5, 6],
        PRIMARY,
    );
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.osm.pbf"), osm.file()).unwrap();
    let spec = SourceSpec { bbox: Some([-91.965, 14.0, -91.945, 16.0]), ..osm_spec("a.osm.pbf") };
    let (table, faults) = read_as(dir.path(), &spec, GeometryNeed::Line, &Limits::default());
    assert!(faults.0.is_empty(), "{faults}");
    let table = table.unwrap();
    // Cut at node 3 all the same, where the road that is left out begins.
    assert_eq!(ends(&table), owned(&[("w2-1", 3, 4), ("w3-1", 3, 6)]));
    assert_eq!(dropped(&table), [("outside_bbox", 1)]);
}

#[test]
fn the_order_of_objects_changes_nothing() {
    let osm = Osm::new()
        .row_of_nodes(1..=9)
        .node(20, -92.5, 15.5, &[("barrier", "bollard")])
        .way(5, &[1, 2, 3, 20, 4], PRIMARY)
        .way(3, &[2, 6, 7], &[("highway", "track")])
        .way(8, &[7, 8, 3], &[("highway", "residential"), ("oneway", "yes")])
        .relation(
            4,
            &[("from", 'w', 5), ("via", 'n', 2), ("to", 'w', 3)],
            &[("type", "restriction"), ("restriction", "no_u_turn")],
        )
        .relation(
            2,
            &[("from", 'w', 3), ("via", 'n', 7), ("to", 'w', 8)],
            &[("type", "restriction"), ("restriction", "only_straight_on")],
        );
    let mut turned = osm.clone();
    turned.nodes.reverse();
    turned.ways.reverse();
    turned.relations.reverse();
    let (a, b) = (clean(&osm), clean(&turned));
    assert_eq!(format!("{:?}", (&a.rows, &a.bans)), format!("{:?}", (&b.rows, &b.bans)));
    assert!(!a.bans.is_empty());
}

#[test]
fn tracks_that_no_road_reaches_are_left_out() {
    let tracks = || {
        Osm::new()
            .row_of_nodes(1..=9)
            .way(11, &[2, 3], &[("highway", "track")])
            .way(12, &[3, 4], &[("highway", "service")])
            .way(13, &[5, 6], &[("highway", "track")])
            .way(14, &[6, 7], &[("highway", "service")])
    };
    let kept = |osm: &Osm| -> Vec<String> { clean(osm).rows.iter().map(|row| get(row, "id")).collect() };
    let with_road = tracks().way(10, &[1, 2], PRIMARY).way(15, &[8, 9], &[("highway", "residential")]);
    assert_eq!(kept(&with_road), ["w10-1", "w11-1", "w12-1", "w15-1"], "one by way of the other");
    assert_eq!(clean(&with_road).provenance.dropped["osm_unreached"], 2);
    assert_eq!(kept(&tracks()).len(), 4, "there is no other road");
    // A ferry lands where it lands.
    let ferry = with_road.way(16, &[4, 5], &[("route", "ferry")]);
    assert_eq!(kept(&ferry).len(), 7);
}
