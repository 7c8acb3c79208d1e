//! The stages of the scripted cloud: each does its thing at once.

use async_trait::async_trait;
use pmks_driver::*;
use pmks_model::{
    AccessInfo, Cluster, ClusterNetwork, ClusterRequest, Iid, KeyPair, KeyValueList, Network, NetworkRequest,
    NodeGroup, NodeGroupRequest, ResourceKind, Scaling, ScalingChange, SecurityGroup, SecurityGroupRequest,
    Status, Subnet, SubnetRequest, Tags, Version, VersionRequest,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::cloud::{Cloud, PROVIDER, World};
use super::driver::CAPABILITIES;

/// What a stage does.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Make {
    Cluster { request: ClusterRequest, marks: Marks },
    RemoveCluster { id: String },
    Tag { kind: ResourceKind, id: String, tags: TagChanges },
    Upgrade { id: String, version: Version },
    NodeGroup { cluster: String, request: NodeGroupRequest },
    Scale { cluster: String, id: String, change: ScalingChange },
    RemoveNodeGroup { cluster: String, id: String },
    Network { request: NetworkRequest },
    Subnet { network: String, request: SubnetRequest },
    SecurityGroup { request: SecurityGroupRequest },
    Rules { asked: UpdateSecurityGroup },
    KeyPair { name: String },
    Remove { kind: ResourceKind, id: String },
    Sweep { id: String },
    Template,
    RemoveTemplate { id: String },
    Nothing,
}

impl Make {
    pub(crate) fn stage(&self, name: &str) -> StageSpecification {
        let kind = if matches!(self, Self::Template) { "fake.template" } else { "fake.make" };
        StageSpecification::new(name, kind, 1, serde_json::to_value(self).unwrap())
    }
}

pub(crate) fn of(cloud: &Cloud, stage: &StageSpecification) -> Box<dyn StageCalls> {
    let make = serde_json::from_value(stage.parameters.clone()).unwrap();
    Box::new(Calls { cloud: cloud.clone(), make, name: stage.name.clone() })
}

struct Calls {
    cloud: Cloud,
    make: Make,
    name: String,
}

#[async_trait]
impl StageCalls for Calls {
    async fn look(&self, context: &StageContext) -> Result<Look> {
        drop(self.cloud.call(&format!("look {}", self.name))?);
        let several = self.cloud.world().several.get(&self.name).cloned();
        let (several, known) = several.zip(context.baseline.clone()).unwrap_or_default();
        match several.iter().filter(|id| !known.contains(id)).collect::<Vec<_>>().as_slice() {
            [] => {}
            [id] => return Ok(Look::ready(*id, "1", json!({"id": id}))),
            _ => return Ok(Look::Several(several)),
        }
        let Some(id) = context.system_id.clone() else { return Ok(Look::Absent) };
        Ok(Look::ready(id.clone(), "1", self.outputs(&id)))
    }

    async fn ask(&self, context: &StageContext) -> Result<Asked> {
        let mut world = self.cloud.call(&format!("ask {}", self.name))?;
        let created_at = Some(self.cloud.now());
        let id = self.apply(&mut world, context, created_at)?;
        if world.stuck.contains(&self.name) {
            return Ok(Asked::following(json!({"id": id})).with_system_id(id).with_incarnation("1"));
        }
        Ok(Asked::done(self.outputs(&id)).with_system_id(id).with_incarnation("1"))
    }

    async fn poll(&self, _context: &StageContext, handle: &Handle) -> Result<Poll> {
        if self.cloud.world().stuck.contains(&self.name) {
            return Ok(Poll::Pending { says: "working".to_owned(), after: None });
        }
        let id = handle.0.get("id").and_then(Value::as_str).unwrap_or_default();
        Ok(Poll::Done(self.outputs(id)))
    }
}

impl Calls {
    /// What is swept leaves nothing that would be said to stand.
    fn outputs(&self, id: &str) -> Value {
        if matches!(self.make, Make::Sweep { .. } | Make::RemoveTemplate { .. }) {
            Value::Null
        } else {
            json!({"id": id})
        }
    }

