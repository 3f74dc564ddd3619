//! Intrinsic conditional autoregression on a graph of areas: components, islands, and its scale.
//!
//! The ICAR law has precision `Q = D − W` (degrees less adjacency), `−½ Σ_{i~j} (u_i − u_j)²`. Within a
//! connected component it determines differences only; the sum over the component is set to zero, so that
//! the covariance is the generalised inverse `Q⁻`. Its size depends on the graph. Every component is
//! therefore divided by its own
//!
//! `s = exp(mean_i ln (Q⁻)_ii)`,
//!
//! the geometric mean of its marginal variances (Sørbye & Rue 2014, Spat. Stat. 8:39; Riebler et al. 2016,
//! Stat. Methods Med. Res. 25:1145). This `s` is the `scaling_factor` of Morris et al. 2019 (Spat.
//! Spatio-temporal Epidemiol. 31:100301), whose model has `u/√s`; R-INLA's `scale.model = TRUE` multiplies
//! `Q` by the same number. For graphs in several parts the recommendation of Freni-Sterrantino, Ventrucci &
//! Rue 2018 (Spat. Spatio-temporal Epidemiol. 26:25) is followed: each component of two or more areas is scaled
//! apart with a sum to zero of its own, and an island has an independent N(0, 1) effect, that is variance 1
//! before σ as all others.
//!
//! Nothing dense is needed: with one node `k` of a component held at zero the precision is positive definite
//! (the Laplacian without row and column `k`), and the centred field has the law of the intrinsic one, since
//! only differences matter. With `G` that inverse, and zeros for `k`,
//! `(Q⁻)_ii = G_ii − 2 (G1)_i/n + 1ᵀG1/n²`. Nodes are put in the order of Cuthill & `McKee` (1969), reversed,
//! which leaves a narrow band for maps: work is `n · width²`.

mod split;

use std::collections::VecDeque;

use super::band::BandFactor;
use super::error::IncidenceError;

/// Entries that the factor of one component may hold (8 bytes each).
const MAX_BAND: u64 = 50_000_000;

/// Multiplications allowed per component.
const MAX_WORK: u64 = 20_000_000_000;

/// Components of a graph of areas, and their scale.
#[derive(Debug, Clone, PartialEq)]
pub struct IcarScale {
    /// Number of the component of each area, in the order of the lowest area of each.
    pub component: Vec<usize>,
    /// `s` of each component; 1 for an island.
    pub factors: Vec<f64>,
    /// Areas of each component.
    pub sizes: Vec<usize>,
    /// `(Q⁻)_ii` of each area, before scaling; 1 for an island.
    pub variances: Vec<f64>,
}

/// Components, islands and scale of the ICAR law on a graph; see the documentation of the module.
///
/// `adjacency[i]` lists the neighbours of area `i`.
///
/// ```
/// // Two areas in contact, and an island.
/// let scale = corredor::incidence::scale_factors(&[vec![1], vec![0], vec![]])?;
/// assert_eq!(scale.component, [0, 0, 1]);
/// assert!((scale.factors[0] - 0.25).abs() < 1e-15 && scale.factors[1] == 1.0);
/// # Ok::<(), corredor::incidence::IncidenceError>(())
/// ```
///
/// # Errors
/// [`IncidenceError::NoCells`] without areas; [`IncidenceError::Adjacency`] where an entry is out of range, is the area itself, stands
/// twice, or is not returned; [`IncidenceError::TooLarge`] where a component with its band would take too much work.
pub fn scale_factors(adjacency: &[Vec<usize>]) -> Result<IcarScale, IncidenceError> {
    let field = IcarField::new(adjacency)?;
    let mut scale = IcarScale {
        component: vec![0; adjacency.len()],
        factors: Vec::new(),
        sizes: Vec::new(),
        variances: vec![1.0; adjacency.len()],
    };
    for (number, part) in field.parts.iter().enumerate() {
        scale.factors.push(part.scale);
        scale.sizes.push(part.nodes.len());
        for (node, variance) in part.nodes.iter().zip(&part.variances) {
            scale.component[*node] = number;
            scale.variances[*node] = *variance;
        }
    }
    Ok(scale)
}

