//! From roads, crossings and places to the frozen network.
//!
//! 1. cut the roads where they meet ([`super::noding`]);
//! 2. join each crossing to the network on both sides;
//! 3. keep to the largest connected part, and join the places where trips begin and end to its nearest road;
//! 4. mark towns that stand on the network, and the junctions of turn bans;
//! 5. contract chains and freeze;
//! 6. find the links on which posts stand.

use std::collections::BTreeMap;

use geo::Coord;
use petgraph::unionfind::UnionFind;

use super::attach::{AT_JUNCTION, Joined, attach, join_crossings, place_posts};
use super::bans;
use super::contract::chains;
use super::draft::{Draft, short};
use super::freeze::freeze;
use super::graph::Network;
use super::grid::PointGrid;
use super::keyed::{Loose, Torn};
use super::noding::node;
use crate::ids::{JunctionId, LinkId};
use crate::model::domain::{Domain, Municipality};
use crate::units::{Metres, Minutes};

/// How the network is built.
#[derive(Debug, Clone, Copy)]
pub struct BuildOptions {
    /// Distance within which line ends are one junction, metres.
    pub tolerance: f64,
    /// Largest distance from a point to the road it is joined to, metres.
    pub max_snap: f64,
    /// Speed between a point and its road, km/h.
    pub access_speed_kmh: f64,
}

/// A point that was joined to the network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Access {
    /// The junction.
    pub junction: JunctionId,
    /// Distance from the point to the road.
    pub distance: Metres,
    /// Time from the point to the road.
    pub time: Minutes,
}

/// A point that could not be joined.
#[derive(Debug, Clone, PartialEq)]
pub struct Unsnapped {
    /// Source, such as `towns`.
    pub source: &'static str,
    /// Id of the record.
    pub id: String,
    /// Name of the record.
    pub name: String,
    /// Row in the file.
    pub row: u64,
    /// Longitude and latitude in degrees.
    pub at: Coord<f64>,
    /// Distance to the nearest road, if there is any.
    pub distance: Option<Metres>,
}

/// Where a post stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standing {
    /// The link: the nearest one, of the post's own road if it names one.
    pub link: LinkId,
    /// Distance from the post to the link.
    pub distance: Metres,
}

/// The network with what was joined to it.
#[derive(Debug, Clone)]
pub struct Built {
    /// The network.
    pub network: Network,
    /// By municipality: where its trips begin and end.
    pub seats: Vec<Option<Access>>,
    /// By crossing: the gate.
    pub gates: Vec<Option<Access>>,
    /// By exit.
    pub exits: Vec<Option<Access>>,
    /// By post: the link on which it stands, and how far off it lies.
    pub posts: Vec<Option<Standing>>,
    /// By town: the junction it stands on.
    pub towns: Vec<Option<JunctionId>>,
    /// Points that could not be joined.
    pub unsnapped: Vec<Unsnapped>,
    /// Roads without length, by index.
    pub degenerate: Vec<usize>,
    /// Keys of junctions whose ends lie apart.
    pub torn: Vec<Torn>,
    /// Where roads without keys join none of those with keys.
    pub loose: Vec<Loose>,
    /// Number of turn bans that were applied.
    pub bans_applied: usize,
    /// Turn bans that could not be applied, by index.
    pub bans_failed: Vec<usize>,
}

/// Builds the network of `domain`.
///
/// The result is the same whatever the order of the roads, and on any number of threads.
#[must_use]
pub fn build(domain: &Domain, options: BuildOptions) -> Built {
    let mut noded = node(&domain.roads, &domain.frame, options.tolerance);
    let degenerate = std::mem::take(&mut noded.degenerate);
    let (torn, loose) = (std::mem::take(&mut noded.torn), std::mem::take(&mut noded.loose));
    let mut draft = Draft::new(domain, noded);
    let mut unsnapped = Vec::new();

    let gates = join_crossings(&mut draft, options, &mut unsnapped);
    let main = main_part(&draft);

    let seats_at = seat_positions(domain);
    let known: Vec<usize> = (0..seats_at.len()).filter(|&i| seats_at[i].is_some()).collect();
    let points: Vec<Coord<f64>> = known
        .iter()
        .filter_map(|&i| seats_at[i])
        .chain(domain.exits.iter().map(|e| e.at))
        .map(|c| domain.frame.to_plane(c))
        .collect();
    let joined = attach(&mut draft, &points, &main, options);

    let mut seats: Vec<Option<(u32, f64)>> = vec![None; domain.municipalities.len()];
    for (&i, hit) in known.iter().zip(&joined) {
        let m = &domain.municipalities[i];
        match hit {
            Joined::At(node, distance) => seats[i] = Some((*node, *distance)),
            Joined::Far(distance) => {
                let town = domain.towns.iter().find(|t| t.seat && t.cvegeo.as_deref() == Some(&*m.cvegeo));
                unsnapped.push(Unsnapped {
                    source: if town.is_some() { "towns" } else { "municipalities" },
                    id: town.map_or_else(|| m.cvegeo.clone(), |t| t.id.clone()),
                    name: town.map_or_else(|| m.name.clone(), |t| t.name.clone()),
                    row: town.map_or(0, |t| t.row),
                    at: seats_at[i].unwrap_or_default(),
                    distance: distance.map(Metres),
                });
            }
        }
    }
    let mut exits: Vec<Option<(u32, f64)>> = vec![None; domain.exits.len()];
    for ((exit, hit), slot) in domain.exits.iter().zip(&joined[known.len()..]).zip(&mut exits) {
        match hit {
            Joined::At(node, distance) => *slot = Some((*node, *distance)),
            Joined::Far(distance) => unsnapped.push(Unsnapped {
                source: "exits",
                id: exit.id.clone(),
                name: exit.name.clone(),
                row: exit.row,
                at: exit.at,
                distance: distance.map(Metres),
            }),
        }
    }
    for (node, _) in seats.iter().chain(&exits).chain(&gates).flatten() {
        draft.nodes[*node as usize].anchor = true;
    }
    let towns = mark_towns(&mut draft);
    let bans = bans::resolve(&mut draft);
    let chains = chains(&draft);
    let (network, number) = freeze(&draft, &chains, &bans.ways);
    let access = |slot: Option<(u32, f64)>| {
        slot.and_then(|(node, distance)| {
            Some(Access {
                junction: number[node as usize]?,
                distance: Metres(distance),
                time: Metres(distance).at(options.access_speed_kmh),
            })
        })
    };
    let placed = place_posts(&domain.posts, &domain.frame, &network, options.max_snap);
    for (post, placed) in domain.posts.iter().zip(&placed) {
        if let Err(distance) = placed {
            unsnapped.push(Unsnapped {
                source: "posts",
                id: post.id.clone(),
                name: post.name.clone(),
                row: post.row,
                at: post.at,
                distance: *distance,
            });
        }
    }
    let posts = placed.into_iter().map(Result::ok).collect();
    Built {
        posts,
        seats: seats.into_iter().map(access).collect(),
        exits: exits.into_iter().map(access).collect(),
        gates: gates.into_iter().map(access).collect(),
        towns: towns.into_iter().map(|t| t.and_then(|node| number[node as usize])).collect(),
        network,
        unsnapped,
        degenerate,
        torn,
        loose,
        bans_applied: bans.applied,
        bans_failed: bans.failed,
    }
}

