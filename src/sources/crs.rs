//! Coordinate reference systems: which texts may name one, whether two agree, and the way to WGS 84.
//!
//! The order of axes is longitude, latitude (easting, northing) everywhere, whatever the authority says.

use std::sync::OnceLock;

use gdal::spatial_ref::{AxisMappingStrategy, CoordTransform, SpatialRef};

use super::environment;
use crate::error::Error;

/// Points of Chiapas and its neighbours at which two systems are compared (longitude, latitude).
const SAMPLES: [(f64, f64); 4] = [(-92.26, 14.9), (-93.1, 16.75), (-90.5, 14.6), (-94.1, 17.9)];

/// Two systems that agree within this (about 1 m) are the same one under two names.
const SAME_DEGREES: f64 = 1e-5;

/// A code such as `EPSG:6372` for the ways in which it is written, or nothing.
///
/// Only codes pass: GDAL would take a URL or the name of a file here as well, and fetch it.
pub(super) fn code(text: &str) -> Option<String> {
    let text = text.trim();
    let parts: Vec<&str> = match strip_prefix_ignore_case(text, "urn:ogc:def:crs:") {
        // urn:ogc:def:crs:EPSG::6372, urn:ogc:def:crs:OGC:1.3:CRS84
        Some(rest) => match rest.split(':').collect::<Vec<_>>().as_slice() {
            [authority, _, code] => vec![*authority, *code],
            _ => return None,
        },
        None => text.split(':').collect(),
    };
    let (authority, code) = match parts.as_slice() {
        [code] => ("EPSG".to_owned(), *code),
        [authority, code] => (authority.to_ascii_uppercase(), *code),
        _ => return None,
    };
    let known = match authority.as_str() {
        "EPSG" | "ESRI" => {
            !code.is_empty() && code.len() <= 9 && code.bytes().all(|byte| byte.is_ascii_digit())
        }
        "OGC" => code.eq_ignore_ascii_case("CRS84"),
        _ => false,
    };
    known.then(|| format!("{authority}:{}", code.to_ascii_uppercase()))
}

fn strip_prefix_ignore_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// Refuses to go on without the data of PROJ: every CRS would look unknown, and the file be blamed for it.
pub(super) fn require_proj() -> Result<(), Error> {
    static FOUND: OnceLock<bool> = OnceLock::new();
    let found = *FOUND.get_or_init(|| parse("EPSG:4326").is_some() && parse("EPSG:6372").is_some());
    if found { Ok(()) } else { Err(Error::Environment("PROJ: proj.db (PROJ_DATA, PROJ_LIB)".to_owned())) }
}

/// The system of a code or of a WKT text.
pub(super) fn parse(text: &str) -> Option<SpatialRef> {
    environment::quiet();
    let is_wkt =
        text.trim_end().ends_with(']') && text.trim_start().starts_with(|c: char| c.is_ascii_uppercase());
    let found = match code(text) {
        Some(code) => SpatialRef::from_definition(&code).ok()?,
        None if is_wkt => SpatialRef::from_wkt(text).ok()?,
        None => return None,
    };
    is_horizontal(&found).then(|| ordered(found))
}

/// The same system with the order of axes of this crate.
pub(super) fn ordered(mut system: SpatialRef) -> SpatialRef {
    system.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
    system
}

/// Whether places on a map can be given in it.
pub(super) fn is_horizontal(system: &SpatialRef) -> bool {
    (system.is_geographic() || system.is_projected()) && !system.is_local() && !system.is_geocentric()
}

/// Whether it is more than the place holder that a GeoPackage without a CRS carries, which looks like degrees.
pub(super) fn is_defined(system: &SpatialRef) -> bool {
    !system.name().is_some_and(|name| name.to_ascii_lowercase().starts_with("undefined"))
}

/// `EPSG:6372`, or the name where the system has no code.
pub(super) fn label(system: &SpatialRef) -> String {
    system
        .authority()
        .ok()
        .or_else(|| system.name())
        .map_or_else(|| "?".to_owned(), |text| environment::one_line(&text))
}

