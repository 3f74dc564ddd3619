//! The path from a study to a result set: load, join, draw, plan, assemble. Commands differ only in where
//! the study comes from and where the result goes.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;

use super::args::Step;
use super::config::StudyFile;
use super::messages::{fill, text};
use super::progress::Progress;
use crate::corridors::choice::LinkCosts;
use crate::corridors::demand::Places;
use crate::corridors::draws::{Flows, Inputs};
use crate::corridors::object::Corridor;
use crate::corridors::score::summarise;
use crate::corridors::{extract, object, params};
use crate::disclosure::Tier;
use crate::disclosure::cells::{Release, release};
use crate::error::{Error, Fault, Faults, Result, Rule, Why};
use crate::ids::{LinkId, hex, stable_id};
use crate::incidence::{
    CountCell, CountModel, CountOptions, IncidenceError, RateModel, Unlocated, summarise as summarise_rates,
};
use crate::layers::assemble::{self, Context};
use crate::layers::feature::{Lang, Layer};
use crate::layers::manifest::{InputRecord, Manifest};
use crate::layers::write::ResultSet;
use crate::model::build::Tables;
use crate::model::domain::{CrossingStatus, Domain, Municipality, RoadClass};
use crate::model::incidence::CountDatum;
use crate::model::prior::Prior;
use crate::model::study::Study;
use crate::network;
use crate::network::builder::{BuildOptions, Built, build as build_network};
use crate::network::closures::closed_links;
use crate::network::graph::LinkKind;
use crate::network::search::Arcs;
use crate::planning::{posts, worksites};
use crate::sources::spec::{GeometryNeed, SourceSpec};
use crate::sources::{self, ColumnRules, Limits, Provenance};

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
    let StudyFile { mut study, name, folder } = file;
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
    let closed = closed_links(&study, &name, &domain, &built, &mut faults);
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
    Ok(Loaded { study, study_name: name, domain, built, closed, warnings: faults })
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

fn data_of(domain: &Domain) -> Vec<CountDatum> {
    domain.municipalities.iter().map(|m| m.datum).collect()
}

fn cells(study: &Study, domain: &Domain, data: &[CountDatum]) -> Vec<CountCell> {
    domain
        .municipalities
        .iter()
        .zip(data)
        .map(|(m, &datum)| CountCell { exposure: m.population * study.incidence.years(), datum })
        .collect()
}

fn count_options(study: &Study) -> CountOptions {
    let unlocated = match study.incidence.unlocated {
        Prior::Beta { a, b } => Unlocated::Beta { a, b },
        // Shares have a beta prior or a fixed value; another law stands for its mean.
        other => Unlocated::Fixed(other.mean().clamp(0.0, 1.0)),
    };
    CountOptions { unlocated, rates: RateModel::Common, ..CountOptions::default() }
}

fn check_counts(study: &Study, study_name: &str, domain: &Domain, faults: &mut Faults) {
    if let Err(e) = prepare_counts(study, domain, &data_of(domain), study.incidence.total) {
        faults.push(count_fault(study_name, domain, &e));
    }
}

fn prepare_counts(
    study: &Study,
    domain: &Domain,
    data: &[CountDatum],
    total: Option<u32>,
) -> Result<CountModel, IncidenceError> {
    CountModel::prepare(&cells(study, domain, data), total, &count_options(study))
}

