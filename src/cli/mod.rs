//! Stage 9: commands, the study file, messages and progress. The path from an argument to an answer is
//! [`run`] → one function per command → [`engine`].

pub mod args;
pub mod check;
pub mod config;
mod database;
pub mod doctor;
pub mod embedded;
pub mod engine;
pub mod explain;
pub mod inspect;
pub mod messages;
pub mod progress;
pub mod spatial;
pub(crate) mod spatial_error;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::FromArgMatches;
use serde_json::{Value, json};

use args::{Cli, Cmd, OutputArgs, RoutingArgs, Shared};
use messages::{error_text, fault_json, fault_line, fill, printable, text};
use progress::Progress;

use crate::disclosure::Tier;
use crate::error::{Error, Faults, Result};
use crate::layers::atomic::{self, ResultFolder};
use crate::layers::feature::Lang;
use crate::layers::{flatgeobuf, verify, write};

/// Runs a command line and returns the exit code: 0 done, 1 the data or the study is at fault, 2 wrong
/// usage, 3 input, output or environment, 130 interrupted.
pub fn run(words: impl IntoIterator<Item = OsString>) -> u8 {
    let words: Vec<OsString> = words.into_iter().collect();
    let lang = args::language_of(&words);
    let parsed = args::command(lang)
        .try_get_matches_from(&words)
        .and_then(|matches| Ok((Cli::from_arg_matches(&matches)?, args::unused(&matches, lang))));
    let cli = match parsed {
        Ok((cli, None)) => cli,
        Ok((_, Some(unused))) => {
            complain(&unused);
            return 2;
        }
        Err(e) if !e.use_stderr() => {
            return say_or_exit(&e.to_string());
        }
        Err(e) => {
            // A bare `corredor` asks for help; what clap shows then is already in the user's language.
            let shown = if e.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
                e.to_string()
            } else {
                args::usage_error(&e, lang)
            };
            complain(&shown);
            return 2;
        }
    };
    let json = cli.shared.json;
    let writes = matches!(cli.command, Cmd::Demo { .. } | Cmd::Init { .. } | Cmd::Run { .. });
    let study = match &cli.command {
        Cmd::Check { study } | Cmd::Run { study, .. } => Some(study.clone()),
        _ => None,
    };
    match dispatch(cli, lang) {
        Ok(answer) => say_or_exit(&answer),
        Err(e) => {
            if let (true, Error::Faults(faults)) = (json, &e) {
                let answer = json!({ "ok": false, "faults": fault_json(lang, faults) });
                if say(&pretty(&answer)).is_err() {
                    return 3;
                }
            } else {
                complain(&error_text(lang, &e, writes));
                if let (Some(study), Error::Faults(faults)) = (&study, &e) {
                    complain(&config::excerpts(study, faults, lang));
                }
            }
            e.exit_code()
        }
    }
}

/// What every command needs.
struct Session {
    shared: Shared,
    lang: Lang,
    progress: Progress,
    stop: Arc<AtomicBool>,
}

/// Runs the command; what it returns goes to stdout.
fn dispatch(cli: Cli, lang: Lang) -> Result<String> {
    let shared = cli.shared;
    if let Some(threads) = shared.threads {
        rayon::ThreadPoolBuilder::new()
            .num_threads(usize::from(threads))
            .build_global()
            .map_err(|e| Error::Environment(e.to_string()))?;
    }
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    // The first signal ends the run in order; a second one at once.
    ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::SeqCst) {
            #[expect(
                clippy::disallowed_methods,
                reason = "the user asks twice: nothing is to be waited for"
            )]
            std::process::exit(130);
        }
    })
    .map_err(|e| Error::Environment(e.to_string()))?;
    let progress = Progress::new(lang, shared.quiet);
    let progress = if shared.json { progress.without_bars() } else { progress };
    let session = Session { shared, lang, progress, stop };
    match cli.command {
        Cmd::Demo { out, flatgeobuf, routing } => session.demo(&out, flatgeobuf, routing),
        Cmd::Init { dir } => session.init(&dir),
        Cmd::Check { study } => session.check(&study),
        Cmd::Inspect { file, layer, member } => session.inspect(&file, layer.as_deref(), member.as_deref()),
        Cmd::Spatial(args) => session.spatial(*args),
        Cmd::Run { study, out, steps, scenario, outputs, routing } => {
            session.run(&study, &out, &steps, scenario.as_deref(), &outputs, routing)
        }
        Cmd::Verify { dir } => session.verify(&dir),
        Cmd::Explain { dir, feature } => session.explain(&dir, &feature),
        Cmd::Doctor => session.doctor(),
        Cmd::Schema => Ok(pretty(&config::schema())),
        Cmd::Completions { shell } => {
            let mut out = Vec::new();
            clap_complete::generate(shell, &mut args::command(lang), "corredor", &mut out);
            Ok(String::from_utf8_lossy(&out).into_owned())
        }
        Cmd::Man => args::manual(lang).map_err(|e| Error::io("man", e)),
    }
}

