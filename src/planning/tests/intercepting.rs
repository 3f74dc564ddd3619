//! Flow interception: a published value, brute force, and how posts count.

use proptest::prelude::*;

use super::{flows_of, tree};
use crate::corridors::demand::{Places, UNIT};
use crate::corridors::flow::{Leaf, Return, Tree, TreeNode};
use crate::corridors::tests::{params, single_places};
use crate::model::domain::{Direction, Post};
use crate::network::search::{Arcs, Search};
use crate::network::tests::sioux_falls::{NODES, TRIPS, sioux_falls};
use crate::network::tests::support::{Arc, at, built, circle, domain, named, network, study};
use crate::planning::intercept::{SiteKind, Trips, greedy};
use crate::planning::posts::plan;

/// The tree of the trips of `demand` after a search.
fn searched(places: &Places, search: &mut Search, demand: &[i64]) -> Tree {
    let paths = search.tree(&places.ends, |j| demand[j] > 0);
    Tree::new(&paths, demand, |node| search.junction_of(node), search.may_return())
}

/// Trees of all trips of Sioux Falls on free-flow times, in trips.
fn sioux_trees() -> Vec<Tree> {
    let network = sioux_falls();
    let arcs = Arcs::new(&network);
    let minutes: Vec<u32> = crate::network::tests::sioux_falls::LINKS.iter().map(|l| l.2).collect();
    let places = single_places(NODES);
    let mut search = Search::new(&arcs);
    let origins = places.origins.clone();
    origins
        .iter()
        .enumerate()
        .map(|(i, origin)| {
            search.run(&arcs, &minutes, origin.access.junction, &places.is_target, NODES);
            let demand: Vec<i64> = TRIPS[i].iter().map(|h| 100 * i64::from(*h)).collect();
            searched(&places, &mut search, &demand)
        })
        .collect()
}

#[test]
fn one_site_on_sioux_falls_is_node_ten() {
    // Ties of free-flow paths go to the lower link number, in the standard numbering of the links.
    let trees = vec![sioux_trees()];
    let trips = Trips::new(&trees, SiteKind::Junction, NODES);
    assert_eq!(trips.met(&[true; NODES]), [360_600]);
    let chosen = greedy(&trips, &[true; NODES], vec![false; NODES], 24);
    assert_eq!((chosen[0].site + 1, chosen[0].gain), (10, 122_700));
    assert!(chosen.windows(2).all(|w| w[0].gain >= w[1].gain));
    assert_eq!(chosen.iter().map(|c| c.gain).sum::<i64>(), 360_600);
    let links = Trips::new(&trees, SiteKind::Link, 76);
    // Over links: vehicle time is the sum of flow times minutes.
    let minutes = crate::network::tests::sioux_falls::LINKS.map(|l| i64::from(l.2));
    let time: i64 = links.unmet(&[false; 76]).iter().zip(minutes).map(|(f, t)| f * t).sum();
    assert_eq!(time, 3_176_000);
}

const N: usize = 8;

/// Trees of random trips on a random connected network, in two draws.
fn trees() -> impl Strategy<Value = (usize, Vec<Vec<Tree>>)> {
    let chord = (0..N, 0..N, 1..20_u32);
    let chords = prop::collection::vec(chord, 0..6);
    let demand = prop::collection::vec(0..100_i64, 2 * N * N);
    (chords, demand).prop_map(|(chords, demand)| {
        let mut arcs: Vec<Arc> = (0..N).map(|i| (i, (i + 1) % N, 5.0, Direction::Both)).collect();
        arcs.extend(chords.iter().map(|&(a, b, t)| (a, b, f64::from(t), Direction::Both)));
        let mut weights = vec![5; N];
        weights.extend(chords.iter().map(|c| c.2));
        let graph = Arcs::new(&network(&circle(N), &arcs));
        let places = single_places(N);
        let mut search = Search::new(&graph);
        let draws = demand
            .chunks(N * N)
            .map(|table| {
                let rows = places.origins.iter().zip(table.chunks(N));
                rows.map(|(origin, row)| {
                    search.run(&graph, &weights, origin.access.junction, &places.is_target, N);
                    searched(&places, &mut search, row)
                })
                .collect()
            })
            .collect();
        (arcs.len(), draws)
    })
}

