//! The annex: notices, all corridors, method, parameters, data and their gaps, sensitivity, checks, people, glossary.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Source;
use super::document::{Block, Column, Figure, Point, Section, Table};
use super::parameters;
use super::planner::{corridors, dash, known, referral};
use super::plot::{Whisker, height, whiskers};
use super::records::{Record, cut, records, view};
use crate::layers::feature::{Lang, Tier};
use crate::layers::telling::{REASONS, key, part, percent, plain, word as code_word};
use crate::layers::words::{fill, text};

/// Rows of the table of all corridors; more are for the layer.
const ROWS: usize = 60;
/// Names in one cell, characters.
const LIST: usize = 400;
/// Width of the annex' plots, millimetres.
const WIDTH: f64 = 120.0;
/// Corridors whose sensitivity is drawn.
const DRAWN: usize = 3;
/// Terms of the glossary: layer and field. Those that the audience does not see are left out.
const TERMS: [(&str, &str); 14] = [
    ("corridors", "mean"),
    ("corridors", "p05"),
    ("corridors", "rank"),
    ("corridors", "pr_top"),
    ("corridors", "pr_rank10"),
    ("corridors", "lift"),
    ("corridors", "demand_share"),
    ("corridors", "censored_share"),
    ("corridors", "membership"),
    ("corridors", "border_zone"),
    ("municipalities", "rate_mean"),
    ("municipalities", "pr_above"),
    ("municipalities", "pr_hot"),
    ("checkpoints", "flow_met"),
];

/// What the method stands on.
const REFERENCES: [&str; 15] = [
    "Clayton, D., Kaldor, J. (1987). Biometrics 43:671–681.",
    "Wilson, A. G. (1971). Environment and Planning 3:1–32. doi:10.1068/a030001",
    "Dial, R. B. (1971). Transportation Research 5:83–111. doi:10.1016/0041-1647(71)90012-8",
    "Fosgerau, M., Frejinger, E., Karlström, A. (2013). Transportation Research B 56:70–80. doi:10.1016/j.trb.2013.07.012",
    "Jansen, M. J. W. (1999). Computer Physics Communications 117:35–43.",
    "Saltelli, A. et al. (2010). Computer Physics Communications 181:259–270. doi:10.1016/j.cpc.2009.09.018",
    "Daganzo, C. F., Sheffi, Y. (1977). Transportation Science 11:253–274. doi:10.1287/trsc.11.3.253",
    "Sheffi, Y. (1985). Urban Transportation Networks. Prentice-Hall, ch. 11.",
    "Dibbelt, J., Strasser, B., Wagner, D. (2016). ACM J. Exp. Algorithmics 21. doi:10.1145/2886843",
    "Buchhold, V., Sanders, P., Wagner, D. (2019). ACM J. Exp. Algorithmics 24. doi:10.1145/3362693",
    "Hodgson, M. J. (1990). Geographical Analysis 22:270–279. doi:10.1111/j.1538-4632.1990.tb00210.x",
    "Ord, J. K., Getis, A. (1995). Geographical Analysis 27:286–306. doi:10.1111/j.1538-4632.1995.tb00912.x",
    "Benjamini, Y., Hochberg, Y. (1995). J. R. Stat. Soc. B 57:289–300.",
    "Correll, M., Moritz, D., Heer, J. (2018). CHI ’18. doi:10.1145/3173574.3174216",
    "Ensign, D. et al. (2018). Runaway feedback loops in predictive policing. PMLR 81:160–171.",
];

/// All sections of the annex.
pub(super) fn sections(source: &Source<'_>) -> Vec<Section> {
    let mut out = vec![notices(source)];
    out.extend(all_corridors(source));
    out.extend([method(source)]);
    out.extend(own_parameters(source));
    out.extend([data(source), sensitivity(source), checks(source), people(source)]);
    out.extend(referral(source, "referral"));
    out.push(glossary(source));
    out
}

fn word(lang: Lang, key: &str) -> String {
    text(lang, &format!("report.{key}"))
}

fn section(lang: Lang, id: &'static str, title: &str, blocks: Vec<Block>) -> Section {
    Section { id, title: word(lang, title), blocks }
}

