//! The study file: read, checked for unknown keys by dotted path, and turned into a [`Study`].

use std::path::{Path, PathBuf};

use serde_json::Value as Json;
use toml_edit::{Document, Item, TableLike};

use crate::error::{Error, Fault, Faults, Result, Rule};
use crate::model::study::Study;

/// Largest study file: 16 MiB.
const MAX_BYTES: u64 = 16 << 20;

/// A study with where it stands.
#[derive(Debug, Clone)]
pub struct StudyFile {
    /// The study.
    pub study: Study,
    /// Name of the file for messages.
    pub name: String,
    /// Folder that paths in the study are relative to.
    pub folder: PathBuf,
    /// The text, for messages that show a line.
    pub text: String,
}

/// Reads a study; `path` is the file, or a folder with a `study.toml`.
///
/// # Errors
/// [`Error::Faults`] with everything that is wrong with the file; [`Error::Io`] if it cannot be read.
pub fn read(path: &Path) -> Result<StudyFile> {
    let file = if path.is_dir() { path.join("study.toml") } else { path.to_owned() };
    let name =
        file.file_name().map_or_else(|| file.display().to_string(), |n| n.to_string_lossy().into_owned());
    let text = crate::sources::read_text(&file, MAX_BYTES)?;
    let study = parse(&text, &name)?;
    let folder = file
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .map_or_else(|| PathBuf::from("."), Path::to_owned);
    Ok(StudyFile { study, name, folder, text })
}

/// Parses and checks the text of a study.
///
/// # Errors
/// [`Error::Faults`] with every unknown key, wrong type and parameter out of range.
pub fn parse(text: &str, name: &str) -> Result<Study> {
    let document = Document::parse(text).map_err(|e| {
        let line = e.span().map(|span| line_of(text, span.start));
        let mut fault = Fault::new(Rule::StudySyntax, name).with("detail", e.message());
        fault.place.row = line;
        Error::from(fault)
    })?;
    let mut faults = Faults::default();
    let schema = schema();
    unknown_keys(text, name, document.as_table(), &schema, &schema, "", &mut faults);
    let parsed: Result<Study, _> = serde_path_to_error::deserialize(
        toml::Deserializer::parse(text)
            .map_err(|e| Fault::new(Rule::StudySyntax, name).with("detail", e.message()))?,
    );
    match parsed {
        Ok(study) => {
            study.check(name, &mut faults);
            // Two faults of the same key are one to the reader.
            locate(text, document.as_table(), &mut faults);
            if faults.has_errors() { Err(faults.into()) } else { Ok(study) }
        }
        Err(e) => {
            let field = e.path().to_string();
            let inner = e.into_inner();
            // What is unknown was reported with its whole path and the nearest key.
            if !(inner.message().starts_with("unknown field") && faults.has_errors()) {
                let mut fault = Fault::new(Rule::ValueType, name).with("detail", inner.message());
                if field != "." {
                    fault = fault.field(field);
                }
                fault.place.row = inner.span().map(|span| line_of(text, span.start));
                faults.push(fault);
            }
            faults.sort();
            Err(faults.into())
        }
    }
}

/// The JSON Schema of the study file.
#[must_use]
pub fn schema() -> Json {
    serde_json::to_value(schemars::schema_for!(Study)).unwrap_or_default()
}

fn line_of(text: &str, at: usize) -> u64 {
    1 + text.as_bytes()[..at.min(text.len())].split(|b| *b == b'\n').count() as u64 - 1
}

/// Reports every key that the schema does not know, with its line and the nearest known key.
fn unknown_keys(
    text: &str,
    name: &str,
    table: &dyn TableLike,
    schema: &Json,
    root: &Json,
    path: &str,
    faults: &mut Faults,
) {
    let schema = resolved(schema, root);
    let known = schema.get("properties").and_then(Json::as_object);
    let open = schema.get("additionalProperties").filter(|v| v.is_object() || **v == Json::Bool(true));
    for (key, item) in table.iter() {
        let full = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        let Some(inner) = known.and_then(|k| k.get(key)).or(open) else {
            if known.is_some() {
                let names: Vec<&str> = known.into_iter().flatten().map(|(k, _)| k.as_str()).collect();
                let mut fault = Fault::new(Rule::KeyUnknown, name).field(full);
                fault.place.row = table.key(key).and_then(toml_edit::Key::span).map(|s| line_of(text, s.start));
                if let Some(nearest) = nearest(key, &names) {
                    let whole =
                        if path.is_empty() { nearest.to_owned() } else { format!("{path}.{nearest}") };
                    fault = fault.with("nearest", whole);
                }
                faults.push(fault);
            }
            continue;
        };
        if let Some(inside) = item.as_table_like() {
            unknown_keys(text, name, inside, inner, root, &full, faults);
        } else if let Some(list) = item.as_array_of_tables()
            && let Some(items) = resolved(inner, root).get("items")
        {
            for (i, entry) in list.iter().enumerate() {
                unknown_keys(text, name, entry, items, root, &format!("{full}[{i}]"), faults);
            }
        }
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
        let faults = faults_of(&text);
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
    fn syntax_and_type_faults_name_the_line() {
        assert_eq!(faults_of("format = \n")[0].place.row, Some(1));
        let faults = faults_of(&format!("{BASE}[parameters]\ndraws = \"many\"\n"));
        assert_eq!((faults[0].rule, faults[0].place.row), (Rule::ValueType, Some(11)));
        assert_eq!(faults[0].place.field.as_deref(), Some("parameters.draws"));
    }
}
