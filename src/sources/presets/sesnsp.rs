//! SESNSP, incidencia delictiva municipal: one record for each year, municipality and offence with twelve months.
//!
//! 1. Records of the offence and of the study's entities are taken; `…998` (no especificado) and `…999` (otros
//!    municipios) are cases without a municipality.
//! 2. A month is published if any of these records has a value for it; blank is not zero.
//! 3. The months of a municipality are added up. If all published months are there the count is a number; if some
//!    are missing it is a lower bound, and the sum of all is the upper one.
//!
//! The files of victims cross municipality, sex and age. Unless the study says to add up over these columns the file
//! is refused: a place, an age and a sex are nearly a person.

use std::collections::hash_map::{DefaultHasher, Entry};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{Hash, Hasher};

use super::layout::{Entities, Field, Layout, needed, optional};
use crate::error::{Error, Rule};
use crate::sources::guard::Input;
use crate::sources::names::{find_field, normalised, squeeze};
use crate::sources::raw::{Period, RawRow, RawTable, Value};
use crate::sources::sink::Sink;
use crate::sources::table::{Consumer, Head};
use crate::sources::{Job, environment};

const FIELDS: [Field; 19] = [
    needed("year", &["Año", "Ano", "Anio"]),
    needed("entity", &["Clave_Ent", "Cve_Ent", "Clave Ent"]),
    needed("cvegeo", &["Cve. Municipio", "Clave_Mun", "Cve_Mun", "CVEGEO"]),
    optional("legal_good", &["Bien jurídico afectado"]),
    needed("type", &["Tipo de delito"]),
    optional("subtype", &["Subtipo de delito"]),
    optional("modality", &["Modalidad"]),
    needed("january", &["Enero"]),
    needed("february", &["Febrero"]),
    needed("march", &["Marzo"]),
    needed("april", &["Abril"]),
    needed("may", &["Mayo"]),
    needed("june", &["Junio"]),
    needed("july", &["Julio"]),
    needed("august", &["Agosto"]),
    needed("september", &["Septiembre"]),
    needed("october", &["Octubre"]),
    needed("november", &["Noviembre"]),
    needed("december", &["Diciembre"]),
];
const YEAR: usize = 0;
const ENTITY: usize = 1;
const CODE: usize = 2;
const LEGAL_GOOD: usize = 3;
const TYPE: usize = 4;
const SUBTYPE: usize = 5;
const MODALITY: usize = 6;
const JANUARY: usize = 7;

/// Columns by which the files of victims cross-tabulate.
const CROSSED: [&str; 2] = ["Sexo", "Rango de edad"];

/// The offence that counts where the study names none.
const TRAFFICKING: &str = "Trata de personas";

/// More than one record has ever counted in a month.
const MOST: u32 = 100_000;

/// Names of offences that are remembered for the message when none fits.
const REMEMBERED: usize = 40;

/// A month, counted from January of year 0.
type Month = i32;

/// Reads the counts of each municipality.
pub(super) fn read(input: &Input, job: &Job<'_>, sink: &mut Sink<'_>) -> Result<RawTable, Error> {
    let mut counts = Counts::new(job);
    let scanned = super::scan(input, job, sink, &mut counts)?;
    if counts.cells.is_empty() {
        let seen: Vec<&str> = counts.kinds.keys().map(String::as_str).collect();
        let seen = if counts.others > 0 { job.spec.entities.join(", ") } else { seen.join(", ") };
        let field = if counts.others > 0 { ENTITY } else { TYPE };
        return Err(counts
            .layout
            .fault(Rule::NothingSelected, 0, field, "", sink)
            .without_row()
            .with("allowed", environment::one_line(&seen))
            .into());
    }
    let mut provenance = scanned.provenance(input, job);
    let (rows, period, unpublished) = counts.rows(sink)?;
    for (reason, count) in [
        ("other_offence", counts.unfit),
        ("other_entity", counts.others),
        ("outside_period", counts.outside),
        ("months_unpublished", unpublished),
    ] {
        if count > 0 {
            provenance.dropped.insert(reason, count);
        }
    }
    provenance.period = Some(period);
    Ok(RawTable {
        provenance,
        fields: ["cvegeo", "period", "count", "count_min", "count_max", "known_by"].map(str::to_owned).into(),
        labels: counts.layout.labels(),
        rows,
        ..RawTable::default()
    })
}

