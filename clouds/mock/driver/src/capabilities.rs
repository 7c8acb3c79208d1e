//! What the Mock cloud can do and what it does not, as one literal. No code here decides anything.

use std::time::Duration;

use pmks_driver::{
    ActionBucket, AutoScaling, CallBound, Capabilities, FailedCreate, Field, Form, KeyPairUse, LastNodeGroup,
    NodeGroupsAtCreation, Presence, ReadKind, RootDisk, TagRule, TokenKind, TokenReach, UniqueNames, Upgrade,
};
use pmks_model::{ImageKind, NameRule, NodeMetric, OperationKind, ResourceKind, UniqueName};

use crate::PROVIDER;

/// The one field of a credential.
pub(crate) const MOCK_NAME: &str = "mockName";

/// The Mock cloud. Names and lists are CB-Spider's: <https://github.com/cloud-barista/cb-spider>, `cloudos_meta.yaml`.
pub(crate) const CAPABILITIES: Capabilities = Capabilities {
    provider: PROVIDER,
    title: "Mock",
    services: &[PROVIDER],
    first_region: "mercury",
    credential_forms: FORMS,
    settings: &[],
    cluster_options: &[],
    // All but the fix of prerequisites: there are none.
    operations: &[
        OperationKind::ClusterCreate,
        OperationKind::ClusterDelete,
        OperationKind::ClusterUpdate,
        OperationKind::ClusterUpgrade,
        OperationKind::ClusterImport,
        OperationKind::NodeGroupAdd,
        OperationKind::NodeGroupScale,
        OperationKind::NodeGroupUpgrade,
        OperationKind::NodeGroupRemove,
        OperationKind::NetworkCreate,
        OperationKind::NetworkUpdate,
        OperationKind::NetworkDelete,
        OperationKind::SubnetCreate,
        OperationKind::SubnetUpdate,
        OperationKind::SubnetDelete,
        OperationKind::SecurityGroupCreate,
        OperationKind::SecurityGroupUpdate,
        OperationKind::SecurityGroupDelete,
        OperationKind::KeyPairCreate,
        OperationKind::KeyPairUpdate,
        OperationKind::KeyPairDelete,
    ],
    cluster_name: NAME,
    node_group_name: NAME,
    network_name: NAME,
    subnet_name: NAME,
    security_group_name: NAME,
    key_pair_name: NAME,
    unique_names: UniqueNames::all(UniqueName::of(255)),
    tags: Some(TagRule {
        most: 61,
        key: NameRule { pattern: "^[^\\x00-\\x1f]{1,128}$", says: "1 to 128 characters" },
        value: NameRule { pattern: "^[^\\x00-\\x1f]{0,256}$", says: "at most 256 characters" },
    }),
    node_groups_at_creation: NodeGroupsAtCreation { presence: Presence::Optional, most: 100 },
    minimum_subnets: 1,
    minimum_zones: 1,
    most_subnets: None,
    zonal_subnets: true,
    network_addresses: true,
    tagged: &[
        ResourceKind::Cluster,
        ResourceKind::Network,
        ResourceKind::Subnet,
        ResourceKind::SecurityGroup,
        ResourceKind::KeyPair,
    ],
    security_groups: Presence::Optional,
    image: ImageKind::Identifier,
    root_disk: RootDisk { types: &["SSD", "HDD", "MEM"], default_gib: 0, min_gib: 1, max_gib: 65_536 },
    key_pair: KeyPairUse::Optional,
    scales_to_zero: true,
    auto_scaling: AutoScaling {
        managed: false,
        keeps_limits: true,
        says: "the Mock cloud keeps the switch and the limits, and moves a size only into new limits",
    },
    token: TokenKind::Bearer,
    token_reach: TokenReach::Cluster,
    native_kubeconfig: false,
    static_kubeconfig: false,
    last_node_group: LastNodeGroup::Removable,
    upgrade: Upgrade { one_minor_at_a_time: false, node_groups_before_next_hop: false, largest_skew: 99 },
    failed_create: FailedCreate::Replace,
    progress_list: false,
    node_metrics: &NodeMetric::ALL,
    metric_intervals: &[],
    buckets: &[ActionBucket { service: PROVIDER, action: "", burst: 2000, per_second: 2000.0 }],
    call_bounds: &[
        bound(ReadKind::ListClusterIds),
        bound(ReadKind::ListClusters),
        bound(ReadKind::ListClustersWithNodes),
        bound(ReadKind::GetCluster),
        bound(ReadKind::Nodes),
        bound(ReadKind::NodeMetrics),
        bound(ReadKind::Versions),
        bound(ReadKind::ListSecurityGroups),
        bound(ReadKind::ListKeyPairs),
        bound(ReadKind::ClusterToken),
    ],
    // What was asked for is seen at once. A minute is what a request that was lost may take to arrive.
    visible_after: Duration::from_mins(1),
};

const NAME: NameRule = NameRule {
    pattern: "^[A-Za-z0-9]([A-Za-z0-9._-]{0,253}[A-Za-z0-9])?$",
    says: "1 to 255 letters, digits, dots, underscores and hyphens, beginning and ending with a letter or digit",
};

const FORMS: &[Form] = &[Form {
    name: MOCK_NAME,
    help: "a name of your choice: each is an account of its own",
    fields: &[Field {
        name: MOCK_NAME,
        secret: true,
        required: true,
        env: "",
        help: "the name; whoever has it sees what it holds",
        spider: "MockName",
    }],
}];

/// Every read is one call: a cluster is told with all that belongs to it.
const fn bound(read: ReadKind) -> CallBound {
    CallBound { read, fixed: 1, per_cluster: 0, per_node_group: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_into_paths() {
        for (name, fits) in [
            ("a", true),
            ("vpc-01", true),
            ("A.b_c", true),
            ("-", false),
            ("a-", false),
            ("a/b", false),
            ("é", false),
        ] {
            assert_eq!(NAME.allows(name), fits, "{name}");
        }
        assert!(NAME.allows(&"a".repeat(255)) && !NAME.allows(&"a".repeat(256)));
        let tags = CAPABILITIES.tags.unwrap();
        assert!(tags.key.allows("team") && !tags.key.allows("") && !tags.value.allows("a\u{0}"));
    }
}
