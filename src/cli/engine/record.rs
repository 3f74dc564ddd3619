//! What a run says of itself: its id, its figures, its notices.

use std::collections::BTreeSet;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;

use super::Loaded;
use crate::cli::args::Step;
use crate::cli::messages::{fill, text};
use crate::corridors::draws::Flows;
use crate::disclosure::Tier;
use crate::disclosure::cells::Release;
use crate::ids::{hex, stable_id};
use crate::layers::feature::Lang;
use crate::layers::manifest::InputRecord;
use crate::model::domain::{Domain, RoadClass};
use crate::model::study::Study;
use crate::network::graph::LinkKind;
use crate::sources::Provenance;

/// The study as the manifest shows it, without the key of the commitment.
pub(super) fn without_key(study: &Study) -> serde_json::Value {
    let mut study = study.clone();
    study.disclosure.commitment_key = None;
    serde_json::to_value(study).unwrap_or_default()
}

/// The id of a run: from everything that goes into it, `shown` (language and steps) too; for the public only
/// from what is released, and from the commitment, which changes with all that is not: two public results with
/// other seeds, draws, closures or parameters have other ids, if the study has a key.
pub(super) fn run_id(
    study: &Study,
    domain: &Domain,
    audience: Tier,
    released: &Release,
    commitment: Option<&str>,
    shown: &str,
) -> String {
    let version = format!("{} {shown}", env!("CARGO_PKG_VERSION"));
    match audience {
        Tier::Restricted => {
            let hashes = domain.provenance.iter().map(|p| p.sha256.clone());
            stable_id([version, without_key(study).to_string()].into_iter().chain(hashes))
        }
        Tier::Public => {
            let data = serde_json::to_string(&released.data).unwrap_or_default();
            let commitment = commitment.unwrap_or_default().to_owned();
            stable_id([version, study.study.name.clone(), data, format!("{:?}", released.total), commitment])
        }
    }
}

/// A keyed commitment to what the public manifest leaves out: HMAC-SHA256 over it, under the study's key.
pub(super) fn commitment(study: &Study, inputs: &[InputRecord]) -> Option<String> {
    let key = study.disclosure.commitment_key.as_deref()?;
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).ok()?;
    let text = json!({ "seed": study.seed, "parameters": without_key(study), "inputs": inputs });
    mac.update(text.to_string().as_bytes());
    Some(hex(&mac.finalize().into_bytes()))
}

pub(super) fn input_record(p: &Provenance) -> InputRecord {
    InputRecord {
        source: p.source.clone(),
        file: p.file.clone(),
        layer: p.layer.clone(),
        sha256: p.sha256.clone(),
        bytes: p.bytes,
        records: Some(p.records),
        encoding: p.encoding.clone(),
        crs: p.crs.clone(),
    }
}

/// Shares of demand over the draws that have any: served, inside a municipality, unserved; and the mean share of cases
/// without a place over all.
pub(super) fn fates(flows: &Flows) -> [f64; 4] {
    let mean =
        |f: &dyn Fn(usize) -> f64| (0..flows.draws()).map(f).sum::<f64>() / flows.draws().max(1) as f64;
    let with_demand = (flows.draws() - flows.without_demand()).max(1) as f64;
    let share = |f: &dyn Fn(usize) -> f64| (0..flows.draws()).map(f).sum::<f64>() / with_demand;
    let unlocated = |d: usize| {
        let counts = &flows.params[d].counts;
        let all: f64 = counts.total.iter().map(|t| f64::from(*t)).sum();
        if all > 0.0 { f64::from(counts.unlocated) / all } else { 0.0 }
    };
    [
        share(&|d| flows.share(flows.fate[d].served)),
        share(&|d| flows.share(flows.fate[d].inner)),
        share(&|d| flows.share(flows.fate[d].unserved)),
        mean(&unlocated),
    ]
}
/// Figures of the run for the manifest.
pub(super) fn statistics(
    loaded: &Loaded,
    counts: &serde_json::Value,
    corridors: &serde_json::Value,
    flows: &Flows,
) -> serde_json::Value {
    let Loaded { domain, built, closed, .. } = loaded;
    let parts = built.network.components();
    let [served, inner, unserved, unlocated] = fates(flows);
    json!({
        "municipalities": domain.municipalities.len(),
        "counts": counts,
        "corridors": corridors,
        "polygons_shared": domain.municipalities.iter().filter(|m| m.polygon_of.is_some()).count(),
        "network": {
            "junctions": built.network.junction_count(),
            "links": built.network.link_count(),
            "components": parts.len(),
            "length_km": built.network.links().filter(|(_, l)| l.kind == LinkKind::Road).map(|(_, l)| l.length.km()).sum::<f64>(),
            "home_length_km": built.network.links().filter(|(_, l)| l.is_home_road()).map(|(_, l)| l.length.km()).sum::<f64>(),
            "closed_links": closed.iter().filter(|c| **c).count(),
            "unsnapped": built.unsnapped.len(),
        },
        "demand": { "served": served, "inner": inner, "unserved": unserved, "unlocated_cases": unlocated, "draws_without": flows.without_demand() },
        "planning_draws": flows.trees.len(),
        "transit_draws": flows.through.len(),
    })
}

/// What this study's outputs say beyond the standard notices.
pub(super) fn notices(
    loaded: &Loaded,
    audience: Tier,
    released: &Release,
    counts: Vec<String>,
    lang: Lang,
    steps: &BTreeSet<Step>,
) -> Vec<String> {
    let Loaded { study, domain, .. } = loaded;
    let mut out = counts;
    if domain.roads.iter().any(|r| r.schematic && r.class != RoadClass::Ferry) {
        out.push(text(lang, "notice.schematic"));
    }
    match audience {
        Tier::Restricted => {
            if steps.contains(&Step::Worksites) && domain.worksites.iter().any(|w| w.synthetic) {
                out.push(text(lang, "notice.synthetic"));
            }
            match &study.referral {
                Some(r) => {
                    let params = [
                        ("authority", r.victim_authority.as_str()),
                        ("contact", &r.contact_24h),
                        ("rule", &r.non_punishment),
                    ];
                    out.push(fill(lang, "notice.referral", &params));
                    if r.example {
                        out.push(text(lang, "notice.referral_example"));
                    }
                }
                None => out.push(text(lang, "notice.no_referral")),
            }
        }
        Tier::Public => {
            let k = study.disclosure.k;
            out.push(fill(lang, "notice.bands", &[("k", k.to_string()), ("top", (k - 1).to_string())]));
            if !domain.crossings.is_empty() {
                // Said whether or not there are others, so that it tells nothing.
                out.push(text(lang, "notice.crossings"));
            }
            if released.total.is_none() && study.incidence.total.is_some() {
                out.push(text(lang, "notice.total_withheld"));
            }
        }
    }
    out.extend(study.study.notes.iter().cloned());
    out
}