/// An impossible set of counts as a fault of the study, with the municipality named where one is at fault.
fn count_fault(study_name: &str, domain: &Domain, error: &IncidenceError) -> Fault {
    let named =
        |cell: usize| domain.municipalities.get(cell).map_or_else(String::new, |m| format!("{}: ", m.cvegeo));
    let fault = Fault::new(Rule::TotalImpossible, study_name).field("incidence");
    let detail = match error {
        IncidenceError::NoCells => return fault.why(Why::NoCells),
        IncidenceError::NoExposure => return fault.why(Why::NoExposure),
        IncidenceError::RateUnbounded => return fault.why(Why::RateUnbounded),
        IncidenceError::Impossible => return fault.why(Why::Impossible),
        IncidenceError::Exposure { cell, exposure } => {
            format!("{}population × years = {exposure}", named(*cell))
        }
        IncidenceError::BoundsCrossed { cell, min, max } => {
            format!("{}count_min = {min} > count_max = {max}", named(*cell))
        }
        IncidenceError::CasesWithoutExposure { cell, min } => {
            format!("{}count_min = {min}, population = 0", named(*cell))
        }
        IncidenceError::Parameter { name, value, range } => format!("{name} = {value} ∉ {range}"),
        IncidenceError::TooLarge { what, size, limit } => format!("{what} = {size} > {limit}"),
        IncidenceError::LowerBoundsAboveTotal { lower, total } => {
            format!("Σ count_min = {lower} > total = {total}")
        }
        IncidenceError::UpperBoundsBelowTotal { upper, total } => {
            format!("Σ count_max = {upper} < total = {total}")
        }
        other => other.to_string(),
    };
    fault.with("detail", detail)
}

/// Which steps of a run are wanted; all where none is named.
#[must_use]
pub fn wanted(steps: &[Step]) -> BTreeSet<Step> {
    let all = [Step::Incidence, Step::Corridors, Step::Patrols, Step::Worksites];
    if steps.is_empty() { all.into() } else { steps.iter().copied().collect() }
}

/// A result with what the command line says of it.
pub struct Outcome {
    /// What is written.
    pub set: ResultSet,
    /// Summary for people.
    pub summary: Vec<String>,
}

/// Runs the steps of `steps` for one audience.
///
/// # Errors
/// [`Error::Interrupted`] if `stop` was set; [`Error::Faults`] for counts that cannot be.
pub fn analyse(
    loaded: &Loaded,
    audience: Tier,
    lang: Lang,
    steps: &BTreeSet<Step>,
    stop: &AtomicBool,
    progress: Progress,
) -> Result<Outcome> {
    let Loaded { study, domain, built, closed, .. } = loaded;
    progress.step("incidence");
    let own = data_of(domain);
    let released = match audience {
        Tier::Public => release(&own, study.incidence.total, study.disclosure.k),
        Tier::Restricted => Release { data: own, total: study.incidence.total, complementary: Vec::new() },
    };
    let counts = prepare_counts(study, domain, &released.data, released.total)
        .map_err(|e| count_fault(&loaded.study_name, domain, &e))?;
    let mut places = Places::new(domain, &released.data, built);
    if audience == Tier::Public {
        // What is missing from the sum over the crossings that are shown would tell how many are not.
        places.without_border_origins(|i| domain.crossings[i].status == CrossingStatus::Informal);
    }

    let placed_posts: Vec<_> = built.posts.iter().map(|post| Some(post.as_ref()?.link)).collect();
    let flows = if steps.iter().any(|s| *s != Step::Incidence) {
        route(loaded, &places, &counts, &placed_posts, stop, progress)?
    } else {
        let params = (0..study.parameters.draws)
            .map(|d| params::draw(study, &counts, &places.crossing_weights, d))
            .collect();
        Flows { params, ..Flows::default() }
    };
    let drawn: Vec<_> = flows.params.iter().map(|p| p.counts.clone()).collect();
    let rates = summarise_rates(&cells(study, domain, &released.data), &drawn)
        .map_err(|e| Error::Environment(e.to_string()))?;

    let inputs: Vec<InputRecord> = domain.provenance.iter().map(input_record).collect();
    let commitment = (audience == Tier::Public).then(|| commitment(study, &inputs)).flatten();
    let shown = format!("{} {steps:?}", lang.code());
    let run_id = run_id(study, domain, audience, &released, commitment.as_deref(), &shown);
    let context = Context {
        run_id: &run_id,
        lang,
        study,
        domain,
        data: &released.data,
        built,
        closed,
        flows: &flows,
        public: audience == Tier::Public,
    };
    let mut layers: Vec<Layer> = vec![assemble::municipalities(&context, &rates)];
    let mut summary = Vec::new();
    if steps.contains(&Step::Corridors) {
        layers.extend(corridor_layers(&context, &mut summary));
    }
    let restricted = audience == Tier::Restricted;
    let referral = study.referral.is_some();
    if restricted && referral && (steps.contains(&Step::Patrols) || steps.contains(&Step::Worksites)) {
        progress.step("planning");
        if steps.contains(&Step::Patrols) {
            let planned = posts::plan(study, domain, &built.network, &flows, &placed_posts, closed);
            layers.push(assemble::checkpoints(&context, &planned));
        }
        if steps.contains(&Step::Worksites) && !domain.worksites.is_empty() {
            let (ranked, n) = worksites::rank(study, domain, &built.network, &places, &flows);
            layers.push(assemble::worksites(&context, &ranked, n));
        }
    }
    if restricted {
        layers.push(assemble::diagnostics(&context));
    }
    if stop.load(Ordering::Relaxed) {
        return Err(Error::Interrupted);
    }
    let statistics = statistics(loaded, &released, &flows);
    let mut manifest = Manifest::new(run_id, audience, lang);
    manifest.seed = Some(study.seed);
    manifest.draws = Some(u64::from(study.parameters.draws));
    manifest.parameters = Some(without_key(study));
    manifest.inputs = inputs;
    manifest.statistics = statistics;
    manifest.commitment = commitment;
    let set = ResultSet {
        layers,
        manifest,
        signed_off: study.sign_off.as_ref().map(|s| format!("{}, {}, {}", s.name, s.office, s.date)),
        notices: notices(loaded, audience, &released, lang, steps),
        attributions: study.study.attributions.clone(),
        lang,
        audience,
    };
    Ok(Outcome { set, summary })
}

