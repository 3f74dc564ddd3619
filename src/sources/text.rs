//! Encodings: strict where one is declared, detected where none is, and never lossy.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

use super::raw::{RawTable, Value};
use super::sink::Sink;
use crate::error::{Error, Fault, Rule};

/// What the bytes of a text say of their encoding.
#[derive(Debug, Default)]
pub(super) struct Census {
    /// Characters of two bytes or more that are valid UTF-8.
    multibyte: u64,
    /// Places where the bytes are not UTF-8.
    invalid: u64,
    /// Bytes that Windows-1252 does not define.
    undefined: u64,
    /// Bytes that in Windows-1252 are letters of Spanish.
    letters: u64,
    /// Bytes between two letters that in Windows-1252 are signs, such as `¡`: in a text of DOS or of an old Macintosh
    /// they are letters. Of these, `signs` also stand between letters in Windows-1252, such as `’` and the dashes.
    strange: u64,
    signs: u64,
    /// The beginning of a character whose end is in the next chunk.
    carry: Vec<u8>,
}

impl Census {
    /// Takes the next chunk of a stream.
    pub(super) fn feed(&mut self, chunk: &[u8]) {
        if self.carry.is_empty() && chunk.is_ascii() {
            return;
        }
        self.undefined += chunk.iter().filter(|byte| is_undefined(**byte)).count() as u64;
        let mut joined = std::mem::take(&mut self.carry);
        joined.extend_from_slice(chunk);
        let mut rest = joined.as_slice();
        loop {
            match std::str::from_utf8(rest) {
                Ok(valid) => {
                    self.multibyte += leads(valid.as_bytes());
                    break;
                }
                Err(error) => {
                    let (valid, after) = rest.split_at_checked(error.valid_up_to()).unwrap_or((rest, &[]));
                    self.multibyte += leads(valid);
                    let Some(length) = error.error_len() else {
                        self.carry = after.to_vec();
                        break;
                    };
                    self.invalid += 1;
                    self.weigh(valid.last().copied(), after);
                    rest = after.get(length..).unwrap_or_default();
                }
            }
        }
    }

    /// Looks at a byte that is not UTF-8, the first of `after`, with its neighbours.
    fn weigh(&mut self, before: Option<u8>, after: &[u8]) {
        let Some(byte) = after.first() else { return };
        let beside = [before, after.get(1).copied()];
        let between = beside.iter().all(|byte| byte.is_some_and(|byte| byte.is_ascii_alphabetic()));
        match byte {
            0xc1 | 0xc9 | 0xcd | 0xd1 | 0xd3 | 0xda | 0xdc | 0xe1 | 0xe9 | 0xed | 0xf1 | 0xf3 | 0xfa
            | 0xfc => {
                self.letters += 1;
            }
            0x91 | 0x92 | 0x96 | 0x97 | 0xa0 | 0xad | 0xb4 | 0xb7 if between => self.signs += 1,
            0x80..=0xbf if between => self.strange += 1,
            _ => {}
        }
    }

    /// Whether the bytes cannot be of Windows-1252: some are not defined, or more stand for letters of another
    /// encoding than for its own.
    fn is_not_1252(&self) -> bool {
        self.undefined > 0 || (self.strange > 0 && self.strange + self.signs > self.letters)
    }

    /// Ends a text; a character that was cut counts as invalid.
    pub(super) fn end(&mut self) {
        if !self.carry.is_empty() {
            self.carry.clear();
            self.invalid += 1;
        }
    }

    /// Whether there are bytes that are not UTF-8.
    pub(super) fn is_not_utf8(&self) -> bool {
        self.invalid > 0
    }

