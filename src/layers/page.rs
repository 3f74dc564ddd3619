//! What the pages for the browser share: a template whose slots are filled once, and the hashes by which a content security
//! policy lets scripts and styles in.

use std::borrow::Cow;
use std::io::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// Scripts or styles as a content security policy names them.
pub(super) fn hashes(texts: &[&str]) -> String {
    let one = |text: &&str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text.as_bytes())));
    texts.iter().map(one).collect::<Vec<_>>().join(" ")
}

/// Writes a template: every other piece between `@` is the name of what stands there. Nothing that is put in is looked at
/// again.
pub(super) fn write<'a>(
    out: &mut impl Write,
    template: &str,
    value: impl Fn(&str) -> Cow<'a, str>,
) -> std::io::Result<()> {
    for (i, piece) in template.split('@').enumerate() {
        if i % 2 == 0 {
            out.write_all(piece.as_bytes())?;
        } else {
            out.write_all(value(piece).as_bytes())?;
        }
    }
    Ok(())
}
