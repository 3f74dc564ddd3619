//! Nearest points and distance bands, on the plane or on the sphere.

use geo::Coord;
use rayon::prelude::*;
use rstar::{PointDistance, RTree, primitives::GeomWithData};

use super::error::{Counted, SpatialError};
use super::weights::{SpatialWeights, short};

/// Mean radius of the Earth, in metres (IUGG: (2a + b)/3 of GRS 80).
pub const EARTH_RADIUS: f64 = 6_371_008.771_4;

/// How distances are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// On the plane, in the unit of the coordinates.
    Plane,
    /// Great circles on a sphere of radius [`EARTH_RADIUS`], in metres, between longitudes and latitudes in degrees.
    Sphere,
}

impl SpatialWeights {
    /// Binary weights to the `k` nearest other points; ties go to the lower number. Points at the same place are
    /// neighbours at distance zero. The weights need not be symmetric.
    ///
    /// On the sphere points are found by their chords in space, which order them as great circles do, so that the
    /// answer is exact at the date line and at the poles.
    ///
    /// # Errors
    /// [`SpatialError::Neighbours`] for `k` of 0 or at least the number of points, [`SpatialError::Coordinate`] and
    /// [`SpatialError::NotDegrees`] for coordinates that cannot be used, [`SpatialError::TooFew`] without points.
    pub fn k_nearest(points: &[Coord], k: usize, metric: Metric) -> Result<Self, SpatialError> {
        let sites = check(points, metric)?;
        if k == 0 || k >= sites {
            return Err(SpatialError::Neighbours { k, sites });
        }
        Ok(match metric {
            Metric::Plane => nearest(&flat(points), k),
            Metric::Sphere => nearest(&round(points), k),
        })
    }

    /// Binary weights to all other points at most `threshold` away, in the unit of the metric.
    ///
    /// # Errors
    /// [`SpatialError::Distance`] for a threshold that is negative or not finite, [`SpatialError::TooLarge`] above
    /// 500 million links; otherwise as [`Self::k_nearest`].
    pub fn distance_band(points: &[Coord], threshold: f64, metric: Metric) -> Result<Self, SpatialError> {
        check(points, metric)?;
        if !threshold.is_finite() || threshold < 0.0 {
            return Err(SpatialError::Distance { name: "threshold", value: threshold });
        }
        match metric {
            Metric::Plane => band(&flat(points), threshold),
            Metric::Sphere => {
                let angle = threshold / EARTH_RADIUS;
                let chord = if angle >= std::f64::consts::PI { 3.0 } else { 2.0 * (angle / 2.0).sin() };
                band(&round(points), chord)
            }
        }
    }
}

/// Links of a distance band at most.
const MAX_LINKS: usize = 500_000_000;

/// Refuses what is no position; gives the number of points.
fn check(points: &[Coord], metric: Metric) -> Result<usize, SpatialError> {
    let sites = points.len();
    if sites == 0 {
        return Err(SpatialError::TooFew { sites, needed: 1 });
    }
    if u32::try_from(sites).is_err() {
        let limit = u64::from(u32::MAX);
        return Err(SpatialError::TooLarge { what: Counted::Sites, size: sites as u64, limit });
    }
    for (site, c) in points.iter().enumerate() {
        // Squares of distances must be finite too.
        if !c.x.is_finite() || !c.y.is_finite() || c.x.abs().max(c.y.abs()) > 1e150 {
            return Err(SpatialError::Coordinate { site });
        }
        if metric == Metric::Sphere && (c.x.abs() > 180.0 || c.y.abs() > 90.0) {
            return Err(SpatialError::NotDegrees { site });
        }
    }
    Ok(sites)
}

fn flat(points: &[Coord]) -> Vec<[f64; 2]> {
    points.iter().map(|c| [c.x, c.y]).collect()
}

/// Points of the unit sphere.
fn round(points: &[Coord]) -> Vec<[f64; 3]> {
    let on_sphere = |c: &Coord| {
        let (lon, lat) = (c.x.to_radians(), c.y.to_radians());
        [lat.cos() * lon.cos(), lat.cos() * lon.sin(), lat.sin()]
    };
    points.iter().map(on_sphere).collect()
}

/// Points with their numbers.
type Indexed<const D: usize> = RTree<GeomWithData<[f64; D], u32>>;

fn indexed<const D: usize>(points: &[[f64; D]]) -> Indexed<D> {
    let entries = points.iter().enumerate().map(|(site, at)| GeomWithData::new(*at, short(site)));
    RTree::bulk_load(entries.collect())
}

fn nearest<const D: usize>(points: &[[f64; D]], k: usize) -> SpatialWeights {
    let tree = indexed(points);
    let rows: Vec<Vec<u32>> = points
        .par_iter()
        .enumerate()
        .map(|(site, at)| {
            let mut found: Vec<(f64, u32)> = Vec::with_capacity(k + 1);
            let mut farthest = f64::INFINITY;
            for (entry, square) in tree.nearest_neighbor_iter_with_distance_2(at) {
                // All that lie as far as the k-th take part, so that the lower number wins.
                if square > farthest {
                    break;
                }
                if entry.data as usize != site {
                    found.push((square, entry.data));
                    if found.len() == k {
                        farthest = square;
                    }
                }
            }
            found.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            found.truncate(k);
            let mut row: Vec<u32> = found.into_iter().map(|(_, other)| other).collect();
            row.sort_unstable();
            row
        })
        .collect();
    SpatialWeights::from_sorted(&rows)
}

fn band<const D: usize>(points: &[[f64; D]], threshold: f64) -> Result<SpatialWeights, SpatialError> {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let tree = indexed(points);
    let links = AtomicUsize::new(0);
    // Found by squares a little farther out, judged by the distance itself.
    let reach = threshold * threshold * (1.0 + 1e-12) + f64::MIN_POSITIVE;
    let rows: Vec<Vec<u32>> = points
        .par_iter()
        .enumerate()
        .map(|(site, at)| {
            if links.load(Ordering::Relaxed) > MAX_LINKS {
                return Vec::new();
            }
            let mut row: Vec<u32> = tree
                .locate_within_distance(*at, reach)
                .filter(|entry| entry.data as usize != site && entry.distance_2(at).sqrt() <= threshold)
                .map(|entry| entry.data)
                .collect();
            links.fetch_add(row.len(), Ordering::Relaxed);
            row.sort_unstable();
            row
        })
        .collect();
    let size = links.into_inner();
    if size > MAX_LINKS {
        return Err(SpatialError::TooLarge {
            what: Counted::Links,
            size: size as u64,
            limit: MAX_LINKS as u64,
        });
    }
    Ok(SpatialWeights::from_sorted(&rows))
}
