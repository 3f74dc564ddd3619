//! `inspect`: what a file holds, and how a study could name it.

use serde::Serialize;

use super::check::table;
use super::messages::{fill, text};
use crate::layers::feature::Lang;
use crate::sources::{Inspection, LayerFacts, Preset, find_field};

/// A way in which a study could name a layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proposal {
    /// Source of the study, such as `roads`.
    pub source: &'static str,
    /// The layer, where the file has several.
    pub layer: Option<String>,
    /// Preset, where the layout is a known one.
    pub preset: Option<&'static str>,
    /// Fields that are called otherwise in the file: the name of corredor and that of the file.
    pub fields: Vec<(&'static str, String)>,
    /// Fields that the source needs and nothing in the file looks like.
    pub missing: Vec<&'static str>,
    /// As it would stand in the study file.
    pub toml: String,
}

/// By preset: the geometry and the fields by which its layout is known.
const LAYOUTS: [(Preset, Option<&str>, &[&str]); 7] = [
    (Preset::InegiRnc, Some("line"), &["ID_RED", "UNION_INI", "UNION_FIN"]),
    (Preset::InegiMarco, Some("polygon"), &["CVEGEO", "CVE_MUN", "NOMGEO"]),
    (Preset::SesnspMunicipal, None, &["Cve. Municipio", "Tipo de delito", "Enero", "Diciembre"]),
    (Preset::InegiIter, Some("any"), &["ENTIDAD", "MUN", "LOC", "POBTOT"]),
    (Preset::ConapoImm, None, &["CVE_MUN", "IM_2020", "POB_TOT"]),
    (Preset::Denue, Some("any"), &["codigo_act", "per_ocu", "cve_mun"]),
    (Preset::InegiMarco, Some("polygon"), &["CVE_ENT", "CVE_MUN", "NOM_MUN"]),
];

/// A field of a source with the names that it may have elsewhere, itself first.
struct Known {
    key: &'static str,
    others: &'static [&'static str],
    needed: bool,
}

