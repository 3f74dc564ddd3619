//! Raw tables of lines to roads and turn bans.

use std::collections::BTreeMap;

use geo::{Geodesic, Geometry, Length, LineString};

use super::build::Source;
use super::columns::{Keys, records};
use super::domain::{Direction, Road, RoadClass, Surface, TurnBan};
use super::study::Study;
use crate::error::{Faults, Rule};
use crate::sources::raw::RawBan;
use crate::units::Metres;

/// Roads: `class`; optional `id`, `ref`, `surface`, `toll`, `oneway`, `speed_kmh`, `length_km`, `region`,
/// `schematic`, `from_node`, `to_node`, `level`; and the turn bans on them.
pub fn roads(source: &Source<'_>, study: &Study, faults: &mut Faults) -> (Vec<Road>, Vec<TurnBan>) {
    let optional = [
        "id",
        "ref",
        "surface",
        "toll",
        "oneway",
        "speed_kmh",
        "length_km",
        "region",
        "schematic",
        "from_node",
        "to_node",
        "level",
    ];
    let tables = source.columns(&["class"], &optional, faults);
    let classes = RoadClass::ALL.map(|class| (class.name(), class));
    let surfaces = [
        ("paved", Surface::Paved),
        ("pavimentado", Surface::Paved),
        ("partly_paved", Surface::PartlyPaved),
        ("unpaved", Surface::Unpaved),
        ("terracería", Surface::Unpaved),
    ];
    let directions = [
        ("no", Direction::Both),
        ("both", Direction::Both),
        ("yes", Direction::Forward),
        ("forward", Direction::Forward),
        ("-1", Direction::Backward),
        ("backward", Direction::Backward),
        ("closed", Direction::Closed),
        ("0", Direction::Both),
        ("1", Direction::Forward),
        ("false", Direction::Both),
        ("true", Direction::Forward),
    ];
    let mut keys = Keys::default();
    let mut out = Vec::new();
    for (columns, row) in records(&tables) {
        let _ = columns.needed(row, "class", faults);
        let class = columns.choice(row, "class", &classes, faults);
        let surface = columns.choice(row, "surface", &surfaces, faults).unwrap_or(Surface::Paved);
        let toll = columns.boolean(row, "toll", faults);
        let direction = columns.choice(row, "oneway", &directions, faults).unwrap_or(Direction::Both);
        let speed = columns.number(row, "speed_kmh", 1.0, 200.0, faults);
        let length_km = columns.number(row, "length_km", 0.0, 10_000.0, faults);
        let schematic = columns.boolean(row, "schematic", faults).unwrap_or(false);
        let ends = match (columns.integer(row, "from_node", faults), columns.integer(row, "to_node", faults))
        {
            (Some(from), Some(to)) => Some([from, to]),
            _ => None,
        };
        let level = columns.integer(row, "level", faults).and_then(|l| i32::try_from(l).ok()).unwrap_or(0);
        let id = columns.text(row, "id").unwrap_or_else(|| row.row.to_string());
        let Some(class) = class else { continue };
        if !keys.insert(&id, columns, row, "id", faults) {
            continue;
        }
        let lines = match &row.geometry {
            Some(Geometry::LineString(line)) => vec![line.clone()],
            Some(Geometry::MultiLineString(lines)) => lines.0.clone(),
            _ => continue,
        };
        let by_study = || {
            let speeds = &study.parameters.speeds_kmh;
            speeds
                .get(&format!("{}/{}", class.name(), surface.name()))
                .or_else(|| speeds.get(class.name()))
                .copied()
        };
        let speed_kmh = speed.or_else(by_study).unwrap_or_else(|| class.default_speed(surface));
        let total: f64 = lines.iter().map(|line| Geodesic.length(line)).sum();
        let used = used_length(length_km.map(|km| km * 1000.0), total);
        if used.is_implausible {
            let km = |m: f64| format!("{:.3}", m / 1000.0);
            faults.push(
                columns
                    .place_fault(Rule::LengthImplausible, Some(row), Some("length_km"))
                    .seen(id.clone())
                    .with("stated", km(length_km.unwrap_or(0.0) * 1000.0))
                    .with("line", km(total))
                    .with("used", km(used.metres)),
            );
        }
        // Keys are of the ends of a record, which has two only if it is one line.
        let ends = ends.filter(|_| lines.len() == 1);
        for line in lines {
            let own = Geodesic.length(&line);
            // A stated length belongs to the record: its parts share it by their own length.
            let length = if total > 0.0 { used.metres * own / total } else { own };
            out.push(Road {
                id: id.clone(),
                row: row.row,
                reference: columns.text(row, "ref").unwrap_or_default(),
                class,
                surface,
                toll: toll.unwrap_or(class == RoadClass::Toll),
                direction,
                speed_kmh,
                length: Metres(length),
                region: columns.text(row, "region").unwrap_or_default(),
                schematic,
                ends,
                level,
                line: without_repeats(&line),
            });
        }
    }
    let out = without_repeated_roads(source, out, faults);
    let bans = turn_bans(source, &out);
    (out, bans)
}

