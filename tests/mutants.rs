//! Two thousand damaged copies of a file of every format: cut, flipped, spliced. Each is read or refused, without a
//! panic, without waiting for ever, and in bounded memory.
//!
//! The libraries behind some formats could end the process, so that the copies are read by processes of their own,
//! some hundred at a time. What ends one is kept in the folder for temporary files of the build, and named.

#![allow(clippy::needless_for_each, clippy::print_stdout, reason = "short, and the counts are worth a line")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail by panicking")]

mod support;
#[path = "support/workbooks.rs"]
mod workbooks;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use corredor::error::{Error, Faults};
use corredor::sources::{ColumnRules, GeometryNeed, Limits, SourceSpec, read};
use gdal::spatial_ref::{AxisMappingStrategy, SpatialRef};
use gdal::vector::{
    Defn, Feature, Geometry, LayerAccess as _, LayerOptions, OGRFieldType, OGRwkbGeometryType,
};
use rstest::rstest;
use support::{Answer, Study, assert_same, corredor, snapshot};

/// Damaged copies of each format.
const MUTANTS: u64 = 2_000;

/// Copies that one process reads.
const BATCH: u64 = 250;

/// How long one copy may take; the slowest takes a hundredth of it.
const PATIENCE: Duration = Duration::from_mins(1);

/// Memory that a process may ask for, in KiB.
const MEMORY: u64 = 4 << 20;

/// The formats: the file that is damaged, and the one that is named as a source.
const FORMATS: [(&str, &str, &str); 12] = [
    ("csv", "a.csv", "a.csv"),
    ("geojson", "a.geojson", "a.geojson"),
    ("gpkg", "a.gpkg", "a.gpkg"),
    ("shp", "a.shp", "a.shp"),
    ("shx", "a.shx", "a.shp"),
    ("dbf", "a.dbf", "a.shp"),
    ("table", "b.dbf", "b.dbf"),
    ("fgb", "a.fgb", "a.fgb"),
    ("zip", "a.zip", "a.zip"),
    ("xlsx", "a.xlsx", "a.xlsx"),
    ("ods", "a.ods", "a.ods"),
    ("gpx", "a.gpx", "a.gpx"),
];

fn names(format: &str) -> (&'static str, &'static str) {
    FORMATS.iter().find(|(name, ..)| *name == format).map(|(_, damaged, source)| (*damaged, *source)).unwrap()
}

/// A source of numbers that are the same everywhere.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % (n.max(1) as u64)).unwrap()
    }
}

/// Damages `bytes` in one of seven ways.
fn damage(bytes: &mut Vec<u8>, dice: &mut Dice) {
    // Half of the damage goes where formats keep what everything else hangs on: the first bytes, or the last.
    let span = match dice.below(4) {
        0 => 0..bytes.len().min(200),
        1 => bytes.len().saturating_sub(200)..bytes.len(),
        _ => 0..bytes.len(),
    };
    let at = |dice: &mut Dice| span.start + dice.below(span.len());
    match dice.below(7) {
        0 => bytes.truncate(at(dice)),
        1 => {
            for _ in 0..=dice.below(4) {
                let (i, bit) = (at(dice), dice.below(8));
                if let Some(byte) = bytes.get_mut(i) {
                    *byte ^= 1 << bit;
                }
            }
        }
        2 => {
            for _ in 0..=dice.below(8) {
                let (i, value) = (at(dice), [0, 0xff, 0x7f, 0x80, b'"', b'<', b'9', b'-'][dice.below(8)]);
                if let Some(byte) = bytes.get_mut(i) {
                    *byte = value;
                }
            }
        }
        3 => {
            let (from, to, n) = (dice.below(bytes.len()), at(dice), dice.below(64));
            let part: Vec<u8> = bytes.iter().skip(from).take(n).copied().collect();
            bytes.iter_mut().skip(to).zip(part).for_each(|(byte, new)| *byte = new);
        }
        4 => {
            let (from, n) = (at(dice), dice.below(64));
            let end = (from + n).min(bytes.len());
            bytes.drain(from.min(end)..end);
        }
        5 => {
            let (from, n, times) = (at(dice), dice.below(64), dice.below(40));
            let part: Vec<u8> = bytes.iter().skip(from).take(n).copied().collect();
            let to = from.min(bytes.len());
            let tail = bytes.split_off(to);
            (0..=times).for_each(|_| bytes.extend_from_slice(&part));
            bytes.extend(tail);
        }
        _ => {
            let (i, value) = (
                at(dice),
                [[0xff; 4], [0x7f, 0xff, 0xff, 0xff], [0xff, 0xff, 0xff, 0x7f], [0; 4]][dice.below(4)],
            );
            bytes.iter_mut().skip(i).zip(value).for_each(|(byte, new)| *byte = new);
        }
    }
}

