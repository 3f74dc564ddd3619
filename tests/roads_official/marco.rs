//! `inegi-marco`.

use std::fs;

use tempfile::TempDir;

use super::generator::maps::{self, Layer, System};
use super::generator::{CHIAPAS, STEP, all_places};
use super::support::Study;
use super::*;

const KEYS: &str = "path = \"00mun.shp\"\npreset = \"inegi-marco\"\nentities = [\"07\"]";
const COLUMNS: [&str; 4] = ["CVEGEO", "CVE_ENT", "CVE_MUN", "NOMGEO"];

/// A square around a place, clockwise as shapefiles have it.
fn square([x, y]: [f64; 2]) -> String {
    let h = STEP / 2.0;
    let corners = [(-h, -h), (-h, h), (h, h), (h, -h), (-h, -h)];
    let ring: Vec<String> = corners.iter().map(|(a, b)| format!("{:.9} {:.9}", x + a, y + b)).collect();
    format!("POLYGON (({}))", ring.join(","))
}

/// Municipalities of several entities. Honduras de la Sierra (07125) has no polygon in this edition.
fn municipalities() -> Layer {
    let mut layer = Layer::polygons("00mun", &COLUMNS);
    for place in all_places(&[7, 20, 27]) {
        if place.cvegeo() == "07125" {
            continue;
        }
        let row = [
            place.cvegeo(),
            format!("{:02}", place.entity),
            format!("{:03}", place.number),
            place.name.clone(),
        ];
        layer.push(row.into(), Some(square(place.at)));
    }
    layer
}

fn entities() -> Layer {
    let mut layer = Layer::polygons("00ent", &["CVEGEO", "CVE_ENT", "NOMGEO"]);
    layer.push(["07", "07", "Chiapas"].map(str::to_owned).into(), Some(square([-92.6, 16.7])));
    layer
}

fn shapefile(layer: &Layer, system: System) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    maps::write_shapefiles(dir.path(), &[layer], system);
    dir
}

fn geopackage(layers: &[&Layer]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    maps::write(&dir.path().join("marco.gpkg"), "GPKG", layers, System::Degrees);
    dir
}
const IN_GEOPACKAGE: &str = "path = \"marco.gpkg\"\npreset = \"inegi-marco\"\nentities = [\"07\"]";

#[track_caller]
fn whole(dir: &TempDir, keys: &str) -> RawTable {
    let (table, faults) = read(dir.path(), "municipalities", keys);
    assert!(faults.0.is_empty(), "{faults}");
    table.unwrap()
}

// ---- whole files ------------------------------------------------------------------------------------

#[test]
fn the_municipalities_of_the_entity_are_kept() {
    let layer = municipalities();
    let table = whole(&shapefile(&layer, System::Epsg(6372)), KEYS);
    let own = layer.sheet.find(&[("CVE_ENT", "07")]);
    assert_eq!(own.len(), 123, "as in the edition before 07125");
    assert_eq!(table.rows.len(), own.len());
    assert_eq!(dropped(&table), [("other_entity", 24 + 17)].into());
    assert_eq!(table.provenance.records, layer.sheet.rows.len() as u64);
    for (row, record) in table.rows.iter().zip(own) {
        assert_eq!(text(row, 0), layer.sheet.get(record, "CVEGEO"));
        assert_eq!(text(row, 1), layer.sheet.get(record, "NOMGEO"));
        assert_eq!(row.row, record as u64 + 1);
    }
    // All of them where no entity is named.
    let all = whole(&shapefile(&layer, System::Epsg(6372)), KEYS.replace("entities = [\"07\"]", "").as_str());
    assert_eq!(all.rows.len(), layer.sheet.rows.len());
}

