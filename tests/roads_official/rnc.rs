//! `inegi-rnc`.

use std::fs;

use corredor::cli::config;
use corredor::cli::engine::{self, Loaded};
use corredor::cli::progress::Progress;
use corredor::ids::JunctionId;
use corredor::layers::feature::Lang;
use corredor::network::arcs::Arcs;
use corredor::network::search::{Search, UNREACHED};
use tempfile::TempDir;

use super::generator::maps::{self, Layer, System};
use super::generator::roads::{self, Fate, Set};
use super::support::Study;
use super::*;

const KEYS: &str = "path = \"red_vial.shp\"\npreset = \"inegi-rnc\"";
const IN_GEOPACKAGE: &str = "path = \"rnc.gpkg\"\npreset = \"inegi-rnc\"";

/// As a shapefile set.
fn shapefiles(set: &Set, system: System) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    maps::write_shapefiles(dir.path(), &set.layers(), system);
    dir
}

/// As a `GeoPackage` in the layout of 2025.
fn geopackage(set: &Set, system: System) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut set = set.clone();
    set.junctions = set.junctions.named("union_p");
    maps::write(&dir.path().join("rnc.gpkg"), "GPKG", &set.layers(), system);
    dir
}

#[track_caller]
fn whole(dir: &TempDir, keys: &str) -> RawTable {
    let (table, faults) = read(dir.path(), "roads", keys);
    assert!(faults.0.is_empty(), "{faults}");
    table.unwrap()
}

// ---- whole files ------------------------------------------------------------------------------------

#[test]
fn every_word_of_every_field_becomes_what_is_documented() {
    let set = roads::set();
    let table = whole(&shapefiles(&set, System::Epsg(6372)), KEYS);
    let cases = roads::cases();
    let mut left: BTreeMap<&str, u64> = BTreeMap::new();
    let mut kept = 0;
    for ((words, fate), id) in cases.iter().zip(1..) {
        let found = table.rows.iter().find(|row| text(row, 0) == id.to_string());
        match (fate, found) {
            (Fate::Left(reason), None) => *left.entry(reason).or_default() += 1,
            (Fate::Kept(class, surface, toll, direction, speed), Some(row)) => {
                kept += 1;
                let seen =
                    (text(row, 2), text(row, 3), text(row, 4), text(row, 5), text(row, 6).parse::<f64>());
                let expected = (
                    (*class).to_owned(),
                    (*surface).to_owned(),
                    u8::from(*toll).to_string(),
                    (*direction).to_owned(),
                    Ok(*speed),
                );
                assert_eq!(seen, expected, "{words:?}");
                let reference = if words.contains(&("CODIGO", "N/A")) { "" } else { "MEX-200" };
                assert_eq!(text(row, 1), reference);
                let level = if words.contains(&("NIVEL", "-1")) { "-1" } else { "0" };
                assert_eq!(text(row, 9), level);
            }
            (fate, found) => panic!("{words:?}: {fate:?} {found:?}"),
        }
    }
    assert_eq!(left, [("disabled", 2), ("not_for_vehicles", 21), ("under_construction", 1)].into());
    assert_eq!(dropped(&table), left);
    let others = set.roads.sheet.rows.len() - cases.len();
    assert_eq!(table.provenance.records, set.roads.sheet.rows.len() as u64 + 1, "and the ferry");
    assert_eq!(table.rows.len(), kept + others + 1, "and the ferry");
    assert_eq!(table.bans.len(), 2);
    assert_eq!(
        (table.bans[0].via, table.bans[0].roads.as_slice()),
        (Some(3_002), &["511".to_owned(), "512".to_owned()][..])
    );
    assert_eq!(table.bans[1].roads, ["514", "515", "516"]);
    assert_eq!(table.provenance.encoding.as_deref(), Some("windows-1252"));

    // Lines run from the first junction to the second, however they are drawn.
    for row in &table.rows {
        let Some(geo::Geometry::LineString(line)) = &row.geometry else { panic!("{row:?}") };
        let from = set.junctions.sheet.find(&[("ID_UNION", &text(row, 7))])[0];
        let [x, y] = [line.0[0].x, line.0[0].y];
        let stands = set.junctions.shapes[from].clone().unwrap();
        let stands: Vec<f64> = stands[7..stands.len() - 1].split(' ').map(|n| n.parse().unwrap()).collect();
        assert!((x - stands[0]).hypot(y - stands[1]) < 2e-9, "{row:?}");
    }
    let ferry = table.rows.last().unwrap();
    assert_eq!(
        [0, 2, 5, 6, 7, 8].map(|at| text(ferry, at)),
        ["transbordador-1", "ferry", "both", "", "3006", "4001"]
    );
}

