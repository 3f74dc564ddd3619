//! Numbers as texts, for all formats that have no types.

use crate::error::Rule;

/// A whole number as offices write it: digits, or digits with `.0` where a spreadsheet has been at it. A sign of plus,
/// an exponent or a group separator is not taken: `1.234` is a fault rather than a guess.
pub(crate) fn whole(text: &str, high: u32) -> Result<u32, Rule> {
    let positive = text.strip_prefix('-').unwrap_or(text);
    let digits = positive.strip_suffix(".0").unwrap_or(positive);
    if is_digits(digits) {
        // Twenty digits and more do not fit the type, and no range either.
        let number = digits.parse::<u32>().ok().filter(|n| *n <= high && positive.len() == text.len());
        return number.ok_or(Rule::OutOfRange);
    }
    Err(match (text, digits.split_once('.')) {
        ("", _) => Rule::ValueEmpty,
        ("*", _) => Rule::ValueSuppressed,
        (_, Some((whole, part))) if is_digits(whole) && is_digits(part) => Rule::NotAnInteger,
        _ => Rule::NotANumber,
    })
}

/// A key, such as that of a junction: a whole number with its sign, or with `.0` where a typed format held it as a
/// real number.
pub(crate) fn key(text: &str) -> Option<i64> {
    let digits = text.strip_suffix(".0").unwrap_or(text);
    is_digits(digits.strip_prefix('-').unwrap_or(digits)).then(|| digits.parse().ok()).flatten()
}

/// A decimal number: digits with one point, a sign, an exponent; one comma instead of the point where
/// `decimal_comma` says so. The words for what is no number are given as such. Anything else, such as `14°40' N`, is
/// not guessed at.
pub(crate) fn decimal(text: &str, decimal_comma: bool) -> Option<f64> {
    if decimal_comma && text.matches(',').count() == 1 && !text.contains('.') {
        return text.replace(',', ".").parse().ok();
    }
    text.parse().ok()
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_read_or_refused() {
        assert_eq!(whole("12", 20), Ok(12));
        assert_eq!(whole("12.0", 20), Ok(12));
        assert_eq!(whole("", 20), Err(Rule::ValueEmpty));
        assert_eq!(whole("*", 20), Err(Rule::ValueSuppressed));
        assert_eq!(whole("21", 20), Err(Rule::OutOfRange));
        assert_eq!(whole("-1", 20), Err(Rule::OutOfRange));
        assert_eq!(whole("1.5", 20), Err(Rule::NotAnInteger));
        assert_eq!(whole("99999999999999999999999", 20), Err(Rule::OutOfRange));
        for text in ["1.234", "12.00", "-0.5"] {
            assert_eq!(whole(text, 2_000), Err(Rule::NotAnInteger), "{text}");
        }
        for text in ["1,234", "doce", "NaN", "inf", "1 2", "+5", "1e3", ".0", "-", "0x10", "１２"] {
            assert_eq!(whole(text, 2_000), Err(Rule::NotANumber), "{text}");
        }
    }

    #[test]
    fn keys_are_read_or_refused() {
        assert_eq!(key("-3"), Some(-3));
        assert_eq!(key("12345678901.0"), Some(12_345_678_901));
        for text in ["", "-", "+5", "1e3", "1.5", "99999999999999999999", "N/A"] {
            assert_eq!(key(text), None, "{text}");
        }
    }

    #[test]
    fn decimal_numbers_are_read_or_refused() {
        assert_eq!(decimal("-92.26", false), Some(-92.26));
        assert_eq!(decimal("-92,26", true), Some(-92.26));
        assert_eq!(decimal("1.5e1", false), Some(15.0));
        for (text, comma) in [("-92,26", false), ("1.234,5", true), ("1,234,5", true), ("14°40' N", false)] {
            assert_eq!(decimal(text, comma), None, "{text}");
        }
    }
}
