//! Parts of counts: the sums of rows by modality, and by period.

use std::collections::{BTreeMap, BTreeSet};

use super::counts::{Gap, Published, Sum, UNDATED, span};
use super::domain::Stratum;
use super::incidence::CountDatum;

/// By what a count is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Modality,
    Period,
}

/// Sums of parts by code.
#[derive(Default)]
pub(super) struct Strata(BTreeMap<(Part, String), BTreeMap<String, Sum>>);

impl Strata {
    /// The parts of a count; none where there is only one, which is the count itself.
    pub(super) fn of(
        &self,
        part: Part,
        code: &str,
        published: &Published,
        names: &BTreeMap<String, String>,
    ) -> Vec<Stratum> {
        let parts: BTreeMap<&str, &BTreeMap<String, Sum>> = self
            .0
            .iter()
            .filter(|((p, name), _)| *p == part && !name.is_empty())
            .map(|((_, name), sums)| (name.as_str(), sums))
            .collect();
        if parts.len() < 2 {
            return Vec::new();
        }
        let stratum = |(name, sums): (&str, &BTreeMap<String, Sum>)| {
            let months: BTreeSet<i32> = sums
                .values()
                .flat_map(|s| s.months.values().flatten().copied())
                .filter(|m| *m != UNDATED)
                .collect();
            let within: Published = match part {
                // Of one modality a month is published where any municipality has it.
                Part::Modality => published
                    .iter()
                    .filter(|(_, modalities)| modalities.contains(name))
                    .map(|(month, _)| (*month, BTreeSet::from([name.to_owned()])))
                    .collect(),
                Part::Period => published
                    .iter()
                    .filter(|(m, _)| months.contains(m))
                    .map(|(m, of)| (*m, of.clone()))
                    .collect(),
            };
            let own = sums.get(code);
            let datum = own.map_or(CountDatum::Unknown { max: None }, |sum| {
                sum.datum(matches!(sum.gap(&within), Gap::None))
            });
            let datum = if part == Part::Modality {
                self.widened(code, datum, own.is_some(), &within)
            } else {
                datum
            };
            let name = names.get(name).cloned().unwrap_or_else(|| name.to_owned());
            Stratum { name, months: u32::try_from(months.len()).unwrap_or(0), datum }
        };
        parts.into_iter().map(stratum).collect()
    }

    /// Cases whose modality is not stated can be of any: they widen each part, and are in none.
    fn widened(&self, code: &str, datum: CountDatum, has_rows: bool, within: &Published) -> CountDatum {
        let of_any = self.0.get(&(Part::Modality, String::new())).and_then(|sums| sums.get(code));
        let Some(of_any) = of_any else { return datum };
        let covers =
            || of_any.months.values().any(|months| within.keys().all(|month| months.contains(month)));
        let most = if has_rows { datum.max() } else { covers().then_some(0) };
        match (most, of_any.datum(true).max()) {
            (Some(most), Some(more)) if more > 0 || !has_rows => {
                let (min, max) = (datum.min(), most.saturating_add(more));
                if min == max { CountDatum::Exact(min) } else { CountDatum::Interval { min, max } }
            }
            (Some(_), Some(_)) => datum,
            _ if datum.min() > 0 => CountDatum::AtLeast { min: datum.min() },
            _ => CountDatum::Unknown { max: None },
        }
    }

    pub(super) fn add(
        &mut self,
        part: Part,
        name: &str,
        code: &str,
        modality: &str,
        datum: CountDatum,
        months: &BTreeSet<i32>,
    ) {
        let sum = self.0.entry((part, name.to_owned())).or_default().entry(code.to_owned()).or_default();
        sum.add(datum);
        sum.months.entry(modality.to_owned()).or_default().extend(months);
    }
}

/// The year of some months, or their span.
pub(super) fn period_name(months: &BTreeSet<i32>) -> Option<String> {
    let (first, last) = (*months.first()?, *months.last()?);
    if first == UNDATED {
        return None;
    }
    let year = first.div_euclid(12);
    Some(if year == last.div_euclid(12) { year.to_string() } else { span(first, last) })
}
