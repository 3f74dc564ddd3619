//! The commands as a user meets them: what they write, what they say, in which language, with which exit code.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail by panicking")]
#![allow(
    clippy::needless_for_each,
    clippy::case_sensitive_file_extension_comparisons,
    reason = "short lists of cases"
)]

mod support;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};

use corredor::disclosure::Tier;
use corredor::layers::schema;
use rstest::rstest;
use serde_json::Value;
use support::{
    Answer, Entry, Study, assert_same, corredor, layer, layer_names, manifest, run, snapshot, texts,
};

/// Subcommands, each with arguments that let its help be asked for.
const COMMANDS: [&str; 10] =
    ["demo", "init", "check", "run", "verify", "explain", "doctor", "schema", "completions", "man"];

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

// ---- init, check, run, demo -------------------------------------------------------------------------

#[test]
fn init_check_and_run_follow_each_other() {
    let study = Study::new();
    let before = snapshot(&study.dir());
    let checked = study.check(&[]).exits(0);
    assert!(checked.stdout.contains("El estudio se puede ejecutar."), "{}", checked.stdout);
    assert!(checked.stdout.contains("roads.geojson"), "{}", checked.stdout);
    assert!(checked.tells("M014", "municipalities.geojson", None, None), "{}", checked.stderr);
    assert_eq!(names(study.root()), ["study"], "check writes nothing");

    let answer = study.run(&[]).exits(0);
    assert!(answer.stdout.contains(&study.out().join("corredor.gpkg").display().to_string()));
    assert_eq!(names(study.root()), ["out", "study"], "nothing is left beside");
    assert_eq!(
        names(&study.out()),
        [
            "LEEME.txt",
            "corredor.gpkg",
            "corredor.qgz",
            "datapackage.json",
            "layers",
            "map.html",
            "report.html",
            "report.pdf",
            "run.json",
            "tables",
        ]
        .into_iter()
        .filter(|name| *name != "report.pdf" || corredor::layers::report::HAS_PDF)
        .collect::<Vec<_>>()
    );
    assert_eq!(
        layer_names(&study.out()),
        ["checkpoints", "corridors", "crossings", "diagnostics", "municipalities", "roads", "worksites"]
    );
    assert_same(&before, &snapshot(&study.dir()));
    Answer::of(corredor().arg("verify").arg(study.out())).exits(0);
}

#[test]
fn a_study_is_named_by_its_file_or_its_folder_from_anywhere() {
    let study = Study::new();
    for (cwd, name) in [(study.root(), "study"), (study.root(), "study/study.toml")] {
        Answer::of(corredor().current_dir(cwd).args(["check", name])).exits(0);
    }
    Answer::of(corredor().current_dir(study.dir()).args(["check", "study.toml"])).exits(0);
    Answer::of(corredor().current_dir(study.dir()).args(["check", "."])).exits(0);
}

#[test]
fn init_refuses_what_is_there() {
    let study = Study::new();
    study.append("study.toml", "# mine\n");
    let before = snapshot(study.root());
    let answer = Answer::of(corredor().arg("init").arg(study.dir())).exits(2);
    assert!(answer.stderr.contains("ya existe"), "{}", answer.stderr);
    assert_same(&before, &snapshot(study.root()));

    // A folder that is no study is never written into, with or without --force.
    let other = study.root().join("photos");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("a.jpg"), "x").unwrap();
    let before = snapshot(study.root());
    for force in [&[][..], &["--force"]] {
        Answer::of(corredor().arg("init").arg(&other).args(force)).exits(2);
    }
    let file = other.join("a.jpg");
    Answer::of(corredor().arg("init").arg(&file)).exits(2);
    assert_same(&before, &snapshot(study.root()));

    Answer::of(corredor().arg("init").arg(study.dir()).arg("--force")).exits(0);
    assert!(!study.text("study.toml").contains("# mine"));
    let empty = study.root().join("empty");
    fs::create_dir(&empty).unwrap();
    Answer::of(corredor().arg("init").arg(&empty)).exits(0);
    assert_same(&snapshot(&empty), &snapshot(&study.dir()));
}

#[test]
fn a_run_of_the_written_study_is_the_demo() {
    let study = Study::new();
    Answer::of(corredor().arg("init").arg(study.dir()).arg("--force")).exits(0);
    study.run(&[]).exits(0);
    let demo = study.root().join("demo");
    let answer = Answer::of(corredor().arg("demo").arg("--out").arg(&demo).args(["--draws", "10"])).exits(0);
    assert!(answer.stdout.contains(&demo.join("restricted/corredor.gpkg").display().to_string()));
    assert_eq!(names(&demo), ["public", "restricted"]);
    assert_same(&snapshot(&study.out()), &snapshot(&demo.join("restricted")));

    Answer::of(study.command("public").args(["--audience", "public"])).exits(0);
    assert_same(&snapshot(&study.root().join("public")), &snapshot(&demo.join("public")));
    Answer::of(corredor().arg("verify").arg(&demo)).exits(0);
}

