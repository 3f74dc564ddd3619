//! A result folder that appears whole or not at all.
//!
//! It is written beside its target, synced, read back and counted, and renamed. A run that is killed at any moment
//! leaves the old result or the new one, and at worst a hidden `.corredor-….tmp` folder, which only its owner can
//! open and which can be deleted.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::manifest::{FILE, Manifest};
use super::verify;
use crate::error::{Error, Result};

/// Folders of a result that holds one for each audience.
pub const AUDIENCES: [&str; 2] = ["restricted", "public"];

/// A result folder in the making. Dropped without [`commit`](Self::commit), it is removed.
#[derive(Debug)]
pub struct ResultFolder {
    temp: TempDir,
    target: PathBuf,
    force: bool,
}

impl ResultFolder {
    /// Makes the temporary folder beside `target`, for its owner only; missing parents are made.
    ///
    /// # Errors
    /// [`Error::Usage`] with `error.target_exists` where something is at `target` and `force` is not set, with
    /// `error.target_foreign` where it is set and what is there is neither a result nor an empty folder, with
    /// `error.target_invalid` where `target` names no folder that could be made; [`Error::Io`].
    pub fn create(target: &Path, force: bool) -> Result<Self> {
        let Some(name) = target.file_name() else { return Err(usage("error.target_invalid", target)) };
        let target = std::path::absolute(target).map_err(|e| Error::io(target, e))?;
        refuse_existing(&target, force)?;
        let parent = parent(&target)?;
        fs::create_dir_all(parent).map_err(|e| Error::io(parent, e))?;
        // A file name has at most 255 bytes on common systems; a long target leaves room for the rest.
        let short: String = name.to_string_lossy().chars().take(40).collect();
        let temp =
            builder(&format!(".corredor-{short}-")).tempdir_in(parent).map_err(|e| Error::io(parent, e))?;
        Ok(Self { temp, target, force })
    }

    /// Where to write. For a result of one audience its files go here; for several, each into its folder of
    /// [`AUDIENCES`].
    #[must_use]
    pub fn path(&self) -> &Path {
        self.temp.path()
    }

    /// Where it will be.
    #[must_use]
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Syncs every file and folder, reads all of it back, counts it, and moves it to its target.
    ///
    /// # Errors
    /// R001–R004 where what was written is not what the manifest says; [`Error::Environment`] where counts differ
    /// or there is no manifest; those of [`create`](Self::create), should the target have changed in the meantime.
    /// The target is then as it was.
    pub fn commit(self) -> Result<()> {
        let path = self.temp.path();
        if !path.join(FILE).exists() {
            // The folder that holds one result for each audience must let the public one be reached.
            open_to_all(path)?;
        }
        sync(path)?;
        let report = verify::verify(path)?;
        if report.faults.has_errors() {
            return Err(report.faults.into());
        }
        if report.results.is_empty() {
            return Err(Error::Environment(format!("{}: no {FILE}", path.display())));
        }
        for result in &report.results {
            verify::recount(&result.path)?;
        }
        refuse_existing(&self.target, self.force)?;
        let parent = parent(&self.target)?;
        if self.target.exists() {
            replace(self.temp, &self.target, parent)?;
        } else {
            place(path, &self.target)?;
            // The name is free again and must not be removed, should another run take it.
            let _ = self.temp.keep();
        }
        sync_one(parent)
    }
}

/// Folders that runs which were killed have left beside `target`, in the order of their names; those of runs under
/// way look the same. Empty where the folder cannot be read: making a result there will say why.
#[must_use]
pub fn leftovers(target: &Path) -> Vec<PathBuf> {
    let Ok(target) = std::path::absolute(target) else { return Vec::new() };
    let Some(entries) = target.parent().and_then(|parent| fs::read_dir(parent).ok()) else {
        return Vec::new();
    };
    let ours = |name: &str| name.starts_with(PREFIX) && name.ends_with(SUFFIX);
    let mut out: Vec<PathBuf> = entries
        .flatten()
        .filter(|e| e.file_name().to_str().is_some_and(ours) && e.file_type().is_ok_and(|t| t.is_dir()))
        .map(|e| e.path())
        .collect();
    out.sort();
    out
}

/// How the names of temporary folders begin and end.
const PREFIX: &str = ".corredor-";
const SUFFIX: &str = ".tmp";

fn usage(key: &'static str, target: &Path) -> Error {
    Error::Usage { key, params: vec![("path", target.display().to_string())] }
}

fn parent(target: &Path) -> Result<&Path> {
    target.parent().ok_or_else(|| usage("error.target_invalid", target))
}

fn builder(prefix: &str) -> tempfile::Builder<'_, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix).suffix(SUFFIX);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder
}

fn refuse_existing(target: &Path, force: bool) -> Result<()> {
    let kind = match fs::symlink_metadata(target) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(Error::io(target, e)),
        Ok(meta) => meta.file_type(),
    };
    if !force {
        return Err(usage("error.target_exists", target));
    }
    // A link is never ours: what it leads to lies elsewhere.
    if kind.is_dir() && is_ours(target)? { Ok(()) } else { Err(usage("error.target_foreign", target)) }
}

