//! The layer, its columns as numbers, and the weights.

use std::collections::BTreeMap;

use geo::{Centroid as _, Coord, Geometry, MultiPolygon};

use super::{Areas, Request, WeightsArg};
use crate::cli::spatial_error::spatial_error;
use crate::error::{Error, Fault, Faults, Place, Result, Rule, Why, shape};
use crate::incidence::spatial::{SpatialError, SpatialWeights};
use crate::sources::number::decimal;
use crate::sources::{
    AreaRequest, AreaShape, Gal, RawRow, RawTable, Value, find_field, read_areas, read_gal, shown,
};

/// Areas that the statistics need.
const LEAST: usize = 4;

/// Faults of one kind that are told one by one: of a column of texts, or of ids of another field, every record has one.
const TOLD: usize = 20;

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
        member: args.member.as_deref(),
        lon: args.lon.as_deref(),
        lat: args.lat.as_deref(),
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
    let Some(mut table) = table else { return Err(faults.into()) };
    let columns = columns(request, &table, gal.as_ref(), &mut faults);
    let listed = match (gal, &columns) {
        (Some(gal), Some(columns)) => neighbours(gal, &table, columns, &mut faults),
        _ => None,
    };
    faults.sort();
    let (false, Some(columns)) = (faults.has_errors(), columns) else { return Err(faults.into()) };
    warnings.extend(faults);
    let known = columns.known();
    let areas = columns.into_areas(&table, &known);
    let listed = listed.map(|rows| among(&rows, &known));
    let mut keep = known.iter();
    table.rows.retain(|_| keep.next().copied().unwrap_or(false));
    if areas.values.len() < LEAST {
        return Err(told(&SpatialError::TooFew { sites: areas.values.len(), needed: LEAST }, &areas));
    }
    let weights = match (&args.weights, listed) {
        (_, Some(rows)) => SpatialWeights::from_neighbours(&rows),
        (WeightsArg::Nearest(k), None) => SpatialWeights::k_nearest(&centres(&table), *k, request.metric()),
        (WeightsArg::Band(d), None) => SpatialWeights::distance_band(&centres(&table), *d, request.metric()),
        (kind, None) => {
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

/// The columns that were named, one entry for each record; `None` where a number is not known.
struct Columns {
    values: Vec<Option<f64>>,
    population: Option<Vec<Option<f64>>>,
    /// The field of the ids, and the ids.
    ids: Option<(String, Vec<String>)>,
}

impl Columns {
    /// Which records have all the numbers that are needed.
    fn known(&self) -> Vec<bool> {
        let peopled = |at: usize| self.population.as_ref().is_none_or(|n| n[at].is_some());
        self.values.iter().enumerate().map(|(at, value)| value.is_some() && peopled(at)).collect()
    }

    /// The records that are known.
    fn into_areas(self, table: &RawTable, known: &[bool]) -> Areas {
        fn kept<T: Clone>(all: impl IntoIterator<Item = T>, known: &[bool]) -> Vec<T> {
            all.into_iter().zip(known).filter(|(_, known)| **known).map(|(one, _)| one).collect()
        }
        let rows = || table.rows.iter().map(|row| row.row);
        let numbers = |all: Vec<Option<f64>>| kept(all, known).into_iter().flatten().collect();
        let unknown: Vec<bool> = known.iter().map(|known| !known).collect();
        Areas {
            file: table.provenance.file.clone(),
            layer: table.provenance.layer.clone(),
            crs: table.provenance.crs.clone(),
            rows: kept(rows(), known),
            unknown: kept(rows(), &unknown),
            ids: self.ids.map(|(_, ids)| kept(ids, known)),
            values: numbers(self.values),
            population: self.population.map(numbers),
        }
    }
}

/// The columns that were named; faults where there are none, or where a text is no number. Without `--id` the ids are of
/// the field that the header of a GAL file names, where the layer has it.
fn columns(request: &Request, table: &RawTable, gal: Option<&Gal>, faults: &mut Faults) -> Option<Columns> {
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
    let of_gal = gal.and_then(|gal| gal.field.as_deref()).filter(|f| find_field(&table.fields, f).is_some());
    let id = args.id.as_deref().or(of_gal).map(|name| (name, find(name)));
    let rated = population.is_some();
    let values = numbers(table, value?, &args.value, |v| !rated || v >= 0.0, "≥ 0", faults);
    let population = match (population, args.population.as_deref()) {
        (Some(at), Some(name)) => Some(numbers(table, at?, name, |v| v > 0.0, "> 0", faults)),
        _ => None,
    };
    let ids = match id {
        Some((name, at)) => {
            let at = at?;
            Some((name.to_owned(), table.rows.iter().map(|row| text(row, at)).collect()))
        }
        None => None,
    };
    Some(Columns { values, population, ids })
}

fn text(row: &RawRow, at: usize) -> String {
    row.values.get(at).and_then(Value::text).unwrap_or_default()
}

/// The numbers of a column. A blank is unknown; a text that is no number, and a number that does not fit, is a fault.
fn numbers(
    table: &RawTable,
    at: usize,
    name: &str,
    fits: impl Fn(f64) -> bool,
    range: &str,
    faults: &mut Faults,
) -> Vec<Option<f64>> {
    let mut found = Faults::default();
    let mut one = |row: &RawRow| {
        let value = row.values.get(at)?;
        let text = value.text()?;
        let number = value.number().or_else(|| decimal(&text, table.decimal_comma));
        let Some(number) = number.filter(|number| number.is_finite()) else {
            found.push(table.fault_at(Rule::NotANumber, row, Some(name)).seen(shape(&text)));
            return None;
        };
        if !fits(number) {
            found.push(table.fault_at(Rule::OutOfRange, row, Some(name)).with("range", range));
        }
        Some(number)
    };
    let numbers = table.rows.iter().map(&mut one).collect();
    extend_capped(faults, found);
    numbers
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

/// The neighbours of a GAL file in the order of the records: by the ids of a column, by position where there is none.
/// Faults and `None` where file and layer do not have the same areas.
fn neighbours(gal: Gal, table: &RawTable, columns: &Columns, faults: &mut Faults) -> Option<Vec<Vec<usize>>> {
    let Some((field, ids)) = &columns.ids else {
        if gal.ids.len() == table.rows.len() {
            return Some(gal.neighbours);
        }
        let fault = Fault::new(Rule::NeighboursDiffer, gal.file).why(Why::NumberOfAreas);
        faults.push(fault.with("gal", gal.ids.len()).with("layer", table.rows.len()));
        return None;
    };
    let mut found = Faults::default();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, (id, row)) in ids.iter().zip(&table.rows).enumerate() {
        if let Some(first) = places.insert(id, at) {
            let fault = table.fault_at(Rule::DuplicateKey, row, Some(field)).seen(shown(id));
            found.push(fault.with("first", table.rows[first].row));
        }
    }
    let mut at = Vec::with_capacity(gal.ids.len());
    for (id, line) in gal.ids.iter().zip(&gal.lines) {
        match places.remove(id.as_str()) {
            Some(place) => at.push(place),
            None => found.push(
                Fault::new(Rule::NeighboursDiffer, gal.file.as_str())
                    .row(*line)
                    .why(Why::IdNotInLayer)
                    .with("field", field)
                    .seen(shown(id)),
            ),
        }
    }
    for (id, place) in places {
        let fault = table.fault_at(Rule::NeighboursDiffer, &table.rows[place], Some(field));
        found.push(fault.why(Why::IdNotInGal).with("gal", &gal.file).seen(shown(id)));
    }
    if found.has_errors() {
        extend_capped(faults, found);
        return None;
    }
    let mut rows = vec![Vec::new(); at.len()];
    for (own, neighbours) in at.iter().zip(gal.neighbours) {
        rows[*own] = neighbours.into_iter().map(|other| at[other]).collect();
    }
    Some(rows)
}

/// Adds the first faults of each rule, and where there are more, one without a row with the number of all.
fn extend_capped(faults: &mut Faults, mut found: Faults) {
    found.sort();
    let (mut counts, mut beyond) = (BTreeMap::new(), BTreeMap::new());
    for fault in found.0 {
        let count = counts.entry(fault.rule).or_insert(0);
        *count += 1;
        if *count <= TOLD {
            faults.push(fault);
        } else {
            beyond.insert(fault.rule, (*count, fault));
        }
    }
    for (count, fault) in beyond.into_values() {
        faults.push(Fault { seen: None, ..fault.without_row().with("count", count) });
    }
}

/// The neighbours among the sites that are known, by their new numbers.
fn among(rows: &[Vec<usize>], known: &[bool]) -> Vec<Vec<usize>> {
    let mut next = 0..;
    let number: Vec<Option<usize>> =
        known.iter().map(|known| if *known { next.next() } else { None }).collect();
    let kept = |row: &Vec<usize>| row.iter().filter_map(|other| number[*other]).collect();
    rows.iter().zip(known).filter(|(_, known)| **known).map(|(row, _)| kept(row)).collect()
}
