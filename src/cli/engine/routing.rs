//! Routes of a run, by the hierarchy, which is kept between runs where the network is large, or by the reference
//! search.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use etcetera::BaseStrategy;

use super::Loaded;
use crate::cli::args::{RouterArg, RoutingArgs};
use crate::cli::messages::{fill, io_cause};
use crate::cli::progress::Progress;
use crate::corridors::choice::LinkCosts;
use crate::corridors::cross_check::CrossChecks;
use crate::corridors::demand::Places;
use crate::corridors::draws::{Flows, Inputs};
use crate::corridors::object::Corridor;
use crate::corridors::passage::Passages;
use crate::corridors::routing::Router;
use crate::corridors::sensitivity::Sensitivity;
use crate::error::{Error, Result};
use crate::ids::LinkId;
use crate::incidence::CountModel;
use crate::layers::feature::Lang;
use crate::network::cch::{CacheNote, Hierarchy};
use crate::network::graph::Network;
use crate::network::search::Arcs;

/// Nodes from which on a hierarchy is kept between runs: a smaller one is made in less time than a user notices.
const WORTH_KEEPING: usize = 20_000;

/// Draws with which it is looked at what takes over when a corridor is closed, at most, and perturbations of each: a tenth of
/// the run's own, so that ten closures take no longer than it.
const CLOSED_DRAWS: u32 = 16;
const CLOSED_PERTURBATIONS: u32 = 2;

/// Names the folder of what is kept between runs, in place of the user's own.
const CACHE_VARIABLE: &str = "CORREDOR_CACHE_DIR";

/// Where to keep what can be computed again; `None` where the system names no place.
fn cache_folder() -> Option<PathBuf> {
    let named = std::env::var_os(CACHE_VARIABLE).filter(|name| !name.is_empty()).map(PathBuf::from);
    named.or_else(|| Some(etcetera::choose_base_strategy().ok()?.cache_dir().join("corredor")))
}

/// Who travels where.
#[derive(Clone, Copy)]
pub(super) struct Travel<'a> {
    pub(super) places: &'a Places,
    pub(super) counts: &'a CountModel,
    pub(super) passages: &'a Passages,
}

/// How routes are to be found, and how to say what is going on.
#[derive(Clone, Copy)]
pub(super) struct Way<'a> {
    pub(super) args: RoutingArgs,
    pub(super) lang: Lang,
    pub(super) stop: &'a AtomicBool,
    pub(super) progress: Progress,
}

/// The network of a study, made ready for finding routes.
pub(super) struct Roads<'a> {
    loaded: &'a Loaded,
    way: Way<'a>,
    arcs: Arcs,
    router: Router,
    costs: LinkCosts,
    /// Under a scenario: as they are without it.
    before: Option<LinkCosts>,
}

impl<'a> Roads<'a> {
    /// With `posts`, the links of the posts that stand on a road.
    ///
    /// # Errors
    /// [`Error::Interrupted`] if `stop` was set meanwhile.
    pub(super) fn new(loaded: &'a Loaded, posts: &[Option<LinkId>], way: Way<'a>) -> Result<Self> {
        let Loaded { built, closed, scenario, .. } = loaded;
        let arcs = Arcs::new(&built.network);
        let router = router(&built.network, &arcs, way)?;
        let links = built.network.link_count();
        let costs = |posts: &[Option<LinkId>], closed: &[bool], delay: Option<&[f64]>| {
            let mut on_link = vec![0_u32; links];
            posts.iter().flatten().for_each(|l| on_link[l.index()] += 1);
            let delay = delay.map_or_else(|| vec![1.0; links], <[f64]>::to_vec);
            LinkCosts::new(&built.network, on_link, closed.to_vec(), delay)
        };
        let before = scenario.as_ref().map(|s| costs(&posts[..s.posts_before], &s.closed_before, None));
        let costs = costs(posts, closed, scenario.as_ref().map(|s| s.delay.as_slice()));
        Ok(Self { loaded, way, arcs, router, costs, before })
    }

    /// All draws over the network.
    ///
    /// # Errors
    /// [`Error::Interrupted`] if `stop` was set meanwhile.
    pub(super) fn flows(&self, travel: Travel<'_>) -> Result<Flows> {
        let step = if self.before.is_some() { "draws_after" } else { "draws" };
        let bar = self.way.progress.bar(step, u64::from(self.loaded.study.parameters.draws));
        Flows::run(&self.inputs(travel, &|| bar.inc()))
    }

    /// The same draws without the scenario; `None` where none is in force.
    ///
    /// # Errors
    /// [`Error::Interrupted`] if `stop` was set meanwhile.
    pub(super) fn flows_before(&self, travel: Travel<'_>) -> Result<Option<Flows>> {
        let Some(costs) = &self.before else { return Ok(None) };
        let bar = self.way.progress.bar("draws_before", u64::from(self.loaded.study.parameters.draws));
        Flows::run(&Inputs { costs, profiles: None, ..self.inputs(travel, &|| bar.inc()) }).map(Some)
    }

