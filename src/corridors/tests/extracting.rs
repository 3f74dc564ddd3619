//! Corridors of small hand-made networks.

use proptest::prelude::*;

use crate::corridors::draws::Flows;
use crate::corridors::extract::{Chain, corridors, membership};
use crate::corridors::naming::name_ends;
use crate::corridors::object::{self, Words};
use crate::corridors::table::FlowTable;
use crate::ids::LinkId;
use crate::model::domain::{Road, RoadClass};
use crate::network::builder::Built;
use crate::network::graph::Network;
use crate::network::tests::support::{built, domain, named, town};

pub(super) const WORDS: Words<'_> = Words { unnamed: "sin número", via: "por" };

/// A road with the share of flow it carries.
type Loaded = (&'static str, &'static str, Vec<(f64, f64)>, f64);

struct Case {
    built: Built,
    shares: Vec<f64>,
}

impl Case {
    /// Roads without other roads at their ends are joined into chains, so shares go by record.
    fn new(roads: &[Loaded]) -> Self {
        let all = domain(roads.iter().map(|(id, reference, line, _)| named(id, reference, line)).collect());
        let built = built(&all);
        let of = |record: &str| roads.iter().find(|r| r.0 == record).map_or(0.0, |r| r.3);
        let shares = built.network.links().map(|(_, l)| of(&l.records[0])).collect();
        Self { built, shares }
    }

    fn network(&self) -> &Network {
        &self.built.network
    }

    /// Corridors of the links with at least `least` flow: their records, sorted.
    fn corridors(&self, least: f64, min_km: f64) -> Vec<Vec<String>> {
        let mut out: Vec<Vec<String>> =
            self.chains(least, min_km).iter().map(|c| records(self.network(), c)).collect();
        out.sort();
        out
    }

    fn chains(&self, least: f64, min_km: f64) -> Vec<Chain> {
        let members: Vec<f64> = self.shares.iter().map(|s| f64::from(u8::from(*s >= least))).collect();
        corridors(self.network(), &self.shares, &members, 0.8, min_km)
    }
}

fn records(network: &Network, chain: &Chain) -> Vec<String> {
    let mut out: Vec<String> =
        chain.links.iter().flat_map(|l| network.link(*l).records.iter().map(ToString::to_string)).collect();
    out.sort();
    out
}

/// A side road north of each of `at`, so that junctions there stay.
fn sides(at: &[f64]) -> Vec<Loaded> {
    at.iter().map(|x| ("side", "S", vec![(*x, 0.0), (*x, 3.0)], 0.0)).collect()
}

#[test]
fn a_corridor_is_split_where_the_flow_divides() {
    let mut roads = vec![
        ("a", "R", vec![(0.0, 0.0), (10.0, 0.0)], 0.4),
        ("b", "R", vec![(10.0, 0.0), (20.0, 0.0)], 0.35),
        ("c", "R", vec![(20.0, 0.0), (30.0, 0.0)], 0.1),
        ("d", "R", vec![(30.0, 0.0), (40.0, 0.0)], 0.09),
    ];
    roads.extend(sides(&[10.0, 20.0, 30.0]));
    assert_eq!(Case::new(&roads).corridors(0.05, 5.0), [["a", "b"], ["c", "d"]]);
    // A smaller loss does not end it.
    roads[2].3 = 0.3;
    roads[3].3 = 0.3;
    assert_eq!(Case::new(&roads).corridors(0.05, 5.0), [["a", "b", "c", "d"]]);
    // Another road is another corridor.
    roads[1].1 = "Q";
    assert_eq!(Case::new(&roads).corridors(0.05, 5.0), [vec!["a"], vec!["b"], vec!["c", "d"]]);
}

#[test]
fn a_fork_is_followed_straight_on() {
    let roads = [
        ("stem", "R", vec![(0.0, 0.0), (10.0, 0.0)], 0.4),
        ("on", "R", vec![(10.0, 0.0), (20.0, 1.0)], 0.3),
        ("off", "R", vec![(10.0, 0.0), (14.0, 10.0)], 0.3),
    ];
    assert_eq!(Case::new(&roads).corridors(0.1, 5.0), [vec!["off"], vec!["on", "stem"]]);
    // The line near the fork counts, not where the road goes in the end.
    let bent = [
        roads[0].clone(),
        ("on", "R", vec![(10.0, 0.0), (11.0, 3.0), (25.0, 0.0)], 0.3),
        ("off", "R", vec![(10.0, 0.0), (12.0, 0.2), (12.0, 10.0)], 0.3),
    ];
    assert_eq!(Case::new(&bent).corridors(0.1, 5.0), [vec!["off", "stem"], vec!["on"]]);
}

