//! What GKE can do and what it does not, as one literal. No code here decides anything.

use std::time::Duration;

use pmks_driver::{
    ActionBucket, AutoScaling, CallBound, Capabilities, FailedCreate, KeyPairUse, LastNodeGroup,
    NodeGroupsAtCreation, OptionField, OptionKind, Presence, ReadKind, RootDisk, TagRule, TokenKind,
    TokenReach, UniqueNames, Upgrade,
};
use pmks_model::{ImageKind, NameRule, NodeMetric, OperationKind, ResourceKind, UniqueName};

use crate::PROVIDER;
use crate::credential::FORMS;
use crate::endpoints::SERVICES;

/// Google Kubernetes Engine.
pub(crate) const CAPABILITIES: Capabilities = Capabilities {
    provider: PROVIDER,
    title: "Google Kubernetes Engine",
    services: &SERVICES,
    // Source: <https://cloud.google.com/compute/docs/regions-zones>
    first_region: "us-central1",
    credential_forms: FORMS,
    settings: SETTINGS,
    cluster_options: CLUSTER_OPTIONS,
    // Everything but tags of what has none.
    operations: &[
        OperationKind::ClusterCreate,
        OperationKind::ClusterDelete,
        OperationKind::ClusterUpgrade,
        OperationKind::ClusterImport,
        OperationKind::ClusterUpdate,
        OperationKind::NodeGroupAdd,
        OperationKind::NodeGroupScale,
        OperationKind::NodeGroupUpgrade,
        OperationKind::NodeGroupRemove,
        OperationKind::NetworkCreate,
        OperationKind::NetworkDelete,
        OperationKind::SubnetCreate,
        OperationKind::SubnetDelete,
        OperationKind::SecurityGroupCreate,
        OperationKind::SecurityGroupUpdate,
        OperationKind::SecurityGroupDelete,
        OperationKind::KeyPairCreate,
        OperationKind::KeyPairDelete,
        OperationKind::PrerequisiteFix,
    ],
    // Source: <https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.clusters>, `name`
    cluster_name: UP_TO_40,
    // Node pools: the same rule, by the same service.
    node_group_name: UP_TO_40,
    // Source: <https://cloud.google.com/compute/docs/reference/rest/v1/networks>, `name`; subnetworks the same
    network_name: UP_TO_63,
    subnet_name: UP_TO_63,
    // A firewall rule's name and a network tag; the rules of a group have its name and 13 characters more.
    // Source: <https://cloud.google.com/compute/docs/reference/rest/v1/firewalls>, `name`
    security_group_name: NameRule {
        pattern: "^[a-z]([a-z0-9-]{0,48}[a-z0-9])?$",
        says: "1 to 50 lower-case letters, digits and hyphens, beginning with a letter, not ending with a hyphen",
    },
    // A part of a metadata key: <https://cloud.google.com/compute/docs/metadata/setting-custom-metadata#limitations>
    key_pair_name: NameRule {
        pattern: "^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$",
        says: "1 to 100 letters, digits, underscores and hyphens, beginning with a letter or digit",
    },
    unique_names: UniqueNames {
        network: UniqueName::of(63),
        subnet: UniqueName::of(63),
        security_group: UniqueName::of(50),
        key_pair: UniqueName::of(100),
        ..UniqueNames::all(UniqueName::of(40))
    },
    // 64 labels a resource, three of which are our marks:
    // <https://cloud.google.com/kubernetes-engine/docs/how-to/creating-managing-labels#requirements>
    tags: Some(TagRule {
        most: 61,
        key: NameRule {
            pattern: "^[a-z\\x{80}-\\x{10FFFF}][a-z0-9_\\x{80}-\\x{10FFFF}-]{0,62}$",
            says: "1 to 63 lower-case letters, digits, underscores and hyphens, beginning with a letter",
        },
        value: NameRule {
            pattern: "^[a-z0-9_\\x{80}-\\x{10FFFF}-]{0,63}$",
            says: "at most 63 lower-case letters, digits, underscores and hyphens",
        },
    }),
    // A cluster is made with its node pools, by one call; without any it would get one of Google's own choice.
    node_groups_at_creation: NodeGroupsAtCreation { presence: Presence::Required, most: 30 },
    // Source: <https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.clusters>, `subnetwork`
    minimum_subnets: 1,
    minimum_zones: 1,
    most_subnets: Some(1),
    // Subnetworks are regional: <https://cloud.google.com/vpc/docs/subnets>
    zonal_subnets: false,
    // `IPv4Range` is of legacy networks, which cannot be made any more:
    // <https://cloud.google.com/compute/docs/reference/rest/v1/networks>
    network_addresses: false,
    // Networks, subnetworks and firewall rules have no labels, and a key pair is an item of the project's metadata:
    // <https://cloud.google.com/compute/docs/labeling-resources#supported_resources>
    tagged: &[ResourceKind::Cluster],
    security_groups: Presence::Optional,
    image: ImageKind::Type,
    // Sources: <https://cloud.google.com/kubernetes-engine/docs/how-to/custom-boot-disks>,
    // <https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/NodeConfig>, `diskType` and `diskSizeGb`
    root_disk: RootDisk {
        types: &["pd-standard", "pd-balanced", "pd-ssd", "hyperdisk-balanced"],
        default_gib: 100,
        min_gib: 10,
        max_gib: 65_536,
    },
    key_pair: KeyPairUse::Optional,
    scales_to_zero: true,
    auto_scaling: AutoScaling {
        managed: true,
        keeps_limits: false,
        says: "GKE moves the size between the limits by itself; the limits exist only while autoscaling is on",
    },
    token: TokenKind::Bearer,
    // The connection's own token, with the scope of the whole platform, as `gke-gcloud-auth-plugin` asks for. GKE's API
    // takes `auth/container` too; whether a cluster's Kubernetes API does was not tried.
    token_reach: TokenReach::Account,
    native_kubeconfig: true,
    static_kubeconfig: false,
    last_node_group: LastNodeGroup::Removable,
    // Sources: <https://cloud.google.com/kubernetes-engine/docs/how-to/upgrading-a-cluster>,
    // <https://cloud.google.com/kubernetes-engine/versioning#version-skew-policy>
    upgrade: Upgrade { one_minor_at_a_time: true, node_groups_before_next_hop: false, largest_skew: 2 },
    failed_create: FailedCreate::Replace,
    // Location `-` matches all zones and all regions:
    // <https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.operations/list>
    progress_list: true,
    node_metrics: &NodeMetric::ALL,
    metric_intervals: &[],
    buckets: BUCKETS,
    call_bounds: CALL_BOUNDS,
    // What was accepted is made by work that may not have begun when it is looked for. Google names no time.
    visible_after: Duration::from_mins(1),
};

