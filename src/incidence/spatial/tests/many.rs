//! Many tests, and hot spots over draws.

use proptest::prelude::*;

use super::*;

/// The 15 p values of Benjamini & Hochberg 1995.
const BH: [f64; 15] = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
    0.7590, 1.0,
];

fn given(p: &[f64]) -> Vec<Option<f64>> {
    p.iter().copied().map(Some).collect()
}

#[test]
fn the_example_of_benjamini_and_hochberg() {
    let p = given(&BH);
    assert_eq!(rejections(&benjamini_hochberg(&p), 0.05), 4);
    assert_eq!(rejections(&bonferroni(&p), 0.05), 3);
    // p.adjust(…, "BH") by hand: 15 p_i / i, then the least of those that follow.
    let expected = [
        0.0015,
        0.003,
        0.0095,
        0.035_625,
        0.0603,
        0.063_857_142_857_142_86, // 0.0298 · 15/7, below 0.0278 · 15/6
        0.063_857_142_857_142_86,
        0.0645,
        0.0765,
        0.486,
        0.581_181_818_181_818_2,
        0.714_875,
        0.753_230_769_230_769_3,
        0.813_214_285_714_285_7,
        1.0,
    ];
    for (q, expected) in benjamini_hochberg(&p).iter().zip(expected) {
        close(q.unwrap(), expected);
    }
    // Times Σ 1/i = 3.318228993228993.
    let by = benjamini_yekutieli(&p);
    close(by[0].unwrap(), 0.0015 * 3.318_228_993_228_993);
    close(by[3].unwrap(), 0.035_625 * 3.318_228_993_228_993);
    assert_eq!(by[9], Some(1.0));
    assert_eq!(rejections(&by, 0.05), 3);
}

#[test]
fn what_was_not_tested_does_not_count() {
    let mut p = vec![None, Some(f64::NAN)];
    p.extend(given(&BH));
    let q = benjamini_hochberg(&p);
    assert_eq!(&q[..2], &[None, None]);
    assert_eq!(&q[2..], benjamini_hochberg(&given(&BH)).as_slice());
    assert_eq!(bonferroni(&p)[0], None);
    assert!(benjamini_hochberg(&[]).is_empty());
    assert_eq!(benjamini_yekutieli(&[None]), [None]);
}

/// The definition: the greatest `i` with `p_(i) ≤ i α/m`.
fn step_up(p: &[f64], level: f64) -> usize {
    let mut sorted = p.to_vec();
    sorted.sort_by(f64::total_cmp);
    let m = p.len() as f64;
    (1..=p.len()).rev().find(|i| (m * sorted[i - 1] / *i as f64).max(sorted[i - 1]) <= level).unwrap_or(0)
}

proptest! {
    #[test]
    fn adjusted_values_reject_as_the_procedure_does(p in prop::collection::vec(0.0..1.0_f64, 1..40), level in 0.01..0.5_f64) {
        let q = benjamini_hochberg(&given(&p));
        prop_assert_eq!(rejections(&q, level), step_up(&p, level));
        // None is below its own p value.
        prop_assert!(q.iter().zip(&p).all(|(q, p)| q.unwrap() >= *p));
    }
}

#[test]
fn a_hot_block_is_hot_and_the_rest_is_not() {
    let weights = lattice(10, 10);
    let mut rng = rng(11);
    let block = |site: usize| (2..5).contains(&(site % 10)) && (2..5).contains(&(site / 10));
    let draws: Vec<Vec<f64>> = (0..40)
        .map(|_| {
            (0..100).map(|site| if block(site) { 40.0 } else { 5.0 } + pick(&mut rng, 5) as f64).collect()
        })
        .collect();
    for inference in [Inference::Analytic, Inference::Permutation { permutations: 1_999, seed: 4 }] {
        let options = HotOptions { inference, ..HotOptions::default() };
        let hot = hot_probability(&draws, &weights, &[true; 100], &options).unwrap();
        assert_eq!(hot.levels, [0.01, 0.05, 0.1]);
        assert_eq!(hot.probability[1][33], Some(1.0), "the middle of the block");
        assert_eq!(hot.probability[1][88], Some(0.0));
        // A higher level calls more.
        for site in 0..100 {
            assert!(hot.probability[0][site] <= hot.probability[1][site]);
            assert!(hot.probability[1][site] <= hot.probability[2][site]);
        }
        let mean: f64 = hot.probability[1].iter().flatten().sum();
        close(hot.mean_hot[1], mean);
    }
}

