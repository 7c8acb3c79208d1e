//! What EKS can do and what it does not, as one literal. No code here decides anything.

use std::time::Duration;

use pmks_driver::{
    ActionBucket, AutoScaling, CallBound, Capabilities, FailedCreate, KeyPairUse, LastNodeGroup,
    NodeGroupsAtCreation, OptionField, OptionKind, Presence, ReadKind, RootDisk, TagRule, TokenKind,
    TokenReach, UniqueNames, Upgrade,
};
use pmks_model::{ImageKind, NameRule, OperationKind, ResourceKind, UniqueName};

use crate::PROVIDER;
use crate::credential::FORMS;
use crate::endpoints::SERVICES;

/// Amazon EKS.
pub(crate) const CAPABILITIES: Capabilities = Capabilities {
    provider: PROVIDER,
    title: "Amazon EKS",
    services: &SERVICES,
    // Enabled in every account, and the one that global services sign for:
    // <https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html>
    first_region: "us-east-1",
    credential_forms: FORMS,
    settings: SETTINGS,
    cluster_options: CLUSTER_OPTIONS,
    operations: &OperationKind::ALL,
    // Source: <https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateCluster.html>, `name`
    cluster_name: NameRule {
        pattern: "^[0-9A-Za-z][0-9A-Za-z_-]{0,99}$",
        says: "1 to 100 letters, digits, hyphens and underscores, beginning with a letter or digit",
    },
    // Source: <https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateNodegroup.html>, `nodegroupName`
    node_group_name: NameRule {
        pattern: "^[0-9A-Za-z][0-9A-Za-z_-]{0,62}$",
        says: "1 to 63 letters, digits, hyphens and underscores, beginning with a letter or digit",
    },
    // A network's and a subnet's name is a tag's value:
    // <https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html>
    network_name: TAG_NAME,
    subnet_name: TAG_NAME,
    // Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html>, `GroupName`
    security_group_name: NameRule {
        pattern: "^([A-Za-rt-z0-9 ._:/()#,@\\[\\]+=&;{}!$*-][A-Za-z0-9 ._:/()#,@\\[\\]+=&;{}!$*-]{0,254}|s|s[A-Za-fh-z0-9 ._:/()#,@\\[\\]+=&;{}!$*-][A-Za-z0-9 ._:/()#,@\\[\\]+=&;{}!$*-]{0,253}|sg|sg[A-Za-z0-9 ._:/()#,@\\[\\]+=&;{}!$*][A-Za-z0-9 ._:/()#,@\\[\\]+=&;{}!$*-]{0,252})$",
        says: "1 to 255 letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*, not beginning with sg-: a unique name at the cloud, \
               `uniqueCloudName` (`IDTransformMode` ON at `/spider`), has no hyphen there",
    },
    // Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ImportKeyPair.html>, `KeyName`
    key_pair_name: NameRule {
        pattern: "^[!-~]([ -~]{0,253}[!-~])?$",
        says: "1 to 255 ASCII characters without spaces at its ends",
    },
    unique_names: UniqueNames {
        cluster: UniqueName::of(100),
        node_group: UniqueName::of(63),
        // `GroupName` must not begin with `sg-`, and with underscores none does.
        security_group: UniqueName { joint: "_", ..UniqueName::of(255) },
        ..UniqueNames::all(UniqueName::of(255))
    },
    // 50 tags a resource, three of which are our marks: <https://docs.aws.amazon.com/eks/latest/userguide/eks-using-tags.html>
    tags: Some(TagRule {
        most: 47,
        key: NameRule {
            pattern: "^([b-zB-Z0-9 _.:/=+@\\x{A0}-\\x{10FFFF}-]|[aA]$|[aA][A-VX-Za-vx-z0-9 _.:/=+@\\x{A0}-\\x{10FFFF}-]|[aA][wW]$|[aA][wW][A-RT-Za-rt-z0-9 _.:/=+@\\x{A0}-\\x{10FFFF}-]|[aA][wW][sS]$|[aA][wW][sS][A-Za-z0-9 _./=+@\\x{A0}-\\x{10FFFF}-])[A-Za-z0-9 _.:/=+@\\x{A0}-\\x{10FFFF}-]{0,120}$",
            says: "1 to 121 letters of any script, digits, spaces and _.:/=+-@, not beginning with aws:",
        },
        value: NameRule { pattern: "^(?s:.){0,256}$", says: "at most 256 characters" },
    }),
    // EKS makes node groups in active clusters only; the plan has them as stages behind the control plane.
    node_groups_at_creation: NodeGroupsAtCreation { presence: Presence::Optional, most: 30 },
    // Source: <https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html>
    minimum_subnets: 2,
    minimum_zones: 2,
    most_subnets: None,
    zonal_subnets: true,
    // Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpc.html>, `CidrBlock`
    network_addresses: true,
    // Source: <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-resources>
    tagged: &[
        ResourceKind::Cluster,
        ResourceKind::Network,
        ResourceKind::Subnet,
        ResourceKind::SecurityGroup,
        ResourceKind::KeyPair,
    ],
    security_groups: Presence::Optional,
    image: ImageKind::Type,
    // The type belongs to a launch template; `diskSize` alone can be said.
    // Source: <https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateNodegroup.html>, `diskSize`
    root_disk: RootDisk { types: &[], default_gib: 20, min_gib: 1, max_gib: 16_384 },
    key_pair: KeyPairUse::Optional,
    scales_to_zero: true,
    auto_scaling: AutoScaling {
        managed: false,
        keeps_limits: true,
        says: "EKS moves no sizes by itself: the switch sets or removes the two tags of the Auto Scaling group by which \
               the Cluster Autoscaler, installed in the cluster by its user, finds it",
    },
    token: TokenKind::Bearer,
    // The signature covers the header `x-k8s-aws-id`, the cluster's name:
    // <https://github.com/kubernetes-sigs/aws-iam-authenticator#api-authorization-from-outside-a-cluster>
    token_reach: TokenReach::Cluster,
    native_kubeconfig: true,
    static_kubeconfig: false,
    last_node_group: LastNodeGroup::Removable,
    // Source: <https://docs.aws.amazon.com/eks/latest/userguide/update-cluster.html>; nodes may lie three minors
    // behind, yet managed node groups must be at the cluster's version before its next hop.
    upgrade: Upgrade { one_minor_at_a_time: true, node_groups_before_next_hop: true, largest_skew: 3 },
    failed_create: FailedCreate::Replace,
    // EKS describes one cluster, node group or update a call, and its lists hold names alone.
    // Source: <https://docs.aws.amazon.com/eks/latest/APIReference/API_Operations.html>
    progress_list: false,
    node_metrics: crate::metrics::NODE_METRICS,
    metric_intervals: &[],
    buckets: BUCKETS,
    call_bounds: CALL_BOUNDS,
    // Source: <https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html>
    visible_after: Duration::from_mins(5),
};

