//! What operations of the kill matrix make of the simulated Google Cloud, by kind of row: all of it, where records and
//! nodes do not say it.

use pmks_model::OperationKind;

/// By kind of row, how many more.
pub(crate) fn change(kind: OperationKind) -> Option<&'static [(&'static str, i64)]> {
    match kind {
        // A network brings its route to the Internet.
        OperationKind::NetworkCreate => Some(&[("network", 1), ("route", 1), ("subnetwork", 2)]),
        // One rule stands for the group, and there is one more for each of its rules.
        OperationKind::SecurityGroupCreate => Some(&[("firewall", 4)]),
        OperationKind::SecurityGroupUpdate => Some(&[("firewall", 1)]),
        _ => None,
    }
}

/// The calls that change something, by action, which the scene of an operation takes at least.
pub(crate) fn least_changes(kind: OperationKind) -> &'static [(&'static str, usize)] {
    match kind {
        OperationKind::ClusterCreate => &[("container.clusters.create", 1)],
        // What controllers made goes through the cluster; the disk was asked to go.
        OperationKind::ClusterDelete => &[
            ("compute.disks.delete", 1),
            ("container.clusters.delete", 1),
            ("kubernetes.DeleteIngress", 1),
            ("kubernetes.DeleteService", 1),
        ],
        // Two minors: the control plane twice, the pool, which may lie two behind, once.
        OperationKind::ClusterUpgrade => &[("container.clusters.update", 3)],
        OperationKind::ClusterUpdate => {
            &[("container.clusters.setResourceLabels", 1), ("container.clusters.update", 1)]
        }
        OperationKind::NodeGroupAdd => &[("container.nodePools.create", 1)],
        OperationKind::NodeGroupScale => {
            &[("container.nodePools.setAutoscaling", 1), ("container.nodePools.setSize", 1)]
        }
        OperationKind::NodeGroupUpgrade => &[("container.clusters.update", 1)],
        OperationKind::NodeGroupRemove => &[("container.nodePools.delete", 1)],
        OperationKind::NetworkCreate => &[("compute.networks.insert", 1), ("compute.subnetworks.insert", 2)],
        OperationKind::NetworkDelete => &[("compute.networks.delete", 1), ("compute.subnetworks.delete", 2)],
        OperationKind::SubnetCreate => &[("compute.subnetworks.insert", 1)],
        OperationKind::SubnetDelete => &[("compute.subnetworks.delete", 1)],
        // One rule stands for the group, and there is one more for each of its rules.
        OperationKind::SecurityGroupCreate => &[("compute.firewalls.insert", 4)],
        // Without an outbound rule everything is let out again.
        OperationKind::SecurityGroupUpdate => &[
            ("compute.firewalls.delete", 2),
            ("compute.firewalls.insert", 3),
            ("compute.firewalls.patch", 1),
        ],
        OperationKind::SecurityGroupDelete => &[("compute.firewalls.delete", 4)],
        OperationKind::KeyPairCreate | OperationKind::KeyPairDelete => {
            &[("compute.projects.setCommonInstanceMetadata", 1)]
        }
        OperationKind::PrerequisiteFix => &[("serviceusage.services.enable", 2)],
        OperationKind::ClusterImport
        | OperationKind::NetworkUpdate
        | OperationKind::SubnetUpdate
        | OperationKind::KeyPairUpdate => &[],
    }
}
