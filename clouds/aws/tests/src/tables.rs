//! What each operation of the kill matrix makes of the simulated AWS, by kind of row: all of it.

use pmks_model::OperationKind;

/// By kind of row, how many more.
pub(crate) fn change(kind: OperationKind) -> Option<&'static [(&'static str, i64)]> {
    match kind {
        OperationKind::ClusterCreate => Some(CLUSTER_OF_TWO),
        OperationKind::NodeGroupAdd => Some(GROUP),
        OperationKind::NodeGroupScale => Some(NODE),
        OperationKind::NetworkCreate => Some(&[("internetGateway", 1), ("subnet", 2), ("vpc", 1)]),
        OperationKind::SubnetCreate => Some(&[("subnet", 1)]),
        OperationKind::SecurityGroupCreate => Some(&[("securityGroup", 1)]),
        OperationKind::SecurityGroupUpdate => Some(&[]),
        OperationKind::KeyPairCreate => Some(&[("keyPair", 1)]),
        OperationKind::PrerequisiteFix => Some(&[("role", 2)]),
        _ => None,
    }
}

/// With two add-ons; the third security group is the one that EKS makes for itself.
const CLUSTER_OF_TWO: &[(&str, i64)] = &[
    ("accessEntry", 2),
    ("addon", 2),
    ("autoScalingGroup", 2),
    ("cluster", 1),
    ("instance", 4),
    ("launchTemplate", 2),
    ("networkInterface", 6),
    ("nodeGroup", 2),
    ("securityGroup", 3),
    ("volume", 4),
];

const GROUP: &[(&str, i64)] = &[
    ("autoScalingGroup", 1),
    ("instance", 2),
    ("launchTemplate", 1),
    ("networkInterface", 2),
    ("nodeGroup", 1),
    ("volume", 2),
];

const NODE: &[(&str, i64)] = &[("instance", 1), ("networkInterface", 1), ("volume", 1)];

/// The calls that change something, by action, which the scene of an operation takes at least.
pub(crate) fn least_changes(kind: OperationKind) -> &'static [(&'static str, usize)] {
    match kind {
        OperationKind::ClusterCreate => &[
            ("autoscaling.DeleteTags", 1),
            ("eks.CreateAddon", 2),
            ("eks.CreateCluster", 1),
            ("eks.CreateNodegroup", 2),
        ],
        // What controllers made goes through the cluster; the volume was asked to go.
        OperationKind::ClusterDelete => &[
            ("ec2.DeleteVolume", 1),
            ("eks.DeleteCluster", 1),
            ("eks.DeleteNodegroup", 1),
            ("kubernetes.DeleteIngress", 1),
            ("kubernetes.DeleteService", 2),
        ],
        OperationKind::ClusterUpgrade => {
            &[("eks.UpdateClusterVersion", 2), ("eks.UpdateNodegroupVersion", 2)]
        }
        OperationKind::ClusterUpdate => {
            &[("eks.TagResource", 1), ("eks.UntagResource", 1), ("eks.UpdateClusterConfig", 1)]
        }
        OperationKind::NodeGroupAdd => {
            &[("autoscaling.DeleteTags", 1), ("ec2.CreateLaunchTemplate", 1), ("eks.CreateNodegroup", 1)]
        }
        OperationKind::NodeGroupScale => {
            &[("autoscaling.CreateOrUpdateTags", 1), ("eks.UpdateNodegroupConfig", 1)]
        }
        OperationKind::NodeGroupUpgrade => &[("eks.UpdateNodegroupVersion", 1)],
        OperationKind::NodeGroupRemove => &[("ec2.DeleteLaunchTemplate", 1), ("eks.DeleteNodegroup", 1)],
        OperationKind::NetworkCreate => &[
            ("ec2.AttachInternetGateway", 1),
            ("ec2.CreateInternetGateway", 1),
            ("ec2.CreateRoute", 1),
            ("ec2.CreateSubnet", 2),
            ("ec2.CreateVpc", 1),
            ("ec2.ModifySubnetAttribute", 2),
            ("ec2.ModifyVpcAttribute", 1),
        ],
        OperationKind::NetworkDelete => &[
            ("ec2.DeleteInternetGateway", 1),
            ("ec2.DeleteSubnet", 2),
            ("ec2.DeleteVpc", 1),
            ("ec2.DetachInternetGateway", 1),
        ],
        OperationKind::SubnetCreate => &[("ec2.CreateSubnet", 1), ("ec2.ModifySubnetAttribute", 1)],
        OperationKind::SubnetDelete => &[("ec2.DeleteSubnet", 1)],
        // Rules of one direction by one call; the one that lets everything out is taken away by one.
        OperationKind::SecurityGroupCreate => &[
            ("ec2.AuthorizeSecurityGroupEgress", 1),
            ("ec2.AuthorizeSecurityGroupIngress", 1),
            ("ec2.CreateSecurityGroup", 1),
            ("ec2.RevokeSecurityGroupEgress", 1),
        ],
        OperationKind::NetworkUpdate | OperationKind::SubnetUpdate | OperationKind::KeyPairUpdate => {
            &[("ec2.CreateTags", 1), ("ec2.DeleteTags", 1)]
        }
        OperationKind::SecurityGroupUpdate => &[
            ("ec2.AuthorizeSecurityGroupIngress", 1),
            ("ec2.RevokeSecurityGroupEgress", 1),
            ("ec2.RevokeSecurityGroupIngress", 1),
        ],
        OperationKind::SecurityGroupDelete => &[("ec2.DeleteSecurityGroup", 1)],
        OperationKind::KeyPairCreate => &[("ec2.ImportKeyPair", 1)],
        OperationKind::KeyPairDelete => &[("ec2.DeleteKeyPair", 1)],
        OperationKind::PrerequisiteFix => &[("iam.AttachRolePolicy", 4), ("iam.CreateRole", 2)],
        OperationKind::ClusterImport => &[],
    }
}
