//! INEGI, Censo de Población y Vivienda 2020, principal results by locality (ITER): the total of each
//! municipality.
//!
//! The file has 286 columns, some of ethnicity and language: only those named here are read. Locality 0000 is the
//! total of a municipality, and municipality 000 that of the entity.

use super::layout::{Entities, Layout, needed};
use crate::error::{Error, Faults, Rule};
use crate::sources::Job;
use crate::sources::guard::Input;
use crate::sources::raw::{RawRow, RawTable, Value};
use crate::sources::sink::Sink;
use crate::sources::table::{Consumer, Head, refused};

const FIELDS: [super::layout::Field; 5] = [
    needed("entity", &["ENTIDAD", "CVE_ENT"]),
    needed("municipality", &["MUN", "CVE_MUN"]),
    needed("locality", &["LOC", "CVE_LOC"]),
    needed("name", &["NOM_MUN"]),
    needed("population", &["POBTOT"]),
];
const ENTITY: usize = 0;
const MUNICIPALITY: usize = 1;
const LOCALITY: usize = 2;
const NAME: usize = 3;
const POPULATION: usize = 4;

/// Official columns of dwellings whose names look like those of a person's telephone.
const KNOWN: [&str; 2] = ["vphtelef", "vphcel"];

/// More than any municipality of the country has.
const MOST: u32 = 100_000_000;

/// Reads the totals of the municipalities.
pub(super) fn read(input: &Input, job: &Job<'_>, sink: &mut Sink<'_>) -> Result<RawTable, Error> {
    let mut census = Census {
        job,
        entities: Entities::of(job),
        layout: Layout::default(),
        totals: 0,
        localities: 0,
        others: 0,
        rows: Vec::new(),
    };
    let scanned = super::scan(input, job, sink, &mut census)?;
    if census.rows.is_empty() {
        // What is there may be all at fault.
        if !sink.is_clean() {
            return Err(refused());
        }
        if census.others > 0 {
            return Err(census.entities.nothing(census.layout.name(ENTITY), job, sink).into());
        }
        // An extract of localities, without the records of whole municipalities.
        let fault = sink.fault(Rule::NothingSelected).field(census.layout.name(LOCALITY));
        return Err(fault.with("wanted", "0000").with("allowed", "0001 …").into());
    }
    let mut provenance = scanned.provenance(input, job);
    for (reason, count) in
        [("totals", census.totals), ("localities", census.localities), ("other_entity", census.others)]
    {
        if count > 0 {
            provenance.dropped.insert(reason, count);
        }
    }
    Ok(RawTable {
        provenance,
        fields: ["cvegeo", "name", "population"].map(str::to_owned).into(),
        labels: [("cvegeo", census.layout.name(MUNICIPALITY).to_owned())]
            .into_iter()
            .chain(census.layout.labels())
            .collect(),
        rows: census.rows,
        ..RawTable::default()
    })
}

struct Census<'a> {
    job: &'a Job<'a>,
    entities: Entities,
    layout: Layout,
    totals: u64,
    localities: u64,
    others: u64,
    rows: Vec<RawRow>,
}

impl Consumer for Census<'_> {
    fn header(&mut self, head: &Head<'_>, sink: &mut Sink<'_>) -> Result<Vec<usize>, Error> {
        let (layout, wanted) = Layout::find(head.fields, &FIELDS, &KNOWN, Faults::default(), self.job, sink)?;
        self.layout = layout;
        Ok(wanted)
    }

    fn record(&mut self, row: u64, values: &[String], sink: &mut Sink<'_>) -> Result<(), Error> {
        let layout = &self.layout;
        let mut code = |field, high| layout.number(values, row, field, high, sink);
        let codes = [code(ENTITY, 32), code(MUNICIPALITY, 999), code(LOCALITY, 9_999)];
        let [entity, municipality, locality] = codes;
        // Totals of the country and of an entity stand among the records.
        match codes {
            [Some(0), Some(_), Some(_)] => {
                self.totals += 1;
                return Ok(());
            }
            [Some(entity), _, _] if entity > 0 && !self.entities.keep(entity) => {
                self.others += 1;
                return Ok(());
            }
            [Some(_), Some(0), Some(_)] => {
                self.totals += 1;
                return Ok(());
            }
            [Some(_), Some(_), Some(1..)] => {
                self.localities += 1;
                return Ok(());
            }
            _ => {}
        }
        // What cannot be told from a locality has its fault, and need not hold what a municipality must.
        if locality != Some(0) {
            return Ok(());
        }
        let population = layout.number(values, row, POPULATION, MOST, sink);
        let name = layout.text(values, row, NAME, sink);
        if let (Some(entity), Some(municipality), Some(population), Some(name)) =
            (entity, municipality, population, name)
        {
            self.rows.push(RawRow {
                layer: None,
                row,
                values: vec![
                    Value::Text(format!("{entity:02}{municipality:03}")),
                    Value::Text(name.into_owned()),
                    Value::Integer(population.into()),
                ],
                geometry: None,
            });
        }
        Ok(())
    }
}
