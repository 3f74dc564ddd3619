//! Files of a made-up country: a grid of bent roads some 300 m long, in the CRS and with the fields of the Red
//! Nacional de Caminos, rows in no order of place.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "made-up numbers of a known size"
)]

use std::fs;
use std::path::{Path, PathBuf};

use gdal::spatial_ref::SpatialRef;
use gdal::vector::{
    Defn, Feature, FieldDefn, Geometry, Layer, LayerOptions, OGRFieldType as Type, OGRwkbGeometryType as Kind,
};
use gdal::{DatasetCapability, DriverManager};

/// Records that are written at once.
const BATCH: usize = 100_000;

/// Fields of `red_vial`.
const ROAD_FIELDS: [(&str, Type::Type); 22] = [
    ("ID_RED", Type::OFTInteger64),
    ("TIPO_VIAL", Type::OFTString),
    ("NOMBRE", Type::OFTString),
    ("CODIGO", Type::OFTString),
    ("COND_PAV", Type::OFTString),
    ("RECUBRI", Type::OFTString),
    ("CARRILES", Type::OFTString),
    ("ESTATUS", Type::OFTString),
    ("CONDICION", Type::OFTString),
    ("NIVEL", Type::OFTInteger),
    ("PEAJE", Type::OFTString),
    ("ADMINISTRA", Type::OFTString),
    ("JURISDI", Type::OFTString),
    ("CIRCULA", Type::OFTString),
    ("ESCALA_VIS", Type::OFTInteger),
    ("VELOCIDAD", Type::OFTString),
    ("UNION_INI", Type::OFTInteger64),
    ("UNION_FIN", Type::OFTInteger64),
    ("LONGITUD", Type::OFTReal),
    ("ANCHO", Type::OFTString),
    ("FECHA_ACT", Type::OFTString),
    ("CALIREPR", Type::OFTString),
];

/// Fields of a file without a preset.
const LINE_FIELDS: [(&str, Type::Type); 8] = [
    ("id", Type::OFTString),
    ("ref", Type::OFTString),
    ("class", Type::OFTString),
    ("surface", Type::OFTString),
    ("toll", Type::OFTString),
    ("oneway", Type::OFTString),
    ("speed_kmh", Type::OFTReal),
    ("level", Type::OFTInteger),
];

/// What a road is, for both files.
struct Link {
    id: i64,
    nodes: [(usize, usize); 2],
    line: Vec<(f64, f64)>,
    metres: f64,
    highway: bool,
    oneway: bool,
    paved: bool,
}