#[test]
fn every_edition_gives_the_same_table() {
    let layer = municipalities();
    let dir = shapefile(&layer, System::Epsg(6372));
    let expected = canonical(&whole(&dir, KEYS));
    for text in [maps::ITRF2008.to_owned(), maps::with_authority()] {
        maps::set_prj(dir.path(), &text);
        assert!(canonical(&whole(&dir, KEYS)) == expected, "{text}");
    }
    // Names in lower case, and of the name another one.
    let mut lower = layer.clone();
    for name in &mut lower.sheet.header {
        *name = name.to_lowercase();
    }
    let lower = lower.renamed("nomgeo", "nom_mun");
    assert!(canonical(&whole(&shapefile(&lower, System::Epsg(6372)), KEYS)) == expected);
    // The whole code alone, and its parts alone.
    for gone in [&["CVE_ENT", "CVE_MUN"][..], &["CVEGEO"]] {
        let part = gone.iter().fold(layer.clone(), |layer, column| layer.without(column));
        assert!(canonical(&whole(&shapefile(&part, System::Degrees), KEYS)) == expected, "{gone:?}");
    }
    // Codes whose zeros were lost, as numbers.
    let mut numbers = layer.clone();
    numbers.numbers = COLUMNS[..3].iter().map(|c| (*c).to_owned()).collect();
    assert!(canonical(&whole(&shapefile(&numbers, System::Degrees), KEYS)) == expected);
    // Several layers in one file.
    assert!(canonical(&whole(&geopackage(&[&entities(), &layer]), IN_GEOPACKAGE)) == expected);
    let other = layer.clone().named("municipio").renamed("NOMGEO", "NOMBRE");
    assert!(canonical(&whole(&geopackage(&[&entities(), &other]), IN_GEOPACKAGE)) == expected);

    // A zip archive with the shapefiles of several kinds of areas.
    let dir = tempfile::tempdir().unwrap();
    maps::write_shapefiles(dir.path(), &[&entities(), &layer], System::Wkt(maps::ITRF2008));
    let mut members: Vec<(String, Vec<u8>)> = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            (format!("conjunto_de_datos/{name}"), fs::read(&path).unwrap())
        })
        .collect();
    members.sort();
    let members: Vec<(&str, &[u8])> = members.iter().map(|(n, b)| (n.as_str(), b.as_slice())).collect();
    fs::write(dir.path().join("marco.zip"), workbooks::zipped(&members)).unwrap();
    let keys = "path = \"marco.zip\"\nlayer = \"00mun\"\npreset = \"inegi-marco\"\nentities = [\"07\"]";
    assert!(canonical(&whole(&dir, keys)) == expected, "an archive");
    let (_, faults) = read(dir.path(), "municipalities", &keys.replace("layer = \"00mun\"\n", ""));
    assert_told(&faults, "marco.zip", &[("S028", None, None)]);
}

/// 124 codes over 123 polygons are the normal case: the study says where the new one belongs.
#[test]
fn a_code_without_a_polygon_is_mapped_by_the_study() {
    let study = Study::new();
    study.edit("study.toml", "region = \"Chiapas\"", "region = \"Chiapas\"\nentities = [\"07\"]");
    study.edit(
        "study.toml",
        "{ path = \"municipalities.geojson\" }",
        "{ path = \"00mun.shp\", preset = \"inegi-marco\" }",
    );
    maps::write_shapefiles(&study.dir(), &[&municipalities()], System::Epsg(6372));
    let answer = study.check(&["--json"]).json();
    let of = |rule: &str| answer["warnings"].as_array().unwrap().iter().filter(|w| w["rule"] == rule).count();
    let shared = study.text("study.toml").matches("07125 = \"07080\"").count();
    assert_eq!(shared, 1);
    assert_eq!(of("M007"), 0);
    assert!(answer.to_string().contains("07125"), "{answer}");
}

// ---- repairs ----------------------------------------------------------------------------------------

#[test]
fn a_ring_that_touches_itself_is_repaired_and_one_that_crosses_itself_is_not() {
    let mut layer = municipalities();
    let own = layer.sheet.find(&[("CVE_ENT", "07")]);
    // A spike of no width, and a hole that hangs on the ring by one position.
    layer.shapes[own[3]] = Some(
        "POLYGON ((-92.5 15.5,-92.4 15.5,-92.3 15.5,-92.4 15.5,-92.4 15.6,-92.5 15.6,-92.5 15.5))".to_owned(),
    );
    layer.shapes[own[5]] = Some(
        "POLYGON ((-92.5 15.5,-92.45 15.5,-92.46 15.55,-92.44 15.55,-92.45 15.5,-92.4 15.5,-92.4 15.6,-92.5 15.6,-92.5 15.5))"
            .to_owned(),
    );
    layer.shapes[own[7]] =
        Some("POLYGON ((-92.5 15.5,-92.4 15.6,-92.4 15.5,-92.5 15.6,-92.5 15.5))".to_owned());
    let (table, faults) = read(shapefile(&layer, System::Degrees).path(), "municipalities", KEYS);
    let row = |i: usize| Some(own[i] as u64 + 1);
    assert_told(
        &faults,
        "00mun.shp",
        &[("S085", row(3), None), ("S085", row(5), None), ("M015", row(7), None)],
    );
    assert_eq!(table.unwrap().rows.len(), 122);
}

