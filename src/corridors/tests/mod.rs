//! Tests of the stage: demand, flows, corridors.

mod changing;
mod choosing;
mod demanding;
mod describing;
mod extracting;
mod flowing;
mod passing;
mod sensing;
mod using;

use std::sync::atomic::AtomicBool;

use crate::corridors::choice::LinkCosts;
use crate::corridors::demand::Places;
use crate::corridors::draws::{Flows, Inputs};
use crate::corridors::params::DrawParams;
use crate::corridors::passage::Passages;
use crate::corridors::routing::Router;
use crate::ids::JunctionId;
use crate::incidence::{CountCell, CountDraw, CountModel, CountOptions};
use crate::model::domain::{Direction, Domain};
use crate::model::incidence::CountDatum;
use crate::model::study::{Profiles, Study};
use crate::network::builder::{Access, Built};
use crate::network::cch::Hierarchy;
use crate::network::graph::Network;
use crate::network::search::Arcs;
use crate::network::tests::support::{circle, crossing, domain, exit, municipality, network};
use crate::units::{Metres, Minutes};

/// Where things stand on a network that is made directly, by junction.
#[derive(Debug, Clone, Default)]
pub(super) struct Sites {
    /// Population, count and junction of each municipality; without a junction it is off the network.
    pub(super) municipalities: Vec<(f64, CountDatum, Option<usize>)>,
    pub(super) gates: Vec<usize>,
    pub(super) exits: Vec<(f64, usize)>,
}

/// A domain and a built network as if they had come from files.
pub(super) struct Case {
    pub(super) domain: Domain,
    pub(super) built: Built,
    pub(super) data: Vec<CountDatum>,
    pub(super) closed: Vec<bool>,
    pub(super) delay: Vec<f64>,
    pub(super) profiles: Option<Profiles>,
}

impl Case {
    pub(super) fn new(network: Network, sites: &Sites) -> Self {
        let access = |n: usize| {
            let junction = JunctionId(u32::try_from(n).unwrap());
            Some(Access { junction, distance: Metres(0.0), time: Minutes(0.0) })
        };
        let mut all = domain(Vec::new());
        for (i, (population, datum, _)) in (7001..).zip(&sites.municipalities) {
            let mut m = municipality(i, *population);
            m.datum = *datum;
            all.municipalities.push(m);
        }
        all.crossings =
            (0..sites.gates.len()).map(|i| crossing(&format!("c{i}"), (0.0, 0.0), None)).collect();
        all.exits = sites
            .exits
            .iter()
            .enumerate()
            .map(|(i, (w, _))| exit(&format!("x{i}"), *w, (0.0, 0.0)))
            .collect();
        Self {
            data: sites.municipalities.iter().map(|m| m.1).collect(),
            domain: all,
            closed: vec![false; network.link_count()],
            delay: vec![1.0; network.link_count()],
            profiles: None,
            built: Built {
                seats: sites.municipalities.iter().map(|m| m.2.and_then(access)).collect(),
                gates: sites.gates.iter().map(|g| access(*g)).collect(),
                exits: sites.exits.iter().map(|e| access(e.1)).collect(),
                towns: Vec::new(),
                posts: Vec::new(),
                unsnapped: Vec::new(),
                degenerate: Vec::new(),
                torn: Vec::new(),
                loose: Vec::new(),
                bans_applied: 0,
                bans_failed: Vec::new(),
                network,
            },
        }
    }

    pub(super) fn places(&self) -> Places {
        Places::new(&self.domain, &self.data, &self.built)
    }

    pub(super) fn passages(&self) -> Passages {
        Passages::new(&self.built.network, &self.domain)
    }

    /// The flows of a run, which both routers agree on.
    pub(super) fn flows(&self, study: &Study) -> Flows {
        let arcs = Arcs::new(&self.built.network);
        let at: Vec<_> = self.built.network.graph().node_weights().map(|j| j.at).collect();
        let kernel = self.routed(study, &arcs, &Router::Kernel(Box::new(Hierarchy::new(&arcs, &at))));
        let reference = self.routed(study, &arcs, &Router::Reference);
        assert_eq!(fingerprint(&kernel), fingerprint(&reference));
        kernel
    }

    pub(super) fn routed(&self, study: &Study, arcs: &Arcs, router: &Router) -> Flows {
        let cells: Vec<CountCell> = self
            .domain
            .municipalities
            .iter()
            .map(|m| CountCell { exposure: m.population, datum: m.datum })
            .collect();
        let counts = CountModel::prepare(&cells, study.incidence.total, &CountOptions::default()).unwrap();
        let network = &self.built.network;
        let costs =
            LinkCosts::new(network, vec![0; network.link_count()], self.closed.clone(), self.delay.clone());
        Flows::run(&Inputs {
            study,
            places: &self.places(),
            arcs,
            router,
            costs: &costs,
            profiles: self.profiles.as_ref(),
            counts: &counts,
            passages: &self.passages(),
            stop: &AtomicBool::new(false),
            progress: &|| (),
        })
        .unwrap()
    }
}

/// Every number of a run as text.
pub(super) fn fingerprint(flows: &Flows) -> String {
    format!(
        "{:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        flows.loads,
        flows.border,
        flows.fate,
        flows.municipalities,
        flows.through,
        flows.contributions,
        flows.within_variance,
        flows.trees
    )
}

/// Parameters of a draw in which the located counts are known.
pub(crate) fn params(located: &[u32], crossings: usize) -> DrawParams {
    DrawParams {
        draw: 0,
        counts: CountDraw {
            total: located.to_vec(),
            located: located.to_vec(),
            unlocated: 0,
            rate: vec![1e-5; located.len()],
            common_rate: 1e-5,
            heterogeneity: 0.0,
            pi: 0.0,
            levelled: None,
        },
        border_share: 0.36,
        exit_share: 0.2,
        gamma: 0.02,
        kappa: 0.0,
        route_variance: 0.0,
        speed_factor: [1.0; 6],
        crossing_min: 0.0,
        profiles: [1.0, 0.0, 0.0],
        crossings: vec![1.0 / crossings.max(1) as f64; crossings],
        detection: 0.1,
        profile_offset: 0.0,
    }
}

/// Places in which each junction is the seat of a municipality of its own, off the table of inner trips: border
/// origins, so that all trips load links.
pub(crate) fn single_places(n: usize) -> Places {
    let sites = Sites {
        municipalities: (0..n).map(|i| (1.0, CountDatum::Exact(1), Some(i))).collect(),
        gates: (0..n).collect(),
        exits: Vec::new(),
    };
    let arcs: Vec<_> = (0..n).map(|i| (i, (i + 1) % n, 1.0, Direction::Both)).collect();
    let mut places = Case::new(network(&circle(n), &arcs), &sites).places();
    places.origins.truncate(n);
    places
}
