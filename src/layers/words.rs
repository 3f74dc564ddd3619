//! Texts of `locales/` with their parameters.

use super::feature::Lang;

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

/// A text with its parameters, as [`fill`] puts them in.
pub(crate) fn filled<S: AsRef<str>>(text: &str, params: &[(&str, S)]) -> String {
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
