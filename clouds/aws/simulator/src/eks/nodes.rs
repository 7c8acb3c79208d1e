//! The machines of node groups as Kubernetes nodes. Pure: from the world to what the endpoint is told.

use std::net::IpAddr;

use pmks_simulation::kubernetes::Node;

use super::lookup::machine;
use super::node_group_progress::{self, kubelet_version};
use super::state::{Cluster, NodeGroup, Tags};
use crate::auto_scaling::{Lifecycle, Member};
use crate::ec2::{Instance, InstanceState};
use crate::world::{Place, World};

/// How many pods a kubelet takes.
const MAX_PODS: u32 = 17;

/// Every node of the cluster, each with whether it is about to go.
pub(crate) fn nodes(world: &World, place: &Place, cluster: &Cluster) -> Vec<(Node, bool)> {
    let region = world.region(place);
    let mut found = Vec::new();
    for group in cluster.node_groups.values() {
        for member in node_group_progress::nodes(&region.auto_scaling, group) {
            let running = |instance: &&Instance| instance.state == InstanceState::Running;
            if let Some(instance) = region.ec2.instances.get(&member.instance).filter(running) {
                let going = member.lifecycle == Lifecycle::Terminating;
                found.push((node(place, cluster, group, member, instance), going));
            }
        }
    }
    found
}

/// `ip-10-0-1-17.ap-northeast-2.compute.internal`; in us-east-1 the domain is older.
fn name(place: &Place, instance: &Instance) -> String {
    let host = instance.private_ip.to_string().replace('.', "-");
    match place.region.as_str() {
        "us-east-1" => format!("ip-{host}.ec2.internal"),
        region => format!("ip-{host}.{region}.compute.internal"),
    }
}

fn node(place: &Place, cluster: &Cluster, group: &NodeGroup, member: &Member, instance: &Instance) -> Node {
    let machine = machine(&instance.machine_type);
    let cpu = machine.map_or(2, |machine| machine.cpu);
    let (os_image, kernel) = if group.ami_type.starts_with("BOTTLEROCKET") {
        ("Bottlerocket OS 1.50.0 (aws-k8s)", "6.12.53")
    } else {
        ("Amazon Linux 2023.9.20261101", "6.12.55-74.119.amzn2023.x86_64")
    };
    Node {
        name: name(place, instance),
        internal_ip: IpAddr::V4(instance.private_ip),
        external_ip: instance.public_ip.map(IpAddr::V4),
        provider_id: format!("aws:///{}/{}", instance.zone, instance.id),
        instance_type: instance.machine_type.clone(),
        region: place.region.clone(),
        zone: instance.zone.clone(),
        architecture: machine.map_or("amd64", |machine| machine.architecture).to_owned(),
        version: kubelet_version(&member.release, cluster),
        os_image: os_image.to_owned(),
        kernel_version: kernel.to_owned(),
        container_runtime: "containerd://2.1.5".to_owned(),
        cpu,
        memory_mib: machine.map_or(4096, |machine| machine.memory_mib),
        max_pods: MAX_PODS,
        reserved_cpu_millis: 60 + 10 * cpu,
        // 255 MiB and 11 MiB a pod for the system, and 100 MiB for eviction.
        reserved_memory_mib: 355 + 11 * u64::from(MAX_PODS),
        labels: labels(group, member, instance),
        ready_since: member.in_service_since,
    }
}

/// The labels that EKS adds, and the user's.
///
/// Source: <https://docs.aws.amazon.com/eks/latest/userguide/managed-node-groups.html>.
fn labels(group: &NodeGroup, member: &Member, instance: &Instance) -> Tags {
    let mut labels = Tags::from([
        ("eks.amazonaws.com/nodegroup".to_owned(), group.name.clone()),
        ("eks.amazonaws.com/capacityType".to_owned(), group.capacity_type.clone()),
        ("eks.amazonaws.com/nodegroup-image".to_owned(), instance.image.clone()),
        ("eks.amazonaws.com/sourceLaunchTemplateVersion".to_owned(), member.template_version.clone()),
    ]);
    labels.extend(group.labels.clone());
    labels
}
