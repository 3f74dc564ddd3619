pub mod raw;
pub mod spec;
