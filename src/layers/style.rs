//! How each layer looks in QGIS 3.22 and newer: legend, colours, labels and aliases.
//!
//! The same reading everywhere: width or size is how much flow, colour is how it compares with what population
//! alone would give, paleness is doubt, and the legend tells each. Colours are safe for the colour-blind. Classes come
//! from what the audience sees and nothing else.

use std::collections::BTreeSet;

use serde_json::Value;

use super::feature::{FieldDef, FieldKind, Lang, LayerGeometry};
use super::telling;
use super::view::{Header, LayerView};
use crate::error::{Error, Result};

mod classes;
mod doubt;
pub(super) mod holds;
pub(super) mod legend;
pub(super) mod qml;

use classes::{even_limits, limits, range};
use doubt::{doubt_legend, with_doubt};
use legend::{Rule, Steps, Symbol, Test, dashed, fill, hatched, line, marker, rule};
use qml::{FieldStyle, Label, Placement, Style};

/// The default style of a layer as QML, with the aliases of the header's language.
///
/// # Errors
/// None that the types allow; writing XML to memory is fallible by its signature.
pub fn qml(view: &LayerView<'_>, header: &Header) -> Result<String> {
    qml::write(&style(view, header)).map_err(|e| Error::io(format!("{}.qml", view.name()), e))
}

/// The style of a layer, from which that of the project is made too.
pub(super) fn style(view: &LayerView<'_>, header: &Header) -> Style {
    let lang = header.lang;
    let field = |field: &&'static FieldDef| FieldStyle {
        name: field.name,
        alias: field.alias(lang),
        values: value_map(view, field, lang),
    };
    Style {
        name: view.name(),
        rules: rules(view, lang),
        label: label(view.name()),
        fields: view.fields().iter().map(field).collect(),
        notes: header.notices.join("\n"),
    }
}

/// The labels of a layer, and down to which scale.
fn label(layer: &str) -> Option<Label> {
    let plain = |text, color, scale, placement| Label {
        text,
        color,
        size: 7.0,
        bold: false,
        placement,
        priority: "3",
        scale,
    };
    let beside = |positions| Placement::Beside { point: None, positions };
    Some(match layer {
        "corridors" => Label {
            size: 9.0,
            bold: true,
            priority: "max(6, 11 - coalesce(\"rank\", 5))",
            ..plain(
                "replace(\"name\", ' – ', ' –\\n')",
                "60,10,60,255",
                6_000_000,
                // A name is often longer than its corridor, so that along the line there would be no room for it.
                Placement::Beside {
                    point: Some("closest_point($geometry, centroid($geometry))"),
                    positions: "B,T,BR,TR,BL,TL,R,L",
                },
            )
        },
        "crossings" => Label {
            size: 8.0,
            priority: "5",
            ..plain("\"name\"", "20,40,70,255", 3_000_000, beside("TR,TL,BR,BL,R,L,TSR,BSR"))
        },
        "checkpoints" => {
            Label { priority: "4", ..plain("\"name\"", "90,40,0,255", 400_000, beside("R,L,TR,BR,TL,BL")) }
        }
        "municipalities" => plain("\"name\"", "90,90,90,255", 750_000, Placement::Within),
        "roads" => plain("\"ref\"", "70,70,70,255", 300_000, Placement::Along),
        "worksites" => plain("\"name\"", "100,60,0,255", 25_000, beside("R,L,TR,BR,TL,BL")),
        _ => return None,
    })
}

/// The values of a field of codes that the audience sees, in words; none for other fields.
fn value_map(view: &LayerView<'_>, field: &FieldDef, lang: Lang) -> Vec<(String, String)> {
    let told = |value: &Value| telling::value(field, value, lang);
    if field.kind == FieldKind::Boolean {
        return [true, false].map(|b| (b.to_string(), told(&Value::Bool(b)))).into();
    }
    let Some(at) = view.fields().iter().position(|f| f.name == field.name) else { return Vec::new() };
    if field.kind != FieldKind::Text || !telling::CODED.contains(&field.name) {
        return Vec::new();
    }
    let codes: BTreeSet<String> =
        view.rows().filter_map(|row| row.value(at).as_str().map(str::to_owned)).collect();
    codes.into_iter().map(|code| (code.clone(), told(&Value::String(code)))).collect()
}

