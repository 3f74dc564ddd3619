//! What the tests of the commands share: a folder of their own, the embedded study in it, the binary, and
//! what a folder holds.

#![allow(dead_code, reason = "each test file uses a part of this")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests may fail by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// The binary, without what the machine of the test has set for it.
pub(crate) fn corredor() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_corredor"));
    command.stdin(Stdio::null());
    for name in ["RAYON_NUM_THREADS", "NO_COLOR", "TZ", "LC_ALL", "LANG", "PROJ_NETWORK"] {
        command.env_remove(name);
    }
    command
}

/// What a command answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Answer {
    /// Runs `command` to its end. Both outputs must be UTF-8.
    pub(crate) fn of(command: &mut Command) -> Self {
        Self::from(command.output().unwrap())
    }

    /// Fails unless the exit code is `code`.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// The answer of `--json`.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}:\n{}", self.stdout))
    }

    /// Whether stderr has a line about `rule` at this place, as messages in Spanish show it.
    pub(crate) fn tells(&self, rule: &str, file: &str, row: Option<u64>, field: Option<&str>) -> bool {
        let head = [format!("error {rule} {file}"), format!("aviso {rule} {file}")];
        self.stderr.lines().any(|line| {
            let Some(rest) = head.iter().find_map(|h| line.strip_prefix(h.as_str())) else { return false };
            // The place ends where the text of the rule begins.
            let ends = |part: &str| rest.contains(&format!("{part},")) || rest.contains(&format!("{part}:"));
            rest.starts_with([',', ':'])
                && row.is_none_or(|row| ends(&format!("fila {row}")))
                && field.is_none_or(|field| ends(&format!("campo «{field}»")))
        })
    }
}

impl From<Output> for Answer {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Runs the binary with `args`.
pub(crate) fn run(args: &[&str]) -> Answer {
    Answer::of(corredor().args(args))
}

/// A copy of the embedded study in a temporary folder, which also takes what runs write.
#[derive(Debug)]
pub(crate) struct Study {
    root: TempDir,
}

impl Study {
    /// The study that `corredor init` writes, without the sensitivity analysis, which takes longer than all the draws that
    /// these tests make.
    #[track_caller]
    pub(crate) fn new() -> Self {
        let study = Self { root: tempfile::tempdir().unwrap() };
        Answer::of(corredor().arg("init").arg(study.dir())).exits(0);
        study.edit("study.toml", "sensitivity_samples = 48", "sensitivity_samples = 0");
        study
    }

    /// The temporary folder, with the study in `study/`.
    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    /// The study's folder.
    pub(crate) fn dir(&self) -> PathBuf {
        self.root().join("study")
    }

    /// A file of the study.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir().join(name)
    }

    /// Where [`Self::run`] writes.
    pub(crate) fn out(&self) -> PathBuf {
        self.root().join("out")
    }

    /// `corredor run` of this study into `name` beside it, with few draws, not yet started.
    pub(crate) fn command(&self, name: &str) -> Command {
        self.command_of(name, 10)
    }

    /// The same with another number of draws.
    pub(crate) fn command_of(&self, name: &str, draws: u32) -> Command {
        let mut command = corredor();
        command.arg("run").arg(self.path("study.toml")).arg("--out").arg(self.root().join(name));
        command.arg("--draws").arg(draws.to_string());
        command
    }

    /// Runs the study into [`Self::out`].
    pub(crate) fn run(&self, args: &[&str]) -> Answer {
        Answer::of(self.command("out").args(args))
    }

    /// Checks the study.
    pub(crate) fn check(&self, args: &[&str]) -> Answer {
        Answer::of(corredor().arg("check").arg(self.path("study.toml")).args(args))
    }

    pub(crate) fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    pub(crate) fn append(&self, name: &str, text: &str) {
        self.write(name, self.text(name) + text);
    }

    /// Replaces the first `from` of a file, which must be there.
    #[track_caller]
    pub(crate) fn edit(&self, name: &str, from: &str, to: &str) {
        let text = self.text(name);
        assert!(text.contains(from), "{name} has no {from}");
        self.write(name, text.replacen(from, to, 1));
    }

    /// Cuts a file from `from` up to `to`, which stays.
    #[track_caller]
    pub(crate) fn cut(&self, name: &str, from: &str, to: &str) {
        let text = self.text(name);
        let start = text.find(from).unwrap();
        let end = start + text[start..].find(to).unwrap();
        self.write(name, format!("{}{}", &text[..start], &text[end..]));
    }

    /// Rewrites a CSV: `change` gets its header and its rows; the first row is line 2.
    pub(crate) fn table(&self, name: &str, change: impl FnOnce(&mut Vec<String>, &mut Vec<Vec<String>>)) {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_path(self.path(name)).unwrap();
        let mut rows: Vec<Vec<String>> =
            reader.records().map(|r| r.unwrap().iter().map(str::to_owned).collect()).collect();
        let mut header = rows.remove(0);
        change(&mut header, &mut rows);
        let mut writer = csv::WriterBuilder::new().flexible(true).from_path(self.path(name)).unwrap();
        writer.write_record(&header).unwrap();
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        writer.flush().unwrap();
    }

