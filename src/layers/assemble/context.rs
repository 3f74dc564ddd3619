//! What all layers need.

use crate::corridors::draws::{CONTRIBUTIONS, Flows};
use crate::layers::assemble::reason;
use crate::layers::feature::Lang;
use crate::model::domain::{CrossingStatus, Domain};
use crate::model::incidence::CountDatum;
use crate::model::study::Study;
use crate::network::builder::Built;

/// The run, as layers see it.
pub struct Context<'a> {
    /// The run's id.
    pub run_id: &'a str,
    /// Language of texts.
    pub lang: Lang,
    /// The study.
    pub study: &'a Study,
    /// The domain.
    pub domain: &'a Domain,
    /// What is known, or released, of each municipality's count.
    pub data: &'a [CountDatum],
    /// The network.
    pub built: &'a Built,
    /// By link: whether it is closed.
    pub closed: &'a [bool],
    /// Flows of all draws.
    pub flows: &'a Flows,
    /// Whether bands were released instead of counts, and informal crossings left out.
    pub public: bool,
}

/// Names of the contributions to a flow, in the order of [`Flows::contribution`].
const CONTRIBUTION_NAMES: [&str; CONTRIBUTIONS] = [
    "border_exact",
    "border_censored",
    "border_exit",
    "domestic_exact",
    "domestic_censored",
    "domestic_exit",
];

impl Context<'_> {
    /// The crossings that may be shown, by index: informal ones are in no public output, and nothing there may
    /// follow from where they are.
    pub(super) fn shown_crossings(&self) -> Vec<usize> {
        let shown =
            |i: &usize| !(self.public && self.domain.crossings[*i].status == CrossingStatus::Informal);
        (0..self.domain.crossings.len()).filter(shown).collect()
    }

    /// A text of `locales/`.
    pub(super) fn text(&self, key: &str) -> String {
        crate::translated(self.lang.pick("es", "en"), key)
    }

    /// Contributions to a flow, or to a difference of flows, as reasons, the largest first; they add up to the mean.
    pub(super) fn flow_reasons(&self, contributions: &[f64; CONTRIBUTIONS]) -> serde_json::Value {
        let mut parts: Vec<(&str, f64)> =
            CONTRIBUTION_NAMES.into_iter().zip(*contributions).filter(|(_, v)| *v != 0.0).collect();
        parts.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(b.0)));
        parts.into_iter().map(|(name, value)| reason(self, name, value)).collect()
    }
}
