//! The routing kernel beside its peers: the same assignment, on the same network, weights and threads, in one run.
//!
//! ```sh
//! ./scripts/setup bench && cargo bench --bench routing_peers
//! ```
//!
//! 50 origins, 124 destinations, 32 perturbed weight vectors. Each peer is a process of its own, in Rust
//! (`routing/rust.rs`) or Python (`routing.py`), and answers the sum of its cost matrix, the sum of flow times cost, or
//! both; they must agree with the kernel's to six digits, or its times do not count. A peer that cannot be run is named with
//! the reason, and so is a bar that is missed.
//!
//! What is timed, per vector: of those in Rust everything from the weights, in the order in which each wants them, to the
//! flows on links. Of those in Python the
//! peer's own work alone: putting the weights in their place, and adding up flows along its trees or paths, is
//! not counted where its library does not do it. Programs that use one thread work on two vectors at the same time,
//! and their time per vector is halved. Slow ones stop after a number of seconds, with two vectors at least.
//!
//! Settings, all by the environment: `CORREDOR_BENCH_NETWORKS` (`isle`, `trunk`, numbers of junctions),
//! `CORREDOR_BENCH_PEERS`, `CORREDOR_BENCH_VECTORS`, `CORREDOR_BENCH_SECONDS` (of a peer on a network),
//! `CORREDOR_BENCH_LIMIT` (seconds after which a peer is given up).

#![expect(clippy::print_stdout, reason = "what a bench is for")]
#![expect(clippy::expect_used, reason = "a bench that cannot be set up has nothing to measure")]
#![expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/generated.rs"]
mod generated;
#[path = "routing/kernel.rs"]
mod kernel;
#[path = "routing/networks.rs"]
mod networks;
#[path = "routing/problem.rs"]
mod problem;
#[path = "routing/report.rs"]
mod report;
#[path = "routing/rust.rs"]
mod rust;
#[path = "../common/workload.rs"]
mod workload;

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use corredor::network::cch::LANES;
use problem::Answer;
use rayon::prelude::*;
use report::{Machine, Measured, Network};
use workload::{median, seconds, setting};

/// The argument by which this program is one of the peers.
const PEER: &str = "--peer";

const NETWORKS: &str = "isle,trunk,20000,250000,1000000";
/// The kernel comes first: the others are compared with it.
const PEERS: &str = "kernel,dijkstra,petgraph,cch,fast_paths,pyroutingkit,aequilibrae,networkit,igraph,scipy,pandana,pgrouting";
/// Those for a network of a million junctions, where others would take most of an hour.
const PEERS_OF_LARGE: [&str; 4] = ["kernel", "dijkstra", "cch", "pyroutingkit"];
/// Vectors of such a network.
const VECTORS_OF_LARGE: usize = 16;
/// Threads of every peer.
const THREADS: usize = 2;

fn number(name: &str, default: usize) -> usize {
    setting(name).and_then(|n| n.trim().parse().ok()).unwrap_or(default)
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [word, peer, folder, budget] = arguments.as_slice()
        && word == PEER
    {
        let budget = budget.parse().expect("seconds");
        let answer = rust::solve(peer, Path::new(folder), budget).expect("a peer in Rust");
        println!("{}", serde_json::to_string(&answer).expect("numbers"));
        return;
    }
    let list = |name: &str, default: &str| -> Vec<String> {
        let words = setting(name).unwrap_or_else(|| default.to_owned());
        words.split(',').map(|w| w.trim().to_owned()).filter(|w| !w.is_empty()).collect()
    };
    let peers = list("CORREDOR_BENCH_PEERS", PEERS);
    rayon::ThreadPoolBuilder::new().num_threads(THREADS).build_global().expect("threads");
    let machine = machine();
    report::machine(&machine);
    for name in list("CORREDOR_BENCH_NETWORKS", NETWORKS) {
        match measure(&name, &peers) {
            Ok(network) => report::network(&network, &machine),
            Err(reason) => println!("\n{name}: not measured, {reason}"),
        }
    }
}

/// Rates in bytes a second at which memory is read, and at which `a = b + 3 c` is computed (the triad of STREAM), by all threads.
fn machine() -> Machine {
    const LENGTH: usize = 1 << 24;
    const PART: usize = 1 << 16;
    let mut a = vec![0.0_f64; LENGTH];
    let (b, c) = (vec![1.0_f64; LENGTH], vec![2.0_f64; LENGTH]);
    let bytes = (LENGTH * size_of::<f64>()) as f64;
    let sum = |part: &[f64]| {
        let (lanes, rest) = part.as_chunks::<16>();
        let mut sums = [0.0; 16];
        for lane in lanes {
            sums.iter_mut().zip(lane).for_each(|(s, x)| *s += x);
        }
        sums.iter().chain(rest).sum::<f64>()
    };
    let best = |times: [f64; 5]| times.into_iter().fold(f64::INFINITY, f64::min);
    let read = || seconds(|| std::hint::black_box(b.par_chunks(PART).map(sum).sum::<f64>())).1;
    let read = bytes / best(std::array::from_fn(|_| read()));
    let add = |((a, b), c): ((&mut [f64], &[f64]), &[f64])| {
        a.iter_mut().zip(b).zip(c).for_each(|((a, b), c)| *a = b + 3.0 * c);
    };
    let mut triad = || {
        let parts = a.par_chunks_mut(PART).zip(b.par_chunks(PART)).zip(c.par_chunks(PART));
        seconds(|| parts.for_each(add)).1
    };
    let triad = 3.0 * bytes / best(std::array::from_fn(|_| triad()));
    std::hint::black_box(&a);
    Machine { read, triad }
}

