//! The likelihood of bounds and total from the generating function of the cells, without any table over counts.
//!
//! With `c = β/(β+E)`, `a = (1−π)E/(β+E)`, `b = πE/(β+E)` the generating function of the cases of a cell, its bounds
//! included, is closed, because the cases that were not located are negative binomial given the located ones:
//!
//! `G(z) = c^α Σ_{y=L}^{U} Γ(α+y)/(Γ(α) y!) (az)^y (1−bz)^{−(α+y)}`.
//!
//! Where the sum of the unlocated cases alone is known, `z` marks these: `G(z) = c^α Σ_y Γ(α+y)/(Γ(α) y!) a^y (1−bz)^{−(α+y)}`.
//!
//! The likelihood is the coefficient of `z^N` in the product over cells: the integral of `Π G(ρe^{iω}) e^{−iNω} ρ^{−N}`
//! over a circle, by the trapezoidal rule, which for a periodic analytic function is exact up to what wraps around
//! (Trefethen & Weideman 2014). The radius ρ is the saddle point, where the tilted mean of the sum is N, so that
//! nothing cancels. It is the normaliser of [`super::convolution::ConvolutionFilter`] at a cost that hardly depends on N.
//!
//! In `s = ln z` the integrand is singular on the real axis alone, to the right of the saddle point, where the cases
//! that were not located diverge; beyond, it falls like `e^{−Ns}`. Where the sum leans to the right, as it does when few cells
//! carry most of it, the path is therefore bent to the right, along the steepest descent at the saddle point: a parabola
//! around the cut (Weideman & Trefethen 2007, Math. Comp. 76:1341). A few dozen points do there what takes thousands on
//! the circle, along which such an integrand hardly falls.

use std::sync::atomic::{AtomicU64, Ordering};

use statrs::function::gamma::ln_gamma;

use super::checks::Cell;
use super::error::IncidenceError;
use super::negative_binomial::Hyper;
use super::root::tilt_for;
use super::weights::ln_rising;

/// Terms below this share of the largest are left out.
const NEGLIGIBLE: f64 = 1e-19;

/// Points on the circle per standard deviation of the tilted sum: what wraps around has an exponential tail at worst.
const POINTS_PER_SD: f64 = 40.0;

/// By how much the logarithm of the radius is lowered, over the total: `e^(−2 · 14)` of what wraps around is left.
const SHRINK: f64 = 14.0;

/// After so many points in a row that add nothing, the others do not either.
const SILENT: u32 = 24;

/// Multiplications at most, over all points and cells of all evaluations that share a count of them: a minute or two.
const MAX_WORK: u64 = 10_000_000_000;

/// Multiplications of one evaluation at most.
const MAX_ONCE: u64 = 500_000_000;

/// Where the integrand rises by so much, in logarithms, the path is not one of descent.
const RISE: f64 = 2.0;

/// Points on the parabola at most.
const MOST_POINTS: f64 = 2_000.0;

/// Widest interval of which all terms are kept.
const NARROW: u32 = 64;

/// Terms of one cell at most.
const MAX_TERMS: usize = 2_000_000;

/// Of what a sum is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marked {
    /// All cases.
    Cases,
    /// Those without a place.
    Unlocated,
}

