//! Zip archives: what must hold before a byte of a member is unpacked, and unpacking under caps.
//!
//! Nothing that an archive states is believed. The directory is read with a budget, names are never used as
//! paths, and what a member holds is counted while it is inflated. A spreadsheet is a zip archive too and
//! passes the same checks.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use encoding_rs::WINDOWS_1252;
use zip::read::{ArchiveOffset, Config};
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::environment::one_line;
use super::text::hidden;
use crate::error::{Error, Fault, Rule};

/// Members of one archive at most.
const MAX_MEMBERS: u64 = 10_000;

/// Bytes that are read for the directory of an archive at most.
const MAX_DIRECTORY: u64 = 64 << 20;

/// Bytes of a name at most.
const MAX_NAME: usize = 1_024;

/// A member, or an archive, may hold this many times its packed bytes; below [`RATIO_FREE`] it does not matter.
const MAX_RATIO: u64 = 200;

/// Bytes up to which any ratio is taken.
const RATIO_FREE: u64 = 1 << 20;

/// Bytes from the end within which the records that end an archive stand, a comment included.
const TAIL: u64 = 22 + 0xffff + 20;

/// One file of an archive; folders are left out.
#[derive(Debug, Clone)]
pub(super) struct Member {
    index: usize,
    /// The name in the most likely of the encodings that archives use, with `/` between folders.
    pub(super) name: String,
    /// The bytes of the name as they stand.
    raw: Vec<u8>,
}

impl Member {
    /// Whether a person who writes `wanted` means this member: in some encoding, without regard to case and
    /// accents.
    pub(super) fn is_called(&self, wanted: &str) -> bool {
        let wanted = super::names::normalised(wanted);
        decodings(&self.raw).iter().any(|name| super::names::normalised(name) == wanted)
    }

    /// Whether the names are the same but for what is not ASCII.
    pub(super) fn is_nearly_called(&self, wanted: &str) -> bool {
        skeleton(&self.raw) == skeleton(wanted.as_bytes())
    }
}

/// An archive whose directory was read and checked.
pub(super) struct Archive {
    zip: ZipArchive<BufReader<Metered>>,
    budget: Rc<Cell<u64>>,
    path: PathBuf,
    shown: String,
    pub(super) members: Vec<Member>,
}

impl Archive {
    /// Reads the directory; `shown` is the archive as the study names it.
    ///
    /// # Errors
    /// S025 for a damaged archive, S026 for names and entries that no honest program writes, S027 over a cap.
    pub(super) fn open(path: &Path, shown: &str) -> Result<Self, Error> {
        let mut file = File::open(path).map_err(|source| Error::io(path, source))?;
        let stated = stated_members(&mut file).map_err(|source| Error::io(path, source))?;
        if stated.is_some_and(|members| members > MAX_MEMBERS) {
            return Err(too_large(shown, format!("{MAX_MEMBERS} members")));
        }
        file.rewind().map_err(|source| Error::io(path, source))?;
        let budget = Rc::new(Cell::new(MAX_DIRECTORY));
        let metered = BufReader::new(Metered { file, budget: Rc::clone(&budget) });
        let config = Config { archive_offset: ArchiveOffset::Known(0) };
        let mut zip = ZipArchive::with_config(config, metered).map_err(|e| fault(path, shown, e))?;
        budget.set(MAX_DIRECTORY);
        if zip.len() as u64 > MAX_MEMBERS {
            return Err(too_large(shown, format!("{MAX_MEMBERS} members")));
        }
        if zip.has_duplicate_names() {
            return Err(unsafe_archive(shown, "two members of one name"));
        }
        if zip.has_overlapping_entries().map_err(|e| fault(path, shown, e))? {
            return Err(unsafe_archive(shown, "members that share bytes"));
        }
        budget.set(u64::MAX);
        let members = directory(&zip, path, shown)?;
        Ok(Self { zip, budget, path: path.to_owned(), shown: shown.to_owned(), members })
    }

    /// The member of exactly this name.
    pub(super) fn exactly(&self, name: &str) -> Option<Member> {
        self.members.iter().find(|member| member.raw == name.as_bytes()).cloned()
    }

