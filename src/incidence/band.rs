//! Symmetric positive definite matrices of small bandwidth: Cholesky factor, solutions, and the diagonal of
//! the inverse without the inverse.

/// The lower factor of `A = LLᵀ`, by rows: row `i` holds the columns `i − width ..= i`.
#[derive(Debug, Clone)]
pub(super) struct BandFactor {
    size: usize,
    width: usize,
    values: Vec<f64>,
}

impl BandFactor {
    /// Factors the matrix given by its diagonal and its entries `(row, column, value)` below it. `None` where
    /// it is not positive definite.
    pub(super) fn new(diagonal: &[f64], lower: &[(usize, usize, f64)]) -> Option<Self> {
        let size = diagonal.len();
        let width = lower.iter().map(|(i, j, _)| i - j).max().unwrap_or(0);
        let mut factor = Self { size, width, values: vec![0.0; size * (width + 1)] };
        for (i, value) in diagonal.iter().enumerate() {
            let at = factor.at(i, i);
            factor.values[at] = *value;
        }
        for &(i, j, value) in lower {
            let at = factor.at(i, j);
            factor.values[at] = value;
        }
        for i in 0..size {
            for j in i.saturating_sub(width)..=i {
                let first = i.saturating_sub(width);
                let (row, other) = (factor.row(i, first, j), factor.row(j, first, j));
                let dot: f64 = row.iter().zip(other).map(|(a, b)| a * b).sum();
                let at = factor.at(i, j);
                let rest = factor.values[at] - dot;
                factor.values[at] = if i > j {
                    rest / factor.get(j, j)
                } else if rest > 0.0 {
                    rest.sqrt()
                } else {
                    return None;
                };
            }
        }
        Some(factor)
    }

    fn at(&self, i: usize, j: usize) -> usize {
        i * (self.width + 1) + j + self.width - i
    }

    fn get(&self, i: usize, j: usize) -> f64 {
        self.values[self.at(i, j)]
    }

    /// Columns `first..end` of row `i`; those left of the band are not stored and must not be asked for.
    fn row(&self, i: usize, first: usize, end: usize) -> &[f64] {
        &self.values[self.at(i, first)..self.at(i, end)]
    }

    /// `L⁻¹ x` in place.
    pub(super) fn solve(&self, x: &mut [f64]) {
        for i in 0..self.size {
            let first = i.saturating_sub(self.width);
            let dot: f64 = self.row(i, first, i).iter().zip(&x[first..i]).map(|(a, b)| a * b).sum();
            x[i] = (x[i] - dot) / self.get(i, i);
        }
    }

    /// `L⁻ᵀ x` in place.
    pub(super) fn solve_transposed(&self, x: &mut [f64]) {
        for i in (0..self.size).rev() {
            let first = i.saturating_sub(self.width);
            x[i] /= self.get(i, i);
            let value = x[i];
            for (slot, l) in x[first..i].iter_mut().zip(self.row(i, first, i)) {
                *slot -= l * value;
            }
        }
    }

    /// `Lᵀ x` in place.
    pub(super) fn multiply_transposed(&self, x: &mut [f64]) {
        for i in 0..self.size {
            let last = (i + self.width).min(self.size - 1);
            x[i] = (i..=last).map(|k| self.get(k, i) * x[k]).sum();
        }
    }

    /// `ln det A`.
    pub(super) fn ln_determinant(&self) -> f64 {
        2.0 * (0..self.size).map(|i| libm::log(self.get(i, i))).sum::<f64>()
    }

    /// The diagonal of `A⁻¹`, by the recursion of Takahashi, Fagan & Chin 1973 for the entries within the
    /// band: `Σ_ij = δ_ij/L_ii² − Σ_{k>i} L_ki Σ_kj / L_ii`.
    pub(super) fn inverse_diagonal(&self) -> Vec<f64> {
        let mut inverse = Self { values: vec![0.0; self.values.len()], ..*self };
        for i in (0..self.size).rev() {
            let last = (i + self.width).min(self.size - 1);
            let pivot = self.get(i, i);
            for j in (i..=last).rev() {
                let mut sum = 0.0;
                for k in i + 1..=last {
                    sum += self.get(k, i) * inverse.get(k.max(j), k.min(j));
                }
                let unit = if i == j { 1.0 / pivot } else { 0.0 };
                let at = inverse.at(j, i);
                inverse.values[at] = (unit - sum) / pivot;
            }
        }
        (0..self.size).map(|i| inverse.get(i, i)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::BandFactor;

    /// A = [[4, 1, 0], [1, 3, 1], [0, 1, 2]], determinant 18.
    #[test]
    fn a_matrix_by_hand() {
        let factor = BandFactor::new(&[4.0, 3.0, 2.0], &[(1, 0, 1.0), (2, 1, 1.0)]).unwrap();
        let expected = [5.0 / 18.0, 8.0 / 18.0, 11.0 / 18.0];
        for (got, expected) in factor.inverse_diagonal().iter().zip(expected) {
            assert!((got - expected).abs() < 1e-15);
        }
        let mut x = vec![5.0, 5.0, 3.0];
        factor.solve(&mut x);
        factor.solve_transposed(&mut x);
        for value in &x {
            assert!((value - 1.0).abs() < 1e-15);
        }
        // xᵀ A x by the factor, for x = 1: the sum of all entries.
        factor.multiply_transposed(&mut x);
        assert!((x.iter().map(|v| v * v).sum::<f64>() - 13.0).abs() < 1e-14);
        assert!((factor.ln_determinant() - 18_f64.ln()).abs() < 1e-15);
    }

    #[test]
    fn what_is_not_positive_definite_has_no_factor() {
        assert!(BandFactor::new(&[1.0, 1.0], &[(1, 0, -1.0)]).is_none());
        assert!(BandFactor::new(&[0.0], &[]).is_none());
    }
}
