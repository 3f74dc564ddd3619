//! The study file: sources, parameters and outputs. Every field has a default, a unit and a range here;
//! the JSON Schema is generated from these types.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::prior::Prior;
use crate::error::{Fault, Faults, Rule};

mod incidence;
mod scenario;
mod sources;

pub use incidence::{
    Bym2Spec, CountLaw, HotSpotSpec, IncidenceSpec, Inference, ModalitySpec, Neighbours, UnderDetection,
};
pub use scenario::{NewPost, ProfileChange, Scenario, SpeedChange};
pub use sources::Sources;

/// The version of the study format that this program reads.
pub const FORMAT: u32 = 1;

/// A study: what to read, what to assume, what to write.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Study {
    /// Version of the study format; 1.
    pub format: u32,
    /// Seed of every random number. Default 1.
    #[serde(default = "one")]
    pub seed: u64,
    /// Name, title and region.
    pub study: About,
    /// The input files.
    pub sources: Sources,
    /// What is known of the counts as a whole.
    #[serde(default)]
    pub incidence: IncidenceSpec,
    /// Parameters of the model.
    #[serde(default)]
    pub parameters: Parameters,
    /// Roads and crossings that are closed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closures: Vec<Closure>,
    /// What would be otherwise: `corredor run --scenario NAME` tells what changes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scenarios: Vec<Scenario>,
    /// Posts and worksites.
    #[serde(default)]
    pub planning: PlanningSpec,
    /// Where a person who is found is taken; without it no posts and no visits are written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referral: Option<Referral>,
    /// Who answers for the result; without it every output is marked as a draft.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_off: Option<SignOff>,
    /// Protection of small counts.
    #[serde(default)]
    pub disclosure: DisclosureSpec,
}

/// Name, title and region of a study.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// Short name, used in file and layer names.
    pub name: String,
    /// Title of maps and reports.
    pub title: String,
    /// Region that every feature carries, such as `Chiapas`.
    pub region: String,
    /// Two-digit codes of its entities (states), such as `07`: from files of the whole country only their records
    /// are kept. All if left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entities: Vec<String>,
    /// Sentences that every output repeats, such as that roads are schematic.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Sources and licences to name beside the result.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributions: Vec<String>,
}

/// Parameters of demand, route choice and the network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Parameters {
    /// Number of draws, 10 – 100,000. Default 200.
    pub draws: u32,
    /// Route perturbations in each draw, 1 – 64. Default 8.
    pub perturbations: u32,
    /// Distance within which line ends are one junction, metres, 0 – 1,000. Default 10.
    pub node_tolerance_m: f64,
    /// Largest distance from a point to the road it is joined to, metres, 0 – 100,000. Default 5,000.
    pub max_snap_m: f64,
    /// Speed off the network between a point and its road, km/h, 1 – 120. Default 15.
    pub access_speed_kmh: f64,
    /// Speed of a road without one, km/h, by `class/surface` or `class`. Standard classes have defaults.
    pub speeds_kmh: BTreeMap<String, f64>,
    /// Decay of demand with travel time, per minute, 0 – 1. Default log-normal, median 0.02, σ 0.35.
    pub gamma: Prior,
    /// Weight of marginación in domestic recruitment, −2 – 2. Default normal, 0.3, sd 0.1.
    pub kappa: Prior,
    /// Share of demand from border origins, 0 – 1. Default Beta(3.6, 6.4).
    pub border_share: Prior,
    /// Share of demand that leaves through the exits, 0 – 1. Default Beta(2, 8).
    pub exit_share: Prior,
    /// Concentration of the Dirichlet prior of crossing weights, 0.1 – 10,000 per crossing. Default 4.
    pub crossing_concentration: f64,
    /// Variance of perceived cost per minute of cost, minutes, 0 – 60. Default log-normal, median 1, σ 0.4.
    pub route_variance_min: Prior,
    /// Factor on the speed of each class of road, 0.1 – 10. Default log-normal, median 1, σ 0.1.
    pub speed_factor: Prior,
    /// Time lost at a border crossing, minutes, 0 – 1,440. Default log-normal, median 15, σ 0.5.
    pub crossing_min: Prior,
    /// How many in ten travel by each behaviour: Dirichlet weights above 0.
    pub profiles: Profiles,
    /// Probability with which a section must stand in the top tenth of road length, 0.5 – 1. Default 0.8.
    pub membership: f64,
    /// Corridors shorter than this are joined to their neighbour, km, 0 – 100. Default 8.
    pub corridor_min_km: f64,
    /// Base samples for the sensitivity of the leading corridors' scores, and with them cross-checks by other models of
    /// route choice; 0 for neither, or 16 – 16,384. Default 0. Each of `n` samples costs k + 2 rows, k up to 11, a row as much
    /// as a draw; rows that share their routes are assigned together, so that some 8 are left.
    pub sensitivity_samples: u32,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            draws: 200,
            perturbations: 8,
            node_tolerance_m: 10.0,
            max_snap_m: 5_000.0,
            access_speed_kmh: 15.0,
            speeds_kmh: BTreeMap::new(),
            gamma: Prior::Lognormal { median: 0.02, sigma: 0.35 },
            kappa: Prior::Normal { mean: 0.3, sd: 0.1 },
            border_share: Prior::Beta { a: 3.6, b: 6.4 },
            exit_share: Prior::Beta { a: 2.0, b: 8.0 },
            crossing_concentration: 4.0,
            route_variance_min: Prior::Lognormal { median: 1.0, sigma: 0.4 },
            speed_factor: Prior::Lognormal { median: 1.0, sigma: 0.1 },
            crossing_min: Prior::Lognormal { median: 15.0, sigma: 0.5 },
            profiles: Profiles::default(),
            membership: 0.8,
            corridor_min_km: 8.0,
            sensitivity_samples: 0,
        }
    }
}

