//! Faults of the data and of the study, as records that every stage can add to.
//!
//! A [`Fault`] says where (file, layer, row, field), which rule, and what was seen as a *shape*, never as
//! a personal value. It carries no prose: the text of a rule stands in `locales/`, and the command line
//! puts the two together, so that one rule reads the same in Spanish and in English.

use std::fmt;

mod why;

pub use why::Why;

/// How much a fault weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The run cannot go on; nothing is written.
    Error,
    /// The run goes on; the record is reported and kept, mapped or dropped as the rule says.
    Warning,
}

macro_rules! rules {
    ($( $(#[$doc:meta])* $name:ident = $code:literal $severity:ident ),+ $(,)?) => {
        /// The rules that inputs are checked against. The letter of a code names the stage:
        /// S sources, M model, N network, I incidence, C corridors, P planning, T the study file, R the result.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Rule { $( $(#[$doc])* $name ),+ }

        impl Rule {
            /// Every rule, in the order of its code.
            pub const ALL: &'static [Self] = &[$( Self::$name ),+];

            /// The stable code, such as `S001`.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $( Self::$name => $code ),+ }
            }

            /// Whether a breach stops the run.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $( Self::$name => Severity::$severity ),+ }
            }
        }
    };
}

rules! {
    /// The file does not exist.
    FileMissing = "S001" Error,
    /// The path is a directory or another thing that is not a regular file.
    NotAFile = "S002" Error,
    /// The file is larger than the cap. `limit`.
    FileTooLarge = "S003" Error,
    /// The ending names no format that is read. `allowed`.
    FormatUnknown = "S004" Error,
    /// The path is not allowed: a URL, `/vsi…`, inline text, `..` or a link out of the study folder.
    PathRefused = "S005" Error,
    /// The file cannot be opened as its format says. `detail`.
    OpenFailed = "S006" Error,
    /// The named layer is not in the file, or none was named and there are several. `allowed`.
    LayerMissing = "S007" Error,
    /// No coordinate reference system, or one that cannot be used. `detail`.
    CrsUnusable = "S008" Error,
    /// Coordinates that cannot be of the stated CRS. `detail`.
    CoordinatesOutOfRange = "S009" Error,
    /// Latitude and longitude look swapped.
    AxesSwapped = "S010" Error,
    /// The text is not of the declared encoding, or holds U+FFFD. `encoding`.
    EncodingWrong = "S011" Error,
    /// A row has another number of fields than the header. `expected`, `found`.
    RowRagged = "S012" Error,
    /// There is no record.
    NoRecords = "S013" Error,
    /// A column that describes persons.
    PersonColumn = "S014" Error,
    /// A column that no score may use (nationality, ethnicity, language, religion, migratory status).
    DeniedColumn = "S015" Error,
    /// The record has no geometry, or an empty one.
    GeometryEmpty = "S016" Error,
    /// A ring does not end where it begins, or has fewer than four positions.
    RingUnclosed = "S017" Error,
    /// NaN or an infinity in a coordinate.
    CoordinateNotFinite = "S018" Error,
    /// A coordinate that is not written as decimal degrees.
    CoordinateFormat = "S019" Error,
    /// Two columns have the same name.
    ColumnTwice = "S020" Error,
    /// The geometry is of another type than the source needs. `expected`, `found`.
    GeometryType = "S021" Error,
    /// More records, vertices or columns than the cap. `limit`.
    TooMany = "S022" Error,
    /// A contact column of a business register was dropped on reading.
    ContactColumnDropped = "S023" Warning,
    /// The record could not be read. `detail`.
    RecordBroken = "S024" Error,
    /// The zip archive is damaged: its directory, a checksum or a size is not as stated. `detail`.
    ArchiveBroken = "S025" Error,
    /// The zip archive holds names or entries that no honest program writes. `detail`.
    ArchiveUnsafe = "S026" Error,
    /// The zip archive holds more members or bytes than the cap, or far more than its size explains. `limit`.
    ArchiveTooLarge = "S027" Error,
    /// No member of the zip archive fits, or several do and the study names none. `allowed`.
    ArchiveMember = "S028" Error,
    /// The file is protected by a password.
    Encrypted = "S029" Error,
    /// The zip archive is packed by a method that is not read. `detail`.
    ArchiveMethod = "S030" Error,
    /// An archive within the archive; it is not opened.
    ArchiveNested = "S031" Error,
    /// The first row of a sheet does not name the columns: a title, or a header of two rows. `expected`, `found`.
    SheetHeader = "S032" Error,
    /// A cell whose formula ended in an error, such as `#N/A`.
    CellError = "S033" Error,
    /// Characters that are not seen, or change how others are seen, were taken out of the text.
    HiddenCharacters = "S034" Warning,
    /// A cell of a spreadsheet holds a formula that was never calculated.
    FormulaWithoutValue = "S035" Error,
    /// A `GeoPackage` holds views or virtual tables, which run what the file says. `names`.
    NotATable = "S036" Error,
    /// A block of an OpenStreetMap file is not as the format says. `block`, `detail`.
    OsmBlockBroken = "S040" Error,
    /// An OpenStreetMap file needs what is not read, such as a history. `detail`.
    OsmFeatureUnknown = "S041" Error,
    /// The format of the file is not the one of its preset, or needs a preset. `expected`, `found`.
    PresetFormat = "S042" Error,
    /// The same OpenStreetMap id stands for two different things.
    OsmIdTwice = "S043" Error,
    /// A text that is no contiguity file of `GeoDa` (GAL). `detail`.
    GalBroken = "S044" Error,
    /// An area without a polygon; it has no neighbours.
    AreaWithoutPolygon = "S045" Warning,
    /// No record fits what the study selects. `allowed` lists what is there.
    NothingSelected = "S060" Error,
    /// A value that the office withheld, such as `*`.
    ValueSuppressed = "S061" Error,
    /// Months without a value that others have. `months`, `of`; its count is only a lower bound.
    MonthsMissing = "S062" Warning,
    /// An index that rises where marginación rises; corredor needs the one of 2020, which falls. `low`, `high`.
    IndexReversed = "S063" Error,
    /// A code that does not belong to the entity beside it. `entity`.
    CodeContradicted = "S064" Error,
    /// Columns by sex, age or another trait of persons; the study may add up over them. `fields`.
    CrossTab = "S065" Error,
    /// A month that is not of the calendar, or a year outside 1990 – 2100.
    YearFormat = "S066" Error,
    /// A source that a study can do without has no record.
    SourceEmpty = "S067" Warning,

    /// A key of a junction that the file does not have.
    JunctionUnknown = "S080" Error,
    /// The end of a road lies beside the junction that it names. `distance`.
    EndBesideJunction = "S081" Error,
    /// A column that some editions lack; read as if it said nothing.
    FieldAbsent = "S082" Warning,
    /// A layer that some editions lack.
    LayerAbsent = "S083" Warning,
    /// A turn ban on a road that the file does not have; it is left out.
    BanUnknown = "S084" Warning,
    /// A polygon that touched itself and was repaired. `change`.
    PolygonRepaired = "S085" Warning,

    /// A column that is needed is missing. `seen` lists what is there.
    FieldMissing = "M001" Error,
    /// A value that is needed is empty.
    ValueEmpty = "M002" Error,
    /// Not a number.
    NotANumber = "M003" Error,
    /// Not a whole number.
    NotAnInteger = "M004" Error,
    /// A number outside its range. `range`.
    OutOfRange = "M005" Error,
    /// A value that is not in the list. `allowed`.
    ValueUnknown = "M006" Error,
    /// The key stands in two records. `first`.
    DuplicateKey = "M007" Error,
    /// A code that no municipality of the study has.
    ReferenceUnknown = "M008" Error,
    /// `count_min` is above `count_max`, or `count` is given beside bounds that exclude it.
    BoundsCrossed = "M009" Error,
    /// Bounds and total cannot both hold. `detail`.
    TotalImpossible = "M010" Error,
    /// A code that is not a five-digit CVEGEO.
    CvegeoFormat = "M012" Error,
    /// A municipality without a polygon; the study's `merge` can map it. `cvegeo`.
    PolygonMissing = "M013" Error,
    /// A municipality without a polygon of its own, mapped by the study. `cvegeo`, `target`.
    PolygonShared = "M014" Warning,
    /// A polygon whose rings cross or overlap.
    PolygonInvalid = "M015" Error,
    /// A true-or-false value that is neither.
    NotABoolean = "M018" Error,
    /// A date that is not `YYYY-MM-DD`.
    DateFormat = "M019" Error,
    /// A municipality of the polygons that the population table does not have; it takes no part. `cvegeo`.
    PolygonWithoutPopulation = "M020" Warning,
    /// A stated length that is below 0.95 times that of the line (which is then used) or above 5 times (kept).
    /// `stated`, `line`, `used`, in km.
    LengthImplausible = "M021" Warning,
    /// A road that is there twice: same reference, positions, length and directions; one is used. `first`.
    RoadRepeated = "M022" Warning,
    /// A last visit after the study's reference date; it counts as of that day. `visit`, `reference`.
    VisitAfterReference = "M023" Warning,
    /// A crossing at the position of another; both are used. `first`.
    CrossingRepeated = "M024" Warning,
    /// A municipality without a record of a modality that others have in the same months.
    ModalitiesMissing = "M025" Warning,
    /// A period that is not `2015`, `2015-03`, `2015/2020` or `2015-01/2020-06`.
    PeriodFormat = "M030" Error,
    /// Periods of one municipality and modality that overlap: cases would count twice.
    PeriodsOverlap = "M031" Error,
    /// The study's period is not that of the counts. `stated`, `found`.
    PeriodDiffers = "M032" Warning,
    /// A municipality of the study that the table does not have.
    JoinMissing = "M033" Warning,
    /// A record whose code no municipality of the study has; it is not used.
    JoinUnused = "M034" Warning,
    /// A workplace outside the municipality that it states. `distance`.
    OutsideMunicipality = "M035" Warning,
    /// A found count without its search effort, where others have theirs: none is levelled.
    EffortMissing = "M036" Warning,
    /// A municipality with reported and found counts: all count as found.
    KnownByMixed = "M037" Warning,

    /// A point that lies farther from every road than allowed. `distance`.
    Unsnapped = "N001" Warning,
    /// A part of the network that no trip can reach. `length`, `junctions`.
    Disconnected = "N002" Warning,
    /// A closure that names no link. `detail`.
    ClosureUnmatched = "N003" Error,
    /// A line of no length, dropped.
    LineDegenerate = "N004" Warning,
    /// No origin or no destination is on the network.
    NothingToRoute = "N005" Error,
    /// Ends that name the same junction lie apart: keys contradict geometry. `key`, `distance`.
    KeyTorn = "N006" Error,
    /// A turn ban whose roads do not meet one after the other, or not at the junction it names. `roads`, `via`.
    BanUnapplied = "N007" Warning,
    /// A road without keys of junctions joins none, where others have keys. `distance`.
    RoadLoose = "N008" Warning,
    /// Disconnected parts in all, where more than the listed ones. `count`, `listed`, `junctions`, `length`.
    DisconnectedTotal = "N009" Warning,
    /// A change of speed that names no road. `detail`.
    SpeedUnmatched = "N010" Error,
    /// A post of a scenario that lies farther from every road than allowed. `distance`.
    PostUnsnapped = "N011" Error,
    /// A scenario that the network does not fit, where it is not the one to be run. `detail`.
    ScenarioUnfit = "N012" Warning,

    /// Values from which no statistic of areas can be computed. `detail`.
    SpatialImpossible = "I001" Error,
    /// A value that GAL and layer do not share: the number of areas, or an id. `detail`.
    NeighboursDiffer = "I002" Error,
    /// Neighbours that cannot be found as they were asked for. `detail`.
    NeighboursImpossible = "I003" Error,
    /// More areas, neighbours or permutations than memory allows. `detail`.
    SpatialTooLarge = "I004" Error,

    /// Counts are too many or too large to be worked out. `what`, `size`, `limit`.
    CountsTooLarge = "I010" Error,
    /// Cases without a place are known, and the study says that there are none. `cases`.
    UnlocatedExcluded = "I011" Error,

    /// The recursive logit is not defined: ways that return weigh too much. `radius`, `theta`, `needed`.
    RoutesDiverge = "C001" Warning,

    /// No referral path: posts and visits are not written.
    ReferralMissing = "P001" Warning,

    /// The study file is not TOML. `detail`.
    StudySyntax = "T001" Error,
    /// A key that the study does not know. `nearest`.
    KeyUnknown = "T002" Error,
    /// A value of the wrong type or form. `detail`.
    ValueType = "T003" Error,
    /// A parameter outside its documented range. `range`.
    ParameterRange = "T004" Error,
    /// A study of another format version. `expected`, `found`.
    FormatVersion = "T005" Error,
    /// A key that does not belong where it stands. `allowed`.
    KeyMisplaced = "T006" Error,
    /// A prior of a law that the parameter cannot have. `allowed`.
    PriorLaw = "T007" Error,
    /// A key that is not used beside another one's value. `because`.
    KeyUnused = "T008" Warning,
    /// A scenario without a name, with one that cannot be written on a command line, or with that of another.
    ScenarioName = "T009" Error,
    /// A scenario that changes nothing.
    ScenarioEmpty = "T010" Error,

    /// A file of the result is missing.
    ResultFileMissing = "R001" Error,
    /// A file of the result has another hash than the manifest says.
    ResultFileChanged = "R002" Error,
    /// A file in the result that the manifest does not list.
    ResultFileUnlisted = "R003" Error,
    /// The manifest cannot be read. `detail`.
    ManifestBroken = "R004" Error,
}