/// The damaged copy number `seed` of a format, from the files in `base`.
fn mutant(format: &str, base: &Path, seed: u64) -> Vec<u8> {
    let name = names(format).0;
    let salt = format.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(131).wrapping_add(u64::from(byte)));
    let mut dice = Dice(seed ^ (salt << 32));
    let parts = base.join(format!("{name}.parts"));
    if !seed.is_multiple_of(3) && parts.is_dir() {
        // Within an archive that is whole: its checksums would hide what follows.
        let mut members: Vec<(String, Vec<u8>)> = fs::read_dir(&parts)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| {
                (path.file_name().unwrap().to_str().unwrap().replace('@', "/"), fs::read(&path).unwrap())
            })
            .collect();
        members.sort();
        let at = dice.below(members.len());
        damage(&mut members[at].1, &mut dice);
        let members: Vec<(&str, &[u8])> =
            members.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
        return workbooks::zipped(&members);
    }
    let mut bytes = fs::read(base.join(name)).unwrap();
    for _ in 0..=dice.below(3) {
        damage(&mut bytes, &mut dice);
    }
    bytes
}

// ---- the files that are damaged -----------------------------------------------------------------------

fn write_layer(path: &Path, driver: &str) {
    corredor::sources::quiet_gdal();
    let driver = gdal::DriverManager::get_driver_by_name(driver).unwrap();
    let mut dataset = driver.create_vector_only(path).unwrap();
    let mut system = SpatialRef::from_epsg(4326).unwrap();
    system.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
    let layer = dataset
        .create_layer(LayerOptions {
            name: "a",
            srs: Some(&system),
            ty: OGRwkbGeometryType::wkbPoint,
            options: None,
        })
        .unwrap();
    layer
        .create_defn_fields(&[
            ("nombre", OGRFieldType::OFTString),
            ("cuenta", OGRFieldType::OFTInteger),
            ("valor", OGRFieldType::OFTReal),
            ("fecha", OGRFieldType::OFTDate),
        ])
        .unwrap();
    let defn = Defn::from_layer(&layer);
    for i in 0..12 {
        let mut feature = Feature::new(&defn).unwrap();
        feature.set_field_string(0, &format!("Unión Juárez {i}")).unwrap();
        feature.set_field_integer(1, i).unwrap();
        feature.set_field_double(2, f64::from(i) / 4.0).unwrap();
        feature.set_field_string(3, "2020/01/31").unwrap();
        let wkt = format!("POINT ({} {})", -92.0 - f64::from(i) / 100.0, 15.0 + f64::from(i) / 100.0);
        feature.set_geometry(Geometry::from_wkt(&wkt).unwrap()).unwrap();
        feature.create(&layer).unwrap();
    }
}

