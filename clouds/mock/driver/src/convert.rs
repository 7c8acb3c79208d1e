//! From the wire to the model, and the Mock cloud's words into ours: pure functions. Nothing here asks the cloud.

use pmks_driver::fingerprint;
use pmks_model::{
    AccessInfo, Child, Cluster, ClusterNetwork, GpuKind, Iid, Image, KeyPair, KeyValueList,
    KubernetesVersion, MachineType, Network, Node, NodeGroup, Picked, Says, SecurityGroup, Status, Subnet,
    Support, Version, VersionRequest,
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
        operating_system: node.operating_system.clone(),
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

/// A machine type. The cloud counts the memory of accelerators in GB, of a thousand millions of bytes each.
pub(crate) fn machine_type(offered: Offered) -> MachineType {
    let kind = offered.gpu.map(|gpu| GpuKind {
        count: offered.gpus,
        manufacturer: gpu.manufacturer,
        model: gpu.model,
        memory_mib: Some(gpu.memory_gb.saturating_mul(1_000_000_000) >> 20),
    });
    MachineType {
        clock_ghz: offered.clock_ghz,
        local_disk_mib: None,
        gpu_kinds: kind.into_iter().collect(),
        region: offered.region,
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
        display_name: offered.display_name,
        disk_type: offered.disk_type,
        disk_size_gib: offered.disk_gb,
        default: false,
    }
}

/// Chooses a version. Of a minor that is offered, any patch is taken as it is asked for: CB-Spider's Mock takes any
/// version, and keeps it as it was written.
///
/// # Errors
/// A sentence that names what was asked for and what is offered.
pub(crate) fn pick(asked: &VersionRequest, offered: &[Offered]) -> Result<Picked, Says> {
    if let VersionRequest::Given(given) = asked {
        let text = given.to_string();
        let is_patch = |minor: &str| {
            let patch = text.strip_prefix(minor).and_then(|rest| rest.strip_prefix('.'));
            patch.is_some_and(|patch| patch.bytes().all(|byte| byte.is_ascii_digit()))
        };
        if let Some(minor) = offered.iter().find(|one| is_patch(&one.version)) {
            let says = format!("{given}, a patch of {}", minor.version);
            return Ok(Picked { version: given.clone(), says });
        }
    }
    asked.pick(&versions(offered))
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
    fn a_version_stays_as_it_was_asked_for() {
        let offered: Vec<Offered> =
            serde_json::from_value(json!([{"version": "1.30"}, {"version": "1.34", "default": true}]))
                .unwrap();
        for (asked, picked) in [("1.30", "1.30"), ("1.30.7", "1.30.7"), ("v1.30", "1.30"), ("", "1.34")] {
            let asked: VersionRequest = asked.parse().unwrap();
            assert_eq!(pick(&asked, &offered).unwrap().version.to_string(), picked);
        }
        for refused in ["1.31", "1.31.2", "1.30.7-gke.1"] {
            let asked: VersionRequest = refused.parse().unwrap();
            let says = pick(&asked, &offered).unwrap_err();
            assert_eq!(says.to_string(), format!("{refused} is not offered; offered are 1.30, 1.34"));
        }
    }

    #[test]
    fn accelerators_are_told_with_their_memory() {
        let said = json!({"name": "m", "gpus": 2, "clockGhz": 2.7, "region": "common-region",
            "gpu": {"manufacturer": "NVIDIA", "model": "V100", "memoryGb": 512}});
        let machine = machine_type(serde_json::from_value(said).unwrap());
        assert_eq!((machine.clock_ghz, machine.region.as_str()), (Some(2.7), "common-region"));
        let kind = &machine.gpu_kinds[0];
        assert_eq!((kind.count, kind.model.as_str(), kind.memory_mib), (2, "V100", Some(488_281)));
        assert_eq!(machine_type(Offered::default()).gpu_kinds, Vec::new());
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
