//! INEGI, Marco Geoestadístico: polygons of the municipalities.
//!
//! Editions spell the fields in capitals or not, and some have the name as `NOM_MUN`. The CRS may be a custom
//! Lambert conformal conic without a code; GDAL reads it from its parameters.

use gdal::vector::LayerAccess as _;
use geo::Geometry;

use super::layout::{Entities, Field, Layout, missing_column, needed, optional};
use crate::error::{Error, Faults, Rule};
use crate::sources::Job;
use crate::sources::guard::Input;
use crate::sources::names::{find_field, normalised};
use crate::sources::ogr::{self, Consumer};
use crate::sources::raw::{RawRow, RawTable, Value};
use crate::sources::sink::Sink;
use crate::sources::spec::GeometryNeed;

const FIELDS: [Field; 4] = [
    optional("cvegeo", &["CVEGEO"]),
    optional("entity", &["CVE_ENT"]),
    optional("municipality", &["CVE_MUN"]),
    needed("name", &["NOMGEO", "NOM_MUN", "NOMBRE"]),
];
const CODE: usize = 0;
const ENTITY: usize = 1;
const MUNICIPALITY: usize = 2;
const NAME: usize = 3;

/// Reads the municipalities of the study's entities.
pub(super) fn read(input: &Input, job: &Job<'_>, sink: &mut Sink<'_>) -> Result<RawTable, Error> {
    let opened = ogr::open(input, job, sink)?;
    // The Marco has a layer for each kind of area; that of the municipalities ends in `mun`.
    let named = if job.spec.layer.is_none() {
        opened.matching(|name| {
            let name = normalised(name);
            name.ends_with("mun") || name.contains("municipal") || name.contains("municipio")
        })
    } else {
        None
    };
    let mut layer = match named {
        Some(layer) => layer,
        None => opened.find_layer(job, sink)?,
    };
    sink.set_layer(&layer.name());
    let mut marco =
        Marco { job, entities: Entities::of(job), layout: Layout::default(), others: 0, rows: Vec::new() };
    let scanned = opened.scan(&mut layer, job, GeometryNeed::Polygon, sink, &mut marco)?;
    if scanned.records == 0 {
        return Err(sink.fault(Rule::NoRecords).into());
    }
    if marco.rows.is_empty() && marco.others > 0 {
        return Err(marco.entities.nothing("CVE_ENT", job, sink).into());
    }
    let mut provenance = scanned.provenance(input, job);
    if marco.others > 0 {
        provenance.dropped.insert("other_entity", marco.others);
    }
    let layout = &marco.layout;
    let code = if layout.has(CODE) { CODE } else { MUNICIPALITY };
    let labels = [("cvegeo", code), ("name", NAME)].map(|(key, field)| (key, layout.name(field).to_owned()));
    Ok(RawTable {
        provenance,
        fields: ["cvegeo", "name"].map(str::to_owned).into(),
        labels: labels.into(),
        rows: marco.rows,
        ..RawTable::default()
    })
}

struct Marco<'a> {
    job: &'a Job<'a>,
    entities: Entities,
    layout: Layout,
    others: u64,
    rows: Vec<RawRow>,
}

impl Marco<'_> {
    /// The five-digit code as a number, checked against the parts where both are there.
    fn code(&self, values: &[Value], row: u64, sink: &mut Sink<'_>) -> Option<u32> {
        let layout = &self.layout;
        let whole = layout.has(CODE).then(|| layout.code(values, row, CODE, false, sink));
        let parts = layout.has(ENTITY) && layout.has(MUNICIPALITY);
        let stated = parts.then(|| {
            let entity = layout.entity(values, row, ENTITY, sink);
            let municipality = layout.municipality(values, row, MUNICIPALITY, sink);
            Some(entity? * 1_000 + municipality?)
        });
        match (whole, stated) {
            (Some(whole), Some(stated)) => {
                let (whole, stated) = (whole?, stated?);
                if whole != stated {
                    let fault = layout.fault(Rule::CodeContradicted, row, CODE, "", sink);
                    let parts = format!("{:02} / {:03}", stated / 1_000, stated % 1_000);
                    sink.push(fault.seen(format!("{whole:05}")).with("entity", parts));
                }
                (whole == stated).then_some(whole)
            }
            (whole, stated) => whole.or(stated).flatten(),
        }
    }
}

impl Consumer for Marco<'_> {
    fn header(&mut self, header: &[String], sink: &mut Sink<'_>) -> Result<Vec<usize>, Error> {
        let mapped = |field: &Field| self.job.spec.fields.contains_key(field.key);
        let there = |field: &Field| field.names.iter().any(|name| find_field(header, name).is_some());
        let has = |at: usize| FIELDS.get(at).is_some_and(|field| mapped(field) || there(field));
        let mut faults = Faults::default();
        if !(has(CODE) || has(ENTITY) && has(MUNICIPALITY)) {
            faults.push(missing_column("CVEGEO | CVE_ENT + CVE_MUN", header, sink));
        }
        let (layout, wanted) = Layout::find(header, &FIELDS, &[], faults, self.job, sink)?;
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
        let Some(code) = self.code(&values, row, sink) else { return Ok(()) };
        if !self.entities.keep(code / 1_000) {
            self.others += 1;
            return Ok(());
        }
        let name = self.layout.text(&values, row, NAME, sink).unwrap_or_default().into_owned();
        let values = vec![Value::Text(format!("{code:05}")), Value::Text(name)];
        self.rows.push(RawRow { layer: None, row, values, geometry });
        Ok(())
    }
}
