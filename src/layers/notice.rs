//! The lines that every output bears, and the reading note of the result folder.

use std::fmt::Write as _;

use super::feature::{Lang, LayerDef, Scenario, Tier, Words};
use super::words::{fill, text};

/// What every output of a result says. `signed_off` names the person who takes responsibility; without one the result is
/// a draft and says so first. A result under a `scenario` says which.
#[must_use]
pub fn standard(audience: Tier, signed_off: Option<&str>, scenario: Option<&Scenario>) -> Vec<Words> {
    let mut lines = vec![match signed_off.map(str::trim).filter(|name| !name.is_empty()) {
        None => Words::new(
            "BORRADOR: sin la aprobación de una persona responsable; no debe usarse para decidir.",
            "DRAFT: not signed off by a named person; not to be used for decisions.",
        ),
        Some(name) => Words::new(format!("Aprobado por: {name}."), format!("Signed off by: {name}.")),
    }];
    lines.extend(scenario.map(|scenario| {
        let [es, en] = [Lang::Es, Lang::En].map(|lang| {
            fill(lang, "notice.in_force", &[("title", scenario.title.trim_end_matches('.').to_owned())])
        });
        Words::new(es, en)
    }));
    if audience == Tier::Restricted {
        lines.push(Words::new(
            "RESTRINGIDO: solo para quienes planean e inspeccionan; no se difunde.",
            "RESTRICTED: for planners and inspectors only; not to be passed on.",
        ));
    }
    lines.push(Words::new(
        "Prevención y detección, no control migratorio.",
        "Prevention and detection, not migration control.",
    ));
    lines.push(Words::new(
        "Habla de lugares y caminos; no prueba nada sobre persona o establecimiento alguno.",
        "It speaks of places and roads; it proves nothing about any person or establishment.",
    ));
    lines
}

/// The same as lines, Spanish with English beside it.
#[must_use]
pub fn lines(words: &[Words]) -> Vec<String> {
    words.iter().map(|w| format!("{} / {}", w.es, w.en)).collect()
}

/// Name of the reading note.
pub const README: &str = "LEEME.txt";

/// The text of the reading note: notices, what to open, layers, sources. `has` tells which files are there.
#[must_use]
pub fn readme(
    notices: &[String],
    layers: &[&LayerDef],
    attributions: &[String],
    has: impl Fn(&str) -> bool,
) -> String {
    const FILES: &[(&str, &str)] = &[
        (
            "corredor.qgz",
            "proyecto de QGIS 3.22 o posterior: abra primero este / QGIS project: open this first",
        ),
        ("map.html", "mapa para el navegador, sin conexión / map for the browser, offline"),
        ("report.html", "informe: mapa, tablas, método y límites / report: map, tables, method and limits"),
        ("report.pdf", "el mismo informe para imprimir / the same report for printing"),
        ("corredor.gpkg", "todas las capas con sus estilos / all layers with their styles"),
        (
            "layers",
            "cada capa en GeoJSON, con su estilo (.qml) al lado / each layer as GeoJSON, its style beside it",
        ),
        (
            "sensitivity.svg",
            "de qué parámetros dependen los corredores / which parameters corridors depend on",
        ),
        (
            "layers/*.fgb",
            "las capas en FlatGeobuf, sin lo que no tiene lugar / layers as FlatGeobuf, without what lies nowhere",
        ),
        ("tables", "atributos de las capas en CSV / attributes of the layers as CSV"),
        (
            "datapackage.json",
            "qué es cada columna de las tablas, para programas / what each column of the tables is, for programs",
        ),
        ("run.json", "versión y suma SHA-256 de cada archivo / version and SHA-256 of every file"),
    ];
    /// Files that are written after the note, since they hold its hash.
    const LAST: [&str; 2] = ["datapackage.json", "run.json"];
    // Writing to a string cannot fail.
    let mut out = String::from("corredor: resultado / result\n\n");
    for line in notices {
        out.push_str(line);
        out.push('\n');
    }
    out.push_str("\nQué abrir / What to open\n");
    // A star stands for the name of any layer.
    let first = layers.first().map_or("", |def| def.name);
    for (name, what) in FILES.iter().filter(|(name, _)| LAST.contains(name) || has(&name.replace('*', first)))
    {
        let _ = writeln!(out, "  {name:<16} {what}");
    }
    if has("report.html") && !has("report.pdf") {
        for lang in [Lang::Es, Lang::En] {
            let _ = writeln!(out, "  {:<14} {}", "", text(lang, "report.pdf.missing"));
        }
    }
    out.push_str("\nCapas / Layers\n");
    for def in layers {
        let _ = writeln!(out, "  {:<16} {} / {}", def.name, def.title(Lang::Es), def.title(Lang::En));
    }
    if !attributions.is_empty() {
        out.push_str("\nFuentes y licencias / Sources and licences\n");
        for line in attributions {
            let _ = writeln!(out, "  {line}");
        }
    }
    out.push_str(
        "\nPara comprobar que nada cambió / To check that nothing was changed:  corredor verify CARPETA\n",
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsigned_results_are_drafts_and_all_say_what_they_are_for() {
        for audience in [Tier::Public, Tier::Restricted] {
            let draft = lines(&standard(audience, Some("  "), None));
            assert!(draft[0].starts_with("BORRADOR"));
            let signed = lines(&standard(audience, Some("Responsable de prueba"), None));
            assert!(!signed.iter().any(|line| line.contains("BORRADOR")));
            for lines in [draft, signed] {
                assert!(
                    lines
                        .iter()
                        .any(|line| line.starts_with("Prevención y detección, no control migratorio."))
                );
                assert_eq!(
                    audience == Tier::Restricted,
                    lines.iter().any(|line| line.starts_with("RESTRINGIDO"))
                );
            }
        }
    }

    #[test]
    fn the_note_names_only_files_that_are_there() {
        let note = readme(&lines(&standard(Tier::Public, None, None)), &[], &["INEGI".into()], |name| {
            name == "layers"
        });
        assert!(note.contains("BORRADOR") && note.contains("  INEGI\n") && note.contains("  layers "));
        assert!(!note.contains("corredor.qgz") && !note.contains("report.pdf"));
    }
}
