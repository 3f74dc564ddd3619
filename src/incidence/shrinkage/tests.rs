use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Gamma, Poisson};

use super::{GammaFit, GammaPoisson, marshall, marshall_local};
use crate::incidence::{CountCell, IncidenceError};
use crate::model::incidence::CountDatum::{Exact, Interval};

/// Lip cancer in the 56 counties of Scotland, 1975–1980: observed cases (Clayton & Kaldor 1987, table 1).
const OBSERVED: [u32; 56] = [
    9, 39, 11, 9, 15, 8, 26, 7, 6, 20, 13, 5, 3, 8, 17, 9, 2, 7, 9, 7, 16, 31, 11, 7, 19, 15, 7, 10, 16, 11,
    5, 3, 7, 8, 11, 9, 11, 8, 6, 4, 10, 8, 2, 6, 19, 3, 2, 3, 28, 6, 1, 1, 1, 1, 0, 0,
];

/// Expected cases, from the same table.
const EXPECTED: [f64; 56] = [
    1.4, 8.7, 3.0, 2.5, 4.3, 2.4, 8.1, 2.3, 2.0, 6.6, 4.4, 1.8, 1.1, 3.3, 7.8, 4.6, 1.1, 4.2, 5.5, 4.4, 10.5,
    22.7, 8.8, 5.6, 15.5, 12.5, 6.0, 9.0, 14.4, 10.2, 4.8, 2.9, 7.0, 8.5, 12.3, 10.1, 12.7, 9.4, 7.2, 5.3,
    18.8, 15.8, 4.3, 14.6, 50.7, 8.2, 5.6, 9.3, 88.7, 19.6, 3.4, 3.6, 5.7, 7.0, 4.2, 1.8,
];

fn cells(counts: &[u32], exposures: &[f64]) -> Vec<CountCell> {
    let cell = |(count, exposure): (&u32, &f64)| CountCell { exposure: *exposure, datum: Exact(*count) };
    counts.iter().zip(exposures).map(cell).collect()
}

fn gamma_fit(cells: &[CountCell]) -> GammaFit {
    match GammaPoisson::fit(cells).unwrap() {
        GammaPoisson::Gamma(fit) => fit,
        limit @ GammaPoisson::PoissonLimit(_) => panic!("{limit:?}"),
    }
}

fn assert_near(got: f64, expected: f64, relative: f64) {
    assert!((got - expected).abs() <= relative * expected.abs(), "{got} is not {expected}");
}

/// `mpmath.findroot` on the score with 40 digits; the paper rounds to 1.88 and 1.32.
#[test]
fn scotland_lip_cancer_as_in_clayton_and_kaldor() {
    let cells = cells(&OBSERVED, &EXPECTED);
    let fit = gamma_fit(&cells);
    assert_near(fit.alpha, 1.879_489_974_321_884, 1e-12);
    assert_near(fit.beta, 1.321_667_129_414_755_7, 1e-12);
    assert_near(fit.log_likelihood, -181.576_074_140_523_6, 1e-13);
    assert_near(fit.alpha_se, 0.433_216_232_897_541_6, 1e-10);
    assert_near(fit.beta_se, 0.351_896_149_790_536_8, 1e-10);
    assert_near(fit.covariance, 0.138_364_393_341_810_1, 1e-10);
    assert!(fit.iterations < 20 && fit.poisson_log_likelihood < fit.log_likelihood - 100.0);
    let fit = GammaPoisson::Gamma(fit);
    let (means, quantiles) = (fit.posterior_means(), fit.posterior_quantiles(0.05).unwrap());
    // scipy.stats.gamma.ppf(0.05, alpha + y) / (beta + E)
    for (i, mean, quantile) in [
        (0, 3.997_362_446_252_316, 2.233_465_225_819_052_6),
        (1, 4.079_110_735_412_059, 3.089_422_888_119_955),
        (48, 0.331_914_426_016_652_9, 0.238_738_634_140_840_2),
        (55, 0.602_078_920_142_343_1, 0.098_708_949_802_332_25),
    ] {
        assert_near(means[i], mean, 1e-12);
        assert_near(quantiles[i], quantile, 1e-9);
    }
}

