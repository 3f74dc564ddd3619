//! Real extracts, read beside libosmium and routed beside pgRouting (`oracle.py`).
//!
//! `tests/osm/fetch.sh` fetches them into `target/test-data/`; without them, or without the programs, these tests
//! say so and pass, unless `CORREDOR_REQUIRE_ORACLES` is set, as `scripts/test` does.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value as Json;

use super::network::Network;
use super::*;

/// What is compared may differ by this share: `PostGIS` and `geo` take lengths from different libraries.
const SHARE: f64 = 1e-6;

/// What routes may differ by.
const ROUTE_SHARE: f64 = 1e-3;

const ISLE_OF_MAN: &str = "isle-of-man.osm.pbf";
const HELSINKI: &str = "helsinki.osm.pbf";

fn missing(what: &str) {
    assert!(std::env::var_os("CORREDOR_REQUIRE_ORACLES").is_none(), "{what} is missing");
    println!("skipped: {what} is missing");
}

/// The folder of the extracts, if this one is there.
fn data(name: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("test-data");
    if folder.join(name).is_file() {
        return Some(folder);
    }
    missing(name);
    None
}

fn table_of(folder: &Path, name: &str) -> RawTable {
    let (table, faults) = read_as(folder, &osm_spec(name), GeometryNeed::Line, &Limits::default());
    assert!(faults.0.is_empty(), "{faults}");
    table.unwrap()
}

/// What the oracle reads in a file.
fn oracle(folder: &Path, name: &str, routes: usize) -> Option<Json> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/osm/oracle.py");
    let python = |code: &str| Command::new("/usr/bin/python3").args(["-c", code]).output();
    if !python("import osmium").is_ok_and(|out| out.status.success()) {
        missing("pyosmium");
        return None;
    }
    if !Path::new("/usr/lib/postgresql").is_dir() {
        missing("PostgreSQL");
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("oracle.json");
    let answer = Command::new("/usr/bin/python3")
        .arg(script)
        .args([&folder.join(name), &out])
        .args(["--routes", &routes.to_string()])
        .output()
        .unwrap();
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    println!("{name}: {}", String::from_utf8_lossy(&answer.stdout).trim());
    Some(serde_json::from_slice(&fs::read(out).unwrap()).unwrap())
}

fn close(a: f64, b: f64, share: f64) -> bool {
    (a - b).abs() <= share * a.abs().max(b.abs()) + 1e-6
}

/// Every row: keys, attributes, vertices and length; so numbers of nodes, ways and junctions are equal as well.
fn same_rows(table: &RawTable, network: &Network, oracle: &Json) {
    assert_eq!(table.provenance.records, oracle["records"].as_u64().unwrap());
    let rows = oracle["rows"].as_array().unwrap();
    assert_eq!(table.rows.len(), rows.len());
    let mut junctions = [BTreeSet::new(), BTreeSet::new()];
    for ((row, link), other) in table.rows.iter().zip(&network.links).zip(rows) {
        let id = other["id"].as_str().unwrap();
        assert_eq!(get(row, "id"), id);
        for (ours, theirs) in [("from_node", "from"), ("to_node", "to")] {
            // The oracle has no key where a barrier stands, and we have one of our own there.
            let own = Some(key(row, ours)).filter(|key| *key > -(1 << 62));
            assert_eq!(own, other[theirs].as_i64(), "{id}");
            junctions[0].extend(own);
            junctions[1].extend(other[theirs].as_i64());
        }
        for field in ["class", "surface", "oneway", "ref"] {
            assert_eq!(get(row, field), other[field].as_str().unwrap().trim(), "{id} {field}");
        }
        assert_eq!(get(row, "toll") == "yes", other["toll"].as_bool().unwrap(), "{id}");
        assert_eq!(line(row).len() as u64, other["vertices"].as_u64().unwrap(), "{id}");
        if let Some(length) = other["length"].as_f64() {
            assert!(close(link.metres, length, SHARE), "{id}: {} {length}", link.metres);
        }
        if let Some(speed) = other["speed"].as_f64() {
            assert!(close(get(row, "speed_kmh").parse().unwrap(), speed, SHARE), "{id}: {speed}");
        }
    }
    assert_eq!(junctions[0], junctions[1]);
    println!("{} junctions", junctions[0].len());
}

/// Every ban of two roads.
fn same_bans(table: &RawTable, oracle: &Json) {
    let text = |value: &Json| value.as_str().unwrap().to_owned();
    let ours: BTreeSet<_> = table
        .bans
        .iter()
        .filter(|ban| ban.roads.len() == 2)
        .map(|ban| (ban.id.clone(), ban.roads.clone(), ban.via.unwrap()))
        .collect();
    let theirs: BTreeSet<_> = oracle["bans"]
        .as_array()
        .unwrap()
        .iter()
        .map(|ban| {
            let roads = ban["roads"].as_array().unwrap().iter().map(text).collect::<Vec<_>>();
            (text(&ban["id"]), roads, ban["via"].as_i64().unwrap())
        })
        .collect();
    assert_eq!(ours, theirs);
}

/// Every route of the oracle takes as long here; returns how many there are, and how many have a way.
fn same_routes(network: &Network, oracle: &Json, field: &str) -> (usize, usize) {
    let routes = oracle["routes"].as_array().unwrap();
    let mut with_way = 0;
    for route in routes {
        let (from, to) = (route["from"].as_i64().unwrap(), route["to"].as_i64().unwrap());
        let (ours, theirs) = (network.seconds(from, to), route[field].as_f64());
        match (ours, theirs) {
            (Some(a), Some(b)) => {
                assert!(close(a, b, ROUTE_SHARE), "{field} {from} to {to}: {a} and {b} s");
                with_way += 1;
            }
            _ => assert_eq!(ours, theirs, "{field} {from} to {to}"),
        }
    }
    (routes.len(), with_way)
}

