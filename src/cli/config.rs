//! The study file: read, checked for unknown keys by dotted path, and turned into a [`Study`].

use std::path::{Path, PathBuf};

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, NamedSource, Report};
use serde_json::Value as Json;
use toml_edit::{Document, Item, TableLike};

use super::messages;
use crate::error::{Error, Fault, Faults, Result, Rule};
use crate::layers::feature::Lang;
use crate::model::study::Study;

/// Largest study file: 16 MiB.
const MAX_BYTES: u64 = 16 << 20;

/// The ways to write a prior.
const PRIOR_FORMS: &str =
    "{ fixed = 0.3 } | { beta = { a, b } } | { normal = { mean, sd } } | { lognormal = { median, sigma } }";

/// A study with where it stands.
#[derive(Debug, Clone)]
pub struct StudyFile {
    /// The study.
    pub study: Study,
    /// Name of the file for messages.
    pub name: String,
    /// Folder that paths in the study are relative to.
    pub folder: PathBuf,
    /// Name of the scenario that is to be run.
    pub scenario: Option<String>,
}

/// Reads a study; `path` is the file, or a folder with a `study.toml`.
///
/// # Errors
/// [`Error::Faults`] with everything that is wrong with the file; [`Error::Io`] if it cannot be read.
pub fn read(path: &Path) -> Result<StudyFile> {
    let (file, name) = location(path);
    let text = crate::sources::read_text(&file, MAX_BYTES)?;
    let study = parse(&text, &name)?;
    let folder = file
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .map_or_else(|| PathBuf::from("."), Path::to_owned);
    Ok(StudyFile { study, name, folder, scenario: None })
}

/// The study file that `path` means, and its name in messages.
fn location(path: &Path) -> (PathBuf, String) {
    let file = if path.is_dir() { path.join("study.toml") } else { path.to_owned() };
    let name =
        file.file_name().map_or_else(|| file.display().to_string(), |n| n.to_string_lossy().into_owned());
    (file, name)
}

/// Parses and checks the text of a study.
///
/// # Errors
/// [`Error::Faults`] with every unknown key, wrong type and parameter out of range.
pub fn parse(text: &str, name: &str) -> Result<Study> {
    let document = Document::parse(text).map_err(|e| {
        let line = e.span().map(|span| line_of(text, span.start));
        let mut fault = Fault::new(Rule::StudySyntax, name).foreign(e.message());
        fault.place.row = line;
        Error::from(fault)
    })?;
    let mut faults = Faults::default();
    let schema = schema();
    let mut unknown = Vec::new();
    let mut found = Unknown { text, name, root: &schema, faults: &mut faults, paths: &mut unknown };
    found.search(document.as_table(), &schema, &mut Vec::new());
    // Without what is unknown the rest can be read, and its faults come in the same pass.
    let mut table: toml::Table =
        toml::from_str(text).map_err(|e| Fault::new(Rule::StudySyntax, name).foreign(e.message()))?;
    for path in &unknown {
        remove(&mut table, path);
    }
    let parsed: Result<Study, _> = serde_path_to_error::deserialize(table);
    let study = match parsed {
        Ok(study) => {
            study.check(name, &mut faults);
            Some(study)
        }
        Err(e) => {
            let field = e.path().to_string();
            // What serde says of a number in the place of a prior helps nobody: the forms do.
            let detail = match e.inner().message() {
                text if text.contains("unit variant") => PRIOR_FORMS,
                text => text,
            };
            let mut fault = Fault::new(Rule::ValueType, name).with("detail", detail);
            if field != "." {
                fault = fault.field(field);
            }
            faults.push(fault);
            None
        }
    };
    locate(text, document.as_table(), &mut faults);
    match study {
        Some(study) if !faults.has_errors() => Ok(study),
        _ => Err(faults.into()),
    }
}

/// The JSON Schema of the study file.
#[must_use]
pub fn schema() -> Json {
    serde_json::to_value(schemars::schema_for!(Study)).unwrap_or_default()
}

/// The lines of the study file that `faults` speak of, each with its place marked and what to do below.
/// Empty where no fault is in the file, or it cannot be read any more.
#[must_use]
pub fn excerpts(path: &Path, faults: &Faults, lang: Lang) -> String {
    let (file, name) = location(path);
    let Ok(text) = crate::sources::read_text(&file, MAX_BYTES) else { return String::new() };
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::none()).with_width(110);
    let mut out = String::new();
    for fault in faults.0.iter().filter(|f| f.place.file == name) {
        let Some(span) = fault.place.row.and_then(|row| span_of_line(&text, row)) else { continue };
        let diagnostic = MietteDiagnostic::new(messages::what(lang, fault))
            .with_code(fault.rule.code())
            .with_label(LabeledSpan::at(span, fault.place.field.clone().unwrap_or_default()));
        let report = Report::new(diagnostic).with_source_code(NamedSource::new(&name, text.clone()));
        // Writing to a string cannot fail.
        let _ = handler.render_report(&mut out, report.as_ref());
    }
    out
}

