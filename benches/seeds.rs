//! How far the first ten corridors of the embedded study hang on the seed: 8 seeds of 1,000 draws each, all pairs beside
//! each other. No time is measured.
//!
//! Two corridors are the same by their id, which every link has a part in; and as `compare` matches them, where the links
//! of both have at least half of their length in common.

#![expect(clippy::expect_used, reason = "a bench that cannot be set up has nothing to measure")]
#![expect(clippy::print_stdout, reason = "what it measures is printed")]

mod common;

use std::collections::BTreeMap;

use corredor::corridors::extract::{self, Chain};
use corredor::corridors::object::{self, Words};
use corredor::corridors::score::summarise;
use corredor::ids::LinkId;

const SEEDS: std::ops::RangeInclusive<u64> = 1..=8;
const DRAWS: u32 = 1_000;

struct Found {
    id: String,
    name: String,
    membership: f64,
    links: BTreeMap<LinkId, f64>,
}

fn first_ten(seed: u64) -> Vec<Found> {
    let mut loaded = common::loaded(DRAWS);
    loaded.study.seed = seed;
    let routing = common::Routing::new(loaded);
    let flows = routing.flows();
    let network = &routing.loaded.built.network;
    let parameters = &routing.loaded.study.parameters;
    let (links, _) = summarise(&flows);
    let means: Vec<f64> = links.iter().map(|s| s.mean).collect();
    let membership = extract::membership(network, &flows, 0..flows.draws());
    let chains =
        extract::corridors(network, &means, &membership, parameters.membership, parameters.corridor_min_km);
    let words = Words { unnamed: "–", via: "por" };
    let (corridors, _) = object::corridors(network, &routing.loaded.domain, &flows, chains, words);
    let lengths = |chain: &Chain| chain.links.iter().map(|l| (*l, network.link(*l).length.km())).collect();
    corridors
        .into_iter()
        .take(10)
        .map(|c| Found { links: lengths(&c.chain), membership: c.chain.membership, id: c.id, name: c.name })
        .collect()
}

fn jaccard(a: &Found, b: &Found) -> f64 {
    let both: f64 = a.links.iter().filter(|(id, _)| b.links.contains_key(id)).map(|(_, km)| km).sum();
    both / (a.links.values().sum::<f64>() + b.links.values().sum::<f64>() - both)
}

fn main() {
    let runs: Vec<(u64, Vec<Found>)> = SEEDS.map(|seed| (seed, first_ten(seed))).collect();
    for (seed, run) in &runs {
        println!("seed {seed}");
        for (rank, c) in run.iter().enumerate() {
            let km: f64 = c.links.values().sum();
            println!("  {:>2}. {} {} ({km:.1} km, membership {:.3})", rank + 1, c.id, c.name, c.membership);
        }
    }
    let mut shares: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
    for (i, (_, a)) in runs.iter().enumerate() {
        for (_, b) in &runs[i + 1..] {
            let most = a.len().max(b.len()).max(1) as f64;
            let by_id = a.iter().filter(|c| b.iter().any(|d| c.id == d.id)).count();
            let by_length = a.iter().filter(|c| b.iter().any(|d| jaccard(c, d) >= 0.5)).count();
            shares[0].push(by_id as f64 / most);
            shares[1].push(by_length as f64 / most);
        }
    }
    for (how, shares) in ["by id", "by length (Jaccard 0.5)"].into_iter().zip(&shares) {
        let mean = shares.iter().sum::<f64>() / shares.len() as f64;
        let least = shares.iter().copied().reduce(f64::min).expect("several seeds");
        println!("{how}: mean {:.1} %, least {:.1} %, {} pairs", 100.0 * mean, 100.0 * least, shares.len());
    }
}
