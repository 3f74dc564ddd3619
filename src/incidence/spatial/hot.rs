//! How often a site is a hot spot, over draws of its values.

use rayon::prelude::*;

use super::error::SpatialError;
use super::global::upper_tail;
use super::local::Scores;
use super::permute::Permutations;
use super::ranks::{Numbers, Scratch};
use super::weights::SpatialWeights;

/// How the p value of Gi\* is found. All are one-sided, against high values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inference {
    /// From the standard normal distribution.
    Analytic,
    /// From conditional permutations, `p = (#{≥ observed} + 1)/(R + 1)`. Of `m` tests a single site can only be found
    /// at level `α` if `R + 1 ≥ m/α`.
    Permutation {
        /// `R`.
        permutations: usize,
        /// Seed of the streams.
        seed: u64,
    },
}

/// What [`hot_probability`] does.
#[derive(Debug, Clone, PartialEq)]
pub struct HotOptions {
    /// How p values are found; by default 999 permutations with seed 1.
    pub inference: Inference,
    /// Levels of the false discovery rate in a draw, each in (0, 1); by default 0.01, 0.05, 0.1.
    pub levels: Vec<f64>,
}

impl Default for HotOptions {
    fn default() -> Self {
        Self {
            inference: Inference::Permutation { permutations: 999, seed: 1 },
            levels: vec![0.01, 0.05, 0.1],
        }
    }
}

/// How often sites were hot.
#[derive(Debug, Clone, PartialEq)]
pub struct HotSpots {
    /// The levels, as they were asked for.
    pub levels: Vec<f64>,
    /// By level and site: the share of draws in which the site is hot; `None` where it was not tested.
    pub probability: Vec<Vec<Option<f64>>>,
    /// By level: hot sites in a draw, on average.
    pub mean_hot: Vec<f64>,
    /// Draws in all.
    pub draws: usize,
    /// Draws whose values were all equal; nothing is hot in them.
    pub constant_draws: usize,
}

/// The share of draws in which a site is a hot spot: its Gi\* is high, with a Benjamini–Hochberg q of at most the
/// level among the tested sites of the draw. It is a probability of being called hot, and no false discovery rate.
///
/// `draws` holds one list of values per draw, one value per site; `weights` are without self weights, which Gi\* puts
/// in; `tested` says which sites are tested. The values of all sites take part in the sums of their neighbours, and in
/// permutations, tested or not. Sites that have no Gi\* in a draw are tested and not hot there. Draws are independent
/// of each other and all use the same permutations, so that the result is the same on any number of threads.
///
/// # Errors
/// [`SpatialError::NoDraws`], [`SpatialError::ShapeMismatch`] and [`SpatialError::Value`] for draws and masks that do
/// not fit, [`SpatialError::Parameter`] for levels outside (0, 1), and as [`Permutations::new`].
///
/// ```
/// use corredor::incidence::spatial::{HotOptions, Inference, SpatialWeights, hot_probability};
///
/// # fn main() -> Result<(), corredor::incidence::spatial::SpatialError> {
/// let row: Vec<Vec<usize>> = (0..40_usize)
///     .map(|i| [i.checked_sub(1), (i < 39).then_some(i + 1)].into_iter().flatten().collect())
///     .collect();
/// let weights = SpatialWeights::from_neighbours(&row)?;
/// let draw: Vec<f64> = (0..40).map(|i| if (10..14).contains(&i) { 50.0 + f64::from(i) } else { 1.0 }).collect();
/// let options = HotOptions { inference: Inference::Analytic, ..HotOptions::default() };
/// let hot = hot_probability(&[draw], &weights, &[true; 40], &options)?;
/// assert_eq!((hot.probability[1][12], hot.probability[1][30]), (Some(1.0), Some(0.0)));
/// # Ok(())
/// # }
/// ```
pub fn hot_probability(
    draws: &[Vec<f64>],
    weights: &SpatialWeights,
    tested: &[bool],
    options: &HotOptions,
) -> Result<HotSpots, SpatialError> {
    if draws.is_empty() {
        return Err(SpatialError::NoDraws);
    }
    if weights.len() < 3 {
        return Err(SpatialError::TooFew { sites: weights.len(), needed: 3 });
    }
    if tested.len() != weights.len() {
        return Err(SpatialError::ShapeMismatch { expected: weights.len(), found: tested.len() });
    }
    if let Some(level) = options.levels.iter().find(|level| !(**level > 0.0 && **level < 1.0)) {
        return Err(SpatialError::Parameter { name: "level", value: *level, range: "(0, 1)" });
    }
    draws.iter().try_for_each(|draw| weights.check(draw))?;
    let star = weights.with_self();
    let sites: Vec<usize> = (0..tested.len()).filter(|site| tested[*site]).collect();
    let job = Job { star: &star, sites: &sites, levels: &options.levels };
    let tally = match options.inference {
        Inference::Analytic => job.over(draws, Vec::new, |draw, p, hot| job.analytic(draw, p, hot)),
        Inference::Permutation { permutations, seed } => {
            let sequences = Permutations::new(&star, permutations, seed)?;
            let numbers = Numbers::new(&star, &sequences);
            let fresh = || (Scratch::default(), Vec::new(), Vec::new());
            job.over(draws, fresh, |draw, (scratch, counts, histogram), hot| {
                numbers.count(draw, scratch, counts);
                job.permuted(counts, permutations, histogram, hot);
            })
        }
    };
    let all = draws.len() as f64;
    let share = |counts: &Vec<u32>| {
        let mut out = vec![None; tested.len()];
        sites.iter().zip(counts).for_each(|(site, count)| out[*site] = Some(f64::from(*count) / all));
        out
    };
    let mean = |counts: &Vec<u32>| counts.iter().map(|count| f64::from(*count)).sum::<f64>() / all;
    Ok(HotSpots {
        levels: options.levels.clone(),
        mean_hot: tally.hot.iter().map(mean).collect(),
        probability: tally.hot.iter().map(share).collect(),
        draws: draws.len(),
        constant_draws: tally.constant,
    })
}

