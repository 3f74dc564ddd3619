//! INEGI, DENUE, and a tidy table of workplaces. None of the workplaces exists.

use super::{Dice, Sheet, all_places, entity_name};

pub(crate) const DENUE: [&str; 42] = [
    "id",
    "clee",
    "nom_estab",
    "raz_social",
    "codigo_act",
    "nombre_act",
    "per_ocu",
    "tipo_vial",
    "nom_vial",
    "tipo_v_e_1",
    "nom_v_e_1",
    "tipo_v_e_2",
    "nom_v_e_2",
    "tipo_v_e_3",
    "nom_v_e_3",
    "numero_ext",
    "letra_ext",
    "edificio",
    "edificio_e",
    "numero_int",
    "letra_int",
    "tipo_asent",
    "nomb_asent",
    "tipoCenCom",
    "nom_CenCom",
    "num_local",
    "cod_postal",
    "cve_ent",
    "entidad",
    "cve_mun",
    "municipio",
    "cve_loc",
    "localidad",
    "ageb",
    "manzana",
    "telefono",
    "correoelec",
    "www",
    "tipoUniEco",
    "latitud",
    "longitud",
    "fecha_alta",
];

pub(crate) const SIZES: [&str; 7] = [
    "0 a 5 personas",
    "6 a 10 personas",
    "11 a 30 personas",
    "31 a 50 personas",
    "51 a 100 personas",
    "101 a 250 personas",
    "251 y más personas",
];

pub(crate) const CLASSES: [(&str, &str); 8] = [
    ("111410", "Floricultura en invernadero"),
    ("236111", "Edificación de vivienda unifamiliar"),
    ("561310", "Agencias de colocación"),
    ("721111", "Hoteles con otros servicios integrados"),
    ("721311", "Pensiones y casas de huéspedes"),
    ("722412", "Bares, cantinas y similares"),
    ("722511", "Restaurantes con servicio de preparación de alimentos a la carta o de comida corrida"),
    ("812110", "Salones y clínicas de belleza y peluquerías"),
];

/// DENUE with `each` workplaces in every municipality, numbered from `first`.
pub(crate) fn denue(entities: &[u32], each: u32, first: u32) -> Sheet {
    let mut sheet = Sheet::new(&DENUE);
    let mut dice = Dice::new(u64::from(first));
    let mut id = first;
    for place in all_places(entities) {
        for _ in 0..each {
            let (class, activity) = *dice.pick(&CLASSES);
            let near =
                |degrees: f64, dice: &mut Dice| format!("{:.6}", degrees + 0.002 * (dice.share() - 0.5));
            // Half of them leave their contacts blank.
            let contact = |text: &str| if id.is_multiple_of(2) { text.to_owned() } else { String::new() };
            let mut row = vec![String::new(); DENUE.len()];
            for (column, value) in [
                ("id", id.to_string()),
                ("clee", format!("{}{class}{id:09}", place.cvegeo())),
                (
                    "nom_estab",
                    match id % 40 {
                        0 => format!("FONDA \"LA CEÑA\",\nSUCURSAL {id}"),
                        _ => format!("SINTÉTICO {id}"),
                    },
                ),
                ("raz_social", contact("RAZÓN SOCIAL INVENTADA SA DE CV")),
                ("codigo_act", class.to_owned()),
                ("nombre_act", activity.to_owned()),
                ("per_ocu", SIZES[usize::try_from(id).unwrap() % SIZES.len()].to_owned()),
                ("tipo_vial", "CALLE".to_owned()),
                ("nom_vial", "PRIMERA NORTE".to_owned()),
                ("numero_ext", "12".to_owned()),
                ("cod_postal", "30700".to_owned()),
                ("cve_ent", place.entity.to_string()),
                ("entidad", entity_name(place.entity).to_uppercase()),
                ("cve_mun", place.number.to_string()),
                ("municipio", place.name.clone()),
                ("cve_loc", "1".to_owned()),
                ("localidad", place.name.clone()),
                ("ageb", "0123".to_owned()),
                ("manzana", "4".to_owned()),
                ("telefono", contact("9610000000")),
                ("correoelec", contact("NADIE@EJEMPLO.MX")),
                ("www", contact("WWW.EJEMPLO.MX")),
                ("tipoUniEco", "Fijo".to_owned()),
                ("latitud", near(place.at[1], &mut dice)),
                ("longitud", near(place.at[0], &mut dice)),
                ("fecha_alta", "2019-11".to_owned()),
            ] {
                row[DENUE.iter().position(|name| *name == column).unwrap()] = value;
            }
            sheet.rows.push(row);
            id += 1;
        }
    }
    sheet
}

/// A tidy table of workplaces, some with visits and complaints.
pub(crate) fn worksites(entities: &[u32], each: u32) -> Sheet {
    let mut sheet = Sheet::new(&[
        "id",
        "clee",
        "name",
        "cvegeo",
        "scian",
        "sector",
        "size",
        "lat",
        "lon",
        "last_visit",
        "complaints",
        "synthetic",
    ]);
    let mut dice = Dice::new(21);
    for (p, place) in all_places(entities).iter().enumerate() {
        for n in 0..each {
            let (class, activity) = *dice.pick(&CLASSES);
            let visit = format!("2024-{:02}-{:02}", 1 + dice.below(12), 1 + dice.below(28));
            sheet.rows.push(vec![
                format!("W-{p}-{n}"),
                String::new(),
                format!("SINTÉTICO {p}-{n}"),
                place.cvegeo(),
                class.to_owned(),
                activity.to_owned(),
                (*dice.pick(&SIZES)).to_owned(),
                format!("{:.5}", place.at[1]),
                format!("{:.5}", place.at[0]),
                if dice.one_in(2) { visit } else { String::new() },
                if dice.one_in(3) { dice.below(4).to_string() } else { String::new() },
                "true".to_owned(),
            ]);
        }
    }
    sheet
}

/// A tidy table of counts by period and modality: in turn a number, an interval, and nothing known, for each
/// municipality; then cases without one.
pub(crate) fn counts(entities: &[u32]) -> Sheet {
    let mut sheet = Sheet::new(&[
        "cvegeo",
        "municipio",
        "period",
        "modality",
        "count",
        "count_min",
        "count_max",
        "known_by",
    ]);
    let mut dice = Dice::new(22);
    let groups = [
        ("2023", "Explotación sexual"),
        ("2023", "Trabajo forzado"),
        ("2024", "Explotación sexual"),
        ("2024", "Trabajo forzado"),
    ];
    for (p, place) in all_places(entities).iter().enumerate() {
        // By two words, the same for all rows of a municipality.
        let known_by = *dice.pick(&[["reported", "denuncia"], ["found", "hallazgo"], ["", ""]]);
        for (period, modality) in groups {
            let n = dice.below(6);
            let [count, low, high] = match p % 3 {
                0 => [n.to_string(), String::new(), String::new()],
                1 => [String::new(), n.to_string(), (n + 5).to_string()],
                _ => [const { String::new() }; 3],
            };
            let known_by = *dice.pick(&known_by);
            let texts = [place.cvegeo(), place.name.clone(), period.to_owned(), modality.to_owned()];
            sheet.rows.push([&texts[..], &[count, low, high, known_by.to_owned()]].concat());
        }
    }
    for entity in entities {
        for (number, name) in [(998, "No especificado"), (999, "Otros municipios")] {
            for (period, modality) in groups {
                let code = format!("{:05}", entity * 1_000 + number);
                let texts = [&code, name, period, modality, "1", "", "", "reported"].map(str::to_owned);
                sheet.rows.push(texts.into());
            }
        }
    }
    sheet
}
