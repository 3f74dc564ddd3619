//! Who uses corridors, on small networks and against a plain count of the ways.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::flowing::{N, arcs, sites, uncertain};
use super::{Case, Sites};
use crate::corridors::demand::{OriginClass, Places};
use crate::corridors::flow::Tree;
use crate::corridors::usage::{LISTED, LISTED_OF_LINK, Pairs, Usages, usages};
use crate::ids::LinkId;
use crate::model::domain::Direction::Both;
use crate::model::incidence::CountDatum::Exact;
use crate::model::prior::Prior;
use crate::network::graph::Network;
use crate::network::tests::support::{circle, network, study};
use crate::stats::spread;

fn of(case: &Case, trees: &[Vec<Tree>], corridors: &[Vec<LinkId>]) -> Usages {
    let corridors: Vec<&[LinkId]> = corridors.iter().map(Vec::as_slice).collect();
    usages(&case.built.network, &case.domain, &case.places(), trees, &corridors)
}

#[test]
fn a_trip_counts_once_and_whole_and_its_pair_by_its_way_along_the_corridor() {
    // A gate at 0, municipalities at 2 and 3; the corridor has a gap between 1 and 2. A branch that nobody takes.
    let places = [(0.0, 0.0), (10.0, 0.0), (20.0, 0.0), (30.0, 0.0), (10.0, 9.0)];
    let arcs = [(0, 1), (1, 2), (2, 3), (1, 4)].map(|(a, b)| (a, b, 10.0, Both));
    let municipalities = vec![(1000.0, Exact(30), Some(2)), (1000.0, Exact(10), Some(3))];
    let case =
        Case::new(network(&places, &arcs), &Sites { municipalities, gates: vec![0], exits: Vec::new() });
    let mut study = study();
    study.parameters.border_share = Prior::Fixed(1.0);
    let flows = case.flows(&study);
    let found = of(&case, &flows.trees, &[vec![LinkId(0), LinkId(2)], vec![LinkId(3)]]);
    assert_eq!(found.draws, 10);
    let near = |a: f64, b: f64| (a - b).abs() < 1e-6;
    let shares: Vec<f64> = found.of.iter().map(|u| u.share.unwrap()[0]).collect();
    assert_eq!(shares, [1.0, 0.0]);
    let end = of(&case, &flows.trees, &[vec![LinkId(2)]]);
    assert!(near(end.of[0].share.unwrap()[0], 0.25), "{end:?}");
    // 30 trips over 10 km of it, 10 trips over 20 km.
    let pairs: Vec<(&str, &str, f64)> = found.of[0]
        .pairs
        .largest
        .iter()
        .map(|p| (p.origin.as_str(), p.destination.as_str(), p.value))
        .collect();
    assert!(near(pairs[0].2, 0.6) && near(pairs[1].2, 0.4), "{pairs:?}");
    assert_eq!([pairs[0].0, pairs[0].1, pairs[1].1], ["c0", "M7001", "M7002"]);
    assert_eq!(found.of[0].pairs.others, (0, 0.0));
    assert!(found.of[1].pairs.largest.is_empty());

    // Without a draw with trips there is no share.
    let none = of(&case, &[], &[vec![LinkId(0)]]);
    assert_eq!((none.draws, none.of[0].share), (0, None));
}

#[test]
fn a_way_that_leaves_a_corridor_and_returns_uses_it_once() {
    let places: Vec<(f64, f64)> = (0..5).map(|i| (f64::from(i) * 10.0, 0.0)).collect();
    let arcs = [(0, 1), (1, 2), (2, 3), (3, 4)].map(|(a, b)| (a, b, 10.0, Both));
    let municipalities = vec![(1000.0, Exact(30), Some(4))];
    let case =
        Case::new(network(&places, &arcs), &Sites { municipalities, gates: vec![0], exits: Vec::new() });
    let mut study = study();
    study.parameters.border_share = Prior::Fixed(1.0);
    let flows = case.flows(&study);
    let found = of(&case, &flows.trees, &[vec![LinkId(0), LinkId(2)], vec![LinkId(1), LinkId(3)]]);
    for usage in &found.of {
        assert_eq!(usage.share, Some([1.0; 3]));
        assert_eq!((usage.pairs.largest.len(), usage.pairs.largest[0].value), (1, 1.0));
    }
}

/// By pair: demand times the metres of its ways on the corridor.
type Weights = BTreeMap<(usize, usize), f64>;

/// By draw the share of trips that use `corridor`, and the weight of each pair, from the links of each way.
fn counted(network: &Network, trees: &[Vec<Tree>], corridor: &[LinkId]) -> (Vec<f64>, Weights) {
    let mut weights = Weights::new();
    let share = |draw: &Vec<Tree>| {
        let (mut all, mut using) = (0, 0);
        for (origin, tree) in draw.iter().enumerate() {
            for leaf in &tree.leaves {
                let (mut metres, mut at) = (0.0, leaf.node as usize);
                while tree.nodes[at].link != u32::MAX {
                    let link = LinkId(tree.nodes[at].link);
                    if corridor.contains(&link) {
                        metres += network.link(link).length.0;
                    }
                    at = tree.nodes[at].parent as usize;
                }
                all += leaf.demand;
                if metres > 0.0 {
                    using += leaf.demand;
                    *weights.entry((origin, leaf.destination as usize)).or_default() +=
                        leaf.demand as f64 * metres;
                }
            }
        }
        using as f64 / all as f64
    };
    (trees.iter().map(share).collect(), weights)
}

