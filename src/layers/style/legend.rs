//! Legends as data: conditions, sizes and symbols, from which the styles of QGIS and the map for the browser are made.

use serde_json::{Value, json};

/// A condition on the fields of a feature.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::layers) enum Test {
    /// Holds for all.
    Any,
    /// Holds where none of the others does.
    Else,
    /// Holds for none: a line of the legend alone.
    Never,
    /// The field is true.
    True(&'static str),
    /// The field is not true; `unknown` is what stands for a field that is null.
    NotTrue(&'static str, bool),
    /// The field is null.
    Null(&'static str),
    /// The field is not null.
    Known(&'static str),
    /// The field is at least so much.
    AtLeast(&'static str, f64),
    /// The field is above.
    Above(&'static str, f64),
    /// The field is below.
    Below(&'static str, f64),
    /// The field is at most so much.
    AtMost(&'static str, f64),
    /// The field is zero, or null.
    Nothing(&'static str),
    /// The field is above zero; null is not.
    Something(&'static str),
    /// The field is that text.
    Text(&'static str, &'static str),
    /// The first field less the second is above so many times the third.
    Wider([&'static str; 3], f64),
    /// It is not.
    Narrower([&'static str; 3], f64),
    /// All hold.
    All(Vec<Test>),
}

impl Test {
    /// As an expression of QGIS; `ELSE` and nothing are those of its rules.
    pub(super) fn expression(&self) -> String {
        match self {
            Self::Any => String::new(),
            Self::Else => "ELSE".into(),
            Self::Never => "false".into(),
            Self::True(field) => format!("\"{field}\""),
            Self::NotTrue(field, unknown) => format!("NOT coalesce(\"{field}\", {unknown})"),
            Self::Null(field) => format!("\"{field}\" IS NULL"),
            Self::Known(field) => format!("\"{field}\" IS NOT NULL"),
            Self::AtLeast(field, limit) => format!("\"{field}\" >= {limit}"),
            Self::Above(field, limit) => format!("\"{field}\" > {limit}"),
            Self::Below(field, limit) => format!("\"{field}\" < {limit}"),
            Self::AtMost(field, limit) => format!("\"{field}\" <= {limit}"),
            Self::Nothing(field) => format!("coalesce(\"{field}\", 0) = 0"),
            Self::Something(field) => format!("coalesce(\"{field}\", 0) > 0"),
            Self::Text(field, text) => format!("\"{field}\" = '{text}'"),
            Self::Wider([high, low, of], times) => format!("(\"{high}\" - \"{low}\") > {times} * \"{of}\""),
            Self::Narrower([high, low, of], times) => {
                format!("(\"{high}\" - \"{low}\") <= {times} * \"{of}\"")
            }
            Self::All(tests) => tests.iter().map(Self::expression).collect::<Vec<_>>().join(" AND "),
        }
    }

    /// For the browser: an array of a word and what it takes.
    pub(in crate::layers) fn json(&self) -> Value {
        match self {
            Self::Any => json!(["any"]),
            Self::Else => json!(["else"]),
            Self::Never => json!(["never"]),
            Self::True(field) => json!(["true", field]),
            Self::NotTrue(field, unknown) => json!(["not", field, unknown]),
            Self::Null(field) => json!(["null", field]),
            Self::Known(field) => json!(["known", field]),
            Self::AtLeast(field, limit) => json!([">=", field, limit]),
            Self::Above(field, limit) => json!([">", field, limit]),
            Self::Below(field, limit) => json!(["<", field, limit]),
            Self::AtMost(field, limit) => json!(["<=", field, limit]),
            Self::Nothing(field) => json!(["nothing", field]),
            Self::Something(field) => json!(["something", field]),
            Self::Text(field, text) => json!(["text", field, text]),
            Self::Wider([high, low, of], times) => json!(["wider", high, low, of, times]),
            Self::Narrower([high, low, of], times) => json!(["narrower", high, low, of, times]),
            Self::All(tests) => {
                let parts = tests.iter().map(Self::json);
                Value::Array(std::iter::once(json!("all")).chain(parts).collect())
            }
        }
    }

    /// This one and another.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Any, test) | (test, Self::Any) => test,
            (Self::All(mut tests), Self::All(more)) => {
                tests.extend(more);
                Self::All(tests)
            }
            (Self::All(mut tests), test) => {
                tests.push(test);
                Self::All(tests)
            }
            (test, Self::All(mut tests)) => {
                tests.insert(0, test);
                Self::All(tests)
            }
            (a, b) => Self::All(vec![a, b]),
        }
    }
}

/// A size by classes of a field: `sizes[0]` below the first limit and where the field is null, `sizes[1]` from there,
/// and so on.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::layers) struct Steps {
    pub(in crate::layers) field: &'static str,
    pub(in crate::layers) limits: Vec<f64>,
    pub(in crate::layers) sizes: Vec<f64>,
}

impl Steps {
    pub(super) fn new(field: &'static str, limits: &[f64], sizes: &[f64]) -> Self {
        Self { field, limits: limits.to_vec(), sizes: sizes.to_vec() }
    }

    /// As an expression of QGIS.
    pub(super) fn expression(&self) -> String {
        use std::fmt::Write as _;
        let mut out = String::from("CASE");
        for (limit, size) in self.limits.iter().zip(self.sizes.iter().skip(1)).rev() {
            // Writing to a string cannot fail.
            let _ = write!(out, " WHEN \"{}\" >= {limit} THEN {size}", self.field);
        }
        let smallest = self.sizes.first().copied().unwrap_or(1.0);
        if self.limits.is_empty() { smallest.to_string() } else { out + &format!(" ELSE {smallest} END") }
    }

    /// The size of a feature whose value of the field is `x`.
    pub(in crate::layers) fn size(&self, x: Option<f64>) -> f64 {
        let class = x.map_or(0, |x| self.limits.iter().take_while(|limit| x >= **limit).count());
        self.sizes.get(class).or(self.sizes.last()).copied().unwrap_or(1.0)
    }

    /// For the browser, with sizes as `unit` makes them.
    pub(in crate::layers) fn json(&self, unit: impl Fn(f64) -> f64) -> Value {
        let sizes: Vec<f64> = self.sizes.iter().map(|size| unit(*size)).collect();
        json!({ "field": self.field, "limits": self.limits, "sizes": sizes })
    }
}

/// What is drawn. Colours are red, green, blue and opacity from 0 to 255, sizes are millimetres.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::layers) enum Shape {
    /// A line, dashed in the lengths that `dash` gives.
    Line {
        /// Colour.
        color: String,
        /// Width.
        width: f64,
        /// Lengths of strokes and gaps, or none.
        dash: Option<&'static str>,
    },
    /// A point, by what QGIS calls its form.
    Marker {
        /// Form.
        form: &'static str,
        /// Colour.
        color: String,
        /// Diameter.
        size: f64,
    },
    /// An area.
    Fill {
        /// Colour.
        color: String,
        /// Colour of hatching over it.
        hatching: Option<&'static str>,
    },
}

impl Shape {
    pub(in crate::layers) fn color(&self) -> &str {
        match self {
            Self::Line { color, .. } | Self::Marker { color, .. } | Self::Fill { color, .. } => color,
        }
    }
}

/// How a feature is drawn.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::layers) struct Symbol {
    pub(in crate::layers) shape: Shape,
    /// Width or diameter, where it is not that of the shape.
    pub(in crate::layers) size: Option<Steps>,
    /// Opacity in per cent.
    pub(in crate::layers) opacity: Option<Steps>,
}

impl Symbol {
    pub(super) fn sized(mut self, size: Steps) -> Self {
        self.size = Some(size);
        self
    }
}

pub(super) fn line(color: &str, width: f64) -> Symbol {
    Shape::Line { color: color.to_owned(), width, dash: None }.into()
}

pub(super) fn dashed(color: &str, width: f64, dash: &'static str) -> Symbol {
    Shape::Line { color: color.to_owned(), width, dash: Some(dash) }.into()
}

pub(super) fn marker(form: &'static str, color: &str, size: f64) -> Symbol {
    Shape::Marker { form, color: color.to_owned(), size }.into()
}

pub(super) fn fill(color: &str) -> Symbol {
    Shape::Fill { color: color.to_owned(), hatching: None }.into()
}

/// A pale fill with hatching over it, for a value that is known only within bounds.
pub(super) fn hatched(color: &str, lines: &'static str) -> Symbol {
    Shape::Fill { color: color.to_owned(), hatching: Some(lines) }.into()
}

impl From<Shape> for Symbol {
    fn from(shape: Shape) -> Self {
        Self { shape, size: None, opacity: None }
    }
}

/// One rule, and one line of the legend.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::layers) struct Rule {
    pub(in crate::layers) test: Test,
    pub(in crate::layers) label: String,
    pub(in crate::layers) symbol: Symbol,
}

pub(super) fn rule(test: Test, label: impl Into<String>, symbol: Symbol) -> Rule {
    Rule { test, label: label.into(), symbol }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_take_the_highest_limit_first() {
        assert_eq!(
            Steps::new("mean", &[0.000_01, 0.5], &[0.2, 1.0, 2.0]).expression(),
            "CASE WHEN \"mean\" >= 0.5 THEN 2 WHEN \"mean\" >= 0.00001 THEN 1 ELSE 0.2 END"
        );
        assert_eq!(Steps::new("mean", &[], &[0.2, 1.0]).expression(), "0.2");
    }

    #[test]
    fn conditions_read_alike_in_both_languages() {
        let test =
            Test::NotTrue("closed", false).and(Test::AtLeast("lift", 0.5)).and(Test::Below("lift", 0.8));
        assert_eq!(
            test.expression(),
            "NOT coalesce(\"closed\", false) AND \"lift\" >= 0.5 AND \"lift\" < 0.8"
        );
        assert_eq!(
            test.json().to_string(),
            r#"["all",["not","closed",false],[">=","lift",0.5],["<","lift",0.8]]"#
        );
        assert_eq!(Test::Any.and(Test::Else), Test::Else);
    }
}
