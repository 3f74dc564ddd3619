//! The sources of a study, and what can be said of them before a file is opened.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Fault, Faults, Rule};
use crate::sources::spec::{Preset, SourceSpec};
use crate::sources::{CODED, month_of};

/// The input files. `municipalities`, `population` and `roads` are needed.
///
/// A source with a `preset` is read by the layout of that name; without one its columns are found by the names
/// below, or by `fields`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sources {
    /// Polygons: `cvegeo`, `name`.
    pub municipalities: SourceSpec,
    /// Table: `cvegeo`, `name`, `population`, `marginalization` (optional: CONAPO's index).
    pub population: SourceSpec,
    /// Table: `cvegeo`, `marginalization`; where the population table has no such column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marginalization: Option<SourceSpec>,
    /// Table: `cvegeo` and `count`, or `count_min` and `count_max`; `known_by` (`reported` or `found`); optional
    /// `period` and `modality`, over which the counts of a municipality are added up. Code `07998` or `07999`:
    /// cases without a municipality.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<SourceSpec>,
    /// Lines: `id`, `ref`, `class`, `surface`, `toll`, `oneway`, `speed_kmh`, `length_km`; only `class` is
    /// needed. Optional `from_node`, `to_node` (keys of junctions) and `level`.
    pub roads: SourceSpec,
    /// Points: `id`, `name`, `status`, `mode`; optional `inside_lon` … `outside_km` for the approaches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crossings: Option<SourceSpec>,
    /// Points: `id`, `name`, `weight`; where trips leave the region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exits: Option<SourceSpec>,
    /// Points: `id`, `name`, `cvegeo`, `seat`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub towns: Option<SourceSpec>,
    /// Points: `id`, `name`, `operator`, `purpose`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posts: Option<SourceSpec>,
    /// Points: `id`, `cvegeo`, `scian`, `sector`, `size`, `last_visit`, `complaints`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worksites: Option<SourceSpec>,
    /// Municipalities that the polygons do not know, by the code whose polygon they share.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub merge: BTreeMap<String, String>,
    /// Whether paths may be absolute, and links lead out of the study folder. Default false: a study that was
    /// received from others then reads nothing but what came with it. `..` is refused either way.
    #[serde(default, skip_serializing_if = "is_false")]
    pub allow_outside: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
const fn is_false(value: &bool) -> bool {
    !*value
}

impl Sources {
    /// The sources that are given, by name, in a fixed order.
    #[must_use]
    pub fn given(&self) -> Vec<(&'static str, &SourceSpec)> {
        [
            ("municipalities", Some(&self.municipalities)),
            ("population", Some(&self.population)),
            ("marginalization", self.marginalization.as_ref()),
            ("counts", self.counts.as_ref()),
            ("roads", Some(&self.roads)),
            ("crossings", self.crossings.as_ref()),
            ("exits", self.exits.as_ref()),
            ("towns", self.towns.as_ref()),
            ("posts", self.posts.as_ref()),
            ("worksites", self.worksites.as_ref()),
        ]
        .into_iter()
        .filter_map(|(name, spec)| spec.map(|spec| (name, spec)))
        .collect()
    }
}

impl Sources {
    /// Checks presets and the options that belong to them, at `sources.NAME.KEY` of the study file.
    pub(super) fn check(&self, file: &str, entities: &[String], faults: &mut Faults) {
        let mut codes = |path: String, list: &[String]| {
            for code in list {
                let known = code.len() == 2 && code.parse::<u8>().is_ok_and(|code| (1..=32).contains(&code));
                if !known {
                    faults.push(
                        Fault::new(Rule::ParameterRange, file)
                            .field(&path)
                            .seen(code)
                            .with("range", "01 – 32"),
                    );
                }
            }
        };
        codes("study.entities".to_owned(), entities);
        for (name, spec) in self.given() {
            codes(format!("sources.{name}.entities"), &spec.entities);
        }
        for (name, spec) in self.given() {
            let mut refuse = |key: &str, allowed: String| {
                let path = format!("sources.{name}.{key}");
                faults.push(Fault::new(Rule::KeyMisplaced, file).field(path).with("allowed", allowed));
            };
            if let Some(preset) = spec.preset
                && !preset.sources().contains(&name)
            {
                refuse("preset", preset.sources().join(", "));
            }
            if !spec.entities.is_empty() && !CODED.contains(&name) {
                refuse("entities", CODED.join(", "));
            }
            let mine = spec.preset.or_else(|| plain(name));
            for (key, presets) in spec.special() {
                if mine.is_none_or(|mine| !presets.contains(&mine)) {
                    refuse(key, presets.iter().map(|p| p.name()).collect::<Vec<_>>().join(", "));
                }
            }
            let is_prefix = |text: &&String| {
                (1..=6).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
            };
            for prefix in spec.scian.iter().filter(|prefix| !is_prefix(prefix)) {
                let fault = Fault::new(Rule::ParameterRange, file).field(format!("sources.{name}.scian"));
                faults.push(fault.seen(prefix).with("range", "1 – 999999"));
            }
            if let Some([west, south, east, north]) = spec.bbox
                && !(-180.0 <= west
                    && west < east
                    && east <= 180.0
                    && -90.0 <= south
                    && south < north
                    && north <= 90.0)
            {
                let fault = Fault::new(Rule::ParameterRange, file).field(format!("sources.{name}.bbox"));
                faults.push(fault.with("range", "[west, south, east, north]"));
            }
            for (key, month) in [("from", &spec.from), ("to", &spec.to)] {
                if month.as_deref().is_some_and(|text| month_of(text).is_none()) {
                    let path = format!("sources.{name}.{key}");
                    let fault = Fault::new(Rule::ParameterRange, file).field(path);
                    faults.push(fault.seen(month.clone().unwrap_or_default()).with("range", "YYYY, YYYY-MM"));
                }
            }
        }
    }
}

/// What a source is read as where it names no preset.
fn plain(name: &str) -> Option<Preset> {
    match name {
        "roads" => Some(Preset::Lines),
        "counts" => Some(Preset::Counts),
        "worksites" => Some(Preset::Worksites),
        _ => None,
    }
}
