//! The problem that all peers solve: plain arrays in a folder, which any language reads.
//!
//! | file | numbers | what |
//! |---|---|---|
//! | `shape.json` | | numbers of nodes, links, vectors, origins and destinations |
//! | `tail`, `head`, `link` | 32-bit, by arc | the arcs, sorted |
//! | `at` | two 64-bit floats by node | positions in a plane |
//! | `weights` | 32-bit, by vector and link | costs in ms |
//! | `origins`, `destinations` | 32-bit | nodes, those of the problem first, more for larger ones after them |
//! | `demand` | 64-bit, by origin and destination | |

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use corredor::ids::JunctionId;
use corredor::network::cch::LANES;
use corredor::network::search::Arcs;
use geo::Coord;
use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;
use serde::{Deserialize, Serialize};

use super::workload::{Workload, demand, some};

/// Origins and destinations of the problem.
pub(crate) const PAIRS: [usize; 2] = [50, 124];
/// The largest numbers that the growth with pairs is measured at.
const MOST: [usize; 2] = [200, 496];

#[derive(Serialize, Deserialize)]
struct Shape {
    nodes: usize,
    links: usize,
    vectors: usize,
    origins: usize,
    destinations: usize,
}

/// The problem, read from its folder.
pub(crate) struct Problem {
    pub(crate) nodes: usize,
    pub(crate) links: usize,
    pub(crate) vectors: usize,
    pub(crate) tail: Vec<u32>,
    pub(crate) head: Vec<u32>,
    pub(crate) link: Vec<u32>,
    pub(crate) at: Vec<Coord<f64>>,
    weights: Vec<u32>,
    origins: Vec<u32>,
    destinations: Vec<u32>,
}

/// What a peer answers; sums are by vector, times in seconds by vector.
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
pub(crate) struct Answer {
    pub(crate) version: String,
    /// Seconds of all that is done once for a network.
    pub(crate) preparation: f64,
    /// Seconds of a vector's flows, and the sums of flow times cost.
    pub(crate) assign: Vec<f64>,
    pub(crate) costs: BTreeMap<usize, f64>,
    /// Seconds of a vector's distances, and their sums.
    pub(crate) matrix: Vec<f64>,
    pub(crate) sums: BTreeMap<usize, f64>,
    /// Megabytes of the largest process.
    pub(crate) peak_mb: f64,
    /// What only some peers tell.
    pub(crate) more: BTreeMap<String, f64>,
}

fn numbers(path: &Path) -> Vec<u32> {
    let bytes = fs::read(path).expect("a file of the problem");
    bytes.as_chunks::<4>().0.iter().map(|n| u32::from_le_bytes(*n)).collect()
}

/// Nodes that all reach one another and stand for a junction alone: between them each way exists, for every peer.
fn core(arcs: &Arcs) -> Vec<u32> {
    let graph = DiGraph::<(), (), u32>::from_edges(arcs.all().map(|(tail, head, _)| (tail, head)));
    let largest = kosaraju_scc(&graph).into_iter().max_by_key(Vec::len).unwrap_or_default();
    let nodes = || (0..).take(arcs.node_count());
    let mut seen = vec![0; arcs.junction_count()];
    for node in nodes() {
        seen[arcs.junction_of(node).index()] += 1;
    }
    let mut inside = vec![false; arcs.node_count()];
    for node in &largest {
        inside[node.index()] = true;
    }
    nodes().filter(|v| inside[*v as usize] && seen[arcs.junction_of(*v).index()] == 1).collect()
}

