//! The kinds of object that a simulated cluster's built-in back knows, as data: discovery, paths, refusals and
//! tables are made from it. Kinds beside these are answered as on a cluster that lacks them.

use serde_json::Value;

/// One kind of object.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Resource {
    pub(crate) group: &'static str,
    pub(crate) version: &'static str,
    pub(crate) plural: &'static str,
    pub(crate) singular: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) short: &'static [&'static str],
    pub(crate) categories: &'static [&'static str],
    pub(crate) namespaced: bool,
    /// What this back does with it beyond reading.
    pub(crate) changes: &'static [&'static str],
}

/// A kind that answers a question and keeps nothing.
#[derive(Debug)]
pub(crate) struct Review {
    pub(crate) group: &'static str,
    pub(crate) plural: &'static str,
    pub(crate) kind: &'static str,
}

const NOTHING: &[&str] = &[];
const ALL_CATEGORY: &[&str] = &["all"];

const fn core(
    plural: &'static str,
    singular: &'static str,
    kind: &'static str,
    short: &'static [&'static str],
) -> Resource {
    of_group("", plural, singular, kind, short)
}

const fn of_group(
    group: &'static str,
    plural: &'static str,
    singular: &'static str,
    kind: &'static str,
    short: &'static [&'static str],
) -> Resource {
    Resource {
        group,
        version: "v1",
        plural,
        singular,
        kind,
        short,
        categories: NOTHING,
        namespaced: true,
        changes: NOTHING,
    }
}

pub(crate) static NODES: Resource =
    Resource { namespaced: false, changes: &["patch"], ..core("nodes", "node", "Node", &["no"]) };
pub(crate) static NAMESPACES: Resource =
    Resource { namespaced: false, ..core("namespaces", "namespace", "Namespace", &["ns"]) };
pub(crate) static PODS: Resource =
    Resource { categories: ALL_CATEGORY, ..core("pods", "pod", "Pod", &["po"]) };
pub(crate) static SERVICES: Resource = Resource {
    categories: ALL_CATEGORY,
    changes: &["delete"],
    ..core("services", "service", "Service", &["svc"])
};
pub(crate) static EVENTS: Resource = core("events", "event", "Event", &["ev"]);
pub(crate) static PERSISTENT_VOLUMES: Resource = Resource {
    namespaced: false,
    ..core("persistentvolumes", "persistentvolume", "PersistentVolume", &["pv"])
};
pub(crate) static PERSISTENT_VOLUME_CLAIMS: Resource =
    core("persistentvolumeclaims", "persistentvolumeclaim", "PersistentVolumeClaim", &["pvc"]);
pub(crate) static RESOURCE_QUOTAS: Resource =
    core("resourcequotas", "resourcequota", "ResourceQuota", &["quota"]);
pub(crate) static LIMIT_RANGES: Resource = core("limitranges", "limitrange", "LimitRange", &["limits"]);
pub(crate) static DAEMON_SETS: Resource = Resource {
    categories: ALL_CATEGORY,
    ..of_group("apps", "daemonsets", "daemonset", "DaemonSet", &["ds"])
};
pub(crate) static DEPLOYMENTS: Resource = Resource {
    categories: ALL_CATEGORY,
    ..of_group("apps", "deployments", "deployment", "Deployment", &["deploy"])
};
pub(crate) static REPLICA_SETS: Resource = Resource {
    categories: ALL_CATEGORY,
    ..of_group("apps", "replicasets", "replicaset", "ReplicaSet", &["rs"])
};
pub(crate) static LEASES: Resource = of_group("coordination.k8s.io", "leases", "lease", "Lease", NOTHING);
pub(crate) static ENDPOINT_SLICES: Resource =
    of_group("discovery.k8s.io", "endpointslices", "endpointslice", "EndpointSlice", NOTHING);
pub(crate) static INGRESSES: Resource = Resource {
    changes: &["delete"],
    ..of_group("networking.k8s.io", "ingresses", "ingress", "Ingress", &["ing"])
};

/// Every kind that this back keeps, in the order in which discovery names them.
pub(crate) static RESOURCES: [&Resource; 15] = [
    &EVENTS,
    &LIMIT_RANGES,
    &NAMESPACES,
    &NODES,
    &PERSISTENT_VOLUME_CLAIMS,
    &PERSISTENT_VOLUMES,
    &PODS,
    &RESOURCE_QUOTAS,
    &SERVICES,
    &DAEMON_SETS,
    &DEPLOYMENTS,
    &REPLICA_SETS,
    &INGRESSES,
    &LEASES,
    &ENDPOINT_SLICES,
];

/// Every question that this back answers.
pub(crate) static REVIEWS: [Review; 3] = [
    Review { group: "authentication.k8s.io", plural: "selfsubjectreviews", kind: "SelfSubjectReview" },
    Review {
        group: "authorization.k8s.io",
        plural: "selfsubjectaccessreviews",
        kind: "SelfSubjectAccessReview",
    },
    Review {
        group: "authorization.k8s.io",
        plural: "selfsubjectrulesreviews",
        kind: "SelfSubjectRulesReview",
    },
];

/// The named groups in the order in which discovery names them, each with its one version `v1`.
pub(crate) static GROUPS: [&str; 6] = [
    "apps",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "networking.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
];

impl Resource {
    /// The kind of this group, version and plural.
    pub(crate) fn find(group: &str, version: &str, plural: &str) -> Option<&'static Self> {
        RESOURCES
            .iter()
            .find(|known| known.group == group && known.version == version && known.plural == plural)
            .copied()
    }

    /// The kind of an object that names itself.
    pub(crate) fn of_object(object: &Value) -> Option<&'static Self> {
        let version = object.get("apiVersion")?.as_str()?;
        let kind = object.get("kind")?.as_str()?;
        RESOURCES.iter().find(|known| known.kind == kind && known.api_version() == version).copied()
    }

    pub(crate) fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// `services`, `ingresses.networking.k8s.io`: as messages name it.
    pub(crate) fn qualified(&self) -> String {
        if self.group.is_empty() { self.plural.to_owned() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// The `details` of a `Status` about one object (an empty name: about the kind).
    pub(crate) fn details(&self, name: &str) -> Value {
        let members = [("name", name), ("group", self.group), ("kind", self.plural)];
        members.into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }

    /// Every verb that this back does on the kind.
    pub(crate) fn verbs(&self) -> impl Iterator<Item = &'static str> {
        self.changes.iter().copied().chain(["get", "list", "watch"])
    }
}
