//! From OGR geometries to checked geometries in longitude and latitude.
//!
//! The checks stand before the conversion, since `geo` closes rings and drops empty parts without a word.

use gdal::vector::{Geometry as OgrGeometry, OGRwkbGeometryType as Kind, geometry_type_flatten};
use geo::{Coord, LineString, MultiLineString, MultiPolygon, Point, Polygon};

use super::crs::ToWgs84;
use super::sink::Sink;
use super::spec::GeometryNeed;
use crate::error::{Fault, Rule};

/// Mexico and Central America with a margin: west, south, east, north in degrees.
pub(super) const WINDOW: [f64; 4] = [-120.0, 5.0, -75.0, 35.0];

/// A repair may change the area of a polygon by this share and no more: a ring that touches itself or runs back on
/// itself is mended, one that crosses itself like an 8 is not.
const REPAIR: f64 = 1e-3;

/// A valid polygon in the place of one that is not, by GDAL's `MakeValid` (GEOS), with the share by which its area
/// changed; `None` if it changed by more than [`REPAIR`]. Lines and points that are left over are dropped.
pub(super) fn repair(found: &OgrGeometry) -> Option<(Shape, f64)> {
    let before = found.area().abs();
    let valid = found.make_valid(&gdal::cpl::CslStringList::new()).ok()?;
    let shape = match geometry_type_flatten(valid.geometry_type()) {
        Kind::wkbGeometryCollection => {
            let parts: Vec<Shape> = parts(&valid, Shape::of);
            let polygons = parts.into_iter().filter_map(|part| match part {
                Shape::Polygons(polygons) => Some(polygons),
                _ => None,
            });
            Shape::Polygons(polygons.flatten().collect())
        }
        _ => Shape::of(&valid),
    };
    if !shape.fits(GeometryNeed::Polygon) || before <= 0.0 {
        return None;
    }
    let change = (valid.area() - before).abs() / before;
    (change <= REPAIR).then_some((shape, change))
}

/// Whether the extent of a geometry meets a box of west, south, east and north.
pub(super) fn meets(geometry: &geo::Geometry<f64>, [west, south, east, north]: [f64; 4]) -> bool {
    use geo::BoundingRect;
    geometry
        .bounding_rect()
        .is_some_and(|r| r.min().x <= east && r.max().x >= west && r.min().y <= north && r.max().y >= south)
}

/// The positions of a geometry by its parts, as they stand in the file.
#[derive(Debug)]
pub(super) enum Shape {
    Points(Vec<Coord>),
    Lines(Vec<Vec<Coord>>),
    /// Polygons of rings, the outer one first.
    Polygons(Vec<Vec<Vec<Coord>>>),
    /// Another type, by its name.
    Other(String),
}

impl Shape {
    /// Takes the positions out of an OGR geometry; Z and M are left behind, curves become chains of lines.
    pub(super) fn of(geometry: &OgrGeometry) -> Self {
        match geometry_type_flatten(geometry.geometry_type()) {
            Kind::wkbPoint => Self::Points(vec![first_point(geometry)]),
            Kind::wkbMultiPoint => Self::Points(parts(geometry, first_point)),
            Kind::wkbLineString => Self::Lines(vec![positions(geometry)]),
            Kind::wkbMultiLineString => Self::Lines(parts(geometry, positions)),
            Kind::wkbPolygon => Self::Polygons(vec![parts(geometry, positions)]),
            Kind::wkbMultiPolygon => Self::Polygons(parts(geometry, |polygon| parts(polygon, positions))),
            Kind::wkbCircularString | Kind::wkbCompoundCurve => Self::Lines(vec![straightened(geometry)]),
            Kind::wkbMultiCurve => Self::Lines(parts(geometry, straightened)),
            Kind::wkbCurvePolygon => Self::Polygons(vec![parts(geometry, straightened)]),
            Kind::wkbMultiSurface => Self::Polygons(parts(geometry, |polygon| parts(polygon, straightened))),
            _ => Self::Other(geometry.geometry_name()),
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Points(parts) if parts.len() == 1 => "Point".to_owned(),
            Self::Points(parts) => format!("MultiPoint ({})", parts.len()),
            Self::Lines(_) => "LineString".to_owned(),
            Self::Polygons(_) => "Polygon".to_owned(),
            Self::Other(name) => name.clone(),
        }
    }

