//! The posterior of the hyperparameters: against sums over a fine grid with enumeration, calibration, degenerate cases.

use rand::RngExt;
use rand_distr::{Beta, Distribution, Gamma, Poisson, StandardNormal};

use super::{
    CountCell, CountModel, CountOptions, HyperPrior, OPEN, RateModel, Unlocated, cell, interval, prepare, rng,
};
use crate::incidence::IncidenceError;
use crate::incidence::bym2::Bym2Options;
use crate::model::incidence::CountDatum::{AtLeast, Exact, Unknown};

const RATE: HyperPrior = HyperPrior::Lognormal { median: 1.0, sigma: 1.0 };
const HETEROGENEITY: HyperPrior = HyperPrior::Lognormal { median: 1.0, sigma: 0.6 };

fn hierarchy(rate: HyperPrior, heterogeneity: HyperPrior, unlocated: Unlocated) -> CountOptions {
    CountOptions {
        unlocated,
        rates: RateModel::NegativeBinomial { rate, heterogeneity },
        ..CountOptions::default()
    }
}

/// Posterior means of (ln μ, ln κ, π) and of the cases, by a fine grid over models with given hyperparameters.
fn by_grid(cells: &[CountCell], total: Option<u32>, (a, b): (f64, f64)) -> ([f64; 3], Vec<f64>) {
    let (mut sum, mut means, mut cases) = (0.0, [0.0; 3], vec![0.0; cells.len()]);
    for i in 0..40 {
        let x = -4.0 + 8.0 * (f64::from(i) + 0.5) / 40.0;
        for j in 0..32 {
            let y = -2.6 + 5.2 * (f64::from(j) + 0.5) / 32.0;
            for k in 0..24 {
                let pi = (f64::from(k) + 0.5) / 24.0;
                let alpha = (-2.0 * y).exp();
                let model = prepare(cells, total, RateModel::Gamma { alpha, beta: alpha / x.exp() }, pi);
                let prior = -0.5 * x * x - 0.5 * (y / 0.6_f64).powi(2)
                    + (a - 1.0) * pi.ln()
                    + (b - 1.0) * (1.0 - pi).ln();
                let weight = (prior + model.log_likelihood(0, 1.0).unwrap()).exp();
                sum += weight;
                for (mean, v) in means.iter_mut().zip([x, y, pi]) {
                    *mean += weight * v;
                }
                for (mean, v) in cases.iter_mut().zip(model.expected_totals(0).unwrap()) {
                    *mean += weight * v;
                }
            }
        }
    }
    (means.map(|m| m / sum), cases.into_iter().map(|c| c / sum).collect())
}

#[test]
fn the_lattice_and_its_draws_have_the_means_of_a_fine_grid() {
    let data = [cell(1.0, interval(1, 3)), cell(2.0, Exact(2)), cell(0.5, Unknown { max: None })];
    for total in [None, Some(9)] {
        let (expected, expected_cases) = by_grid(&data, total, (2.0, 4.0));
        let options = hierarchy(RATE, HETEROGENEITY, Unlocated::Beta { a: 2.0, b: 4.0 });
        let model = CountModel::prepare(&data, total, &options).unwrap();
        let points: Vec<_> = (0..model.points()).map(|i| model.point(i).unwrap()).collect();
        assert!((points.iter().map(|p| p.weight).sum::<f64>() - 1.0).abs() < 1e-12);
        let mean = |f: &dyn Fn(f64, f64, f64) -> f64| {
            points.iter().map(|p| p.weight * f(p.law.unwrap().0, p.law.unwrap().1, p.pi)).sum::<f64>()
        };
        let got = [mean(&|a, b, _| (a / b).ln()), mean(&|a, _, _| -0.5 * a.ln()), mean(&|_, _, pi| pi)];
        for (g, e) in got.iter().zip(expected) {
            assert!((g - e).abs() < 0.02, "{total:?}: {got:?}, by grid {expected:?}");
        }
        let n = 20_000;
        let (mut sums, mut cases) = ([0.0; 3], vec![0.0; data.len()]);
        let mut rng = rng(40);
        for _ in 0..n {
            let d = model.draw(&mut rng);
            for (sum, v) in sums.iter_mut().zip([d.common_rate.ln(), d.heterogeneity.ln(), d.pi]) {
                *sum += v / f64::from(n);
            }
            for (sum, t) in cases.iter_mut().zip(&d.total) {
                *sum += f64::from(*t) / f64::from(n);
            }
        }
        for (g, e) in sums.iter().zip(expected) {
            assert!((g - e).abs() < 0.03, "{total:?}: draws {sums:?}, by grid {expected:?}");
        }
        for (g, e) in cases.iter().zip(&expected_cases) {
            assert!(
                (g - e).abs() < 0.03 * e.max(3.0),
                "{total:?}: draws {cases:?}, by grid {expected_cases:?}"
            );
        }
    }
}

