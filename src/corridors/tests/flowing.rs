//! Flows of whole runs on random networks.

use proptest::prelude::*;

use super::{Case, Sites, fingerprint};
use crate::corridors::choice::{LinkCosts, Profile, Traveller};
use crate::corridors::demand::{Demand, OriginClass, Places, UNIT, is_inner};
use crate::corridors::draws::{CONTRIBUTIONS, Flows};
use crate::corridors::flow::{Loads, PARTS, Return, Tree, assign, main_units};
use crate::corridors::table::LinkFlow;
use crate::ids::{JunctionId, LinkId};
use crate::model::domain::Direction;
use crate::model::incidence::CountDatum::{Exact, Interval, Unknown};
use crate::model::prior::Prior;
use crate::model::study::Study;
use crate::network::search::{Arcs, Search, UNREACHED};
use crate::network::tests::support::{Arc, circle, network, study, walk};

pub(super) const N: usize = 14;

/// A connected ring with random chords, parallel and one-way ones among them.
pub(super) fn arcs() -> impl Strategy<Value = Vec<Arc>> {
    let direction = prop_oneof![
        3 => Just(Direction::Both),
        1 => Just(Direction::Forward),
        1 => Just(Direction::Backward)
    ];
    let chord = (0..N, 0..N, 1..40_u32, direction);
    prop::collection::vec(chord, 0..14).prop_map(|chords| {
        let ring = (0..N).map(|i| (i, (i + 1) % N, 11.0 + i as f64, Direction::Both));
        ring.chain(chords.into_iter().map(|(a, b, t, d)| (a, b, f64::from(t), d))).collect()
    })
}

pub(super) fn sites() -> Sites {
    Sites {
        municipalities: vec![
            (1000.0, Exact(30), Some(2)),
            (3000.0, Interval { min: 0, max: 14 }, Some(5)),
            (500.0, Exact(20), Some(8)),
            (900.0, Unknown { max: Some(14) }, Some(11)),
            // Two on one junction, one off the network.
            (700.0, Exact(15), Some(11)),
            (400.0, Exact(17), None),
        ],
        gates: vec![0, 1],
        exits: vec![(1.0, 13), (2.0, 5)],
    }
}

/// Everything uncertain.
pub(super) fn uncertain() -> Study {
    let mut out = study();
    let p = &mut out.parameters;
    let defaults = crate::model::study::Parameters::default();
    p.perturbations = 4;
    p.gamma = defaults.gamma;
    p.kappa = defaults.kappa;
    p.border_share = defaults.border_share;
    p.exit_share = defaults.exit_share;
    p.route_variance_min = defaults.route_variance_min;
    p.speed_factor = defaults.speed_factor;
    p.profiles = defaults.profiles;
    out.incidence.total = Some(100);
    out
}

/// Costs of the links in ms as a traveller sees them.
fn seen(costs: &LinkCosts, traveller: &Traveller<'_>, study: &Study) -> Vec<u32> {
    let mut lanes = Vec::new();
    costs.perceived(std::slice::from_ref(traveller), &study.parameters.profiles, &mut lanes);
    assert!(lanes.iter().all(|lanes| *lanes == [lanes[0]; 8]), "the other lanes repeat it");
    lanes.iter().map(|lanes| lanes[0]).collect()
}

/// The demand of a draw, worked out again from its parameters.
fn demand(case: &Case, places: &Places, flows: &Flows, study: &Study, draw: usize) -> Demand {
    let network = &case.built.network;
    let costs = LinkCosts::new(
        network,
        vec![0; network.link_count()],
        vec![false; network.link_count()],
        vec![1.0; network.link_count()],
    );
    let arcs = Arcs::new(network);
    let weights = seen(&costs, &Traveller::Planning { params: &flows.params[draw] }, study);
    let mut search = Search::new(&arcs);
    let mut table = Vec::new();
    for origin in &places.origins {
        search.run(&arcs, &weights, origin.access.junction, &places.is_target, places.target_count);
        table.extend(places.destinations.iter().map(|d| search.distance(d.access.junction)));
    }
    Demand::new(places, &flows.params[draw], |pair| table[pair])
}

