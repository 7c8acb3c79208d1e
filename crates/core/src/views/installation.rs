//! What belongs to the installation itself: API tokens and the audit.

use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::Role;

/// An API token, without the token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiTokenView {
    /// Its id.
    pub uid: String,
    /// Its name.
    pub name: String,
    /// What its bearer may do.
    pub role: Role,
    /// Where; `None`: on every connection.
    pub connections: Option<Vec<String>>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it is no longer accepted; `None`: never.
    pub expires_at: Option<Timestamp>,
}

/// A token that was just made: the only time that it is shown.
#[derive(Clone, Debug)]
pub struct CreatedApiToken {
    /// What is kept of it.
    pub view: ApiTokenView,
    /// The token.
    pub token: SecretString,
}

/// A line of the audit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditView {
    /// Its id; ordered by time.
    pub uid: String,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub caller: String,
    /// What: an operation's kind, or `connection.create`, `kubeconfig.get`, …
    pub action: String,
    /// On what: `clusters/prod` and the like.
    pub resource: String,
    /// The connection, if it was about one.
    pub connection: Option<String>,
    /// The operation, if there was one.
    pub operation: Option<String>,
    /// How it ended: `accepted`, or the kind of failure.
    pub outcome: String,
    /// The request's id.
    pub request_id: Option<String>,
}
