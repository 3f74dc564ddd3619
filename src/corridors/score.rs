//! Summaries over draws: mean, quantiles, rank certainty, lift, contributions.

use std::ops::Range;

use rayon::prelude::*;

use super::draws::CONTRIBUTIONS;
use crate::stats::spread;

/// Floor of a share in a lift: 0.1 %.
pub const LIFT_FLOOR: f64 = 0.001;

/// An item's score over draws.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Summary {
    /// Mean.
    pub mean: f64,
    /// 5 % quantile.
    pub p05: f64,
    /// 95 % quantile.
    pub p95: f64,
    /// Share of draws in which the item is in the top tenth.
    pub pr_top: f64,
    /// Mean, 5 % and 95 % quantile of the lift; `None` where both score and null score are below the floor.
    pub lift: Option<[f64; 3]>,
}

/// Scores of items by draw.
pub trait Scores: Sync {
    /// Number of items.
    fn items(&self) -> usize;
    /// Number of draws.
    fn draws(&self) -> usize;
    /// Whether there is a null score to compare with.
    fn has_null(&self) -> bool;
    /// Score and null score of those of `items` that have any in a draw, ascending.
    fn within(&self, draw: usize, items: Range<usize>) -> impl Iterator<Item = (usize, [f64; 2])>;
}

/// Scores with one vector per draw and one value per item; without lifts where `null` is empty.
#[derive(Debug, Clone, Copy)]
pub struct Items<'a> {
    /// Scores.
    pub scores: &'a [Vec<f64>],
    /// Null scores.
    pub null: &'a [Vec<f64>],
}

impl Scores for Items<'_> {
    fn items(&self) -> usize {
        self.scores.first().map_or(0, Vec::len)
    }

    fn draws(&self) -> usize {
        self.scores.len()
    }

    fn has_null(&self) -> bool {
        !self.null.is_empty()
    }

    fn within(&self, draw: usize, items: Range<usize>) -> impl Iterator<Item = (usize, [f64; 2])> {
        let null = self.null.get(draw);
        items.map(move |i| (i, [self.scores[draw][i], null.map_or(0.0, |null| null[i])]))
    }
}

/// Scores that are put side by side at a time: 16 MB of them.
const TOGETHER: usize = 1 << 20;

/// Summaries of all items, and the number of candidates.
#[must_use]
pub fn summarise<S: Scores>(scores: &S) -> (Vec<Summary>, usize) {
    let (top, candidates) = top_probability(scores);
    let draws = scores.draws();
    let together = (TOGETHER / draws.max(1)).clamp(1, 512);
    let blocks = (0..scores.items()).into_par_iter().step_by(together).map(|first| {
        let items = first..(first + together).min(scores.items());
        let mut columns: Vec<Vec<[f64; 2]>> = items.clone().map(|_| Vec::with_capacity(draws)).collect();
        for draw in 0..draws {
            for (item, values) in scores.within(draw, items.clone()) {
                let column = &mut columns[item - first];
                column.resize(draw, [0.0; 2]);
                column.push(values);
            }
        }
        for column in &mut columns {
            column.resize(draws, [0.0; 2]);
        }
        let of = |(item, column): (usize, &Vec<[f64; 2]>)| summary(column, top[item], scores.has_null());
        items.zip(&columns).map(of).collect::<Vec<Summary>>()
    });
    (blocks.flatten_iter().collect(), candidates)
}

/// The summary of one item from score and null score by draw.
fn summary(column: &[[f64; 2]], pr_top: f64, has_null: bool) -> Summary {
    let [mean, p05, p95] = spread(column.iter().map(|[score, _]| *score).collect());
    let lift = || {
        let null_mean = column.iter().map(|[_, null]| null).sum::<f64>() / column.len() as f64;
        let lifts = column.iter().map(|[score, null]| (score + LIFT_FLOOR) / (null + LIFT_FLOOR));
        (mean >= LIFT_FLOOR || null_mean >= LIFT_FLOOR).then(|| spread(lifts.collect()))
    };
    Summary { mean, p05, p95, pr_top, lift: has_null.then(lift).flatten() }
}

