//! What a report says, and what it never does.

use std::collections::BTreeSet;

use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::{Value, json};

use super::document::{Block, Report};
use super::{Subject, html};
use crate::layers::feature::{FieldDef, FieldKind, Lang, Layer, LayerDef, LayerGeometry, Tier};
use crate::layers::samples::{self, feature};
use crate::layers::schema;
use crate::layers::write::ResultSet;
use crate::model::study::Referral;

/// A name that means something in HTML, in SVG and in typst.
const HOSTILE: &str = "<script>alert('x')</script> \"&amp;\" #set $x$ \\ @ref <b> */";

/// A line of some corners from a place.
fn line(i: usize) -> geo::Geometry<f64> {
    let at = |k: usize| {
        let (x, y) = (-93.0 + 0.02 * k as f64 + 0.05 * i as f64, 16.1 + 0.06 * i as f64);
        geo::Coord { x, y: y + 0.01 * (k % 2) as f64 }
    };
    geo::LineString((0..12).map(at).collect()).into()
}

fn corridors(n: usize, name: &str) -> Layer {
    let def = &schema::CORRIDORS;
    let one = |i: usize| {
        let mean = 0.3 / (i + 1) as f64;
        let values = json!({
            "id": format!("c{i}"), "run_id": "prueba", "name": format!("{name} {}", i + 1), "rank": i + 1,
            "rank_p05": 1.0, "rank_p95": i as f64 + 1.5, "pr_rank10": 0.93, "ref": "MEX-190", "from_name": name,
            "to_name": "Dos", "length_km": 12.4 + i as f64, "time_min": 9.6, "mean": mean, "p05": 0.5 * mean,
            "p95": 1.5 * mean, "pr_top": 0.41, "n_candidates": n, "lift": 1.4, "lift_p05": 1.1, "lift_p95": 1.9,
            "censored_share": 0.25, "border_zone": 0.1, "membership": 0.9, "schematic": true,
            "municipalities": [name, "Dos"],
            "reasons": [{ "factor": "domestic_exact", "value": mean, "label": "x" }],
        });
        feature(def, Some(line(i)), &values)
    };
    Layer { def, features: (0..n).map(one).collect() }
}

fn set(audience: Tier, lang: Lang, n: usize, name: &str) -> ResultSet {
    let mut set = samples::set(audience);
    set.lang = lang;
    for layer in &mut set.layers {
        if layer.def.name == "corridors" {
            *layer = corridors(n, name);
        }
    }
    set.manifest.draws = Some(200);
    set.manifest.seed = Some(7);
    set.manifest.parameters = Some(
        json!({ "seed": 7, "parameters": { "gamma": { "lognormal": { "median": 0.02, "sigma": 0.35 } } } }),
    );
    set.manifest.statistics = json!({
        "corridors": { "halves": { "jaccard": 0.857, "adjusted_rand": 0.91 } },
        "demand": { "served": 0.9, "inner": 0.08, "unserved": 0.02, "unlocated_cases": 0.026 },
    });
    set.subject = Subject {
        title: format!("{name} 2022"),
        region: name.to_owned(),
        referral: (audience == Tier::Restricted).then(|| Referral {
            victim_authority: name.to_owned(),
            contact_24h: "911".into(),
            non_punishment: "Regla".into(),
            example: true,
        }),
        ..set.subject
    };
    set
}

/// A report with so many corridors.
pub(super) fn report(audience: Tier, lang: Lang, n: usize) -> Report {
    report_of(&set(audience, lang, n, "MEX-190 Chiapa de Corzo – San Cristóbal"))
}

fn report_of(set: &ResultSet) -> Report {
    set.report(&set.views().unwrap())
}

fn page(report: &Report) -> String {
    let mut out = Vec::new();
    html::write(&mut out, report).unwrap();
    String::from_utf8(out).unwrap()
}

/// What a reader sees: texts of elements, and what stands for pictures.
fn words(page: &str) -> String {
    let body = page.split("<body").nth(1).unwrap().split("</body>").next().unwrap();
    let mut reader = Reader::from_str(body.split_once('>').unwrap().1);
    reader.config_mut().check_end_names = false;
    let mut out = String::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => return out,
            Event::Text(text) => out.push_str(&text),
            Event::GeneralRef(_) => out.push('&'),
            _ => {}
        }
        out.push(' ');
    }
}

