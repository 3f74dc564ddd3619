//! Whether other models of route choice lead the same demand over the same roads: Dial's and the recursive logit, beside
//! the probit model of the run.
//!
//! Demand and costs are those of one vector of parameters, the means over the draws of the run, for all three: what differs
//! is route choice alone. Each behaviour profile has its share of the demand and its own costs. The scale of the logit
//! models is that whose errors have the variance of the probit model at the mean cost of a trip ([`logit::scale`]).

use super::choice::{Profile, Traveller};
use super::demand::{Demand, UNIT, is_inner};
use super::dial::dial;
use super::draws::Inputs;
use super::logit::{Graph, Loaded, Trip, scale};
use super::params::DrawParams;
use super::recursive_logit::{Radius, RecursiveLogit, RecursiveLogitError};
use super::sensitivity::{Gauge, measure};
use super::sweep::each;
use crate::error::Result;
use crate::ids::LinkId;
use crate::network::graph::Network;
use crate::network::search::UNREACHED;

/// Vectors of perturbations of the probit model, each with as many perturbations as a draw.
const VECTORS: u32 = 32;

/// Corridors whose place at the top is compared.
pub const TOP: usize = 10;

/// How far two loads agree.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Agreement {
    /// Rank correlation of the flows of links that carry any in either (Spearman 1904); `None` where one does not vary.
    pub links: Option<f64>,
    /// Rank correlation of corridor scores.
    pub corridors: Option<f64>,
    /// Kendall's τ-b of corridor scores.
    pub corridors_tau: Option<f64>,
    /// Corridors that are among the first [`TOP`] in both, and how many these are.
    pub top: (usize, usize),
    /// Part of the traffic, in demand times length, that both lead over the same links.
    pub traffic: Option<f64>,
}

/// A model beside the probit model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Checked {
    /// Scale, per minute.
    pub theta: f64,
    /// Agreement with the probit model at the same parameters.
    pub agreement: Agreement,
    /// Demand without a way, as a share of all.
    pub unserved: f64,
}

/// What is found.
#[derive(Debug, Clone, PartialEq)]
pub struct CrossChecks {
    /// Mean cost of a trip, minutes.
    pub trip_minutes: f64,
    /// Variance of perceived cost, minutes.
    pub route_variance: f64,
    /// Perturbations of the probit model.
    pub perturbations: u32,
    /// The run itself, means over its draws, beside the probit model at the mean parameters.
    pub run: Agreement,
    /// Dial's model.
    pub dial: Checked,
    /// Recursive logit at the same scale, with the spectral radius of each profile's weights; or why not.
    pub recursive: std::result::Result<(Checked, Vec<Radius>), RecursiveLogitError>,
    /// Where it is refused: at twice the least scale at which it is defined, and Dial's model at that scale.
    pub sharper: Option<[Checked; 2]>,
}

impl CrossChecks {
    /// Of `corridors`, lists of links, and `run`, the mean share of each link in the run. `None` where nobody travels or
    /// nobody errs, so that there is nothing to be compared. `params` are those of the draws.
    ///
    /// # Errors
    /// [`crate::error::Error::Interrupted`] if `inputs.stop` was set.
    pub fn new(
        inputs: &Inputs<'_>,
        network: &Network,
        corridors: &[&[LinkId]],
        run: &[f64],
        params: &[DrawParams],
    ) -> Result<Option<Self>> {
        let Some(mean) = mean(params) else { return Ok(None) };
        let planned = each(inputs, 1, 1, Vec::new, |sweep, out, _| {
            out.extend(sweep.trips(vec![mean.clone()])?);
            Some(())
        })?;
        let Some(planned) = planned.into_iter().flatten().next() else { return Ok(None) };
        let trips = trips(inputs, &planned.demand);
        let graph = Graph::new(inputs.arcs);
        let profiles = profiles(inputs, &mean);
        let minutes = mean_minutes(&graph, &profiles[0].1, &trips);
        let theta = minutes.map(|minutes| scale(mean.route_variance, minutes)).filter(|t| t.is_finite());
        let (Some(trip_minutes), Some(theta)) = (minutes, theta) else { return Ok(None) };

        let probit = probit(inputs, &mean)?;
        let compare = Compare { network, corridors };
        let all: f64 = trips.iter().map(|trip| trip.demand).sum();
        let checked = |theta: f64, loaded: &Loaded| Checked {
            theta,
            agreement: compare.agreement(&probit, &loaded.links),
            unserved: loaded.unserved / all,
        };
        let stopped = || inputs.stop.load(std::sync::atomic::Ordering::Relaxed);
        let dial_at = |theta: f64| {
            let mut out = Loaded::none(inputs.costs.len());
            for (share, weights) in profiles.iter().filter(|(share, _)| *share > 0.0) {
                out.add(&dial(&graph, weights, theta, &trips, inputs.stop), *share);
            }
            checked(theta, &out)
        };
        let recursive_at = |theta: f64| {
            let mut out = Loaded::none(inputs.costs.len());
            let mut radii = Vec::new();
            for (share, weights) in profiles.iter().filter(|(share, _)| *share > 0.0) {
                let model = RecursiveLogit::new(&graph, weights, theta)?;
                radii.push(model.radius());
                out.add(&model.load(&trips, inputs.stop)?, *share);
            }
            Ok((checked(theta, &out), radii))
        };
        let dial = dial_at(theta);
        if stopped() {
            return Err(crate::error::Error::Interrupted);
        }
        let recursive = recursive_at(theta);
        let sharper = match recursive {
            Err(RecursiveLogitError::Radius { needed: Some(needed), .. }) => {
                recursive_at(2.0 * needed).ok().map(|(found, _)| [found, dial_at(2.0 * needed)])
            }
            _ => None,
        };
        if stopped() {
            return Err(crate::error::Error::Interrupted);
        }
        Ok(Some(Self {
            trip_minutes,
            route_variance: mean.route_variance,
            perturbations: VECTORS * inputs.study.parameters.perturbations,
            run: compare.agreement(&probit, run),
            dial,
            recursive,
            sharper,
        }))
    }
}

