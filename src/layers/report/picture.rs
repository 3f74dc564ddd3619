//! The map of the report: municipalities by rate, corridors by flow and lift, crossings, and what they mean.
//!
//! Colours, widths and classes are those of the styles ([`crate::layers::style`]); only municipalities are paler, so that
//! the corridors stand out in print.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use geo::{Coord, Geometry, LineString};

use super::document::{Figure, Legend, LegendEntry, LegendGroup};
use super::projection::{Frame, Place};
use super::records::{Record, cut, records, view};
use super::svg::{Anchor, Svg, Type, color, n, width_of};
use crate::layers::feature::Lang;
use crate::layers::style::holds::first;
use crate::layers::style::legend::{Rule, Shape, Test};
use crate::layers::style::rules;
use crate::layers::view::LayerView;
use crate::layers::words::{fill, text};

/// Size of the map on paper, millimetres.
const SIZE: (f64, f64) = (118.0, 104.0);
/// How much white is mixed into the colours of municipalities.
const PALE: f64 = 0.35;
/// Corridors that are numbered.
pub(super) const NUMBERED: usize = 10;
/// Links that are drawn under the corridors, the ones with most flow: more would be a grey area in print.
const LINKS: usize = 3000;
/// Width of a corridor beside that of the map for the browser, whose lines are for a screen.
const THINNER: f64 = 0.55;

