//! Which areas border each other.
//!
//! Pairs whose boxes meet come from an R-tree; of each pair only the segments in the common part of both boxes are
//! looked at, swept along an axis. Pairs are judged in parallel, each once, so that the result is symmetric.

use geo::{BoundingRect as _, MultiPolygon};
use rayon::prelude::*;
use rstar::{AABB, RTree, primitives::GeomWithData, primitives::Rectangle};

use super::border::{self, Part, Rect, Segment, near};
use super::error::{Counted, SpatialError};
use super::weights::{SpatialWeights, short};

/// What areas must have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    Queen,
    Rook,
}

impl SpatialWeights {
    /// Binary weights between areas whose borders have at least a point in common, or come within `tolerance` (in the
    /// unit of the coordinates; 0 is exact).
    ///
    /// All rings are borders: an area in the hole of another touches it by the ring of the hole, one that lies
    /// wholly inside without reaching its border does not. A vertex within another area's edge counts, and so do
    /// borders that cross; where borders are drawn with the same vertices these are the weights of `libpysal`.
    /// `None` and empty areas are islands. Areas that are there twice border each other.
    ///
    /// # Errors
    /// [`SpatialError::TooFew`] without areas, [`SpatialError::Coordinate`] for NaN or infinite coordinates,
    /// [`SpatialError::Distance`] for a tolerance that is negative or not finite.
    pub fn queen(areas: &[Option<&MultiPolygon<f64>>], tolerance: f64) -> Result<Self, SpatialError> {
        contiguous(areas, tolerance, Rule::Queen)
    }

    /// Binary weights between areas whose borders have a stretch in common.
    ///
    /// Without a tolerance: collinear pieces that overlap by more than a point, whatever their vertices. With one, also
    /// an unbroken stretch of one border, longer than four times the tolerance, that lies within it of the other: at a
    /// corner each of the two edges lies within it for a tolerance or so, which is no stretch. Otherwise as
    /// [`Self::queen`].
    ///
    /// # Errors
    /// As [`Self::queen`].
    pub fn rook(areas: &[Option<&MultiPolygon<f64>>], tolerance: f64) -> Result<Self, SpatialError> {
        contiguous(areas, tolerance, Rule::Rook)
    }
}

/// The border of an area: its rings, one after the other.
struct Border {
    rect: Rect,
    segments: Vec<Segment>,
    /// By segment: its ring, and how far along it the segment begins.
    along: Vec<(usize, f64)>,
    /// By ring.
    lengths: Vec<f64>,
}

fn border(site: usize, area: Option<&MultiPolygon<f64>>) -> Result<Option<Border>, SpatialError> {
    let Some(area) = area else { return Ok(None) };
    let (mut segments, mut along, mut lengths) = (Vec::new(), Vec::new(), Vec::new());
    for ring in area.iter().flat_map(|polygon| std::iter::once(polygon.exterior()).chain(polygon.interiors()))
    {
        if ring.coords().any(|c| !c.x.is_finite() || !c.y.is_finite()) {
            return Err(SpatialError::Coordinate { site });
        }
        let mut length = 0.0;
        for line in ring.lines().filter(|line| line.start != line.end) {
            let segment = Segment { a: line.start, b: line.end };
            segments.push(segment);
            along.push((lengths.len(), length));
            length += segment.length();
        }
        lengths.push(length);
    }
    let Some(rect) = area.bounding_rect().filter(|_| !segments.is_empty()) else { return Ok(None) };
    let rect = [rect.min().x, rect.min().y, rect.max().x, rect.max().y];
    Ok(Some(Border { rect, segments, along, lengths }))
}

