use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Beta, Distribution, Poisson};

use super::convergence::Convergence;
use super::nuts::Density;
use super::options::Law;
use super::{Bym2Fit, Bym2Model, Bym2Options, Reading, SigmaPrior, adapt, normal};
use crate::incidence::icar::IcarField;
use crate::incidence::unimodal::floor;
use crate::incidence::{CountCell, IncidenceError, Unlocated};
use crate::model::incidence::CountDatum::{self, AtLeast, Exact, Interval, Unknown};

mod agreement;
mod sampler;

fn rng(stream: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(2_016);
    rng.set_stream(stream);
    rng
}

fn path(areas: usize) -> Vec<Vec<usize>> {
    (0..areas)
        .map(|i| [i.checked_sub(1), Some(i + 1).filter(|j| *j < areas)].into_iter().flatten().collect())
        .collect()
}

fn cells(data: &[(f64, CountDatum)]) -> Vec<CountCell> {
    data.iter().map(|(exposure, datum)| CountCell { exposure: *exposure, datum: *datum }).collect()
}

/// Short chains for tests that do not need many draws.
fn short() -> Bym2Options {
    Bym2Options { chains: 2, warm_up: 150, samples: 100, ..Bym2Options::default() }
}

/// Bounds and total hold in every draw.
fn assert_kept(fit: &Bym2Fit, cells: &[CountCell], total: Option<u32>) {
    for draw in 0..60 {
        let sample = usize::try_from(draw).unwrap() * fit.samples() / 60;
        let got = fit.draw(sample, &mut rng(draw));
        for (cell, y) in cells.iter().zip(&got.located) {
            assert!(*y >= cell.datum.min() && cell.datum.max().is_none_or(|max| *y <= max));
        }
        assert!(got.total.iter().zip(&got.located).all(|(t, y)| t >= y));
        let sum: u32 = got.total.iter().sum();
        assert_eq!(sum - got.located.iter().sum::<u32>(), got.unlocated);
        assert!(total.is_none_or(|total| total == sum));
        assert!(got.rate.iter().all(|r| *r > 0.0 && r.is_finite()));
    }
}

#[test]
fn bounds_and_total_hold_in_every_draw() {
    let data = [
        (1e5, Exact(9)),
        (2e5, Interval { min: 1, max: 14 }),
        (5e4, Unknown { max: Some(14) }),
        (1e5, AtLeast { min: 3 }),
        (3e5, Unknown { max: None }),
        (0.0, Unknown { max: None }),
        (1e5, Exact(0)),
    ];
    let cells = cells(&data);
    for (total, unlocated) in [
        (Some(40), Unlocated::Beta { a: 1.0, b: 9.0 }),
        (Some(13), Unlocated::Fixed(0.0)),
        (None, Unlocated::Beta { a: 2.0, b: 5.0 }),
        (None, Unlocated::Fixed(0.3)),
    ] {
        // Two parts and an island.
        let adjacency = [vec![1], vec![0], vec![3, 4], vec![2, 4], vec![2, 3], vec![6], vec![5]];
        let fit = Bym2Model::fit(&cells, total, &adjacency, &Bym2Options { unlocated, ..short() }).unwrap();
        assert_kept(&fit, &cells, total);
    }
}

#[test]
fn one_area_islands_and_zeros_are_no_special_cases() {
    let one = cells(&[(1e5, Exact(4))]);
    assert_kept(&Bym2Model::fit(&one, Some(6), &[vec![]], &short()).unwrap(), &one, Some(6));
    let islands = cells(&[(1e5, Exact(4)), (1e5, Exact(40)), (2e5, Unknown { max: Some(3) })]);
    let fit = Bym2Model::fit(&islands, None, &[vec![], vec![], vec![]], &short()).unwrap();
    assert_kept(&fit, &islands, None);
    let zeros = cells(&[(1e5, Exact(0)); 5]);
    let fit = Bym2Model::fit(&zeros, Some(0), &path(5), &short()).unwrap();
    assert_kept(&fit, &zeros, Some(0));
    let no_total = Bym2Model::fit(&zeros, None, &path(5), &short()).unwrap();
    assert!(no_total.rates().iter().flatten().all(|r| *r > 0.0));
}

#[test]
fn every_count_at_its_bound_is_no_special_case() {
    // The total leaves no room, from above and from below.
    let cells = cells(&[(1.0, Interval { min: 1, max: 4 }), (2.0, Interval { min: 2, max: 5 })]);
    let options = Bym2Options { unlocated: Unlocated::Fixed(0.0), ..short() };
    for total in [3, 9] {
        let fit = Bym2Model::fit(&cells, Some(total), &path(2), &options).unwrap();
        assert_kept(&fit, &cells, Some(total));
    }
}

#[test]
fn the_same_seed_gives_the_same_bits_on_any_number_of_threads() {
    let cells =
        cells(&[(1e5, Exact(9)), (2e5, Interval { min: 1, max: 14 }), (5e4, Unknown { max: Some(14) })]);
    let run = |threads: usize, seed: u64| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let options = Bym2Options { seed, chains: 4, warm_up: 60, samples: 40, ..Bym2Options::default() };
        pool.install(|| Bym2Model::fit(&cells, Some(30), &path(3), &options).unwrap())
    };
    let (one, four) = (run(1, 5), run(4, 5));
    assert_eq!(one.rates(), four.rates());
    assert_eq!(one.hyperparameters(), four.hyperparameters());
    assert_eq!(one.diagnostics(), four.diagnostics());
    assert_ne!(one.rates(), run(1, 6).rates());
}

