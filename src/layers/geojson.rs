//! Layers as GeoJSON (RFC 7946), one feature a line, written as a stream and counted back as one.

use std::fmt::Write as _;
use std::io::{BufRead, Write};

use geo::{BoundingRect, Coord, Geometry, LineString, Polygon, Rect};
use serde_json::{Value, json};

use super::antimeridian;
use super::normal::STEPS_PER_DEGREE;
use super::view::{Header, LayerView};

/// Writes the layer. Foreign members at the top: `name`, `title`, and `corredor` with the run, the audience and
/// the notices. Coordinates have at most seven decimals; exterior rings run counter-clockwise; `bbox` is that of
/// the collection, west of it greater than east where it crosses the antimeridian, and left out where no feature has
/// a place.
///
/// # Errors
/// What `out` reports.
pub fn write(out: &mut impl Write, view: &LayerView<'_>, header: &Header) -> std::io::Result<()> {
    let about = json!({ "run_id": header.run_id, "audience": header.audience, "notices": header.notices });
    write!(out, "{{\"type\":\"FeatureCollection\",\n\"name\":{},", json!(view.name()))?;
    write!(out, "\n\"title\":{},\n\"corredor\":{about},", json!(header.title(view.def())))?;
    let mut line = String::new();
    if let Some([west, south, east, north]) = antimeridian::bbox(view.rows().filter_map(|row| row.geometry()))
    {
        line.push_str("\n\"bbox\":[");
        position(&mut line, Coord { x: west, y: south });
        line.push(',');
        position(&mut line, Coord { x: east, y: north });
        line.push_str("],");
        out.write_all(line.as_bytes())?;
    }
    out.write_all(b"\n\"features\":[")?;
    for (i, row) in view.rows().enumerate() {
        line.clear();
        line.push_str(if i == 0 { "\n" } else { ",\n" });
        line.push_str("{\"type\":\"Feature\",\"id\":");
        push(&mut line, &Value::from(row.id()));
        line.push_str(",\"geometry\":");
        shape(&mut line, row.geometry().as_ref());
        line.push_str(",\"properties\":{");
        for (j, (field, value)) in row.values().enumerate() {
            if j > 0 {
                line.push(',');
            }
            push(&mut line, &Value::from(field.name));
            line.push(':');
            push(&mut line, &value);
        }
        line.push_str("}}");
        out.write_all(line.as_bytes())?;
    }
    out.write_all(b"\n]}\n")
}

/// Reads a file back and counts its features, each parsed as a GeoJSON feature.
///
/// # Errors
/// Not JSON, not a collection, or a member that is no feature.
pub fn count(input: impl BufRead) -> serde_json::Result<u64> {
    #[derive(serde::Deserialize)]
    struct Collection {
        #[serde(rename = "type")]
        kind: String,
        #[serde(deserialize_with = "features")]
        features: u64,
    }
    fn features<'de, D: serde::Deserializer<'de>>(input: D) -> Result<u64, D::Error> {
        struct Counter;
        impl<'de> serde::de::Visitor<'de> for Counter {
            type Value = u64;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an array of features")
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<u64, A::Error> {
                let mut n = 0;
                while seq.next_element::<geojson::Feature>()?.is_some() {
                    n += 1;
                }
                Ok(n)
            }
        }
        input.deserialize_seq(Counter)
    }
    let mut reader = serde_json::Deserializer::from_reader(input);
    let collection: Collection = serde::Deserialize::deserialize(&mut reader)?;
    reader.end()?;
    if collection.kind == "FeatureCollection" {
        Ok(collection.features)
    } else {
        Err(serde::de::Error::custom("not a FeatureCollection"))
    }
}

/// The extent of a view in plain longitudes, as a map of one region takes it.
pub(super) fn extent(view: &LayerView<'_>) -> Option<Rect<f64>> {
    view.rows().filter_map(|row| row.geometry()?.bounding_rect()).reduce(|a, b| {
        Rect::new(
            Coord { x: a.min().x.min(b.min().x), y: a.min().y.min(b.min().y) },
            Coord { x: a.max().x.max(b.max().x), y: a.max().y.max(b.max().y) },
        )
    })
}

fn push(line: &mut String, value: &Value) {
    // Writing to a string cannot fail.
    let _ = write!(line, "{value}");
}

fn shape(line: &mut String, geometry: Option<&Geometry<f64>>) {
    match geometry {
        Some(Geometry::Point(point)) => {
            line.push_str("{\"type\":\"Point\",\"coordinates\":[");
            position(line, point.0);
            line.push_str("]}");
        }
        Some(Geometry::MultiLineString(multi)) => {
            line.push_str("{\"type\":\"MultiLineString\",\"coordinates\":");
            list(line, &multi.0, positions);
            line.push('}');
        }
        Some(Geometry::MultiPolygon(multi)) => {
            line.push_str("{\"type\":\"MultiPolygon\",\"coordinates\":");
            list(line, &multi.0, rings);
            line.push('}');
        }
        // The normal form has no other type.
        _ => line.push_str("null"),
    }
}

