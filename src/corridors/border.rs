//! How much of a corridor lies near the border.
//!
//! The rule needs nothing but the crossings of the study, so that it is the same for every state: what lies within
//! 20 km of a crossing, along the ellipsoid. 20 km is the width of the *franja fronteriza* of the Ley Aduanera,
//! article 136, which measures from the dividing line; a study has no such line, so that a road near the border and
//! far from every crossing does not count.

use geo::{Coord, Distance, Geodesic, Point};

use crate::ids::LinkId;
use crate::network::graph::Network;
use crate::units::Metres;

/// Width of the border zone.
pub const ZONE: Metres = Metres(20_000.0);

/// Lines are looked at in pieces of this length at most, millimetres.
const PIECE: u64 = 100_000;

/// Where a corridor lies from the border, to half the length of a piece.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Border {
    /// Share of its length within [`ZONE`] of a crossing.
    pub zone: f64,
    /// Distance of its nearest place from a crossing.
    pub nearest: Metres,
}

/// Where `links` lie from `crossings`; `None` without a crossing.
#[must_use]
pub fn border(network: &Network, links: &[LinkId], crossings: &[Coord<f64>]) -> Option<Border> {
    if crossings.is_empty() {
        return None;
    }
    let to_crossing = |at: Coord<f64>| {
        let to = |crossing: &Coord<f64>| Geodesic.distance(Point(at), Point(*crossing));
        crossings.iter().map(to).fold(f64::INFINITY, f64::min)
    };
    let (mut within, mut all, mut nearest) = (0.0, 0.0, f64::INFINITY);
    for id in links {
        let link = network.link(*id);
        // Whole millimetres, so that the direction of a line does not matter. The length of the road counts, which
        // can be more than that of its line.
        let (mut near, mut line) = (0_u64, 0_u64);
        for segment in link.line.lines() {
            let length = Metres(Geodesic.distance(Point(segment.start), Point(segment.end)));
            let pieces = length.millimetres().div_ceil(PIECE).max(1);
            let middle = |piece: u64| (piece as f64 + 0.5) / pieces as f64;
            let mut inner = 0;
            for piece in 0..pieces {
                let distance = to_crossing(segment.start + segment.delta() * middle(piece));
                nearest = nearest.min(distance);
                inner += u64::from(distance <= ZONE.0);
            }
            line += length.millimetres();
            near += length.millimetres() * inner / pieces;
        }
        let length = link.length.0;
        all += length;
        within += if line > 0 { length * near as f64 / line as f64 } else { 0.0 };
    }
    (all > 0.0).then(|| Border { zone: within / all, nearest: Metres(nearest) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::domain::Direction::Both;
    use crate::network::tests::support::{at, network};

    #[test]
    fn the_border_zone_reaches_twenty_kilometres_from_a_crossing() {
        // A road of 60 km from the crossing eastward, cut in two, and one far away.
        let places = [(0.0, 0.0), (30.0, 0.0), (60.0, 0.0), (0.0, 70.0), (50.0, 70.0)];
        let network = network(&places, &[(0, 1, 30.0, Both), (1, 2, 30.0, Both), (3, 4, 50.0, Both)]);
        let share = |links: &[u32], crossings: &[(f64, f64)]| {
            let links: Vec<LinkId> = links.iter().map(|l| LinkId(*l)).collect();
            let crossings: Vec<Coord<f64>> = crossings.iter().map(|c| at(*c)).collect();
            border(&network, &links, &crossings).map(|b| b.zone)
        };
        let near = |found: Option<f64>, share: f64| found.is_some_and(|f| (f - share).abs() < 0.005);
        assert!(near(share(&[0, 1], &[(0.0, 0.0)]), 1.0 / 3.0), "{:?}", share(&[0, 1], &[(0.0, 0.0)]));
        assert!(near(share(&[0], &[(0.0, 0.0)]), 2.0 / 3.0));
        // Zones of two crossings overlap, and count once; order of links and crossings does not matter.
        let two = share(&[0, 1], &[(0.0, 0.0), (10.0, 0.0)]);
        assert!(near(two, 0.5));
        assert_eq!(share(&[1, 0], &[(10.0, 0.0), (0.0, 0.0)]), two);
        assert_eq!(share(&[2], &[(0.0, 0.0)]), Some(0.0));
        assert_eq!(share(&[0], &[]), None, "without a crossing nothing is known of the border");
        // A crossing beside the road: 2 × √(20² − 12²) = 32 km of it.
        assert!(near(share(&[2], &[(25.0, 58.0)]), 0.64));
        let beside = border(&network, &[LinkId(2)], &[at((25.0, 58.0)), at((0.0, 0.0))]);
        assert!(beside.is_some_and(|b| (b.nearest.km() - 12.0).abs() < 0.1), "{beside:?}");
    }
}
