//! CONAPO, índice de marginación by municipality, 2020.
//!
//! The index of 2020 falls where marginación rises, other than those before it. The grade beside it says which way
//! a file runs: one that runs the other way is refused, since it would turn the ranks of recruitment round.

use super::layout::{Entities, Layout, needed, optional};
use crate::error::{Error, Faults, Rule};
use crate::sources::Job;
use crate::sources::guard::Input;
use crate::sources::names::normalised;
use crate::sources::number::decimal;
use crate::sources::raw::{RawRow, RawTable, Value};
use crate::sources::sink::Sink;
use crate::sources::table::{Consumer, Head, refused};

const FIELDS: [super::layout::Field; 6] = [
    needed("cvegeo", &["CVE_MUN", "CVEGEO"]),
    optional("entity", &["CVE_ENT"]),
    needed("name", &["NOM_MUN"]),
    needed("population", &["POB_TOT"]),
    needed("marginalization", &["IM_2020"]),
    optional("grade", &["GM_2020"]),
];
const CODE: usize = 0;
const ENTITY: usize = 1;
const NAME: usize = 2;
const POPULATION: usize = 3;
const INDEX: usize = 4;
const GRADE: usize = 5;

/// Grades from the least marginación to the most.
const GRADES: [&str; 5] = ["Muy bajo", "Bajo", "Medio", "Alto", "Muy alto"];

/// More than any municipality of the country has.
const MOST: u32 = 100_000_000;

/// The index of 2020 is a distance to the worst there could be, scaled to this.
const HIGHEST: f64 = 100.0;

/// Reads one record for each municipality.
pub(super) fn read(input: &Input, job: &Job<'_>, sink: &mut Sink<'_>) -> Result<RawTable, Error> {
    let mut table = Index {
        job,
        entities: Entities::of(job),
        layout: Layout::default(),
        decimal_comma: false,
        others: 0,
        totals: 0,
        graded: Vec::new(),
        rows: Vec::new(),
    };
    let scanned = super::scan(input, job, sink, &mut table)?;
    table.check_direction(sink)?;
    if table.rows.is_empty() {
        // What is there may be all at fault.
        if !sink.is_clean() {
            return Err(refused());
        }
        return Err(table.entities.nothing(table.layout.name(CODE), job, sink).into());
    }
    let mut provenance = scanned.provenance(input, job);
    for (reason, count) in [("totals", table.totals), ("other_entity", table.others)] {
        if count > 0 {
            provenance.dropped.insert(reason, count);
        }
    }
    Ok(RawTable {
        provenance,
        fields: ["cvegeo", "name", "population", "marginalization"].map(str::to_owned).into(),
        labels: table.layout.labels(),
        rows: table.rows,
        ..RawTable::default()
    })
}

struct Index<'a> {
    job: &'a Job<'a>,
    entities: Entities,
    layout: Layout,
    decimal_comma: bool,
    others: u64,
    totals: u64,
    /// Place of the grade in [`GRADES`] and index, of all records.
    graded: Vec<(usize, f64)>,
    rows: Vec<RawRow>,
}

impl Index<'_> {
    /// The mean of the index in the highest grade that occurs must lie below that in the lowest.
    fn check_direction(&self, sink: &Sink<'_>) -> Result<(), Error> {
        let grades = || self.graded.iter().map(|(grade, _)| *grade);
        let (Some(low), Some(high)) = (grades().min(), grades().max()) else { return Ok(()) };
        let mean = |grade: usize| {
            let of: Vec<f64> =
                self.graded.iter().filter(|(g, _)| *g == grade).map(|(_, index)| *index).collect();
            of.iter().sum::<f64>() / of.len().max(1) as f64
        };
        if low < high && mean(high) > mean(low) {
            let name = |grade: usize| GRADES.get(grade).copied().unwrap_or_default();
            return Err(sink
                .fault(Rule::IndexReversed)
                .field(self.layout.name(INDEX))
                .with("low", format!("{} {:.2}", name(low), mean(low)))
                .with("high", format!("{} {:.2}", name(high), mean(high)))
                .into());
        }
        Ok(())
    }
}

/// The value of the index; a comma stands for the point where columns are not divided by it.
fn index(text: &str, decimal_comma: bool) -> Result<f64, Rule> {
    match text {
        "" => return Err(Rule::ValueEmpty),
        "*" => return Err(Rule::ValueSuppressed),
        _ => {}
    }
    match decimal(text, decimal_comma) {
        Some(number) if (0.0..=HIGHEST).contains(&number) => Ok(number),
        Some(number) if number.is_finite() => Err(Rule::OutOfRange),
        _ => Err(Rule::NotANumber),
    }
}

impl Consumer for Index<'_> {
    fn header(&mut self, head: &Head<'_>, sink: &mut Sink<'_>) -> Result<Vec<usize>, Error> {
        let (layout, wanted) = Layout::find(head.fields, &FIELDS, &[], Faults::default(), self.job, sink)?;
        self.layout = layout;
        self.decimal_comma = head.decimal_comma;
        Ok(wanted)
    }

    fn record(&mut self, row: u64, values: &[String], sink: &mut Sink<'_>) -> Result<(), Error> {
        let layout = &self.layout;
        let Some(code) = layout.code(values, row, CODE, true, sink) else { return Ok(()) };
        if code % 1_000 == 0 {
            self.totals += 1;
            return Ok(());
        }
        if layout.has(ENTITY)
            && let Some(entity) = layout.entity(values, row, ENTITY, sink)
            && entity != code / 1_000
        {
            let fault = layout.fault(Rule::CodeContradicted, row, CODE, "", sink);
            sink.push(fault.seen(format!("{code:05}")).with("entity", format!("{entity:02}")));
            return Ok(());
        }
        let text = layout.get(values, INDEX);
        let index = index(&text, self.decimal_comma);
        let number = index.ok();
        let grade = layout.get(values, GRADE);
        let place = GRADES.iter().position(|name| normalised(name) == normalised(&grade));
        if let (Some(place), Some(number)) = (place, number) {
            self.graded.push((place, number));
        }
        if !self.entities.keep(code / 1_000) {
            self.others += 1;
            return Ok(());
        }
        if let Err(rule) = index {
            let mut fault = layout.fault(rule, row, INDEX, &text, sink);
            if rule == Rule::OutOfRange {
                fault = fault.with("range", format!("0 – {HIGHEST}"));
            }
            sink.push(fault);
        }
        if place.is_none() && layout.has(GRADE) {
            let rule = if grade.is_empty() { Rule::ValueEmpty } else { Rule::ValueUnknown };
            let fault = layout.fault(rule, row, GRADE, &grade, sink);
            sink.push(if grade.is_empty() { fault } else { fault.with("allowed", GRADES.join(", ")) });
        }
        let population = layout.number(values, row, POPULATION, MOST, sink);
        let name = layout.text(values, row, NAME, sink);
        if let (Some(population), Some(name), Some(number)) = (population, name, number) {
            self.rows.push(RawRow {
                layer: None,
                row,
                values: vec![
                    Value::Text(format!("{code:05}")),
                    Value::Text(name.into_owned()),
                    Value::Integer(population.into()),
                    Value::Real(number),
                ],
                geometry: None,
            });
        }
        Ok(())
    }
}
