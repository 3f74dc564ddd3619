//! `roads_change`: what a scenario changes on each link.

use std::collections::BTreeMap;

use geo::{Geometry, MultiLineString};
use serde_json::Value;

use super::Context;
use super::network::{link_row, members};
use crate::corridors::change::Change;
use crate::corridors::object::Corridor;
use crate::ids::LinkId;
use crate::layers::feature::Layer;
use crate::layers::schema;
use crate::network::graph::LinkKind;

/// The links that carry something with the scenario or without it, and those that it alters; `changes` has one entry
/// per link, `altered` what it does to a link in words of a code.
#[must_use]
pub fn roads_change(
    context: &Context<'_>,
    changes: &[Option<Change>],
    altered: &BTreeMap<LinkId, Vec<&'static str>>,
    corridors: &[Corridor],
) -> Layer {
    let network = &context.built.network;
    let member = members(corridors);
    let features = network
        .links()
        .filter(|(id, link)| {
            link.kind == LinkKind::Road && (changes[id.index()].is_some() || altered.contains_key(id))
        })
        .map(|(id, link)| {
            let mut row = link_row(&schema::ROADS_CHANGE, context, id);
            row.set("corridor_id", member.get(&id).map_or(Value::Null, |c| (*c).into()));
            row.set("closed", context.closed[id.index()]);
            row.set("altered", altered.get(&id).map_or(Value::Null, |codes| codes.join(", ").into()));
            let change = changes[id.index()].unwrap_or_default();
            row.set("mean_base", change.before);
            row.set("mean", change.after);
            row.spread("change", change.change);
            row.set("pr_rises", change.rises);
            row.set("pr_falls", change.falls);
            row.set("reasons", context.flow_reasons(&change.contributions, change.change[0]));
            row.build(Some(Geometry::MultiLineString(MultiLineString(vec![link.line.clone()]))))
        })
        .collect();
    Layer { def: &schema::ROADS_CHANGE, features }
}