#[test]
fn every_form_of_the_file_gives_the_same_table() {
    let set = roads::set();
    let dir = shapefiles(&set, System::Epsg(6372));
    let expected = whole(&dir, KEYS);
    let same = |table: &RawTable, form: &str| {
        assert!(canonical(table) == canonical(&expected), "{form}");
        let bans = |table: &RawTable| format!("{:?}", table.bans);
        assert_eq!(bans(table), bans(&expected), "{form}");
    };
    assert!(
        dir.path().join("maniobra_prohibida.dbf").exists()
            && !dir.path().join("maniobra_prohibida.shp").exists()
    );
    // Older editions.
    maps::set_prj(dir.path(), &maps::with_authority());
    same(&whole(&dir, KEYS), "authority of INEGI");
    maps::set_prj(dir.path(), maps::ITRF2008);
    same(&whole(&dir, KEYS), "without a code");
    same(&whole(&dir, &format!("{KEYS}\ncrs = \"EPSG:6372\"\nencoding = \"windows-1252\"")), "declared");
    // Names in capitals.
    for name in ["union", "transbordador"] {
        for ending in ["shp", "shx", "dbf", "prj"] {
            let path = |name: &str| dir.path().join(format!("{name}.{ending}"));
            fs::rename(path(name), path(&name.to_uppercase())).unwrap();
        }
    }
    same(&whole(&dir, KEYS), "names in capitals");

    // Turn bans with a place on the map.
    let mut placed = set.clone();
    placed.bans.kind = gdal::vector::OGRwkbGeometryType::wkbPoint;
    placed.bans.shapes.fill(Some("POINT (-92.3 15.31)".to_owned()));
    let dir = shapefiles(&placed, System::Epsg(6372));
    assert!(dir.path().join("maniobra_prohibida.shp").exists());
    same(&whole(&dir, KEYS), "bans on the map");

    for system in [System::Degrees, System::Epsg(6372)] {
        same(&whole(&geopackage(&set, system), IN_GEOPACKAGE), "GeoPackage");
    }
    // Keys as text, as some exports have them.
    let mut texts = set.clone();
    for layer in [&mut texts.roads, &mut texts.junctions, &mut texts.bans, &mut texts.ferries] {
        layer.numbers.clear();
    }
    same(&whole(&geopackage(&texts, System::Degrees), IN_GEOPACKAGE), "keys as text");
    // Columns in another order, in lower case.
    let mut lower = set.clone();
    for row in std::iter::once(&mut lower.roads.sheet.header).chain(&mut lower.roads.sheet.rows) {
        row.reverse();
    }
    lower.roads.numbers.iter_mut().for_each(|name| *name = name.to_lowercase());
    lower.roads.sheet.header.iter_mut().for_each(|name| *name = name.to_lowercase());
    same(&whole(&geopackage(&lower, System::Degrees), IN_GEOPACKAGE), "lower case");
}

#[test]
fn a_box_keeps_the_roads_that_lead_out_of_it() {
    let dir = shapefiles(&roads::set(), System::Epsg(6372));
    // Through the middle of road 501, and not as far as either of its junctions.
    let table = whole(&dir, &format!("{KEYS}\nbbox = [-92.395, 15.295, -92.385, 15.305]"));
    let ids: Vec<String> = table.rows.iter().map(|row| text(row, 0)).collect();
    assert_eq!(ids, ["501", "502"]);
    assert_eq!(dropped(&table)["outside_bbox"], table.provenance.records - 2);
}

// ---- the network ------------------------------------------------------------------------------------

