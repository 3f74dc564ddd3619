//! The hash by which a manifest names an input.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Read as _;

use sha2::{Digest as _, Sha256};

use super::guard::Input;
use crate::error::Error;

/// SHA-256, in hexadecimal, over the bytes of the file and then of its companions, one after the other in the
/// order `shx dbf prj cpg`: what `cat a.shp a.shx a.dbf a.prj a.cpg | sha256sum` prints. Of a file in a zip
/// archive it is that of the archive.
pub(super) fn sha256(input: &Input) -> Result<String, Error> {
    sha256_of(std::iter::once(input))
}

/// The same over several files, one after the other.
pub(super) fn sha256_of<'a>(inputs: impl Iterator<Item = &'a Input>) -> Result<String, Error> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    for path in inputs.flat_map(|input| &input.originals) {
        let mut file = File::open(path).map_err(|source| Error::io(path, source))?;
        loop {
            let n = match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => n,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(source) => return Err(Error::io(path, source)),
            };
            hasher.update(buffer.get(..n).unwrap_or_default());
        }
    }
    Ok(hex(hasher))
}

/// What a hasher has seen, in hexadecimal.
pub(super) fn hex(hasher: Sha256) -> String {
    let mut hex = String::with_capacity(64);
    for byte in hasher.finalize() {
        // Writing to a `String` does not fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}
