//! SESNSP, incidencia delictiva municipal, incidents and victims.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::{Dice, Place, Sheet, all_places, entity_name};

const COLUMNS: [&str; 9] = [
    "Año",
    "Clave_Ent",
    "Entidad",
    "Cve. Municipio",
    "Municipio",
    "Bien jurídico afectado",
    "Tipo de delito",
    "Subtipo de delito",
    "Modalidad",
];

pub(crate) const MONTHS: [&str; 12] = [
    "Enero",
    "Febrero",
    "Marzo",
    "Abril",
    "Mayo",
    "Junio",
    "Julio",
    "Agosto",
    "Septiembre",
    "Octubre",
    "Noviembre",
    "Diciembre",
];

pub(crate) const TRAFFICKING: &str = "Trata de personas";

const SEXES: [&str; 3] = ["Hombre", "Mujer", "No identificado"];
const AGES: [&str; 4] =
    ["Menores de edad (0-17)", "Adultos (18 y más)", "No especificado", "No identificado"];

const VIOLENCE: &[&str] = &["Con violencia", "Sin violencia"];
const MEANS: &[&str] = &["Con arma de fuego", "Con arma blanca", "Con otro elemento", "No especificado"];
const TRAFFIC: &[&str] = &[
    "Con arma de fuego",
    "Con arma blanca",
    "En accidente de tránsito",
    "Con otro elemento",
    "No especificado",
];
const LIFE: &str = "La vida y la Integridad corporal";
const LIBERTY: &str = "Libertad personal";
const SEXUAL: &str = "La libertad y la seguridad sexual";
const PROPERTY: &str = "El patrimonio";
const FAMILY: &str = "La familia";
const SOCIETY: &str = "La sociedad";
const OTHER: &str = "Otros bienes jurídicos afectados (del fuero común)";

