//! Counts of cases from tables: one row for each municipality, or several by period and modality that add up.

use std::collections::{BTreeMap, BTreeSet};

use super::build::Source;
use super::columns::{Columns, Keys};
use super::domain::{KnownBy, Municipality};
use super::incidence::CountDatum;
use super::places;
use super::study::Study;
use crate::error::{Faults, Rule};
use crate::sources::raw::{RawRow, RawTable};
use crate::sources::{month_of, normalised};

/// More cases than any table may hold in one row.
const MOST: u32 = 10_000_000;

/// What the tables say beside the counts of the municipalities.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Counted {
    /// Cases without a municipality, where the tables have them.
    pub unlocated: Option<u32>,
    /// Codes of the municipalities that no table lists.
    pub unlisted: Vec<String>,
    /// Length in years and text of the period, where the tables state it.
    pub period: Option<(f64, String)>,
}

/// The sum of the rows of one municipality.
#[derive(Default)]
struct Sum {
    low: u64,
    high: u64,
    rows: u64,
    /// Of these, blank ones: with one among them only the lower bound holds.
    blank: u64,
    known_by: Option<KnownBy>,
    /// Its first row, for messages.
    first: u64,
    table: usize,
    /// By modality: the months of its rows.
    months: BTreeMap<String, BTreeSet<i32>>,
}

/// Reads the counts into `municipalities`.
///
/// Rows of a municipality with other periods or modalities are added up, lower and upper bounds apart. Codes that end
/// in 998 and 999 (SESNSP: no especificado, otros municipios) are cases without a municipality. A municipality that
/// lacks months that others have has only a lower bound.
pub fn counts(
    source: &Source<'_>,
    study: &Study,
    codes: &BTreeSet<String>,
    municipalities: &mut [Municipality],
    faults: &mut Faults,
) -> Counted {
    for m in municipalities.iter_mut() {
        m.datum = CountDatum::Unknown { max: study.incidence.unlisted_max };
    }
    let mut reader = Reader {
        keys: Keys::default(),
        sums: BTreeMap::new(),
        unlocated: None,
        open: false,
        periods: BTreeMap::new(),
    };
    for (number, table) in source.tables.iter().enumerate() {
        reader.read(number, table, source, codes, faults);
    }
    let Reader { sums, unlocated, open, periods, .. } = reader;

    let all: BTreeSet<i32> = sums.values().flat_map(|s| s.months.values().flatten()).copied().collect();
    let most = sums.values().map(|s| s.high).sum::<u64>() + unlocated.unwrap_or(0);
    // A number only if each row of them is one.
    let unlocated = unlocated.filter(|_| !open);
    let top = study.incidence.total.map_or(most, u64::from);
    let mut unlisted = Vec::new();
    for m in municipalities {
        let Some(sum) = sums.get(&m.cvegeo) else {
            unlisted.push(m.cvegeo.clone());
            continue;
        };
        let covered: BTreeSet<i32> = sum.months.values().flatten().copied().collect();
        let partial = covered.len() < all.len();
        if partial && let Some(table) = source.tables.get(sum.table) {
            let fault = table.fault(Rule::MonthsMissing, Some(sum.first), None).seen(m.cvegeo.clone());
            faults.push(fault.with("months", all.len() - covered.len()).with("of", all.len()));
        }
        let capped = |n: u64| u32::try_from(n).unwrap_or(u32::MAX).min(MOST);
        m.known_by = sum.known_by;
        m.datum = match (sum.blank > 0 || partial, sum.low == sum.high) {
            // Blank rows alone say that nothing is known.
            (true, _) if sum.rows == sum.blank => CountDatum::Unknown { max: None },
            (true, _) => CountDatum::Interval { min: capped(sum.low), max: capped(top.max(sum.low)) },
            (false, true) => CountDatum::Exact(capped(sum.low)),
            (false, false) => CountDatum::Interval { min: capped(sum.low), max: capped(sum.high) },
        };
    }
    let months: u32 = periods.values().map(|p| p.months).sum();
    let edges = periods.values().flat_map(|p| [p.first, p.last]);
    let text = || Some(span(edges.clone().min()?, edges.clone().max()?));
    Counted {
        unlisted,
        unlocated: unlocated.map(|n| u32::try_from(n).unwrap_or(u32::MAX)),
        period: (months > 0).then(text).flatten().map(|text| (f64::from(months) / 12.0, text)),
    }
}

