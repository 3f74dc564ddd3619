//! The first byte says as what source, the rest is the file. Roads become a network.

#![no_main]

use corredor::error::Faults;
use corredor::sources::SourceSpec;
use corredor_fuzz::{begin, bench, need, text_of, told};
use libfuzzer_sys::fuzz_target;

/// Most files are roads.
const SOURCES: [&str; 6] = ["roads", "roads", "roads", "roads", "municipalities", "towns"];

const KEYED: &str = r#"{"type":"FeatureCollection","features":[
{"type":"Feature","properties":{"class":"federal","from_node":1,"to_node":2,"level":0},"geometry":{"type":"LineString","coordinates":[[-92.15,15],[-92,15]]}},
{"type":"Feature","properties":{"class":"state","from_node":2,"to_node":3,"level":1},"geometry":{"type":"LineString","coordinates":[[-92,15],[-91.9,15.01,3]]}},
{"type":"Feature","properties":{"class":"ferry"},"geometry":{"type":"LineString","coordinates":[[-91.9,15.01],[-91.9,15.01],[-91.9,15.0]]}}]}"#;
const POINTS: &str = r#"{"type":"FeatureCollection","crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:OGC:1.3:CRS84"}},"features":[
{"type":"Feature","id":1,"properties":{"id":"t","name":"Ñ","cvegeo":"07001","seat":true},"geometry":{"type":"Point","coordinates":[-92.1,15]}}]}"#;

fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let of = |kind: u8, text: &str| [&[kind], text.as_bytes()].concat();
    vec![
        ("roads", of(0, text_of("roads.geojson"))),
        ("keyed", of(0, KEYED)),
        ("municipalities", of(4, text_of("municipalities.geojson"))),
        ("points", of(5, POINTS)),
    ]
}

fuzz_target!(init: begin(&seeds()), |data: &[u8]| {
    let [kind, file @ ..] = data else { return };
    let source = SOURCES[*kind as usize % SOURCES.len()];
    let spec = SourceSpec { path: "a.geojson".to_owned(), ..SourceSpec::default() };
    let mut faults = Faults::default();
    if let Some(table) = bench().read(file, source, &spec, need(source), &mut faults) {
        if source == "roads" {
            bench().network(table, &spec, &mut faults);
        } else {
            bench().model(source, table, &spec, &mut faults);
        }
    }
    told(&faults);
});