/// Points without a lead.
fn list(lines: impl IntoIterator<Item = String>) -> Block {
    Block::Points { points: lines.into_iter().map(|line| Point::new("", line)).collect(), wide: false }
}

fn notices(source: &Source<'_>) -> Section {
    let lang = source.lang;
    let said = source.notices.iter().chain(source.limits).map(|words| words.pick(lang).to_owned());
    section(lang, "notices", "notices.title", vec![list(said)])
}

fn all_corridors(source: &Source<'_>) -> Option<Section> {
    let lang = source.lang;
    let all = corridors(source);
    if all.is_empty() {
        return None;
    }
    let head = |key: &str| word(lang, &format!("corridors.{key}"));
    let columns = vec![
        Column::numbers(word(lang, "ranking.rank")),
        Column::words(word(lang, "ranking.name"), 3),
        Column::words(head("municipalities"), 3),
        Column::numbers(head("membership")),
        Column::numbers(head("uncertain")),
        Column::words(head("reasons"), 7),
    ];
    let rows: Vec<Vec<String>> = all
        .iter()
        .take(ROWS)
        .map(|r| {
            let cells = vec![
                r.told("rank", lang),
                r.text("name"),
                cut(&r.told("municipalities", lang), LIST),
                r.told("membership", lang),
                r.told("censored_share", lang),
                reasons(r, lang),
            ];
            cells.into_iter().map(|cell| dash(cell, lang)).collect()
        })
        .collect();
    let params =
        [("shown", rows.len().to_string()), ("n", all.len().to_string()), ("layer", "corridors".to_owned())];
    let note = if all.len() > rows.len() { fill(lang, "report.more_rows", &params) } else { String::new() };
    let table = Table { caption: head("caption"), columns, rows, header: 1, note, codes: false };
    Some(section(lang, "all-corridors", "corridors.title", vec![Block::Table(table)]))
}

/// The contributions to a value that are above nothing, as on the map.
fn reasons(record: &Record<'_>, lang: Lang) -> String {
    let value = record.value("reasons");
    let one = |reason: &Value| {
        let x = reason["value"].as_f64().filter(|x| *x != 0.0)?;
        let factor = reason["factor"].as_str().unwrap_or_default();
        let label = if REASONS.contains(&factor) {
            text(lang, &key("reason", factor))
        } else {
            reason["label"].as_str().unwrap_or(factor).to_owned()
        };
        Some(format!("{label}: {}", part(record.view.name(), x)))
    };
    let all: Vec<String> = value.as_array().into_iter().flatten().filter_map(one).collect();
    all.join("; ")
}

fn method(source: &Source<'_>) -> Section {
    let lang = source.lang;
    let points = ["counts", "demand", "routes", "corridors", "uncertainty"].map(|key| {
        Point::new(word(lang, &format!("method.{key}")), word(lang, &format!("method.{key}_text")))
    });
    let references = REFERENCES.iter().map(|line| (*line).to_owned());
    let blocks = vec![
        Block::Points { points: points.into(), wide: false },
        Block::paragraph(word(lang, "method.references")),
        list(references),
    ];
    section(lang, "method", "method.title", blocks)
}

fn own_parameters(source: &Source<'_>) -> Option<Section> {
    let blocks = parameters::blocks(source.manifest.parameters.as_ref(), source.lang);
    (!blocks.is_empty()).then(|| section(source.lang, "parameters", "parameters.title", blocks))
}

fn data(source: &Source<'_>) -> Section {
    let lang = source.lang;
    let head = |key: &str| word(lang, &format!("data.{key}"));
    let mut blocks = Vec::new();
    if !source.attributions.is_empty() {
        blocks.push(Block::paragraph(head("attributions")));
        blocks.push(list(source.attributions.iter().cloned()));
    }
    let inputs = &source.manifest.inputs;
    if inputs.is_empty() {
        if source.audience == Tier::Public {
            blocks.push(Block::note(head("sealed")));
        }
    } else {
        let columns = vec![
            Column::words(head("source"), 1),
            Column::words(head("file"), 3),
            Column::numbers(head("records")),
            Column::words("SHA-256", 8),
        ];
        let rows = inputs
            .iter()
            .map(|input| {
                let file = input
                    .layer
                    .as_ref()
                    .map_or_else(|| input.file.clone(), |layer| format!("{} · {layer}", input.file));
                let records = input.records.map_or_else(|| word(lang, "no_value"), |n| n.to_string());
                let source = format!("report.data.of.{}", input.source);
                let source = parameters::known(&source, lang).unwrap_or_else(|| input.source.clone());
                vec![source, file, records, input.sha256.clone()]
            })
            .collect();
        let note = String::new();
        blocks.push(Block::Table(Table {
            caption: head("inputs"),
            columns,
            rows,
            header: 1,
            note,
            codes: true,
        }));
    }
    blocks.push(Block::paragraph(head("gaps")));
    blocks.push(list(gaps(source)));
    section(lang, "data", "data.title", blocks)
}