fn network(set: &Set) -> Loaded {
    let study = Study::new();
    study.edit(
        "study.toml",
        "{ path = \"roads.geojson\" }",
        "{ path = \"red_vial.shp\", preset = \"inegi-rnc\" }",
    );
    maps::write_shapefiles(&study.dir(), &set.layers(), System::Epsg(6372));
    let file = config::read(&study.path("study.toml")).unwrap();
    engine::load(file, Progress::new(Lang::Es, true)).unwrap_or_else(|e| panic!("{e}"))
}

/// The junction within a metre of a place.
#[track_caller]
fn junction(loaded: &Loaded, [x, y]: [f64; 2]) -> JunctionId {
    let network = &loaded.built.network;
    let ids = (0..u32::try_from(network.junction_count()).unwrap()).map(JunctionId);
    let found: Vec<JunctionId> = ids
        .filter(|id| {
            let at = network.junction(*id).at;
            (at.x - x).hypot(at.y - y) < 1e-5
        })
        .collect();
    assert_eq!(found.len(), 1, "{x} {y}");
    found[0]
}

/// Milliseconds from one place to another.
#[track_caller]
fn milliseconds(loaded: &Loaded, from: [f64; 2], to: [f64; 2]) -> Option<u32> {
    let network = &loaded.built.network;
    let arcs = Arcs::new(network);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "minutes of short roads")]
    let weights: Vec<u32> =
        network.links().map(|(_, link)| (link.time.0 * 60_000.0).round() as u32).collect();
    let (from, to) = (junction(loaded, from), junction(loaded, to));
    let mut is_target = vec![false; network.junction_count()];
    is_target[to.index()] = true;
    let mut search = Search::new(&arcs);
    search.run(&arcs, &weights, from, &is_target, 1);
    Some(search.distance(to)).filter(|d| *d != UNREACHED)
}

#[test]
fn the_network_is_the_one_that_the_file_states() {
    let mut set = roads::set();
    let bound = network(&set);
    set.bans.sheet.rows.clear();
    set.bans.shapes.clear();
    let free = network(&set);
    assert_eq!((bound.built.bans_applied, free.built.bans_applied), (2, 0));

    // An overpass touches nothing, though both have a vertex at its place.
    let [west, east, north, south] = [[-92.40, 15.30], [-92.38, 15.30], [-92.39, 15.31], [-92.39, 15.29]];
    assert!(milliseconds(&free, north, south).is_some());
    assert_eq!(milliseconds(&free, west, north), None);
    // One way, along the junctions and against the drawing.
    let beyond = [-92.36, 15.30];
    assert!(milliseconds(&free, west, beyond).is_some());
    assert_eq!(milliseconds(&free, beyond, east), None);
    // Turning left at the corner is banned: round by the other side.
    let [a, c, d] = [[-92.30, 15.30], [-92.29, 15.31], [-92.27, 15.30]];
    let round = milliseconds(&free, a, d).unwrap() + milliseconds(&free, d, c).unwrap();
    assert!(milliseconds(&free, a, c).unwrap() < round);
    assert!(milliseconds(&bound, a, c).unwrap().abs_diff(round) <= 2);
    // From the ferry's far side, where a road goes on; three roads in a row are banned from one side only.
    let far = [-92.24, 15.24];
    assert!(milliseconds(&free, d, far).is_some());
    assert!(milliseconds(&bound, c, far).is_some());
    assert!(milliseconds(&bound, d, far).is_none_or(|t| t > milliseconds(&free, d, far).unwrap()));
    let ferry = |loaded: &Loaded| loaded.domain.roads.iter().filter(|r| r.class.name() == "ferry").count();
    assert_eq!(ferry(&bound), 1);
    // Closed roads stay in the file and are driven by nobody.
    assert!(
        free.domain
            .roads
            .iter()
            .any(|r| r.direction.forward() == r.direction.backward() && !r.direction.forward())
    );
}

// ---- broken files -----------------------------------------------------------------------------------

