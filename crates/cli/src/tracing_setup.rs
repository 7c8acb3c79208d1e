//! The log: to standard error, filtered, as text or as JSON lines.

use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};

use pmks_server::LogFilter;
use pmks_traces::{TraceLayer, Traces};
use tracing::{Dispatch, Level, Metadata, Subscriber};
use tracing_subscriber::filter::{FilterExt as _, LevelFilter, Targets, filter_fn};
use tracing_subscriber::layer::{Filter, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Registry, reload};

use crate::error::{Error, Result};
use crate::log_writer::{LastLines, LogWriter};
use crate::{output, registry};

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

/// Installs the log, with what waits for its last lines.
///
/// # Errors
/// For a filter that cannot be read.
pub(crate) fn install(asked: &str, json: bool, traces: Option<&Traces>) -> Result<(Arc<Log>, LastLines)> {
    let (filter, kept) = of(asked).map_err(|says| Error::usage(format!("--log {says}")))?;
    let unwritten = |error: &dyn std::fmt::Display| Error::usage(format!("no log can be written: {error}"));
    let (to, last) = LogWriter::begin(std::io::stderr()).map_err(|error| unwritten(&error))?;
    every(filter, to, json, traces).try_init().map_err(|error| unwritten(&error))?;
    Ok((Arc::new(kept), last))
}

/// Everything that looks at spans and events.
fn every<W: Write + Clone + Send + Sync + 'static>(
    filter: reload::Layer<Targets, Registry>,
    to: W,
    json: bool,
    traces: Option<&Traces>,
) -> Dispatch {
    let filter = wanted(filter);
    // The layer would tell of what it cannot write by a panic.
    let log = tracing_subscriber::fmt::layer().log_internal_errors(false);
    let log: Box<dyn Layer<Registry> + Send + Sync> = if json {
        let log = log.with_writer(move || OneLine { to: to.clone(), form: Form::Json });
        log.json().with_filter(filter).boxed()
    } else {
        let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let log = log.with_writer(move || OneLine { to: to.clone(), form: Form::Text { coloured: colours } });
        log.with_ansi(colours).with_filter(filter).boxed()
    };
    let log = tracing_subscriber::registry().with(log);
    // A layer that is none would have every span made: it has no filter that says that nobody looks at it.
    match traces {
        Some(traces) => log.with(sent(traces)).into(),
        None => log.into(),
    }
}

/// What the log writes. Of everything below the level that was asked for nothing is made to be looked at: a filter that
/// names no level would have each SQL statement told in full, and thrown away.
fn wanted(asked: reload::Layer<Targets, Registry>) -> impl Filter<Registry> {
    asked.and(filter_fn(says_no_secret).with_max_level_hint(LevelFilter::TRACE))
}

/// Writes each event as one line in which nothing steers a terminal, whatever was written into it: a cloud's message
/// cannot make a line that looks like another event. The subscriber hands over an event whole; in text it escapes its
/// message alone, and in JSON what JSON wants escaped.
struct OneLine<W> {
    to: W,
    form: Form,
}

/// How an event is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// As text, of which the subscriber perhaps colours words.
    Text { coloured: bool },
    /// As JSON.
    Json,
}

impl<W: Write> OneLine<W> {
    fn line(&self, event: &str) -> String {
        if self.form == Form::Json {
            return output::escaped(event) + "\n";
        }
        let coloured = self.form == Form::Text { coloured: true };
        let mut line = String::with_capacity(event.len() + 1);
        let mut rest = event;
        while let Some(c) = rest.chars().next() {
            let after = rest.get(c.len_utf8()..).unwrap_or_default();
            match colour(rest).filter(|_| coloured) {
                Some((colour, after)) => {
                    line.push_str(colour);
                    rest = after;
                    continue;
                }
                None if output::steers(c) => line.extend(c.escape_default()),
                None => line.push(c),
            }
            rest = after;
        }
        line.push('\n');
        line
    }
}

/// The order that a text begins with and that changes colours alone, and what follows it.
fn colour(text: &str) -> Option<(&str, &str)> {
    let end = text.strip_prefix("\u{1b}[")?.find(|c: char| !c.is_ascii_digit() && c != ';')? + 2;
    let order = text.get(..=end)?;
    order.ends_with('m').then(|| (order, text.get(order.len()..).unwrap_or_default()))
}

impl<W: Write> Write for OneLine<W> {
    fn write(&mut self, event: &[u8]) -> std::io::Result<usize> {
        self.write_all(event).map(|()| event.len())
    }

