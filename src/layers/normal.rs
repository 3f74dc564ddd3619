//! The final form of numbers, texts and geometries, the same in every format.
//!
//! Files stay the same byte for byte only if values are rounded once, here, and not by each writer.

use std::borrow::Cow;

use geo::orient::{Direction, Orient};
use geo::{Coord, CoordsIter, Geometry, LineString, MapCoords, MultiLineString, MultiPolygon, Polygon};
use serde_json::{Map, Number, Value};

use super::antimeridian;
use super::feature::{FieldKind, LayerGeometry};

/// Steps per degree: seven decimals, about a centimetre (RFC 7946 §11.2 finds six enough).
pub(crate) const STEPS_PER_DEGREE: f64 = 1e7;
/// Steps per unit of a real value: nine decimals.
const STEPS_PER_UNIT: f64 = 1e9;
/// Above this, `x * STEPS_PER_UNIT` is no longer exact to one step; the value is left as it is.
const EXACT_BELOW: f64 = 1e6;

/// A real value to nine decimals, without a negative zero; null where it is no finite number.
pub(crate) fn real(x: f64) -> Value {
    let rounded = if x.abs() < EXACT_BELOW { (x * STEPS_PER_UNIT).round() / STEPS_PER_UNIT } else { x };
    // Adding zero turns -0.0 into 0.0.
    Number::from_f64(rounded + 0.0).map_or(Value::Null, Value::Number)
}

/// Text without control characters other than tab and line feed: neither XML nor C strings can hold them.
pub(crate) fn text(s: &str) -> Cow<'_, str> {
    let bad = |c: char| (c.is_control() && c != '\n' && c != '\t') || matches!(c, '\u{fffe}' | '\u{ffff}');
    if s.contains(bad) { Cow::Owned(s.chars().filter(|c| !bad(*c)).collect()) } else { Cow::Borrowed(s) }
}

/// A value in its final form, or `None` if it is not of `kind`.
pub(crate) fn value(value: &Value, kind: FieldKind) -> Option<Cow<'_, Value>> {
    Some(match (kind, value) {
        (_, Value::Null) | (FieldKind::Boolean, Value::Bool(_)) => Cow::Borrowed(value),
        (FieldKind::Integer, Value::Number(n)) if n.is_i64() => Cow::Borrowed(value),
        (FieldKind::Real, Value::Number(n)) => Cow::Owned(n.as_f64().map_or(Value::Null, real)),
        (FieldKind::Text, Value::String(s)) => match text(s) {
            Cow::Borrowed(_) => Cow::Borrowed(value),
            Cow::Owned(clean) => Cow::Owned(Value::String(clean)),
        },
        (FieldKind::Json, Value::Array(_) | Value::Object(_)) => Cow::Owned(json(value)),
        _ => return None,
    })
}

/// JSON with its reals rounded.
fn json(value: &Value) -> Value {
    match value {
        Value::Number(n) if n.is_f64() => n.as_f64().map_or(Value::Null, real),
        Value::Array(items) => Value::Array(items.iter().map(json).collect()),
        Value::Object(map) => {
            Value::Object(map.iter().map(|(k, v)| (text(k).into_owned(), json(v))).collect::<Map<_, _>>())
        }
        Value::String(s) => Value::String(text(s).into_owned()),
        other => other.clone(),
    }
}

/// Why a geometry cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum GeometryFault {
    /// Of another type than the layer.
    #[error("geometry is not of the layer's type")]
    Type,
    /// Outside longitude ±180 or latitude ±90.
    #[error("coordinate is not longitude and latitude")]
    Range,
}

/// A geometry in its final form: of the layer's one type (a layer of mixed types falls apart in QGIS), seven
/// decimals, cut at the antimeridian, exterior rings counter-clockwise. `None` where nothing can be drawn: empty, or not finite.
pub(crate) fn geometry(
    geometry: &Geometry<f64>,
    kind: LayerGeometry,
) -> Result<Option<Geometry<f64>>, GeometryFault> {
    if geometry.coords_iter().any(|c| !c.x.is_finite() || !c.y.is_finite()) {
        return Ok(None);
    }
    if geometry.coords_iter().any(|c| c.x.abs() > 180.0 || c.y.abs() > 90.0) {
        return Err(GeometryFault::Range);
    }
    let rounded = geometry.map_coords(|c| Coord { x: degrees(c.x), y: degrees(c.y) });
    Ok(match (kind, rounded) {
        (LayerGeometry::Point, Geometry::Point(p)) => Some(Geometry::Point(p)),
        (LayerGeometry::MultiLineString, Geometry::Line(line)) => lines(vec![LineString::from(line)]),
        (LayerGeometry::MultiLineString, Geometry::LineString(line)) => lines(vec![line]),
        (LayerGeometry::MultiLineString, Geometry::MultiLineString(multi)) => lines(multi.0),
        (LayerGeometry::MultiPolygon, Geometry::Polygon(polygon)) => polygons(vec![polygon]),
        (LayerGeometry::MultiPolygon, Geometry::MultiPolygon(multi)) => polygons(multi.0),
        _ => return Err(GeometryFault::Type),
    })
}

