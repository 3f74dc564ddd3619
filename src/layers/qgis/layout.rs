//! The print layout: one sheet, ready to be exported.
//!
//! Letter size, on its side: offices in Mexico print on it, and what fits there fits into A4 as well when a printer scales.
//! The map shows the layers that are seen when the project is opened, whatever is switched on later, and the legend
//! tells of these alone; what two layers share is told once.

use std::collections::BTreeSet;
use std::io;

use geo::{Coord, Rect};
use quick_xml::events::BytesText;

use super::page::{self, columns};
use super::project::{tree_layer, widened};
use super::{Project, uuid};
use crate::layers::feature::Tier;
use crate::layers::normal;
use crate::layers::style::legend::{Rule, Shape};
use crate::layers::style::qml::{self, FONT, Xml};
use crate::layers::style::rules;
use crate::layers::view::LayerView;

/// Millimetres.
const PAGE: [f64; 2] = [279.4, 215.9];
const MARGIN: f64 = 9.0;
/// The items from the bottom to the top.
const STACK: [&str; 11] = [
    "page",
    "map",
    "draft",
    "legend",
    "scale",
    "north letter",
    "north arrow",
    "title",
    "audience",
    "notices",
    "sources",
];
/// Left, top, width, height.
type Place = [f64; 4];
const TITLE: Place = [MARGIN, 8.0, PAGE[0] - 2.0 * MARGIN, 8.0];
const AUDIENCE: Place = [MARGIN, 16.0, PAGE[0] - 2.0 * MARGIN, 5.5];
const MAP: Place = [MARGIN, 23.0, 170.0, 143.0];
const LEGEND: Place = [MAP[0] + MAP[2] + 3.0, MAP[1], PAGE[0] - MARGIN - MAP[0] - MAP[2] - 3.0, MAP[3]];
const FOOT: Place =
    [MARGIN, MAP[1] + MAP[3] + 3.0, PAGE[0] - 2.0 * MARGIN, PAGE[1] - MARGIN - MAP[1] - MAP[3] - 3.0];
const GAP: f64 = 5.0;
/// Sizes of the letters of the foot in points, the preferred one first.
const FOOT_SIZES: [f64; 4] = [7.0, 6.5, 6.0, 5.5];
/// Sizes of the letters of the legend.
const LEGEND_SIZES: [f64; 5] = [7.5, 7.0, 6.5, 6.0, 5.5];

/// Space around the corridors on the map, as a share of their extent: for their labels, and to see where they lead.
const AROUND: f64 = 0.12;

/// What QGIS calls the kinds of items.
const KIND_PAGE: &str = "65638";
const KIND_MAP: &str = "65639";
const KIND_LABEL: &str = "65641";
const KIND_LEGEND: &str = "65642";
const KIND_SCALEBAR: &str = "65646";
const KIND_MARKER: &str = "65653";

const RED: &str = "170,0,0,255";
const BLACK: &str = "20,20,20,255";

/// Writes the layout.
pub(super) fn write(xml: &mut Xml, project: &Project<'_>) -> io::Result<()> {
    let name = project.words("layout");
    let attributes =
        [("name", name.as_str()), ("units", "mm"), ("printResolution", "300"), ("worldFileMap", "")];
    xml.create_element("Layout").with_attributes(attributes).write_inner_content(|xml| {
        xml.create_element("PageCollection").write_inner_content(|xml| {
            paper(xml)?;
            item(xml, KIND_PAGE, "page", [0.0, 0.0, PAGE[0], PAGE[1]], &[], paper)
        })?;
        let Some(extent) = project.extent else { return Ok(()) };
        let extent = shaped(widened(extent, AROUND), MAP[2] / MAP[3]);
        map(xml, project, extent)?;
        if project.about.draft {
            draft(xml, &project.words("draft"))?;
        }
        legend(xml, project)?;
        scale_bar(xml, extent)?;
        north(xml, &project.words("north"))?;
        heading(xml, project)?;
        foot(xml, project)
    })?;
    Ok(())
}

/// The rectangle made wider or higher until its sides have the ratio of the map's.
fn shaped(rect: Rect<f64>, ratio: f64) -> Rect<f64> {
    let width = rect.width().max(rect.height() * ratio);
    let half = Coord { x: width / 2.0, y: width / ratio / 2.0 };
    Rect::new(rect.center() - half, rect.center() + half)
}

