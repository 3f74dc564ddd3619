//! Both routers on whole studies, and what is kept of a network between runs.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail by panicking")]

mod support;

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use support::{Answer, Study, assert_same, corredor, snapshot};

/// Names the folder of what is kept between runs.
const CACHE: &str = "CORREDOR_CACHE_DIR";

/// A number that looks random, below 100.
fn scatter(key: u64) -> u64 {
    let mut z = key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) % 100
}

/// Roads on a lattice of `side` times `side` junctions over all of Chiapas: a quarter of the stretches is missing, a
/// twentieth is one-way, and every 4th, 16th and 64th line is of a higher class.
fn lattice(side: u64) -> String {
    let mut out = String::from("{\"type\":\"FeatureCollection\",\"features\":[\n");
    let step = |span: f64| span / (side - 1) as f64;
    let at = |x: u64, y: u64| {
        let jitter = |salt| (scatter((x * side + y) * 4 + salt) as f64 - 50.0) / 250.0;
        let lon = -94.2 + step(3.9) * (x as f64 + jitter(0));
        let lat = 14.4 + step(3.6) * (y as f64 + jitter(1));
        format!("[{lon:.6},{lat:.6}]")
    };
    let mut first = true;
    for x in 0..side {
        for y in 0..side {
            for (salt, (a, b), line) in [(2, (x + 1, y), y), (3, (x, y + 1), x)] {
                let chance = scatter(((x * side + y) * 4 + salt) ^ 0x5555);
                if a == side || b == side || chance < 25 {
                    continue;
                }
                let class = match line.trailing_zeros() {
                    0 | 1 => "local",
                    2..=5 => "state",
                    _ => "federal",
                };
                let oneway = if chance > 94 { "forward" } else { "no" };
                let comma = if std::mem::take(&mut first) { "" } else { ",\n" };
                write!(
                    out,
                    "{comma}{{\"type\":\"Feature\",\"properties\":{{\"id\":\"r{salt}-{x}-{y}\",\"ref\":\"\",\
                     \"class\":\"{class}\",\"surface\":\"paved\",\"toll\":false,\"oneway\":\"{oneway}\",\"region\":\"MEX-CHIS\"}},\
                     \"geometry\":{{\"type\":\"LineString\",\"coordinates\":[{},{}]}}}}",
                    at(x, y),
                    at(a, b)
                )
                .unwrap();
            }
        }
    }
    out.push_str("\n]}\n");
    out
}

/// The embedded study on the roads of a lattice, with few perturbations.
fn on_lattice(side: u64) -> Study {
    let study = Study::new();
    study.write("roads.geojson", lattice(side));
    study.edit("study.toml", "perturbations = 8", "perturbations = 2");
    study
}

fn junctions(study: &Study) -> usize {
    let answer = study.check(&["--json"]).exits(0).json();
    usize::try_from(answer["network"]["junctions"].as_u64().unwrap_or_else(|| panic!("{answer}"))).unwrap()
}

/// A run into `name` that keeps its hierarchy in `cache`.
fn keeping(study: &Study, name: &str, cache: &Path) -> Command {
    let mut command = study.command(name);
    command.args(["--steps", "corridors"]).env(CACHE, cache);
    command
}

