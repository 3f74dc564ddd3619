//! `datapackage.json`: what the files of a result are, for programs.
//!
//! A Data Package of the Frictionless standards, version 1 (<https://specs.frictionlessdata.io>): tables with their Table
//! Schema, and every other file with its size and hash. It follows from the views of the audience, so that it can name
//! no field and no layer that the audience may not see.

use serde_json::{Map, Value, json};

use super::feature::{FieldDef, FieldKind, Lang, LayerGeometry};
use super::manifest::OutputRecord;
use super::schema::limits::{JsonForm, Limit, json_form, limit};
use super::view::{Header, LayerView};

/// Name of the descriptor in the result folder.
pub const FILE: &str = "datapackage.json";

/// What the descriptor says of the result beside its files.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// Version of corredor.
    pub version: &'a str,
    /// Data sources with their licences, as the study names them.
    pub attributions: &'a [String],
}

/// The descriptor of `files`, which are all that it can describe: it cannot hold its own hash, nor that of the manifest,
/// which holds its.
#[must_use]
pub fn describe(views: &[LayerView<'_>], header: &Header, about: About<'_>, files: &[OutputRecord]) -> Value {
    let lang = header.lang;
    let record = |path: &str| files.iter().find(|f| f.path == path);
    let tables = views.iter().filter_map(|view| {
        let path = format!("tables/{}.csv", view.name());
        Some(table(view, header, record(&path)?))
    });
    let is_table = |path: &str| views.iter().any(|view| path == format!("tables/{}.csv", view.name()));
    let others = files.iter().filter(|f| !is_table(&f.path)).map(|f| other(f, views, header));
    let sources: Vec<Value> = about.attributions.iter().map(|title| json!({ "title": title })).collect();
    let mut package = json!({
        "profile": "data-package",
        "name": "corredor",
        "id": header.run_id,
        "title": text(lang, "title"),
        "description": header.notices.join("\n"),
        "version": about.version,
        "language": lang.code(),
        "audience": header.audience,
        "run_id": header.run_id,
        "notices": header.notices,
        "resources": tables.chain(others).collect::<Vec<Value>>(),
    });
    // The standard knows no empty list.
    if !sources.is_empty() {
        package["sources"] = sources.into();
    }
    package
}

fn table(view: &LayerView<'_>, header: &Header, file: &OutputRecord) -> Value {
    let lang = header.lang;
    let mut fields: Vec<Value> = view.fields().iter().map(|field| column(view.name(), field, lang)).collect();
    if view.geometry() == LayerGeometry::Point {
        fields.extend([("lon", 180), ("lat", 90)].map(|(name, most)| {
            json!({
                "name": name,
                "type": "number",
                "title": text(lang, &format!("{name}.title")),
                "description": text(lang, &format!("{name}.about")),
                "unit": "°",
                "constraints": { "minimum": -most, "maximum": most },
            })
        }));
    }
    json!({
        "profile": "tabular-data-resource",
        "name": view.name(),
        "path": file.path,
        "title": header.title(view.def()),
        "description": text(lang, "table"),
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": file.bytes,
        "hash": format!("sha256:{}", file.sha256),
        "rows": view.len(),
        "dialect": {
            "header": true,
            "delimiter": ",",
            "quoteChar": "\"",
            "doubleQuote": true,
            "lineTerminator": "\n",
            "skipInitialSpace": false,
        },
        "schema": { "fields": fields, "missingValues": [""], "primaryKey": ["id"] },
    })
}

/// A field of the Table Schema.
fn column(layer: &str, field: &FieldDef, lang: Lang) -> Value {
    let kind = match field.kind {
        FieldKind::Text => "string",
        FieldKind::Integer => "integer",
        FieldKind::Real => "number",
        FieldKind::Boolean => "boolean",
        FieldKind::Json => match json_form(field) {
            JsonForm::Array => "array",
            JsonForm::Object => "object",
        },
    };
    let mut out = json!({
        "name": field.name,
        "type": kind,
        "title": field.alias(lang),
        "description": field.about(lang),
    });
    if !field.unit.is_empty() {
        out["unit"] = field.unit.into();
    }
    let mut constraints = Map::new();
    if ["id", "run_id"].contains(&field.name) {
        constraints.insert("required".to_owned(), true.into());
    }
    let mut bound = |name: &str, value: f64| {
        // A bound of whole numbers must be one.
        #[expect(clippy::cast_possible_truncation, reason = "bounds are 0 and 1")]
        let value = if value.fract() == 0.0 { json!(value as i64) } else { json!(value) };
        constraints.insert(name.to_owned(), value);
    };
    match limit(layer, field) {
        Limit::Free => {}
        Limit::AtLeast(least) => bound("minimum", least),
        Limit::Within(least, most) => {
            bound("minimum", least);
            bound("maximum", most);
        }
        Limit::OneOf(codes) => {
            constraints.insert("enum".to_owned(), json!(codes));
        }
        Limit::Pattern(pattern) => {
            constraints.insert("pattern".to_owned(), pattern.into());
        }
    }
    if !constraints.is_empty() {
        out["constraints"] = constraints.into();
    }
    out
}

/// A file that is no table: its kind, and the layer that it shows.
fn other(file: &OutputRecord, views: &[LayerView<'_>], header: &Header) -> Value {
    let end = file.path.rsplit_once('.').map_or("", |(_, end)| end);
    let mut out = json!({
        "profile": "data-resource",
        // Lower-case letters are all that a name may have.
        "name": file.path.to_lowercase(),
        "path": file.path,
    });
    if let Some(view) = views.iter().find(|v| file.path == format!("layers/{}.geojson", v.name())) {
        out["title"] = header.title(view.def()).into();
        out["features"] = view.len().into();
    }
    out["format"] = end.into();
    let mediatype = match end {
        "geojson" => "application/geo+json",
        "gpkg" => "application/geopackage+sqlite3",
        "html" => "text/html",
        "txt" => "text/plain",
        "csv" => "text/csv",
        "json" => "application/json",
        "pdf" => "application/pdf",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        // QGIS has registered none for a style or a project.
        "qml" => "text/xml",
        "qgz" => "application/zip",
        _ => "application/octet-stream",
    };
    out["mediatype"] = mediatype.into();
    out["bytes"] = file.bytes.into();
    out["hash"] = format!("sha256:{}", file.sha256).into();
    out
}

fn text(lang: Lang, key: &str) -> String {
    crate::translated(lang.code(), &format!("descriptor.{key}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::feature::Tier;
    use crate::layers::samples;

    fn file(path: &str) -> OutputRecord {
        OutputRecord { path: path.into(), sha256: "ab".into(), bytes: 7, features: None }
    }

    fn described(audience: Tier) -> Value {
        let layers = samples::all();
        let views: Vec<_> = layers.iter().filter_map(|l| LayerView::new(l, audience).unwrap()).collect();
        let mut files: Vec<_> = views
            .iter()
            .flat_map(|v| [format!("layers/{}.geojson", v.name()), format!("tables/{}.csv", v.name())])
            .map(|path| file(&path))
            .collect();
        files.push(file("LEEME.txt"));
        let attributions = ["INEGI".to_owned()];
        let about = About { version: "1", attributions: &attributions };
        describe(&views, &samples::header(audience), about, &files)
    }

    #[test]
    fn a_table_is_described_by_the_fields_that_are_seen() {
        let package = described(Tier::Restricted);
        let of = |name: &str| {
            let all = package["resources"].as_array().unwrap();
            all.iter().find(|r| r["name"] == name).unwrap().clone()
        };
        let table = of("municipalities");
        assert_eq!(table["path"], "tables/municipalities.csv");
        assert_eq!(table["hash"], "sha256:ab");
        assert_eq!(table["schema"]["primaryKey"], json!(["id"]));
        let field = |table: &Value, name: &str| {
            let all = table["schema"]["fields"].as_array().unwrap();
            all.iter().find(|f| f["name"] == name).cloned().unwrap_or_default()
        };
        assert_eq!(field(&table, "population")["type"], "integer");
        assert_eq!(field(&table, "population")["unit"], "personas");
        assert_eq!(field(&table, "population")["title"], "Población");
        assert_eq!(field(&table, "pr_hot")["constraints"], json!({ "minimum": 0, "maximum": 1 }));
        assert_eq!(field(&table, "datum")["constraints"]["enum"], json!(["exact", "interval", "unknown"]));
        assert_eq!(field(&table, "roles")["type"], "object");
        assert_eq!(field(&table, "reasons")["type"], "array");
        assert_eq!(field(&table, "id")["constraints"]["required"], true);
        assert_eq!(field(&table, "lon"), Value::Null);
        assert_eq!(field(&of("crossings"), "lat")["constraints"], json!({ "minimum": -90, "maximum": 90 }));
        assert_eq!(of("layers/roads.geojson")["features"], 4);
        assert_eq!(of("leeme.txt")["path"], "LEEME.txt");
        assert_eq!(package["sources"], json!([{ "title": "INEGI" }]));
    }

    #[test]
    fn the_public_descriptor_names_nothing_restricted() {
        let package = described(Tier::Public).to_string();
        for word in [
            "count_mean",
            "/roads.",
            "\"roads\"",
            "worksites",
            "Casos sorteados",
            "RESTRINGIDO",
            "recruitment",
        ] {
            assert!(!package.contains(word), "{word}");
        }
    }
}
