//! Serves one simulated cloud on a loopback port: control routes, faults of the connection, the record of calls.
//!
//! Really cuts connections (TCP reset) where a fault says so; never listens beyond loopback; no task outlives
//! [`RunningCloud::stop`] by more than the grace period.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::DATE;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::body::{self, Body};
use crate::cloud::{self, Cloud, Shared};
use crate::exchange::{Cut, exchange};
use crate::https::{self, Secure};
use crate::{control, guard};

/// How long requests under way may take to end at shutdown.
const GRACE: Duration = Duration::from_secs(2);
/// How often the world is brought up to date while nobody asks: who watches a cluster's own API sees things happen.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How long a client may take to send its headers.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a client may take to send its body.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// The largest request line and headers, in bytes.
const LARGEST_HEAD: usize = 64 * 1024;
/// The largest request body, in bytes.
const LARGEST_BODY: usize = 8 * 1024 * 1024;

/// Why a cloud could not be served.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on 127.0.0.1:{port}")]
pub struct ServeError {
    port: u16,
    #[source]
    source: std::io::Error,
}

/// A cloud that is being served.
#[derive(Debug)]
pub struct RunningCloud {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl RunningCloud {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops taking connections and waits, shortly, for requests under way.
    pub async fn stop(self) {
        // Nobody listening any more means that it has stopped already.
        self.stop.send_replace(true);
        if let Err(error) = self.task.await {
            tracing::warn!(%error, "the simulated cloud ended abnormally");
        }
    }
}

/// Serves `cloud` on 127.0.0.1; port 0 lets the system choose.
///
/// # Errors
/// When the port cannot be had.
pub async fn serve(cloud: Shared, port: u16) -> Result<RunningCloud, ServeError> {
    let failed = |source| ServeError { port, source };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let (stop, stopped) = watch::channel(false);
    let tls = acceptor(&*cloud);
    let task = tokio::spawn(accept(cloud, tls, listener, stopped));
    Ok(RunningCloud { address, stop, task })
}

/// The ready file's content for these clouds, each with where it is served.
pub fn ready_file(clouds: &[(&dyn Cloud, &RunningCloud)]) -> Value {
    let clouds: BTreeMap<&str, Value> = clouds
        .iter()
        .map(|(cloud, running)| {
            let url = running.url();
            let mut entry = json!({"control": format!("{url}/_sim"), "connection": cloud.connection(&url)});
            if let (Some(members), Some(token)) = (entry.as_object_mut(), cloud.access_token()) {
                members.insert("accessToken".to_owned(), token.into());
            }
            if let (Some(members), Some(authority)) = (entry.as_object_mut(), cloud.authority()) {
                members.insert("httpsEndpoint".to_owned(), format!("https://{}", running.address).into());
                members.insert("caCertificate".to_owned(), authority.certificate_pem().into());
            }
            (cloud.name(), entry)
        })
        .collect();
    json!({"clouds": clouds})
}

/// What accepts HTTPS, where the cloud has an authority; without it there is HTTP alone.
fn acceptor(cloud: &dyn Cloud) -> Option<TlsAcceptor> {
    let made = https::acceptor(&cloud.authority()?, cloud.controls().clock.wall());
    made.inspect_err(|error| tracing::error!(%error, "a simulated cloud has no HTTPS")).ok()
}

async fn accept(
    cloud: Shared,
    tls: Option<TlsAcceptor>,
    listener: TcpListener,
    mut stopped: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    let mut look = tokio::time::interval(LOOK_EVERY);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = look.tick() => {
                if cloud::next_due(&*cloud).is_some_and(|due| due <= cloud.controls().clock.now_work()) {
                    cloud::catch_up(&*cloud);
                }
            }
            () = asked_to_stop(&mut stopped) => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(Arc::clone(&cloud), tls.clone(), stream, stopped.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
        }
    }
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, ended).await.is_err() {
        connections.abort_all();
    }
}

/// One connection, over TLS if it begins so and the cloud has an authority.
async fn connection(
    cloud: Shared,
    tls: Option<TlsAcceptor>,
    stream: TcpStream,
    stopped: watch::Receiver<bool>,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot turn Nagle's algorithm off");
    }
    let secure = match &tls {
        Some(tls) if timeout(HEADER_TIMEOUT, https::begins(&stream)).await.unwrap_or(false) => Some(tls),
        _ => None,
    };
    match secure {
        None => serve_stream(cloud, stream, false, stopped, reset).await,
        Some(tls) => match timeout(HEADER_TIMEOUT, tls.accept(stream)).await {
            Ok(Ok(stream)) => {
                serve_stream(cloud, stream, true, stopped, |stream| reset(stream.get_ref().0)).await;
            }
            Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
            Err(_) => tracing::debug!("a TLS handshake did not end"),
        },
    }
}

async fn serve_stream<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    cloud: Shared,
    stream: S,
    secure: bool,
    mut stopped: watch::Receiver<bool>,
    reset: impl Fn(&S),
) {
    let service = service_fn(move |mut request: Request<Incoming>| {
        if secure {
            request.extensions_mut().insert(Secure);
        }
        answer(Arc::clone(&cloud), request)
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(LARGEST_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    let result = tokio::select! {
        result = &mut connection => result,
        () = asked_to_stop(&mut stopped) => {
            std::pin::Pin::new(&mut connection).graceful_shutdown();
            (&mut connection).await
        }
    };
    let Err(error) = result else { return };
    tracing::debug!(%error, "a connection ended early");
    if error.source().is_some_and(<dyn std::error::Error>::is::<Cut>) {
        reset(&connection.into_parts().io.into_inner());
    }
}

/// Returns when the server is to stop, or when nobody is left who could say so.
async fn asked_to_stop(stopped: &mut watch::Receiver<bool>) {
    drop(stopped.wait_for(|stopped| *stopped).await);
}

/// Without lingering, closing the socket sends RST instead of FIN, as a crashed peer or a middlebox does.
fn reset(stream: &TcpStream) {
    if let Err(error) = stream.set_zero_linger() {
        tracing::warn!(%error, "a connection is closed instead of reset");
    }
}

async fn answer(cloud: Shared, request: Request<Incoming>) -> Result<Response<Body>, Cut> {
    let (head, body) = request.into_parts();
    if !guard::is_local(&head.headers) {
        return Ok(plain(StatusCode::FORBIDDEN, "only loopback clients without a foreign origin may call"));
    }
    let body = match tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, LARGEST_BODY).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            return Ok(plain(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"));
        }
        Ok(Err(_)) | Err(_) => return Ok(plain(StatusCode::REQUEST_TIMEOUT, "the body did not come")),
    };
    let request = Request::from_parts(head, body);
    if control::is_control(request.uri().path()) {
        return Ok(control::answer(&*cloud, &request).map(body::whole));
    }
    exchange(&*cloud, request).await.map(|response| dated(&*cloud, response))
}

/// With the world's own date, which is the process's unless a test moves it: signatures are judged by it, and clients
/// correct their clocks by this header.
fn dated(cloud: &dyn Cloud, mut response: Response<Body>) -> Response<Body> {
    let date = cloud.controls().clock.wall().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(date) = HeaderValue::try_from(date) {
        response.headers_mut().entry(DATE).or_insert(date);
    }
    response
}

fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(body::whole(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = status;
    response
}