/// What is missing of the data, as far as the audience may know.
fn gaps(source: &Source<'_>) -> Vec<String> {
    let lang = source.lang;
    let told = |key: &str, params: &[(&str, String)]| fill(lang, &format!("report.data.{key}"), params);
    let number = |path: &str| source.manifest.statistics.pointer(path).and_then(Value::as_f64);
    let mut out = Vec::new();
    if let Some(numbers) = known(source) {
        let [exact, interval, unknown] = numbers.map(|n| n.to_string());
        out.push(told("gap_counts", &[("exact", exact), ("interval", interval), ("unknown", unknown)]));
    }
    if let Some(view) = view(source.views, "municipalities") {
        let n =
            records(view).filter(|r| r.row.geometry().is_none() || !r.text("polygon_of").is_empty()).count();
        if n > 0 {
            out.push(told("gap_no_polygon", &[("n", n.to_string())]));
        }
    }
    if let (Some(links), Some(km), Some(parts)) =
        (number("/network/links"), number("/network/length_km"), number("/network/components"))
    {
        let params = [("links", plain(links)), ("km", plain(km.round())), ("parts", plain(parts))];
        out.push(told("gap_network", &params));
    }
    if let Some(n) = number("/network/closed_links").filter(|n| *n > 0.0) {
        out.push(told("gap_closed", &[("n", plain(n))]));
    }
    let all = corridors(source);
    let schematic = all.iter().filter(|r| r.is_true("schematic")).count();
    if schematic > 0 {
        out.push(told("gap_schematic", &[("n", schematic.to_string()), ("all", all.len().to_string())]));
    }
    if let Some(view) = view(source.views, "diagnostics") {
        let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
        records(view).for_each(|r| *kinds.entry(r.text("kind")).or_default() += 1);
        let list: Vec<String> =
            kinds.iter().map(|(kind, n)| format!("{} {n}", code_word(kind, lang))).collect();
        if !list.is_empty() {
            out.push(told("gap_diagnostics", &[("list", list.join(", "))]));
        }
    }
    out
}