/// Lists in range, symmetric, without loops and repetitions.
pub(super) fn check_adjacency(adjacency: &[Vec<usize>]) -> Result<(), IncidenceError> {
    let sorted: Vec<Vec<usize>> = adjacency
        .iter()
        .map(|list| {
            let mut list = list.clone();
            list.sort_unstable();
            list
        })
        .collect();
    for (area, list) in sorted.iter().enumerate() {
        let fault = |neighbour, problem| Err(IncidenceError::Adjacency { area, neighbour, problem });
        for (place, &neighbour) in list.iter().enumerate() {
            if neighbour >= adjacency.len() {
                return fault(neighbour, "does not exist");
            }
            if neighbour == area {
                return fault(neighbour, "is the area itself");
            }
            if place > 0 && list[place - 1] == neighbour {
                return fault(neighbour, "is listed twice");
            }
            if sorted[neighbour].binary_search(&area).is_err() {
                return fault(neighbour, "does not list the area in turn");
            }
        }
    }
    Ok(())
}

/// The scaled field as a linear map of independent standard normal variables.
#[derive(Debug, Clone)]
pub(super) struct IcarField {
    parts: Vec<Part>,
}

/// A connected component.
#[derive(Debug, Clone)]
struct Part {
    /// Areas in the order of the factor; the last one is held at zero before centring.
    nodes: Vec<usize>,
    /// Of the precision without the last node; `None` for an island.
    factor: Option<BandFactor>,
    /// Degrees, and edges as places `(i, j)`, `j < i`, in the order of `nodes`.
    degrees: Vec<f64>,
    edges: Vec<(usize, usize)>,
    /// `(Q⁻)_ii` in the order of `nodes`.
    variances: Vec<f64>,
    scale: f64,
}

impl IcarField {
    pub(super) fn new(adjacency: &[Vec<usize>]) -> Result<Self, IncidenceError> {
        if adjacency.is_empty() {
            return Err(IncidenceError::NoCells);
        }
        check_adjacency(adjacency)?;
        let parts: Result<_, _> =
            components(adjacency).into_iter().map(|nodes| Part::new(adjacency, nodes)).collect();
        Ok(Self { parts: parts? })
    }

    /// Number of independent variables: one less than its areas for each component, one for an island.
    pub(super) fn dimension(&self) -> usize {
        self.parts.iter().map(Part::dimension).sum()
    }

    /// The scaled effects `u/√s` of the areas, from standard normal variables.
    pub(super) fn effects(&self, normals: &[f64], effects: &mut [f64]) {
        let mut rest = normals;
        let mut field = Vec::new();
        for part in &self.parts {
            let (own, others) = rest.split_at(part.dimension());
            rest = others;
            field.clear();
            field.extend_from_slice(own);
            if let Some(factor) = &part.factor {
                factor.solve_transposed(&mut field);
                field.push(0.0);
                centre(&mut field, part.scale.sqrt());
            }
            for (node, value) in part.nodes.iter().zip(&field) {
                effects[*node] = *value;
            }
        }
    }

    /// The gradient with respect to the normal variables, from that with respect to the effects.
    pub(super) fn pull_back(&self, effects: &[f64], normals: &mut [f64]) {
        let mut start = 0;
        let mut field = Vec::new();
        for part in &self.parts {
            field.clear();
            field.extend(part.nodes.iter().map(|node| effects[*node]));
            if let Some(factor) = &part.factor {
                centre(&mut field, part.scale.sqrt());
                field.pop();
                factor.solve(&mut field);
            }
            let end = start + part.dimension();
            normals[start..end].copy_from_slice(&field);
            start = end;
        }
    }
}

/// Subtracts the mean, then divides.
fn centre(field: &mut [f64], divisor: f64) {
    let mean = field.iter().sum::<f64>() / field.len() as f64;
    for value in field {
        *value = (*value - mean) / divisor;
    }
}

