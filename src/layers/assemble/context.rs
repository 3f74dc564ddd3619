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

    /// Contributions to a flow, or to a difference of flows, as reasons, the largest first; they add up to `mean` as both
    /// are written.
    pub(super) fn flow_reasons(&self, contributions: &[f64; CONTRIBUTIONS], mean: f64) -> serde_json::Value {
        let written = whole_steps(contributions, mean);
        let mut parts: Vec<(&str, f64)> =
            CONTRIBUTION_NAMES.into_iter().zip(written).filter(|(_, v)| *v != 0.0).collect();
        parts.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(b.0)));
        parts.into_iter().map(|(name, value)| reason(self, name, value)).collect()
    }
}

/// Decimals of a number in a layer, as steps of one.
const STEPS: f64 = 1e9;

/// Parts in the steps in which numbers are written, that add up to `whole` in the same steps: each is rounded down, and what
/// is left goes to those that lost most (Hamilton's method).
fn whole_steps(parts: &[f64; CONTRIBUTIONS], whole: f64) -> [f64; CONTRIBUTIONS] {
    let mut floors = parts.map(|x| (x * STEPS).floor());
    let mut left = (whole * STEPS).round() - floors.iter().sum::<f64>();
    let mut order: Vec<usize> = (0..CONTRIBUTIONS).filter(|&i| parts[i] != 0.0).collect();
    let lost = |i: usize| parts[i] * STEPS - (parts[i] * STEPS).floor();
    order.sort_by(|&a, &b| lost(b).total_cmp(&lost(a)).then(a.cmp(&b)));
    // Flows by draw are kept less finely than their contributions: a step more or less can be left.
    for i in order.into_iter().cycle().take(4 * CONTRIBUTIONS) {
        if left == 0.0 {
            break;
        }
        floors[i] += left.signum();
        left -= left.signum();
    }
    floors.map(|steps| steps / STEPS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up_to_the_whole_as_written() {
        let written = |x: f64| (x * STEPS).round();
        for (parts, whole) in [
            ([0.1, 0.2, 0.3, 0.0, 0.0, 0.0], 0.6),
            ([1.0 / 3.0, 1.0 / 7.0, 1.0 / 11.0, 1.0 / 13.0, 0.0, 0.05], 0.694_022_644_9),
            ([-0.123_456_789_4, 0.223_456_789_4, 0.0, 0.0, 0.0, -1e-10], 0.1),
        ] {
            let found = whole_steps(&parts, whole);
            assert_eq!(found.iter().map(|x| written(*x)).sum::<f64>(), written(whole), "{found:?}");
            for (a, b) in found.iter().zip(parts) {
                assert!((a - b).abs() <= 3e-9 && (b != 0.0 || *a == 0.0), "{found:?}");
            }
        }
        assert_eq!(whole_steps(&[0.0; CONTRIBUTIONS], 0.0), [0.0; CONTRIBUTIONS]);
    }
}