#[test]
fn hostile_names_are_texts_and_the_page_is_well_formed() {
    let page = page(&report_of(&set(Tier::Restricted, Lang::Es, 12, HOSTILE)));
    assert!(!page.contains("<script") && !page.contains("<b>"), "a name became an element");
    assert!(page.contains("&lt;script&gt;"));
    // As XML, without the declaration and the elements that need no end.
    let text = page.replace("<!doctype html>", "");
    let text: String = text.lines().filter(|l| !l.starts_with("<meta ")).collect::<Vec<_>>().join("\n");
    let mut reader = Reader::from_str(&text);
    let mut ids = BTreeSet::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => break,
            Event::Start(e) | Event::Empty(e) => {
                for attribute in e.attributes() {
                    let attribute = attribute.unwrap();
                    if attribute.key.as_ref() == "id" {
                        assert!(ids.insert(attribute.value.to_string()), "id twice: {:?}", attribute.value);
                    }
                    assert_ne!(attribute.key.as_ref(), "style", "the policy would not let it in");
                    assert!(!attribute.key.as_ref().starts_with("on"), "nothing runs");
                }
            }
            _ => {}
        }
    }
    assert!(ids.contains("ranking") && ids.contains("map") && ids.contains("glossary"));
}

#[test]
fn nothing_is_asked_for_and_the_policy_lets_only_our_style_in() {
    for audience in [Tier::Restricted, Tier::Public] {
        let page = page(&report(audience, Lang::Es, 4));
        let policy = page.split("Security-Policy\" content=\"").nth(1).unwrap().split('"').next().unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("unsafe"));
        for word in ["src=", "href=\"http", "url(http", "@import", "<link", "<img", "NaN", "inf"] {
            assert!(!page.contains(word) || (word == "inf" && !page.contains(">inf")), "{word}");
        }
    }
}

#[test]
fn every_number_is_that_of_its_layer() {
    let set = set(Tier::Restricted, Lang::Es, 12, "MEX-200");
    let report = report_of(&set);
    let ranking = report.planner[0].iter().find(|s| s.id == "ranking").unwrap();
    let Block::Table(table) = &ranking.blocks[0] else { panic!("a table") };
    assert_eq!(table.rows.len(), 10);
    assert_eq!(
        table.rows[0],
        [
            "1",
            "MEX-200 1",
            "30.0 % (15.0 % – 45.0 %)",
            "1 – 2",
            "93 %",
            "1.40 (1.10 – 1.90)",
            "12",
            "10",
            "10.0 %"
        ]
    );
    assert!(table.note.contains("10 de 12"));
    let sure = report.planner[1].iter().find(|s| s.id == "sure").unwrap();
    let Block::Points { points, .. } = &sure.blocks[0] else { panic!("points") };
    let all: String = points.iter().map(|p| p.text.as_str()).collect::<Vec<_>>().join("\n");
    for told in [
        "el 85 % de su longitud",
        "90.0 % recorre caminos",
        "2.00 % no halla paso",
        "cerca de 1 por semana",
        "2.60 % de los casos",
        "De 4 municipios, 1 tiene cifra",
    ] {
        assert!(all.contains(told), "{told} is missing: {all}");
    }
}

#[test]
fn with_few_candidates_the_probability_is_of_being_first() {
    let report = report(Tier::Public, Lang::En, 4);
    let ranking = report.planner[0].iter().find(|s| s.id == "ranking").unwrap();
    let Block::Table(table) = &ranking.blocks[0] else { panic!("a table") };
    assert_eq!(table.columns[4].title, "Prob. of being first");
    assert_eq!(table.rows[0][4], "41 %");
}

