//! Stage 3: noding, joining and contraction of the demo's roads; the nearest link of each of its towns; and the
//! same on a made-up country of 200,000 links (`CORREDOR_BENCH_LINKS=1000000` for another number), in links a
//! second: with the keys of junctions stated, noded by geometry, indexed, and searched without and with turn bans.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "made-up numbers of a known size"
)]
#![expect(clippy::expect_used, reason = "a bench that cannot be set up has nothing to measure")]

mod common;

use corredor::ids::{JunctionId, LinkId};
use corredor::model::domain::{Direction, Domain, Road, RoadClass, Surface};
use corredor::model::frame::WorkFrame;
use corredor::network::builder::{BuildOptions, build};
use corredor::network::graph::{Driven, Network};
use corredor::network::search::{Arcs, Search};
use corredor::network::spatial::LinkIndex;
use corredor::units::Metres;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use geo::{Coord, Geodesic, Length, LineString};

const OPTIONS: BuildOptions = BuildOptions { tolerance: 10.0, max_snap: 5_000.0, access_speed_kmh: 15.0 };

fn network(c: &mut Criterion) {
    let loaded = common::loaded(10);
    let (domain, options) = (&loaded.domain, common::options(&loaded.study));
    c.bench_function("network/build", |b| b.iter(|| build(domain, options)));

    let index = LinkIndex::new(&loaded.built.network, &domain.frame, |_| true);
    let towns: Vec<_> = domain.towns.iter().map(|t| domain.frame.to_plane(t.at)).collect();
    c.bench_function("network/snap_towns", |b| {
        b.iter(|| towns.iter().filter_map(|at| index.nearest(*at)).count());
    });
}

/// A number that looks random, from 0 to 1.
fn scatter(n: u64) -> f64 {
    let mut z = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z >> 11) as f64 / (1_u64 << 53) as f64
}

/// A grid of bent roads some 300 m long, rows of the file in no order of place.
fn country(links: usize, keyed: bool) -> Domain {
    let side = ((links as f64 / 2.0).sqrt().ceil() as usize).max(2);
    let frame = WorkFrame::new().expect("the frame");
    let at = |x: usize, y: usize, salt: u64| {
        let n = (x * 1_000_003 + y) as u64;
        let metres = Coord {
            x: 2_500_000.0 + 300.0 * x as f64 + 120.0 * scatter(n ^ salt),
            y: 300_000.0 + 300.0 * y as f64 + 120.0 * scatter(n ^ (salt << 20)),
        };
        frame.to_lonlat(metres)
    };
    let mut roads = Vec::with_capacity(links);
    for x in 0..side {
        for y in 0..side {
            for (dx, dy) in [(1, 0), (0, 1)] {
                if x + dx >= side || y + dy >= side {
                    continue;
                }
                let (from, to) = (at(x, y, 1), at(x + dx, y + dy, 1));
                let bend = |share: f64, salt: u64| {
                    let middle = from + (to - from) * share;
                    Coord { x: middle.x + 2e-4 * scatter((x * side + y) as u64 ^ salt), y: middle.y }
                };
                let line = LineString(vec![from, bend(0.3, 77), bend(0.7, 99), to]);
                let n = roads.len() as u64;
                let key = |x: usize, y: usize| (x * side + y) as i64;
                roads.push(Road {
                    layer: None,
                    id: n.to_string(),
                    row: n,
                    reference: format!("R-{}", if dx == 1 { y } else { side + x }),
                    class: RoadClass::Local,
                    surface: Surface::Paved,
                    toll: false,
                    direction: if scatter(n) < 0.1 { Direction::Forward } else { Direction::Both },
                    speed_kmh: 30.0 + 60.0 * scatter(n ^ 5),
                    length: Metres(Geodesic.length(&line)),
                    region: String::new(),
                    schematic: false,
                    ends: keyed.then(|| [key(x, y), key(x + dx, y + dy)]),
                    level: 0,
                    line,
                });
            }
        }
    }
    roads.sort_by(|a, b| scatter(a.row ^ 0x4d2).total_cmp(&scatter(b.row ^ 0x4d2)));
    Domain {
        municipalities: Vec::new(),
        roads,
        bans: Vec::new(),
        counted: corredor::model::counts::Counted::default(),
        crossings: Vec::new(),
        exits: Vec::new(),
        towns: Vec::new(),
        posts: Vec::new(),
        worksites: Vec::new(),
        frame,
        provenance: Vec::new(),
    }
}

/// A banned turn at one junction in a hundred: between two of its links.
fn some_bans(network: &Network) -> Vec<Vec<Driven>> {
    let junctions = u32::try_from(network.junction_count()).expect("few junctions");
    let at = |j: u32| -> Option<Vec<Driven>> {
        let links: Vec<LinkId> = network.links_at(JunctionId(j)).map(|(link, _)| link).collect();
        let [a, b] = [*links.first()?, *links.last()?];
        Some(vec![(a, network.link(a).to.0 != j), (b, network.link(b).from.0 != j)])
    };
    (0..junctions).filter(|&j| scatter(u64::from(j) ^ 0x10e1) < 0.01).filter_map(at).collect()
}

fn large(c: &mut Criterion) {
    let links = std::env::var("CORREDOR_BENCH_LINKS").ok().and_then(|n| n.parse().ok()).unwrap_or(200_000);
    let mut group = c.benchmark_group("network/build_million");
    group.sample_size(10);
    for (name, keyed) in [("keyed", true), ("geometric", false)] {
        let domain = country(links, keyed);
        group.throughput(Throughput::Elements(domain.roads.len() as u64));
        group.bench_function(name, |b| b.iter(|| build(&domain, OPTIONS)));
    }
    let domain = country(links, true);
    let network = build(&domain, OPTIONS).network;
    drop(domain.roads);
    group.bench_function("index", |b| b.iter(|| LinkIndex::new(&network, &domain.frame, |_| true)));
    group.bench_function("arcs", |b| b.iter(|| Arcs::new(&network)));
    group.finish();

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "minutes of a link")]
    let weights: Vec<u32> = network.links().map(|(_, l)| (l.time.0 * 60_000.0) as u32).collect();
    let targets = vec![false; network.junction_count()];
    let source = JunctionId(u32::try_from(network.junction_count() / 2).expect("few junctions"));
    let mut group = c.benchmark_group("network/search");
    group.sample_size(10);
    let bans = some_bans(&network);
    for (name, bans) in [("without_bans", Vec::new()), ("bans_at_1_percent", bans)] {
        let arcs = Arcs::new(&network.clone().with_bans(bans));
        let mut search = Search::new(&arcs);
        group.bench_function(name, |b| b.iter(|| search.run(&arcs, &weights, source, &targets, 1)));
    }
    group.finish();
}

criterion_group!(benches, network, large);
criterion_main!(benches);
