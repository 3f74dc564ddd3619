//! Conditional permutation: the value of a site stays, the values of its neighbours are drawn from all other sites.
//!
//! A permutation is one random sequence of sites. A site with `k` neighbours takes the values of the first `k` of the
//! sequence that are not itself: a sample without replacement from the others, since what is left of a random order
//! after one element is taken out is a random order of the rest. Sequences come from one stream per permutation, keyed
//! by the seed, and are shared by all sites, as those of `esda` are, and by all draws of values: each p value stands
//! on its own sample of size `R`, whoever else uses the sequence.
//!
//! What sharing gives is speed. The sum over the first `k` of a sequence is the same for all sites of `k` neighbours,
//! except the few that stand among them, and for those it is the sum over `k + 1` without their own value. So a draw
//! costs `R` prefix sums, one sorted list for each number of neighbours, and for each site a binary search and the
//! correction of some `R k / n` entries; not `R k` gathers for each site.

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

use super::error::{Counted, SpatialError};
use super::ranks::{Numbers, Scratch};
use super::weights::{SpatialWeights, short};

/// Entries of all sequences at most: permutations × (most neighbours + 1).
pub const MAX_PERMUTED: u64 = 500_000_000;

/// As many permutations as it takes for one site alone to be found at `level` among `tested` ones, `R + 1 ≥ m/α`,
/// within what is usual and what is affordable: 999 – 9,999.
#[must_use]
pub fn usual_permutations(tested: usize, level: f64) -> u32 {
    let needed = (tested as f64 / level).ceil();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 9,999")]
    let usual = needed.clamp(999.0, 9_999.0) as u32;
    usual
}

/// Random sequences of sites for weights, made once and used for any number of values.
#[derive(Debug, Clone)]
pub struct Permutations {
    /// Sites in all.
    pub(super) sites: usize,
    /// Number of sequences.
    pub(super) count: usize,
    /// Length of each.
    pub(super) length: usize,
    /// The sequences, one after the other.
    pub(super) lists: Vec<u32>,
    /// By site: where its places begin in `places`.
    pub(super) starts: Vec<usize>,
    /// Where each site stands: sequence and position, the lowest position first.
    pub(super) places: Vec<(u32, u32)>,
}

/// Counts of permutations for one site, and what they say. For islands every permutation gives the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PermutationP {
    /// Permutations whose sum is at least the observed one.
    pub at_least: u32,
    /// Permutations whose sum is at most the observed one.
    pub at_most: u32,
    /// Permutations in all.
    pub permutations: u32,
}

impl PermutationP {
    fn share(&self, count: u32) -> f64 {
        (f64::from(count) + 1.0) / (f64::from(self.permutations) + 1.0)
    }

    /// `p = (#{≥ observed} + 1)/(R + 1)`: against high values.
    #[must_use]
    pub fn greater(&self) -> f64 {
        self.share(self.at_least)
    }

    /// `p = (#{≤ observed} + 1)/(R + 1)`: against low values.
    #[must_use]
    pub fn lesser(&self) -> f64 {
        self.share(self.at_most)
    }

    /// Twice the smaller of both, at most 1.
    #[must_use]
    pub fn two_sided(&self) -> f64 {
        (2.0 * self.greater().min(self.lesser())).min(1.0)
    }

    /// What `esda` calls `p_sim`: `(min(L, R − L) + 1)/(R + 1)` with `L = #{≥ observed}`. The side is chosen by the
    /// data, and ties count for one side only, so that it is too small: for comparison.
    #[must_use]
    pub fn directed(&self) -> f64 {
        self.share(self.at_least.min(self.permutations - self.at_least))
    }

    /// The same for the negative of the statistic.
    #[must_use]
    pub const fn turned(self) -> Self {
        Self { at_least: self.at_most, at_most: self.at_least, ..self }
    }
}

/// The stream of one permutation: `ChaCha8`, keyed by the SHA-256 of purpose and seed.
pub(super) fn stream(seed: u64, purpose: &str, permutation: usize) -> ChaCha8Rng {
    let mut key = Sha256::new();
    key.update(b"corredor spatial ");
    key.update(purpose.as_bytes());
    key.update(seed.to_le_bytes());
    let mut rng = ChaCha8Rng::from_seed(key.finalize().into());
    rng.set_stream(permutation as u64);
    rng
}

/// A number below `bound`, by the high half of a product; the bias is below `bound`/2⁶⁴.
pub(super) fn below(rng: &mut ChaCha8Rng, bound: usize) -> usize {
    let high = (u128::from(rng.next_u64()) * bound as u128) >> 64;
    usize::try_from(high).unwrap_or(0)
}

