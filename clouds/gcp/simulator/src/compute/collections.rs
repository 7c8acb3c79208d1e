//! The kinds of resource that are held as they are written. Pure data.

/// A kind of resource.
#[derive(Debug)]
pub(crate) struct Collection {
    /// As paths name it.
    pub(crate) name: &'static str,
    /// As bodies name it.
    pub(crate) kind: &'static str,
    /// As the ground truth names it.
    pub(crate) row: &'static str,
    /// The field that carries its fingerprint.
    pub(crate) fingerprint: Option<&'static str>,
}

const fn of(
    name: &'static str,
    kind: &'static str,
    row: &'static str,
    fingerprint: Option<&'static str>,
) -> Collection {
    Collection { name, kind, row, fingerprint }
}

/// All of them.
pub(crate) const COLLECTIONS: [Collection; 15] = [
    of("networks", "compute#network", "network", None),
    of("subnetworks", "compute#subnetwork", "subnetwork", Some("fingerprint")),
    of("firewalls", "compute#firewall", "firewall", None),
    of("routes", "compute#route", "route", None),
    of("instanceTemplates", "compute#instanceTemplate", "instanceTemplate", None),
    of("disks", "compute#disk", "disk", Some("labelFingerprint")),
    of("addresses", "compute#address", "address", Some("labelFingerprint")),
    of("forwardingRules", "compute#forwardingRule", "forwardingRule", Some("fingerprint")),
    of("targetPools", "compute#targetPool", "targetPool", None),
    of("httpHealthChecks", "compute#httpHealthCheck", "httpHealthCheck", None),
    of("healthChecks", "compute#healthCheck", "healthCheck", None),
    of("backendServices", "compute#backendService", "backendService", Some("fingerprint")),
    of("urlMaps", "compute#urlMap", "urlMap", Some("fingerprint")),
    of("targetHttpProxies", "compute#targetHttpProxy", "targetHttpProxy", Some("fingerprint")),
    of("networkEndpointGroups", "compute#networkEndpointGroup", "networkEndpointGroup", None),
];

/// The kind of this name.
pub(crate) fn collection(name: &str) -> Option<&'static Collection> {
    COLLECTIONS.iter().find(|known| known.name == name)
}

/// The collection's name in paths, of its name in calls: the global one of two is named apart there, and of three the
/// regional one too.
pub(crate) fn in_paths(called: &str) -> &str {
    match called {
        "globalForwardingRules" => "forwardingRules",
        "globalAddresses" => "addresses",
        "globalNetworkEndpointGroups" | "regionNetworkEndpointGroups" => "networkEndpointGroups",
        other => other,
    }
}