#[test]
fn every_fault_of_the_roads_is_told_in_one_pass() {
    let mut set = roads::set();
    set.roads.numbers.clear();
    let usable: Vec<usize> =
        (0..roads::cases().len()).filter(|i| matches!(roads::cases()[*i].1, Fate::Kept(..))).collect();
    let mut rows = usable.into_iter();
    let mut expected: Vec<(&str, Option<u64>, Option<&str>)> = Vec::new();
    let nth = |row: usize| Some(row as u64 + 1);
    for (rule, column, value) in [
        ("M002", "ID_RED", ""),
        ("M002", "ID_RED", "N/A"),
        ("M004", "ID_RED", "12a"),
        ("M004", "ID_RED", "7.5"),
        ("M007", "ID_RED", "511"),
        ("M002", "TIPO_VIAL", ""),
        ("M006", "TIPO_VIAL", "Autopista"),
        ("M006", "CIRCULA", "Tres sentidos"),
        ("M006", "ESTATUS", "Activo"),
        ("M006", "CONDICION", "En proyecto"),
        ("M006", "COND_PAV", "Empedrado"),
        ("M004", "NIVEL", "arriba"),
        ("M005", "NIVEL", "99999999999"),
        ("M003", "VELOCIDAD", "rápido"),
        ("M003", "VELOCIDAD", "80 km/h"),
        ("M003", "VELOCIDAD", "NaN"),
        ("M003", "VELOCIDAD", "1e2"),
        ("M003", "VELOCIDAD", "+80"),
        ("M003", "VELOCIDAD", "80,5"),
        ("M005", "VELOCIDAD", "-60"),
        ("M005", "VELOCIDAD", "0"),
        ("M005", "VELOCIDAD", "1100"),
        ("M002", "UNION_INI", ""),
        ("M002", "UNION_FIN", "N/D"),
        ("M004", "UNION_INI", "x1"),
        ("S080", "UNION_INI", "999999"),
        ("S080", "UNION_FIN", "-5"),
        // The junction is there, and far away.
        ("S081", "UNION_FIN", "3001"),
    ] {
        let row = rows.next().unwrap();
        set.sheet().set(row, column, value);
        expected.push((rule, nth(row), Some(column)));
    }
    // The later of two records with one key is the one of the pair that is told.
    let later = nth(set.sheet().find(&[("ID_RED", "511")])[1]);
    expected.iter_mut().filter(|told| told.0 == "M007").for_each(|told| told.1 = later);
    for (rule, shape) in [
        ("S016", None),
        ("S016", Some("LINESTRING EMPTY")),
        ("S021", Some("POINT (-92.4 15.4)")),
        ("S021", Some("MULTILINESTRING ((-92.4 15.4,-92.41 15.4),(-92.5 15.4,-92.6 15.4))")),
        ("S021", Some("POLYGON ((-92.4 15.4,-92.41 15.4,-92.4 15.41,-92.4 15.4))")),
        ("S010", Some("LINESTRING (15.4 -92.4,15.41 -92.41)")),
        ("S009", Some("LINESTRING (2500000 600000,2500010 600010)")),
    ] {
        let row = rows.next().unwrap();
        set.roads.shapes[row] = shape.map(str::to_owned);
        expected.push((rule, nth(row), None));
    }
    // A shift of the whole end.
    let row = rows.next().unwrap();
    let moved = set.roads.shapes[row].clone().unwrap().replacen("-92.", "-92.1", 1);
    set.roads.shapes[row] = Some(moved);
    let mut two = set.clone();
    two.roads.kind = gdal::vector::OGRwkbGeometryType::wkbUnknown;
    let (table, faults) = read(geopackage(&two, System::Degrees).path(), "roads", IN_GEOPACKAGE);
    // Which of the ends it is depends on the drawing.
    let ends: Vec<Told> =
        told(&faults, "rnc.gpkg").into_iter().filter(|t| t.0 == "S081" && t.1 == nth(row)).collect();
    assert_eq!(ends.len(), 1, "{faults}");
    expected.push(("S081", nth(row), ends[0].2.as_deref()));
    assert!(expected.len() >= 30);
    assert_told(&faults, "rnc.gpkg", &expected);
    assert!(table.is_some(), "what is wrong is in rows");
}

