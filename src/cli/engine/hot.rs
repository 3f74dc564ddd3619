//! Hot spots of a run: who borders whom, and how often each municipality is hot over the draws.

use geo::{Centroid, Coord};
use serde_json::{Value, json};

use super::counts::BORDER_TOLERANCE;
use crate::cli::spatial_error::spatial_error;
use crate::error::{Error, Faults, Place, Result};
use crate::incidence::CountDraw;
use crate::incidence::spatial::{
    HotOptions, HotSpots, Inference as Test, Metric, SpatialError, SpatialWeights, hot_probability, moran,
    usual_permutations,
};
use crate::layers::assemble::HotColumn;
use crate::model::domain::Domain;
use crate::model::incidence::CountDatum;
use crate::model::study::{Inference, Neighbours, Study};
use crate::stats::spread;

/// Levels of the false discovery rate, the strictest first; [`HotColumn::pr_hot`] is at the second.
const LEVELS: [f64; 3] = [0.01, 0.05, 0.1];
const CLASSES: [&str; 3] = ["q01", "q05", "q10"];

/// Where the study says how hot spots are looked for.
const KEY: &str = "incidence.hot_spots";

/// With fewer municipalities nothing can be told apart.
const FEWEST: usize = 3;

/// From this share of draws on, a class stands; below it and above [`DOUBT`] it is uncertain.
const STANDS: f64 = 0.5;
const DOUBT: f64 = 0.1;

/// Hot spots with what the manifest says of them.
pub(super) struct Found {
    pub column: HotColumn,
    pub statistics: Value,
}

/// Whether the neighbours that the study asks for can be found, before a run needs them.
pub(super) fn check(study: &Study, study_name: &str, domain: &Domain, faults: &mut Faults) -> Result<()> {
    if domain.municipalities.len() < FEWEST {
        return Ok(());
    }
    match neighbours(study.incidence.hot_spots.neighbours, domain)
        .map_err(|e| spatial_error(&e, place(study_name, KEY)))
    {
        Err(Error::Faults(found)) => {
            faults.extend(found);
            Ok(())
        }
        other => other.map(|_| ()),
    }
}

/// A key of the study.
pub(super) fn place(study_name: &str, key: &str) -> Place {
    Place { file: study_name.to_owned(), field: Some(key.to_owned()), ..Place::default() }
}

/// Looks for hot spots in the drawn rates. `None` where there are too few municipalities for any.
pub(super) fn hot_spots(
    study: &Study,
    study_name: &str,
    domain: &Domain,
    data: &[CountDatum],
    draws: &[CountDraw],
) -> Result<Option<Found>> {
    if data.len() < FEWEST || draws.is_empty() {
        return Ok(None);
    }
    let fault = |e: &SpatialError| spatial_error(e, place(study_name, KEY));
    let weights = neighbours(study.incidence.hot_spots.neighbours, domain).map_err(|e| fault(&e))?;
    let rates: Vec<Vec<f64>> = draws.iter().map(|d| d.rate.clone()).collect();
    // One without neighbours would only be compared with itself.
    let is_tested =
        |(m, d): (usize, &CountDatum)| !matches!(d, CountDatum::Unknown { .. }) && weights.cardinality(m) > 0;
    let tested: Vec<bool> = data.iter().enumerate().map(is_tested).collect();
    let usual = usual_permutations(tested.iter().filter(|t| **t).count(), LEVELS[1]);
    let permutations = study.incidence.hot_spots.permutations.unwrap_or(usual) as usize;
    let inference = match study.incidence.hot_spots.inference {
        Inference::Analytic => Test::Analytic,
        Inference::Permutation => Test::Permutation { permutations, seed: study.seed },
    };
    let options = HotOptions { inference, levels: LEVELS.to_vec() };
    let hot = hot_probability(&rates, &weights, &tested, &options).map_err(|e| fault(&e))?;
    let clustering: Vec<f64> =
        rates.iter().filter_map(|rates| moran(rates, &weights).ok()).map(|moran| moran.value).collect();
    let statistics = json!({
        "neighbours": study.incidence.hot_spots.neighbours,
        "links": weights.n_nonzero() / 2,
        "without_neighbours": weights.islands().len(),
        "parts": weights.components().iter().max().map_or(0, |last| last + 1),
        "inference": study.incidence.hot_spots.inference,
        "permutations": matches!(inference, Test::Permutation { .. }).then_some(permutations),
        "tested": tested.iter().filter(|t| **t).count(),
        "mean_hot": hot.mean_hot.get(1),
        "moran": (!clustering.is_empty()).then(|| {
            let [mean, p05, p95] = spread(clustering);
            json!({ "mean": mean, "p05": p05, "p95": p95 })
        }),
    });
    Ok(Some(Found { column: column(&hot), statistics }))
}

