//! The part of the QML of QGIS 3.22 that the styles need, through an XML writer.
//!
//! Everything is a rule-based renderer: unlike a graduated one it shows features whose value is null.

use std::io;

use quick_xml::events::{BytesText, Event};
use quick_xml::writer::Writer;

use super::legend::{self, Rule, Shape, Symbol};
use crate::layers::normal;

/// One layer of a symbol, by the names that QGIS uses.
struct SymbolLayer {
    class: &'static str,
    options: Vec<(&'static str, String)>,
    /// What a size that is not fixed is called.
    size: &'static str,
    /// The symbol that a pattern repeats.
    part: Option<Symbol>,
}

/// The kind of a symbol, and its layers from bottom to top.
fn layers(shape: &Shape) -> (&'static str, Vec<SymbolLayer>) {
    let layer =
        |class, size, options: Vec<(&'static str, String)>| SymbolLayer { class, options, size, part: None };
    match shape {
        Shape::Line { color, width, dash } => {
            let mut options = vec![
                ("line_color", color.clone()),
                ("line_width", width.to_string()),
                ("line_width_unit", "MM".into()),
                ("line_style", "solid".into()),
                ("capstyle", "round".into()),
                ("joinstyle", "round".into()),
            ];
            if let Some(dash) = dash {
                options.extend([
                    ("use_custom_dash", "1".into()),
                    ("customdash", (*dash).to_owned()),
                    ("customdash_unit", "MM".into()),
                ]);
            }
            ("line", vec![layer("SimpleLine", "outlineWidth", options)])
        }
        Shape::Marker { form, color, size } => {
            let options = vec![
                ("name", (*form).to_owned()),
                ("color", color.clone()),
                ("size", size.to_string()),
                ("size_unit", "MM".into()),
                ("outline_color", "35,35,35,255".into()),
                ("outline_width", "0.2".into()),
                ("outline_width_unit", "MM".into()),
                ("outline_style", "solid".into()),
                ("scale_method", "diameter".into()),
            ];
            ("marker", vec![layer("SimpleMarker", "size", options)])
        }
        Shape::Fill { color, hatching } => {
            let options = vec![
                ("color", color.clone()),
                ("style", "solid".into()),
                ("outline_color", "110,110,110,255".into()),
                ("outline_style", "solid".into()),
                ("outline_width", "0.15".into()),
                ("outline_width_unit", "MM".into()),
            ];
            let mut all = vec![layer("SimpleFill", "", options)];
            if let Some(lines) = hatching {
                let options = vec![
                    ("angle", "45".into()),
                    ("distance", "1.6".into()),
                    ("distance_unit", "MM".into()),
                    ("line_width", "0.3".into()),
                    ("line_width_unit", "MM".into()),
                ];
                let part = Some(legend::line(lines, 0.3));
                all.push(SymbolLayer { part, ..layer("LinePatternFill", "", options) });
            }
            ("fill", all)
        }
    }
}

/// Labels of a layer: beside a point, in the first of the positions in which they meet no other label.
#[derive(Debug, Clone)]
pub(super) struct Label {
    /// Expression for the text.
    pub text: &'static str,
    pub color: &'static str,
    pub size: f64,
    /// Whether the strokes are bold.
    pub bold: bool,
    /// Expression for the point, where a feature is none.
    pub point: Option<&'static str>,
    /// Positions as QGIS names them, the best first.
    pub positions: &'static str,
    /// From 0, which gives way to all others, to 10; an expression.
    pub priority: &'static str,
}

/// A style.
#[derive(Debug, Clone)]
pub(super) struct Style {
    pub name: &'static str,
    pub rules: Vec<Rule>,
    pub label: Option<Label>,
    /// Field names with their aliases, in order.
    pub aliases: Vec<(&'static str, &'static str)>,
    /// Shown as the notes of the layer.
    pub notes: String,
}

type Xml = Writer<Vec<u8>>;

/// The QML text.
pub(super) fn write(style: &Style) -> io::Result<String> {
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 1);
    xml.write_event(Event::DocType(BytesText::from_escaped(
        "qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'",
    )))?;
    let root = [
        ("version", "3.22.16-Białowieża"),
        ("styleCategories", "LayerConfiguration|Symbology|Labeling|Fields|CustomProperties|Notes"),
        ("labelsEnabled", if style.label.is_some() { "1" } else { "0" }),
        ("readOnly", "0"),
    ];
    xml.create_element("qgis").with_attributes(root).write_inner_content(|xml| {
        renderer(xml, style)?;
        if let Some(label) = &style.label {
            labeling(xml, label)?;
        }
        xml.create_element("aliases").write_inner_content(|xml| {
            for (i, (field, alias)) in style.aliases.iter().enumerate() {
                let index = i.to_string();
                xml.create_element("alias")
                    .with_attributes([("index", index.as_str()), ("field", field), ("name", alias)])
                    .write_empty()?;
            }
            Ok(())
        })?;
        xml.create_element("previewExpression").write_text_content(BytesText::new("\"name\""))?;
        let notes = normal::text(&style.notes);
        xml.create_element("userNotes").with_attribute(("value", notes.as_ref())).write_empty()?;
        Ok(())
    })?;
    let mut bytes = xml.into_inner();
    bytes.push(b'\n');
    String::from_utf8(bytes).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))
}

