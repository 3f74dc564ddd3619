//! The log-posterior in coordinates without bounds.
//!
//! Coordinates: `b0` less the mean of its prior, `ln σ`, `logit φ`, `logit π` where π has a prior, then standard
//! normal variables: one per area for the unstructured part, and those of the spatial field.

use super::likelihood::Likelihood;
use super::nuts::Density;
use super::options::Law;
use crate::incidence::icar::IcarField;

/// `b0`, σ, φ.
const ALWAYS: usize = 3;

/// Priors of the numbers that all areas share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Priors {
    pub b0: Law,
    pub b0_mean: f64,
    pub sigma: Law,
    pub phi: Law,
    /// The prior, or the known value.
    pub pi: Result<Law, f64>,
}

/// Numbers that all areas share, at one position.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shared {
    pub b0: f64,
    pub sigma: f64,
    pub phi: f64,
    not_phi: f64,
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
    spatial: Vec<f64>,
    effects: Vec<f64>,
    mu: Vec<f64>,
    slope: Vec<f64>,
}

impl Posterior {
    pub(super) fn new(priors: Priors, field: IcarField, likelihood: Likelihood, exposure: Vec<f64>) -> Self {
        let zeros = vec![0.0; exposure.len()];
        Self {
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

    pub(super) fn shared(&self, at: &[f64]) -> Shared {
        let (phi, not_phi) = logistic(at[2]);
        let (pi, not_pi) = match self.priors.pi {
            Ok(_) => logistic(at[ALWAYS]),
            Err(known) => (known, 1.0 - known),
        };
        Shared { b0: self.priors.b0_mean + at[0], sigma: libm::exp(at[1]), phi, not_phi, pi, not_pi }
    }

    /// Fills the effects: `√(1−φ) v + √φ u/√s` per area.
    fn fill_effects(&mut self, at: &[f64], shared: &Shared) {
        let areas = self.exposure.len();
        let (own, field) = at[self.shared_count()..].split_at(areas);
        self.field.effects(field, &mut self.spatial);
        let (a, b) = (shared.not_phi.sqrt(), shared.phi.sqrt());
        for ((effect, v), u) in self.effects.iter_mut().zip(own).zip(&self.spatial) {
            *effect = a * v + b * u;
        }
    }

    /// Rates per person-year at a position.
    pub(super) fn rates(&mut self, at: &[f64]) -> Vec<f64> {
        let shared = self.shared(at);
        self.fill_effects(at, &shared);
        self.effects.iter().map(|e| libm::exp(shared.b0 + shared.sigma * e)).collect()
    }
}

impl Density for Posterior {
    fn dimension(&self) -> usize {
        self.shared_count() + self.exposure.len() + self.field.dimension()
    }

    fn evaluate(&mut self, at: &[f64], gradient: &mut [f64]) -> f64 {
        let shared = self.shared(at);
        self.fill_effects(at, &shared);
        for ((mu, e), exposure) in self.mu.iter_mut().zip(&self.effects).zip(&self.exposure) {
            *mu = exposure * libm::exp(shared.b0 + shared.sigma * e);
        }
        let Some((mut value, pi_slope)) = self.likelihood.evaluate(&self.mu, shared.pi, &mut self.slope)
        else {
            return f64::NEG_INFINITY;
        };
        let Priors { b0, sigma, phi, pi, .. } = self.priors;
        let (b0_value, b0_slope) = b0.ln_density(shared.b0, 0.0);
        let (sigma_value, sigma_slope) = sigma.ln_density(shared.sigma, 0.0);
        let (phi_value, phi_slope) = phi.ln_density(shared.phi, shared.not_phi);
        value += b0_value + sigma_value + phi_value;
        let own_start = self.shared_count();
        let field_start = own_start + self.exposure.len();
        let own = &at[own_start..field_start];
        let (root_own, root_field) = (shared.not_phi.sqrt(), shared.phi.sqrt());
        let (mut level, mut spread, mut mixing) = (0.0, 0.0, 0.0);
        for (((slope, effect), v), u) in self.slope.iter().zip(&self.effects).zip(own).zip(&self.spatial) {
            level += slope;
            spread += slope * effect;
            // d effect / d logit φ.
            mixing += slope * 0.5 * (u * shared.not_phi * root_field - v * shared.phi * root_own);
        }
        gradient[0] = b0_slope + level;
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
}

/// `1/(1 + e^{−x})` and one less it, both with all digits.
fn logistic(x: f64) -> (f64, f64) {
    let small = libm::exp(-x.abs());
    let (low, high) = (small / (1.0 + small), 1.0 / (1.0 + small));
    if x > 0.0 { (high, low) } else { (low, high) }
}
