//! Writing SVG: shapes in millimetres, every text escaped.
//!
//! No element has a `style`: the content security policy of the page lets none in. Fonts are named for the PDF, whose
//! fonts are its own; the page takes that of its text.

use std::fmt::Write as _;

use quick_xml::escape::escape;

/// Family of the texts in figures.
const FONT: &str = "Libertinus Serif";

/// A picture under construction.
#[derive(Debug)]
pub(super) struct Svg {
    width: f64,
    height: f64,
    body: String,
}

/// How a text stands to its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// How a text looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Type<'a> {
    pub size: f64,
    pub color: &'a str,
    pub bold: bool,
    pub italic: bool,
    pub anchor: Anchor,
    /// A white rim, so that it can be read above lines.
    pub halo: bool,
}

impl Type<'_> {
    pub(super) const PLAIN: Self =
        Type { size: 2.6, color: "#222222", bold: false, italic: false, anchor: Anchor::Start, halo: false };
}

/// A number with at most two decimals: a hundredth of a millimetre.
pub(super) fn n(x: f64) -> String {
    let text = format!("{:.2}", x + 0.0);
    let short = text.trim_end_matches('0').trim_end_matches('.');
    if short == "-0" { "0".to_owned() } else { short.to_owned() }
}

impl Svg {
    pub(super) fn new(width: f64, height: f64) -> Self {
        Self { width, height, body: String::new() }
    }

    /// Adds an element with its attributes, which are ours.
    pub(super) fn put(&mut self, element: &str) {
        self.body.push_str(element);
        self.body.push('\n');
    }

    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), color: &str, width: f64) {
        self.put(&format!(
            r#"<line x1="{}" y1="{}" x2="{}" y2="{}" stroke="{color}" stroke-width="{}"/>"#,
            n(from.0),
            n(from.1),
            n(to.0),
            n(to.1),
            n(width)
        ));
    }

    pub(super) fn circle(&mut self, at: (f64, f64), radius: f64, fill: &str, stroke: &str, width: f64) {
        self.put(&format!(
            r#"<circle cx="{}" cy="{}" r="{}" fill="{fill}" stroke="{stroke}" stroke-width="{}"/>"#,
            n(at.0),
            n(at.1),
            n(radius),
            n(width)
        ));
    }

    pub(super) fn rect(&mut self, at: (f64, f64), size: (f64, f64), fill: &str, stroke: &str, width: f64) {
        self.put(&format!(
            r#"<rect x="{}" y="{}" width="{}" height="{}" fill="{fill}" stroke="{stroke}" stroke-width="{}"/>"#,
            n(at.0),
            n(at.1),
            n(size.0),
            n(size.1),
            n(width)
        ));
    }

    /// A text whose base line begins, is centred or ends at `at`.
    pub(super) fn text(&mut self, at: (f64, f64), text: &str, look: Type<'_>) {
        let anchor = match look.anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let mut open = format!(
            r#"<text x="{}" y="{}" font-family="{FONT}" font-size="{}" text-anchor="{anchor}""#,
            n(at.0),
            n(at.1),
            n(look.size)
        );
        if look.bold {
            open.push_str(r#" font-weight="700""#);
        }
        if look.italic {
            open.push_str(r#" font-style="italic""#);
        }
        let text = escape(text);
        if look.halo {
            let rim = n(look.size * 0.28);
            self.put(&format!(
                r##"{open} fill="#ffffff" stroke="#ffffff" stroke-width="{rim}" stroke-linejoin="round">{text}</text>"##
            ));
        }
        self.put(&format!(r#"{open} fill="{}">{text}</text>"#, look.color));
    }

    /// The whole document.
    pub(super) fn finish(self) -> String {
        let (w, h) = (n(self.width), n(self.height));
        let mut out = String::with_capacity(self.body.len() + 160);
        // Writing to a string cannot fail.
        let _ = write!(
            out,
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}mm" height="{h}mm">"#
        );
        out + "\n" + &self.body + "</svg>"
    }
}

/// Width of a text of a font size, near enough to keep texts apart.
pub(super) fn width_of(text: &str, size: f64) -> f64 {
    text.chars().count() as f64 * size * 0.52
}

/// `red,green,blue,opacity` from 0 to 255 as a colour, mixed with so much white: what is pale is so on every printer.
pub(super) fn color(of: &str, white: f64) -> String {
    let mut parts = of.split(',').map(|part| part.parse::<f64>().unwrap_or(0.0));
    let mut next = |otherwise| parts.next().unwrap_or(otherwise);
    let [red, green, blue, opacity] = [next(0.0), next(0.0), next(0.0), next(255.0)];
    let keep = (1.0 - white) * opacity / 255.0;
    let mixed = [red, green, blue].map(|part| 255.0 - (255.0 - part.clamp(0.0, 255.0)) * keep);
    mixed.iter().fold(String::from("#"), |mut out, part| {
        let _ = write!(out, "{:02x}", rounded(*part));
        out
    })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to a byte on the line above"
)]
fn rounded(x: f64) -> u8 {
    x.clamp(0.0, 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped_and_numbers_are_short() {
        let mut svg = Svg::new(10.0, 5.0);
        svg.text((1.005, -0.001), "<b> & \"x\"", Type { halo: true, ..Type::PLAIN });
        let out = svg.finish();
        assert!(!out.contains("<b>") && out.contains("&lt;b&gt; &amp;"), "{out}");
        assert!(out.contains("y=\"0\""), "{out}");
        assert_eq!([n(1.0), n(0.105), n(-2.5)], ["1", "0.1", "-2.5"]);
    }

    #[test]
    fn white_and_opacity_make_a_colour_pale() {
        assert_eq!(color("0,0,0,255", 0.0), "#000000");
        assert_eq!(color("0,0,0,255", 0.5), "#808080");
        assert_eq!(color("255,0,0,0", 0.0), "#ffffff");
    }
}
