//! What one audience sees of a layer: the only place where tiers are applied.
//!
//! Writers take a [`LayerView`] and never a `Layer`, so that no format can show a field that another hides.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::Value;

use super::feature::{Feature, FieldDef, Lang, Layer, LayerDef, LayerGeometry, Tier};
use super::normal;
use super::words::fill;
use crate::error::{Error, Result};

/// What every output of one result says of itself.
#[derive(Debug, Clone)]
pub struct Header {
    /// The run.
    pub run_id: String,
    /// Who may see it.
    pub audience: Tier,
    /// Language of titles, aliases and legends.
    pub lang: Lang,
    /// Name of the scenario that is in force, if any.
    pub scenario: Option<String>,
    /// Lines that every output bears.
    pub notices: Vec<String>,
}

impl Header {
    /// Title of a layer; a restricted one says so first.
    #[must_use]
    pub fn title(&self, def: &LayerDef) -> String {
        self.marked(def.title(self.lang))
    }

    /// A title that says first that what it names is restricted, if it is, and which scenario is in force, if any.
    #[must_use]
    pub fn marked(&self, title: &str) -> String {
        let title = self.named(title.to_owned(), self.lang);
        match self.audience {
            Tier::Public => title,
            Tier::Restricted => format!("{} · {title}", self.lang.pick("RESTRINGIDO", "RESTRICTED")),
        }
    }

    /// A title that says first which scenario is in force, if any.
    #[must_use]
    pub fn named(&self, title: String, lang: Lang) -> String {
        match &self.scenario {
            Some(name) => format!("{} · {title}", fill(lang, "page.scenario", &[("name", name.clone())])),
            None => title,
        }
    }
}

/// The fields and features of a layer that an audience may see, every value in its final form.
#[derive(Debug)]
pub struct LayerView<'a> {
    def: &'static LayerDef,
    fields: Vec<&'static FieldDef>,
    columns: Vec<usize>,
    features: &'a [Feature],
}

impl<'a> LayerView<'a> {
    /// The view of `audience`, or `None` if it may not see the layer at all.
    ///
    /// # Errors
    /// A feature that does not fit its definition (number and kinds of values, `id`, geometry) is a mistake of
    /// the stage that made it; it is reported as [`Error::Environment`] rather than written.
    pub fn new(layer: &'a Layer, audience: Tier) -> Result<Option<Self>> {
        let def = layer.def;
        if def.tier > audience {
            return Ok(None);
        }
        let (columns, fields): (Vec<usize>, Vec<&'static FieldDef>) =
            def.fields.iter().enumerate().filter(|(_, field)| field.tier <= audience).unzip();
        check(layer)?;
        Ok(Some(Self { def, fields, columns, features: &layer.features }))
    }

    /// Name in every format.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.def.name
    }

    /// Definition; its field list is that of all audiences, so writers use [`Self::fields`].
    #[must_use]
    pub const fn def(&self) -> &'static LayerDef {
        self.def
    }

    /// Geometry type.
    #[must_use]
    pub const fn geometry(&self) -> LayerGeometry {
        self.def.geometry
    }

    /// The fields that are seen, in order.
    #[must_use]
    pub fn fields(&self) -> &[&'static FieldDef] {
        &self.fields
    }

    /// Whether the field is seen.
    #[must_use]
    pub fn has(&self, field: &str) -> bool {
        self.fields.iter().any(|f| f.name == field)
    }

    /// Number of features.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.features.len()
    }

    /// Whether there is no feature.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.features.is_empty()
    }

    /// The features in order.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.features.iter().map(|feature| Row { view: self, feature })
    }

    /// The finite values of a numeric field, for classes; none if the field is not seen.
    #[must_use]
    pub fn numbers(&self, field: &str) -> Vec<f64> {
        let Some(i) = self.fields.iter().position(|f| f.name == field) else { return Vec::new() };
        self.rows().filter_map(|row| row.value(i).as_f64()).collect()
    }
}

/// One feature as it is seen.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    view: &'a LayerView<'a>,
    feature: &'a Feature,
}

