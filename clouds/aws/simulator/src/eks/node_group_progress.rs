//! What passing work time does to node groups: the Auto Scaling group is made, machines become nodes, nodes are
//! replaced one after the other, and all of it goes away again.

use std::time::Duration;

use super::call::Call;
use super::state::{Cluster, Issue, NodeGroup, NodeGroupStep, Pending, Status};
use super::{access, node_group_updates, progress, versions};
use crate::auto_scaling::{self, Group, Launch, Lifecycle, Tag, check_soon, terminate_member};
use crate::ec2::{TemplateData, TemplateDisk};
use crate::world::Tags;

/// From the launch of machines until EKS sees that they are nodes.
const JOINING: Duration = Duration::from_secs(140);
/// How often EKS looks again.
const LOOK_AGAIN: Duration = Duration::from_secs(10);
/// How long EKS waits for nodes before it gives up.
/// Source: <https://docs.aws.amazon.com/eks/latest/userguide/troubleshooting.html#troubleshoot-managed-node-groups>.
const GIVE_UP: Duration = Duration::from_mins(25);
/// From the emptying of the Auto Scaling group until its end.
const DELETING: Duration = Duration::from_secs(200);

/// Does what has fallen due for the node groups of one cluster.
pub(crate) fn settle(call: &mut Call<'_>, cluster: &str) {
    let Some(known) = call.eks().clusters.get(cluster) else { return };
    let due =
        |group: &&NodeGroup| group.pending.as_ref().is_some_and(|pending| pending.is_due(call.now.work));
    let names: Vec<String> = known.node_groups.values().filter(due).map(|group| group.name.clone()).collect();
    for name in names {
        let Some(cluster) = call.eks().clusters.get(cluster).cloned() else { return };
        let Some(group) = cluster.node_groups.get(&name).cloned() else { continue };
        let Some(pending) = group.pending.clone() else { continue };
        match pending.step {
            NodeGroupStep::Launch => launch(call, &cluster, &group),
            NodeGroupStep::Create { until } => look_for_nodes(call, &cluster, &group, until),
            NodeGroupStep::Drain => drain(call, &cluster, &group),
            NodeGroupStep::Delete => remove(call, &cluster, &group),
            NodeGroupStep::Config(id) => finish(call, &cluster, &group, &id, None),
            NodeGroupStep::Replace(id) => replace(call, &cluster, &group, &id),
            NodeGroupStep::FailUpdate(id, code) => {
                let message = format!("The update failed: {code}");
                let error = Issue { code, message, resource_ids: vec![group.name.clone()] };
                finish(call, &cluster, &group, &id, Some(error));
            }
        }
    }
}

fn change(call: &mut Call<'_>, cluster: &Cluster, group: &NodeGroup, act: impl FnOnce(&mut NodeGroup)) {
    let clusters = &mut call.eks_mut().clusters;
    let found = clusters.get_mut(&cluster.name).and_then(|cluster| cluster.node_groups.get_mut(&group.name));
    if let Some(found) = found {
        found.pending = None;
        act(found);
    }
}

fn wait(call: &mut Call<'_>, cluster: &Cluster, group: &NodeGroup, usual: Duration, step: NodeGroupStep) {
    let due = call.due(&format!("{}/{}", cluster.name, group.name), usual);
    change(call, cluster, group, |group| group.pending = Some(Pending { due, step }));
}

fn auto_scaling_group<'a>(call: &'a mut Call<'_>, group: &NodeGroup) -> Option<&'a mut Group> {
    let name = group.auto_scaling_group.as_ref()?;
    let place = call.place;
    call.world.region_mut(place).auto_scaling.groups.get_mut(name)
}