const UP_TO_40: NameRule = NameRule {
    pattern: "^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$",
    says: "1 to 40 lower-case letters, digits and hyphens, beginning with a letter, not ending with a hyphen",
};

const UP_TO_63: NameRule = NameRule {
    pattern: "^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$",
    says: "1 to 63 lower-case letters, digits and hyphens, beginning with a letter, not ending with a hyphen",
};

const SETTINGS: &[OptionField] = &[
    OptionField {
        name: "projectId",
        kind: OptionKind::Text,
        default: "the credential's own project",
        help: "the project, by its id",
        changeable: false,
    },
    OptionField {
        name: "impersonateServiceAccount",
        kind: OptionKind::Text,
        default: "",
        help: "a service account, by its address, that the credential may act for",
        changeable: true,
    },
];

/// The option that makes a cluster regional.
pub(crate) const REGIONAL: &str = "regional";
/// The option that names the zones of nodes.
pub(crate) const NODE_ZONES: &str = "nodeZones";
/// The option that names the release channel.
pub(crate) const RELEASE_CHANNEL: &str = "releaseChannel";

const CLUSTER_OPTIONS: &[OptionField] = &[
    OptionField {
        name: REGIONAL,
        kind: OptionKind::Boolean,
        default: "false where the connection names a zone, else true",
        help: "control planes in several zones of the region",
        changeable: false,
    },
    OptionField {
        name: NODE_ZONES,
        kind: OptionKind::Texts,
        default: "the connection's zone; of a regional cluster, three zones of the region",
        help: "the zones of nodes, such as [\"us-central1-a\",\"us-central1-b\"], each once; each has the same number of nodes",
        changeable: false,
    },
    // Source: <https://cloud.google.com/kubernetes-engine/docs/concepts/release-channels>
    OptionField {
        name: RELEASE_CHANNEL,
        kind: OptionKind::Choice(&["RAPID", "REGULAR", "STABLE", "EXTENDED", "UNSPECIFIED"]),
        default: "REGULAR; where a version is named, the first of REGULAR, STABLE, RAPID, EXTENDED that has it",
        help: "who brings new versions when; UNSPECIFIED: no channel",
        changeable: true,
    },
];

