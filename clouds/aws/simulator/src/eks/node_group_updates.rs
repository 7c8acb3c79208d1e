//! What changes a node group that stands: its limits, labels and taints, and the version of its nodes. One update
//! at a time.
//!
//! Sources: <https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateNodegroupConfig.html>,
//! <https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateNodegroupVersion.html>,
//! <https://docs.aws.amazon.com/eks/latest/userguide/managed-node-update-behavior.html>.

use std::time::Duration;

use serde_json::{Value, json};

use super::call::Call;
use super::error::{Error, Result};
use super::request::{Fields, Request};
use super::state::{Cluster, NodeGroup, NodeGroupStep, Pending, Scaling, Status, Tags, Update};
use super::{node_group_request, node_groups, updates, versions, view};
use crate::auto_scaling::check_soon;

/// How long a change of limits or labels usually takes.
const CONFIGURE: Duration = Duration::from_secs(12);
/// From the request of a version until the first new machines are asked for.
const PREPARING: Duration = Duration::from_secs(20);

fn refuse_busy(cluster: &Cluster, group: &NodeGroup) -> Result<()> {
    if matches!(group.status, Status::Active | Status::Degraded) {
        return Ok(());
    }
    let words = match group.updates.iter().find(|update| update.in_progress()) {
        Some(update) => format!(
            "Cannot update because node group {} of cluster {} currently has update {} in progress",
            group.name, cluster.name, update.id
        ),
        None => "Nodegroup cannot be updated as it is currently not in Active State".to_owned(),
    };
    Err(Error::in_use(words))
}

/// Puts the update into the group, which is busy with it from now on.
fn begin(
    call: &mut Call<'_>,
    request: &Request,
    update: Update,
    due: Option<Duration>,
    step: NodeGroupStep,
    change: impl FnOnce(&mut NodeGroup),
) -> Result<Value> {
    let (shown, now) = (view::update(&update), call.now.wall);
    let group = call.eks_mut().cluster_mut(request.name(0))?.node_group_mut(request.name(1))?;
    change(group);
    group.modified_at = now;
    group.status = Status::Updating;
    group.pending = Some(Pending { due, step });
    group.updates.push(update);
    Ok(json!({"update": shown}))
}

/// `UpdateNodegroupConfig`. Limits are absolute; what the request does not say stays.
pub(crate) fn configure(call: &mut Call<'_>, request: &Request) -> Result<Value> {
    let cluster = call.eks().cluster(request.name(0))?.clone();
    let group = cluster.node_group(request.name(1))?.clone();
    let about = |error: Error| error.cluster(&cluster.name).node_group(&group.name);
    let token = request.token()?;
    if let Some(known) = updates::repeated(&group.updates, token.as_deref(), "ConfigUpdate") {
        return Ok(json!({"update": view::update(known)}));
    }
    let body = request.body();
    let scaling =
        node_group_request::scaling(body, Some(node_groups::live_scaling(call, &group))).map_err(about)?;
    let changed = Changed::read(body).map_err(about)?;
    let update_config = node_group_request::update_config(body).map_err(about)?;
    refuse_busy(&cluster, &group).map_err(about)?;
    let mut params = changed.params();
    if body.get("scalingConfig").is_some() {
        params.push(("MinSize", scaling.min.to_string()));
        params.push(("MaxSize", scaling.max.to_string()));
        params.push(("DesiredSize", scaling.desired.to_string()));
    }
    let update = updates::new(call, "ConfigUpdate", params, token);
    let step = match call.effects.fail_while_creating() {
        Some(code) => NodeGroupStep::FailUpdate(update.id.clone(), code.unwrap_or("Unknown").to_owned()),
        None => NodeGroupStep::Config(update.id.clone()),
    };
    set_limits(call, &group, scaling);
    let due = call.due(&group.name, CONFIGURE);
    begin(call, request, update, due, step, |group| {
        group.scaling = scaling;
        group.update_config = update_config.unwrap_or_else(|| group.update_config.take());
        changed.apply(group);
    })
}

