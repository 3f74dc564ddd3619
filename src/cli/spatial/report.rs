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

/// Rows of records without a value that are named at most.
const ROWS: usize = 10;

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
        "permutations": report.permutations,
        "seed": request.seed,
        "unknown": areas.unknown,
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

/// A number for people: all digits of a whole one, otherwise so many significant ones. Without an exponent between
/// 10⁻⁹ and 10¹⁵, where only what is no rate and no count lies outside.
fn plain(value: f64, digits: i32) -> String {
    let size = value.abs();
    if !value.is_finite() {
        return "–".to_owned();
    }
    if size >= 1e15 || (size > 0.0 && size < 1e-9) {
        return format!("{value:e}");
    }
    if value.fract() == 0.0 {
        return format!("{value:.0}");
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "size is within 10⁻⁹ and 10¹⁵"
    )]
    let decimals = (digits - 1 - size.log10().floor() as i32).max(0) as usize;
    let text = format!("{value:.decimals$}");
    if decimals == 0 { text } else { text.trim_end_matches('0').trim_end_matches('.').to_owned() }
}

/// For people: the law of the rates, or why there is none.
fn law_line(report: &Report, lang: Lang) -> Option<String> {
    let rates = report.rates.as_ref()?;
    Some(match &rates.law {
        Some(GammaPoisson::Gamma(fit)) => fill(
            lang,
            "spatial.gamma_poisson",
            &[
                ("alpha", plain(fit.alpha, 4)),
                ("alpha_se", plain(fit.alpha_se, 3)),
                ("beta", plain(fit.beta, 4)),
                ("beta_se", plain(fit.beta_se, 3)),
                ("mean", plain(fit.alpha / fit.beta, 4)),
            ],
        ),
        Some(GammaPoisson::PoissonLimit(limit)) => {
            fill(lang, "spatial.poisson_limit", &[("mean", plain(limit.rate, 4))])
        }
        None if report.areas.are_counts() => text(lang, "spatial.law_out_of_range"),
        None => fill(lang, "spatial.no_law", &[("value", &report.request.args.value)]),
    })
}

/// For people: how many records have no value, and the first of their rows.
fn unknown_line(report: &Report, lang: Lang) -> Option<String> {
    let unknown = &report.areas.unknown;
    let mut rows: Vec<String> = unknown.iter().take(ROWS).map(u64::to_string).collect();
    if unknown.len() > ROWS {
        rows.push("…".to_owned());
    }
    let params = [("count", unknown.len().to_string()), ("rows", rows.join(", "))];
    (!unknown.is_empty()).then(|| fill(lang, "spatial.unknown", &params))
}

/// For people: what must not be read out of the areas that stand out.
const fn note(rated: bool, counts: bool) -> &'static str {
    match (rated, counts) {
        (true, _) => "spatial.note_rates",
        (false, true) => "spatial.note_counts",
        (false, false) => "spatial.note_values",
    }
}

/// For people: Moran's I and Geary's C.
fn global_lines(report: &Report, lang: Lang) -> Vec<String> {
    let mut out = Vec::new();
    let p = |value: f64| if value < 0.0001 { "< 0.0001".to_owned() } else { format!("= {value:.4}") };
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
    out.extend(unknown_line(report, lang));
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
    out.push(text(lang, note(report.rates.is_some(), report.areas.are_counts())));
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
    let value = if report.rates.is_some() { "rate" } else { "value" };
    let mut rows = vec![
        ["row", "id", value, "z_star", "q", "class", "q_moran", "quadrant"]
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
            plain(report.rates.as_ref().map_or(areas.values[site], |rates| rates.crude[site]), 6),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people_have_no_exponent() {
        for (value, digits, expected) in [
            (0.000_012_345_6, 4, "0.00001235"),
            (123_456.789, 4, "123457"),
            (0.5, 4, "0.5"),
            (-1.25, 2, "-1.2"),
            (3_000_000.0, 3, "3000000"),
            (0.0, 4, "0"),
            (1e-20, 4, "1e-20"),
            (f64::NAN, 4, "–"),
        ] {
            assert_eq!(plain(value, digits), expected);
        }
    }

    #[test]
    fn what_is_no_count_does_not_depend_on_where_one_looked() {
        assert_ne!(note(false, true), note(false, false));
        for key in [note(true, true), note(false, true), note(false, false)] {
            assert!(text(Lang::Es, key) != key && text(Lang::En, key) != key);
        }
    }
}
