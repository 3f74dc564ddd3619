//! Stage 3: noding, joining and contraction of the demo's roads; the nearest link of each of its towns.

#![expect(clippy::expect_used, reason = "a bench that cannot be set up has nothing to measure")]

mod common;

use corredor::network::builder::build;
use corredor::network::spatial::LinkIndex;
use criterion::{Criterion, criterion_group, criterion_main};

fn network(c: &mut Criterion) {
    let loaded = common::loaded(10);
    let (domain, options) = (&loaded.domain, common::options(&loaded.study));
    c.bench_function("network/build", |b| b.iter(|| build(domain, options)));

    let index = LinkIndex::new(&loaded.built.network, &domain.frame, |_| true);
    let towns: Vec<_> = domain.towns.iter().map(|t| domain.frame.to_plane(t.at)).collect();
    c.bench_function("network/snap_towns", |b| {
        b.iter(|| towns.iter().filter_map(|at| index.nearest(*at)).count());
    });
}

criterion_group!(benches, network);
criterion_main!(benches);