/// Where a fault was seen. Every part that is known is given.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Place {
    /// The file as the study names it; what stands in a zip archive as `archive.zip/folder/file.csv`.
    pub file: String,
    /// Layer or sheet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer: Option<String>,
    /// Line of a text table (the header is line 1), or feature number from 1 in other formats.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<u64>,
    /// Field, or dotted path in the study file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

/// One breach of one rule at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The rule.
    pub rule: Rule,
    /// The place.
    pub place: Place,
    /// The shape of the value that was seen (see [`shape`]), or a name that is no personal value.
    pub seen: Option<String>,
    /// Named values that the text of the rule shows.
    pub params: Vec<(&'static str, String)>,
    /// Whether the file was named on the command line, so that its options mend the fault and no key of a study.
    pub by_hand: bool,
}

impl Fault {
    /// A fault of `rule` in `file`.
    #[must_use]
    pub fn new(rule: Rule, file: impl Into<String>) -> Self {
        Self::at(rule, Place { file: file.into(), ..Place::default() })
    }

    /// A fault of `rule` at `place`.
    #[must_use]
    pub const fn at(rule: Rule, place: Place) -> Self {
        Self { rule, place, seen: None, params: Vec::new(), by_hand: false }
    }

    /// Adds the layer.
    #[must_use]
    pub fn layer(mut self, layer: Option<impl Into<String>>) -> Self {
        self.place.layer = layer.map(Into::into);
        self
    }

