//! What the values of a field keep to, so that a program that reads a table can tell a damaged one.
//!
//! Only what holds of every study stands here. A share of the flow has no upper bound: where turn bans lead a way along
//! a link twice, it loads it twice.

use crate::layers::feature::{FieldDef, FieldKind};

/// What a value keeps to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// Nothing beyond its type.
    Free,
    /// A number of at least this.
    AtLeast(f64),
    /// A number between the two, both included.
    Within(f64, f64),
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// A text that this regular expression matches as a whole.
    Pattern(&'static str),
}

/// The form of a [`FieldKind::Json`] field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonForm {
    /// `[…]`
    Array,
    /// `{…}`
    Object,
}

/// Fields that hold a JSON object; the other JSON fields hold arrays.
const OBJECTS: &[&str] = &["roles", "recruitment"];

/// Probabilities, and shares of a whole that count nothing twice.
const SHARES: &[&str] = &[
    "border_zone",
    "censored_share",
    "demand_share",
    "demand_share_p05",
    "demand_share_p95",
    "membership",
    "pr_above",
    "pr_hot",
    "pr_rank10",
    "pr_top",
    "scenario_pr_above",
];

/// Quantities without a unit that are never below zero.
const AMOUNTS: &[&str] = &[
    "complaints",
    "cumulative",
    "displaced_to_unserved",
    "exposure",
    "flow_detected",
    "flow_met",
    "flow_met_p05",
    "flow_met_p95",
    "gain",
    "lift",
    "lift_p05",
    "lift_p95",
    "mean",
    "n_candidates",
    "p05",
    "p95",
    "search_effort",
    "sections",
    "within_sd",
];

/// Places in an order that begins with 1.
const RANKS: &[&str] = &["rank", "rank_p05", "rank_p95"];

/// Fields of a few codes, by layer.
const CODES: &[(&str, &str, &[&str])] = &[
    ("municipalities", "datum", &["exact", "interval", "unknown"]),
    ("municipalities", "known_by", &["reported", "found"]),
    ("municipalities", "hot_class", &["q01", "q05", "q10", "uncertain", "none", "no_data"]),
    ("checkpoints", "kind", &["proposed", "existing"]),
    ("diagnostics", "kind", &["unsnapped", "disconnected", "shared_polygon", "dropped"]),
    ("worksites", "competence", &["federal", "state", "unknown"]),
    ("worksites", "visit_kind", &["ordinary", "extraordinary"]),
];

/// Fields of a form of their own.
const PATTERNS: &[(&str, &str)] =
    &[("cvegeo", "^[0-9]{5}$"), ("polygon_of", "^[0-9]{5}$"), ("last_visit", "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")];

/// What the values of a field of `layer` keep to. What has a unit is a quantity, and never below zero.
#[must_use]
pub fn limit(layer: &str, field: &FieldDef) -> Limit {
    let name = field.name;
    match field.kind {
        FieldKind::Integer | FieldKind::Real => {
            if SHARES.contains(&name) {
                Limit::Within(0.0, 1.0)
            } else if RANKS.contains(&name) {
                Limit::AtLeast(1.0)
            } else if AMOUNTS.contains(&name) || !field.unit.is_empty() {
                Limit::AtLeast(0.0)
            } else {
                Limit::Free
            }
        }
        FieldKind::Text => {
            let codes = CODES.iter().find(|(l, f, _)| *l == layer && *f == name);
            let pattern = || PATTERNS.iter().find(|(f, _)| *f == name);
            match (codes, pattern()) {
                (Some((.., codes)), _) => Limit::OneOf(codes),
                (None, Some((_, pattern))) => Limit::Pattern(pattern),
                (None, None) => Limit::Free,
            }
        }
        FieldKind::Boolean | FieldKind::Json => Limit::Free,
    }
}

/// The form of a JSON field.
#[must_use]
pub fn json_form(field: &FieldDef) -> JsonForm {
    if OBJECTS.contains(&field.name) { JsonForm::Object } else { JsonForm::Array }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::schema::ALL;

    fn is_field(name: &str, of: impl Fn(FieldKind) -> bool) -> bool {
        ALL.iter().flat_map(|def| def.fields).any(|f| f.name == name && of(f.kind))
    }

    #[test]
    fn every_limit_is_that_of_a_field() {
        let number = |kind| matches!(kind, FieldKind::Integer | FieldKind::Real);
        for name in SHARES.iter().chain(AMOUNTS).chain(RANKS) {
            assert!(is_field(name, number), "{name}");
        }
        for name in OBJECTS {
            assert!(is_field(name, |kind| kind == FieldKind::Json), "{name}");
        }
        for (name, _) in PATTERNS {
            assert!(is_field(name, |kind| kind == FieldKind::Text), "{name}");
        }
        for (layer, name, codes) in CODES {
            let def = crate::layers::schema::by_name(layer).unwrap();
            let field = def.fields.iter().find(|f| f.name == *name).unwrap();
            assert_eq!(limit(layer, field), Limit::OneOf(codes));
            // The codes are those that the field's own text explains.
            for code in *codes {
                assert!(field.about_en.contains(code) || *code == "dropped", "{layer}.{name}: {code}");
            }
        }
    }

    #[test]
    fn a_unit_makes_a_quantity() {
        let field = |layer: &str, name: &str| {
            let def = crate::layers::schema::by_name(layer).unwrap();
            limit(layer, def.fields.iter().find(|f| f.name == name).unwrap())
        };
        assert_eq!(field("corridors", "length_km"), Limit::AtLeast(0.0));
        assert_eq!(field("corridors", "pr_top"), Limit::Within(0.0, 1.0));
        assert_eq!(field("worksites", "score"), Limit::Free, "a logarithm can be below zero");
        assert_eq!(field("municipalities", "marginalization"), Limit::Free);
        assert_eq!(field("municipalities", "cvegeo"), Limit::Pattern("^[0-9]{5}$"));
        assert_eq!(field("corridors", "name"), Limit::Free);
    }
}
