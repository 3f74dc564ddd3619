//! The path from a study to a result set: load, join, draw, plan, assemble. Commands differ only in where
//! the study comes from and where the result goes.

use super::config::StudyFile;
use super::progress::Progress;
use crate::error::{Fault, Faults, Result, Rule};
use crate::model::build::Tables;
use crate::model::domain::{Domain, Municipality};
use crate::model::incidence::CountDatum;
use crate::model::study::Study;
use crate::network;
use crate::network::builder::{BuildOptions, Built, build as build_network};
use crate::network::closures::closed_links;
use crate::network::scenario::{Changes, changes};
use crate::sources::spec::{GeometryNeed, SourceSpec};
use crate::sources::{self, ColumnRules, Limits};

mod analyse;
mod corridors;
mod counts;
mod findings;
mod hot;
mod record;
mod routing;
mod scenario;
mod sensitivity;

pub use analyse::{LOADING, Outcome, analyse, plan, wanted};
use counts::check_counts;
pub use counts::count_options;
pub use scenario::{InForce, place as scenario_place};

/// A study that has been read, checked and joined to its network.
pub struct Loaded {
    /// The study with its overrides.
    pub study: Study,
    /// Name of the study file for messages.
    pub study_name: String,
    /// The checked data.
    pub domain: Domain,
    /// The network.
    pub built: Built,
    /// By link: whether it is closed.
    pub closed: Vec<bool>,
    /// By scenario of the study: what it would change.
    pub changes: Vec<Changes>,
    /// The scenario that is in force, if any.
    pub scenario: Option<InForce>,
    /// What was reported and does not stop a run.
    pub warnings: Faults,
}

/// What geometry each source must have.
fn need(source: &str) -> GeometryNeed {
    match source {
        "municipalities" => GeometryNeed::Polygon,
        "roads" => GeometryNeed::Line,
        "population" | "marginalization" | "counts" => GeometryNeed::None,
        _ => GeometryNeed::Point,
    }
}

/// Reads and checks everything that `file` names, and builds the network.
///
/// # Errors
/// [`Error::Faults`] with all faults of all sources in one pass; [`Error::Io`] for a file that cannot be read.
pub fn load(file: StudyFile, progress: Progress) -> Result<Loaded> {
    progress.step("load");
    let StudyFile { mut study, name, folder, scenario: wanted } = file;
    let mut faults = Faults::default();
    let mut tables = Tables::new();
    let limits = Limits { allow_absolute: study.sources.allow_outside, ..Limits::default() };
    for (source, spec) in study.sources.given() {
        let rules = ColumnRules { business_register: source == "worksites" };
        let mut read = Vec::new();
        for path in spec.paths() {
            // Each file of a source is read as if it were the only one.
            let mut one = SourceSpec { path: path.to_owned(), more: Vec::new(), ..spec.clone() };
            if one.entities.is_empty() {
                one.entities.clone_from(&study.study.entities);
            }
            read.extend(sources::read(&folder, source, &one, need(source), &rules, &limits, &mut faults)?);
        }
        // What is missing of a source would only be told again by the records that refer to it.
        if read.len() == spec.paths().count() {
            tables.insert(source, read);
        }
    }
    let domain = crate::model::build::build(&study, tables, &name, &mut faults)?;
    drop_consequences(&study, &mut faults);
    if faults.has_errors() {
        faults.sort();
        return Err(faults.into());
    }
    complete(&mut study, &name, &domain, &mut faults);
    check_counts(&study, &name, &domain, &mut faults);
    hot::check(&study, &name, &domain, &mut faults)?;

    progress.step("network");
    let p = &study.parameters;
    let built = build_network(
        &domain,
        BuildOptions {
            tolerance: p.node_tolerance_m,
            max_snap: p.max_snap_m,
            access_speed_kmh: p.access_speed_kmh,
        },
    );
    faults.extend(network::report::faults(&domain, &built));
    let closed = closed_links(&study.closures, (&name, "closures"), &domain, &built, &mut faults);
    let mut changes_of = |(i, scenario)| {
        let path = format!("scenarios[{i}]");
        let mut own = Faults::default();
        let changes = changes(scenario, (&name, &path), &domain, &built, p.max_snap_m, &mut own);
        if wanted.as_ref() == Some(&scenario.name) {
            faults.extend(own);
        } else {
            // Other roads than those that it was written for are no reason not to run the study as it is.
            faults.extend(Faults(own.0.into_iter().map(unfit).collect()));
        }
        changes
    };
    let changes = study.scenarios.iter().enumerate().map(&mut changes_of).collect();
    if built.seats.iter().all(Option::is_none) {
        faults.push(Fault::new(Rule::NothingToRoute, &name).field("sources.roads"));
    }
    if study.referral.is_none() {
        faults.push(Fault::new(Rule::ReferralMissing, &name).field("referral"));
    }
    faults.sort();
    if faults.has_errors() {
        return Err(faults.into());
    }
    Ok(Loaded { study, study_name: name, domain, built, closed, changes, scenario: None, warnings: faults })
}

