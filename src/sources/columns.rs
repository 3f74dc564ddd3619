//! Which columns are refused by their names.
//!
//! The engine works on places and roads. A file with a column that describes a person is not read at all, and
//! neither is one with a column that no score may use, whatever the study would do with it.

use super::names::{squeeze, words};
use super::sink::Sink;
use super::text::hidden;
use crate::error::Rule;

/// Which columns a source may have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ColumnRules {
    /// A register of businesses: its contact columns are dropped on reading with a warning, and never stored.
    pub business_register: bool,
}

/// Words that describe a person in any name.
#[rustfmt::skip] // One word a line hides the list.
const PERSON_WORDS: &[&str] = &[
    "curp", "rfc", "ine", "ife", "telefono", "telefonos", "tel", "cel", "celular", "celulares", "phone",
    "telephone", "cellphone", "whatsapp", "telegram", "facebook", "instagram", "twitter", "tiktok",
    "correo", "correos", "correoelec", "email", "mail", "nacimiento", "birth", "birthdate", "birthday",
    "birthplace", "dob", "apellido", "apellidos", "paterno", "materno", "surname", "surnames", "placa",
    "placas", "pasaporte", "pasaportes", "passport", "apodo", "nickname", "huella", "huellas",
    "fingerprint", "fingerprints", "biometrico", "biometricos", "biometric", "biometrics", "fotografia",
    "nss", "ssn", "cedula", "cedulas",
];

/// Words of which a column of persons is called even where they are run together with others.
const PERSON_RUNS: &[&str] = &["telefono", "curp", "correo"];

/// Traits of persons: beside a place, one of them is nearly a person.
#[rustfmt::skip] // One word a line hides the list.
const TRAIT_WORDS: &[&str] = &[
    "edad", "edades", "age", "ages", "sexo", "sexos", "sex", "genero", "generos", "gender", "etario", "etaria",
    "etarios", "etarias", "mujeres", "hombres",
];

/// Whole names of the same, letters and digits only.
#[rustfmt::skip] // One word a line hides the list.
const TRAIT_NAMES: &[&str] = &[
    "grupoetario", "grupoedad", "grupodeedad", "rangoedad", "rangodeedad", "agegroup", "menores",
];

/// Whole names, letters and digits only.
#[rustfmt::skip] // One word a line hides the list.
const PERSON_NAMES: &[&str] = &[
    "nombres", "nombrecompleto", "nomcompleto", "nombrepila", "nombredepila", "nombreyapellidos",
    "firstname", "lastname", "fullname", "givenname", "givennames", "familyname", "middlename",
    "victimname", "nombrevictima", "nomvictima", "victimanombre", "fechanac", "fecnac", "fnac", "fnacimiento", "appaterno", "apmaterno", "apepat",
    "apemat", "plate", "plates", "plateno", "licenseplate", "licenceplate", "numberplate", "vehicleplate",
    "matriculavehiculo", "matriculavehicular", "domicilioparticular", "direccionparticular",
    "homeaddress", "licenciaconducir", "licenciamanejo", "driverlicense", "driverslicense",
    "drivinglicence", "cedulaprofesional", "claveelector", "movil", "mobile", "mobilenumber",
    "representantelegal", "redessociales", "redsocial",
];

/// Words that are personal only beside a word of [`WHO`] or [`GROUP`].
const PERSON_PARTS: &[&str] = &["nombre", "nom", "name", "names", "id", "folio", "clave"];

/// One person, who needs no other word to be one. The plurals (`victimas`, `victims`) name counts.
#[rustfmt::skip] // One word a line hides the list.
const WHO: &[&str] = &[
    "victima", "victim", "contacto", "contact", "propietario", "owner", "titular", "representante",
    "dueno", "responsable", "encargado", "denunciante", "imputado", "acusado", "agraviado", "ofendido",
    "tratante", "testigo", "suspect", "trafficker", "witness", "persona", "person", "trabajador",
    "worker", "empleado", "employee", "madre", "padre", "tutor", "conductor", "chofer", "driver",
    "alumno", "alumna", "menor", "quejoso", "quejosa", "solicitante", "beneficiario", "beneficiaria",
    "usuario", "usuaria", "patron",
];

/// Words of what no score may use.
#[rustfmt::skip] // One word a line hides the list.
const DENIED_WORDS: &[&str] = &[
    "nacionalidad", "nacionalidades", "nationality", "nationalities", "ciudadania", "citizenship",
    "etnia", "etnias", "etnico", "etnica", "etnicidad", "ethnicity", "ethnic", "ethnicities", "indigena",
    "indigenas", "indigenous", "lengua", "lenguas", "idioma", "idiomas", "language", "languages",
    "religion", "religiones", "religions", "religious", "religioso", "religiosa", "visa", "visas", "raza",
    "razas", "race", "races", "racial", "afrodescendiente", "afrodescendientes", "afromexicano",
    "afromexicana", "afromexicanos", "afromexicanas",
];

