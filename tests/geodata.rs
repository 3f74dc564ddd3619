//! The embedded study of Chiapas holds what its README says: shared borders, a network in two
//! sides, lengths near the posted ones, counts that add up, workplaces that are synthetic.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail by panicking")]

use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::path::{Path, PathBuf};

use geo::{Contains, Distance, Haversine, MultiPolygon, Point, Validation};
use geojson::{Feature, FeatureCollection, GeometryValue};

/// A coordinate in units of 0.00001°, so that equal places compare equal.
type Place = (i64, i64);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("geodata/chiapas")
}

fn features(name: &str) -> Vec<Feature> {
    let text = std::fs::read_to_string(folder().join("study").join(name)).unwrap();
    text.parse::<FeatureCollection>().unwrap().features
}

fn table(name: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(folder().join("study").join(name)).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

fn text<'a>(feature: &'a Feature, key: &str) -> &'a str {
    feature.property(key).and_then(serde_json::Value::as_str).unwrap()
}

fn place(x: f64, y: f64) -> Place {
    let (lon, lat) = ((x * 1e5).round(), (y * 1e5).round());
    assert!(
        (x * 1e5 - lon).abs() < 1e-5 && (y * 1e5 - lat).abs() < 1e-5,
        "{x} {y} has more than five decimals"
    );
    #[expect(clippy::cast_possible_truncation, reason = "degrees times 100,000 are far from the limits")]
    (lon as i64, lat as i64)
}

fn place_of(row: &BTreeMap<String, String>, lon: &str, lat: &str) -> Place {
    place(row[lon].parse().unwrap(), row[lat].parse().unwrap())
}

/// Twice the signed area of a closed ring, exact.
fn area2(ring: &[Place]) -> i128 {
    ring.windows(2).map(|w| i128::from(w[0].0 * w[1].1 - w[1].0 * w[0].1)).sum()
}

// --- municipalities ---

