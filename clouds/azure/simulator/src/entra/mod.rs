//! The simulated Microsoft Entra ID: one tenant with applications and managed identities, its token endpoints, and the
//! check of the tokens that it gave out.

mod assertion;
mod bearer;
mod discovery;
mod keys;
mod register;
mod token;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use pmks_simulation::{Random, Resource};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(crate) use bearer::verify;
pub(crate) use discovery::{instances, keys, metadata, openid};
pub(crate) use keys::Keys;
#[cfg(test)]
pub(crate) use keys::{encoded, thumbprint};
pub(crate) use register::{certificate as register_certificate, federated as register_federated};
pub(crate) use token::{Request as TokenRequest, access_token, answer as token};

/// The application of every AKS API server: the audience of the tokens that it takes.
///
/// Source: <https://learn.microsoft.com/azure/aks/kubelogin-authentication>.
pub(crate) const AKS_SERVER: &str = "6dae42f8-4368-4678-94ff-3960e28e3630";

/// Who may log in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Directory {
    /// The tenant's id.
    pub(crate) tenant: String,
    /// Applications by client id.
    pub(crate) applications: BTreeMap<String, Application>,
    /// Managed identities and service principals by object id.
    pub(crate) principals: BTreeMap<String, Principal>,
    /// What signs tokens.
    pub(crate) keys: Keys,
    /// How often all tokens were ended at once; those of now carry it.
    #[serde(default)]
    pub(crate) ended: u32,
}

/// An application with its ways to log in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Application {
    /// The object id of its service principal.
    pub(crate) object_id: String,
    /// Client secrets.
    pub(crate) secrets: Vec<String>,
    /// Certificates whose keys sign assertions.
    pub(crate) certificates: Vec<Certificate>,
    /// Issuers whose tokens it takes instead of a secret.
    pub(crate) federated: Vec<Federated>,
}

/// A certificate of an application.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Certificate {
    /// SHA-1 of its DER, base64url: `x5t`.
    pub(crate) sha1: String,
    /// SHA-256 of its DER, base64url: `x5t#S256`.
    pub(crate) sha256: String,
    /// Its public key: `SubjectPublicKeyInfo`, DER, base64url.
    pub(crate) public_key: String,
}

/// A federated identity credential.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Federated {
    /// The issuer.
    pub(crate) issuer: String,
    /// Whom the token must be about.
    pub(crate) subject: String,
    /// Whom the token must be for.
    pub(crate) audience: String,
    /// The issuer's RSA keys (a JWKS), where signatures are to be checked.
    pub(crate) keys: Option<Value>,
}

/// An identity to which roles are given.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Principal {
    /// Its client id.
    pub(crate) client_id: String,
    /// From when on the whole directory knows it.
    pub(crate) known_from: Duration,
}

/// Who called, proven by a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The object id.
    pub(crate) object_id: String,
    /// The client id.
    pub(crate) client_id: String,
}

impl Directory {
    /// A tenant with one application and one secret.
    pub(crate) fn new(random: &mut Random, keys: Keys) -> Self {
        let application = Application {
            object_id: random.uuid(),
            secrets: vec![format!("{}8Q~{}", random.hex(3), random.text(SECRET, 34))],
            certificates: Vec::new(),
            federated: Vec::new(),
        };
        let client_id = random.uuid();
        let principal = Principal { client_id: client_id.clone(), known_from: Duration::ZERO };
        Self {
            tenant: random.uuid(),
            principals: BTreeMap::from([(application.object_id.clone(), principal)]),
            applications: BTreeMap::from([(client_id, application)]),
            keys,
            ended: 0,
        }
    }

    /// A new identity, which the whole directory knows only some time later.
    pub(crate) fn add_identity(&mut self, random: &mut Random, known_from: Duration) -> (String, String) {
        let (object_id, client_id) = (random.uuid(), random.uuid());
        self.principals.insert(object_id.clone(), Principal { client_id: client_id.clone(), known_from });
        (object_id, client_id)
    }

    /// The credential of a connection.
    pub(crate) fn offered(&self, subscription: &str) -> Value {
        let (client_id, application) = match self.applications.iter().next() {
            Some((id, application)) => (id.as_str(), application.secrets.first().map(String::as_str)),
            None => ("", None),
        };
        json!({
            "tenantId": self.tenant, "clientId": client_id, "clientSecret": application, "subscriptionId": subscription,
        })
    }

    /// Ground truth: the applications, which nobody makes here.
    pub(crate) fn resources(&self) -> Vec<Resource> {
        let row = |(id, application): (&String, &Application)| {
            Resource::new("application", id, "Enabled", Timestamp::UNIX_EPOCH)
                .with("objectId", &*application.object_id)
        };
        self.applications.iter().map(row).collect()
    }
}

const SECRET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";

/// The event `{"type":"tokensExpire"}`: no token that was given out so far is taken any more.
pub(crate) fn end_tokens(directory: &mut Directory) -> Value {
    directory.ended += 1;
    Value::Null
}

/// The client id that a token claims; nothing is proven.
pub(crate) fn claimed_client(token: &str) -> Option<String> {
    keys::Token::read(token)?.claims.get("appid")?.as_str().map(str::to_owned)
}
