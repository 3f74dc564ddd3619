//! Where lines meet and where they do not.

use geo::{Geodesic, Length};
use proptest::prelude::*;

use super::support::{built, domain, named, road};
use crate::model::domain::Road;
use crate::model::frame::WorkFrame;
use crate::network::noding::{Noded, node};
use crate::units::Metres;

fn noded(roads: &[Road]) -> Noded {
    node(roads, &WorkFrame::new().unwrap(), 10.0)
}

/// Number of pieces at each node, sorted.
fn degrees(noded: &Noded) -> Vec<usize> {
    let mut out = vec![0; noded.nodes.len()];
    for piece in &noded.pieces {
        out[piece.from as usize] += 1;
        out[piece.to as usize] += 1;
    }
    out.sort_unstable();
    out
}

fn total(noded: &Noded) -> f64 {
    noded.pieces.iter().map(|p| p.length.0).sum()
}

#[test]
fn an_end_within_the_tolerance_of_a_line_splits_it() {
    let through = road("a", &[(0.0, 0.0), (10.0, 0.0)]);
    for (gap, pieces) in [(0.0, 3), (0.008, 3), (0.012, 2)] {
        let got = noded(&[through.clone(), road("b", &[(4.0, gap), (4.0, 5.0)])]);
        assert_eq!(got.pieces.len(), pieces, "gap of {gap} km");
        assert_eq!(degrees(&got).last(), Some(if pieces == 3 { &3 } else { &1 }));
    }
}

#[test]
fn a_crossing_without_a_vertex_is_a_bridge_and_a_shared_vertex_joins() {
    let east = road("a", &[(0.0, 0.0), (10.0, 0.0)]);
    let north = road("b", &[(5.0, -5.0), (5.0, 5.0)]);
    assert_eq!(degrees(&noded(&[east, north])), [1, 1, 1, 1]);
    let east = road("a", &[(0.0, 0.0), (5.0, 0.0), (10.0, 0.0)]);
    let north = road("b", &[(5.0, -5.0), (5.0, 0.0), (5.0, 5.0)]);
    assert_eq!(degrees(&noded(&[east.clone(), north])), [1, 1, 1, 1, 4]);
    // A vertex on one of them only is no meeting either.
    assert_eq!(degrees(&noded(&[east, road("b", &[(5.0, -5.0), (5.0, 5.0)])])), [1, 1, 1, 1]);
}

#[test]
fn ends_within_the_tolerance_are_one_node() {
    let a = road("a", &[(0.0, 0.0), (5.0, 0.0)]);
    let near = noded(&[a.clone(), road("b", &[(5.008, 0.0), (9.0, 0.0)])]);
    assert_eq!((near.nodes.len(), degrees(&near)), (3, vec![1, 1, 2]));
    let far = noded(&[a, road("b", &[(5.012, 0.0), (9.0, 0.0)])]);
    assert_eq!(far.nodes.len(), 4);
}

#[test]
fn parallel_and_repeated_lines_are_kept() {
    let straight = road("a", &[(0.0, 0.0), (5.0, 0.0)]);
    let round = road("b", &[(0.0, 0.0), (2.5, 1.0), (5.0, 0.0)]);
    let got = noded(&[straight.clone(), round, road("c", &[(0.0, 0.0), (5.0, 0.0)])]);
    assert_eq!((got.nodes.len(), got.pieces.len()), (2, 3));
    let network = built(&domain(vec![straight.clone(), straight])).network;
    assert_eq!(network.link_count(), 2);
    let keys: Vec<&str> = network.links().map(|(id, _)| network.key(id)).collect();
    assert_ne!(keys[0], keys[1]);
}

#[test]
fn rings_and_loops() {
    let ring = road("a", &[(0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 2.0), (0.0, 0.0)]);
    let got = noded(std::slice::from_ref(&ring));
    assert_eq!((got.nodes.len(), got.pieces.len()), (1, 1));
    assert_eq!(got.pieces[0].from, got.pieces[0].to);
    // A road that touches the ring opposite its end cuts it in two.
    let got = noded(&[ring, road("b", &[(2.0, 2.0), (5.0, 5.0)])]);
    assert_eq!((got.nodes.len(), got.pieces.len()), (3, 3));
    // A road whose end comes back to a vertex of its own: a stem and a loop, as long as they are.
    let lasso = road("c", &[(0.0, 0.0), (3.0, 0.0), (4.0, 1.0), (4.0, -1.0), (3.0, 0.0)]);
    let got = noded(std::slice::from_ref(&lasso));
    assert_eq!((got.nodes.len(), got.pieces.len()), (2, 2));
    assert!((got.pieces[0].length.0 - 3000.0).abs() < 20.0, "{:?}", got.pieces[0].length);
    assert_eq!(got.pieces[1].from, got.pieces[1].to);
    assert!((total(&got) - lasso.length.0).abs() < 1e-6);
}

#[test]
fn a_line_without_length_is_reported() {
    let got = noded(&[road("a", &[(0.0, 0.0), (0.003, 0.0)]), road("b", &[(0.0, 0.0), (5.0, 0.0)])]);
    assert_eq!((got.degenerate.as_slice(), got.pieces.len()), ([0].as_slice(), 1));
}

