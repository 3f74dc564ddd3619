//! CSV.

use super::*;

fn points(text: impl AsRef<[u8]>) -> Outcome {
    read_bytes("a.csv", text, GeometryNeed::Point)
}

fn plain(text: impl AsRef<[u8]>) -> Outcome {
    read_bytes("a.csv", text, GeometryNeed::None)
}

#[test]
fn a_table_of_points_is_read_with_its_provenance() {
    let text = "nombre,lon,lat\nTapachula,-92.26,14.9\n\"Unión\nJuárez\",-92.08,15.06\nx,-92.15,14.68\n";
    let table = points(text).clean();
    assert_eq!(table.fields, ["nombre", "lon", "lat"]);
    assert_eq!(table.rows.iter().map(|row| row.row).collect::<Vec<_>>(), [2, 3, 5]);
    assert_eq!(table.rows[1].values[0], Value::Text("Unión\nJuárez".to_owned()));
    assert_eq!(point_of(&table.rows[0]), (-92.26, 14.9));
    let provenance = &table.provenance;
    assert_eq!(
        (provenance.source.as_str(), provenance.file.as_str(), provenance.driver.as_str()),
        ("test", "a.csv", "csv")
    );
    assert_eq!((provenance.records, provenance.bytes), (3, text.len() as u64));
    assert_eq!(provenance.crs.as_deref(), Some("EPSG:4326"));
    assert_eq!(provenance.encoding.as_deref(), Some("utf-8"));
    assert_eq!(provenance.extent, Some([-92.26, 14.68, -92.08, 15.06]));
    assert_eq!(provenance.sha256.len(), 64);
}

#[test]
fn the_hash_is_that_of_the_bytes() {
    let table = plain("a\nb").clean();
    assert_eq!(table.provenance.sha256, "7e18f737311b2dc3b2f269dd78396b0351f14fb66efa879f768cb23181883c78");
}

#[test]
fn line_numbers_hold_with_any_line_end_and_blank_lines() {
    for end in ["\n", "\r\n", "\r"] {
        let text = ["a,b", "1,2", "", "\"3", "x\",4", "", "", "bad", "5,6"].join(end);
        for text in [text.clone(), format!("{text}{end}"), format!("\u{feff}{end}{text}")] {
            let shift = u64::from(text.starts_with('\u{feff}'));
            let outcome = plain(&text);
            assert_eq!(outcome.only().place.row, Some(8 + shift), "{text:?}");
            let rows = outcome.table.unwrap().rows.iter().map(|row| row.row).collect::<Vec<_>>();
            assert_eq!(rows, [2 + shift, 4 + shift, 9 + shift], "{text:?}");
        }
    }
}

#[test]
fn delimiters_are_detected() {
    for text in ["a,b;x\n1,2", "a;b\n1;2,5", "a\tb\n1\t2", "\"a;;;\",b\n1,2"] {
        assert_eq!(plain(text).clean().fields.len(), 2, "{text:?}");
    }
    assert_eq!(plain("a\n1\n").clean().fields, ["a"]);
}

#[test]
fn a_decimal_comma_goes_with_a_semicolon() {
    let table = points("lon;lat\n-92,26;14,9\n").clean();
    assert_eq!(point_of(&table.rows[0]), (-92.26, 14.9));
    let outcome = points("lon,lat\n\"-92,26\",14.9\n-92.2,14.8");
    assert_eq!(outcome.only().rule, Rule::CoordinateFormat);
}

#[test]
fn coordinates_in_degrees_and_minutes_are_a_fault_with_their_shape() {
    let outcome = points("lon,lat\n92°15' W,14°40' N\n-92.2,14.8\n");
    assert_eq!(outcome.rules(), [Rule::CoordinateFormat; 2]);
    assert_eq!(outcome.faults.0[1].seen.as_deref(), Some("99°99' A"));
    assert_eq!(outcome.faults.0[1].place.field.as_deref(), Some("lat"));
}

