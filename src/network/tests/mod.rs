//! Tests of the stage, and [`support`]: small hand-made domains and networks for the later stages too.

mod banning;
mod building;
mod closing;
mod keying;
mod noding;
mod scenario;
mod searching;
pub(crate) mod sioux_falls;
pub(crate) mod support;