/// The mean of vectors, with counts in parts so small that rounding them to whole numbers does not matter.
fn mean(params: &[DrawParams]) -> Option<DrawParams> {
    let mut out = params.first()?.clone();
    let n = params.len() as f64;
    let of = |f: &dyn Fn(&DrawParams) -> f64| params.iter().map(f).fold(0.0, |sum, v| sum + v) / n;
    out.border_share = of(&|p| p.border_share);
    out.exit_share = of(&|p| p.exit_share);
    out.gamma = of(&|p| p.gamma);
    out.kappa = of(&|p| p.kappa);
    out.route_variance = of(&|p| p.route_variance);
    out.crossing_min = of(&|p| p.crossing_min);
    for (k, speed) in out.speed_factor.iter_mut().enumerate() {
        *speed = of(&|p| p.speed_factor[k]);
    }
    for (k, share) in out.profiles.iter_mut().enumerate() {
        *share = of(&|p| p.profiles[k]);
    }
    for (k, weight) in out.crossings.iter_mut().enumerate() {
        *weight = of(&|p| p.crossings.get(k).copied().unwrap_or(0.0));
    }
    let count = |m: usize| of(&|p| p.counts.guiding_counts().get(m).map_or(0.0, |y| f64::from(*y)));
    let counts: Vec<f64> = (0..out.counts.guiding_counts().len()).map(count).collect();
    let largest = counts.iter().copied().fold(0.0, f64::max);
    // Demand follows their ratios alone.
    let parts = if largest > 0.0 { 1e9 / largest } else { 1.0 };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 10^9")]
    let whole = |y: &f64| (y * parts).round() as u32;
    out.counts.located = counts.iter().map(whole).collect();
    out.counts.levelled = None;
    Some(out)
}

/// Main demand between junctions that loads links.
fn trips(inputs: &Inputs<'_>, demand: &Demand) -> Vec<Trip> {
    let mut out = Vec::new();
    for (i, origin) in inputs.places.origins.iter().enumerate() {
        for (destination, units) in inputs.places.destinations.iter().zip(demand.row(i).0) {
            let (from, to) = (origin.access.junction, destination.access.junction);
            if *units > 0 && from != to && !is_inner(origin, destination) {
                out.push(Trip { from, to, demand: *units as f64 / UNIT });
            }
        }
    }
    out
}

/// Share and unperturbed costs (ms by link) of each behaviour profile, the fast one first.
fn profiles(inputs: &Inputs<'_>, mean: &DrawParams) -> Vec<(f64, Vec<u32>)> {
    let still = DrawParams { route_variance: 0.0, ..mean.clone() };
    let travelling = [Profile::Fast, Profile::AvoidsPosts, Profile::MinorRoads].map(|profile| {
        Traveller::Travelling { seed: inputs.study.seed, params: &still, profile, perturbation: 0 }
    });
    let mut seen = Vec::new();
    inputs.costs.perceived(&travelling, &inputs.study.parameters.profiles, &mut seen);
    let of = |(lane, share): (usize, f64)| (share, seen.iter().map(|lanes| lanes[lane]).collect());
    mean.profiles.into_iter().enumerate().map(of).collect()
}

/// Mean cost of a trip by the cheapest way, minutes.
fn mean_minutes(graph: &Graph, weights: &[u32], trips: &[Trip]) -> Option<f64> {
    let (mut sum, mut all) = (0.0, 0.0);
    for of_origin in super::logit::grouped(trips, |trip| trip.from) {
        let from = graph.distances(weights, of_origin.iter().take(1).map(|trip| trip.from.0), false);
        for trip in of_origin {
            let nearest = graph.nodes_of(trip.to).map(|node| from[node as usize]).min();
            if let Some(ms) = nearest.filter(|ms| *ms < u64::from(UNREACHED)) {
                sum += trip.demand * ms as f64 / 60_000.0;
                all += trip.demand;
            }
        }
    }
    (all > 0.0).then(|| sum / all)
}

