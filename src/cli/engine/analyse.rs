//! From a loaded study to the layers of one audience.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use super::corridors::{Corridors, Under, corridors, unsure};
use super::counts::{cells, count_fault, count_options, data_of, prepare_counts};
use super::findings::{self, Counted};
use super::hot::{hot_spots, place};
use super::record::{commitment, input_record, notices, run_id, statistics, without_key};
use super::routing::{Roads, Travel, Way};
use super::sensitivity::sensitivity;
use super::{InForce, Loaded};
use crate::cli::args::{RoutingArgs, Step};
use crate::cli::progress::Progress;
use crate::cli::spatial_error::spatial_error;
use crate::corridors::demand::Places;
use crate::corridors::draws::Flows;
use crate::corridors::params;
use crate::corridors::passage::Passages;
use crate::corridors::roles::{RoleInputs, roles};
use crate::disclosure::Tier;
use crate::disclosure::cells::{Release, release};
use crate::error::{Error, Result};
use crate::ids::LinkId;
use crate::incidence::detection::scenario;
use crate::incidence::{CountDraw, IncidenceError, Part, parts, summarise as summarise_rates};
use crate::layers::assemble::{self, Context, MunicipalFindings};
use crate::layers::feature::{Lang, Layer, Scenario, Words};
use crate::layers::manifest::{InputRecord, Manifest};
use crate::layers::report::Subject;
use crate::layers::write::ResultSet;
use crate::model::domain::{CrossingStatus, Municipality, Stratum};
use crate::model::incidence::CountDatum;
use crate::model::study::Study;
use crate::planning::{posts, worksites};

/// Which steps of a run are wanted; all where none is named.
#[must_use]
pub fn wanted(steps: &[Step]) -> BTreeSet<Step> {
    let all = [Step::Incidence, Step::Corridors, Step::Patrols, Step::Worksites];
    if steps.is_empty() { all.into() } else { steps.iter().copied().collect() }
}

/// The steps of progress of loading a study, by their keys.
pub const LOADING: [&str; 2] = ["load", "network"];