#[test]
fn threads_time_zone_locale_and_folder_change_no_byte_and_another_seed_does() {
    let study = Study::new();
    study.run(&["--threads", "1"]).exits(0);
    let first = snapshot(&study.out());
    let mut n = 0;
    let mut again = |args: &[&str], env: &[(&str, &str)]| {
        n += 1;
        let name = format!("again-{n}");
        let mut command = study.command(&name);
        command.args(args).envs(env.iter().copied());
        Answer::of(&mut command).exits(0);
        snapshot(&study.root().join(name))
    };
    assert_same(&first, &again(&["--threads", "2"], &[]));
    assert_same(&first, &again(&["--threads", "5", "--quiet"], &[("TZ", "Asia/Kathmandu")]));
    assert_same(&first, &again(&[], &[("LC_ALL", "de_DE.UTF-8"), ("LANG", "tr_TR.UTF-8"), ("TZ", "UTC")]));
    assert_same(&first, &again(&["--json"], &[("LC_ALL", "C"), ("TZ", "America/Mexico_City")]));
    let seed = manifest(&study.out())["seed"].as_u64().unwrap();
    assert_same(&first, &again(&["--seed", &seed.to_string()], &[]));

    let other = again(&["--seed", "7"], &[]);
    for file in ["layers/roads.geojson", "layers/municipalities.geojson", "run.json", "corredor.gpkg"] {
        assert_ne!(first[file], other[file], "{file}");
    }
}

#[test]
fn the_numbers_do_not_depend_on_the_language() {
    let study = Study::new();
    study.run(&[]).exits(0);
    Answer::of(study.command("en").args(["--lang", "en"])).exits(0);
    for name in layer_names(&study.out()) {
        let (es, en) = (layer(&study.out(), &name), layer(&study.root().join("en"), &name));
        assert_ne!(es["title"], en["title"], "{name}");
        let mean = |layer: &Value| -> Vec<(Value, Value)> {
            let features = layer["features"].as_array().unwrap();
            features.iter().map(|f| (f["id"].clone(), f["properties"]["mean"].clone())).collect()
        };
        assert_eq!(mean(&es), mean(&en), "{name}");
    }
}

#[test]
fn flatgeobuf_is_written_on_request_and_changes_nothing_else() {
    let study = Study::new();
    study.run(&[]).exits(0);
    let fgb = study.root().join("fgb");
    Answer::of(study.command("fgb").arg("--flatgeobuf")).exits(0);
    let (mut plain, mut more) = (snapshot(&study.out()), snapshot(&fgb));
    let written: BTreeSet<String> = more.keys().filter(|name| name.ends_with(".fgb")).cloned().collect();
    let expected: BTreeSet<String> =
        layer_names(&study.out()).iter().map(|name| format!("layers/{name}.fgb")).collect();
    assert_eq!(written, expected);
    // The note, the descriptor and the manifest list the files.
    for name in written.iter().map(String::as_str).chain(["LEEME.txt", "datapackage.json", "run.json"]) {
        plain.remove(name);
        more.remove(name);
    }
    assert_same(&plain, &more);
    assert_eq!(manifest(&study.out())["run_id"], manifest(&fgb)["run_id"]);
    run(&["verify", fgb.to_str().unwrap()]).exits(0);
}

#[rstest]
#[case("corredor.gpkg", "otra forma", "another form")]
#[case("PG:dbname=x options=s3cret", "la palabra 2", "word 2")]
#[case("PG:dbname=x password='s3cret", "el valor 2", "value 2")]
fn what_names_no_database_is_refused_before_anything_is_read(
    #[case] dsn: &str,
    #[case] es: &str,
    #[case] en: &str,
) {
    for (lang, told) in [("es", es), ("en", en)] {
        let args = ["run", "no-study", "--out", "no-result", "--postgis", dsn, "--lang", lang];
        let answer = run(&args).exits(2);
        assert!(answer.stderr.contains(told) && answer.stderr.contains("PG:host="), "{}", answer.stderr);
        assert!(!answer.stderr.contains("s3cret"), "{}", answer.stderr);
    }
}

// ---- audiences --------------------------------------------------------------------------------------

