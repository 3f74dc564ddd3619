//! Demand: an attraction-constrained gravity model per class of origin (Wilson 1971), classes normalised
//! apart.
//!
//! `T_ij = D_j [ s · W^b_i e^(−γ c_ij) / Σ_k W^b_k e^(−γ c_kj) + (1−s) · W^d_i e^(−γ c_ij) / Σ_k W^d_k e^(−γ c_kj) ]`
//!
//! Demand is in whole units of 2⁻⁴⁰ of all located cases of the draw, so that sums do not depend on their
//! order. It is computed on the open network: a closure changes the way, not the wish to travel, and what
//! cannot get through is reported as unserved.

use geo::GeodesicArea;

use super::params::DrawParams;
use crate::ids::JunctionId;
use crate::model::domain::Domain;
use crate::model::incidence::CountDatum;
use crate::network::builder::{Access, Built};
use crate::network::search::UNREACHED;

/// Units of demand in all located cases of a draw.
pub const UNIT: f64 = (1_u64 << 40) as f64;

/// Class of an origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OriginClass {
    /// A border crossing.
    Border,
    /// A municipality.
    Domestic,
}

/// Where trips begin.
#[derive(Debug, Clone, Copy)]
pub struct Origin {
    /// Class.
    pub class: OriginClass,
    /// Index of the crossing or municipality.
    pub place: usize,
    /// Access to the network.
    pub access: Access,
}

/// What is at the end of a trip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DestinationClass {
    /// A municipality whose count is a published number.
    Exact,
    /// A municipality whose count is an interval or unknown.
    Censored,
    /// An exit of the region.
    Exit,
}

/// Where trips end.
#[derive(Debug, Clone, Copy)]
pub struct Destination {
    /// Class.
    pub class: DestinationClass,
    /// Index of the municipality or exit.
    pub place: usize,
    /// Access to the network.
    pub access: Access,
}

/// The fixed part of demand: who travels from where to where.
#[derive(Debug, Clone)]
pub struct Places {
    /// Origins, border first.
    pub origins: Vec<Origin>,
    /// Destinations, municipalities first.
    pub destinations: Vec<Destination>,
    /// Their junctions.
    pub ends: Vec<JunctionId>,
    /// By municipality: `(mean − IM) / sd` of marginación, 0 where not known.
    pub marginalization: Vec<f64>,
    /// By municipality: population.
    pub population: Vec<f64>,
    /// By municipality: mean length of a trip inside it, in minutes.
    pub inner_min: Vec<f64>,
    /// By exit: weight.
    pub exit_weights: Vec<f64>,
    /// By crossing: weight, 0 for one that takes no part.
    pub crossing_weights: Vec<f64>,
    /// By junction: whether it is a destination.
    pub is_target: Vec<bool>,
    /// Number of distinct junctions that are destinations.
    pub target_count: usize,
}

/// Speed of trips inside a municipality, km/h.
const INNER_SPEED_KMH: f64 = 30.0;
/// Winding of trips inside a municipality.
const INNER_DETOUR: f64 = 1.3;
/// Radius of a municipality without polygon, km.
const DEFAULT_RADIUS_KM: f64 = 10.0;

