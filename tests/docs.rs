//! Documents that are generated from the code are up to date, and the others name only what exists.
//!
//! `UPDATE_DOCS=1 cargo test --release --test docs` (or `make docs`) writes the generated ones anew.

#![expect(clippy::unwrap_used, reason = "what a test cannot read fails it")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use corredor::cli::{args, config};
use corredor::error::{Error, Rule, Severity};
use corredor::layers::feature::{FieldKind, Lang, LayerGeometry, Tier};
use corredor::layers::schema;

/// Width of help texts, so that they do not depend on the terminal.
const HELP_WIDTH: usize = 100;

const GENERATED: &str = "<!-- Generated from the code by `make docs`; a test fails when it is stale. -->\n\n";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Compares a document with what the code says, or writes it if `UPDATE_DOCS` is set.
fn up_to_date(name: &str, expected: &str) {
    let path = root().join("docs").join(name);
    if std::env::var_os("UPDATE_DOCS").is_some_and(|v| v == "1") {
        fs::write(&path, expected).unwrap();
        return;
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    let line = found.lines().zip(expected.lines()).take_while(|(a, b)| a == b).count();
    assert!(
        found == expected,
        "docs/{name} is stale from line {} on: run `make docs`\n  found    {:?}\n  expected {:?}",
        line + 1,
        found.lines().nth(line),
        expected.lines().nth(line),
    );
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[test]
fn the_data_dictionary_is_up_to_date() {
    let tier = |t: Tier| match t {
        Tier::Public => "public",
        Tier::Restricted => "restricted",
    };
    let mut out = format!(
        "# Data dictionary / Diccionario de datos\n\n{GENERATED}\
         Every layer and every field of a result, as they stand in GeoJSON, in the GeoPackage and in the tables. \
         A `restricted` result holds all of them; a `public` one only the layers and fields marked `public`. \
         Empty means not known or not applicable. Shares are between 0 and 1. *json* is an array in GeoJSON and \
         JSON text elsewhere.\n\n\
         Todas las capas y campos de un resultado. El resultado `restricted` los lleva todos; el `public`, sólo \
         los marcados `public`. Vacío: no se sabe o no aplica. Las partes van de 0 a 1.\n\n\
         | layer / capa | título | title | geometry | tier |\n|---|---|---|---|---|\n"
    );
    let geometry = |g: LayerGeometry| match g {
        LayerGeometry::Point => "Point",
        LayerGeometry::MultiLineString => "MultiLineString",
        LayerGeometry::MultiPolygon => "MultiPolygon",
        LayerGeometry::None => "–",
    };
    for def in schema::ALL {
        let (es, en) = (def.title(Lang::Es), def.title(Lang::En));
        let (name, shape, tier) = (def.name, geometry(def.geometry), tier(def.tier));
        writeln!(out, "| [`{name}`](#{name}) | {es} | {en} | {shape} | {tier} |").unwrap();
    }
    for def in schema::ALL {
        writeln!(
            out,
            "\n## {}\n\n{} / {}. Geometry: {}. Tier: {}.\n\n\
             | field | type | unit | tier | alias (es) | significado | meaning |\n|---|---|---|---|---|---|---|",
            def.name,
            def.title(Lang::Es),
            def.title(Lang::En),
            geometry(def.geometry),
            tier(def.tier)
        )
        .unwrap();
        for f in def.fields {
            let kind = match f.kind {
                FieldKind::Text => "text",
                FieldKind::Integer => "integer",
                FieldKind::Real => "real",
                FieldKind::Boolean => "boolean",
                FieldKind::Json => "json",
            };
            writeln!(
                out,
                "| `{}` | {kind} | {} | {} | {} | {} | {} |",
                f.name,
                cell(f.unit),
                tier(f.tier),
                cell(f.alias_es),
                cell(f.about_es),
                cell(f.about_en)
            )
            .unwrap();
        }
    }
    up_to_date("data-dictionary.md", &out);
}

#[test]
fn the_schema_of_the_study_file_is_up_to_date() {
    let text = serde_json::to_string_pretty(&config::schema()).unwrap() + "\n";
    up_to_date("study.schema.json", &text);
}

#[test]
fn the_list_of_rules_is_up_to_date() {
    let mut out = format!(
        "# Rules / Reglas\n\n{GENERATED}\
         What inputs, studies and results are checked against. An *error* stops the command and nothing is \
         written (exit code 1); a *warning* is reported and the run goes on. `%{{…}}` stands for a value of the \
         case at hand, `%{{number:one/other}}` for the word that goes with it.\n\n\
         Con qué se comprueban las fuentes, el estudio y los resultados. Un *error* detiene la orden y no se \
         escribe nada (código 1); un *aviso* se informa y la corrida sigue.\n"
    );
    let stage = |code: &str| match &code[..1] {
        "S" => "S: sources / fuentes",
        "M" => "M: model / modelo",
        "N" => "N: network / red",
        "I" => "I: incidence / incidencia",
        "C" => "C: corridors / corredores",
        "P" => "P: planning / planeación",
        "T" => "T: study file / archivo del estudio",
        "R" => "R: result / resultado",
        other => panic!("a stage for the letter {other}"),
    };
    let mut last = "";
    for rule in Rule::ALL {
        let code = rule.code();
        if stage(code) != last {
            last = stage(code);
            write!(out, "\n## {last}\n\n| rule | severity | español | English |\n|---|---|---|---|\n")
                .unwrap();
        }
        let severity = match rule.severity() {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let [es, en] = ["es", "en"].map(|lang| {
            let key = format!("rule.{code}");
            let text = corredor::translated(lang, &key);
            assert_ne!(text, key, "{code} has no text in {lang}");
            cell(&text)
        });
        writeln!(out, "| `{code}` | {severity} | {es} | {en} |").unwrap();
    }
    up_to_date("rules.md", &out);
}

#[test]
fn the_help_texts_are_up_to_date() {
    let mut out = format!(
        "# Commands / Órdenes\n\n{GENERATED}\
         What `corredor --help` and `corredor COMMAND --help` say, in Spanish (the default) and with `--lang en`.\n"
    );
    for (lang, title) in [(Lang::Es, "Español"), (Lang::En, "English")] {
        write!(out, "\n## {title}\n").unwrap();
        let mut command = args::command(lang).term_width(HELP_WIDTH);
        command.build();
        write!(out, "\n```text\n{}\n```\n", tidy(&command.render_help().to_string())).unwrap();
        let names: Vec<String> = command.get_subcommands().map(|c| c.get_name().to_owned()).collect();
        for name in names {
            let help = command.find_subcommand_mut(&name).unwrap().render_help().to_string();
            write!(out, "\n### corredor {name} ({})\n\n```text\n{}\n```\n", lang.code(), tidy(&help))
                .unwrap();
        }
    }
    up_to_date("commands.md", &out);
}

fn tidy(help: &str) -> String {
    help.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

/// All Markdown files of the repository, but not of its build folders.
fn documents() -> Vec<PathBuf> {
    fn walk(dir: &Path, out: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if !name.starts_with('.') && !["target", "demo-out"].contains(&&*name) {
                    walk(&path, out);
                }
            } else if path.extension().is_some_and(|e| e == "md") {
                out.push(path);
            }
        }
    }
    let mut out = Vec::new();
    walk(root(), &mut out);
    out.sort();
    out
}

/// The text without fenced blocks, and the fenced blocks with their language.
fn split(text: &str) -> (String, Vec<(String, String)>) {
    let (mut prose, mut blocks) = (String::new(), Vec::new());
    let mut open: Option<(String, String)> = None;
    for line in text.lines() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            match open.take() {
                Some(block) => blocks.push(block),
                None => open = Some((language.trim().to_owned(), String::new())),
            }
        } else {
            let into = open.as_mut().map_or(&mut prose, |(_, block)| block);
            into.push_str(line);
            into.push('\n');
        }
    }
    assert!(open.is_none(), "a fence is not closed");
    (prose, blocks)
}

