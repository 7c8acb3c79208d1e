//! What a simulated cluster holds, kept in step with the world: nodes are machines of node groups, Services and
//! Ingresses own balancers, volumes are disks. Reads the world, and tells it only of what users delete.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use pmks_simulation::kubernetes::{
    ClusterSettings, ClusterState, Deletion, Node, PersistentVolume, Removal, WallClock, Workload,
};

use super::nodes::nodes;
use super::state::Cluster;
use super::versions;
use crate::cloud::Core;
use crate::elb;
use crate::world::{Place, World};

/// What one cluster holds, and what of it was taken from the world so far.
pub(super) struct Content {
    state: ClusterState,
    /// Deleted Services and Ingresses of which the balancer is not gone yet.
    going: Arc<Mutex<Vec<Deletion>>>,
    /// Nodes as they were last put.
    nodes: BTreeMap<String, Node>,
    /// Services and Ingresses as they were last put.
    entrances: BTreeSet<Entrance>,
    /// Names of the volumes that were put.
    volumes: BTreeSet<String>,
}

impl Content {
    /// A new cluster's content, which hears what its users delete.
    pub(super) fn new(core: &Arc<Core>, place: &Place, cluster: &Cluster, clock: WallClock) -> Self {
        let state = ClusterState::new(settings(cluster), clock);
        let going: Arc<Mutex<Vec<Deletion>>> = Arc::default();
        state.on_delete(hear_deletions(core, place, &cluster.name, &going));
        let (entrances, volumes) = (BTreeSet::new(), BTreeSet::new());
        Self { state, going, nodes: BTreeMap::new(), entrances, volumes }
    }

    /// What the endpoint's back answers from.
    pub(super) fn state(&self) -> ClusterState {
        self.state.clone()
    }

    /// Version, nodes, balancers and disks as the world has them.
    pub(super) fn follow(&mut self, world: &World, place: &Place, cluster: &Cluster) {
        let version = git_version(cluster);
        if self.state.version() != version {
            self.state.set_version(&version);
        }
        self.follow_nodes(nodes(world, place, cluster));
        self.follow_entrances(world, place, cluster);
        self.follow_volumes(world, place, cluster);
    }

    fn follow_nodes(&mut self, present: Vec<(Node, bool)>) {
        let names: BTreeSet<String> = present.iter().map(|(node, _)| node.name.clone()).collect();
        for gone in self.nodes.keys().filter(|name| !names.contains(*name)) {
            self.state.remove_node(gone);
        }
        self.nodes.retain(|name, _| names.contains(name));
        for (node, going) in present {
            let same = |known: &Node| known.provider_id == node.provider_id && known.labels == node.labels;
            if !self.nodes.get(&node.name).is_some_and(same) {
                self.state.add_node(&node);
                self.nodes.insert(node.name.clone(), node.clone());
            }
            if going {
                self.state.set_node_unschedulable(&node.name, true);
            }
        }
    }

    /// A controller's balancers have Services or Ingresses; a deleted one goes when its balancer is gone.
    fn follow_entrances(&mut self, world: &World, place: &Place, cluster: &Cluster) {
        let elb = &world.region(place).elb;
        let stands = |deletion: &Deletion| {
            let owner = owner(&cluster.name, deletion);
            elb.balancers
                .values()
                .any(|balancer| balancer.owner.as_ref() == Some(&owner) && balancer.is_shown())
        };
        let gone: Vec<Deletion> = {
            let mut going = self.going.lock().unwrap_or_else(PoisonError::into_inner);
            let (kept, gone) = going.drain(..).partition(stands);
            *going = kept;
            gone
        };
        for deletion in gone {
            self.state.finish_removal(&deletion);
        }
        let present = entrances(elb, &cluster.name);
        for entrance in present.difference(&self.entrances) {
            let Entrance { namespace, name, hostname, ingress } = entrance;
            if *ingress {
                self.state.put_ingress(namespace, name, hostname);
            } else {
                self.state.put_load_balancer_service(namespace, name, hostname);
            }
        }
        self.entrances = present;
    }

