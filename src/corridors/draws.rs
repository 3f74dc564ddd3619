//! The Monte Carlo over everything: draws in parallel, each with its perturbations.
//!
//! A draw is one vector of parameters; a link's flow in the draw is the mean over its perturbations. Draws
//! are independent and their sums are integers, so that neither the number of threads nor the order of
//! work changes a byte of the result, and ranges of draws can be merged.

use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use super::choice::{LinkCosts, profile_of};
use super::demand::{Demand, DestinationClass, OriginClass, Places, UNIT, is_inner};
use super::flow::{Fate, PARTS, Tree, assign};
use super::params::{self, DrawParams};
use super::passage::{Passages, Walk};
use crate::error::{Error, Result};
use crate::incidence::CountModel;
use crate::model::study::Study;
use crate::network::search::{Arcs, Search};

/// Parts of the mean flow of a link: border and domestic origins, each to exact, censored and exit
/// destinations.
pub const CONTRIBUTIONS: usize = 6;

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
    /// Costs of its links.
    pub costs: &'a LinkCosts,
    /// Counts.
    pub counts: &'a CountModel,
    /// The ways of links through municipalities.
    pub passages: &'a Passages,
    /// Set from outside to stop.
    pub stop: &'a AtomicBool,
    /// Called once for each draw that is done.
    pub progress: &'a (dyn Fn() + Sync),
}

/// Trips of one draw by municipality, in units summed over perturbations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ByMunicipality {
    /// Begin there, wherever they end.
    pub begun: Vec<i64>,
    /// End there and began elsewhere.
    pub received: Vec<i64>,
    /// Pass through without beginning or ending there, each trip once; see [`super::passage`].
    pub through: Vec<i64>,
}

impl ByMunicipality {
    /// What `demand` says of beginnings and ends; nothing passes yet. It counts all who wish to travel, also those
    /// that a closure leaves without a way.
    fn new(places: &Places, demand: &Demand, perturbations: u32) -> Self {
        let zeros = vec![0; places.population.len()];
        let mut out = Self { begun: zeros.clone(), received: zeros.clone(), through: zeros };
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
    /// Flow in units, summed over perturbations: by draw, by link.
    pub main: Vec<Vec<i64>>,
    /// The same where attraction follows population alone.
    pub null: Vec<Vec<i64>>,
    /// Demand of each border origin in units, by draw.
    pub border: Vec<Vec<i64>>,
    /// What became of the demand, summed over perturbations, by draw.
    pub fate: Vec<Fate>,
    /// Trips by municipality, by draw.
    pub municipalities: Vec<ByMunicipality>,
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
    main: Vec<i64>,
    null: Vec<i64>,
    border: Vec<i64>,
    fate: Fate,
    municipalities: ByMunicipality,
    trees: Option<Vec<Tree>>,
}

/// Sums over draws of one thread.
struct Sums {
    contributions: Vec<[i64; CONTRIBUTIONS]>,
    /// Perturbations times the sum of squares less the square of the sum, over 2^24, summed over draws.
    scatter: Vec<u128>,
}

impl Sums {
    fn new(links: usize) -> Self {
        Self { contributions: vec![[0; CONTRIBUTIONS]; links], scatter: vec![0; links] }
    }

    fn merge(mut self, other: &Self) -> Self {
        for (a, b) in self.contributions.iter_mut().zip(&other.contributions) {
            for (x, y) in a.iter_mut().zip(b) {
                *x += y;
            }
        }
        for (a, b) in self.scatter.iter_mut().zip(&other.scatter) {
            *a += b;
        }
        self
    }
}

/// Buffers of one thread.
struct Workspace {
    search: Search,
    weights: Vec<u32>,
    costs: Vec<u32>,
    nodes: Vec<[i64; PARTS]>,
    links: [Vec<[i64; PARTS]>; 2],
    number: Vec<u32>,
    tree: Tree,
    walk: Walk,
}

impl Flows {
    /// Runs draws `0..study.parameters.draws`.
    ///
    /// # Errors
    /// [`Error::Interrupted`] if `inputs.stop` was set.
    pub fn run(inputs: &Inputs<'_>) -> Result<Self> {
        let draws = inputs.study.parameters.draws;
        let links = inputs.costs.len();
        let kept = kept_draws(inputs);
        let (mut list, sums) = (0..draws)
            .into_par_iter()
            .fold(
                || (Vec::new(), Sums::new(links), None),
                |(mut list, mut sums, space): (Vec<OneDraw>, Sums, Option<Workspace>), draw| {
                    let mut space = space.unwrap_or_else(|| Workspace::new(inputs.arcs, links));
                    if !inputs.stop.load(Ordering::Relaxed) {
                        list.push(one_draw(inputs, draw, draw < kept, &mut space, &mut sums));
                        (inputs.progress)();
                    }
                    (list, sums, Some(space))
                },
            )
            .map(|(list, sums, _)| (list, sums))
            .reduce(
                || (Vec::new(), Sums::new(links)),
                |(mut a, sums), (b, other)| {
                    a.extend(b);
                    (a, sums.merge(&other))
                },
            );
        if inputs.stop.load(Ordering::Relaxed) {
            return Err(Error::Interrupted);
        }
        list.sort_by_key(|d| d.params.draw);
        let perturbations = inputs.study.parameters.perturbations;
        let r = f64::from(perturbations);
        // scatter = R Σx² − (Σx)², so the variance is scatter / R²; with one perturbation there is none.
        let scale = r * r * UNIT * UNIT / f64::from(1_u32 << 24) * f64::from(draws);
        let mut out = Self {
            perturbations,
            contributions: sums.contributions,
            within_variance: sums.scatter.iter().map(|&s| s as f64 / scale).collect(),
            ..Self::default()
        };
        for draw in list {
            out.params.push(draw.params);
            out.main.push(draw.main);
            out.null.push(draw.null);
            out.border.push(draw.border);
            out.fate.push(draw.fate);
            out.municipalities.push(draw.municipalities);
            out.trees.extend(draw.trees);
        }
        Ok(out)
    }

