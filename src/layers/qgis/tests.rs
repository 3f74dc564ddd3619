//! The project as text. What QGIS makes of it is in `tests/qgis/`.

use std::io::Read;

use super::*;
use crate::layers::feature::{Lang, Tier};
use crate::layers::{notice, samples};

/// The text of the project in a file.
pub(in crate::layers) fn text_in(path: &Path) -> String {
    let mut zip = zip::ZipArchive::new(File::open(path).unwrap()).unwrap();
    assert_eq!(zip.len(), 1);
    let mut text = String::new();
    zip.by_index(0).unwrap().read_to_string(&mut text).unwrap();
    text
}

fn written(audience: Tier, lang: Lang, signed: bool) -> String {
    let mut set = samples::set(audience);
    set.lang = lang;
    set.notices = vec![crate::layers::feature::Words::new("Un límite & otro.", "A limit & another.")];
    let header = set.header();
    let notices = notice::standard(audience, signed.then_some("Responsable de prueba"), None);
    let about = About {
        notices: &notices,
        limits: &set.notices,
        attributions: &set.attributions,
        draws: None,
        version: "9.9.9",
        draft: !signed,
    };
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (dir.path().join("a.qgz"), dir.path().join("b.qgz"));
    write(&a, &set.views().unwrap(), &header, &about).unwrap();
    write(&b, &set.views().unwrap(), &header, &about).unwrap();
    assert!(std::fs::read(&a).unwrap() == std::fs::read(&b).unwrap(), "the same bytes");
    text_in(&a)
}

/// The values of an attribute of an element, and the number of those elements.
fn attributes(text: &str, element: &str, name: &str) -> Vec<String> {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(text);
    let mut out = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => return out,
            Event::Start(e) | Event::Empty(e) if e.name().as_ref() == element => {
                let found = e.attributes().map(Result::unwrap).find(|a| a.key.as_ref() == name);
                out.extend(found.map(|a| a.value.into_owned()));
            }
            _ => {}
        }
    }
}

#[test]
fn every_layer_is_in_the_tree_and_in_the_project_under_a_long_id() {
    let text = written(Tier::Restricted, Lang::Es, false);
    let ids = attributes(&text, "layer-tree-layer", "id");
    // Once in the tree, and those that are seen once more in the legend; not those that a scenario leaves out of it.
    assert_eq!(ids.len(), 8 + 4);
    for id in &ids {
        // Of ten characters or less QGIS makes others in silence.
        assert!(id.len() > 40, "{id}");
        assert!(text.contains(&format!("<id>{id}</id>")), "{id}");
    }
    for layer in samples::all() {
        let source = format!("<datasource>./corredor.gpkg|layername={}</datasource>", layer.def.name);
        assert_eq!(text.matches(&source).count(), 1, "{source}");
    }
    assert!(!text.contains("/tmp") && !text.contains("corredor.gpkg|layername=layer_styles"));
    let groups = attributes(&text, "layer-tree-group", "name");
    assert_eq!(groups, ["Calidad de los datos", "Planes", "Corredores y caminos", "Territorio"]);
    let checked = attributes(&text, "layer-tree-group", "checked");
    assert_eq!(checked, ["Qt::Unchecked", "Qt::Checked", "Qt::Checked", "Qt::Checked"]);
}

#[test]
fn styles_are_those_of_the_layers() {
    let set = samples::set(Tier::Restricted);
    let header = Header { lang: Lang::En, ..set.header() };
    let text = written(Tier::Restricted, Lang::En, false);
    let lines = |text: &str| text.lines().map(str::trim).map(str::to_owned).collect::<Vec<_>>().join("\n");
    let text = lines(&text);
    for view in set.views().unwrap() {
        let qml = crate::layers::style::qml(&view, &header).unwrap();
        let inner = qml.split_once("readOnly=\"0\">").unwrap().1.rsplit_once("</qgis>").unwrap().0;
        // The notes speak of the limits too, which are not part of this comparison.
        let inner = inner.split_once("<userNotes").unwrap().0;
        assert!(text.contains(lines(inner).trim()), "{}", view.name());
    }
}

#[test]
fn a_signed_project_is_no_draft_and_a_public_one_not_restricted() {
    for (lang, draft, restricted) in
        [(Lang::Es, "BORRADOR", "RESTRINGIDO"), (Lang::En, "DRAFT", "RESTRICTED")]
    {
        for audience in [Tier::Restricted, Tier::Public] {
            let own = |text: &str| attributes(text, "LayoutItem", "labelText");
            let unsigned = own(&written(audience, lang, false));
            assert_eq!(unsigned.iter().filter(|text| *text == draft).count(), 1, "{unsigned:?}");
            let signed = own(&written(audience, lang, true));
            assert!(!signed.iter().any(|text| text.contains(draft)), "{signed:?}");
            let marked = signed.iter().any(|text| text.contains(restricted));
            assert_eq!(marked, audience == Tier::Restricted, "{signed:?}");
            let all = signed.join("\n");
            for word in ["prueba", "9.9.9", lang.pick("Un límite &amp; otro.", "A limit &amp; another.")] {
                assert!(all.contains(word), "{word}: {all}");
            }
        }
    }
}

#[test]
fn a_result_without_any_place_has_a_project_too() {
    let set = samples::set(Tier::Restricted);
    let views = Vec::new();
    let notices = [];
    let about =
        About { notices: &notices, limits: &[], attributions: &[], draws: None, version: "1", draft: true };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.qgz");
    write(&path, &views, &set.header(), &about).unwrap();
    assert!(text_in(&path).ends_with("</qgis>\n"));
}

#[test]
fn ids_differ_by_layer_and_run() {
    assert_eq!(uuid("a"), uuid("a"));
    assert_ne!(uuid("a"), uuid("b"));
    assert_eq!(uuid("a").len(), 36);
}