/// A data set made by the model itself: its parameters (ln μ, ln κ, π, first rate, first case count) and cells.
fn simulated(stream: u64) -> ([f64; 5], Vec<CountCell>, u32) {
    let mut rng = rng(stream);
    let rate = rng.sample::<f64, _>(StandardNormal).exp() * 1e-5;
    let kappa = (0.6 * rng.sample::<f64, _>(StandardNormal)).exp();
    let pi = Beta::new(1.0, 9.0).unwrap().sample(&mut rng);
    let alpha = 1.0 / (kappa * kappa);
    let law = Gamma::new(alpha, rate / alpha).unwrap();
    let (mut cells, mut total, mut first) = (Vec::new(), 0, [0.0; 2]);
    for i in 0..12 {
        let exposure = 1e5 * f64::from(1 + i % 4);
        let theta: f64 = law.sample(&mut rng);
        let mut count = |mean: f64| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a Poisson number")]
            let n = Poisson::new(mean).map_or(0, |p| p.sample(&mut rng) as u32);
            n
        };
        let (y, x) = (count(theta * exposure * (1.0 - pi)), count(theta * exposure * pi));
        total += y + x;
        if i == 0 {
            first = [theta, f64::from(y + x)];
        }
        // What is published of a cell depends on its number only, not on its count.
        let datum = match i % 4 {
            0 => interval(y / 3 * 3, y / 3 * 3 + 2),
            1 => Exact(y),
            2 if y >= 2 => AtLeast { min: 2 },
            2 => interval(0, 1),
            _ => OPEN,
        };
        cells.push(cell(exposure, datum));
    }
    ([rate.ln(), kappa.ln(), pi, first[0], first[1]], cells, total)
}

/// Ranks of the true parameters among draws: uniform if the whole model is right (Talts et al. 2018, arXiv:1804.06788).
fn calibration(simulations: u64, with_total: bool) -> Vec<[u32; 5]> {
    const DRAWS: u32 = 49;
    let options = hierarchy(
        HyperPrior::Lognormal { median: 1e-5, sigma: 1.0 },
        HETEROGENEITY,
        Unlocated::Beta { a: 1.0, b: 9.0 },
    );
    (0..simulations)
        .map(|stream| {
            let (truth, cells, total) = simulated(1000 + stream);
            let model = CountModel::prepare(&cells, with_total.then_some(total), &options).unwrap();
            let mut rng = rng(500_000 + stream);
            let (mut less, mut ties) = ([0; 5], [0; 5]);
            for _ in 0..DRAWS {
                let d = model.draw(&mut rng);
                let got = [d.common_rate.ln(), d.heterogeneity.ln(), d.pi, d.rate[0], f64::from(d.total[0])];
                for (k, got) in got.into_iter().enumerate() {
                    less[k] += u32::from(got < truth[k]);
                    ties[k] += u32::from(got == truth[k]);
                }
            }
            // Whole numbers tie: any rank among the ties is as good.
            let ranks: [u32; 5] = std::array::from_fn(|k| less[k] + rng.random_range(0..=ties[k]));
            ranks
        })
        .collect()
}

#[test]
fn ranks_of_simulated_parameters_are_uniform() {
    for with_total in [true, false] {
        let ranks = calibration(400, with_total);
        for (k, name) in ["ln rate", "ln heterogeneity", "pi", "a rate", "a count"].iter().enumerate() {
            let mut bins = [0.0; 10];
            for r in &ranks {
                bins[(r[k] / 5) as usize] += 1.0;
            }
            let chi: f64 = bins.iter().map(|n: &f64| (n - 40.0).powi(2) / 40.0).sum();
            // 9 degrees of freedom: 0.1 % lie above 27.9.
            assert!(chi < 27.9, "{name}, total {with_total}: {bins:?}, chi² {chi:.1}");
        }
    }
}

