//! Gi* by conditional permutation beside `esda` with numba, on the same input, in one run:
//!
//! ```sh
//! ./scripts/setup test && cargo bench --bench peers
//! ```
//!
//! 2,500 squares in a lattice, queen neighbours; exponential values; 999 permutations. Ours judges all 1,000 draws,
//! `esda` the first 20 of them, since its time per draw does not depend on their number. Times are per draw: ours with
//! the making of permutations and with Benjamini–Hochberg at three levels, `esda`'s without numba's compilation.

#![expect(clippy::print_stdout, reason = "a bench prints what it measures")]
#![expect(clippy::expect_used, reason = "a bench that cannot be set up has nothing to measure")]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use corredor::incidence::spatial::{HotOptions, Permutations, SpatialWeights, getis_ord, hot_probability};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

const SIDE: usize = 50;
const DRAWS: usize = 1_000;
const PEER_DRAWS: usize = 20;
const PERMUTATIONS: usize = 999;
/// Times ours is run; the median is shown.
const RUNS: usize = 5;

fn lattice() -> Vec<Vec<usize>> {
    let of = |site: usize| {
        let (x, y) = (site % SIDE, site / SIDE);
        let near = |v: usize| v.saturating_sub(1)..(v + 2).min(SIDE);
        near(y).flat_map(|v| near(x).map(move |u| v * SIDE + u)).filter(|other| *other != site).collect()
    };
    (0..SIDE * SIDE).map(of).collect()
}

fn main() {
    let links = lattice();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let draws: Vec<Vec<f64>> =
        (0..DRAWS).map(|_| (0..links.len()).map(|_| -rng.random::<f64>().ln()).collect()).collect();
    let weights = SpatialWeights::from_neighbours(&links).expect("a lattice");

    let ours = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        let mut seconds: Vec<f64> = (0..RUNS)
            .map(|_| {
                let start = Instant::now();
                let tested = vec![true; links.len()];
                pool.install(|| hot_probability(&draws, &weights, &tested, &HotOptions::default()))
                    .expect("draws");
                start.elapsed().as_secs_f64() / DRAWS as f64
            })
            .collect();
        seconds.sort_by(f64::total_cmp);
        seconds[RUNS / 2]
    };

    let folder = tempfile::tempdir().expect("a temporary folder");
    let bytes: Vec<u8> = draws.iter().take(PEER_DRAWS).flatten().flat_map(|v| v.to_le_bytes()).collect();
    fs::write(folder.path().join("values"), bytes).expect("values");
    let line = |row: &Vec<usize>| row.iter().map(usize::to_string).collect::<Vec<_>>().join(" ") + "\n";
    fs::write(folder.path().join("links"), links.iter().map(line).collect::<String>()).expect("links");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("venv").join("bin/python");
    let answer = Command::new(python)
        .arg(root.join("benches/peers/gi_star.py"))
        .arg(folder.path())
        .args([PEER_DRAWS.to_string(), PERMUTATIONS.to_string()])
        .output()
        .expect("the Python environment: run ./scripts/setup test");
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    let peer: serde_json::Value = serde_json::from_slice(&answer.stdout).expect("an answer");

    let z = getis_ord(&draws[0], &weights, true).expect("values").z;
    let star = weights.with_self();
    let permutations = Permutations::new(&star, PERMUTATIONS, 1).expect("permutations");
    let p = permutations.p_values(&draws[0], &star).expect("values");
    let number = |key: &str, i: usize| peer[key][i].as_f64().expect("a number");
    let apart = |a: f64, b: f64| (a - b).abs();
    let worst_z = (0..z.len()).map(|i| apart(z[i].unwrap_or(0.0), number("z", i))).fold(0.0, f64::max);
    let mean_p = (0..z.len()).map(|i| apart(p[i].directed(), number("p", i))).sum::<f64>() / z.len() as f64;

    println!("{} areas, {PERMUTATIONS} permutations; seconds per draw", links.len());
    println!("esda {}, numba {}", peer["versions"]["esda"], peer["versions"]["numba"]);
    println!("{:>8} {:>12} {:>12} {:>8}", "threads", "esda", "corredor", "ratio");
    for threads in [1, 2] {
        let theirs = peer["seconds"][threads.to_string()].as_f64().expect("seconds");
        let own = ours(threads);
        println!("{threads:>8} {theirs:>12.6} {own:>12.6} {:>8.0}", theirs / own);
    }
    let mut alone: Vec<f64> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            let permutations = Permutations::new(&star, PERMUTATIONS, 1).expect("permutations");
            permutations.p_values(&draws[0], &star).expect("values");
            start.elapsed().as_secs_f64()
        })
        .collect();
    alone.sort_by(f64::total_cmp);
    println!("one draw alone, both tails, with the making of its permutations: {:.6}", alone[RUNS / 2]);
    println!("first draw: z differ by at most {worst_z:.1e}, p by {mean_p:.4} on average");
}
