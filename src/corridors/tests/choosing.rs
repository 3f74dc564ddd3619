//! The logit models of route choice against all routes written out, against dense algebra, and against closed forms.

use std::sync::atomic::AtomicBool;

use proptest::prelude::*;

use crate::corridors::dial;
use crate::corridors::logit::{Graph, Loaded, Trip, scale};
use crate::corridors::recursive_logit::{RecursiveLogit, RecursiveLogitError};
use crate::ids::JunctionId;
use crate::model::domain::Direction;
use crate::network::graph::{Driven, Network};
use crate::network::search::{Arcs, UNREACHED};
use crate::network::tests::support::{Arc, circle, network, walk};

const N: usize = 7;
const MINUTE: u32 = 60_000;

static GO: AtomicBool = AtomicBool::new(false);

fn dial(graph: &Graph, weights: &[u32], theta: f64, trips: &[Trip]) -> Loaded {
    dial::dial(graph, weights, theta, trips, &GO)
}

fn id(n: usize) -> JunctionId {
    JunctionId(u32::try_from(n).unwrap())
}

fn trip(from: usize, to: usize, demand: f64) -> Trip {
    Trip { from: id(from), to: id(to), demand }
}

/// A graph of one-way arcs without bans; link numbers are their places.
fn graph(n: usize, arcs: &[(u32, u32)]) -> Graph {
    let list = (0..).zip(arcs).map(|(link, (tail, head))| (*tail, *head, link)).collect();
    Graph::new(&Arcs::of_list(n, list))
}

fn close(a: &[f64], b: &[f64], error: f64) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(x, y)| (x - y).abs() <= error)
}

/// Loads one trip on ways given as links, each in proportion to its weight.
fn by_ways(links: usize, trip: &Trip, ways: &[(Vec<u32>, f64)]) -> Loaded {
    let mut out = Loaded::none(links);
    let all: f64 = ways.iter().map(|(_, weight)| weight).sum();
    if ways.is_empty() {
        out.unserved = trip.demand;
    }
    for (way, weight) in ways {
        for link in way {
            out.links[*link as usize] += trip.demand * weight / all;
        }
    }
    out
}

/// Every efficient way, on the nodes of the graph.
fn efficient_ways(graph: &Graph, weights: &[u32], theta: f64, trip: &Trip) -> Vec<(Vec<u32>, f64)> {
    let r = graph.distances(weights, std::iter::once(trip.from.0), false);
    let ends: Vec<u32> = graph.nodes_of(trip.to).collect();
    let mut out = Vec::new();
    let mut open = vec![(trip.from.0, Vec::new(), 0_u64)];
    while let Some((node, way, cost)) = open.pop() {
        if ends.contains(&node) {
            out.push((way.clone(), (-theta * cost as f64 / f64::from(MINUTE)).exp()));
        }
        for arc in graph.out(node).map(|arc| graph.arcs[arc]) {
            let weight = weights[arc.link as usize];
            if weight != UNREACHED && r[arc.tail as usize] < r[arc.head as usize] {
                let mut way = way.clone();
                way.push(arc.link);
                open.push((arc.head, way, cost + u64::from(weight)));
            }
        }
    }
    out
}

/// Every way of a network in which no way returns, that holds no banned sequence and ends where it first comes to the
/// destination.
fn ways(network: &Network, weights: &[u32], theta: f64, trip: &Trip) -> Vec<(Vec<u32>, f64)> {
    let mut out = Vec::new();
    let mut open: Vec<(JunctionId, Vec<Driven>)> = vec![(trip.from, Vec::new())];
    while let Some((at, way)) = open.pop() {
        if at == trip.to {
            let cost: f64 = way.iter().map(|(link, _)| f64::from(weights[link.index()])).sum();
            let links = way.iter().map(|(link, _)| link.0).collect();
            out.push((links, (-theta * cost / f64::from(MINUTE)).exp()));
            continue;
        }
        for (link, _) in
            network.links().filter(|(link, l)| l.from == at && weights[link.index()] != UNREACHED)
        {
            let mut way = way.clone();
            way.push((link, false));
            if !network.bans().iter().any(|ban| way.ends_with(ban)) {
                open.push((network.link(link).to, way));
            }
        }
    }
    out
}

fn minutes() -> impl Strategy<Value = u32> {
    prop_oneof![12 => 1..9 * MINUTE, 1 => Just(UNREACHED)]
}

