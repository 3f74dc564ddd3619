//! Archives and spreadsheets made by hand, so that tests can make hostile ones too.

#![allow(dead_code, reason = "each test file uses a part of this")]
#![allow(clippy::format_collect, reason = "short texts, and shorter to read")]
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail by panicking")]

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use zip::write::{SimpleFileOptions, ZipWriter};

/// An archive of these members, packed.
pub(crate) fn zipped(members: &[(&str, &[u8])]) -> Vec<u8> {
    zipped_as(SimpleFileOptions::default(), members)
}

pub(crate) fn zipped_as(options: SimpleFileOptions, members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// The rows of a sheet of an XLSX file: what reads as a number is one, the rest is text; blanks are left out.
pub(crate) fn cells(rows: &[&[&str]]) -> String {
    let mut out = String::new();
    for (r, row) in rows.iter().enumerate() {
        write!(out, "<row r=\"{}\">", r + 1).unwrap();
        for (c, value) in row.iter().enumerate().filter(|(_, value)| !value.is_empty()) {
            let at = format!("{}{}", char::from(b'A' + u8::try_from(c).unwrap()), r + 1);
            if value.parse::<f64>().is_ok() {
                write!(out, "<c r=\"{at}\"><v>{value}</v></c>").unwrap();
            } else if value.starts_with("<c") {
                out.push_str(&value.replace("AT", &at));
            } else {
                write!(out, "<c r=\"{at}\" t=\"inlineStr\"><is><t>{value}</t></is></c>").unwrap();
            }
        }
        out.push_str("</row>");
    }
    out
}

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
const MAIN: &str = "xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" \
                    xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"";
const PACKAGE: &str = "xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"";
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/// The parts of an XLSX file with these sheets, each the inside of its `sheetData`.
pub(crate) fn xlsx_parts(sheets: &[(&str, String)], strings: &str) -> Vec<(String, String)> {
    let (mut list, mut relations, mut parts) = (String::new(), String::new(), Vec::new());
    for (i, (name, rows)) in sheets.iter().enumerate() {
        let n = i + 1;
        let state = if name.starts_with('_') { " state=\"hidden\"" } else { "" };
        write!(list, "<sheet name=\"{name}\" sheetId=\"{n}\"{state} r:id=\"rId{n}\"/>").unwrap();
        write!(
            relations,
            "<Relationship Id=\"rId{n}\" Type=\"{OFFICE}/worksheet\" Target=\"worksheets/sheet{n}.xml\"/>"
        )
        .unwrap();
        let sheet = format!("{HEAD}<worksheet {MAIN}><sheetData>{rows}</sheetData></worksheet>");
        parts.push((format!("xl/worksheets/sheet{n}.xml"), sheet));
    }
    let whole =
        format!("<Relationship Id=\"rId1\" Type=\"{OFFICE}/officeDocument\" Target=\"xl/workbook.xml\"/>");
    let styles = "<cellXfs count=\"2\"><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/></cellXfs>";
    let types = "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>";
    parts.extend([
        ("[Content_Types].xml".to_owned(), format!("{HEAD}{types}")),
        ("_rels/.rels".to_owned(), format!("{HEAD}<Relationships {PACKAGE}>{whole}</Relationships>")),
        ("xl/workbook.xml".to_owned(), format!("{HEAD}<workbook {MAIN}><sheets>{list}</sheets></workbook>")),
        (
            "xl/_rels/workbook.xml.rels".to_owned(),
            format!("{HEAD}<Relationships {PACKAGE}>{relations}</Relationships>"),
        ),
        ("xl/styles.xml".to_owned(), format!("{HEAD}<styleSheet {MAIN}>{styles}</styleSheet>")),
        ("xl/sharedStrings.xml".to_owned(), format!("{HEAD}<sst {MAIN}{strings}</sst>")),
    ]);
    parts
}

pub(crate) fn packed(parts: &[(String, String)]) -> Vec<u8> {
    let parts: Vec<(&str, &[u8])> =
        parts.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    zipped(&parts)
}

/// An XLSX file of one sheet.
pub(crate) fn xlsx(rows: &[&[&str]]) -> Vec<u8> {
    packed(&xlsx_parts(&[("Hoja1", cells(rows))], ">"))
}

/// The rows of a table of an ODS file, as [`cells`].
pub(crate) fn ods_rows(rows: &[&[&str]]) -> String {
    let mut out = String::new();
    for row in rows {
        out.push_str("<table:table-row>");
        for value in *row {
            if value.is_empty() {
                out.push_str("<table:table-cell/>");
            } else if value.parse::<f64>().is_ok() {
                write!(
                    out,
                    "<table:table-cell office:value-type=\"float\" office:value=\"{value}\"><text:p>{value}</text:p></table:table-cell>"
                )
                .unwrap();
            } else if value.starts_with("<table") {
                out.push_str(value);
            } else {
                write!(
                    out,
                    "<table:table-cell office:value-type=\"string\"><text:p>{value}</text:p></table:table-cell>"
                )
                .unwrap();
            }
        }
        out.push_str("</table:table-row>");
    }
    out
}

/// The parts of an ODS file with these tables, each the inside of its `table:table`.
pub(crate) fn ods_parts(tables: &[(&str, String)]) -> Vec<(String, String)> {
    let tables: String = tables
        .iter()
        .map(|(name, rows)| {
            format!("<table:table table:name=\"{name}\"><table:table-column/>{rows}</table:table>")
        })
        .collect();
    let office = "urn:oasis:names:tc:opendocument:xmlns";
    let content = format!(
        "{HEAD}<office:document-content xmlns:office=\"{office}:office:1.0\" xmlns:table=\"{office}:table:1.0\" \
         xmlns:text=\"{office}:text:1.0\"><office:body><office:spreadsheet>{tables}</office:spreadsheet>\
         </office:body></office:document-content>"
    );
    let manifest = format!(
        "{HEAD}<manifest:manifest xmlns:manifest=\"{office}:manifest:1.0\">\
         <manifest:file-entry manifest:full-path=\"content.xml\"/></manifest:manifest>"
    );
    vec![
        ("mimetype".to_owned(), "application/vnd.oasis.opendocument.spreadsheet".to_owned()),
        ("content.xml".to_owned(), content),
        ("META-INF/manifest.xml".to_owned(), manifest),
    ]
}

/// An ODS file of one table.
pub(crate) fn ods(rows: &[&[&str]]) -> Vec<u8> {
    packed(&ods_parts(&[("Hoja1", ods_rows(rows))]))
}

/// A GPX file with these waypoints, each the inside of its `wpt` with its longitude and latitude.
pub(crate) fn gpx(points: &[(&str, &str, &str)]) -> String {
    let points: String = points
        .iter()
        .map(|(lon, lat, inside)| format!("<wpt lat=\"{lat}\" lon=\"{lon}\">{inside}</wpt>\n"))
        .collect();
    format!(
        "{HEAD}<gpx version=\"1.1\" creator=\"prueba\" xmlns=\"http://www.topografix.com/GPX/1/1\">\n{points}</gpx>\n"
    )
}
