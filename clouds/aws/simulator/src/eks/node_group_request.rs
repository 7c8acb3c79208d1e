//! What a request for a node group may say, and the node group that it describes. Makes nothing.
//!
//! Sources: <https://docs.aws.amazon.com/eks/latest/APIReference/API_CreateNodegroup.html>,
//! <https://docs.aws.amazon.com/eks/latest/userguide/launch-templates.html>; wording:
//! <https://github.com/terraform-aws-modules/terraform-aws-eks/issues/2219>,
//! <https://github.com/crossplane-contrib/provider-upjet-aws/issues/866>,
//! <https://github.com/terraform-aws-modules/terraform-aws-eks/issues/1386>,
//! <https://github.com/terraform-aws-modules/terraform-aws-eks/issues/3306>,
//! <https://github.com/eksctl-io/eksctl/issues/3201>, <https://github.com/eksctl-io/eksctl/issues/7976>.

use serde_json::{Map, Value, json};

use super::call::Call;
use super::error::{Error, Result};
use super::lookup::Template;
use super::request::{Fields, Request};
use super::state::{Cluster, NodeGroup, RemoteAccess, Scaling, Status, Tags};
use super::{lookup, tags, versions};

/// Kinds of image, each with the architecture of its machines. Windows images are for `amd64` alone.
const AMI_TYPES: [(&str, &str); 22] = [
    ("AL2_x86_64", "amd64"),
    ("AL2_x86_64_GPU", "amd64"),
    ("AL2_ARM_64", "arm64"),
    ("BOTTLEROCKET_ARM_64", "arm64"),
    ("BOTTLEROCKET_x86_64", "amd64"),
    ("BOTTLEROCKET_ARM_64_FIPS", "arm64"),
    ("BOTTLEROCKET_x86_64_FIPS", "amd64"),
    ("BOTTLEROCKET_ARM_64_NVIDIA", "arm64"),
    ("BOTTLEROCKET_x86_64_NVIDIA", "amd64"),
    ("BOTTLEROCKET_ARM_64_NVIDIA_FIPS", "arm64"),
    ("BOTTLEROCKET_x86_64_NVIDIA_FIPS", "amd64"),
    ("WINDOWS_CORE_2019_x86_64", "amd64"),
    ("WINDOWS_FULL_2019_x86_64", "amd64"),
    ("WINDOWS_CORE_2022_x86_64", "amd64"),
    ("WINDOWS_FULL_2022_x86_64", "amd64"),
    ("WINDOWS_CORE_2025_x86_64", "amd64"),
    ("WINDOWS_FULL_2025_x86_64", "amd64"),
    ("AL2023_x86_64_STANDARD", "amd64"),
    ("AL2023_ARM_64_STANDARD", "arm64"),
    ("AL2023_x86_64_NEURON", "amd64"),
    ("AL2023_x86_64_NVIDIA", "amd64"),
    ("AL2023_ARM_64_NVIDIA", "arm64"),
];
/// The image of the user's own launch template.
const CUSTOM: &str = "CUSTOM";
const DEFAULT_AMI_TYPE: &str = "AL2023_x86_64_STANDARD";
const DEFAULT_INSTANCE_TYPE: &str = "t3.medium";
const DEFAULT_DISK_GIB: i64 = 20;
/// What the AMIs of Amazon Linux 2023 are made of, and how EKS refuses less.
///
/// Sources: <https://github.com/awslabs/amazon-eks-ami/pull/1581>, <https://github.com/cilium/cilium/pull/43051>
const LEAST_DISK_GIB: i64 = 20;
/// Amazon Linux 2 images end before this minor version.
/// Source: <https://docs.aws.amazon.com/eks/latest/userguide/eks-ami-deprecation-faqs.html>.
const FIRST_WITHOUT_AL2: u32 = 33;
/// Source: <https://docs.aws.amazon.com/eks/latest/userguide/service-quotas.html>.
const NODES_PER_GROUP: i64 = 450;

