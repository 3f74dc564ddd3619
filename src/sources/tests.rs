//! Every rule of the stage through [`read`], with files as users bring them.

use std::fs;
use std::path::Path;

use gdal::spatial_ref::SpatialRef;
use gdal::vector::{
    Defn, Feature, Geometry, LayerAccess as _, LayerOptions, OGRFieldType, OGRwkbGeometryType,
};
use gdal::{DriverManager, spatial_ref::CoordTransform};

use super::*;
use crate::error::Rule;

mod archives;
mod damage;
mod formats;
mod sheets;
mod tables;
mod waypoints;
#[path = "../../tests/support/workbooks.rs"]
mod workbooks;

/// What came of reading one file.
struct Outcome {
    table: Option<RawTable>,
    faults: Faults,
}

impl Outcome {
    /// The rules in the order in which they were broken.
    fn rules(&self) -> Vec<Rule> {
        self.faults.0.iter().map(|fault| fault.rule).collect()
    }

    fn rows(&self) -> Vec<u64> {
        self.faults.0.iter().filter_map(|fault| fault.place.row).collect()
    }

    /// The table of a file without faults.
    fn clean(self) -> RawTable {
        assert!(self.faults.0.is_empty(), "{}", self.faults);
        self.table.unwrap()
    }

    fn only(&self) -> &crate::error::Fault {
        assert_eq!(self.faults.0.len(), 1, "{}", self.faults);
        &self.faults.0[0]
    }
}

fn read_spec(dir: &Path, spec: &SourceSpec, need: GeometryNeed) -> Outcome {
    let mut faults = Faults::default();
    let rules = ColumnRules { business_register: false };
    let table = read(dir, "test", spec, need, &rules, &Limits::default(), &mut faults).unwrap();
    Outcome { table, faults }
}

fn spec(path: &str) -> SourceSpec {
    SourceSpec { path: path.to_owned(), ..SourceSpec::default() }
}

/// Writes one file into a folder of its own and reads it.
fn read_bytes(name: &str, bytes: impl AsRef<[u8]>, need: GeometryNeed) -> Outcome {
    read_bytes_as(&spec(name), bytes, need)
}

fn read_bytes_as(spec: &SourceSpec, bytes: impl AsRef<[u8]>, need: GeometryNeed) -> Outcome {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(&spec.path), bytes).unwrap();
    read_spec(dir.path(), spec, need)
}

/// Three towns of Chiapas.
const TOWNS: [(&str, f64, f64); 3] = [
    ("Tapachula", -92.264_1, 14.905_6),
    ("Unión Juárez", -92.081_2, 15.062_4),
    ("Ciudad Hidalgo", -92.15, 14.68),
];

/// Writes geometries (WKT in WGS 84) and a name each with a driver of GDAL, in the CRS of a code.
fn write_layer(path: &Path, driver: &str, epsg: Option<u32>, options: &[&str], features: &[(&str, &str)]) {
    quiet_gdal();
    let driver = DriverManager::get_driver_by_name(driver).unwrap();
    let mut dataset = driver.create_vector_only(path).unwrap();
    let system = epsg.map(|code| crs::ordered(SpatialRef::from_epsg(code).unwrap()));
    let wgs84 = crs::ordered(SpatialRef::from_epsg(4326).unwrap());
    let geometry = |wkt: &str| Geometry::from_wkt(wkt).unwrap();
    let ty =
        features.first().map_or(OGRwkbGeometryType::wkbUnknown, |(_, wkt)| geometry(wkt).geometry_type());
    let layer = dataset
        .create_layer(LayerOptions { name: "layer", srs: system.as_ref(), ty, options: Some(options) })
        .unwrap();
    layer
        .create_defn_fields(&[
            ("nombre", OGRFieldType::OFTString),
            ("cuenta", OGRFieldType::OFTInteger),
            ("valor", OGRFieldType::OFTReal),
            ("fecha", OGRFieldType::OFTDate),
        ])
        .unwrap();
    let defn = Defn::from_layer(&layer);
    for (i, (name, wkt)) in features.iter().enumerate() {
        let mut feature = Feature::new(&defn).unwrap();
        feature.set_field_string(0, name).unwrap();
        if i > 0 {
            feature.set_field_integer(1, i32::try_from(i).unwrap() - 1).unwrap();
        }
        feature.set_field_double(2, 0.5).unwrap();
        feature.set_field_string(3, "2020/01/31").unwrap();
        let mut geometry = geometry(wkt);
        if let Some(system) = &system
            && epsg != Some(4326)
        {
            geometry.transform_inplace(&CoordTransform::new(&wgs84, system).unwrap()).unwrap();
        }
        feature.set_geometry(geometry).unwrap();
        feature.create(&layer).unwrap();
    }
}

fn town_features() -> Vec<(&'static str, String)> {
    TOWNS.iter().map(|(name, lon, lat)| (*name, format!("POINT ({lon} {lat})"))).collect()
}

fn write_towns(path: &Path, driver: &str, epsg: Option<u32>, options: &[&str]) {
    let features = town_features();
    let features: Vec<(&str, &str)> = features.iter().map(|(name, wkt)| (*name, wkt.as_str())).collect();
    write_layer(path, driver, epsg, options, &features);
}

fn geojson(geometry: &str) -> String {
    format!(
        r#"{{"type":"FeatureCollection","features":[{{"type":"Feature","properties":{{"nombre":"x"}},"geometry":{geometry}}}]}}"#
    )
}

fn point_of(row: &RawRow) -> (f64, f64) {
    match &row.geometry {
        Some(geo::Geometry::Point(point)) => (point.x(), point.y()),
        other => panic!("{other:?}"),
    }
}
