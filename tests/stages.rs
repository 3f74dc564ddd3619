//! Each stage imports only from the stages before it, and GDAL stays where files are read and written.
//!
//! The sources are read as tokens: comments and strings do not count, nor does what stands under
//! `#[cfg(test)]`, since tests may use anything.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail by panicking")]

use std::path::{Path, PathBuf};

/// Stages in their order. What stands on one line may import from one another.
const ORDER: [&[&str]; 10] = [
    &["error", "ids", "units", "stats", "translated"],
    &["sources"],
    &["model"],
    &["network"],
    &["incidence"],
    &["corridors"],
    &["planning"],
    &["disclosure"],
    &["layers"],
    &["cli"],
];

/// Rust without comments, strings and character literals; a blank in the place of each.
fn bare(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut out = String::with_capacity(source.len());
    let mut i = 0;
    let starts = |i: usize, text: &str| text.chars().enumerate().all(|(k, c)| chars.get(i + k) == Some(&c));
    while i < chars.len() {
        if starts(i, "//") {
            while i < chars.len() && chars[i] != '\n' {
                i += 1;
            }
        } else if starts(i, "/*") {
            let mut depth = 0;
            loop {
                if starts(i, "/*") {
                    depth += 1;
                    i += 2;
                } else if starts(i, "*/") {
                    depth -= 1;
                    i += 2;
                } else {
                    i += 1;
                }
                if depth == 0 || i >= chars.len() {
                    break;
                }
            }
            out.push(' ');
        } else if let Some(end) = raw_string_end(&chars, i) {
            i = end;
            out.push(' ');
        } else if chars[i] == '"' {
            i += 1;
            while i < chars.len() && chars[i] != '"' {
                i += if chars[i] == '\\' { 2 } else { 1 };
            }
            i += 1;
            out.push(' ');
        } else if chars[i] == '\'' && (chars.get(i + 1) == Some(&'\\') || chars.get(i + 2) == Some(&'\'')) {
            // A character, not a lifetime.
            i += if chars[i + 1] == '\\' { 3 } else { 2 };
            while i < chars.len() && chars[i] != '\'' {
                i += 1;
            }
            i += 1;
            out.push(' ');
        } else {
            out.push(chars[i]);
            i += 1;
        }
    }
    out
}