/// What was read of one code.
#[derive(Default)]
struct Cell {
    /// Line of its first record.
    row: u64,
    /// By month: cases.
    months: BTreeMap<Month, u64>,
    /// Months in which one of its records is blank.
    blank: BTreeSet<Month>,
}

struct Counts<'a> {
    job: &'a Job<'a>,
    entities: Entities,
    layout: Layout,
    /// First and last month that count.
    window: [Month; 2],
    /// By list of the selection: its column and its values, normalised.
    selection: Vec<(usize, Vec<String>)>,
    /// By type of offence as written: whether it is selected. Few, and asked for at each record.
    kinds: BTreeMap<String, bool>,
    cells: BTreeMap<u32, Cell>,
    /// By hash of what tells records apart: the line of the first.
    seen: HashMap<u64, u64>,
    /// Records of another offence, of another entity, and outside the window.
    unfit: u64,
    others: u64,
    outside: u64,
}

impl<'a> Counts<'a> {
    fn new(job: &'a Job<'a>) -> Self {
        let spec = job.spec;
        let offence = spec.offence.clone().unwrap_or_default();
        let lists = [
            (LEGAL_GOOD, offence.legal_good),
            (TYPE, offence.kind),
            (SUBTYPE, offence.subtype),
            (MODALITY, offence.modality),
        ];
        let mut selection: Vec<(usize, Vec<String>)> = lists
            .into_iter()
            .filter(|(_, list)| !list.is_empty())
            .map(|(column, list)| (column, list.iter().map(|name| normalised(name)).collect()))
            .collect();
        if selection.is_empty() {
            selection.push((TYPE, vec![normalised(TRAFFICKING)]));
        }
        let edge = |text: &Option<String>, first: bool| {
            let (year, month) = month_of(text.as_deref()?)?;
            Some(year * 12 + month.map_or(if first { 0 } else { 11 }, |month| month - 1))
        };
        Self {
            job,
            entities: Entities::of(job),
            layout: Layout::default(),
            window: [
                edge(&spec.from, true).unwrap_or(Month::MIN),
                edge(&spec.to, false).unwrap_or(Month::MAX),
            ],
            selection,
            kinds: BTreeMap::new(),
            cells: BTreeMap::new(),
            seen: HashMap::new(),
            unfit: 0,
            others: 0,
            outside: 0,
        }
    }

    /// Whether the record is of a selected offence.
    fn fits(&mut self, values: &[String]) -> bool {
        let Self { layout, selection, kinds, .. } = self;
        let in_list = |column: usize, list: &[String]| list.contains(&normalised(layout.get(values, column)));
        let kind = layout.get(values, TYPE);
        let of_kind = kinds.get(kind).copied().unwrap_or_else(|| {
            let fits =
                selection.iter().filter(|(column, _)| *column == TYPE).all(|(c, list)| in_list(*c, list));
            if kinds.len() < REMEMBERED {
                kinds.insert(kind.to_owned(), fits);
            }
            fits
        });
        of_kind && selection.iter().filter(|(column, _)| *column != TYPE).all(|(c, list)| in_list(*c, list))
    }