#[test]
fn degenerate_data_give_proper_posteriors() {
    let unlocated = Unlocated::Beta { a: 1.0, b: 9.0 };
    let usual = hierarchy(HyperPrior::Lognormal { median: 1e-5, sigma: 3.0 }, HETEROGENEITY, unlocated);
    let cases: Vec<(&str, Vec<CountCell>, Option<u32>)> = vec![
        ("all zeros", vec![cell(1e5, Exact(0)); 20], Some(0)),
        ("all zeros, no total", vec![cell(1e5, Exact(0)); 20], None),
        ("one municipality", vec![cell(1e6, Exact(12))], Some(15)),
        ("one municipality, interval", vec![cell(1e6, interval(1, 14))], None),
        ("one municipality, unknown", vec![cell(1e6, OPEN)], Some(15)),
        ("no over-dispersion", (1..=30).map(|i| cell(1e5 * f64::from(i), Exact(2 * i))).collect(), Some(930)),
        (
            "extreme over-dispersion",
            (0..40).map(|i| cell(1e5, Exact(if i == 7 { 900 } else { 0 }))).collect(),
            None,
        ),
        (
            "a cell without exposure",
            vec![cell(0.0, OPEN), cell(1e5, interval(0, 14)), cell(2e5, Exact(3))],
            Some(9),
        ),
    ];
    for (name, cells, total) in cases {
        let model = CountModel::prepare(&cells, total, &usual).unwrap_or_else(|e| panic!("{name}: {e}"));
        let mut rng = rng(60);
        for _ in 0..200 {
            let d = model.draw(&mut rng);
            assert!(d.common_rate > 0.0 && d.common_rate.is_finite(), "{name}: {d:?}");
            assert!(d.heterogeneity > 0.0 && d.heterogeneity.is_finite(), "{name}: {d:?}");
            assert!(
                d.pi > 0.0 && d.pi < 1.0 && d.rate.iter().all(|r| r.is_finite() && *r >= 0.0),
                "{name}: {d:?}"
            );
            assert!(total.is_none_or(|n| d.total.iter().sum::<u32>() == n), "{name}: {d:?}");
            for (y, cell) in d.located.iter().zip(&cells) {
                assert!(
                    *y >= cell.datum.min() && cell.datum.max().is_none_or(|max| *y <= max),
                    "{name}: {d:?}"
                );
            }
        }
    }
}

#[test]
fn data_without_over_dispersion_lower_the_heterogeneity() {
    let usual =
        hierarchy(HyperPrior::Lognormal { median: 1e-5, sigma: 3.0 }, HETEROGENEITY, Unlocated::Fixed(0.0));
    let cells: Vec<_> = (1..=30).map(|i| cell(1e5 * f64::from(i), Exact(2 * i))).collect();
    let model = CountModel::prepare(&cells, None, &usual).unwrap();
    let mut rng = rng(61);
    let mean = (0..500).map(|_| model.draw(&mut rng).heterogeneity).sum::<f64>() / 500.0;
    assert!(mean < 0.25, "{mean}");
}

#[test]
fn what_is_known_stays_as_it_is() {
    let cells = [cell(1e5, Exact(3)), cell(2e5, interval(0, 9))];
    let fixed = hierarchy(HyperPrior::Fixed(2e-5), HyperPrior::Fixed(0.5), Unlocated::Fixed(0.1));
    let model = CountModel::prepare(&cells, Some(12), &fixed).unwrap();
    assert_eq!(model.points(), 1);
    let draw = model.draw(&mut rng(62));
    assert!(
        (draw.common_rate - 2e-5).abs() < 1e-18 && (draw.heterogeneity - 0.5).abs() < 1e-12 && draw.pi == 0.1
    );
    let same = prepare(&cells, Some(12), RateModel::Gamma { alpha: 4.0, beta: 2e5 }, 0.1);
    super::assert_close(&model.expected_totals(0).unwrap(), &same.expected_totals(0).unwrap(), 1e-9);
}

