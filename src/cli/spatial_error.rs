//! What spatial statistics say of areas, values and weights, as an error of a command or of a run.

use crate::error::{Error, Fault, Place, Rule, Why};
use crate::incidence::spatial::{Counted, SpatialError};

/// The error of `place`, in rules of its own: `I001` for values, `I003` for neighbours, `I004` for what is too large.
///
/// `place` is what the user can change: a file, or a key of a study; where [`SpatialError::site`] is at fault the
/// caller may name it there. What only this program can get wrong becomes [`Error::Environment`].
pub(crate) fn spatial_error(error: &SpatialError, place: Place) -> Error {
    let fault = |rule: Rule, why: Why| Fault::at(rule, place).why(why);
    match error {
        SpatialError::Constant => fault(Rule::SpatialImpossible, Why::ValuesEqual),
        SpatialError::Value { .. } => fault(Rule::SpatialImpossible, Why::RateNotFinite),
        SpatialError::TooFew { sites, needed } => {
            fault(Rule::SpatialImpossible, Why::TooFewAreas).with("sites", sites).with("needed", needed)
        }
        SpatialError::NoLinks => fault(Rule::NeighboursImpossible, Why::NoNeighbours),
        SpatialError::Coordinate { .. } | SpatialError::NotDegrees { .. } => {
            fault(Rule::NeighboursImpossible, Why::NoPosition)
        }
        SpatialError::Neighbours { k, sites } => {
            fault(Rule::NeighboursImpossible, Why::TooManyNeighbours).with("k", k).with("sites", sites)
        }
        SpatialError::TooLarge { what, size, limit } => {
            let why = match what {
                Counted::Sites => Why::TooManyAreas,
                Counted::Links => Why::TooManyLinks,
                Counted::Permuted => Why::TooManyPermuted,
            };
            fault(Rule::SpatialTooLarge, why).with("size", size).with("limit", limit)
        }
        internal => return Error::Environment(internal.to_string()),
    }
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::messages::error_text;
    use crate::layers::feature::Lang;

    fn told(error: &SpatialError, lang: Lang) -> String {
        let field = Some("incidence.hot_spots".to_owned());
        let place = Place { file: "study.toml".to_owned(), field, ..Place::default() };
        error_text(lang, &spatial_error(error, place), false)
    }

    #[test]
    fn neighbours_that_cannot_be_found_are_told_in_both_languages() {
        let k = SpatialError::Neighbours { k: 9, sites: 8 };
        let es = told(&k, Lang::Es);
        let place = "error I003 study.toml, campo «incidence.hot_spots»: no se pueden formar los vecinos: ";
        assert!(es.starts_with(place) && es.contains("los 9 más próximos y solo hay 8 áreas"), "{es}");
        assert!(told(&k, Lang::En).contains("the nearest 9 are asked for and there are only 8 areas"));
        let none = told(&SpatialError::NoLinks, Lang::Es);
        assert!(none.contains("I003") && none.contains("ningún área los tiene"), "{none}");
        let large = SpatialError::TooLarge { what: Counted::Links, size: 7, limit: 5 };
        assert!(told(&large, Lang::En).contains("7 pairs of neighbours, and the limit is 5"));
    }

    #[test]
    fn what_only_the_program_can_get_wrong_is_no_fault_of_the_data() {
        for error in [SpatialError::NoDraws, SpatialError::ShapeMismatch { expected: 3, found: 2 }] {
            assert_eq!(spatial_error(&error, Place::default()).exit_code(), 3);
        }
        assert_eq!(spatial_error(&SpatialError::Constant, Place::default()).exit_code(), 1);
    }
}
