//! Files that are not as they should be: each ends in a fault or in a table.

use super::pbf::{
    Osm, blob, bytes, deflated, deltas, framed, header, number, packed, raw_blob, varint, zigzag,
};
use super::*;

fn small() -> Osm {
    Osm::new()
        .row_of_nodes(1..=8)
        .node(9, -92.3, 15.2, &[("barrier", "bollard")])
        .way(1, &[1, 2, 3, 4], PRIMARY)
        .way(2, &[5, 3, 6, 9, 7], &[("highway", "track"), ("ref", "x")])
        .way(3, &[7, 8, 1], &[("route", "ferry"), ("duration", "00:20")])
        .relation(
            1,
            &[("from", 'w', 1), ("via", 'n', 1), ("to", 'w', 3)],
            &[("type", "restriction"), ("restriction", "no_left_turn")],
        )
}

/// A file of one block after the usual header.
fn file_of(block: &[u8]) -> Vec<u8> {
    // A large block of one thing over and over would be refused for what it swells to.
    let blob = if block.len() > 1 << 16 { raw_blob("OSMData", block) } else { blob("OSMData", block) };
    [header(&["OsmSchema-V0.6", "DenseNodes"]), blob].concat()
}

/// A block of one group, with the strings `highway`, `primary` and `barrier`.
fn block_of(group: &[u8]) -> Vec<u8> {
    let table: Vec<u8> =
        ["", "highway", "primary", "barrier"].iter().flat_map(|text| bytes(1, text.as_bytes())).collect();
    [bytes(1, &table), bytes(2, group)].concat()
}

fn dense(parts: &[Vec<u8>]) -> Vec<u8> {
    bytes(2, &parts.concat())
}

fn way(parts: &[Vec<u8>]) -> Vec<u8> {
    bytes(3, &parts.concat())
}

fn relation(parts: &[Vec<u8>]) -> Vec<u8> {
    bytes(4, &parts.concat())
}

/// The detail of the only fault of a file, S040.
#[track_caller]
fn broken(bytes: &[u8]) -> String {
    let (table, faults) = read_bytes(bytes);
    assert!(table.is_none());
    assert_eq!(rules(&faults), [Rule::OsmBlockBroken], "{faults}");
    faults.0[0].params.iter().find(|(name, _)| *name == "detail").unwrap().1.clone()
}

#[test]
fn blocks_that_do_not_hold_together_are_refused() {
    let ids = || deltas(1, [1, 2]);
    let lat = || deltas(8, [0, 0]);
    let lon = || deltas(9, [0, 0]);
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("dense: arrays of unequal length", dense(&[ids(), lat(), deltas(9, [0])])),
        ("dense: arrays of unequal length", dense(&[ids(), deltas(8, [0, 0, 0]), lon()])),
        ("dense: tags", dense(&[ids(), lat(), lon(), packed(10, [1])])),
        ("dense: tags", dense(&[ids(), lat(), lon(), packed(10, [1, 2, 0])])),
        ("dense: tags", dense(&[ids(), lat(), lon(), packed(10, [0, 0, 0])])),
        ("string index", dense(&[ids(), lat(), lon(), packed(10, [1, 4, 0, 0])])),
        ("string index", dense(&[ids(), lat(), lon(), packed(10, [u64::MAX, 1, 0, 0])])),
        ("overflow", dense(&[ids(), packed(8, [zigzag(i64::MAX), 2]), lon()])),
        ("overflow", dense(&[ids(), deltas(8, [1 << 62, 0]), lon()])),
        ("id", dense(&[packed(1, [zigzag(i64::MAX), 0]), lat(), lon()])),
        ("overflow", dense(&[packed(1, [zigzag(1 << 61), zigzag(i64::MAX)]), lat(), lon()])),
        ("dense: twice", [dense(&[ids(), lat(), lon()]), dense(&[ids(), lat(), lon()])].concat()),
        // Nobody asks for users and times, but the library adds them up.
        ("overflow", dense(&[ids(), lat(), lon(), bytes(5, &packed(4, [0xffff_fffe, 0xffff_fffe]))])),
        ("overflow", dense(&[ids(), lat(), lon(), bytes(5, &packed(2, [zigzag(i64::MAX), 2]))])),
        ("tags: arrays of unequal length", way(&[number(1, 1), packed(2, [1]), deltas(8, [1, 2])])),
        ("string index", way(&[number(1, 1), packed(2, [1]), packed(3, [9]), deltas(8, [1, 2])])),
        ("overflow", way(&[number(1, 1), packed(8, [zigzag(1 << 61), zigzag(i64::MAX)])])),
        ("id", way(&[number(1, 1), deltas(8, [i64::MIN])])),
        ("id", way(&[number(1, i64::MIN.cast_unsigned()), deltas(8, [1, 2])])),
        ("truncated", way(&[number(1, 1), bytes(8, &[0x80])])),
        ("varint", way(&[number(1, 1), bytes(8, &[0xff; 11])])),
        ("wire type", way(&[number(1, 1), number(8, 5)])),
        ("wire type", vec![0x0b]),
        ("member type", relation(&[number(1, 1), packed(8, [0]), deltas(9, [1]), packed(10, [3])])),
        (
            "members: arrays of unequal length",
            relation(&[number(1, 1), packed(8, [0, 0]), deltas(9, [1]), packed(10, [0])]),
        ),
        ("string index", relation(&[number(1, 1), packed(8, [77]), deltas(9, [1]), packed(10, [0])])),
        ("overflow", bytes(1, &[number(1, 2), number(8, zigzag(1 << 62)), number(9, 0)].concat())),
        // A node without an id: the library will not have it.
        ("protobuf", bytes(1, &[packed(2, [3]), packed(3, [2]), number(8, 0), number(9, 0)].concat())),
        ("too many objects", bytes(3, &[]).repeat((1 << 20) + 1)),
    ];
    for (detail, group) in cases {
        assert_eq!(broken(&file_of(&block_of(&group))), detail);
    }
}

