//! Identifiers: positions in the tables of a run, and short stable text ids.

use sha2::{Digest, Sha256};

macro_rules! index {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);

        impl $name {
            /// The position as `usize`.
            #[must_use]
            #[inline]
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

index!(
    /// A junction of the network.
    JunctionId
);
index!(
    /// A link of the network.
    LinkId
);

/// Twelve hexadecimal digits of the SHA-256 of `parts`, each closed by a zero byte, so that ("ab", "c")
/// and ("a", "bc") differ. The same parts give the same id in every run.
#[must_use]
pub fn stable_id<S: AsRef<[u8]>>(parts: impl IntoIterator<Item = S>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_ref());
        hash.update([0]);
    }
    hex(&hash.finalize()[..6])
}

/// Lower-case hexadecimal digits of `bytes`.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|b| [b >> 4, b & 15]).map(|n| char::from(DIGITS[usize::from(n)])).collect()
}
