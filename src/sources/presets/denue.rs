//! INEGI, Directorio Estadístico Nacional de Unidades Económicas: workplaces with class, size and position.
//!
//! Contact columns and the legal name are never decoded. The name of an establishment is often that of a person: it
//! goes no further than the restricted audience.

use super::layout::{Entities, Field, Layout, needed, optional};
use crate::error::{Error, Faults, Rule};
use crate::sources::Job;
use crate::sources::geometry::{self, Survey};
use crate::sources::guard::Input;
use crate::sources::names::normalised;
use crate::sources::points::PointReader;
use crate::sources::raw::{RawRow, RawTable, Value};
use crate::sources::selection::Passed;
use crate::sources::sink::Sink;
use crate::sources::table::{Consumer, Head, refused};

const FIELDS: [Field; 8] = [
    needed("id", &["id"]),
    optional("clee", &["clee"]),
    optional("name", &["nom_estab"]),
    needed("scian", &["codigo_act"]),
    optional("sector", &["nombre_act"]),
    needed("size", &["per_ocu"]),
    needed("entity", &["cve_ent"]),
    needed("cvegeo", &["cve_mun"]),
];
const ID: usize = 0;
const CLEE: usize = 1;
const NAME: usize = 2;
const SCIAN: usize = 3;
const SECTOR: usize = 4;
const SIZE: usize = 5;
const ENTITY: usize = 6;
const MUNICIPALITY: usize = 7;

/// Size classes by persons employed.
const SIZES: [&str; 7] = [
    "0 a 5 personas",
    "6 a 10 personas",
    "11 a 30 personas",
    "31 a 50 personas",
    "51 a 100 personas",
    "101 a 250 personas",
    "251 y más personas",
];

/// Sectors of SCIAN.
#[rustfmt::skip] // One a line hides the list.
const SECTORS: [&str; 23] = [
    "11", "21", "22", "23", "31", "32", "33", "43", "46", "48", "49", "51", "52", "53", "54", "55", "56", "61",
    "62", "71", "72", "81", "93",
];

/// West, south, east, north of the country with its islands, in degrees.
const COUNTRY: [f64; 4] = [-118.7, 14.3, -86.5, 32.9];

/// Reads the establishments of the study's entities and sectors.
pub(super) fn read(input: &Input, job: &Job<'_>, sink: &mut Sink<'_>) -> Result<RawTable, Error> {
    let mut register = Register {
        job,
        entities: Entities::of(job),
        passed: Passed::default(),
        layout: Layout::default(),
        points: None,
        sizes: SIZES.map(normalised),
        survey: Survey::default(),
        sectors: 0,
        others: 0,
        rows: Vec::new(),
    };
    let scanned = super::scan(input, job, sink, &mut register)?;
    if register.rows.is_empty() && scanned.records > 0 {
        // What is there may be all at fault.
        if !sink.is_clean() {
            return Err(refused());
        }
        let layout = &register.layout;
        return Err(if register.sectors == 0 {
            register.entities.nothing(layout.name(ENTITY), job, sink).into()
        } else {
            let fault = sink.fault(Rule::NothingSelected).field(layout.name(SCIAN));
            register.passed.tell(fault, &job.spec.scian).into()
        });
    }
    let mut provenance = scanned.provenance(input, job);
    for (reason, count) in [("sector", register.sectors), ("other_entity", register.others)] {
        if count > 0 {
            provenance.dropped.insert(reason, count);
        }
    }
    provenance.crs = register.points.map(|points| points.to_wgs84.label);
    provenance.extent = register.survey.extent;
    Ok(RawTable {
        provenance,
        fields: ["id", "clee", "name", "cvegeo", "scian", "sector", "size"].map(str::to_owned).into(),
        labels: register.layout.labels(),
        rows: register.rows,
        ..RawTable::default()
    })
}

struct Register<'a> {
    job: &'a Job<'a>,
    entities: Entities,
    layout: Layout,
    points: Option<PointReader>,
    sizes: [String; 7],
    survey: Survey,
    sectors: u64,
    /// Classes of other sectors.
    passed: Passed,
    others: u64,
    rows: Vec<RawRow>,
}