#[test]
fn every_fault_of_the_layers_beside_the_roads_is_told_in_one_pass() {
    let mut set = roads::set();
    for layer in [&mut set.junctions, &mut set.bans, &mut set.ferries] {
        layer.numbers.clear();
    }
    let first = set.bans.sheet.rows.len() as u64 + 1;
    let ban = |values: [&str; 5]| -> Vec<String> {
        values.into_iter().chain(["N/A"; 3]).map(str::to_owned).collect()
    };
    let mut bans: Vec<(&str, Option<u64>, Option<&str>)> = Vec::new();
    for (row, (values, rule, field)) in (first..).zip([
        (["11", "3002", "511", "N/A", "512"], "M002", "ID_RED2"),
        (["12", "3002", "511", "", "N/A"], "M002", "ID_RED2"),
        (["13", "3002", "N/A", "512", "N/A"], "M002", "ID_RED1"),
        (["14", "3002", "511", "99999", "N/A"], "S084", "ID_RED2"),
        (["15", "99999", "511", "512", "N/A"], "S080", "ID_UNION"),
        (["16", "N/A", "511", "512", "N/A"], "M002", "ID_UNION"),
        (["17", "3002", "511", "quinientos", "N/A"], "M004", "ID_RED2"),
        (["", "3002", "511", "512", "N/A"], "M002", "ID_MAN"),
        (["18", "3002", "511", "512", "x"], "M004", "ID_RED3"),
    ]) {
        set.bans.push(ban(values), None);
        bans.push((rule, Some(row), Some(field)));
    }
    // A gap after the first two.
    let gap = ["19", "3002", "511", "512", "N/A", "514", "N/A", "N/A"].map(str::to_owned);
    set.bans.push(gap.into(), None);
    bans.push(("M002", Some(first + 9), Some("ID_RED3")));

    let mut junctions: Vec<(&str, Option<u64>, Option<&str>)> = Vec::new();
    let start = set.junctions.sheet.rows.len() as u64 + 1;
    for (row, (key, shape, rule, field)) in (start..).zip([
        ("3002", Some("POINT (-92.2 15.2)"), "M007", Some("ID_UNION")),
        ("", Some("POINT (-92.2 15.2)"), "M002", Some("ID_UNION")),
        ("A-1", Some("POINT (-92.2 15.2)"), "M004", Some("ID_UNION")),
        ("8001", None, "S016", None),
        ("8002", Some("POINT (15.2 -92.2)"), "S010", None),
        ("8003", Some("LINESTRING (-92.2 15.2,-92.3 15.3)"), "S021", None),
    ]) {
        set.junctions.push(vec![key.to_owned(), String::new()], shape.map(str::to_owned));
        junctions.push((rule, Some(row), field));
    }
    // The same junction twice at one place is no fault.
    let again = set.junctions.shapes[0].clone();
    set.junctions.push(set.junctions.sheet.rows[0].clone(), again);
    set.junctions.kind = gdal::vector::OGRwkbGeometryType::wkbUnknown;

    let mut ferries: Vec<(&str, Option<u64>, Option<&str>)> = Vec::new();
    let along = set.ferries.shapes[0].clone();
    for (row, (from, to, shape, rule, field)) in (2..).zip([
        ("3006", "77777", along.clone(), "S080", Some("UNION_FIN")),
        ("x", "4001", along, "M004", Some("UNION_INI")),
        ("3006", "4001", None, "S016", None),
    ]) {
        set.ferries.push(["2", "Lancha", from, to].map(str::to_owned).into(), shape);
        ferries.push((rule, Some(row), field));
    }
    let (table, faults) = read(geopackage(&set, System::Degrees).path(), "roads", IN_GEOPACKAGE);
    let of = |layer: &str| {
        Faults(faults.0.iter().filter(|f| f.place.layer.as_deref() == Some(layer)).cloned().collect())
    };
    assert_told(&of("maniobra_prohibida"), "rnc.gpkg", &bans);
    assert_told(&of("union_p"), "rnc.gpkg", &junctions);
    assert_told(&of("transbordador"), "rnc.gpkg", &ferries);
    assert_eq!(faults.0.len(), bans.len() + junctions.len() + ferries.len());
    let table = table.unwrap();
    assert_eq!(table.bans.len(), 2, "the whole ones");
}

