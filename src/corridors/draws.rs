//! The Monte Carlo over everything: draws, each with its perturbations.
//!
//! A draw is one vector of parameters; a link's flow in the draw is the mean over its perturbations. Draws are worked
//! off in blocks: the open network as their travellers plan on it, as many draws side by side as a batch has lanes,
//! and then the perturbations of all of them, one batch after the other. Sums are integers, so that neither the
//! number of threads nor the order of work, nor what finds the paths, changes a byte of the result, and ranges of
//! draws can be merged.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64};

use super::choice::LinkCosts;
use super::demand::{Demand, DestinationClass, OriginClass, Places, UNIT, is_inner};
use super::flow::{Fate, PARTS, Tree};
use super::params::{self, DrawParams};
use super::passage::{Passages, Walk};
use super::routing::{Router, Visit};
use super::score::Scores;
use super::sweep::{Sweep, Trips, Vector, each};
use super::table::{DrawFlows, FlowTable, LinkFlow};
use crate::error::Result;
use crate::incidence::CountModel;
use crate::model::study::{Profiles, Study};
use crate::network::cch::LANES;
use crate::network::search::Arcs;

/// Parts of the mean flow of a link: border and domestic origins, each to exact, censored and exit
/// destinations.
pub const CONTRIBUTIONS: usize = 6;

/// Draws that transit is taken from at least, as far as there are so many: their quantiles decide classes, and how
/// many paths planning keeps must not.
pub const TRANSIT_DRAWS: u32 = 100;

/// Largest number of tree nodes and leaves that are kept for planning: 30 million take some 400 MB.
const KEPT_ENTRIES: usize = 30_000_000;

/// What goes into a run of draws.
pub struct Inputs<'a> {
    /// The study.
    pub study: &'a Study,
    /// Who travels from where to where.
    pub places: &'a Places,
    /// Arcs of the network.
    pub arcs: &'a Arcs,
    /// What finds cheapest paths on them.
    pub router: &'a Router,
    /// Costs of its links.
    pub costs: &'a LinkCosts,
    /// Behaviour in the place of the study's, as a scenario has it.
    pub profiles: Option<&'a Profiles>,
    /// Counts.
    pub counts: &'a CountModel,
    /// The ways of links through municipalities.
    pub passages: &'a Passages,
    /// Set from outside to stop.
    pub stop: &'a AtomicBool,
    /// Called once for each draw that is done.
    pub progress: &'a (dyn Fn() + Sync),
}

impl Inputs<'_> {
    /// How travellers behave.
    pub(super) fn behaviour(&self) -> &Profiles {
        self.profiles.unwrap_or(&self.study.parameters.profiles)
    }
}

/// Trips of one draw by municipality, in units summed over perturbations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ByMunicipality {
    /// Begin there, wherever they end.
    pub begun: Vec<i64>,
    /// End there and began elsewhere.
    pub received: Vec<i64>,
}

impl ByMunicipality {
    /// What `demand` says of beginnings and ends. It counts all who wish to travel, also those that a closure leaves
    /// without a way.
    fn new(places: &Places, demand: &Demand, perturbations: u32) -> Self {
        let zeros = vec![0; places.population.len()];
        let mut out = Self { begun: zeros.clone(), received: zeros };
        for (i, origin) in places.origins.iter().enumerate() {
            for (destination, units) in places.destinations.iter().zip(demand.row(i).0) {
                let units = units * i64::from(perturbations);
                if origin.class == OriginClass::Domestic {
                    out.begun[origin.place] += units;
                }
                if destination.class != DestinationClass::Exit && !is_inner(origin, destination) {
                    out.received[destination.place] += units;
                }
            }
        }
        out
    }
}

/// Flows of all draws.
#[derive(Debug, Clone, Default)]
pub struct Flows {
    /// Perturbations in each draw.
    pub perturbations: u32,
    /// Parameters, by draw.
    pub params: Vec<DrawParams>,
    /// Flows on links, by draw, summed over perturbations.
    pub loads: FlowTable,
    /// Demand of each border origin in units, by draw.
    pub border: Vec<Vec<i64>>,
    /// What became of the demand, summed over perturbations, by draw.
    pub fate: Vec<Fate>,
    /// Trips by municipality, by draw.
    pub municipalities: Vec<ByMunicipality>,
    /// By draw, of the first ones ([`TRANSIT_DRAWS`], or more if planning keeps more): by municipality, trips that
    /// pass through without beginning or ending there, each trip once, summed over perturbations; see
    /// [`super::passage`].
    pub through: Vec<Vec<i64>>,
    /// By link: the main flow by contribution, summed over draws and perturbations.
    pub contributions: Vec<[i64; CONTRIBUTIONS]>,
    /// By link: variance of the flow share within draws, mean over draws.
    pub within_variance: Vec<f64>,
    /// Trees by kept draw and origin: of one perturbation of each draw, the next one in the next draw, so that
    /// all behaviour profiles are among them in their shares.
    pub trees: Vec<Vec<Tree>>,
}