/// The steps of progress of a run of `steps` for one audience, with its writing; beside [`analyse`], which takes them.
#[must_use]
pub fn plan(study: &Study, audience: Tier, steps: &BTreeSet<Step>, scenario: bool) -> Vec<&'static str> {
    let flows = steps.iter().any(|s| *s != Step::Incidence);
    let plans = steps.contains(&Step::Patrols) || steps.contains(&Step::Worksites);
    let planning = plans && audience == Tier::Restricted && study.referral.is_some();
    let corridors = steps.contains(&Step::Corridors) && audience == Tier::Restricted;
    let sensed = corridors && !scenario && study.parameters.sensitivity_samples > 0;
    let all = [
        ("incidence", true),
        ("draws_before", scenario),
        ("draws_after", scenario),
        ("draws", flows && !scenario),
        ("closing", corridors),
        ("sensitivity", sensed),
        ("cross_checks", sensed),
        ("planning", planning),
        ("write", true),
    ];
    all.into_iter().filter(|(_, taken)| *taken).map(|(key, _)| key).collect()
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
    routing: RoutingArgs,
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
    let counts = prepare_counts(study, domain, audience, &released, stop).map_err(|e| match e {
        IncidenceError::Interrupted => Error::Interrupted,
        IncidenceError::Neighbours(e) => spatial_error(&e, place(&loaded.study_name, "incidence.model")),
        e => count_fault(study, &loaded.study_name, domain, &e).into(),
    })?;
    let mut places = Places::new(domain, &released.data, built);
    if audience == Tier::Public {
        // What is missing from the sum over the crossings that are shown would tell how many are not.
        places.without_border_origins(|i| domain.crossings[i].status == CrossingStatus::Informal);
    }

    let placed_posts: Vec<_> = built.posts.iter().map(|post| Some(post.as_ref()?.link)).collect();
    let scenario = loaded.scenario.as_ref();
    let with_flows = steps.iter().any(|s| *s != Step::Incidence);
    let passages = if with_flows { Passages::new(&built.network, domain) } else { Passages::default() };
    let travel = Travel { places: &places, counts: &counts, passages: &passages };
    let way = Way { args: routing, lang, stop, progress };
    let roads = with_flows.then(|| Roads::new(loaded, &placed_posts, way)).transpose()?;
    let before = roads.as_ref().map(|roads| roads.flows_before(travel)).transpose()?.flatten();
    let flows = flows(study, roads.as_ref(), travel)?;
    let drawn: Vec<_> = flows.params.iter().map(|p| p.counts.clone()).collect();
    let inputs: Vec<InputRecord> = domain.provenance.iter().map(input_record).collect();
    let commitment = (audience == Tier::Public).then(|| commitment(study, &inputs)).flatten();
    let named = scenario.map(|scenario| format!(" {}", scenario.name)).unwrap_or_default();
    let shown = format!("{} {steps:?}{named}", lang.code());
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
    let Found { findings, hot_spots } = municipal_findings(loaded, &context, &passages, &drawn)?;
    let mut layers: Vec<Layer> = vec![assemble::municipalities(&context, &findings)];
    let close = |links: &[LinkId]| {
        roads.as_ref().map_or_else(|| Ok(Flows::default()), |roads| roads.flows_when_closed(travel, links))
    };
    let found = if steps.contains(&Step::Corridors) {
        let under = scenario.zip(before.as_ref()).map(|(scenario, before)| Under { scenario, before });
        corridors(&context, &places, &findings.roles, under, &close, progress)?
    } else {
        Corridors::default()
    };
    layers.extend(found.layers);
    let restricted = audience == Tier::Restricted;
    // Of the counts that are not released an index could tell something: it is for the restricted result alone.
    let roads = roads.filter(|_| restricted);
    let sensitivity = sensitivity(&context, roads.as_ref(), travel, &found.objects)?;
    layers.extend(sensitivity.layer);
    if restricted {
        layers.extend(plans(&context, &places, &placed_posts, steps, progress));
        layers.push(assemble::diagnostics(&context));
    }
    if stop.load(Ordering::Relaxed) {
        return Err(Error::Interrupted);
    }
    let counted = Counted { study, domain, audience, released: &released, model: &counts, draws: &drawn };
    let mut of_counts = findings::statistics(&counted);
    of_counts["hot_spots"] = hot_spots;
    // What stands against using a result is said where it is made too.
    let mut summary = found.summary;
    summary.extend(sensitivity.summary);
    summary.extend(counts.diagnostics().and_then(|d| findings::not_converged(d, domain, lang)));
    summary.extend(unsure(&found.halves, lang));
    let mut manifest = Manifest::new(run_id, audience, lang);
    manifest.seed = Some(study.seed);
    manifest.draws = Some(u64::from(study.parameters.draws));
    manifest.parameters = Some(without_key(study));
    manifest.inputs = inputs;
    manifest.statistics = statistics(loaded, &of_counts, &found.statistics, &flows);
    manifest.statistics["sensitivity"] = sensitivity.statistics;
    manifest.statistics["cross_checks"] = sensitivity.cross_checks;
    manifest.commitment = commitment;
    let set = ResultSet {
        layers,
        manifest,
        signed_off: study.sign_off.as_ref().map(|s| format!("{}, {}, {}", s.name, s.office, s.date)),
        notices: Words::both(|lang| {
            let mut said = findings::notices(&counted, lang);
            said.extend(unsure(&found.halves, lang));
            notices(loaded, audience, &released, said, lang, steps)
        }),
        attributions: study.study.attributions.clone(),
        subject: subject(loaded, audience, &released),
        lang,
        audience,
    };
    Ok(Outcome { set, summary })
}