const TAG_NAME: NameRule = NameRule {
    pattern: "^[A-Za-z0-9 _.:/=+@\\x{A0}-\\x{10FFFF}-]{1,255}$",
    says: "1 to 255 letters of any script, digits, spaces and _.:/=+-@",
};

const SETTINGS: &[OptionField] = &[
    OptionField {
        name: "clusterRole",
        kind: OptionKind::Text,
        default: "the first of cloud-barista-spider-eks-cluster-role and cloud-barista-eks-cluster-role that fits",
        help: "the IAM role, by name or ARN, that clusters act as",
        changeable: true,
    },
    OptionField {
        name: "nodeRole",
        kind: OptionKind::Text,
        default: "the first of cloud-barista-spider-eks-nodegroup-role and cloud-barista-eks-nodegroup-role that fits",
        help: "the IAM role, by name or ARN, that nodes act as",
        changeable: true,
    },
];

const CLUSTER_OPTIONS: &[OptionField] = &[
    OptionField {
        name: "supportType",
        kind: OptionKind::Choice(&["STANDARD", "EXTENDED"]),
        default: "EXTENDED, which is EKS' own default and costs more once standard support ends",
        help: "what happens when the version's standard support ends: STANDARD upgrades by itself, EXTENDED stays",
        changeable: true,
    },
    OptionField {
        name: "ebsCsiDriver",
        kind: OptionKind::Boolean,
        default: "false",
        help: "also install the add-on aws-ebs-csi-driver; its pods need a role with AmazonEBSCSIDriverPolicy",
        changeable: false,
    },
    OptionField {
        name: "podIdentityAgent",
        kind: OptionKind::Boolean,
        default: "false",
        help: "also install the add-on eks-pod-identity-agent",
        changeable: false,
    },
];

const fn bucket(service: &'static str, action: &'static str, burst: u32, per_second: f64) -> ActionBucket {
    ActionBucket { service, action, burst, per_second }
}