/// Bytes of a line, counted from 1, without the space around it.
fn span_of_line(text: &str, row: u64) -> Option<std::ops::Range<usize>> {
    let mut start = 0;
    let index = usize::try_from(row.checked_sub(1)?).ok()?;
    for (i, line) in text.split_inclusive('\n').enumerate() {
        if i == index {
            let begin = start + (line.len() - line.trim_start().len());
            return Some(begin..begin + line.trim().len());
        }
        start += line.len();
    }
    None
}

fn line_of(text: &str, at: usize) -> u64 {
    1 + text.as_bytes()[..at.min(text.len())].split(|b| *b == b'\n').count() as u64 - 1
}

/// A step of the way to a key: a name, or a place in a list of tables.
#[derive(Debug, Clone)]
enum Step {
    Key(String),
    Index(usize),
}

/// The dotted path of `steps`.
fn dotted(steps: &[Step]) -> String {
    let mut out = String::new();
    for step in steps {
        match step {
            Step::Key(key) if out.is_empty() => out.push_str(key),
            Step::Key(key) => out = format!("{out}.{key}"),
            Step::Index(i) => out = format!("{out}[{i}]"),
        }
    }
    out
}

/// The search for keys that the schema does not know.
struct Unknown<'a> {
    text: &'a str,
    name: &'a str,
    root: &'a Json,
    faults: &'a mut Faults,
    paths: &'a mut Vec<Vec<Step>>,
}

impl Unknown<'_> {
    /// Reports every unknown key of `table`, with its line and the nearest known key.
    fn search(&mut self, table: &dyn TableLike, schema: &Json, path: &mut Vec<Step>) {
        let schema = resolved(schema, self.root);
        let Some(known) = schema.get("properties").and_then(Json::as_object) else {
            // Free keys: what they hold may still have a schema.
            if let Some(inner) = schema.get("additionalProperties").filter(|v| v.is_object()) {
                for (key, item) in table.iter() {
                    path.push(Step::Key(key.to_owned()));
                    self.descend(item, inner, path);
                    path.pop();
                }
            }
            return;
        };
        for (key, item) in table.iter() {
            path.push(Step::Key(key.to_owned()));
            if let Some(inner) = known.get(key) {
                self.descend(item, inner, path);
            } else {
                let mut fault = Fault::new(Rule::KeyUnknown, self.name).field(dotted(path));
                fault.place.row =
                    table.key(key).and_then(toml_edit::Key::span).map(|s| line_of(self.text, s.start));
                let names: Vec<&str> = known.keys().map(String::as_str).collect();
                if let Some(nearest) = nearest(key, &names) {
                    path.pop();
                    path.push(Step::Key(nearest.to_owned()));
                    fault = fault.with("nearest", dotted(path));
                    path.pop();
                    path.push(Step::Key(key.to_owned()));
                }
                self.faults.push(fault);
                self.paths.push(path.clone());
            }
            path.pop();
        }
    }

    fn descend(&mut self, item: &Item, schema: &Json, path: &mut Vec<Step>) {
        if let Some(inside) = item.as_table_like() {
            self.search(inside, schema, path);
        } else if let (Some(list), Some(items)) =
            (item.as_array_of_tables(), resolved(schema, self.root).get("items"))
        {
            for (i, entry) in list.iter().enumerate() {
                path.push(Step::Index(i));
                self.search(entry, items, path);
                path.pop();
            }
        }
    }
}

/// Takes the value at a path out of a table.
fn remove(table: &mut toml::Table, path: &[Step]) {
    match path {
        [Step::Key(key)] => {
            table.remove(key);
        }
        [Step::Key(key), Step::Index(i), rest @ ..] => {
            let entry = table.get_mut(key).and_then(|list| list.as_array_mut()?.get_mut(*i)?.as_table_mut());
            if let Some(inner) = entry {
                remove(inner, rest);
            }
        }
        [Step::Key(key), rest @ ..] => {
            if let Some(inner) = table.get_mut(key).and_then(toml::Value::as_table_mut) {
                remove(inner, rest);
            }
        }
        _ => {}
    }
}

/// Follows references, and the one real branch of an optional value.
fn resolved<'a>(schema: &'a Json, root: &'a Json) -> &'a Json {
    if let Some(reference) = schema.get("$ref").and_then(Json::as_str) {
        let pointer = reference.trim_start_matches('#');
        return root.pointer(pointer).map_or(schema, |s| resolved(s, root));
    }
    if let Some(list) = schema.get("anyOf").and_then(Json::as_array) {
        let real: Vec<&Json> =
            list.iter().filter(|s| s.get("type").and_then(Json::as_str) != Some("null")).collect();
        if let [one] = real[..] {
            return resolved(one, root);
        }
    }
    schema
}