fn polygons() -> Vec<(String, MultiPolygon)> {
    let mut all: Vec<_> = features("municipalities.geojson")
        .iter()
        .map(|feature| {
            let geometry: geo::Geometry = feature.geometry.as_ref().unwrap().try_into().unwrap();
            let shape = match geometry {
                geo::Geometry::Polygon(polygon) => MultiPolygon::new(vec![polygon]),
                geo::Geometry::MultiPolygon(many) => many,
                other => panic!("not a polygon: {other:?}"),
            };
            (text(feature, "cvegeo").to_owned(), shape)
        })
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

fn rings(shape: &MultiPolygon) -> Vec<(bool, Vec<Place>)> {
    let places = |line: &geo::LineString| line.coords().map(|c| place(c.x, c.y)).collect();
    shape
        .iter()
        .flat_map(|polygon| {
            std::iter::once((true, places(polygon.exterior())))
                .chain(polygon.interiors().iter().map(move |ring| (false, places(ring))))
        })
        .collect()
}

#[test]
fn everything_together_is_small() {
    fn size(path: &Path) -> u64 {
        if path.is_dir() {
            std::fs::read_dir(path).unwrap().map(|entry| size(&entry.unwrap().path())).sum()
        } else {
            path.metadata().unwrap().len()
        }
    }
    assert!(size(&folder()) <= 3_000_000);
    assert!(folder().join("study/municipalities.geojson").metadata().unwrap().len() <= 700_000);
}

#[test]
fn the_table_has_124_municipalities_and_the_polygons_123() {
    let rows = table("municipios.csv");
    let codes: BTreeSet<_> = rows.iter().map(|row| row["cvegeo"].clone()).collect();
    assert_eq!((rows.len(), codes.len()), (124, 124));
    let people: u64 = rows.iter().map(|row| row["poblacion_2020"].parse::<u64>().unwrap()).sum();
    assert_eq!(people, 5_543_828);

    let drawn: BTreeSet<_> = polygons().into_iter().map(|(code, _)| code).collect();
    assert_eq!(drawn.len(), 123);
    assert_eq!(codes.difference(&drawn).collect::<Vec<_>>(), ["07125"]);
    assert!(drawn.is_subset(&codes));

    let names: BTreeMap<_, _> =
        rows.iter().map(|row| (row["cvegeo"].as_str(), row["nombre"].as_str())).collect();
    for feature in features("municipalities.geojson") {
        assert_eq!(text(&feature, "name"), names[text(&feature, "cvegeo")]);
    }
}

#[test]
fn polygons_are_valid_and_right_handed() {
    let mut vertices = 0;
    for (code, shape) in polygons() {
        shape.check_validation().unwrap_or_else(|fault| panic!("{code}: {fault}"));
        for (exterior, ring) in rings(&shape) {
            vertices += ring.len() - 1;
            assert_eq!(ring.first(), ring.last(), "{code} is open");
            assert_eq!(area2(&ring) > 0, exterior, "{code}: a ring turns the wrong way");
        }
    }
    assert!((15_000..=25_000).contains(&vertices), "{vertices} vertices");
}

/// Neighbours run along one border in opposite directions. What is left is the outer boundary,
/// and it encloses exactly the sum of the areas: no gap, sliver or overlap can hide.
#[test]
fn neighbours_share_their_borders() {
    let mut directed: BTreeMap<(Place, Place), String> = BTreeMap::new();
    let mut sum = 0;
    for (code, shape) in polygons() {
        for (_, ring) in rings(&shape) {
            sum += area2(&ring);
            for pair in ring.windows(2) {
                assert_ne!(pair[0], pair[1], "{code}: a segment of no length");
                if let Some(other) = directed.insert((pair[0], pair[1]), code.clone()) {
                    panic!("{code} and {other} lie on the same side of {pair:?}");
                }
            }
        }
    }
    let mut interior = 0;
    let mut next: BTreeMap<Place, Vec<Place>> = BTreeMap::new();
    for (&(from, to), code) in &directed {
        match directed.get(&(to, from)) {
            Some(other) => {
                assert_ne!(other, code, "{code} borders itself");
                interior += 1;
            }
            None => next.entry(from).or_default().push(to),
        }
    }
    assert!(interior > 10_000, "only {interior} halves of interior segments");

    let mut outer = Vec::new();
    while let Some((&start, _)) = next.first_key_value() {
        let mut ring = vec![start];
        loop {
            let here = *ring.last().unwrap();
            let ways = next.get_mut(&here).expect("the outer boundary is open");
            assert_eq!(ways.len(), 1, "the outer boundary touches itself at {here:?}");
            ring.push(ways[0]);
            next.remove(&here);
            if *ring.last().unwrap() == start {
                break;
            }
        }
        outer.push(area2(&ring));
    }
    assert_eq!(outer.len(), 1, "rings of the outer boundary: {outer:?}");
    assert_eq!(outer.iter().sum::<i128>(), sum);
}

// --- roads ---

struct Road {
    id: String,
    reference: String,
    foreign: bool,
    length_km: f64,
    ends: [Place; 2],
    names: [String; 2],
}

fn roads() -> Vec<Road> {
    features("roads.geojson")
        .iter()
        .map(|feature| {
            let GeometryValue::LineString { coordinates } = &feature.geometry.as_ref().unwrap().value else {
                panic!("not a line");
            };
            assert_eq!(coordinates.len(), 2);
            Road {
                id: text(feature, "id").to_owned(),
                reference: text(feature, "ref").to_owned(),
                foreign: text(feature, "region") == "GTM",
                length_km: feature.property("length_km").unwrap().as_f64().unwrap(),
                ends: [0, 1].map(|i| place(coordinates[i][0], coordinates[i][1])),
                names: ["from_name", "to_name"].map(|key| text(feature, key).to_owned()),
            }
        })
        .collect()
}

/// Sets of places that roads join, largest first.
fn components<'a>(roads: impl Iterator<Item = &'a Road>) -> Vec<BTreeSet<Place>> {
    let mut parts: Vec<BTreeSet<Place>> = Vec::new();
    for road in roads {
        let (touched, mut rest): (Vec<_>, Vec<_>) =
            parts.into_iter().partition(|part| road.ends.iter().any(|end| part.contains(end)));
        rest.push(touched.into_iter().flatten().chain(road.ends).collect());
        parts = rest;
    }
    parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
    parts
}

