//! The blobs of a file, one after the other, and their blocks on all cores.
//!
//! <https://wiki.openstreetmap.org/wiki/PBF_Format>: a length of four bytes, a `BlobHeader`, a `Blob`, and so on.
//! Only some blobs are in memory at a time, and what is made of them is handed on in the order of the file,
//! so that the number of threads changes nothing.

use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _, SeekFrom};

use flate2::read::ZlibDecoder;
use osmpbf::{BlobReader, PrimitiveBlock};
use rayon::prelude::*;

use super::check::{self, Holds, MAX_BLOCK};
use super::wire::{Broken, Field, Message, push_varint};
use crate::error::{Error, Fault, Rule};
use crate::sources::guard::Input;
use crate::sources::sink::Sink;

/// Bytes of the header of a blob at most, as the format says.
const MAX_HEADER: u32 = 64 * 1024;

/// Bytes of a blob at most: a block that does not get smaller, and what stands around it.
const MAX_BLOB: u64 = MAX_BLOCK + 64 * 1024;

/// Blobs of a file at most. Those of the whole world are below a hundred thousand.
const MAX_BLOBS: u64 = 4_000_000;

/// A block that is so much larger than its blob was made to fill the memory. Those of roads are 2 to 5 times.
const MAX_RATIO: u64 = 100;

/// Blobs in memory at a time, for each thread.
const AHEAD: usize = 4;

/// Bytes of blobs in memory at a time; one blob may be more.
const AHEAD_BYTES: u64 = 64 << 20;

/// What a file may ask of its reader.
const FEATURES: [&[u8]; 2] = [b"OsmSchema-V0.6", b"DenseNodes"];

/// A blob with a block of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    /// Number of the blob in the file, from 1.
    number: u64,
    /// Where it begins, in bytes.
    at: u64,
    bytes: u64,
}

/// A block that was read, with what is in it.
pub(super) struct Block<'a> {
    /// The bytes of the block.
    bytes: &'a [u8],
    /// What the check found.
    pub(super) holds: Holds,
}

impl Block<'_> {
    /// The objects of the block.
    pub(super) fn objects(&self) -> Result<PrimitiveBlock, Broken> {
        // The library takes a block only out of a file.
        let mut blob = vec![0x0a];
        push_varint(self.bytes.len() as u64, &mut blob);
        let size = blob.len() + self.bytes.len();
        let mut header = b"\x0a\x07OSMData\x18".to_vec();
        push_varint(size as u64, &mut header);
        let [length, ..] = header.len().to_le_bytes();
        let mut framed = vec![0, 0, 0, length];
        framed.extend(header);
        framed.extend(blob);
        let block = BlobReader::new(framed.as_slice().chain(self.bytes)).next();
        block.and_then(|blob| blob.ok()?.to_primitiveblock().ok()).ok_or("protobuf")
    }
}

/// The file, up to the next blob.
pub(super) struct Frames<'a> {
    input: &'a Input,
    file: BufReader<File>,
    size: u64,
    at: u64,
    number: u64,
    place: Fault,
}

impl<'a> Frames<'a> {
    /// Opens the file and checks its first blob.
    pub(super) fn open(input: &'a Input, sink: &Sink<'_>) -> Result<Self, Error> {
        let io = |source| Error::io(&input.path, source);
        let file = File::open(&input.path).map_err(io)?;
        let size = file.metadata().map_err(io)?.len();
        let place = sink.fault(Rule::OsmBlockBroken);
        let mut frames = Self { input, file: BufReader::new(file), size, at: 0, number: 0, place };
        let (kind, frame) = frames.advance()?.ok_or_else(|| frames.broken(1, "truncated"))?;
        if kind != b"OSMHeader" {
            return Err(frames.broken(1, "no header"));
        }
        let blob = frames.load(frame)?;
        let block = inflate(&blob).map_err(|detail| frames.broken(1, detail))?;
        for field in Message(&block) {
            let (number, field) = field.map_err(|detail| frames.broken(1, detail))?;
            if let (4, Field::Bytes(feature)) = (number, field)
                && !FEATURES.contains(&feature)
            {
                let shown: String = String::from_utf8_lossy(feature).chars().take(60).collect();
                let fault = sink.fault(Rule::OsmFeatureUnknown).with("detail", shown.escape_debug());
                return Err(fault.into());
            }
        }
        Ok(frames)
    }

    fn broken(&self, block: u64, detail: Broken) -> Error {
        // The file is whole, but written in a way that is not read.
        if detail.starts_with("compression") {
            return Fault::new(Rule::OsmFeatureUnknown, &self.place.place.file).with("detail", detail).into();
        }
        self.place.clone().with("block", block).with("detail", detail).into()
    }

    /// The next blob with objects.
    pub(super) fn next(&mut self) -> Result<Option<Frame>, Error> {
        while let Some((kind, frame)) = self.advance()? {
            match kind.as_slice() {
                b"OSMData" => return Ok(Some(frame)),
                b"OSMHeader" => return Err(self.broken(frame.number, "second header")),
                // The format says that others are to be skipped.
                _ => {}
            }
        }
        Ok(None)
    }

