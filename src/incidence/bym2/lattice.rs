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

/// Frequencies that are worked on side by side.
const LANES: usize = 8;

/// A block of frequencies ends where the square of what is left is below this.
const NEGLIGIBLE: f64 = 1e-36;

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

/// Tables and buffers that calls share.
#[derive(Debug, Clone, Default)]
pub(super) struct Lattice {
    /// `cos` and `sin` of `2πk/M` for the last `M`.
    circle: Vec<[f64; 2]>,
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
    fn prepare(&mut self, size: usize) {
        if self.circle.len() != size {
            let angle = |k: usize| std::f64::consts::TAU * k as f64 / size as f64;
            self.circle = (0..size).map(|k| [libm::cos(angle(k)), libm::sin(angle(k))]).collect();
        }
    }

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
        let width = 24.0 * variance.sqrt() + 64.0;
        if width.is_nan() || width > 4e6 {
            return None;
        }
        let size = (super::super::unimodal::floor(width) as usize).next_power_of_two();
        self.prepare(size);
        self.values.resize(cells.len(), [Block::default(); 3]);
        let first: u64 = cells.iter().map(|c| u64::from(c.first)).sum();
        let size_i = i64::try_from(size).ok()?;
        // N less the lowest counts, within 0..M.
        let shift = (i64::from(total) - i64::try_from(first).ok()?).rem_euclid(size_i);
        let shift = usize::try_from(shift).ok()?;
        let (mut probability, mut free_sum) = (0.0, 0.0);
        means.fill(0.0);
        let mut k = 0;
        while k <= size / 2 {
            let mut z = Block::default();
            let mut product = Block::default();
            let mut count = [0.0; LANES];
            for l in 0..LANES {
                let k = k + l;
                if k > size / 2 {
                    continue;
                }
                // Frequencies k and M − k are conjugate.
                count[l] = if k == 0 || k == size / 2 { 1.0 } else { 2.0 };
                [z.re[l], z.im[l]] = self.circle[k];
                let [re, im] = self.circle[(k * shift) % size];
                let damped = libm::exp(-free * (1.0 - z.re[l]));
                let (re_free, im_free) = if damped * damped < NEGLIGIBLE {
                    (0.0, 0.0)
                } else {
                    let angle = free * z.im[l];
                    (damped * libm::cos(angle), damped * libm::sin(angle))
                };
                // The free part times e^{−iθ shift}.
                product.re[l] = re_free * re + im_free * im;
                product.im[l] = im_free * re - re_free * im;
            }
            if let Some(product) = self.forward(cells, &z, product) {
                for l in 0..LANES {
                    probability += count[l] * product.re[l];
                    free_sum += count[l] * (product.re[l] * z.re[l] - product.im[l] * z.im[l]);
                }
                self.backward(&count, means);
            }
            k += LANES;
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
        for l in 0..LANES {
            rest[l] = start.re[l] * start.re[l] + start.im[l] * start.im[l];
        }
        for (cell, slot) in cells.iter().zip(&mut self.values) {
            if rest.iter().all(|r| *r < NEGLIGIBLE) {
                return None;
            }
            let (f, g) = horner(cell, z);
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
            for l in 0..LANES {
                sum += count[l] * part.re[l];
            }
            *mean += sum;
            after = after.times(f);
        }
    }
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