#[test]
fn bad_coordinates_have_a_rule_each() {
    for (row, rule) in [
        (",", Rule::GeometryEmpty),
        ("-92.2,", Rule::GeometryEmpty),
        ("NaN,14.9", Rule::CoordinateNotFinite),
        ("-92.2,inf", Rule::CoordinateNotFinite),
        ("14.9,-92.26", Rule::AxesSwapped),
        ("-192.2,14.9", Rule::CoordinatesOutOfRange),
        ("2500000,600000", Rule::CoordinatesOutOfRange),
    ] {
        let outcome = points(format!("nombre,lon,lat\na,-92.2,14.8\nb,{row}\n"));
        assert_eq!((outcome.only().rule, outcome.only().place.row), (rule, Some(3)), "{row}");
    }
}

#[test]
fn a_file_far_from_mexico_is_in_another_crs() {
    assert_eq!(points("lon,lat\n2.35,48.85\n0,0\n").only().rule, Rule::CoordinatesOutOfRange);
    points("lon,lat\n2.35,48.85\n-92.2,14.9\n").clean();
}

#[test]
fn coordinate_columns_are_mapped_or_found_or_missing() {
    let mut mapped = spec("a.csv");
    mapped.fields = [("lon", "Este"), ("lat", "norte")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
    read_bytes_as(&mapped, "ESTE,Norte\n-92.2,14.9\n", GeometryNeed::Point).clean();
    let outcome = read_bytes_as(&mapped, "este,lat\n-92.2,14.9\n", GeometryNeed::Point);
    assert_eq!(
        (outcome.only().rule, outcome.only().place.field.as_deref()),
        (Rule::FieldMissing, Some("norte"))
    );
    points("LONGITUD,LATITUD\n-92.2,14.9\n").clean();
    assert_eq!(points("x,y\n-92.2,14.9\n").rules(), [Rule::FieldMissing; 2]);
}

#[test]
fn projected_points_are_brought_to_degrees() {
    let projected = SourceSpec { crs: Some("EPSG:32615".to_owned()), ..spec("a.csv") };
    let table = read_bytes_as(&projected, "X,Y\n579000,1648000\n", GeometryNeed::Point).clean();
    let (lon, lat) = point_of(&table.rows[0]);
    assert!((lon + 92.266).abs() < 0.01 && (lat - 14.906).abs() < 0.01, "{lon} {lat}");
    assert_eq!(table.provenance.crs.as_deref(), Some("EPSG:32615"));
    for bad in ["http://example.org", "EPSG:1", "nada"] {
        let wrong = SourceSpec { crs: Some(bad.to_owned()), ..spec("a.csv") };
        assert_eq!(
            read_bytes_as(&wrong, "x,y\n1,2\n", GeometryNeed::Point).only().rule,
            Rule::CrsUnusable,
            "{bad}"
        );
    }
}

#[test]
fn encodings_are_detected_and_declared_ones_must_hold() {
    let table = plain(b"nombre\r\nBel\xe9n\r\n").clean();
    assert_eq!(table.rows[0].values[0], Value::Text("Belén".to_owned()));
    assert_eq!(table.provenance.encoding.as_deref(), Some("windows-1252"));
    assert_eq!(plain("\u{feff}año\n1\n").clean().fields, ["año"]);

    let declared = |label: &str, bytes: &[u8]| {
        read_bytes_as(
            &SourceSpec { encoding: Some(label.to_owned()), ..spec("a.csv") },
            bytes,
            GeometryNeed::None,
        )
    };
    let outcome = declared("utf-8", b"nombre\nTuxtla\nBel\xe9n\n");
    assert_eq!((outcome.only().rule, outcome.only().place.row), (Rule::EncodingWrong, Some(3)));
    assert_eq!(declared("latin1", "a\nBelén\n".as_bytes()).only().rule, Rule::EncodingWrong);
    assert_eq!(declared("klingon", b"a\n1\n").only().rule, Rule::EncodingWrong);
    let mixed = ["nombre\nUnión Juárez\n".as_bytes(), b"Bel\xe9n\n"].concat();
    assert_eq!((plain(&mixed).only().rule, plain(&mixed).only().place.row), (Rule::EncodingWrong, Some(3)));
    assert_eq!(plain("nombre\nUni\u{fffd}n\n").only().rule, Rule::EncodingWrong);
    assert_eq!(plain(b"\xff\xfea\0\n\0").only().rule, Rule::EncodingWrong);
}

#[test]
fn rows_must_have_as_many_fields_as_the_header() {
    let outcome = plain("a,b\n1\n1,2,3\n1,2\n,\n");
    assert_eq!(outcome.rules(), [Rule::RowRagged; 2]);
    assert_eq!(outcome.rows(), [2, 3]);
    assert_eq!(outcome.faults.0[1].params, [("expected", "2".to_owned()), ("found", "3".to_owned())]);
}

#[test]
fn a_table_without_records_is_a_fault() {
    for text in ["", "\u{feff}", "a,b\n", "\n\n", "a,b\n,\n"] {
        let outcome = plain(text);
        assert_eq!(outcome.only().rule, Rule::NoRecords, "{text:?}");
        assert!(outcome.table.is_none());
    }
}

#[test]
fn columns_that_stand_twice_are_a_fault() {
    assert_eq!(plain("a,b,A\n1,2,3\n").only().rule, Rule::ColumnTwice);
    plain("a,,\n1,2,3\n").clean();
}

#[test]
fn records_that_are_no_text_are_a_fault() {
    assert_eq!(plain("a,b\n1,x\0y\n").only().rule, Rule::RecordBroken);
    let outcome = plain("a,b\n1,2\n3,\"4\n5,6\n");
    assert_eq!((outcome.only().rule, outcome.only().place.row), (Rule::RecordBroken, Some(3)));
    plain("a,b\n1,\"2\n\"").clean();
    let long = format!("a\n{}\n", "x".repeat((1 << 20) + 1));
    assert_eq!(plain(long).only().rule, Rule::RecordBroken);
}

#[test]
fn other_files_under_the_name_of_a_table_are_refused() {
    for bytes in [&b"PK\x03\x04xx"[..], b"<html>", b"SQLite format 3\0", b"{\"a\":1}"] {
        assert_eq!(plain(bytes).only().rule, Rule::OpenFailed);
    }
    assert_eq!(read_bytes("a.csv", "a\n1\n", GeometryNeed::Line).only().rule, Rule::GeometryType);
    let layered = SourceSpec { layer: Some("b".to_owned()), ..spec("a.csv") };
    assert_eq!(read_bytes_as(&layered, "a\n1\n", GeometryNeed::None).only().rule, Rule::LayerMissing);
}

#[test]
fn persons_are_refused_and_contacts_of_a_register_dropped() {
    let outcome = plain("clee,curp,Nacionalidad\n1,2,3\n");
    assert_eq!(outcome.rules(), [Rule::PersonColumn, Rule::DeniedColumn]);
    assert_eq!(outcome.faults.0[0].place.field.as_deref(), Some("curp"));
    assert!(outcome.table.is_none());

    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("denue.csv"), "clee,telefono,nom_estab,www\n07,961,Finca,w\n").unwrap();
    let mut faults = Faults::default();
    let rules = ColumnRules { business_register: true };
    let table = read(
        dir.path(),
        "w",
        &spec("denue.csv"),
        GeometryNeed::None,
        &rules,
        &Limits::default(),
        &mut faults,
    )
    .unwrap()
    .unwrap();
    assert_eq!(table.fields, ["clee", "nom_estab"]);
    assert_eq!(table.rows[0].values, [Value::Text("07".to_owned()), Value::Text("Finca".to_owned())]);
    assert_eq!(faults.0.iter().map(|f| f.rule).collect::<Vec<_>>(), [Rule::ContactColumnDropped; 2]);
    assert!(!faults.has_errors());
}