#[test]
fn tables_and_scales_of_a_block_are_checked() {
    let with = |more: &[u8]| file_of(&[block_of(&[]), more.to_vec()].concat());
    assert_eq!(broken(&with(&bytes(1, &[]))), "stringtable: twice");
    assert_eq!(broken(&with(&number(17, 0))), "granularity");
    assert_eq!(broken(&with(&number(17, 1 << 40))), "overflow");
    assert_eq!(broken(&with(&bytes(17, &[1]))), "wire type");
    assert_eq!(broken(&file_of(&bytes(1, &bytes(1, &[0xff, 0xfe])))), "utf-8");
    assert_eq!(broken(&file_of(&bytes(1, &bytes(1, b"").repeat((1 << 20) + 1)))), "too many strings");
    let far =
        [block_of(&dense(&[deltas(1, [1]), deltas(8, [1]), deltas(9, [1])])), number(19, i64::MAX as u64)];
    assert_eq!(broken(&file_of(&far.concat())), "overflow");
}

#[test]
fn blobs_that_do_not_hold_together_are_refused() {
    let whole = small().file();
    let first = header(&["OsmSchema-V0.6"]);
    let block = block_of(&[]);
    let zlib = |size: u64, data: &[u8]| {
        [first.clone(), framed("OSMData", &[number(2, size), bytes(3, data)].concat())].concat()
    };
    let header_of = |size: &[u8]| [&first[..], &[0, 0, 0, 9], b"\x0a\x07OSMData", size].concat();
    assert_eq!(broken(&whole[..whole.len() - 1]), "truncated");
    assert_eq!(broken(&[&whole[..], &[0, 0]].concat()), "truncated");
    assert_eq!(broken(&[&whole[..], &[0, 0, 0, 0]].concat()), "header length");
    assert_eq!(broken(&[&whole[..], &[0, 1, 0, 1]].concat()), "header length");
    assert_eq!(broken(&header_of(&[])), "blob header");
    assert_eq!(broken(&[&whole[..], &first[..]].concat()), "second header");
    assert_eq!(broken(&[&first[..], &framed("OSMData", &[])].concat()), "no data");
    // Whole, but packed in a way that is not read.
    for field in 4..=7 {
        let (table, faults) = read_bytes(&[&first[..], &framed("OSMData", &bytes(field, b"x"))].concat());
        assert!(table.is_none());
        assert_eq!(rules(&faults), [Rule::OsmFeatureUnknown], "{faults}");
    }
    assert_eq!(broken(&zlib(5, b"not zlib")), "zlib");
    assert_eq!(broken(&zlib(1 << 30, b"x")), "block size");
    // More, or less, than the blob says; and one bit of the checksum.
    let stream = &deflated(&block)[..];
    assert_eq!(broken(&zlib(block.len() as u64 + 1, stream)), "block size");
    assert_eq!(broken(&zlib(block.len() as u64 - 1, stream)), "block size");
    let mut flipped = stream.to_vec();
    *flipped.last_mut().unwrap() ^= 1;
    assert_eq!(broken(&zlib(block.len() as u64, &flipped)), "zlib");
    // A length below zero, and one beyond what a blob may have.
    let mut size = vec![0x18];
    varint((-1_i64).cast_unsigned(), &mut size);
    let long = [&first[..], &[0, 0, 0, 20], b"\x0a\x07OSMData", &size].concat();
    assert_eq!(broken(&long), "blob size");
}

