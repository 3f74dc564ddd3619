//! `doctor`: whether this machine has what a run needs.

use serde_json::{Value, json};

use super::embedded;
use super::messages::{fill, text};
use crate::layers::feature::Lang;

/// One finding.
pub struct Finding {
    /// What was looked at.
    pub what: String,
    /// Whether it is as it should be.
    pub ok: bool,
    /// What was found.
    pub found: String,
}

/// Looks at everything.
#[must_use]
pub fn examine(lang: Lang) -> Vec<Finding> {
    crate::sources::quiet_gdal();
    let mut out = vec![
        Finding { what: text(lang, "doctor.version"), ok: true, found: env!("CARGO_PKG_VERSION").to_owned() },
        Finding {
            what: text(lang, "doctor.gdal"),
            ok: gdal_is_new(),
            found: gdal::version_info("RELEASE_NAME"),
        },
    ];
    for name in ["GPKG", "GeoJSON", "ESRI Shapefile", "FlatGeobuf"] {
        let ok = gdal::DriverManager::get_driver_by_name(name).is_ok();
        out.push(Finding { what: fill(lang, "doctor.driver", &[("name", name)]), ok, found: String::new() });
    }
    // Only `--postgis` needs it, so that a GDAL without it is none to fail for.
    let found = match gdal::DriverManager::get_driver_by_name("PostgreSQL") {
        Ok(_) => String::new(),
        Err(_) => text(lang, "doctor.driver_missing"),
    };
    out.push(Finding { what: fill(lang, "doctor.driver", &[("name", "PostgreSQL")]), ok: true, found });
    let proj = projected();
    out.push(Finding {
        what: text(lang, "doctor.proj"),
        ok: proj.is_ok(),
        found: proj.err().map(|said| told(lang, &said)).unwrap_or_default(),
    });
    let threads = rayon::current_num_threads();
    out.push(Finding { what: text(lang, "doctor.threads"), ok: threads > 0, found: threads.to_string() });
    // Nothing to fail for: report.html is the same report.
    let has = crate::layers::report::HAS_PDF;
    let found = text(lang, if has { "page.yes" } else { "report.pdf.missing" });
    out.push(Finding { what: text(lang, "doctor.pdf"), ok: true, found });
    let files = embedded::count();
    out.push(Finding { what: text(lang, "doctor.study"), ok: files > 0, found: files.to_string() });
    // Nothing to fail for: they may be of a run that is under way.
    let left: Vec<String> = crate::layers::atomic::leftovers(std::path::Path::new("result"))
        .iter()
        .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .collect();
    let found = if left.is_empty() { "–".to_owned() } else { left.join(", ") };
    out.push(Finding { what: text(lang, "doctor.leftovers"), ok: true, found });
    let written = write_test();
    out.push(Finding {
        what: text(lang, "doctor.write"),
        ok: written.is_ok(),
        found: written.err().map(|said| told(lang, &said)).unwrap_or_default(),
    });
    out
}

/// What a library says, as such.
fn told(lang: Lang, said: &str) -> String {
    fill(lang, "fault.foreign", &[("said", said)])
}

/// The findings as lines.
#[must_use]
pub fn lines(findings: &[Finding], lang: Lang) -> Vec<String> {
    findings
        .iter()
        .map(|f| {
            let verdict = text(lang, if f.ok { "doctor.ok" } else { "doctor.bad" });
            format!(
                "{verdict:>6}  {}{}",
                f.what,
                if f.found.is_empty() { String::new() } else { format!(": {}", f.found) }
            )
        })
        .collect()
}

/// The findings for machines.
#[must_use]
pub fn as_json(findings: &[Finding]) -> Value {
    findings.iter().map(|f| json!({ "what": f.what, "ok": f.ok, "found": f.found })).collect()
}

/// GDAL 3.4 or newer, which the layers are written for.
fn gdal_is_new() -> bool {
    gdal::version_info("VERSION_NUM").parse::<u64>().is_ok_and(|v| v >= 3_040_000)
}

/// Whether PROJ finds its data: the work CRS against the frame that the engine computes itself.
fn projected() -> Result<(), String> {
    use gdal::spatial_ref::{AxisMappingStrategy, CoordTransform, SpatialRef};
    // A run refuses it as soon as coordinates are to be transformed.
    crate::sources::require_offline_proj().map_err(|e| e.to_string())?;
    let system = |code| -> gdal::errors::Result<SpatialRef> {
        let mut system = SpatialRef::from_epsg(code)?;
        system.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
        Ok(system)
    };
    let go = || -> gdal::errors::Result<f64> {
        let (mut x, mut y, mut z) = ([-93.1], [16.75], [0.0]);
        CoordTransform::new(&system(4326)?, &system(6372)?)?.transform_coords(&mut x, &mut y, &mut z)?;
        Ok(x[0])
    };
    let x = go().map_err(|e| e.to_string())?;
    let own = crate::model::frame::WorkFrame::new().map_err(|e| e.to_string())?;
    let ours = own.to_plane(geo::Coord { x: -93.1, y: 16.75 }).x;
    if (x - ours).abs() < 0.01 { Ok(()) } else { Err(format!("{x} / {ours}")) }
}

/// Writes a GeoPackage of one empty layer into the temporary folder.
fn write_test() -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    let path = folder.path().join("doctor.gpkg");
    let driver = gdal::DriverManager::get_driver_by_name("GPKG").map_err(|e| e.to_string())?;
    let mut dataset = driver.create_vector_only(&path).map_err(|e| e.to_string())?;
    dataset
        .create_layer(gdal::vector::LayerOptions { name: "doctor", ..Default::default() })
        .map_err(|e| e.to_string())?;
    dataset.flush_cache().map_err(|e| e.to_string())?;
    Ok(())
}
