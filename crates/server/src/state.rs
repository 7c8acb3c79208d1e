//! What every handler shares, behind one pointer: a request copies it more than once. Holds no secret but hashes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pmks_core::Pmks;
use pmks_transport::{Clock, Sampling};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::date::Date;
use crate::readers::Readers;
use crate::readiness::Readiness;
use crate::telemetry::Metrics;
use crate::{Authentication, Limits, LogFilter};

/// What every handler shares.
#[derive(Clone)]
pub struct State {
    pub(crate) pmks: Pmks,
    pub(crate) authentication: Arc<Authentication>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: Metrics,
    pub(crate) date: Arc<Date>,
    pub(crate) limits: Limits,
    pub(crate) readers: Readers,
    pub(crate) readiness: Arc<Readiness>,
    /// The log of this process; `None`: nobody may change it.
    pub(crate) log: Option<Arc<dyn LogFilter>>,
    /// Which traces that begin here are kept; `None`: none begins here.
    pub(crate) sampling: Option<Sampling>,
    /// The URL at which others reach this server; `None`: the command line's own process.
    pub(crate) url: Option<Arc<Url>>,
    /// The scheme of a server that listens at every address and has no name of its own: each caller reaches it at the
    /// one that it calls it by.
    pub(crate) anywhere: Option<&'static str>,
    /// Whether it listens on loopback, and so refuses whoever calls it by another name.
    pub(crate) loopback: bool,
    /// Where it listens, as text; `None`: nowhere.
    pub(crate) listens: Option<Arc<str>>,
    /// Ready once the server stops: ends streams.
    pub(crate) closing: CancellationToken,
    engine_runs: Arc<AtomicBool>,
}

impl State {
    /// Over a facade, with those who may come in.
    pub fn new(pmks: Pmks, authentication: Authentication, clock: Arc<dyn Clock>) -> Self {
        Self {
            pmks,
            authentication: Arc::new(authentication),
            clock,
            metrics: Metrics::install(),
            date: Arc::default(),
            limits: Limits::default(),
            readers: Readers::default(),
            readiness: Arc::default(),
            log: None,
            sampling: None,
            url: None,
            anywhere: None,
            loopback: false,
            listens: None,
            closing: CancellationToken::new(),
            engine_runs: Arc::default(),
        }
    }

    /// With a log whose filter may be changed.
    #[must_use]
    pub fn with_log(self, log: Arc<dyn LogFilter>) -> Self {
        Self { log: Some(log), ..self }
    }

    /// With traces that begin with requests. Those that come with a request go on without it.
    #[must_use]
    pub fn with_traces(self, sampling: Sampling) -> Self {
        // Known from the beginning, as all metrics: the collector's first batch may be far away.
        for outcome in ["sent", "dropped"] {
            metrics::counter!("pmks_trace_spans_total", "outcome" => outcome).increment(0);
        }
        Self { sampling: Some(sampling), ..self }
    }

    /// Says whether the engine runs in this process: `/readyz` answers 503 until it does.
    pub fn engine_runs(&self, runs: bool) {
        self.engine_runs.store(runs, Ordering::Release);
    }

    pub(crate) fn has_engine(&self) -> bool {
        self.engine_runs.load(Ordering::Acquire)
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State")
            .field("url", &self.url)
            .field("loopback", &self.loopback)
            .finish_non_exhaustive()
    }
}
