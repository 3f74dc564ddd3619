//! Tables of what was measured, and the bars.

use std::collections::BTreeMap;

use super::problem::Answer;
use super::rust::{GROWTH, pairs_key};
use super::workload::median;

/// Rates of memory in bytes a second.
pub(crate) struct Machine {
    pub(crate) read: f64,
    pub(crate) triad: f64,
}

/// A peer on a network.
pub(crate) struct Measured {
    pub(crate) name: String,
    pub(crate) result: Result<Answer, String>,
}

/// What was measured on a network.
pub(crate) struct Network {
    pub(crate) name: String,
    pub(crate) nodes: usize,
    pub(crate) links: usize,
    pub(crate) vectors: usize,
    /// Seconds in which the weights of a vector are perturbed.
    pub(crate) perturbing: f64,
    /// The kernel and the search of this project with one thread.
    pub(crate) one_thread: Vec<Measured>,
    pub(crate) peers: Vec<Measured>,
    /// Seconds of the kernel once more after all others: on a quiet machine what it took before them.
    pub(crate) at_the_end: Option<f64>,
}

/// Sums agree to six digits.
const DIGITS: f64 = 1e-6;

/// How many times as long as the kernel a peer must take at least, per vector, flows included: on the trunk roads, on
/// the Isle of Man, and on a made-up network of a quarter of a million junctions.
const BARS: [(&str, [f64; 3]); 6] = [
    ("dijkstra", [90.0, 40.0, 20.0]),
    ("cch", [60.0, 60.0, 30.0]),
    ("aequilibrae", [100.0, 100.0, 45.0]),
    ("networkit", [200.0, 200.0, 60.0]),
    ("igraph", [200.0, 200.0, 60.0]),
    ("scipy", [200.0, 200.0, 60.0]),
];

pub(crate) fn machine(machine: &Machine) {
    let [read, triad] = [machine.read, machine.triad].map(|rate| rate / 1e9);
    println!("memory: read {read:.1} GB/s, triad {triad:.1} GB/s");
}

/// The largest share by which sums differ from the kernel's in the vectors that both have.
fn apart(own: &BTreeMap<usize, f64>, other: &BTreeMap<usize, f64>) -> Option<f64> {
    let one = |(vector, sum): (&usize, &f64)| own.get(vector).map(|own| (sum - own).abs() / own.abs());
    other.iter().filter_map(one).reduce(f64::max)
}

/// Whether all sums of a peer are the kernel's.
fn agrees(own: &Answer, other: &Answer) -> bool {
    let all = [apart(&own.costs, &other.costs), apart(&own.sums, &other.sums)];
    all.iter().flatten().all(|d| *d <= DIGITS) && all.iter().any(Option::is_some)
}

fn cell(number: f64, digits: usize) -> String {
    if number.is_finite() { format!("{number:.digits$}") } else { "–".to_owned() }
}

pub(crate) fn network(network: &Network, machine: &Machine) {
    let found = |list: &'_ [Measured], name: &str| -> Option<usize> {
        list.iter().position(|m| m.name == name && m.result.is_ok())
    };
    let Some(Ok(own)) = found(&network.peers, "kernel").map(|i| &network.peers[i].result) else {
        for peer in &network.peers {
            println!(
                "{}: {}",
                peer.name,
                peer.result.as_ref().err().map_or("nothing to compare with", |e| e)
            );
        }
        return;
    };
    let (flows, matrix) = (median(&own.assign), median(&own.matrix));
    println!();
    println!(
        "| {} | version | preparation s | flows ms | × kernel | matrix ms | × kernel | vectors | peak MB |",
        network.name
    );
    println!("|---|---|---:|---:|---:|---:|---:|---:|---:|");
    let mut notes = Vec::new();
    for peer in &network.peers {
        let answer = match &peer.result {
            Ok(answer) if agrees(own, answer) => answer,
            Ok(answer) => {
                let [costs, sums] = [apart(&own.costs, &answer.costs), apart(&own.sums, &answer.sums)];
                notes.push(format!(
                    "{}: other sums (flows {costs:?}, matrix {sums:?}): not counted",
                    peer.name
                ));
                continue;
            }
            Err(reason) => {
                notes.push(format!("{}: not measured, {reason}", peer.name));
                continue;
            }
        };
        let (theirs, distances) = (median(&answer.assign), median(&answer.matrix));
        println!(
            "| {} | {} | {:.2} | {} | {} | {} | {} | {} | {:.0} |",
            peer.name,
            answer.version,
            answer.preparation,
            cell(theirs * 1e3, 2),
            cell(theirs / flows, 1),
            cell(distances * 1e3, 2),
            cell(distances / matrix, 1),
            answer.assign.len().max(answer.matrix.len()).max(answer.costs.len()),
            answer.peak_mb
        );
        for (name, number) in
            answer.more.iter().filter(|_| !matches!(peer.name.as_str(), "kernel" | "dijkstra"))
        {
            notes.push(format!("{}: {name} {number:.4}", peer.name));
        }
    }
    for note in &notes {
        println!("{note}");
    }
    kernel(network, own, machine);
    let search = found(&network.peers, "dijkstra").and_then(|i| network.peers[i].result.as_ref().ok());
    if let Some(search) = search {
        growth(own, search);
    }
    for Measured { name, result } in &network.one_thread {
        let two = found(&network.peers, name).and_then(|i| network.peers[i].result.as_ref().ok());
        if let (Ok(one), Some(two)) = (result, two) {
            let [one, two] = [one, two].map(|a| median(&a.assign));
            println!(
                "{name}: one thread {:.2} ms, two {:.2} ms: {:.2} times as fast",
                one * 1e3,
                two * 1e3,
                one / two
            );
        }
    }
    bars(network, own);
}