#[test]
fn a_block_that_swells_is_not_swelled() {
    let first = header(&["OsmSchema-V0.6"]);
    let zeros = vec![0_u8; 40 << 20];
    let bomb = [first.clone(), blob("OSMData", &zeros)].concat();
    assert!(bomb.len() < 100_000);
    assert_eq!(broken(&bomb), "block size");
    // Within the limit of the format, but a thousand times its blob, and without saying how large it is.
    let silent = [first.clone(), framed("OSMData", &bytes(3, &deflated(&zeros[..30 << 20])))].concat();
    assert_eq!(broken(&silent), "block size");
    assert_eq!(broken(&[first, raw_blob("OSMData", &zeros)].concat()), "blob size");
}

#[test]
fn what_a_file_asks_for_must_be_known() {
    let body = small().file();
    let body = &body[header(&["OsmSchema-V0.6", "DenseNodes"]).len()..];
    for features in [&["OsmSchema-V0.6", "HistoricalInformation"][..], &["OsmSchema-V0.7"], &["\u{1b}[31m"]] {
        let (table, faults) = read_bytes(&[&header(features), body].concat());
        assert!(table.is_none());
        assert_eq!(rules(&faults), [Rule::OsmFeatureUnknown]);
        assert!(!faults.0[0].params[0].1.contains('\u{1b}'));
    }
    let (table, faults) = read_bytes(&[&header(&[]), body].concat());
    assert!(table.is_some() && faults.0.is_empty(), "{faults}");
    // Blobs of other types are passed over.
    let (table, _) = read_bytes(&[&header(&[])[..], &raw_blob("OSMIndex", b"\xff\xff"), body].concat());
    assert_eq!(table.unwrap().rows.len(), 6);
}

#[test]
fn other_formats_and_other_needs_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = small().file();
    fs::write(dir.path().join("a.osm.pbf"), &file).unwrap();
    fs::write(dir.path().join("b.pbf"), &file).unwrap();
    fs::write(dir.path().join("c.csv"), "id,class\n1,local\n").unwrap();
    fs::write(dir.path().join("d.pbf"), b"\0\0\0\x10 something else").unwrap();
    fs::write(dir.path().join("e.pbf"), b"").unwrap();
    let rule = |spec: &SourceSpec, need| {
        let (_, faults) = read_as(dir.path(), spec, need, &Limits::default());
        rules(&faults)
    };
    let line = GeometryNeed::Line;
    let with = |change: &dyn Fn(&mut SourceSpec)| {
        let mut spec = osm_spec("a.osm.pbf");
        change(&mut spec);
        rule(&spec, line)
    };
    assert_eq!(rule(&osm_spec("b.pbf"), line), []);
    assert_eq!(
        rule(&SourceSpec { path: "a.osm.pbf".into(), ..SourceSpec::default() }, line),
        [Rule::PresetFormat]
    );
    assert_eq!(rule(&osm_spec("c.csv"), line), [Rule::PresetFormat]);
    assert_eq!(rule(&osm_spec("d.pbf"), line), [Rule::OpenFailed]);
    assert_eq!(rule(&osm_spec("e.pbf"), line), [Rule::NoRecords]);
    assert_eq!(rule(&osm_spec("a.osm.pbf"), GeometryNeed::Point), [Rule::GeometryType]);
    assert_eq!(with(&|spec| spec.layer = Some("lines".into())), [Rule::LayerMissing]);
    assert_eq!(with(&|spec| spec.crs = Some("EPSG:6372".into())), [Rule::CrsUnusable]);
    assert_eq!(with(&|spec| spec.crs = Some("EPSG:4326".into())), []);
}

#[test]
fn a_file_without_roads_says_so() {
    let (table, faults) = read_bytes(&Osm::new().row_of_nodes(1..=3).file());
    assert!(table.is_none());
    assert_eq!(rules(&faults), [Rule::NoRecords]);
    // Ways without a single node.
    let (_, faults) = read_bytes(&Osm::new().way(1, &[1, 2], PRIMARY).file());
    assert_eq!(rules(&faults), [Rule::NoRecords]);
}

#[test]
fn the_same_id_twice_is_a_fault_only_if_it_differs() {
    let osm = small();
    let again = clean(&osm.clone().way(1, &[1, 2, 3, 4], PRIMARY).node(3, -91.97, 15.0, &[]));
    assert_eq!(dropped(&again), [("osm_repeated", 1)]);
    assert_eq!(ends(&again), ends(&clean(&osm)));
    let (_, faults) = read_bytes(&osm.clone().way(1, &[1, 2, 3], PRIMARY).file());
    assert_eq!((rules(&faults), faults.0[0].seen.as_deref()), (vec![Rule::OsmIdTwice], Some("w1")));
    let (_, faults) = read_bytes(&osm.node(3, -91.9, 15.0, &[]).file());
    assert_eq!((rules(&faults), faults.0[0].seen.as_deref()), (vec![Rule::OsmIdTwice], Some("n3")));
}

