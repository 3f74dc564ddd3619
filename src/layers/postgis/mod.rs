//! A result in a database of `PostgreSQL` with `PostGIS`, on request: the only place where this program opens a connection.
//!
//! Each audience has a schema of its own, so that a right to read one gives none to read the other. In it stand a table for
//! each layer and one of runs, to whose rows those of the layers belong: a run is replaced or taken out whole, and others
//! stay. What holds, and is tested on a server: one transaction for a run, so that a failure at any point leaves the database
//! as it was; a run that is there already is refused unless it is to be replaced.

use gdal::config::{clear_thread_local_config_option, set_thread_local_config_option};
use gdal::vector::LayerAccess;
use gdal::vector::sql::Dialect;
use gdal::{Dataset, DatasetOptions, GdalOpenFlags};

use super::feature::{FieldKind, LayerGeometry, Tier};
use super::rows::{about, insert, literal, quoted, run};
use super::view::{Header, LayerView};
use crate::error::{Error, Result};
use crate::sources;

mod target;

pub use target::{NoTarget, Target};

/// A run as the table of runs has it, beside what the header says.
#[derive(Debug, Clone, Copy)]
pub struct RunRecord<'a> {
    /// Version of corredor.
    pub version: &'a str,
    /// Whether nobody has signed it off.
    pub draft: bool,
    /// Data sources and their licences.
    pub attributions: &'a [String],
}

/// The schema of an audience.
#[must_use]
pub const fn schema(audience: Tier) -> &'static str {
    match audience {
        Tier::Restricted => "corredor_restricted",
        Tier::Public => "corredor_public",
    }
}

/// Whether the database can be reached and has `PostGIS`, before a long run.
///
/// # Errors
/// [`Error::Database`].
pub fn check(target: &Target) -> Result<()> {
    let dataset = open(target)?;
    postgis(target, &dataset).map(drop)
}

/// Whether the database has the run already.
///
/// # Errors
/// [`Error::Database`].
pub fn has_run(target: &Target, header: &Header) -> Result<bool> {
    let dataset = open(target)?;
    let schema = schema(header.audience);
    let read = |sql: &str| number(&dataset, sql).map_err(|e| failed("error.postgis_read", target, &e));
    let table =
        format!("SELECT count(*) FROM pg_tables WHERE schemaname = '{schema}' AND tablename = 'runs'");
    if read(&table)? == 0 {
        return Ok(false);
    }
    let run = literal(&header.run_id);
    Ok(read(&format!("SELECT count(*) FROM {schema}.runs WHERE run_id = {run}"))? > 0)
}