#[test]
fn priors_have_ranges() {
    let bad = |rate, heterogeneity| {
        let options = hierarchy(rate, heterogeneity, Unlocated::Fixed(0.0));
        CountModel::prepare(&[cell(1e5, Exact(1))], None, &options).unwrap_err()
    };
    for (rate, heterogeneity) in [
        (HyperPrior::Fixed(0.0), HETEROGENEITY),
        (HyperPrior::Fixed(f64::NAN), HETEROGENEITY),
        (RATE, HyperPrior::Fixed(0.0)),
        (RATE, HyperPrior::Lognormal { median: 1.0, sigma: 0.0 }),
        (RATE, HyperPrior::Lognormal { median: 1.0, sigma: 11.0 }),
    ] {
        assert!(matches!(bad(rate, heterogeneity), IncidenceError::Parameter { .. }));
    }
    // A lower bound alone does not limit a rate; a proper prior does.
    let open = [cell(1e5, AtLeast { min: 3 })];
    let common = CountOptions { unlocated: Unlocated::Fixed(0.0), ..CountOptions::default() };
    assert_eq!(CountModel::prepare(&open, None, &common).unwrap_err(), IncidenceError::RateUnbounded);
    let proper =
        hierarchy(HyperPrior::Lognormal { median: 1e-5, sigma: 1.0 }, HETEROGENEITY, Unlocated::Fixed(0.0));
    let model = CountModel::prepare(&open, None, &proper).unwrap();
    assert!((0..50).all(|i| model.draw(&mut rng(i)).located[0] >= 3));
}

#[test]
fn without_over_dispersion_the_posterior_is_that_of_the_prior_cut_off() {
    // Counts in proportion to exposure under a known rate: only small κ fit, whatever its size.
    let cells: Vec<_> = (1..=40).map(|i| cell(1e4 * f64::from(i), Exact(5 * i))).collect();
    let prior = HyperPrior::Lognormal { median: 1e-3, sigma: 3.0 };
    let options = hierarchy(HyperPrior::Fixed(5e-4), prior, Unlocated::Fixed(0.0));
    let model = CountModel::prepare(&cells, None, &options).unwrap();
    let mut rng = rng(63);
    let mut ln: Vec<f64> = (0..4_000).map(|_| model.draw(&mut rng).heterogeneity.ln()).collect();
    ln.sort_by(f64::total_cmp);
    // By quadrature over ln κ, with the likelihood written for small κ: ln Γ(α+y)/Γ(α) − y ln α = Σ ln(1 + j/α).
    let density = |x: f64| {
        let alpha = (-2.0 * x).exp();
        let of = |c: &CountCell| {
            let (y, mean) = (c.datum.min(), 5e-4 * c.exposure);
            let rising: f64 = (0..y).map(|j| (f64::from(j) / alpha).ln_1p()).sum();
            rising - (alpha + f64::from(y)) * (mean / alpha).ln_1p()
        };
        -0.5 * ((x - 1e-3_f64.ln()) / 3.0).powi(2) + cells.iter().map(of).sum::<f64>()
    };
    let grid: Vec<f64> = (0..4_000).map(|i| -20.0 + 22.0 * (f64::from(i) + 0.5) / 4_000.0).collect();
    let highest = grid.iter().map(|x| density(*x)).fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = grid.iter().map(|x| (density(*x) - highest).exp()).collect();
    let all: f64 = weights.iter().sum();
    for (q, place) in [(0.05, 200), (0.5, 2_000), (0.95, 3_800)] {
        let mut sum = 0.0;
        let expected = grid.iter().zip(&weights).find(|(_, w)| {
            sum += *w;
            sum >= q * all
        });
        let (expected, got) = (*expected.unwrap().0, ln[place]);
        assert!((got - expected).abs() < 0.35, "{q}: {got} is not {expected}");
    }
}