#[test]
fn caps_hold() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.csv"), "a,b\n1,2\n3,4\n5,6\n").unwrap();
    let usual = Limits::default();
    for (limits, rule) in [
        (Limits { max_records: 2, ..usual }, Rule::TooMany),
        (Limits { max_columns: 1, ..usual }, Rule::TooMany),
        (Limits { max_bytes: 5, ..usual }, Rule::FileTooLarge),
    ] {
        let mut faults = Faults::default();
        let rules = ColumnRules::default();
        let table =
            read(dir.path(), "t", &spec("a.csv"), GeometryNeed::None, &rules, &limits, &mut faults).unwrap();
        assert!(table.is_none());
        assert_eq!(faults.0[0].rule, rule);
    }
}

#[test]
fn many_faults_are_capped_with_their_number() {
    let text = format!("a,b\n{}", "1\n".repeat(500));
    let outcome = plain(text);
    assert_eq!(outcome.faults.0.len(), 201);
    assert_eq!(outcome.faults.0[200].params.last(), Some(&("count", "500".to_owned())));
}

#[test]
fn the_line_in_which_a_spreadsheet_states_the_delimiter_is_no_header() {
    for text in [
        "sep=;\nid;lon;lat\n1;-92,2;14,9\n",
        "\u{feff}SEP=;\r\nid;lon;lat\r\n1;-92,2;14,9\r\n",
        "sep=;;\nid;lon;lat\n1;-92,2;14,9\n",
    ] {
        let table = read_bytes("a.csv", text, GeometryNeed::Point).clean();
        assert_eq!(table.fields, ["id", "lon", "lat"], "{text}");
        assert_eq!(table.rows[0].row, 3, "{text}");
    }
    let table = read_bytes("a.csv", "sep=medio,id\n1,2\n", GeometryNeed::None).clean();
    assert_eq!(table.fields, ["sep=medio", "id"]);
}