    fn fits(&self, need: GeometryNeed) -> bool {
        match need {
            GeometryNeed::None => true,
            GeometryNeed::Point => matches!(self, Self::Points(parts) if parts.len() == 1),
            GeometryNeed::Line => matches!(self, Self::Lines(_)),
            GeometryNeed::Polygon => matches!(self, Self::Polygons(_)),
        }
    }

    /// A part without positions, or a line that has only one.
    fn has_empty_part(&self) -> bool {
        match self {
            Self::Points(parts) => parts.is_empty(),
            Self::Lines(parts) => parts.is_empty() || parts.iter().any(|line| line.len() < 2),
            Self::Polygons(parts) => {
                parts.is_empty() || parts.iter().any(|rings| rings.iter().all(Vec::is_empty))
            }
            Self::Other(_) => false,
        }
    }

    fn has_open_ring(&self) -> bool {
        let Self::Polygons(parts) = self else { return false };
        parts.iter().flatten().any(|ring| ring.len() < 4 || ring.first() != ring.last())
    }

    fn chains(&mut self) -> Vec<&mut [Coord]> {
        match self {
            Self::Points(parts) => vec![parts.as_mut_slice()],
            Self::Lines(parts) => parts.iter_mut().map(Vec::as_mut_slice).collect(),
            Self::Polygons(parts) => parts.iter_mut().flatten().map(Vec::as_mut_slice).collect(),
            Self::Other(_) => Vec::new(),
        }
    }

    fn into_geo(self) -> Option<geo::Geometry<f64>> {
        fn one_or_many<T>(
            mut parts: Vec<T>,
            many: impl FnOnce(Vec<T>) -> geo::Geometry<f64>,
        ) -> geo::Geometry<f64>
        where
            geo::Geometry<f64>: From<T>,
        {
            match (parts.len(), parts.pop()) {
                (1, Some(one)) => one.into(),
                (_, Some(last)) => {
                    parts.push(last);
                    many(parts)
                }
                (_, None) => many(parts),
            }
        }
        Some(match self {
            Self::Points(parts) => Point(*parts.first()?).into(),
            Self::Lines(parts) => {
                let lines = parts.into_iter().map(LineString).collect();
                one_or_many(lines, |lines| MultiLineString(lines).into())
            }
            Self::Polygons(parts) => {
                let polygon = |rings: Vec<Vec<Coord>>| {
                    let mut rings = rings.into_iter().map(LineString);
                    Some(Polygon::new(rings.next()?, rings.collect()))
                };
                let polygons = parts.into_iter().filter_map(polygon).collect();
                one_or_many(polygons, |polygons| MultiPolygon(polygons).into())
            }
            Self::Other(_) => return None,
        })
    }
}

fn parts<T>(geometry: &OgrGeometry, each: impl Fn(&OgrGeometry) -> T) -> Vec<T> {
    (0..geometry.geometry_count()).map(|i| each(&geometry.get_geometry(i))).collect()
}

fn first_point(geometry: &OgrGeometry) -> Coord {
    let (x, y, _) = geometry.get_point(0);
    Coord { x, y }
}

fn positions(geometry: &OgrGeometry) -> Vec<Coord> {
    let mut points = Vec::new();
    geometry.get_points(&mut points);
    points.into_iter().map(|(x, y, _)| Coord { x, y }).collect()
}

/// The positions along a curve of any kind. GDAL has the function, but not in its Rust binding.
fn straightened(curve: &OgrGeometry) -> Vec<Coord> {
    match geometry_type_flatten(curve.geometry_type()) {
        Kind::wkbCompoundCurve => {
            let mut chain = Vec::new();
            for part in parts(curve, straightened) {
                // Each part begins where the one before ends.
                let shared = usize::from(!chain.is_empty() && chain.last() == part.first());
                chain.extend(part.into_iter().skip(shared));
            }
            chain
        }
        Kind::wkbCircularString => {
            let control = positions(curve);
            let mut chain: Vec<Coord> = control.first().copied().into_iter().collect();
            for arc in control.windows(3).step_by(2) {
                if let [from, through, to] = arc {
                    push_arc(*from, *through, *to, &mut chain);
                }
            }
            chain
        }
        _ => positions(curve),
    }
}