fn files(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn both_routers_give_the_demo_byte_for_byte() {
    let study = Study::new();
    // More and fewer perturbations than a batch has lanes, and draws that do not fill the last one.
    for (n, (perturbations, draws)) in [(8, 43), (3, 21), (11, 10)].into_iter().enumerate() {
        if n > 0 {
            let before = [8, 3][n - 1];
            study.edit(
                "study.toml",
                &format!("perturbations = {before}"),
                &format!("perturbations = {perturbations}"),
            );
        }
        for audience in ["restricted", "public"] {
            let [kernel, reference] = ["cch", "dijkstra"].map(|router| {
                let name = format!("{router}-{audience}-{perturbations}");
                let mut command = study.command_of(&name, draws);
                Answer::of(command.args(["--audience", audience, "--router", router])).exits(0);
                snapshot(&study.root().join(name))
            });
            assert_same(&kernel, &reference);
        }
    }
}

#[test]
fn both_routers_give_the_same_on_a_hundred_thousand_junctions() {
    let study = on_lattice(345);
    assert!(junctions(&study) > 100_000, "{}", junctions(&study));
    let cache = study.root().join("cache");
    let [kernel, reference] = ["cch", "dijkstra"].map(|router| {
        // All steps: posts and workplaces stand on trees.
        let mut command = study.command(router);
        Answer::of(command.env(CACHE, &cache).args(["--router", router])).exits(0);
        snapshot(&study.root().join(router))
    });
    assert_same(&kernel, &reference);
    // A closure is another weight on the same network: the order that was kept is taken again.
    let kept = files(&cache);
    assert_eq!(kept.len(), 1, "{kept:?}");
    let written = || fs::metadata(cache.join(&kept[0])).unwrap().modified().unwrap();
    let before = written();
    study.append("study.toml", "\n[[closures]]\ncrossing = \"talisman\"\n");
    Answer::of(&mut keeping(&study, "closed", &cache)).exits(0);
    assert_eq!(files(&cache), kept);
    assert_eq!(written(), before, "the order was computed again");
    let closed = snapshot(&study.root().join("closed"));
    assert_ne!(closed["layers/roads.geojson"], kernel["layers/roads.geojson"]);
}

#[test]
fn any_number_of_threads_ends_with_the_same_bytes() {
    // In processes of their own: what the first draws set up is set up by several threads at once.
    let study = Study::new();
    let mut first = None;
    for (n, threads) in [1, 3, 8, 7, 3, 8, 2, 16].into_iter().enumerate() {
        let name = format!("threads-{n}");
        let mut command = study.command_of(&name, 80);
        command.args(["--threads", &threads.to_string(), "--steps", "corridors", "--quiet"]);
        let mut child = command.spawn().unwrap();
        let start = Instant::now();
        while child.try_wait().unwrap().is_none() {
            if start.elapsed() > Duration::from_mins(5) {
                child.kill().unwrap();
                panic!("{threads} threads do not come to an end");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(child.wait().unwrap().success());
        let made = snapshot(&study.root().join(name));
        assert_same(first.get_or_insert_with(|| made.clone()), &made);
    }
}

#[test]
fn how_many_paths_planning_keeps_decides_no_class() {
    let study = Study::new();
    let classes = |study: &Study, name: &str| {
        Answer::of(study.command_of(name, 60).args(["--steps", "corridors"])).exits(0);
        let layer = support::layer(&study.root().join(name), "municipalities");
        let of = |f: &serde_json::Value| f["properties"]["roles"].clone();
        layer["features"].as_array().unwrap().iter().map(of).collect::<Vec<_>>()
    };
    let many = classes(&study, "many");
    study.edit("study.toml", "[planning]\n", "[planning]\ndraws = 1\n");
    assert_eq!(classes(&study, "few"), many);
    assert_eq!(support::manifest(&study.root().join("few"))["statistics"]["transit_draws"], 60);
    assert_eq!(support::manifest(&study.root().join("few"))["statistics"]["planning_draws"], 1);
}

#[test]
fn what_is_wrong_with_the_cache_is_told_and_changes_nothing() {
    let study = on_lattice(165);
    assert!(junctions(&study) > 20_000, "{}", junctions(&study));
    let cache = study.root().join("cache");
    let again = |name: &str, cache: &Path| {
        let answer = Answer::of(&mut keeping(&study, name, cache)).exits(0);
        (snapshot(&study.root().join(name)), answer.stderr)
    };
    let (first, said) = again("first", &cache);
    assert!(!said.contains("preparación de la red"), "{said}");
    let kept = files(&cache);
    let [name] = &kept[..] else { panic!("{kept:?}") };
    let (path, good) = (cache.join(name), fs::read(cache.join(name)).unwrap());

    let (same, said) = again("second", &cache);
    assert_same(&first, &same);
    assert!(!said.contains("preparación de la red"), "{said}");
    // Cut short, changed in one bit, empty, and of another network under this name.
    let mut changed = good.clone();
    changed[good.len() / 2] ^= 4;
    let other = on_lattice(160);
    let others = study.root().join("others");
    Answer::of(&mut keeping(&other, "out", &others)).exits(0);
    let foreign = fs::read(others.join(&files(&others)[0])).unwrap();
    for (n, bytes) in [good[..good.len() / 3].to_vec(), changed, Vec::new(), foreign].into_iter().enumerate()
    {
        fs::write(&path, bytes).unwrap();
        let (same, said) = again(&format!("damaged-{n}"), &cache);
        assert_same(&first, &same);
        assert!(said.contains("está dañada") && said.contains(path.to_str().unwrap()), "{said}");
        assert_eq!(fs::read(&path).unwrap(), good, "it is written anew");
    }
    // A folder that cannot be, and a file that cannot be read.
    let (same, said) = again("no-folder", &study.path("study.toml").join("cache"));
    assert_same(&first, &same);
    assert!(said.contains("No se puede guardar") && said.contains(CACHE), "{said}");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let (same, said) = again("a-folder-in-its-place", &cache);
    assert_same(&first, &same);
    assert!(said.contains("No se puede leer") && said.contains("No se puede guardar"), "{said}");
    fs::remove_dir(&path).unwrap();
    assert_eq!(files(&cache), Vec::<String>::new(), "nothing is left beside");
    // Without it nothing is read or written, and nothing said.
    let answer = Answer::of(keeping(&study, "without", &cache).arg("--no-cache")).exits(0);
    assert_same(&first, &snapshot(&study.root().join("without")));
    assert!(!answer.stderr.contains("preparación de la red"), "{}", answer.stderr);
    assert!(files(&cache).is_empty());
}

#[test]
fn a_full_disk_is_told_and_changes_nothing() {
    let study = on_lattice(165);
    let cache = study.root().join("cache");
    fs::create_dir(&cache).unwrap();
    Answer::of(keeping(&study, "first", &cache).arg("--no-cache")).exits(0);
    let run = keeping(&study, "full", &cache);
    let words: Vec<String> = std::iter::once(run.get_program())
        .chain(run.get_args())
        .map(|word| format!("'{}'", word.to_str().unwrap()))
        .collect();
    let folder = cache.to_str().unwrap();
    let script = format!(
        "mount -t tmpfs -o size=16k tmpfs '{folder}' || exit 77; {} || exit; ls -A '{folder}'",
        words.join(" ")
    );
    let answer = Command::new("unshare").args(["-rm", "sh", "-c", &script]).env(CACHE, &cache).output();
    let Some(output) = answer.ok().filter(|output| output.status.code() == Some(0)) else {
        // Where no namespace may be made, as in some containers, a disk cannot be made full; other faults of writing
        // are shown above.
        let plain = Command::new("unshare").args(["-rm", "true"]).status();
        assert!(!plain.is_ok_and(|status| status.success()), "a full disk ended the run");
        return;
    };
    let answer = Answer::from(output);
    assert!(answer.stderr.contains("No se puede guardar"), "{}", answer.stderr);
    assert!(!answer.stdout.contains(".order"), "{}", answer.stdout);
    assert_same(&snapshot(&study.root().join("first")), &snapshot(&study.root().join("full")));
}

#[test]
fn runs_that_are_killed_or_go_side_by_side_leave_a_cache_that_is_right() {
    let study = on_lattice(165);
    let cache = study.root().join("cache");
    Answer::of(keeping(&study, "first", &cache).arg("--no-cache")).exits(0);
    let first = snapshot(&study.root().join("first"));
    // Killed when the first thing appears in the folder, and at some moments before and after.
    for n in 0..6_u64 {
        fs::remove_dir_all(&cache).unwrap_or_default();
        let mut command = keeping(&study, "killed", &cache);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let start = Instant::now();
        let due = |files: usize| match n {
            0..3 => files > 0,
            _ => start.elapsed() > Duration::from_millis(150 * n),
        };
        while child.try_wait().unwrap().is_none() && !due(files(&cache).len()) {}
        child.kill().unwrap_or_default();
        child.wait().unwrap();
        let name = format!("after-{n}");
        let answer = Answer::of(&mut keeping(&study, &name, &cache)).exits(0);
        assert!(!answer.stderr.contains("dañada"), "{}", answer.stderr);
        assert_same(&first, &snapshot(&study.root().join(name)));
    }
    // Several at once, all without a cache at first.
    fs::remove_dir_all(&cache).unwrap();
    let runs: Vec<_> = (0..3)
        .map(|n| {
            let mut command = keeping(&study, &format!("beside-{n}"), &cache);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for (n, child) in runs.into_iter().enumerate() {
        Answer::from(child.wait_with_output().unwrap()).exits(0);
        assert_same(&first, &snapshot(&study.root().join(format!("beside-{n}"))));
    }
    assert_eq!(files(&cache).len(), 1);
}

#[test]
fn a_network_that_is_being_ordered_can_be_left() {
    let study = on_lattice(345);
    let cache = study.root().join("cache");
    let mut command = keeping(&study, "out", &cache);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains("Prepara la red") {
        assert_ne!(stderr.read_line(&mut said).unwrap(), 0, "ended before it began: {said}");
    }
    let killed = Command::new("sh").arg("-c").arg(format!("kill -INT {}", child.id())).status().unwrap();
    assert!(killed.success());
    let status = child.wait().unwrap();
    stderr.read_to_string(&mut said).unwrap();
    assert_eq!(status.code(), Some(130), "{said}");
    assert!(said.contains("Interrumpido; no se escribió nada.") && !said.contains("Sortea"), "{said}");
    assert!(files(&cache).is_empty() && !study.root().join("out").exists());
}

#[test]
fn an_unknown_router_is_told_with_those_there_are() {
    let study = Study::new();
    let answer = study.run(&["--router", "astar"]).exits(2);
    assert!(answer.stderr.contains("astar") && answer.stderr.contains("dijkstra"), "{}", answer.stderr);
    let help = Answer::of(corredor().args(["run", "--help"])).exits(0);
    assert!(help.stdout.contains("--router") && help.stdout.contains("--no-cache"), "{}", help.stdout);
}
