//! Texts for people, from `locales/`: Spanish first, English by `--lang en`.

use crate::error::{Error, Fault, Faults, Severity};
use crate::layers::feature::Lang;

/// The text of `key`; the key itself if there is none, which a test rules out for the keys in use.
#[must_use]
pub fn text(lang: Lang, key: &str) -> String {
    crate::translated(lang.code(), key)
}

/// The text of `key` with its parameters: `%{name}` stands for a value, and `%{name:one/other}` for the word that goes
/// with a number, `one` beside 1 and `other` beside all else. What has no parameter stays as it is.
#[must_use]
pub fn fill<S: AsRef<str>>(lang: Lang, key: &str, params: &[(&str, S)]) -> String {
    filled(&text(lang, key), params)
}

fn filled<S: AsRef<str>>(text: &str, params: &[(&str, S)]) -> String {
    let value = |name: &str| params.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_ref());
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, (slot, after))) =
        rest.split_once("%{").and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    {
        out.push_str(before);
        let found = match slot.split_once(':') {
            None => value(slot),
            Some((name, words)) => value(name)
                .zip(words.split_once('/'))
                .map(|(number, (one, other))| if number == "1" { one } else { other }),
        };
        match found {
            Some(found) => out.push_str(found),
            None => out.extend(["%{", slot, "}"]),
        }
        rest = after;
    }
    out + rest
}

/// One fault as a line: code, place, what is wrong and what to do.
#[must_use]
pub fn fault_line(lang: Lang, fault: &Fault) -> String {
    let place = &fault.place;
    let mut parts = vec![place.file.clone()];
    if let Some(layer) = &place.layer {
        parts.push(fill(lang, "fault.layer", &[("layer", layer)]));
    }
    if let Some(row) = place.row {
        parts.push(fill(lang, "fault.row", &[("row", row.to_string())]));
    }
    if let Some(field) = &place.field {
        parts.push(fill(lang, "fault.field", &[("field", field)]));
    }
    let kind = match fault.rule.severity() {
        Severity::Error => text(lang, "fault.error"),
        Severity::Warning => text(lang, "fault.warning"),
    };
    let mut line = format!("{kind} {} {}: {}", fault.rule.code(), parts.join(", "), what(lang, fault));
    if let Some(seen) = &fault.seen {
        line = format!("{line} [{}]", fill(lang, "fault.seen", &[("seen", seen)]));
    }
    // One fault is one line, whatever the name of a file or a column holds.
    printable(&line).replace(['\n', '\t'], "·")
}

/// The text with a dot for each character that a terminal would obey or not show; line ends and tabs stay.
#[must_use]
pub fn printable(text: &str) -> String {
    let plain = |c: char| matches!(c, '\n' | '\t') || !crate::sources::hidden(c);
    text.chars().map(|c| if plain(c) { c } else { '·' }).collect()
}

/// The text of the rule with its parameters.
#[must_use]
pub fn what(lang: Lang, fault: &Fault) -> String {
    let mut params: Vec<(&str, String)> = fault.params.clone();
    // The nearest key is a clause of its own, or nothing.
    if fault.rule == crate::error::Rule::KeyUnknown {
        let nearest = params.iter().find(|(name, _)| *name == "nearest").map(|(_, key)| key.clone());
        let clause = nearest.map_or_else(String::new, |key| fill(lang, "fault.nearest", &[("key", key)]));
        params = vec![("nearest", clause)];
    }
    if fault.rule == crate::error::Rule::ValueType {
        for (_, detail) in params.iter_mut().filter(|(name, _)| *name == "detail") {
            *detail = type_detail(lang, detail);
        }
    }
    for (_, told) in params.iter_mut().filter(|(name, _)| ["detail", "found", "limit", "what"].contains(name)) {
        *told = cause(lang, told);
    }
    let why = params.iter().find(|(name, _)| *name == crate::error::WHY).map(|(_, key)| format!("why.{key}"));
    if let Some(key) = why {
        let told = fill(lang, &key, &params);
        params.push(("detail", told));
    }
    let template = text(lang, &key_of(lang, fault));
    let told = filled(&template, &params);
    // How many more there are like it, unless that is what the rule is about.
    match params.iter().find(|(name, _)| *name == "count" && !template.contains("%{count")) {
        Some((_, count)) => format!("{told} {}", fill(lang, "fault.total", &[("count", count)])),
        None => told,
    }
}

