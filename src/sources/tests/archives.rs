//! Zip archives: every format within one, which member is taken, and what hostile archives end in.

use std::io::Cursor;

use zip::write::{SimpleFileOptions, ZipWriter};

use super::workbooks::{zipped, zipped_as};
use super::*;

const TABLE: &str = "nombre,lon,lat\nTapachula,-92.26,14.9\n";

fn member(name: &str) -> SourceSpec {
    SourceSpec { member: Some(name.to_owned()), ..spec("a.zip") }
}

fn read_zip(bytes: impl AsRef<[u8]>) -> Outcome {
    read_bytes("a.zip", bytes, GeometryNeed::Point)
}

/// Replaces every occurrence, which must not change the length.
fn patched(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at + from.len() <= out.len() {
        if out[at..].starts_with(from) {
            out[at..at + to.len()].copy_from_slice(to);
        }
        at += 1;
    }
    assert!(out != bytes);
    out
}

/// Where the header of the `n`th member in the directory begins, from 0.
fn header(bytes: &[u8], n: usize) -> usize {
    let found = bytes.windows(4).enumerate().filter(|(_, w)| *w == b"PK\x01\x02").nth(n);
    found.unwrap().0
}

fn detail(outcome: &Outcome) -> String {
    outcome.only().params.first().map(|(_, value)| value.clone()).unwrap_or_default()
}

#[test]
fn every_format_is_read_from_an_archive() {
    for (name, driver) in
        [("a.gpkg", "GPKG"), ("a.shp", "ESRI Shapefile"), ("a.fgb", "FlatGeobuf"), ("a.geojson", "GeoJSON")]
    {
        let dir = tempfile::tempdir().unwrap();
        write_towns(&dir.path().join(name), driver, Some(4326), &[]);
        let files: Vec<(String, Vec<u8>)> = fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap()))
            .collect();
        let names: Vec<String> = files.iter().map(|(name, _)| format!("datos/{name}")).collect();
        let members: Vec<(&str, &[u8])> =
            names.iter().zip(&files).map(|(name, (_, bytes))| (name.as_str(), bytes.as_slice())).collect();
        let bytes = zipped(&members);
        let plain = read_spec(dir.path(), &spec(name), GeometryNeed::Point).clean();
        let table = read_zip(&bytes).clean();
        assert_eq!(table.fields, plain.fields, "{name}");
        assert_eq!(table.rows.len(), 3);
        for (a, b) in table.rows.iter().zip(&plain.rows) {
            assert_eq!((&a.values, &a.geometry), (&b.values, &b.geometry), "{name}");
        }
        assert_eq!(table.provenance.file, format!("a.zip/datos/{name}"));
        assert_eq!(table.provenance.driver, driver);
        assert_eq!(table.provenance.layer, plain.provenance.layer);
    }
}

#[test]
fn the_hash_and_the_size_are_those_of_the_archive() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = zipped(&[("a.csv", TABLE.as_bytes())]);
    fs::write(dir.path().join("a.zip"), &bytes).unwrap();
    let table = read_spec(dir.path(), &spec("a.zip"), GeometryNeed::Point).clean();
    let expected = crate::ids::hex(&<sha2::Sha256 as sha2::Digest>::digest(&bytes));
    assert_eq!((table.provenance.sha256, table.provenance.bytes), (expected, bytes.len() as u64));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is unpacked beside the archive");
}

#[test]
fn faults_name_the_member() {
    let outcome = read_zip(zipped(&[("datos/a.csv", b"nombre,lon,lat\nx,-92.26\n")]));
    assert_eq!(outcome.only().rule, Rule::RowRagged);
    assert_eq!(outcome.only().place.file, "a.zip/datos/a.csv");
    assert_eq!(outcome.only().place.row, Some(2));
    let outcome = read_zip(zipped(&[("a.geojson", b"<OGRVRTDataSource/>")]));
    assert_eq!(
        (outcome.only().rule, outcome.only().place.file.as_str()),
        (Rule::OpenFailed, "a.zip/a.geojson")
    );
}

