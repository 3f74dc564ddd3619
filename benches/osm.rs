//! The Isle of Man read whole, with `osmium` on the same file beside it. `tests/osm/fetch.sh` fetches the file.

#![expect(clippy::expect_used, reason = "a bench that cannot be set up has nothing to measure")]
#![expect(clippy::print_stdout, reason = "says what is not measured, and why")]

use std::path::Path;
use std::process::{Command, Stdio};

use corredor::error::Faults;
use corredor::sources::{ColumnRules, GeometryNeed, Limits, Preset, SourceSpec, read};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const FILE: &str = "isle-of-man.osm.pbf";

/// Nodes of the file, of roads or not.
const NODES: u64 = 221_860;

fn osm(c: &mut Criterion) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("test-data");
    let file = folder.join(FILE);
    if !file.is_file() {
        println!("osm: skipped, {} is not there; run tests/osm/fetch.sh", file.display());
        return;
    }
    let spec = SourceSpec { path: FILE.to_owned(), preset: Some(Preset::Osm), ..SourceSpec::default() };
    let mut group = c.benchmark_group("osm");
    group.throughput(Throughput::Elements(NODES)).sample_size(20);
    group.bench_function("corredor", |b| {
        b.iter(|| {
            let mut faults = Faults::default();
            let (rules, limits) = (ColumnRules::default(), Limits::default());
            let table = read(&folder, "roads", &spec, GeometryNeed::Line, &rules, &limits, &mut faults);
            table.expect("readable").expect("a table").rows.len()
        });
    });
    if Command::new("osmium").arg("--version").output().is_err() {
        println!("osm: osmium is not installed; nothing to compare with");
        return;
    }
    // `fileinfo -e` decodes every object once; `cat` decodes and writes them again.
    for (name, arguments) in [
        ("osmium fileinfo -e", &["fileinfo", "-e", "--no-progress"][..]),
        ("osmium cat", &["cat", "--no-progress", "-f", "opl", "-o", "/dev/null", "-O"]),
    ] {
        group.bench_function(name, |b| {
            b.iter(|| {
                let mut command = Command::new("osmium");
                command.args(arguments).arg(&file).stdout(Stdio::null());
                assert!(command.status().expect("osmium runs").success());
            });
        });
    }
    group.finish();
}

criterion_group!(benches, osm);
criterion_main!(benches);
