//! Whether chains agree, and how many independent draws they are worth.
//!
//! Rank-normalised split R̂, bulk and tail effective sample sizes of Vehtari, Gelman, Simpson, Carpenter &
//! Bürkner 2021 (Bayesian Anal. 16:667), with Geyer's initial monotone sequence, as in Stan and `ArviZ`.

use serde::Serialize;
use statrs::function::erf::erfc_inv;

use crate::stats::quantile;

/// Convergence of one number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Convergence {
    /// R̂, the larger of that of the ranks and of the ranks of distances from the median; near 1 when the
    /// chains agree. 1 for a constant.
    pub r_hat: f64,
    /// Effective sample size for the centre.
    pub ess_bulk: f64,
    /// Effective sample size for the 5 % and 95 % quantiles, the smaller.
    pub ess_tail: f64,
}

impl Convergence {
    /// From chains of equal length, at least 8.
    pub(super) fn new(chains: &[Vec<f64>]) -> Self {
        let split = split(chains);
        let mut sorted: Vec<f64> = split.iter().flatten().copied().collect();
        sorted.sort_by(f64::total_cmp);
        let draws = sorted.len() as f64;
        if sorted.first() == sorted.last() {
            return Self { r_hat: 1.0, ess_bulk: draws, ess_tail: draws };
        }
        let at = |q| quantile(&sorted, q).unwrap_or(0.0);
        let median = at(0.5);
        let map = |f: &dyn Fn(f64) -> f64| -> Vec<Vec<f64>> {
            split.iter().map(|c| c.iter().map(|x| f(*x)).collect()).collect()
        };
        let ranked = rank_normalised(&split);
        let folded = rank_normalised(&map(&|x| (x - median).abs()));
        let (low, high) = (at(0.05), at(0.95));
        let below = |limit: f64| ess(&map(&|x| f64::from(u8::from(x <= limit))));
        Self {
            r_hat: r_hat(&ranked).max(r_hat(&folded)),
            ess_bulk: ess(&ranked),
            ess_tail: below(low).min(below(high)),
        }
    }
}

/// Each chain in two halves; of an odd number the middle draw is left out.
fn split(chains: &[Vec<f64>]) -> Vec<Vec<f64>> {
    chains
        .iter()
        .flat_map(|c| {
            let half = c.len() / 2;
            [c[..half].to_vec(), c[c.len() - half..].to_vec()]
        })
        .collect()
}

/// Normal scores `Φ⁻¹((r − 3/8)/(S + 1/4))` of the pooled ranks, mean ranks for ties.
fn rank_normalised(chains: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let length = chains.first().map_or(0, Vec::len);
    let pooled: Vec<f64> = chains.iter().flatten().copied().collect();
    let mut order: Vec<usize> = (0..pooled.len()).collect();
    order.sort_by(|a, b| pooled[*a].total_cmp(&pooled[*b]));
    let mut scores = vec![0.0; pooled.len()];
    let size = pooled.len() as f64 + 0.25;
    let mut start = 0;
    while start < order.len() {
        let mut end = start + 1;
        while end < order.len() && pooled[order[end]] == pooled[order[start]] {
            end += 1;
        }
        let rank = 0.5 * (start + 1 + end) as f64;
        let score = -std::f64::consts::SQRT_2 * erfc_inv(2.0 * (rank - 0.375) / size);
        for i in &order[start..end] {
            scores[*i] = score;
        }
        start = end;
    }
    scores.chunks(length.max(1)).map(<[f64]>::to_vec).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn variance(values: &[f64]) -> f64 {
    let centre = mean(values);
    values.iter().map(|x| (x - centre) * (x - centre)).sum::<f64>() / (values.len() as f64 - 1.0)
}

fn r_hat(chains: &[Vec<f64>]) -> f64 {
    let n = chains.first().map_or(0, Vec::len) as f64;
    let means: Vec<f64> = chains.iter().map(|c| mean(c)).collect();
    let within = mean(&chains.iter().map(|c| variance(c)).collect::<Vec<_>>());
    let ratio = (n - 1.0) / n + variance(&means) / within;
    if ratio.is_nan() { 1.0 } else { ratio.sqrt() }
}

fn ess(chains: &[Vec<f64>]) -> f64 {
    let n = chains.first().map_or(0, Vec::len);
    let draws = (chains.len() * n) as f64;
    let means: Vec<f64> = chains.iter().map(|c| mean(c)).collect();
    let centred: Vec<Vec<f64>> =
        chains.iter().zip(&means).map(|(c, m)| c.iter().map(|x| x - m).collect()).collect();
    // Mean over chains of the autocovariance at a lag.
    let covariance = |lag: usize| {
        let one = |c: &Vec<f64>| c[lag..].iter().zip(c).map(|(a, b)| a * b).sum::<f64>() / n as f64;
        mean(&centred.iter().map(one).collect::<Vec<_>>())
    };
    let within = covariance(0) * n as f64 / (n as f64 - 1.0);
    let mut pooled = covariance(0);
    if chains.len() > 1 {
        pooled += variance(&means);
    }
    if pooled.is_nan() || pooled <= 0.0 {
        return draws;
    }
    let correlation = |lag: usize| 1.0 - (within - covariance(lag)) / pooled;
    let mut rho = vec![1.0, correlation(1)];
    let mut last = rho[0] + rho[1];
    let mut even = 1.0;
    let mut t = 1;
    while t + 3 < n && last > 0.0 {
        even = correlation(t + 1);
        let odd = correlation(t + 2);
        last = even + odd;
        if last >= 0.0 {
            rho.extend([even, odd]);
        }
        t += 2;
    }
    // Initial positive sequence ends at `max`; what follows is the last even term.
    let max = t.saturating_sub(2);
    rho.resize(max + 1, 0.0);
    let tail = if even > 0.0 && t > 1 { even } else { 0.0 };
    rho.push(tail);
    let mut t = 1;
    while t + 2 <= max {
        if rho[t + 1] + rho[t + 2] > rho[t - 1] + rho[t] {
            rho[t + 1] = 0.5 * (rho[t - 1] + rho[t]);
            rho[t + 2] = rho[t + 1];
        }
        t += 2;
    }
    let time = -1.0 + 2.0 * rho[..=max].iter().sum::<f64>() + rho[max + 1];
    draws / time.max(1.0 / draws.log10())
}
