//! Conditional permutation: against samples made one by one, against all samples, ties, threads.

use super::*;

/// The counts as the definition has them: each site's own sample from each sequence.
fn one_by_one(values: &[f64], weights: &SpatialWeights, permutations: &Permutations) -> Vec<(u32, u32)> {
    (0..weights.len())
        .map(|site| {
            let (row, of) = weights.row(site);
            let used: Vec<(usize, f64)> =
                row.iter().map(|o| *o as usize).zip(of.iter().copied()).filter(|(o, _)| *o != site).collect();
            let observed: f64 = used.iter().map(|(other, w)| w * values[*other]).sum();
            let (mut at_least, mut at_most) = (0, 0);
            for list in permutations.lists.chunks(permutations.length) {
                let sites = list.iter().map(|s| *s as usize).filter(|s| *s != site);
                let sum: f64 = used.iter().zip(sites).map(|((_, w), other)| w * values[other]).sum();
                at_least += u32::from(sum >= observed - 1e-9);
                at_most += u32::from(sum <= observed + 1e-9);
            }
            (at_least, at_most)
        })
        .collect()
}

#[test]
fn prefix_sums_give_what_each_sites_own_sample_gives() {
    for seed in 0..30 {
        let mut rng = rng(seed);
        let n = 4 + pick(&mut rng, 40);
        let weights = match seed % 4 {
            0 => lattice(4 + pick(&mut rng, 5), 3),
            1 => random_weights(n, &mut rng).row_standardised(),
            2 => random_weights(n, &mut rng),
            _ => {
                let sparse = random_weights(n, &mut rng);
                let rows: Vec<Vec<usize>> =
                    (0..n).map(|i| sparse.row(i).0.iter().map(|j| *j as usize).collect()).collect();
                SpatialWeights::from_neighbours(&rows).unwrap().with_self()
            }
        };
        // Counts with many ties, tenths, and real numbers.
        let values: Vec<f64> = (0..weights.len())
            .map(|_| match seed % 3 {
                0 => pick(&mut rng, 4) as f64,
                1 => pick(&mut rng, 30) as f64 / 10.0,
                _ => unit(&mut rng) - 0.3,
            })
            .collect();
        let permutations = Permutations::new(&weights, 199, seed).unwrap();
        let found = permutations.p_values(&values, &weights).unwrap();
        let expected = one_by_one(&values, &weights, &permutations);
        let found: Vec<(u32, u32)> = found.iter().map(|p| (p.at_least, p.at_most)).collect();
        assert_eq!(found, expected, "seed {seed}");
    }
}

#[test]
fn monte_carlo_agrees_with_all_samples() {
    // Site 0 has two neighbours among seven others: 21 samples, each equally likely.
    let mut rows = vec![vec![1, 2]];
    rows.extend((1..8).map(|i| vec![i - 1]));
    let weights = SpatialWeights::from_neighbours(&rows).unwrap();
    let values = [5.0, 3.0, 2.0, 0.0, 1.0, 2.0, 3.0, 0.0];
    let mut above = 0;
    for i in 1..8 {
        for j in i + 1..8 {
            above += u32::from(values[i] + values[j] >= 5.0);
        }
    }
    let exact = f64::from(above) / 21.0;
    let count = 100_000;
    let p = Permutations::new(&weights, count, 3).unwrap().p_values(&values, &weights).unwrap()[0];
    let error = (exact * (1.0 - exact) / count as f64).sqrt();
    assert!((f64::from(p.at_least) / count as f64 - exact).abs() < 4.0 * error, "{} {exact}", p.at_least);
    // Every site takes the place of a neighbour equally often.
    let permutations = Permutations::new(&weights, count, 3).unwrap();
    let mut seen = [0_u32; 8];
    for list in permutations.lists.chunks(permutations.length) {
        list.iter().filter(|s| **s != 0).take(2).for_each(|s| seen[*s as usize] += 1);
    }
    let expected = 2.0 * count as f64 / 7.0;
    assert!(seen[1..].iter().all(|s| (f64::from(*s) - expected).abs() < 5.0 * expected.sqrt()), "{seen:?}");
}