#[test]
fn the_public_result_has_only_public_layers_and_fields() {
    let study = Study::new();
    study.run(&["--audience", "public"]).exits(0);
    let names = layer_names(&study.out());
    assert!(names.contains(&"corridors".to_owned()) && names.contains(&"municipalities".to_owned()));
    for name in &names {
        let def = schema::by_name(name).unwrap();
        assert_eq!(def.tier, Tier::Public, "{name}");
        let public: BTreeSet<&str> =
            def.fields.iter().filter(|f| f.tier == Tier::Public).map(|f| f.name).collect();
        let header = fs::read_to_string(study.out().join(format!("tables/{name}.csv"))).unwrap();
        let columns: BTreeSet<String> = csv::Reader::from_reader(header.as_bytes())
            .headers()
            .unwrap()
            .iter()
            .map(|c| c.trim_start_matches('\u{feff}').to_owned())
            .collect();
        for feature in layer(&study.out(), name)["features"].as_array().unwrap() {
            for key in feature["properties"].as_object().unwrap().keys() {
                assert!(public.contains(key.as_str()), "{name}.{key}");
            }
        }
        for column in &columns {
            let place = name == "crossings" && ["lon", "lat"].contains(&column.as_str());
            assert!(place || public.contains(column.as_str()), "{name}.{column} in the table");
        }
    }
    let gpkg = gdal::Dataset::open(study.out().join("corredor.gpkg")).unwrap();
    for layer in gdal::vector::LayerIterator::with_dataset(&gpkg) {
        use gdal::vector::LayerAccess as _;
        let name = layer.name();
        if name == "layer_styles" {
            continue;
        }
        assert!(names.contains(&name), "{name} in the GeoPackage");
        let def = schema::by_name(&name).unwrap();
        for field in layer.defn().fields() {
            let own = def.fields.iter().find(|f| f.name == field.name());
            assert!(own.is_some_and(|f| f.tier == Tier::Public), "{name}.{} in the GeoPackage", field.name());
        }
    }

    let run = manifest(&study.out());
    let keys: BTreeSet<&str> = run.as_object().unwrap().keys().map(String::as_str).collect();
    for secret in ["seed", "draws", "parameters", "inputs", "statistics"] {
        assert!(!keys.contains(secret), "{secret}");
    }
    assert!(run["commitment"].as_str().is_some_and(|c| c.len() == 64));
    for (name, text) in texts(&study.out()) {
        for word in ["SYN-0001", "post-huixtla", "20220912", "cámbiela por un secreto", "RESTRINGIDO"] {
            assert!(!text.contains(word), "{name} holds {word}");
        }
        assert!(!text.contains(&study.root().display().to_string()), "{name} holds a path of the machine");
    }
}

#[test]
fn an_informal_crossing_is_in_no_public_output() {
    let study = Study::new();
    study.edit("crossings.csv", "Unión Juárez,", "Vado Secreto,");
    study.edit("crossings.csv", ",local,", ",informal,");
    // Where nothing is said of it, a crossing is treated as the most sensitive kind.
    study.edit("crossings.csv", "Carmen Xhán – Gracias a Dios", "Vado Callado");
    study.table("crossings.csv", |header, rows| {
        let at = header.iter().position(|h| h == "status").unwrap();
        rows.iter_mut().find(|r| r[0] == "carmen-xhan").unwrap()[at].clear();
    });
    study.run(&[]).exits(0);
    Answer::of(study.command("public").args(["--audience", "public"])).exits(0);
    for (name, text) in texts(&study.root().join("public")) {
        for word in ["Vado Secreto", "union-juarez", "Vado Callado", "carmen-xhan"] {
            assert!(!text.contains(word), "{name} holds {word}");
        }
    }
    let restricted = texts(&study.out());
    assert!(restricted["tables/crossings.csv"].contains("Vado Secreto"));
}

#[test]
fn restricted_files_are_for_their_owner_only_and_public_ones_are_not() {
    let study = Study::new();
    study.run(&[]).exits(0);
    Answer::of(study.command("public").args(["--audience", "public"])).exits(0);
    for (folder, dir_mode, file_mode) in [("out", 0o700, 0o600), ("public", 0o755, 0o644)] {
        let root = study.root().join(folder);
        assert_eq!(snapshot(study.root())[folder].0, dir_mode, "{folder}");
        for (name, (mode, entry)) in snapshot(&root) {
            let expected = if entry == Entry::Folder { dir_mode } else { file_mode };
            assert_eq!(mode, expected, "{folder}/{name}");
        }
    }
}

#[test]
fn no_result_tells_where_it_was_made_nor_the_commitment_key() {
    let study = Study::new();
    study.edit("study.toml", "commitment_key = \"", "commitment_key = \"s3cr3t-k3y ");
    study.run(&[]).exits(0);
    for (name, text) in texts(&study.out()) {
        assert!(!text.contains(&study.root().display().to_string()), "{name} holds a path of the machine");
        assert!(!text.contains("s3cr3t-k3y"), "{name} holds the key");
    }
}

// ---- steps, referral, signature ---------------------------------------------------------------------

#[rstest]
#[case("incidence", &["diagnostics", "municipalities"])]
#[case("corridors", &["corridors", "crossings", "diagnostics", "municipalities", "roads"])]
#[case("patrols", &["checkpoints", "diagnostics", "municipalities"])]
#[case("incidence,worksites", &["diagnostics", "municipalities", "worksites"])]
fn steps_decide_what_is_written(#[case] steps: &str, #[case] expected: &[&str]) {
    let study = Study::new();
    study.run(&["--steps", steps]).exits(0);
    assert_eq!(layer_names(&study.out()), expected);
    Answer::of(corredor().arg("verify").arg(study.out())).exits(0);
}

#[test]
fn the_figures_of_a_step_are_those_of_the_whole_run() {
    let study = Study::new();
    study.run(&[]).exits(0);
    Answer::of(study.command("some").args(["--steps", "incidence"])).exits(0);
    let (whole, some) =
        (layer(&study.out(), "municipalities"), layer(&study.root().join("some"), "municipalities"));
    let rate = |layer: &Value| -> Vec<(Value, Value)> {
        let features = layer["features"].as_array().unwrap();
        features
            .iter()
            .map(|f| (f["properties"]["cvegeo"].clone(), f["properties"]["rate_100k_year"].clone()))
            .collect()
    };
    assert_eq!(rate(&whole), rate(&some));
}