#[test]
fn short_gaps_on_the_same_road_are_bridged() {
    let with = |gap: f64, share: f64, reference: &'static str| {
        let mut roads = vec![
            ("a", "R", vec![(0.0, 0.0), (10.0, 0.0)], 0.4),
            ("gap", reference, vec![(10.0, 0.0), (10.0 + gap, 0.0)], share),
            ("b", "R", vec![(10.0 + gap, 0.0), (30.0, 0.0)], 0.4),
        ];
        roads.extend(sides(&[10.0, 10.0 + gap]));
        Case::new(&roads).corridors(0.35, 8.0)
    };
    assert_eq!(with(6.0, 0.25, "R"), [["a", "b", "gap"]]);
    let apart = [["a"], ["b"]];
    assert_eq!(with(9.0, 0.25, "R"), apart, "as long as a corridor");
    assert_eq!(with(6.0, 0.0, "R"), apart, "without flow");
    assert_eq!(with(6.0, 0.25, "Q"), apart, "another road");
}

#[test]
fn a_way_round_does_not_make_a_ring() {
    // The road's two ends are also joined by a longer way of the same name.
    let mut roads = vec![
        ("a", "R", vec![(0.0, 0.0), (2.5, 0.0)], 0.4),
        ("b", "R", vec![(2.5, 0.0), (5.0, 0.0)], 0.4),
        ("round", "R", vec![(0.0, 0.0), (2.5, -3.0), (5.0, 0.0)], 0.05),
    ];
    roads.extend(sides(&[0.0, 2.5, 5.0]));
    assert_eq!(Case::new(&roads).corridors(0.35, 4.0).len(), 1);
    assert_eq!(Case::new(&roads).corridors(0.35, 4.0), [["a", "b"]]);
    let nine = Case::new(&roads).chains(0.35, 9.0);
    assert!(nine.is_empty(), "{nine:?}");
}

#[test]
fn short_pieces_go_to_the_neighbour_most_like_them_and_short_corridors_go() {
    let mut roads = vec![
        ("a", "R", vec![(0.0, 0.0), (10.0, 0.0)], 0.9),
        ("b", "R", vec![(10.0, 0.0), (12.0, 0.0)], 0.2),
        ("c", "R", vec![(12.0, 0.0), (22.0, 0.0)], 0.09),
        ("lone", "Q", vec![(0.0, 20.0), (4.0, 20.0)], 0.9),
    ];
    roads.extend(sides(&[10.0, 12.0]));
    let case = Case::new(&roads);
    assert_eq!(case.corridors(0.05, 5.0), [vec!["a"], vec!["b", "c"]]);
    assert_eq!(case.corridors(0.05, 1.0), [["a"], ["b"], ["c"], ["lone"]]);
}

#[test]
fn a_short_end_with_another_flow_is_no_part_of_a_corridor() {
    // A tail behind a town where most trips end, and a busy street before the other end.
    let mut roads = vec![
        ("street", "R", vec![(-2.0, 0.0), (0.0, 0.0)], 0.9),
        ("a", "R", vec![(0.0, 0.0), (10.0, 0.0)], 0.4),
        ("b", "R", vec![(10.0, 0.0), (20.0, 0.0)], 0.35),
        ("tail", "R", vec![(20.0, 0.0), (24.0, 0.0)], 0.1),
    ];
    roads.extend(sides(&[0.0, 10.0, 20.0]));
    assert_eq!(Case::new(&roads).corridors(0.05, 5.0), [["a", "b"]]);
    // A tail that is alike belongs to it, and one that is long enough stands alone.
    roads[3].3 = 0.25;
    assert_eq!(Case::new(&roads).corridors(0.05, 5.0), [["a", "b", "tail"]]);
    roads[3] = ("tail", "R", vec![(20.0, 0.0), (26.0, 0.0)], 0.1);
    assert_eq!(Case::new(&roads).corridors(0.05, 5.0), [vec!["a", "b"], vec!["tail"]]);
    // Where nothing would be left without it, it stays.
    let short = [
        ("a", "R", vec![(0.0, 0.0), (4.0, 0.0)], 0.9),
        ("b", "R", vec![(4.0, 0.0), (7.0, 0.0)], 0.2),
        sides(&[4.0])[0].clone(),
    ];
    assert_eq!(Case::new(&short).corridors(0.05, 5.0), [["a", "b"]]);
}

