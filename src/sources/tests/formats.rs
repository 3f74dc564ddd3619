//! GeoJSON, GeoPackage, shapefile and `FlatGeobuf`.

use super::*;
use geo::Distance as _;

/// The same three towns in every format, and in two CRS.
fn all_formats(dir: &Path) -> Vec<&'static str> {
    write_towns(&dir.join("lcc.shp"), "ESRI Shapefile", Some(6372), &["ENCODING=UTF-8"]);
    write_towns(&dir.join("a.gpkg"), "GPKG", Some(4326), &[]);
    write_towns(&dir.join("lcc.gpkg"), "GPKG", Some(6372), &[]);
    write_towns(&dir.join("a.geojson"), "GeoJSON", Some(4326), &["COORDINATE_PRECISION=10"]);
    write_towns(&dir.join("a.fgb"), "FlatGeobuf", Some(4326), &["SPATIAL_INDEX=NO"]);
    vec!["lcc.shp", "a.gpkg", "lcc.gpkg", "a.geojson", "a.fgb"]
}

#[test]
fn the_same_points_in_every_format_agree_within_a_millimetre() {
    let dir = tempfile::tempdir().unwrap();
    for name in all_formats(dir.path()) {
        let table = read_spec(dir.path(), &spec(name), GeometryNeed::Point).clean();
        assert_eq!(table.fields, ["nombre", "cuenta", "valor", "fecha"], "{name}");
        for (row, (town, lon, lat)) in table.rows.iter().zip(TOWNS) {
            assert_eq!(row.values[0], Value::Text(town.to_owned()), "{name}");
            let (x, y) = point_of(row);
            let metres = geo::Haversine.distance(geo::Point::new(x, y), geo::Point::new(lon, lat));
            assert!(metres < 0.001, "{name}: {metres} m");
        }
        // A field that was never set is not a zero.
        let counts: Vec<_> = table.rows.iter().map(|row| row.values[1].clone()).collect();
        assert_eq!(counts, [Value::Null, Value::Integer(0), Value::Integer(1)], "{name}");
        assert_eq!(
            table.rows[0].values[2..],
            [Value::Real(0.5), Value::Text("2020-01-31".to_owned())],
            "{name}"
        );
        assert_eq!(table.provenance.records, 3);
        assert_eq!(table.rows[2].row, 3);
        let crs = if name.starts_with("lcc") { "EPSG:6372" } else { "EPSG:4326" };
        assert_eq!(table.provenance.crs.as_deref(), Some(crs), "{name}");
        assert_eq!(table.provenance.encoding.as_deref(), Some("utf-8"), "{name}");
        assert!(table.provenance.layer.is_some());
    }
}

#[test]
fn reading_leaves_the_folder_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let names = all_formats(dir.path());
    let listing = || {
        let mut all: Vec<_> = fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| (path.clone(), fs::read(&path).unwrap()))
            .collect();
        all.sort();
        all
    };
    let before = listing();
    for name in names {
        read_spec(dir.path(), &spec(name), GeometryNeed::Point).clean();
    }
    assert!(before == listing());
}

#[test]
fn a_geopackage_that_another_program_still_writes_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    write_towns(&dir.path().join("a.gpkg"), "GPKG", Some(4326), &[]);
    fs::write(dir.path().join("a.gpkg-wal"), "x").unwrap();
    assert_eq!(read_spec(dir.path(), &spec("a.gpkg"), GeometryNeed::Point).only().rule, Rule::OpenFailed);
    fs::write(dir.path().join("a.gpkg-wal"), "").unwrap();
    read_spec(dir.path(), &spec("a.gpkg"), GeometryNeed::Point).clean();
}