    /// Number of draws.
    #[must_use]
    pub fn draws(&self) -> usize {
        self.main.len()
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

/// How many draws keep their trees, so that memory stays bounded whatever the network.
fn kept_draws(inputs: &Inputs<'_>) -> u32 {
    let destinations = inputs.places.destinations.len();
    // A tree cannot be larger than the network; a path of a state network has some hundred junctions.
    let tree = inputs.arcs.node_count().min(destinations * 100) + destinations;
    let draw = (inputs.places.origins.len() * tree).max(1);
    let fit = u32::try_from(KEPT_ENTRIES / draw).unwrap_or(u32::MAX).max(1);
    inputs.study.planning.draws.min(fit)
}

impl Workspace {
    fn new(arcs: &Arcs, links: usize) -> Self {
        let nodes = arcs.node_count();
        Self {
            search: Search::new(arcs),
            weights: Vec::with_capacity(links),
            costs: Vec::new(),
            nodes: vec![[0; PARTS]; nodes],
            links: [vec![[0; PARTS]; links], vec![[0; PARTS]; links]],
            number: vec![u32::MAX; nodes],
            tree: Tree::default(),
            walk: Walk::default(),
        }
    }
}

fn one_draw(inputs: &Inputs<'_>, draw: u32, keep: bool, space: &mut Workspace, sums: &mut Sums) -> OneDraw {
    let Inputs { study, places, arcs, costs, passages, .. } = inputs;
    let params = params::draw(study, inputs.counts, &places.crossing_weights, draw);
    let profiles = &study.parameters.profiles;
    costs.unperturbed(&params, profiles, &mut space.weights);
    space.costs.clear();
    for origin in &places.origins {
        space.search.run(
            arcs,
            &space.weights,
            origin.access.junction,
            &places.is_target,
            places.target_count,
        );
        space.costs.extend(places.destinations.iter().map(|d| space.search.distance(d.access.junction)));
    }
    let demand = Demand::new(places, &params, &space.costs);
    let border = places
        .origins
        .iter()
        .enumerate()
        .filter(|(_, o)| o.class == OriginClass::Border)
        .map(|(i, _)| demand.row(i).0.iter().sum())
        .collect();

    let links = costs.len();
    let perturbations = study.parameters.perturbations;
    let (mut main, mut null, mut squares) = (vec![0_i64; links], vec![0_i64; links], vec![0_u128; links]);
    let mut fate = Fate { unserved: demand.unreached * i64::from(perturbations), ..Fate::default() };
    let mut municipalities = ByMunicipality::new(places, &demand, perturbations);
    let mut trees = keep.then(Vec::new);
    for r in 0..perturbations {
        let profile = profile_of(&params, r, perturbations);
        costs.perturbed(study.seed, &params, profile, profiles, r, &mut space.weights);
        for parts in &mut space.links {
            parts.fill([0; PARTS]);
        }
        for (i, origin) in places.origins.iter().enumerate() {
            space.search.run(
                arcs,
                &space.weights,
                origin.access.junction,
                &places.is_target,
                places.target_count,
            );
            let row = demand.row(i);
            let flows = &mut space.links[origin.class as usize];
            fate += assign(places, origin, row, &space.search, &mut space.nodes, flows);
            if !passages.is_empty() {
                space.tree.refill(places, origin, row.0, &space.search, &mut space.number);
                space.walk.add(passages, places, origin, &space.tree, &mut municipalities.through);
            }
            if let (Some(trees), true) = (&mut trees, r == draw % perturbations) {
                trees.push(Tree::new(places, origin, row.0, &space.search, &mut space.number));
            }
        }
        let [from_border, from_inside] = &space.links;
        for link in 0..links {
            let (a, b) = (&from_border[link], &from_inside[link]);
            let contributions = [a[0], a[1], a[2], b[0], b[1], b[2]];
            let flow: i64 = contributions.iter().sum();
            main[link] += flow;
            null[link] += a[PARTS - 1] + b[PARTS - 1];
            squares[link] += u128::from(flow.unsigned_abs()).pow(2);
            for (sum, part) in sums.contributions[link].iter_mut().zip(contributions) {
                *sum += part;
            }
        }
    }
    for link in 0..links {
        let scatter =
            u128::from(perturbations) * squares[link] - u128::from(main[link].unsigned_abs()).pow(2);
        sums.scatter[link] += scatter >> 24;
    }
    OneDraw { params, main, null, border, fate, municipalities, trees }
}
