//! What a selection passes over, for the message where nothing is left.

use std::collections::BTreeSet;

use super::environment::one_line;
use crate::error::Fault;

/// Values that are remembered; a message has room for few.
const MOST: usize = 12;

/// Values of records that were passed over.
#[derive(Debug, Default)]
pub(super) struct Passed(BTreeSet<String>);

impl Passed {
    /// Takes the value of a record; the first few different ones are remembered.
    pub(super) fn note(&mut self, value: &str) {
        if self.0.len() < MOST && !self.0.contains(value) {
            self.0.insert(value.to_owned());
        }
    }

    /// Adds to a fault what was asked for and what is there.
    pub(super) fn tell(&self, fault: Fault, wanted: &[String]) -> Fault {
        let found: Vec<&str> = self.0.iter().map(String::as_str).collect();
        fault.with("wanted", one_line(&wanted.join(", "))).with("allowed", one_line(&found.join(", ")))
    }
}
