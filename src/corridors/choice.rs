//! Perceived cost of links: probit route choice by Monte Carlo (Daganzo & Sheffi 1977; Sheffi 1985, ch. 11).
//!
//! A link of cost `c` minutes is perceived as a Gamma variable of mean `c` and variance `ς c`: shape `c/ς`, scale
//! `ς`. Gamma variables of one scale add up, so that cutting a link in two changes nothing. Their values come from
//! [`crate::network::perturb`].

use rayon::prelude::*;

use super::params::DrawParams;
use crate::ids::LinkId;
use crate::model::domain::RoadClass;
use crate::model::study::Profiles;
use crate::network::cch::LANES;
use crate::network::graph::{LinkKind, Network};
use crate::network::perturb::{Perception, VectorKey, milliseconds};
use crate::network::search::UNREACHED;

/// Links that one thread takes at least: fewer are done sooner than handed over.
const TOGETHER: usize = 4_096;

/// Costs of the links of a network that do not change between draws.
#[derive(Debug, Clone)]
pub struct LinkCosts {
    /// Minutes at the road's own speed.
    base: Vec<f64>,
    class: Vec<usize>,
    is_gate: Vec<bool>,
    major: Vec<bool>,
    posts: Vec<u32>,
    /// Number that stands for the link in random draws: from its key, so that other links do not change it.
    seed: Vec<u64>,
    closed: Vec<bool>,
    /// Factor on the minutes that travellers meet; demand does not know of it.
    delay: Vec<f64>,
}

/// A behaviour profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Takes the fastest way.
    Fast,
    /// Avoids fixed posts.
    AvoidsPosts,
    /// Prefers minor roads.
    MinorRoads,
}

impl LinkCosts {
    /// Reads the costs of `network`. `posts` counts fixed posts by link, `closed` marks closed links, `delay` is a factor
    /// on the time that travellers meet.
    #[must_use]
    pub fn new(network: &Network, posts: Vec<u32>, closed: Vec<bool>, delay: Vec<f64>) -> Self {
        let class_index = |class: RoadClass| RoadClass::ALL.iter().position(|c| *c == class).unwrap_or(0);
        let mut out = Self {
            base: Vec::new(),
            class: Vec::new(),
            is_gate: Vec::new(),
            major: Vec::new(),
            posts,
            seed: Vec::new(),
            closed,
            delay,
        };
        for (id, link) in network.links() {
            out.base.push(link.time.0);
            out.class.push(class_index(link.class));
            out.is_gate.push(matches!(link.kind, LinkKind::Gate { .. }));
            out.major.push(matches!(link.class, RoadClass::Federal | RoadClass::Toll));
            out.seed.push(fnv(network.key(id)));
        }
        out
    }

    /// The costs of `links` alone, in that order.
    #[must_use]
    pub fn arranged(&self, links: &[u32]) -> Self {
        fn take<T: Copy>(list: &[T], links: &[u32]) -> Vec<T> {
            links.iter().map(|link| list[*link as usize]).collect()
        }
        Self {
            base: take(&self.base, links),
            class: take(&self.class, links),
            is_gate: take(&self.is_gate, links),
            major: take(&self.major, links),
            posts: take(&self.posts, links),
            seed: take(&self.seed, links),
            closed: take(&self.closed, links),
            delay: take(&self.delay, links),
        }
    }

    /// The same where `links` are closed too.
    #[must_use]
    pub fn without(&self, links: &[LinkId]) -> Self {
        let mut out = self.clone();
        for link in links {
            out.closed[link.index()] = true;
        }
        out
    }

    /// Number of links.
    #[must_use]
    pub fn len(&self) -> usize {
        self.base.len()
    }

