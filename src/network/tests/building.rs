//! Contraction, snapping, crossings.

use super::support::{OPTIONS, at, built, crossing, domain, exit, junction_at, municipality, road, town};
use crate::model::domain::{Direction, Domain, Road, RoadClass, Surface};
use crate::network::builder::{BuildOptions, build};
use crate::network::graph::LinkKind;

fn chain() -> [Road; 3] {
    [
        road("a", &[(0.0, 0.0), (1.0, 0.5), (2.0, 0.0)]),
        // Runs against the others.
        road("b", &[(4.0, 0.0), (3.0, 0.5), (2.0, 0.0)]),
        road("c", &[(4.0, 0.0), (6.0, 0.0)]),
    ]
}

#[test]
fn a_chain_becomes_one_link_with_its_geometry_and_records() {
    let network = built(&domain(chain().into())).network;
    assert_eq!((network.junction_count(), network.link_count()), (2, 1));
    let (_, link) = network.links().next().unwrap();
    let mut records = link.records.clone();
    let mut line: Vec<_> = link.line.0.clone();
    if records[0] == "c" {
        records.reverse();
        line.reverse();
    }
    assert_eq!(records, ["a", "b", "c"]);
    let expected = [(0.0, 0.0), (1.0, 0.5), (2.0, 0.0), (3.0, 0.5), (4.0, 0.0), (6.0, 0.0)].map(at);
    assert_eq!(line, expected);
    let sum: f64 = chain().iter().map(|r| r.length.0).sum();
    assert!((link.length.0 - sum).abs() < 1e-6);
    assert!((link.time.0 - sum / 1000.0).abs() < 1e-9, "60 km/h");
}

/// Links of the chain after a change to its first road.
fn links_with(change: impl Fn(&mut Road)) -> usize {
    let mut roads = chain();
    change(&mut roads[0]);
    built(&domain(roads.into())).network.link_count()
}

#[test]
fn a_change_of_the_road_keeps_the_junction() {
    assert_eq!(links_with(|_| ()), 1);
    assert_eq!(links_with(|r| r.reference = "MEX-200".into()), 2);
    assert_eq!(links_with(|r| r.class = RoadClass::Federal), 2);
    assert_eq!(links_with(|r| r.surface = Surface::Unpaved), 2);
    assert_eq!(links_with(|r| r.toll = true), 2);
    assert_eq!(links_with(|r| r.region = "GT".into()), 2);
    assert_eq!(links_with(|r| r.schematic = true), 2);
    assert_eq!(links_with(|r| r.direction = Direction::Forward), 2);
}

#[test]
fn one_way_roads_are_joined_only_in_the_same_sense() {
    let along = |b: Direction, turned: bool| {
        let points = [(2.0, 0.0), (4.0, 0.0)];
        let points = if turned { [points[1], points[0]] } else { points };
        let roads = vec![
            Road { direction: Direction::Forward, ..road("a", &[(0.0, 0.0), (2.0, 0.0)]) },
            Road { direction: b, ..road("b", &points) },
        ];
        let network = built(&domain(roads)).network;
        let west = junction_at(&network, (0.0, 0.0));
        let senses: Vec<bool> = network
            .links()
            .filter(|(_, l)| l.from == west || l.to == west)
            .map(|(_, l)| if l.from == west { l.direction.forward() } else { l.direction.backward() })
            .collect();
        assert_eq!(senses, [true], "eastward stays eastward");
        network.link_count()
    };
    assert_eq!(along(Direction::Forward, false), 1);
    assert_eq!(along(Direction::Backward, true), 1);
    assert_eq!(along(Direction::Backward, false), 2);
    assert_eq!(along(Direction::Forward, true), 2);
}