/// Behaviour profiles, mixed by Dirichlet weights.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Profiles {
    /// Weight of travellers who take the fastest way. Default 6.
    pub fast: f64,
    /// Weight of travellers who avoid fixed posts. Default 2.
    pub avoids_posts: f64,
    /// Weight of travellers who prefer minor roads. Default 2.
    pub minor_roads: f64,
    /// What a fixed post costs those who avoid it, minutes, 0 – 600. Default 20.
    pub post_penalty_min: f64,
    /// Factor on the time of federal and toll roads for those who prefer minor ones, 1 – 10. Default 1.3.
    pub major_road_factor: f64,
}

impl Default for Profiles {
    fn default() -> Self {
        Self {
            fast: 6.0,
            avoids_posts: 2.0,
            minor_roads: 2.0,
            post_penalty_min: 20.0,
            major_road_factor: 1.3,
        }
    }
}

/// A closed road or crossing: exactly one way to name it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Closure {
    /// Name for messages.
    #[serde(default)]
    pub name: String,
    /// Road reference; needs `between`.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Two towns on that road.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub between: Option<[String; 2]>,
    /// Longitude and latitude in degrees; needs `radius_m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub point: Option<[f64; 2]>,
    /// Radius around `point` in metres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub radius_m: Option<f64>,
    /// Id of a road record, or of a link of the `roads` layer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Id of a crossing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crossing: Option<String>,
}

/// Posts and worksites.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PlanningSpec {
    /// Posts to propose, 0 – 1,000. Default 10.
    pub posts: u32,
    /// Draws whose paths are kept for planning, 1 – 10,000. Default 100. Transit is taken from 100 draws at least.
    pub draws: u32,
    /// Share of the day on which a proposed post is staffed, 0 – 1. Default 1/3.
    pub staffed_share: f64,
    /// Probability that a staffed post detects a trip that passes, 0 – 1. Default Beta(1, 9).
    pub detection: Prior,
    /// Radius within which links count for a workplace's exposure, metres, 0 – 50,000. Default 3,000.
    pub exposure_radius_m: f64,
    /// The day on which times since the last visit are counted, `YYYY-MM-DD`.
    pub reference_date: String,
    /// Weights of the factors of a workplace's score.
    pub weights: WorksiteWeights,
    /// Weight of each sector by SCIAN prefix, 0 – 10; the longest prefix wins; 1 where none fits.
    pub sectors: BTreeMap<String, f64>,
}