/// Hot draws by level and tested site: whole numbers, whose sums do not depend on their order.
struct Tally {
    hot: Vec<Vec<u32>>,
    constant: usize,
}

struct Job<'a> {
    star: &'a SpatialWeights,
    sites: &'a [usize],
    levels: &'a [f64],
}

impl Job<'_> {
    fn empty(&self) -> Tally {
        Tally { hot: vec![vec![0; self.sites.len()]; self.levels.len()], constant: 0 }
    }

    /// Adds up what `judge` finds in each draw.
    fn over<S: Send>(
        &self,
        draws: &[Vec<f64>],
        fresh: impl Fn() -> S + Sync + Send,
        judge: impl Fn(&[f64], &mut S, &mut [Vec<u32>]) + Sync + Send,
    ) -> Tally {
        draws
            .par_iter()
            .fold(
                || (fresh(), self.empty()),
                |(mut state, mut tally), draw| {
                    if is_constant(draw) {
                        tally.constant += 1;
                    } else {
                        judge(draw, &mut state, &mut tally.hot);
                    }
                    (state, tally)
                },
            )
            .map(|(_, tally)| tally)
            .reduce(
                || self.empty(),
                |mut a, b| {
                    a.constant += b.constant;
                    for (a, b) in a.hot.iter_mut().zip(&b.hot) {
                        a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
                    }
                    a
                },
            )
    }

    fn analytic(&self, draw: &[f64], z: &mut Vec<Option<f64>>, hot: &mut [Vec<u32>]) {
        z.clear();
        Scores::new(draw, self.star, true).fill(z);
        let p: Vec<f64> = self.sites.iter().map(|site| z[*site].map_or(1.0, upper_tail)).collect();
        let mut sorted = p.clone();
        sorted.sort_by(f64::total_cmp);
        let m = p.len() as f64;
        for (level, hot) in self.levels.iter().zip(hot) {
            let passes = |(i, p): &(usize, &f64)| (m * **p / (i + 1) as f64).max(**p) <= *level;
            let found = sorted.iter().enumerate().rev().find(passes);
            if let Some((_, bar)) = found {
                p.iter().zip(hot).for_each(|(p, hot)| *hot += u32::from(p <= bar));
            }
        }
    }

    /// The step-up procedure on whole counts, of which there are only `R + 1`: no sorting.
    fn permuted(&self, counts: &[u32], permutations: usize, histogram: &mut Vec<u32>, hot: &mut [Vec<u32>]) {
        histogram.clear();
        histogram.resize(permutations + 1, 0);
        self.sites.iter().for_each(|site| histogram[counts[*site] as usize] += 1);
        let m = self.sites.len() as f64;
        let all = permutations as f64 + 1.0;
        for (level, hot) in self.levels.iter().zip(hot) {
            let (mut up_to, mut bar) = (0, None);
            for (count, sites) in histogram.iter().enumerate() {
                up_to += sites;
                let p = (count as f64 + 1.0) / all;
                // Above it no count can pass.
                if p > *level {
                    break;
                }
                if *sites > 0 && m * p / f64::from(up_to) <= *level {
                    bar = Some(count);
                }
            }
            if let Some(bar) = bar {
                for (site, hot) in self.sites.iter().zip(hot) {
                    *hot += u32::from(counts[*site] as usize <= bar);
                }
            }
        }
    }
}

/// Whether all values are equal, up to rounding.
fn is_constant(values: &[f64]) -> bool {
    let (low, high) =
        values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(*v), h.max(*v)));
    high - low <= 1e-14 * high.abs().max(low.abs())
}
