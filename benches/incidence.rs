//! Stage 4: the filter of 124 municipalities with a total of 645, and 1,000 joint draws from it.

#![expect(clippy::expect_used, reason = "a bench that cannot be set up has nothing to measure")]

mod common;

use corredor::incidence::CountModel;
use criterion::{Criterion, criterion_group, criterion_main};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

fn incidence(c: &mut Criterion) {
    let loaded = common::loaded(10);
    let (cells, options) = (common::cells(&loaded), common::count_options(&loaded.study));
    let total = loaded.study.incidence.total;
    assert_eq!((cells.len(), total), (124, Some(645)));
    c.bench_function("incidence/prepare", |b| {
        b.iter(|| CountModel::prepare(&cells, total, &options).expect("counts that can hold"));
    });
    let model = common::counts(&loaded);
    c.bench_function("incidence/1000_draws", |b| {
        b.iter(|| {
            let mut rng = ChaCha8Rng::seed_from_u64(1);
            (0..1_000).map(|_| model.draw(&mut rng).unlocated).sum::<u32>()
        });
    });
}

criterion_group!(benches, incidence);
criterion_main!(benches);