impl Places {
    /// Takes the places of `domain` that are on the network; `data` has one entry per municipality.
    #[must_use]
    pub fn new(domain: &Domain, data: &[CountDatum], built: &Built) -> Self {
        let mut origins = Vec::new();
        for (place, (crossing, gate)) in domain.crossings.iter().zip(&built.gates).enumerate() {
            if let (Some(access), true) = (gate, crossing.weight > 0.0) {
                origins.push(Origin { class: OriginClass::Border, place, access: *access });
            }
        }
        let mut destinations = Vec::new();
        for (place, seat) in built.seats.iter().enumerate() {
            if let Some(access) = seat {
                origins.push(Origin { class: OriginClass::Domestic, place, access: *access });
                let class = if data[place].is_censored() {
                    DestinationClass::Censored
                } else {
                    DestinationClass::Exact
                };
                destinations.push(Destination { class, place, access: *access });
            }
        }
        for (place, access) in built.exits.iter().enumerate() {
            if let (Some(access), true) = (access, domain.exits[place].weight > 0.0) {
                destinations.push(Destination { class: DestinationClass::Exit, place, access: *access });
            }
        }
        let mut is_target = vec![false; built.network.junction_count()];
        for d in &destinations {
            is_target[d.access.junction.index()] = true;
        }
        let radius_km = |area_m2: f64| (area_m2 / std::f64::consts::PI).sqrt() / 1000.0;
        Self {
            target_count: is_target.iter().filter(|t| **t).count(),
            is_target,
            marginalization: standardised(domain),
            population: domain.municipalities.iter().map(|m| m.population).collect(),
            inner_min: domain
                .municipalities
                .iter()
                .map(|m| {
                    let radius = m
                        .polygon
                        .as_ref()
                        .map_or(DEFAULT_RADIUS_KM, |p| radius_km(p.geodesic_area_unsigned()));
                    // The mean distance of a disc's points from its centre is two thirds of its radius.
                    radius * 2.0 / 3.0 * INNER_DETOUR / INNER_SPEED_KMH * 60.0
                })
                .collect(),
            exit_weights: domain.exits.iter().map(|e| e.weight).collect(),
            crossing_weights: domain
                .crossings
                .iter()
                .zip(&built.gates)
                .map(|(c, gate)| if gate.is_some() { c.weight } else { 0.0 })
                .collect(),
            origins,
            ends: destinations.iter().map(|d| d.access.junction).collect(),
            destinations,
        }
    }
}

impl Places {
    /// Junctions of the origins of a class, in order.
    #[must_use]
    pub fn starts(&self, class: OriginClass) -> Vec<JunctionId> {
        self.origins.iter().filter(|o| o.class == class).map(|o| o.access.junction).collect()
    }

    /// Takes the crossings that `leave_out` names from the origins; the others share their trips by their own
    /// weights. The road through such a crossing stays.
    pub fn without_border_origins(&mut self, leave_out: impl Fn(usize) -> bool) {
        self.origins.retain(|o| o.class != OriginClass::Border || !leave_out(o.place));
        for (crossing, weight) in self.crossing_weights.iter_mut().enumerate() {
            if leave_out(crossing) {
                *weight = 0.0;
            }
        }
    }
}

