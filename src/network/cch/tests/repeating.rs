//! The same bytes for any width of a batch and any number of threads; and larger networks, which have separators.

use super::agreeing::compare;
use super::random::{Case, Weights};
use crate::network::cch::{Batch, Demand, Hierarchy, LinkFlows, Metric, Selection, Wanted, Workspace};
use crate::network::search::{Arcs, UNREACHED};

fn demand(case: &Case) -> Vec<[i64; 2]> {
    let pairs = case.origins.len() * case.destinations.len();
    (0_i64..).take(pairs).map(|n| [n % 13, n * n % 17]).collect()
}

/// Flows of lanes `from..from + W` alone.
fn assigned<const W: usize>(case: &Case, hierarchy: &Hierarchy, from: usize) -> LinkFlows<2, W> {
    let weights: Vec<[u32; W]> =
        case.weights.iter().map(|w| std::array::from_fn(|lane| w[from + lane])).collect();
    let selection = Selection::new(hierarchy, &case.origins, &case.destinations);
    let mut metric = Metric::<W>::new(hierarchy);
    let weights = hierarchy.arranged(&weights);
    metric.customize(hierarchy, &weights);
    let batch = Batch { hierarchy, metric: &metric, weights: &weights };
    let mut space = Workspace::new(hierarchy);
    space.assign(batch, &selection, Demand::Shared(&demand(case)), Wanted::Flows, |_| ()).flows
}

/// The flow of one lane where there is any.
fn lane<const W: usize>(flows: &LinkFlows<2, W>, lane: usize) -> Vec<(u32, [i64; 2])> {
    let flow = flows.flow.iter().map(|f| f[lane]);
    flows.link.iter().copied().zip(flow).filter(|(_, f)| *f != [0, 0]).collect()
}

#[test]
fn any_width_gives_the_same_flows() {
    for seed in 0..60 {
        let weights = if seed % 2 == 0 { Weights::Tiny } else { Weights::Minutes };
        let case = Case::new(seed, weights, seed % 3 == 0);
        let hierarchy = Hierarchy::new(&case.arcs, &case.at);
        let eight = assigned::<8>(&case, &hierarchy, 0);
        for half in [0, 4] {
            let four = assigned::<4>(&case, &hierarchy, half);
            (0..4).for_each(|l| assert_eq!(lane(&four, l), lane(&eight, half + l), "case {seed}"));
        }
        let (two, three, five) = (
            assigned::<2>(&case, &hierarchy, 6),
            assigned::<3>(&case, &hierarchy, 0),
            assigned::<5>(&case, &hierarchy, 3),
        );
        (0..2).for_each(|l| assert_eq!(lane(&two, l), lane(&eight, 6 + l), "case {seed}"));
        (0..3).for_each(|l| assert_eq!(lane(&three, l), lane(&eight, l), "case {seed}"));
        (0..5).for_each(|l| assert_eq!(lane(&five, l), lane(&eight, 3 + l), "case {seed}"));
        let (six, seven) = (assigned::<6>(&case, &hierarchy, 1), assigned::<7>(&case, &hierarchy, 1));
        (0..6).for_each(|l| assert_eq!(lane(&six, l), lane(&eight, 1 + l), "case {seed}"));
        (0..7).for_each(|l| assert_eq!(lane(&seven, l), lane(&eight, 1 + l), "case {seed}"));
        for l in 0..8 {
            assert_eq!(lane(&assigned::<1>(&case, &hierarchy, l), 0), lane(&eight, l), "case {seed}");
        }
    }
}

#[test]
fn any_number_of_threads_gives_the_same_order_weights_and_flows() {
    let case = Case::lattice(90, 5, Weights::Tiny);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let hierarchy = Hierarchy::new(&case.arcs, &case.at);
            let mut metric = Metric::<8>::new(&hierarchy);
            metric.customize(&hierarchy, &hierarchy.arranged(&case.weights));
            let flows = assigned::<8>(&case, &hierarchy, 0);
            (hierarchy.node, hierarchy.head, metric.up, metric.down, flows)
        })
    };
    let one = run(1);
    assert!(!one.4.link.is_empty());
    for threads in [2, 3, 7] {
        assert!(run(threads) == one, "{threads} threads");
    }
}

