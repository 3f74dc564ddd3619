//! The rank of observed sums of neighbours among the permuted ones: what [`super::Permutations`] describes.

use super::permute::{Permutations, others};
use super::weights::{SpatialWeights, short};

/// What a site's row needs.
#[derive(Debug, Clone, Copy)]
enum Row {
    /// No neighbour: nothing is permuted.
    Island,
    /// This many neighbours of equal weight, and which of the sorted lists is theirs.
    Equal { k: usize, list: usize },
    /// Unequal weights: each permutation is summed for this site alone.
    Unequal,
}

/// Weights and permutations, prepared for any number of values.
pub(super) struct Numbers<'a> {
    weights: &'a SpatialWeights,
    permutations: &'a Permutations,
    rows: Vec<Row>,
    /// The numbers of neighbours that rows of equal weights have, ascending.
    lengths: Vec<usize>,
    /// Bits of a value when rounded to whole numbers, so that no sum overflows.
    bits: i32,
}

/// Memory that is used again from one set of values to the next.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    whole: Vec<i64>,
    prefix: Vec<i64>,
    sorted: Vec<Vec<i64>>,
}

impl<'a> Numbers<'a> {
    pub(super) fn new(weights: &'a SpatialWeights, permutations: &'a Permutations) -> Self {
        let equal = |site: usize| {
            let (row, of) = weights.row(site);
            let mut without = row.iter().zip(of).filter(|(other, _)| **other as usize != site);
            let first = without.next().map(|(_, weight)| *weight);
            without.all(|(_, weight)| Some(*weight) == first)
        };
        let degrees: Vec<usize> = (0..weights.len()).map(|site| others(weights, site)).collect();
        let is_equal: Vec<bool> = (0..weights.len()).map(equal).collect();
        let with = degrees.iter().zip(&is_equal).filter(|(k, equal)| **k > 0 && **equal);
        let mut lengths: Vec<usize> = with.map(|(k, _)| *k).collect();
        lengths.sort_unstable();
        lengths.dedup();
        let row = |(k, equal): (&usize, &bool)| match (*k, equal) {
            (0, _) => Row::Island,
            (k, true) => Row::Equal { k, list: lengths.partition_point(|length| *length < k) },
            (_, false) => Row::Unequal,
        };
        let rows = degrees.iter().zip(&is_equal).map(row).collect();
        let longest = u64::try_from(permutations.length).unwrap_or(u64::MAX);
        let spare = i32::try_from(64 - longest.leading_zeros()).unwrap_or(64);
        Self { weights, permutations, rows, lengths, bits: 52.min(61 - spare) }
    }

    /// For each site, how many permutations give a sum at least as large as the observed one. `values` are finite and
    /// one for each site.
    pub(super) fn count(&self, values: &[f64], scratch: &mut Scratch, out: &mut Vec<u32>) {
        let all = self.permutations.count;
        round(values, self.bits, &mut scratch.whole);
        self.prefix_sums(scratch);
        out.clear();
        for (site, row) in self.rows.iter().enumerate() {
            out.push(match *row {
                Row::Island => short(all),
                Row::Equal { k, list } => short(self.count_equal(site, k, list, scratch)),
                Row::Unequal => short(self.count_unequal(site, values)),
            });
        }
    }

    /// Sums over the first 1, 2, … of every sequence, and for each number of neighbours the sorted list of them.
    fn prefix_sums(&self, scratch: &mut Scratch) {
        let Scratch { whole, prefix, sorted } = scratch;
        sorted.resize_with(self.lengths.len(), Vec::new);
        if self.lengths.is_empty() {
            return;
        }
        let lists = &self.permutations.lists;
        prefix.resize(lists.len(), 0);
        let length = self.permutations.length;
        for (list, sums) in lists.chunks_exact(length).zip(prefix.chunks_exact_mut(length)) {
            let mut sum = 0;
            for (site, slot) in list.iter().zip(sums) {
                sum += whole[*site as usize];
                *slot = sum;
            }
        }
        for (k, sums) in self.lengths.iter().zip(sorted) {
            sums.clear();
            sums.extend(prefix.iter().skip(k - 1).step_by(length));
            sums.sort_unstable();
        }
    }

    fn count_equal(&self, site: usize, k: usize, list: usize, scratch: &Scratch) -> usize {
        let Permutations { length, starts, places, .. } = self.permutations;
        let whole = &scratch.whole;
        let own = whole[site];
        let (row, _) = self.weights.row(site);
        let sum: i64 = row.iter().map(|other| whole[*other as usize]).sum();
        let sum =
            if self.weights.has_self() && row.binary_search(&short(site)).is_ok() { sum - own } else { sum };
        // Each of the values is off by a unit at most.
        let bar = sum - 2 * i64::try_from(k).unwrap_or(i64::MAX >> 2);
        let sorted = &scratch.sorted[list];
        let mut count = sorted.len() - sorted.partition_point(|permuted| *permuted < bar);
        for (sequence, position) in &places[starts[site]..starts[site + 1]] {
            if *position as usize >= k {
                break;
            }
            // The site stands among the first k of the sequence: the next one takes its place.
            let at = *sequence as usize * length + k - 1;
            let (with, without) = (scratch.prefix[at], scratch.prefix[at + 1] - own);
            count += usize::from(without >= bar);
            count -= usize::from(with >= bar);
        }
        count
    }

    fn count_unequal(&self, site: usize, values: &[f64]) -> usize {
        let Permutations { length, lists, .. } = self.permutations;
        let (row, of) = self.weights.row(site);
        let (mut used, mut sum, mut scale) = (Vec::with_capacity(row.len()), 0.0, 0.0);
        for (other, weight) in row.iter().zip(of) {
            if *other as usize != site {
                sum += weight * values[*other as usize];
                scale += weight;
                used.push(*weight);
            }
        }
        let greatest = values.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
        let bar = sum - 1e-12 * scale * greatest;
        let permuted = |list: &[u32]| -> f64 {
            let sites = list.iter().filter(|other| **other as usize != site);
            used.iter().zip(sites).map(|(weight, other)| weight * values[*other as usize]).sum()
        };
        lists.chunks_exact(*length).filter(|list| permuted(list) >= bar).count()
    }
}

/// Values as whole numbers of `bits` bits at most: multiples of one power of two.
fn round(values: &[f64], bits: i32, out: &mut Vec<i64>) {
    let greatest = values.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
    let (bits, exponent) = (bits.max(1), exponent(greatest));
    // The power is applied in two steps, since it can be out of the range that one holds.
    let power = bits - exponent;
    let half = power / 2;
    let (first, second) = (2.0_f64.powi(half), 2.0_f64.powi(power - half));
    out.clear();
    #[expect(clippy::cast_possible_truncation, reason = "at most 2^52, by the choice of the power")]
    out.extend(values.iter().map(|value| (value * first * second).round() as i64));
}

/// The `e` with `|x| < 2^e`, the least that holds; 0 for 0.
fn exponent(x: f64) -> i32 {
    if x == 0.0 {
        return 0;
    }
    let stored = i32::try_from((x.to_bits() >> 52) & 0x7ff).unwrap_or(0);
    // Subnormal numbers have no exponent of their own; the least of the others bounds them.
    stored.max(1) - 1022
}
