//! Sums over, and draws from, a unimodal probability function cut to an interval.
//!
//! Poisson and binomial weights are summed outward from the highest point of the interval, where the weight
//! is set to 1. So nothing underflows however far the interval lies in a tail, all terms are positive (no
//! cancellation, unlike differences of distribution functions), and a wide interval costs only as many
//! terms as carry weight: a walk ends where a term is below 1e-18 of the sum, which for log-concave weights
//! leaves out less than some 1e-15 of it.

use rand::{Rng, RngExt};

/// Terms below this share of the sum are left out.
const NEGLIGIBLE: f64 = 1e-18;

/// A weight function on `lo..=hi`, with its mode there and `ratio(k) = w(k + 1) / w(k)`.
pub(super) struct Unimodal<F> {
    lo: u32,
    hi: u32,
    mode: u32,
    ratio: F,
}

/// Sums of weights relative to the weight at the mode.
struct Sums {
    /// From the mode upward, mode included.
    up: f64,
    /// Below the mode.
    down: f64,
    /// Of (k − mode) times the weight.
    moment: f64,
}

/// `Poisson(mean)` on `lo..=hi`. Needs `lo <= hi` and a finite mean, positive where `lo > 0`.
pub(super) fn poisson(mean: f64, lo: u32, hi: u32) -> Unimodal<impl Fn(u32) -> f64> {
    Unimodal { lo, hi, mode: floor(mean).clamp(lo, hi), ratio: move |k| mean / (f64::from(k) + 1.0) }
}

/// `Bin(trials, p)` on `lo..=hi`. Needs `lo <= hi <= trials` and `0 < p < 1`; `q = 1 − p` is given apart
/// because the difference is not exact for small `q`.
pub(super) fn binomial(trials: u32, p: f64, q: f64, lo: u32, hi: u32) -> Unimodal<impl Fn(u32) -> f64> {
    let n = f64::from(trials);
    Unimodal {
        lo,
        hi,
        mode: floor((n + 1.0) * p).clamp(lo, hi),
        ratio: move |k| (n - f64::from(k)) / (f64::from(k) + 1.0) * (p / q),
    }
}

/// `NB(shape, 1−q)` on `lo..=hi`: `P(k) ∝ Γ(shape+k)/k! · q^k`. Needs `lo <= hi`, a positive shape and `0 < q < 1`.
pub(super) fn negative_binomial(
    shape: f64,
    q: f64,
    lo: u32,
    hi: u32,
) -> Unimodal<impl Fn(u32) -> f64 + use<>> {
    Unimodal {
        lo,
        hi,
        mode: floor(((shape - 1.0) * q / (1.0 - q)).max(0.0)).clamp(lo, hi),
        ratio: move |k| (shape + f64::from(k)) / (f64::from(k) + 1.0) * q,
    }
}

/// The largest whole number not above `x`, kept within `u32`.
pub(super) fn floor(x: f64) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the cast saturates, which is what is wanted"
    )]
    let whole = x as u32;
    whole
}

impl<F: Fn(u32) -> f64> Unimodal<F> {
    /// Where the weights are highest.
    pub(super) fn mode(&self) -> u32 {
        self.mode
    }

    fn sums(&self) -> Sums {
        let (mut up, mut down, mut moment) = (1.0, 0.0, 0.0);
        let mut weight = 1.0;
        for k in self.mode..self.hi {
            weight *= (self.ratio)(k);
            up += weight;
            moment += weight * f64::from(k + 1 - self.mode);
            if weight < NEGLIGIBLE * up {
                break;
            }
        }
        weight = 1.0;
        for k in (self.lo..self.mode).rev() {
            weight /= (self.ratio)(k);
            down += weight;
            moment -= weight * f64::from(self.mode - k);
            if weight < NEGLIGIBLE * (up + down) {
                break;
            }
        }
        Sums { up, down, moment }
    }

    /// Sum of the weights over the interval, relative to the weight at the mode.
    pub(super) fn relative_sum(&self) -> f64 {
        let sums = self.sums();
        sums.up + sums.down
    }

    /// Mean over the interval.
    pub(super) fn mean(&self) -> f64 {
        let sums = self.sums();
        f64::from(self.mode) + sums.moment / (sums.up + sums.down)
    }

    /// One draw, by inversion. Uses no random number where the interval is one point.
    pub(super) fn sample(&self, rng: &mut impl Rng) -> u32 {
        if self.lo == self.hi {
            return self.lo;
        }
        let sums = self.sums();
        let mut left = rng.random::<f64>() * (sums.up + sums.down);
        let mut weight = 1.0;
        if left < sums.up {
            for k in self.mode..self.hi {
                left -= weight;
                if left < 0.0 {
                    return k;
                }
                weight *= (self.ratio)(k);
                // Rounding can leave a remainder where the walk of the sums ended.
                if weight < NEGLIGIBLE * sums.up {
                    return k;
                }
            }
            self.hi
        } else {
            left -= sums.up;
            for k in (self.lo..self.mode).rev() {
                weight /= (self.ratio)(k);
                left -= weight;
                if left < 0.0 || weight < NEGLIGIBLE * (sums.up + sums.down) {
                    return k;
                }
            }
            self.lo
        }
    }
}