/// The fast way and the slow one: p values, then adjusted ones.
#[test]
fn shares_are_those_of_adjusted_p_values() {
    let weights = lattice(9, 8);
    let mut rng = rng(12);
    let draws: Vec<Vec<f64>> = (0..25)
        .map(|_| (0..72).map(|site| (pick(&mut rng, 6) + usize::from(site % 9 < 3) * 4) as f64).collect())
        .collect();
    let tested: Vec<bool> = (0..72).map(|site| site % 5 != 0).collect();
    let star = weights.with_self();
    let permutations = Permutations::new(&star, 499, 6).unwrap();
    for analytic in [false, true] {
        let inference = if analytic {
            Inference::Analytic
        } else {
            Inference::Permutation { permutations: 499, seed: 6 }
        };
        let options = HotOptions { inference, levels: vec![0.05, 0.2] };
        let hot = hot_probability(&draws, &weights, &tested, &options).unwrap();
        let mut counts = vec![vec![0_u32; 72]; 2];
        for draw in &draws {
            let p: Vec<f64> = if analytic {
                let z = getis_ord(draw, &weights, true).unwrap().z;
                z.into_iter().map(|z| z.map_or(1.0, upper_tail)).collect()
            } else {
                permutations.p_values(draw, &star).unwrap().iter().map(PermutationP::greater).collect()
            };
            let p: Vec<Option<f64>> = p.iter().zip(&tested).map(|(p, t)| t.then_some(*p)).collect();
            let q = benjamini_hochberg(&p);
            for (level, counts) in options.levels.iter().zip(&mut counts) {
                for (q, count) in q.iter().zip(counts) {
                    *count += u32::from(q.is_some_and(|q| q <= *level));
                }
            }
        }
        for (shares, counts) in hot.probability.iter().zip(counts) {
            for ((share, count), tested) in shares.iter().zip(counts).zip(&tested) {
                assert_eq!(*share, tested.then(|| f64::from(count) / 25.0));
            }
        }
        assert!(hot.mean_hot[1] > 0.0);
    }
}

#[test]
fn draws_that_do_not_vary_are_not_hot_and_faults_are_told() {
    let weights = lattice(4, 4);
    let mut peak = vec![0.0; 16];
    peak[5] = 9.0;
    let draws = [vec![0.1; 16], peak];
    let hot = hot_probability(&draws, &weights, &[true; 16], &HotOptions::default()).unwrap();
    assert_eq!((hot.draws, hot.constant_draws), (2, 1));
    assert!(hot.probability.iter().flatten().all(|p| p.unwrap() <= 0.5));
    let options = HotOptions::default();
    assert_eq!(hot_probability(&[], &weights, &[true; 16], &options), Err(SpatialError::NoDraws));
    let short = hot_probability(&draws, &weights, &[true; 15], &options);
    assert_eq!(short, Err(SpatialError::ShapeMismatch { expected: 16, found: 15 }));
    let bad = HotOptions { levels: vec![f64::NAN], ..options.clone() };
    assert!(matches!(
        hot_probability(&draws, &weights, &[true; 16], &bad),
        Err(SpatialError::Parameter { name: "level", .. })
    ));
    let none = hot_probability(&draws, &weights, &[false; 16], &options).unwrap();
    assert!(none.probability.iter().flatten().all(Option::is_none));
}