fn names(case: &Case, places: &Places, (origin, destination): (usize, usize)) -> (String, String) {
    let (from, to) = (&places.origins[origin], &places.destinations[destination]);
    let from = match from.class {
        OriginClass::Border => case.domain.crossings[from.place].name.clone(),
        OriginClass::Domestic => case.domain.municipalities[from.place].name.clone(),
    };
    // Destinations of these sites: five municipalities on the network, then the exits.
    let exit = destination.checked_sub(5).map(|_| case.domain.exits[to.place].name.clone());
    (from, exit.unwrap_or_else(|| case.domain.municipalities[to.place].name.clone()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn usage_is_what_a_plain_count_of_the_ways_gives(
        arcs in arcs(),
        labels in prop::collection::vec(0..4_usize, 2 * N),
    ) {
        let case = Case::new(network(&circle(N), &arcs), &sites());
        let mut study = uncertain();
        study.parameters.perturbations = 1;
        let flows = case.flows(&study);
        let network = &case.built.network;
        let labelled = |label: usize| -> Vec<LinkId> {
            network.links().map(|(id, _)| id).filter(|id| labels[id.index()] == label).collect()
        };
        let corridors: Vec<Vec<LinkId>> = (0..3).map(labelled).collect();
        let found = of(&case, &flows.trees, &corridors);
        prop_assert_eq!(found.draws, flows.draws());
        let places = case.places();
        for (usage, corridor) in found.of.iter().zip(&corridors) {
            let Pairs { largest: listed, others } = &usage.pairs;
            let (shares, weights) = counted(network, &flows.trees, corridor);
            prop_assert_eq!(usage.share, Some(spread(shares)));
            let all: f64 = weights.values().sum();
            prop_assert_eq!(listed.len(), weights.len().min(LISTED));
            prop_assert_eq!(others.0, weights.len() - listed.len());
            let mut largest: Vec<f64> = weights.values().map(|w| w / all).collect();
            largest.sort_by(|a, b| b.total_cmp(a));
            let by_name: BTreeMap<(String, String), f64> =
                weights.iter().map(|(pair, w)| (names(&case, &places, *pair), w / all)).collect();
            let told: BTreeSet<(&str, &str)> =
                listed.iter().map(|p| (p.origin.as_str(), p.destination.as_str())).collect();
            prop_assert_eq!(told.len(), listed.len());
            for (pair, value) in listed.iter().zip(&largest) {
                prop_assert!((pair.value - value).abs() < 2e-9);
                let own = by_name[&(pair.origin.clone(), pair.destination.clone())];
                prop_assert!((pair.value - own).abs() < 2e-9);
            }
            if !weights.is_empty() {
                let sum: f64 = listed.iter().map(|p| p.value).sum::<f64>() + others.1;
                prop_assert!((sum - 1.0).abs() < 1e-12, "{sum}");
            }
        }
        // What the pairs send over a link is what it carries, and they are told as of a corridor that it is alone.
        for (id, _) in network.links() {
            let pairs = &found.links[id.index()];
            let (_, weights) = counted(network, &flows.trees, &[id]);
            let flow: i64 = flows.contributions[id.index()].iter().sum();
            let all: f64 = weights.values().map(|w| w / network.link(id).length.0).sum();
            prop_assert!((all - flow as f64).abs() <= 1e-9 * flow as f64, "{all} {flow}");
            prop_assert_eq!(pairs.largest.len(), weights.len().min(LISTED_OF_LINK));
            prop_assert_eq!(pairs.largest.len() + pairs.others.0, weights.len());
            let alone = of(&case, &flows.trees, &[vec![id]]).of.remove(0).pairs;
            for (a, b) in pairs.largest.iter().zip(&alone.largest) {
                prop_assert!((a.value - b.value).abs() < 2e-9);
            }
            let sum: f64 = pairs.largest.iter().map(|p| p.value).sum::<f64>() + pairs.others.1;
            prop_assert!((sum - if flow > 0 { 1.0 } else { 0.0 }).abs() < 1e-12, "{sum}");
        }
        // A corridor of one link is used by the trips that load it.
        let link = LinkId(u32::try_from(labels[0]).unwrap());
        let single = of(&case, &flows.trees, &[vec![link]]).of.remove(0);
        let loaded = (0..flows.draws())
            .map(|d| flows.loads.at(d, link.index()).main as f64 / flows.fate[d].served as f64)
            .collect();
        for (a, b) in single.share.unwrap().iter().zip(spread(loaded)) {
            prop_assert!((a - b).abs() < 1e-6, "{a} {b}");
        }
    }
}
