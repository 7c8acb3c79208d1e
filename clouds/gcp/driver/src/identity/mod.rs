//! Who acts: where a connection's tokens come from, and the tokens themselves, which stay in memory only.

mod ambient;
mod external;
mod files;
mod key;
mod tokens;

pub(crate) use ambient::ambient;
pub(crate) use external::{External, Subject};
pub(crate) use files::service_account;
pub(crate) use key::{Assertion, ServiceAccount};
pub(crate) use tokens::{Bearer, Tokens, bearer};

use std::fmt;

use secrecy::SecretString;

/// What every token is good for: Google's APIs as far as the credential's own rights reach, and telling clusters whose
/// it is. It is what Google's own client plugin asks for, and nothing narrower is documented to let anybody in at a
/// cluster.
///
/// Source: <https://github.com/kubernetes/cloud-provider-gcp/blob/master/cmd/gke-gcloud-auth-plugin/default_credentials_token_provider.go>
pub(crate) const SCOPES: [&str; 2] =
    ["https://www.googleapis.com/auth/cloud-platform", "https://www.googleapis.com/auth/userinfo.email"];

/// Where a connection's tokens come from.
#[derive(Clone)]
pub(crate) enum Origin {
    /// A service account's own key.
    ServiceAccount(ServiceAccount),
    /// A person who let a client act for them.
    AuthorizedUser(AuthorizedUser),
    /// Another identity provider's token, exchanged.
    External(Box<External>),
    /// The service account of the machine that this runs on.
    Machine {
        /// Where the machine's metadata server is, such as `metadata.google.internal`.
        host: String,
    },
    /// A service account that the origin may act for.
    Impersonated {
        /// Who acts.
        origin: Box<Origin>,
        /// For whom.
        email: String,
    },
}

/// A person who let a client, such as gcloud, act for them.
#[derive(Clone)]
pub(crate) struct AuthorizedUser {
    pub(crate) client_id: String,
    pub(crate) client_secret: SecretString,
    pub(crate) refresh_token: SecretString,
    /// Who it is, where the file says so.
    pub(crate) account: Option<String>,
}

impl Origin {
    /// The same, acting for that service account; itself if none is named.
    pub(crate) fn acting_for(self, email: Option<&str>) -> Self {
        match email {
            None => self,
            Some(email) => Self::Impersonated { origin: Box::new(self), email: email.to_owned() },
        }
    }

    /// Who acts, for people; `None` where only the machine's metadata server knows.
    pub(crate) fn principal(&self) -> Option<String> {
        match self {
            Self::ServiceAccount(account) => Some(account.email.clone()),
            Self::AuthorizedUser(user) => Some(match &user.account {
                Some(account) => account.clone(),
                None => format!("a user of the client {}", user.client_id),
            }),
            Self::External(external) => Some(external.principal()),
            Self::Machine { .. } => None,
            Self::Impersonated { email, .. } => Some(email.clone()),
        }
    }

    /// The origin that nobody acts for.
    pub(crate) fn innermost(&self) -> &Self {
        match self {
            Self::Impersonated { origin, .. } => origin.innermost(),
            origin => origin,
        }
    }
}

/// The word alone.
impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ServiceAccount(_) => "ServiceAccount",
            Self::AuthorizedUser(_) => "AuthorizedUser",
            Self::External(_) => "External",
            Self::Machine { .. } => "Machine",
            Self::Impersonated { .. } => "Impersonated",
        })
    }
}

/// What was found of a credential.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// Where tokens come from.
    pub(crate) origin: Origin,
    /// The project that the credential names, if it does.
    pub(crate) project: Option<String>,
    /// The project whose quota a person's requests use, if the credential names one.
    pub(crate) quota_project: Option<String>,
}

#[cfg(test)]
pub(crate) mod tests {
    /// The published example key of RFC 7515, appendix A.2.
    pub(crate) const KEY: &str = include_str!("rfc7515_a2.pem");
}
