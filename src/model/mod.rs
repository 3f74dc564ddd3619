//! Stage 2: raw records to the checked domain. No input is opened here; every rule has a code, and all
//! faults are collected in one pass.

pub mod build;
pub mod columns;
pub mod counts;
pub mod domain;
pub mod frame;
pub mod incidence;
pub mod places;
pub mod prior;
pub mod roads;
mod strata;
pub mod study;

#[cfg(test)]
mod tests;
