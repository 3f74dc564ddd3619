//! Weights between sites, as compressed rows.

use super::error::{Counted, SpatialError};

/// How the weights of a row relate to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transform {
    /// Every weight is 1.
    Binary,
    /// The weights of a row add up to 1; rows of islands are empty.
    Row,
    /// Anything else.
    General,
}

/// Spatial weights `w_ij ≥ 0` of `n` sites.
///
/// What holds: neighbours of a row ascend and differ; weights are finite and above zero; no row holds its own site,
/// except after [`Self::with_self`]. Weights need not be symmetric.
#[derive(Debug, Clone, PartialEq)]
pub struct SpatialWeights {
    /// Where the rows begin; one more than there are sites.
    offsets: Vec<usize>,
    neighbours: Vec<u32>,
    weights: Vec<f64>,
    transform: Transform,
    with_self: bool,
}

/// A site number as it is stored; the constructors refuse more sites than this can hold.
pub(super) fn short(site: usize) -> u32 {
    u32::try_from(site).unwrap_or(u32::MAX)
}

impl SpatialWeights {
    /// Binary weights from lists of neighbours, by site, in any order.
    ///
    /// # Errors
    /// [`SpatialError::NotASite`] for a neighbour that is no other site, [`SpatialError::Repeated`] for one that
    /// stands twice, [`SpatialError::TooFew`] without sites.
    pub fn from_neighbours<L: AsRef<[usize]>>(rows: &[L]) -> Result<Self, SpatialError> {
        let rows = rows.iter().map(|row| row.as_ref().iter().map(|site| (*site, 1.0)).collect());
        Self::from_weighted(rows.collect())
    }

    /// Weights from lists of neighbours with their weights, by site, in any order. Weights of zero are no link.
    ///
    /// # Errors
    /// As [`Self::from_neighbours`], and [`SpatialError::Weight`] for a weight that is negative or not finite.
    pub fn from_weighted(rows: Vec<Vec<(usize, f64)>>) -> Result<Self, SpatialError> {
        let n = rows.len();
        if n == 0 {
            return Err(SpatialError::TooFew { sites: 0, needed: 1 });
        }
        if u32::try_from(n).is_err() {
            let limit = u64::from(u32::MAX);
            return Err(SpatialError::TooLarge { what: Counted::Sites, size: n as u64, limit });
        }
        let links = rows.iter().map(Vec::len).sum();
        let mut out = Self::with_capacity(n, links);
        for (site, mut row) in rows.into_iter().enumerate() {
            row.sort_by_key(|(neighbour, _)| *neighbour);
            for pair in row.windows(2) {
                if pair[0].0 == pair[1].0 {
                    return Err(SpatialError::Repeated { site, neighbour: pair[0].0 });
                }
            }
            for (neighbour, weight) in row {
                if neighbour >= n || neighbour == site {
                    return Err(SpatialError::NotASite { site, neighbour });
                }
                if !weight.is_finite() || weight < 0.0 {
                    return Err(SpatialError::Weight { site, weight });
                }
                if weight > 0.0 {
                    out.neighbours.push(short(neighbour));
                    out.weights.push(weight);
                }
            }
            out.offsets.push(out.neighbours.len());
        }
        if out.weights.iter().any(|weight| *weight != 1.0) {
            out.transform = Transform::General;
        }
        Ok(out)
    }

    fn with_capacity(sites: usize, links: usize) -> Self {
        let mut offsets = Vec::with_capacity(sites + 1);
        offsets.push(0);
        Self {
            offsets,
            neighbours: Vec::with_capacity(links),
            weights: Vec::with_capacity(links),
            transform: Transform::Binary,
            with_self: false,
        }
    }

    /// Binary weights of rows that are sorted and hold other sites only.
    pub(super) fn from_sorted(rows: &[Vec<u32>]) -> Self {
        let links = rows.iter().map(Vec::len).sum();
        let mut out = Self::with_capacity(rows.len(), links);
        for row in rows {
            out.neighbours.extend_from_slice(row);
            out.offsets.push(out.neighbours.len());
        }
        out.weights.resize(links, 1.0);
        out
    }

    /// Number of sites.
    #[must_use]
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there is no site; the constructors rule it out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Neighbours of a site in ascending order, with their weights; empty for a number that is no site.
    #[must_use]
    pub fn row(&self, site: usize) -> (&[u32], &[f64]) {
        match (self.offsets.get(site), self.offsets.get(site.saturating_add(1))) {
            (Some(&from), Some(&to)) => (&self.neighbours[from..to], &self.weights[from..to]),
            _ => (&[], &[]),
        }
    }

    /// Number of neighbours of a site; the site itself counts where the weights hold it.
    #[must_use]
    pub fn cardinality(&self, site: usize) -> usize {
        self.row(site).0.len()
    }

    /// Number of weights above zero.
    #[must_use]
    pub fn n_nonzero(&self) -> usize {
        self.neighbours.len()
    }

    /// How the weights of a row relate to each other.
    #[must_use]
    pub const fn transform(&self) -> Transform {
        self.transform
    }

    /// Whether rows hold their own site.
    #[must_use]
    pub const fn has_self(&self) -> bool {
        self.with_self
    }

