//! `maniobra_prohibida`: what may not be driven.

use std::collections::HashMap;

use geo::Geometry;

use super::junctions::Junction;
use super::terms;
use super::values::key;
use crate::error::{Error, Faults, Rule};
use crate::sources::Job;
use crate::sources::ogr::Consumer;
use crate::sources::presets::layout::{Field, Layout, expected, needed};
use crate::sources::raw::{RawBan, Value};
use crate::sources::sink::Sink;

const COLUMNS: [Field; 2 + SEQUENCE] = [
    needed("ban", &["ID_MAN"]),
    needed("junction", &["ID_UNION"]),
    needed("road_1", &["ID_RED1"]),
    needed("road_2", &["ID_RED2"]),
    expected("road_3", &["ID_RED3"]),
    expected("road_4", &["ID_RED4"]),
    expected("road_5", &["ID_RED5"]),
    expected("road_6", &["ID_RED6"]),
];

/// Most roads that a ban names.
const SEQUENCE: usize = 6;

/// `maniobra_prohibida`.
pub(super) struct Bans<'a> {
    job: &'a Job<'a>,
    known: &'a HashMap<i64, u64>,
    junctions: Option<&'a HashMap<i64, Junction>>,
    layer: Option<String>,
    layout: Layout,
    pub(super) read: Vec<RawBan>,
}

impl<'a> Bans<'a> {
    pub(super) fn new(
        job: &'a Job<'a>,
        known: &'a HashMap<i64, u64>,
        junctions: Option<&'a HashMap<i64, Junction>>,
        layer: &str,
    ) -> Self {
        let layer = Some(layer.to_owned());
        Self { job, known, junctions, layer, layout: Layout::default(), read: Vec::new() }
    }
}

impl Consumer for Bans<'_> {
    fn header(&mut self, header: &[String], sink: &mut Sink<'_>) -> Result<Vec<usize>, Error> {
        let (layout, wanted) = Layout::find(header, &COLUMNS, &[], Faults::default(), self.job, sink)?;
        self.layout = layout;
        Ok(wanted)
    }

    fn feature(
        &mut self,
        row: u64,
        values: Vec<Value>,
        _geometry: Option<Geometry<f64>>,
        sink: &mut Sink<'_>,
    ) -> Result<(), Error> {
        let layout = &self.layout;
        let id = key(layout, &values, row, 0, sink);
        let via = key(layout, &values, row, 1, sink);
        let mut roads = Vec::new();
        let mut fine = true;
        // The first two make a turn; what follows the last one fills the row up.
        let blank = |field: &usize| {
            let text = layout.get(&values, *field);
            // Numeric fields cannot hold `N/A`.
            terms::is_blank(&text) || matches!(text.as_ref(), "0" | "0.0")
        };
        let last = (4..2 + SEQUENCE).rev().find(|field| !blank(field)).unwrap_or(3);
        for field in 2..=last {
            let Some(road) = key(layout, &values, row, field, sink) else {
                fine = false;
                continue;
            };
            // Of a part of the country, most bans are on roads beyond it: they ban nothing there.
            if !self.known.contains_key(&road) && self.job.spec.bbox.is_none() {
                let fault = layout.fault(Rule::BanUnknown, row, field, "", sink);
                sink.push(fault.seen(road.to_string()));
                fine = false;
            }
            roads.push(road.to_string());
        }
        if let (Some(via), Some(junctions)) = (via, self.junctions)
            && !junctions.contains_key(&via)
        {
            let fault = layout.fault(Rule::JunctionUnknown, row, 1, "", sink);
            sink.push(fault.seen(via.to_string()));
            fine = false;
        }
        if let (Some(id), Some(via), true) = (id, via, fine) {
            let layer = self.layer.clone();
            self.read.push(RawBan { layer, row, id: id.to_string(), via: Some(via), roads });
        }
        Ok(())
    }
}
