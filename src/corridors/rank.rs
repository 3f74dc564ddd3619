//! Ranks of corridors over draws: how sure their order is.
//!
//! In each draw corridors are ranked by their score, and those with the same score share the mean of their ranks. A
//! draw in which no corridor carries anything ranks none and is left out.

use rayon::prelude::*;

use crate::stats::spread;

/// Ranks up to this one are the first.
pub const FIRST: f64 = 10.0;

/// A corridor's rank over draws.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranks {
    /// Share of draws in which its rank is at most [`FIRST`].
    pub first: f64,
    /// 5 % quantile.
    pub p05: f64,
    /// 95 % quantile.
    pub p95: f64,
}

/// The ranks of each item from its scores, one vector per draw; `None` where no draw ranks them.
#[must_use]
pub fn ranks(scores: &[Vec<f64>]) -> Vec<Option<Ranks>> {
    let items = scores.first().map_or(0, Vec::len);
    let draws: Vec<Vec<f64>> =
        scores.par_iter().filter(|draw| draw.iter().any(|s| *s > 0.0)).map(|draw| mid_ranks(draw)).collect();
    let of = |item: usize| {
        let ranks: Vec<f64> = draws.iter().map(|draw| draw[item]).collect();
        let first = ranks.iter().filter(|rank| **rank <= FIRST).count() as f64 / ranks.len() as f64;
        let [_, p05, p95] = spread(ranks);
        (!draws.is_empty()).then_some(Ranks { first, p05, p95 })
    };
    (0..items).into_par_iter().map(of).collect()
}

/// Rank of each item from 1, by falling score; ties share the mean of their ranks.
fn mid_ranks(scores: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    let mut out = vec![0.0; scores.len()];
    let mut before = 0;
    for tied in order.chunk_by(|&a, &b| scores[a] == scores[b]) {
        let rank = before as f64 + (tied.len() + 1) as f64 / 2.0;
        for &item in tied {
            out[item] = rank;
        }
        before += tied.len();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_share_the_mean_of_their_ranks() {
        assert_eq!(mid_ranks(&[0.2, 0.5, 0.2, 0.1, 0.2]), [3.0, 1.0, 3.0, 5.0, 3.0]);
        assert_eq!(mid_ranks(&[0.0, 0.0]), [1.5, 1.5]);
        assert!(mid_ranks(&[]).is_empty());
    }

    #[test]
    fn the_first_ten_are_counted_over_the_draws_that_rank() {
        // Twelve corridors. The last one leads in one of four draws, ties for ranks 10 and 11 in another, and is
        // last in the third; the fourth draw ranks none.
        let falling =
            |last: f64| -> Vec<f64> { (0..11).map(|i| 11.0 - f64::from(i)).chain([last]).collect() };
        let mut none = falling(0.0);
        none.fill(0.0);
        let found = ranks(&[falling(20.0), falling(2.0), none, falling(0.5)]);
        let last = found[11].unwrap();
        assert_eq!(last.first, 1.0 / 3.0, "rank 10.5 is not among the first ten");
        // Ranks 1, 10.5 and 12.
        assert!((last.p05 - 1.95).abs() < 1e-12 && (last.p95 - 11.85).abs() < 1e-12, "{last:?}");
        assert_eq!(found[0], Some(Ranks { first: 1.0, p05: 1.0, p95: 1.9 }));
        // Ranks 11, 10.5 and 10.
        assert_eq!(found[9].unwrap().first, 1.0 / 3.0);
        assert_eq!(ranks(&vec![vec![0.0; 2]; 3]), [None, None]);
        assert!(ranks(&[]).is_empty());
    }
}
