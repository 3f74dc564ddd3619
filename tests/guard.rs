//! No path, no file and no study makes the program open a connection, wait for ever, or write: a listener stands
//! where every hostile thing points to, and hears nothing.

#![allow(
    clippy::needless_for_each,
    clippy::case_sensitive_file_extension_comparisons,
    reason = "short lists"
)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail by panicking")]

mod support;
#[path = "support/workbooks.rs"]
mod workbooks;

use std::fs::{self, File};
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rstest::rstest;
use support::{Answer, Study, assert_same, corredor, snapshot, texts};
use workbooks::{cells, gpx, ods, ods_parts, ods_rows, packed, xlsx, xlsx_parts, zipped};

/// How long a command may take. None needs a tenth of it, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// Listens on the loopback of both families, and never answers.
struct Ear {
    listeners: Vec<TcpListener>,
    port: u16,
}

impl Ear {
    fn new() -> Self {
        let first = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = first.local_addr().unwrap().port();
        // Not every machine has the other family.
        let second = TcpListener::bind((Ipv6Addr::LOCALHOST, port)).ok();
        let listeners: Vec<TcpListener> = [Some(first), second].into_iter().flatten().collect();
        listeners.iter().for_each(|listener| listener.set_nonblocking(true).unwrap());
        Self { listeners, port }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Connections since the last call.
    fn heard(&self) -> usize {
        self.listeners.iter().map(|listener| std::iter::from_fn(|| listener.accept().ok()).count()).sum()
    }
}

/// The answer of a command, which is ended where it does not end by itself.
fn answer(command: &mut Command) -> Answer {
    let folder = tempfile::tempdir().unwrap();
    let files = ["out", "err"].map(|name| folder.path().join(name));
    let [out, err] = files.each_ref().map(|path| Stdio::from(File::create(path).unwrap()));
    let mut child = command.stdout(out).stderr(err).spawn().unwrap();
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if start.elapsed() > PATIENCE {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("the command does not end");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let [stdout, stderr] = files.map(|path| String::from_utf8(fs::read(path).unwrap()).unwrap());
    Answer { code: status.code(), stdout, stderr }
}

/// Checks the study; fails unless it is refused, and nothing was written or heard.
#[track_caller]
fn refused(study: &Study, ear: &Ear, what: &str) -> Answer {
    let before = snapshot(study.root());
    let answer = answer(corredor().arg("check").arg(study.path("study.toml")));
    assert!(matches!(answer.code, Some(1 | 3)), "{what}: {:?}\n{}", answer.code, answer.stderr);
    assert_eq!(answer.stdout, "", "{what}");
    assert_same(&before, &snapshot(study.root()));
    assert_eq!(ear.heard(), 0, "{what}: a connection");
    answer
}

/// Points `source` of the study to another path; `more` is further keys.
fn repoint(study: &Study, file: &str, path: &str, more: &str) {
    study.edit("study.toml", &format!("path = \"{file}\""), &format!("path = {}{more}", quoted(path)));
}

/// A string of TOML.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn ogr2ogr(study: &Study, args: &[&str]) {
    let made = Command::new("ogr2ogr").current_dir(study.dir()).args(args).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

#[test]
fn the_listener_hears_a_connection() {
    let ear = Ear::new();
    let _held = TcpStream::connect((Ipv4Addr::LOCALHOST, ear.port)).unwrap();
    assert_eq!(ear.heard(), 1);
    assert_eq!(ear.heard(), 0);
    // GDAL goes there where nobody stands in its way.
    let url = format!("/vsicurl/{}/a.geojson", ear.url());
    let mut command = Command::new("ogrinfo");
    command.args(["--config", "GDAL_HTTP_TIMEOUT", "1", "--config", "GDAL_HTTP_MAX_RETRY", "0", &url]);
    command.env("NO_PROXY", "127.0.0.1").env("no_proxy", "127.0.0.1");
    answer(&mut command);
    assert!(ear.heard() > 0);
}

#[test]
fn paths_that_are_no_paths_are_refused() {
    let ear = Ear::new();
    let url = ear.url();
    let inside = "{\"type\":\"FeatureCollection\",\"features\":[]}";
    let study = Study::new();
    let original = study.text("study.toml");
    for path in [
        format!("{url}/roads.geojson"),
        format!("HTTP://127.0.0.1:{}/roads.geojson", ear.port),
        format!("ftp://127.0.0.1:{}/roads.gpkg", ear.port),
        format!("//127.0.0.1:{}/roads.geojson", ear.port),
        format!("\\\\127.0.0.1@{}\\roads.geojson", ear.port),
        format!("/vsicurl/{url}/roads.geojson"),
        format!("/vsicurl?url={url}/roads.geojson"),
        format!("/vsizip//vsicurl/{url}/roads.zip/roads.shp"),
        format!("/vsizip/{{/vsicurl/{url}/roads.zip}}/roads.shp"),
        format!("/vsigzip//vsicurl/{url}/roads.geojson"),
        format!("/vsicurl_streaming/{url}/roads.geojson"),
        format!("/vsisubfile/0_100,/vsicurl/{url}/roads.geojson"),
        format!("datos/../../vsicurl/{url}/roads.geojson"),
        format!("GeoJSON:{url}/roads.geojson"),
        format!("WFS:{url}/wfs?a=.geojson"),
        format!("OAPIF:{url}/a.geojson"),
        format!("PG:host=127.0.0.1 port={} dbname=a.csv", ear.port),
        format!("MySQL:a,host=127.0.0.1,port={}.csv", ear.port),
        format!(
            "<OGRVRTDataSource><OGRVRTLayer name=\"r\"><SrcDataSource>/vsicurl/{url}/r.geojson</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>.geojson"
        ),
        format!("{inside}.geojson"),
        inside.to_owned(),
        "/dev/zero".to_owned(),
        "/dev/zero.csv".to_owned(),
        "/dev/stdin".to_owned(),
        "/proc/self/environ".to_owned(),
        "/vsistdin/a.geojson".to_owned(),
        "/vsimem/a.geojson".to_owned(),
        "../study/roads.geojson".to_owned(),
        "./../study/roads.geojson".to_owned(),
        "roads.geojson\0.csv".to_owned(),
        "roads.geojson\u{1b}[2J".to_owned(),
        String::new(),
        ".".to_owned(),
        "/".to_owned(),
    ] {
        study.write("study.toml", &original);
        repoint(&study, "roads.geojson", &path, "");
        let answer = refused(&study, &ear, &path);
        assert!(!answer.stderr.contains('\u{1b}'), "{path}");
        // Neither where the study may lead out of its folder.
        study.edit("study.toml", "[sources]", "[sources]\nallow_outside = true");
        refused(&study, &ear, &path);
    }
}

#[test]
fn values_that_are_addresses_are_refused() {
    let ear = Ear::new();
    let url = ear.url();
    for (file, key) in [
        ("towns.csv", "crs"),
        ("towns.csv", "encoding"),
        ("towns.csv", "layer"),
        ("towns.csv", "member"),
        ("towns.csv", "preset"),
        ("roads.geojson", "crs"),
        ("roads.geojson", "encoding"),
        ("roads.geojson", "layer"),
        ("municipalities.geojson", "crs"),
    ] {
        for value in [format!("{url}/a"), format!("/vsicurl/{url}/a"), format!("urn:ogc:def:crs:{url}")] {
            let study = Study::new();
            repoint(&study, file, file, &format!(", {key} = {}", quoted(&value)));
            refused(&study, &ear, &format!("{file} {key} {value}"));
        }
    }
    // The study itself.
    for path in [format!("{url}/study.toml"), format!("/vsicurl/{url}/study.toml")] {
        let answer = answer(corredor().arg("check").arg(&path));
        assert!(matches!(answer.code, Some(1 | 3)), "{path}: {}", answer.stderr);
        assert_eq!(ear.heard(), 0);
    }
}

#[test]
fn files_that_lead_elsewhere_by_their_content_are_refused() {
    let ear = Ear::new();
    let url = ear.url();
    let vrt = format!(
        "<OGRVRTDataSource><OGRVRTLayer name=\"roads\"><SrcDataSource relativeToVRT=\"0\">/vsicurl/{url}/r.geojson\
         </SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"
    );
    let study = Study::new();
    let original = study.text("study.toml");
    let wfs = format!("<OGRWFSDataSource><URL>{url}/wfs</URL></OGRWFSDataSource>");
    for name in
        ["a.geojson", "a.shp", "a.gpkg", "a.csv", "a.gpx", "a.fgb", "a.dbf", "a.xlsx", "a.ods", "a.zip"]
    {
        for content in [vrt.as_str(), &wfs, &format!("{url}/r.geojson"), &format!("{{\"url\": \"{url}\"}}")] {
            study.write("study.toml", &original);
            study.write(name, content);
            // As lines and as points.
            repoint(&study, "roads.geojson", name, "");
            repoint(&study, "towns.csv", name, "");
            refused(&study, &ear, &format!("{name} {content}"));
        }
    }
    for crs in [
        format!("{{\"type\":\"link\",\"properties\":{{\"href\":\"{url}/crs\",\"type\":\"proj4\"}}}}"),
        format!("{{\"type\":\"name\",\"properties\":{{\"name\":\"{url}/crs\"}}}}"),
        format!("{{\"type\":\"url\",\"properties\":{{\"url\":\"{url}/crs\"}}}}"),
        format!("{{\"type\":\"EPSG\",\"properties\":{{\"code\":\"{url}/crs\"}}}}"),
        format!("\"{url}/crs\""),
    ] {
        let study = Study::new();
        let head = "\"type\":\"FeatureCollection\",";
        study.edit("roads.geojson", head, &format!("{head}\"crs\":{crs},"));
        refused(&study, &ear, &crs);
    }
}

#[test]
fn a_projection_or_an_encoding_that_is_an_address_is_not_followed() {
    let ear = Ear::new();
    let url = ear.url();
    for text in [
        format!("{url}/a.prj"),
        format!("/vsicurl/{url}/a.prj"),
        format!("PROJCS[\"{url}\",EXTENSION[\"PROJ4\",\"+proj=longlat +nadgrids=/vsicurl/{url}/g.gsb\"]]"),
        format!("+proj=longlat +nadgrids={url}/g.gsb"),
        format!("+init={url}:1"),
        "GEOGCS[".to_owned(),
    ] {
        let study = Study::new();
        ogr2ogr(&study, &["-lco", "ENCODING=UTF-8", "r.shp", "roads.geojson"]);
        study.write("r.prj", &text);
        repoint(&study, "roads.geojson", "r.shp", "");
        refused(&study, &ear, &text);
    }
    let study = Study::new();
    ogr2ogr(&study, &["-lco", "ENCODING=UTF-8", "r.shp", "roads.geojson"]);
    study.write("r.cpg", format!("{url}/a.cpg"));
    repoint(&study, "roads.geojson", "r.shp", "");
    refused(&study, &ear, "cpg");
}

/// Statements that a `GeoPackage` made from the roads is changed by.
fn geopackage(study: &Study, statements: &[String]) {
    ogr2ogr(study, &["-nln", "roads", "r.gpkg", "roads.geojson"]);
    let options =
        gdal::DatasetOptions { open_flags: gdal::GdalOpenFlags::GDAL_OF_UPDATE, ..Default::default() };
    let mut dataset = gdal::Dataset::open_ex(study.path("r.gpkg"), options).unwrap();
    for statement in statements {
        // What SQLite itself refuses need not be refused again.
        let _ = dataset.execute_sql(statement, None, gdal::vector::sql::Dialect::DEFAULT);
    }
    dataset.flush_cache().unwrap();
    drop(dataset);
    repoint(study, "roads.geojson", "r.gpkg", "");
}

#[test]
fn a_geopackage_that_names_an_address_is_not_followed() {
    let ear = Ear::new();
    let url = ear.url();
    for statements in [
        vec![format!("UPDATE gpkg_spatial_ref_sys SET organization = 'NONE', definition = '{url}/crs.wkt'")],
        vec![format!(
            "UPDATE gpkg_spatial_ref_sys SET organization = '{url}', definition = '/vsicurl/{url}/crs'"
        )],
        vec![format!("UPDATE gpkg_contents SET table_name = '/vsicurl/{url}/a.gpkg'")],
        vec![
            "ALTER TABLE roads RENAME TO other".to_owned(),
            format!("CREATE VIRTUAL TABLE roads USING VirtualOGR('/vsicurl/{url}/r.geojson')"),
        ],
        vec![
            "ALTER TABLE roads RENAME TO other".to_owned(),
            format!(
                "CREATE VIEW roads AS SELECT fid, geom, ogr_datasource_load_layers('/vsicurl/{url}/r.geojson') AS class FROM other"
            ),
        ],
        vec![
            "ALTER TABLE roads RENAME TO other".to_owned(),
            format!(
                "CREATE VIEW roads AS SELECT fid, geom, load_extension('/vsicurl/{url}/r.so') AS class FROM other"
            ),
        ],
    ] {
        let study = Study::new();
        geopackage(&study, &statements);
        let before = snapshot(study.root());
        // Some of these change nothing that is read.
        let answer = answer(corredor().arg("check").arg(study.path("study.toml")));
        assert!(matches!(answer.code, Some(0 | 1 | 3)), "{statements:?}: {}", answer.stderr);
        assert_same(&before, &snapshot(study.root()));
        assert_eq!(ear.heard(), 0, "{statements:?}");
    }
}

#[test]
fn xml_and_archives_that_name_an_address_are_refused() {
    let ear = Ear::new();
    let url = ear.url();
    let rows: [&[&str]; 2] =
        [&["id", "name", "cvegeo", "seat", "lon", "lat"], &["1", "a", "07001", "true", "-92.2", "14.9"]];
    let entity = format!("<!DOCTYPE x [<!ENTITY a SYSTEM \"{url}/a\">]>");
    let doctype = format!("<!DOCTYPE x SYSTEM \"{url}/a.dtd\">");
    let points = gpx(&[("-92.2", "14.9", "<name>&a;</name>")]);
    let mut files: Vec<(&str, Vec<u8>)> = Vec::new();
    for prefix in [&entity, &doctype] {
        files.push(("a.gpx", points.replace("<gpx ", &format!("{prefix}<gpx ")).into_bytes()));
        let mut parts = xlsx_parts(&[("a", cells(&rows))], ">");
        parts[0].1 = parts[0].1.replace("<worksheet", &format!("{prefix}<worksheet"));
        files.push(("a.xlsx", packed(&parts)));
        let mut parts = ods_parts(&[("a", ods_rows(&rows))]);
        parts[1].1 =
            parts[1].1.replace("<office:document-content", &format!("{prefix}<office:document-content"));
        files.push(("a.ods", packed(&parts)));
    }
    let mut parts = xlsx_parts(&[("a", cells(&rows))], ">");
    for part in &mut parts {
        part.1 =
            part.1.replace("worksheets/sheet1.xml\"", &format!("{url}/sheet1.xml\" TargetMode=\"External\""));
    }
    files.push(("a.xlsx", packed(&parts)));
    files.push(("a.zip", zipped(&[(format!("{url}/a.csv").as_str(), b"a,b\n1,2\n")])));
    files.push(("a.zip", zipped(&[(format!("vsicurl/{url}/a.csv").as_str(), b"a,b\n1,2\n")])));
    for (name, bytes) in files {
        let study = Study::new();
        study.write(name, bytes);
        repoint(&study, "towns.csv", name, "");
        refused(&study, &ear, name);
    }
    // Links to other workbooks are not followed, and harm nobody.
    let study = Study::new();
    let mut parts = xlsx_parts(&[("a", cells(&rows))], ">");
    let link = format!(
        "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"rId1\" \
         Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/externalLinkPath\" \
         Target=\"{url}/b.xlsx\" TargetMode=\"External\"/></Relationships>"
    );
    parts.push(("xl/externalLinks/_rels/externalLink1.xml.rels".to_owned(), link));
    study.write("a.xlsx", packed(&parts));
    repoint(&study, "towns.csv", "a.xlsx", "");
    answer(corredor().arg("check").arg(study.path("study.toml")));
    assert_eq!(ear.heard(), 0);
}

#[test]
fn what_is_no_regular_file_of_the_study_is_refused_and_waited_for_by_nobody() {
    let ear = Ear::new();
    let fifo = |path: &Path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    for name in ["p.csv", "p.geojson", "p.gpkg", "p.zip", "p.xlsx", "p.gpx", "p.shp"] {
        let study = Study::new();
        fifo(&study.path(name));
        repoint(&study, "roads.geojson", name, "");
        refused(&study, &ear, name);
    }
    for companion in ["r.shx", "r.dbf", "r.prj", "r.cpg", "r.qix", "r.gpkg-wal", "r.gpkg-journal"] {
        let study = Study::new();
        let file = if companion.contains("gpkg") { "r.gpkg" } else { "r.shp" };
        ogr2ogr(&study, &[file, "roads.geojson"]);
        let _ = fs::remove_file(study.path(companion));
        fifo(&study.path(companion));
        repoint(&study, "roads.geojson", file, "");
        refused(&study, &ear, companion);
    }
    for target in ["/dev/zero", "/dev/random", "/proc/self/environ", "/etc/passwd", "/dev/stdin", "/"] {
        for name in ["l.csv", "l.geojson", "l.zip", "l.xlsx"] {
            let study = Study::new();
            symlink(target, study.path(name)).unwrap();
            repoint(&study, "roads.geojson", name, "");
            refused(&study, &ear, &format!("{name} -> {target}"));
            study.edit("study.toml", "[sources]", "[sources]\nallow_outside = true");
            refused(&study, &ear, &format!("{name} -> {target}, outside"));
        }
    }
    for name in ["s.csv", "s.geojson", "s.gpkg", "s.zip", "s.xlsx"] {
        let study = Study::new();
        // Takes no room on disk.
        File::create(study.path(name)).unwrap().set_len(8 << 30).unwrap();
        repoint(&study, "roads.geojson", name, "");
        let answer = answer(corredor().arg("check").arg(study.path("study.toml")));
        assert_eq!(answer.code, Some(1), "{name}");
        assert!(answer.stderr.contains("S003"), "{name}: {}", answer.stderr);
    }
}

#[test]
fn a_format_under_the_name_of_another_is_refused() {
    let ear = Ear::new();
    let study = Study::new();
    for file in ["m.gpkg", "m.shp", "m.fgb", "m.geojson"] {
        ogr2ogr(&study, &[file, "roads.geojson"]);
    }
    study.write("m.csv", "a,b\n1,2\n");
    study.write("m.xlsx", xlsx(&[&["a", "b"], &["1", "2"]]));
    study.write("m.ods", ods(&[&["a", "b"], &["1", "2"]]));
    study.write("m.gpx", gpx(&[("-92.2", "14.9", "")]));
    let files = ["gpkg", "shp", "fgb", "geojson", "csv", "xlsx", "ods", "gpx"];
    let original = study.text("study.toml");
    for from in files {
        for to in files.iter().chain(&["zip", "dbf"]).filter(|to| **to != from) {
            let name = format!("x.{to}");
            fs::copy(study.path(&format!("m.{from}")), study.path(&name)).unwrap();
            repoint(&study, "roads.geojson", &name, "");
            refused(&study, &ear, &format!("{from} as {to}"));
            study.write("study.toml", &original);
            fs::remove_file(study.path(&name)).unwrap();
        }
    }
}

#[test]
fn a_study_may_say_that_its_files_lie_elsewhere() {
    let study = Study::new();
    let other = study.root().join("otros datos");
    fs::create_dir(&other).unwrap();
    fs::rename(study.path("towns.csv"), other.join("towns.csv")).unwrap();
    fs::rename(study.path("posts.csv"), other.join("posts.csv")).unwrap();
    symlink(other.join("posts.csv"), study.path("posts.csv")).unwrap();
    repoint(&study, "towns.csv", &other.join("towns.csv").to_string_lossy(), "");
    let answer = study.fails(1);
    assert_eq!(answer.stderr.matches("S005").count(), 2, "{}", answer.stderr);
    study.edit("study.toml", "[sources]", "[sources]\nallow_outside = true");
    study.check(&[]).exits(0);
}

#[rstest]
#[case::skipped("GDAL_SKIP", "GeoJSON,GPKG")]
#[case::skipped_vector("OGR_SKIP", "GeoJSON")]
#[case::drivers_elsewhere("GDAL_DRIVER_PATH", "/proc/self")]
#[case::small_objects("OGR_GEOJSON_MAX_OBJ_SIZE", "0.0001")]
#[case::talk("CPL_DEBUG", "ON")]
#[case::axes("OSR_DEFAULT_AXIS_MAPPING_STRATEGY", "AUTHORITY_COMPLIANT")]
#[case::old_axes("OGR_CT_FORCE_TRADITIONAL_GIS_ORDER", "YES")]
#[case::ascii("OGR_FORCE_ASCII", "YES")]
#[case::encoding("SHAPE_ENCODING", "KOI8-R")]
#[case::extensions("OGR_SQLITE_LOAD_EXTENSIONS", "ENABLE_SQL_LOAD_EXTENSION")]
#[case::language("LC_ALL", "de_DE.UTF-8")]
fn what_the_user_has_set_for_gdal_changes_nothing(#[case] name: &str, #[case] value: &str) {
    let study = Study::new();
    ogr2ogr(&study, &["-t_srs", "EPSG:6372", "r.gpkg", "roads.geojson"]);
    repoint(&study, "roads.geojson", "r.gpkg", "");
    let check = |command: &mut Command| {
        let answer = answer(command.arg("check").arg(study.path("study.toml")).arg("--json"));
        (answer.code, answer.stdout, answer.stderr)
    };
    let plain = check(&mut corredor());
    assert_eq!(plain.0, Some(0), "{}", plain.2);
    assert_eq!(check(corredor().env(name, value)), plain);
}

#[test]
fn a_configuration_file_of_gdal_is_not_read_and_no_log_is_written() {
    let study = Study::new();
    let file = study.root().join("gdalrc");
    fs::write(&file, "[configoptions]\nGDAL_SKIP=GeoJSON\nOGR_SKIP=GeoJSON\n").unwrap();
    let log = study.root().join("gdal.log");
    let mut command = corredor();
    command.env("GDAL_CONFIG_FILE", &file).env("CPL_LOG", &log).env("CPL_DEBUG", "ON");
    answer(command.arg("check").arg(study.path("study.toml"))).exits(0);
    assert!(!log.exists());
}

#[rstest]
#[case("PROJ_LIB", "/proc")]
#[case("PROJ_DATA", "/proc")]
#[case("PROJ_NETWORK", "ON")]
fn a_broken_environment_of_proj_is_not_blamed_on_the_data(#[case] name: &str, #[case] value: &str) {
    let study = Study::new();
    ogr2ogr(&study, &["-t_srs", "EPSG:6372", "r.gpkg", "roads.geojson"]);
    repoint(&study, "roads.geojson", "r.gpkg", "");
    let answer = answer(corredor().env(name, value).arg("check").arg(study.path("study.toml")));
    assert!(matches!(answer.code, Some(0 | 3)), "{:?} {}", answer.code, answer.stderr);
    assert!(answer.code == Some(0) || answer.stderr.contains("PROJ"), "{}", answer.stderr);
}

#[test]
fn what_is_hidden_in_a_text_reaches_neither_terminal_nor_result() {
    let study = Study::new();
    let hidden = ['\u{202e}', '\u{1b}', '\u{200b}', '\u{2066}', '\u{7}'];
    study.cell("towns.csv", 4, "name", "Zina\u{202e}cantán\u{1b}[31m\u{200b}");
    study.cell("crossings.csv", 2, "name", "Puente\u{2066}\u{7} rojo");
    study.features("roads.geojson", |features| {
        features[3]["properties"]["ref"] = serde_json::json!("MEX\u{1b}]0;x\u{7}\u{202e}");
    });
    let answer = study.run(&[]).exits(0);
    assert!(answer.tells("S034", "towns.csv", Some(4), Some("name")), "{}", answer.stderr);
    assert!(answer.tells("S034", "crossings.csv", Some(2), Some("name")));
    assert!(answer.tells("S034", "roads.geojson", Some(4), Some("ref")));
    for text in [&answer.stdout, &answer.stderr] {
        assert!(!text.contains(hidden), "{text}");
    }
    for (name, text) in texts(&study.out())
        .iter()
        .filter(|(name, _)| ![".gpkg", ".pdf"].iter().any(|binary| name.ends_with(binary)))
    {
        assert!(!text.contains(hidden), "{name}");
    }
    // A column is not told from another by what nobody sees.
    let study = Study::new();
    study.add_column("towns.csv", "cu\u{200b}rp", "x");
    assert!(study.fails(1).stderr.contains("S014"));
}

#[test]
fn the_name_of_a_file_does_not_write_to_the_terminal() {
    let study = Study::new();
    let name = "towns\u{202e}vsc.csv";
    fs::rename(study.path("towns.csv"), study.path(name)).unwrap();
    repoint(&study, "towns.csv", name, "");
    for arguments in [&["check"][..], &["check", "--json"]] {
        let answer = answer(corredor().args(arguments).arg(study.path("study.toml")));
        assert!(!format!("{}{}", answer.stdout, answer.stderr).contains('\u{202e}'));
    }
}

#[test]
fn of_a_file_that_is_missing_no_column_is_said_to_be_missing() {
    for file in ["roads.geojson", "municipios.csv", "municipalities.geojson", "incidencia.csv"] {
        let study = Study::new();
        fs::remove_file(study.path(file)).unwrap();
        let answer = study.fails(1);
        assert!(answer.tells("S001", file, None, None), "{}", answer.stderr);
        assert!(!answer.stderr.contains("M001"), "{}", answer.stderr);
    }
}