/// Where a raw string that begins at `i` ends.
fn raw_string_end(chars: &[char], i: usize) -> Option<usize> {
    let word_before = i > 0 && (chars[i - 1].is_alphanumeric() || chars[i - 1] == '_');
    if word_before || chars[i] != 'r' {
        return None;
    }
    let hashes = chars[i + 1..].iter().take_while(|c| **c == '#').count();
    if chars.get(i + 1 + hashes) != Some(&'"') {
        return None;
    }
    let mut at = i + 2 + hashes;
    while at < chars.len() {
        if chars[at] == '"' && chars[at + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes {
            return Some(at + 1 + hashes);
        }
        at += 1;
    }
    Some(chars.len())
}

/// Words and single signs.
fn tokens(source: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut word = String::new();
    for c in bare(source).chars().chain([' ']) {
        if c.is_alphanumeric() || c == '_' {
            word.push(c);
            continue;
        }
        if !word.is_empty() {
            out.push(std::mem::take(&mut word));
        }
        if !c.is_whitespace() {
            out.push(c.to_string());
        }
    }
    out
}

/// Leaves out what stands under `#[cfg(test)]`: to the end of its braces or its semicolon.
fn without_tests(tokens: &[String]) -> Vec<String> {
    const MARK: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut out = Vec::new();
    let mut i = 0;
    while i < tokens.len() {
        if !tokens[i..].iter().take(MARK.len()).eq(MARK.iter()) {
            out.push(tokens[i].clone());
            i += 1;
            continue;
        }
        i += MARK.len();
        let mut depth = 0_i32;
        while i < tokens.len() {
            let token = tokens[i].as_str();
            i += 1;
            match token {
                "{" | "(" | "[" => depth += 1,
                "}" | ")" | "]" => depth -= 1,
                _ => {}
            }
            if depth == 0 && matches!(token, "}" | ";") {
                break;
            }
        }
    }
    out
}

/// The paths that begin with `crate` or `super`, as words, with groups taken apart. `module` is the path of the
/// file's module within the crate.
fn paths(tokens: &[String], module: &[String]) -> Vec<Vec<String>> {
    let mut out = Vec::new();
    // How deep inline modules are open, by the depth of their braces.
    let mut inner: Vec<(String, i32)> = Vec::new();
    let mut depth = 0;
    for (i, token) in tokens.iter().enumerate() {
        match token.as_str() {
            "{" => {
                depth += 1;
                if i >= 2 && tokens[i - 2] == "mod" {
                    inner.push((tokens[i - 1].clone(), depth));
                }
            }
            "}" => {
                inner.pop_if(|(_, opened)| *opened == depth);
                depth -= 1;
            }
            "crate" | "super" if !(i >= 2 && tokens[i - 1] == ":" && tokens[i - 2] == ":") => {
                let mut base: Vec<String> =
                    module.iter().cloned().chain(inner.iter().map(|m| m.0.clone())).collect();
                let mut at = i;
                if token == "crate" {
                    base.clear();
                    at += 1;
                }
                while tokens.get(at).is_some_and(|t| t == "super") {
                    base.pop();
                    at += 1;
                    if follows(tokens, at) && tokens.get(at + 2).is_some_and(|t| t == "super") {
                        at += 2;
                    }
                }
                if follows(tokens, at) {
                    spread(tokens, at + 2, &base, &mut out);
                }
            }
            _ => {}
        }
    }
    out
}

/// Whether `::` stands at `at`.
fn follows(tokens: &[String], at: usize) -> bool {
    tokens.get(at).is_some_and(|t| t == ":") && tokens.get(at + 1).is_some_and(|t| t == ":")
}

/// Adds the paths that begin with `base` and go on at `at`; returns where they end.
fn spread(tokens: &[String], mut at: usize, base: &[String], out: &mut Vec<Vec<String>>) -> usize {
    if tokens.get(at).is_none_or(|t| t != "{") {
        let mut path = base.to_vec();
        path.extend(tokens.get(at).cloned());
        at += 1;
        while follows(tokens, at) {
            at += 2;
            if tokens.get(at).is_some_and(|t| t == "{") {
                return spread(tokens, at, &path, out);
            }
            path.extend(tokens.get(at).cloned());
            at += 1;
        }
        out.push(path);
        return at;
    }
    at += 1;
    while tokens.get(at).is_some_and(|t| t != "}") {
        let start = at;
        at = spread(tokens, at, base, out);
        // To the next item: past `as name` and the comma.
        while tokens.get(at).is_some_and(|t| t != "," && t != "}") {
            at += 1;
        }
        if tokens.get(at).is_some_and(|t| t == ",") {
            at += 1;
        }
        if at <= start {
            break;
        }
    }
    at + 1
}

/// Position of a top-level module in the order.
fn rank(module: &str) -> Option<usize> {
    ORDER.iter().position(|stage| stage.contains(&module))
}

/// The module path of a file below `src/`: `network/mod.rs` and `network.rs` are `network`.
fn module_of(file: &Path) -> Vec<String> {
    let mut parts: Vec<String> =
        file.with_extension("").iter().map(|p| p.to_string_lossy().into_owned()).collect();
    parts.pop_if(|last| last == "mod");
    parts
}

/// What is wrong with one file, which is named from `src/` on.
fn violations(file: &Path, source: &str) -> Vec<String> {
    let module = module_of(file);
    let top = module[0].as_str();
    if matches!(top, "lib" | "main") || module.iter().any(|m| m == "tests") {
        return Vec::new();
    }
    let Some(own) = rank(top) else { return vec![format!("{}: no stage is called {top}", file.display())] };
    let tokens = without_tests(&tokens(source));
    let mut out = Vec::new();
    for path in paths(&tokens, &module) {
        let Some(first) = path.first() else { continue };
        match rank(first) {
            Some(stage) if stage <= own => {}
            Some(_) => out.push(format!("{}: {top} imports {}", file.display(), path.join("::"))),
            // Macros and names of the crate itself, and modules that nobody put in order.
            None => out.push(format!("{}: crate::{} is in no stage", file.display(), path.join("::"))),
        }
    }
    let may_use_gdal = matches!(top, "sources" | "layers") || module == ["cli", "doctor"];
    if !may_use_gdal && tokens.iter().any(|t| t == "gdal" || t == "gdal_sys") {
        out.push(format!("{}: gdal outside sources, layers and doctor", file.display()));
    }
    out
}

fn sources(folder: &Path, out: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

#[test]
fn no_stage_imports_from_a_later_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 50, "only {} files found", files.len());
    let found: Vec<String> = files
        .iter()
        .flat_map(|file| {
            violations(file.strip_prefix(&root).unwrap(), &std::fs::read_to_string(file).unwrap())
        })
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
    // Every stage of the order is there.
    for stage in &ORDER[1..] {
        let name = stage[0];
        assert!(files.iter().any(|f| f.starts_with(root.join(name))), "{name}");
    }
}