/// Writes the problem of a network with perturbed weights by vector and link.
pub(crate) fn write(folder: &Path, network: &Workload, batches: &[Vec<[u32; LANES]>]) {
    let put = |name: &str, bytes: Vec<u8>| fs::write(folder.join(name), bytes).expect("room for the problem");
    let arcs: Vec<(u32, u32, u32)> = network.arcs.all().collect();
    put("tail", arcs.iter().flat_map(|a| a.0.to_le_bytes()).collect());
    put("head", arcs.iter().flat_map(|a| a.1.to_le_bytes()).collect());
    put("link", arcs.iter().flat_map(|a| a.2.to_le_bytes()).collect());
    put("at", network.at.iter().flat_map(|c| [c.x, c.y]).flat_map(f64::to_le_bytes).collect());
    let vector = |batch: &Vec<[u32; LANES]>, lane: usize| -> Vec<u8> {
        batch.iter().flat_map(|w| w[lane].to_le_bytes()).collect()
    };
    put("weights", batches.iter().flat_map(|b| (0..LANES).flat_map(|lane| vector(b, lane))).collect());
    let core = core(&network.arcs);
    let ends = [some(&core, MOST[0], 7), some(&core, MOST[1], 8)];
    for (name, list) in ["origins", "destinations"].into_iter().zip(&ends) {
        put(name, list.iter().flat_map(|j| j.0.to_le_bytes()).collect());
    }
    let [origins, destinations] = [0, 1].map(|i| PAIRS[i].min(ends[i].len()));
    put("demand", demand(origins * destinations).iter().flat_map(|d| d[0].to_le_bytes()).collect());
    let shape = Shape {
        nodes: network.arcs.node_count(),
        links: network.weights.len(),
        vectors: batches.len() * LANES,
        origins,
        destinations,
    };
    put("shape.json", serde_json::to_vec(&shape).expect("numbers"));
}

impl Problem {
    pub(crate) fn read(folder: &Path) -> Self {
        let shape = fs::read(folder.join("shape.json")).expect("the shape of the problem");
        let shape: Shape = serde_json::from_slice(&shape).expect("the shape of the problem");
        let at = fs::read(folder.join("at")).expect("positions");
        let at: Vec<f64> = at.as_chunks::<8>().0.iter().map(|n| f64::from_le_bytes(*n)).collect();
        let get = |name: &str| numbers(&folder.join(name));
        Self {
            nodes: shape.nodes,
            links: shape.links,
            vectors: shape.vectors,
            tail: get("tail"),
            head: get("head"),
            link: get("link"),
            at: at.as_chunks::<2>().0.iter().map(|[x, y]| Coord { x: *x, y: *y }).collect(),
            weights: get("weights"),
            origins: get("origins"),
            destinations: get("destinations"),
        }
    }

    pub(crate) fn arcs(&self) -> Arcs {
        let list = self.tail.iter().zip(&self.head).zip(&self.link).map(|((t, h), l)| (*t, *h, *l));
        Arcs::of_list(self.nodes, list.collect())
    }

    /// First arc by tail; one more for the end.
    pub(crate) fn first_out(&self) -> Vec<u32> {
        let first = |v| self.tail.partition_point(|t| *t < v);
        (0..=self.nodes)
            .map(|v| u32::try_from(first(u32::try_from(v).expect("nodes"))).expect("arcs"))
            .collect()
    }

    /// Costs of the links.
    pub(crate) fn weights(&self, vector: usize) -> &[u32] {
        &self.weights[vector * self.links..(vector + 1) * self.links]
    }

    /// Costs of the arcs.
    pub(crate) fn by_arc(&self, vector: usize) -> Vec<u32> {
        let weights = self.weights(vector);
        self.link.iter().map(|l| weights[*l as usize].max(1)).collect()
    }

    /// Costs of the links in the vectors from `first` on, side by side.
    pub(crate) fn lanes<const W: usize>(&self, first: usize) -> Vec<[u32; W]> {
        let one = |link: usize| std::array::from_fn(|lane| self.weights[(first + lane) * self.links + link]);
        (0..self.links).map(one).collect()
    }

    /// The first ones of the origins and destinations.
    pub(crate) fn ends(&self, [origins, destinations]: [usize; 2]) -> [Vec<JunctionId>; 2] {
        let take = |list: &[u32], n| list.iter().take(n).map(|v| JunctionId(*v)).collect();
        [take(&self.origins, origins), take(&self.destinations, destinations)]
    }
}
