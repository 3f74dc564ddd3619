//! Small summary statistics that several stages share, so that a quantile is the same thing everywhere.

/// The `q`-quantile of values sorted in ascending order, by linear interpolation of order statistics
/// (type 7 of Hyndman & Fan 1996, Am. Stat. 50:361; the default of R and `NumPy`).
///
/// With `n` values and `h = (n − 1) q`, it is `x[⌊h⌋] + (h − ⌊h⌋) (x[⌊h⌋ + 1] − x[⌊h⌋])`, indices from 0.
/// It has the unit of the values. `None` for an empty slice and for `q` outside [0, 1].
///
/// ```
/// assert_eq!(corredor::stats::quantile(&[1.0, 2.0, 4.0, 8.0], 0.5), Some(3.0));
/// ```
#[must_use]
pub fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    if !(0.0..=1.0).contains(&q) {
        return None;
    }
    let last = sorted.len().checked_sub(1)?;
    #[expect(clippy::cast_precision_loss, reason = "a slice of f64 is far shorter than 2^52")]
    let position = last as f64 * q;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0 <= position <= last, and the fraction is taken below"
    )]
    let below = position.floor() as usize;
    let low = *sorted.get(below)?;
    let high = *sorted.get((below + 1).min(last))?;
    let share = position - position.floor();
    // Also keeps equal infinities from turning into a NaN.
    Some(if share > 0.0 { share.mul_add(high - low, low) } else { low })
}

/// The arithmetic mean, added in the order of the slice (so the same slice always gives the same bits).
/// `None` for an empty slice.
#[must_use]
pub fn mean(values: &[f64]) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "a slice of f64 is far shorter than 2^52")]
    let n = values.len() as f64;
    Some(values.iter().sum::<f64>() / n)
}

/// Mean, 5 % and 95 % quantile of values in any order: how the layers show what draws say. Zeros for no
/// value. The mean is added in the order of the values.
#[must_use]
pub fn spread(mut values: Vec<f64>) -> [f64; 3] {
    let mean = mean(&values).unwrap_or(0.0);
    values.sort_by(f64::total_cmp);
    [mean, quantile(&values, 0.05).unwrap_or(0.0), quantile(&values, 0.95).unwrap_or(0.0)]
}

#[cfg(test)]
mod tests {
    use super::{mean, quantile};

    #[test]
    fn type_seven_agrees_with_numpy() {
        let x = [1.0, 3.0, 4.0, 10.0, 20.0];
        // numpy.quantile([1, 3, 4, 10, 20], [0, .05, .3, .5, .95, 1])
        for (q, expected) in [(0.0, 1.0), (0.05, 1.4), (0.3, 3.2), (0.5, 4.0), (0.95, 18.0), (1.0, 20.0)] {
            let got = quantile(&x, q).unwrap();
            assert!((got - expected).abs() < 1e-12, "q = {q}: {got}");
        }
    }

    #[test]
    fn what_has_no_quantile_gives_none() {
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(quantile(&[1.0], 1.5), None);
        assert_eq!(quantile(&[1.0], f64::NAN), None);
        assert_eq!(quantile(&[7.0], 0.95), Some(7.0));
        assert_eq!(mean(&[]), None);
        assert_eq!(mean(&[1.0, 2.0, 6.0]), Some(3.0));
    }
}