/// Whole names of the same.
#[rustfmt::skip] // One word a line hides the list.
const DENIED_NAMES: &[&str] = &[
    "lang", "paisorigen", "paisdeorigen", "countryoforigin", "paisnacimiento", "paisdenacimiento",
    "countryofbirth", "credo", "tonopiel", "tonodepiel", "orientacionsexual", "sexualorientation",
];

/// Pairs of words of the same.
const DENIED_PAIRS: &[(&[&str], &[&str])] = &[
    (&["color", "tono", "tone"], &["piel", "skin"]),
    (
        &["situacion", "sit", "condicion", "estatus", "estado", "calidad", "status", "documento"],
        &["migratoria", "migratorio", "migratory", "migration", "immigration", "migrant", "migrante"],
    ),
];

/// Contact columns of a business register, whole names: those of DENUE and their like in English.
#[rustfmt::skip] // One word a line hides the list.
const CONTACT_NAMES: &[&str] = &[
    "telefono", "telefonos", "phone", "telephone", "correoelec", "correoelectronico", "correo", "email",
    "www", "website", "paginaweb", "web", "razsocial", "razsoc", "razonsocial", "legalname", "companyname", "fax",
];

/// Shapefiles cut names after this many bytes.
const CUT: usize = 10;

/// Letters that a cut word must have left to be taken for the long one.
const CUT_LEAST: usize = 4;

/// The name of a column in the forms in which it is compared.
struct Name {
    /// Letters and digits only.
    whole: String,
    words: Vec<String>,
    /// Whether it is as long as a cut name, so that its end may be the beginning of another word.
    cut: bool,
}

impl Name {
    fn of(name: &str) -> Self {
        Self { whole: squeeze(name), words: words(name), cut: name.len() == CUT }
    }

    /// Whether one of the words is in the list; the last one of a cut name may be the beginning of one.
    fn has(&self, list: &[&str]) -> bool {
        let last = self.words.len().saturating_sub(1);
        self.words.iter().enumerate().any(|(i, word)| {
            let begins = |long: &&str| {
                word.len() >= CUT_LEAST && long.len() > word.len() && long.starts_with(word.as_str())
            };
            list.contains(&word.as_str()) || (self.cut && i == last && list.iter().any(begins))
        })
    }

    /// Whether the whole name is in the list.
    fn is(&self, list: &[&str]) -> bool {
        let begins = |long: &&str| self.cut && self.words.len() > 1 && long.starts_with(self.whole.as_str());
        list.contains(&self.whole.as_str()) || list.iter().any(begins)
    }

    fn pair(&self, one: &[&str], other: &[&str]) -> bool {
        self.has(one) && self.has(other)
    }

    fn is_birth(&self) -> bool {
        self.pair(&["fec", "fecha", "date", "f"], &["nac", "naci"])
    }

    /// Whether it says who a person is or how to reach them.
    fn is_of_one(&self) -> bool {
        self.is_birth()
            || self.has(PERSON_WORDS)
            || self.is(PERSON_NAMES)
            || PERSON_RUNS.iter().any(|run| self.whole.contains(run))
            || matches!(self.words.as_slice(), [who] if WHO.contains(&who.as_str()))
            || self.pair(PERSON_PARTS, WHO)
            || self.pair(&["clave", "cve", "credencial"], &["elector"])
            || self.pair(&["license", "licence", "vehicle", "number"], &["plate", "plates"])
            || self.pair(&["domicilio", "direccion"], &["particular"])
            || self.pair(&["home"], &["address"])
            || self.pair(&["seguro"], &["social"])
    }

    /// Whether it is a trait of persons, such as their age.
    fn is_trait(&self) -> bool {
        self.has(TRAIT_WORDS) || self.is(TRAIT_NAMES)
    }

    fn is_denied(&self) -> bool {
        self.has(DENIED_WORDS)
            || self.is(DENIED_NAMES)
            || DENIED_PAIRS.iter().any(|(one, other)| self.pair(one, other))
    }
}

fn classify(name: &str, rules: ColumnRules) -> Option<Rule> {
    let name = Name::of(name);
    if rules.business_register && CONTACT_NAMES.contains(&name.whole.as_str()) {
        return Some(Rule::ContactColumnDropped);
    }
    // Before the rest: what is left of `nacimiento` in a cut name could be of `nacionalidad` as well.
    if name.is_birth() {
        return Some(Rule::PersonColumn);
    }
    if name.is_denied() {
        return Some(Rule::DeniedColumn);
    }
    (name.is_of_one() || name.is_trait()).then_some(Rule::PersonColumn)
}

