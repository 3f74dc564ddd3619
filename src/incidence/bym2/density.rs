//! The log-posterior in coordinates without bounds.
//!
//! Coordinates: the log of the expected cases `c = ln Σ E_m λ_m` of the areas that the data speak of, less its
//! value where all rates are at the prior mean of `b0`; `ln σ`; `x` with `φ = sin²(½π Φ(x))`; `logit π` where π has a prior; then standard normal
//! variables, one per area for the unstructured part, and those of the spatial field.
//!
//! The areas are all where there is a total, else those with an upper bound. If there are none, `c` is `b0`.
//! `c` stands in for `b0` because a total, or many counts, pin the expected cases and not the level, which would
//! tie `b0` to every effect. With the others fixed `b0 = c − ln Σ E_m e^{σ e_m}`, a shift, so that densities
//! stay as they are. With `g_m` the slopes in `ln μ_m`, `G` the one in `b0` and `s_m = μ_m/Σμ`, the slope in an
//! effect becomes `σ (g_m − s_m G)`.
//!
//! `x` is standard normal where `φ ~ Beta(½, ½)`, whose mass at 0 and 1 would be long flat tails on the logit
//! scale. For another Beta law its density has the factor `φ^(a−½) (1−φ)^(b−½)`.

use rand::{Rng, RngExt};

use super::likelihood::Likelihood;
use super::normal;
use super::nuts::Density;
use super::options::Law;
use crate::incidence::icar::IcarField;
use crate::incidence::unimodal;

/// `b0`, σ, φ.
const ALWAYS: usize = 3;

/// `½π/√(2π)`.
const HALF_PI_OVER_ROOT_TAU: f64 = 0.626_657_068_657_750_1;

/// φ and `1 − φ` are not taken below this by [`Density::interweave`].
const SMALLEST_SHARE: f64 = 1e-12;

/// Width of a slice in `x`, and most steps out.
const SLICE: f64 = 1.5;
const STEPS_OUT: u32 = 8;

/// Priors of the numbers that all areas share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Priors {
    pub b0: Law,
    pub b0_mean: f64,
    pub sigma: Law,
    /// Parameters of the Beta law of φ.
    pub phi: (f64, f64),
    /// The prior, or the known value.
    pub pi: Result<Law, f64>,
}

/// Numbers that all areas share, at one position.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shared {
    pub b0: f64,
    pub sigma: f64,
    pub phi: f64,
    /// `√φ` and `√(1−φ)`.
    root_field: f64,
    root_own: f64,
    pub pi: f64,
    not_pi: f64,
}

#[derive(Debug, Clone)]
pub(super) struct Posterior {
    pub priors: Priors,
    pub field: IcarField,
    pub likelihood: Likelihood,
    /// Person-years.
    pub exposure: Vec<f64>,
    /// Person-years of the areas that the data speak of, 0 for the others, and their sum.
    anchor: Vec<f64>,
    anchor_sum: f64,
    spatial: Vec<f64>,
    effects: Vec<f64>,
    mu: Vec<f64>,
    slope: Vec<f64>,
}

impl Posterior {
    pub(super) fn new(priors: Priors, field: IcarField, likelihood: Likelihood, exposure: Vec<f64>) -> Self {
        let zeros = vec![0.0; exposure.len()];
        let spoken = |(i, e): (usize, &f64)| if likelihood.speaks_of(i) { *e } else { 0.0 };
        let anchor: Vec<f64> = exposure.iter().enumerate().map(spoken).collect();
        Self {
            anchor_sum: anchor.iter().sum(),
            anchor,
            spatial: zeros.clone(),
            effects: zeros.clone(),
            mu: zeros.clone(),
            slope: zeros,
            priors,
            field,
            likelihood,
            exposure,
        }
    }

    fn shared_count(&self) -> usize {
        ALWAYS + usize::from(self.priors.pi.is_ok())
    }

