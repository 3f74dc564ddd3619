//! Whose inspection a workplace is: article 527 of the Ley Federal del Trabajo reserves branches of
//! industry to the federal authority, the others are the state's.
//!
//! The table maps those branches to SCIAN prefixes. It is a first sorting for planning, not a legal
//! finding: concessions, federal contracts and federal zones also make a workplace federal, and no register
//! says which those are.

/// Competence by SCIAN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Competence {
    /// Federal labour authority.
    Federal,
    /// State labour authority.
    State,
}

impl Competence {
    /// The name in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Federal => "federal",
            Self::State => "state",
        }
    }
}

/// SCIAN prefixes of the federal branches.
const FEDERAL: [&str; 27] = [
    "21",   // mining, oil and gas
    "2211", // electricity
    "2212", // gas by pipeline
    "3112", // milling, vegetable oils and fats
    "3113", // sugar
    "3114", // preserved and packed food
    "3121", // bottled drinks
    "3122", // tobacco
    "313",  // textiles
    "314",  // textiles
    "3211", // sawmills, boards
    "3221", // pulp and paper
    "324",  // petroleum products
    "325",  // chemicals, pharmaceuticals
    "326",  // rubber
    "3272", // glass
    "3273", // cement
    "3274", // lime
    "331",  // basic metals
    "336",  // vehicles
    "481",  // air transport
    "482",  // railways
    "4841", // federal road freight
    "4851", // scheduled passenger transport on federal roads
    "5121", // film
    "5221", // banks
    "5222", // credit institutions
];

/// Competence of a workplace of SCIAN class `scian`.
#[must_use]
pub fn competence(scian: &str) -> Competence {
    if FEDERAL.iter().any(|prefix| scian.starts_with(prefix)) {
        Competence::Federal
    } else {
        Competence::State
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hotels_and_farms_are_the_states_and_sugar_mills_federal() {
        assert_eq!(competence("721111"), Competence::State);
        assert_eq!(competence("111331"), Competence::State);
        assert_eq!(competence("311311"), Competence::Federal);
    }
}
