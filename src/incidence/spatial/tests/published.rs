//! Published values, and the formulae written out over all pairs.

use std::path::Path;

use super::*;

/// The numbers of `tests/spatial/`: one row per area, named columns.
fn column(file: &str, name: &str) -> Vec<f64> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/spatial").join(file);
    let mut reader = csv::Reader::from_path(path).unwrap();
    let at = reader.headers().unwrap().iter().position(|header| header == name).unwrap();
    reader.records().map(|record| record.unwrap()[at].parse().unwrap()).collect()
}

/// The contiguity of the same folder: neighbours by their numbers from 1.
fn contiguity(file: &str) -> SpatialWeights {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/spatial").join(file);
    let mut reader = csv::Reader::from_path(path).unwrap();
    let rows: Vec<Vec<usize>> = reader
        .records()
        .map(|record| record.unwrap()[1].split(' ').map(|id| id.parse::<usize>().unwrap() - 1).collect())
        .collect();
    SpatialWeights::from_neighbours(&rows).unwrap()
}

#[test]
fn columbus_is_as_published() {
    let weights = contiguity("columbus_links.csv");
    let crime = column("columbus.csv", "CRIME");
    assert_eq!((weights.len(), weights.is_symmetric()), (49, true));
    let row = weights.row_standardised();
    let found = moran(&crime, &row).unwrap();
    close(found.value, 0.500_188_557_182_861_1);
    close(found.z_random, 5.589_382_675_044_51);
    close(geary(&crime, &row).unwrap().value, 0.540_528_202_702_068_4);
    let star = getis_ord(&crime, &weights, true).unwrap();
    for (z, expected) in star.z.iter().zip([-1.432_779_654, -1.340_008_097_5, -0.771_998_681]) {
        close(z.unwrap(), expected);
    }
    // The z of Ord & Getis does not change when rows are multiplied by numbers.
    let standardised = getis_ord(&crime, &row, true).unwrap();
    for (a, b) in star.z.iter().zip(&standardised.z) {
        close(a.unwrap(), b.unwrap());
    }
}

#[test]
fn north_carolina_is_as_published() {
    let weights = contiguity("sids2_links.csv").row_standardised();
    let (events, births) = (column("sids2.csv", "SID79"), column("sids2.csv", "BIR79"));
    let found = moran_rates(&events, &births, &weights).unwrap();
    close(found.value, 0.166_223_435_525_674_03);
    // esda gives 0.0041915 (its documentation, 0.0042), under normality and one-sided.
    assert!((found.p_normal / 2.0 - 0.004_191_5).abs() < 5e-8, "{}", found.p_normal);
}

#[test]
fn rates_are_as_in_the_documentation_of_esda() {
    let events = [30.0, 25.0, 25.0, 15.0, 33.0, 21.0, 30.0, 20.0];
    let population = [100.0, 100.0, 110.0, 90.0, 100.0, 90.0, 110.0, 90.0];
    let found = eb_standardised(&events, &population).unwrap();
    for (z, expected) in found.iter().zip([1.038_435_94, -0.040_990_89, -0.562_503_75, -1.730_618_61]) {
        assert!((z - expected).abs() < 5e-9, "{z} {expected}");
    }
    // The smoothed rates lie between the crude ones and the mean.
    let smoothed = eb_smoothed(&events, &population).unwrap();
    let mean = 199.0 / 790.0;
    for ((e, n), rate) in events.iter().zip(&population).zip(smoothed) {
        let crude = e / n;
        assert!(rate >= f64::min(crude, mean) - 1e-15 && rate <= f64::max(crude, mean) + 1e-15);
    }
    assert!(matches!(eb_standardised(&[1.0, 2.0], &[10.0, 0.0]), Err(SpatialError::Rate { site: 1, .. })));
    assert_eq!(eb_standardised(&[0.0, 0.0], &[10.0, 5.0]), Err(SpatialError::Constant));
    // A negative variance gives way to that of the rate alone.
    let even = eb_standardised(&[1.0, 1.0, 2.0], &[10.0, 10.0, 20.0]).unwrap();
    assert_eq!(even, [0.0; 3]);
}