    /// Writes what a member holds to `out`, at most `limit` bytes, and gives their number.
    ///
    /// # Errors
    /// S025 where checksum or size are not as stated, S027 over the limit or the ratio, S029 for an encrypted
    /// member, S030 for a method that is not read.
    pub(super) fn inflate(&mut self, member: &Member, limit: u64, out: &mut dyn Write) -> Result<u64, Error> {
        let (path, shown) = (&self.path, format!("{}/{}", self.shown, member.name));
        self.budget.set(u64::MAX);
        let entry = self.zip.by_index_data(member.index).map_err(|e| fault(path, &shown, e))?;
        if entry.encrypted() {
            return Err(Fault::new(Rule::Encrypted, shown).into());
        }
        if !matches!(entry.compression(), CompressionMethod::Stored | CompressionMethod::Deflated) {
            let detail = one_line(&format!("{:?}", entry.compression()));
            return Err(Fault::new(Rule::ArchiveMethod, shown).with("detail", detail).into());
        }
        let (stated, packed) = (entry.size(), entry.compressed_size());
        let mut reader = self.zip.by_index(member.index).map_err(|e| fault(path, &shown, e))?;
        let mut buffer = vec![0; 1 << 16];
        let mut total = 0_u64;
        loop {
            let n = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(fault(path, &shown, ZipError::Io(error))),
            };
            total = total.saturating_add(n as u64);
            if total > limit {
                return Err(too_large(&shown, format!("{limit} bytes")));
            }
            if is_bomb(total, packed) {
                return Err(too_large(&shown, format!("{MAX_RATIO} : 1")));
            }
            out.write_all(buffer.get(..n).unwrap_or_default()).map_err(|source| Error::io(&shown, source))?;
        }
        if total != stated {
            let detail = format!("{total} of {stated} bytes");
            return Err(Fault::new(Rule::ArchiveBroken, shown).with("detail", detail).into());
        }
        Ok(total)
    }
}

/// Looks at every entry, wanted or not: an archive with a hostile one is not worth a second look.
fn directory(zip: &ZipArchive<BufReader<Metered>>, path: &Path, shown: &str) -> Result<Vec<Member>, Error> {
    let mut members = Vec::new();
    let (mut sizes, mut packed) = (0_u64, 0_u64);
    for index in 0..zip.len() {
        let entry = zip.by_index_data(index).map_err(|e| fault(path, shown, e))?;
        let raw = entry.name_raw();
        let name = readable(raw);
        if let Some(detail) = odd_name(raw, &name) {
            return Err(unsafe_archive(shown, &format!("{detail}: {}", one_line(&name))));
        }
        // Types of a file in `stat`: 0 is not stated, 04 a folder, 010 a regular file.
        if entry.unix_mode().is_some_and(|mode| !matches!(mode >> 12, 0 | 0o4 | 0o10)) || entry.is_symlink() {
            return Err(unsafe_archive(shown, &format!("a link or a device: {}", one_line(&name))));
        }
        if is_bomb(entry.size(), entry.compressed_size()) {
            return Err(too_large(&format!("{shown}/{name}"), format!("{MAX_RATIO} : 1")));
        }
        sizes = sizes.saturating_add(entry.size());
        packed = packed.saturating_add(entry.compressed_size());
        if !entry.is_dir() {
            members.push(Member { index, name, raw: raw.to_vec() });
        }
    }
    if is_bomb(sizes, packed) {
        return Err(too_large(shown, format!("{MAX_RATIO} : 1")));
    }
    Ok(members)
}

const fn is_bomb(size: u64, packed: u64) -> bool {
    size > RATIO_FREE && size > packed.saturating_mul(MAX_RATIO)
}

/// What is wrong with a name, if anything.
fn odd_name(raw: &[u8], name: &str) -> Option<&'static str> {
    let parts = || raw.split(|byte| *byte == b'/');
    if raw.is_empty() || raw.len() > MAX_NAME {
        Some("a name without length or too long")
    } else if raw.iter().any(u8::is_ascii_control) || name.chars().any(hidden) {
        Some("control characters in a name")
    } else if raw.contains(&b'\\') || raw.contains(&b':') {
        Some("a drive, an address or “\\” in a name")
    } else if raw.first() == Some(&b'/') {
        Some("an absolute name")
    } else if parts().any(|part| matches!(part.trim_ascii(), b".." | b".")) {
        Some("“..” in a name")
    } else {
        None
    }
}

/// The name in the encodings that programs have written names in: UTF-8, that of DOS, that of Windows.
fn decodings(raw: &[u8]) -> Vec<String> {
    let mut all: Vec<String> = std::str::from_utf8(raw).ok().map(str::to_owned).into_iter().collect();
    all.push(cp437(raw));
    all.push(WINDOWS_1252.decode_without_bom_handling(raw).0.into_owned());
    all
}

