//! From the wire to the model, and EKS' words into ours: pure functions. Nothing here asks AWS.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pmks_driver::{DriverError, ErrorKind, Marks, Poll};
use pmks_model::{
    AccessInfo, Addon, Cluster, ClusterNetwork, Findings, Iid, KeyValueList, KubernetesVersion, NodeGroup,
    Scaling, Status, Support, Version,
};

use crate::PROVIDER;
use crate::wire::autoscaling::{Group, Instance};
use crate::wire::eks;

/// Auto Scaling groups by name.
pub(crate) type Groups = BTreeMap<String, Group>;

/// What tells a cluster or node group from a later one of the same name: when EKS made it.
pub(crate) fn incarnation(created_at: Option<eks::Moment>) -> String {
    created_at.map(|moment| moment.0.to_string()).unwrap_or_default()
}

/// EKS' word for a cluster's state in ours.
pub(crate) fn cluster_status(status: &str, issues: usize) -> Status {
    match status {
        "CREATING" | "PENDING" => Status::Creating,
        "ACTIVE" if issues > 0 => Status::Degraded,
        "ACTIVE" => Status::Active,
        "UPDATING" => Status::Updating,
        "DELETING" => Status::Deleting,
        "FAILED" => Status::Failed,
        word => unknown_status("cluster", word),
    }
}

/// EKS' word for a node group's state in ours.
pub(crate) fn node_group_status(status: &str) -> Status {
    match status {
        "CREATING" => Status::Creating,
        "ACTIVE" => Status::Active,
        "UPDATING" => Status::Updating,
        "DELETING" => Status::Deleting,
        "DEGRADED" => Status::Degraded,
        "CREATE_FAILED" | "DELETE_FAILED" => Status::Failed,
        word => unknown_status("node group", word),
    }
}

fn unknown_status(of: &str, word: &str) -> Status {
    tracing::warn!(of, word, "EKS says a state that is not known here");
    Status::Unknown
}

/// What is wrong, in EKS' words.
pub(crate) fn issues(health: Option<&eks::Health>) -> String {
    let issues = health.map(|health| health.issues.as_slice()).unwrap_or_default();
    let says: Vec<String> = issues
        .iter()
        .map(|issue| match issue.resource_ids.as_slice() {
            [] => format!("{}: {}", issue.code, issue.message),
            ids => format!("{}: {} ({})", issue.code, issue.message, ids.join(", ")),
        })
        .collect();
    says.join("; ")
}

