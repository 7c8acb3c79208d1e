//! One try of a call: sign, send, read the answer within its limits, tell observers and recorders. Repeats nothing.

use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use jiff::Timestamp;

use crate::skew::Dated;
use crate::{
    Call, CallFacts, Client, Error, ErrorKind, Exchange, Fault, Outcome, Response, SignContext, SignError,
    response, skew, telemetry,
};

/// An answer, and what it told about this machine's clock.
pub(crate) struct Answered {
    pub(crate) response: Response,
    /// What was sent, as it was signed.
    pub(crate) request: http::Request<Bytes>,
    /// By the answer's date, the request was signed at a wrong time.
    pub(crate) clock_was_wrong: bool,
}

pub(crate) struct Attempt<'a> {
    client: &'a Client,
    call: &'a Call,
    facts: CallFacts,
    /// What is left of the call's time when this try begins.
    left: Duration,
    /// The host's time as it was believed to be when this was signed.
    signed_at: Timestamp,
}

/// Who was told of a try. Those that wait for its end when it is dropped hear that it was abandoned.
struct Told<'a> {
    attempt: &'a Attempt<'a>,
    /// When it was sent, until it has ended.
    since: Option<Duration>,
    /// Which observers were told of its beginning, and not of its end.
    waiting: Range<usize>,
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        let (facts, shared) = (&self.attempt.facts, &self.attempt.client.transport.shared);
        if let Some(since) = self.since {
            let duration = shared.clock.monotonic().saturating_sub(since);
            telemetry::abandoned(facts.provider, facts.service, facts.action, duration);
        }
        for observer in shared.observers.iter().take(self.waiting.end).skip(self.waiting.start) {
            observer.abandoned(facts);
        }
    }
}

impl<'a> Attempt<'a> {
    pub(crate) fn new(client: &'a Client, call: &'a Call, attempt: u32, left: Duration) -> Self {
        let facts = CallFacts {
            provider: client.provider(),
            account: client.account().to_owned(),
            service: call.service,
            action: call.action,
            effect: call.effect,
            lane: call.lane,
            host: authority(call),
            path: call.url.path().to_owned(),
            attempt,
            nth: 0,
        };
        let signed_at = context(client, call).now;
        Self { client, call, facts, left, signed_at }
    }

    pub(crate) async fn run(mut self) -> Result<Answered, Error> {
        let shared = &self.client.transport.shared;
        let began = shared.clock.monotonic();
        let request = self.signed().await?;
        self.left = self.left.saturating_sub(shared.clock.monotonic().saturating_sub(began));
        self.facts.nth = self.client.count(self.call.action);
        let mut told = Told { attempt: &self, since: None, waiting: 0..0 };
        for observer in &shared.observers {
            observer.before(&self.facts).await;
            told.waiting.end += 1;
        }
        told.since = Some(shared.clock.monotonic());
        let fault = shared.faults.as_ref().map_or(Fault::Pass, |layer| layer.fault(&self.facts));
        let injected = fault != Fault::Pass;
        let (wall, started) = (shared.clock.wall(), shared.clock.monotonic());
        let mut result = self.send(&request, fault).await;
        let duration = shared.clock.monotonic().saturating_sub(started);
        let clock_was_wrong = match &mut result {
            Ok(response) => {
                response.duration = duration;
                !injected && self.learn_clock(response, (wall, started), duration)
            }
            Err(_) => false,
        };
        told.since = None;
        let outcome = outcome(&result);
        telemetry::tried(self.facts.provider, self.facts.service, self.facts.action, outcome, duration);
        self.record(&request, wall, &result, duration, injected);
        for observer in &shared.observers {
            told.waiting.start += 1;
            observer.after(&self.facts, outcome).await;
        }
        result.map(|response| Answered { response, request, clock_was_wrong })
    }

    async fn signed(&mut self) -> Result<http::Request<Bytes>, Error> {
        let (shared, call) = (&self.client.transport.shared, self.call);
        let mut request = http::Request::new(call.body.clone());
        *request.method_mut() = call.method.clone();
        *request.uri_mut() = call.url.as_str().parse().map_err(|error: http::uri::InvalidUri| {
            Error::new(ErrorKind::Invalid, call.action, "the URL is not one").caused_by(error)
        })?;
        *request.headers_mut() = call.headers.clone();
        let context = context(self.client, call);
        self.signed_at = context.now;
        let refused = tokio::select! {
            biased;
            signed = self.client.options.signer.sign(&mut request, context) => signed.err(),
            () = shared.clock.deadline(self.left) => {
                Some(SignError::unavailable("no credential within the time limit"))
            }
        };
        match refused {
            None => Ok(request),
            Some(error) => {
                let kind = ErrorKind::Signing { temporary: error.temporary };
                Err(self.error(kind, "the call could not be signed").caused_by(error))
            }
        }
    }