/// Whether `dir` is empty, a result, or a folder of nothing but results of the two audiences.
fn is_ours(dir: &Path) -> Result<bool> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir).map_err(|e| Error::io(dir, e))? {
        names.push(entry.map_err(|e| Error::io(dir, e))?.file_name());
    }
    let result = |dir: &Path| Manifest::read(dir).is_ok();
    let audience = |name: &OsStr| AUDIENCES.iter().any(|a| name == *a) && result(&dir.join(name));
    Ok(names.iter().all(|name| audience(name)) || result(dir))
}

/// Moves `temp` to where nothing is.
fn place(temp: &Path, target: &Path) -> Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        // A plain rename would take the place of an empty folder that has appeared since it was looked for.
        match renameat_with(CWD, temp, CWD, target, RenameFlags::NOREPLACE) {
            Ok(()) => return Ok(()),
            Err(rustix::io::Errno::EXIST) => return Err(usage("error.target_exists", target)),
            // The file system cannot; the plain rename says what else is wrong.
            Err(_) => {}
        }
    }
    fs::rename(temp, target).map_err(|e| Error::io(target, e))
}

/// Puts `temp` in the place of `target` and removes what was there.
fn replace(temp: TempDir, target: &Path, parent: &Path) -> Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        // One step: at no moment is there no result. Then the old one is what `temp` removes.
        if renameat_with(CWD, temp.path(), CWD, target, RenameFlags::EXCHANGE).is_ok() {
            let old = temp.path().to_owned();
            return temp.close().map_err(|e| Error::io(old, e));
        }
    }
    replace_in_steps(temp, target, parent)
}

/// For file systems that cannot exchange: the old one steps aside, and comes back should the new one not move.
fn replace_in_steps(temp: TempDir, target: &Path, parent: &Path) -> Result<()> {
    let aside = builder(".corredor-old-").tempdir_in(parent).map_err(|e| Error::io(parent, e))?;
    let old = aside.path().join("old");
    fs::rename(target, &old).map_err(|e| Error::io(target, e))?;
    if let Err(e) = fs::rename(temp.path(), target) {
        if fs::rename(&old, target).is_err() {
            // Better a hidden folder with the old result than none.
            let _ = aside.keep();
        }
        return Err(Error::io(target, e));
    }
    let _ = temp.keep();
    let path = aside.path().to_owned();
    aside.close().map_err(|e| Error::io(path, e))
}

/// Syncs all files of a folder, then the folder.
fn sync(dir: &Path) -> Result<()> {
    for entry in fs::read_dir(dir).map_err(|e| Error::io(dir, e))? {
        let entry = entry.map_err(|e| Error::io(dir, e))?;
        if entry.file_type().map_err(|e| Error::io(entry.path(), e))?.is_dir() {
            sync(&entry.path())?;
        } else {
            File::open(entry.path()).and_then(|f| f.sync_all()).map_err(|e| Error::io(entry.path(), e))?;
        }
    }
    sync_one(dir)
}

/// Syncs the entries of one folder; only Unix can open a folder as a file.
fn sync_one(dir: &Path) -> Result<()> {
    if cfg!(unix) {
        File::open(dir).and_then(|f| f.sync_all()).map_err(|e| Error::io(dir, e))
    } else {
        Ok(())
    }
}

