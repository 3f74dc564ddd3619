//! The kernel beside the reference search, on random networks.

mod agreeing;
mod caching;
mod random;
mod repeating;
