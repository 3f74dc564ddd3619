//! What a run says of its counts: what is arithmetic, what is model, what was not corrected.

use serde_json::{Value, json};

use super::counts::{Levelling, levelling, unlocated_cases};
use crate::cli::messages::{fill, text};
use crate::disclosure::Tier;
use crate::disclosure::cells::{Release, release};
use crate::incidence::bym2::{Bym2Warning, Diagnostics};
use crate::incidence::{CountDraw, CountModel};
use crate::layers::feature::Lang;
use crate::model::domain::{Domain, KnownBy};
use crate::model::incidence::CountDatum;
use crate::model::prior::Prior;
use crate::model::study::{CountLaw, ModalitySpec, Study};
use crate::stats::spread;

/// What follows from the published numbers alone, whatever the model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Arithmetic {
    /// Statewide total.
    pub total: u32,
    /// Municipalities with a number, and their sum.
    pub exact: (usize, u64),
    /// Municipalities with an interval, and the sums of their bounds; no upper one where an interval has none.
    pub intervals: (usize, u64, Option<u64>),
    /// Municipalities of which nothing is published.
    pub unknown: usize,
}

impl Arithmetic {
    /// `None` without a total.
    pub(super) fn new(data: &[CountDatum], total: Option<u32>) -> Option<Self> {
        let mut out = Self { total: total?, intervals: (0, 0, Some(0)), ..Self::default() };
        for datum in data {
            match *datum {
                CountDatum::Exact(n) => {
                    out.exact.0 += 1;
                    out.exact.1 += u64::from(n);
                }
                CountDatum::Interval { .. } | CountDatum::AtLeast { .. } => {
                    let (n, low, high) = &mut out.intervals;
                    *n += 1;
                    *low += u64::from(datum.min());
                    *high = high.zip(datum.max()).map(|(sum, max)| sum + u64::from(max));
                }
                CountDatum::Unknown { .. } => out.unknown += 1,
            }
        }
        Some(out)
    }

    /// Cases beyond those of municipalities with a number.
    pub(super) fn rest(&self) -> u64 {
        u64::from(self.total).saturating_sub(self.exact.1)
    }

    /// At least so many cases are in municipalities of which nothing is published, or have no place.
    pub(super) fn elsewhere(&self) -> u64 {
        self.intervals.2.map_or(0, |high| self.rest().saturating_sub(high))
    }
}

/// What the draws say beyond the published numbers: mean, 5 % and 95 % quantile.
struct Modelled {
    /// Cases without a place, as a share of all.
    unlocated: [f64; 3],
    /// Cases located in municipalities of which nothing is published.
    unknown: [f64; 3],
    /// Mean of the municipalities' rates, per 100,000 and year.
    rate: [f64; 3],
    /// Coefficient of variation of the rates.
    heterogeneity: [f64; 3],
}

impl Modelled {
    fn new(data: &[CountDatum], draws: &[CountDraw]) -> Self {
        let of = |f: &dyn Fn(&CountDraw) -> f64| spread(draws.iter().map(f).collect());
        let is_unknown: Vec<bool> = data.iter().map(|d| matches!(d, CountDatum::Unknown { .. })).collect();
        Self {
            unlocated: of(&|d| {
                let all: f64 = d.total.iter().map(|t| f64::from(*t)).sum();
                if all > 0.0 { f64::from(d.unlocated) / all } else { 0.0 }
            }),
            unknown: of(&|d| {
                d.located
                    .iter()
                    .zip(&is_unknown)
                    .filter(|(_, unknown)| **unknown)
                    .map(|(y, _)| f64::from(*y))
                    .fold(0.0, |sum, y| sum + y)
            }),
            rate: of(&|d| 1e5 * d.common_rate),
            heterogeneity: of(&|d| d.heterogeneity),
        }
    }
}

