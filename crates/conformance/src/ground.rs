//! The ground that clusters stand on in these cases: a network with subnets in different zones, a security group and,
//! where it is of use, a key pair. And the requests that are made from it.

use std::collections::BTreeMap;

use pmks_driver::{
    AddNodeGroup, Change, ClusterTarget, CreateCluster, CreateKeyPair, CreateNetwork, CreateSecurityGroup,
    DeleteCluster, DeleteResource, FixPrerequisites, KeyPairUse, Marks, NodeGroupTarget, PrerequisiteState,
    Presence,
};
use pmks_model::{
    Cidr, Cluster, ClusterRequest, Direction, Iid, KeyPairRequest, NetworkRequest, NodeGroup,
    NodeGroupRequest, Protocol, ResourceKind, Rule, Scaling, SecurityGroupRequest, SubnetRequest, Tags,
    VersionRequest, ZoneStatus,
};

use crate::executor::carry_out;
use crate::report::check;
use crate::{Failed, Rig};

/// A public key whose private half nobody has: it was thrown away. Of the one kind that every cloud's nodes take.
const PUBLIC_KEY: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCmP+he1nta0aRhqEBn6G9jcsAGV8bZ40cA5MfK1LpqfSIZQ4eEd+t/CrN\
     DIGk8FNDl9Tyz+WVS/3uYJesfIK0zrZ5gHmQfmPcKc0yhq4cA32HVEY816wiqvgaJiHrfhbcPFkRMhK6bjQ7cGmkx3/f/j+\
     aLK5GHVM8fdKUWXFjPdwMtkwChdjN1flnyd7MqY87WK0Q9NEdJaHL98pcirYY6hVBLS6/I/4JgxQl7yzhoNbBF14V3G7nXC\
     3I8nTkoin8d8djLsFI84Vss4HFjuVSnsy0vD1MTmwfdl34uSeI1ecXjG8lyocl7jUbA8RXHgP/5y71ro29hsII74PkQazjr \
     pmks-conformance";

/// Another one, whose bytes are a hash.
const OTHER_PUBLIC_KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBUU6oKRX6YAhiXU1mgaJjmzQhwY69oGMAcpSEwKDm1o pmks-conformance";

/// Where clusters stand.
pub(crate) struct Ground {
    pub(crate) network: Iid,
    pub(crate) subnets: Vec<Iid>,
    pub(crate) security_groups: Vec<Iid>,
    pub(crate) key_pair: Option<Iid>,
    pub(crate) marks: Marks,
    pub(crate) machine_type: String,
    /// What every size of a node group is a multiple of.
    pub(crate) step: u32,
    /// The user's tags of clusters; none where the cloud has none.
    pub(crate) tags: Tags,
}

/// New marks, as a record of its own would have.
pub(crate) fn marks() -> Marks {
    let id = || uuid::Uuid::now_v7().simple().to_string();
    Marks { installation: crate::INSTALLATION.to_owned(), operation: id(), uid: id() }
}

impl Ground {
    /// Makes it, prerequisites first.
    pub(crate) async fn make(rig: &Rig) -> Result<Self, Failed> {
        fix_prerequisites(rig).await?;
        Self::make_alone(rig).await
    }

    /// Makes it and leaves prerequisites as they are.
    pub(crate) async fn make_alone(rig: &Rig) -> Result<Self, Failed> {
        let (capabilities, own) = (*rig.driver.capabilities(), marks());
        let change = Change::CreateNetwork(network_request(rig, "pmks-ground").await?);
        let mut ids = carry_out(rig, &change).await?.ids;
        let network = take(&mut ids, "pmks-ground")?;
        let subnets =
            subnet_names(rig).into_iter().map(|name| take(&mut ids, &name)).collect::<Result<_, _>>()?;
        let mut security_groups = Vec::new();
        if capabilities.security_groups != Presence::Forbidden {
            let change = Change::CreateSecurityGroup(security_group_request("pmks-ground", &network));
            security_groups.push(take(&mut carry_out(rig, &change).await?.ids, "pmks-ground")?);
        }
        let mut key_pair = None;
        if capabilities.key_pair != KeyPairUse::Unused {
            let asked = CreateKeyPair { marks: own.clone(), ..key_pair_request("pmks-ground") };
            key_pair =
                Some(take(&mut carry_out(rig, &Change::CreateKeyPair(asked)).await?.ids, "pmks-ground")?);
        }
        let machine_type = machine_type(rig).await?;
        let step = rig.driver.size_step().await?;
        let purpose = || ("purpose".to_owned(), "conformance".to_owned());
        let tags = capabilities.tags.map(|_| purpose()).into_iter().collect();
        Ok(Self { network, subnets, security_groups, key_pair, marks: own, machine_type, step, tags })
    }