impl Session {
    /// A study file with the overrides of the command line.
    fn study(&self, path: &Path) -> Result<config::StudyFile> {
        let mut file = config::read(path)?;
        if let Some(seed) = self.shared.seed {
            file.study.seed = seed;
        }
        if let Some(draws) = self.shared.draws {
            file.study.parameters.draws = draws;
        }
        Ok(file)
    }

    /// The study, loaded and joined.
    fn load(&self, file: config::StudyFile, progress: Progress) -> Result<engine::Loaded> {
        let loaded = engine::load(file, progress)?;
        if !self.shared.quiet {
            for warning in &loaded.warnings.0 {
                complain(&fault_line(self.lang, warning));
            }
        }
        Ok(loaded)
    }

    /// Tells of what an earlier run that was killed has left beside `out`.
    fn mention_leftovers(&self, out: &Path) {
        if !self.shared.quiet {
            for path in atomic::leftovers(out) {
                complain(&fill(self.lang, "error.leftover", &[("path", path.display().to_string())]));
            }
        }
    }

    fn demo(&self, out: &Path, flatgeobuf: bool, routing: RoutingArgs) -> Result<String> {
        self.mention_leftovers(out);
        let folder = ResultFolder::create(out, self.shared.force)?;
        let study = tempfile::tempdir().map_err(|e| Error::io("tmp", e))?;
        embedded::write(study.path())?;
        let file = self.study(study.path())?;
        let steps = engine::wanted(&[]);
        let audiences = [("restricted", Tier::Restricted), ("public", Tier::Public)];
        let passes = audiences.map(|(_, audience)| engine::plan(&file.study, audience, &steps, false));
        let mut progress = self.progress.planned(engine::LOADING.into_iter().chain(passes.concat()));
        let mut done = engine::LOADING.len();
        let loaded = self.load(file, progress)?;
        let mut answer = None;
        for ((name, audience), pass) in audiences.into_iter().zip(passes) {
            progress = progress.after(done);
            done += pass.len();
            let outcome = self.analyse(&loaded, audience, &steps, routing, progress)?;
            write_files(&folder.path().join(name), &outcome.set, flatgeobuf, progress)?;
            answer.get_or_insert(outcome.summary);
        }
        let path = self.place(folder)?;
        Ok(self.answer(&path, answer.unwrap_or_default(), "restricted", &loaded.warnings, None))
    }

    fn run(
        &self,
        study: &Path,
        out: &Path,
        steps: &[args::Step],
        scenario: Option<&str>,
        outputs: &OutputArgs,
        routing: RoutingArgs,
    ) -> Result<String> {
        let audience = self.shared.audience.into();
        let steps = engine::wanted(steps);
        if scenario.is_some() && audience == Tier::Public {
            // What is planned is not for the public, nor what follows from it.
            return Err(Error::Usage { key: "error.scenario_public", params: Vec::new() });
        }
        if scenario.is_some() && !steps.contains(&args::Step::Corridors) {
            return Err(Error::Usage { key: "error.scenario_steps", params: Vec::new() });
        }
        let database = database::Database::open(outputs.postgis.as_deref(), &self.shared, self.lang)?;
        self.mention_leftovers(out);
        let folder = ResultFolder::create(out, self.shared.force)?;
        let mut file = self.study(study)?;
        if let Some(name) = scenario {
            // Before anything is read that takes its time.
            engine::scenario_place(&file.study, name)?;
            file.scenario = Some(name.to_owned());
        }
        let plan = engine::plan(&file.study, audience, &steps, scenario.is_some());
        let progress = self.progress.planned(engine::LOADING.into_iter().chain(plan));
        let mut loaded = self.load(file, progress)?;
        if let Some(name) = scenario {
            loaded = loaded.under(name)?;
        }
        let outcome = self.analyse(&loaded, audience, &steps, routing, progress)?;
        if let Some(database) = &database {
            database.refuse_known(&outcome.set)?;
        }
        write_files(folder.path(), &outcome.set, outputs.flatgeobuf, progress)?;
        let path = self.place(folder)?;
        let written = database.map(|database| database.write(&outcome.set, &path)).transpose()?;
        Ok(self.answer(&path, outcome.summary, "", &loaded.warnings, written.as_ref()))
    }