    /// The shared numbers; fills effects and expected cases.
    pub(super) fn shared(&mut self, at: &[f64]) -> Shared {
        let (root_field, root_own) = (quarter_sine(at[2]), quarter_sine(-at[2]));
        let phi = root_field * root_field;
        let (pi, not_pi) = match self.priors.pi {
            Ok(_) => logistic(at[ALWAYS]),
            Err(known) => (known, 1.0 - known),
        };
        let mut shared = Shared { b0: 0.0, sigma: libm::exp(at[1]), phi, root_field, root_own, pi, not_pi };
        self.fill_effects(at, &shared);
        let mut sum = 0.0;
        for (i, e) in self.effects.iter().enumerate() {
            let relative = libm::exp(shared.sigma * e);
            self.mu[i] = self.exposure[i] * relative;
            sum += self.anchor[i] * relative;
        }
        let shift = if self.anchor_sum > 0.0 { libm::log(sum / self.anchor_sum) } else { 0.0 };
        shared.b0 = self.priors.b0_mean + at[0] - shift;
        let factor = libm::exp(shared.b0);
        for mu in &mut self.mu {
            *mu *= factor;
        }
        shared
    }

    /// Fills the effects: `√(1−φ) v + √φ u/√s` per area.
    fn fill_effects(&mut self, at: &[f64], shared: &Shared) {
        let areas = self.exposure.len();
        let (own, field) = at[self.shared_count()..].split_at(areas);
        self.field.effects(field, &mut self.spatial);
        let (a, b) = (shared.root_own, shared.root_field);
        for ((effect, v), u) in self.effects.iter_mut().zip(own).zip(&self.spatial) {
            *effect = a * v + b * u;
        }
    }

    /// Rates per person-year at a position.
    pub(super) fn rates(&mut self, at: &[f64]) -> Vec<f64> {
        let shared = self.shared(at);
        self.effects.iter().map(|e| libm::exp(shared.b0 + shared.sigma * e)).collect()
    }
}

impl Density for Posterior {
    fn dimension(&self) -> usize {
        self.shared_count() + self.exposure.len() + self.field.dimension()
    }

    fn evaluate(&mut self, at: &[f64], gradient: &mut [f64]) -> f64 {
        let shared = self.shared(at);
        let Some((mut value, pi_slope)) = self.likelihood.evaluate(&self.mu, shared.pi, &mut self.slope)
        else {
            return f64::NEG_INFINITY;
        };
        let Priors { b0, sigma, phi, pi, .. } = self.priors;
        let (b0_value, b0_slope) = b0.ln_density(shared.b0, 0.0);
        let (sigma_value, sigma_slope) = sigma.ln_density(shared.sigma, 0.0);
        let (root_field, root_own) = (shared.root_field, shared.root_own);
        // d√φ/dx = ½π n(x) √(1−φ), and the other way round with a minus.
        let turn = HALF_PI_OVER_ROOT_TAU * libm::exp(-0.5 * at[2] * at[2]);
        let (a, b) = (2.0 * phi.0 - 1.0, 2.0 * phi.1 - 1.0);
        let phi_value = a * libm::log(root_field) + b * libm::log(root_own) - 0.5 * at[2] * at[2];
        let phi_slope = turn * (a * root_own / root_field - b * root_field / root_own) - at[2];
        value += b0_value + sigma_value + phi_value;
        let own_start = self.shared_count();
        let field_start = own_start + self.exposure.len();
        let own = &at[own_start..field_start];
        let level = b0_slope + self.slope.iter().sum::<f64>();
        if self.anchor_sum > 0.0 {
            let spoken = || self.mu.iter().zip(&self.anchor).map(|(mu, a)| if *a > 0.0 { *mu } else { 0.0 });
            let cases: f64 = spoken().sum();
            for (slope, mu) in self.slope.iter_mut().zip(spoken()) {
                *slope -= level * mu / cases;
            }
        }
        let (mut spread, mut mixing) = (0.0, 0.0);
        for (((slope, effect), v), u) in self.slope.iter().zip(&self.effects).zip(own).zip(&self.spatial) {
            spread += slope * effect;
            mixing += slope * turn * (u * root_own - v * root_field);
        }
        gradient[0] = level;
        gradient[1] = sigma_slope + shared.sigma * spread;
        gradient[2] = phi_slope + shared.sigma * mixing;
        if let Ok(law) = pi {
            let (pi_value, prior_slope) = law.ln_density(shared.pi, shared.not_pi);
            value += pi_value;
            gradient[ALWAYS] = prior_slope + pi_slope * shared.pi * shared.not_pi;
        }
        for ((out, v), slope) in gradient[own_start..field_start].iter_mut().zip(own).zip(&self.slope) {
            *out = shared.sigma * root_own * slope - v;
        }
        for slope in &mut self.slope {
            *slope *= shared.sigma * root_field;
        }
        self.field.pull_back(&self.slope, &mut gradient[field_start..]);
        let normals = &at[own_start..];
        for (out, z) in gradient[field_start..].iter_mut().zip(&at[field_start..]) {
            *out -= z;
        }
        value - 0.5 * normals.iter().map(|z| z * z).sum::<f64>()
    }