/// The rules of a layer, each a line of its legend, the first that hold first.
pub(super) fn rules(view: &LayerView<'_>, lang: Lang) -> Vec<Rule> {
    match view.name() {
        "municipalities" => municipalities(view, lang),
        "roads" => flow_lines(view, lang, &[0.15, 0.5, 0.9, 1.5]),
        "corridors" => flow_lines(view, lang, &[1.0, 1.6, 2.2, 2.8]),
        "roads_change" => changes(lang),
        "crossings" => crossings(view, lang),
        "checkpoints" => checkpoints(lang),
        "worksites" => worksites(view, lang),
        "diagnostics" => diagnostics(lang),
        _ => plain(view),
    }
}

/// A share as per cent, for the legend.
fn percent(share: f64) -> String {
    format!("{} %", format!("{:.4}", share * 100.0).trim_end_matches('0').trim_end_matches('.'))
}

/// Roads and corridors: width by flow share in classes of the data, colour by lift, paleness by doubt.
fn flow_lines(view: &LayerView<'_>, lang: Lang, widths: &[f64; 4]) -> Vec<Rule> {
    const GREY: &str = "150,150,150,255";
    const LIFT: [(Option<f64>, Option<f64>, &str); 5] = [
        (None, Some(0.5), "8,69,148,255"),
        (Some(0.5), Some(0.8), "66,146,198,255"),
        (Some(0.8), Some(1.25), "106,61,154,255"),
        (Some(1.25), Some(2.0), "221,28,119,255"),
        (Some(2.0), None, "128,0,38,255"),
    ];
    // Few and far between: most links carry little, and the eye is for those that carry much.
    let limits = limits(view.numbers("mean"), &[0.5, 0.8, 0.95]);
    let flow = |symbol: Symbol| with_doubt(symbol, view).sized(Steps::new("mean", &limits, widths));
    let mut rules = Vec::new();
    let open = if view.has("closed") { Test::NotTrue("closed", false) } else { Test::Any };
    for (low, high, color) in LIFT {
        let lowest = low.map_or(Test::Any, |low| Test::AtLeast("lift", low));
        let class = lowest.and(high.map_or(Test::Any, |high| Test::Below("lift", high)));
        let range = range(low.as_ref(), high.as_ref());
        let label = format!("{} {range}", lang.pick("razón frente a la población", "lift over population"));
        rules.push(rule(open.clone().and(class), label, flow(line(color, widths[1]))));
    }
    rules.push(rule(
        open.clone().and(Test::Null("lift")).and(Test::Something("mean")),
        lang.pick("sin razón (flujo muy bajo)", "no lift (very low flow)"),
        flow(line(GREY, widths[1])),
    ));
    rules.push(rule(
        open.and(Test::Null("lift")).and(Test::Nothing("mean")),
        lang.pick("sin flujo modelado", "no modelled flow"),
        line("200,200,200,255", 0.1),
    ));
    if view.has("closed") {
        let closed = lang.pick("cerrado", "closed");
        rules.push(rule(Test::True("closed"), closed, dashed("20,20,20,255", 0.5, "1;1")));
    }
    rules.push(rule(
        Test::True("schematic"),
        lang.pick(
            "trazo esquemático: rayas blancas sobre la línea",
            "schematic line: white dashes on the line",
        ),
        // Thin enough to leave the narrowest line to be seen.
        dashed("255,255,255,255", widths[0] / 4.0, "2;4"),
    ));
    // No legend shows a width that comes from an expression: rules that match nothing do.
    for (limit, width) in limits.iter().zip(widths.iter().skip(1)) {
        let label =
            format!("{} ≥ {}", lang.pick("ancho: parte del flujo", "width: flow share"), percent(*limit));
        rules.push(rule(Test::Never, label, line(GREY, *width)));
    }
    rules.extend(doubt_legend(view, lang, |color| line(color, widths[2])));
    rules
}

