//! All layers in one GeoPackage, with aliases and default styles, the same bytes each time.
//!
//! Tables are made in two passes. First GDAL makes each layer and SQL adds its columns, because gdal 0.19 cannot
//! set a field's subtype and only a column declared `BOOLEAN` reads back as one. Then the file is opened again, so
//! that GDAL sees those columns, and filled.

use std::collections::BTreeMap;
use std::path::Path;

use gdal::config::{clear_thread_local_config_option, set_thread_local_config_option};
use gdal::spatial_ref::SpatialRef;
use gdal::vector::{Feature, LayerAccess, LayerOptions, OGRwkbGeometryType};
use gdal::{Dataset, DatasetOptions, DriverManager, GdalOpenFlags, Metadata};

use super::feature::{FieldKind, LayerGeometry};
use super::normal;
use super::rows::{about, columns, insert, literal, quoted, run};
use super::view::{Header, LayerView};
use crate::error::{Error, Result};

/// Every time in the file. A result has no time of its own: the same run gives the same bytes next year.
const FIXED_TIME: &str = "2000-01-01T00:00:00.000Z";
/// Name of the table that QGIS reads styles from.
const STYLES: &str = "layer_styles";

/// Columns of the style table as QGIS makes it.
const STYLE_COLUMNS: &[(&str, &str)] = &[
    ("f_table_catalog", "TEXT(256)"),
    ("f_table_schema", "TEXT(256)"),
    ("f_table_name", "TEXT(256)"),
    ("f_geometry_column", "TEXT(256)"),
    ("styleName", "TEXT(30)"),
    ("styleQML", "TEXT"),
    ("styleSLD", "TEXT"),
    ("useAsDefault", "BOOLEAN"),
    ("description", "TEXT"),
    ("owner", "TEXT(30)"),
    ("ui", "TEXT(30)"),
    ("update_time", "DATETIME"),
];

