//! A posterior of one to three parameters on a lattice around its mode.
//!
//! The density is known up to a constant, and dear. So: the best of a few starts is climbed by Newton steps with
//! finite differences, the lattice takes its spacing along each axis from the curvature at the mode, and it
//! grows from there over all neighbours that stand less than [`DROP`] below the mode. For a smooth density a sum over
//! such a lattice is accurate far beyond its spacing: the error of the trapezoidal rule falls as
//! `exp(−½ (2π/h)²)` for a spacing of `h` standard deviations (Trefethen & Weideman 2014, SIAM Rev. 56:385), which for
//! h = 1.2 is 1e-6. This is the grid strategy of Rue, Martino & Chopin (2009, J. R. Stat. Soc. B 71:319).

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::error::IncidenceError;

/// Parameters at most.
pub(super) const AXES: usize = 3;

/// How far below the mode the lattice reaches, in units of log-density: for a normal law of three parameters
/// 0.1 % lie beyond.
const DROP: f64 = 8.0;

/// Spacing in standard deviations given the other parameters.
const SPACING: f64 = 1.2;

/// Most points: where there are more, the spacing grows.
const MAX_POINTS: usize = 600;

/// By how much the spacing grows where there are more points than that.
const COARSER: f64 = 1.7;

/// Newton steps at most.
const STEPS: usize = 12;

/// One parameter on its unbounded scale.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axis {
    /// Where to begin.
    pub starts: [f64; 3],
    /// Roughly a standard deviation before the data; 0 for a parameter that is known.
    pub scale: f64,
    /// Lowest and highest value.
    pub range: [f64; 2],
}

/// A point with what was found there.
#[derive(Debug, Clone)]
pub(super) struct Point<T> {
    pub place: [f64; AXES],
    /// Log-density, up to a constant.
    pub ln: f64,
    pub value: T,
}

/// The points of the lattice in a fixed order, and the steps between them.
#[derive(Debug, Clone)]
pub(super) struct Lattice<T> {
    pub points: Vec<Point<T>>,
    pub step: [f64; AXES],
}

/// Explores `density`, which gives the log-density and anything else worth keeping; `ceiling` is never below it and costs
/// nothing, so that most of what lies outside need not be looked at. A place that cannot be is
/// [`IncidenceError::Impossible`]; the other errors end the search.
///
/// # Errors
/// [`IncidenceError::Impossible`] where no start has a density, else what `density` fails with.
pub(super) fn explore<T: Send>(
    axes: &[Axis; AXES],
    ceiling: impl Fn(&[f64; AXES]) -> f64 + Sync,
    density: impl Fn(&[f64; AXES]) -> Result<(f64, T), IncidenceError> + Sync,
) -> Result<Lattice<T>, IncidenceError> {
    let search = Search { axes, density: &density, ceiling: &ceiling };
    let free: Vec<usize> = (0..AXES).filter(|&k| axes[k].scale > 0.0).collect();
    let (mode, step) = search.mode(&free)?;
    let mut step = step;
    loop {
        if let Some(points) = search.grow(&mode, &step, &free)? {
            return Ok(Lattice { points, step });
        }
        for &k in &free {
            step[k] *= COARSER;
        }
    }
}

struct Search<'a, F, C> {
    axes: &'a [Axis; AXES],
    density: &'a F,
    ceiling: &'a C,
}