/// `log P(bounds, sum | α, β, π)` where the `marked` cases add up to `total`; adds its multiplications to `spent`, which
/// evaluations of one search share. [`IncidenceError::Impossible`] also where the terms cancel to the last digit: at
/// parameters under which the data are so improbable that beside others they have no weight. Before that, digits are lost:
/// at e^−50 of the best likelihood and below, the logarithm is not good to seven digits any more.
pub(super) fn ln_likelihood(
    cells: &[Cell],
    (marked, total): (Marked, u32),
    hyper: Hyper,
    spent: &AtomicU64,
) -> Result<f64, IncidenceError> {
    let exposed: Vec<&Cell> = cells.iter().filter(|c| c.exposure > 0.0).collect();
    let mut eta = saddle(&exposed, (marked, total), hyper)?;
    let n = f64::from(total);
    let at = |eta: f64| -> Result<Vec<Part>, _> {
        exposed.iter().map(|cell| Part::new(cell, hyper, marked, eta)).collect()
    };
    let mut parts = at(eta)?;
    let each: u64 = parts.iter().map(|p| p.terms.len() as u64 + 20).sum();
    // Asked after the whole of an evaluation, so that it does not hang on the order of parallel ones.
    let spend = |points: f64| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of points")]
        let more = points as u64 * each;
        let work = spent.fetch_add(more, Ordering::Relaxed) + more;
        if work > MAX_WORK {
            return Err(IncidenceError::TooLarge { what: "multiplications", size: work, limit: MAX_WORK });
        }
        Ok(())
    };
    if let Some((ln, points)) = on_parabola(&parts, n, eta) {
        spend(points)?;
        return Ok(ln);
    }
    let by_spread = POINTS_PER_SD * parts.iter().map(|p| p.variance).sum::<f64>().sqrt() + 64.0;
    let by_total = 2.0 * n + 64.0;
    let points = by_spread.min(by_total).ceil();
    if by_total < by_spread {
        // With more points than the total nothing wraps around from below; a slightly smaller circle keeps out what
        // would from above, at the price of six of the sixteen digits.
        eta -= SHRINK / n.max(1.0);
        parts = at(eta)?;
    }
    let ln = parts.iter().map(|p| p.ln_value).sum::<f64>() - n * eta;
    let lowest: f64 = parts.iter().map(Part::lowest).sum();
    let (mut sum, mut silent, mut k) = (1.0, 0, 1.0);
    while k <= points / 2.0 && silent < SILENT {
        if k * each as f64 > MAX_ONCE as f64 {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of points")]
            let size = (0.5 * points) as u64 * each;
            return Err(IncidenceError::TooLarge { what: "multiplications", size, limit: MAX_ONCE });
        }
        let omega = std::f64::consts::TAU * k / points;
        let (sin, cos) = omega.sin_cos();
        let (mut ln_modulus, mut argument) = (0.0, (lowest - f64::from(total)) * omega);
        for part in &parts {
            let (modulus, angle) = part.at((cos, sin));
            ln_modulus += modulus;
            argument += angle;
            if ln_modulus < -50.0 {
                break;
            }
        }
        let term = ln_modulus.exp();
        silent = if term < 1e-18 { silent + 1 } else { 0 };
        // Conjugate points come in pairs, but for the one opposite.
        sum += if k * 2.0 < points { 2.0 } else { 1.0 } * term * argument.cos();
        k += 1.0;
    }
    spend(k)?;
    let out = ln + (sum / points).ln();
    if out.is_finite() { Ok(out) } else { Err(IncidenceError::Impossible) }
}

/// The same on a parabola through the saddle point; `None` where the sum does not lean to the right, where terms were
/// left out that may count off the circle, or where no parabola serves. The logarithm, and the number of points.
fn on_parabola(parts: &[Part], total: f64, eta: f64) -> Option<(f64, f64)> {
    let variance: f64 = parts.iter().map(|p| p.variance).sum();
    // Steepest descent from the saddle point: s = η + ix + κx².
    let steepest = parts.iter().map(|p| p.third).sum::<f64>() / (6.0 * variance);
    if !(steepest > 0.0 && steepest.is_finite()) || parts.iter().any(|p| !p.whole) {
        return None;
    }
    let distances = || parts.iter().map(|p| -p.unlocated.ln());
    let nearest = distances().fold(f64::INFINITY, f64::min);
    let farthest = distances().filter(|d| d.is_finite()).fold(nearest, f64::max);
    // The trapezoidal rule on a line errs by e^(−2π · distance to a singularity / step).
    let step = (0.5 / variance.sqrt()).min(0.3 * nearest);
    // A path that comes nearer to a far singularity than the saddle point lies can rise there: then a flatter one, up to
    // the one that does not.
    let flattest = steepest.min(1.0 / farthest);
    let between = (steepest * flattest).sqrt();
    let (sum, points) = [steepest, between, flattest]
        .into_iter()
        .find_map(|curvature| descend(parts, total, curvature, step))?;
    let ln = parts.iter().map(|p| p.ln_value).sum::<f64>() - total * eta;
    let out = ln + (sum * step / std::f64::consts::TAU).ln();
    out.is_finite().then_some((out, points))
}

