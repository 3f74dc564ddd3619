//! How values are told to a reader, the same on the map and on the command line.

use serde_json::Value;

use super::feature::{FieldDef, Lang};
use crate::corridors::sensitivity::Factor;

/// Fields whose texts are codes.
pub(crate) const CODED: &[&str] = &[
    "datum",
    "known_by",
    "hot_class",
    "status",
    "mode",
    "kind",
    "purpose",
    "road_class",
    "surface",
    "competence",
    "visit_kind",
    "source",
    "altered",
    "parameter",
];

/// Codes that have words, under `value.` in `locales/`, blanks as underscores.
pub(crate) const CODES: &[&str] = &[
    "exact",
    "interval",
    "unknown",
    "at_least",
    "found",
    "reported",
    "no_data",
    "none",
    "q01",
    "q05",
    "q10",
    "low",
    "medium",
    "high",
    "formal",
    "local",
    "informal",
    "vehicle",
    "pedestrian",
    "light vehicle",
    "cargo",
    "river boat",
    "proposed",
    "existing",
    "detection",
    "migration_control",
    "attention",
    "federal",
    "state",
    "toll",
    "foreign",
    "ferry",
    "paved",
    "partly_paved",
    "unpaved",
    "ordinary",
    "extraordinary",
    "unsnapped",
    "disconnected",
    "shared_polygon",
    "dropped",
    "closed",
    "slower",
    "faster",
    "new_post",
    "transit",
    "reception",
    "exploitation",
    "recruitment",
    "count_unknown",
    "uncertain",
    "schematic",
    "no_flows",
    "no_demand",
    "off_network",
    "no_population",
    "no_marginalization",
    "no_polygon",
    "no_road",
    "municipalities",
    "crossings",
    "roads",
    "worksites",
];

/// Fields that are probabilities, told in whole per cent.
pub(crate) const PROBABILITIES: &[&str] =
    &["pr_top", "pr_above", "pr_hot", "pr_rank10", "membership", "scenario_pr_above", "pr_rises", "pr_falls"];

/// Fields that are shares of one, told in per cent.
pub(crate) const SHARES: &[&str] = &[
    "mean",
    "p05",
    "p95",
    "censored_share",
    "demand_share",
    "demand_share_p05",
    "demand_share_p95",
    "within_sd",
    "flow_met",
    "flow_met_p05",
    "flow_met_p95",
    "flow_detected",
    "gain",
    "cumulative",
    "displaced_to_unserved",
    "border_zone",
    "mean_base",
];

/// Fields that are differences of shares, told in percentage points.
pub(crate) const POINTS: &[&str] = &["change", "change_p05", "change_p95"];

/// Layers whose reasons add up to a logarithm.
pub(crate) const SCORED: &[&str] = &["worksites"];

/// Reasons that have words, under `reason.`.
pub(crate) const REASONS: &[&str] = &[
    "border_exact",
    "border_censored",
    "border_exit",
    "domestic_exact",
    "domestic_censored",
    "domestic_exit",
    "sector",
    "rate",
    "exposure",
    "since_visit",
    "complaints",
    "not_known",
    "gain",
    "overlap",
    "levelled",
    "drawn",
];

/// The key in `locales/` of a code or a reason.
pub(crate) fn key(section: &str, code: &str) -> String {
    format!("{section}.{}", code.replace(' ', "_"))
}

/// A code in words; what is no code stays as it is.
#[must_use]
pub fn word(code: &str, lang: Lang) -> String {
    let known = CODES.contains(&code) || Factor::ALL.iter().any(|factor| factor.code() == code);
    if known { crate::translated(lang.code(), &key("value", code)) } else { code.to_owned() }
}

/// Per cent of a share: one decimal, two below ten per cent, none of a probability.
#[must_use]
pub fn percent(share: f64, probability: bool) -> String {
    let decimals = match share.abs() {
        _ if probability => 0,
        size if size > 0.0 && size < 0.0995 => 2,
        _ => 1,
    };
    format!("{} %", rounded(100.0 * share, decimals))
}