/// Appends the arc from `from` through `through` to `to`, without `from`, in steps of at most 4° as GDAL does.
fn push_arc(from: Coord, through: Coord, to: Coord, chain: &mut Vec<Coord>) {
    const STEP: f64 = 4.0 * std::f64::consts::PI / 180.0;
    let turn = std::f64::consts::TAU;
    // The centre, from the two perpendicular bisectors, relative to `from`. A full circle has its end where it
    // begins, and its centre half way.
    let (a, b) = (through - from, to - from);
    let cross = 2.0 * (a.x * b.y - a.y * b.x);
    let centre = if from == to {
        from + a / 2.0
    } else {
        let (aa, bb) = (a.x * a.x + a.y * a.y, b.x * b.x + b.y * b.y);
        from + Coord { x: (b.y * aa - a.y * bb) / cross, y: (a.x * bb - b.x * aa) / cross }
    };
    let angle = |c: Coord| (c.y - centre.y).atan2(c.x - centre.x);
    let radius = (from.x - centre.x).hypot(from.y - centre.y);
    let (start, middle, end) = (angle(from), angle(through), angle(to));
    let left = |angle: f64| (angle - start).rem_euclid(turn);
    let sweep = if from == to {
        turn
    } else if left(middle) <= left(end) {
        left(end)
    } else {
        left(end) - turn
    };
    // Not finite where the three lie on a line.
    let steps = (sweep.abs() / STEP).ceil();
    if radius.is_finite() && (2.0..=90.0).contains(&steps) {
        let at = |i: u8| start + sweep * f64::from(i) / steps;
        let inner = (1..=90_u8).take_while(|i| f64::from(*i) < steps).map(at);
        chain.extend(
            inner.map(|at| Coord { x: centre.x + radius * at.cos(), y: centre.y + radius * at.sin() }),
        );
    } else {
        chain.push(through);
    }
    chain.push(to);
}

/// What needs the whole file: the extent, the number of vertices, and whether any lies where the study is.
#[derive(Debug, Default)]
pub(super) struct Survey {
    pub(super) vertices: u64,
    /// West, south, east, north in degrees.
    pub(super) extent: Option<[f64; 4]>,
    inside: bool,
}

impl Survey {
    fn take(&mut self, c: Coord) {
        let [west, south, east, north] = self.extent.unwrap_or([c.x, c.y, c.x, c.y]);
        self.extent = Some([west.min(c.x), south.min(c.y), east.max(c.x), north.max(c.y)]);
        self.inside |= in_window(c);
    }

    /// S009 where nothing of the file lies near Mexico: the CRS is another one than it is said to be.
    pub(super) fn finish(&self, sink: &mut Sink<'_>) {
        if let Some([west, south, east, north]) = self.extent
            && !self.inside
            && sink.count(Rule::AxesSwapped) + sink.count(Rule::CoordinatesOutOfRange) == 0
        {
            let detail = format!("extent: {west:.2} {south:.2} {east:.2} {north:.2}");
            let fault = sink.fault(Rule::CoordinatesOutOfRange).with("detail", detail);
            sink.push(fault);
        }
    }
}

/// Checks the positions of one row and brings them to WGS 84, or pushes one fault and gives nothing.
pub(super) fn settle(
    mut shape: Shape,
    need: GeometryNeed,
    to_wgs84: &ToWgs84,
    row: u64,
    survey: &mut Survey,
    sink: &mut Sink<'_>,
) -> Option<geo::Geometry<f64>> {
    match check(&mut shape, need, to_wgs84, survey, |rule| sink.fault(rule).row(row)) {
        Ok(()) => shape.into_geo(),
        Err(fault) => {
            sink.push(*fault);
            None
        }
    }
}