/// A period that rows name: months counted from January of year 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    first: i32,
    last: i32,
    /// Months in it that were published.
    months: u32,
}

struct Reader {
    keys: Keys,
    sums: BTreeMap<String, Sum>,
    /// Cases without a municipality, at least.
    unlocated: Option<u64>,
    /// There may be more of them.
    open: bool,
    periods: BTreeMap<String, Span>,
}

impl Reader {
    fn read(
        &mut self,
        number: usize,
        table: &RawTable,
        source: &Source<'_>,
        codes: &BTreeSet<String>,
        faults: &mut Faults,
    ) {
        let optional = ["count", "count_min", "count_max", "known_by", "period", "modality"];
        // Of a table without modalities none can be selected.
        let by_modality = !source.spec.modalities.is_empty();
        let needed: &[&str] = if by_modality { &["cvegeo", "modality"] } else { &["cvegeo"] };
        let columns = Columns::new(table, source.spec, needed, &optional, faults);
        if !(columns.has("count_min") && columns.has("count_max") || columns.has("count")) {
            faults.push(
                table
                    .fault(Rule::FieldMissing, None, Some("count | count_min + count_max"))
                    .with("allowed", table.fields.join(", ")),
            );
        }
        // A row of no period among others that have one would count in all of them.
        let dated = table.rows.iter().any(|row| columns.text(row, "period").is_some());
        let entities: BTreeSet<&str> = codes.iter().filter_map(|code| code.get(..2)).collect();
        let choices = [
            ("reported", KnownBy::Reported),
            ("denuncia", KnownBy::Reported),
            ("found", KnownBy::Found),
            ("hallazgo", KnownBy::Found),
        ];
        for row in &table.rows {
            let modality = if by_modality {
                columns.needed(row, "modality", faults)
            } else {
                columns.text(row, "modality")
            };
            let modality = modality.map(|m| normalised(&m)).unwrap_or_default();
            let located = columns.text(row, "cvegeo").is_none_or(|code| !is_unlocated(&code));
            let code = if located {
                places::known_code(&columns, row, codes, faults)
            } else {
                let code = columns.cvegeo(row, "cvegeo", faults);
                code.filter(|code| {
                    let known = code.get(..2).is_some_and(|entity| entities.contains(entity));
                    if !known {
                        columns.unknown_code(row, code, faults);
                    }
                    known
                })
            };
            let values =
                ["count", "count_min", "count_max"].map(|name| columns.count(row, name, 0, MOST, faults));
            let known_by = columns.choice(row, "known_by", &choices, faults);
            if dated {
                let _ = columns.needed(row, "period", faults);
            }
            let span = self.span(&columns, table, row, faults);
            let Some(code) = code else { continue };
            let period = columns.text(row, "period").unwrap_or_default();
            let key = [code.as_str(), &period, &modality].into_iter().filter(|part| !part.is_empty());
            if !self.keys.insert(&key.collect::<Vec<_>>().join(" "), &columns, row, "cvegeo", faults) {
                continue;
            }
            let Some(datum) = datum(&columns, row, values, faults) else { continue };
            if !located {
                *self.unlocated.get_or_insert(0) += u64::from(datum.min());
                self.open |= !matches!(datum, CountDatum::Exact(_));
                continue;
            }
            let sum = self.sums.entry(code).or_default();
            if sum.rows == 0 {
                (sum.first, sum.table) = (row.row, number);
            }
            sum.rows += 1;
            sum.low += u64::from(datum.min());
            sum.high += u64::from(datum.max().unwrap_or(0).max(datum.min()));
            sum.blank += u64::from(datum.max().is_none());
            // What was found anywhere depends on where one looked.
            sum.known_by = sum.known_by.max(known_by);
            if let Some(span) = span {
                let months = sum.months.entry(modality).or_default();
                let before = months.len();
                months.extend(span.first..=span.last);
                if months.len() - before < (span.last - span.first + 1).unsigned_abs() as usize {
                    columns.fault(Rule::PeriodsOverlap, row, "period", None, faults);
                }
            }
        }
    }

