//! What passes through municipalities, and the roles that follow, on small networks.

use geo::{BooleanOps, Haversine, Length, LineString, MultiLineString, MultiPolygon, Polygon};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Case, Sites};
use crate::corridors::demand::{OriginClass, UNIT};
use crate::corridors::draws::Flows;
use crate::corridors::passage::{PASS_METRES, Piece};
use crate::corridors::roles::{Class, RoleInputs, Roles, Why, classify, roles};
use crate::ids::LinkId;
use crate::model::domain::Direction::Both;
use crate::model::incidence::CountDatum::{self, Exact, Unknown};
use crate::model::prior::Prior;
use crate::model::study::Study;
use crate::network::graph::Network;
use crate::network::tests::support::{Arc, at, network, study, walk};

/// A rectangle in km: west, south, east, north.
fn area([west, south, east, north]: [f64; 4]) -> MultiPolygon<f64> {
    let ring = [(west, south), (east, south), (east, north), (west, north)].map(at);
    MultiPolygon(vec![Polygon::new(ring.into_iter().collect(), Vec::new())])
}

/// A case whose municipalities have rectangles.
fn case(
    places: &[(f64, f64)],
    arcs: &[Arc],
    sites: &[(CountDatum, Option<usize>, [f64; 4])],
    gates: Vec<usize>,
) -> Case {
    let municipalities = sites.iter().map(|(datum, at, _)| (1000.0, *datum, *at)).collect();
    let mut case = Case::new(network(places, arcs), &Sites { municipalities, gates, exits: Vec::new() });
    for (m, (_, _, rectangle)) in case.domain.municipalities.iter_mut().zip(sites) {
        m.polygon = Some(area(*rectangle));
        m.marginalization = Some(50.0);
    }
    case
}

fn from_border() -> Study {
    let mut study = study();
    study.parameters.border_share = Prior::Fixed(1.0);
    study
}

fn through(flows: &Flows, m: usize) -> f64 {
    flows.share(flows.through[0][m])
}

fn roles_of(case: &Case, flows: &Flows) -> Vec<Roles> {
    roles(&RoleInputs {
        domain: &case.domain,
        data: &case.data,
        built: &case.built,
        passages: &case.passages(),
        flows,
        modalities: None,
    })
}

/// A gate, a road of one link eastward over three municipalities to the seat of the last.
fn three_in_a_row(datum: CountDatum) -> Case {
    let strip = |i: f64| [10.0 * i, -5.0, 10.0 * (i + 1.0), 5.0];
    case(
        &[(1.0, 0.0), (29.0, 0.0)],
        &[(0, 1, 28.0, Both)],
        &[(Exact(0), None, strip(0.0)), (Exact(0), None, strip(1.0)), (datum, Some(1), strip(2.0))],
        vec![0],
    )
}

#[test]
fn a_link_without_junctions_passes_every_municipality_that_it_crosses() {
    let case = three_in_a_row(Exact(30));
    let passages = case.passages();
    let pieces = passages.of(LinkId(0));
    let near = |piece: &Piece, m: u32, km: f64| {
        piece.municipality == m && (f64::from(piece.metres) - km * 1000.0).abs() < 0.005 * km * 1000.0
    };
    assert!(near(&pieces[0], 0, 9.0) && near(&pieces[1], 1, 10.0) && near(&pieces[2], 2, 9.0), "{pieces:?}");
    assert!(passages.has_road(1) && !passages.is_schematic(1));

    let flows = case.flows(&from_border());
    let found: Vec<f64> = (0..3).map(|m| through(&flows, m)).collect();
    // All trips begin at the border, outside of any municipality, and end in the last one.
    assert!((found[0] - 1.0).abs() < 1e-9 && (found[1] - 1.0).abs() < 1e-9, "{found:?}");
    assert!(found[2].abs() < f64::EPSILON, "no trip passes through where it ends: {found:?}");
    let roles = roles_of(&case, &flows);
    assert_eq!((roles[1].transit.class, roles[2].transit.class), (Class::Medium, Class::Low));
    assert_eq!(roles[2].reception.spread.map(|s| (s[0] * 1e6).round()), Some(1e6));
    assert_eq!(roles[0].reception.why, Some(Why::OffNetwork));
    assert_eq!(roles[0].recruitment.why, Some(Why::OffNetwork));
    assert_eq!(roles[2].exploitation.class, Class::High);
}

