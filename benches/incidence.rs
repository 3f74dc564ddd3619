//! Stage 4: 124 municipalities with a total of 645, and 2,500 with bounded cells and a total of 5,000: the filter at given
//! hyperparameters, the posterior of the hyperparameters, and 1,000 joint draws from each.

#![expect(clippy::expect_used, reason = "a bench that cannot be set up has nothing to measure")]

mod common;

use corredor::cli::engine;
use corredor::incidence::{CountCell, CountModel, CountOptions, RateModel, Unlocated};
use corredor::model::incidence::CountDatum;
use criterion::{Criterion, criterion_group, criterion_main};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// 2,500 municipalities of unequal size with cases in proportion: a tenth exact, the others in bands of fifteen.
fn national() -> (Vec<CountCell>, u32) {
    let total = 5_000;
    let population = |i: u32| 3_000.0 * f64::from(1 + i % 97).powf(1.2);
    let people: f64 = (0..2_500).map(population).sum();
    let cell = |i: u32| {
        let expected = f64::from(total) * population(i) / people;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few cases")]
        let near = expected as u32;
        let datum = if i.is_multiple_of(10) {
            CountDatum::Exact(near)
        } else {
            CountDatum::Interval { min: near / 15 * 15, max: near / 15 * 15 + 14 }
        };
        CountCell { exposure: population(i) * 12.0, datum }
    };
    ((0..2_500).map(cell).collect(), total)
}

fn incidence(c: &mut Criterion) {
    let loaded = common::loaded(10);
    let state = (common::cells(&loaded), loaded.study.incidence.total.unwrap_or(0));
    assert_eq!((state.0.len(), state.1), (124, 645));
    let posterior = engine::count_options(&loaded.study);
    let given = RateModel::Gamma { alpha: 1.0, beta: 1.5e5 };
    let given = CountOptions { rates: given, unlocated: Unlocated::Fixed(0.05), ..posterior };
    let mut group = c.benchmark_group("incidence");
    for (size, (cells, total)) in [("124", state), ("2500", national())] {
        if size == "2500" {
            group.sample_size(10);
        }
        for (name, options) in [("given", given), ("posterior", posterior)] {
            group.bench_function(format!("{size}_prepare_{name}"), |b| {
                b.iter(|| CountModel::prepare(&cells, Some(total), &options).expect("counts that can hold"));
            });
            let model = CountModel::prepare(&cells, Some(total), &options).expect("counts that can hold");
            group.bench_function(format!("{size}_1000_draws_{name}"), |b| {
                b.iter(|| {
                    let mut rng = ChaCha8Rng::seed_from_u64(1);
                    (0..1_000).map(|_| model.draw(&mut rng).unlocated).sum::<u32>()
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, incidence);
criterion_main!(benches);
