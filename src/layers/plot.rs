//! Plots as SVG: for a page, a document or a viewer of pictures. They name no font of their own, ask for nothing, tell
//! a screen reader what they show, and can be read without colour.

use std::fmt::Write as _;

use quick_xml::escape::escape;

use super::feature::Lang;
use super::telling::word;
use super::view::LayerView;

const WIDTH: f64 = 720.0;
const LABELS: f64 = 270.0;
const RIGHT: f64 = 700.0;
const TOP: f64 = 84.0;
const ROW: f64 = 15.0;
const HEAD: f64 = 26.0;
/// Height of a line of a notice.
const NOTE: f64 = 13.0;

/// What is read of a row of the `sensitivity` layer.
struct Line {
    parameter: String,
    /// First and total index with their intervals; `None` where the score does not vary.
    indices: Option<[[f64; 3]; 2]>,
}

/// The indices of the `sensitivity` layer: for each corridor and parameter the total index as a ring and the first index as
/// a dot, each with its 90 % interval as a line. Intervals are cut at −0.5 and 1.5; the numbers are in the table. Of any
/// other layer an empty plot.
#[must_use]
pub fn sensitivity(view: &LayerView<'_>, lang: Lang) -> String {
    sensitivity_with(view, lang, &[])
}

/// The same as a file of its own, with what every output bears below it.
#[must_use]
pub fn sensitivity_with(view: &LayerView<'_>, lang: Lang, notices: &[&str]) -> String {
    let corridors = corridors(view, lang);
    let ends = corridors.iter().flat_map(|(_, lines)| lines).filter_map(|line| line.indices);
    let (low, high) =
        ends.flatten().flatten().fold((0.0_f64, 1.0_f64), |(low, high), x| (low.min(x), high.max(x)));
    let (low, high) = ((low * 5.0).floor().max(-2.5) / 5.0, (high * 5.0).ceil().min(7.5) / 5.0);
    let x = |value: f64| LABELS + (RIGHT - LABELS) * (value.clamp(low, high) - low) / (high - low);
    let rows: usize = corridors.iter().map(|(_, lines)| lines.len()).sum();
    let bottom = TOP + HEAD * corridors.len() as f64 + ROW * rows as f64 + 4.0;
    let text = |key: &str| crate::translated(lang.code(), &format!("plot.{key}"));
    let (title, about) = (view.def().title(lang), text("sensitivity"));
    let mut svg = Svg::default();
    svg.put(&format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {h}\" width=\"{WIDTH}\" height=\"{h}\" \
         role=\"img\" aria-labelledby=\"sensitivity-title sensitivity-desc\" font-family=\"sans-serif\" font-size=\"11\">",
        h = number(bottom + 30.0 + NOTE * notices.len() as f64)
    ));
    svg.put(&format!("<title id=\"sensitivity-title\">{}</title>", escape(title)));
    svg.put(&format!("<desc id=\"sensitivity-desc\">{}</desc>", escape(about.as_str())));
    svg.put("<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>");
    svg.text((16.0, 24.0), title, "font-size=\"15\" font-weight=\"bold\"");
    for (i, (key, is_total)) in [("first", false), ("total", true)].into_iter().enumerate() {
        let y = 44.0 + ROW * i as f64;
        svg.interval([18.0, 28.0, 38.0], y, is_total);
        svg.text((46.0, y + 4.0), &text(key), "");
    }
    let steps = ((high - low) * 5.0).round();
    let mut at = 0.0;
    while at <= steps {
        let value = low + at / 5.0;
        let strong = value.abs() < 1e-9 || (value - 1.0).abs() < 1e-9;
        let colour = if strong { "#555555" } else { "#cccccc" };
        svg.put(&format!(
            "<line x1=\"{0}\" x2=\"{0}\" y1=\"{1}\" y2=\"{2}\" stroke=\"{colour}\" stroke-width=\"1\"/>",
            number(x(value)),
            number(TOP),
            number(bottom)
        ));
        svg.text((x(value), bottom + 16.0), &format!("{:.1}", value + 0.0), "text-anchor=\"middle\"");
        at += 1.0;
    }
    let mut y = TOP;
    for (name, lines) in &corridors {
        y += HEAD;
        svg.text((16.0, y - 6.0), name, "font-weight=\"bold\"");
        for line in lines {
            y += ROW;
            svg.text((LABELS - 10.0, y - 4.0), &line.parameter, "text-anchor=\"end\"");
            match line.indices {
                Some([first, total]) => {
                    svg.interval([1, 0, 2].map(|k| x(total[k])), y - 5.0, true);
                    svg.interval([1, 0, 2].map(|k| x(first[k])), y - 10.0, false);
                }
                None => svg.text((LABELS + 4.0, y - 4.0), &text("still"), "font-style=\"italic\""),
            }
        }
    }
    for (i, notice) in notices.iter().enumerate() {
        svg.text((16.0, bottom + 34.0 + NOTE * i as f64), notice, "font-size=\"9\"");
    }
    svg.put("</svg>\n");
    svg.0
}

