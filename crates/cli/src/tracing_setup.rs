//! The log: to standard error, filtered, as text or as JSON lines.

use std::io::IsTerminal;

use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::error::{Error, Result};
use crate::registry;

/// Installs the log.
///
/// # Errors
/// For a filter that cannot be read.
pub(crate) fn install(filter: &str, json: bool) -> Result<()> {
    let filter = EnvFilter::try_new(filter)
        .map_err(|error| Error::usage(format!("--log {filter:?} is no filter: {error}")))?;
    let filter = filter.and(filter_fn(says_no_secret));
    let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let all = tracing_subscriber::registry();
    let installed = if json {
        all.with(log.json().with_filter(filter)).try_init()
    } else {
        let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        all.with(log.with_ansi(colours).with_filter(filter)).try_init()
    };
    installed.map_err(|error| Error::usage(format!("no log can be written: {error}")))
}

/// Of crates that write whole requests into their traces the errors alone are let through, whatever filter was asked
/// for. What they end with is told by us.
fn says_no_secret(metadata: &Metadata<'_>) -> bool {
    *metadata.level() == Level::ERROR || !registry::tells_secrets(metadata.target())
}
