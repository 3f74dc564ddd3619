//! Values of the network's records.

use super::terms::{self, Term};
use crate::error::Rule;
use crate::sources::number;
use crate::sources::presets::layout::Layout;
use crate::sources::raw::Value;
use crate::sources::sink::Sink;

/// A key of a record or of a junction: a whole number, also where it is stored as text or as a real number; `None`,
/// with a fault, for anything else.
pub(super) fn key(
    layout: &Layout,
    values: &[Value],
    row: u64,
    field: usize,
    sink: &mut Sink<'_>,
) -> Option<i64> {
    let found = match layout.cell(values, field) {
        Some(Value::Integer(number)) => Ok(*number),
        _ => parse(&layout.get(values, field)),
    };
    if let Err(rule) = found {
        let fault = layout.fault(rule, row, field, &layout.get(values, field), sink);
        sink.push(fault);
    }
    found.ok()
}

fn parse(text: &str) -> Result<i64, Rule> {
    if terms::is_blank(text) {
        return Err(Rule::ValueEmpty);
    }
    number::key(text).ok_or(Rule::NotAnInteger)
}

/// What a word comes to; `None`, with a fault that lists the words, if it is none of them.
pub(super) fn term<T>(
    layout: &Layout,
    term: Term<T>,
    values: &[Value],
    row: u64,
    field: usize,
    sink: &mut Sink<'_>,
) -> Option<T> {
    match term {
        Ok(value) => Some(value),
        Err(allowed) => {
            let text = layout.get(values, field);
            let rule = if text.is_empty() { Rule::ValueEmpty } else { Rule::ValueUnknown };
            let fault = layout.fault(rule, row, field, &text, sink);
            sink.push(if text.is_empty() { fault } else { fault.with("allowed", allowed) });
            None
        }
    }
}
