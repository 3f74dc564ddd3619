//! Perceived costs of links: Gamma variables at memory speed.
//!
//! A link of mean cost `c` minutes is perceived as a Gamma variable of shape `c/ς` and scale `ς`. Its value is the
//! quantile at a probability that a counter-based hash of (seed, draw, perturbation, link) gives, so that any link of
//! any vector can be had alone, eight lanes at a time, and both routers have the same numbers.
//!
//! The quantile comes from a table, computed once: shapes from 1/128 to 128 in steps of an eighth of an octave, and
//! tails down to 2⁻²⁶ in steps of a sixteenth of an octave on either side of the median, linear in between. Above,
//! the transform of Wilson & Hilferty (1931, The distribution of chi-square) is taken, which is off by less than 10⁻⁴
//! of the mean there; at small shapes it would be off by more than the value, which is why there is a table. Below,
//! the value is that of shape 1/128 in proportion, which keeps the mean.
//!
//! Error, as the tests measure it: no quantile between 10⁻⁶ and 1 − 10⁻⁶ is off by more than 1 % of the standard
//! deviation and 0.1 % of itself, mean and variance not by more than 0.1 % and 0.5 %.

use std::num::NonZero;
use std::sync::LazyLock;

use statrs::function::gamma::{gamma_lr, gamma_ur, ln_gamma};

use super::search::UNREACHED;

/// Octaves of shapes below and above one.
const SHAPE_OCTAVES: u32 = 7;
/// Steps of an octave of shapes.
const SHAPE_BITS: u32 = 3;
const SHAPES: usize = ((2 * SHAPE_OCTAVES) << SHAPE_BITS) as usize + 1;
/// Octaves of tails below one half.
const TAIL_OCTAVES: u32 = 25;
/// Steps of an octave of tails.
const TAIL_BITS: u32 = 4;
const TAILS: usize = (TAIL_OCTAVES << TAIL_BITS) as usize + 1;
/// Bits of the mantissa of a double.
const MANTISSA: u32 = 52;

/// The key of one vector of perceived costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VectorKey(u64);

impl VectorKey {
    /// Of perturbation `r` of a draw.
    #[must_use]
    pub fn new(seed: u64, draw: u32, r: u32) -> Self {
        let fold = |state, part: u64| mix(state ^ mix(part.wrapping_add(0x9e37_79b9_7f4a_7c15)));
        Self([seed, u64::from(draw), u64::from(r)].into_iter().fold(0x9e37_79b9_7f4a_7c15, fold))
    }
}

/// Finalizer of `SplitMix64` (Steele, Lea & Flood 2014).
#[inline]
pub(crate) const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Quantiles of Gamma variables of scale one, by shape, side (below the median, above it) and tail.
#[derive(Debug)]
pub struct Perception {
    quantile: Vec<[[f32; TAILS]; 2]>,
    /// The same of the normal law, by tail on the lower side.
    normal: [f32; TAILS],
}

static PERCEPTION: LazyLock<Perception> = LazyLock::new(Perception::new);

