//! The layer, its columns as numbers, and the weights.

use std::collections::BTreeMap;

use geo::{Centroid as _, Coord, Geometry, MultiPolygon};

use super::{Areas, Request, WeightsArg};
use crate::cli::spatial_error::spatial_error;
use crate::error::{Error, Fault, Faults, Place, Result, Rule, Why, shape};
use crate::incidence::spatial::{SpatialError, SpatialWeights};
use crate::sources::number::decimal;
use crate::sources::{
    AreaRequest, AreaShape, Gal, RawRow, RawTable, Value, find_field, read_areas, read_gal,
};

pub(super) fn read(request: &Request, warnings: &mut Faults) -> Result<(Areas, SpatialWeights)> {
    let args = &request.args;
    let shape = match args.weights {
        WeightsArg::Queen | WeightsArg::Rook => AreaShape::Polygons,
        WeightsArg::Nearest(_) | WeightsArg::Band(_) => AreaShape::Either,
        WeightsArg::File(_) => AreaShape::Table,
    };
    let wanted = AreaRequest {
        path: &args.file,
        layer: args.layer.as_deref(),
        crs: args.crs.as_deref(),
        plane: args.planar,
        shape,
    };
    let mut faults = Faults::default();
    let table = read_areas(&wanted, &mut faults)?;
    let gal = match &args.weights {
        WeightsArg::File(path) => read_gal(path, &mut faults)?,
        _ => None,
    };
    let Some(table) = table else { return Err(faults.into()) };
    let areas = columns(request, &table, &mut faults);
    faults.sort();
    if faults.has_errors() {
        return Err(faults.into());
    }
    warnings.extend(faults);
    let Some(areas) = areas else { return Err(Faults::default().into()) };
    let weights = match (&args.weights, gal) {
        (WeightsArg::File(_), Some(gal)) => SpatialWeights::from_neighbours(&ordered(gal, &table, &areas)?),
        (WeightsArg::Nearest(k), _) => SpatialWeights::k_nearest(&centres(&table), *k, request.metric()),
        (WeightsArg::Band(d), _) => SpatialWeights::distance_band(&centres(&table), *d, request.metric()),
        (kind, _) => {
            let owned: Vec<Option<MultiPolygon>> = table.rows.iter().map(polygons).collect();
            let given: Vec<Option<&MultiPolygon>> = owned.iter().map(Option::as_ref).collect();
            if *kind == WeightsArg::Rook {
                SpatialWeights::rook(&given, args.tolerance)
            } else {
                SpatialWeights::queen(&given, args.tolerance)
            }
        }
    };
    let weights = weights.map_err(|error| told(&error, &areas))?;
    Ok((areas, weights))
}

/// What the statistics say of the areas, at the row that is at fault where it is one.
pub(super) fn told(error: &SpatialError, areas: &Areas) -> Error {
    let place = Place {
        file: areas.file.clone(),
        layer: areas.layer.clone(),
        row: error.site().and_then(|site| areas.rows.get(site).copied()),
        field: None,
    };
    match error {
        SpatialError::Constant if areas.values.iter().all(|value| *value == 0.0) => {
            Fault::at(Rule::SpatialImpossible, place).why(Why::NoEvents).into()
        }
        other => spatial_error(other, place),
    }
}

/// The columns that were named, as numbers; faults where they are not.
fn columns(request: &Request, table: &RawTable, faults: &mut Faults) -> Option<Areas> {
    let args = &request.args;
    let mut find = |name: &str| {
        let found = find_field(&table.fields, name);
        if found.is_none() {
            let fault = table.fault(Rule::FieldMissing, None, Some(name));
            faults.push(fault.with("allowed", table.fields.join(", ")));
        }
        found
    };
    let value = find(&args.value);
    let population = args.population.as_deref().map(&mut find);
    let id = args.id.as_deref().map(&mut find);
    let rated = population.is_some();
    let values = numbers(table, value?, &args.value, |v| !rated || v >= 0.0, "≥ 0", faults);
    let population = match (population, args.population.as_deref()) {
        (Some(at), Some(name)) => Some(numbers(table, at?, name, |v| v > 0.0, "> 0", faults)),
        _ => None,
    };
    let ids = match id {
        Some(at) => {
            let at = at?;
            Some(table.rows.iter().map(|row| text(row, at)).collect())
        }
        None => None,
    };
    Some(Areas {
        file: table.provenance.file.clone(),
        layer: table.provenance.layer.clone(),
        crs: table.provenance.crs.clone(),
        rows: table.rows.iter().map(|row| row.row).collect(),
        ids,
        values,
        population,
    })
}

fn text(row: &RawRow, at: usize) -> String {
    row.values.get(at).and_then(Value::text).unwrap_or_default()
}

fn numbers(
    table: &RawTable,
    at: usize,
    name: &str,
    fits: impl Fn(f64) -> bool,
    range: &str,
    faults: &mut Faults,
) -> Vec<f64> {
    let mut one = |row: &RawRow| {
        let value = row.values.get(at)?;
        let number = match value.number() {
            Some(number) => Some(number),
            None => match value.text() {
                None => {
                    faults.push(table.fault_at(Rule::ValueEmpty, row, Some(name)));
                    return None;
                }
                Some(text) => {
                    let number = decimal(&text, table.decimal_comma);
                    if number.is_none() {
                        faults.push(table.fault_at(Rule::NotANumber, row, Some(name)).seen(shape(&text)));
                        return None;
                    }
                    number
                }
            },
        }?;
        if !number.is_finite() {
            faults.push(table.fault_at(Rule::NotANumber, row, Some(name)));
        } else if !fits(number) {
            faults.push(table.fault_at(Rule::OutOfRange, row, Some(name)).with("range", range));
        }
        Some(number)
    };
    table.rows.iter().filter_map(&mut one).collect()
}

fn polygons(row: &RawRow) -> Option<MultiPolygon> {
    match row.geometry.as_ref()? {
        Geometry::Polygon(polygon) => Some(MultiPolygon(vec![polygon.clone()])),
        Geometry::MultiPolygon(polygons) => Some(polygons.clone()),
        _ => None,
    }
}

/// Points, or the centroids of polygons.
fn centres(table: &RawTable) -> Vec<Coord> {
    let nowhere = Coord { x: f64::NAN, y: f64::NAN };
    let centre = |row: &RawRow| row.geometry.as_ref().and_then(Geometry::centroid).map_or(nowhere, |p| p.0);
    table.rows.iter().map(centre).collect()
}

/// The neighbours of a GAL file in the order of the records: by the ids of a column that was named, by position
/// otherwise.
fn ordered(gal: Gal, table: &RawTable, areas: &Areas) -> Result<Vec<Vec<usize>>> {
    let differ =
        |detail: String| Error::from(table.fault(Rule::NeighboursDiffer, None, None).with("detail", detail));
    if gal.ids.len() != areas.rows.len() {
        return Err(differ(format!("{} ≠ {}", gal.ids.len(), areas.rows.len())));
    }
    let Some(ids) = &areas.ids else { return Ok(gal.neighbours) };
    let places: BTreeMap<&str, usize> = ids.iter().enumerate().map(|(at, id)| (id.as_str(), at)).collect();
    let at: Vec<usize> = gal
        .ids
        .iter()
        .map(|id| places.get(id.as_str()).copied().ok_or_else(|| differ(shape(id))))
        .collect::<Result<_>>()?;
    let mut rows = vec![Vec::new(); at.len()];
    for (own, neighbours) in at.iter().zip(gal.neighbours) {
        rows[*own] = neighbours.into_iter().map(|other| at[other]).collect();
    }
    Ok(rows)
}
