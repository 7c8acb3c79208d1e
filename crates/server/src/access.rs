//! Who may call which route: one table. A route that is not in it is the administrator's alone, and a test wants
//! every documented route in it.

use std::collections::HashMap;
use std::sync::LazyLock;

use http::Method;
use pmks_core::{Caller, Role};
use pmks_model::FailureKind;

use crate::refused::Refused;

/// What a route asks of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Nothing: it says nothing about this installation.
    Public,
    /// Any role.
    Viewer,
    /// Operator on the connection in the path. Where there is none, the facade knows the connection and checks it.
    Operator,
    /// Admin.
    Admin,
}

use Access::{Admin, Operator, Public, Viewer};

/// Method, path, access. Reads of everything below `/v1` but what is listed are for any role.
const TABLE: &[(&str, &str, Access)] = &[
    ("GET", "/healthz", Public),
    ("GET", "/readyz", Public),
    ("GET", "/docs", Public),
    ("GET", "/docs/errors/{kind}", Public),
    ("GET", "/v1/openapi.json", Public),
    ("GET", "/metrics", Viewer),
    ("GET", "/v1/providers", Viewer),
    ("GET", "/v1/providers/{provider}", Viewer),
    ("POST", "/v1/connections", Operator),
    ("GET", "/v1/connections", Viewer),
    ("GET", "/v1/connections/{connection}", Viewer),
    ("PATCH", "/v1/connections/{connection}", Operator),
    ("DELETE", "/v1/connections/{connection}", Operator),
    ("POST", "/v1/connections/{connection}/validate", Operator),
    ("GET", "/v1/connections/{connection}/prerequisites", Viewer),
    ("POST", "/v1/connections/{connection}/prerequisites/fix", Operator),
    ("GET", "/v1/connections/{connection}/versions", Viewer),
    ("GET", "/v1/connections/{connection}/machineTypes", Viewer),
    ("GET", "/v1/connections/{connection}/images", Viewer),
    ("GET", "/v1/connections/{connection}/regions", Viewer),
    ("POST", "/v1/connections/{connection}/networks", Operator),
    ("GET", "/v1/connections/{connection}/networks", Viewer),
    ("GET", "/v1/connections/{connection}/networks/{network}", Viewer),
    ("PATCH", "/v1/connections/{connection}/networks/{network}", Operator),
    ("DELETE", "/v1/connections/{connection}/networks/{network}", Operator),
    ("POST", "/v1/connections/{connection}/networks/{network}/forget", Operator),
    ("POST", "/v1/connections/{connection}/networks/{network}/subnets", Operator),
    ("GET", "/v1/connections/{connection}/networks/{network}/subnets", Viewer),
    ("GET", "/v1/connections/{connection}/networks/{network}/subnets/{subnet}", Viewer),
    ("PATCH", "/v1/connections/{connection}/networks/{network}/subnets/{subnet}", Operator),
    ("DELETE", "/v1/connections/{connection}/networks/{network}/subnets/{subnet}", Operator),
    ("POST", "/v1/connections/{connection}/networks/{network}/subnets/{subnet}/forget", Operator),
    ("POST", "/v1/connections/{connection}/securityGroups", Operator),
    ("GET", "/v1/connections/{connection}/securityGroups", Viewer),
    ("GET", "/v1/connections/{connection}/securityGroups/{securityGroup}", Viewer),
    ("PATCH", "/v1/connections/{connection}/securityGroups/{securityGroup}", Operator),
    ("DELETE", "/v1/connections/{connection}/securityGroups/{securityGroup}", Operator),
    ("POST", "/v1/connections/{connection}/securityGroups/{securityGroup}/rules", Operator),
    ("POST", "/v1/connections/{connection}/securityGroups/{securityGroup}/forget", Operator),
    ("POST", "/v1/connections/{connection}/keyPairs", Operator),
    ("GET", "/v1/connections/{connection}/keyPairs", Viewer),
    ("GET", "/v1/connections/{connection}/keyPairs/{keyPair}", Viewer),
    ("PATCH", "/v1/connections/{connection}/keyPairs/{keyPair}", Operator),
    ("DELETE", "/v1/connections/{connection}/keyPairs/{keyPair}", Operator),
    ("POST", "/v1/connections/{connection}/keyPairs/{keyPair}/forget", Operator),
    ("POST", "/v1/connections/{connection}/clusters", Operator),
    ("GET", "/v1/connections/{connection}/clusters", Viewer),
    ("POST", "/v1/connections/{connection}/clusters:import", Operator),
    ("GET", "/v1/connections/{connection}/clusters/{cluster}", Viewer),
    ("PATCH", "/v1/connections/{connection}/clusters/{cluster}", Operator),
    ("DELETE", "/v1/connections/{connection}/clusters/{cluster}", Operator),
    ("POST", "/v1/connections/{connection}/clusters/{cluster}/forget", Operator),
    ("POST", "/v1/connections/{connection}/clusters/{cluster}/upgrade", Operator),
    ("GET", "/v1/connections/{connection}/clusters/{cluster}/children", Viewer),
    ("POST", "/v1/connections/{connection}/clusters/{cluster}/nodeGroups", Operator),
    ("GET", "/v1/connections/{connection}/clusters/{cluster}/nodeGroups", Viewer),
    ("GET", "/v1/connections/{connection}/clusters/{cluster}/nodeGroups/{nodeGroup}", Viewer),
    ("DELETE", "/v1/connections/{connection}/clusters/{cluster}/nodeGroups/{nodeGroup}", Operator),
    ("POST", "/v1/connections/{connection}/clusters/{cluster}/nodeGroups/{nodeGroup}/scale", Operator),
    ("POST", "/v1/connections/{connection}/clusters/{cluster}/nodeGroups/{nodeGroup}/upgrade", Operator),
    ("GET", "/v1/connections/{connection}/clusters/{cluster}/nodes", Viewer),
    ("GET", "/v1/connections/{connection}/clusters/{cluster}/nodes/{node}", Viewer),
    ("GET", "/v1/connections/{connection}/clusters/{cluster}/nodes/{node}/metrics/{metric}", Viewer),
    // The `exec` form holds no secret; the facade asks more for the others.
    ("GET", "/v1/connections/{connection}/clusters/{cluster}/kubeconfig", Viewer),
    ("POST", "/v1/connections/{connection}/clusters/{cluster}/token", Operator),
    ("GET", "/v1/operations", Viewer),
    ("GET", "/v1/operations/{operation}", Viewer),
    ("POST", "/v1/operations/{operation}/cancel", Operator),
    ("POST", "/v1/operations/{operation}/retry", Operator),
    ("GET", "/v1/operations/{operation}/events", Viewer),
    ("GET", "/v1/events", Viewer),
    ("POST", "/v1/apiTokens", Admin),
    ("GET", "/v1/apiTokens", Admin),
    ("DELETE", "/v1/apiTokens/{apiToken}", Admin),
    ("GET", "/v1/audit", Admin),
    ("GET", "/v1/logLevel", Admin),
    ("PUT", "/v1/logLevel", Admin),
];

