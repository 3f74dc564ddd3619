//! The negative binomial log-likelihood in (log m, ψ), and its profile over m.
//!
//! With `m = α/β` and `ψ = 1/α`, `μ_i = m E_i` and `x_i = ψ μ_i`:
//!
//! `ℓ = Σ_i [ Σ_{j<y_i} ln(1 + ψ j) + y_i ln μ_i − (y_i + 1/ψ) ln(1 + x_i) − ln y_i! ]`
//!
//! In this form `ψ = 0` is the Poisson law and nothing cancels near it, unlike differences of `ln Γ(α + y)`
//! and `ln Γ(α)` at a large α. The inner sums of all areas are one sum over `j`, weighted by how many counts
//! are above `j`.

use statrs::function::gamma::ln_gamma;

use super::Area;

pub(super) struct Likelihood {
    areas: Vec<Area>,
    /// Number of areas with a count above `j`.
    above: Vec<f64>,
    cases: f64,
    exposure: f64,
    ln_factorials: f64,
}

/// A point of the profile: the best `m` at a ψ.
#[derive(Debug, Clone, Copy)]
pub(super) struct Profile {
    pub rate: f64,
    pub psi: f64,
    /// `ℓ`.
    pub value: f64,
    /// `dℓ/dψ` along the profile, which is `∂ℓ/∂ψ`.
    pub slope: f64,
    /// `−∂²ℓ/∂a²`, `−∂²ℓ/∂a∂ψ` and `−∂²ℓ/∂ψ²`, `a = log m`.
    pub information: [f64; 3],
}

impl Profile {
    /// Second derivative along the profile.
    pub(super) fn curvature(&self) -> f64 {
        let [aa, ap, pp] = self.information;
        ap * ap / aa - pp
    }
}

impl Likelihood {
    /// Areas without exposure say nothing. Needs a case.
    pub(super) fn new(areas: &[Area]) -> Self {
        let areas: Vec<Area> = areas.iter().copied().filter(|a| a.exposure > 0.0).collect();
        let highest = areas.iter().map(|a| a.count).max().unwrap_or(0);
        let mut above = vec![0.0; highest as usize];
        for area in areas.iter().filter(|a| a.count > 0) {
            above[area.count as usize - 1] += 1.0;
        }
        for j in (1..above.len()).rev() {
            above[j - 1] += above[j];
        }
        Self {
            above,
            cases: areas.iter().map(|a| a.count()).sum(),
            exposure: areas.iter().map(|a| a.exposure).sum(),
            ln_factorials: areas.iter().map(|a| ln_gamma(a.count() + 1.0)).sum(),
            areas,
        }
    }

    /// `Σy/ΣE`.
    pub(super) fn crude(&self) -> f64 {
        self.cases / self.exposure
    }

    /// Log-likelihood of a common Poisson rate.
    pub(super) fn poisson(&self) -> f64 {
        let term = |a: &Area| if a.count == 0 { 0.0 } else { a.count() * (self.crude() * a.exposure).ln() };
        self.areas.iter().map(term).sum::<f64>() - self.cases - self.ln_factorials
    }

    /// `dℓ/dψ` at ψ = 0: half of what the squared residuals exceed the counts by.
    pub(super) fn slope_at_zero(&self) -> f64 {
        let excess = |a: &Area| {
            let residual = a.count() - self.crude() * a.exposure;
            residual * residual - a.count()
        };
        0.5 * self.areas.iter().map(excess).sum::<f64>()
    }

    /// The best `m` at ψ: the root of `Σ (y − mE)/(1 + ψ m E)`, which falls in m. Newton steps in log m,
    /// kept within a bracket.
    fn rate(&self, psi: f64) -> f64 {
        let score = |rate: f64| {
            let term = |a: &Area| {
                let mean = rate * a.exposure;
                (a.count() - mean) / (1.0 + psi * mean)
            };
            self.areas.iter().map(term).sum::<f64>()
        };
        // At a rate of 0 the sum is that of the cases, so that the walk down ends.
        let mut low = self.crude();
        while score(low) < 0.0 {
            low *= 0.25;
        }
        let mut high = self.areas.iter().map(|a| a.count() / a.exposure).fold(0.0, f64::max);
        let mut rate = self.crude();
        for _ in 0..200 {
            let information = |a: &Area| {
                let spread = 1.0 + psi * rate * a.exposure;
                rate * a.exposure * (1.0 + psi * a.count()) / (spread * spread)
            };
            let information: f64 = self.areas.iter().map(information).sum();
            let score = score(rate);
            if score > 0.0 {
                low = rate;
            } else {
                high = rate;
            }
            let newton = rate * (score / information).exp();
            let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
            if (next - rate).abs() <= 4.0 * f64::EPSILON * rate {
                return next;
            }
            rate = next;
        }
        rate
    }

    pub(super) fn profile(&self, psi: f64) -> Profile {
        let rate = self.rate(psi);
        let (mut value, mut slope, mut pp) = (-self.ln_factorials, 0.0, 0.0);
        for (j, above) in (0_u32..).zip(&self.above) {
            let j = f64::from(j);
            let ratio = j / (1.0 + psi * j);
            value += above * (psi * j).ln_1p();
            slope += above * ratio;
            pp += above * ratio * ratio;
        }
        let (mut aa, mut ap) = (0.0, 0.0);
        for area in &self.areas {
            let (y, mean) = (area.count(), rate * area.exposure);
            let x = psi * mean;
            let spread = 1.0 + x;
            value += y * mean.ln() - (y + 1.0 / psi) * x.ln_1p();
            let (h, derivative) = remainder(x);
            slope += mean * mean * h - y * mean / spread;
            aa += mean * (1.0 + psi * y) / (spread * spread);
            ap += (y - mean) * mean / (spread * spread);
            pp -= mean * mean * (mean * derivative + y / (spread * spread));
        }
        Profile { rate, psi, value, slope, information: [aa, ap, pp] }
    }
}

/// `h(x) = (ln(1+x) − x/(1+x)) / x²` and its derivative, by their series near 0 where both would cancel.
fn remainder(x: f64) -> (f64, f64) {
    if x > 0.05 {
        let h = (x.ln_1p() - x / (1.0 + x)) / (x * x);
        return (h, 1.0 / (x * (1.0 + x) * (1.0 + x)) - 2.0 * h / x);
    }
    let (mut h, mut derivative) = (0.0, 0.0);
    for k in (0..=14).rev() {
        let k = f64::from(k);
        h = (k + 1.0) / (k + 2.0) - x * h;
        derivative = (k + 1.0) * (k + 2.0) / (k + 3.0) - x * derivative;
    }
    // d/dx Σ (−x)^k (k+1)/(k+2) = −Σ (−x)^k (k+1)(k+2)/(k+3).
    (h, -derivative)
}
