//! Distances, flows and paths are those of the reference, exactly, whatever ties.

use super::random::{Case, Weights};
use crate::ids::JunctionId;
use crate::network::cch::topology::Segment;
use crate::network::cch::{Batch, Demand, Hierarchy, Metric, Selection, Wanted, Workspace};
use crate::network::paths::PathNode;
use crate::network::search::{Search, UNREACHED};

const PARTS: usize = 2;

/// What the reference finds for one lane: distances by pair, flows by link, and each pair's path from its end.
struct Reference {
    distances: Vec<u32>,
    flows: Vec<[i64; PARTS]>,
    paths: Vec<Vec<(u32, u32)>>,
}

impl Reference {
    fn new(case: &Case, lane: usize, demand: impl Fn(usize) -> [i64; PARTS]) -> Self {
        let weights: Vec<u32> = case.weights.iter().map(|w| w[lane]).collect();
        let nobody = vec![false; case.arcs.junction_count()];
        let mut out =
            Self { distances: Vec::new(), flows: vec![[0; PARTS]; weights.len()], paths: Vec::new() };
        let mut search = Search::new(&case.arcs);
        for origin in &case.origins {
            search.run(&case.arcs, &weights, *origin, &nobody, 1);
            for destination in &case.destinations {
                let units = demand(out.distances.len());
                out.distances.push(search.distance(*destination));
                let mut path = Vec::new();
                let mut at = search.best(*destination);
                while search.distance(*destination) != UNREACHED
                    && let Some((before, link)) = search.parent(at)
                {
                    path.push((link.0, before));
                    (0..PARTS).for_each(|p| out.flows[link.index()][p] += units[p]);
                    at = before;
                }
                out.paths.push(path);
            }
        }
        out
    }
}

fn units(pair: usize, lane: usize) -> [i64; PARTS] {
    let n = i64::try_from(pair * 8 + lane).unwrap();
    [1 + (n * 7919) % 101, if n % 3 == 0 { 0 } else { n }]
}

fn check(seed: u64, weights: Weights, bans: bool) {
    compare(&Case::new(seed, weights, bans));
}

/// Compares everything in all lanes.
pub(super) fn compare(case: &Case) {
    let seed = case.seed;
    let hierarchy = Hierarchy::new(&case.arcs, &case.at);
    let selection = Selection::new(&hierarchy, &case.origins, &case.destinations);
    let mut metric = Metric::<8>::new(&hierarchy);
    let weights = hierarchy.arranged(&case.weights);
    metric.customize(&hierarchy, &weights);
    let batch = Batch { hierarchy: &hierarchy, metric: &metric, weights: &weights };
    let pairs = case.origins.len() * case.destinations.len();
    let demand: Vec<[[i64; PARTS]; 8]> =
        (0..pairs).map(|pair| std::array::from_fn(|lane| units(pair, lane))).collect();
    let distances = selection.distances(batch);
    let mut space = Workspace::new(&hierarchy);
    let plain = space.assign(batch, &selection, Demand::ByLane(&demand), Wanted::Flows, |_| ()).flows;
    for _ in 0..2 {
        drop(space.assign(batch, &selection, Demand::ByLane(&demand), Wanted::Paths, |_| ()));
    }
    let assigned = space.assign(batch, &selection, Demand::ByLane(&demand), Wanted::Paths, |_| ());
    assert_eq!(assigned.flows, plain, "a workspace that was used before, case {seed}");
    assert!(assigned.flows.link.is_sorted_by(|a, b| a < b));
    assert!(
        assigned.flows.flow.iter().all(|flow| *flow != [[0; PARTS]; 8]),
        "a link without a flow, case {seed}"
    );
    // The same workspace for other pairs, and for the first ones again.
    let others = Selection::new(&hierarchy, &case.destinations, &case.origins);
    let back = vec![[[1; PARTS]; 8]; pairs];
    drop(space.assign(batch, &others, Demand::ByLane(&back), Wanted::Flows, |_| ()));
    let assigned = space.assign(batch, &selection, Demand::ByLane(&demand), Wanted::Paths, |_| ());
    assert_eq!(assigned.flows, plain, "a workspace that was used for other pairs, case {seed}");
    for lane in 0..8 {
        let reference = Reference::new(case, lane, |pair| units(pair, lane));
        let own: Vec<u32> = distances.iter().map(|d| d[lane]).collect();
        assert_eq!(own, reference.distances, "distances of case {seed}, lane {lane}");
        let mut flows = vec![[0; PARTS]; case.weights.len()];
        for (link, flow) in assigned.flows.link.iter().zip(&assigned.flows.flow) {
            flows[*link as usize] = flow[lane];
        }
        assert_eq!(flows, reference.flows, "flows of case {seed}, lane {lane}");
        let mut paths = assigned.paths.lane(lane);
        for origin in 0..case.origins.len() {
            let tree = paths.tree(origin, |_| true);
            let parents_first = |(i, node): (usize, &PathNode)| (node.parent as usize) < i.max(1);
            assert!(tree.nodes.iter().enumerate().all(parents_first));
            for j in 0..case.destinations.len() {
                let mut path = Vec::new();
                let mut at = tree.ends[j] as usize;
                while let Some(node) = tree.nodes.get(at).filter(|_| at != 0) {
                    at = node.parent as usize;
                    path.push((node.link, tree.nodes[at].node));
                }
                let pair = origin * case.destinations.len() + j;
                assert_eq!(path, reference.paths[pair], "case {seed}, lane {lane}, pair {pair}");
            }
        }
    }
}

