//! What the scores of the leading corridors hang on: the layer, the figures, and what the command line says of it.

use serde_json::{Value, json};

use super::routing::{Roads, Travel};
use crate::cli::messages::{fault_line, fill, text};
use crate::corridors::cross_check::{Agreement, Checked, CrossChecks};
use crate::corridors::object::Corridor;
use crate::corridors::recursive_logit::RecursiveLogitError;
use crate::corridors::sensitivity::{Factor, LEADING, Sensitivity};
use crate::error::{Fault, Result, Rule};
use crate::ids::LinkId;
use crate::layers::assemble::{self, Context};
use crate::layers::feature::{Lang, Layer};

/// What is found; nothing where the study does not ask for it or there is no corridor.
#[derive(Default)]
pub(super) struct Sensed {
    pub layer: Option<Layer>,
    pub statistics: Value,
    /// Figures on the other models of route choice.
    pub cross_checks: Value,
    pub summary: Vec<String>,
}

/// Parameters that the command line names.
const NAMED: usize = 3;

/// The sensitivity of the first of `corridors`; nothing without `roads`.
///
/// # Errors
/// [`crate::error::Error::Interrupted`] if the run is to stop.
pub(super) fn sensitivity(
    context: &Context<'_>,
    roads: Option<&Roads<'_>>,
    travel: Travel<'_>,
    corridors: &[Corridor],
) -> Result<Sensed> {
    let leading = &corridors[..corridors.len().min(LEADING)];
    let links: Vec<&[LinkId]> = leading.iter().map(|c| c.chain.links.as_slice()).collect();
    let Some(roads) = roads else { return Ok(Sensed::default()) };
    let Some(found) = roads.sensitivity(travel, &links)? else { return Ok(Sensed::default()) };
    let checks = roads.cross_checks(travel, context.flows, corridors)?;
    let mut summary = lines(leading, &found, context.lang);
    summary.extend(checks.as_ref().map(|checks| cross_line(checks, context.lang)));
    summary.extend(checks.as_ref().and_then(|checks| refusal(checks, context.lang)));
    Ok(Sensed {
        layer: Some(assemble::sensitivity(context, leading, &found)),
        statistics: statistics(leading, &found),
        cross_checks: checks.as_ref().map(of_checks).unwrap_or_default(),
        summary,
    })
}

fn of_checks(checks: &CrossChecks) -> Value {
    let agreement = |a: &Agreement| {
        json!({
            "links_spearman": a.links,
            "corridors_spearman": a.corridors,
            "corridors_kendall": a.corridors_tau,
            "top_shared": a.top.0,
            "top_of": a.top.1,
            "traffic_shared": a.traffic,
        })
    };
    let checked = |c: &Checked| {
        let mut out = agreement(&c.agreement);
        out["theta"] = json!(c.theta);
        out["unserved"] = json!(c.unserved);
        out
    };
    let recursive = match &checks.recursive {
        Ok((found, radii)) => {
            let mut out = checked(found);
            out["spectral_radius"] = json!(radii.iter().map(|r| r.high).fold(0.0, f64::max));
            out
        }
        Err(RecursiveLogitError::Radius { theta, low, high, needed }) => json!({
            "refused": Rule::RoutesDiverge.code(),
            "theta": theta,
            "spectral_radius": { "low": low, "high": high },
            "theta_needed": needed,
        }),
        Err(other) => json!({ "refused": other.to_string() }),
    };
    let sharper = checks
        .sharper
        .as_ref()
        .map(|[recursive, dial]| json!({ "recursive_logit": checked(recursive), "dial": checked(dial) }));
    json!({
        "trip_minutes": checks.trip_minutes,
        "route_variance": checks.route_variance,
        "perturbations": checks.perturbations,
        "run": agreement(&checks.run),
        "dial": checked(&checks.dial),
        "recursive_logit": recursive,
        "sharper": sharper,
    })
}

/// How far the other models lead the demand over the same roads.
fn cross_line(checks: &CrossChecks, lang: Lang) -> String {
    let number = |x: Option<f64>| x.map_or_else(|| "–".to_owned(), |x| format!("{x:.2}"));
    let dial = &checks.dial.agreement;
    let recursive = match (&checks.recursive, &checks.sharper) {
        (Ok((found, _)), _) | (_, Some([found, _])) => found.agreement,
        _ => Agreement::default(),
    };
    let params = [
        ("dial", number(dial.links)),
        ("dial_traffic", percent(dial.traffic)),
        ("recursive", number(recursive.links)),
        ("recursive_traffic", percent(recursive.traffic)),
    ];
    fill(lang, "done.cross_check", &params)
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{:.0}", 100.0 * share))
}

/// That the recursive logit was refused, and what would do.
fn refusal(checks: &CrossChecks, lang: Lang) -> Option<String> {
    let Err(RecursiveLogitError::Radius { theta, low, needed, .. }) = checks.recursive else { return None };
    let fault = Fault::new(Rule::RoutesDiverge, "parameters.route_variance_min")
        .with("radius", format!("{low:.3}"))
        .with("theta", format!("{theta:.3}"))
        .with("needed", needed.map_or_else(|| "–".to_owned(), |needed| format!("{needed:.3}")));
    Some(fault_line(lang, &fault))
}

fn statistics(corridors: &[Corridor], found: &Sensitivity) -> Value {
    let codes = |varies: bool| -> Vec<&str> {
        let kept = |f: &Factor| found.factors.contains(f) == varies;
        Factor::ALL.into_iter().filter(kept).map(Factor::code).collect()
    };
    let travellers = found.place(Factor::Travellers);
    let of: Vec<Value> = corridors
        .iter()
        .zip(&found.corridors)
        .map(|(corridor, sobol)| {
            let groups = sobol.groups.as_deref();
            let sum = groups.map(|groups| {
                let unknown = groups.iter().enumerate().filter(|(i, _)| Some(*i) != travellers);
                unknown.map(|(_, group)| group.first[0]).fold(0.0, |sum, first| sum + first)
            });
            json!({
                "id": corridor.id,
                "name": corridor.name,
                "mean": sobol.mean,
                "variance": sobol.variance,
                "varies": groups.is_some(),
                "sum_first": sum,
                "travellers": groups.zip(travellers).map(|(groups, i)| groups[i].total[0]),
            })
        })
        .collect();
    json!({
        "samples": found.n,
        "rows": found.rows,
        "parameters": codes(true),
        "without_effect_by_definition": codes(false),
        "corridors": of,
    })
}

/// One line on the first corridor, and one where some do not vary.
fn lines(corridors: &[Corridor], found: &Sensitivity, lang: Lang) -> Vec<String> {
    let mut out = Vec::new();
    let first = corridors.iter().zip(&found.corridors).find_map(|(c, s)| Some((c, s.groups.as_ref()?)));
    if let Some((corridor, groups)) = first {
        let mut order: Vec<(f64, Factor)> =
            groups.iter().map(|group| group.total[0]).zip(found.factors.iter().copied()).collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let named = order.iter().take(NAMED).map(|(total, factor)| {
            format!("{} {:.0} %", text(lang, &format!("value.{}", factor.code())), 100.0 * total)
        });
        let params = [
            ("name", corridor.name.clone()),
            ("list", named.collect::<Vec<_>>().join(", ")),
            ("n", found.n.to_string()),
        ];
        out.push(fill(lang, "done.sensitivity", &params));
    }
    let still = found.corridors.iter().filter(|s| s.groups.is_none()).count();
    if still > 0 {
        out.push(fill(lang, "done.sensitivity_still", &[("n", still.to_string())]));
    }
    out
}