fn neighbours(kind: Neighbours, domain: &Domain) -> std::result::Result<SpatialWeights, SpatialError> {
    let polygons: Vec<_> = domain.municipalities.iter().map(|m| m.polygon.as_ref()).collect();
    let centroid = |m: &crate::model::domain::Municipality| {
        // One without a polygon of its own stands where the one does whose polygon it shares.
        let of =
            |code: &str| domain.municipalities.iter().find(|other| other.cvegeo == code)?.polygon.as_ref();
        let polygon = m.polygon.as_ref().or_else(|| of(m.polygon_of.as_deref()?));
        polygon.and_then(Centroid::centroid).map_or(Coord { x: 0.0, y: 0.0 }, Coord::from)
    };
    let centroids = || domain.municipalities.iter().map(centroid).collect::<Vec<Coord>>();
    let weights = match kind {
        Neighbours::Queen => SpatialWeights::queen(&polygons, BORDER_TOLERANCE),
        Neighbours::Rook => SpatialWeights::rook(&polygons, BORDER_TOLERANCE),
        Neighbours::Nearest(k) => SpatialWeights::k_nearest(&centroids(), k as usize, Metric::Sphere),
        Neighbours::WithinKm(km) => SpatialWeights::distance_band(&centroids(), km * 1000.0, Metric::Sphere),
    }?;
    // Polygons that lie apart are as they are; a distance that reaches nobody was badly chosen.
    let reaches_nobody = matches!(kind, Neighbours::WithinKm(_)) && weights.n_nonzero() == 0;
    if reaches_nobody { Err(SpatialError::NoLinks) } else { Ok(weights) }
}

fn column(hot: &HotSpots) -> HotColumn {
    let at =
        |level: usize, site: usize| hot.probability.get(level).and_then(|p| p.get(site).copied().flatten());
    let sites = hot.probability.first().map_or(0, Vec::len);
    let class = |site: usize| {
        let shares: Option<Vec<f64>> = (0..LEVELS.len()).map(|level| at(level, site)).collect();
        let Some(shares) = shares else { return "no_data" };
        let stands = CLASSES.iter().zip(&shares).find(|(_, share)| **share >= STANDS);
        match stands {
            Some((class, _)) => class,
            None if shares.last().is_some_and(|share| *share >= DOUBT) => "uncertain",
            None => "none",
        }
    };
    HotColumn { pr_hot: (0..sites).map(|site| at(1, site)).collect(), class: (0..sites).map(class).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strictest_level_that_holds_in_half_of_the_draws_is_the_class() {
        let p = |a: [f64; 3]| a.map(Some);
        let sites = [
            p([0.6, 0.9, 1.0]),
            p([0.2, 0.5, 0.7]),
            p([0.0, 0.4, 0.5]),
            p([0.0, 0.05, 0.1]),
            p([0.0; 3]),
            [None; 3],
        ];
        let hot = HotSpots {
            levels: LEVELS.to_vec(),
            probability: (0..3).map(|level| sites.iter().map(|s| s[level]).collect()).collect(),
            mean_hot: vec![0.0; 3],
            draws: 10,
            constant_draws: 0,
        };
        let column = column(&hot);
        assert_eq!(column.class, ["q01", "q05", "q10", "uncertain", "none", "no_data"]);
        assert_eq!(column.pr_hot[..2], [Some(0.9), Some(0.5)]);
        assert_eq!(column.pr_hot[5], None);
    }
}