// ---- broken files -----------------------------------------------------------------------------------

#[test]
fn every_fault_of_the_municipalities_is_told_in_one_pass() {
    let mut layer = municipalities();
    let mut rows = layer.sheet.find(&[("CVE_ENT", "07")]).into_iter();
    let mut expected: Vec<(&str, Option<u64>, Option<&str>)> = Vec::new();
    for (rule, column, value) in [
        ("M002", "CVEGEO", ""),
        ("M012", "CVEGEO", "0"),
        ("M012", "CVEGEO", "00000"),
        ("M012", "CVEGEO", "07000"),
        ("M012", "CVEGEO", "107089"),
        ("M012", "CVEGEO", "33001"),
        ("M012", "CVEGEO", "Tapachula"),
        ("M012", "CVEGEO", "7.089"),
        ("M012", "CVEGEO", "-7089"),
        ("M012", "CVEGEO", "999"),
        ("S064", "CVEGEO", "07001"),
        ("S064", "CVEGEO", "20067"),
        ("M002", "CVE_ENT", ""),
        ("M005", "CVE_ENT", "00"),
        ("M005", "CVE_ENT", "33"),
        ("M003", "CVE_ENT", "Chiapas"),
        ("M002", "CVE_MUN", ""),
        ("M005", "CVE_MUN", "000"),
        ("M005", "CVE_MUN", "1000"),
        ("M003", "CVE_MUN", "Acala"),
        ("M002", "NOMGEO", ""),
        ("M002", "NOMGEO", "   "),
        ("S011", "NOMGEO", "Zinacant\u{fffd}n"),
    ] {
        let mut row = rows.next().unwrap();
        if value == "07001" && layer.sheet.get(row, "CVEGEO") == "07001" {
            row = rows.next().unwrap();
        }
        layer.sheet.set(row, column, value);
        expected.push((rule, Some(row as u64 + 1), Some(column)));
    }
    for (rule, shape) in [
        ("S016", None),
        ("S016", Some("POLYGON EMPTY")),
        ("S021", Some("POINT (-92.4 15.4)")),
        ("S021", Some("LINESTRING (-92.4 15.4,-92.5 15.5)")),
        ("S017", Some("POLYGON ((-92.5 15.5,-92.4 15.5,-92.4 15.6,-92.5 15.6))")),
        ("S017", Some("POLYGON ((-92.5 15.5,-92.4 15.5,-92.5 15.5))")),
        ("S010", Some("POLYGON ((15.5 -92.5,15.6 -92.5,15.6 -92.4,15.5 -92.5))")),
        ("S009", Some("POLYGON ((2500000 600000,2500100 600000,2500100 600100,2500000 600000))")),
        ("M015", Some("POLYGON ((-92.5 15.5,-92.4 15.6,-92.4 15.5,-92.5 15.6,-92.5 15.5))")),
        (
            "S085",
            Some("POLYGON ((-92.5 15.5,-92.4 15.5,-92.3 15.5,-92.4 15.5,-92.4 15.6,-92.5 15.6,-92.5 15.5))"),
        ),
    ] {
        let row = rows.next().unwrap();
        layer.shapes[row] = shape.map(str::to_owned);
        expected.push((rule, Some(row as u64 + 1), None));
    }
    assert!(expected.len() >= 30);
    layer.kind = gdal::vector::OGRwkbGeometryType::wkbUnknown;
    let dir = geopackage(&[&entities(), &layer]);
    let (table, faults) = read(dir.path(), "municipalities", IN_GEOPACKAGE);
    assert_told(&faults, "marco.gpkg", &expected);
    assert!(table.is_some());

    // A code that stands twice, and whose zero was lost, is told by the model.
    let study = Study::new();
    study.edit("study.toml", "region = \"Chiapas\"", "region = \"Chiapas\"\nentities = [\"07\"]");
    study.edit(
        "study.toml",
        "{ path = \"municipalities.geojson\" }",
        "{ path = \"00mun.shp\", preset = \"inegi-marco\" }",
    );
    let mut twice = municipalities();
    let first = twice.sheet.find(&[("CVEGEO", "07089")])[0];
    let mut again = twice.sheet.rows[first].clone();
    "7089".clone_into(&mut again[0]);
    let shape = twice.shapes[first].clone();
    twice.push(again, shape);
    maps::write_shapefiles(&study.dir(), &[&twice], System::Epsg(6372));
    let answer = study.check(&["--json"]).exits(1).json();
    let faults = answer["faults"].as_array().unwrap();
    let errors: Vec<_> = faults.iter().filter(|f| f["severity"] == "error").collect();
    assert_eq!(errors.len(), 1, "{answer}");
    assert_eq!(errors[0]["rule"], "M007");
    assert_eq!(errors[0]["place"]["row"], twice.sheet.rows.len());
    assert_eq!(errors[0]["place"]["field"], "CVEGEO");
}