#[test]
fn without_a_referral_path_there_are_no_posts_and_no_visits() {
    let study = Study::new();
    study.cut("study.toml", "[referral]", "[disclosure]");
    let answer = study.run(&[]).exits(0);
    assert!(answer.tells("P001", "study.toml", None, Some("referral")), "{}", answer.stderr);
    assert_eq!(
        layer_names(&study.out()),
        ["corridors", "crossings", "diagnostics", "municipalities", "roads"]
    );
    let gpkg = gdal::Dataset::open(study.out().join("corredor.gpkg")).unwrap();
    for name in ["checkpoints", "worksites"] {
        assert!(gpkg.layer_by_name(name).is_err(), "{name} in the GeoPackage");
        assert!(!study.out().join(format!("tables/{name}.csv")).exists(), "{name} as a table");
    }
    let notice = "Sin ruta de atención a víctimas en el estudio";
    assert!(manifest(&study.out())["notices"].to_string().contains(notice));
    assert!(fs::read_to_string(study.out().join("LEEME.txt")).unwrap().contains(notice));
}

/// Outputs that must say of themselves that they are drafts, and whose text can be read here: all but tables, which have no
/// place for it, styles, and PDF, which the check of the report reads.
fn bears_notices(name: &str) -> bool {
    let ending = Path::new(name).extension().and_then(OsStr::to_str);
    !name.starts_with("tables/") && !matches!(ending, Some("qml" | "pdf"))
}

#[test]
fn only_a_signature_takes_the_draft_mark_away() {
    let study = Study::new();
    for audience in ["restricted", "public"] {
        Answer::of(study.command(audience).args(["--audience", audience])).exits(0);
        for (name, text) in texts(&study.root().join(audience)) {
            if bears_notices(&name) {
                assert!(text.contains("BORRADOR"), "{audience}/{name}");
                assert!(text.contains("no control migratorio"), "{audience}/{name}");
            }
        }
    }
    study.append(
        "study.toml",
        "\n[sign_off]\nname = \"Persona Responsable\"\noffice = \"Comisión\"\ndate = \"2026-01-15\"\n",
    );
    for audience in ["restricted", "public"] {
        let name = format!("signed-{audience}");
        Answer::of(study.command(&name).args(["--audience", audience])).exits(0);
        let mut named = false;
        for (name, text) in texts(&study.root().join(&name)) {
            assert!(!text.contains("BORRADOR"), "{audience}/{name}");
            named |= text.contains("Persona Responsable");
        }
        assert!(named, "{audience} names who signed");
    }
}

// ---- targets ----------------------------------------------------------------------------------------

#[test]
fn an_existing_target_stays_as_it_is() {
    let study = Study::new();
    study.run(&[]).exits(0);
    let before = snapshot(study.root());
    let answer = study.run(&["--seed", "7"]).exits(2);
    assert!(answer.stderr.contains("ya existe") && answer.stderr.contains("--force"), "{}", answer.stderr);
    Answer::of(corredor().arg("demo").arg("--out").arg(study.out())).exits(2);
    assert_same(&before, &snapshot(study.root()));

    // Whatever else is at the target stays too, with or without --force.
    fs::write(study.root().join("file"), "x").unwrap();
    fs::create_dir(study.root().join("photos")).unwrap();
    fs::write(study.root().join("photos/a.jpg"), "x").unwrap();
    std::os::unix::fs::symlink("out", study.root().join("link")).unwrap();
    let before = snapshot(study.root());
    for target in ["file", "photos", "link", "study"] {
        for force in [&[][..], &["--force"]] {
            Answer::of(study.command(target).args(force)).exits(2);
        }
    }
    assert_same(&before, &snapshot(study.root()));
}

#[test]
fn force_replaces_a_result() {
    let study = Study::new();
    study.run(&["--steps", "incidence"]).exits(0);
    study.run(&["--force"]).exits(0);
    let once = study.root().join("once");
    Answer::of(&mut study.command("once")).exits(0);
    assert_same(&snapshot(&study.out()), &snapshot(&once));
    assert_eq!(names(study.root()), ["once", "out", "study"]);
}

#[test]
fn a_failed_run_leaves_the_old_result() {
    let study = Study::new();
    study.run(&[]).exits(0);
    study.edit("study.toml", "total = 645", "total = 100");
    let before = snapshot(study.root());
    study.run(&["--force"]).exits(1);
    assert_same(&before, &snapshot(study.root()));
}

#[test]
fn missing_parents_of_a_target_are_made() {
    let study = Study::new();
    Answer::of(&mut study.command("a/b/out")).exits(0);
    Answer::of(corredor().arg("verify").arg(study.root().join("a/b/out"))).exits(0);
}

// ---- explain ----------------------------------------------------------------------------------------