/// Runs all draws over the network.
fn route(
    loaded: &Loaded,
    places: &Places,
    counts: &CountModel,
    placed_posts: &[Option<LinkId>],
    stop: &AtomicBool,
    progress: Progress,
) -> Result<Flows> {
    let Loaded { study, built, closed, .. } = loaded;
    let arcs = Arcs::new(&built.network);
    let mut on_link = vec![0_u32; built.network.link_count()];
    placed_posts.iter().flatten().for_each(|l| on_link[l.index()] += 1);
    let costs = LinkCosts::new(&built.network, on_link, closed.clone());
    let bar = progress.bar("draws", u64::from(study.parameters.draws));
    let tick = || bar.inc();
    Flows::run(&Inputs { study, places, arcs: &arcs, costs: &costs, counts, stop, progress: &tick })
}

/// `roads`, `corridors` and `crossings`, and what the command line says of them.
fn corridor_layers(context: &Context<'_>, summary: &mut Vec<String>) -> [Layer; 3] {
    let Context { lang, study, domain, built, flows, .. } = *context;
    let shares = |draws: &[Vec<i64>]| -> Vec<Vec<f64>> {
        draws.iter().map(|d| d.iter().map(|u| flows.share(*u)).collect()).collect()
    };
    let (links, candidates) = summarise(&shares(&flows.main), &shares(&flows.null));
    let membership = extract::membership(&built.network, flows);
    let means: Vec<f64> = links.iter().map(|s| s.mean).collect();
    let p = &study.parameters;
    let chains = extract::corridors(&built.network, &means, &membership, p.membership, p.corridor_min_km);
    let unnamed = text(lang, "map.no_reference");
    let (corridors, n) = object::corridors(&built.network, domain, flows, chains, &unnamed);
    summary.extend(corridor_lines(study, &corridors, n, lang));
    summary.extend(demand_lines(flows, lang));
    [
        assemble::roads(context, &links, candidates, &corridors),
        assemble::corridors(context, &corridors, n),
        assemble::crossings(context),
    ]
}

