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
