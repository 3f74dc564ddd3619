//! Peers in Rust; each runs in a process of its own.

use std::fs;
use std::path::Path;
use std::time::Instant;

use corredor::ids::JunctionId;
use petgraph::algo::dijkstra::with_dynamic_goal;
use petgraph::graph::{DiGraph, EdgeReference, NodeIndex};
use rayon::prelude::*;

use super::kernel::kernel;
use super::problem::{Answer, PAIRS, Problem};
use super::workload::{Reference, demand, memory, seconds, share};

/// Pairs at which the growth is measured, in networks below [`LARGE`] nodes.
pub(crate) const GROWTH: [[usize; 2]; 4] = [[10, 31], [50, 124], [200, 124], [200, 496]];
/// Nodes beyond which what is only told for its growth is left out.
pub(crate) const LARGE: usize = 500_000;

/// The name of a number that belongs to a number of pairs.
pub(crate) fn pairs_key([origins, destinations]: [usize; 2]) -> String {
    format!("pairs {origins} x {destinations}")
}

/// Runs `one` for each vector until `budget` seconds are used up, but at least twice.
pub(crate) fn each_vector(vectors: usize, budget: f64, mut one: impl FnMut(usize)) {
    let start = Instant::now();
    for vector in 0..vectors {
        if vector >= 2 && start.elapsed().as_secs_f64() > budget {
            return;
        }
        one(vector);
    }
}

/// Solves the problem in `folder` and returns the answer, or nothing for a peer that is not in Rust.
pub(crate) fn solve(peer: &str, folder: &Path, budget: f64) -> Option<Answer> {
    let problem = Problem::read(folder);
    // The peak begins anew.
    fs::write("/proc/self/clear_refs", "5").expect("the state of this process");
    let mut answer = match peer {
        "kernel" => kernel(&problem, budget),
        "dijkstra" => dijkstra(&problem, budget),
        "petgraph" => petgraph(&problem, budget),
        "cch" => cch(&problem, budget),
        "fast_paths" => fast_paths(&problem),
        _ => return None,
    };
    answer.peak_mb = memory("VmHWM:") / 1024.0;
    Some(answer)
}

/// The version of a crate in the lock file.
fn version(name: &str) -> String {
    let lock =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock")).unwrap_or_default();
    let head = format!("name = \"{name}\"\nversion = \"");
    let found = lock.split(&head).nth(1).and_then(|rest| rest.split('"').next());
    format!("{name} {}", found.unwrap_or("?"))
}

fn nodes(list: &[JunctionId]) -> Vec<u32> {
    list.iter().map(|j| j.0).collect()
}

/// Sums are compared to six digits: a double has fifteen.
#[expect(clippy::cast_precision_loss, reason = "six digits are compared")]
const fn rounded(sum: i128) -> f64 {
    sum as f64
}

/// The search of this project: adjacency array, heap of four, stops at the last destination, parallel over origins.
fn dijkstra(problem: &Problem, budget: f64) -> Answer {
    let (arcs, preparation) = seconds(|| problem.arcs());
    let mut answer = Answer { version: "this project's".to_owned(), preparation, ..Answer::default() };
    let [origins, destinations] = problem.ends(PAIRS);
    let search = Reference::new(&arcs, &origins, &destinations);
    let demand_here = demand(origins.len() * destinations.len());
    each_vector(problem.vectors, budget, |vector| {
        let weights = problem.weights(vector);
        let (cost, time) = seconds(|| search.assign(weights, &demand_here));
        answer.assign.push(time);
        answer.costs.insert(vector, rounded(cost));
    });
    each_vector(problem.vectors, budget / 2.0, |vector| {
        let (sum, time) = seconds(|| search.matrix(problem.weights(vector)));
        answer.matrix.push(time);
        answer.sums.insert(vector, rounded(sum));
    });
    for pairs in GROWTH.into_iter().filter(|_| problem.nodes < LARGE) {
        let [origins, destinations] = problem.ends(pairs);
        let demand = demand(origins.len() * destinations.len());
        let search = Reference::new(&arcs, &origins, &destinations);
        let (_, time) = seconds(|| search.assign(problem.weights(0), &demand));
        answer.more.insert(pairs_key(pairs), time);
    }
    answer
}

