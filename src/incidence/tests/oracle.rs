//! Enumeration of every configuration of small cases, from the definition of the model: no thinning, no
//! convolution, factorials as products.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{CountModel, RateModel, assert_close, cell, interval, options, rng};
use crate::incidence::{CountCell, IncidenceError};
use crate::model::incidence::CountDatum;

/// Where cases have no total, counts above this carry no weight in the cases here.
const CEILING: u32 = 40;

type Configuration = (Vec<u32>, Vec<u32>);

fn law(rates: RateModel, lambda: f64, exposure: f64, t: u32) -> f64 {
    match rates {
        RateModel::Common => {
            let mean = lambda * exposure;
            (1..=t).fold((-mean).exp(), |p, k| p * mean / f64::from(k))
        }
        RateModel::Gamma { alpha, beta } => {
            let success = exposure / (beta + exposure);
            (1..=t).fold((1.0 - success).powf(alpha), |p, k| {
                p * success * (alpha + f64::from(k) - 1.0) / f64::from(k)
            })
        }
        RateModel::NegativeBinomial { .. } => unreachable!("hyperparameters are given here"),
    }
}

fn located(t: u32, y: u32, pi: f64) -> f64 {
    let choose = (1..=y).fold(1.0, |c, k| c * f64::from(t - y + k) / f64::from(k));
    choose * (1.0 - pi).powi(y.cast_signed()) * pi.powi((t - y).cast_signed())
}

/// Every configuration with its probability, not normalised.
fn enumerate(
    cells: &[CountCell],
    total: u32,
    (rates, lambda, pi): (RateModel, f64, f64),
) -> BTreeMap<Configuration, f64> {
    let mut open = vec![((Vec::new(), Vec::new()), 1.0)];
    for (i, cell) in cells.iter().enumerate() {
        let mut next = Vec::new();
        for ((ts, ys), p) in &open {
            let used: u32 = ts.iter().sum();
            let range = if i + 1 == cells.len() { total - used..=total - used } else { 0..=total - used };
            for t in range {
                for y in cell.datum.min()..=cell.datum.max().unwrap_or(t).min(t) {
                    let q = p * law(rates, lambda, cell.exposure, t) * located(t, y, pi);
                    if q > 0.0 {
                        let (mut ts, mut ys) = (ts.clone(), ys.clone());
                        ts.push(t);
                        ys.push(y);
                        next.push(((ts, ys), q));
                    }
                }
            }
        }
        open = next;
    }
    open.into_iter().collect()
}

fn means(configurations: &BTreeMap<Configuration, f64>, cells: usize) -> Vec<f64> {
    let sum: f64 = configurations.values().sum();
    (0..cells)
        .map(|i| configurations.iter().map(|((t, _), p)| f64::from(t[i]) * p).sum::<f64>() / sum)
        .collect()
}

fn datum() -> impl Strategy<Value = CountDatum> {
    prop_oneof![
        (0_u32..4).prop_map(CountDatum::Exact),
        (0_u32..4, 0_u32..5).prop_map(|(min, width)| interval(min, min + width)),
        proptest::option::of(0_u32..5).prop_map(|max| CountDatum::Unknown { max }),
    ]
}

fn cells() -> impl Strategy<Value = Vec<CountCell>> {
    proptest::collection::vec((0.05_f64..5.0, datum()).prop_map(|(e, d)| cell(e, d)), 1..5)
}

fn rates() -> impl Strategy<Value = RateModel> {
    prop_oneof![
        Just(RateModel::Common),
        (0.1_f64..4.0, 0.2_f64..4.0).prop_map(|(alpha, beta)| RateModel::Gamma { alpha, beta }),
    ]
}

