//! What could not be joined, as faults of the sources.

use super::builder::Built;
use crate::error::{Fault, Faults, Rule};
use crate::model::domain::Domain;

/// Faults of one rule are listed one by one up to this number.
const LISTED: usize = 200;

/// Points without a road, parts without a connection, roads without a length, keys whose ends lie apart, roads
/// without keys that join none, and turn bans that hold nowhere.
#[must_use]
pub fn faults(domain: &Domain, built: &Built) -> Faults {
    let file_of = |source: &str| {
        let found = domain.provenance.iter().find(|p| p.source == source);
        found.map_or_else(String::new, |p| p.file.clone())
    };
    let roads = file_of("roads");
    let mut out = Faults::default();
    for point in &built.unsnapped {
        let distance = point.distance.map_or_else(|| "∞".to_owned(), |d| distance_text(d.0));
        let mut fault = Fault::new(Rule::Unsnapped, file_of(point.source))
            .seen(point.id.clone())
            .with("distance", distance);
        if point.row > 0 {
            fault = fault.row(point.row);
        }
        out.push(fault);
    }
    let layer = domain.provenance.iter().find(|p| p.source == "roads").and_then(|p| p.layer.as_deref());
    let at = |rule, own: Option<&str>| Fault::new(rule, roads.as_str()).layer(own.or(layer));
    let of_road = |rule, road: usize| {
        let road = &domain.roads[road];
        at(rule, road.layer).row(road.row).seen(road.id.clone())
    };
    for &road in &built.degenerate {
        out.push(of_road(Rule::LineDegenerate, road));
    }
    for torn in built.torn.iter().take(LISTED) {
        let distance = distance_text(torn.distance.0);
        out.push(of_road(Rule::KeyTorn, torn.road).with("key", torn.key).with("distance", distance));
    }
    for loose in built.loose.iter().take(LISTED) {
        out.push(of_road(Rule::RoadLoose, loose.road).with("distance", distance_text(loose.distance.0)));
    }
    for &ban in built.bans_failed.iter().take(LISTED) {
        let ban = &domain.bans[ban];
        let names: Vec<&str> =
            ban.roads.iter().take(8).filter_map(|r| Some(domain.roads.get(*r)?.id.as_str())).collect();
        let mut fault = at(Rule::BanUnapplied, ban.layer.as_deref())
            .seen(ban.id.clone())
            .with("roads", names.join(" → "))
            .with("via", ban.via.map_or_else(|| "–".to_owned(), |key| key.to_string()));
        if ban.row > 0 {
            fault = fault.row(ban.row);
        }
        out.push(fault);
    }
    disconnected(built, &roads, &mut out);
    out
}

/// Parts that the longest one does not reach: the longer ones each, and what they come to in all.
fn disconnected(built: &Built, file: &str, out: &mut Faults) {
    let parts = built.network.components();
    let others = parts.get(1..).unwrap_or_default();
    for part in others.iter().take(LISTED) {
        let at = built.network.junction(part.first).at;
        out.push(
            Fault::new(Rule::Disconnected, file)
                .seen(format!("{:.4}, {:.4}", at.x, at.y))
                .with("junctions", part.junctions)
                .with("length", format!("{:.1}", part.length.km())),
        );
    }
    if others.len() > LISTED {
        out.push(
            Fault::new(Rule::DisconnectedTotal, file)
                .with("count", others.len())
                .with("listed", LISTED)
                .with("junctions", others.iter().map(|p| p.junctions).sum::<usize>())
                .with("length", format!("{:.1}", others.iter().map(|p| p.length.km()).sum::<f64>())),
        );
    }
}

/// A distance for people: metres below one kilometre, where kilometres would say nothing.
#[must_use]
pub fn distance_text(metres: f64) -> String {
    if !metres.is_finite() {
        "∞".to_owned()
    } else if metres < 1000.0 {
        format!("{metres:.0} m")
    } else {
        format!("{:.1} km", metres / 1000.0)
    }
}
