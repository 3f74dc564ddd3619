//! What finds paths in a run: the hierarchy, from the cache where the network is large, or the reference search.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use etcetera::BaseStrategy;

use crate::cli::args::{RouterArg, RoutingArgs};
use crate::cli::messages::fill;
use crate::cli::progress::Progress;
use crate::corridors::routing::Router;
use crate::error::{Error, Result};
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

/// The router that `args` ask for, on `network`. What is to be told of the cache is said at once: none of it changes a
/// result, so that it has no place in one.
///
/// # Errors
/// [`Error::Interrupted`] if `stop` was set meanwhile.
pub(super) fn router(
    network: &Network,
    arcs: &Arcs,
    args: RoutingArgs,
    lang: Lang,
    stop: &AtomicBool,
    progress: Progress,
) -> Result<Router> {
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
