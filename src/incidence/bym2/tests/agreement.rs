//! The posterior against its definition: priors without data, importance sampling with the counts enumerated,
//! and simulation-based calibration.

use rayon::prelude::*;

use crate::incidence::scale_factors;

use super::{
    Beta, Bym2Fit, Bym2Model, Bym2Options, Convergence, CountCell, CountDatum, Distribution, Exact,
    IcarField, Interval, Law, Poisson, Reading, RngExt, SigmaPrior, Unknown, Unlocated, cells, floor, normal,
    path, rng,
};

/// Log-rates around 0, a σ of some 0.8, π of a quarter.
fn options() -> Bym2Options {
    Bym2Options {
        unlocated: Unlocated::Beta { a: 2.0, b: 6.0 },
        b0_mean: Some(0.3),
        b0_sd: 0.5,
        phi_a: 0.5,
        phi_b: 0.5,
        ..Bym2Options::default()
    }
}

/// A draw from the prior: `b0`, σ, φ, π and the rates.
fn from_prior(options: &Bym2Options, field: &IcarField, areas: usize, rng: &mut impl rand::Rng) -> Vec<f64> {
    let mut z = vec![0.0; 2 + areas + field.dimension()];
    normal::fill(&mut z, rng);
    let b0 = options.b0_mean.unwrap() + options.b0_sd * z[0];
    let SigmaPrior::HalfNormal { scale } = options.sigma else { panic!() };
    let sigma = scale * z[1].abs();
    let phi: f64 = Beta::new(options.phi_a, options.phi_b).unwrap().sample(rng);
    let Unlocated::Beta { a, b } = options.unlocated else { panic!() };
    let pi = Beta::new(a, b).unwrap().sample(rng);
    let mut u = vec![0.0; areas];
    field.effects(&z[2 + areas..], &mut u);
    let rate = |m: usize| (b0 + sigma * ((1.0 - phi).sqrt() * z[2 + m] + phi.sqrt() * u[m])).exp();
    [b0, sigma, phi, pi].into_iter().chain((0..areas).map(rate)).collect()
}

/// The same numbers of a posterior draw.
fn of_fit(fit: &Bym2Fit, sample: usize) -> Vec<f64> {
    let h = fit.hyperparameters()[sample];
    [h.b0, h.sigma, h.phi, h.pi].into_iter().chain(fit.rates()[sample].iter().copied()).collect()
}

/// On a path, a pair and an island: priors of the shared numbers, and the variances of the effects.
#[test]
fn without_data_the_posterior_is_the_prior() {
    let adjacency = [vec![1], vec![0, 2], vec![1], vec![], vec![5], vec![4]];
    let scale = scale_factors(&adjacency).unwrap();
    let cells = cells(&[(1.0, Unknown { max: None }); 6]);
    for sigma in
        [SigmaPrior::HalfNormal { scale: 1.0 }, SigmaPrior::PenalisedComplexity { upper: 1.0, alpha: 0.1 }]
    {
        let fit = Bym2Model::fit(&cells, None, &adjacency, &Bym2Options { sigma, ..options() }).unwrap();
        for learned in &fit.diagnostics().learned {
            assert_eq!(learned.reading, Reading::Unmoved, "{learned:?}");
            assert!((learned.sd_ratio - 1.0).abs() < 0.1, "{learned:?}");
        }
        assert!(fit.diagnostics().divergences < 10);
        for m in 0..6 {
            let square = |s: usize| {
                let h = fit.hyperparameters()[s];
                ((fit.rates()[s][m].ln() - h.b0) / h.sigma).powi(2)
            };
            let mean = (0..fit.samples()).map(square).sum::<f64>() / fit.samples() as f64;
            let expected = 0.5 + 0.5 * scale.variances[m] / scale.factors[scale.component[m]];
            assert!((mean / expected - 1.0).abs() < 0.15, "{m}: {mean} is not {expected}");
        }
    }
}

#[test]
fn prior_quantiles_and_deviations_fit_together() {
    for law in [
        Law::Normal { mean: -11.0, sd: 3.0 },
        Law::HalfNormal { scale: 2.0 },
        Law::Exponential { rate: 4.6 },
        Law::Beta { a: 0.5, b: 0.5 },
        Law::Beta { a: 1.0, b: 9.0 },
    ] {
        let n = 20_000;
        let x: Vec<f64> = (0..n).map(|i| law.quantile((f64::from(i) + 0.5) / f64::from(n))).collect();
        let mean = x.iter().sum::<f64>() / f64::from(n);
        let sd = (x.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / f64::from(n)).sqrt();
        assert!((sd / law.sd() - 1.0).abs() < 2e-3, "{law:?}: {sd}");
    }
    // P(σ > upper) = alpha.
    let law = SigmaPrior::PenalisedComplexity { upper: 1.5, alpha: 0.05 }.law();
    assert!((law.quantile(0.95) - 1.5).abs() < 1e-12);
}