/// One draw's results.
struct OneDraw {
    params: DrawParams,
    loads: DrawFlows,
    border: Vec<i64>,
    fate: Fate,
    municipalities: ByMunicipality,
    through: Option<Vec<i64>>,
    trees: Option<Vec<Tree>>,
}

/// Sums over draws of one worker.
struct Sums {
    contributions: Vec<[i64; CONTRIBUTIONS]>,
    /// Perturbations times the sum of squares less the square of the sum, over 2^24, summed over draws.
    scatter: Vec<u128>,
}

impl Sums {
    fn new(links: usize) -> Self {
        Self { contributions: vec![[0; CONTRIBUTIONS]; links], scatter: vec![0; links] }
    }

    fn add(&mut self, link: u32, [border, domestic]: [&[i64; PARTS]; 2]) {
        let parts = border[..PARTS - 1].iter().chain(&domestic[..PARTS - 1]);
        self.contributions[link as usize].iter_mut().zip(parts).for_each(|(sum, part)| *sum += part);
    }

    fn merge(mut self, other: &Self) -> Self {
        for (a, b) in self.contributions.iter_mut().zip(&other.contributions) {
            a.iter_mut().zip(b).for_each(|(x, y)| *x += y);
        }
        self.scatter.iter_mut().zip(&other.scatter).for_each(|(a, b)| *a += b);
        self
    }
}

/// What a link carries in a draw.
#[derive(Debug, Clone, Copy)]
struct Carried {
    link: u32,
    flow: LinkFlow,
    /// Sum over perturbations of the square of the main flow.
    squares: u128,
}

impl Carried {
    fn add(&mut self, other: &Self) {
        self.flow.main += other.flow.main;
        self.flow.null += other.flow.null;
        self.squares += other.squares;
    }
}

/// What the links carry in a draw, as it comes in.
#[derive(Debug, Clone, Default)]
struct Carrying(Vec<Carried>);

impl Carrying {
    fn add(&mut self, link: u32, parts: [&[i64; PARTS]; 2]) {
        let main: i64 = parts.iter().flat_map(|p| &p[..PARTS - 1]).sum();
        let null = parts.iter().map(|p| p[PARTS - 1]).sum();
        let squares = u128::from(main.unsigned_abs()).pow(2);
        let new = Carried { link, flow: LinkFlow { main, null }, squares };
        match self.0.last_mut().filter(|last| last.link == link) {
            Some(last) => last.add(&new),
            None => self.0.push(new),
        }
    }

    /// By link, ascending.
    fn by_link(mut self) -> Vec<Carried> {
        self.0.sort_by_key(|c| c.link);
        self.0.dedup_by(|next, kept| {
            let same = next.link == kept.link;
            if same {
                kept.add(next);
            }
            same
        });
        self.0
    }
}

/// A draw that is being made.
struct Making {
    trips: Trips,
    carrying: Carrying,
    unserved: i64,
    /// By municipality, where transit is looked at.
    through: Option<Vec<AtomicI64>>,
    /// Where trees are kept.
    trees: Option<Vec<Tree>>,
}