/// EC2, by action: 100 at once and 20 a second for what only reads, by filters or pages; 50 and 5 for what changes:
/// <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html>. EKS publishes no rates: the figures stay below what its clients have met, and adapt by throttling answers.
/// IAM, Auto Scaling, STS and Elastic Load Balancing publish none either.
const BUCKETS: &[ActionBucket] = &[
    bucket("ec2", "", 50, 5.0),
    bucket("ec2", "ec2.DescribeAvailabilityZones", 100, 20.0),
    bucket("ec2", "ec2.DescribeInstanceTypeOfferings", 100, 20.0),
    bucket("ec2", "ec2.DescribeInstanceTypes", 100, 20.0),
    bucket("ec2", "ec2.DescribeInstances", 100, 20.0),
    bucket("ec2", "ec2.DescribeInternetGateways", 100, 20.0),
    bucket("ec2", "ec2.DescribeKeyPairs", 100, 20.0),
    bucket("ec2", "ec2.DescribeNetworkInterfaces", 100, 20.0),
    bucket("ec2", "ec2.DescribeRegions", 100, 20.0),
    bucket("ec2", "ec2.DescribeRouteTables", 100, 20.0),
    bucket("ec2", "ec2.DescribeSecurityGroups", 100, 20.0),
    bucket("ec2", "ec2.DescribeSubnets", 100, 20.0),
    bucket("ec2", "ec2.DescribeVolumes", 100, 20.0),
    bucket("ec2", "ec2.DescribeVpcAttribute", 100, 20.0),
    bucket("ec2", "ec2.DescribeVpcs", 100, 20.0),
    bucket("eks", "", 10, 5.0),
    bucket("eks", "eks.DescribeCluster", 30, 10.0),
    bucket("eks", "eks.DescribeNodegroup", 30, 10.0),
    bucket("eks", "eks.ListNodegroups", 30, 10.0),
    bucket("eks", "eks.DescribeUpdate", 30, 10.0),
    bucket("iam", "", 20, 5.0),
    bucket("autoscaling", "", 20, 5.0),
    bucket("sts", "", 50, 20.0),
    bucket("elasticloadbalancing", "", 40, 10.0),
    // 400 a second of an account and region, which its dashboards share:
    // <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html>
    bucket("monitoring", "", 100, 50.0),
];

const fn bound(read: ReadKind, fixed: u32, per_cluster: u32, per_node_group: u32) -> CallBound {
    CallBound { read, fixed, per_cluster, per_node_group }
}

/// EKS describes one thing a call; the Auto Scaling groups of all clusters come in one list.
const CALL_BOUNDS: &[CallBound] = &[
    bound(ReadKind::ListClusterIds, 1, 0, 0),
    bound(ReadKind::ListClusters, 2, 2, 1),
    bound(ReadKind::ListClustersWithNodes, 2, 2, 1),
    bound(ReadKind::GetCluster, 2, 2, 1),
    bound(ReadKind::Nodes, 2, 0, 0),
    bound(ReadKind::NodeMetrics, 1, 0, 0),
    bound(ReadKind::Versions, 1, 0, 0),
    bound(ReadKind::ListSecurityGroups, 1, 0, 0),
    bound(ReadKind::ListKeyPairs, 1, 0, 0),
    bound(ReadKind::ClusterToken, 0, 0, 0),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_unique_name_of_a_security_group_is_one_that_ec2_gives() {
        let name = CAPABILITIES.unique_names.security_group.make("sg-01", &[0; UniqueName::SUFFIX]);
        assert!(!name.starts_with("sg-"), "{name}");
    }

    #[test]
    fn names_are_told_apart() {
        let key = CAPABILITIES.tags.unwrap().key;
        for (rule, fine, refused) in [
            (CAPABILITIES.cluster_name, vec!["a", "A-1_b", "9"], vec!["", "-", "-a", "a b", "é", "a/b"]),
            (CAPABILITIES.network_name, vec!["a", "운영 망", "é"], vec!["", "-", "a\u{0}", "a*b", "a\n"]),
            (CAPABILITIES.key_pair_name, vec!["a", "a b"], vec!["", " a", "a ", "é"]),
            (
                CAPABILITIES.security_group_name,
                vec!["web", "a b", "s", "sg", "sg01", "sg_01", "s-g", "asg-1", "SG-1"],
                vec!["", "é", "a\"b", "sg-", "sg-01"],
            ),
            (key, vec!["a", "aw", "aws", "awsome", "팀", "a:b", "aws/x"], vec!["", "aws:x", "AWS:x", "a*"]),
        ] {
            for name in fine {
                assert_eq!(rule.refusal(name), None, "{name:?}");
            }
            for name in refused {
                assert!(rule.refusal(name).is_some(), "{name:?}");
            }
        }
        assert!(CAPABILITIES.cluster_name.refusal(&"a".repeat(101)).is_some());
        assert_eq!(CAPABILITIES.node_group_name.refusal(&"a".repeat(63)), None);
    }
}
