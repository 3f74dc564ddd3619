//! Names of columns and places: how they are compared, and how a column is found.

/// The index of a field: by the exact name, else without regard to case and accents, else without regard to
/// what is neither letter nor digit, so that `cve_municipio` finds `Cve. Municipio`.
///
/// ```
/// # use corredor::sources::find_field;
/// let fields = ["AÑO".to_owned(), "Cve. Municipio".to_owned()];
/// assert_eq!(find_field(&fields, "año"), Some(0));
/// assert_eq!(find_field(&fields, "cve_municipio"), Some(1));
/// ```
#[must_use]
pub fn find_field(fields: &[String], wanted: &str) -> Option<usize> {
    let by = |normal: fn(&str) -> String| {
        let wanted = normal(wanted);
        (!wanted.is_empty()).then(|| fields.iter().position(|field| normal(field) == wanted)).flatten()
    };
    fields.iter().position(|field| field == wanted).or_else(|| by(normalised)).or_else(|| by(squeeze))
}

/// The text in lower case, without accents, trimmed: how names that people write are compared.
///
/// ```
/// assert_eq!(corredor::sources::normalised(" Unión Juárez "), "union juarez");
/// ```
#[must_use]
pub fn normalised(name: &str) -> String {
    normal_chars(name).collect()
}

/// [`normalised`], letters and digits only.
pub(super) fn squeeze(name: &str) -> String {
    squeezed(name).collect()
}

/// The characters of [`squeeze`].
pub(super) fn squeezed(name: &str) -> impl Iterator<Item = char> {
    normal_chars(name).filter(|c| c.is_alphanumeric())
}

fn normal_chars(name: &str) -> impl Iterator<Item = char> {
    name.trim().chars().flat_map(char::to_lowercase).map(plain).filter(|c| !is_combining(*c))
}

const fn is_combining(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

const fn plain(c: char) -> char {
    match c {
        'á' | 'à' | 'ä' | 'â' | 'ã' => 'a',
        'é' | 'è' | 'ë' | 'ê' => 'e',
        'í' | 'ì' | 'ï' | 'î' => 'i',
        'ó' | 'ò' | 'ö' | 'ô' | 'õ' => 'o',
        'ú' | 'ù' | 'ü' | 'û' => 'u',
        'ñ' => 'n',
        'ç' => 'c',
        c => c,
    }
}

/// The words of a name, in lower case and without accents: split where it is not a letter, and between a small
/// letter and a capital.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut spaced = String::new();
    let mut before = ' ';
    for c in name.chars() {
        if before.is_lowercase() && c.is_uppercase() {
            spaced.push(' ');
        }
        spaced.push(if c.is_alphabetic() || is_combining(c) { c } else { ' ' });
        before = c;
    }
    normalised(&spaced).split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_name() {
        let fields: Vec<String> = ["ref", "Ref", "Año", "Cve. Municipio", ""].map(str::to_owned).into();
        assert_eq!(find_field(&fields, "Ref"), Some(1));
        assert_eq!(find_field(&fields, "REF"), Some(0));
        assert_eq!(find_field(&fields, "ano"), Some(2));
        assert_eq!(find_field(&fields, "an\u{303}o"), Some(2));
        assert_eq!(find_field(&fields, "cve_municipio"), Some(3));
        assert_eq!(find_field(&fields, "municipio"), None);
        assert_eq!(find_field(&fields, " "), None);
    }
}
