//! Stage 2: the domain from raw tables, with every check.

#![expect(clippy::expect_used, reason = "a bench that cannot be set up has nothing to measure")]

mod common;

use corredor::error::Faults;
use corredor::model::build::build;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

fn model(c: &mut Criterion) {
    let dir = common::folder();
    let study = common::study_file(dir.path()).study;
    let tables = common::tables(dir.path(), &study);
    c.bench_function("model/build", |b| {
        let run = |tables| build(&study, tables, "study.toml", &mut Faults::default()).expect("a domain");
        b.iter_batched(|| tables.clone(), run, BatchSize::LargeInput);
    });
}

criterion_group!(benches, model);
criterion_main!(benches);
