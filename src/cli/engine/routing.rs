//! Routes of a run, by the hierarchy, which is kept between runs where the network is large, or by the reference
//! search.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use etcetera::BaseStrategy;

use crate::cli::args::{RouterArg, RoutingArgs};
use crate::cli::messages::fill;
use crate::cli::progress::Progress;
use crate::corridors::choice::LinkCosts;
use crate::corridors::demand::Places;
use crate::corridors::draws::{Flows, Inputs};
use crate::corridors::passage::Passages;
use crate::corridors::routing::Router;
use crate::error::{Error, Result};
use crate::ids::LinkId;
use crate::incidence::CountModel;
use crate::layers::feature::Lang;
use crate::model::study::{Profiles, Study};
use crate::network::cch::{CacheNote, Hierarchy};
use crate::network::graph::Network;
use crate::network::search::Arcs;

/// Nodes from which on a hierarchy is kept between runs: a smaller one is made in less time than a user notices.
const WORTH_KEEPING: usize = 20_000;

/// Draws with which it is looked at what takes over when a corridor is closed, and perturbations of each.
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

/// The state of the roads, and how people behave on them.
#[derive(Clone, Copy)]
pub(super) struct State<'a> {
    /// By link: whether it is closed.
    pub(super) closed: &'a [bool],
    /// Links of the posts that stand on a road.
    pub(super) posts: &'a [Option<LinkId>],
    /// By link: factor on its time.
    pub(super) delay: Option<&'a [f64]>,
    /// Behaviour in the place of the study's.
    pub(super) profiles: Option<&'a Profiles>,
}

/// How routes are to be found, and how to say what is going on.
#[derive(Clone, Copy)]
pub(super) struct Way<'a> {
    pub(super) args: RoutingArgs,
    pub(super) lang: Lang,
    pub(super) stop: &'a AtomicBool,
    pub(super) progress: Progress,
}

/// What finds routes on a network.
pub(super) struct Routing {
    arcs: Arcs,
    router: Router,
}

impl Routing {
    /// Makes it ready.
    ///
    /// # Errors
    /// [`Error::Interrupted`] if `way.stop` was set meanwhile.
    pub(super) fn new(network: &Network, way: Way<'_>) -> Result<Self> {
        let arcs = Arcs::new(network);
        let router = router(network, &arcs, way)?;
        Ok(Self { arcs, router })
    }

    /// All draws of `study` over the network in a state; `progress` is called after each.
    ///
    /// # Errors
    /// [`Error::Interrupted`] if `stop` was set meanwhile.
    pub(super) fn flows(
        &self,
        study: &Study,
        network: &Network,
        travel: Travel<'_>,
        state: State<'_>,
        (stop, progress): (&AtomicBool, &(dyn Fn() + Sync)),
    ) -> Result<Flows> {
        let Travel { places, counts, passages } = travel;
        let State { closed, posts, delay, profiles } = state;
        let links = network.link_count();
        let mut on_link = vec![0_u32; links];
        posts.iter().flatten().for_each(|l| on_link[l.index()] += 1);
        let delay = delay.map_or_else(|| vec![1.0; links], <[f64]>::to_vec);
        let costs = &LinkCosts::new(network, on_link, closed.to_vec(), delay);
        let (arcs, router) = (&self.arcs, &self.router);
        Flows::run(&Inputs { study, places, arcs, router, costs, profiles, counts, passages, stop, progress })
    }

    /// The first draws of `study`, each with few perturbations, where `links` are closed too: enough to see where most
    /// of a flow goes.
    ///
    /// # Errors
    /// Those of [`Self::flows`].
    pub(super) fn flows_when_closed(
        &self,
        study: &Study,
        network: &Network,
        travel: Travel<'_>,
        state: State<'_>,
        links: &[LinkId],
        stop: &AtomicBool,
    ) -> Result<Flows> {
        let mut few = study.clone();
        few.parameters.draws = few.parameters.draws.min(CLOSED_DRAWS);
        few.parameters.perturbations = few.parameters.perturbations.min(CLOSED_PERTURBATIONS);
        few.planning.draws = 1;
        let mut closed = state.closed.to_vec();
        links.iter().for_each(|link| closed[link.index()] = true);
        // Whoever passes through a municipality is not asked for here.
        let travel = Travel { passages: &Passages::default(), ..travel };
        self.flows(&few, network, travel, State { closed: &closed, ..state }, (stop, &|| ()))
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
    let cause = cause.map(ToString::to_string).unwrap_or_default();
    fill(
        lang,
        key,
        &[("path", path.display().to_string()), ("cause", cause), ("variable", CACHE_VARIABLE.to_owned())],
    )
}
