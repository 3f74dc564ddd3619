//! Why a record was left out.

use std::collections::BTreeMap;

macro_rules! reasons {
    ($( $(#[$doc:meta])* $name:ident = $key:literal ),+ $(,)?) => {
        /// Reasons for which records, or parts of them, are left out by rule.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(super) enum Reason { $( $(#[$doc])* $name ),+ }

        impl Reason {
            /// Every reason.
            #[cfg(test)]
            pub(super) const ALL: &'static [Self] = &[$( Self::$name ),+];

            /// The key in the provenance; its text stands in `locales/` under `drop.`.
            pub(super) const fn key(self) -> &'static str {
                match self { $( Self::$name => $key ),+ }
            }
        }
    };
}

reasons! {
    /// A way for other traffic, such as `footway`, or a value of `highway` that is not known.
    OtherHighway = "osm_other_highway",
    /// Planned, under construction, or no more.
    Unbuilt = "osm_unbuilt",
    /// A square or a yard.
    Area = "osm_area",
    /// Not open to motor vehicles, or not to all.
    Access = "osm_access",
    /// A track or a service way that no other road reaches.
    Unreached = "osm_unreached",
    /// A way of fewer than two nodes that are there.
    Short = "osm_short",
    /// A way that does not meet the box of the study; rows that do not are added to it later.
    OutsideBox = "outside_bbox",
    /// The same way once more.
    Repeated = "osm_repeated",
    /// A mention of a node that the file does not have: the road is cut there.
    NodeMissing = "osm_node_missing",
    /// A stretch between two nodes of the same position.
    NoLength = "osm_no_length",
    /// A restriction at certain times only.
    RestrictionTimed = "osm_restriction_timed",
    /// A restriction that does not hold for motorcars.
    RestrictionOther = "osm_restriction_other",
    /// A restriction of a kind that bans no turn by itself.
    RestrictionKind = "osm_restriction_kind",
    /// A restriction whose members are not as its kind needs.
    RestrictionMembers = "osm_restriction_members",
    /// A restriction of roads that are not read, or not in the file.
    RestrictionAbsent = "osm_restriction_absent",
    /// A restriction whose roads do not meet as it says.
    RestrictionApart = "osm_restriction_apart",
}

/// How often, by reason.
#[derive(Debug, Clone, Default)]
pub(super) struct Dropped(BTreeMap<Reason, u64>);

impl Dropped {
    /// Counts one.
    pub(super) fn add(&mut self, reason: Reason) {
        self.add_all(reason, 1);
    }

    /// Counts several.
    pub(super) fn add_all(&mut self, reason: Reason, count: u64) {
        if count > 0 {
            *self.0.entry(reason).or_insert(0) += count;
        }
    }

    /// Adds the counts of another.
    pub(super) fn merge(&mut self, other: &Self) {
        for (reason, count) in &other.0 {
            self.add_all(*reason, *count);
        }
    }

    /// For the provenance.
    pub(super) fn by_key(&self) -> BTreeMap<&'static str, u64> {
        self.0.iter().map(|(reason, count)| (reason.key(), *count)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_text() {
        let texts = include_str!("../../../../locales/app.yml");
        let (_, drop) = texts.split_once("\ndrop:").unwrap();
        for reason in Reason::ALL {
            assert!(drop.contains(&format!("\n  {}: {{ es: ", reason.key())), "{}", reason.key());
        }
    }
}