#[test]
fn levelled_rates_have_the_law_of_thinned_rates() {
    let cells = [cell(2.5e5, Exact(40)), cell(2.5e5, Exact(0))];
    let model = prepare(&cells, None, RateModel::Gamma { alpha: 1.0, beta: 1e5 }, 0.0);
    let model = model.levelled(vec![0.1, 0.1]).unwrap();
    let mut rng = rng(64);
    let draws: Vec<_> = (0..4_000).map(|_| model.draw(&mut rng)).collect();
    let mean = |m: usize| draws.iter().map(|d| d.levelled.as_ref().unwrap().rate[m]).sum::<f64>() / 4_000.0;
    // T' ~ Bin(40, 0.1), θ' ~ Gamma(1 + T', 1e6 + 2.5e5); of none there is none to thin.
    assert!((mean(0) / (5.0 / 1.25e6) - 1.0).abs() < 0.05, "{}", mean(0));
    assert!((mean(1) / (1.0 / 1.25e6) - 1.0).abs() < 0.06, "{}", mean(1));
    assert!(draws.iter().all(|d| d.guiding_counts()[0] <= 40 && d.guiding_counts()[1] == 0));
}

#[test]
fn large_totals_and_wide_intervals_are_prepared_and_drawn() {
    let options = hierarchy(
        HyperPrior::Lognormal { median: 1e-5, sigma: 3.0 },
        HETEROGENEITY,
        Unlocated::Beta { a: 1.0, b: 9.0 },
    );
    let cells: Vec<_> = (0..60).map(|i| cell(1e5 * f64::from(1 + i % 7), interval(1, 40 + 7 * i))).collect();
    let model = CountModel::prepare(&cells, Some(4_000), &options).unwrap();
    assert!(model.points() >= 4);
    for stream in 0..20 {
        let draw = model.draw(&mut rng(stream));
        assert_eq!(draw.total.iter().sum::<u32>(), 4_000);
        assert!(
            draw.located
                .iter()
                .zip(&cells)
                .all(|(y, c)| *y >= 1 && c.datum.max().is_some_and(|max| *y <= max))
        );
    }
}

#[test]
fn cases_without_a_place_are_a_datum() {
    let exact = [cell(1.0, Exact(3)), cell(2.0, Exact(1)), cell(0.5, Exact(0)), cell(4.0, Exact(6))];
    let given = |number| CountOptions {
        unlocated_cases: Some(number),
        ..hierarchy(RATE, HETEROGENEITY, Unlocated::Beta { a: 2.0, b: 4.0 })
    };
    let means = |model: &CountModel| {
        let points: Vec<_> = (0..model.points()).map(|i| model.point(i).unwrap()).collect();
        let mean = |f: &dyn Fn(f64, f64, f64) -> f64| {
            points.iter().map(|p| p.weight * f(p.law.unwrap().0, p.law.unwrap().1, p.pi)).sum::<f64>()
        };
        [mean(&|a, b, _| (a / b).ln()), mean(&|a, _, _| -0.5 * a.ln()), mean(&|_, _, pi| pi)]
    };
    let alone = CountOptions { unlocated_cases: None, ..given(0) };
    // Where each count is a number, the total says the same.
    for number in [0, 1, 7] {
        let aside = CountModel::prepare(&exact, None, &given(number)).unwrap();
        let total = CountModel::prepare(&exact, Some(10 + number), &alone).unwrap();
        for (a, b) in means(&aside).iter().zip(means(&total)) {
            assert!((a - b).abs() < 0.01, "{number}: {:?} {:?}", means(&aside), means(&total));
        }
    }
    let open =
        [cell(1.0, interval(1, 5)), cell(2.0, Exact(2)), cell(0.5, OPEN), cell(4.0, AtLeast { min: 3 })];
    let mut rng = rng(44);
    for rates in [given(9).rates, RateModel::Common, RateModel::Gamma { alpha: 0.7, beta: 0.4 }] {
        let model = CountModel::prepare(&open, None, &CountOptions { rates, ..given(9) }).unwrap();
        for _ in 0..200 {
            let draw = model.draw(&mut rng);
            assert_eq!(draw.unlocated, 9, "{rates:?}");
            assert!((1..=5).contains(&draw.located[0]) && draw.located[1] == 2 && draw.located[3] >= 3);
            assert!(draw.pi > 0.0 && draw.pi < 1.0 && draw.rate.iter().all(|r| r.is_finite()));
        }
    }
    // Many of them say that the share is large.
    let share = |number| means(&CountModel::prepare(&open, None, &given(number)).unwrap())[2];
    assert!(share(0) < share(9) && share(9) < share(60), "{} {} {}", share(0), share(9), share(60));
}