/// Runs the peers on one network.
fn measure(name: &str, peers: &[String]) -> Result<Network, String> {
    let network = networks::named(name)?;
    let nodes = network.arcs.node_count();
    let large = nodes >= rust::LARGE;
    let vectors = number("CORREDOR_BENCH_VECTORS", if large { VECTORS_OF_LARGE } else { 32 });
    let draws = 0..u32::try_from(vectors.div_ceil(LANES)).expect("few draws");
    let batches: Vec<_> = draws.clone().map(|draw| network.perceived(draw)).collect();
    let mut room = batches.first().cloned().unwrap_or_default();
    let times: Vec<f64> = draws.map(|draw| seconds(|| network.perceive(draw, &mut room)).1).collect();
    let folder = tempfile::tempdir().expect("a temporary folder");
    problem::write(folder.path(), &network, &batches);
    let mut out = Network {
        name: name.to_owned(),
        nodes,
        links: network.weights.len(),
        vectors: batches.len() * LANES,
        perturbing: median(&times) / LANES as f64,
        one_thread: Vec::new(),
        peers: Vec::new(),
        at_the_end: None,
    };
    drop((network, batches, room));
    println!("\n{name}: {nodes} nodes, {} links, {} vectors", out.links, out.vectors);
    let chosen = setting("CORREDOR_BENCH_PEERS").is_some();
    for peer in peers.iter().filter(|p| chosen || !large || PEERS_OF_LARGE.contains(&p.as_str())) {
        let (result, time) = seconds(|| run(peer, folder.path(), THREADS));
        println!("  {peer}: {} after {time:.0} s", if result.is_ok() { "done" } else { "failed" });
        out.peers.push(Measured { name: peer.clone(), result });
    }
    if !large && peers.len() > 1 {
        out.at_the_end = run("kernel", folder.path(), THREADS).ok().map(|answer| median(&answer.assign));
    }
    for peer in ["kernel", "dijkstra"].into_iter().filter(|p| !large && peers.iter().any(|q| q == p)) {
        out.one_thread.push(Measured { name: peer.to_owned(), result: run(peer, folder.path(), 1) });
    }
    Ok(out)
}

/// What a peer answers, or why it does not.
fn run(peer: &str, folder: &Path, threads: usize) -> Result<Answer, String> {
    let budget = number("CORREDOR_BENCH_SECONDS", 15);
    let limit = number("CORREDOR_BENCH_LIMIT", 240);
    let in_rust = ["kernel", "dijkstra", "petgraph", "cch", "fast_paths"].contains(&peer);
    let mut command = if in_rust {
        let mut command = Command::new(std::env::current_exe().map_err(|e| e.to_string())?);
        command.args([PEER, peer]).arg(folder).arg(budget.to_string());
        command
    } else {
        let python = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("venv-peers").join("bin/python");
        let mut command = Command::new(&python);
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/routing.py");
        command.arg(script).arg(peer).arg(folder);
        command.args([budget, limit, threads].map(|n| n.to_string()));
        command
    };
    command.env("RAYON_NUM_THREADS", threads.to_string());
    let [out, err] = ["out", "err"].map(|name| folder.join(name));
    let file = |path: &Path| File::create(path).map_err(|e| e.to_string());
    command.stdout(file(&out)?).stderr(file(&err)?);
    let mut child = command.spawn().map_err(|e| format!("{e}: ./scripts/setup bench"))?;
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().map_err(|e| e.to_string())? {
            break status;
        }
        // Programs in Python give up by themselves, and tidy up.
        if start.elapsed() > Duration::from_secs(limit as u64 + if in_rust { 0 } else { 60 }) {
            child.kill().and_then(|()| child.wait()).map_err(|e| e.to_string())?;
            return Err(format!("given up after {limit} s"));
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let text = |path: &Path| String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
    if !status.success() {
        let said = text(&err);
        let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no word");
        return Err(format!("{status}: {last}"));
    }
    serde_json::from_str(text(&out).lines().last().unwrap_or_default()).map_err(|e| e.to_string())
}