fn nearest<'a>(key: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|k| (strsim::damerau_levenshtein(key, k), *k))
        .min()
        .filter(|(distance, k)| *distance <= 2.max(k.len() / 3))
        .map(|(_, k)| k)
}

/// Adds the line of each fault's dotted path, as far as the path leads.
fn locate(text: &str, table: &dyn TableLike, faults: &mut Faults) {
    for fault in &mut faults.0 {
        if fault.place.row.is_some() {
            continue;
        }
        let Some(path) = fault.place.field.clone() else { continue };
        fault.place.row = line_of_path(text, table, &path);
    }
    faults.sort();
}

/// Line of the deepest key of a dotted path that the file has.
fn line_of_path(text: &str, table: &dyn TableLike, path: &str) -> Option<u64> {
    let mut line = None;
    let mut at: Option<&dyn TableLike> = Some(table);
    for part in path.split('.') {
        let (key, index) = match part.split_once('[') {
            Some((key, rest)) => (key, rest.trim_end_matches(']').parse::<usize>().ok()),
            None => (part, None),
        };
        let Some(current) = at else { break };
        let Some((found, item)) = current.get_key_value(key) else { break };
        line = found.span().map(|s| line_of(text, s.start)).or(line);
        at = match (item, index) {
            (Item::ArrayOfTables(list), Some(i)) => {
                let entry = list.get(i);
                line = entry.and_then(toml_edit::Table::span).map(|s| line_of(text, s.start)).or(line);
                entry.map(|t| t as &dyn TableLike)
            }
            (item, _) => item.as_table_like(),
        };
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults_of(text: &str) -> Vec<Fault> {
        match parse(text, "study.toml") {
            Err(Error::Faults(faults)) => faults.0,
            other => panic!("{other:?}"),
        }
    }

    const BASE: &str = r#"format = 1
[study]
name = "x"
title = "X"
region = "Y"
[sources]
municipalities = { path = "m.geojson" }
population = { path = "p.csv" }
roads = { path = "r.geojson" }
"#;

    #[test]
    fn a_small_study_parses() {
        let study = parse(BASE, "study.toml").unwrap();
        assert_eq!(study.parameters.draws, 200);
    }

    #[test]
    fn all_unknown_keys_are_named_with_path_line_and_nearest() {
        let text = format!("{BASE}sources.rodas = 1\n").replace("sources.rodas = 1\n", "")
            + "[parameters]\ndrwas = 5\nprofiles = { fast = 1.0, slow = 2.0 }\n[sorces]\n";
        // A value out of range beside them comes in the same pass.
        let faults = faults_of(&format!("{text}[disclosure]\nk = 3\n[[closures]]\nlnk = \"a\"\n"));
        assert!(faults.iter().any(|f| f.rule == Rule::ParameterRange), "{faults:?}");
        assert!(faults.iter().any(|f| f.place.field.as_deref() == Some("closures[0].lnk")), "{faults:?}");
        let listed: Vec<_> =
            faults.iter().map(|f| (f.place.field.clone().unwrap(), f.place.row.unwrap())).collect();
        assert!(listed.contains(&("parameters.drwas".into(), 11)), "{listed:?}");
        assert!(listed.contains(&("parameters.profiles.slow".into(), 12)), "{listed:?}");
        assert!(listed.contains(&("sorces".into(), 13)), "{listed:?}");
        let drwas = faults.iter().find(|f| f.place.field.as_deref() == Some("parameters.drwas")).unwrap();
        assert_eq!(drwas.params, [("nearest", "parameters.draws".to_owned())]);
    }

    #[test]
    fn ranges_are_checked_all_at_once_with_their_line() {
        let text = format!("{BASE}[parameters]\ndraws = 5\nmax_snap_m = -1.0\n[disclosure]\nk = 3\n");
        let faults = faults_of(&text);
        let rules: Vec<_> = faults.iter().map(|f| (f.rule, f.place.row)).collect();
        assert_eq!(
            rules,
            [
                (Rule::ParameterRange, Some(11)),
                (Rule::ParameterRange, Some(12)),
                (Rule::ParameterRange, Some(14))
            ]
        );
    }

    #[test]
    fn a_number_in_the_place_of_a_prior_is_shown_the_forms() {
        let faults = faults_of(&format!("{BASE}[parameters]\nborder_share = 0.36\n"));
        assert_eq!(faults[0].place.field.as_deref(), Some("parameters.border_share"));
        assert!(faults[0].params[0].1.contains("{ fixed ="), "{faults:?}");
    }

    #[test]
    fn syntax_and_type_faults_name_the_line() {
        assert_eq!(faults_of("format = \n")[0].place.row, Some(1));
        let faults = faults_of(&format!("{BASE}[parameters]\ndraws = \"many\"\n"));
        assert_eq!((faults[0].rule, faults[0].place.row), (Rule::ValueType, Some(11)));
        assert_eq!(faults[0].place.field.as_deref(), Some("parameters.draws"));
    }
}
