//! Stage 7: what may be released of the Programme's counts and their total.

#![expect(clippy::expect_used, reason = "a bench that cannot be set up has nothing to measure")]

mod common;

use std::hint::black_box;

use corredor::disclosure::cells::release;
use criterion::{Criterion, criterion_group, criterion_main};

fn disclosure(c: &mut Criterion) {
    let loaded = common::loaded(10);
    let data = common::data(&loaded);
    let (total, k) = (loaded.study.incidence.total, loaded.study.disclosure.k);
    c.bench_function("disclosure/release", |b| b.iter(|| release(black_box(&data), total, k)));
}

criterion_group!(benches, disclosure);
criterion_main!(benches);