#[test]
fn marshall_agrees_with_esda_on_scotland() {
    let cells = cells(&OBSERVED, &EXPECTED);
    let got = marshall(&cells).unwrap();
    assert_near(got.mean, 0.999_627_004_848_936_9, 1e-13);
    assert_near(got.variance, 0.802_700_098_694_327_8, 1e-12);
    // esda.smoothing.Empirical_Bayes(y, E).r
    for (i, rate) in
        [(0, 3.872_811_233_634_856), (48, 0.325_140_459_326_497_16), (55, 0.408_778_641_171_613_9)]
    {
        assert_near(got.rates[i], rate, 1e-12);
    }
    // Where everybody is a neighbour of everybody, the neighbourhood is the whole.
    let all: Vec<Vec<usize>> = (0..56).map(|i| (0..56).filter(|j| *j != i).collect()).collect();
    for (local, global) in marshall_local(&cells, &all).unwrap().iter().zip(&got.rates) {
        assert_near(*local, *global, 1e-12);
    }
    // Alone, an area keeps what it has.
    let alone = marshall_local(&cells, &vec![vec![]; 56]).unwrap();
    assert_near(alone[0], 9.0 / 1.4, 1e-14);
    assert!(marshall_local(&cells, &[]).is_err());
}

#[test]
fn the_unit_of_the_exposure_changes_beta_only() {
    let fit = gamma_fit(&cells(&OBSERVED, &EXPECTED));
    for factor in [1e-5, 1e6] {
        let scaled: Vec<f64> = EXPECTED.iter().map(|e| e * factor).collect();
        let other = gamma_fit(&cells(&OBSERVED, &scaled));
        assert_near(other.alpha, fit.alpha, 1e-11);
        assert_near(other.beta, fit.beta * factor, 1e-11);
        assert_near(other.log_likelihood, fit.log_likelihood, 1e-11);
        assert_near(other.beta_se, fit.beta_se * factor, 1e-10);
    }
}

/// A search that shares nothing with the code: the log-likelihood by recursion over counts, on grids that
/// close in on the best point.
#[test]
fn a_brute_force_search_finds_the_same_maximum() {
    let ln_likelihood = |counts: &[u32], exposures: &[f64], alpha: f64, beta: f64| -> f64 {
        let term = |(y, e): (&u32, &f64)| {
            let mut ln = alpha * (beta / (beta + e)).ln();
            for k in 0..*y {
                ln += ((alpha + f64::from(k)) / f64::from(k + 1) * (e / (beta + e))).ln();
            }
            ln
        };
        counts.iter().zip(exposures).map(term).sum()
    };
    for (counts, exposures) in [
        (vec![0, 3, 0, 12, 1], vec![10.0, 20.0, 15.0, 12.0, 30.0]),
        (vec![0, 0, 0, 1, 9], vec![1.0, 2.0, 3.0, 4.0, 5.0]),
        (vec![120, 80, 95, 140, 101, 60], vec![1.0, 1.1, 0.9, 1.2, 1.0, 0.8]),
    ] {
        let fit = gamma_fit(&cells(&counts, &exposures));
        let (mut a, mut b, mut width) = (0.0_f64, 0.0_f64, 8.0_f64);
        for _ in 0..80 {
            let best = (-6..=6)
                .flat_map(|i| (-6..=6).map(move |j| (i, j)))
                .map(|(i, j)| (a + width * f64::from(i) / 6.0, b + width * f64::from(j) / 6.0))
                .map(|(a, b)| (ln_likelihood(&counts, &exposures, a.exp(), b.exp()), a, b))
                .max_by(|x, y| x.0.total_cmp(&y.0))
                .unwrap();
            (a, b, width) = (best.1, best.2, width * 0.7);
        }
        assert_near(fit.alpha, a.exp(), 1e-5);
        assert_near(fit.beta, b.exp(), 1e-5);
        let value = ln_likelihood(&counts, &exposures, fit.alpha, fit.beta);
        assert_near(fit.log_likelihood, value, 1e-12);
    }
}