/// Writes a run in one transaction and returns the number of its features. `replace`: whether an earlier writing of the same
/// run is taken out first.
///
/// # Errors
/// [`Error::Database`]; the database is then as it was. [`Error::Usage`] where the run is there and is not to be replaced.
pub fn write(
    target: &Target,
    views: &[LayerView<'_>],
    header: &Header,
    record: &RunRecord<'_>,
    replace: bool,
) -> Result<u64> {
    if !replace && has_run(target, header)? {
        return Err(exists(target, header));
    }
    let mut dataset = open(target)?;
    let place = postgis(target, &dataset)?;
    let _copy = Copying::set();
    sources::forget_gdal_failures();
    let fill = |dataset: &mut Dataset| -> gdal::errors::Result<u64> {
        let transaction = dataset.start_transaction()?;
        let written = run_in(&transaction, views, header, record, &place, replace)?;
        transaction.commit()?;
        Ok(written)
    };
    let failed = |cause: &gdal::errors::GdalError| failed("error.postgis_write", target, cause);
    let written = fill(&mut dataset).map_err(|e| failed(&e))?;
    // A transaction that has failed ends without an error when it is committed: what counts is what is there.
    drop(dataset);
    if has_run(target, header)? {
        return Ok(written);
    }
    Err(Error::Database { key: "error.postgis_write", params: params(target, "COMMIT") })
}

/// What is said where a run is there already.
#[must_use]
pub fn exists(target: &Target, header: &Header) -> Error {
    let params = vec![("run", header.run_id.clone()), ("target", target.to_string())];
    Error::Usage { key: "error.postgis_exists", params }
}

fn run_in(
    dataset: &Dataset,
    views: &[LayerView<'_>],
    header: &Header,
    record: &RunRecord<'_>,
    place: &str,
    replace: bool,
) -> gdal::errors::Result<u64> {
    let schema = schema(header.audience);
    let run_id = literal(&header.run_id);
    run(dataset, &format!("CREATE SCHEMA IF NOT EXISTS {schema}"))?;
    run(
        dataset,
        &format!(
            "CREATE TABLE IF NOT EXISTS {schema}.runs (run_id text PRIMARY KEY, version text NOT NULL, language text NOT NULL, \
             draft boolean NOT NULL, notices text[] NOT NULL, attributions text[] NOT NULL)"
        ),
    )?;
    // Two runs that write at once do so one after the other.
    run(dataset, &format!("LOCK TABLE {schema}.runs IN SHARE ROW EXCLUSIVE MODE"))?;
    if replace {
        // Its rows in the layers go with it.
        run(dataset, &format!("DELETE FROM {schema}.runs WHERE run_id = {run_id}"))?;
    }
    let list = |lines: &[String]| {
        let lines: Vec<String> = lines.iter().map(|line| literal(line)).collect();
        format!("ARRAY[{}]::text[]", lines.join(", "))
    };
    run(
        dataset,
        &format!(
            "INSERT INTO {schema}.runs VALUES ({run_id}, {}, {}, {}, {}, {})",
            literal(record.version),
            literal(header.lang.code()),
            record.draft,
            list(&header.notices),
            list(record.attributions),
        ),
    )?;
    let mut written = 0;
    for view in views {
        table(dataset, view, header, place)?;
        insert(&dataset.layer_by_name(&format!("{schema}.{}", view.name()))?, view)?;
        let table = format!("{schema}.{}", quoted(view.name()));
        let found = number(dataset, &format!("SELECT count(*) FROM {table} WHERE run_id = {run_id}"))?;
        if u64::try_from(found).ok() != Some(view.len() as u64) {
            return Err(gdal::errors::GdalError::BadArgument(format!(
                "{table}: {found}, not {}",
                view.len()
            )));
        }
        written += view.len() as u64;
    }
    Ok(written)
}

/// Makes the table of a layer, or adds the columns that an earlier version did not have.
fn table(dataset: &Dataset, view: &LayerView<'_>, header: &Header, place: &str) -> gdal::errors::Result<()> {
    let schema = schema(header.audience);
    let table = format!("{schema}.{}", quoted(view.name()));
    let geometry = match view.geometry() {
        LayerGeometry::Point => Some("Point"),
        LayerGeometry::MultiLineString => Some("MultiLineString"),
        LayerGeometry::MultiPolygon => Some("MultiPolygon"),
        LayerGeometry::None => None,
    };
    let column = geometry.map(|kind| format!("geom {place}.geometry({kind}, 4326), ")).unwrap_or_default();
    run(
        dataset,
        &format!(
            "CREATE TABLE IF NOT EXISTS {table} (fid bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, id text NOT NULL, \
             run_id text NOT NULL REFERENCES {schema}.runs ON DELETE CASCADE, \
             {column}UNIQUE (run_id, id))"
        ),
    )?;
    for field in view.fields() {
        let kind = match field.kind {
            FieldKind::Text => "text",
            FieldKind::Integer => "bigint",
            FieldKind::Real => "double precision",
            FieldKind::Boolean => "boolean",
            FieldKind::Json => "jsonb",
        };
        let column = quoted(field.name);
        run(dataset, &format!("ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {column} {kind}"))?;
        let told = format!("{}. {}", field.alias(header.lang), about(field, header.lang));
        run(dataset, &format!("COMMENT ON COLUMN {table}.{column} IS {}", literal(&told)))?;
    }
    if geometry.is_some() {
        let index = quoted(&format!("{}_geom", view.name()));
        run(dataset, &format!("CREATE INDEX IF NOT EXISTS {index} ON {table} USING gist (geom)"))?;
    }
    let mut said = vec![header.title(view.def())];
    said.extend(header.notices.iter().cloned());
    run(dataset, &format!("COMMENT ON TABLE {table} IS {}", literal(&said.join("\n"))))
}

fn open(target: &Target) -> Result<Dataset> {
    sources::quiet_gdal();
    sources::forget_gdal_failures();
    let options = DatasetOptions {
        open_flags: GdalOpenFlags::GDAL_OF_UPDATE | GdalOpenFlags::GDAL_OF_VECTOR,
        allowed_drivers: Some(&["PostgreSQL"]),
        ..DatasetOptions::default()
    };
    if gdal::DriverManager::get_driver_by_name("PostgreSQL").is_err() {
        return Err(Error::Database { key: "error.postgis_driver", params: Vec::new() });
    }
    Dataset::open_ex(target.connection(), options).map_err(|e| failed("error.postgis_connect", target, &e))
}

/// The schema of the extension, as an identifier.
fn postgis(target: &Target, dataset: &Dataset) -> Result<String> {
    let sql = "SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'postgis'";
    let read = || -> gdal::errors::Result<Option<String>> {
        let Some(mut rows) = dataset.execute_sql(sql, None, Dialect::DEFAULT)? else { return Ok(None) };
        let Some(row) = rows.features().next() else { return Ok(None) };
        row.field_as_string(0)
    };
    match read().map_err(|e| failed("error.postgis_read", target, &e))? {
        Some(place) => Ok(quoted(&place)),
        None => Err(Error::Database { key: "error.postgis_extension", params: params(target, "") }),
    }
}

/// The number that a query gives.
fn number(dataset: &Dataset, sql: &str) -> gdal::errors::Result<i64> {
    let Some(mut rows) = dataset.execute_sql(sql, None, Dialect::DEFAULT)? else { return Ok(-1) };
    let Some(row) = rows.features().next() else { return Ok(-1) };
    Ok(row.field_as_integer64(0)?.unwrap_or(-1))
}

fn params(target: &Target, cause: &str) -> Vec<(&'static str, String)> {
    vec![("target", target.to_string()), ("cause", target.without_password(cause))]
}

/// What the server said first: what follows are its consequences.
fn failed(key: &'static str, target: &Target, error: &gdal::errors::GdalError) -> Error {
    let said = match error {
        gdal::errors::GdalError::CplError { msg, .. } | gdal::errors::GdalError::NullPointer { msg, .. } => {
            msg.clone()
        }
        gdal::errors::GdalError::BadArgument(told) => told.clone(),
        other => other.to_string(),
    };
    let cause = sources::gdal_failure().unwrap_or(said);
    let line: Vec<&str> = cause.split_whitespace().collect();
    Error::Database { key, params: params(target, &line.join(" ")) }
}

/// Rows go by COPY for as long as this lives: one statement for a layer and not one for a row.
struct Copying;

impl Copying {
    const OPTION: &str = "PG_USE_COPY";

    fn set() -> Self {
        // Fails only for a NUL byte in a literal.
        let _ = set_thread_local_config_option(Self::OPTION, "YES");
        Self
    }
}

impl Drop for Copying {
    fn drop(&mut self) {
        let _ = clear_thread_local_config_option(Self::OPTION);
    }
}
