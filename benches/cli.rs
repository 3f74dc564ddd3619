//! Stage 9: the study file, from text to a checked study.

#![expect(clippy::expect_used, reason = "a bench that cannot be set up has nothing to measure")]

mod common;

use std::hint::black_box;

use corredor::cli::config::parse;
use criterion::{Criterion, criterion_group, criterion_main};

fn cli(c: &mut Criterion) {
    let dir = common::folder();
    let text = std::fs::read_to_string(dir.path().join("study.toml")).expect("the study file");
    c.bench_function("cli/parse_study", |b| {
        b.iter(|| parse(black_box(&text), "study.toml").expect("a valid study"));
    });
}

criterion_group!(benches, cli);
criterion_main!(benches);