/// Demand that meets a set of sites, trip by trip.
fn met(trees: &[Vec<Tree>], kind: SiteKind, set: &[usize]) -> i64 {
    let passes = |node: &TreeNode| match kind {
        SiteKind::Link => node.link != u32::MAX && set.contains(&(node.link as usize)),
        SiteKind::Junction => set.contains(&(node.junction as usize)),
    };
    let trip = |tree: &Tree, leaf: &Leaf| {
        let mut at = leaf.node as usize;
        loop {
            if passes(&tree.nodes[at]) {
                return leaf.demand;
            }
            let parent = tree.nodes[at].parent as usize;
            if parent == at {
                return 0;
            }
            at = parent;
        }
    };
    trees.iter().flatten().map(|t| t.leaves.iter().map(|l| trip(t, l)).sum::<i64>()).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn greedy_gains_fall_add_up_and_reach_their_bound((links, trees) in trees(), junctions in any::<bool>()) {
        let (kind, sites) = if junctions { (SiteKind::Junction, N) } else { (SiteKind::Link, links) };
        let trips = Trips::new(&trees, kind, sites);
        let chosen = greedy(&trips, &vec![true; sites], vec![false; sites], 3);
        prop_assert!(chosen.windows(2).all(|w| w[0].gain >= w[1].gain));
        let (mut taken, mut set, mut sum) = (vec![false; sites], Vec::new(), 0);
        for choice in &chosen {
            let unmet = trips.unmet(&taken);
            prop_assert_eq!(unmet[choice.site], choice.gain);
            prop_assert_eq!(unmet.iter().max(), Some(&choice.gain));
            taken[choice.site] = true;
            set.push(choice.site);
            sum += choice.gain;
            // Each trip once: what all sites together meet is the sum of the gains.
            prop_assert_eq!(trips.met(&taken).iter().sum::<i64>(), sum);
            prop_assert_eq!(met(&trees, kind, &set), sum);
        }
        let best = |count: usize| {
            let mut best = 0;
            for mask in 0_u32..1 << sites {
                if mask.count_ones() as usize == count {
                    let set: Vec<usize> = (0..sites).filter(|s| mask >> s & 1 == 1).collect();
                    best = best.max(met(&trees, kind, &set));
                }
            }
            best
        };
        prop_assert_eq!(chosen.first().map_or(0, |c| c.gain), best(1));
        for count in 2..=chosen.len() {
            let got: i64 = chosen[..count].iter().map(|c| c.gain).sum();
            prop_assert!(got as f64 >= (1.0 - (-1.0_f64).exp()) * best(count) as f64);
        }
    }
}

#[test]
fn candidates_and_taken_sites_are_kept_to() {
    let trees = vec![vec![tree(0, &[(&[(0, 1), (1, 2)], 0, 10), (&[(0, 1), (2, 3)], 1, 4)])]];
    let trips = Trips::new(&trees, SiteKind::Link, 4);
    assert_eq!(trips.unmet(&[false; 4]), [14, 10, 4, 0]);
    let sites = |candidates: [bool; 4], taken: [bool; 4]| -> Vec<usize> {
        greedy(&trips, &candidates, taken.into(), 4).iter().map(|c| c.site).collect()
    };
    assert_eq!(sites([true; 4], [false; 4]), [0], "what meets nothing more is not proposed");
    assert_eq!(sites([false, true, true, true], [false; 4]), [1, 2]);
    assert_eq!(sites([true; 4], [false, true, false, false]), [0]);
    assert_eq!(sites([true; 4], [true, false, false, false]), [0_usize; 0]);
}

fn post(id: &str, purpose: &str, operator: &str, place: (f64, f64)) -> Post {
    Post {
        id: id.into(),
        name: id.into(),
        row: 1,
        reference: String::new(),
        operator: operator.into(),
        purpose: purpose.into(),
        staffed_share: None,
        precision_km: None,
        at: at(place),
    }
}