    /// Sets one value of a CSV by its line (the header is line 1) and its column.
    #[track_caller]
    pub(crate) fn cell(&self, name: &str, line: usize, column: &str, value: &str) {
        self.table(name, |header, rows| {
            let at = header.iter().position(|h| h == column).unwrap();
            value.clone_into(&mut rows[line - 2][at]);
        });
    }

    /// Takes a column out of a CSV.
    #[track_caller]
    pub(crate) fn drop_column(&self, name: &str, column: &str) {
        self.table(name, |header, rows| {
            let at = header.iter().position(|h| h == column).unwrap();
            header.remove(at);
            for row in rows {
                row.remove(at);
            }
        });
    }

    /// Adds a column with one value to a CSV.
    pub(crate) fn add_column(&self, name: &str, column: &str, value: &str) {
        self.table(name, |header, rows| {
            header.push(column.to_owned());
            for row in &mut *rows {
                row.push(value.to_owned());
            }
        });
    }

    /// Rewrites the features of a GeoJSON file.
    pub(crate) fn features(&self, name: &str, change: impl FnOnce(&mut Vec<Value>)) {
        let mut whole: Value = serde_json::from_str(&self.text(name)).unwrap();
        change(whole["features"].as_array_mut().unwrap());
        self.write(name, whole.to_string());
    }

    /// Fails unless a run of this study, as it is now, exits with `code`, and neither it nor `check` has
    /// written, changed or left anything anywhere in the folder of the test.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32) -> Answer {
        let before = snapshot(self.root());
        let checked = self.check(&[]).exits(code);
        let answer = self.run(&[]).exits(code);
        assert_same(&before, &snapshot(self.root()));
        assert_eq!(answer.stdout, "");
        assert_eq!(faults(&checked.stderr), faults(&answer.stderr));
        answer
    }
}

/// The lines of stderr that are no progress. That nothing was written is said by commands that write only.
fn faults(stderr: &str) -> Vec<&str> {
    stderr.lines().filter(|line| !line.starts_with('·') && *line != "No se escribió nada.").collect()
}

/// One entry of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    Folder,
    File(Vec<u8>),
    Link(PathBuf),
    Other,
}

/// Everything below a folder by its path in it, with permissions; links are not followed and pipes not opened.
pub(crate) fn snapshot(root: &Path) -> BTreeMap<String, (u32, Entry)> {
    let mut found = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            let meta = fs::symlink_metadata(&path).unwrap();
            let entry = if meta.is_dir() {
                open.push(path.clone());
                Entry::Folder
            } else if meta.is_symlink() {
                Entry::Link(fs::read_link(&path).unwrap())
            } else if meta.is_file() {
                // A file without permission is compared by what can be seen of it.
                Entry::File(fs::read(&path).unwrap_or_default())
            } else {
                Entry::Other
            };
            let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            found.insert(name, (meta.permissions().mode() & 0o7777, entry));
        }
    }
    found
}

/// Fails and names the entries that differ, without their bytes.
#[track_caller]
pub(crate) fn assert_same(a: &BTreeMap<String, (u32, Entry)>, b: &BTreeMap<String, (u32, Entry)>) {
    let differ: Vec<&String> = a
        .iter()
        .filter(|(name, entry)| b.get(*name) != Some(entry))
        .map(|(name, _)| name)
        .chain(b.keys().filter(|name| !a.contains_key(*name)))
        .collect();
    assert!(differ.is_empty(), "not the same: {differ:?}");
}

/// The text of every file below `root` that is UTF-8; the others as what can be read of them.
pub(crate) fn texts(root: &Path) -> BTreeMap<String, String> {
    let texts = snapshot(root).into_iter().filter_map(|(name, (_, entry))| match entry {
        Entry::File(bytes) if name.rsplit('.').next() == Some("qgz") => Some((name, project_text(&bytes))),
        Entry::File(bytes) => Some((name, String::from_utf8_lossy(&bytes).into_owned())),
        _ => None,
    });
    texts.collect()
}

/// The one file in a project of QGIS.
pub(crate) fn project_text(bytes: &[u8]) -> String {
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    assert_eq!(zip.len(), 1);
    let mut text = String::new();
    zip.by_index(0).unwrap().read_to_string(&mut text).unwrap();
    text
}

/// A layer of a result.
#[track_caller]
pub(crate) fn layer(result: &Path, name: &str) -> Value {
    let text = fs::read_to_string(result.join(format!("layers/{name}.geojson"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The names of a result's layers, sorted.
pub(crate) fn layer_names(result: &Path) -> Vec<String> {
    let mut names: Vec<String> = snapshot(&result.join("layers"))
        .keys()
        .filter_map(|name| name.strip_suffix(".geojson").map(str::to_owned))
        .collect();
    names.sort();
    names
}

/// The manifest of a result.
#[track_caller]
pub(crate) fn manifest(result: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(result.join("run.json")).unwrap()).unwrap()
}