impl Default for PlanningSpec {
    fn default() -> Self {
        Self {
            posts: 10,
            draws: 100,
            staffed_share: 1.0 / 3.0,
            detection: Prior::Beta { a: 1.0, b: 9.0 },
            exposure_radius_m: 3_000.0,
            reference_date: "2021-01-01".to_owned(),
            weights: WorksiteWeights::default(),
            sectors: BTreeMap::new(),
        }
    }
}

/// Weights of the factors of a workplace's score, 0 – 10 each.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WorksiteWeights {
    /// Sector. Default 1.
    pub sector: f64,
    /// Rate of the municipality. Default 1.
    pub rate: f64,
    /// Flow that passes on its way to other municipalities. Default 1.
    pub exposure: f64,
    /// Time since the last visit. Default 0.5.
    pub since_visit: f64,
    /// Open complaints. Default 1.
    pub complaints: f64,
}

impl Default for WorksiteWeights {
    fn default() -> Self {
        Self { sector: 1.0, rate: 1.0, exposure: 1.0, since_visit: 0.5, complaints: 1.0 }
    }
}

/// The referral path: where a person who is found is taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Referral {
    /// Authority that attends victims.
    pub victim_authority: String,
    /// Contact that answers at any hour.
    pub contact_24h: String,
    /// The rule of non-punishment, as it is to be printed.
    pub non_punishment: String,
    /// Whether this is only an example, as in the demo.
    #[serde(default)]
    pub example: bool,
}

/// Who answers for the result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignOff {
    /// Name.
    pub name: String,
    /// Office.
    pub office: String,
    /// Date, `YYYY-MM-DD`.
    pub date: String,
}

/// Protection of small counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DisclosureSpec {
    /// Counts below this are published as a band, 11 – 1,000. Default 15.
    pub k: u32,
    /// Secret that keys the commitment in the public manifest; without it there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commitment_key: Option<String>,
}

impl Default for DisclosureSpec {
    fn default() -> Self {
        Self { k: 15, commitment_key: None }
    }
}

const fn one() -> u64 {
    1
}

impl Study {
    /// Checks what types cannot: ranges, closures, texts that must not be blank. All faults in one pass;
    /// `file` is the study file for messages.
    pub fn check(&self, file: &str, faults: &mut Faults) {
        if self.format != FORMAT {
            faults.push(
                Fault::new(Rule::FormatVersion, file)
                    .field("format")
                    .with("expected", FORMAT)
                    .with("found", self.format),
            );
        }
        self.check_ranges(file, faults);
        self.check_priors(file, faults);
        self.incidence.check_unused(file, faults);
        self.sources.check(file, &self.study.entities, faults);
        if date(&self.planning.reference_date).is_none() {
            faults.push(Fault::new(Rule::DateFormat, file).field("planning.reference_date"));
        }
        check_closures(&self.closures, "closures", file, faults);
        scenario::check(&self.scenarios, &self.parameters.profiles, file, faults);
        let mut blank = |path: &str, text: &str| blank(path, text, file, faults);
        blank("study.name", &self.study.name);
        blank("study.title", &self.study.title);
        blank("study.region", &self.study.region);
        if let Some(referral) = &self.referral {
            blank("referral.victim_authority", &referral.victim_authority);
            blank("referral.contact_24h", &referral.contact_24h);
            blank("referral.non_punishment", &referral.non_punishment);
        }
        if let Some(sign) = &self.sign_off {
            blank("sign_off.name", &sign.name);
            blank("sign_off.office", &sign.office);
            if date(&sign.date).is_none() {
                faults.push(Fault::new(Rule::DateFormat, file).field("sign_off.date"));
            }
        }
    }

