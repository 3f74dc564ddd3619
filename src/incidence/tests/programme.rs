//! The figures of the Programme, 2009–2020.

use super::{CountCell, CountModel, CountOptions, HyperPrior, RateModel, Unlocated, cell, options, rng};
use crate::model::incidence::CountDatum;

/// Municipality (CVEGEO less 07000) and population, INEGI, Censo de Población y Vivienda 2020.
const POPULATION: [(u32, u32); 124] = [
    (1, 17_994),
    (2, 21_187),
    (3, 26_899),
    (4, 36_160),
    (5, 24_512),
    (6, 31_735),
    (7, 11_283),
    (8, 31_947),
    (9, 41_135),
    (10, 7_365),
    (11, 20_157),
    (12, 64_632),
    (13, 37_263),
    (14, 24_273),
    (15, 50_112),
    (16, 17_619),
    (17, 88_106),
    (18, 9_900),
    (19, 166_178),
    (20, 49_920),
    (21, 22_192),
    (22, 21_915),
    (23, 101_967),
    (24, 13_678),
    (25, 7_472),
    (26, 47_371),
    (27, 112_075),
    (28, 6_156),
    (29, 5_402),
    (30, 36_785),
    (31, 137_262),
    (32, 30_896),
    (33, 7_245),
    (34, 80_897),
    (35, 14_556),
    (36, 7_701),
    (37, 36_333),
    (38, 22_975),
    (39, 27_893),
    (40, 53_242),
    (41, 46_409),
    (42, 11_377),
    (43, 10_961),
    (44, 28_999),
    (45, 6_284),
    (46, 41_063),
    (47, 24_966),
    (48, 21_807),
    (49, 31_259),
    (50, 5_232),
    (51, 46_130),
    (52, 141_027),
    (53, 7_901),
    (54, 28_250),
    (55, 5_876),
    (56, 13_755),
    (57, 76_398),
    (58, 4_765),
    (59, 234_661),
    (60, 14_088),
    (61, 97_397),
    (62, 18_469),
    (63, 3_983),
    (64, 54_932),
    (65, 132_265),
    (66, 26_391),
    (67, 12_266),
    (68, 31_919),
    (69, 51_193),
    (70, 12_263),
    (71, 30_297),
    (72, 29_636),
    (73, 10_866),
    (74, 44_829),
    (75, 28_829),
    (76, 29_889),
    (77, 64_251),
    (78, 215_874),
    (79, 41_793),
    (80, 25_937),
    (81, 52_935),
    (82, 15_518),
    (83, 19_092),
    (84, 8_561),
    (85, 10_890),
    (86, 25_627),
    (87, 41_672),
    (88, 2_308),
    (89, 353_706),
    (90, 4_547),
    (91, 13_592),
    (92, 21_426),
    (93, 48_162),
    (94, 49_499),
    (96, 83_505),
    (97, 91_913),
    (98, 7_211),
    (99, 83_111),
    (100, 38_025),
    (101, 604_147),
    (102, 41_024),
    (103, 30_302),
    (104, 16_560),
    (105, 16_008),
    (106, 67_292),
    (107, 65_643),
    (108, 109_536),
    (109, 40_285),
    (110, 7_526),
    (111, 45_373),
    (112, 37_948),
    (113, 8_480),
    (114, 23_603),
    (115, 14_714),
    (116, 12_892),
    (117, 8_412),
    (118, 6_047),
    (119, 4_959),
    (120, 4_315),
    (121, 8_718),
    (122, 15_587),
    (123, 10_783),
    (124, 23_847),
    (125, 11_650),
];

const TOTAL: u32 = 645;

const EXACT: [(u32, u32); 6] = [(101, 224), (89, 92), (78, 24), (34, 23), (65, 16), (27, 15)];

/// Named with lower incidence, without a figure.
const NAMED: [u32; 11] = [9, 19, 40, 97, 12, 69, 17, 37, 32, 2, 51];