/// Checks a request and describes the node group that it asks for.
pub(crate) fn check(
    call: &mut Call<'_>,
    cluster: &Cluster,
    request: &Request,
    name: &str,
) -> Result<NodeGroup> {
    let body = request.body();
    check_name(name)?;
    let group_tags = body.map("tags")?;
    tags::check(&group_tags)?;
    let node_role = body.required_text("nodeRole")?;
    call.check_node_role(&node_role)?;
    let subnets = body.texts("subnets")?;
    call.check_subnets(&subnets, Some(&cluster.network.vpc))?;
    let template = template(call, body)?;
    if let Some(template) = &template {
        call.check_template(template, &cluster.network.vpc)?;
    }
    let (version, release_version, ami_type) = image(cluster, body, template.as_ref())?;
    let instance_types = instance_types(body, template.as_ref(), &ami_type)?;
    let disk_gib = disk(body, template.is_some(), &ami_type)?;
    let remote_access = remote_access(call, cluster, body, template.is_some())?;
    let id = call.world.random.uuid();
    Ok(NodeGroup {
        arn: call.arn(&format!("nodegroup/{}/{name}/{id}", cluster.name)),
        name: name.to_owned(),
        created_at: call.now.wall,
        modified_at: call.now.wall,
        status: Status::Creating,
        version,
        release_version,
        capacity_type: capacity_type(body)?,
        scaling: scaling(body, None)?,
        instance_types,
        subnets,
        remote_access,
        ami_type,
        node_role,
        labels: labels(body.map("labels")?)?,
        taints: taints(body.list("taints")?)?,
        disk_gib,
        update_config: update_config(body)?.unwrap_or_else(|| json!({"maxUnavailable": 1})),
        node_repair: body.get("nodeRepairConfig").cloned(),
        launch_template: template.map(|template| template.specification),
        tags: group_tags,
        issues: Vec::new(),
        shown_over: Map::new(),
        auto_scaling_group: None,
        remote_access_group: None,
        token: request.token()?,
        request: request.essence(),
        failure: None,
        never_ready: false,
        pending: None,
        updates: Vec::new(),
    })
}

fn check_name(name: &str) -> Result<()> {
    let fine = name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.chars().all(|one| one.is_ascii_alphanumeric() || one == '-' || one == '_');
    if fine && name.len() <= 63 {
        return Ok(());
    }
    Err(Error::parameter(
        "The nodegroup name must begin with a letter or digit and can only contain letters, digits, hyphens and \
         underscores, at most 63 of them.",
    ))
}

fn template(call: &Call<'_>, body: Fields<'_>) -> Result<Option<Template>> {
    let Some(asked) = body.object("launchTemplate")? else { return Ok(None) };
    let (id, name, version) = (asked.text("id")?, asked.text("name")?, asked.text("version")?);
    call.find_template(id.as_deref(), name.as_deref(), version.as_deref()).map(Some)
}

/// Kubernetes version, image release and kind of image.
fn image(
    cluster: &Cluster,
    body: Fields<'_>,
    template: Option<&Template>,
) -> Result<(Option<String>, String, String)> {
    let (version, release, ami_type) =
        (body.text("version")?, body.text("releaseVersion")?, body.text("amiType")?);
    if let Some(image) = template.and_then(|template| template.image.clone()) {
        if ami_type.is_some() || release.is_some() || version.is_some() {
            let words = "You cannot specify amiType, version or releaseVersion when the launch template has an image id.";
            return Err(Error::parameter(words));
        }
        return Ok((None, image, CUSTOM.to_owned()));
    }
    let kind = ami_type.unwrap_or_else(|| DEFAULT_AMI_TYPE.to_owned());
    if kind == CUSTOM {
        return Err(Error::parameter("amiType CUSTOM requires a launch template with an image id."));
    }
    architecture(&kind)?;
    if version.is_some_and(|version| version != cluster.version) {
        return Err(Error::parameter(format!(
            "Nodegroup Kubernetes version should be equal to Cluster kubernetes version {}.",
            cluster.version
        )));
    }
    let release = check_release(&cluster.version, release)?;
    check_image(&kind, &cluster.version)?;
    Ok((Some(cluster.version.clone()), release, kind))
}

fn architecture(ami_type: &str) -> Result<&'static str> {
    let found = AMI_TYPES.iter().find(|(name, _)| *name == ami_type).map(|(_, architecture)| *architecture);
    found.ok_or_else(|| Error::parameter(format!("The amiType {ami_type} is not valid.")))
}

