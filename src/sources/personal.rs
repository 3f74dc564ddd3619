//! Values that say who somebody is or how to reach them, by their shape; how a single value is shown.

use super::text::visible;
use crate::error::shape;

/// Characters of a value that are shown.
const LONGEST: usize = 40;

/// CURP and RFC, the latter of a company and of a person: letters, a date, letters and digits.
const CODES: [&str; 3] = ["AAAA999999AAAAAA*9", "AAAA999999***", "AAA999999***"];

/// Whether the shape of a CURP, an RFC, a telephone number or an address of e-mail stands anywhere in the text.
pub(super) fn is_in(text: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '&').any(is_code)
        || text.split(|c: char| c.is_whitespace() || ",;:<>()".contains(c)).any(is_email)
        || text.split(|c: char| !c.is_ascii_digit() && !" -.()+".contains(c)).any(is_phone)
}

/// A value as it is shown: the names in an object, and what says who somebody is or how to reach them, would be
/// told under any name of a column.
pub(crate) fn shown(text: &str) -> String {
    let text = visible(text);
    if text.starts_with('{') {
        return "{…}".to_owned();
    }
    if text.starts_with('[') {
        return "[…]".to_owned();
    }
    if is_in(&text) {
        return shape(&text);
    }
    let mut shown: String = text.chars().take(LONGEST).collect();
    shown.truncate(shown.trim_end().len());
    shown
}

fn is_code(word: &str) -> bool {
    let word: Vec<char> = word.to_uppercase().chars().collect();
    CODES.iter().any(|code| {
        code.len() == word.len()
            && code.chars().zip(&word).all(|(wanted, c)| match wanted {
                'A' => c.is_alphabetic() || *c == '&',
                '9' => c.is_ascii_digit(),
                _ => c.is_alphanumeric(),
            })
    })
}

fn is_email(word: &str) -> bool {
    word.split_once('@').is_some_and(|(who, domain)| {
        !who.is_empty()
            && domain.split_once('.').is_some_and(|(name, end)| !name.is_empty() && !end.is_empty())
    })
}

/// Ten digits, or twelve or thirteen with the code of Mexico, divided as people do. A decimal number is none.
fn is_phone(run: &str) -> bool {
    let run = run.trim_matches(|c| " -.".contains(c));
    if run.split_whitespace().all(|word| word.parse::<f64>().is_ok() && word.contains('.')) {
        return false;
    }
    let digits: String = run.chars().filter(char::is_ascii_digit).collect();
    match digits.len() {
        10 => true,
        12 | 13 => digits.starts_with("52"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{is_in, shown};

    #[test]
    fn persons_are_known_by_the_shape_of_their_codes() {
        for text in [
            "PELJ800101HCSRPN09",
            "pelj800101hcsrpn09",
            "CURP: PELJ800101HCSRPN09.",
            "PELJ800101AB1",
            "ABC800101AB1",
            "Ñ&O800101AB1",
            "9611234567",
            "961 123 4567",
            "(961) 123-45-67",
            "+52 1 961 123 4567",
            "tel. 961.123.4567",
            "juana@ejemplo.mx",
            "escriba a <juana@ejemplo.mx>",
        ] {
            assert!(is_in(text), "{text}");
        }
    }

    #[test]
    fn a_single_value_is_shown_short_and_without_persons() {
        assert_eq!(shown("a\u{1b}7089"), "a7089");
        assert_eq!(shown("961 123 4567"), "999 999 9999");
        assert_eq!(shown(r#"{"nombre":"Juana"}"#), "{…}");
        assert_eq!(shown(&"a ".repeat(40)).chars().count(), 39);
    }

    #[test]
    fn other_values_are_shown() {
        for text in [
            "Tapachula",
            "07089",
            "070890001",
            "722511",
            "-92.26012345",
            "14.90561234 -92.26341234",
            "2024-05-17",
            "2020-01/2020-12",
            "0 a 5 personas",
            "MEX-200",
            "a @ b",
            "353706",
            "",
        ] {
            assert!(!is_in(text), "{text}");
        }
    }
}