fn list<T>(line: &mut String, items: &[T], each: impl Fn(&mut String, &T)) {
    line.push('[');
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            line.push(',');
        }
        each(line, item);
    }
    line.push(']');
}

fn rings(line: &mut String, polygon: &Polygon<f64>) {
    let all: Vec<&LineString<f64>> = std::iter::once(polygon.exterior()).chain(polygon.interiors()).collect();
    list(line, &all, |line, ring| positions(line, ring));
}

fn positions(line: &mut String, string: &LineString<f64>) {
    list(line, &string.0, |line, c| {
        line.push('[');
        position(line, *c);
        line.push(']');
    });
}

fn position(line: &mut String, c: Coord<f64>) {
    degrees(line, c.x);
    line.push(',');
    degrees(line, c.y);
}

/// Degrees as a plain decimal: from whole steps, because the shortest form of a small `f64` has an exponent.
fn degrees(line: &mut String, x: f64) {
    const STEPS: u64 = 10_000_000;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "at most 180 × 10⁷ steps; the view checked the range"
    )]
    let steps = (x * STEPS_PER_DEGREE).round() as i64;
    if steps < 0 {
        line.push('-');
    }
    let steps = steps.unsigned_abs();
    let _ = write!(line, "{}", steps / STEPS);
    if !steps.is_multiple_of(STEPS) {
        let decimals = format!(".{:07}", steps % STEPS);
        line.push_str(decimals.trim_end_matches('0'));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::feature::{Layer, Tier};
    use crate::layers::samples;

    fn text(layer: &Layer, audience: Tier) -> String {
        let view = LayerView::new(layer, audience).unwrap().unwrap();
        let mut out = Vec::new();
        write(&mut out, &view, &samples::header(audience)).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn degrees_are_plain_decimals() {
        for (x, expected) in [
            (-92.637_612_345, "-92.6376123"),
            (0.000_000_1, "0.0000001"),
            (-0.000_000_01, "0"),
            (180.0, "180"),
            (16.5, "16.5"),
        ] {
            let mut line = String::new();
            degrees(&mut line, x);
            assert_eq!(line, expected);
        }
    }

    #[test]
    fn the_collection_is_what_rfc_7946_asks_for() {
        let out = text(&samples::municipalities(), Tier::Restricted);
        let value: Value = serde_json::from_str(&out).unwrap();
        assert!(value.get("crs").is_none(), "RFC 7946 has no crs member");
        assert_eq!(value["bbox"], json!([-93, 16, -91.999_999_9, 17]));
        assert_eq!(value["name"], "municipalities");
        assert!(value["title"].as_str().unwrap().starts_with("RESTRINGIDO"));
        assert!(value["corredor"]["notices"][0].as_str().unwrap().starts_with("BORRADOR"));
        let ring = &value["features"][0]["geometry"]["coordinates"][0];
        assert_eq!(value["features"][0]["geometry"]["type"], "MultiPolygon");
        assert_eq!(value["features"][0]["id"], value["features"][0]["properties"]["id"]);
        assert!(area(&ring[0]) > 0.0, "exterior is counter-clockwise");
        assert!(area(&ring[1]) < 0.0, "hole is clockwise");
        assert_eq!(ring[0][0], ring[0][4], "ring is closed");
        // An unlocated feature has a null geometry, and a hole in the data is null, never NaN.
        assert_eq!(value["features"][2]["geometry"], Value::Null);
        assert_eq!(value["features"][1]["properties"]["rate_100k_year"], Value::Null);
        assert_eq!(value["features"][0]["properties"]["reasons"][0]["x"], json!(0.3));
        assert_eq!(out.lines().filter(|line| line.starts_with("{\"type\":\"Feature\",")).count(), 4);
        let parsed: geojson::FeatureCollection = out.parse().unwrap();
        assert_eq!(parsed.features.len(), 4);
    }

    fn area(ring: &Value) -> f64 {
        let c = |i: usize, j: usize| ring[i][j].as_f64().unwrap();
        (0..ring.as_array().unwrap().len() - 1).map(|i| c(i, 0) * c(i + 1, 1) - c(i + 1, 0) * c(i, 1)).sum()
    }

    #[test]
    fn a_file_is_counted_back() {
        let out = text(&samples::roads(), Tier::Restricted);
        assert_eq!(count(out.as_bytes()).unwrap(), 4);
        let empty = Layer { features: vec![], ..samples::roads() };
        let out = text(&empty, Tier::Restricted);
        assert!(!out.contains("bbox"));
        assert_eq!(count(out.as_bytes()).unwrap(), 0);
        assert!(count(&out.as_bytes()[..out.len() - 3]).is_err());
        assert!(count(&b"{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Point\"}]}"[..]).is_err());
    }
}
