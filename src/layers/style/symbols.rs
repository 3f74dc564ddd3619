//! Lines, points and areas by what QGIS calls them.

use super::qml::{Rule, Symbol, SymbolKind, SymbolLayer};

pub(super) fn rule(filter: impl Into<String>, label: impl Into<String>, symbol: Symbol) -> Rule {
    Rule { filter: filter.into(), label: label.into(), symbol }
}

pub(super) fn line(color: &str, width: f64) -> Symbol {
    let options = vec![
        ("line_color", color.to_owned()),
        ("line_width", width.to_string()),
        ("line_width_unit", "MM".into()),
        ("line_style", "solid".into()),
        ("capstyle", "round".into()),
        ("joinstyle", "round".into()),
    ];
    let layer = SymbolLayer { class: "SimpleLine", options, defined: vec![], part: None };
    Symbol { kind: SymbolKind::Line, layers: vec![layer], opacity: None }
}

pub(super) fn dashed(color: &str, width: f64, dash: &str) -> Symbol {
    let mut symbol = line(color, width);
    for layer in &mut symbol.layers {
        layer.options.extend([
            ("use_custom_dash", "1".into()),
            ("customdash", dash.to_owned()),
            ("customdash_unit", "MM".into()),
        ]);
    }
    symbol
}

pub(super) fn marker(shape: &str, color: &str, size: f64) -> Symbol {
    let options = vec![
        ("name", shape.to_owned()),
        ("color", color.to_owned()),
        ("size", size.to_string()),
        ("size_unit", "MM".into()),
        ("outline_color", "35,35,35,255".into()),
        ("outline_width", "0.2".into()),
        ("outline_width_unit", "MM".into()),
        ("outline_style", "solid".into()),
        ("scale_method", "diameter".into()),
    ];
    let layer = SymbolLayer { class: "SimpleMarker", options, defined: vec![], part: None };
    Symbol { kind: SymbolKind::Marker, layers: vec![layer], opacity: None }
}

pub(super) fn fill(color: &str) -> Symbol {
    let options = vec![
        ("color", color.to_owned()),
        ("style", "solid".into()),
        ("outline_color", "110,110,110,255".into()),
        ("outline_style", "solid".into()),
        ("outline_width", "0.15".into()),
        ("outline_width_unit", "MM".into()),
    ];
    let layer = SymbolLayer { class: "SimpleFill", options, defined: vec![], part: None };
    Symbol { kind: SymbolKind::Fill, layers: vec![layer], opacity: None }
}

/// A pale fill with hatching over it, for a value that is known only within bounds.
pub(super) fn hatched(color: &str, lines: &str) -> Symbol {
    let mut symbol = fill(color);
    symbol.layers.push(SymbolLayer {
        class: "LinePatternFill",
        options: vec![
            ("angle", "45".into()),
            ("distance", "1.6".into()),
            ("distance_unit", "MM".into()),
            ("line_width", "0.3".into()),
            ("line_width_unit", "MM".into()),
        ],
        defined: vec![],
        part: Some(Box::new(line(lines, 0.3))),
    });
    symbol
}

pub(super) fn define(mut symbol: Symbol, property: &'static str, expression: &str) -> Symbol {
    for layer in &mut symbol.layers {
        layer.defined.push((property, expression.to_owned()));
    }
    symbol
}