#[test]
fn a_node_off_the_globe_is_a_fault_with_its_id() {
    let (_, faults) = read_bytes(&small().node(20, 190.0, 15.0, &[]).way(9, &[20, 1], PRIMARY).file());
    assert_eq!(
        (rules(&faults), faults.0[0].seen.as_deref()),
        (vec![Rule::CoordinatesOutOfRange], Some("n20"))
    );
    let (_, faults) = read_bytes(&small().node(20, 0.0, -90.1, &[]).way(9, &[20, 1], PRIMARY).file());
    assert_eq!(rules(&faults), [Rule::CoordinatesOutOfRange]);
    // Of a node that no road names nothing is said.
    clean(&small().node(20, 190.0, 15.0, &[]));
}

#[test]
fn limits_hold() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.osm.pbf"), small().file()).unwrap();
    let rule = |limits: Limits| {
        let (table, faults) = read_as(dir.path(), &osm_spec("a.osm.pbf"), GeometryNeed::Line, &limits);
        (table.is_some(), rules(&faults))
    };
    let usual = Limits::default();
    assert_eq!(rule(Limits { max_bytes: 100, ..usual }), (false, vec![Rule::FileTooLarge]));
    assert_eq!(rule(Limits { max_records: 2, ..usual }), (false, vec![Rule::TooMany]));
    assert_eq!(rule(Limits { max_records: 5, ..usual }), (false, vec![Rule::TooMany]));
    assert_eq!(rule(Limits { max_vertices: 11, ..usual }), (false, vec![Rule::TooMany]));
    assert_eq!(rule(Limits { max_records: 6, max_vertices: 13, ..usual }), (true, vec![]));
}

/// A number that looks random and is the same in every run.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % sides as u64) as usize
    }
}

/// Some bytes changed, cut out, doubled or put in.
fn mutated(bytes: &[u8], dice: &mut Dice) -> Vec<u8> {
    const ODD: [u8; 8] = [0, 1, 0x7f, 0x80, 0xff, 0x0a, 0x12, 0x1a];
    let mut out = bytes.to_vec();
    for _ in 0..=dice.throw(3) {
        if out.is_empty() {
            break;
        }
        let at = dice.throw(out.len());
        match dice.throw(6) {
            0 => out[at] ^= 1 << dice.throw(8),
            1 => out[at] = ODD[dice.throw(8)],
            2 => out.insert(at, ODD[dice.throw(8)]),
            3 => drop(out.remove(at)),
            4 => out.truncate(at),
            _ => {
                let end = (at + 1 + dice.throw(12)).min(out.len());
                let part = out[at..end].to_vec();
                out.splice(at..at, part);
            }
        }
    }
    out
}

#[test]
fn mutants_end_in_faults_or_in_a_table() {
    let count = std::env::var("CORREDOR_MUTANTS").ok().and_then(|n| n.parse().ok()).unwrap_or(2_000);
    let mut dice = Dice(1);
    let (dense, plain) = (small().file(), small().plain_file());
    // Changed inside their frame, so that lengths still agree: otherwise few mutants get past the first check.
    let blocks = [small().dense_block(), small().plain_block()];
    let head = header(&["OsmSchema-V0.6"]);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.osm.pbf");
    let (mut tables, mut refused) = (0, 0);
    for i in 0..count {
        let bytes = match i % 4 {
            0 => mutated(&dense, &mut dice),
            1 => mutated(&plain, &mut dice),
            n => [&head[..], &raw_blob("OSMData", &mutated(&blocks[n - 2], &mut dice))].concat(),
        };
        fs::write(&path, &bytes).unwrap();
        let started = std::time::Instant::now();
        let (table, faults) =
            read_as(dir.path(), &osm_spec("a.osm.pbf"), GeometryNeed::Line, &Limits::default());
        assert!(started.elapsed().as_secs() < 20, "mutant {i}");
        let Some(table) = table else {
            refused += 1;
            assert!(faults.has_errors(), "mutant {i}");
            continue;
        };
        tables += 1;
        for row in &table.rows {
            assert!(line(row).len() >= 2 && row.values.len() == table.fields.len(), "mutant {i}");
            assert!(line(row).iter().all(|(x, y)| x.abs() <= 180.0 && y.abs() <= 90.0), "mutant {i}");
        }
    }
    assert!(tables > count / 50 && refused > count / 2, "{tables} tables, {refused} refused");
}