fn beside_the_oracle(name: &str) {
    let Some(folder) = data(name) else { return };
    let table = table_of(&folder, name);
    let Some(oracle) = oracle(&folder, name, 200) else { return };
    let network = Network::new(&table, |_| false);
    same_rows(&table, &network, &oracle);
    same_bans(&table, &oracle);
    let (all, with_way) = same_routes(&network, &oracle, "seconds");
    assert!(all == 200 && with_way > 150, "{with_way} of {all}");
    // The oracle leaves restrictions by way of other roads out.
    let plain = Network::new(&table, |ban| ban.roads.len() == 2);
    let (_, with_way) = same_routes(&plain, &oracle, "seconds_with_bans");
    assert!(with_way > 150, "{with_way}");
}

#[test]
fn the_isle_of_man_is_read_as_libosmium_reads_it() {
    beside_the_oracle(ISLE_OF_MAN);
}

#[test]
fn helsinki_is_read_as_libosmium_reads_it() {
    beside_the_oracle(HELSINKI);
}

#[test]
fn records_are_as_many_as_osmium_counts() {
    if Command::new("osmium").arg("--version").output().is_err() {
        return missing("osmium");
    }
    for name in [ISLE_OF_MAN, HELSINKI] {
        let Some(folder) = data(name) else { return };
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("roads.osm.pbf");
        let run = |args: &[&std::ffi::OsStr]| {
            let answer = Command::new("osmium").args(args).output().unwrap();
            assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
            String::from_utf8(answer.stdout).unwrap()
        };
        let file = folder.join(name);
        run(&[
            "tags-filter".as_ref(),
            "-R".as_ref(),
            file.as_ref(),
            "w/highway".as_ref(),
            "w/route=ferry".as_ref(),
            "-o".as_ref(),
            out.as_ref(),
        ]);
        let ways = run(&[
            "fileinfo".as_ref(),
            "-e".as_ref(),
            "-g".as_ref(),
            "data.count.ways".as_ref(),
            out.as_ref(),
        ]);
        let table = table_of(&folder, name);
        assert_eq!(table.provenance.records.to_string(), ways.trim());
        // Every record is a row or a count, and only those of ways are.
        let kept: BTreeSet<String> =
            table.rows.iter().map(|row| get(row, "id").rsplit_once('-').unwrap().0.to_owned()).collect();
        let left_out: u64 = table
            .provenance
            .dropped
            .iter()
            .filter(|(reason, _)| !reason.starts_with("osm_restriction") && **reason != "osm_node_missing")
            .map(|(_, count)| count)
            .sum();
        assert_eq!(kept.len() as u64 + left_out, table.provenance.records);
    }
}

#[test]
fn the_isle_of_man_hangs_together() {
    let Some(folder) = data(ISLE_OF_MAN) else { return };
    let table = table_of(&folder, ISLE_OF_MAN);
    let share = |name: &str, keep: &dyn Fn(&RawRow) -> bool| {
        let mut part = table.clone();
        part.rows.retain(|row| get(row, "class") != "ferry" && keep(row));
        part.bans.clear();
        let (largest, all) = Network::new(&part, |_| false).parts();
        println!("{name}: {:.1} of {:.1} km", largest / 1000.0, all / 1000.0);
        largest / all
    };
    // Ferries that pass the island are in the file.
    assert!(share("roads", &|_| true) > 0.98);
    assert!(table.provenance.dropped["osm_unreached"] > 100, "tracks that only a footpath leads to");
}

#[test]
fn threads_change_nothing() {
    let Some(folder) = data(ISLE_OF_MAN) else { return };
    let by_threads: BTreeMap<usize, String> = [1, 2, 5]
        .into_iter()
        .map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            (threads, pool.install(|| format!("{:?}", table_of(&folder, ISLE_OF_MAN))))
        })
        .collect();
    assert!(by_threads.values().all(|text| *text == by_threads[&1]));
}

#[test]
fn objects_in_another_order_are_the_same_roads() {
    let Some(folder) = data(HELSINKI) else { return };
    if Command::new("osmium").arg("--version").output().is_err() {
        return missing("osmium");
    }
    // Ways and relations before the nodes, in other blocks, and with positions on the ways.
    let dir = tempfile::tempdir().unwrap();
    let part = |kind: &str| {
        let out = dir.path().join(format!("{kind}.osm.pbf"));
        let done = Command::new("osmium")
            .args(["cat", "-t", kind, "-o"])
            .args([&out, &folder.join(HELSINKI)])
            .status();
        assert!(done.unwrap().success());
        let bytes = fs::read(out).unwrap();
        let header = 4 + u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize;
        // Past the first blob, whose size the last field of its header gives.
        let size = bytes[4..header]
            .iter()
            .rev()
            .take_while(|byte| **byte != 0x18)
            .fold(0, |n, byte| n << 7 | usize::from(byte & 0x7f));
        (bytes[..header + size].to_vec(), bytes[header + size..].to_vec())
    };
    let (first, relations) = part("relation");
    let file = [first, relations, part("way").1, part("node").1].concat();
    fs::write(dir.path().join("turned.osm.pbf"), file).unwrap();
    let (table, turned) = (table_of(&folder, HELSINKI), table_of(dir.path(), "turned.osm.pbf"));
    assert_eq!(format!("{:?}", (&table.rows, &table.bans)), format!("{:?}", (&turned.rows, &turned.bans)));
}
