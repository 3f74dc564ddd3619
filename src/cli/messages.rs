//! Texts for people, from `locales/`: Spanish first, English by `--lang en`.

use crate::error::{Error, Fault, Faults, Severity};
use crate::layers::feature::Lang;
use crate::layers::words::filled;
pub use crate::layers::words::{fill, text};

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
    for (_, told) in params.iter_mut().filter(|(name, _)| ["detail", "found", "limit", "what"].contains(name))
    {
        *told = cause(lang, told);
    }
    if let Some((_, said)) = params.iter().find(|(name, _)| *name == crate::error::FOREIGN) {
        let said = fill(lang, "fault.foreign", &[("said", said)]);
        match params.iter_mut().find(|(name, _)| *name == "detail") {
            Some((_, detail)) => *detail = format!("{detail}: {said}"),
            None => params.push(("detail", said)),
        }
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

/// What the system says of reading or writing, by its kind, since its own text is in the language of the system; with the
/// system's number, by which it can be looked up.
#[must_use]
pub fn io_cause(lang: Lang, error: &std::io::Error) -> String {
    use std::io::ErrorKind;
    let kind = match error.kind() {
        ErrorKind::NotFound => "not_found",
        ErrorKind::PermissionDenied => "permission",
        ErrorKind::AlreadyExists => "exists",
        ErrorKind::NotADirectory => "not_a_folder",
        ErrorKind::IsADirectory => "is_a_folder",
        ErrorKind::DirectoryNotEmpty => "not_empty",
        ErrorKind::ReadOnlyFilesystem => "read_only",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "full",
        ErrorKind::FileTooLarge => "too_large",
        ErrorKind::InvalidFilename => "name",
        ErrorKind::UnexpectedEof => "ends",
        ErrorKind::BrokenPipe => "pipe",
        ErrorKind::TimedOut => "timed_out",
        ErrorKind::ResourceBusy => "busy",
        ErrorKind::OutOfMemory => "memory",
        _ => return fill(lang, "fault.foreign", &[("said", error.to_string())]),
    };
    let told = text(lang, &format!("io.{kind}"));
    match error.raw_os_error() {
        Some(number) => fill(lang, "io.with_number", &[("told", told), ("number", number.to_string())]),
        None => told,
    }
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
        Error::Usage { key, params } | Error::Database { key, params } => fill(lang, key, params),
        Error::Io { path, source } => {
            fill(lang, "error.io", &[("path", path.clone()), ("cause", io_cause(lang, source))])
        }
        Error::Environment(said) if said.is_empty() => String::new(),
        Error::Environment(said) => {
            let own = cause(lang, said);
            let told = if own == *said { fill(lang, "fault.foreign", &[("said", said)]) } else { own };
            fill(lang, "error.environment", &[("cause", told)])
        }
        Error::Interrupted => text(lang, "error.interrupted"),
    }
}

#[cfg(test)]
mod tests;