/// Main flows by draw and link, and null flows that are the same.
pub(super) fn alike(draws: &[Vec<i64>]) -> FlowTable {
    let both: Vec<Vec<[i64; 2]>> =
        draws.iter().map(|d| d.iter().map(|units| [*units; 2]).collect()).collect();
    FlowTable::exact(draws[0].len(), &both)
}

/// Flows with one perturbation in which each draw loads the links by record.
fn flows(case: &Case, draws: &[&[(&str, i64)]]) -> Flows {
    let load = |loads: &[(&str, i64)]| -> Vec<i64> {
        let of = |record: &str| loads.iter().find(|l| l.0 == record).map_or(0, |l| l.1);
        case.network().links().map(|(_, l)| of(&l.records[0])).collect()
    };
    let main: Vec<Vec<i64>> = draws.iter().map(|d| load(d)).collect();
    let mut contributions = vec![[0; 6]; case.shares.len()];
    for draw in &main {
        contributions.iter_mut().zip(draw).for_each(|(c, units)| c[0] += units);
    }
    Flows { perturbations: 1, loads: alike(&main), contributions, ..Flows::default() }
}

#[test]
fn parallel_links_are_judged_together() {
    let line = |y: f64| vec![(0.0, 0.0), (5.0, y), (10.0, 0.0)];
    let mut roads = vec![
        ("p", "R", line(0.0), 0.1),
        ("q", "R", line(1.0), 0.1),
        // More than 1.3 times as long: no alternative.
        ("far", "R", line(5.0), 0.1),
    ];
    // One road that carries more than each of the two alone, and much length that carries little.
    roads.push(("big", "B", vec![(0.0, 20.0), (12.0, 20.0)], 0.1));
    roads.push(("long", "L", vec![(0.0, 40.0), (60.0, 40.0)], 0.1));
    let case = Case::new(&roads);
    let get = |draws: &[&[(&str, i64)]]| {
        let values = membership(case.network(), &flows(&case, draws), 0..draws.len());
        let of = |record: &str| {
            case.network()
                .links()
                .find(|(_, l)| l.records[0] == record)
                .map(|(id, _)| values[id.index()])
                .unwrap()
        };
        ["p", "q", "far", "big", "long"].map(of)
    };
    // The top tenth of some 106 km: the bundle of the two fills it.
    let one = [("p", 40), ("q", 40), ("far", 60), ("big", 70), ("long", 1)];
    assert_eq!(get(&[&one]), [1.0, 1.0, 0.0, 0.0, 0.0]);
    // In half of the draws the other road is first.
    let two = [("p", 30), ("q", 30), ("far", 60), ("big", 70), ("long", 1)];
    assert_eq!(get(&[&one, &two]), [0.5, 0.5, 0.0, 0.5, 0.0]);
    // What carries nothing does not count as length.
    let three = [("big", 70), ("far", 60)];
    assert_eq!(get(&[&three]), [0.0, 0.0, 0.0, 1.0, 0.0]);
}

