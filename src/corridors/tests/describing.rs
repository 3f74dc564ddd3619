//! What is said of corridors beside each other: names, parallels, agreement of halves.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::extracting::{WORDS, alike};
use crate::corridors::agreement::{Agreement, between, of_halves};
use crate::corridors::draws::{CONTRIBUTIONS, Flows};
use crate::corridors::extract::{Chain, corridors};
use crate::corridors::naming::tell_apart;
use crate::corridors::object::{self, Corridor};
use crate::corridors::score::Summary;
use crate::ids::{JunctionId, LinkId};
use crate::model::domain::Direction::Both;
use crate::model::domain::{Domain, Road, Town};
use crate::network::builder::Built;
use crate::network::graph::Network;
use crate::network::tests::support::{built, domain, named, network, town};

/// The corridors of roads that are all members, each record with its load.
fn described(roads: &[(Road, i64)], towns: Vec<Town>) -> (Built, Vec<Corridor>) {
    let mut all = domain(roads.iter().map(|(road, _)| road.clone()).collect());
    all.towns = towns;
    let built = built(&all);
    let load = |record: &str| roads.iter().find(|(road, _)| road.id == record).map_or(0, |(_, load)| *load);
    let main: Vec<i64> =
        built.network.links().map(|(_, l)| l.records.iter().map(|r| load(r)).max().unwrap()).collect();
    let corridors = of_loads(&built, &all, &main);
    (built, corridors)
}

fn of_loads(built: &Built, all: &Domain, main: &[i64]) -> Vec<Corridor> {
    let flows = Flows {
        perturbations: 1,
        contributions: main.iter().map(|units| [*units, 0, 0, 0, 0, 0]).collect(),
        loads: alike(&[main.to_vec()]),
        ..Flows::default()
    };
    let shares: Vec<f64> = main.iter().map(|units| flows.share(*units)).collect();
    let chains = corridors(&built.network, &shares, &vec![1.0; shares.len()], 0.8, 5.0);
    object::corridors(&built.network, all, &flows, chains, WORDS).0
}

/// By the records of a corridor: those of the one to which it is parallel.
fn parallels(roads: &[(Road, i64)]) -> BTreeMap<String, String> {
    let (built, corridors) = described(roads, Vec::new());
    let records = |c: &Corridor| -> String {
        let links = c.chain.links.iter().flat_map(|l| built.network.link(*l).records.clone());
        let mut records: Vec<String> = links.map(|record| record.to_string()).collect();
        records.sort();
        records.join("+")
    };
    let of = |id: &String| records(corridors.iter().find(|c| c.id == *id).unwrap());
    corridors.iter().filter_map(|c| Some((records(c), of(c.parallel_to.as_ref()?)))).collect()
}

fn one(a: &str, b: &str) -> BTreeMap<String, String> {
    [(a.to_owned(), b.to_owned())].into()
}

#[test]
fn the_alternative_with_less_flow_names_the_other() {
    let free = named("free", "MEX-190", &[(0.0, 0.0), (20.0, 0.0)]);
    let toll = |line: &[(f64, f64)]| named("toll", "MEX-190D", line);
    let beside = toll(&[(0.0, 0.0), (10.0, 2.0), (20.0, 0.0)]);
    assert_eq!(parallels(&[(free.clone(), 50), (beside.clone(), 40)]), one("toll", "free"));
    assert_eq!(parallels(&[(free.clone(), 40), (beside, 50)]), one("free", "toll"));
    // Ramps: the ends are apart, as they are where roads do not share a junction.
    let apart = |km: f64| toll(&[(0.0, km), (20.0, km)]);
    assert_eq!(parallels(&[(free.clone(), 50), (apart(1.5), 40)]), one("toll", "free"));
    assert!(parallels(&[(free.clone(), 50), (apart(2.5), 40)]).is_empty());
    // More than 1.3 times as long is another way, and so is the next road of a chain.
    let round = toll(&[(0.0, 0.0), (10.0, 9.0), (20.0, 0.0)]);
    assert!(parallels(&[(free.clone(), 50), (round, 40)]).is_empty());
    let next = toll(&[(20.0, 0.0), (40.0, 0.0)]);
    assert!(parallels(&[(free.clone(), 50), (next, 40)]).is_empty());
    // Beside a part of a longer one, whichever has more flow.
    let side = named("side", "S", &[(20.0, 0.0), (20.0, -4.0)]);
    let on = named("on", "MEX-190", &[(20.0, 0.0), (45.0, 0.0)]);
    let part = toll(&[(0.0, 0.0), (10.0, 2.0), (20.0, 0.0)]);
    for (load, expected) in [(40, one("toll", "free+on")), (60, one("free+on", "toll"))] {
        let roads = [(free.clone(), 50), (on.clone(), 45), (part.clone(), load), (side.clone(), 0)];
        assert_eq!(parallels(&roads), expected);
    }
}

