//! The kernel as one of the peers, and what is asked of it alone.

use std::sync::atomic::AtomicBool;

use corredor::corridors::routing;
use corredor::network::cch::{Batch, Demand, Hierarchy, LANES, Metric, Selection, Wanted, Workspace};

use super::problem::{Answer, PAIRS, Problem};
use super::rust::{GROWTH, LARGE, pairs_key};
use super::workload::{demand, median, memory, seconds, share};

/// Vectors that are done alone.
const ALONE: usize = 4;

/// What a thread, or all of them together, work with.
type Space<const W: usize> = (Metric<W>, Workspace<1, W>);

/// Flows of the vectors from `first` on: seconds in all, seconds of the customization, sums of flow times cost.
fn assign<const W: usize>(
    problem: &Problem,
    hierarchy: &Hierarchy,
    selection: &Selection,
    first: usize,
    (metric, space): &mut Space<W>,
) -> (f64, f64, [f64; W]) {
    let demand = demand(selection.origins() * selection.destinations());
    let by_link = problem.lanes::<W>(first);
    let weights = hierarchy.arranged(&by_link);
    let ((), customized) = seconds(|| metric.customize(hierarchy, &weights));
    let batch = Batch { hierarchy, metric, weights: &weights };
    let (assigned, rest) =
        seconds(|| space.assign(batch, selection, Demand::Shared(&demand), Wanted::Flows, |_| ()));
    let links = || assigned.flows.link.iter().zip(&assigned.flows.flow);
    let cost = |lane: usize| -> f64 {
        let one = |(l, f): (&u32, &[[i64; 1]; W])| {
            i128::from(f[lane][0]) * i128::from(by_link[*l as usize][lane].max(1))
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
    let mut selection = Selection::new(&hierarchy, &origins, &destinations);
    // As a run does it: on a small network each thread has batches of its own.
    let mut threads = 1;
    if problem.nodes <= routing::ALONE {
        let batches = (problem.vectors / LANES).max(1);
        (threads, selection) = (rayon::current_num_threads().min(batches), selection.on_one_thread());
    }
    let one = || (Metric::<LANES>::new(&hierarchy), Workspace::<1, LANES>::new(&hierarchy));
    let spaces: Vec<_> =
        (0..threads).map(|_| (one(), Vec::<(usize, (f64, f64, [f64; LANES]))>::new())).collect();
    let vectors = |seconds: f64| seconds / (LANES * threads) as f64;
    let spaces = share(spaces, problem.vectors / LANES, |(space, done), batch| {
        if done.iter().map(|(_, (time, ..))| time).sum::<f64>() <= 4.0 * budget {
            done.push((LANES * batch, assign(problem, &hierarchy, &selection, LANES * batch, space)));
        }
    });
    let peak = memory("VmHWM:");
    let mut customize = Vec::new();
    for (first, (time, customized, costs)) in spaces.iter().flat_map(|(_, done)| done) {
        answer.assign.push(vectors(*time));
        customize.push(vectors(*customized));
        answer.costs.extend((*first..).zip(*costs));
    }
    let spaces: Vec<_> = spaces.into_iter().map(|(space, _)| (space, Vec::new())).collect();
    let mut spaces =
        share(spaces, answer.costs.len() / LANES, |((metric, _), done): &mut (Space<_>, _), batch| {
            let weights = hierarchy.arranged(&problem.lanes::<LANES>(LANES * batch));
            let (distances, time) = seconds(|| {
                metric.customize(&hierarchy, &weights);
                selection.distances(Batch { hierarchy: &hierarchy, metric, weights: &weights })
            });
            let sum = |lane: usize| distances.iter().map(|d| u64::from(d[lane])).sum::<u64>() as f64;
            done.push((LANES * batch, time, std::array::from_fn::<f64, LANES, _>(sum)));
        });
    for (first, time, sums) in spaces.iter().flat_map(|(_, done)| done) {
        answer.matrix.push(vectors(*time));
        answer.sums.extend((*first..).zip(*sums));
    }

    let per_junction = |bytes: f64| bytes / problem.nodes as f64;
    let mut tell = |name: &str, number: f64| answer.more.insert(name.to_owned(), number);
    tell("customize", median(&customize));
    tell("together", (LANES * threads) as f64);
    tell("arcs", hierarchy.arc_count() as f64);
    tell("triangles", hierarchy.triangle_count() as f64);
    tell("bytes a junction", per_junction(1024.0 * (peak - before)));
    if let Some(((metric, _), _)) = spaces.pop() {
        tell("bytes a vector", moved(problem, &hierarchy, &selection, &metric) / LANES as f64);
    }
    drop(spaces);

    let selection = Selection::new(&hierarchy, &origins, &destinations);
    let mut space = (Metric::<1>::new(&hierarchy), Workspace::<1, 1>::new(&hierarchy));
    let alone = |vector| assign(problem, &hierarchy, &selection, vector, &mut space).0;
    tell("alone", median(&(0..ALONE.min(problem.vectors)).map(alone).collect::<Vec<f64>>()));

    if problem.nodes < LARGE {
        for pairs in GROWTH {
            let [origins, destinations] = problem.ends(pairs);
            let selection = Selection::new(&hierarchy, &origins, &destinations);
            let mut space = one();
            let mut once = || assign(problem, &hierarchy, &selection, 0, &mut space).0;
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
