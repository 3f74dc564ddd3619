//! OpenStreetMap, `.osm.pbf`, as rows of roads.
//!
//! 1. Every block is read once for the ways that are roads, the restrictions, and the barriers.
//! 2. The nodes of those ways are put in order, and the blocks of nodes read again for their positions.
//! 3. The ways are cut where they share a node, and become rows; the restrictions become bans of rows.
//!
//! What holds for the table:
//!
//! - one row for each stretch of a way between two nodes where it is cut, in the order of the ids of the ways
//!   and along each; `id` is `w`, the id of the way, and the number of the stretch: `w23-1`;
//! - `from_node` and `to_node` are ids of nodes; roads meet where they are equal and only there. At a barrier
//!   that no motor vehicle passes every road has a key of its own, below those of all nodes;
//! - no row ends where it begins, none is without length;
//! - the number of threads and the order of the objects in the file change nothing.
//!
//! | concern | file |
//! |---|---|
//! | blobs, compression, threads | `frame` |
//! | damaged and hostile blocks | `check`, `wire` |
//! | tags | `tags`, `values` |
//! | ways and their stretches | `ways` |
//! | nodes | `nodes` |
//! | turn restrictions | `restrictions` |
//! | what is left out | `reasons` |

mod check;
mod frame;
mod nodes;
mod reasons;
mod restrictions;
mod tags;
mod values;
mod ways;
mod wire;

use geo::CoordsIter as _;
use osmpbf::Element;
use rayon::prelude::*;

use frame::{Block, Frame, Frames};
use nodes::{At, Nodes, Placed, position};
use reasons::{Dropped, Reason};
use restrictions::Restriction;
use tags::Verdict;
use ways::{CLASS, FIELDS, Ways};
use wire::Broken;

use crate::error::{Error, Rule};
use crate::sources::guard::Input;
use crate::sources::raw::{Provenance, RawRow, RawTable, Value};
use crate::sources::sink::Sink;
use crate::sources::spec::{GeometryNeed, Preset};
use crate::sources::{Job, geometry};

/// Reads the roads of the file.
pub(in crate::sources) fn read(input: &Input, job: &Job<'_>, sink: &mut Sink<'_>) -> Result<RawTable, Error> {
    admit(job, sink)?;
    let mut dropped = Dropped::default();
    let (found, with_nodes) = collect(input, job, sink, &mut dropped)?;
    let Found { mut ways, barriers, restrictions, records, .. } = found;
    for id in ways.sort(&mut dropped) {
        sink.push(sink.fault(Rule::OsmIdTwice).seen(format!("w{id}")));
    }
    let (mut nodes, mut lines) = ways.resolve();
    place(input, &with_nodes, &mut nodes, sink)?;
    for id in barriers {
        nodes.block(id);
    }
    if let Some(bbox) = job.spec.bbox {
        dropped.add_all(Reason::OutsideBox, lines.keep_within(&nodes, bbox));
    }
    lines.merge(&mut nodes);
    dropped.add_all(Reason::Unreached, lines.drop_unreached(&nodes));
    let most = job.limits.max_records;
    let too_many = || sink.fault(Rule::TooMany).with("limit", most);
    let cut = lines.cut(&nodes, most, &mut dropped).ok_or_else(too_many)?;
    if cut.rows.is_empty() {
        return Err(sink.fault(Rule::NoRecords).into());
    }
    for row in &cut.rows {
        let is_ferry = matches!(row.values.get(CLASS), Some(Value::Word("ferry")));
        if let Some(geo::Geometry::LineString(line)) = &row.geometry
            && let Some(at) = geometry::stray(&line.0).filter(|_| !is_ferry)
        {
            let fault = sink.fault(Rule::CoordinatesOutOfRange).row(row.row);
            let id = row.values.first().and_then(Value::text).unwrap_or_default();
            sink.push(fault.seen(id).with("detail", format!("{:.4}, {:.4}", at.x, at.y)));
        }
    }
    let bans = restrictions::bans(restrictions, &lines.list, &nodes, &cut, &mut dropped);
    Ok(RawTable {
        provenance: Provenance {
            source: job.name.to_owned(),
            file: input.shown.clone(),
            driver: input.format.driver().to_owned(),
            crs: Some("EPSG:4326".to_owned()),
            encoding: Some("utf-8".to_owned()),
            preset: Some(Preset::Osm.name()),
            records,
            dropped: dropped.by_key(),
            extent: extent(&cut.rows),
            ..Provenance::default()
        },
        fields: FIELDS.map(str::to_owned).into(),
        bans,
        rows: cut.rows,
        ..RawTable::default()
    })
}

/// What a study can say of other formats and not of this one.
fn admit(job: &Job<'_>, sink: &Sink<'_>) -> Result<(), Error> {
    if job.need != GeometryNeed::Line {
        let fault = sink.fault(Rule::GeometryType).with("expected", geometry::expected(job.need));
        return Err(fault.with("found", "LineString").into());
    }
    if let Some(layer) = &job.spec.layer {
        return Err(sink.fault(Rule::LayerMissing).field(layer).with("allowed", "–").into());
    }
    let wgs84 = |crs: &String| crs.eq_ignore_ascii_case("EPSG:4326") || crs.eq_ignore_ascii_case("OGC:CRS84");
    if let Some(crs) = job.spec.crs.as_ref().filter(|crs| !wgs84(crs)) {
        return Err(sink.fault(Rule::CrsUnusable).with("detail", format!("{crs} ≠ EPSG:4326")).into());
    }
    Ok(())
}

