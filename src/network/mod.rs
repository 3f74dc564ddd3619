//! Stage 3: roads to a junction graph, a spatial index, and cheapest paths.
//!
//! [`noding`] cuts lines where they meet, [`builder`] makes the petgraph graph, joins points to it and
//! contracts chains, [`graph`] is the frozen result, [`spatial`] finds the nearest link, [`closures`]
//! turns the study's closures into closed links, [`search`] is the reference Dijkstra, [`cch`] the production kernel,
//! [`perturb`] the perceived costs and [`paths`] the trees of both.

pub mod arcs;
mod attach;
mod bans;
pub mod builder;
pub mod cch;
pub mod closures;
mod contract;
mod draft;
mod freeze;
pub mod graph;
pub mod grid;
pub mod hilbert;
pub mod keyed;
pub mod noding;
pub mod paths;
pub mod perturb;
pub mod report;
pub mod scenario;
pub mod search;
pub mod shared;
pub mod spatial;
#[cfg(test)]
pub(crate) mod tests;
