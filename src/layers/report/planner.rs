//! The two pages for a planner: where the corridors are, what changed, how sure it is, what it does not say.
//!
//! Both are kept within a page of paper: lists and names have a length that they do not go beyond, and what is longer
//! stands whole in the annex or in a layer.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Source;
use super::document::{Block, Column, Figure, Point, Section, Table};
use super::picture::{self, NUMBERED};
use super::plot::{Whisker, height, whiskers};
use super::records::{Record, cut, records, view};
use super::svg::color;
use crate::corridors::agreement::SURE;
use crate::layers::feature::{Lang, Tier};
use crate::layers::style::holds::first;
use crate::layers::style::rules;
use crate::layers::telling::{percent, plain, points, ranks, says_nothing};
use crate::layers::words::{fill, text};

/// Longest name in a table of these pages, in characters.
const NAME: usize = 60;
/// Rows of the tables of the second page.
const POSTS: usize = 8;
const CHANGES: usize = 4;
/// Characters of the study's own remarks on the second page, and of one of them.
const REMARKS: usize = 520;
const REMARK: usize = 260;
/// With more lines than these in title and table the map is smaller, so that all has its place.
const LINES: usize = 11;
/// Width of the column beside the map, millimetres.
const BESIDE: f64 = 62.0;

/// Both pages.
pub(super) fn pages(source: &Source<'_>) -> [Vec<Section>; 2] {
    let mut second = vec![change(source)];
    second.extend(posts(source));
    second.extend([sure(source), limits(source)]);
    second.extend(referral(source, "way"));
    [vec![what(source), map(source), ranking(source)], second]
}

fn word(lang: Lang, key: &str) -> String {
    text(lang, &format!("report.{key}"))
}

fn section(lang: Lang, id: &'static str, title: &str, blocks: Vec<Block>) -> Section {
    Section { id, title: word(lang, title), blocks }
}

fn what(source: &Source<'_>) -> Section {
    let lang = source.lang;
    let points = ["is", "is_not"]
        .map(|key| Point::new(word(lang, &format!("what.{key}")), word(lang, &format!("what.{key}_text"))));
    let lines = source.notices.iter().map(|words| cut(words.pick(lang), 160)).collect();
    let blocks = vec![Block::Points { points: points.into(), wide: true }, Block::Notices { lines }];
    section(lang, "what", "what.title", blocks)
}

/// The corridors in the order of their ranks.
pub(super) fn corridors<'a>(source: &Source<'a>) -> Vec<Record<'a>> {
    let mut all: Vec<Record<'_>> = view(source.views, "corridors").into_iter().flat_map(records).collect();
    all.sort_by(|a, b| {
        let rank = |r: &Record<'_>| r.number("rank").unwrap_or(f64::INFINITY);
        rank(a).total_cmp(&rank(b)).then_with(|| a.row.id().cmp(b.row.id()))
    });
    all
}

fn map(source: &Source<'_>) -> Section {
    let lang = source.lang;
    let figure = picture::map(source.views, &cut(&source.subject.region, 60), lang).map(Block::Figure);
    let mut right = vec![Block::Legend(picture::legend(source.views, lang))];
    right.extend(plot(source).map(Block::Figure));
    let blocks = match figure {
        Some(map) => vec![Block::Columns { left: vec![map], right, dense: dense(source) }],
        None => right,
    };
    section(lang, "map-section", "map.title", blocks)
}

/// Whether title and table take so much of the page that the map must be smaller.
fn dense(source: &Source<'_>) -> bool {
    let lines = |text: &str, width: usize| text.chars().count().min(3 * width).div_ceil(width);
    let names = corridors(source).iter().take(NUMBERED).map(|r| lines(&r.text("name"), 27)).sum::<usize>();
    // The name of a scenario stands before the title, and what it is among the notices.
    let scenario = if source.subject.scenario.is_some() { 3 } else { 0 };
    scenario + names + 2 * lines(&source.subject.title, 56) + lines(&source.subject.region, 40) > LINES + 3
}