/// `P(bounds, total | rates, π)` by enumeration of all located counts.
fn enumerated(cells: &[CountCell], total: Option<u32>, rates: &[f64], pi: f64) -> f64 {
    let poisson = |mean: f64, k: u32| {
        let mut p = (-mean).exp();
        for i in 1..=k {
            p *= mean / f64::from(i);
        }
        p
    };
    let mut laws = vec![1.0];
    let mut pool = 0.0;
    for (cell, rate) in cells.iter().zip(rates) {
        let mean = cell.exposure * rate;
        pool += pi * mean;
        let Some(max) = cell.datum.max() else {
            pool += (1.0 - pi) * mean;
            continue;
        };
        let mut next = vec![0.0; laws.len() + max as usize];
        for (s, p) in laws.iter().enumerate() {
            for y in cell.datum.min()..=max {
                next[s + y as usize] += p * poisson((1.0 - pi) * mean, y);
            }
        }
        laws = next;
    }
    match total {
        None => laws.iter().sum(),
        Some(total) => (0..=total).zip(&laws).map(|(s, p)| p * poisson(pool, total - s)).sum(),
    }
}

#[test]
fn three_areas_agree_with_importance_sampling() {
    let data: [CountDatum; 3] = [Exact(3), Interval { min: 1, max: 4 }, Unknown { max: Some(2) }];
    let open = [data[0], data[1], Unknown { max: None }];
    let options = Bym2Options { samples: 4_000, ..options() };
    let field = IcarField::new(&path(3)).unwrap();
    for (data, total) in [(data, None), (data, Some(9)), (open, Some(12))] {
        let cells = cells(&[(1.0, data[0]), (2.0, data[1]), (1.5, data[2])]);
        let fit = Bym2Model::fit(&cells, total, &path(3), &options).unwrap();
        let mut generator = rng(77);
        let weighted: Vec<(Vec<f64>, f64)> = (0..400_000)
            .map(|_| {
                let x = from_prior(&options, &field, 3, &mut generator);
                let weight = enumerated(&cells, total, &x[4..], x[3]);
                (x, weight)
            })
            .collect();
        let sum: f64 = weighted.iter().map(|(_, w)| w).sum();
        let size = sum * sum / weighted.iter().map(|(_, w)| w * w).sum::<f64>();
        for i in 0..7 {
            let value = |x: &[f64]| if i < 4 { x[i] } else { x[i].ln() };
            let mean = weighted.iter().map(|(x, w)| w * value(x)).sum::<f64>() / sum;
            let variance = weighted.iter().map(|(x, w)| w * (value(x) - mean).powi(2)).sum::<f64>() / sum;
            let draws: Vec<f64> = (0..fit.samples()).map(|s| value(&of_fit(&fit, s))).collect();
            let chains: Vec<Vec<f64>> = draws.chunks(4_000).map(<[f64]>::to_vec).collect();
            let got = draws.iter().sum::<f64>() / draws.len() as f64;
            let spread = draws.iter().map(|x| (x - got).powi(2)).sum::<f64>() / draws.len() as f64;
            let error = (variance / size + variance / Convergence::new(&chains).ess_bulk).sqrt();
            assert!((got - mean).abs() < 4.0 * error, "{total:?}, {i}: {got} is not {mean} ± {error}");
            assert!((spread / variance - 1.0).abs() < 0.15, "{total:?}, {i}: {spread} is not {variance}");
        }
    }
}

/// Talts et al. 2018 (arXiv 1804.06788): where data come from the prior, the rank of the truth among thinned
/// posterior draws is uniform. What is published depends on the count alone: numbers from 5 on, else "below 5".
#[test]
fn ranks_of_the_truth_are_uniform() {
    const RUNS: u64 = 120;
    const BINS: usize = 5;
    let options = Bym2Options { chains: 1, warm_up: 400, samples: 570, ..options() };
    let exposure = [2.0, 4.0, 1.0, 3.0, 2.0];
    let field = IcarField::new(&path(5)).unwrap();
    for with_total in [true, false] {
        let ranks: Vec<Vec<usize>> = (0..RUNS)
            .into_par_iter()
            .map(|run| {
                let mut rng = rng(1_000 * (1 + u64::from(with_total)) + run);
                let truth = from_prior(&options, &field, 5, &mut rng);
                let poisson = |mean: f64, rng: &mut _| floor(Poisson::new(mean).unwrap().sample(rng));
                let mut total = 0;
                let mut data = Vec::new();
                for (m, e) in exposure.iter().enumerate() {
                    let mean = (e * truth[4 + m]).min(3_000.0);
                    let y = poisson(mean * (1.0 - truth[3]), &mut rng);
                    total += y + poisson(mean * truth[3], &mut rng);
                    let datum = match y {
                        _ if m == 4 => Unknown { max: None },
                        0..5 => Interval { min: 0, max: 4 },
                        _ => Exact(y),
                    };
                    data.push((*e, datum));
                }
                let options = Bym2Options { seed: rng.random(), ..options };
                let total = with_total.then_some(total);
                let fit = Bym2Model::fit(&cells(&data), total, &path(5), &options).unwrap();
                (0..9).map(|i| (0..19).filter(|k| of_fit(&fit, 30 * k)[i] < truth[i]).count()).collect()
            })
            .collect();
        for i in 0..9 {
            let mut bins = [0.0; BINS];
            for rank in &ranks {
                bins[rank[i] * BINS / 20] += 1.0;
            }
            let expected = RUNS as f64 / BINS as f64;
            let chi: f64 = bins.iter().map(|b: &f64| (b - expected).powi(2) / expected).sum();
            // The 99.9 % quantile with four degrees of freedom.
            assert!(chi < 18.47, "total {with_total}, number {i}: {bins:?}");
        }
    }
}
