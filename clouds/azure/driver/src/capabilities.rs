//! What AKS can do and what it does not, as one literal. No code here decides anything.

use std::time::Duration;

use pmks_driver::{
    ActionBucket, AutoScaling, CallBound, Capabilities, FailedCreate, KeyPairUse, LastNodeGroup,
    NodeGroupsAtCreation, OptionField, OptionKind, Presence, ReadKind, RootDisk, TagRule, TokenKind,
    TokenReach, UniqueNames, Upgrade,
};
use pmks_model::{ImageKind, NameRule, NodeMetric, OperationKind, ResourceKind, UniqueName};

use crate::PROVIDER;
use crate::credential::FORMS;
use crate::endpoints::{CLOUD_NAMES, SERVICES};

/// Azure Kubernetes Service.
pub(crate) const CAPABILITIES: Capabilities = Capabilities {
    provider: PROVIDER,
    title: "Azure Kubernetes Service",
    services: &SERVICES,
    // Source: <https://learn.microsoft.com/azure/reliability/regions-list>
    first_region: "eastus",
    credential_forms: FORMS,
    settings: SETTINGS,
    cluster_options: CLUSTER_OPTIONS,
    // Everything but tags of subnets.
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
        OperationKind::NetworkUpdate,
        OperationKind::NetworkDelete,
        OperationKind::SubnetCreate,
        OperationKind::SubnetDelete,
        OperationKind::SecurityGroupCreate,
        OperationKind::SecurityGroupUpdate,
        OperationKind::SecurityGroupDelete,
        OperationKind::KeyPairCreate,
        OperationKind::KeyPairUpdate,
        OperationKind::KeyPairDelete,
        OperationKind::PrerequisiteFix,
    ],
    // Source: <https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules>,
    // Microsoft.ContainerService
    cluster_name: NameRule {
        pattern: "^[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?$",
        says: "1 to 63 letters, digits, hyphens and underscores, beginning and ending with a letter or digit",
    },
    // Source: <https://learn.microsoft.com/azure/aks/create-node-pools#limitations>
    node_group_name: NameRule {
        pattern: "^[a-z][a-z0-9]{0,11}$",
        says: "1 to 12 lower-case letters and digits, beginning with a letter",
    },
    network_name: NameRule {
        pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}[A-Za-z0-9_]$",
        says: "2 to 64 letters, digits and ._-, beginning with a letter or digit, ending with one or an underscore",
    },
    subnet_name: NAME_OF_80,
    security_group_name: NAME_OF_80,
    key_pair_name: NAME_OF_80,
    unique_names: UniqueNames {
        // Not all that AKS would take: its name stands in that of the nodes' resource group, with those of two other
        // things, in 80 characters. <https://learn.microsoft.com/azure/aks/faq>
        cluster: UniqueName::of(44),
        // Twelve letters and digits hold no suffix of twenty; a pool's name is one within its cluster alone.
        node_group: UniqueName { most: 12, joint: "", suffix: 5 },
        network: UniqueName::of(64),
        ..UniqueNames::all(UniqueName::of(80))
    },
    // 50 tags a resource; three are our marks, and AKS puts up to twelve of its own on what it makes from them:
    // <https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations>
    tags: Some(TagRule {
        most: 35,
        key: NameRule {
            pattern: "^([^<>%&\\\\?/\\x00-\\x1F]){1,128}$",
            says: "1 to 128 characters without <>%&\\?/",
        },
        value: NameRule { pattern: "^(?s:.){0,256}$", says: "at most 256 characters" },
    }),
    // One call makes the cluster with its pools; the first is of mode System, the others of mode User:
    // <https://learn.microsoft.com/azure/aks/use-system-pools>, <https://learn.microsoft.com/azure/aks/quotas-skus-regions>
    node_groups_at_creation: NodeGroupsAtCreation { presence: Presence::Required, most: 100 },
    // All pools of a cluster that pmks makes lie in one subnet, which spans the region's zones.
    minimum_subnets: 1,
    minimum_zones: 1,
    most_subnets: Some(1),
    zonal_subnets: false,
    // Source: <https://learn.microsoft.com/rest/api/virtualnetwork/virtual-networks/create-or-update>, `addressSpace`
    network_addresses: true,
    // A subnet is a part of its network's document, which has tags of the network alone.
    // Source: <https://learn.microsoft.com/azure/azure-resource-manager/management/tag-support#microsoftnetwork>
    tagged: &[
        ResourceKind::Cluster,
        ResourceKind::Network,
        ResourceKind::SecurityGroup,
        ResourceKind::KeyPair,
    ],
    security_groups: Presence::Optional,
    image: ImageKind::Type,
    // AKS lets choose `Managed` or `Ephemeral`. What a managed disk is made of the machine type decides: the spellings
    // of premium and standard are taken where they name what AKS will make. 128 GiB below eight processors:
    // <https://learn.microsoft.com/azure/aks/concepts-storage#default-os-disk-sizing-in-aks>
    root_disk: RootDisk {
        types: &["Managed", "Ephemeral", "Premium SSD", "PremiumSSD", "Standard SSD", "StandardSSD"],
        default_gib: 128,
        min_gib: 30,
        max_gib: 2048,
    },
    // `linuxProfile` is the cluster's: <https://learn.microsoft.com/azure/aks/manage-ssh-node-access>
    key_pair: KeyPairUse::OfCluster,
    scales_to_zero: true,
    auto_scaling: AutoScaling {
        managed: true,
        keeps_limits: false,
        says: "AKS runs the Cluster Autoscaler itself; limits exist only while it is on",
    },
    token: TokenKind::ByCluster,
    // A token for the application of AKS' API servers opens every cluster that knows its bearer:
    // <https://learn.microsoft.com/azure/aks/kubelogin-authentication>
    token_reach: TokenReach::Clusters,
    native_kubeconfig: true,
    static_kubeconfig: true,
    last_node_group: LastNodeGroup::SystemKept,
    // Source: <https://learn.microsoft.com/azure/aks/upgrade-aks-control-plane#kubernetes-version-upgrade-rules>
    upgrade: Upgrade { one_minor_at_a_time: true, node_groups_before_next_hop: false, largest_skew: 3 },
    // A PUT of what stands makes AKS go on with it:
    // <https://learn.microsoft.com/troubleshoot/azure/azure-kubernetes/availability-performance/cluster-node-virtual-machine-failed-state>
    failed_create: FailedCreate::Repair,
    // The subscription's clusters say what is worked on:
    // <https://learn.microsoft.com/rest/api/aks/managed-clusters/list>
    progress_list: true,
    node_metrics: &NodeMetric::ALL,
    metric_intervals: &crate::metrics::INTERVALS,
    buckets: BUCKETS,
    call_bounds: CALL_BOUNDS,
    // ARM answers reads from what it has just written; role assignments take up to ten minutes to work, not to be seen:
    // <https://learn.microsoft.com/azure/role-based-access-control/troubleshooting>
    visible_after: Duration::from_secs(30),
};

