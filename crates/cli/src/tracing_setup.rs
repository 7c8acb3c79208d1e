//! The log: to standard error, filtered, as text or as JSON lines.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::error::{Error, Result};

/// Installs the log.
///
/// # Errors
/// For a filter that cannot be read.
pub(crate) fn install(filter: &str, json: bool) -> Result<()> {
    let filter = EnvFilter::try_new(filter)
        .map_err(|error| Error::usage(format!("--log {filter:?} is no filter: {error}")))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let installed = if json {
        log.json().try_init()
    } else {
        log.with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()).try_init()
    };
    installed.map_err(|error| Error::usage(format!("no log can be written: {error}")))
}