#[test]
fn towns_seats_and_exits_keep_their_junction() {
    let mut with_town = domain(chain().into());
    with_town.towns = vec![town("Huixtla", None, (2.1, 0.0))];
    let got = built(&with_town);
    assert_eq!(got.network.link_count(), 2);
    let junction = got.towns[0].unwrap();
    assert_eq!(got.network.junction(junction).town, Some(0));

    let mut with_exit = domain(chain().into());
    with_exit.exits = vec![exit("x", 1.0, (2.0, 0.1))];
    let got = built(&with_exit);
    assert_eq!((got.network.link_count(), got.exits[0].is_some()), (2, true));
}

#[test]
fn nothing_is_contracted_into_a_loop() {
    // A ring on a stem: the ring keeps one junction besides the one of the stem.
    let corners = [(5.0, 0.0), (7.0, 0.0), (7.0, 2.0), (5.0, 2.0)];
    let mut roads = vec![road("stem", &[(0.0, 0.0), (5.0, 0.0)])];
    for i in 0..4 {
        roads.push(road(&i.to_string(), &[corners[i], corners[(i + 1) % 4]]));
    }
    let network = built(&domain(roads)).network;
    assert_eq!((network.junction_count(), network.link_count()), (3, 3));
    assert!(network.links().all(|(_, l)| l.from != l.to));
}

/// One municipality whose seat stands at `place`, among `roads`.
fn one_seat(roads: Vec<Road>, place: (f64, f64)) -> Domain {
    let mut out = domain(roads);
    out.municipalities = vec![municipality(7001, 1000.0)];
    out.towns = vec![town("Seat", Some(7001), place)];
    out
}

#[test]
fn a_point_goes_to_the_nearest_line_and_not_to_the_nearest_box() {
    // The point lies inside the box of the diagonal, 14 km from its line, and 1 km from the short road.
    let diagonal = road("diagonal", &[(0.0, 0.0), (40.0, 40.0)]);
    let short = road("short", &[(31.0, 9.0), (35.0, 9.0), (40.0, 40.0)]);
    let got = built(&one_seat(vec![diagonal, short], (30.0, 9.0)));
    let seat = got.seats[0].unwrap();
    assert!((seat.distance.0 - 1000.0).abs() < 5.0, "{seat:?}");
    assert!((seat.time.0 - 4.0).abs() < 0.05, "1 km at 15 km/h: {seat:?}");
    assert_eq!(seat.junction, junction_at(&got.network, (31.0, 9.0)));
    // The other way round: on the diagonal's line, beside the box of the other.
    let got = built(&one_seat(
        vec![road("diagonal", &[(0.0, 0.0), (40.0, 40.0)]), road("short", &[(21.0, 19.0), (40.0, 40.0)])],
        (20.4, 20.0),
    ));
    let seat = got.seats[0].unwrap();
    assert!((seat.distance.0 - 400.0 / 2_f64.sqrt()).abs() < 2.0, "{seat:?}");
    assert_eq!(seat.junction, junction_at(&got.network, (20.2, 20.2)));
}

#[test]
fn beyond_the_maximum_a_point_is_reported_with_its_distance() {
    let roads = || vec![road("a", &[(0.0, 0.0), (10.0, 0.0)])];
    let got = built(&one_seat(roads(), (5.0, 7.0)));
    assert_eq!(got.seats[0], None);
    assert_eq!((got.unsnapped[0].source, got.unsnapped[0].id.as_str()), ("towns", "seat"));
    assert!((got.unsnapped[0].distance.unwrap().0 - 7000.0).abs() < 1.0);
    let wide = BuildOptions { max_snap: 7_100.0, ..OPTIONS };
    assert!(build(&one_seat(roads(), (5.0, 7.0)), wide).seats[0].is_some());
    // Without a road there is no distance.
    let none = built(&one_seat(Vec::new(), (5.0, 7.0)));
    assert_eq!((none.unsnapped.len(), none.unsnapped[0].distance), (1, None));
}