    /// Whether there is no link.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.base.is_empty()
    }

    /// Costs in ms as `travellers` see them, one vector of costs for each, side by side; lanes without a traveller
    /// repeat the first one. There is at least one.
    pub fn perceived(&self, travellers: &[Traveller<'_>], profiles: &Profiles, out: &mut Vec<[u32; LANES]>) {
        out.clear();
        out.resize(self.len(), [0; LANES]);
        let Some(first) = travellers.first() else { return };
        let by_lane: [&Traveller<'_>; LANES] = std::array::from_fn(|l| travellers.get(l).unwrap_or(first));
        let views = by_lane.map(|traveller| View::new(traveller, profiles));
        let keys = views.each_ref().map(|view| view.key);
        let scales = views.each_ref().map(|view| view.scale);
        let open = by_lane.map(|traveller| matches!(traveller, Traveller::Planning { .. }));
        let table = Perception::table();
        out.par_iter_mut().enumerate().with_min_len(TOGETHER).for_each(|(link, out)| {
            let means = views.each_ref().map(|view| view.minutes(self, link));
            *out = if self.closed[link] {
                std::array::from_fn(|l| if open[l] { milliseconds(means[l]) } else { UNREACHED })
            } else {
                table.lanes(&keys, self.seed[link], &means, &scales)
            };
        });
    }
}

/// Who looks at the links.
#[derive(Debug, Clone, Copy)]
pub enum Traveller<'a> {
    /// Knows the costs as they are and takes the fastest way on the open network: what demand follows.
    Planning {
        /// Parameters of the draw.
        params: &'a DrawParams,
    },
    /// Perceives them with an error of its own, and meets closed links.
    Travelling {
        /// Seed of the study.
        seed: u64,
        /// Parameters of the draw.
        params: &'a DrawParams,
        /// Behaviour.
        profile: Profile,
        /// Number of the perturbation.
        perturbation: u32,
    },
}

/// What a traveller makes of the costs of links, by what links have in common.
struct View {
    /// Factor on minutes, by class of road and whether it is a major one.
    factor: [[f64; 2]; RoadClass::ALL.len()],
    /// Minutes added by each fixed post.
    post: f64,
    /// Minutes added at a gate.
    gate: f64,
    /// Variance over mean, minutes; 0 for who does not err.
    scale: f64,
    key: VectorKey,
    /// Whether the scenario's delays are met.
    delayed: bool,
}

impl View {
    fn new(traveller: &Traveller<'_>, profiles: &Profiles) -> Self {
        let (params, profile, scale, key) = match *traveller {
            Traveller::Planning { params } => (params, Profile::Fast, 0.0, VectorKey::new(0, params.draw, 0)),
            Traveller::Travelling { seed, params, profile, perturbation } => {
                (params, profile, params.route_variance, VectorKey::new(seed, params.draw, perturbation))
            }
        };
        let major = if profile == Profile::MinorRoads { profiles.major_road_factor } else { 1.0 };
        Self {
            factor: params.speed_factor.map(|speed| [1.0 / speed, major / speed]),
            post: if profile == Profile::AvoidsPosts { profiles.post_penalty_min } else { 0.0 },
            gate: params.crossing_min,
            scale,
            key,
            delayed: matches!(traveller, Traveller::Travelling { .. }),
        }
    }

    fn minutes(&self, costs: &LinkCosts, link: usize) -> f64 {
        let delay = if self.delayed { costs.delay[link] } else { 1.0 };
        let driving =
            delay * costs.base[link] * self.factor[costs.class[link]][usize::from(costs.major[link])];
        let gate = if costs.is_gate[link] { self.gate } else { 0.0 };
        driving + self.post * f64::from(costs.posts[link]) + gate
    }
}

/// The profile of each of `perturbations`: a systematic sample of the drawn shares, so that each
/// perturbation has one profile and their mix is right on average whatever their number.
#[must_use]
pub fn profile_of(params: &DrawParams, r: u32, perturbations: u32) -> Profile {
    let at = (f64::from(r) + params.profile_offset) / f64::from(perturbations.max(1));
    if at < params.profiles[0] {
        Profile::Fast
    } else if at < params.profiles[0] + params.profiles[1] {
        Profile::AvoidsPosts
    } else {
        Profile::MinorRoads
    }
}