#[test]
fn a_trip_that_leaves_and_comes_back_counts_once() {
    // In and out of the middle one three times on one way.
    let places = [(-20.0, 0.0), (-4.0, 2.0), (-4.0, 8.0), (4.0, 2.0), (4.0, 8.0), (20.0, 0.0)];
    let arcs = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)].map(|(a, b)| (a, b, 10.0, Both));
    let middle = [-5.0, -5.0, 5.0, 5.0];
    let sites = [(Exact(0), None, middle), (Exact(9), Some(5), [15.0, -5.0, 25.0, 5.0])];
    let flows = case(&places, &arcs, &sites, vec![0]).flows(&from_border());
    assert!((through(&flows, 0) - 1.0).abs() < 1e-9, "{}", through(&flows, 0));

    // The same where a turn ban leads the way along one link twice, in both directions.
    let places = [(-20.0, 0.0), (0.0, 0.0), (0.0, 4.0), (20.0, 0.0)];
    let arcs: Vec<Arc> = [(0, 1), (1, 2), (1, 3)].map(|(a, b)| (a, b, 10.0, Both)).into();
    let mut case = case(&places, &arcs, &[sites[0], (Exact(9), Some(3), sites[1].2)], vec![0]);
    let banned = vec![vec![(LinkId(0), false), (LinkId(2), false)]];
    case.built.network = case.built.network.clone().with_bans(banned);
    let flows = case.flows(&from_border());
    assert_eq!(flows.loads.at(0, 1).main, 2 * flows.loads.at(0, 0).main);
    assert!((through(&flows, 0) - 1.0).abs() < 1e-9);
}

#[test]
fn a_road_along_a_border_passes_nothing() {
    // It strays over the line again and again, for some 300 m in all: less than a passage.
    let points: Vec<(f64, f64)> =
        (0..=20).map(|i| (f64::from(i) * 0.5, if i % 2 == 0 { 0.1 } else { -0.003 })).collect();
    let arcs: Vec<Arc> = (0..20).map(|i| (i, i + 1, 0.5, Both)).collect();
    let sites = [
        (Exact(0), None, [0.0, -9.0, 10.0, 0.0]),
        (Exact(0), None, [0.0, 0.0, 10.0, 9.0]),
        (Exact(9), Some(20), [9.99, -9.0, 20.0, 9.0]),
    ];
    let case = case(&points, &arcs, &sites, vec![0]);
    let inside: u32 = (0..20)
        .flat_map(|l| case.passages().of(LinkId(l)).to_vec())
        .map(|p| if p.municipality == 0 { p.metres } else { 0 })
        .sum();
    assert!(inside > 200 && inside < PASS_METRES, "{inside}");
    let flows = case.flows(&from_border());
    assert!(through(&flows, 0) == 0.0 && (through(&flows, 1) - 1.0).abs() < 1e-9);
}

#[test]
fn a_shared_polygon_belongs_to_no_municipality() {
    let mut case = three_in_a_row(Exact(30));
    case.domain.municipalities[0].polygon = None;
    case.domain.municipalities[0].polygon_of = Some(case.domain.municipalities[1].cvegeo.clone());
    let flows = case.flows(&from_border());
    assert!(through(&flows, 0) == 0.0 && through(&flows, 1) == 0.0);
    let roles = roles_of(&case, &flows);
    for m in [0, 1] {
        assert_eq!((roles[m].transit.spread, roles[m].transit.why), (None, Some(Why::SharedPolygon)));
    }
    assert_eq!(roles[2].transit.class, Class::NoData, "nothing passes anywhere");
}

