//! Turn bans: the search against one that remembers the last links driven, and bans on roads that were cut.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::support::{Arc, built, circle, domain, exit, junction_at, network, road, walk};
use crate::error::Rule;
use crate::ids::JunctionId;
use crate::model::domain::{Direction, Domain, Road, RoadClass, TurnBan};
use crate::network::builder::Built;
use crate::network::graph::{Driven, Network};
use crate::network::report;
use crate::network::search::{Arcs, Search, UNREACHED};

const N: usize = 6;
/// Longest ban of the oracle.
const LONGEST: usize = 4;

fn id(n: usize) -> JunctionId {
    JunctionId(u32::try_from(n).unwrap())
}

const fn direction(n: u8) -> Direction {
    match n {
        0 | 1 => Direction::Both,
        2 => Direction::Forward,
        _ => Direction::Backward,
    }
}

/// Drivable links out of a junction.
fn out_of(network: &Network, junction: JunctionId) -> Vec<Driven> {
    network
        .links()
        .flat_map(|(id, l)| [((id, false), l.direction.forward()), ((id, true), l.direction.backward())])
        .filter(|(d, may)| *may && network.ends(*d).0 == junction)
        .map(|(d, _)| d)
        .collect()
}

/// Cheapest ways by Dijkstra on what was driven last: the textbook search, with the sequences looked up in a list.
fn oracle(network: &Network, bans: &[Vec<Driven>], weights: &[u32], source: JunctionId) -> Vec<u32> {
    let mut best: BTreeMap<(JunctionId, Vec<Driven>), u32> = BTreeMap::new();
    let mut queue = BTreeSet::from([(0, source, Vec::new())]);
    while let Some((cost, junction, last)) = queue.pop_first() {
        if best.contains_key(&(junction, last.clone())) {
            continue;
        }
        best.insert((junction, last.clone()), cost);
        for driven in out_of(network, junction) {
            let mut way: Vec<Driven> = last.clone();
            way.push(driven);
            let weight = weights[driven.0.index()];
            if weight == UNREACHED || bans.iter().any(|ban| way.ends_with(ban)) {
                continue;
            }
            let from = way.len().saturating_sub(LONGEST - 1);
            queue.insert((cost + weight, network.ends(driven).1, way.split_off(from)));
        }
    }
    let of = |n| best.iter().filter(|(k, _)| k.0 == id(n)).map(|(_, c)| *c).min().unwrap_or(UNREACHED);
    (0..network.junction_count()).map(of).collect()
}

/// The path to a junction as links driven.
fn path(network: &Network, search: &Search, end: JunctionId) -> Vec<Driven> {
    let mut out = Vec::new();
    let mut node = search.best(end);
    while let Some((before, link)) = search.parent(node) {
        let (from, to) = (search.junction_of(before), search.junction_of(node));
        let link_ = network.link(link);
        // A loop can be driven either way; the sense in which it may be is found by its ends alone.
        let along = (link_.from, link_.to) == (from, to) && link_.direction.forward();
        out.push((link, !along));
        node = before;
    }
    out.reverse();
    out
}

fn links() -> impl Strategy<Value = Vec<(usize, usize, u8, u32)>> {
    let weight = prop_oneof![10 => 1..8_u32, 1 => Just(UNREACHED)];
    prop::collection::vec((0..N, 0..N, 0..4_u8, weight), 0..14)
}

