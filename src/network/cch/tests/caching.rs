//! The cache of the order: whatever happens to it, the hierarchy is the same.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use geo::Coord;

use super::random::{Case, Weights};
use crate::network::cch::Hierarchy;
use crate::network::cch::cache::{CacheNote, Prepared};
use crate::network::search::Arcs;

fn case() -> Case {
    (0..100).map(|seed| Case::new(seed, Weights::Minutes, true)).find(|c| c.arcs.arc_count() > 60).unwrap()
}

fn heads(prepared: &Prepared) -> (&[u32], &[u32]) {
    (&prepared.hierarchy.node, &prepared.hierarchy.head)
}

fn prepare(arcs: &Arcs, at: &[Coord<f64>], folder: &Path) -> Prepared {
    Hierarchy::prepare(arcs, at, Some(folder), &AtomicBool::new(false)).unwrap()
}

fn only_file(folder: &tempfile::TempDir) -> PathBuf {
    let files: Vec<PathBuf> = fs::read_dir(folder.path()).unwrap().map(|f| f.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files.into_iter().next().unwrap()
}

#[test]
fn the_second_run_reads_what_the_first_one_wrote() {
    let (case, folder) = (case(), tempfile::tempdir().unwrap());
    let first = prepare(&case.arcs, &case.at, folder.path());
    let second = prepare(&case.arcs, &case.at, folder.path());
    assert!(!first.cached && second.cached && first.notes.is_empty() && second.notes.is_empty());
    assert_eq!(heads(&first), heads(&second));
    let direct = Hierarchy::new(&case.arcs, &case.at);
    assert_eq!(heads(&first), (&*direct.node, &*direct.head));
    only_file(&folder);
}

#[test]
fn a_damaged_file_is_told_and_written_anew() {
    let (case, folder) = (case(), tempfile::tempdir().unwrap());
    let first = prepare(&case.arcs, &case.at, folder.path());
    let path = only_file(&folder);
    let whole = fs::read(&path).unwrap();
    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    };
    let longer = [&*whole, b"more"].concat();
    let half = whole[..whole.len() / 2].to_vec();
    for damaged in [flipped(0), flipped(20), flipped(60), flipped(whole.len() - 1), half, longer, Vec::new()]
    {
        fs::write(&path, damaged).unwrap();
        let again = prepare(&case.arcs, &case.at, folder.path());
        assert!(!again.cached && matches!(&*again.notes, [CacheNote::Damaged { .. }]), "{:?}", again.notes);
        assert_eq!(heads(&first), heads(&again));
        assert_eq!(fs::read(only_file(&folder)).unwrap(), whole);
    }
}

#[test]
fn a_file_of_another_network_is_not_taken() {
    let (case, folder) = (case(), tempfile::tempdir().unwrap());
    let _ = prepare(&case.arcs, &case.at, folder.path());
    let foreign = fs::read(only_file(&folder)).unwrap();
    // One position differs: another network under another name.
    let mut other = Case { at: case.at.clone(), ..case };
    other.at[0].x += 1.0;
    let moved = tempfile::tempdir().unwrap();
    let own = prepare(&other.arcs, &other.at, moved.path());
    let path = only_file(&moved);
    assert_ne!(path.file_name(), only_file(&folder).file_name());
    fs::write(&path, foreign).unwrap();
    let again = prepare(&other.arcs, &other.at, moved.path());
    assert!(!again.cached && matches!(&*again.notes, [CacheNote::Damaged { .. }]));
    assert_eq!(heads(&own), heads(&again));
}

#[test]
fn a_folder_that_cannot_be_written_ends_nothing() {
    let (case, folder) = (case(), tempfile::tempdir().unwrap());
    let file = folder.path().join("file");
    fs::write(&file, "no folder").unwrap();
    // What is below a file can neither be read nor written, by nobody.
    let prepared = prepare(&case.arcs, &case.at, &file.join("cache"));
    assert!(!prepared.cached);
    assert!(matches!(prepared.notes.last(), Some(CacheNote::NotWritten { .. })), "{:?}", prepared.notes);
    let direct = Hierarchy::new(&case.arcs, &case.at);
    assert_eq!(heads(&prepared), (&*direct.node, &*direct.head));
}

#[test]
fn runs_at_the_same_time_do_not_disturb_each_other() {
    let (case, folder) = (case(), tempfile::tempdir().unwrap());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..5 {
                    let prepared = prepare(&case.arcs, &case.at, folder.path());
                    assert!(prepared.notes.is_empty(), "{:?}", prepared.notes);
                }
            });
        }
    });
    assert!(prepare(&case.arcs, &case.at, folder.path()).cached);
    only_file(&folder);
}

#[test]
fn a_preparation_that_is_stopped_leaves_nothing() {
    let (folder, case) = (tempfile::tempdir().unwrap(), case());
    assert!(Hierarchy::prepare(&case.arcs, &case.at, Some(folder.path()), &AtomicBool::new(true)).is_none());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let without = Hierarchy::prepare(&case.arcs, &case.at, None, &AtomicBool::new(false)).unwrap();
    assert_eq!(heads(&without), heads(&prepare(&case.arcs, &case.at, folder.path())));
}
