//! The map for the browser: one file that holds everything and asks for nothing.
//!
//! Its data are the views of the audience, its colours and sizes the rules of the styles ([`super::style`]), its words those
//! of `locales/` in both languages. The scripts and styles in it are named by their hashes in a content security
//! policy that lets in nothing else.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Write;

use geo::{Coord, Geometry};
use quick_xml::escape::escape;
use serde_json::{Map, Value, json};

use super::feature::{FieldKind, Lang, LayerGeometry, Words};
use super::geojson::extent;
use super::page;
use super::style::legend::{Rule, Shape};
use super::style::rules;
use super::telling::{CODED, CODES, POINTS, PROBABILITIES, REASONS, SCORED, SHARES, key, unit};
use super::view::{Header, LayerView, Row};

const PAGE: &str = include_str!("map/page.html");
const CSS: &str = include_str!("map/page.css");
const SCRIPT: &str = include_str!("map/page.js");
const LEAFLET: &str = include_str!("map/leaflet/leaflet.js");
const LEAFLET_CSS: &str = include_str!("map/leaflet/leaflet.css");

/// Links that a browser draws without a pause; of more, those with the largest flows are kept.
const LINKS: usize = 50_000;
/// Steps per degree: a metre is less than a pixel at every scale that the map has.
const STEPS: f64 = 1e5;
/// Pixels of a millimetre, at the 96 pixels of an inch that browsers count.
const PIXELS: f64 = 96.0 / 25.4;

/// Words of the page, under `page.` in `locales/`.
const TEXTS: &[&str] = &[
    "skip",
    "search",
    "found_one",
    "found_many",
    "ranked",
    "ranked_hint",
    "ranked_item",
    "top_one",
    "top_some",
    "no_corridors",
    "layers",
    "legend",
    "left_out",
    "about",
    "language",
    "map",
    "panel",
    "whole",
    "zoom_in",
    "zoom_out",
    "reasons",
    "values",
    "origins_destinations",
    "other_pairs",
    "if_closed",
    "if_closed_unserved",
    "no_reference",
    "yes",
    "no",
    "no_proof",
    "say_flow",
    "say_flow_along",
    "say_more",
    "say_less",
    "say_alike",
    "say_schematic",
    "say_change",
    "run",
    "version",
    "draws",
    "sources",
];

/// Layers that are there, but not seen until they are asked for.
pub(super) const HIDDEN: &[&str] = &["worksites", "diagnostics", "sensitivity"];

/// What the map says beside the layers.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// What every output bears.
    pub notices: &'a [Words],
    /// What this result says of its data and limits.
    pub limits: &'a [Words],
    /// Data sources and their licences.
    pub attributions: &'a [String],
    /// Number of draws, if the audience may know it.
    pub draws: Option<u64>,
    /// Version of corredor.
    pub version: &'a str,
    /// Whether nobody has signed the result off.
    pub draft: bool,
}

/// Writes the page.
///
/// # Errors
/// What `out` reports.
pub fn write(
    out: &mut impl Write,
    views: &[LayerView<'_>],
    header: &Header,
    about: &About<'_>,
) -> std::io::Result<()> {
    let titles = both(|lang| header.named(title(views, lang), lang));
    // The data stand in an element of their own, which nothing in them can end.
    let data = data(views, header, about, &titles).to_string().replace('<', "\\u003c");
    let title = &titles[usize::from(header.lang == Lang::En)];
    let notices: Vec<&str> = about.notices.iter().map(|w| w.pick(header.lang)).collect();
    let value = |name: &str| -> Cow<'_, str> {
        match name {
            "LANG" => header.lang.code().into(),
            "TITLE" => escape(title.as_str()),
            "NOTICES" => Cow::Owned(escape(notices.join(" · ")).into_owned()),
            "NOSCRIPT" => Cow::Owned(escape(text(header.lang, "page.noscript")).into_owned()),
            "SCRIPTS" => page::hashes(&[LEAFLET, SCRIPT]).into(),
            "STYLES" => page::hashes(&[LEAFLET_CSS, CSS]).into(),
            "LEAFLET_CSS" => LEAFLET_CSS.into(),
            "CSS" => CSS.into(),
            "LEAFLET" => LEAFLET.into(),
            "SCRIPT" => SCRIPT.into(),
            "DATA" => data.as_str().into(),
            _ => "".into(),
        }
    };
    page::write(out, PAGE, value)
}

fn text(lang: Lang, key: &str) -> String {
    crate::translated(lang.code(), key)
}

