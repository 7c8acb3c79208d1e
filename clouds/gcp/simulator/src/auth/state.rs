//! Identities and the access tokens given to them. Data, and small questions about it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use pmks_simulation::{Random, Resource};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::ServiceKey;

/// How long an access token is good, in seconds.
pub(crate) const LIFETIME: i64 = 3600;

/// All identities.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    /// Service accounts by email.
    pub(crate) accounts: BTreeMap<String, ServiceAccount>,
    /// Users who logged in, by refresh token.
    pub(crate) users: BTreeMap<String, User>,
    /// Providers of federated identities, by the audience that names them (`//iam.googleapis.com/projects/…`).
    pub(crate) providers: BTreeMap<String, Provider>,
    /// Access tokens.
    pub(crate) tokens: BTreeMap<String, Token>,
}

/// A service account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ServiceAccount {
    pub(crate) email: String,
    /// 21 digits.
    pub(crate) unique_id: String,
    /// The project that it belongs to.
    pub(crate) project: String,
    /// Its keys by id.
    pub(crate) keys: BTreeMap<String, ServiceKey>,
    /// Who may act as it (`serviceAccount:…`, `user:…`, `principal://…`).
    pub(crate) token_creators: BTreeSet<String>,
    pub(crate) created: Timestamp,
}

/// A user who logged in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) email: String,
    pub(crate) unique_id: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
}

/// Who vouches for federated identities.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Provider {
    pub(crate) project: String,
    pub(crate) issuer: String,
    /// Audiences that its tokens may have beside the provider's own name.
    pub(crate) audiences: Vec<String>,
    /// Its keys, as a JWKS writes them.
    pub(crate) keys: Vec<Value>,
}

/// An access token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Token {
    pub(crate) principal: Principal,
    pub(crate) scopes: Vec<String>,
    /// Absent: as long as the world stands.
    pub(crate) expires: Option<Timestamp>,
}

/// Who calls.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Principal {
    /// As policies name it (`serviceAccount:…`).
    pub(crate) member: String,
    /// Its email; for federated identities their name in policies.
    pub(crate) email: String,
    pub(crate) unique_id: String,
    /// The one project that it may use; absent: all of them.
    pub(crate) project: Option<String>,
}

impl ServiceAccount {
    /// A new account with one key.
    pub(crate) fn new(
        name: &str,
        project: &str,
        key: ServiceKey,
        random: &mut Random,
        created: Timestamp,
    ) -> Self {
        Self {
            email: format!("{name}@{project}.iam.gserviceaccount.com"),
            unique_id: format!("1{}", random.digits(20)),
            project: project.to_owned(),
            keys: BTreeMap::from([(random.hex(40), key)]),
            token_creators: BTreeSet::new(),
            created,
        }
    }

    /// It as a caller.
    pub(crate) fn principal(&self) -> Principal {
        Principal {
            member: format!("serviceAccount:{}", self.email),
            email: self.email.clone(),
            unique_id: self.unique_id.clone(),
            project: Some(self.project.clone()),
        }
    }

    /// Its first key as the file that Google's console gives.
    pub(crate) fn key_file(&self) -> Value {
        let (id, key) =
            self.keys.iter().next().map_or(("", ""), |(id, key)| (id.as_str(), key.private_pem()));
        json!({
            "type": "service_account",
            "project_id": self.project,
            "private_key_id": id,
            "private_key": key,
            "client_email": self.email,
            "client_id": self.unique_id,
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": "https://oauth2.googleapis.com/token",
            "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
            "client_x509_cert_url": format!(
                "https://www.googleapis.com/robot/v1/metadata/x509/{}", self.email.replace('@', "%40")
            ),
            "universe_domain": "googleapis.com",
        })
    }
}

impl User {
    /// It as a caller.
    pub(crate) fn principal(&self) -> Principal {
        Principal {
            member: format!("user:{}", self.email),
            email: self.email.clone(),
            unique_id: self.unique_id.clone(),
            project: None,
        }
    }
}

impl State {
    /// Gives an access token, for `seconds` or as long as the world stands. Those that have expired are forgotten.
    pub(crate) fn give(
        &mut self,
        principal: Principal,
        scopes: Vec<String>,
        seconds: Option<i64>,
        random: &mut Random,
        now: Timestamp,
    ) -> String {
        self.tokens.retain(|_, token| {
            token.expires.is_none_or(|expires| expires > now - SignedDuration::from_hours(24))
        });
        const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
        let text = format!("ya29.c.{}", random.text(ALPHABET, 160));
        let expires = seconds.map(|seconds| now + SignedDuration::from_secs(seconds));
        self.tokens.insert(text.clone(), Token { principal, scopes, expires });
        text
    }
}

/// Ground truth.
pub(crate) fn resources(state: &State) -> Vec<Resource> {
    let rows = state.accounts.values().map(|account| {
        Resource::new("serviceAccount", &account.unique_id, "ENABLED", account.created)
            .named(&account.email)
            .with("project", &*account.project)
            .with("keys", account.keys.len())
    });
    rows.collect()
}
