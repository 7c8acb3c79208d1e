//! The endpoint's front over real TLS, by hand-written requests.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::back::{Back, Request, Response};
use super::status::typed_response;
use super::{Authenticator, Authority, Credential, Endpoint, EndpointSettings, Identity, Refusal};

/// Takes the token `good`, and says what the back is to see of its bearer.
struct Good;

#[async_trait]
impl Authenticator for Good {
    async fn authenticate(&self, cluster: &str, credential: Credential<'_>) -> Result<Identity, Refusal> {
        assert!(!format!("{credential:?}").contains("good"), "a token is never printed");
        match credential {
            Credential::BearerToken("good") => {
                Ok(Identity { username: format!("kim of {cluster}"), ..Identity::default() })
            }
            _ => Err(Refusal::new("no")),
        }
    }
}

/// Says what it was asked.
struct Echo;

#[async_trait]
impl Back for Echo {
    async fn serve(&self, request: Request) -> Response {
        let Request { method, path, query, headers, body, identity } = request;
        assert!(!headers.contains_key("authorization"), "the credential ends at the front");
        let text =
            format!("{method} {path} {query} {} {:?} {}", body.len(), identity.groups, identity.username);
        typed_response(http::StatusCode::OK, "text/plain", text)
    }
}

async fn start(authority: &Arc<Authority>, port: Option<u16>) -> Endpoint {
    Endpoint::start(EndpointSettings {
        cluster: "seoul".to_owned(),
        authority: Arc::clone(authority),
        port,
        authenticator: Arc::new(Good),
        back: Arc::new(Echo),
        clock: Arc::new(noon),
    })
    .await
    .unwrap()
}

/// A moment within the certificate's years, on every machine whose clock is not far off.
fn noon() -> jiff::Timestamp {
    "2026-01-01T12:00:00Z".parse().unwrap()
}

async fn connect(authority: &Authority, endpoint: &Endpoint) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.certificate().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(("127.0.0.1", endpoint.port())).await?;
    let name = ServerName::try_from("127.0.0.1").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

/// Sends one request and reads the whole answer.
async fn ask(authority: &Authority, endpoint: &Endpoint, request: &str) -> String {
    let mut stream = connect(authority, endpoint).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // The server may close without the TLS farewell after it refused a body.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

fn get(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n")
}

#[tokio::test]
async fn only_who_proves_an_identity_reaches_the_back() {
    let authority = Arc::new(Authority::new(noon()).unwrap());
    let endpoint = start(&authority, None).await;
    let ask = async |request: String| ask(&authority, &endpoint, &request).await;
    let answer = ask(get("/api/v1/nodes?limit=5", "Authorization: Bearer good\r\n")).await;
    assert!(
        answer.ends_with("GET /api/v1/nodes limit=5 0 [\"system:authenticated\"] kim of seoul"),
        "{answer}"
    );
    for headers in
        ["", "Authorization: Bearer bad\r\n", "Authorization: Basic good\r\n", "Authorization: Bearer \r\n"]
    {
        let answer = ask(get("/api/v1/nodes", headers)).await;
        assert!(answer.starts_with("HTTP/1.1 401 "), "{headers}: {answer}");
        assert!(answer.contains("\"reason\":\"Unauthorized\""), "{answer}");
    }
    assert!(ask(get("/readyz", "")).await.ends_with("\r\n\r\nok"), "health needs no credential");
    assert!(ask(get("/readyz", "Authorization: Bearer bad\r\n")).await.starts_with("HTTP/1.1 401 "));
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused() {
    let authority = Arc::new(Authority::new(noon()).unwrap());
    let endpoint = start(&authority, None).await;
    for (length, expected) in [(1000, "HTTP/1.1 200 "), (3 * 1024 * 1024 + 1, "HTTP/1.1 413 ")] {
        let head = "Host: x\r\nConnection: close\r\nAuthorization: Bearer good\r\n";
        let body = "x".repeat(length);
        let request = format!("POST /a HTTP/1.1\r\n{head}Content-Length: {length}\r\n\r\n{body}");
        let answer = ask(&authority, &endpoint, &request).await;
        assert!(answer.starts_with(expected), "{length}: {answer}");
    }
}

#[tokio::test]
async fn each_cluster_has_a_port_and_a_ca_of_its_own() {
    let ours = Arc::new(Authority::new(noon()).unwrap());
    let endpoint = start(&ours, None).await;
    let stranger = Authority::new(noon()).unwrap();
    assert!(connect(&stranger, &endpoint).await.is_err(), "another cluster's CA does not vouch for this one");
    let beside = start(&ours, Some(endpoint.port())).await;
    assert_ne!(beside.port(), endpoint.port(), "a taken port is not fought for");
    assert!(endpoint.url().starts_with("https://127.0.0.1:"));
}

#[tokio::test]
async fn a_dropped_endpoint_ends_its_connections_and_frees_its_port() {
    let authority = Arc::new(Authority::new(noon()).unwrap());
    let endpoint = start(&authority, None).await;
    let port = endpoint.port();
    let mut open = connect(&authority, &endpoint).await.unwrap();
    drop(endpoint);
    let ended = tokio::time::timeout(Duration::from_secs(10), open.read(&mut [0; 1])).await;
    assert!(matches!(ended, Ok(Ok(0) | Err(_))), "{ended:?}");
    assert_eq!(start(&authority, Some(port)).await.port(), port);
}
