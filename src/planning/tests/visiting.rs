//! The order of visits to workplaces.

use proptest::prelude::*;

use super::{flows_of, tree};
use crate::corridors::demand::UNIT;
use crate::corridors::tests::{params, single_places};
use crate::model::domain::{Domain, Worksite};
use crate::network::tests::support::{at, built, domain, municipality, named, study};
use crate::planning::worksites::{RankedWorksite, rank};

fn site(id: usize, code: u32, scian: &str, place: (f64, f64)) -> Worksite {
    Worksite {
        id: format!("w{id:03}"),
        name: String::new(),
        row: 1,
        table: 0,
        clee: String::new(),
        cvegeo: format!("{code:05}"),
        scian: scian.into(),
        sector: String::new(),
        size: String::new(),
        days_since_visit: None,
        last_visit: None,
        complaints: None,
        synthetic: true,
        at: at(place),
    }
}

/// Three municipalities along two roads; trips run along R1 to the second and along R1 and R2 to the third.
fn case(sites: Vec<Worksite>) -> Domain {
    let mut all = domain(vec![
        named("a", "R1", &[(0.0, 0.0), (20.0, 0.0)]),
        named("b", "R2", &[(20.0, 0.0), (40.0, 0.0)]),
    ]);
    all.municipalities = vec![municipality(7001, 1e3), municipality(7002, 1e3), municipality(7003, 1e3)];
    all.worksites = sites;
    all
}

fn ranked(
    domain: &Domain,
    draws: usize,
    change: impl Fn(&mut crate::model::study::Study),
) -> Vec<RankedWorksite> {
    let built = built(domain);
    let link = |r: &str| built.network.links().find(|(_, l)| l.reference == r).unwrap().0.0;
    let (r1, r2) = (link("R1"), link("R2"));
    #[expect(clippy::cast_possible_truncation, reason = "2^40 in an i64")]
    let unit = UNIT as i64;
    let one = |draw: usize| {
        // The share that goes on changes from draw to draw.
        let on = unit / 10 * i64::try_from(4 + draw % 3).unwrap();
        vec![tree(0, &[(&[(r1, 1)], 1, unit * 3 / 10), (&[(r1, 1), (r2, 2)], 2, on)])]
    };
    let mut study = study();
    change(&mut study);
    let params = (0..draws)
        .map(|d| {
            let mut p = params(&[1, 1, 1], 0);
            p.counts.rate = vec![1e-5 * (1 + d) as f64, 2e-5, 3e-5];
            p
        })
        .collect();
    let flows = flows_of((0..draws).map(one).collect(), params, built.network.link_count());
    rank(&study, domain, &built.network, &single_places(3), &flows).0
}

fn of(ranked: &[RankedWorksite], site: usize) -> &RankedWorksite {
    ranked.iter().find(|r| r.worksite == site).unwrap()
}

#[test]
fn contributions_add_up_to_the_mean_log_score() {
    let mut sites = vec![
        site(0, 7001, "721111", (5.0, 0.5)),
        site(1, 7002, "722412", (15.0, 1.0)),
        site(2, 7003, "111331", (35.0, 1.0)),
        site(3, 7003, "236111", (35.0, 30.0)),
    ];
    sites[0].complaints = Some(3);
    sites[1].complaints = Some(0);
    sites[2].days_since_visit = Some(100);
    let all = case(sites);
    let weigh = |s: &mut crate::model::study::Study| {
        s.planning.sectors = [("72".to_owned(), 2.0), ("7224".to_owned(), 5.0)].into();
    };
    let one = ranked(&all, 1, weigh);
    for r in &one {
        let sum: f64 = r.contributions.iter().map(|c| c.0).sum();
        assert!((sum - r.score[0]).abs() < 1e-12, "{r:?}");
    }
    // Over draws the mean log-score is the mean of that of each draw, worked out from the factors here.
    let many = ranked(&all, 6, weigh);
    let exposure = |draw: usize| {
        let on = f64::from(u32::try_from(4 + draw % 3).unwrap()) / 10.0;
        // Near R1: its own share does not count for the second municipality. Near R2: all of it is its own.
        [Some(0.3 + on), Some(on), Some(0.0), None]
    };
    let factor = |values: [Option<f64>; 4]| {
        let known: Vec<f64> = values.into_iter().flatten().collect();
        let mean = known.iter().sum::<f64>() / known.len() as f64;
        let scaled = |v: f64| if mean > 0.0 { (1.0 + v / mean).ln() } else { 0.0 };
        let neutral = known.iter().map(|v| scaled(*v)).sum::<f64>() / known.len() as f64;
        values.map(|v| v.map_or(neutral, scaled))
    };
    let sector = factor([Some(2.0), Some(5.0), Some(1.0), Some(1.0)]);
    let since = factor([None, None, Some(100.0), None]);
    let complaints = factor([Some(3.0), Some(0.0), None, None]);
    for i in 0..4 {
        let log = |draw: usize| {
            let rate = [(1 + draw) as f64, 2.0, 3.0, 3.0];
            sector[i] + factor(rate.map(Some))[i] + factor(exposure(draw))[i] + 0.5 * since[i] + complaints[i]
        };
        let mean = (0..6).map(log).sum::<f64>() / 6.0;
        let sum: f64 = of(&many, i).contributions.iter().map(|c| c.0).sum();
        assert!((sum - mean).abs() < 1e-9, "{i}: {sum} {mean}");
        assert!((of(&many, i).score[0] - mean).abs() < 1e-9, "the score is the mean log-score");
    }
    let known = |i: usize| of(&one, i).contributions.map(|c| c.1);
    assert_eq!(known(0), [true, true, true, false, true]);
    assert_eq!(known(3), [true, true, false, false, false]);
}

