//! The first byte says how ids are matched, the rest is a GAL file: alone, and as the neighbours of a small table with a
//! blank value.

#![no_main]

use std::fs;
use std::path::PathBuf;

use corredor::cli::args::{SpatialArgs, TransformArg};
use corredor::cli::spatial::{Request, WeightsArg, as_json, lines, run};
use corredor::error::Faults;
use corredor::incidence::spatial::SpatialWeights;
use corredor::layers::feature::Lang;
use corredor::sources::read_gal;
use corredor_fuzz::{begin, bench, told, told_result};
use libfuzzer_sys::fuzz_target;

const AREAS: &str = "clave,casos,pob\n1,4,100\n2,1,90\n3,,80\n4,7,120\n5,2,70\n6,0,110\n";

const PLAIN: &str = "6\n1 1\n2\n2 2\n1 3\n3 2\n2 4\n4 2\n3 5\n5 1\n4\n6 0\n";
const GEODA: &str =
    "0 6 areas clave\r\n6 1\r\n5\r\n5 2\r\n6 4\r\n4 2\r\n5 3\r\n3 1\r\n4\r\n2 1\r\n1\r\n1 1\r\n2\r\n";

fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let of = |kind: u8, text: &str| [&[kind], text.as_bytes()].concat();
    vec![
        ("plain", of(0, PLAIN)),
        ("by-id", of(1, PLAIN)),
        ("rates", of(2, GEODA)),
        ("other-ids", of(1, "2\na 1\nb\nb 1\na\n")),
        ("utf-16", of(0, "\u{feff}1\n1 0\n")),
    ]
}

fuzz_target!(init: begin(&seeds()), |data: &[u8]| {
    let [kind, file @ ..] = data else { return };
    let path = bench().folder().join("a.gal");
    fs::write(&path, file).expect("the folder can be written");
    let mut faults = Faults::default();
    let gal = read_gal(&path, &mut faults).expect("what is wrong with data is never an error");
    assert_eq!(gal.is_none(), faults.has_errors(), "no neighbours, and nobody says why");
    told(&faults);
    if let Some(gal) = &gal {
        assert_eq!((gal.ids.len(), gal.lines.len()), (gal.neighbours.len(), gal.neighbours.len()));
        SpatialWeights::from_neighbours(&gal.neighbours).expect("other areas, each once");
    }
    let areas: PathBuf = bench().folder().join("areas.csv");
    if !areas.exists() {
        fs::write(&areas, AREAS).expect("the folder can be written");
    }
    let args = SpatialArgs {
        file: areas,
        value: "casos".to_owned(),
        population: (kind & 2 != 0).then(|| "pob".to_owned()),
        id: (kind & 1 != 0).then(|| "clave".to_owned()),
        layer: None,
        member: None,
        lon: None,
        lat: None,
        crs: None,
        planar: false,
        weights: WeightsArg::File(path),
        tolerance: 0.0,
        transform: if kind & 4 == 0 { TransformArg::Row } else { TransformArg::Binary },
        permutations: Some(9),
        level: 0.5,
    };
    let mut warnings = Faults::default();
    let found = run(Request { args, seed: 1 }, &mut warnings);
    told(&warnings);
    if let Ok(report) = &found {
        let _ = (as_json(report), lines(report, Lang::Es), lines(report, Lang::En));
    }
    told_result(found);
});