/// The Auto Scaling group is made; machines are asked for.
fn launch(call: &mut Call<'_>, cluster: &Cluster, group: &NodeGroup) {
    let remote_access_group =
        group.remote_access.as_ref().map(|remote| call.make_remote_access_group(cluster, group, remote));
    let made = describe(call, cluster, group, remote_access_group.clone());
    let name = made.name.clone();
    let place = call.place;
    call.world.region_mut(place).auto_scaling.groups.insert(name.clone(), made);
    let_nodes_in(call, cluster, group);
    let until = call.now.work.saturating_add(GIVE_UP);
    let due =
        if group.never_ready { None } else { call.due(&format!("{}/{}", cluster.name, group.name), JOINING) };
    change(call, cluster, group, |group| {
        group.auto_scaling_group = Some(name);
        group.remote_access_group = remote_access_group;
        group.pending = Some(Pending { due, step: NodeGroupStep::Create { until } });
    });
}

/// EKS makes the nodes' access entry by itself where access entries count.
/// Source: <https://docs.aws.amazon.com/eks/latest/userguide/access-entries.html>.
fn let_nodes_in(call: &mut Call<'_>, cluster: &Cluster, group: &NodeGroup) {
    if cluster.authentication_mode == "CONFIG_MAP" || cluster.access_entries.contains_key(&group.node_role) {
        return;
    }
    let kind = if group.ami_type.starts_with("WINDOWS") { "EC2_WINDOWS" } else { "EC2_LINUX" };
    let entry = access::entry(call, &cluster.name, &group.node_role, kind);
    if let Some(cluster) = call.eks_mut().clusters.get_mut(&cluster.name) {
        cluster.access_entries.insert(group.node_role.clone(), entry);
    }
}

fn describe(call: &mut Call<'_>, cluster: &Cluster, group: &NodeGroup, remote: Option<String>) -> Group {
    let id = group.arn.rsplit('/').next().unwrap_or_default();
    let name = format!("eks-{}-{id}", group.name);
    let place = call.place;
    let uuid = call.world.random.uuid();
    let arn = format!(
        "arn:aws:autoscaling:{}:{}:autoScalingGroup:{uuid}:autoScalingGroupName/{name}",
        place.region, place.account
    );
    let subnets = call.zones_of(&group.subnets);
    let mut made = Group {
        arn,
        created_at: call.now.wall,
        min: group.scaling.min,
        max: group.scaling.max,
        desired: group.scaling.desired,
        subnets,
        launch: describe_launch(call, cluster, group, remote),
        tags: discovery_tags(&cluster.name, &group.name),
        members: Vec::new(),
        check_at: None,
        deleting: false,
        no_capacity: group.failure.as_deref() == Some("AsgInstanceLaunchFailures"),
        last_failure: None,
        name,
    };
    check_soon(&mut made, call.now);
    made
}

/// The tags that EKS itself puts on the group: they are how cluster-autoscaler finds it. A node group's own tags
/// are not among them.
///
/// «Amazon EKS tags managed node group resources so that they are configured to use the Kubernetes Cluster
/// Autoscaler»: <https://docs.aws.amazon.com/eks/latest/userguide/managed-node-groups.html>, read on 2026-11-23;
/// that tags of the node group stay there: <https://github.com/aws/containers-roadmap/issues/608>.
fn discovery_tags(cluster: &str, group: &str) -> std::collections::BTreeMap<String, Tag> {
    let tags = [
        ("eks:cluster-name".to_owned(), cluster),
        ("eks:nodegroup-name".to_owned(), group),
        (format!("k8s.io/cluster-autoscaler/{cluster}"), "owned"),
        ("k8s.io/cluster-autoscaler/enabled".to_owned(), "true"),
        (format!("kubernetes.io/cluster/{cluster}"), "owned"),
    ];
    tags.into_iter().map(|(key, value)| (key, Tag { value: value.to_owned(), propagate: true })).collect()
}