/// The sum over the points of a parabola, relative to the saddle point, and their number; `None` where the integrand rises,
/// has not vanished when the parabola meets the copies of itself, or takes more points than are worth it.
fn descend(parts: &[Part], total: f64, curvature: f64, step: f64) -> Option<(f64, f64)> {
    let lowest: f64 = parts.iter().map(Part::lowest).sum();
    let (mut sum, mut silent, mut k) = (1.0, 0, 1.0);
    while silent < SILENT {
        let x = k * step;
        if x > std::f64::consts::PI || k > MOST_POINTS {
            return None;
        }
        let right = curvature * x * x;
        let (sin, cos) = x.sin_cos();
        let zeta = (right.exp() * cos, right.exp() * sin);
        let (mut ln_modulus, mut argument) = ((lowest - total) * right, (lowest - total) * x);
        for part in parts {
            let (modulus, angle) = part.at(zeta);
            ln_modulus += modulus;
            argument += angle;
        }
        if ln_modulus > RISE {
            return None;
        }
        let term = ln_modulus.exp();
        silent = if term < 1e-18 { silent + 1 } else { 0 };
        // Conjugate points come in pairs; ds/dx = i(1 − 2iκx).
        sum += 2.0 * term * (argument.cos() + 2.0 * curvature * x * argument.sin());
        k += 1.0;
    }
    Some((sum, k))
}

/// One cell on the path.
struct Part {
    marked: Marked,
    /// Lowest located count that matters.
    first: f64,
    /// `bρ`.
    unlocated: f64,
    /// `α + first`.
    power: f64,
    /// Weights of the located counts from `first` on, relative to the largest; one entry where they are summed in closed
    /// form.
    terms: Vec<f64>,
    terms_sum: f64,
    /// `ln G(ρ)`.
    ln_value: f64,
    /// First three cumulants of its cases under the tilt.
    mean: f64,
    variance: f64,
    third: f64,
    /// Whether no term was left out.
    whole: bool,
}

impl Part {
    fn new(cell: &Cell, hyper: Hyper, marked: Marked, eta: f64) -> Result<Self, IncidenceError> {
        let Hyper { alpha, beta, pi } = hyper;
        let all = beta + cell.exposure;
        let rho = eta.exp();
        let (located, unlocated) = ((1.0 - pi) * cell.exposure / all, pi * cell.exposure / all);
        let ln_c = -(cell.exposure / beta).ln_1p();
        if cell.min == 0 && cell.max.is_none() {
            // All located counts: (c/(1 − (a+b)z))^α, or with only the others marked (c/(1 − a − bz))^α.
            let (b, unmarked) = match marked {
                Marked::Cases => ((located + unlocated) * rho, 0.0),
                Marked::Unlocated => (unlocated * rho / (1.0 - located), located),
            };
            let g = b / (1.0 - b);
            let ln_value = alpha * (ln_c - (-unmarked).ln_1p() - (-b).ln_1p());
            let terms = vec![1.0];
            return Ok(Self {
                marked,
                first: 0.0,
                unlocated: b,
                power: alpha,
                terms,
                terms_sum: 1.0,
                ln_value,
                mean: alpha * g,
                variance: alpha * g * (1.0 + g),
                third: alpha * g * (1.0 + g) * (1.0 + 2.0 * g),
                whole: true,
            });
        }
        let b = unlocated * rho;
        let w = match marked {
            Marked::Cases => located * rho / (1.0 - b),
            Marked::Unlocated => located / (1.0 - b),
        };
        let (first, terms, ln_scale) = terms(alpha, w, cell.min, cell.max)?;
        let (mut sum, mut moment) = (0.0, 0.0);
        for (j, t) in terms.iter().enumerate() {
            sum += t;
            moment += t * j as f64;
        }
        let centre = moment / sum;
        let (mut spread, mut lean) = (0.0, 0.0);
        for (j, t) in terms.iter().enumerate() {
            let from = j as f64 - centre;
            spread += t / sum * from * from;
            lean += t / sum * from * from * from;
        }
        let y = first + centre;
        // Given y located cases, NB(α + y) others.
        let g = b / (1.0 - b);
        // By how much one more located case raises the mean of what is marked.
        let each = match marked {
            Marked::Cases => 1.0 + g,
            Marked::Unlocated => g,
        };
        let mean = y * each + alpha * g;
        let variance = each.powi(2) * spread + (alpha + y) * g * (1.0 + g);
        let third = each.powi(3) * lean
            + 3.0 * spread * g * (1.0 + g) * each
            + (alpha + y) * g * (1.0 + g) * (1.0 + 2.0 * g);
        let whole = cell.max.is_some_and(|max| terms.len() == (max - cell.min) as usize + 1);
        let ln_value = alpha * (ln_c - (-b).ln_1p()) + ln_scale + sum.ln();
        Ok(Self {
            marked,
            first,
            unlocated: b,
            power: alpha + first,
            terms,
            terms_sum: sum,
            ln_value,
            mean,
            variance,
            third,
            whole,
        })
    }

