//! With every word in Spanish, no English is left in what a run writes and says.
//!
//! What is looked for: whole English texts of the catalogue and of the schema, and words that stand in nearly every
//! English sentence and in no Spanish one. What may stay is listed here with its reason.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail by panicking")]
#![allow(
    clippy::case_sensitive_file_extension_comparisons,
    reason = "names of files that the program writes"
)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use corredor::cli::args;
use corredor::disclosure::Tier;
use corredor::layers::feature::Lang;
use corredor::layers::{notice, schema};
use rstest::rstest;
use rusqlite::Connection;
use serde_json::Value;
use support::{Answer, Study, corredor, run, texts};

/// Words of nearly every English text that no Spanish text has.
const ENGLISH: &[&str] = &[
    "all",
    "also",
    "an",
    "and",
    "any",
    "are",
    "argument",
    "arguments",
    "as",
    "at",
    "been",
    "between",
    "but",
    "by",
    "cannot",
    "command",
    "commands",
    "default",
    "each",
    "every",
    "expected",
    "failed",
    "file",
    "for",
    "found",
    "from",
    "has",
    "have",
    "help",
    "if",
    "in",
    "into",
    "invalid",
    "is",
    "it",
    "its",
    "least",
    "missing",
    "most",
    "must",
    "not",
    "of",
    "on",
    "only",
    "option",
    "options",
    "or",
    "other",
    "out",
    "over",
    "print",
    "required",
    "share",
    "such",
    "than",
    "that",
    "the",
    "their",
    "then",
    "there",
    "these",
    "they",
    "this",
    "those",
    "to",
    "unexpected",
    "unknown",
    "usage",
    "value",
    "values",
    "was",
    "were",
    "when",
    "where",
    "which",
    "with",
    "within",
    "without",
    "you",
];

/// English that stays, each with the reason.
const KEPT: &[(&str, &str)] = &[
    ("CC BY 4.0", "name of a licence"),
    ("Environment and Planning", "name of a journal"),
    ("Runaway feedback loops in predictive policing", "title of a paper"),
];

/// Texts that are the same in both languages, each with the reason.
const SAME: &[(&str, &str)] =
    &[("done.corridor", "numbers alone"), ("cli.value.", "placeholders of which some are the same word")];

// ---- reading ----------------------------------------------------------------------------------------

/// The catalogue: key of the line, Spanish, English.
fn catalogue() -> Vec<(String, String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("locales/app.yml");
    let text = fs::read_to_string(path).unwrap();
    let mut within: Vec<(usize, String)> = Vec::new();
    let mut out = Vec::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
        let depth = line.len() - line.trim_start().len();
        let Some((key, rest)) = line.trim().split_once(':') else { continue };
        within.retain(|(d, _)| *d < depth);
        within.push((depth, key.to_owned()));
        let Some(rest) = rest.trim().strip_prefix("{ es: \"") else { continue };
        let (es, en) = rest.split_once("\", en: \"").unwrap_or_else(|| panic!("{line}"));
        let en = en.strip_suffix("\" }").unwrap_or_else(|| panic!("{line}"));
        let path: Vec<&str> = within.iter().map(|(_, key)| key.as_str()).collect();
        out.push((path.join("."), es.replace("\\\"", "\""), en.replace("\\\"", "\"")));
    }
    assert!(out.len() > 400, "{}", out.len());
    out
}

/// English texts of some length that have another form in Spanish: of the catalogue the longest part between its
/// parameters, and of the schema titles, aliases and meanings.
fn english_texts() -> Vec<String> {
    let mut out = Vec::new();
    let longest = |text: &str| {
        let parts =
            text.split("%{").map(|part| part.split_once('}').map_or(part, |(_, rest)| rest).to_owned());
        parts.max_by_key(|part| part.chars().count()).unwrap()
    };
    for (_, es, en) in catalogue() {
        let part = longest(&en);
        if part.split_whitespace().count() >= 3 && !es.contains(part.trim()) {
            out.push(part.trim().to_owned());
        }
    }
    for def in schema::ALL {
        let fields = def.fields.iter().flat_map(|f| [(f.alias_es, f.alias_en), (f.about_es, f.about_en)]);
        let all = fields.chain([(def.title_es, def.title_en)]);
        let different = all.filter(|(es, en)| !es.contains(en) && en.contains(' '));
        out.extend(different.map(|(_, en)| en.to_owned()));
    }
    assert!(out.len() > 400, "{}", out.len());
    out
}

