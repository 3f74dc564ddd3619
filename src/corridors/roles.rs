//! What part each municipality has in the modelled trips: recruitment, transit, reception, exploitation.
//!
//! | role | index, a share of all located demand of the draw | what it stands on |
//! |---|---|---|
//! | recruitment | trips that begin there, wherever they end | population and marginación: a quantity of the model |
//! | transit | trips that pass through without beginning or ending there | counts of the others, and the roads |
//! | reception | trips that end there and began elsewhere | its own count, less the trips inside it |
//! | exploitation | located cases that are there, of all located cases | its own count: where exploitation was found |
//!
//! Each trip counts once in each index. An index is one number per draw; mean and quantiles are over draws, of
//! transit over the first ones ([`super::draws::TRANSIT_DRAWS`]), since it needs paths. Where an index would repeat a
//! prior, or the network cannot speak of the place, there is no index but a reason.

use super::draws::{ByMunicipality, Flows};
use super::passage::Passages;
use crate::model::domain::{Domain, Municipality};
use crate::model::incidence::CountDatum;
use crate::network::builder::Built;
use crate::stats::spread;

/// From this many times the even share on, an index is high.
pub const HIGH: f64 = 2.0;

/// An index in three classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The 95 % quantile is at most the even share.
    Low,
    /// Neither low nor high, and not open between them.
    Medium,
    /// The 5 % quantile is at least [`HIGH`] times the even share.
    High,
    /// Not enough data.
    NoData,
}

impl Class {
    /// All classes.
    pub const ALL: [Self; 4] = [Self::High, Self::Medium, Self::Low, Self::NoData];

    /// The name in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::NoData => "no_data",
        }
    }
}

/// Why there are not enough data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The run has no flows: only incidence was asked for.
    NoFlows,
    /// No case was drawn anywhere, or nobody can travel.
    NoDemand,
    /// The seat is not joined to the network.
    OffNetwork,
    /// Nothing is known of the count.
    CountUnknown,
    /// There is no population.
    NoPopulation,
    /// There is no index of marginación.
    NoMarginalization,
    /// There is no polygon.
    NoPolygon,
    /// Several municipalities share the polygon.
    SharedPolygon,
    /// The network has no road inside.
    NoRoad,
    /// The interval reaches from low to high.
    Uncertain,
}

impl Why {
    /// The name in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoFlows => "no_flows",
            Self::NoDemand => "no_demand",
            Self::OffNetwork => "off_network",
            Self::CountUnknown => "count_unknown",
            Self::NoPopulation => "no_population",
            Self::NoMarginalization => "no_marginalization",
            Self::NoPolygon => "no_polygon",
            Self::SharedPolygon => "shared_polygon",
            Self::NoRoad => "no_road",
            Self::Uncertain => "uncertain",
        }
    }
}

/// One role of one municipality.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Index {
    /// Mean, 5 % and 95 % quantile over draws, as shares; `None` where there are not enough data for one.
    pub spread: Option<[f64; 3]>,
    /// The class.
    pub class: Class,
    /// Why the class is [`Class::NoData`].
    pub why: Option<Why>,
    /// What each municipality would have if all had the same: what the class compares with.
    pub even: f64,
}

impl Index {
    const fn missing(why: Why, even: f64) -> Self {
        Self { spread: None, class: Class::NoData, why: Some(why), even }
    }

    fn of(spread: [f64; 3], even: f64) -> Self {
        let class = classify(spread, even);
        let why = (class == Class::NoData).then_some(if even > 0.0 { Why::Uncertain } else { Why::NoDemand });
        Self { spread: Some(spread), class, why, even }
    }
}

/// The class of an interval (mean, 5 %, 95 %) beside an even share. An interval that holds both limits could be of any
/// class: that is no answer.
#[must_use]
pub fn classify([_, p05, p95]: [f64; 3], even: f64) -> Class {
    let limit = HIGH * even;
    if even <= 0.0 || (p05 < even && p95 > limit) {
        Class::NoData
    } else if p05 >= limit {
        Class::High
    } else if p95 <= even {
        Class::Low
    } else {
        Class::Medium
    }
}

/// Located cases by modality; `None` for one whose number is not known.
pub type Modalities = Vec<(String, Option<f64>)>;

/// The roles of one municipality.
#[derive(Debug, Clone, PartialEq)]
pub struct Roles {
    /// Share of trips that begin there.
    pub recruitment: Index,
    /// Share of trips that pass through.
    pub transit: Index,
    /// Whether most of the way through it is drawn schematically: transit is only as good as the lines.
    pub schematic: bool,
    /// Share of trips that arrive from elsewhere.
    pub reception: Index,
    /// Share of located cases.
    pub exploitation: Index,
    /// What is known of its cases by modality. Empty: nothing; never spread from elsewhere.
    pub modalities: Modalities,
}

