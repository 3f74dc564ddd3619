//! What a study says of its counts, of their law, and of how they are looked at.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Fault, Faults, Rule};
use crate::model::prior::Prior;

/// What is known of the counts as a whole, and their law.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct IncidenceSpec {
    /// Length of the period that the counts cover, in years, 0.001 – 200. Default: the months of the counts' own
    /// periods, else 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period_years: Option<f64>,
    /// The period as text, such as `2009–2020`. Default: that of the counts.
    pub period: String,
    /// Cases in the whole region, where published. Default: the sum of the counts, where each is a number and
    /// those without a municipality are in the table too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u32>,
    /// Upper bound of the count of a municipality that the table does not list. None: no bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unlisted_max: Option<u32>,
    /// Probability that a case has no municipality: a share, fixed (0, or 1e-9 – 1 − 1e-9) or Beta (shapes 0.01 – 1e6). Default Beta(1, 9).
    pub unlocated: Prior,
    /// Law of the cases. Default `negative_binomial`.
    pub model: CountLaw,
    /// Mean of the municipalities' rates, per 100,000 persons and year, 1e-7 – 1e5; fixed or log-normal. Not used by
    /// `common`. Default log-normal, median 1, σ 3: next to nothing is known.
    pub rate: Prior,
    /// Coefficient of variation of the municipalities' rates, 0.001 – 1,000; fixed or log-normal. Used by
    /// `negative_binomial` alone. Default log-normal, median 1, σ 0.7.
    pub heterogeneity: Prior,
    /// Priors and chains of `bym2`.
    pub bym2: Bym2Spec,
    /// Cases by modality in the whole region, as published: of a denominator of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modalities: Option<ModalitySpec>,
    /// A scenario of what was not detected. None: no scenario.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub under_detection: Option<UnderDetection>,
    /// Hot spots.
    pub hot_spots: HotSpotSpec,
}

/// The law of the cases given the exposures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CountLaw {
    /// Each municipality has its own rate; the rates follow a Gamma law, whose mean and spread are drawn.
    #[default]
    NegativeBinomial,
    /// One rate for all.
    Common,
    /// Own rates, alike among neighbours (BYM2).
    Bym2,
}

/// Priors and chains of the model in which rates are alike among neighbours. The level of the rates has the prior `rate`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Bym2Spec {
    /// Scale of the half-normal prior of σ, the standard deviation of the log-rates, 0.001 – 100. Default 1.
    pub sigma: f64,
    /// Share of the variance that neighbours have in common: Beta, both parameters 0.05 – 1,000. Default Beta(½, ½).
    pub spatial_share: Prior,
    /// Chains, 2 – 64. Default 4.
    pub chains: u32,
    /// Transitions of each chain that are not kept, 20 – 100,000. Default 1,000.
    pub warm_up: u32,
    /// Transitions of each chain that are kept, 20 – 100,000. Default 1,000.
    pub samples: u32,
}

impl Default for Bym2Spec {
    fn default() -> Self {
        let spatial_share = Prior::Beta { a: 0.5, b: 0.5 };
        Self { sigma: 1.0, spatial_share, chains: 4, warm_up: 1_000, samples: 1_000 }
    }
}

/// Cases by modality of the whole region. Their sum is their own denominator, never the total of the counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModalitySpec {
    /// What was counted, such as `casos detectados con modalidad conocida`.
    pub of: String,
    /// Cases by modality.
    pub counts: BTreeMap<String, u32>,
}

/// A scenario: what the rates would be if only a part of the cases was detected.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnderDetection {
    /// Probability that a case is detected, in the region as a whole: fixed or Beta.
    pub probability: Prior,
    /// How much it differs between municipalities: standard deviation of its logit, 0 – 3. Default 0.5.
    #[serde(default = "half")]
    pub spread: f64,
}

/// How hot spots are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HotSpotSpec {
    /// Who is a neighbour. Default `queen`.
    pub neighbours: Neighbours,
    /// How p values are found. Default `permutation`.
    pub inference: Inference,
    /// Permutations, 99 – 99,999. Default: as many as it takes for one municipality alone to be found, 999 – 9,999.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permutations: Option<u32>,
}

impl Default for HotSpotSpec {
    fn default() -> Self {
        Self { neighbours: Neighbours::Queen, inference: Inference::Permutation, permutations: None }
    }
}

/// Neighbours of a municipality.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Neighbours {
    /// Those whose polygons share a point of the border.
    Queen,
    /// Those whose polygons share a part of the border.
    Rook,
    /// The nearest so many, 1 – 100, between centroids.
    Nearest(u32),
    /// Those within so many kilometres, above 0 up to 2,000, between centroids.
    WithinKm(f64),
}

/// How p values are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Inference {
    /// From the normal law of the statistic.
    Analytic,
    /// From random permutations of the other municipalities' values.
    Permutation,
}

const fn half() -> f64 {
    0.5
}