#[test]
fn planted_violations_are_found() {
    let wrong = [
        ("network/graph.rs", "use crate::corridors::flow::Tree;", "network imports corridors::flow::Tree"),
        (
            "network/graph.rs",
            "use crate::{error::Fault, planning::posts};",
            "network imports planning::posts",
        ),
        (
            "model/build.rs",
            "use crate::{\n    units::Metres,\n    network::{graph::{Link, Network as N}, search},\n};",
            "model imports network::graph::Network",
        ),
        ("sources/mod.rs", "pub use super::model::domain;", "sources imports model::domain"),
        (
            "sources/ogr.rs",
            "fn f() { super::super::layers::write::go() }",
            "sources imports layers::write::go",
        ),
        ("layers/style/qml.rs", "use super::super::super::cli::args;", "layers imports cli::args"),
        ("model/domain.rs", "mod a { use super::super::super::network::x; }", "model imports network::x"),
        ("error.rs", "type T = Vec<crate::model::domain::Road>;", "error imports model::domain::Road"),
        ("stats.rs", "/* a /* b */ */ use crate::sources::x; // end", "stats imports sources::x"),
        ("model/frame.rs", "use gdal::Dataset;", "gdal outside"),
        ("cli/engine.rs", "fn f() -> gdal::errors::Result<()> { loop {} }", "gdal outside"),
        ("model/a.rs", "#[cfg(test)]\nuse crate::cli::x;\nuse crate::layers::y;", "model imports layers::y"),
        (
            "model/a.rs",
            "#[cfg(test)]\nmod tests { fn a() {} }\nuse crate::layers::y;",
            "model imports layers::y",
        ),
        ("extra/mod.rs", "", "no stage is called extra"),
        ("model/a.rs", "use crate::extra::y;", "crate::extra::y is in no stage"),
    ];
    for (file, source, expected) in wrong {
        let found = violations(Path::new(file), source);
        assert!(found.iter().any(|f| f.contains(expected)), "{source}: {found:?}");
    }
    let right = [
        (
            "corridors/flow.rs",
            "use crate::{ids::LinkId, network::search::{Search, UNREACHED}};\nuse super::demand::Places;",
        ),
        (
            "network/graph.rs",
            "//! See crate::corridors and gdal.\nconst A: &str = \"crate::cli::x\"; /* crate::cli */",
        ),
        (
            "network/graph.rs",
            "const A: &str = r#\"say \"crate::cli::x\" gdal\"#; const C: char = '\"'; const D: char = '\\'';",
        ),
        (
            "network/graph.rs",
            "fn f<'a>(x: &'a str) -> &'a str { x }\n/// [`crate::cli`]\npub(crate) struct A;",
        ),
        ("network/graph.rs", "#[cfg(test)]\nmod tests {\n    use crate::cli::x;\n    use gdal::Dataset;\n}"),
        (
            "network/graph.rs",
            "#[cfg(test)]\npub(crate) mod tests;\npub(super) fn f() {}\npub(in super::super) fn g() {}",
        ),
        ("layers/gpkg.rs", "use gdal::Dataset;"),
        ("cli/doctor.rs", "use gdal::version;"),
        ("network/tests/a.rs", "use crate::cli::x;"),
        ("layers/style/qml.rs", "use super::super::feature::Layer;"),
        ("model/domain.rs", "mod a { use super::super::frame::x; }"),
    ];
    for (file, source) in right {
        assert_eq!(violations(Path::new(file), source), Vec::<String>::new(), "{source}");
    }
}
