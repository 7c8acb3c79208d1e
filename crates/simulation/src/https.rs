//! HTTPS on the same port as HTTP, for clients that insist on it: the first byte of a connection tells which it is.
//!
//! Never asks for a client's certificate.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::kubernetes::{Authority, AuthoritySnapshot, Error, Result};

/// The type of a TLS record in which a handshake begins; no HTTP method begins with this byte.
const HANDSHAKE: u8 = 0x16;

/// Marks a request that came over TLS, in its extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Secure;

/// What accepts TLS with a certificate that this authority signs for loopback.
///
/// # Errors
/// When the authority is damaged, or the certificate cannot be made.
pub(crate) fn acceptor(authority: &AuthoritySnapshot, now: Timestamp) -> Result<TlsAcceptor> {
    let (certificate, key) = Authority::restore(authority)?.issue_server(now)?.for_tls()?;
    let mut tls =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(Error::Tls)?
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)?;
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(tls)))
}

/// Whether a client begins with TLS; nothing is taken from the connection.
pub(crate) async fn begins(stream: &TcpStream) -> bool {
    let mut first = [0];
    matches!(stream.peek(&mut first).await, Ok(1) if first == [HANDSHAKE])
}