    fn apply(
        &self,
        world: &mut World,
        context: &StageContext,
        created_at: Option<jiff::Timestamp>,
    ) -> Result<String> {
        let here = world.capabilities.unwrap_or(&CAPABILITIES).auto_scaling;
        match self.make.clone() {
            Make::Cluster { request, marks } => {
                let id = request.name.clone();
                let cluster = cluster(&request, &marks, created_at);
                world.clusters.insert(id.clone(), cluster);
                Ok(id)
            }
            Make::RemoveCluster { id } => {
                world.clusters.remove(&id);
                Ok(id)
            }
            Make::Tag { kind, id, tags } => {
                let standing = match kind {
                    ResourceKind::Cluster => world.clusters.get_mut(&id).map(|it| &mut it.tags),
                    ResourceKind::Subnet => world.subnets.get_mut(&id).map(|it| &mut it.tags),
                    ResourceKind::SecurityGroup => world.security_groups.get_mut(&id).map(|it| &mut it.tags),
                    ResourceKind::KeyPair => world.key_pairs.get_mut(&id).map(|it| &mut it.tags),
                    _ => world.networks.get_mut(&id).map(|it| &mut it.tags),
                };
                let standing = standing.ok_or_else(|| gone(&id))?;
                *standing = tags.onto(std::mem::take(standing));
                Ok(id)
            }
            Make::Upgrade { id, version } => {
                world.clusters.get_mut(&id).ok_or_else(|| gone(&id))?.version = Some(version);
                Ok(id)
            }
            Make::NodeGroup { cluster, request } => {
                let mut made = group(&request);
                made.scaling = made.scaling.map(|scaling| kept(here, scaling));
                let cluster = world.clusters.get_mut(&cluster).ok_or_else(|| gone(&cluster))?;
                cluster.node_groups.push(made);
                Ok(request.name)
            }
            Make::Scale { cluster, id, change } => {
                let cluster = world.clusters.get_mut(&cluster).ok_or_else(|| gone(&cluster))?;
                let group = cluster.node_groups.iter_mut().find(|group| group.iid.system_id == id);
                let group = group.ok_or_else(|| gone(&id))?;
                group.scaling = group.scaling.map(|now| kept(here, here.apply(change, now)));
                Ok(id)
            }
            Make::RemoveNodeGroup { cluster, id } => {
                let cluster = world.clusters.get_mut(&cluster).ok_or_else(|| gone(&cluster))?;
                cluster.node_groups.retain(|group| group.iid.system_id != id);
                Ok(id)
            }
            Make::Remove { kind, id } => {
                match kind {
                    ResourceKind::Network => drop(world.networks.remove(&id)),
                    ResourceKind::Subnet => drop(world.subnets.remove(&id)),
                    ResourceKind::SecurityGroup => drop(world.security_groups.remove(&id)),
                    _ => drop(world.key_pairs.remove(&id)),
                }
                Ok(id)
            }
            Make::Rules { asked } => {
                let id = asked.iid.system_id.clone();
                let group = world.security_groups.get_mut(&id).ok_or_else(|| gone(&id))?;
                let missing: Vec<_> = asked.missing(&group.rules).cloned().collect();
                group.rules.extend(missing);
                group.rules.retain(|rule| !rule.is_among(&asked.remove));
                Ok(id)
            }
            Make::Sweep { id } => Ok(id),
            Make::Template => {
                let id = world.id("tpl");
                world.templates.insert(id.clone());
                Ok(id)
            }
            Make::RemoveTemplate { id } => {
                world.templates.remove(&id);
                Ok(id)
            }
            Make::Nothing => {
                // The role is there from then on.
                let lacks = |kind: &mut ErrorKind| matches!(kind, ErrorKind::PrerequisiteMissing { .. });
                if self.name == "role" && world.failures.get_mut("prepare").is_some_and(lacks) {
                    world.failures.remove("prepare");
                }
                Ok("role".to_owned())
            }
            part => Ok(network_part(world, part, context)),
        }
    }
}

