//! Bars are drawn on a terminal, while a run is long, and nowhere else.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail by panicking")]

mod support;

use std::process::{Command, Stdio};

use support::{Answer, Study};

/// Enough draws that no machine is done with them within two seconds.
const LONG: &str = "2500";

/// Runs the study with words of the shell on a terminal of its own, by `script`, which every Debian has; both outputs
/// together.
fn on_a_terminal(study: &Study, words: &str) -> String {
    let command = format!(
        "stty cols 160; '{}' run '{}' --out '{}' --force --threads 1 {words}",
        env!("CARGO_BIN_EXE_corredor"),
        study.path("study.toml").display(),
        study.out().display(),
    );
    let answer = Command::new("script")
        .args(["--quiet", "--return", "--command", &command, "/dev/null"])
        .env("TERM", "xterm")
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&answer.stdout).into_owned();
    assert!(answer.status.success(), "{told}");
    told
}

#[test]
fn a_long_run_shows_a_bar_on_a_terminal_and_takes_it_away() {
    let study = Study::new();
    let told = on_a_terminal(&study, &format!("--draws {LONG}"));
    assert!(told.contains("Paso 1 de 7: Lee y valida las fuentes"), "{told}");
    assert!(told.contains("Paso 4 de 7: Sortea y asigna rutas"), "{told}");
    assert!(told.contains(&format!("de {LONG} sorteos")), "no bar:\n{told}");
    assert!(told.contains(" del paso"), "no time:\n{told}");
    assert!(told.contains("luego: cierres, plan, escritura"), "no steps ahead:\n{told}");
    assert!(!told.contains("quedan 0–0"), "{told}");
    // Carriage returns and the erasing of a line, and no colours.
    assert!(!told.contains("\u{1b}[3") && !told.contains("\u{1b}[1m"), "{told:?}");
    let last = told.rfind("sorteos;").unwrap();
    assert!(
        told[last..].contains("\u{1b}[2K") || told[last..].contains("\u{1b}[K"),
        "the bar stays: {told:?}"
    );
    assert!(told[last..].contains("Paso 5 de 7"), "{told}");
}

#[test]
fn no_bar_is_drawn_where_none_is_wanted() {
    let study = Study::new();
    // Piped, it is one line a step.
    let piped = Answer::of(study.command_of("piped", 1000).args(["--threads", "1"])).exits(0).stderr;
    assert!(
        piped.contains("Paso 4 de 7") && !piped.contains("sorteos;") && !piped.contains('\u{1b}'),
        "{piped}"
    );
    let quiet = on_a_terminal(&study, "--draws 1000 --quiet");
    assert_eq!(quiet.trim(), "");
    let json = on_a_terminal(&study, "--draws 1000 --json");
    assert!(!json.contains("sorteos;") && !json.contains('\u{1b}'), "{json}");
    // A run that is short.
    let short = on_a_terminal(&study, "--draws 10");
    assert!(short.contains("Paso 4 de 7") && !short.contains("de 10 sorteos;"), "{short}");
}