fn renderer(xml: &mut Xml, style: &Style) -> io::Result<()> {
    let attributes = [
        ("type", "RuleRenderer"),
        ("symbollevels", "0"),
        ("enableorderby", "0"),
        ("forceraster", "0"),
        ("referencescale", "-1"),
    ];
    xml.create_element("renderer-v2").with_attributes(attributes).write_inner_content(|xml| {
        let root = format!("{{{}}}", style.name);
        xml.create_element("rules").with_attribute(("key", root.as_str())).write_inner_content(|xml| {
            for (i, rule) in style.rules.iter().enumerate() {
                // QGIS makes random keys; these are the same each time.
                let (key, symbol) = (format!("{{{}-{i}}}", style.name), i.to_string());
                let label = normal::text(&rule.label);
                let mut element = xml.create_element("rule").with_attributes([
                    ("key", key.as_str()),
                    ("symbol", symbol.as_str()),
                    ("label", label.as_ref()),
                ]);
                let filter = rule.test.expression();
                if !filter.is_empty() {
                    element = element.with_attribute(("filter", filter.as_str()));
                }
                element.write_empty()?;
            }
            Ok(())
        })?;
        xml.create_element("symbols").write_inner_content(|xml| {
            for (i, rule) in style.rules.iter().enumerate() {
                symbol(xml, &i.to_string(), &rule.symbol)?;
            }
            Ok(())
        })?;
        Ok(())
    })?;
    Ok(())
}

fn symbol(xml: &mut Xml, name: &str, symbol: &Symbol) -> io::Result<()> {
    let (kind, layers) = layers(&symbol.shape);
    let attributes =
        [("type", kind), ("name", name), ("alpha", "1"), ("clip_to_extent", "1"), ("force_rhr", "0")];
    xml.create_element("symbol").with_attributes(attributes).write_inner_content(|xml| {
        let opacity: Vec<_> = symbol.opacity.iter().map(|steps| ("alpha", steps.expression())).collect();
        defined(xml, &opacity)?;
        for (i, layer) in layers.iter().enumerate() {
            let attributes = [("class", layer.class), ("enabled", "1"), ("locked", "0"), ("pass", "0")];
            xml.create_element("layer").with_attributes(attributes).write_inner_content(|xml| {
                map(xml, None, |xml| {
                    for (key, value) in &layer.options {
                        option(xml, "QString", Some(key), Some(value))?;
                    }
                    Ok(())
                })?;
                let size: Vec<_> = symbol.size.iter().map(|steps| (layer.size, steps.expression())).collect();
                defined(xml, &size)?;
                if let Some(part) = &layer.part {
                    self::symbol(xml, &format!("@{name}@{i}"), part)?;
                }
                Ok(())
            })?;
        }
        Ok(())
    })?;
    Ok(())
}