/// Writes a whole file of every format.
fn write_all(base: &Path) {
    for (name, driver) in
        [("a.geojson", "GeoJSON"), ("a.gpkg", "GPKG"), ("a.shp", "ESRI Shapefile"), ("a.fgb", "FlatGeobuf")]
    {
        write_layer(&base.join(name), driver);
    }
    fs::copy(base.join("a.dbf"), base.join("b.dbf")).unwrap();
    let mut csv = "nombre,cuenta,lon,lat\n".to_owned();
    let mut rows: Vec<[String; 4]> = vec![["nombre", "cuenta", "lon", "lat"].map(str::to_owned)];
    let mut points = Vec::new();
    for i in 0..12 {
        let (lon, lat) = (format!("-92.0{i}"), format!("15.0{i}"));
        writeln!(csv, "\"Unión, {i}\",{i},{lon},{lat}").unwrap();
        points.push((
            lon.clone(),
            lat.clone(),
            format!("<name>Cruce {i}</name><ele>{i}.5</ele><desc><![CDATA[a]]></desc>"),
        ));
        rows.push([format!("Unión {i}"), i.to_string(), lon, lat]);
    }
    let points: Vec<(&str, &str, &str)> =
        points.iter().map(|(lon, lat, inside)| (lon.as_str(), lat.as_str(), inside.as_str())).collect();
    fs::write(base.join("a.csv"), &csv).unwrap();
    fs::write(base.join("a.gpx"), workbooks::gpx(&points)).unwrap();
    let rows: Vec<Vec<&str>> = rows.iter().map(|row| row.iter().map(String::as_str).collect()).collect();
    let rows: Vec<&[&str]> = rows.iter().map(Vec::as_slice).collect();
    let strings = " uniqueCount=\"1\"><si><t>a</t></si>";
    let archive = vec![
        ("conjunto_de_datos/a.csv".to_owned(), csv),
        ("diccionario_de_datos/b.csv".to_owned(), "a,b\n1,2\n".to_owned()),
    ];
    for (name, parts) in [
        ("a.xlsx", workbooks::xlsx_parts(&[("Hoja1", workbooks::cells(&rows))], strings)),
        ("a.ods", workbooks::ods_parts(&[("Hoja1", workbooks::ods_rows(&rows))])),
        ("a.zip", archive),
    ] {
        fs::write(base.join(name), workbooks::packed(&parts)).unwrap();
        let folder = base.join(format!("{name}.parts"));
        fs::create_dir(&folder).unwrap();
        for (part, text) in parts {
            fs::write(folder.join(part.replace('/', "@")), text).unwrap();
        }
    }
}

// ---- reading them --------------------------------------------------------------------------------------

/// What came of a copy.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Read,
    Refused,
    Failed,
}

fn read_one(folder: &Path, source: &str) -> Outcome {
    let spec = SourceSpec { path: source.to_owned(), ..SourceSpec::default() };
    let need = if source == "b.dbf" { GeometryNeed::None } else { GeometryNeed::Point };
    let (rules, limits, mut faults) = (ColumnRules::default(), Limits::default(), Faults::default());
    match read(folder, "t", &spec, need, &rules, &limits, &mut faults) {
        Ok(Some(_)) => Outcome::Read,
        Ok(None) => {
            assert!(faults.has_errors(), "neither a table nor a fault");
            Outcome::Refused
        }
        Err(Error::Io { .. } | Error::Environment(_)) => Outcome::Failed,
        Err(other) => panic!("{other}"),
    }
}

const JOB: &str = "CORREDOR_TEST_MUTANTS";

/// The work of one process: `format`, folder of whole files, folder to work in, first number.
#[test]
#[ignore = "run by the other tests, in processes of their own"]
fn batch() {
    let Ok(job) = std::env::var(JOB) else { return };
    let [format, base, work, from] = job.split('\n').collect::<Vec<_>>().try_into().unwrap();
    let (base, work) = (Path::new(base), Path::new(work));
    let (damaged, source) = names(format);
    let from: u64 = from.parse().unwrap();
    let mut counts = [0_u64; 3];
    for seed in from..from + BATCH {
        fs::write(work.join("number"), seed.to_string()).unwrap();
        fs::write(work.join(damaged), mutant(format, base, seed)).unwrap();
        counts[read_one(work, source) as usize] += 1;
    }
    fs::write(work.join("counts"), counts.map(|n| n.to_string()).join(" ")).unwrap();
}

