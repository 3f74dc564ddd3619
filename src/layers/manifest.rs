//! `run.json`: what a result is, where it comes from, and the hash of every file in it.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::feature::{Lang, Tier};
use crate::error::{Error, Fault, Result, Rule};

/// What stands in `format`, so that a folder can be told from any other.
pub const FORMAT: &str = "corredor-result/1";
/// Name of the manifest in its folder.
pub const FILE: &str = "run.json";
/// No manifest is near this size; a larger file is not read into memory.
const MAX_BYTES: u64 = 64 << 20;

/// The manifest of one audience's result. It holds no time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: String,
    /// Version of corredor.
    pub version: String,
    /// Version of GDAL; the bytes of a GeoPackage depend on it.
    #[serde(default)]
    pub gdal_version: String,
    /// Who may see it.
    pub audience: Tier,
    /// Language of titles and aliases.
    pub language: Lang,
    /// The run. In public results it must not be computed from confidential inputs without a key.
    pub run_id: String,
    /// What every output bears.
    #[serde(default)]
    pub notices: Vec<String>,
    /// Seed of the random numbers. Restricted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Number of draws. Restricted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draws: Option<u64>,
    /// All parameters with their values. Restricted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Value>,
    /// Keyed commitment to what a public manifest leaves out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commitment: Option<String>,
    /// Figures of the run: times are not among them. Restricted.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub statistics: Value,
    /// The inputs. Restricted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<InputRecord>,
    /// The files of the result other than the manifest itself.
    #[serde(default)]
    pub outputs: Vec<OutputRecord>,
}

/// One input file.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct InputRecord {
    /// Name of the source in the study.
    pub source: String,
    /// Path as the study names it.
    pub file: String,
    /// Layer or sheet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<String>,
    /// SHA-256 of the file, lower-case hexadecimal.
    pub sha256: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Records that were read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<u64>,
    /// Encoding that was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// CRS that was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crs: Option<String>,
}

/// One file of the result.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OutputRecord {
    /// Path in the result folder, with `/` between its parts.
    pub path: String,
    /// SHA-256, lower-case hexadecimal.
    pub sha256: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Features of a layer or rows of a table; all layers together in a GeoPackage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub features: Option<u64>,
}

impl Manifest {
    /// A manifest without inputs, parameters or outputs.
    #[must_use]
    pub fn new(run_id: impl Into<String>, audience: Tier, language: Lang) -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            gdal_version: gdal::version_info("RELEASE_NAME"),
            audience,
            language,
            run_id: run_id.into(),
            notices: Vec::new(),
            seed: None,
            draws: None,
            parameters: None,
            commitment: None,
            statistics: Value::Null,
            inputs: Vec::new(),
            outputs: Vec::new(),
        }
    }

    /// The manifest that its audience may see, in its final order. With the seed, the parameters or an input's
    /// hash, or with figures such as a likelihood, anybody could test guesses of a confidential count against a
    /// public result; so none of them goes into one.
    #[must_use]
    pub fn sealed(mut self) -> Self {
        if self.audience == Tier::Public {
            self.seed = None;
            self.draws = None;
            self.parameters = None;
            self.statistics = Value::Null;
            self.inputs.clear();
        }
        if let Some(parameters) = &mut self.parameters {
            parameters.sort_all_objects();
        }
        self.statistics.sort_all_objects();
        self.inputs.sort();
        self.outputs.sort();
        self
    }

    /// The text of the file: indented, with a final newline.
    ///
    /// # Errors
    /// None that the types allow.
    pub fn to_text(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }

    /// Reads the manifest of the folder `dir`.
    ///
    /// # Errors
    /// R001 where there is none, R004 where it is none of ours, [`Error::Io`] where it cannot be read.
    pub fn read(dir: &Path) -> Result<Self> {
        let path = dir.join(FILE);
        let broken = |detail: String| {
            Error::from(Fault::new(Rule::ManifestBroken, path.display().to_string()).with("detail", detail))
        };
        match fs::symlink_metadata(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Err(Fault::new(Rule::ResultFileMissing, path.display().to_string()).into());
            }
            Err(e) => return Err(Error::io(&path, e)),
            Ok(meta) if !meta.is_file() => return Err(broken("not a file".into())),
            Ok(meta) if meta.len() > MAX_BYTES => return Err(broken(format!("{} bytes", meta.len()))),
            Ok(_) => {}
        }
        let bytes = fs::read(&path).map_err(|e| Error::io(&path, e))?;
        let manifest: Self = serde_json::from_slice(&bytes).map_err(|e| {
            Fault::new(Rule::ManifestBroken, path.display().to_string()).with("detail", "JSON").foreign(e)
        })?;
        if manifest.format != FORMAT {
            return Err(broken("format".into()));
        }
        Ok(manifest)
    }
}

