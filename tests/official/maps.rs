//! Layers with geometry, written as the offices write them.

use std::fs;
use std::path::Path;

use gdal::spatial_ref::{AxisMappingStrategy, CoordTransform, SpatialRef};
use gdal::vector::{
    Defn, Feature, Geometry, LayerAccess as _, LayerOptions, OGRFieldType as Type, OGRwkbGeometryType as Kind,
};

use super::Sheet;

/// WKT in longitude and latitude.
pub(crate) type Shape = Option<String>;

/// EPSG:6372 as INEGI writes it, without a code.
pub(crate) const ITRF2008: &str = r#"PROJCS["MEXICO_ITRF_2008_LCC",GEOGCS["MEXICO_ITRF_2008",DATUM["D_ITRF_2008",SPHEROID["GRS_1980",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Lambert_Conformal_Conic"],PARAMETER["False_Easting",2500000.0],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",-102.0],PARAMETER["Standard_Parallel_1",17.5],PARAMETER["Standard_Parallel_2",29.5],PARAMETER["Latitude_Of_Origin",12.0],UNIT["Meter",1.0]]"#;

/// The same with the authority that older editions carry.
pub(crate) fn with_authority() -> String {
    let end = ITRF2008.strip_suffix("]").unwrap();
    format!("{end},AUTHORITY[\"INEGI\",200008]]")
}

/// Records with geometry.
#[derive(Debug, Clone)]
pub(crate) struct Layer {
    pub(crate) name: String,
    pub(crate) sheet: Sheet,
    pub(crate) shapes: Vec<Shape>,
    pub(crate) kind: Kind::Type,
    /// Columns of whole numbers; the others are text.
    pub(crate) numbers: Vec<String>,
}

impl Layer {
    fn new(name: &str, columns: &[&str], numbers: &[&str], kind: Kind::Type) -> Self {
        let numbers = numbers.iter().map(|n| (*n).to_owned()).collect();
        Self { name: name.to_owned(), sheet: Sheet::new(columns), shapes: Vec::new(), kind, numbers }
    }

    pub(crate) fn lines(name: &str, columns: &[&str], numbers: &[&str]) -> Self {
        Self::new(name, columns, numbers, Kind::wkbLineString)
    }

    pub(crate) fn points(name: &str, columns: &[&str], numbers: &[&str]) -> Self {
        Self::new(name, columns, numbers, Kind::wkbPoint)
    }

    pub(crate) fn polygons(name: &str, columns: &[&str]) -> Self {
        Self::new(name, columns, &[], Kind::wkbPolygon)
    }

    /// Without geometry.
    pub(crate) fn table(name: &str, columns: &[&str], numbers: &[&str]) -> Self {
        Self::new(name, columns, numbers, Kind::wkbNone)
    }

    pub(crate) fn push(&mut self, row: Vec<String>, shape: Shape) {
        self.sheet.rows.push(row);
        self.shapes.push(shape);
    }

    #[must_use]
    pub(crate) fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    #[must_use]
    pub(crate) fn without(mut self, column: &str) -> Self {
        self.sheet = self.sheet.without(column);
        self
    }

    #[must_use]
    pub(crate) fn renamed(mut self, from: &str, to: &str) -> Self {
        self.numbers.iter_mut().filter(|n| *n == from).for_each(|n| to.clone_into(n));
        self.sheet = self.sheet.renamed(from, to);
        self
    }
}

/// The system of coordinates of a file.
#[derive(Debug, Clone, Copy)]
pub(crate) enum System {
    Degrees,
    Epsg(u32),
    Wkt(&'static str),
}

impl System {
    fn reference(self) -> SpatialRef {
        let mut out = match self {
            Self::Degrees => SpatialRef::from_epsg(4326).unwrap(),
            Self::Epsg(code) => SpatialRef::from_epsg(code).unwrap(),
            Self::Wkt(text) => SpatialRef::from_esri(text).unwrap(),
        };
        out.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
        out
    }
}

/// Adds layers to one file.
pub(crate) fn write(path: &Path, driver: &str, layers: &[&Layer], system: System) {
    corredor::sources::quiet_gdal();
    let mut dataset =
        gdal::DriverManager::get_driver_by_name(driver).unwrap().create_vector_only(path).unwrap();
    let (degrees, reference) = (System::Degrees.reference(), system.reference());
    let transform =
        (!matches!(system, System::Degrees)).then(|| CoordTransform::new(&degrees, &reference).unwrap());
    for layer in layers {
        let encoding: &[&str] = if driver == "ESRI Shapefile" { &["ENCODING=CP1252"] } else { &[] };
        let spatial = layer.kind != Kind::wkbNone;
        let out = dataset
            .create_layer(LayerOptions {
                name: &layer.name,
                srs: spatial.then_some(&reference),
                ty: layer.kind,
                options: (!encoding.is_empty()).then_some(encoding),
            })
            .unwrap();
        let is_number = |name: &String| layer.numbers.contains(name);
        for name in &layer.sheet.header {
            let kind = match name.as_str() {
                name if is_number(&name.to_owned()) => Type::OFTInteger64,
                "LONGITUD" => Type::OFTReal,
                _ => Type::OFTString,
            };
            out.create_defn_fields(&[(name, kind)]).unwrap();
        }
        let defn = Defn::from_layer(&out);
        for (row, shape) in layer.sheet.rows.iter().zip(&layer.shapes) {
            let mut feature = Feature::new(&defn).unwrap();
            for (i, (name, value)) in layer.sheet.header.iter().zip(row).enumerate() {
                if value.is_empty() {
                    feature.set_field_null(i).unwrap();
                } else if is_number(name) {
                    feature.set_field_integer64(i, value.parse().unwrap()).unwrap();
                } else {
                    feature.set_field_string(i, value).unwrap();
                }
            }
            if let Some(wkt) = shape {
                let mut geometry = Geometry::from_wkt(wkt).unwrap();
                if let Some(transform) = &transform {
                    geometry.transform_inplace(transform).unwrap();
                }
                feature.set_geometry(geometry).unwrap();
            }
            feature.create(&out).unwrap();
        }
    }
    dataset.close().unwrap();
}

/// Each layer as a shapefile of its own in a folder, text in Windows-1252, without a word on the encoding.
pub(crate) fn write_shapefiles(dir: &Path, layers: &[&Layer], system: System) {
    for layer in layers {
        write(&dir.join(format!("{}.shp", layer.name)), "ESRI Shapefile", &[layer], system);
        let _ = fs::remove_file(dir.join(format!("{}.cpg", layer.name)));
    }
}

/// A shapefile's system is `text` whatever it was written as.
pub(crate) fn set_prj(dir: &Path, text: &str) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "prj") {
            fs::write(path, text).unwrap();
        }
    }
}