    /// The encoding, or the name of the one that was declared and does not hold.
    ///
    /// Without a declaration: UTF-8 if all bytes are, or if most of what is not ASCII is and the rest looks
    /// like damage; Windows-1252 otherwise.
    pub(super) fn decide(&self, declared: Option<&str>) -> Result<&'static Encoding, String> {
        let Some(label) = declared else {
            return Ok(if self.invalid == 0 || self.multibyte > self.invalid { UTF_8 } else { WINDOWS_1252 });
        };
        let encoding = find(label).ok_or_else(|| label.to_owned())?;
        // Any bytes decode as a single-byte encoding; but text outside ASCII that happens to be valid UTF-8
        // throughout is UTF-8.
        let utf8_after_all = encoding.is_single_byte() && self.invalid == 0 && self.multibyte > 0;
        if utf8_after_all || encoding == WINDOWS_1252 && self.is_not_1252() {
            return Err(label.to_owned());
        }
        Ok(encoding)
    }

    /// Whether the bytes are not of the encoding.
    pub(super) fn contradicts(&self, encoding: &'static Encoding) -> bool {
        encoding == WINDOWS_1252 && self.is_not_1252()
    }
}

/// Number of characters of two bytes and more in valid UTF-8.
fn leads(valid: &[u8]) -> u64 {
    valid.iter().filter(|byte| **byte >= 0xc0).count() as u64
}

const fn is_undefined(byte: u8) -> bool {
    matches!(byte, 0x81 | 0x8d | 0x8f | 0x90 | 0x9d)
}

/// The encoding of a label such as `utf-8`, `latin1` or `ANSI 1252`, if it is one of the three in which official files
/// come: any other single-byte encoding would take any bytes, and give wrong letters without a word.
pub(super) fn find(label: &str) -> Option<&'static Encoding> {
    let trimmed = label.trim().trim_start_matches('\u{feff}');
    let lower = trimmed.to_ascii_lowercase();
    let known = match lower.as_str() {
        "65001" | "utf8" => Some(UTF_8),
        "1252" | "ansi" | "ansi 1252" | "88591" | "8859-1" | "iso 8859-1" | "iso88591" => Some(WINDOWS_1252),
        _ => Encoding::for_label(trimmed.as_bytes()),
    };
    known.filter(|encoding| [UTF_8, WINDOWS_1252].contains(encoding))
}

/// Whether a character is not seen, or changes how others are seen: control characters, and those that turn
/// the direction of writing or hide text. On a terminal or in a layer such a name reads as another.
#[must_use]
pub fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A text without characters that a terminal would obey or nobody would see.
pub(super) fn visible(text: &str) -> String {
    text.chars().filter(|c| !hidden(*c)).collect()
}

/// Takes hidden characters out of the texts of a table, with a warning for each; line ends and tabs stay.
pub(super) fn take_hidden_out(table: &mut RawTable, sink: &mut Sink<'_>) {
    let odd = |c: char| hidden(c) && !matches!(c, '\n' | '\r' | '\t');
    for row in &mut table.rows {
        for (value, field) in row.values.iter_mut().zip(&table.fields) {
            if let Value::Text(text) = value
                && text.chars().any(odd)
            {
                let fault = sink.fault(Rule::HiddenCharacters).row(row.row).field(field);
                sink.push(fault);
                text.retain(|c| !odd(c));
            }
        }
    }
}

/// The text, or nothing if the bytes are not of the encoding or hold U+FFFD.
pub(super) fn decode(encoding: &'static Encoding, bytes: &[u8]) -> Option<String> {
    let text = if encoding == UTF_8 {
        std::str::from_utf8(bytes).ok()?.to_owned()
    } else {
        if encoding == WINDOWS_1252 && bytes.iter().any(|byte| is_undefined(*byte)) {
            return None;
        }
        encoding.decode_without_bom_handling_and_without_replacement(bytes)?.into_owned()
    };
    (!text.contains('\u{fffd}')).then_some(text)
}