/// Writes a new file at `path` with the layers in order and `styles` (QML) beside them, one for each view.
///
/// EPSG:4326; features in order with FIDs from 1; a spatial index; reals, integers and booleans as such and JSON
/// as text; aliases in `gpkg_data_columns`; notices in the metadata and in each layer's description.
///
/// # Errors
/// [`Error::Environment`] with what GDAL reports.
pub fn write(path: &Path, views: &[LayerView<'_>], styles: &[String], header: &Header) -> Result<()> {
    let _options = Options::set().map_err(|e| failed(path, &e))?;
    create(path, views, header).map_err(|e| failed(path, &e))?;
    fill(path, views, styles, header).map_err(|e| failed(path, &e))
}

/// Opens the file again and counts the features of each layer.
///
/// # Errors
/// [`Error::Environment`] if it is no GeoPackage.
pub fn counts(path: &Path) -> Result<BTreeMap<String, u64>> {
    let dataset = open(path, GdalOpenFlags::GDAL_OF_READONLY).map_err(|e| failed(path, &e))?;
    Ok(dataset
        .layers()
        .filter(|layer| layer.name() != STYLES)
        .map(|layer| (layer.name(), layer.feature_count()))
        .collect())
}

fn failed(path: &Path, error: &gdal::errors::GdalError) -> Error {
    Error::Environment(format!("{}: {error}", path.display()))
}

/// GDAL options of this thread for the time of one file.
struct Options;

impl Options {
    const ALL: [(&str, &str); 2] = [
        ("OGR_CURRENT_DATE", FIXED_TIME),
        // The folder is synced as a whole before it is renamed; until then nobody sees the file.
        ("OGR_SQLITE_SYNCHRONOUS", "OFF"),
    ];

    fn set() -> gdal::errors::Result<Self> {
        let guard = Self;
        for (key, value) in Self::ALL {
            set_thread_local_config_option(key, value)?;
        }
        Ok(guard)
    }
}

impl Drop for Options {
    fn drop(&mut self) {
        for (key, _) in Self::ALL {
            let _ = clear_thread_local_config_option(key);
        }
    }
}

fn open(path: &Path, access: GdalOpenFlags) -> gdal::errors::Result<Dataset> {
    Dataset::open_ex(
        path,
        DatasetOptions {
            open_flags: access | GdalOpenFlags::GDAL_OF_VECTOR,
            allowed_drivers: Some(&["GPKG"]),
            ..DatasetOptions::default()
        },
    )
}

fn create(path: &Path, views: &[LayerView<'_>], header: &Header) -> gdal::errors::Result<()> {
    let mut dataset = DriverManager::get_driver_by_name("GPKG")?.create_vector_only(path)?;
    let wgs84 = SpatialRef::from_epsg(4326)?;
    for view in views {
        let identifier = format!("IDENTIFIER={}", normal::text(&header.title(view.def())));
        let description = format!("DESCRIPTION={}", normal::text(&header.notices.join("\n")));
        dataset.create_layer(LayerOptions {
            name: view.name(),
            srs: Some(&wgs84).filter(|_| view.geometry() != LayerGeometry::None),
            ty: match view.geometry() {
                LayerGeometry::Point => OGRwkbGeometryType::wkbPoint,
                LayerGeometry::MultiLineString => OGRwkbGeometryType::wkbMultiLineString,
                LayerGeometry::MultiPolygon => OGRwkbGeometryType::wkbMultiPolygon,
                LayerGeometry::None => OGRwkbGeometryType::wkbNone,
            },
            // The index is built in one go once the features are there.
            options: Some(&["GEOMETRY_NAME=geom", "FID=fid", "SPATIAL_INDEX=NO", &identifier, &description]),
        })?;
        for field in view.fields() {
            let declared = match field.kind {
                FieldKind::Text | FieldKind::Json => "TEXT",
                FieldKind::Integer => "INTEGER",
                FieldKind::Real => "REAL",
                FieldKind::Boolean => "BOOLEAN",
            };
            add_column(&dataset, view.name(), field.name, declared)?;
        }
    }
    dataset.create_layer(LayerOptions {
        name: STYLES,
        ty: OGRwkbGeometryType::wkbNone,
        options: Some(&["FID=id"]),
        ..LayerOptions::default()
    })?;
    for (name, declared) in STYLE_COLUMNS {
        add_column(&dataset, STYLES, name, declared)?;
    }
    data_columns(&dataset, views, header)?;
    dataset.close()
}

fn fill(
    path: &Path,
    views: &[LayerView<'_>],
    styles: &[String],
    header: &Header,
) -> gdal::errors::Result<()> {
    let mut dataset = open(path, GdalOpenFlags::GDAL_OF_UPDATE)?;
    for view in views {
        let transaction = dataset.start_transaction()?;
        insert(&transaction.layer_by_name(view.name())?, view)?;
        transaction.commit()?;
        if view.geometry() != LayerGeometry::None {
            run(&dataset, &format!("SELECT CreateSpatialIndex({}, 'geom')", literal(view.name())))?;
        }
    }
    let transaction = dataset.start_transaction()?;
    let layer = transaction.layer_by_name(STYLES)?;
    let column = columns(&layer, STYLE_COLUMNS.iter().map(|(name, _)| *name))?;
    let styled = views.iter().zip(styles).filter(|(view, _)| view.geometry() != LayerGeometry::None);
    for (view, qml) in styled {
        let mut row = Feature::new(layer.defn())?;
        let title = header.title(view.def());
        let texts = ["", "", view.name(), "geom", view.name(), qml, "", "", &title, ""];
        for (i, text) in texts.into_iter().enumerate() {
            if STYLE_COLUMNS[i].0 == "useAsDefault" {
                row.set_field_integer(column[i], 1)?;
            } else {
                row.set_field_string(column[i], &normal::text(text))?;
            }
        }
        // QGIS orders styles by this time; GDAL reads it from text.
        row.set_field_string(column[STYLE_COLUMNS.len() - 1], "2000/01/01 00:00:00+00")?;
        row.create(&layer)?;
    }
    transaction.commit()?;
    for (i, line) in header.notices.iter().enumerate() {
        dataset.set_metadata_item(&format!("AVISO_{}", i + 1), &normal::text(line), "")?;
    }
    dataset.set_metadata_item("RUN_ID", &normal::text(&header.run_id), "")?;
    dataset.flush_cache()?;
    dataset.close()
}

/// Aliases and meanings by the schema extension of the standard (GeoPackage 1.3, F.9).
fn data_columns(dataset: &Dataset, views: &[LayerView<'_>], header: &Header) -> gdal::errors::Result<()> {
    run(
        dataset,
        "CREATE TABLE IF NOT EXISTS gpkg_data_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL, \
         name TEXT, title TEXT, description TEXT, mime_type TEXT, constraint_name TEXT, \
         CONSTRAINT pk_gdc PRIMARY KEY (table_name, column_name), CONSTRAINT gdc_tn UNIQUE (table_name, name))",
    )?;
    run(
        dataset,
        "CREATE TABLE IF NOT EXISTS gpkg_extensions (table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL, \
         definition TEXT NOT NULL, scope TEXT NOT NULL, CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name))",
    )?;
    run(
        dataset,
        "INSERT INTO gpkg_extensions VALUES ('gpkg_data_columns', NULL, 'gpkg_schema', \
         'http://www.geopackage.org/spec121/#extension_schema', 'read-write')",
    )?;
    for view in views {
        for field in view.fields() {
            let alias = literal(field.alias(header.lang));
            let about = about(field, header.lang);
            let (table, column, about) = (literal(view.name()), literal(field.name), literal(&about));
            run(
                dataset,
                &format!(
                    "INSERT INTO gpkg_data_columns VALUES ({table}, {column}, {alias}, {alias}, {about}, NULL, NULL)"
                ),
            )?;
        }
    }
    Ok(())
}

fn add_column(dataset: &Dataset, table: &str, column: &str, declared: &str) -> gdal::errors::Result<()> {
    run(dataset, &format!("ALTER TABLE {} ADD COLUMN {} {declared}", quoted(table), quoted(column)))
}

#[cfg(test)]
mod tests {
    use gdal::vector::sql::Dialect;

    use super::*;
    use crate::layers::feature::{Layer, Tier};
    use crate::layers::samples;

    fn written(path: &Path, layers: &[Layer]) {
        let header = samples::header(Tier::Restricted);
        let views: Vec<_> =
            layers.iter().map(|l| LayerView::new(l, Tier::Restricted).unwrap().unwrap()).collect();
        let styles: Vec<_> = views.iter().map(|v| format!("<qgis name=\"{}\"/>", v.name())).collect();
        write(path, &views, &styles, &header).unwrap();
    }

    #[test]
    fn the_same_layers_give_the_same_bytes_at_another_time() {
        let dir = tempfile::tempdir().unwrap();
        let layers = samples::all();
        written(&dir.path().join("a.gpkg"), &layers);
        std::thread::sleep(std::time::Duration::from_millis(1200));
        written(&dir.path().join("b.gpkg"), &layers);
        let read = |name| std::fs::read(dir.path().join(name)).unwrap();
        assert!(read("a.gpkg") == read("b.gpkg"));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2, "no journal is left");
    }

    #[test]
    fn a_table_without_geometry_has_neither_column_nor_style_nor_index() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("corredor.gpkg");
        let mut layers = samples::all();
        layers.push(samples::sensitivity());
        written(&path, &layers);
        assert_eq!(counts(&path).unwrap()["sensitivity"], 3);
        let dataset = open(&path, GdalOpenFlags::GDAL_OF_READONLY).unwrap();
        let sql = |query: &str| -> Vec<String> {
            let mut rows = dataset.execute_sql(query, None, Dialect::DEFAULT).unwrap().unwrap();
            rows.features().map(|f| f.field_as_string(0).unwrap().unwrap_or_default()).collect()
        };
        assert_eq!(
            sql("SELECT data_type FROM gpkg_contents WHERE table_name = 'sensitivity'"),
            ["attributes"]
        );
        for query in [
            "SELECT count(*) FROM gpkg_geometry_columns WHERE table_name = 'sensitivity'",
            "SELECT count(*) FROM layer_styles WHERE f_table_name = 'sensitivity'",
            "SELECT count(*) FROM pragma_table_info('sensitivity') WHERE name = 'geom'",
            "SELECT count(*) FROM gpkg_extensions WHERE table_name = 'sensitivity'",
        ] {
            assert_eq!(sql(query), ["0"], "{query}");
        }
        assert_eq!(sql("SELECT parameter FROM sensitivity WHERE total IS NULL"), ["counts"]);
    }

    #[test]
    fn everything_reads_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("corredor.gpkg");
        let layers = samples::all();
        written(&path, &layers);
        let counts = counts(&path).unwrap();
        assert_eq!(counts.len(), layers.len());
        for layer in &layers {
            assert_eq!(counts[layer.def.name], layer.features.len() as u64);
        }
        let dataset = open(&path, GdalOpenFlags::GDAL_OF_READONLY).unwrap();
        let notices: Vec<_> = dataset.metadata().filter(|e| e.key.starts_with("AVISO_")).collect();
        assert!(notices.iter().any(|e| e.value.starts_with("BORRADOR")));
        let names: Vec<_> = dataset.layers().map(|l| l.name()).collect();
        let expected: Vec<_> = layers.iter().map(|l| l.def.name).chain([STYLES]).collect();
        assert_eq!(names, expected);

        let mut layer = dataset.layer_by_name("municipalities").unwrap();
        let name = layer.defn().field_index("name").unwrap();
        let rows: Vec<_> =
            layer.features().map(|f| (f.fid(), f.field_as_string(name).unwrap().unwrap())).collect();
        assert_eq!(rows[0], (Some(1), "Uno d'Ávila".to_owned()));
        assert_eq!(rows[2], (Some(3), "<Tres> & más".to_owned()));
        assert_eq!(layer.spatial_ref().unwrap().auth_code().unwrap(), 4326);

        let sql = |query: &str| -> Vec<String> {
            let mut rows = dataset.execute_sql(query, None, Dialect::DEFAULT).unwrap().unwrap();
            rows.features().map(|f| f.field_as_string(0).unwrap().unwrap_or_default()).collect()
        };
        assert_eq!(sql("SELECT name FROM municipalities WHERE geom IS NULL"), ["<Tres> & más"]);
        assert_eq!(sql("SELECT type FROM pragma_table_info('roads') WHERE name = 'toll'"), ["BOOLEAN"]);
        assert_eq!(
            sql("SELECT title FROM gpkg_data_columns WHERE table_name = 'roads' AND column_name = 'toll'"),
            ["De cuota"]
        );
        assert_eq!(
            sql("SELECT f_table_name FROM layer_styles WHERE useAsDefault = 1 AND f_geometry_column = 'geom' AND f_table_schema = ''").len(),
            layers.len()
        );
        // Compared in SQL, because GDAL shows a time in a form of its own.
        for (table, column) in [("gpkg_contents", "last_change"), ("layer_styles", "update_time")] {
            let query = format!("SELECT count(*) FROM {table} WHERE {column} IS NOT '{FIXED_TIME}'");
            assert_eq!(sql(&query), ["0"], "{table}");
        }
        assert_eq!(sql("SELECT municipalities FROM corridors"), ["[\"Uno\",\"Dos\"]"]);
        assert_eq!(
            sql("SELECT count(*) FROM gpkg_extensions WHERE extension_name = 'gpkg_rtree_index'"),
            [layers.len().to_string()]
        );
        assert_eq!(sql("PRAGMA integrity_check"), ["ok"]);
        assert_eq!(
            sql("SELECT identifier FROM gpkg_contents WHERE table_name = 'roads'"),
            ["RESTRINGIDO · Tramos de la red"]
        );
    }
}
