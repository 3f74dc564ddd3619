//! `corredor explain`: what a result says of one of its features, and why.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::messages::text;
use crate::error::{Error, Fault, Faults, Result, Rule};
use crate::layers::atomic::AUDIENCES;
use crate::layers::feature::{Lang, LayerDef};
use crate::layers::manifest::{self, Manifest, OutputRecord};
use crate::layers::schema;
use crate::layers::telling::{REASONS, bounds, interval, key, part, percent, says_nothing, value};
use crate::sources::normalised;

/// Features that a message names at most.
const NAMED: usize = 20;

/// A feature of a result.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its layer.
    pub layer: &'static LayerDef,
    /// Its values by field.
    pub properties: Map<String, Value>,
    notices: Vec<String>,
}

impl Found {
    fn text(&self, field: &str) -> &str {
        self.properties.get(field).and_then(Value::as_str).unwrap_or_default()
    }
}

/// The one feature of the result in `dir` that `wanted` names: by its id, else by its whole name, else by a part of it,
/// without regard to case and accents, links of the network after all else. Of a folder with both audiences the restricted result is taken.
///
/// # Errors
/// [`Error::Faults`] where `dir` is no result, [`Error::Io`] where a layer cannot be read, [`Error::Usage`] where nothing is
/// found, or more than one.
pub fn find(dir: &Path, wanted: &str) -> Result<Found> {
    let dir = result_in(dir);
    let manifest = Manifest::read(&dir)?;
    let sought = normalised(wanted);
    // The nearest way in which anything is named so: id, name, part of the name. Links come last: a corridor is named after
    // some of them.
    let mut found: [Vec<Found>; 5] = Default::default();
    for layer in schema::ALL {
        let path = format!("layers/{}.geojson", layer.name);
        let Some(record) = manifest.outputs.iter().find(|output| output.path == path) else { continue };
        for properties in features(&dir.join(&path), record)? {
            let one = Found { layer, properties, notices: manifest.notices.clone() };
            let (id, name) = (one.text("id"), normalised(one.text("name")));
            let link =
                if [schema::ROADS.name, schema::ROADS_CHANGE.name].contains(&layer.name) { 2 } else { 0 };
            let way = match () {
                () if id == wanted
                    || wanted.strip_prefix(layer.name).and_then(|w| w.strip_prefix('/')) == Some(id) =>
                {
                    0
                }
                () if name == sought => 1 + link,
                () if !sought.is_empty() && name.contains(&sought) => 2 + link,
                () => continue,
            };
            found[way].push(one);
        }
    }
    let mut nearest = found.into_iter().find(|list| !list.is_empty()).unwrap_or_default();
    match nearest.len() {
        1 => nearest.pop().ok_or(Error::Usage { key: "error.explain_none", params: Vec::new() }),
        0 => Err(Error::Usage { key: "error.explain_none", params: vec![("wanted", wanted.to_owned())] }),
        n => {
            let line = |f: &Found| format!("  {}/{}  {}", f.layer.name, f.text("id"), f.text("name"));
            let mut lines: Vec<String> = nearest.iter().take(NAMED).map(line).collect();
            if n > NAMED {
                lines.push("  …".to_owned());
            }
            let params =
                vec![("n", n.to_string()), ("wanted", wanted.to_owned()), ("list", lines.join("\n"))];
            Err(Error::Usage { key: "error.explain_many", params })
        }
    }
}

/// The result that a folder is, or the first that it holds.
fn result_in(dir: &Path) -> PathBuf {
    if dir.join(manifest::FILE).is_file() {
        return dir.to_owned();
    }
    let inside = AUDIENCES.iter().map(|name| dir.join(name)).find(|path| path.join(manifest::FILE).is_file());
    inside.unwrap_or_else(|| dir.to_owned())
}

