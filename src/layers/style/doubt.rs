//! Paleness: what it says, and the lines of the legend that tell it.

use super::classes::range;
use super::legend::{Rule, Steps, Symbol, Test, rule};
use crate::layers::feature::Lang;
use crate::layers::view::LayerView;

/// How certain a feature is, in classes: the less, the paler.
pub(super) struct Certainty {
    pub field: &'static str,
    es: &'static str,
    en: &'static str,
    /// Of the classes; one less than those.
    pub limits: [f64; 3],
}

/// Of a corridor its membership, of others the certainty of rank.
const CERTAINTIES: [Certainty; 2] = [
    Certainty {
        field: "membership",
        es: "pertenencia mínima",
        en: "lowest membership",
        // Below the first only where the study asks for less than is usual.
        limits: [0.8, 0.9, 0.95],
    },
    Certainty {
        field: "pr_top",
        es: "probabilidad de estar arriba",
        en: "probability of the top",
        limits: [0.1, 0.5, 0.9],
    },
];

/// Opacity of the classes of certainty, in per cent.
pub(super) const OPACITY: [f64; 4] = [30.0, 50.0, 75.0, 100.0];

pub(super) fn certainty(view: &LayerView<'_>) -> Option<&'static Certainty> {
    CERTAINTIES.iter().find(|c| view.has(c.field))
}

/// Paler the less certain.
pub(super) fn with_doubt(mut symbol: Symbol, view: &LayerView<'_>) -> Symbol {
    symbol.opacity = certainty(view).map(|c| Steps::new(c.field, &c.limits, &OPACITY));
    symbol
}

/// What paleness means, the palest first. No legend shows an opacity that comes from an expression: rules that match
/// nothing do, with `sample` in the colour that it is given.
pub(super) fn doubt_legend(view: &LayerView<'_>, lang: Lang, sample: impl Fn(&str) -> Symbol) -> Vec<Rule> {
    let Some(c) = certainty(view) else { return Vec::new() };
    let what = format!("{}: {}", lang.pick("palidez", "paleness"), lang.pick(c.es, c.en));
    OPACITY
        .iter()
        .enumerate()
        .map(|(i, percent)| {
            let range = range(i.checked_sub(1).and_then(|i| c.limits.get(i)), c.limits.get(i));
            let color = format!("80,80,80,{:.0}", 255.0 * percent / 100.0);
            rule(Test::Never, format!("{what} {range}"), sample(&color))
        })
        .collect()
}
