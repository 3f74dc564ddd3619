//! The text of the project: layers in groups, where to look, what it is.

use std::io;

use geo::Rect;
use quick_xml::events::{BytesText, Event};
use quick_xml::writer::Writer;

use super::{Project, crs, is_shown, layout};
use crate::layers::feature::LayerGeometry;
use crate::layers::geojson;
use crate::layers::normal;
use crate::layers::style::qml::{self, Xml};
use crate::layers::style::style;
use crate::layers::view::LayerView;

/// Space around what is looked at first, as a share of its size.
const MARGIN: f64 = 0.06;

/// The project as XML.
pub(super) fn text(project: &Project<'_>) -> io::Result<String> {
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 1);
    xml.write_event(Event::DocType(BytesText::from_escaped(
        "qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'",
    )))?;
    let title = project.title();
    let root = [
        ("version", "3.22.16-Białowieża"),
        ("projectname", title.as_str()),
        ("saveUser", ""),
        ("saveDateTime", ""),
    ];
    xml.create_element("qgis").with_attributes(root).write_inner_content(|xml| {
        xml.create_element("homePath").with_attribute(("path", "")).write_empty()?;
        plain(xml, "title", &title)?;
        for name in ["autotransaction", "evaluateDefaultValues", "trust"] {
            xml.create_element(name).with_attribute(("active", "0")).write_empty()?;
        }
        xml.create_element("projectCrs").write_inner_content(|xml| crs::write(xml, &crs::MEXICO_LCC))?;
        tree(xml, project)?;
        canvas(xml, project)?;
        xml.create_element("projectlayers")
            .write_inner_content(|xml| project.views.iter().try_for_each(|view| layer(xml, project, view)))?;
        xml.create_element("layerorder").write_inner_content(|xml| {
            for view in project.views {
                let id = project.layer_id(view.name());
                xml.create_element("layer").with_attribute(("id", id.as_str())).write_empty()?;
            }
            Ok(())
        })?;
        properties(xml)?;
        metadata(xml, project, &title)?;
        xml.create_element("Layouts").write_inner_content(|xml| layout::write(xml, project))?;
        Ok(())
    })?;
    let mut bytes = xml.into_inner();
    bytes.push(b'\n');
    String::from_utf8(bytes).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))
}

/// An element with a text.
pub(super) fn plain(xml: &mut Xml, name: &str, text: &str) -> io::Result<()> {
    xml.create_element(name).write_text_content(BytesText::new(&normal::text(text)))?;
    Ok(())
}

/// The group of a layer, by its key in `locales/`.
fn group(layer: &str) -> &'static str {
    match layer {
        "checkpoints" | "patrols" | "worksites" | "inspection_routes" => "plans",
        "municipalities" | "service_gaps" => "territory",
        "diagnostics" | "sensitivity" => "quality",
        _ => "network",
    }
}

/// Layers in their groups, the highest first. A group stands where its highest layer does.
fn tree(xml: &mut Xml, project: &Project<'_>) -> io::Result<()> {
    let mut groups: Vec<(&str, Vec<&LayerView<'_>>)> = Vec::new();
    for view in project.views.iter().rev() {
        let key = group(view.name());
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, views)) => views.push(view),
            None => groups.push((key, vec![view])),
        }
    }
    xml.create_element("layer-tree-group").write_inner_content(|xml| {
        for (key, views) in &groups {
            let name = project.words(key);
            let any = views.iter().any(|view| is_shown(view.name()));
            let attributes = [("name", name.as_str()), ("checked", checked(any)), ("expanded", flag(any))];
            xml.create_element("layer-tree-group").with_attributes(attributes).write_inner_content(
                |xml| views.iter().try_for_each(|view| tree_layer(xml, project, view, &[])),
            )?;
        }
        Ok(())
    })?;
    Ok(())
}

