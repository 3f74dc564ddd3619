//! From chains to the frozen network, with numbers that the order of the roads does not change.

use std::cmp::Ordering;

use geo::LineString;
use petgraph::graph::{NodeIndex, UnGraph};
use rayon::prelude::*;

use super::contract::{Chains, Step};
use super::draft::{Draft, Edge, NONE, Part, short};
use super::graph::{Junction, Link, LinkKind, Network, link_key};
use super::hilbert::hilbert;
use super::shared::{SharedText, Texts};
use crate::ids::{JunctionId, LinkId};
use crate::model::domain::{Direction, RoadClass, Surface};
use crate::units::{Metres, Minutes};

/// Region of the outer side of a crossing.
const FOREIGN: &str = "foreign";

/// A link before it has its number.
struct Made {
    ends: [u32; 2],
    key: String,
    chain: u32,
    link: Link,
}

/// Makes the network of `chains`. Junctions are numbered along a Hilbert curve, so that what is near is near in
/// memory; links by their junctions and keys. Nodes without a link are left out unless they are anchors. Returns
/// the network and the junction of each node. `bans` are sequences of roads, each as the stretches that are driven.
pub(super) fn freeze(
    draft: &Draft<'_>,
    chains: &Chains,
    bans: &[Vec<Vec<Step>>],
) -> (Network, Vec<Option<JunctionId>>) {
    let mut made = links(draft, chains);
    let number = number_nodes(draft, &made);
    for item in &mut made {
        let [from, to] = item.ends.map(|n| JunctionId(number[n as usize]));
        (item.link.from, item.link.to) = (from, to);
    }
    // Numbers are sorted and not the links, which are large.
    let mut order: Vec<u32> = (0..short(made.len())).collect();
    order.par_sort_unstable_by(|a, b| {
        let (a, b) = (&made[*a as usize], &made[*b as usize]);
        let ends = |m: &Made| {
            let (a, b) = (m.link.from, m.link.to);
            if a <= b { (a, b) } else { (b, a) }
        };
        let rest = |m: &Made| (m.link.direction, m.link.length.0.to_bits(), m.link.time.0.to_bits());
        ends(a)
            .cmp(&ends(b))
            .then_with(|| a.key.cmp(&b.key))
            .then_with(|| rest(a).cmp(&rest(b)))
            .then_with(|| a.link.records.cmp(&b.link.records))
            .then(a.chain.cmp(&b.chain))
    });

    let mut link_of = vec![(LinkId(NONE), false); draft.edges.len()];
    for (place, id) in order.iter().zip(0..) {
        for &(edge, reversed) in chains.steps(made[*place as usize].chain as usize) {
            link_of[edge as usize] = (LinkId(id), reversed);
        }
    }
    let mut graph = UnGraph::with_capacity(draft.nodes.len(), made.len());
    let mut nodes: Vec<(u32, u32)> =
        number.iter().zip(0..).filter(|(n, _)| **n != NONE).map(|(n, node)| (*n, node)).collect();
    nodes.par_sort_unstable();
    for (_, node) in nodes {
        let node = &draft.nodes[node as usize];
        graph.add_node(Junction { at: node.at, plane: node.plane, town: node.town, anchor: node.anchor });
    }
    let mut keys = Vec::with_capacity(made.len());
    let mut made: Vec<Option<Made>> = made.into_iter().map(Some).collect();
    for place in order {
        let Some(item) = made[place as usize].take() else { continue };
        let ends = [item.link.from, item.link.to].map(|j| NodeIndex::new(j.index()));
        graph.add_edge(ends[0], ends[1], item.link);
        keys.push(item.key);
    }
    let bans = bans.iter().map(|steps| in_links(steps, &link_of)).collect();
    let junction = number.into_iter().map(|n| (n != NONE).then_some(JunctionId(n))).collect();
    (Network::with_keys(graph, keys, bans), junction)
}

/// A banned sequence in links: the stretches of one road that lie on one link are one.
fn in_links(steps: &[Vec<Step>], link_of: &[(LinkId, bool)]) -> Vec<(LinkId, bool)> {
    let mut out = Vec::with_capacity(steps.len());
    for road in steps {
        let mut links: Vec<(LinkId, bool)> = road
            .iter()
            .map(|&(edge, reversed)| {
                let (link, turned) = link_of[edge as usize];
                (link, reversed != turned)
            })
            .collect();
        links.dedup();
        out.extend(links);
    }
    out
}