/// What a scenario changes: red where links gain, blue where they lose, grey where draws differ on which; width by how much.
/// The limits are fixed, so that two scenarios can be laid side by side.
fn changes(lang: Lang) -> Vec<Rule> {
    const GAIN: &str = "178,24,43,255";
    const LOSS: &str = "33,102,172,255";
    const GREY: &str = "150,150,150,255";
    // Shares of all flow, from the largest, and widths from each on.
    const SIZES: [(f64, f64); 3] = [(0.05, 3.2), (0.01, 1.9), (0.001, 0.9)];
    // A direction that at least nine draws of ten have.
    const SURE: f64 = 0.9;
    let open = Test::NotTrue("closed", false);
    let mut rules = vec![rule(
        Test::True("closed"),
        lang.pick("cerrado en el escenario", "closed in the scenario"),
        dashed("20,20,20,255", 1.0, "1;1"),
    )];
    // Each feature is drawn by one rule: QGIS draws all that hold.
    let mut side = |pr, word: &str, sign: f64, color: &str| {
        let mut above = None;
        for (limit, width) in SIZES {
            let least =
                if sign > 0.0 { Test::AtLeast("change", limit) } else { Test::AtMost("change", -limit) };
            let most = match above.replace(limit) {
                Some(next) if sign > 0.0 => Test::Below("change", next),
                Some(next) => Test::Above("change", -next),
                None => Test::Any,
            };
            let test = open.clone().and(Test::AtLeast(pr, SURE)).and(least).and(most);
            let points = lang.pick("puntos porcentuales", "percentage points");
            rules.push(rule(test, format!("{word} ≥ {} {points}", 100.0 * limit), line(color, width)));
        }
    };
    side("pr_rises", lang.pick("sube", "rises"), 1.0, GAIN);
    side("pr_falls", lang.pick("baja", "falls"), -1.0, LOSS);
    let smallest = SIZES[SIZES.len() - 1].0;
    for (pr, size, es, en) in [
        (
            "pr_rises",
            Test::AtLeast("change", smallest),
            "sube en promedio, sin dirección segura",
            "rises on average, in no sure direction",
        ),
        (
            "pr_falls",
            Test::AtMost("change", -smallest),
            "baja en promedio, sin dirección segura",
            "falls on average, in no sure direction",
        ),
    ] {
        let test = open.clone().and(Test::Below(pr, SURE)).and(size);
        rules.push(rule(test, lang.pick(es, en), dashed(GREY, 0.9, "4;2")));
    }
    let none = lang.pick("casi sin cambio", "hardly any change");
    rules.push(rule(Test::Else, none, line("205,205,205,255", 0.2)));
    rules
}

/// Widest interval, as a share of the rate, that still gets all colours: some twenty cases.
const NARROW: f64 = 0.75;
/// Widest interval that still gets a colour: some five cases.
const WIDE: f64 = 1.5;

