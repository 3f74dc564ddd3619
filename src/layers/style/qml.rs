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

/// Where the labels of a layer stand. What finds no room is left out.
#[derive(Debug, Clone)]
pub(in crate::layers) enum Placement {
    /// Beside a point, in the first of the positions in which it meets no other label.
    Beside {
        /// Expression for the point, where a feature is none.
        point: Option<&'static str>,
        /// Positions as QGIS names them, the best first.
        positions: &'static str,
    },
    /// Along a line.
    Along,
    /// Within an area.
    Within,
}

/// Labels of a layer.
#[derive(Debug, Clone)]
pub(in crate::layers) struct Label {
    /// Expression for the text.
    pub text: &'static str,
    pub color: &'static str,
    pub size: f64,
    /// Whether the strokes are bold.
    pub bold: bool,
    pub placement: Placement,
    /// From 0, which gives way to all others, to 10; an expression.
    pub priority: &'static str,
    /// Denominator of the smallest scale at which they are drawn.
    pub scale: u32,
}

/// A field as QGIS shows it.
#[derive(Debug, Clone)]
pub(in crate::layers) struct FieldStyle {
    pub name: &'static str,
    pub alias: &'static str,
    /// Values with their words, for a field of codes.
    pub values: Vec<(String, String)>,
}

/// A style.
#[derive(Debug, Clone)]
pub(in crate::layers) struct Style {
    pub name: &'static str,
    pub rules: Vec<Rule>,
    pub label: Option<Label>,
    /// In order.
    pub fields: Vec<FieldStyle>,
    /// Shown as the notes of the layer.
    pub notes: String,
}

/// Generic, so that every system has one of the kind.
pub(in crate::layers) const FONT: &str = "Sans Serif";

pub(in crate::layers) type Xml = Writer<Vec<u8>>;

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
    xml.create_element("qgis").with_attributes(root).write_inner_content(|xml| body(xml, style))?;
    let mut bytes = xml.into_inner();
    bytes.push(b'\n');
    String::from_utf8(bytes).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))
}

/// What stands in a style of its own and in a layer of a project alike.
pub(in crate::layers) fn body(xml: &mut Xml, style: &Style) -> io::Result<()> {
    renderer(xml, style)?;
    if let Some(label) = &style.label {
        labeling(xml, label)?;
    }
    xml.create_element("fieldConfiguration").write_inner_content(|xml| {
        for field in style.fields.iter().filter(|field| !field.values.is_empty()) {
            xml.create_element("field")
                .with_attributes([("name", field.name), ("configurationFlags", "None")])
                .write_inner_content(|xml| value_map(xml, &field.values))?;
        }
        Ok(())
    })?;
    xml.create_element("aliases").write_inner_content(|xml| {
        for (i, field) in style.fields.iter().enumerate() {
            let index = i.to_string();
            xml.create_element("alias")
                .with_attributes([("index", index.as_str()), ("field", field.name), ("name", field.alias)])
                .write_empty()?;
        }
        Ok(())
    })?;
    xml.create_element("previewExpression").write_text_content(BytesText::new("\"name\""))?;
    let notes = normal::text(&style.notes);
    xml.create_element("userNotes").with_attribute(("value", notes.as_ref())).write_empty()?;
    Ok(())
}

/// Words in the place of codes, in the table of attributes and in forms.
fn value_map(xml: &mut Xml, values: &[(String, String)]) -> io::Result<()> {
    xml.create_element("editWidget").with_attribute(("type", "ValueMap")).write_inner_content(|xml| {
        xml.create_element("config").write_inner_content(|xml| {
            map(xml, None, |xml| {
                let list = [("type", "List"), ("name", "map")];
                xml.create_element("Option").with_attributes(list).write_inner_content(|xml| {
                    for (code, word) in values {
                        map(xml, None, |xml| option(xml, "QString", Some(word), Some(code)))?;
                    }
                    Ok(())
                })?;
                Ok(())
            })
        })?;
        Ok(())
    })?;
    Ok(())
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
            symbol_layer(xml, layer.class, &layer.options, |xml| {
                let size: Vec<_> = symbol.size.iter().map(|steps| (layer.size, steps.expression())).collect();
                defined(xml, &size)?;
                layer.part.as_ref().map_or(Ok(()), |part| self::symbol(xml, &format!("@{name}@{i}"), part))
            })?;
        }
        Ok(())
    })?;
    Ok(())
}

/// One layer of a symbol, with its options by the names that QGIS uses.
fn symbol_layer(
    xml: &mut Xml,
    class: &str,
    options: &[(&str, String)],
    inner: impl FnOnce(&mut Xml) -> io::Result<()>,
) -> io::Result<()> {
    let attributes = [("class", class), ("enabled", "1"), ("locked", "0"), ("pass", "0")];
    xml.create_element("layer").with_attributes(attributes).write_inner_content(|xml| {
        map(xml, None, |xml| {
            options.iter().try_for_each(|(key, value)| option(xml, "QString", Some(key), Some(value)))
        })?;
        inner(xml)
    })?;
    Ok(())
}

