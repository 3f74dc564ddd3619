//! `roads`, `corridors` and `crossings`.

use std::collections::BTreeMap;

use geo::{BoundingRect, Coord, Geometry, Intersects, LineString, MultiLineString, Point};
use serde_json::{Value, json};

use super::{Context, Row};
use crate::corridors::border::border;
use crate::corridors::extract::Chain;
use crate::corridors::naming::junction_name;
use crate::corridors::object::Corridor;
use crate::corridors::score::{Items, Summary, censored_share, summarise};
use crate::corridors::takeover::{Road, Takeover};
use crate::corridors::usage::{Pair, Pairs, Usage};
use crate::ids::LinkId;
use crate::layers::feature::{Feature, Layer, LayerDef};
use crate::layers::schema;
use crate::network::graph::LinkKind;

fn set_summary(row: &mut Row, summary: &Summary, candidates: usize) {
    row.spread("", [summary.mean, summary.p05, summary.p95]);
    row.set("pr_top", summary.pr_top);
    row.set("n_candidates", candidates);
}

fn set_lift(row: &mut Row, summary: &Summary) {
    if let Some(lift) = summary.lift {
        row.spread("lift", lift);
    }
}

/// By link: the id of its corridor.
pub(super) fn members(corridors: &[Corridor]) -> BTreeMap<LinkId, &str> {
    let links = |c: &'_ Corridor| c.chain.links.clone();
    corridors.iter().flat_map(|c| links(c).into_iter().map(|link| (link, c.id.as_str()))).collect()
}

/// A row of a layer of links: its name, region, road, ends and length.
pub(super) fn link_row(def: &'static LayerDef, context: &Context<'_>, id: LinkId) -> Row {
    let network = &context.built.network;
    let link = network.link(id);
    let ends = [link.from, link.to].map(|j| junction_name(network, context.domain, j));
    let road = match &*link.reference {
        "" => context.text("map.no_reference"),
        reference => reference.to_owned(),
    };
    let mut row = Row::new(def, context, network.key(id), &format!("{road} {} – {}", ends[0], ends[1]));
    if !link.region.is_empty() {
        row.set("region", link.region.as_str());
    }
    row.set("ref", link.reference.as_str());
    row.set("length_km", link.length.km());
    row.set("from_name", ends[0].as_str());
    row.set("to_name", ends[1].as_str());
    row
}

/// Every link with its flow and who uses it. `summaries` and `usages` have one entry per link.
#[must_use]
pub fn roads(
    context: &Context<'_>,
    summaries: &[Summary],
    candidates: usize,
    corridors: &[Corridor],
    usages: &[Pairs],
) -> Layer {
    let network = &context.built.network;
    let member = members(corridors);
    let features = network
        .links()
        .filter(|(_, link)| link.kind == LinkKind::Road)
        .map(|(id, link)| {
            let summary = &summaries[id.index()];
            let mut row = link_row(&schema::ROADS, context, id);
            row.set("road_class", link.class.name());
            row.set("surface", link.surface.name());
            row.set("toll", link.toll);
            row.set("time_min", link.time.0);
            row.set("speed_kmh", link.speed_kmh());
            row.set("closed", context.closed[id.index()]);
            row.set("schematic", link.schematic);
            // In this version a link is a section: it runs between named junctions on one reference.
            row.set("section_id", network.key(id));
            row.set("corridor_id", member.get(&id).map_or(Value::Null, |c| (*c).into()));
            set_summary(&mut row, summary, candidates);
            row.set("within_sd", context.flows.within_variance[id.index()].sqrt());
            set_lift(&mut row, summary);
            let contributions = context.flows.contribution(id.index());
            row.set("censored_share", censored_share(&contributions).map_or(Value::Null, Value::from));
            row.set("origins_destinations", usages.get(id.index()).map_or(Value::Null, pairs));
            row.set("reasons", context.flow_reasons(&contributions, summary.mean));
            row.build(Some(Geometry::MultiLineString(MultiLineString(vec![link.line.clone()]))))
        })
        .collect();
    Layer { def: &schema::ROADS, features }
}

/// Corridors by rank, each with who uses it, and of the first ones what takes over when they are closed.
#[must_use]
pub fn corridors(
    context: &Context<'_>,
    corridors: &[Corridor],
    candidates: usize,
    usages: &[Usage],
    takeovers: &[Option<Takeover>],
) -> Layer {
    let network = &context.built.network;
    let gates: Vec<Coord<f64>> =
        context.shown_crossings().into_iter().map(|i| context.domain.crossings[i].at).collect();
    let features = corridors
        .iter()
        .zip(usages)
        .enumerate()
        .map(|(number, (c, usage))| {
            let links: Vec<_> = c.chain.links.iter().map(|l| network.link(*l)).collect();
            let mut row = Row::new(&schema::CORRIDORS, context, &c.id, &c.name);
            row.set("rank", c.rank);
            row.set("ref", c.chain.reference.as_str());
            row.set("from_name", c.ends[0].as_str());
            row.set("to_name", c.ends[1].as_str());
            row.set("length_km", links.iter().map(|l| l.length.km()).sum::<f64>());
            row.set("time_min", links.iter().map(|l| l.time.0).sum::<f64>());
            row.set("toll", links.iter().any(|l| l.toll));
            set_summary(&mut row, &c.summary, candidates);
            if let Some(ranks) = c.ranks {
                row.set("pr_rank10", ranks.first);
                row.set("rank_p05", ranks.p05);
                row.set("rank_p95", ranks.p95);
            }
            if let Some(share) = usage.share {
                row.spread("demand_share", share);
            }
            set_lift(&mut row, &c.summary);
            row.set("censored_share", censored_share(&c.contributions).map_or(Value::Null, Value::from));
            let line = merged_line(context, &c.chain);
            row.set("municipalities", crossed(context, &line));
            row.set("sections", c.chain.links.len());
            row.set("membership", c.chain.membership);
            row.set("schematic", links.iter().any(|l| l.schematic));
            if let Some(border) = border(network, &c.chain.links, &gates) {
                row.set("border_zone", border.zone);
                row.set("border_km", border.nearest.km());
            }
            row.set("parallel_to", c.parallel_to.as_deref().map_or(Value::Null, Value::from));
            row.set("origins_destinations", pairs(&usage.pairs));
            row.set(
                "if_closed",
                takeovers.get(number).and_then(Option::as_ref).map_or(Value::Null, taking_over),
            );
            row.set("reasons", context.flow_reasons(&c.contributions, c.summary.mean));
            row.build(Some(Geometry::MultiLineString(MultiLineString(vec![line]))))
        })
        .collect();
    Layer { def: &schema::CORRIDORS, features }
}

