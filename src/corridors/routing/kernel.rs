//! By the customizable contraction hierarchy, all vectors of a batch at once.

use rayon::prelude::*;

use super::{Lane, Routed, Visit, Weights};
use crate::corridors::flow::{PARTS, main_units};
use crate::network::cch::{
    Batch, Demand, Hierarchy, LANES, Labels, LinkFlows, Metric, Selection, Wanted, Workspace,
};
use crate::network::search::UNREACHED;

/// What all threads route with together, or one alone on a small network.
pub(in crate::corridors) struct Engine<'a> {
    hierarchy: &'a Hierarchy,
    /// By class of origin.
    pairs: &'a [Selection; 2],
    metric: Metric<LANES>,
    space: Workspace<PARTS, LANES>,
}

impl<'a> Engine<'a> {
    pub(super) fn new(hierarchy: &'a Hierarchy, pairs: &'a [Selection; 2]) -> Self {
        let (metric, space) = (Metric::new(hierarchy), Workspace::new(hierarchy));
        Self { hierarchy, pairs, metric, space }
    }

    pub(super) fn distances(&mut self, weights: Weights<'_>) -> Vec<[u32; LANES]> {
        self.metric.customize(self.hierarchy, weights);
        let batch = Batch { hierarchy: self.hierarchy, metric: &self.metric, weights };
        let [border, domestic] = self.pairs;
        let mut out = border.distances(batch);
        out.extend(domestic.distances(batch));
        out
    }

    pub(super) fn assign<T: Send>(
        &mut self,
        weights: Weights<'_>,
        lanes: &[Lane<'_>],
        mut load: impl FnMut(usize, u32, [&[i64; PARTS]; 2]),
        visit: impl Fn(Visit<'_>) -> T + Sync,
    ) -> Routed<T> {
        let mut out = Routed { unserved: [0; LANES], visits: Default::default() };
        let Some(first) = lanes.first() else { return out };
        self.metric.customize(self.hierarchy, weights);
        let batch = Batch { hierarchy: self.hierarchy, metric: &self.metric, weights };
        let shared = lanes.len() == LANES && lanes.iter().all(|lane| lane.row == first.row);
        let wanted = if lanes.iter().any(|lane| lane.trees) { Wanted::Paths } else { Wanted::Flows };
        let mut flows: [LinkFlows<PARTS, LANES>; 2] = Default::default();
        let mut before = 0;
        for (class, pairs) in self.pairs.iter().enumerate() {
            let destinations = pairs.destinations();
            let loads = |lane: usize, pair: usize| &lanes[lane].loads.parts[class][pair];
            let unserved = |labels: &Labels<'_, LANES>| {
                let mut unserved = [0; LANES];
                for j in 0..destinations {
                    let distances = labels.distances(j);
                    for lane in (0..lanes.len()).filter(|lane| distances[*lane] == UNREACHED) {
                        unserved[lane] += main_units(loads(lane, labels.origin() * destinations + j));
                    }
                }
                unserved
            };
            let by_lane: Vec<_>;
            let demand = if shared {
                Demand::Shared(&first.loads.parts[class])
            } else {
                let parts = |l, pair| if l < lanes.len() { *loads(l, pair) } else { [0; PARTS] };
                by_lane = (0..first.loads.parts[class].len())
                    .map(|pair| std::array::from_fn(|l| parts(l, pair)))
                    .collect();
                Demand::ByLane(&by_lane)
            };
            let assigned = self.space.assign(batch, pairs, demand, wanted, unserved);
            for seen in assigned.visits {
                out.unserved.iter_mut().zip(seen).for_each(|(sum, units)| *sum += units);
            }
            let of_lane = |(l, lane): (usize, &Lane<'_>)| -> Vec<T> {
                let origins = 0..if lane.trees { pairs.origins() } else { 0 };
                let mut paths = assigned.paths.lane(l);
                let visit = |origin| {
                    let tree = paths.tree(origin, |j| main_units(loads(l, origin * destinations + j)) > 0);
                    visit(Visit { origin: before + origin, lane: l, paths: &tree })
                };
                origins.map(visit).collect()
            };
            let visits: Vec<Vec<T>> = lanes.par_iter().enumerate().map(of_lane).collect();
            out.visits.iter_mut().zip(visits).for_each(|(all, new)| all.extend(new));
            flows[class] = assigned.flows;
            before += pairs.origins();
        }
        each_link(&flows, |link, both| {
            for lane in 0..lanes.len() {
                let parts = both.map(|flows| flows.map_or(&[0; PARTS], |flows| &flows[lane]));
                if parts.iter().any(|p| **p != [0; PARTS]) {
                    load(lane, link, parts);
                }
            }
        });
        out
    }
}

/// Flows of a link by lane, where it carries any.
type OfLink<'a> = Option<&'a [[i64; PARTS]; LANES]>;

/// Calls `visit` for each link of either of two lists, in ascending order.
fn each_link(flows: &[LinkFlows<PARTS, LANES>; 2], mut visit: impl FnMut(u32, [OfLink<'_>; 2])) {
    let mut at = [0, 0];
    loop {
        let next = [0, 1].map(|k| flows[k].link.get(at[k]).copied());
        let Some(link) = next.into_iter().flatten().min() else { return };
        let found = [0, 1].map(|k| (next[k] == Some(link)).then(|| &flows[k].flow[at[k]]));
        for k in [0, 1] {
            at[k] += usize::from(found[k].is_some());
        }
        visit(link, found);
    }
}