    /// Adds the row.
    #[must_use]
    pub const fn row(mut self, row: u64) -> Self {
        self.place.row = Some(row);
        self
    }

    /// Takes the row away, where a fault is of the file.
    #[must_use]
    pub const fn without_row(mut self) -> Self {
        self.place.row = None;
        self
    }

    /// Adds the field.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.place.field = Some(field.into());
        self
    }

    /// Adds what was seen, which must not be a personal value.
    #[must_use]
    pub fn seen(mut self, seen: impl Into<String>) -> Self {
        self.seen = Some(seen.into());
        self
    }

    /// Adds a named value for the text of the rule.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.params.push((name, value.to_string()));
        self
    }

    /// Adds the cause, in the place of a `detail`.
    #[must_use]
    pub fn why(self, why: Why) -> Self {
        self.with(WHY, why.key())
    }

    /// Adds what a library says, which is in English whatever the user's language. A `detail` beside it stays, as the
    /// kind of thing that is wrong in words of our own.
    #[must_use]
    pub fn foreign(self, said: impl fmt::Display) -> Self {
        self.with(FOREIGN, said)
    }

    /// Whether it stops the run.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.rule.severity() == Severity::Error
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}: {}", self.rule.code(), self.rule, self.place.file)?;
        if let Some(layer) = &self.place.layer {
            write!(f, " [{layer}]")?;
        }
        if let Some(row) = self.place.row {
            write!(f, ":{row}")?;
        }
        if let Some(field) = &self.place.field {
            write!(f, " {field}")?;
        }
        if let Some(seen) = &self.seen {
            write!(f, " ({seen})")?;
        }
        for (name, value) in &self.params {
            write!(f, " {name}={value}")?;
        }
        Ok(())
    }
}

