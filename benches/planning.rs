//! Stage 6: ten posts by greedy interception, and the order of the demo's workplaces, over the trees of 100 draws.

#![expect(clippy::expect_used, reason = "a bench that cannot be set up has nothing to measure")]

mod common;

use corredor::planning::intercept::{SiteKind, Trips, greedy};
use corredor::planning::worksites::rank;
use criterion::{Criterion, criterion_group, criterion_main};

fn planning(c: &mut Criterion) {
    let routing = common::Routing::new(common::loaded(100));
    let flows = routing.flows();
    let (study, domain) = (&routing.loaded.study, &routing.loaded.domain);
    let network = &routing.loaded.built.network;
    let sites = network.link_count();
    let candidates: Vec<bool> = network.links().map(|(_, link)| link.is_home_road()).collect();

    let mut group = c.benchmark_group("planning");
    group.sample_size(10);
    group.bench_function("10_posts", |b| {
        let trips = Trips::new(&flows.trees, SiteKind::Link, sites);
        b.iter(|| greedy(&trips, &candidates, vec![false; sites], 10));
    });
    group.bench_function("worksites", |b| {
        b.iter(|| rank(study, domain, network, &routing.places, &flows));
    });
    group.finish();
}

criterion_group!(benches, planning);
criterion_main!(benches);
