//! Counts of cases from tables: one row for each municipality, or several by period and modality that add up.

use std::collections::{BTreeMap, BTreeSet};

use super::build::Source;
use super::columns::{Columns, Keys};
use super::domain::{KnownBy, Municipality};
use super::incidence::CountDatum;
use super::places;
use super::strata::{Part, Strata, period_name};
use super::study::Study;
use crate::error::{Faults, Rule};
use crate::sources::raw::{RawRow, RawTable};
use crate::sources::{month_of, normalised};

/// More cases than any table may hold in one row.
const MOST: u32 = 10_000_000;

/// What the tables say beside the counts of the municipalities.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Counted {
    /// Cases without a municipality, where the tables have them and say how many.
    pub unlocated: Option<u32>,
    /// Codes of the municipalities that no table lists.
    pub unlisted: Vec<String>,
    /// Length in years and text of the period, where the tables state it.
    pub period: Option<(f64, String)>,
    /// Whether rows have a modality.
    pub by_modality: bool,
}

/// The month of rows without a period.
pub(super) const UNDATED: i32 = i32::MIN;

/// By month, counted from January of year 0: the modalities that rows name.
pub(super) type Published = BTreeMap<i32, BTreeSet<String>>;

/// The sum of the rows of one code.
#[derive(Default)]
pub(super) struct Sum {
    low: u64,
    high: u64,
    rows: u64,
    /// Of these, blank ones.
    blank: u64,
    /// Rows without an upper bound, blank ones too: with one among them only the lower bound holds.
    open: u64,
    known_by: Option<KnownBy>,
    /// Whether its rows differ in how cases came to be known.
    mixed: bool,
    /// Table and row of its first one without a search effort.
    no_effort: Option<(usize, u64)>,
    /// By the first month of a row: its search effort, the same for all modalities of a period; the highest where they
    /// differ. `None` as soon as one row has none.
    effort: Option<BTreeMap<i32, f64>>,
    /// Its first row, for messages.
    first: u64,
    table: usize,
    /// By modality: the months of its rows.
    pub(super) months: BTreeMap<String, BTreeSet<i32>>,
}

/// What a code lacks of what was published.
pub(super) enum Gap {
    None,
    /// Months without any row.
    Months(usize),
    /// In some month a modality that others have.
    Modalities,
}

impl Sum {
    pub(super) fn add(&mut self, datum: CountDatum) {
        self.rows += 1;
        self.low += u64::from(datum.min());
        self.high += u64::from(datum.max().unwrap_or_default());
        self.open += u64::from(datum.max().is_none());
        self.blank += u64::from(matches!(datum, CountDatum::Unknown { max: None }));
    }

    /// A row without a modality is of any, so that it stands for all of its months.
    pub(super) fn gap(&self, published: &Published) -> Gap {
        let has = |modality: &str, month: i32| self.months.get(modality).is_some_and(|m| m.contains(&month));
        let absent = |month: &&i32| !self.months.values().any(|months| months.contains(month));
        let lacks = |(month, modalities): (&i32, &BTreeSet<String>)| {
            !has("", *month) && modalities.iter().any(|modality| !has(modality, *month))
        };
        match published.keys().filter(absent).count() {
            0 if published.iter().any(lacks) => Gap::Modalities,
            0 => Gap::None,
            months => Gap::Months(months),
        }
    }

    pub(super) fn datum(&self, is_whole: bool) -> CountDatum {
        let capped = |n: u64| u32::try_from(n).unwrap_or(u32::MAX).min(MOST);
        if self.rows == self.blank {
            CountDatum::Unknown { max: None }
        } else if self.open > 0 || !is_whole {
            CountDatum::AtLeast { min: capped(self.low) }
        } else if self.low == self.high {
            CountDatum::Exact(capped(self.low))
        } else {
            CountDatum::Interval { min: capped(self.low), max: capped(self.high) }
        }
    }
}

