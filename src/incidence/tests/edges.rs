//! Impossible constraints are named; extreme ones neither panic nor give a NaN.

use super::{CountModel, OPEN, RateModel, Unlocated, assert_close, cell, interval, options, prepare, rng};
use crate::incidence::{
    CellWeights, ConvolutionFilter, CountCell, CountOptions, GammaCell, IncidenceError, MAX_COUNT,
};
use crate::model::incidence::CountDatum;

const GAMMA: RateModel = RateModel::Gamma { alpha: 0.5, beta: 10.0 };

fn fault(cells: &[CountCell], total: Option<u32>, options: &CountOptions) -> IncidenceError {
    CountModel::prepare(cells, total, options).unwrap_err()
}

#[test]
fn impossible_constraints_are_named() {
    let common = options(RateModel::Common, 0.0);
    let high = [cell(1.0, interval(4, 6)), cell(1.0, CountDatum::Exact(5))];
    for pi in [0.0, 0.4] {
        let error = fault(&high, Some(8), &options(RateModel::Common, pi));
        assert_eq!(error, IncidenceError::LowerBoundsAboveTotal { lower: 9, total: 8 });
    }
    for rates in [RateModel::Common, GAMMA] {
        let error = fault(&high, Some(12), &options(rates, 0.0));
        assert_eq!(error, IncidenceError::UpperBoundsBelowTotal { upper: 11, total: 12 });
        assert!(CountModel::prepare(&high, Some(12), &options(rates, 0.01)).is_ok());
    }
    let crossed = [cell(1.0, OPEN), cell(1.0, interval(5, 3))];
    assert_eq!(fault(&crossed, None, &common), IncidenceError::BoundsCrossed { cell: 1, min: 5, max: 3 });
    let empty_place = [cell(1.0, OPEN), cell(0.0, CountDatum::Exact(2))];
    let error = fault(&empty_place, Some(9), &common);
    assert_eq!(error, IncidenceError::CasesWithoutExposure { cell: 1, min: 2 });
    assert_eq!(fault(&[], Some(1), &common), IncidenceError::NoCells);
    assert_eq!(fault(&[cell(0.0, OPEN)], Some(1), &common), IncidenceError::NoExposure);
    assert_eq!(fault(&[cell(1.0, OPEN)], None, &common), IncidenceError::RateUnbounded);
    for exposure in [-1.0, f64::NAN, f64::INFINITY, 1e-9, 1e13] {
        let error = fault(&[cell(exposure, OPEN)], Some(1), &common);
        assert!(matches!(error, IncidenceError::Exposure { cell: 0, .. }), "{error}");
    }
}

#[test]
fn a_place_without_exposure_cannot_absorb_the_total() {
    let cells = [cell(1.0, interval(0, 3)), cell(0.0, OPEN)];
    let error = fault(&cells, Some(4), &options(RateModel::Common, 0.0));
    assert_eq!(error, IncidenceError::UpperBoundsBelowTotal { upper: 3, total: 4 });
}

#[test]
fn sizes_and_parameters_have_limits() {
    let common = options(RateModel::Common, 0.0);
    let one = [cell(1.0, OPEN)];
    let too_large = |error| matches!(error, IncidenceError::TooLarge { .. });
    assert!(too_large(fault(&one, Some(MAX_COUNT + 1), &common)));
    assert_eq!(
        fault(&[cell(1.0, OPEN), cell(1.0, CountDatum::Exact(u32::MAX))], None, &common),
        IncidenceError::CountTooLarge { cell: 1, count: u32::MAX, limit: MAX_COUNT }
    );
    let with = |cases, unlocated| CountOptions {
        unlocated_cases: Some(cases),
        unlocated: Unlocated::Fixed(unlocated),
        ..common
    };
    assert!(too_large(fault(&one, None, &with(MAX_COUNT + 1, 0.1))));
    let one_case = [cell(1.0, CountDatum::Exact(1))];
    assert_eq!(fault(&one_case, None, &with(3, 0.0)), IncidenceError::UnlocatedExcluded { cases: 3 });
    CountModel::prepare(&one_case, None, &with(0, 0.0)).unwrap();
    assert!(too_large(fault(&vec![cell(1.0, OPEN); 20_000], Some(1), &common)));
    assert!(too_large(fault(&vec![cell(1.0, OPEN); 9_000], Some(MAX_COUNT), &options(GAMMA, 0.1))));
    assert!(too_large(fault(&[cell(1e-6, CountDatum::Exact(9)), cell(1e12, OPEN)], None, &common)));
    let wrong = |unlocated, rates, pi_points| {
        let options = CountOptions { unlocated, rates, pi_points, ..CountOptions::default() };
        matches!(fault(&one, Some(1), &options), IncidenceError::Parameter { .. })
    };
    for pi in [-0.1, 1.0, f64::NAN, 1e-300] {
        assert!(wrong(Unlocated::Fixed(pi), RateModel::Common, 17));
    }
    assert!(wrong(Unlocated::Beta { a: 0.0, b: 1.0 }, RateModel::Common, 17));
    assert!(wrong(Unlocated::Beta { a: 1.0, b: f64::INFINITY }, RateModel::Common, 17));
    assert!(wrong(Unlocated::Beta { a: 1.0, b: 1.0 }, RateModel::Common, 0));
    assert!(wrong(Unlocated::Fixed(0.0), RateModel::Gamma { alpha: 0.0, beta: 1.0 }, 17));
}

