//! Reference values (exact enumeration, computed elsewhere), and rates.

use super::{OPEN, RateModel, assert_close, cell, interval, options, prepare, rng};
use crate::incidence::unimodal;
use crate::incidence::{CellWeights, ConvolutionFilter, CountModel, Unlocated, crude_rate, summarise};
use crate::model::incidence::CountDatum;

#[test]
fn poisson_cells_with_a_common_rate_have_the_reference_means() {
    let cells = [1.0, 2.0, 3.0].map(|e| cell(e, interval(1, 4)));
    let model = prepare(&cells, Some(7), RateModel::Common, 0.0);
    let expected = [1.660_574_412_5, 2.389_033_942_6, 2.950_391_644_9];
    assert_close(&model.expected_totals(0).unwrap(), &expected, 1e-10);
}

#[test]
fn gamma_cells_have_the_reference_means() {
    let cells = [1.0, 2.0, 3.0].map(|e| cell(e, interval(1, 4)));
    let model = prepare(&cells, Some(7), RateModel::Gamma { alpha: 1.0, beta: 1.0 }, 0.0);
    assert_close(&model.expected_totals(0).unwrap(), &[1.98883, 2.40742, 2.60375], 3e-6);
}

#[test]
fn a_truncated_poisson_has_the_reference_means() {
    for (mean, expected) in [(2.0, 2.313_035_23), (8.0, 7.864_917_58), (20.0, 12.612_043_22)] {
        assert_close(&[unimodal::poisson(mean, 1, 14).mean()], &[expected], 1e-9);
        let table = CellWeights::poisson(mean, 1, 14).unwrap();
        let filter = ConvolutionFilter::new(&[table], None).unwrap();
        assert_close(&filter.means(), &[expected], 1e-9);
        let mut rng = rng(1);
        let law = unimodal::poisson(mean, 1, 14);
        let drawn: f64 = (0..20_000).map(|_| f64::from(law.sample(&mut rng))).sum::<f64>() / 20_000.0;
        assert!((drawn - expected).abs() < 0.1, "{drawn} is not {expected}");
    }
}

#[test]
fn with_a_total_the_rate_has_its_conjugate_posterior() {
    let cells = [cell(2e5, interval(0, 30)), cell(3e5, OPEN)];
    let model = prepare(&cells, Some(40), RateModel::Common, 0.0);
    let mut rng = rng(2);
    let draws: Vec<f64> = (0..20_000).map(|_| model.draw(&mut rng).common_rate * 5e5).collect();
    let mean = crate::stats::mean(&draws).unwrap();
    let variance = draws.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / 20_000.0;
    // Gamma(40.5, 1): mean and variance 40.5.
    assert!((mean - 40.5).abs() < 0.2 && (variance - 40.5).abs() < 2.0, "{mean} {variance}");
}

#[test]
fn without_a_total_exact_counts_give_the_conjugate_posterior() {
    // Both counts are exact, so the grid must reproduce Gamma(½ + 12, 4e5/(1−π)) of λ.
    let cells = [cell(1e5, CountDatum::Exact(2)), cell(3e5, CountDatum::Exact(10)), cell(2e5, OPEN)];
    let model = prepare(&cells, None, RateModel::Common, 0.2);
    let rate = 12.5 / (4e5 * 0.8);
    let expected = [2.0 + 0.2 * rate * 1e5, 10.0 + 0.2 * rate * 3e5, rate * 2e5];
    assert_close(&model.expected_totals(0).unwrap(), &expected, 1e-6);
    let mut rng = rng(3);
    let scaled: Vec<f64> = (0..20_000).map(|_| model.draw(&mut rng).common_rate / rate * 12.5).collect();
    let mean = crate::stats::mean(&scaled).unwrap();
    let variance = scaled.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / 20_000.0;
    assert!((mean - 12.5).abs() < 0.12 && (variance - 12.5).abs() < 0.6, "{mean} {variance}");
}

#[test]
fn a_count_of_zero_gives_the_half_degree_posterior() {
    let cells = [cell(1.0, CountDatum::Exact(0)), cell(1.0, OPEN)];
    let model = prepare(&cells, None, RateModel::Common, 0.0);
    // E μ under Gamma(½, 1).
    assert_close(&model.expected_totals(0).unwrap(), &[0.0, 0.5], 1e-6);
}

#[test]
fn the_likelihood_without_a_total_is_that_of_the_bounds() {
    let cells = [cell(2.0, CountDatum::Exact(3)), cell(4.0, interval(0, 1)), cell(9.0, OPEN)];
    let model = prepare(&cells, None, RateModel::Common, 0.5);
    // Located means 2 and 4 at λ = 2: P(3; 2) · P(≤ 1; 4).
    let expected = (8.0 / 6.0 * (-2.0_f64).exp()).ln() + (5.0 * (-4.0_f64).exp()).ln();
    assert_close(&[model.log_likelihood(0, 2.0).unwrap()], &[expected], 1e-12);
    assert_eq!(model.log_likelihood(1, 2.0), None);
    assert_eq!(model.log_likelihood(0, f64::NAN), None);
}

#[test]
fn a_beta_prior_is_drawn_on_its_quantiles() {
    let mut options = options(RateModel::Common, 0.0);
    options.unlocated = Unlocated::Beta { a: 1.0, b: 1.0 };
    options.pi_points = 4;
    let model = CountModel::prepare(&[cell(1e5, OPEN)], Some(8), &options).unwrap();
    let pi: Vec<f64> = (0..model.points()).map(|i| model.point(i).unwrap().pi).collect();
    assert_close(&pi, &[0.125, 0.375, 0.625, 0.875], 1e-12);
    let mut rng = rng(4);
    let draws: Vec<_> = (0..400).map(|_| model.draw(&mut rng)).collect();
    for value in pi {
        let share = draws.iter().filter(|d| d.pi.to_bits() == value.to_bits()).count();
        assert!((60..140).contains(&share), "{share}");
    }
    assert!(draws.iter().all(|d| d.total == [8] && d.located[0] + d.unlocated == 8));
}

#[test]
fn summaries_speak_of_rates_per_hundred_thousand() {
    let cells = [cell(604_147.0 * 12.0, CountDatum::Exact(224)), cell(1e6, interval(0, 14))];
    assert_close(&[crude_rate(&cells[0]).unwrap()], &[3.0898], 1e-4);
    assert_eq!(crude_rate(&cells[1]), None);
    let model = prepare(&cells, Some(230), RateModel::Common, 0.0);
    let mut rng = rng(5);
    let draws: Vec<_> = (0..4000).map(|_| model.draw(&mut rng)).collect();
    let rows = summarise(&cells, &draws).unwrap();
    assert_close(&[rows[0].count_mean, rows[0].count_p05, rows[1].count_p95], &[224.0, 224.0, 6.0], 1e-12);
    // Gamma(224.5, E): mean 3.0967 and 5 % and 95 % quantiles near mean ∓ 1.645 sd.
    assert!((rows[0].rate_mean - 3.0967).abs() < 0.02, "{:?}", rows[0]);
    assert!(
        (rows[0].rate_p05 - 2.76).abs() < 0.03 && (rows[0].rate_p95 - 3.45).abs() < 0.03,
        "{:?}",
        rows[0]
    );
    // Of two, the one with the higher rate is above both together.
    assert!(rows[0].pr_above > 0.99, "{:?}", rows[0]);
    assert!((rows[0].pr_above + rows[1].pr_above - 1.0).abs() < 1e-12, "{rows:?}");
    assert!(summarise(&cells, &[]).is_err());
    assert!(summarise(&cells[..1], &draws).is_err());
}
