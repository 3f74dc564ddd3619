//! The production kernel: a customizable contraction hierarchy whose vector lanes are Monte Carlo draws.
//!
//! | step | module | when | paper |
//! |---|---|---|---|
//! | order of contraction | `order`, `separator` | once per network | Schild & Sommer 2015; George 1973 |
//! | chordal graph, elimination tree | [`topology`] | once per network | Dibbelt, Strasser & Wagner 2016 |
//! | `W` weights for every arc, side by side | [`customize`] | per batch of `W` weight vectors | the same |
//! | distances from origins to destinations | [`query`] | per batch | Buchhold, Sanders & Wagner 2019 |
//! | flows on links | [`flow`] | per batch | the same |
//! | paths and trees of one lane | [`paths`] | when asked | |
//! | the order in a file | [`cache`] | between runs | |
//!
//! Distances and paths are those of [`super::search`], ties included. Its rule, to take the lowest link among those
//! that lead to a node on cheapest paths, chooses the path whose links and nodes, read from its end, come first in
//! lexicographic order, and so do all its stretches. Ties therefore matter only where flow or a path passes; there
//! the paths that tie are unpacked from their ends until they differ (`ties`).
//!
//! Weights are whole milliseconds per link, at least one; [`UNREACHED`] closes a link, and a sum that reaches it is
//! no way.

use super::search::UNREACHED;

pub mod cache;
pub mod customize;
pub mod flow;
mod order;
pub mod paths;
mod push;
pub mod query;
mod separator;
mod sparse;
#[cfg(test)]
mod tests;
mod ties;
pub mod topology;
mod unpack;

pub use cache::{CacheNote, Prepared};
pub use customize::Metric;
pub use flow::{Assigned, Demand, LinkFlows, Wanted, Workspace};
pub use paths::{LanePaths, Paths};
pub use query::{Batch, Labels, Selection};
pub use topology::Hierarchy;

/// Lanes of a batch: eight 32-bit weights fill a vector register of AVX2.
pub const LANES: usize = 8;

/// No node, no arc.
const NONE: u32 = u32::MAX;

/// A position as a 32-bit number. A network of 2^32 nodes or arcs does not fit in memory.
#[inline]
fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