#[test]
fn the_example_of_esda_for_gi_gives_its_values() {
    let points = [(10.0, 10.0), (20.0, 10.0), (40.0, 10.0), (15.0, 20.0), (30.0, 20.0), (30.0, 30.0)]
        .map(|(x, y)| geo::Coord { x, y });
    let weights = SpatialWeights::distance_band(&points, 15.0, Metric::Plane).unwrap();
    let values = [2.0, 3.0, 3.2, 5.0, 8.0, 7.0];
    let gi = [-1.013_672_9, -0.043_615_89, 1.315_587_03, -0.314_126_76, 1.153_739_86, 1.778_339_41];
    let star = [-1.397_276_26, -0.289_177_62, 0.650_649_64, -0.289_177_62, 1.234_520_88, 2.024_243_31];
    for (with, expected) in [(false, gi), (true, star)] {
        let found = getis_ord(&values, &weights, with).unwrap();
        for (z, expected) in found.z.iter().zip(expected) {
            assert!((z.unwrap() - expected).abs() < 5e-9);
        }
    }
}

/// All formulae over the dense matrix of weights, as the papers write them.
#[test]
fn compressed_rows_give_what_the_dense_formulae_give() {
    for seed in 0..20 {
        let mut rng = rng(seed);
        let n = 5 + pick(&mut rng, 12);
        let weights = random_weights(n, &mut rng);
        if weights.n_nonzero() == 0 {
            continue;
        }
        let weights = if seed % 2 == 0 { weights.row_standardised() } else { weights };
        let x: Vec<f64> = (0..n).map(|_| 1_000.0 + 10.0 * unit(&mut rng)).collect();
        let w = |i: usize, j: usize| weights.weight(i, j);
        let pairs = || (0..n).flat_map(|i| (0..n).map(move |j| (i, j)));
        let s0: f64 = pairs().map(|(i, j)| w(i, j)).sum();
        let s1: f64 = pairs().map(|(i, j)| (w(i, j) + w(j, i)).powi(2)).sum::<f64>() / 2.0;
        let s2: f64 = (0..n).map(|i| (0..n).map(|j| w(i, j) + w(j, i)).sum::<f64>().powi(2)).sum();
        for (a, b) in weights.sums().into_iter().zip([s0, s1, s2]) {
            close(a, b);
        }
        let mean = x.iter().sum::<f64>() / n as f64;
        let z: Vec<f64> = x.iter().map(|x| x - mean).collect();
        let squares: f64 = z.iter().map(|z| z * z).sum();
        let cross: f64 = pairs().map(|(i, j)| w(i, j) * z[i] * z[j]).sum();
        close(moran(&x, &weights).unwrap().value, n as f64 / s0 * cross / squares);
        let differences: f64 = pairs().map(|(i, j)| w(i, j) * (x[i] - x[j]).powi(2)).sum();
        close(geary(&x, &weights).unwrap().value, (n as f64 - 1.0) * differences / (2.0 * s0 * squares));
        let local = local_moran(&x, &weights).unwrap();
        // Local values add up to the global one.
        let sum: f64 = local.value.iter().sum();
        close(sum, (n as f64 - 1.0) * cross / squares);
        for star in [false, true] {
            let used = if star { weights.with_self() } else { weights.clone() };
            let found = getis_ord(&x, &weights, star).unwrap();
            for i in 0..n {
                let others: Vec<usize> = (0..n).filter(|j| star || *j != i).collect();
                let m = others.len() as f64;
                let mean = others.iter().map(|j| x[*j]).sum::<f64>() / m;
                let s = (others.iter().map(|j| (x[*j] - mean).powi(2)).sum::<f64>() / m).sqrt();
                let sum: f64 = others.iter().map(|j| used.weight(i, *j) * x[*j]).sum();
                let w1: f64 = others.iter().map(|j| used.weight(i, *j)).sum();
                let w2: f64 = others.iter().map(|j| used.weight(i, *j).powi(2)).sum();
                let spread = (m * w2 - w1 * w1) / (m - 1.0);
                match found.z[i] {
                    Some(z) => assert!((z - (sum - w1 * mean) / (s * spread.sqrt())).abs() < 1e-7),
                    None => assert!(spread < 1e-9, "{spread}"),
                }
            }
        }
    }
}