/// The layers of plans that `steps` ask for; none without a referral path.
fn plans(
    context: &Context<'_>,
    places: &Places,
    posts_on: &[Option<LinkId>],
    steps: &BTreeSet<Step>,
    progress: Progress,
) -> Vec<Layer> {
    let Context { study, domain, built, closed, flows, .. } = *context;
    let wanted = [Step::Patrols, Step::Worksites].map(|step| steps.contains(&step));
    let mut out = Vec::new();
    if study.referral.is_none() || wanted == [false; 2] {
        return out;
    }
    progress.step("planning");
    if wanted[0] {
        let planned = posts::plan(study, domain, &built.network, flows, posts_on, closed);
        out.push(assemble::checkpoints(context, &planned));
    }
    if wanted[1] && !domain.worksites.is_empty() {
        let (ranked, n) = worksites::rank(study, domain, &built.network, places, flows);
        out.push(assemble::worksites(context, &ranked, n));
    }
    out
}

/// The flows of all draws; where nothing is routed, their parameters alone.
fn flows(study: &Study, roads: Option<&Roads<'_>>, travel: Travel<'_>) -> Result<Flows> {
    if let Some(roads) = roads {
        return roads.flows(travel);
    }
    let draw = |d| params::draw(study, travel.counts, &travel.places.crossing_weights, d);
    Ok(Flows { params: (0..study.parameters.draws).map(draw).collect(), ..Flows::default() })
}

/// What the report says of the study; of its total what is released, and of the referral path only to those who plan.
fn subject(loaded: &Loaded, audience: Tier, released: &Release) -> Subject {
    let study = &loaded.study;
    let named = |of: &InForce| Scenario { name: of.name.clone(), title: of.title.clone() };
    Subject {
        title: study.study.title.clone(),
        region: study.study.region.clone(),
        period: study.incidence.period.clone(),
        years: study.incidence.period_years,
        total: released.total,
        referral: study.referral.clone().filter(|_| audience == Tier::Restricted),
        scenario: loaded.scenario.as_ref().map(named),
    }
}

/// The parts of a municipality's count.
type Divided = fn(&Municipality) -> &[Stratum];

/// What the layer of municipalities shows, and what the manifest says of hot spots.
struct Found {
    findings: MunicipalFindings,
    hot_spots: serde_json::Value,
}

fn municipal_findings(
    loaded: &Loaded,
    context: &Context<'_>,
    passages: &Passages,
    drawn: &[CountDraw],
) -> Result<Found> {
    let Loaded { study, study_name, domain, built, .. } = loaded;
    let Context { data, flows, public, .. } = *context;
    let internal = |e: IncidenceError| Error::Environment(e.to_string());
    let cells = cells(study, domain, data);
    let rates = summarise_rates(&cells, drawn).map_err(internal)?;
    let mut divided = [Vec::new(), Vec::new()];
    // Parts are smaller than the counts that are released in bands: none of them is for the public.
    if !public {
        let strata: [(&str, Divided); 2] = [("modality", |m| &m.by_modality), ("period", |m| &m.by_period)];
        for ((kind, strata), slot) in strata.into_iter().zip(&mut divided) {
            let rng = |name: &str, draw| params::stream(&format!("{kind} {name}"), study.seed, draw);
            let years = study.incidence.years();
            let draws = study.parameters.draws;
            *slot = parts(&domain.municipalities, strata, years, &count_options(study), draws, rng)
                .map_err(|e| count_fault(study, study_name, domain, &e))?;
        }
    }
    let modality = |part: &Part| {
        let cases = match part.datum {
            CountDatum::Exact(n) => Some(f64::from(n)),
            _ => None,
        };
        (part.name.clone(), cases)
    };
    let modalities: Vec<_> = divided[0].iter().map(|parts| parts.iter().map(modality).collect()).collect();
    let modalities = (!modalities.is_empty()).then_some(modalities.as_slice());
    let roles = roles(&RoleInputs { domain, data, built, passages, flows, modalities });
    let scenario = study.incidence.under_detection.map(|s| {
        let rng = |draw: usize| {
            params::stream("under-detection", study.seed, u32::try_from(draw).unwrap_or(u32::MAX))
        };
        scenario(&cells, drawn, (s.probability, s.spread), rng)
    });
    let hot = hot_spots(study, study_name, domain, data, drawn)?;
    let (hot, said) = hot.map_or((None, serde_json::Value::Null), |h| (Some(h.column), h.statistics));
    Ok(Found { findings: MunicipalFindings { rates, roles, hot, parts: divided, scenario }, hot_spots: said })
}
