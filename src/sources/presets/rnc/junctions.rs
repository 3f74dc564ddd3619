//! `union`: where the junctions stand.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use geo::{Coord, Geometry};

use super::values::key;
use crate::error::{Error, Faults, Rule};
use crate::sources::Job;
use crate::sources::ogr::Consumer;
use crate::sources::presets::layout::{Field, Layout, needed};
use crate::sources::raw::Value;
use crate::sources::sink::Sink;

const COLUMNS: [Field; 1] = [needed("junction", &["ID_UNION"])];

/// `union`: positions of junctions by key.
pub(super) struct Junctions<'a> {
    job: &'a Job<'a>,
    layout: Layout,
    pub(super) positions: HashMap<i64, Junction>,
}

/// Where a junction stands, and in which row of its file.
#[derive(Clone, Copy)]
pub(super) struct Junction {
    pub(super) at: Coord<f64>,
    row: u64,
}

impl<'a> Junctions<'a> {
    pub(super) fn new(job: &'a Job<'a>) -> Self {
        Self { job, layout: Layout::default(), positions: HashMap::new() }
    }
}

impl Consumer for Junctions<'_> {
    fn header(&mut self, header: &[String], sink: &mut Sink<'_>) -> Result<Vec<usize>, Error> {
        let (layout, wanted) = Layout::find(header, &COLUMNS, &[], Faults::default(), self.job, sink)?;
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
        let key = key(&self.layout, &values, row, 0, sink);
        let (Some(key), Some(Geometry::Point(point))) = (key, geometry) else { return Ok(()) };
        match self.positions.entry(key) {
            Entry::Vacant(slot) => {
                slot.insert(Junction { at: point.0, row });
            }
            // The same twice says nothing new.
            Entry::Occupied(first) if first.get().at == point.0 => {}
            Entry::Occupied(first) => {
                let fault = self.layout.fault(Rule::DuplicateKey, row, 0, "", sink);
                sink.push(fault.seen(key.to_string()).with("first", first.get().row));
            }
        }
        Ok(())
    }
}