#[test]
fn explain_tells_what_a_result_says_of_a_feature_and_why() {
    let study = Study::new();
    study.run(&[]).exits(0);
    let explain = |words: &[&str]| Answer::of(corredor().arg("explain").arg(study.out()).args(words));
    let first = layer(&study.out(), "corridors")["features"][0]["properties"].clone();
    let (id, name) = (first["id"].as_str().unwrap(), first["name"].as_str().unwrap());
    // By id, by name without accents or capitals, for machines and in English.
    let told = explain(&[id]).exits(0);
    for word in [name, "Corredores", "Parte del flujo", "Razones", "BORRADOR", " % ("] {
        assert!(told.stdout.contains(word), "{word}: {}", told.stdout);
    }
    let reasons = first["reasons"].as_array().unwrap();
    assert!(reasons.iter().all(|r| told.stdout.contains(r["label"].as_str().unwrap())));
    assert_eq!(explain(&[&name.to_uppercase()]).exits(0).stdout, told.stdout);
    let english = explain(&[id, "--lang", "en"]).exits(0).stdout;
    assert!(english.contains("Flow share") && english.contains("Reasons") && !english.contains("Razones"));
    let json = explain(&[id, "--json"]).exits(0).json();
    assert_eq!((&json["layer"], &json["properties"]), (&Value::from("corridors"), &first));
    assert_eq!(explain(&[&format!("corridors/{id}")]).exits(0).stdout, told.stdout);
    // Nothing, several, and a folder that is no result.
    assert!(explain(&["nada de eso"]).exits(2).stderr.contains("nada de eso"));
    let several = explain(&["MEX-"]).exits(2).stderr;
    assert!(several.contains("corridors") && !several.contains("roads"), "{several}");
    Answer::of(corredor().args(["explain", "/", id])).exits(1);
    // What the run did not write is not told as its result.
    let path = study.out().join("layers/corridors.geojson");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("MEX", "XEM", 1)).unwrap();
    assert!(explain(&[id]).exits(1).tells("R002", "layers/corridors.geojson", None, None));
}

// ---- verify -----------------------------------------------------------------------------------------

#[test]
fn verify_finds_what_was_changed_taken_and_added() {
    let study = Study::new();
    study.run(&[]).exits(0);
    let verify = || Answer::of(corredor().arg("verify").arg(study.out()));
    assert!(verify().exits(0).stdout.contains("coincide"));

    let path = |name: &str| study.out().join(name);
    let roads = fs::read(path("layers/roads.geojson")).unwrap();
    let mut other = roads.clone();
    // One bit, so that the length stays.
    *other.last_mut().unwrap() ^= 1;
    fs::write(path("layers/roads.geojson"), &other).unwrap();
    assert!(verify().exits(1).tells("R002", "layers/roads.geojson", None, None));

    fs::remove_file(path("tables/roads.csv")).unwrap();
    fs::write(path("layers/extra.geojson"), "{}").unwrap();
    let answer = verify().exits(1);
    for (rule, file) in
        [("R001", "tables/roads.csv"), ("R002", "layers/roads.geojson"), ("R003", "layers/extra.geojson")]
    {
        assert!(answer.tells(rule, file, None, None), "{rule} {file}:\n{}", answer.stderr);
    }
    let faults = Answer::of(corredor().args(["verify", "--json"]).arg(study.out())).exits(1).json();
    assert_eq!(faults["ok"], false);
    assert_eq!(faults["faults"].as_array().unwrap().len(), 3);

    fs::write(path("run.json"), "{").unwrap();
    assert!(verify().exits(1).tells("R004", "run.json", None, None));
    fs::remove_file(path("run.json")).unwrap();
    assert!(verify().exits(1).tells("R001", "run.json", None, None));
    Answer::of(corredor().arg("verify").arg(study.root().join("nowhere"))).exits(3);
}

#[test]
fn verify_changes_nothing() {
    let study = Study::new();
    study.run(&[]).exits(0);
    let before = snapshot(study.root());
    Answer::of(corredor().arg("verify").arg(study.out())).exits(0);
    assert_same(&before, &snapshot(study.root()));
}

// ---- words ------------------------------------------------------------------------------------------

#[test]
fn help_is_in_spanish_unless_asked_otherwise() {
    for command in COMMANDS.map(Some).into_iter().chain([None]) {
        let words: Vec<&str> = command.into_iter().collect();
        let es = run(&[&words[..], &["--help"]].concat()).exits(0).stdout;
        let en = run(&[&words[..], &["--lang", "en", "--help"]].concat()).exits(0).stdout;
        assert_eq!(en, run(&[&["--lang=en"], &words[..], &["-h"]].concat()).exits(0).stdout);
        for text in ["Uso:", "Opciones", "Muestra esta ayuda", "Idioma"] {
            assert!(es.contains(text), "{words:?}: no «{text}» in\n{es}");
        }
        for text in ["Usage", "Options:", "Print ", "[default", "[possible", "cli."] {
            assert!(!es.contains(text), "{words:?}: «{text}» in\n{es}");
        }
        for text in ["Usage:", "Options", "Shows this help", "Language"] {
            assert!(en.contains(text), "{words:?}: no “{text}” in\n{en}");
        }
        for text in ["Uso:", "Opciones", "Muestra", "cli."] {
            assert!(!en.contains(text), "{words:?}: “{text}” in\n{en}");
        }
    }
    for command in COMMANDS {
        assert!(run(&["--help"]).stdout.contains(&format!("  {command} ")), "{command}");
    }
    assert_eq!(run(&["--version"]).exits(0).stdout, format!("corredor {}\n", env!("CARGO_PKG_VERSION")));
}