/// Corridors in the order of the layer, with their lines.
fn corridors(view: &LayerView<'_>, lang: Lang) -> Vec<(String, Vec<Line>)> {
    let mut out: Vec<(String, String, Vec<Line>)> = Vec::new();
    for row in view.rows() {
        let (mut name, mut corridor, mut parameter) = (String::new(), String::new(), String::new());
        let mut found = [[None; 3]; 2];
        for (field, value) in row.values() {
            let text = || value.as_str().unwrap_or_default().to_owned();
            match field.name {
                "name" => name = text(),
                "corridor" => corridor = text(),
                "parameter" => parameter = word(&text(), lang),
                "first" => found[0][0] = value.as_f64(),
                "first_p05" => found[0][1] = value.as_f64(),
                "first_p95" => found[0][2] = value.as_f64(),
                "total" => found[1][0] = value.as_f64(),
                "total_p05" => found[1][1] = value.as_f64(),
                "total_p95" => found[1][2] = value.as_f64(),
                _ => {}
            }
        }
        let whole = |[a, b, c]: [Option<f64>; 3]| Some([a?, b?, c?]);
        let indices = whole(found[0]).zip(whole(found[1])).map(|(first, total)| [first, total]);
        let line = Line { parameter, indices };
        match out.last_mut().filter(|(last, ..)| *last == corridor) {
            Some((.., lines)) => lines.push(line),
            None => out.push((corridor, name, vec![line])),
        }
    }
    out.into_iter().map(|(_, name, lines)| (name, lines)).collect()
}

/// A picture under construction.
#[derive(Default)]
struct Svg(String);

impl Svg {
    fn put(&mut self, element: &str) {
        self.0.push_str(element);
    }

    fn text(&mut self, (x, y): (f64, f64), text: &str, look: &str) {
        // Writing to a string cannot fail.
        let _ = write!(
            self.0,
            "<text x=\"{}\" y=\"{}\" fill=\"#1a1a1a\" {look}>{}</text>",
            number(x),
            number(y),
            escape(text)
        );
    }

    /// A mark with the line of its interval: a ring on a thin line, or a dot on a thick one.
    fn interval(&mut self, [low, at, high]: [f64; 3], y: f64, is_ring: bool) {
        let (width, fill) = if is_ring { ("1", "#ffffff") } else { ("2.4", "#1a1a1a") };
        let _ = write!(
            self.0,
            "<line x1=\"{}\" x2=\"{}\" y1=\"{y}\" y2=\"{y}\" stroke=\"#1a1a1a\" stroke-width=\"{width}\"/>\
             <circle cx=\"{}\" cy=\"{y}\" r=\"2.8\" fill=\"{fill}\" stroke=\"#1a1a1a\" stroke-width=\"1\"/>",
            number(low),
            number(high),
            number(at),
            y = number(y)
        );
    }
}

fn number(x: f64) -> String {
    let text = format!("{:.2}", x + 0.0);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use quick_xml::Reader;
    use quick_xml::events::Event;

    use super::*;
    use crate::layers::feature::Tier;
    use crate::layers::samples;

    #[test]
    fn the_plot_is_well_formed_and_tells_all() {
        let layer = samples::sensitivity();
        let view = LayerView::new(&layer, Tier::Restricted).unwrap().unwrap();
        for (lang, words) in [
            (Lang::Es, ["conteos desconocidos", "Índice total", "no varía"]),
            (Lang::En, ["unknown counts", "Total index", "does not vary"]),
        ] {
            let svg = sensitivity(&view, lang);
            let mut reader = Reader::from_str(&svg);
            let (mut rings, mut texts) = (0, String::new());
            loop {
                match reader.read_event().unwrap() {
                    Event::Empty(e) if e.name().as_ref() == "circle" => rings += 1,
                    Event::Text(t) => {
                        texts += &t;
                        texts.push('\n');
                    }
                    Event::Eof => break,
                    _ => {}
                }
            }
            // Two in the legend, two for each pair of a corridor that varies and a parameter.
            assert_eq!(rings, 2 + 2 * 2, "{svg}");
            for word in words {
                assert!(texts.contains(word), "{word}: {texts}");
            }
            assert!(svg.contains("role=\"img\"") && svg.contains("MEX-190 &lt;A&gt; – B"));
            // No coordinate is out of the picture, whatever the interval.
            for part in svg.split("x1=\"").skip(1).chain(svg.split("x2=\"").skip(1)) {
                let x: f64 = part.split('"').next().unwrap().parse().unwrap();
                assert!((0.0..=WIDTH).contains(&x), "{x}");
            }
        }
    }

    #[test]
    fn another_layer_gives_an_empty_plot() {
        let layer = samples::sensitivity();
        let none = crate::layers::feature::Layer { features: Vec::new(), ..layer };
        let view = LayerView::new(&none, Tier::Restricted).unwrap().unwrap();
        assert!(sensitivity(&view, Lang::Es).ends_with("</svg>\n"));
    }
}
