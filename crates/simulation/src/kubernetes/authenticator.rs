//! Who is calling: the seam between a cluster's endpoint and its cloud's way of proving an identity.
//! Never decides what the caller may do beyond the one flag that the cloud gives, and never logs a credential.

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;

/// What a caller showed. Its `Debug` never prints a token.
#[derive(Clone, Copy)]
pub enum Credential<'a> {
    /// The text after `Authorization: Bearer`.
    BearerToken(&'a str),
    /// A certificate that the cluster's CA signed for client use, whose key the caller proved to hold, within its
    /// validity. The endpoint has checked all that.
    ClientCertificate(&'a ClientCertificate),
}

impl fmt::Debug for Credential<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BearerToken(_) => formatter.write_str("BearerToken(<redacted>)"),
            Self::ClientCertificate(certificate) => certificate.fmt(formatter),
        }
    }
}

/// What Kubernetes reads of a client certificate.
///
/// Source: <https://kubernetes.io/docs/reference/access-authn-authz/authentication/#x509-client-certificates>
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The subject's common name: the user.
    pub common_name: String,
    /// The subject's organizations: the groups.
    pub organizations: Vec<String>,
}

/// Who a caller is, in the words of Kubernetes' `UserInfo`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The user's name.
    pub username: String,
    /// The user's identifier, empty where the cloud gives none.
    pub uid: String,
    /// The user's groups; the endpoint adds `system:authenticated`.
    pub groups: Vec<String>,
    /// What else the authenticator says of the user (EKS: `arn`, `accessKeyId`, `principalId`, …).
    pub extra: BTreeMap<String, Vec<String>>,
    /// Whether the cloud lets this user do everything in the cluster. Apart from the groups because clouds also
    /// grant it otherwise (an EKS access policy adds no group). Membership of `system:masters` grants it too.
    pub administrator: bool,
}

impl Identity {
    /// Whether this identity may do all that the cluster offers.
    pub fn may_do_everything(&self) -> bool {
        self.administrator || self.groups.iter().any(|group| group == "system:masters")
    }
}

/// Why a credential is not accepted. The caller sees only `Unauthorized`, as with a real API server; the reason goes
/// to the log of the simulated cloud, so it must hold no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// For a person who wonders why: «the token was made for another cluster».
    pub reason: String,
}

impl Refusal {
    /// A refusal for this reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}

/// How a cloud tells who calls one of its clusters. Implemented by each cloud's simulator.
#[async_trait]
pub trait Authenticator: Send + Sync {
    /// Tells who showed this credential to the cluster of this name.
    ///
    /// # Errors
    /// [`Refusal`] for everything that the cloud's own authenticator refuses; the caller gets a 401.
    async fn authenticate(
        &self,
        cluster: &str,
        credential: Credential<'_>,
    ) -> std::result::Result<Identity, Refusal>;
}
