//! `transbordador`: ferries.

use std::collections::HashMap;

use geo::Geometry;

use super::junctions::Junction;
use super::values::key;
use super::{FERRIES, terms};
use crate::error::{Error, Faults, Rule};
use crate::sources::Job;
use crate::sources::names::find_field;
use crate::sources::ogr::Consumer;
use crate::sources::presets::layout::{Field, Layout, optional};
use crate::sources::raw::{RawRow, Value};
use crate::sources::sink::Sink;

const COLUMNS: [Field; 2] = [optional("from_node", &["UNION_INI"]), optional("to_node", &["UNION_FIN"])];

/// `transbordador`: lines that are driven on a ferry.
pub(super) struct Ferries<'a> {
    job: &'a Job<'a>,
    junctions: Option<&'a HashMap<i64, Junction>>,
    layout: Layout,
    pub(super) rows: Vec<RawRow>,
}

impl<'a> Ferries<'a> {
    pub(super) fn new(job: &'a Job<'a>, junctions: Option<&'a HashMap<i64, Junction>>) -> Self {
        Self { job, junctions, layout: Layout::default(), rows: Vec::new() }
    }

    /// The key of an end. A landing may have none: it is then joined by its position.
    fn end(&self, values: &[Value], row: u64, field: usize, sink: &mut Sink<'_>) -> Option<Value> {
        if terms::is_blank(&self.layout.get(values, field)) {
            return Some(Value::Null);
        }
        let key = key(&self.layout, values, row, field, sink)?;
        if self.junctions.is_some_and(|junctions| !junctions.contains_key(&key)) {
            let fault = self.layout.fault(Rule::JunctionUnknown, row, field, "", sink);
            sink.push(fault.seen(key.to_string()));
            return None;
        }
        Some(Value::Integer(key))
    }
}

impl Consumer for Ferries<'_> {
    fn header(&mut self, header: &[String], sink: &mut Sink<'_>) -> Result<Vec<usize>, Error> {
        // One end without the other says nothing: both are then joined by their positions.
        let there = |field: &Field| field.names.iter().any(|name| find_field(header, name).is_some());
        let columns: &[Field] = if COLUMNS.iter().all(there) { &COLUMNS } else { &[] };
        let (layout, wanted) = Layout::find(header, columns, &[], Faults::default(), self.job, sink)?;
        self.layout = layout;
        Ok(wanted)
    }

    fn feature(
        &mut self,
        row: u64,
        values: Vec<Value>,
        geometry: Option<Geometry<f64>>,
        sink: &mut Sink<'_>,
    ) -> Result<(), Error> {
        let (from, to) = (self.end(&values, row, 0, sink), self.end(&values, row, 1, sink));
        let (Some(from), Some(to)) = (from, to) else { return Ok(()) };
        self.rows.push(RawRow {
            layer: Some(FERRIES[0]),
            row,
            values: vec![
                Value::Text(format!("transbordador-{row}")),
                Value::Null,
                Value::Word("ferry"),
                Value::Word("paved"),
                Value::Integer(0),
                Value::Word("both"),
                Value::Null,
                from,
                to,
                Value::Integer(0),
            ],
            geometry,
        });
        Ok(())
    }
}
