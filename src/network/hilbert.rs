//! Order along a space-filling curve: what lies near on the ground lies near in memory.

use geo::Coord;

/// Bits of each axis: metres from 2²⁴ west and south of the frame's origin, which holds the whole of Mexico and
/// far more; what lies outside is moved to the border.
const BITS: u32 = 25;

/// Place of a position (metres of the work frame) along the Hilbert curve. It depends on the position alone, so
/// that a network keeps its order when a road is added elsewhere.
#[must_use]
pub fn hilbert(at: Coord<f64>) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped; NaN becomes 0")]
    let metres =
        |v: f64| (v + f64::from(1_u32 << (BITS - 1))).clamp(0.0, f64::from((1_u32 << BITS) - 1)) as u32;
    let (mut x, mut y) = (metres(at.x), metres(at.y));
    let mut place = 0_u64;
    let mut bit = 1_u32 << (BITS - 1);
    while bit > 0 {
        let (rx, ry) = (u32::from(x & bit > 0), u32::from(y & bit > 0));
        place += u64::from(bit) * u64::from(bit) * u64::from((3 * rx) ^ ry);
        // Turn the quadrant, so that the curve goes on where the last one ended.
        if ry == 0 {
            if rx == 1 {
                x = !x & ((1 << BITS) - 1);
                y = !y & ((1 << BITS) - 1);
            }
            std::mem::swap(&mut x, &mut y);
        }
        bit >>= 1;
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_on_the_curve_are_neighbours_on_the_ground() {
        let mut cells: Vec<(u64, i32, i32)> = Vec::new();
        for x in 0..32 {
            for y in 0..32 {
                cells.push((hilbert(Coord { x: f64::from(x), y: f64::from(y) }), x, y));
            }
        }
        cells.sort_unstable();
        for pair in cells.windows(2) {
            let ((a, x0, y0), (b, x1, y1)) = (pair[0], pair[1]);
            assert_eq!((b - a, (x1 - x0).abs() + (y1 - y0).abs()), (1, 1), "{pair:?}");
        }
        let _ = hilbert(Coord { x: f64::NAN, y: f64::INFINITY });
    }
}
