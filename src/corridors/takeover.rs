//! What takes over when a corridor is closed: the roads on which its trips reappear, and those that find no way.

use std::collections::BTreeMap;

use super::draws::Flows;
use super::object::Corridor;
use crate::ids::LinkId;
use crate::network::graph::{LinkKind, Network};

/// Roads that are named at most.
const NAMED: usize = 3;
/// Smallest part that is named.
const SMALLEST: f64 = 0.05;

/// A road that takes over.
#[derive(Debug, Clone, PartialEq)]
pub struct Road {
    /// Name of its corridor, or its reference; empty for a road without either.
    pub name: String,
    /// Id of its corridor, if it is one.
    pub corridor: Option<String>,
    /// What its busiest link gains, as a part of what the closed corridor's busiest link carried; at most 1.
    pub part: f64,
}

/// What takes over.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Takeover {
    /// Roads, by falling part.
    pub roads: Vec<Road>,
    /// What finds no way any more, as such a part; at most 1.
    pub unserved: f64,
}

/// What takes over when number `closed` of `corridors` is closed, by the flows of the same draws before and after;
/// `None` where it carried nothing.
#[must_use]
pub fn takeover(
    network: &Network,
    corridors: &[Corridor],
    closed: usize,
    [before, after]: [&Flows; 2],
) -> Option<Takeover> {
    let sum = |flows: &Flows, link: LinkId| flows.contributions[link.index()].iter().sum::<i64>();
    let lost = corridors[closed].chain.links.iter().map(|link| sum(before, *link)).max()?;
    if lost <= 0 {
        return None;
    }
    let part = |units: i64| (units as f64 / lost as f64).clamp(0.0, 1.0);
    let mut member: BTreeMap<LinkId, usize> = BTreeMap::new();
    for (number, corridor) in corridors.iter().enumerate() {
        member.extend(corridor.chain.links.iter().map(|link| (*link, number)));
    }
    // By corridor, else by reference.
    let mut gains: BTreeMap<(Option<usize>, &str), i64> = BTreeMap::new();
    for (id, link) in network.links().filter(|(_, link)| link.kind == LinkKind::Road) {
        let gain = sum(after, id) - sum(before, id);
        if gain > 0 {
            let corridor = member.get(&id).copied();
            let reference = if corridor.is_some() { "" } else { &*link.reference };
            let most = gains.entry((corridor, reference)).or_default();
            *most = gain.max(*most);
        }
    }
    let mut roads: Vec<Road> = gains
        .into_iter()
        .filter(|(_, gain)| part(*gain) >= SMALLEST)
        .map(|((corridor, reference), gain)| {
            let corridor = corridor.map(|number| &corridors[number]);
            Road {
                name: corridor.map_or(reference, |c| &c.name).to_owned(),
                corridor: corridor.map(|c| c.id.clone()),
                part: part(gain),
            }
        })
        .collect();
    roads.sort_by(|a, b| b.part.total_cmp(&a.part).then_with(|| a.name.cmp(&b.name)));
    roads.truncate(NAMED);
    let unserved = |flows: &Flows| flows.fate.iter().map(|fate| fate.unserved).sum::<i64>();
    Some(Takeover { roads, unserved: part(unserved(after) - unserved(before)) })
}
