//! A simulated cluster's certificate authority, and the certificates it signs.
//! Never prints a private key; the snapshot holds one, so it belongs into a file that only its owner reads.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::{Deserialize, Serialize};

use super::{Error, Result};

/// How long the CA and the server's certificates stand, as kubeadm's CA does.
const TEN_YEARS: Duration = Duration::from_hours(10 * 365 * 24);
/// Certificates begin a little in the past, so that a caller whose clock is behind accepts them.
const BACKDATED: Duration = Duration::from_mins(5);

/// The CA of one cluster.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate_pem: String,
    certificate: CertificateDer<'static>,
}

/// What must be kept for a cluster to have the same CA after a restart. Holds the private key.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthoritySnapshot {
    certificate_pem: String,
    private_key_pem: String,
}

/// A certificate signed by the cluster's CA, with its private key, both PEM.
pub struct Issued {
    /// The certificate alone; the CA is not in it.
    pub certificate_pem: String,
    /// PKCS#8. A secret.
    pub private_key_pem: String,
}

impl Authority {
    /// Makes a CA, valid for ten years from `now`.
    ///
    /// # Errors
    /// [`Error::Certificate`] when the key or certificate cannot be made.
    pub fn new(now: Timestamp) -> Result<Self> {
        let key = KeyPair::generate()?;
        let mut params = authority_params();
        set_validity(&mut params, now, TEN_YEARS);
        let certificate = params.self_signed(&key)?;
        Ok(Self {
            certificate_pem: certificate.pem(),
            certificate: certificate.der().clone(),
            issuer: Issuer::new(params, key),
        })
    }

    /// The same CA again.
    ///
    /// # Errors
    /// [`Error::Pem`] or [`Error::Certificate`] when the snapshot was damaged.
    pub fn restore(snapshot: &AuthoritySnapshot) -> Result<Self> {
        let key = KeyPair::from_pem(&snapshot.private_key_pem)?;
        let certificate = CertificateDer::from_pem_slice(snapshot.certificate_pem.as_bytes())
            .map_err(|error| Error::Pem(error.to_string()))?;
        Ok(Self {
            certificate_pem: snapshot.certificate_pem.clone(),
            certificate,
            issuer: Issuer::new(authority_params(), key),
        })
    }

    /// What [`Authority::restore`] needs. Holds the private key.
    pub fn snapshot(&self) -> AuthoritySnapshot {
        AuthoritySnapshot {
            certificate_pem: self.certificate_pem.clone(),
            private_key_pem: self.issuer.key().serialize_pem(),
        }
    }

    /// The CA's certificate, PEM: what a kubeconfig carries, base64-encoded, as `certificate-authority-data`.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    pub(crate) fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// A server certificate for `127.0.0.1`, `localhost` and the names by which pods know the API server.
    ///
    /// # Errors
    /// [`Error::Certificate`] when it cannot be made.
    pub fn issue_server(&self, now: Timestamp) -> Result<Issued> {
        let names = ["localhost", "127.0.0.1", "kubernetes", "kubernetes.default", "kubernetes.default.svc"];
        let mut params = CertificateParams::new(names.map(str::to_owned).to_vec())?;
        params.distinguished_name = subject("kube-apiserver", None);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        set_validity(&mut params, now, TEN_YEARS);
        self.issue(params)
    }

    /// A client certificate: user `common_name`, group `organization`, valid for `lifetime` from `now`.
    ///
    /// # Errors
    /// [`Error::Certificate`] when it cannot be made.
    pub fn issue_client(
        &self,
        common_name: &str,
        organization: Option<&str>,
        now: Timestamp,
        lifetime: Duration,
    ) -> Result<Issued> {
        let mut params = CertificateParams::default();
        params.distinguished_name = subject(common_name, organization);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        set_validity(&mut params, now, lifetime);
        self.issue(params)
    }

