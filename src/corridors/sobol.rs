//! First and total indices of Sobol' of a model's output over groups of its inputs, from base samples in the design
//! of Saltelli et al. (2010, Variance based sensitivity analysis of model output, Comput. Phys. Commun. 181:259).
//!
//! Base sample `j` has two independent vectors of inputs, `A_j` and `B_j`; `AB_ij` is `A_j` with group `i` taken from
//! `B_j`. With `f` the output, `V` its variance over the rows of A and B together and `m` its mean there:
//!
//! - first index `S_i = 1/n Σ_j (f(B_j) − m) (f(AB_ij) − f(A_j)) / V` (Saltelli et al. 2010, table 2b): the share of
//!   the variance that would go if group `i` were known, on average over its values. Taking `m` off changes nothing
//!   that is estimated and takes most of the noise away where the mean is large beside the spread;
//! - total index `T_i = 1/2n Σ_j (f(A_j) − f(AB_ij))² / V` (Jansen 1999, Comput. Phys. Commun. 117:35): the share of
//!   the variance that would stay if all but group `i` were known. It is never negative, and exactly 0 for a group
//!   that does nothing.
//!
//! One group can be *shared*: `B_j` has it from `A_j`, and so have all `AB_ij` but its own, which has it from elsewhere. Then
//! other groups' indices are within the draws of it: what it does alone is in no total but its own, and in no first index.
//! Its own first index is `1/n Σ_j (f(B_j) − m) (f(A_j) − f(AB_j)) / V`, since it is A and B that have it in common.
//!
//! Groups must be independent of each other; within a group inputs may hang together. An estimate of a small first
//! index can come out below 0, and a large one above 1: it is given as it is, with its interval. Sums run in the
//! order of the base samples.

use rayon::prelude::*;

use crate::stats::quantile;

/// Outputs by base sample.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outputs {
    /// Of the vectors A.
    pub a: Vec<f64>,
    /// Of the vectors B.
    pub b: Vec<f64>,
    /// By group: of A with the group from B, or from elsewhere if it is shared.
    pub ab: Vec<Vec<f64>>,
    /// The group that is shared, if one is.
    pub shared: Option<usize>,
}

/// An estimate with the 5 % and 95 % quantiles of its bootstrap.
pub type Interval = [f64; 3];

/// Indices of one group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Indices {
    /// First index.
    pub first: Interval,
    /// Total index.
    pub total: Interval,
}

/// What is found of one output.
#[derive(Debug, Clone, PartialEq)]
pub struct Sobol {
    /// Base samples.
    pub n: usize,
    /// Mean of the output.
    pub mean: f64,
    /// Its variance.
    pub variance: f64,
    /// By group; `None` where the output does not vary.
    pub groups: Option<Vec<Indices>>,
}

/// Plain sums over base samples, of which all estimates are made.
struct Moments {
    n: f64,
    /// Σ (a + b), Σ (a² + b²).
    both: [f64; 2],
    /// By group: Σ b (ab − a), Σ (ab − a), Σ (ab − a)²; the first two with a − ab for a shared one.
    groups: Vec<[f64; 3]>,
}

impl Moments {
    fn new(outputs: &Outputs, samples: &(impl Iterator<Item = usize> + Clone)) -> Self {
        let Outputs { a, b, ab, shared } = outputs;
        let mut out = Self { n: 0.0, both: [0.0; 2], groups: Vec::with_capacity(ab.len()) };
        for j in samples.clone() {
            out.n += 1.0;
            out.both[0] += a[j] + b[j];
            out.both[1] += a[j] * a[j] + b[j] * b[j];
        }
        for (group, ab) in ab.iter().enumerate() {
            let mut sums = [0.0; 3];
            for j in samples.clone() {
                let step = ab[j] - a[j];
                sums[0] += b[j] * step;
                sums[1] += step;
                sums[2] += step * step;
            }
            if *shared == Some(group) {
                sums[0] = -sums[0];
                sums[1] = -sums[1];
            }
            out.groups.push(sums);
        }
        out
    }

