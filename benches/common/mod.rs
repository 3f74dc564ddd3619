//! What the benches share: the embedded Chiapas study, written to a temporary folder and loaded as a run loads it.

#![allow(dead_code, reason = "each bench is a program of its own and uses a part of this")]

use std::path::Path;
use std::sync::atomic::AtomicBool;

use corredor::cli::config::{self, StudyFile};
use corredor::cli::embedded;
use corredor::cli::engine::{self, Loaded};
use corredor::cli::progress::Progress;
use corredor::corridors::choice::LinkCosts;
use corredor::corridors::demand::Places;
use corredor::corridors::draws::{Flows, Inputs};
use corredor::corridors::passage::Passages;
use corredor::corridors::routing::Router;
use corredor::corridors::sensitivity::Sensitivity;
use corredor::ids::LinkId;
use corredor::incidence::{CountCell, CountModel};
use corredor::layers::feature::Lang;
use corredor::model::build::Tables;
use corredor::model::incidence::CountDatum;
use corredor::model::study::Study;
use corredor::network::builder::BuildOptions;
use corredor::network::cch::Hierarchy;
use corredor::network::search::Arcs;
use corredor::sources::raw::RawTable;
use corredor::sources::spec::{GeometryNeed, SourceSpec};
use corredor::sources::{self, ColumnRules, Limits};
use tempfile::TempDir;

/// Messages of a run that says nothing.
pub(crate) fn silent() -> Progress {
    Progress::new(Lang::Es, true)
}

/// The embedded study in a temporary folder.
pub(crate) fn folder() -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder");
    embedded::write(dir.path()).expect("the embedded study");
    dir
}

/// The study file of a folder.
pub(crate) fn study_file(dir: &Path) -> StudyFile {
    config::read(dir).expect("a valid study file")
}

/// One source of a study, read whole.
pub(crate) fn read(dir: &Path, name: &str, spec: &SourceSpec) -> RawTable {
    let need = match name {
        "municipalities" => GeometryNeed::Polygon,
        "roads" => GeometryNeed::Line,
        "population" | "counts" => GeometryNeed::None,
        _ => GeometryNeed::Point,
    };
    let rules = ColumnRules { business_register: name == "worksites" };
    let mut faults = corredor::error::Faults::default();
    let table = sources::read(dir, name, spec, need, &rules, &Limits::default(), &mut faults);
    table.expect("a readable source").expect("a source without faults")
}

/// All sources of a study.
pub(crate) fn tables(dir: &Path, study: &Study) -> Tables {
    study.sources.given().into_iter().map(|(name, spec)| (name, vec![read(dir, name, spec)])).collect()
}

/// The embedded study, loaded, with this number of draws.
pub(crate) fn loaded(draws: u32) -> Loaded {
    let dir = folder();
    let mut file = study_file(dir.path());
    file.study.parameters.draws = draws;
    engine::load(file, silent()).expect("a study that can be run")
}

/// How the network of a study is built.
pub(crate) const fn options(study: &Study) -> BuildOptions {
    BuildOptions {
        tolerance: study.parameters.node_tolerance_m,
        max_snap: study.parameters.max_snap_m,
        access_speed_kmh: study.parameters.access_speed_kmh,
    }
}

/// What is known of the municipalities' counts.
pub(crate) fn data(loaded: &Loaded) -> Vec<CountDatum> {
    loaded.domain.municipalities.iter().map(|m| m.datum).collect()
}

/// The same with exposures.
pub(crate) fn cells(loaded: &Loaded) -> Vec<CountCell> {
    let years = loaded.study.incidence.years();
    let municipalities = &loaded.domain.municipalities;
    municipalities.iter().map(|m| CountCell { exposure: m.population * years, datum: m.datum }).collect()
}

/// The count model of a study.
pub(crate) fn counts(loaded: &Loaded) -> CountModel {
    CountModel::prepare(&cells(loaded), loaded.study.incidence.total, &engine::count_options(&loaded.study))
        .expect("counts that can hold")
}

/// What draws are made from.
pub(crate) struct Routing {
    /// The study and its network.
    pub(crate) loaded: Loaded,
    /// Who travels from where to where.
    pub(crate) places: Places,
    counts: CountModel,
    arcs: Arcs,
    router: Router,
    costs: LinkCosts,
    passages: Passages,
}

impl Routing {
    /// Of a loaded study.
    pub(crate) fn new(loaded: Loaded) -> Self {
        let network = &loaded.built.network;
        let mut on_link = vec![0_u32; network.link_count()];
        loaded.built.posts.iter().flatten().for_each(|post| on_link[post.link.index()] += 1);
        let arcs = Arcs::new(network);
        let at: Vec<_> = network.graph().node_weights().map(|junction| junction.at).collect();
        Self {
            router: Router::Kernel(Box::new(Hierarchy::new(&arcs, &at))),
            places: Places::new(&loaded.domain, &data(&loaded), &loaded.built),
            counts: counts(&loaded),
            arcs,
            passages: Passages::new(network, &loaded.domain),
            costs: LinkCosts::new(network, on_link, loaded.closed.clone(), vec![1.0; network.link_count()]),
            loaded,
        }
    }

    /// All draws of the study.
    pub(crate) fn flows(&self) -> Flows {
        Flows::run(&self.inputs(&AtomicBool::new(false))).expect("a run that nothing stops")
    }

    /// Indices of one corridor, the first hundred links, over `n` base samples.
    pub(crate) fn sensitivity(&self, n: u32) -> Sensitivity {
        let network = &self.loaded.built.network;
        let links: Vec<LinkId> = (0..100).map(LinkId).collect();
        Sensitivity::new(&self.inputs(&AtomicBool::new(false)), network, &[&links], n)
            .expect("a run that nothing stops")
    }

    fn inputs<'a>(&'a self, stop: &'a AtomicBool) -> Inputs<'a> {
        Inputs {
            study: &self.loaded.study,
            places: &self.places,
            arcs: &self.arcs,
            router: &self.router,
            costs: &self.costs,
            profiles: None,
            counts: &self.counts,
            passages: &self.passages,
            stop,
            progress: &|| {},
        }
    }
}