#[test]
fn sums_that_differ_in_their_last_bits_only_are_equal() {
    // 0.1 + 0.2 is not 0.3 + 0.0 for a computer.
    let weights = SpatialWeights::from_neighbours(&[vec![1, 2], vec![0], vec![0], vec![0], vec![0]]).unwrap();
    let values = [1.0_f64, 0.1, 0.2, 0.3, 0.0];
    let permutations = Permutations::new(&weights, 4_000, 1).unwrap();
    let thousandfold: Vec<f64> = values.iter().map(|v| (v * 1_000.0).round()).collect();
    let a = permutations.p_values(&values, &weights).unwrap();
    let b = permutations.p_values(&thousandfold, &weights).unwrap();
    assert_eq!(a, b);
    // Pairs: .1+.2 .1+.3 .1 .2+.3 .2 .3 → four of six are at least .3, four at most.
    for count in [a[0].at_least, a[0].at_most] {
        assert!((f64::from(count) / 4_000.0 - 4.0 / 6.0).abs() < 0.04, "{count}");
    }
    // Very large, very small and mixed values do not overflow.
    for scale in [1e300, 1e-300, 5e-324, 1.0] {
        let values: Vec<f64> = thousandfold.iter().map(|v| v / 1_000.0 * scale).collect();
        permutations.p_values(&values, &weights).unwrap();
    }
    assert_eq!(permutations.p_values(&[0.0; 5], &weights).unwrap()[0].greater(), 1.0);
}

#[test]
fn threads_do_not_matter() {
    let weights = lattice(12, 10);
    let mut rng = rng(5);
    let draws: Vec<Vec<f64>> =
        (0..37).map(|_| (0..120).map(|_| pick(&mut rng, 9) as f64).collect()).collect();
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let permutations = Permutations::new(&weights, 299, 8).unwrap();
            let p = permutations.p_values(&draws[0], &weights).unwrap();
            let global = global_permutation(Global::Moran, &draws[0], &weights, 299, 8).unwrap();
            let options = HotOptions { levels: vec![0.05, 0.3], ..HotOptions::default() };
            let hot = hot_probability(&draws, &weights, &[true; 120], &options).unwrap();
            (permutations.lists, p, global, hot)
        })
    };
    let one = run(1);
    for threads in [2, 3, 7] {
        let other = run(threads);
        assert_eq!(one.0, other.0);
        assert_eq!((&one.1, &one.2, &one.3), (&other.1, &other.2, &other.3));
    }
}

#[test]
fn global_permutation_agrees_with_the_moments() {
    let weights = lattice(7, 7).row_standardised();
    let mut rng = rng(9);
    let values: Vec<f64> = (0..49).map(|_| unit(&mut rng)).collect();
    let count = 20_000;
    for (statistic, permuted) in [
        (
            moran(&values, &weights).unwrap(),
            global_permutation(Global::Moran, &values, &weights, count, 1).unwrap(),
        ),
        (
            geary(&values, &weights).unwrap(),
            global_permutation(Global::Geary, &values, &weights, count, 1).unwrap(),
        ),
    ] {
        let sd = statistic.variance_random.sqrt();
        assert!((permuted.mean - statistic.expected).abs() < 4.0 * sd / f64::from(count).sqrt());
        assert!((permuted.sd / sd - 1.0).abs() < 0.03, "{} {sd}", permuted.sd);
        assert!(permuted.p_greater + permuted.p_lesser >= 1.0);
    }
}

#[test]
fn permutations_refuse_what_they_were_not_made_for() {
    let (small, large) = (lattice(3, 3), lattice(4, 4));
    let permutations = Permutations::new(&small, 99, 1).unwrap();
    assert!(permutations.p_values(&[0.0; 16], &large).is_err());
    let all: Vec<Vec<usize>> = (0..9).map(|i| (0..9).filter(|j| *j != i).collect()).collect();
    let all = SpatialWeights::from_neighbours(&all).unwrap();
    // The lattice's middle has all others as neighbours already.
    assert!(permutations.p_values(&[1.0; 9], &all).is_ok());
    let pair = SpatialWeights::from_neighbours(&[vec![1], vec![0]]).unwrap();
    assert!(Permutations::new(&pair, 99, 1).is_ok());
    assert!(Permutations::new(&pair, 0, 1).is_err());
    let one = SpatialWeights::from_neighbours(&[Vec::<usize>::new()]).unwrap();
    assert_eq!(Permutations::new(&one, 9, 1).unwrap_err(), SpatialError::TooFew { sites: 1, needed: 2 });
    // Every sample of all others is the same one.
    let complete = Permutations::new(&all, 99, 1).unwrap();
    let p = complete.p_values(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.5], &all).unwrap();
    assert!(p.iter().all(|p| p.at_least == 99 && p.at_most == 99));
}

#[test]
fn permutations_are_enough_for_one_site_alone() {
    for (tested, level, expected) in
        [(0, 0.05, 999), (49, 0.05, 999), (124, 0.05, 2_480), (125, 0.01, 9_999), (2_469, 0.05, 9_999)]
    {
        assert_eq!(usual_permutations(tested, level), expected);
    }
    // The smallest p value of one site among all passes.
    assert!(124.0 / f64::from(usual_permutations(124, 0.05) + 1) <= 0.05);
}
