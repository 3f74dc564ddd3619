//! Large files, each beside programs that read it and do nothing with it.
//!
//! - Roads: 100,000 links (`CORREDOR_BENCH_LINKS=1000000` for another number) in the layout of the Red Nacional de
//!   Caminos and as plain lines, read, checked, noded and indexed, beside GDAL's own bare read.
//! - Counts: 2.8 million records in the layout of SESNSP, as the historical file has, read by `corredor check`, beside
//!   the `csv` crate and Python.
//!
//! Each reader is a process of its own: seconds, and the peak of its memory. The files are made once, in
//! `target/bench-data/`. `cargo bench --bench load [-- [roads|counts] [RUNS]]`

#![expect(clippy::expect_used, reason = "a bench that cannot be set up has nothing to measure")]
#![allow(clippy::print_stdout, reason = "the answer of a bench")]

#[path = "../tests/official/mod.rs"]
mod generator;
mod roads;

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use corredor::cli::embedded;
use generator::crimes::{self, Plan};

/// Records of the historical file.
const RECORDS: usize = 2_800_000;

/// The argument by which this program reads the file with the `csv` crate alone.
const PEER: &str = "--read-with-csv";

/// Makes the process that reads the file.
type Reader<'a> = Box<dyn Fn() -> Command + 'a>;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [peer, file] = arguments.as_slice()
        && peer == PEER
    {
        println!("{}", read_with_csv(Path::new(file)));
        return;
    }
    if let [child, way, file] = arguments.as_slice()
        && child == roads::CHILD
    {
        roads::run(way, Path::new(file));
        return;
    }
    let runs = arguments.iter().find_map(|word| word.parse().ok()).unwrap_or(3);
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench-data");
    let only = |name: &str| arguments.iter().any(|word| word == name);
    if !only("counts") {
        roads::report(&data, runs);
    }
    if !only("roads") {
        counts(&data, runs);
    }
}

/// Measures the file of counts and prints what came of it.
fn counts(data: &Path, runs: usize) {
    let file = make(data);
    let bytes = fs::metadata(&file).expect("the file").len();
    println!("{}: {RECORDS} records, {:.0} MB", file.display(), megabytes(bytes));

    let base = tempfile::tempdir().expect("a temporary folder");
    embedded::write(base.path()).expect("the embedded study");
    let large = study(&file);
    let itself = std::env::current_exe().expect("this program");
    let python = "import csv, sys\nn = 0\nfor row in csv.reader(open(sys.argv[1], encoding='cp1252', newline='')): n += 1";
    let readers: [(&str, Reader<'_>); 4] = [
        ("corredor check, embedded study", Box::new(|| check(base.path()))),
        ("corredor check, with the file", Box::new(|| check(large.path()))),
        ("csv crate, records as bytes", Box::new(|| command(&itself, &[PEER.as_ref(), file.as_os_str()]))),
        (
            "python3 csv.reader",
            Box::new(|| command("python3", &["-c".as_ref(), python.as_ref(), file.as_os_str()])),
        ),
    ];
    for (name, reader) in &readers {
        let mut all: Vec<(Duration, u64)> = (0..runs).filter_map(|_| measure(reader())).collect();
        all.sort_unstable();
        match all.get(all.len() / 2) {
            Some((time, _)) => {
                let peak = all.iter().map(|(_, peak)| *peak).max().unwrap_or(0);
                println!(
                    "{name}: {:.2} s (median of {runs}), peak {:.0} MB",
                    time.as_secs_f64(),
                    megabytes(peak)
                );
            }
            None => println!("{name}: not here"),
        }
    }
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

fn command(program: impl AsRef<std::ffi::OsStr>, arguments: &[&std::ffi::OsStr]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

fn check(study: &Path) -> Command {
    command(env!("CARGO_BIN_EXE_corredor"), &["check".as_ref(), study.as_os_str(), "--json".as_ref()])
}

/// Time and peak of memory in bytes of a process; nothing if it fails.
fn measure(mut command: Command) -> Option<(Duration, u64)> {
    let start = Instant::now();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        if let Some(done) = child.try_wait().ok()? {
            return done.success().then_some((start.elapsed(), peak));
        }
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes: Option<u64> = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        peak = peak.max(kilobytes.unwrap_or(0) * 1024);
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn read_with_csv(file: &Path) -> u64 {
    let mut reader = csv::Reader::from_path(file).expect("the file");
    let mut record = csv::ByteRecord::new();
    let mut count = 0;
    while reader.read_byte_record(&mut record).expect("a record") {
        count += 1;
    }
    count
}

/// The embedded study with the file in the place of its counts.
fn study(file: &Path) -> tempfile::TempDir {
    let dir = tempfile::tempdir_in(file.parent().expect("a folder")).expect("a temporary folder");
    embedded::write(dir.path()).expect("the embedded study");
    fs::hard_link(file, dir.path().join("idm.csv")).expect("a link");
    let path = dir.path().join("study.toml");
    let text = fs::read_to_string(&path).expect("the study");
    let text = text
        .replace("region = \"Chiapas\"", "region = \"Chiapas\"\nentities = [\"07\"]")
        .replace("{ path = \"incidencia.csv\" }", "{ path = \"idm.csv\", preset = \"sesnsp-municipal\" }")
        .replace("total = 645\n", "")
        .replace("period_years = 12.0\n", "");
    fs::write(path, text).expect("the study");
    dir
}

/// Makes the file, unless it is there: records of the generator over and over, by year, until there are enough.
fn make(folder: &Path) -> PathBuf {
    let path = folder.join("sesnsp.csv");
    if path.exists() {
        return path;
    }
    fs::create_dir_all(folder).expect("a folder");
    let part = folder.join("sesnsp.part");
    let mut out = BufWriter::new(File::create(&part).expect("a file"));
    let mut put = |row: &[String]| {
        let mut text = String::new();
        generator::push_record(row, ',', "\r\n", &mut text);
        let (bytes, _, _) = encoding_rs::WINDOWS_1252.encode(&text);
        out.write_all(&bytes).expect("space on the disk");
    };
    put(&crimes::incident_columns().into_iter().map(str::to_owned).collect::<Vec<_>>());
    // Ten years of Chiapas once; the other states fill the file, a year each time.
    let mut count = 0;
    let chiapas = Plan { entities: vec![7], years: 2015..=2024, published: 8 };
    crimes::each_incident(&chiapas, |row| {
        count += 1;
        put(row);
    });
    let mut year = 2015;
    while count < RECORDS {
        let others = Plan { entities: vec![20, 27, 30], years: year..=year, published: 12 };
        crimes::each_incident(&others, |row| {
            if count < RECORDS {
                count += 1;
                put(row);
            }
        });
        year = if year == 2024 { 2015 } else { year + 1 };
    }
    out.flush().expect("space on the disk");
    drop(out);
    fs::rename(&part, &path).expect("a file");
    path
}