#[test]
fn a_draw_has_the_rates_of_its_posterior_draw_and_counts_of_its_own() {
    let cells = cells(&[(1e5, Exact(9)), (2e5, Unknown { max: None })]);
    let fit = Bym2Model::fit(&cells, Some(30), &path(2), &short()).unwrap();
    assert_eq!((fit.samples(), fit.rates().len()), (200, 200));
    for (asked, sample) in [(0, 0), (4, 4), (199, 199), (201, 1)] {
        let got = fit.draw(asked, &mut rng(0));
        assert_eq!(got.rate, fit.rates()[sample]);
        assert_eq!(got.pi, fit.hyperparameters()[sample].pi);
    }
    // The same posterior draw with other random numbers has counts of its own.
    let counts: Vec<u32> = (0..10).map(|i| fit.draw(0, &mut rng(i)).total[1]).collect();
    assert!(counts.iter().any(|t| *t != counts[0]));
}

#[test]
fn what_cannot_be_fitted_has_a_typed_error() {
    let cells = cells(&[(1.0, Exact(9)), (2.0, Exact(3))]);
    let fit = |total, adjacency: &[Vec<usize>], options: &Bym2Options| {
        Bym2Model::fit(&cells, total, adjacency, options).map(|_| ()).unwrap_err()
    };
    let options = short();
    assert!(matches!(
        fit(Some(11), &path(2), &options),
        IncidenceError::LowerBoundsAboveTotal { lower: 12, total: 11 }
    ));
    assert!(matches!(fit(None, &path(3), &options), IncidenceError::ShapeMismatch { expected: 2, found: 3 }));
    assert!(matches!(fit(None, &[vec![1], vec![]], &options), IncidenceError::Adjacency { .. }));
    let known = Bym2Options { unlocated: Unlocated::Fixed(0.0), ..options };
    assert!(matches!(fit(Some(13), &path(2), &known), IncidenceError::UpperBoundsBelowTotal { .. }));
    for (name, options) in [
        ("chains", Bym2Options { chains: 0, ..options }),
        ("b0_sd", Bym2Options { b0_sd: f64::NAN, ..options }),
        ("scale", Bym2Options { sigma: SigmaPrior::HalfNormal { scale: 0.0 }, ..options }),
        ("phi_a", Bym2Options { phi_a: -1.0, ..options }),
        ("pi", Bym2Options { unlocated: Unlocated::Fixed(1.5), ..options }),
    ] {
        assert!(
            matches!(fit(None, &path(2), &options), IncidenceError::Parameter { name: n, .. } if n == name)
        );
    }
}

#[test]
fn options_are_plain_numbers_in_a_file() {
    let text = r#"{"unlocated": {"beta": {"a": 2.0, "b": 5.0}}, "sigma": {"penalised_complexity": {"upper": 1.0, "alpha": 0.01}}}"#;
    let options: Bym2Options = serde_json::from_str(text).unwrap();
    assert_eq!(options.unlocated, Unlocated::Beta { a: 2.0, b: 5.0 });
    assert_eq!(options.sigma, SigmaPrior::PenalisedComplexity { upper: 1.0, alpha: 0.01 });
    assert_eq!(options.chains, 4);
    let back: Bym2Options = serde_json::from_str(&serde_json::to_string(&options).unwrap()).unwrap();
    assert_eq!(back, options);
    assert!(serde_json::from_str::<Bym2Options>(r#"{"sgima": 1}"#).is_err());
}

/// Bounds, totals, exposures over twelve decades and graphs at random: a fit or a typed error, and what is drawn keeps
/// the bounds.
#[test]
fn random_problems_give_a_fit_or_a_typed_error() {
    let mut rng = rng(42);
    let mut fitted = 0;
    for case in 0..80_u32 {
        let n = rng.random_range(1..8_usize);
        let data: Vec<(f64, CountDatum)> = (0..n)
            .map(|_| {
                let exposure =
                    if rng.random_range(0..9) == 0 { 0.0 } else { 10_f64.powf(rng.random_range(-4.0..8.0)) };
                let (a, b) = (rng.random_range(0..40), rng.random_range(0..40));
                let datum = match rng.random_range(0..5) {
                    0 => Exact(a),
                    1 => Interval { min: a.min(b), max: a.max(b) },
                    2 => AtLeast { min: a },
                    3 => Unknown { max: Some(a) },
                    _ => Unknown { max: None },
                };
                (exposure, datum)
            })
            .collect();
        let mut adjacency = vec![Vec::new(); n];
        for i in 0..n {
            for j in 0..i {
                if rng.random_range(0..3) == 0 {
                    adjacency[i].push(j);
                    adjacency[j].push(i);
                }
            }
        }
        let lower: u32 = data.iter().map(|d| d.1.min()).sum();
        let total = (case % 3 > 0).then(|| lower + rng.random_range(0..60));
        let unlocated =
            if case % 2 == 0 { Unlocated::Fixed(0.0) } else { Unlocated::Beta { a: 0.5, b: 3.0 } };
        let options =
            Bym2Options { unlocated, chains: 1, warm_up: 30, samples: 20, ..Bym2Options::default() };
        let cells = cells(&data);
        if let Ok(fit) = Bym2Model::fit(&cells, total, &adjacency, &options) {
            fitted += 1;
            assert_kept(&fit, &cells, total);
        }
    }
    assert!(fitted > 30, "{fitted}");
}
