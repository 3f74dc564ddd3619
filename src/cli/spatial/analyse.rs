//! All statistics of the command, from values and weights.

use super::read::told;
use super::{Areas, Rates, Report, Request, Tests};
use crate::error::Result;
use crate::incidence::spatial::{
    PermutationP, Permutations, Quadrant, SpatialError, SpatialWeights, benjamini_hochberg,
    benjamini_yekutieli, bonferroni, eb_smoothed, eb_standardised, geary, geary_permutation, getis_ord,
    local_moran, moran, moran_permutation,
};

pub(super) fn analyse(request: Request, areas: Areas, weights: SpatialWeights) -> Result<Report> {
    let file = areas.file.clone();
    match compute(&request, &areas, &weights) {
        Ok(found) => {
            let Found { sums, rates, global, moran, getis } = found;
            Ok(Report { request, areas, weights, sums, rates, global, moran, getis })
        }
        Err(error) => Err(told(&error, &file, &areas)),
    }
}

/// What [`Report`] holds beside its inputs.
struct Found {
    sums: [f64; 3],
    rates: Option<Rates>,
    global: [super::Global; 2],
    moran: super::Local<crate::incidence::spatial::LocalMoran>,
    getis: [super::Local<crate::incidence::spatial::GetisOrd>; 2],
}

fn compute(request: &Request, areas: &Areas, weights: &SpatialWeights) -> Result<Found, SpatialError> {
    let (permutations, seed) = (request.args.permutations, request.seed);
    let rates = match &areas.population {
        Some(population) => Some(Rates {
            crude: areas.values.iter().zip(population).map(|(e, n)| e / n).collect(),
            standardised: eb_standardised(&areas.values, population)?,
            smoothed: eb_smoothed(&areas.values, population)?,
        }),
        None => None,
    };
    // Moran and Geary of rates are of the standardised ones; Gi needs a natural zero.
    let values = rates.as_ref().map_or(&areas.values, |rates| &rates.standardised);
    let natural = rates.as_ref().map_or(&areas.values, |rates| &rates.crude);
    let transformed = request.transformed(weights);
    let permuted = permutations > 0;
    let global = [
        (
            moran(values, &transformed)?,
            permuted.then(|| moran_permutation(values, &transformed, permutations, seed)).transpose()?,
        ),
        (
            geary(values, &transformed)?,
            permuted.then(|| geary_permutation(values, &transformed, permutations, seed)).transpose()?,
        ),
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
    let islands = weights.islands();
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
    Ok(Found { sums: transformed.sums(), rates, global, moran, getis: [(gi, of_gi), (star, of_star)] })
}

/// Two-sided p values and what many tests make of them. Islands and sites without a statistic are not tested.
fn tests(counts: Option<Vec<PermutationP>>, z: &[Option<f64>], islands: &[usize]) -> Tests {
    let permuted: Vec<Option<PermutationP>> = match counts {
        Some(counts) => {
            let mut permuted: Vec<Option<PermutationP>> = counts.into_iter().map(Some).collect();
            for island in islands {
                permuted[*island] = None;
            }
            permuted
        }
        None => Vec::new(),
    };
    let p: Vec<Option<f64>> = if permuted.is_empty() {
        let normal = |z: f64| statrs::function::erf::erfc(z.abs() / std::f64::consts::SQRT_2);
        z.iter().map(|z| z.map(normal)).collect()
    } else {
        permuted.iter().zip(z).map(|(p, z)| p.filter(|_| z.is_some()).map(|p| p.two_sided())).collect()
    };
    let (bh, by, bonferroni) = (benjamini_hochberg(&p), benjamini_yekutieli(&p), bonferroni(&p));
    Tests { permuted, p, bh, by, bonferroni }
}