/// A symbol of a layout, which no feature changes: its kind, and the classes and options of its layers.
pub(in crate::layers) fn fixed_symbol(
    xml: &mut Xml,
    kind: &str,
    layers: &[(&str, Vec<(&str, String)>)],
) -> io::Result<()> {
    let attributes =
        [("type", kind), ("name", ""), ("alpha", "1"), ("clip_to_extent", "1"), ("force_rhr", "0")];
    xml.create_element("symbol").with_attributes(attributes).write_inner_content(|xml| {
        layers.iter().try_for_each(|(class, options)| symbol_layer(xml, class, options, |_| Ok(())))
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

pub(in crate::layers) fn map(
    xml: &mut Xml,
    name: Option<&str>,
    inner: impl FnOnce(&mut Xml) -> io::Result<()>,
) -> io::Result<()> {
    let mut element = xml.create_element("Option").with_attribute(("type", "Map"));
    if let Some(name) = name {
        element = element.with_attribute(("name", name));
    }
    element.write_inner_content(inner)?;
    Ok(())
}

pub(in crate::layers) fn option(
    xml: &mut Xml,
    kind: &str,
    name: Option<&str>,
    value: Option<&str>,
) -> io::Result<()> {
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
    xml.create_element("labeling").with_attribute(("type", "simple")).write_inner_content(|xml| {
        xml.create_element("settings").with_attribute(("calloutType", "simple")).write_inner_content(
            |xml| {
                let text = [("fieldName", label.text), ("isExpression", "1")];
                text_style(xml, &text, label.color, label.size, label.bold, true)?;
                let (kind, point, positions) = match &label.placement {
                    // 6: positions around a point, by preference.
                    Placement::Beside { point, positions } => ("6", point.unwrap_or_default(), *positions),
                    Placement::Along => ("2", "", ""),
                    // 1: over the point that the area is shown by.
                    Placement::Within => ("1", "", ""),
                };
                let place = [
                    ("placement", kind),
                    ("predefinedPositionOrder", positions),
                    // 9: on the line, in its direction.
                    ("placementFlags", "9"),
                    ("dist", if kind == "6" { "1" } else { "0" }),
                    ("distUnits", "MM"),
                    ("repeatDistance", if kind == "2" { "60" } else { "0" }),
                    ("repeatDistanceUnits", "MM"),
                    ("geometryGenerator", point),
                    ("geometryGeneratorEnabled", if point.is_empty() { "0" } else { "1" }),
                    ("geometryGeneratorType", "PointGeometry"),
                ];
                xml.create_element("placement").with_attributes(place).write_empty()?;
                let scale = label.scale.to_string();
                let rendering = [
                    ("drawLabels", "1"),
                    // One for the whole of a corridor, not one for each part.
                    ("labelPerPart", "0"),
                    ("mergeLines", if kind == "2" { "1" } else { "0" }),
                    // A label that finds no room is left out.
                    ("displayAll", "0"),
                    ("scaleVisibility", "1"),
                    ("scaleMin", "0"),
                    // QGIS calls the largest denominator so.
                    ("scaleMax", scale.as_str()),
                ];
                xml.create_element("rendering").with_attributes(rendering).write_empty()?;
                let priority = [("Priority", label.priority.to_owned())];
                properties(xml, "dd_properties", &priority)
            },
        )?;
        Ok(())
    })?;
    Ok(())
}

/// The form of a text, with a halo where it stands on a map.
pub(in crate::layers) fn text_style(
    xml: &mut Xml,
    more: &[(&str, &str)],
    color: &str,
    size: f64,
    bold: bool,
    halo: bool,
) -> io::Result<()> {
    let size = size.to_string();
    let text = [
        ("fontFamily", FONT),
        ("fontWeight", if bold { "75" } else { "50" }),
        ("fontSize", size.as_str()),
        ("fontSizeUnit", "Point"),
        ("textColor", color),
        ("textOpacity", "1"),
    ];
    let element = xml.create_element("text-style").with_attributes(more.iter().copied());
    element.with_attributes(text).write_inner_content(|xml| {
        let buffer = [
            ("bufferDraw", if halo { "1" } else { "0" }),
            ("bufferSize", "0.8"),
            ("bufferSizeUnits", "MM"),
            ("bufferColor", "255,255,255,255"),
            ("bufferOpacity", "1"),
        ];
        xml.create_element("text-buffer").with_attributes(buffer).write_empty()?;
        Ok(())
    })?;
    Ok(())
}