fn describe_launch(
    call: &mut Call<'_>,
    cluster: &Cluster,
    group: &NodeGroup,
    remote: Option<String>,
) -> Launch {
    let template = group
        .launch_template
        .as_ref()
        .and_then(|template| call.find_template(Some(&template.id), None, Some(&template.version)).ok());
    let mut security_groups =
        template.as_ref().map(|template| template.security_groups.clone()).unwrap_or_default();
    if security_groups.is_empty() {
        security_groups.extend(cluster.network.cluster_security_group.clone());
    }
    security_groups.extend(remote);
    let image = match &group.version {
        Some(version) => call.node_image(&group.ami_type, version),
        None => group.release_version.clone(),
    };
    let mut instance_types = group.instance_types.clone();
    instance_types.extend(template.as_ref().and_then(|template| template.instance_type.clone()));
    let template_key = template.as_ref().and_then(|template| template.key.clone());
    let key = group.remote_access.as_ref().and_then(|remote| remote.key.clone()).or(template_key);
    let tags = Tags::from([("aws:eks:cluster-name".to_owned(), cluster.name.clone())]);
    let disk_gib = group.disk_gib.or(template.and_then(|template| template.disk_gib)).unwrap_or(20);
    let (template_id, template_name, template_version) = if let Some(template) = &group.launch_template {
        (template.id.clone(), template.name.clone(), template.version.clone())
    } else {
        let disk = TemplateDisk {
            device: "/dev/xvda".to_owned(),
            size_gib: u32::try_from(disk_gib).ok(),
            kind: Some("gp3".to_owned()),
        };
        let data = TemplateData {
            image: Some(image.clone()),
            key_name: key.clone(),
            groups: security_groups.clone(),
            disks: vec![disk],
            ..TemplateData::default()
        };
        let (id, name) = call.make_template(cluster, group, data);
        (id, name, "1".to_owned())
    };
    Launch {
        template_id,
        template_name,
        template_version,
        instance_types,
        image,
        release: group.release_version.clone(),
        key,
        security_groups,
        disk_gib,
        role_arn: group.node_role.clone(),
        spot: group.capacity_type == "SPOT",
        tags,
    }
}

/// The group is active when all its machines are nodes; what can never become a node fails it.
fn look_for_nodes(call: &mut Call<'_>, cluster: &Cluster, group: &NodeGroup, until: Duration) {
    let problem = group.failure.clone().map(|code| {
        let message = failure_words(&code, call, group);
        (code, message)
    });
    let problem = problem.or_else(|| call.node_problem(cluster, group));
    let Some(found) = auto_scaling_group(call, group) else { return };
    let (ready, wanted) = (found.in_service(), usize::try_from(found.desired).unwrap_or_default());
    let members: Vec<String> = found.members.iter().map(|member| member.instance.clone()).collect();
    let last_failure = found.last_failure.clone();
    let name = found.name.clone();
    if problem.is_none() && ready >= wanted {
        return change(call, cluster, group, |group| group.status = Status::Active);
    }
    let (code, message, resource_ids) = match (problem, last_failure) {
        (Some((code, message)), _) => (code, message, if members.is_empty() { vec![name] } else { members }),
        _ if call.now.work < until => {
            return wait(call, cluster, group, LOOK_AGAIN, NodeGroupStep::Create { until });
        }
        (None, Some(failure)) => ("AsgInstanceLaunchFailures".to_owned(), failure, vec![name]),
        (None, None) => ("NodeCreationFailure".to_owned(), NOT_JOINED.to_owned(), members),
    };
    change(call, cluster, group, |group| {
        group.status = Status::CreateFailed;
        group.issues = vec![Issue { code, message, resource_ids }];
    });
}

/// EKS' words for nodes that never came.
pub(crate) const NOT_JOINED: &str = "Instances failed to join the kubernetes cluster";

fn failure_words(code: &str, call: &mut Call<'_>, group: &NodeGroup) -> String {
    let failure = auto_scaling_group(call, group).and_then(|group| group.last_failure.clone());
    match (code, failure) {
        ("AsgInstanceLaunchFailures", Some(failure)) => failure,
        ("NodeCreationFailure", _) => NOT_JOINED.to_owned(),
        _ => format!("Node group creation failed: {code}"),
    }
}

/// The Auto Scaling group lets all members go.
fn drain(call: &mut Call<'_>, cluster: &Cluster, group: &NodeGroup) {
    let now = call.now;
    if let Some(found) = auto_scaling_group(call, group) {
        (found.min, found.desired, found.deleting) = (0, 0, true);
        check_soon(found, now);
    }
    wait(call, cluster, group, DELETING, NodeGroupStep::Delete);
}

