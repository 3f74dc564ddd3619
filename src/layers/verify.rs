//! Whether a result is still what its manifest says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use super::atomic::AUDIENCES;
use super::feature::Tier;
use super::manifest::{self, Manifest};
use super::{flatgeobuf, geojson, gpkg};
use crate::error::{Error, Fault, Faults, Result, Rule};

/// What was looked at and what was found.
#[derive(Debug, Clone, Default)]
pub struct VerifyReport {
    /// Each result: one, or one for each audience.
    pub results: Vec<Verified>,
    /// R001–R004, all of them.
    pub faults: Faults,
}

/// One result that was looked at.
#[derive(Debug, Clone)]
pub struct Verified {
    /// Its folder.
    pub path: PathBuf,
    /// Its audience.
    pub audience: Tier,
    /// Its run.
    pub run_id: String,
    /// Files that its manifest lists.
    pub files: u64,
    /// Their bytes together.
    pub bytes: u64,
}

/// Hashes every file of a result again. `dir` is a result, or a folder with `restricted/` and `public/` in it; in
/// the latter nothing else may be. Faults are collected, not returned as an error; their file is relative to `dir`.
///
/// # Errors
/// [`Error::Io`] where `dir` or a file in it cannot be read.
pub fn verify(dir: &Path) -> Result<VerifyReport> {
    let mut report = VerifyReport::default();
    let names: BTreeSet<String> = fs::read_dir(dir)
        .map_err(|e| Error::io(dir, e))?
        .map(|entry| Ok(entry.map_err(|e| Error::io(dir, e))?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_>>()?;
    let both = !names.contains(manifest::FILE) && AUDIENCES.iter().any(|name| dir.join(name).is_dir());
    if both {
        for name in &names {
            if AUDIENCES.contains(&name.as_str()) {
                one(&dir.join(name), &format!("{name}/"), &mut report)?;
            } else {
                report.faults.push(Fault::new(Rule::ResultFileUnlisted, name));
            }
        }
    } else {
        one(dir, "", &mut report)?;
    }
    report.faults.sort();
    Ok(report)
}

fn one(dir: &Path, prefix: &str, report: &mut VerifyReport) -> Result<()> {
    let manifest = match Manifest::read(dir) {
        Ok(manifest) => manifest,
        Err(Error::Faults(faults)) => {
            for mut fault in faults.0 {
                fault.place.file = format!("{prefix}{}", manifest::FILE);
                report.faults.push(fault);
            }
            return Ok(());
        }
        Err(e) => return Err(e),
    };
    let broken = |detail: &str, path: &str| {
        Fault::new(Rule::ManifestBroken, format!("{prefix}{}", manifest::FILE))
            .seen(path)
            .with("detail", detail)
    };
    let mut there: BTreeSet<String> = manifest::files(dir)?.into_iter().collect();
    there.remove(manifest::FILE);
    let mut listed = BTreeSet::new();
    let mut bytes = 0;
    for record in &manifest.outputs {
        if !is_inside(&record.path) {
            // A manifest can come from anybody: its paths are not followed out of the folder.
            report.faults.push(broken("path", &record.path));
            continue;
        }
        if !listed.insert(record.path.as_str()) {
            report.faults.push(broken("path twice", &record.path));
            continue;
        }
        let fault = |rule| Fault::new(rule, format!("{prefix}{}", record.path));
        // What is there was found without following links, so a link to a good copy elsewhere is no file here.
        if !there.contains(&record.path) {
            report.faults.push(fault(Rule::ResultFileMissing));
            continue;
        }
        let path = dir.join(&record.path);
        let meta = fs::symlink_metadata(&path).map_err(|e| Error::io(&path, e))?;
        let same = meta.is_file()
            && meta.len() == record.bytes
            && manifest::hash_file(&path).map_err(|e| Error::io(&path, e))?.0 == record.sha256;
        if !same {
            report.faults.push(fault(Rule::ResultFileChanged));
        }
        bytes += meta.len();
    }
    for path in there.iter().filter(|path| !listed.contains(path.as_str())) {
        report.faults.push(Fault::new(Rule::ResultFileUnlisted, format!("{prefix}{path}")));
    }
    report.results.push(Verified {
        path: dir.to_owned(),
        audience: manifest.audience,
        run_id: manifest.run_id,
        files: listed.len() as u64,
        bytes,
    });
    Ok(())
}

/// Whether a path of a manifest stays in the folder: relative, plain names between `/`, not the manifest itself.
fn is_inside(path: &str) -> bool {
    path != manifest::FILE
        && !path.contains(['\\', ':', '\0'])
        && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

/// Reads the layers of one result back and counts them: each GeoJSON as RFC 7946 features, the GeoPackage by
/// GDAL. The hashes say that the bytes arrived; this says that they are the layers.
///
/// # Errors
/// [`Error::Environment`] where a count differs or a file does not parse; [`Error::Io`].
pub fn recount(dir: &Path) -> Result<()> {
    let manifest = Manifest::read(dir)?;
    // Every layer has a table; one without geometry has nothing else outside the GeoPackage.
    let mut layers = BTreeMap::new();
    let mut package = false;
    for record in manifest.outputs.iter().filter(|record| is_inside(&record.path)) {
        package |= record.path == "corredor.gpkg";
        let Some(expected) = record.features else { continue };
        let named = |folder: &str, ending: &str| record.path.strip_prefix(folder)?.strip_suffix(ending);
        if let Some(name) = named("tables/", ".csv") {
            layers.insert(name.to_owned(), expected);
        }
        if named("layers/", ".fgb").is_some() {
            let found = flatgeobuf::count(&dir.join(&record.path))?;
            if found != expected {
                return Err(Error::Environment(format!("{}: {found} features, not {expected}", record.path)));
            }
        }
        if named("layers/", ".geojson").is_none() {
            continue;
        }
        let path = dir.join(&record.path);
        let file = File::open(&path).map_err(|e| Error::io(&path, e))?;
        let found = geojson::count(BufReader::new(file))
            .map_err(|e| Error::Environment(format!("{}: {e}", path.display())))?;
        if found != expected {
            return Err(Error::Environment(format!("{}: {found} features, not {expected}", path.display())));
        }
    }
    if package {
        let path = dir.join("corredor.gpkg");
        let found = gpkg::counts(&path)?;
        if found != layers {
            return Err(Error::Environment(format!("{}: {found:?}, not {layers:?}", path.display())));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::samples;
    use crate::layers::write::write_result;

    fn written() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        write_result(dir.path(), &samples::set(Tier::Restricted)).unwrap();
        dir
    }

    fn found(dir: &Path) -> Vec<(&'static str, String)> {
        verify(dir).unwrap().faults.0.into_iter().map(|f| (f.rule.code(), f.place.file)).collect()
    }

    #[test]
    fn changed_missing_and_unlisted_files_are_found_in_one_pass() {
        let dir = written();
        assert!(found(dir.path()).is_empty());
        recount(dir.path()).unwrap();
        let path = |name: &str| dir.path().join(name);
        let mut bytes = fs::read(path("layers/roads.geojson")).unwrap();
        bytes[200] ^= 1;
        fs::write(path("layers/roads.geojson"), bytes).unwrap();
        fs::remove_file(path("tables/roads.csv")).unwrap();
        fs::create_dir(path("extra")).unwrap();
        fs::write(path("extra/notes"), "").unwrap();
        let expected =
            [("R003", "extra/notes"), ("R002", "layers/roads.geojson"), ("R001", "tables/roads.csv")];
        assert_eq!(found(dir.path()), expected.map(|(code, file)| (code, file.to_owned())));
    }

    #[test]
    fn a_hostile_manifest_leads_nowhere() {
        for path in
            ["../secret", "/etc/hostname", "a/../../b", "", "a//b", "c:\\x", "run.json", "./LEEME.txt"]
        {
            let dir = written();
            let mut manifest = Manifest::read(dir.path()).unwrap();
            manifest.outputs[0].path = path.to_owned();
            fs::write(dir.path().join(manifest::FILE), manifest.to_text().unwrap()).unwrap();
            let found = found(dir.path());
            assert!(found.contains(&("R004", manifest::FILE.to_owned())), "{path}: {found:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_the_same_bytes_is_a_change() {
        let dir = written();
        let elsewhere = tempfile::tempdir().unwrap();
        let copy = elsewhere.path().join("copy");
        fs::rename(dir.path().join("LEEME.txt"), &copy).unwrap();
        std::os::unix::fs::symlink(&copy, dir.path().join("LEEME.txt")).unwrap();
        assert_eq!(found(dir.path()), [("R002", "LEEME.txt".to_owned())]);
    }

    #[test]
    fn a_folder_without_manifest_says_so_and_a_missing_folder_is_an_io_error() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(found(dir.path()), [("R001", "run.json".to_owned())]);
        assert!(matches!(verify(&dir.path().join("none")), Err(Error::Io { .. })));
    }

    #[test]
    fn both_audiences_are_looked_at() {
        let dir = tempfile::tempdir().unwrap();
        for (name, audience) in AUDIENCES.into_iter().zip([Tier::Restricted, Tier::Public]) {
            write_result(&dir.path().join(name), &samples::set(audience)).unwrap();
        }
        let report = verify(dir.path()).unwrap();
        assert!(report.faults.0.is_empty());
        assert_eq!(report.results.len(), 2);
        fs::write(dir.path().join("stray"), "").unwrap();
        fs::remove_file(dir.path().join("public/LEEME.txt")).unwrap();
        assert_eq!(
            found(dir.path()),
            [("R001", "public/LEEME.txt".to_owned()), ("R003", "stray".to_owned())]
        );
    }
}