fn sensitivity(source: &Source<'_>) -> Section {
    let lang = source.lang;
    let here = |blocks| section(lang, "sensitivity", "sensitivity.title", blocks);
    let Some(view) = view(source.views, "sensitivity").filter(|view| !view.is_empty()) else {
        return here(vec![Block::paragraph(word(lang, "sensitivity.none"))]);
    };
    let names: BTreeMap<String, String> =
        corridors(source).iter().map(|r| (r.row.id().to_owned(), r.text("name"))).collect();
    let head = |key: &str| word(lang, &format!("sensitivity.{key}"));
    let corridor = |r: &Record<'_>| {
        let told = r.text("corridor");
        names.get(&told).cloned().unwrap_or(told)
    };
    let parameter = |r: &Record<'_>| {
        let told = r.told("parameter", lang);
        let key = format!("report.parameters.of.parameters_{told}");
        Some(text(lang, &key)).filter(|found| *found != key).unwrap_or(told)
    };
    let spread = |r: &Record<'_>, field: &str| -> Option<[f64; 3]> {
        let bound = |end: &str| r.number(&format!("{field}_{end}"));
        Some([r.number(field)?, bound("p05")?, bound("p95")?])
    };
    let told = |r: &Record<'_>, field: &str| match (spread(r, field), r.number(field)) {
        (Some([x, low, high]), _) => format!("{} ({} – {})", plain(x), plain(low), plain(high)),
        (None, Some(x)) => plain(x),
        (None, None) => word(lang, "no_value"),
    };
    let rows: Vec<Vec<String>> = records(view)
        .map(|r| vec![corridor(&r), parameter(&r), told(&r, "first"), told(&r, "total")])
        .collect();
    let columns = vec![
        Column::words(head("corridor"), 3),
        Column::words(head("parameter"), 2),
        Column::numbers(head("first")),
        Column::numbers(head("total")),
    ];
    let note = String::new();
    let mut blocks = Vec::new();
    // Corridors in the order of the table, each with its parameters.
    let mut done = BTreeSet::new();
    let plots = ["sensitivity-1", "sensitivity-2", "sensitivity-3"];
    for record in records(view) {
        let name = corridor(&record);
        if done.len() >= DRAWN || !done.insert(name.clone()) {
            continue;
        }
        let bars: Vec<Whisker> = records(view)
            .filter(|r| corridor(r) == name)
            .filter_map(|r| {
                let label = cut(&parameter(&r), 40);
                Some(Whisker { label, spread: spread(&r, "total")?, color: "#2c5f8a".to_owned() })
            })
            .collect();
        let Some(file) = plots.get(done.len() - 1).filter(|_| !bars.is_empty()) else { continue };
        let told: Vec<String> = bars.iter().map(|b| format!("{} {}", b.label, plain(b.spread[0]))).collect();
        let caption = fill(lang, "report.sensitivity.plot", &[("name", name.as_str())]);
        blocks.push(Block::Figure(Figure {
            name: file,
            alt: format!("{caption} {}.", told.join("; ")),
            caption,
            width: WIDTH,
            height: height(bars.len()),
            svg: whiskers(&bars, WIDTH, plain),
        }));
    }
    blocks.push(Block::Table(Table {
        caption: head("caption"),
        columns,
        rows,
        header: 0,
        note,
        codes: false,
    }));
    here(blocks)
}

fn checks(source: &Source<'_>) -> Section {
    let lang = source.lang;
    let mut lines: Vec<String> =
        ["routing", "sums", "repeat", "verify"].map(|key| word(lang, &format!("checks.{key}"))).into();
    let halves = source.manifest.statistics.pointer("/corridors/halves");
    let number = |name: &str| halves.and_then(|h| h.get(name)).and_then(Value::as_f64);
    if let (Some(jaccard), Some(rand)) = (number("jaccard"), number("adjusted_rand")) {
        let params = [("jaccard", plain(jaccard)), ("rand", plain(rand))];
        lines.push(fill(lang, "report.checks.halves", &params));
    }
    let models = source.manifest.statistics.get("cross_checks");
    let spearman = |paths: &[&str]| {
        let found = paths.iter().find_map(|path| models?.pointer(path)?.as_f64());
        found.map_or_else(|| "–".to_owned(), plain)
    };
    if models.is_some_and(Value::is_object) {
        let recursive = ["/recursive_logit/links_spearman", "/sharper/recursive_logit/links_spearman"];
        let params = [("dial", spearman(&["/dial/links_spearman"])), ("recursive", spearman(&recursive))];
        lines.push(fill(lang, "report.checks.models", &params));
    }
    section(lang, "checks", "checks.title", vec![list(lines)])
}

fn people(source: &Source<'_>) -> Section {
    let lang = source.lang;
    let lines = ["inputs", "small", "places", "use", "draft"].map(|key| word(lang, &format!("people.{key}")));
    section(lang, "people", "people.title", vec![list(lines)])
}

fn glossary(source: &Source<'_>) -> Section {
    let lang = source.lang;
    let points = TERMS
        .iter()
        .filter_map(|(layer, field)| {
            let view = view(source.views, layer)?;
            let def = view.fields().iter().find(|f| f.name == *field)?;
            Some(Point::new(def.alias(lang), def.about(lang)))
        })
        .collect();
    let mut blocks = vec![Block::Points { points, wide: false }];
    blocks.push(Block::note(fill(
        lang,
        "report.glossary.interval",
        &[("low", percent(0.05, true)), ("high", percent(0.95, true))],
    )));
    section(lang, "glossary", "glossary.title", blocks)
}