/// The properties of a layer's features, if its file is still the one that the run wrote.
fn features(path: &Path, record: &OutputRecord) -> Result<Vec<Map<String, Value>>> {
    #[derive(serde::Deserialize)]
    struct Collection {
        features: Vec<Feature>,
    }
    #[derive(serde::Deserialize)]
    struct Feature {
        properties: Map<String, Value>,
    }
    let kind = fs::symlink_metadata(path).map_err(|e| Error::io(path, e))?;
    // Of another size it is another file, and what is no file may never end.
    let same = kind.is_file() && kind.len() == record.bytes;
    if !same || manifest::hash_file(path).map_err(|e| Error::io(path, e))?.0 != record.sha256 {
        let mut faults = Faults::default();
        faults.push(Fault::new(Rule::ResultFileChanged, &record.path));
        return Err(faults.into());
    }
    let text = fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
    let all: Collection = serde_json::from_str(&text).map_err(|e| Error::io(path, e.into()))?;
    Ok(all.features.into_iter().map(|feature| feature.properties).collect())
}

/// For machines.
#[must_use]
pub fn as_json(found: &Found) -> Value {
    json!({ "ok": true, "layer": found.layer.name, "properties": found.properties, "notices": found.notices })
}

/// For a reader: name and layer, values with their intervals, reasons and where trips come from, notices.
#[must_use]
pub fn lines(found: &Found, lang: Lang) -> Vec<String> {
    let mut out = vec![
        found.text("name").to_owned(),
        format!("{} · {}", found.layer.title(lang), found.text("id")),
        String::new(),
    ];
    let of = |name: &str| found.properties.get(name).filter(|value| !value.is_null());
    let mut told: Vec<&str> =
        vec!["id", "run_id", "name", "region", "reasons", "origins_destinations", "if_closed"];
    for field in found.layer.fields {
        let Some(own) = of(field.name).filter(|_| !told.contains(&field.name)) else { continue };
        if says_nothing(field.name, of("n_candidates").and_then(Value::as_f64)) {
            continue;
        }
        let (low, high) = bounds(field);
        let spread = of(&low).zip(of(&high)).and_then(|(l, h)| own.as_f64().zip(l.as_f64().zip(h.as_f64())));
        let said = match spread {
            Some((mean, (l, h))) => {
                told.extend(
                    found.layer.fields.iter().map(|f| f.name).filter(|name| *name == low || *name == high),
                );
                interval(field, [mean, l, h], lang)
            }
            None => value(field, own, lang),
        };
        if !said.is_empty() {
            // A line of the data must not look like one of ours.
            out.push(format!("  {}: {}", field.alias(lang), said.replace(['\n', '\r'], " ")));
        }
    }
    let list = |name: &str| of(name).and_then(Value::as_array).filter(|list| !list.is_empty());
    if let Some(reasons) = list("reasons") {
        out.extend([String::new(), text(lang, "page.reasons")]);
        out.extend(reasons.iter().map(|reason| {
            let factor = reason["factor"].as_str().unwrap_or_default();
            let label = if REASONS.contains(&factor) {
                text(lang, &key("reason", factor))
            } else {
                reason["label"].as_str().unwrap_or(factor).to_owned()
            };
            format!("  {:>8}  {label}", part(found.layer.name, reason["value"].as_f64().unwrap_or(0.0)))
        }));
    }
    if let Some(pairs) = list("origins_destinations") {
        out.extend([String::new(), text(lang, "page.origins_destinations")]);
        out.extend(pairs.iter().map(|pair| {
            let x = percent(pair["value"].as_f64().unwrap_or(0.0), false);
            match (pair["origin"].as_str(), pair["destination"].as_str()) {
                (Some(origin), Some(destination)) => format!("  {x:>8}  {origin} → {destination}"),
                _ => format!("  {x:>8}  {}", text(lang, "page.other_pairs")),
            }
        }));
    }
    if let Some(roads) = list("if_closed") {
        out.extend([String::new(), text(lang, "page.if_closed")]);
        out.extend(roads.iter().map(|road| {
            let part = |name: &str| percent(road[name].as_f64().unwrap_or(0.0), true);
            match road["name"].as_str() {
                Some("") => format!("  {:>8}  {}", part("value"), text(lang, "page.no_reference")),
                Some(name) => format!("  {:>8}  {name}", part("value")),
                None => format!("  {:>8}  {}", part("unserved"), text(lang, "page.if_closed_unserved")),
            }
        }));
    }
    out.push(String::new());
    out.extend(found.notices.iter().cloned());
    out
}