/// What the command line says of the corridors: how many by what threshold, and the first five, each number with
/// what it is.
fn corridor_lines(study: &Study, corridors: &[Corridor], candidates: usize, lang: Lang) -> Vec<String> {
    let p = &study.parameters;
    let mut params = vec![
        ("threshold", format!("{:.0}", p.membership * 100.0)),
        ("km", format!("{:.0}", p.corridor_min_km)),
        ("count", corridors.len().to_string()),
    ];
    if corridors.is_empty() {
        return vec![fill(lang, "done.no_corridors", &params)];
    }
    // As in `pr_top`: a tenth of the candidates, at least one.
    params.push(("top", (candidates / 10).max(1).to_string()));
    let mut out = vec![fill(lang, "done.corridors", &params)];
    out.extend(corridors.iter().take(5).map(|c| {
        let s = &c.summary;
        let pct = |v: f64| format!("{:.1}", v * 100.0);
        let numbers = [
            ("mean", pct(s.mean)),
            ("p05", pct(s.p05)),
            ("p95", pct(s.p95)),
            ("pr_top", format!("{:.2}", s.pr_top)),
            ("membership", format!("{:.2}", c.chain.membership)),
        ];
        format!("  {}. {}: {}", c.rank, c.name, fill(lang, "done.corridor", &numbers))
    }));
    out
}

/// The study as the manifest shows it, without the key of the commitment.
fn without_key(study: &Study) -> serde_json::Value {
    let mut study = study.clone();
    study.disclosure.commitment_key = None;
    serde_json::to_value(study).unwrap_or_default()
}

/// The id of a run: from everything that goes into it, `shown` (language and steps) too; for the public only
/// from what is released, and from the commitment, which changes with all that is not: two public results with
/// other seeds, draws, closures or parameters have other ids, if the study has a key.
fn run_id(
    study: &Study,
    domain: &Domain,
    audience: Tier,
    released: &Release,
    commitment: Option<&str>,
    shown: &str,
) -> String {
    let version = format!("{} {shown}", env!("CARGO_PKG_VERSION"));
    match audience {
        Tier::Restricted => {
            let hashes = domain.provenance.iter().map(|p| p.sha256.clone());
            stable_id([version, without_key(study).to_string()].into_iter().chain(hashes))
        }
        Tier::Public => {
            let data = serde_json::to_string(&released.data).unwrap_or_default();
            let commitment = commitment.unwrap_or_default().to_owned();
            stable_id([version, study.study.name.clone(), data, format!("{:?}", released.total), commitment])
        }
    }
}

/// A keyed commitment to what the public manifest leaves out: HMAC-SHA256 over it, under the study's key.
fn commitment(study: &Study, inputs: &[InputRecord]) -> Option<String> {
    let key = study.disclosure.commitment_key.as_deref()?;
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).ok()?;
    let text = json!({ "seed": study.seed, "parameters": without_key(study), "inputs": inputs });
    mac.update(text.to_string().as_bytes());
    Some(hex(&mac.finalize().into_bytes()))
}

fn input_record(p: &Provenance) -> InputRecord {
    InputRecord {
        source: p.source.clone(),
        file: p.file.clone(),
        layer: p.layer.clone(),
        sha256: p.sha256.clone(),
        bytes: p.bytes,
        records: Some(p.records),
        encoding: p.encoding.clone(),
        crs: p.crs.clone(),
    }
}

/// Shares of demand: served, inside a municipality, unserved; and the mean share of cases without a place.
fn fates(flows: &Flows) -> [f64; 4] {
    let n = flows.draws().max(1) as f64;
    let mean = |f: &dyn Fn(usize) -> f64| (0..flows.draws()).map(f).sum::<f64>() / n;
    let unlocated = |d: usize| {
        let counts = &flows.params[d].counts;
        let all: f64 = counts.total.iter().map(|t| f64::from(*t)).sum();
        if all > 0.0 { f64::from(counts.unlocated) / all } else { 0.0 }
    };
    [
        mean(&|d| flows.share(flows.fate[d].served)),
        mean(&|d| flows.share(flows.fate[d].inner)),
        mean(&|d| flows.share(flows.fate[d].unserved)),
        mean(&unlocated),
    ]
}

