//! Planning engine against human trafficking, for places and roads and never for persons.
pub mod error;
pub mod layers;
pub mod model;
pub mod sources;
