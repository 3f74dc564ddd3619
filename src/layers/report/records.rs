//! Reading a view by the names of its fields.

use std::borrow::Cow;

use serde_json::Value;

use crate::layers::feature::{FieldDef, Lang};
use crate::layers::telling::{self, bounds};
use crate::layers::view::{LayerView, Row};

/// One feature of a view.
#[derive(Clone, Copy)]
pub(super) struct Record<'a> {
    pub view: &'a LayerView<'a>,
    pub row: Row<'a>,
}

/// The view of that name.
pub(super) fn view<'a>(views: &'a [LayerView<'a>], name: &str) -> Option<&'a LayerView<'a>> {
    views.iter().find(|view| view.name() == name)
}

/// The features of a view in their order.
pub(super) fn records<'a>(view: &'a LayerView<'a>) -> impl Iterator<Item = Record<'a>> {
    view.rows().map(move |row| Record { view, row })
}

impl<'a> Record<'a> {
    fn at(&self, field: &str) -> Option<(usize, &'static FieldDef)> {
        self.view.fields().iter().copied().enumerate().find(|(_, f)| f.name == field)
    }

    /// The value of a field; null where it is not seen.
    pub(super) fn value(&self, field: &str) -> Cow<'a, Value> {
        self.at(field).map_or(Cow::Owned(Value::Null), |(i, _)| self.row.value(i))
    }

    /// The text of a field, on one line.
    pub(super) fn text(&self, field: &str) -> String {
        self.value(field).as_str().unwrap_or_default().replace(['\n', '\r', '\t'], " ")
    }

    pub(super) fn number(&self, field: &str) -> Option<f64> {
        self.value(field).as_f64()
    }

    pub(super) fn is_true(&self, field: &str) -> bool {
        self.value(field).as_bool() == Some(true)
    }

    /// The value of a field in words; empty where there is none.
    pub(super) fn told(&self, field: &str, lang: Lang) -> String {
        self.at(field).map_or_else(String::new, |(i, def)| telling::value(def, &self.row.value(i), lang))
    }

    /// Mean, 5th and 95th percentile.
    pub(super) fn spread(&self, field: &str) -> Option<[f64; 3]> {
        let (_, def) = self.at(field)?;
        let (low, high) = bounds(def);
        Some([self.number(field)?, self.number(&low)?, self.number(&high)?])
    }

    /// A number with its interval, as it is told everywhere; the number alone where it has none.
    pub(super) fn interval(&self, field: &str, lang: Lang) -> String {
        let Some((_, def)) = self.at(field) else { return String::new() };
        self.spread(field)
            .map_or_else(|| self.told(field, lang), |spread| telling::interval(def, spread, lang))
    }
}

/// A text of at most `most` characters, cut at a word if there is one near.
pub(super) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    let at = kept.rfind(' ').filter(|at| at * 2 > kept.len()).unwrap_or(kept.len());
    kept.get(..at).unwrap_or(&kept).trim_end().to_owned() + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_at_a_word_and_short_ones_stay() {
        assert_eq!(cut("MEX-190 Uno – Dos", 40), "MEX-190 Uno – Dos");
        assert_eq!(cut("uno dos tres cuatro", 12), "uno dos…");
        assert_eq!(cut(&"ñ".repeat(30), 10), "ñ".repeat(9) + "…");
    }
}
