//! Raw tables to the checked domain. All faults are collected; the caller stops if one is an error.

use std::collections::{BTreeMap, BTreeSet};

use geo::{Geometry, MultiPolygon};

use super::columns::{Columns, Keys, records};
use super::counts::{self, Counted};
use super::domain::{Domain, Municipality};
use super::frame::WorkFrame;
use super::incidence::CountDatum;
use super::study::{Study, date};
use super::{places, roads};
use crate::error::{Fault, Faults, Result, Rule};
use crate::sources::raw::{RawRow, RawTable};
use crate::sources::spec::SourceSpec;

/// The tables of a study by the name of their source, one for each file.
pub type Tables = BTreeMap<&'static str, Vec<RawTable>>;

/// The tables of one source and how the study names it.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// One for each file.
    pub tables: &'a [RawTable],
    /// How the study names it.
    pub spec: &'a SourceSpec,
}

impl<'a> Source<'a> {
    /// The columns of each table; see [`Columns::new`].
    pub fn columns(
        &self,
        needed: &[&'static str],
        optional: &[&'static str],
        faults: &mut Faults,
    ) -> Vec<Columns<'a>> {
        self.tables
            .iter()
            .enumerate()
            .map(|(n, table)| Columns::new(table, self.spec, needed, optional, faults).numbered(n))
            .collect()
    }

    /// A fault of the source as a whole.
    #[must_use]
    pub fn fault(&self, rule: Rule) -> Fault {
        self.tables.first().map_or_else(|| Fault::new(rule, &self.spec.path), |t| t.fault(rule, None, None))
    }
}

/// Builds the domain of `study` from its tables, which are taken since those of a whole country are large.
///
/// # Errors
/// [`crate::error::Error::Environment`] if the projection cannot be set up. Faults of the data go into
/// `faults`; with an error among them the domain is incomplete and must not be used.
pub fn build(study: &Study, mut tables: Tables, study_file: &str, faults: &mut Faults) -> Result<Domain> {
    let spec = &study.sources;
    let rows = |tables: &mut Vec<RawTable>| tables.iter_mut().map(|t| std::mem::take(&mut t.rows)).collect();
    let road_rows: Vec<Vec<RawRow>> = tables.get_mut("roads").map(rows).unwrap_or_default();
    // A source that could not be read has its own faults: what it should have had is not reported as missing.
    let given: BTreeMap<&str, Source<'_>> = spec
        .given()
        .into_iter()
        .filter_map(|(name, spec)| Some((name, Source { tables: tables.get(name)?, spec })))
        .collect();

    let mut municipalities = given.get("population").map_or_else(Vec::new, |s| population(s, faults));
    let codes: BTreeSet<String> = municipalities.iter().map(|m| m.cvegeo.clone()).collect();
    if let Some(source) = given.get("marginalization") {
        marginalization(source, &mut municipalities, faults);
    }
    if let Some(source) = given.get("municipalities") {
        let merge = Merge { study_file, codes: &spec.merge };
        polygons(source, &merge, &mut municipalities, faults);
    }
    let counted = if let Some(source) = given.get("counts") {
        counts::counts(source, study, &codes, &mut municipalities, faults)
    } else {
        for m in &mut municipalities {
            m.datum = CountDatum::Unknown { max: study.incidence.unlisted_max };
        }
        Counted::default()
    };
    let (roads, bans) = match given.get("roads") {
        Some(source) => roads::roads(source, road_rows, study, faults),
        None => Default::default(),
    };
    let reference = date(&study.planning.reference_date);
    macro_rules! read {
        ($name:literal, $function:path $(, $extra:expr)*) => {
            given.get($name).map_or_else(Vec::new, |source| $function(source $(, $extra)*, faults))
        };
    }
    let mut crossings = read!("crossings", places::crossings);
    let mut exits = read!("exits", places::exits);
    // Their weights are drawn one after the other: in the order of ids, so that that of rows decides nothing.
    crossings.sort_by(|a, b| a.id.cmp(&b.id));
    exits.sort_by(|a, b| a.id.cmp(&b.id));
    let towns = read!("towns", places::towns, &codes);
    let posts = read!("posts", places::posts);
    let worksites = read!("worksites", places::worksites, &codes, reference);
    let frame = WorkFrame::new()?;
    if let Some(source) = given.get("worksites") {
        places::check_positions(source, &worksites, &municipalities, &frame, faults);
    }
    cap_warnings(faults);
    faults.sort();
    Ok(Domain {
        municipalities,
        roads,
        bans,
        crossings,
        exits,
        towns,
        posts,
        worksites,
        counted,
        frame,
        provenance: study
            .sources
            .given()
            .into_iter()
            .filter_map(|(name, _)| tables.get(name))
            .flatten()
            .map(|table| table.provenance.clone())
            .collect(),
    })
}

fn population(source: &Source<'_>, faults: &mut Faults) -> Vec<Municipality> {
    let tables = source.columns(&["cvegeo", "name", "population"], &["marginalization"], faults);
    let mut keys = Keys::default();
    let mut out = Vec::new();
    for (columns, row) in records(&tables) {
        let cvegeo = columns.cvegeo(row, "cvegeo", faults);
        let name = columns.needed(row, "name", faults);
        let _ = columns.needed(row, "population", faults);
        let population = columns.count(row, "population", 1, 1_000_000_000, faults).map(f64::from);
        let marginalization = columns.number(row, "marginalization", -1e6, 1e6, faults);
        let (Some(cvegeo), Some(name), Some(population)) = (cvegeo, name, population) else { continue };
        if keys.insert(&cvegeo, columns, row, "cvegeo", faults) {
            out.push(Municipality {
                cvegeo,
                name,
                population,
                marginalization,
                polygon: None,
                polygon_of: None,
                datum: CountDatum::Unknown { max: None },
                known_by: None,
                search_effort: None,
                by_modality: Vec::new(),
                by_period: Vec::new(),
            });
        }
    }
    out.sort_by(|a, b| a.cvegeo.cmp(&b.cvegeo));
    out
}

/// CONAPO's index from a table of its own. What has no partner on either side is reported.
fn marginalization(source: &Source<'_>, municipalities: &mut [Municipality], faults: &mut Faults) {
    let tables = source.columns(&["cvegeo", "marginalization"], &[], faults);
    let mut keys = Keys::default();
    for (columns, row) in records(&tables) {
        let code = columns.cvegeo(row, "cvegeo", faults);
        let _ = columns.needed(row, "marginalization", faults);
        let index = columns.number(row, "marginalization", -1e6, 1e6, faults);
        let (Some(code), Some(index)) = (code, index) else { continue };
        if !keys.insert(&code, columns, row, "cvegeo", faults) {
            continue;
        }
        match municipalities.iter_mut().find(|m| m.cvegeo == code) {
            Some(m) => m.marginalization = Some(index),
            None => faults.push(columns.place_fault(Rule::JoinUnused, Some(row), Some("cvegeo")).seen(code)),
        }
    }
    for m in municipalities.iter().filter(|m| m.marginalization.is_none()) {
        faults.push(source.fault(Rule::JoinMissing).seen(m.cvegeo.clone()));
    }
}

/// Municipalities that share another's polygon, as the study says.
struct Merge<'a> {
    study_file: &'a str,
    codes: &'a BTreeMap<String, String>,
}