/// One layer in a tree, with the properties that a legend gives it.
pub(super) fn tree_layer(
    xml: &mut Xml,
    project: &Project<'_>,
    view: &LayerView<'_>,
    custom: &[(&str, String)],
) -> io::Result<()> {
    let shown = is_shown(view.name());
    let (id, name) = (project.layer_id(view.name()), project.header.title(view.def()));
    let source = source(view);
    let attributes = [
        ("id", id.as_str()),
        ("name", name.as_str()),
        ("source", source.as_str()),
        ("providerKey", "ogr"),
        ("checked", checked(shown)),
        // The legend of what is seen, but not those of roads and municipalities, which are long.
        ("expanded", flag(view.name() == "corridors")),
        ("legend_exp", ""),
    ];
    xml.create_element("layer-tree-layer").with_attributes(attributes).write_inner_content(|xml| {
        xml.create_element("customproperties").write_inner_content(|xml| {
            qml::map(xml, None, |xml| {
                custom
                    .iter()
                    .try_for_each(|(name, value)| qml::option(xml, "QString", Some(name), Some(value)))
            })
        })?;
        Ok(())
    })?;
    Ok(())
}

const fn checked(yes: bool) -> &'static str {
    if yes { "Qt::Checked" } else { "Qt::Unchecked" }
}

const fn flag(yes: bool) -> &'static str {
    if yes { "1" } else { "0" }
}

/// Where a layer is found, from the folder of the project.
fn source(view: &LayerView<'_>) -> String {
    format!("./corredor.gpkg|layername={}", view.name())
}

/// The names that QGIS gives a type of geometry.
const fn kinds(geometry: LayerGeometry) -> [&'static str; 2] {
    match geometry {
        LayerGeometry::Point => ["Point", "Point"],
        LayerGeometry::MultiLineString => ["Line", "MultiLineString"],
        LayerGeometry::MultiPolygon => ["Polygon", "MultiPolygon"],
        LayerGeometry::None => ["No geometry", "NoGeometry"],
    }
}

fn layer(xml: &mut Xml, project: &Project<'_>, view: &LayerView<'_>) -> io::Result<()> {
    let style = style(view, project.header);
    let [geometry, wkb] = kinds(view.geometry());
    let attributes = [
        ("type", "vector"),
        ("geometry", geometry),
        ("wkbType", wkb),
        ("styleCategories", "AllStyleCategories"),
        ("labelsEnabled", flag(style.label.is_some())),
        // What a run has written is not to be edited by mistake.
        ("readOnly", "1"),
        ("simplifyDrawingHints", "1"),
    ];
    xml.create_element("maplayer").with_attributes(attributes).write_inner_content(|xml| {
        if let Some(extent) = geojson::extent(view) {
            bounds(xml, "extent", extent)?;
        }
        plain(xml, "id", &project.layer_id(view.name()))?;
        plain(xml, "datasource", &source(view))?;
        plain(xml, "layername", &project.header.title(view.def()))?;
        if view.geometry() != LayerGeometry::None {
            xml.create_element("srs").write_inner_content(|xml| crs::write(xml, &crs::WGS84))?;
        }
        xml.create_element("resourceMetadata").write_inner_content(|xml| {
            plain(xml, "identifier", &format!("{} {}", project.header.run_id, view.name()))?;
            plain(xml, "language", project.header.lang.code())?;
            plain(xml, "type", "dataset")?;
            plain(xml, "title", &project.header.title(view.def()))?;
            plain(xml, "abstract", &project.sentences().collect::<Vec<_>>().join("\n"))?;
            project.about.attributions.iter().try_for_each(|line| plain(xml, "rights", line))
        })?;
        xml.create_element("provider")
            .with_attribute(("encoding", "UTF-8"))
            .write_text_content(BytesText::new("ogr"))?;
        qml::body(xml, &style)
    })?;
    Ok(())
}