#[test]
fn trips_between_places_at_one_junction_are_not_served() {
    let arcs = [(0, 1, 10.0, Direction::Both), (1, 2, 10.0, Direction::Both), (2, 0, 10.0, Direction::Both)];
    let municipalities = vec![(1000.0, Exact(10), Some(0)), (1000.0, Exact(10), Some(0))];
    let sites = Sites { municipalities, ..Sites::default() };
    let flows = Case::new(network(&circle(3), &arcs), &sites).flows(&study());
    for (draw, fate) in flows.fate.iter().enumerate() {
        assert_eq!((fate.served, fate.unserved), (0, 0), "no link carries anything: nothing is served");
        assert!(fate.inner > 0 && flows.loads.of(draw).next().is_none());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn what_goes_in_comes_out_at_its_destination(arcs in arcs(), shut in 0..N) {
        let mut case = Case::new(network(&circle(N), &arcs), &sites());
        // A closed link and one-way chords: some ways are longer, some demand may find none.
        case.closed[shut] = true;
        let study = uncertain();
        let flows = case.flows(&study);
        let places = case.places();
        let r = i64::from(flows.perturbations);
        for draw in 0..flows.draws() {
            let demand = demand(&case, &places, &flows, &study, draw);
            let (mut all, mut inner) = (0, 0);
            for (i, origin) in places.origins.iter().enumerate() {
                for (j, destination) in places.destinations.iter().enumerate() {
                    let units = demand.row(i).0[j];
                    all += units;
                    let no_link = origin.access.junction == destination.access.junction;
                    inner += if is_inner(origin, destination) || no_link { units } else { 0 };
                }
            }
            let fate = flows.fate[draw];
            prop_assert_eq!(fate.served + fate.inner + fate.unserved, r * (all + demand.unreached));
            prop_assert_eq!(fate.inner, r * inner);
            // All located cases, but for roundings of each cell of the table.
            let total = (fate.served + fate.inner + fate.unserved) as f64 / (r as f64 * UNIT);
            prop_assert!((total - 1.0).abs() < 1e-9, "{}", total);
            prop_assert_eq!(flows.loads.at(draw, shut), LinkFlow::default());
        }
        // Contributions add up to the mean.
        for link in 0..flows.loads.links() {
            let sum: i64 = (0..flows.draws()).map(|d| flows.loads.at(d, link).main).sum();
            let mean = flows.share(sum) / flows.draws() as f64;
            prop_assert!((flows.contribution(link).iter().sum::<f64>() - mean).abs() < 1e-9);
            prop_assert!(flows.within_variance[link] >= 0.0);
        }
    }

    #[test]
    fn flows_are_those_of_the_paths_one_by_one(
        arcs in arcs(),
        bans in prop::collection::vec(prop::collection::vec(0..1000_usize, 2..5), 0..20),
    ) {
        let plain = network(&circle(N), &arcs);
        let ways = bans.iter().map(|picks| walk(&plain, picks)).collect();
        let case = Case::new(plain.with_bans(ways), &sites());
        let study = study();
        let flows = case.flows(&study);
        let places = case.places();
        let network = &case.built.network;
        let costs = LinkCosts::new(network, vec![0; arcs.len()], case.closed.clone(), vec![1.0; arcs.len()]);
        let graph = Arcs::new(network);
        let mut search = Search::new(&graph);
        for draw in 0..flows.draws() {
            let demand = demand(&case, &places, &flows, &study, draw);
            let params = &flows.params[draw];
            let (seed, profile) = (study.seed, Profile::Fast);
            let weights = seen(&costs, &Traveller::Travelling { seed, params, profile, perturbation: 0 }, &study);
            let loads = Loads::new(&places, &demand);
            let borders = places.starts(OriginClass::Border).len();
            let mut main_of_paths = vec![0_i64; arcs.len()];
            let mut null_of_paths = vec![0_i64; arcs.len()];
            let mut from_trees = vec![0_i64; arcs.len()];
            // By junction: what leaves less what arrives.
            let mut balance = vec![0_i64; N];
            let mut wanted = vec![0_i64; N];
            // Ends, main and null units, and length of each trip.
            let mut trip_km = 0.0;
            for (i, origin) in places.origins.iter().enumerate() {
                let start = origin.access.junction;
                search.run(&graph, &weights, start, &[true; N], N);
                for (j, destination) in places.destinations.iter().enumerate() {
                    let (units, null_units) = (demand.row(i).0[j], demand.row(i).1[j]);
                    let end = destination.access.junction;
                    if is_inner(origin, destination) || search.distance(end) == UNREACHED {
                        continue;
                    }
                    wanted[start.index()] += units;
                    wanted[end.index()] -= units;
                    let mut at = search.best(end);
                    while let Some((before, link)) = search.parent(at) {
                        main_of_paths[link.index()] += units;
                        null_of_paths[link.index()] += null_units;
                        balance[search.junction_of(before).index()] += units;
                        balance[search.junction_of(at).index()] -= units;
                        trip_km += units as f64 * network.link(link).length.km();
                        at = before;
                    }
                    prop_assert_eq!(at, start.0);
                }
                let row = demand.row(i);
                search.run(&graph, &weights, start, &places.is_target, places.target_count);
                let before = if origin.class == OriginClass::Border { 0 } else { borders };
                let paths = search.tree(&places.ends, |j| main_units(&loads.parts[origin.class as usize][(i - before) * places.ends.len() + j]) > 0);
                let tree = Tree::new(&paths, row.0, |node| graph.junction_of(node), search.may_return());
                prop_assert_eq!(&tree, &flows.trees[draw][i]);
                let mut gathered = vec![0_i64; tree.nodes.len()];
                for leaf in &tree.leaves {
                    gathered[leaf.node as usize] += leaf.demand;
                }
                for (n, node) in tree.nodes.iter().enumerate().rev() {
                    if node.parent as usize == n {
                        prop_assert_eq!((node.link, node.junction), (u32::MAX, start.0));
                    } else {
                        prop_assert!((node.parent as usize) < n);
                        from_trees[node.link as usize] += gathered[n];
                        gathered[node.parent as usize] += gathered[n];
                    }
                }
                // `assign` leaves its buffers as it found them.
                let mut nodes = vec![[0; PARTS]; graph.node_count()];
                let mut links = vec![[0; PARTS]; arcs.len()];
                let loads = vec![[1; PARTS]; places.ends.len()];
                assign(&places, &loads, &search, &mut nodes, &mut links);
                prop_assert!(nodes.iter().all(|n| *n == [0; PARTS]));
            }
            for link in 0..arcs.len() {
                let LinkFlow { main, null } = flows.loads.at(draw, link);
                prop_assert_eq!(main, flows.loads.keeps(main_of_paths[link]));
                prop_assert_eq!(null, flows.loads.keeps(null_of_paths[link]));
            }
            prop_assert_eq!(&main_of_paths, &from_trees);
            prop_assert_eq!(balance, wanted);
            let link_km: f64 = network.links().map(|(l, k)| main_of_paths[l.index()] as f64 * k.length.km()).sum();
            prop_assert!((link_km - trip_km).abs() <= 1e-9 * trip_km);
        }
    }
}

#[test]
fn a_tree_knows_where_a_ban_leads_a_way_back() {
    // From 0 over 1 to 3; from link 0 no turn into link 2: on to 2, back, and then.
    let arcs: Vec<Arc> = [(0, 1), (1, 2), (1, 3)].map(|(a, b)| (a, b, 10.0, Direction::Both)).into();
    let banned = vec![vec![(LinkId(0), false), (LinkId(2), false)]];
    let sites =
        Sites { gates: vec![0], municipalities: vec![(1000.0, Exact(10), Some(3))], ..Sites::default() };
    let case = Case::new(network(&circle(4), &arcs).with_bans(banned), &sites);
    let graph = Arcs::new(&case.built.network);
    let mut search = Search::new(&graph);
    search.run(&graph, &[10, 10, 10], JunctionId(0), &[true; 4], 4);
    assert_eq!(search.distance(JunctionId(3)), 40);
    let paths = search.tree(&[JunctionId(3)], |_| true);
    let tree = Tree::new(&paths, &[7], |node| graph.junction_of(node), search.may_return());
    assert_eq!(tree.nodes.iter().map(|n| n.link).collect::<Vec<_>>(), [u32::MAX, 0, 1, 1, 2]);
    assert_eq!(tree.returns, [Return { node: 3, junction: true, link: true }]);
    // The link is loaded once for each time it is driven.
    let flows = case.flows(&study());
    let [once, twice] = [0, 1].map(|link| flows.loads.at(0, link).main);
    assert!(once > 0 && twice == 2 * once);
}

fn fixed_case() -> Case {
    let mut arcs: Vec<Arc> = (0..N).map(|i| (i, (i + 1) % N, 11.0 + i as f64, Direction::Both)).collect();
    arcs.extend([
        (0, 7, 30.0, Direction::Both),
        (3, 11, 28.0, Direction::Forward),
        (3, 11, 28.0, Direction::Both),
    ]);
    Case::new(network(&circle(N), &arcs), &sites())
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let (case, study) = (fixed_case(), uncertain());
    let one = fingerprint(&case.flows(&study));
    for threads in [1, 2, 3, 7] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert_eq!(pool.install(|| fingerprint(&case.flows(&study))), one, "{threads} threads");
    }
    let other = Study { seed: 2, ..study };
    assert_ne!(fingerprint(&case.flows(&other)), one);
}