fn picks() -> impl Strategy<Value = Vec<Vec<usize>>> {
    prop::collection::vec(prop::collection::vec(0..1000_usize, 2..=LONGEST), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn distances_are_those_of_a_search_that_remembers(links in links(), picks in picks()) {
        let arcs: Vec<Arc> = links.iter().map(|&(a, b, d, _)| (a, b, 1.0, direction(d))).collect();
        let weights: Vec<u32> = links.iter().map(|l| l.3).collect();
        let plain = network(&circle(N), &arcs);
        let ways: Vec<Vec<Driven>> = picks.iter().map(|p| walk(&plain, p)).collect();
        let network = plain.with_bans(ways);
        let arcs = Arcs::new(&network);
        prop_assert_eq!(arcs.junction_count(), N);
        prop_assert!(!network.bans().is_empty() || arcs.node_count() == N);
        let mut search = Search::new(&arcs);
        for source in 0..N {
            let expected = oracle(&network, network.bans(), &weights, id(source));
            // With buffers that have been used, and with a search that stops at one target in between.
            for (end, &cost) in expected.iter().enumerate() {
                let mut only = vec![false; N];
                only[end] = true;
                search.run(&arcs, &weights, id(source), &only, 1);
                prop_assert_eq!(search.distance(id(end)), cost, "{} to {} alone", source, end);
            }
            search.run(&arcs, &weights, id(source), &[true; N], N);
            for (end, &cost) in expected.iter().enumerate() {
                prop_assert_eq!(search.distance(id(end)), cost, "{} to {}", source, end);
                if cost == UNREACHED {
                    continue;
                }
                let way = path(&network, &search, id(end));
                let sum: u32 = way.iter().map(|d| weights[d.0.index()]).sum();
                prop_assert_eq!(sum, cost);
                let loops = way.iter().any(|d| network.ends(*d).0 == network.ends(*d).1);
                for ban in network.bans().iter().filter(|_| !loops) {
                    prop_assert!(!way.windows(ban.len()).any(|w| w == &ban[..]), "{:?} holds {:?}", way, ban);
                }
            }
            // Parents come before their children.
            let place: BTreeMap<u32, usize> = search.settled().iter().copied().zip(0..).collect();
            for &node in search.settled() {
                prop_assert!(search.parent(node).is_none_or(|(before, _)| place[&before] < place[&node]));
            }
        }
    }
}

#[test]
fn a_network_without_bans_has_the_arrays_of_the_plain_graph() {
    let arcs: Vec<Arc> =
        vec![(0, 1, 1.0, Direction::Both), (1, 2, 1.0, Direction::Forward), (2, 0, 1.0, Direction::Backward)];
    let plain = Arcs::new(&network(&circle(3), &arcs));
    assert_eq!((plain.node_count(), plain.arc_count()), (3, 4));
    assert_eq!(
        (plain.first_out, plain.head, plain.link),
        (vec![0, 2, 4, 4], vec![1, 2, 0, 2], vec![0, 2, 0, 1])
    );
}

/// Two roads that cross at a key, west–east and south–north, with a street behind the crossing.
fn crossroads(bans: Vec<TurnBan>, mut change: impl FnMut(&mut Domain)) -> Built {
    let keyed =
        |id: &str, ends: [i64; 2], points: &[(f64, f64)]| Road { ends: Some(ends), ..road(id, points) };
    let mut all = domain(vec![
        keyed("west", [1, 5], &[(-5.0, 0.0), (0.0, 0.0)]),
        keyed("east", [5, 2], &[(0.0, 0.0), (5.0, 0.0)]),
        keyed("south", [3, 5], &[(0.0, -5.0), (0.0, 0.0)]),
        keyed("north", [5, 4], &[(0.0, 0.0), (0.0, 5.0)]),
    ]);
    all.bans = bans;
    change(&mut all);
    built(&all)
}

fn ban(via: Option<i64>, roads: &[usize]) -> TurnBan {
    TurnBan { layer: None, id: "ban".into(), row: 3, via, roads: roads.into() }
}

/// Kilometres of the cheapest way between two places, and the records along it.
fn way(got: &Built, from: (f64, f64), to: (f64, f64)) -> Option<(f64, Vec<String>)> {
    let network = &got.network;
    let metres = |m: f64| format!("{m:.0}").parse::<u32>().unwrap();
    let weights: Vec<u32> = network.links().map(|(_, l)| metres(l.length.0)).collect();
    let arcs = Arcs::new(network);
    let mut search = Search::new(&arcs);
    let end = junction_at(network, to);
    let all = vec![true; network.junction_count()];
    search.run(&arcs, &weights, junction_at(network, from), &all, all.len());
    let names =
        |d: &Driven| network.link(d.0).records.iter().map(ToString::to_string).collect::<Vec<_>>().join("+");
    let reached = search.distance(end) != UNREACHED;
    reached.then(|| {
        (f64::from(search.distance(end)) / 1000.0, path(network, &search, end).iter().map(names).collect())
    })
}

const WEST: (f64, f64) = (-5.0, 0.0);
const NORTH: (f64, f64) = (0.0, 5.0);
const EAST: (f64, f64) = (5.0, 0.0);

#[test]
fn a_ban_leads_past_the_turn_and_back_through_the_same_junction() {
    // From the west no left turn: on to the end of the east road, back, and then right.
    let got = crossroads(vec![ban(Some(5), &[0, 3])], |_| ());
    assert_eq!((got.bans_applied, got.bans_failed.len()), (1, 0));
    let (km, names) = way(&got, WEST, NORTH).unwrap();
    assert_eq!(names, ["west", "east", "east", "north"]);
    assert!((km - 20.0).abs() < 0.1, "{km}");
    // Other ways are as they were, and the way back is free.
    assert_eq!(way(&got, NORTH, WEST).unwrap().1, ["north", "west"]);
    assert_eq!(way(&got, (0.0, -5.0), NORTH).unwrap().1, ["south", "north"]);
    // With turns back banned on the east and the south road there is no way at all.
    let none = crossroads(vec![ban(Some(5), &[0, 3]), ban(Some(2), &[1, 1]), ban(None, &[2, 2])], |_| ());
    assert_eq!(none.bans_applied, 3);
    assert_eq!(way(&none, WEST, NORTH), None);
    assert!(way(&none, WEST, EAST).is_some());
}

#[test]
fn a_ban_of_three_roads_forbids_the_whole_sequence_only() {
    // The turn round by the east road is banned as a whole; by the south road it is not.
    let bans = vec![ban(Some(5), &[0, 3]), ban(Some(5), &[0, 1, 1]), ban(None, &[9, 3])];
    let got = crossroads(bans, |_| ());
    assert_eq!((got.bans_applied, got.bans_failed.as_slice()), (2, [2].as_slice()));
    let (_, names) = way(&got, WEST, NORTH).unwrap();
    assert_eq!(names, ["west", "south", "south", "north"]);
    assert_eq!(way(&got, EAST, NORTH).unwrap().1, ["east", "north"]);
}

#[test]
fn bans_hold_on_roads_that_were_cut_and_their_junction_remains() {
    // One straight road of three records, cut by exits within each, and a long way round.
    let all = |bans: Vec<TurnBan>| {
        let mut all = domain(vec![
            road("a", &[(0.0, 0.0), (10.0, 0.0)]),
            road("b", &[(20.0, 0.0), (10.0, 0.0)]),
            road("c", &[(20.0, 0.0), (30.0, 0.0)]),
            Road { class: RoadClass::Local, ..road("round", &[(0.0, 0.0), (15.0, 30.0), (30.0, 0.0)]) },
        ]);
        all.exits = [(14.0, "x"), (4.0, "y"), (26.0, "z")].map(|(x, id)| exit(id, 1.0, (x, 0.0))).into();
        all.bans = bans;
        built(&all)
    };
    let (start, end) = ((0.0, 0.0), (30.0, 0.0));
    let open = all(Vec::new());
    assert!((way(&open, start, end).unwrap().0 - 30.0).abs() < 0.1);
    let got = all(vec![ban(None, &[0, 1, 2])]);
    assert_eq!(got.network.junction_count(), open.network.junction_count() + 2, "where its roads meet");
    // The cheapest way that is not a, b and c one after the other turns back on the first part of b.
    let (km, names) = way(&got, start, end).unwrap();
    assert_eq!(names, ["a", "a", "b", "b", "b", "b", "c", "c"]);
    assert!((km - 38.0).abs() < 0.2, "{km}");
    assert_eq!(way(&got, (14.0, 0.0), end).unwrap().1, ["b", "c", "c"], "from within b");
    assert!((way(&got, end, start).unwrap().0 - 30.0).abs() < 0.1, "the other way is free");
    // On two roads: the turn from the last part of a to the first of b.
    let got = all(vec![ban(None, &[0, 1]), ban(None, &[1, 1])]);
    let (km, names) = way(&got, start, end).unwrap();
    assert_eq!((names.as_slice(), km > 60.0), ([String::from("round")].as_slice(), true));
}

#[test]
fn one_way_roads_and_bans_that_hold_nowhere() {
    // What a one-way road forbids already is applied and needs no node.
    let oneway = |all: &mut Domain| all.roads[3].direction = Direction::Backward;
    let got = crossroads(vec![ban(Some(5), &[0, 3])], oneway);
    assert_eq!((got.bans_applied, got.network.bans().len()), (1, 0));
    let bans = vec![
        ban(Some(2), &[0, 3]),
        ban(Some(77), &[0, 3]),
        ban(Some(5), &[0]),
        ban(Some(5), &[]),
        ban(None, &[0, 0, 4]),
        ban(None, &[0; 40]),
    ];
    let mut failed = Vec::new();
    let got = crossroads(bans, |all| {
        all.roads.push(road("far", &[(40.0, 0.0), (41.0, 0.0)]));
        failed = report::faults(all, &built(all)).0;
    });
    assert_eq!((got.bans_applied, got.bans_failed.len()), (0, 6));
    let told: Vec<_> = failed.iter().filter(|f| f.rule == Rule::BanUnapplied).collect();
    assert_eq!(told.len(), 6);
    assert_eq!((told[0].place.row, told[0].seen.as_deref()), (Some(3), Some("ban")));
    assert_eq!(told[0].params, [("roads", "west → north".to_owned()), ("via", "2".to_owned())]);
    assert!(!told.iter().any(|f| f.is_error()));
}

#[test]
fn where_roads_meet_twice_a_ban_holds_at_its_junction_or_at_both() {
    let two = |via: Option<i64>| {
        let keyed =
            |id: &str, ends: [i64; 2], points: &[(f64, f64)]| Road { ends: Some(ends), ..road(id, points) };
        let mut all = domain(vec![
            keyed("low", [1, 2], &[(0.0, 0.0), (10.0, 0.0)]),
            keyed("high", [1, 2], &[(0.0, 0.0), (5.0, 8.0), (10.0, 0.0)]),
            keyed("stem", [1, 3], &[(0.0, 0.0), (-5.0, 0.0)]),
            keyed("twig", [2, 4], &[(10.0, 0.0), (15.0, 0.0)]),
        ]);
        all.bans = vec![ban(via, &[0, 1])];
        built(&all).network.bans().len()
    };
    assert_eq!((two(Some(1)), two(Some(2)), two(None)), (1, 1, 2));
}