#[test]
fn what_is_not_known_is_said_and_not_computed() {
    let mut case = three_in_a_row(Unknown { max: Some(14) });
    case.domain.municipalities[0].polygon = None;
    case.domain.municipalities[2].marginalization = None;
    let mut study = study();
    study.incidence.total = Some(10);
    let flows = case.flows(&study);
    let found = &roles_of(&case, &flows);
    assert_eq!(found[0].transit.why, Some(Why::NoPolygon));
    assert_eq!(found[2].recruitment.why, Some(Why::NoMarginalization));
    for index in [found[2].reception, found[2].exploitation] {
        assert_eq!((index.spread, index.class, index.why), (None, Class::NoData, Some(Why::CountUnknown)));
    }
    // A run of incidence alone has draws of counts and no flows.
    let case = three_in_a_row(Exact(30));
    let flows = Flows { params: case.flows(&from_border()).params, ..Flows::default() };
    let found = roles_of(&case, &flows);
    for index in [found[2].recruitment, found[2].transit, found[2].reception] {
        assert_eq!((index.spread, index.why), (None, Some(Why::NoFlows)));
    }
    assert_eq!(found[2].exploitation.spread.map(|s| s[0]), Some(1.0));
}

#[test]
fn a_polygon_without_a_road_says_nothing_of_transit() {
    let mut case = three_in_a_row(Exact(30));
    case.domain.municipalities[1].polygon = Some(area([0.0, 20.0, 10.0, 30.0]));
    let flows = case.flows(&from_border());
    assert_eq!(roles_of(&case, &flows)[1].transit.why, Some(Why::NoRoad));
}

#[test]
fn classes_compare_the_interval_with_the_even_share() {
    let class = |p05: f64, p95: f64| classify([f64::midpoint(p05, p95), p05, p95], 0.1);
    assert_eq!(class(0.2, 0.3), Class::High);
    assert_eq!(class(0.0, 0.1), Class::Low);
    assert_eq!(class(0.05, 0.15), Class::Medium);
    assert_eq!(class(0.12, 0.5), Class::Medium);
    assert_eq!(class(0.09, 0.21), Class::NoData);
    assert_eq!(classify([0.0; 3], 0.0), Class::NoData);
}

#[test]
fn lengths_inside_are_those_of_another_clipper() {
    // A star with a hole, and a second part inside the hole; lines at random, some along edges and through corners.
    let ring = |n: u32, far: f64, near: f64| -> LineString<f64> {
        (0..n)
            .map(|i| {
                let radius = if i % 2 == 0 { far } else { near };
                let angle = std::f64::consts::TAU * f64::from(i) / f64::from(n);
                at((radius * angle.cos(), radius * angle.sin()))
            })
            .collect()
    };
    let corners = ring(14, 40.0, 18.0);
    let star = MultiPolygon(vec![
        Polygon::new(corners.clone(), vec![ring(8, 12.0, 9.0)]),
        Polygon::new(ring(6, 5.0, 4.0), Vec::new()),
    ]);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut places: Vec<(f64, f64)> = Vec::new();
    let mut arcs: Vec<Arc> = Vec::new();
    for i in 0..200 {
        places.push((rng.random_range(-45.0..45.0), rng.random_range(-45.0..45.0)));
        arcs.push((i, (i * 7 + 3) % 200, 1.0, Both));
    }
    let mut case = case(&places, &arcs, &[(Exact(1), Some(0), [0.0, 0.0, 1.0, 1.0])], Vec::new());
    case.domain.municipalities[0].polygon = Some(star.clone());
    let mut graph = case.built.network.graph().clone();
    for link in graph.edge_weights_mut().take(60) {
        // Over two corners of the star, and along the edge between them.
        let n = link.from.index() % 14;
        link.line.0.splice(1..1, [corners.0[n], corners.0[(n + 1) % 14]]);
    }
    case.built.network = Network::new(graph);
    let passages = case.passages();
    let mut inside = 0;
    for (id, link) in case.built.network.links() {
        let line = MultiLineString(vec![link.line.clone()]);
        // What runs along an edge is neither inside nor outside.
        let edge: f64 = link
            .line
            .lines()
            .skip(1)
            .take(usize::from(link.line.0.len() > 2))
            .map(|l| Haversine.length(&LineString::from(l)))
            .sum();
        let expected: f64 = star.clip(&line, false).iter().map(|l| Haversine.length(l)).sum();
        let found: u32 = passages.of(id).iter().map(|p| p.metres).sum();
        let off = (f64::from(found) - expected).abs();
        assert!(
            off < 2.0 + 1e-3 * expected || (off - edge).abs() < 2.0 + 1e-3 * expected,
            "{id:?}: {found} {expected} {edge}"
        );
        inside += usize::from(found > 0);
    }
    assert!(inside > 150);
}