/// The share of demand on each link by the probit model of the run.
fn probit(inputs: &Inputs<'_>, mean: &DrawParams) -> Result<Vec<f64>> {
    let gauge = Gauge::links(inputs.costs.len());
    let row = |vector: u32| {
        let mut row = mean.clone();
        // Numbers that no draw has, and profiles in their shares over all vectors.
        row.draw = u32::MAX - vector;
        row.profile_offset = (f64::from(vector) + 0.5) / f64::from(VECTORS);
        vec![row]
    };
    let silent = Inputs { progress: &|| (), ..*inputs };
    let mut out = vec![0.0; inputs.costs.len()];
    for rows in measure(&silent, &gauge, VECTORS, row)? {
        for values in rows {
            out.iter_mut().zip(values).for_each(|(sum, value)| *sum += value / f64::from(VECTORS));
        }
    }
    Ok(out)
}

struct Compare<'a> {
    network: &'a Network,
    corridors: &'a [&'a [LinkId]],
}

impl Compare<'_> {
    fn agreement(&self, a: &[f64], b: &[f64]) -> Agreement {
        let loaded = (0..a.len()).filter(|link| a[*link] > 0.0 || b[*link] > 0.0);
        let (on_a, on_b): (Vec<f64>, Vec<f64>) = loaded.map(|link| (a[link], b[link])).unzip();
        let [score_a, score_b] = [a, b].map(|flows| self.scores(flows));
        let (mut both, mut all) = (0.0, 0.0);
        for (id, link) in self.network.links() {
            let (a, b) = (a[id.index()], b[id.index()]);
            both += link.length.km() * a.min(b);
            all += link.length.km() * a.max(b);
        }
        let [first_a, first_b] = [&score_a, &score_b].map(|scores| first(scores));
        Agreement {
            links: spearman(&on_a, &on_b),
            corridors: spearman(&score_a, &score_b),
            corridors_tau: kendall(&score_a, &score_b),
            top: (first_a.iter().filter(|c| first_b.contains(c)).count(), first_a.len()),
            traffic: (all > 0.0).then(|| both / all),
        }
    }

    fn scores(&self, flows: &[f64]) -> Vec<f64> {
        let score = |links: &&[LinkId]| {
            let (mut sum, mut km) = (0.0, 0.0);
            for link in *links {
                let length = self.network.link(*link).length.km();
                sum += length * flows[link.index()];
                km += length;
            }
            if km > 0.0 { sum / km } else { 0.0 }
        };
        self.corridors.iter().map(score).collect()
    }
}

/// The places of the largest values; of equal ones the first.
fn first(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*b].total_cmp(&values[*a]).then(a.cmp(b)));
    order.truncate(TOP);
    order
}

/// Spearman's rank correlation, ties at their mean rank. `None` for fewer than two values, or where one does not vary.
#[must_use]
pub fn spearman(a: &[f64], b: &[f64]) -> Option<f64> {
    let [a, b] = [a, b].map(mid_ranks);
    let n = a.len() as f64;
    let middle = f64::midpoint(n, 1.0);
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().map(|x| x - middle).zip(b.iter().map(|y| y - middle)) {
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    (a.len() == b.len() && aa > 0.0 && bb > 0.0).then(|| ab / (aa * bb).sqrt())
}

fn mid_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    for tied in order.chunk_by(|a, b| values[*a].total_cmp(&values[*b]).is_eq()) {
        // Ranks start + 1 ..= start + n.
        let rank = start as f64 + f64::midpoint(tied.len() as f64, 1.0);
        for at in tied {
            ranks[*at] = rank;
        }
        start += tied.len();
    }
    ranks
}

/// Kendall's τ-b (Kendall 1945), pair by pair. `None` for fewer than two values, or where one does not vary.
#[must_use]
pub fn kendall(a: &[f64], b: &[f64]) -> Option<f64> {
    let (mut sum, mut pairs_a, mut pairs_b) = (0_i64, 0_u64, 0_u64);
    for i in 0..a.len().min(b.len()) {
        for j in 0..i {
            let (x, y) = (a[i].total_cmp(&a[j]) as i64, b[i].total_cmp(&b[j]) as i64);
            sum += x * y;
            pairs_a += x.unsigned_abs();
            pairs_b += y.unsigned_abs();
        }
    }
    let both = pairs_a as f64 * pairs_b as f64;
    (both > 0.0).then(|| sum as f64 / both.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rank_correlations_are_those_of_scipy() {
        // scipy.stats.spearmanr and kendalltau of these, with ties
        let a = [1.0, 2.0, 2.0, 4.0, 5.0];
        let b = [3.0, 1.0, 4.0, 4.0, 5.0];
        assert!((spearman(&a, &b).unwrap() - 0.763_157_894_736_842_1).abs() < 1e-12);
        assert!((kendall(&a, &b).unwrap() - 2.0 / 3.0).abs() < 1e-12);
        assert_eq!(spearman(&a, &a), Some(1.0));
        assert_eq!(kendall(&a, &a.map(|x| -x)), Some(-1.0));
        assert_eq!((spearman(&a, &[1.0; 5]), kendall(&a, &[1.0; 5])), (None, None));
        assert_eq!((spearman(&[], &[]), kendall(&[1.0], &[1.0])), (None, None));
    }
}