fn uuid_of(id: &str) -> String {
    format!("{{{}}}", uuid(&format!("corredor layout {id}")))
}

/// An item with what all have in common. `more` are attributes of its kind.
fn item(
    xml: &mut Xml,
    kind: &str,
    id: &str,
    [left, top, width, height]: Place,
    more: &[(&str, &str)],
    inner: impl FnOnce(&mut Xml) -> io::Result<()>,
) -> io::Result<()> {
    let (uuid, at, size) = (uuid_of(id), format!("{left},{top},mm"), format!("{width},{height},mm"));
    let level = STACK.iter().position(|name| *name == id).unwrap_or(STACK.len()).to_string();
    let common = [
        ("type", kind),
        ("id", id),
        ("uuid", uuid.as_str()),
        ("templateUuid", uuid.as_str()),
        ("position", at.as_str()),
        ("positionOnPage", at.as_str()),
        ("size", size.as_str()),
        ("referencePoint", "0"),
        ("zValue", level.as_str()),
        ("visibility", "1"),
        ("excludeFromExports", "0"),
        ("positionLock", "false"),
        ("groupUuid", ""),
        ("opacity", "1"),
        ("blendMode", "0"),
        ("outlineWidthM", "0.25,mm"),
    ];
    // What an item says of itself stands before the defaults.
    let given = |name: &str| more.iter().any(|(key, _)| *key == name);
    let rest = [("frame", "false"), ("background", "false"), ("itemRotation", "0")];
    let rest = rest.into_iter().filter(|(name, _)| !given(name));
    let element =
        xml.create_element("LayoutItem").with_attributes(common).with_attributes(more.iter().copied());
    element.with_attributes(rest).write_inner_content(|xml| {
        color(xml, "FrameColor", "90,90,90,255")?;
        color(xml, "BackgroundColor", "255,255,255,255")?;
        inner(xml)
    })?;
    Ok(())
}

fn color(xml: &mut Xml, name: &str, rgba: &str) -> io::Result<()> {
    let parts = ["red", "green", "blue", "alpha"].into_iter().zip(rgba.split(','));
    xml.create_element(name).with_attributes(parts).write_empty()?;
    Ok(())
}

/// The sheet: white, without a border.
fn paper(xml: &mut Xml) -> io::Result<()> {
    let options = [("color", "255,255,255,255"), ("outline_style", "no"), ("style", "solid")];
    qml::fixed_symbol(xml, "fill", &[("SimpleFill", options.map(|(k, v)| (k, v.to_owned())).into())])
}

fn map(xml: &mut Xml, project: &Project<'_>, extent: Rect<f64>) -> io::Result<()> {
    let more = [
        ("frame", "true"),
        ("background", "true"),
        ("keepLayerSet", "true"),
        ("followPreset", "false"),
        ("followPresetName", ""),
        ("mapRotation", "0"),
        ("drawCanvasItems", "false"),
        // 0: no label that the edge would cut.
        ("mapFlags", "0"),
        ("labelMargin", "1,mm"),
    ];
    item(xml, KIND_MAP, "map", MAP, &more, |xml| {
        let [low, high] = [extent.min(), extent.max()];
        let sides = [("xmin", low.x), ("ymin", low.y), ("xmax", high.x), ("ymax", high.y)]
            .map(|(name, x)| (name, format!("{x}")));
        let sides = sides.iter().map(|(name, x)| (*name, x.as_str()));
        xml.create_element("Extent").with_attributes(sides).write_empty()?;
        xml.create_element("LayerSet").write_inner_content(|xml| {
            for view in project.shown() {
                let id = project.layer_id(view.name());
                xml.create_element("Layer")
                    .with_attribute(("name", view.name()))
                    .write_text_content(BytesText::new(&id))?;
            }
            Ok(())
        })?;
        Ok(())
    })
}

/// Letters across the map of what nobody has signed.
fn draft(xml: &mut Xml, word: &str) -> io::Result<()> {
    const ANGLE: f64 = -32.0;
    let (width, height) = (MAP[2] * 0.9, 34.0);
    // QGIS keeps the corner where rotation about the middle brings it.
    let (sin, cos) = ANGLE.to_radians().sin_cos();
    let middle = [MAP[0] + MAP[2] / 2.0, MAP[1] + MAP[3] / 2.0];
    let corner = [
        middle[0] - width / 2.0 * cos + height / 2.0 * sin,
        middle[1] - width / 2.0 * sin - height / 2.0 * cos,
    ];
    let angle = ANGLE.to_string();
    let rounded = corner.map(|x| (x * 100.0).round() / 100.0);
    let place = [rounded[0], rounded[1], width, height];
    let points = (width * 0.86 / page::width(word, 1.0)).min(80.0).floor();
    label(
        xml,
        "draft",
        place,
        word,
        &Text { points, bold: true, color: "170,0,0,60", middle: true, angle: &angle },
    )
}