fn open_to_all(dir: &Path) -> Result<()> {
    #[cfg(unix)]
    fs::set_permissions(dir, std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .map_err(|e| Error::io(dir, e))?;
    let _ = dir;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::feature::Tier;
    use crate::layers::{samples, write::write_result};

    fn key(result: Result<ResultFolder>) -> &'static str {
        match result {
            Err(Error::Usage { key, .. }) => key,
            other => panic!("{other:?}"),
        }
    }

    fn result_at(target: &Path, force: bool, audience: Tier) -> Result<()> {
        let folder = ResultFolder::create(target, force)?;
        write_result(folder.path(), &samples::set(audience))?;
        folder.commit()
    }

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn dropping_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let folder = ResultFolder::create(&dir.path().join("out"), false).unwrap();
        fs::write(folder.path().join("half"), "x").unwrap();
        assert!(names(dir.path())[0].starts_with(".corredor-out-"));
        drop(folder);
        assert!(names(dir.path()).is_empty());
    }

    #[test]
    fn what_a_killed_run_leaves_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("out");
        assert!(leftovers(&target).is_empty());
        let folder = ResultFolder::create(&target, false).unwrap();
        // As if the process had ended here.
        let left = folder.temp.keep();
        fs::create_dir(dir.path().join(".corredor")).unwrap();
        fs::write(dir.path().join(".corredor-notes.tmp"), "").unwrap();
        assert_eq!(leftovers(&target), [left]);
        assert!(leftovers(&dir.path().join("none/out")).is_empty());
    }

    #[test]
    fn an_existing_target_is_refused_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let empty = dir.path().join("empty");
        fs::create_dir(&empty).unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        for target in [&empty, &file] {
            assert_eq!(key(ResultFolder::create(target, false)), "error.target_exists");
        }
        assert_eq!(key(ResultFolder::create(&file, true)), "error.target_foreign");
        assert_eq!(key(ResultFolder::create(Path::new("/"), true)), "error.target_invalid");
        assert!(ResultFolder::create(&empty, true).is_ok());
        assert_eq!(names(dir.path()), ["empty", "file"]);
    }

    #[test]
    fn force_replaces_only_a_result() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("deep/out");
        result_at(&target, false, Tier::Restricted).unwrap();
        assert_eq!(key(ResultFolder::create(&target, false)), "error.target_exists");
        assert!(target.join("layers/roads.geojson").exists());
        result_at(&target, true, Tier::Public).unwrap();
        assert!(!target.join("layers/roads.geojson").exists());
        assert_eq!(names(&dir.path().join("deep")), ["out"], "the old result is gone");

        let foreign = dir.path().join("photos");
        fs::create_dir(&foreign).unwrap();
        fs::write(foreign.join(FILE), "{\"format\":\"other\"}").unwrap();
        assert_eq!(key(ResultFolder::create(&foreign, true)), "error.target_foreign");
        let mixed = dir.path().join("mixed");
        result_at(&mixed.join("public"), false, Tier::Public).unwrap();
        ResultFolder::create(&mixed, true).unwrap();
        fs::write(mixed.join("thesis.docx"), "").unwrap();
        assert_eq!(key(ResultFolder::create(&mixed, true)), "error.target_foreign");
        #[cfg(unix)]
        {
            let link = dir.path().join("link");
            std::os::unix::fs::symlink(&target, &link).unwrap();
            assert_eq!(key(ResultFolder::create(&link, true)), "error.target_foreign");
        }
    }

    #[test]
    fn the_old_result_steps_aside_where_folders_cannot_be_exchanged() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("out");
        fs::create_dir(&target).unwrap();
        fs::write(target.join("old"), "").unwrap();
        let temp = builder(".corredor-").tempdir_in(dir.path()).unwrap();
        fs::write(temp.path().join("new"), "").unwrap();
        replace_in_steps(temp, &target, dir.path()).unwrap();
        assert_eq!((names(dir.path()), names(&target)), (vec!["out".to_owned()], vec!["new".to_owned()]));

        let temp = builder(".corredor-").tempdir_in(dir.path()).unwrap();
        fs::remove_dir(temp.path()).unwrap();
        assert!(replace_in_steps(temp, &target, dir.path()).is_err());
        assert_eq!((names(dir.path()), names(&target)), (vec!["out".to_owned()], vec!["new".to_owned()]));
        assert!(matches!(place(dir.path(), &target), Err(Error::Usage { key: "error.target_exists", .. })));
    }

    #[test]
    fn a_target_that_appears_meanwhile_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("out");
        let folder = ResultFolder::create(&target, false).unwrap();
        write_result(folder.path(), &samples::set(Tier::Public)).unwrap();
        fs::create_dir(&target).unwrap();
        assert!(matches!(folder.commit(), Err(Error::Usage { key: "error.target_exists", .. })));
        assert_eq!(names(dir.path()), ["out"]);
    }

    #[test]
    fn what_is_not_as_the_manifest_says_is_not_committed() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("out");
        let folder = ResultFolder::create(&target, false).unwrap();
        write_result(folder.path(), &samples::set(Tier::Public)).unwrap();
        fs::write(folder.path().join("layers/corridors.geojson"), "{}").unwrap();
        assert!(matches!(folder.commit(), Err(Error::Faults(_))));
        let folder = ResultFolder::create(&target, false).unwrap();
        assert!(matches!(folder.commit(), Err(Error::Faults(_) | Error::Environment(_))));
        assert!(names(dir.path()).is_empty());
    }

    #[test]
    #[cfg(unix)]
    fn two_audiences_are_one_folder_with_their_own_permissions() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("demo");
        let folder = ResultFolder::create(&target, false).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(folder.path()), 0o700);
        for (name, audience) in AUDIENCES.into_iter().zip([Tier::Restricted, Tier::Public]) {
            write_result(&folder.path().join(name), &samples::set(audience)).unwrap();
        }
        folder.commit().unwrap();
        for (path, expected) in [
            ("", 0o755),
            ("restricted", 0o700),
            ("restricted/layers", 0o700),
            ("restricted/layers/roads.geojson", 0o600),
            ("restricted/run.json", 0o600),
            ("restricted/corredor.gpkg", 0o600),
            ("public", 0o755),
            ("public/tables", 0o755),
            ("public/run.json", 0o644),
        ] {
            assert_eq!(mode(&target.join(path)), expected, "{path}");
        }
        assert_eq!(verify::verify(&target).unwrap().results.len(), 2);
        assert!(ResultFolder::create(&target, true).is_ok());
    }
}