/// `(mean − IM) / sd` over the municipalities that have an index.
fn standardised(domain: &Domain) -> Vec<f64> {
    let known: Vec<f64> = domain.municipalities.iter().filter_map(|m| m.marginalization).collect();
    let n = known.len().max(1) as f64;
    let mean = known.iter().sum::<f64>() / n;
    let sd = (known.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
    let z = |v: f64| if sd > 0.0 { (mean - v) / sd } else { 0.0 };
    domain.municipalities.iter().map(|m| m.marginalization.map_or(0.0, z)).collect()
}

/// The demand of one draw: one row per origin, one column per destination, in units.
#[derive(Debug, Clone)]
pub struct Demand {
    columns: usize,
    /// Demand for the drawn counts.
    main: Vec<i64>,
    /// Demand where attraction follows population alone.
    null: Vec<i64>,
    /// Demand of destinations that no origin reaches or that are not on the network, in units of the main
    /// demand.
    pub unreached: i64,
}

impl Demand {
    /// The demand of `params`. `costs` gives unperturbed ms by `origin * destinations + destination`.
    #[must_use]
    pub fn new(places: &Places, params: &DrawParams, costs: impl Fn(usize) -> u32) -> Self {
        let (rows, columns) = (places.origins.len(), places.destinations.len());
        let weights: Vec<f64> = places
            .origins
            .iter()
            .map(|o| match o.class {
                OriginClass::Border => params.crossings.get(o.place).copied().unwrap_or(0.0),
                OriginClass::Domestic => {
                    places.population[o.place] * (params.kappa * places.marginalization[o.place]).exp()
                }
            })
            .collect();
        let attraction = Attraction::new(places, params);
        let mut out = Self {
            columns,
            main: vec![0; rows * columns],
            null: vec![0; rows * columns],
            unreached: units(attraction.off),
        };
        let (mut pull, mut minutes) = (vec![0.0; rows], vec![None; rows]);
        for (j, destination) in places.destinations.iter().enumerate() {
            let (mut sums, mut least) = ([0.0; 2], [f64::INFINITY; 2]);
            for (i, origin) in places.origins.iter().enumerate() {
                let cost = cost_minutes(places, origin, destination, costs(i * columns + j));
                minutes[i] = cost.filter(|_| weights[i] > 0.0);
                let least = &mut least[origin.class as usize];
                *least = minutes[i].map_or(*least, |c| c.min(*least));
            }
            for (i, origin) in places.origins.iter().enumerate() {
                let class = origin.class as usize;
                // Relative to the nearest origin: far destinations must not underflow to no demand.
                pull[i] = minutes[i].map_or(0.0, |c| weights[i] * (-params.gamma * (c - least[class])).exp());
                sums[class] += pull[i];
            }
            let border = match (sums[0] > 0.0, sums[1] > 0.0) {
                (true, true) => params.border_share,
                (true, false) => 1.0,
                (false, true) => 0.0,
                (false, false) => {
                    out.unreached += units(attraction.main[j]);
                    continue;
                }
            };
            for (i, origin) in places.origins.iter().enumerate() {
                let (class, share) = match origin.class {
                    OriginClass::Border => (0, border),
                    OriginClass::Domestic => (1, 1.0 - border),
                };
                if pull[i] > 0.0 {
                    let part = share * pull[i] / sums[class];
                    out.main[i * columns + j] = units(attraction.main[j] * part);
                    out.null[i * columns + j] = units(attraction.null[j] * part);
                }
            }
        }
        out
    }

    /// Main and null demand of origin `i` for each destination.
    #[must_use]
    pub fn row(&self, i: usize) -> (&[i64], &[i64]) {
        let range = i * self.columns..(i + 1) * self.columns;
        (&self.main[range.clone()], &self.null[range])
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a share of at most 1 times 2^40")]
fn units(share: f64) -> i64 {
    (share * UNIT).round() as i64
}

/// Minutes from an origin to a destination; `None` if there is no way.
fn cost_minutes(places: &Places, origin: &Origin, destination: &Destination, ms: u32) -> Option<f64> {
    if is_inner(origin, destination) {
        return Some(places.inner_min[origin.place]);
    }
    (ms != UNREACHED).then(|| f64::from(ms) / 60_000.0 + origin.access.time.0 + destination.access.time.0)
}

/// Whether a trip stays inside one municipality, and so loads no link.
#[must_use]
pub fn is_inner(origin: &Origin, destination: &Destination) -> bool {
    origin.class == OriginClass::Domestic
        && destination.class != DestinationClass::Exit
        && origin.place == destination.place
}

/// Attraction of each destination, as shares that add to 1 with those of municipalities off the network.
struct Attraction {
    main: Vec<f64>,
    null: Vec<f64>,
    /// Main share of municipalities off the network.
    off: f64,
}

impl Attraction {
    fn new(places: &Places, params: &DrawParams) -> Self {
        let counts = params.counts.guiding_counts();
        let located: f64 = counts.iter().map(|&y| f64::from(y)).sum();
        let people: f64 = places.population.iter().sum();
        let exit_total: f64 = places
            .destinations
            .iter()
            .filter(|d| d.class == DestinationClass::Exit)
            .map(|d| places.exit_weights[d.place])
            .sum();
        let exit_share = if exit_total > 0.0 { params.exit_share } else { 0.0 };
        let share = |value: f64, of: f64| if of > 0.0 { (1.0 - exit_share) * value / of } else { 0.0 };
        let (mut main, mut null) = (Vec::new(), Vec::new());
        let mut off_network = vec![true; places.population.len()];
        for d in &places.destinations {
            if d.class == DestinationClass::Exit {
                let part = exit_share * places.exit_weights[d.place] / exit_total;
                main.push(if located > 0.0 { part } else { 0.0 });
                null.push(part);
            } else {
                off_network[d.place] = false;
                main.push(share(f64::from(counts[d.place]), located));
                null.push(share(places.population[d.place], people));
            }
        }
        let off = off_network
            .iter()
            .zip(counts)
            .filter(|(off, _)| **off)
            .map(|(_, y)| share(f64::from(*y), located))
            .sum();
        Self { main, null, off }
    }
}
