//! The order of visits to workplaces.
//!
//! score = Σ weight × factor, the logarithm of a product. A factor is `ln(1 + x / x̄)`, with `x̄` the mean of what is known, so that
//! units do not matter; what is not known is neutral: it takes the mean factor of the others and says so.
//! A score orders visits. It is no finding about a workplace.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::competence::{Competence, competence};
use crate::corridors::demand::{Places, UNIT};
use crate::corridors::draws::Flows;
use crate::corridors::score::{Items, top_probability};
use crate::model::domain::Domain;
use crate::model::study::Study;
use crate::network::graph::Network;
use crate::network::spatial::LinkIndex;
use crate::stats::spread;

/// The factors of a score, in the order of [`RankedWorksite::contributions`].
pub const FACTORS: [&str; 5] = ["sector", "rate", "exposure", "since_visit", "complaints"];

/// A workplace with its score.
#[derive(Debug, Clone, PartialEq)]
pub struct RankedWorksite {
    /// Index of the workplace.
    pub worksite: usize,
    /// Rank by mean score, from 1.
    pub rank: u32,
    /// Mean, 5 % and 95 % quantile of the log-score over draws.
    pub score: [f64; 3],
    /// Probability of standing in the top tenth.
    pub pr_top: f64,
    /// Contributions, which add up to the mean log-score, and whether the factor is known.
    pub contributions: [(f64, bool); FACTORS.len()],
    /// Mean share of trips to other municipalities that pass near.
    pub exposure: f64,
    /// Whose inspection it is.
    pub competence: Competence,
}

/// Workplaces by rank, and the number of candidates.
#[must_use]
pub fn rank(
    study: &Study,
    domain: &Domain,
    network: &Network,
    places: &Places,
    flows: &Flows,
) -> (Vec<RankedWorksite>, usize) {
    let sites = &domain.worksites;
    let draws = flows.trees.len();
    if sites.is_empty() || draws == 0 {
        return (Vec::new(), 0);
    }
    let municipality: BTreeMap<&str, usize> =
        domain.municipalities.iter().enumerate().map(|(i, m)| (m.cvegeo.as_str(), i)).collect();
    let home: Vec<usize> =
        sites.iter().map(|w| municipality.get(w.cvegeo.as_str()).copied().unwrap_or(0)).collect();
    let exposure = exposure(study, domain, network, places, flows, &home);

    // Factors that do not change between draws.
    let sector = factor(sites.iter().map(|w| Some(sector_weight(study, &w.scian))));
    let since = factor(sites.iter().map(|w| w.days_since_visit.map(|d| d as f64)));
    let complaints = factor(sites.iter().map(|w| w.complaints.map(f64::from)));
    let w = study.planning.weights;
    let weights = [w.sector, w.rate, w.exposure, w.since_visit, w.complaints];

    let (mut logs, mut scores): (Vec<Vec<f64>>, Vec<Vec<f64>>) = (Vec::new(), Vec::new());
    let mut sums = vec![[0.0; FACTORS.len()]; sites.len()];
    for (draw, exposed) in exposure.iter().enumerate() {
        let rate = factor(home.iter().map(|&m| Some(flows.params[draw].counts.guiding_rates()[m])));
        let passing = factor(exposed.iter().copied());
        let mut row = Vec::with_capacity(sites.len());
        for i in 0..sites.len() {
            let parts = [sector[i], rate[i], passing[i], since[i], complaints[i]];
            let mut log_score = 0.0;
            for (f, part) in parts.iter().enumerate() {
                let contribution = weights[f] * part.0;
                sums[i][f] += contribution;
                log_score += contribution;
            }
            row.push(log_score);
        }
        // Ranks are those of the logarithms, but a log-score of 0 is no missing candidate.
        scores.push(row.iter().map(|log| log.exp()).collect());
        logs.push(row);
    }
    let (top, candidates) = top_probability(&Items { scores: &scores, null: &[] });
    let n = draws as f64;
    let mut out: Vec<RankedWorksite> = (0..sites.len())
        .map(|i| {
            let known = [true, true, exposure[0][i].is_some(), since[i].1, complaints[i].1];
            let mut contributions = [(0.0, false); FACTORS.len()];
            for (f, slot) in contributions.iter_mut().enumerate() {
                *slot = (sums[i][f] / n, known[f]);
            }
            RankedWorksite {
                worksite: i,
                rank: 0,
                score: spread(logs.iter().map(|row| row[i]).collect()),
                pr_top: top[i],
                contributions,
                exposure: exposure.iter().filter_map(|row| row[i]).sum::<f64>() / n,
                competence: competence(&sites[i].scian),
            }
        })
        .collect();
    out.sort_by(|a, b| {
        b.score[0].total_cmp(&a.score[0]).then_with(|| sites[a.worksite].id.cmp(&sites[b.worksite].id))
    });
    for (rank, site) in (1..).zip(&mut out) {
        site.rank = rank;
    }
    (out, candidates)
}