/// Whether EKS has such images for this version.
pub(crate) fn check_image(ami_type: &str, version: &str) -> Result<()> {
    let minor = versions::find(version).map(|version| version.minor).unwrap_or_default();
    if ami_type.starts_with("AL2_") && minor >= FIRST_WITHOUT_AL2 {
        return Err(Error::parameter(format!(
            "Requested amiType {ami_type} is not supported for kubernetes version {version}"
        )));
    }
    Ok(())
}

/// The release of the image for a version: the wanted one if it is the one that EKS offers.
pub(crate) fn check_release(version: &str, wanted: Option<String>) -> Result<String> {
    let offered = versions::find(version).map(versions::Version::image_release).unwrap_or_default();
    match wanted {
        None => Ok(offered),
        Some(wanted) if wanted == offered => Ok(offered),
        Some(wanted) if !wanted.starts_with(&format!("{version}.")) => Err(Error::parameter(format!(
            "Requested release version {wanted} is not valid for kubernetes version {version}."
        ))),
        Some(wanted) => Err(Error::parameter(format!(
            "Requested Nodegroup release version {wanted} is invalid. Allowed release version is {offered}"
        ))),
    }
}

fn instance_types(body: Fields<'_>, template: Option<&Template>, ami_type: &str) -> Result<Vec<String>> {
    let asked = body.texts("instanceTypes")?;
    let of_template = template.and_then(|template| template.instance_type.clone());
    if of_template.is_some() && !asked.is_empty() {
        return Err(Error::request("Cannot specify instance types in launch template and API Request"));
    }
    let used = match (&of_template, asked.is_empty()) {
        (Some(kind), _) => vec![kind.clone()],
        (None, true) => vec![DEFAULT_INSTANCE_TYPE.to_owned()],
        (None, false) => asked,
    };
    for kind in &used {
        let Some(machine) = lookup::machine(kind).map(|machine| machine.architecture) else {
            return Err(Error::parameter(format!(
                "The following supplied instance types do not exist: [{kind}]"
            )));
        };
        if ami_type != CUSTOM && architecture(ami_type)? != machine {
            return Err(Error::parameter(format!(
                "[{kind}] is not a valid instance type for requested amiType {ami_type}"
            )));
        }
    }
    Ok(if of_template.is_some() { Vec::new() } else { used })
}

fn disk(body: Fields<'_>, has_template: bool, ami_type: &str) -> Result<Option<i64>> {
    match (body.number("diskSize")?, has_template) {
        (Some(_), true) => Err(Error::parameter("Disk size must be specified within the launch template.")),
        (Some(size), false) if !(1..=16_384).contains(&size) => {
            Err(Error::parameter(format!("Invalid disk size {size}. It must be between 1 and 16384 GiB.")))
        }
        (Some(size), false) if size < LEAST_DISK_GIB && ami_type.starts_with("AL2023_") => {
            Err(Error::request(format!(
                "Volume of size {size}GB is smaller than snapshot 'snap-00a7e1db053990bc5', expect size>= {LEAST_DISK_GIB}GB"
            )))
        }
        (None, true) => Ok(None),
        (size, false) => Ok(size.or(Some(DEFAULT_DISK_GIB))),
    }
}

fn remote_access(
    call: &Call<'_>,
    cluster: &Cluster,
    body: Fields<'_>,
    has_template: bool,
) -> Result<Option<RemoteAccess>> {
    let Some(asked) = body.object("remoteAccess")? else { return Ok(None) };
    if has_template {
        return Err(Error::parameter(
            "Remote access configuration cannot be specified with a launch template.",
        ));
    }
    let (key, source_groups) = (asked.text("ec2SshKey")?, asked.texts("sourceSecurityGroups")?);
    match &key {
        None if !source_groups.is_empty() => {
            return Err(Error::parameter(
                "EC2 SSH Key can't be empty when source security groups are specified.",
            ));
        }
        Some(key) if !call.has_key_pair(key) => {
            return Err(Error::request(format!(
                "The key pair '{key}' does not exist (Service: Ec2, Status Code: 400, Error Code: \
                 InvalidKeyPair.NotFound)"
            )));
        }
        _ => {}
    }
    call.check_security_groups(&source_groups, &cluster.network.vpc)?;
    Ok(Some(RemoteAccess { key, source_groups }))
}

