//! Causes of faults that have a text of their own.

/// A cause that is told in the user's language: its text stands in `locales/` under `why.`, shows the parameters of the
/// fault, and takes the place of `detail` in the text of the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// There is no municipality with a count.
    NoCells,
    /// Nobody lives anywhere.
    NoExposure,
    /// Neither a total nor an upper bound limits the common rate.
    RateUnbounded,
    /// No counts satisfy all bounds.
    Impossible,
    /// A quote is opened and never closed.
    UnclosedQuote,
    /// A spreadsheet of before 2007 under a newer name.
    OldSpreadsheet,
    /// Not a spreadsheet.
    NotASpreadsheet,
    /// XML that is not UTF-8.
    XmlNotUtf8,
    /// XML that is not well formed, or not whole.
    XmlMalformed,
    /// All values are equal.
    ValuesEqual,
    /// No area has a neighbour.
    NoNeighbours,
    /// GAL file and layer are of another number of areas. `gal`, `layer`.
    NumberOfAreas,
    /// An id of the GAL file that no record has. `field`.
    IdNotInLayer,
    /// An id of a record that the GAL file does not have. `gal`.
    IdNotInGal,
    /// Too few areas for the statistic. `sites`, `needed`.
    TooFewAreas,
    /// No events, so that there is no rate.
    NoEvents,
    /// As many neighbours as there are areas, or more. `k`, `sites`.
    TooManyNeighbours,
    /// A coordinate that is no number, or no longitude or latitude.
    NoPosition,
    /// A rate without a finite value, once it is standardised.
    RateNotFinite,
    /// Too many areas. `size`, `limit`.
    TooManyAreas,
    /// Too many pairs of neighbours. `size`, `limit`.
    TooManyLinks,
    /// Too many permutations times neighbours. `size`, `limit`.
    TooManyPermuted,
}

impl Why {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::NoCells,
        Self::NoExposure,
        Self::RateUnbounded,
        Self::Impossible,
        Self::UnclosedQuote,
        Self::OldSpreadsheet,
        Self::NotASpreadsheet,
        Self::XmlNotUtf8,
        Self::XmlMalformed,
        Self::ValuesEqual,
        Self::NoNeighbours,
        Self::NumberOfAreas,
        Self::IdNotInLayer,
        Self::IdNotInGal,
        Self::TooFewAreas,
        Self::NoEvents,
        Self::TooManyNeighbours,
        Self::NoPosition,
        Self::RateNotFinite,
        Self::TooManyAreas,
        Self::TooManyLinks,
        Self::TooManyPermuted,
    ];

    /// Key of its text.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::NoCells => "no_cells",
            Self::NoExposure => "no_exposure",
            Self::RateUnbounded => "rate_unbounded",
            Self::Impossible => "impossible",
            Self::UnclosedQuote => "unclosed_quote",
            Self::OldSpreadsheet => "old_spreadsheet",
            Self::NotASpreadsheet => "not_a_spreadsheet",
            Self::XmlNotUtf8 => "xml_not_utf8",
            Self::XmlMalformed => "xml_malformed",
            Self::ValuesEqual => "values_equal",
            Self::NoNeighbours => "no_neighbours",
            Self::NumberOfAreas => "number_of_areas",
            Self::IdNotInLayer => "id_not_in_layer",
            Self::IdNotInGal => "id_not_in_gal",
            Self::TooFewAreas => "too_few_areas",
            Self::NoEvents => "no_events",
            Self::TooManyNeighbours => "too_many_neighbours",
            Self::NoPosition => "no_position",
            Self::RateNotFinite => "rate_not_finite",
            Self::TooManyAreas => "too_many_areas",
            Self::TooManyLinks => "too_many_links",
            Self::TooManyPermuted => "too_many_permuted",
        }
    }
}