/// Share of draws in which each item stands in the top max(1, 10 %) of the candidates: items with a
/// non-zero score in some draw. Ties share the mean of their ranks.
#[must_use]
pub fn top_probability<S: Scores>(scores: &S) -> (Vec<f64>, usize) {
    let items = scores.items();
    let scored = |draw| scores.within(draw, 0..items).filter(|(_, [score, _])| *score > 0.0);
    let mut candidate = vec![false; items];
    for draw in 0..scores.draws() {
        scored(draw).for_each(|(item, _)| candidate[item] = true);
    }
    let candidates = candidate.into_iter().filter(|c| *c).count();
    let places = (candidates as f64 / 10.0).max(1.0);
    let number = |item: usize| u32::try_from(item).unwrap_or(u32::MAX);
    let tops = |draw: usize| -> Vec<u32> {
        let mut order: Vec<(f64, u32)> =
            scored(draw).map(|(item, [score, _])| (score, number(item))).collect();
        order.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut start = 0;
        while let Some(&(value, _)) = order.get(start) {
            let end = order[start..].iter().position(|o| o.0 < value).map_or(order.len(), |n| start + n);
            // Ranks start + 1 ..= end.
            let rank = (start + 1 + end) as f64 / 2.0;
            if rank > places {
                break;
            }
            start = end;
        }
        order[..start].iter().map(|(_, item)| *item).collect()
    };
    let tops: Vec<Vec<u32>> = (0..scores.draws()).into_par_iter().map(tops).collect();
    let mut hits = vec![0_u32; items];
    tops.iter().flatten().for_each(|item| hits[*item as usize] += 1);
    let n = scores.draws().max(1) as f64;
    (hits.into_iter().map(|h| f64::from(h) / n).collect(), candidates)
}

/// Share of a score that comes from destinations whose count is not a published number.
#[must_use]
pub fn censored_share(contributions: &[f64; CONTRIBUTIONS]) -> Option<f64> {
    let total: f64 = contributions.iter().sum();
    (total > 0.0).then(|| (contributions[1] + contributions[4]) / total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tops(scores: &[Vec<f64>]) -> (Vec<f64>, usize) {
        top_probability(&Items { scores, null: &[] })
    }

    #[test]
    fn the_top_tenth_counts_ties_by_their_mean_rank() {
        // Twenty candidates: two places.
        let mut draw: Vec<f64> = (1..=20).map(f64::from).collect();
        let (top, n) = tops(&[draw.clone()]);
        assert_eq!(n, 20);
        assert_eq!(top.iter().filter(|t| **t == 1.0).count(), 2);
        assert_eq!((top[19], top[18], top[17]), (1.0, 1.0, 0.0));
        // Three share ranks 1 to 3: their mean rank, 2, is in the top two.
        draw[17] = 20.0;
        draw[18] = 20.0;
        assert_eq!(tops(&[draw.clone()]).0.iter().sum::<f64>(), 3.0);
        // Four share ranks 1 to 4: mean 2.5 is not.
        draw[16] = 20.0;
        assert_eq!(tops(&[draw]).0.iter().sum::<f64>(), 0.0);
    }

    #[test]
    fn zero_scores_are_no_candidates() {
        let (top, n) = tops(&[vec![0.0, 0.0, 1.0], vec![0.0, 0.0, 2.0]]);
        assert_eq!((top, n), (vec![0.0, 0.0, 1.0], 1));
    }

    #[test]
    fn a_lift_below_the_floor_is_empty() {
        let (s, _) = summarise(&Items { scores: &[vec![0.0005, 0.02]], null: &[vec![0.0005, 0.009]] });
        assert_eq!(s[0].lift, None);
        assert!((s[1].lift.unwrap()[0] - 2.1).abs() < 1e-12);
    }
}
