//! INEGI, Marco Geoestadístico: polygons of the municipalities.
//!
//! Editions spell the fields in capitals or not, and some have the name as `NOM_MUN`. The CRS may be a custom
//! Lambert conformal conic without a code; GDAL reads it from its parameters.

use gdal::vector::LayerAccess as _;
use geo::Geometry;

use super::layout::{Entities, whole};
use crate::error::{Error, Faults, Rule, shape};
use crate::sources::guard::Input;
use crate::sources::names::{find_field, normalised};
use crate::sources::ogr::{self, Consumer};
use crate::sources::raw::{RawRow, RawTable, Value};
use crate::sources::sink::Sink;
use crate::sources::spec::GeometryNeed;
use crate::sources::{Job, environment};

const CODE: [&str; 1] = ["CVEGEO"];
const ENTITY: [&str; 1] = ["CVE_ENT"];
const MUNICIPALITY: [&str; 1] = ["CVE_MUN"];
const NAME: [&str; 3] = ["NOMGEO", "NOM_MUN", "NOMBRE"];

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
    let mut marco = Marco {
        job,
        entities: Entities::of(job),
        at: [None; 4],
        names: Default::default(),
        others: 0,
        rows: Vec::new(),
    };
    let scanned = opened.scan(&mut layer, job, GeometryNeed::Polygon, sink, &mut marco)?;
    if scanned.records == 0 {
        return Err(sink.fault(Rule::NoRecords).into());
    }
    if marco.rows.is_empty() && marco.others > 0 {
        let wanted = job.spec.entities.join(", ");
        return Err(sink.fault(Rule::NothingSelected).field("CVE_ENT").with("allowed", wanted).into());
    }
    let mut provenance = scanned.provenance(input, job);
    if marco.others > 0 {
        provenance.dropped.insert("other_entity", marco.others);
    }
    let [code, _, municipality, name] = marco.names;
    let code = if code.is_empty() { municipality } else { code };
    Ok(RawTable {
        provenance,
        fields: ["cvegeo", "name"].map(str::to_owned).into(),
        labels: [("cvegeo", code), ("name", name)].into_iter().collect(),
        rows: marco.rows,
        ..RawTable::default()
    })
}

struct Marco<'a> {
    job: &'a Job<'a>,
    entities: Entities,
    /// Places of code, entity, municipality and name among the values.
    at: [Option<usize>; 4],
    names: [String; 4],
    others: u64,
    rows: Vec<RawRow>,
}

impl Marco<'_> {
    fn text(&self, values: &[Value], field: usize) -> String {
        let at = self.at.get(field).copied().flatten();
        at.and_then(|at| values.get(at)).and_then(Value::text).unwrap_or_default()
    }

    /// A code of at most `high`, or a fault.
    fn number(
        &self,
        values: &[Value],
        row: u64,
        field: usize,
        high: u32,
        sink: &mut Sink<'_>,
    ) -> Option<u32> {
        let text = self.text(values, field);
        match whole(&text, high) {
            Ok(0) | Err(_) => {
                let rule = if text.is_empty() { Rule::ValueEmpty } else { Rule::CvegeoFormat };
                let fault = sink.fault(rule).row(row).field(self.names.get(field).map_or("", String::as_str));
                sink.push(if text.is_empty() { fault } else { fault.seen(shape(&text)) });
                None
            }
            Ok(number) => Some(number),
        }
    }

    /// The five-digit code as a number, checked against the parts where both are there.
    fn code(&self, values: &[Value], row: u64, sink: &mut Sink<'_>) -> Option<u32> {
        let parts = || Some((self.at[1]?, self.at[2]?));
        let whole = match self.at[0] {
            Some(_) => {
                let code = self.number(values, row, 0, 32_999, sink)?;
                if code < 1_001 || code % 1_000 == 0 {
                    let fault = sink.fault(Rule::CvegeoFormat).row(row).field(&self.names[0]);
                    sink.push(fault.seen(shape(&self.text(values, 0))));
                    return None;
                }
                Some(code)
            }
            None => None,
        };
        if parts().is_none() {
            return whole;
        }
        let entity = self.number(values, row, 1, 32, sink);
        let municipality = self.number(values, row, 2, 999, sink);
        let (entity, municipality) = (entity?, municipality?);
        let stated = entity * 1_000 + municipality;
        match whole {
            Some(code) if code != stated => {
                let fault = sink.fault(Rule::CodeContradicted).row(row).field(&self.names[0]);
                sink.push(
                    fault
                        .seen(format!("{code:05}"))
                        .with("entity", format!("{entity:02} / {municipality:03}")),
                );
                None
            }
            _ => Some(stated),
        }
    }
}

impl Consumer for Marco<'_> {
    fn header(&mut self, header: &[String], sink: &mut Sink<'_>) -> Result<Vec<usize>, Error> {
        let mut wanted = Vec::new();
        let keys = ["cvegeo", "entity", "municipality", "name"];
        let lists: [&[&str]; 4] = [&CODE, &ENTITY, &MUNICIPALITY, &NAME];
        let mut faults = Vec::new();
        let all = environment::one_line(&header.join(", "));
        for (i, (key, list)) in keys.into_iter().zip(lists).enumerate() {
            let mapped = self.job.spec.fields.get(key);
            let found = match mapped {
                Some(name) => find_field(header, name),
                None => list.iter().find_map(|name| find_field(header, name)),
            };
            if let Some(name) = mapped.filter(|_| found.is_none()) {
                faults.push(sink.fault(Rule::FieldMissing).field(name).with("allowed", &all));
            }
            if let Some(found) = found {
                self.at[i] = Some(wanted.len());
                self.names[i] = header.get(found).cloned().unwrap_or_default();
                wanted.push(found);
            }
        }
        let coded = self.at[0].is_some() || (self.at[1].is_some() && self.at[2].is_some());
        if !coded && faults.is_empty() {
            faults.push(
                sink.fault(Rule::FieldMissing).field("CVEGEO | CVE_ENT + CVE_MUN").with("allowed", &all),
            );
        }
        if self.at[3].is_none() && !self.job.spec.fields.contains_key("name") {
            faults.push(sink.fault(Rule::FieldMissing).field(NAME[0]).with("allowed", &all));
        }
        if faults.is_empty() { Ok(wanted) } else { Err(Faults(faults).into()) }
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
        let name = self.text(&values, 3);
        if name.is_empty() {
            let fault = sink.fault(Rule::ValueEmpty).row(row).field(&self.names[3]);
            sink.push(fault);
        }
        let values = vec![Value::Text(format!("{code:05}")), Value::Text(name)];
        self.rows.push(RawRow { row, values, geometry });
        Ok(())
    }
}
