//! Closures of the study.

use super::support::{at, built, crossing, domain, junction_at, named, study, town};
use crate::error::{Faults, Rule};
use crate::ids::LinkId;
use crate::model::domain::Domain;
use crate::model::study::Closure;
use crate::network::builder::Built;
use crate::network::closures::closed_links;

/// A coast road in four stretches with side roads, a bypass of another name, and a crossing.
fn coast() -> Domain {
    let mut all = domain(vec![
        named("w", "MEX-200", &[(0.0, 0.0), (10.0, 0.0)]),
        named("x", "MEX-200", &[(10.0, 0.0), (20.0, 0.0)]),
        // Two carriageways between the same junctions.
        named("y1", "MEX-200", &[(20.0, 0.0), (30.0, 0.0)]),
        named("y2", "MEX-200", &[(20.0, 0.0), (25.0, 0.4), (30.0, 0.0)]),
        named("z", "MEX-200", &[(30.0, 0.0), (40.0, 0.0)]),
        named("bypass", "CHIS-1", &[(10.0, 0.0), (20.0, -1.0), (30.0, 0.0)]),
        named("side", "CHIS-2", &[(20.0, 0.0), (20.0, 8.0)]),
        named("lone", "CHIS-3", &[(60.0, 0.0), (61.0, 0.0)]),
    ]);
    all.towns = vec![
        town("Pijijiapan", None, (10.0, 1.0)),
        town("Mapastepec", None, (30.0, -2.0)),
        town("Unión", None, (20.0, 0.0)),
        town("Lejos", None, (20.0, 50.0)),
    ];
    all.crossings = vec![
        crossing("bridge", (45.0, -2.0), Some([((40.0, 0.0), 6.0), ((20.0, 8.0), 9.0)])),
        crossing("plain", (20.0, 8.0), None),
    ];
    all
}

fn names(built: &Built, closed: &[bool]) -> Vec<String> {
    let mut out: Vec<String> = built
        .network
        .links()
        .filter(|(id, _)| closed[id.index()])
        .map(|(_, l)| l.records.join("+"))
        .collect();
    out.sort();
    out
}

fn close(closure: Closure) -> (Vec<String>, Faults) {
    let all = coast();
    let built = built(&all);
    let mut study = study();
    study.closures = vec![closure];
    let mut faults = Faults::default();
    let closed = closed_links(&study.closures, ("study.toml", "closures"), &all, &built, &mut faults);
    (names(&built, &closed), faults)
}

fn between(reference: &str, a: &str, b: &str) -> Closure {
    Closure { reference: Some(reference.into()), between: Some([a.into(), b.into()]), ..Closure::default() }
}

#[test]
fn a_road_is_closed_between_two_towns_and_no_other_road() {
    // Upper case, accents and the order of the towns do not matter.
    for closure in
        [between("mex-200", "PIJIJIAPAN", "Mapastepec"), between("MEX-200", "Mapastepec", "Pijijiapan")]
    {
        let (closed, faults) = close(closure);
        assert_eq!(closed, ["x", "y1", "y2"], "both carriageways, no bypass");
        assert!(faults.0.is_empty());
    }
    assert_eq!(close(between("MEX-200", "union", "Mapastepec")).0, ["y1", "y2"]);
}

#[test]
fn a_closure_by_place_closes_what_lies_within_the_radius() {
    let around = |place: (f64, f64), radius: f64| {
        let at = at(place);
        close(Closure { point: Some([at.x, at.y]), radius_m: Some(radius), ..Closure::default() })
    };
    assert_eq!(around((35.0, 0.3), 310.0).0, ["z"]);
    assert_eq!(around((25.0, 0.1), 150.0).0, ["y1"]);
    assert_eq!(around((25.0, 0.2), 250.0).0, ["y1", "y2"]);
    let (closed, faults) = around((35.0, 0.3), 290.0);
    assert!(closed.is_empty() && faults.0[0].rule == Rule::ClosureUnmatched);
}

#[test]
fn a_closure_names_a_record_or_a_link() {
    let link = |id: &str| close(Closure { link: Some(id.into()), ..Closure::default() });
    assert_eq!(link("side").0, ["side"]);
    let built = built(&coast());
    let lone = built.network.links().find(|(_, l)| l.records == ["lone"]).unwrap().0;
    assert_eq!(link(built.network.key(lone)).0, ["lone"]);
    // A crossing's links are closed by the crossing alone.
    assert_eq!(link("bridge").1.0[0].rule, Rule::ClosureUnmatched);
}

#[test]
fn a_closed_crossing_closes_its_gate() {
    let by_id = |id: &str| close(Closure { crossing: Some(id.into()), ..Closure::default() });
    let (closed, faults) = by_id("bridge");
    assert_eq!((closed.as_slice(), faults.0.len()), (["bridge".to_owned()].as_slice(), 0));
    // One that stands on the road itself takes the links there with it.
    let (closed, _) = by_id("plain");
    assert_eq!(closed, ["bridge", "side"]);
    assert_eq!(by_id("nowhere").1.0[0].rule, Rule::ClosureUnmatched);
}

#[test]
fn what_names_nothing_is_a_fault_at_its_place() {
    for closure in [
        between("MEX-999", "Pijijiapan", "Mapastepec"),
        between("MEX-200", "Pijijiapan", "Mapastepek"),
        between("MEX-200", "Pijijiapan", "Lejos"),
        between("MEX-200", "Pijijiapan", "Pijijiapan"),
        between("CHIS-2", "Pijijiapan", "Mapastepec"),
        Closure { link: Some("none".into()), ..Closure::default() },
    ] {
        let (closed, faults) = close(closure.clone());
        assert!(closed.is_empty(), "{closure:?}");
        assert_eq!(faults.0.len(), 1, "{closure:?}");
        assert_eq!(faults.0[0].rule, Rule::ClosureUnmatched);
        assert_eq!(faults.0[0].place.field.as_deref(), Some("closures[0]"));
        assert!(faults.has_errors());
    }
}

#[test]
fn several_closures_add_up() {
    let all = coast();
    let built = built(&all);
    let mut study = study();
    study.closures = vec![
        Closure { link: Some("side".into()), ..Closure::default() },
        between("MEX-200", "Unión", "Mapastepec"),
    ];
    let mut faults = Faults::default();
    let closed = closed_links(&study.closures, ("study.toml", "closures"), &all, &built, &mut faults);
    assert_eq!(names(&built, &closed), ["side", "y1", "y2"]);
    let gate = built.gates[0].unwrap().junction;
    let near: Vec<LinkId> = built.network.links_at(gate).map(|(l, _)| l).collect();
    assert!(near.iter().all(|l| !closed[l.index()]));
    assert_eq!(built.gates[1].unwrap().junction, junction_at(&built.network, (20.0, 8.0)));
}