    /// The power of ζ that [`Part::at`] leaves out.
    fn lowest(&self) -> f64 {
        match self.marked {
            Marked::Cases => self.first,
            Marked::Unlocated => 0.0,
        }
    }

    /// Logarithm of the modulus, and the argument, of `G(ρζ) / G(ρ) ζ^{−lowest}`, for ζ in the complex plane without what
    /// lies on the real axis beyond the singularity.
    fn at(&self, (cos, sin): (f64, f64)) -> (f64, f64) {
        // 1 − bρζ over 1 − bρ.
        let b = self.unlocated;
        let (re, im) = ((1.0 - b * cos) / (1.0 - b), -b * sin / (1.0 - b));
        let norm = re * re + im * im;
        let (mut ln_modulus, mut argument) = (-0.5 * self.power * norm.ln(), -self.power * im.atan2(re));
        if self.terms.len() > 1 {
            // u = ζ / ((1 − bρζ)/(1 − bρ)), on the circle of modulus at most 1; without the ζ where it marks no located case.
            let (cos, sin) = if self.marked == Marked::Cases { (cos, sin) } else { (1.0, 0.0) };
            let (u_re, u_im) = ((cos * re + sin * im) / norm, (sin * re - cos * im) / norm);
            let (mut s_re, mut s_im) = (0.0, 0.0);
            for t in self.terms.iter().rev() {
                (s_re, s_im) = (s_re * u_re - s_im * u_im + t, s_re * u_im + s_im * u_re);
            }
            let (s_re, s_im) = (s_re / self.terms_sum, s_im / self.terms_sum);
            ln_modulus += 0.5 * (s_re * s_re + s_im * s_im).ln();
            argument += s_im.atan2(s_re);
        }
        (ln_modulus, argument)
    }
}