#[test]
fn a_toll_road_beside_the_free_one_does_not_halve_both() {
    // Between x = 0 and x = 20: the free road with a village on it, the toll road north of it with a service road. Beyond
    // them another road with more than either, and a long one that carries little.
    let beside = |lane: f64| {
        let roads: Vec<Loaded> = vec![
            ("west", "MEX-1", vec![(-8.0, 0.0), (0.0, 0.0)], 0.0),
            ("free1", "MEX-1", vec![(0.0, 0.0), (10.0, 0.0)], 0.0),
            ("free2", "MEX-1", vec![(10.0, 0.0), (20.0, 0.0)], 0.0),
            ("toll1", "MEX-1D", vec![(0.0, 0.0), (4.0, lane), (8.0, lane)], 0.0),
            ("toll2", "MEX-1D", vec![(8.0, lane), (16.0, lane), (20.0, 0.0)], 0.0),
            ("east", "MEX-1", vec![(20.0, 0.0), (28.0, 0.0)], 0.0),
            ("village", "V", vec![(10.0, 0.0), (10.0, -3.0)], 0.0),
            ("service", "T", vec![(8.0, lane), (8.0, lane + 3.0)], 0.0),
            ("other", "O", vec![(28.0, 0.0), (60.0, 0.0)], 0.0),
            ("far", "O", vec![(60.0, 0.0), (380.0, 0.0)], 0.0),
            ("stop", "S", vec![(60.0, 0.0), (60.0, 3.0)], 0.0),
        ];
        Case::new(&roads)
    };
    let get = |case: &Case, draw: &[(&str, i64)]| {
        let values = membership(case.network(), &flows(case, &[draw]), 0..1);
        let of = |record: &str| {
            let found = case.network().links().find(|(_, l)| l.records.iter().any(|r| &**r == record));
            values[found.unwrap().0.index()]
        };
        ["free1", "free2", "toll1", "toll2", "other"].map(of)
    };
    let draw = [("free1", 40), ("free2", 38), ("toll1", 35), ("toll2", 36), ("other", 60), ("far", 5)];
    // A tenth of some 393 km is filled by the two roads together, before the one that carries more than either.
    assert_eq!(get(&beside(2.0), &draw), [1.0, 1.0, 1.0, 1.0, 0.0]);
    // Too much of a detour is no alternative: each road stands alone, after the one that carries more.
    assert_eq!(get(&beside(9.0), &draw), [1.0, 0.0, 0.0, 0.0, 1.0]);
    // Nor is a road that hardly anybody takes.
    let lane = [("free1", 70), ("free2", 70), ("toll1", 2), ("toll2", 2), ("other", 60), ("far", 5)];
    assert_eq!(get(&beside(2.0), &lane)[2..4], [0.0, 0.0]);
}

#[test]
fn foreign_roads_are_no_corridors() {
    let mut road = named("a", "R", &[(0.0, 0.0), (20.0, 0.0)]);
    road.class = RoadClass::Foreign;
    let built = built(&domain(vec![road]));
    assert_eq!(corridors(&built.network, &[0.9], &[1.0], 0.8, 1.0), []);
}

/// A coast road from south-east to north-west with towns, a fork, and a road across.
fn coast() -> Vec<Road> {
    vec![
        named("a", "MEX-200", &[(40.0, 0.0), (30.0, 8.0)]),
        named("b", "MEX-200", &[(30.0, 8.0), (20.0, 16.0)]),
        named("c", "MEX-200", &[(20.0, 16.0), (10.0, 26.0)]),
        named("d", "MEX-200", &[(10.0, 26.0), (0.0, 36.0)]),
        named("e", "MEX-200", &[(10.0, 26.0), (18.0, 36.0)]),
        named("x", "CHIS-1", &[(20.0, 16.0), (30.0, 30.0)]),
        named("y", "CHIS-2", &[(30.0, 8.0), (40.0, 20.0)]),
        named("z", "CHIS-2", &[(40.0, 20.0), (30.0, 30.0)]),
    ]
}

/// Ids and names of the corridors of `roads`.
fn objects(roads: Vec<Road>) -> Vec<(String, String)> {
    let mut all = domain(roads);
    all.towns = vec![
        town("Tapachula", Some(7089), (40.1, 0.1)),
        town("Barrio", None, (40.0, 0.0)),
        town("Escuintla", None, (20.0, 16.0)),
        town("Tonalá", Some(7097), (0.0, 39.0)),
        town("Lejos", Some(7001), (70.0, 70.0)),
    ];
    let built = built(&all);
    let load = |record: &str| if record == "x" { 30 } else { 50 - i64::from(record.as_bytes()[0] - b'a') };
    let main: Vec<i64> =
        built.network.links().map(|(_, l)| l.records.iter().map(|r| load(r)).max().unwrap()).collect();
    let flows = Flows {
        perturbations: 1,
        contributions: main.iter().map(|u| [*u, 0, 0, 0, 0, 0]).collect(),
        loads: alike(std::slice::from_ref(&main)),
        ..Flows::default()
    };
    let shares: Vec<f64> = main.iter().map(|u| flows.share(*u)).collect();
    let chains = corridors(&built.network, &shares, &vec![1.0; shares.len()], 0.8, 5.0);
    for chain in &chains {
        let mut chain = chain.clone();
        name_ends(&built.network, &all, &mut chain);
        let at = |i: usize| built.network.junction(chain.junctions[i]).at;
        assert!(at(0).y <= at(chain.junctions.len() - 1).y, "south to north");
        // Links and junctions tell the same way.
        for (i, link) in chain.links.iter().enumerate() {
            let ends = [chain.junctions[i], chain.junctions[i + 1]];
            let l = built.network.link(*link);
            assert!(ends == [l.from, l.to] || ends == [l.to, l.from]);
        }
    }
    let (objects, _) = object::corridors(&built.network, &all, &flows, chains, WORDS);
    assert!(objects.windows(2).all(|w| w[0].summary.mean >= w[1].summary.mean));
    for o in &objects {
        assert!((o.contributions.iter().sum::<f64>() - o.summary.mean).abs() < 1e-15);
    }
    objects.into_iter().map(|o| (o.id, o.name)).collect()
}

