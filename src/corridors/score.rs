//! Summaries over draws: mean, quantiles, rank certainty, lift, contributions.

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

/// Summaries of items. `scores` and `null` hold one vector per draw with one value per item; with an empty
/// `null` there are no lifts. Returns the summaries and the number of candidates.
#[must_use]
pub fn summarise(scores: &[Vec<f64>], null: &[Vec<f64>]) -> (Vec<Summary>, usize) {
    let items = scores.first().map_or(0, Vec::len);
    let (top, candidates) = top_probability(scores);
    let summaries = (0..items)
        .map(|i| {
            let [mean, p05, p95] = spread(scores.iter().map(|draw| draw[i]).collect());
            let lift = (!null.is_empty())
                .then(|| {
                    let null_mean = null.iter().map(|draw| draw[i]).sum::<f64>() / null.len() as f64;
                    let lifts =
                        scores.iter().zip(null).map(|(s, n)| (s[i] + LIFT_FLOOR) / (n[i] + LIFT_FLOOR));
                    (mean >= LIFT_FLOOR || null_mean >= LIFT_FLOOR).then(|| spread(lifts.collect()))
                })
                .flatten();
            Summary { mean, p05, p95, pr_top: top[i], lift }
        })
        .collect();
    (summaries, candidates)
}

/// Share of draws in which each item stands in the top max(1, 10 %) of the candidates: items with a
/// non-zero score in some draw. Ties share the mean of their ranks.
#[must_use]
pub fn top_probability(scores: &[Vec<f64>]) -> (Vec<f64>, usize) {
    let items = scores.first().map_or(0, Vec::len);
    let candidates: Vec<usize> = (0..items).filter(|&i| scores.iter().any(|draw| draw[i] > 0.0)).collect();
    let places = (candidates.len() as f64 / 10.0).max(1.0);
    let mut hits = vec![0_u32; items];
    let mut order = candidates.clone();
    for draw in scores {
        order.sort_by(|&a, &b| draw[b].total_cmp(&draw[a]).then(a.cmp(&b)));
        let mut start = 0;
        while start < order.len() {
            let value = draw[order[start]];
            let end = order[start..].iter().position(|&i| draw[i] < value).map_or(order.len(), |n| start + n);
            // Ranks start + 1 ..= end.
            let rank = (start + 1 + end) as f64 / 2.0;
            if rank > places || value <= 0.0 {
                break;
            }
            order[start..end].iter().for_each(|&i| hits[i] += 1);
            start = end;
        }
    }
    let n = scores.len().max(1) as f64;
    (hits.into_iter().map(|h| f64::from(h) / n).collect(), candidates.len())
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

    #[test]
    fn the_top_tenth_counts_ties_by_their_mean_rank() {
        // Twenty candidates: two places.
        let mut draw: Vec<f64> = (1..=20).map(f64::from).collect();
        let (top, n) = top_probability(&[draw.clone()]);
        assert_eq!(n, 20);
        assert_eq!(top.iter().filter(|t| **t == 1.0).count(), 2);
        assert_eq!((top[19], top[18], top[17]), (1.0, 1.0, 0.0));
        // Three share ranks 1 to 3: their mean rank, 2, is in the top two.
        draw[17] = 20.0;
        draw[18] = 20.0;
        assert_eq!(top_probability(&[draw.clone()]).0.iter().sum::<f64>(), 3.0);
        // Four share ranks 1 to 4: mean 2.5 is not.
        draw[16] = 20.0;
        assert_eq!(top_probability(&[draw]).0.iter().sum::<f64>(), 0.0);
    }

    #[test]
    fn zero_scores_are_no_candidates() {
        let (top, n) = top_probability(&[vec![0.0, 0.0, 1.0], vec![0.0, 0.0, 2.0]]);
        assert_eq!((top, n), (vec![0.0, 0.0, 1.0], 1));
    }

    #[test]
    fn a_lift_below_the_floor_is_empty() {
        let (s, _) = summarise(&[vec![0.0005, 0.02]], &[vec![0.0005, 0.009]]);
        assert_eq!(s[0].lift, None);
        assert!((s[1].lift.unwrap()[0] - 2.1).abs() < 1e-12);
    }
}
