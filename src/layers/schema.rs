//! Every layer and every field, once: files, styles, the data dictionary and the JSON Schema come from here.
//!
//! What holds, and is tested: the first four fields of a layer are `id`, `run_id`, `name`, `region`; names and
//! aliases are unique within a layer; every field has its meaning in Spanish and in English.

use super::feature::LayerDef;

pub mod limits;
mod network;
mod places;
mod plans;
mod sensitivity;

pub use network::{CORRIDORS, CROSSINGS, ROADS, ROADS_CHANGE};
pub use places::{DIAGNOSTICS, MUNICIPALITIES};
pub use plans::{CHECKPOINTS, WORKSITES};
pub use sensitivity::SENSITIVITY;

/// All layers, in the order in which they are written; the first lies at the bottom of a map.
pub const ALL: &[&LayerDef] = &[
    &MUNICIPALITIES,
    &ROADS,
    &ROADS_CHANGE,
    &CORRIDORS,
    &CROSSINGS,
    &CHECKPOINTS,
    &WORKSITES,
    &DIAGNOSTICS,
    &SENSITIVITY,
];

/// The layer of that name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static LayerDef> {
    ALL.iter().copied().find(|def| def.name == name)
}

/// The fields of a layer: the four common ones, then
/// `name: Kind "unit" Tier, "alias es", "alias en", "about es", "about en";`.
macro_rules! fields {
    ($tier:ident; $($name:ident: $kind:ident $unit:literal $own:ident,
        $alias_es:literal, $alias_en:literal, $about_es:literal, $about_en:literal;)+) => {
        &[
            $crate::layers::schema::field!(id: Text "" $tier, "Identificador", "Identifier",
                "Identificador único y estable dentro de la capa.", "Unique and stable within the layer."),
            $crate::layers::schema::field!(run_id: Text "" $tier, "Corrida", "Run",
                "Corrida que produjo el registro.", "Run that produced the record."),
            $crate::layers::schema::field!(name: Text "" $tier, "Nombre", "Name",
                "Nombre para mostrar en el mapa.", "Name shown on the map."),
            $crate::layers::schema::field!(region: Text "" $tier, "Región", "Region",
                "Región del estudio a la que pertenece.", "Region of the study it belongs to."),
            $($crate::layers::schema::field!($name: $kind $unit $own,
                $alias_es, $alias_en, $about_es, $about_en)),+
        ]
    };
}

/// One field.
macro_rules! field {
    ($name:ident: $kind:ident $unit:literal $tier:ident,
        $alias_es:literal, $alias_en:literal, $about_es:literal, $about_en:literal) => {
        $crate::layers::feature::FieldDef {
            name: stringify!($name),
            kind: $crate::layers::feature::FieldKind::$kind,
            unit: $unit,
            tier: $crate::layers::feature::Tier::$tier,
            alias_es: $alias_es,
            alias_en: $alias_en,
            about_es: $about_es,
            about_en: $about_en,
        }
    };
}

pub(crate) use {field, fields};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::layers::feature::Tier;

    #[test]
    fn every_layer_begins_with_the_common_fields_and_describes_all() {
        for def in ALL {
            let names: Vec<&str> = def.fields.iter().map(|f| f.name).collect();
            assert_eq!(names[..4], ["id", "run_id", "name", "region"], "{}", def.name);
            for texts in [
                names,
                def.fields.iter().map(|f| f.alias_es).collect(),
                def.fields.iter().map(|f| f.alias_en).collect(),
            ] {
                let unique: BTreeSet<String> = texts.iter().map(|t| t.to_lowercase()).collect();
                assert_eq!(unique.len(), texts.len(), "{}: {texts:?}", def.name);
            }
            for f in def.fields {
                for text in [f.alias_es, f.alias_en, f.about_es, f.about_en] {
                    assert!(!text.trim().is_empty(), "{}.{}", def.name, f.name);
                }
                assert_ne!(f.about_es, f.about_en, "{}.{}", def.name, f.name);
                assert!(f.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'));
                // `fid` and `geom` are the columns that a GeoPackage adds.
                assert!(!["fid", "geom", "lon", "lat"].contains(&f.name));
            }
            if def.tier == Tier::Restricted {
                assert!(def.fields.iter().all(|f| f.tier == Tier::Restricted), "{}", def.name);
            }
        }
    }

    #[test]
    fn layers_are_found_by_name() {
        for def in ALL {
            assert_eq!(by_name(def.name).map(|d| d.name), Some(def.name));
        }
        assert!(by_name("persons").is_none());
    }

    #[test]
    fn site_level_layers_are_restricted() {
        for def in [&ROADS, &CHECKPOINTS, &WORKSITES, &DIAGNOSTICS, &SENSITIVITY] {
            assert_eq!(def.tier, Tier::Restricted);
        }
    }
}