fn bounds(xml: &mut Xml, name: &str, rect: Rect<f64>) -> io::Result<()> {
    xml.create_element(name).write_inner_content(|xml| {
        let [low, high] = [rect.min(), rect.max()];
        for (name, x) in [("xmin", low.x), ("ymin", low.y), ("xmax", high.x), ("ymax", high.y)] {
            plain(xml, name, &format!("{x}"))?;
        }
        Ok(())
    })?;
    Ok(())
}

/// What is seen first, and what "zoom to all" goes back to.
fn canvas(xml: &mut Xml, project: &Project<'_>) -> io::Result<()> {
    let Some(extent) = project.extent else { return Ok(()) };
    let extent = widened(extent, MARGIN);
    let name = [("name", "theMapCanvas"), ("annotationsVisible", "1")];
    xml.create_element("mapcanvas").with_attributes(name).write_inner_content(|xml| {
        plain(xml, "units", "meters")?;
        bounds(xml, "extent", extent)?;
        plain(xml, "rotation", "0")?;
        xml.create_element("destinationsrs").write_inner_content(|xml| crs::write(xml, &crs::MEXICO_LCC))?;
        Ok(())
    })?;
    let [low, high] = [extent.min(), extent.max()];
    let sides = [("xmin", low.x), ("ymin", low.y), ("xmax", high.x), ("ymax", high.y)]
        .map(|(name, x)| (name, format!("{x}")));
    let sides = sides.iter().map(|(name, x)| (*name, x.as_str()));
    xml.create_element("ProjectViewSettings").with_attribute(("UseProjectScales", "0")).write_inner_content(
        |xml| {
            xml.create_element("DefaultViewExtent")
                .with_attributes(sides)
                .write_inner_content(|xml| crs::write(xml, &crs::MEXICO_LCC))?;
            Ok(())
        },
    )?;
    Ok(())
}

/// The rectangle with that share of its size more on each side, a single point with a kilometre.
pub(super) fn widened(rect: Rect<f64>, share: f64) -> Rect<f64> {
    let [low, high] = [rect.min(), rect.max()];
    let by = |size: f64| (size * share).max(1_000.0).ceil();
    let (x, y) = (by(rect.width()), by(rect.height()));
    Rect::new((low.x.floor() - x, low.y.floor() - y), (high.x.ceil() + x, high.y.ceil() + y))
}

fn properties(xml: &mut Xml) -> io::Result<()> {
    let values = [
        ("Measurement", "DistanceUnits", "QString", "kilometers"),
        ("Measurement", "AreaUnits", "QString", "km2"),
        // Relative: the folder can be moved.
        ("Paths", "Absolute", "bool", "false"),
        // Without it coordinates are taken as they are, and nothing is drawn where it belongs.
        ("SpatialRefSys", "ProjectionsEnabled", "int", "1"),
    ];
    xml.create_element("properties").write_inner_content(|xml| {
        for section in ["Measurement", "Paths", "SpatialRefSys"] {
            xml.create_element(section).write_inner_content(|xml| {
                for (_, name, kind, value) in values.iter().filter(|(of, ..)| *of == section) {
                    xml.create_element(*name)
                        .with_attribute(("type", *kind))
                        .write_text_content(BytesText::new(value))?;
                }
                Ok(())
            })?;
        }
        Ok(())
    })?;
    Ok(())
}

fn metadata(xml: &mut Xml, project: &Project<'_>, title: &str) -> io::Result<()> {
    let (header, about) = (project.header, project.about);
    let mut sentences: Vec<String> = project.sentences().map(str::to_owned).collect();
    sentences.push(project.run_line());
    sentences.extend(project.sources_line());
    xml.create_element("projectMetadata").write_inner_content(|xml| {
        plain(xml, "identifier", &header.run_id)?;
        plain(xml, "language", header.lang.code())?;
        plain(xml, "title", title)?;
        plain(xml, "abstract", &sentences.join("\n"))?;
        xml.create_element("links").write_empty()?;
        // No person's name: QGIS would put that of whoever opens it.
        plain(xml, "author", &format!("corredor {}", about.version))
    })?;
    Ok(())
}
