//! The kernel as one of the peers, and what is asked of it alone.

use std::sync::atomic::AtomicBool;

use corredor::network::cch::{Batch, Demand, Hierarchy, LANES, Metric, Selection, Wanted, Workspace};

use super::problem::{Answer, PAIRS, Problem};
use super::rust::{GROWTH, LARGE, pairs_key};
use super::workload::{demand, median, memory, seconds};

/// Vectors that are done alone.
const ALONE: usize = 4;

/// Flows of the vectors from `first` on: seconds in all, seconds of the customization, sums of flow times cost.
fn assign<const W: usize>(
    problem: &Problem,
    hierarchy: &Hierarchy,
    selection: &Selection,
    first: usize,
    (metric, space): (&mut Metric<W>, &mut Workspace<1, W>),
) -> (f64, f64, [f64; W]) {
    let demand = demand(selection.origins() * selection.destinations());
    let weights = problem.lanes::<W>(first);
    let ((), customized) = seconds(|| metric.customize(hierarchy, &weights));
    let batch = Batch { hierarchy, metric, weights: &weights };
    let (assigned, rest) =
        seconds(|| space.assign(batch, selection, Demand::Shared(&demand), Wanted::Flows, |_| ()));
    let links = || assigned.flows.link.iter().zip(&assigned.flows.flow);
    let cost = |lane: usize| -> f64 {
        let one = |(l, f): (&u32, &[[i64; 1]; W])| {
            i128::from(f[lane][0]) * i128::from(weights[*l as usize][lane].max(1))
        };
        #[expect(clippy::cast_precision_loss, reason = "six digits are compared")]
        let sum = links().map(one).sum::<i128>() as f64;
        sum
    };
    (customized + rest, customized, std::array::from_fn(cost))
}

/// Eight vectors at a time.
pub(crate) fn kernel(problem: &Problem, budget: f64) -> Answer {
    let arcs = problem.arcs();
    let before = memory("VmRSS:");
    let cache = tempfile::tempdir().expect("a temporary folder");
    let never = AtomicBool::new(false);
    let prepare = || {
        Hierarchy::prepare(&arcs, &problem.at, Some(cache.path()), &never)
            .expect("a preparation that goes on")
    };
    let (prepared, preparation) = seconds(prepare);
    let hierarchy = prepared.hierarchy;
    let mut answer = Answer { version: "corredor".to_owned(), preparation, ..Answer::default() };
    let [origins, destinations] = problem.ends(PAIRS);
    let selection = Selection::new(&hierarchy, &origins, &destinations);
    let mut metric = Metric::<LANES>::new(&hierarchy);
    let mut space = Workspace::<1, LANES>::new(&hierarchy, problem.links);
    let mut customize = Vec::new();
    for first in (0..problem.vectors).step_by(LANES) {
        let (time, customized, costs) =
            assign(problem, &hierarchy, &selection, first, (&mut metric, &mut space));
        answer.assign.push(time / LANES as f64);
        answer.costs.extend((first..).zip(costs));
        customize.push(customized / LANES as f64);
        if answer.assign.iter().sum::<f64>() * LANES as f64 > 4.0 * budget {
            break;
        }
    }
    let peak = memory("VmHWM:");
    for first in (0..answer.costs.len()).step_by(LANES) {
        let weights = problem.lanes::<LANES>(first);
        let whole = || {
            metric.customize(&hierarchy, &weights);
            selection.distances(Batch { hierarchy: &hierarchy, metric: &metric, weights: &weights })
        };
        let (distances, time) = seconds(whole);
        answer.matrix.push(time / LANES as f64);
        for lane in 0..LANES {
            let sum: u64 = distances.iter().map(|d| u64::from(d[lane])).sum();
            answer.sums.insert(first + lane, sum as f64);
        }
    }

    let per_junction = |bytes: f64| bytes / problem.nodes as f64;
    let mut tell = |name: &str, number: f64| answer.more.insert(name.to_owned(), number);
    tell("customize", median(&customize));
    tell("arcs", hierarchy.arc_count() as f64);
    tell("triangles", hierarchy.triangle_count() as f64);
    tell("bytes a junction", per_junction(1024.0 * (peak - before)));
    tell("bytes a vector", moved(problem, &hierarchy, &selection, &metric) / LANES as f64);
    drop((metric, space));

    let (mut metric, mut space) =
        (Metric::<1>::new(&hierarchy), Workspace::<1, 1>::new(&hierarchy, problem.links));
    let alone = |vector| assign(problem, &hierarchy, &selection, vector, (&mut metric, &mut space)).0;
    tell("alone", median(&(0..ALONE.min(problem.vectors)).map(alone).collect::<Vec<f64>>()));

    if problem.nodes < LARGE {
        let mut metric = Metric::<LANES>::new(&hierarchy);
        for pairs in GROWTH {
            let [origins, destinations] = problem.ends(pairs);
            let selection = Selection::new(&hierarchy, &origins, &destinations);
            let mut space = Workspace::<1, LANES>::new(&hierarchy, problem.links);
            let mut once = || assign(problem, &hierarchy, &selection, 0, (&mut metric, &mut space)).0;
            tell(&pairs_key(pairs), median(&[once(), once(), once()]) / LANES as f64);
        }
    }

    let (prepared, cached) = seconds(prepare);
    assert!(prepared.cached, "an order in the cache");
    tell("cached", cached);
    answer
}

/// Bytes that a batch must at least move between memory and processor: what it works with, once in each direction in
/// which it goes.
fn moved<const W: usize>(
    problem: &Problem,
    hierarchy: &Hierarchy,
    selection: &Selection,
    metric: &Metric<W>,
) -> f64 {
    let lanes = 4 * W;
    // Weights of the arcs: written, then read by the rows above, by the distances, and by the unpacking.
    let metric = metric.bytes() * 2;
    let weights = problem.links * lanes;
    let labels = 2 * selection.origins() * selection.union_size() * lanes;
    // Flows of the links, as whole numbers of 64 bits.
    let flows = problem.links * 8 * W;
    (metric + weights + hierarchy.bytes() + labels + flows) as f64
}
