//! GDAL as a guest of this process: silent, without network, and with what it has to say kept for the fault.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use gdal::errors::CplErrType;

use crate::error::Error;

/// Messages kept for one call; a broken file can give one a record.
const KEPT: usize = 64;

thread_local! {
    // GDAL calls the handler on the thread where the trouble is, so that readers on several threads do not
    // see each other's messages.
    static FAILURES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Sets GDAL up, once for the process: messages are kept and not printed, and no request goes out.
///
/// Every stage that calls GDAL calls this first.
pub fn quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        gdal::config::set_error_handler(|class, _, message| {
            if matches!(class, CplErrType::Failure | CplErrType::Fatal) {
                FAILURES.with(|kept| {
                    if let Ok(mut kept) = kept.try_borrow_mut()
                        && kept.len() < KEPT
                    {
                        kept.push(message.to_owned());
                    }
                });
            }
        });
        for (key, value) in [
            // What the user's environment says is meant for other programs: drivers of others, drivers left out,
            // a file of further options.
            ("GDAL_DRIVER_PATH", "disable"),
            ("OGR_DRIVER_PATH", ""),
            ("GDAL_SKIP", ""),
            ("OGR_SKIP", ""),
            ("GDAL_CONFIG_FILE", ""),
            ("OGR_SQLITE_PRAGMA", ""),
            ("OGR_GEOJSON_MAX_OBJ_SIZE", "200"),
            // Vector drivers fetch nothing by themselves, but a CRS can name a URL. A proxy that nobody serves
            // makes sure that such a request ends in this machine.
            ("GDAL_HTTP_PROXY", "127.0.0.1:9"),
            ("GDAL_HTTPS_PROXY", "127.0.0.1:9"),
            ("GDAL_HTTP_MAX_RETRY", "0"),
            ("GDAL_HTTP_CONNECTTIMEOUT", "1"),
            // Would write a .shx file beside an input.
            ("SHAPE_RESTORE_SHX", "NO"),
            ("OGR_SQLITE_LOAD_EXTENSIONS", "NO"),
            // Companions are listed and checked by the guard.
            ("GDAL_DISABLE_READDIR_ON_OPEN", "YES"),
            // Writes .aux.xml files beside an input.
            ("GDAL_PAM_ENABLED", "NO"),
            ("CPL_DEBUG", "OFF"),
        ] {
            // Fails only for a NUL byte in a literal.
            let _ = gdal::config::set_config_option(key, value);
        }
    });
}

/// Forgets the messages of earlier calls on this thread.
pub(crate) fn forget() {
    FAILURES.with(|kept| kept.borrow_mut().clear());
}

/// The first failure that GDAL reported on this thread since the last call, in one short line.
pub(crate) fn failure() -> Option<String> {
    FAILURES.with(|kept| {
        let mut kept = kept.borrow_mut();
        let first = kept.first().map(|message| one_line(message));
        kept.clear();
        first
    })
}

/// At most 200 characters, without line breaks.
pub(super) fn one_line(message: &str) -> String {
    let mut line: String = message.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
    line.truncate(line.trim_end().len());
    line
}

thread_local! {
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// Runs a library that may panic on what no honest program writes; `None` if it did, and nothing is printed.
pub(super) fn contained<T>(run: impl FnOnce() -> T) -> Option<T> {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !CONTAINED.get() {
                before(info);
            }
        }));
    });
    let outer = CONTAINED.replace(true);
    // What the closure leaves half done is dropped with its result.
    let result = catch_unwind(AssertUnwindSafe(run)).ok();
    CONTAINED.set(outer);
    result
}

/// Refuses to transform coordinates while PROJ may fetch grids: the result would depend on the network. PROJ
/// takes this from the environment only, and changing the environment of a running process is not safe.
///
/// # Errors
/// [`Error::Environment`] if `PROJ_NETWORK` is on.
pub fn require_offline_proj() -> Result<(), Error> {
    let on = std::env::var("PROJ_NETWORK")
        .is_ok_and(|value| ["on", "yes", "true", "1"].iter().any(|word| value.eq_ignore_ascii_case(word)));
    if on { Err(Error::Environment("PROJ_NETWORK=ON".to_owned())) } else { Ok(()) }
}
