//! From vectors of parameters to trips on links: the one way, for the draws of a run, for the rows of a sensitivity
//! analysis and for whatever else has parameters.
//!
//! Units of work are taken by threads as they come, each with a [`Sweep`] of its own. What is summed must not depend
//! on which thread took what.

use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};

use rayon::prelude::*;

use super::choice::{LinkCosts, Traveller, profile_of};
use super::demand::Demand;
use super::draws::Inputs;
use super::flow::{Loads, PARTS};
use super::params::DrawParams;
use super::routing::{Engine, Lane, Routed, Routes, Visit};
use crate::error::{Error, Result};
use crate::network::cch::LANES;

/// Parameters, and who travels under them.
pub(super) struct Trips {
    pub(super) params: DrawParams,
    pub(super) demand: Demand,
    pub(super) loads: Loads,
}

/// One perturbation to be assigned: a place among the rows, and its number.
pub(super) type Vector = (usize, u32);

/// What one thread works with, or all of them together on a large network.
pub(super) struct Sweep<'a> {
    inputs: &'a Inputs<'a>,
    /// In the order of the weights.
    costs: &'a LinkCosts,
    engine: Engine<'a>,
    weights: Vec<[u32; LANES]>,
}

/// Works off units `0..count`, `step` at a time: `start` makes what a thread sums in, `work` adds a range of units to it.
/// What all threads have summed comes back in no particular order.
///
/// # Errors
/// [`Error::Interrupted`] if `inputs.stop` was set.
pub(super) fn each<W: Send>(
    inputs: &Inputs<'_>,
    count: u32,
    step: u32,
    start: impl Fn() -> W + Sync,
    work: impl Fn(&mut Sweep<'_>, &mut W, Range<u32>) -> Option<()> + Sync,
) -> Result<Vec<W>> {
    let routes = Routes::new(inputs.places, inputs.arcs, inputs.costs.len(), inputs.router);
    let costs = routes.arranged(inputs.costs);
    let next = AtomicU32::new(0);
    let step = step.max(1);
    let one = |_| {
        let engine = routes.engine(inputs.stop);
        let mut sweep = Sweep { inputs, costs: &costs, engine, weights: Vec::new() };
        let mut sums = start();
        loop {
            let first = next.fetch_add(step, Ordering::Relaxed);
            if first >= count {
                break;
            }
            if work(&mut sweep, &mut sums, first..(first + step).min(count)).is_none() {
                break;
            }
        }
        sums
    };
    let threads = routes.workers(count.div_ceil(step) as usize);
    let sums = (0..threads).into_par_iter().with_max_len(1).map(one).collect();
    if inputs.stop.load(Ordering::Relaxed) { Err(Error::Interrupted) } else { Ok(sums) }
}

impl Sweep<'_> {
    /// Whether the run is to stop.
    pub(super) fn stopped(&self) -> bool {
        self.inputs.stop.load(Ordering::Relaxed)
    }

    /// Who travels under each of `params`: the open network as their travellers plan on it, as many views of it side by
    /// side as there are lanes; vectors that share a view share its distances. `None` if the run is to stop.
    pub(super) fn trips(&mut self, params: Vec<DrawParams>) -> Option<Vec<Trips>> {
        let Inputs { places, .. } = self.inputs;
        // What planning looks at.
        let view = |p: &DrawParams| (p.speed_factor.map(f64::to_bits), p.crossing_min.to_bits());
        let mut views: Vec<(usize, Vec<(usize, DrawParams)>)> = Vec::new();
        for (row, params) in params.into_iter().enumerate() {
            match views.iter_mut().find(|(_, of)| view(&of[0].1) == view(&params)) {
                Some((_, of)) => of.push((row, params)),
                None => views.push((views.len() % LANES, vec![(row, params)])),
            }
        }
        let mut out: Vec<(usize, Trips)> = Vec::new();
        while !views.is_empty() {
            let rest = views.split_off(views.len().min(LANES));
            let planning: Vec<Traveller<'_>> =
                views.iter().map(|(_, of)| Traveller::Planning { params: &of[0].1 }).collect();
            self.costs.perceived(&planning, self.inputs.behaviour(), &mut self.weights);
            if self.stopped() {
                return None;
            }
            let table = self.engine.distances(&self.weights, planning.len());
            let rows: Vec<(usize, (usize, DrawParams))> =
                views.into_iter().flat_map(|(lane, of)| of.into_iter().map(move |row| (lane, row))).collect();
            let trips = |(lane, (row, params)): (usize, (usize, DrawParams))| {
                let demand = Demand::new(places, &params, |pair| table[pair][lane]);
                (row, Trips { loads: Loads::new(places, &demand), demand, params })
            };
            out.par_extend(rows.into_par_iter().map(trips));
            views = rest;
        }
        out.sort_by_key(|(row, _)| *row);
        Some(out.into_iter().map(|(_, trips)| trips).collect())
    }

    /// Assigns the vectors of `batch`, of which there are no more than lanes: perturbations of `rows`, each with a
    /// profile and errors of its own. `trees` says whether the trees of a vector are wanted. `load` is called with a
    /// place in the batch, a link, and its parts by class of origin, at most once for a link and place; `visit` makes
    /// something of each tree.
    pub(super) fn assign<T: Send>(
        &mut self,
        rows: &[&Trips],
        batch: &[Vector],
        trees: impl Fn(Vector) -> bool,
        load: impl FnMut(usize, u32, [&[i64; PARTS]; 2]),
        visit: impl Fn(Visit<'_>) -> T + Sync,
    ) -> Routed<T> {
        let study = self.inputs.study;
        let travelling: Vec<Traveller<'_>> = batch
            .iter()
            .map(|&(row, r)| {
                let params = &rows[row].params;
                let profile = profile_of(params, r, study.parameters.perturbations);
                Traveller::Travelling { seed: study.seed, params, profile, perturbation: r }
            })
            .collect();
        self.costs.perceived(&travelling, self.inputs.behaviour(), &mut self.weights);
        let lanes: Vec<Lane<'_>> = batch
            .iter()
            .map(|&(row, r)| Lane { row, loads: &rows[row].loads, trees: trees((row, r)) })
            .collect();
        self.engine.assign(&self.weights, &lanes, load, visit)
    }
}
