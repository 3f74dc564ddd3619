//! Files that were cut or of which bytes were changed: a fault or the same table, never a panic, and a cut is
//! never taken for the whole.

use super::*;

/// Lines enough for several pages and several blocks.
fn write_many(path: &Path, driver: &str) {
    let features: Vec<(String, String)> = (0..200)
        .map(|i| {
            let x = -92.0 + f64::from(i) / 1000.0;
            (format!("Tramo {i} Unión"), format!("LINESTRING ({x} 14.9,{} 15,{} 15.1)", x + 0.001, x + 0.002))
        })
        .collect();
    let features: Vec<(&str, &str)> =
        features.iter().map(|(name, wkt)| (name.as_str(), wkt.as_str())).collect();
    let options: &[&str] = if driver == "ESRI Shapefile" { &["ENCODING=UTF-8"] } else { &[] };
    write_layer(path, driver, Some(4326), options, &features);
}

const FILES: [(&str, &str, &[&str]); 4] = [
    ("a.geojson", "GeoJSON", &["a.geojson"]),
    ("a.gpkg", "GPKG", &["a.gpkg"]),
    ("a.fgb", "FlatGeobuf", &["a.fgb"]),
    ("a.shp", "ESRI Shapefile", &["a.shp", "a.shx", "a.dbf", "a.prj", "a.cpg"]),
];

#[test]
fn cut_files_are_faults() {
    for (name, driver, files) in FILES {
        let dir = tempfile::tempdir().unwrap();
        write_many(&dir.path().join(name), driver);
        assert_eq!(read_spec(dir.path(), &spec(name), GeometryNeed::Line).clean().rows.len(), 200);
        for file in files {
            let path = dir.path().join(file);
            let whole = fs::read(&path).unwrap();
            let n = whole.len();
            for keep in [
                0,
                1,
                7,
                16,
                50,
                99,
                100,
                101,
                n / 4,
                n / 2,
                n * 3 / 4,
                n * 9 / 10,
                n.saturating_sub(10),
                n - 2,
                n - 1,
            ] {
                if keep >= n {
                    continue;
                }
                fs::write(&path, &whole[..keep]).unwrap();
                let outcome = read_spec(dir.path(), &spec(name), GeometryNeed::Line);
                // The line end of a text, and the end mark of a .dbf, carry nothing.
                let nothing_lost =
                    whole[keep..].iter().all(|byte| byte.is_ascii_whitespace() || *byte == 0x1a);
                let optional = matches!(*file, "a.prj" | "a.cpg");
                if !nothing_lost && !optional {
                    assert!(outcome.faults.has_errors(), "{file} cut to {keep} of {n}");
                }
            }
            fs::write(&path, &whole).unwrap();
        }
    }
}

#[test]
fn flipped_bytes_do_no_harm() {
    for (name, driver, files) in FILES {
        let dir = tempfile::tempdir().unwrap();
        write_many(&dir.path().join(name), driver);
        for file in files {
            let path = dir.path().join(file);
            let whole = fs::read(&path).unwrap();
            let mut state = 88_172_645_463_325_252_u64;
            for round in 0..60_usize {
                let mut bytes = whole.clone();
                for _ in 0..=round % 4 {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    // Half of them in the header, where they do most harm.
                    let span = if round % 2 == 0 { bytes.len().min(200) } else { bytes.len() };
                    let at = usize::try_from(state >> 16).unwrap() % span;
                    bytes[at] ^= (state & 0xff) as u8 | 1;
                }
                fs::write(&path, bytes).unwrap();
                let outcome = read_spec(dir.path(), &spec(name), GeometryNeed::Line);
                assert!(outcome.table.is_some() || outcome.faults.has_errors(), "{file} round {round}");
            }
            fs::write(&path, &whole).unwrap();
        }
    }
}

#[test]
fn tables_of_random_bytes_do_no_harm() {
    let mut state = 2_463_534_242_u32;
    for round in 0..300 {
        let bytes: Vec<u8> = (0..round)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                b"a,;\t\n\r\"\0\xe9\xc3\xb1 -9.\xef\xbb\xbf\xff"[state as usize % 19]
            })
            .collect();
        let outcome = read_bytes("a.csv", &bytes, GeometryNeed::None);
        assert!(outcome.table.is_some() || outcome.faults.has_errors());
    }
}

#[test]
fn deep_nesting_does_not_exhaust_the_stack() {
    for depth in [40, 2_000, 200_000] {
        let nested = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        for text in [
            geojson(&format!(r#"{{"type":"MultiPolygon","coordinates":{nested}}}"#)),
            geojson("null").replace("\"x\"", &nested),
            format!(r#"{{"crs":{nested},"type":"FeatureCollection","features":[]}}"#),
        ] {
            assert!(read_bytes("a.geojson", text, GeometryNeed::Polygon).faults.has_errors());
        }
    }
}