const N: usize = 12;

fn chords() -> impl Strategy<Value = Vec<Arc>> {
    prop::collection::vec((0..N, 0..N, 1..40_u32), 0..10).prop_map(|chords| {
        let ring = (0..N).map(|i| (i, (i + 1) % N, 11.0 + i as f64, Both));
        ring.chain(chords.into_iter().map(|(a, b, t)| (a, b, f64::from(t), Both))).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    #[test]
    fn indices_are_those_of_the_trips_one_by_one(
        arcs in chords(),
        cuts in prop::collection::vec(1..40_u32, 6),
        bans in prop::collection::vec(prop::collection::vec(0..1000_usize, 2..5), 0..8),
    ) {
        // Strips from west to east over a circle of 50 km: seats need not lie in their own.
        let mut west = -60.0;
        let sites: Vec<(CountDatum, Option<usize>, [f64; 4])> = (0..)
            .zip(&cuts)
            .map(|(i, width)| {
                let from = west;
                west += f64::from(*width);
                (Exact(20 + u32::try_from(i).unwrap()), Some(2 * i), [from, -70.0, west, 30.0])
            })
            .collect();
        let mut case = case(&super::circle(N), &arcs, &sites, vec![1, 3]);
        let ways = bans.iter().map(|picks| walk(&case.built.network, picks)).collect();
        case.built.network = case.built.network.clone().with_bans(ways);
        let flows = case.flows(&study());
        let (places, passages) = (case.places(), case.passages());
        for draw in 0..flows.draws() {
            let found = &flows.municipalities[draw];
            let mut expected = vec![0_i64; sites.len()];
            for (origin, tree) in places.origins.iter().zip(&flows.trees[draw]) {
                for leaf in &tree.leaves {
                    let mut metres = vec![0_u32; sites.len()];
                    let mut at = leaf.node as usize;
                    while tree.nodes[at].link != u32::MAX {
                        for piece in passages.of(LinkId(tree.nodes[at].link)) {
                            metres[piece.municipality as usize] += piece.metres;
                        }
                        at = tree.nodes[at].parent as usize;
                    }
                    let begin = (origin.class == OriginClass::Domestic).then_some(origin.place);
                    let end = places.destinations[leaf.destination as usize].place;
                    for m in 0..sites.len() {
                        if metres[m] >= PASS_METRES && begin != Some(m) && end != m {
                            expected[m] += leaf.demand;
                        }
                    }
                }
            }
            let through = &flows.through[draw];
            prop_assert_eq!(through, &expected);
            // Every trip begins at the border or in a municipality, and ends in one.
            let begun: i64 = found.begun.iter().sum::<i64>() + flows.border[draw].iter().sum::<i64>();
            prop_assert!((begun as f64 / UNIT - 1.0).abs() < 1e-9);
            let received: i64 = found.received.iter().sum();
            prop_assert!(received <= begun);
            prop_assert!(through.iter().all(|t| *t >= 0 && *t <= begun));
        }
        for role in roles_of(&case, &flows) {
            for index in [role.recruitment, role.transit, role.reception, role.exploitation] {
                if let Some([mean, p05, p95]) = index.spread {
                    prop_assert!((0.0..=1.0 + 1e-9).contains(&mean) && p05 <= p95);
                }
            }
        }
    }
}
