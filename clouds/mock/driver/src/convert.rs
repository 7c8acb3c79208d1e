//! From the wire to the model, and the Mock cloud's words into ours: pure functions. Nothing here asks the cloud.

use pmks_driver::fingerprint;
use pmks_model::{
    AccessInfo, Child, Cluster, ClusterNetwork, Iid, Image, KeyPair, KeyValueList, KubernetesVersion,
    MachineType, Network, Node, NodeGroup, SecurityGroup, Status, Subnet, Support, Version,
};

use crate::api::Kind;
use crate::wire::{Offered, Thing};

/// The cloud's word for a state in ours.
pub(crate) fn status(word: &str) -> Status {
    match word {
        "Creating" => Status::Creating,
        "Active" => Status::Active,
        "Updating" => Status::Updating,
        "Deleting" => Status::Deleting,
        "Failed" => Status::Failed,
        word => {
            tracing::warn!(word, "the Mock cloud says a state that is not known here");
            Status::Unknown
        }
    }
}

/// A version, if it is one.
pub(crate) fn version(text: &str) -> Option<Version> {
    text.parse().ok()
}

fn iid(kind: Kind, thing: &Thing) -> Iid {
    Iid::new(&thing.name, kind.system_id(thing))
}

/// A cluster.
pub(crate) fn cluster(thing: Thing) -> Cluster {
    let mut node_groups: Vec<NodeGroup> = thing.node_groups.iter().map(node_group).collect();
    node_groups.sort_by(|one, other| one.iid.cmp(&other.iid));
    let ids = |ids: Vec<String>| ids.into_iter().map(Iid::unnamed).collect();
    Cluster {
        iid: iid(Kind::Cluster, &thing),
        // An identifier is looked for in the connection's own region.
        region: String::new(),
        version: version(&thing.version),
        node_groups,
        status: status(&thing.state),
        status_reason: thing.reason,
        incarnation: thing.id,
        network: ClusterNetwork {
            network: Iid::unnamed(thing.network),
            subnets: ids(thing.subnet_ids),
            security_groups: ids(thing.security_groups),
        },
        access: AccessInfo { endpoint: thing.endpoint, certificate_authority: thing.certificate_authority },
        addons: Vec::new(),
        created_at: thing.created_at,
        tags: thing.labels,
        key_value_list: KeyValueList::default(),
    }
}

/// A node group.
pub(crate) fn node_group(thing: &Thing) -> NodeGroup {
    let mut nodes: Vec<Iid> = thing.nodes.iter().map(|node| Iid::new(&node.name, &node.id)).collect();
    nodes.sort_by(|one, other| one.system_id.cmp(&other.system_id));
    NodeGroup {
        iid: iid(Kind::NodeGroup, thing),
        incarnation: thing.id.clone(),
        version: version(&thing.version),
        image: thing.image.clone(),
        machine_type: thing.machine_type.clone(),
        root_disk_type: thing.root_disk_type.clone(),
        root_disk_size_gib: thing.root_disk_gib,
        key_pair: if thing.key_pair.is_empty() { Iid::default() } else { Iid::unnamed(&*thing.key_pair) },
        scaling: thing.scaling,
        status: status(&thing.state),
        status_reason: thing.reason.clone(),
        nodes,
        created_at: thing.created_at,
        tags: thing.labels.clone(),
        key_value_list: KeyValueList::default(),
    }
}

/// A node of a node group.
pub(crate) fn node(group: &Thing, node: &Thing) -> Node {
    Node {
        iid: Iid::new(&node.name, &node.id),
        subnet: Iid::unnamed(&*node.subnet),
        // The cluster's guard every node.
        security_groups: Vec::new(),
        node_group: group.name.clone(),
        machine_type: group.machine_type.clone(),
        zone: node.zone.clone(),
        private_ip: node.private_ip.clone(),
        public_ip: String::new(),
        state: node.state.clone(),
        launched_at: node.created_at,
        key_value_list: KeyValueList::default(),
    }
}

/// What came into being because a cluster stood: all of it goes with the cluster.
pub(crate) fn children(cluster: &Thing) -> Vec<Child> {
    let child = |kind: &str, thing: &Thing, made_by: String| Child {
        kind: kind.to_owned(),
        system_id: thing.id.clone(),
        name: thing.name.clone(),
        made_by,
        goes_with_cluster: true,
    };
    let balancers = cluster.balancers.iter();
    let balancers = balancers.map(|one| child("loadBalancer", one, format!("Service {}", one.service)));
    let volumes = cluster.volumes.iter().map(|one| child(Child::VOLUME, one, String::new()));
    balancers.chain(volumes).collect()
}

