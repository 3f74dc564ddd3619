//! From degrees to millimetres on paper.
//!
//! An equidistant cylindrical projection, true to scale on the parallel in the middle of what is drawn: over a state no
//! distance is off by more than a few per cent, and no library is needed to say what the scale bar says.

use geo::{Coord, LineString};

use super::picture::coords;
use super::records::{records, view};
use super::svg::{Anchor, Svg, Type, n};
use crate::layers::view::LayerView;

/// A place on paper: millimetres from the left and from the top.
pub(super) type Place = (f64, f64);

/// Kilometres of a degree of latitude, on a sphere of the Earth's mean radius (6,371.0088 km).
const KM_PER_DEGREE: f64 = 111.195;
/// Between the frame and what is drawn, millimetres.
const MARGIN: f64 = 3.0;
/// What is drawn has at least this extent, degrees: a single place has a map too.
const LEAST: f64 = 0.02;
/// Grid on which outlines are drawn, millimetres. Neighbours share their places, so they share those of the grid.
const GRID: f64 = 0.1;

/// How degrees become millimetres.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    size: (f64, f64),
    middle: Coord<f64>,
    /// Millimetres per degree of latitude, and how much shorter a degree of longitude is.
    scale: f64,
    narrow: f64,
}

impl Frame {
    /// The frame in which municipalities, corridors and crossings fit; `None` where there are none.
    pub(super) fn of(views: &[LayerView<'_>], size: (f64, f64)) -> Option<Self> {
        let mut low = Coord { x: f64::INFINITY, y: f64::INFINITY };
        let mut high = Coord { x: f64::NEG_INFINITY, y: f64::NEG_INFINITY };
        for name in ["municipalities", "corridors", "crossings"] {
            for record in view(views, name).into_iter().flat_map(records) {
                for c in record.row.geometry().iter().flat_map(coords) {
                    low = Coord { x: low.x.min(c.x), y: low.y.min(c.y) };
                    high = Coord { x: high.x.max(c.x), y: high.y.max(c.y) };
                }
            }
        }
        if !(low.x <= high.x && low.y <= high.y) {
            return None;
        }
        let middle = Coord { x: f64::midpoint(low.x, high.x), y: f64::midpoint(low.y, high.y) };
        let narrow = middle.y.to_radians().cos().max(0.01);
        let room = |size: f64, extent: f64| (size - 2.0 * MARGIN) / extent.max(LEAST);
        let scale = room(size.0, (high.x - low.x) * narrow).min(room(size.1, high.y - low.y));
        Some(Self { size, middle, scale, narrow })
    }

    /// A place on paper, inside the frame or not.
    pub(super) fn place(&self, c: Coord<f64>) -> Option<Place> {
        let x = self.size.0 / 2.0 + (c.x - self.middle.x) * self.narrow * self.scale;
        let y = self.size.1 / 2.0 - (c.y - self.middle.y) * self.scale;
        (x.is_finite() && y.is_finite()).then_some((x, y))
    }

    /// Whether a place is inside the frame.
    pub(super) fn holds(&self, at: Place) -> bool {
        (0.0..=self.size.0).contains(&at.0) && (0.0..=self.size.1).contains(&at.1)
    }

    /// A line on paper, without places nearer to the last than the eye can tell.
    pub(super) fn line(&self, line: &LineString<f64>) -> Vec<Place> {
        let mut out: Vec<Place> = Vec::new();
        let last = line.0.len().saturating_sub(1);
        for (i, at) in line.0.iter().enumerate().filter_map(|(i, c)| Some((i, self.place(*c)?))) {
            let near = out.last().is_some_and(|o| (at.0 - o.0).hypot(at.1 - o.1) < GRID);
            if !near || i == last {
                out.push(at);
            }
        }
        out
    }

    /// A line or an outline on the grid, cut off where it leaves the frame by far.
    pub(super) fn grid(&self, line: &LineString<f64>) -> Vec<Place> {
        let step = |x: f64, most: f64| ((x / GRID).round() * GRID).clamp(-most, 2.0 * most);
        let places = line.0.iter().filter_map(|c| self.place(*c));
        let mut out: Vec<Place> = places.map(|(x, y)| (step(x, self.size.0), step(y, self.size.1))).collect();
        out.dedup();
        out
    }

    /// Scale bar and north arrow.
    pub(super) fn marks(&self) -> Marks {
        let km_per_mm = KM_PER_DEGREE / self.scale;
        let most = self.size.0 * 0.22 * km_per_mm;
        let power = 10_f64.powf(most.log10().floor());
        let km = [5.0, 2.0, 1.0].into_iter().map(|m| m * power).find(|km| *km <= most).unwrap_or(power);
        Marks { km, width: km / km_per_mm, corner: (MARGIN, self.size.1 - MARGIN) }
    }
}

/// What tells of scale and direction, in the lower left corner.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marks {
    km: f64,
    width: f64,
    corner: Place,
}

impl Marks {
    /// What they cover.
    pub(super) fn boxes(&self) -> [[f64; 4]; 1] {
        let (x, y) = self.corner;
        [[x - 1.0, y - 12.5, x + self.width + 9.0, y + 1.0]]
    }

    pub(super) fn draw(&self, svg: &mut Svg, north: &str) {
        let (x, y) = self.corner;
        svg.line((x, y - 1.0), (x + self.width, y - 1.0), "#333333", 0.5);
        for at in [x, x + self.width] {
            svg.line((at, y - 1.8), (at, y - 0.2), "#333333", 0.4);
        }
        let look = Type { size: 2.4, color: "#333333", ..Type::PLAIN };
        svg.text((x + self.width + 1.2, y - 0.2), &format!("{} km", n(self.km)), look);
        svg.put(&format!(
            r##"<path d="M{} {}l1.6 4.4l-1.6 -1.1l-1.6 1.1z" fill="#333333"/>"##,
            n(x + 2.0),
            n(y - 8.6)
        ));
        svg.text((x + 2.0, y - 9.3), north, Type { bold: true, anchor: Anchor::Middle, ..look });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::feature::Tier;
    use crate::layers::samples;

    #[test]
    fn the_scale_bar_is_as_long_as_it_says() {
        let set = samples::set(Tier::Public);
        let views = set.views().unwrap();
        let frame = Frame::of(&views, (118.0, 104.0)).unwrap();
        let marks = frame.marks();
        let a = frame.place(Coord { x: -92.5, y: 16.2 }).unwrap();
        let b = frame.place(Coord { x: -92.5, y: 16.3 }).unwrap();
        let mm_per_km = (a.1 - b.1) / (0.1 * KM_PER_DEGREE);
        assert!((marks.width - marks.km * mm_per_km).abs() < 1e-9);
        assert!(marks.width <= 118.0 * 0.22 + 1e-9 && marks.width > 5.0);
        assert!(frame.holds(a) && !frame.holds((-1.0, 2.0)));
    }

    #[test]
    fn without_a_place_there_is_no_frame() {
        assert!(Frame::of(&[], (10.0, 10.0)).is_none());
    }
}