#[test]
fn what_is_wrong_with_the_whole_file_is_told() {
    let layer = municipalities();
    let told_of = |layer: &Layer, keys: &str, expected: &[(&str, Option<u64>, Option<&str>)]| {
        let (table, faults) = read(shapefile(layer, System::Degrees).path(), "municipalities", keys);
        assert!(table.is_none(), "{keys}");
        assert_told(&faults, "00mun.shp", expected);
    };
    let code = Some("CVEGEO | CVE_ENT + CVE_MUN");
    told_of(
        &layer.clone().without("CVEGEO").without("CVE_MUN").without("NOMGEO"),
        KEYS,
        &[("M001", None, code), ("M001", None, Some("NOMGEO"))],
    );
    told_of(&layer.clone().renamed("CVEGEO", "CLAVE").without("CVE_ENT"), KEYS, &[("M001", None, code)]);
    let mapped = format!("{KEYS}\n[fields]\ncvegeo = \"CLAVE\"\nname = \"NOMBRE_OFICIAL\"");
    told_of(&layer, &mapped, &[("M001", None, Some("CLAVE")), ("M001", None, Some("NOMBRE_OFICIAL"))]);
    told_of(&layer, &KEYS.replace("07", "01"), &[("S060", None, Some("CVE_ENT"))]);
    let mut empty = layer.clone();
    empty.sheet.rows.clear();
    empty.shapes.clear();
    told_of(&empty, KEYS, &[("S013", None, None)]);
    told_of(&layer, &format!("{KEYS}\nlayer = \"agebs\""), &[("S007", None, Some("agebs"))]);
    // Each name that is no UTF-8, which is those with an accent.
    let (_, faults) = read(
        shapefile(&layer, System::Degrees).path(),
        "municipalities",
        &format!("{KEYS}\nencoding = \"utf-8\""),
    );
    let accented: Vec<u64> =
        (1..).zip(&layer.sheet.rows).filter(|(_, row)| !row[3].is_ascii()).map(|(row, _)| row).collect();
    let garbled = accented.iter().map(|row| ("S011", Some(*row), Some("NOMGEO")));
    assert_told(&faults, "00mun.shp", &garbled.collect::<Vec<_>>());
    told_of(&layer, &format!("{KEYS}\ncrs = \"EPSG:6372\""), &[("S008", None, None)]);

    let cut = |path: &Path| {
        let bytes = fs::read(path).unwrap();
        fs::write(path, &bytes[..bytes.len() * 2 / 3]).unwrap();
    };
    for (name, rule) in [("00mun.shx", "S006"), ("00mun.dbf", "S006"), ("00mun.prj", "S008")] {
        let dir = shapefile(&layer, System::Degrees);
        fs::remove_file(dir.path().join(name)).unwrap();
        let (table, faults) = read(dir.path(), "municipalities", KEYS);
        assert!(table.is_none());
        assert_told(&faults, "00mun.shp", &[(rule, None, None)]);
    }
    for (name, rule) in [("00mun.dbf", "S006"), ("00mun.shp", "S006")] {
        let dir = shapefile(&layer, System::Degrees);
        cut(&dir.path().join(name));
        let (_, faults) = read(dir.path(), "municipalities", KEYS);
        assert!(told(&faults, "00mun.shp").iter().any(|t| t.0 == rule), "{name}: {faults}");
    }
    // Metres that are said to be degrees.
    let dir = shapefile(&layer, System::Epsg(6372));
    let degrees = gdal::spatial_ref::SpatialRef::from_epsg(4326).unwrap().to_wkt().unwrap();
    maps::set_prj(dir.path(), &degrees);
    let (_, faults) = read(dir.path(), "municipalities", KEYS);
    assert!(told(&faults, "00mun.shp").iter().all(|t| t.0 == "S009"), "{faults}");
    assert!(faults.has_errors());
    assert!(layer.sheet.find(&[("CVE_ENT", &format!("{CHIAPAS:02}"))]).len() > 100);
}
