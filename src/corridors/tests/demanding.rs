//! The gravity model: constraints, classes, exits, limits.

use super::{Case, Sites, params};
use crate::corridors::demand::{Demand, DestinationClass, OriginClass, Places, UNIT};
use crate::corridors::params::DrawParams;
use crate::model::domain::Direction::{Both, Forward};
use crate::model::incidence::CountDatum::{Exact, Interval};
use crate::network::search::{Arcs, Search};
use crate::network::tests::support::{Arc, circle, network};

/// Five junctions in a row, ten minutes apart: gate, three municipalities, exit.
fn sites() -> Sites {
    Sites {
        municipalities: vec![
            (1000.0, Exact(30), Some(1)),
            (3000.0, Interval { min: 0, max: 14 }, Some(2)),
            (500.0, Exact(20), Some(3)),
        ],
        gates: vec![0],
        exits: vec![(1.0, 4), (3.0, 0)],
    }
}

fn row() -> Vec<Arc> {
    (0..4).map(|i| (i, i + 1, 10.0, Both)).collect()
}

struct Table {
    places: Places,
    demand: Demand,
}

impl Table {
    fn of(case: &Case, params: &DrawParams) -> Self {
        let places = case.places();
        let arcs = Arcs::new(&case.built.network);
        let weights: Vec<u32> = case
            .built
            .network
            .links()
            .map(|(_, l)| {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small times")]
                let ms = (l.time.0 * 60_000.0) as u32;
                ms
            })
            .collect();
        let mut search = Search::new(&arcs);
        let mut costs = Vec::new();
        for origin in &places.origins {
            search.run(&arcs, &weights, origin.access.junction, &places.is_target, places.target_count);
            costs.extend(places.destinations.iter().map(|d| search.distance(d.access.junction)));
        }
        let demand = Demand::new(&places, params, |pair| costs[pair]);
        Self { places, demand }
    }

    /// Demand of one class of origin for destination `j`, as a share of all located cases; main, then null.
    fn class(&self, class: OriginClass, j: usize) -> (f64, f64) {
        let of = |rows: &dyn Fn(usize) -> i64| {
            let origins = self.places.origins.iter().enumerate().filter(|(_, o)| o.class == class);
            origins.map(|(i, _)| rows(i)).sum::<i64>() as f64 / UNIT
        };
        (of(&|i| self.demand.row(i).0[j]), of(&|i| self.demand.row(i).1[j]))
    }

    fn column(&self, j: usize) -> (f64, f64) {
        let (b, d) = (self.class(OriginClass::Border, j), self.class(OriginClass::Domestic, j));
        (b.0 + d.0, b.1 + d.1)
    }

    /// Share of the domestic demand for destination `j` that comes from municipality `m`.
    fn from(&self, m: usize, j: usize) -> f64 {
        let i = self
            .places
            .origins
            .iter()
            .position(|o| o.class == OriginClass::Domestic && o.place == m)
            .unwrap();
        self.demand.row(i).0[j] as f64 / UNIT / self.class(OriginClass::Domestic, j).0
    }
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-10
}

#[test]
fn columns_add_up_to_attraction_and_classes_to_their_share() {
    let case = Case::new(network(&circle(5), &row()), &sites());
    let p = params(&[30, 10, 20], 1);
    let table = Table::of(&case, &p);
    // 0.8 by counts, 0.2 by the weights of the exits; the null by population.
    let expected = [
        (0.8 * 30.0 / 60.0, 0.8 * 1000.0 / 4500.0),
        (0.8 * 10.0 / 60.0, 0.8 * 3000.0 / 4500.0),
        (0.8 * 20.0 / 60.0, 0.8 * 500.0 / 4500.0),
        (0.2 * 0.25, 0.2 * 0.25),
        (0.2 * 0.75, 0.2 * 0.75),
    ];
    for (j, (main, null)) in expected.into_iter().enumerate() {
        let (got, got_null) = table.column(j);
        assert!(close(got, main) && close(got_null, null), "{j}: {got} {got_null}");
        let border = table.class(OriginClass::Border, j);
        assert!(close(border.0, 0.36 * main) && close(border.1, 0.36 * null), "{j}: {border:?}");
    }
    assert_eq!(table.demand.unreached, 0);
    let classes: Vec<_> = table.places.destinations.iter().map(|d| d.class).collect();
    assert_eq!(
        classes,
        [
            DestinationClass::Exact,
            DestinationClass::Censored,
            DestinationClass::Exact,
            DestinationClass::Exit,
            DestinationClass::Exit
        ]
    );
}

#[test]
fn origins_share_by_weight_and_distance() {
    let case = Case::new(network(&circle(5), &row()), &sites());
    let table = Table::of(&case, &params(&[30, 10, 20], 1));
    // Destination 0; its own trips have the cost of a municipality without polygon: 10 km radius.
    let inner: f64 = 10.0 * 2.0 / 3.0 * 1.3 / 30.0 * 60.0;
    let pull =
        [(1000.0, inner), (3000.0, 10.0), (500.0, 20.0)].map(|(w, c): (f64, f64)| w * (-0.02 * c).exp());
    let sum: f64 = pull.iter().sum();
    for (m, pull) in pull.into_iter().enumerate() {
        assert!((table.from(m, 0) - pull / sum).abs() < 1e-9, "{m}");
    }
}