fn check(
    shape: &mut Shape,
    need: GeometryNeed,
    to_wgs84: &ToWgs84,
    survey: &mut Survey,
    fault: impl Fn(Rule) -> Fault,
) -> Result<(), Box<Fault>> {
    // A multi-point without parts fails as empty, not as of another type.
    let empty_point = need == GeometryNeed::Point && shape.has_empty_part();
    if !shape.fits(need) && !empty_point {
        let expected = expected(need);
        return Err(Box::new(
            fault(Rule::GeometryType).with("expected", expected).with("found", shape.name()),
        ));
    }
    if shape.has_empty_part() {
        return Err(Box::new(fault(Rule::GeometryEmpty)));
    }
    let chains = shape.chains();
    let all = || chains.iter().flat_map(|chain| chain.iter().copied());
    if !all().all(is_finite) {
        return Err(Box::new(fault(Rule::CoordinateNotFinite)));
    }
    survey.vertices += all().count() as u64;
    if to_wgs84.geographic {
        if all().any(is_swapped) {
            return Err(Box::new(fault(Rule::AxesSwapped)));
        }
        if let Some(c) = all().find(|c| !in_range(*c)) {
            // Degrees never have four digits.
            let detail = if c.x.abs().max(c.y.abs()) >= 1000.0 {
                "|lon|, |lat| >= 1000"
            } else {
                "|lon| > 180, |lat| > 90"
            };
            return Err(Box::new(fault(Rule::CoordinatesOutOfRange).with("detail", detail)));
        }
    }
    drop(chains);
    if shape.has_open_ring() {
        return Err(Box::new(fault(Rule::RingUnclosed)));
    }
    for chain in &mut shape.chains() {
        let (mut x, mut y): (Vec<f64>, Vec<f64>) = chain.iter().map(|c| (c.x, c.y)).unzip();
        to_wgs84.apply(&mut x, &mut y);
        for (c, (x, y)) in chain.iter_mut().zip(x.into_iter().zip(y)) {
            if to_wgs84.plane {
                continue;
            }
            *c = Coord { x: on_grid(x), y: on_grid(y) };
            if !is_finite(*c) || !in_range(*c) {
                return Err(Box::new(fault(Rule::CoordinatesOutOfRange).with("detail", &to_wgs84.label)));
            }
            survey.take(*c);
        }
        if need != GeometryNeed::Point
            && !to_wgs84.plane
            && let Some(c) = stray(chain)
        {
            let detail = format!("{:.4}, {:.4}", c.x, c.y);
            return Err(Box::new(fault(Rule::CoordinatesOutOfRange).with("detail", detail)));
        }
    }
    Ok(())
}

/// Degrees between two positions of one line, at most: no road or border runs straight for half a thousand kilometres.
const LONGEST_STEP: f64 = 5.0;

/// Degrees around 0, 0 in which only positions lie that a program could not compute.
const NOWHERE: f64 = 0.01;

/// The first position of a line that cannot belong to it: at 0, 0, or at the end of a step that is too long.
pub(super) fn stray(chain: &[Coord]) -> Option<Coord> {
    let nowhere = |c: &Coord| c.x.abs() < NOWHERE && c.y.abs() < NOWHERE;
    let far = |pair: &[Coord]| match pair {
        [a, b] if (a.x - b.x).abs().max((a.y - b.y).abs()) > LONGEST_STEP => {
            Some(if in_window(*a) || !in_window(*b) { *b } else { *a })
        }
        _ => None,
    };
    chain.iter().copied().find(nowhere).or_else(|| chain.windows(2).find_map(far))
}

/// Positions per degree: a step is a tenth of a millimetre.
const GRID: f64 = 1e9;

/// The degrees to the nearest 10⁻⁹. The same place read from another projection differs in the last digits of a double,
/// which would decide which of two lines lies nearer or how a key is rounded; on the grid it is the same number.
fn on_grid(degrees: f64) -> f64 {
    (degrees * GRID).round() / GRID
}

/// The name of what a source needs, for the text of S021.
pub(super) const fn expected(need: GeometryNeed) -> &'static str {
    match need {
        GeometryNeed::None => "none",
        GeometryNeed::Point => "Point",
        GeometryNeed::Line => "LineString",
        GeometryNeed::Polygon => "Polygon",
    }
}

const fn is_finite(c: Coord) -> bool {
    c.x.is_finite() && c.y.is_finite()
}

fn in_range(c: Coord) -> bool {
    c.x.abs() <= 180.0 && c.y.abs() <= 90.0
}

fn in_window(c: Coord) -> bool {
    let [west, south, east, north] = WINDOW;
    (west..=east).contains(&c.x) && (south..=north).contains(&c.y)
}

/// No place has its latitude where the longitudes of Mexico are and the other way round, except in Antarctica.
fn is_swapped(c: Coord) -> bool {
    !in_window(c) && in_window(Coord { x: c.y, y: c.x })
}