/// The same, to be looked up at every request.
static ROUTES: LazyLock<HashMap<(&str, &str), Access>> =
    LazyLock::new(|| TABLE.iter().map(|(method, path, access)| ((*method, *path), *access)).collect());

/// What that route asks.
pub(crate) fn of(method: &Method, path: &str) -> Access {
    let method = if *method == Method::HEAD { Method::GET.as_str() } else { method.as_str() };
    ROUTES.get(&(method, path)).copied().unwrap_or(Admin)
}

/// Refuses a caller who may not.
pub(crate) fn check(access: Access, caller: &Caller, connection: Option<&str>) -> Result<(), Refused> {
    match (access, connection) {
        (Operator, Some(connection)) => Ok(caller.require_operator(connection)?),
        (Operator, None) if caller.role == Role::Viewer => {
            let detail = format!("this needs the role operator; {} has viewer", caller.name);
            Err(Refused::new(FailureKind::NotAllowed, detail))
        }
        (Public | Viewer, _) | (Operator, None) => Ok(()),
        (Admin, _) => Ok(caller.require_admin("this")?),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_table_holds_exactly_the_documented_routes() {
        let document = serde_json::to_value(crate::document()).unwrap();
        let documented: BTreeSet<(String, String)> = document["paths"]
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(path, item)| {
                let methods = item.as_object().unwrap().keys();
                methods.map(|method| (method.to_uppercase(), path.clone())).collect::<Vec<_>>()
            })
            .collect();
        let listed: BTreeSet<(String, String)> =
            TABLE.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect();
        assert_eq!(listed.len(), TABLE.len(), "a route stands twice in the table");
        assert_eq!(listed, documented);
    }

    #[test]
    fn no_viewer_mutates() {
        for (method, path, access) in TABLE {
            assert!(*method == "GET" || matches!(access, Operator | Admin), "{method} {path}");
        }
        assert_eq!(of(&Method::POST, "/v1/new"), Admin);
    }
}