/// Estimated rates, in classes of a round step, in a value-suppressing scheme (Correll, Moritz & Heer 2018): the wider
/// the interval beside the rate, the fewer and paler the colours, so that no one reads an order into what is not known.
fn municipalities(view: &LayerView<'_>, lang: Lang) -> Vec<Rule> {
    const INTERVAL: [&str; 3] = ["rate_p95", "rate_p05", "rate_mean"];
    const FULL: [&str; 4] = ["254,227,145,255", "254,153,41,255", "217,95,14,255", "128,40,4,255"];
    const PALE: [&str; 2] = ["245,232,210,255", "226,190,160,255"];
    let limits = even_limits(&sure_rates(view));
    // Each pale colour stands for two of the full ones: the limit in the middle stays.
    let middle: Vec<f64> = limits.get(1).copied().into_iter().collect();
    let known = Test::Above("rate_mean", 0.0).and(Test::Known("rate_p05")).and(Test::Known("rate_p95"));
    let interval = |range: String| {
        format!("{} {range} {}", lang.pick("intervalo", "interval"), lang.pick("de la tasa", "of the rate"))
    };
    let narrow = known.clone().and(Test::Narrower(INTERVAL, NARROW));
    let medium = known.clone().and(Test::Wider(INTERVAL, NARROW)).and(Test::Narrower(INTERVAL, WIDE));

    let mut rules = rate_classes(&narrow, &limits, &FULL, &interval(format!("≤ {}", percent(NARROW))), lang);
    let label = interval(format!("{} – {}", percent(NARROW), percent(WIDE)));
    rules.extend(rate_classes(&medium, &middle, &PALE, &label, lang));
    let label = interval(format!("> {}", percent(WIDE)));
    rules.push(rule(
        known.and(Test::Wider(INTERVAL, WIDE)),
        format!("{}: {label}", lang.pick("muy incierta", "very uncertain")),
        hatched("248,248,246,255", "190,186,178,255"),
    ));
    rules.push(rule(Test::Else, lang.pick("sin datos", "no data"), fill("222,222,222,255")));
    rules
}

/// One rule for each class of the estimated rate among the features of `filter`.
fn rate_classes(filter: &Test, limits: &[f64], shades: &[&str], interval: &str, lang: Lang) -> Vec<Rule> {
    let what = lang.pick("tasa por 100 000 hab. y año", "rate per 100 000 and year");
    (0..=limits.len())
        .zip(shades)
        .map(|(i, shade)| {
            let low = i.checked_sub(1).and_then(|i| limits.get(i));
            let high = limits.get(i);
            let from = low.map_or(Test::Any, |low| Test::AtLeast("rate_mean", *low));
            let to = high.map_or(Test::Any, |high| Test::Below("rate_mean", *high));
            let range = range(low, high);
            rule(filter.clone().and(from).and(to), format!("{what} {range}, {interval}"), fill(shade))
        })
        .collect()
}

/// The estimated rates that get a colour.
fn sure_rates(view: &LayerView<'_>) -> Vec<f64> {
    let at = |name: &str| view.fields().iter().position(|f| f.name == name);
    let (Some(mean), Some(p05), Some(p95)) = (at("rate_mean"), at("rate_p05"), at("rate_p95")) else {
        return Vec::new();
    };
    view.rows()
        .filter_map(|row| {
            let [mean, p05, p95] = [mean, p05, p95].map(|i| row.value(i).as_f64());
            mean.zip(p05.zip(p95)).filter(|(mean, (p05, p95))| p95 - p05 <= WIDE * mean).map(|(mean, _)| mean)
        })
        .collect()
}

fn crossings(view: &LayerView<'_>, lang: Lang) -> Vec<Rule> {
    let limits = limits(view.numbers("mean"), &[0.33, 0.66]);
    let size = Steps::new("mean", &limits, &[2.0, 3.2, 4.6]);
    let open = with_doubt(marker("circle", "44,123,182,255", 3.2), view).sized(size);
    let mut rules = vec![
        rule(Test::True("closed"), lang.pick("cerrado", "closed"), marker("cross2", "90,90,90,255", 2.6)),
        rule(
            Test::NotTrue("closed", false).and(Test::NotTrue("joined", true)),
            lang.pick("no unido a la red", "not joined to the network"),
            marker("circle", "255,255,255,255", 2.0),
        ),
        rule(Test::Else, lang.pick("abierto y unido a la red", "open and joined"), open),
    ];
    for (limit, size) in limits.iter().zip([3.2, 4.6]) {
        let label =
            format!("{} ≥ {}", lang.pick("tamaño: parte del flujo", "size: flow share"), percent(*limit));
        rules.push(rule(Test::Never, label, marker("circle", "200,200,200,255", size)));
    }
    rules.extend(doubt_legend(view, lang, |color| marker("circle", color, 3.2)));
    rules
}

