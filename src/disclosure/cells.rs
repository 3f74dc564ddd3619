//! Small counts: bands and complementary suppression.
//!
//! A count below `k` is released as the band `0 ..= k − 1`. With a released total, and the bounds of the
//! other cells, a band can be narrowed by subtraction; then the total is withheld, and where that is not
//! enough the smallest published counts become bands as well. After [`release`], no suppressed cell can be
//! bounded more tightly than its band by arithmetic on what is released.

use crate::model::incidence::CountDatum;

/// What may be released.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// By municipality.
    pub data: Vec<CountDatum>,
    /// The total, unless it had to be withheld.
    pub total: Option<u32>,
    /// Municipalities whose published count became a band to protect others.
    pub complementary: Vec<usize>,
}

/// Releases `data` with bands below `k`.
///
/// Unknown cells stay unknown, with their bound, if they have one, at the end of its band: a bound below
/// `k − 1` would say more of a small count than a band does. An interval is widened to whole bands, so that its
/// ends tell nothing of how it came about.
#[must_use]
pub fn release(data: &[CountDatum], total: Option<u32>, k: u32) -> Release {
    let banded: Vec<CountDatum> = data.iter().map(|d| band(*d, k)).collect();
    // A total below `k` is a small count itself; and where every count is published, what it leaves are the cases without a
    // municipality, which can be few too.
    let located: u64 = banded.iter().map(|d| u64::from(d.min())).sum();
    let all_published = banded.iter().all(|d| matches!(d, CountDatum::Exact(_)));
    let leaves_few =
        |t: u32| all_published && (1..u64::from(k)).contains(&u64::from(t).saturating_sub(located));
    let total = total.filter(|t| *t >= k && !leaves_few(*t));
    let mut out = Release { data: banded, total, complementary: Vec::new() };
    while let Some(total) = out.total {
        if !narrowed(&out.data, total, k) {
            break;
        }
        // Another published count as a band loosens the equation; the smallest costs least.
        let next = (0..data.len())
            .filter(|&i| matches!(out.data[i], CountDatum::Exact(_)))
            .min_by_key(|&i| (data[i].min(), i));
        match next {
            Some(i) if out.complementary.len() < 3 => {
                out.data[i] = cover(data[i].min(), k);
                out.complementary.push(i);
            }
            _ => {
                for &i in &out.complementary {
                    out.data[i] = data[i];
                }
                out.complementary.clear();
                out.total = None;
            }
        }
    }
    out
}

/// The released form of one datum.
const fn band(datum: CountDatum, k: u32) -> CountDatum {
    match datum {
        CountDatum::Exact(n) if n < k => CountDatum::Interval { min: 0, max: k - 1 },
        CountDatum::Exact(n) => CountDatum::Exact(n),
        CountDatum::Interval { min, max } => {
            CountDatum::Interval { min: band_start(min, k), max: band_end(max, k) }
        }
        CountDatum::AtLeast { min } => CountDatum::AtLeast { min: band_start(min, k) },
        CountDatum::Unknown { max: Some(max) } => CountDatum::Unknown { max: Some(band_end(max, k)) },
        CountDatum::Unknown { max: None } => CountDatum::Unknown { max: None },
    }
}

/// The first number of the band of width `k` in which `n` lies.
const fn band_start(n: u32, k: u32) -> u32 {
    n / k * k
}

/// The last number of the band of width `k` in which `n` lies; never below `k − 1`.
const fn band_end(n: u32, k: u32) -> u32 {
    (n - n % k).saturating_add(k - 1)
}

/// A band that includes zero and `n`, with an end that is a multiple of `k` above `n` by at least `k`.
const fn cover(n: u32, k: u32) -> CountDatum {
    CountDatum::Interval { min: 0, max: ((n / k).saturating_add(2)).saturating_mul(k) - 1 }
}

