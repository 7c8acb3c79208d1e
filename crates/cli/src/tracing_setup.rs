//! The log: to standard error, filtered, as text or as JSON lines.

use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};

use pmks_server::LogFilter;
use pmks_traces::{TraceLayer, Traces};
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::{FilterExt as _, LevelFilter, Targets, filter_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Registry, reload};

use crate::error::{Error, Result};
use crate::registry;

/// The log, whose filter may be changed while the process runs.
pub(crate) struct Log {
    asked: Mutex<String>,
    handle: reload::Handle<Targets, Registry>,
}

impl LogFilter for Log {
    fn filter(&self) -> String {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, filter: &str) -> std::result::Result<(), String> {
        let read = read(filter)?;
        self.handle.reload(read).map_err(|error| error.to_string())?;
        filter.clone_into(&mut self.asked.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(())
    }
}

/// Installs the log.
///
/// # Errors
/// For a filter that cannot be read.
pub(crate) fn install(asked: &str, json: bool, traces: Option<&Traces>) -> Result<Arc<Log>> {
    let (filter, kept) = of(asked).map_err(|says| Error::usage(format!("--log {says}")))?;
    let filter = filter.and(filter_fn(says_no_secret));
    // A log that cannot be written, as on a full disk, is no reason to fail: the layer would tell of it by a panic.
    let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).log_internal_errors(false);
    let all = tracing_subscriber::registry();
    let installed = if json {
        all.with(log.json().with_filter(filter)).with(sent(traces)).try_init()
    } else {
        let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        all.with(log.with_ansi(colours).with_filter(filter)).with(sent(traces)).try_init()
    };
    installed.map_err(|error| Error::usage(format!("no log can be written: {error}")))?;
    Ok(Arc::new(kept))
}

/// What sends spans to a collector, if there is one.
fn sent<S>(traces: Option<&Traces>) -> Option<impl Layer<S> + use<S>>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    traces.map(|traces| traces.layer().with_filter(LevelFilter::INFO.and(filter_fn(TraceLayer::looks_at))))
}

/// A log that writes nothing.
#[cfg(test)]
pub(crate) fn silent() -> Arc<Log> {
    Arc::new(of("off").unwrap().1)
}

fn of(asked: &str) -> std::result::Result<(reload::Layer<Targets, Registry>, Log), String> {
    let (filter, handle) = reload::Layer::new(read(asked)?);
    Ok((filter, Log { asked: Mutex::new(asked.to_owned()), handle }))
}

/// What it logs is in the error that it returns.
const SAID_TWICE: &str = "rustls_platform_verifier=off";

fn read(filter: &str) -> std::result::Result<Targets, String> {
    let parts: Vec<&str> = filter.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    let targets = format!("{SAID_TWICE},{}", parts.join(","));
    targets.trim_end_matches(',').parse().map_err(|error| format!("{filter:?} is no filter: {error}"))
}

/// Of crates that write whole requests into their traces the errors alone are let through, whatever filter was asked
/// for. What they end with is told by us.
fn says_no_secret(metadata: &Metadata<'_>) -> bool {
    *metadata.level() == Level::ERROR || !registry::tells_secrets(metadata.target())
}