    fn write_all(&mut self, event: &[u8]) -> std::io::Result<()> {
        let body = event.strip_suffix(b"\n").unwrap_or(event);
        if body.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ') {
            return self.to.write_all(event);
        }
        let line = self.line(&String::from_utf8_lossy(body));
        self.to.write_all(line.as_bytes())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.to.flush()
    }
}

/// What sends spans to a collector.
fn sent<S>(traces: &Traces) -> impl Layer<S> + use<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    traces.layer().with_filter(
        LevelFilter::INFO.and(filter_fn(TraceLayer::looks_at).with_max_level_hint(LevelFilter::INFO)),
    )
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

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// What must not reach a terminal, with a line that looks like one of ours.
    const HOSTILE: &str =
        "a\r\n2026-01-01T00:00:00Z ERROR forged\u{1b}]0;x\u{7}\u{9b}2J\u{85}\u{202e}b\u{2066}\u{2028}\u{7f}";

    fn steering(text: &str) -> usize {
        text.chars().filter(|c| output::steers(*c) && *c != '\n').count()
    }

    #[test]
    fn an_event_in_json_is_a_line_that_is_read_as_it_was_said() {
        let kept = Kept::default();
        let writes = kept.clone();
        let log = tracing_subscriber::fmt::layer()
            .json()
            .with_writer(move || OneLine { to: writes.clone(), form: Form::Json });
        tracing::subscriber::with_default(tracing_subscriber::registry().with(log), || {
            let _span = tracing::info_span!("request", who = HOSTILE).entered();
            tracing::info!(text = HOSTILE, "{HOSTILE}");
            tracing::info!("the next one");
        });
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        assert_eq!((text.lines().count(), steering(&text)), (2, 0), "{text:?}");
        let event: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        for said in [&event["fields"]["text"], &event["fields"]["message"], &event["span"]["who"]] {
            assert_eq!(said, HOSTILE);
        }
    }

    #[test]
    fn a_span_is_made_where_somebody_looks_at_it_alone() {
        let all = tracing_subscriber::registry();
        let made = tracing::subscriber::with_default(all, || tracing::info_span!("request").metadata());
        let metadata = made.unwrap();
        let interest = |asked: &str| {
            let (filter, log) = of(asked).unwrap();
            let all = every(filter, Kept::default(), true, None);
            let before = all.register_callsite(metadata);
            log.set("info").unwrap();
            (before.is_never(), all.register_callsite(metadata).is_never())
        };
        assert_eq!(interest("warn"), (true, false));
        assert_eq!(interest("debug"), (false, false));
    }

    #[test]
    fn what_is_below_the_level_that_was_asked_for_is_not_made() {
        let (filter, log) = of("warn").unwrap();
        let wanted = wanted(filter);
        assert_eq!(wanted.max_level_hint(), Some(LevelFilter::WARN));
        log.set("info,pmks_core=debug").unwrap();
        assert_eq!(wanted.max_level_hint(), Some(LevelFilter::DEBUG));
    }

    #[test]
    fn an_event_is_a_line_and_steers_no_terminal() {
        let kept = Kept::default();
        let writes = kept.clone();
        let log = tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .with_writer(move || OneLine { to: writes.clone(), form: Form::Text { coloured: false } });
        let hostile = HOSTILE;
        let error = std::io::Error::other(hostile);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(log), || {
            let _span = tracing::info_span!("request", name = %hostile, shown = hostile).entered();
            tracing::info!(error = %error, shown = ?hostile, text = hostile, "{hostile}");
            tracing::info!("the next one");
        });
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 2, "{text:?}");
        assert!(text.matches("forged").count() >= 4, "{text:?}");
        assert_eq!(steering(&text), 0, "{text:?}");
    }

    #[test]
    fn of_the_orders_to_a_terminal_colours_alone_are_kept() {
        let log = OneLine { to: Kept::default(), form: Form::Text { coloured: true } };
        assert_eq!(log.line("\u{1b}[2m1\u{1b}[0m \u{1b}[1;31ma"), "\u{1b}[2m1\u{1b}[0m \u{1b}[1;31ma\n");
        assert_eq!(log.line("\u{1b}[2J\u{1b}]0;x\u{7}\u{1b}["), "\\u{1b}[2J\\u{1b}]0;x\\u{7}\\u{1b}[\n");
        assert_eq!(log.line("한글\u{1f680}"), "한글\u{1f680}\n");
    }
}