/// Length in km of the shortest way between two places over roads that `allowed` lets in.
fn way_km(roads: &[Road], from: Place, to: Place, allowed: impl Fn(&Road) -> bool) -> f64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "lengths are positive and below 1000 km"
    )]
    let metres = |km: f64| (km * 1000.0).round() as u64;
    let mut best = BTreeMap::from([(from, 0_u64)]);
    let mut queue = BinaryHeap::from([(std::cmp::Reverse(0_u64), from)]);
    while let Some((std::cmp::Reverse(cost), here)) = queue.pop() {
        if here == to {
            #[expect(clippy::cast_precision_loss, reason = "far below 2^52 metres")]
            return cost as f64 / 1000.0;
        }
        if cost > best[&here] {
            continue;
        }
        for road in roads.iter().filter(|road| road.ends.contains(&here) && allowed(road)) {
            let other = road.ends[usize::from(road.ends[0] == here)];
            let new = cost + metres(road.length_km);
            if best.get(&other).is_none_or(|&old| new < old) {
                best.insert(other, new);
                queue.push((std::cmp::Reverse(new), other));
            }
        }
    }
    panic!("no way from {from:?} to {to:?}");
}

fn towns() -> BTreeMap<String, Place> {
    table("towns.csv")
        .iter()
        .filter(|row| {
            row["seat"] == "true"
                || row["name"] == "Tenosique"
                || row["name"] == "Talismán"
                || row["name"] == "Frontera Corozal"
        })
        .map(|row| (row["name"].clone(), place_of(row, "lon", "lat")))
        .collect()
}

#[test]
fn the_network_has_two_sides_that_no_road_joins() {
    let roads = roads();
    assert_eq!(roads.len(), 822);
    assert_eq!(roads.iter().map(|road| &road.id).collect::<BTreeSet<_>>().len(), 822);
    let mut keys = BTreeSet::new();
    let mut pairs = BTreeSet::new();
    for road in &roads {
        let mut ends = road.ends;
        ends.sort_unstable();
        assert!(keys.insert((ends, &road.reference)), "{} is there twice", road.id);
        pairs.insert(ends);
    }
    assert_eq!(pairs.len(), 748);

    let mexican = components(roads.iter().filter(|road| !road.foreign));
    assert_eq!(mexican.iter().map(BTreeSet::len).collect::<Vec<_>>(), [404]);
    // GTM-RN24 meets no other Guatemalan road of the list.
    let foreign = components(roads.iter().filter(|road| road.foreign));
    assert_eq!(foreign.iter().map(BTreeSet::len).collect::<Vec<_>>(), [251, 9]);
    let all = components(roads.iter());
    assert_eq!(all.iter().map(BTreeSet::len).collect::<Vec<_>>(), [404, 251, 9]);
}

#[test]
fn no_road_is_shorter_than_its_line() {
    for feature in features("roads.geojson") {
        let line: geo::LineString = feature.geometry.as_ref().unwrap().try_into().unwrap();
        let [a, b] = [0, 1].map(|i| Point::from(line.0[i]));
        let straight = Haversine.distance(a, b) / 1000.0;
        let length = feature.property("length_km").unwrap().as_f64().unwrap();
        // The sphere is up to 0.5 % off the ellipsoid. Detours: a mountain road, or way points off the line.
        let id = text(&feature, "id");
        assert!(length >= 0.994 * straight - 0.01, "{id}: {length} of {straight}");
        assert!(length <= 4.0 * straight + 1.0, "{id}: {length} of {straight}");
        let class = text(&feature, "class");
        assert!(["federal", "toll", "state", "foreign"].contains(&class));
        assert_eq!(feature.property("toll").unwrap().as_bool().unwrap(), class == "toll");
        assert_eq!(class == "foreign", text(&feature, "region") == "GTM");
        assert!(["paved", "partly_paved", "unpaved"].contains(&text(&feature, "surface")));
        assert_eq!(text(&feature, "oneway"), "no");
        assert_eq!(feature.property("schematic").unwrap().as_bool(), Some(true));
        assert!((20..=110).contains(&feature.property("speed_kmh").unwrap().as_u64().unwrap()));
    }
}

/// Name, ends, references the way may use, posted km, tolerance.
type Posted<'a> = (&'a str, Place, Place, &'a [&'a str], f64, f64);