    async fn send(&self, request: &http::Request<Bytes>, fault: Fault) -> Result<Response, Error> {
        let clock = self.client.transport.clock();
        match fault {
            Fault::Pass => self.exchange(request, self.left).await,
            Fault::Throttle { retry_after } => Ok(throttled(retry_after)),
            Fault::Answer { status, content_type, body } => Ok(answer(status, content_type, body)),
            Fault::Refuse => Err(self.error(ErrorKind::NotSent, "connection refused (injected)")),
            Fault::ResetBefore => Err(self.error(ErrorKind::Lost, "connection reset (injected)")),
            Fault::DropAnswer => {
                self.exchange(request, self.left).await?;
                Err(self.error(ErrorKind::Lost, "the answer was dropped (injected)"))
            }
            Fault::ApplyLater(delay) => {
                self.apply_later(request, delay);
                Err(self.error(ErrorKind::Lost, "connection reset (injected)"))
            }
            Fault::Delay(delay) if delay >= self.left => {
                clock.sleep(self.left).await;
                Err(self.error(ErrorKind::Lost, "no answer within the time limit (injected)"))
            }
            Fault::Delay(delay) => {
                clock.sleep(delay).await;
                self.exchange(request, self.left.saturating_sub(delay)).await
            }
            Fault::Garbage => {
                let real = self.exchange(request, self.left).await?;
                Ok(Response { body: Bytes::from_static(b"\x00\xff<garbage"), ..real })
            }
            Fault::Truncate => {
                self.exchange(request, self.left).await?;
                Err(self.error(ErrorKind::Lost, "the answer broke off (injected)"))
            }
        }
    }

    fn apply_later(&self, request: &http::Request<Bytes>, delay: Duration) {
        let (client, call, request) = (self.client.clone(), self.call.clone(), request.clone());
        let (attempt, facts, signed_at) = (self.left, self.facts.clone(), self.signed_at);
        tokio::spawn(async move {
            client.transport.clock().sleep(delay).await;
            let late = Attempt { client: &client, call: &call, facts, left: attempt, signed_at };
            // The connection died for whoever asked; nobody is left to hear the answer.
            let _ = late.exchange(&request, attempt).await;
        });
    }

    /// Sends the request and reads the whole answer, within `left`.
    async fn exchange(&self, request: &http::Request<Bytes>, left: Duration) -> Result<Response, Error> {
        let clock = self.client.transport.clock();
        tokio::select! {
            biased;
            result = self.talk(request) => result,
            () = clock.deadline(left) => Err(self.error(ErrorKind::Lost, "no whole answer within the time limit")),
        }
    }

    async fn talk(&self, request: &http::Request<Bytes>) -> Result<Response, Error> {
        let limits = self.client.limits_of(self.call);
        let wire = self.wire(request)?;
        let first = self.client.wanted.connect + limits.read;
        let mut answer = self.within(first, wire.1.execute(wire.0)).await?;
        let mut body = self.client.transport.shared.large.body();
        while let Some(piece) = self.within(limits.read, answer.chunk()).await? {
            if body.len() + piece.len() > limits.body_bytes {
                let message = format!("the answer is larger than {} bytes", limits.body_bytes);
                return Err(self.error(ErrorKind::TooLarge, &message));
            }
            body.push(&piece).await;
        }
        let headers = std::mem::take(answer.headers_mut());
        Ok(Response {
            status: answer.status(),
            request_id: response::request_id(&headers),
            headers,
            body: body.whole(),
            duration: Duration::ZERO,
        })
    }

    /// The request as it goes out, and the pool that it goes out by. The URL is taken from the signed request: a
    /// signer may put the signature into the query.
    fn wire(&self, request: &http::Request<Bytes>) -> Result<(reqwest::Request, reqwest::Client), Error> {
        let url = request.uri().to_string().parse().map_err(|error: url::ParseError| {
            self.error(ErrorKind::Invalid, "the signed URL is not one").caused_by(error)
        })?;
        let pools = &self.client.transport.shared.pools;
        let certificate = self.client.options.client_certificate.as_ref();
        let client = pools.client(&self.client.wanted, &url, certificate).map_err(|error| {
            self.error(ErrorKind::NotSent, "no TLS configuration can be made").caused_by(error.without_url())
        })?;
        let mut wire = reqwest::Request::new(request.method().clone(), url);
        *wire.headers_mut() = request.headers().clone();
        *wire.body_mut() = Some(request.body().clone().into());
        Ok((wire, client))
    }

    async fn within<T>(
        &self,
        limit: Duration,
        step: impl Future<Output = Result<T, reqwest::Error>>,
    ) -> Result<T, Error> {
        tokio::select! {
            biased;
            result = step => result.map_err(|error| self.failed(error)),
            () = self.client.transport.clock().deadline(limit) => {
                Err(self.error(ErrorKind::Lost, "the answer stopped coming"))
            }
        }
    }