/// A needed column ends the file, and all that are missing come at once; an optional one is a warning.
#[test]
fn columns_that_are_missing_are_told_at_once() {
    let mut set = roads::set();
    for column in ["ID_RED", "TIPO_VIAL", "CIRCULA", "UNION_INI", "UNION_FIN", "VELOCIDAD", "RECUBRI"] {
        set.roads = set.roads.without(column);
    }
    let (table, faults) = read(shapefiles(&set, System::Epsg(6372)).path(), "roads", KEYS);
    assert!(table.is_none());
    let needed =
        ["ID_RED", "TIPO_VIAL", "CIRCULA", "UNION_INI", "UNION_FIN"].map(|c| ("M001", None, Some(c)));
    let optional = ["VELOCIDAD", "RECUBRI"].map(|c| ("S082", None, Some(c)));
    assert_told(&faults, "red_vial.shp", &[needed.as_slice(), &optional].concat());

    let mut set = roads::set();
    let optional = [
        "CODIGO",
        "COND_PAV",
        "RECUBRI",
        "ESTATUS",
        "CONDICION",
        "NIVEL",
        "PEAJE",
        "ADMINISTRA",
        "JURISDI",
        "VELOCIDAD",
    ];
    for column in optional {
        set.roads = set.roads.without(column);
    }
    set.bans = set.bans.without("ID_RED4").without("ID_RED5").without("ID_RED6");
    let (table, faults) = read(shapefiles(&set, System::Epsg(6372)).path(), "roads", KEYS);
    assert_told(&faults, "red_vial.shp", &optional.map(|c| ("S082", None, Some(c))));
    assert_told(
        &faults,
        "maniobra_prohibida.dbf",
        &["ID_RED4", "ID_RED5", "ID_RED6"].map(|c| ("S082", None, Some(c))),
    );
    assert!(!faults.has_errors());
    assert_eq!(table.unwrap().bans.len(), 2);

    // Needed columns of the other layers, and a column that the study names and the file does not have.
    for (layer, column, file) in
        [("union", "ID_UNION", "union.shp"), ("maniobra_prohibida", "ID_RED1", "maniobra_prohibida.dbf")]
    {
        let mut set = roads::set();
        let at: &mut Layer = if layer == "union" { &mut set.junctions } else { &mut set.bans };
        *at = at.clone().renamed(column, "OTRA");
        let (table, faults) = read(shapefiles(&set, System::Epsg(6372)).path(), "roads", KEYS);
        assert!(table.is_none());
        assert_told(&faults, file, &[("M001", None, Some(column))]);
    }
    let dir = shapefiles(&roads::set(), System::Epsg(6372));
    let (table, faults) = read(dir.path(), "roads", &format!("{KEYS}\n[fields]\nspeed_kmh = \"VEL_MAX\""));
    assert!(table.is_none());
    assert_told(&faults, "red_vial.shp", &[("M001", None, Some("VEL_MAX"))]);
}

#[test]
fn columns_of_later_editions_are_mapped_by_the_study() {
    let mut set = roads::set();
    let expected = whole(&shapefiles(&set, System::Epsg(6372)), KEYS);
    set.roads = set.roads.renamed("VELOCIDAD", "VEL_MAX").renamed("ID_RED", "CLAVE");
    let keys = format!("{KEYS}\n[fields]\nspeed_kmh = \"vel_max\"\nid = \"CLAVE\"");
    let found = whole(&shapefiles(&set, System::Epsg(6372)), &keys);
    assert_eq!(canonical(&found), canonical(&expected));
}

#[test]
fn layers_that_are_missing_are_warnings() {
    let set = roads::set();
    let dir = tempfile::tempdir().unwrap();
    maps::write_shapefiles(dir.path(), &[&set.roads], System::Epsg(6372));
    let (table, faults) = read(dir.path(), "roads", KEYS);
    let absent = ["union, union_p", "maniobra_prohibida", "transbordador"].map(|l| ("S083", None, Some(l)));
    assert_told(&faults, "red_vial.shp", &absent);
    assert!(!faults.has_errors());
    assert!(table.unwrap().bans.is_empty());

    maps::write(
        &dir.path().join("rnc.gpkg"),
        "GPKG",
        &set.others.iter().collect::<Vec<_>>(),
        System::Degrees,
    );
    let (table, faults) = read(dir.path(), "roads", IN_GEOPACKAGE);
    assert!(table.is_none());
    assert!(faults.0.iter().any(|f| f.rule.code() == "S006" || f.rule.code() == "S007"), "{faults}");
}