/// The colour of a corridor on the map.
fn line_color(record: &Record<'_>, lang: Lang) -> String {
    let rules = rules(record.view, lang);
    first(&rules, record.view, &record.row)
        .map_or_else(|| "#666666".to_owned(), |rule| color(rule.symbol.shape.color(), 0.0))
}

fn plot(source: &Source<'_>) -> Option<Figure> {
    let lang = source.lang;
    let shown: Vec<Record<'_>> = corridors(source).into_iter().take(NUMBERED).collect();
    let rows: Vec<Whisker> = shown
        .iter()
        .enumerate()
        .filter_map(|(i, r)| {
            let road = cut(&r.text("ref"), 12);
            let label = if road.is_empty() { (i + 1).to_string() } else { format!("{} · {road}", i + 1) };
            Some(Whisker { label, spread: r.spread("mean")?, color: line_color(r, lang) })
        })
        .collect();
    if rows.is_empty() {
        return None;
    }
    let list: Vec<String> =
        shown.iter().enumerate().map(|(i, r)| format!("{} {}", i + 1, r.interval("mean", lang))).collect();
    Some(Figure {
        name: "plot",
        caption: word(lang, "ranking.plot"),
        alt: fill(lang, "report.ranking.plot_alt", &[("list", list.join("; "))]),
        width: BESIDE,
        height: height(rows.len()),
        svg: whiskers(&rows, BESIDE, percent_tick),
    })
}

/// A tick of an axis of shares.
pub(super) fn percent_tick(share: f64) -> String {
    format!("{} %", plain(n6(100.0 * share)))
}

fn n6(x: f64) -> f64 {
    format!("{x:.6}").parse().unwrap_or(x)
}

fn ranking(source: &Source<'_>) -> Section {
    let lang = source.lang;
    let all = corridors(source);
    let here = |blocks| section(lang, "ranking", "ranking.title", blocks);
    let Some(one) = all.first() else {
        let key = if view(source.views, "corridors").is_some() { "ranking.none" } else { "ranking.absent" };
        return here(vec![Block::paragraph(word(lang, key))]);
    };
    let head = |key: &str| word(lang, &format!("ranking.{key}"));
    let candidates = one.number("n_candidates");
    // With few candidates all are among the first ten: what `pr_top` says of the first is told instead.
    let (probability, title) = if says_nothing("pr_rank10", candidates) {
        let first = (candidates.unwrap_or(0.0) / 10.0).floor().max(1.0);
        let some = fill(lang, "report.ranking.first_some", &[("first", plain(first))]);
        ("pr_top", if first > 1.0 { some } else { head("first") })
    } else {
        ("pr_rank10", head("first_ten"))
    };
    let columns = vec![
        Column::numbers(head("rank")),
        Column::words(head("name"), 1),
        Column::numbers(head("share")),
        Column::numbers(head("ranks")),
        Column::numbers(title),
        Column::numbers(head("lift")),
        Column::numbers(head("km")),
        Column::numbers(head("minutes")),
        Column::numbers(head("border")),
    ];
    let whole = |r: &Record<'_>, field: &str| r.number(field).map_or_else(String::new, |x| plain(x.round()));
    let rows = all
        .iter()
        .take(NUMBERED)
        .map(|r| {
            let range = r.number("rank_p05").zip(r.number("rank_p95"));
            let cells = vec![
                r.told("rank", lang),
                cut(&r.text("name"), NAME),
                r.interval("mean", lang),
                range.map_or_else(String::new, |(low, high)| ranks(low, high)),
                r.told(probability, lang),
                r.interval("lift", lang),
                whole(r, "length_km"),
                whole(r, "time_min"),
                r.told("border_zone", lang),
            ];
            cells.into_iter().map(|cell| dash(cell, lang)).collect()
        })
        .collect();
    let mut note = head("border_note");
    if all.len() > NUMBERED {
        let params = [
            ("shown", NUMBERED.to_string()),
            ("n", all.len().to_string()),
            ("layer", "corridors".to_owned()),
        ];
        note = format!("{note} {}", fill(lang, "report.more_rows", &params));
    }
    let table = Table { caption: head("caption"), columns, rows, header: 1, note, codes: false };
    here(vec![Block::Table(table), Block::note(text(lang, "page.ranked_hint"))])
}