/// Shares of modalities among the cases whose modality is known: Dirichlet(½ + n), mean and 5 %, 95 % quantiles of each.
fn modality_shares(spec: &ModalitySpec) -> Value {
    let sum: f64 = spec.counts.values().map(|n| f64::from(*n)).sum();
    let kinds = spec.counts.len() as f64;
    let share = |(name, n): (&String, &u32)| {
        let (a, b) = (0.5 + f64::from(*n), sum - f64::from(*n) + 0.5 * (kinds - 1.0));
        // One modality is all of them.
        let quantile = |q| if kinds > 1.0 { beta_quantile(a, b, q) } else { Some(1.0) };
        json!({
            "modality": name,
            "cases": n,
            "share": a / (a + b),
            "p05": quantile(0.05),
            "p95": quantile(0.95),
        })
    };
    let shares: Vec<Value> = spec.counts.iter().map(share).collect();
    json!({ "of": spec.of, "denominator": sum, "shares": shares })
}

/// The modalities that may be shown. To the public none where one of them is a small count, nor where their sum, taken for a
/// total of the counts, would narrow what is released of these.
fn modalities<'a>(study: &'a Study, audience: Tier, released: &Release) -> Option<&'a ModalitySpec> {
    let k = study.disclosure.k;
    let narrows = |spec: &ModalitySpec| {
        let sum: u64 = spec.counts.values().copied().map(u64::from).sum();
        let with = u32::try_from(sum).ok().map(|sum| release(&released.data, Some(sum), k));
        let withheld = released.total.is_none() && study.incidence.total.is_some();
        withheld || with.is_none_or(|with| with.total.is_none() || !with.complementary.is_empty())
    };
    let is_safe = |spec: &&ModalitySpec| spec.counts.values().all(|n| *n >= k) && !narrows(spec);
    study.incidence.modalities.as_ref().filter(|spec| audience == Tier::Restricted || is_safe(spec))
}

fn beta_quantile(a: f64, b: f64, q: f64) -> Option<f64> {
    use statrs::distribution::{Beta, ContinuousCDF};
    Beta::new(a, b).ok().map(|law| law.inverse_cdf(q))
}

/// Share of the located cases of municipalities with found counts that levelling leaves, mean over draws.
fn kept_share(domain: &Domain, draws: &[CountDraw]) -> f64 {
    let found = |m: usize| domain.municipalities.get(m).is_some_and(|m| m.known_by == Some(KnownBy::Found));
    let sum = |counts: &[u32]| {
        let of_found = counts.iter().enumerate().filter(|(m, _)| found(*m));
        of_found.map(|(_, y)| f64::from(*y)).fold(0.0, |sum, y| sum + y)
    };
    let share = |d: &CountDraw| {
        let all = sum(&d.located);
        if all > 0.0 { sum(d.guiding_counts()) / all } else { 1.0 }
    };
    draws.iter().map(share).sum::<f64>() / draws.len().max(1) as f64
}

/// The counts of one audience, as a run has taken them.
pub(super) struct Counted<'a> {
    pub study: &'a Study,
    pub domain: &'a Domain,
    pub audience: Tier,
    pub released: &'a Release,
    pub model: &'a CountModel,
    pub draws: &'a [CountDraw],
}

/// The part of the manifest's statistics that speaks of counts.
pub(super) fn statistics(counted: &Counted<'_>) -> Value {
    let Counted { study, domain, audience, released, model, draws } = *counted;
    let Release { ref data, total, .. } = *released;
    let count = |f: fn(&CountDatum) -> bool| data.iter().filter(|d| f(d)).count();
    let modelled = Modelled::new(data, draws);
    let spread = |[mean, p05, p95]: [f64; 3]| json!({ "mean": mean, "p05": p05, "p95": p95 });
    let mut out = json!({
        "exact": count(|d| matches!(d, CountDatum::Exact(_))),
        "interval": count(|d| matches!(d, CountDatum::Interval { .. } | CountDatum::AtLeast { .. })),
        "unknown": count(|d| matches!(d, CountDatum::Unknown { .. })),
        "total": total,
        "arithmetic": Arithmetic::new(data, total).map(|a| json!({
            "in_exact": a.exact.1,
            "rest": a.rest(),
            "in_intervals": { "min": a.intervals.1, "max": a.intervals.2 },
            "elsewhere_at_least": a.elsewhere(),
        })),
        "model": {
            "law": study.incidence.model,
            "posterior_points": model.points(),
            "unlocated_cases": unlocated_cases(domain, audience, released),
            "unlocated_share": spread(modelled.unlocated),
            "cases_in_unknown": spread(modelled.unknown),
            "found_share_kept": kept_share(domain, draws),
            "search_effort": match levelling(domain) {
                Levelling::By(_) => "levelled",
                Levelling::Unknown => "not_corrected",
                Levelling::NoneFound => "not_stated",
            },
        },
        "modalities": modalities(study, audience, released).map(modality_shares),
    });
    if let Some(diagnostics) = model.diagnostics() {
        out["model"]["bym2"] = serde_json::to_value(diagnostics).unwrap_or_default();
    }
    if study.incidence.model != CountLaw::Common {
        out["model"]["rate_100k_year"] = spread(modelled.rate);
        out["model"]["heterogeneity"] = spread(modelled.heterogeneity);
    }
    out
}

