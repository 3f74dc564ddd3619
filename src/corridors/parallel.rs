//! Corridors that are alternatives of each other: the two carriageways of a road, a toll road beside the free one.
//!
//! Links between the same two junctions are judged together ([`super::extract::membership`]), but stay corridors of
//! their own where junctions on one of them, or another reference, tell them apart. Each keeps its share: what both
//! carry together is no corridor's score.

use geo::{Distance, Geodesic, Point};

use super::bundles::BUNDLE_DETOUR;
use super::extract::Chain;
use super::naming::distances;
use crate::ids::JunctionId;
use crate::network::graph::Network;

/// How far the ends of one alternative may be from the other, metres: ramps and one-way streets part the ends of what
/// a map shows as one place.
pub const REACH: f64 = 2_000.0;

/// For each of `chains`, the first one before it of which it is a parallel alternative, if there is one.
#[must_use]
pub fn parallel_to(network: &Network, chains: &[&Chain]) -> Vec<Option<usize>> {
    let courses: Vec<Course> = chains.iter().map(|chain| Course::new(network, chain)).collect();
    let before = |i: usize| (0..i).find(|&larger| are_parallel(&courses[larger], &courses[i]));
    (0..chains.len()).map(before).collect()
}

/// The junctions of a corridor with their distances from its start, metres.
struct Course(Vec<(Point<f64>, f64)>);

impl Course {
    fn new(network: &Network, chain: &Chain) -> Self {
        let at = |junction: &JunctionId| Point(network.junction(*junction).at);
        Self(chain.junctions.iter().map(at).zip(distances(network, chain, false)).collect())
    }

    fn length(&self) -> f64 {
        self.0.last().map_or(0.0, |(_, distance)| *distance)
    }

    fn ends(&self) -> Option<[Point<f64>; 2]> {
        Some([self.0.first()?.0, self.0.last()?.0])
    }

    /// Distance from the start of the junction that is nearest to a place, within [`REACH`].
    fn nearest(&self, to: Point<f64>) -> Option<f64> {
        // A degree of latitude has 110.5 km at least.
        let near = |at: &Point<f64>| (at.y() - to.y()).abs() * 110_500.0 <= REACH;
        self.0
            .iter()
            .filter(|(at, _)| near(at))
            .map(|(at, along)| (Geodesic.distance(*at, to), *along))
            .filter(|(distance, _)| *distance <= REACH)
            .min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)))
            .map(|(_, along)| along)
    }
}

/// Whether the shorter of two corridors begins and ends at the longer one and the way between these places is alike
/// long on both.
fn are_parallel(a: &Course, b: &Course) -> bool {
    let (short, long) = if a.length() < b.length() { (a, b) } else { (b, a) };
    let Some([first, last]) = short.ends() else { return false };
    let (Some(from), Some(to)) = (long.nearest(first), long.nearest(last)) else { return false };
    let (stretch, length) = ((to - from).abs(), short.length());
    stretch > 0.0 && stretch.max(length) <= BUNDLE_DETOUR * stretch.min(length)
}