/// A cell that says that there is nothing, where there is nothing.
pub(super) fn dash(cell: String, lang: Lang) -> String {
    if cell.is_empty() { word(lang, "no_value") } else { cell }
}

/// What a scenario changes: of each road and direction of change, the link that changes most.
fn change(source: &Source<'_>) -> Section {
    let lang = source.lang;
    let here = |blocks| section(lang, "change", "change.title", blocks);
    let Some(view) = view(source.views, "roads_change") else {
        return here(vec![Block::paragraph(word(lang, "change.none"))]);
    };
    let mut all: Vec<(f64, Record<'_>)> =
        records(view).filter_map(|r| Some((r.number("change")?, r))).filter(|(x, _)| *x != 0.0).collect();
    if all.is_empty() {
        return here(vec![Block::paragraph(word(lang, "change.nothing"))]);
    }
    all.sort_by(|a, b| b.0.abs().total_cmp(&a.0.abs()).then_with(|| a.1.row.id().cmp(b.1.row.id())));
    // The links of a road between two junctions change alike: one stands for all.
    let mut roads = BTreeSet::new();
    let road = |(change, r): &(f64, Record<'_>)| {
        let reference = r.text("ref");
        let own = if reference.is_empty() { r.row.id().to_owned() } else { reference };
        (own, *change > 0.0)
    };
    all.retain(|one| roads.insert(road(one)));
    let head = |key: &str| word(lang, &format!("change.{key}"));
    let columns = vec![
        Column::words(head("link"), 1),
        Column::numbers(head("base")),
        Column::numbers(head("scenario")),
        Column::numbers(head("change")),
        Column::numbers(head("rises")),
    ];
    let share = |r: &Record<'_>, field: &str| {
        r.number(field).map_or_else(|| dash(String::new(), lang), |x| percent(x, false))
    };
    let named = |r: &Record<'_>| {
        let name = cut(&r.text("name"), NAME);
        let closed = r.told("closed", lang) == text(lang, "page.yes");
        if closed { format!("{name} ({})", text(lang, "value.closed")) } else { name }
    };
    let rows: Vec<Vec<String>> = all
        .iter()
        .take(CHANGES)
        .map(|(change, r)| {
            let spread = r.number("change_p05").zip(r.number("change_p95"));
            let spread =
                spread.map_or_else(String::new, |(l, h)| format!(" ({} – {})", points(l), points(h)));
            let rises = r.number("pr_rises").map_or_else(String::new, |p| percent(p, true));
            vec![
                named(r),
                share(r, "mean_base"),
                share(r, "mean"),
                points(*change) + &spread,
                dash(rises, lang),
            ]
        })
        .collect();
    let note = head("note");
    here(vec![Block::Table(Table { caption: head("caption"), columns, rows, header: 0, note, codes: false })])
}

