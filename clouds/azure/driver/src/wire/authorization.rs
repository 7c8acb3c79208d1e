//! `Microsoft.Authorization`: role assignments.
//!
//! Source: <https://learn.microsoft.com/rest/api/authorization/role-assignments>

use serde::{Deserialize, Serialize};

/// A role assignment.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RoleAssignment {
    pub(crate) id: String,
    pub(crate) properties: RoleAssignmentProperties,
}

/// Who has which role where.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct RoleAssignmentProperties {
    pub(crate) role_definition_id: String,
    pub(crate) principal_id: String,
    pub(crate) scope: String,
}

/// A role assignment that is asked for.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct NewRoleAssignment<'a> {
    pub(crate) properties: NewRoleAssignmentProperties<'a>,
}

/// Who is to have which role.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewRoleAssignmentProperties<'a> {
    pub(crate) role_definition_id: String,
    pub(crate) principal_id: &'a str,
    /// Said so that Azure does not look the principal up, which may not be replicated yet.
    pub(crate) principal_type: &'static str,
}