#[rstest]
#[case(&["marchar"], "orden desconocida", "unknown command", "marchar")]
#[case(&["demo", "--ruido"], "argumento desconocido", "unknown argument", "--ruido")]
#[case(&["check"], "falta: <ESTUDIO>", "missing: <STUDY>", "")]
#[case(&["run", "x"], "falta", "missing", "--out")]
#[case(&["demo", "--seed", "1", "--seed", "2"], "uso incorrecto", "wrong usage", "--seed")]
#[case(&["demo", "--draws", "9"], "valor no válido", "invalid value", "9")]
#[case(&["demo", "--draws", "muchos"], "valor no válido", "invalid value", "muchos")]
#[case(&["demo", "--threads", "0"], "valor no válido", "invalid value", "0")]
#[case(&["demo", "--seed", "-1"], "", "", "")]
#[case(&["demo", "--audience", "todos"], "valor no válido", "invalid value", "todos")]
#[case(&["run", "x", "--out", "y", "--steps", "todo"], "valor no válido", "invalid value", "todo")]
#[case(&["completions", "cmd"], "valor no válido", "invalid value", "cmd")]
#[case(&["doctor", "sobra"], "argumento desconocido", "unknown argument", "sobra")]
fn wrong_usage_is_told_in_the_language(
    #[case] words: &[&str],
    #[case] es: &str,
    #[case] en: &str,
    #[case] name: &str,
) {
    let dir = tempfile::tempdir().unwrap();
    let ask = |more: &[&str]| {
        let answer = Answer::of(corredor().current_dir(&dir).args(words).args(more)).exits(2);
        assert_eq!(answer.stdout, "");
        answer.stderr
    };
    let (spanish, english) = (ask(&[]), ask(&["--lang", "en"]));
    assert!(spanish.contains(es) && spanish.contains(name), "{spanish}");
    assert!(spanish.contains("Vea «corredor --help»."), "{spanish}");
    assert!(!spanish.contains("error:") && !spanish.contains("Usage"), "{spanish}");
    assert!(english.contains(en) && english.contains(name), "{english}");
    assert!(english.contains("See “corredor --help”."), "{english}");
    assert!(names(dir.path()).is_empty());
}

#[test]
fn a_number_out_of_its_range_is_told_the_range() {
    let answer = run(&["demo", "--draws", "9"]).exits(2);
    assert!(answer.stderr.contains("entre 10 y 100000"), "{}", answer.stderr);
    let answer = run(&["demo", "--threads", "0", "--lang", "en"]).exits(2);
    assert!(answer.stderr.contains("between 1 and 1024"), "{}", answer.stderr);
}

#[test]
fn only_a_command_that_writes_says_that_it_wrote_nothing() {
    let study = Study::new();
    study.run(&[]).exits(0);
    study.append("../out/LEEME.txt", "x");
    study.append("study.toml", "[sorces]\n");
    for answer in [study.check(&[]), Answer::of(corredor().arg("verify").arg(study.out()))] {
        let answer = answer.exits(1);
        assert!(answer.stderr.contains("Errores: 1."), "{}", answer.stderr);
        assert!(!answer.stderr.contains("No se escribió nada."), "{}", answer.stderr);
    }
    let answer = Answer::of(&mut study.command("other")).exits(1);
    assert!(answer.stderr.contains("No se escribió nada."), "{}", answer.stderr);
}

#[test]
fn what_a_killed_run_left_is_mentioned() {
    let study = Study::new();
    let left = study.root().join(".corredor-out-a1b2c3.tmp");
    fs::create_dir(&left).unwrap();
    let answer = study.run(&[]).exits(0);
    assert!(answer.stderr.contains(&left.display().to_string()), "{}", answer.stderr);
    assert!(left.exists(), "it may be of a run that is under way");
    let answer = Answer::of(corredor().arg("doctor").current_dir(study.root())).exits(0);
    assert!(answer.stdout.contains(".corredor-out-a1b2c3.tmp"), "{}", answer.stdout);
}

#[test]
fn a_distance_below_a_kilometre_is_told_in_metres() {
    let study = Study::new();
    study.edit("study.toml", "max_snap_m = 15000.0", "max_snap_m = 20.0");
    study.table("exits.csv", |header, rows| {
        for name in ["lat", "lon"] {
            let at = header.iter().position(|h| h == name).unwrap();
            rows[0][at] = format!("{:.6}", rows[0][at].parse::<f64>().unwrap() + 0.003);
        }
    });
    let answer = study.check(&[]).exits(0);
    let line = answer.stderr.lines().find(|l| l.contains("N001 exits.csv")).unwrap_or_default();
    assert!(line.contains(" m de la carretera") && !line.contains(" km"), "{}", answer.stderr);
}

