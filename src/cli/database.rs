//! `run --postgis`: the result in a database, beside its folder.

use std::path::Path;

use serde_json::{Value, json};

use super::args::Shared;
use super::messages::{fill, text};
use crate::disclosure::Tier;
use crate::error::{Error, Result};
use crate::layers::feature::Lang;
use crate::layers::postgis::{self, NoTarget, RunRecord, Target};
use crate::layers::write::ResultSet;

/// A database that was reached once.
pub(super) struct Database {
    target: Target,
    replace: bool,
    lang: Lang,
}

/// What was written.
pub(super) struct Written {
    schema: &'static str,
    rows: u64,
    target: String,
}

impl Database {
    /// The database that was asked for, if any. It is tried out before the long run, so that a wrong password costs no time.
    ///
    /// # Errors
    /// [`Error::Usage`] for a text that names none, [`Error::Database`] for one that cannot be opened.
    pub(super) fn open(asked: Option<&str>, shared: &Shared, lang: Lang) -> Result<Option<Self>> {
        let Some(asked) = asked else { return Ok(None) };
        let target = Target::parse(asked).map_err(|e| no_target(e, lang))?;
        postgis::check(&target)?;
        let audience: Tier = shared.audience.into();
        if audience == Tier::Restricted && !shared.quiet {
            let params = [("schema", postgis::schema(audience))];
            super::complain(&fill(lang, "error.postgis_restricted", &params));
        }
        Ok(Some(Self { target, replace: shared.force, lang }))
    }

    /// Ends a run that is in the database already, before anything of it is written, unless it is to be replaced.
    pub(super) fn refuse_known(&self, set: &ResultSet) -> Result<()> {
        let header = set.header();
        if !self.replace && postgis::has_run(&self.target, &header)? {
            return Err(postgis::exists(&self.target, &header));
        }
        Ok(())
    }

    /// Writes the result; a failure says that the folder at `path` stands.
    pub(super) fn write(&self, set: &ResultSet, path: &Path) -> Result<Written> {
        let header = set.header();
        let record = RunRecord {
            version: &set.manifest.version,
            draft: set.signed_off.as_deref().is_none_or(|name| name.trim().is_empty()),
            attributions: &set.attributions,
        };
        let stands = |e: &Error| {
            if e.exit_code() == 3 {
                let params = [("path", path.display().to_string())];
                super::complain(&fill(self.lang, "error.postgis_folder", &params));
            }
        };
        let rows = postgis::write(&self.target, &set.views()?, &header, &record, self.replace)
            .inspect_err(stands)?;
        Ok(Written { schema: postgis::schema(header.audience), rows, target: self.target.to_string() })
    }
}

impl Written {
    pub(super) fn as_json(&self) -> Value {
        json!({ "schema": self.schema, "features": self.rows })
    }

    pub(super) fn line(&self, lang: Lang) -> String {
        let params = [
            ("n", self.rows.to_string()),
            ("schema", self.schema.to_owned()),
            ("target", self.target.clone()),
        ];
        fill(lang, "done.database", &params)
    }
}

fn no_target(error: NoTarget, lang: Lang) -> Error {
    let cause = match error {
        NoTarget::Form => text(lang, "error.postgis_form"),
        NoTarget::Key(place) => fill(lang, "error.postgis_key", &[("place", place.to_string())]),
        NoTarget::Value(place) => fill(lang, "error.postgis_value", &[("place", place.to_string())]),
    };
    Error::Usage { key: "error.postgis_dsn", params: vec![("cause", cause)] }
}