/// What roles are made from; lists have one entry per municipality.
#[derive(Clone, Copy)]
pub struct RoleInputs<'a> {
    /// The domain.
    pub domain: &'a Domain,
    /// What is known, or released, of the counts: what the flows were drawn from.
    pub data: &'a [CountDatum],
    /// The network.
    pub built: &'a Built,
    /// The ways of its links through municipalities, as the flows had them.
    pub passages: &'a Passages,
    /// All draws.
    pub flows: &'a Flows,
    /// Cases by modality, where they are known.
    pub modalities: Option<&'a [Modalities]>,
}

/// The roles of all municipalities, in their order.
#[must_use]
pub fn roles(inputs: &RoleInputs<'_>) -> Vec<Roles> {
    let RoleInputs { domain, data, built, passages, flows, modalities } = *inputs;
    let n = domain.municipalities.len();
    let all: Vec<usize> = (0..n).collect();
    let on_network: Vec<usize> = all.iter().copied().filter(|&m| built.seats[m].is_some()).collect();
    let with_road: Vec<usize> = all.iter().copied().filter(|&m| passages.has_road(m)).collect();
    let shared = |m: &Municipality| {
        m.polygon_of.is_some()
            || domain.municipalities.iter().any(|other| other.polygon_of.as_deref() == Some(&m.cvegeo))
    };

    let no_flows = flows.municipalities.is_empty().then_some(Why::NoFlows);
    let off_network = |m: usize| built.seats[m].is_none().then_some(Why::OffNetwork);
    let unknown = |m: usize| matches!(data[m], CountDatum::Unknown { .. }).then_some(Why::CountUnknown);
    let recruitment_gap = |m: usize| {
        let place = &domain.municipalities[m];
        let no_people = (place.population <= 0.0).then_some(Why::NoPopulation);
        let no_index = place.marginalization.is_none().then_some(Why::NoMarginalization);
        no_flows.or_else(|| off_network(m)).or(no_people).or(no_index)
    };
    let transit_gap = |m: usize| {
        let shared = shared(&domain.municipalities[m]).then_some(Why::SharedPolygon);
        let no_polygon = (!passages.has_polygon(m)).then_some(Why::NoPolygon);
        no_flows.or(shared).or(no_polygon).or((!passages.has_road(m)).then_some(Why::NoRoad))
    };

    let share = |list: fn(&ByMunicipality) -> &[i64]| {
        move |m: usize| flows.municipalities.iter().map(|d| flows.share(list(d)[m])).collect::<Vec<f64>>()
    };
    let through = |m: usize| flows.through.iter().map(|draw| flows.share(draw[m])).collect();
    let recruitment = indices(n, &on_network, share(|d| &d.begun), recruitment_gap);
    let transit = indices(n, &with_road, through, transit_gap);
    let received_gap = |m| no_flows.or_else(|| off_network(m)).or_else(|| unknown(m));
    let reception = indices(n, &on_network, share(|d| &d.received), received_gap);
    let located: Vec<f64> =
        flows.params.iter().map(|p| p.counts.located.iter().map(|y| f64::from(*y)).sum()).collect();
    let of_located = |m: usize| {
        let one =
            |(p, sum): (&super::params::DrawParams, &f64)| f64::from(p.counts.located[m]) / sum.max(1.0);
        flows.params.iter().zip(&located).map(one).collect()
    };
    let exploitation = indices(n, &all, of_located, unknown);

    all.into_iter()
        .map(|m| Roles {
            recruitment: recruitment[m],
            transit: transit[m],
            schematic: passages.is_schematic(m),
            reception: reception[m],
            exploitation: exploitation[m],
            modalities: modalities.and_then(|list| list.get(m)).cloned().unwrap_or_default(),
        })
        .collect()
}

/// The index of each of `n` municipalities. `value` gives its shares by draw, `gap` why there is none; the even share
/// is the mean over `base`.
fn indices(
    n: usize,
    base: &[usize],
    value: impl Fn(usize) -> Vec<f64>,
    gap: impl Fn(usize) -> Option<Why>,
) -> Vec<Index> {
    let spreads: Vec<[f64; 3]> = (0..n).map(|m| spread(value(m))).collect();
    // Means add up, so that the mean over places of the mean over draws is the mean over draws of that over places.
    let even = base.iter().map(|&m| spreads[m][0]).sum::<f64>() / base.len().max(1) as f64;
    (0..n)
        .map(|m| gap(m).map_or_else(|| Index::of(spreads[m], even), |why| Index::missing(why, even)))
        .collect()
}