impl Perception {
    /// The table; the first call computes it.
    #[must_use]
    pub fn table() -> &'static Self {
        &PERCEPTION
    }

    fn new() -> Self {
        let row = |s: usize| {
            let shape = step(s, SHAPE_BITS, -f64::from(SHAPE_OCTAVES));
            [false, true].map(|upper| {
                let mut row = [0.0; TAILS];
                let mut near = None;
                // From the median outwards, each from the one before it.
                for t in (0..TAILS).rev() {
                    let tail = step(t, TAIL_BITS, -1.0 - f64::from(TAIL_OCTAVES));
                    let value = quantile(shape, tail, upper, near);
                    near = Some(value);
                    #[expect(
                        clippy::cast_possible_truncation,
                        reason = "seven digits are more than the table gives"
                    )]
                    let short = value as f32;
                    row[t] = short;
                }
                row
            })
        };
        let mut normal = [0.0; TAILS];
        for (t, slot) in normal.iter_mut().enumerate() {
            let tail = step(t, TAIL_BITS, -1.0 - f64::from(TAIL_OCTAVES));
            #[expect(clippy::cast_possible_truncation, reason = "seven digits are more than the table gives")]
            let value = (-std::f64::consts::SQRT_2 * statrs::function::erf::erfc_inv(2.0 * tail)) as f32;
            *slot = value;
        }
        // Threads of its own: who waits for the table may be one of a pool, whose other threads would wait for it in
        // turn.
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
        let quantile = std::thread::scope(|scope| {
            let part = |k: usize| k * SHAPES / threads..(k + 1) * SHAPES / threads;
            let parts: Vec<_> =
                (0..threads).map(|k| scope.spawn(move || part(k).map(row).collect::<Vec<_>>())).collect();
            parts.into_iter().flat_map(|part| part.join().unwrap_or_default()).collect()
        });
        Self { quantile, normal }
    }

    /// The perceived cost of a link in minutes: mean `mean`, variance `scale` × `mean`, both in minutes. `link`
    /// stands for the link, whatever other links there are.
    #[must_use]
    pub fn minutes(&self, key: VectorKey, link: u64, mean: f64, scale: f64) -> f64 {
        Chance::new(key, spread(link)).minutes(self.law(mean, scale))
    }

    /// The same in whole milliseconds, at least one; [`UNREACHED`] stays closed links' alone.
    #[must_use]
    pub fn milliseconds(&self, key: VectorKey, link: u64, mean: f64, scale: f64) -> u32 {
        milliseconds(self.minutes(key, link, mean, scale))
    }

    /// The same for `W` vectors side by side, each with its own mean and scale.
    #[must_use]
    #[inline]
    pub fn lanes<const W: usize>(
        &self,
        keys: &[VectorKey; W],
        link: u64,
        means: &[f64; W],
        scales: &[f64; W],
    ) -> [u32; W] {
        let link = spread(link);
        // Travellers of one draw and behaviour see the same mean.
        let (mut of, mut law) = ((f64::NAN, f64::NAN), Law::Fixed(0.0));
        std::array::from_fn(|lane| {
            let this = (means[lane], scales[lane]);
            if this != of {
                (of, law) = (this, self.law(this.0, this.1));
            }
            milliseconds(Chance::new(keys[lane], link).minutes(law))
        })
    }

    /// The law of a perceived cost.
    #[inline]
    fn law(&self, mean: f64, scale: f64) -> Law<'_> {
        if scale < 1e-9 || mean < 1e-9 {
            return Law::Fixed(mean);
        }
        let shape = mean / scale;
        if shape >= f64::from(1_u32 << SHAPE_OCTAVES) {
            let ninth = 1.0 / (9.0 * shape);
            return Law::Large { mean, ninth, root: ninth.sqrt(), normal: &self.normal };
        }
        let least = 1.0 / f64::from(1_u32 << SHAPE_OCTAVES);
        let within = shape.max(least);
        let (s, share) = place(within, SHAPE_BITS, -f64::from(SHAPE_OCTAVES), SHAPES);
        let rows = [&self.quantile[s], &self.quantile[s + 1]];
        Law::Between { rows, share, scale: scale * (shape / within) }
    }
}

