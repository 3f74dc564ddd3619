//! How long the rest of a step takes, judged by how long its parts have taken.
//!
//! Times come from outside, as durations since the step began, so that a test can be its own clock.

use std::collections::VecDeque;
use std::time::Duration;

/// Nothing is said before.
const SILENCE: Duration = Duration::from_secs(2);
/// Nor before as many parts are done.
const PARTS: u64 = 3;
/// Nor from fewer stretches of time between parts.
const STRETCHES: usize = 3;
/// Stretches that are looked at.
const WINDOW: usize = 20;
/// A stretch is at least this long, or this part of the step so far: what is looked at is about its last third.
const STRETCH: Duration = Duration::from_millis(200);
const STRETCH_PART: u32 = 60;
/// Weight of a stretch beside the one after it.
const FADING: f64 = 0.9;
/// Doubt that remains however even the pace was: the parts to come need not be like those that are done.
const DOUBT: f64 = 0.1;

/// The pace of a step of known size.
#[derive(Debug)]
pub(super) struct Pace {
    total: u64,
    done: u64,
    /// The first is the beginning.
    marks: VecDeque<Mark>,
}

/// The end of a stretch of time.
#[derive(Debug, Clone, Copy, Default)]
struct Mark {
    /// When its first part was done, and its last one.
    first: Duration,
    last: Duration,
    /// Parts that were done by then.
    done: u64,
}

impl Pace {
    pub(super) fn new(total: u64) -> Self {
        Self { total, done: 0, marks: VecDeque::from([Mark::default()]) }
    }

    /// Another part is done `at` this time.
    pub(super) fn part(&mut self, at: Duration) {
        self.done += 1;
        let length = STRETCH.max(at / STRETCH_PART);
        let before = self.marks.len().checked_sub(2).and_then(|i| self.marks.get(i)).map(|mark| mark.last);
        match (before, self.marks.back_mut()) {
            // A stretch goes on until it is long enough; parts that are done together are all in one.
            (Some(before), Some(mark)) if at < before + length || at < mark.first + length / 2 => {
                (mark.last, mark.done) = (at, self.done);
            }
            _ => self.marks.push_back(Mark { first: at, last: at, done: self.done }),
        }
        while self.marks.len() > WINDOW + 1 {
            self.marks.pop_front();
        }
    }

    pub(super) const fn done(&self) -> u64 {
        self.done
    }

    pub(super) const fn total(&self) -> u64 {
        self.total
    }

    /// Seconds that are left, from and to; `None` as long as it is too early to say, and where nothing is left.
    pub(super) fn left(&self, now: Duration) -> Option<(f64, f64)> {
        let stretches: Vec<(f64, f64)> = self
            .marks
            .iter()
            .zip(self.marks.iter().skip(1))
            .map(|(a, b)| (b.last.saturating_sub(a.last).as_secs_f64(), (b.done - a.done) as f64))
            .collect();
        let rest = self.total.checked_sub(self.done).filter(|rest| *rest > 0)?;
        if now < SILENCE || self.done < PARTS || stretches.len() < STRETCHES {
            return None;
        }
        let weights: Vec<f64> =
            (0..stretches.len()).rev().scan(1.0, |w, _| Some(std::mem::replace(w, *w * FADING))).collect();
        // Weights were made from the last stretch to the first.
        let weighted = || stretches.iter().zip(weights.iter().rev());
        let seconds: f64 = weighted().map(|((seconds, _), w)| w * seconds).sum();
        let parts: f64 = weighted().map(|((_, parts), w)| w * parts).sum();
        let waited = now.saturating_sub(self.marks.back()?.last).as_secs_f64();
        // A part that has not come for long is slower than any pace before it.
        let pace = (seconds / parts).max((seconds + waited) / (parts + 1.0));
        let spread: f64 =
            weighted().map(|((s, n), w)| w * n * (s / n - seconds / parts).powi(2)).sum::<f64>() / parts;
        let doubt = (2.0 * spread.sqrt() / pace / (stretches.len() as f64).sqrt()).clamp(DOUBT, 1.0);
        let whole = rest as f64 * pace;
        Some(((whole * (1.0 - doubt) - waited).max(0.0), (whole * (1.0 + doubt)).max(pace)))
    }
}

/// How a time that is left is told: whole numbers of a unit, rounded outwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// Less than two seconds.
    Moment,
    /// Seconds.
    Seconds(u64, u64),
    /// Minutes.
    Minutes(u64, u64),
    /// Hours.
    Hours(u64, u64),
}

