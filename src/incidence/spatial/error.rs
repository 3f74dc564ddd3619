//! What can be wrong with weights and values: each variant names the site and the number.

/// Why weights cannot be made or a statistic cannot be computed. Sites are numbered from 0.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SpatialError {
    /// Fewer sites than the statistic needs.
    #[error("{sites} sites, at least {needed} are needed")]
    TooFew {
        /// How many there are.
        sites: usize,
        /// How many are needed.
        needed: usize,
    },
    /// More than memory or the numbering of sites allows.
    #[error("too large: {what} is {size}, the limit is {limit}")]
    TooLarge {
        /// What was counted.
        what: Counted,
        /// How much there would be.
        size: u64,
        /// How much is allowed.
        limit: u64,
    },
    /// A coordinate is NaN or infinite.
    #[error("site {site}: a coordinate is not finite")]
    Coordinate {
        /// The site.
        site: usize,
    },
    /// Longitude or latitude outside ±180° and ±90°.
    #[error("site {site}: not a longitude and latitude in degrees")]
    NotDegrees {
        /// The site.
        site: usize,
    },
    /// `k` is 0, or not below the number of sites.
    #[error("k = {k} neighbours of {sites} sites: k must be at least 1 and below the number of sites")]
    Neighbours {
        /// Neighbours that were asked for.
        k: usize,
        /// Sites.
        sites: usize,
    },
    /// A distance or tolerance is negative or not finite.
    #[error("{name} = {value} is negative or not finite")]
    Distance {
        /// What it is.
        name: &'static str,
        /// Its value.
        value: f64,
    },
    /// A neighbour that is no site, or the site itself.
    #[error("site {site}: neighbour {neighbour} is no other site")]
    NotASite {
        /// The site.
        site: usize,
        /// What was named as its neighbour.
        neighbour: usize,
    },
    /// A neighbour that stands twice in a row.
    #[error("site {site}: neighbour {neighbour} stands twice")]
    Repeated {
        /// The site.
        site: usize,
        /// The neighbour.
        neighbour: usize,
    },
    /// A weight that is negative or not finite.
    #[error("site {site}: weight {weight} is negative or not finite")]
    Weight {
        /// The site.
        site: usize,
        /// The weight.
        weight: f64,
    },
    /// No site has a neighbour.
    #[error("no site has a neighbour")]
    NoLinks,
    /// The weights hold sites themselves, or the statistic needs them and they do not.
    #[error("the weights hold the site itself: {found}, the statistic needs: {needed}")]
    SelfWeights {
        /// Whether they do.
        found: bool,
        /// Whether they should.
        needed: bool,
    },
    /// Values, draws or masks of another length than the weights.
    #[error("{found} values for {expected} sites")]
    ShapeMismatch {
        /// Sites of the weights.
        expected: usize,
        /// Values that were given.
        found: usize,
    },
    /// A value that is NaN or infinite.
    #[error("site {site}: value {value} is not finite")]
    Value {
        /// The site.
        site: usize,
        /// Its value.
        value: f64,
    },
    /// All values are the same, so that nothing can be said of how they lie.
    #[error("all values are equal")]
    Constant,
    /// A population that is not above zero, or an event count below zero.
    #[error("site {site}: {events} events in a population of {population}")]
    Rate {
        /// The site.
        site: usize,
        /// Events.
        events: f64,
        /// Population at risk.
        population: f64,
    },
    /// A parameter outside its range.
    #[error("{name} = {value} is outside {range}")]
    Parameter {
        /// Its name.
        name: &'static str,
        /// Its value.
        value: f64,
        /// The range that is allowed.
        range: &'static str,
    },
    /// There is no draw.
    #[error("there are no draws")]
    NoDraws,
}

impl SpatialError {
    /// The site that is at fault, where it is one.
    #[must_use]
    pub const fn site(&self) -> Option<usize> {
        match self {
            Self::Coordinate { site }
            | Self::NotDegrees { site }
            | Self::NotASite { site, .. }
            | Self::Repeated { site, .. }
            | Self::Weight { site, .. }
            | Self::Value { site, .. }
            | Self::Rate { site, .. } => Some(*site),
            _ => None,
        }
    }
}

/// What there can be too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Areas or points.
    Sites,
    /// Pairs of neighbours.
    Links,
    /// Entries of all permutations: how many there are, times the most neighbours of a site.
    Permuted,
}

impl std::fmt::Display for Counted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Sites => "sites",
            Self::Links => "links",
            Self::Permuted => "permuted entries",
        })
    }
}