fn links(draft: &Draft<'_>, chains: &Chains) -> Vec<Made> {
    let roads = &draft.domain.roads;
    let fixed = ["", FOREIGN].into_iter();
    let texts = Texts::new(fixed.chain(roads.iter().flat_map(|r| [r.reference.as_str(), r.region.as_str()])));
    (0..chains.len())
        .into_par_iter()
        .filter_map(|chain| {
            let steps = chains.steps(chain);
            let (&(first, reversed), &(last, last_reversed)) = steps.first().zip(steps.last())?;
            let ends = [draft.start(first, reversed), draft.start(last, !last_reversed)];
            let link = link(draft, steps, &texts);
            Some(Made { ends, key: link_key(&link), chain: short(chain), link })
        })
        .collect()
}

/// The link of a chain.
fn link(draft: &Draft<'_>, steps: &[Step], texts: &Texts<'_>) -> Link {
    let (mut length, mut time) = (Metres(0.0), Minutes(0.0));
    let mut records: Vec<SharedText> = Vec::with_capacity(1);
    let count = steps.iter().map(|s| draft.edges[s.0 as usize].line.0.len()).sum::<usize>();
    let mut points = Vec::with_capacity(count + 1 - steps.len());
    for &(number, reversed) in steps {
        let id = match draft.edges[number as usize].of {
            Part::Road(road) => draft.domain.roads[road as usize].id.as_str(),
            Part::Gate(crossing) | Part::Approach(crossing) => &draft.domain.crossings[crossing as usize].id,
        };
        if records.last().is_none_or(|last| last != id) {
            records.push(SharedText::from(id));
        }
        let edge = &draft.edges[number as usize];
        length = length + edge.length;
        time = time + edge.time;
        // The first position is the last one of the edge before.
        let skip = usize::from(!points.is_empty());
        if reversed {
            points.extend(edge.line.0.iter().rev().skip(skip));
        } else {
            points.extend(edge.line.0.iter().skip(skip));
        }
    }
    let (edge, reversed) = steps.first().copied().unwrap_or_default();
    let direction = draft.direction(edge, reversed);
    let Edge { of, .. } = draft.edges[edge as usize];
    let line = LineString(points);
    let (from, to) = (JunctionId(0), JunctionId(0));
    match (draft.road(edge), of) {
        (Some(road), _) => Link {
            from,
            to,
            kind: LinkKind::Road,
            direction,
            reference: texts.get(&road.reference),
            class: road.class,
            surface: road.surface,
            toll: road.toll,
            region: texts.get(&road.region),
            schematic: road.schematic,
            length,
            time,
            records,
            line,
        },
        (None, of) => {
            let (kind, class, region) = match of {
                Part::Approach(crossing) => {
                    (LinkKind::Approach { crossing: crossing as usize }, RoadClass::Foreign, FOREIGN)
                }
                Part::Gate(crossing) | Part::Road(crossing) => {
                    (LinkKind::Gate { crossing: crossing as usize }, RoadClass::Local, "")
                }
            };
            Link {
                from,
                to,
                kind,
                direction: Direction::Both,
                reference: texts.get(""),
                class,
                surface: Surface::Paved,
                toll: false,
                region: texts.get(region),
                schematic: true,
                length,
                time,
                records,
                line,
            }
        }
    }
}

/// By node: its number, [`NONE`] for those that are left out.
fn number_nodes(draft: &Draft<'_>, made: &[Made]) -> Vec<u32> {
    let mut used: Vec<bool> = draft.nodes.iter().map(|n| n.anchor).collect();
    for item in made {
        for node in item.ends {
            used[node as usize] = true;
        }
    }
    let mut order: Vec<(u64, u32)> = used
        .par_iter()
        .enumerate()
        .filter(|(_, used)| **used)
        .map(|(node, _)| (hilbert(draft.nodes[node].plane), short(node)))
        .collect();
    let by_place = |a: &(u64, u32), b: &(u64, u32)| {
        let nodes = [a.1, b.1].map(|n| &draft.nodes[n as usize]);
        a.0.cmp(&b.0).then_with(|| nodes[0].order(nodes[1]))
    };
    order.par_sort_unstable_by(|a, b| by_place(a, b).then(a.1.cmp(&b.1)));
    // One over the other at the same position: told apart by the links that end there.
    let is_same = |a: &(u64, u32), b: &(u64, u32)| by_place(a, b) == Ordering::Equal;
    if order.windows(2).any(|w| is_same(&w[0], &w[1])) {
        let mut least: Vec<Option<&str>> = vec![None; draft.nodes.len()];
        for item in made {
            for node in item.ends {
                let slot = &mut least[node as usize];
                *slot = Some(slot.map_or(item.key.as_str(), |s| s.min(&item.key)));
            }
        }
        for group in order.chunk_by_mut(is_same) {
            group.sort_by_key(|(_, node)| least[*node as usize]);
        }
    }
    let mut out = vec![NONE; draft.nodes.len()];
    for ((_, node), number) in order.into_iter().zip(0..) {
        out[node as usize] = number;
    }
    out
}
