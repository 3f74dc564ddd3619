//! All statistics of the command, from values and weights.

use super::read::told;
use super::{Areas, Rates, Report, Request, Tests};
use crate::error::Result;
use crate::incidence::shrinkage::GammaPoisson;
use crate::incidence::spatial::{
    Global, PermutationP, Permutations, Quadrant, SpatialError, SpatialWeights, benjamini_hochberg,
    benjamini_yekutieli, bonferroni, eb_smoothed, eb_standardised, geary, getis_ord, global_permutation,
    local_moran, moran, two_sided, usual_permutations,
};
use crate::incidence::{CountCell, IcarScale, scale_factors};
use crate::model::incidence::CountDatum;

pub(super) fn analyse(request: Request, areas: Areas, weights: SpatialWeights) -> Result<Report> {
    match compute(&request, &areas, &weights) {
        Ok(found) => {
            let Found { permutations, sums, rates, global, moran, getis } = found;
            let icar = icar(&weights);
            Ok(Report { request, areas, weights, permutations, sums, icar, rates, global, moran, getis })
        }
        Err(error) => Err(told(&error, &areas)),
    }
}

/// What [`Report`] holds beside its inputs.
struct Found {
    permutations: u32,
    sums: [f64; 3],
    rates: Option<Rates>,
    global: [super::Global; 2],
    moran: super::Local<crate::incidence::spatial::LocalMoran>,
    getis: [super::Local<crate::incidence::spatial::GetisOrd>; 2],
}

fn compute(request: &Request, areas: &Areas, weights: &SpatialWeights) -> Result<Found, SpatialError> {
    let islands = weights.islands();
    let seed = request.seed;
    // A p value of two sides is no smaller than twice that of one.
    let usual = usual_permutations(2 * (weights.len() - islands.len()), request.args.level);
    let permutations = request.args.permutations.unwrap_or(usual);
    let rates = match &areas.population {
        Some(population) => Some(Rates {
            crude: areas.values.iter().zip(population).map(|(e, n)| e / n).collect(),
            standardised: eb_standardised(&areas.values, population)?,
            smoothed: eb_smoothed(&areas.values, population)?,
            law: law(&areas.values, population),
        }),
        None => None,
    };
    // Moran and Geary of rates are of the standardised ones; Gi needs a natural zero.
    let values = rates.as_ref().map_or(&areas.values, |rates| &rates.standardised);
    let natural = rates.as_ref().map_or(&areas.values, |rates| &rates.crude);
    let transformed = request.transformed(weights);
    let permuted = permutations > 0;
    let among_permuted = |statistic: Global| {
        permuted.then(|| global_permutation(statistic, values, &transformed, permutations, seed)).transpose()
    };
    let global = [
        (moran(values, &transformed)?, among_permuted(Global::Moran)?),
        (geary(values, &transformed)?, among_permuted(Global::Geary)?),
    ];
    let sequences =
        if permuted { Some(Permutations::new(weights, permutations as usize, seed)?) } else { None };
    let count = |values: &[f64]| -> Result<Option<Vec<PermutationP>>, SpatialError> {
        sequences.as_ref().map(|sequences| sequences.p_values(values, weights)).transpose()
    };
    let local = local_moran(values, &transformed)?;
    // Below the mean a high sum of neighbours makes a low statistic.
    let of_moran = count(values)?.map(|counts| {
        let high = |q: &Option<Quadrant>| matches!(q, Some(Quadrant::HighHigh | Quadrant::HighLow));
        counts.into_iter().zip(&local.quadrant).map(|(p, q)| if high(q) { p } else { p.turned() }).collect()
    });
    let of_getis = count(natural)?;
    let tests = |counts: Option<Vec<PermutationP>>, z: &[Option<f64>]| tests(counts, z, &islands);
    let moran = {
        let found = tests(of_moran, &local.z);
        (local, found)
    };
    let getis = [false, true].map(|star| getis_ord(natural, weights, star));
    let [gi, star] = getis;
    let (gi, star) = (gi?, star?);
    let of_gi = tests(of_getis.clone(), &gi.z);
    let of_star = tests(of_getis, &star.z);
    Ok(Found {
        permutations,
        sums: transformed.sums(),
        rates,
        global,
        moran,
        getis: [(gi, of_gi), (star, of_star)],
    })
}

/// The law of the rates by maximum likelihood; `None` where values are no counts, or out of its range.
fn law(events: &[f64], population: &[f64]) -> Option<GammaPoisson> {
    let cell = |(&events, &exposure): (&f64, &f64)| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and in range")]
        let count = (events.fract() == 0.0 && (0.0..=1e9).contains(&events)).then_some(events as u32)?;
        Some(CountCell { exposure, datum: CountDatum::Exact(count) })
    };
    let cells: Vec<CountCell> = events.iter().zip(population).map(cell).collect::<Option<_>>()?;
    GammaPoisson::fit(&cells).ok()
}

/// Scale of the intrinsic autoregression on the graph of the weights.
fn icar(weights: &SpatialWeights) -> Option<IcarScale> {
    let rows: Vec<Vec<usize>> =
        (0..weights.len()).map(|site| weights.row(site).0.iter().map(|&n| n as usize).collect()).collect();
    scale_factors(&rows).ok()
}

/// Two-sided p values and what many tests make of them. Islands and sites without a statistic are not tested.
fn tests(counts: Option<Vec<PermutationP>>, z: &[Option<f64>], islands: &[usize]) -> Tests {
    let permuted: Vec<Option<PermutationP>> = counts
        .into_iter()
        .flatten()
        .enumerate()
        .map(|(site, p)| islands.binary_search(&site).is_err().then_some(p))
        .collect();
    let one = |(site, z): (usize, &Option<f64>)| {
        let z = z.filter(|_| islands.binary_search(&site).is_err())?;
        // With permutations there is one entry for each site.
        Some(permuted.get(site).copied().flatten().map_or_else(|| two_sided(z), |p| p.two_sided()))
    };
    let p: Vec<Option<f64>> = z.iter().enumerate().map(one).collect();
    let (bh, by, bonferroni) = (benjamini_hochberg(&p), benjamini_yekutieli(&p), bonferroni(&p));
    Tests { permuted, p, bh, by, bonferroni }
}
