//! Points of a table from two columns of decimal degrees, or of metres where the study names a projected CRS.

use std::collections::BTreeSet;

use geo::Coord;

use super::crs::{self, ToWgs84};
use super::geometry::{self, Shape, Survey};
use super::names::find_field;
use super::number::decimal;
use super::sink::Sink;
use super::{Job, SourceSpec};
use crate::error::{Error, Fault, Rule, shape};
use crate::sources::spec::GeometryNeed;

/// Names that are tried for the longitude where the study maps none.
const LON: [&str; 4] = ["lon", "longitud", "longitude", "lng"];
/// And for the latitude.
const LAT: [&str; 3] = ["lat", "latitud", "latitude"];

/// Where the coordinates of a row stand, and how to read them.
pub(super) struct PointReader {
    x: (usize, String),
    y: (usize, String),
    decimal_comma: bool,
    pub(super) to_wgs84: ToWgs84,
}

impl PointReader {
    /// Finds the columns and the CRS, by default EPSG:4326.
    pub(super) fn new(
        fields: &[String],
        job: &Job<'_>,
        decimal_comma: bool,
        sink: &mut Sink<'_>,
    ) -> Result<Self, Error> {
        let spec = job.spec;
        let found = if job.plane {
            Some(ToWgs84::plane())
        } else {
            let system = crs::parse(spec.crs.as_deref().unwrap_or("EPSG:4326"));
            system.map(ToWgs84::new).transpose()?.flatten()
        };
        let Some(to_wgs84) = found else {
            let detail = spec.crs.as_deref().map(super::environment::one_line).unwrap_or_default();
            return Err(sink.fault(Rule::CrsUnusable).with("detail", detail).into());
        };
        let projected = if to_wgs84.geographic { None } else { Some(("x", "y")) };
        let x = column(fields, spec, "lon", &LON, projected.map(|names| names.0));
        let y = column(fields, spec, "lat", &LAT, projected.map(|names| names.1));
        match (x, y) {
            (Ok(x), Ok(y)) => Ok(Self { x, y, decimal_comma, to_wgs84 }),
            (x, y) => {
                let all = super::environment::one_line(&fields.join(", "));
                let faults = [x.err(), y.err()].into_iter().flatten().map(|unfit| match unfit {
                    Unfit::Missing(name) => sink.fault(Rule::FieldMissing).field(name).with("allowed", &all),
                    Unfit::Several(names) => sink.fault(Rule::ColumnTwice).field(names),
                });
                Err(crate::error::Faults(faults.collect()).into())
            }
        }
    }

    /// The columns of longitude and latitude.
    pub(super) const fn columns(&self) -> [usize; 2] {
        [self.x.0, self.y.0]
    }

    /// The point of a row from the texts of both columns, or a fault.
    pub(super) fn point(
        &self,
        [x, y]: [&str; 2],
        row: u64,
        survey: &mut Survey,
        sink: &mut Sink<'_>,
    ) -> Option<geo::Geometry<f64>> {
        let (x, y) = (x.trim(), y.trim());
        if x.is_empty() && y.is_empty() {
            sink.at(Rule::GeometryEmpty, row);
            return None;
        }
        let mut read = |text: &str, column: &(usize, String)| match number(text, self.decimal_comma) {
            Ok(number) => Some(number),
            Err(rule) => {
                let mut fault: Fault = sink.fault(rule).row(row).field(&column.1);
                if !text.is_empty() {
                    fault = fault.seen(shape(text));
                }
                sink.push(fault);
                None
            }
        };
        let (x, y) = (read(x, &self.x), read(y, &self.y));
        let at = Coord { x: x?, y: y? };
        if self.to_wgs84.geographic && at == Coord::zero() {
            // What programs write where they have no position.
            let fault = sink.fault(Rule::CoordinatesOutOfRange).row(row);
            sink.push(fault.with("detail", "0, 0"));
            return None;
        }
        let point = Shape::Points(vec![at]);
        geometry::settle(point, GeometryNeed::Point, &self.to_wgs84, row, survey, sink)
    }
}

/// Why a coordinate has no column, with the name or names.
enum Unfit {
    Missing(String),
    /// Which of them holds the position cannot be known.
    Several(String),
}

/// The index and the name of a coordinate's column.
fn column(
    fields: &[String],
    spec: &SourceSpec,
    key: &str,
    names: &[&str],
    projected: Option<&str>,
) -> Result<(usize, String), Unfit> {
    let found: BTreeSet<usize> =
        match (spec.fields.get(key), projected.and_then(|name| spec.fields.get(name))) {
            (Some(mapped), _) | (None, Some(mapped)) => {
                let found = find_field(fields, mapped).map(|at| (at, mapped.clone()));
                return found.ok_or_else(|| Unfit::Missing(mapped.clone()));
            }
            // Where the study names a system in metres, degrees may stand beside them.
            (None, None) => match projected.and_then(|name| find_field(fields, name)) {
                Some(metres) => BTreeSet::from([metres]),
                None => names.iter().filter_map(|name| find_field(fields, name)).collect(),
            },
        };
    let name = |at: &usize| fields.get(*at).cloned().unwrap_or_default();
    match found.first() {
        None => Err(Unfit::Missing(key.to_owned())),
        Some(at) if found.len() == 1 => Ok((*at, name(at))),
        Some(_) => Err(Unfit::Several(found.iter().map(name).collect::<Vec<_>>().join(", "))),
    }
}

/// A coordinate.
pub(super) fn number(text: &str, decimal_comma: bool) -> Result<f64, Rule> {
    if text.is_empty() {
        return Err(Rule::GeometryEmpty);
    }
    // The parser of the standard library also takes `nan`, `inf` and `infinity`.
    match decimal(text, decimal_comma) {
        Some(number) if number.is_finite() => Ok(number),
        Some(_) => Err(Rule::CoordinateNotFinite),
        None => Err(Rule::CoordinateFormat),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_or_refused() {
        assert_eq!(number("-92.26", false), Ok(-92.26));
        assert_eq!(number("-92,26", true), Ok(-92.26));
        assert_eq!(number("-92,26", false), Err(Rule::CoordinateFormat));
        assert_eq!(number("14°40' N", false), Err(Rule::CoordinateFormat));
        assert_eq!(number("NaN", false), Err(Rule::CoordinateNotFinite));
        assert_eq!(number("1e999", false), Err(Rule::CoordinateNotFinite));
        assert_eq!(number("", false), Err(Rule::GeometryEmpty));
    }
}