/// The bans of a source by index of their roads. One on a road that was left out by rule, such as a closed one,
/// bans nothing and is left out as well; the presets report those on roads that no record has.
fn turn_bans(source: &Source<'_>, roads: &[Road]) -> Vec<TurnBan> {
    if source.tables.iter().all(|table| table.bans.is_empty()) {
        return Vec::new();
    }
    // A record with several parts has no single place in a sequence.
    let mut index: BTreeMap<&str, Option<usize>> = BTreeMap::new();
    for (i, road) in roads.iter().enumerate() {
        index.entry(&road.id).and_modify(|slot| *slot = None).or_insert(Some(i));
    }
    let resolve = |ban: &RawBan| {
        let roads: Option<Vec<usize>> =
            ban.roads.iter().map(|id| index.get(id.as_str()).copied().flatten()).collect();
        Some(TurnBan { id: ban.id.clone(), row: ban.row, via: ban.via, roads: roads? })
    };
    source
        .tables
        .iter()
        .flat_map(|table| &table.bans)
        .filter(|ban| ban.roads.len() >= 2)
        .filter_map(resolve)
        .collect()
}

/// A road is not shorter than its line: below this ratio of stated length to line the line is believed.
const LEAST_STATED: f64 = 0.95;
/// A road winds between the vertices of a schematic line, but hardly as much as this.
const MOST_STATED: f64 = 5.0;
/// Differences of less than this are rounding, metres: lengths are often given to a tenth of a kilometre.
const LENGTH_ROUNDING: f64 = 50.0;

/// The length of a record, and whether what it states is worth a warning.
struct UsedLength {
    metres: f64,
    is_implausible: bool,
}

/// The length to use for a line of `total` metres whose record says `stated` metres. Nothing and zero are no
/// statement. A stated length below that of the line cannot be: the line's is used. One far above it, as where
/// metres stand in the place of kilometres, may yet be right on a sketch: it is kept.
fn used_length(stated: Option<f64>, total: f64) -> UsedLength {
    let Some(stated) = stated.filter(|m| *m > 0.0 && total > 0.0) else {
        return UsedLength { metres: total, is_implausible: false };
    };
    let short = stated < LEAST_STATED * total;
    let apart = (stated - total).abs() > LENGTH_ROUNDING;
    UsedLength {
        metres: if short { total } else { stated },
        is_implausible: apart && (short || stated > MOST_STATED * total),
    }
}

/// The roads without those that are there twice: of one reference, along the same positions, as long, and to be
/// driven in the same directions. Two links between the same junctions would share the flow of one. The one with
/// the lower id stays, so that the order of rows decides nothing.
fn without_repeated_roads(source: &Source<'_>, roads: Vec<Road>, faults: &mut Faults) -> Vec<Road> {
    /// The positions in the one of both orders that begins lower, with the direction as seen that way.
    fn course(road: &Road) -> (Vec<[u64; 2]>, Direction) {
        let bits = |c: &geo::Coord<f64>| [c.x.to_bits(), c.y.to_bits()];
        let there: Vec<[u64; 2]> = road.line.0.iter().map(bits).collect();
        let back: Vec<[u64; 2]> = there.iter().rev().copied().collect();
        if back < there { (back, road.direction.reversed()) } else { (there, road.direction) }
    }
    // By both ends, the number of positions and the length in millimetres; the rest is compared in full.
    let mut groups: BTreeMap<([u64; 2], [u64; 2], usize, u64), Vec<usize>> = BTreeMap::new();
    for (i, road) in roads.iter().enumerate() {
        let (positions, _) = course(road);
        if let (Some(first), Some(last)) = (positions.first(), positions.last()) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "lengths are checked"
            )]
            let millimetres = (road.length.0 * 1000.0).round().max(0.0) as u64;
            groups.entry((*first, *last, positions.len(), millimetres)).or_default().push(i);
        }
    }
    let mut repeats = vec![None; roads.len()];
    for mut group in groups.into_values().filter(|g| g.len() > 1) {
        group.sort_by(|&a, &b| roads[a].id.cmp(&roads[b].id).then(a.cmp(&b)));
        for (n, &i) in group.iter().enumerate() {
            let same = |&&kept: &&usize| {
                repeats[kept].is_none()
                    && roads[kept].reference == roads[i].reference
                    && course(&roads[kept]) == course(&roads[i])
            };
            repeats[i] = group[..n].iter().find(same).copied();
        }
    }
    for (i, kept) in repeats.iter().enumerate() {
        if let Some(kept) = kept {
            faults.push(
                source
                    .fault(Rule::RoadRepeated)
                    .row(roads[i].row)
                    .seen(roads[i].id.clone())
                    .with("first", roads[*kept].row),
            );
        }
    }
    roads.into_iter().zip(repeats).filter(|(_, kept)| kept.is_none()).map(|(road, _)| road).collect()
}

/// The line without positions that repeat their predecessor.
fn without_repeats(line: &LineString<f64>) -> LineString<f64> {
    let mut points = line.0.clone();
    points.dedup();
    LineString(points)
}
