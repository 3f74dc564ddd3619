//! What a scenario changes: a question of the kind «what if this road is closed, if it rains, if a post stands there».

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Closure, Profiles};
use crate::error::{Fault, Faults, Rule};
use crate::model::domain::{RoadClass, Surface};

/// What would be otherwise. Trips stay the same, from where to where and how many: only their ways change.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Name for the command line: letters, digits, `-` and `_`.
    pub name: String,
    /// What it is, in a sentence; every output of a run under it says so.
    pub title: String,
    /// Roads and crossings that are closed too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closures: Vec<Closure>,
    /// Roads that are slower or faster, as at other hours or in another season.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub speeds: Vec<SpeedChange>,
    /// Posts that stand too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub posts: Vec<NewPost>,
    /// Behaviour that differs from `parameters.profiles`.
    #[serde(default, skip_serializing_if = "ProfileChange::is_none")]
    pub profiles: ProfileChange,
}

/// A factor on the speed of the roads that are all that is named; at least one thing must be.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpeedChange {
    /// Factor on the speed, 0.05 – 20: 0.5 takes twice the time.
    pub factor: f64,
    /// Road reference, such as `MEX-190`.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Class of road: `toll`, `federal`, `state`, `local`, `foreign` or `ferry`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Surface: `paved`, `partly_paved` or `unpaved`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surface: Option<String>,
}

impl SpeedChange {
    /// Class and surface; `None` where either is of no known name.
    #[must_use]
    pub fn of(&self) -> Option<(Option<RoadClass>, Option<Surface>)> {
        let class =
            self.class.as_deref().map(|name| RoadClass::ALL.into_iter().find(|one| one.name() == name));
        let surface =
            self.surface.as_deref().map(|name| Surface::ALL.into_iter().find(|one| one.name() == name));
        // Known, or not named at all.
        let known = class != Some(None) && surface != Some(None);
        known.then(|| (class.flatten(), surface.flatten()))
    }
}

/// A post that a scenario sets up.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPost {
    /// Name.
    pub name: String,
    /// Longitude and latitude in degrees.
    pub point: [f64; 2],
    /// Who runs it.
    pub operator: String,
    /// What it is for: `migration_control` never counts as coverage.
    pub purpose: String,
    /// Road reference, where several roads are near.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Share of the day on which it is staffed, 0 – 1. Default `planning.staffed_share`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staffed_share: Option<f64>,
}

/// Weights of behaviour and what moves it, in the place of those in `parameters.profiles`; what is left out stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProfileChange {
    /// Weight of travellers who take the fastest way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fast: Option<f64>,
    /// Weight of travellers who avoid fixed posts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avoids_posts: Option<f64>,
    /// Weight of travellers who prefer minor roads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minor_roads: Option<f64>,
    /// What a fixed post costs those who avoid it, minutes, 0 – 600.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post_penalty_min: Option<f64>,
    /// Factor on the time of federal and toll roads for those who prefer minor ones, 1 – 10.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub major_road_factor: Option<f64>,
}

impl ProfileChange {
    /// Whether nothing changes.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// `base` with what changes.
    #[must_use]
    pub fn on(&self, base: &Profiles) -> Profiles {
        Profiles {
            fast: self.fast.unwrap_or(base.fast),
            avoids_posts: self.avoids_posts.unwrap_or(base.avoids_posts),
            minor_roads: self.minor_roads.unwrap_or(base.minor_roads),
            post_penalty_min: self.post_penalty_min.unwrap_or(base.post_penalty_min),
            major_road_factor: self.major_road_factor.unwrap_or(base.major_road_factor),
        }
    }
}

impl Scenario {
    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.closures.is_empty() && self.speeds.is_empty() && self.posts.is_empty() && self.profiles.is_none()
    }
}

/// Checks the scenarios of a study whose own behaviour is `base`; `file` is the study file for messages.
pub(super) fn check(scenarios: &[Scenario], base: &Profiles, file: &str, faults: &mut Faults) {
    let mut names = BTreeSet::new();
    for (i, scenario) in scenarios.iter().enumerate() {
        let path = format!("scenarios[{i}]");
        let at = |field: &str| format!("{path}.{field}");
        let legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let name = &scenario.name;
        if name.is_empty() || !name.chars().all(legal) || !names.insert(name.as_str()) {
            faults.push(Fault::new(Rule::ScenarioName, file).field(at("name")).seen(name.clone()));
        }
        if scenario.is_empty() {
            faults.push(Fault::new(Rule::ScenarioEmpty, file).field(path.clone()));
        }
        super::check_closures(&scenario.closures, &at("closures"), file, faults);
        for (j, change) in scenario.speeds.iter().enumerate() {
            let at = at(&format!("speeds[{j}]"));
            super::range(&format!("{at}.factor"), change.factor, 0.05, 20.0, file, faults);
            let nothing = change.reference.is_none() && change.class.is_none() && change.surface.is_none();
            if nothing || change.of().is_none() {
                let allowed = "ref | class = toll, federal, state, local, foreign, ferry | surface = paved, partly_paved, unpaved";
                faults.push(Fault::new(Rule::SpeedUnmatched, file).field(at).with("detail", allowed));
            }
        }
        for (j, post) in scenario.posts.iter().enumerate() {
            let at = |field: &str| at(&format!("posts[{j}].{field}"));
            for (field, text) in
                [("name", &post.name), ("operator", &post.operator), ("purpose", &post.purpose)]
            {
                super::blank(&at(field), text, file, faults);
            }
            super::range(&at("point[0]"), post.point[0], -180.0, 180.0, file, faults);
            super::range(&at("point[1]"), post.point[1], -90.0, 90.0, file, faults);
            super::range(&at("staffed_share"), post.staffed_share.unwrap_or(0.0), 0.0, 1.0, file, faults);
        }
        super::blank(&at("title"), &scenario.title, file, faults);
        super::check_profiles(&scenario.profiles.on(base), &at("profiles"), file, faults);
    }
}
