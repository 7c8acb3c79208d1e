//! Which call a request is: method and path against a table, by the operation ids of the published specifications.
//!
//! Source: <https://github.com/Azure/azure-rest-api-specs>.

use http::Method;
use percent_encoding::percent_decode_str;

/// One call of the table.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Route {
    method: &'static str,
    /// Segments, whose capitals do not matter; `{}` is a name, a leading `**` any scope.
    pattern: &'static str,
    /// The service, as faults and the record of calls know it.
    pub(crate) service: &'static str,
    /// The operation id.
    pub(crate) action: &'static str,
}

/// A request's call and the names in its path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// The call.
    pub(crate) route: &'static Route,
    /// What stood where the pattern has names, in order.
    pub(crate) names: Vec<String>,
    /// What stood where the pattern has a scope, as a path without a slash at the end.
    pub(crate) scope: String,
}

const fn route(
    method: &'static str,
    pattern: &'static str,
    service: &'static str,
    action: &'static str,
) -> Route {
    Route { method, pattern, service, action }
}

const LOGIN: &str = "login";
const RESOURCES: &str = "resources";
const AUTHORIZATION: &str = "authorization";
const IDENTITY: &str = "managedidentity";
const AKS: &str = "containerservice";
const NETWORK: &str = "network";
const COMPUTE: &str = "compute";
const INSIGHTS: &str = "insights";