/// Whether both put the same place at the same coordinates. By the numbers, since files of INEGI carry
/// EPSG:6372 under a name and an authority of their own.
pub(super) fn same(a: &SpatialRef, b: &SpatialRef) -> bool {
    if a == b {
        return true;
    }
    let agree = || -> Option<bool> {
        let wgs84 = wgs84()?;
        let into_a = CoordTransform::new(&wgs84, a).ok()?;
        let from_b = CoordTransform::new(b, &wgs84).ok()?;
        let (mut x, mut y): (Vec<f64>, Vec<f64>) = SAMPLES.iter().copied().unzip();
        into_a.transform_coords(&mut x, &mut y, &mut []).ok()?;
        from_b.transform_coords(&mut x, &mut y, &mut []).ok()?;
        let near = |a: f64, b: f64| (a - b).abs() <= SAME_DEGREES;
        Some(
            SAMPLES.iter().zip(x.iter().zip(&y)).all(|((lon, lat), (x, y))| near(*lon, *x) && near(*lat, *y)),
        )
    };
    agree().unwrap_or(false)
}

fn wgs84() -> Option<SpatialRef> {
    SpatialRef::from_epsg(4326).ok().map(ordered)
}

/// The way from one system to longitude and latitude of WGS 84.
pub(super) struct ToWgs84 {
    /// `None` where the coordinates are of WGS 84 already.
    transform: Option<CoordTransform>,
    /// Whether the coordinates of the file are degrees.
    pub(super) geographic: bool,
    /// Whether they stay as they are, on a plane of their own.
    pub(super) plane: bool,
    /// As [`label`].
    pub(super) label: String,
}

impl ToWgs84 {
    /// No way at all: coordinates of a plane, in a unit that nobody says.
    pub(super) fn plane() -> Self {
        Self { transform: None, geographic: false, plane: true, label: "plane".to_owned() }
    }

    /// From `system`; `Ok(None)` if PROJ knows no way.
    pub(super) fn new(system: SpatialRef) -> Result<Option<Self>, Error> {
        environment::quiet();
        let system = ordered(system);
        if !is_horizontal(&system) {
            return Ok(None);
        }
        let label = label(&system);
        let geographic = system.is_geographic();
        if matches!(label.as_str(), "EPSG:4326" | "OGC:CRS84") {
            return Ok(Some(Self { transform: None, geographic, plane: false, label }));
        }
        environment::require_offline_proj()?;
        let target = wgs84().ok_or_else(|| Error::Environment("PROJ: EPSG:4326".to_owned()))?;
        Ok(CoordTransform::new(&system, &target).ok().map(|transform| Self {
            transform: Some(transform),
            geographic,
            plane: false,
            label,
        }))
    }

    /// Transforms in place. Coordinates without an image come back as infinities.
    pub(super) fn apply(&self, x: &mut [f64], y: &mut [f64]) {
        if let Some(transform) = &self.transform
            && x.len() == y.len()
            && !x.is_empty()
        {
            // An error only says that some of them failed; those are infinite.
            let _ = transform.transform_coords(x, y, &mut []);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_pass_and_urls_do_not() {
        for (text, expected) in [
            ("EPSG:6372", Some("EPSG:6372")),
            (" epsg:6372 ", Some("EPSG:6372")),
            ("6372", Some("EPSG:6372")),
            ("urn:ogc:def:crs:EPSG::6372", Some("EPSG:6372")),
            ("urn:ogc:def:crs:OGC:1.3:CRS84", Some("OGC:CRS84")),
            ("http://example.org/crs", None),
            ("https://www.opengis.net/def/crs/EPSG/0/4326", None),
            ("/etc/passwd", None),
            ("crs.wkt", None),
            ("+proj=longlat +nadgrids=/tmp/x", None),
            ("EPSG:4326+5773", None),
            ("", None),
        ] {
            assert_eq!(code(text).as_deref(), expected, "{text}");
        }
        assert!(parse("http://example.org/crs").is_none());
        assert!(parse("EPSG:999999").is_none());
        assert!(parse("EPSG:5773").is_none(), "a vertical system");
        assert!(parse("EPSG:4978").is_none(), "a geocentric system");
    }

    #[test]
    fn a_custom_name_of_the_same_system_is_the_same() {
        let official = parse("EPSG:6372").unwrap();
        let inegi = r#"PROJCS["MEXICO_ITRF_2008_LCC",GEOGCS["MEXICO_ITRF_2008",DATUM["Mexico_ITRF_2008",
            SPHEROID["GRS_1980",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],
            PROJECTION["Lambert_Conformal_Conic_2SP"],PARAMETER["False_Easting",2500000.0],
            PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",-102.0],
            PARAMETER["Standard_Parallel_1",17.5],PARAMETER["Standard_Parallel_2",29.5],
            PARAMETER["Latitude_Of_Origin",12.0],UNIT["Meter",1.0]]"#;
        assert!(same(&official, &parse(inegi).unwrap()));
        assert!(!same(&official, &parse("EPSG:32615").unwrap()));
        assert!(!same(&official, &parse("EPSG:4326").unwrap()));
    }
}