#[test]
fn the_data_folder_of_an_official_archive_is_preferred() {
    let csv = TABLE.as_bytes();
    let official: [(&str, &[u8]); 4] = [
        ("conjunto_de_datos/denue_inegi_07_.csv", csv),
        ("diccionario_de_datos/denue_diccionario_de_datos.csv", b"a,b\n1,2\n"),
        ("metadatos/metadatos_denue.txt", b"texto"),
        ("catalogos/catalogo.csv", b"a\n1\n"),
    ];
    let table = read_zip(zipped(&official)).clean();
    assert_eq!(table.provenance.file, "a.zip/conjunto_de_datos/denue_inegi_07_.csv");
    let spaced = read_zip(zipped(&[("x/Conjunto de Datos/a.csv", csv), ("b.csv", b"a\n1\n")])).clean();
    assert_eq!(spaced.provenance.file, "a.zip/x/Conjunto de Datos/a.csv");
    let beside = read_zip(zipped(&[("a.csv", csv), ("leeme.txt", b"x"), ("__MACOSX/._a.csv", b"x")])).clean();
    assert_eq!(beside.provenance.file, "a.zip/a.csv");
    // A table holds no lines.
    let lines = zipped(&[
        ("a.csv", csv),
        ("l.geojson", geojson(r#"{"type":"LineString","coordinates":[[-92,14],[-91,14]]}"#).as_bytes()),
    ]);
    read_bytes("a.zip", lines, GeometryNeed::Line).clean();
}

#[test]
fn where_several_fit_the_study_chooses() {
    let bytes = zipped(&[("07mun.csv", TABLE.as_bytes()), ("07ent.csv", b"a,lon,lat\n1,-92,14\n")]);
    let outcome = read_zip(&bytes);
    assert_eq!(outcome.only().rule, Rule::ArchiveMember);
    assert_eq!(outcome.only().params, [("allowed", "07ent.csv, 07mun.csv".to_owned())]);
    assert_eq!(read_bytes_as(&member("07mun.csv"), &bytes, GeometryNeed::Point).clean().fields[0], "nombre");
    let by_layer = SourceSpec { layer: Some("07mun".to_owned()), ..spec("a.zip") };
    assert_eq!(read_bytes_as(&by_layer, &bytes, GeometryNeed::Point).clean().fields[0], "nombre");
    let none = read_bytes_as(&member("http://127.0.0.1:9/a.csv"), &bytes, GeometryNeed::Point);
    assert_eq!(
        (none.only().rule, none.only().place.field.as_deref()),
        (Rule::ArchiveMember, Some("http://127.0.0.1:9/a.csv"))
    );
    let many: Vec<String> = (0..50).map(|i| format!("{i:02}.csv")).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|name| (name.as_str(), TABLE.as_bytes())).collect();
    assert!(detail(&read_zip(zipped(&many))).ends_with("19.csv, … (+30)"));
    // The study may not name a member of what is no archive.
    let plain = SourceSpec { member: Some("b.csv".to_owned()), ..spec("a.csv") };
    assert_eq!(read_bytes_as(&plain, TABLE, GeometryNeed::Point).only().rule, Rule::ArchiveMember);
}

#[test]
fn names_with_accents_are_found_in_every_encoding() {
    let bytes = zipped(&[("Poblaci1n.csv", TABLE.as_bytes()), ("b.csv", b"x")]);
    for accent in [0xa2, 0xf3] {
        let old = patched(&bytes, b"Poblaci1n", &[b"Poblaci".as_slice(), &[accent], b"n"].concat());
        let table = read_bytes_as(&member("Población.csv"), &old, GeometryNeed::Point).clean();
        assert_eq!(table.provenance.file, "a.zip/Población.csv");
        read_bytes_as(&member("POBLACION.csv"), &old, GeometryNeed::Point).clean();
    }
    // A byte of some other encoding stands for whatever it may be.
    let other = patched(&bytes, b"Poblaci1n", b"Poblaci\x97n");
    read_bytes_as(&member("Población.csv"), &other, GeometryNeed::Point).clean();
    let utf8 = zipped(&[("Población.csv", TABLE.as_bytes()), ("b.csv", b"x")]);
    assert_eq!(read_bytes_as(&member("población.csv"), utf8, GeometryNeed::Point).clean().rows.len(), 1);
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    for name in [
        "../aa.csv",
        "a/../a.cs",
        "/aaaa.csv",
        "C:/aa.csv",
        "a\\..\\a.c",
        "aa\x1b[2.csv",
        "a/./b.csv",
        "http://a/",
    ] {
        let plain = "z".repeat(name.len());
        let bytes = zipped(&[("a.csv", TABLE.as_bytes()), (&plain, b"x")]);
        let outcome = read_zip(patched(&bytes, plain.as_bytes(), name.as_bytes()));
        assert_eq!(outcome.only().rule, Rule::ArchiveUnsafe, "{name:?}: {}", outcome.faults);
        assert!(!outcome.faults.to_string().contains('\x1b'));
    }
}

#[test]
fn links_and_devices_are_refused() {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.add_symlink("a.csv", "/etc/passwd", SimpleFileOptions::default()).unwrap();
    let link = writer.finish().unwrap().into_inner();
    assert_eq!(read_zip(&link).only().rule, Rule::ArchiveUnsafe);
    // The type of a file stands in the upper four bits of the external attributes.
    for kind in [0x6u8, 0x2, 0x1, 0xc] {
        let mut device = link.clone();
        let at = header(&device, 0) + 41;
        device[at] = kind << 4 | device[at] & 0x0f;
        assert_eq!(read_zip(device).only().rule, Rule::ArchiveUnsafe, "{kind}");
    }
}

#[test]
fn members_that_share_a_name_or_bytes_are_refused() {
    let bytes = zipped(&[("a.csv", TABLE.as_bytes()), ("b.csv", TABLE.as_bytes())]);
    assert_eq!(read_zip(patched(&bytes, b"b.csv", b"a.csv")).only().rule, Rule::ArchiveUnsafe);
    // Both entries of the directory point to the first member.
    let mut overlapping = bytes;
    let at = header(&overlapping, 1) + 42;
    overlapping[at..at + 4].fill(0);
    assert_eq!(read_zip(overlapping).only().rule, Rule::ArchiveUnsafe);
    let twice = zipped(&[("a.shp", b"x"), ("a.dbf", b"x"), ("a.DBF", b"x")]);
    assert_eq!(read_zip(twice).only().rule, Rule::ArchiveUnsafe);
}

#[test]
fn bombs_are_refused_by_what_they_state_and_by_what_they_hold() {
    let zeros = vec![b' '; 4 << 20];
    let bomb = zipped(&[("a.csv", &zeros)]);
    assert!(bomb.len() < 8192);
    let outcome = read_zip(&bomb);
    assert_eq!((outcome.only().rule, detail(&outcome)), (Rule::ArchiveTooLarge, "200 : 1".to_owned()));
    // The same, stated as small.
    let mut lying = bomb;
    let at = header(&lying, 0) + 24;
    lying[at..at + 4].copy_from_slice(&1000_u32.to_le_bytes());
    let outcome = read_zip(lying);
    assert!(matches!(outcome.only().rule, Rule::ArchiveTooLarge | Rule::ArchiveBroken), "{}", outcome.faults);
    // Many members of which none is one.
    let part = vec![b' '; 1 << 20];
    let names: Vec<String> = (0..4).map(|i| format!("{i}.csv")).collect();
    let parts: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), part.as_slice())).collect();
    assert_eq!(read_zip(zipped(&parts)).only().rule, Rule::ArchiveTooLarge);
    let names: Vec<String> = (0..10_001).map(|i| i.to_string()).collect();
    let many: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), b"".as_slice())).collect();
    assert_eq!(read_zip(zipped(&many)).only().rule, Rule::ArchiveTooLarge);

    let dir = tempfile::tempdir().unwrap();
    let random: Vec<u8> = (0..100_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    fs::write(dir.path().join("a.zip"), zipped(&[("a.csv", &random)])).unwrap();
    let mut faults = Faults::default();
    let limits = Limits { max_bytes: 1 << 20, ..Limits::default() };
    let rules = ColumnRules::default();
    let none =
        read(dir.path(), "t", &spec("a.zip"), GeometryNeed::None, &rules, &limits, &mut faults).unwrap();
    assert!(none.is_none());
    let small =
        Limits { max_bytes: 99_999.min(fs::metadata(dir.path().join("a.zip")).unwrap().len()), ..limits };
    faults = Faults::default();
    read(dir.path(), "t", &spec("a.zip"), GeometryNeed::None, &rules, &small, &mut faults).unwrap();
    assert!(matches!(faults.0[0].rule, Rule::ArchiveTooLarge | Rule::FileTooLarge), "{faults}");
}