/// The Auto Scaling group, its remote access group and the node group go, once no machine is left.
fn remove(call: &mut Call<'_>, cluster: &Cluster, group: &NodeGroup) {
    if auto_scaling_group(call, group).is_some_and(|found| !found.members.is_empty()) {
        return wait(call, cluster, group, LOOK_AGAIN, NodeGroupStep::Delete);
    }
    let place = call.place;
    let found = group.auto_scaling_group.as_ref();
    let found = found.and_then(|name| call.world.region_mut(place).auto_scaling.groups.remove(name));
    if let Some(found) = found.filter(|_| group.launch_template.is_none()) {
        call.remove_template(&found.launch.template_id);
    }
    if let Some(id) = &group.remote_access_group {
        call.remove_security_group(id);
    }
    if let Some(cluster) = call.eks_mut().clusters.get_mut(&cluster.name) {
        cluster.node_groups.remove(&group.name);
    }
}

/// One round of replacing: while new machines start, nothing; else the next old ones go. At the end the limits are
/// what they were.
fn replace(call: &mut Call<'_>, cluster: &Cluster, group: &NodeGroup, id: &str) {
    let now = call.now;
    let Some(found) = auto_scaling_group(call, group) else { return };
    let current = found.launch.template_version.clone();
    let starting = found.active().any(|member| member.lifecycle == Lifecycle::Pending);
    let short = i64::try_from(found.active().count()).unwrap_or(i64::MAX) < found.desired;
    let old: Vec<String> = found
        .active()
        .filter(|member| member.template_version != current)
        .map(|member| member.instance.clone())
        .collect();
    if starting || (short && !old.is_empty()) {
        return wait(call, cluster, group, LOOK_AGAIN, NodeGroupStep::Replace(id.to_owned()));
    }
    if !old.is_empty() {
        let number = usize::try_from(node_group_updates::at_once(group, group.scaling.desired)).unwrap_or(1);
        for instance in old.iter().take(number) {
            terminate_member(found, instance, now);
        }
        return wait(call, cluster, group, LOOK_AGAIN, NodeGroupStep::Replace(id.to_owned()));
    }
    (found.min, found.max, found.desired) = (group.scaling.min, group.scaling.max, group.scaling.desired);
    check_soon(found, now);
    finish(call, cluster, group, id, None);
}

fn finish(call: &mut Call<'_>, cluster: &Cluster, group: &NodeGroup, id: &str, error: Option<Issue>) {
    let now = call.now.wall;
    change(call, cluster, group, |group| {
        group.status = Status::Active;
        group.modified_at = now;
        let Some(update) = group.updates.iter_mut().find(|update| update.id == id) else { return };
        let well = error.is_none();
        progress::end(update, error);
        let params = if well { update.params.clone() } else { Vec::new() };
        for (name, value) in params {
            match name.as_str() {
                "Version" => group.version = Some(value),
                "ReleaseVersion" => group.release_version = value,
                "LaunchTemplateVersion" => {
                    if let Some(template) = &mut group.launch_template {
                        template.version = value;
                    }
                }
                _ => {}
            }
        }
    });
}

/// What the kubelets of a release say of themselves: `1.34.4-20261110` is `v1.34.4-eks-…`.
pub(crate) fn kubelet_version(release: &str, cluster: &Cluster) -> String {
    let found = versions::ALL.iter().find(|version| version.image_release() == release);
    let found = found.or_else(|| versions::find(&cluster.version));
    found.map(versions::Version::git_version).unwrap_or_default()
}

/// The members in service of a node group, which are nodes.
pub(crate) fn nodes<'a>(
    state: &'a auto_scaling::State,
    group: &NodeGroup,
) -> impl Iterator<Item = &'a auto_scaling::Member> {
    let found = group.auto_scaling_group.as_ref().and_then(|name| state.groups.get(name));
    let members = found.map(|found| found.members.as_slice()).unwrap_or_default();
    members.iter().filter(|member| member.in_service_since.is_some())
}