/// By municipality: where its trips begin and end, its seat or a point inside its polygon.
fn seat_positions(domain: &Domain) -> Vec<Option<Coord<f64>>> {
    use geo::InteriorPoint;
    let mut seats: BTreeMap<&str, Coord<f64>> = BTreeMap::new();
    for town in domain.towns.iter().filter(|t| t.seat) {
        if let Some(code) = &town.cvegeo {
            seats.entry(code).or_insert(town.at);
        }
    }
    let inside = |m: &Municipality| m.polygon.as_ref()?.interior_point().map(|p| p.0);
    domain
        .municipalities
        .iter()
        .map(|m| seats.get(m.cvegeo.as_str()).copied().or_else(|| inside(m)))
        .collect()
}

/// By node: whether it belongs to the connected part with the most road length; of two, to the one with the
/// first node.
fn main_part(draft: &Draft<'_>) -> Vec<bool> {
    let mut union = UnionFind::<u32>::new(draft.nodes.len());
    for edge in &draft.edges {
        union.union(edge.from, edge.to);
    }
    // Whole millimetres: their sum does not depend on the order of the roads.
    let mut length = vec![0_u64; draft.nodes.len()];
    for edge in &draft.edges {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturates, never negative"
        )]
        let millimetres = (edge.length.0 * 1000.0).round() as u64;
        let sum = &mut length[union.find(edge.from) as usize];
        *sum = sum.saturating_add(millimetres);
    }
    let mut best: Option<u32> = None;
    for edge in &draft.edges {
        for node in [edge.from, edge.to] {
            let key = |n: u32| length[union.find(n) as usize];
            let better = best.is_none_or(|b| {
                let order = || draft.nodes[b as usize].order(&draft.nodes[node as usize]);
                key(node).cmp(&key(b)).then_with(order).is_gt()
            });
            if better {
                best = Some(node);
            }
        }
    }
    let main = best.map(|b| union.find(b));
    (0..short(draft.nodes.len())).map(|n| Some(union.find(n)) == main).collect()
}

/// Gives each junction the town that stands on it, the nearest first; a seat comes before another town.
fn mark_towns(draft: &mut Draft<'_>) -> Vec<Option<u32>> {
    let domain = draft.domain;
    let mut out = vec![None; domain.towns.len()];
    if domain.towns.is_empty() {
        return out;
    }
    let mut used = vec![false; draft.nodes.len()];
    for edge in &draft.edges {
        (used[edge.from as usize], used[edge.to as usize]) = (true, true);
    }
    let numbered = draft.nodes.iter().zip(0..).filter(|(_, n)| used[*n as usize]);
    let grid = PointGrid::new(numbered.map(|(node, n)| (node.plane, n)), AT_JUNCTION);
    let mut wishes: Vec<(bool, f64, usize, u32)> = Vec::new();
    for (i, town) in domain.towns.iter().enumerate() {
        let mut best: Option<(f64, u32)> = None;
        grid.within(domain.frame.to_plane(town.at), AT_JUNCTION, |node, square| {
            let order = |b: u32| draft.nodes[node as usize].order(&draft.nodes[b as usize]);
            if best.is_none_or(|(s, b)| square.total_cmp(&s).then_with(|| order(b)).is_lt()) {
                best = Some((square, node));
            }
        });
        wishes.extend(best.map(|(square, node)| (!town.seat, square, i, node)));
    }
    wishes.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
    for (_, _, town, node) in wishes {
        let junction = &mut draft.nodes[node as usize];
        junction.anchor = true;
        junction.town.get_or_insert(town);
        out[town] = Some(node);
    }
    out
}