fn capacity_type(body: Fields<'_>) -> Result<String> {
    match body.text("capacityType")? {
        None => Ok("ON_DEMAND".to_owned()),
        Some(kind) if ["ON_DEMAND", "SPOT", "CAPACITY_BLOCK"].contains(&kind.as_str()) => Ok(kind),
        Some(kind) => Err(Error::parameter(format!("The capacityType {kind} is not valid."))),
    }
}

/// Limits: what the request says over what is there, each given its default where neither says it.
pub(crate) fn scaling(body: Fields<'_>, present: Option<Scaling>) -> Result<Scaling> {
    let defaults = present.unwrap_or(Scaling { min: 1, max: 2, desired: 2 });
    let Some(asked) = body.object("scalingConfig")? else { return Ok(defaults) };
    let scaling = Scaling {
        min: asked.number("minSize")?.unwrap_or(defaults.min),
        max: asked.number("maxSize")?.unwrap_or(defaults.max),
        desired: asked.number("desiredSize")?.unwrap_or(defaults.desired),
    };
    let Scaling { min, max, desired } = scaling;
    let wrong = |words: String| Err(Error::parameter(words));
    if min < 0 || desired < 0 {
        return wrong("Minimum and desired size can't be negative".to_owned());
    }
    if max < 1 {
        return wrong("Maximum capacity can't be less than 1".to_owned());
    }
    if min > max {
        return wrong(format!("Minimum capacity {min} can't be greater than maximum capacity {max}"));
    }
    if min > desired {
        return wrong(format!("Minimum capacity {min} can't be greater than desired size {desired}"));
    }
    if desired > max {
        return wrong(format!("Desired capacity {desired} can't be greater than max size {max}"));
    }
    if max > NODES_PER_GROUP {
        return Err(Error::limit(format!(
            "Maximum size {max} exceeds the limit of {NODES_PER_GROUP} nodes."
        )));
    }
    Ok(scaling)
}

/// Labels of EKS' and Kubernetes' own domains are theirs to set.
pub(crate) fn labels(labels: Tags) -> Result<Tags> {
    let reserved = |key: &str| {
        let domain = key.split_once('/').map(|(domain, _)| domain).unwrap_or_default();
        domain == "eks.amazonaws.com" || domain == "kubernetes.io" || domain == "k8s.io"
    };
    match labels.iter().find(|(key, value)| key.is_empty() || value.len() > 63 || reserved(key)) {
        Some((key, _)) => Err(Error::parameter(format!("Label {key} is not valid or reserved."))),
        None => Ok(labels),
    }
}

/// Taints as they were asked, each with an effect that EKS knows.
pub(crate) fn taints(taints: &[Value]) -> Result<Vec<Value>> {
    for taint in taints {
        let effect = taint["effect"].as_str().unwrap_or_default();
        let known = ["NO_SCHEDULE", "NO_EXECUTE", "PREFER_NO_SCHEDULE"].contains(&effect);
        if !known || taint["key"].as_str().is_none_or(str::is_empty) {
            return Err(Error::parameter(
                "A taint needs a key and one of the effects NO_SCHEDULE, NO_EXECUTE, PREFER_NO_SCHEDULE.",
            ));
        }
    }
    Ok(taints.to_vec())
}

/// How many nodes an update takes at once: a number or a percentage, not both.
pub(crate) fn update_config(body: Fields<'_>) -> Result<Option<Value>> {
    let Some(asked) = body.object("updateConfig")? else { return Ok(None) };
    let strategy = asked.text("updateStrategy")?;
    let mut config = match (asked.number("maxUnavailable")?, asked.number("maxUnavailablePercentage")?) {
        (Some(_), Some(_)) => {
            let words = "Only one of maxUnavailable and maxUnavailablePercentage can be specified.";
            return Err(Error::parameter(words));
        }
        (Some(number), None) if (1..=100).contains(&number) => json!({"maxUnavailable": number}),
        (None, Some(share)) if (1..=100).contains(&share) => json!({"maxUnavailablePercentage": share}),
        (None, None) => json!({"maxUnavailable": 1}),
        _ => return Err(Error::parameter("maxUnavailable must be between 1 and 100.")),
    };
    if let (Some(strategy), Some(members)) = (strategy, config.as_object_mut()) {
        members.insert("updateStrategy".to_owned(), json!(strategy));
    }
    Ok(Some(config))
}
