//! Small hand-made domains and networks. Positions are kilometres east and north of a point in Chiapas.

use geo::{Coord, Geodesic, Length, LineString};
use petgraph::graph::UnGraph;

use crate::ids::JunctionId;
use crate::model::domain::{
    Approach, Crossing, CrossingStatus, Direction, Domain, Exit, Municipality, Road, RoadClass, Surface, Town,
};
use crate::model::frame::WorkFrame;
use crate::model::incidence::CountDatum;
use crate::model::prior::Prior;
use crate::model::study::Study;
use crate::network::builder::{BuildOptions, Built, build};
use crate::network::graph::{Driven, Junction, Link, LinkKind, Network};
use crate::units::{Metres, Minutes};

pub(crate) const OPTIONS: BuildOptions =
    BuildOptions { tolerance: 10.0, max_snap: 5_000.0, access_speed_kmh: 15.0 };

const ORIGIN: Coord<f64> = Coord { x: 3_500_000.0, y: 500_000.0 };

/// Longitude and latitude of a position in km.
pub(crate) fn at((x, y): (f64, f64)) -> Coord<f64> {
    WorkFrame::new().unwrap().to_lonlat(ORIGIN + Coord { x: x * 1000.0, y: y * 1000.0 })
}

/// A paved state road of 60 km/h in both directions.
pub(crate) fn road(id: &str, points: &[(f64, f64)]) -> Road {
    let line: LineString<f64> = points.iter().map(|p| at(*p)).collect();
    Road {
        layer: None,
        id: id.to_owned(),
        row: 1,
        reference: String::new(),
        class: RoadClass::State,
        surface: Surface::Paved,
        toll: false,
        direction: Direction::Both,
        speed_kmh: 60.0,
        length: Metres(Geodesic.length(&line)),
        region: String::new(),
        schematic: false,
        ends: None,
        level: 0,
        line,
    }
}

/// The same with a reference.
pub(crate) fn named(id: &str, reference: &str, points: &[(f64, f64)]) -> Road {
    Road { reference: reference.to_owned(), ..road(id, points) }
}

pub(crate) fn municipality(code: u32, population: f64) -> Municipality {
    Municipality {
        cvegeo: format!("{code:05}"),
        name: format!("M{code}"),
        population,
        marginalization: None,
        polygon: None,
        polygon_of: None,
        datum: CountDatum::Unknown { max: None },
        known_by: None,
        search_effort: None,
        by_modality: Vec::new(),
        by_period: Vec::new(),
    }
}

/// A town; the seat of municipality `code` if there is one.
pub(crate) fn town(name: &str, code: Option<u32>, place: (f64, f64)) -> Town {
    Town {
        id: name.to_lowercase(),
        name: name.to_owned(),
        row: 2,
        cvegeo: code.map(|c| format!("{c:05}")),
        seat: code.is_some(),
        at: at(place),
    }
}

pub(crate) fn exit(id: &str, weight: f64, place: (f64, f64)) -> Exit {
    Exit { id: id.to_owned(), name: id.to_owned(), row: 1, at: at(place), weight }
}

/// A crossing with its gate, and with the places and km of its approaches inside and outside, if any.
pub(crate) fn crossing(id: &str, gate: (f64, f64), approaches: Option<[((f64, f64), f64); 2]>) -> Crossing {
    Crossing {
        id: id.to_owned(),
        name: id.to_owned(),
        row: 1,
        at: at(gate),
        status: CrossingStatus::Formal,
        mode: String::new(),
        precision_km: None,
        weight: 1.0,
        approaches: approaches
            .map(|sides| sides.map(|(place, km)| Approach { at: at(place), length: Metres(km * 1000.0) })),
    }
}

pub(crate) fn domain(roads: Vec<Road>) -> Domain {
    Domain {
        municipalities: Vec::new(),
        roads,
        bans: Vec::new(),
        counted: crate::model::counts::Counted::default(),
        crossings: Vec::new(),
        exits: Vec::new(),
        towns: Vec::new(),
        posts: Vec::new(),
        worksites: Vec::new(),
        frame: WorkFrame::new().unwrap(),
        provenance: Vec::new(),
    }
}