const NAME_OF_80: NameRule = NameRule {
    pattern: "^[A-Za-z0-9]([A-Za-z0-9._-]{0,78}[A-Za-z0-9_])?$",
    says: "1 to 80 letters, digits and ._-, beginning with a letter or digit, ending with one or an underscore",
};

const SETTINGS: &[OptionField] = &[
    OptionField {
        name: "resourceGroup",
        kind: OptionKind::Text,
        default: "the region's name",
        help: "the resource group that everything is made in",
        changeable: false,
    },
    OptionField {
        name: "cloud",
        kind: OptionKind::Choice(CLOUD_NAMES),
        default: "AzureCloud",
        help: "which of Azure's clouds it is",
        changeable: false,
    },
    OptionField {
        name: "subscription",
        kind: OptionKind::Text,
        default: "the credential's, or AZURE_SUBSCRIPTION_ID of an ambient connection",
        help: "the subscription of an ambient connection",
        changeable: false,
    },
];

/// The option that names the zones of nodes.
pub(crate) const NODE_ZONES: &str = "nodeZones";

const CLUSTER_OPTIONS: &[OptionField] = &[
    OptionField {
        name: "tier",
        kind: OptionKind::Choice(&["Free", "Standard", "Premium"]),
        default: "Free; Premium for a version that is under long-term support alone",
        help: "the price tier: Standard adds an uptime guarantee, Premium long-term support",
        changeable: true,
    },
    // Source: <https://learn.microsoft.com/azure/aks/reliability-availability-zones-configure>
    OptionField {
        name: NODE_ZONES,
        kind: OptionKind::Texts,
        default: "the connection's zone; where it has none, nodes are regional",
        help: "the zones of nodes, such as [\"1\",\"2\",\"3\"], each once; AKS spreads each node group over them",
        changeable: false,
    },
    OptionField {
        name: "nodeResourceGroup",
        kind: OptionKind::Text,
        default: "MC_GROUP_NAME_REGION, as AKS has it",
        help: "the resource group that AKS makes for nodes, balancers and volumes",
        changeable: false,
    },
    OptionField {
        name: "entra",
        kind: OptionKind::Boolean,
        default: "false",
        help: "users prove themselves to the cluster by Microsoft Entra ID",
        changeable: false,
    },
    OptionField {
        name: "adminGroups",
        kind: OptionKind::Texts,
        default: "",
        help: "with entra: the object IDs of the groups that administer the cluster",
        changeable: false,
    },
    OptionField {
        name: "azureRbac",
        kind: OptionKind::Boolean,
        default: "false",
        help: "with entra: Azure's role assignments say what users may do in the cluster",
        changeable: false,
    },
    OptionField {
        name: "localAccounts",
        kind: OptionKind::Boolean,
        default: "true",
        help: "without entra always: the cluster has accounts of its own, whose certificates let in",
        changeable: false,
    },
];

const fn bucket(service: &'static str, action: &'static str, burst: u32, per_second: f64) -> ActionBucket {
    ActionBucket { service, action, burst, per_second }
}