    /// Entity and code of a record that fit each other, or faults.
    fn code(&self, values: &[String], row: u64, sink: &mut Sink<'_>) -> Option<(u32, u32)> {
        let layout = &self.layout;
        let entity = layout.number(values, row, ENTITY, 32, sink);
        let code = layout.number(values, row, CODE, 32_999, sink);
        let (entity, code) = (entity?, code?);
        let fault = if entity == 0 {
            layout.fault(Rule::OutOfRange, row, ENTITY, "", sink).seen("0").with("range", "1 – 32")
        } else if code % 1_000 == 0 {
            layout.fault(Rule::CvegeoFormat, row, CODE, layout.get(values, CODE), sink)
        } else if code / 1_000 != entity {
            let fault = layout.fault(Rule::CodeContradicted, row, CODE, "", sink);
            fault.seen(code.to_string()).with("entity", format!("{entity:02}"))
        } else {
            return Some((entity, code));
        };
        sink.push(fault);
        None
    }

    /// Rows by code, the period, and how many months of its years were not published.
    fn rows(&self, sink: &mut Sink<'_>) -> Result<(Vec<RawRow>, Period, u64), Error> {
        let published: BTreeSet<Month> =
            self.cells.values().flat_map(|cell| cell.months.keys().copied()).collect();
        let (Some(first), Some(last)) = (published.first().copied(), published.last().copied()) else {
            return Err(sink.fault(Rule::NothingSelected).with("allowed", "").into());
        };
        let blank: BTreeSet<Month> =
            self.cells.values().flat_map(|cell| cell.blank.iter().copied()).collect();
        let unpublished = blank.difference(&published).count() as u64;
        let total: u64 = self.cells.values().flat_map(|cell| cell.months.values()).sum();
        #[expect(clippy::cast_possible_truncation, reason = "twelve months in each of 110 years")]
        let months = published.len() as u32;
        let period = Period { from: month_name(first), to: month_name(last), months };
        let text = format!("{}/{}", period.from, period.to);
        let mut rows = Vec::with_capacity(self.cells.len());
        let number = |n: u64| Value::Integer(i64::try_from(n).unwrap_or(i64::MAX));
        for (code, cell) in &self.cells {
            let sum: u64 = cell.months.values().sum();
            let whole = cell.months.keys().filter(|month| !cell.blank.contains(month)).count();
            let missing = published.len() - whole;
            let located = code % 1_000 < 998;
            let counts = if missing == 0 || !located {
                [number(sum), Value::Null, Value::Null]
            } else {
                let fault = self.layout.fault(Rule::MonthsMissing, cell.row, JANUARY, "", sink);
                sink.push(
                    fault.seen(format!("{code:05}")).with("months", missing).with("of", published.len()),
                );
                [Value::Null, number(sum), number(total)]
            };
            let [count, low, high] = counts;
            rows.push(RawRow {
                row: cell.row,
                values: vec![
                    Value::Text(format!("{code:05}")),
                    Value::Text(text.clone()),
                    count,
                    low,
                    high,
                    Value::Word("reported"),
                ],
                geometry: None,
            });
        }
        Ok((rows, period, unpublished))
    }
}