const fn needed(key: &'static str, others: &'static [&'static str]) -> Known {
    Known { key, others, needed: true }
}

const fn optional(key: &'static str, others: &'static [&'static str]) -> Known {
    Known { key, others, needed: false }
}

const CVEGEO: Known = needed(
    "cvegeo",
    &["cve_geo", "clave_geoestadistica", "cve_mun", "clave_mun", "cve_municipio", "clavegeo"],
);
const NAME: Known =
    needed("name", &["nombre", "nomgeo", "nom_mun", "nom_loc", "nom_estab", "municipio", "descripcion"]);
const ID: Known =
    needed("id", &["clave", "folio", "identificador", "gid", "fid", "objectid", "name", "nombre"]);

/// Sources without a preset, by geometry, the telling fields first.
const SOURCES: [(&str, &str, &[&str], &[Known]); 8] = [
    (
        "roads",
        "line",
        &[],
        &[
            needed("class", &["clase", "tipo", "tipo_vial", "fclass", "highway", "categoria", "jerarquia"]),
            optional("id", &["gid", "fid", "objectid", "clave", "osm_id"]),
            optional("ref", &["codigo", "ruta", "carretera", "num_ruta", "route", "numero"]),
            optional("surface", &["superficie", "pavimento", "recubri", "cond_pav"]),
            optional("toll", &["peaje", "cuota", "de_cuota"]),
            optional("oneway", &["sentido", "circula", "un_sentido"]),
            optional("speed_kmh", &["velocidad", "maxspeed", "vel_max", "vel_kmh", "speed"]),
            optional("length_km", &["longitud_km", "long_km", "km"]),
            optional("level", &["nivel", "layer"]),
        ],
    ),
    ("municipalities", "polygon", &[], &[CVEGEO, optional("name", NAME.others)]),
    (
        "worksites",
        "point",
        &["scian", "codigo_act", "actividad", "clase_actividad"],
        &[
            ID,
            CVEGEO,
            needed("scian", &["codigo_act", "actividad", "clase_actividad"]),
            optional("size", &["per_ocu", "tamano", "personal"]),
            optional("last_visit", &["ultima_visita", "fecha_visita", "fecha_ultima_visita"]),
            optional("complaints", &["quejas", "denuncias", "num_quejas"]),
        ],
    ),
    (
        "posts",
        "point",
        &["operator", "operador", "dependencia", "institucion"],
        &[
            ID,
            NAME,
            needed("operator", &["operador", "dependencia", "institucion"]),
            needed("purpose", &["proposito", "motivo", "funcion", "objetivo"]),
            optional("ref", &["carretera", "ruta", "codigo"]),
        ],
    ),
    (
        "crossings",
        "point",
        &["mode", "status", "estatus", "tipo_cruce", "modo"],
        &[
            ID,
            NAME,
            optional("status", &["estatus", "situacion", "tipo_cruce"]),
            optional("mode", &["modo", "medio"]),
            optional("weight", &["peso"]),
        ],
    ),
    (
        "towns",
        "point",
        &[],
        &[ID, NAME, optional("cvegeo", CVEGEO.others), optional("seat", &["cabecera", "es_cabecera"])],
    ),
    (
        "counts",
        "none",
        &["count", "casos", "victimas", "conteo", "count_min", "count_max", "minimo", "maximo"],
        &[
            CVEGEO,
            optional("count", &["casos", "victimas", "conteo", "total"]),
            optional("count_min", &["minimo", "min"]),
            optional("count_max", &["maximo", "max"]),
            optional("period", &["periodo", "anio", "año"]),
            optional("modality", &["modalidad"]),
            optional("known_by", &["conocido_por", "origen"]),
            optional("search_effort", &["esfuerzo", "operativos"]),
        ],
    ),
    (
        "population",
        "none",
        &[],
        &[
            CVEGEO,
            NAME,
            needed("population", &["poblacion", "pobtot", "pob_tot", "poblacion_2020", "habitantes"]),
            optional(
                "marginalization",
                &["marginacion", "im_2020", "indice_marginacion", "indice_marginacion_2020", "im"],
            ),
        ],
    ),
];

/// How a study could name the layers of a file.
#[must_use]
pub fn propose(found: &Inspection) -> Vec<Proposal> {
    if found.is_osm {
        return vec![proposal(found, "roads", None, Some(Preset::Osm), Vec::new(), Vec::new())];
    }
    found.layers.iter().filter_map(|layer| of_layer(found, layer)).collect()
}

fn of_layer(found: &Inspection, layer: &LayerFacts) -> Option<Proposal> {
    let names: Vec<String> = layer.fields.iter().map(|field| field.name.clone()).collect();
    let has = |name: &str| find_field(&names, name).is_some();
    let several = found.names_layer.then(|| layer.name.clone()).flatten();
    let fits = |geometry: Option<&str>| match geometry {
        Some("any") => true,
        geometry => geometry == layer.geometry,
    };
    let known = LAYOUTS
        .iter()
        .find(|(_, geometry, fields)| fits(*geometry) && fields.iter().all(|name| has(name)))
        .map(|(preset, ..)| *preset);
    if let Some(preset) = known {
        let source = preset.sources().first().copied()?;
        // The road network finds its layers by their names.
        let several = several.filter(|_| preset != Preset::InegiRnc);
        return Some(proposal(found, source, several, Some(preset), Vec::new(), Vec::new()));
    }
    let geometry = layer.geometry.unwrap_or("none");
    let (source, .., fields) = SOURCES
        .iter()
        .filter(|(_, of, ..)| *of == geometry)
        .find(|(_, _, telling, _)| telling.is_empty() || telling.iter().any(|name| has(name)))?;
    let mut mapped = Vec::new();
    let mut missing = Vec::new();
    for field in *fields {
        if has(field.key) {
            continue;
        }
        let shown = |at: usize| names.get(at).cloned();
        let fits = |at: &usize| {
            field.key != CVEGEO.key || layer.fields.get(*at).is_none_or(|field| is_whole_code(&field.values))
        };
        match field.others.iter().filter_map(|other| find_field(&names, other)).find(fits).and_then(shown) {
            Some(name) => mapped.push((field.key, name)),
            None if field.needed => missing.push(field.key),
            None => {}
        }
    }
    Some(proposal(found, source, several, None, mapped, missing))
}

/// Whether values can be codes of municipalities with their entity; those of the municipality within its entity have
/// three digits at most.
fn is_whole_code(values: &[String]) -> bool {
    values.iter().all(|value| matches!(value.len(), 4 | 5) && value.bytes().all(|byte| byte.is_ascii_digit()))
}

fn proposal(
    found: &Inspection,
    source: &'static str,
    layer: Option<String>,
    preset: Option<Preset>,
    fields: Vec<(&'static str, String)>,
    missing: Vec<&'static str>,
) -> Proposal {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let mut lines = vec![format!("[sources.{source}]"), format!("path = {}", quoted(&found.path))];
    lines.extend(found.member.as_ref().map(|member| format!("member = {}", quoted(member))));
    lines.extend(layer.as_ref().map(|layer| format!("layer = {}", quoted(layer))));
    lines.extend(preset.map(|preset| format!("preset = {}", quoted(preset.name()))));
    if !fields.is_empty() {
        let pairs: Vec<String> =
            fields.iter().map(|(key, name)| format!("{key} = {}", quoted(name))).collect();
        lines.push(format!("fields = {{ {} }}", pairs.join(", ")));
    }
    let preset = preset.map(Preset::name);
    Proposal { source, layer, preset, fields, missing, toml: lines.join("\n") }
}

/// For people: each layer with its fields and first values, and then the lines for a study file.
#[must_use]
pub fn lines(found: &Inspection, proposals: &[Proposal], lang: Lang) -> Vec<String> {
    let mut out = vec![format!("{} ({})", found.file, found.driver)];
    for layer in &found.layers {
        let extent = layer.extent.map_or_else(|| "–".to_owned(), |e| e.map(|v| format!("{v:.4}")).join(" "));
        out.push(String::new());
        out.push(fill(
            lang,
            "inspect.layer",
            &[
                ("name", layer.name.clone().unwrap_or_else(|| "–".to_owned())),
                ("records", layer.records.to_string()),
                ("geometry", text(lang, &format!("inspect.geometry.{}", layer.geometry.unwrap_or("none")))),
                ("crs", layer.crs.clone().unwrap_or_else(|| "–".to_owned())),
                ("encoding", layer.encoding.clone()),
                ("extent", extent),
            ],
        ));
        let mut rows =
            vec![["field", "kind", "values"].map(|key| text(lang, &format!("inspect.{key}"))).to_vec()];
        rows.extend(layer.fields.iter().map(|field| {
            let values = if field.hidden { text(lang, "inspect.hidden") } else { field.values.join(" | ") };
            vec![field.name.clone(), text(lang, &format!("inspect.kinds.{}", field.kind)), values]
        }));
        out.extend(table(&rows).into_iter().map(|line| format!("  {line}")));
    }
    out.push(String::new());
    if proposals.is_empty() {
        out.push(text(lang, "inspect.no_proposal"));
    } else {
        out.push(text(lang, "inspect.proposal"));
    }
    for proposal in proposals {
        out.push(String::new());
        out.push(proposal.toml.clone());
        if !proposal.missing.is_empty() {
            out.push(fill(lang, "inspect.missing", &[("fields", proposal.missing.join(", "))]));
        }
        if proposal.missing.contains(&CVEGEO.key) {
            out.push(text(lang, "inspect.join"));
        }
    }
    out
}
