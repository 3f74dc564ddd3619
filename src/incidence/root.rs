//! The tilt under which a sum of counts has the mean that is wanted.

use super::error::IncidenceError;

/// Newton steps from `start` inside a bracket that shrinks: `moments` gives the mean, which rises with the tilt, and the
/// variance, which is its slope. A step that leaves the bracket becomes a bisection.
///
/// It ends where the mean is within `near` standard deviations of `target`: all that use it give the same answers under
/// any tilt, so that being near is enough.
///
/// # Errors
/// What `moments` cannot compute.
pub(super) fn tilt_for(
    target: f64,
    (mut low, mut high): (f64, f64),
    start: f64,
    near: f64,
    mut moments: impl FnMut(f64) -> Result<(f64, f64), IncidenceError>,
) -> Result<f64, IncidenceError> {
    let mut tilt = start;
    for _ in 0..200 {
        let (mean, variance) = moments(tilt)?;
        let miss = mean - target;
        if miss.abs() <= near * variance.sqrt() || high - low < 1e-13 {
            break;
        }
        if miss > 0.0 {
            high = tilt;
        } else {
            low = tilt;
        }
        let newton = tilt - miss / variance;
        tilt = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
    }
    Ok(tilt)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Poisson variable of mean 2 under a tilt.
    fn poisson(tilt: f64) -> (f64, f64) {
        (2.0 * tilt.exp(), 2.0 * tilt.exp())
    }

    #[test]
    fn the_mean_comes_near_from_any_start() {
        for (target, start) in [(2.0, 0.0), (700.0, 0.0), (700.0, -30.0), (1e-3, 9.0)] {
            let tilt = tilt_for(target, (-50.0, 50.0), start, 0.02, |tilt| Ok(poisson(tilt))).unwrap();
            let mean = 2.0 * tilt.exp();
            assert!((mean - target).abs() <= 0.02 * mean.sqrt(), "{target}: {mean}");
        }
    }

    #[test]
    fn without_a_slope_the_bracket_is_halved() {
        let step = |tilt: f64| Ok((if tilt > 1.25 { 9.0 } else { 1.0 }, 0.0));
        assert!((tilt_for(5.0, (-4.0, 4.0), 0.0, 0.1, step).unwrap() - 1.25).abs() < 1e-12);
    }

    #[test]
    fn what_cannot_be_computed_ends_the_search() {
        let none = |_| Err(IncidenceError::Impossible);
        assert_eq!(tilt_for(5.0, (-4.0, 4.0), 0.0, 0.1, none), Err(IncidenceError::Impossible));
    }
}