/// What stands between single backticks.
fn spans(prose: &str) -> impl Iterator<Item = &str> {
    prose.split("\n\n").flat_map(|paragraph| paragraph.split('`').skip(1).step_by(2))
}

/// Parses a command line as the program would; a missing argument is fine where a document only names a command.
fn parses(line: &str, whole: bool) -> Result<(), String> {
    let words: Vec<&str> = line.split_whitespace().take_while(|w| !w.starts_with('#')).collect();
    match args::command(Lang::En).try_get_matches_from(&words) {
        Ok(_) => Ok(()),
        Err(e) if matches!(e.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => Ok(()),
        Err(e)
            if !whole
                && matches!(
                    e.kind(),
                    ErrorKind::MissingRequiredArgument | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
                ) =>
        {
            Ok(())
        }
        Err(e) => Err(format!("{line}: {:?}", e.kind())),
    }
}

#[test]
fn documents_name_only_commands_options_and_scripts_that_exist() {
    let mut command = args::command(Lang::En);
    command.build();
    let options: Vec<String> = command
        .get_subcommands()
        .flat_map(|c| c.get_arguments().filter_map(|a| a.get_long()).map(|l| format!("--{l}")))
        .collect();
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for path in documents() {
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        let text = fs::read_to_string(&path).unwrap();
        let (prose, blocks) = split(&text);
        // A decision may speak of what is not there, or not yet.
        if !name.starts_with("docs/decisions") {
            for span in spans(&prose) {
                let first = span.split([' ', '=']).next().unwrap_or_default();
                if first.starts_with("--") && !options.iter().any(|o| o == first) {
                    wrong.push(format!("{name}: {first}"));
                }
                let word = span.strip_prefix("corredor ").and_then(|rest| rest.split_whitespace().next());
                if word.is_some_and(|w| w.starts_with(|c: char| c.is_ascii_lowercase() || c == '-')) {
                    seen += 1;
                    wrong.extend(parses(span, false).err().map(|e| format!("{name}: {e}")));
                }
            }
        }
        for (language, block) in blocks.iter().filter(|(l, _)| ["sh", "bash"].contains(&&**l)) {
            for line in block.lines().map(str::trim) {
                let line = line
                    .strip_prefix("target/release/")
                    .or(line.strip_prefix("./target/release/"))
                    .unwrap_or(line);
                if line.starts_with("corredor ") {
                    seen += 1;
                    wrong.extend(parses(line, true).err().map(|e| format!("{name}, {language}: {e}")));
                }
            }
        }
        for script in text.split("./scripts/").skip(1) {
            let script: String =
                script.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect();
            if !root().join("scripts").join(&script).is_file() {
                wrong.push(format!("{name}: ./scripts/{script}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(seen > 10, "only {seen} commands found: the test looks in the wrong place");
}

#[test]
fn documents_name_only_keys_of_the_study_file_that_exist() {
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for path in documents() {
        let (_, blocks) = split(&fs::read_to_string(&path).unwrap());
        for (_, block) in blocks.iter().filter(|(l, _)| l == "toml") {
            seen += 1;
            if let Err(Error::Faults(faults)) = config::parse(block, "study.toml") {
                // A part of a study lacks other parts; what is there must be known.
                let real = faults.0.into_iter().filter(|f| {
                    matches!(
                        f.rule,
                        Rule::KeyUnknown | Rule::StudySyntax | Rule::ParameterRange | Rule::ClosureUnmatched
                    )
                });
                wrong.extend(real.map(|f| format!("{}: {f}", path.display())));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(seen > 1, "only {seen} examples found: the test looks in the wrong place");
}

#[test]
fn the_readmes_name_only_fields_that_exist() {
    let mut wrong = Vec::new();
    for name in ["README.md", "LEEME.md"] {
        let text = fs::read_to_string(root().join(name)).unwrap();
        let mut layers = 0;
        for line in text.lines().filter(|l| l.starts_with("| `")) {
            let mut words = line.split('`').skip(1).step_by(2);
            let Some(def) = words.next().and_then(schema::by_name) else { continue };
            layers += 1;
            wrong.extend(
                words
                    .filter(|w| !def.fields.iter().any(|f| f.name == *w))
                    .map(|w| format!("{name}: {}.{w}", def.name)),
            );
        }
        assert_eq!(layers, schema::ALL.len(), "{name} lists another number of layers");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn relative_links_resolve() {
    let mut wrong = Vec::new();
    for path in documents() {
        let (prose, _) = split(&fs::read_to_string(&path).unwrap());
        for link in prose.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or_default();
            let outside = ["http://", "https://", "mailto:"].iter().any(|s| link.starts_with(s));
            if !outside && !target.is_empty() && !path.parent().unwrap().join(target).exists() {
                wrong.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