    fn mean(&self) -> f64 {
        self.both[0] / (2.0 * self.n)
    }

    /// Divided by the number of values less one.
    fn variance(&self) -> f64 {
        let all = 2.0 * self.n;
        (self.both[1] - all * self.mean().powi(2)).max(0.0) / (all - 1.0)
    }

    /// First and total index of each group.
    fn indices(&self) -> Vec<[f64; 2]> {
        let (mean, variance) = (self.mean(), self.variance());
        let of = |[product, step, square]: &[f64; 3]| {
            [(product - mean * step) / self.n / variance, square / (2.0 * self.n) / variance]
        };
        self.groups.iter().map(of).collect()
    }
}

/// The indices of `outputs`. `resamples` lists, for each repetition of the bootstrap, the base samples that it is made
/// of, all below the number of base samples; outputs that are looked at together take the same ones. An output
/// whose standard deviation is not above `least_sd` does not vary: then there is nothing to be shared.
///
/// Values are taken from their mean before they are squared, so that a mean that is large beside the spread costs no
/// digits. `None` without a base sample, or where the vectors differ in length.
#[must_use]
pub fn sobol(outputs: &Outputs, resamples: &[Vec<u32>], least_sd: f64) -> Option<Sobol> {
    let n = outputs.a.len();
    if n == 0 || outputs.b.len() != n || outputs.ab.iter().any(|ab| ab.len() != n) {
        return None;
    }
    let centre = Moments::new(outputs, &(0..n)).mean();
    let less = |values: &[f64]| values.iter().map(|v| v - centre).collect::<Vec<f64>>();
    let centred = Outputs {
        a: less(&outputs.a),
        b: less(&outputs.b),
        ab: outputs.ab.iter().map(|ab| less(ab)).collect(),
        shared: outputs.shared,
    };
    let moments = Moments::new(&centred, &(0..n));
    let variance = moments.variance();
    let mut out = Sobol { n, mean: centre + moments.mean(), variance, groups: None };
    // Also false for what is no number.
    if !(variance.is_finite() && variance.sqrt() > least_sd) {
        return Some(out);
    }
    let repeated: Vec<Vec<[f64; 2]>> = resamples
        .par_iter()
        .map(|samples| Moments::new(&centred, &samples.iter().map(|j| *j as usize)).indices())
        .collect();
    let interval = |group: usize, which: usize, estimate: f64| -> Interval {
        let mut values: Vec<f64> =
            repeated.iter().map(|r| r[group][which]).filter(|v| v.is_finite()).collect();
        values.sort_by(f64::total_cmp);
        // Without repetitions an estimate is all there is.
        [estimate, quantile(&values, 0.05).unwrap_or(estimate), quantile(&values, 0.95).unwrap_or(estimate)]
    };
    let groups = moments.indices().into_iter().enumerate().map(|(group, [first, total])| Indices {
        first: interval(group, 0, first),
        total: interval(group, 1, total),
    });
    out.groups = Some(groups.collect());
    Some(out)
}

#[cfg(test)]
mod tests {
    use rand::RngExt;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::corridors::params::stream;

    /// Base samples of `k` uniform inputs on [0, 1).
    fn outputs(n: u32, k: usize, f: impl Fn(&[f64]) -> f64) -> Outputs {
        let mut out = Outputs { ab: vec![Vec::new(); k], ..Outputs::default() };
        for j in 0..n {
            let mut rng = stream("sobol test", 7, j);
            let vector = |rng: &mut ChaCha8Rng| (0..k).map(|_| rng.random::<f64>()).collect::<Vec<f64>>();
            let (a, b) = (vector(&mut rng), vector(&mut rng));
            out.a.push(f(&a));
            out.b.push(f(&b));
            for i in 0..k {
                let mut mixed = a.clone();
                mixed[i] = b[i];
                out.ab[i].push(f(&mixed));
            }
        }
        out
    }