/// A number that looks random, from 0 to 1.
fn scatter(n: u64) -> f64 {
    let mut z = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// A country with a number of links.
pub(crate) struct Country {
    links: usize,
    /// Junctions along one side, but for the last.
    side: usize,
}

impl Country {
    pub(crate) fn new(links: usize) -> Self {
        let mut side = 1;
        while 2 * side * side < links {
            side += 1;
        }
        Self { links, side }
    }

    fn key(&self, (x, y): (usize, usize)) -> i64 {
        (1_000_000 + x * (self.side + 1) + y) as i64
    }

    fn at(&self, (x, y): (usize, usize)) -> (f64, f64) {
        let n = (x * (self.side + 1) + y) as u64;
        let metres = |base: f64, i: usize, salt: u64| {
            ((base + 300.0 * i as f64 + 120.0 * scatter(n ^ salt)) * 1000.0).round() / 1000.0
        };
        (metres(2_500_000.0, x, 1 << 40), metres(300_000.0, y, 1 << 41))
    }

    /// Link at a place of the file. Two in three lines have vertices between their ends, eight in the mean.
    fn link(&self, place: usize) -> Link {
        let number = place * 7_368_787 % self.links;
        let n = number as u64;
        let from = (number / 2 % self.side, number / 2 / self.side);
        let to = if number.is_multiple_of(2) { (from.0 + 1, from.1) } else { (from.0, from.1 + 1) };
        let (a, b) = (self.at(from), self.at(to));
        let inner = (17.0 * scatter(n ^ (1 << 42)) - 4.0).max(0.0) as u64;
        let mut line = vec![a];
        for i in 1..=inner {
            let share = i as f64 / (inner + 1) as f64;
            let bend = |salt: u64| 12.0 * (scatter(n ^ (i << 48) ^ salt) - 0.5);
            line.push((a.0 + (b.0 - a.0) * share + bend(1 << 43), a.1 + (b.1 - a.1) * share + bend(1 << 44)));
        }
        line.push(b);
        let metres = line.windows(2).map(|w| (w[1].0 - w[0].0).hypot(w[1].1 - w[0].1)).sum();
        let across = if number.is_multiple_of(2) { from.1 } else { from.0 };
        Link {
            id: (5_000_000 + number) as i64,
            nodes: [from, to],
            line,
            metres,
            highway: across % 10 == 0,
            oneway: scatter(n ^ (1 << 45)) < 0.2,
            paved: scatter(n ^ (1 << 46)) < 0.6,
        }
    }

    /// A `GeoPackage` in the layout of the Red Nacional de Caminos: `red_vial` and `union_p`.
    pub(crate) fn official(&self, folder: &Path) -> PathBuf {
        self.file(folder, "rnc", "gpkg", "GPKG", &["SPATIAL_INDEX=NO"], |country, dataset, options| {
            let kind = Kind::wkbLineString;
            add(dataset, ("red_vial", kind, options), &ROAD_FIELDS, country.links, |i, feature| {
                country.official_road(i, feature)
            })?;
            let per_side = country.side + 1;
            let fields = [("ID_UNION", Type::OFTInteger64)];
            let kind = Kind::wkbPoint;
            add(dataset, ("union_p", kind, options), &fields, per_side * per_side, |i, feature| {
                let place = (i % per_side, i / per_side);
                feature.set_field_integer64(0, country.key(place))?;
                let mut point = Geometry::empty(Kind::wkbPoint)?;
                point.add_point_2d(country.at(place));
                feature.set_geometry(point)
            })
        })
    }

    /// Plain lines whose junctions are found by geometry, as `FlatGeobuf`.
    pub(crate) fn plain(&self, folder: &Path) -> PathBuf {
        self.file(folder, "lines", "fgb", "FlatGeobuf", &["SPATIAL_INDEX=NO"], |country, dataset, options| {
            let kind = Kind::wkbLineString;
            add(dataset, ("lines", kind, options), &LINE_FIELDS, country.links, |i, feature| {
                let link = country.link(i);
                feature.set_field_string(0, &link.id.to_string())?;
                if link.highway {
                    feature.set_field_string(1, &reference(&link))?;
                }
                feature.set_field_string(2, if link.highway { "federal" } else { "local" })?;
                feature.set_field_string(3, if link.paved { "paved" } else { "unpaved" })?;
                feature.set_field_string(4, "no")?;
                feature.set_field_string(5, if link.oneway { "yes" } else { "no" })?;
                feature.set_field_double(6, if link.highway { 80.0 } else { 30.0 })?;
                feature.set_field_integer(7, 0)?;
                feature.set_geometry(chain(&link.line)?)
            })
        })
    }

    fn official_road(&self, place: usize, feature: &mut Feature<'_>) -> gdal::errors::Result<()> {
        let link = self.link(place);
        let n = link.id as u64;
        let pick =
            |salt: u64, list: &[&'static str]| list[(scatter(n ^ (salt << 50)) * list.len() as f64) as usize];
        let streets = ["Calle", "Calle", "Calle", "Camino", "Avenida", "Privada", "Callejón", "Andador"];
        let names = ["Benito Juárez", "5 de Mayo", "Emiliano Zapata", "N/A", "N/D", "Francisco I. Madero"];
        let dates = ["2019-11-30", "2021-12-15", "2023-10-31"];
        feature.set_field_integer64(0, link.id)?;
        let texts = [
            (1, if link.highway { "Carretera" } else { pick(1, &streets) }),
            (2, pick(2, &names)),
            (4, if link.paved { "Con pavimento" } else { "Sin pavimento" }),
            (5, if link.paved { pick(3, &["Asfalto", "Concreto"]) } else { pick(3, &["Tierra", "Grava"]) }),
            (6, pick(4, &["1", "2", "2", "4", "N/A"])),
            (7, "Habilitado"),
            (8, "En operación"),
            (10, if link.highway && n.is_multiple_of(50) { "Si" } else { "No" }),
            (
                11,
                if link.highway { "Federal" } else { pick(5, &["Municipal", "Municipal", "Estatal", "N/A"]) },
            ),
            (12, if link.highway { "Federal" } else { "Municipal" }),
            (13, if link.oneway { "Un sentido" } else { "Dos sentidos" }),
            (15, if link.highway { pick(6, &["80", "90", "110"]) } else { pick(6, &["30", "20", "N/A"]) }),
            (19, pick(7, &["3.5", "7.0", "N/A"])),
            (20, pick(8, &dates)),
            (21, "Alta"),
        ];
        for (field, text) in texts {
            feature.set_field_string(field, text)?;
        }
        feature.set_field_string(3, &if link.highway { reference(&link) } else { "N/A".to_owned() })?;
        feature.set_field_integer(9, 0)?;
        feature.set_field_integer(14, if link.highway { 1 } else { 4 })?;
        feature.set_field_integer64(16, self.key(link.nodes[0]))?;
        feature.set_field_integer64(17, self.key(link.nodes[1]))?;
        feature.set_field_double(18, link.metres)?;
        feature.set_geometry(chain(&link.line)?)
    }

    /// Makes a file, unless it is there.
    fn file(
        &self,
        folder: &Path,
        name: &str,
        ending: &str,
        driver: &str,
        options: &[&str],
        fill: impl FnOnce(&Self, &mut gdal::Dataset, &[&str]) -> gdal::errors::Result<()>,
    ) -> PathBuf {
        let path = folder.join(format!("{name}-{}.{ending}", self.links));
        if path.exists() {
            return path;
        }
        fs::create_dir_all(folder).expect("a folder");
        let part = folder.join(format!("{name}-part.{ending}"));
        let _ = fs::remove_file(&part);
        let driver = DriverManager::get_driver_by_name(driver).expect("the driver");
        let mut dataset = driver.create_vector_only(&part).expect("a file");
        fill(self, &mut dataset, options).expect("space on the disk");
        dataset.close().expect("space on the disk");
        fs::rename(&part, &path).expect("a file");
        path
    }
}

fn reference(link: &Link) -> String {
    let [from, to] = link.nodes;
    if from.1 == to.1 { format!("MEX-{:03}", from.1) } else { format!("CHIS-{:03}", from.0) }
}

fn chain(line: &[(f64, f64)]) -> gdal::errors::Result<Geometry> {
    let mut out = Geometry::empty(Kind::wkbLineString)?;
    for position in line {
        out.add_point_2d(*position);
    }
    Ok(out)
}

/// Adds a layer and its records.
fn add(
    dataset: &mut gdal::Dataset,
    (name, ty, options): (&str, Kind::Type, &[&str]),
    fields: &[(&str, Type::Type)],
    count: usize,
    set: impl Fn(usize, &mut Feature<'_>) -> gdal::errors::Result<()>,
) -> gdal::errors::Result<()> {
    let srs = SpatialRef::from_epsg(6372)?;
    {
        let layer =
            dataset.create_layer(LayerOptions { name, ty, srs: Some(&srs), options: Some(options) })?;
        for (field, kind) in fields {
            FieldDefn::new(field, *kind)?.add_to_layer(&layer)?;
        }
    }
    let put = |layer: &Layer<'_>, from: usize| -> gdal::errors::Result<()> {
        let defn = Defn::from_layer(layer);
        for i in from..count.min(from + BATCH) {
            let mut feature = Feature::new(&defn)?;
            set(i, &mut feature)?;
            feature.create(layer)?;
        }
        Ok(())
    };
    if !dataset.has_capability(DatasetCapability::TRANSACTIONS) {
        let layer = dataset.layer_by_name(name)?;
        return (0..count).step_by(BATCH).try_for_each(|from| put(&layer, from));
    }
    for from in (0..count).step_by(BATCH) {
        let transaction = dataset.start_transaction()?;
        put(&transaction.layer_by_name(name)?, from)?;
        transaction.commit()?;
    }
    Ok(())
}