impl Default for IncidenceSpec {
    fn default() -> Self {
        Self {
            period_years: None,
            period: String::new(),
            total: None,
            unlisted_max: None,
            unlocated: Prior::Beta { a: 1.0, b: 9.0 },
            model: CountLaw::default(),
            rate: Prior::Lognormal { median: 1.0, sigma: 3.0 },
            heterogeneity: Prior::Lognormal { median: 1.0, sigma: 0.7 },
            bym2: Bym2Spec::default(),
            modalities: None,
            under_detection: None,
            hot_spots: HotSpotSpec::default(),
        }
    }
}

impl IncidenceSpec {
    /// Length of the period in years.
    #[must_use]
    pub fn years(&self) -> f64 {
        self.period_years.unwrap_or(1.0)
    }

    /// Hands path, value, lowest and highest value of each number to `range`.
    pub(super) fn check_ranges(&self, range: &mut impl FnMut(&str, f64, f64, f64)) {
        range("incidence.period_years", self.years(), 1e-3, 200.0);
        let chains = self.bym2;
        range("incidence.bym2.sigma", chains.sigma, 1e-3, 100.0);
        range("incidence.bym2.chains", chains.chains.into(), 2.0, 64.0);
        range("incidence.bym2.warm_up", chains.warm_up.into(), 20.0, 100_000.0);
        range("incidence.bym2.samples", chains.samples.into(), 20.0, 100_000.0);
        if let Prior::Beta { a, b } = chains.spatial_share {
            range("incidence.bym2.spatial_share", a.min(b), 0.05, 1e3);
            range("incidence.bym2.spatial_share", a.max(b), 0.05, 1e3);
        }
        if let Some(scenario) = &self.under_detection {
            range("incidence.under_detection.spread", scenario.spread, 0.0, 3.0);
        }
        if let Some(permutations) = self.hot_spots.permutations {
            range("incidence.hot_spots.permutations", permutations.into(), 99.0, 99_999.0);
        }
        match self.hot_spots.neighbours {
            Neighbours::Nearest(k) => range("incidence.hot_spots.neighbours.nearest", k.into(), 1.0, 100.0),
            Neighbours::WithinKm(km) => range("incidence.hot_spots.neighbours.within_km", km, 1e-3, 2_000.0),
            Neighbours::Queen | Neighbours::Rook => {}
        }
        if let Some(modalities) = &self.modalities {
            let sum: u64 = modalities.counts.values().copied().map(u64::from).sum();
            range("incidence.modalities.counts", sum as f64, 1.0, 1e7);
        }
    }

    /// Of some parameters the posterior is worked out, for one law; they are not only drawn. Returns the paths of those whose
    /// prior is of another law.
    pub(super) fn check_laws(&self, file: &str, faults: &mut Faults) -> Vec<&'static str> {
        let scenario = self.under_detection.map(|scenario| scenario.probability);
        let mut wrong = Vec::new();
        for (path, prior, allowed) in [
            ("incidence.unlocated", Some(self.unlocated), &["fixed", "beta"][..]),
            ("incidence.rate", Some(self.rate), &["fixed", "lognormal"]),
            ("incidence.heterogeneity", Some(self.heterogeneity), &["fixed", "lognormal"]),
            ("incidence.under_detection.probability", scenario, &["fixed", "beta"]),
            // A known share has no posterior there.
            ("incidence.bym2.spatial_share", Some(self.bym2.spatial_share), &["beta"]),
        ] {
            let Some(law) = prior.map(Prior::law).filter(|law| !allowed.contains(law)) else { continue };
            wrong.push(path);
            let fault = Fault::new(Rule::PriorLaw, file).field(path).seen(law);
            faults.push(fault.with("allowed", allowed.join(", ")));
        }
        wrong
    }

    /// Warns of what is stated and not used.
    pub(super) fn check_unused(&self, file: &str, faults: &mut Faults) {
        let (own, usual) = (self, Self::default());
        let law = match own.model {
            CountLaw::Common => "incidence.model = \"common\"",
            CountLaw::NegativeBinomial => "incidence.model = \"negative_binomial\"",
            CountLaw::Bym2 => "incidence.model = \"bym2\"",
        };
        let analytic = own.hot_spots.inference == Inference::Analytic;
        for (path, unused, because) in [
            ("incidence.rate", own.model == CountLaw::Common && own.rate != usual.rate, law),
            (
                "incidence.heterogeneity",
                own.model != CountLaw::NegativeBinomial && own.heterogeneity != usual.heterogeneity,
                law,
            ),
            ("incidence.bym2", own.model != CountLaw::Bym2 && own.bym2 != usual.bym2, law),
            (
                "incidence.hot_spots.permutations",
                analytic && own.hot_spots.permutations.is_some(),
                "incidence.hot_spots.inference = \"analytic\"",
            ),
        ] {
            if unused {
                faults.push(Fault::new(Rule::KeyUnused, file).field(path).with("because", because));
            }
        }
    }
}
