//! What a path must be before a library may see it.
//!
//! GDAL takes URLs, connection strings, inline documents and virtual file systems where a path is expected.
//! None of them gets that far: what leaves this file is the canonical path of a regular file inside the study
//! folder, with a known ending.

use std::ffi::OsStr;
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use super::Limits;
use super::spec::{GeometryNeed, SourceSpec};
use super::unpack::{self, Unpacked};
use crate::error::{Error, Fault, Rule};

/// A format that is read, by the ending of the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Csv,
    GeoJson,
    GeoPackage,
    Shapefile,
    /// The table of a shapefile without the shapes.
    Dbf,
    FlatGeobuf,
    Xlsx,
    Ods,
    Gpx,
    OsmPbf,
}

/// The endings that are read, for the text of S004.
pub(super) const ENDINGS: &str =
    ".csv .txt .tsv .geojson .json .gpkg .shp .dbf .fgb .gpx .osm.pbf .xlsx .ods .zip";

/// What else the shapefile driver may open by itself: spatial and attribute indexes.
const INDEXES: [&str; 6] = ["qix", "sbn", "sbx", "idm", "ind", "qpj"];

/// Companions of a shapefile that are read, in the order in which they are hashed.
pub(super) const COMPANIONS: [&str; 4] = ["shx", "dbf", "prj", "cpg"];

/// What stands after the name of a GeoPackage for what a program has not yet moved into it.
pub(super) const LOGS: [&str; 3] = ["-wal", "-shm", "-journal"];

impl Format {
    pub(super) fn of(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        Some(match ending.as_str() {
            "csv" | "txt" | "tsv" => Self::Csv,
            "geojson" | "json" => Self::GeoJson,
            "gpkg" => Self::GeoPackage,
            "shp" => Self::Shapefile,
            "dbf" => Self::Dbf,
            "fgb" => Self::FlatGeobuf,
            "xlsx" => Self::Xlsx,
            "ods" => Self::Ods,
            "gpx" => Self::Gpx,
            "pbf" => Self::OsmPbf,
            _ => return None,
        })
    }

    /// Whether it holds rows and columns, and points only as two of the columns.
    pub(super) const fn is_table(self) -> bool {
        matches!(self, Self::Csv | Self::Xlsx | Self::Ods | Self::Dbf)
    }

    /// Name of the GDAL driver, the only one that may open the file; in small letters what is read without GDAL.
    pub(super) const fn driver(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::GeoJson => "GeoJSON",
            Self::GeoPackage => "GPKG",
            Self::Shapefile | Self::Dbf => "ESRI Shapefile",
            Self::FlatGeobuf => "FlatGeobuf",
            Self::Xlsx => "xlsx",
            Self::Ods => "ods",
            Self::Gpx => "gpx",
            Self::OsmPbf => "osm-pbf",
        }
    }
}

/// A file that may be opened.
#[derive(Debug)]
pub(super) struct Input {
    /// Canonical path.
    pub(super) path: PathBuf,
    pub(super) format: Format,
    /// The other files of a shapefile that are there, in the order of [`COMPANIONS`].
    pub(super) companions: Vec<PathBuf>,
    /// Size in bytes, companions included; of the archive where the file stands in one.
    pub(super) bytes: u64,
    /// The file as messages show it: as the study names it, or `archive.zip/member`.
    pub(super) shown: String,
    /// The files that its bytes come from, in the order in which they are hashed: itself and its companions, or
    /// the archive.
    pub(super) originals: Vec<PathBuf>,
    /// The copy that is read where it stands in an archive; it goes when this is dropped.
    pub(super) unpacked: Option<Unpacked>,
}

impl Input {
    /// The companion with this ending.
    pub(super) fn companion(&self, ending: &str) -> Option<&Path> {
        self.companions.iter().map(PathBuf::as_path).find(|path| has_ending(path, ending))
    }