#[test]
fn layers_are_chosen_by_name() {
    let dir = tempfile::tempdir().unwrap();
    write_towns(&dir.path().join("a.gpkg"), "GPKG", Some(4326), &[]);
    let named = |layer: &str| SourceSpec { layer: Some(layer.to_owned()), ..spec("a.gpkg") };
    read_spec(dir.path(), &named("layer"), GeometryNeed::Point).clean();
    let outcome = read_spec(dir.path(), &named("otra"), GeometryNeed::Point);
    assert_eq!(outcome.only().rule, Rule::LayerMissing);
    assert_eq!(outcome.only().params, [("allowed", "layer".to_owned())]);

    let options =
        gdal::DatasetOptions { open_flags: gdal::GdalOpenFlags::GDAL_OF_UPDATE, ..Default::default() };
    let mut dataset = gdal::Dataset::open_ex(dir.path().join("a.gpkg"), options).unwrap();
    for (name, ty) in [("layer_styles", OGRwkbGeometryType::wkbNone), ("b", OGRwkbGeometryType::wkbPoint)] {
        dataset.create_layer(LayerOptions { name, ty, ..LayerOptions::default() }).unwrap();
        dataset.flush_cache().unwrap();
        let outcome = read_spec(dir.path(), &spec("a.gpkg"), GeometryNeed::Point);
        assert_eq!(
            outcome.rules().first().copied(),
            (name == "b").then_some(Rule::LayerMissing),
            "{}",
            outcome.faults
        );
    }
}

#[test]
fn a_crs_must_be_there_and_be_the_declared_one() {
    let dir = tempfile::tempdir().unwrap();
    write_towns(&dir.path().join("none.gpkg"), "GPKG", None, &[]);
    write_towns(&dir.path().join("a.gpkg"), "GPKG", Some(4326), &[]);
    let declared = |name: &str, crs: &str| SourceSpec { crs: Some(crs.to_owned()), ..spec(name) };
    assert_eq!(read_spec(dir.path(), &spec("none.gpkg"), GeometryNeed::Point).only().rule, Rule::CrsUnusable);
    read_spec(dir.path(), &declared("none.gpkg", "EPSG:4326"), GeometryNeed::Point).clean();
    read_spec(dir.path(), &declared("a.gpkg", "EPSG:4326"), GeometryNeed::Point).clean();
    let outcome = read_spec(dir.path(), &declared("a.gpkg", "EPSG:6372"), GeometryNeed::Point);
    assert_eq!(outcome.only().rule, Rule::CrsUnusable);
    let outcome = read_spec(dir.path(), &declared("none.gpkg", "EPSG:32615"), GeometryNeed::Point);
    assert_eq!(
        outcome.only().rule,
        Rule::CoordinatesOutOfRange,
        "degrees taken for metres lie far from Mexico"
    );
    // A table without geometry needs no CRS.
    read_spec(dir.path(), &spec("none.gpkg"), GeometryNeed::None).clean();
}

