//! `report.pdf`: the report on paper, set by typst.
//!
//! The template is ours and fixed; the report comes to it as JSON and as pictures, so that no text of a study is ever read
//! as markup. Fonts are those of `typst-assets`: nothing is looked for on the machine, no clock is asked, and the same
//! report gives the same bytes.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::LazyLock;

use serde_json::Value;
use typst::diag::{FileError, FileResult, SourceDiagnostic};
use typst::foundations::{Bytes, Datetime, Duration, Smart};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards};

use super::document::Report;
use crate::error::{Error, Result};

const TEMPLATE: &str = include_str!("page.typ");
/// Words longer than this may be broken.
const LONG: usize = 28;

static FONTS: LazyLock<Vec<Font>> =
    LazyLock::new(|| typst_assets::fonts().flat_map(|data| Font::iter(Bytes::new(data))).collect());

/// All that the typesetter can see.
struct Paper {
    library: LazyHash<Library>,
    book: LazyHash<FontBook>,
    main: Source,
    files: BTreeMap<String, Bytes>,
}

impl World for Paper {
    fn library(&self) -> &LazyHash<Library> {
        &self.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &self.book
    }

    fn main(&self) -> FileId {
        self.main.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == self.main.id() { Ok(self.main.clone()) } else { Err(missing(id)) }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        // Packages would have to be fetched: there are none.
        let own = *id.get().root() == VirtualRoot::Project;
        let name = id.get().vpath().get_without_slash();
        self.files.get(name).filter(|_| own).cloned().ok_or_else(|| missing(id))
    }

    fn font(&self, index: usize) -> Option<Font> {
        FONTS.get(index).cloned()
    }

    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        None
    }
}

fn missing(id: FileId) -> FileError {
    FileError::NotFound(PathBuf::from(id.get().vpath().get_without_slash()))
}

/// The report as PDF: tagged, with title, language, outline and page numbers; by the rules of PDF/UA-1 where its texts allow
/// it (a sign that no font has is against them). The two pages for a planner are two pages.
///
/// # Errors
/// [`Error::Environment`] with what the typesetter reports.
pub fn bytes(report: &Report) -> Result<Vec<u8>> {
    let document = typeset(report)?;
    let options = |standards| PdfOptions {
        ident: Smart::Custom(report.facts.join(" ")),
        creator: Smart::Custom(Some(concat!("corredor ", env!("CARGO_PKG_VERSION")).to_owned())),
        standards,
        ..PdfOptions::default()
    };
    let accessible = PdfStandards::new(&[PdfStandard::Ua_1]).ok();
    let strict = accessible.and_then(|standards| typst_pdf::pdf(&document, &options(standards)).ok());
    let out = match strict {
        Some(bytes) => Ok(bytes),
        None => typst_pdf::pdf(&document, &options(PdfStandards::default())).map_err(|e| failed(&e)),
    };
    // What it remembers is of no use to another report.
    typst::comemo::evict(0);
    out
}

fn typeset(report: &Report) -> Result<PagedDocument> {
    let path =
        VirtualPath::new("report.typ").map_err(|e| Error::Environment(format!("report.pdf: {e:?}")))?;
    let id = RootedPath::new(VirtualRoot::Project, path).intern();
    let mut data =
        serde_json::to_value(report).map_err(|e| Error::Environment(format!("report.pdf: {e}")))?;
    soften(&mut data, false);
    let mut files = BTreeMap::new();
    files.insert("report.json".to_owned(), Bytes::from_string(data.to_string()));
    for (name, svg) in report.pictures() {
        files.insert(name, Bytes::from_string(svg.to_owned()));
    }
    let paper = Paper {
        library: LazyHash::new(Library::default()),
        book: LazyHash::new(FontBook::from_fonts(FONTS.iter())),
        main: Source::new(id, TEMPLATE.to_owned()),
        files,
    };
    typst::compile(&paper).output.map_err(|e| failed(&e))
}

