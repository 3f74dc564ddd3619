//! Small layers for the tests of this stage.

use geo::{Geometry, line_string, point, polygon};
use serde_json::{Value, json};

use super::feature::{Feature, Lang, Layer, LayerDef, Tier};
use super::manifest::Manifest;
use super::report::Subject;
use super::view::Header;
use super::write::ResultSet;
use super::{notice, schema};

pub(crate) fn header(audience: Tier) -> Header {
    Header {
        run_id: "prueba".into(),
        audience,
        lang: Lang::Es,
        scenario: None,
        notices: notice::lines(&notice::standard(audience, None, None)),
    }
}

/// A feature with the values that are given by name and null for the rest.
pub(crate) fn feature(def: &LayerDef, geometry: Option<Geometry<f64>>, values: &Value) -> Feature {
    let object = values.as_object().unwrap();
    assert!(object.keys().all(|key| def.fields.iter().any(|f| f.name == key)), "{values}");
    Feature {
        geometry,
        values: def.fields.iter().map(|f| object.get(f.name).cloned().unwrap_or_default()).collect(),
    }
}

pub(crate) fn municipalities() -> Layer {
    let def = &schema::MUNICIPALITIES;
    // Clockwise on purpose, with a counter-clockwise hole.
    let square: Geometry<f64> = polygon! {
        exterior: [(x: -93.0, y: 16.0), (x: -93.0, y: 17.0), (x: -92.0, y: 17.0), (x: -92.0, y: 16.0)],
        interiors: [[(x: -92.6, y: 16.4), (x: -92.4, y: 16.4), (x: -92.4, y: 16.6), (x: -92.6, y: 16.6)]],
    }
    .into();
    let sliver: Geometry<f64> =
        polygon![(x: -92.0, y: 16.2), (x: -91.999_999_94, y: 16.3), (x: -92.0, y: 16.4)].into();
    Layer {
        def,
        features: vec![
            feature(
                def,
                Some(square),
                &json!({
                    "id": "m1", "run_id": "prueba", "name": "Uno d'Ávila", "cvegeo": "07001", "population": 1000,
                    "datum": "exact", "count_min": 3, "count_max": 3, "rate_100k_year": 0.1 + 0.2,
                    "rate_mean": 0.4, "rate_p05": 0.3, "rate_p95": 0.5, "pr_above": 0.9, "pr_hot": 0.7, "hot_class": "q05",
                    "roles": { "transit": "high", "reception": "low", "exploitation": "no_data" }, "count_mean": 3.0, "count_p05": 3.0, "count_p95": 3.0,
                    "reasons": [{ "name": "casos", "x": 0.1 + 0.2 }],
                }),
            ),
            feature(
                def,
                Some(sliver.clone()),
                &json!({
                    "id": "m2", "run_id": "prueba", "name": "=CMD()", "cvegeo": "07002", "population": 5,
                    "datum": "interval", "count_min": 0, "count_max": 14, "rate_100k_year": f64::NAN, "rate_mean": 1.2,
                    "rate_p05": 0.8, "rate_p95": 2.1, "count_mean": 4.5,
                }),
            ),
            feature(def, None, &json!({ "id": "m3", "name": "<Tres> & más", "datum": "unknown" })),
            feature(
                def,
                Some(sliver),
                &json!({ "id": "m4", "name": "Cuatro", "rate_mean": 2.0, "rate_p05": 1.6, "rate_p95": 2.5 }),
            ),
        ],
    }
}

/// A table without geometry: one corridor that varies, far beyond the range of an index, and one that does not.
pub(crate) fn sensitivity() -> Layer {
    let def = &schema::SENSITIVITY;
    let row = |corridor: &str, name: &str, parameter: &str, indices: Option<[f64; 6]>| {
        let mut values = json!({
            "id": format!("{corridor}-{parameter}"), "run_id": "prueba", "name": name, "corridor": corridor,
            "parameter": parameter, "score_sd": 0.1, "n": 64,
        });
        let names = ["first", "first_p05", "first_p95", "total", "total_p05", "total_p95"];
        for (name, value) in names.into_iter().zip(indices.into_iter().flatten()) {
            values[name] = json!(value);
        }
        feature(def, None, &values)
    };
    Layer {
        def,
        features: vec![
            row("c1", "MEX-190 <A> – B", "counts", Some([0.3, 0.1, 0.5, 0.4, 0.2, 0.6])),
            row("c1", "MEX-190 <A> – B", "gamma", Some([-0.05, -7.0, 0.04, 1.2, 0.2, 30.0])),
            row("c2", "MEX-200 C – D", "counts", None),
        ],
    }
}

