//! Texts are there in both languages, agree with their numbers, and do not mix the languages.

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
            "unknown variant `x`, expected one of `a`, `b`, `c`",
            "«x» no es una opción; use una de: a, b, c",
            "“x” is no option; use one of: a, b, c",
        ),
        (
            "unknown variant `x`, expected `analytic` or `permutation`",
            "«x» no es una opción; use una de: analytic, permutation",
            "“x” is no option; use one of: analytic, permutation",
        ),
        (
            "unknown variant `x`, expected `beta`",
            "«x» no es una opción; use una de: beta",
            "“x” is no option; use one of: beta",
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

/// Every message of a language, by its key.
fn messages(lang: Lang) -> Vec<(String, String)> {
    let all = crate::_rust_i18n_backend().messages_for_locale(lang.code()).unwrap();
    let mut all: Vec<(String, String)> =
        all.into_iter().map(|(key, text)| (key.into_owned(), text.into_owned())).collect();
    all.sort();
    assert!(all.len() > 300, "{}", all.len());
    all
}

/// The parameters of a message, with the words that go with them.
fn slots(text: &str) -> Vec<(&str, Option<(&str, &str)>)> {
    text.split("%{")
        .skip(1)
        .map(|rest| {
            let slot = rest.split_once('}').unwrap().0;
            let Some((name, words)) = slot.split_once(':') else { return (slot, None) };
            (name, Some(words.split_once('/').unwrap()))
        })
        .collect()
}

/// A message with the same number in every place.
fn with(text: &str, number: &str) -> String {
    let params: Vec<(&str, &str)> = slots(text).into_iter().map(|(name, _)| (name, number)).collect();
    filled(text, &params)
}

#[test]
fn words_agree_with_their_numbers() {
    for (key, params, es, en) in [
        ("done.verified", [("files", "1"); 2], "manifiesto: 1 archivo.", "manifest: 1 file."),
        ("done.verified", [("files", "0"); 2], "manifiesto: 0 archivos.", "manifest: 0 files."),
        (
            "notice.arithmetic_all",
            [("total", "645"), ("n_exact", "1")],
            "645 casos, todos en 1 municipio con",
            "645 cases, all in 1 municipality with",
        ),
        (
            "notice.arithmetic_all",
            [("total", "1"), ("n_exact", "1")],
            "1 caso, que está en 1 municipio con",
            "1 case, which is in 1 municipality with",
        ),
        ("notice.elsewhere", [("n", "1"); 2], "1 caso está en otros municipios o no tiene", "1 case is in"),
        (
            "notice.elsewhere",
            [("n", "97"); 2],
            "97 casos están en otros municipios o no tienen",
            "97 cases are",
        ),
        (
            "rule.S062",
            [("months", "1"), ("of", "12")],
            "falta 1 de 12 meses publicados",
            "1 of 12 published months is",
        ),
        ("rule.N002", [("junctions", "1"), ("length", "0.4")], "1 nodo, 0.4 km", "1 junction, 0.4 km"),
        ("drop.osm_no_length", [("count", "1"); 2], "vía sin longitud", "way of no length"),
        ("drop.osm_no_length", [("count", "2"); 2], "vías sin longitud", "ways of no length"),
    ] {
        for (lang, expected) in [(Lang::Es, es), (Lang::En, en)] {
            let said = fill(lang, key, &params);
            assert!(said.contains(expected), "{key}: {said}");
        }
    }
    // A value is never read as a text with parameters, and what has no value stays.
    assert_eq!(filled("%{a} %{b} %{b:x/y}", &[("a", "%{b}")]), "%{b} %{b} %{b:x/y}");
}

#[test]
fn no_noun_is_fixed_beside_a_number() {
    // No nouns.
    const FREE: [&str; 5] = ["más", "is", "has", "asks", "does"];
    for lang in [Lang::Es, Lang::En] {
        for (key, text) in messages(lang) {
            for (at, _) in text.match_indices('}') {
                let next = text[at + 1..].strip_prefix(' ').unwrap_or_default();
                let word = next.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
                let fixed = word.ends_with('s') && !FREE.contains(&word);
                // Behind a word that agrees already, the next one is no business of the number.
                let of_value = text[..at].rsplit_once("%{").is_some_and(|(_, slot)| !slot.contains(':'));
                assert!(!(fixed && of_value), "{key}: {word} in {text:?}");
            }
            for (name, words) in slots(&text) {
                let Some((one, other)) = words else { continue };
                assert_ne!(one, other, "{key}: {name}");
                assert_ne!(with(&text, "1").replace('1', "2"), with(&text, "2"), "{key}");
                assert!(!with(&text, "1").contains("%{"), "{key}");
            }
        }
    }
}

#[test]
fn both_languages_take_the_same_parameters() {
    let names = |text: &str| {
        slots(text).into_iter().map(|(name, _)| name.to_owned()).collect::<std::collections::BTreeSet<_>>()
    };
    let (es, en) = (messages(Lang::Es), messages(Lang::En));
    assert_eq!(es.len(), en.len());
    for ((key, es), (other, en)) in es.into_iter().zip(en) {
        assert_eq!(key, other);
        assert_eq!(names(&es), names(&en), "{key}");
    }
}

/// Words that stand in nearly every sentence of one language and in none of the other. Spellings that both have, such as
/// `a`, `no`, `me`, `he`, `sin` and `son`, are left out.
const SPANISH: &[&str] = &[
    "al", "con", "cada", "como", "cuando", "de", "del", "desde", "donde", "el", "ella", "en", "entre", "es",
    "esta", "este", "está", "están", "falta", "hay", "la", "las", "lo", "los", "más", "ni", "o", "para",
    "pero", "por", "que", "se", "según", "ser", "si", "sobre", "solo", "su", "sus", "también", "tiene",
    "todos", "u", "un", "una", "uno", "y",
];
const ENGLISH: &[&str] = &[
    "all", "an", "and", "are", "as", "at", "be", "beside", "between", "but", "by", "each", "every", "for",
    "from", "has", "have", "if", "in", "into", "is", "it", "its", "least", "most", "not", "of", "on", "only",
    "or", "other", "out", "than", "that", "the", "their", "there", "they", "this", "to", "was", "were",
    "what", "when", "where", "which", "with", "within", "without", "you",
];

/// The words of a text, without what is code or a name: quoted texts, options, keys, file names.
fn plain_words(text: &str) -> Vec<String> {
    let mut plain = String::new();
    let mut depth = 0_usize;
    for c in text.chars() {
        match c {
            '«' | '“' => depth += 1,
            '»' | '”' => depth = depth.saturating_sub(1),
            _ if depth == 0 => plain.push(c),
            _ => {}
        }
    }
    let is_word = |w: &&str| !w.is_empty() && w.chars().all(char::is_alphabetic);
    plain
        .split_whitespace()
        .map(|w| w.trim_matches(|c: char| ".,;:()[]…¿?¡!/".contains(c)))
        .filter(is_word)
        .map(str::to_lowercase)
        .collect()
}

#[test]
fn no_text_mixes_the_languages() {
    // The codes of the languages themselves.
    let is_free = |key: &str| key == "cli.arg.lang";
    let mut texts: Vec<(Lang, String, String)> = Vec::new();
    for lang in [Lang::Es, Lang::En] {
        for (key, text) in messages(lang).into_iter().filter(|(key, _)| !is_free(key)) {
            texts.extend(["1", "7"].map(|number| (lang, key.clone(), with(&text, number))));
        }
        for layer in crate::layers::schema::ALL {
            texts.push((lang, layer.name.to_owned(), layer.title(lang).to_owned()));
            for field in layer.fields {
                let key = format!("{}.{}", layer.name, field.name);
                texts.extend(
                    [field.alias(lang), field.about(lang)].map(|text| (lang, key.clone(), text.to_owned())),
                );
            }
        }
        // What comes into a text from the code and is no name.
        for rule in Rule::ALL {
            let said = crate::error::Why::ALL.map(|why| what(lang, &Fault::new(*rule, "a.csv").why(why)));
            texts.extend(said.map(|said| (lang, rule.code().to_owned(), said)));
        }
        for detail in [
            "invalid type: floating point `1.5`, expected u64",
            "missing field `path`",
            "unknown variant `x`, expected `analytic` or `permutation`",
            "unknown variant `x`, expected one of `a`, `b`, `c`",
        ] {
            let fault = Fault::new(Rule::ValueType, "study.toml").with("detail", detail);
            texts.push((lang, detail.to_owned(), what(lang, &fault)));
        }
        for (rule, name, value) in [
            (Rule::ArchiveTooLarge, "limit", "4096 members"),
            (Rule::GeometryType, "found", "none"),
            (Rule::ManifestBroken, "detail", "not a file"),
            (Rule::ManifestBroken, "detail", "path twice"),
            (Rule::RecordBroken, "detail", "records: 3 of 5"),
        ] {
            let said = what(lang, &Fault::new(rule, "a").with(name, value).with("expected", "Point"));
            texts.push((lang, value.to_owned(), said));
        }
    }
    let foreign = |lang: Lang, text: &str| -> Vec<String> {
        let words = if lang == Lang::Es { ENGLISH } else { SPANISH };
        plain_words(text).into_iter().filter(|word| words.contains(&word.as_str())).collect()
    };
    assert_eq!(foreign(Lang::Es, "no es una opción; use una de: «all», analytic or permutation"), ["or"]);
    assert_eq!(foreign(Lang::En, "is no option; use una de: “de”, analytic"), ["una", "de"]);
    for (lang, key, text) in texts {
        let found = foreign(lang, &text);
        assert!(found.is_empty(), "{key}: {found:?} in {text:?}");
        if lang == Lang::En {
            let accented = plain_words(&text)
                .into_iter()
                .find(|w| w.chars().any(|c| "áéíóúñ".contains(c)) && w != "marginación");
            assert_eq!(accented, None, "{key}: {text:?}");
        }
    }
}