/// Files that are damaged as a whole: one fault each, and which.
#[test]
fn damage_to_the_files_is_told() {
    type Damage = fn(&Path);
    let cases: [(&str, Damage, &str, &str, Option<&str>); 9] = [
        ("shx", |dir| fs::remove_file(dir.join("red_vial.shx")).unwrap(), KEYS, "red_vial.shp", Some("S006")),
        ("dbf", |dir| fs::remove_file(dir.join("red_vial.dbf")).unwrap(), KEYS, "red_vial.shp", Some("S006")),
        ("prj", |dir| fs::remove_file(dir.join("red_vial.prj")).unwrap(), KEYS, "red_vial.shp", Some("S008")),
        (
            "prj of junctions",
            |dir| fs::remove_file(dir.join("union.prj")).unwrap(),
            KEYS,
            "union.shp",
            Some("S008"),
        ),
        ("cut dbf", |dir| cut(&dir.join("red_vial.dbf")), KEYS, "red_vial.shp", Some("S006")),
        ("cut shp of junctions", |dir| cut(&dir.join("union.shp")), KEYS, "union.shp", Some("S006")),
        (
            "wrong cpg",
            |dir| fs::write(dir.join("red_vial.cpg"), "UTF-8").unwrap(),
            KEYS,
            "red_vial.shp",
            Some("S011"),
        ),
        (
            "wrong crs",
            |dir| {
                maps::set_prj(
                    dir,
                    &gdal::spatial_ref::SpatialRef::from_epsg(4326).unwrap().to_wkt().unwrap(),
                );
            },
            KEYS,
            "red_vial.shp",
            Some("S009"),
        ),
        (
            "right cpg",
            |dir| fs::write(dir.join("red_vial.cpg"), "ANSI 1252").unwrap(),
            KEYS,
            "red_vial.shp",
            None,
        ),
    ];
    let set = roads::set();
    for (name, damage, keys, file, rule) in cases {
        let dir = shapefiles(&set, System::Epsg(6372));
        damage(dir.path());
        let (_, faults) = read(dir.path(), "roads", keys);
        let codes: Vec<String> = told(&faults, file).into_iter().map(|t| t.0).collect();
        match rule {
            Some(rule) => assert!(codes.iter().any(|code| code == rule), "{name}: {faults}"),
            None => assert!(faults.0.is_empty(), "{name}: {faults}"),
        }
    }
    let dir = shapefiles(&set, System::Epsg(6372));
    for (keys, rule) in
        [("encoding = \"utf-8\"", "S011"), ("crs = \"EPSG:32615\"", "S008"), ("layer = \"vías\"", "S007")]
    {
        let (_, faults) = read(dir.path(), "roads", &format!("{KEYS}\n{keys}"));
        assert!(faults.has_errors());
        assert!(faults.0.iter().any(|fault| fault.rule.code() == rule), "{keys}: {faults}");
    }
}

/// Cuts the last third off.
fn cut(path: &Path) {
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..bytes.len() * 2 / 3]).unwrap();
}

// ---- files that lie -----------------------------------------------------------------------------------

#[test]
fn a_view_that_never_ends_is_not_run() {
    let dir = geopackage(&roads::set(), System::Epsg(6372));
    let file = rusqlite::Connection::open(dir.path().join("rnc.gpkg")).unwrap();
    file.execute_batch(
        "CREATE VIEW endless AS WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n)
             SELECT i AS fid, NULL AS geom FROM n;
         INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id)
             VALUES ('endless', 'features', 'endless', 4326);",
    )
    .unwrap();
    drop(file);
    let (table, faults) = read(dir.path(), "roads", IN_GEOPACKAGE);
    assert_told(&faults, "rnc.gpkg", &[("S036", None, None)]);
    assert!(table.is_none());
}

/// Writes a text over a field of a table of dBASE, from its right end.
fn overwrite(path: &Path, field: &str, record: usize, text: &str) {
    let mut bytes = fs::read(path).unwrap();
    let [start, stride] = [8, 10].map(|at| usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]])));
    let mut at = start + stride * record + 1;
    for descriptor in bytes[32..start].to_vec().chunks_exact(32) {
        let name = descriptor[..11].split(|byte| *byte == 0).next().unwrap();
        let length = usize::from(descriptor[16]);
        at += length;
        if name == field.as_bytes() {
            bytes[at - text.len()..at].copy_from_slice(text.as_bytes());
            fs::write(path, bytes).unwrap();
            return;
        }
    }
    panic!("no field {field}");
}