/// Whether the total narrows a band: `Σ y ≤ total` with unlocated cases making up the difference, so that
/// only the upper ends can be narrowed, by what the lower ends of the others leave; and, where the reader
/// supposes that nothing is unlocated, the lower ends by what the upper ends of the others leave.
/// An unknown cell counts as narrowed where less than `k − 1` is left for it.
fn narrowed(data: &[CountDatum], total: u32, k: u32) -> bool {
    let total = u64::from(total);
    let low: u64 = data.iter().map(|d| u64::from(d.min())).sum();
    let high: u64 = data.iter().filter_map(|d| d.max()).map(u64::from).sum();
    let unbounded = data.iter().filter(|d| d.max().is_none()).count();
    data.iter().any(|d| {
        let need = match *d {
            CountDatum::Exact(_) => return false,
            CountDatum::Interval { max, .. } => max,
            CountDatum::AtLeast { min } => min.saturating_add(k - 1),
            CountDatum::Unknown { .. } => k - 1,
        };
        let min = u64::from(d.min());
        let largest = total.saturating_sub(low - min);
        let smallest = match d.max().map(u64::from) {
            // Where the upper ends do not reach the total, some cases are unlocated for sure: nothing to
            // suppose.
            Some(max) if unbounded == 0 && high >= total => total.saturating_sub(high - max),
            None if unbounded == 1 => total.saturating_sub(high),
            _ => 0,
        };
        largest < u64::from(need) || smallest > min
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use CountDatum::{Exact, Interval, Unknown};

    #[test]
    fn counts_below_k_become_bands_with_zero() {
        let r = release(
            &[Exact(14), Exact(15), Interval { min: 1, max: 14 }, Unknown { max: Some(14) }],
            None,
            15,
        );
        assert_eq!(
            r.data,
            [
                Interval { min: 0, max: 14 },
                Exact(15),
                Interval { min: 0, max: 14 },
                Unknown { max: Some(14) }
            ]
        );
    }

    #[test]
    fn a_total_does_not_tell_of_a_few_cases_without_a_municipality() {
        let counts = [Exact(40), Exact(20)];
        for (total, released) in [(60, true), (61, false), (74, false), (75, true)] {
            let r = release(&counts, Some(total), 15);
            assert_eq!(r.total.is_some(), released, "{total}");
            assert_eq!(r.data, counts);
        }
    }

    #[test]
    fn no_published_bound_is_below_the_end_of_the_first_band() {
        for (bound, expected) in [(0, 14), (3, 14), (14, 14), (15, 29), (20, 29), (u32::MAX, u32::MAX)] {
            let r = release(&[Unknown { max: Some(bound) }, Exact(40)], None, 15);
            assert_eq!(r.data[0], Unknown { max: Some(expected) }, "{bound}");
        }
        assert_eq!(release(&[Unknown { max: None }], None, 15).data, [Unknown { max: None }]);
    }

    #[test]
    fn a_single_suppressed_cell_cannot_be_had_by_subtraction() {
        // 3 = 100 − 57 − 40: with the total and the others it would be known.
        let r = release(&[Exact(3), Exact(57), Exact(40)], Some(100), 15);
        if let Some(total) = r.total {
            assert!(!narrowed(&r.data, total, 15), "{r:?}");
            assert!(!r.complementary.is_empty());
        }
        assert_eq!(r.data[0], Interval { min: 0, max: 14 });
    }

    #[test]
    fn a_small_total_over_small_cells_is_withheld() {
        let r = release(&[Exact(1), Exact(0), Exact(2)], Some(3), 15);
        assert_eq!(r.total, None);
    }

    #[test]
    fn the_programmes_figures_keep_their_total() {
        let mut data = vec![Exact(224), Exact(92), Exact(24), Exact(23), Exact(16), Exact(15)];
        data.extend([Interval { min: 1, max: 14 }; 11]);
        data.extend([Unknown { max: Some(14) }; 107]);
        let r = release(&data, Some(645), 15);
        assert_eq!((r.total, r.complementary.len()), (Some(645), 0));
        assert_eq!(r.data[..6], data[..6]);
    }
}
