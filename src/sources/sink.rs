//! Where the faults of one file go, so that a file with a million broken rows does not fill the memory.

use std::collections::BTreeMap;

use crate::error::{Fault, Faults, Place, Rule, Severity};

/// Faults of one rule in one file that are kept one by one.
pub(super) const CAP: u64 = 200;

/// Collects the faults of one file.
pub(super) struct Sink<'a> {
    faults: &'a mut Faults,
    place: Place,
    counts: BTreeMap<Rule, u64>,
}

impl<'a> Sink<'a> {
    /// For `file` as the study names it.
    pub(super) fn new(faults: &'a mut Faults, file: &str) -> Self {
        Self { faults, place: Place { file: file.to_owned(), ..Place::default() }, counts: BTreeMap::new() }
    }

    /// Names the file in all faults that follow, where it turns out to be one within another.
    pub(super) fn set_file(&mut self, file: &str) {
        file.clone_into(&mut self.place.file);
    }

    /// Names the layer in all faults that follow.
    pub(super) fn set_layer(&mut self, layer: &str) {
        self.place.layer = Some(layer.to_owned());
    }

    /// Names another file and layer in the faults that follow; gives the place before, for [`Sink::leave`].
    pub(super) fn enter(&mut self, file: &str, layer: &str) -> Place {
        let place = Place { file: file.to_owned(), layer: Some(layer.to_owned()), ..Place::default() };
        std::mem::replace(&mut self.place, place)
    }

    /// Goes back to a place.
    pub(super) fn leave(&mut self, place: Place) {
        self.place = place;
    }

    /// A fault of this file, not yet pushed.
    pub(super) fn fault(&self, rule: Rule) -> Fault {
        Fault::at(rule, self.place.clone())
    }

    /// Adds a fault, or only counts it once [`CAP`] of its rule are there.
    pub(super) fn push(&mut self, fault: Fault) {
        let count = self.counts.entry(fault.rule).or_insert(0);
        *count += 1;
        if *count <= CAP {
            self.faults.push(fault);
        }
    }

    /// Adds a fault at a row.
    pub(super) fn at(&mut self, rule: Rule, row: u64) {
        let fault = self.fault(rule).row(row);
        self.push(fault);
    }

    /// How many faults of `rule` were seen.
    pub(super) fn count(&self, rule: Rule) -> u64 {
        self.counts.get(&rule).copied().unwrap_or(0)
    }

    /// Whether no error was seen yet: what only follows from one need not be told.
    pub(super) fn is_clean(&self) -> bool {
        self.counts.keys().all(|rule| rule.severity() == Severity::Warning)
    }

    /// Says of each rule that went over the cap how many faults there were, beside what the last one said.
    pub(super) fn finish(self) {
        for (rule, count) in self.counts.iter().filter(|(_, count)| **count > CAP) {
            let mut fault = Fault::at(*rule, self.place.clone());
            if let Some(last) = self.faults.0.iter().rfind(|f| f.rule == *rule) {
                fault.params.clone_from(&last.params);
            }
            self.faults.push(fault.with("count", count));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_over_the_cap_are_counted() {
        let mut faults = Faults::default();
        let mut sink = Sink::new(&mut faults, "a.csv");
        for row in 0..1000 {
            sink.at(Rule::RowRagged, row);
        }
        sink.at(Rule::GeometryEmpty, 1);
        sink.finish();
        assert_eq!(faults.0.len(), 202);
        assert_eq!(faults.0.last().unwrap().params, vec![("count", "1000".to_owned())]);
    }
}