/// What the blocks hold.
#[derive(Default)]
struct Found {
    ways: Ways,
    /// Nodes that no motor vehicle passes.
    barriers: Vec<i64>,
    restrictions: Vec<Restriction>,
    /// Ways that are records of roads, left out or not.
    records: u64,
    dropped: Dropped,
    nodes: bool,
}

/// The first pass: ways, restrictions and barriers, and the blobs where nodes are.
fn collect(
    input: &Input,
    job: &Job<'_>,
    sink: &Sink<'_>,
    dropped: &mut Dropped,
) -> Result<(Found, Vec<Frame>), Error> {
    let mut all = Found::default();
    let mut with_nodes = Vec::new();
    let too_many = |limit: u64| Err(Error::from(sink.fault(Rule::TooMany).with("limit", limit)));
    Frames::open(input, sink)?.each(Frames::next, objects, |frame, found| {
        if found.nodes {
            with_nodes.push(frame);
        }
        all.records += found.records;
        dropped.merge(&found.dropped);
        all.ways.append(found.ways);
        all.barriers.extend(found.barriers);
        all.restrictions.extend(found.restrictions);
        let (records, vertices) = (job.limits.max_records, job.limits.max_vertices.min(u32::MAX.into()));
        if all.records + all.restrictions.len() as u64 > records {
            return too_many(records);
        }
        if (all.ways.mentions() + all.barriers.len()) as u64 > vertices {
            return too_many(vertices);
        }
        Ok(())
    })?;
    Ok((all, with_nodes))
}

fn objects(block: &Block<'_>) -> Result<Found, Broken> {
    let mut found = Found { nodes: block.holds.nodes, ..Found::default() };
    if !(block.holds.others || block.holds.nodes && block.holds.barriers) {
        return Ok(found);
    }
    block.objects()?.for_each_element(|element| match element {
        Element::Node(node) => {
            if tags::is_blocked(node.tags()) {
                found.barriers.push(node.id());
            }
        }
        Element::DenseNode(node) => {
            if tags::is_blocked(node.tags()) {
                found.barriers.push(node.id());
            }
        }
        Element::Way(way) => match tags::way(way.tags()) {
            Verdict::Other => {}
            Verdict::Dropped(reason) => {
                found.records += 1;
                found.dropped.add(reason);
            }
            Verdict::Road(road) => {
                found.records += 1;
                if !found.ways.push(way.id(), road, way.refs()) {
                    found.dropped.add(Reason::Short);
                }
            }
        },
        Element::Relation(relation) => match restrictions::read(&relation) {
            Some(Ok(restriction)) => found.restrictions.push(restriction),
            Some(Err(reason)) => found.dropped.add(reason),
            None => {}
        },
    });
    Ok(found)
}

/// The second pass: the positions of the nodes that roads name.
fn place(input: &Input, with_nodes: &[Frame], nodes: &mut Nodes, sink: &mut Sink<'_>) -> Result<(), Error> {
    let mut frames = Frames::open(input, sink)?;
    let mut rest = with_nodes.iter().copied();
    // The blocks are read while those before them are taken over, so that what they look for must not move.
    let mut placed = nodes.placing();
    frames.each(
        |_| Ok(rest.next()),
        |block| positions(block, nodes),
        |_, found: Vec<(usize, Option<At>)>| {
            for (index, at) in found {
                let seen = || format!("n{}", nodes.id(index));
                match at.map(|at| placed.place(index, at)) {
                    Some(Placed::Same) => {}
                    Some(Placed::Other) => sink.push(sink.fault(Rule::OsmIdTwice).seen(seen())),
                    None => {
                        let fault = sink.fault(Rule::CoordinatesOutOfRange);
                        sink.push(fault.with("detail", "|lon| > 180, |lat| > 90").seen(seen()));
                    }
                }
            }
            Ok(())
        },
    )?;
    nodes.take(placed);
    Ok(())
}

/// The positions of the nodes of a block that roads name; nothing in place of one that is not on the globe.
fn positions(block: &Block<'_>, nodes: &Nodes) -> Result<Vec<(usize, Option<At>)>, Broken> {
    let mut found = Vec::new();
    let mut from = 0;
    block.objects()?.for_each_element(|element| {
        let (id, lon, lat) = match element {
            Element::DenseNode(node) => (node.id(), node.nano_lon(), node.nano_lat()),
            Element::Node(node) => (node.id(), node.nano_lon(), node.nano_lat()),
            Element::Way(_) | Element::Relation(_) => return,
        };
        if let Some(index) = nodes.find_from(&mut from, id) {
            found.push((index, position(lon, lat)));
        }
    });
    Ok(found)
}

/// West, south, east, north.
fn extent(rows: &[RawRow]) -> Option<[f64; 4]> {
    let wider = |a: [f64; 4], b: [f64; 4]| [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])];
    let all = rows.par_iter().filter_map(|row| row.geometry.as_ref());
    all.flat_map_iter(geo::Geometry::coords_iter).map(|c| [c.x, c.y, c.x, c.y]).reduce_with(wider)
}