#[test]
fn the_stated_length_is_shared_in_proportion_and_none_is_lost() {
    let mut long = road("a", &[(0.0, 0.0), (10.0, 0.0)]);
    long.length = Metres(17_000.0);
    // The side road ends 8 m beside the line, which bends the line a little.
    let got = noded(&[long, road("b", &[(4.0, 0.008), (4.0, 5.0)])]);
    let parts: Vec<f64> = got.pieces.iter().filter(|p| p.road == 0).map(|p| p.length.0).collect();
    assert_eq!(parts.len(), 2);
    assert!((parts[0] - 6_800.0).abs() < 1.0 && (parts[1] - 10_200.0).abs() < 1.0, "{parts:?}");
    assert!((parts[0] + parts[1] - 17_000.0).abs() < 1e-6);
}

/// A small town: a grid with a diagonal, a ring road on a stem, and a closed ring of its own.
fn mixed() -> Vec<Road> {
    let mut roads = Vec::new();
    for i in 0..4 {
        let c = f64::from(i);
        roads.push(named(&format!("e{i}"), "E", &[(0.0, c), (1.0, c), (2.0, c), (3.0, c)]));
        roads.push(named(&format!("n{i}"), "N", &[(c, 0.0), (c, 1.0), (c, 2.0), (c, 3.0)]));
    }
    roads.push(road("d", &[(0.0, 0.0), (3.0, 2.6)]));
    roads.push(road("s1", &[(3.0, 3.0), (5.0, 5.0)]));
    roads.push(road("r1", &[(5.0, 5.0), (7.0, 5.0)]));
    roads.push(road("r2", &[(7.0, 5.0), (7.0, 7.0)]));
    roads.push(road("r3", &[(7.0, 7.0), (5.0, 5.0)]));
    roads.push(road("o1", &[(20.0, 20.0), (22.0, 20.0)]));
    roads.push(road("o2", &[(22.0, 20.0), (22.0, 22.0)]));
    roads.push(road("o3", &[(22.0, 22.0), (20.0, 22.0)]));
    roads.push(road("o4", &[(20.0, 22.0), (20.0, 20.0)]));
    roads
}

fn keys(roads: Vec<Road>) -> Vec<String> {
    let network = built(&domain(roads)).network;
    let mut keys: Vec<String> = network.links().map(|(id, _)| network.key(id).to_owned()).collect();
    keys.sort();
    keys
}

fn reversed(mut road: Road) -> Road {
    road.line.0.reverse();
    road
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_order_and_sense_of_lines_do_not_change_the_keys(
        order in Just((0..mixed().len()).collect::<Vec<_>>()).prop_shuffle(),
        turned in prop::collection::vec(any::<bool>(), mixed().len()),
    ) {
        let roads = mixed();
        let other = order
            .iter()
            .map(|&i| if turned[i] { reversed(roads[i].clone()) } else { roads[i].clone() })
            .collect();
        prop_assert_eq!(keys(roads), keys(other));
    }

    #[test]
    fn length_is_conserved_and_pieces_end_at_their_nodes(
        // Positions on a coarse grid meet often, fine offsets fall within and without the tolerance.
        lines in prop::collection::vec(
            prop::collection::vec(((0..6_i32), (0..6_i32), (-12..13_i32), (-12..13_i32)), 2..5),
            1..15,
        ),
    ) {
        let km = |cell: i32, metres: i32| f64::from(cell) + f64::from(metres) / 1000.0;
        let roads: Vec<Road> = lines
            .iter()
            .enumerate()
            .map(|(i, points)| {
                let points: Vec<(f64, f64)> =
                    points.iter().map(|&(x, y, dx, dy)| (km(x, dx), km(y, dy))).collect();
                road(&i.to_string(), &points)
            })
            .collect();
        let got = noded(&roads);
        for (i, road) in roads.iter().enumerate() {
            let own: f64 = got.pieces.iter().filter(|p| p.road as usize == i).map(|p| p.length.0).sum();
            let expected = if got.degenerate.contains(&i) { 0.0 } else { road.length.0 };
            prop_assert!((own - expected).abs() <= 1e-6 * expected.max(1.0), "{} {}", own, expected);
        }
        for piece in &got.pieces {
            prop_assert_eq!(piece.line.0.first(), got.nodes.get(piece.from as usize).map(|n| &n.at));
            prop_assert_eq!(piece.line.0.last(), got.nodes.get(piece.to as usize).map(|n| &n.at));
            prop_assert!(piece.length.0 > 0.0 && Geodesic.length(&piece.line) > 0.0);
        }
        let network = built(&domain(roads.clone())).network;
        let kept: f64 = network.links().map(|(_, l)| l.length.0).sum();
        prop_assert!((kept - total(&got)).abs() <= 1e-6 * kept.max(1.0), "{} {}", kept, total(&got));
        for (_, link) in network.links() {
            prop_assert_eq!(link.line.0.first(), Some(&network.junction(link.from).at));
            prop_assert_eq!(link.line.0.last(), Some(&network.junction(link.to).at));
        }
    }
}