/// Weight of a sector: that of the longest SCIAN prefix in the study.
fn sector_weight(study: &Study, scian: &str) -> f64 {
    study
        .planning
        .sectors
        .iter()
        .filter(|(prefix, _)| scian.starts_with(prefix.as_str()))
        .max_by_key(|(prefix, _)| prefix.len())
        .map_or(1.0, |(_, weight)| *weight)
}

/// `ln(1 + x / mean)` of each value, and whether it is known; what is not takes the mean factor.
fn factor(values: impl Iterator<Item = Option<f64>>) -> Vec<(f64, bool)> {
    let values: Vec<Option<f64>> = values.collect();
    let known: Vec<f64> = values.iter().flatten().copied().collect();
    let n = known.len().max(1) as f64;
    let mean = known.iter().sum::<f64>() / n;
    let scaled = |v: f64| if mean > 0.0 { (v / mean).ln_1p() } else { 0.0 };
    let neutral = known.iter().map(|v| scaled(*v)).sum::<f64>() / n;
    values.into_iter().map(|v| v.map_or((neutral, false), |v| (scaled(v), true))).collect()
}

/// By draw and workplace: the largest share of trips to other municipalities on a road near it; `None`
/// where no road is near. Trips to its own municipality are left out: they are in its rate already. The flow is
/// that of all perturbations of the draw; how much of it is the municipality's own only the kept trees tell.
fn exposure(
    study: &Study,
    domain: &Domain,
    network: &Network,
    places: &Places,
    flows: &Flows,
    home: &[usize],
) -> Vec<Vec<Option<f64>>> {
    let index = LinkIndex::new(network, &domain.frame, |id| network.link(id).is_home_road());
    // A pair is a link and the municipality whose own trips do not count on it.
    let mut pairs: BTreeMap<(u32, usize), usize> = BTreeMap::new();
    let near: Vec<Vec<usize>> = domain
        .worksites
        .iter()
        .zip(home)
        .map(|(site, &m)| {
            let links = index.within(domain.frame.to_plane(site.at), study.planning.exposure_radius_m);
            links
                .into_iter()
                .map(|link| {
                    let next = pairs.len();
                    *pairs.entry((link.0, m)).or_insert(next)
                })
                .collect()
        })
        .collect();
    let mut wanted: Vec<Vec<(usize, usize)>> = vec![Vec::new(); network.link_count()];
    for (&(link, m), &pair) in &pairs {
        wanted[link as usize].push((m, pair));
    }
    let by_draw = |(draw, trees): (usize, &Vec<crate::corridors::flow::Tree>)| {
        let mut own = vec![0_i64; pairs.len()];
        for tree in trees {
            for leaf in &tree.leaves {
                let place = &places.destinations[leaf.destination as usize];
                if place.class == crate::corridors::demand::DestinationClass::Exit {
                    continue;
                }
                let mut at = leaf.node as usize;
                while tree.nodes[at].parent as usize != at {
                    for &(m, pair) in &wanted[tree.nodes[at].link as usize] {
                        if m == place.place {
                            own[pair] += leaf.demand;
                        }
                    }
                    at = tree.nodes[at].parent as usize;
                }
            }
        }
        let share: BTreeMap<usize, f64> = pairs
            .iter()
            .map(|(&(link, _), &pair)| {
                let all = flows.share(flows.loads.at(draw, link as usize).main);
                (pair, (all - own[pair] as f64 / UNIT).max(0.0))
            })
            .collect();
        near.iter()
            .map(|pairs| pairs.iter().map(|p| share[p]).max_by(f64::total_cmp))
            .collect::<Vec<Option<f64>>>()
    };
    flows.trees.par_iter().enumerate().map(by_draw).collect()
}