#[test]
fn extreme_values_stay_finite() {
    let wide = Unlocated::Beta { a: 0.01, b: 0.01 };
    let scenes: Vec<(Vec<CountCell>, Option<u32>)> = vec![
        (vec![cell(1.0, OPEN)], Some(0)),
        (vec![cell(1e-6, OPEN)], Some(MAX_COUNT)),
        (vec![cell(1e12, interval(7, 7))], Some(7)),
        (vec![cell(1e-6, interval(0, 9)), cell(1e12, interval(0, 9))], Some(17)),
        (vec![cell(1e-6, interval(9, 9)), cell(1e12, interval(0, 9))], Some(18)),
        (vec![cell(1e-6, interval(0, 9)), cell(1e12, interval(0, 9)), cell(0.0, OPEN)], Some(18)),
        (vec![cell(5e5, interval(50_000, 150_000)), cell(1e6, interval(0, 150_000))], Some(MAX_COUNT)),
        (vec![cell(3.0, CountDatum::Exact(0))], None),
        (vec![cell(1e-6, CountDatum::Exact(3)), cell(2.0, interval(0, MAX_COUNT))], None),
        (vec![cell(1.0, CountDatum::Exact(MAX_COUNT)), cell(1.0, interval(0, 3))], None),
        (vec![cell(1e6, interval(0, MAX_COUNT))], None),
        ((0..200).map(|i| cell(10.0_f64.powi(i % 18 - 6), interval(0, 14))).collect(), Some(2799)),
    ];
    for (cells, total) in scenes {
        for rates in [RateModel::Common, GAMMA] {
            for unlocated in [Unlocated::Fixed(0.0), Unlocated::Fixed(0.3), wide] {
                let options = CountOptions { unlocated, rates, pi_points: 3, ..CountOptions::default() };
                let model = match CountModel::prepare(&cells, total, &options) {
                    Ok(model) => model,
                    Err(IncidenceError::TooLarge { .. }) => continue,
                    Err(error) => panic!("{cells:?} {total:?} {options:?}: {error}"),
                };
                let mut rng = rng(30);
                for _ in 0..5 {
                    let draw = model.draw(&mut rng);
                    assert!(draw.rate.iter().all(|r| r.is_finite()), "{cells:?} {draw:?}");
                    assert!(draw.common_rate.is_finite());
                    if let Some(total) = total {
                        assert_eq!(draw.total.iter().sum::<u32>(), total);
                    }
                    for (y, cell) in draw.located.iter().zip(&cells) {
                        assert!(*y >= cell.datum.min() && cell.datum.max().is_none_or(|max| *y <= max));
                    }
                }
                for i in 0..model.points() {
                    let means = model.expected_totals(i).unwrap();
                    assert!(means.iter().all(|m| m.is_finite()), "{cells:?} {options:?} {means:?}");
                    let likelihood = model.log_likelihood(i, 1e-4).unwrap();
                    assert!(likelihood.is_finite(), "{cells:?} {options:?} {likelihood}");
                }
            }
        }
    }
}

#[test]
fn tables_refuse_what_is_no_law() {
    assert_eq!(CellWeights::new(0, vec![]), Err(IncidenceError::Impossible));
    assert_eq!(CellWeights::new(0, vec![f64::NAN, 0.0]), Err(IncidenceError::Impossible));
    assert_eq!(CellWeights::new(3, vec![f64::NEG_INFINITY]), Err(IncidenceError::Impossible));
    assert!(CellWeights::new(u32::MAX, vec![0.0]).is_err());
    assert!(CellWeights::poisson(0.0, 1, 4).is_err());
    let empty = GammaCell { exposure: 0.0, min: 1, max: None, alpha: 1.0, beta: 1.0, pi: 0.0 };
    assert_eq!(CellWeights::gamma(&empty, None), Err(IncidenceError::Impossible));
    // Only even counts: an odd total has no configuration, though the bounds leave room for it.
    let even = CellWeights::new(0, vec![0.0, f64::NEG_INFINITY, 0.0]).unwrap();
    let error = ConvolutionFilter::new(&[even.clone(), even], Some(3)).unwrap_err();
    assert_eq!(error, IncidenceError::Impossible);
}

#[test]
fn a_lower_bound_alone_holds_in_every_draw() {
    let at_least = |min| CountDatum::AtLeast { min };
    let cells = [cell(1.0, CountDatum::Exact(2)), cell(1.0, at_least(9)), cell(2.0, OPEN)];
    for rates in [RateModel::Common, RateModel::Gamma { alpha: 1.5, beta: 0.5 }] {
        for (total, pi) in [(None, 0.0), (None, 0.2), (Some(20), 0.0), (Some(20), 0.2)] {
            let model = prepare(&cells, total, rates, pi);
            for stream in 0..300 {
                let located = model.draw(&mut rng(stream)).located;
                assert!(located[0] == 2 && located[1] >= 9, "{rates:?} {total:?} {pi}: {located:?}");
            }
        }
        // With a total it is the interval up to the total.
        let closed = [cells[0], cell(1.0, interval(9, 20)), cells[2]];
        let [open, closed] =
            [&cells, &closed].map(|cells| prepare(cells, Some(20), rates, 0.2).expected_totals(0).unwrap());
        assert_close(&open, &closed, 1e-12);
    }
    // Lower bounds alone do not say how high the rate may be.
    let alone = [cell(1.0, at_least(9)), cell(1.0, OPEN)];
    let refused = CountModel::prepare(&alone, None, &options(RateModel::Common, 0.0));
    assert!(matches!(refused, Err(IncidenceError::RateUnbounded)));
}