#[test]
fn the_public_report_holds_nothing_that_is_restricted() {
    let report = report_of(&set(Tier::Public, Lang::Es, 12, "MEX-190"));
    let page = page(&report);
    assert!(page.contains("PÚBLICO") && page.contains("BORRADOR"));
    for word in [
        "RESTRINGIDO",
        "uesto de",
        " puestos",
        "visita",
        "reclut",
        "Semilla",
        "lognormal",
        "90.0 %</",
        "mediana 0.02",
        "checkpoint",
        "worksite",
        "Jaccard",
    ] {
        assert!(!page.contains(word), "{word}");
    }
    assert!(report.annex.iter().all(|s| s.id != "parameters" && s.id != "referral"));
    assert!(report.facts.iter().all(|fact| !fact.starts_with("200 ")), "the number of draws is not told");
}

#[test]
fn the_restricted_report_tells_posts_parameters_and_the_referral_path() {
    let report = report(Tier::Restricted, Lang::Es, 3);
    let ids: Vec<&str> = report.sections().map(|s| s.id).collect();
    for id in ["checkpoints", "parameters", "referral", "sensitivity", "people", "data"] {
        assert!(ids.contains(&id), "{id}: {ids:?}");
    }
    let page = page(&report);
    assert!(page.contains("RESTRINGIDO") && page.contains("log-normal, mediana 0.02, σ 0.35"));
    assert!(page.contains("Es un EJEMPLO"));
}

#[test]
fn without_corridors_it_says_so_and_draws_the_map() {
    let mut set = set(Tier::Public, Lang::Es, 0, "MEX-190");
    let report = report_of(&set);
    assert!(page(&report).contains("esta corrida no tiene corredores"));
    assert!(report.pictures().iter().any(|(name, _)| name == "map.svg"));
    assert!(report.pictures().iter().all(|(name, _)| name != "plot.svg"));
    set.layers.retain(|layer| layer.def.name == "municipalities");
    let report = report_of(&set);
    assert!(page(&report).contains("no calculó corredores"));
    set.layers.clear();
    assert!(report_of(&set).pictures().iter().all(|(name, _)| name != "map.svg"), "nothing to draw");
}

#[test]
fn a_thousand_municipalities_and_a_hundred_corridors_stay_a_document() {
    let mut set = set(Tier::Restricted, Lang::Es, 100, "MEX-190");
    let def = &schema::MUNICIPALITIES;
    let area = |i: usize| {
        let (x, y) = (-95.0 + 0.1 * (i % 40) as f64, 14.5 + 0.1 * (i / 40) as f64);
        geo::Rect::new((x, y), (x + 0.1, y + 0.1)).to_polygon().into()
    };
    let one = |i: usize| {
        let rate = 0.3 + (i % 7) as f64;
        let values = json!({
            "id": format!("m{i}"), "name": format!("Municipio {i}"), "datum": "exact", "rate_mean": rate,
            "rate_p05": 0.9 * rate, "rate_p95": 1.1 * rate,
        });
        feature(def, Some(area(i)), &values)
    };
    set.layers[0] = Layer { def, features: (0..1000).map(one).collect() };
    let page = page(&report_of(&set));
    assert!(page.len() < 1_500_000, "{}", page.len());
    assert!(page.contains("De 1000 municipios, 1000 tienen cifra") && page.contains("60 de 100"));
}

#[test]
fn no_word_of_the_other_language_and_no_key_is_left() {
    const ENGLISH: [&str; 9] =
        ["Flow share", "draws", "Rank", "Glossary", "the ", "DRAFT", "of the", "Method", "border"];
    const SPANISH: [&str; 9] = [
        "Parte del flujo",
        "sorteos",
        "Lugar",
        "Glosario",
        " los ",
        "BORRADOR",
        " del ",
        "Método",
        "frontera",
    ];
    for (lang, foreign) in [(Lang::Es, ENGLISH), (Lang::En, SPANISH)] {
        for audience in [Tier::Restricted, Tier::Public] {
            let mut set = set(audience, lang, 12, "MEX-190");
            set.attributions.clear();
            set.subject.referral = None;
            let page = words(&page(&report_of(&set)));
            // Titles of works stay as they are.
            let page =
                page.split("Clayton, D.").next().unwrap().to_owned() + page.split("PMLR").nth(1).unwrap();
            for word in foreign {
                assert!(!page.contains(word), "{word} in {}", lang.code());
            }
            for key in ["report.", "page.", "reason.", "value.", "%{"] {
                let left = page.split(key).nth(1).filter(|rest| rest.starts_with(char::is_alphabetic));
                assert!(
                    left.is_none_or(|rest| rest.starts_with("html") || rest.starts_with("pdf")),
                    "{key}{left:?}"
                );
            }
        }
    }
}

