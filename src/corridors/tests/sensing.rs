//! Sensitivity of whole runs on small networks.

use std::sync::atomic::AtomicBool;

use super::flowing::{N, arcs, sites, uncertain};
use super::{Case, Sites};
use crate::corridors::choice::LinkCosts;
use crate::corridors::cross_check::CrossChecks;
use crate::corridors::draws::Inputs;
use crate::corridors::params::DrawParams;
use crate::corridors::routing::Router;
use crate::corridors::sensitivity::{Factor, Gauge, Sensitivity, design, measure};
use crate::error::{Error, Result};
use crate::ids::LinkId;
use crate::incidence::{CountCell, CountModel, CountOptions};
use crate::model::domain::Direction;
use crate::model::incidence::CountDatum::Exact;
use crate::model::prior::Prior;
use crate::model::study::Study;
use crate::network::cch::Hierarchy;
use crate::network::search::Arcs;
use crate::network::tests::support::{circle, network};
use proptest::prelude::*;

impl Case {
    /// What `of` makes of everything that goes into a run.
    pub(super) fn with_inputs<T>(
        &self,
        study: &Study,
        kernel: bool,
        stop: bool,
        of: impl FnOnce(&Inputs<'_>) -> T,
    ) -> T {
        let cells: Vec<CountCell> = self
            .domain
            .municipalities
            .iter()
            .map(|m| CountCell { exposure: m.population, datum: m.datum })
            .collect();
        let network = &self.built.network;
        let arcs = Arcs::new(network);
        let at: Vec<_> = network.graph().node_weights().map(|j| j.at).collect();
        let router =
            if kernel { Router::Kernel(Box::new(Hierarchy::new(&arcs, &at))) } else { Router::Reference };
        of(&Inputs {
            study,
            places: &self.places(),
            arcs: &arcs,
            router: &router,
            costs: &LinkCosts::new(
                network,
                vec![0; network.link_count()],
                self.closed.clone(),
                self.delay.clone(),
            ),
            profiles: None,
            counts: &CountModel::prepare(&cells, study.incidence.total, &CountOptions::default()).unwrap(),
            passages: &self.passages(),
            stop: &AtomicBool::new(stop),
            progress: &|| (),
        })
    }

    fn sensed(
        &self,
        study: &Study,
        corridors: &[&[LinkId]],
        n: u32,
        kernel: bool,
        stop: bool,
    ) -> Result<Sensitivity> {
        let network = &self.built.network;
        self.with_inputs(study, kernel, stop, |inputs| Sensitivity::new(inputs, network, corridors, n))
    }
}

fn in_pool<T: Send>(threads: usize, of: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(of)
}

fn links(of: std::ops::Range<u32>) -> Vec<LinkId> {
    of.map(LinkId).collect()
}

/// Two municipalities and a gate on a line with a way around; all demand of a known size.
fn line() -> Case {
    let arcs = [
        (0, 1, 30.0, Direction::Both),
        (1, 2, 20.0, Direction::Both),
        (0, 3, 28.0, Direction::Both),
        (3, 2, 24.0, Direction::Both),
        (2, 4, 15.0, Direction::Both),
    ];
    let sites = Sites {
        municipalities: vec![(1000.0, Exact(30), Some(1)), (3000.0, Exact(20), Some(2))],
        gates: vec![0],
        exits: vec![(1.0, 4)],
    };
    Case::new(network(&circle(5), &arcs), &sites)
}

/// A ring with chords on which everything is uncertain, counts too.
fn busy() -> Case {
    let ring = (0..N).map(|i| (i, (i + 1) % N, 11.0 + i as f64, Direction::Both));
    let chords =
        [(0, 5, 40.0, Direction::Both), (2, 9, 35.0, Direction::Forward), (7, 12, 30.0, Direction::Both)];
    Case::new(network(&circle(N), &ring.chain(chords).collect::<Vec<_>>()), &sites())
}

/// Nothing is uncertain but what `of` makes so.
fn only(of: impl Fn(&mut Study)) -> Study {
    let mut study = crate::network::tests::support::study();
    study.parameters.perturbations = 8;
    study.parameters.profiles.avoids_posts = 0.0;
    study.parameters.profiles.minor_roads = 0.0;
    of(&mut study);
    study
}

#[test]
fn what_does_nothing_has_a_total_of_exactly_zero() {
    // All counts are exact, and travellers do not err: the share of the border is all there is.
    let study = only(|study| {
        study.parameters.border_share = Prior::Beta { a: 3.6, b: 6.4 };
        study.parameters.route_variance_min = Prior::Fixed(0.0);
        study.parameters.gamma = Prior::Fixed(0.02);
    });
    let found = line().sensed(&study, &[&links(0..2), &links(2..4)], 1_024, true, false).unwrap();
    assert!(found.factors.contains(&Factor::Counts) && !found.factors.contains(&Factor::Gamma));
    let groups = found.corridors[0].groups.as_ref().unwrap();
    for (factor, group) in found.factors.iter().zip(groups) {
        if *factor == Factor::BorderShare {
            assert!((group.first[0] - 1.0).abs() < 0.2 && (group.total[0] - 1.0).abs() < 0.2, "{group:?}");
        } else {
            assert_eq!((group.first, group.total), ([0.0; 3], [0.0; 3]), "{factor:?}");
        }
    }
    // Nobody takes the way around: nothing varies there, and nothing is not a number.
    let still = &found.corridors[1];
    assert_eq!((still.groups.as_ref(), still.mean, still.variance), (None, 0.0, 0.0));
}

#[test]
fn how_travellers_differ_is_in_no_index_but_its_own() {
    // Much error in routes of known spread, and a share that is not known.
    let study = only(|study| {
        study.parameters.border_share = Prior::Beta { a: 36.0, b: 64.0 };
        study.parameters.route_variance_min = Prior::Fixed(5.0);
        study.parameters.perturbations = 4;
    });
    let found = line().sensed(&study, &[&links(0..2)], 1_024, true, false).unwrap();
    let groups = found.corridors[0].groups.as_ref().unwrap();
    let [border, travellers, counts] = [Factor::BorderShare, Factor::Travellers, Factor::Counts]
        .map(|factor| groups[found.place(factor).unwrap()]);
    assert!(travellers.total[0] > 0.5 && travellers.first[0] > 0.5, "{travellers:?}");
    // All that varies is in the two, or in both together.
    assert!((border.first[0] + travellers.first[0] - 1.0).abs() < 0.25, "{border:?} {travellers:?}");
    assert!(border.total[0] > 0.0 && border.total[0] < 0.5, "{border:?}");
    assert_eq!(counts.total, [0.0; 3]);
}

#[test]
fn a_row_that_shares_routes_is_what_it_would_be_alone() {
    let (case, study) = (busy(), uncertain());
    let gauge = Gauge::links(case.built.network.link_count());
    let (together, alone) = case.with_inputs(&study, true, false, |inputs| {
        let factors = Factor::ALL.map(|f| f);
        let rows = factors.len() + 2;
        let together = measure(inputs, &gauge, 3, |j| design(inputs, &factors, j)).unwrap();
        let units = 3 * u32::try_from(rows).unwrap();
        let alone = measure(inputs, &gauge, units, |unit| {
            let unit = unit as usize;
            vec![design(inputs, &factors, u32::try_from(unit / rows).unwrap()).swap_remove(unit % rows)]
        });
        (together, alone.unwrap())
    });
    let alone: Vec<Vec<f64>> = alone.into_iter().flatten().collect();
    assert_eq!(together.concat(), alone);
    // Rows differ, or the comparison would say little.
    assert!(alone.windows(2).filter(|pair| pair[0] != pair[1]).count() > 20);
}

#[test]
fn the_score_of_a_draw_is_that_of_the_run() {
    let (case, study) = (busy(), uncertain());
    let flows = case.flows(&study);
    let gauge = Gauge::links(case.built.network.link_count());
    let draws = study.parameters.draws;
    let measured = case.with_inputs(&study, true, false, |inputs| {
        measure(inputs, &gauge, draws, |d| vec![flows.params[d as usize].clone()]).unwrap()
    });
    for (draw, rows) in measured.iter().enumerate() {
        for (link, value) in rows[0].iter().enumerate() {
            // The table of a run keeps flows to a thousand-millionth.
            assert!((flows.share(flows.loads.at(draw, link).main) - value).abs() < 2e-9);
        }
    }
}

#[test]
fn threads_routers_and_interruption() {
    let (case, study) = (busy(), uncertain());
    let corridors: Vec<Vec<LinkId>> = (0..5).map(|link| links(link..link + 1)).collect();
    let corridors: Vec<&[LinkId]> = corridors.iter().map(Vec::as_slice).collect();
    let found = case.sensed(&study, &corridors, 16, true, false).unwrap();
    assert_eq!(case.sensed(&study, &corridors, 16, false, false).unwrap(), found, "by either router");
    for threads in [1, 3] {
        assert_eq!(in_pool(threads, || case.sensed(&study, &corridors, 16, true, false).unwrap()), found);
    }
    assert!(matches!(case.sensed(&study, &corridors, 16, true, true), Err(Error::Interrupted)));
}

#[test]
fn other_models_lead_the_same_demand_over_much_the_same_roads() {
    let (case, study) = (busy(), uncertain());
    let network = &case.built.network;
    let count = u32::try_from(network.link_count()).unwrap();
    let corridors: Vec<Vec<LinkId>> = (0..count).map(|link| links(link..link + 1)).collect();
    let corridors: Vec<&[LinkId]> = corridors.iter().map(Vec::as_slice).collect();
    let flows = case.flows(&study);
    let run: Vec<f64> = (0..network.link_count()).map(|l| flows.contribution(l).iter().sum()).collect();
    let checks = |kernel, stop, params: &[DrawParams]| {
        case.with_inputs(&study, kernel, stop, |inputs| {
            CrossChecks::new(inputs, network, &corridors, &run, params)
        })
    };
    let found = checks(true, false, &flows.params).unwrap().unwrap();
    assert_eq!(checks(false, false, &flows.params).unwrap(), Some(found.clone()), "by either router");
    let recursive = found.recursive.unwrap().0;
    for agreement in [found.run, found.dial.agreement, recursive.agreement] {
        // Each link is a corridor here.
        assert!(agreement.links.unwrap() > 0.8 && agreement.corridors.unwrap() > 0.8, "{agreement:?}");
        assert!(agreement.traffic.unwrap() > 0.8 && agreement.top.0 >= 8 && agreement.top.1 == 10);
    }
    assert_eq!((found.dial.unserved, recursive.unserved), (0.0, 0.0));
    // Where nobody errs all models are one, and there is nothing to compare; nor is there without a draw.
    let still = |p: &DrawParams| DrawParams { route_variance: 0.0, ..p.clone() };
    let certain: Vec<DrawParams> = flows.params.iter().map(still).collect();
    assert_eq!(checks(true, false, &certain).unwrap(), None);
    assert_eq!(checks(true, false, &[]).unwrap(), None);
    assert!(matches!(checks(true, true, &flows.params), Err(Error::Interrupted)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn both_routers_and_any_number_of_threads_agree(arcs in arcs(), shut in 0..N) {
        let mut case = Case::new(network(&circle(N), &arcs), &sites());
        case.closed[shut] = true;
        let study = uncertain();
        let half = links(0..7);
        let kernel = case.sensed(&study, &[&half, &links(7..14)], 16, true, false).unwrap();
        let reference = in_pool(2, || case.sensed(&study, &[&half, &links(7..14)], 16, false, false).unwrap());
        prop_assert_eq!(&kernel, &reference);
        for sobol in &kernel.corridors {
            for group in sobol.groups.iter().flatten() {
                prop_assert!(group.total[0] >= 0.0 && group.total.iter().chain(&group.first).all(|v| v.is_finite()));
            }
        }
    }
}
