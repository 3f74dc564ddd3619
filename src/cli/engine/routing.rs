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
use crate::corridors::demand::Places;
use crate::corridors::draws::{Flows, Inputs};
use crate::corridors::passage::Passages;
use crate::corridors::routing::Router;
use crate::error::{Error, Result};
use crate::ids::LinkId;
use crate::incidence::CountModel;
use crate::layers::feature::Lang;
use crate::network::cch::{CacheNote, Hierarchy};
use crate::network::graph::Network;
use crate::network::search::Arcs;

/// Nodes from which on a hierarchy is kept between runs: a smaller one is made in less time than a user notices.
const WORTH_KEEPING: usize = 20_000;

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
    /// Links of the posts that stand on a road.
    pub(super) posts: &'a [Option<LinkId>],
}

/// How routes are to be found, and how to say what is going on.
#[derive(Clone, Copy)]
pub(super) struct Way<'a> {
    pub(super) args: RoutingArgs,
    pub(super) lang: Lang,
    pub(super) stop: &'a AtomicBool,
    pub(super) progress: Progress,
}

/// All draws over the network.
///
/// # Errors
/// [`Error::Interrupted`] if `stop` was set meanwhile.
pub(super) fn route(loaded: &Loaded, travel: Travel<'_>, way: Way<'_>) -> Result<Flows> {
    let Loaded { study, built, closed, .. } = loaded;
    let Travel { places, counts, passages, posts } = travel;
    let arcs = &Arcs::new(&built.network);
    let router = &router(&built.network, arcs, way)?;
    let mut on_link = vec![0_u32; built.network.link_count()];
    posts.iter().flatten().for_each(|l| on_link[l.index()] += 1);
    let costs = &LinkCosts::new(&built.network, on_link, closed.clone());
    let bar = way.progress.bar("draws", u64::from(study.parameters.draws));
    let (stop, progress): (_, &(dyn Fn() + Sync)) = (way.stop, &|| bar.inc());
    Flows::run(&Inputs { study, places, arcs, router, costs, counts, passages, stop, progress })
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