/// Reads the counts into `municipalities`.
///
/// Rows of a municipality with other periods or modalities are added up, lower and upper bounds apart. Codes that end
/// in 998 and 999 (SESNSP: no especificado, otros municipios) are cases without a municipality. A municipality that
/// lacks months or modalities that others have has only a lower bound.
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
    let mut reader = Reader::default();
    let has_period = |table: &RawTable| {
        let columns = Columns::new(table, source.spec, &[], &["period"], &mut Faults::default());
        table.rows.iter().any(|row| columns.text(row, "period").is_some())
    };
    // A row of no period among others that have one would count in all of them.
    reader.dated = source.tables.iter().any(has_period);
    for (number, table) in source.tables.iter().enumerate() {
        reader.read(number, table, source, codes, faults);
    }
    let Reader { sums, unlocated, published, strata, names, .. } = reader;

    let mut unlisted = Vec::new();
    for m in municipalities {
        let Some(sum) = sums.get(&m.cvegeo) else {
            unlisted.push(m.cvegeo.clone());
            continue;
        };
        let gap = sum.gap(&published);
        let fault = source.tables.get(sum.table).and_then(|table| {
            let of = |rule| table.fault(rule, Some(sum.first), None).seen(m.cvegeo.clone());
            match gap {
                Gap::None => None,
                Gap::Months(months) => {
                    Some(of(Rule::MonthsMissing).with("months", months).with("of", published.len()))
                }
                Gap::Modalities => Some(of(Rule::ModalitiesMissing)),
            }
        });
        faults.0.extend(fault);
        let found = sum.known_by == Some(KnownBy::Found);
        if found && sum.mixed {
            faults.0.extend(source.tables.get(sum.table).map(|table| {
                table.fault(Rule::KnownByMixed, Some(sum.first), Some("known_by")).seen(m.cvegeo.clone())
            }));
        }
        m.known_by = sum.known_by;
        m.search_effort = sum.effort.as_ref().map(|by_period| by_period.values().sum());
        m.by_modality = strata.of(Part::Modality, &m.cvegeo, &published, &names);
        m.by_period = strata.of(Part::Period, &m.cvegeo, &published, &names);
        m.datum = sum.datum(matches!(gap, Gap::None));
    }
    let has_effort = |sum: &Sum| sum.known_by == Some(KnownBy::Found) && sum.effort.is_some();
    if sums.values().any(has_effort) {
        let found = sums.iter().filter(|(_, sum)| sum.known_by == Some(KnownBy::Found));
        for (code, (number, row)) in found.filter_map(|(code, sum)| Some((code, sum.no_effort?))) {
            faults.0.extend(source.tables.get(number).map(|table| {
                table.fault(Rule::EffortMissing, Some(row), Some("search_effort")).seen(code.clone())
            }));
        }
    }
    // A number only if each row of them is one, and no month is missing.
    let is_number = |sum: &Sum| {
        matches!(sum.gap(&published), Gap::None) && matches!(sum.datum(true), CountDatum::Exact(_))
    };
    let known = !unlocated.is_empty() && unlocated.values().all(is_number);
    let cases = unlocated.values().map(|sum| sum.low).sum::<u64>();
    let months: Vec<i32> = published.keys().copied().filter(|month| *month != UNDATED).collect();
    let text = || Some(span(*months.first()?, *months.last()?));
    #[expect(clippy::cast_precision_loss, reason = "months of two centuries at most")]
    let years = months.len() as f64 / 12.0;
    Counted {
        unlisted,
        unlocated: known.then(|| u32::try_from(cases).unwrap_or(u32::MAX)),
        period: text().map(|text| (years, text)),
        by_modality: !names.is_empty(),
    }
}