impl<T, F, C> Search<'_, F, C>
where
    T: Send,
    F: Fn(&[f64; AXES]) -> Result<(f64, T), IncidenceError> + Sync,
    C: Fn(&[f64; AXES]) -> f64 + Sync,
{
    fn inside(&self, place: &[f64; AXES]) -> bool {
        place.iter().zip(self.axes).all(|(x, axis)| *x >= axis.range[0] && *x <= axis.range[1])
    }

    fn at(&self, place: &[f64; AXES]) -> Result<Option<(f64, T)>, IncidenceError> {
        if !self.inside(place) {
            return Ok(None);
        }
        match (self.density)(place) {
            Ok((ln, value)) => Ok(ln.is_finite().then_some((ln, value))),
            Err(IncidenceError::Impossible) => Ok(None),
            Err(e) => Err(e),
        }
    }

    fn all(&self, places: &[[f64; AXES]]) -> Result<Vec<f64>, IncidenceError> {
        let value = |place| Ok(self.at(place)?.map_or(f64::NEG_INFINITY, |(ln, _)| ln));
        places.par_iter().map(value).collect()
    }

    /// The highest of the starts: every combination of the second and third parameter, with the first value of the first
    /// parameter under which any of them has a density.
    fn start(&self, free: &[usize]) -> Result<([f64; AXES], f64), IncidenceError> {
        let of = |k: usize| if free.contains(&k) { 0..3 } else { 0..1 };
        for first in of(0) {
            let mut places = Vec::new();
            for i in of(1) {
                for j in of(2) {
                    places.push([self.axes[0].starts[first], self.axes[1].starts[i], self.axes[2].starts[j]]);
                }
            }
            let values = self.all(&places)?;
            let best = (0..values.len()).fold(0, |best, i| if values[i] > values[best] { i } else { best });
            if values[best].is_finite() {
                return Ok((places[best], values[best]));
            }
        }
        Err(IncidenceError::Impossible)
    }

    /// The mode, and the spacing of the lattice.
    fn mode(&self, free: &[usize]) -> Result<([f64; AXES], [f64; AXES]), IncidenceError> {
        let (mut place, mut height) = self.start(free)?;
        let mut step = [0.0; AXES];
        for &k in free {
            step[k] = 0.5 * self.axes[k].scale;
        }
        for _ in 0..STEPS {
            let Curvature { gradient, hessian } = self.curvature(&place, height, &step, free)?;
            for &k in free {
                // Where the density is not concave, its scale before the data stays.
                if hessian[k][k] < -1e-12 {
                    step[k] = (1.0 / (-hessian[k][k]).sqrt()).min(3.0 * self.axes[k].scale);
                }
            }
            let mut direction = newton(&gradient, &hessian, free)
                .filter(|d| free.iter().map(|&k| d[k] * gradient[k]).sum::<f64>() >= 0.0)
                .unwrap_or_else(|| ascent(&gradient, &step, free));
            for &k in free {
                direction[k] = direction[k].clamp(-4.0 * step[k], 4.0 * step[k]);
            }
            let promised: f64 = free.iter().map(|&k| direction[k] * gradient[k]).sum();
            // Nearer to the mode than this the lattice is the same.
            if promised < 0.02 {
                break;
            }
            let places: Vec<[f64; AXES]> = [1.0, 0.5, 0.2, 0.05]
                .map(|length| {
                    let mut next = place;
                    for &k in free {
                        let [low, high] = self.axes[k].range;
                        next[k] = (place[k] + length * direction[k]).clamp(low, high);
                    }
                    next
                })
                .into();
            let values = self.all(&places)?;
            let Some(i) = (0..values.len())
                .filter(|&i| values[i] > height)
                .max_by(|&a, &b| values[a].total_cmp(&values[b]))
            else {
                break;
            };
            (place, height) = (places[i], values[i]);
        }
        Ok((place, step.map(|s| s * SPACING)))
    }

    fn curvature(
        &self,
        place: &[f64; AXES],
        height: f64,
        step: &[f64; AXES],
        free: &[usize],
    ) -> Result<Curvature, IncidenceError> {
        let moved = |k: usize, a: f64, l: usize, b: f64| {
            let mut at = *place;
            at[k] += a * 0.5 * step[k];
            at[l] += b * 0.5 * step[l];
            at
        };
        let mut places = Vec::new();
        for &k in free {
            places.extend([moved(k, 1.0, k, 0.0), moved(k, -1.0, k, 0.0)]);
        }
        let pairs: Vec<(usize, usize)> =
            free.iter().flat_map(|&k| free.iter().filter(move |&&l| l > k).map(move |&l| (k, l))).collect();
        for &(k, l) in &pairs {
            places.extend([moved(k, 1.0, l, 1.0), moved(k, -1.0, l, -1.0)]);
        }
        let values = self.all(&places)?;
        let mut out = Curvature { gradient: [0.0; AXES], hessian: [[0.0; AXES]; AXES] };
        for (&k, v) in free.iter().zip(values.chunks(2)) {
            let h = 0.5 * step[k];
            out.gradient[k] = (v[0] - v[1]) / (2.0 * h);
            out.hessian[k][k] = (v[0] + v[1] - 2.0 * height) / (h * h);
        }
        for (&(k, l), v) in pairs.iter().zip(values[2 * free.len()..].chunks(2)) {
            let (h, g) = (0.5 * step[k], 0.5 * step[l]);
            // f(+,+) + f(−,−) − 2f = h² f_kk + g² f_ll + 2hg f_kl.
            let mixed = v[0] + v[1] - 2.0 * height - h * h * out.hessian[k][k] - g * g * out.hessian[l][l];
            out.hessian[k][l] = mixed / (2.0 * h * g);
            out.hessian[l][k] = out.hessian[k][l];
        }
        for v in out.gradient.iter_mut().chain(out.hessian.iter_mut().flatten()) {
            if !v.is_finite() {
                *v = 0.0;
            }
        }
        Ok(out)
    }

    /// All points that hang together above the limit; `None` where they are too many.
    fn grow(
        &self,
        mode: &[f64; AXES],
        step: &[f64; AXES],
        free: &[usize],
    ) -> Result<Option<Vec<Point<T>>>, IncidenceError> {
        let place = |key: &[i32; AXES]| {
            let mut at = *mode;
            for &k in free {
                at[k] += f64::from(key[k]) * step[k];
            }
            at
        };
        // Along a line of a log-concave density two points bound the next from above: most of what lies just outside
        // need not be looked at.
        let bounded = |found: &BTreeMap<[i32; AXES], Option<Point<T>>>, key: &[i32; AXES]| {
            let ln = |key: &[i32; AXES]| found.get(key).and_then(|p| p.as_ref()).map(|p| p.ln);
            let bound = |k: usize, side: i32| {
                let (mut near, mut far) = (*key, *key);
                near[k] += side;
                far[k] += 2 * side;
                Some(2.0 * ln(&near)? - ln(&far)?)
            };
            let sides = free.iter().flat_map(|&k| [bound(k, -1), bound(k, 1)]);
            sides.flatten().fold(f64::INFINITY, f64::min)
        };
        let origin = [0; AXES];
        let Some((height, value)) = self.at(mode)? else { return Err(IncidenceError::Impossible) };
        let mut found: BTreeMap<[i32; AXES], Option<Point<T>>> =
            [(origin, Some(Point { place: *mode, ln: height, value }))].into();
        let mut border = vec![origin];
        let mut kept = 1;
        while !border.is_empty() {
            let mut next: Vec<[i32; AXES]> = Vec::new();
            for key in &border {
                for &k in free {
                    for side in [-1, 1] {
                        let mut key = *key;
                        key[k] += side;
                        if !found.contains_key(&key) {
                            let ceiling = (self.ceiling)(&place(&key));
                            if bounded(&found, &key).min(ceiling) > height - DROP {
                                next.push(key);
                            }
                            found.insert(key, None);
                        }
                    }
                }
            }
            let values: Vec<Option<Point<T>>> = next
                .par_iter()
                .map(|key| {
                    let place = place(key);
                    let found = self.at(&place)?;
                    Ok(found.filter(|f| f.0 > height - DROP).map(|(ln, value)| Point { place, ln, value }))
                })
                .collect::<Result<_, IncidenceError>>()?;
            border.clear();
            for (key, point) in next.into_iter().zip(values) {
                if point.is_some() {
                    border.push(key);
                    kept += 1;
                    found.insert(key, point);
                }
            }
            if kept > MAX_POINTS {
                return Ok(None);
            }
        }
        Ok(Some(found.into_values().flatten().collect()))
    }
}

