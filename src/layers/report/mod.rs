//! The report: two pages for a planner and an annex, as one file for the browser and, with the feature `pdf`, one for paper.
//!
//! [`build`] makes one [`document::Report`] from what the audience sees: views, notices, and the manifest as it is sealed
//! for that audience. [`html`] and [`pdf`] write that document and nothing else, so that neither can show what the other
//! hides. Figures are SVG drawn here; numbers are told as on the map ([`super::telling`]).

use super::feature::{Lang, Scenario, Tier, Words};
use super::manifest::Manifest;
use super::view::LayerView;
use crate::model::study::Referral;

mod annex;
mod build;
pub mod document;
pub mod html;
mod parameters;
#[cfg(feature = "pdf")]
pub mod pdf;
mod picture;
mod planner;
mod plot;
mod projection;
mod records;
mod svg;

#[cfg(test)]
mod tests;

pub use build::build;

/// Whether this build writes `report.pdf`.
pub const HAS_PDF: bool = cfg!(feature = "pdf");

/// What a report says of its study that is in no layer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Subject {
    /// Title of the study.
    pub title: String,
    /// Its region.
    pub region: String,
    /// Its period in words; may be empty.
    pub period: String,
    /// Length of the period, years.
    pub years: Option<f64>,
    /// Cases of the whole study as the audience may know them.
    pub total: Option<u32>,
    /// Where a person who is found is taken, for those who plan.
    pub referral: Option<Referral>,
    /// The scenario that is in force, if any.
    pub scenario: Option<Scenario>,
}

/// What a report is built from.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// What the audience sees.
    pub views: &'a [LayerView<'a>],
    /// What is in no layer.
    pub subject: &'a Subject,
    /// The manifest as it is sealed for the audience.
    pub manifest: &'a Manifest,
    /// What every output bears.
    pub notices: &'a [Words],
    /// What this result says of its data and limits.
    pub limits: &'a [Words],
    /// Data sources and their licences.
    pub attributions: &'a [String],
    /// Whether nobody has signed the result off.
    pub draft: bool,
    /// Language.
    pub lang: Lang,
    /// Who may see it.
    pub audience: Tier,
}