/// The catalogue since 2015: good, type, subtype, and its modalities.
const CATALOGUE: &[(&str, &str, &str, &[&str])] = &[
    (LIFE, "Homicidio", "Homicidio doloso", MEANS),
    (LIFE, "Homicidio", "Homicidio culposo", TRAFFIC),
    (LIFE, "Lesiones", "Lesiones dolosas", MEANS),
    (LIFE, "Lesiones", "Lesiones culposas", TRAFFIC),
    (LIFE, "Feminicidio", "Feminicidio", MEANS),
    (LIFE, "Aborto", "Aborto", &["Aborto"]),
    (
        LIFE,
        "Otros delitos que atentan contra la vida y la integridad corporal",
        "Otros delitos que atentan contra la vida y la integridad corporal",
        &["Otros delitos que atentan contra la vida y la integridad corporal"],
    ),
    (
        LIBERTY,
        "Secuestro",
        "Secuestro",
        &[
            "Secuestro extorsivo",
            "Secuestro con calidad de rehén",
            "Secuestro para causar daño",
            "Secuestro exprés",
            "Otro tipo de secuestros",
        ],
    ),
    (LIBERTY, "Tráfico de menores", "Tráfico de menores", &["Tráfico de menores"]),
    (LIBERTY, "Rapto", "Rapto", &["Rapto"]),
    (
        LIBERTY,
        "Otros delitos que atentan contra la libertad personal",
        "Otros delitos que atentan contra la libertad personal",
        &["Otros delitos que atentan contra la libertad personal"],
    ),
    (SEXUAL, "Abuso sexual", "Abuso sexual", &["Abuso sexual"]),
    (SEXUAL, "Acoso sexual", "Acoso sexual", &["Acoso sexual"]),
    (SEXUAL, "Hostigamiento sexual", "Hostigamiento sexual", &["Hostigamiento sexual"]),
    (SEXUAL, "Violación simple", "Violación simple", &["Violación simple"]),
    (SEXUAL, "Violación equiparada", "Violación equiparada", &["Violación equiparada"]),
    (SEXUAL, "Incesto", "Incesto", &["Incesto"]),
    (
        SEXUAL,
        "Otros delitos que atentan contra la libertad y la seguridad sexual",
        "Otros delitos que atentan contra la libertad y la seguridad sexual",
        &["Otros delitos que atentan contra la libertad y la seguridad sexual"],
    ),
    (PROPERTY, "Robo", "Robo a casa habitación", VIOLENCE),
    (
        PROPERTY,
        "Robo",
        "Robo de vehículo automotor",
        &[
            "Robo de coche de 4 ruedas Con violencia",
            "Robo de coche de 4 ruedas Sin violencia",
            "Robo de motocicleta Con violencia",
            "Robo de motocicleta Sin violencia",
            "Robo de embarcaciones pequeñas y grandes Con violencia",
            "Robo de embarcaciones pequeñas y grandes Sin violencia",
        ],
    ),
    (PROPERTY, "Robo", "Robo de autopartes", VIOLENCE),
    (PROPERTY, "Robo", "Robo a transportista", VIOLENCE),
    (PROPERTY, "Robo", "Robo a transeúnte en vía pública", VIOLENCE),
    (PROPERTY, "Robo", "Robo a transeúnte en espacio abierto al público", VIOLENCE),
    (PROPERTY, "Robo", "Robo en transporte público individual", VIOLENCE),
    (PROPERTY, "Robo", "Robo en transporte público colectivo", VIOLENCE),
    (PROPERTY, "Robo", "Robo en transporte individual", VIOLENCE),
    (PROPERTY, "Robo", "Robo a institución bancaria", VIOLENCE),
    (PROPERTY, "Robo", "Robo a negocio", VIOLENCE),
    (PROPERTY, "Robo", "Robo de ganado", VIOLENCE),
    (
        PROPERTY,
        "Robo",
        "Robo de maquinaria",
        &[
            "Robo de cables, tubos y otros objetos destinados a servicios públicos Con violencia",
            "Robo de cables, tubos y otros objetos destinados a servicios públicos Sin violencia",
            "Robo de herramienta industrial o agrícola Con violencia",
            "Robo de herramienta industrial o agrícola Sin violencia",
            "Robo de tractores Con violencia",
            "Robo de tractores Sin violencia",
        ],
    ),
    (PROPERTY, "Robo", "Otros robos", VIOLENCE),
    (PROPERTY, "Fraude", "Fraude", &["Fraude"]),
    (PROPERTY, "Abuso de confianza", "Abuso de confianza", &["Abuso de confianza"]),
    (PROPERTY, "Extorsión", "Extorsión", &["Extorsión"]),
    (PROPERTY, "Daño a la propiedad", "Daño a la propiedad", &["Daño a la propiedad"]),
    (PROPERTY, "Despojo", "Despojo", &["Despojo"]),
    (
        PROPERTY,
        "Otros delitos contra el patrimonio",
        "Otros delitos contra el patrimonio",
        &["Otros delitos contra el patrimonio"],
    ),
    (FAMILY, "Violencia familiar", "Violencia familiar", &["Violencia familiar"]),
    (
        FAMILY,
        "Violencia de género en todas sus modalidades distinta a la violencia familiar",
        "Violencia de género en todas sus modalidades distinta a la violencia familiar",
        &["Violencia de género en todas sus modalidades distinta a la violencia familiar"],
    ),
    (
        FAMILY,
        "Incumplimiento de obligaciones de asistencia familiar",
        "Incumplimiento de obligaciones de asistencia familiar",
        &["Incumplimiento de obligaciones de asistencia familiar"],
    ),
    (
        FAMILY,
        "Otros delitos contra la familia",
        "Otros delitos contra la familia",
        &["Otros delitos contra la familia"],
    ),
    (SOCIETY, "Corrupción de menores", "Corrupción de menores", &["Corrupción de menores"]),
    (SOCIETY, TRAFFICKING, TRAFFICKING, &[TRAFFICKING]),
    (
        SOCIETY,
        "Otros delitos contra la sociedad",
        "Otros delitos contra la sociedad",
        &["Otros delitos contra la sociedad"],
    ),
    (OTHER, "Narcomenudeo", "Narcomenudeo", &["Narcomenudeo"]),
    (OTHER, "Amenazas", "Amenazas", &["Amenazas"]),
    (OTHER, "Allanamiento de morada", "Allanamiento de morada", &["Allanamiento de morada"]),
    (OTHER, "Evasión de presos", "Evasión de presos", &["Evasión de presos"]),
    (OTHER, "Falsedad", "Falsedad", &["Falsedad"]),
    (OTHER, "Falsificación", "Falsificación", &["Falsificación"]),
    (OTHER, "Contra el medio ambiente", "Contra el medio ambiente", &["Contra el medio ambiente"]),
    (
        OTHER,
        "Delitos cometidos por servidores públicos",
        "Delitos cometidos por servidores públicos",
        &["Delitos cometidos por servidores públicos"],
    ),
    (OTHER, "Electorales", "Electorales", &["Electorales"]),
    (
        OTHER,
        "Otros delitos del Fuero Común",
        "Otros delitos del Fuero Común",
        &["Otros delitos del Fuero Común"],
    ),
];

/// Good, type, subtype and modality of every offence.
pub(crate) fn offences() -> Vec<[String; 4]> {
    CATALOGUE
        .iter()
        .flat_map(|(good, kind, subtype, modalities)| {
            modalities.iter().map(|modality| [*good, *kind, *subtype, *modality].map(str::to_owned))
        })
        .collect()
}

/// Which files to make.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) entities: Vec<u32>,
    pub(crate) years: RangeInclusive<u32>,
    /// Months of the last year that are published; those after it are blank.
    pub(crate) published: usize,
}

impl Plan {
    /// Chiapas and three others, 2023 and the first eight months of 2024.
    pub(crate) fn usual() -> Self {
        Self { entities: vec![7, 20, 27, 30], years: 2023..=2024, published: 8 }
    }