/// The most likely of [`decodings`].
fn readable(raw: &[u8]) -> String {
    let mut all = decodings(raw).into_iter();
    let first = all.next().unwrap_or_default();
    let letters = |text: &str| text.chars().all(|c| c.is_ascii() || c.is_alphabetic());
    if std::str::from_utf8(raw).is_ok() || letters(&first) { first } else { all.next().unwrap_or(first) }
}

/// The letters of code page 437 that Spanish has; they stand at the same places in code page 850.
fn cp437(raw: &[u8]) -> String {
    let letter = |byte: u8| match byte {
        0x81 => 'ü',
        0x82 => 'é',
        0x90 => 'É',
        0x9a => 'Ü',
        0xa0 => 'á',
        0xa1 => 'í',
        0xa2 => 'ó',
        0xa3 => 'ú',
        0xa4 => 'ñ',
        0xa5 => 'Ñ',
        byte if byte.is_ascii() => char::from(byte),
        _ => '\u{fffd}',
    };
    raw.iter().map(|byte| letter(*byte)).collect()
}

/// The name in lower case with one mark for each stretch of bytes that are not ASCII.
fn skeleton(raw: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> =
        raw.iter().map(|b| if b.is_ascii() { b.to_ascii_lowercase() } else { 0 }).collect();
    out.dedup_by(|a, b| *a == 0 && *b == 0);
    out
}

/// How many members the records at the end of the file state; the largest where there are several.
///
/// The library makes room for as many before it reads the first.
fn stated_members(file: &mut File) -> io::Result<Option<u64>> {
    let size = file.seek(SeekFrom::End(0))?;
    let start = size.saturating_sub(TAIL);
    file.seek(SeekFrom::Start(start))?;
    let mut tail = Vec::new();
    Read::by_ref(file).take(TAIL).read_to_end(&mut tail)?;
    let mut most = None;
    for at in 0..tail.len() {
        let here = tail.get(at..).unwrap_or_default();
        if here.starts_with(b"PK\x05\x06") {
            // 0xffff says that the number stands in the record of zip64.
            let members =
                here.get(10..).and_then(|rest| rest.first_chunk()).map_or(0, |two| u16::from_le_bytes(*two));
            most = most.max(Some(if members == u16::MAX { 0 } else { u64::from(members) }));
        } else if here.starts_with(b"PK\x06\x07") {
            let Some(offset) = here.get(8..).and_then(|rest| rest.first_chunk()) else { continue };
            let mut record = [0; 40];
            file.seek(SeekFrom::Start(u64::from_le_bytes(*offset)))?;
            if file.read_exact(&mut record).is_ok()
                && let Some(members) = record.get(32..).and_then(|rest| rest.first_chunk())
            {
                most = most.max(Some(u64::from_le_bytes(*members)));
            }
        }
    }
    Ok(most)
}

/// A file that gives at most as many bytes as the budget holds.
struct Metered {
    file: File,
    budget: Rc<Cell<u64>>,
}

impl Read for Metered {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(out)?;
        let left = self.budget.get().checked_sub(n as u64);
        self.budget.set(left.ok_or_else(|| io::Error::other(format!("directory > {MAX_DIRECTORY} bytes")))?);
        Ok(n)
    }
}

impl Seek for Metered {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

fn unsafe_archive(shown: &str, detail: &str) -> Error {
    Fault::new(Rule::ArchiveUnsafe, shown).with("detail", detail).into()
}

fn too_large(shown: &str, limit: String) -> Error {
    Fault::new(Rule::ArchiveTooLarge, shown).with("limit", limit).into()
}

/// What the library says of an archive; trouble of the machine stays an error of reading.
fn fault(path: &Path, shown: &str, error: ZipError) -> Error {
    let (rule, detail) = match error {
        ZipError::Io(error) if error.raw_os_error().is_some_and(|code| code != 22) => {
            return Error::io(path, error);
        }
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => (Rule::Encrypted, String::new()),
        ZipError::UnsupportedArchive(detail) => {
            return Fault::new(Rule::ArchiveMethod, shown).foreign(one_line(detail)).into();
        }
        ZipError::CompressionMethodNotSupported(method) => (Rule::ArchiveMethod, method.to_string()),
        other => return Fault::new(Rule::ArchiveBroken, shown).foreign(one_line(&other.to_string())).into(),
    };
    Fault::new(rule, shown).with("detail", one_line(&detail)).into()
}