#[test]
fn random_networks_agree_with_the_reference() {
    for seed in 0..1_000 {
        check(seed, Weights::Minutes, seed % 2 == 0);
    }
}

#[test]
fn networks_on_which_almost_everything_ties_agree_with_the_reference() {
    for seed in 0..1_500 {
        check(seed, Weights::Tiny, seed % 2 == 0);
    }
}

#[test]
fn sums_that_do_not_fit_are_no_way() {
    for seed in 0..300 {
        check(seed, Weights::Huge, seed % 2 == 0);
    }
}

#[test]
fn flows_go_down_from_part_to_part() {
    fn depth(segment: &Segment) -> usize {
        1 + segment.below.iter().map(depth).max().unwrap_or(0)
    }
    for (seed, side) in [(1, 60), (2, 75), (3, 90)] {
        let case = Case::lattice(side, seed, Weights::Minutes).tangled();
        let hierarchy = Hierarchy::new(&case.arcs, &case.at);
        assert!(depth(&hierarchy.segments) > 2, "parts below parts, case {seed}");
        compare(&case);
    }
}

#[test]
fn an_empty_network_has_no_way_and_no_flow() {
    let arcs = crate::network::search::Arcs::of_list(0, Vec::new());
    let hierarchy = Hierarchy::new(&arcs, &[]);
    let selection = Selection::new(&hierarchy, &[], &[]);
    let mut metric = Metric::<8>::new(&hierarchy);
    metric.customize(&hierarchy, &[]);
    let batch = Batch { hierarchy: &hierarchy, metric: &metric, weights: &[] };
    let mut space = Workspace::<1, 8>::new(&hierarchy);
    let assigned = space.assign(batch, &selection, Demand::Shared(&[]), Wanted::Flows, |_| ());
    assert!(assigned.flows.link.is_empty() && assigned.visits.is_empty());
    assert!(selection.distances(batch).is_empty());
    let lonely = crate::network::search::Arcs::of_list(1, Vec::new());
    let hierarchy = Hierarchy::new(&lonely, &[geo::Coord { x: 0.0, y: 0.0 }]);
    let selection = Selection::new(&hierarchy, &[JunctionId(0)], &[JunctionId(0)]);
    let metric = Metric::<8>::new(&hierarchy);
    let batch = Batch { hierarchy: &hierarchy, metric: &metric, weights: &[] };
    assert_eq!(selection.distances(batch), [[0; 8]]);
}
