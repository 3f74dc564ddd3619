//! The embedded Chiapas study, compiled into the binary.

use std::fs;
use std::path::Path;

use rust_embed::RustEmbed;

use crate::error::{Error, Result};

#[derive(RustEmbed)]
#[folder = "geodata/chiapas/study"]
struct Study;

#[derive(RustEmbed)]
#[folder = "geodata/chiapas"]
#[include = "*.md"]
struct Notes;

/// Number of files of the study.
#[must_use]
pub fn count() -> usize {
    Study::iter().count()
}

/// Writes the study into `dir`, which is made: the study file, its data, and the notes on sources and licences.
///
/// # Errors
/// [`Error::Io`] if a file cannot be written.
pub fn write(dir: &Path) -> Result<()> {
    fs::create_dir_all(dir).map_err(|e| Error::io(dir, e))?;
    let files = Study::iter().filter_map(|name| Study::get(&name).map(|f| (name, f)));
    let notes =
        Notes::iter().filter(|n| !n.contains('/')).filter_map(|name| Notes::get(&name).map(|f| (name, f)));
    for (name, file) in files.chain(notes) {
        let path = dir.join(&*name);
        fs::write(&path, &file.data).map_err(|e| Error::io(path, e))?;
    }
    Ok(())
}
