//! Which uncertain input decides how much of a corridor's score: indices of Sobol' over groups of parameters.
//!
//! The corridors are those of the run; a score is the mean share of demand on a corridor's links, weighted by length.
//! Inputs are grouped as they are drawn: what is drawn jointly is one group, and groups take disjoint stretches of
//! the random stream of a draw, so that they are independent. A row of the design is one vector of parameters with
//! all its route perturbations, which the rows of one base sample share: a group that does nothing changes nothing,
//! and what travellers differ in does not pass for something that is not known. How much it makes all the same is
//! the index of a group of its own ([`Factor::Travellers`]).
//!
//! Rows that differ in demand alone take the same routes: they are assigned side by side, as parts of one load.

use std::ops::Range;

use rand::RngExt;

use super::demand::{OriginClass, Places, UNIT};
use super::draws::Inputs;
use super::flow::{Loads, PARTS, main_units};
use super::params::{DrawParams, draw_from, stream};
use super::sobol::{Outputs, Sobol, sobol};
use super::sweep::{Sweep, Trips, Vector, each};
use crate::error::Result;
use crate::ids::LinkId;
use crate::model::prior::Prior;
use crate::model::study::Study;
use crate::network::cch::LANES;
use crate::network::graph::{LinkKind, Network};

/// Corridors that are looked at: the first by rank.
pub const LEADING: usize = 10;

/// Repetitions of the bootstrap.
pub const RESAMPLES: u32 = 1_000;

/// A score that varies by less is taken as one that does not vary: flows are counted in 2⁻³⁰ of the demand.
const LEAST_SD: f64 = 1e-9;

/// A group of uncertain inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Factor {
    /// Unknown counts, the share without a place and rates, all drawn from one posterior.
    Counts,
    /// Decay of demand with time.
    Gamma,
    /// Weight of marginación in recruitment.
    Kappa,
    /// Share of border origins.
    BorderShare,
    /// Weights of the crossings.
    Crossings,
    /// Share of the exits.
    ExitShare,
    /// Variance of perceived cost.
    RouteVariance,
    /// Speeds of all classes of road.
    Speeds,
    /// Time lost at a crossing.
    CrossingTime,
    /// Shares of the behaviour profiles.
    Profiles,
    /// How travellers differ: the perturbations themselves. Not something that is unknown; it is what is left of
    /// chance in the mean over the perturbations of a draw.
    Travellers,
}

impl Factor {
    /// All groups.
    pub const ALL: [Self; 11] = [
        Self::Counts,
        Self::Gamma,
        Self::Kappa,
        Self::BorderShare,
        Self::Crossings,
        Self::ExitShare,
        Self::RouteVariance,
        Self::Speeds,
        Self::CrossingTime,
        Self::Profiles,
        Self::Travellers,
    ];

    /// The code in files; its words are `value.CODE` in `locales/`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Counts => "counts",
            Self::Gamma => "gamma",
            Self::Kappa => "kappa",
            Self::BorderShare => "border_share",
            Self::Crossings => "crossing_weights",
            Self::ExitShare => "exit_share",
            Self::RouteVariance => "route_variance",
            Self::Speeds => "speeds",
            Self::CrossingTime => "crossing_time",
            Self::Profiles => "profiles",
            Self::Travellers => "travellers",
        }
    }

    /// Takes the group into a row from another vector.
    fn take(self, row: &mut DrawParams, from: &DrawParams) {
        match self {
            Self::Counts => row.counts.clone_from(&from.counts),
            Self::Gamma => row.gamma = from.gamma,
            Self::Kappa => row.kappa = from.kappa,
            Self::BorderShare => row.border_share = from.border_share,
            Self::Crossings => row.crossings.clone_from(&from.crossings),
            Self::ExitShare => row.exit_share = from.exit_share,
            Self::RouteVariance => row.route_variance = from.route_variance,
            Self::Speeds => row.speed_factor = from.speed_factor,
            Self::CrossingTime => row.crossing_min = from.crossing_min,
            Self::Profiles => row.profiles = from.profiles,
            Self::Travellers => {
                row.draw = from.draw;
                row.profile_offset = from.profile_offset;
            }
        }
    }

    /// Whether the group can change anything: not where it is given as known, nor where what it speaks of is not
    /// there. One that can and does not has a total index of exactly 0.
    #[must_use]
    pub fn varies(self, study: &Study, network: &Network, places: &Places) -> bool {
        let p = &study.parameters;
        let unknown = |prior: Prior| !matches!(prior, Prior::Fixed(_));
        let from = |class| places.origins.iter().any(|o| o.class == class);
        match self {
            Self::Counts | Self::Travellers => true,
            Self::Gamma => unknown(p.gamma),
            Self::Kappa => unknown(p.kappa) && places.marginalization.iter().any(|z| z.abs() > 0.0),
            Self::BorderShare => {
                unknown(p.border_share) && from(OriginClass::Border) && from(OriginClass::Domestic)
            }
            Self::Crossings => places.crossing_weights.iter().filter(|w| **w > 0.0).count() > 1,
            Self::ExitShare => unknown(p.exit_share) && places.exit_weights.iter().any(|w| *w > 0.0),
            Self::RouteVariance => unknown(p.route_variance_min),
            Self::Speeds => unknown(p.speed_factor),
            Self::CrossingTime => {
                let mut links = network.links();
                unknown(p.crossing_min) && links.any(|(_, link)| matches!(link.kind, LinkKind::Gate { .. }))
            }
            Self::Profiles => {
                [p.profiles.fast, p.profiles.avoids_posts, p.profiles.minor_roads]
                    .iter()
                    .filter(|weight| **weight > 0.0)
                    .count()
                    > 1
            }
        }
    }
}

