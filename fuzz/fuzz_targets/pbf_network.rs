//! The first byte says what the rest is: a whole file, a block, a block that is compressed, or numbers from which
//! nodes, ways and relations are made that hold together.

#![no_main]
#![allow(clippy::cast_possible_truncation, reason = "of the writer that is shared with the tests")]

use corredor::error::Faults;
use corredor::sources::{GeometryNeed, Preset, SourceSpec};
use corredor_fuzz::{begin, bench, told};
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;

#[path = "../../tests/support/pbf.rs"]
#[allow(dead_code, reason = "the tests use all of it")]
mod pbf;

type Tags = &'static [(&'static str, &'static str)];

const NODE_TAGS: [Tags; 4] = [
    &[],
    &[("barrier", "bollard")],
    &[("barrier", "gate"), ("motor_vehicle", "yes")],
    &[("highway", "traffic_signals")],
];

const WAY_TAGS: [Tags; 16] = [
    &[("highway", "primary")],
    &[("highway", "motorway"), ("toll", "yes"), ("ref", "MEX-200D")],
    &[("highway", "track"), ("tracktype", "grade5"), ("layer", "-1")],
    &[("highway", "residential"), ("oneway", "-1"), ("maxspeed", "30 mph")],
    &[("highway", "trunk"), ("oneway", "yes"), ("bridge", "yes"), ("layer", "1")],
    &[("highway", "secondary"), ("junction", "roundabout")],
    &[("highway", "tertiary"), ("access", "private")],
    &[("highway", "construction"), ("construction", "primary")],
    &[("route", "ferry"), ("duration", "00:20")],
    &[("route", "ferry"), ("duration", "99999:59"), ("motor_vehicle", "yes")],
    &[("highway", "unclassified"), ("surface", "gravel"), ("maxspeed", "1e309")],
    &[("highway", "service"), ("tunnel", "yes"), ("layer", "99999999999")],
    &[("building", "yes")],
    &[("highway", "primary"), ("oneway", "reversible")],
    &[("highway", "living_street"), ("maxspeed", "0")],
    &[("highway", "primary_link"), ("ref", "1;2;3")],
];

const RELATION_TAGS: [Tags; 6] = [
    &[("type", "restriction"), ("restriction", "no_left_turn")],
    &[("type", "restriction"), ("restriction", "only_straight_on")],
    &[("type", "restriction"), ("restriction", "no_u_turn")],
    &[("type", "restriction"), ("restriction:conditional", "no_left_turn @ (Mo)")],
    &[("type", "restriction:hgv"), ("restriction:hgv", "no_entry"), ("except", "psv")],
    &[("type", "multipolygon")],
];

const ROLES: [&str; 5] = ["from", "via", "to", "location_hint", ""];

/// Objects that refer to one another.
fn objects(u: &mut Unstructured<'_>) -> Result<pbf::Osm> {
    let mut osm = pbf::Osm::new();
    let nodes = i64::from(u.int_in_range(2..=24_u8)?);
    for id in 1..=nodes {
        let [x, y] = u.arbitrary::<[u8; 2]>()?;
        // Around the small study, with many in the same place; a few anywhere.
        let (mut lon, mut lat) = (-92.15 + f64::from(x / 8) / 100.0, 14.92 + f64::from(y / 8) / 100.0);
        if u.ratio(1, 32)? {
            (lon, lat) = (f64::from(u.arbitrary::<i16>()?) / 180.0, f64::from(u.arbitrary::<i16>()?) / 360.0);
        }
        let tags: Tags = if u.ratio(1, 4)? { u.choose(&NODE_TAGS)? } else { &[] };
        osm = osm.node(id, lon, lat, tags);
    }
    let ways = i64::from(u.int_in_range(1..=12_u8)?);
    for id in 1..=ways {
        let count = u.int_in_range(1..=8_u8)?;
        let refs: Result<Vec<i64>> = (0..count).map(|_| u.int_in_range(1..=nodes + 1)).collect();
        osm = osm.way(id, &refs?, u.choose(&WAY_TAGS)?);
    }
    let relations = i64::from(u.int_in_range(0..=4_u8)?);
    for id in 1..=relations {
        let count = u.int_in_range(1..=5_u8)?;
        let mut members = Vec::new();
        for nth in 0..count {
            let role = if u.ratio(7_u8, 8)? { ROLES[usize::from(nth.min(2))] } else { *u.choose(&ROLES)? };
            let kind = match role {
                "via" if u.arbitrary()? => 'n',
                _ if u.ratio(1_u8, 32)? => 'r',
                _ => 'w',
            };
            let most = if kind == 'n' { nodes } else { ways };
            members.push((role, kind, u.int_in_range(1..=most + 1)?));
        }
        osm = osm.relation(id, &members, u.choose(&RELATION_TAGS)?);
    }
    Ok(osm)
}

fn small() -> pbf::Osm {
    pbf::Osm::new()
        .node(1, -92.15, 15.0, &[])
        .node(2, -92.05, 15.0, &[])
        .node(3, -92.0, 15.0, &[])
        .node(4, -91.9, 15.0, &[])
        .node(5, -92.0, 14.93, &[])
        .node(6, -92.0, 15.05, &[("barrier", "bollard")])
        .node(7, -92.0, 15.07, &[])
        .way(1, &[1, 2, 3, 4], &[("highway", "primary"), ("ref", "MEX-200")])
        .way(2, &[5, 3, 6, 7], &[("highway", "track")])
        .way(3, &[4, 7, 1], &[("route", "ferry"), ("duration", "00:20")])
        .relation(
            1,
            &[("from", 'w', 1), ("via", 'n', 3), ("to", 'w', 2)],
            &[("type", "restriction"), ("restriction", "no_left_turn")],
        )
}

fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let of = |kind: u8, bytes: &[u8]| [&[kind], bytes].concat();
    // Numbers enough for some objects.
    let numbers: Vec<u8> = (0..600_u32).map(|i| (i * i * 31 + i * 7 >> 3) as u8).collect();
    vec![
        ("file", of(0, &small().file())),
        ("file-plain", of(0, &small().plain_file())),
        ("block-plain", of(1, &small().plain_block())),
        ("block-dense", of(1, &small().dense_block())),
        ("block-zlib", of(2, &small().dense_block())),
        ("objects", of(3, &numbers)),
    ]
}

fuzz_target!(init: begin(&seeds()), |data: &[u8]| {
    let [kind, rest @ ..] = data else { return };
    let header = || pbf::header(&["OsmSchema-V0.6", "DenseNodes"]);
    let file = match kind % 4 {
        0 => rest.to_vec(),
        1 => [header(), pbf::raw_blob("OSMData", rest)].concat(),
        2 => [header(), pbf::blob("OSMData", rest)].concat(),
        _ => match objects(&mut Unstructured::new(rest)) {
            Ok(osm) => osm.file(),
            Err(_) => return,
        },
    };
    let spec =
        SourceSpec { path: "a.osm.pbf".to_owned(), preset: Some(Preset::Osm), ..SourceSpec::default() };
    let mut faults = Faults::default();
    if let Some(table) = bench().read(&file, "roads", &spec, GeometryNeed::Line, &mut faults) {
        bench().network(table, &spec, &mut faults);
    }
    told(&faults);
});
