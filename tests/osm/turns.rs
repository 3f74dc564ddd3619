//! Turn restrictions as bans.

use super::pbf::Osm;
use super::*;

type Tags = &'static [(&'static str, &'static str)];
type Members = &'static [(&'static str, char, i64)];

/// A crossing at node 1 with the arms 10 (north), 20 (east), 30 (south) and 40 (west, one way, away), and a second
/// one at node 5, which the road 20 leads to and 50 and 60 lead away from.
fn crossing() -> Osm {
    Osm::new()
        .node(1, -92.0, 15.0, &[])
        .node(2, -92.0, 15.1, &[])
        .node(5, -91.9, 15.0, &[])
        .node(3, -92.0, 14.9, &[])
        .node(4, -92.1, 15.0, &[])
        .node(6, -91.9, 15.1, &[])
        .node(7, -91.9, 14.9, &[])
        .way(10, &[2, 1], PRIMARY)
        .way(20, &[1, 5], PRIMARY)
        .way(30, &[3, 1], PRIMARY)
        .way(40, &[1, 4], &[("highway", "primary"), ("oneway", "yes")])
        .way(50, &[5, 6], PRIMARY)
        .way(60, &[5, 7], PRIMARY)
}

/// The bans of a restriction at the crossing, and what was left out.
fn bans_of(osm: Osm, members: Members, tags: Tags) -> (Vec<String>, Vec<(&'static str, u64)>) {
    let table = clean(&osm.relation(99, members, tags));
    let bans = table.bans.iter().map(|ban| {
        assert_eq!((ban.id.as_str(), ban.row), ("r99", 0));
        format!("{} @{}", ban.roads.join(" "), ban.via.unwrap())
    });
    (bans.collect(), dropped(&table))
}

fn bans(members: Members, tags: Tags) -> (Vec<String>, Vec<(&'static str, u64)>) {
    bans_of(crossing(), members, tags)
}

const TURN: Members = &[("from", 'w', 10), ("via", 'n', 1), ("to", 'w', 20)];

const NO_LEFT: Tags = &[("type", "restriction"), ("restriction", "no_left_turn")];

#[test]
fn a_turn_is_banned_at_its_node() {
    assert_eq!(bans(TURN, NO_LEFT), (vec!["w10-1 w20-1 @1".to_owned()], vec![]));
    let also = [
        &[("type", "restriction"), ("restriction:motorcar", "no_right_turn")][..],
        &[("type", "restriction"), ("restriction:motor_vehicle", "no_straight_on")],
        &[("type", "restriction"), ("restriction", "no_left_turn"), ("except", "bus;taxi")],
        &[
            ("type", "restriction"),
            ("restriction", "no_left_turn"),
            ("restriction:conditional", "none @ (22:00-06:00)"),
        ],
    ];
    for tags in also {
        assert_eq!(bans(TURN, tags), (vec!["w10-1 w20-1 @1".to_owned()], vec![]), "{tags:?}");
    }
}

#[test]
fn a_turn_back_is_the_same_road_twice() {
    let members: Members = &[("from", 'w', 10), ("via", 'n', 1), ("to", 'w', 10)];
    let tags: Tags = &[("type", "restriction"), ("restriction", "no_u_turn")];
    assert_eq!(bans(members, tags), (vec!["w10-1 w10-1 @1".to_owned()], vec![]));
}

#[test]
fn only_one_way_out_bans_the_others() {
    let tags: Tags = &[("type", "restriction"), ("restriction", "only_left_turn")];
    // All that leads away from node 1, the way back included.
    let expected = ["w10-1 w10-1 @1", "w10-1 w30-1 @1", "w10-1 w40-1 @1"].map(str::to_owned).to_vec();
    assert_eq!(bans(TURN, tags), (expected, vec![]));
}

#[test]
fn no_entry_and_no_exit_have_several_members() {
    let tags: Tags = &[("type", "restriction"), ("restriction", "no_entry")];
    let members: Members = &[("from", 'w', 10), ("from", 'w', 30), ("via", 'n', 1), ("to", 'w', 20)];
    assert_eq!(bans(members, tags).0, ["w10-1 w20-1 @1", "w30-1 w20-1 @1"]);
    let tags: Tags = &[("type", "restriction"), ("restriction", "no_exit")];
    let members: Members = &[("from", 'w', 10), ("via", 'n', 1), ("to", 'w', 20), ("to", 'w', 40)];
    assert_eq!(bans(members, tags).0, ["w10-1 w20-1 @1", "w10-1 w40-1 @1"]);
    // Other kinds have one of each.
    assert_eq!(bans(members, NO_LEFT), (vec![], vec![("osm_restriction_members", 1)]));
}

#[test]
fn a_turn_by_way_of_another_road_is_a_sequence() {
    let members: Members = &[("from", 'w', 10), ("via", 'w', 20), ("to", 'w', 50)];
    assert_eq!(bans(members, NO_LEFT), (vec!["w10-1 w20-1 w50-1 @1".to_owned()], vec![]));
    let tags: Tags = &[("type", "restriction"), ("restriction", "only_left_turn")];
    let expected = ["w10-1 w20-1 w20-1 @1", "w10-1 w20-1 w60-1 @1"].map(str::to_owned).to_vec();
    assert_eq!(bans(members, tags), (expected, vec![]));
    // Backwards along the road between them.
    let members: Members = &[("from", 'w', 50), ("via", 'w', 20), ("to", 'w', 40)];
    assert_eq!(bans(members, NO_LEFT).0, ["w50-1 w20-1 w40-1 @5"]);
    // Two roads between them, the first of which is cut in two.
    let osm = crossing().node(8, -91.8, 15.1, &[]).node(9, -91.8, 15.2, &[]).way(70, &[6, 8], PRIMARY).way(
        80,
        &[8, 9],
        PRIMARY,
    );
    let members: Members = &[("from", 'w', 20), ("via", 'w', 50), ("via", 'w', 70), ("to", 'w', 80)];
    assert_eq!(bans_of(osm, members, NO_LEFT).0, ["w20-1 w50-1 w70-1 w80-1 @5"]);
}

#[test]
fn a_way_through_the_junction_is_told_by_its_direction() {
    // Road 70 passes through node 1 from west to east on a level of its own; one way, so that it arrives on its
    // first part and leaves on its second.
    let through = |tags: Tags| {
        crossing().node(8, -92.2, 15.0, &[]).node(9, -91.8, 15.05, &[]).way(70, &[8, 1, 9], tags)
    };
    let members: Members = &[("from", 'w', 70), ("via", 'n', 1), ("to", 'w', 10)];
    let one_way: Tags = &[("highway", "primary"), ("oneway", "yes")];
    assert_eq!(bans_of(through(one_way), members, NO_LEFT), (vec!["w70-1 w10-1 @1".to_owned()], vec![]));
    assert_eq!(bans_of(through(PRIMARY), members, NO_LEFT), (vec![], vec![("osm_restriction_apart", 1)]));
}

#[test]
fn what_bans_nothing_is_counted_by_reason() {
    let cases: &[(Members, Tags, &str)] = &[
        (
            TURN,
            &[("type", "restriction"), ("restriction:conditional", "no_left_turn @ (Mo-Fr 07:00-09:00)")],
            "osm_restriction_timed",
        ),
        (
            TURN,
            &[("type", "restriction"), ("restriction", "no_left_turn"), ("hour_on", "07:00")],
            "osm_restriction_timed",
        ),
        (TURN, &[("type", "restriction"), ("restriction:hgv", "no_left_turn")], "osm_restriction_other"),
        (
            TURN,
            &[("type", "restriction"), ("restriction", "no_left_turn"), ("except", "psv; motorcar")],
            "osm_restriction_other",
        ),
        (
            TURN,
            &[("type", "restriction"), ("restriction", "no_left_turn"), ("restriction:motorcar", "none")],
            "osm_restriction_other",
        ),
        (TURN, &[("type", "restriction"), ("restriction", "no_right_turn_on_red")], "osm_restriction_kind"),
        (TURN, &[("type", "restriction")], "osm_restriction_kind"),
        (&[("from", 'w', 10), ("to", 'w', 20)], NO_LEFT, "osm_restriction_members"),
        (
            &[("from", 'w', 10), ("via", 'n', 1), ("via", 'n', 5), ("to", 'w', 20)],
            NO_LEFT,
            "osm_restriction_members",
        ),
        (
            &[("from", 'w', 10), ("via", 'n', 1), ("via", 'w', 20), ("to", 'w', 50)],
            NO_LEFT,
            "osm_restriction_members",
        ),
        (&[("from", 'n', 2), ("via", 'n', 1), ("to", 'w', 20)], NO_LEFT, "osm_restriction_members"),
        (&[("from", 'w', 10), ("via", 'r', 1), ("to", 'w', 20)], NO_LEFT, "osm_restriction_members"),
        (&[("from", 'w', 10), ("via", 'n', 1), ("to", 'w', 777)], NO_LEFT, "osm_restriction_absent"),
        (&[("from", 'w', 10), ("via", 'n', 777), ("to", 'w', 20)], NO_LEFT, "osm_restriction_absent"),
        (&[("from", 'w', 10), ("via", 'n', 1), ("to", 'w', 50)], NO_LEFT, "osm_restriction_apart"),
        (&[("from", 'w', 10), ("via", 'w', 50), ("to", 'w', 20)], NO_LEFT, "osm_restriction_apart"),
        // Nobody arrives at node 1 on a road that leads away from it.
        (&[("from", 'w', 40), ("via", 'n', 1), ("to", 'w', 20)], NO_LEFT, "osm_restriction_apart"),
    ];
    for (members, tags, reason) in cases {
        assert_eq!(bans(members, tags), (vec![], vec![(*reason, 1)]), "{members:?} {tags:?}");
    }
    // Not a restriction at all; and a hint is no member.
    assert_eq!(bans(TURN, &[("type", "route"), ("restriction", "no_left_turn")]), (vec![], vec![]));
    let hinted: Members = &[("from", 'w', 10), ("via", 'n', 1), ("to", 'w', 20), ("location_hint", 'n', 2)];
    assert_eq!(bans(hinted, NO_LEFT).0, ["w10-1 w20-1 @1"]);
}

#[test]
fn a_restriction_that_stands_twice_bans_once() {
    let twice = crossing().relation(99, TURN, NO_LEFT);
    assert_eq!(bans_of(twice, TURN, NO_LEFT).0, ["w10-1 w20-1 @1"]);
}

#[test]
fn a_restriction_at_a_barrier_bans_nothing() {
    let mut osm = crossing();
    osm.nodes[0].3 = &[("barrier", "bollard")];
    assert_eq!(bans_of(osm, TURN, NO_LEFT), (vec![], vec![("osm_restriction_apart", 1)]));
}