/// A number with that many decimals, halves away from zero, as browsers round: the decimal number is rounded and not the
/// binary one that stands for it.
fn rounded(x: f64, decimals: usize) -> String {
    let scale = 10_f64.powi(i32::try_from(decimals).unwrap_or(0));
    // What the product is off by is far behind the ninth decimal.
    let scaled = format!("{:.9}", x * scale).parse::<f64>().unwrap_or(x * scale);
    format!("{:.decimals$}", scaled.round() / scale)
}

/// A number without more digits than it deserves.
#[must_use]
pub fn plain(x: f64) -> String {
    let decimals = match x.abs() {
        _ if x.fract() == 0.0 => 0,
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    rounded(x, decimals)
}

/// The value of a field in words, without its name.
#[must_use]
pub fn value(field: &FieldDef, value: &Value, lang: Lang) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(yes) => crate::translated(lang.code(), if *yes { "page.yes" } else { "page.no" }),
        Value::Number(n) => number(field, n.as_f64().unwrap_or(f64::NAN), lang),
        Value::String(code) if CODED.contains(&field.name) => {
            code.split(", ").map(|code| word(code, lang)).collect::<Vec<_>>().join(", ")
        }
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(|item| structured(item, lang)).collect::<Vec<_>>().join(", "),
        Value::Object(_) => structured(value, lang),
    }
}

/// A number with its unit.
#[must_use]
pub fn number(field: &FieldDef, x: f64, lang: Lang) -> String {
    with_unit(bare(field, x), field, lang)
}

/// A number with the bounds of its interval.
#[must_use]
pub fn interval(field: &FieldDef, [mean, low, high]: [f64; 3], lang: Lang) -> String {
    let [mean, low, high] = [mean, low, high].map(|x| bare(field, x));
    with_unit(format!("{mean} ({low} – {high})"), field, lang)
}

/// A difference of shares in percentage points, with its sign.
#[must_use]
pub fn points(x: f64) -> String {
    let told = percent(x.abs(), false);
    let sign = if told.trim_start_matches(['0', '.']).starts_with(' ') {
        ""
    } else if x > 0.0 {
        "+"
    } else {
        "−"
    };
    format!("{sign}{} pp", told.trim_end_matches(" %"))
}

fn bare(field: &FieldDef, x: f64) -> String {
    if POINTS.contains(&field.name) {
        return points(x);
    }
    let probability = PROBABILITIES.contains(&field.name);
    if probability || SHARES.contains(&field.name) { percent(x, probability) } else { plain(x) }
}

fn with_unit(told: String, field: &FieldDef, lang: Lang) -> String {
    match unit(field, lang) {
        "" => told,
        unit => format!("{told} {unit}"),
    }
}

/// What contributes to a value of a layer: per cent of all flow or demand, but for scores, which are logarithms.
#[must_use]
pub fn part(layer: &str, x: f64) -> String {
    if SCORED.contains(&layer) { rounded(x, 2) } else { percent(x, false) }
}

/// Whether a field says something of one feature: with few candidates all of them are among the first ten.
#[must_use]
pub fn says_nothing(field: &str, candidates: Option<f64>) -> bool {
    field == "pr_rank10" && candidates.is_some_and(|n| n <= 10.0)
}

/// The fields that hold the 5th and 95th percentile of a field, if it has any.
#[must_use]
pub fn bounds(field: &FieldDef) -> (String, String) {
    if field.name == "mean" {
        return ("p05".to_owned(), "p95".to_owned());
    }
    let base = field.name.strip_suffix("_mean").unwrap_or(field.name);
    (format!("{base}_p05"), format!("{base}_p95"))
}

/// The ranks that an interval of ranks reaches, outwards: those of draws are whole, or in the middle where two are tied.
#[must_use]
pub fn ranks(low: f64, high: f64) -> String {
    let [low, high] = [low.floor(), high.ceil()].map(plain);
    if low == high { low } else { format!("{low} – {high}") }
}

/// The unit of a field; what its name says already is left out.
#[must_use]
pub fn unit(field: &FieldDef, lang: Lang) -> &'static str {
    match (field.unit, lang) {
        ("casos" | "personas", _) => "",
        ("años", Lang::En) => "years",
        ("por 100 000 hab. y año", Lang::En) => "per 100,000 inhabitants and year",
        (unit, _) => unit,
    }
}

