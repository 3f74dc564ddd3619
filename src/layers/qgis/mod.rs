//! `corredor.qgz`: the project that an analyst opens in QGIS 3.22 and newer.
//!
//! It holds no data and no style of its own: layers come from the `GeoPackage` beside it by a relative path, so that the
//! folder can be moved as a whole, and their styles are those of [`super::style`]. What holds, and is tested: the same
//! views give the same bytes; ids of layers are long (QGIS replaces short ones in silence, and a print layout that names
//! them is blank); the system of coordinates is given by its full WKT (a code alone is ignored).

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use geo::{BoundingRect, Coord, MapCoords, Rect};
use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::map::About;
use super::view::{Header, LayerView};
use crate::error::{Error, Result};
use crate::model::frame::WorkFrame;

mod crs;
mod layout;
mod page;
mod project;

/// Name of the project in the result folder.
pub const FILE: &str = "corredor.qgz";

/// Writes the project at `path`, for layers in `corredor.gpkg` beside it.
///
/// # Errors
/// [`Error::Io`]; [`Error::Environment`] where coordinates cannot be transformed at all.
pub fn write(path: &Path, views: &[LayerView<'_>], header: &Header, about: &About<'_>) -> Result<()> {
    let frame = WorkFrame::new()?;
    let extent = extent(views, &frame);
    let text = project::text(&Project { views, header, about, extent });
    let pack = |text: String| -> io::Result<()> {
        let mut zip = ZipWriter::new(BufWriter::new(File::create(path)?));
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            // A result has no time of its own.
            .last_modified_time(DateTime::default())
            .unix_permissions(0o644);
        zip.start_file("corredor.qgs", options)?;
        zip.write_all(text.as_bytes())?;
        zip.finish()?.flush()
    };
    text.and_then(pack).map_err(|e| Error::io(path, e))
}

/// What the project is made from.
struct Project<'a> {
    views: &'a [LayerView<'a>],
    header: &'a Header,
    about: &'a About<'a>,
    /// Metres in EPSG:6372; none where nothing lies anywhere.
    extent: Option<Rect<f64>>,
}

impl Project<'_> {
    fn words(&self, key: &str) -> String {
        crate::translated(self.header.lang.code(), &format!("project.{key}"))
    }

    /// Title of project and map; a restricted one says so first.
    fn title(&self) -> String {
        self.header.marked(&super::map::title(self.views, self.header.lang))
    }

    /// What every output bears, then what this one says of its data.
    fn sentences(&self) -> impl Iterator<Item = &str> {
        let lang = self.header.lang;
        self.about.notices.iter().chain(self.about.limits).map(move |words| words.pick(lang))
    }

    /// Which run it is, and of which version.
    fn run_line(&self) -> String {
        let lang = self.header.lang.code();
        let word = |key: &str| crate::translated(lang, &format!("page.{key}"));
        format!("{}: {}. {}: {}.", word("run"), self.header.run_id, word("version"), self.about.version)
    }

    /// Data sources and their licences.
    fn sources_line(&self) -> Option<String> {
        let all = &self.about.attributions;
        let word = crate::translated(self.header.lang.code(), "page.sources");
        (!all.is_empty()).then(|| format!("{word}: {}", all.join(" ")))
    }

    /// The id of a layer in the project.
    fn layer_id(&self, name: &str) -> String {
        format!("{name}_{}", uuid(&format!("{} {name}", self.header.run_id)).replace('-', "_"))
    }

    /// Layers that are seen when the project is opened, the highest first.
    fn shown(&self) -> impl Iterator<Item = &LayerView<'_>> {
        self.views.iter().rev().filter(|view| is_shown(view.name()))
    }
}

fn is_shown(layer: &str) -> bool {
    !super::map::HIDDEN.contains(&layer)
}

/// What is looked at first: the corridors; without any, the municipalities.
fn extent(views: &[LayerView<'_>], frame: &WorkFrame) -> Option<Rect<f64>> {
    ["corridors", "municipalities"].iter().find_map(|name| {
        let view = views.iter().find(|view| view.name() == *name)?;
        let mut found: Option<Rect<f64>> = None;
        for geometry in view.rows().filter_map(|row| row.geometry()) {
            let Some(own) = geometry.map_coords(|c| frame.to_plane(c)).bounding_rect() else { continue };
            found = Some(found.map_or(own, |all| union(all, own)));
        }
        found.filter(|rect| [rect.min(), rect.max()].iter().all(|c| c.x.is_finite() && c.y.is_finite()))
    })
}

fn union(a: Rect<f64>, b: Rect<f64>) -> Rect<f64> {
    let low = Coord { x: a.min().x.min(b.min().x), y: a.min().y.min(b.min().y) };
    let high = Coord { x: a.max().x.max(b.max().x), y: a.max().y.max(b.max().y) };
    Rect::new(low, high)
}

/// What has the form of a random UUID and is the same each time.
fn uuid(of: &str) -> String {
    let digest = crate::ids::hex(&Sha256::digest(of.as_bytes()));
    let part = |from: usize, to: usize| digest.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

#[cfg(test)]
pub(super) mod tests;