/// Key of the text of the rule: that for a file named by hand, where there is one.
fn key_of(lang: Lang, fault: &Fault) -> String {
    let by_hand = format!("by_hand.{}", fault.rule.code());
    if fault.by_hand && text(lang, &by_hand) != by_hand {
        return by_hand;
    }
    format!("rule.{}", fault.rule.code())
}

/// A cause that the code words in English as `what: figures`, in the user's language: each part that has a text under
/// `cause.` is told by it, and the others, which are figures and names, stay.
fn cause(lang: Lang, detail: &str) -> String {
    let word = |part: &str| {
        let letters = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
        let slug: String = part.chars().map(letters).collect();
        let key = format!("cause.{}", slug.trim_matches('_'));
        Some(text(lang, &key)).filter(|found| *found != key)
    };
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let told = |part: &str| {
        let figure = part.split_once(' ').filter(|(number, _)| is_number(number));
        match (word(part), part.split_once(" of "), figure) {
            (Some(found), ..) => found,
            (_, Some((some, all)), _) if is_number(some) => {
                fill(lang, "cause.of", &[("some", some), ("all", all)])
            }
            (_, _, Some((number, unit))) => {
                word(unit).map_or_else(|| part.to_owned(), |unit| format!("{number} {unit}"))
            }
            _ => part.to_owned(),
        }
    };
    detail.split(": ").map(told).collect::<Vec<_>>().join(": ")
}

/// What a parser says of a value of the wrong type, in the user's language and without the value. A form that is
/// not known stays as it is in English, and leads to the schema in Spanish.
fn type_detail(lang: Lang, detail: &str) -> String {
    if let Some((found, expected)) = detail
        .strip_prefix("invalid type: ")
        .or_else(|| detail.strip_prefix("invalid value: "))
        // A text may hold the words itself; what is expected never does.
        .and_then(|rest| rest.rsplit_once(", expected "))
        && let (Some(found), Some(expected)) = (kind(found), kind(expected))
    {
        let [found, expected] = [found, expected].map(|k| text(lang, &format!("fault.kind_{k}")));
        return fill(lang, "fault.type_mismatch", &[("found", found), ("expected", expected)]);
    }
    if let Some(key) = detail.strip_prefix("missing field ") {
        return fill(lang, "fault.missing_field", &[("key", key.trim_matches('`'))]);
    }
    if let Some((key, expected)) =
        detail.strip_prefix("unknown variant ").and_then(|rest| rest.rsplit_once(", expected "))
    {
        // serde joins two names by an English word and more by commas; each stands between backticks.
        let options: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
        let params = [("key", key.trim_matches('`').to_owned()), ("expected", options.join(", "))];
        return fill(lang, "fault.not_an_option", &params);
    }
    if lang == Lang::En || detail.starts_with('{') {
        return detail.to_owned();
    }
    text(lang, "fault.see_schema")
}

/// The kind of value that serde names by its first words.
fn kind(words: &str) -> Option<&'static str> {
    const KINDS: [(&str, &str); 20] = [
        ("string", "text"),
        ("a string", "text"),
        ("integer", "whole"),
        ("i32", "whole"),
        ("i64", "whole"),
        ("u8", "count"),
        ("u16", "count"),
        ("u32", "count"),
        ("u64", "count"),
        ("usize", "count"),
        ("floating point", "number"),
        ("f64", "number"),
        ("boolean", "boolean"),
        ("a boolean", "boolean"),
        ("map", "table"),
        ("a map", "table"),
        ("struct", "table"),
        ("sequence", "list"),
        ("a sequence", "list"),
        ("an array", "list"),
    ];
    if words.contains("datetime") {
        return Some("date");
    }
    KINDS
        .into_iter()
        .find(|(start, _)| {
            words.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        })
        .map(|(_, kind)| kind)
}