/// The map, or `None` where there is nothing to draw.
pub(super) fn map(views: &[LayerView<'_>], region: &str, lang: Lang) -> Option<Figure> {
    let frame = Frame::of(views, SIZE)?;
    let mut svg = Svg::new(SIZE.0, SIZE.1);
    svg.rect((0.1, 0.1), (SIZE.0 - 0.2, SIZE.1 - 0.2), "#f4f7f9", "#9aa5ad", 0.2);
    if let Some(view) = view(views, "municipalities") {
        municipalities(&mut svg, view, &frame, lang);
    }
    if let Some(view) = view(views, "roads") {
        roads(&mut svg, view, &frame);
    }
    let corridors: Vec<Record<'_>> = view(views, "corridors").into_iter().flat_map(records).collect();
    let mut taken = Taken::default();
    let marks = frame.marks();
    taken.boxes.extend(marks.boxes());
    let names = draw_corridors(&mut svg, &corridors, &frame, &mut taken, lang);
    let gates = view(views, "crossings").map(|view| crossings(&mut svg, view, &frame, &mut taken, lang));
    towns(&mut svg, &names, &mut taken);
    for (at, gap, name) in gates.unwrap_or_default() {
        let look = Type { size: 2.1, color: "#1f4e79", italic: true, halo: true, ..Type::PLAIN };
        taken.label(&mut svg, at, gap, &name, look);
    }
    marks.draw(&mut svg, &text(lang, "report.map.north"));

    let list: Vec<String> = corridors
        .iter()
        .take(NUMBERED)
        .enumerate()
        .map(|(i, c)| format!("{} {}", i + 1, cut(&c.text("name"), 80)))
        .collect();
    let alt = if list.is_empty() {
        fill(lang, "report.map.alt_none", &[("region", region)])
    } else {
        fill(lang, "report.map.alt", &[("region", region.to_owned()), ("list", list.join("; "))])
    };
    Some(Figure {
        name: "map",
        caption: fill(lang, "report.map.caption", &[("region", region)]),
        alt,
        width: SIZE.0,
        height: SIZE.1,
        svg: svg.finish(),
    })
}

/// Boxes that a label must not cover: left, top, right, bottom.
#[derive(Default)]
struct Taken {
    boxes: Vec<[f64; 4]>,
}

impl Taken {
    /// Takes the box if it is free and inside the map.
    fn take(&mut self, candidate: [f64; 4]) -> bool {
        let [left, top, right, bottom] = candidate;
        let inside = left > 0.6 && top > 0.6 && right < SIZE.0 - 0.6 && bottom < SIZE.1 - 0.6;
        let free = self.boxes.iter().all(|b| right < b[0] || left > b[2] || bottom < b[1] || top > b[3]);
        if inside && free {
            self.boxes.push(candidate);
        }
        inside && free
    }

    /// Writes a text beside a place, where there is room; leaves it out where there is none.
    fn label(&mut self, svg: &mut Svg, at: Place, gap: f64, label: &str, look: Type<'_>) {
        let (w, h) = (width_of(label, look.size), look.size);
        let ways = [
            (gap, 0.35 * h, Anchor::Start),
            (-gap, 0.35 * h, Anchor::End),
            (0.0, -gap, Anchor::Middle),
            (0.0, gap + 0.75 * h, Anchor::Middle),
            (gap * 0.8, -gap * 0.6, Anchor::Start),
            (gap * 0.8, gap * 0.6 + 0.7 * h, Anchor::Start),
            (-gap * 0.8, -gap * 0.6, Anchor::End),
            (-gap * 0.8, gap * 0.6 + 0.7 * h, Anchor::End),
        ];
        for (dx, dy, anchor) in ways {
            let (x, y) = (at.0 + dx, at.1 + dy);
            let left = match anchor {
                Anchor::Start => x,
                Anchor::Middle => x - w / 2.0,
                Anchor::End => x - w,
            };
            if self.take([left, y - 0.8 * h, left + w, y + 0.25 * h]) {
                svg.text((x, y), label, Type { anchor, ..look });
                return;
            }
        }
    }
}

fn municipalities(svg: &mut Svg, view: &LayerView<'_>, frame: &Frame, lang: Lang) {
    let rules = rules(view, lang);
    svg.put(
        r##"<defs><pattern id="hatch" width="1.1" height="1.1" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="1.1" height="1.1" fill="#f8f8f6"/><rect width="0.28" height="1.1" fill="#c9c5bd"/></pattern></defs>"##,
    );
    for record in records(view) {
        let Some(Geometry::MultiPolygon(areas)) = record.row.geometry() else { continue };
        let Some(rule) = first(&rules, view, &record.row) else { continue };
        let fill = area_fill(rule);
        let mut d = String::new();
        for ring in areas.iter().flat_map(|area| std::iter::once(area.exterior()).chain(area.interiors())) {
            path(&mut d, &frame.grid(ring), true);
        }
        if !d.is_empty() {
            svg.put(&format!(r##"<path d="{d}" fill="{fill}" fill-rule="evenodd" stroke="#ffffff" stroke-width="0.15" stroke-linejoin="round"/>"##));
        }
    }
}

fn area_fill(rule: &Rule) -> String {
    match &rule.symbol.shape {
        Shape::Fill { hatching: Some(_), .. } => "url(#hatch)".to_owned(),
        shape => color(shape.color(), PALE),
    }
}

/// A path through places; no part where all of them fall on one.
fn path(d: &mut String, places: &[Place], closed: bool) {
    let Some(first) = places.first().filter(|_| places.len() > if closed { 2 } else { 1 }) else { return };
    // Writing to a string cannot fail.
    let _ = write!(d, "M{} {}", n(first.0), n(first.1));
    let mut last = *first;
    for place in places.get(1..).unwrap_or_default() {
        let _ = write!(d, "l{} {}", n(place.0 - last.0), n(place.1 - last.1));
        last = *place;
    }
    if closed {
        d.push('z');
    }
}

fn roads(svg: &mut Svg, view: &LayerView<'_>, frame: &Frame) {
    let mut order: Vec<(f64, usize, Record<'_>)> = records(view)
        .enumerate()
        .map(|(i, record)| (record.number("mean").unwrap_or(0.0), i, record))
        .collect();
    order.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut d = String::new();
    for (_, _, record) in order.iter().take(LINKS) {
        if let Some(Geometry::MultiLineString(lines)) = record.row.geometry() {
            for line in &lines {
                path(&mut d, &frame.grid(line), false);
            }
        }
    }
    if !d.is_empty() {
        svg.put(&format!(
            r##"<path d="{d}" fill="none" stroke="#b3b3b3" stroke-width="0.2" stroke-linejoin="round"/>"##
        ));
    }
}

/// Draws the corridors and their numbers; the ends of those that are numbered, with their names.
fn draw_corridors(
    svg: &mut Svg,
    corridors: &[Record<'_>],
    frame: &Frame,
    taken: &mut Taken,
    lang: Lang,
) -> Vec<(Place, String)> {
    let Some(view) = corridors.first().map(|c| c.view) else { return Vec::new() };
    let rules = lift_rules(view, lang);
    let mut names: Vec<(Place, String)> = Vec::new();
    let mut numbers = Vec::new();
    // The first lies above the others.
    for (i, corridor) in corridors.iter().enumerate().rev() {
        let Some(Geometry::MultiLineString(lines)) = corridor.row.geometry() else { continue };
        let Some(rule) = first(&rules, view, &corridor.row) else { continue };
        let size = rule.symbol.size.as_ref().map_or(2.0, |steps| steps.size(corridor.number(steps.field)));
        let places: Vec<Vec<Place>> = lines.iter().map(|line| frame.line(line)).collect();
        let mut d = String::new();
        for line in &places {
            path(&mut d, line, false);
        }
        let (width, stroke) = (size * THINNER, color(rule.symbol.shape.color(), 0.0));
        let draw = |svg: &mut Svg, stroke: &str, width: f64, more: &str| {
            svg.put(&format!(
                r#"<path d="{d}" fill="none" stroke="{stroke}" stroke-width="{}" stroke-linecap="round" stroke-linejoin="round"{more}/>"#,
                n(width)
            ));
        };
        draw(svg, "#ffffff", width + 0.5, "");
        draw(svg, &stroke, width, "");
        if corridor.is_true("schematic") {
            draw(svg, "#ffffff", width / 4.0, r#" stroke-dasharray="1 2""#);
        }
        if i < NUMBERED {
            let all: Vec<Place> = places.iter().flatten().copied().collect();
            for (place, name) in [(all.first(), "from_name"), (all.last(), "to_name")] {
                let name = cut(&corridor.text(name), 28);
                if let Some(place) = place.filter(|_| !name.is_empty()) {
                    names.push((*place, name));
                }
            }
            numbers.push((i, places, stroke));
        }
    }
    names.reverse();
    for (i, places, stroke) in numbers.into_iter().rev() {
        let longest = places.into_iter().max_by(|a, b| length(a).total_cmp(&length(b)));
        let longest = longest.unwrap_or_default();
        let shares = [0.5, 0.38, 0.62, 0.25, 0.75, 0.12, 0.88];
        let mut spots = shares.iter().filter_map(|share| along(&longest, *share));
        let free = |at: &Place| {
            let r = 2.2;
            taken.take([at.0 - r, at.1 - r, at.0 + r, at.1 + r])
        };
        let Some(at) = spots.clone().find(free).or_else(|| spots.next()) else { continue };
        svg.circle(at, 2.0, "#ffffff", &stroke, 0.45);
        let look = Type { size: 2.9, bold: true, anchor: Anchor::Middle, ..Type::PLAIN };
        svg.text((at.0, at.1 + 1.0), &(i + 1).to_string(), look);
    }
    names
}

/// The rules that tell the colour of a line: the first that hold, dashes and closures aside.
fn lift_rules(view: &LayerView<'_>, lang: Lang) -> Vec<Rule> {
    rules(view, lang).into_iter().filter(|rule| rule.symbol.size.is_some()).collect()
}

fn length(line: &[Place]) -> f64 {
    line.windows(2).map(|w| (w[1].0 - w[0].0).hypot(w[1].1 - w[0].1)).fold(0.0, |sum, x| sum + x)
}

/// The place at a share of a line's length.
fn along(line: &[Place], share: f64) -> Option<Place> {
    let mut left = length(line) * share;
    for w in line.windows(2) {
        let (dx, dy) = (w[1].0 - w[0].0, w[1].1 - w[0].1);
        let part = dx.hypot(dy);
        if part > 0.0 && left <= part {
            return Some((w[0].0 + dx * left / part, w[0].1 + dy * left / part));
        }
        left -= part;
    }
    line.last().copied()
}

/// Draws the crossings; where their names are to stand, those with most flow first.
fn crossings(
    svg: &mut Svg,
    view: &LayerView<'_>,
    frame: &Frame,
    taken: &mut Taken,
    lang: Lang,
) -> Vec<(Place, f64, String)> {
    let rules = rules(view, lang);
    let mut labels = Vec::new();
    for record in records(view) {
        let Some(Geometry::Point(p)) = record.row.geometry() else { continue };
        let Some(rule) = first(&rules, view, &record.row) else { continue };
        let size = rule.symbol.size.as_ref().map_or_else(
            || match rule.symbol.shape {
                Shape::Marker { size, .. } => size,
                _ => 2.0,
            },
            |steps| steps.size(record.number(steps.field)),
        );
        let Some(at) = frame.place(p.0).filter(|at| frame.holds(*at)) else { continue };
        let (radius, fill) = (size * 0.32, color(rule.symbol.shape.color(), 0.0));
        if rule.test == Test::True("closed") {
            cross(svg, at, radius, &fill);
        } else {
            svg.circle(at, radius, &fill, "#ffffff", 0.25);
        }
        taken.boxes.push([at.0 - radius, at.1 - radius, at.0 + radius, at.1 + radius]);
        // The name of this side: `Talismán – El Carmen` is Talismán on a map of this state.
        let name = record.text("name");
        let name = cut(name.split(" – ").next().unwrap_or(&name), 26);
        labels.push((record.number("mean").unwrap_or(0.0), at, radius + 0.7, name));
    }
    labels.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.3.cmp(&b.3)));
    let mut done = BTreeSet::new();
    labels.retain(|(_, _, _, name)| done.insert(name.clone()));
    labels.into_iter().map(|(_, at, gap, name)| (at, gap, name)).collect()
}

fn cross(svg: &mut Svg, at: Place, radius: f64, stroke: &str) {
    for (dx, dy) in [(radius, radius), (radius, -radius)] {
        svg.line((at.0 - dx, at.1 - dy), (at.0 + dx, at.1 + dy), stroke, 0.5);
    }
}

fn towns(svg: &mut Svg, names: &[(Place, String)], taken: &mut Taken) {
    let mut done = BTreeSet::new();
    for (at, name) in names {
        if !done.insert(name.as_str()) {
            continue;
        }
        svg.circle(*at, 0.7, "#222222", "#ffffff", 0.25);
        let look = Type { size: 2.5, bold: true, halo: true, ..Type::PLAIN };
        taken.label(svg, *at, 1.7, name, look);
    }
}

/// What the map shows of these views, and no more.
pub(super) fn legend(views: &[LayerView<'_>], lang: Lang) -> Legend {
    let mut groups = Vec::new();
    let word = |key: &str| text(lang, &format!("report.map.{key}"));
    if let Some(view) = view(views, "corridors").filter(|view| !view.is_empty()) {
        let all = lift_rules(view, lang);
        let prefix = shared_start(all.iter().filter(|rule| rule.label.contains(char::is_numeric)));
        let mut group = LegendGroup { title: capital(prefix.trim()), entries: Vec::new() };
        let seen = |rule: &&Rule| records(view).any(|r| first(&all, view, &r.row) == Some(*rule));
        for rule in all.iter().filter(seen) {
            let label = rule.label.strip_prefix(&prefix).unwrap_or(&rule.label);
            let stroke = color(rule.symbol.shape.color(), 0.0);
            group.entries.push(entry(label, |svg| svg.line((0.5, 1.8), (7.5, 1.8), &stroke, 1.5)));
        }
        groups.push(group);
        if let Some(steps) = all.first().and_then(|rule| rule.symbol.size.clone()) {
            let mut group = LegendGroup { title: word("width"), entries: Vec::new() };
            for (limit, size) in steps.limits.iter().zip(steps.sizes.iter().skip(1)) {
                let label = format!("≥ {}", crate::layers::telling::percent(*limit, false));
                group.entries.push(entry(&label, |svg| {
                    svg.line((0.5, 1.8), (7.5, 1.8), "#777777", size * THINNER);
                }));
            }
            if records(view).any(|r| r.is_true("schematic")) {
                group.entries.push(entry(&word("schematic"), |svg| {
                    svg.line((0.5, 1.8), (7.5, 1.8), "#777777", 1.8);
                    svg.put(r##"<line x1="0.5" y1="1.8" x2="7.5" y2="1.8" stroke="#ffffff" stroke-width="0.5" stroke-dasharray="1 2"/>"##);
                }));
            }
            groups.push(group);
        }
    }
    if let Some(view) = view(views, "municipalities").filter(|view| !view.is_empty()) {
        let all = rules(view, lang);
        let rated = |rule: &&Rule| rule.label.contains(',');
        let prefix = shared_start(all.iter().filter(rated));
        let mut group = LegendGroup { title: capital(prefix.trim()), entries: Vec::new() };
        let seen = |rule: &&Rule| records(view).any(|r| first(&all, view, &r.row) == Some(*rule));
        for rule in all.iter().filter(seen) {
            let label = rule.label.strip_prefix(&prefix).unwrap_or(&rule.label);
            let hatched = matches!(&rule.symbol.shape, Shape::Fill { hatching: Some(_), .. });
            let fill = color(rule.symbol.shape.color(), PALE);
            group.entries.push(entry(label, |svg| {
                svg.rect((0.6, 0.4), (6.8, 2.8), &fill, "#b5b5b5", 0.15);
                for i in (0..6).filter(|_| hatched) {
                    let x = 1.0 + f64::from(i) * 1.1;
                    svg.line((x, 3.0), ((x + 2.2).min(7.2), 0.6), "#c9c5bd", 0.25);
                }
            }));
        }
        groups.push(group);
    }
    if let Some(view) = view(views, "crossings").filter(|view| !view.is_empty()) {
        let mut group = LegendGroup { title: String::new(), entries: Vec::new() };
        group.entries.push(entry(&word("crossing"), |svg| {
            svg.circle((2.4, 1.8), 0.7, "#2c7bb6", "#ffffff", 0.2);
            svg.circle((5.2, 1.8), 1.3, "#2c7bb6", "#ffffff", 0.2);
        }));
        if records(view).any(|r| r.is_true("closed")) {
            group.entries.push(entry(&word("crossing_closed"), |svg| cross(svg, (4.0, 1.8), 0.8, "#5a5a5a")));
        }
        groups.push(group);
    }
    Legend { name: "legend", title: word("legend"), groups }
}

fn entry(label: &str, draw: impl FnOnce(&mut Svg)) -> LegendEntry {
    let mut svg = Svg::new(8.0, 3.6);
    draw(&mut svg);
    LegendEntry { label: label.trim().to_owned(), svg: svg.finish() }
}

/// The words with which all labels begin, if there are two or more.
fn shared_start<'a>(rules: impl Iterator<Item = &'a Rule>) -> String {
    let labels: Vec<&str> = rules.map(|rule| rule.label.as_str()).collect();
    let Some((first, others)) = labels.split_first().filter(|(_, others)| !others.is_empty()) else {
        return String::new();
    };
    let ends = first.char_indices().filter(|(_, c)| *c == ' ').map(|(i, _)| i + 1);
    let shared =
        ends.filter(|end| first.get(..*end).is_some_and(|s| others.iter().all(|o| o.starts_with(s))));
    shared.max().and_then(|end| first.get(..end)).unwrap_or_default().to_owned()
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}

/// Whether a geometry has a place that can be drawn; for [`Frame::of`].
pub(super) fn coords(geometry: &Geometry<f64>) -> Vec<Coord<f64>> {
    let line = |line: &LineString<f64>| line.0.clone();
    match geometry {
        Geometry::Point(p) => vec![p.0],
        Geometry::MultiLineString(lines) => lines.iter().flat_map(line).collect(),
        Geometry::MultiPolygon(areas) => areas.iter().flat_map(|area| line(area.exterior())).collect(),
        _ => Vec::new(),
    }
}