/// The law of a Gamma variable, as the table gives it.
#[derive(Debug, Clone, Copy)]
enum Law<'a> {
    /// No variance.
    Fixed(f64),
    /// Between two shapes of the table; `share` is how far on to the second one.
    Between { rows: [&'a [[f32; TAILS]; 2]; 2], share: f64, scale: f64 },
    /// Of larger shape: the transform of Wilson & Hilferty.
    Large { mean: f64, ninth: f64, root: f64, normal: &'a [f32; TAILS] },
}

/// A probability, as its distance from the nearer end.
#[derive(Debug, Clone, Copy)]
struct Chance {
    tail: f64,
    upper: bool,
}

impl Chance {
    #[inline]
    fn new(key: VectorKey, link: u64) -> Self {
        let hash = mix(key.0 ^ link);
        // Half a step off the ends, so that neither zero nor one half comes up.
        let tail = ((hash << 1 >> 12) as f64 + 0.5) / (1_u64 << 53) as f64;
        Self { tail, upper: hash >> 63 == 1 }
    }

    /// The quantile of a law.
    #[inline]
    fn minutes(self, law: Law<'_>) -> f64 {
        let (t, tail_share) = place(self.tail, TAIL_BITS, -1.0 - f64::from(TAIL_OCTAVES), TAILS);
        let along = |row: &[f32; TAILS]| {
            let (a, b) = (f64::from(row[t]), f64::from(row[t + 1]));
            a + tail_share * (b - a)
        };
        match law {
            Law::Fixed(mean) => mean,
            Law::Between { rows, share, scale } => {
                let [a, b] = rows.map(|row| along(&row[usize::from(self.upper)]));
                scale * (a + share * (b - a))
            }
            Law::Large { mean, ninth, root, normal } => {
                let z = if self.upper { -along(normal) } else { along(normal) };
                let cube = 1.0 - ninth + z * root;
                mean * cube * cube * cube
            }
        }
    }
}

/// The hash of a link.
#[inline]
fn spread(link: u64) -> u64 {
    mix(link.wrapping_add(0x9e37_79b9_7f4a_7c15))
}

/// Minutes as whole milliseconds, at least one. No link is so long that 64 of them do not fit.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range of u32")]
#[must_use]
#[inline]
pub fn milliseconds(minutes: f64) -> u32 {
    // Half up: rounding to the nearest is a call on processors for which the program is built at least.
    ((minutes * 60_000.0).clamp(1.0, f64::from(UNREACHED / 64)) + 0.5) as u32
}

/// Grid point `i` of a grid that has `2^bits` equal steps in each octave and begins at two to the power of `lowest`.
fn step(i: usize, bits: u32, lowest: f64) -> f64 {
    let (octave, part) = (i >> bits, i & ((1 << bits) - 1));
    (lowest + octave as f64).exp2() * (1.0 + part as f64 / f64::from(1_u32 << bits))
}

/// The grid point below a value, and how far on to the next it lies; the grid's ends for values beyond them. The bits
/// of a double are such a grid.
#[inline]
fn place(value: f64, bits: u32, lowest: f64, points: usize) -> (usize, f64) {
    let shift = MANTISSA - bits;
    let from = lowest.exp2().to_bits() >> shift;
    let Some(at) = (value.to_bits() >> shift).checked_sub(from) else { return (0, 0.0) };
    let share = (value.to_bits() & ((1 << shift) - 1)) as f64 / (1_u64 << shift) as f64;
    match usize::try_from(at) {
        Ok(at) if at + 1 < points => (at, share),
        _ => (points - 2, 1.0),
    }
}

/// A quantile of a Gamma variable of scale one, by Newton's method in the logarithm, kept within bounds that close in.
fn quantile(shape: f64, tail: f64, upper: bool, near: Option<f64>) -> f64 {
    let small = ((tail.ln() + ln_gamma(shape + 1.0)) / shape).exp();
    if !upper && small < 1e-30 {
        return 0.0;
    }
    let (mut low, mut high) = (0.0_f64, shape + 40.0 + 12.0 * shape.sqrt());
    let mut x = near.filter(|x| *x > 0.0).unwrap_or_else(|| small.clamp(1e-30, high / 2.0));
    for _ in 0..200 {
        // Positive where x is too high.
        let over = if upper { tail - gamma_ur(shape, x) } else { gamma_lr(shape, x) - tail };
        if over > 0.0 {
            high = x;
        } else {
            low = x;
        }
        let density = ((shape - 1.0) * x.ln() - x - ln_gamma(shape)).exp();
        let newton = x * (-over / (x * density)).clamp(-3.0, 3.0).exp();
        let next = if newton > low && newton < high { newton } else { f64::midpoint(low, high) };
        if (next - x).abs() <= 1e-12 * x {
            return next;
        }
        x = next;
    }
    x
}

#[cfg(test)]
mod tests {
    use statrs::distribution::{ContinuousCDF, Gamma};

    use super::*;

    /// Shapes between, on and beyond the grid's points.
    const TRIED: [f64; 12] = [0.01, 0.033, 0.11, 0.37, 0.9, 1.0, 1.11, 2.9, 7.7, 31.0, 120.0, 400.0];

    #[test]
    fn quantiles_are_those_of_the_gamma_law() {
        let table = Perception::table();
        for shape in TRIED {
            let law = Gamma::new(shape, 1.0).unwrap();
            for i in 1..400 {
                let tail = 10_f64.powf(-6.0 + f64::from(i) / 400.0 * 5.698);
                for upper in [false, true] {
                    let own = Chance { tail, upper }.minutes(table.law(shape, 1.0));
                    // Probabilities are compared over the quantile: its inverse in the library is a bisection.
                    let width = 0.01 * shape.sqrt() + 0.001 * own;
                    let cdf = |x: f64| if x <= 0.0 { 0.0 } else { law.cdf(x) };
                    let sf = |x: f64| if x <= 0.0 { 1.0 } else { law.sf(x) };
                    let holds = if upper {
                        sf(own + width) <= tail && tail <= sf(own - width)
                    } else {
                        cdf(own - width) <= tail && tail <= cdf(own + width)
                    };
                    assert!(holds, "shape {shape}, tail {tail}, upper {upper}: {own}");
                }
            }
        }
    }

    #[test]
    fn mean_and_variance_are_those_of_the_model() {
        let table = Perception::table();
        for shape in TRIED {
            // Over the middles of equal steps of the hash: the law itself, not a sample of it.
            let n = 200_000_u32;
            let (mut sum, mut squares) = (0.0, 0.0);
            for i in 0..n {
                for upper in [false, true] {
                    let x = Chance { tail: (f64::from(i) + 0.5) / f64::from(2 * n), upper }
                        .minutes(table.law(shape, 1.0))
                        - shape;
                    sum += x;
                    squares += x * x;
                }
            }
            let total = f64::from(2 * n);
            let (mean, variance) = (sum / total / shape, squares / total / shape);
            assert!(mean.abs() < 1e-3, "shape {shape}: mean off by {mean}");
            // A shape below 1/128 is not on the grid; the steps cut a little off the far tail.
            assert!((variance - 1.0).abs() < 5e-3, "shape {shape}: variance {variance}");
        }
    }

    #[test]
    fn two_routes_and_their_subdivision_have_the_published_shares() {
        // Routes of 10 and 12 minutes, ς = 0.3, no overlap.
        const FIRST: f64 = 0.783_331_953_565_496_9;
        let table = Perception::table();
        let tries = 100_000;
        let error = (FIRST * (1.0 - FIRST) / f64::from(tries)).sqrt();
        for pieces in [1, 10, 100] {
            let route = |cost: f64, number: u64, t: u32| -> f64 {
                let key = VectorKey::new(7, t, 0);
                let piece =
                    |p: u32| table.minutes(key, number << 32 | u64::from(p), cost / f64::from(pieces), 0.3);
                (0..pieces).map(piece).sum()
            };
            let first = (0..tries).filter(|t| route(10.0, 1, *t) < route(12.0, 2, *t)).count();
            let share = first as f64 / f64::from(tries);
            assert!((share - FIRST).abs() < 3.5 * error, "{pieces} pieces: {share}, {FIRST} ± {error}");
        }
    }

    #[test]
    fn lanes_are_single_values_and_closed_links_stay_apart() {
        let table = Perception::table();
        let keys: [VectorKey; 8] = [0, 1, 2, 3, 4, 5, 6, 7].map(|draw| VectorKey::new(3, draw, 1));
        let means = [0.0, 1e-12, 0.001, 0.5, 3.0, 60.0, 1e4, 1e12];
        let scales = [0.3, 0.3, 0.3, 0.0, 0.3, 0.01, 0.3, 0.3];
        let lanes = table.lanes(&keys, 99, &means, &scales);
        for lane in 0..8 {
            let own = table.milliseconds(keys[lane], 99, means[lane], scales[lane]);
            assert_eq!(lanes[lane], own);
            assert!((1..UNREACHED / 64 + 1).contains(&own));
        }
        // Neighbours with the same law, and with the same mean alone.
        let (means, scales) =
            ([3.0, 3.0, 3.0, 0.5, 0.5, 3.0, 400.0, 400.0], [0.3, 0.3, 0.1, 0.1, 0.3, 0.3, 0.3, 0.3]);
        let alike = table.lanes(&keys, 7, &means, &scales);
        for lane in 0..8 {
            assert_eq!(alike[lane], table.milliseconds(keys[lane], 7, means[lane], scales[lane]), "{lane}");
        }
        assert_eq!(lanes[3], 30_000, "without variance the cost is its mean");
        assert_ne!(lanes[4], table.milliseconds(keys[4], 100, 3.0, 0.3), "links differ");
        assert_ne!(lanes[4], table.milliseconds(keys[5], 99, 3.0, 0.3), "vectors differ");
    }
}