/// Whether a column crosses a table with a trait of persons and says no more of them, so that it may be added up over.
pub(super) fn is_trait(name: &str) -> bool {
    let name = Name::of(name);
    name.is_trait() && !name.is_of_one()
}

/// Which rule refuses a name in a value that has names itself; nothing can be dropped of such a value.
pub(super) fn refuses_nested(name: &str) -> Option<Rule> {
    classify(name, ColumnRules::default())
}

/// Words of columns that are taken and never shown: they often hold who somebody is, or what somebody wrote of them.
#[rustfmt::skip] // One word a line hides the list.
const HIDDEN_WORDS: &[&str] = &[
    "domicilio", "direccion", "address", "alias", "firma", "licencia", "denuncia", "denunciante", "comercial",
    "observacion", "observaciones", "comentario", "comentarios", "nota", "notas", "remarks", "comments",
];

/// An establishment, whose name is often that of a person.
const BUSINESS: &[&str] = &[
    "estab",
    "establecimiento",
    "unidad",
    "economica",
    "negocio",
    "empresa",
    "prop",
    "comercio",
    "business",
];

/// Whether a column describes persons or is barred from scores, so that its values are not to be shown.
pub(super) fn is_sensitive(name: &str, rules: ColumnRules) -> bool {
    let plain = Name::of(name);
    classify(name, rules).is_some()
        || plain.has(HIDDEN_WORDS)
        || plain.pair(&["nombre", "nom", "name"], BUSINESS)
        || plain.is(&["nomestab", "nombreestablecimiento"])
}

/// Looks at the names of all columns. Pushes a fault for each that is refused or dropped, and for names that
/// stand twice, and gives the indices of the columns to read; `None` if the file is refused.
pub(super) fn admit(fields: &[String], rules: ColumnRules, sink: &mut Sink<'_>) -> Option<Vec<usize>> {
    let mut kept = Vec::new();
    let mut refused = false;
    let mut seen = std::collections::HashSet::new();
    for (i, field) in fields.iter().enumerate() {
        if !field.trim().is_empty() && !seen.insert(field.trim().to_lowercase()) {
            let fault = sink.fault(Rule::ColumnTwice).field(field);
            sink.push(fault);
            refused = true;
        }
        // A character that is not seen would make another word of it.
        let plain: String = field.chars().filter(|c| !hidden(*c)).collect();
        match classify(&plain, rules) {
            None => kept.push(i),
            Some(rule) => {
                let fault = sink.fault(rule).field(field);
                refused |= fault.is_error();
                sink.push(fault);
            }
        }
    }
    (!refused).then_some(kept)
}

