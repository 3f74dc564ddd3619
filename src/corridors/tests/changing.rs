//! What changes between two runs over the same draws.

use proptest::prelude::*;

use super::flowing::{N, arcs, sites, uncertain};
use super::{Case, Sites};
use crate::corridors::change::changes;
use crate::model::domain::Direction::Both;
use crate::model::incidence::CountDatum::Exact;
use crate::model::prior::Prior;
use crate::model::study::Profiles;
use crate::network::tests::support::{circle, network, study};

/// A gate at 0 and a municipality at 1, joined by a short road and by a long one over 2.
fn two_ways() -> Case {
    let places = [(0.0, 0.0), (10.0, 0.0), (5.0, 5.0)];
    let arcs = [(0, 1, 10.0, Both), (0, 2, 8.0, Both), (2, 1, 8.0, Both)];
    let municipalities = vec![(1000.0, Exact(30), Some(1))];
    Case::new(network(&places, &arcs), &Sites { municipalities, gates: vec![0], exits: Vec::new() })
}

#[test]
fn a_closure_moves_all_trips_to_the_other_way() {
    let mut study = study();
    study.parameters.border_share = Prior::Fixed(1.0);
    let mut case = two_ways();
    let before = case.flows(&study);
    case.closed[0] = true;
    let after = case.flows(&study);
    let found: Vec<_> = changes(&before, &after).into_iter().flatten().collect();
    assert_eq!(found.len(), 3);
    for (link, change) in found.iter().enumerate() {
        let sign = if link == 0 { -1.0 } else { 1.0 };
        assert!((change.change[0] - sign * change.before.max(change.after)).abs() < 1e-12, "{change:?}");
        assert_eq!([change.rises, change.falls], if link == 0 { [0.0, 1.0] } else { [1.0, 0.0] });
        assert!((change.contributions.iter().sum::<f64>() - change.change[0]).abs() < 1e-12);
        let near = |a: f64, b: f64| (a - b).abs() < 1e-8;
        assert!(near(change.change[1], change.change[0]) && near(change.change[2], change.change[0]));
    }
    // A delay does the same, and demand does not know of it.
    let mut case = two_ways();
    case.delay[0] = 3.0;
    let delayed = case.flows(&study);
    assert_eq!(changes(&before, &delayed), changes(&before, &after));
    // What carries nothing in either is no change.
    assert!(changes(&before, &before).iter().flatten().all(|c| c.change == [0.0; 3] && c.rises == 0.0));
    assert!(changes(&before, &before)[1].is_none());
}

#[test]
fn other_behaviour_leaves_every_other_number_of_a_draw_as_it_was() {
    let study = uncertain();
    let mut case = Case::new(network(&circle(N), &[(0, 1, 10.0, Both), (1, 2, 10.0, Both)]), &sites());
    let before = case.flows(&study);
    case.profiles = Some(Profiles { fast: 1.0, avoids_posts: 50.0, ..study.parameters.profiles });
    let after = case.flows(&study);
    for (a, b) in before.params.iter().zip(&after.params) {
        assert_ne!(a.profiles, b.profiles);
        assert!((b.profiles.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        // Who drew more of a behaviour than others still does.
        assert!(b.profiles[1] > a.profiles[1]);
        let mut same = b.clone();
        same.profiles = a.profiles;
        assert_eq!(format!("{same:?}"), format!("{a:?}"));
    }
    let mean = |flows: &crate::corridors::draws::Flows| {
        flows.params.iter().map(|p| p.profiles[1]).sum::<f64>() / flows.params.len() as f64
    };
    assert!(mean(&after) > 0.75 && mean(&before) < 0.5, "{} {}", mean(&after), mean(&before));

    // The same weights, however they are scaled, change nothing at all.
    let base = study.parameters.profiles;
    case.profiles = Some(Profiles {
        fast: 2.0 * base.fast,
        avoids_posts: 2.0 * base.avoids_posts,
        minor_roads: 2.0 * base.minor_roads,
        ..base
    });
    let same = case.flows(&study);
    assert!(changes(&before, &same).iter().flatten().all(|c| c.change == [0.0; 3]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_closure_conserves_the_flow_of_every_draw(arcs in arcs(), shut in prop::collection::vec(any::<bool>(), 2 * N)) {
        let study = uncertain();
        let mut case = Case::new(network(&circle(N), &arcs), &sites());
        let before = case.flows(&study);
        case.closed.iter_mut().zip(&shut).for_each(|(closed, shut)| *closed = *shut);
        let after = case.flows(&study);
        for (a, b) in before.fate.iter().zip(&after.fate) {
            // To the unit: whoever finds no way is counted, not dropped.
            prop_assert_eq!(a.served + a.inner + a.unserved, b.served + b.inner + b.unserved);
            prop_assert_eq!(a.inner, b.inner);
        }
        prop_assert_eq!(&before.municipalities, &after.municipalities);
        for (link, change) in changes(&before, &after).into_iter().enumerate() {
            let Some(change) = change else { continue };
            let shut = case.closed[link];
            prop_assert!(!shut || change.after == 0.0, "a closed link carries nothing");
            let [mean, ..] = change.change;
            prop_assert!((change.after - change.before - mean).abs() < 1e-12);
            prop_assert!((change.contributions.iter().sum::<f64>() - mean).abs() < 1e-12);
            prop_assert!(change.rises + change.falls <= 1.0 + 1e-12);
            let by_draw = (0..after.draws()).map(|d| {
                after.share(after.loads.at(d, link).main) - before.share(before.loads.at(d, link).main)
            });
            let plain = by_draw.sum::<f64>() / after.draws() as f64;
            prop_assert!((plain - mean).abs() < 1e-6, "{plain} {mean}");
        }
    }
}
