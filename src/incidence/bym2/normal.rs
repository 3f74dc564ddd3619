//! Standard normal variables that are the same bits on every processor.

use rand::{Rng, RngExt};

/// Marsaglia's polar method (1964): square roots are exact to rounding everywhere and the logarithm comes
/// from `libm`, not from the system's library, whose last bit can depend on the processor.
pub(super) fn fill(values: &mut [f64], rng: &mut impl Rng) {
    for pair in values.chunks_mut(2) {
        let [x, y] = polar(rng);
        pair[0] = x;
        if let Some(second) = pair.get_mut(1) {
            *second = y;
        }
    }
}

fn polar(rng: &mut impl Rng) -> [f64; 2] {
    loop {
        let (x, y) = (2.0 * rng.random::<f64>() - 1.0, 2.0 * rng.random::<f64>() - 1.0);
        let square = x * x + y * y;
        if square > 0.0 && square < 1.0 {
            let factor = (-2.0 * libm::log(square) / square).sqrt();
            return [x * factor, y * factor];
        }
    }
}