/// The lines that outputs bear on their counts.
pub(super) fn notices(counted: &Counted<'_>, lang: Lang) -> Vec<String> {
    let Counted { study, domain, audience, released, model, draws } = *counted;
    let Release { ref data, total, .. } = *released;
    let mut out = vec![match levelling(domain) {
        Levelling::By(_) => {
            fill(lang, "notice.levelled", &[("kept", format!("{:.0}", 100.0 * kept_share(domain, draws)))])
        }
        Levelling::Unknown => text(lang, "notice.detection"),
        Levelling::NoneFound => text(lang, "notice.detection_unstated"),
    }];
    if let Levelling::By(keep) = levelling(domain)
        && kept_share(domain, draws) < LITTLE_KEPT
    {
        let least = keep
            .iter()
            .enumerate()
            .filter(|(m, k)| **k >= 1.0 && domain.municipalities[*m].known_by == Some(KnownBy::Found));
        let names: Vec<&str> = least.map(|(m, _)| domain.municipalities[m].name.as_str()).take(3).collect();
        out.push(fill(lang, "notice.levelled_little", &[("names", names.join(", "))]));
    }
    if let Some(a) = Arithmetic::new(data, total) {
        // That at least none is elsewhere says nothing.
        let elsewhere = match a.elsewhere() {
            0 => ".".to_owned(),
            n => fill(lang, "notice.elsewhere", &[("n", n.to_string())]),
        };
        let params = [
            ("total", a.total.to_string()),
            ("exact", a.exact.1.to_string()),
            ("n_exact", a.exact.0.to_string()),
            ("rest", a.rest().to_string()),
            ("n_intervals", a.intervals.0.to_string()),
            ("low", a.intervals.1.to_string()),
            // No more can be there than remain.
            ("high", a.intervals.2.map_or(a.rest(), |high| high.min(a.rest())).to_string()),
            ("elsewhere", elsewhere),
        ];
        let key = match (a.intervals.0, a.unknown, a.rest()) {
            (0, _, 0) => "notice.arithmetic_all",
            (0, 0, _) => "notice.arithmetic_placed",
            (0, ..) => "notice.arithmetic_exact",
            _ => "notice.arithmetic",
        };
        out.push(fill(lang, key, &params));
    }
    let modelled = Modelled::new(data, draws);
    let [mean, p05, p95] = modelled.unlocated.map(|v| format!("{:.1}", 100.0 * v));
    let [unknown, unknown_p05, unknown_p95] = modelled.unknown.map(|v| format!("{v:.0}"));
    let params = [
        ("mean", mean),
        ("p05", p05),
        ("p95", p95),
        ("unknown", unknown),
        ("unknown_p05", unknown_p05),
        ("unknown_p95", unknown_p95),
        ("n", data.iter().filter(|d| matches!(d, CountDatum::Unknown { .. })).count().to_string()),
    ];
    let has_unknown = data.iter().any(|d| matches!(d, CountDatum::Unknown { .. }));
    out.push(fill(lang, if has_unknown { "notice.model" } else { "notice.model_exact" }, &params));
    out.extend(on_the_share(counted, lang));
    let own_rates = study.incidence.model != CountLaw::Common;
    let with_count = data.iter().filter(|d| !matches!(d, CountDatum::Unknown { .. })).count();
    if own_rates && with_count < FEW_COUNTS {
        out.push(fill(lang, "notice.few_counts", &[("n", with_count.to_string())]));
    }
    out.extend(model.diagnostics().and_then(|diagnostics| not_converged(diagnostics, domain, lang)));
    if let Some(spec) = modalities(study, audience, released) {
        let sum: u64 = spec.counts.values().copied().map(u64::from).sum();
        let list: Vec<String> = spec.counts.iter().map(|(name, n)| format!("{name} {n}")).collect();
        let params = [("sum", sum.to_string()), ("of", spec.of.clone()), ("list", list.join(", "))];
        out.push(fill(lang, "notice.modalities", &params));
    }
    // The fields of the scenario are for the restricted result alone.
    if study.incidence.under_detection.is_some() && audience == Tier::Restricted {
        out.push(text(lang, "notice.scenario"));
    }
    out
}

