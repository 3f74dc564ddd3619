//! The map of a state that is made up: municipalities on a grid, and roads between their seats.

use serde_json::{Value, json};

use super::{Place, STEP, places};

/// Polygons with the columns of the Marco Geoestadístico, as `GeoJSON`.
pub(crate) fn polygons(entity: u32) -> String {
    let features: Vec<Value> = places(entity)
        .iter()
        .map(|place| {
            let [lon, lat] = place.at;
            let half = STEP / 2.0;
            let corner = |x: f64, y: f64| round([lon + x * half, lat + y * half]);
            let ring = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0), (-1.0, -1.0)];
            let ring: Vec<Value> = ring.iter().map(|(x, y)| corner(*x, *y)).collect();
            json!({
                "type": "Feature",
                "properties": {
                    "CVEGEO": place.cvegeo(),
                    "CVE_ENT": format!("{:02}", place.entity),
                    "CVE_MUN": format!("{:03}", place.number),
                    "NOMGEO": place.name,
                },
                "geometry": { "type": "Polygon", "coordinates": [ring] },
            })
        })
        .collect();
    json!({ "type": "FeatureCollection", "features": features }).to_string()
}

/// A road between every two seats side by side.
pub(crate) fn roads(entity: u32) -> String {
    let places = places(entity);
    let mut features = Vec::new();
    for (i, a) in places.iter().enumerate() {
        for b in &places[i + 1..] {
            let apart = (a.at[0] - b.at[0]).hypot(a.at[1] - b.at[1]);
            if apart < STEP * 1.1 {
                features.push(road(a, b));
            }
        }
    }
    json!({ "type": "FeatureCollection", "features": features }).to_string()
}

fn road(a: &Place, b: &Place) -> Value {
    let level = (a.at[1] - b.at[1]).abs() < STEP / 2.0;
    json!({
        "type": "Feature",
        "properties": {
            "id": format!("{}-{}", a.code(), b.code()),
            "ref": if level { format!("MEX-{}", 100 + a.number) } else { String::new() },
            "class": if level { "federal" } else { "state" },
        },
        "geometry": { "type": "LineString", "coordinates": [round(a.at), round(b.at)] },
    })
}

fn round(at: [f64; 2]) -> Value {
    json!(at.map(|degrees| (degrees * 1e6).round() / 1e6))
}
