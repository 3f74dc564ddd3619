//! What a report is made of: the one document that every renderer writes.
//!
//! Texts are plain: no renderer takes a part of one for its own markup. Figures are whole SVG documents, made by
//! [`super::svg`], which escapes what it puts in.

use serde::Serialize;

/// A report: two pages for a planner, and an annex.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Language, as in `lang` of HTML.
    pub lang: &'static str,
    /// What kind of document it is.
    pub kicker: String,
    /// Title of the study.
    pub title: String,
    /// Region, period, run.
    pub facts: Vec<String>,
    /// Who may see it.
    pub audience: Badge,
    /// That it is a draft, if it is one.
    pub draft: Option<String>,
    /// The two pages for a planner.
    pub planner: [Vec<Section>; 2],
    /// Heading of the annex.
    pub annex_title: String,
    /// Sections of the annex.
    pub annex: Vec<Section>,
    /// Words that the renderers themselves need.
    pub words: FrameWords,
}

/// The audience, in words and as a flag.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Badge {
    /// RESTRINGIDO or PÚBLICO.
    pub text: String,
    /// Whether it is the restricted one.
    pub restricted: bool,
}

/// Words of the frame of a page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FrameWords {
    /// Heading of the table of contents.
    pub contents: String,
    /// Heading of the first part.
    pub planner: String,
    /// Before the number of a page.
    pub page: String,
    /// Link over the head of the page.
    pub skip: String,
}

/// A part with a heading.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Section {
    /// Anchor; lower-case ASCII, unique in the report.
    pub id: &'static str,
    /// Heading.
    pub title: String,
    /// What stands under it.
    pub blocks: Vec<Block>,
}

/// What a section consists of.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Block {
    /// A paragraph.
    Paragraph {
        /// Its text.
        text: String,
    },
    /// A remark in small print.
    Note {
        /// Its text.
        text: String,
    },
    /// Sentences that stand out, such as that the result is a draft.
    Notices {
        /// One by one.
        lines: Vec<String>,
    },
    /// Points, each with what it is about.
    Points {
        /// One by one.
        points: Vec<Point>,
        /// Side by side where there is room.
        wide: bool,
    },
    /// A table.
    Table(Table),
    /// A figure.
    Figure(Figure),
    /// What colours and signs of a figure mean.
    Legend(Legend),
    /// Two things side by side where there is room.
    Columns {
        /// The first, and wider.
        left: Vec<Block>,
        /// The second.
        right: Vec<Block>,
        /// Whether space is scarce: then the first is smaller, and what is in the second stands side by side.
        dense: bool,
    },
}

/// A point of a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Point {
    /// What it is about; may be empty.
    pub lead: String,
    /// What is said of it.
    pub text: String,
}

/// How the cells of a column stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Column {
    /// Its head.
    pub title: String,
    /// How its cells stand.
    pub align: Align,
    /// Share of the width that is left when narrow columns have theirs; 0 for a column that is as wide as its cells.
    pub weight: u8,
}

/// A table. Every row has one cell for each column; the cell of `header` names its row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Table {
    /// What it shows.
    pub caption: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows.
    pub rows: Vec<Vec<String>>,
    /// Which cell names its row.
    pub header: usize,
    /// Remark below it; may be empty.
    pub note: String,
    /// Whether its cells are long codes, to be broken anywhere.
    pub codes: bool,
}

/// A figure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    /// Its id and the name of its file; lower-case ASCII, unique in the report.
    pub name: &'static str,
    /// What it shows.
    pub caption: String,
    /// The same in words, for those who do not see it.
    pub alt: String,
    /// Width in millimetres on paper.
    pub width: f64,
    /// Height in millimetres on paper.
    pub height: f64,
    /// The picture.
    #[serde(skip)]
    pub svg: String,
}

/// A legend.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Legend {
    /// Prefix of the names of its pictures.
    pub name: &'static str,
    /// Its heading.
    pub title: String,
    /// Groups of signs.
    pub groups: Vec<LegendGroup>,
}

/// Signs that tell of one thing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LegendGroup {
    /// What they tell of; may be empty.
    pub title: String,
    /// The signs.
    pub entries: Vec<LegendEntry>,
}

/// A sign and what it means.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LegendEntry {
    /// What it means.
    pub label: String,
    /// The sign, 8 by 3.6 mm.
    #[serde(skip)]
    pub svg: String,
}

impl Report {
    /// All sections in their order.
    pub fn sections(&self) -> impl Iterator<Item = &Section> {
        self.planner.iter().flatten().chain(&self.annex)
    }

    /// All pictures with the names of their files: figures, and signs of legends.
    #[must_use]
    pub fn pictures(&self) -> Vec<(String, &str)> {
        let mut out = Vec::new();
        for section in self.sections() {
            for block in &section.blocks {
                block.pictures(&mut out);
            }
        }
        out
    }
}

impl Block {
    fn pictures<'a>(&'a self, out: &mut Vec<(String, &'a str)>) {
        match self {
            Self::Figure(figure) => out.push((format!("{}.svg", figure.name), &figure.svg)),
            Self::Legend(legend) => {
                for (g, group) in legend.groups.iter().enumerate() {
                    for (e, entry) in group.entries.iter().enumerate() {
                        out.push((format!("{}-{g}-{e}.svg", legend.name), &entry.svg));
                    }
                }
            }
            Self::Columns { left, right, .. } => {
                left.iter().chain(right).for_each(|block| block.pictures(out));
            }
            _ => {}
        }
    }

    /// A paragraph.
    pub(super) fn paragraph(text: impl Into<String>) -> Self {
        Self::Paragraph { text: text.into() }
    }

    /// A remark.
    pub(super) fn note(text: impl Into<String>) -> Self {
        Self::Note { text: text.into() }
    }
}

impl Point {
    /// A point about something.
    pub(super) fn new(lead: impl Into<String>, text: impl Into<String>) -> Self {
        Self { lead: lead.into(), text: text.into() }
    }
}

impl Column {
    /// A column of words.
    pub(super) fn words(title: impl Into<String>, weight: u8) -> Self {
        Self { title: title.into(), align: Align::Left, weight }
    }

    /// A column of numbers.
    pub(super) fn numbers(title: impl Into<String>) -> Self {
        Self { title: title.into(), align: Align::Right, weight: 0 }
    }
}
