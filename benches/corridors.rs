//! Stage 5: one draw with its 8 perturbations on the demo's network: parameters, demand, cheapest paths, flows; and the rows
//! of a sensitivity analysis.

#![expect(clippy::expect_used, reason = "a bench that cannot be set up has nothing to measure")]

mod common;

use criterion::{Criterion, criterion_group, criterion_main};

fn corridors(c: &mut Criterion) {
    let routing = common::Routing::new(common::loaded(1));
    assert_eq!(routing.loaded.study.parameters.perturbations, 8);
    c.bench_function("corridors/one_draw", |b| b.iter(|| routing.flows()));
    // The rows of a base sample, some sharing their routes: divided by their number, the cost beside a draw.
    let n = 16;
    let rows = routing.sensitivity(n).rows;
    let mut group = c.benchmark_group("corridors/sensitivity");
    group.throughput(criterion::Throughput::Elements(rows.into()));
    group.bench_function("rows", |b| b.iter(|| routing.sensitivity(n)));
    group.finish();
}

criterion_group!(benches, corridors);
criterion_main!(benches);