impl Register<'_> {
    /// The class, if it is one of six digits.
    fn class(&self, values: &[String], row: u64, sink: &mut Sink<'_>) -> Option<String> {
        let class = self.layout.text(values, row, SCIAN, sink)?;
        let class = class.strip_suffix(".0").unwrap_or(&class);
        let known = class.len() == 6
            && class.bytes().all(|byte| byte.is_ascii_digit())
            && class.get(..2).is_some_and(|sector| SECTORS.contains(&sector));
        if !known {
            let fault = self.layout.fault(Rule::ValueUnknown, row, SCIAN, class, sink);
            sink.push(fault.with("allowed", "111110 … 932110"));
            return None;
        }
        Some(class.to_owned())
    }

    fn size(&self, values: &[String], row: u64, sink: &mut Sink<'_>) -> Option<&'static str> {
        let text = self.layout.text(values, row, SIZE, sink)?;
        let normal = normalised(&text);
        let found = self.sizes.iter().position(|size| *size == normal).and_then(|i| SIZES.get(i).copied());
        if found.is_none() {
            let fault = self.layout.fault(Rule::ValueUnknown, row, SIZE, &text, sink);
            sink.push(fault.with("allowed", SIZES.join(", ")));
        }
        found
    }
}

impl Consumer for Register<'_> {
    fn header(&mut self, head: &Head<'_>, sink: &mut Sink<'_>) -> Result<Vec<usize>, Error> {
        let points = PointReader::new(head.fields, self.job, head.decimal_comma, sink);
        // What is missing of both is told in one pass.
        let (points, others) = match points {
            Ok(points) => (Some(points), Faults::default()),
            Err(Error::Faults(faults)) => (None, faults),
            Err(other) => return Err(other),
        };
        let (layout, mut wanted) = Layout::find(head.fields, &FIELDS, &[], others, self.job, sink)?;
        let Some(points) = points else { return Err(refused()) };
        wanted.extend(points.columns());
        self.points = Some(points);
        self.layout = layout;
        Ok(wanted)
    }

    fn record(&mut self, row: u64, values: &[String], sink: &mut Sink<'_>) -> Result<(), Error> {
        let layout = &self.layout;
        let entity = layout.entity(values, row, ENTITY, sink);
        if entity.is_some_and(|entity| !self.entities.keep(entity)) {
            self.others += 1;
            return Ok(());
        }
        let class = self.class(values, row, sink);
        let wanted = &self.job.spec.scian;
        if let Some(class) = &class
            && !wanted.is_empty()
            && !wanted.iter().any(|prefix| class.starts_with(prefix.as_str()))
        {
            self.sectors += 1;
            self.passed.note(class);
            return Ok(());
        }
        let id = layout.text(values, row, ID, sink);
        let size = self.size(values, row, sink);
        let municipality = layout.municipality(values, row, MUNICIPALITY, sink);
        let point = match (&self.points, values) {
            (Some(points), [.., x, y]) => points.point([x, y], row, &mut self.survey, sink),
            _ => None,
        };
        if point.as_ref().is_some_and(|point| !geometry::meets(point, COUNTRY)) {
            let detail = format!("{COUNTRY:.1?}");
            let fault = sink.fault(Rule::CoordinatesOutOfRange).row(row).with("detail", detail);
            sink.push(fault);
            return Ok(());
        }
        let (Some(entity), Some(class), Some(id), Some(size), Some(municipality), Some(point)) =
            (entity, class, id, size, municipality, point)
        else {
            return Ok(());
        };
        let text = |field: usize| match &*layout.get(values, field) {
            "" => Value::Null,
            text => Value::Text(text.to_owned()),
        };
        self.rows.push(RawRow {
            layer: None,
            row,
            values: vec![
                Value::Text(id.into_owned()),
                text(CLEE),
                text(NAME),
                Value::Text(format!("{entity:02}{municipality:03}")),
                Value::Text(class),
                text(SECTOR),
                Value::Word(size),
            ],
            geometry: Some(point),
        });
        Ok(())
    }
}
