//! Made-up planar road networks without natural cuts: the worst case for a hierarchy.
//!
//! Junctions stand on a square lattice of 250 m, each moved by up to 75 m. Neighbours are joined with probability 0.75,
//! one diagonal of a cell with probability 0.1; one link in twenty is one-way. Every line of the lattice is a road of one
//! of six speed classes: every 2nd, 4th, 8th, 16th and 32nd line is of a faster one. All of it follows from the seed.

use corredor::network::search::Arcs;
use geo::Coord;

use super::workload::{Workload, scatter};

/// Speeds of the classes in km/h.
const SPEEDS: [f64; 6] = [25.0, 40.0, 60.0, 80.0, 90.0, 110.0];

/// A network of at least `junctions` junctions.
pub(crate) fn generated(junctions: usize, seed: u64) -> Workload {
    let side = u32::try_from(junctions.isqrt()).expect("a network that fits").max(2);
    let side = if (side as usize).pow(2) < junctions { side + 1 } else { side };
    let number = |x: u32, y: u32| x * side + y;
    let place = |x: u32, y: u32| {
        let jitter = |salt| 150.0 * (scatter([seed, u64::from(number(x, y)), salt]) - 0.5);
        Coord { x: 250.0 * f64::from(x) + jitter(1), y: 250.0 * f64::from(y) + jitter(2) }
    };
    let at: Vec<Coord<f64>> = (0..side).flat_map(|x| (0..side).map(move |y| place(x, y))).collect();
    let (mut list, mut weights) = (Vec::new(), Vec::new());
    let mut join = |a: u32, b: u32, class: u32, keep: f64| {
        let key = (u64::from(a) << 32) | u64::from(b);
        if scatter([seed, key, 3]) >= keep {
            return;
        }
        let (from, to) = (at[a as usize], at[b as usize]);
        let metres = (from.x - to.x).hypot(from.y - to.y);
        let link = u32::try_from(weights.len()).expect("a network that fits");
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some seconds")]
        weights.push((metres / SPEEDS[class as usize] * 3600.0) as u32);
        list.push((a, b, link));
        if scatter([seed, key, 4]) >= 0.05 {
            list.push((b, a, link));
        }
    };
    for x in 0..side {
        for y in 0..side {
            let (right, up) = (x + 1 < side, y + 1 < side);
            if right {
                join(number(x, y), number(x + 1, y), y.trailing_zeros().min(5), 0.75);
            }
            if up {
                join(number(x, y), number(x, y + 1), x.trailing_zeros().min(5), 0.75);
            }
            if right && up {
                let [a, b] = if scatter([seed, u64::from(number(x, y)), 5]) < 0.5 {
                    [number(x, y), number(x + 1, y + 1)]
                } else {
                    [number(x + 1, y), number(x, y + 1)]
                };
                join(a, b, 0, 0.1);
            }
        }
    }
    Workload { arcs: Arcs::of_list(at.len(), list), at, weights }
}