fn checkpoints(lang: Lang) -> Vec<Rule> {
    vec![
        rule(
            Test::Text("kind", "proposed"),
            lang.pick("propuesto", "proposed"),
            marker("diamond", "230,97,1,255", 4.2),
        ),
        rule(
            Test::Text("kind", "existing").and(Test::True("counts_as_coverage")),
            lang.pick("existente, cuenta como cobertura", "existing, counts as coverage"),
            marker("square", "94,60,153,255", 3.2),
        ),
        rule(
            Test::Else,
            lang.pick("existente, no cuenta como cobertura", "existing, does not count as coverage"),
            marker("square", "190,190,190,255", 2.6),
        ),
    ]
}

fn worksites(view: &LayerView<'_>, lang: Lang) -> Vec<Rule> {
    let class = |color, size| with_doubt(marker("circle", color, size), view);
    let place = lang.pick("lugar", "place");
    let mut rules = vec![
        rule(Test::AtMost("rank", 10.0), format!("{place} 1 – 10"), class("153,52,4,255", 3.4)),
        rule(
            Test::Above("rank", 10.0).and(Test::AtMost("rank", 50.0)),
            format!("{place} 11 – 50"),
            class("254,153,41,255", 2.6),
        ),
        rule(Test::Above("rank", 50.0), format!("{place} 51 – …"), class("254,217,142,255", 1.8)),
        rule(Test::Else, lang.pick("sin lugar", "no place"), marker("circle", "225,225,225,255", 1.6)),
    ];
    rules.extend(doubt_legend(view, lang, |color| marker("circle", color, 2.6)));
    rules
}

fn diagnostics(lang: Lang) -> Vec<Rule> {
    const KINDS: [(&str, &str, &str, &str, &str); 4] = [
        ("unsnapped", "lejos de la red", "far from the network", "triangle", "240,228,66,255"),
        ("disconnected", "parte aislada", "isolated part", "pentagon", "86,180,233,255"),
        ("shared_polygon", "polígono compartido", "shared polygon", "square", "204,121,167,255"),
        ("dropped", "registro descartado", "record left out", "cross2", "213,94,0,255"),
    ];
    let mut rules: Vec<Rule> = KINDS
        .into_iter()
        .map(|(kind, es, en, shape, color)| {
            rule(Test::Text("kind", kind), lang.pick(es, en), marker(shape, color, 2.6))
        })
        .collect();
    rules.push(rule(Test::Else, lang.pick("otro", "other"), marker("circle", "150,150,150,255", 2.0)));
    rules
}

fn plain(view: &LayerView<'_>) -> Vec<Rule> {
    let symbol = match view.geometry() {
        LayerGeometry::Point => marker("circle", "44,123,182,255", 2.4),
        LayerGeometry::MultiLineString => line("44,123,182,255", 0.6),
        LayerGeometry::MultiPolygon => fill("200,220,235,255"),
        LayerGeometry::None => return Vec::new(),
    };
    vec![rule(Test::Any, "", symbol)]
}

#[cfg(test)]
mod tests {
    use quick_xml::Reader;
    use quick_xml::events::Event;

    use super::doubt::{OPACITY, certainty};
    use super::*;
    use crate::layers::feature::Tier;
    use crate::layers::samples;

    fn all(lang: Lang) -> Vec<(&'static str, String)> {
        let header = Header { lang, ..samples::header(Tier::Restricted) };
        samples::all()
            .iter()
            .map(|layer| {
                let view = LayerView::new(layer, Tier::Restricted).unwrap().unwrap();
                (view.name(), qml(&view, &header).unwrap())
            })
            .collect()
    }