/// How a text is set.
struct Text<'a> {
    points: f64,
    bold: bool,
    color: &'static str,
    /// In the middle of its place, in both directions.
    middle: bool,
    /// Degrees, clockwise.
    angle: &'a str,
}

const PLAIN: Text<'static> = Text { points: 7.0, bold: false, color: BLACK, middle: false, angle: "0" };

fn label(xml: &mut Xml, id: &str, place: Place, text: &str, of: &Text<'_>) -> io::Result<()> {
    // QGIS reads what stands between these signs as an expression; a sign of no width keeps them apart.
    let text = normal::text(text).replace("[%", "[\u{2060}%");
    let more = [
        ("labelText", text.as_str()),
        ("htmlState", "0"),
        ("halign", if of.middle { "4" } else { "1" }),
        ("valign", if of.middle { "128" } else { "32" }),
        ("marginX", "0"),
        ("marginY", "0"),
        ("itemRotation", of.angle),
    ];
    item(xml, KIND_LABEL, id, place, &more, |xml| {
        // Read up to QGIS 3.22; the form of a text after it from 3.24 on.
        let font = font(of.points, of.bold);
        xml.create_element("LabelFont")
            .with_attributes([("description", font.as_str()), ("style", "")])
            .write_empty()?;
        color(xml, "FontColor", of.color)?;
        qml::text_style(xml, &[("multilineHeight", "1")], of.color, of.points, of.bold, false)
    })
}

/// A font as Qt writes it.
fn font(points: f64, bold: bool) -> String {
    format!("{FONT},{points},-1,5,{},0,0,0,0,0", if bold { 75 } else { 50 })
}

fn heading(xml: &mut Xml, project: &Project<'_>) -> io::Result<()> {
    let title = project.title();
    let points = (TITLE[2] * 0.86 / page::width(&title, 1.0)).clamp(8.0, 16.0).floor();
    label(xml, "title", TITLE, &title, &Text { points, bold: true, ..PLAIN })?;
    let restricted = project.header.audience == Tier::Restricted;
    let audience = project.words(if restricted { "audience_restricted" } else { "audience_public" });
    let draft = project.about.draft.then(|| project.words("draft_line"));
    let line = draft.into_iter().chain([audience]).collect::<Vec<_>>().join(" ");
    let points = (AUDIENCE[2] * 0.86 / page::width(&line, 1.0)).clamp(5.0, 9.0).floor();
    let color = if restricted || project.about.draft { RED } else { BLACK };
    label(xml, "audience", AUDIENCE, &line, &Text { points, bold: true, color, ..PLAIN })
}

/// Notices, sources and run below the map.
fn foot(xml: &mut Xml, project: &Project<'_>) -> io::Result<()> {
    let mut paragraphs: Vec<String> = project.sentences().map(|line| format!("• {line}")).collect();
    let keep = paragraphs.len();
    paragraphs.extend(project.sources_line());
    paragraphs.push(project.run_line());
    let room = [(FOOT[2] - GAP) / 2.0, FOOT[3]];
    let set = columns(&paragraphs, keep, &project.words("more"), room, &FOOT_SIZES);
    for (i, (id, lines)) in ["notices", "sources"].into_iter().zip(&set.lines).enumerate() {
        // Down to where printers begin to cut: another font may have higher lines.
        let place = [FOOT[0] + i as f64 * (room[0] + GAP), FOOT[1], room[0], PAGE[1] - FOOT[1] - 4.0];
        label(xml, id, place, &lines.join("\n"), &Text { points: set.points, ..PLAIN })?;
    }
    Ok(())
}

/// The lines of a layer's legend: those that no layer above has told, by their number.
fn told<'a>(rules: &'a [Rule], known: &mut BTreeSet<String>) -> Vec<(usize, &'a Rule)> {
    rules.iter().enumerate().filter(|(_, rule)| known.insert(rule.label.clone())).collect()
}