fn contiguous(
    areas: &[Option<&MultiPolygon<f64>>],
    tolerance: f64,
    rule: Rule,
) -> Result<SpatialWeights, SpatialError> {
    if areas.is_empty() {
        return Err(SpatialError::TooFew { sites: 0, needed: 1 });
    }
    if u32::try_from(areas.len()).is_err() {
        let limit = u64::from(u32::MAX);
        return Err(SpatialError::TooLarge { what: Counted::Sites, size: areas.len() as u64, limit });
    }
    if !tolerance.is_finite() || tolerance < 0.0 {
        return Err(SpatialError::Distance { name: "tolerance", value: tolerance });
    }
    let borders: Vec<Option<Border>> =
        areas.iter().enumerate().map(|(site, area)| border(site, *area)).collect::<Result<_, _>>()?;
    let boxes = borders.iter().enumerate().filter_map(|(site, border)| {
        let [left, bottom, right, top] = border.as_ref()?.rect;
        Some(GeomWithData::new(Rectangle::from_corners([left, bottom], [right, top]), site))
    });
    let tree = RTree::bulk_load(boxes.collect());
    let after: Vec<Vec<u32>> = borders
        .par_iter()
        .enumerate()
        .map(|(site, border)| {
            let Some(border) = border else { return Vec::new() };
            let [left, bottom, right, top] = border.rect;
            let around = AABB::from_corners(
                [left - tolerance, bottom - tolerance],
                [right + tolerance, top + tolerance],
            );
            let mut found: Vec<u32> = tree
                .locate_in_envelope_intersecting(&around)
                .map(|entry| entry.data)
                .filter(|other| *other > site)
                .filter(|other| borders[*other].as_ref().is_some_and(|o| meet(border, o, tolerance, rule)))
                .map(short)
                .collect();
            found.sort_unstable();
            found
        })
        .collect();
    // Lower numbers come first, as each site is reached in ascending order.
    let mut rows: Vec<Vec<u32>> = vec![Vec::new(); areas.len()];
    for (site, found) in after.iter().enumerate() {
        for other in found {
            rows[*other as usize].push(short(site));
        }
    }
    for (row, found) in rows.iter_mut().zip(after) {
        row.extend(found);
    }
    Ok(SpatialWeights::from_sorted(&rows))
}

/// The segments of a border within a box, by their left ends; each with its number.
fn within(border: &Border, frame: &Rect, tolerance: f64) -> Vec<(Rect, usize)> {
    let boxed = border.segments.iter().enumerate().map(|(number, segment)| (segment.rect(), number));
    let mut found: Vec<_> = boxed.filter(|(rect, _)| near(rect, frame, tolerance)).collect();
    found.sort_by(|a, b| a.0[0].total_cmp(&b.0[0]));
    found
}

/// Calls `visit` with the numbers of each pair of segments whose boxes meet, until it answers yes.
fn any_pair(
    a: &[(Rect, usize)],
    b: &[(Rect, usize)],
    tolerance: f64,
    mut visit: impl FnMut(usize, usize) -> bool,
) -> bool {
    // Segments of b that a later one of a may still meet: those whose right end was not passed.
    let mut open: Vec<usize> = Vec::new();
    let mut next = 0;
    for (rect, number) in a {
        while next < b.len() && b[next].0[0] <= rect[2] + tolerance {
            open.push(next);
            next += 1;
        }
        open.retain(|other| b[*other].0[2] + tolerance >= rect[0]);
        for other in &open {
            let (their, other) = &b[*other];
            if near(rect, their, tolerance) && visit(*number, *other) {
                return true;
            }
        }
    }
    false
}

fn meet(a: &Border, b: &Border, tolerance: f64, rule: Rule) -> bool {
    // What both boxes have in common; turned inside out by at most the tolerance where they only come near.
    let (p, q) = (&a.rect, &b.rect);
    let common = [p[0].max(q[0]), p[1].max(q[1]), p[2].min(q[2]), p[3].min(q[3])];
    let common = [
        common[0].min(common[2]),
        common[1].min(common[3]),
        common[2].max(common[0]),
        common[3].max(common[1]),
    ];
    let (in_a, in_b) = (within(a, &common, tolerance), within(b, &common, tolerance));
    let of = |x: usize, y: usize| (&a.segments[x], &b.segments[y]);
    let any = |margin: f64, test: &dyn Fn(&Segment, &Segment) -> bool| {
        any_pair(&in_a, &in_b, margin, |x, y| {
            let (x, y) = of(x, y);
            test(x, y)
        })
    };
    match rule {
        Rule::Queen if tolerance > 0.0 => any(tolerance, &|x, y| border::touch_within(x, y, tolerance)),
        Rule::Queen => any(0.0, &border::touch),
        Rule::Rook if any(0.0, &border::overlap) => true,
        Rule::Rook if tolerance > 0.0 => {
            let (mut of_a, mut of_b) = (Vec::new(), Vec::new());
            any_pair(&in_a, &in_b, tolerance, |x, y| {
                let (p, q) = of(x, y);
                of_a.extend(part(a, x, border::stretch(p, q, tolerance)));
                of_b.extend(part(b, y, border::stretch(q, p, tolerance)));
                false
            });
            border::longest(of_a, &a.lengths).max(border::longest(of_b, &b.lengths)) > 4.0 * tolerance
        }
        Rule::Rook => false,
    }
}

/// A stretch of a segment as a part of its ring.
fn part(border: &Border, number: usize, stretch: Option<(f64, f64)>) -> Option<Part> {
    let (from, to) = stretch?;
    let (ring, start) = *border.along.get(number)?;
    let length = border.segments.get(number)?.length();
    Some(Part { ring, from: start + from * length, to: start + to * length })
}