#[test]
fn a_point_beside_a_small_part_is_joined_to_the_main_part() {
    let roads = vec![road("main", &[(0.0, 0.0), (20.0, 0.0)]), road("island", &[(5.0, 3.0), (6.0, 3.0)])];
    let got = built(&one_seat(roads, (5.5, 3.0)));
    let seat = got.seats[0].unwrap();
    assert!((seat.distance.0 - 3000.0).abs() < 1.0, "{seat:?}");
    assert_eq!(seat.junction, junction_at(&got.network, (5.5, 0.0)));
    assert_eq!(got.network.components().len(), 2);
}

#[test]
fn several_points_on_one_link_cut_it_in_their_order_whatever_theirs_is() {
    let places = [(9.0, 0.3), (2.0, 0.4), (5.0, -0.5), (5.0, 0.5), (0.1, 0.0)];
    let mut orders = Vec::new();
    for order in [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 4, 0, 3, 1]] {
        let mut all = domain(vec![road("a", &[(0.0, 0.0), (4.0, 0.0), (10.0, 0.0)])]);
        all.exits = order.iter().map(|&i| exit(&i.to_string(), 1.0, places[i])).collect();
        let got = built(&all);
        let mut joined: Vec<(usize, f64)> = order
            .iter()
            .zip(&got.exits)
            .map(|(&i, e)| {
                let plane = got.network.junction(e.unwrap().junction).plane;
                (i, (plane.x - 3_500_000.0).round())
            })
            .collect();
        joined.sort_by_key(|(i, _)| *i);
        // Two of them meet the road at the same place; the last stands at its end.
        assert_eq!((got.network.junction_count(), got.network.link_count()), (5, 4));
        let sum: f64 = got.network.links().map(|(_, l)| l.length.0).sum();
        assert!((sum - all.roads[0].length.0).abs() < 1e-6);
        orders.push(joined);
    }
    assert_eq!(orders[0], [(0, 9000.0), (1, 2000.0), (2, 5000.0), (3, 5000.0), (4, 0.0)]);
    assert!(orders.iter().all(|o| *o == orders[0]), "{orders:?}");
}

#[test]
fn a_crossing_joins_both_sides_through_its_gate() {
    let mut all = domain(vec![
        road("in", &[(0.0, 0.0), (10.0, 0.0)]),
        Road { class: RoadClass::Foreign, ..road("out", &[(0.0, -4.0), (10.0, -4.0)]) },
    ]);
    all.crossings = vec![
        crossing("bridge", (5.0, -2.0), Some([((5.0, 0.0), 3.5), ((5.0, -4.0), 1.0)])),
        crossing("far", (5.0, 40.0), Some([((5.0, 0.0), 3.0), ((5.0, 30.0), 2.0)])),
        crossing("plain", (8.0, 0.4), None),
    ];
    let got = built(&all);
    assert_eq!(got.network.components().len(), 1);
    let gate = got.gates[0].unwrap().junction;
    assert_eq!(gate, junction_at(&got.network, (5.0, -2.0)));
    let mut ends: Vec<(LinkKind, f64)> = got
        .network
        .links_at(gate)
        .map(|(id, _)| (got.network.link(id).kind, got.network.link(id).length.0))
        .collect();
    ends.sort_by_key(|(kind, _)| matches!(kind, LinkKind::Approach { .. }));
    assert_eq!(ends[0], (LinkKind::Gate { crossing: 0 }, 3500.0), "the stated length");
    assert_eq!(ends[1].0, LinkKind::Approach { crossing: 0 });
    assert!((ends[1].1 - 2000.0).abs() < 10.0, "no shorter than the straight line: {ends:?}");
    // One side out of reach: not joined at all, and reported.
    assert_eq!(got.gates[1], None);
    assert_eq!((got.unsnapped[0].source, got.unsnapped[0].id.as_str()), ("crossings", "far"));
    // Without approaches the gate is on the road itself.
    assert_eq!(got.gates[2].unwrap().junction, junction_at(&got.network, (8.0, 0.0)));
}
