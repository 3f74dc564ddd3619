//! A road file of national size: read, checked, noded and indexed, beside GDAL's own bare read of the same file.

mod make;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use corredor::cli::{config, embedded};
use corredor::error::Faults;
use corredor::model::build::{Tables, build as build_model};
use corredor::network::builder::{BuildOptions, build as build_network};
use corredor::network::spatial::LinkIndex;
use corredor::sources::spec::{GeometryNeed, Preset, SourceSpec};
use corredor::sources::{self, ColumnRules, Limits};
use gdal::vector::LayerAccess as _;
use gdal::{Dataset, DatasetOptions, GdalOpenFlags};

/// The argument by which this program does one of the [`WAYS`] with a file.
pub(crate) const CHILD: &str = "--roads";

/// Links of the file, unless `CORREDOR_BENCH_LINKS` says otherwise.
const LINKS: usize = 100_000;

/// Ways to go through the file, each a process of its own, with what is told of it.
const WAYS: [(&str, &str); 3] = [
    ("bare", "GDAL, features passed by"),
    ("values", "GDAL, geometry and fields fetched"),
    ("whole", "corredor, read, checked, noded, indexed"),
];

/// Measures both files and prints what came of it.
pub(crate) fn report(data: &Path, runs: usize) {
    let links = std::env::var("CORREDOR_BENCH_LINKS").ok().and_then(|n| n.parse().ok()).unwrap_or(LINKS);
    let country = make::Country::new(links);
    for file in [country.official(data), country.plain(data)] {
        let bytes = fs::metadata(&file).expect("the file").len();
        println!("{}: {links} links, {:.0} MB", file.display(), super::megabytes(bytes));
        let mut seen: Vec<Vec<Stages>> = vec![Vec::new(); WAYS.len()];
        let mut text = Vec::new();
        for _ in 0..runs {
            for ((way, _), seen) in WAYS.iter().zip(&mut seen) {
                seen.push(child(way, &file));
            }
            let mut ogrinfo = Command::new("ogrinfo");
            ogrinfo.args(["-ro", "-al", "-q"]).arg(&file);
            text.extend(super::measure(ogrinfo).map(|(time, _)| time.as_secs_f64()));
        }
        let medians: Vec<Stages> = seen.iter().map(|all| median(all)).collect();
        let total = |stages: &Stages| stages.seconds.iter().map(|(_, s)| s).sum::<f64>();
        let bare = total(&medians[0]);
        let tell = |name: &str, seconds: f64| {
            let rate = links as f64 / seconds;
            println!("  {name}: {seconds:.2} s, {rate:.0} links/s, {:.2} × the bare read", seconds / bare);
        };
        for ((_, name), stages) in WAYS.iter().zip(&medians) {
            tell(name, total(stages));
            println!("    peak {:.0} MB", stages.peak as f64 / 1000.0);
            if stages.seconds.len() > 1 {
                stages.seconds.iter().for_each(|(stage, seconds)| tell(&format!("  {stage}"), *seconds));
            }
        }
        text.sort_by(f64::total_cmp);
        match text.get(text.len() / 2) {
            Some(seconds) => tell("ogrinfo -al, its text thrown away", *seconds),
            None => println!("  ogrinfo: not here"),
        }
    }
}

/// What a process took: seconds by stage, and the peak of its memory in kB.
#[derive(Debug, Clone, Default)]
struct Stages {
    seconds: Vec<(String, f64)>,
    peak: u64,
}

fn median(all: &[Stages]) -> Stages {
    let mut out = all.first().cloned().unwrap_or_default();
    for (i, (_, seconds)) in out.seconds.iter_mut().enumerate() {
        let mut times: Vec<f64> = all.iter().filter_map(|s| Some(s.seconds.get(i)?.1)).collect();
        times.sort_by(f64::total_cmp);
        *seconds = times[times.len() / 2];
    }
    out.peak = all.iter().map(|s| s.peak).max().unwrap_or(0);
    out
}

fn child(way: &str, file: &Path) -> Stages {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    let done = command.args([CHILD, way]).arg(file).output().expect("a process");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let mut out = Stages::default();
    for line in String::from_utf8_lossy(&done.stdout).lines() {
        match line.split_once('\t') {
            Some(("peak", kilobytes)) => out.peak = kilobytes.parse().expect("a number"),
            Some((stage, seconds)) => {
                out.seconds.push((stage.to_owned(), seconds.parse().expect("a number")));
            }
            None => {}
        }
    }
    out
}

/// What the process of one way does.
pub(crate) fn run(way: &str, file: &Path) {
    match way {
        "bare" => timed("features", || scan(file, false)),
        "values" => timed("features", || scan(file, true)),
        _ => return whole(file),
    };
    peak();
}

fn timed<T>(stage: &str, run: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let out = run();
    println!("{stage}\t{}", start.elapsed().as_secs_f64());
    out
}

fn peak() {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    println!("peak\t{}", line.and_then(|line| line.split_whitespace().next()).unwrap_or("0"));
}

/// Goes through all features of a file as GDAL gives them; `values` also takes out fields and positions.
fn scan(file: &Path, values: bool) -> usize {
    let open_flags = GdalOpenFlags::GDAL_OF_VECTOR | GdalOpenFlags::GDAL_OF_READONLY;
    let dataset =
        Dataset::open_ex(file, DatasetOptions { open_flags, ..DatasetOptions::default() }).expect("the file");
    let mut seen = 0;
    let mut points = Vec::new();
    for mut layer in dataset.layers() {
        for feature in layer.features() {
            let geometry = feature.geometry().expect("a geometry");
            seen += geometry.point_count();
            if values {
                points.clear();
                geometry.get_points(&mut points);
                seen += std::hint::black_box(&points).len();
                seen += (0..feature.field_count()).filter_map(|i| feature.field(i).ok().flatten()).count();
            }
        }
    }
    seen
}

/// The way of a study's roads, as `corredor` goes it.
fn whole(file: &Path) {
    let base = tempfile::tempdir().expect("a temporary folder");
    embedded::write(base.path()).expect("the embedded study");
    let mut study = config::read(base.path()).expect("a valid study file").study;
    let official = file.extension().is_some_and(|ending| ending == "gpkg");
    let folder = file.parent().expect("a folder");
    study.sources.roads = SourceSpec {
        path: file.file_name().expect("a name").to_string_lossy().into_owned(),
        preset: official.then_some(Preset::InegiRnc),
        ..SourceSpec::default()
    };
    let spec = &study.sources.roads;
    let mut faults = Faults::default();
    let (rules, limits) = (ColumnRules::default(), Limits::default());
    let table = timed("read", || {
        let table = sources::read(folder, "roads", spec, GeometryNeed::Line, &rules, &limits, &mut faults);
        table.expect("a readable file").expect("a file without faults")
    });
    let tables: Tables = [("roads", vec![table])].into();
    let domain = timed("check", || build_model(&study, tables, "study.toml", &mut faults).expect("a domain"));
    assert!(!faults.has_errors(), "{faults}");
    let p = &study.parameters;
    let options = BuildOptions {
        tolerance: p.node_tolerance_m,
        max_snap: p.max_snap_m,
        access_speed_kmh: p.access_speed_kmh,
    };
    let built = timed("node and freeze", || build_network(&domain, options));
    let index = timed("index", || LinkIndex::new(&built.network, &domain.frame, |_| true));
    peak();
    println!("# {} roads, {} links", domain.roads.len(), built.network.links().count());
    std::hint::black_box(index);
}