#[test]
fn trips_to_the_own_municipality_are_no_exposure() {
    // The same place, in each of the municipalities.
    let all = case(vec![
        site(0, 7001, "72", (30.0, 1.0)),
        site(1, 7003, "72", (30.0, 1.0)),
        site(2, 7002, "72", (10.0, 1.0)),
        site(3, 7001, "72", (10.0, 1.0)),
        site(4, 7001, "72", (10.0, 9.0)),
    ]);
    let got = ranked(&all, 1, |_| ());
    let exposure = |i: usize| of(&got, i).exposure;
    let close = |a: f64, b: f64| (a - b).abs() < 1e-9;
    assert!(close(exposure(0), 0.4) && close(exposure(1), 0.0));
    assert!(close(exposure(2), 0.4) && close(exposure(3), 0.7));
    // No road within 3 km: not known, and neutral.
    assert!(!of(&got, 4).contributions[2].1);
    let mean = (0..4).map(|i| of(&got, i).contributions[2].0).sum::<f64>() / 4.0;
    assert!(close(of(&got, 4).contributions[2].0, mean));
}

#[test]
fn a_missing_value_is_neutral() {
    let with = |complaints: [Option<u32>; 3]| {
        let mut all = case((0..3).map(|i| site(i, 7001, "72", (5.0, 1.0))).collect());
        all.worksites.iter_mut().zip(complaints).for_each(|(w, c)| w.complaints = c);
        ranked(&all, 1, |_| ())
    };
    let none = with([None; 3]);
    assert!(none.iter().all(|r| r.contributions[4] == (0.0, false)));
    assert_eq!(none.iter().map(|r| r.worksite).collect::<Vec<_>>(), [0, 1, 2], "ties by id");
    let some = with([Some(0), None, Some(4)]);
    assert_eq!(some.iter().map(|r| r.worksite).collect::<Vec<_>>(), [2, 1, 0]);
    assert!(of(&some, 0).contributions[4] == (0.0, true));
}

#[test]
fn without_workplaces_or_draws_there_is_no_rank() {
    assert!(ranked(&case(Vec::new()), 2, |_| ()).is_empty());
    assert!(ranked(&case(vec![site(0, 7001, "72", (5.0, 1.0))]), 0, |_| ()).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn more_complaints_never_lower_the_rank(
        sites in prop::collection::vec((0..3_u32, 0..40_u32, proptest::option::of(0..6_u32)), 2..12),
        which in any::<prop::sample::Index>(),
        more in 1..5_u32,
    ) {
        let mut all = case(
            sites
                .iter()
                .enumerate()
                .map(|(i, &(m, x, complaints))| {
                    let mut w = site(i, 7001 + m, "72", (f64::from(x), 1.0));
                    w.complaints = complaints;
                    w
                })
                .collect(),
        );
        let which = which.index(sites.len());
        let before = of(&ranked(&all, 3, |_| ()), which).rank;
        let Some(complaints) = &mut all.worksites[which].complaints else { return Ok(()) };
        *complaints += more;
        let after = of(&ranked(&all, 3, |_| ()), which).rank;
        prop_assert!(after <= before, "{} became {}", before, after);
    }
}