    /// The period of a row, if the table has one; a fault if it is none.
    fn span(
        &mut self,
        columns: &Columns<'_>,
        table: &RawTable,
        row: &RawRow,
        faults: &mut Faults,
    ) -> Option<Span> {
        let text = columns.text(row, "period")?;
        if let Some(span) = self.periods.get(&text) {
            return Some(*span);
        }
        let Some((first, last)) = months(&text) else {
            columns.fault(Rule::PeriodFormat, row, "period", Some(&text), faults);
            return None;
        };
        let published = table.provenance.period.as_ref().map(|period| period.months);
        let span = Span { first, last, months: published.unwrap_or((last - first + 1).unsigned_abs()) };
        self.periods.insert(text, span);
        Some(span)
    }
}

/// Whether a code stands for cases without a municipality.
#[must_use]
pub fn is_unlocated(code: &str) -> bool {
    (4..=5).contains(&code.len()) && (code.ends_with("998") || code.ends_with("999"))
}

/// First and last month of `2015`, `2015-03`, `2015/2020`, `2015–2020` and `2015-01/2020-06`.
fn months(text: &str) -> Option<(i32, i32)> {
    let (from, to) = match text.split_once(['/', '–']) {
        Some((from, to)) => (from.trim(), to.trim()),
        // Two years with a hyphen, which a month is never.
        None if text.len() == 9 && text.as_bytes().get(4) == Some(&b'-') => text.split_once('-')?,
        None => (text, text),
    };
    let (year, month) = month_of(from)?;
    let first = year * 12 + month.map_or(0, |m| m - 1);
    let (year, month) = month_of(to)?;
    let last = year * 12 + month.map_or(11, |m| m - 1);
    let known = |month: i32| (1900 * 12..2101 * 12).contains(&month);
    (first <= last && known(first) && known(last)).then_some((first, last))
}

/// The text of a period: years where it is of whole years.
fn span(first: i32, last: i32) -> String {
    if first.rem_euclid(12) == 0 && last.rem_euclid(12) == 11 {
        let (a, b) = (first.div_euclid(12), last.div_euclid(12));
        return if a == b { a.to_string() } else { format!("{a}–{b}") };
    }
    let month = |m: i32| format!("{:04}-{:02}", m.div_euclid(12), m.rem_euclid(12) + 1);
    if first == last { month(first) } else { format!("{}–{}", month(first), month(last)) }
}

/// The datum of a row, from `[count, min, max]`.
fn datum(
    columns: &Columns<'_>,
    row: &RawRow,
    values: [Option<u32>; 3],
    faults: &mut Faults,
) -> Option<CountDatum> {
    let datum = match values {
        [Some(n), min, max] if min.is_none_or(|m| m <= n) && max.is_none_or(|m| n <= m) => {
            CountDatum::Exact(n)
        }
        [None, Some(min), Some(max)] if min == max => CountDatum::Exact(min),
        [None, min, Some(max)] if min.unwrap_or(0) <= max => {
            CountDatum::Interval { min: min.unwrap_or(0), max }
        }
        // A lower bound alone cannot be told from "unknown, at least": the sampler needs both ends.
        [None, Some(_), None] => {
            columns.fault(Rule::ValueEmpty, row, "count_max", None, faults);
            return None;
        }
        [None, None, None] => CountDatum::Unknown { max: None },
        _ => {
            columns.fault(
                Rule::BoundsCrossed,
                row,
                if values[0].is_some() { "count" } else { "count_min" },
                None,
                faults,
            );
            return None;
        }
    };
    Some(datum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_read_and_written() {
        let through = |text: &str| months(text).map(|(first, last)| span(first, last));
        assert_eq!(through("2015").as_deref(), Some("2015"));
        assert_eq!(through("2009–2020").as_deref(), Some("2009–2020"));
        assert_eq!(through("2009-2020").as_deref(), Some("2009–2020"));
        assert_eq!(through("2015-01/2015-12").as_deref(), Some("2015"));
        assert_eq!(through("2015-03").as_deref(), Some("2015-03"));
        assert_eq!(through("2015-03/2016-02").as_deref(), Some("2015-03–2016-02"));
        for text in ["", "2016/2015", "15", "2015-13", "marzo 2015", "2015/", "9999"] {
            assert_eq!(months(text), None, "{text}");
        }
    }
}