#[test]
fn simulated_rates_are_found_again() {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let (alpha, beta) = (1.5, 3e5);
    let exposures: Vec<f64> = (0..2_000).map(|i| 1e4 * f64::from(1 + i % 97)).collect();
    let law = Gamma::new(alpha, 1.0 / beta).unwrap();
    let counts: Vec<u32> = exposures
        .iter()
        .map(|e| {
            let mean: f64 = law.sample(&mut rng) * e;
            crate::incidence::unimodal::floor(Poisson::new(mean.max(1e-300)).unwrap().sample(&mut rng))
        })
        .collect();
    let fit = gamma_fit(&cells(&counts, &exposures));
    assert!((fit.alpha - alpha).abs() < 3.0 * fit.alpha_se, "{fit:?}");
    assert!((fit.beta - beta).abs() < 3.0 * fit.beta_se);
    assert!(fit.alpha_se < 0.15);
}

#[test]
fn without_over_dispersion_the_result_is_the_poisson_limit() {
    for (counts, exposures) in [
        (vec![10, 20, 30], vec![1.0, 2.0, 3.0]),
        (vec![9, 10, 11, 10], vec![1.0; 4]),
        (vec![5], vec![2.0]),
        (vec![1, 0], vec![1.0, 1e-6]),
    ] {
        let cells = cells(&counts, &exposures);
        let fit = GammaPoisson::fit(&cells).unwrap();
        let GammaPoisson::PoissonLimit(limit) = &fit else { panic!("{fit:?}") };
        let rate = counts.iter().map(|y| f64::from(*y)).sum::<f64>() / exposures.iter().sum::<f64>();
        assert_near(limit.rate, rate, 1e-14);
        assert_eq!(fit.posterior_means(), vec![limit.rate; cells.len()]);
        assert_eq!(marshall(&cells).unwrap().rates, fit.posterior_means());
    }
}

/// Over-dispersion so small that α is above 1e7: the difference to the limit is real and found.
#[test]
fn a_tiny_over_dispersion_is_still_an_interior_maximum() {
    // Σ(y − ȳ)² = 2·317² is above Σy = 2·10⁵ by half a per cent.
    let fit = gamma_fit(&cells(&[100_317, 99_683], &[1.0, 1.0]));
    assert!(fit.alpha > 1e7 && fit.alpha < 1e8, "{fit:?}");
    assert!(fit.beta.is_finite() && fit.log_likelihood >= fit.poisson_log_likelihood - 1e-6);
    assert_near(fit.alpha / fit.beta, 1e5, 1e-9);
}

#[test]
fn areas_without_exposure_show_the_mean() {
    let with = cells(&[0, 3, 0, 12, 1, 0], &[10.0, 20.0, 15.0, 12.0, 30.0, 0.0]);
    let (fit, without) = (gamma_fit(&with), gamma_fit(&with[..5]));
    assert_eq!((fit.alpha, fit.beta), (without.alpha, without.beta));
    let means = GammaPoisson::Gamma(fit.clone()).posterior_means();
    assert_near(means[5], fit.alpha / fit.beta, 1e-14);
    assert_near(marshall(&with).unwrap().rates[5], 16.0 / 87.0, 1e-14);
}

#[test]
fn what_cannot_be_estimated_has_a_typed_error() {
    let mut cells = cells(&[1, 2, 3], &[1.0; 3]);
    cells[1].datum = Interval { min: 2, max: 2 };
    cells[2].datum = Interval { min: 1, max: 14 };
    assert_eq!(GammaPoisson::fit(&cells), Err(IncidenceError::NotExact { cell: 1 }));
    assert_eq!(marshall(&cells), Err(IncidenceError::NotExact { cell: 1 }));
    for cell in &mut cells {
        cell.datum = Exact(0);
    }
    assert_eq!(GammaPoisson::fit(&cells), Err(IncidenceError::NoCases));
    assert_eq!(marshall(&cells), Err(IncidenceError::NoCases));
    assert_eq!(GammaPoisson::fit(&[]), Err(IncidenceError::NoCells));
}
