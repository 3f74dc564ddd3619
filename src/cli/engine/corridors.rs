//! From flows to the layers of roads, corridors and crossings, and what is said of them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::InForce;
use super::record::fates;
use crate::cli::messages::{fill, text};
use crate::cli::progress::Progress;
use crate::corridors::agreement::{self, Agreement};
use crate::corridors::change::{Change, changes};
use crate::corridors::demand::Places;
use crate::corridors::draws::Flows;
use crate::corridors::object::{Corridor, Words};
use crate::corridors::roles::{Class, Roles};
use crate::corridors::score::summarise;
use crate::corridors::takeover::takeover;
use crate::corridors::usage::usages;
use crate::corridors::{extract, object};
use crate::error::Result;
use crate::ids::LinkId;
use crate::layers::assemble::{self, Context};
use crate::layers::feature::{Lang, Layer};
use crate::layers::telling::points;
use crate::model::study::Study;
use crate::network::graph::{LinkKind, Network};

/// What a run found of corridors; nothing where they were not asked for.
#[derive(Default)]
pub(super) struct Corridors {
    /// The corridors by rank.
    pub objects: Vec<Corridor>,
    /// `roads`, `corridors` and `crossings`.
    pub layers: Vec<Layer>,
    /// What the command line says of them.
    pub summary: Vec<String>,
    /// Figures for the manifest.
    pub statistics: Value,
    /// How far halves of the draws agree on their set.
    pub halves: Agreement,
}

/// A scenario in force, and the flows of the same draws without it.
#[derive(Clone, Copy)]
pub(super) struct Under<'a> {
    pub(super) scenario: &'a InForce,
    pub(super) before: &'a Flows,
}

/// Corridors of which it is told what takes over when they are closed: the first ones.
const CLOSED: usize = 10;

/// The corridors of the flows in `context`, who of `places` uses them, and what the command line says of the flows and
/// of the `roles` that follow; `under` a scenario, what it changes too. `close` makes a few draws where links are
/// closed.
///
/// # Errors
/// Those of `close`.
pub(super) fn corridors(
    context: &Context<'_>,
    places: &Places,
    roles: &[Roles],
    under: Option<Under<'_>>,
    close: &dyn Fn(&[LinkId]) -> Result<Flows>,
    progress: Progress,
) -> Result<Corridors> {
    let Context { lang, study, domain, built, flows, .. } = *context;
    let network = &built.network;
    let (links, candidates) = summarise(flows);
    let membership = extract::membership(network, flows, 0..flows.draws());
    let means: Vec<f64> = links.iter().map(|s| s.mean).collect();
    let p = &study.parameters;
    let chains = extract::corridors(network, &means, &membership, p.membership, p.corridor_min_km);
    let words = ["map.no_reference", "map.via"].map(|key| text(lang, key));
    let words = Words { unnamed: &words[0], via: &words[1] };
    let (corridors, n) = object::corridors(network, domain, flows, chains, words);
    let members: Vec<&[LinkId]> = corridors.iter().map(|c| c.chain.links.as_slice()).collect();
    let usages = usages(network, domain, places, &flows.trees, &members);
    let mut takeovers = Vec::new();
    if !context.public && !corridors.is_empty() {
        let bar = progress.bar("closing", CLOSED.min(corridors.len()) as u64);
        let open = close(&[])?;
        for (number, corridor) in corridors.iter().enumerate().take(CLOSED) {
            let shut = close(&corridor.chain.links)?;
            takeovers.push(takeover(network, &corridors, number, [&open, &shut]));
            bar.inc();
        }
    }
    let mut summary = if flows.without_demand() == flows.draws() {
        vec![text(lang, "done.no_cases")]
    } else {
        corridor_lines(study, &corridors, n, lang)
    };
    summary.extend(demand_lines(flows, lang));
    summary.push(role_line(roles, context.public, lang));
    let mut layers = vec![
        assemble::roads(context, &links, candidates, &corridors, &usages.links),
        assemble::corridors(context, &corridors, n, &usages.of, &takeovers),
        assemble::crossings(context),
    ];
    let mut changed = Value::Null;
    if let Some(Under { scenario, before }) = under {
        let changes = changes(before, flows);
        let layer = assemble::roads_change(context, &changes, &scenario.altered, &corridors);
        summary.extend(change_lines(network, scenario, &changes, lang));
        layers.insert(1, layer);
        let told = |flows: &Flows| {
            let [served, inner, unserved, _] = fates(flows);
            json!({ "served": served, "inner": inner, "unserved": unserved })
        };
        changed = json!({ "name": scenario.name, "title": scenario.title, "before": told(before), "after": told(flows) });
    }
    let halves = agreement::of_halves(network, flows, p.membership, p.corridor_min_km);
    Ok(Corridors {
        layers,
        summary,
        statistics: json!({
            "count": corridors.len(),
            "usage_draws": usages.draws,
            "scenario": changed,
            "halves": {
                "corridors": halves.corridors,
                "jaccard": halves.jaccard,
                "adjusted_rand": halves.adjusted_rand,
            },
        }),
        halves,
        objects: corridors,
    })
}

/// What is to be said of the agreement of the halves, if it is low.
pub(super) fn unsure(halves: &Agreement, lang: Lang) -> Option<String> {
    let jaccard = halves.jaccard.filter(|j| *j < agreement::SURE)?;
    // Rounded down, so that what is below the threshold does not read as if it reached it.
    let percent = |share: f64| format!("{:.0}", (100.0 * share).floor());
    let params = [("share", percent(jaccard)), ("sure", format!("{:.0}", 100.0 * agreement::SURE))];
    Some(fill(lang, "notice.corridors_unsure", &params))
}