#[test]
fn lengths_agree_with_the_posted_ones() {
    let roads = roads();
    let town = towns();
    let at = |name: &str| town[name];
    let junction_211 = place(-92.004, 15.683);
    let junction_307 = place(-91.963, 17.444);
    let el_ceibo = place(-90.987, 17.259);
    // 3 % where the mountain factor works, 10 % elsewhere.
    let posted: [Posted; 8] = [
        ("MEX-211", at("Huixtla"), junction_211, &["MEX-211"], 128.0, 0.03),
        (
            "San Cristóbal - Ocosingo",
            at("San Cristóbal de las Casas"),
            at("Ocosingo"),
            &["MEX-190", "MEX-199"],
            95.0,
            0.03,
        ),
        (
            "Palenque - San Cristóbal",
            at("Palenque"),
            at("San Cristóbal de las Casas"),
            &["MEX-190", "MEX-199"],
            213.0,
            0.03,
        ),
        ("MEX-307", at("La Trinitaria"), junction_307, &["MEX-307"], 422.0, 0.1),
        ("Pijijiapan - Mapastepec", at("Pijijiapan"), at("Mapastepec"), &["MEX-200"], 48.0, 0.1),
        (
            "Palenque - Frontera Corozal",
            at("Palenque"),
            at("Frontera Corozal"),
            &["MEX-199", "MEX-307", "CHIS Crucero San Javier–Frontera Corozal"],
            165.0,
            0.1,
        ),
        ("Tapachula - Talismán", at("Tapachula"), at("Talismán"), &["MEX-200"], 15.0, 0.1),
        ("Tenosique - El Ceibo", at("Tenosique"), el_ceibo, &["MEX-203"], 60.0, 0.1),
    ];
    for (name, from, to, references, km, tolerance) in posted {
        let ours = way_km(&roads, from, to, |road| references.contains(&road.reference.as_str()));
        assert!((ours / km - 1.0).abs() <= tolerance, "{name}: posted {km}, ours {ours:.1}");
    }
}

#[test]
fn the_coast_road_passes_its_towns_in_order() {
    let roads = roads();
    let town = towns();
    let coast: Vec<&Road> = roads.iter().filter(|road| road.reference == "MEX-200").collect();
    let order =
        ["Arriaga", "Tonalá", "Pijijiapan", "Mapastepec", "Escuintla", "Huixtla", "Huehuetán", "Tapachula"];
    let mut last = 0.0;
    for name in order {
        let here = town[name];
        assert!(coast.iter().any(|road| road.ends.contains(&here)), "{name} is not on MEX-200");
        let km = way_km(&roads, town["Arriaga"], here, |road| road.reference == "MEX-200");
        assert!(name == "Arriaga" || km > last, "{name} comes too early");
        last = km;
    }
    assert!((240.0..290.0).contains(&last), "Arriaga - Tapachula {last} km");
}

#[test]
fn places_of_the_tables_are_ends_of_roads() {
    let roads = roads();
    let ends = |foreign: bool| -> BTreeSet<Place> {
        roads.iter().filter(|road| road.foreign == foreign).flat_map(|road| road.ends).collect()
    };
    let (mexican, foreign) = (ends(false), ends(true));
    assert_eq!((mexican.len(), foreign.len()), (404, 260));

    let crossings = table("crossings.csv");
    assert_eq!(crossings.len(), 9);
    for row in &crossings {
        assert!(mexican.contains(&place_of(row, "inside_lon", "inside_lat")), "{}", row["id"]);
        assert!(foreign.contains(&place_of(row, "outside_lon", "outside_lat")), "{}", row["id"]);
    }
    let exits = table("exits.csv");
    assert_eq!(exits.len(), 4);
    for row in &exits {
        let here = place_of(row, "lon", "lat");
        assert_eq!(
            roads.iter().filter(|road| road.ends.contains(&here)).count(),
            1,
            "{} is no end",
            row["id"]
        );
        assert!(mexican.contains(&here) && row["weight"] == "1");
    }
    for row in table("posts.csv") {
        let here = place_of(&row, "lon", "lat");
        assert!(
            roads.iter().any(|road| road.reference == row["ref"] && road.ends.contains(&here)),
            "{}",
            row["id"]
        );
        assert!(row["precision_km"].parse::<f64>().unwrap() > 0.0);
        assert!(["migration_control", "inspection", "security"].contains(&row["purpose"].as_str()));
    }
}

