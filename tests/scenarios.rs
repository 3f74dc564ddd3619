//! `corredor run --scenario`: what changes when a road is closed or a post stands, and what does not.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail by panicking")]

mod support;

use std::fs;

use serde_json::Value;
use support::{Answer, Study, manifest};

fn features(study: &Study, out: &str, layer: &str) -> Vec<Value> {
    let path = study.root().join(out).join("layers").join(format!("{layer}.geojson"));
    let text = fs::read_to_string(path).unwrap();
    let mut layer: Value = serde_json::from_str(&text).unwrap();
    layer["features"].as_array_mut().unwrap().drain(..).map(|mut f| f["properties"].take()).collect()
}

fn number(of: &Value, name: &str) -> f64 {
    of[name].as_f64().unwrap_or_else(|| panic!("{name} in {of}"))
}

#[test]
fn a_closure_moves_flow_and_conserves_it() {
    let study = Study::new();
    Answer::of(&mut study.command("base")).exits(0);
    let told = Answer::of(study.command("rain").args(["--scenario", "lluvias"])).exits(0);
    assert!(
        told.stdout.contains("Escenario: EJEMPLO") && told.stdout.contains("Bajan: MEX-200"),
        "{}",
        told.stdout
    );
    let run = manifest(&study.root().join("rain"));
    assert!(run["notices"].to_string().contains("ESCENARIO, no la situación del estudio"));
    let scenario = &run["statistics"]["corridors"]["scenario"];
    let whole = |of: &Value| ["served", "inner", "unserved"].map(|part| number(of, part)).iter().sum::<f64>();
    assert!((whole(&scenario["before"]) - whole(&scenario["after"])).abs() < 1e-12, "{scenario}");
    let base = manifest(&study.root().join("base"));
    assert_ne!(run["run_id"], base["run_id"]);

    // What it says of the state before is the run without it, and of the state after the layer beside it.
    let roads = |out: &str| features(&study, out, "roads");
    let of = |roads: &[Value], id: &Value| roads.iter().find(|road| road["id"] == *id).cloned().unwrap();
    let (before, after, changes) = (roads("base"), roads("rain"), features(&study, "rain", "roads_change"));
    let mut closed = 0;
    for change in &changes {
        let id = &change["id"];
        assert!((number(change, "mean_base") - number(&of(&before, id), "mean")).abs() < 2e-9, "{change}");
        assert!((number(change, "mean") - number(&of(&after, id), "mean")).abs() < 2e-9, "{change}");
        let reasons = change["reasons"].as_array().unwrap();
        let sum: f64 = reasons.iter().map(|reason| number(reason, "value")).sum();
        assert!((sum - number(change, "change")).abs() < 1e-9, "{change}");
        if change["altered"].as_str().is_some_and(|codes| codes.contains("closed")) {
            closed += 1;
            assert!(number(change, "mean") == 0.0 && change["closed"] == true, "{change}");
        }
    }
    assert!(closed > 0 && changes.len() > 20, "{closed} of {}", changes.len());
    let moved = |sign: f64| changes.iter().filter(|c| sign * number(c, "change") > 0.01).count();
    assert!(moved(1.0) > 0 && moved(-1.0) > 0);
    // Which cases there are and where does not hang on the roads.
    for place in ["rate_mean", "count_mean"] {
        let of = |out: &str| -> Vec<Value> {
            features(&study, out, "municipalities").iter().map(|m| m[place].clone()).collect()
        };
        assert_eq!(of("base"), of("rain"));
    }
}

#[test]
fn a_new_post_is_met_and_avoided() {
    let study = Study::new();
    Answer::of(study.command("post").args(["--scenario", "puesto"])).exits(0);
    let posts = features(&study, "post", "checkpoints");
    let new = posts.iter().find(|p| p["name"].as_str().unwrap().contains("Escuintla (ejemplo)")).unwrap();
    assert!(new["kind"] == "existing" && number(new, "flow_detected") > 0.0, "{new}");
    let changes = features(&study, "post", "roads_change");
    let at = changes.iter().find(|c| c["altered"] == "new_post").unwrap();
    assert!(number(at, "change") < 0.0 && number(at, "pr_falls") > 0.5, "{at}");
}

#[test]
fn what_cannot_be_is_said_and_writes_nothing() {
    let study = Study::new();
    for (args, told) in [
        (&["--scenario", "nieve"][..], "no tiene ningún escenario «nieve»; tiene: lluvias, puesto"),
        (&["--scenario", "lluvias", "--audience", "public"], "no se publica"),
        (&["--scenario", "lluvias", "--steps", "incidence"], "incluya corridors"),
    ] {
        let answer = Answer::of(study.command("none").args(args)).exits(2);
        assert!(answer.stderr.contains(told), "{}", answer.stderr);
        assert!(!study.root().join("none").exists());
    }
    // A scenario that names no road of the network is a fault where it is to be run, and else a warning.
    study.edit("study.toml", "ref = \"MEX-200\", between", "ref = \"MEX-999\", between");
    let answer = Answer::of(study.command("none").args(["--scenario", "lluvias"])).exits(1);
    assert!(answer.tells("N003", "study.toml", None, Some("scenarios[0].closures[0]")), "{}", answer.stderr);
    assert!(!study.root().join("none").exists());
    let answer = Answer::of(&mut study.command("other")).exits(0);
    assert!(answer.tells("N012", "study.toml", None, Some("scenarios[0].closures[0]")), "{}", answer.stderr);
    study.edit("study.toml", "factor = 0.5", "factro = 0.5");
    let answer = Answer::of(&mut study.command("none")).exits(1);
    assert!(answer.stderr.contains("scenarios[0].speeds[0].factro"), "{}", answer.stderr);
}
