//! One audience's result, from layers to sealed files.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use super::feature::{Lang, Layer, LayerDef, LayerGeometry, Tier, Words};
use super::manifest::{self, Manifest, OutputRecord};
use super::view::{Header, LayerView};
use super::{descriptor, flatgeobuf, geojson, gpkg, map, notice, plot, qgis, report, style, tables};
use crate::error::{Error, Result};

/// All that is written for one audience. Layers and fields that it may not see may be here: they are left out.
#[derive(Debug, Clone)]
pub struct ResultSet {
    /// Layers, the lowest of the map first.
    pub layers: Vec<Layer>,
    /// What `run.json` says. Audience, language, notices and outputs are set on writing.
    pub manifest: Manifest,
    /// The person who signed the study off; without one, every output says BORRADOR.
    pub signed_off: Option<String>,
    /// Further lines that every output bears, after the standard ones.
    pub notices: Vec<Words>,
    /// Data sources and their licences.
    pub attributions: Vec<String>,
    /// What the report says of the study.
    pub subject: report::Subject,
    /// Language of titles, aliases and legends.
    pub lang: Lang,
    /// Who may see the result.
    pub audience: Tier,
}

impl ResultSet {
    /// What every output says of itself. The standard notices cannot be left out.
    #[must_use]
    pub fn header(&self) -> Header {
        let mut notices = notice::lines(&self.standard());
        notices.extend(self.notices.iter().map(|words| words.pick(self.lang).to_owned()));
        Header {
            run_id: self.manifest.run_id.clone(),
            audience: self.audience,
            lang: self.lang,
            scenario: self.subject.scenario.as_ref().map(|scenario| scenario.name.clone()),
            notices,
        }
    }

    /// What every output says, whatever the study.
    fn standard(&self) -> Vec<Words> {
        notice::standard(self.audience, self.signed_off.as_deref(), self.subject.scenario.as_ref())
    }

    /// The layers as the audience sees them.
    ///
    /// # Errors
    /// Those of [`LayerView::new`].
    pub fn views(&self) -> Result<Vec<LayerView<'_>>> {
        self.layers.iter().filter_map(|layer| LayerView::new(layer, self.audience).transpose()).collect()
    }

    /// Whether nobody has signed the result off.
    fn is_draft(&self) -> bool {
        self.signed_off.as_deref().is_none_or(|name| name.trim().is_empty())
    }

    /// The report of what the audience sees, `views`.
    pub(crate) fn report(&self, views: &[LayerView<'_>]) -> report::document::Report {
        // As it is sealed: a report says no figure of the run that the manifest withholds.
        let manifest = Manifest { audience: self.audience, ..self.manifest.clone() }.sealed();
        report::build(&report::Source {
            views,
            subject: &self.subject,
            manifest: &manifest,
            notices: &self.standard(),
            limits: &self.notices,
            attributions: &self.attributions,
            draft: self.is_draft(),
            lang: self.lang,
            audience: self.audience,
        })
    }
}

/// Writes everything into `dir`, which is made if missing: [`write_layers`], then [`seal`].
///
/// # Errors
/// Those of the two.
pub fn write_result(dir: &Path, set: &ResultSet) -> Result<()> {
    write_layers(dir, set)?;
    seal(dir, set)
}

/// Writes `layers/*.geojson` with their styles (none of a table without geometry), `corredor.gpkg`, the project
/// `corredor.qgz`, `map.html`, the report and `tables/*.csv`. Other files of the result (`FlatGeobuf`) can be added before
/// it is sealed.
///
/// # Errors
/// [`Error::Io`], or [`Error::Environment`] for a layer that does not fit its definition and for GDAL.
pub fn write_layers(dir: &Path, set: &ResultSet) -> Result<()> {
    let header = set.header();
    let views = set.views()?;
    let mut styles = Vec::with_capacity(views.len());
    for name in ["layers", "tables"] {
        let path = dir.join(name);
        fs::create_dir_all(&path).map_err(|e| Error::io(path, e))?;
    }
    for view in &views {
        let path = dir.join(format!("layers/{}.geojson", view.name()));
        let qml = style::qml(view, &header)?;
        if view.geometry() != LayerGeometry::None {
            stream(&path, |out| geojson::write(out, view, &header))?;
            // QGIS loads a style by itself only if it lies beside the file under the same name.
            stream(&path.with_extension("qml"), |out| out.write_all(qml.as_bytes()))?;
        }
        styles.push(qml);
        let path = dir.join(format!("tables/{}.csv", view.name()));
        stream(&path, |out| tables::write(out, view).map_err(std::io::Error::from))?;
    }
    gpkg::write(&dir.join("corredor.gpkg"), &views, &styles, &header)?;
    let standard = set.standard();
    if let Some(view) = views.iter().find(|view| view.name() == "sensitivity") {
        let borne: Vec<&str> = standard.iter().map(|words| words.pick(header.lang)).collect();
        let plot = plot::sensitivity_with(view, header.lang, &borne);
        stream(&dir.join("sensitivity.svg"), |out| out.write_all(plot.as_bytes()))?;
    }
    let about = map::About {
        notices: &standard,
        limits: &set.notices,
        attributions: &set.attributions,
        draws: set.manifest.draws.filter(|_| set.audience == Tier::Restricted),
        version: &set.manifest.version,
        draft: set.is_draft(),
    };
    stream(&dir.join("map.html"), |out| map::write(out, &views, &header, &about))?;
    qgis::write(&dir.join(qgis::FILE), &views, &header, &about)?;
    let report = set.report(&views);
    stream(&dir.join("report.html"), |out| report::html::write(out, &report))?;
    #[cfg(feature = "pdf")]
    {
        let bytes = report::pdf::bytes(&report)?;
        stream(&dir.join("report.pdf"), |out| out.write_all(&bytes))?;
    }
    Ok(())
}

