//! `Microsoft.Authorization`: role assignments at any scope.

use http::Method;
use pmks_driver::{Effect, Result};

use super::{Accepted, Api, Condition, change, read, version};
use crate::arm_id::ArmId;
use crate::wire::authorization as wire;

const SERVICE: &str = "authorization";
const VERSION: &str = version::AUTHORIZATION;
const AUTHORIZATION: &str = "Microsoft.Authorization";

impl Api {
    /// The role assignments of a principal at, above and below a scope.
    ///
    /// Source: <https://learn.microsoft.com/rest/api/authorization/role-assignments/list-for-scope>
    pub(crate) async fn role_assignments(
        &self,
        scope: &ArmId,
        principal: &str,
    ) -> Result<Vec<wire::RoleAssignment>> {
        let shape = read(SERVICE, "RoleAssignments.ListForScope", VERSION);
        let mut path = scope.segments();
        path.extend(["providers", AUTHORIZATION, "roleAssignments"]);
        let plain: String = principal.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
        let filter = format!("principalId eq '{plain}'");
        self.list(shape, self.call(shape, &path).query("$filter", &filter)).await
    }

    /// One role assignment at a scope.
    ///
    /// Source: <https://learn.microsoft.com/rest/api/authorization/role-assignments/get>
    pub(crate) async fn role_assignment(&self, scope: &ArmId, name: &str) -> Result<wire::RoleAssignment> {
        let shape = read(SERVICE, "RoleAssignments.Get", VERSION);
        self.json(self.call(shape, &assignment(scope, name))).await
    }

    /// Assigns a role. The same again changes nothing.
    ///
    /// Source: <https://learn.microsoft.com/rest/api/authorization/role-assignments/create>
    pub(crate) async fn create_role_assignment(
        &self,
        scope: &ArmId,
        name: &str,
        body: &wire::NewRoleAssignment<'_>,
    ) -> Result<Accepted> {
        let shape = change(SERVICE, "RoleAssignments.Create", Effect::Idempotent, &Method::PUT, VERSION);
        self.put(shape, &assignment(scope, name), body, Condition::None).await
    }

    /// Takes a role away.
    ///
    /// Source: <https://learn.microsoft.com/rest/api/authorization/role-assignments/delete>
    pub(crate) async fn delete_role_assignment(&self, scope: &ArmId, name: &str) -> Result<Accepted> {
        let shape = change(SERVICE, "RoleAssignments.Delete", Effect::Idempotent, &Method::DELETE, VERSION);
        self.change(self.call(shape, &assignment(scope, name))).await
    }
}

fn assignment<'a>(scope: &'a ArmId, name: &'a str) -> Vec<&'a str> {
    let mut path = scope.segments();
    path.extend(["providers", AUTHORIZATION, "roleAssignments", name]);
    path
}
