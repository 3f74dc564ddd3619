//! `layers/NAME.fgb` on request: the layers for programs that read them piece by piece, by their spatial index.
//!
//! GDAL copies them from the finished `GeoPackage`, so that there is one conversion of values; booleans stay booleans, which
//! gdal 0.19 could not declare. Two limits of the format as GDAL writes it: a feature without a geometry has no place in it, and
//! there is no room for a notice. Features stand in the order of the index.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use gdal::cpl::CslStringList;
use gdal::vector::LayerAccess;
use gdal::{Dataset, DatasetOptions, DriverManager, GdalOpenFlags};

use super::feature::LayerGeometry;
use super::view::LayerView;
use crate::error::{Error, Result};

/// Writes one file for each view into `layers/` of the result folder `dir`, which has its `corredor.gpkg`.
///
/// # Errors
/// [`Error::Environment`] with what GDAL reports, and where a file does not hold the features that have a geometry;
/// [`Error::Io`].
pub fn write(dir: &Path, views: &[LayerView<'_>]) -> Result<()> {
    let package = dir.join("corredor.gpkg");
    let work = tempfile::Builder::new().prefix(".fgb-").tempdir_in(dir).map_err(|e| Error::io(dir, e))?;
    // A name without an ending makes a folder with a file for each layer.
    let folder = work.path().join("layers");
    let copy = || -> gdal::errors::Result<()> {
        let from = open(&package, "GPKG")?;
        from.create_copy(&DriverManager::get_driver_by_name("FlatGeobuf")?, &folder, &CslStringList::new())?
            .close()?;
        from.close()
    };
    copy().map_err(|e| Error::Environment(format!("FlatGeobuf: {e}")))?;
    for view in views.iter().filter(|view| view.geometry() != LayerGeometry::None) {
        let name = file(view.name());
        let target = dir.join(&name);
        fs::rename(folder.join(format!("{}.fgb", view.name())), &target)
            .map_err(|e| Error::io(&target, e))?;
        let (found, expected) = (count(&target)?, located(view));
        if found != expected {
            return Err(Error::Environment(format!("{name}: {found} features, not {expected}")));
        }
    }
    Ok(())
}

/// Path of a layer's file in the result folder.
#[must_use]
pub fn file(layer: &str) -> String {
    format!("layers/{layer}.fgb")
}

/// Features of a view that have a geometry.
pub(super) fn located(view: &LayerView<'_>) -> u64 {
    view.rows().filter(|row| row.geometry().is_some()).count() as u64
}

/// Number of features that stand in a file.
///
/// # Errors
/// [`Error::Environment`] if it is no `FlatGeobuf`.
pub fn count(path: &Path) -> Result<u64> {
    let read = || -> gdal::errors::Result<u64> {
        let dataset = open(path, "FlatGeobuf")?;
        // The header has a number of its own; what counts is what can be read.
        Ok(dataset.layer(0)?.features().count() as u64)
    };
    read().map_err(|e| Error::Environment(format!("{}: {e}", path.display())))
}

fn open(path: &Path, driver: &str) -> gdal::errors::Result<Dataset> {
    Dataset::open_ex(
        path,
        DatasetOptions {
            open_flags: GdalOpenFlags::GDAL_OF_READONLY | GdalOpenFlags::GDAL_OF_VECTOR,
            allowed_drivers: Some(&[driver]),
            ..DatasetOptions::default()
        },
    )
}

/// Numbers of features by path, of the files that are in the result folder.
pub(super) fn counts(dir: &Path, views: &[LayerView<'_>]) -> BTreeMap<String, u64> {
    let there = views.iter().filter(|view| dir.join(file(view.name())).exists());
    there.map(|view| (file(view.name()), located(view))).collect()
}

#[cfg(test)]
mod tests {
    use geo::Geometry;

    use super::*;
    use crate::layers::feature::Tier;
    use crate::layers::write::{seal, write_layers};
    use crate::layers::{manifest, samples, verify};

    #[test]
    fn every_layer_reads_back_and_the_same_layers_give_the_same_bytes() {
        let set = samples::set(Tier::Restricted);
        let written = || {
            let dir = tempfile::tempdir().unwrap();
            write_layers(dir.path(), &set).unwrap();
            write(dir.path(), &set.views().unwrap()).unwrap();
            seal(dir.path(), &set).unwrap();
            dir
        };
        let (a, b) = (written(), written());
        let manifest = manifest::Manifest::read(a.path()).unwrap();
        assert_eq!(manifest::files(a.path()).unwrap(), manifest::files(b.path()).unwrap(), "nothing is left");
        let note = fs::read_to_string(a.path().join("LEEME.txt")).unwrap();
        assert!(note.contains("layers/*.fgb"), "{note}");
        for view in set.views().unwrap() {
            let name = file(view.name());
            assert!(
                fs::read(a.path().join(&name)).unwrap() == fs::read(b.path().join(&name)).unwrap(),
                "{name}"
            );
            let record = manifest.outputs.iter().find(|o| o.path == name).unwrap();
            assert_eq!(record.features, Some(located(&view)), "{name}");

            let dataset = open(&a.path().join(&name), "FlatGeobuf").unwrap();
            let mut layer = dataset.layer(0).unwrap();
            assert_eq!(layer.name(), view.name());
            assert_eq!(layer.spatial_ref().unwrap().auth_code().unwrap(), 4326);
            let fields: Vec<String> = layer.defn().fields().map(|f| f.name()).collect();
            assert_eq!(fields, view.fields().iter().map(|f| f.name).collect::<Vec<_>>());
            let mut found = BTreeMap::new();
            for feature in layer.features() {
                let id = feature.field_as_string(0).unwrap().unwrap();
                found.insert(id, Geometry::<f64>::try_from(feature.geometry().unwrap().clone()).unwrap());
            }
            let own = view.rows().filter_map(|row| Some((row.id().to_owned(), row.geometry()?)));
            assert_eq!(found, own.collect(), "{name}");
        }
        // One feature of the samples lies nowhere.
        assert_eq!(count(&a.path().join("layers/municipalities.fgb")).unwrap(), 3);
        verify::recount(a.path()).unwrap();
        fs::copy(a.path().join("layers/roads.fgb"), a.path().join("layers/municipalities.fgb")).unwrap();
        assert!(verify::recount(a.path()).is_err());
    }
}