fn legend(xml: &mut Xml, project: &Project<'_>) -> io::Result<()> {
    let mut known = BTreeSet::new();
    // With what a scenario changes there is no room for what is the same on every sheet.
    let is_scenario = project.shown().any(|view| view.name() == "roads_change");
    let left_out = |name: &str| is_scenario && ["roads", "crossings"].contains(&name);
    let all: Vec<(&LayerView<'_>, Vec<Rule>)> = project
        .shown()
        .filter(|view| !left_out(view.name()))
        .map(|view| (view, rules(view, project.header.lang)))
        .collect();
    let told: Vec<(&LayerView<'_>, Vec<(usize, &Rule)>)> = all
        .iter()
        .map(|(view, rules)| (*view, told(rules, &mut known)))
        .filter(|(_, told)| !told.is_empty())
        .collect();
    let points = legend_size(&told);
    let more = legend_attributes();
    let map = uuid_of("map");
    let symbol = format!("{:.2}", line_height(points));
    let own = [("map_uuid", map.as_str()), ("symbolHeight", symbol.as_str())];
    let attributes: Vec<(&str, &str)> = more.into_iter().chain(own).collect();
    item(xml, KIND_LEGEND, "legend", LEGEND, &attributes, |xml| {
        xml.create_element("styles").write_inner_content(|xml| {
            let gap = format!("{:.2}", gap_before_layer(points));
            let line = format!("{:.2}", gap_before_line(points));
            legend_style(xml, "title", points + 1.0, true, &[("marginBottom", "1")])?;
            legend_style(xml, "group", points, true, &[("marginTop", gap.as_str())])?;
            let below = format!("{:.2}", gap_below_layer(points));
            let margins = [("marginTop", gap.as_str()), ("marginBottom", below.as_str())];
            legend_style(xml, "subgroup", points, true, &margins)?;
            legend_style(xml, "symbol", points, false, &[("marginTop", line.as_str())])?;
            legend_style(xml, "symbolLabel", points, false, &[("marginTop", "0"), ("marginLeft", "2.5")])
        })?;
        xml.create_element("layer-tree-group").write_inner_content(|xml| {
            for (view, rules) in &told {
                let order: Vec<String> = rules.iter().map(|(i, _)| i.to_string()).collect();
                let custom = [
                    ("legend/node-order", order.join(",")),
                    // Without the mark of restriction, which stands above the map.
                    ("legend/title-label", view.def().title(project.header.lang).to_owned()),
                ];
                tree_layer(xml, project, view, &custom)?;
            }
            Ok(())
        })?;
        Ok(())
    })
}

const fn legend_attributes() -> [(&'static str, &'static str); 14] {
    [
        ("title", ""),
        ("titleAlignment", "1"),
        ("columnCount", "1"),
        ("splitLayer", "0"),
        ("equalColumnWidth", "0"),
        ("symbolWidth", "6"),
        ("boxSpace", "0"),
        ("columnSpace", "2"),
        ("lineSpacing", "0.5"),
        ("wrapChar", ""),
        ("resizeToContents", "0"),
        ("legendFilterByAtlas", "0"),
        ("symbolAlignment", "1"),
        ("fontColor", "#141414"),
    ]
}

fn gap_before_layer(points: f64) -> f64 {
    points * 0.26
}

fn gap_below_layer(points: f64) -> f64 {
    points * 0.12
}

fn gap_before_line(points: f64) -> f64 {
    points * 0.05
}

/// High enough for the widest line.
fn line_height(points: f64) -> f64 {
    page::height(1, points).max(2.8)
}

/// The largest size of letters in which the legend fits into its place, in both directions.
fn legend_size(told: &[(&LayerView<'_>, Vec<(usize, &Rule)>)]) -> f64 {
    let rules: Vec<&Rule> = told.iter().flat_map(|(_, rules)| rules).map(|(_, rule)| *rule).collect();
    let longest = |points: f64| rules.iter().map(|rule| page::width(&rule.label, points)).fold(0.0, f64::max);
    // What is larger than a line makes its line higher.
    let size = |rule: &Rule| match rule.symbol.shape {
        Shape::Marker { size, .. } => size,
        _ => 0.0,
    };
    let fits = |points: f64| {
        let high: f64 = rules.iter().map(|rule| (size(rule) - line_height(points)).max(0.0)).sum();
        let layers = told.len() as f64
            * (page::height(1, points) + gap_before_layer(points) + gap_below_layer(points));
        let below = rules.len() as f64 * (line_height(points) + gap_before_line(points)) + high;
        layers + below <= LEGEND[3] && longest(points) + 9.0 <= LEGEND[2]
    };
    let smallest = LEGEND_SIZES.last().copied().unwrap_or(6.0);
    LEGEND_SIZES.into_iter().find(|points| fits(*points)).unwrap_or(smallest)
}

fn legend_style(
    xml: &mut Xml,
    name: &str,
    points: f64,
    bold: bool,
    margins: &[(&str, &str)],
) -> io::Result<()> {
    let font = font(points, bold);
    let element =
        xml.create_element("style").with_attributes([("name", name), ("alignment", "1"), ("indent", "0")]);
    element.with_attributes(margins.iter().copied()).write_inner_content(|xml| {
        xml.create_element("styleFont")
            .with_attributes([("description", font.as_str()), ("style", "")])
            .write_empty()?;
        qml::text_style(xml, &[], BLACK, points, bold, false)
    })?;
    Ok(())
}

/// Kilometres of one of the two parts of the bar: the largest round number of which both are at most a quarter of the map.
fn segment(extent: Rect<f64>) -> f64 {
    let most = extent.width() / 1_000.0 / 8.0;
    let power = 10_f64.powf(most.max(0.001).log10().floor());
    [5.0, 2.0, 1.0].into_iter().map(|m| m * power).find(|km| *km <= most).unwrap_or(power)
}

fn scale_bar(xml: &mut Xml, extent: Rect<f64>) -> io::Result<()> {
    let km = segment(extent);
    let millimetres = km * 1_000.0 / extent.width() * MAP[2];
    let (map, km_text, length) = (uuid_of("map"), km.to_string(), millimetres.to_string());
    let more = [
        ("mapUuid", map.as_str()),
        ("style", "Single Box"),
        ("unitType", "km"),
        ("unitLabel", "km"),
        ("numUnitsPerSegment", km_text.as_str()),
        ("numMapUnitsPerScaleBarUnit", "1"),
        ("segmentMillimeters", length.as_str()),
        ("segmentSizeMode", "0"),
        ("numSegments", "2"),
        ("numSegmentsLeft", "0"),
        ("height", "2"),
        ("labelBarSpace", "1"),
        ("boxContentSpace", "1.5"),
        ("outlineWidth", "0.2"),
        ("alignment", "0"),
        ("background", "true"),
    ];
    let place = [MAP[0] + 2.0, MAP[1] + MAP[3] - 11.5, 2.0 * millimetres + 14.0, 9.5];
    item(xml, KIND_SCALEBAR, "scale", place, &more, |xml| {
        qml::text_style(xml, &[], BLACK, 7.0, false, false)?;
        color(xml, "fillColor", "20,20,20,255")?;
        color(xml, "fillColor2", "255,255,255,255")?;
        color(xml, "strokeColor", "20,20,20,255")
    })
}

/// An arrow that points to true north, which is not straight up in this projection, drawn by QGIS itself.
fn north(xml: &mut Xml, letter: &str) -> io::Result<()> {
    const SIZE: f64 = 9.0;
    let (left, top) = (MAP[0] + MAP[2] - 13.0, MAP[1] + 2.0);
    label(
        xml,
        "north letter",
        [left, top, 10.0, 4.5],
        letter,
        &Text { points: 9.0, bold: true, middle: true, ..PLAIN },
    )?;
    let map = uuid_of("map");
    let more = [("mapUuid", map.as_str()), ("northMode", "1"), ("northOffset", "0"), ("arrowRotation", "0")];
    let place = [left + 5.0 - SIZE / 2.0, top + 5.0, SIZE, SIZE];
    item(xml, KIND_MARKER, "north arrow", place, &more, |xml| {
        let half = |name: &str, fill: &str| {
            let options = [
                ("name", name),
                ("color", fill),
                ("size", "9"),
                ("size_unit", "MM"),
                ("outline_color", BLACK),
                ("outline_width", "0.25"),
                ("outline_width_unit", "MM"),
            ];
            ("SimpleMarker", options.map(|(k, v)| (k, v.to_owned())).into())
        };
        let white = "255,255,255,255";
        qml::fixed_symbol(
            xml,
            "marker",
            &[half("left_half_triangle", white), half("right_half_triangle", BLACK)],
        )
    })
}