/// Arcs that lead to a higher junction.
fn rising() -> impl Strategy<Value = Vec<(usize, usize, u32)>> {
    let arc = (0..N - 1, 1..N, minutes()).prop_map(|(a, step, w)| (a, (a + step).min(N - 1), w));
    prop::collection::vec(arc, 1..16)
}

fn both_ways() -> impl Strategy<Value = Vec<(usize, usize, u8, u32)>> {
    prop::collection::vec((0..N, 0..N, 0..3_u8, minutes()), 1..14)
        .prop_map(|list| list.into_iter().filter(|(a, b, ..)| a != b).collect())
}

fn picks() -> impl Strategy<Value = Vec<Vec<usize>>> {
    prop::collection::vec(prop::collection::vec(0..1000_usize, 2..4), 0..5)
}

fn with_bans(arcs: &[Arc], picks: &[Vec<usize>]) -> Network {
    let plain = network(&circle(N), arcs);
    let ways = picks.iter().map(|p| walk(&plain, p)).collect();
    plain.with_bans(ways)
}

/// Solves `(1 − A) x = b` by elimination.
fn solve(a: &[Vec<f64>], b: &[f64]) -> Vec<f64> {
    let n = b.len();
    let mut rows: Vec<Vec<f64>> = (0..n)
        .map(|i| (0..n).map(|j| f64::from(u8::from(i == j)) - a[i][j]).chain([b[i]]).collect())
        .collect();
    for at in 0..n {
        let pivot = (at..n).max_by(|x, y| rows[*x][at].abs().total_cmp(&rows[*y][at].abs())).unwrap();
        rows.swap(at, pivot);
        for other in (0..n).filter(|other| *other != at) {
            let factor = rows[other][at] / rows[at][at];
            let row = rows[at].clone();
            rows[other].iter_mut().zip(row).for_each(|(x, y)| *x -= factor * y);
        }
    }
    (0..n).map(|i| rows[i][n] / rows[i][i]).collect()
}