impl Permutations {
    /// `count` sequences for the sites of `weights`, from the streams of `seed`.
    ///
    /// # Errors
    /// [`SpatialError::Parameter`] for no permutation or more than a million, [`SpatialError::TooFew`] for fewer than
    /// two sites, [`SpatialError::TooLarge`] above [`MAX_PERMUTED`] entries.
    pub fn new(weights: &SpatialWeights, count: usize, seed: u64) -> Result<Self, SpatialError> {
        let sites = weights.len();
        if sites < 2 {
            return Err(SpatialError::TooFew { sites, needed: 2 });
        }
        if !(1..=1_000_000).contains(&count) {
            let range = "[1, 1000000]";
            return Err(SpatialError::Parameter { name: "permutations", value: count as f64, range });
        }
        let most = (0..sites).map(|site| others(weights, site)).max().unwrap_or(0);
        let length = (most + 1).min(sites);
        let size = count as u64 * length as u64;
        if size > MAX_PERMUTED {
            return Err(SpatialError::TooLarge { what: Counted::Permuted, size, limit: MAX_PERMUTED });
        }
        let mut lists = vec![0_u32; count * length];
        let identity = || (0..sites).map(short).collect::<Vec<u32>>();
        lists.par_chunks_mut(length).enumerate().for_each_init(identity, |order, (permutation, list)| {
            // The first steps of a Fisher–Yates shuffle, undone afterwards, so that the order it starts from is the
            // same whatever this thread did before.
            let mut rng = stream(seed, "conditional", permutation);
            let mut swapped = Vec::with_capacity(length);
            for at in 0..length {
                let with = at + below(&mut rng, sites - at);
                order.swap(at, with);
                swapped.push(with);
                list[at] = order[at];
            }
            for (at, with) in swapped.into_iter().enumerate().rev() {
                order.swap(at, with);
            }
        });
        let (starts, places) = inverted(&lists, sites, length);
        Ok(Self { sites, count, length, lists, starts, places })
    }

    /// Number of permutations.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.count
    }

    /// For each site, how many permutations give a weighted sum of neighbours at least, and at most, as large as the
    /// observed one. A weight of the site itself takes no part, since it does not change.
    ///
    /// Gi and Gi\* rise with this sum, so that these counts are theirs; those of local Moran are the same where the
    /// value is above the mean and [turned](PermutationP::turned) below it.
    ///
    /// Equal sums are told from unequal ones by their values and not by their last bits: where the weights of a row
    /// are equal, values are rounded to whole multiples of a power of two, at most 2⁻⁵² of the greatest, whose sums
    /// do not depend on their order, and sums of `k` values that differ by up to `2k` such units are equal. In rows
    /// of unequal weights, sums are equal that differ by at most 10⁻¹² of `Σ w` times the greatest value.
    ///
    /// # Errors
    /// [`SpatialError::ShapeMismatch`] and [`SpatialError::Value`] for values that do not fit the weights, or weights
    /// other than those the permutations were made for.
    pub fn p_values(
        &self,
        values: &[f64],
        weights: &SpatialWeights,
    ) -> Result<Vec<PermutationP>, SpatialError> {
        weights.check(values)?;
        self.fits(weights)?;
        let mut scratch = Scratch::default();
        let numbers = Numbers::new(weights, self);
        let permutations = short(self.count);
        let mut at_least = Vec::new();
        numbers.count(values, &mut scratch, &mut at_least);
        // At most as large: at least as large of the negative.
        let negative: Vec<f64> = values.iter().map(|value| -value).collect();
        let mut at_most = Vec::new();
        numbers.count(&negative, &mut scratch, &mut at_most);
        let both = at_least.into_iter().zip(at_most);
        Ok(both.map(|(at_least, at_most)| PermutationP { at_least, at_most, permutations }).collect())
    }

    /// Refuses weights whose rows are longer than the sequences.
    pub(super) fn fits(&self, weights: &SpatialWeights) -> Result<(), SpatialError> {
        if self.sites != weights.len() {
            return Err(SpatialError::ShapeMismatch { expected: self.sites, found: weights.len() });
        }
        let most = (0..self.sites).map(|site| others(weights, site)).max().unwrap_or(0);
        if (most + 1).min(self.sites) > self.length {
            return Err(SpatialError::ShapeMismatch { expected: self.length, found: most });
        }
        Ok(())
    }
}

/// Neighbours of a site without itself.
pub(super) fn others(weights: &SpatialWeights, site: usize) -> usize {
    let (row, _) = weights.row(site);
    row.len() - usize::from(row.binary_search(&short(site)).is_ok())
}

/// Where each site stands in the sequences, by counting.
fn inverted(lists: &[u32], sites: usize, length: usize) -> (Vec<usize>, Vec<(u32, u32)>) {
    let mut starts = vec![0_usize; sites + 1];
    for site in lists {
        starts[*site as usize + 1] += 1;
    }
    for site in 0..sites {
        starts[site + 1] += starts[site];
    }
    let mut next = starts.clone();
    let mut places = vec![(0, 0); lists.len()];
    for position in 0..length {
        for (sequence, list) in lists.chunks_exact(length).enumerate() {
            let slot = &mut next[list[position] as usize];
            places[*slot] = (short(sequence), short(position));
            *slot += 1;
        }
    }
    (starts, places)
}