#[test]
fn the_crs_member_of_a_geojson_is_used_if_it_is_a_code() {
    let with = |crs: &str, at: &str| {
        format!(
            r#"{{"type":"FeatureCollection","crs":{crs},"features":[{{"type":"Feature","properties":{{}},"geometry":{{"type":"Point","coordinates":{at}}}}}]}}"#
        )
    };
    let name = |name: &str| format!(r#"{{"type":"name","properties":{{"name":"{name}"}}}}"#);
    let lcc = with(&name("urn:ogc:def:crs:EPSG::6372"), "[3550000, 360000]");
    let table = read_bytes("a.geojson", lcc, GeometryNeed::Point).clean();
    assert_eq!(table.provenance.crs.as_deref(), Some("EPSG:6372"));
    assert!((point_of(&table.rows[0]).0 + 92.0).abs() < 1.0);
    read_bytes(
        "a.geojson",
        with(&name("urn:ogc:def:crs:OGC:1.3:CRS84"), "[-92.2,14.9]"),
        GeometryNeed::Point,
    )
    .clean();
    read_bytes("a.geojson", with("null", "[-92.2,14.9]"), GeometryNeed::Point);
    for crs in [
        name("http://127.0.0.1:1/crs"),
        name("/etc/hostname"),
        r#"{"type":"link","properties":{"href":"http://127.0.0.1:1/crs"}}"#.to_owned(),
        r#"{"type":"url","properties":{"url":"http://127.0.0.1:1/crs"}}"#.to_owned(),
    ] {
        let outcome = read_bytes("a.geojson", with(&crs, "[-92.2,14.9]"), GeometryNeed::Point);
        assert_eq!(outcome.only().rule, Rule::CrsUnusable, "{crs}");
    }
}

/// The `.prj` of INEGI has a name and an authority of its own.
#[test]
fn a_shapefile_of_inegi_is_read_with_and_without_its_code() {
    let dir = tempfile::tempdir().unwrap();
    write_towns(&dir.path().join("a.shp"), "ESRI Shapefile", Some(6372), &["ENCODING=UTF-8"]);
    let prj = r#"PROJCS["MEXICO_ITRF_2008_LCC",GEOGCS["MEXICO_ITRF_2008",DATUM["D_ITRF_2008",SPHEROID["GRS_1980",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Lambert_Conformal_Conic"],PARAMETER["False_Easting",2500000.0],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",-102.0],PARAMETER["Standard_Parallel_1",17.5],PARAMETER["Standard_Parallel_2",29.5],PARAMETER["Latitude_Of_Origin",12.0],UNIT["Meter",1.0],AUTHORITY["INEGI",200008]]"#;
    fs::write(dir.path().join("a.prj"), prj).unwrap();
    for crs in [None, Some("EPSG:6372")] {
        let spec = SourceSpec { crs: crs.map(str::to_owned), ..spec("a.shp") };
        let table = read_spec(dir.path(), &spec, GeometryNeed::Point).clean();
        let (x, y) = point_of(&table.rows[0]);
        let metres = geo::Haversine.distance(geo::Point::new(x, y), geo::Point::new(TOWNS[0].1, TOWNS[0].2));
        assert!(metres < 0.001, "{crs:?}: {metres} m");
        assert!(table.provenance.crs.is_some());
    }
}

#[test]
fn geometries_have_a_rule_for_each_fault() {
    use GeometryNeed::{Line, Point, Polygon};
    let square = "[-92,14],[-91,14],[-91,15],[-92,15]";
    for (geometry, need, rule) in [
        (r#"{"type":"Point","coordinates":[-Infinity,14]}"#.to_owned(), Point, Rule::CoordinateNotFinite),
        ("null".to_owned(), Point, Rule::GeometryEmpty),
        (r#"{"type":"Point","coordinates":[]}"#.to_owned(), Point, Rule::GeometryEmpty),
        (r#"{"type":"LineString","coordinates":[[-92,14]]}"#.to_owned(), Line, Rule::GeometryEmpty),
        (r#"{"type":"Point","coordinates":[1e999,14]}"#.to_owned(), Point, Rule::CoordinateNotFinite),
        (r#"{"type":"Point","coordinates":[NaN,14]}"#.to_owned(), Point, Rule::CoordinateNotFinite),
        (r#"{"type":"Point","coordinates":[14.9,-92.2]}"#.to_owned(), Point, Rule::AxesSwapped),
        (r#"{"type":"Point","coordinates":[-192.2,14]}"#.to_owned(), Point, Rule::CoordinatesOutOfRange),
        (r#"{"type":"Point","coordinates":[2500000,500000]}"#.to_owned(), Point, Rule::CoordinatesOutOfRange),
        (r#"{"type":"Point","coordinates":[-92,14]}"#.to_owned(), Line, Rule::GeometryType),
        (r#"{"type":"MultiPoint","coordinates":[[-92,14],[-91,14]]}"#.to_owned(), Point, Rule::GeometryType),
        (
            r#"{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[-92,14]}]}"#
                .to_owned(),
            Point,
            Rule::GeometryType,
        ),
        (format!(r#"{{"type":"Polygon","coordinates":[[{square}]]}}"#), Polygon, Rule::RingUnclosed),
        (
            r#"{"type":"Polygon","coordinates":[[[-92,14],[-91,14],[-92,14]]]}"#.to_owned(),
            Polygon,
            Rule::RingUnclosed,
        ),
        (
            format!(r#"{{"type":"MultiPolygon","coordinates":[[[{square},[-92,14]]],[[{square}]]]}}"#),
            Polygon,
            Rule::RingUnclosed,
        ),
        (
            r#"{"type":"Polygon","coordinates":[[[-92,14],[-91,15],[-91,14],[-92,15],[-92,14]]]}"#.to_owned(),
            Polygon,
            Rule::PolygonInvalid,
        ),
    ] {
        let outcome = read_bytes("a.geojson", geojson(&geometry), need);
        let row = (!geometry.contains("NaN") && !geometry.contains("Infinity")).then_some(1);
        assert_eq!((outcome.only().rule, outcome.only().place.row), (rule, row), "{geometry}");
    }
}

#[test]
fn parts_z_and_m_are_taken_as_documented() {
    let read = |geometry: &str, need| {
        let table = read_bytes("a.geojson", geojson(geometry), need).clean();
        table.rows[0].geometry.clone().unwrap()
    };
    let one = read(r#"{"type":"MultiPoint","coordinates":[[-92,14,7]]}"#, GeometryNeed::Point);
    assert_eq!(one, geo::Point::new(-92.0, 14.0).into());
    let line =
        read(r#"{"type":"MultiLineString","coordinates":[[[-92,14,1],[-91,14,2]]]}"#, GeometryNeed::Line);
    assert!(matches!(line, geo::Geometry::LineString(line) if line.0.len() == 2));
    let lines = read(
        r#"{"type":"MultiLineString","coordinates":[[[-92,14],[-91,14]],[[-92,15],[-91,15]]]}"#,
        GeometryNeed::Line,
    );
    assert!(matches!(lines, geo::Geometry::MultiLineString(lines) if lines.0.len() == 2));
    let hole = r#"{"type":"Polygon","coordinates":[[[-92,14],[-91,14],[-91,15],[-92,15],[-92,14]],[[-91.8,14.2],[-91.8,14.4],[-91.6,14.4],[-91.8,14.2]]]}"#;
    assert!(
        matches!(read(hole, GeometryNeed::Polygon), geo::Geometry::Polygon(p) if p.interiors().len() == 1)
    );
}

#[test]
fn curves_become_lines() {
    let dir = tempfile::tempdir().unwrap();
    let arc = [("a", "CIRCULARSTRING (-92 14,-91.5 14.5,-91 14)")];
    write_layer(&dir.path().join("a.gpkg"), "GPKG", Some(4326), &[], &arc);
    let table = read_spec(dir.path(), &spec("a.gpkg"), GeometryNeed::Line).clean();
    assert!(matches!(&table.rows[0].geometry, Some(geo::Geometry::LineString(line)) if line.0.len() > 10));
    let disc = [("a", "CURVEPOLYGON (CIRCULARSTRING (-92 14,-91.5 14.5,-91 14,-91.5 13.5,-92 14))")];
    write_layer(&dir.path().join("b.gpkg"), "GPKG", Some(4326), &[], &disc);
    let table = read_spec(dir.path(), &spec("b.gpkg"), GeometryNeed::Polygon).clean();
    let Some(geo::Geometry::Polygon(disc)) = &table.rows[0].geometry else { panic!() };
    assert!(disc.exterior().0.len() > 90);
    let area = geo::Area::unsigned_area(disc);
    assert!((area / (std::f64::consts::PI * 0.25) - 1.0).abs() < 0.001, "{area}");
    let circle = [("a", "COMPOUNDCURVE (CIRCULARSTRING (-92 14,-91 14,-92 14),(-92 14,-93 14))")];
    write_layer(&dir.path().join("c.gpkg"), "GPKG", Some(4326), &[], &circle);
    let table = read_spec(dir.path(), &spec("c.gpkg"), GeometryNeed::Line).clean();
    assert!(matches!(&table.rows[0].geometry, Some(geo::Geometry::LineString(line)) if line.0.len() == 92));
}

#[test]
fn a_shapefile_is_read_in_the_encoding_of_its_bytes() {
    for (encoding, cpg, declared, expected) in [
        ("UTF-8", None, None, Ok("utf-8")),
        ("CP1252", None, None, Ok("windows-1252")),
        ("CP1252", Some("ANSI 1252"), None, Ok("windows-1252")),
        ("CP1252", Some("UTF-8"), None, Err(Rule::EncodingWrong)),
        ("CP1252", Some("UTF-8"), Some("latin1"), Ok("windows-1252")),
        ("UTF-8", Some("1252"), None, Err(Rule::EncodingWrong)),
        ("UTF-8", None, Some("windows-1252"), Err(Rule::EncodingWrong)),
        ("UTF-8", Some("klingon"), None, Err(Rule::EncodingWrong)),
    ] {
        let dir = tempfile::tempdir().unwrap();
        write_towns(
            &dir.path().join("a.shp"),
            "ESRI Shapefile",
            Some(4326),
            &[&format!("ENCODING={encoding}")],
        );
        match cpg {
            Some(text) => fs::write(dir.path().join("a.cpg"), text).unwrap(),
            None => drop(fs::remove_file(dir.path().join("a.cpg"))),
        }
        let spec = SourceSpec { encoding: declared.map(str::to_owned), ..spec("a.shp") };
        let outcome = read_spec(dir.path(), &spec, GeometryNeed::Point);
        match expected {
            Ok(expected) => {
                let table = outcome.clean();
                assert_eq!(
                    table.rows[1].values[0],
                    Value::Text("Unión Juárez".to_owned()),
                    "{encoding} {cpg:?}"
                );
                assert_eq!(table.provenance.encoding.as_deref(), Some(expected), "{encoding} {cpg:?}");
            }
            Err(rule) => assert_eq!(outcome.only().rule, rule, "{encoding} {cpg:?}"),
        }
    }
}

#[test]
fn text_that_is_not_utf8_is_a_fault() {
    let mut bytes = geojson(r#"{"type":"Point","coordinates":[-92,14]}"#).into_bytes();
    let at = bytes.windows(3).position(|three| three == b"\"x\"").unwrap();
    bytes[at + 1] = 0xe9;
    assert_eq!(read_bytes("a.geojson", bytes, GeometryNeed::Point).only().rule, Rule::EncodingWrong);

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.gpkg");
    write_towns(&path, "GPKG", Some(4326), &[]);
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.windows(9).position(|word| word == b"Tapachula").unwrap();
    bytes[at + 2] = 0xe9;
    fs::write(&path, bytes).unwrap();
    let outcome = read_spec(dir.path(), &spec("a.gpkg"), GeometryNeed::Point);
    assert_eq!(outcome.rules(), [Rule::EncodingWrong], "{}", outcome.faults);
}

#[test]
fn a_disguise_is_seen_through() {
    let vrt = "<OGRVRTDataSource><OGRVRTLayer name='a'><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>";
    for name in ["a.geojson", "a.json", "a.gpkg", "a.shp", "a.fgb"] {
        for bytes in [vrt, "[1]", "{\"type\":\"Topology\"}", "{}"] {
            let outcome = read_bytes(name, bytes, GeometryNeed::Point);
            assert!(outcome.table.is_none());
            assert_eq!(outcome.only().rule, Rule::OpenFailed, "{name} {bytes}");
            assert!(outcome.only().params.iter().any(|(key, _)| ["detail", "foreign"].contains(key)));
        }
    }
}

#[test]
fn a_layer_without_records_or_with_person_columns_is_refused() {
    let empty = r#"{"type":"FeatureCollection","features":[]}"#;
    assert_eq!(read_bytes("a.geojson", empty, GeometryNeed::Point).only().rule, Rule::NoRecords);
    let person = geojson(r#"{"type":"Point","coordinates":[-92,14]}"#).replace("nombre", "fecha_nacimiento");
    let outcome = read_bytes("a.geojson", person, GeometryNeed::Point);
    assert_eq!(outcome.only().rule, Rule::PersonColumn);
    assert!(outcome.table.is_none());
}

#[test]
fn vertices_are_capped() {
    let dir = tempfile::tempdir().unwrap();
    write_towns(&dir.path().join("a.gpkg"), "GPKG", Some(4326), &[]);
    let mut faults = Faults::default();
    let limits = Limits { max_vertices: 2, ..Limits::default() };
    let rules = ColumnRules::default();
    let table =
        read(dir.path(), "t", &spec("a.gpkg"), GeometryNeed::Point, &rules, &limits, &mut faults).unwrap();
    assert!(table.is_none());
    assert_eq!(faults.0[0].rule, Rule::TooMany);
}

#[test]
fn names_within_values_are_those_of_columns_too() {
    let file = |members: &str| {
        format!(
            r#"{{"type":"FeatureCollection","features":[{{"type":"Feature",{members},"geometry":{{"type":"Point","coordinates":[-92,14]}}}}]}}"#
        )
    };
    for (members, rule) in [
        (r#""properties":{"id":1,"datos":{"curp":"X"}}"#, Rule::PersonColumn),
        (r#""properties":{"id":1,"datos":{"a":[{"b":1},{"telefono":"X"}]}}"#, Rule::PersonColumn),
        (r#""properties":{"id":1,"datos":[{"nacionalidad":"X"}]}"#, Rule::DeniedColumn),
        (r#""id":1,"datos":{"curp":"X"}"#, Rule::PersonColumn),
    ] {
        let outcome = read_bytes("a.geojson", file(members), GeometryNeed::Point);
        assert!(outcome.table.is_none(), "{members}");
        assert_eq!(outcome.only().rule, rule, "{members}");
    }
    let plain = file(r#""properties":{"id":1,"datos":{"carriles":2,"otros":[1,null,true]}}"#);
    assert_eq!(read_bytes("a.geojson", plain, GeometryNeed::Point).clean().rows.len(), 1);
}