    fn check_ranges(&self, file: &str, faults: &mut Faults) {
        check_profiles(&self.parameters.profiles, "parameters.profiles", file, faults);
        let mut range = |path: &str, value, low, high| range(path, value, low, high, file, faults);
        let p = &self.parameters;
        range("parameters.draws", p.draws.into(), 10.0, 100_000.0);
        range("parameters.perturbations", p.perturbations.into(), 1.0, 64.0);
        range("parameters.node_tolerance_m", p.node_tolerance_m, 0.0, 1_000.0);
        range("parameters.max_snap_m", p.max_snap_m, 0.0, 100_000.0);
        range("parameters.access_speed_kmh", p.access_speed_kmh, 1.0, 120.0);
        for (key, &speed) in &p.speeds_kmh {
            range(&format!("parameters.speeds_kmh.{key}"), speed, 1.0, 200.0);
        }
        range("parameters.crossing_concentration", p.crossing_concentration, 0.1, 10_000.0);
        range("parameters.membership", p.membership, 0.5, 1.0);
        range("parameters.corridor_min_km", p.corridor_min_km, 0.0, 100.0);
        if p.sensitivity_samples != 0 {
            range("parameters.sensitivity_samples", p.sensitivity_samples.into(), 16.0, 16_384.0);
        }
        self.incidence.check_ranges(&mut range);
        let plan = &self.planning;
        range("planning.posts", plan.posts.into(), 0.0, 1_000.0);
        range("planning.draws", plan.draws.into(), 1.0, 10_000.0);
        range("planning.staffed_share", plan.staffed_share, 0.0, 1.0);
        range("planning.exposure_radius_m", plan.exposure_radius_m, 0.0, 50_000.0);
        for (key, &weight) in &plan.sectors {
            range(&format!("planning.sectors.{key}"), weight, 0.0, 10.0);
        }
        let w = plan.weights;
        for (key, weight) in [
            ("sector", w.sector),
            ("rate", w.rate),
            ("exposure", w.exposure),
            ("since_visit", w.since_visit),
            ("complaints", w.complaints),
        ] {
            range(&format!("planning.weights.{key}"), weight, 0.0, 10.0);
        }
        range("disclosure.k", self.disclosure.k.into(), 11.0, 1_000.0);
    }

    fn check_priors(&self, file: &str, faults: &mut Faults) {
        let p = &self.parameters;
        let wrong = self.incidence.check_laws(file, faults);
        for (path, prior, low, high) in [
            ("parameters.gamma", p.gamma, 0.0, 1.0),
            ("parameters.kappa", p.kappa, -2.0, 2.0),
            ("parameters.border_share", p.border_share, 0.0, 1.0),
            ("parameters.exit_share", p.exit_share, 0.0, 1.0),
            ("parameters.route_variance_min", p.route_variance_min, 0.0, 60.0),
            ("parameters.speed_factor", p.speed_factor, 0.1, 10.0),
            ("parameters.crossing_min", p.crossing_min, 0.0, 1_440.0),
            ("incidence.unlocated", self.incidence.unlocated, 0.0, 1.0),
            ("incidence.rate", self.incidence.rate, 1e-7, 1e5),
            ("incidence.heterogeneity", self.incidence.heterogeneity, 1e-3, 1e3),
            ("planning.detection", self.planning.detection, 0.0, 1.0),
        ] {
            if let Some(range) = prior.problem(low, high)
                && !wrong.contains(&path)
            {
                faults.push(Fault::new(Rule::ParameterRange, file).field(path).with("range", range));
            }
        }
        let counts = &self.incidence;
        let scenario = counts.under_detection.map(|scenario| scenario.probability);
        // These are not only drawn: their posterior is worked out for one law.
        // A share of exactly 1, or next to 0 or 1, leaves nothing to be located, or nothing to tell apart.
        let fits = match counts.unlocated {
            Prior::Fixed(pi) => pi == 0.0 || (1e-9..=1.0 - 1e-9).contains(&pi),
            Prior::Beta { a, b } => [a, b].iter().all(|shape| (0.01..=1e6).contains(shape)),
            _ => true,
        };
        if !fits {
            let range = "0, 1e-9 – 1 − 1e-9 | beta: a, b 0.01 – 1e6";
            faults.push(
                Fault::new(Rule::ParameterRange, file).field("incidence.unlocated").with("range", range),
            );
        }
        // A share of 0 would divide by nothing.
        if let Some(range) = scenario
            .and_then(|prior| prior.problem(1e-4, 1.0))
            .filter(|_| matches!(scenario, Some(Prior::Fixed(_))))
        {
            let path = "incidence.under_detection.probability";
            faults.push(Fault::new(Rule::ParameterRange, file).field(path).with("range", range));
        }
    }
}