impl Flows {
    /// Runs draws `0..study.parameters.draws`.
    ///
    /// # Errors
    /// [`Error::Interrupted`] if `inputs.stop` was set.
    pub fn run(inputs: &Inputs<'_>) -> Result<Self> {
        let (draws, links) = (inputs.study.parameters.draws, inputs.costs.len());
        let kept = kept_draws(inputs);
        let lanes = u32::try_from(LANES).unwrap_or(1);
        let start = || Worker {
            inputs,
            kept,
            table: FlowTable::new(links, inputs.study.parameters.perturbations),
            sums: Sums::new(links),
            walks: Mutex::default(),
            done: Vec::new(),
        };
        let workers = each(inputs, draws, lanes, start, |sweep, worker, draws| worker.block(sweep, draws))?;
        let (mut list, mut sums) = (Vec::new(), Sums::new(links));
        for worker in workers {
            list.extend(worker.done);
            sums = sums.merge(&worker.sums);
        }
        list.sort_by_key(|d| d.params.draw);
        let perturbations = inputs.study.parameters.perturbations;
        let r = f64::from(perturbations);
        // scatter = R Σx² − (Σx)², so the variance is scatter / R²; with one perturbation there is none.
        let scale = r * r * UNIT * UNIT / f64::from(1_u32 << 24) * f64::from(draws);
        let mut out = Self {
            perturbations,
            loads: FlowTable::new(links, perturbations),
            contributions: sums.contributions,
            within_variance: sums.scatter.iter().map(|&s| s as f64 / scale).collect(),
            ..Self::default()
        };
        for draw in list {
            out.params.push(draw.params);
            out.loads.push(draw.loads);
            out.border.push(draw.border);
            out.fate.push(draw.fate);
            out.municipalities.push(draw.municipalities);
            out.through.extend(draw.through);
            out.trees.extend(draw.trees);
        }
        Ok(out)
    }

    /// Number of draws of flows.
    #[must_use]
    pub const fn draws(&self) -> usize {
        self.loads.draws()
    }

    /// Number of draws in which nobody travels: no case is located in them.
    #[must_use]
    pub fn without_demand(&self) -> usize {
        self.fate.iter().filter(|f| f.served + f.inner + f.unserved == 0).count()
    }

    /// A sum over perturbations as a share of located cases.
    #[must_use]
    pub fn share(&self, units: i64) -> f64 {
        units as f64 / (UNIT * f64::from(self.perturbations.max(1)))
    }

    /// Contributions to the mean share of a link.
    #[must_use]
    pub fn contribution(&self, link: usize) -> [f64; CONTRIBUTIONS] {
        let draws = self.draws().max(1) as f64;
        self.contributions[link].map(|units| self.share(units) / draws)
    }
}

impl Scores for Flows {
    fn items(&self) -> usize {
        self.loads.links()
    }

    fn draws(&self) -> usize {
        self.loads.draws()
    }

    fn has_null(&self) -> bool {
        true
    }

    fn within(&self, draw: usize, links: Range<usize>) -> impl Iterator<Item = (usize, [f64; 2])> {
        let shares = |(link, flow): (usize, LinkFlow)| (link, [flow.main, flow.null].map(|u| self.share(u)));
        self.loads.within(draw, links).map(shares)
    }
}

/// How many draws keep their trees, so that memory stays bounded whatever the network.
fn kept_draws(inputs: &Inputs<'_>) -> u32 {
    let destinations = inputs.places.destinations.len();
    // A tree cannot be larger than the network; a path of a state network has some hundred junctions.
    let tree = inputs.arcs.node_count().min(destinations * 100) + destinations;
    let draw = (inputs.places.origins.len() * tree).max(1);
    let fit = u32::try_from(KEPT_ENTRIES / draw).unwrap_or(u32::MAX).max(1);
    inputs.study.planning.draws.min(fit)
}

/// What makes blocks of draws.
struct Worker<'a> {
    inputs: &'a Inputs<'a>,
    /// Draws whose trees are kept.
    kept: u32,
    /// Holds nothing: it tells how flows are kept.
    table: FlowTable,
    sums: Sums,
    /// Buffers for walking trees that nobody uses just now.
    walks: Mutex<Vec<Walk>>,
    done: Vec<OneDraw>,
}

