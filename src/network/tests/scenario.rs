//! What scenarios change of a network.

use super::support::{built, domain, named, study};
use crate::error::{Faults, Rule};
use crate::model::domain::{Domain, Surface};
use crate::model::study::{Closure, NewPost, Scenario, SpeedChange};
use crate::network::scenario::{Changes, changes};

/// A federal road in two stretches, the second unpaved, and a side road.
fn roads() -> Domain {
    let mut all = domain(vec![
        named("a", "MEX-1", &[(0.0, 0.0), (10.0, 0.0)]),
        named("b", "MEX-1", &[(10.0, 0.0), (20.0, 0.0)]),
        named("c", "CHIS-2", &[(10.0, 0.0), (10.0, 8.0)]),
        named("d", "CHIS-2", &[(10.0, 8.0), (20.0, 0.0)]),
    ]);
    all.roads[1].surface = Surface::Unpaved;
    all
}

fn of(scenario: &Scenario) -> (Vec<(String, bool, f64)>, Changes, Faults) {
    let all = roads();
    let built = built(&all);
    let mut faults = Faults::default();
    let changes = changes(scenario, ("study.toml", "scenarios[0]"), &all, &built, 5_000.0, &mut faults);
    let mut told: Vec<_> = built
        .network
        .links()
        .map(|(id, link)| (link.records.join("+"), changes.closed[id.index()], changes.delay[id.index()]))
        .collect();
    told.sort_by(|a, b| a.0.cmp(&b.0));
    (told, changes, faults)
}

fn speed(factor: f64, reference: Option<&str>, surface: Option<&str>) -> SpeedChange {
    SpeedChange {
        factor,
        reference: reference.map(Into::into),
        surface: surface.map(Into::into),
        class: None,
    }
}

#[test]
fn changes_of_speed_multiply_where_all_that_they_name_holds() {
    let speeds = vec![speed(0.5, Some("mex-1"), None), speed(0.8, Some("MEX-1"), Some("unpaved"))];
    let (told, _, faults) = of(&Scenario { speeds, ..Scenario::default() });
    assert!(faults.0.is_empty(), "{faults:?}");
    let delays: Vec<(&str, f64)> = told.iter().map(|(name, _, delay)| (name.as_str(), *delay)).collect();
    // The side road is one link: nothing stands on the junction in its middle.
    assert_eq!(delays, [("a", 2.0), ("b", 2.5), ("c+d", 1.0)]);
    assert!(told.iter().all(|(_, closed, _)| !closed));
}

#[test]
fn what_names_nothing_is_a_fault_at_its_place() {
    let closure = Closure { link: Some("nowhere".into()), ..Closure::default() };
    let post = |x: f64| NewPost { name: "p".into(), point: [x, 14.5], ..NewPost::default() };
    let scenario = Scenario {
        name: "s".into(),
        closures: vec![closure],
        speeds: vec![speed(0.5, None, Some("paved")), speed(0.5, Some("MEX-9"), None)],
        posts: vec![post(-70.0)],
        ..Scenario::default()
    };
    let (_, changes, faults) = of(&scenario);
    let told: Vec<_> = faults.0.iter().map(|f| (f.rule, f.place.field.as_deref().unwrap())).collect();
    assert_eq!(
        told,
        [
            (Rule::ClosureUnmatched, "scenarios[0].closures[0]"),
            (Rule::SpeedUnmatched, "scenarios[0].speeds[1]"),
            (Rule::PostUnsnapped, "scenarios[0].posts[0]"),
        ]
    );
    assert!(changes.posts.is_empty());
}

#[test]
fn a_new_post_stands_on_its_own_road() {
    let all = roads();
    let place = super::support::at((11.0, 1.0));
    let post = |reference: Option<&str>| NewPost {
        name: "p".into(),
        point: [place.x, place.y],
        reference: reference.map(Into::into),
        purpose: "detection".into(),
        ..NewPost::default()
    };
    let scenario = Scenario {
        name: "s".into(),
        posts: vec![post(Some("MEX-1")), post(Some("CHIS-2"))],
        ..Scenario::default()
    };
    let (_, changes, faults) = of(&scenario);
    assert!(faults.0.is_empty(), "{faults:?}");
    let built = built(&all);
    let roads: Vec<&str> =
        changes.posts.iter().map(|(_, at)| &*built.network.link(at.link).reference).collect();
    assert_eq!(roads, ["MEX-1", "CHIS-2"]);
    assert_eq!(changes.posts[1].0.id, "s:2");
    assert!(changes.posts[0].0.counts_as_coverage());
}

#[test]
fn a_study_is_told_what_is_wrong_with_its_scenarios() {
    let mut study = study();
    let good = Scenario {
        name: "rain".into(),
        title: "Rain".into(),
        speeds: vec![speed(0.5, Some("MEX-1"), None)],
        ..Scenario::default()
    };
    let empty = Scenario { name: "a b".into(), title: " ".into(), ..Scenario::default() };
    let mut twice = good.clone();
    twice.speeds.push(speed(0.0, None, None));
    twice.speeds.push(speed(1.0, None, Some("mud")));
    twice.profiles.fast = Some(-1.0);
    study.scenarios = vec![good, empty, twice];
    let mut faults = Faults::default();
    study.check("study.toml", &mut faults);
    let mut told: Vec<_> = faults.0.iter().map(|f| (f.place.field.clone().unwrap(), f.rule)).collect();
    told.sort();
    let expected = [
        ("scenarios[1]", Rule::ScenarioEmpty),
        ("scenarios[1].name", Rule::ScenarioName),
        ("scenarios[1].title", Rule::ValueEmpty),
        ("scenarios[2].name", Rule::ScenarioName),
        // The weights have no sum either.
        ("scenarios[2].profiles", Rule::ParameterRange),
        ("scenarios[2].profiles.fast", Rule::ParameterRange),
        ("scenarios[2].speeds[1]", Rule::SpeedUnmatched),
        ("scenarios[2].speeds[1].factor", Rule::ParameterRange),
        ("scenarios[2].speeds[2]", Rule::SpeedUnmatched),
    ];
    assert_eq!(told, expected.map(|(field, rule)| (field.to_owned(), rule)));
}
