//! `checkpoints` and `worksites`: restricted.

use geo::{Coord, Euclidean, Geodesic, Geometry, InterpolateLine, Length, Point};
use serde_json::Value;

use super::{Context, Row, reason};
use crate::corridors::naming::place_name;
use crate::layers::feature::Layer;
use crate::layers::schema;
use crate::network::graph::Link;
use crate::planning::posts::PlannedPost;
use crate::planning::worksites::{FACTORS, RankedWorksite};

/// Existing and proposed posts.
#[must_use]
pub fn checkpoints(context: &Context<'_>, posts: &[PlannedPost]) -> Layer {
    let network = &context.built.network;
    let features = posts
        .iter()
        .map(|planned| {
            let existing = planned.existing.map(|p| &context.domain.posts[p]);
            let link = planned.link.map(|l| (l, network.link(l)));
            let (id, name, at) = match (existing, link) {
                (Some(post), _) => (post.id.clone(), post.name.clone(), post.at),
                (None, Some((id, link))) => {
                    let [a, b] = [link.from, link.to].map(|j| place_name(network, context.domain, j));
                    let ends = if a == b { a } else { format!("{a} – {b}") };
                    let name = format!("{} {ends}", link.reference);
                    (format!("post-{}", network.key(id)), name.trim().to_owned(), midpoint(link))
                }
                (None, None) => (String::new(), String::new(), Coord::default()),
            };
            let mut row = Row::new(&schema::CHECKPOINTS, context, &id, &name);
            row.set("rank", planned.rank.map_or(Value::Null, Value::from));
            row.set("kind", if existing.is_some() { "existing" } else { "proposed" });
            row.set("ref", link.map_or("", |(_, l)| l.reference.as_str()));
            row.set("operator", existing.map_or(Value::Null, |p| p.operator.as_str().into()));
            row.set(
                "purpose",
                existing.map_or_else(|| Value::from("detection"), |p| p.purpose.as_str().into()),
            );
            row.set("counts_as_coverage", planned.counts_as_coverage);
            row.spread("flow_met", planned.flow_met);
            row.set("flow_detected", planned.flow_detected.map_or(Value::Null, Value::from));
            row.set("gain", planned.gain.map_or(Value::Null, Value::from));
            row.set("cumulative", planned.cumulative.map_or(Value::Null, Value::from));
            row.set("cvegeo", municipality_at(context, at).map_or(Value::Null, Value::from));
            let precision = existing.map_or_else(
                // Anywhere along the link serves: its half length is what the point leaves open.
                || link.map(|(_, l)| l.length.km() / 2.0),
                |p| p.precision_km,
            );
            row.set("precision_km", precision.map_or(Value::Null, Value::from));
            let note = match existing {
                None => context.text("map.post_site"),
                Some(_) if link.is_none() => context.text("map.post_unplaced"),
                Some(_) if !planned.counts_as_coverage => context.text("map.post_migration"),
                Some(_) => String::new(),
            };
            row.set("notes", note);
            if let Some(distinct) = planned.distinct {
                // Parts of the flow met, which comes from more draws than the gain: they add up to it.
                let met = planned.flow_met[0];
                let parts = [("gain", met * distinct), ("overlap", met * (1.0 - distinct))];
                row.set("reasons", Value::Array(parts.map(|(f, v)| reason(context, f, v)).to_vec()));
            }
            row.build(Some(Geometry::Point(Point(at))))
        })
        .collect();
    Layer { def: &schema::CHECKPOINTS, features }
}

/// The middle of a link along its line.
fn midpoint(link: &Link) -> Coord<f64> {
    let along = Euclidean.point_at_ratio_from_start(&link.line, 0.5);
    let middle = if Geodesic.length(&link.line) > 0.0 { along } else { None };
    middle.map_or_else(|| link.line.0.first().copied().unwrap_or_default(), |p| p.0)
}

/// The code of the municipality in which a position lies.
fn municipality_at<'a>(context: &Context<'a>, at: Coord<f64>) -> Option<&'a str> {
    use geo::Contains;
    let point = Point(at);
    context
        .domain
        .municipalities
        .iter()
        .find(|m| m.polygon.as_ref().is_some_and(|p| p.contains(&point)))
        .map(|m| m.cvegeo.as_str())
}

/// Workplaces by rank.
#[must_use]
pub fn worksites(context: &Context<'_>, ranked: &[RankedWorksite], candidates: usize) -> Layer {
    let names: std::collections::BTreeMap<&str, &str> =
        context.domain.municipalities.iter().map(|m| (m.cvegeo.as_str(), m.name.as_str())).collect();
    let features = ranked
        .iter()
        .map(|r| {
            let site = &context.domain.worksites[r.worksite];
            let name = if site.name.is_empty() { &site.id } else { &site.name };
            let mut row = Row::new(&schema::WORKSITES, context, &site.id, name);
            row.set("rank", r.rank);
            row.set("clee", site.clee.as_str());
            row.set("cvegeo", site.cvegeo.as_str());
            row.set("municipality", names.get(site.cvegeo.as_str()).copied().unwrap_or_default());
            row.set("scian", site.scian.as_str());
            row.set("sector", site.sector.as_str());
            row.set("size", site.size.as_str());
            row.spread("score", r.score);
            row.set("pr_top", r.pr_top);
            row.set("n_candidates", candidates);
            row.set("exposure", r.exposure);
            row.set("competence", r.competence.name());
            let complaints = site.complaints.unwrap_or(0);
            row.set("visit_kind", if complaints > 0 { "extraordinary" } else { "ordinary" });
            row.set("last_visit", site.last_visit.as_deref().map_or(Value::Null, Value::from));
            row.set("complaints", site.complaints.map_or(Value::Null, Value::from));
            row.set("synthetic", site.synthetic);
            let reasons: Vec<Value> = FACTORS
                .iter()
                .zip(r.contributions)
                .map(|(factor, (value, known))| {
                    let mut one = reason(context, factor, value);
                    one["known"] = known.into();
                    if !known {
                        let label = context.text(&format!("reason.{factor}"));
                        one["label"] = format!("{label}: {}", context.text("reason.not_known")).into();
                    }
                    one
                })
                .collect();
            row.set("reasons", reasons);
            row.build(Some(Geometry::Point(Point(site.at))))
        })
        .collect();
    Layer { def: &schema::WORKSITES, features }
}