    /// Takes it away again.
    pub(crate) async fn clear(self, rig: &Rig) -> Result<(), Failed> {
        for group in &self.security_groups {
            delete(rig, ResourceKind::SecurityGroup, group, &self.marks).await?;
        }
        if let Some(key_pair) = &self.key_pair {
            delete(rig, ResourceKind::KeyPair, key_pair, &self.marks).await?;
        }
        delete(rig, ResourceKind::Network, &self.network, &self.marks).await
    }

    /// A cluster on it, with as many node groups.
    pub(crate) fn cluster(&self, name: &str, node_groups: usize) -> CreateCluster {
        let groups =
            ["ga", "gb", "gc"].into_iter().take(node_groups).map(|name| self.node_group(name)).collect();
        CreateCluster {
            request: ClusterRequest {
                name: name.to_owned(),
                version: VersionRequest::Default,
                network: self.network.clone(),
                subnets: self.subnets.clone(),
                security_groups: self.security_groups.clone(),
                node_groups: groups,
                tags: self.tags.clone(),
                options: BTreeMap::new(),
            },
            marks: marks(),
        }
    }

    /// A size of so many steps: so many nodes, where the cloud takes every size.
    pub(crate) fn size(&self, steps: u32) -> u32 {
        self.step.saturating_mul(steps)
    }

    /// The same, as a number of nodes that are there.
    pub(crate) fn nodes(&self, steps: u32) -> usize {
        usize::try_from(self.size(steps)).unwrap_or(usize::MAX)
    }

    /// A node group of two nodes, or two steps of them.
    pub(crate) fn node_group(&self, name: &str) -> NodeGroupRequest {
        NodeGroupRequest {
            name: name.to_owned(),
            version: VersionRequest::Default,
            machine_type: self.machine_type.clone(),
            image: String::new(),
            root_disk_type: String::new(),
            root_disk_size_gib: None,
            key_pair: self.key_pair.clone(),
            scaling: Scaling {
                auto_scaling: false,
                min: self.size(1),
                max: self.size(4),
                desired: self.size(2),
            },
            any_size: false,
        }
    }

    /// One more node group for a cluster.
    pub(crate) fn add(&self, cluster: &Cluster, name: &str) -> AddNodeGroup {
        AddNodeGroup {
            cluster: target(cluster),
            security_groups: self.security_groups.clone(),
            request: self.node_group(name),
            tags: Tags::new(),
            marks: marks(),
        }
    }

    /// Makes a cluster that has as few node groups as the capabilities allow, and answers it as the cloud says it.
    pub(crate) async fn standing_cluster(&self, rig: &Rig, name: &str) -> Result<Cluster, Failed> {
        self.cluster_with(rig, name, least_node_groups(rig)).await
    }

    /// Makes a cluster with so many node groups.
    pub(crate) async fn cluster_with(
        &self,
        rig: &Rig,
        name: &str,
        node_groups: usize,
    ) -> Result<Cluster, Failed> {
        let mut ids = carry_out(rig, &Change::CreateCluster(self.cluster(name, node_groups))).await?.ids;
        let cluster = take(&mut ids, name)?;
        Ok(rig.driver.get_cluster(&cluster.system_id).await?)
    }
}

/// How many node groups a creation has at least.
pub(crate) fn least_node_groups(rig: &Rig) -> usize {
    usize::from(rig.driver.capabilities().node_groups_at_creation.presence == Presence::Required)
}

/// A cluster, aimed at.
pub(crate) fn target(cluster: &Cluster) -> ClusterTarget {
    ClusterTarget { iid: cluster.iid.clone(), incarnation: cluster.incarnation.clone() }
}

/// A node group, aimed at.
pub(crate) fn node_group_target(cluster: &Cluster, group: &NodeGroup) -> NodeGroupTarget {
    NodeGroupTarget {
        cluster: target(cluster),
        iid: group.iid.clone(),
        incarnation: group.incarnation.clone(),
    }
}

/// Removes a cluster, twice: the second time finds nothing to do.
pub(crate) async fn delete_cluster(rig: &Rig, cluster: &Cluster) -> Result<(), Failed> {
    // What a cloud made beside the cluster may be named after the record that made it.
    let mut marks = marks();
    if let Some(uid) = cluster.tags.get(Marks::KEYS[2]) {
        marks.uid.clone_from(uid);
    }
    let asked = DeleteCluster { target: target(cluster), delete_volumes: true, marks };
    carry_out(rig, &Change::DeleteCluster(asked.clone())).await?;
    let mark = rig.calls.mark();
    carry_out(rig, &Change::DeleteCluster(asked)).await?;
    let changes = rig.calls.changes_since(mark);
    check(changes.is_empty(), || format!("deleting what is gone sent {changes:?}"))
}

/// Removes a network, security group or key pair, twice. The marks carry the uid of the record that made it.
pub(crate) async fn delete(rig: &Rig, kind: ResourceKind, iid: &Iid, made: &Marks) -> Result<(), Failed> {
    for _ in 0..2 {
        let marks = Marks { uid: made.uid.clone(), ..marks() };
        let asked =
            DeleteResource { kind, iid: iid.clone(), incarnation: String::new(), network: None, marks };
        carry_out(rig, &Change::DeleteResource(asked)).await?;
    }
    Ok(())
}