impl<'a> Row<'a> {
    /// The text of `id`.
    #[must_use]
    pub fn id(&self) -> &'a str {
        self.feature.values.first().and_then(Value::as_str).unwrap_or_default()
    }

    /// The value of the field at `i` of [`LayerView::fields`] in its final form.
    #[must_use]
    pub fn value(&self, i: usize) -> Cow<'a, Value> {
        let (Some(field), Some(&column)) = (self.view.fields.get(i), self.view.columns.get(i)) else {
            return Cow::Owned(Value::Null);
        };
        let value = self.feature.values.get(column).unwrap_or(&Value::Null);
        normal::value(value, field.kind).unwrap_or(Cow::Owned(Value::Null))
    }

    /// The fields with their values.
    pub fn values(self) -> impl Iterator<Item = (&'static FieldDef, Cow<'a, Value>)> {
        self.view.fields.iter().enumerate().map(move |(i, field)| (*field, self.value(i)))
    }

    /// The geometry in its final form; `None` for an unlocated feature.
    #[must_use]
    pub fn geometry(&self) -> Option<geo::Geometry<f64>> {
        let geometry = self.feature.geometry.as_ref()?;
        // Types and ranges were checked when the view was made.
        normal::geometry(geometry, self.view.def.geometry).ok().flatten()
    }
}

fn check(layer: &Layer) -> Result<()> {
    let def = layer.def;
    let mut ids = BTreeSet::new();
    for (i, feature) in layer.features.iter().enumerate() {
        let wrong = |what: &str| Error::Environment(format!("layer {}, feature {i}: {what}", def.name));
        if feature.values.len() != def.fields.len() {
            return Err(wrong("values and fields differ in number"));
        }
        let id = feature.values.first().and_then(Value::as_str).filter(|id| !id.is_empty());
        if !id.is_some_and(|id| ids.insert(id)) {
            return Err(wrong("no unique id"));
        }
        for (field, value) in def.fields.iter().zip(&feature.values) {
            if normal::value(value, field.kind).is_none() {
                return Err(wrong(&format!("value of {} is not {:?}", field.name, field.kind)));
            }
        }
        if let Some(geometry) = &feature.geometry {
            normal::geometry(geometry, def.geometry).map_err(|fault| wrong(&fault.to_string()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::layers::samples;

    #[test]
    fn the_public_sees_no_restricted_layer_and_no_restricted_field() {
        const HIDDEN: [&str; 12] = [
            "count_mean",
            "count_p05",
            "count_p95",
            "demand_share",
            "recruitment",
            "search_effort",
            "by_modality",
            "by_period",
            "scenario_rate_mean",
            "scenario_rate_p05",
            "scenario_rate_p95",
            "scenario_pr_above",
        ];
        assert!(LayerView::new(&samples::roads(), Tier::Public).unwrap().is_none());
        let layer = samples::municipalities();
        let public = LayerView::new(&layer, Tier::Public).unwrap().unwrap();
        let restricted = LayerView::new(&layer, Tier::Restricted).unwrap().unwrap();
        assert!(restricted.has("count_mean") && !public.has("count_mean"));
        for (open, whole) in public.rows().zip(restricted.rows()) {
            let open: Vec<_> = open.values().map(|(f, v)| (f.name, v.into_owned())).collect();
            let mut whole: Vec<_> = whole.values().map(|(f, v)| (f.name, v.into_owned())).collect();
            whole.retain(|(name, _)| !HIDDEN.contains(name));
            // Values stay beside their names when a column in the middle is left out.
            assert_eq!(open, whole);
        }
    }

    #[test]
    fn features_that_do_not_fit_are_refused() {
        for spoil in [
            (|f: &mut Feature| f.values.truncate(3)) as fn(&mut Feature),
            |f| f.values[0] = json!(7),
            |f| f.values[0] = json!("m2"),
            |f| f.values[5] = json!("many"),
            |f| f.geometry = Some(geo::point! { x: 0.0, y: 0.0 }.into()),
        ] {
            let mut layer = samples::municipalities();
            spoil(&mut layer.features[0]);
            assert!(matches!(LayerView::new(&layer, Tier::Restricted), Err(Error::Environment(_))));
        }
    }
}