#[test]
fn migration_control_never_counts_as_coverage() {
    let mut all = domain(vec![
        named("a", "R1", &[(0.0, 0.0), (10.0, 0.0)]),
        named("b", "R2", &[(10.0, 0.0), (20.0, 0.0)]),
        named("c", "R3", &[(10.0, 0.0), (10.0, 10.0)]),
    ]);
    all.posts = vec![
        post("m1", "Control migratorio", "SEGOB", (5.0, 0.1)),
        post("m2", "revisión", "INM", (15.0, 0.0)),
        post("p", "prevención", "FGE", (10.0, 5.0)),
        post("nowhere", "prevención", "FGE", (0.0, 40.0)),
    ];
    let built = built(&all);
    let network = &built.network;
    let link = |r: &str| network.links().find(|(_, l)| l.reference == r).unwrap().0;
    let placed: Vec<_> = built.posts.iter().map(|p| p.map(|p| p.link)).collect();
    assert_eq!(placed, [Some(link("R1")), Some(link("R2")), Some(link("R3")), None]);
    // Ten of a hundred end with R1, fifty go on along R2, forty along R3.
    #[expect(clippy::cast_possible_truncation, reason = "2^40 in an i64")]
    let unit = UNIT as i64;
    let [r1, r2, r3] = ["R1", "R2", "R3"].map(|r| link(r).0);
    let trees = vec![vec![tree(
        0,
        &[
            (&[(r1, 1)], 2, unit / 10),
            (&[(r1, 1), (r2, 2)], 0, unit / 2),
            (&[(r1, 1), (r3, 3)], 1, unit * 4 / 10),
        ],
    )]];
    let mut flows = flows_of(trees, vec![params(&[1], 0)], network.link_count());
    let mut study = study();
    study.planning.posts = 3;
    let closed = vec![false; network.link_count()];
    let planned = plan(&study, &all, network, &flows, &placed, &closed);
    let close = |a: f64, b: f64| (a - b).abs() < 1e-9;
    // Migration control is shown with what passes it, and covers nothing.
    for (i, met) in [(0, 1.0), (1, 0.5)] {
        assert!(
            !planned[i].counts_as_coverage && planned[i].gain.is_none() && planned[i].cumulative.is_none()
        );
        assert!(close(planned[i].flow_met[0], met));
        assert!(planned[i].flow_detected.is_none() && planned[i].distinct.is_none());
    }
    assert!(planned[3].flow_detected.is_none(), "on no road");
    assert!(planned[2].counts_as_coverage && close(planned[2].gain.unwrap(), 0.4));
    assert!(!planned[3].counts_as_coverage && planned[3].link.is_none());
    // The best new post stands where migration control does: it takes what is not covered.
    let proposed: Vec<_> = planned.iter().filter(|p| p.rank.is_some()).collect();
    assert_eq!(proposed.len(), 1);
    assert_eq!((proposed[0].rank, proposed[0].link), (Some(1), Some(link("R1"))));
    assert!(close(proposed[0].gain.unwrap(), 0.6) && close(proposed[0].cumulative.unwrap(), 1.0));
    assert!(close(proposed[0].flow_met[0], 1.0));
    // Met, staffed a third of the day, detected one time in ten.
    assert!(close(proposed[0].flow_detected.unwrap(), 0.1 / 3.0));
    // Six of ten that pass it are met by no post before.
    assert!(close(proposed[0].distinct.unwrap(), 0.6));
    // The flow of a link is that of all draws and perturbations, not of the one whose paths are kept.
    for draw in [0, 1] {
        let mut load: Vec<_> =
            (0..).zip(0..network.link_count()).map(|(l, i)| (l, flows.loads.at(0, i))).collect();
        load[r1 as usize].1.main = unit / 10 * (2 + 4 * draw);
        flows.loads.push(flows.loads.packed(load.into_iter()));
        flows.params.push(params(&[1], 0));
    }
    let first = plan(&study, &all, network, &flows, &placed, &closed);
    let first = first.iter().find(|p| p.rank == Some(1)).unwrap();
    assert!(close(first.flow_met[0], 0.6) && first.flow_met[1] < 0.3, "{first:?}");
    assert!(close(first.gain.unwrap(), 0.6) && close(first.distinct.unwrap(), 0.6));
    assert!(close(first.flow_detected.unwrap(), 0.6 * 0.1 / 3.0));
    // A closed road is no place for a post.
    let mut closed = closed;
    closed[link("R1").index()] = true;
    let planned = plan(&study, &all, network, &flows, &placed, &closed);
    assert_eq!(planned[4].link, Some(link("R2")));
}

#[test]
fn a_post_goes_to_its_own_road() {
    let mut all = domain(vec![
        named("a", "R1", &[(0.0, 0.0), (10.0, 0.0)]),
        named("b", "R2", &[(0.0, 0.2), (10.0, 0.2)]),
    ]);
    let mut p = post("p", "x", "y", (5.0, 0.01));
    p.reference = "R2".into();
    let mut q = p.clone();
    q.reference = "R9".into();
    all.posts = vec![p, q];
    let built = built(&all);
    let name = |i: usize| built.network.link(built.posts[i].unwrap().link).reference.as_str();
    assert_eq!((name(0), name(1)), ("R2", "R1"));
}

#[test]
fn a_trip_that_a_ban_leads_along_a_link_twice_is_met_once() {
    // From 0 to 1, on to 2, back to 1, and then to 3.
    let steps = [(0, u32::MAX, 0), (0, 0, 1), (1, 1, 2), (2, 1, 1), (3, 2, 3)];
    let nodes = steps.map(|(parent, link, junction)| TreeNode { parent, link, junction }).into();
    let leaves = vec![Leaf { node: 4, destination: 0, demand: 7 }];
    let returns = vec![Return { node: 3, junction: true, link: true }];
    let trees = vec![vec![Tree { nodes, leaves, returns }]];
    let none = [false; 4];
    assert_eq!(Trips::new(&trees, SiteKind::Link, 3).unmet(&none[..3]), [7, 7, 7]);
    assert_eq!(Trips::new(&trees, SiteKind::Junction, 4).unmet(&none), [7; 4]);
    assert_eq!(Trips::new(&trees, SiteKind::Link, 3).met(&[false, true, false]), [7]);
}
