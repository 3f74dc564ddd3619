//! Cases without a place of which the number is known, where no total is: `Σ (T_m − y_m) = K`.
//!
//! With Gamma rates the cases of a cell that have no place follow `u_m ~ NB(α, β/(β + πE_m))`, and given them the
//! located ones `y_m | u_m ~ NB(α + u_m, (β + πE_m)/(β + E_m))`. So a cell's weights are `P(u)·P(L ≤ y ≤ U | u)`, the
//! filter convolves over `u`, and each `y` is drawn from its law within its bounds.
//!
//! With one common rate, or with rates that are given, the `K` cases fall on the cells in proportion to what is expected
//! there, whatever was located: `u | K` is multinomial.

use rand::Rng;
use rand_distr::{Binomial, Distribution};

use super::checks::Cell;
use super::convolution::ConvolutionFilter;
use super::error::IncidenceError;
use super::negative_binomial::{Hyper, Located, NEGLIGIBLE, fitted};
use super::weights::{CellWeights, ln_rising};

/// The filter of the unlocated cases of all cells given their number, started from a tilt that may be near.
pub(super) fn filter(
    cells: &[Cell],
    number: u32,
    hyper: Hyper,
    budget: u64,
    tilt: f64,
) -> Result<ConvolutionFilter, IncidenceError> {
    fitted(cells, number, budget, tilt, |cell, tilt| table(cell, number, hyper, tilt))
}

/// The weights of a cell up to `last`, or to where the tilt leaves nothing.
fn table(cell: &Cell, last: u32, hyper: Hyper, tilt: f64) -> Result<CellWeights, IncidenceError> {
    if cell.exposure <= 0.0 {
        return CellWeights::new(0, vec![0.0]);
    }
    let Hyper { alpha, beta, pi } = hyper;
    let exposure = pi * cell.exposure;
    let last = if exposure > 0.0 { last } else { 0 };
    let ln_q = (exposure / (beta + exposure)).ln();
    let start = -alpha * (exposure / beta).ln_1p();
    let (mut ln, mut ln_factorial) = (Vec::with_capacity(64), 0.0);
    let (mut highest, mut before) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
    for count in 0..=last {
        let u = f64::from(count);
        ln_factorial += u.max(1.0).ln();
        let free = if count > 0 { ln_rising(alpha, u) - ln_factorial + u * ln_q } else { 0.0 };
        let w = start + free + Located::given(cell, hyper, count).ln_probability();
        ln.push(w);
        let tilted = u.mul_add(tilt, w);
        highest = highest.max(tilted);
        // The ratio of successive terms goes towards `q e^tilt`: once it falls under that, it falls on.
        if tilted < highest + NEGLIGIBLE && tilted < before && ln_q + tilt < 0.0 {
            break;
        }
        before = tilted;
    }
    CellWeights::new(0, ln)
}

/// Located cases given the unlocated ones.
pub(super) fn locate(cells: &[Cell], unlocated: &[u32], hyper: Hyper, rng: &mut impl Rng) -> Vec<u32> {
    let one = |(cell, &u): (&Cell, &u32)| {
        if cell.exposure > 0.0 { Located::given(cell, hyper, u).sample(rng) } else { 0 }
    };
    cells.iter().zip(unlocated).map(one).collect()
}

