//! GPX.

use super::workbooks::gpx;
use super::*;

fn read_gpx(text: impl AsRef<[u8]>) -> Outcome {
    read_bytes("a.gpx", text, GeometryNeed::Point)
}

#[test]
fn waypoints_are_points_with_their_texts() {
    let text = gpx(&[
        (
            "-92.26",
            "14.9",
            "<ele>177.5</ele><time>2024-05-01T00:00:00Z</time><name>Puesto &amp; &#243;</name><sym>Flag</sym>",
        ),
        (
            "-92.08",
            "15.06",
            "<name><![CDATA[Unión]]></name><extensions><name>otro</name></extensions><type/>",
        ),
    ]);
    let table = read_gpx(&text).clean();
    assert_eq!(table.fields, ["name", "desc", "cmt", "sym", "type", "ele", "time"]);
    assert_eq!(point_of(&table.rows[0]), (-92.26, 14.9));
    assert_eq!(table.rows[0].values[0], Value::Text("Puesto & ó".to_owned()));
    assert_eq!(table.rows[0].values[5], Value::Real(177.5));
    assert_eq!(table.rows[0].values[6], Value::Text("2024-05-01T00:00:00Z".to_owned()));
    assert_eq!(table.rows[1].values[0], Value::Text("Unión".to_owned()));
    assert_eq!(table.rows[1].values[1..], [const { Value::Null }; 6]);
    let provenance = table.provenance;
    assert_eq!((provenance.driver.as_str(), provenance.records), ("gpx", 2));
    assert_eq!(provenance.layer.as_deref(), Some("waypoints"));
    assert_eq!(provenance.crs.as_deref(), Some("EPSG:4326"));
    // Waypoints within tracks are points of a track.
    let track = text.replace("</gpx>", "<trk><trkseg><trkpt lat='1' lon='2'/></trkseg></trk></gpx>");
    assert_eq!(read_gpx(track).clean().rows.len(), 2);
}

#[test]
fn bad_waypoints_are_faults_at_their_number() {
    for (lon, lat, rule) in [
        ("14.9", "-92.26", Rule::AxesSwapped),
        ("-192.2", "14.9", Rule::CoordinatesOutOfRange),
        ("NaN", "14.9", Rule::CoordinateNotFinite),
        ("92°15'", "14.9", Rule::CoordinateFormat),
        ("", "14.9", Rule::GeometryEmpty),
    ] {
        let outcome = read_gpx(gpx(&[("-92.2", "14.8", ""), (lon, lat, "")]));
        assert_eq!((outcome.only().rule, outcome.only().place.row), (rule, Some(2)), "{lon}");
        assert_eq!(outcome.table.unwrap().rows.len(), 1);
    }
    assert_eq!(read_gpx(gpx(&[])).only().rule, Rule::NoRecords);
    let text = gpx(&[("-92.2", "14.8", "")]);
    assert_eq!(read_bytes("a.gpx", &text, GeometryNeed::Line).only().rule, Rule::GeometryType);
    let declared = |crs: &str| SourceSpec { crs: Some(crs.to_owned()), ..spec("a.gpx") };
    read_bytes_as(&declared("EPSG:4326"), &text, GeometryNeed::Point).clean();
    assert_eq!(
        read_bytes_as(&declared("EPSG:6372"), &text, GeometryNeed::Point).only().rule,
        Rule::CrsUnusable
    );
    let layer = SourceSpec { layer: Some("tracks".to_owned()), ..spec("a.gpx") };
    assert_eq!(read_bytes_as(&layer, &text, GeometryNeed::Point).only().rule, Rule::LayerMissing);
}

#[test]
fn xml_that_grows_or_fetches_or_is_cut_is_refused() {
    let text = gpx(&[("-92.2", "14.8", "<name>&a;</name>")]);
    let laughs = "<!DOCTYPE gpx [<!ENTITY a \"ja\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]>\n<gpx ";
    for hostile in [
        text.clone(),
        text.replace("<gpx ", laughs),
        text.replace("<gpx ", "<!DOCTYPE gpx [<!ENTITY a SYSTEM \"file:///etc/passwd\">]>\n<gpx "),
        text.replace("<gpx ", "<!DOCTYPE gpx SYSTEM \"http://127.0.0.1:9/gpx.dtd\">\n<gpx "),
        gpx(&[("-92.2", "14.8", "")]).replace("</gpx>", ""),
        "<kml><wpt lat='14' lon='-92'/></kml>".to_owned(),
        "{}".to_owned(),
    ] {
        assert_eq!(read_gpx(&hostile).only().rule, Rule::OpenFailed, "{hostile}");
    }
}
