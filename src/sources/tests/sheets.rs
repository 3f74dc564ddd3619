//! XLSX and ODS.

use super::workbooks::{cells, ods, ods_parts, ods_rows, packed, xlsx, xlsx_parts, zipped};
use super::*;

const ROWS: [&[&str]; 4] = [
    &["nombre", "cuenta", "lon", "lat", "nota"],
    &["Tapachula", "3", "-92.26", "14.9", "x"],
    &["Unión Juárez", "0.5", "-92,08", "15,06", ""],
    &["007", "-4", "-92.15", "14.68", " y "],
];

fn both(rows: &[&[&str]]) -> [(&'static str, Vec<u8>); 2] {
    [("a.xlsx", xlsx(rows)), ("a.ods", ods(rows))]
}

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

#[test]
fn sheets_are_tables_with_types() {
    for (name, bytes) in both(&ROWS) {
        let table = read_bytes(name, &bytes, GeometryNeed::Point).clean();
        assert_eq!(table.fields, ROWS[0], "{name}");
        assert_eq!(table.rows.iter().map(|row| row.row).collect::<Vec<_>>(), [2, 3, 4], "{name}");
        assert_eq!(table.rows[0].values[..2], [text("Tapachula"), Value::Integer(3)], "{name}");
        assert_eq!(table.rows[1].values[1], Value::Real(0.5), "{name}");
        assert_eq!(table.rows[1].values[4], Value::Null, "{name}");
        assert_eq!(table.rows[2].values[1], Value::Integer(-4), "{name}");
        assert_eq!(table.rows[2].values[4], text("y"), "{name}");
        assert_eq!(
            table.rows.iter().map(point_of).collect::<Vec<_>>(),
            [(-92.26, 14.9), (-92.08, 15.06), (-92.15, 14.68)]
        );
        let provenance = table.provenance;
        assert_eq!(provenance.driver, name[2..]);
        assert_eq!((provenance.layer.as_deref(), provenance.records), (Some("Hoja1"), 3));
        assert_eq!((provenance.bytes, provenance.sha256.len()), (bytes.len() as u64, 64));
        // The same within an archive.
        let table = read_bytes("a.zip", zipped(&[(name, &bytes)]), GeometryNeed::Point).clean();
        assert_eq!((table.rows.len(), table.provenance.file), (3, format!("a.zip/{name}")));
    }
}

#[test]
fn dates_truths_errors_and_shared_texts_are_told_apart() {
    let rows = cells(&[
        &["dia", "si", "texto", "calculo"],
        &[
            "<c r=\"AT\" s=\"1\"><v>43861</v></c>",
            "<c r=\"AT\" t=\"b\"><v>1</v></c>",
            "<c r=\"AT\" t=\"s\"><v>1</v></c>",
            "<c r=\"AT\"><f>1+1</f><v>2</v></c>",
        ],
        &["x", "x", "x", "<c r=\"AT\" t=\"e\"><f>NA()</f><v>#N/A</v></c>"],
    ]);
    let strings = " uniqueCount=\"2\"><si><t>a</t></si><si><t>Belén</t></si>";
    let outcome = read_bytes("a.xlsx", packed(&xlsx_parts(&[("Hoja1", rows)], strings)), GeometryNeed::None);
    assert_eq!((outcome.only().rule, outcome.only().place.row), (Rule::CellError, Some(3)));
    assert_eq!(outcome.only().place.field.as_deref(), Some("calculo"));
    assert_eq!(outcome.only().place.layer.as_deref(), Some("Hoja1"));
    let table = outcome.table.unwrap();
    assert_eq!(table.rows[0].values, [text("2020-01-31"), text("true"), text("Belén"), Value::Integer(2)]);

    let cell =
        |attributes: &str| format!("<table:table-cell {attributes}><text:p>x</text:p></table:table-cell>");
    let day = cell("office:value-type=\"date\" office:date-value=\"2020-01-31\"");
    let truth = cell("office:value-type=\"boolean\" office:boolean-value=\"true\"");
    let bytes = ods(&[&["dia", "si"], &[&day, &truth]]);
    let table = read_bytes("a.ods", bytes, GeometryNeed::None).clean();
    assert_eq!(table.rows[0].values, [text("2020-01-31"), text("true")]);
}

#[test]
fn the_sheet_is_named_or_the_only_one_that_holds_something() {
    let rows = || cells(&ROWS);
    let book = |sheets: &[(&str, String)]| packed(&xlsx_parts(sheets, ">"));
    let one = book(&[("Vacía", String::new()), ("Datos", rows()), ("_oculta", rows())]);
    assert_eq!(
        read_bytes("a.xlsx", one, GeometryNeed::Point).clean().provenance.layer.as_deref(),
        Some("Datos")
    );
    let two = book(&[("Datos", rows()), ("Notas", cells(&[&["a"], &["b"]]))]);
    let outcome = read_bytes("a.xlsx", &two, GeometryNeed::Point);
    assert_eq!(
        (outcome.only().rule, &outcome.only().params),
        (Rule::LayerMissing, &vec![("allowed", "Datos, Notas".to_owned())])
    );
    let named = |layer: &str| SourceSpec { layer: Some(layer.to_owned()), ..spec("a.xlsx") };
    read_bytes_as(&named("datos"), &two, GeometryNeed::Point).clean();
    assert_eq!(read_bytes_as(&named("Hoja9"), &two, GeometryNeed::Point).only().rule, Rule::LayerMissing);
    let empty = book(&[("Vacía", String::new())]);
    assert_eq!(read_bytes("a.xlsx", empty, GeometryNeed::None).only().rule, Rule::NoRecords);
    let header = xlsx(&[&["a", "b"]]);
    assert_eq!(read_bytes("a.xlsx", header, GeometryNeed::None).only().rule, Rule::NoRecords);
    let tables = packed(&ods_parts(&[("Datos", ods_rows(&ROWS)), ("Otra", ods_rows(&ROWS))]));
    assert_eq!(read_bytes("a.ods", tables, GeometryNeed::None).only().rule, Rule::LayerMissing);
}

#[test]
fn a_table_may_stand_anywhere_in_its_sheet_but_not_below_a_title() {
    let rows: [&[&str]; 5] = [&[], &["", "", "a", "b"], &[], &["", "", "1", "2"], &["", "", "3", "4"]];
    for (name, bytes) in both(&rows) {
        let table = read_bytes(name, bytes, GeometryNeed::None).clean();
        assert_eq!(table.fields, ["a", "b"], "{name}");
        assert_eq!(table.rows.iter().map(|row| row.row).collect::<Vec<_>>(), [4, 5], "{name}");
    }
    let titled: [&[&str]; 3] = [&["Población 2020"], &["clave", "nombre"], &["1", "x"]];
    for (name, bytes) in both(&titled) {
        let outcome = read_bytes(name, bytes, GeometryNeed::None);
        assert_eq!((outcome.only().rule, outcome.only().place.row), (Rule::SheetHeader, Some(1)), "{name}");
        assert_eq!(outcome.only().seen.as_deref(), Some("Aaaaaaaaa 9999"));
    }
    let ragged: [&[&str]; 4] = [&["a", "b"], &["1", "2"], &["1", "2", "3"], &["5"]];
    for (name, bytes) in both(&ragged) {
        let outcome = read_bytes(name, bytes, GeometryNeed::None);
        assert_eq!((outcome.only().rule, outcome.only().place.row), (Rule::RowRagged, Some(3)), "{name}");
        assert_eq!(outcome.table.unwrap().rows[1].values, [Value::Integer(5), Value::Null]);
    }
}

#[test]
fn the_rules_for_columns_and_coordinates_hold() {
    for (name, bytes) in both(&[&["curp", "Nacionalidad"], &["1", "2"]]) {
        let outcome = read_bytes(name, bytes, GeometryNeed::None);
        assert_eq!(outcome.rules(), [Rule::PersonColumn, Rule::DeniedColumn], "{name}");
        assert!(outcome.table.is_none());
    }
    for (row, rule) in [
        (["14.9", "-92.26"], Rule::AxesSwapped),
        (["92°15' W", "14.9"], Rule::CoordinateFormat),
        (["2500000", "600000"], Rule::CoordinatesOutOfRange),
        (["", "14.9"], Rule::GeometryEmpty),
    ] {
        for (name, bytes) in both(&[&["X", "Y"], &["-92.2", "14.8"], &row]) {
            let fields = [("lon", "X"), ("lat", "Y")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
            let mapped = SourceSpec { fields, ..spec(name) };
            let outcome = read_bytes_as(&mapped, bytes, GeometryNeed::Point);
            assert_eq!((outcome.only().rule, outcome.only().place.row), (rule, Some(3)), "{name} {row:?}");
        }
    }
    for (name, bytes) in both(&ROWS) {
        assert_eq!(read_bytes(name, bytes, GeometryNeed::Line).only().rule, Rule::GeometryType);
    }
}

#[test]
fn other_files_under_the_name_of_a_spreadsheet_are_named() {
    let ole = [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".as_slice(), &[0; 1000]].concat();
    assert_eq!(read_bytes("a.xlsx", &ole, GeometryNeed::None).only().rule, Rule::OpenFailed);
    let word: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(read_bytes("a.xlsx", [ole, word].concat(), GeometryNeed::None).only().rule, Rule::Encrypted);
    let mut parts = ods_parts(&[("a", ods_rows(&ROWS))]);
    let entry = "<manifest:file-entry manifest:full-path=\"content.xml\"";
    parts[2].1 = parts[2].1.replace(
        &format!("{entry}/>"),
        &format!("{entry}><manifest:encryption-data/></manifest:file-entry>"),
    );
    assert_eq!(read_bytes("a.ods", packed(&parts), GeometryNeed::None).only().rule, Rule::Encrypted);
    for bytes in [&b"a,b\n1,2\n"[..], b"<html>", b"PK\x03\x04"] {
        let rule = read_bytes("a.xlsx", bytes, GeometryNeed::None).only().rule;
        assert!(matches!(rule, Rule::OpenFailed | Rule::ArchiveBroken), "{rule:?}");
    }
    assert_eq!(
        read_bytes("a.xlsx", zipped(&[("a.csv", b"x")]), GeometryNeed::None).only().rule,
        Rule::OpenFailed
    );
    assert_eq!(read_bytes("a.ods", xlsx(&ROWS), GeometryNeed::None).only().rule, Rule::OpenFailed);
    let old = read_bytes("a.xls", b"x", GeometryNeed::None);
    assert_eq!(old.only().rule, Rule::FormatUnknown);
    assert!(old.only().params[0].1.starts_with(".xlsx"));
}

#[test]
fn workbooks_that_grow_or_fetch_or_state_too_much_are_refused() {
    let change = |part: &str, from: &str, to: &str| {
        let mut parts = xlsx_parts(&[("Hoja1", cells(&ROWS))], " uniqueCount=\"1\"><si><t>a</t></si>");
        let found = parts.iter_mut().find(|(name, _)| name == part).unwrap();
        assert!(found.1.contains(from), "{}", found.1);
        found.1 = found.1.replace(from, to);
        read_bytes("a.xlsx", packed(&parts), GeometryNeed::None)
    };
    let sheet = "xl/worksheets/sheet1.xml";
    let entity = "<!DOCTYPE x [<!ENTITY a SYSTEM \"http://127.0.0.1:9/x\">]><worksheet";
    for (part, from, to) in [
        (sheet, "<worksheet", entity),
        (sheet, "Tapachula", "&a;"),
        (sheet, "</sheetData>", ""),
        ("xl/sharedStrings.xml", "uniqueCount=\"1\"", "uniqueCount=\"18446744073709551615\""),
        ("xl/sharedStrings.xml", "uniqueCount=\"1\"", "uniqueCount=\"99999999999\""),
        ("xl/workbook.xml", "</sheets>", ""),
    ] {
        assert_eq!(change(part, from, to).only().rule, Rule::OpenFailed, "{part} {to}");
    }
    // A stated area that ends before it begins.
    let outcome = change(sheet, "<sheetData>", "<dimension ref=\"B5:A1\"/><sheetData>");
    assert!(outcome.table.is_some() || outcome.only().rule == Rule::OpenFailed);

    let grown =
        |rows: &str| read_bytes("a.ods", packed(&ods_parts(&[("a", rows.to_owned())])), GeometryNeed::None);
    let cell = "office:value-type=\"float\" office:value=\"1\"";
    let wide = format!(
        "<table:table-row><table:table-cell table:number-columns-repeated=\"16384\" {cell}/></table:table-row>"
    );
    let long = "x".repeat(10_000);
    for rows in [
        wide.repeat(400),
        format!("<table:table-row table:number-rows-repeated=\"1048576\"><table:table-cell table:number-columns-repeated=\"16384\" {cell}/></table:table-row>"),
        format!("<table:table-row table:number-rows-repeated=\"100000\"><table:table-cell {cell} table:formula=\"{long}\"/></table:table-row>"),
        "<table:table-row><table:table-cell office:value-type=\"string\"><text:p><text:s text:c=\"99999999999\"/></text:p></table:table-cell></table:table-row>".to_owned(),
        format!("<table:table-row><table:table-cell {cell}/></table:table-row><table:table-row table:number-rows-repeated=\"1048000\"><table:table-cell/></table:table-row><table:table-row><table:table-cell table:number-columns-repeated=\"16000\"/><table:table-cell {cell}/></table:table-row>"),
    ] {
        assert_eq!(grown(&rows).only().rule, Rule::OpenFailed, "{}", rows.chars().take(100).collect::<String>());
    }
    // What programs write at the end of every sheet is no bomb.
    let usual = format!(
        "{}<table:table-row table:number-rows-repeated=\"1048572\"><table:table-cell table:number-columns-repeated=\"16384\"/></table:table-row>",
        ods_rows(&ROWS)
    );
    assert_eq!(grown(&usual).clean().rows.len(), 3);
}