/// `Γ(α+y)/(Γ(α) y!) w^y` for `y` in `min..=max` relative to the largest, without negligible ends: the first `y`, the
/// terms, and the logarithm of the largest.
fn terms(alpha: f64, w: f64, min: u32, max: Option<u32>) -> Result<(f64, Vec<f64>, f64), IncidenceError> {
    let low = f64::from(min);
    let ln_low = ln_rising(alpha, low) - ln_gamma(low + 1.0) + if min > 0 { low * w.ln() } else { 0.0 };
    // Logarithms relative to the first term, so that nothing overflows.
    let (mut ln, mut highest, mut lns) = (0.0_f64, 0.0_f64, Vec::new());
    let mut y = low;
    // Off the circle the ends of a narrow interval can count: they cost little.
    let narrow = max.is_some_and(|max| max - min <= NARROW);
    let floor = if narrow { f64::NEG_INFINITY } else { NEGLIGIBLE.ln() };
    loop {
        lns.push(ln);
        if max.is_some_and(|max| y >= f64::from(max)) {
            break;
        }
        let ratio = (alpha + y) / (y + 1.0) * w;
        ln += ratio.ln();
        y += 1.0;
        highest = highest.max(ln);
        // The ratio goes towards w: past the top, where both are below 1, it only falls.
        if ln < highest + floor && ratio < 1.0 && w < 1.0 {
            break;
        }
        if lns.len() > MAX_TERMS || !ln.is_finite() {
            return Err(IncidenceError::Impossible);
        }
    }
    let start = lns.iter().position(|l| *l >= highest + floor).unwrap_or(0);
    let end = lns.iter().rposition(|l| *l >= highest + floor).map_or(lns.len(), |i| i + 1);
    let kept = lns[start..end].iter().map(|l| (l - highest).exp()).collect();
    Ok((low + start as f64, kept, ln_low + highest))
}

/// The logarithm of the radius at which the tilted mean of the sum is the total.
fn saddle(cells: &[&Cell], (marked, total): (Marked, u32), hyper: Hyper) -> Result<f64, IncidenceError> {
    // Inside the circle of convergence of every cell.
    let nearest = cells.iter().fold(0.0_f64, |q, c| {
        let share = |exposure: f64| exposure / (hyper.beta + exposure);
        q.max(match (c.max, marked) {
            (Some(_), _) => hyper.pi * share(c.exposure),
            (None, Marked::Cases) => share(c.exposure),
            (None, Marked::Unlocated) => share(hyper.pi * c.exposure),
        })
    });
    let end = if nearest > 0.0 { (-nearest.ln()).min(FARTHEST) } else { FARTHEST };
    let start = if end > 0.0 { 0.0 } else { end - 1e-3 };
    tilt_for(f64::from(total), (-FARTHEST, end), start, 0.02, |eta| {
        cells.iter().try_fold((0.0, 0.0), |(mean, variance), cell| {
            let part = Part::new(cell, hyper, marked, eta)?;
            Ok((mean + part.mean, variance + part.variance))
        })
    })
}