/// A network with its subnets.
pub(crate) fn network(thing: Thing) -> Network {
    Network {
        iid: iid(Kind::Network, &thing),
        incarnation: String::new(),
        region: String::new(),
        subnets: thing.subnets.into_iter().map(subnet).collect(),
        cidr: thing.cidr,
        state: thing.state,
        tags: thing.labels,
        key_value_list: KeyValueList::default(),
    }
}

/// A subnet.
pub(crate) fn subnet(thing: Thing) -> Subnet {
    Subnet {
        iid: iid(Kind::Subnet, &thing),
        incarnation: String::new(),
        network: thing.parent,
        cidr: thing.cidr,
        zone: thing.zone,
        tags: thing.labels,
        key_value_list: KeyValueList::default(),
    }
}

/// A security group.
pub(crate) fn security_group(thing: Thing) -> SecurityGroup {
    SecurityGroup {
        iid: iid(Kind::SecurityGroup, &thing),
        incarnation: String::new(),
        network: thing.parent,
        rules: thing.rules,
        tags: thing.labels,
        key_value_list: KeyValueList::default(),
    }
}

/// A key pair. The cloud makes no fingerprint of the public half that it shows.
pub(crate) fn key_pair(thing: Thing) -> KeyPair {
    KeyPair {
        iid: iid(Kind::KeyPair, &thing),
        incarnation: thing.id,
        fingerprint: fingerprint(&thing.public_key),
        tags: thing.labels,
        key_value_list: KeyValueList::default(),
    }
}

/// A machine type.
pub(crate) fn machine_type(offered: Offered) -> MachineType {
    MachineType {
        name: offered.name,
        vcpus: offered.vcpus,
        memory_mib: offered.memory_mib,
        architecture: offered.architecture,
        gpus: offered.gpus,
        zones: Vec::new(),
        key_value_list: KeyValueList::default(),
    }
}

/// An image.
pub(crate) fn image(offered: Offered) -> Image {
    Image {
        name: offered.name,
        description: offered.description,
        architecture: offered.architecture,
        operating_system: offered.operating_system,
        default: false,
    }
}

/// The versions, oldest first.
pub(crate) fn versions(offered: &[Offered]) -> Vec<KubernetesVersion> {
    let known = offered.iter().filter_map(|one| {
        let version = version(&one.version)?;
        let (default, support) = (one.is_default, Support::Standard);
        Some(KubernetesVersion {
            version,
            default,
            support,
            end_of_standard_support: None,
            end_of_extended_support: None,
        })
    });
    let mut all: Vec<KubernetesVersion> = known.collect();
    all.sort_by(|one, other| one.version.cmp(&other.version));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_word_of_tomorrow_is_unknown() {
        for (word, is) in
            [("Active", Status::Active), ("Failed", Status::Failed), ("Resting", Status::Unknown)]
        {
            assert_eq!(status(word), is);
        }
    }

    #[test]
    fn a_cluster_is_told_with_all_that_belongs_to_it() {
        let said = json!({"id": "prod-1", "name": "prod", "state": "Active", "version": "1.33.3", "network": "net-1",
            "nodeGroups": [{"id": "ga-1", "name": "ga", "keyPair": "k", "nodes": [{"id": "n2", "name": "n2"},
                {"id": "n1", "name": "n1"}]}], "volumes": [{"id": "v-1", "name": "v"}], "tomorrow": {}});
        let thing: Thing = serde_json::from_value(said).unwrap();
        assert_eq!(children(&thing)[0].system_id, "v-1");
        let cluster = cluster(thing);
        assert_eq!((cluster.iid, cluster.incarnation.as_str()), (Iid::new("prod", "prod"), "prod-1"));
        let group = &cluster.node_groups[0];
        assert_eq!((group.iid.clone(), group.key_pair.clone()), (Iid::new("ga", "ga"), Iid::unnamed("k")));
        assert_eq!(group.nodes, [Iid::unnamed("n1"), Iid::unnamed("n2")]);
    }
}