/// Two carriageways between two towns, with a village on the second.
fn carriageways() -> Vec<(Road, i64)> {
    vec![
        (named("up", "MEX-200", &[(0.0, 0.0), (20.0, 10.0)]), 50),
        (named("down1", "MEX-200", &[(0.0, 0.0), (9.0, 7.0)]), 40),
        (named("down2", "MEX-200", &[(9.0, 7.0), (20.0, 10.0)]), 40),
        (named("side", "S", &[(9.0, 7.0), (9.0, 12.0)]), 0),
    ]
}

fn towns() -> Vec<Town> {
    vec![
        town("Tonalá", Some(7097), (0.0, 0.0)),
        town("Arriaga", Some(7009), (20.0, 10.0)),
        town("Medio", None, (9.0, 7.0)),
    ]
}

fn names(corridors: &[Corridor]) -> Vec<&str> {
    corridors.iter().map(|c| c.name.as_str()).collect()
}

#[test]
fn carriageways_are_two_corridors_with_names_of_their_own() {
    let (_, found) = described(&carriageways(), towns());
    // No way out and back: each has two ends.
    assert_eq!(names(&found), ["MEX-200 Tonalá – Arriaga", "MEX-200 Tonalá – Arriaga por Medio"]);
    assert_eq!(found[1].parallel_to.as_ref(), Some(&found[0].id));
    assert_eq!(found[0].parallel_to, None);

    // Without a town of its own, each is told by its length.
    let (_, found) = described(&carriageways(), towns()[..2].to_vec());
    assert_eq!(names(&found), ["MEX-200 Tonalá – Arriaga (22 km)", "MEX-200 Tonalá – Arriaga (23 km)"]);
}

#[test]
fn names_are_told_apart_by_as_little_as_it_takes() {
    // Three roads between two places; links are as many km as minutes long.
    let told = |minutes: [f64; 3]| -> Vec<String> {
        let network = network(&[(0.0, 0.0), (20.0, 0.0)], &minutes.map(|m| (0, 1, m, Both)));
        let corridor = |link: u32| Corridor {
            id: format!("id{link}"),
            name: "R A – B".into(),
            ends: ["A".into(), "B".into()],
            chain: Chain {
                reference: "R".into(),
                links: vec![LinkId(link)],
                junctions: vec![JunctionId(0), JunctionId(1)],
                membership: 1.0,
            },
            summary: Summary::default(),
            rank: 0,
            ranks: None,
            contributions: [0.0; CONTRIBUTIONS],
            parallel_to: None,
        };
        let mut corridors: Vec<Corridor> = (0..3).map(corridor).collect();
        tell_apart(&network, &domain(Vec::new()), &mut corridors, "por");
        corridors.into_iter().map(|c| c.name).collect()
    };
    assert_eq!(told([20.0, 23.4, 31.0]), ["R A – B (20 km)", "R A – B (23 km)", "R A – B (31 km)"]);
    assert_eq!(told([20.0, 20.2, 31.0]), ["R A – B (20.0 km)", "R A – B (20.2 km)", "R A – B (31.0 km)"]);
    assert_eq!(told([20.0, 20.0, 31.0]), ["R A – B (id0)", "R A – B (id1)", "R A – B (id2)"]);
}

#[test]
fn parallel_links_are_no_continuation_of_each_other() {
    // A wide bulge beside a straight road between the same junctions: less than 1.3 times as long.
    let roads = [
        (named("straight", "R", &[(0.0, 0.0), (20.0, 0.0)]), 50),
        (named("bulge", "R", &[(0.0, 0.0), (3.0, 5.0), (17.0, 5.0), (20.0, 0.0)]), 45),
        (named("west", "S", &[(0.0, 0.0), (-4.0, 0.0)]), 0),
        (named("east", "S", &[(20.0, 0.0), (24.0, 0.0)]), 0),
    ];
    let (_, found) = described(&roads, Vec::new());
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|c| c.chain.links.len() == 1));
}