/// Posts, for those who plan.
fn posts(source: &Source<'_>) -> Option<Section> {
    let lang = source.lang;
    if source.audience == Tier::Public {
        return None;
    }
    let here = |blocks| section(lang, "checkpoints", "posts.title", blocks);
    let Some(view) = view(source.views, "checkpoints") else {
        return Some(here(vec![Block::paragraph(word(lang, "posts.absent"))]));
    };
    let (proposed, existing): (Vec<Record<'_>>, Vec<Record<'_>>) =
        records(view).partition(|r| r.text("kind") == "proposed");
    let head = |key: &str| word(lang, &format!("posts.{key}"));
    let mut blocks = Vec::new();
    if proposed.is_empty() {
        blocks.push(Block::paragraph(head("none")));
    } else {
        let columns = vec![
            Column::numbers(word(lang, "ranking.rank")),
            Column::words(head("name"), 1),
            Column::numbers(head("met")),
            Column::numbers(head("gain")),
            Column::numbers(head("cumulative")),
            Column::numbers(head("detected")),
        ];
        let rows: Vec<Vec<String>> = proposed
            .iter()
            .take(POSTS)
            .map(|r| {
                let cells = vec![
                    r.told("rank", lang),
                    cut(&r.text("name"), NAME),
                    r.interval("flow_met", lang),
                    r.told("gain", lang),
                    r.told("cumulative", lang),
                    r.told("flow_detected", lang),
                ];
                cells.into_iter().map(|cell| dash(cell, lang)).collect()
            })
            .collect();
        let params = [
            ("shown", rows.len().to_string()),
            ("n", proposed.len().to_string()),
            ("layer", "checkpoints".to_owned()),
        ];
        let mut note = head("adapt");
        if proposed.len() > rows.len() {
            note = format!("{note} {}", fill(lang, "report.more_rows", &params));
        }
        blocks.push(Block::Table(Table {
            caption: head("caption"),
            columns,
            rows,
            header: 1,
            note,
            codes: false,
        }));
    }
    if !existing.is_empty() {
        let covering = existing.iter().filter(|r| r.is_true("counts_as_coverage")).count();
        let params = [("n", existing.len().to_string()), ("covering", covering.to_string())];
        blocks.push(Block::note(fill(lang, "report.posts.existing", &params)));
    }
    Some(here(blocks))
}

/// How many municipalities have a number, an interval, or nothing that is known.
pub(super) fn known(source: &Source<'_>) -> Option<[usize; 3]> {
    let view = view(source.views, "municipalities")?;
    let mut out = [0; 3];
    for record in records(view) {
        match record.text("datum").as_str() {
            "exact" => out[0] += 1,
            "interval" | "at_least" => out[1] += 1,
            _ => out[2] += 1,
        }
    }
    Some(out)
}

fn sure(source: &Source<'_>) -> Section {
    let lang = source.lang;
    let statistics = &source.manifest.statistics;
    let number = |path: &str| statistics.pointer(path).and_then(Value::as_f64);
    let mut points = Vec::new();
    let mut point = |key: &str, told: String| {
        points.push(Point::new(word(lang, &format!("sure.{key}")), told));
    };
    if let Some(jaccard) = number("/corridors/halves/jaccard") {
        // Rounded down, as in the notice: what is below the threshold does not read as if it reached it.
        let down = (jaccard * 100.0).floor() / 100.0;
        let params = [("share", percent(down, true)), ("sure", percent(SURE, true))];
        point("halves", fill(lang, "report.sure.halves_text", &params));
    }
    let all = corridors(source);
    if let Some(([_, low, _], others)) = all.split_first().and_then(|(one, o)| Some((one.spread("mean")?, o)))
        && !others.is_empty()
    {
        let n = others.iter().filter_map(|r| r.spread("mean")).filter(|[_, _, high]| *high >= low).count();
        let told = fill(lang, "report.sure.order_overlap", &[("n", n.to_string())]);
        point("order", if n > 0 { told } else { word(lang, "sure.order_clear") });
    }
    let shares = ["served", "inner", "unserved", "unlocated_cases"].map(|k| number(&format!("/demand/{k}")));
    if let [Some(served), Some(inner), Some(unserved), Some(unlocated)] = shares {
        let told = [served, inner, unserved, unlocated].map(|x| percent(x, false));
        let names = ["served", "inner", "unserved", "unlocated"];
        let params: Vec<(&str, String)> = names.into_iter().zip(told).collect();
        point("demand", fill(lang, "report.sure.demand_text", &params));
    }
    if let Some([exact, interval, unknown]) = known(source) {
        let names = ["exact", "interval", "unknown", "n"];
        let numbers = [exact, interval, unknown, exact + interval + unknown].map(|n| n.to_string());
        let params: Vec<(&str, String)> = names.into_iter().zip(numbers).collect();
        point("counts", fill(lang, "report.sure.counts_text", &params));
    }
    let shown = all.iter().take(NUMBERED).filter_map(|r| r.number("censored_share"));
    let range = shown.fold(None, |range: Option<(f64, f64)>, x| {
        Some(range.map_or((x, x), |(low, high)| (low.min(x), high.max(x))))
    });
    if let Some((low, high)) = range {
        let params = [("low", percent(low, false)), ("high", percent(high, false))];
        point("censored", fill(lang, "report.sure.censored_text", &params));
    }
    point("base", base_rate(source));
    section(lang, "sure", "sure.title", vec![Block::Points { points, wide: true }])
}