fn both<T>(of: impl Fn(Lang) -> T) -> [T; 2] {
    [Lang::Es, Lang::En].map(of)
}

/// An object with the Spanish and the English of something.
fn languages<T: Into<Value>>(of: impl Fn(Lang) -> T) -> Value {
    let [es, en] = both(|lang| of(lang).into());
    json!({ "es": es, "en": en })
}

/// Title of map and project.
pub(super) fn title(views: &[LayerView<'_>], lang: Lang) -> String {
    let areas = views.iter().find(|view| view.name() == "municipalities");
    let region = areas.and_then(|view| {
        let at = view.fields().iter().position(|field| field.name == "region")?;
        Some(view.rows().next()?.value(at).as_str()?.to_owned())
    });
    let title = text(lang, "page.title");
    region.map_or_else(|| title.clone(), |region| format!("{title}: {region}"))
}

fn words(lang: Lang, section: &str, keys: &[&str]) -> Value {
    let one = |code: &&str| ((*code).to_owned(), Value::from(text(lang, &key(section, code))));
    Value::Object(keys.iter().map(one).collect::<Map<_, _>>())
}

fn data(views: &[LayerView<'_>], header: &Header, about: &About<'_>, titles: &[String; 2]) -> Value {
    let mut facts = vec![json!(["run", header.run_id]), json!(["version", about.version])];
    facts.extend(about.draws.map(|n| json!(["draws", n.to_string()])));
    if !about.attributions.is_empty() {
        facts.push(json!(["sources", about.attributions.join("; ")]));
    }
    let mut places = Places::default();
    let on_map = views.iter().filter(|view| view.geometry() != LayerGeometry::None);
    let layers: Value = on_map.map(|view| layer(view, &mut places)).collect();
    // What an audience does not see has no word either.
    let shown = layers.to_string();
    let codes: Vec<&str> = CODES.iter().copied().filter(|code| shown.contains(code)).collect();
    let there = |factor: &&str| shown.contains(&format!("[\"{factor}\","));
    let factors: Vec<&str> = REASONS.iter().copied().filter(there).collect();
    let lines = |lines: &[Words], lang: Lang| -> Value { lines.iter().map(|w| w.pick(lang)).collect() };
    json!({
        "lang": header.lang.code(),
        "title": { "es": titles[0], "en": titles[1] },
        "draft": about.draft.then(|| header.lang.pick("BORRADOR", "DRAFT")),
        "notices": languages(|lang| lines(about.notices, lang)),
        "limits": languages(|lang| lines(about.limits, lang)),
        "facts": facts,
        "texts": languages(|lang| words(lang, "page", TEXTS)),
        "values": languages(|lang| words(lang, "value", &codes)),
        "reasons": languages(|lang| words(lang, "reason", &factors)),
        "shares": SHARES,
        "probabilities": PROBABILITIES,
        "points": POINTS,
        "bbox": bbox(views),
        "places": places.names,
        "layers": layers,
    })
}

/// West, south, east, north of the areas, or of everything where there are none.
fn bbox(views: &[LayerView<'_>]) -> [f64; 4] {
    let areas = views.iter().filter(|view| view.geometry() == LayerGeometry::MultiPolygon).find_map(extent);
    let all = || {
        let extents = views.iter().filter_map(extent);
        extents.reduce(|a, b| {
            let (low, high) = (a.min(), a.max());
            geo::Rect::new(
                Coord { x: low.x.min(b.min().x), y: low.y.min(b.min().y) },
                Coord { x: high.x.max(b.max().x), y: high.y.max(b.max().y) },
            )
        })
    };
    let rect = areas.or_else(all).unwrap_or_else(|| geo::Rect::new((-94.2, 14.4), (-90.2, 18.0)));
    [rect.min().x, rect.min().y, rect.max().x, rect.max().y]
}

fn layer(view: &LayerView<'_>, names: &mut Places) -> Value {
    let fields: Vec<Value> = view
        .fields()
        .iter()
        .map(|f| {
            let unit = languages(|lang| unit(f, lang));
            json!({ "name": f.name, "unit": unit, "es": f.alias_es, "en": f.alias_en })
        })
        .collect();
    let [es, en] = both(|lang| rules(view, lang));
    let legend: Vec<Value> = es.iter().zip(&en).map(|(es, en)| legend_rule(es, en)).collect();
    let kept = kept(view);
    let features: Vec<Value> = view
        .rows()
        .enumerate()
        .filter(|(i, _)| kept.as_ref().is_none_or(|kept| kept[*i]))
        .map(|(_, row)| feature(&row, names))
        .collect();
    json!({
        "name": view.name(),
        "title": languages(|lang| view.def().title(lang)),
        "kind": match view.geometry() {
            LayerGeometry::Point => "marker",
            LayerGeometry::MultiLineString => "line",
            LayerGeometry::MultiPolygon => "fill",
            LayerGeometry::None => "",
        },
        "fields": fields,
        "coded": view.fields().iter().map(|f| f.name).filter(|f| CODED.contains(f)).collect::<Vec<_>>(),
        "rules": legend,
        "scored": SCORED.contains(&view.name()),
        "shown": !HIDDEN.contains(&view.name()),
        "left_out": view.len() - features.len(),
        "features": features,
    })
}

/// Which features are kept of a layer that has too many lines: those with the largest flows.
fn kept(view: &LayerView<'_>) -> Option<Vec<bool>> {
    let at = view.fields().iter().position(|field| field.name == "mean")?;
    if view.len() <= LINKS || view.geometry() != LayerGeometry::MultiLineString {
        return None;
    }
    let mut order: Vec<(f64, usize)> =
        view.rows().enumerate().map(|(i, row)| (row.value(at).as_f64().unwrap_or(0.0), i)).collect();
    order.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut kept = vec![false; order.len()];
    order.iter().take(LINKS).for_each(|(_, i)| kept[*i] = true);
    Some(kept)
}

/// A feature as an array: its geometry, then its values in the order of the fields.
fn feature(row: &Row<'_>, names: &mut Places) -> Value {
    let mut out = vec![row.geometry().map_or(Value::Null, |geometry| places(&geometry))];
    out.extend(row.values().map(|(field, value)| match (field.name, field.kind) {
        ("reasons", FieldKind::Json) => reasons(&value),
        ("origins_destinations", FieldKind::Json) => names.pairs(&value),
        _ => value.into_owned(),
    }));
    Value::Array(out)
}

/// Names of places, which stand once for all the pairs that they are in.
#[derive(Default)]
struct Places {
    names: Vec<String>,
    numbers: BTreeMap<String, usize>,
}

impl Places {
    fn number(&mut self, name: &Value) -> usize {
        let name = name.as_str().unwrap_or_default();
        if let Some(known) = self.numbers.get(name) {
            return *known;
        }
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), self.names.len() - 1);
        self.names.len() - 1
    }

    /// Pairs of places as numbers of both and a part; what has no places, as its part alone.
    fn pairs(&mut self, value: &Value) -> Value {
        let Some(pairs) = value.as_array() else { return Value::Null };
        let one = |pair: &Value| match (pair.get("origin"), pair.get("destination")) {
            (Some(origin), Some(destination)) => {
                json!([self.number(origin), self.number(destination), pair["value"]])
            }
            _ => json!([pair["value"]]),
        };
        pairs.iter().map(one).collect()
    }
}

/// Reasons as pairs of factor and value: their words stand once for all. What has no words keeps its own.
fn reasons(value: &Value) -> Value {
    let one = |reason: &Value| {
        let factor = reason["factor"].as_str().unwrap_or_default();
        let mut pair = vec![json!(factor), reason["value"].clone()];
        if !REASONS.contains(&factor) {
            pair.push(reason["label"].clone());
        }
        Value::Array(pair)
    };
    value.as_array().map_or(Value::Null, |reasons| reasons.iter().map(one).collect())
}

fn place(at: &Coord<f64>) -> Value {
    json!([at.x, at.y].map(|x| (x * STEPS).round() / STEPS))
}

fn line(coords: &[Coord<f64>]) -> Value {
    coords.iter().map(place).collect()
}

fn places(geometry: &Geometry<f64>) -> Value {
    match geometry {
        Geometry::Point(p) => place(&p.0),
        Geometry::MultiLineString(lines) => lines.iter().map(|l| line(&l.0)).collect(),
        Geometry::MultiPolygon(areas) => areas
            .iter()
            .map(|area| {
                let rings = std::iter::once(area.exterior()).chain(area.interiors());
                rings.map(|ring| line(&ring.0)).collect::<Value>()
            })
            .collect(),
        _ => Value::Null,
    }
}

/// A rule in the words of both languages.
fn legend_rule(es: &Rule, en: &Rule) -> Value {
    let symbol = &es.symbol;
    let pixels = |mm: f64| (mm * PIXELS * 100.0).round() / 100.0;
    let steps = symbol.size.as_ref().map_or(Value::Null, |steps| steps.json(pixels));
    let mut out = json!({
        "color": css(symbol.shape.color()),
        "steps": steps,
        "opacity": symbol.opacity.as_ref().map_or(Value::Null, |steps| steps.json(|size| size)),
    });
    match &symbol.shape {
        Shape::Line { width, dash, .. } => {
            out["kind"] = "line".into();
            out["size"] = pixels(*width).into();
            let lengths = dash.map(|dash| {
                let pixels =
                    dash.split(';').filter_map(|n| n.parse().ok()).map(|mm: f64| pixels(mm).to_string());
                pixels.collect::<Vec<_>>().join(" ")
            });
            out["dash"] = lengths.into();
        }
        Shape::Marker { form, size, .. } => {
            out["kind"] = "marker".into();
            out["size"] = pixels(*size).into();
            out["form"] = (*form).into();
        }
        Shape::Fill { hatching, .. } => {
            out["kind"] = "fill".into();
            out["size"] = 1.into();
            out["hatching"] = hatching.map(css).into();
        }
    }
    json!({ "test": es.test.json(), "label": { "es": es.label, "en": en.label }, "symbol": out })
}

/// `red,green,blue,opacity` from 0 to 255 as a colour of CSS.
fn css(color: &str) -> String {
    let mut parts = color.split(',').map(|n| n.parse::<f64>().unwrap_or(0.0));
    let mut next = |otherwise| parts.next().unwrap_or(otherwise);
    let [red, green, blue, opacity] = [next(0.0), next(0.0), next(0.0), next(255.0)];
    format!("rgba({red},{green},{blue},{})", (opacity / 2.55).round() / 100.0)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::layers::feature::Tier;
    use crate::layers::{notice, samples};

    fn page_of(audience: Tier) -> String {
        let set = samples::set(audience);
        let views = set.views().unwrap();
        let notices = notice::standard(audience, None, None);
        let about = About {
            notices: &notices,
            limits: &[],
            attributions: &set.attributions,
            draws: Some(5),
            version: "0",
            draft: true,
        };
        let mut out = Vec::new();
        write(&mut out, &views, &set.header(), &about).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn nothing_of_the_data_can_end_its_element_or_run() {
        let page = page_of(Tier::Restricted);
        // Two scripts of ours, and the data.
        assert_eq!(page.matches("</script").count(), 3);
        assert_eq!(page.matches("<script").count(), 3);
        let data = page.split("id=\"data\">").nth(1).unwrap().split("</script>").next().unwrap();
        let data: Value = serde_json::from_str(data).unwrap();
        assert_eq!(data["layers"].as_array().unwrap().len(), 8);
        // Places stand once, and pairs name them by number.
        assert_eq!(data["places"], json!(["<Gate>", "Dos"]));
        assert!(data["layers"].to_string().contains("[[0,1,0.75],[0.25]]"));
        assert!(data.to_string().contains("=CMD()"), "a text that is dangerous elsewhere is data here");
    }

    #[test]
    fn the_policy_names_what_is_there_and_nothing_else() {
        let page = page_of(Tier::Public);
        let policy = page.split("Security-Policy\" content=\"").nth(1).unwrap().split('"').next().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        let scripts: Vec<&str> =
            page.split("<script>").skip(1).map(|s| s.split("</script>").next().unwrap()).collect();
        let styles: Vec<&str> =
            page.split("<style>").skip(1).map(|s| s.split("</style>").next().unwrap()).collect();
        assert_eq!((scripts.len(), styles.len()), (2, 2));
        for text in scripts.into_iter().chain(styles) {
            assert!(policy.contains(&STANDARD.encode(Sha256::digest(text.as_bytes()))));
        }
        assert!(!page.contains("RESTRINGIDO") && !page.contains("worksites\""));
        for word in ["src=\"http", "url(http", "@import"] {
            assert!(!page.contains(word), "{word}");
        }
    }

    #[test]
    fn every_word_is_there_in_both_languages() {
        for word in TEXTS.iter().chain(&["title", "noscript"]) {
            for lang in [Lang::Es, Lang::En] {
                let found = text(lang, &format!("page.{word}"));
                assert!(!found.is_empty() && !found.starts_with("page."), "{word} in {}", lang.code());
            }
        }
    }

    #[test]
    fn colours_and_sizes_are_those_of_the_browser() {
        assert_eq!(css("8,69,148,255"), "rgba(8,69,148,1)");
        assert_eq!(css("80,80,80,77"), "rgba(80,80,80,0.3)");
    }
}
