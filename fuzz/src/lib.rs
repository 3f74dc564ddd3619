//! What the targets share: a small invented study, one of whose files is the one under test, and what must hold of
//! whatever comes out.

use std::fs;
use std::path::Path;
use std::sync::{Mutex, OnceLock};

use corredor::cli::config::{self, StudyFile};
use corredor::cli::engine;
use corredor::cli::messages;
use corredor::cli::progress::Progress;
use corredor::error::{Error, Faults};
use corredor::layers::feature::Lang;
use corredor::model::build::{Tables, build};
use corredor::model::study::Study;
use corredor::network::builder::{BuildOptions, build as build_network};
use corredor::network::closures::closed_links;
use corredor::sources::{ColumnRules, GeometryNeed, Limits, RawTable, SourceSpec, quiet_gdal, read};
use geo::CoordsIter as _;
use tempfile::TempDir;

/// The files of the study.
pub const FILES: [(&str, &str); 10] = [
    ("study.toml", include_str!("../study/study.toml")),
    ("municipalities.geojson", include_str!("../study/municipalities.geojson")),
    ("population.csv", include_str!("../study/population.csv")),
    ("counts.csv", include_str!("../study/counts.csv")),
    ("roads.geojson", include_str!("../study/roads.geojson")),
    ("crossings.csv", include_str!("../study/crossings.csv")),
    ("exits.csv", include_str!("../study/exits.csv")),
    ("towns.csv", include_str!("../study/towns.csv")),
    ("posts.csv", include_str!("../study/posts.csv")),
    ("worksites.csv", include_str!("../study/worksites.csv")),
];

/// The text of a file of the study.
///
/// # Panics
/// If there is none of this name.
#[must_use]
pub fn text_of(name: &str) -> &'static str {
    FILES.iter().find(|(file, _)| *file == name).map(|(_, text)| *text).expect("a file of the study")
}

/// The small study in a folder of its own, and its tables.
pub struct Bench {
    folder: TempDir,
    study: Study,
    tables: Mutex<Tables>,
}

/// The one of this process. `scripts/fuzz` removes the folder.
pub fn bench() -> &'static Bench {
    static BENCH: OnceLock<Bench> = OnceLock::new();
    BENCH.get_or_init(Bench::new)
}

