//! Classes of a number, from the data.

/// Class limits at the given quantiles of the values above zero, to two significant digits, rising, without
/// repeats; fewer or none where there is little data.
pub(super) fn limits(mut values: Vec<f64>, quantiles: &[f64]) -> Vec<f64> {
    values.retain(|x| x.is_finite() && *x > 0.0);
    values.sort_by(f64::total_cmp);
    let mut limits: Vec<f64> = Vec::new();
    for q in quantiles {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a quantile in [0, 1] of a vector in memory"
        )]
        let i = (q * values.len() as f64) as usize;
        let Some(limit) = values.get(i).and_then(|x| format!("{x:.1e}").parse::<f64>().ok()) else {
            continue;
        };
        if limits.last().is_none_or(|last| *last < limit) {
            limits.push(limit);
        }
    }
    limits
}

/// Class limits that are 1, 2 and 3 times a round step (1, 2 or 5 times a power of ten): the smallest with which four steps
/// reach beyond all values. Values that differ little get the same limits, so that two maps can be compared. None where
/// nothing is above zero.
pub(super) fn even_limits(values: &[f64]) -> Vec<f64> {
    let highest = values.iter().copied().filter(|x| x.is_finite()).fold(0.0, f64::max);
    if highest <= 0.0 {
        return Vec::new();
    }
    let power = 10_f64.powf((highest / 4.0).log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|step| 4.0 * step > highest);
    // Without the dust of the product.
    let round = |x: f64| format!("{x:.1e}").parse::<f64>().ok();
    step.map(|step| (1..=3).filter_map(|i| round(f64::from(i) * step)).collect()).unwrap_or_default()
}

/// A class for the legend: at least the low limit and below the high one.
pub(super) fn range(low: Option<&f64>, high: Option<&f64>) -> String {
    match (low, high) {
        (None, None) => "> 0".to_owned(),
        (None, Some(high)) => format!("< {high}"),
        (Some(low), None) => format!("≥ {low}"),
        (Some(low), Some(high)) => format!("{low} – {high}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_rise_and_are_round() {
        let values: Vec<f64> = (0..=1000).map(|i| f64::from(i) / 1234.0).collect();
        assert_eq!(limits(values, &[0.5, 0.8, 0.95]), [0.41, 0.65, 0.77]);
        assert_eq!(limits(vec![0.2; 9], &[0.5, 0.8]), [0.2]);
        assert!(limits(vec![0.0, f64::NAN, -1.0], &[0.5]).is_empty());
    }

    #[test]
    fn even_limits_are_round_and_the_same_for_values_that_differ_little() {
        assert_eq!(even_limits(&[3.11, 0.9]), [1.0, 2.0, 3.0]);
        assert_eq!(even_limits(&[3.22, f64::INFINITY]), [1.0, 2.0, 3.0]);
        assert_eq!(even_limits(&[0.3]), [0.1, 0.2, 0.3]);
        assert_eq!(even_limits(&[4.0]), [2.0, 4.0, 6.0]);
        assert_eq!(even_limits(&[19.0]), [5.0, 10.0, 15.0]);
        assert_eq!(even_limits(&[39.0]), [10.0, 20.0, 30.0]);
        assert!(even_limits(&[]).is_empty() && even_limits(&[0.0, f64::NAN]).is_empty());
    }
}