/// Above this share of demand without a way, what is said of roads stands on the rest alone.
const MUCH_UNSERVED: f64 = 0.2;

/// What became of the demand, with a warning where much of it finds no way.
fn demand_lines(flows: &Flows, lang: Lang) -> Vec<String> {
    let fates = fates(flows);
    let [served, inner, unserved, unlocated] = fates.map(|v| format!("{:.1}", v * 100.0));
    let params = [("served", served), ("inner", inner), ("unserved", unserved), ("unlocated", unlocated)];
    let mut out = vec![fill(lang, "done.demand", &params)];
    if fates[2] > MUCH_UNSERVED {
        out.push(fill(lang, "done.unserved", &params));
    }
    out
}

/// Figures of the run for the manifest.
fn statistics(loaded: &Loaded, released: &Release, flows: &Flows) -> serde_json::Value {
    let Loaded { domain, built, closed, .. } = loaded;
    let count = |f: fn(&CountDatum) -> bool| released.data.iter().filter(|d| f(d)).count();
    let parts = built.network.components();
    let [served, inner, unserved, unlocated] = fates(flows);
    json!({
        "municipalities": domain.municipalities.len(),
        "counts": {
            "exact": count(|d| matches!(d, CountDatum::Exact(_))),
            "interval": count(|d| matches!(d, CountDatum::Interval { .. } | CountDatum::AtLeast { .. })),
            "unknown": count(|d| matches!(d, CountDatum::Unknown { .. })),
            "total": released.total,
        },
        "polygons_shared": domain.municipalities.iter().filter(|m| m.polygon_of.is_some()).count(),
        "network": {
            "junctions": built.network.junction_count(),
            "links": built.network.link_count(),
            "components": parts.len(),
            "length_km": built.network.links().filter(|(_, l)| l.kind == LinkKind::Road).map(|(_, l)| l.length.km()).sum::<f64>(),
            "home_length_km": built.network.links().filter(|(_, l)| l.is_home_road()).map(|(_, l)| l.length.km()).sum::<f64>(),
            "closed_links": closed.iter().filter(|c| **c).count(),
            "unsnapped": built.unsnapped.len(),
        },
        "demand": { "served": served, "inner": inner, "unserved": unserved, "unlocated_cases": unlocated },
        "planning_draws": flows.trees.len(),
    })
}

/// What this study's outputs say beyond the standard notices.
fn notices(
    loaded: &Loaded,
    audience: Tier,
    released: &Release,
    lang: Lang,
    steps: &BTreeSet<Step>,
) -> Vec<String> {
    let Loaded { study, domain, .. } = loaded;
    let mut out = vec![text(lang, "notice.detection")];
    if domain.roads.iter().any(|r| r.schematic && r.class != RoadClass::Ferry) {
        out.push(text(lang, "notice.schematic"));
    }
    match audience {
        Tier::Restricted => {
            if steps.contains(&Step::Worksites) && domain.worksites.iter().any(|w| w.synthetic) {
                out.push(text(lang, "notice.synthetic"));
            }
            match &study.referral {
                Some(r) => {
                    let params = [
                        ("authority", r.victim_authority.as_str()),
                        ("contact", &r.contact_24h),
                        ("rule", &r.non_punishment),
                    ];
                    out.push(fill(lang, "notice.referral", &params));
                    if r.example {
                        out.push(text(lang, "notice.referral_example"));
                    }
                }
                None => out.push(text(lang, "notice.no_referral")),
            }
        }
        Tier::Public => {
            let k = study.disclosure.k;
            out.push(fill(lang, "notice.bands", &[("k", k.to_string()), ("top", (k - 1).to_string())]));
            if !domain.crossings.is_empty() {
                // Said whether or not there are others, so that it tells nothing.
                out.push(text(lang, "notice.crossings"));
            }
            if released.total.is_none() && study.incidence.total.is_some() {
                out.push(text(lang, "notice.total_withheld"));
            }
        }
    }
    out.extend(study.study.notes.iter().cloned());
    out
}