impl Left {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative, and a time beyond 2^64 steps is told as that many"
    )]
    pub(super) fn new((low, high): (f64, f64)) -> Self {
        let outwards = |step: f64| {
            let [low, high] = [(low / step).floor(), (high / step).ceil()];
            (low as u64, high as u64)
        };
        let in_steps = |seconds: u64| {
            let (low, high) = outwards(seconds as f64);
            (low * seconds, high * seconds)
        };
        if high <= 2.0 {
            return Self::Moment;
        }
        if high <= 20.0 {
            let (low, high) = outwards(1.0);
            return Self::Seconds(low, high);
        }
        if high <= 120.0 {
            let (low, high) = in_steps(5);
            return Self::Seconds(low, high);
        }
        if high <= 2.0 * 3600.0 {
            let (low, high) = outwards(60.0);
            return Self::Minutes(low, high);
        }
        let (low, high) = outwards(3600.0);
        Self::Hours(low, high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    /// A pace after parts that took these times.
    fn after(total: u64, took: impl IntoIterator<Item = f64>) -> (Pace, f64) {
        let (mut pace, mut now) = (Pace::new(total), 0.0);
        for seconds in took {
            now += seconds;
            pace.part(at(now));
        }
        (pace, now)
    }

    #[test]
    fn nothing_is_said_too_early() {
        let (pace, now) = after(1000, [0.01; 100]);
        assert!(now < 2.0 && pace.left(at(now)).is_none(), "not before two seconds");
        let (pace, now) = after(10, [3.0, 3.0]);
        assert_eq!(pace.left(at(now)), None, "not from two parts");
        // Many parts at once are one stretch.
        let (pace, now) = after(100, [5.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(pace.left(at(now)), None);
        assert!(after(10, [1.0; 4]).0.left(at(4.0)).is_some());
    }

    #[test]
    fn an_even_pace_is_told_with_some_doubt() {
        let (pace, now) = after(100, [0.5; 20]);
        let (low, high) = pace.left(at(now)).unwrap();
        assert!((low - 36.0).abs() < 1e-6 && (high - 44.0).abs() < 1e-6, "{low} {high}");
        // Time goes on while the next part is on its way.
        let (later, _) = pace.left(at(now + 0.4)).unwrap();
        assert!((low - later - 0.4).abs() < 1e-6);
    }

    #[test]
    fn the_truth_lies_within_what_is_said() {
        // Slower and faster by turns, in bursts of four, as draws come in.
        let took: Vec<f64> =
            (0..400).map(|i| if i % 4 == 0 { [0.8, 1.6, 1.0][i / 4 % 3] } else { 0.0 }).collect();
        let end: f64 = took.iter().sum();
        let (mut pace, mut now, mut said, mut right) = (Pace::new(400), 0.0, 0, 0);
        for seconds in took {
            now += seconds;
            pace.part(at(now));
            if let Some((low, high)) = pace.left(at(now)) {
                assert!(low >= 0.0 && high > 0.0 && high.is_finite(), "never zero while parts are left");
                said += 1;
                right += u32::from((low..=high).contains(&(end - now)));
            }
        }
        assert!(said > 350, "{said}");
        assert!(f64::from(right) > 0.9 * f64::from(said), "{right} of {said}");
        assert_eq!(pace.left(at(now)), None, "nothing is left");
    }

    #[test]
    fn what_is_recent_counts_more() {
        let (even, now) = after(1000, [1.0; 60]);
        let (_, before) = even.left(at(now)).unwrap();
        let (slower, now) = after(1000, [1.0; 60].into_iter().chain([3.0; 15]));
        let (low, _) = slower.left(at(now)).unwrap();
        // 925 parts of 2 s at least: the first minute no longer decides.
        assert!(low > 1500.0 && before < 1100.0, "{low} {before}");
    }

    #[test]
    fn a_part_that_does_not_come_makes_the_rest_longer() {
        let (pace, now) = after(100, [0.5; 20]);
        let (_, usual) = pace.left(at(now)).unwrap();
        let mut last = usual;
        for waited in [5.0, 20.0, 80.0, 320.0] {
            let (low, high) = pace.left(at(now + waited)).unwrap();
            assert!(high > last && low >= 0.0, "{waited}: {low} {high}");
            last = high;
        }
        assert!(last > 10.0 * usual, "{last}");
    }

    #[test]
    fn more_parts_than_were_announced_do_no_harm() {
        let (pace, now) = after(10, [1.0; 12]);
        assert_eq!(pace.left(at(now)), None);
        let (pace, _) = after(10, [0.0; 9]);
        assert_eq!(pace.left(at(100.0)), None, "no time passed between parts");
    }

    #[test]
    fn times_are_told_in_round_numbers_outwards() {
        for (left, told) in [
            ((0.0, 1.2), Left::Moment),
            ((0.4, 3.1), Left::Seconds(0, 4)),
            ((12.9, 18.1), Left::Seconds(12, 19)),
            ((36.0, 44.0), Left::Seconds(35, 45)),
            ((100.0, 121.0), Left::Minutes(1, 3)),
            ((3000.0, 7000.0), Left::Minutes(50, 117)),
            ((3000.0, 7300.0), Left::Hours(0, 3)),
        ] {
            assert_eq!(Left::new(left), told, "{left:?}");
        }
    }
}