pub(crate) fn roads() -> Layer {
    let def = &schema::ROADS;
    let road = |i: i32, mean: f64, lift: Option<f64>| {
        let y = 16.0 + f64::from(i) / 10.0;
        let line: Geometry<f64> =
            line_string![(x: -93.0, y: y), (x: -92.5, y: y + 0.05), (x: -92.0, y: y)].into();
        feature(
            def,
            Some(line),
            &json!({
                "id": format!("r{i}"), "name": format!("MEX-190 {i}"), "ref": "MEX-190", "toll": i == 1,
                "closed": i == 3, "schematic": i == 2, "mean": mean, "pr_top": mean, "lift": lift,
            }),
        )
    };
    Layer {
        def,
        features: vec![
            road(0, 0.0, None),
            road(1, 0.04, Some(0.7)),
            road(2, 0.3, Some(1.0)),
            road(3, 0.9, Some(2.5)),
        ],
    }
}

pub(crate) fn corridors() -> Layer {
    let def = &schema::CORRIDORS;
    let line: Geometry<f64> = line_string![(x: -93.0, y: 16.5), (x: -92.0, y: 16.7)].into();
    Layer {
        def,
        features: vec![feature(
            def,
            Some(line),
            &json!({
                "id": "c1", "name": "MEX-190 Uno – Dos", "rank": 1, "ref": "MEX-190", "mean": 0.3, "pr_top": 0.9,
                "lift": 1.4, "municipalities": ["Uno", "Dos"], "schematic": false, "toll": true,
                "origins_destinations": [{ "origin": "<Gate>", "destination": "Dos", "value": 0.75 }, { "others": 3, "value": 0.25 }],
                "if_closed": [{ "name": "", "corridor_id": null, "value": 0.5 }, { "unserved": 0.5 }],
            }),
        )],
    }
}

fn roads_change() -> Layer {
    let def = &schema::ROADS_CHANGE;
    let change = |i: i32, change: f64, rises: f64| {
        let y = 16.0 + f64::from(i) / 10.0;
        let line: Geometry<f64> = line_string![(x: -93.0, y: y), (x: -92.0, y: y)].into();
        let row = json!({
            "id": format!("r{i}"), "name": format!("MEX-190 {i}"), "change": change, "pr_rises": rises,
            "pr_falls": 1.0 - rises, "closed": i == 3, "altered": if i == 3 { "closed" } else { "" },
        });
        feature(def, Some(line), &row)
    };
    let features = vec![
        change(0, 0.0, 0.5),
        change(1, 0.2, 1.0),
        change(2, -0.02, 0.05),
        change(3, -0.5, 0.0),
        change(4, 0.002, 0.6),
        change(5, -0.002, 0.4),
    ];
    Layer { def, features }
}

fn points(def: &'static LayerDef, rows: &[Value]) -> Layer {
    let features = rows
        .iter()
        .zip(0_i32..)
        .map(|(row, i)| {
            let place = point! { x: -92.9 + f64::from(i) / 10.0, y: 16.1 };
            feature(def, Some(place.into()), row)
        })
        .collect();
    Layer { def, features }
}

/// One layer of each kind.
pub(crate) fn all() -> Vec<Layer> {
    vec![
        municipalities(),
        roads(),
        roads_change(),
        corridors(),
        points(
            &schema::CROSSINGS,
            &[
                json!({ "id": "x1", "name": "Talismán", "status": "formal", "joined": true, "closed": false, "mean": 0.4, "pr_top": 1.0 }),
                json!({ "id": "x2", "name": "Paso", "joined": true, "closed": true }),
                json!({ "id": "x3", "name": "Vado", "joined": false, "closed": false, "mean": 0.1 }),
            ],
        ),
        points(
            &schema::CHECKPOINTS,
            &[
                json!({ "id": "k1", "rank": 1, "kind": "proposed", "flow_met": 0.5 }),
                json!({ "id": "k2", "kind": "existing", "counts_as_coverage": false, "purpose": "-1+1" }),
                json!({ "id": "k3", "kind": "existing", "counts_as_coverage": true }),
            ],
        ),
        points(
            &schema::WORKSITES,
            &[
                json!({ "id": "w1", "rank": 1, "name": "Centro", "score": 2.5, "pr_top": 0.8, "complaints": 2, "synthetic": true }),
                json!({ "id": "w2", "rank": 40 }),
                json!({ "id": "w3", "rank": 400 }),
            ],
        ),
        points(
            &schema::DIAGNOSTICS,
            &[
                json!({ "id": "d1", "kind": "unsnapped", "rule": "N001", "distance_m": 900.0 }),
                json!({ "id": "d2", "kind": "otra" }),
            ],
        ),
    ]
}

/// All of them as a result.
pub(crate) fn set(audience: Tier) -> ResultSet {
    ResultSet {
        layers: all(),
        manifest: Manifest::new("prueba", audience, Lang::Es),
        signed_off: None,
        notices: Vec::new(),
        attributions: vec!["Datos inventados para pruebas".into()],
        subject: Subject {
            title: "Corredores de prueba".into(),
            region: "Región".into(),
            period: "2009–2020".into(),
            years: Some(12.0),
            total: Some(645),
            referral: None,
            scenario: None,
        },
        lang: Lang::Es,
        audience,
    }
}