/// Words of a text that are English, without what is quoted (names of files, what a library says) and without codes.
fn english_words(text: &str) -> Vec<String> {
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
    let tokens: Vec<&str> = plain.split_whitespace().collect();
    let mut found = Vec::new();
    for (i, token) in tokens.iter().enumerate() {
        let word = token.trim_matches(|c: char| ".,;:()[]{}<>…¿?¡!/\"'|".contains(c)).to_lowercase();
        // A code of the data that is explained right behind it, as in `exact (exacto)`.
        let explained = tokens.get(i + 1).is_some_and(|next| next.starts_with('(') || *next == "=");
        if ENGLISH.contains(&word.as_str()) && !explained {
            found.push(word);
        }
    }
    found
}

/// The faults of texts, each with where it stands.
fn faults<'a>(texts: impl IntoIterator<Item = (&'a str, String)>) -> Vec<String> {
    let english = english_texts();
    let notices: Vec<String> = [Tier::Restricted, Tier::Public]
        .into_iter()
        .flat_map(|audience| notice::standard(audience, None, None))
        // Whoever comes upon a layer must be able to read what it must not be used for: both languages on purpose.
        .map(|words| format!(" / {}", words.en))
        .collect();
    let mut out = Vec::new();
    for (place, text) in texts {
        let mut text = text;
        for kept in notices.iter().map(String::as_str).chain(KEPT.iter().map(|(kept, _)| *kept)) {
            text = text.replace(kept, "");
        }
        for line in text.lines() {
            let words = english_words(line);
            if !words.is_empty() {
                out.push(format!("{place}: {words:?} in {line:.200}"));
            }
        }
        out.extend(english.iter().filter(|e| text.contains(*e)).map(|e| format!("{place}: {e}")));
    }
    out.sort();
    out.dedup();
    out
}

#[track_caller]
fn none_left<'a>(texts: impl IntoIterator<Item = (&'a str, String)>) {
    let found = faults(texts);
    assert!(found.is_empty(), "{} left in English:\n{}", found.len(), found.join("\n"));
}

