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
        OperationKind::SecurityGroupCreate => Some(&[("networkSecurityGroup", 1), ("securityRule", 4)]),
        OperationKind::SecurityGroupUpdate => Some(&[("securityRule", 2)]),
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

/// The calls that change something, by action, which the scene of an operation takes at least.
pub(crate) fn least_changes(kind: OperationKind) -> &'static [(&'static str, usize)] {
    match kind {
        // The security group is put on the subnet, which the cluster's identity is let into.
        OperationKind::ClusterCreate => {
            &[("ManagedClusters.Create", 1), ("RoleAssignments.Create", 1), ("Subnets.Update", 1)]
        }
        OperationKind::ClusterDelete => &[("ManagedClusters.Delete", 1), ("RoleAssignments.Delete", 1)],
        OperationKind::ClusterUpgrade => &[("AgentPools.Update", 2), ("ManagedClusters.Update", 2)],
        // Tags alone go by a call of their own, which needs no condition: whoever changes both pays for two.
        OperationKind::ClusterUpdate => &[("ManagedClusters.Update", 1), ("ManagedClusters.UpdateTags", 1)],
        OperationKind::NodeGroupAdd => &[("AgentPools.Create", 1)],
        OperationKind::NodeGroupScale | OperationKind::NodeGroupUpgrade => &[("AgentPools.Update", 1)],
        OperationKind::NodeGroupRemove => &[("AgentPools.Delete", 1)],
        OperationKind::NetworkCreate => &[("VirtualNetworks.Create", 1)],
        // What is set and what is taken off goes by one request each, which leaves the other tags alone.
        OperationKind::NetworkUpdate | OperationKind::KeyPairUpdate => &[("Tags.UpdateAtScope", 2)],
        OperationKind::NetworkDelete => &[("VirtualNetworks.Delete", 1)],
        OperationKind::SubnetCreate => &[("Subnets.Create", 1)],
        OperationKind::SubnetDelete => &[("Subnets.Delete", 1)],
        OperationKind::SecurityGroupCreate => &[("NetworkSecurityGroups.Create", 1)],
        OperationKind::SecurityGroupUpdate => &[("NetworkSecurityGroups.Update", 1)],
        OperationKind::SecurityGroupDelete => &[("NetworkSecurityGroups.Delete", 1)],
        OperationKind::KeyPairCreate => &[("SshPublicKeys.Create", 1)],
        OperationKind::KeyPairDelete => &[("SshPublicKeys.Delete", 1)],
        OperationKind::PrerequisiteFix => &[("Providers.Register", 3), ("ResourceGroups.Create", 1)],
        OperationKind::ClusterImport | OperationKind::SubnetUpdate => &[],
    }
}