#[test]
fn towns_are_the_named_ends_and_one_seat_for_each_municipality() {
    let rows = table("towns.csv");
    let mut by_place = BTreeMap::new();
    for row in &rows {
        assert!(
            by_place.insert(place_of(row, "lon", "lat"), row).is_none(),
            "{} shares its place",
            row["name"]
        );
        assert!(row["cvegeo"].is_empty() || row["cvegeo"].starts_with("07"));
    }
    for road in roads() {
        for (end, name) in road.ends.iter().zip(&road.names).filter(|(_, name)| !name.is_empty()) {
            assert_eq!(&by_place[end]["name"], name, "an end of {}", road.id);
        }
    }
    let seats: Vec<_> = rows.iter().filter(|row| row["seat"] == "true").collect();
    let codes: BTreeSet<_> = seats.iter().map(|row| row["cvegeo"].clone()).collect();
    let all: BTreeSet<_> = table("municipios.csv").iter().map(|row| row["cvegeo"].clone()).collect();
    assert_eq!(seats.len(), 124);
    assert_eq!(codes, all);

    let shapes: BTreeMap<_, _> = polygons().into_iter().collect();
    for row in rows.iter().filter(|row| !row["cvegeo"].is_empty()) {
        // Honduras de la Sierra was cut from Siltepec after these polygons.
        let code = if row["cvegeo"] == "07125" { "07080" } else { &row["cvegeo"] };
        let here: Point = (row["lon"].parse().unwrap(), row["lat"].parse().unwrap()).into();
        assert!(shapes[code].contains(&here), "{} lies outside {code}", row["name"]);
    }
}

/// Every seat whose name the state roads give is a node of the network.
#[test]
fn seats_that_a_road_names_are_nodes() {
    let ends: BTreeSet<Place> = roads().iter().flat_map(|road| road.ends).collect();
    let seats: BTreeMap<String, Place> = table("towns.csv")
        .iter()
        .filter(|row| row["seat"] == "true")
        .map(|row| (row["cvegeo"].clone(), place_of(row, "lon", "lat")))
        .collect();
    let mut reader = csv::Reader::from_path(folder().join("facts/towns.csv")).unwrap();
    let mut named = 0;
    for row in reader.deserialize::<BTreeMap<String, String>>() {
        let row = row.unwrap();
        if let Some(seat) = seats.get(&row["cvegeo_if_seat"]) {
            assert!(ends.contains(seat), "{}", row["town"]);
            named += 1;
        }
    }
    assert_eq!(named, 105);
}

// --- counts and workplaces ---

#[test]
fn incidence_is_six_numbers_and_eleven_intervals() {
    let names: BTreeMap<_, _> = table("municipios.csv")
        .into_iter()
        .map(|row| (row["cvegeo"].clone(), row["nombre"].clone()))
        .collect();
    let (mut exact, mut intervals) = (Vec::new(), 0);
    for row in table("incidencia.csv") {
        assert_eq!(names[&row["cvegeo"]], row["municipio"]);
        assert_eq!(row["known_by"], "found");
        assert!(row["source"].contains("3226-A-2022"));
        if row["count"].is_empty() {
            assert_eq!((row["count_min"].as_str(), row["count_max"].as_str()), ("1", "14"));
            intervals += 1;
        } else {
            assert!(row["count_min"].is_empty() && row["count_max"].is_empty());
            exact.push(row["count"].parse::<u32>().unwrap());
        }
    }
    assert_eq!((exact.len(), exact.iter().sum::<u32>(), intervals), (6, 394, 11));
}

#[test]
fn workplaces_are_synthetic_and_say_so() {
    let shapes: BTreeMap<_, _> = polygons().into_iter().collect();
    let sizes = [
        "0 a 5 personas",
        "6 a 10 personas",
        "11 a 30 personas",
        "31 a 50 personas",
        "51 a 100 personas",
        "101 a 250 personas",
        "251 y más personas",
    ];
    let rows = table("worksites.csv");
    assert_eq!(rows.len(), 2000);
    assert_eq!(rows.iter().map(|row| &row["id"]).collect::<BTreeSet<_>>().len(), 2000);
    let mut visited = 0;
    for row in &rows {
        let id = &row["id"];
        assert!(id.starts_with("SYN-") && row["name"].starts_with("SINTÉTICO "), "{id}");
        assert!(row["clee"].is_empty() && row["synthetic"] == "true", "{id}");
        assert!(row["scian"].len() == 6 && row["scian"].bytes().all(|b| b.is_ascii_digit()), "{id}");
        assert!(!row["sector"].is_empty() && sizes.contains(&row["size"].as_str()), "{id}");
        assert!(row["complaints"].is_empty() || row["complaints"].parse::<u8>().unwrap() <= 3, "{id}");
        if !row["last_visit"].is_empty() {
            visited += 1;
            assert!(row["last_visit"].len() == 10 && row["last_visit"].starts_with("202"), "{id}");
        }
        let here: Point = (row["lon"].parse().unwrap(), row["lat"].parse().unwrap()).into();
        assert!(shapes[&row["cvegeo"]].contains(&here), "{id} lies outside {}", row["cvegeo"]);
    }
    assert!((1..1000).contains(&visited));
}