/// Sets the Auto Scaling group's limits.
fn set_limits(call: &mut Call<'_>, group: &NodeGroup, scaling: Scaling) {
    let (now, place) = (call.now, call.place);
    let groups = &mut call.world.region_mut(place).auto_scaling.groups;
    if let Some(found) = group.auto_scaling_group.as_ref().and_then(|name| groups.get_mut(name)) {
        (found.min, found.max, found.desired) = (scaling.min, scaling.max, scaling.desired);
        check_soon(found, now);
    }
}

/// Labels and taints that a request changes.
struct Changed {
    labels: Tags,
    removed_labels: Vec<String>,
    taints: Vec<Value>,
    removed_taints: Vec<Value>,
}

impl Changed {
    fn read(body: Fields<'_>) -> Result<Self> {
        let mut changed = Self {
            labels: Tags::new(),
            removed_labels: Vec::new(),
            taints: Vec::new(),
            removed_taints: Vec::new(),
        };
        if let Some(labels) = body.object("labels")? {
            changed.labels = node_group_request::labels(labels.map("addOrUpdateLabels")?)?;
            changed.removed_labels = labels.texts("removeLabels")?;
        }
        if let Some(taints) = body.object("taints")? {
            changed.taints = node_group_request::taints(taints.list("addOrUpdateTaints")?)?;
            changed.removed_taints = taints.list("removeTaints")?.to_vec();
        }
        Ok(changed)
    }

    fn params(&self) -> Vec<(&'static str, String)> {
        let all = [
            ("LabelsToAdd", json!(self.labels), self.labels.is_empty()),
            ("LabelsToRemove", json!(self.removed_labels), self.removed_labels.is_empty()),
            ("TaintsToAdd", json!(self.taints), self.taints.is_empty()),
            ("TaintsToRemove", json!(self.removed_taints), self.removed_taints.is_empty()),
        ];
        let given = all.into_iter().filter(|(.., empty)| !empty);
        given.map(|(name, value, _)| (name, value.to_string())).collect()
    }

    fn apply(self, group: &mut NodeGroup) {
        group.labels.extend(self.labels);
        group.labels.retain(|key, _| !self.removed_labels.contains(key));
        // A taint is known by its key and effect.
        let same =
            |one: &Value, other: &Value| one["key"] == other["key"] && one["effect"] == other["effect"];
        let gone = [self.removed_taints.as_slice(), self.taints.as_slice()].concat();
        group.taints.retain(|taint| !gone.iter().any(|other| same(taint, other)));
        group.taints.extend(self.taints);
    }
}

/// `UpdateNodegroupVersion`.
pub(crate) fn upgrade(call: &mut Call<'_>, request: &Request) -> Result<Value> {
    let cluster = call.eks().cluster(request.name(0))?.clone();
    let group = cluster.node_group(request.name(1))?.clone();
    let about = |error: Error| error.cluster(&cluster.name).node_group(&group.name);
    let token = request.token()?;
    if let Some(known) = updates::repeated(&group.updates, token.as_deref(), "VersionUpdate") {
        return Ok(json!({"update": view::update(known)}));
    }
    refuse_busy(&cluster, &group).map_err(about)?;
    let target = target(call, &cluster, &group, request).map_err(about)?;
    let mut params = Vec::new();
    if let Some(version) = &target.version {
        params.push(("Version", version.clone()));
        params.push(("ReleaseVersion", target.release.clone()));
    }
    if let Some(template) = &target.template_version {
        params.push(("LaunchTemplateVersion", template.clone()));
    }
    let update = updates::new(call, "VersionUpdate", params, token);
    let step = match call.effects.fail_while_creating() {
        Some(code) => {
            NodeGroupStep::FailUpdate(update.id.clone(), code.unwrap_or("PodEvictionFailure").to_owned())
        }
        None => NodeGroupStep::Replace(update.id.clone()),
    };
    let scaling = node_groups::live_scaling(call, &group);
    if matches!(step, NodeGroupStep::Replace(_)) {
        begin_replacing(call, &group, &target);
    }
    let due = call.due(&group.name, PREPARING);
    begin(call, request, update, due, step, |group| group.scaling = scaling)
}

