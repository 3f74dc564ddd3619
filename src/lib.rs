#![doc = include_str!("doc.md")]

rust_i18n::i18n!("locales", fallback = "es");

pub mod cli;
pub mod corridors;
pub mod disclosure;
pub mod error;
pub mod ids;
pub mod incidence;
pub mod layers;
pub mod model;
pub mod network;
pub mod planning;
pub mod sources;
pub mod stats;
pub mod units;

/// The text of a key of `locales/` in a language (`es` or `en`), without filling in its parameters.
#[must_use]
pub fn translated(lang: &str, key: &str) -> String {
    rust_i18n::t!(key, locale = lang).into_owned()
}
