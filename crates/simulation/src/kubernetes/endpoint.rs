//! The listener of one cluster: TLS on loopback, the front that asks who calls, and the way to the back.
//! Never answers anything of the cluster itself but health, and never listens beyond 127.0.0.1.

use std::convert::Infallible;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::header::AUTHORIZATION;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::pki_types::CertificateDer;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use super::certificate::Verifier;
use super::status::{Status, typed_response};
use super::{
    Authenticator, Authority, Back, Credential, Identity, Refusal, Request, Response, Result, WallClock,
};

/// The API server's own limit of a request's body.
const BODY_LIMIT: usize = 3 * 1024 * 1024;
/// How long a client may take for the handshake, and for each request's head (an idle connection closes after it).
const PATIENCE: Duration = Duration::from_secs(30);

/// What an endpoint is made of.
pub struct EndpointSettings {
    /// The cluster's name, as the authenticator is told it.
    pub cluster: String,
    /// The cluster's CA.
    pub authority: Arc<Authority>,
    /// The port of the last time, taken again if it is free; `None` or a taken one: any free port.
    pub port: Option<u16>,
    /// The cloud's way of telling who calls.
    pub authenticator: Arc<dyn Authenticator>,
    /// What answers.
    pub back: Arc<dyn Back>,
    /// The simulated cloud's clock; only its dates are read.
    pub clock: WallClock,
}

/// A cluster's Kubernetes endpoint. It listens until it is dropped; then its connections, watches too, end.
#[derive(Debug)]
pub struct Endpoint {
    address: SocketAddr,
    listening: AbortHandle,
}

struct Front {
    cluster: String,
    verifier: Arc<Verifier>,
    authenticator: Arc<dyn Authenticator>,
    back: Arc<dyn Back>,
    clock: WallClock,
}

impl Endpoint {
    /// Binds the port and begins to answer.
    ///
    /// # Errors
    /// [`super::Error::Listen`] when no port on loopback is free; `Certificate` or `Tls` when the server's
    /// certificate cannot be made.
    pub async fn start(settings: EndpointSettings) -> Result<Self> {
        let verifier = Arc::new(Verifier::new(settings.authority.certificate())?);
        let tls = server_tls(&settings, Arc::clone(&verifier))?;
        let listener = bind(settings.port).await?;
        let address = listener.local_addr()?;
        let front = Arc::new(Front {
            cluster: settings.cluster,
            verifier,
            authenticator: settings.authenticator,
            back: settings.back,
            clock: settings.clock,
        });
        let listening = tokio::spawn(listen(listener, TlsAcceptor::from(tls), front)).abort_handle();
        Ok(Self { address, listening })
    }

    /// `https://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// The port, to be asked for again after a restart.
    pub fn port(&self) -> u16 {
        self.address.port()
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl fmt::Debug for EndpointSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("EndpointSettings")
            .field("cluster", &self.cluster)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

fn server_tls(settings: &EndpointSettings, verifier: Arc<Verifier>) -> Result<Arc<rustls::ServerConfig>> {
    let (certificate, key) = settings.authority.issue_server((settings.clock)())?.for_tls()?;
    let mut tls =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![certificate], key)?;
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(tls))
}

async fn bind(port: Option<u16>) -> std::io::Result<TcpListener> {
    if let Some(port) = port
        && let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await
    {
        return Ok(listener);
    }
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await
}

/// Accepts until aborted; the connections belong to this task's set, so they end with it.
async fn listen(listener: TcpListener, tls: TlsAcceptor, front: Arc<Front>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve_connection(stream, tls.clone(), Arc::clone(&front)));
                }
                // Out of file descriptors: what is open must end before more can be accepted.
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

async fn serve_connection(stream: TcpStream, tls: TlsAcceptor, front: Arc<Front>) {
    // A watch's small frames would otherwise wait for the client's delayed acknowledgement.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let Ok(Ok(stream)) = tokio::time::timeout(PATIENCE, tls.accept(stream)).await else {
        return;
    };
    let chain: Arc<[CertificateDer<'static>]> =
        stream.get_ref().1.peer_certificates().unwrap_or_default().to_vec().into();
    let service = service_fn(move |request| {
        let (front, chain) = (Arc::clone(&front), Arc::clone(&chain));
        async move { Ok::<_, Infallible>(front.answer(&chain, request).await) }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::trace!(%error, "a connection to a simulated cluster ended");
    }
}

impl Front {
    async fn answer(&self, chain: &[CertificateDer<'static>], request: http::Request<Incoming>) -> Response {
        let (mut head, body) = request.into_parts();
        let authorization = head.headers.remove(AUTHORIZATION);
        let token = authorization.as_ref().and_then(|value| bearer(value.to_str().ok()?));
        if token.is_none() && chain.is_empty() && is_health(head.uri.path()) {
            return typed_response(http::StatusCode::OK, "text/plain; charset=utf-8", "ok");
        }
        let identity = match self.authenticate(token, chain).await {
            Ok(identity) => identity,
            Err(refusal) => {
                tracing::debug!(
                    cluster = self.cluster,
                    reason = refusal.reason,
                    "401 from a simulated cluster"
                );
                return Status::unauthorized().response();
            }
        };
        let body = match Limited::new(body, BODY_LIMIT).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => return Status::too_large().response(),
            Err(_) => return Status::bad_request("the request's body did not arrive whole").response(),
        };
        self.back
            .serve(Request {
                method: head.method,
                path: head.uri.path().to_owned(),
                query: head.uri.query().unwrap_or_default().to_owned(),
                headers: head.headers,
                body,
                identity,
            })
            .await
    }

    /// A certificate is looked at first, as the API server does; a bad one does not spoil a good token.
    async fn authenticate(
        &self,
        token: Option<&str>,
        chain: &[CertificateDer<'static>],
    ) -> std::result::Result<Identity, Refusal> {
        let mut refused = Refusal::new("no credential was shown");
        if !chain.is_empty() {
            match self.verifier.verify(chain, (self.clock)()) {
                Ok(certificate) => {
                    let credential = Credential::ClientCertificate(&certificate);
                    match self.authenticator.authenticate(&self.cluster, credential).await {
                        Ok(identity) => return Ok(authenticated(identity)),
                        Err(refusal) => refused = refusal,
                    }
                }
                Err(refusal) => refused = refusal,
            }
        }
        let Some(token) = token else { return Err(refused) };
        self.authenticator
            .authenticate(&self.cluster, Credential::BearerToken(token))
            .await
            .map(authenticated)
    }
}

/// Every caller that proved an identity is in this group.
fn authenticated(mut identity: Identity) -> Identity {
    let group = "system:authenticated";
    if !identity.groups.iter().any(|known| known == group) {
        identity.groups.push(group.to_owned());
    }
    identity
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// What managed clouds still answer without a credential (EKS since 1.32: only these).
///
/// Source: <https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions-standard.html>
fn is_health(path: &str) -> bool {
    ["/healthz", "/livez", "/readyz"].contains(&path)
}
