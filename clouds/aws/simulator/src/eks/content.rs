//! What a simulated cluster holds: nodes are machines of node groups, Services and Ingresses own balancers, volumes are
//! disks. Pure: from the world to what the endpoint is told.

use std::collections::BTreeSet;

use pmks_simulation::kubernetes::{ClusterSettings, Deletion, Entrance, PersistentVolume, Present, Workload};

use super::nodes::nodes;
use super::state::Cluster;
use super::versions;
use crate::elb;
use crate::world::{Place, World};

/// Version, nodes, balancers and disks as the world has them.
pub(super) fn present(world: &World, place: &Place, cluster: &Cluster) -> Present {
    Present {
        version: git_version(cluster),
        nodes: nodes(world, place, cluster),
        entrances: entrances(&world.region(place).elb, &cluster.name),
        volumes: volumes(world, place, cluster),
    }
}

/// Disks that the storage driver made for claims have volumes.
fn volumes(world: &World, place: &Place, cluster: &Cluster) -> Vec<PersistentVolume> {
    let owned = format!("kubernetes.io/cluster/{}", cluster.name);
    let disks = world.region(place).ec2.volumes.values().filter(|disk| disk.tags.contains_key(&owned));
    let volumes = disks.filter_map(|disk| {
        let name = disk.tags.get("CSIVolumeName")?;
        Some(PersistentVolume {
            name: name.clone(),
            capacity_gib: u32::try_from(disk.size_gib).unwrap_or_default(),
            driver: "ebs.csi.aws.com".to_owned(),
            volume_handle: disk.id.clone(),
            zone: disk.zone.clone(),
            storage_class: "gp3".to_owned(),
            claim_namespace: "default".to_owned(),
            claim_name: format!("claim-of-{name}"),
        })
    });
    volumes.collect()
}

/// All of a cluster. Application balancers are made for Ingresses, the others for Services.
fn entrances(elb: &elb::State, cluster: &str) -> BTreeSet<Entrance> {
    let services = elb::controller::services(elb, cluster);
    let entrances = services.map(|(owner, hostname)| {
        let mut balancers = elb.balancers.values();
        let ingress =
            balancers.any(|balancer| balancer.dns_name == hostname && balancer.kind.word() == "application");
        let (namespace, name) = (owner.namespace.clone(), owner.service.clone());
        Entrance { namespace, name, address: hostname.to_owned(), ingress }
    });
    entrances.collect()
}

/// For whom a balancer was made.
pub(super) fn owner(cluster: &str, deletion: &Deletion) -> elb::Owner {
    elb::Owner {
        cluster: cluster.to_owned(),
        namespace: deletion.namespace.clone(),
        service: deletion.name.clone(),
    }
}

/// What a cluster is made with.
pub(super) fn settings(cluster: &Cluster) -> ClusterSettings {
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