/// Call this first: it keeps the work in one thread, so that a run can be repeated, and puts the seeds into the corpus.
pub fn begin(seeds: &[(&str, Vec<u8>)]) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread();
    pool.build_global().expect("the first pool of the process");
    quiet_gdal();
    if let Some(folder) = std::env::var_os("CORREDOR_FUZZ_SEEDS") {
        for (name, bytes) in seeds {
            fs::write(Path::new(&folder).join(format!("seed-{name}")), bytes).expect("the corpus can be written");
        }
    }
    bench();
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (name, text) in FILES {
            fs::write(folder.path().join(name), text).expect("the folder can be written");
        }
        let StudyFile { study, .. } = config::read(folder.path()).expect("the small study is right");
        let mut bench = Self { folder, study, tables: Mutex::default() };
        let mut faults = Faults::default();
        let mut tables = Tables::new();
        for (source, spec) in bench.study.sources.given() {
            let table = bench.read_spec(source, spec, need(source), &mut faults);
            tables.insert(source, table.into_iter().collect());
        }
        build(&bench.study, tables.clone(), "study.toml", &mut faults).expect("PROJ works");
        assert!(!faults.has_errors(), "the small study is at fault: {faults}");
        bench.load(bench.study.clone()).expect("the small study can be loaded");
        bench.tables = Mutex::new(tables);
        bench
    }

    /// Writes a file, and reads it as a source.
    pub fn read(
        &self,
        bytes: &[u8],
        source: &str,
        spec: &SourceSpec,
        need: GeometryNeed,
        faults: &mut Faults,
    ) -> Option<RawTable> {
        fs::write(self.folder.path().join(&spec.path), bytes).expect("the folder can be written");
        self.read_spec(source, spec, need, faults)
    }

    fn read_spec(
        &self,
        source: &str,
        spec: &SourceSpec,
        need: GeometryNeed,
        faults: &mut Faults,
    ) -> Option<RawTable> {
        let rules = ColumnRules { business_register: source == "worksites" };
        let limits = Limits::default();
        let table = read(self.folder.path(), source, spec, need, &rules, &limits, faults);
        let table = table.expect("what is wrong with data is never an error");
        assert!(table.is_some() || faults.has_errors(), "no table, and nobody says why");
        for row in table.iter().flat_map(|table| &table.rows) {
            for at in row.geometry.iter().flat_map(geo::Geometry::coords_iter) {
                assert!(at.x.abs() <= 180.0 && at.y.abs() <= 90.0, "{at:?} is not on the globe");
            }
        }
        table
    }

    /// Builds the domain with `table` in the place of the study's own; whether it is free of errors.
    pub fn model(&self, source: &'static str, table: RawTable, spec: &SourceSpec, faults: &mut Faults) -> bool {
        self.with(source, table, spec, faults, |_, _, faults| !faults.has_errors())
    }

    /// The same, and where there is no error the network too.
    pub fn network(&self, table: RawTable, spec: &SourceSpec, faults: &mut Faults) {
        self.with("roads", table, spec, faults, |study, domain, faults| {
            if faults.has_errors() {
                return;
            }
            let p = &study.parameters;
            let options = BuildOptions {
                tolerance: p.node_tolerance_m,
                max_snap: p.max_snap_m,
                access_speed_kmh: p.access_speed_kmh,
            };
            let built = build_network(domain, options);
            for (id, link) in built.network.links() {
                assert!(link.length.0 >= 0.0 && link.length.0.is_finite(), "{id:?}: length {:?}", link.length);
                assert!(link.time.0 >= 0.0 && link.time.0.is_finite(), "{id:?}: time {:?}", link.time);
                assert!(link.line.0.len() >= 2, "{id:?} has no line");
                assert!(link.line.0.iter().all(|at| at.x.is_finite() && at.y.is_finite()), "{id:?}");
            }
            let _ = built.network.components();
            let _ = closed_links(study, "study.toml", domain, &built, faults);
        });
    }

    fn with<T>(
        &self,
        source: &'static str,
        table: RawTable,
        spec: &SourceSpec,
        faults: &mut Faults,
        then: impl FnOnce(&Study, &corredor::model::domain::Domain, &mut Faults) -> T,
    ) -> T {
        let mut study = self.study.clone();
        if let Some(slot) = slot(&mut study, source) {
            slot.clone_from(spec);
        }
        let mut tables = self.tables.lock().expect("nobody has panicked");
        let own = tables.insert(source, vec![table]);
        let domain = build(&study, tables.clone(), "study.toml", faults).expect("PROJ works");
        if let Some(own) = own {
            tables.insert(source, own);
        }
        drop(tables);
        then(&study, &domain, faults)
    }

    /// Loads the whole study with `spec` in the place of one of its sources.
    pub fn load_with(&self, source: &str, spec: &SourceSpec) {
        let mut study = self.study.clone();
        if let Some(slot) = slot(&mut study, source) {
            slot.clone_from(spec);
        }
        told_result(self.load(study));
    }

    /// Loads `study` with the sources of the small one.
    pub fn load_on_own_sources(&self, mut study: Study) {
        let merge = std::mem::take(&mut study.sources.merge);
        study.sources = self.study.sources.clone();
        study.sources.merge = merge;
        told_result(self.load(study));
    }

    fn load(&self, study: Study) -> Result<(), Error> {
        let folder = self.folder.path().to_owned();
        let file = StudyFile { study, name: "study.toml".to_owned(), folder };
        engine::load(file, Progress::new(Lang::Es, true)).map(|loaded| told(&loaded.warnings))
    }

    /// Where the study is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// What geometry a source must have.
#[must_use]
pub fn need(source: &str) -> GeometryNeed {
    match source {
        "municipalities" => GeometryNeed::Polygon,
        "roads" => GeometryNeed::Line,
        "population" | "marginalization" | "counts" => GeometryNeed::None,
        _ => GeometryNeed::Point,
    }
}

fn slot<'a>(study: &'a mut Study, source: &str) -> Option<&'a mut SourceSpec> {
    let sources = &mut study.sources;
    match source {
        "municipalities" => Some(&mut sources.municipalities),
        "population" => Some(&mut sources.population),
        "roads" => Some(&mut sources.roads),
        "marginalization" => Some(sources.marginalization.get_or_insert_default()),
        "counts" => Some(sources.counts.get_or_insert_default()),
        "crossings" => Some(sources.crossings.get_or_insert_default()),
        "exits" => Some(sources.exits.get_or_insert_default()),
        "towns" => Some(sources.towns.get_or_insert_default()),
        "posts" => Some(sources.posts.get_or_insert_default()),
        "worksites" => Some(sources.worksites.get_or_insert_default()),
        _ => None,
    }
}

/// Every fault can be told in both languages.
pub fn told(faults: &Faults) {
    for fault in &faults.0 {
        for lang in [Lang::Es, Lang::En] {
            assert!(!messages::fault_line(lang, fault).is_empty());
        }
    }
}

/// A result is one, or faults; the environment of a target is fit.
pub fn told_result<T>(result: Result<T, Error>) {
    match result {
        Ok(_) => {}
        Err(Error::Faults(faults)) => {
            assert!(faults.has_errors());
            told(&faults);
        }
        Err(other) => panic!("{other:?}"),
    }
}