/// ARM: 250 reads at once and 25 a second, 200 writes and 10, 200 deletions and 10, of a subscription, principal and
/// region, whichever provider they are for; what is no GET or DELETE is a write, and the methods share its bucket:
/// <https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling>. AKS besides, of
/// a subscription and region: 500 lists of its clusters at once and one a second, 200 times how an operation stands and
/// two a second, and in its own words «all other APIs»: 60 at once and one a second; its limits of one cluster (20 PUT,
/// one a minute; 60 GET, one a second) are met by its own answers:
/// <https://learn.microsoft.com/azure/aks/quotas-skus-regions#throttling-limits-on-aks-resource-provider-apis>. Compute
/// counts in its own way, which its answers tell.
const BUCKETS: &[ActionBucket] = &[
    bucket("", "GET", 250, 25.0),
    bucket("", "PUT", 130, 8.5),
    bucket("", "POST", 60, 1.0),
    bucket("", "PATCH", 10, 0.5),
    bucket("", "DELETE", 200, 10.0),
    bucket("containerservice", "", 60, 1.0),
    bucket("containerservice", "ManagedClusters.List", 250, 1.0),
    bucket("containerservice", "ManagedClusters.Get", 250, 25.0),
    bucket("containerservice", "ManagedClusters.Create", 200, 10.0),
    bucket("containerservice", "ManagedClusters.Update", 200, 10.0),
    bucket("containerservice", "AgentPools.Create", 200, 10.0),
    bucket("containerservice", "AgentPools.Update", 200, 10.0),
    bucket("resourceManager", "Operations.Get", 200, 2.0),
    bucket("resources", "", 250, 25.0),
    bucket("network", "", 250, 25.0),
    bucket("network", "VirtualNetworks.Create", 200, 10.0),
    bucket("network", "VirtualNetworks.Delete", 200, 10.0),
    bucket("network", "Subnets.Create", 200, 10.0),
    bucket("network", "Subnets.Update", 200, 10.0),
    bucket("network", "Subnets.Delete", 200, 10.0),
    bucket("network", "NetworkSecurityGroups.Create", 200, 10.0),
    bucket("network", "NetworkSecurityGroups.Delete", 200, 10.0),
    bucket("network", "NetworkSecurityGroups.Update", 200, 10.0),
    bucket("compute", "", 250, 25.0),
    bucket("compute", "SshPublicKeys.Create", 200, 10.0),
    bucket("compute", "SshPublicKeys.Delete", 200, 10.0),
    // Azure Monitor names no figure for reads of metrics; it answers 429 and says when to come again.
    bucket("insights", "", 60, 3.0),
    bucket("authorization", "", 250, 25.0),
    bucket("authorization", "RoleAssignments.Create", 200, 10.0),
    bucket("authorization", "RoleAssignments.Delete", 200, 10.0),
];

const fn bound(read: ReadKind, fixed: u32, per_cluster: u32, per_node_group: u32) -> CallBound {
    CallBound { read, fixed, per_cluster, per_node_group }
}

/// One list answers for all clusters with their pools. The certificate authority of a cluster stands in its kubeconfig
/// alone: it is asked for once an hour, so that the calls for each cluster are mostly none. Instances are listed for
/// each scale set.
const CALL_BOUNDS: &[CallBound] = &[
    bound(ReadKind::ListClusterIds, 1, 0, 0),
    bound(ReadKind::ListClusters, 1, 1, 0),
    bound(ReadKind::ListClustersWithNodes, 2, 1, 1),
    bound(ReadKind::GetCluster, 2, 1, 1),
    bound(ReadKind::Nodes, 1, 0, 2),
    bound(ReadKind::NodeMetrics, 1, 0, 0),
    bound(ReadKind::Versions, 1, 0, 0),
    bound(ReadKind::ListSecurityGroups, 1, 0, 0),
    bound(ReadKind::ListKeyPairs, 1, 0, 0),
    bound(ReadKind::ClusterToken, 1, 0, 0),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart() {
        let key = CAPABILITIES.tags.unwrap().key;
        for (rule, fine, refused) in [
            (
                CAPABILITIES.cluster_name,
                vec!["a", "A-1_b", "9"],
                vec!["", "-", "-a", "a-", "a b", "é", "a.b"],
            ),
            (
                CAPABILITIES.node_group_name,
                vec!["a", "pool1", "abcdefghijkl"],
                vec!["", "A", "1a", "a-b", "abcdefghijklm"],
            ),
            (CAPABILITIES.network_name, vec!["ab", "a.b_", "9-x"], vec!["", "a", "-a", "ab-", "a/b", "é1"]),
            (CAPABILITIES.subnet_name, vec!["a", "a.b_"], vec!["", "-", "a.", "a b", "..", "a/b"]),
            (key, vec!["a", "a b", "한국", "a:b"], vec!["", "a/b", "a<b", "a?", "a\\b", "a\nb"]),
        ] {
            for name in fine {
                assert_eq!(rule.refusal(name), None, "{name:?}");
            }
            for name in refused {
                assert!(rule.refusal(name).is_some(), "{name:?}");
            }
        }
        assert!(CAPABILITIES.cluster_name.refusal(&"a".repeat(64)).is_some());
        assert_eq!(CAPABILITIES.subnet_name.refusal(&"a".repeat(80)), None);
    }
}