impl Worker<'_> {
    /// The parameters of a draw. A scenario's behaviour is the draw's own, tilted, so that nothing else differs.
    fn parameters(&self, draw: u32) -> DrawParams {
        let Inputs { study, places, counts, profiles, .. } = self.inputs;
        let mut params = params::draw(study, counts, &places.crossing_weights, draw);
        if let Some(profiles) = profiles {
            params.profiles = params::tilted(params.profiles, &study.parameters.profiles, profiles);
        }
        params
    }

    /// Makes `draws`; `None` if the run is to stop.
    fn block(&mut self, sweep: &mut Sweep<'_>, draws: Range<u32>) -> Option<()> {
        let Inputs { study, .. } = self.inputs;
        let params = draws.map(|draw| self.parameters(draw)).collect();
        let mut making: Vec<Making> =
            sweep.trips(params)?.into_iter().map(|trips| self.begin(trips)).collect();
        let perturbations = study.parameters.perturbations;
        let vectors: Vec<Vector> =
            (0..making.len()).flat_map(|m| (0..perturbations).map(move |r| (m, r))).collect();
        for batch in vectors.chunks(LANES) {
            if sweep.stopped() {
                return None;
            }
            self.assign(sweep, batch, &mut making);
        }
        for draw in making {
            let draw = self.finish(draw);
            self.done.push(draw);
        }
        Some(())
    }

    fn begin(&self, trips: Trips) -> Making {
        let Inputs { study, places, passages, .. } = self.inputs;
        let draw = trips.params.draw;
        let transit = draw < study.planning.draws.max(TRANSIT_DRAWS) && !passages.is_empty();
        Making {
            carrying: Carrying::default(),
            unserved: 0,
            through: transit.then(|| places.population.iter().map(|_| AtomicI64::new(0)).collect()),
            trees: (draw < self.kept).then(Vec::new),
            trips,
        }
    }

    /// Assigns the vectors of `batch`: places among `making` with numbers of perturbations.
    fn assign(&mut self, sweep: &mut Sweep<'_>, batch: &[Vector], making: &mut [Making]) {
        let Inputs { study, places, arcs, passages, .. } = self.inputs;
        let perturbations = study.parameters.perturbations;
        let rows: Vec<&Trips> = making.iter().map(|draw| &draw.trips).collect();
        let kept = |(m, r): Vector| {
            let draw: &Making = &making[m];
            draw.trees.is_some() && r == draw.trips.params.draw % perturbations
        };
        let trees = |(m, r): Vector| making[m].through.is_some() || kept((m, r));
        let visit = |Visit { origin, lane, paths }: Visit<'_>| -> Option<Tree> {
            let (draw, keep) = (&making[batch[lane].0], kept(batch[lane]));
            let may_return = keep && arcs.node_count() > arcs.junction_count();
            let tree =
                Tree::new(paths, draw.trips.demand.row(origin).0, |node| arcs.junction_of(node), may_return);
            if let Some(through) = &draw.through {
                let mut walk = self.walks.lock().ok().and_then(|mut idle| idle.pop()).unwrap_or_default();
                walk.add(passages, places, &places.origins[origin], &tree, through);
                if let Ok(mut idle) = self.walks.lock() {
                    idle.push(walk);
                }
            }
            keep.then_some(tree)
        };
        let mut carrying: Vec<Carrying> = batch.iter().map(|_| Carrying::default()).collect();
        // Lanes of one draw that follow each other are taken together.
        let slot: Vec<usize> = batch.iter().map(|(m, _)| m - batch[0].0).collect();
        let load = |lane: usize, link: u32, parts: [&[i64; PARTS]; 2]| {
            carrying[slot[lane]].add(link, parts);
            self.sums.add(link, parts);
        };
        let routed = sweep.assign(&rows, batch, trees, load, visit);
        for (((m, _), unserved), trees) in batch.iter().zip(routed.unserved).zip(routed.visits) {
            let draw = &mut making[*m];
            draw.unserved += unserved;
            if let Some(list) = &mut draw.trees {
                list.extend(trees.into_iter().flatten());
            }
        }
        for (slot, carrying) in carrying.into_iter().enumerate().filter(|(_, c)| !c.0.is_empty()) {
            making[batch[0].0 + slot].carrying.0.extend(carrying.0);
        }
    }

    fn finish(&mut self, draw: Making) -> OneDraw {
        let Inputs { study, places, progress, .. } = self.inputs;
        let Making { trips: Trips { params, demand, loads }, carrying, unserved, through, trees } = draw;
        let perturbations = study.parameters.perturbations;
        let r = i64::from(perturbations);
        let carried = carrying.by_link();
        for Carried { link, flow, squares } in &carried {
            let scatter = u128::from(perturbations) * squares - u128::from(flow.main.unsigned_abs()).pow(2);
            self.sums.scatter[*link as usize] += scatter >> 24;
        }
        let is_border = |(i, o): (usize, &super::demand::Origin)| {
            (o.class == OriginClass::Border).then(|| demand.row(i).0.iter().sum())
        };
        progress();
        OneDraw {
            border: places.origins.iter().enumerate().filter_map(is_border).collect(),
            fate: Fate {
                served: loads.outer() * r - unserved,
                inner: loads.inner * r,
                unserved: unserved + demand.unreached * r,
            },
            municipalities: ByMunicipality::new(places, &demand, perturbations),
            through: through.map(|list| list.into_iter().map(AtomicI64::into_inner).collect()),
            loads: self.table.packed(carried.into_iter().map(|c| (c.link, c.flow))),
            params,
            trees,
        }
    }
}