/// Faults as lines, with their count below.
#[must_use]
pub fn fault_report(lang: Lang, faults: &Faults) -> String {
    let errors = faults.0.iter().filter(|f| f.is_error()).count();
    let mut out: String = faults.0.iter().map(|f| fault_line(lang, f) + "\n").collect();
    out.push_str(&fill(
        lang,
        "fault.count",
        &[("errors", errors.to_string()), ("warnings", (faults.0.len() - errors).to_string())],
    ));
    out
}

/// Faults for machines.
#[must_use]
pub fn fault_json(lang: Lang, faults: &Faults) -> serde_json::Value {
    faults
        .0
        .iter()
        .map(|f| {
            serde_json::json!({
                "rule": f.rule.code(),
                "severity": f.rule.severity(),
                "place": f.place,
                "seen": f.seen,
                "message": what(lang, f),
            })
        })
        .collect()
}

/// An error as text, its cause chain once. `writes`: whether the command would have written a result, so that it
/// is worth saying that it did not.
#[must_use]
pub fn error_text(lang: Lang, error: &Error, writes: bool) -> String {
    match error {
        Error::Faults(faults) if writes => {
            format!("{}\n{}", fault_report(lang, faults), text(lang, "fault.nothing_written"))
        }
        Error::Faults(faults) => fault_report(lang, faults),
        Error::Usage { key, params } => fill(lang, key, params),
        Error::Io { path, source } => {
            fill(lang, "error.io", &[("path", path.clone()), ("cause", source.to_string())])
        }
        Error::Environment(cause) => fill(lang, "error.environment", &[("cause", cause)]),
        Error::Interrupted => text(lang, "error.interrupted"),
    }
}

#[cfg(test)]
<<<<<<< HEAD
mod tests {
    use super::*;
    use crate::error::Rule;

    #[test]
    fn causes_are_told_in_the_language_and_figures_stay() {
        for (detail, es) in [
            ("truncated: 30 of 128 bytes", "archivo incompleto: 30 de 128 bytes"),
            ("content: not a JSON object", "contenido: no es un objeto JSON"),
            ("extent: -92.00 15.00 -91.00 16.00", "extensión: -92.00 15.00 -91.00 16.00"),
            ("compression: zstd", "compresión: zstd"),
            ("“..” in a name", "«..» en un nombre"),
            ("EPSG:4326 != EPSG:6372", "EPSG:4326 != EPSG:6372"),
        ] {
            assert_eq!(cause(Lang::Es, detail), es);
            assert_eq!(cause(Lang::En, detail), detail);
        }
    }

    #[test]
    fn what_a_parser_says_of_a_type_is_told_in_the_language_and_without_the_value() {
        for (detail, es, en) in [
            (
                "invalid type: string \"many, expected u8\", expected u32",
                "se encontró texto y se espera un número entero no negativo",
                "found text, expected a whole number of 0 or more",
            ),
            (
                "invalid type: floating point `1.5`, expected u64",
                "se encontró un número y se espera un número entero no negativo",
                "found a number, expected a whole number of 0 or more",
            ),
            (
                "invalid type: map, expected a string",
                "se encontró una tabla y se espera texto",
                "found a table, expected text",
            ),
            (
                "invalid type: boolean `true`, expected struct Sources",
                "se encontró verdadero o falso (true, false) y se espera una tabla",
                "found true or false, expected a table",
            ),
            ("missing field `path`", "falta la clave «path»", "the key “path” is missing"),
            (
                "unknown variant `x`, expected one of `a`, `b`",
                "«x» no es una opción; use una de: a, b",
                "“x” is no option; use one of: a, b",
            ),
            ("something else", "vea «corredor schema»", "something else"),
            ("{ fixed = 0.3 }", "{ fixed = 0.3 }", "{ fixed = 0.3 }"),
        ] {
            assert_eq!(type_detail(Lang::Es, detail), es);
            assert_eq!(type_detail(Lang::En, detail), en);
        }
    }

