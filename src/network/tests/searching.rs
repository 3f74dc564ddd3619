//! The reference search against petgraph's and against published values.

use petgraph::algo::dijkstra;
use petgraph::graph::{DiGraph, NodeIndex};
use proptest::prelude::*;

use super::sioux_falls::{NODES, TRIPS, sioux_falls};
use super::support::{Arc, circle, network};
use crate::ids::{JunctionId, LinkId};
use crate::model::domain::Direction;
use crate::network::search::{Arcs, Search, UNREACHED};

fn id(n: usize) -> JunctionId {
    JunctionId(u32::try_from(n).unwrap())
}

const fn direction(n: u8) -> Direction {
    match n {
        0 => Direction::Both,
        1 => Direction::Forward,
        2 => Direction::Backward,
        _ => Direction::Closed,
    }
}

const N: usize = 12;

/// Links between twelve junctions: parallel ones, loops, one-way and closed ones among them; weights that tie
/// often; some links shut in the weights.
fn links() -> impl Strategy<Value = Vec<(usize, usize, u8, u32)>> {
    let weight = prop_oneof![8 => 1..6_u32, 1 => Just(UNREACHED), 1 => 1_000..1_000_000_u32];
    prop::collection::vec((0..N, 0..N, 0..5_u8, weight), 0..50)
}

fn arcs_of(links: &[(usize, usize, u8, u32)]) -> (Arcs, Vec<u32>) {
    let arcs: Vec<Arc> = links.iter().map(|&(a, b, d, _)| (a, b, 1.0, direction(d % 4))).collect();
    (Arcs::new(&network(&circle(N), &arcs)), links.iter().map(|l| l.3).collect())
}

fn oracle(links: &[(usize, usize, u8, u32)]) -> DiGraph<(), u32> {
    let mut graph = DiGraph::new();
    for _ in 0..N {
        graph.add_node(());
    }
    for &(a, b, d, w) in links.iter().filter(|l| l.3 != UNREACHED) {
        let (a, b, d) = (NodeIndex::new(a), NodeIndex::new(b), direction(d % 4));
        if d.forward() {
            graph.add_edge(a, b, w);
        }
        if d.backward() {
            graph.add_edge(b, a, w);
        }
    }
    graph
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn distances_are_petgraphs_and_buffers_can_be_used_again(links in links(), stop in 0..N) {
        let (arcs, weights) = arcs_of(&links);
        let graph = oracle(&links);
        let all = vec![true; N];
        let mut only = vec![false; N];
        only[stop] = true;
        // One set of buffers for everything, with searches that stop early in between.
        let mut search = Search::new(&arcs);
        for source in 0..N {
            let expected = dijkstra(&graph, NodeIndex::new(source), None, |e| *e.weight());
            let of = |n: usize| expected.get(&NodeIndex::new(n)).copied().unwrap_or(UNREACHED);
            search.run(&arcs, &weights, id(source), &only, 1);
            prop_assert_eq!(search.distance(id(stop)), of(stop));
            let settled = search.settled();
            prop_assert!(settled.iter().all(|&n| search.distance(JunctionId(n)) <= of(stop)));
            search.run(&arcs, &weights, id(source), &all, N);
            for node in 0..N {
                prop_assert_eq!(search.distance(id(node)), of(node), "from {} to {}", source, node);
            }
            // Parents are settled before their children, and their link closes the distance.
            let place = |n: u32| search.settled().iter().position(|&s| s == n).unwrap();
            for &node in search.settled() {
                if let Some((parent, link)) = search.parent(node) {
                    prop_assert!(place(parent) < place(node));
                    let through = search.distance(JunctionId(parent)) + weights[link.index()];
                    prop_assert_eq!(through, search.distance(JunctionId(node)));
                } else {
                    prop_assert_eq!(node as usize, source);
                }
            }
        }
    }

    #[test]
    fn ties_go_to_the_lower_link_whatever_the_order_of_arcs(
        links in links(),
        names in Just((0..N).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        // Other numbers for the junctions give other arcs and another order of settling.
        let other: Vec<_> = links.iter().map(|&(a, b, d, w)| (names[a], names[b], d, w)).collect();
        let ((arcs, weights), (arcs2, _)) = (arcs_of(&links), arcs_of(&other));
        let (mut one, mut two) = (Search::new(&arcs), Search::new(&arcs2));
        let all = vec![true; N];
        for source in 0..N {
            one.run(&arcs, &weights, id(source), &all, N);
            two.run(&arcs2, &weights, id(names[source]), &all, N);
            for node in (0..N).filter(|&n| one.distance(id(n)) != UNREACHED) {
                let link = |s: &Search, n: usize| s.parent(id(n).0).map(|(_, link)| link);
                prop_assert_eq!(link(&one, node), link(&two, names[node]));
                // And it is the lowest of all that close the distance.
                let best = links.iter().enumerate().filter(|(_, l)| l.3 != UNREACHED).find(|(_, l)| {
                    let (a, b, d, w) = **l;
                    let closes = |from: usize, to: usize| {
                        to == node
                            && one.distance(id(from)) != UNREACHED
                            && one.distance(id(from)) + w == one.distance(id(node))
                    };
                    let d = direction(d % 4);
                    (d.forward() && closes(a, b)) || (d.backward() && closes(b, a))
                });
                prop_assert_eq!(link(&one, node).map(LinkId::index), best.map(|(i, _)| i));
            }
        }
    }
}

#[test]
fn a_way_that_does_not_fit_is_none() {
    let arcs: Vec<Arc> =
        vec![(0, 1, 1.0, Direction::Both), (1, 2, 1.0, Direction::Both), (2, 0, 1.0, Direction::Forward)];
    let arcs = Arcs::new(&network(&circle(3), &arcs));
    let mut search = Search::new(&arcs);
    search.run(&arcs, &[u32::MAX - 2, u32::MAX - 2, 1], id(0), &[true; 3], 3);
    assert_eq!((search.distance(id(1)), search.distance(id(2))), (u32::MAX - 2, UNREACHED));
}

#[test]
fn sioux_falls_has_its_published_distances() {
    let network = sioux_falls();
    let arcs = Arcs::new(&network);
    let minutes: Vec<u32> = network
        .links()
        .map(|(_, l)| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole minutes")]
            let whole = l.time.0 as u32;
            whole
        })
        .collect();
    let mut search = Search::new(&arcs);
    let (mut sum, mut vehicle_minutes) = (0, 0);
    for (i, trips) in TRIPS.iter().enumerate() {
        search.run(&arcs, &minutes, id(i), &[true; NODES], NODES);
        for (j, hundreds) in trips.iter().enumerate() {
            sum += search.distance(id(j));
            vehicle_minutes += 100 * hundreds * search.distance(id(j));
        }
        if i == 0 {
            assert_eq!(search.distance(id(19)), 22);
        }
    }
    assert_eq!((sum, vehicle_minutes), (6_254, 3_176_000));
}