fn pi() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), 0.01_f64..0.95]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn means_likelihood_and_faults_equal_the_enumeration(
        cells in cells(), total in 0_u32..10, rates in rates(), pi in pi(), lambda in 0.2_f64..3.0,
    ) {
        let all = enumerate(&cells, total, (rates, lambda, pi));
        let model = match CountModel::prepare(&cells, Some(total), &options(rates, pi)) {
            Ok(model) => model,
            Err(error) => {
                prop_assert!(all.is_empty(), "{error} but {} configurations", all.len());
                let named = matches!(error,
                    IncidenceError::LowerBoundsAboveTotal { .. } | IncidenceError::UpperBoundsBelowTotal { .. });
                prop_assert!(named, "{error}");
                return Ok(());
            }
        };
        prop_assert!(!all.is_empty());
        assert_close(&model.expected_totals(0).unwrap(), &means(&all, cells.len()), 1e-10);
        let likelihood = all.values().sum::<f64>().ln();
        assert_close(&[model.log_likelihood(0, lambda).unwrap()], &[likelihood], 1e-10);
        let mut rng = rng(6);
        for _ in 0..20 {
            let draw = model.draw(&mut rng);
            prop_assert!(all.contains_key(&(draw.total.clone(), draw.located.clone())), "{draw:?}");
            let unlocated: u32 = draw.total.iter().zip(&draw.located).map(|(t, y)| t - y).sum();
            prop_assert_eq!(draw.unlocated, unlocated);
        }
    }

    #[test]
    fn gamma_cells_without_a_total_equal_the_enumeration(
        exposure in 0.05_f64..1.0, datum in datum(), alpha in 0.1_f64..3.0, pi in 0.0_f64..0.5,
    ) {
        // β = 3 keeps the mass above the ceiling below 1e-9.
        let rates = RateModel::Gamma { alpha, beta: 3.0 };
        let pi = if pi < 0.1 { 0.0 } else { pi };
        let cells = [cell(exposure, datum)];
        let mut all = BTreeMap::new();
        for total in 0..=CEILING {
            all.extend(enumerate(&cells, total, (rates, 1.0, pi)));
        }
        let model = CountModel::prepare(&cells, None, &options(rates, pi)).unwrap();
        assert_close(&model.expected_totals(0).unwrap(), &means(&all, 1), 1e-8);
        let likelihood = all.values().sum::<f64>().ln();
        assert_close(&[model.log_likelihood(0, 1.0).unwrap()], &[likelihood], 1e-8);
    }
}

/// Pearson's statistic of joint draws (T, y) against the enumeration; configurations below five expected
/// draws are pooled.
fn chi_square(cells: &[CountCell], total: u32, rates: RateModel, pi: f64, stream: u64) {
    const DRAWS: u32 = 40_000;
    let model = CountModel::prepare(cells, Some(total), &options(rates, pi)).unwrap();
    let all = enumerate(cells, total, (rates, 1.0, pi));
    let sum: f64 = all.values().sum();
    let mut seen: BTreeMap<Configuration, u32> = BTreeMap::new();
    let mut rng = rng(stream);
    for _ in 0..DRAWS {
        let draw = model.draw(&mut rng);
        *seen.entry((draw.total, draw.located)).or_default() += 1;
    }
    let (mut statistic, mut classes) = (0.0, 0.0);
    let (mut pooled_seen, mut pooled_expected) = (0.0, 0.0);
    for (configuration, p) in &all {
        let expected = p / sum * f64::from(DRAWS);
        let found = f64::from(seen.remove(configuration).unwrap_or(0));
        if expected < 5.0 {
            pooled_seen += found;
            pooled_expected += expected;
        } else {
            statistic += (found - expected).powi(2) / expected;
            classes += 1.0;
        }
    }
    assert!(seen.is_empty(), "impossible draws: {seen:?}");
    if pooled_expected > 5.0 {
        statistic += (pooled_seen - pooled_expected).powi(2) / pooled_expected;
        classes += 1.0;
    }
    let freedom: f64 = classes - 1.0;
    // Four standard deviations above the mean: p below some 2e-4.
    let limit = freedom + 4.0 * (2.0 * freedom).sqrt();
    assert!(statistic < limit, "χ² = {statistic} on {freedom} degrees of freedom");
}

#[test]
fn draws_have_the_frequencies_of_the_enumeration() {
    let cells = [
        cell(1.0, interval(1, 3)),
        cell(2.0, CountDatum::Unknown { max: None }),
        cell(0.7, CountDatum::Exact(1)),
        cell(1.5, CountDatum::Unknown { max: Some(2) }),
    ];
    chi_square(&cells, 7, RateModel::Common, 0.0, 10);
    chi_square(&cells, 7, RateModel::Common, 0.3, 11);
    chi_square(&cells, 7, RateModel::Gamma { alpha: 0.6, beta: 2.0 }, 0.0, 12);
    chi_square(&cells, 7, RateModel::Gamma { alpha: 0.6, beta: 2.0 }, 0.3, 13);
    chi_square(&cells[2..], 5, RateModel::Common, 0.9, 14);
}