/// The moments under randomisation are those over all orders of the values.
#[test]
fn moments_are_those_of_all_orders() {
    let weights =
        SpatialWeights::from_neighbours(&[vec![1, 2], vec![0], vec![0, 3], vec![2, 4], vec![1], vec![]]);
    let weights = weights.unwrap();
    let x = [1.0, 4.0, 2.0, 9.0, 3.0, 3.5];
    let mut orders = vec![vec![]];
    for value in 0..x.len() {
        orders = orders
            .into_iter()
            .flat_map(|order: Vec<usize>| {
                (0..=order.len()).map(move |at| {
                    let mut order = order.clone();
                    order.insert(at, value);
                    order
                })
            })
            .collect();
    }
    assert_eq!(orders.len(), 720);
    for statistic in [moran, geary] {
        let all: Vec<f64> = orders
            .iter()
            .map(|order| statistic(&order.iter().map(|i| x[*i]).collect::<Vec<_>>(), &weights).unwrap().value)
            .collect();
        let mean = all.iter().sum::<f64>() / 720.0;
        let variance = all.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 720.0;
        let found = statistic(&x, &weights).unwrap();
        close(found.expected, mean);
        close(found.variance_random, variance);
    }
    // Local Moran: over all orders that leave the first value where it is. esda's scale of the values has n − 1.
    let kept: Vec<f64> = orders
        .iter()
        .filter(|order| order[0] == 0)
        .map(|order| {
            local_moran(&order.iter().map(|i| x[*i]).collect::<Vec<_>>(), &weights).unwrap().value[0]
        })
        .collect();
    let mean = kept.iter().sum::<f64>() / 120.0;
    let variance = kept.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 120.0;
    let found = local_moran(&x, &weights).unwrap();
    let scale = 5.0 / 6.0;
    close(found.expected[0] * scale, mean);
    close(found.variance[0] * scale * scale, variance);
}

#[test]
fn what_cannot_be_computed_is_an_error_and_no_number() {
    let weights = lattice(3, 2);
    let nan = [1.0, 2.0, f64::NAN, 4.0, 5.0, 6.0];
    assert!(matches!(moran(&nan, &weights), Err(SpatialError::Value { site: 2, .. })));
    assert_eq!(moran(&[0.1; 6], &weights), Err(SpatialError::Constant));
    assert_eq!(moran(&[1.0; 5], &weights), Err(SpatialError::ShapeMismatch { expected: 6, found: 5 }));
    let empty = SpatialWeights::from_neighbours(&vec![Vec::<usize>::new(); 6]).unwrap();
    let x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    assert_eq!(geary(&x, &empty), Err(SpatialError::NoLinks));
    assert_eq!(
        moran(&x, &weights.with_self()),
        Err(SpatialError::SelfWeights { found: true, needed: false })
    );
    assert!(getis_ord(&x, &empty, false).unwrap().z.iter().all(Option::is_none));
    // An island has itself in Gi*.
    assert!(getis_ord(&x, &empty, true).unwrap().z.iter().all(Option::is_some));
    assert!(getis_ord(&[7.5; 6], &weights, true).unwrap().z.iter().all(Option::is_none));
    // Everyone is everyone's neighbour: nothing can vary.
    let all: Vec<Vec<usize>> = (0..6).map(|i| (0..6).filter(|j| *j != i).collect()).collect();
    let all = SpatialWeights::from_neighbours(&all).unwrap();
    assert!(getis_ord(&x, &all, true).unwrap().z.iter().all(Option::is_none));
    assert!(getis_ord(&x, &all, false).unwrap().z.iter().all(Option::is_none));
}