/// The recursive logit by dense algebra: values of arcs, choices, expected flows.
fn dense(graph: &Graph, weights: &[u32], theta: f64, trip: &Trip) -> Loaded {
    let n = graph.arcs.len();
    let w = |arc: usize| match weights[graph.arcs[arc].link as usize] {
        UNREACHED => 0.0,
        ms => (-theta * f64::from(ms) / f64::from(MINUTE)).exp(),
    };
    let ends: Vec<u32> = graph.nodes_of(trip.to).collect();
    let last = |arc: usize| ends.contains(&graph.arcs[arc].head);
    let follows = |a: usize, b: usize| {
        let (a_, b_) = (graph.arcs[a], graph.arcs[b]);
        !last(a) && a_.head == b_.tail && a_.link != b_.link
    };
    let m: Vec<Vec<f64>> =
        (0..n).map(|a| (0..n).map(|b| if follows(a, b) { w(b) } else { 0.0 }).collect()).collect();
    let z = solve(&m, &(0..n).map(|a| f64::from(u8::from(last(a)))).collect::<Vec<_>>());
    let first = |b: usize| if graph.arcs[b].tail == trip.from.0 { w(b) * z[b] } else { 0.0 };
    let whole: f64 = (0..n).map(first).sum();
    let mut out = Loaded::none(weights.len());
    if whole <= 0.0 {
        out.unserved = trip.demand;
        return out;
    }
    let share = |a: usize, b: usize| if z[a] > 0.0 { m[a][b] * z[b] / z[a] } else { 0.0 };
    let turned: Vec<Vec<f64>> = (0..n).map(|b| (0..n).map(|a| share(a, b)).collect()).collect();
    let x = solve(&turned, &(0..n).map(|b| trip.demand * first(b) / whole).collect::<Vec<_>>());
    for (arc, flow) in graph.arcs.iter().zip(x) {
        out.links[arc.link as usize] += flow;
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn dial_shares_out_over_all_efficient_ways(list in both_ways(), picks in picks(), theta in 0.05..2.0_f64) {
        let direction = |d| [Direction::Both, Direction::Forward, Direction::Backward][usize::from(d)];
        let arcs: Vec<Arc> = list.iter().map(|&(a, b, d, _)| (a, b, 1.0, direction(d))).collect();
        let weights: Vec<u32> = list.iter().map(|l| l.3).collect();
        let network = with_bans(&arcs, &picks);
        let graph = Graph::new(&Arcs::new(&network));
        let trips: Vec<Trip> = [(0, 3, 2.0), (0, 5, 1.0), (4, 1, 0.5), (6, 0, 3.0)].map(|(a, b, d)| trip(a, b, d)).to_vec();
        let mut expected = Loaded::none(weights.len());
        for trip in &trips {
            expected.add(&by_ways(weights.len(), trip, &efficient_ways(&graph, &weights, theta, trip)), 1.0);
        }
        let found = dial(&graph, &weights, theta, &trips);
        prop_assert!(close(&found.links, &expected.links, 1e-9), "{:?} {:?}", found, expected);
        prop_assert!((found.unserved - expected.unserved).abs() < 1e-12);
    }

    #[test]
    fn recursive_logit_shares_out_over_all_ways(list in rising(), picks in picks(), theta in 0.05..2.0_f64) {
        let arcs: Vec<Arc> = list.iter().map(|&(a, b, _)| (a, b, 1.0, Direction::Forward)).collect();
        let weights: Vec<u32> = list.iter().map(|l| l.2).collect();
        let network = with_bans(&arcs, &picks);
        let graph = Graph::new(&Arcs::new(&network));
        let trips: Vec<Trip> = [(0, N - 1, 2.0), (0, 3, 1.0), (2, 5, 0.5)].map(|(a, b, d)| trip(a, b, d)).to_vec();
        let mut expected = Loaded::none(weights.len());
        for trip in &trips {
            expected.add(&by_ways(weights.len(), trip, &ways(&network, &weights, theta, trip)), 1.0);
        }
        let model = RecursiveLogit::new(&graph, &weights, theta).unwrap();
        prop_assert_eq!(model.radius().high, 0.0, "no way returns");
        let found = model.load(&trips, &GO).unwrap();
        prop_assert!(close(&found.links, &expected.links, 1e-9), "{:?} {:?}", found, expected);
        prop_assert!((found.unserved - expected.unserved).abs() < 1e-12);
    }

    #[test]
    fn recursive_logit_solves_its_equations_where_ways_return(
        list in both_ways(), picks in picks(), theta in 0.2..3.0_f64,
    ) {
        let direction = |d| [Direction::Both, Direction::Forward, Direction::Backward][usize::from(d)];
        let arcs: Vec<Arc> = list.iter().map(|&(a, b, d, _)| (a, b, 1.0, direction(d))).collect();
        let weights: Vec<u32> = list.iter().map(|l| l.3).collect();
        let network = with_bans(&arcs, &picks);
        let graph = Graph::new(&Arcs::new(&network));
        match RecursiveLogit::new(&graph, &weights, theta) {
            Ok(model) => for trip in [trip(0, 3, 2.0), trip(5, 1, 1.0)] {
                // Next to 1 the loads are so large that the test would measure elimination.
                prop_assume!(model.radius().high < 0.95);
                let found = model.load(&[trip], &GO).unwrap();
                let expected = dense(&graph, &weights, theta, &trip);
                prop_assert!(close(&found.links, &expected.links, 1e-8), "{:?} {:?}", found, expected);
                prop_assert!((found.unserved - expected.unserved).abs() < 1e-12);
            },
            Err(RecursiveLogitError::Radius { low, high, needed, .. }) => {
                prop_assert!(low <= high && high >= 1.0);
                let needed = needed.unwrap();
                prop_assert!(needed > theta);
                prop_assert!(RecursiveLogit::new(&graph, &weights, needed).is_ok());
            }
            Err(other) => prop_assert!(false, "{other}"),
        }
    }
}

#[test]
fn routes_of_equal_cost_are_taken_alike_whatever_they_share() {
    // Two routes share their first half, a third shares nothing: a third of the trips each, as Dial's model has it, which
    // probit would not say.
    let graph = graph(3, &[(0, 1), (1, 2), (1, 2), (0, 2)]);
    let weights = [5 * MINUTE, 5 * MINUTE, 5 * MINUTE, 10 * MINUTE];
    let third = 1.0 / 3.0;
    let expected = [2.0 * third, third, third, third];
    let trips = [trip(0, 2, 1.0)];
    assert!(close(&dial(&graph, &weights, 0.7, &trips).links, &expected, 1e-12));
    let model = RecursiveLogit::new(&graph, &weights, 0.7).unwrap();
    assert!(close(&model.load(&trips, &GO).unwrap().links, &expected, 1e-12));
}

#[test]
fn two_routes_are_a_logit_of_their_costs() {
    let graph = graph(2, &[(0, 1), (0, 1)]);
    let weights = [10 * MINUTE, 13 * MINUTE];
    for theta in [1e-6, 0.1, 1.0, 50.0] {
        let share = 1.0 / (1.0 + (-3.0_f64 * theta).exp());
        let trips = [trip(0, 1, 4.0)];
        let expected = [4.0 * share, 4.0 * (1.0 - share)];
        assert!(close(&dial(&graph, &weights, theta, &trips).links, &expected, 1e-12));
        let model = RecursiveLogit::new(&graph, &weights, theta).unwrap();
        assert!(close(&model.load(&trips, &GO).unwrap().links, &expected, 1e-12));
    }
    // The variance of a route's error is that of the probit model.
    let theta = scale(1.5, 100.0);
    assert!((std::f64::consts::PI.powi(2) / (6.0 * theta * theta) - 150.0).abs() < 1e-9);
}

#[test]
fn a_ring_that_may_be_driven_any_number_of_times_is_a_geometric_series() {
    // 0 → 1, then 1 → 2 → 1 any number of times, then 1 → 3.
    let graph = graph(4, &[(0, 1), (1, 2), (2, 1), (1, 3)]);
    let weights = [MINUTE, 2 * MINUTE, 3 * MINUTE, 4 * MINUTE];
    let theta = 0.1;
    let model = RecursiveLogit::new(&graph, &weights, theta).unwrap();
    let round = (-5.0_f64 * theta).exp();
    let radius = model.radius();
    assert!(radius.low <= round.sqrt() + 1e-12 && round.sqrt() <= radius.high + 1e-12, "{radius:?}");
    assert!(radius.high - radius.low < 1e-5);
    let rounds = round / (1.0 - round);
    let found = model.load(&[trip(0, 3, 1.0)], &GO).unwrap();
    assert!(close(&found.links, &[1.0, rounds, rounds, 1.0], 1e-10), "{found:?}");
    // Dial's ways never come nearer to where they began.
    assert_eq!(dial(&graph, &weights, theta, &[trip(0, 3, 1.0)]).links, [1.0, 0.0, 0.0, 1.0]);
}

#[test]
fn where_returning_pays_the_model_is_refused_with_what_would_do() {
    // Four junctions, each joined to each in both directions by links of a minute: from an arc two others go on, so that
    // the radius is 2 exp(−θ), and θ must be above ln 2.
    let pairs = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)];
    let arcs: Vec<Arc> = pairs.iter().map(|&(a, b)| (a, b, 1.0, Direction::Both)).collect();
    let network = network(&circle(4), &arcs);
    let graph = Graph::new(&Arcs::new(&network));
    let weights = [MINUTE; 6];
    let refused = RecursiveLogit::new(&graph, &weights, 0.5).unwrap_err();
    let RecursiveLogitError::Radius { theta, low, high, needed } = refused else { panic!("{refused}") };
    let radius = 2.0 * (-0.5_f64).exp();
    assert!((low - radius).abs() < 1e-5 && (high - radius).abs() < 1e-5 && theta == 0.5, "{refused}");
    let needed = needed.unwrap();
    assert!(needed > 2.0_f64.ln() && needed < 1.011 * 2.0_f64.ln(), "{needed}");
    let model = RecursiveLogit::new(&graph, &weights, 1.01 * needed).unwrap();
    let found = model.load(&[trip(0, 1, 1.0)], &GO).unwrap();
    let expected = dense(&graph, &weights, 1.01 * needed, &trip(0, 1, 1.0));
    assert!(close(&found.links, &expected.links, 1e-8), "{found:?}");
    // Just below the edge it is refused, not looped in for ever.
    assert!(RecursiveLogit::new(&graph, &weights, 0.999_999 * 2.0_f64.ln()).is_err());
}

#[test]
fn far_ways_do_not_underflow() {
    // A thousand links of ten minutes, a way around each: exp(−θ c) of a way is far below the smallest number.
    let n = 1_001;
    let mut arcs = Vec::new();
    for i in 0..1_000 {
        arcs.extend([(i, i + 1), (i, i + 1)]);
    }
    let graph = graph(n, &arcs);
    let weights: Vec<u32> = (0..2_000).map(|k| if k % 2 == 0 { 10 * MINUTE } else { 11 * MINUTE }).collect();
    let share = 1.0 / (1.0 + (-1.0_f64).exp());
    let expected: Vec<f64> = (0..2_000).map(|k| if k % 2 == 0 { share } else { 1.0 - share }).collect();
    let trips = [trip(0, 1_000, 1.0)];
    assert!(close(&dial(&graph, &weights, 1.0, &trips).links, &expected, 1e-9));
    let model = RecursiveLogit::new(&graph, &weights, 1.0).unwrap();
    assert!(close(&model.load(&trips, &GO).unwrap().links, &expected, 1e-9));
}