/// What is wrong with a scenario that is not to be run.
fn unfit(fault: Fault) -> Fault {
    let details = fault.params.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(", ");
    let detail = format!("{}: {details}", fault.rule.code());
    let mut out = Fault::new(Rule::ScenarioUnfit, fault.place.file.clone()).with("detail", detail);
    out.place = fault.place;
    out
}

/// Fills in what the study leaves to its counts: the period, and the total where every count is a number and the
/// cases without a municipality are known too.
fn complete(study: &mut Study, name: &str, domain: &Domain, faults: &mut Faults) {
    let incidence = &mut study.incidence;
    if let Some((years, text)) = &domain.counted.period {
        match incidence.period_years {
            // Half a month.
            Some(stated) if (stated - years).abs() > 0.5 / 12.0 => faults.push(
                Fault::new(Rule::PeriodDiffers, name)
                    .field("incidence.period_years")
                    .with("stated", stated)
                    .with("found", format!("{years:.2}")),
            ),
            Some(_) => {}
            None => incidence.period_years = Some(*years),
        }
        if incidence.period.is_empty() {
            incidence.period.clone_from(text);
        }
    }
    let exact = |m: &Municipality| match m.datum {
        CountDatum::Exact(n) => Some(n),
        _ => None,
    };
    if let (None, Some(unlocated)) = (incidence.total, domain.counted.unlocated) {
        let located: Option<Vec<u32>> = domain.municipalities.iter().map(exact).collect();
        let sum = located.map(|counts| counts.iter().copied().map(u64::from).sum::<u64>());
        incidence.total = sum.and_then(|sum| u32::try_from(sum + u64::from(unlocated)).ok());
    }
}

/// Drops what other files are told only because a record that they name could not be read: where the population
/// table is at fault, that a code is unknown; where the polygons are, that one is missing.
fn drop_consequences(study: &Study, faults: &mut Faults) {
    let broken = |spec: &SourceSpec| {
        let follows = |rule| matches!(rule, Rule::ReferenceUnknown | Rule::PolygonMissing);
        // What stands in an archive is named after it.
        let of = |file: &str| {
            let within = |rest: &str| rest.is_empty() || rest.starts_with('/');
            spec.paths().any(|path| file.strip_prefix(path).is_some_and(within))
        };
        faults.0.iter().any(|f| f.is_error() && of(&f.place.file) && !follows(f.rule))
    };
    let given = |spec: &Option<SourceSpec>| spec.as_ref().is_some_and(broken);
    let codes = broken(&study.sources.population);
    let [indices, counts] = [&study.sources.marginalization, &study.sources.counts].map(given);
    let shapes = broken(&study.sources.municipalities);
    let of_merge = |field: &Option<String>| field.as_ref().is_some_and(|f| f.starts_with("sources.merge"));
    faults.0.retain(|f| match f.rule {
        Rule::ReferenceUnknown => !(codes || (shapes && of_merge(&f.place.field))),
        Rule::PolygonWithoutPopulation | Rule::JoinUnused => !codes,
        Rule::PolygonMissing => !shapes,
        Rule::JoinMissing => !indices,
        Rule::MonthsMissing | Rule::ModalitiesMissing => !counts,
        _ => true,
    });
}
