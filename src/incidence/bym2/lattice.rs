//! `P(Σ t_m = N)` for independent counts with narrow supports, and the means given the sum.
//!
//! For counts on whole numbers the characteristic function is periodic, and a sum over `M` equidistant
//! frequencies `θ_k = 2πk/M` is exact up to the probability of sums outside a window of length `M`:
//!
//! `P(S = N) = 1/M Σ_k e^{−iNθ_k} Π_m f_m(θ_k)`, `E[t_m; S = N] = 1/M Σ_k e^{−iNθ_k} f'_m/i Π_{l≠m} f_l`.
//!
//! The cells are tilted first so that the mean of the sum is near `N`; then nothing cancels, the window is a
//! multiple of the standard deviation of the sum, and all but the low frequencies are below rounding. Against
//! the filter of `convolution`, which can also draw, this costs a tenth, and it is done at every step of
//! the sampler.

use crate::incidence::unimodal;

/// Frequencies that are worked on side by side.
const LANES: usize = 4;

/// Tables up to this length are summed by Clenshaw's recurrence.
const SHORT: usize = 32;

/// A block of frequencies ends where the square of what is left is below this.
const NEGLIGIBLE: f64 = 1e-34;

/// A cell under its tilt.
#[derive(Debug, Clone, Default)]
pub(super) struct Tilted {
    /// Lowest count of the table.
    pub first: u32,
    /// Probabilities of `first..`, adding up to 1.
    pub weights: Vec<f64>,
    pub mean: f64,
}

/// A probability and the means of the cells given the sum.
pub(super) struct Given {
    pub ln_probability: f64,
    /// Mean of the Poisson cell.
    pub free: f64,
}

/// Buffers that calls share.
#[derive(Debug, Clone, Default)]
pub(super) struct Lattice {
    /// Per cell: `f`, the centred `g`, and the product of the `f` before.
    values: Vec<[Block; 3]>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Block {
    re: [f64; LANES],
    im: [f64; LANES],
}

impl Block {
    const ONE: Self = Self { re: [1.0; LANES], im: [0.0; LANES] };

    fn times(&self, other: &Self) -> Self {
        let mut out = Self::default();
        for l in 0..LANES {
            out.re[l] = self.re[l] * other.re[l] - self.im[l] * other.im[l];
            out.im[l] = self.re[l] * other.im[l] + self.im[l] * other.re[l];
        }
        out
    }
}

impl Lattice {
    /// The cells and one Poisson cell of mean `free` (0 for none), conditional on their sum. `variance` is that
    /// of the sum; `means` gets one entry per cell. `None` where the probability is lost in rounding.
    pub(super) fn given_sum(
        &mut self,
        cells: &[Tilted],
        free: f64,
        total: u32,
        variance: f64,
        means: &mut [f64],
    ) -> Option<Given> {
        // Sums that differ by M from N count as N: eleven standard deviations away, and more where the law is
        // skew, for which the constant is there.
        let half = 5.5 * variance.sqrt() + 17.0;
        if half.is_nan() || half > 1e6 {
            return None;
        }
        let half = unimodal::floor(half);
        let size = 2 * u64::from(half);
        let first: u64 = cells.iter().map(|c| u64::from(c.first)).sum();
        // N less the lowest counts, within 0..M.
        let shift = (u64::from(total) % size + size - first % size) % size;
        let angle = |k: u64| std::f64::consts::TAU * k as f64 / size as f64;
        self.values.resize(cells.len(), [Block::default(); 3]);
        let (mut probability, mut free_sum) = (0.0, 0.0);
        means.fill(0.0);
        for start in (0..=u64::from(half)).step_by(LANES) {
            let mut z = Block::default();
            let mut product = Block::default();
            let mut count = [0.0; LANES];
            for (l, k) in (start..=u64::from(half)).take(LANES).enumerate() {
                // Frequencies k and M − k are conjugate.
                count[l] = if k == 0 || k == u64::from(half) { 1.0 } else { 2.0 };
                (z.im[l], z.re[l]) = libm::sincos(angle(k));
                let damped = libm::exp(-free * (1.0 - z.re[l]));
                if damped * damped >= NEGLIGIBLE {
                    // The free part times e^{−iθ shift}.
                    let (im, re) = libm::sincos(free * z.im[l] - angle(k * shift % size));
                    product.re[l] = damped * re;
                    product.im[l] = damped * im;
                }
            }
            if let Some(product) = self.forward(cells, &z, product) {
                let turned = product.times(&z);
                for (l, count) in count.iter().enumerate() {
                    probability += count * product.re[l];
                    free_sum += count * turned.re[l];
                }
                self.backward(&count, means);
            }
        }
        let ln_probability = libm::log(probability / size as f64);
        if !(probability > 0.0 && ln_probability.is_finite()) {
            return None;
        }
        for (mean, cell) in means.iter_mut().zip(cells) {
            *mean = cell.mean + *mean / probability;
        }
        Some(Given { ln_probability, free: free * free_sum / probability })
    }