/// FNV-1a: a fixed, public hash of a short text; it only has to spread.
fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corridors::tests::params;
    use crate::model::domain::Direction;
    use crate::network::tests::support::{circle, network};

    #[test]
    fn each_behaviour_sees_its_own_costs() {
        // 0: a local road with two posts; 1: a federal road; 2: a gate; 3: a closed local road.
        let arcs: Vec<_> = (0..4).map(|i| (i, i + 1, 10.0, Direction::Both)).collect();
        let mut graph = network(&circle(5), &arcs).graph().clone();
        for (at, link) in graph.edge_weights_mut().enumerate() {
            link.class = if at == 1 { RoadClass::Federal } else { RoadClass::Local };
            if at == 2 {
                link.kind = LinkKind::Gate { crossing: 0 };
            }
        }
        let costs = LinkCosts::new(
            &Network::new(graph),
            vec![2, 0, 0, 0],
            vec![false, false, false, true],
            vec![1.0, 2.0, 1.0, 1.0],
        );
        let profiles = Profiles { post_penalty_min: 7.0, major_road_factor: 1.5, ..Profiles::default() };
        let mut params = params(&[1], 0);
        params.crossing_min = 30.0;
        let of = |class: RoadClass| RoadClass::ALL.iter().position(|c| *c == class).unwrap();
        params.speed_factor[of(RoadClass::Local)] = 2.0;
        let params = &params;
        let travelling = |profile| Traveller::Travelling { seed: 1, params, profile, perturbation: 0 };
        let travellers = [
            Traveller::Planning { params },
            travelling(Profile::Fast),
            travelling(Profile::AvoidsPosts),
            travelling(Profile::MinorRoads),
        ];
        let mut seen = Vec::new();
        costs.perceived(&travellers, &profiles, &mut seen);
        // Without variance the perceived cost is the cost; lanes without a traveller repeat the first one.
        let minutes =
            |lane: usize| seen.iter().map(|link| f64::from(link[lane]) / 60_000.0).collect::<Vec<_>>();
        let closed = f64::from(UNREACHED) / 60_000.0;
        assert_eq!(minutes(0), [5.0, 10.0, 35.0, 5.0]);
        // The delay of the federal road is for those who travel.
        assert_eq!(minutes(1), [5.0, 20.0, 35.0, closed]);
        assert_eq!(minutes(2), [19.0, 20.0, 35.0, closed]);
        assert_eq!(minutes(3), [5.0, 30.0, 35.0, closed]);
        assert_eq!(minutes(7), minutes(0));
    }

    #[test]
    fn perceived_costs_follow_the_key_of_the_link_alone() {
        let arcs: Vec<_> = (0..40).map(|i| (i, (i + 1) % 40, 3.0, Direction::Both)).collect();
        let costs = |count: usize| {
            LinkCosts::new(
                &network(&circle(40), &arcs[..count]),
                vec![0; count],
                vec![false; count],
                vec![1.0; count],
            )
        };
        let mut params = params(&[1], 0);
        params.route_variance = 0.3;
        let params = &params;
        let lanes: Vec<Traveller<'_>> = (0..8)
            .map(|perturbation| Traveller::Travelling {
                seed: 5,
                params,
                profile: Profile::Fast,
                perturbation,
            })
            .collect();
        let (mut few, mut all) = (Vec::new(), Vec::new());
        costs(20).perceived(&lanes, &Profiles::default(), &mut few);
        costs(40).perceived(&lanes, &Profiles::default(), &mut all);
        assert_eq!(few, all[..20]);
        let mut values: Vec<u32> = all.into_iter().flatten().collect();
        let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / values.len() as f64;
        // 3 minutes, within four standard errors of 320 values of variance 0.9.
        assert!((mean / 60_000.0 - 3.0).abs() < 0.22, "{mean}");
        values.sort_unstable();
        values.dedup();
        assert!(values.len() > 300, "links and perturbations differ");
    }
}