/// The text of a page as it is written: without scripts, styles and tags, but with the attributes that are shown or read
/// aloud. What a script puts there is looked at in a browser (`tests/browser/check_map.py`).
fn page_text(html: &str) -> String {
    let mut text = html.to_owned();
    for tag in ["script", "style"] {
        while let Some(start) = text.find(&format!("<{tag}")) {
            let end = text[start..].find(&format!("</{tag}>")).map_or(text.len(), |e| start + e);
            text.replace_range(start..end, "");
        }
    }
    let mut out = String::new();
    for (i, part) in text.split('<').enumerate() {
        let (tag, after) = if i == 0 { ("", part) } else { part.split_once('>').unwrap_or((part, "")) };
        for name in ["title", "alt", "aria-label", "placeholder", "content"] {
            // A policy, a size of the window and the like are no text.
            if let Some((_, value)) =
                tag.split_once(&format!(" {name}=\"")).filter(|_| !tag.starts_with("meta"))
            {
                out.push_str(value.split('"').next().unwrap());
                out.push('\n');
            }
        }
        // The other language is named in its own.
        if !tag.contains("lang=\"en\"") {
            out.push_str(after);
        }
        out.push('\n');
    }
    out.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

/// What QGIS shows of a style: labels, aliases, values, title, summary.
fn style_text(qml: &str) -> String {
    let mut out = String::new();
    for part in qml.split('<') {
        let (tag, after) = part.split_once('>').unwrap_or((part, ""));
        let name = tag.split_whitespace().next().unwrap_or_default();
        if ["title", "abstract", "previewExpression"].contains(&name) {
            out.push_str(after);
            out.push('\n');
        }
        let shown: &[&str] = match name {
            "rule" => &["label", "description"],
            "alias" => &["name"],
            "userNotes" => &["value"],
            _ => &[],
        };
        for attribute in shown {
            if let Some((_, value)) = tag.split_once(&format!(" {attribute}=\"")) {
                out.push_str(value.split('"').next().unwrap());
                out.push('\n');
            }
        }
    }
    out
}

/// Every text of a JSON document that is no code: those with a space in them.
fn json_texts(value: &Value, out: &mut String) {
    match value {
        Value::String(text) if text.contains(' ') => {
            out.push_str(text);
            out.push('\n');
        }
        Value::Array(items) => items.iter().for_each(|item| json_texts(item, out)),
        Value::Object(map) => map.values().for_each(|item| json_texts(item, out)),
        _ => {}
    }
}

/// Every text of a table that is no code, and those within its JSON.
fn cells(table: &str) -> String {
    let mut out = String::new();
    let mut reader = csv::Reader::from_reader(table.trim_start_matches('\u{feff}').as_bytes());
    for cell in reader.records().flat_map(|row| row.unwrap().iter().map(str::to_owned).collect::<Vec<_>>()) {
        let json = serde_json::from_str(&cell).ok().filter(|v: &Value| v.is_array() || v.is_object());
        json_texts(&json.unwrap_or_else(|| Value::from(cell)), &mut out);
    }
    out
}

/// The texts of a GeoPackage: what layers and fields are called and mean.
fn package_texts(path: &Path) -> String {
    let file = Connection::open(path).unwrap();
    let mut out = String::new();
    for query in [
        "SELECT coalesce(title, '') || char(10) || coalesce(description, '') FROM gpkg_data_columns",
        "SELECT coalesce(identifier, '') || char(10) || coalesce(description, '') FROM gpkg_contents",
    ] {
        let mut rows = file.prepare(query).unwrap();
        let found: Vec<String> = rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        assert!(!found.is_empty());
        out += &found.join("\n");
        out.push('\n');
    }
    let mut styles = file.prepare("SELECT styleQML FROM layer_styles").unwrap();
    let styles: Vec<String> = styles.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    for style in &styles {
        out += &style_text(style);
    }
    out
}

/// The reading note has every line twice, by design: its file name is in both readmes, and who finds the folder may read
/// either language.
fn note_text(note: &str) -> String {
    note.lines().map(|line| line.split(" / ").next().unwrap().to_owned() + "\n").collect()
}

// ---- tests ------------------------------------------------------------------------------------------

#[test]
fn the_search_finds_english() {
    let english = "Share of the flow on the road, mean over draws";
    assert!(!faults([("a", english.to_owned())]).is_empty());
    assert!(!faults([("a", "x: not found".to_owned())]).is_empty());
    assert!(!faults([("a", page_text("<p title=\"Road links\">x</p><script>the</script>"))]).is_empty());
    assert!(
        faults([("a", page_text("<style>of the</style><p lang=\"en\">English</p><p>Tramos</p>"))]).is_empty()
    );
    let style = "<rule filter=\"IS NOT NULL\" label=\"no data for this\"/>";
    assert!(!faults([("a", style_text(style))]).is_empty());
    assert!(faults([("a", "detalle técnico en inglés: «not found»".to_owned())]).is_empty());
    let bilingual = notice::lines(&notice::standard(Tier::Restricted, None, None)).join("\n");
    assert!(faults([("a", bilingual)]).is_empty());
}

#[test]
fn no_text_is_the_same_in_both_languages_without_a_reason() {
    for (key, es, en) in catalogue() {
        // Numbers, signs and names between the parameters say the same in every language.
        let letters = es
            .split("%{")
            .map(|part| part.split_once('}').map_or(part, |(_, rest)| rest))
            .collect::<String>();
        let words = letters.split(|c: char| !c.is_alphabetic()).filter(|w| w.chars().count() > 3).count();
        let free = SAME.iter().any(|(kept, _)| key.starts_with(kept));
        assert!(es != en || words < 2 || free, "{key}: {es}");
    }
}

#[test]
fn help_of_every_command_is_in_spanish() {
    let commands: Vec<String> =
        args::command(Lang::Es).get_subcommands().map(|c| c.get_name().to_owned()).collect();
    assert!(commands.len() >= 10);
    let help = |words: &[&str]| run(&[words, &["--help"]].concat()).exits(0).stdout;
    let mut all = BTreeMap::from([("corredor", help(&[]))]);
    all.extend(commands.iter().map(|name| (name.as_str(), help(&[name]))));
    all.insert(
        "man",
        run(&["man"]).exits(0).stdout.replace("\\fR", "").replace("\\fI", "").replace("\\fB", ""),
    );
    // A placeholder that is a word has its own in each language.
    let placeholders = |text: &str| -> Vec<String> {
        let names = text.split('<').skip(1).filter_map(|part| part.split_once('>').map(|(name, _)| name));
        names
            .filter(|name| name.len() > 2 && name.chars().all(|c| c.is_ascii_uppercase()))
            .map(str::to_owned)
            .collect()
    };
    for (name, es) in &all {
        let words: &[&str] = if *name == "corredor" { &[] } else { &[*name] };
        let english = placeholders(&run(&[words, &["--lang", "en", "--help"]].concat()).exits(0).stdout);
        let same: Vec<String> = placeholders(es)
            .into_iter()
            .filter(|name| english.contains(name))
            .filter(|n| !["CRS", "DSN", "SHELL"].contains(&n.as_str()))
            .collect();
        assert!(same.is_empty(), "{name}: {same:?} stand in both languages");
    }
    none_left(all);
}

#[rstest]
#[case(&["marchar"])]
#[case(&["demo", "--ruido"])]
#[case(&["check"])]
#[case(&["run", "x"])]
#[case(&["demo", "--seed", "1", "--seed", "2"])]
#[case(&["demo", "--draws", "9"])]
#[case(&["demo", "--draws"])]
#[case(&["demo", "--lang", "fr"])]
#[case(&["demo", "--audience", "todos"])]
#[case(&["run", "x", "--out", "y", "--steps", "todo"])]
#[case(&["init", "x", "--draws", "20"])]
#[case(&["spatial", "x", "--value", "y", "--weights", "z"])]
#[case(&["spatial", "x", "--value", "y", "--crs", "EPSG:1", "--planar"])]
#[case(&["check", "/nonexistent/study.toml"])]
#[case(&["verify", "/nonexistent"])]
#[case(&["explain", "/nonexistent", "x"])]
#[case(&["inspect", "/nonexistent.csv"])]
#[case(&["init", "/proc/x"])]
fn what_is_said_of_wrong_use_is_in_spanish(#[case] words: &[&str]) {
    let answer = run(words);
    assert_ne!(answer.code, Some(0), "{words:?}");
    assert!(!answer.stderr.trim().is_empty());
    none_left([("stderr", answer.stderr), ("stdout", answer.stdout)]);
}

/// Ways to spoil a study in which libraries have their say.
#[rstest]
#[case::toml("study.toml", b"seed = = 3\n", "T001")]
#[case::toml_type("study.toml", b"format = 1\nseed = \"x\"\n", "T00")]
#[case::json("roads.geojson", b"{\"type\":", "S006")]
#[case::csv("crossings.csv", b"id,name,lat,lon\na,\"b,1,2\n", "S024")]
#[case::empty("towns.csv", b"", "S0")]
#[case::encoding("towns.csv", b"id,name,lat,lon\na,\xff\xfe\x81,16,-92\n", "S0")]
fn what_libraries_say_is_told_as_such(#[case] file: &str, #[case] bytes: &[u8], #[case] rule: &str) {
    let study = Study::new();
    study.write(file, bytes);
    let answer = study.check(&[]).exits(1);
    assert!(answer.stderr.contains(&format!("error {rule}")), "{}", answer.stderr);
    none_left([("stderr", answer.stderr)]);
}

#[rstest]
#[case::zip("roads.geojson", "roads.zip", b"PK\x03\x04nothing of the kind")]
#[case::gpkg("roads.geojson", "roads.gpkg", b"nothing of the kind")]
#[case::xlsx("towns.csv", "towns.xlsx", b"PK\x03\x04nothing of the kind")]
#[case::missing("towns.csv", "towns.parquet", b"")]
fn files_of_other_formats_that_are_broken_are_told_in_spanish(
    #[case] from: &str,
    #[case] to: &str,
    #[case] bytes: &[u8],
) {
    let study = Study::new();
    study.edit("study.toml", from, to);
    study.write(to, bytes);
    none_left([("stderr", study.check(&[]).exits(1).stderr)]);
}

#[test]
fn a_damaged_result_is_told_in_spanish() {
    let dir = tempfile::tempdir().unwrap();
    for content in ["{", "[]", "{\"format\": 3}"] {
        fs::write(dir.path().join("run.json"), content).unwrap();
        none_left([("stderr", Answer::of(corredor().arg("verify").arg(dir.path())).exits(1).stderr)]);
    }
}

#[test]
fn what_a_run_writes_and_says_is_in_spanish() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("demo");
    let answer = Answer::of(corredor().args(["demo", "--draws", "20", "--out"]).arg(&out)).exits(0);
    let mut all: Vec<(String, String)> =
        vec![("stderr".to_owned(), answer.stderr), ("stdout".to_owned(), answer.stdout)];
    for (name, text) in texts(&out) {
        let end = name.rsplit_once('.').map_or("", |(_, end)| end);
        let text = match end {
            "html" => page_text(&text),
            "qml" => style_text(&text),
            "txt" if name.ends_with("LEEME.txt") => note_text(&text),
            "txt" | "md" => text,
            "csv" => cells(&text),
            "json" | "geojson" => {
                let mut found = String::new();
                json_texts(&serde_json::from_str(&text).unwrap(), &mut found);
                found
            }
            "gpkg" => package_texts(&out.join(&name)),
            _ => continue,
        };
        assert!(!text.trim().is_empty(), "{name}");
        all.push((name, text));
    }
    for kind in [".html", ".qml", ".csv", ".geojson", ".gpkg", "run.json", "datapackage.json", "LEEME.txt"] {
        assert!(all.iter().any(|(name, _)| name.ends_with(kind)), "{kind}");
    }
    let result = out.join("restricted");
    let corridor = support::layer(&result, "corridors")["features"][0]["id"].as_str().unwrap().to_owned();
    let explained = Answer::of(corredor().arg("explain").arg(&result).arg(corridor)).exits(0);
    all.push(("explain".to_owned(), explained.stdout));
    for words in [&["doctor"][..], &["verify", out.to_str().unwrap()]] {
        all.push((words[0].to_owned(), run(words).exits(0).stdout));
    }
    none_left(all.iter().map(|(name, text)| (name.as_str(), text.clone())));
}

#[test]
fn what_is_said_of_data_is_in_spanish() {
    let study = Study::new();
    let mut all = vec![("check", study.check(&[]).exits(0).stdout)];
    for file in ["towns.csv", "roads.geojson", "worksites.csv"] {
        all.push((file, Answer::of(corredor().arg("inspect").arg(study.path(file))).exits(0).stdout));
    }
    let spatial = Answer::of(
        corredor().arg("spatial").arg(study.path("municipalities.geojson")).args(["--value", "cvegeo"]),
    );
    all.push(("spatial", spatial.stderr + &spatial.stdout));
    none_left(all);
}