#[test]
fn the_same_set_gives_the_same_page() {
    let set = set(Tier::Restricted, Lang::Es, 12, "MEX-190");
    assert_eq!(page(&report_of(&set)), page(&report_of(&set)));
}

macro_rules! fields {
    ($($name:literal $kind:ident),+) => {
        &[$(FieldDef {
            name: $name, kind: FieldKind::$kind, unit: "", tier: Tier::Restricted, alias_es: $name, alias_en: $name,
            about_es: $name, about_en: $name,
        }),+]
    };
}

const CHANGE: LayerDef = LayerDef {
    name: "roads_change",
    geometry: LayerGeometry::MultiLineString,
    tier: Tier::Restricted,
    title_es: "Cambio",
    title_en: "Change",
    fields: fields![
        "id" Text, "name" Text, "ref" Text, "mean_base" Real, "mean" Real, "change" Real, "change_p05" Real,
        "change_p95" Real, "pr_rises" Real
    ],
};

const SENSITIVITY: LayerDef = LayerDef {
    name: "sensitivity",
    geometry: LayerGeometry::Point,
    tier: Tier::Restricted,
    title_es: "Sensibilidad",
    title_en: "Sensitivity",
    fields: fields![
        "id" Text, "corridor" Text, "parameter" Text, "first" Real, "first_p05" Real, "first_p95" Real, "total" Real,
        "total_p05" Real, "total_p95" Real
    ],
};

#[test]
fn what_changed_and_how_much_each_parameter_weighs_are_told_where_they_are() {
    let mut set = set(Tier::Restricted, Lang::Es, 3, "MEX-190");
    let change = |id: &str, change: f64| {
        let values = json!({
            "id": id, "name": format!("Tramo {id}"), "mean_base": 0.2, "mean": 0.2 + change, "change": change,
            "change_p05": change - 0.01, "change_p95": change + 0.01, "pr_rises": if change > 0.0 { 1.0 } else { 0.0 },
        });
        feature(&CHANGE, None, &values)
    };
    let changes = vec![change("a", 0.02), change("b", -0.15), change("c", 0.0)];
    set.layers.retain(|layer| layer.def.name != CHANGE.name);
    set.layers.push(Layer { def: &CHANGE, features: changes });
    let index = |id: &str, corridor: &str, parameter: &str, total: f64| {
        let values: Value = json!({
            "id": id, "corridor": corridor, "parameter": parameter, "first": 0.5 * total, "first_p05": 0.4 * total,
            "first_p95": 0.6 * total, "total": total, "total_p05": 0.9 * total, "total_p95": 1.1 * total,
        });
        feature(&SENSITIVITY, None, &values)
    };
    let indices = vec![index("1", "c0", "gamma", 0.6), index("2", "c0", "kappa", 0.1)];
    set.layers.push(Layer { def: &SENSITIVITY, features: indices });
    let report = report_of(&set);
    let changed = report.planner[1].iter().find(|s| s.id == "change").unwrap();
    let Block::Table(table) = &changed.blocks[0] else { panic!("a table") };
    assert_eq!(table.rows[0], ["Tramo b", "20.0 %", "5.00 %", "−15.0 pp (−16.0 pp – −14.0 pp)", "0 %"]);
    assert_eq!(table.rows[1][3], "+2.00 pp (+1.00 pp – +3.00 pp)");
    assert_eq!(table.rows.len(), 2, "what does not change is not told");
    let sensitivity = report.annex.iter().find(|s| s.id == "sensitivity").unwrap();
    let Block::Table(table) = sensitivity.blocks.last().unwrap() else { panic!("a table") };
    let gamma = &table.rows[0];
    assert_eq!(gamma[0], "MEX-190 1");
    assert!(gamma[1].contains("(γ)"), "{gamma:?}");
    assert_eq!(gamma[3], "0.60 (0.54 – 0.66)");
    assert!(report.pictures().iter().any(|(name, _)| name == "sensitivity-1.svg"));
}
