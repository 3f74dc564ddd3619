//! Rates of events in populations of different size.

use super::error::SpatialError;

/// The mean rate, the variance between sites, and the crude rates.
struct Moments {
    mean: f64,
    between: f64,
    crude: Vec<f64>,
}

fn moments(events: &[f64], population: &[f64]) -> Result<Moments, SpatialError> {
    if events.len() != population.len() {
        return Err(SpatialError::ShapeMismatch { expected: population.len(), found: events.len() });
    }
    if events.len() < 2 {
        return Err(SpatialError::TooFew { sites: events.len(), needed: 2 });
    }
    for (site, (events, population)) in events.iter().zip(population).enumerate() {
        if !(events.is_finite() && *events >= 0.0 && population.is_finite() && *population > 0.0) {
            return Err(SpatialError::Rate { site, events: *events, population: *population });
        }
    }
    let (e, n): (f64, f64) = (events.iter().sum(), population.iter().sum());
    let mean = e / n;
    if mean <= 0.0 {
        return Err(SpatialError::Constant);
    }
    let crude: Vec<f64> = events.iter().zip(population).map(|(e, n)| e / n).collect();
    let spread: f64 = crude.iter().zip(population).map(|(rate, n)| n * (rate - mean) * (rate - mean)).sum();
    let between = spread / n - mean / (n / events.len() as f64);
    Ok(Moments { mean, between, crude })
}

/// Standardised rates of Assunção & Reis 1999: `(r_i − b)/√(a + b/n_i)`, with `b` the mean rate and `a` the variance
/// between sites by moments; without a unit. A variance `a + b/n_i` below zero, which a negative `a` can give, becomes
/// `b/n_i`, as in `esda`. Use them in the place of rates where populations differ: their variance is the same.
///
/// # Errors
/// [`SpatialError::Rate`] for a population that is not above zero or events below zero, [`SpatialError::Constant`]
/// without events, [`SpatialError::ShapeMismatch`] for lists of different length, [`SpatialError::TooFew`] below two.
pub fn eb_standardised(events: &[f64], population: &[f64]) -> Result<Vec<f64>, SpatialError> {
    let Moments { mean, between, crude } = moments(events, population)?;
    let standardised = |(rate, n): (f64, &f64)| {
        let own = mean / n;
        let variance = between + own;
        (rate - mean) / if variance < 0.0 { own } else { variance }.sqrt()
    };
    let out: Vec<f64> = crude.into_iter().zip(population).map(standardised).collect();
    match out.iter().enumerate().find(|(_, z)| !z.is_finite()) {
        // A variance of exactly zero.
        Some((site, z)) => Err(SpatialError::Value { site, value: *z }),
        None => Ok(out),
    }
}

/// Empirical Bayes rates of Marshall 1991 (global): `b + (r_i − b) a/(a + b/n_i)`, events per head; `a` below zero
/// counts as zero, so that all rates become `b`.
///
/// # Errors
/// As [`eb_standardised`].
pub fn eb_smoothed(events: &[f64], population: &[f64]) -> Result<Vec<f64>, SpatialError> {
    let Moments { mean, between, crude } = moments(events, population)?;
    let between = between.max(0.0);
    let smoothed = |(rate, n): (f64, &f64)| mean + (rate - mean) * between / (between + mean / n);
    Ok(crude.into_iter().zip(population).map(smoothed).collect())
}