/// What is found of the leading corridors.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sensitivity {
    /// Base samples.
    pub n: u32,
    /// Vectors of parameters that were worked off.
    pub rows: u32,
    /// Groups that can change something, in the order of [`Factor::ALL`].
    pub factors: Vec<Factor>,
    /// By corridor.
    pub corridors: Vec<Sobol>,
}

impl Sensitivity {
    /// Indices of `corridors`, lists of links that share none, over `n` base samples. `inputs.progress` is called once
    /// for each base sample.
    ///
    /// # Errors
    /// [`crate::error::Error::Interrupted`] if `inputs.stop` was set.
    pub fn new(inputs: &Inputs<'_>, network: &Network, corridors: &[&[LinkId]], n: u32) -> Result<Self> {
        let varies = |f: &Factor| f.varies(inputs.study, network, inputs.places);
        let factors: Vec<Factor> = Factor::ALL.into_iter().filter(varies).collect();
        let gauge = Gauge::corridors(network, corridors);
        let values = measure(inputs, &gauge, n, |j| design(inputs, &factors, j))?;
        let resamples = resamples(inputs.study.seed, n);
        let of = |corridor: usize| {
            let row = |place: usize| values.iter().map(|rows| rows[place][corridor]).collect::<Vec<f64>>();
            let ab = (0..factors.len()).map(|i| row(2 + i)).collect();
            let shared = factors.iter().position(|f| *f == Factor::Travellers);
            sobol(&Outputs { a: row(0), b: row(1), ab, shared }, &resamples, LEAST_SD)
        };
        Ok(Self {
            n,
            rows: n * u32::try_from(2 + factors.len()).unwrap_or(u32::MAX),
            corridors: (0..corridors.len()).filter_map(of).collect(),
            factors,
        })
    }

    /// Place of a group among those of a corridor.
    #[must_use]
    pub fn place(&self, factor: Factor) -> Option<usize> {
        self.factors.iter().position(|f| *f == factor)
    }
}

/// The rows of base sample `j`: A, B, and A with each of `factors` from B. All but those that take how travellers
/// differ from B have the perturbations of A.
pub(super) fn design(inputs: &Inputs<'_>, factors: &[Factor], j: u32) -> Vec<DrawParams> {
    let Inputs { study, places, counts, .. } = inputs;
    let vector = |purpose: &str, number: u32| {
        draw_from(study, counts, &places.crossing_weights, number, &mut stream(purpose, study.seed, j))
    };
    // Perturbations have the number of a draw in their key: two numbers for each base sample.
    let a = vector("sensitivity a", 2 * j);
    let other = vector("sensitivity b", 2 * j + 1);
    let mut b = other.clone();
    Factor::Travellers.take(&mut b, &a);
    let with = |factor: &Factor| {
        let mut row = a.clone();
        factor.take(&mut row, &other);
        row
    };
    let mixed: Vec<DrawParams> = factors.iter().map(with).collect();
    [a, b].into_iter().chain(mixed).collect()
}

/// The base samples of each repetition of the bootstrap.
fn resamples(seed: u64, n: u32) -> Vec<Vec<u32>> {
    let one = |repetition| {
        let mut rng = stream("sensitivity bootstrap", seed, repetition);
        (0..n).map(|_| rng.random_range(0..n)).collect()
    };
    (0..RESAMPLES).map(one).collect()
}

const NONE: u32 = u32::MAX;

/// What is measured of the flow: sums over links, each link in at most one of them.
#[derive(Debug, Clone)]
pub(super) struct Gauge {
    /// By link: number of its sum, or [`NONE`].
    sum: Vec<u32>,
    /// By link: its weight.
    weight: Vec<u64>,
    /// By sum: what it is divided by.
    whole: Vec<u64>,
}

impl Gauge {
    /// The scores of corridors.
    pub(super) fn corridors(network: &Network, corridors: &[&[LinkId]]) -> Self {
        let mut out = Self {
            sum: vec![NONE; network.link_count()],
            weight: network.links().map(|(_, link)| link.length.millimetres()).collect(),
            whole: Vec::new(),
        };
        for (number, links) in (0..).zip(corridors) {
            links.iter().for_each(|link| out.sum[link.index()] = number);
            out.whole.push(links.iter().map(|link| out.weight[link.index()]).sum());
        }
        out
    }

    /// The share of demand on each link.
    pub(super) fn links(links: usize) -> Self {
        let number = u32::try_from(links).unwrap_or(NONE);
        Self { sum: (0..number).collect(), weight: vec![1; links], whole: vec![1; links] }
    }