    /// What a failure of the connection means for the call.
    fn failed(&self, error: reqwest::Error) -> Error {
        let (kind, message) = if distrusts(&error) {
            let host = &self.facts.host;
            let says = format!(
                "nobody who is trusted here signed the certificate of `{host}`; --ca-file names another"
            );
            (ErrorKind::NotSent, says)
        } else if error.is_connect() || error.is_builder() {
            (ErrorKind::NotSent, format!("no connection to `{}`", self.facts.host))
        } else {
            (
                ErrorKind::Lost,
                format!("the connection to `{}` broke before the answer was whole", self.facts.host),
            )
        };
        self.error(kind, &message).caused_by(error.without_url())
    }

    fn error(&self, kind: ErrorKind, message: &str) -> Error {
        Error::new(kind, self.call.action, message)
    }

    /// Whether it was signed at a wrong time, by the answer.
    fn learn_clock(&self, response: &Response, sent: (Timestamp, Duration), duration: Duration) -> bool {
        let Some(date) = response::date(&response.headers) else {
            return false;
        };
        let (wall, monotonic) = sent;
        let middle = (wall.saturating_add(duration / 2).unwrap_or(wall), monotonic + duration / 2);
        let answer = Dated { date, refuses: response::is_refusal(response) };
        self.client.transport.shared.skew.learn(&self.facts.host, middle, answer);
        skew::was_off(self.signed_at, duration, date)
    }

    fn record(
        &self,
        request: &http::Request<Bytes>,
        at: Timestamp,
        result: &Result<Response, Error>,
        duration: Duration,
        injected: bool,
    ) {
        let recorders = &self.client.transport.shared.recorders;
        if recorders.is_empty() {
            return;
        }
        let redaction = &self.client.options.redaction;
        let answer = result.as_ref().ok();
        let exchange = Exchange {
            at,
            provider: self.facts.provider.to_owned(),
            service: self.facts.service.to_owned(),
            action: self.facts.action.to_owned(),
            effect: self.facts.effect,
            attempt: self.facts.attempt,
            method: request.method().to_string(),
            url: redaction.url(&request.uri().to_string()),
            request_headers: redaction.headers(request.headers()),
            request_body: redaction.body(content_type(request.headers()), request.body()),
            status: answer.map(|response| response.status.as_u16()),
            response_headers: answer.map(|response| redaction.headers(&response.headers)).unwrap_or_default(),
            response_body: answer
                .map(|response| redaction.body(content_type(&response.headers), &response.body))
                .unwrap_or_default(),
            duration_ms: telemetry::millis(duration),
            outcome: result.as_ref().map_or_else(|error| error.kind().as_str(), |_| "answered").to_owned(),
            error: result.as_ref().err().map(|error| redaction.text(error.message())),
            injected,
        };
        for recorder in recorders {
            recorder.record(exchange.clone());
        }
    }
}

/// What a try of a call is signed for, now.
pub(crate) fn context<'a>(client: &'a Client, call: &'a Call) -> SignContext<'a> {
    let shared = &client.transport.shared;
    SignContext {
        service: call.sign_as.as_deref().unwrap_or(call.service),
        region: call.region.as_deref().or(client.options.region.as_deref()),
        now: shared.skew.correct(&authority(call), (shared.clock.wall(), shared.clock.monotonic())),
    }
}

/// Whether the peer's certificate is signed by nobody who is known, as behind a proxy that looks into TLS.
fn distrusts(error: &reqwest::Error) -> bool {
    let unknown = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
    of_tls(error).is_some_and(|error| *error == unknown)
}

/// An error of input and output tells of the one within it in its own way alone.
fn of_tls<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a rustls::Error> {
    if let Some(io) = error.downcast_ref::<std::io::Error>() {
        return io.get_ref().and_then(|within| of_tls(within));
    }
    error.downcast_ref().or_else(|| error.source().and_then(of_tls))
}

fn outcome(result: &Result<Response, Error>) -> Outcome {
    match result.as_ref().map_err(Error::kind) {
        Ok(response) => Outcome::Answered(response.status.as_u16()),
        Err(ErrorKind::Lost) => Outcome::Lost,
        Err(ErrorKind::TooLarge) => Outcome::TooLarge,
        Err(_) => Outcome::NotSent,
    }
}

fn authority(call: &Call) -> String {
    let host = call.url.host_str().unwrap_or_default();
    call.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn content_type(headers: &HeaderMap) -> &str {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn answer(status: StatusCode, content_type: &'static str, body: Bytes) -> Response {
    let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(content_type))]);
    Response { status, headers, body, request_id: None, duration: Duration::ZERO }
}

fn throttled(retry_after: Option<Duration>) -> Response {
    let mut response = answer(StatusCode::TOO_MANY_REQUESTS, "text/plain", Bytes::from_static(b"slow down"));
    if let Some(after) = retry_after {
        response.headers.insert(header::RETRY_AFTER, HeaderValue::from(after.as_secs()));
    }
    response
}
