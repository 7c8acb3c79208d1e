//! TLS: an authority that the user named is trusted, and nothing else on loopback is.

use std::sync::Arc;
use std::time::Duration;

use pmks_transport::{
    AllowedHost, Call, ClientOptions, Effect, Error, ErrorKind, Limits, Method, NoSigner, Response,
    SystemClock, Transport, Url,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::AsyncWriteExt;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::server::{http, read_request};

struct Secured {
    url: Url,
    ca: String,
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

async fn secured() -> Secured {
    let ca = authority();
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &ca).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("https://localhost:{}/", listener.local_addr().unwrap().port())).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    return;
                };
                if read_request(&mut stream).await.is_some() {
                    let _ = stream.write_all(&http(200, &[], b"secured")).await;
                }
            });
        }
    });
    Secured { url, ca: ca.pem() }
}

async fn get(url: &Url, ca: Option<String>) -> Result<Response, Error> {
    let mut options = ClientOptions::new("aws", Arc::new(NoSigner));
    options.allowed_hosts = vec![AllowedHost::origin_of(url)];
    options.ca_certificate = ca;
    options.limits = Limits { total: Duration::from_secs(5), ..Limits::default() };
    options.pace = 100;
    let client = Transport::builder(Arc::new(SystemClock)).build().client(options)?;
    client.send(Call::new("eks", "eks.Get", Effect::Creates, Method::GET, url.clone())).await
}

#[tokio::test]
async fn only_the_named_authority_is_trusted() {
    let server = secured().await;
    assert_eq!(get(&server.url, Some(server.ca.clone())).await.unwrap().body, "secured");
    for ca in [None, Some(authority().pem())] {
        let is_nobody_named = ca.is_none();
        let error = get(&server.url, ca).await.unwrap_err();
        assert_eq!(error.message().contains("--ca-file"), is_nobody_named, "{error:?}");
        assert_eq!(error.kind(), ErrorKind::NotSent, "a failed handshake sends nothing: {error:?}");
    }
}

#[tokio::test]
async fn a_ca_certificate_must_be_one() {
    let url = Url::parse("https://localhost:1/").unwrap();
    for text in ["", "not PEM", "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n"] {
        let error = get(&url, Some(text.to_owned())).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{text:?}");
    }
}