/// What is said of the kernel alone.
fn kernel(network: &Network, own: &Answer, machine: &Machine) {
    let more = |name: &str| own.more.get(name).copied().unwrap_or(f64::NAN);
    let (flows, matrix) = (median(&own.assign), median(&own.matrix));
    println!(
        "kernel: {:.0} arcs, {:.2} M triangles; customization {:.2} ms, with distances {:.2} ms, with flows {:.2} ms; \
         alone {:.2} ms; perturbing {:.2} ms",
        more("arcs"),
        more("triangles") / 1e6,
        more("customize") * 1e3,
        matrix * 1e3,
        flows * 1e3,
        more("alone") * 1e3,
        network.perturbing * 1e3
    );
    if let Some(again) = network.at_the_end {
        println!(
            "kernel: with flows {:.2} ms when all peers were done; the same on a quiet machine",
            again * 1e3
        );
    }
    println!(
        "kernel: {:.0} bytes a node; preparation {:.2} s, from the cache {:.3} s ({:.2} s a million links)",
        more("bytes a junction"),
        own.preparation,
        more("cached"),
        more("cached") * 1e6 / network.links as f64
    );
    let bound = more("bytes a vector") / machine.triad;
    println!(
        "kernel: {:.2} MB a vector to be moved at least, {:.2} ms at the rate of the triad: {:.0} % of the time",
        more("bytes a vector") / 1e6,
        bound * 1e3,
        100.0 * bound / flows
    );
}

/// How the time per vector grows with pairs and with vectors that are done together.
fn growth(own: &Answer, search: &Answer) {
    let times = |pairs| {
        let key = pairs_key(pairs);
        Some((*own.more.get(&key)?, *search.more.get(&key)?))
    };
    for pairs in GROWTH {
        if let Some((kernel, search)) = times(pairs) {
            println!(
                "{}: kernel {:.2} ms a vector, search {:.2} ms: {:.1} times",
                pairs_key(pairs),
                kernel * 1e3,
                search * 1e3,
                search / kernel
            );
        }
    }
    let alone = own.more.get("alone").copied().unwrap_or(f64::NAN);
    let search = median(&search.assign);
    let batch = own.assign.first().copied().unwrap_or(f64::NAN);
    let all = own.assign.iter().sum::<f64>() / own.assign.len() as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some vectors")]
    let together = own.more.get("together").map_or(0, |n| *n as usize);
    for (vectors, time) in [(1, alone), (together, batch), (own.costs.len(), all)] {
        let ratio = search / time;
        println!("{vectors} vectors: kernel {:.2} ms a vector, search {:.1} times", time * 1e3, ratio);
    }
}

/// Prints each bar with what was reached.
fn bars(network: &Network, own: &Answer) {
    // Bars of ratios on made-up networks are for a quarter of a million junctions.
    let column = match network.name.as_str() {
        "trunk" => Some(0),
        "isle" => Some(1),
        _ => (200_000..300_000).contains(&network.nodes).then_some(2),
    };
    let answer = |name: &str| {
        let peer = network.peers.iter().find(|p| p.name == name)?;
        peer.result.as_ref().ok().filter(|answer| agrees(own, answer))
    };
    let bar = |what: &str, reached: f64, bound: f64, at_least: bool| {
        if reached.is_finite() {
            let (sign, met) = if at_least { ("≥", reached >= bound) } else { ("<", reached < bound) };
            println!("bar: {what} {reached:.2} {sign} {bound}: {}", if met { "reached" } else { "MISSED" });
        }
    };
    let more = |name: &str| own.more.get(name).copied().unwrap_or(f64::NAN);
    let flows = median(&own.assign);
    if let Some(column) = column {
        for (name, bounds) in BARS {
            if let Some(theirs) = answer(name) {
                bar(&format!("{name} / kernel"), median(&theirs.assign) / flows, bounds[column], true);
            }
        }
        if let Some(theirs) = answer("pyroutingkit") {
            let ratio = median(&theirs.matrix) / median(&own.matrix);
            bar("matrix, pyroutingkit / kernel", ratio, 3.0, true);
        }
        if let (Some(search), Some(theirs)) = (answer("dijkstra"), answer("petgraph")) {
            let ratio = median(&theirs.matrix) / median(&search.matrix);
            bar("matrix, petgraph / search", ratio, 1.5, true);
        }
        if let Some(search) = answer("dijkstra").filter(|_| column != 2) {
            bar("search / one vector alone", median(&search.assign) / more("alone"), 28.0, true);
        }
    }
    bar("perturbing / kernel", network.perturbing / flows, 0.25, false);
    bar("seconds from the cache a million links", more("cached") * 1e6 / network.links as f64, 1.0, false);
    if network.nodes >= 1_000_000 {
        bar("bytes a node", more("bytes a junction"), 1536.0, false);
        bar("seconds of preparation", own.preparation, 90.0, false);
    }
}