#[test]
fn a_broken_number_of_dbase_is_a_fault_and_not_its_first_digits() {
    let dir = shapefiles(&roads::set(), System::Epsg(6372));
    let table = dir.path().join("red_vial.dbf");
    overwrite(&table, "ID_RED", 0, "99O1");
    overwrite(&table, "UNION_INI", 3, "**7");
    overwrite(&table, "UNION_FIN", 4, "1-2");
    let (_, faults) = read(dir.path(), "roads", KEYS);
    assert_told(
        &faults,
        "red_vial.shp",
        &[
            ("M003", Some(1), Some("ID_RED")),
            ("M003", Some(4), Some("UNION_INI")),
            ("M003", Some(5), Some("UNION_FIN")),
        ],
    );
}

#[test]
fn a_position_that_cannot_belong_to_its_road_is_a_fault() {
    let mut set = roads::set();
    let mut rows = Vec::new();
    for (id, position) in [("501", "0 0"), ("502", "-99.1 15.3")] {
        let row = set.row(id);
        let shape = set.roads.shapes[row].as_mut().unwrap();
        *shape = shape.replacen(',', &format!(",{position},"), 1);
        rows.push(("S009", Some(row as u64 + 1), None));
    }
    let (_, faults) = read(geopackage(&set, System::Epsg(4326)).path(), "roads", IN_GEOPACKAGE);
    assert_told(&faults, "rnc.gpkg", &rows);
}

#[test]
fn a_ban_on_a_road_that_is_there_twice_holds_for_the_one_that_stays() {
    let usual = roads::set();
    let mut twice = usual.clone();
    let row = twice.row("511");
    let mut again = twice.roads.sheet.rows[row].clone();
    "999".clone_into(&mut again[twice.roads.sheet.column("ID_RED")]);
    let shape = twice.roads.shapes[row].clone();
    twice.roads.push(again, shape);
    twice.bans.sheet.set(0, "ID_RED1", "999");
    // The upper deck of one course is a road of its own.
    let mut decks = usual.clone();
    let mut upper = decks.roads.sheet.rows[row].clone();
    "998".clone_into(&mut upper[decks.roads.sheet.column("ID_RED")]);
    "1".clone_into(&mut upper[decks.roads.sheet.column("NIVEL")]);
    let shape = decks.roads.shapes[row].clone();
    decks.roads.push(upper, shape);
    let [usual, twice, decks] = [usual, twice, decks].map(|set| network(&set));
    let roads = |loaded: &Loaded| loaded.domain.roads.len();
    assert_eq!((roads(&twice), twice.built.bans_applied), (roads(&usual), usual.built.bans_applied));
    assert_eq!(roads(&decks), roads(&usual) + 1);
}

#[test]
fn a_fault_of_a_ferry_or_a_ban_names_its_layer() {
    let mut set = roads::set();
    let (again, shape) = (set.ferries.sheet.rows[0].clone(), set.ferries.shapes[0].clone());
    set.ferries.push(again, shape);
    // Both are there, but do not meet where the ban says.
    set.bans.sheet.set(0, "ID_UNION", "2001");
    let warnings = network(&set).warnings;
    let layer = |rule: &str| {
        let fault = warnings.0.iter().find(|fault| fault.rule.code() == rule);
        fault.unwrap_or_else(|| panic!("{rule}: {warnings}")).place.layer.clone()
    };
    assert_eq!(layer("M022").as_deref(), Some("transbordador"));
    assert_eq!(layer("N007").as_deref(), Some("maniobra_prohibida"));
}

#[test]
fn a_ban_may_be_filled_up_with_zeros() {
    let usual = whole(&shapefiles(&roads::set(), System::Epsg(6372)), KEYS);
    let mut set = roads::set();
    for column in ["ID_RED3", "ID_RED4", "ID_RED5", "ID_RED6"] {
        set.bans.sheet.set(0, column, "0");
    }
    let zeros = whole(&shapefiles(&set, System::Epsg(6372)), KEYS);
    assert_eq!(zeros.bans[0].roads, usual.bans[0].roads);
}