#[test]
fn fewer_draws_are_the_first_of_more() {
    let (case, mut study) = (fixed_case(), uncertain());
    let many = case.flows(&study);
    study.parameters.draws = 4;
    let few = case.flows(&study);
    assert!((0..4).all(|draw| few.loads.of(draw).eq(many.loads.of(draw))));
    assert_eq!(few.draws(), 4);
}

#[test]
fn the_null_follows_population() {
    // A star: each municipality at the end of its own link, one gate in the middle.
    let arcs: Vec<Arc> = (1..4).map(|i| (0, i, 10.0, Direction::Both)).collect();
    let municipalities = [(1000.0, 50), (3000.0, 2), (500.0, 30)];
    let sites = Sites {
        municipalities: (1..4).zip(municipalities).map(|(j, (p, n))| (p, Exact(n), Some(j))).collect(),
        gates: vec![0],
        exits: Vec::new(),
    };
    let case = Case::new(network(&circle(4), &arcs), &sites);
    let mut study = study();
    study.parameters.border_share = Prior::Fixed(1.0);
    let flows = case.flows(&study);
    for (i, (population, count)) in municipalities.into_iter().enumerate() {
        let LinkFlow { main, null } = flows.loads.at(0, i);
        assert!((flows.share(null) - population / 4500.0).abs() < 2e-9);
        assert!((flows.share(main) - f64::from(count) / 82.0).abs() < 2e-9);
    }
    // All from the border to published counts: the first of the contributions.
    assert_eq!(flows.contributions[0][1..], [0; CONTRIBUTIONS - 1]);
}

