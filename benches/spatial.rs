//! Hot spots: contiguity of a map of many areas, and Gi* over draws by conditional permutation. Beside `esda`: `peers`.

#![expect(clippy::expect_used, reason = "a bench that cannot be set up has nothing to measure")]

use std::hint::black_box;

use corredor::incidence::spatial::{HotOptions, Inference, SpatialWeights, getis_ord, hot_probability};
use criterion::{Criterion, criterion_group, criterion_main};
use geo::{Coord, LineString, MultiPolygon, Polygon};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// Squares on a side: 2,500 areas, as many as Mexico has municipalities.
const SIDE: usize = 50;

/// The lattice as polygons whose edges have this many pieces.
fn map(pieces: usize) -> Vec<MultiPolygon> {
    let at = |x: f64, y: f64| Coord { x, y };
    let square = |site: usize| {
        let (x, y) = ((site % SIDE) as f64, (site / SIDE) as f64);
        let step = |i: usize| i as f64 / pieces as f64;
        let mut ring: Vec<Coord> = Vec::with_capacity(4 * pieces + 1);
        ring.extend((0..pieces).map(|i| at(x + step(i), y)));
        ring.extend((0..pieces).map(|i| at(x + 1.0, y + step(i))));
        ring.extend((0..pieces).map(|i| at(x + 1.0 - step(i), y + 1.0)));
        ring.extend((0..pieces).map(|i| at(x, y + 1.0 - step(i))));
        ring.push(at(x, y));
        MultiPolygon(vec![Polygon::new(LineString(ring), vec![])])
    };
    (0..SIDE * SIDE).map(square).collect()
}

fn draws(count: usize) -> Vec<Vec<f64>> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    (0..count).map(|_| (0..SIDE * SIDE).map(|_| -rng.random::<f64>().ln()).collect()).collect()
}

fn spatial(c: &mut Criterion) {
    let areas = map(100);
    let given: Vec<Option<&MultiPolygon>> = areas.iter().map(Some).collect();
    c.bench_function("spatial/queen_2500_areas_1m_vertices", |b| {
        b.iter(|| SpatialWeights::queen(&given, 0.0).expect("a map").n_nonzero());
    });
    c.bench_function("spatial/rook_2500_areas_1m_vertices", |b| {
        b.iter(|| SpatialWeights::rook(&given, 0.0).expect("a map").n_nonzero());
    });
    let weights = SpatialWeights::queen(&given, 0.0).expect("a map");
    let values = draws(1_000);
    c.bench_function("spatial/gi_star_2500_areas", |b| {
        b.iter(|| getis_ord(&values[0], &weights, true).expect("values that vary").z.len());
    });
    let tested = vec![true; SIDE * SIDE];
    let mut group = c.benchmark_group("spatial/hot_1000_draws");
    group.sample_size(10);
    for (name, inference) in [
        ("analytic", Inference::Analytic),
        ("999_permutations", Inference::Permutation { permutations: 999, seed: 1 }),
        ("9999_permutations", Inference::Permutation { permutations: 9_999, seed: 1 }),
    ] {
        let options = HotOptions { inference, ..HotOptions::default() };
        group.bench_function(name, |b| {
            b.iter(|| black_box(hot_probability(&values, &weights, &tested, &options).expect("draws")));
        });
    }
    group.finish();
}

criterion_group!(benches, spatial);
criterion_main!(benches);