impl Part {
    fn new(adjacency: &[Vec<usize>], nodes: Vec<usize>) -> Result<Self, IncidenceError> {
        if nodes.len() == 1 {
            let (degrees, edges) = (vec![0.0], Vec::new());
            return Ok(Self { nodes, factor: None, degrees, edges, variances: vec![1.0], scale: 1.0 });
        }
        let mut place = vec![usize::MAX; adjacency.len()];
        for (i, node) in nodes.iter().enumerate() {
            place[*node] = i;
        }
        let pinned = nodes.len() - 1;
        let degrees: Vec<f64> = nodes.iter().map(|n| adjacency[*n].len() as f64).collect();
        let mut edges = Vec::new();
        for (i, node) in nodes.iter().enumerate() {
            let before = adjacency[*node].iter().map(|n| place[*n]).filter(|j| *j < i);
            edges.extend(before.map(|j| (i, j)));
        }
        let inner = edges.iter().filter(|(i, _)| *i < pinned);
        let lower: Vec<(usize, usize, f64)> = inner.map(|(i, j)| (*i, *j, -1.0)).collect();
        let width = lower.iter().map(|(i, j, _)| (i - j) as u64).max().unwrap_or(0) + 1;
        let held = pinned as u64 * width;
        for (what, size, limit) in [
            ("entries of a spatial factor", held, MAX_BAND),
            ("multiplications of a spatial factor", held.saturating_mul(width), MAX_WORK),
        ] {
            if size > limit {
                return Err(IncidenceError::TooLarge { what, size, limit });
            }
        }
        // The Laplacian of a connected graph less one node is positive definite.
        let factor = BandFactor::new(&degrees[..pinned], &lower).ok_or(IncidenceError::Impossible)?;
        let n = nodes.len() as f64;
        let mut row_sums = vec![1.0; pinned];
        factor.solve(&mut row_sums);
        factor.solve_transposed(&mut row_sums);
        let all = row_sums.iter().sum::<f64>() / (n * n);
        let mut variances: Vec<f64> =
            factor.inverse_diagonal().iter().zip(&row_sums).map(|(g, row)| g - 2.0 * row / n + all).collect();
        variances.push(all);
        let scale = libm::exp(variances.iter().map(|v| libm::log(*v)).sum::<f64>() / n);
        Ok(Self { nodes, factor: Some(factor), degrees, edges, variances, scale })
    }

    fn dimension(&self) -> usize {
        if self.factor.is_some() { self.nodes.len() - 1 } else { 1 }
    }
}

/// The areas of each component, in reversed Cuthill–McKee order.
fn components(adjacency: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut seen = vec![false; adjacency.len()];
    let mut found = Vec::new();
    for start in 0..adjacency.len() {
        if seen[start] {
            continue;
        }
        // Twice to the far end: a start at the rim gives narrower levels.
        let mut order = breadth_first(adjacency, start);
        for _ in 0..2 {
            let rim = order.last().copied().unwrap_or(start);
            order = breadth_first(adjacency, rim);
        }
        for node in &order {
            seen[*node] = true;
        }
        order.reverse();
        found.push(order);
    }
    found
}

/// Breadth first, neighbours by degree, then by number.
fn breadth_first(adjacency: &[Vec<usize>], start: usize) -> Vec<usize> {
    let mut order = Vec::new();
    let mut seen = vec![false; adjacency.len()];
    let mut queue = VecDeque::from([start]);
    seen[start] = true;
    while let Some(node) = queue.pop_front() {
        order.push(node);
        let mut next: Vec<usize> = adjacency[node].iter().copied().filter(|n| !seen[*n]).collect();
        next.sort_unstable_by_key(|n| (adjacency[*n].len(), *n));
        for n in next {
            seen[n] = true;
            queue.push_back(n);
        }
    }
    order
}

#[cfg(test)]
mod tests;