fn cells() -> Vec<CountCell> {
    let datum = |code| match EXACT.iter().find(|(c, _)| *c == code) {
        Some((_, count)) => CountDatum::Exact(*count),
        None if NAMED.contains(&code) => CountDatum::Interval { min: 1, max: 14 },
        None => CountDatum::Unknown { max: Some(14) },
    };
    POPULATION.iter().map(|&(code, people)| cell(f64::from(people) * 12.0, datum(code))).collect()
}

/// Own rates, as a study has them by default.
fn hierarchy() -> CountOptions {
    let rates = RateModel::NegativeBinomial {
        rate: HyperPrior::Lognormal { median: 1e-5, sigma: 3.0 },
        heterogeneity: HyperPrior::Lognormal { median: 1.0, sigma: 0.7 },
    };
    CountOptions { unlocated: Unlocated::Beta { a: 1.0, b: 9.0 }, rates, ..CountOptions::default() }
}

fn models() -> Vec<CountModel> {
    let gamma = RateModel::Gamma { alpha: 1.0, beta: 1e5 };
    let mut options = vec![options(RateModel::Common, 0.0), options(gamma, 0.0), options(gamma, 0.2)];
    options[0].unlocated = Unlocated::Beta { a: 1.0, b: 9.0 };
    options.push(super::options(RateModel::Common, 0.0));
    options.push(hierarchy());
    options.iter().map(|o| CountModel::prepare(&cells(), Some(TOTAL), o).unwrap()).collect()
}

#[test]
fn the_population_is_that_of_the_census() {
    assert_eq!(POPULATION.iter().map(|(_, p)| p).sum::<u32>(), 5_543_828);
}

#[test]
fn every_draw_adds_up_and_stays_within_bounds() {
    let cells = cells();
    for model in models() {
        let mut rng = rng(20);
        for _ in 0..300 {
            let draw = model.draw(&mut rng);
            assert_eq!(draw.total.iter().sum::<u32>(), TOTAL);
            assert_eq!(draw.located.iter().sum::<u32>() + draw.unlocated, TOTAL);
            for ((y, t), cell) in draw.located.iter().zip(&draw.total).zip(&cells) {
                assert!(*y >= cell.datum.min() && cell.datum.max().is_none_or(|max| *y <= max) && y <= t);
            }
            let listed = |code: &u32| NAMED.contains(code) || EXACT.iter().any(|(c, _)| c == code);
            let elsewhere: u32 =
                POPULATION.iter().zip(&draw.located).filter(|((c, _), _)| !listed(c)).map(|(_, y)| y).sum();
            assert!(elsewhere + draw.unlocated >= 97, "{elsewhere} + {}", draw.unlocated);
            assert!(draw.rate.iter().all(|r| r.is_finite() && *r >= 0.0));
            assert!(draw.common_rate > 0.0 && (0.0..1.0).contains(&draw.pi));
        }
    }
}

#[test]
fn expected_totals_add_up_and_agree_with_draws() {
    let model = &models()[3];
    let expected = model.expected_totals(0).unwrap();
    assert!((expected.iter().sum::<f64>() - f64::from(TOTAL)).abs() < 1e-8);
    let mut rng = rng(21);
    let mut sums = vec![0.0; expected.len()];
    for _ in 0..4000 {
        for (sum, t) in sums.iter_mut().zip(model.draw(&mut rng).total) {
            *sum += f64::from(t);
        }
    }
    for (sum, mean) in sums.iter().zip(&expected) {
        assert!((sum / 4000.0 - mean).abs() < 0.3, "{} is not {mean}", sum / 4000.0);
    }
}

#[test]
fn the_same_stream_gives_the_same_draws() {
    let model = &models()[0];
    assert_eq!(model.draw(&mut rng(22)), model.draw(&mut rng(22)));
    assert_ne!(model.draw(&mut rng(22)), model.draw(&mut rng(23)));
}
