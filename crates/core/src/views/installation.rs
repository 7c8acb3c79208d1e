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
    /// From when it is refused; `None`: never.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked; `None`: it is accepted.
    pub revoked_at: Option<Timestamp>,
}

/// A token that was just made: the only time that it is shown.
#[derive(Clone, Debug)]
pub struct CreatedApiToken {
    /// What is kept of it.
    pub view: ApiTokenView,
    /// The token.
    pub token: SecretString,
}

/// A line of the audit log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditView {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub who: String,
    /// What: an operation's kind, or `connection.create`, `cluster.token`, …
    pub action: String,
    /// On what: `cluster prod` and the like.
    pub target: String,
    /// The request's id; empty: none.
    pub request_id: String,
}
