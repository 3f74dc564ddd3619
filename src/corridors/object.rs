//! Corridors as objects: id, name, score, rank.

use rayon::prelude::*;

use super::draws::{CONTRIBUTIONS, Flows};
use super::extract::Chain;
use super::naming::{name_ends, tell_apart};
use super::parallel::parallel_to;
use super::rank::{Ranks, ranks};
use super::score::{Items, Summary, summarise};
use super::table::LinkFlow;
use crate::ids::stable_id;
use crate::model::domain::Domain;
use crate::network::graph::Network;

/// A corridor with everything that is said of it.
#[derive(Debug, Clone)]
pub struct Corridor {
    /// Stable id: from the keys of its links.
    pub id: String,
    /// Its name, which no other corridor has.
    pub name: String,
    /// Names of both ends.
    pub ends: [String; 2],
    /// Its links.
    pub chain: Chain,
    /// Its score over draws.
    pub summary: Summary,
    /// Rank by mean score, from 1.
    pub rank: usize,
    /// Its rank over draws; `None` where no draw ranks corridors.
    pub ranks: Option<Ranks>,
    /// Contributions to the mean score.
    pub contributions: [f64; CONTRIBUTIONS],
    /// Id of the corridor of higher rank of which it is a parallel alternative.
    pub parallel_to: Option<String>,
}

/// Words of the reader's language in names.
#[derive(Debug, Clone, Copy)]
pub struct Words<'a> {
    /// What a road without a reference is called.
    pub unnamed: &'a str,
    /// Stands before the town that tells a corridor from others of its name.
    pub via: &'a str,
}

/// Corridors from chains: named, scored, ranked; and the number of candidates.
#[must_use]
pub fn corridors(
    network: &Network,
    domain: &Domain,
    flows: &Flows,
    chains: Vec<Chain>,
    words: Words<'_>,
) -> (Vec<Corridor>, usize) {
    // Mean main and null share of a chain in a draw, weighted by length.
    let score = |draw: usize, chain: &Chain| -> [f64; 2] {
        let (mut km, mut sums) = (0.0, [0.0; 2]);
        for link in &chain.links {
            let length = network.link(*link).length.km();
            let LinkFlow { main, null } = flows.loads.at(draw, link.index());
            km += length;
            sums = [sums[0] + length * flows.share(main), sums[1] + length * flows.share(null)];
        }
        sums.map(|sum| if km > 0.0 { sum / km } else { 0.0 })
    };
    let scores: Vec<Vec<[f64; 2]>> = (0..flows.draws())
        .into_par_iter()
        .map(|draw| chains.iter().map(|chain| score(draw, chain)).collect())
        .collect();
    let (main, null): (Vec<Vec<f64>>, Vec<Vec<f64>>) = scores
        .iter()
        .map(|row| row.iter().map(|[main, null]| (*main, *null)).unzip::<_, _, Vec<f64>, Vec<f64>>())
        .unzip();
    let (summaries, candidates) = summarise(&Items { scores: &main, null: &null });
    let mut out: Vec<Corridor> = chains
        .into_iter()
        .zip(summaries.into_iter().zip(ranks(&main)))
        .map(|(mut chain, (summary, ranks))| {
            let ends = name_ends(network, domain, &mut chain);
            let mut keys: Vec<&str> = chain.links.iter().map(|l| network.key(*l)).collect();
            keys.sort_unstable();
            let road =
                if chain.reference.is_empty() { words.unnamed.to_owned() } else { chain.reference.clone() };
            let name = if ends[0] == ends[1] {
                format!("{road} {}", ends[0])
            } else {
                format!("{road} {} – {}", ends[0], ends[1])
            };
            let km: f64 = chain.links.iter().map(|l| network.link(*l).length.km()).sum();
            let mut contributions = [0.0; CONTRIBUTIONS];
            for link in &chain.links {
                let weight = network.link(*link).length.km() / km.max(f64::MIN_POSITIVE);
                for (sum, part) in contributions.iter_mut().zip(flows.contribution(link.index())) {
                    *sum += weight * part;
                }
            }
            Corridor {
                id: stable_id(keys),
                name,
                ends,
                chain,
                summary,
                rank: 0,
                ranks,
                contributions,
                parallel_to: None,
            }
        })
        .collect();
    out.sort_by(|a, b| b.summary.mean.total_cmp(&a.summary.mean).then_with(|| a.id.cmp(&b.id)));
    for (rank, corridor) in (1..).zip(&mut out) {
        corridor.rank = rank;
    }
    tell_apart(network, domain, &mut out, words.via);
    let parallel = parallel_to(network, &out.iter().map(|c| &c.chain).collect::<Vec<_>>());
    for (i, larger) in parallel.into_iter().enumerate() {
        out[i].parallel_to = larger.map(|larger| out[larger].id.clone());
    }
    (out, candidates)
}