fn defined(xml: &mut Xml, values: &[(&'static str, String)]) -> io::Result<()> {
    properties(xml, "data_defined_properties", values)
}

/// Expressions by the name of the property that each gives.
fn properties(xml: &mut Xml, element: &str, values: &[(&'static str, String)]) -> io::Result<()> {
    xml.create_element(element).write_inner_content(|xml| {
        map(xml, None, |xml| {
            option(xml, "QString", Some("name"), Some(""))?;
            if values.is_empty() {
                xml.create_element("Option").with_attribute(("name", "properties")).write_empty()?;
            } else {
                map(xml, Some("properties"), |xml| {
                    for (name, expression) in values {
                        map(xml, Some(name), |xml| {
                            option(xml, "bool", Some("active"), Some("true"))?;
                            option(xml, "QString", Some("expression"), Some(expression))?;
                            // 3 is an expression, 2 a field.
                            option(xml, "int", Some("type"), Some("3"))
                        })?;
                    }
                    Ok(())
                })?;
            }
            option(xml, "QString", Some("type"), Some("collection"))
        })
    })?;
    Ok(())
}

fn map(xml: &mut Xml, name: Option<&str>, inner: impl FnOnce(&mut Xml) -> io::Result<()>) -> io::Result<()> {
    let mut element = xml.create_element("Option").with_attribute(("type", "Map"));
    if let Some(name) = name {
        element = element.with_attribute(("name", name));
    }
    element.write_inner_content(inner)?;
    Ok(())
}

fn option(xml: &mut Xml, kind: &str, name: Option<&str>, value: Option<&str>) -> io::Result<()> {
    let mut element = xml.create_element("Option").with_attribute(("type", kind));
    if let Some(name) = name {
        element = element.with_attribute(("name", name));
    }
    if let Some(value) = value {
        element = element.with_attribute(("value", value));
    }
    element.write_empty()?;
    Ok(())
}

fn labeling(xml: &mut Xml, label: &Label) -> io::Result<()> {
    let size = label.size.to_string();
    xml.create_element("labeling").with_attribute(("type", "simple")).write_inner_content(|xml| {
        xml.create_element("settings").with_attribute(("calloutType", "simple")).write_inner_content(
            |xml| {
                let text = [
                    ("fieldName", label.text),
                    ("isExpression", "1"),
                    ("fontFamily", "Open Sans"),
                    ("fontWeight", if label.bold { "75" } else { "50" }),
                    ("fontSize", size.as_str()),
                    ("fontSizeUnit", "Point"),
                    ("textColor", label.color),
                    ("textOpacity", "1"),
                ];
                xml.create_element("text-style").with_attributes(text).write_inner_content(|xml| {
                    let buffer = [
                        ("bufferDraw", "1"),
                        ("bufferSize", "0.8"),
                        ("bufferSizeUnits", "MM"),
                        ("bufferColor", "255,255,255,255"),
                        ("bufferOpacity", "1"),
                    ];
                    xml.create_element("text-buffer").with_attributes(buffer).write_empty()?;
                    Ok(())
                })?;
                let place = [
                    // 6: positions around a point, by preference.
                    ("placement", "6"),
                    ("predefinedPositionOrder", label.positions),
                    ("dist", "1"),
                    ("distUnits", "MM"),
                    ("geometryGenerator", label.point.unwrap_or_default()),
                    ("geometryGeneratorEnabled", if label.point.is_some() { "1" } else { "0" }),
                    ("geometryGeneratorType", "PointGeometry"),
                ];
                xml.create_element("placement").with_attributes(place).write_empty()?;
                // A label that finds no room is left out. One for the whole of a corridor, not one for each part.
                let rendering = [("drawLabels", "1"), ("labelPerPart", "0"), ("displayAll", "0")];
                xml.create_element("rendering").with_attributes(rendering).write_empty()?;
                let priority = [("Priority", label.priority.to_owned())];
                properties(xml, "dd_properties", &priority)
            },
        )?;
        Ok(())
    })?;
    Ok(())
}