#[derive(Default)]
struct Reader {
    keys: Keys,
    /// Whether any row of any table has a period.
    dated: bool,
    sums: BTreeMap<String, Sum>,
    /// Cases without a municipality, by code.
    unlocated: BTreeMap<String, Sum>,
    published: Published,
    strata: Strata,
    /// By the normalised text of a modality: its text.
    names: BTreeMap<String, String>,
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
        let optional = ["count", "count_min", "count_max", "known_by", "search_effort", "period", "modality"];
        // Of a table without modalities none can be selected.
        let by_modality = !source.spec.modalities.is_empty();
        let mut needed = vec!["cvegeo"];
        needed.extend(by_modality.then_some("modality"));
        needed.extend(self.dated.then_some("period"));
        let columns = Columns::new(table, source.spec, &needed, &optional, faults);
        if !(columns.has("count_min") && columns.has("count_max") || columns.has("count")) {
            faults.push(
                table
                    .fault(Rule::FieldMissing, None, Some("count | count_min + count_max"))
                    .with("allowed", table.fields.join(", ")),
            );
        }
        let entities: BTreeSet<&str> = codes.iter().filter_map(|code| code.get(..2)).collect();
        let choices = [
            ("reported", KnownBy::Reported),
            ("denuncia", KnownBy::Reported),
            ("found", KnownBy::Found),
            ("hallazgo", KnownBy::Found),
        ];
        let mut spans = BTreeMap::new();
        for row in &table.rows {
            let modality = if by_modality {
                columns.needed(row, "modality", faults)
            } else {
                columns.text(row, "modality")
            };
            let modality_text = modality.unwrap_or_default();
            let modality = normalised(&modality_text);
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
            let effort = columns.number(row, "search_effort", 1e-9, 1e12, faults);
            if self.dated {
                let _ = columns.needed(row, "period", faults);
            }
            let months = covered(&columns, table, row, &mut spans, faults);
            let Some(code) = code else { continue };
            let period = columns.text(row, "period").unwrap_or_default();
            let key = [code.as_str(), &period, &modality].into_iter().filter(|part| !part.is_empty());
            if !self.keys.insert(&key.collect::<Vec<_>>().join(" "), &columns, row, "cvegeo", faults) {
                continue;
            }
            let (Some(datum), Some(months)) = (datum(&columns, row, values, faults), months) else {
                continue;
            };
            for month in &months {
                let modalities = self.published.entry(*month).or_default();
                if !modality.is_empty() && !modalities.contains(&modality) {
                    modalities.insert(modality.clone());
                }
            }
            if located {
                if !modality.is_empty() {
                    self.names.entry(modality.clone()).or_insert(modality_text);
                }
                self.strata.add(Part::Modality, &modality, &code, &modality, datum, &months);
                if let Some(name) = period_name(&months) {
                    self.strata.add(Part::Period, &name, &code, &modality, datum, &months);
                }
            }
            let group = if located { &mut self.sums } else { &mut self.unlocated };
            let sum = group.entry(code).or_default();
            if sum.rows == 0 {
                (sum.first, sum.table) = (row.row, number);
            }
            let before = if sum.rows == 0 { Some(BTreeMap::new()) } else { sum.effort.take() };
            sum.effort = before.zip(effort).map(|(mut by_period, effort)| {
                let of = by_period.entry(months.first().copied().unwrap_or(UNDATED)).or_insert(effort);
                *of = of.max(effort);
                by_period
            });
            sum.add(datum);
            if effort.is_none() {
                sum.no_effort.get_or_insert((number, row.row));
            }
            sum.mixed |= sum.known_by.zip(known_by).is_some_and(|(before, now)| before != now);
            // What was found anywhere depends on where one looked.
            sum.known_by = sum.known_by.max(known_by);
            let own = sum.months.entry(modality).or_default();
            let (before, more) = (own.len(), months.len());
            own.extend(months);
            if own.len() - before < more && self.dated {
                columns.fault(Rule::PeriodsOverlap, row, "period", None, faults);
            }
        }
    }
}

/// The months that a row covers, by the text of its period; `None`, with a fault, if that is none.
fn covered(
    columns: &Columns<'_>,
    table: &RawTable,
    row: &RawRow,
    spans: &mut BTreeMap<String, BTreeSet<i32>>,
    faults: &mut Faults,
) -> Option<BTreeSet<i32>> {
    let Some(text) = columns.text(row, "period") else { return Some([UNDATED].into()) };
    if let Some(months) = spans.get(&text) {
        return Some(months.clone());
    }
    let Some((first, last)) = months(&text) else {
        columns.fault(Rule::PeriodFormat, row, "period", Some(&text), faults);
        return None;
    };
    // Of a period with gaps, those that were published.
    let months: BTreeSet<i32> = match &table.provenance.period {
        Some(period) => period.published.range(first..=last).copied().collect(),
        None => (first..=last).collect(),
    };
    spans.insert(text, months.clone());
    Some(months)
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
pub(super) fn span(first: i32, last: i32) -> String {
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
        [None, Some(min), None] => CountDatum::AtLeast { min },
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
