//! What IAM answers, as its XML says it: only the fields that we use. Knows no word of ours.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/APIReference/welcome.html>.

#![expect(clippy::struct_field_names, reason = "the names are IAM's own")]

use serde::Deserialize;

use crate::query::{List, Tag};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Role {
    pub(crate) role_name: String,
    pub(crate) role_id: String,
    pub(crate) arn: String,
    /// The trust policy: JSON, URL-encoded (RFC 3986).
    pub(crate) assume_role_policy_document: String,
    pub(crate) tags: List<Tag>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct GetRole {
    pub(crate) role: Role,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct CreateRole {
    pub(crate) role: Role,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct AttachedPolicy {
    pub(crate) policy_arn: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct ListAttachedRolePolicies {
    pub(crate) attached_policies: List<AttachedPolicy>,
    pub(crate) is_truncated: bool,
    pub(crate) marker: Option<String>,
}