/// Reads a text whole, such as the study file: UTF-8, a byte order mark taken off.
///
/// `max` is in bytes.
///
/// # Errors
///
/// [`Error::Faults`] with S001, S002, S003 or S011 (with the line) for what is wrong with the file, and
/// [`Error::Io`] if it is there but cannot be read.
pub fn read_text(path: &Path, max: u64) -> Result<String, Error> {
    let shown = path.display().to_string();
    let io = |source: std::io::Error| match source.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => {
            Error::from(Fault::new(Rule::FileMissing, &shown))
        }
        _ => Error::io(path, source),
    };
    let meta = path.metadata().map_err(io)?;
    if !meta.is_file() {
        return Err(Fault::new(Rule::NotAFile, &shown).into());
    }
    let mut bytes = Vec::new();
    // One byte more than the cap tells a file that grew from one that fits.
    File::open(path).map_err(io)?.take(max.saturating_add(1)).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > max {
        return Err(Fault::new(Rule::FileTooLarge, &shown).with("limit", max).into());
    }
    let start = usize::from(bytes.starts_with(b"\xef\xbb\xbf")) * 3;
    bytes.drain(..start);
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let line = valid.iter().map(|byte| u64::from(*byte == b'\n')).sum::<u64>() + 1;
        Fault::new(Rule::EncodingWrong, &shown).row(line).with("encoding", "utf-8").into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(chunks: &[&[u8]], declared: Option<&str>) -> Result<&'static str, String> {
        let mut census = Census::default();
        for chunk in chunks {
            census.feed(chunk);
        }
        census.end();
        census.decide(declared).map(Encoding::name)
    }

    #[test]
    fn encodings_are_detected_across_chunks() {
        assert_eq!(decided(&[b"Tapachula"], None), Ok("UTF-8"));
        assert_eq!(decided(&[b"Tux\xc3", b"\xadla"], None), Ok("UTF-8"));
        assert_eq!(decided(&[b"Cintalapa, Bel\xe9n, Ju\xe1rez"], None), Ok("windows-1252"));
        assert_eq!(decided(&["Unión Juárez Ostuacán".as_bytes(), b"\xe1"], None), Ok("UTF-8"));
        assert_eq!(decided(&[b"Bel\xe9"], None), Ok("windows-1252"));
    }

    #[test]
    fn a_declared_encoding_must_hold() {
        assert_eq!(decided(&["Unión".as_bytes()], Some("latin1")), Err("latin1".to_owned()));
        assert_eq!(decided(&[b"Bel\xe9n"], Some("latin1")), Ok("windows-1252"));
        assert_eq!(decided(&[b"a\x81b"], Some("windows-1252")), Err("windows-1252".to_owned()));
        // "Comitán de Domínguez" as DOS and as an old Macintosh wrote it.
        for text in [&b"Comit\xa0n de Dom\xa1nguez"[..], b"Comit\x87n de Dom\x92nguez"] {
            assert_eq!(decided(&[text], Some("windows-1252")), Err("windows-1252".to_owned()));
        }
        assert_eq!(decided(&[b"Comit\xe1n, D\x92Artagnan, Sur\x96Norte"], Some("1252")), Ok("windows-1252"));
        for label in ["iso-8859-5", "macintosh", "cp850", "iso-8859-2"] {
            assert_eq!(decided(&[b"a"], Some(label)), Err(label.to_owned()));
        }
        assert_eq!(decided(&[b"a"], Some("ebcdic")), Err("ebcdic".to_owned()));
        assert_eq!(decided(&[b"a"], Some("utf-16le")), Err("utf-16le".to_owned()));
        assert_eq!(find("ANSI 1252").map(Encoding::name), Some("windows-1252"));
    }

    #[test]
    fn replacement_characters_are_refused() {
        assert_eq!(decode(UTF_8, "a\u{fffd}".as_bytes()), None);
        assert_eq!(decode(WINDOWS_1252, b"Bel\xe9n").as_deref(), Some("Belén"));
    }

    #[test]
    fn a_study_file_is_read_or_says_why_not() {
        let dir = tempfile::tempdir().unwrap();
        let rule = |name: &str, max| match read_text(&dir.path().join(name), max) {
            Err(Error::Faults(faults)) => faults.0[0].clone(),
            other => panic!("{other:?}"),
        };
        std::fs::write(dir.path().join("ok.toml"), "\u{feff}a = 'ñ'").unwrap();
        std::fs::write(dir.path().join("bad.toml"), b"a\nb\xf1").unwrap();
        assert_eq!(read_text(&dir.path().join("ok.toml"), 100).unwrap(), "a = 'ñ'");
        assert_eq!(rule("bad.toml", 100).rule, Rule::EncodingWrong);
        assert_eq!(rule("bad.toml", 100).place.row, Some(2));
        assert_eq!(rule("none.toml", 100).rule, Rule::FileMissing);
        assert_eq!(rule("", 100).rule, Rule::NotAFile);
        assert_eq!(rule("ok.toml", 3).rule, Rule::FileTooLarge);
    }
}
