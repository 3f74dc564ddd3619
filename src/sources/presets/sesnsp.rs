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

use super::layout::{Entities, Field, Layout, missing_column, needed, optional};
use crate::error::{Error, Fault, Faults, Rule};
use crate::sources::columns::is_trait;
use crate::sources::guard::Input;
use crate::sources::names::{find_field, normalised, squeeze};
use crate::sources::number::whole;
use crate::sources::raw::{Period, RawRow, RawTable, Value};
use crate::sources::sink::Sink;
use crate::sources::table::{Consumer, Head, refused};
use crate::sources::{Job, environment};

/// The type of offence comes first: by it most records of a file are left out.
const FIELDS: [Field; 19] = [
    needed("type", &["Tipo de delito"]),
    needed("year", &["Año", "Ano", "Anio"]),
    needed("entity", &["Clave_Ent", "Cve_Ent", "Clave Ent"]),
    needed("cvegeo", &["Cve. Municipio", "Clave_Mun", "Cve_Mun", "CVEGEO"]),
    optional("legal_good", &["Bien jurídico afectado"]),
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
const TYPE: usize = 0;
const YEAR: usize = 1;
const ENTITY: usize = 2;
const CODE: usize = 3;
const LEGAL_GOOD: usize = 4;
const SUBTYPE: usize = 5;
const MODALITY: usize = 6;
const JANUARY: usize = 7;

/// The offence that counts where the study names none.
const TRAFFICKING: &str = "Trata de personas";

/// More than one record has ever counted in a month.
const MOST: u32 = 100_000;

/// Names of offences that are remembered; the catalogue has some forty.
const REMEMBERED: usize = 100;

/// Those that the message names when none fits.
const SHOWN: usize = 40;

/// A month, counted from January of year 0.
type Month = i32;

/// Reads the counts of each municipality.
pub(super) fn read(input: &Input, job: &Job<'_>, sink: &mut Sink<'_>) -> Result<RawTable, Error> {
    let mut counts = Counts::new(job);
    let scanned = super::scan(input, job, sink, &mut counts)?;
    let mut provenance = scanned.provenance(input, job);
    let Some((rows, period, unpublished)) = counts.rows(sink) else {
        // What is there may be all at fault.
        return Err(if sink.is_clean() { counts.nothing(sink).into() } else { refused() });
    };
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
    provenance.kept = counts.kept;
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
    /// First and last year of the records that were selected.
    years: Option<[Month; 2]>,
    /// Records of the offence; of another one, of another entity, and outside the window.
    records: u64,
    kept: u64,
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
            kept: 0,
            layout: Layout::default(),
            window: [
                edge(&spec.from, true).unwrap_or(Month::MIN),
                edge(&spec.to, false).unwrap_or(Month::MAX),
            ],
            selection,
            kinds: BTreeMap::new(),
            cells: BTreeMap::new(),
            seen: HashMap::new(),
            years: None,
            records: 0,
            unfit: 0,
            others: 0,
            outside: 0,
        }
    }

    /// Whether the type of an offence is a selected one.
    fn is_kind(&mut self, kind: &str) -> bool {
        if let Some(fits) = self.kinds.get(kind) {
            return *fits;
        }
        let name = normalised(kind);
        let fits =
            self.selection.iter().filter(|(column, _)| *column == TYPE).all(|(_, list)| list.contains(&name));
        if self.kinds.len() < REMEMBERED {
            self.kinds.insert(kind.to_owned(), fits);
        }
        fits
    }

    /// Whether a record of a selected type fits what else is selected; `None`, with a fault, if it does not say.
    fn fits(&self, values: &[String], row: u64, sink: &mut Sink<'_>) -> Option<bool> {
        self.layout.text(values, row, TYPE, sink)?;
        for (column, list) in self.selection.iter().filter(|(column, _)| *column != TYPE) {
            let name = normalised(&self.layout.text(values, row, *column, sink)?);
            if !list.contains(&name) {
                return Some(false);
            }
        }
        Some(true)
    }

    /// Entity and code of a record that fit each other, or faults.
    fn code(&self, values: &[String], row: u64, sink: &mut Sink<'_>) -> Option<(u32, u32)> {
        let layout = &self.layout;
        let entity = layout.entity(values, row, ENTITY, sink);
        let code = layout.code(values, row, CODE, false, sink);
        let (entity, code) = (entity?, code?);
        if code / 1_000 != entity {
            let fault = layout.fault(Rule::CodeContradicted, row, CODE, "", sink);
            sink.push(fault.seen(format!("{code:05}")).with("entity", format!("{entity:02}")));
            return None;
        }
        Some((entity, code))
    }

    fn year(&self, values: &[String], row: u64, sink: &mut Sink<'_>) -> Option<Month> {
        let text = self.layout.text(values, row, YEAR, sink)?;
        let year = whole(&text, 2_100).ok().filter(|year| *year >= 1_990);
        if year.is_none() {
            let fault = self.layout.fault(Rule::YearFormat, row, YEAR, &text, sink);
            sink.push(fault);
        }
        Month::try_from(year?).ok()
    }

    /// What the file has, where nothing of it was selected.
    fn nothing(&self, sink: &Sink<'_>) -> Fault {
        let (field, wanted, seen) = if self.records == 0 {
            let kinds: Vec<&str> = self.kinds.keys().take(SHOWN).map(String::as_str).collect();
            let asked = self.selection.iter().flat_map(|(_, names)| names).map(String::as_str);
            (TYPE, asked.collect::<Vec<_>>().join(", "), kinds.join(", "))
        } else if let Some([first, last]) = self.years {
            let [from, to] =
                [&self.job.spec.from, &self.job.spec.to].map(|edge| edge.as_deref().unwrap_or(""));
            (YEAR, format!("{from} – {to}"), format!("{first} – {last}"))
        } else {
            return self.entities.nothing(self.layout.name(ENTITY), self.job, sink);
        };
        let fault = self.layout.fault(Rule::NothingSelected, 0, field, "", sink).without_row();
        fault.with("wanted", environment::one_line(&wanted)).with("allowed", environment::one_line(&seen))
    }

    /// Rows by code, the period, and how many months of its years were not published; `None` if there is no month.
    fn rows(&self, sink: &mut Sink<'_>) -> Option<(Vec<RawRow>, Period, u64)> {
        let published: BTreeSet<Month> =
            self.cells.values().flat_map(|cell| cell.months.keys().copied()).collect();
        let blank: BTreeSet<Month> =
            self.cells.values().flat_map(|cell| cell.blank.iter().copied()).collect();
        let unpublished = blank.difference(&published).count() as u64;
        let period = Period::new(published)?;
        let published = &period.published;
        let text = format!("{}/{}", period.from, period.to);
        let mut rows = Vec::with_capacity(self.cells.len());
        let clean = sink.is_clean();
        let number = |n: u64| Value::Integer(i64::try_from(n).unwrap_or(i64::MAX));
        for (code, cell) in &self.cells {
            let sum: u64 = cell.months.values().sum();
            let whole = cell.months.keys().filter(|month| !cell.blank.contains(month)).count();
            let missing = published.len() - whole;
            let counts = if missing == 0 {
                [number(sum), Value::Null, Value::Null]
            } else {
                // Months of a record with a fault are missing because of it.
                if clean && code % 1_000 < 998 {
                    let fault = self.layout.fault(Rule::MonthsMissing, cell.row, CODE, "", sink);
                    sink.push(
                        fault.seen(format!("{code:05}")).with("months", missing).with("of", published.len()),
                    );
                }
                [Value::Null, number(sum), Value::Null]
            };
            let [count, low, high] = counts;
            rows.push(RawRow {
                layer: None,
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
        Some((rows, period, unpublished))
    }
}

impl Consumer for Counts<'_> {
    fn header(&mut self, head: &Head<'_>, sink: &mut Sink<'_>) -> Result<Vec<usize>, Error> {
        let sum_over = &self.job.spec.sum_over;
        let listed = |name: &str| sum_over.iter().any(|other| squeeze(other) == squeeze(name));
        // Traits may be added up over; any other column about persons is refused.
        let traits: Vec<&str> = head.fields.iter().map(String::as_str).filter(|n| is_trait(n)).collect();
        let crossed: Vec<&str> = traits.iter().copied().filter(|name| !listed(name)).collect();
        // All that is wrong with the header is told in one pass.
        let mut faults = Faults::default();
        if !crossed.is_empty() {
            faults.push(sink.fault(Rule::CrossTab).with("fields", crossed.join(", ")));
        }
        for name in sum_over.iter().filter(|name| find_field(head.fields, name).is_none()) {
            faults.push(missing_column(name, head.fields, sink));
        }
        for (column, _) in &self.selection {
            let Some(field) = FIELDS.get(*column).filter(|field| !field.is_needed()) else { continue };
            let mapped = self.job.spec.fields.get(field.key);
            if mapped.is_none() && field.names.iter().all(|name| find_field(head.fields, name).is_none()) {
                faults.push(missing_column(field.names.first().unwrap_or(&field.key), head.fields, sink));
            }
        }
        let known: Vec<String> = traits.iter().map(|name| squeeze(name)).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let (layout, mut wanted) = Layout::find(head.fields, &FIELDS, &known, faults, self.job, sink)?;
        // What is added up over still tells records apart.
        wanted.extend(sum_over.iter().filter_map(|name| find_field(head.fields, name)));
        self.layout = layout;
        Ok(wanted)
    }

    fn wants(&mut self, kind: &str) -> bool {
        // A record that does not name its offence is a fault.
        let wanted = kind.is_empty() || self.is_kind(kind);
        self.unfit += u64::from(!wanted);
        wanted
    }

    fn record(&mut self, row: u64, values: &[String], sink: &mut Sink<'_>) -> Result<(), Error> {
        match self.fits(values, row, sink) {
            Some(true) => self.records += 1,
            Some(false) => {
                self.unfit += 1;
                return Ok(());
            }
            None => return Ok(()),
        }
        let code = self.code(values, row, sink);
        if code.is_some_and(|(entity, _)| !self.entities.keep(entity)) {
            self.others += 1;
            return Ok(());
        }
        let year = self.year(values, row, sink);
        let layout = &self.layout;
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
        // As the selection compares them: a record that stands twice may be written otherwise.
        for column in [LEGAL_GOOD, TYPE, SUBTYPE, MODALITY] {
            normalised(&layout.get(values, column)).hash(&mut hasher);
        }
        let read = FIELDS.iter().enumerate().filter(|(i, _)| layout.has(*i)).count();
        for value in values.get(read..).unwrap_or_default() {
            normalised(value).hash(&mut hasher);
        }
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

        let [first, last] = self.years.unwrap_or([year, year]);
        self.years = Some([first.min(year), last.max(year)]);
        let mut inside = false;
        for (month, count) in (year * 12..).zip(months) {
            if month < self.window[0] || month > self.window[1] {
                continue;
            }
            inside = true;
            let cell = self.cells.entry(code).or_insert_with(|| Cell { row, ..Cell::default() });
            match count {
                Some(count) => *cell.months.entry(month).or_default() += u64::from(count),
                None => {
                    cell.blank.insert(month);
                }
            }
        }
        self.outside += u64::from(!inside);
        self.kept += u64::from(inside);
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
        let period = Period::new([2015 * 12 + 11].into()).unwrap();
        assert_eq!((period.from.as_str(), period.months), ("2015-12", 1));
    }
}
