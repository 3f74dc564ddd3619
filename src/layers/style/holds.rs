//! Which rule of a legend a feature falls under, for pictures that are drawn here.

use serde_json::Value;

use super::legend::{Rule, Test};
use crate::layers::view::{LayerView, Row};

/// The first rule that holds for a feature; [`Test::Else`] holds where no other does.
pub(in crate::layers) fn first<'r>(
    rules: &'r [Rule],
    view: &LayerView<'_>,
    row: &Row<'_>,
) -> Option<&'r Rule> {
    let named = rules.iter().find(|rule| rule.test != Test::Else && rule.test.holds(view, row));
    named.or_else(|| rules.iter().find(|rule| rule.test == Test::Else))
}

impl Test {
    /// Whether it holds for a feature. A field that is not seen is null, and no comparison holds for a null.
    pub(in crate::layers) fn holds(&self, view: &LayerView<'_>, row: &Row<'_>) -> bool {
        let value = |field: &str| {
            let at = view.fields().iter().position(|f| f.name == field);
            at.map_or(Value::Null, |at| row.value(at).into_owned())
        };
        let number = |field: &str| value(field).as_f64();
        let spread = |[high, low, of]: &[&str; 3]| Some((number(high)? - number(low)?, number(of)?));
        match self {
            Self::Any => true,
            // Not by itself: see [`first`].
            Self::Else | Self::Never => false,
            Self::True(field) => value(field).as_bool() == Some(true),
            Self::NotTrue(field, unknown) => !value(field).as_bool().unwrap_or(*unknown),
            Self::Null(field) => value(field).is_null(),
            Self::Known(field) => !value(field).is_null(),
            Self::AtLeast(field, limit) => number(field).is_some_and(|x| x >= *limit),
            Self::Above(field, limit) => number(field).is_some_and(|x| x > *limit),
            Self::Below(field, limit) => number(field).is_some_and(|x| x < *limit),
            Self::AtMost(field, limit) => number(field).is_some_and(|x| x <= *limit),
            Self::Nothing(field) => number(field).unwrap_or(0.0) == 0.0,
            Self::Something(field) => number(field).unwrap_or(0.0) > 0.0,
            Self::Text(field, text) => value(field).as_str() == Some(*text),
            Self::Wider(fields, times) => spread(fields).is_some_and(|(width, of)| width > times * of),
            Self::Narrower(fields, times) => spread(fields).is_some_and(|(width, of)| width <= times * of),
            Self::All(tests) => tests.iter().all(|test| test.holds(view, row)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::feature::{Lang, Tier};
    use crate::layers::samples;
    use crate::layers::style::rules;

    #[test]
    fn every_feature_falls_under_the_rule_that_its_values_ask_for() {
        let layer = samples::municipalities();
        let view = LayerView::new(&layer, Tier::Public).unwrap().unwrap();
        let rules = rules(&view, Lang::Es);
        let labels: Vec<&str> =
            view.rows().map(|row| first(&rules, &view, &row).unwrap().label.as_str()).collect();
        assert!(labels[0].contains("≤ 75 %") && labels[1].contains("75 % – 150 %"), "{labels:?}");
        assert_eq!(labels[2], "sin datos");
        let layer = samples::roads();
        let view = LayerView::new(&layer, Tier::Restricted).unwrap().unwrap();
        let rules = super::super::rules(&view, Lang::Es);
        let labels: Vec<&str> =
            view.rows().map(|row| first(&rules, &view, &row).unwrap().label.as_str()).collect();
        assert_eq!(labels[0], "sin flujo modelado");
        assert!(labels[1].contains("0.5 – 0.8") && labels[2].contains("0.8 – 1.25"), "{labels:?}");
        assert_eq!(labels[3], "cerrado");
    }
}