#[test]
fn without_border_origins_all_demand_is_domestic_and_the_reverse() {
    let no_gate = Sites { gates: Vec::new(), ..sites() };
    let table = Table::of(&Case::new(network(&circle(5), &row()), &no_gate), &params(&[30, 10, 20], 0));
    for j in 0..5 {
        assert_eq!(table.class(OriginClass::Border, j).0, 0.0);
    }
    assert!(close(table.column(0).0, 0.4));
    // Nobody lives there: what comes, comes over the border.
    let mut nobody = sites();
    nobody.municipalities.iter_mut().for_each(|m| m.0 = 0.0);
    let table = Table::of(&Case::new(network(&circle(5), &row()), &nobody), &params(&[30, 10, 20], 1));
    assert!(close(table.class(OriginClass::Border, 0).0, 0.4));
}

#[test]
fn without_exits_municipalities_take_all() {
    let none = Sites { exits: Vec::new(), ..sites() };
    let table = Table::of(&Case::new(network(&circle(5), &row()), &none), &params(&[30, 10, 20], 1));
    assert!(close(table.column(0).0, 0.5) && close(table.column(2).0, 20.0 / 60.0));
    // Exits of weight 0 are none.
    let zero = Sites { exits: vec![(0.0, 4)], ..sites() };
    let table = Table::of(&Case::new(network(&circle(5), &row()), &zero), &params(&[30, 10, 20], 1));
    assert_eq!(table.places.destinations.len(), 3);
    assert!(close(table.column(0).0, 0.5));
}

#[test]
fn what_cannot_be_reached_is_unserved() {
    // The exit at the end of the row can be left but not entered.
    let mut arcs = row();
    arcs[3] = (4, 3, 10.0, Forward);
    let case = Case::new(network(&circle(5), &arcs), &sites());
    let table = Table::of(&case, &params(&[30, 10, 20], 1));
    assert_eq!(table.column(3), (0.0, 0.0));
    assert!(close(table.demand.unreached as f64 / UNIT, 0.05));
    // A municipality off the network is nobody's destination either.
    let mut off = sites();
    off.municipalities[2].2 = None;
    let table = Table::of(&Case::new(network(&circle(5), &row()), &off), &params(&[30, 10, 20], 1));
    assert!(close(table.demand.unreached as f64 / UNIT, 0.8 * 20.0 / 60.0));
    let served: f64 = (0..table.places.destinations.len()).map(|j| table.column(j).0).sum();
    assert!(close(served + table.demand.unreached as f64 / UNIT, 1.0));
}

#[test]
fn distance_alone_does_not_make_a_place_unreachable() {
    // 40 hours at the steepest decay: e^−2400 is no number, the demand is there all the same.
    let mut arcs = row();
    arcs[3].2 = 2400.0;
    let case = Case::new(network(&circle(5), &arcs), &sites());
    let table = Table::of(&case, &DrawParams { gamma: 1.0, ..params(&[30, 10, 20], 1) });
    assert_eq!(table.demand.unreached, 0);
    assert!(close(table.column(3).0, 0.05), "{:?}", table.column(3));
    assert!(close(table.class(OriginClass::Border, 3).0, 0.05 * 0.36));
}

#[test]
fn kappa_weighs_marginacion_the_right_way_round() {
    let mut case = Case::new(network(&circle(5), &row()), &sites());
    let flat = |case: &Case, kappa: f64| {
        Table::of(case, &DrawParams { gamma: 0.0, kappa, ..params(&[30, 10, 20], 1) })
    };
    case.domain.municipalities[0].marginalization = Some(40.0);
    case.domain.municipalities[1].marginalization = Some(60.0);
    // The third is not known: it has the weight of the mean.
    let by_people = flat(&case, 0.0);
    for (m, population) in [1000.0, 3000.0, 500.0].into_iter().enumerate() {
        assert!(close(by_people.from(m, 0), population / 4500.0));
    }
    // CONAPO: a higher index is less marginación, and less recruitment.
    let weighed = flat(&case, 0.3);
    let e = 0.3_f64.exp();
    let sum = 1000.0 * e + 3000.0 / e + 500.0;
    assert!(close(weighed.from(0, 0), 1000.0 * e / sum), "{}", weighed.from(0, 0));
    assert!(close(weighed.from(1, 0), 3000.0 / e / sum));
    assert!(close(weighed.from(2, 0), 500.0 / sum));
    let reversed = flat(&case, -0.3);
    assert!(reversed.from(1, 0) > by_people.from(1, 0));
}

#[test]
fn crossing_weights_share_the_border() {
    let two = Sites { gates: vec![0, 4], ..sites() };
    let case = Case::new(network(&circle(5), &row()), &two);
    let mut p = DrawParams { gamma: 0.0, ..params(&[30, 10, 20], 2) };
    p.crossings = vec![0.25, 0.75];
    let table = Table::of(&case, &p);
    let from = |i: usize| table.demand.row(i).0[0] as f64 / UNIT;
    assert!(close(from(0), 0.4 * 0.36 * 0.25) && close(from(1), 0.4 * 0.36 * 0.75));
    // One that takes no part is no origin.
    let mut none = Case::new(network(&circle(5), &row()), &two);
    none.domain.crossings[1].weight = 0.0;
    assert_eq!(none.places().crossing_weights, [1.0, 0.0]);
    assert_eq!(none.places().origins.iter().filter(|o| o.class == OriginClass::Border).count(), 1);
}
