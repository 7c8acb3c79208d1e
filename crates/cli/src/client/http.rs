//! The way to a server over HTTP. Follows no redirect: the token is for the server that was named.

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::{StreamExt as _, TryStreamExt as _};
use http::{HeaderValue, header};
use pmks_model::FailureKind;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{Door, Received, Sent};
use crate::error::{Error, Result};

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a server may be silent: an event stream says something every 15 s.
const READ_TIMEOUT: Duration = Duration::from_mins(2);
/// How long one may that answers when a change is over: longer than its own limit.
const CHANGE_TIMEOUT: Duration = Duration::from_mins(20);

/// What helps where a server shows a certificate of an authority, as `openssl req -x509` makes it unless told otherwise.
const AUTHORITY: &str = "the server's certificate is an authority's (CA:TRUE), which no server should show; make it with \
                         -addext basicConstraints=critical,CA:FALSE, or sign one for the server by your authority";

/// How a client says who it is.
pub(crate) enum Authorization {
    /// A bearer token.
    Token(SecretString),
    /// The administrator's name and password.
    Basic { username: String, password: SecretString },
    /// A client certificate with its key, PEM, one after the other.
    Certificate(SecretString),
}

impl Authorization {
    /// The header that says it; a certificate is shown at the handshake.
    fn header(&self) -> Result<Option<HeaderValue>> {
        let text = match self {
            Self::Certificate(_) => return Ok(None),
            Self::Token(token) => format!("Bearer {}", token.expose_secret()),
            Self::Basic { username, password } => {
                format!("Basic {}", STANDARD.encode(format!("{username}:{}", password.expose_secret())))
            }
        };
        let mut value = HeaderValue::from_str(&text)
            .map_err(|_| Error::usage("the token holds characters that no header can carry"))?;
        value.set_sensitive(true);
        Ok(Some(value))
    }
}

/// A server behind a URL.
pub(crate) struct HttpDoor {
    client: reqwest::Client,
    base: String,
    authorization: Option<HeaderValue>,
}

impl HttpDoor {
    /// The server at that URL, called by that one, trusting the certificates of that file too.
    ///
    /// # Errors
    /// For a token that no header can carry, or a file that holds no certificates.
    pub(crate) fn new(url: &Url, who: Option<&Authorization>, ca_file: Option<&Path>) -> Result<Self> {
        Self::built(url, who, ca_file, READ_TIMEOUT)
    }

    /// The same of a server that answers when a change is over.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub(crate) fn that_waits(url: &Url, who: Option<&Authorization>, ca_file: Option<&Path>) -> Result<Self> {
        Self::built(url, who, ca_file, CHANGE_TIMEOUT)
    }

    #[expect(clippy::disallowed_methods, reason = "a client of pmks' own server, not of a cloud")]
    fn built(
        url: &Url,
        who: Option<&Authorization>,
        ca_file: Option<&Path>,
        silent: Duration,
    ) -> Result<Self> {
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(Error::usage(format!(
                "the server's URL must be http or https, not {}",
                url.scheme()
            )));
        }
        // It would be in each message that names the server, and in each kubeconfig.
        if !url.username().is_empty() || url.password().is_some() {
            let refused = Error::usage("the server's URL holds a name or a password");
            return Err(refused.with_fix("give PMKS_TOKEN, or PMKS_USERNAME and PMKS_PASSWORD"));
        }
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(silent)
            .user_agent(concat!("pmks/", env!("CARGO_PKG_VERSION")));
        if is_loopback(url) {
            builder = builder.no_proxy();
        }
        if let Some(path) = ca_file {
            let pem = std::fs::read(path).map_err(|error| Error::file("read", path, &error))?;
            let certificates = reqwest::Certificate::from_pem_bundle(&pem)
                .map_err(|error| Error::usage(format!("{}: {error}", path.display())))?;
            builder = builder.tls_certs_merge(certificates);
        }
        if let Some(Authorization::Certificate(pem)) = who {
            let identity = reqwest::Identity::from_pem(pem.expose_secret().as_bytes())
                .map_err(|_| Error::usage("the client certificate is none"))?;
            builder = builder.identity(identity);
        }
        let client = builder
            .build()
            .map_err(|error| Error::new(FailureKind::Unexpected, format!("no HTTP client: {error}")))?;
        let authorization = who.map(Authorization::header).transpose()?.flatten();
        Ok(Self { client, base: url.as_str().trim_end_matches('/').to_owned(), authorization })
    }
}

/// Whether a URL is one of this machine's own addresses.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Why no answer came.
pub(crate) struct Unanswered {
    /// As it is told.
    pub(crate) error: Error,
    /// Whether the request may have arrived.
    pub(crate) arrived: bool,
}

impl HttpDoor {
    /// Sends one request, once.
    pub(crate) async fn attempt(&self, request: Sent) -> std::result::Result<Received, Unanswered> {
        let url = format!("{}{}", self.base, request.target);
        let mut headers = request.headers;
        if let Some(authorization) = &self.authorization {
            headers.insert(header::AUTHORIZATION, authorization.clone());
        }
        let base = self.base.clone();
        let unavailable = move |error: reqwest::Error| {
            let kind = if error.is_timeout() { FailureKind::Timeout } else { FailureKind::Unavailable };
            // The address is said once, without what follows it.
            let why = pmks_driver::chain(&error.without_url());
            let unanswered = Error::new(kind, format!("the server at {base} does not answer: {why}"));
            if why.contains("CaUsedAsEndEntity") { unanswered.with_fix(AUTHORITY) } else { unanswered }
        };
        let sent = self.client.request(request.method, url).headers(headers).body(request.body).send();
        let response = sent.await.map_err(|error| {
            let arrived = !error.is_connect();
            Unanswered { error: unavailable(error), arrived }
        })?;
        Ok(Received {
            status: response.status(),
            headers: response.headers().clone(),
            body: response.bytes_stream().map_err(unavailable).boxed(),
        })
    }
}

#[async_trait]
impl Door for HttpDoor {
    async fn send(&self, request: Sent) -> Result<Received> {
        self.attempt(request).await.map_err(|unanswered| unanswered.error)
    }
}