/// To the last decimal again: where a shape was cut, it has new positions.
fn rounded<T: MapCoords<f64, f64, Output = T>>(part: &T) -> T {
    part.map_coords(|c| Coord { x: degrees(c.x), y: degrees(c.y) })
}

fn degrees(x: f64) -> f64 {
    (x * STEPS_PER_DEGREE).round() / STEPS_PER_DEGREE + 0.0
}

fn lines(parts: Vec<LineString<f64>>) -> Option<Geometry<f64>> {
    let mut parts: Vec<_> =
        parts.into_iter().flat_map(antimeridian::cut_line).map(|line| rounded(&line)).collect();
    parts.retain(|line| line.0.len() >= 2);
    (!parts.is_empty()).then_some(Geometry::MultiLineString(MultiLineString(parts)))
}

fn polygons(parts: Vec<Polygon<f64>>) -> Option<Geometry<f64>> {
    // Four positions make a ring; less cannot be written (RFC 7946 §3.1.6).
    let whole = |ring: &LineString<f64>| ring.0.len() >= 4;
    let parts: Vec<_> = parts
        .into_iter()
        .flat_map(antimeridian::cut_polygon)
        .map(|polygon| rounded(&polygon))
        .filter(|polygon| whole(polygon.exterior()))
        .map(|polygon| {
            let (exterior, mut holes) = polygon.into_inner();
            holes.retain(whole);
            Polygon::new(exterior, holes).orient(Direction::Default)
        })
        .collect();
    (!parts.is_empty()).then_some(Geometry::MultiPolygon(MultiPolygon(parts)))
}

#[cfg(test)]
mod tests {
    use geo::{line_string, point, polygon};
    use serde_json::json;

    use super::*;

    #[test]
    fn reals_are_rounded_and_never_negative_zero_or_infinite() {
        assert_eq!(real(0.1 + 0.2).to_string(), "0.3");
        assert_eq!(real(-1e-12).to_string(), "0.0");
        assert_eq!(real(f64::NAN), Value::Null);
        assert_eq!(real(f64::NEG_INFINITY), Value::Null);
        assert_eq!(real(12_345_678.125).to_string(), "12345678.125");
    }

    #[test]
    fn values_of_another_kind_are_not_taken() {
        assert!(value(&json!("7"), FieldKind::Integer).is_none());
        assert!(value(&json!(7.5), FieldKind::Integer).is_none());
        assert!(value(&json!(u64::MAX), FieldKind::Integer).is_none());
        assert!(value(&json!(1), FieldKind::Boolean).is_none());
        assert!(value(&json!("x"), FieldKind::Json).is_none());
        assert_eq!(*value(&json!(7), FieldKind::Real).unwrap(), json!(7.0));
        assert_eq!(*value(&json!([0.1 + 0.2, "a\u{0}"]), FieldKind::Json).unwrap(), json!([0.3, "a"]));
        assert_eq!(*value(&json!("a\u{0}\nb"), FieldKind::Text).unwrap(), json!("a\nb"));
    }

    #[test]
    fn geometries_take_the_one_type_of_the_layer() {
        let line = Geometry::LineString(line_string![(x: -0.000_000_01, y: 1.0), (x: 2.0, y: 3.123_456_78)]);
        let Some(Geometry::MultiLineString(multi)) = geometry(&line, LayerGeometry::MultiLineString).unwrap()
        else {
            panic!("one type")
        };
        assert!(multi.0[0].0[0].x.is_sign_positive());
        assert!((multi.0[0].0[1].y - 3.123_456_8).abs() < 1e-12);
        assert_eq!(geometry(&line, LayerGeometry::Point), Err(GeometryFault::Type));
        let nan = Geometry::Point(point! { x: f64::NAN, y: 1.0 });
        assert_eq!(geometry(&nan, LayerGeometry::Point), Ok(None));
        let far = Geometry::Point(point! { x: 500_000.0, y: 1.0 });
        assert_eq!(geometry(&far, LayerGeometry::Point), Err(GeometryFault::Range));
        let flat = Geometry::MultiPolygon(MultiPolygon(vec![]));
        assert_eq!(geometry(&flat, LayerGeometry::MultiPolygon), Ok(None));
        let clockwise = Geometry::Polygon(polygon![(x: 0.0, y: 0.0), (x: 0.0, y: 1.0), (x: 1.0, y: 1.0)]);
        let Some(Geometry::MultiPolygon(multi)) = geometry(&clockwise, LayerGeometry::MultiPolygon).unwrap()
        else {
            panic!("one type")
        };
        let order = geo::Winding::winding_order(multi.0[0].exterior());
        assert_eq!(order, Some(geo::winding_order::WindingOrder::CounterClockwise));
    }
}
