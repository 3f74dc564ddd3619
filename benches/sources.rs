//! Stage 1: the embedded roads (`GeoJSON`, through GDAL) and workplaces (CSV), read whole and checked.

#![expect(clippy::expect_used, reason = "a bench that cannot be set up has nothing to measure")]

mod common;

use criterion::{Criterion, criterion_group, criterion_main};

fn sources(c: &mut Criterion) {
    let dir = common::folder();
    let study = common::study_file(dir.path()).study;
    let mut group = c.benchmark_group("sources");
    for (name, spec) in study.sources.given().into_iter().filter(|(n, _)| ["roads", "worksites"].contains(n))
    {
        group.bench_function(name, |b| b.iter(|| common::read(dir.path(), name, spec)));
    }
    group.finish();
}

criterion_group!(benches, sources);
criterion_main!(benches);
