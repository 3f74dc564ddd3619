//! Perceived cost of links: probit route choice by Monte Carlo (Daganzo & Sheffi 1977; Sheffi 1985, ch. 11).
//!
//! A link of cost `c` minutes is perceived as a Gamma variable of mean `c` and variance `ς c`: shape `c/ς`,
//! scale `ς`. Gamma variables of one scale add up, so that cutting a link in two changes nothing.

use std::convert::Infallible;

use rand::rand_core::TryRng;
use rand_distr::{Distribution, Gamma};

use super::params::DrawParams;
use crate::model::domain::RoadClass;
use crate::model::study::Profiles;
use crate::network::graph::{LinkKind, Network};
use crate::network::perturb::{milliseconds, mix};
use crate::network::search::UNREACHED;

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
    /// Reads the costs of `network`. `posts` counts fixed posts by link, `closed` marks closed links.
    #[must_use]
    pub fn new(network: &Network, posts: Vec<u32>, closed: Vec<bool>) -> Self {
        let class_index = |class: RoadClass| RoadClass::ALL.iter().position(|c| *c == class).unwrap_or(0);
        let mut out = Self {
            base: Vec::new(),
            class: Vec::new(),
            is_gate: Vec::new(),
            major: Vec::new(),
            posts,
            seed: Vec::new(),
            closed,
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

    /// Minutes of a link in a draw, for a profile; closures are not looked at.
    fn minutes(&self, link: usize, params: &DrawParams, profile: Profile, profiles: &Profiles) -> f64 {
        let mut minutes = self.base[link] / params.speed_factor[self.class[link]];
        match profile {
            Profile::AvoidsPosts => minutes += profiles.post_penalty_min * f64::from(self.posts[link]),
            Profile::MinorRoads if self.major[link] => minutes *= profiles.major_road_factor,
            Profile::MinorRoads | Profile::Fast => {}
        }
        if self.is_gate[link] { minutes + params.crossing_min } else { minutes }
    }

    /// Unperturbed costs in ms on the open network, as fast travellers see them.
    pub fn unperturbed(&self, params: &DrawParams, profiles: &Profiles, out: &mut Vec<u32>) {
        out.clear();
        out.extend(
            (0..self.base.len()).map(|l| milliseconds(self.minutes(l, params, Profile::Fast, profiles))),
        );
    }

    /// Perceived costs in ms of perturbation `r`, closed links unreachable.
    pub fn perturbed(
        &self,
        seed: u64,
        params: &DrawParams,
        profile: Profile,
        profiles: &Profiles,
        r: u32,
        out: &mut Vec<u32>,
    ) {
        out.clear();
        let scale = params.route_variance;
        for link in 0..self.base.len() {
            if self.closed[link] {
                out.push(UNREACHED);
                continue;
            }
            let mean = self.minutes(link, params, profile, profiles);
            let mut rng = CounterRng::new([seed, u64::from(params.draw), u64::from(r), self.seed[link]]);
            out.push(milliseconds(perceived(mean, scale, &mut rng)));
        }
    }
}

/// One perceived cost of a link of mean cost `mean`, both in minutes.
pub fn perceived(mean: f64, scale: f64, rng: &mut CounterRng) -> f64 {
    if scale < 1e-9 || mean < 1e-9 {
        return mean;
    }
    Gamma::new(mean / scale, scale).map_or(mean, |g| g.sample(rng))
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

/// A counter-based generator: `SplitMix64` started at a hash of its key (Steele, Lea & Flood 2014). Any link's
/// numbers can be had without those of the links before it.
#[derive(Debug, Clone)]
pub struct CounterRng(u64);

impl CounterRng {
    /// The generator of a key.
    #[must_use]
    pub fn new(key: [u64; 4]) -> Self {
        Self(key.into_iter().fold(0x9e37_79b9_7f4a_7c15, |state, part| {
            mix(state ^ mix(part.wrapping_add(0x9e37_79b9_7f4a_7c15)))
        }))
    }

    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }
}

impl TryRng for CounterRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.next() >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.next())
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        for chunk in dst.chunks_mut(8) {
            let bytes = self.next().to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// REFERENCES: two routes of 10 and 12 minutes, ς = 0.3, no overlap.
    const FIRST: f64 = 0.783_331_953_565_496_9;

    fn share_of_first(pieces: u32, tries: u32) -> f64 {
        let route = |cost: f64, number: u64, t: u32| -> f64 {
            (0..pieces)
                .map(|p| {
                    let mut rng = CounterRng::new([7, u64::from(t), u64::from(p), number]);
                    perceived(cost / f64::from(pieces), 0.3, &mut rng)
                })
                .sum()
        };
        let first = (0..tries).filter(|&t| route(10.0, 1, t) < route(12.0, 2, t)).count();
        first as f64 / f64::from(tries)
    }

    #[test]
    fn two_routes_and_their_subdivision_have_the_published_shares() {
        let tries = 200_000;
        let error = (FIRST * (1.0 - FIRST) / f64::from(tries)).sqrt();
        for pieces in [1, 10, 100] {
            let share = share_of_first(pieces, tries);
            assert!(
                (share - FIRST).abs() < 3.0 * error,
                "{pieces} pieces: {share} against {FIRST} ± {error}"
            );
        }
    }

    #[test]
    fn mean_and_variance_are_those_of_the_model() {
        let n = 200_000_u32;
        let values: Vec<f64> =
            (0..n).map(|t| perceived(5.0, 0.8, &mut CounterRng::new([1, u64::from(t), 0, 0]))).collect();
        let mean = values.iter().sum::<f64>() / f64::from(n);
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / f64::from(n);
        assert!((mean - 5.0).abs() < 0.02 && (variance - 4.0).abs() < 0.08, "{mean} {variance}");
    }
}