/// Writes the reading note, describes every file that is in `dir` now in `datapackage.json` and hashes all into `run.json`,
/// and sets the permissions: for the owner only if restricted, readable by all if public.
///
/// # Errors
/// [`Error::Io`], and those of [`LayerView::new`].
pub fn seal(dir: &Path, set: &ResultSet) -> Result<()> {
    let header = set.header();
    let views = set.views()?;
    let defs: Vec<&LayerDef> = views.iter().map(LayerView::def).collect();
    let note = notice::readme(&header.notices, &defs, &set.attributions, |name| dir.join(name).exists());
    stream(&dir.join(notice::README), |out| out.write_all(note.as_bytes()))?;

    let mut counts = flatgeobuf::counts(dir, &views);
    for view in &views {
        let n = view.len() as u64;
        counts.insert(format!("layers/{}.geojson", view.name()), n);
        counts.insert(format!("tables/{}.csv", view.name()), n);
        *counts.entry("corredor.gpkg".to_owned()).or_default() += n;
    }
    let record = |path: String| {
        let file = dir.join(&path);
        let (sha256, bytes) = manifest::hash_file(&file).map_err(|e| Error::io(file, e))?;
        Ok::<_, Error>(OutputRecord { features: counts.get(&path).copied(), path, sha256, bytes })
    };
    let others = |path: &String| path != manifest::FILE && path != descriptor::FILE;
    let mut outputs: Vec<OutputRecord> =
        manifest::files(dir)?.into_iter().filter(others).map(record).collect::<Result<_>>()?;
    let about = descriptor::About { version: &set.manifest.version, attributions: &set.attributions };
    let package = descriptor::describe(&views, &header, about, &outputs);
    stream(&dir.join(descriptor::FILE), |out| writeln!(out, "{package:#}"))?;
    outputs.push(record(descriptor::FILE.to_owned())?);
    let manifest = Manifest {
        audience: set.audience,
        language: set.lang,
        notices: header.notices,
        outputs,
        ..set.manifest.clone()
    };
    let path = dir.join(manifest::FILE);
    let text = manifest.sealed().to_text().map_err(|e| Error::io(&path, e.into()))?;
    stream(&path, |out| out.write_all(text.as_bytes()))?;
    protect(dir, set.audience)
}

fn stream(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>) -> Result<()> {
    let file = File::create(path).map_err(|e| Error::io(path, e))?;
    let mut out = BufWriter::new(file);
    write(&mut out).and_then(|()| out.flush()).map_err(|e| Error::io(path, e))
}