    fn issue(&self, mut params: CertificateParams) -> Result<Issued> {
        let key = KeyPair::generate()?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Issued { certificate_pem: certificate.pem(), private_key_pem: key.serialize_pem() })
    }
}

impl Issued {
    pub(crate) fn for_tls(&self) -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>)> {
        let unreadable = |error: rustls::pki_types::pem::Error| Error::Pem(error.to_string());
        let certificate =
            CertificateDer::from_pem_slice(self.certificate_pem.as_bytes()).map_err(unreadable)?;
        let key = PrivateKeyDer::from_pem_slice(self.private_key_pem.as_bytes()).map_err(unreadable)?;
        Ok((certificate, key))
    }
}

impl AuthoritySnapshot {
    /// The authority's certificate, PEM; never the key.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl fmt::Debug for AuthoritySnapshot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("AuthoritySnapshot").finish_non_exhaustive()
    }
}

impl fmt::Debug for Issued {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Issued").finish_non_exhaustive()
    }
}

/// All of the CA but its key and dates: a restored CA must sign under the same name as the first one.
fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = subject("kubernetes", None);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages =
        vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn subject(common_name: &str, organization: Option<&str>) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    if let Some(organization) = organization {
        name.push(DnType::OrganizationName, organization);
    }
    name.push(DnType::CommonName, common_name);
    name
}

fn set_validity(params: &mut CertificateParams, now: Timestamp, lifetime: Duration) {
    let since_1970 = Duration::from_secs(u64::try_from(now.as_second()).unwrap_or_default());
    let epoch = date_time_ymd(1970, 1, 1);
    params.not_before = epoch + since_1970.saturating_sub(BACKDATED);
    params.not_after = epoch + since_1970.saturating_add(lifetime);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::certificate;

    fn noon() -> Timestamp {
        "2026-11-23T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_restored_authority_signs_what_the_first_one_vouches_for() {
        let first = Authority::new(noon()).unwrap();
        let stored = serde_json::to_string(&first.snapshot()).unwrap();
        let again = Authority::restore(&serde_json::from_str(&stored).unwrap()).unwrap();
        assert_eq!(first.certificate_pem(), again.certificate_pem());

        let verifier = certificate::Verifier::new(first.certificate()).unwrap();
        let client = again.issue_client("kim", Some("admins"), noon(), Duration::from_hours(1)).unwrap();
        let (certificate, _) = client.for_tls().unwrap();
        let seen = verifier.verify(&[certificate], noon()).unwrap();
        assert_eq!((seen.common_name.as_str(), seen.organizations), ("kim", vec!["admins".to_owned()]));
    }

    #[test]
    fn expired_foreign_and_server_certificates_are_not_a_client() {
        let ours = Authority::new(noon()).unwrap();
        let verifier = certificate::Verifier::new(ours.certificate()).unwrap();
        let later = "2026-11-23T14:00:00Z".parse().unwrap();
        let client = ours.issue_client("kim", None, noon(), Duration::from_hours(1)).unwrap();
        assert!(verifier.verify(&[client.for_tls().unwrap().0], later).is_err());
        let stranger = Authority::new(noon()).unwrap();
        let foreign = stranger.issue_client("kim", None, noon(), Duration::from_hours(1)).unwrap();
        assert!(verifier.verify(&[foreign.for_tls().unwrap().0], noon()).is_err());
        let server = ours.issue_server(noon()).unwrap();
        assert!(verifier.verify(&[server.for_tls().unwrap().0], noon()).is_err());
    }

    #[test]
    fn no_private_key_in_debug() {
        let authority = Authority::new(noon()).unwrap();
        let client = authority.issue_client("kim", None, noon(), Duration::from_hours(1)).unwrap();
        for text in [format!("{authority:?}"), format!("{:?}", authority.snapshot()), format!("{client:?}")] {
            assert!(!text.contains("PRIVATE") && !text.contains("BEGIN"), "{text}");
        }
    }
}