#[test]
fn the_summary_says_what_its_numbers_are_and_warns() {
    let study = Study::new();
    let answer = study.run(&[]).exits(0);
    for part in ["en al menos el 80 % de los sorteos", "entre los N primeros (N = 1)", "pertenencia"] {
        assert!(answer.stdout.contains(part), "{}", answer.stdout);
    }
    assert!(!answer.stdout.contains("no halla paso;"), "{}", answer.stdout);
    // Whether the set of corridors is sure is said where it is made and in the result, by what its halves share.
    let manifest = manifest(&study.out());
    let unsure = manifest["statistics"]["corridors"]["halves"]["jaccard"].as_f64().unwrap() < 0.8;
    assert_eq!(answer.stdout.contains("conjunto de corredores no es firme"), unsure, "{}", answer.stdout);
    assert_eq!(manifest["notices"].to_string().contains("conjunto de corredores no es firme"), unsure);
    // Without the roads around the capital most of the demand has no way, and without any road there is no corridor.
    for (name, metres, corridors) in [("shut", 60_000.0, true), ("none", 600_000.0, false)] {
        let closure = format!("\n[[closures]]\npoint = [-93.12, 16.75]\nradius_m = {metres:.1}\n");
        study.append("study.toml", &closure);
        let answer = Answer::of(&mut study.command(name)).exits(0);
        assert!(
            answer.stdout.contains("AVISO") && answer.stdout.contains("no halla paso;"),
            "{}",
            answer.stdout
        );
        assert_eq!(answer.stdout.contains("No hay corredores"), !corridors, "{}", answer.stdout);
    }
}

#[test]
fn public_results_of_other_seeds_have_other_ids() {
    let study = Study::new();
    let id = |name: &str, draws: u32, args: &[&str]| {
        Answer::of(study.command_of(name, draws).args(["--audience", "public"]).args(args)).exits(0);
        let manifest = manifest(&study.root().join(name));
        assert!(manifest.get("seed").is_none() && manifest["commitment"].is_string());
        manifest["run_id"].clone()
    };
    let first = id("a", 10, &[]);
    assert_eq!(first, id("b", 10, &[]));
    assert_ne!(first, id("c", 10, &["--seed", "7"]));
    assert_ne!(first, id("d", 11, &[]));
    study.append("study.toml", "\n[[closures]]\nref = 'MEX-200'\nbetween = ['Mapastepec', 'Pijijiapan']\n");
    assert_ne!(first, id("e", 10, &[]));
}

#[test]
fn no_words_at_all_ask_for_help() {
    let answer = run(&[]).exits(2);
    assert!(answer.stderr.contains("Uso:") && answer.stderr.contains("demo"), "{}", answer.stderr);
}

#[test]
fn faults_and_notices_are_in_the_language() {
    let study = Study::new();
    fs::remove_file(study.path("roads.geojson")).unwrap();
    let (es, en) = (study.run(&[]).exits(1), study.run(&["--lang", "en"]).exits(1));
    assert!(es.stderr.contains("error S001 roads.geojson: el archivo no existe"), "{}", es.stderr);
    assert!(es.stderr.contains("No se escribió nada."));
    assert!(en.stderr.contains("error S001 roads.geojson: the file does not exist"), "{}", en.stderr);
    assert!(en.stderr.contains("Nothing was written."));

    let study = Study::new();
    let answer = study.run(&["--lang", "en"]).exits(0);
    assert!(answer.stderr.contains("warning M014"), "{}", answer.stderr);
    assert!(answer.stdout.contains("What to open:"), "{}", answer.stdout);
    let notices = manifest(&study.out())["notices"].to_string();
    assert!(notices.contains("The road network is schematic"), "{notices}");
    assert_eq!(manifest(&study.out())["language"], "en");
}

#[test]
fn quiet_says_nothing_where_nothing_is_wrong() {
    let study = Study::new();
    for answer in [study.check(&["--quiet"]), study.run(&["-q"])] {
        let answer = answer.exits(0);
        assert_eq!((answer.stdout.as_str(), answer.stderr.as_str()), ("", ""));
    }
    study.edit("study.toml", "draws = 200", "draws = 2");
    let answer = study.check(&["--quiet"]).exits(1);
    assert!(answer.tells("T004", "study.toml", None, Some("parameters.draws")), "{}", answer.stderr);
}

// ---- machines ---------------------------------------------------------------------------------------

#[test]
fn json_answers_are_json_and_nothing_else() {
    let study = Study::new();
    let checked = study.check(&["--json"]).exits(0).json();
    assert_eq!(checked["ok"], true);
    assert_eq!(checked["counts"]["total"], 645);
    assert_eq!(checked["sources"].as_array().unwrap().len(), 9);
    assert_eq!(checked["warnings"][0]["rule"], "M014");

    let ran = study.run(&["--json"]).exits(0).json();
    assert_eq!(ran["path"].as_str(), study.out().to_str());
    let verified = Answer::of(corredor().args(["verify", "--json"]).arg(study.out())).exits(0).json();
    assert_eq!(verified["results"][0]["run_id"], manifest(&study.out())["run_id"]);
    let doctor = run(&["doctor", "--json"]).exits(0).json();
    assert!(doctor.as_array().unwrap().iter().all(|finding| finding["ok"] == true), "{doctor}");
    let init = study.root().join("second");
    let made = Answer::of(corredor().args(["init", "--json"]).arg(&init)).exits(0).json();
    assert_eq!(made["path"].as_str(), init.to_str());
    let demo = study.root().join("demo");
    let made =
        Answer::of(corredor().args(["demo", "--json", "--draws", "10", "--out"]).arg(&demo)).exits(0).json();
    assert_eq!(made["path"].as_str(), demo.to_str());

    study.cell("towns.csv", 5, "cvegeo", "07999");
    fs::remove_file(study.path("posts.csv")).unwrap();
    let answer = study.check(&["--json"]).exits(1).json();
    assert_eq!(answer["ok"], false);
    let faults = answer["faults"].as_array().unwrap();
    let town = faults.iter().find(|f| f["rule"] == "M008").unwrap();
    assert_eq!(town["place"], serde_json::json!({ "file": "towns.csv", "row": 5, "field": "cvegeo" }));
    assert_eq!(town["severity"], "error");
    assert!(faults.iter().any(|f| f["rule"] == "S001" && f["place"]["file"] == "posts.csv"));
}