fn chain(network: &Network, records: &[&str]) -> Chain {
    let of = |record: &&str| network.links().find(|(_, l)| l.records[0] == *record).unwrap().0;
    Chain {
        reference: "R".into(),
        links: records.iter().map(of).collect(),
        junctions: Vec::new(),
        membership: 1.0,
    }
}

/// Four stretches of 15, 20, 30 and 35 km on one road.
fn stretches() -> Built {
    let at = [0.0, 15.0, 35.0, 65.0, 100.0];
    let road = |i: usize| named(&i.to_string(), "R", &[(at[i], 0.0), (at[i + 1], 0.0)]);
    let side = |x: f64| named("side", "S", &[(x, 0.0), (x, 4.0)]);
    built(&domain((0..4).map(road).chain(at[1..4].iter().map(|x| side(*x))).collect()))
}

#[test]
fn sets_of_corridors_agree_by_length_and_by_how_they_are_divided() {
    let built = stretches();
    let network = &built.network;
    let set = |groups: &[&[&str]]| -> Vec<Chain> { groups.iter().map(|g| chain(network, g)).collect() };
    let agree = |a: &[&[&str]], b: &[&[&str]]| between(network, [&set(a), &set(b)]);
    let same = agree(&[&["0", "1"], &["2", "3"]], &[&["2", "3"], &["0", "1"]]);
    assert_eq!(same, Agreement { corridors: [2, 2], jaccard: Some(1.0), adjusted_rand: Some(1.0) });
    // 30 of 100 km are in both.
    let part = agree(&[&["0", "1", "2"]], &[&["2", "3"]]);
    assert!((part.jaccard.unwrap() - 0.3).abs() < 1e-3, "{part:?}");
    assert_eq!(part.adjusted_rand, None, "one link says nothing of how they are divided");
    let divided = agree(&[&["0", "1"], &["2", "3"]], &[&["0", "2"], &["1", "3"]]);
    assert_eq!(divided.jaccard, Some(1.0));
    assert!((divided.adjusted_rand.unwrap() + 0.5).abs() < 1e-12);
    assert_eq!(agree(&[], &[]).jaccard, None);
    assert_eq!(agree(&[&["0"]], &[]).jaccard, Some(0.0));
}

#[test]
fn halves_are_the_even_and_the_odd_draws() {
    let built = stretches();
    let network = &built.network;
    let draw = |loads: [i64; 4]| -> Vec<i64> {
        let of = |record: &str| record.parse::<usize>().map_or(0, |at| loads[at]);
        network.links().map(|(_, l)| of(&l.records[0])).collect()
    };
    let agree = |draws: &[[i64; 4]]| {
        let main: Vec<Vec<i64>> = draws.iter().map(|d| draw(*d)).collect();
        let flows = Flows { perturbations: 1, loads: alike(&main), ..Flows::default() };
        of_halves(network, &flows, 0.8, 5.0)
    };
    // Even draws put the first stretch on top, odd ones the second.
    let (first, second) = ([90, 1, 1, 1], [1, 90, 1, 1]);
    let apart = agree(&[first, second, first, second]);
    assert_eq!((apart.corridors, apart.jaccard), ([1, 1], Some(0.0)));
    let alike = agree(&[first, first, second, second]);
    // Each half has both on top in half of the draws: no corridor at 0.8.
    assert_eq!((alike.corridors, alike.jaccard), ([0, 0], None));
    assert_eq!(agree(&[first; 5]).jaccard, Some(1.0));
    assert_eq!(agree(&[first]).jaccard, Some(0.0), "a single draw leaves one half empty");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_said_of_corridors_does_not_depend_on_the_order_of_the_roads(
        order in Just((0..4_usize).collect::<Vec<_>>()).prop_shuffle(),
        turned in prop::collection::vec(any::<bool>(), 4),
    ) {
        let said = |roads: &[(Road, i64)], towns: Vec<Town>| -> Vec<(String, String, Option<String>, Option<f64>)> {
            let (_, corridors) = described(roads, towns);
            corridors.into_iter().map(|c| (c.id, c.name, c.parallel_to, c.ranks.map(|r| r.p95))).collect()
        };
        let roads: Vec<(Road, i64)> = order
            .iter()
            .map(|&i| {
                let (mut road, load) = carriageways()[i].clone();
                if turned[i] {
                    road.line.0.reverse();
                }
                (road, load)
            })
            .collect();
        let mut other = towns();
        other.reverse();
        prop_assert_eq!(said(&roads, other), said(&carriageways(), towns()));
    }
}