/// The PEM certificates of a cluster's endpoint; empty while there are none.
fn certificate_authority(certificate: Option<&eks::Certificate>) -> String {
    certificate
        .and_then(|certificate| certificate.data.as_deref())
        .and_then(|data| STANDARD.decode(data.trim()).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .unwrap_or_default()
}

/// A cluster with what was read beside it.
pub(crate) fn cluster(cluster: &eks::Cluster, node_groups: Vec<NodeGroup>, addons: Vec<Addon>) -> Cluster {
    let network = cluster.resources_vpc_config.clone().unwrap_or_default();
    let issue_count = cluster.health.as_ref().map_or(0, |health| health.issues.len());
    let unnamed = |ids: &[String]| ids.iter().map(|id| Iid::unnamed(id.as_str())).collect();
    Cluster {
        iid: Iid::unnamed(cluster.name.as_str()),
        region: String::new(),
        incarnation: incarnation(cluster.created_at),
        version: version(cluster.version.as_deref()),
        network: ClusterNetwork {
            network: network.vpc_id.as_deref().map(Iid::unnamed).unwrap_or_default(),
            subnets: unnamed(&network.subnet_ids),
            security_groups: unnamed(&network.security_group_ids),
        },
        node_groups,
        access: AccessInfo {
            endpoint: cluster.endpoint.clone().unwrap_or_default(),
            certificate_authority: certificate_authority(cluster.certificate_authority.as_ref()),
        },
        addons,
        status: cluster_status(&cluster.status, issue_count),
        status_reason: issues(cluster.health.as_ref()),
        created_at: cluster.created_at.map(|moment| moment.0),
        tags: cluster.tags.clone(),
        key_value_list: cluster_facts(cluster, &network),
    }
}

fn cluster_facts(cluster: &eks::Cluster, network: &eks::VpcConfig) -> KeyValueList {
    let mut facts = KeyValueList::default();
    facts.add("Arn", cluster.arn.as_str());
    facts.add("Status", cluster.status.as_str());
    facts.add_some("PlatformVersion", cluster.platform_version.as_deref());
    facts.add_some("RoleArn", cluster.role_arn.as_deref());
    facts.add_some("ClusterSecurityGroupId", network.cluster_security_group_id.as_deref());
    facts.add_some("EndpointPublicAccess", network.endpoint_public_access.map(|on| on.to_string()));
    facts.add_some("EndpointPrivateAccess", network.endpoint_private_access.map(|on| on.to_string()));
    let services = cluster.kubernetes_network_config.as_ref();
    facts.add_some("ServiceIpv4Cidr", services.and_then(|services| services.service_ipv4_cidr.as_deref()));
    let access = cluster.access_config.as_ref();
    facts.add_some("AuthenticationMode", access.and_then(|access| access.authentication_mode.as_deref()));
    facts.add_some("SupportType", cluster.upgrade_policy.as_ref().map(|policy| policy.support_type.as_str()));
    facts.add_some("DeletionProtection", cluster.deletion_protection.map(|on| on.to_string()));
    facts
}

/// A node group of `cluster`, with the nodes and the autoscaling switch of its Auto Scaling groups.
pub(crate) fn node_group(cluster: &str, group: &eks::Nodegroup, groups: &Groups) -> NodeGroup {
    let own: Vec<&Group> = group.auto_scaling_groups().filter_map(|name| groups.get(name)).collect();
    let remote = group.remote_access.as_ref();
    let key = remote.and_then(|remote| remote.ec2_ssh_key.as_deref());
    NodeGroup {
        iid: Iid::unnamed(group.nodegroup_name.as_str()),
        incarnation: incarnation(group.created_at),
        version: version(group.version.as_deref()),
        image: image(group),
        machine_type: machine_type(group, &own),
        root_disk_type: String::new(),
        root_disk_size_gib: group.disk_size.unwrap_or(0),
        key_pair: key.map(|name| Iid::new(name, "")).unwrap_or_default(),
        scaling: group.scaling_config.map(|sizes| scaling(cluster, sizes, &own)),
        status: node_group_status(&group.status),
        status_reason: issues(group.health.as_ref()),
        nodes: nodes(&own),
        created_at: group.created_at.map(|moment| moment.0),
        tags: group.tags.clone(),
        key_value_list: node_group_facts(group),
    }
}

/// The name of the launch template that pmks makes for a node group of the user's own image.
pub(crate) fn template_name(node_group: &str, marks: &Marks) -> String {
    format!("pmks-{node_group}-{}", marks.suffix())
}

/// Whether a launch template has the name that we give to that of such a node group, whoever's uid is in it.
pub(crate) fn is_template_name(name: &str, node_group: &str) -> bool {
    let rest = name.strip_prefix("pmks-").and_then(|rest| rest.strip_prefix(node_group));
    let suffix = rest.and_then(|rest| rest.strip_prefix('-'));
    suffix.is_some_and(|suffix| suffix.len() == 8 && !suffix.contains('-'))
}

/// Whether pmks made the launch template of a node group with it: then its image is what the user asked for.
fn has_own_template(group: &eks::Nodegroup) -> bool {
    let [_, _, uid] = Marks::KEYS;
    let template = group.launch_template.as_ref().and_then(|template| template.name.as_deref());
    let marks = group.tags.get(uid).map(|uid| Marks {
        installation: String::new(),
        operation: String::new(),
        uid: uid.clone(),
    });
    marks.is_some_and(|marks| template == Some(template_name(&group.nodegroup_name, &marks).as_str()))
}

/// What the nodes are: EKS says it, but where a launch template does, and then the nodes themselves.
fn machine_type(group: &eks::Nodegroup, groups: &[&Group]) -> String {
    if !group.instance_types.is_empty() {
        return group.instance_types.join(",");
    }
    let instances = groups.iter().flat_map(|group| &group.instances.entries);
    let types: std::collections::BTreeSet<&str> = instances
        .filter(|instance| is_node(instance) && !instance.machine_type.is_empty())
        .map(|instance| instance.machine_type.as_str())
        .collect();
    types.into_iter().collect::<Vec<_>>().join(",")
}

/// What a user would write to get such nodes: the AMI, the launch template, else the image type.
fn image(group: &eks::Nodegroup) -> String {
    // Of nodes with an AMI of their own, EKS calls that their release.
    let ami = group.release_version.as_deref().filter(|release| release.starts_with("ami-"));
    if let Some(ami) = ami.filter(|_| has_own_template(group)) {
        return ami.to_owned();
    }
    let template = group.launch_template.as_ref().and_then(|template| template.id.clone());
    template.or_else(|| group.ami_type.clone()).unwrap_or_default()
}

fn scaling(cluster: &str, sizes: eks::ScalingConfig, groups: &[&Group]) -> Scaling {
    let min = sizes.min_size.unwrap_or(0);
    let max = sizes.max_size.unwrap_or(min);
    // An autoscaler moves the group's size behind EKS' back: the group knows it, EKS only what it was last told.
    let live: Option<u32> = (!groups.is_empty()).then(|| groups.iter().map(|group| group.desired).sum());
    Scaling {
        auto_scaling: !groups.is_empty() && groups.iter().all(|group| is_discoverable(cluster, group)),
        min,
        max,
        desired: live.or(sizes.desired_size).unwrap_or(min),
    }
}

/// The two tags by which the Cluster Autoscaler finds an Auto Scaling group, with the values that EKS gives them.
///
/// Source: <https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/cloudprovider/aws/README.md>
pub(crate) fn discovery_tags(cluster: &str) -> [(String, &'static str); 2] {
    [
        ("k8s.io/cluster-autoscaler/enabled".to_owned(), "true"),
        (format!("k8s.io/cluster-autoscaler/{cluster}"), "owned"),
    ]
}

/// Whether the Cluster Autoscaler finds this group.
pub(crate) fn is_discoverable(cluster: &str, group: &Group) -> bool {
    let has = |key: &str| group.tags.entries.iter().any(|tag| tag.key == key);
    discovery_tags(cluster).iter().all(|(key, _)| has(key))
}

/// Whether the Cluster Autoscaler could find this group by either tag.
pub(crate) fn has_discovery_tag(cluster: &str, group: &Group) -> bool {
    let has = |key: &str| group.tags.entries.iter().any(|tag| tag.key == key);
    discovery_tags(cluster).iter().any(|(key, _)| has(key))
}

/// Whether a machine of an Auto Scaling group is a node, or will be one: not what is on its way out, nor what only
/// stands ready. A word of tomorrow counts.
///
/// Source: <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html>
fn is_node(instance: &Instance) -> bool {
    let leaves = ["Terminat", "Detach", "Warmed:", "Quarantined"];
    !leaves.iter().any(|word| instance.state.starts_with(word))
}

fn nodes(groups: &[&Group]) -> Vec<Iid> {
    let instances = groups.iter().flat_map(|group| &group.instances.entries);
    let mut ids: Vec<Iid> = instances
        .filter(|instance| is_node(instance))
        .map(|instance| Iid::unnamed(instance.id.as_str()))
        .collect();
    ids.sort();
    ids
}

/// Which of these groups has not yet as many machines as it wants, in words; `None`: all have.
pub(crate) fn unrest(groups: &Groups) -> Option<String> {
    let number = |group: &Group| group.instances.entries.iter().filter(|one| is_node(one)).count();
    let restless = |group: &&Group| number(group) != group.desired as usize;
    groups.values().find(restless).map(|group| {
        format!("the Auto Scaling group has {} machines and wants {}", number(group), group.desired)
    })
}

fn node_group_facts(group: &eks::Nodegroup) -> KeyValueList {
    let mut facts = KeyValueList::default();
    facts.add("Arn", group.nodegroup_arn.as_str());
    facts.add("Status", group.status.as_str());
    facts.add_some("AmiType", group.ami_type.as_deref());
    facts.add_some("ReleaseVersion", group.release_version.as_deref());
    facts.add_some("CapacityType", group.capacity_type.as_deref());
    facts.add_some("NodeRole", group.node_role.as_deref());
    facts.add("Subnets", group.subnets.join(","));
    facts.add("AutoScalingGroups", group.auto_scaling_groups().collect::<Vec<_>>().join(","));
    if let Some(template) = &group.launch_template {
        facts.add_some("LaunchTemplateId", template.id.as_deref());
        facts.add_some("LaunchTemplateVersion", template.version.as_deref());
    }
    facts
}

fn version(text: Option<&str>) -> Option<Version> {
    text.and_then(|text| text.parse().ok())
}

/// A version on offer; `None` for a text that is no version.
pub(crate) fn kubernetes_version(offered: &eks::ClusterVersion) -> Option<KubernetesVersion> {
    let day = |moment: Option<eks::Moment>| moment.map(|moment| moment.0.strftime("%Y-%m-%d").to_string());
    let words = offered.version_status.as_deref().or(offered.status.as_deref()).unwrap_or_default();
    let support = match words.to_ascii_uppercase().replace('-', "_").as_str() {
        "EXTENDED_SUPPORT" => Support::Extended,
        "UNSUPPORTED" => Support::Unsupported,
        _ => Support::Standard,
    };
    Some(KubernetesVersion {
        version: version(Some(&offered.cluster_version))?,
        default: offered.default_version,
        support,
        end_of_standard_support: day(offered.end_of_standard_support_date),
        end_of_extended_support: day(offered.end_of_extended_support_date),
    })
}

/// How EKS' own work stands.
pub(crate) fn update_poll(update: &eks::Update, outputs: serde_json::Value) -> Poll {
    let says: Vec<String> = update.errors.iter().map(update_error).collect();
    let failed = |word: &str| {
        let why = if says.is_empty() { String::new() } else { format!(": {}", says.join("; ")) };
        let blocked = update.errors.iter().any(|error| error.error_code == "PodEvictionFailure");
        let message = format!("EKS' {} {word}{why}", update.kind);
        Poll::Failed(failure(&message, blocked))
    };
    match update.status.as_str() {
        "Successful" => Poll::Done(outputs),
        "Failed" => failed("failed"),
        "Cancelled" => failed("was cancelled"),
        word => Poll::Pending { says: format!("{} {word}", update.kind), after: None },
    }
}

fn update_error(error: &eks::UpdateError) -> String {
    match error.resource_ids.as_slice() {
        [] => format!("{}: {}", error.error_code, error.error_message),
        ids => format!("{}: {} ({})", error.error_code, error.error_message, ids.join(", ")),
    }
}

fn failure(message: &str, pods_stay: bool) -> DriverError {
    let kind = if pods_stay {
        ErrorKind::Precondition {
            what: message.to_owned(),
            fix: "loosen the pod disruption budgets that keep pods from moving, or upgrade with force"
                .to_owned(),
        }
    } else {
        ErrorKind::InvalidRequest(Findings::default())
    };
    DriverError::new(kind, PROVIDER, message)
}

/// The error of a cluster or node group whose creation failed: which class EKS' own issue codes mean.
///
/// Source: <https://docs.aws.amazon.com/eks/latest/APIReference/API_Issue.html>
pub(crate) fn failed_creation(of: &str, name: &str, health: Option<&eks::Health>) -> DriverError {
    let says = issues(health);
    let message = if says.is_empty() {
        format!("EKS could not make {of} {name:?} and does not say why")
    } else {
        format!("EKS could not make {of} {name:?}: {says}")
    };
    let codes: Vec<&str> =
        health.iter().flat_map(|health| &health.issues).map(|issue| issue.code.as_str()).collect();
    let has = |words: &[&str]| codes.iter().any(|code| words.contains(code));
    let kind = if has(&[
        "InstanceLimitExceeded",
        "IamLimitExceeded",
        "LimitExceeded",
        "Ec2LaunchTemplateMaxLimitExceeded",
    ]) || has(&["AsgInstanceLaunchFailures", "InsufficientFreeAddresses"])
    {
        ErrorKind::QuotaExceeded
    } else if has(&["AccessDenied"]) {
        ErrorKind::Forbidden { permission: None }
    } else if has(&["IamNodeRoleNotFound", "IamInstanceProfileNotFound", "IamRoleNotFound"]) {
        ErrorKind::PrerequisiteMissing {
            what: says,
            fix: "run the prerequisites check of the connection, with fix".to_owned(),
        }
    } else {
        let fix = "settle what EKS names, then retry: what it could not make is made anew";
        ErrorKind::Precondition { what: message.clone(), fix: fix.to_owned() }
    };
    DriverError::new(kind, PROVIDER, message)
}

/// The error of a cluster or node group that could not be removed.
pub(crate) fn failed_removal(of: &str, name: &str, health: Option<&eks::Health>) -> DriverError {
    let message = match issues(health).as_str() {
        "" => format!("EKS could not remove {of} {name:?} and does not say why"),
        says => format!("EKS could not remove {of} {name:?}: {says}"),
    };
    let kind = ErrorKind::Precondition {
        what: message.clone(),
        fix: "settle what EKS names, then retry".to_owned(),
    };
    DriverError::new(kind, PROVIDER, message)
}

#[cfg(test)]
#[path = "convert_tests.rs"]
mod tests;
