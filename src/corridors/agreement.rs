//! How sure the set of corridors is: the corridors of two halves of the draws beside each other.
//!
//! Draws are independent, so that those with an even number and those with an odd one are two runs of half the size.
//! Where their corridors differ much, so would those of another seed. The set of all draws is surer than either half.

use std::collections::BTreeMap;

use super::draws::Flows;
use super::extract::{Chain, corridors, membership};
use crate::ids::LinkId;
use crate::network::graph::Network;

/// Below this Jaccard index a set of corridors is not sure.
pub const SURE: f64 = 0.8;

/// How two sets of corridors agree.
#[derive(Default, Debug, Clone, Copy, PartialEq)]
pub struct Agreement {
    /// Corridors of each.
    pub corridors: [usize; 2],
    /// Length of the links that are in both, over that of the links that are in either (Jaccard); `None` where
    /// neither has any.
    pub jaccard: Option<f64>,
    /// Adjusted Rand index (Hubert & Arabie 1985, J. Classif. 2:193) of the corridors to which the links in both
    /// belong: 1 where both divide them alike, 0 as much as by chance; `None` for fewer than two such links.
    pub adjusted_rand: Option<f64>,
}

/// The agreement of the corridors of the draws with an even number and of those with an odd one; `threshold` and
/// `min_km` as for [`corridors`].
#[must_use]
pub fn of_halves(network: &Network, flows: &Flows, threshold: f64, min_km: f64) -> Agreement {
    let half = |first: usize| {
        let draws = || (first..flows.draws()).step_by(2);
        let mut sums = vec![0_i64; network.link_count()];
        for draw in draws() {
            flows.loads.of(draw).for_each(|(link, flow)| sums[link] += flow.main);
        }
        let count = draws().len().max(1) as f64;
        let shares: Vec<f64> = sums.into_iter().map(|sum| flows.share(sum) / count).collect();
        corridors(network, &shares, &membership(network, flows, draws()), threshold, min_km)
    };
    let (even, odd) = rayon::join(|| half(0), || half(1));
    between(network, [&even, &odd])
}

/// The agreement of two sets of corridors.
#[must_use]
pub fn between(network: &Network, sets: [&[Chain]; 2]) -> Agreement {
    let of_link = |chains: &[Chain]| -> BTreeMap<LinkId, usize> {
        chains.iter().enumerate().flat_map(|(c, chain)| chain.links.iter().map(move |l| (*l, c))).collect()
    };
    let [a, b] = sets.map(of_link);
    let length = |link: &LinkId| network.link(*link).length.millimetres();
    let both: u64 = a.keys().filter(|link| b.contains_key(link)).map(length).sum();
    let either = a.keys().chain(b.keys()).map(length).sum::<u64>() - both;
    let labels: Vec<(usize, usize)> = a.iter().filter_map(|(link, c)| Some((*c, *b.get(link)?))).collect();
    Agreement {
        corridors: sets.map(<[Chain]>::len),
        jaccard: (either > 0).then(|| both as f64 / either as f64),
        adjusted_rand: adjusted_rand(&labels),
    }
}

/// The adjusted Rand index of two labels of each item.
fn adjusted_rand(labels: &[(usize, usize)]) -> Option<f64> {
    let pairs = |n: u64| (n * n.saturating_sub(1) / 2) as f64;
    let sum = |counts: BTreeMap<(usize, usize), u64>| -> f64 { counts.into_values().map(pairs).sum() };
    let count = |of: fn(&(usize, usize)) -> (usize, usize)| {
        let mut counts: BTreeMap<(usize, usize), u64> = BTreeMap::new();
        for label in labels {
            *counts.entry(of(label)).or_default() += 1;
        }
        sum(counts)
    };
    let all = pairs(labels.len() as u64);
    let (together, a, b) = (count(|l| *l), count(|l| (l.0, 0)), count(|l| (0, l.1)));
    let by_chance = a * b / all;
    let most = f64::midpoint(a, b);
    // Where both have all in one, or each alone, there is one way only to agree.
    (all > 0.0).then(|| if most > by_chance { (together - by_chance) / (most - by_chance) } else { 1.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_adjusted_rand_index_is_that_of_hubert_and_arabie() {
        let of = |a: &[usize], b: &[usize]| {
            adjusted_rand(&a.iter().copied().zip(b.iter().copied()).collect::<Vec<_>>())
        };
        // sklearn.metrics.adjusted_rand_score([0, 0, 1, 1], [0, 0, 1, 2])
        assert!((of(&[0, 0, 1, 1], &[0, 0, 1, 2]).unwrap() - 4.0 / 7.0).abs() < 1e-12);
        assert_eq!(of(&[0, 0, 1, 1], &[5, 5, 3, 3]), Some(1.0), "names of classes do not count");
        assert!((of(&[0, 0, 1, 1], &[0, 1, 0, 1]).unwrap() + 0.5).abs() < 1e-12);
        assert_eq!(of(&[0, 0, 0], &[1, 1, 1]), Some(1.0));
        assert_eq!(of(&[0], &[0]), None);
    }
}