/// With fewer municipalities that have a count or bounds, how rates differ comes from the prior more than from them.
const FEW_COUNTS: usize = 5;

/// Where levelling leaves less, one municipality with little effort decides for all.
const LITTLE_KEPT: f64 = 0.25;

/// On what the share of cases without a place stands, where that is not the total.
fn on_the_share(counted: &Counted<'_>, lang: Lang) -> Option<String> {
    let Counted { study, domain, audience, released, .. } = *counted;
    let known = unlocated_cases(domain, audience, released);
    match (released.total, known) {
        (Some(_), None) => None,
        (_, Some(n)) => Some(fill(lang, "notice.unlocated_known", &[("n", n.to_string())])),
        (None, None) if matches!(study.incidence.unlocated, Prior::Fixed(_)) => None,
        (None, None) => Some(text(lang, "notice.unlocated_prior")),
    }
}

/// What stands against using the draws of BYM2.
pub(super) fn not_converged(diagnostics: &Diagnostics, domain: &Domain, lang: Lang) -> Option<String> {
    let draws = diagnostics.chains * diagnostics.samples_per_chain;
    // A divergent transition in a thousand or less is no reason to distrust the others.
    let few = diagnostics.divergences as usize * 1000 <= draws;
    let counts = |w: &&Bym2Warning| !matches!(w, Bym2Warning::Divergences { .. }) || !few;
    let said = |warning: &Bym2Warning| {
        let (key, of, value) = match warning {
            Bym2Warning::RHat { of, value } => ("r_hat", of.as_str(), format!("{value:.3}")),
            Bym2Warning::EffectiveSize { of, value } => {
                ("effective_size", of.as_str(), format!("{value:.0}"))
            }
            Bym2Warning::Divergences { count } => ("divergences", "", count.to_string()),
            Bym2Warning::Exhausted { count } => ("exhausted", "", count.to_string()),
        };
        // Areas are named by their number.
        let area = of.strip_prefix("area ").and_then(|m| domain.municipalities.get(m.parse::<usize>().ok()?));
        let of = area.map_or_else(|| of.to_owned(), |m| m.name.clone());
        fill(lang, &format!("notice.bym2.{key}"), &[("of", of), ("value", value)])
    };
    let list: Vec<String> = diagnostics.warnings.iter().filter(counts).map(said).collect();
    (!list.is_empty()).then(|| fill(lang, "notice.not_converged", &[("list", list.join("; "))]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use CountDatum::{AtLeast, Exact, Interval, Unknown};

    #[test]
    fn the_programmes_figures_leave_ninety_seven() {
        let mut data = [224, 92, 24, 23, 16, 15].map(Exact).to_vec();
        data.extend([Interval { min: 1, max: 14 }; 11]);
        data.extend([Unknown { max: Some(14) }; 107]);
        let a = Arithmetic::new(&data, Some(645)).unwrap();
        assert_eq!((a.exact, a.rest()), ((6, 394), 251));
        assert_eq!((a.intervals, a.elsewhere(), a.unknown), ((11, 11, Some(154)), 97, 107));
        assert_eq!(Arithmetic::new(&data, None), None);
    }

    #[test]
    fn an_open_interval_leaves_nothing_for_sure() {
        let a = Arithmetic::new(&[Exact(5), AtLeast { min: 3 }], Some(20)).unwrap();
        assert_eq!((a.intervals, a.elsewhere()), ((1, 3, None), 0));
    }
}