    fn analyse(
        &self,
        loaded: &engine::Loaded,
        audience: Tier,
        steps: &BTreeSet<args::Step>,
        routing: RoutingArgs,
        progress: Progress,
    ) -> Result<engine::Outcome> {
        engine::analyse(loaded, audience, self.lang, steps, routing, &self.stop, progress)
    }

    /// Puts the folder in its place, which is returned.
    fn place(&self, folder: ResultFolder) -> Result<PathBuf> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(Error::Interrupted);
        }
        let target = folder.target().to_owned();
        folder.commit()?;
        Ok(std::path::absolute(&target).unwrap_or(target))
    }

    /// What to open. `main` is the folder within `path` to open.
    fn answer(
        &self,
        path: &Path,
        summary: Vec<String>,
        main: &str,
        warnings: &Faults,
        written: Option<&database::Written>,
    ) -> String {
        if self.shared.json {
            let mut answer = json!({ "ok": true, "path": path, "warnings": fault_json(self.lang, warnings) });
            if let Some(written) = written {
                answer["database"] = written.as_json();
            }
            return pretty(&answer);
        }
        if self.shared.quiet {
            return String::new();
        }
        let open = |file: &str, key: &str| {
            let file = if main.is_empty() { PathBuf::from(file) } else { Path::new(main).join(file) };
            format!("  {}  ({})", path.join(file).display(), text(self.lang, key))
        };
        let mut lines = summary;
        lines.push(fill(self.lang, "done.folder", &[("path", path.display().to_string())]));
        lines.push(text(self.lang, "done.open"));
        let report = if crate::layers::report::HAS_PDF { "report.pdf" } else { "report.html" };
        lines.push(open(report, "done.open_report"));
        lines.push(open("map.html", "done.open_map"));
        lines.push(open("corredor.qgz", "done.open_qgz"));
        lines.push(open("corredor.gpkg", "done.open_gpkg"));
        lines.push(open("layers", "done.open_geojson"));
        lines.push(open("tables", "done.open_tables"));
        lines.push(open("LEEME.txt", "done.open_readme"));
        lines.extend(written.map(|written| written.line(self.lang)));
        lines.join("\n")
    }

    fn init(&self, dir: &Path) -> Result<String> {
        let occupied =
            dir.symlink_metadata().is_ok() && std::fs::read_dir(dir).map_or(true, |mut d| d.next().is_some());
        if occupied && !(self.shared.force && dir.join("study.toml").is_file()) {
            return Err(Error::Usage {
                key: "error.study_exists",
                params: vec![("path", dir.display().to_string())],
            });
        }
        embedded::write(dir)?;
        if self.shared.json {
            return Ok(pretty(&json!({ "ok": true, "path": dir })));
        }
        if self.shared.quiet {
            return Ok(String::new());
        }
        Ok(fill(self.lang, "done.init", &[("path", dir.display().to_string())]))
    }

    fn check(&self, study: &Path) -> Result<String> {
        let loaded = self.load(self.study(study)?, self.progress.planned(engine::LOADING))?;
        let report = check::Report::new(&loaded);
        if self.shared.json {
            let mut answer = report.as_json();
            answer["ok"] = true.into();
            answer["warnings"] = fault_json(self.lang, &loaded.warnings);
            return Ok(pretty(&answer));
        }
        Ok(if self.shared.quiet { String::new() } else { report.lines(self.lang).join("\n") })
    }

    fn inspect(&self, file: &Path, layer: Option<&str>, member: Option<&str>) -> Result<String> {
        let mut faults = Faults::default();
        let Some(found) = crate::sources::inspect(file, layer, member, &mut faults)? else {
            return Err(faults.into());
        };
        let proposals = inspect::propose(&found);
        if self.shared.json {
            return Ok(pretty(&json!({
                "ok": true, "file": found, "proposals": proposals, "faults": fault_json(self.lang, &faults),
            })));
        }
        for fault in &faults.0 {
            complain(&fault_line(self.lang, fault));
        }
        Ok(inspect::lines(&found, &proposals, self.lang).join("\n"))
    }

    fn spatial(&self, args: args::SpatialArgs) -> Result<String> {
        let mut warnings = Faults::default();
        let request = spatial::Request { args, seed: self.shared.seed.unwrap_or(1) };
        let report = spatial::run(request, &mut warnings)?;
        if self.shared.json {
            let mut answer = spatial::as_json(&report);
            answer["ok"] = true.into();
            answer["warnings"] = fault_json(self.lang, &warnings);
            return Ok(pretty(&answer));
        }
        if !self.shared.quiet {
            for warning in &warnings.0 {
                complain(&fault_line(self.lang, warning));
            }
        }
        Ok(spatial::lines(&report, self.lang).join("\n"))
    }

    fn verify(&self, dir: &Path) -> Result<String> {
        let report = verify::verify(dir)?;
        if report.faults.has_errors() {
            return Err(report.faults.into());
        }
        let files: u64 = report.results.iter().map(|r| r.files).sum();
        if self.shared.json {
            let runs: Vec<Value> = report
                .results
                .iter()
                .map(|r| json!({ "audience": r.audience, "run_id": r.run_id, "files": r.files, "bytes": r.bytes }))
                .collect();
            return Ok(pretty(&json!({ "ok": true, "results": runs })));
        }
        Ok(if self.shared.quiet {
            String::new()
        } else {
            fill(self.lang, "done.verified", &[("files", files.to_string())])
        })
    }

    fn explain(&self, dir: &Path, feature: &str) -> Result<String> {
        let found = explain::find(dir, feature)?;
        if self.shared.json {
            return Ok(pretty(&explain::as_json(&found)));
        }
        Ok(explain::lines(&found, self.lang).join("\n"))
    }

    fn doctor(&self) -> Result<String> {
        let findings = doctor::examine(self.lang);
        let answer = if self.shared.json {
            pretty(&doctor::as_json(&findings))
        } else {
            doctor::lines(&findings, self.lang).join("\n")
        };
        if findings.iter().all(|f| f.ok) {
            return Ok(answer);
        }
        if say(&answer).is_err() {
            return Ok(String::new());
        }
        let bad: Vec<&str> = findings.iter().filter(|f| !f.ok).map(|f| f.what.as_str()).collect();
        complain(&fill(self.lang, "error.environment", &[("cause", bad.join(", "))]));
        // All is said.
        Err(Error::Environment(String::new()))
    }
}

/// Writes one audience's files.
fn write_files(dir: &Path, set: &write::ResultSet, flatgeobuf: bool, progress: Progress) -> Result<()> {
    progress.step("write");
    write::write_layers(dir, set)?;
    if flatgeobuf {
        flatgeobuf::write(dir, &set.views()?)?;
    }
    write::seal(dir, set)
}

fn pretty(value: &Value) -> String {
    // Values made of text, numbers and lists always have a text.
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// Writes an answer to stdout; a reader that has gone away is no error.
fn say(answer: &str) -> std::io::Result<()> {
    if answer.is_empty() {
        return Ok(());
    }
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{}", printable(answer.trim_end())).and_then(|()| out.flush()) {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

fn say_or_exit(answer: &str) -> u8 {
    if say(answer).is_ok() { 0 } else { 3 }
}

/// Writes a message to stderr; if that fails there is nowhere left to say so.
fn complain(message: &str) {
    if !message.trim().is_empty() {
        let _ = writeln!(std::io::stderr(), "{}", printable(message.trim_end()));
    }
}
