//! What was found, in words and as JSON.

use serde_json::{Value, json};

use super::{Report, Tests};
use crate::cli::check::table;
use crate::cli::messages::{fill, text};
use crate::incidence::shrinkage::GammaPoisson;
use crate::incidence::spatial::{Quadrant, rejections};
use crate::layers::feature::Lang;

/// Areas that a table for people shows at most.
const SHOWN: usize = 25;

/// Everything, with all digits.
#[must_use]
pub fn as_json(report: &Report) -> Value {
    let Report { request, areas, weights, sums, .. } = report;
    let sites = weights.len();
    let row = |site: usize| areas.rows.get(site).copied();
    let degrees: Vec<usize> = (0..sites).map(|site| weights.cardinality(site)).collect();
    let [(moran, moran_permuted), (geary, geary_permuted)] = &report.global;
    let local = |tests: &Tests, site: usize| {
        let p = tests.permuted.get(site).copied().flatten();
        json!({
            "p": tests.p[site],
            "p_greater": p.map(|p| p.greater()),
            "p_lesser": p.map(|p| p.lesser()),
            "p_directed": p.map(|p| p.directed()),
            "q_bh": tests.bh[site],
            "q_by": tests.by[site],
        })
    };
    let with = |mut value: Value, tests: Value| {
        if let (Value::Object(value), Value::Object(tests)) = (&mut value, tests) {
            value.extend(tests);
        }
        value
    };
    let means = report.rates.as_ref().and_then(|r| r.law.as_ref()).map(GammaPoisson::posterior_means);
    let area = |site: usize| {
        let (moran, moran_tests) = &report.moran;
        let mut out = json!({
            "row": row(site),
            "id": areas.ids.as_ref().map(|ids| &ids[site]),
            "value": areas.values[site],
            "neighbours": weights.row(site).0,
            "local_moran": with(json!({
                "value": moran.value[site],
                "expected": moran.expected[site],
                "variance": moran.variance[site],
                "z": moran.z[site],
                "quadrant": moran.quadrant[site],
            }), local(moran_tests, site)),
        });
        for (name, (found, tests)) in ["gi", "gi_star"].into_iter().zip(&report.getis) {
            out[name] = with(json!({ "value": found.value[site], "z": found.z[site] }), local(tests, site));
        }
        if let (Some(rates), Some(population)) = (&report.rates, &areas.population) {
            out["population"] = population[site].into();
            out["rate"] = rates.crude[site].into();
            out["eb_standardised"] = rates.standardised[site].into();
            out["eb_smoothed"] = rates.smoothed[site].into();
            out["gamma_poisson"] = means.as_ref().and_then(|means| means.get(site).copied()).into();
        }
        out
    };
    let level = request.args.level;
    let rejected = |tests: &Tests| {
        json!({
            "tested": tests.p.iter().flatten().count(),
            "bh": rejections(&tests.bh, level),
            "by": rejections(&tests.by, level),
            "bonferroni": rejections(&tests.bonferroni, level),
        })
    };
    json!({
        "file": areas.file,
        "layer": areas.layer,
        "crs": areas.crs,
        "value": request.args.value,
        "population": request.args.population,
        "permutations": request.args.permutations,
        "seed": request.seed,
        "weights": {
            "kind": request.args.weights.text(),
            "transform": request.args.transform.name(),
            "sites": sites,
            "links": weights.n_nonzero(),
            "islands": weights.islands().into_iter().filter_map(row).collect::<Vec<_>>(),
            "components": components(report),
            "neighbours_mean": weights.n_nonzero() as f64 / sites as f64,
            "neighbours_min": degrees.iter().min(),
            "neighbours_max": degrees.iter().max(),
            "symmetric": weights.is_symmetric(),
            "s0": sums[0],
            "s1": sums[1],
            "s2": sums[2],
            "icar": report.icar.as_ref().map(|icar| json!({
                "component": icar.component,
                "scale": icar.factors,
                "areas": icar.sizes,
            })),
        },
        "rates": report.rates.as_ref().map(|rates| json!({ "gamma_poisson": rates.law.as_ref().map(law) })),
        "moran": with(json!(moran), json!({ "permutation": moran_permuted })),
        "geary": with(json!(geary), json!({ "permutation": geary_permuted })),
        "rejected": {
            "level": level,
            "local_moran": rejected(&report.moran.1),
            "gi": rejected(&report.getis[0].1),
            "gi_star": rejected(&report.getis[1].1),
        },
        "areas": (0..sites).map(area).collect::<Vec<_>>(),
    })
}

/// Estimates with their standard errors.
fn law(fit: &GammaPoisson) -> Value {
    match fit {
        GammaPoisson::Gamma(fit) => json!({
            "law": "gamma",
            "alpha": fit.alpha,
            "beta": fit.beta,
            "alpha_se": fit.alpha_se,
            "beta_se": fit.beta_se,
            "mean": fit.alpha / fit.beta,
            "log_likelihood": fit.log_likelihood,
            "log_likelihood_poisson": fit.poisson_log_likelihood,
        }),
        GammaPoisson::PoissonLimit(limit) => json!({
            "law": "common",
            "mean": limit.rate,
            "mean_se": limit.rate_se,
            "log_likelihood": limit.log_likelihood,
        }),
    }
}

fn components(report: &Report) -> usize {
    report.weights.components().iter().max().map_or(0, |last| last + 1)
}

