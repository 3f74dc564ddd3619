//! The routing kernel beside the reference search, on made-up networks of 20,000, 250,000 and 1,000,000 junctions
//! (`CORREDOR_BENCH_JUNCTIONS=20000,250000` for others): 50 origins, 124 destinations, 32 perturbed weight vectors
//! (`CORREDOR_BENCH_VECTORS`), the perturbations of some draws, same weights, same threads, in one run. Both must find the same sum of flow times cost.

#![expect(clippy::print_stdout, reason = "what a bench is for")]
#![expect(clippy::expect_used, reason = "a bench that cannot be set up has nothing to measure")]

#[path = "common/generated.rs"]
mod generated;
#[path = "common/workload.rs"]
mod workload;

use corredor::network::cch::{Batch, Demand, Hierarchy, LANES, Metric, Selection, Wanted, Workspace};
use generated::generated;
use workload::{Reference, demand, median, memory, seconds, setting, some};

/// Vectors for which the reference is run: it takes long.
const REFERENCE: usize = 4;

fn main() {
    let sizes = setting("CORREDOR_BENCH_JUNCTIONS").unwrap_or_else(|| "20000,250000,1000000".to_owned());
    let vectors = setting("CORREDOR_BENCH_VECTORS").and_then(|n| n.parse().ok()).unwrap_or(32);
    for size in sizes.split(',').filter_map(|s| s.trim().parse().ok()) {
        measure(size, vectors);
    }
}

fn measure(junctions: usize, vectors: usize) {
    let network = generated(junctions, 1);
    let (n, links) = (network.at.len(), network.weights.len());
    let threads = rayon::current_num_threads();
    println!("{n} junctions, {links} links, {threads} threads");
    let before = memory("VmRSS:");
    let (hierarchy, preparation) = seconds(|| Hierarchy::new(&network.arcs, &network.at));
    println!(
        "  preparation {preparation:.2} s: {} arcs, {} triangles, height {}, {:.0} bytes a junction",
        hierarchy.arc_count(),
        hierarchy.triangle_count(),
        hierarchy.height(),
        hierarchy.bytes() as f64 / n as f64
    );
    let all: Vec<u32> = (0..).take(n).collect();
    let (origins, destinations) = (some(&all, 50, 7), some(&all, 124, 8));
    let (selection, time) = seconds(|| Selection::new(&hierarchy, &origins, &destinations));
    println!("  selection {:.1} ms, {} nodes in the union", time * 1e3, selection.union_size());
    let demand = demand(origins.len() * destinations.len());

    let (mut customize, mut whole, mut sums) = (Vec::new(), Vec::new(), Vec::new());
    let mut metric = Metric::<LANES>::new(&hierarchy);
    let mut space = Workspace::<1, LANES>::new(&hierarchy);
    // The first call computes the table of perturbations.
    let mut by_link = network.perceived(0);
    let mut perturbing = Vec::new();
    let draws = u32::try_from(vectors.div_ceil(LANES)).expect("few draws");
    for draw in 0..draws {
        let ((), time) = seconds(|| network.perceive(draw, &mut by_link));
        let weights = hierarchy.arranged(&by_link);
        perturbing.push(time * 1e3 / LANES as f64);
        let ((), first) = seconds(|| metric.customize(&hierarchy, &weights));
        let batch = Batch { hierarchy: &hierarchy, metric: &metric, weights: &weights };
        let (assigned, second) =
            seconds(|| space.assign(batch, &selection, Demand::Shared(&demand), Wanted::Flows, |_| ()));
        customize.push(first * 1e3 / LANES as f64);
        whole.push((first + second) * 1e3 / LANES as f64);
        let cost = |lane: usize| -> i128 {
            let links = assigned.flows.link.iter().zip(&assigned.flows.flow);
            links.map(|(l, f)| i128::from(f[lane][0]) * i128::from(by_link[*l as usize][lane].max(1))).sum()
        };
        sums.extend((0..LANES).map(cost));
    }
    network.perceive(0, &mut by_link);
    let weights = hierarchy.arranged(&by_link);
    metric.customize(&hierarchy, &weights);
    let (distances, matrix) = {
        let batch = Batch { hierarchy: &hierarchy, metric: &metric, weights: &weights };
        seconds(|| selection.distances(batch))
    };
    std::hint::black_box(distances);
    let own = median(&whole);
    println!(
        "  kernel {own:.2} ms a vector: customization {:.2}, distances {:.2}; perturbing {:.2} beside it",
        median(&customize),
        matrix * 1e3 / LANES as f64,
        median(&perturbing)
    );
    println!(
        "  memory {:.0} bytes a junction over the network's",
        (memory("VmHWM:") - before) * 1024.0 / n as f64
    );

    let mut single = Metric::<1>::new(&hierarchy);
    let mut space = Workspace::<1, 1>::new(&hierarchy);
    let mut alone = Vec::new();
    for lane in 0..REFERENCE {
        let weights: Vec<[u32; 1]> = weights.iter().map(|w| [w[lane]]).collect();
        let ((), time) = seconds(|| {
            single.customize(&hierarchy, &weights);
            let batch = Batch { hierarchy: &hierarchy, metric: &single, weights: &weights };
            std::hint::black_box(space.assign(
                batch,
                &selection,
                Demand::Shared(&demand),
                Wanted::Flows,
                |_| (),
            ));
        });
        alone.push(time * 1e3);
    }

    let mut reference = Vec::new();
    let search = Reference::new(&network.arcs, &origins, &destinations);
    for lane in 0..REFERENCE.min(vectors) {
        let weights: Vec<u32> = by_link.iter().map(|w| w[lane]).collect();
        let (sum, time) = seconds(|| search.assign(&weights, &demand));
        assert_eq!(sum, sums[lane], "the sum of flow times cost");
        reference.push(time * 1e3);
    }
    let theirs = median(&reference);
    let single = median(&alone);
    println!("  reference {theirs:.2} ms a vector: {:.1} times the kernel", theirs / own);
    println!("  one vector alone {single:.2} ms: the reference takes {:.1} times as long", theirs / single);
}