/// Checks that a number is within its range.
fn range(path: &str, value: f64, low: f64, high: f64, file: &str, faults: &mut Faults) {
    if !(value.is_finite() && value >= low && value <= high) {
        faults.push(
            Fault::new(Rule::ParameterRange, file)
                .field(path)
                .seen(value.to_string())
                .with("range", format!("{low} – {high}")),
        );
    }
}

/// Checks that a text says something.
fn blank(path: &str, text: &str, file: &str, faults: &mut Faults) {
    if text.trim().is_empty() {
        faults.push(Fault::new(Rule::ValueEmpty, file).field(path));
    }
}

/// Checks that each closure names its place in one way.
fn check_closures(closures: &[Closure], path: &str, file: &str, faults: &mut Faults) {
    for (i, _) in closures.iter().enumerate().filter(|(_, closure)| closure.target().is_none()) {
        faults.push(
            Fault::new(Rule::ClosureUnmatched, file)
                .field(format!("{path}[{i}]"))
                .with("detail", "ref + between | point + radius_m | link | crossing"),
        );
    }
}

/// Checks the weights of behaviour.
fn check_profiles(profiles: &Profiles, path: &str, file: &str, faults: &mut Faults) {
    let mut range =
        |field: &str, value, low, high| range(&format!("{path}{field}"), value, low, high, file, faults);
    range(".fast", profiles.fast, 0.0, 1e6);
    range(".avoids_posts", profiles.avoids_posts, 0.0, 1e6);
    range(".minor_roads", profiles.minor_roads, 0.0, 1e6);
    range(".post_penalty_min", profiles.post_penalty_min, 0.0, 600.0);
    range(".major_road_factor", profiles.major_road_factor, 1.0, 10.0);
    range("", profiles.fast + profiles.avoids_posts + profiles.minor_roads, 1e-6, 3e6);
}

/// The one way in which a closure names its place.
#[derive(Debug, Clone, PartialEq)]
pub enum ClosureTarget<'a> {
    /// A road between two towns.
    Between(&'a str, &'a str, &'a str),
    /// Longitude, latitude in degrees and a radius in metres.
    Around([f64; 2], f64),
    /// A record or link id.
    Link(&'a str),
    /// A crossing id.
    Crossing(&'a str),
}

impl Closure {
    /// What is closed; `None` unless exactly one way is used, whole.
    #[must_use]
    pub fn target(&self) -> Option<ClosureTarget<'_>> {
        match (&self.reference, &self.between, &self.point, self.radius_m, &self.link, &self.crossing) {
            (Some(reference), Some([a, b]), None, None, None, None) => {
                Some(ClosureTarget::Between(reference, a, b))
            }
            (None, None, Some(point), Some(radius), None, None)
                if point.iter().all(|v| v.is_finite()) && radius.is_finite() && radius >= 0.0 =>
            {
                Some(ClosureTarget::Around(*point, radius))
            }
            (None, None, None, None, Some(link), None) => Some(ClosureTarget::Link(link)),
            (None, None, None, None, None, Some(crossing)) => Some(ClosureTarget::Crossing(crossing)),
            _ => None,
        }
    }
}

/// The date of `YYYY-MM-DD`, in that form only.
#[must_use]
pub fn date(text: &str) -> Option<NaiveDate> {
    // The parser alone would take one-digit months.
    (text.len() == 10).then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_of_the_calendar() {
        assert!(date("2024-02-29").is_some());
        for bad in ["2023-02-29", "2023-13-01", "2023-1-01", "20230101", "", "2023-04-31", "éé23-04-3"] {
            assert_eq!(date(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_closure_names_its_place_in_one_way() {
        let link = Closure { link: Some("a".into()), ..Closure::default() };
        assert_eq!(link.target(), Some(ClosureTarget::Link("a")));
        let both = Closure { link: Some("a".into()), crossing: Some("b".into()), ..Closure::default() };
        assert_eq!(both.target(), None);
        let half = Closure { reference: Some("MEX-200".into()), ..Closure::default() };
        assert_eq!(half.target(), None);
    }
}