#[test]
fn preparation_stops_when_told() {
    let stop = std::sync::atomic::AtomicBool::new(true);
    let cells = [cell(1.0, Exact(3)), cell(2.0, interval(0, 4))];
    let options = hierarchy(RATE, HETEROGENEITY, Unlocated::Beta { a: 2.0, b: 4.0 });
    let stopped = CountModel::prepare_until(&cells, Some(9), &options, &stop).unwrap_err();
    assert_eq!(stopped, IncidenceError::Interrupted);
    let adjacency = [vec![1], vec![0]];
    let bym2 = CountModel::bym2(&cells, None, None, &adjacency, &Bym2Options::default(), &stop);
    assert_eq!(bym2.unwrap_err(), IncidenceError::Interrupted);
}

#[test]
fn rates_of_neighbours_take_the_cases_without_a_place_too() {
    let cells = [cell(1.0, Exact(3)), cell(2.0, interval(0, 4)), cell(1.5, OPEN)];
    let adjacency = [vec![1], vec![0, 2], vec![1]];
    let stop = std::sync::atomic::AtomicBool::new(false);
    let options = Bym2Options { warm_up: 100, samples: 100, chains: 2, ..Bym2Options::default() };
    let model = CountModel::bym2(&cells, None, Some(12), &adjacency, &options, &stop).unwrap();
    let (mut rng, mut mean) = (rng(45), 0.0);
    for _ in 0..100 {
        let draw = model.draw(&mut rng);
        assert_eq!(draw.unlocated, 12);
        assert_eq!(draw.total.iter().sum::<u32>(), 12 + draw.located.iter().sum::<u32>());
        assert_eq!(draw.located[0], 3);
        mean += draw.pi / 100.0;
    }
    // Beta(1 + 12, 9 + some ten); its prior's mean is 0.1.
    assert!((0.3..0.5).contains(&mean), "{mean}");
}

#[test]
fn a_total_and_the_cases_without_a_place_leave_the_located_ones() {
    let cells =
        [cell(1.0, interval(1, 30)), cell(2.0, Exact(2)), cell(0.5, OPEN), cell(4.0, AtLeast { min: 3 })];
    let given = |number, rates| CountOptions {
        unlocated_cases: Some(number),
        rates,
        ..hierarchy(RATE, HETEROGENEITY, Unlocated::Beta { a: 1.0, b: 9.0 })
    };
    let own = given(0, RateModel::Common).rates;
    let laws = [own, hierarchy(RATE, HETEROGENEITY, Unlocated::Fixed(0.1)).rates];
    let mut rng = rng(46);
    for rates in laws {
        let model = CountModel::prepare(&cells, Some(60), &given(25, rates)).unwrap();
        let (mut pi, n) = (0.0, 400);
        for _ in 0..n {
            let draw = model.draw(&mut rng);
            assert_eq!(
                (draw.total.iter().sum::<u32>(), draw.located.iter().sum::<u32>()),
                (60, 35),
                "{rates:?}"
            );
            assert_eq!(draw.unlocated, 25);
            pi += draw.pi / f64::from(n);
        }
        // Beta(1 + 25, 9 + 35).
        assert!((pi - 26.0 / 70.0).abs() < 0.02, "{pi}");
        // What is left must fit the bounds.
        let none = CountModel::prepare(&cells, Some(60), &given(58, rates)).unwrap_err();
        assert_eq!(none, IncidenceError::LocatedImpossible { total: 60, cases: 58, lower: 6, upper: None });
    }
    let adjacency = [vec![1], vec![0, 2], vec![1, 3], vec![2]];
    let stop = std::sync::atomic::AtomicBool::new(false);
    let options = Bym2Options { warm_up: 100, samples: 100, chains: 2, ..Bym2Options::default() };
    let model = CountModel::bym2(&cells, Some(60), Some(25), &adjacency, &options, &stop).unwrap();
    let draw = model.draw(&mut rng);
    assert_eq!((draw.total.iter().sum::<u32>(), draw.unlocated), (60, 25));
}
