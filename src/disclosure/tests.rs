//! What can be worked out from a release, by a calculator of its own.

use proptest::prelude::*;

use super::cells::{Release, release};
use crate::model::incidence::CountDatum::{self, AtLeast, Exact, Interval, Unknown};

/// The tightest bounds of cell `i` that follow from everything that is released: the other cells' bounds and
/// the total, of which any part from 0 on (`all_located`: no part) has no municipality. Found by trying
/// values, not by a formula. `None` where nothing fits.
fn bounds(release: &Release, i: usize, all_located: bool, cap: u32) -> Option<(u32, u32)> {
    let ends = |d: &CountDatum| match *d {
        Exact(n) => (n, n),
        Interval { min, max } => (min, max),
        AtLeast { min } => (min, cap),
        Unknown { max } => (0, max.unwrap_or(cap)),
    };
    let (own_low, own_high) = ends(&release.data[i]);
    let fits = |value: &u32| {
        let Some(total) = release.total else { return true };
        let others = || release.data.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, d)| ends(d));
        let least: u64 = u64::from(*value) + others().map(|e| u64::from(e.0)).sum::<u64>();
        let most: u64 = u64::from(*value) + others().map(|e| u64::from(e.1)).sum::<u64>();
        least <= u64::from(total) && (!all_located || most >= u64::from(total))
    };
    let fitting: Vec<u32> = (own_low..=own_high).filter(fits).collect();
    Some((*fitting.first()?, *fitting.last()?))
}

fn datum() -> impl Strategy<Value = CountDatum> {
    prop_oneof![
        4 => (0..40_u32).prop_map(Exact),
        2 => (15..400_u32).prop_map(Exact),
        3 => (0..30_u32, 0..30_u32).prop_map(|(a, b)| Interval { min: a.min(b), max: a.max(b) }),
        1 => (0..30_u32).prop_map(|min| AtLeast { min }),
        2 => proptest::option::of(0..60_u32).prop_map(|max| Unknown { max }),
    ]
}

/// Data, values that agree with it, and a total with some unlocated cases.
fn state() -> impl Strategy<Value = (Vec<CountDatum>, Vec<u32>, u32, u32)> {
    let cells = prop::collection::vec((datum(), any::<prop::sample::Index>()), 1..10);
    (cells, prop_oneof![2 => Just(0), 3 => 0..80_u32], 11..25_u32).prop_map(|(cells, unlocated, k)| {
        let value = |(datum, pick): &(CountDatum, prop::sample::Index)| {
            let (low, high) = (datum.min(), datum.max().unwrap_or(40));
            low + u32::try_from(pick.index((high - low + 1) as usize)).unwrap()
        };
        let values: Vec<u32> = cells.iter().map(value).collect();
        let total = values.iter().sum::<u32>() + unlocated;
        (cells.into_iter().map(|c| c.0).collect(), values, total, k)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_cell_can_be_bounded_more_tightly_than_its_band((data, values, total, k) in state()) {
        let out = release(&data, Some(total), k);
        for (i, (datum, &value)) in out.data.iter().zip(&values).enumerate() {
            match *datum {
                Exact(n) => prop_assert!(n == value && n >= k, "{:?}", out),
                Interval { min, max } => {
                    prop_assert!(min <= value && value <= max, "the truth is inside");
                    // Counts below k, and what is withheld to protect them, may be zero.
                    if data[i].min() < k || out.complementary.contains(&i) {
                        prop_assert_eq!(min, 0);
                    }
                    prop_assert!(max - min >= k - 1);
                    for all_located in [false, true] {
                        if let Some(tight) = bounds(&out, i, all_located, 1_000) {
                            prop_assert_eq!(tight, (min, max), "cell {} of {:?}", i, &out);
                        }
                    }
                }
                AtLeast { min } => {
                    prop_assert!(min <= value && (data[i].min() >= k || min == 0), "{:?}", out);
                    for all_located in [false, true] {
                        if let Some(tight) = bounds(&out, i, all_located, 1_000) {
                            prop_assert!(tight.0 == min && tight.1 >= min + k - 1, "cell {} of {:?}", i, &out);
                        }
                    }
                }
                Unknown { max } => {
                    let bound = data[i].max();
                    prop_assert_eq!(max.is_none(), bound.is_none());
                    prop_assert!(max.is_none_or(|m| m >= k - 1 && Some(m) >= bound), "{:?}", out);
                    let need = k - 1;
                    for all_located in [false, true] {
                        if let Some(tight) = bounds(&out, i, all_located, 1_000) {
                            prop_assert!(tight.0 == 0 && tight.1 >= need, "cell {} of {:?}", i, &out);
                        }
                    }
                }
            }
        }
        // Published numbers that did not have to go stay.
        for (i, datum) in data.iter().enumerate() {
            if let Exact(n) = *datum && n >= k && !out.complementary.contains(&i) {
                prop_assert_eq!(out.data[i], *datum);
            }
        }
        prop_assert!(out.total.is_none_or(|t| t == total && t >= k));
        prop_assert!(out.total.is_some() || out.complementary.is_empty());
    }

    #[test]
    fn what_is_released_of_a_cell_below_k_does_not_depend_on_it(
        (data, _, _, k) in state(),
        which in any::<prop::sample::Index>(),
        a in 0..11_u32,
        b in 0..11_u32,
    ) {
        let with = |n: u32| {
            let mut data = data.clone();
            let i = which.index(data.len());
            data[i] = Exact(n);
            release(&data, None, k)
        };
        prop_assert_eq!(with(a), with(b));
    }
}

#[test]
fn the_programmes_figures() {
    let mut data = vec![Exact(224), Exact(92), Exact(24), Exact(23), Exact(16), Exact(15)];
    data.extend([Interval { min: 1, max: 14 }; 11]);
    data.extend([Unknown { max: Some(14) }; 107]);
    let out = release(&data, Some(645), 15);
    assert_eq!((out.total, out.complementary.len()), (Some(645), 0));
    for (i, datum) in data.iter().enumerate() {
        let expected = if i < 6 { (datum.min(), datum.min()) } else { (0, 14) };
        for all_located in [false, true] {
            assert_eq!(bounds(&out, i, all_located, 645), Some(expected), "cell {i}");
        }
    }
    // With a higher threshold the small published counts become bands too.
    let out = release(&data, Some(645), 25);
    assert_eq!(out.data[2], Interval { min: 0, max: 24 });
    assert_eq!(out.data[1], Exact(92));
}

#[test]
fn a_small_total_is_a_small_count() {
    assert_eq!(release(&[Unknown { max: None }; 5], Some(14), 15).total, None);
    assert_eq!(release(&[Unknown { max: None }; 5], Some(15), 15).total, Some(15));
}

#[test]
fn what_is_left_for_an_unknown_cell_is_not_given_away() {
    // 53 − 20 − 30: at most three could be there.
    assert_eq!(release(&[Exact(20), Exact(30), Unknown { max: Some(14) }], Some(53), 15).total, None);
    let wide = release(&[Exact(20), Exact(30), Unknown { max: Some(14) }], Some(90), 15);
    assert_eq!((wide.total, wide.complementary.len()), (Some(90), 0));
}

#[test]
fn a_total_far_above_all_bands_narrows_nothing() {
    // Most cases have no municipality: the total says nothing of the band.
    let out = release(&[Exact(57), Exact(3)], Some(500), 15);
    assert_eq!((out.total, out.complementary.len()), (Some(500), 0));
}
