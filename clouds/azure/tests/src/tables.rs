//! What each operation of the kill matrix makes of the simulated Azure, by kind of row: all of it.

use pmks_model::OperationKind;

/// By kind of row, how many more.
pub(crate) fn change(kind: OperationKind) -> Option<&'static [(&'static str, i64)]> {
    match kind {
        OperationKind::ClusterCreate => Some(CLUSTER_OF_TWO),
        OperationKind::NodeGroupAdd => Some(GROUP),
        OperationKind::NodeGroupScale => Some(&[("virtualMachine", 1)]),
        OperationKind::NetworkCreate => Some(&[("subnet", 2), ("virtualNetwork", 1)]),
        OperationKind::SubnetCreate => Some(&[("subnet", 1)]),
        OperationKind::SecurityGroupCreate => Some(&[("networkSecurityGroup", 1), ("securityRule", 3)]),
        OperationKind::KeyPairCreate => Some(&[("sshPublicKey", 1)]),
        OperationKind::PrerequisiteFix => Some(&[("resourceGroup", 1)]),
        _ => None,
    }
}

/// With what AKS makes in the cluster's own resource group, and the role of its identity on the subnet.
const CLUSTER_OF_TWO: &[(&str, i64)] = &[
    ("agentPool", 2),
    ("loadBalancer", 1),
    ("managedCluster", 1),
    ("networkSecurityGroup", 1),
    ("publicIPAddress", 1),
    ("resourceGroup", 1),
    ("roleAssignment", 1),
    ("userAssignedIdentity", 1),
    ("virtualMachine", 4),
    ("virtualMachineScaleSet", 2),
];

const GROUP: &[(&str, i64)] = &[("agentPool", 1), ("virtualMachine", 2), ("virtualMachineScaleSet", 1)];
