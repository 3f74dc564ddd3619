//! `municipalities`.

use geo::Geometry;
use serde_json::{Map, Value, json};

use super::{Context, Row, reason};
use crate::corridors::roles::{Index, Roles};
use crate::incidence::detection::Scenario;
use crate::incidence::{Part, RateSummary};
use crate::layers::feature::Layer;
use crate::layers::schema;
use crate::model::domain::KnownBy;
use crate::model::incidence::CountDatum;

/// Hot spots, one entry per municipality.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HotColumn {
    /// Share of draws with a Benjamini–Hochberg q of at most 0.05; `None` where there are no data.
    pub pr_hot: Vec<Option<f64>>,
    /// One of `q01`, `q05`, `q10`, `uncertain`, `none`, `no_data`.
    pub class: Vec<&'static str>,
}

/// What a run found of the municipalities; lists have one entry per municipality.
pub struct MunicipalFindings {
    /// Counts and rates.
    pub rates: Vec<RateSummary>,
    /// Roles.
    pub roles: Vec<Roles>,
    /// Hot spots, where they were looked for.
    pub hot: Option<HotColumn>,
    /// Counts by modality and by period.
    pub parts: [Vec<Vec<Part>>; 2],
    /// The scenario of under-detection, where the study has one.
    pub scenario: Option<Vec<Scenario>>,
}

/// Municipalities by code, with what is known of their counts.
#[must_use]
pub fn municipalities(context: &Context<'_>, findings: &MunicipalFindings) -> Layer {
    let MunicipalFindings { rates, roles, hot, parts, scenario } = findings;
    let sum = |of: fn(&RateSummary) -> f64| -> f64 { rates.iter().map(of).sum() };
    let (located, guiding) = (sum(|r| r.count_mean), sum(|r| r.guiding_mean));
    let features = context
        .domain
        .municipalities
        .iter()
        .zip(context.data)
        .zip(rates.iter().zip(roles))
        .enumerate()
        .map(|(i, ((m, &known), (rate, roles)))| {
            let mut row = Row::new(&schema::MUNICIPALITIES, context, &m.cvegeo, &m.name);
            row.set("cvegeo", m.cvegeo.as_str());
            row.set("population", whole(m.population));
            row.set("marginalization", m.marginalization.map_or(Value::Null, Value::from));
            let datum = match known {
                CountDatum::Exact(_) => "exact",
                CountDatum::Interval { .. } | CountDatum::AtLeast { .. } => "interval",
                CountDatum::Unknown { .. } => "unknown",
            };
            row.set("datum", datum);
            row.set("count_min", known.min());
            row.set("count_max", known.max().map_or(Value::Null, Value::from));
            row.set(
                "known_by",
                m.known_by.map_or(Value::Null, |k| match k {
                    KnownBy::Reported => "reported".into(),
                    KnownBy::Found => "found".into(),
                }),
            );
            row.set("period_years", context.study.incidence.years());
            row.set("rate_100k_year", rate.rate_100k_year.map_or(Value::Null, Value::from));
            // Where nothing is known, a rate would only repeat the prior: it is left out.
            let is_known = !matches!(known, CountDatum::Unknown { .. });
            if is_known {
                row.set("rate_mean", rate.rate_mean);
                row.set("pr_above", rate.pr_above);
                row.set("rate_p05", rate.rate_p05);
                row.set("rate_p95", rate.rate_p95);
            }
            row.set("search_effort", m.search_effort.map_or(Value::Null, Value::from));
            for (name, parts) in ["by_modality", "by_period"].into_iter().zip(parts) {
                row.set(name, parts.get(i).map_or(Value::Null, |parts| divided(parts)));
            }
            if let Some(scenario) = scenario.as_ref().and_then(|s| s.get(i)).filter(|_| is_known) {
                let [mean, p05, p95] = scenario.rate;
                row.set("scenario_rate_mean", mean);
                row.set("scenario_rate_p05", p05);
                row.set("scenario_rate_p95", p95);
                row.set("scenario_pr_above", scenario.pr_above);
            }
            if let Some(hot) = hot {
                row.set("pr_hot", hot.pr_hot.get(i).copied().flatten().map_or(Value::Null, Value::from));
                row.set("hot_class", hot.class.get(i).map_or(Value::Null, |class| (*class).into()));
            }
            row.set("roles", if context.public { public_roles(roles) } else { restricted_roles(roles) });
            // It would name places for what their people are: a field of its own, which the public does not have.
            row.set("recruitment", numbers(&roles.recruitment));
            row.set("count_mean", rate.count_mean);
            row.set("count_p05", rate.count_p05);
            row.set("count_p95", rate.count_p95);
            row.set("polygon_of", m.polygon_of.as_deref().map_or(Value::Null, Value::from));
            let share = if guiding > 0.0 { rate.guiding_mean / guiding } else { 0.0 };
            let drawn = if located > 0.0 { rate.count_mean / located } else { 0.0 };
            row.set("demand_share", share);
            row.set("censored_share", if known.is_censored() { 1.0 } else { 0.0 });
            // The reason repeats the share of demand, which is restricted: it would rank the municipalities.
            if !context.public {
                let mut reasons = vec![reason(context, "drawn", drawn)];
                if share != drawn {
                    reasons.push(reason(context, "levelled", share - drawn));
                }
                row.set("reasons", Value::Array(reasons));
            }
            row.build(m.polygon.clone().map(Geometry::MultiPolygon))
        })
        .collect();
    Layer { def: &schema::MUNICIPALITIES, features }
}