/// What a node group is to become.
struct Target {
    version: Option<String>,
    release: String,
    template_version: Option<String>,
    image: Option<String>,
}

fn target(call: &Call<'_>, cluster: &Cluster, group: &NodeGroup, request: &Request) -> Result<Target> {
    let body = request.body();
    let (version, release) = (body.text("version")?, body.text("releaseVersion")?);
    let template = match (body.object("launchTemplate")?, &group.launch_template) {
        (None, _) => None,
        (Some(_), None) => {
            return Err(Error::request(
                "Cannot update a node group with a launch template if it was not created with one.",
            ));
        }
        (Some(asked), Some(present)) => {
            let (id, name, number) = (asked.text("id")?, asked.text("name")?, asked.text("version")?);
            let found = call.find_template(id.as_deref(), name.as_deref(), number.as_deref())?;
            if found.specification.id != present.id {
                return Err(Error::parameter(
                    "You can only update to another version of the node group's own launch template.",
                ));
            }
            Some(found)
        }
    };
    let template_version = template.as_ref().map(|template| template.specification.version.clone());
    let Some(present) = &group.version else {
        if version.is_some() || release.is_some() {
            return Err(Error::parameter(
                "You cannot specify version or releaseVersion for a node group with a custom AMI.",
            ));
        }
        let image = template.and_then(|template| template.image);
        let release = image.clone().unwrap_or_else(|| group.release_version.clone());
        return Ok(Target { version: None, release, template_version, image });
    };
    // Without a version, the newest image of the present one is meant.
    let wanted = version.unwrap_or_else(|| present.clone());
    let minor = |name: &str| versions::find(name).map(|version| version.minor);
    let (Some(to), Some(from), Some(limit)) = (minor(&wanted), minor(present), minor(&cluster.version))
    else {
        return Err(Error::parameter(format!("Requested Kubernetes version {wanted} is not valid.")));
    };
    if to > limit {
        return Err(Error::parameter(format!(
            "Nodegroup Kubernetes version {wanted} can't be greater than cluster Kubernetes version {}",
            cluster.version
        )));
    }
    if to < from || to > from + 1 {
        return Err(Error::parameter(format!(
            "Unsupported Kubernetes minor version update from {present} to {wanted}"
        )));
    }
    node_group_request::check_image(&group.ami_type, &wanted)?;
    let release = node_group_request::check_release(&wanted, release)?;
    Ok(Target { version: Some(wanted), release, template_version, image: None })
}

/// New machines are of the new release from now on, and there are more of them while the old ones are replaced.
fn begin_replacing(call: &mut Call<'_>, group: &NodeGroup, target: &Target) {
    let image = match (&target.image, &target.version) {
        (Some(image), _) => Some(image.clone()),
        (None, Some(version)) => Some(call.node_image(&group.ami_type, version)),
        (None, None) => None,
    };
    let (now, place) = (call.now, call.place);
    let name = group.auto_scaling_group.clone().unwrap_or_default();
    let template =
        call.world.region(place).auto_scaling.groups.get(&name).map(|found| found.launch.template_id.clone());
    // The number of the template tells new machines from old ones even where the release is the same.
    let next = match (&group.launch_template, template, &image) {
        (None, Some(template), Some(image)) => call.add_template_version(&template, image),
        _ => None,
    };
    let Some(found) = call.world.region_mut(place).auto_scaling.groups.get_mut(&name) else { return };
    if let Some(version) = target.template_version.clone().or(next.map(|number| number.to_string())) {
        found.launch.template_version = version;
    }
    found.launch.release.clone_from(&target.release);
    if let Some(image) = image {
        found.launch.image = image;
    }
    let extra = at_once(group, found.desired).min(found.desired);
    found.desired += extra;
    found.max = found.max.max(found.desired);
    check_soon(found, now);
}

/// How many nodes an update may take at once.
pub(crate) fn at_once(group: &NodeGroup, desired: i64) -> i64 {
    let config = &group.update_config;
    let share = config["maxUnavailablePercentage"].as_i64().map(|share| desired * share / 100);
    config["maxUnavailable"].as_i64().or(share).unwrap_or(1).max(1)
}