/// All faults of one pass, errors and warnings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl Faults {
    /// Adds one.
    pub fn push(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// Takes all of `other`.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Says of all that their file was named on the command line.
    pub fn set_by_hand(&mut self) {
        self.0.iter_mut().for_each(|fault| fault.by_hand = true);
    }

    /// Whether one of them stops the run.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(Fault::is_error)
    }

    /// Sorts by file, row, field and rule, and drops exact repeats.
    pub fn sort(&mut self) {
        self.0.sort_by(|a, b| (&a.place, a.rule, &a.params).cmp(&(&b.place, b.rule, &b.params)));
        self.0.dedup();
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.0.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

/// What ends a command.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The data or the study is at fault (exit code 1).
    #[error("{0}")]
    Faults(Faults),
    /// The command was used wrongly, such as a target that exists without `--force` (exit code 2).
    #[error("{key}")]
    Usage {
        /// Key of the message in `locales/`.
        key: &'static str,
        /// Named values of the message.
        params: Vec<(&'static str, String)>,
    },
    /// Reading or writing failed (exit code 3).
    #[error("{path}: {source}")]
    Io {
        /// The path.
        path: String,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// A library of the environment failed: GDAL, PROJ, the thread pool (exit code 3).
    #[error("{0}")]
    Environment(String),
    /// A database could not be reached or written (exit code 3).
    #[error("{key}")]
    Database {
        /// Key of the message in `locales/`.
        key: &'static str,
        /// Named values of the message.
        params: Vec<(&'static str, String)>,
    },
    /// The run was interrupted (exit code 130).
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// An input or output fault at `path`.
    #[must_use]
    pub fn io(path: impl AsRef<std::path::Path>, source: std::io::Error) -> Self {
        Self::Io { path: path.as_ref().display().to_string(), source }
    }

    /// The exit code of the process.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Faults(_) => 1,
            Self::Usage { .. } => 2,
            Self::Io { .. } | Self::Environment(_) | Self::Database { .. } => 3,
            Self::Interrupted => 130,
        }
    }
}

impl From<Faults> for Error {
    fn from(faults: Faults) -> Self {
        Self::Faults(faults)
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::Faults(Faults(vec![fault]))
    }
}

/// The result of a fallible step.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Name of the parameter of [`Fault::why`].
pub const WHY: &str = "why";

/// Name of the parameter of [`Fault::foreign`].
pub const FOREIGN: &str = "foreign";

/// The shape of a value: letters become `a` or `A`, digits `9`, at most 24 characters, so that a message
/// shows what kind of thing was read without repeating it.
///
/// ```
/// assert_eq!(corredor::error::shape("Calle 5 #12"), "Aaaaa 9 #99");
/// ```
#[must_use]
pub fn shape(value: &str) -> String {
    let mut out = String::new();
    for (i, c) in value.chars().enumerate() {
        if i == 24 {
            out.push('…');
            break;
        }
        out.push(match c {
            c if c.is_uppercase() => 'A',
            c if c.is_alphabetic() => 'a',
            c if c.is_numeric() => '9',
            c if c.is_control() => '·',
            c => c,
        });
    }
    out
}
