//! The nodes of the roads: ids in order, and beside each its position and what it is to the network.
//!
//! Seventeen bytes a node, found by halving. A map of structures would take five times as much.

use std::collections::BTreeMap;

use rayon::prelude::*;

/// A way begins or ends here, or is here a second time, or several are.
const SHARED: u8 = 1;
/// No motor vehicle passes.
const BLOCKED: u8 = 2;
/// Another node stands for it.
const MERGED: u8 = 4;

/// Units of a position in a degree.
const UNITS: f64 = 1e7;

/// Longitude and latitude in units of 10⁻⁷ degrees.
pub(super) type At = [i32; 2];

/// The position of a node that the file does not have.
const NOWHERE: At = [i32::MIN; 2];

/// What came of a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Placed {
    /// It is the position now, or was before.
    Same,
    /// The node has another.
    Other,
}

/// The nodes that roads name, by index in the order of their ids.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    ids: Vec<i64>,
    marks: Vec<u8>,
    at: Vec<At>,
    /// By node that another stands for: that other.
    stands: BTreeMap<usize, usize>,
}

/// Positions by index of the node.
#[derive(Debug)]
pub(super) struct Positions(Vec<At>);

impl Positions {
    /// Sets the position of node `index`.
    pub(super) fn place(&mut self, index: usize, at: At) -> Placed {
        match self.0.get_mut(index) {
            Some(slot) if *slot != NOWHERE && *slot != at => Placed::Other,
            Some(slot) => {
                *slot = at;
                Placed::Same
            }
            None => Placed::Same,
        }
    }
}

impl Nodes {
    /// The nodes of `refs`, all ways one after the other; those that stand there twice are shared.
    pub(super) fn of(refs: &[i64]) -> Self {
        let mut ids = refs.to_vec();
        ids.par_sort_unstable();
        let marks: Vec<u8> =
            ids.chunk_by(|a, b| a == b).map(|same| if same.len() > 1 { SHARED } else { 0 }).collect();
        ids.dedup();
        ids.shrink_to_fit();
        let at = vec![NOWHERE; ids.len()];
        Self { ids, marks, at, stands: BTreeMap::new() }
    }

    /// Index of the node `id`.
    pub(super) fn find(&self, id: i64) -> Option<usize> {
        self.ids.binary_search(&id).ok()
    }

    /// How many nodes there are.
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Index of the node `id`, looked for from `from` on first, which is moved to it. Objects come in the order
    /// of their ids.
    pub(super) fn find_from(&self, from: &mut usize, id: i64) -> Option<usize> {
        let mut low = *from;
        let mut step = 1;
        if self.ids.get(low).is_none_or(|first| *first > id) {
            low = 0;
            step = self.ids.len();
        }
        while self.ids.get(low + step).is_some_and(|far| *far <= id) {
            low += step;
            step *= 2;
        }
        let window = self.ids.get(low..(low + step + 1).min(self.ids.len()))?;
        let found = window.binary_search(&id);
        *from = low + found.unwrap_or_else(|next| next);
        found.ok().map(|offset| low + offset)
    }

    /// Id of node `index`.
    pub(super) fn id(&self, index: usize) -> i64 {
        self.ids.get(index).copied().unwrap_or_default()
    }

    fn has(&self, index: usize, mark: u8) -> bool {
        self.marks.get(index).is_some_and(|marks| marks & mark != 0)
    }

    fn mark(&mut self, index: usize, mark: u8) {
        if let Some(marks) = self.marks.get_mut(index) {
            *marks |= mark;
        }
    }

    /// Lets positions be set while ids are looked up. Whoever holds it gives it back to [`Self::take`].
    pub(super) fn placing(&mut self) -> Positions {
        Positions(std::mem::take(&mut self.at))
    }

    /// Takes the positions back.
    pub(super) fn take(&mut self, positions: Positions) {
        self.at = positions.0;
    }

    /// The position of node `index`, if the file has it.
    pub(super) fn at(&self, index: usize) -> Option<At> {
        self.at.get(index).copied().filter(|at| *at != NOWHERE)
    }

    /// Marks the node `id` as one where no motor vehicle passes, if a road names it.
    pub(super) fn block(&mut self, id: i64) {
        if let Some(index) = self.find(id) {
            self.mark(index, BLOCKED);
        }
    }

    /// Whether no motor vehicle passes.
    pub(super) fn is_blocked(&self, index: usize) -> bool {
        self.has(index, BLOCKED)
    }

    /// Whether a road is cut here.
    pub(super) fn is_cut(&self, index: usize) -> bool {
        self.has(index, SHARED | BLOCKED)
    }

    /// Lets `kept` stand for `merged`, a neighbour on a road at the same position.
    pub(super) fn merge(&mut self, merged: usize, kept: usize) {
        let marks = self.marks.get(merged).copied().unwrap_or_default();
        self.mark(kept, marks & (SHARED | BLOCKED));
        self.mark(merged, MERGED);
        self.stands.insert(merged, kept);
    }

    /// The node that stands for node `index`: mostly itself.
    pub(super) fn stands(&self, index: usize) -> usize {
        if self.has(index, MERGED) { self.stands.get(&index).copied().unwrap_or(index) } else { index }
    }
}

/// A position in units from one in billionths of a degree; nothing if it is not on the globe.
pub(super) fn position(nano_lon: i64, nano_lat: i64) -> Option<At> {
    let unit = |nano: i64, most: i64| {
        let rounded = nano.checked_add(50)?.div_euclid(100);
        if rounded.abs() <= most { i32::try_from(rounded).ok() } else { None }
    };
    Some([unit(nano_lon, 1_800_000_000)?, unit(nano_lat, 900_000_000)?])
}

/// A position in degrees.
pub(super) fn degrees([lon, lat]: At) -> geo::Coord<f64> {
    geo::Coord { x: f64::from(lon) / UNITS, y: f64::from(lat) / UNITS }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_found_from_anywhere() {
        let ids: Vec<i64> = (-50..200).map(|i| i * 7).collect();
        let nodes = Nodes::of(&ids);
        for start in [0, 1, 60, 249, 250, 900] {
            for id in (-60 * 7)..(210 * 7) {
                let mut from = start;
                assert_eq!(nodes.find_from(&mut from, id), nodes.find(id), "{start} {id}");
                assert_eq!(nodes.find_from(&mut from, id), nodes.find(id), "{start} {id}");
            }
        }
        assert_eq!(Nodes::default().find_from(&mut 3, 1), None);
    }

    #[test]
    fn what_stands_twice_is_shared() {
        let nodes = Nodes::of(&[5, -3, 7, 5]);
        assert_eq!([0, 1, 2].map(|i| nodes.id(i)), [-3, 5, 7]);
        assert_eq!([0, 1, 2].map(|i| nodes.is_cut(i)), [false, true, false]);
    }

    #[test]
    fn positions_are_rounded_and_on_the_globe() {
        assert_eq!(position(-92_150_900_049, 14_679_500_050), Some([-921_509_000, 146_795_001]));
        assert_eq!(position(180_000_000_000, -90_000_000_000), Some([1_800_000_000, -900_000_000]));
        assert_eq!(position(180_000_000_100, 0), None);
        assert_eq!(position(0, 90_000_000_100), None);
        assert_eq!(position(i64::MAX, 0), None);
        assert_eq!(degrees([-921_509_000, 146_795_001]), geo::Coord { x: -92.1509, y: 14.679_500_1 });
    }
}