fn structured(value: &Value, lang: Lang) -> String {
    match value {
        Value::String(text) => word(text, lang),
        Value::Number(n) => plain(n.as_f64().unwrap_or(f64::NAN)),
        Value::Array(items) => items.iter().map(|item| structured(item, lang)).collect::<Vec<_>>().join(", "),
        Value::Object(map) if map.contains_key("class") => {
            let mut told = structured(&map["class"], lang);
            if map["class"] == "no_data" {
                let why = map.get("why").map(|why| format!(" ({})", structured(why, lang)));
                return told + &why.unwrap_or_default();
            }
            let spread = ["mean", "p05", "p95"].map(|name| map.get(name).and_then(Value::as_f64));
            if let [Some(mean), Some(low), Some(high)] = spread.map(|x| x.map(|x| percent(x, false))) {
                told = format!("{told}: {mean} ({low} – {high})");
            }
            match map.get("note") {
                Some(note) => format!("{told}; {}", structured(note, lang)),
                None => told,
            }
        }
        Value::Object(map) => {
            let parts =
                map.iter().map(|(key, part)| format!("{}: {}", word(key, lang), structured(part, lang)));
            parts.collect::<Vec<_>>().join("; ")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::layers::schema;

    #[test]
    fn every_code_and_reason_has_words_in_both_languages() {
        let parameters = Factor::ALL.map(Factor::code);
        for (section, codes) in [("value", CODES), ("value", &parameters[..]), ("reason", REASONS)] {
            for code in codes {
                for lang in [Lang::Es, Lang::En] {
                    let found = crate::translated(lang.code(), &key(section, code));
                    assert!(!found.is_empty() && !found.starts_with(section), "{code} in {}", lang.code());
                }
            }
        }
    }

    #[test]
    fn values_are_told_with_their_unit() {
        let field = |layer: &str, name: &str| {
            *schema::by_name(layer).unwrap().fields.iter().find(|f| f.name == name).unwrap()
        };
        let told = |layer: &str, name: &str, of: Value| value(&field(layer, name), &of, Lang::Es);
        assert_eq!(told("corridors", "mean", json!(0.2213)), "22.1 %");
        assert_eq!(told("corridors", "p05", json!(0.0883)), "8.83 %");
        assert_eq!(told("corridors", "pr_top", json!(0.9)), "90 %");
        assert_eq!(told("corridors", "length_km", json!(12.45)), "12.5 km");
        assert_eq!(told("corridors", "toll", json!(true)), "sí");
        assert_eq!(told("crossings", "mode", json!("vehicle, pedestrian")), "vehículos, peatonal");
        assert_eq!(told("municipalities", "population", json!(12_345)), "12345");
        assert_eq!(told("corridors", "ref", json!("MEX-190")), "MEX-190");
        let roles = json!({ "transit": { "class": "high", "mean": 0.25, "p05": 0.2, "p95": 0.3 }, "reception": { "class": "no_data", "why": "uncertain" } });
        assert_eq!(
            told("municipalities", "roles", roles),
            "tránsito: alta: 25.0 % (20.0 % – 30.0 %); recepción: sin datos (muy incierto)"
        );
        let rate = field("municipalities", "rate_mean");
        assert_eq!(interval(&rate, [2.2, 1.8, 2.65], Lang::Es), "2.20 (1.80 – 2.65) por 100 000 hab. y año");
        assert_eq!([part("corridors", 0.2), part("worksites", 0.2)], ["20.0 %", "0.20"]);
        assert_eq!([percent(0.985, true), percent(0.125, false), plain(2.675)], ["99 %", "12.5 %", "2.68"]);
        assert_eq!([ranks(1.5, 2.5), ranks(3.0, 3.0)], ["1 – 3", "3"]);
        assert_eq!([points(0.0573), points(-0.2), points(-0.000_001)], ["+5.73 pp", "−20.0 pp", "0.00 pp"]);
        assert!(says_nothing("pr_rank10", Some(4.0)) && !says_nothing("pr_rank10", Some(11.0)));
        assert_eq!(
            value(&field("municipalities", "rate_mean"), &json!(1.5), Lang::En),
            "1.50 per 100,000 inhabitants and year"
        );
    }
}