    /// The municipalities, and for each entity the cases of none: `998` and `999`.
    fn places(&self) -> Vec<Place> {
        let mut places = all_places(&self.entities);
        for &entity in &self.entities {
            for (number, name) in [(998, "No Especificado"), (999, "Otros Municipios")] {
                places.push(Place {
                    entity,
                    number,
                    name: name.to_owned(),
                    population: 0,
                    index: 50.0,
                    grade: "Medio",
                    at: [0.0, 0.0],
                });
            }
        }
        places
    }
}

/// Cases of trafficking by code, year and month; blank where not published. Most are zero.
pub(crate) type Cases = BTreeMap<(u32, u32), [Option<u32>; 12]>;

/// The cases of trafficking of a plan.
pub(crate) fn cases(plan: &Plan) -> Cases {
    let mut dice = Dice::new(5);
    let mut out = Cases::new();
    for place in plan.places() {
        for year in plan.years.clone() {
            let months = std::array::from_fn(|month| {
                let cases = if dice.one_in(40) { 1 + dice.below(3) } else { 0 };
                (year < *plan.years.end() || month < plan.published).then_some(cases)
            });
            out.insert((place.code(), year), months);
        }
    }
    out
}

/// The sums of an entity by five-digit code, and those without a municipality.
pub(crate) fn sums(cases: &Cases, entity: u32) -> (BTreeMap<String, u64>, u64) {
    let (mut located, mut unlocated) = (BTreeMap::new(), 0);
    for ((code, _), months) in cases.iter().filter(|((code, _), _)| code / 1_000 == entity) {
        let sum = months.iter().flatten().copied().map(u64::from).sum::<u64>();
        if code % 1_000 < 998 {
            *located.entry(format!("{code:05}")).or_insert(0) += sum;
        } else {
            unlocated += sum;
        }
    }
    (located, unlocated)
}

fn text(months: &[Option<u32>; 12]) -> impl Iterator<Item = String> {
    months.map(|cases| cases.map_or_else(String::new, |n| n.to_string())).into_iter()
}

fn head(year: u32, place: &Place, [good, kind, subtype, modality]: &[String; 4]) -> Vec<String> {
    // A line break within quotes, as some names of the published files have.
    let name = if place.number == 20 { place.name.replace(' ', "\n") } else { place.name.clone() };
    vec![
        year.to_string(),
        place.entity.to_string(),
        entity_name(place.entity).to_owned(),
        place.code().to_string(),
        name,
        good.clone(),
        kind.clone(),
        subtype.clone(),
        modality.clone(),
    ]
}

/// The header of the incidents' file.
pub(crate) fn incident_columns() -> Vec<&'static str> {
    COLUMNS.into_iter().chain(MONTHS).collect()
}

/// Hands on the records of the incidents' file one by one.
pub(crate) fn each_incident(plan: &Plan, mut take: impl FnMut(&[String])) {
    let (offences, cases) = (offences(), cases(plan));
    let mut dice = Dice::new(6);
    for year in plan.years.clone() {
        for place in plan.places() {
            for offence in &offences {
                let mut row = head(year, &place, offence);
                if offence[1] == TRAFFICKING {
                    row.extend(text(&cases[&(place.code(), year)]));
                } else {
                    let shape = cases[&(place.code(), year)];
                    let months = shape.map(|m| m.map(|_| if dice.one_in(3) { dice.below(30) } else { 0 }));
                    row.extend(text(&months));
                }
                take(&row);
            }
        }
    }
}

/// The incidents' file.
pub(crate) fn incidents(plan: &Plan) -> Sheet {
    let mut sheet = Sheet::new(&incident_columns());
    each_incident(plan, |row| sheet.rows.push(row.to_vec()));
    sheet
}

/// The victims' file, with the same cases of trafficking spread over sex and age.
pub(crate) fn victims(plan: &Plan) -> Sheet {
    let header: Vec<&str> = COLUMNS.into_iter().chain(["Sexo", "Rango de edad"]).chain(MONTHS).collect();
    let mut sheet = Sheet::new(&header);
    let with_victims = [TRAFFICKING, "Feminicidio", "Rapto", "Extorsión"];
    let offences: Vec<[String; 4]> =
        offences().into_iter().filter(|o| with_victims.contains(&o[1].as_str())).collect();
    let cases = cases(plan);
    let mut dice = Dice::new(7);
    for year in plan.years.clone() {
        for place in plan.places() {
            for offence in &offences {
                let whole = cases[&(place.code(), year)];
                let groups = SEXES.len() * AGES.len();
                let mut split = vec![whole.map(|m| m.map(|_| 0)); groups];
                for (month, cases) in whole.iter().enumerate() {
                    for _ in 0..cases.unwrap_or(0) {
                        let group = usize::try_from(dice.below(12)).unwrap();
                        split[group][month] = split[group][month].map(|n| n + 1);
                    }
                }
                for (group, months) in split.iter().enumerate() {
                    let mut row = head(year, &place, offence);
                    row.push(SEXES[group % SEXES.len()].to_owned());
                    row.push(AGES[group / SEXES.len()].to_owned());
                    row.extend(text(months));
                    sheet.rows.push(row);
                }
            }
        }
    }
    sheet
}