/// Makes what must exist in the account first, if anything is missing.
pub(crate) async fn fix_prerequisites(rig: &Rig) -> Result<(), Failed> {
    let missing = |state: &PrerequisiteState| matches!(state, PrerequisiteState::Missing { .. });
    if rig.driver.prerequisites(None).await?.iter().any(|prerequisite| missing(&prerequisite.state)) {
        let asked = FixPrerequisites { cluster: None, marks: marks() };
        carry_out(rig, &Change::FixPrerequisites(asked)).await?;
    }
    Ok(())
}

/// A network with as many subnets, in as many zones, as a cluster needs.
pub(crate) async fn network_request(rig: &Rig, name: &str) -> Result<CreateNetwork, Failed> {
    let zones: Vec<String> = if rig.driver.capabilities().zonal_subnets {
        let all = rig.driver.regions().await?.into_iter().flat_map(|region| region.zones);
        all.filter(|zone| zone.status != ZoneStatus::Unavailable).map(|zone| zone.name).collect()
    } else {
        Vec::new()
    };
    let names = subnet_names(rig);
    let subnets = names.iter().enumerate().map(|(index, name)| SubnetRequest {
        name: name.clone(),
        cidr: cidr(&format!("10.20.{index}.0/24")),
        tags: Tags::new(),
        zone: zones.get(index % zones.len().max(1)).cloned().unwrap_or_default(),
    });
    let request = NetworkRequest {
        name: name.to_owned(),
        cidr: cidr("10.20.0.0/16"),
        subnets: subnets.collect(),
        tags: Tags::new(),
    };
    let subnet_uids =
        names.into_iter().map(|name| (name, uuid::Uuid::now_v7().simple().to_string())).collect();
    Ok(CreateNetwork { request, marks: marks(), subnet_uids })
}

/// A security group that lets the nodes be reached, and everything out.
pub(crate) fn security_group_request(name: &str, network: &Iid) -> CreateSecurityGroup {
    let inbound = Rule {
        direction: Direction::Inbound,
        protocol: Protocol::Tcp,
        from_port: Some(22),
        to_port: Some(22),
        cidr: cidr("10.20.0.0/16"),
    };
    let request = SecurityGroupRequest {
        name: name.to_owned(),
        network: network.clone(),
        rules: vec![inbound, Rule::EVERYTHING_OUT],
        tags: Tags::new(),
    };
    CreateSecurityGroup { request, marks: marks() }
}

/// The public half of a key pair.
pub(crate) fn key_pair_request(name: &str) -> CreateKeyPair {
    key_pair_of(PUBLIC_KEY, name)
}

/// The same of another key.
pub(crate) fn other_key_pair_request(name: &str) -> CreateKeyPair {
    key_pair_of(OTHER_PUBLIC_KEY, name)
}

fn key_pair_of(public_key: &str, name: &str) -> CreateKeyPair {
    let request =
        KeyPairRequest { name: name.to_owned(), public_key: public_key.to_owned(), tags: Tags::new() };
    CreateKeyPair { request, marks: marks() }
}

/// A block of addresses that is written in this crate.
pub(crate) fn cidr(text: &str) -> Cidr {
    text.parse().unwrap_or(Cidr::ALL)
}

/// The identifier that a change gave to a resource.
pub(crate) fn take(ids: &mut BTreeMap<String, String>, name: &str) -> Result<Iid, Failed> {
    let system_id =
        ids.remove(name).ok_or_else(|| Failed(format!("no stage said the identifier of {name:?}")))?;
    Ok(Iid::new(name, system_id))
}

fn subnet_names(rig: &Rig) -> Vec<String> {
    let capabilities = rig.driver.capabilities();
    let zones = if capabilities.zonal_subnets { capabilities.minimum_zones } else { 1 };
    let count = capabilities.minimum_subnets.max(zones).max(1);
    (0..count).map(|index| format!("pmks-ground-{index}")).collect()
}

/// The smallest machine type that runs Kubernetes, in all zones.
async fn machine_type(rig: &Rig) -> Result<String, Failed> {
    let mut fit: Vec<_> = rig
        .driver
        .machine_types()
        .await?
        .into_iter()
        .filter(|machine| {
            machine.vcpus >= 2 && machine.memory_mib >= 4096 && machine.architecture == "x86_64"
        })
        .filter(|machine| machine.gpus == 0)
        .collect();
    fit.sort_by_key(|machine| (machine.vcpus, machine.memory_mib));
    let widest = fit.iter().map(|machine| machine.zones.len()).max().unwrap_or(0);
    fit.into_iter()
        .find(|machine| machine.zones.len() == widest)
        .map(|machine| machine.name)
        .ok_or_else(|| Failed("no machine type fits".to_owned()))
}