pub(crate) fn built(domain: &Domain) -> Built {
    build(domain, OPTIONS)
}

/// The junction at a position, within 50 m: a long line is straight in degrees, and in metres not quite.
pub(crate) fn junction_at(network: &Network, place: (f64, f64)) -> JunctionId {
    let wanted = ORIGIN + Coord { x: place.0 * 1000.0, y: place.1 * 1000.0 };
    let found = network.graph().node_indices().find(|n| {
        let d = network.graph()[*n].plane - wanted;
        d.x.hypot(d.y) < 50.0
    });
    JunctionId(u32::try_from(found.expect("a junction").index()).unwrap())
}

/// A link of a network that is made directly: ends, minutes, direction.
pub(crate) type Arc = (usize, usize, f64, Direction);

/// A network of straight links between `places` (km), without noding; a link is as many km as minutes long.
pub(crate) fn network(places: &[(f64, f64)], arcs: &[Arc]) -> Network {
    let frame = WorkFrame::new().unwrap();
    let mut graph = UnGraph::default();
    for place in places {
        let at = at(*place);
        graph.add_node(Junction { at, plane: frame.to_plane(at), town: None, anchor: true });
    }
    for (i, &(from, to, minutes, direction)) in arcs.iter().enumerate() {
        let id = |n: usize| JunctionId(u32::try_from(n).unwrap());
        let link = Link {
            from: id(from),
            to: id(to),
            kind: LinkKind::Road,
            direction,
            reference: format!("R{i}").into(),
            class: RoadClass::State,
            surface: Surface::Paved,
            toll: false,
            region: "".into(),
            schematic: false,
            length: Metres(minutes * 1000.0),
            time: Minutes(minutes),
            records: vec![i.to_string().into()],
            line: LineString(vec![at(places[from]), at(places[to])]),
        };
        graph.add_edge(petgraph::graph::NodeIndex::new(from), petgraph::graph::NodeIndex::new(to), link);
    }
    Network::new(graph)
}

/// Places on a circle, so that no two are the same.
pub(crate) fn circle(n: usize) -> Vec<(f64, f64)> {
    (0..n)
        .map(|i| {
            let angle = std::f64::consts::TAU * i as f64 / n as f64;
            (50.0 * angle.cos(), 50.0 * angle.sin())
        })
        .collect()
}

/// A study whose parameters are all known: γ = 0.02, κ = 0, half from the border, no exits' share, no spread.
pub(crate) fn study() -> Study {
    let mut study: Study = toml::from_str(
        r#"
        format = 1
        study = { name = "t", title = "t", region = "t" }
        [sources]
        municipalities = { path = "a" }
        population = { path = "b" }
        roads = { path = "c" }
        "#,
    )
    .unwrap();
    study.incidence.unlocated = Prior::Fixed(0.0);
    study.planning.detection = Prior::Fixed(0.1);
    let p = &mut study.parameters;
    p.draws = 10;
    p.perturbations = 1;
    p.gamma = Prior::Fixed(0.02);
    p.kappa = Prior::Fixed(0.0);
    p.border_share = Prior::Fixed(0.5);
    p.exit_share = Prior::Fixed(0.2);
    p.route_variance_min = Prior::Fixed(0.0);
    p.speed_factor = Prior::Fixed(1.0);
    p.crossing_min = Prior::Fixed(0.0);
    p.profiles.avoids_posts = 0.0;
    p.profiles.minor_roads = 0.0;
    study
}

/// A way along links that may be driven: `picks` choose the first link and each next one.
pub(crate) fn walk(network: &Network, picks: &[usize]) -> Vec<Driven> {
    let mut out: Vec<Driven> = Vec::new();
    for &pick in picks {
        let may: Vec<Driven> = network
            .links()
            .flat_map(|(id, link)| {
                let (along, against) = (link.direction.forward(), link.direction.backward());
                [along.then_some((id, false)), against.then_some((id, true))].into_iter().flatten()
            })
            .filter(|d| out.last().is_none_or(|last| network.ends(*last).1 == network.ends(*d).0))
            .collect();
        if may.is_empty() {
            break;
        }
        out.push(may[pick % may.len()]);
    }
    out
}
