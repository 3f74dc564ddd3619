//! A scenario of what was not detected: if a case comes to be known with probability `p_m`, the rate of all cases is
//! `θ_m / p_m`.
//!
//! Nothing in counts of detected cases tells `p_m`. The scenario takes the region's `p` from a prior that the study
//! states, and lets municipalities differ around it, `logit p_m = logit p + δ_m`, `δ_m ~ Normal(0, spread)`. What it
//! shows is how far rates, and which of them are high, hang on an assumption that no one can check here.

use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

use super::counts::{CountCell, CountDraw};
use super::rates::{PER, is_above, regional};
use crate::model::prior::Prior;
use crate::stats::spread;

/// What the scenario says of one municipality.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scenario {
    /// Mean, 5 % and 95 % quantile of the rate of all cases, per 100,000 persons and year.
    pub rate: [f64; 3],
    /// Share of draws in which it is above the region's.
    pub pr_above: f64,
}

/// The scenario, one entry per cell. `rng` gives the random numbers of a draw by its number.
pub fn scenario<R: Rng>(
    cells: &[CountCell],
    draws: &[CountDraw],
    (probability, deviation): (Prior, f64),
    rng: impl Fn(usize) -> R,
) -> Vec<Scenario> {
    let (mut rates, mut above) =
        (vec![Vec::with_capacity(draws.len()); cells.len()], vec![0_u32; cells.len()]);
    for (d, draw) in draws.iter().enumerate() {
        let mut rng = rng(d);
        let share = probability.draw(&mut rng).clamp(LEAST, 1.0 - 1e-12);
        let centre = (share / (1.0 - share)).ln();
        // Cases for each one that was detected.
        let factor: Vec<f64> = draw
            .rate
            .iter()
            .map(|_| 1.0 + (-(centre + deviation * rng.sample::<f64, _>(StandardNormal))).exp())
            .collect();
        let own: Vec<f64> = draw.rate.iter().zip(&factor).map(|(rate, factor)| rate * factor).collect();
        // As in `pr_above`, the region's rate is that of its places together.
        let region = regional(&own, cells);
        for (m, rate) in own.into_iter().enumerate().take(cells.len()) {
            above[m] += u32::from(is_above(rate, region));
            rates[m].push(PER * rate);
        }
    }
    let n = draws.len().max(1) as f64;
    rates
        .into_iter()
        .zip(above)
        .map(|(rates, above)| Scenario { rate: spread(rates), pr_above: f64::from(above) / n })
        .collect()
}

/// Least probability of detection: a draw below it would only say that nothing is known.
const LEAST: f64 = 1e-4;

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::model::incidence::CountDatum;

    #[test]
    fn rates_are_divided_by_the_probability_of_detection() {
        let cell = CountCell { exposure: 1e5, datum: CountDatum::Exact(1) };
        let draw = CountDraw {
            total: vec![1, 4],
            located: vec![1, 4],
            unlocated: 0,
            rate: vec![1e-5, 4e-5],
            common_rate: 2e-5,
            heterogeneity: 1.0,
            pi: 0.0,
            levelled: None,
        };
        let draws = vec![draw; 200];
        let rng = |d: usize| ChaCha8Rng::seed_from_u64(d as u64);
        let even = scenario(&[cell, cell], &draws, (Prior::Fixed(0.25), 0.0), rng);
        assert!((even[0].rate[0] - 4.0).abs() < 1e-9 && (even[1].rate[0] - 16.0).abs() < 1e-9, "{even:?}");
        assert_eq!((even[0].pr_above, even[1].pr_above), (0.0, 1.0));
        // Where detection differs between places, the order is not certain any more.
        let uneven = scenario(&[cell, cell], &draws, (Prior::Fixed(0.25), 1.5), rng);
        assert!(uneven[0].pr_above > 0.05 && uneven[1].pr_above < 0.95, "{uneven:?}");
        assert!(uneven[0].rate[2] > 2.0 * uneven[0].rate[1]);
    }
}
