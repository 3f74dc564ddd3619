//! The two parts of a weighted sum `e = √(1−φ) v + √φ u` of independent effects and the scaled field.
//!
//! On a component of `n` areas, with `M = (1−φ) s Q + φ I`, `r` the deviations of `e` from their mean and
//! `x = M⁻¹ r`: the covariance of `e` has the log-determinant `ln(1−φ) + ln det M − ln φ` up to a constant, its
//! quadratic form is `n ē²/(1−φ) + rᵀ s Q x`, and given `e` the field is normal with mean `√φ x` and covariance
//! `(1−φ) M⁻¹`, centred. On an island `e` does not depend on φ.

use super::{IcarField, Part, centre};
use crate::incidence::band::BandFactor;

impl IcarField {
    /// `ln p(e | φ)` with the field integrated out, up to a constant; `None` where rounding forbids it.
    pub(in crate::incidence) fn ln_density_of_sum(&self, sum: &[f64], phi: f64, not_phi: f64) -> Option<f64> {
        let mut value = 0.0;
        for part in self.parts.iter().filter(|p| p.factor.is_some()) {
            let mixed = part.mixed(phi, not_phi)?;
            let (mean, deviations) = part.deviations(sum);
            let mut x = deviations.clone();
            mixed.solve(&mut x);
            mixed.solve_transposed(&mut x);
            let n = part.nodes.len() as f64;
            let form = n * mean * mean / not_phi + part.form(&deviations, &x);
            let ln_determinant = libm::log(not_phi) + mixed.ln_determinant() - libm::log(phi);
            value -= 0.5 * (form + ln_determinant);
        }
        value.is_finite().then_some(value)
    }

    /// A draw of the independent effects `v` and the normal variables of the field given `e`, into `own` and
    /// `normals`. `noise` holds one standard normal variable per area.
    pub(in crate::incidence) fn split_sum(
        &self,
        sum: &[f64],
        (phi, not_phi): (f64, f64),
        noise: &[f64],
        own: &mut [f64],
        normals: &mut [f64],
    ) -> Option<()> {
        let (root_field, root_own) = (phi.sqrt(), not_phi.sqrt());
        let mut start = 0;
        for part in &self.parts {
            let end = start + part.dimension();
            let out = &mut normals[start..end];
            start = end;
            let Some(factor) = &part.factor else {
                let node = part.nodes[0];
                out[0] = root_field * sum[node] + root_own * noise[node];
                own[node] = root_own * sum[node] - root_field * noise[node];
                continue;
            };
            let mixed = part.mixed(phi, not_phi)?;
            let (mean, mut x) = part.deviations(sum);
            mixed.solve(&mut x);
            mixed.solve_transposed(&mut x);
            let mut rest: Vec<f64> = part.nodes.iter().map(|n| noise[*n]).collect();
            mixed.solve_transposed(&mut rest);
            centre(&mut rest, 1.0);
            // e − √φ u = ē + (1−φ) s Q x − √φ √(1−φ) · rest, without the cancellation where φ is near 1.
            let pulled = part.laplacian(&x);
            for (place, node) in part.nodes.iter().enumerate() {
                own[*node] =
                    mean / root_own + root_own * part.scale * pulled[place] - root_field * rest[place];
            }
            let mut field: Vec<f64> =
                x.iter().zip(&rest).map(|(x, r)| root_field * x + root_own * r).collect();
            let pinned = field.pop()?;
            for (slot, u) in out.iter_mut().zip(&field) {
                *slot = part.scale.sqrt() * (u - pinned);
            }
            factor.multiply_transposed(out);
        }
        Some(())
    }
}

impl Part {
    /// The factor of `M`.
    fn mixed(&self, phi: f64, not_phi: f64) -> Option<BandFactor> {
        let weight = not_phi * self.scale;
        let diagonal: Vec<f64> = self.degrees.iter().map(|d| weight * d + phi).collect();
        let lower: Vec<(usize, usize, f64)> = self.edges.iter().map(|(i, j)| (*i, *j, -weight)).collect();
        BandFactor::new(&diagonal, &lower)
    }

    /// Mean over the component, and what is left.
    fn deviations(&self, sum: &[f64]) -> (f64, Vec<f64>) {
        let values: Vec<f64> = self.nodes.iter().map(|n| sum[*n]).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        (mean, values.iter().map(|v| v - mean).collect())
    }

    /// `aᵀ s Q b`.
    fn form(&self, a: &[f64], b: &[f64]) -> f64 {
        self.scale * self.edges.iter().map(|&(i, j)| (a[i] - a[j]) * (b[i] - b[j])).sum::<f64>()
    }

    /// `Q x`.
    fn laplacian(&self, x: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; x.len()];
        for &(i, j) in &self.edges {
            out[i] += x[i] - x[j];
            out[j] += x[j] - x[i];
        }
        out
    }
}
