//! Stage 8: the demo's whole restricted result, from layers in memory to a sealed folder.

#![expect(clippy::expect_used, reason = "a bench that cannot be set up has nothing to measure")]

mod common;

use std::sync::atomic::AtomicBool;

use corredor::cli::args::RoutingArgs;
use corredor::cli::engine;
use corredor::disclosure::Tier;
use corredor::layers::feature::Lang;
use corredor::layers::write::write_result;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

fn layers(c: &mut Criterion) {
    // The size of what is written does not depend on the number of draws.
    let loaded = common::loaded(10);
    let (steps, stop) = (engine::wanted(&[]), AtomicBool::new(false));
    let outcome = engine::analyse(
        &loaded,
        Tier::Restricted,
        Lang::Es,
        &steps,
        RoutingArgs::default(),
        &stop,
        common::silent(),
    )
    .expect("a result");
    let mut group = c.benchmark_group("layers");
    group.sample_size(10);
    group.bench_function("write_restricted", |b| {
        b.iter_batched(
            || tempfile::tempdir().expect("a temporary folder"),
            |dir| {
                write_result(dir.path(), &outcome.set).expect("a written result");
                dir
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, layers);
criterion_main!(benches);
