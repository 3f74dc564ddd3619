//! Red Nacional de Caminos: a small network in which every word of every field stands once, with junctions, turn bans, a
//! ferry, an overpass, and layers that nobody reads.

use super::Sheet;
use super::maps::{Layer, Shape};

/// Columns of `red_vial`.
pub(crate) const COLUMNS: [&str; 22] = [
    "ID_RED",
    "TIPO_VIAL",
    "NOMBRE",
    "CODIGO",
    "COND_PAV",
    "RECUBRI",
    "CARRILES",
    "ESTATUS",
    "CONDICION",
    "NIVEL",
    "PEAJE",
    "ADMINISTRA",
    "JURISDI",
    "CIRCULA",
    "ESCALA_VIS",
    "VELOCIDAD",
    "UNION_INI",
    "UNION_FIN",
    "LONGITUD",
    "ANCHO",
    "FECHA_ACT",
    "CALIREPR",
];
const NUMBERS: [&str; 5] = ["ID_RED", "NIVEL", "ESCALA_VIS", "UNION_INI", "UNION_FIN"];

/// What is to become of a record: class, surface, toll, direction and speed; or why it is left out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fate {
    Kept(&'static str, &'static str, bool, &'static str, f64),
    Left(&'static str),
}
use Fate::{Kept, Left};

/// `TIPO_VIAL` with the speeds on concrete, asphalt, gravel, earth and another cover; none for what vehicles do not use.
pub(crate) const TYPES: [(&str, Option<[f64; 5]>); 29] = {
    const HIGHWAY: Option<[f64; 5]> = Some([80.0, 70.0, 35.0, 25.0, 50.0]);
    const RING: Option<[f64; 5]> = Some([60.0, 60.0, 30.0, 20.0, 50.0]);
    const AVENUE: Option<[f64; 5]> = Some([45.0, 45.0, 25.0, 20.0, 40.0]);
    const RAMP: Option<[f64; 5]> = Some([40.0, 40.0, 25.0, 20.0, 35.0]);
    const STREET: Option<[f64; 5]> = Some([25.0, 25.0, 20.0, 15.0, 20.0]);
    const TRACK: Option<[f64; 5]> = Some([40.0, 40.0, 25.0, 20.0, 20.0]);
    [
        ("Periférico", RING),
        ("Calle", STREET),
        ("Avenida", AVENUE),
        ("Circuito", RING),
        ("Viaducto", RING),
        ("Calzada", AVENUE),
        ("Eje vial", AVENUE),
        ("Enlace", RAMP),
        ("Retorno U", RAMP),
        ("Boulevard", AVENUE),
        ("Carretera", HIGHWAY),
        ("Privada", STREET),
        ("Retorno", RAMP),
        ("Prolongación", STREET),
        ("Corredor", RING),
        ("Callejón", STREET),
        ("Glorieta", RAMP),
        ("Camino", TRACK),
        ("Cerrada", STREET),
        ("Otro", STREET),
        ("Andador", None),
        ("Vereda", None),
        ("Diagonal", AVENUE),
        ("Rampa de frenado", None),
        ("Peatonal", None),
        ("Continuación", STREET),
        ("Ampliación", STREET),
        ("Circunvalación", RING),
        ("Pasaje", STREET),
    ]
};
pub(crate) const COVERS: [&str; 5] = ["Concreto", "Asfalto", "Grava", "Tierra", "Empedrado"];

/// A record that differs from the usual one in some columns, and what is to become of it.
type Case = (Vec<(&'static str, &'static str)>, Fate);

/// Every word of every field.
pub(crate) fn cases() -> Vec<Case> {
    let usual = |speed| Kept("federal", "paved", false, "both", speed);
    let mut out: Vec<Case> = Vec::new();
    for (kind, speeds) in TYPES {
        for (i, cover) in COVERS.into_iter().enumerate() {
            out.push((
                vec![("TIPO_VIAL", kind), ("RECUBRI", cover)],
                speeds.map_or(Left("not_for_vehicles"), |speeds| usual(speeds[i])),
            ));
        }
    }
    let surface = |paving, cover, kind, surface, speed| -> Case {
        (
            vec![("COND_PAV", paving), ("RECUBRI", cover), ("TIPO_VIAL", kind)],
            Kept("federal", surface, false, "both", speed),
        )
    };
    out.extend([
        surface("Con pavimento", "Tierra", "Carretera", "paved", 25.0),
        surface("Sin pavimento", "Asfalto", "Carretera", "unpaved", 70.0),
        surface("N/A", "Concreto", "Carretera", "paved", 80.0),
        surface("N/A", "Grava", "Carretera", "unpaved", 35.0),
        surface("N/D", "Adoquín", "Calle", "paved", 20.0),
        surface("N/A", "N/A", "Carretera", "paved", 50.0),
        surface("N/A", "N/A", "Camino", "unpaved", 20.0),
        surface("", "", "Camino", "unpaved", 20.0),
    ]);
    for (words, fate) in [
        (vec![("ESTATUS", "Deshabilitado")], Left("disabled")),
        (vec![("ESTATUS", "N/A")], usual(70.0)),
        (vec![("CONDICION", "En construcción - abierto")], usual(70.0)),
        (vec![("CONDICION", "En construcción - cerrado")], Left("under_construction")),
        (vec![("CONDICION", "N/A")], usual(70.0)),
        // A road that is both is counted once, as the first of them.
        (vec![("ESTATUS", "Deshabilitado"), ("CONDICION", "En construcción - cerrado")], Left("disabled")),
        (vec![("TIPO_VIAL", "Vereda"), ("ESTATUS", "Deshabilitado")], Left("not_for_vehicles")),
        (vec![("CIRCULA", "Un sentido")], Kept("federal", "paved", false, "forward", 70.0)),
        (vec![("CIRCULA", "Cerrada en ambos sentidos")], Kept("federal", "paved", false, "closed", 70.0)),
        (vec![("CIRCULA", "N/A")], usual(70.0)),
        (vec![("CIRCULA", "N/D")], usual(70.0)),
        (vec![("PEAJE", "Si")], Kept("toll", "paved", true, "both", 70.0)),
        (vec![("PEAJE", "Sí"), ("ADMINISTRA", "Estatal")], Kept("toll", "paved", true, "both", 70.0)),
        (vec![("PEAJE", "N/A")], usual(70.0)),
        (vec![("ADMINISTRA", "Estatal")], Kept("state", "paved", false, "both", 70.0)),
        (vec![("ADMINISTRA", "Municipal")], Kept("local", "paved", false, "both", 70.0)),
        (vec![("ADMINISTRA", "Particular")], Kept("local", "paved", false, "both", 70.0)),
        (vec![("ADMINISTRA", "CAPUFE")], usual(70.0)),
        (vec![("ADMINISTRA", "N/A"), ("JURISDI", "Estatal")], Kept("state", "paved", false, "both", 70.0)),
        (vec![("ADMINISTRA", "N/A"), ("JURISDI", "N/A")], Kept("local", "paved", false, "both", 70.0)),
        (vec![("VELOCIDAD", "110")], usual(110.0)),
        (vec![("VELOCIDAD", "60.5")], usual(60.5)),
        (vec![("VELOCIDAD", "N/D")], usual(70.0)),
        (vec![("VELOCIDAD", "")], usual(70.0)),
        (vec![("CODIGO", "N/A"), ("NOMBRE", "N/D"), ("CARRILES", "N/A"), ("ANCHO", "N/A")], usual(70.0)),
        (vec![("NIVEL", "-1")], usual(70.0)),
        (vec![("NIVEL", "")], usual(70.0)),
    ] {
        out.push((words, fate));
    }
    out
}

/// The file as layers, in the order of the offices.
#[derive(Debug, Clone)]
pub(crate) struct Set {
    pub(crate) roads: Layer,
    pub(crate) junctions: Layer,
    pub(crate) bans: Layer,
    pub(crate) ferries: Layer,
    pub(crate) others: Vec<Layer>,
}

/// Key and position of the first junction of the cases; the next ones follow to the east, then in the next row.
pub(crate) const FIRST: u32 = 1_000;

fn at(key: u32) -> [f64; 2] {
    let named = [
        (2_001, [-92.40, 15.30]),
        (2_002, [-92.38, 15.30]),
        (2_003, [-92.39, 15.31]),
        (2_004, [-92.39, 15.29]),
        (2_005, [-92.36, 15.30]),
        (3_001, [-92.30, 15.30]),
        (3_002, [-92.30, 15.31]),
        (3_003, [-92.29, 15.31]),
        (3_004, [-92.27, 15.30]),
        (3_005, [-92.28, 15.33]),
        (3_006, [-92.27, 15.34]),
        (4_001, [-92.25, 15.25]),
        (4_002, [-92.24, 15.24]),
        (2_006, [-92.375, 15.28]),
        (3_007, [-92.31, 15.29]),
        (3_008, [-92.26, 15.29]),
    ];
    named.into_iter().find(|(k, _)| *k == key).map_or_else(
        || {
            let (column, row) = ((key - FIRST) % 50, (key - FIRST) / 50);
            [-92.5 + 0.005 * f64::from(column), 15.5 + 0.01 * f64::from(row)]
        },
        |(_, place)| place,
    )
}

#[expect(clippy::unnecessary_wraps, reason = "a record may have no shape")]
fn line(keys: &[[f64; 2]]) -> Shape {
    let points: Vec<String> = keys.iter().map(|[x, y]| format!("{x:.9} {y:.9}")).collect();
    Some(format!("LINESTRING ({})", points.join(",")))
}

#[expect(clippy::unnecessary_wraps, reason = "a record may have no shape")]
fn point(key: u32) -> Shape {
    let [x, y] = at(key);
    Some(format!("POINT ({x:.9} {y:.9})"))
}

/// A record of `red_vial`.
fn record(id: u32, ends: [u32; 2], words: &[(&str, &str)]) -> Vec<String> {
    let word = |column: &str| -> String {
        if let Some((_, value)) = words.iter().find(|(name, _)| *name == column) {
            return (*value).to_owned();
        }
        match column {
            "ID_RED" => id.to_string(),
            "UNION_INI" => ends[0].to_string(),
            "UNION_FIN" => ends[1].to_string(),
            "NOMBRE" => format!("Unión Juárez – Cañada {id}"),
            "LONGITUD" => "540.25".to_owned(),
            _ => match column {
                "TIPO_VIAL" => "Carretera",
                "CODIGO" => "MEX-200",
                "COND_PAV" => "Con pavimento",
                "RECUBRI" => "Asfalto",
                "CARRILES" => "2",
                "ESTATUS" => "Habilitado",
                "CONDICION" => "En operación",
                "NIVEL" => "0",
                "PEAJE" => "No",
                "ADMINISTRA" | "JURISDI" => "Federal",
                "CIRCULA" => "Dos sentidos",
                "ESCALA_VIS" => "3",
                "VELOCIDAD" => "N/A",
                "ANCHO" => "7.0",
                "FECHA_ACT" => "2023-05-01",
                _ => "1",
            }
            .to_owned(),
        }
    };
    COLUMNS.into_iter().map(word).collect()
}

/// The network. Odd cases are drawn against the order of their junctions.
pub(crate) fn set() -> Set {
    let mut roads = Layer::lines("red_vial", &COLUMNS, &NUMBERS);
    let mut keys = std::collections::BTreeSet::new();
    let mut add = |id: u32, ends: [u32; 2], shape: Shape, words: &[(&str, &str)]| {
        keys.extend(ends);
        roads.push(record(id, ends, words), shape);
    };
    for ((words, _), i) in cases().iter().zip(0..) {
        let ends = [FIRST + i, FIRST + i + 1];
        let [a, b] = ends.map(at);
        // No two of them meet but at their ends.
        let middle = [f64::midpoint(a[0], b[0]) + 0.000_123, f64::midpoint(a[1], b[1]) + 0.001_234_567];
        let along = if i % 2 == 0 { [a, middle, b] } else { [b, middle, a] };
        add(i + 1, ends, line(&along), words);
    }
    let over = [-92.39, 15.30];
    add(501, [2_001, 2_002], line(&[at(2_001), over, at(2_002)]), &[]);
    add(502, [2_003, 2_004], line(&[at(2_003), over, at(2_004)]), &[("NIVEL", "1")]);
    add(503, [2_002, 2_005], line(&[at(2_005), at(2_002)]), &[("CIRCULA", "Un sentido")]);
    for (id, ends) in [
        (511, [3_001, 3_002]),
        (512, [3_002, 3_003]),
        (513, [3_001, 3_004]),
        (514, [3_004, 3_003]),
        (515, [3_003, 3_005]),
        (516, [3_005, 3_006]),
        // Without these there would be no choice, and no junction, at some corners.
        (504, [2_002, 2_006]),
        (517, [3_001, 3_007]),
        (518, [3_004, 3_008]),
        (521, [4_001, 4_002]),
    ] {
        add(id, ends, line(&ends.map(at)), &[]);
    }
    let mut junctions = Layer::points("union", &["ID_UNION", "TIPO_UNION"], &["ID_UNION"]);
    for key in keys {
        junctions.push(vec![key.to_string(), "Unión a nivel".to_owned()], point(key));
    }
    let columns = ["ID_MAN", "ID_UNION", "ID_RED1", "ID_RED2", "ID_RED3", "ID_RED4", "ID_RED5", "ID_RED6"];
    let mut bans = Layer::table("maniobra_prohibida", &columns, &["ID_MAN", "ID_UNION"]);
    for row in [
        ["1", "3002", "511", "512", "N/A", "N/A", "N/A", "N/A"],
        ["2", "3003", "514", "515", "516", "N/A", "N/A", "N/A"],
    ] {
        bans.push(row.map(str::to_owned).into(), None);
    }
    let mut ferries = Layer::lines(
        "transbordador",
        &["ID_TRANS", "NOMBRE", "UNION_INI", "UNION_FIN"],
        &["UNION_INI", "UNION_FIN"],
    );
    ferries.push(["1", "Lancha", "3006", "4001"].map(str::to_owned).into(), line(&[at(3_006), at(4_001)]));
    let mut towns = Layer::points("localidad", &["CVEGEO", "NOMBRE"], &[]);
    towns.push(["070010001", "Acacoyagua"].map(str::to_owned).into(), point(3_001));
    let mut booths = Layer::points("plaza_cobro", &["ID_PLAZA", "NOMBRE"], &[]);
    booths.push(["1", "Caseta Ñandú"].map(str::to_owned).into(), point(3_003));
    Set { roads, junctions, bans, ferries, others: vec![towns, booths] }
}

impl Set {
    /// The record of a road.
    pub(crate) fn row(&self, id: &str) -> usize {
        self.roads.sheet.find(&[("ID_RED", id)])[0]
    }

    pub(crate) fn sheet(&mut self) -> &mut Sheet {
        &mut self.roads.sheet
    }

    pub(crate) fn layers(&self) -> Vec<&Layer> {
        [&self.roads, &self.junctions, &self.bans, &self.ferries].into_iter().chain(&self.others).collect()
    }
}
