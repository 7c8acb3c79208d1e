//! The server's certificate.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use secrecy::{ExposeSecret, SecretString};
use tokio_rustls::TlsAcceptor;

use crate::ServeError;

/// A certificate with its key, as PEM texts.
#[derive(Debug)]
pub struct Tls {
    /// The certificate, its chain after it.
    pub certificate: String,
    /// Its private key.
    pub key: SecretString,
}

impl Tls {
    pub(super) fn acceptor(&self) -> Result<TlsAcceptor, ServeError> {
        let wrong = |error: rustls::Error| {
            ServeError::Certificate(match error {
                rustls::Error::InconsistentKeys(_) => "the key is not this certificate's".to_owned(),
                other => other.to_string(),
            })
        };
        let chain: Vec<_> = CertificateDer::pem_slice_iter(self.certificate.as_bytes())
            .collect::<Result<_, _>>()
            .map_err(|error| ServeError::Certificate(format!("it is no PEM: {error}")))?;
        if chain.is_empty() {
            return Err(ServeError::Certificate("the file holds no PEM certificate".to_owned()));
        }
        let key = PrivateKeyDer::from_pem_slice(self.key.expose_secret().as_bytes())
            .map_err(|error| ServeError::Certificate(format!("the key is no PEM private key: {error}")))?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(wrong)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(wrong)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}