    /// Draws φ and the split of the effects into both parts anew, with the effects themselves, σ and `b0` as they are:
    /// φ by slice sampling (Neal 2003, Ann. Stat. 31:705) from its law with the field integrated out, then
    /// the field given φ. It complements the transitions, in which the parts stay and the effects follow, where
    /// counts pin the effects (interweaving: Yu & Meng 2011, J. Comput. Graph. Stat. 20:531).
    fn interweave(&mut self, at: &mut [f64], rng: &mut impl Rng) -> bool {
        let _ = self.shared(at);
        let effects = self.effects.clone();
        let mut ln_density = |x: f64| {
            let (root_field, root_own) = (quarter_sine(x), quarter_sine(-x));
            let (phi, not_phi) = (root_field * root_field, root_own * root_own);
            if phi < SMALLEST_SHARE || not_phi < SMALLEST_SHARE {
                return f64::NEG_INFINITY;
            }
            let (a, b) = (2.0 * self.priors.phi.0 - 1.0, 2.0 * self.priors.phi.1 - 1.0);
            let prior = a * libm::log(root_field) + b * libm::log(root_own) - 0.5 * x * x;
            self.field
                .ln_density_of_sum(&effects, phi, not_phi)
                .map_or(f64::NEG_INFINITY, |value| value + prior)
        };
        let level = ln_density(at[2]) + libm::log(rng.random::<f64>().max(f64::MIN_POSITIVE));
        if !level.is_finite() {
            return false;
        }
        let x = slice(at[2], level, &mut ln_density, rng);
        let (root_field, root_own) = (quarter_sine(x), quarter_sine(-x));
        let shares = (root_field * root_field, root_own * root_own);
        let mut noise = vec![0.0; effects.len()];
        normal::fill(&mut noise, rng);
        let (own_start, areas) = (self.shared_count(), effects.len());
        let mut moved = at.to_vec();
        moved[2] = x;
        let (own, normals) = moved[own_start..].split_at_mut(areas);
        if self.field.split_sum(&effects, shares, &noise, own, normals).is_none() {
            return false;
        }
        at.copy_from_slice(&moved);
        true
    }
}

/// A point of the slice `{x: f(x) > level}` around `from`, by stepping out and shrinking.
fn slice(from: f64, level: f64, f: &mut impl FnMut(f64) -> f64, rng: &mut impl Rng) -> f64 {
    let mut low = from - SLICE * rng.random::<f64>();
    let mut high = low + SLICE;
    // A random share of the steps for each side keeps the move reversible.
    let left = unimodal::floor(rng.random::<f64>() * f64::from(STEPS_OUT)).min(STEPS_OUT - 1);
    for _ in 0..left {
        if f(low) <= level {
            break;
        }
        low -= SLICE;
    }
    for _ in left + 1..STEPS_OUT {
        if f(high) <= level {
            break;
        }
        high += SLICE;
    }
    for _ in 0..100 {
        let x = low + rng.random::<f64>() * (high - low);
        if f(x) > level {
            return x;
        }
        if x < from {
            low = x;
        } else {
            high = x;
        }
    }
    from
}

/// `sin(½π Φ(x))`, positive wherever the slope of the prior needs it.
fn quarter_sine(x: f64) -> f64 {
    let below = 0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2);
    libm::sin(std::f64::consts::FRAC_PI_2 * below).max(1e-150)
}

/// `1/(1 + e^{−x})` and one less it, both with all digits.
fn logistic(x: f64) -> (f64, f64) {
    let small = libm::exp(-x.abs());
    let (low, high) = (small / (1.0 + small), 1.0 / (1.0 + small));
    if x > 0.0 { (high, low) } else { (low, high) }
}

#[cfg(test)]
mod tests;
