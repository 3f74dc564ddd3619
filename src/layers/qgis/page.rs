//! Fitting text on a page without a renderer at hand: lines are broken here, by widths that no usual sans serif exceeds
//! (those of `DejaVu` Sans, the widest), so that nothing is cut where QGIS draws with another font.

/// Millimetres of a typographic point.
const POINT: f64 = 25.4 / 72.0;
/// Height of a line as a multiple of the size of its letters.
const LEADING: f64 = 1.18;
/// What other sans serifs may be wider in a single letter.
const SLACK: f64 = 1.03;

/// Width of a character of `DejaVu` Sans as a share of its size.
fn advance(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | 'í' | 'I' | 'J' | 'Í' => 0.29,
        ' ' | '.' | ',' | ':' | ';' | '\'' | '|' | '-' | '·' => 0.34,
        'f' | 't' | 'r' | '(' | ')' | '/' => 0.41,
        'c' | 's' | 'z' | '“' | '”' => 0.55,
        'm' | 'w' | 'M' | 'W' | '%' | '@' | '—' | '…' => 1.0,
        'k' | 'v' | 'x' | 'y' | 'F' | 'L' | 'P' | 'T' | 'Y' | '•' | '–' => 0.615,
        'A'..='Z' | 'Á' | 'É' | 'Ó' | 'Ú' | 'Ñ' => 0.75,
        '≥' | '≤' | '<' | '>' | '=' | '+' => 0.84,
        // Letters of other scripts may be as wide as they are high.
        c if u32::from(c) > 0x24F => 1.0,
        _ => 0.636,
    }
}

/// Width of a text in millimetres; bold letters are some tenth wider.
pub(super) fn width(text: &str, points: f64) -> f64 {
    text.chars().map(advance).sum::<f64>() * points * POINT * SLACK
}

/// Height of so many lines in millimetres.
pub(super) fn height(lines: usize, points: f64) -> f64 {
    lines as f64 * points * POINT * LEADING
}

/// The text in lines that are no wider than `room` millimetres; a single word that is wider is cut into pieces.
pub(super) fn wrap(text: &str, points: f64, room: f64) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        if width(&longer, points) <= room {
            line = longer;
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        for c in word.chars() {
            if !line.is_empty() && width(&line, points) + width(&c.to_string(), points) > room {
                lines.push(std::mem::take(&mut line));
            }
            line.push(c);
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// Paragraphs in the columns of a foot.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Columns {
    /// Size of the letters in points.
    pub points: f64,
    /// Lines of the left and of the right column.
    pub lines: [Vec<String>; 2],
}

/// Sets paragraphs in two columns of `room` (width and height in millimetres), in the largest of `sizes` in which all of
/// them fit. What does not fit even in the smallest is left out by whole paragraphs, the last ones first, and `rest` says
/// where it stands. The paragraphs from `keep` on are never left out.
pub(super) fn columns(
    paragraphs: &[String],
    keep: usize,
    rest: &str,
    room: [f64; 2],
    sizes: &[f64],
) -> Columns {
    let smallest = sizes.last().copied().unwrap_or(5.0);
    if let Some(set) = sizes.iter().find_map(|points| flow(paragraphs, *points, room)) {
        return set;
    }
    let (notices, kept) = paragraphs.split_at(keep.min(paragraphs.len()));
    (0..notices.len())
        .rev()
        .find_map(|n| {
            let mut some: Vec<String> = notices.iter().take(n).cloned().collect();
            some.push(rest.to_owned());
            some.extend_from_slice(kept);
            flow(&some, smallest, room)
        })
        .unwrap_or_else(|| Columns { points: smallest, lines: [vec![rest.to_owned()], Vec::new()] })
}

/// The paragraphs in two columns, if they fit. A paragraph is not broken between columns.
fn flow(paragraphs: &[String], points: f64, room: [f64; 2]) -> Option<Columns> {
    let set: Vec<Vec<String>> = paragraphs.iter().map(|p| wrap(p, points, room[0])).collect();
    let fits = |lines: usize| height(lines, points) <= room[1];
    let count = |part: &[Vec<String>]| part.iter().map(Vec::len).sum::<usize>();
    // Of the breaks that fit the one with the most even columns; the left one is not the shorter.
    let at = (0..=set.len())
        .filter(|at| fits(count(&set[..*at])) && fits(count(&set[*at..])))
        .find(|at| count(&set[..*at]) >= count(&set[*at..]))?;
    let join = |part: &[Vec<String>]| part.iter().flatten().cloned().collect();
    Some(Columns { points, lines: [join(&set[..at]), join(&set[at..])] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_hold_all_words_and_none_is_too_wide() {
        let text = "Los conteos son detecciones, no prevalencia: dependen de dónde se buscó (no corregido). \
                    Palabralarguísimaquenocabeenningunalíneadeestaspruebas fin";
        let lines = wrap(text, 7.0, 40.0);
        assert!(lines.iter().all(|line| width(line, 7.0) <= 40.0), "{lines:?}");
        let letters = |text: &str| text.split_whitespace().collect::<String>();
        assert_eq!(letters(&lines.concat()), letters(text));
        assert!(wrap("  ", 7.0, 40.0).is_empty());
    }

    #[test]
    fn what_fits_is_set_large_and_what_does_not_is_left_out_from_the_end() {
        let few: Vec<String> = (0..4).map(|i| format!("Aviso {i}")).collect();
        let set = columns(&few, 3, "más", [50.0, 20.0], &[7.0, 5.0]);
        assert_eq!((set.points, set.lines[0].len(), set.lines[1].len()), (7.0, 2, 2));

        let many: Vec<String> = (0..40).map(|i| format!("Aviso {i}")).collect();
        let set = columns(&many, 39, "más", [50.0, 20.0], &[7.0, 5.0]);
        let all = set.lines.concat();
        assert!(set.points == 5.0 && all.len() < 40, "{all:?}");
        assert_eq!(all.last().map(String::as_str), Some("Aviso 39"), "what must be said is last");
        assert_eq!(all[all.len() - 2], "más");
        assert_eq!(all[0], "Aviso 0");
        for lines in &set.lines {
            assert!(height(lines.len(), set.points) <= 20.0);
        }
    }
}