#[test]
fn a_bar_divides_columns_too() {
    let table =
        read_bytes("a.csv", "id|nombre|lon|lat\n1|Río, norte|-92.2|14.9\n", GeometryNeed::Point).clean();
    assert_eq!(table.rows[0].values[1], Value::Text("Río, norte".to_owned()));
}

#[test]
fn two_columns_for_one_coordinate_are_a_fault() {
    let text = "id,lat,lon,latitud,longitud\n1,15.14,-92.46,16.1,-93.1\n";
    let outcome = read_bytes("a.csv", text, GeometryNeed::Point);
    assert_eq!(outcome.rules(), [Rule::ColumnTwice, Rule::ColumnTwice], "{}", outcome.faults);
    assert_eq!(outcome.faults.0[1].place.field.as_deref(), Some("lat, latitud"));
    let mapped =
        [("lat", "latitud"), ("lon", "longitud")].map(|(key, name)| (key.to_owned(), name.to_owned()));
    let spec = SourceSpec { fields: mapped.into(), ..spec("a.csv") };
    assert_eq!(point_of(&read_bytes_as(&spec, text, GeometryNeed::Point).clean().rows[0]), (-93.1, 16.1));
}

#[test]
fn a_file_that_breaks_off_is_not_called_empty() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.csv"), "id,lon,lat\n\"1,-92.2,14.9\n").unwrap();
    let mut faults = Faults::default();
    let rules = ColumnRules::default();
    read(dir.path(), "posts", &spec("a.csv"), GeometryNeed::Point, &rules, &Limits::default(), &mut faults)
        .unwrap();
    let told: Vec<Rule> = faults.0.iter().map(|fault| fault.rule).collect();
    assert_eq!(told, [Rule::RecordBroken], "{faults}");
}
