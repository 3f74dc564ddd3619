//! The plane in which distances are measured: EPSG:6372, the Lambert conformal conic of Mexico.
//!
//! The domain holds longitude and latitude; noding, snapping and areas need metres. GDAL's transformer
//! stays in `sources/` and cannot be shared between threads, so the plane comes from `proj4rs`, a port of
//! PROJ; a test holds it against GDAL to a millimetre. ITRF2008 and WGS 84 are taken as one, as EPSG does
//! at this accuracy.

use geo::{Coord, MapCoords};
use proj4rs::{Proj, transform::transform};

use crate::error::{Error, Result};

/// Parameters of EPSG:6372 (INEGI): Mexico ITRF2008 / LCC.
const EPSG_6372: &str = "+proj=lcc +lat_1=17.5 +lat_2=29.5 +lat_0=12 +lon_0=-102 +x_0=2500000 +y_0=0 +ellps=GRS80 +units=m +no_defs";
const GEOGRAPHIC: &str = "+proj=longlat +ellps=GRS80 +no_defs";

/// Transforms between longitude, latitude (degrees) and EPSG:6372 (metres).
#[derive(Debug)]
pub struct WorkFrame {
    geographic: Proj,
    plane: Proj,
}

impl WorkFrame {
    /// Prepares both systems.
    ///
    /// # Errors
    /// [`Error::Environment`] if the projection library refuses the parameters.
    pub fn new() -> Result<Self> {
        let proj = |text: &str| {
            Proj::from_proj_string(text).map_err(|e| Error::Environment(format!("EPSG:6372: {e}")))
        };
        Ok(Self { geographic: proj(GEOGRAPHIC)?, plane: proj(EPSG_6372)? })
    }

    /// Position in metres of a longitude and latitude in degrees; NaN where the projection has none.
    #[must_use]
    pub fn to_plane(&self, at: Coord<f64>) -> Coord<f64> {
        let mut point = (at.x.to_radians(), at.y.to_radians(), 0.0);
        match transform(&self.geographic, &self.plane, &mut point) {
            Ok(()) => Coord { x: point.0, y: point.1 },
            Err(_) => Coord { x: f64::NAN, y: f64::NAN },
        }
    }

    /// Longitude and latitude in degrees of a position in metres; NaN where the projection has none.
    #[must_use]
    pub fn to_lonlat(&self, at: Coord<f64>) -> Coord<f64> {
        let mut point = (at.x, at.y, 0.0);
        match transform(&self.plane, &self.geographic, &mut point) {
            Ok(()) => Coord { x: point.0.to_degrees(), y: point.1.to_degrees() },
            Err(_) => Coord { x: f64::NAN, y: f64::NAN },
        }
    }

    /// A whole geometry in metres.
    #[must_use]
    pub fn geometry_to_plane<G: MapCoords<f64, f64, Output = G>>(&self, geometry: &G) -> G {
        geometry.map_coords(|c| self.to_plane(c))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_gdal_to_a_millimetre_and_back() {
        let frame = WorkFrame::new().unwrap();
        let mut from = gdal::spatial_ref::SpatialRef::from_epsg(4326).unwrap();
        from.set_axis_mapping_strategy(gdal::spatial_ref::AxisMappingStrategy::TraditionalGisOrder);
        let mut to = gdal::spatial_ref::SpatialRef::from_epsg(6372).unwrap();
        to.set_axis_mapping_strategy(gdal::spatial_ref::AxisMappingStrategy::TraditionalGisOrder);
        let gdal = gdal::spatial_ref::CoordTransform::new(&from, &to).unwrap();
        for (lon, lat) in [(-92.26, 14.9), (-93.12, 16.75), (-99.1, 19.4), (-115.0, 32.5), (-87.0, 21.0)] {
            let ours = frame.to_plane(Coord { x: lon, y: lat });
            let (mut xs, mut ys, mut zs) = ([lon], [lat], [0.0]);
            gdal.transform_coords(&mut xs, &mut ys, &mut zs).unwrap();
            assert!((ours.x - xs[0]).abs() < 1e-3 && (ours.y - ys[0]).abs() < 1e-3, "{ours:?} {xs:?} {ys:?}");
            let back = frame.to_lonlat(ours);
            assert!((back.x - lon).abs() < 1e-9 && (back.y - lat).abs() < 1e-9);
        }
    }
}