impl Consumer for Counts<'_> {
    fn header(&mut self, head: &Head<'_>, sink: &mut Sink<'_>) -> Result<Vec<usize>, Error> {
        let sum_over = &self.job.spec.sum_over;
        let listed = |name: &str| sum_over.iter().any(|other| squeeze(other) == squeeze(name));
        let crossed: Vec<&str> = CROSSED
            .into_iter()
            .filter(|name| find_field(head.fields, name).is_some() && !listed(name))
            .collect();
        if !crossed.is_empty() {
            return Err(sink.fault(Rule::CrossTab).with("fields", crossed.join(", ")).into());
        }
        let known: Vec<String> = sum_over.iter().map(|name| squeeze(name)).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let (layout, mut wanted) = Layout::find(head, &FIELDS, &known, self.job, sink)?;
        // What is added up over still tells records apart.
        for name in sum_over {
            let Some(at) = find_field(head.fields, name) else {
                let all = environment::one_line(&head.fields.join(", "));
                return Err(sink.fault(Rule::FieldMissing).field(name).with("allowed", all).into());
            };
            wanted.push(at);
        }
        for (column, _) in &self.selection {
            if !layout.has(*column) {
                let all = environment::one_line(&head.fields.join(", "));
                let fault = layout.fault(Rule::FieldMissing, 0, *column, "", sink).without_row();
                return Err(fault.with("allowed", all).into());
            }
        }
        self.layout = layout;
        Ok(wanted)
    }

    fn record(&mut self, row: u64, values: &[String], sink: &mut Sink<'_>) -> Result<(), Error> {
        if !self.fits(values) {
            self.unfit += 1;
            return Ok(());
        }
        let code = self.code(values, row, sink);
        if code.is_some_and(|(entity, _)| !self.entities.keep(entity)) {
            self.others += 1;
            return Ok(());
        }
        let layout = &self.layout;
        let text = layout.get(values, YEAR);
        let year: Option<Month> = text.parse().ok().filter(|year| (1990..=2100).contains(year));
        if year.is_none() {
            let fault = layout.fault(Rule::YearFormat, row, YEAR, text, sink);
            sink.push(fault);
        }
        let mut months = [None; 12];
        let mut fine = true;
        for (i, month) in months.iter_mut().enumerate() {
            if !layout.get(values, JANUARY + i).is_empty() {
                *month = layout.number(values, row, JANUARY + i, MOST, sink);
                fine &= month.is_some();
            }
        }
        let (Some((_, code)), Some(year), true) = (code, year, fine) else { return Ok(()) };

        let mut hasher = DefaultHasher::new();
        (year, code).hash(&mut hasher);
        for column in [LEGAL_GOOD, TYPE, SUBTYPE, MODALITY] {
            layout.get(values, column).hash(&mut hasher);
        }
        let read = FIELDS.iter().enumerate().filter(|(i, _)| layout.has(*i)).count();
        values.get(read..).hash(&mut hasher);
        match self.seen.entry(hasher.finish()) {
            Entry::Occupied(first) => {
                let fault = layout.fault(Rule::DuplicateKey, row, CODE, "", sink);
                sink.push(fault.seen(format!("{code:05}")).with("first", first.get()));
                return Ok(());
            }
            Entry::Vacant(slot) => {
                slot.insert(row);
            }
        }

        let mut inside = false;
        let cell = self.cells.entry(code).or_insert_with(|| Cell { row, ..Cell::default() });
        for (month, count) in (year * 12..).zip(months) {
            if month < self.window[0] || month > self.window[1] {
                continue;
            }
            inside = true;
            match count {
                Some(count) => *cell.months.entry(month).or_default() += u64::from(count),
                None => {
                    cell.blank.insert(month);
                }
            }
        }
        self.outside += u64::from(!inside);
        Ok(())
    }
}

/// Year and month of `YYYY` or `YYYY-MM`.
#[must_use]
pub fn month_of(text: &str) -> Option<(i32, Option<i32>)> {
    let (year, month) = match text.split_once('-') {
        Some((year, month)) if month.len() == 2 => (year, Some(month)),
        Some(_) => return None,
        None => (text, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if year.len() != 4 || !digits(year) || !month.is_none_or(digits) {
        return None;
    }
    let month: Option<i32> = month.map(str::parse).transpose().ok()?;
    (month.is_none_or(|month| (1..=12).contains(&month))).then_some((year.parse().ok()?, month))
}

fn month_name(month: Month) -> String {
    format!("{:04}-{:02}", month.div_euclid(12), month.rem_euclid(12) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_of_the_calendar() {
        assert_eq!(month_of("2015"), Some((2015, None)));
        assert_eq!(month_of("2015-03"), Some((2015, Some(3))));
        for text in ["2015-3", "2015-13", "2015-00", "15", "2015-03-01", "", "-", "+015-01"] {
            assert_eq!(month_of(text), None, "{text}");
        }
        assert_eq!(month_name(2015 * 12 + 11), "2015-12");
    }
}
