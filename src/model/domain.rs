//! The checked domain: places and roads, never persons.

use geo::{Coord, LineString, MultiPolygon};
use serde::Serialize;

use super::counts::Counted;
use super::frame::WorkFrame;
use super::incidence::CountDatum;
use crate::sources::raw::Provenance;
use crate::units::Metres;

/// Everything that a run works on. Coordinates are longitude and latitude in degrees, WGS 84.
#[derive(Debug)]
pub struct Domain {
    /// Municipalities in the order of their codes.
    pub municipalities: Vec<Municipality>,
    /// Roads in the order of the file.
    pub roads: Vec<Road>,
    /// Turns that may not be driven, in the order of the file.
    pub bans: Vec<TurnBan>,
    /// Border crossings in the order of their ids.
    pub crossings: Vec<Crossing>,
    /// Places where trips leave the region, in the order of their ids.
    pub exits: Vec<Exit>,
    /// Named places.
    pub towns: Vec<Town>,
    /// Existing posts.
    pub posts: Vec<Post>,
    /// Workplaces.
    pub worksites: Vec<Worksite>,
    /// What the counts say beside those of the municipalities.
    pub counted: Counted,
    /// The plane for distances.
    pub frame: WorkFrame,
    /// One entry per source that was read.
    pub provenance: Vec<Provenance>,
}

/// How counts came to be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KnownBy {
    /// Reported to an authority.
    Reported,
    /// Found by police work or inspection: it depends on where one looked.
    Found,
}

/// A municipality with what is known of its count.
#[derive(Debug, Clone)]
pub struct Municipality {
    /// Five-digit code of INEGI.
    pub cvegeo: String,
    /// Name.
    pub name: String,
    /// Inhabitants.
    pub population: f64,
    /// CONAPO's index; higher means less marginación.
    pub marginalization: Option<f64>,
    /// The polygon, if it has one of its own.
    pub polygon: Option<MultiPolygon<f64>>,
    /// The code whose polygon it shares, if it has none.
    pub polygon_of: Option<String>,
    /// What is known of the located count.
    pub datum: CountDatum,
    /// How the count came to be known.
    pub known_by: Option<KnownBy>,
    /// How much was looked for cases here, in any unit that is the same everywhere, such as operations in the period.
    pub search_effort: Option<f64>,
    /// What is known of the located count by modality, where the tables tell several apart. Rows without a modality
    /// are in none.
    pub by_modality: Vec<Stratum>,
    /// The same by year, or by the longer period that a row covers.
    pub by_period: Vec<Stratum>,
}

/// A part of a count.
#[derive(Debug, Clone, PartialEq)]
pub struct Stratum {
    /// Modality or period.
    pub name: String,
    /// Its months; 0 where the tables do not say.
    pub months: u32,
    /// What is known of the part.
    pub datum: CountDatum,
}

/// Class of a road, from what it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RoadClass {
    /// Toll motorway.
    Toll,
    /// Federal road.
    Federal,
    /// State road.
    State,
    /// Municipal and rural roads and streets.
    Local,
    /// Road of the neighbouring country.
    Foreign,
    /// Ferry or boat.
    Ferry,
}

impl RoadClass {
    /// All classes.
    pub const ALL: [Self; 6] =
        [Self::Toll, Self::Federal, Self::State, Self::Local, Self::Foreign, Self::Ferry];

    /// The name in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Toll => "toll",
            Self::Federal => "federal",
            Self::State => "state",
            Self::Local => "local",
            Self::Foreign => "foreign",
            Self::Ferry => "ferry",
        }
    }

    /// Speed by class and surface in km/h, where neither the file nor the study gives one. The figures are
    /// planning speeds of light vehicles, below the posted limits; the study's `speeds_kmh` replaces them.
    #[must_use]
    pub const fn default_speed(self, surface: Surface) -> f64 {
        match (self, surface) {
            (Self::Toll, _) => 95.0,
            (Self::Federal, Surface::Paved) => 75.0,
            (Self::Foreign, Surface::Paved) => 60.0,
            (Self::State, Surface::Paved) => 55.0,
            (Self::Local, Surface::Paved) | (Self::Federal | Self::Foreign, Surface::PartlyPaved) => 40.0,
            (Self::State, Surface::PartlyPaved) => 35.0,
            (Self::Federal | Self::Foreign, Surface::Unpaved) | (Self::Local, Surface::PartlyPaved) => 30.0,
            (Self::State, Surface::Unpaved) => 25.0,
            (Self::Local, Surface::Unpaved) => 20.0,
            (Self::Ferry, _) => 15.0,
        }
    }
}

/// Surface of a road.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Surface {
    /// Paved.
    Paved,
    /// Paved in part.
    PartlyPaved,
    /// Gravel or earth.
    Unpaved,
}

impl Surface {
    /// All surfaces.
    pub const ALL: [Self; 3] = [Self::Paved, Self::PartlyPaved, Self::Unpaved];

    /// The name in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Paved => "paved",
            Self::PartlyPaved => "partly_paved",
            Self::Unpaved => "unpaved",
        }
    }
}

/// In which directions a road may be driven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Both.
    Both,
    /// Along the line.
    Forward,
    /// Against the line.
    Backward,
    /// Neither.
    Closed,
}

impl Direction {
    /// The direction seen from the other end.
    #[must_use]
    pub const fn reversed(self) -> Self {
        match self {
            Self::Forward => Self::Backward,
            Self::Backward => Self::Forward,
            other => other,
        }
    }

