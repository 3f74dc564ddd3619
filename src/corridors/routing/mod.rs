//! Two ways to find and load cheapest paths, of which both give the same numbers: the reference search, origin by
//! origin and vector by vector, and the hierarchy, with the vectors of a batch side by side.

mod kernel;
mod reference;

use std::borrow::Cow;
use std::sync::atomic::AtomicBool;

use super::choice::LinkCosts;
use super::demand::{OriginClass, Places};
use super::flow::{Loads, PARTS};
use crate::network::cch::{Hierarchy, LANES, Selection};
use crate::network::paths::PathTree;
use crate::network::search::Arcs;

/// Nodes up to which a thread takes draws of its own. On a larger network all threads work on one batch: its arrays are
/// larger than their caches, and as many of them as there are threads may be more than there is memory.
pub const ALONE: usize = 20_000;

/// What finds paths.
#[derive(Debug)]
pub enum Router {
    /// [`crate::network::search`].
    Reference,
    /// [`crate::network::cch`].
    Kernel(Box<Hierarchy>),
}

/// Weights of the links in ms, as [`Routes::arranged`] has them, by lane.
pub(super) type Weights<'a> = &'a [[u32; LANES]];

/// One vector of a batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lane<'a> {
    /// Place of its parameters: lanes of one place have one demand.
    pub(super) row: usize,
    /// Who travels over links.
    pub(super) loads: &'a Loads,
    /// Whether its trees are wanted.
    pub(super) trees: bool,
}

/// A tree that was asked for: of the trips that load links.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visit<'a> {
    /// Index of the origin.
    pub(super) origin: usize,
    /// Lane of the batch.
    pub(super) lane: usize,
    /// The paths.
    pub(super) paths: &'a PathTree,
}

/// What an assignment gives.
pub(super) struct Routed<T> {
    /// By lane: main demand without a way.
    pub(super) unserved: [i64; LANES],
    /// By lane: what was made of each tree, in the order of the origins; empty where none is wanted.
    pub(super) visits: [Vec<T>; LANES],
}

/// A network with origins and destinations.
pub(super) struct Routes<'a> {
    places: &'a Places,
    arcs: &'a Arcs,
    links: usize,
    /// For the hierarchy: pairs by class of origin.
    kernel: Option<(&'a Hierarchy, [Selection; 2])>,
}

impl<'a> Routes<'a> {
    pub(super) fn new(places: &'a Places, arcs: &'a Arcs, links: usize, router: &'a Router) -> Self {
        let kernel = match router {
            Router::Reference => None,
            Router::Kernel(hierarchy) => {
                let select = |class| {
                    let pairs = Selection::new(hierarchy, &places.starts(class), &places.ends);
                    if arcs.node_count() <= ALONE { pairs.on_one_thread() } else { pairs }
                };
                Some((&**hierarchy, [OriginClass::Border, OriginClass::Domestic].map(select)))
            }
        };
        Self { places, arcs, links, kernel }
    }

    /// The costs of links in the order in which weights are given.
    pub(super) fn arranged<'c>(&self, costs: &'c LinkCosts) -> Cow<'c, LinkCosts> {
        match &self.kernel {
            None => Cow::Borrowed(costs),
            Some((hierarchy, _)) => Cow::Owned(costs.arranged(hierarchy.links())),
        }
    }

    /// Threads that each take draws of their own, of `blocks` blocks.
    pub(super) fn workers(&self, blocks: usize) -> usize {
        let all = if self.kernel.is_some() && self.arcs.node_count() > ALONE {
            1
        } else {
            rayon::current_num_threads()
        };
        all.min(blocks)
    }

    /// What one of them works with; once `stop` is set, what it gives is of no use.
    pub(super) fn engine<'s>(&'s self, stop: &'s AtomicBool) -> Engine<'s> {
        match &self.kernel {
            None => {
                Engine::Reference(Box::new(reference::Engine::new(self.places, self.arcs, self.links, stop)))
            }
            Some((hierarchy, pairs)) => Engine::Kernel(Box::new(kernel::Engine::new(hierarchy, pairs))),
        }
    }
}

/// What a thread, or all of them together, route with.
pub(super) enum Engine<'a> {
    Reference(Box<reference::Engine<'a>>),
    Kernel(Box<kernel::Engine<'a>>),
}

impl Engine<'_> {
    /// Distances in ms by `origin * destinations + destination`, in the first `lanes` lanes.
    pub(super) fn distances(&mut self, weights: Weights<'_>, lanes: usize) -> Vec<[u32; LANES]> {
        match self {
            Self::Reference(engine) => engine.distances(weights, lanes),
            Self::Kernel(engine) => engine.distances(weights),
        }
    }

    /// Assigns the loads of `lanes`. `load` is called with a lane, a link, and its parts by class of origin, at most
    /// once for a link and lane; `visit` makes something of each tree that is wanted.
    pub(super) fn assign<T: Send>(
        &mut self,
        weights: Weights<'_>,
        lanes: &[Lane<'_>],
        load: impl FnMut(usize, u32, [&[i64; PARTS]; 2]),
        visit: impl Fn(Visit<'_>) -> T + Sync,
    ) -> Routed<T> {
        match self {
            Self::Reference(engine) => engine.assign(weights, lanes, load, visit),
            Self::Kernel(engine) => engine.assign(weights, lanes, load, visit),
        }
    }
}
