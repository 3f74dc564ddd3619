//! `report.html`: the report as one file that holds everything, asks for nothing and runs nothing.

use std::borrow::Cow;
use std::io::Write;

use quick_xml::escape::escape;

use super::document::{Align, Block, Figure, Legend, Report, Section, Table};
use crate::layers::page;

const PAGE: &str = include_str!("page.html");
const CSS: &str = include_str!("page.css");

/// Writes the page.
///
/// # Errors
/// What `out` reports.
pub fn write(out: &mut impl Write, report: &Report) -> std::io::Result<()> {
    let body = body(report);
    page::write(out, PAGE, |name| match name {
        "LANG" => report.lang.into(),
        "TITLE" => escape(report.title.as_str()),
        "STYLES" => page::hashes(&[CSS]).into(),
        "CSS" => CSS.into(),
        "AUDIENCE" => if report.audience.restricted { "closed" } else { "open" }.into(),
        "SKIP" => escape(report.words.skip.as_str()),
        "BODY" => body.as_str().into(),
        _ => "".into(),
    })
}

/// A page under construction.
#[derive(Default)]
struct Body {
    out: String,
}

fn safe(text: &str) -> Cow<'_, str> {
    escape(text)
}

impl Body {
    fn put(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// An element around a text.
    fn element(&mut self, open: &str, text: &str) {
        let name = open.split(' ').next().unwrap_or(open);
        self.put(&format!("<{open}>{}</{name}>\n", safe(text)));
    }

    fn section(&mut self, section: &Section, level: u8) {
        let id = section.id;
        self.put(&format!("<section aria-labelledby=\"{id}-title\" id=\"{id}\">\n"));
        self.element(&format!("h{level} id=\"{id}-title\""), &section.title);
        for block in &section.blocks {
            self.block(block);
        }
        self.put("</section>\n");
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Paragraph { text } => self.element("p", text),
            Block::Note { text } => self.element("p class=\"note\"", text),
            Block::Notices { lines } => {
                self.put("<ul class=\"notices\">\n");
                for line in lines {
                    self.element("li", line);
                }
                self.put("</ul>\n");
            }
            Block::Points { points, wide } => {
                self.put(if *wide { "<ul class=\"points wide\">\n" } else { "<ul class=\"points\">\n" });
                for point in points {
                    if point.lead.is_empty() {
                        self.element("li class=\"bare\"", &point.text);
                    } else {
                        let (lead, text) = (safe(&point.lead), safe(&point.text));
                        self.put(&format!("<li><strong>{lead}</strong>{text}</li>\n"));
                    }
                }
                self.put("</ul>\n");
            }
            Block::Table(table) => self.table(table),
            Block::Figure(figure) => self.figure(figure),
            Block::Legend(legend) => self.legend(legend),
            Block::Columns { left, right, dense } => {
                let class = if *dense { "columns dense" } else { "columns" };
                self.put(&format!("<div class=\"{class}\">\n<div>\n"));
                for block in left {
                    self.block(block);
                }
                self.put("</div>\n<div>\n");
                for block in right {
                    self.block(block);
                }
                self.put("</div>\n</div>\n");
            }
        }
    }

    fn figure(&mut self, figure: &Figure) {
        // The picture is named by an attribute, so that its own texts are not read one by one.
        let alt = safe(&figure.alt).into_owned();
        let svg = figure.svg.replacen("<svg ", &format!("<svg role=\"img\" aria-label=\"{alt}\" "), 1);
        self.put(&format!("<figure id=\"{}\">\n{svg}\n", figure.name));
        self.element("figcaption", &figure.caption);
        self.put("</figure>\n");
    }

    fn legend(&mut self, legend: &Legend) {
        self.put("<div class=\"legend\">\n");
        self.element("p class=\"title\"", &legend.title);
        for group in &legend.groups {
            if !group.title.is_empty() {
                self.element("p class=\"group\"", &group.title);
            }
            self.put("<ul>\n");
            for entry in &group.entries {
                let svg = entry.svg.replacen("<svg ", "<svg aria-hidden=\"true\" ", 1);
                self.put(&format!("<li>{svg}<span>{}</span></li>\n", safe(&entry.label)));
            }
            self.put("</ul>\n");
        }
        self.put("</div>\n");
    }

    fn table(&mut self, table: &Table) {
        // Roles are said again: on a narrow screen rows are cards, and the browser then forgets that it is a table.
        let class = if table.codes { " class=\"codes\"" } else { "" };
        self.put(&format!("<table role=\"table\"{class}>\n"));
        self.element("caption", &table.caption);
        self.put("<thead role=\"rowgroup\"><tr role=\"row\">\n");
        let class = |align: Align| if align == Align::Right { " class=\"number\"" } else { "" };
        for column in &table.columns {
            let open = format!("th role=\"columnheader\" scope=\"col\"{}", class(column.align));
            self.element(&open, &column.title);
        }
        self.put("</tr></thead>\n<tbody role=\"rowgroup\">\n");
        for row in &table.rows {
            self.put("<tr role=\"row\">\n");
            for (i, (cell, column)) in row.iter().zip(&table.columns).enumerate() {
                let head = safe(&column.title);
                let class = class(column.align);
                let open = if i == table.header {
                    format!("th role=\"rowheader\" scope=\"row\"{class}")
                } else {
                    format!("td role=\"cell\"{class} data-head=\"{head}\"")
                };
                self.element(&open, cell);
            }
            self.put("</tr>\n");
        }
        self.put("</tbody>\n</table>\n");
        if !table.note.is_empty() {
            self.element("p class=\"note\"", &table.note);
        }
    }
}

fn body(report: &Report) -> String {
    let mut body = Body::default();
    body.put("<main id=\"content\">\n");
    for (i, sections) in report.planner.iter().enumerate() {
        body.put("<div class=\"sheet planner\">\n");
        if i == 0 {
            body.put("<header class=\"masthead\">\n<div class=\"badges\">\n");
            body.element("span class=\"badge audience\"", &report.audience.text);
            if let Some(draft) = &report.draft {
                body.element("span class=\"badge draft\"", draft);
            }
            body.put("</div>\n");
            body.element("p class=\"kicker\"", &report.kicker);
            body.element("h1", &report.title);
            body.element("p class=\"facts\"", &report.facts.join(" · "));
            body.put("</header>\n");
        }
        for section in sections {
            body.section(section, 2);
        }
        body.put("</div>\n");
    }
    body.put("<div class=\"sheet annex\">\n");
    body.element("h2 class=\"part\" id=\"annex\"", &report.annex_title);
    body.put(&format!("<nav aria-label=\"{}\"><ol>\n", safe(&report.words.contents)));
    for section in report.planner.iter().flatten().chain(&report.annex) {
        body.put(&format!("<li><a href=\"#{}\">{}</a></li>\n", section.id, safe(&section.title)));
    }
    body.put("</ol></nav>\n");
    for section in &report.annex {
        body.section(section, 3);
    }
    body.put("</div>\n</main>\n");
    body.out
}