/// SHA-256 of a file in lower-case hexadecimal, and its size.
///
/// # Errors
/// What reading reports.
pub fn hash_file(path: &Path) -> std::io::Result<(String, u64)> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0_u8; 1 << 16];
    let mut bytes = 0;
    loop {
        let n = file.read(&mut buffer)?;
        let Some(part) = buffer.get(..n).filter(|part| !part.is_empty()) else { break };
        hasher.update(part);
        bytes += n as u64;
    }
    let text = hasher.finalize().iter().fold(String::with_capacity(64), |mut text, byte| {
        for nibble in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(nibble), 16));
        }
        text
    });
    Ok((text, bytes))
}

/// Every file under `dir` by its path with `/`, sorted; links and other things that are no plain file as well, so
/// that nothing in a folder goes unseen. Links are not followed.
///
/// # Errors
/// What reading the folders reports.
pub fn files(dir: &Path) -> Result<Vec<String>> {
    fn walk(dir: &Path, prefix: &str, out: &mut Vec<String>) -> Result<()> {
        for entry in fs::read_dir(dir).map_err(|e| Error::io(dir, e))? {
            let entry = entry.map_err(|e| Error::io(dir, e))?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.file_type().map_err(|e| Error::io(entry.path(), e))?.is_dir() {
                walk(&entry.path(), &format!("{name}/"), out)?;
            } else {
                out.push(name);
            }
        }
        Ok(())
    }
    let mut out = Vec::new();
    walk(dir, "", &mut out)?;
    out.sort();
    Ok(out)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn full(audience: Tier) -> Manifest {
        let input =
            |source: &str| InputRecord { source: source.into(), file: "f".into(), ..InputRecord::default() };
        Manifest {
            seed: Some(7),
            draws: Some(100),
            parameters: Some(json!({ "b": 1, "a": { "d": 1, "c": 2 } })),
            statistics: json!({ "log_likelihood": -3.5 }),
            inputs: vec![input("roads"), input("counts")],
            commitment: Some("hmac".into()),
            ..Manifest::new("r", audience, Lang::Es)
        }
    }

    #[test]
    fn a_public_manifest_tells_nothing_of_the_inputs() {
        let text = full(Tier::Public).sealed().to_text().unwrap();
        for word in ["seed", "draws", "parameters", "inputs", "statistics", "likelihood"] {
            assert!(!text.contains(word), "{word}: {text}");
        }
        assert!(text.contains("commitment"));
    }

    #[test]
    fn a_manifest_is_sorted_and_reads_back() {
        let manifest = full(Tier::Restricted).sealed();
        let text = manifest.to_text().unwrap();
        assert!(text.ends_with("}\n"));
        assert!(text.find("\"a\"").unwrap() < text.find("\"b\"").unwrap());
        assert_eq!(manifest.inputs[0].source, "counts");
        let dir = tempfile::tempdir().unwrap();
        assert!(
            matches!(Manifest::read(dir.path()), Err(Error::Faults(f)) if f.0[0].rule == Rule::ResultFileMissing)
        );
        fs::write(dir.path().join(FILE), &text).unwrap();
        assert_eq!(Manifest::read(dir.path()).unwrap(), manifest);
        for spoilt in ["{", "[]", &text.replace(FORMAT, "other/1")] {
            fs::write(dir.path().join(FILE), spoilt).unwrap();
            assert!(
                matches!(Manifest::read(dir.path()), Err(Error::Faults(f)) if f.0[0].rule == Rule::ManifestBroken)
            );
        }
    }

    #[test]
    fn hashes_are_those_of_the_standard() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("abc");
        fs::write(&path, "abc").unwrap();
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hash_file(&path).unwrap(), (expected.to_owned(), 3));
    }
}
