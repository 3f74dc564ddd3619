//! By one search for each origin and vector.

use std::sync::atomic::{AtomicBool, Ordering};

use super::{Lane, Routed, Visit, Weights};
use crate::corridors::demand::Places;
use crate::corridors::flow::{PARTS, assign, main_units};
use crate::network::cch::LANES;
use crate::network::search::{Arcs, Search};

/// What one thread searches with.
pub(in crate::corridors) struct Engine<'a> {
    places: &'a Places,
    arcs: &'a Arcs,
    search: Search,
    /// Weights of one lane.
    weights: Vec<u32>,
    nodes: Vec<[i64; PARTS]>,
    /// By class of origin.
    links: [Vec<[i64; PARTS]>; 2],
    /// Once set, nothing more is searched: what is returned is of no use.
    stop: &'a AtomicBool,
}

impl<'a> Engine<'a> {
    pub(super) fn new(places: &'a Places, arcs: &'a Arcs, links: usize, stop: &'a AtomicBool) -> Self {
        Self {
            places,
            arcs,
            search: Search::new(arcs),
            weights: Vec::with_capacity(links),
            nodes: vec![[0; PARTS]; arcs.node_count()],
            links: [vec![[0; PARTS]; links], vec![[0; PARTS]; links]],
            stop,
        }
    }

    fn take(&mut self, weights: Weights<'_>, lane: usize) {
        self.weights.clear();
        self.weights.extend(weights.iter().map(|lanes| lanes[lane]));
    }

    fn search(&mut self, origin: usize) {
        if self.stop.load(Ordering::Relaxed) {
            return;
        }
        let Places { origins, is_target, target_count, .. } = self.places;
        self.search.run(self.arcs, &self.weights, origins[origin].access.junction, is_target, *target_count);
    }

    pub(super) fn distances(&mut self, weights: Weights<'_>, lanes: usize) -> Vec<[u32; LANES]> {
        let (origins, destinations) = (self.places.origins.len(), self.places.ends.len());
        let mut out = vec![[0; LANES]; origins * destinations];
        for lane in 0..lanes {
            self.take(weights, lane);
            for origin in 0..origins {
                self.search(origin);
                let row = &mut out[origin * destinations..(origin + 1) * destinations];
                for (slot, end) in row.iter_mut().zip(&self.places.ends) {
                    slot[lane] = self.search.distance(*end);
                }
            }
        }
        out
    }

    pub(super) fn assign<T>(
        &mut self,
        weights: Weights<'_>,
        lanes: &[Lane<'_>],
        mut load: impl FnMut(usize, u32, [&[i64; PARTS]; 2]),
        visit: impl Fn(Visit<'_>) -> T,
    ) -> Routed<T> {
        let places = self.places;
        let mut out = Routed { unserved: [0; LANES], visits: Default::default() };
        for (l, lane) in lanes.iter().enumerate() {
            self.take(weights, l);
            let mut of_class = [0; 2];
            for (i, origin) in places.origins.iter().enumerate() {
                self.search(i);
                let number = &mut of_class[origin.class as usize];
                let loads = lane.loads.of_origin(origin.class, *number, places.ends.len());
                *number += 1;
                let links = &mut self.links[origin.class as usize];
                out.unserved[l] += assign(places, loads, &self.search, &mut self.nodes, links);
                if lane.trees {
                    let paths = self.search.tree(&places.ends, |j| main_units(&loads[j]) > 0);
                    out.visits[l].push(visit(Visit { origin: i, lane: l, paths: &paths }));
                }
            }
            let [border, domestic] = &mut self.links;
            for ((link, a), b) in (0..).zip(border).zip(domestic) {
                if *a != [0; PARTS] || *b != [0; PARTS] {
                    load(l, link, [&std::mem::take(a), &std::mem::take(b)]);
                }
            }
        }
        out
    }
}