/// petgraph's search, stopped at the last destination, parallel over origins. It has no parents: distances only.
fn petgraph(problem: &Problem, budget: f64) -> Answer {
    let make = || {
        let mut graph = DiGraph::<(), u32>::with_capacity(problem.nodes, problem.tail.len());
        for _ in 0..problem.nodes {
            graph.add_node(());
        }
        for ((tail, head), link) in problem.tail.iter().zip(&problem.head).zip(&problem.link) {
            graph.add_edge(NodeIndex::from(*tail), NodeIndex::from(*head), *link);
        }
        graph
    };
    let (graph, preparation) = seconds(make);
    let mut answer = Answer { version: version("petgraph"), preparation, ..Answer::default() };
    let [origins, destinations] = problem.ends(PAIRS);
    let mut wanted = vec![false; problem.nodes];
    for destination in &destinations {
        wanted[destination.index()] = true;
    }
    each_vector(problem.vectors, budget, |vector| {
        let weights = problem.weights(vector);
        let one = |origin: &JunctionId| -> u64 {
            let mut left = destinations.len();
            let last = |node: &NodeIndex| {
                left -= usize::from(wanted[node.index()]);
                left == 0
            };
            let cost = |edge: EdgeReference<'_, u32>| u64::from(weights[*edge.weight() as usize].max(1));
            let found = with_dynamic_goal(&graph, NodeIndex::from(origin.0), last, cost).scores;
            destinations.iter().map(|d| found[&NodeIndex::from(d.0)]).sum()
        };
        let (sum, time) = seconds(|| origins.par_iter().map(one).sum::<u64>());
        answer.matrix.push(time);
        answer.sums.insert(vector, rounded(i128::from(sum)));
    });
    answer
}

/// Arcs by tail, to find the links of a path of nodes.
struct Steps {
    first_out: Vec<u32>,
    head: Vec<u32>,
}

impl Steps {
    /// Adds `flow` to the cheapest arc of each step of a path.
    fn load(&self, path: impl Iterator<Item = u32>, weights: &[u32], flow: i64, flows: &mut [i64]) {
        let mut before = None;
        for node in path {
            if let Some(tail) = before.replace(node) {
                let row = self.first_out[tail as usize] as usize..self.first_out[tail as usize + 1] as usize;
                let arc = row.filter(|arc| self.head[*arc] == node).min_by_key(|arc| weights[*arc]);
                flows[arc.expect("a step along an arc")] += flow;
            }
        }
    }
}

fn cost(flows: impl Iterator<Item = i64>, weights: &[u32]) -> f64 {
    rounded(flows.zip(weights).map(|(f, w)| i128::from(f) * i128::from(*w)).sum())
}