#[test]
fn a_directory_that_states_more_than_there_is_takes_no_memory() {
    let mut bytes = zipped(&[("a.csv", TABLE.as_bytes())]);
    let end = bytes.len() - 22;
    bytes[end + 8..end + 12].fill(0xfe);
    assert_eq!(read_zip(&bytes).only().rule, Rule::ArchiveTooLarge);
    let record = |members: u64| {
        let mut bytes = zipped(&[("a.csv", TABLE.as_bytes())]);
        let end = bytes.split_off(bytes.len() - 22);
        let at = bytes.len() as u64;
        bytes.extend_from_slice(b"PK\x06\x06");
        bytes.extend_from_slice(&44_u64.to_le_bytes());
        bytes.extend_from_slice(&[45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend_from_slice(&members.to_le_bytes());
        bytes.extend_from_slice(&members.to_le_bytes());
        bytes.extend_from_slice(
            &u64::from(u32::from_le_bytes(*end[12..].first_chunk().unwrap())).to_le_bytes(),
        );
        bytes.extend_from_slice(
            &u64::from(u32::from_le_bytes(*end[16..].first_chunk().unwrap())).to_le_bytes(),
        );
        bytes.extend_from_slice(b"PK\x06\x07\0\0\0\0");
        bytes.extend_from_slice(&at.to_le_bytes());
        bytes.extend_from_slice(&1_u32.to_le_bytes());
        let mut end = end;
        end[8..12].fill(0xff);
        [bytes, end].concat()
    };
    assert_eq!(read_zip(record(1)).clean().rows.len(), 1);
    assert_eq!(read_zip(record(1 << 40)).only().rule, Rule::ArchiveTooLarge);
}

#[test]
fn zip64_is_read() {
    let bytes = zipped_as(SimpleFileOptions::default().large_file(true), &[("a.csv", TABLE.as_bytes())]);
    assert_eq!(read_zip(bytes).clean().rows.len(), 1);
}

#[test]
fn what_is_packed_otherwise_is_said() {
    let bytes = zipped(&[("a.csv", TABLE.as_bytes())]);
    let local = 0;
    let central = header(&bytes, 0);
    let mut encrypted = bytes.clone();
    encrypted[local + 6] |= 1;
    encrypted[central + 8] |= 1;
    assert_eq!(read_zip(encrypted).only().rule, Rule::Encrypted);
    for method in [12, 14, 93] {
        let mut other = bytes.clone();
        other[local + 8] = method;
        other[central + 10] = method;
        assert_eq!(read_zip(other).only().rule, Rule::ArchiveMethod, "{method}");
    }
    let mut damaged = bytes.clone();
    damaged[central + 16] ^= 1;
    assert_eq!(read_zip(damaged).only().rule, Rule::ArchiveBroken);
    for cut in [1, 10, 22, 60, bytes.len() - 4] {
        assert_eq!(read_zip(&bytes[..bytes.len() - cut]).only().rule, Rule::ArchiveBroken, "{cut}");
    }
    let nested = zipped(&[("b.zip", &bytes)]);
    let outcome = read_zip(&nested);
    assert_eq!(
        (outcome.only().rule, outcome.only().place.file.as_str()),
        (Rule::ArchiveNested, "a.zip/b.zip")
    );
    assert_eq!(
        read_bytes_as(&member("b.zip"), &nested, GeometryNeed::Point).only().rule,
        Rule::ArchiveNested
    );
    assert_eq!(read_zip(zipped(&[("b.pdf", b"x")])).only().rule, Rule::ArchiveMember);
    assert_eq!(
        read_bytes_as(&member("b.pdf"), zipped(&[("b.pdf", b"x")]), GeometryNeed::Point).only().rule,
        Rule::FormatUnknown
    );
    assert_eq!(read_zip("<html>").only().rule, Rule::ArchiveBroken);
}

#[test]
fn the_copy_of_a_member_is_private_and_goes_with_the_reading() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.zip"), zipped(&[("x/Ñandú .csv", TABLE.as_bytes())])).unwrap();
    let input =
        guard::admit_source(dir.path(), &spec("a.zip"), GeometryNeed::None, &Limits::default()).unwrap();
    let folder = input.path.parent().unwrap().to_owned();
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(fs::read_to_string(&input.path).unwrap(), TABLE);
    drop(input);
    assert!(!folder.exists());
}

/// The road network comes as a set of shapefiles, of which the study names one or none.
#[test]
fn a_set_of_shapefiles_is_read_from_an_archive_as_from_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    let properties = r#""ID_RED":1,"TIPO_VIAL":"Carretera","NOMBRE":"N/A","CODIGO":"MEX-200","COND_PAV":"Con pavimento","RECUBRI":"Asfalto","CARRILES":"2","ESTATUS":"Habilitado","CONDICION":"En operación","NIVEL":0,"PEAJE":"No","ADMINISTRA":"Federal","CIRCULA":"Dos sentidos","VELOCIDAD":"80","UNION_INI":1,"UNION_FIN":2"#;
    let feature = |properties: &str, geometry: &str| {
        format!(
            r#"{{"type":"FeatureCollection","features":[{{"type":"Feature","properties":{{{properties}}},"geometry":{geometry}}}]}}"#
        )
    };
    let roads = feature(properties, r#"{"type":"LineString","coordinates":[[-92.2,14.9],[-92.1,15.0]]}"#);
    let point = |id: u8, at: &str| {
        format!(
            r#"{{"type":"Feature","properties":{{"ID_UNION":{id}}},"geometry":{{"type":"Point","coordinates":{at}}}}}"#
        )
    };
    let junctions = format!(
        r#"{{"type":"FeatureCollection","features":[{},{}]}}"#,
        point(1, "[-92.2,14.9]"),
        point(2, "[-92.1,15.0]")
    );
    for (name, text) in [("red_vial", roads), ("union", junctions)] {
        fs::write(dir.path().join(format!("{name}.geojson")), text).unwrap();
        let made = std::process::Command::new("ogr2ogr")
            .current_dir(dir.path())
            .args(["-lco", "ENCODING=UTF-8", &format!("{name}.shp"), &format!("{name}.geojson")])
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
    let files: Vec<(String, Vec<u8>)> = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending != "geojson"))
        .map(|path| {
            (format!("conjunto_de_datos/{}", path.file_name().unwrap().display()), fs::read(&path).unwrap())
        })
        .collect();
    let members: Vec<(&str, &[u8])> =
        files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let bytes = zipped(&members);
    let rnc = |path: &str| SourceSpec { preset: Some(Preset::InegiRnc), ..spec(path) };
    let plain = read_spec(dir.path(), &rnc("red_vial.shp"), GeometryNeed::Line);
    let packed = read_bytes_as(&rnc("a.zip"), &bytes, GeometryNeed::Line);
    assert_eq!(plain.rules(), packed.rules(), "{}", packed.faults);
    assert!(!packed.faults.has_errors(), "{}", packed.faults);
    let (plain, packed) = (plain.table.unwrap(), packed.table.unwrap());
    assert_eq!(packed.rows.len(), 1);
    assert_eq!(
        (&packed.rows[0].values, &packed.rows[0].geometry),
        (&plain.rows[0].values, &plain.rows[0].geometry)
    );
    assert_eq!(packed.provenance.file, "a.zip/conjunto_de_datos/red_vial.shp");
    let expected = crate::ids::hex(&<sha2::Sha256 as sha2::Digest>::digest(&bytes));
    assert_eq!((packed.provenance.sha256, packed.provenance.bytes), (expected, bytes.len() as u64));
}