    /// The type of the next blob, and where it is.
    fn advance(&mut self) -> Result<Option<(Vec<u8>, Frame)>, Error> {
        if self.at == self.size {
            return Ok(None);
        }
        self.number += 1;
        let number = self.number;
        if number > MAX_BLOBS {
            return Err(self.broken(number, "too many blobs"));
        }
        let mut length = [0; 4];
        self.file.seek(SeekFrom::Start(self.at)).map_err(|source| Error::io(&self.input.path, source))?;
        self.fill(number, &mut length)?;
        let length = u32::from_be_bytes(length);
        if length == 0 || length > MAX_HEADER {
            return Err(self.broken(number, "header length"));
        }
        let mut header = vec![0; length as usize];
        self.fill(number, &mut header)?;
        let (kind, bytes) = blob_header(&header).map_err(|detail| self.broken(number, detail))?;
        let at = self.at + 4 + u64::from(length);
        let end = at.checked_add(bytes).filter(|end| *end <= self.size);
        self.at = end.ok_or_else(|| self.broken(number, "truncated"))?;
        Ok(Some((kind, Frame { number, at, bytes })))
    }

    fn fill(&mut self, number: u64, buffer: &mut [u8]) -> Result<(), Error> {
        self.file.read_exact(buffer).map_err(|source| match source.kind() {
            std::io::ErrorKind::UnexpectedEof => self.broken(number, "truncated"),
            _ => Error::io(&self.input.path, source),
        })
    }

    fn load(&mut self, frame: Frame) -> Result<Vec<u8>, Error> {
        // Below MAX_BLOB.
        let mut blob = vec![0; usize::try_from(frame.bytes).unwrap_or_default()];
        self.file.seek(SeekFrom::Start(frame.at)).map_err(|source| Error::io(&self.input.path, source))?;
        self.fill(frame.number, &mut blob)?;
        Ok(blob)
    }

    /// Makes something of every block of `frames` on all cores, and hands it to `take` in their order.
    pub(super) fn each<T: Send>(
        &mut self,
        mut frames: impl FnMut(&mut Self) -> Result<Option<Frame>, Error>,
        make: impl Fn(&Block<'_>) -> Result<T, Broken> + Sync,
        mut take: impl FnMut(Frame, T) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let most = AHEAD * rayon::current_num_threads();
        loop {
            let (mut batch, mut bytes) = (Vec::with_capacity(most), 0);
            while batch.len() < most && bytes < AHEAD_BYTES {
                let Some(frame) = frames(self)? else { break };
                bytes += frame.bytes;
                batch.push((frame, self.load(frame)?));
            }
            if batch.is_empty() {
                return Ok(());
            }
            let made: Vec<(Frame, Result<T, Broken>)> = batch
                .into_par_iter()
                .with_max_len(1)
                .map(|(frame, blob)| {
                    let made = inflate(&blob).and_then(|bytes| {
                        drop(blob);
                        let holds = check::block(&bytes)?;
                        make(&Block { bytes: &bytes, holds })
                    });
                    (frame, made)
                })
                .collect();
            for (frame, made) in made {
                take(frame, made.map_err(|detail| self.broken(frame.number, detail))?)?;
            }
        }
    }
}

/// Type and size of the blob that follows.
fn blob_header(header: &[u8]) -> Result<(Vec<u8>, u64), Broken> {
    let (mut kind, mut size) = (None, None);
    for field in Message(header) {
        match field? {
            (1, Field::Bytes(value)) => kind = Some(value.to_vec()),
            (3, Field::Varint(value)) => size = Some(value),
            _ => {}
        }
    }
    match (kind, size) {
        (Some(kind), Some(size)) if size <= MAX_BLOB => Ok((kind, size)),
        (Some(_), Some(_)) => Err("blob size"),
        _ => Err("blob header"),
    }
}

/// The block of a blob.
fn inflate(blob: &[u8]) -> Result<Vec<u8>, Broken> {
    let (mut raw, mut zlib, mut size) = (None, None, None);
    for field in Message(blob) {
        match field? {
            (1, Field::Bytes(bytes)) => raw = Some(bytes),
            (2, Field::Varint(value)) => size = Some(value),
            (3, Field::Bytes(bytes)) => zlib = Some(bytes),
            (4, Field::Bytes(_)) => return Err("compression: lzma"),
            (5, Field::Bytes(_)) => return Err("compression: bzip2"),
            (6, Field::Bytes(_)) => return Err("compression: lz4"),
            (7, Field::Bytes(_)) => return Err("compression: zstd"),
            _ => {}
        }
    }
    match (raw, zlib) {
        (Some(raw), None) if raw.len() as u64 <= MAX_BLOCK => Ok(raw.to_vec()),
        (Some(_), None) => Err("block size"),
        (None, Some(zlib)) => {
            let most = MAX_BLOCK.min(64 * 1024 + MAX_RATIO * zlib.len() as u64);
            if size.is_some_and(|size| size > most) {
                return Err("block size");
            }
            let mut block = Vec::with_capacity(size.and_then(|size| usize::try_from(size).ok()).unwrap_or(0));
            let limit = size.unwrap_or(most);
            // One byte more than allowed tells a block that is too long; at the end the checksum is compared.
            ZlibDecoder::new(zlib).take(limit + 1).read_to_end(&mut block).map_err(|_| "zlib")?;
            match (block.len() as u64, size) {
                (found, Some(size)) if found == size => Ok(block),
                (found, None) if found <= most => Ok(block),
                _ => Err("block size"),
            }
        }
        _ => Err("no data"),
    }
}
