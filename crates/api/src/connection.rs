//! Connections: provider, credential, region.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Options, Plan, Problem};

/// The values of one of the provider's credential forms, or `{"ambient": true}`. `Debug` shows no value.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = Object)]
pub struct CredentialValues(pub BTreeMap<String, serde_json::Value>);

impl fmt::Debug for CredentialValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CredentialValues").field(&self.0.keys()).finish()
    }
}

/// A connection as it is now, or with `dryRun` what would be done to it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum ConnectionOrPlan {
    /// It was changed.
    Connection(Connection),
    /// Nothing was changed.
    Plan(Plan),
}

/// A connection to be made.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "name": "seoul", "provider": "aws", "region": "ap-northeast-2", "zone": "ap-northeast-2a",
    "credential": {"accessKeyId": "AKIAIOSFODNN7EXAMPLE", "secretAccessKey": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
}))]
pub struct NewConnection {
    /// Our name of it; never changes.
    pub name: String,
    /// The provider, as in `/v1/providers`.
    pub provider: String,
    /// The region, as the cloud calls it.
    #[serde(default)]
    pub region: String,
    /// The zone, where one is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// How many times faster than the real cloud it works: for simulated clouds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pace: Option<u32>,
    /// Who acts. Write-only.
    pub credential: CredentialValues,
    /// Endpoints that replace the real cloud's, by service or `all`. Needs the admin role.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub endpoints: BTreeMap<String, String>,
    /// PEM certificates to trust beside the public ones. Needs the admin role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_certificate: Option<String>,
    /// The provider's own settings.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = Object)]
    pub settings: Options,
}

/// A merge patch of a connection. One that changes endpoints or settings carries the whole credential.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"zone": "ap-northeast-2c"}))]
pub struct ConnectionPatch {
    /// Another region; refused while anything is known there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Another zone; refused while anything is known there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Another pace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pace: Option<u32>,
    /// Another credential of the same account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<CredentialValues>,
    /// Other endpoints; refused while anything is known there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoints: Option<BTreeMap<String, String>>,
    /// Other certificates to trust.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_certificate: Option<String>,
    /// Settings to set; `null` removes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub settings: Option<Options>,
}

/// A connection. Secrets are never shown.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    /// Its name.
    pub name: String,
    /// Its provider.
    pub provider: String,
    /// Its region.
    pub region: String,
    /// Its zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// How many times faster than the real cloud it works.
    pub pace: u32,
    /// The fields of its credential that are no secret, or `ambient`.
    pub credential: CredentialValues,
    /// The names of the credential's fields that are kept and never shown.
    pub secrets: Vec<String>,
    /// Endpoints that replace the real cloud's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub endpoints: BTreeMap<String, String>,
    /// PEM certificates to trust.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_certificate: Option<String>,
    /// The provider's own settings.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = Object)]
    pub settings: Options,
    /// Our record's id.
    pub uid: String,
    /// Who the credential acts for, once it was validated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
    /// When it was made.
    pub created_at: String,
    /// When it was last changed.
    pub updated_at: String,
}

/// Who a credential acts for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// The account in one text that never changes.
    pub account: String,
    /// Who acts in it.
    pub principal: String,
}

/// What a validation found.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Validation {
    /// Whether the cloud accepts the credential.
    pub valid: bool,
    /// Who it acts for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
    /// Why it is not accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Problem>,
    /// What must exist in the account, and how it stands.
    pub prerequisites: Vec<Prerequisite>,
    /// What could not be looked at, and why.
    pub missed: Vec<Problem>,
}

/// What is to be made of what must exist first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({}))]
pub struct FixPrerequisites {
    /// The cluster whose prerequisites are meant; absent: the account's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
}

/// What must exist first, in an account or at a cluster.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Prerequisites {
    /// Each of them.
    pub prerequisites: Vec<Prerequisite>,
    /// When the cloud was asked.
    pub observed_at: String,
}

/// Something that must exist first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Prerequisite {
    /// A stable word, such as `clusterRole`.
    pub name: String,
    /// What it is for.
    pub says: String,
    /// How it stands.
    pub state: PrerequisiteState,
    /// By what it is satisfied, such as a role's ARN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Each thing that is missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// Why it could not be looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What a fix would do; absent: nothing to fix, or only the user can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// How a prerequisite stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum PrerequisiteState {
    /// It is there.
    Satisfied,
    /// It is not there, or not as it must be.
    Missing,
    /// It could not be looked at.
    Unknown,
}
