//! A connection as it is shown: everything but its secrets.

use std::collections::BTreeMap;

use jiff::Timestamp;
use pmks_driver::{AccountIdentity, Prerequisite};
use pmks_model::Failure;
use serde::{Deserialize, Serialize};

/// A connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionView {
    /// Our record's id.
    pub uid: String,
    /// Its name.
    pub name: String,
    /// Its provider.
    pub provider: String,
    /// Its region.
    pub region: String,
    /// Its zone.
    pub zone: Option<String>,
    /// How many times faster than the real cloud it works.
    pub pace: u32,
    /// The fields of its credential that are no secret, and `ambient`.
    pub credential: BTreeMap<String, serde_json::Value>,
    /// The names of the credential's fields that are kept and never shown.
    pub secrets: Vec<String>,
    /// Endpoints that replace the real cloud's.
    pub endpoints: BTreeMap<String, String>,
    /// PEM certificates to trust.
    pub ca_certificate: Option<String>,
    /// The provider's own settings.
    pub settings: BTreeMap<String, serde_json::Value>,
    /// Who the credential acts for, once it was validated.
    pub account: Option<AccountIdentity>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// The version tag (`ETag`) that a PATCH must name.
    pub version_tag: String,
}

/// What a validation found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ValidationView {
    /// Whether the cloud accepts the credential.
    pub valid: bool,
    /// Who it acts for.
    pub account: Option<AccountIdentity>,
    /// Why it is not accepted.
    pub error: Option<Failure>,
    /// What must exist in the account, and how it stands.
    pub prerequisites: Vec<Prerequisite>,
    /// What could not be looked at, and why.
    pub missed: Vec<Failure>,
}

/// The prerequisites of an account or of a cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PrerequisiteView {
    /// Each of them.
    pub prerequisites: Vec<Prerequisite>,
    /// When the cloud was asked.
    pub observed_at: Timestamp,
}