    fn resamples(n: u32, times: u32) -> Vec<Vec<u32>> {
        let one = |t| {
            let mut rng = stream("sobol test bootstrap", 7, t);
            (0..n).map(|_| rng.random_range(0..n)).collect()
        };
        (0..times).map(one).collect()
    }

    /// Every estimate within `error` of what is known, and its interval around it.
    fn check(found: &Sobol, expected: &[[f64; 2]], error: f64) {
        for (group, [first, total]) in found.groups.as_ref().unwrap().iter().zip(expected) {
            assert!((group.first[0] - first).abs() < error, "{group:?}, first {first}");
            assert!((group.total[0] - total).abs() < error, "{group:?}, total {total}");
            for [at, low, high] in [group.first, group.total] {
                assert!(low <= at && at <= high && high - low < 4.0 * error, "{group:?}");
            }
        }
    }

    #[test]
    fn the_function_of_ishigami_and_homma() {
        // Ishigami & Homma 1990, with a = 7 and b = 0.1; closed form in Saltelli et al. 2008, p. 179.
        let (a, b) = (7.0, 0.1);
        let pi = std::f64::consts::PI;
        let f = |x: &[f64]| {
            let x: Vec<f64> = x.iter().map(|u| pi * (2.0 * u - 1.0)).collect();
            x[0].sin() + a * x[1].sin().powi(2) + b * x[2].powi(4) * x[0].sin()
        };
        let v1 = 0.5 * (1.0 + b * pi.powi(4) / 5.0).powi(2);
        let v2 = a * a / 8.0;
        let v13 = b * b * pi.powi(8) * (1.0 / 18.0 - 1.0 / 50.0);
        let v = v1 + v2 + v13;
        let n = 20_000;
        let found = sobol(&outputs(n, 3, f), &resamples(n, 200), 0.0).unwrap();
        assert!((found.variance / v - 1.0).abs() < 0.02, "{} {v}", found.variance);
        assert!((found.mean - a / 2.0).abs() < 0.1);
        check(&found, &[[v1 / v, (v1 + v13) / v], [v2 / v, v2 / v], [0.0, v13 / v]], 0.03);
    }

    #[test]
    fn the_g_function_of_sobol() {
        let weights = [0.0, 1.0, 4.5, 9.0, 99.0];
        let f =
            |x: &[f64]| x.iter().zip(weights).map(|(x, a)| ((4.0 * x - 2.0).abs() + a) / (1.0 + a)).product();
        let parts = weights.map(|a| 1.0 / (3.0 * (1.0_f64 + a).powi(2)));
        let whole: f64 = parts.iter().map(|v| 1.0 + v).product();
        let v = whole - 1.0;
        let expected: Vec<[f64; 2]> =
            parts.iter().map(|part| [part / v, part * (whole / (1.0 + part)) / v]).collect();
        let n = 20_000;
        let found = sobol(&outputs(n, 5, f), &resamples(n, 200), 0.0).unwrap();
        assert!((found.variance / v - 1.0).abs() < 0.03, "{} {v}", found.variance);
        check(&found, &expected, 0.03);
    }

    #[test]
    fn a_sum_shares_its_variance_whatever_its_mean() {
        // A mean of a million standard deviations, and an input that does nothing.
        let f = |x: &[f64]| 1e6 + 3.0 * x[0] + 2.0 * x[1] + x[2] + 0.0 * x[3];
        let n = 4_000;
        let found = sobol(&outputs(n, 4, f), &resamples(n, 100), 1e-9).unwrap();
        let share = |w: f64| [w * w / 14.0; 2];
        check(&found, &[share(3.0), share(2.0), share(1.0), [0.0; 2]], 0.04);
        let nothing = found.groups.as_ref().unwrap()[3];
        assert_eq!((nothing.first, nothing.total), ([0.0; 3], [0.0; 3]));
        // Inputs in one group have the sum of their shares.
        let mut grouped = outputs(n, 4, f);
        grouped.ab.truncate(1);
        grouped.ab[0] =
            outputs(n, 4, f).ab[0].iter().zip(&outputs(n, 4, f).ab[1]).map(|(x, y)| x + y).collect();
        for (sum, a) in grouped.ab[0].iter_mut().zip(&grouped.a) {
            *sum -= a;
        }
        check(&sobol(&grouped, &resamples(n, 100), 1e-9).unwrap(), &[[13.0 / 14.0; 2]], 0.04);
    }

