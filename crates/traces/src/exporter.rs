//! Sends spans in batches. One task; what it cannot send in time is dropped and counted.

use std::sync::Arc;
use std::time::Duration;

use pmks_transport::{Clock, Sampling};
use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::encode;
use crate::layer::TraceLayer;
use crate::settings::{Settings, Unusable};
use crate::span::Span;

/// How often a batch is tried that the collector may take later.
const TRIES: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Where spans wait to be sent.
#[derive(Clone)]
pub(crate) struct Queue(mpsc::Sender<Span>);

impl Queue {
    /// Never waits: what finds no room is dropped.
    pub(crate) fn send(&self, span: Span) {
        if self.0.try_send(span).is_err() {
            counted("dropped", 1);
        }
    }
}

/// The way to the collector.
pub struct Traces {
    sampling: Sampling,
    clock: Arc<dyn Clock>,
    queue: Queue,
    /// Taken when it begins.
    sender: Option<Sender>,
    running: Option<(watch::Sender<bool>, JoinHandle<()>)>,
}

struct Sender {
    settings: Settings,
    client: Client,
    spans: mpsc::Receiver<Span>,
    clock: Arc<dyn Clock>,
    /// Whether the last batch could not be sent: said once.
    failing: bool,
}

impl Traces {
    /// Makes ready; nothing is sent before [`Traces::begin`].
    ///
    /// # Errors
    /// For a certificate that cannot be read.
    pub fn new(settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, Unusable> {
        let client = client(&settings)?;
        let (sender, spans) = mpsc::channel(settings.queue);
        let sampling = settings.sampling;
        let sending = Sender { settings, client, spans, clock: Arc::clone(&clock), failing: false };
        Ok(Self { sampling, clock, queue: Queue(sender), sender: Some(sending), running: None })
    }

    /// What collects the spans: to be put into the subscriber, for what [`TraceLayer::looks_at`] says.
    pub fn layer(&self) -> TraceLayer {
        TraceLayer::new(Arc::clone(&self.clock), self.sampling, self.queue.clone())
    }

    /// Which traces that begin here are kept.
    pub fn sampling(&self) -> Sampling {
        self.sampling
    }

    /// Sends from now on, on the runtime that this is called on.
    pub fn begin(&mut self) {
        let Some(sender) = self.sender.take() else { return };
        let (stop, stopped) = watch::channel(false);
        self.running = Some((stop, tokio::spawn(sender.run(stopped))));
    }

    /// Sends what is left, for at most that long.
    pub async fn end(self, patience: Duration) {
        let Some((stop, mut running)) = self.running else { return };
        stop.send_replace(true);
        tokio::select! {
            _ = &mut running => {}
            () = self.clock.deadline(patience) => running.abort(),
        }
    }
}

/// A client of its own: the transport is for clouds, and must not trace itself.
#[expect(clippy::disallowed_methods, reason = "a collector is no cloud")]
fn client(settings: &Settings) -> Result<Client, Unusable> {
    let mut builder = Client::builder()
        .connect_timeout(settings.timeout)
        .timeout(settings.timeout)
        .redirect(reqwest::redirect::Policy::none())
        .pool_max_idle_per_host(1);
    if let Some(path) = &settings.certificate {
        let unreadable =
            |why: String| Unusable(format!("OTEL_EXPORTER_OTLP_CERTIFICATE: {}: {why}", path.display()));
        let pem = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
        let authorities =
            reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| unreadable(error.to_string()))?;
        builder = builder.tls_certs_merge(authorities);
    }
    builder.build().map_err(|error| Unusable(format!("no client for the collector: {error}")))
}

impl Sender {
    async fn run(mut self, mut stopped: watch::Receiver<bool>) {
        let mut batch = Vec::new();
        loop {
            let ends = self.gather(&mut batch, &mut stopped).await;
            if !batch.is_empty() {
                // Whoever ends does not wait for a collector that may come back.
                let tries = if ends { 1 } else { TRIES };
                self.send(&batch, tries, &mut stopped).await;
                batch.clear();
            } else if ends {
                return;
            }
        }
    }

    /// A batch: what comes within the delay after its first span, as many as fit. Answers whether it is time to end.
    async fn gather(&mut self, batch: &mut Vec<Span>, stopped: &mut watch::Receiver<bool>) -> bool {
        let most = self.settings.batch;
        let mut delay = None;
        while batch.len() < most {
            let room = most - batch.len();
            let (clock, wait) = (&self.clock, self.settings.delay);
            // Nobody is woken while nothing happens.
            let late = async {
                match &mut delay {
                    Some(delay) => delay.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                _ = stopped.wait_for(|stopped| *stopped) => {
                    while batch.len() < most && let Ok(span) = self.spans.try_recv() {
                        batch.push(span);
                    }
                    return true;
                }
                received = self.spans.recv_many(batch, room) => {
                    if received == 0 {
                        return true;
                    }
                }
                () = late => return false,
            }
            delay.get_or_insert_with(|| clock.deadline(wait));
        }
        *stopped.borrow()
    }

    async fn send(&mut self, batch: &[Span], tries: u32, stopped: &mut watch::Receiver<bool>) {
        let body = encode::request(&self.settings.resource, batch);
        let mut pause = FIRST_PAUSE;
        for left in (0..tries).rev() {
            let (why, again) = match self.post(body.clone()).await {
                Ok(()) => {
                    counted("sent", batch.len());
                    if std::mem::take(&mut self.failing) {
                        tracing::info!("traces are sent again");
                    }
                    return;
                }
                Err(failed) => failed,
            };
            if left == 0 || !again || *stopped.borrow() {
                if !std::mem::replace(&mut self.failing, true) {
                    tracing::warn!(why, "traces cannot be sent: they are dropped until they can");
                }
                break;
            }
            tokio::select! {
                _ = stopped.wait_for(|stopped| *stopped) => {}
                () = self.clock.deadline(pause) => {}
            }
            pause *= 2;
        }
        counted("dropped", batch.len());
    }

    /// Why it was not taken, and whether it may be later. The answer's body is not read.
    ///
    /// Source: <https://opentelemetry.io/docs/specs/otlp/#failures-1>
    async fn post(&self, body: Vec<u8>) -> Result<(), (String, bool)> {
        let request = self
            .client
            .post(self.settings.endpoint.clone())
            .headers(self.settings.headers.clone())
            .header(CONTENT_TYPE, "application/x-protobuf")
            .body(body);
        match request.send().await {
            Ok(response) if response.status().is_success() => Ok(()),
            Ok(response) => {
                let status = response.status().as_u16();
                Err((format!("the collector answers {status}"), matches!(status, 429 | 502 | 503 | 504)))
            }
            // An endpoint may hold a key.
            Err(error) => Err((error.without_url().to_string(), true)),
        }
    }
}

fn counted(outcome: &'static str, spans: usize) {
    let spans = u64::try_from(spans).unwrap_or(u64::MAX);
    metrics::counter!("pmks_trace_spans_total", "outcome" => outcome).increment(spans);
}