/// The crate `cch`: customization in parallel, a path for each pair unpacked, pairs of an origin to one thread.
fn cch(problem: &Problem, budget: f64) -> Answer {
    let graph = cch::graph::Graph {
        first_out: problem.first_out(),
        head: problem.head.clone(),
        weight: vec![1; problem.head.len()],
    };
    #[expect(clippy::cast_possible_truncation, reason = "positions only order the nodes")]
    let [x, y]: [Vec<f32>; 2] = [0, 1].map(|i| problem.at.iter().map(|c| [c.x, c.y][i] as f32).collect());
    let prepare = || {
        let count = u32::try_from(problem.nodes).expect("few nodes");
        let order = cch::inertial_order(count, &problem.tail, &problem.head, &y, &x);
        cch::Cch::build(&graph, &order)
    };
    let (hierarchy, preparation) = seconds(prepare);
    let mut answer = Answer { version: version("cch"), preparation, ..Answer::default() };
    answer.more.insert("arcs".to_owned(), hierarchy.cch_arc_count() as f64);
    let [origins, destinations] = problem.ends(PAIRS).map(|list| nodes(&list));
    let demand = demand(origins.len() * destinations.len());
    let customizer = hierarchy.customizer();
    let view = hierarchy.view();
    let steps = Steps { first_out: graph.first_out.clone(), head: graph.head.clone() };
    let mut metric = customizer.customize(&problem.by_arc(0));
    let threads = rayon::current_num_threads();
    let space = |_| (cch::PathQuery::new(&view), vec![0_i64; problem.head.len()]);
    let mut spaces: Vec<_> = (0..threads).map(space).collect();
    each_vector(problem.vectors, budget, |vector| {
        let weights = problem.by_arc(vector);
        for (_, flows) in &mut spaces {
            flows.fill(0);
        }
        let work =
            |(query, flows): &mut (cch::PathQuery<'_>, Vec<i64>), i: usize, metric: &cch::MetricView<'_>| {
                for (j, destination) in destinations.iter().enumerate() {
                    let path = query.path(metric, origins[i], *destination).expect("a way");
                    let flow = demand[i * destinations.len() + j][0];
                    steps.load(path.into_iter(), &weights, flow, flows);
                }
            };
        let start = Instant::now();
        customizer.customize_into(&weights, &mut metric);
        let values = metric.view();
        spaces = share(std::mem::take(&mut spaces), origins.len(), |space, i| work(space, i, &values));
        answer.assign.push(start.elapsed().as_secs_f64());
        let sums = (0..weights.len()).map(|arc| spaces.iter().map(|(_, flows)| flows[arc]).sum());
        answer.costs.insert(vector, cost(sums, &weights));
    });
    each_vector(problem.vectors, budget / 2.0, |vector| {
        let weights = problem.by_arc(vector);
        let start = Instant::now();
        customizer.customize_into(&weights, &mut metric);
        let values = metric.view();
        let some = |part: &[u32]| cch::distance_matrix(&view, &values, part, &destinations);
        let parts: Vec<Vec<u32>> = origins.par_chunks(origins.len().div_ceil(threads)).map(some).collect();
        answer.matrix.push(start.elapsed().as_secs_f64());
        answer.sums.insert(vector, rounded(parts.iter().flatten().map(|d| i128::from(*d)).sum()));
    });
    answer
}

/// The crate `fast_paths`: prepared anew for each vector in the order of the first, vectors in parallel.
fn fast_paths(problem: &Problem) -> Answer {
    let graph = |weights: &[u32]| {
        let mut graph = fast_paths::InputGraph::new();
        for ((tail, head), weight) in problem.tail.iter().zip(&problem.head).zip(weights) {
            graph.add_edge(*tail as usize, *head as usize, *weight as usize);
        }
        graph.freeze();
        graph
    };
    let first = graph(&problem.by_arc(0));
    let (order, preparation) = seconds(|| fast_paths::prepare(&first).get_node_ordering());
    let [origins, destinations] = problem.ends(PAIRS).map(|list| nodes(&list));
    let demand = demand(origins.len() * destinations.len());
    let steps = Steps { first_out: problem.first_out(), head: problem.head.clone() };
    let threads = rayon::current_num_threads();
    // A preparation takes one thread, and longer than any budget: one vector for each thread, and two at least.
    let one = |vector: usize| {
        let weights = problem.by_arc(vector);
        let graph = graph(&weights);
        let start = Instant::now();
        let prepared = fast_paths::prepare_with_order(&graph, &order).expect("an order of these nodes");
        let mut query = fast_paths::create_calculator(&prepared);
        let mut flows = vec![0_i64; weights.len()];
        for (pair, flow) in demand.iter().enumerate() {
            let (i, j) = (pair / destinations.len(), pair % destinations.len());
            let path = query.calc_path(&prepared, origins[i] as usize, destinations[j] as usize);
            let path = path.expect("a way");
            let nodes = path.get_nodes().iter().map(|v| u32::try_from(*v).expect("few nodes"));
            steps.load(nodes, &weights, flow[0], &mut flows);
        }
        (vector, start.elapsed().as_secs_f64() / threads as f64, cost(flows.into_iter(), &weights))
    };
    let vectors = problem.vectors.min(threads.max(2));
    let done: Vec<(usize, f64, f64)> = (0..vectors).into_par_iter().with_max_len(1).map(one).collect();
    Answer {
        version: version("fast_paths"),
        preparation,
        assign: done.iter().map(|(_, time, _)| *time).collect(),
        costs: done.iter().map(|(vector, _, cost)| (*vector, *cost)).collect(),
        ..Answer::default()
    }
}