/// What the command line says of the corridors: how many by what threshold, and the first five, each number with
/// what it is.
fn corridor_lines(study: &Study, corridors: &[Corridor], candidates: usize, lang: Lang) -> Vec<String> {
    let p = &study.parameters;
    let mut params = vec![
        ("threshold", format!("{:.0}", p.membership * 100.0)),
        ("km", format!("{:.0}", p.corridor_min_km)),
        ("count", corridors.len().to_string()),
    ];
    if corridors.is_empty() {
        return vec![fill(lang, "done.no_corridors", &params)];
    }
    // As in `pr_top`: a tenth of the candidates, at least one.
    params.push(("top", (candidates / 10).max(1).to_string()));
    let mut out = vec![fill(lang, "done.corridors", &params)];
    out.extend(corridors.iter().take(5).map(|c| {
        let s = &c.summary;
        let pct = |v: f64| format!("{:.1}", v * 100.0);
        let numbers = [
            ("mean", pct(s.mean)),
            ("p05", pct(s.p05)),
            ("p95", pct(s.p95)),
            ("pr_top", format!("{:.2}", s.pr_top)),
            ("membership", format!("{:.2}", c.chain.membership)),
        ];
        format!("  {}. {}: {}", c.rank, c.name, fill(lang, "done.corridor", &numbers))
    }));
    out
}

/// Roads that the command line names on each side of a change.
const NAMED: usize = 3;

/// What a scenario changes: the roads that gain and lose most, each by the link of it that changes most, and what is
/// left without a way.
fn change_lines(
    network: &Network,
    scenario: &InForce,
    changes: &[Option<Change>],
    lang: Lang,
) -> Vec<String> {
    let mut largest: [BTreeMap<&str, [f64; 3]>; 2] = Default::default();
    for ((_, link), change) in network.links().zip(changes) {
        let Some(change) = change.filter(|_| link.kind == LinkKind::Road && !link.reference.is_empty())
        else {
            continue;
        };
        let [mean, ..] = change.change;
        let of = largest[usize::from(mean < 0.0)].entry(&link.reference).or_default();
        if mean.abs() > of[0].abs() {
            *of = change.change;
        }
    }
    let told_points = |x: f64| points(x).trim_end_matches(" pp").to_owned();
    let mut out = vec![fill(lang, "done.scenario", &[("title", scenario.title.clone())])];
    for (key, of) in ["done.scenario_more", "done.scenario_less"].into_iter().zip(largest) {
        // Below a tenth of a point nothing is told.
        let mut order: Vec<_> = of.into_iter().filter(|(_, change)| change[0].abs() >= 0.0005).collect();
        order.sort_by(|a, b| b.1[0].abs().total_cmp(&a.1[0].abs()).then(a.0.cmp(b.0)));
        let told: Vec<String> = order
            .into_iter()
            .take(NAMED)
            .map(|(road, change)| {
                let [mean, low, high] = change.map(told_points);
                format!("{road} {mean} ({low} – {high})")
            })
            .collect();
        if !told.is_empty() {
            out.push(fill(lang, key, &[("roads", told.join("; "))]));
        }
    }
    if out.len() == 1 {
        out.push(text(lang, "done.scenario_none"));
    }
    out
}

/// How many municipalities are of each class of each role; the public is told nothing of recruitment.
fn role_line(roles: &[Roles], public: bool, lang: Lang) -> String {
    let number = |class: Class, of: &dyn Fn(&Roles) -> Class| {
        roles.iter().filter(|r| of(r) == class).count().to_string()
    };
    let one = |name: &str, of: &dyn Fn(&Roles) -> Class| {
        let numbers = Class::ALL.map(|class| number(class, of)).join(" / ");
        format!("{} {numbers}", text(lang, &format!("role.{name}")))
    };
    let mut parts = vec![
        one("transit", &|r| r.transit.class),
        one("reception", &|r| r.reception.class),
        one("exploitation", &|r| r.exploitation.class),
    ];
    if !public {
        parts.insert(0, one("recruitment", &|r| r.recruitment.class));
    }
    let classes = Class::ALL.map(|class| text(lang, &format!("role_class.{}", class.name()))).join(" / ");
    fill(lang, "done.roles", &[("classes", classes), ("roles", parts.join("; "))])
}

/// Above this share of demand without a way, what is said of roads stands on the rest alone.
const MUCH_UNSERVED: f64 = 0.2;

/// What became of the demand, with a warning where much of it finds no way, and where draws have none.
fn demand_lines(flows: &Flows, lang: Lang) -> Vec<String> {
    let without = flows.without_demand();
    if without == flows.draws() {
        return Vec::new();
    }
    let fates = fates(flows);
    let [served, inner, unserved, unlocated] = fates.map(|v| format!("{:.1}", v * 100.0));
    let params = [("served", served), ("inner", inner), ("unserved", unserved), ("unlocated", unlocated)];
    let mut out = vec![fill(lang, "done.demand", &params)];
    if fates[2] > MUCH_UNSERVED {
        out.push(fill(lang, "done.unserved", &params));
    }
    if without > 0 {
        let share = format!("{:.1}", 100.0 * without as f64 / flows.draws() as f64);
        out.push(fill(lang, "done.without_cases", &[("share", share)]));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_corridors_that_halves_do_not_share_is_told() {
        let of = |jaccard| Agreement { corridors: [3, 4], jaccard, adjusted_rand: Some(1.0) };
        for (lang, word) in [(Lang::Es, "no es firme"), (Lang::En, "is not sure")] {
            let told = unsure(&of(Some(0.7999)), lang).unwrap();
            assert!(told.contains(word) && told.contains("79 %") && told.contains("80 %"), "{told}");
        }
        assert_eq!(unsure(&of(Some(0.8)), Lang::Es), None);
        assert_eq!(unsure(&of(None), Lang::Es), None);
    }
}