/// The pairs of places that use a corridor or a link, and how many others there are; null where none does.
fn pairs(pairs: &Pairs) -> Value {
    if pairs.largest.is_empty() {
        return Value::Null;
    }
    let one = |Pair { origin, destination, value }: &Pair| json!({ "origin": origin, "destination": destination, "value": value });
    let (number, value) = pairs.others;
    pairs.largest.iter().map(one).chain([json!({ "others": number, "value": value })]).collect()
}

/// What takes over when a corridor is closed, and last what finds no way.
fn taking_over(takeover: &Takeover) -> Value {
    let road = |road: &Road| json!({ "name": road.name, "corridor_id": road.corridor, "value": road.part });
    takeover.roads.iter().map(road).chain([json!({ "unserved": takeover.unserved })]).collect()
}

/// The lines of a chain as one, in its direction.
fn merged_line(context: &Context<'_>, chain: &Chain) -> LineString<f64> {
    let network = &context.built.network;
    let mut points = Vec::new();
    for (link, start) in chain.links.iter().zip(&chain.junctions) {
        let link = network.link(*link);
        let mut part = link.line.0.clone();
        if link.from != *start {
            part.reverse();
        }
        points.extend(part);
    }
    points.dedup();
    LineString(points)
}

/// Names of the municipalities that a line passes, in the order of their codes.
fn crossed(context: &Context<'_>, line: &LineString<f64>) -> Value {
    let Some(bounds) = line.bounding_rect() else { return Value::Array(Vec::new()) };
    context
        .domain
        .municipalities
        .iter()
        .filter(|m| {
            m.polygon.as_ref().is_some_and(|p| {
                p.bounding_rect().is_some_and(|b| b.intersects(&bounds)) && p.intersects(line)
            })
        })
        .map(|m| Value::from(m.name.as_str()))
        .collect()
}

/// Crossings with the flow through their gate. Informal ones are in no public output.
#[must_use]
pub fn crossings(context: &Context<'_>) -> Layer {
    let network = &context.built.network;
    let flows = context.flows;
    let mut gates: BTreeMap<usize, LinkId> = BTreeMap::new();
    for (id, link) in network.links() {
        if let LinkKind::Gate { crossing } = link.kind {
            gates.insert(crossing, id);
        }
    }
    // Left out before anything is counted or ranked: a number of candidates, or a probability among them, would
    // tell how many are not shown. In the public run they are no origins either, so that the flows and reasons
    // of the others add up to the whole of the border's share.
    let shown = context.shown_crossings();
    // The flow of a gate where there is one; where the roads cross the border themselves, what begins there.
    let mut origin: BTreeMap<usize, usize> = BTreeMap::new();
    for &i in &shown {
        if context.built.gates[i].is_some() && context.domain.crossings[i].weight > 0.0 {
            let next = origin.len();
            origin.insert(i, next);
        }
    }
    let value = |draw: usize, i: usize| match (gates.get(&i), origin.get(&i)) {
        (Some(gate), _) => flows.share(flows.loads.at(draw, gate.index()).main),
        (None, Some(&o)) => flows.share(flows.border[draw][o] * i64::from(flows.perturbations)),
        (None, None) => 0.0,
    };
    let scores: Vec<Vec<f64>> =
        (0..flows.draws()).map(|d| shown.iter().map(|&i| value(d, i)).collect()).collect();
    let (summaries, candidates) = summarise(&Items { scores: &scores, null: &[] });
    let features: Vec<Feature> = shown
        .iter()
        .enumerate()
        .map(|(place, &i)| {
            let c = &context.domain.crossings[i];
            let mut row = Row::new(&schema::CROSSINGS, context, &c.id, &c.name);
            row.set("status", c.status.name());
            row.set("mode", c.mode.as_str());
            row.set("precision_km", c.precision_km.map_or(Value::Null, Value::from));
            row.set("joined", context.built.gates[i].is_some());
            row.set("closed", gates.get(&i).is_some_and(|g| context.closed[g.index()]));
            if let Some(summary) = summaries.get(place) {
                set_summary(&mut row, summary, candidates);
            }
            if let (Some(gate), Some(summary)) = (gates.get(&i), summaries.get(place)) {
                row.set("reasons", context.flow_reasons(&flows.contribution(gate.index()), summary.mean));
            }
            row.build(Some(Geometry::Point(Point(c.at))))
        })
        .collect();
    Layer { def: &schema::CROSSINGS, features }
}
