//! Files as the offices publish them, turned into tables with this crate's own columns.
//!
//! A preset looks its columns up by name, without regard to case and accents, and by other names that editions
//! have used; the study's `fields` can name one that a later edition calls otherwise. Columns that are not named
//! are not decoded and never stored. What a record does not say in full is a fault at its row; what is left out by
//! rule is counted in [`Provenance::dropped`](super::Provenance).
//!
//! | preset | file | columns of the table |
//! |---|---|---|
//! | `inegi-marco` | `marco` | `cvegeo name` and the polygon |
//! | `inegi-rnc` | `rnc` | `id ref class surface toll oneway speed_kmh from_node to_node level` and the line; bans |
//! | `osm` | `osm` | `id ref class surface toll oneway speed_kmh from_node to_node level` and the line; bans |
//! | `inegi-iter` | `iter` | `cvegeo name population` |
//! | `conapo-imm` | `imm` | `cvegeo name population marginalization` |
//! | `sesnsp-municipal` | `sesnsp` | `cvegeo period count count_min count_max known_by` |
//! | `denue` | `denue` | `id clee name cvegeo scian sector size` and the point |

mod denue;
mod imm;
mod iter;
mod layout;
mod marco;
mod osm;
mod rnc;
mod sesnsp;

use super::guard::{Format, Input};
use super::raw::RawTable;
use super::sink::Sink;
use super::spec::Preset;
use super::{Job, ogr, table};
use crate::error::{Error, Rule};

pub use sesnsp::month_of;

/// Reads a file by its preset; `None` if the preset only names what is read without one.
pub(super) fn read(input: &Input, job: &Job<'_>, sink: &mut Sink<'_>) -> Option<Result<RawTable, Error>> {
    let preset = job.spec.preset?;
    let read = match preset {
        Preset::InegiIter => iter::read,
        Preset::ConapoImm => imm::read,
        Preset::SesnspMunicipal => sesnsp::read,
        Preset::Denue => denue::read,
        Preset::InegiRnc => rnc::read,
        Preset::InegiMarco => marco::read,
        Preset::Osm => osm::read,
        Preset::Lines | Preset::Counts | Preset::Worksites => return None,
    };
    // Its own format and no other has what it needs; and what of a PBF file is a road only a preset says.
    let pbf = input.format == Format::OsmPbf;
    if pbf != (preset == Preset::Osm) {
        let (expected, found) =
            if pbf { ("preset = \"osm\"", preset.name()) } else { (".osm.pbf", input.format.driver()) };
        return Some(Err(sink
            .fault(Rule::PresetFormat)
            .with("expected", expected)
            .with("found", found)
            .into()));
    }
    Some(read(input, job, sink))
}

/// Hands the records of a table to `consumer`, whatever format the table has.
fn scan(
    input: &Input,
    job: &Job<'_>,
    sink: &mut Sink<'_>,
    consumer: &mut dyn table::Consumer,
) -> Result<table::Scanned, Error> {
    match input.format {
        Format::Csv | Format::Xlsx | Format::Ods => table::scan(input, job, sink, consumer),
        Format::Gpx => Err(sink.fault(Rule::FormatUnknown).with("allowed", ".csv .xlsx .ods .dbf").into()),
        _ => {
            let scanned = ogr::scan_text(input, job, sink, consumer)?;
            let (encoding, layer) = (scanned.encoding, Some(scanned.layer));
            Ok(table::Scanned { encoding, layer, sha256: String::new(), records: scanned.records })
        }
    }
}

/// Names of the shapefiles that a preset reads beside the one that the study names.
pub(super) const fn beside(preset: Preset) -> &'static [&'static str] {
    match preset {
        Preset::InegiRnc => &rnc::BESIDE_ROADS,
        _ => &[],
    }
}