    /// Disks that the storage driver made for claims have volumes. One deleted behind its back keeps its volume.
    fn follow_volumes(&mut self, world: &World, place: &Place, cluster: &Cluster) {
        let owned = format!("kubernetes.io/cluster/{}", cluster.name);
        let disks = world.region(place).ec2.volumes.values();
        for disk in disks.filter(|disk| disk.tags.contains_key(&owned)) {
            let Some(name) = disk.tags.get("CSIVolumeName").filter(|name| !self.volumes.contains(*name))
            else {
                continue;
            };
            self.state.put_persistent_volume(&PersistentVolume {
                name: name.clone(),
                capacity_gib: u32::try_from(disk.size_gib).unwrap_or_default(),
                driver: "ebs.csi.aws.com".to_owned(),
                volume_handle: disk.id.clone(),
                zone: disk.zone.clone(),
                storage_class: "gp3".to_owned(),
                claim_namespace: "default".to_owned(),
                claim_name: format!("claim-of-{name}"),
            });
            self.volumes.insert(name.clone());
        }
    }
}

/// A Service or an Ingress for which a controller made a balancer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entrance {
    namespace: String,
    name: String,
    hostname: String,
    ingress: bool,
}

/// All of a cluster. Application balancers are made for Ingresses, the others for Services.
fn entrances(elb: &elb::State, cluster: &str) -> BTreeSet<Entrance> {
    let services = elb::controller::services(elb, cluster);
    let entrances = services.map(|(owner, hostname)| {
        let mut balancers = elb.balancers.values();
        let ingress =
            balancers.any(|balancer| balancer.dns_name == hostname && balancer.kind.word() == "application");
        let (namespace, name) = (owner.namespace.clone(), owner.service.clone());
        Entrance { namespace, name, hostname: hostname.to_owned(), ingress }
    });
    entrances.collect()
}

/// For whom a balancer was made.
fn owner(cluster: &str, deletion: &Deletion) -> elb::Owner {
    elb::Owner {
        cluster: cluster.to_owned(),
        namespace: deletion.namespace.clone(),
        service: deletion.name.clone(),
    }
}

/// What happens when a user of the cluster deletes a Service: its controller takes the balancer away. Called by the
/// cluster's content from requests of users alone, never from [`Content::follow`], so the world is free to be asked for.
fn hear_deletions(
    core: &Arc<Core>,
    place: &Place,
    cluster: &str,
    going: &Arc<Mutex<Vec<Deletion>>>,
) -> impl Fn(&Deletion) -> Removal + Send + Sync + 'static {
    let (core, place, cluster, going) =
        (Arc::clone(core), place.clone(), cluster.to_owned(), Arc::clone(going));
    move |deletion| {
        let owner = owner(&cluster, deletion);
        if core.with_world(|world, now| elb::controller::service_deleted(world, &place, &owner, now)) {
            going.lock().unwrap_or_else(PoisonError::into_inner).push(deletion.clone());
            Removal::Pending
        } else {
            Removal::Done
        }
    }
}

fn settings(cluster: &Cluster) -> ClusterSettings {
    let mut settings = ClusterSettings::new(&cluster.name, &git_version(cluster));
    let mut numbers = cluster.network.service_cidr.split('.').filter_map(|part| part.parse().ok());
    if let (Some(first), Some(second)) = (numbers.next(), numbers.next()) {
        settings.service_network = [first, second];
    }
    if cluster.bootstrap_addons {
        settings
            .daemon_sets
            .push(Workload::new("aws-node", "602401143452.dkr.ecr.us-west-2.amazonaws.com/amazon-k8s-cni"));
    } else {
        settings.daemon_sets.clear();
        settings.deployments.clear();
    }
    settings
}

fn git_version(cluster: &Cluster) -> String {
    versions::find(&cluster.version).map(versions::Version::git_version).unwrap_or_default()
}