/// Looks at columns that are not read: a file with one that describes a person is refused all the same, since it is
/// another file than it is said to be. `known` are names, letters and digits only, that only look like one.
/// Columns that no score may use do no harm where they are not read.
pub(super) fn refuse_persons<'a>(
    fields: impl Iterator<Item = &'a String>,
    known: &[&str],
    rules: ColumnRules,
    sink: &mut Sink<'_>,
) -> bool {
    let mut refused = false;
    for field in fields.filter(|field| !known.contains(&squeeze(field).as_str())) {
        if let Some(rule @ (Rule::PersonColumn | Rule::ContactColumnDropped)) = classify(field, rules) {
            let fault = sink.fault(rule).field(field);
            refused |= fault.is_error();
            sink.push(fault);
        }
    }
    refused
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: ColumnRules = ColumnRules { business_register: false };
    const REGISTER: ColumnRules = ColumnRules { business_register: true };

    #[test]
    fn person_columns_are_refused() {
        for name in "nombres apellidos Apellido_Paterno ap_materno nombre_completo NombreCompleto first_name lastName \
            FULL_NAME victim_name victima_nombre NOM_VICTIMA NOM_VICTIM nombreVictima id_victima victim_id curp CURP_VICT \
            rfc ine clave_elector num_ine telefono Teléfono tel_contacto tel1 TELEFONO_C phone phone_number celular \
            correo correo_electronico CORREO_ELE email e_mail contact_email fecha_nacimiento fec_nac FEC_NAC FECHA_NACI \
            fechaNacimiento date_of_birth birth_date dob edad EDAD edad_victima rango_edad age age_group sexo Sexo sex \
            gender placa placas license_plate LicensePlate plates pasaporte passport_no domicilio_particular \
            domicilio-particular home_address facebook whatsapp contact_name nombre_contacto nombre_propietario \
            owner_name driver_name nombre_chofer nss responsable contacto propietario owner Responsable1 edad_cumplida \
            sexo1 Grupoetario grupo_etario victima VICTIMA nombre_de_la_menor nombre_alumno mujeres hombres Menores \
            TELEFONOCONTACTO correoe quejoso solicitante usuario cedula num_seguro_social sexo_de_la_victima"
            .split_whitespace()
        {
            assert_eq!(classify(name, PLAIN), Some(Rule::PersonColumn), "{name}");
        }
        assert_eq!(classify("Rango de edad", PLAIN), Some(Rule::PersonColumn));
        assert_eq!(classify("fecha de nacimiento", PLAIN), Some(Rule::PersonColumn));
        assert_eq!(classify("Sexo (H/M)", PLAIN), Some(Rule::PersonColumn));
    }

    #[test]
    fn traits_are_told_from_persons() {
        for name in ["Sexo", "Rango de edad", "Sexo de la víctima", "Grupo etario", "Sexo (H/M)", "GENERO"] {
            assert!(is_trait(name), "{name}");
        }
        for name in ["CURP", "nombre_victima", "edad_y_nombre_victima", "telefono", "Municipio", "victimas"] {
            assert!(!is_trait(name), "{name}");
        }
    }

    #[test]
    fn what_may_name_somebody_is_not_shown() {
        for name in [
            "nombre comercial",
            "Nombre de la unidad económica",
            "nom_estab",
            "domicilio",
            "raz_soc",
            "alias",
        ] {
            assert!(is_sensitive(name, REGISTER), "{name}");
            assert!(classify(name, PLAIN).is_none(), "{name}");
        }
        for name in ["nombre", "NOM_MUN", "nombre_act", "nom_vial", "scian", "casos"] {
            assert!(!is_sensitive(name, REGISTER), "{name}");
        }
    }

    #[test]
    fn columns_that_no_score_may_use_are_refused() {
        for name in "nacionalidad Nacionalidad_victima NACIONALID nationality etnia grupo_etnico ethnicity indigena \
            pob_indigena hablantes_lengua lengua idioma language languages religion Religión situacion_migratoria \
            SIT_MIGRAT condicionMigratoria estatus_migratorio migratory_status immigration_status visa tipo_visa raza \
            race color_piel skin_color pais_origen country_of_origin afrodescendientes lang"
            .split_whitespace()
        {
            assert_eq!(classify(name, PLAIN), Some(Rule::DeniedColumn), "{name}");
            assert_eq!(classify(name, REGISTER), Some(Rule::DeniedColumn), "{name}");
        }
    }

    #[test]
    fn ordinary_columns_raise_no_alarm() {
        for name in "nombre name NOMBRE NOMGEO NOM_ENT NOM_MUN NOM_LOC nom_estab nomb_asent tipoCenCom nom_CenCom operator \
            operador ref mode id ID_RED CVEGEO CVE_ENT CVE_MUN cve_loc ageb manzana per_ocu num_personas clee codigo_act \
            nombre_act nombre_mun tipo_vial nom_vial tipo_v_e_1 numero_ext letra_ext edificio cod_postal entidad municipio \
            localidad tipoUniEco latitud longitud fecha_alta TIPO_VIAL NOMBRE CODIGO COND_PAV RECUBRI CARRILES ESTATUS \
            CONDICION NIVEL PEAJE ADMINISTRA JURISDI CIRCULA ESCALA_VIS VELOCIDAD UNION_INI UNION_FIN LONGITUD ANCHO \
            FECHA_ACT CALIREPR highway oneway maxspeed surface toll access junction barrier lanes bridge layer count \
            count_min count_max victimas total_victimas victims num_victims period_start purpose staffed estacion_migratoria \
            POB_TOT ANALF SBASC OVSDE OVPT VHAC PL.5000 PO2SM IM_2020 GM_2020 IMN_2020 POBTOT ALTITUD population sector \
            last_visit complaints contact_type competence inclusion nacional lon lat x y fid geom passage corridor imagen \
            average coverage village stage elevation Enero Diciembre traced masculino DIST_ELECT distrito_electoral \
            trabajadores personas antiguedad propiedad tipo_propiedad secretaria POBFEM POBMAS PCDISC_MEN VPH_TELEF P_60YMAS \
            responsabilidad comercial domicilio alias"
            .split_whitespace()
        {
            assert_eq!(classify(name, PLAIN), None, "{name}");
        }
        for name in ["Año", "Cve. Municipio", "Bien jurídico afectado", "Tipo de delito", "Subtipo de delito"]
        {
            assert_eq!(classify(name, PLAIN), None, "{name}");
        }
    }

    #[test]
    fn contact_columns_of_a_business_register_are_dropped_only() {
        for name in ["telefono", "correoelec", "www", "raz_social", "Phone", "email", "razon_social"] {
            assert_eq!(classify(name, REGISTER), Some(Rule::ContactColumnDropped), "{name}");
        }
        for name in ["curp", "nombre_propietario", "tel_celular", "representante_legal"] {
            assert_eq!(classify(name, REGISTER), Some(Rule::PersonColumn), "{name}");
        }
    }
}
