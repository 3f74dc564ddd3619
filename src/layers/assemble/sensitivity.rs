//! `sensitivity`: a table without geometry, one row for each corridor and parameter.

use super::{Context, Row};
use crate::corridors::object::Corridor;
use crate::corridors::sensitivity::Sensitivity;
use crate::layers::feature::Layer;
use crate::layers::schema;

/// The indices of `corridors`, which are those that `found` is of. Indices are empty where a score does not vary.
#[must_use]
pub fn sensitivity(context: &Context<'_>, corridors: &[Corridor], found: &Sensitivity) -> Layer {
    let rows = corridors.iter().zip(&found.corridors).flat_map(|(corridor, sobol)| {
        found.factors.iter().enumerate().map(move |(i, factor)| {
            let id = format!("{}-{}", corridor.id, factor.code());
            let mut row = Row::new(&schema::SENSITIVITY, context, &id, &corridor.name);
            row.set("corridor", corridor.id.as_str());
            row.set("parameter", factor.code());
            if let Some(indices) = sobol.groups.as_ref().and_then(|groups| groups.get(i)) {
                row.spread("first", indices.first);
                row.spread("total", indices.total);
            }
            row.set("score_sd", sobol.variance.sqrt());
            row.set("n", sobol.n);
            row.build(None)
        })
    });
    Layer { def: &schema::SENSITIVITY, features: rows.collect() }
}
