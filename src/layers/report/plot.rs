//! Plots of intervals: a dot for the mean, a line from the 5th to the 95th percentile.

use super::svg::{Anchor, Svg, Type, width_of};

/// One line of a plot.
#[derive(Debug, Clone)]
pub(super) struct Whisker {
    /// Name at its left.
    pub label: String,
    /// Mean, low and high end.
    pub spread: [f64; 3],
    /// Colour.
    pub color: String,
}

const ROW: f64 = 4.3;
const TOP: f64 = 1.5;
const FOOT: f64 = 5.6;

/// Height of a plot with so many lines, millimetres.
pub(super) fn height(rows: usize) -> f64 {
    TOP + ROW * rows as f64 + FOOT
}

/// The plot. `tick` tells a value of the axis; `line` is a value to be marked, such as 1 for a ratio.
pub(super) fn whiskers(rows: &[Whisker], width: f64, tick: impl Fn(f64) -> String) -> String {
    let mut svg = Svg::new(width, height(rows.len()));
    let names = rows.iter().map(|row| 1.15 * width_of(&row.label, 2.5)).fold(0.0, f64::max).min(width * 0.45);
    let (left, right) = (names + 2.0, width - 4.0);
    let numbers = rows.iter().flat_map(|row| row.spread).filter(|x| x.is_finite());
    let (low, high) = numbers.fold((0.0_f64, 0.0_f64), |(low, high), x| (low.min(x), high.max(x)));
    let ticks = ticks(low, high);
    let (first, last) = (ticks.first().copied().unwrap_or(0.0), ticks.last().copied().unwrap_or(1.0));
    let x = |value: f64| left + (right - left) * (value - first) / (last - first).max(f64::MIN_POSITIVE);
    let bottom = TOP + ROW * rows.len() as f64;
    for value in &ticks {
        svg.line((x(*value), TOP), (x(*value), bottom), "#d7dce0", 0.2);
        let look = Type { size: 2.2, color: "#444444", anchor: Anchor::Middle, ..Type::PLAIN };
        svg.text((x(*value), bottom + 2.8), &tick(*value), look);
    }
    svg.line((x(0.0), TOP), (x(0.0), bottom), "#8a949c", 0.25);
    for (i, row) in rows.iter().enumerate() {
        let y = TOP + ROW * (i as f64 + 0.5);
        svg.text((left - 1.4, y + 0.85), &row.label, Type { size: 2.5, anchor: Anchor::End, ..Type::PLAIN });
        let [mean, p05, p95] = row.spread;
        if row.spread.iter().all(|x| x.is_finite()) {
            svg.line((x(p05), y), (x(p95), y), &row.color, 0.7);
            for end in [p05, p95] {
                svg.line((x(end), y - 0.8), (x(end), y + 0.8), &row.color, 0.4);
            }
            svg.circle((x(mean), y), 1.05, &row.color, "#ffffff", 0.25);
        }
    }
    svg.finish()
}

/// Round values that reach beyond both ends, at most seven.
fn ticks(low: f64, high: f64) -> Vec<f64> {
    let extent = (high - low).max(1e-6);
    let power = 10_f64.powf((extent / 4.0).log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|step| extent / step <= 5.0);
    let step = step.unwrap_or(extent);
    let (first, last) = ((low / step).floor(), (high / step).ceil().max((low / step).floor() + 1.0));
    let mut out = Vec::new();
    let mut i = first;
    while i <= last && out.len() < 12 {
        // Without the dust of the product.
        out.push(n9(i * step));
        i += 1.0;
    }
    out
}

fn n9(x: f64) -> f64 {
    format!("{x:.9}").parse().unwrap_or(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_reaches_beyond_all_values() {
        for (low, high) in [(0.0, 0.31), (-0.04, 0.02), (0.0, 0.0), (0.0, 1.0), (0.0, 7e-5)] {
            let ticks = ticks(low, high);
            assert!(ticks[0] <= low && *ticks.last().unwrap() >= high, "{low} {high}: {ticks:?}");
            assert!((2..=8).contains(&ticks.len()), "{ticks:?}");
        }
        assert_eq!(ticks(0.0, 0.31), [0.0, 0.1, 0.2, 0.3, 0.4]);
    }

    #[test]
    fn what_is_no_number_has_no_line() {
        let row = Whisker { label: "<a>".into(), spread: [f64::NAN, 0.0, 1.0], color: "#000000".into() };
        let svg = whiskers(&[row], 60.0, |x| x.to_string());
        assert!(!svg.contains("NaN") && !svg.contains("<circle") && svg.contains("&lt;a&gt;"));
    }
}