    #[test]
    fn every_style_is_well_formed_and_rules_have_their_symbols() {
        for (name, text) in all(Lang::Es) {
            let (mut rules, mut symbols, mut aliases) = (0, 0, 0);
            let mut reader = Reader::from_str(&text);
            loop {
                match reader.read_event().unwrap() {
                    Event::Eof => break,
                    Event::Start(e) | Event::Empty(e) => {
                        assert!(e.attributes().all(|a| a.is_ok()), "{name}");
                        match e.name().as_ref() {
                            "rule" => rules += 1,
                            "symbol" if !e.attributes().flatten().any(|a| a.value.starts_with('@')) => {
                                symbols += 1;
                            }
                            "alias" => aliases += 1,
                            _ => {}
                        }
                    }
                    _ => {}
                }
            }
            assert!(rules > 1 && rules == symbols, "{name}: {rules} rules, {symbols} symbols");
            assert_eq!(aliases, crate::layers::schema::by_name(name).unwrap().fields.len());
            assert!(text.contains("BORRADOR"), "{name}");
        }
    }

    #[test]
    fn aliases_and_legends_are_in_the_language() {
        let (es, en) = (all(Lang::Es), all(Lang::En));
        assert!(es[0].1.contains("name=\"Tasa anual\"") && es[0].1.contains("sin datos"));
        assert!(en[0].1.contains("name=\"Yearly rate\"") && en[0].1.contains("no data"));
        assert!(!en[0].1.contains("sin datos"));
    }

    #[test]
    fn the_wider_the_interval_the_fewer_the_colours() {
        for (lang, words) in [
            (
                Lang::Es,
                ["intervalo ≤ 75 %", "intervalo 75 % – 150 % de la tasa", "muy incierta", "sin datos"],
            ),
            (Lang::En, ["interval ≤ 75 %", "interval 75 % – 150 % of the rate", "very uncertain", "no data"]),
        ] {
            let layer = samples::municipalities();
            let view = LayerView::new(&layer, Tier::Public).unwrap().unwrap();
            let rules = municipalities(&view, lang);
            let of = |word: &str| rules.iter().filter(|r| r.label.contains(word)).count();
            let colours: Vec<_> = rules.iter().map(|r| r.symbol.shape.color().to_owned()).collect();
            assert!(colours.iter().enumerate().all(|(i, c)| !colours[..i].contains(c)), "{colours:?}");
            let found = words.map(of);
            assert_eq!(found[1..], [2, 1, 1], "{lang:?}");
            assert!(found[0] > found[1], "{lang:?} {found:?}");
            assert!(matches!(
                rules[rules.len() - 2].symbol.shape,
                legend::Shape::Fill { hatching: Some(_), .. }
            ));
            assert_eq!(rules.last().map(|r| &r.test), Some(&Test::Else));
        }
        // Without a rate that is sure enough there is still a legend.
        let empty =
            crate::layers::feature::Layer { def: &crate::layers::schema::MUNICIPALITIES, features: vec![] };
        let view = LayerView::new(&empty, Tier::Public).unwrap().unwrap();
        assert_eq!(municipalities(&view, Lang::Es).len(), 4);
    }

