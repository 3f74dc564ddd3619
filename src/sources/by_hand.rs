//! A file that a user names by hand, on the command line and in no study.

use std::path::Path;

use super::sink::Sink;
use super::spec::{GeometryNeed, SourceSpec};
use super::{ColumnRules, Job, Limits, environment, guard, settled};
use crate::error::{Error, Fault, Faults, Rule};

/// Does `work` on the file with the guards of a source of a study: paths, sizes, columns about persons. The job has the
/// folder and the name of the file, which `spec` lacks, and needs no geometry.
///
/// What is wrong goes to `faults`; `None` if the file cannot be used.
///
/// # Errors
/// As [`super::read`].
pub(super) fn by_hand<T>(
    path: &Path,
    spec: SourceSpec,
    faults: &mut Faults,
    work: impl FnOnce(&Job<'_>, &mut Sink<'_>) -> Result<T, Error>,
) -> Result<Option<T>, Error> {
    let shown = path.to_string_lossy();
    if guard::is_virtual(&shown) {
        faults.push(Fault::new(Rule::PathRefused, environment::one_line(&shown)));
        return Ok(None);
    }
    let spec =
        SourceSpec { path: path.file_name().unwrap_or_default().to_string_lossy().into_owned(), ..spec };
    let mut sink = Sink::new(faults, &spec.path);
    let job = Job {
        base: path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")),
        name: "",
        spec: &spec,
        need: GeometryNeed::None,
        rules: &ColumnRules { business_register: true },
        // Where a link leads is the user's choice.
        limits: &Limits { allow_absolute: true, ..Limits::default() },
        plane: false,
        islands: false,
    };
    let done = work(&job, &mut sink);
    sink.finish();
    settled(done, faults)
}