    /// Products of the characteristic functions, cell by cell; `None` once nothing is left of any lane.
    fn forward(&mut self, cells: &[Tilted], z: &Block, start: Block) -> Option<Block> {
        let mut product = start;
        // What is left without the smallest factor, since the mean of that cell leaves it out.
        let mut rest = [0.0; LANES];
        let mut smallest = [1.0_f64; LANES];
        for (l, rest) in rest.iter_mut().enumerate() {
            *rest = start.re[l] * start.re[l] + start.im[l] * start.im[l];
        }
        for (cell, slot) in cells.iter().zip(&mut self.values) {
            if rest.iter().all(|r| *r < NEGLIGIBLE) {
                return None;
            }
            let (f, g) = if cell.weights.len() <= SHORT { clenshaw(cell, z) } else { horner(cell, z) };
            *slot = [f, g, product];
            product = product.times(&f);
            for l in 0..LANES {
                let size = f.re[l] * f.re[l] + f.im[l] * f.im[l];
                rest[l] *= size.max(smallest[l]);
                smallest[l] = smallest[l].min(size);
            }
        }
        if rest.iter().all(|r| *r < NEGLIGIBLE) { None } else { Some(product) }
    }

    /// Adds `Re(Π_{l≠m} f_l · g_m)` to each mean, with the product of the later cells carried along.
    fn backward(&self, count: &[f64; LANES], means: &mut [f64]) {
        let mut after = Block::ONE;
        for ([f, g, before], mean) in self.values.iter().zip(means.iter_mut()).rev() {
            let part = before.times(&after).times(g);
            let mut sum = 0.0;
            for (count, re) in count.iter().zip(&part.re) {
                sum += count * re;
            }
            *mean += sum;
            after = after.times(f);
        }
    }
}

/// As [`horner`], for `|z| = 1` and real weights: `b_t = w_t + 2 cos θ b_{t+1} − b_{t+2}` needs no complex product
/// (Clenshaw 1955). Its rounding grows with the square of the length, hence for short tables only.
fn clenshaw(cell: &Tilted, z: &Block) -> (Block, Block) {
    let (mut f, mut g, mut f_after, mut g_after) = ([0.0; LANES], [0.0; LANES], [0.0; LANES], [0.0; LANES]);
    let mut t = f64::from(cell.first) + cell.weights.len() as f64 - 1.0 - cell.mean;
    for weight in cell.weights.iter().rev() {
        let moment = weight * t;
        for l in 0..LANES {
            let twice = z.re[l] + z.re[l];
            let next = twice * f[l] - f_after[l] + weight;
            f_after[l] = f[l];
            f[l] = next;
            let next = twice * g[l] - g_after[l] + moment;
            g_after[l] = g[l];
            g[l] = next;
        }
        t -= 1.0;
    }
    let (mut f_out, mut g_out) = (Block::default(), Block::default());
    for l in 0..LANES {
        f_out.re[l] = f[l] - z.re[l] * f_after[l];
        f_out.im[l] = z.im[l] * f_after[l];
        g_out.re[l] = g[l] - z.re[l] * g_after[l];
        g_out.im[l] = z.im[l] * g_after[l];
    }
    (f_out, g_out)
}

/// `f = Σ w_t z^t` and `g = Σ (first + t − mean) w_t z^t`.
fn horner(cell: &Tilted, z: &Block) -> (Block, Block) {
    let (mut f, mut g) = (Block::default(), Block::default());
    let mut t = f64::from(cell.first) + cell.weights.len() as f64 - 1.0 - cell.mean;
    for weight in cell.weights.iter().rev() {
        let moment = weight * t;
        for l in 0..LANES {
            let (re, im) = (f.re[l], f.im[l]);
            f.re[l] = re * z.re[l] - im * z.im[l] + weight;
            f.im[l] = re * z.im[l] + im * z.re[l];
            let (re, im) = (g.re[l], g.im[l]);
            g.re[l] = re * z.re[l] - im * z.im[l] + moment;
            g.im[l] = re * z.im[l] + im * z.re[l];
        }
        t -= 1.0;
    }
    (f, g)
}