    /// The name without its ending, by which formats with one layer call it.
    pub(super) fn stem(&self) -> String {
        self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// Checks the path of a source; what stands in a zip archive is unpacked first.
pub(super) fn admit_source(
    base: &Path,
    spec: &SourceSpec,
    need: GeometryNeed,
    limits: &Limits,
) -> Result<Input, Error> {
    let shown = spec.path.as_str();
    if !is_plain(shown) {
        return Err(Fault::new(Rule::PathRefused, shown).into());
    }
    if !has_ending(Path::new(shown), "zip") {
        if let Some(member) = &spec.member {
            let fault = Fault::new(Rule::ArchiveMember, shown).field(super::environment::one_line(member));
            return Err(fault.with("allowed", "–").into());
        }
        return admit(base, shown, limits);
    }
    let (_, path) = locate(base, shown, limits)?;
    let bytes = regular_size(&path, shown)?;
    if !has_ending(&path, "zip") {
        return Err(Fault::new(Rule::PathRefused, shown).into());
    }
    if bytes > limits.max_bytes {
        return Err(Fault::new(Rule::FileTooLarge, shown).with("limit", limits.max_bytes).into());
    }
    let unpacked = unpack::unpack(&path, shown, spec, need, limits.max_bytes)?;
    let input = admit(unpacked.folder.path(), &unpacked.file, limits)?;
    Ok(Input {
        bytes,
        shown: unpacked.shown.clone(),
        originals: vec![path],
        unpacked: Some(unpacked),
        ..input
    })
}

/// The canonical folder of the study and the canonical path of `shown`, which lies in it unless the limits say
/// that it need not.
fn locate(base: &Path, shown: &str, limits: &Limits) -> Result<(PathBuf, PathBuf), Error> {
    let base = if base.as_os_str().is_empty() { Path::new(".") } else { base };
    let base = base.canonicalize().map_err(|source| Error::io(base, source))?;
    // Joining an absolute path gives that path.
    let path = resolve(&base.join(shown), shown)?;
    // A real folder `/vsizip` at the root of the machine would be read as a virtual one.
    if !limits.allow_absolute && !path.starts_with(&base) || path.to_string_lossy().starts_with("/vsi") {
        return Err(Fault::new(Rule::PathRefused, shown).into());
    }
    Ok((base, path))
}

/// Checks `shown`, the path as the study has it, against the folder `base`.
pub(super) fn admit(base: &Path, shown: &str, limits: &Limits) -> Result<Input, Error> {
    let refuse = |rule| Error::from(Fault::new(rule, shown));
    if !is_plain(shown) {
        return Err(refuse(Rule::PathRefused));
    }
    let format = Format::of(Path::new(shown)).ok_or_else(|| {
        // What Excel wrote before 2007 is no format to read from strangers; Excel itself saves it anew.
        let old = has_ending(Path::new(shown), "xls") || has_ending(Path::new(shown), "xlsb");
        let allowed = if old { ".xlsx .ods .csv (“Guardar como” / “Save as”)" } else { ENDINGS };
        Error::from(Fault::new(Rule::FormatUnknown, shown).with("allowed", allowed))
    })?;
    let (base, path) = locate(base, shown, limits)?;
    let mut bytes = regular_size(&path, shown)?;
    // The target of a link decides as well: `a.csv` may not lead to `a.gpkg`.
    if Format::of(&path) != Some(format) {
        return Err(refuse(Rule::PathRefused));
    }

    let mut companions = Vec::new();
    for companion in siblings(&path, format)? {
        let target = resolve(&companion, shown)?;
        if !limits.allow_absolute && !target.starts_with(&base) {
            return Err(refuse(Rule::PathRefused));
        }
        let size = regular_size(&target, shown)?;
        if COMPANIONS.iter().any(|ending| has_ending(&companion, ending)) {
            bytes = bytes.saturating_add(size);
            companions.push(companion);
        }
    }
    companions.sort_by_key(|path| COMPANIONS.iter().position(|ending| has_ending(path, ending)));

    if bytes > limits.max_bytes {
        return Err(Fault::new(Rule::FileTooLarge, shown).with("limit", limits.max_bytes).into());
    }
    for path in std::iter::once(&path).chain(&companions) {
        // Trouble with permissions is found here and not in a message of GDAL.
        File::open(path).map_err(|source| Error::io(path, source))?;
    }
    let originals = std::iter::once(&path).chain(&companions).cloned().collect();
    Ok(Input { path, format, companions, bytes, shown: shown.to_owned(), originals, unpacked: None })
}

/// The canonical path of a text file that this crate reads itself, with this ending.
pub(super) fn admit_text(base: &Path, shown: &str, ending: &str, limits: &Limits) -> Result<PathBuf, Error> {
    if !is_plain(shown) {
        return Err(Fault::new(Rule::PathRefused, shown).into());
    }
    let (_, path) = locate(base, shown, limits)?;
    if !has_ending(Path::new(shown), ending) || !has_ending(&path, ending) {
        return Err(Fault::new(Rule::FormatUnknown, shown).with("allowed", format!(".{ending}")).into());
    }
    Ok(path)
}

/// Whether the text is an address or a file system of GDAL's own.
pub(super) fn is_virtual(shown: &str) -> bool {
    let lower = shown.to_ascii_lowercase();
    lower.contains("://") || lower.contains("/vsi")
}

/// Whether the text is a path and nothing else that GDAL would take in its place.
fn is_plain(shown: &str) -> bool {
    let lower = shown.to_ascii_lowercase();
    let prefixed = lower.split(['/', '\\']).next().is_some_and(|first| first.contains(':'));
    let inline = matches!(shown.trim_start().chars().next(), None | Some('{' | '[' | '<' | '&' | '@'));
    let parent = shown.split(['/', '\\']).any(|part| part.trim() == "..");
    let odd = shown.chars().any(char::is_control) || shown.len() > 4096;
    let upward =
        Path::new(shown).components().any(|part| matches!(part, Component::ParentDir | Component::Prefix(_)));
    !(prefixed || is_virtual(shown) || inline || parent || odd || upward)
}

/// The canonical path, or the fault that says why there is none.
fn resolve(path: &Path, shown: &str) -> Result<PathBuf, Error> {
    path.canonicalize().map_err(|source| match source.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::InvalidFilename => {
            Fault::new(Rule::FileMissing, shown).into()
        }
        ErrorKind::PermissionDenied => Error::io(path, source),
        // Links that lead in a circle.
        _ if path.is_symlink() => Fault::new(Rule::PathRefused, shown).into(),
        _ => Error::io(path, source),
    })
}

/// Size of a regular file; S002 for a folder, a pipe, a device or a socket.
fn regular_size(path: &Path, shown: &str) -> Result<u64, Error> {
    let meta = path.metadata().map_err(|source| Error::io(path, source))?;
    if meta.is_file() { Ok(meta.len()) } else { Err(Fault::new(Rule::NotAFile, shown).into()) }
}

/// Other files that a driver might open by itself: for a shapefile those of the same stem, in any case of
/// letters; for a GeoPackage the journals of its database.
fn siblings(path: &Path, format: Format) -> Result<Vec<PathBuf>, Error> {
    if !matches!(format, Format::Shapefile | Format::Dbf | Format::GeoPackage) {
        return Ok(Vec::new());
    }
    let (Some(folder), Some(name), Some(stem)) = (path.parent(), path.file_name(), path.file_stem()) else {
        return Ok(Vec::new());
    };
    let belongs = |other: &OsStr| match format {
        Format::Shapefile => {
            Path::new(other).file_stem() == Some(stem)
                && COMPANIONS.iter().chain(&INDEXES).any(|ending| has_ending(Path::new(other), ending))
        }
        Format::GeoPackage => LOGS.iter().any(|suffix| {
            other.to_string_lossy().strip_suffix(suffix).is_some_and(|rest| rest == name.to_string_lossy())
        }),
        // Memo files and indexes of the table; the name of its encoding is read.
        Format::Dbf => {
            Path::new(other).file_stem() == Some(stem)
                && ["cpg", "dbt", "fpt", "idm", "ind"]
                    .iter()
                    .any(|ending| has_ending(Path::new(other), ending))
        }
        _ => false,
    };
    let mut found = Vec::new();
    for entry in folder.read_dir().map_err(|source| Error::io(folder, source))? {
        let entry = entry.map_err(|source| Error::io(folder, source))?;
        if belongs(&entry.file_name()) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

fn has_ending(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|other| other.eq_ignore_ascii_case(ending))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn rule(base: &Path, shown: &str, limits: &Limits) -> Option<Rule> {
        match admit(base, shown, limits) {
            Ok(_) => None,
            Err(Error::Faults(faults)) => Some(faults.0[0].rule),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn paths_that_are_not_paths_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        for shown in [
            "http://example.org/a.geojson",
            "https://example.org/a.csv",
            "file:///etc/a.csv",
            "PG:dbname=x.csv",
            "GPKG:a.gpkg:layer.gpkg",
            "GeoJSON:{\"type\":\"Point\"}.geojson",
            "/vsicurl/http://example.org/a.geojson",
            "/vsizip/a.zip/a.shp",
            "datos/vsizip/a.shp/vsi/a.shp",
            "/VSIMEM/a.gpkg",
            "{\"type\":\"Point\",\"coordinates\":[0,0]}.geojson",
            "<OGRVRTDataSource/>.geojson",
            " {}.json",
            "../a.csv",
            "datos/../../a.csv",
            "datos\\..\\a.csv",
            "a\0.csv",
            "a\n.csv",
            "",
        ] {
            assert_eq!(rule(dir.path(), shown, &Limits::default()), Some(Rule::PathRefused), "{shown:?}");
        }
    }

    #[test]
    fn what_is_not_a_known_regular_file_is_a_fault() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("folder.csv")).unwrap();
        fs::write(dir.path().join("a.zip"), "PK").unwrap();
        fs::write(dir.path().join("a.csv"), "0123456789").unwrap();
        std::os::unix::net::UnixListener::bind(dir.path().join("socket.csv")).unwrap();
        let small = Limits { max_bytes: 9, ..Limits::default() };
        let usual = Limits::default();
        assert_eq!(rule(dir.path(), "none.csv", &usual), Some(Rule::FileMissing));
        assert_eq!(rule(dir.path(), "a.csv/b.csv", &usual), Some(Rule::FileMissing));
        assert_eq!(rule(dir.path(), "folder.csv", &usual), Some(Rule::NotAFile));
        assert_eq!(rule(dir.path(), "socket.csv", &usual), Some(Rule::NotAFile));
        assert_eq!(rule(dir.path(), "a.xls", &usual), Some(Rule::FormatUnknown));
        assert_eq!(rule(dir.path(), "a", &usual), Some(Rule::FormatUnknown));
        assert_eq!(rule(dir.path(), "a.csv", &small), Some(Rule::FileTooLarge));
        assert_eq!(rule(dir.path(), "a.csv", &usual), None);
    }

    #[test]
    fn links_and_absolute_paths_stay_inside_the_study() {
        let outside = tempfile::tempdir().unwrap();
        let dir = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("a.csv"), "a").unwrap();
        fs::write(dir.path().join("b.csv"), "a").unwrap();
        fs::write(dir.path().join("c.shp"), "a").unwrap();
        symlink(outside.path().join("a.csv"), dir.path().join("out.csv")).unwrap();
        symlink(outside.path().join("a.csv"), dir.path().join("c.dbf")).unwrap();
        symlink(dir.path().join("b.csv"), dir.path().join("in.csv")).unwrap();
        symlink(dir.path().join("b.csv"), dir.path().join("other.gpkg")).unwrap();
        symlink("loop.csv", dir.path().join("loop.csv")).unwrap();
        let usual = Limits::default();
        let free = Limits { allow_absolute: true, ..usual };
        let absolute = |base: &Path, name: &str| base.join(name).to_string_lossy().into_owned();
        assert_eq!(rule(dir.path(), "out.csv", &usual), Some(Rule::PathRefused));
        assert_eq!(rule(dir.path(), "c.shp", &usual), Some(Rule::PathRefused));
        assert_eq!(rule(dir.path(), "in.csv", &usual), None);
        assert_eq!(rule(dir.path(), "other.gpkg", &usual), Some(Rule::PathRefused));
        assert_eq!(rule(dir.path(), "loop.csv", &usual), Some(Rule::PathRefused));
        assert_eq!(rule(dir.path(), &absolute(outside.path(), "a.csv"), &usual), Some(Rule::PathRefused));
        assert_eq!(rule(dir.path(), &absolute(dir.path(), "b.csv"), &usual), None);
        assert_eq!(rule(dir.path(), &absolute(outside.path(), "a.csv"), &free), None);
    }

    #[test]
    fn companions_come_in_a_fixed_order() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["a.shp", "a.prj", "a.DBF", "a.shx", "a.cpg", "a.qix", "a.shp.xml", "ab.dbf"] {
            fs::write(dir.path().join(name), "12").unwrap();
        }
        fs::create_dir(dir.path().join("a")).unwrap();
        let input = admit(dir.path(), "a.shp", &Limits::default()).unwrap();
        let names: Vec<_> =
            input.companions.iter().map(|p| p.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["a.shx", "a.DBF", "a.prj", "a.cpg"]);
        assert_eq!(input.bytes, 10);
    }

    #[test]
    fn a_file_without_permission_is_an_error_of_the_environment() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.csv");
        fs::write(&path, "a").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
        if File::open(&path).is_ok() {
            return; // The superuser reads everything.
        }
        assert_eq!(admit(dir.path(), "a.csv", &Limits::default()).unwrap_err().exit_code(), 3);
    }
}