    #[test]
    fn a_shared_group_is_in_its_own_indices_alone() {
        // x + 2 y + x y with y shared, on [0, 1): variances 3/16 (x), 25/48 (y), 1/144 (both together).
        let f = |x: f64, y: f64| x + 2.0 * y + x * y;
        let n = 20_000;
        let mut out = Outputs { ab: vec![Vec::new(); 2], shared: Some(1), ..Outputs::default() };
        for j in 0..n {
            let mut rng = stream("sobol shared", 7, j);
            let [x, y, other_x, other_y] = std::array::from_fn(|_| rng.random::<f64>());
            out.a.push(f(x, y));
            out.b.push(f(other_x, y));
            out.ab[0].push(f(other_x, y));
            out.ab[1].push(f(x, other_y));
        }
        let [x, y, both] = [3.0 / 16.0, 25.0 / 48.0, 1.0 / 144.0];
        let v = x + y + both;
        // The first index of x holds what it does together with y, which all rows share.
        let expected = [[(x + both) / v, (x + both) / v], [y / v, (y + both) / v]];
        check(&sobol(&out, &resamples(n, 100), 0.0).unwrap(), &expected, 0.03);
    }

    #[test]
    fn intervals_hold_the_truth_about_as_often_as_they_say() {
        // 90 % intervals of the first index of x in x + 2 y, of 200 samples of 200: 0.2.
        let mut inside = [0; 2];
        for seed in 0..200 {
            let mut out = Outputs { ab: vec![Vec::new()], ..Outputs::default() };
            let mut rng = stream("sobol coverage", seed, 0);
            for _ in 0..200 {
                let [x, y, u, v] = std::array::from_fn(|_| rng.random::<f64>());
                out.a.push(x + 2.0 * y);
                out.b.push(u + 2.0 * v);
                out.ab[0].push(u + 2.0 * y);
            }
            let times =
                (0..100).map(|_| (0..200).map(|_| rng.random_range(0..200)).collect()).collect::<Vec<_>>();
            let found = sobol(&out, &times, 0.0).unwrap().groups.unwrap()[0];
            for (hits, [_, low, high]) in inside.iter_mut().zip([found.first, found.total]) {
                *hits += u32::from(low <= 0.2 && 0.2 <= high);
            }
        }
        assert!(inside.iter().all(|hits| (165..=195).contains(hits)), "{inside:?}");
    }

    #[test]
    fn what_does_not_vary_has_no_indices_and_no_nan() {
        let flat = outputs(16, 2, |_| 0.3);
        let found = sobol(&flat, &resamples(16, 10), 0.0).unwrap();
        assert_eq!((found.groups, found.variance), (None, 0.0));
        assert!((found.mean - 0.3).abs() < 1e-15);
        // Rounding is no variation.
        let nearly = outputs(16, 2, |x| 0.3 + 1e-12 * x[0]);
        assert_eq!(sobol(&nearly, &[], 1e-9).unwrap().groups, None);
        let broken = Outputs { a: vec![f64::NAN; 4], b: vec![1.0; 4], ab: vec![vec![0.0; 4]], shared: None };
        assert_eq!(sobol(&broken, &[], 0.0).unwrap().groups, None);
        assert_eq!(sobol(&Outputs::default(), &[], 0.0), None);
        assert_eq!(sobol(&Outputs { b: vec![1.0], ..flat }, &[], 0.0), None);
    }
}