fn network_part(world: &mut World, make: Make, context: &StageContext) -> String {
    match make {
        Make::Network { request } => {
            let id = world.id("net");
            let network = network(&id, &request.name, &request.cidr.to_string());
            world.networks.insert(id.clone(), network);
            id
        }
        Make::Subnet { network, request } => {
            let id = world.id("subnet");
            let made_before = context.outputs.text("network", "id").unwrap_or_default();
            let network = if network.is_empty() { made_before } else { &network };
            world.subnets.insert(id.clone(), subnet(&id, &request.name, network, &request.cidr.to_string()));
            id
        }
        Make::SecurityGroup { request } => {
            let id = world.id("sg");
            let group = SecurityGroup {
                iid: Iid::new(request.name, id.clone()),
                incarnation: String::new(),
                network: request.network.system_id,
                rules: request.rules,
                tags: Tags::new(),
                key_value_list: KeyValueList::default(),
            };
            world.security_groups.insert(id.clone(), group);
            id
        }
        Make::KeyPair { name } => {
            let id = world.id("key");
            let pair = KeyPair {
                iid: Iid::new(name, id.clone()),
                incarnation: String::new(),
                fingerprint: "aa:bb".to_owned(),
                tags: Tags::new(),
                key_value_list: KeyValueList::default(),
            };
            world.key_pairs.insert(id.clone(), pair);
            id
        }
        other => panic!("{other:?} is no part of a network"),
    }
}

pub(crate) fn network(id: &str, name: &str, cidr: &str) -> Network {
    Network {
        iid: Iid::new(name, id),
        incarnation: String::new(),
        region: "r1".to_owned(),
        cidr: cidr.to_owned(),
        subnets: Vec::new(),
        state: "available".to_owned(),
        tags: Tags::new(),
        key_value_list: KeyValueList::default(),
    }
}

pub(crate) fn subnet(id: &str, name: &str, network: &str, cidr: &str) -> Subnet {
    Subnet {
        iid: Iid::new(name, id),
        incarnation: String::new(),
        network: network.to_owned(),
        cidr: cidr.to_owned(),
        zone: "z1".to_owned(),
        tags: Tags::new(),
        key_value_list: KeyValueList::default(),
    }
}

fn cluster(request: &ClusterRequest, marks: &Marks, created_at: Option<jiff::Timestamp>) -> Cluster {
    let version = match &request.version {
        VersionRequest::Default => Version::of_minor(1, 31),
        VersionRequest::Given(version) => version.clone(),
    };
    Cluster {
        iid: Iid::unnamed(request.name.clone()),
        incarnation: "1".to_owned(),
        version: Some(version),
        network: ClusterNetwork {
            network: request.network.clone(),
            subnets: request.subnets.clone(),
            security_groups: request.security_groups.clone(),
        },
        access: AccessInfo {
            endpoint: "https://127.0.0.1:6443".to_owned(),
            certificate_authority: "CA".to_owned(),
        },
        status: Status::Active,
        created_at,
        tags: marks.onto(&request.tags),
        ..Cluster::default()
    }
}

pub(crate) fn group(request: &NodeGroupRequest) -> NodeGroup {
    let nodes = (0..request.scaling.desired).map(|n| Iid::new(format!("node-{n}"), format!("i-{n}")));
    NodeGroup {
        iid: Iid::unnamed(request.name.clone()),
        incarnation: "1".to_owned(),
        version: Some(Version::of_minor(1, 31)),
        image: "STANDARD".to_owned(),
        machine_type: "small".to_owned(),
        key_pair: request.key_pair.clone().unwrap_or_default(),
        scaling: Some(request.scaling),
        status: Status::Active,
        nodes: nodes.collect(),
        ..NodeGroup::default()
    }
}

/// What the cloud keeps of a scaling.
fn kept(here: AutoScaling, scaling: Scaling) -> Scaling {
    if here.keeps_limits || scaling.auto_scaling {
        return scaling;
    }
    Scaling { min: scaling.desired, max: scaling.desired, ..scaling }
}

fn gone(id: &str) -> DriverError {
    DriverError::new(
        ErrorKind::Precondition { what: id.to_owned(), fix: String::new() },
        PROVIDER,
        "it is gone",
    )
}

/// What a request of that stage was, for assertions.
pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("<absent>")
}
