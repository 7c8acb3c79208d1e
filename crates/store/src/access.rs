//! Who may come in, what was done by whom, and the events that tell of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads all but secrets.
    Viewer,
    /// Changes things at the connections given to it.
    Operator,
    /// Everything.
    Admin,
}

/// An API token's record. The token itself is never stored.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiToken {
    /// Our identifier.
    pub uid: Uuid,
    /// Its name, unique.
    pub name: String,
    /// The token's hash, in the caller's form.
    pub hash: String,
    /// What it may do.
    pub role: Role,
    /// Where it may do it; empty: everywhere.
    pub connections: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when it opens nothing any more; `None`: never.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked; it is kept for the audit log's sake.
    pub revoked_at: Option<Timestamp>,
}

/// An API token to be made.
#[derive(Clone, Debug)]
pub struct NewApiToken {
    /// Our identifier.
    pub uid: Uuid,
    /// Its name.
    pub name: String,
    /// The token's hash.
    pub hash: String,
    /// What it may do.
    pub role: Role,
    /// Where it may do it; empty: everywhere.
    pub connections: Vec<String>,
    /// From when it opens nothing any more; `None`: never.
    pub expires_at: Option<Timestamp>,
}

/// A line of the audit log. Never holds a secret.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub who: String,
    /// What was done, such as `cluster.create` or `connection.update`.
    pub action: String,
    /// To what, such as `connection prod`.
    pub target: String,
    /// The request that did it; empty: none.
    pub request_id: String,
}

/// Which lines of the audit log are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// None from before this time.
    pub since: Option<Timestamp>,
    /// None from this time on.
    pub until: Option<Timestamp>,
    /// None from this place on, which a page before ended with.
    pub before: Option<i64>,
}

/// A line of the audit log where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditLine {
    /// Rises with every line, whatever becomes of the clock.
    pub sequence: i64,
    /// What it says.
    pub entry: AuditEntry,
}

/// A change of an operation.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Rises with every event.
    pub sequence: i64,
    /// Which operation changed.
    pub operation: Uuid,
    /// When.
    pub at: Timestamp,
    /// The whole operation as it then stood: an [`crate::OperationView`] as JSON.
    pub snapshot: serde_json::Value,
}