/// For people: the law of the rates.
fn law_line(report: &Report, lang: Lang) -> Option<String> {
    match report.rates.as_ref()?.law.as_ref()? {
        GammaPoisson::Gamma(fit) => Some(fill(
            lang,
            "spatial.gamma_poisson",
            &[
                ("alpha", format!("{:.4}", fit.alpha)),
                ("alpha_se", format!("{:.4}", fit.alpha_se)),
                ("beta", format!("{:.6e}", fit.beta)),
                ("beta_se", format!("{:.2e}", fit.beta_se)),
            ],
        )),
        GammaPoisson::PoissonLimit(_) => Some(text(lang, "spatial.poisson_limit")),
    }
}

/// For people: Moran's I and Geary's C.
fn global_lines(report: &Report, lang: Lang) -> Vec<String> {
    let mut out = Vec::new();
    let p = |value: f64| if value < 0.0001 { "< 0.0001".to_owned() } else { format!("{value:.4}") };
    for (key, (found, permuted)) in ["spatial.moran", "spatial.geary"].into_iter().zip(&report.global) {
        let mut line = fill(
            lang,
            key,
            &[
                ("found", format!("{:.4}", found.value)),
                ("expected", format!("{:.4}", found.expected)),
                ("z", format!("{:.2}", found.z_random)),
                ("p", p(found.p_random)),
            ],
        );
        if let Some(permuted) = permuted {
            let both = (2.0 * permuted.p_greater.min(permuted.p_lesser)).min(1.0);
            let params = [("p", p(both)), ("count", permuted.permutations.to_string())];
            line = format!("{line}; {}", fill(lang, "spatial.permuted", &params));
        }
        out.push(line);
    }
    out
}

/// For people: weights, global statistics, and the areas that stand out.
#[must_use]
pub fn lines(report: &Report, lang: Lang) -> Vec<String> {
    let Report { request, weights, .. } = report;
    let islands = weights.islands().len();
    let mut out = vec![fill(
        lang,
        "spatial.weights",
        &[
            ("kind", request.args.weights.text()),
            ("sites", weights.len().to_string()),
            ("links", weights.n_nonzero().to_string()),
            ("mean", format!("{:.2}", weights.n_nonzero() as f64 / weights.len() as f64)),
            ("islands", islands.to_string()),
            ("components", components(report).to_string()),
        ],
    )];
    out.push(fill(
        lang,
        if report.rates.is_some() { "spatial.of_rates" } else { "spatial.of_values" },
        &[
            ("value", &request.args.value),
            ("population", request.args.population.as_ref().unwrap_or(&request.args.value)),
        ],
    ));
    out.extend(law_line(report, lang));
    out.extend(global_lines(report, lang));
    let level = request.args.level;
    for (key, tests) in [("Gi*", &report.getis[1].1), ("I", &report.moran.1)] {
        out.push(fill(
            lang,
            "spatial.rejected",
            &[
                ("what", key.to_owned()),
                ("tested", tests.p.iter().flatten().count().to_string()),
                ("level", level.to_string()),
                ("bh", rejections(&tests.bh, level).to_string()),
                ("by", rejections(&tests.by, level).to_string()),
            ],
        ));
    }
    out.push(String::new());
    let listed = outstanding(report, lang);
    if listed.is_empty() {
        out.push(text(lang, "spatial.none"));
        return out;
    }
    out.extend(listed);
    out.push(String::new());
    out.push(text(lang, "spatial.note"));
    out
}

/// The areas that stand out by Gi* or local Moran, the hottest first.
fn outstanding(report: &Report, lang: Lang) -> Vec<String> {
    let Report { request, areas, weights, .. } = report;
    let level = request.args.level;
    let (star, tests) = &report.getis[1];
    let (local, local_tests) = &report.moran;
    let passes = |q: Option<f64>| q.is_some_and(|q| q <= level);
    let mut found: Vec<usize> =
        (0..weights.len()).filter(|site| passes(tests.bh[*site]) || passes(local_tests.bh[*site])).collect();
    // The hottest first.
    let z = |site: usize| star.z[site].unwrap_or(0.0);
    found.sort_by(|a, b| z(*b).total_cmp(&z(*a)).then(a.cmp(b)));
    if found.is_empty() {
        return Vec::new();
    }
    let mut rows = vec![
        ["row", "id", "value", "z_star", "q", "class", "q_moran", "quadrant"]
            .map(|key| text(lang, &format!("spatial.column.{key}")))
            .to_vec(),
    ];
    for site in found.iter().copied().take(SHOWN) {
        let number = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |v| format!("{v:.4}"));
        let class = match (passes(tests.bh[site]), z(site) > 0.0) {
            (false, _) => "–".to_owned(),
            (true, true) => text(lang, "spatial.hot"),
            (true, false) => text(lang, "spatial.cold"),
        };
        let quadrant = match local.quadrant[site].filter(|_| passes(local_tests.bh[site])) {
            None => "–".to_owned(),
            Some(Quadrant::HighHigh) => text(lang, "spatial.quadrant.high_high"),
            Some(Quadrant::LowHigh) => text(lang, "spatial.quadrant.low_high"),
            Some(Quadrant::LowLow) => text(lang, "spatial.quadrant.low_low"),
            Some(Quadrant::HighLow) => text(lang, "spatial.quadrant.high_low"),
        };
        rows.push(vec![
            areas.rows[site].to_string(),
            areas.ids.as_ref().map_or_else(|| "–".to_owned(), |ids| ids[site].clone()),
            report.rates.as_ref().map_or(areas.values[site], |rates| rates.crude[site]).to_string(),
            format!("{:.2}", z(site)),
            number(tests.bh[site]),
            class,
            number(local_tests.bh[site]),
            quadrant,
        ]);
    }
    let mut out = table(&rows);
    if found.len() > SHOWN {
        out.push(fill(lang, "spatial.more", &[("count", (found.len() - SHOWN).to_string())]));
    }
    out
}