    /// Sites without another site as a neighbour, in ascending order.
    #[must_use]
    pub fn islands(&self) -> Vec<usize> {
        let is_island = |site: &usize| self.row(*site).0.iter().all(|other| *other as usize == *site);
        (0..self.len()).filter(is_island).collect()
    }

    /// The connected part of each site, without regard to the direction of links; parts are numbered from 0 in the
    /// order of their first site.
    #[must_use]
    pub fn components(&self) -> Vec<usize> {
        fn root(parent: &mut [usize], mut site: usize) -> usize {
            while parent[site] != site {
                parent[site] = parent[parent[site]];
                site = parent[site];
            }
            site
        }
        let mut parent: Vec<usize> = (0..self.len()).collect();
        for site in 0..self.len() {
            for other in self.row(site).0 {
                let (a, b) = (root(&mut parent, site), root(&mut parent, *other as usize));
                // The lower number leads.
                parent[a.max(b)] = a.min(b);
            }
        }
        let mut number = vec![usize::MAX; self.len()];
        let mut next = 0;
        (0..self.len())
            .map(|site| {
                let lead = root(&mut parent, site);
                if number[lead] == usize::MAX {
                    number[lead] = next;
                    next += 1;
                }
                number[lead]
            })
            .collect()
    }

    /// `w_ij`, zero where there is no link.
    #[must_use]
    pub fn weight(&self, from: usize, to: usize) -> f64 {
        let (neighbours, weights) = self.row(from);
        neighbours.binary_search(&short(to)).map_or(0.0, |at| weights[at])
    }

    /// Whether `w_ij = w_ji` throughout.
    #[must_use]
    pub fn is_symmetric(&self) -> bool {
        (0..self.len()).all(|site| {
            let (neighbours, weights) = self.row(site);
            neighbours
                .iter()
                .zip(weights)
                .all(|(other, weight)| self.weight(*other as usize, site) == *weight)
        })
    }

    /// `S0 = Σ w_ij`, `S1 = ½ Σ (w_ij + w_ji)²`, `S2 = Σ_i (Σ_j w_ij + Σ_j w_ji)²` (Cliff & Ord 1981).
    #[must_use]
    pub fn sums(&self) -> [f64; 3] {
        let mut columns = vec![0.0; self.len()];
        let (mut s0, mut s1) = (0.0, 0.0);
        let mut rows = Vec::with_capacity(self.len());
        for site in 0..self.len() {
            let (neighbours, weights) = self.row(site);
            let mut row = 0.0;
            for (other, weight) in neighbours.iter().zip(weights) {
                row += weight;
                columns[*other as usize] += weight;
                let back = self.weight(*other as usize, site);
                // Σ over all pairs of (a + b)²: a link without its like gives its square twice.
                let both = (weight + back) * (weight + back);
                s1 += if back > 0.0 { both } else { 2.0 * both };
            }
            s0 += row;
            rows.push(row);
        }
        let s2 = rows.iter().zip(&columns).map(|(row, column)| (row + column) * (row + column)).sum();
        [s0, s1 / 2.0, s2]
    }

    /// The same links with weights that add up to 1 in each row; islands stay empty.
    #[must_use]
    pub fn row_standardised(&self) -> Self {
        let mut out = self.clone();
        for bounds in self.offsets.windows(2) {
            let row = &mut out.weights[bounds[0]..bounds[1]];
            let sum: f64 = row.iter().sum();
            for weight in row {
                *weight /= sum;
            }
        }
        out.transform = Transform::Row;
        out
    }

    /// The same with each site in its own row, as `Gi*` needs it.
    ///
    /// The self weight of binary weights is 1, for islands too; otherwise it is the greatest weight of the row, rows
    /// of islands stay empty, and row-standardised weights are standardised again: the conventions of `esda`.
    #[must_use]
    pub fn with_self(&self) -> Self {
        if self.with_self {
            return self.clone();
        }
        let mut out = Self::with_capacity(self.len(), self.n_nonzero() + self.len());
        out.transform = self.transform;
        out.with_self = true;
        for site in 0..self.len() {
            let (neighbours, weights) = self.row(site);
            let own = match self.transform {
                Transform::Binary => 1.0,
                Transform::Row | Transform::General => weights.iter().copied().fold(0.0, f64::max),
            };
            let at = neighbours.partition_point(|other| (*other as usize) < site);
            out.neighbours.extend_from_slice(&neighbours[..at]);
            out.weights.extend_from_slice(&weights[..at]);
            if own > 0.0 {
                out.neighbours.push(short(site));
                out.weights.push(own);
            }
            out.neighbours.extend_from_slice(&neighbours[at..]);
            out.weights.extend_from_slice(&weights[at..]);
            out.offsets.push(out.neighbours.len());
        }
        if self.transform == Transform::Row { out.row_standardised() } else { out }
    }

    /// Refuses values of another length, and such as are not finite.
    pub(super) fn check(&self, values: &[f64]) -> Result<(), SpatialError> {
        if values.len() != self.len() {
            return Err(SpatialError::ShapeMismatch { expected: self.len(), found: values.len() });
        }
        match values.iter().enumerate().find(|(_, value)| !value.is_finite()) {
            Some((site, value)) => Err(SpatialError::Value { site, value: *value }),
            None => Ok(()),
        }
    }
}