fn failed(errors: &[SourceDiagnostic]) -> Error {
    let told: Vec<String> = errors.iter().map(|e| e.message.to_string()).collect();
    Error::Environment(format!("report.pdf: {}", told.join("; ")))
}

/// Lets long words be broken, so that none reaches beyond its column; codes stay whole, as somebody may copy them.
fn soften(value: &mut Value, codes: bool) {
    match value {
        Value::String(text) if !codes && text.split(' ').any(is_long) => {
            let words =
                text.split(' ').map(|word| if is_long(word) { breakable(word) } else { word.to_owned() });
            *text = words.collect::<Vec<_>>().join(" ");
        }
        Value::Array(items) => {
            for item in items {
                soften(item, codes);
            }
        }
        Value::Object(map) => {
            let codes = codes || map.get("codes") == Some(&Value::Bool(true));
            for (_, item) in map.iter_mut() {
                soften(item, codes);
            }
        }
        _ => {}
    }
}

fn is_long(word: &str) -> bool {
    word.chars().count() > LONG
}

/// A word with places where it may be broken: after signs, and else after so many letters.
fn breakable(word: &str) -> String {
    let mut out = String::with_capacity(word.len() + 8);
    let mut run = 0;
    for c in word.chars() {
        out.push(c);
        run += 1;
        if run == LONG / 2 || (run > 3 && !c.is_alphanumeric()) {
            out.push('\u{200b}');
            run = 0;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::layers::feature::{Lang, Tier};
    use crate::layers::report::document::{Align, Block};
    use crate::layers::report::tests::report;

    #[test]
    fn the_same_report_gives_the_same_bytes_and_two_pages_for_the_planner() {
        for audience in [Tier::Restricted, Tier::Public] {
            let report = report(audience, Lang::Es, 12);
            let (a, b) = (bytes(&report).unwrap(), bytes(&report).unwrap());
            assert!(a.starts_with(b"%PDF-") && a == b);
            let document = typeset(&report).unwrap();
            assert!(document.pages().len() > 2);
            assert_eq!(annex_page(&report), 3);
        }
    }

    /// The page on which the annex begins.
    fn annex_page(report: &Report) -> usize {
        let mut bare = report.clone();
        bare.annex.clear();
        // Without its sections the annex is one page.
        typeset(&bare).unwrap().pages().len()
    }

    #[test]
    fn no_text_is_read_as_markup_and_long_names_stay_on_their_page() {
        let hostile = "#panic(\"x\") $ \\ @ref <a> *b* _c_ `d` = e // f /* g";
        let mut report = report(Tier::Restricted, Lang::En, 10);
        report.title = format!("{hostile} {}", "W".repeat(150));
        for section in report.planner.iter_mut().flatten() {
            section.title = hostile.to_owned();
            for block in &mut section.blocks {
                if let Block::Table(table) = block {
                    // Numbers are written by us.
                    let words: Vec<bool> =
                        table.columns.iter().map(|column| column.align == Align::Left).collect();
                    for row in &mut table.rows {
                        row.iter_mut().zip(&words).filter(|(_, words)| **words).for_each(|(cell, _)| {
                            hostile.clone_into(cell);
                        });
                    }
                }
            }
        }
        assert_eq!(annex_page(&report), 3);
        assert!(bytes(&report).unwrap().starts_with(b"%PDF-"));
    }

    #[test]
    fn without_corridors_there_are_two_pages_all_the_same() {
        assert_eq!(annex_page(&report(Tier::Public, Lang::Es, 0)), 3);
    }

    #[test]
    fn long_words_can_be_broken_and_codes_stay() {
        let long = "a".repeat(40);
        let mut value =
            json!([{ "codes": true, "rows": [[long]] }, { "text": format!("uno {long}") }, "corto"]);
        soften(&mut value, false);
        assert_eq!(value[0]["rows"][0][0], long.as_str());
        assert!(value[1]["text"].as_str().unwrap().contains('\u{200b}'));
        assert_eq!(value[2], "corto");
    }
}