#[rustfmt::skip]
const ROUTES: &[Route] = &[
    // Login and what clients ask before it.
    route("GET", "metadata/endpoints", RESOURCES, "Metadata_Endpoints"),
    route("GET", "common/discovery/instance", LOGIN, "Instance_Discovery"),
    route("GET", "{}/v2.0/.well-known/openid-configuration", LOGIN, "OpenId_Configuration"),
    route("GET", "{}/.well-known/openid-configuration", LOGIN, "OpenId_Configuration"),
    route("GET", "{}/discovery/v2.0/keys", LOGIN, "OpenId_Keys"),
    route("GET", "{}/discovery/keys", LOGIN, "OpenId_Keys"),
    route("POST", "{}/oauth2/v2.0/token", LOGIN, "Token_V2"),
    route("POST", "{}/oauth2/token", LOGIN, "Token_V1"),
    // Azure Resource Manager itself.
    route("GET", "tenants", RESOURCES, "Tenants_List"),
    route("GET", "providers", RESOURCES, "Providers_ListAtTenantScope"),
    route("GET", "subscriptions", RESOURCES, "Subscriptions_List"),
    route("GET", "subscriptions/{}", RESOURCES, "Subscriptions_Get"),
    route("GET", "subscriptions/{}/locations", RESOURCES, "Subscriptions_ListLocations"),
    route("GET", "subscriptions/{}/providers", RESOURCES, "Providers_List"),
    route("GET", "subscriptions/{}/providers/{}", RESOURCES, "Providers_Get"),
    route("POST", "subscriptions/{}/providers/{}/register", RESOURCES, "Providers_Register"),
    route("POST", "subscriptions/{}/providers/{}/unregister", RESOURCES, "Providers_Unregister"),
    route("GET", "subscriptions/{}/resources", RESOURCES, "Resources_List"),
    route("GET", "subscriptions/{}/operationresults/{}", RESOURCES, "ResourceGroups_OperationResult"),
    route("GET", "subscriptions/{}/resourceGroups", RESOURCES, "ResourceGroups_List"),
    route("GET", "subscriptions/{}/resourceGroups/{}", RESOURCES, "ResourceGroups_Get"),
    route("HEAD", "subscriptions/{}/resourceGroups/{}", RESOURCES, "ResourceGroups_CheckExistence"),
    route("PUT", "subscriptions/{}/resourceGroups/{}", RESOURCES, "ResourceGroups_CreateOrUpdate"),
    route("PATCH", "subscriptions/{}/resourceGroups/{}", RESOURCES, "ResourceGroups_Update"),
    route("DELETE", "subscriptions/{}/resourceGroups/{}", RESOURCES, "ResourceGroups_Delete"),
    route("GET", "subscriptions/{}/resourceGroups/{}/resources", RESOURCES, "Resources_ListByResourceGroup"),
    // Role assignments, at any scope.
    route("GET", "**/providers/Microsoft.Resources/tags/default", RESOURCES, "Tags_GetAtScope"),
    route("PATCH", "**/providers/Microsoft.Resources/tags/default", RESOURCES, "Tags_UpdateAtScope"),
    route("GET", "**/providers/Microsoft.Authorization/roleDefinitions", AUTHORIZATION, "RoleDefinitions_List"),
    route("GET", "**/providers/Microsoft.Authorization/roleDefinitions/{}", AUTHORIZATION, "RoleDefinitions_Get"),
    route("GET", "**/providers/Microsoft.Authorization/permissions", AUTHORIZATION, "Permissions_ListForResource"),
    route("GET", "**/providers/Microsoft.Authorization/roleAssignments", AUTHORIZATION, "RoleAssignments_ListForScope"),
    route("GET", "**/providers/Microsoft.Authorization/roleAssignments/{}", AUTHORIZATION, "RoleAssignments_Get"),
    route("PUT", "**/providers/Microsoft.Authorization/roleAssignments/{}", AUTHORIZATION, "RoleAssignments_Create"),
    route("DELETE", "**/providers/Microsoft.Authorization/roleAssignments/{}", AUTHORIZATION, "RoleAssignments_Delete"),
    // Managed identities.
    route("GET", "subscriptions/{}/providers/Microsoft.ManagedIdentity/userAssignedIdentities", IDENTITY, "UserAssignedIdentities_ListBySubscription"),
    route("GET", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.ManagedIdentity/userAssignedIdentities", IDENTITY, "UserAssignedIdentities_ListByResourceGroup"),
    route("GET", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{}", IDENTITY, "UserAssignedIdentities_Get"),
    route("PUT", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{}", IDENTITY, "UserAssignedIdentities_CreateOrUpdate"),
    route("DELETE", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{}", IDENTITY, "UserAssignedIdentities_Delete"),
    // AKS.
    route("GET", "subscriptions/{}/providers/Microsoft.ContainerService/managedClusters", AKS, "ManagedClusters_List"),
    route("GET", "subscriptions/{}/providers/Microsoft.ContainerService/locations/{}/kubernetesVersions", AKS, "ManagedClusters_ListKubernetesVersions"),
    route("GET", "subscriptions/{}/providers/Microsoft.ContainerService/locations/{}/operations/{}", AKS, "Operations_Get"),
    route("GET", "subscriptions/{}/providers/Microsoft.ContainerService/locations/{}/operationresults/{}", AKS, "OperationResults_Get"),
    route("GET", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.ContainerService/managedClusters", AKS, "ManagedClusters_ListByResourceGroup"),
    route("GET", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.ContainerService/managedClusters/{}", AKS, "ManagedClusters_Get"),
    route("PUT", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.ContainerService/managedClusters/{}", AKS, "ManagedClusters_CreateOrUpdate"),
    route("PATCH", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.ContainerService/managedClusters/{}", AKS, "ManagedClusters_UpdateTags"),
    route("DELETE", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.ContainerService/managedClusters/{}", AKS, "ManagedClusters_Delete"),
    route("POST", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.ContainerService/managedClusters/{}/listClusterUserCredential", AKS, "ManagedClusters_ListClusterUserCredentials"),
    route("POST", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.ContainerService/managedClusters/{}/listClusterAdminCredential", AKS, "ManagedClusters_ListClusterAdminCredentials"),
    route("POST", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.ContainerService/managedClusters/{}/stop", AKS, "ManagedClusters_Stop"),
    route("POST", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.ContainerService/managedClusters/{}/start", AKS, "ManagedClusters_Start"),
    route("POST", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.ContainerService/managedClusters/{}/abort", AKS, "ManagedClusters_AbortLatestOperation"),
    route("GET", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.ContainerService/managedClusters/{}/upgradeProfiles/default", AKS, "ManagedClusters_GetUpgradeProfile"),
    route("GET", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.ContainerService/managedClusters/{}/agentPools", AKS, "AgentPools_List"),
    route("GET", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.ContainerService/managedClusters/{}/availableAgentPoolVersions", AKS, "AgentPools_GetAvailableAgentPoolVersions"),
    route("GET", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.ContainerService/managedClusters/{}/agentPools/{}", AKS, "AgentPools_Get"),
    route("PUT", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.ContainerService/managedClusters/{}/agentPools/{}", AKS, "AgentPools_CreateOrUpdate"),
    route("DELETE", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.ContainerService/managedClusters/{}/agentPools/{}", AKS, "AgentPools_Delete"),
    route("POST", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.ContainerService/managedClusters/{}/agentPools/{}/abort", AKS, "AgentPools_AbortLatestOperation"),
    route("GET", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.ContainerService/managedClusters/{}/agentPools/{}/upgradeProfiles/default", AKS, "AgentPools_GetUpgradeProfile"),
    // Networks.
    route("GET", "subscriptions/{}/providers/Microsoft.Network/locations/{}/operations/{}", NETWORK, "Operations_Get"),
    route("GET", "subscriptions/{}/providers/Microsoft.Network/locations/{}/operationresults/{}", NETWORK, "OperationResults_Get"),
    route("GET", "subscriptions/{}/providers/Microsoft.Network/virtualNetworks", NETWORK, "VirtualNetworks_ListAll"),
    route("GET", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/virtualNetworks", NETWORK, "VirtualNetworks_List"),
    route("GET", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/virtualNetworks/{}", NETWORK, "VirtualNetworks_Get"),
    route("PUT", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/virtualNetworks/{}", NETWORK, "VirtualNetworks_CreateOrUpdate"),
    route("PATCH", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/virtualNetworks/{}", NETWORK, "VirtualNetworks_UpdateTags"),
    route("DELETE", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/virtualNetworks/{}", NETWORK, "VirtualNetworks_Delete"),
    route("GET", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/virtualNetworks/{}/subnets", NETWORK, "Subnets_List"),
    route("GET", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/virtualNetworks/{}/subnets/{}", NETWORK, "Subnets_Get"),
    route("PUT", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/virtualNetworks/{}/subnets/{}", NETWORK, "Subnets_CreateOrUpdate"),
    route("DELETE", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/virtualNetworks/{}/subnets/{}", NETWORK, "Subnets_Delete"),
    route("GET", "subscriptions/{}/providers/Microsoft.Network/networkSecurityGroups", NETWORK, "NetworkSecurityGroups_ListAll"),
    route("GET", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/networkSecurityGroups", NETWORK, "NetworkSecurityGroups_List"),
    route("GET", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/networkSecurityGroups/{}", NETWORK, "NetworkSecurityGroups_Get"),
    route("PUT", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/networkSecurityGroups/{}", NETWORK, "NetworkSecurityGroups_CreateOrUpdate"),
    route("PATCH", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/networkSecurityGroups/{}", NETWORK, "NetworkSecurityGroups_UpdateTags"),
    route("DELETE", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/networkSecurityGroups/{}", NETWORK, "NetworkSecurityGroups_Delete"),
    route("GET", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/networkSecurityGroups/{}/securityRules", NETWORK, "SecurityRules_List"),
    route("GET", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/networkSecurityGroups/{}/securityRules/{}", NETWORK, "SecurityRules_Get"),
    route("PUT", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/networkSecurityGroups/{}/securityRules/{}", NETWORK, "SecurityRules_CreateOrUpdate"),
    route("DELETE", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/networkSecurityGroups/{}/securityRules/{}", NETWORK, "SecurityRules_Delete"),
    route("GET", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/loadBalancers", NETWORK, "LoadBalancers_List"),
    route("GET", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/loadBalancers/{}", NETWORK, "LoadBalancers_Get"),
    route("GET", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/publicIPAddresses", NETWORK, "PublicIPAddresses_List"),
    route("GET", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/publicIPAddresses/{}", NETWORK, "PublicIPAddresses_Get"),
    route("GET", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/routeTables", NETWORK, "RouteTables_List"),
    // Compute.
    route("GET", "subscriptions/{}/providers/Microsoft.Compute/skus", COMPUTE, "ResourceSkus_List"),
    route("GET", "subscriptions/{}/providers/Microsoft.Compute/locations/{}/usages", COMPUTE, "Usage_List"),
    route("GET", "subscriptions/{}/providers/Microsoft.Compute/locations/{}/vmSizes", COMPUTE, "VirtualMachineSizes_List"),
    route("GET", "subscriptions/{}/providers/Microsoft.Compute/sshPublicKeys", COMPUTE, "SshPublicKeys_ListBySubscription"),
    route("GET", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.Compute/sshPublicKeys", COMPUTE, "SshPublicKeys_ListByResourceGroup"),
    route("GET", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.Compute/sshPublicKeys/{}", COMPUTE, "SshPublicKeys_Get"),
    route("PUT", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.Compute/sshPublicKeys/{}", COMPUTE, "SshPublicKeys_Create"),
    route("PATCH", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.Compute/sshPublicKeys/{}", COMPUTE, "SshPublicKeys_Update"),
    route("DELETE", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.Compute/sshPublicKeys/{}", COMPUTE, "SshPublicKeys_Delete"),
    route("GET", "subscriptions/{}/providers/Microsoft.Compute/virtualMachineScaleSets", COMPUTE, "VirtualMachineScaleSets_ListAll"),
    route("GET", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.Compute/virtualMachineScaleSets", COMPUTE, "VirtualMachineScaleSets_List"),
    route("GET", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.Compute/virtualMachineScaleSets/{}", COMPUTE, "VirtualMachineScaleSets_Get"),
    route("GET", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.Compute/virtualMachineScaleSets/{}/virtualMachines", COMPUTE, "VirtualMachineScaleSetVMs_List"),
    route("GET", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.Compute/virtualMachineScaleSets/{}/virtualMachines/{}", COMPUTE, "VirtualMachineScaleSetVMs_Get"),
    route("GET", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.Compute/virtualMachineScaleSets/{}/virtualMachines/{}/instanceView", COMPUTE, "VirtualMachineScaleSetVMs_GetInstanceView"),
    route("GET", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.Compute/virtualMachineScaleSets/{}/virtualMachines/{}/providers/Microsoft.Insights/metrics", INSIGHTS, "Metrics_List"),
    route("GET", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.Compute/virtualMachineScaleSets/{}/networkInterfaces", NETWORK, "NetworkInterfaces_ListVirtualMachineScaleSetNetworkInterfaces"),
    route("GET", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.Compute/virtualMachineScaleSets/{}/virtualMachines/{}/networkInterfaces", NETWORK, "NetworkInterfaces_ListVirtualMachineScaleSetVMNetworkInterfaces"),
    route("GET", "subscriptions/{}/providers/Microsoft.Compute/disks", COMPUTE, "Disks_List"),
    route("GET", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.Compute/disks", COMPUTE, "Disks_ListByResourceGroup"),
    route("GET", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.Compute/disks/{}", COMPUTE, "Disks_Get"),
    route("DELETE", "subscriptions/{}/resourceGroups/{}/providers/Microsoft.Compute/disks/{}", COMPUTE, "Disks_Delete"),
];

/// The call of a request, if the simulated Azure has it.
pub(crate) fn find(method: &Method, path: &str) -> Option<Found> {
    let segments: Vec<String> = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
        .collect();
    ROUTES.iter().filter(|route| route.method == method.as_str()).find_map(|route| matched(route, &segments))
}

/// The call of this service and action, named by nothing: for refusals.
pub(crate) fn by_action(service: &str, action: &str) -> Option<Found> {
    let route = ROUTES.iter().find(|route| route.service == service && route.action == action)?;
    Some(Found { route, names: Vec::new(), scope: String::new() })
}

fn matched(route: &'static Route, segments: &[String]) -> Option<Found> {
    let mut wanted: Vec<&str> = route.pattern.split('/').collect();
    let mut rest = segments;
    let mut scope = String::new();
    if wanted.first() == Some(&"**") {
        wanted.remove(0);
        let at = segments.len().checked_sub(wanted.len())?;
        let (before, after) = segments.split_at(at);
        scope = before.iter().flat_map(|segment| ["/", segment.as_str()]).collect();
        rest = after;
    }
    if rest.len() != wanted.len() {
        return None;
    }
    let mut names = Vec::new();
    for (wanted, given) in wanted.iter().zip(rest) {
        match *wanted {
            "{}" => names.push(given.clone()),
            wanted if given.eq_ignore_ascii_case(wanted) => {}
            _ => return None,
        }
    }
    Some(Found { route, names, scope })
}

impl Found {
    /// The subscription that the path names.
    pub(crate) fn subscription(&self) -> Option<String> {
        if self.scope.is_empty() {
            let in_path = self.route.pattern.starts_with("subscriptions/{}");
            return in_path.then(|| self.names.first().cloned()).flatten();
        }
        let mut segments = self.scope.split('/').skip(1);
        let first = segments.next()?;
        first.eq_ignore_ascii_case("subscriptions").then(|| segments.next().map(str::to_owned)).flatten()
    }

    /// The permission that the call needs (`Microsoft.ContainerService/managedClusters/read`).
    pub(crate) fn permission(&self) -> String {
        let after = self.route.pattern.rsplit_once("providers/").map(|(_, after)| after);
        let kind: Vec<&str> = match after {
            Some(after) => after.split('/').filter(|segment| !matches!(*segment, "{}" | "default")).collect(),
            None => vec!["Microsoft.Resources", "subscriptions/resourceGroups"],
        };
        let verb = match self.route.method {
            "GET" | "HEAD" => "read",
            "DELETE" => "delete",
            "POST" => "action",
            _ => "write",
        };
        format!("{}/{verb}", kind.join("/"))
    }

    /// The one resource that the path names.
    pub(crate) fn resource(&self) -> Option<String> {
        let least = usize::from(self.route.pattern.starts_with("subscriptions/{}"));
        self.names.get(least..).and_then(<[String]>::last).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn action(method: &str, path: &str) -> Option<(&'static str, Vec<String>)> {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        find(&method, path).map(|found| (found.route.action, found.names))
    }

    #[test]
    fn azure_does_not_mind_capitals_in_paths() {
        let path =
            "/subscriptions/S/resourceGroups/RG/providers/Microsoft.ContainerService/managedClusters/k%20a";
        let names = ["S", "RG", "k a"].map(str::to_owned).to_vec();
        assert_eq!(action("GET", path), Some(("ManagedClusters_Get", names)));
        assert_eq!(action("GET", &format!("{path}/unknown")), None);
        assert_eq!(action("PATCH", "/tenants"), None);
    }

    #[test]
    fn a_scope_may_be_any_resource() {
        let path = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/n\
                    /providers/Microsoft.Authorization/roleAssignments/1";
        let found = find(&Method::PUT, path).unwrap();
        assert_eq!(found.route.action, "RoleAssignments_Create");
        assert!(found.scope.ends_with("/subnets/n") && found.subscription().as_deref() == Some("s"));
        assert_eq!(found.permission(), "Microsoft.Authorization/roleAssignments/write");
    }

    #[test]
    fn every_call_is_found_by_its_own_pattern() {
        for route in ROUTES {
            let path = format!("/{}", route.pattern.replace("**", "subscriptions/s").replace("{}", "x"));
            let found = find(&Method::from_bytes(route.method.as_bytes()).unwrap(), &path).unwrap();
            assert_eq!(found.route, route, "{path}");
        }
    }
}
