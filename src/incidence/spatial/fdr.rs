//! Many tests at once: adjusted p values.
//!
//! `None` and NaN stand for what was not tested: they stay `None` and do not count as tests.

/// `q_(i) = min_{j ≥ i} c m p_(j) / j`, at most 1.
fn step_up(p: &[Option<f64>], factor: impl Fn(usize) -> f64) -> Vec<Option<f64>> {
    let mut tested: Vec<(f64, usize)> =
        p.iter().enumerate().filter_map(|(at, p)| Some((tested(*p)?, at))).collect();
    tested.sort_by(|a, b| a.0.total_cmp(&b.0));
    let m = tested.len();
    let scale = factor(m) * m as f64;
    let mut out = vec![None; p.len()];
    let mut least = 1.0_f64;
    for (before, (p, at)) in tested.iter().enumerate().rev() {
        // A quotient can round to just below the p value itself.
        least = least.min((scale * p / (before + 1) as f64).max(*p));
        out[*at] = Some(least);
    }
    out
}

fn tested(p: Option<f64>) -> Option<f64> {
    p.filter(|p| !p.is_nan())
}

/// Adjusted p values of Benjamini & Hochberg 1995: `q ≤ α` rejects as their step-up procedure at level `α`, which
/// keeps the false discovery rate at most `α` for independent and positively dependent tests.
///
/// ```
/// use corredor::incidence::spatial::benjamini_hochberg;
///
/// assert_eq!(benjamini_hochberg(&[Some(0.02), None, Some(0.01)]), [Some(0.02), None, Some(0.02)]);
/// ```
#[must_use]
pub fn benjamini_hochberg(p: &[Option<f64>]) -> Vec<Option<f64>> {
    step_up(p, |_| 1.0)
}

/// Adjusted p values of Benjamini & Yekutieli 2001, valid under any dependence: those of Benjamini & Hochberg times
/// `Σ_{i ≤ m} 1/i`, at most 1.
#[must_use]
pub fn benjamini_yekutieli(p: &[Option<f64>]) -> Vec<Option<f64>> {
    step_up(p, |m| (1..=m).map(|i| 1.0 / i as f64).sum())
}

/// `min(1, m p)`: `≤ α` keeps the probability of any false rejection at most `α`.
#[must_use]
pub fn bonferroni(p: &[Option<f64>]) -> Vec<Option<f64>> {
    let m = p.iter().filter(|p| tested(**p).is_some()).count() as f64;
    p.iter().map(|p| tested(*p).map(|p| (m * p).min(1.0))).collect()
}

/// How many adjusted p values are at most `level`.
#[must_use]
pub fn rejections(q: &[Option<f64>], level: f64) -> usize {
    q.iter().flatten().filter(|q| **q <= level).count()
}
