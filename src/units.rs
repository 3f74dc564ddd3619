//! Units that must not be mixed up.

use serde::{Deserialize, Serialize};

macro_rules! unit {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub f64);

        impl std::ops::Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self { Self(self.0 + other.0) }
        }

        impl std::iter::Sum for $name {
            /// Adds in the order of the iterator.
            fn sum<I: Iterator<Item = Self>>(iter: I) -> Self { iter.fold(Self(0.0), |a, b| a + b) }
        }
    };
}

unit!(
    /// A length in metres.
    Metres
);
unit!(
    /// A duration in minutes.
    Minutes
);

impl Metres {
    /// The length in kilometres.
    #[must_use]
    pub fn km(self) -> f64 {
        self.0 / 1000.0
    }

    /// The length in whole millimetres, so that sums of lengths do not depend on their order.
    #[must_use]
    pub fn millimetres(self) -> u64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a length on the globe is a positive number of millimetres below 2^40"
        )]
        let whole = (self.0 * 1000.0).round() as u64;
        whole
    }

    /// Time to cover the length at `speed_kmh`.
    #[must_use]
    pub fn at(self, speed_kmh: f64) -> Minutes {
        Minutes(self.km() / speed_kmh * 60.0)
    }
}
