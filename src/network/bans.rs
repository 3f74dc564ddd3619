//! Turn bans of the study on the stretches of the draft.
//!
//! A ban names roads that may not be driven one after the other. A road may have been cut: the ban begins on each
//! stretch of the first road that leads into their junction, holds every stretch of the roads between, and ends on
//! each stretch of the last road that leads out. The same road twice is a turn back, on the stretch itself. Where
//! roads meet more than once and the file does not say where, the ban holds wherever they do.

use super::contract::Step;
use super::draft::Draft;
use super::keyed::node_of;
use crate::model::domain::TurnBan;

/// More stretches than this in all ways of one ban are no turn any more.
const LARGEST: usize = 4_096;
/// Nor are more roads than this; published bans have up to six.
const MOST_ROADS: usize = 32;

/// Bans of a study.
#[derive(Debug, Default)]
pub(super) struct Bans {
    /// Banned ways: by road, the stretches that are driven.
    pub(super) ways: Vec<Vec<Vec<Step>>>,
    /// Number of bans that were applied.
    pub(super) applied: usize,
    /// Bans that could not be applied, by index.
    pub(super) failed: Vec<usize>,
}

/// A road as its stretches and the nodes between them.
struct Course {
    road: usize,
    edges: Vec<u32>,
    nodes: Vec<u32>,
    /// The nodes by number, with their places.
    places: Vec<(u32, usize)>,
}

impl Course {
    fn meets(&self, node: u32) -> bool {
        self.places_of(node).next().is_some()
    }

    /// The places of a node along the road.
    fn places_of(&self, node: u32) -> impl Iterator<Item = usize> {
        let first = self.places.partition_point(|p| p.0 < node);
        self.places[first..].iter().take_while(move |p| p.0 == node).map(|p| p.1)
    }
}

/// Finds the ways of all bans; their junctions become anchors.
pub(super) fn resolve(draft: &mut Draft<'_>) -> Bans {
    let mut out = Bans::default();
    for (index, ban) in draft.domain.bans.iter().enumerate() {
        let Some(ways) = ways(draft, ban) else {
            out.failed.push(index);
            continue;
        };
        out.applied += 1;
        for way in ways {
            // What one-way roads forbid already needs no ban.
            if !way.iter().flatten().all(|&(edge, reversed)| draft.direction(edge, reversed).forward()) {
                continue;
            }
            // Where one road ends and the next begins.
            for &(edge, reversed) in way.iter().skip(1).filter_map(|road| road.first()) {
                let node = draft.start(edge, reversed);
                draft.nodes[node as usize].anchor = true;
            }
            out.ways.push(way);
        }
    }
    out
}

/// All ways along the roads of a ban; `None` if there is none, or if there are too many to be meant.
fn ways(draft: &Draft<'_>, ban: &TurnBan) -> Option<Vec<Vec<Vec<Step>>>> {
    if !(2..=MOST_ROADS).contains(&ban.roads.len()) {
        return None;
    }
    let courses: Vec<Course> = ban.roads.iter().map(|&road| course(draft, road)).collect();
    let via = match ban.via {
        Some(key) => Some(node_of(&draft.node_of_key, key)?),
        None => None,
    };
    let mut found = Ways { courses: &courses, out: Vec::new(), size: 0 };
    let first = &courses[0];
    for (place, &node) in first.nodes.iter().enumerate() {
        if via.is_some_and(|v| v != node) || !courses[1].meets(node) {
            continue;
        }
        let before = place.checked_sub(1).map(|e| (first.edges[e], false));
        let after = first.edges.get(place).map(|e| (*e, true));
        for step in [before, after].into_iter().flatten() {
            found.follow(1, node, &mut vec![vec![step]]);
        }
    }
    (!found.out.is_empty() && found.size <= LARGEST).then_some(found.out)
}

fn course(draft: &Draft<'_>, road: usize) -> Course {
    let edges: Vec<u32> = draft.stretches(road).collect();
    let first = edges.first().map(|e| draft.start(*e, false));
    let nodes: Vec<u32> = first.into_iter().chain(edges.iter().map(|e| draft.start(*e, true))).collect();
    let mut places: Vec<(u32, usize)> = nodes.iter().enumerate().map(|(place, n)| (*n, place)).collect();
    places.sort_unstable();
    Course { road, edges, nodes, places }
}

struct Ways<'a> {
    courses: &'a [Course],
    out: Vec<Vec<Vec<Step>>>,
    /// Stretches in all ways.
    size: usize,
}

impl Ways<'_> {
    /// Goes on from `node`, where `way` has come by the road before, along road `k` of the ban.
    fn follow(&mut self, k: usize, node: u32, way: &mut Vec<Vec<Step>>) {
        let (courses, course) = (self.courses, &self.courses[k]);
        let back = way.last().and_then(|w| w.last()).map(|&(edge, reversed)| (edge, !reversed));
        for place in course.places_of(node) {
            for onward in [true, false] {
                let mut steps: Vec<Step> = Vec::new();
                let mut at = place;
                while self.size <= LARGEST {
                    let edge = if onward { Some(at) } else { at.checked_sub(1) };
                    let Some(&edge) = edge.and_then(|e| course.edges.get(e)) else { break };
                    let step = (edge, !onward);
                    // On the same road the only turn is the one back.
                    if steps.is_empty() && course.road == courses[k - 1].road && Some(step) != back {
                        break;
                    }
                    steps.push(step);
                    self.size += 1;
                    at = if onward { at + 1 } else { at - 1 };
                    let Some(following) = courses.get(k + 1) else {
                        let mut whole = way.clone();
                        whole.push(steps);
                        self.size += whole.iter().map(Vec::len).sum::<usize>();
                        self.out.push(whole);
                        break;
                    };
                    if following.meets(course.nodes[at]) {
                        way.push(steps.clone());
                        self.follow(k + 1, course.nodes[at], way);
                        way.pop();
                    }
                }
            }
        }
    }
}