    #[test]
    fn every_reason_to_leave_a_record_out_has_a_text() {
        for reason in crate::sources::raw::REASONS {
            let key = format!("drop.{reason}");
            let (es, en) = (text(Lang::Es, &key), text(Lang::En, &key));
            assert!(es != key && en != key && es != en, "{key}: {es}, {en}");
        }
    }

    #[test]
    fn what_a_terminal_would_obey_is_shown_as_dots() {
        let fault = Fault::new(Rule::FileMissing, "a\u{1b}[2J\u{202e}vsc.b\nerror S001 x").seen("a\tb");
        let line = fault_line(Lang::Es, &fault);
        assert!(line.starts_with("error S001 a·[2J·vsc.b·error S001 x: "), "{line}");
        assert!(line.ends_with("a·b]"), "{line}");
        assert_eq!(printable("a\nb\tc\rñ"), "a\nb\tc·ñ");
    }

    #[test]
    fn every_rule_has_a_text_in_both_languages_that_differ() {
        for rule in Rule::ALL {
            let key = format!("rule.{}", rule.code());
            let (es, en) = (text(Lang::Es, &key), text(Lang::En, &key));
            assert!(!es.is_empty() && es != key && !es.contains(&key), "{key} has no Spanish text");
            assert!(!en.is_empty() && en != key && es != en, "{key} has no English text");
        }
    }

    #[test]
    fn a_file_named_by_hand_is_mended_by_options_and_not_by_a_study() {
        let of_study = [
            "estudio",
            "study",
            "«crs»",
            "«layer»",
            "«fields»",
            "«member»",
            "«encoding»",
            "“crs”",
            "“layer”",
            "“fields”",
            "“member”",
            "“encoding”",
            "preset",
        ];
        // What a command that names a file by hand can meet, from opening the file to its columns.
        for rule in Rule::ALL.iter().filter(|r| ("S000".."S060").contains(&r.code()) || r.code() == "M001") {
            let mut faults = Faults(vec![Fault::new(*rule, "a.csv")]);
            faults.set_by_hand();
            let [es, en] = [Lang::Es, Lang::En].map(|lang| what(lang, &faults.0[0]));
            assert!(es != en, "{es}");
            for word in of_study {
                assert!(!es.contains(word) && !en.contains(word), "{}: {es}, {en}", rule.code());
            }
        }
        assert!(what(Lang::Es, &Fault::new(Rule::LayerMissing, "a.gpkg")).contains("«layer»"));
    }

    #[test]
    fn causes_are_told_in_the_language() {
        for why in crate::error::Why::ALL {
            let fault = Fault::new(Rule::RecordBroken, "a.csv").why(why);
            let fault = ["k", "sites", "needed", "size", "limit", "gal", "layer", "field"]
                .into_iter()
                .fold(fault, |f, name| f.with(name, 7));
            let [es, en] = [Lang::Es, Lang::En].map(|lang| what(lang, &fault));
            assert!(es != en && !es.contains("%{") && !es.contains("why."), "{es}");
        }
        let fault = Fault::new(Rule::TotalImpossible, "study.toml").why(crate::error::Why::RateUnbounded);
        assert!(what(Lang::Es, &fault).contains("nada limita la tasa"));
    }
}
=======
mod tests;
>>>>>>> a090a23007029cb4c5aa469e278f99ba55782335
