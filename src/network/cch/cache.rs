//! The order of contraction, kept in a file under a hash of the network.
//!
//! Finding the order takes nearly all the time of a preparation; the rest follows from it in less time than reading
//! it would take. The file's name and its content hold the SHA-256 of all arcs, positions and the version of the
//! code; its last bytes are the SHA-256 of what stands before them. It is written beside its place, synced and
//! renamed: whoever reads sees a whole file or none, and of two that write, the last one wins with the same bytes.
//! What cannot be read is computed, what cannot be written is told, and neither ends a run.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use geo::Coord;
use sha2::{Digest, Sha256};

use super::topology::Hierarchy;
use crate::ids::hex;
use crate::network::arcs::Arcs;

/// Begins a file; its number changes whenever another order would be found.
const MAGIC: &[u8; 16] = b"corredor order 1";
/// Bytes of a SHA-256.
const HASH: usize = 32;

/// What became of a cache. None of it changes a result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheNote {
    /// The file is there and cannot be read.
    #[error("{path}: the cache of the routing hierarchy cannot be read")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is cut short, changed, or of another network; it is written anew.
    #[error("{path}: the cache of the routing hierarchy is damaged, and is written anew")]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be written: the next run computes again.
    #[error("{path}: the cache of the routing hierarchy cannot be written")]
    NotWritten {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// A hierarchy, and how it came about.
#[derive(Debug)]
pub struct Prepared {
    /// The hierarchy.
    pub hierarchy: Hierarchy,
    /// Whether its order was read from the cache.
    pub cached: bool,
    /// What is to be told of the cache.
    pub notes: Vec<CacheNote>,
}

impl Hierarchy {
    /// The hierarchy of `arcs`, whose junctions stand at `at`, with its order from the cache in `folder`, or computed
    /// and left there; without a folder nothing is read or left. `None` if `stop` was set meanwhile.
    #[must_use]
    pub fn prepare(
        arcs: &Arcs,
        at: &[Coord<f64>],
        folder: Option<&Path>,
        stop: &AtomicBool,
    ) -> Option<Prepared> {
        let mut notes = Vec::new();
        let place = folder.map(|folder| {
            let key = key(arcs, at);
            (folder, folder.join(format!("{}.order", hex(&key[..12]))), key)
        });
        if let Some((_, path, key)) = &place {
            match read(path, arcs.node_count()) {
                Ok(bytes) => match decode(&bytes, key, arcs.node_count()) {
                    Some(order) => {
                        let hierarchy = Self::in_order(arcs, &order);
                        return Some(Prepared { hierarchy, cached: true, notes });
                    }
                    None => notes.push(CacheNote::Damaged { path: path.clone() }),
                },
                Err(source) if source.kind() == io::ErrorKind::NotFound => {}
                Err(source) => notes.push(CacheNote::Unreadable { path: path.clone(), source }),
            }
        }
        let order = Self::order(arcs, at, stop)?;
        if let Some((folder, path, key)) = place
            && let Err(source) = write(folder, &path, &encode(&order, &key))
        {
            notes.push(CacheNote::NotWritten { path, source });
        }
        Some(Prepared { hierarchy: Self::in_order(arcs, &order), cached: false, notes })
    }
}

/// Hash of everything that an order depends on.
fn key(arcs: &Arcs, at: &[Coord<f64>]) -> [u8; HASH] {
    let mut hash = Sha256::new();
    hash.update(MAGIC);
    hash.update(env!("CARGO_PKG_VERSION"));
    let mut buffer = Vec::new();
    for list in [&arcs.first_out, &arcs.head, &arcs.link, &arcs.extra] {
        hash.update((list.len() as u64).to_le_bytes());
        for part in list.chunks(1 << 14) {
            buffer.clear();
            buffer.extend(part.iter().flat_map(|n| n.to_le_bytes()));
            hash.update(&buffer);
        }
    }
    for part in at.chunks(1 << 13) {
        buffer.clear();
        buffer.extend(part.iter().flat_map(|c| [c.x, c.y]).flat_map(f64::to_le_bytes));
        hash.update(&buffer);
    }
    hash.finalize().into()
}

/// The file at `path`, if it has the length that it must have for `nodes` nodes; nothing else is read.
fn read(path: &Path, nodes: usize) -> io::Result<Vec<u8>> {
    let found = fs::metadata(path)?;
    if !found.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a file"));
    }
    let expected = MAGIC.len() + 2 * HASH + 4 * nodes;
    if found.len() == expected as u64 { fs::read(path) } else { Ok(Vec::new()) }
}

fn encode(order: &[u32], key: &[u8; HASH]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(MAGIC.len() + 2 * HASH + 4 * order.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(key);
    bytes.extend(order.iter().flat_map(|v| v.to_le_bytes()));
    let sum = Sha256::digest(&bytes);
    bytes.extend_from_slice(&sum);
    bytes
}

/// The order in a file of `nodes` nodes, if it is whole and of this network.
fn decode(bytes: &[u8], key: &[u8; HASH], nodes: usize) -> Option<Vec<u32>> {
    let (content, sum) = bytes.split_last_chunk::<HASH>()?;
    if Sha256::digest(content).as_slice() != sum {
        return None;
    }
    let order = content.strip_prefix(MAGIC)?.strip_prefix(key)?;
    let (order, rest) = order.as_chunks::<4>();
    let order: Vec<u32> = order.iter().map(|n| u32::from_le_bytes(*n)).collect();
    let mut seen = vec![false; nodes];
    let each_once =
        order.iter().all(|v| seen.get_mut(*v as usize).is_some_and(|seen| !std::mem::replace(seen, true)));
    (rest.is_empty() && order.len() == nodes && each_once).then_some(order)
}

/// Age from which on what a killed run has left is taken away: no run writes that long.
const STALE: Duration = Duration::from_hours(24);
const UNFINISHED: &str = ".unfinished-";

fn write(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for left in fs::read_dir(folder)?.flatten() {
        let old = || left.metadata().ok()?.modified().ok()?.elapsed().ok();
        if left.file_name().to_string_lossy().starts_with(UNFINISHED) && old().is_some_and(|age| age > STALE)
        {
            // Another run may have done so.
            drop(fs::remove_file(left.path()));
        }
    }
    let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