    /// The first draws, each with few perturbations, where `links` are closed too: enough to see where most of a flow goes.
    ///
    /// # Errors
    /// [`Error::Interrupted`] if `stop` was set meanwhile.
    pub(super) fn flows_when_closed(&self, travel: Travel<'_>, links: &[LinkId]) -> Result<Flows> {
        let mut few = self.loaded.study.clone();
        few.parameters.draws = (few.parameters.draws / 10).clamp(1, CLOSED_DRAWS);
        few.parameters.perturbations = few.parameters.perturbations.min(CLOSED_PERTURBATIONS);
        few.planning.draws = 1;
        let costs = &self.costs.without(links);
        // Whoever passes through a municipality is not asked for here.
        let passages = &Passages::default();
        Flows::run(&Inputs { study: &few, costs, passages, ..self.inputs(travel, &|| ()) })
    }

    /// What the scores of `corridors` hang on, where the study asks for it.
    ///
    /// # Errors
    /// [`Error::Interrupted`] if `stop` was set meanwhile.
    pub(super) fn sensitivity(
        &self,
        travel: Travel<'_>,
        corridors: &[&[LinkId]],
    ) -> Result<Option<Sensitivity>> {
        let n = self.loaded.study.parameters.sensitivity_samples;
        // A scenario is asked for what it changes; what scores hang on is asked of the study as it is.
        if n == 0 || corridors.is_empty() || self.before.is_some() {
            return Ok(None);
        }
        let bar = self.way.progress.bar("sensitivity", u64::from(n));
        let progress = || bar.inc();
        let inputs = self.inputs(travel, &progress);
        Sensitivity::new(&inputs, &self.loaded.built.network, corridors, n).map(Some)
    }

    /// How other models of route choice lead the demand of `flows` over the roads.
    ///
    /// # Errors
    /// [`Error::Interrupted`] if `stop` was set meanwhile.
    pub(super) fn cross_checks(
        &self,
        travel: Travel<'_>,
        flows: &Flows,
        corridors: &[Corridor],
    ) -> Result<Option<CrossChecks>> {
        if self.before.is_some() {
            return Ok(None);
        }
        let network = &self.loaded.built.network;
        self.way.progress.step("cross_checks");
        let inputs = self.inputs(travel, &|| ());
        let links: Vec<&[LinkId]> = corridors.iter().map(|c| c.chain.links.as_slice()).collect();
        let run: Vec<f64> =
            (0..network.link_count()).map(|link| flows.contribution(link).iter().sum()).collect();
        CrossChecks::new(&inputs, network, &links, &run, &flows.params)
    }

    fn inputs<'b>(&'b self, travel: Travel<'b>, progress: &'b (dyn Fn() + Sync)) -> Inputs<'b> {
        let Travel { places, counts, passages } = travel;
        let Self {
            loaded: Loaded { study, scenario, .. }, way: Way { stop, .. }, arcs, router, costs, ..
        } = self;
        let profiles = scenario.as_ref().and_then(|scenario| scenario.profiles.as_ref());
        Inputs { study, places, arcs, router, costs, profiles, counts, passages, stop, progress }
    }
}

/// The router that is asked for. What is to be told of the cache is said at once: none of it changes a result, so
/// that it has no place in one.
fn router(network: &Network, arcs: &Arcs, way: Way<'_>) -> Result<Router> {
    let Way { args, lang, stop, progress } = way;
    if args.router == RouterArg::Dijkstra {
        return Ok(Router::Reference);
    }
    let at: Vec<_> = network.graph().node_weights().map(|junction| junction.at).collect();
    let large = arcs.node_count() >= WORTH_KEEPING;
    if large {
        progress.step("hierarchy");
    }
    let folder = if large && !args.no_cache { cache_folder() } else { None };
    let prepared = Hierarchy::prepare(arcs, &at, folder.as_deref(), stop).ok_or(Error::Interrupted)?;
    for note in &prepared.notes {
        progress.say(&told(note, lang));
    }
    Ok(Router::Kernel(Box::new(prepared.hierarchy)))
}

fn told(note: &CacheNote, lang: Lang) -> String {
    let (key, path, cause) = match note {
        CacheNote::Unreadable { path, source } => ("cache.unreadable", path, Some(source)),
        CacheNote::Damaged { path } => ("cache.damaged", path, None),
        CacheNote::NotWritten { path, source } => ("cache.not_written", path, Some(source)),
    };
    let cause = cause.map(|error| io_cause(lang, error)).unwrap_or_default();
    fill(
        lang,
        key,
        &[("path", path.display().to_string()), ("cause", cause), ("variable", CACHE_VARIABLE.to_owned())],
    )
}