    fn add(&self, sums: &mut [u128], link: u32, units: i64) {
        let number = self.sum[link as usize] as usize;
        if let Some(sum) = sums.get_mut(number) {
            *sum += u128::from(units.unsigned_abs()) * u128::from(self.weight[link as usize]);
        }
    }

    fn values(&self, sums: &[u128], perturbations: u32) -> Vec<f64> {
        let value = |(sum, whole): (&u128, &u64)| {
            if *whole > 0 { *sum as f64 / (*whole as f64 * UNIT * f64::from(perturbations)) } else { 0.0 }
        };
        sums.iter().zip(&self.whole).map(value).collect()
    }
}

/// Number of a unit, and what is measured of it by row and sum.
type Measured = (u32, Vec<Vec<f64>>);

/// By unit, row and sum: what `gauge` measures of the rows of units `0..units`, the mean over the perturbations of a
/// row as a share of located cases. Sums are of integers.
///
/// # Errors
/// [`crate::error::Error::Interrupted`] if `inputs.stop` was set.
pub(super) fn measure(
    inputs: &Inputs<'_>,
    gauge: &Gauge,
    units: u32,
    rows: impl Fn(u32) -> Vec<DrawParams> + Sync,
) -> Result<Vec<Vec<Vec<f64>>>> {
    let work = |sweep: &mut Sweep<'_>, done: &mut Vec<Measured>, range: Range<u32>| {
        for unit in range {
            let values = one(inputs, gauge, sweep, rows(unit))?;
            done.push((unit, values));
            (inputs.progress)();
        }
        Some(())
    };
    let mut all: Vec<_> = each(inputs, units, 1, Vec::new, work)?.into_iter().flatten().collect();
    all.sort_by_key(|(unit, _)| *unit);
    Ok(all.into_iter().map(|(_, values)| values).collect())
}

/// Rows that take the same routes.
struct Together {
    rows: Vec<usize>,
    /// The parameters of one of them, and the demand of each as a part of one load.
    trips: Trips,
}

fn one(
    inputs: &Inputs<'_>,
    gauge: &Gauge,
    sweep: &mut Sweep<'_>,
    rows: Vec<DrawParams>,
) -> Option<Vec<Vec<f64>>> {
    let perturbations = inputs.study.parameters.perturbations;
    let mut sums = vec![vec![0_u128; gauge.whole.len()]; rows.len()];
    let together = join(sweep.trips(rows)?);
    let trips: Vec<&Trips> = together.iter().map(|t| &t.trips).collect();
    let vectors: Vec<Vector> =
        (0..trips.len()).flat_map(|t| (0..perturbations).map(move |r| (t, r))).collect();
    for batch in vectors.chunks(LANES) {
        if sweep.stopped() {
            return None;
        }
        let load = |place: usize, link: u32, parts: [&[i64; PARTS]; 2]| {
            for (part, row) in together[batch[place].0].rows.iter().enumerate() {
                gauge.add(&mut sums[*row], link, parts[0][part] + parts[1][part]);
            }
        };
        sweep.assign(&trips, batch, |_| false, load, |_| ());
    }
    Some(sums.iter().map(|sums| gauge.values(sums, perturbations)).collect())
}

/// Puts those of `trips` together that take the same routes, as many as a load has parts.
fn join(trips: Vec<Trips>) -> Vec<Together> {
    let mut groups: Vec<Vec<(usize, Trips)>> = Vec::new();
    for (row, trips) in trips.into_iter().enumerate() {
        let fits = |group: &&mut Vec<(usize, Trips)>| {
            group.len() < PARTS && same_routes(&group[0].1.params, &trips.params)
        };
        match groups.iter_mut().find(fits) {
            Some(group) => group.push((row, trips)),
            None => groups.push(vec![(row, trips)]),
        }
    }
    let join = |group: Vec<(usize, Trips)>| {
        let parts = [0, 1].map(|class| {
            let pairs = group[0].1.loads.parts[class].len();
            let part = |pair: usize, p: usize| {
                group.get(p).map_or(0, |(_, trips)| main_units(&trips.loads.parts[class][pair]))
            };
            (0..pairs).map(|pair| std::array::from_fn(|p| part(pair, p))).collect()
        });
        let rows = group.iter().map(|(row, _)| *row).collect();
        let first = group.into_iter().next();
        first.map(|(_, trips)| Together { rows, trips: Trips { loads: Loads { parts, inner: 0 }, ..trips } })
    };
    groups.into_iter().filter_map(join).collect()
}

/// Whether travellers under two vectors see the same costs: all of it that [`super::choice`] looks at.
fn same_routes(a: &DrawParams, b: &DrawParams) -> bool {
    let seen = |p: &DrawParams| {
        let [fast, posts, minor] = p.profiles;
        let rest = [p.route_variance, p.crossing_min, p.profile_offset, fast, posts, minor];
        (p.draw, p.speed_factor.map(f64::to_bits), rest.map(f64::to_bits))
    };
    seen(a) == seen(b)
}