    /// Whether it may be driven along the line.
    #[must_use]
    pub const fn forward(self) -> bool {
        matches!(self, Self::Both | Self::Forward)
    }

    /// Whether it may be driven against the line.
    #[must_use]
    pub const fn backward(self) -> bool {
        matches!(self, Self::Both | Self::Backward)
    }
}

/// One part of one road record.
#[derive(Debug, Clone)]
pub struct Road {
    /// Layer of the record, where it is another than that of the roads.
    pub layer: Option<&'static str>,
    /// Id of the record; parts of a multi-line share it.
    pub id: String,
    /// Row in the file.
    pub row: u64,
    /// Road reference, such as `MEX-200`; blank where there is none.
    pub reference: String,
    /// Class.
    pub class: RoadClass,
    /// Surface.
    pub surface: Surface,
    /// Whether a toll is paid.
    pub toll: bool,
    /// Directions.
    pub direction: Direction,
    /// Speed in km/h.
    pub speed_kmh: f64,
    /// Length along the road, where the line is only schematic; else the geodesic length of the line.
    pub length: Metres,
    /// Region of the road, such as `MEX-CHIS`; blank where not given.
    pub region: String,
    /// Whether the line is schematic.
    pub schematic: bool,
    /// Keys of the junctions at its first and last position, where the file states them: then roads meet where
    /// their keys are equal, and only there.
    pub ends: Option<[i64; 2]>,
    /// Level of grade separation; roads of different levels meet at their ends only.
    pub level: i32,
    /// The line.
    pub line: LineString<f64>,
}

/// A sequence of roads that may not be driven one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnBan {
    /// Layer of the record, where the format has several.
    pub layer: Option<String>,
    /// Id of the record.
    pub id: String,
    /// Row in the file; 0 where it has none.
    pub row: u64,
    /// Key of the junction between the first two roads, where it is stated.
    pub via: Option<i64>,
    /// Indices of the roads, at least two.
    pub roads: Vec<usize>,
}

/// Legal standing of a crossing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CrossingStatus {
    /// With customs and migration offices.
    Formal,
    /// Local traffic.
    Local,
    /// Without control; restricted audience only.
    Informal,
}

impl CrossingStatus {
    /// The name in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Formal => "formal",
            Self::Local => "local",
            Self::Informal => "informal",
        }
    }
}

/// The road end on one side of a crossing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Approach {
    /// Where it meets the network.
    pub at: Coord<f64>,
    /// Length from the gate to there.
    pub length: Metres,
}

/// A border crossing.
#[derive(Debug, Clone)]
pub struct Crossing {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Row in the file.
    pub row: u64,
    /// The gate.
    pub at: Coord<f64>,
    /// Standing.
    pub status: CrossingStatus,
    /// Traffic that may pass, as text.
    pub mode: String,
    /// Precision of the position in km.
    pub precision_km: Option<f64>,
    /// Relative weight as an origin; 1 unless given.
    pub weight: f64,
    /// Approaches inside and outside; `None`: the gate itself is joined to the nearest road.
    pub approaches: Option<[Approach; 2]>,
}

/// A place where trips leave the region.
#[derive(Debug, Clone)]
pub struct Exit {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Row in the file.
    pub row: u64,
    /// Position.
    pub at: Coord<f64>,
    /// Relative weight; 1 unless given.
    pub weight: f64,
}

/// A named place.
#[derive(Debug, Clone)]
pub struct Town {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Row in the file.
    pub row: u64,
    /// Municipality, where known.
    pub cvegeo: Option<String>,
    /// Whether it is the seat of its municipality.
    pub seat: bool,
    /// Position.
    pub at: Coord<f64>,
}

/// An existing post.
#[derive(Debug, Clone)]
pub struct Post {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Row in the file.
    pub row: u64,
    /// Road reference, where given.
    pub reference: String,
    /// Who runs it.
    pub operator: String,
    /// What it is for.
    pub purpose: String,
    /// Share of the day on which it is staffed, where given.
    pub staffed_share: Option<f64>,
    /// Precision of the position in km.
    pub precision_km: Option<f64>,
    /// Position.
    pub at: Coord<f64>,
}

impl Post {
    /// Whether it counts as coverage. Migration control never does: it is not there to find victims, and
    /// a person who fears it does not ask it for help.
    #[must_use]
    pub fn counts_as_coverage(&self) -> bool {
        let purpose = self.purpose.to_lowercase();
        !(purpose.contains("migra") || self.operator.eq_ignore_ascii_case("inm"))
    }
}

/// A workplace.
#[derive(Debug, Clone)]
pub struct Worksite {
    /// Id.
    pub id: String,
    /// Name of the establishment; restricted.
    pub name: String,
    /// Row in the file.
    pub row: u64,
    /// Number of the file among those of the source.
    pub table: usize,
    /// CLEE of the business register; blank where there is none.
    pub clee: String,
    /// Municipality.
    pub cvegeo: String,
    /// SCIAN class, two to six digits.
    pub scian: String,
    /// Sector as text.
    pub sector: String,
    /// Size class as text.
    pub size: String,
    /// Days from the last visit to the study's reference date; `None` where no visit is known.
    pub days_since_visit: Option<i64>,
    /// Date of the last visit.
    pub last_visit: Option<String>,
    /// Open complaints, where known.
    pub complaints: Option<u32>,
    /// Whether it is made up, as in the demo.
    pub synthetic: bool,
    /// Position.
    pub at: Coord<f64>,
}