fn polygons(
    source: &Source<'_>,
    merge: &Merge<'_>,
    municipalities: &mut [Municipality],
    faults: &mut Faults,
) {
    let tables = source.columns(&["cvegeo"], &["name"], faults);
    let mut keys = Keys::default();
    let mut found: BTreeMap<String, MultiPolygon<f64>> = BTreeMap::new();
    for (columns, row) in records(&tables) {
        let Some(code) = columns.cvegeo(row, "cvegeo", faults) else { continue };
        let polygon = match &row.geometry {
            Some(Geometry::Polygon(p)) => MultiPolygon(vec![p.clone()]),
            Some(Geometry::MultiPolygon(p)) => p.clone(),
            _ => continue,
        };
        if !keys.insert(&code, columns, row, "cvegeo", faults) {
            continue;
        }
        if municipalities.iter().all(|m| m.cvegeo != code) {
            faults.push(
                columns
                    .place_fault(Rule::PolygonWithoutPopulation, Some(row), Some("cvegeo"))
                    .with("cvegeo", &code),
            );
        }
        found.insert(code, polygon);
    }
    for m in municipalities.iter_mut() {
        m.polygon = found.get(&m.cvegeo).cloned();
        match (&m.polygon, merge.codes.get(&m.cvegeo)) {
            (None, Some(target)) if found.contains_key(target) => {
                m.polygon_of = Some(target.clone());
                faults
                    .push(source.fault(Rule::PolygonShared).with("cvegeo", &m.cvegeo).with("target", target));
            }
            (None, _) => {
                faults.push(source.fault(Rule::PolygonMissing).with("cvegeo", &m.cvegeo));
            }
            (Some(_), _) => {}
        }
    }
    for (code, target) in merge.codes {
        let known = municipalities.iter().any(|m| m.cvegeo == *code);
        if !known || !found.contains_key(target) {
            faults.push(
                Fault::new(Rule::ReferenceUnknown, merge.study_file)
                    .field(format!("sources.merge.{code}"))
                    .seen(if known { target.clone() } else { code.clone() }),
            );
        }
    }
}

/// Warnings of one rule that are kept one by one.
pub(super) const WARNINGS: usize = 200;

/// Of the warnings that a whole column can give, keeps the first ones and says how many there were.
pub(super) fn cap_warnings(faults: &mut Faults) {
    for rule in [Rule::LengthImplausible, Rule::RoadRepeated, Rule::VisitAfterReference] {
        let count = faults.0.iter().filter(|f| f.rule == rule).count();
        let Some(last) = faults.0.iter().rfind(|f| f.rule == rule).filter(|_| count > WARNINGS).cloned()
        else {
            continue;
        };
        let mut seen = 0;
        faults.0.retain(|f| {
            seen += usize::from(f.rule == rule);
            f.rule != rule || seen <= WARNINGS
        });
        faults.push(last.with("count", count));
    }
}
