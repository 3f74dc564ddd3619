//! The layers' attributes as CSV that a spreadsheet opens without harm.

use std::borrow::Cow;
use std::io::Write;

use geo::Geometry;
use serde_json::Value;

use super::feature::LayerGeometry;
use super::normal;
use super::view::LayerView;

/// Without it, Excel takes the file for the machine's old code page and breaks every accent.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Writes a table: a header of field names, `lon` and `lat` after them for points, one row a feature, empty where
/// not known. Texts that a spreadsheet would take for a formula begin with an apostrophe; numbers stay numbers.
///
/// # Errors
/// What `out` reports.
pub fn write(mut out: impl Write, view: &LayerView<'_>) -> csv::Result<()> {
    out.write_all(BYTE_ORDER_MARK)?;
    let mut csv = csv::Writer::from_writer(out);
    let located = view.geometry() == LayerGeometry::Point;
    for field in view.fields() {
        csv.write_field(field.name)?;
    }
    if located {
        csv.write_field("lon")?;
        csv.write_field("lat")?;
    }
    csv.write_record(None::<&[u8]>)?;
    for row in view.rows() {
        for (_, value) in row.values() {
            csv.write_field(cell(&value).as_ref())?;
        }
        if located {
            let place = match row.geometry() {
                Some(Geometry::Point(p)) => [normal::real(p.x()), normal::real(p.y())],
                _ => [Value::Null, Value::Null],
            };
            for value in &place {
                csv.write_field(cell(value).as_ref())?;
            }
        }
        csv.write_record(None::<&[u8]>)?;
    }
    csv.flush()?;
    Ok(())
}

fn cell(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Null => Cow::Borrowed(""),
        Value::String(text) => safe(text),
        other => Cow::Owned(other.to_string()),
    }
}

/// The text with an apostrophe before it if a spreadsheet would run it: the characters of the OWASP list, with
/// their full-width forms, which some spreadsheets fold to the plain ones.
fn safe(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::feature::{Layer, Tier};
    use crate::layers::samples;

    fn text(layer: &Layer) -> String {
        let view = LayerView::new(layer, Tier::Restricted).unwrap().unwrap();
        let mut out = Vec::new();
        write(&mut out, &view).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn no_text_can_start_a_formula_and_numbers_stay_numbers() {
        for text in ["=1+1", "+52", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1"] {
            assert!(safe(text).starts_with('\''), "{text:?}");
        }
        for text in ["", "MEX-190", "1-2", "'=1", " x"] {
            assert_eq!(safe(text), text);
        }
        assert_eq!(cell(&serde_json::json!(-1.5)), "-1.5");
        let of = |name: &str| text(&samples::all().into_iter().find(|layer| layer.def.name == name).unwrap());
        assert!(of("checkpoints").contains(",'-1+1,"));
        assert!(of("municipalities").contains(",'=CMD(),"));
    }

    #[test]
    fn points_have_their_place_and_every_row_has_every_field() {
        for layer in samples::all() {
            let out = text(&layer);
            let body = out.strip_prefix('\u{feff}').unwrap();
            let mut reader = csv::Reader::from_reader(body.as_bytes());
            let header = reader.headers().unwrap().clone();
            let point = layer.def.geometry == LayerGeometry::Point;
            assert_eq!(header.len(), layer.def.fields.len() + if point { 2 } else { 0 });
            assert_eq!(reader.records().collect::<Result<Vec<_>, _>>().unwrap().len(), layer.features.len());
            if point {
                assert!(body.lines().nth(1).unwrap().ends_with(",-92.9,16.1"), "{body}");
            }
        }
    }
}