/// Parts of a count with their bounds and rates; null where it is not divided.
fn divided(parts: &[Part]) -> Value {
    if parts.is_empty() {
        return Value::Null;
    }
    let part = |part: &Part| {
        let mut out = json!({
            "name": part.name,
            "count_min": part.datum.min(),
            "count_max": part.datum.max(),
        });
        if let Some([mean, p05, p95]) = part.rate {
            out["rate_mean"] = mean.into();
            out["rate_p05"] = p05.into();
            out["rate_p95"] = p95.into();
        }
        out
    };
    parts.iter().map(part).collect()
}

/// Classes alone.
fn public_roles(roles: &Roles) -> Value {
    json!({
        "transit": roles.transit.class.name(),
        "reception": roles.reception.class.name(),
        "exploitation": roles.exploitation.class.name(),
    })
}

/// Transit, reception and exploitation with their numbers.
fn restricted_roles(roles: &Roles) -> Value {
    let mut transit = numbers(&roles.transit);
    if roles.schematic && roles.transit.spread.is_some() {
        transit.insert("note".into(), "schematic".into());
    }
    let mut exploitation = numbers(&roles.exploitation);
    let cases: Map<String, Value> = roles
        .modalities
        .iter()
        .map(|(name, cases)| (name.clone(), cases.map_or(Value::Null, Value::from)))
        .collect();
    let cases = if cases.is_empty() { "unknown".into() } else { Value::Object(cases) };
    exploitation.insert("cases".into(), cases);
    json!({
        "transit": transit,
        "reception": numbers(&roles.reception),
        "exploitation": exploitation,
    })
}

fn numbers(index: &Index) -> Map<String, Value> {
    let mut out = Map::new();
    if let Some([mean, p05, p95]) = index.spread {
        for (name, value) in [("mean", mean), ("p05", p05), ("p95", p95), ("even", index.even)] {
            out.insert(name.into(), value.into());
        }
    }
    out.insert("class".into(), index.class.name().into());
    if let Some(why) = index.why {
        out.insert("why".into(), why.name().into());
    }
    out
}

#[expect(clippy::cast_possible_truncation, reason = "populations are checked to be below 1e9")]
fn whole(population: f64) -> i64 {
    population.round() as i64
}
