//! Layers on their way out: a definition, and features whose values stand in the order of its fields.

use serde_json::Value;

pub use crate::disclosure::Tier;

/// Type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldKind {
    /// Text.
    Text,
    /// Whole number.
    Integer,
    /// Number.
    Real,
    /// True or false.
    Boolean,
    /// A JSON array or object: itself in GeoJSON, JSON text elsewhere.
    Json,
}

/// Geometry of a layer. Features may lack it; then it is null, as RFC 7946 has it for unlocated features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub enum LayerGeometry {
    /// Points.
    Point,
    /// Multi-lines.
    MultiLineString,
    /// Multi-polygons.
    MultiPolygon,
    /// None at all: a table, which is on no map.
    None,
}

/// One field of a layer: the single source for the files, the styles, the data dictionary and the JSON Schema.
#[derive(Debug, Clone, Copy)]
pub struct FieldDef {
    /// Name in every format.
    pub name: &'static str,
    /// Type.
    pub kind: FieldKind,
    /// Unit, or "" for none.
    pub unit: &'static str,
    /// Who may see it.
    pub tier: Tier,
    /// Alias in Spanish.
    pub alias_es: &'static str,
    /// Alias in English.
    pub alias_en: &'static str,
    /// What it means, in Spanish.
    pub about_es: &'static str,
    /// What it means, in English.
    pub about_en: &'static str,
}

/// One layer.
#[derive(Debug, Clone, Copy)]
pub struct LayerDef {
    /// Name in every format.
    pub name: &'static str,
    /// Geometry type.
    pub geometry: LayerGeometry,
    /// Who may see it.
    pub tier: Tier,
    /// Title in Spanish.
    pub title_es: &'static str,
    /// Title in English.
    pub title_en: &'static str,
    /// Fields in order, the four common ones first.
    pub fields: &'static [FieldDef],
}

/// One feature of a layer. `values` has one entry per field of the definition; `Value::Null` where not known.
#[derive(Debug, Clone)]
pub struct Feature {
    /// Longitude and latitude in degrees, WGS 84.
    pub geometry: Option<geo::Geometry<f64>>,
    /// One value per field; the first is the text `id`, unique and stable.
    pub values: Vec<Value>,
}

/// A layer with its features, in the order in which they are written.
#[derive(Debug, Clone)]
pub struct Layer {
    /// Definition.
    pub def: &'static LayerDef,
    /// Features.
    pub features: Vec<Feature>,
}

/// Language of what a reader sees: titles, aliases, legends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// Spanish.
    #[default]
    Es,
    /// English.
    En,
}

/// A scenario that is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scenario {
    /// Its name in the study.
    pub name: String,
    /// What it is, in a sentence of the study.
    pub title: String,
}

/// A text in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// Spanish.
    pub es: String,
    /// English.
    pub en: String,
}

impl Words {
    /// The two texts.
    pub fn new(es: impl Into<String>, en: impl Into<String>) -> Self {
        Self { es: es.into(), en: en.into() }
    }

    /// What `of` says in each language.
    pub fn both(of: impl Fn(Lang) -> Vec<String>) -> Vec<Self> {
        let [es, en] = [Lang::Es, Lang::En].map(of);
        es.into_iter().zip(en).map(|(es, en)| Self { es, en }).collect()
    }

    /// The text in `lang`.
    #[must_use]
    pub fn pick(&self, lang: Lang) -> &str {
        lang.pick(&self.es, &self.en)
    }
}

impl Lang {
    /// The one of two texts that is in this language.
    #[must_use]
    pub const fn pick<'a>(self, es: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Es => es,
            Self::En => en,
        }
    }

    /// The code of the language.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.pick("es", "en")
    }
}

impl FieldDef {
    /// Alias in `lang`.
    #[must_use]
    pub const fn alias(&self, lang: Lang) -> &'static str {
        lang.pick(self.alias_es, self.alias_en)
    }

    /// Meaning in `lang`.
    #[must_use]
    pub const fn about(&self, lang: Lang) -> &'static str {
        lang.pick(self.about_es, self.about_en)
    }
}

impl LayerDef {
    /// Title in `lang`.
    #[must_use]
    pub const fn title(&self, lang: Lang) -> &'static str {
        lang.pick(self.title_es, self.title_en)
    }
}
