//! Client certificates: is one signed by the cluster's CA for this use, and whom does it name?
//! Never ends a TLS handshake over a bad certificate: like the API server, the endpoint answers it with a 401.

use std::sync::Arc;

use jiff::Timestamp;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, RootCertStore, SignatureScheme};

use super::{ClientCertificate, Error, Refusal, Result};

/// The object identifiers 2.5.4.3 and 2.5.4.10 in DER.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const ORGANIZATION: &[u8] = &[0x55, 0x04, 0x0a];

/// Lets every holder of a key through the handshake, and judges the certificate when asked.
#[derive(Debug)]
pub(crate) struct Verifier {
    inner: Arc<dyn ClientCertVerifier>,
}

impl Verifier {
    pub(crate) fn new(authority: &CertificateDer<'static>) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(authority.clone())?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let inner = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
            .allow_unauthenticated()
            .build()
            .map_err(|error| Error::Pem(error.to_string()))?;
        Ok(Self { inner })
    }

    /// Whom the certificate names, if this cluster's CA signed it for client use and it is valid at `now`.
    pub(crate) fn verify(
        &self,
        chain: &[CertificateDer<'_>],
        now: Timestamp,
    ) -> std::result::Result<ClientCertificate, Refusal> {
        let (leaf, intermediates) =
            chain.split_first().ok_or_else(|| Refusal::new("no client certificate was shown"))?;
        let since_1970 = std::time::Duration::from_secs(u64::try_from(now.as_second()).unwrap_or_default());
        self.inner
            .verify_client_cert(leaf, intermediates, UnixTime::since_unix_epoch(since_1970))
            .map_err(|error| Refusal::new(format!("the client certificate is not accepted: {error}")))?;
        subject(leaf).ok_or_else(|| Refusal::new("the client certificate's subject is not readable"))
    }
}

impl ClientCertVerifier for Verifier {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.inner.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> std::result::Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// The common name and organizations of a certificate's subject.
///
/// Source: <https://datatracker.ietf.org/doc/html/rfc5280#section-4.1>
fn subject(certificate: &CertificateDer<'_>) -> Option<ClientCertificate> {
    let (_, outer, _) = element(certificate.as_ref())?;
    let (_, signed, _) = element(outer)?;
    // version [0] is optional; then serial number, signature algorithm, issuer, validity, subject.
    let (tag, _, after_first) = element(signed)?;
    let mut rest = if tag == 0xa0 { after_first } else { signed };
    for _ in 0..4 {
        (_, _, rest) = element(rest)?;
    }
    let (_, mut names, _) = element(rest)?;
    let mut seen = ClientCertificate { common_name: String::new(), organizations: Vec::new() };
    while !names.is_empty() {
        let (_, mut set, after) = element(names)?;
        names = after;
        while !set.is_empty() {
            let (_, pair, after) = element(set)?;
            set = after;
            let (_, kind, value) = element(pair)?;
            let (_, text, _) = element(value)?;
            let text = String::from_utf8(text.to_vec()).ok()?;
            match kind {
                COMMON_NAME => seen.common_name = text,
                ORGANIZATION => seen.organizations.push(text),
                _ => {}
            }
        }
    }
    Some(seen)
}

/// The first DER element: its tag, its content, and what follows it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, mut rest) = rest.split_first()?;
    let mut length = usize::from(first);
    if first & 0x80 != 0 {
        length = 0;
        for _ in 0..(first & 0x7f) {
            let (&digit, after) = rest.split_first()?;
            length = length.checked_mul(256)?.checked_add(usize::from(digit))?;
            rest = after;
        }
    }
    Some((tag, rest.get(..length)?, rest.get(length..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_der_is_refused_without_a_panic() {
        for bytes in
            [&[][..], &[0x30], &[0x30, 0x82], &[0x30, 0xff, 1], &[0x30, 0x05, 1], &[0x30, 2, 0x30, 0]]
        {
            assert_eq!(subject(&CertificateDer::from(bytes.to_vec())), None);
        }
    }
}
