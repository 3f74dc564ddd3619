//! Whose inspection a workplace is: article 527 of the Ley Federal del Trabajo reserves branches of
//! industry to the federal authority, the others are the state's.
//!
//! Two tables map those branches to SCIAN prefixes: one of what is federal, one of what article 527 divides
//! within a prefix, such as road freight, which is federal on a federal permit and the state's within a town. It
//! is a first sorting for planning, not a legal finding: concessions, federal contracts and federal zones also
//! make a workplace federal, and no register says which those are.

/// Competence by SCIAN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Competence {
    /// Federal labour authority.
    Federal,
    /// State labour authority.
    State,
    /// Either: the code covers branches of both.
    Unknown,
}

impl Competence {
    /// The name in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Federal => "federal",
            Self::State => "state",
            Self::Unknown => "unknown",
        }
    }
}

/// SCIAN prefixes of the federal branches. Gas by pipeline is 2222 in the editions of 2013 and 2018 and 2212 in
/// that of 2023; neither code means anything else in the other edition.
const FEDERAL: [&str; 24] = [
    "21",   // mining, oil and gas
    "2211", // electricity
    "2212", // gas by pipeline
    "2222", // gas by pipeline
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
    "5221", // banks
    "5222", // credit institutions
];

/// SCIAN prefixes of branches that article 527 divides: only a permit or the product says which part is meant.
const MIXED: [&str; 5] = [
    "3112", // milling is the state's, vegetable oils and fats are federal
    "4841", // general road freight, on federal roads or local
    "4842", // special road freight, on federal roads or local
    "4852", // passengers between towns, on federal roads or not
    "5121", // film is federal, other video is not
];

/// Competence of a workplace of SCIAN class `scian`.
#[must_use]
pub fn competence(scian: &str) -> Competence {
    let within = |table: &[&str]| table.iter().any(|prefix| scian.starts_with(prefix));
    // A short code, such as that of a whole sector, can cover federal branches among others.
    let covers = |table: &[&str]| table.iter().any(|prefix| prefix.starts_with(scian));
    if within(&FEDERAL) {
        Competence::Federal
    } else if within(&MIXED) || covers(&FEDERAL) || covers(&MIXED) {
        Competence::Unknown
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

    #[test]
    fn gas_by_pipeline_is_federal_in_every_edition_and_water_is_not() {
        for code in ["2212", "221210", "2222", "222210"] {
            assert_eq!(competence(code), Competence::Federal, "{code}");
        }
        for code in ["222111", "221311"] {
            assert_eq!(competence(code), Competence::State, "{code}");
        }
    }

    #[test]
    fn town_buses_are_the_states_and_divided_branches_are_not_known() {
        for code in ["485111", "485311", "485410"] {
            assert_eq!(competence(code), Competence::State, "{code}");
        }
        for code in ["485210", "484111", "484121", "484231", "311213", "311222", "512111", "512130"] {
            assert_eq!(competence(code), Competence::Unknown, "{code}");
        }
        assert_eq!(Competence::Unknown.name(), "unknown");
    }

    #[test]
    fn a_code_that_covers_federal_branches_among_others_is_not_known() {
        for code in ["31", "311", "22", "222", "48", "484", "52"] {
            assert_eq!(competence(code), Competence::Unknown, "{code}");
        }
        for code in ["21", "331", "481"] {
            assert_eq!(competence(code), Competence::Federal, "{code}");
        }
        for code in ["72", "11", "236"] {
            assert_eq!(competence(code), Competence::State, "{code}");
        }
    }
}
