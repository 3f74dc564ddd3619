//! What can be wrong with counts: each variant names the constraint, and the numbers that break it.

/// Why counts cannot be modelled. Cell numbers are indices from 0 into the slice that was given.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum IncidenceError {
    /// There is no cell.
    #[error("there is no cell")]
    NoCells,
    /// The exposure is neither 0 nor in [1e-6, 1e12] person-years.
    #[error("cell {cell}: exposure {exposure} is neither 0 nor in [1e-6, 1e12] person-years")]
    Exposure {
        /// The cell.
        cell: usize,
        /// Its exposure, in person-years.
        exposure: f64,
    },
    /// No cell has any exposure.
    #[error("no cell has any exposure")]
    NoExposure,
    /// The lower bound of a cell is above its upper bound.
    #[error("cell {cell}: lower bound {min} is above upper bound {max}")]
    BoundsCrossed {
        /// The cell.
        cell: usize,
        /// Lower bound.
        min: u32,
        /// Upper bound.
        max: u32,
    },
    /// Cases are required where nobody is exposed.
    #[error("cell {cell}: at least {min} cases are required, but the exposure is 0")]
    CasesWithoutExposure {
        /// The cell.
        cell: usize,
        /// Lower bound.
        min: u32,
    },
    /// The lower bounds add up to more than the total.
    #[error("the lower bounds add up to {lower}, above the total of {total}")]
    LowerBoundsAboveTotal {
        /// Sum of the lower bounds.
        lower: u64,
        /// The statewide total.
        total: u32,
    },
    /// The upper bounds add up to less than the total, and no case may be unlocated.
    #[error("the upper bounds add up to {upper}, below the total of {total}, and no case can be unlocated")]
    UpperBoundsBelowTotal {
        /// Sum of the upper bounds of the cells that have exposure.
        upper: u64,
        /// The statewide total.
        total: u32,
    },
    /// There is neither a total nor any upper bound, so nothing limits the common rate.
    #[error("there is neither a total nor an upper bound: nothing limits the common rate")]
    RateUnbounded,
    /// No configuration that respects every bound has a probability that `f64` can hold.
    #[error("no counts satisfy all bounds with a probability above zero")]
    Impossible,
    /// Cases without a place are known, and no case may be without one.
    #[error("{cases} cases without a place are known, but the share of such cases is fixed at 0")]
    UnlocatedExcluded {
        /// How many are known.
        cases: u32,
    },
    /// The total less the cases without a place is not what the bounds of the located ones allow.
    #[error(
        "{total} cases less {cases} without a place are not within the bounds of the located ones, {lower} to {upper:?}"
    )]
    LocatedImpossible {
        /// The total.
        total: u32,
        /// Cases without a place.
        cases: u32,
        /// Sum of the lower bounds.
        lower: u64,
        /// Sum of the upper bounds, where each cell has one.
        upper: Option<u64>,
    },
    /// It was stopped from outside.
    #[error("interrupted")]
    Interrupted,
    /// A parameter is outside its range.
    #[error("{name} = {value} is outside {range}")]
    Parameter {
        /// Its name in the options.
        name: &'static str,
        /// Its value.
        value: f64,
        /// The range that is allowed.
        range: &'static str,
    },
    /// The count of a cell is larger than can be modelled.
    #[error("cell {cell}: a count of {count} is above {limit}")]
    CountTooLarge {
        /// The cell.
        cell: usize,
        /// Its highest count.
        count: u32,
        /// What can be modelled.
        limit: u32,
    },
    /// The problem is larger than the caps on memory and work.
    #[error("too large: {what} is {size}, the limit is {limit}")]
    TooLarge {
        /// What was counted.
        what: &'static str,
        /// How much there would be.
        size: u64,
        /// How much is allowed.
        limit: u64,
    },
    /// A summary was asked for without any draw.
    #[error("there are no draws to summarise")]
    NoDraws,
    /// A draw has another number of cells than the data.
    #[error("a draw has {found} cells, the data have {expected}")]
    ShapeMismatch {
        /// Cells in the data.
        expected: usize,
        /// Cells in the draw.
        found: usize,
    },
    /// A method for exact counts only was given another datum.
    #[error("cell {cell}: the count is not a number that was published, as this method needs")]
    NotExact {
        /// The first such cell.
        cell: usize,
    },
    /// All counts are zero, so that there is no rate to estimate.
    #[error("all counts are zero: there is no rate to estimate")]
    NoCases,
    /// A list of neighbours is not of the required form.
    #[error("area {area}: neighbour {neighbour} {problem}")]
    Adjacency {
        /// The area whose list it is.
        area: usize,
        /// The entry.
        neighbour: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The polygons give no neighbours.
    #[error("there are no neighbours")]
    Neighbours(#[source] super::spatial::SpatialError),
}