    #[test]
    fn paleness_is_in_the_legend_with_the_classes_that_are_drawn() {
        for (lang, words) in [
            (Lang::Es, ["palidez: pertenencia mínima", "palidez: probabilidad de estar arriba"]),
            (Lang::En, ["paleness: lowest membership", "paleness: probability of the top"]),
        ] {
            let mut seen = 0;
            for layer in samples::all() {
                let view = LayerView::new(&layer, Tier::Restricted).unwrap().unwrap();
                let rules = match view.name() {
                    "roads" | "corridors" => flow_lines(&view, lang, &[1.0, 2.0, 3.0, 4.0]),
                    "crossings" => crossings(&view, lang),
                    "worksites" => worksites(&view, lang),
                    _ => continue,
                };
                let c = certainty(&view).unwrap();
                let word = words[usize::from(c.field == "pr_top")];
                let told: Vec<&Rule> = rules.iter().filter(|r| r.label.starts_with(word)).collect();
                assert_eq!(told.len(), OPACITY.len(), "{}", view.name());
                assert_eq!(told[0].label, format!("{word} < {}", c.limits[0]));
                assert_eq!(told[3].label, format!("{word} ≥ {}", c.limits[2]));
                // What is drawn changes at the limits of the legend, and to its opacities.
                let drawn: Vec<String> =
                    rules.iter().filter_map(|r| r.symbol.opacity.as_ref()).map(Steps::expression).collect();
                assert!(!drawn.is_empty() && told.iter().all(|r| r.symbol.opacity.is_none()));
                for (limit, percent) in c.limits.iter().zip(&OPACITY[1..]) {
                    let class = format!("WHEN \"{}\" >= {limit} THEN {percent}", c.field);
                    assert!(drawn.iter().all(|e| e.contains(&class)), "{class}: {drawn:?}");
                }
                let alphas = told.iter().map(|r| {
                    let color = r.symbol.shape.color();
                    color.rsplit(',').next().unwrap().parse::<f64>().unwrap() / 2.55
                });
                assert!(alphas.zip(OPACITY).all(|(a, percent)| (a - percent).abs() < 0.5), "{}", view.name());
                seen += 1;
            }
            assert_eq!(seen, 4);
        }
    }

    #[test]
    fn a_change_is_drawn_by_one_rule() {
        let layer = samples::all().into_iter().find(|layer| layer.def.name == "roads_change").unwrap();
        let view = LayerView::new(&layer, Tier::Restricted).unwrap().unwrap();
        let rules = rules(&view, Lang::Es);
        let told: Vec<Vec<&str>> = view
            .rows()
            .map(|row| {
                let those = rules.iter().filter(|rule| rule.test.holds(&view, &row));
                those.map(|rule| rule.label.as_str()).collect()
            })
            .collect();
        let words = |i: usize| told[i].join("|");
        assert_eq!(words(0), "", "left to the last rule");
        assert_eq!(words(1), "sube ≥ 5 puntos porcentuales");
        assert_eq!(words(2), "baja ≥ 1 puntos porcentuales");
        assert_eq!(words(3), "cerrado en el escenario");
        assert_eq!(words(4), "sube en promedio, sin dirección segura");
        assert_eq!(words(5), "baja en promedio, sin dirección segura");
        assert!(rules.iter().all(|rule| !rule.label.is_empty()));
    }

    #[test]
    fn widths_come_from_the_data_and_labels_from_the_name() {
        let styles = all(Lang::Es);
        let of = |name: &str| &styles.iter().find(|style| style.0 == name).unwrap().1;
        assert!(of("roads").contains("WHEN &quot;mean&quot; &gt;= 0.9 THEN"), "{}", of("roads"));
        let corridors = of("corridors");
        assert!(corridors.contains("labelsEnabled=\"1\"") && corridors.contains("replace(&quot;name&quot;"));
        // None is drawn over another, and the first corridors go first.
        for style in ["corridors", "crossings"].map(of) {
            assert!(style.contains("displayAll=\"0\""), "{style}");
            assert!(style.contains("<Option type=\"Map\" name=\"Priority\">"), "{style}");
        }
        // Names of places would cover the map of a whole state.
        for (name, scale) in [("municipalities", "750000"), ("roads", "300000"), ("worksites", "25000")] {
            assert!(of(name).contains(&format!("scaleMax=\"{scale}\"")), "{}", of(name));
        }
        assert!(of("diagnostics").contains("labelsEnabled=\"0\""));
        assert_eq!(percent(0.015), "1.5 %");
        assert_eq!(percent(0.2), "20 %");
    }
}
