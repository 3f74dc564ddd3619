//! Raw tables to the checked domain. All faults are collected; the caller stops if one is an error.

use std::collections::{BTreeMap, BTreeSet};

use geo::{Geodesic, Geometry, Length, LineString, MultiPolygon};

use super::columns::{Columns, Keys, records};
use super::counts::{self, Counted};
use super::domain::{Direction, Domain, Municipality, Road, RoadClass, Surface, TurnBan};
use super::frame::WorkFrame;
use super::incidence::CountDatum;
use super::places;
use super::study::{Study, date};
use crate::error::{Fault, Faults, Result, Rule};
use crate::sources::raw::{RawBan, RawTable};
use crate::sources::spec::SourceSpec;
use crate::units::Metres;

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

/// Builds the domain of `study` from its tables.
///
/// # Errors
/// [`crate::error::Error::Environment`] if the projection cannot be set up. Faults of the data go into
/// `faults`; with an error among them the domain is incomplete and must not be used.
pub fn build(study: &Study, tables: &Tables, study_file: &str, faults: &mut Faults) -> Result<Domain> {
    let spec = &study.sources;
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
    let (roads, bans) = given.get("roads").map_or_else(Default::default, |s| roads(s, study, faults));
    let reference = date(&study.planning.reference_date);
    macro_rules! read {
        ($name:literal, $function:path $(, $extra:expr)*) => {
            given.get($name).map_or_else(Vec::new, |source| $function(source $(, $extra)*, faults))
        };
    }
    let crossings = read!("crossings", places::crossings);
    let exits = read!("exits", places::exits);
    let towns = read!("towns", places::towns, &codes);
    let posts = read!("posts", places::posts);
    let worksites = read!("worksites", places::worksites, &codes, reference);
    let frame = WorkFrame::new()?;
    if let Some(source) = given.get("worksites") {
        places::check_positions(source, &worksites, &municipalities, &frame, faults);
    }
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
        let population = columns.number(row, "population", 1.0, 1e9, faults);
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

fn roads(source: &Source<'_>, study: &Study, faults: &mut Faults) -> (Vec<Road>, Vec<TurnBan>) {
    let optional = [
        "id",
        "ref",
        "surface",
        "toll",
        "oneway",
        "speed_kmh",
        "length_km",
        "region",
        "schematic",
        "from_node",
        "to_node",
        "level",
    ];
    let tables = source.columns(&["class"], &optional, faults);
    let classes = RoadClass::ALL.map(|class| (class.name(), class));
    let surfaces = [
        ("paved", Surface::Paved),
        ("pavimentado", Surface::Paved),
        ("partly_paved", Surface::PartlyPaved),
        ("unpaved", Surface::Unpaved),
        ("terracería", Surface::Unpaved),
    ];
    let directions = [
        ("no", Direction::Both),
        ("both", Direction::Both),
        ("yes", Direction::Forward),
        ("forward", Direction::Forward),
        ("-1", Direction::Backward),
        ("backward", Direction::Backward),
        ("closed", Direction::Closed),
        ("0", Direction::Both),
        ("1", Direction::Forward),
        ("false", Direction::Both),
        ("true", Direction::Forward),
    ];
    let mut keys = Keys::default();
    let mut out = Vec::new();
    for (columns, row) in records(&tables) {
        let _ = columns.needed(row, "class", faults);
        let class = columns.choice(row, "class", &classes, faults);
        let surface = columns.choice(row, "surface", &surfaces, faults).unwrap_or(Surface::Paved);
        let toll = columns.boolean(row, "toll", faults);
        let direction = columns.choice(row, "oneway", &directions, faults).unwrap_or(Direction::Both);
        let speed = columns.number(row, "speed_kmh", 1.0, 200.0, faults);
        let length_km = columns.number(row, "length_km", 0.0, 10_000.0, faults);
        let schematic = columns.boolean(row, "schematic", faults).unwrap_or(false);
        let ends = match (columns.integer(row, "from_node", faults), columns.integer(row, "to_node", faults))
        {
            (Some(from), Some(to)) => Some([from, to]),
            _ => None,
        };
        let level = columns.integer(row, "level", faults).and_then(|l| i32::try_from(l).ok()).unwrap_or(0);
        let id = columns.text(row, "id").unwrap_or_else(|| row.row.to_string());
        let Some(class) = class else { continue };
        if !keys.insert(&id, columns, row, "id", faults) {
            continue;
        }
        let lines = match &row.geometry {
            Some(Geometry::LineString(line)) => vec![line.clone()],
            Some(Geometry::MultiLineString(lines)) => lines.0.clone(),
            _ => continue,
        };
        let by_study = || {
            let speeds = &study.parameters.speeds_kmh;
            speeds
                .get(&format!("{}/{}", class.name(), surface.name()))
                .or_else(|| speeds.get(class.name()))
                .copied()
        };
        let speed_kmh = speed.or_else(by_study).unwrap_or_else(|| class.default_speed(surface));
        let total: f64 = lines.iter().map(|line| Geodesic.length(line)).sum();
        // Keys are of the ends of a record, which has two only if it is one line.
        let ends = ends.filter(|_| lines.len() == 1);
        for line in lines {
            let own = Geodesic.length(&line);
            // A stated length belongs to the record: its parts share it by their own length.
            let length = match length_km {
                Some(km) if total > 0.0 => km * 1000.0 * own / total,
                _ => own,
            };
            out.push(Road {
                id: id.clone(),
                row: row.row,
                reference: columns.text(row, "ref").unwrap_or_default(),
                class,
                surface,
                toll: toll.unwrap_or(class == RoadClass::Toll),
                direction,
                speed_kmh,
                length: Metres(length),
                region: columns.text(row, "region").unwrap_or_default(),
                schematic,
                ends,
                level,
                line: without_repeats(&line),
            });
        }
    }
    let bans = turn_bans(source, &out);
    (out, bans)
}

/// The bans of a source by index of their roads. One on a road that was left out by rule, such as a closed one,
/// bans nothing and is left out as well; the presets report those on roads that no record has.
fn turn_bans(source: &Source<'_>, roads: &[Road]) -> Vec<TurnBan> {
    if source.tables.iter().all(|table| table.bans.is_empty()) {
        return Vec::new();
    }
    // A record with several parts has no single place in a sequence.
    let mut index: BTreeMap<&str, Option<usize>> = BTreeMap::new();
    for (i, road) in roads.iter().enumerate() {
        index.entry(&road.id).and_modify(|slot| *slot = None).or_insert(Some(i));
    }
    let resolve = |ban: &RawBan| {
        let roads: Option<Vec<usize>> =
            ban.roads.iter().map(|id| index.get(id.as_str()).copied().flatten()).collect();
        Some(TurnBan { id: ban.id.clone(), row: ban.row, via: ban.via, roads: roads? })
    };
    source
        .tables
        .iter()
        .flat_map(|table| &table.bans)
        .filter(|ban| ban.roads.len() >= 2)
        .filter_map(resolve)
        .collect()
}

/// The line without positions that repeat their predecessor.
fn without_repeats(line: &LineString<f64>) -> LineString<f64> {
    let mut points = line.0.clone();
    points.dedup();
    LineString(points)
}
