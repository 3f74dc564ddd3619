//! `municipalities`.

use geo::Geometry;
use serde_json::Value;

use super::{Context, Row, reason};
use crate::incidence::RateSummary;
use crate::layers::feature::Layer;
use crate::layers::schema;
use crate::model::domain::KnownBy;
use crate::model::incidence::CountDatum;

/// Municipalities by code, with what is known of their counts. `rates` has one entry per municipality.
#[must_use]
pub fn municipalities(context: &Context<'_>, rates: &[RateSummary]) -> Layer {
    let located: f64 = rates.iter().map(|r| r.count_mean).sum();
    let features = context
        .domain
        .municipalities
        .iter()
        .zip(context.data)
        .zip(rates)
        .map(|((m, &known), rate)| {
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
            // Where nothing is known, an interval would only repeat the prior: it is left out.
            if !matches!(known, CountDatum::Unknown { .. }) {
                row.set("rate_p05", rate.rate_p05);
                row.set("rate_p95", rate.rate_p95);
            }
            row.set("count_mean", rate.count_mean);
            row.set("count_p05", rate.count_p05);
            row.set("count_p95", rate.count_p95);
            row.set("polygon_of", m.polygon_of.as_deref().map_or(Value::Null, Value::from));
            let share = if located > 0.0 { rate.count_mean / located } else { 0.0 };
            row.set("demand_share", share);
            row.set("censored_share", if known.is_censored() { 1.0 } else { 0.0 });
            // The reason repeats the share of demand, which is restricted: it would rank the municipalities.
            if !context.public {
                row.set("reasons", Value::Array(vec![reason(context, "drawn", share)]));
            }
            row.build(m.polygon.clone().map(Geometry::MultiPolygon))
        })
        .collect();
    Layer { def: &schema::MUNICIPALITIES, features }
}

#[expect(clippy::cast_possible_truncation, reason = "populations are checked to be below 1e9")]
fn whole(population: f64) -> i64 {
    population.round() as i64
}