/// Sets the mode of a folder and all in it; other systems than Unix have no such modes.
fn protect(dir: &Path, audience: Tier) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let (folder, file) = match audience {
            Tier::Restricted => (0o700, 0o600),
            Tier::Public => (0o755, 0o644),
        };
        let set = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(|e| Error::io(path, e))
        };
        set(dir, folder)?;
        for entry in fs::read_dir(dir).map_err(|e| Error::io(dir, e))? {
            let entry = entry.map_err(|e| Error::io(dir, e))?;
            let kind = entry.file_type().map_err(|e| Error::io(entry.path(), e))?;
            if kind.is_dir() {
                protect(&entry.path(), audience)?;
            } else if kind.is_file() {
                set(&entry.path(), file)?;
            }
        }
    }
    let _ = (dir, audience);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::samples;

    #[test]
    fn the_public_result_holds_no_restricted_layer_field_or_text() {
        let dir = tempfile::tempdir().unwrap();
        let mut set = samples::set(Tier::Public);
        // Whatever the caller says of the audience in the manifest, that of the set decides.
        set.manifest.audience = Tier::Restricted;
        set.manifest.seed = Some(7);
        write_result(dir.path(), &set).unwrap();
        let mut files = manifest::files(dir.path()).unwrap();
        assert_eq!(files.iter().any(|name| name == "report.pdf"), report::HAS_PDF);
        files.retain(|name| name != "report.pdf");
        assert_eq!(
            files,
            [
                "LEEME.txt",
                "corredor.gpkg",
                "corredor.qgz",
                "datapackage.json",
                "layers/corridors.geojson",
                "layers/corridors.qml",
                "layers/crossings.geojson",
                "layers/crossings.qml",
                "layers/municipalities.geojson",
                "layers/municipalities.qml",
                "map.html",
                "report.html",
                "run.json",
                "tables/corridors.csv",
                "tables/crossings.csv",
                "tables/municipalities.csv",
            ]
        );
        for name in files {
            let bytes = fs::read(dir.path().join(&name)).unwrap();
            let text = match name.as_str() {
                qgis::FILE => qgis::tests::text_in(&dir.path().join(&name)),
                _ => String::from_utf8_lossy(&bytes).into_owned(),
            };
            for word in
                ["count_mean", "Casos sorteados", "worksites", "Tramos de la red", "RESTRINGIDO", "\"seed\""]
            {
                assert!(!text.contains(word), "{name} holds {word}");
            }
            if !name.starts_with("tables/") && !name.contains(".qml") {
                assert!(text.contains("BORRADOR"), "{name}");
                assert!(text.contains("Prevención y detección, no control migratorio"), "{name}");
            }
        }
    }

    #[test]
    fn a_table_without_geometry_is_written_where_there_are_tables() {
        let dir = tempfile::tempdir().unwrap();
        let mut set = samples::set(Tier::Restricted);
        set.layers.push(samples::sensitivity());
        write_result(dir.path(), &set).unwrap();
        let path = |name: &str| dir.path().join(name);
        assert!(path("tables/sensitivity.csv").exists() && path("sensitivity.svg").exists());
        assert!(!path("layers/sensitivity.geojson").exists() && !path("layers/sensitivity.qml").exists());
        assert!(!fs::read_to_string(path("map.html")).unwrap().contains("MEX-200 C – D"));
        let plot = fs::read_to_string(path("sensitivity.svg")).unwrap();
        assert!(plot.contains("BORRADOR") && plot.contains("RESTRINGIDO"));
        crate::layers::verify::recount(dir.path()).unwrap();
        // A row less in the GeoPackage than in the table is found.
        set.layers.last_mut().unwrap().features.pop();
        let other = tempfile::tempdir().unwrap();
        write_result(other.path(), &set).unwrap();
        fs::copy(other.path().join("corredor.gpkg"), path("corredor.gpkg")).unwrap();
        assert!(crate::layers::verify::recount(dir.path()).is_err());
        // The public sees nothing of it.
        set.audience = Tier::Public;
        let open = tempfile::tempdir().unwrap();
        write_result(open.path(), &set).unwrap();
        assert!(manifest::files(open.path()).unwrap().iter().all(|name| !name.contains("sensitivity")));
    }

    #[test]
    fn the_same_set_gives_the_same_bytes() {
        let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let set = samples::set(Tier::Restricted);
        write_result(a.path(), &set).unwrap();
        write_result(b.path(), &set).unwrap();
        let files = manifest::files(a.path()).unwrap();
        assert_eq!(files, manifest::files(b.path()).unwrap());
        for name in files {
            assert!(
                fs::read(a.path().join(&name)).unwrap() == fs::read(b.path().join(&name)).unwrap(),
                "{name}"
            );
        }
        let manifest = Manifest::read(a.path()).unwrap();
        let record = manifest.outputs.iter().find(|o| o.path == "layers/roads.geojson").unwrap();
        assert_eq!(record.features, Some(4));
    }

    #[test]
    fn a_signed_result_is_no_draft_and_files_added_before_sealing_are_listed() {
        let dir = tempfile::tempdir().unwrap();
        let mut set = samples::set(Tier::Restricted);
        set.signed_off = Some("Responsable de prueba".into());
        write_layers(dir.path(), &set).unwrap();
        fs::write(dir.path().join("more.txt"), "more").unwrap();
        seal(dir.path(), &set).unwrap();
        let manifest = Manifest::read(dir.path()).unwrap();
        assert!(manifest.outputs.iter().any(|o| o.path == "more.txt"));
        assert!(!manifest.notices.iter().any(|line| line.contains("BORRADOR")));
        assert!(fs::read_to_string(dir.path().join("LEEME.txt")).unwrap().contains("report.html"));
        assert!(!fs::read_to_string(dir.path().join("report.html")).unwrap().contains("BORRADOR"));
    }
}