/// Runs one process to its end, or ends it where one copy takes too long; says what went wrong.
fn run_batch(format: &str, base: &Path, work: &Path, from: u64) -> Result<[u64; 3], String> {
    let job = [format, base.to_str().unwrap(), work.to_str().unwrap(), &from.to_string()].join("\n");
    let number = || fs::read_to_string(work.join("number")).unwrap_or_default();
    let log = fs::File::create(work.join("log")).unwrap();
    let limit =
        format!("ulimit -v {MEMORY}; exec \"$0\" --exact batch --ignored --nocapture --test-threads 1");
    let mut child = Command::new("sh")
        .args(["-c", &limit])
        .arg(std::env::current_exe().unwrap())
        .env(JOB, job)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap();
    let (mut last, mut since) = (String::new(), Instant::now());
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if number() != last {
            (last, since) = (number(), Instant::now());
        }
        if since.elapsed() > PATIENCE {
            child.kill().unwrap();
            child.wait().unwrap();
            return Err(format!("{format} {}: takes too long", number()));
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let log = fs::read_to_string(work.join("log")).unwrap_or_default();
    if !status.success() {
        return Err(format!("{format} {}: {status}\n{log}", number()));
    }
    let counts =
        fs::read_to_string(work.join("counts")).map_err(|_| format!("{format}: no batch was run\n{log}"))?;
    let counts: Vec<u64> = counts.split(' ').map(|n| n.parse().unwrap()).collect();
    Ok(counts.try_into().unwrap())
}

#[rstest]
fn damaged_files_are_read_or_refused(
    #[values("csv", "geojson", "gpkg", "shp", "shx", "dbf", "table", "fgb", "zip", "xlsx", "ods", "gpx")]
    format: &str,
) {
    let base = tempfile::tempdir().unwrap();
    write_all(base.path());
    let (damaged, source) = names(format);
    assert_eq!(read_one(base.path(), source), Outcome::Read, "the whole file");
    let mut counts = [0; 3];
    let mut failures = Vec::new();
    for from in (0..MUTANTS).step_by(usize::try_from(BATCH).unwrap()) {
        let work = tempfile::tempdir().unwrap();
        let stem = source.split('.').next().unwrap();
        for entry in fs::read_dir(base.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() && path.file_stem().is_some_and(|other| other == stem) {
                fs::copy(&path, work.path().join(path.file_name().unwrap())).unwrap();
            }
        }
        match run_batch(format, base.path(), work.path(), from) {
            Ok(found) => counts.iter_mut().zip(found).for_each(|(sum, n)| *sum += n),
            Err(failure) => {
                let kept =
                    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("mutant-{from}-{damaged}"));
                fs::copy(work.path().join(damaged), &kept).unwrap();
                failures.push(format!("{failure}\nkept as {}", kept.display()));
            }
        }
    }
    println!("{format}: {} read, {} refused, {} failed", counts[0], counts[1], counts[2]);
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    assert!(counts[1] > MUTANTS / 20, "hardly any of the damage was seen");
}

#[test]
fn the_program_refuses_damaged_files_and_writes_nothing() {
    let base = tempfile::tempdir().unwrap();
    write_all(base.path());
    let study = Study::new();
    let original = study.text("study.toml");
    for (format, damaged, source) in FORMATS {
        let stem = source.split('.').next().unwrap();
        for entry in fs::read_dir(base.path()).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_file() && entry.file_stem().is_some_and(|other| other == stem) {
                fs::copy(&entry, study.path(entry.file_name().unwrap().to_str().unwrap())).unwrap();
            }
        }
        study.write("study.toml", original.replace("path = \"exits.csv\"", &format!("path = \"{source}\"")));
        for seed in 0..6 {
            study.write(damaged, mutant(format, base.path(), seed));
            let before = snapshot(study.root());
            // None of the files has the columns of the source, so that even the harmless ones end in a fault.
            let answer = Answer::of(corredor().arg("check").arg(study.path("study.toml")));
            assert!(
                matches!(answer.code, Some(1 | 3)),
                "{format} {seed}: {:?}\n{}",
                answer.code,
                answer.stderr
            );
            assert_same(&before, &snapshot(study.root()));
        }
        study.write(damaged, fs::read(base.path().join(damaged)).unwrap());
    }
}