/// How many cases there are a week, which is why nothing is promised for one shift.
fn base_rate(source: &Source<'_>) -> String {
    let subject = source.subject;
    let lang = source.lang;
    match (subject.total, subject.years.filter(|years| *years > 0.0)) {
        (Some(total), Some(years)) => {
            let week = f64::from(total) / (years * 365.25 / 7.0);
            let period = if subject.period.trim().is_empty() { &subject.region } else { &subject.period };
            let params = [
                ("total", total.to_string()),
                ("years", plain(years)),
                ("period", cut(period, 40)),
                ("week", plain(n1(week))),
            ];
            fill(lang, "report.sure.base_text", &params)
        }
        _ => word(lang, "sure.base_unknown"),
    }
}

/// About one in a week is told as 1, not as 1.03.
fn n1(x: f64) -> f64 {
    if x >= 0.095 { (x * 10.0).round() / 10.0 } else { x }
}

fn limits(source: &Source<'_>) -> Section {
    let lang = source.lang;
    let mut points: Vec<Point> = ["detections", "flow", "places", "informal"]
        .iter()
        .filter(|key| **key != "informal" || view(source.views, "crossings").is_some())
        .map(|key| {
            Point::new(word(lang, &format!("limits.{key}")), word(lang, &format!("limits.{key}_text")))
        })
        .collect();
    let mut left = REMARKS;
    let mut remarks = Vec::new();
    for told in source.limits.iter().map(|words| words.pick(lang)) {
        let length = told.chars().count();
        // Only what is short enough to be read here; the annex has them all.
        if length <= REMARK && length <= left {
            left -= length;
            remarks.push(told.to_owned());
        }
    }
    if !source.limits.is_empty() {
        if remarks.len() < source.limits.len() {
            remarks.push(word(lang, "limits.more"));
        }
        points.push(Point::new(word(lang, "limits.remarks"), remarks.join(" ")));
    }
    section(lang, "limits", "limits.title", vec![Block::Points { points, wide: true }])
}

/// Where a person who is found is taken, for those who plan.
pub(super) fn referral(source: &Source<'_>, id: &'static str) -> Option<Section> {
    let lang = source.lang;
    if source.audience == Tier::Public {
        return None;
    }
    let blocks = match &source.subject.referral {
        None => vec![Block::paragraph(word(lang, "referral.none"))],
        Some(referral) => {
            let point =
                |key: &str, told: &str| Point::new(word(lang, &format!("referral.{key}")), cut(told, 180));
            let points = vec![
                point("authority", &referral.victim_authority),
                point("contact", &referral.contact_24h),
                point("rule", &referral.non_punishment),
            ];
            let mut blocks = vec![Block::Points { points, wide: true }];
            if referral.example {
                blocks.push(Block::Notices { lines: vec![word(lang, "referral.example")] });
            }
            blocks
        }
    };
    Some(section(lang, id, "referral.title", blocks))
}
