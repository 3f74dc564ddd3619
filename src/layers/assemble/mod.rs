//! Results to layers: one file for each group of layers, all through [`Row`], which knows a field by name.

mod change;
mod context;
mod diagnostics;
mod network;
mod places;
mod plans;
mod sensitivity;

pub use change::roads_change;
pub use context::Context;
pub use diagnostics::diagnostics;
pub use network::{corridors, crossings, roads};
pub use places::{HotColumn, MunicipalFindings, municipalities};
pub use plans::{checkpoints, worksites};
pub use sensitivity::sensitivity;

use serde_json::{Value, json};

use super::feature::{Feature, LayerDef};

/// Values of one feature by the names of the layer's fields.
struct Row {
    def: &'static LayerDef,
    values: Vec<Value>,
}

impl Row {
    /// A row with the common fields.
    fn new(def: &'static LayerDef, context: &Context<'_>, id: &str, name: &str) -> Self {
        let mut row = Self { def, values: vec![Value::Null; def.fields.len()] };
        row.set("id", id);
        row.set("run_id", context.run_id);
        row.set("name", name);
        row.set("region", context.study.study.region.as_str());
        row
    }

    /// Sets a field. A name that the layer does not have is a mistake in this file, which its tests find.
    fn set(&mut self, name: &str, value: impl Into<Value>) {
        match self.def.fields.iter().position(|f| f.name == name) {
            Some(i) => self.values[i] = value.into(),
            None => debug_assert!(false, "{} has no field {name}", self.def.name),
        }
    }

    /// Sets the three fields `name`, `…_p05` and `…_p95`, or `mean`, `p05`, `p95` for an empty prefix.
    fn spread(&mut self, prefix: &str, [mean, p05, p95]: [f64; 3]) {
        if prefix.is_empty() {
            self.set("mean", mean);
            self.set("p05", p05);
            self.set("p95", p95);
        } else {
            self.set(prefix, mean);
            self.set(&format!("{prefix}_p05"), p05);
            self.set(&format!("{prefix}_p95"), p95);
        }
    }

    fn build(self, geometry: Option<geo::Geometry<f64>>) -> Feature {
        Feature { geometry, values: self.values }
    }
}

/// One reason: what contributes, in the reader's words, and how much.
fn reason(context: &Context<'_>, factor: &str, value: f64) -> Value {
    json!({ "factor": factor, "label": context.text(&format!("reason.{factor}")), "value": value })
}
