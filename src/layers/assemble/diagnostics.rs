//! `diagnostics`: what could not be used, as geometry.

use geo::{Geometry, InteriorPoint, Point};
use serde_json::Value;

use super::{Context, Row};
use crate::error::Rule;
use crate::ids::stable_id;
use crate::layers::feature::Layer;
use crate::layers::schema;

/// Points off the network, disconnected parts, municipalities without a polygon of their own.
#[must_use]
pub fn diagnostics(context: &Context<'_>) -> Layer {
    let mut features = Vec::new();
    for point in &context.built.unsnapped {
        let id = stable_id(["unsnapped", point.source, &point.id]);
        let mut row = Row::new(&schema::DIAGNOSTICS, context, &id, &point.name);
        row.set("kind", "unsnapped");
        row.set("source", point.source);
        row.set("record", point.id.as_str());
        row.set("rule", Rule::Unsnapped.code());
        row.set("distance_m", point.distance.map_or(Value::Null, |d| d.0.into()));
        row.set("detail", context.text("map.unsnapped"));
        features.push(row.build(Some(Geometry::Point(Point(point.at)))));
    }
    for part in context.built.network.components().iter().skip(1) {
        let at = context.built.network.junction(part.first).at;
        let id = stable_id(["disconnected".to_owned(), format!("{:.6},{:.6}", at.x, at.y)]);
        let mut row = Row::new(&schema::DIAGNOSTICS, context, &id, &context.text("map.disconnected"));
        row.set("kind", "disconnected");
        row.set("source", "roads");
        row.set("rule", Rule::Disconnected.code());
        row.set("length_km", part.length.km());
        row.set("detail", format!("{} ({})", context.text("map.disconnected"), part.junctions));
        features.push(row.build(Some(Geometry::Point(Point(at)))));
    }
    for m in &context.domain.municipalities {
        let Some(target) = &m.polygon_of else { continue };
        let at = context
            .domain
            .municipalities
            .iter()
            .find(|other| other.cvegeo == *target)
            .and_then(|other| other.polygon.as_ref()?.interior_point());
        let id = stable_id(["shared_polygon", &m.cvegeo]);
        let mut row = Row::new(&schema::DIAGNOSTICS, context, &id, &m.name);
        row.set("kind", "shared_polygon");
        row.set("source", "municipalities");
        row.set("record", m.cvegeo.as_str());
        row.set("rule", Rule::PolygonShared.code());
        row.set("detail", format!("{}: {target}", context.text("map.shared_polygon")));
        features.push(row.build(at.map(Geometry::Point)));
    }
    Layer { def: &schema::DIAGNOSTICS, features }
}