struct Curvature {
    gradient: [f64; AXES],
    hessian: [[f64; AXES]; AXES],
}

/// `−H⁻¹ g` by elimination; `None` where a pivot is not negative.
fn newton(gradient: &[f64; AXES], hessian: &[[f64; AXES]; AXES], free: &[usize]) -> Option<[f64; AXES]> {
    let (mut h, mut g) = (*hessian, *gradient);
    for (n, &k) in free.iter().enumerate() {
        if h[k][k] > -1e-10 {
            return None;
        }
        for &l in &free[n + 1..] {
            let factor = h[l][k] / h[k][k];
            for &m in &free[n..] {
                h[l][m] -= factor * h[k][m];
            }
            g[l] -= factor * g[k];
        }
    }
    let mut out = [0.0; AXES];
    for (n, &k) in free.iter().enumerate().rev() {
        let rest: f64 = free[n + 1..].iter().map(|&l| h[k][l] * out[l]).sum();
        out[k] = (-g[k] - rest) / h[k][k];
    }
    Some(out)
}

/// A step uphill of the size of the axes' scales.
fn ascent(gradient: &[f64; AXES], step: &[f64; AXES], free: &[usize]) -> [f64; AXES] {
    let mut out = [0.0; AXES];
    for &k in free {
        out[k] = (gradient[k] * step[k]).clamp(-2.0, 2.0) * step[k];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axes(scales: [f64; AXES]) -> [Axis; AXES] {
        scales.map(|scale| Axis { starts: [0.0, 1.0, -1.0], scale, range: [-50.0, 50.0] })
    }

    fn open(_: &[f64; AXES]) -> f64 {
        f64::INFINITY
    }

    #[test]
    fn what_lies_under_the_ceiling_is_not_looked_at() {
        let looked = std::sync::atomic::AtomicU32::new(0);
        let density = |x: &[f64; AXES]| {
            looked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Ok((-0.5 * x.iter().map(|v| v * v).sum::<f64>(), ()))
        };
        let axes = axes([1.0, 1.0, 1.0]);
        let free = explore(&axes, open, density).unwrap();
        let all = looked.swap(0, std::sync::atomic::Ordering::Relaxed);
        // The density itself is the closest ceiling.
        let under = explore(&axes, |x| -0.5 * x.iter().map(|v| v * v).sum::<f64>(), density).unwrap();
        assert_eq!(free.points.len(), under.points.len());
        let few = looked.load(std::sync::atomic::Ordering::Relaxed);
        assert!(few < all && few as usize >= under.points.len(), "{few} of {all}");
    }

    /// Mean and covariance by the lattice.
    fn moments<T>(lattice: &Lattice<T>) -> ([f64; AXES], [[f64; AXES]; AXES]) {
        let highest = lattice.points.iter().map(|p| p.ln).fold(f64::NEG_INFINITY, f64::max);
        let (mut sum, mut mean, mut second) = (0.0, [0.0; AXES], [[0.0; AXES]; AXES]);
        for p in &lattice.points {
            let w = (p.ln - highest).exp();
            sum += w;
            for k in 0..AXES {
                mean[k] += w * p.place[k];
                for (slot, other) in second[k].iter_mut().zip(p.place) {
                    *slot += w * p.place[k] * other;
                }
            }
        }
        mean = mean.map(|m| m / sum);
        for (k, row) in second.iter_mut().enumerate() {
            for (slot, other) in row.iter_mut().zip(mean) {
                *slot = *slot / sum - mean[k] * other;
            }
        }
        (mean, second)
    }

    #[test]
    fn a_normal_law_has_its_moments() {
        // Precision with correlated first two parameters: covariance [[4/3, 2/3], [2/3, 4/3]], 0.25.
        let density = |x: &[f64; AXES]| {
            let (a, b, c) = (x[0] - 3.0, x[1] + 2.0, x[2] - 0.5);
            Ok((-0.5 * (a * a + b * b - a * b + 4.0 * c * c), ()))
        };
        let lattice = explore(&axes([1.0, 2.0, 3.0]), open, density).unwrap();
        let (mean, covariance) = moments(&lattice);
        for (got, want) in mean.iter().zip([3.0, -2.0, 0.5]) {
            assert!((got - want).abs() < 0.01, "{mean:?}");
        }
        assert!((covariance[0][0] / (4.0 / 3.0) - 1.0).abs() < 0.03, "{covariance:?}");
        assert!((covariance[0][1] / (2.0 / 3.0) - 1.0).abs() < 0.05, "{covariance:?}");
        assert!((covariance[2][2] / 0.25 - 1.0).abs() < 0.03, "{covariance:?}");
        assert!(lattice.points.len() < 400, "{}", lattice.points.len());
    }

    #[test]
    fn a_known_parameter_stays_and_an_impossible_place_is_left_out() {
        let density = |x: &[f64; AXES]| {
            if x[0] < -0.5 { Err(IncidenceError::Impossible) } else { Ok((-x[0] * x[0] / 2.0, ())) }
        };
        let lattice = explore(&axes([1.0, 0.0, 0.0]), open, density).unwrap();
        assert!(lattice.points.iter().all(|p| p.place[1] == 0.0 && p.place[0] >= -0.5));
        assert!(lattice.points.len() > 2);
        let none = explore(&axes([1.0, 0.0, 0.0]), open, |_| Err::<(f64, ()), _>(IncidenceError::Impossible));
        assert_eq!(none.unwrap_err(), IncidenceError::Impossible);
    }

    #[test]
    fn a_law_without_a_scale_of_its_own_ends_at_its_range() {
        let lattice = explore(&axes([5.0, 0.0, 0.0]), open, |x| Ok((-0.01 * x[0].abs(), ()))).unwrap();
        let low = lattice.points.iter().map(|p| p.place[0]).fold(0.0, f64::min);
        assert!((-50.0..-35.0).contains(&low) && lattice.points.len() <= MAX_POINTS, "{low}");
    }
}
