//! Counts of cases as they came to be known.

use serde::{Deserialize, Serialize};

/// What is known of the located count of one municipality.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CountDatum {
    /// A published number.
    Exact(u32),
    /// At least `min` and at most `max`, both included.
    Interval {
        /// Lower bound.
        min: u32,
        /// Upper bound.
        max: u32,
    },
    /// At least `min`: months or modalities are missing from what is published.
    AtLeast {
        /// Lower bound.
        min: u32,
    },
    /// Nothing is published. `max` bounds it from above where the study states why.
    Unknown {
        /// Upper bound, included.
        max: Option<u32>,
    },
}

impl CountDatum {
    /// Lowest value the datum allows.
    #[must_use]
    pub const fn min(self) -> u32 {
        match self {
            Self::Exact(n) => n,
            Self::Interval { min, .. } | Self::AtLeast { min } => min,
            Self::Unknown { .. } => 0,
        }
    }

    /// Highest value the datum allows, `None` for no bound.
    #[must_use]
    pub const fn max(self) -> Option<u32> {
        match self {
            Self::Exact(n) => Some(n),
            Self::Interval { max, .. } => Some(max),
            Self::AtLeast { .. } => None,
            Self::Unknown { max } => max,
        }
    }

    /// Whether the count is not a number that was published: an interval or unknown.
    #[must_use]
    pub const fn is_censored(self) -> bool {
        !matches!(self, Self::Exact(_))
    }
}