const fn bucket(service: &'static str, burst: u32, per_second: f64) -> ActionBucket {
    ActionBucket { service, action: "", burst, per_second }
}

/// GKE counts 3000 requests a minute, Compute Engine 1500 of each group of methods, both by project:
/// <https://cloud.google.com/kubernetes-engine/quotas>, <https://cloud.google.com/compute/api-quota>. The project's other
/// clients share them, so that a part of them is ours. The others publish none for these calls.
const BUCKETS: &[ActionBucket] = &[
    bucket("container", 100, 20.0),
    bucket("compute", 100, 10.0),
    bucket("serviceusage", 20, 2.0),
    bucket("monitoring", 50, 10.0),
    bucket("oauth2", 20, 5.0),
    bucket("sts", 20, 5.0),
    bucket("iamcredentials", 20, 5.0),
];

const fn bound(read: ReadKind, fixed: u32) -> CallBound {
    CallBound { read, fixed, per_cluster: 0, per_node_group: 0 }
}

/// One list of GKE answers for all clusters with their node pools; sizes come from one list of the project's managed
/// instance groups, nodes from one of its instances. Of one cluster GKE is also asked what it is doing.
const CALL_BOUNDS: &[CallBound] = &[
    bound(ReadKind::ListClusterIds, 1),
    bound(ReadKind::ListClusters, 2),
    bound(ReadKind::ListClustersWithNodes, 3),
    bound(ReadKind::GetCluster, 4),
    bound(ReadKind::Nodes, 2),
    bound(ReadKind::NodeMetrics, 1),
    bound(ReadKind::Versions, 1),
    bound(ReadKind::ListSecurityGroups, 1),
    bound(ReadKind::ListKeyPairs, 1),
    // None while the access token is fresh; else the call for another, and the one that acts for somebody.
    bound(ReadKind::ClusterToken, 2),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart() {
        let tags = CAPABILITIES.tags.unwrap();
        for (rule, fine, refused) in [
            (CAPABILITIES.cluster_name, vec!["a", "a-1"], vec!["", "-", "1a", "A", "a-", "a_b", "é"]),
            (CAPABILITIES.network_name, vec!["a", "net-1"], vec!["", "-", "a_b", "a/b", "9"]),
            (CAPABILITIES.security_group_name, vec!["web", "a-1"], vec!["", "web-", "W"]),
            (CAPABILITIES.key_pair_name, vec!["Admin_1", "a"], vec!["", "-a", "a b", "é"]),
            (tags.key, vec!["team", "a_b-c", "팀"], vec!["", "1a", "Team", "a.b"]),
        ] {
            for name in fine {
                assert_eq!(rule.refusal(name), None, "{name:?}");
            }
            for name in refused {
                assert!(rule.refusal(name).is_some(), "{name:?}");
            }
        }
        assert!(tags.value.allows("") && !tags.value.allows("Blue") && !tags.value.allows("a b"));
        for (rule, longest) in [
            (CAPABILITIES.cluster_name, 40),
            (CAPABILITIES.node_group_name, 40),
            (CAPABILITIES.network_name, 63),
            (CAPABILITIES.security_group_name, 50),
        ] {
            assert_eq!(rule.refusal(&"a".repeat(longest)), None);
            assert!(rule.refusal(&"a".repeat(longest + 1)).is_some());
        }
    }

    #[test]
    fn our_marks_are_labels() {
        let tags = CAPABILITIES.tags.unwrap();
        assert!(pmks_driver::Marks::KEYS.iter().all(|key| tags.key.allows(key)));
        assert!(tags.value.allows("0199a1b2-c3d4-7e5f-8a6b-9c0d1e2f3a4b"));
    }
}