#[test]
fn larger_networks_agree_with_the_reference() {
    for (seed, weights) in (0..6).zip([Weights::Minutes, Weights::Tiny].into_iter().cycle()) {
        compare(&Case::lattice(25 + 5 * u32::try_from(seed).unwrap(), seed, weights));
    }
}

#[test]
fn flow_is_conserved_at_every_junction() {
    // A link for each direction, so that its flow has one.
    let mut case = Case::lattice(40, 12, Weights::Minutes);
    let arcs: Vec<(u32, u32, u32)> = case.arcs.all().collect();
    let weight = |(n, (.., link)): (u32, &(u32, u32, u32))| case.weights[*link as usize].map(|w| w + n % 7);
    case.weights = (0..).zip(&arcs).map(weight).collect();
    let list = (0..).zip(&arcs).map(|(n, (tail, head, _))| (*tail, *head, n)).collect();
    case.arcs = Arcs::of_list(case.at.len(), list);
    let hierarchy = Hierarchy::new(&case.arcs, &case.at);
    let (flows, demand) = (assigned::<8>(&case, &hierarchy, 0), demand(&case));
    let selection = Selection::new(&hierarchy, &case.origins, &case.destinations);
    let mut metric = Metric::<8>::new(&hierarchy);
    let weights = hierarchy.arranged(&case.weights);
    metric.customize(&hierarchy, &weights);
    let distances = selection.distances(Batch { hierarchy: &hierarchy, metric: &metric, weights: &weights });
    for l in 0..8 {
        // By junction: what comes in less what goes out, and what ends less what begins.
        let (mut over_links, mut of_trips) = (vec![0; case.at.len()], vec![0; case.at.len()]);
        for (link, units) in lane(&flows, l) {
            let (tail, head, _) = arcs[link as usize];
            over_links[head as usize] += units[0];
            over_links[tail as usize] -= units[0];
        }
        let pairs = case.origins.iter().flat_map(|o| case.destinations.iter().map(move |d| (o, d)));
        for ((origin, destination), (units, distance)) in pairs.zip(demand.iter().zip(&distances)) {
            if distance[l] != UNREACHED {
                of_trips[destination.index()] += units[0];
                of_trips[origin.index()] -= units[0];
            }
        }
        assert_eq!(over_links, of_trips, "lane {l}");
        assert!(over_links.iter().filter(|sum| **sum != 0).count() > 20);
    }
}

#[test]
fn flow_times_cost_is_demand_times_distance() {
    let case = Case::lattice(40, 11, Weights::Minutes);
    let hierarchy = Hierarchy::new(&case.arcs, &case.at);
    let selection = Selection::new(&hierarchy, &case.origins, &case.destinations);
    let mut metric = Metric::<8>::new(&hierarchy);
    let weights = hierarchy.arranged(&case.weights);
    metric.customize(&hierarchy, &weights);
    let batch = Batch { hierarchy: &hierarchy, metric: &metric, weights: &weights };
    let demand = demand(&case);
    let distances = selection.distances(batch);
    let mut space = Workspace::<2, 8>::new(&hierarchy);
    let flows = space.assign(batch, &selection, Demand::Shared(&demand), Wanted::Flows, |_| ()).flows;
    for l in 0..8 {
        // The sum of flow times cost is that of demand times distance.
        let carried = flows.link.iter().zip(&flows.flow).map(|(link, flow)| {
            i64::from(case.weights[*link as usize][l].max(1)) * (flow[l][0] + flow[l][1])
        });
        let wanted = demand
            .iter()
            .zip(&distances)
            .filter(|(_, d)| d[l] != UNREACHED)
            .map(|(units, d)| (units[0] + units[1]) * i64::from(d[l]));
        assert_eq!(carried.sum::<i64>(), wanted.sum::<i64>(), "lane {l}");
    }
}