#[test]
fn the_schema_holds_for_the_study_and_not_for_others() {
    let schema = run(&["schema"]).exits(0).json();
    assert!(jsonschema::meta::is_valid(&schema), "the schema is a schema");
    let validator = jsonschema::validator_for(&schema).unwrap();
    let study = Study::new();
    let value: Value = toml::from_str(&study.text("study.toml")).unwrap();
    let faults: Vec<String> = validator.iter_errors(&value).map(|e| e.to_string()).collect();
    assert!(faults.is_empty(), "{faults:?}");

    for (key, bad) in [
        ("drwas", serde_json::json!(5)),
        ("draws", serde_json::json!("muchos")),
        ("gamma", serde_json::json!({ "cauchy": 1 })),
    ] {
        let mut other = value.clone();
        other["parameters"][key] = bad;
        assert!(!validator.is_valid(&other), "{key}");
    }
    let mut without = value;
    without["sources"].as_object_mut().unwrap().remove("roads");
    assert!(!validator.is_valid(&without));
}

#[test]
fn completions_and_manual_are_printed() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let text = run(&["completions", shell]).exits(0).stdout;
        for command in COMMANDS {
            assert!(text.contains(command), "{shell}: {command}");
        }
    }
    let page = run(&["man"]).exits(0).stdout;
    assert!(page.contains(".TH corredor") && page.contains("trata de personas"), "{page}");
    let page = run(&["man", "--lang", "en"]).exits(0).stdout;
    assert!(page.contains("human trafficking"), "{page}");
    let script = run(&["completions", "bash"]).stdout;
    let checked = Command::new("bash").arg("-n").arg("-c").arg(&script).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

#[test]
fn the_doctor_finds_this_machine_fit() {
    let answer = run(&["doctor"]).exits(0);
    assert!(answer.stdout.contains("GDAL") && answer.stdout.contains("bien"), "{}", answer.stdout);
    assert!(!answer.stdout.contains("doctor."), "{}", answer.stdout);
    // What the run refuses is found here first.
    let answer = Answer::of(corredor().arg("doctor").env("PROJ_NETWORK", "ON")).exits(3);
    assert!(answer.stderr.contains("PROJ"), "{}", answer.stderr);
}

// ---- pipes and signals ------------------------------------------------------------------------------

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let study = Study::new();
    let init = study.root().join("second");
    let (check, init) = (study.path("study.toml").display().to_string(), init.display().to_string());
    for words in [
        &["schema"][..],
        &["man"],
        &["completions", "bash"],
        &["--help"],
        &["--version"],
        &["doctor"],
        &["doctor", "--json"],
        &["init", &init],
        &["check", &check],
        &["check", &check, "--json"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let answer = Answer::of(corredor().args(words).stdout(writer));
        assert_eq!(answer.code, Some(0), "{words:?}: {}", answer.stderr);
        assert!(!answer.stderr.contains("panicked"), "{words:?}: {}", answer.stderr);
    }
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let errors = writer.try_clone().unwrap();
    let mut command = study.command("out");
    assert_eq!(Answer::of(command.stdout(writer).stderr(errors)).code, Some(0));
    Answer::of(corredor().arg("verify").arg(study.out())).exits(0);
    // Nor does it hide that something is wrong.
    study.edit("study.toml", "total = 645", "total = 100");
    for words in [&["check", &check][..], &["check", &check, "--json"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        assert_eq!(Answer::of(corredor().args(words).stdout(writer)).code, Some(1), "{words:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn an_answer_that_cannot_be_written_is_an_error() {
    let full = || fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    for words in [&["schema"][..], &["--help"], &["man"]] {
        assert_eq!(Answer::of(corredor().args(words).stdout(full())).code, Some(3), "{words:?}");
    }
}

#[rstest]
#[case::interrupt("INT")]
#[case::terminate("TERM")]
fn an_interrupted_run_writes_nothing(#[case] signal: &str) {
    let study = Study::new();
    let before = snapshot(study.root());
    let mut child =
        study.command_of("out", 100_000).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains("Sortea") {
        assert_ne!(stderr.read_line(&mut said).unwrap(), 0, "ended before it drew: {said}");
    }
    assert!(names(study.root()).iter().any(|n| n.starts_with(".corredor-out-")), "written beside the target");
    let killed = Command::new("sh").arg("-c").arg(format!("kill -{signal} {}", child.id())).status().unwrap();
    assert!(killed.success());
    let status = child.wait().unwrap();
    stderr.read_to_string(&mut said).unwrap();
    assert_eq!(status.code(), Some(130), "{said}");
    assert!(said.contains("Interrumpido; no se escribió nada."), "{said}");
    let mut answer = String::new();
    child.stdout.take().unwrap().read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "");
    assert_same(&before, &snapshot(study.root()));
}