#[test]
fn kept_trees_hold_all_behaviours_in_their_shares() {
    // Two ways: a major road, and a minor one that only those who prefer minor roads take.
    let mut case = Case::new(
        network(&circle(2), &[(0, 1, 10.0, Direction::Both), (0, 1, 12.0, Direction::Both)]),
        &Sites { municipalities: vec![(1000.0, Exact(50), Some(1))], gates: vec![0], exits: Vec::new() },
    );
    let mut graph = case.built.network.graph().clone();
    graph.edge_weights_mut().next().unwrap().class = crate::model::domain::RoadClass::Federal;
    case.built.network = crate::network::graph::Network::new(graph);
    let mut study = study();
    study.parameters.border_share = Prior::Fixed(1.0);
    study.parameters.draws = 2_000;
    study.planning.draws = 2_000;
    study.parameters.perturbations = 4;
    study.parameters.profiles.fast = 5_000.0;
    study.parameters.profiles.minor_roads = 5_000.0;
    let flows = case.flows(&study);
    let minor = |link: u32| flows.trees.iter().filter(|t| t[0].nodes[1].link == link).count();
    assert_eq!(minor(0) + minor(1), 2_000);
    // Half and half, within four standard errors.
    assert!(minor(1).abs_diff(1_000) < 90, "{}", minor(1));
    let sum: i64 = (0..flows.draws()).map(|d| flows.loads.at(d, 1).main).sum();
    assert!((flows.share(sum) / 2_000.0 - 0.5).abs() < 0.02);
}