#[test]
fn corridors_are_named_from_south_to_north_by_their_best_known_towns() {
    let names: Vec<String> = objects(coast()).into_iter().map(|o| o.1).collect();
    // A seat comes before the town on the very junction; one beside the end counts within 10 km.
    assert!(names.contains(&"MEX-200 Tapachula – Tonalá".to_owned()), "{names:?}");
    // No town in reach: the roads that meet there.
    assert!(names.contains(&"CHIS-1 Escuintla – CHIS-1 / CHIS-2".to_owned()), "{names:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn ids_do_not_depend_on_the_order_of_the_roads(
        order in Just((0..coast().len()).collect::<Vec<_>>()).prop_shuffle(),
        turned in prop::collection::vec(any::<bool>(), coast().len()),
    ) {
        let roads = coast();
        let other = order.iter().map(|&i| {
            let mut road = roads[i].clone();
            if turned[i] {
                road.line.0.reverse();
            }
            road
        });
        prop_assert_eq!(objects(other.collect()), objects(coast()));
    }

    #[test]
    fn ties_of_flow_do_not_depend_on_the_order_of_the_roads(
        order in Just((0..8_usize).collect::<Vec<_>>()).prop_shuffle(),
        loads in prop::collection::vec(0..3_i64, 8),
    ) {
        // A grid of equal blocks with few distinct flows: nearly everything ties.
        let block = |i: usize| {
            let (x, y) = ((i % 3) as f64 * 10.0, (i / 3) as f64 * 10.0);
            let id = i.to_string();
            if i < 4 { named(&id, "R", &[(x, y), (x + 10.0, y)]) } else { named(&id, "R", &[(x, y), (x, y + 10.0)]) }
        };
        let run = |order: &[usize]| {
            let built = built(&domain(order.iter().map(|i| block(*i)).collect()));
            let network = &built.network;
            // A joined chain carries the largest load of its records, whatever their order.
            let load = |id: LinkId| {
                network.link(id).records.iter().map(|r| loads[r.parse::<usize>().unwrap()]).max().unwrap()
            };
            let main: Vec<i64> = network.links().map(|(id, _)| load(id)).collect();
            let shares: Vec<f64> = main.iter().map(|u| *u as f64).collect();
            let flows = Flows { perturbations: 1, loads: alike(&[main]), ..Flows::default() };
            let top = membership(network, &flows, 0..1);
            let mut members: Vec<&str> =
                network.links().filter(|(id, _)| top[id.index()] > 0.0).map(|(id, _)| network.key(id)).collect();
            members.sort_unstable();
            let members: Vec<String> = members.into_iter().map(str::to_owned).collect();
            let mut chains: Vec<Vec<&str>> = corridors(network, &shares, &vec![1.0; shares.len()], 0.8, 4.0)
                .iter()
                .map(|c| c.links.iter().map(|l| network.key(*l)).collect())
                .collect();
            chains.sort();
            let chains: Vec<Vec<String>> =
                chains.into_iter().map(|c| c.into_iter().map(str::to_owned).collect()).collect();
            (members, chains)
        };
        let plain: Vec<usize> = (0..8).collect();
        prop_assert_eq!(run(&order), run(&plain));
    }
}
