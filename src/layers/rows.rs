//! Features as GDAL takes them, and the little SQL that goes with it: the same for every format that GDAL writes.

use gdal::Dataset;
use gdal::errors::Result;
use gdal::vector::sql::Dialect;
use gdal::vector::{Feature, Layer, LayerAccess, ToGdal};
use serde_json::Value;

use super::feature::{FieldDef, FieldKind, Lang};
use super::view::LayerView;

/// Appends the features of a view to a layer that has its fields, in order: reals, integers and booleans as such, JSON
/// as text.
pub(super) fn insert(layer: &Layer<'_>, view: &LayerView<'_>) -> Result<()> {
    let column = columns(layer, view.fields().iter().map(|field| field.name))?;
    for row in view.rows() {
        let mut feature = Feature::new(layer.defn())?;
        for ((field, value), &i) in row.values().zip(&column) {
            match (field.kind, value.as_ref()) {
                (_, Value::Null) => feature.set_field_null(i)?,
                (_, Value::String(text)) => feature.set_field_string(i, text)?,
                (_, Value::Bool(b)) => feature.set_field_integer(i, i32::from(*b))?,
                (FieldKind::Integer, Value::Number(n)) => match n.as_i64() {
                    Some(n) => feature.set_field_integer64(i, n)?,
                    None => feature.set_field_null(i)?,
                },
                (_, Value::Number(n)) => match n.as_f64() {
                    Some(x) => feature.set_field_double(i, x)?,
                    None => feature.set_field_null(i)?,
                },
                (_, json) => feature.set_field_string(i, &json.to_string())?,
            }
        }
        if let Some(geometry) = row.geometry() {
            feature.set_geometry(geometry.to_gdal()?)?;
        }
        feature.create(layer)?;
    }
    Ok(())
}

/// Places of the named columns in a layer.
pub(super) fn columns<'n>(layer: &Layer<'_>, names: impl Iterator<Item = &'n str>) -> Result<Vec<usize>> {
    names.map(|name| layer.defn().field_index(name)).collect()
}

/// What a field means, with its unit.
pub(super) fn about(field: &FieldDef, lang: Lang) -> String {
    match field.unit {
        "" => field.about(lang).to_owned(),
        unit => format!("{} [{unit}]", field.about(lang)),
    }
}

/// Runs a statement that answers nothing.
pub(super) fn run(dataset: &Dataset, sql: &str) -> Result<()> {
    dataset.execute_sql(sql, None, Dialect::DEFAULT).map(drop)
}

/// An SQL string literal.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// An SQL identifier.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting_is_safe() {
        assert_eq!(literal("d'Ávila'; DROP TABLE x; --"), "'d''Ávila''; DROP TABLE x; --'");
        assert_eq!(quoted("a\"b"), "\"a\"\"b\"");
    }
}