/// `number` cases over cells in proportion to `expected`, which is not negative.
pub(super) fn spread(number: u32, expected: &[f64], rng: &mut impl Rng) -> Vec<u32> {
    let (mut left, mut rest) = (number, expected.iter().sum::<f64>());
    let mut one = |e: &f64| {
        let share = (e / rest).clamp(0.0, 1.0);
        rest -= e;
        let law = Binomial::new(left.into(), if share.is_finite() { share } else { 0.0 });
        let n = law.map_or(0, |law| law.sample(rng));
        let n = u32::try_from(n).unwrap_or(left);
        left -= n;
        n
    };
    let mut out: Vec<u32> = expected.iter().map(&mut one).collect();
    // Rounding of the running rest can leave some over: they belong to the last cell that can hold any.
    if let Some(at) = expected.iter().rposition(|e| *e > 0.0) {
        out[at] += left;
    }
    out
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    const HYPER: Hyper = Hyper { alpha: 0.7, beta: 2.0, pi: 0.3 };
    const CELLS: [Cell; 4] = [
        Cell { exposure: 1.0, min: 1, max: Some(3) },
        Cell { exposure: 2.5, min: 2, max: Some(2) },
        Cell { exposure: 4.0, min: 0, max: None },
        Cell { exposure: 0.0, min: 0, max: Some(0) },
    ];

    /// `P(y, u)` of a cell by summing the Poisson law over its Gamma rate: the negative multinomial.
    fn joint(cell: &Cell, y: u32, u: u32) -> f64 {
        let Hyper { alpha, beta, pi } = HYPER;
        if cell.exposure <= 0.0 {
            return f64::from(u8::from(y + u == 0));
        }
        let ln_factorial = |n: u32| (1..=n).map(|k| f64::from(k).ln()).sum::<f64>();
        let all = beta + cell.exposure;
        let (a, b) = ((1.0 - pi) * cell.exposure / all, pi * cell.exposure / all);
        let ln =
            (0..y + u).map(|k| (alpha + f64::from(k)).ln()).sum::<f64>() - ln_factorial(y) - ln_factorial(u)
                + alpha * (beta / all).ln()
                + f64::from(y) * a.ln()
                + f64::from(u) * b.ln();
        ln.exp()
    }

    /// By enumeration: the probability of the bounds and of `number`, and the mean of each `u` and each `y`.
    fn enumerated(number: u32) -> (f64, [f64; 4], [f64; 4]) {
        let (mut sum, mut unlocated, mut located) = (0.0, [0.0; 4], [0.0; 4]);
        let most = |c: &Cell| c.max.unwrap_or(400);
        // By cell and u: the mass within the bounds, and its mean of y.
        let mass = |c: &Cell, u: u32| (c.min..=most(c)).map(|y| joint(c, y, u)).sum::<f64>();
        let first = |c: &Cell, u: u32| (c.min..=most(c)).map(|y| f64::from(y) * joint(c, y, u)).sum::<f64>();
        for a in 0..=number {
            for b in 0..=number - a {
                let u = [a, b, number - a - b, 0];
                let masses: Vec<f64> = CELLS.iter().zip(u).map(|(c, u)| mass(c, u)).collect();
                let p: f64 = masses.iter().product();
                sum += p;
                for m in 0..4 {
                    unlocated[m] += p * f64::from(u[m]);
                    located[m] += p * first(&CELLS[m], u[m]) / masses[m];
                }
            }
        }
        (sum, unlocated.map(|v| v / sum), located.map(|v| v / sum))
    }

    #[test]
    fn likelihood_means_and_draws_are_those_of_enumeration() {
        for number in [0, 1, 5, 9] {
            let (sum, unlocated, located) = enumerated(number);
            let filter = filter(&CELLS, number, HYPER, 1_000_000, 0.0).unwrap();
            assert!((filter.ln_normaliser() - sum.ln()).abs() < 1e-9, "{number}");
            for (got, want) in filter.means().iter().zip(unlocated) {
                assert!((got - want).abs() < 1e-9, "{number} {got} {want}");
            }
            let mut rng = ChaCha8Rng::seed_from_u64(7);
            let (mut mean, n) = ([0.0; 4], 20_000);
            for _ in 0..n {
                let u = filter.sample(&mut rng);
                assert_eq!(u.iter().sum::<u32>(), number);
                let y = locate(&CELLS, &u, HYPER, &mut rng);
                for (cell, (y, slot)) in CELLS.iter().zip(y.into_iter().zip(&mut mean)) {
                    assert!(y >= cell.min && cell.max.is_none_or(|max| y <= max));
                    *slot += f64::from(y) / f64::from(n);
                }
            }
            for (got, want) in mean.iter().zip(located) {
                assert!((got - want).abs() < 0.03 * want.max(1.0), "{number}: {mean:?} {located:?}");
            }
        }
    }

    #[test]
    fn cases_are_spread_in_proportion_and_none_is_lost() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let expected = [1.0, 0.0, 3.0, 0.0];
        let mut sum = [0.0; 4];
        for _ in 0..4_000 {
            let out = spread(10, &expected, &mut rng);
            assert_eq!(out.iter().sum::<u32>(), 10);
            for (slot, n) in sum.iter_mut().zip(out) {
                *slot += f64::from(n) / 4_000.0;
            }
        }
        assert!(sum[1] == 0.0 && sum[3] == 0.0);
        assert!((sum[0] - 2.5).abs() < 0.1 && (sum[2] - 7.5).abs() < 0.1, "{sum:?}");
    }
}
