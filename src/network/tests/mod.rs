//! Tests of the stage, and [`support`]: small hand-made domains and networks for the later stages too.

mod building;
mod closing;
mod noding;
mod searching;
pub(crate) mod sioux_falls;
pub(crate) mod support;