/// Tilts beyond this leave one count per cell.
const FARTHEST: f64 = 200.0;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::incidence::convolution::MAX_ENTRIES;
    use crate::incidence::negative_binomial::{LocatedTables, filter};
    use crate::incidence::unlocated;

    fn cell() -> impl Strategy<Value = Cell> {
        let bounds = prop_oneof![
            3 => (0_u32..30).prop_map(|n| (n, Some(n))),
            4 => (0_u32..20, 0_u32..20).prop_map(|(min, more)| (min, Some(min + more))),
            2 => (0_u32..10).prop_map(|min| (min, None)),
        ];
        (0.05_f64..20.0, bounds).prop_map(|(exposure, (min, max))| Cell { exposure, min, max })
    }

    /// The parabola serves with few points, and gives the filter's normaliser.
    fn descends(cells: &[Cell], total: u32, hyper: Hyper) {
        let exposed: Vec<&Cell> = cells.iter().collect();
        let eta = saddle(&exposed, (Marked::Cases, total), hyper).unwrap();
        let parts: Vec<Part> =
            cells.iter().map(|c| Part::new(c, hyper, Marked::Cases, eta).unwrap()).collect();
        let (got, points) = on_parabola(&parts, total.into(), eta).unwrap();
        let located = LocatedTables::new(cells, total, hyper.pi);
        let expected = filter(cells, total, hyper, &located, MAX_ENTRIES, 0.0).unwrap().ln_normaliser();
        assert!(points < 300.0, "{total} {hyper:?}: {points}");
        assert!((got - expected).abs() < 1e-7 * expected.abs(), "{total} {hyper:?}: {got} {expected}");
    }

    #[test]
    fn many_places_of_which_any_can_have_most_cases_take_few_points() {
        let cells: Vec<Cell> = (0..60)
            .map(|i| Cell { exposure: f64::from(1 + i * i), min: 0, max: Some(14) })
            .chain([Cell { exposure: 9.0, min: 1, max: Some(1) }])
            .collect();
        for (total, alpha, pi) in [(5_000, 6e-4, 0.93), (5_000, 0.02, 0.97), (3_000, 0.2, 0.9)] {
            descends(&cells, total, Hyper { alpha, beta: alpha / 3.0, pi });
        }
    }

    #[test]
    fn large_totals_take_few_points() {
        let mut cells = vec![Cell { exposure: 1.0, min: 0, max: Some(14) }; 40];
        cells.push(Cell { exposure: 3.0, min: 5, max: Some(5) });
        cells.push(Cell { exposure: 9.0, min: 0, max: None });
        for (total, alpha, pi) in [(2_000, 0.3, 0.2), (2_000, 0.05, 0.6), (3_000, 4.0, 0.4), (900, 1.0, 0.05)]
        {
            descends(&cells, total, Hyper { alpha, beta: alpha / 5.0, pi });
        }
    }

    /// Parameters whose likelihood is lower by so much have no weight in a posterior: e^−50 is 2e-22.
    const NO_WEIGHT: f64 = 50.0;
    /// What such a likelihood may be off by, in logarithms, before it is called impossible.
    const FADED: f64 = 0.1;

    /// The largest likelihood over some means and shares without a place.
    fn best(hyper: Hyper, ln_likelihood: impl Fn(Hyper) -> Result<f64, IncidenceError>) -> f64 {
        let scales = [1.0 / 64.0, 1.0 / 8.0, 1.0, 8.0, 64.0];
        let shares = [1e-3, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97];
        let all = scales
            .into_iter()
            .flat_map(|scale| shares.map(|pi| Hyper { beta: hyper.beta * scale, pi, ..hyper }));
        all.filter_map(|hyper| ln_likelihood(hyper).ok()).fold(f64::NEG_INFINITY, f64::max)
    }

    /// Whether what was found is the exact logarithm of a likelihood; where the data have no weight beside the best
    /// parameters, digits may be lost, and then all of them.
    fn agree(found: Option<&f64>, exact: f64, best: impl FnOnce() -> f64) -> bool {
        let off = found.map_or(0.0, |found| (found - exact).abs());
        let close = found.is_some() && off < 1e-7 * exact.abs().max(1.0);
        close || off < FADED && exact < best() - NO_WEIGHT
    }

    #[test]
    fn digits_fade_as_the_data_lose_weight() {
        let cell = |exposure, min, max| Cell { exposure, min, max };
        let cells = [
            cell(14.528_164_498_233_691, 9, Some(25)),
            cell(17.782_368_296_441_092, 23, Some(23)),
            cell(5.778_507_009_890_256, 14, Some(14)),
            cell(17.516_347_425_843_563, 0, None),
            cell(14.380_440_534_791_19, 7, Some(18)),
            cell(5.716_518_674_915_203, 0, Some(7)),
            cell(2.119_457_126_545_049_3, 6, Some(6)),
            cell(4.403_621_734_982_34, 12, Some(12)),
            cell(2.205_759_973_907_853, 22, Some(22)),
            cell(11.691_506_771_328_104, 10, Some(19)),
        ];
        let total = cells.iter().map(|c| c.min).sum::<u32>() + 115;
        let hyper = Hyper {
            alpha: 2.116_453_599_097_228_6,
            beta: 9.656_374_211_863_124,
            pi: 0.429_042_202_200_572_04,
        };
        let exact = |hyper: Hyper| {
            let located = LocatedTables::new(&cells, 115, hyper.pi);
            filter(&cells, total, hyper, &located, MAX_ENTRIES, 0.0).map(|f| f.ln_normaliser())
        };
        let found = |hyper| ln_likelihood(&cells, (Marked::Cases, total), hyper, &AtomicU64::new(0)).unwrap();
        // Digits are lost before all of them are, where the data have no weight, and not near the best.
        let (e, best) = (exact(hyper).unwrap(), best(hyper, exact));
        assert!((found(hyper) - e).abs() < FADED && e < best - NO_WEIGHT, "{e} {best}");
        let likely = Hyper { beta: hyper.beta / 8.0, ..hyper };
        assert!((found(likely) - exact(likely).unwrap()).abs() < 1e-9 * e.abs());
    }

    #[test]
    fn where_terms_cancel_the_data_have_no_weight() {
        let cell = |exposure, min, max| Cell { exposure, min, max };
        let cells = [
            cell(16.250_835_620_044_214, 2, None),
            cell(4.897_170_156_633_67, 26, Some(26)),
            cell(12.282_203_600_694_368, 14, Some(22)),
            cell(12.219_606_003_150_718, 17, Some(20)),
        ];
        let hyper =
            Hyper { alpha: 1.067_817_003_560_436, beta: 0.760_022_135_735_604, pi: 0.091_444_833_929_819_07 };
        let exact =
            |hyper| unlocated::filter(&cells, 337, hyper, MAX_ENTRIES, 0.0).map(|f| f.ln_normaliser());
        let expected = exact(hyper).unwrap();
        assert!(expected < best(hyper, exact) - NO_WEIGHT, "{expected}, {}", best(hyper, exact));
        // At parameters that have weight the two agree.
        let likely = Hyper { pi: 0.85, ..hyper };
        let found = ln_likelihood(&cells, (Marked::Unlocated, 337), likely, &AtomicU64::new(0)).unwrap();
        assert!((found - exact(likely).unwrap()).abs() < 1e-7 * found.abs(), "{found}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_is_the_normaliser_of_the_filter(
            cells in proptest::collection::vec(cell(), 1..12), more in 0_u32..150,
            alpha in 0.05_f64..30.0, beta in 0.1_f64..10.0,
            pi in prop_oneof![Just(0.0), 1e-3_f64..0.9],
        ) {
            let total = cells.iter().map(|c| c.min).sum::<u32>() + more;
            let hyper = Hyper { alpha, beta, pi };
            let located = LocatedTables::new(&cells, more, pi);
            let expected = filter(&cells, total, hyper, &located, MAX_ENTRIES, 0.0).map(|f| f.ln_normaliser());
            // Bounds that cannot meet the total are refused before either is asked.
            if let Ok(expected) = expected {
                let found = ln_likelihood(&cells, (Marked::Cases, total), hyper, &AtomicU64::new(0));
                let other = |hyper: Hyper| {
                    let located = LocatedTables::new(&cells, more, hyper.pi);
                    filter(&cells, total, hyper, &located, MAX_ENTRIES, 0.0).map(|f| f.ln_normaliser())
                };
                prop_assert!(agree(found.as_ref().ok(), expected, || best(hyper, other)), "{found:?} is not {expected}");
            }
        }

        #[test]
        fn of_the_unlocated_cases_it_is_the_normaliser_of_their_filter(
            cells in proptest::collection::vec(cell(), 1..12), number in 0_u32..400,
            alpha in 0.05_f64..30.0, beta in 0.1_f64..10.0, pi in 1e-3_f64..0.9,
        ) {
            let hyper = Hyper { alpha, beta, pi };
            let expected = unlocated::filter(&cells, number, hyper, MAX_ENTRIES, 0.0).unwrap().ln_normaliser();
            let found = ln_likelihood(&cells, (Marked::Unlocated, number), hyper, &AtomicU64::new(0));
            let other =
                |hyper| unlocated::filter(&cells, number, hyper, MAX_ENTRIES, 0.0).map(|f| f.ln_normaliser());
            prop_assert!(agree(found.as_ref().ok(), expected, || best(hyper, other)), "{found:?} is not {expected}");
        }
    }
}
