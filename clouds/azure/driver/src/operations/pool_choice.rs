//! What a node group is made from, chosen before anything is asked: machine type, image, disk, zone; and whether the
//! subscription has room for it. Reads sizes and quotas; everything else is a pure function with a table test.

use pmks_driver::{Prepared, Result};
use pmks_model::{Findings, NodeGroupRequest, Says, Scaling, Tags, Version, VersionRequest};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::node_zones::Zones;
use crate::AzureDriver;
use crate::arm_id::ArmId;
use crate::machines::{self, LEAST_VCPUS, Size};
use crate::quota::{self, Wanted};

/// What a pool is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Mode {
    /// AKS' own pods, and users' beside them.
    System,
    /// Users' pods.
    User,
}

/// What was chosen for one node group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) name: String,
    mode: Mode,
    machine_type: Option<String>,
    image: String,
    disk_type: Option<&'static str>,
    disk_size: Option<u32>,
    zones: Vec<String>,
    scaling: Scaling,
    notices: Vec<String>,
}

/// What the cluster gives to each of its pools.
#[derive(Clone, Debug)]
pub(super) struct Common<'a> {
    pub(super) version: &'a str,
    pub(super) subnet: Option<&'a ArmId>,
    pub(super) tags: &'a Tags,
}

impl Choice {
    /// Tells the user what was chosen.
    pub(super) fn tell(&self, prepared: &mut Prepared) {
        let name = &self.name;
        let machine = self.machine_type.as_deref().unwrap_or("AKS' own choice");
        prepared.resolved.insert(format!("machine type of {name}"), machine.to_owned());
        prepared.resolved.insert(format!("image of {name}"), self.image.clone());
        let mode = if self.mode == Mode::System { "System" } else { "User" };
        prepared.resolved.insert(format!("mode of {name}"), mode.to_owned());
        let zones = if self.zones.is_empty() { "none: regional".to_owned() } else { self.zones.join(", ") };
        prepared.resolved.insert(format!("zones of {name}"), zones);
        prepared.notices.extend(self.notices.iter().cloned());
    }

    /// The pool's properties, as AKS takes them.
    ///
    /// Source: <https://learn.microsoft.com/rest/api/aks/agent-pools/create-or-update>
    pub(super) fn properties(&self, common: &Common<'_>) -> Value {
        let mut properties = json!({
            "count": self.scaling.desired,
            "mode": self.mode,
            "type": "VirtualMachineScaleSets",
            "osType": "Linux",
            "osSKU": self.image,
            "orchestratorVersion": common.version,
            "enableAutoScaling": self.scaling.auto_scaling,
            "tags": common.tags,
        });
        let mut set = |key: &str, value: Value| {
            if let (Some(fields), false) = (properties.as_object_mut(), value.is_null()) {
                fields.insert(key.to_owned(), value);
            }
        };
        set("vmSize", json!(self.machine_type));
        set("osDiskType", json!(self.disk_type));
        set("osDiskSizeGB", json!(self.disk_size));
        set("vnetSubnetID", json!(common.subnet.map(ArmId::to_string)));
        if self.scaling.auto_scaling {
            set("minCount", json!(self.scaling.min));
            set("maxCount", json!(self.scaling.max));
        }
        if !self.zones.is_empty() {
            set("availabilityZones", json!(self.zones));
        }
        properties
    }
}

/// The most nodes of an agent pool.
///
/// Source: <https://learn.microsoft.com/azure/aks/quotas-skus-regions#service-quotas-and-limits>
const MOST_NODES: u32 = 1000;
/// The least room that AKS takes on the host for a disk whose size nobody says.
///
/// Source: <https://learn.microsoft.com/azure/aks/concepts-storage#ephemeral-os-disks>
const HOST_DISK_GIB: u64 = 128;

/// Chooses for all node groups of a request, all in the same zones, the first of them in the given mode, the others as
/// `User`. `prefix` gives what stands before the fields of the one at an index. What is wrong with any of them goes to
/// `findings`. Two calls.
///
/// # Errors
/// `QuotaExceeded` with the arithmetic, where nothing was found wrong.
pub(super) async fn choose(
    driver: &AzureDriver,
    requests: &[NodeGroupRequest],
    first: Mode,
    zones: &Zones,
    prefix: impl Fn(usize) -> String,
    findings: &mut Findings,
) -> Result<Vec<Choice>> {
    let (sizes, usages) = futures::try_join!(machines::sizes(driver), driver.api.usages())?;
    zones.check(&sizes, driver.region(), findings);
    let mut choices = Vec::new();
    let mut wanted = Vec::new();
    for (index, request) in requests.iter().enumerate() {
        let size = sizes.iter().find(|size| size.machine.name.eq_ignore_ascii_case(&request.machine_type));
        let mode = if index == 0 { first } else { Mode::User };
        let facts = Facts { size, mode, zones: &zones.names };
        choices.push(choose_one(request, &facts, &prefix(index), findings));
        wanted.push(nodes(request, size));
    }
    if findings.is_empty() {
        quota::check(&wanted, &usages)?;
    }
    Ok(choices)
}

/// The nodes that a request begins with.
fn nodes(request: &NodeGroupRequest, size: Option<&Size>) -> Wanted {
    let count = request.scaling.desired;
    size.map_or_else(|| Wanted::of_any(count), |size| Wanted::of(size, count))
}

/// A node group has an end. Limits count while autoscaling is on alone.
pub(super) fn check_most_nodes(scaling: Scaling, field: &str, findings: &mut Findings) {
    let limit = scaling.auto_scaling.then_some(("max", scaling.max));
    for (name, count) in [("desired", scaling.desired)].into_iter().chain(limit) {
        if count > MOST_NODES {
            findings.add(format!("{field}.{name}"), format!("must be at most {MOST_NODES} at AKS"));
        }
    }
}

/// What is known of what a request names.
struct Facts<'a> {
    /// `None`: the region has no such machine type, or none was named.
    size: Option<&'a Size>,
    mode: Mode,
    zones: &'a [String],
}

fn choose_one(
    request: &NodeGroupRequest,
    facts: &Facts<'_>,
    prefix: &str,
    findings: &mut Findings,
) -> Choice {
    check_machine(request, facts, prefix, findings);
    check_most_nodes(request.scaling, &format!("{prefix}scaling"), findings);
    let image = match request.image.as_str() {
        "" | "default" => machines::DEFAULT_IMAGE.to_owned(),
        named if machines::is_image(named) => named.to_owned(),
        _ => {
            findings.add(format!("{prefix}image"), format!("is one of {}", machines::image_names()));
            String::new()
        }
    };
    if facts.mode == Mode::System
        && (request.scaling.desired == 0 || request.scaling.min == 0 && request.scaling.auto_scaling)
    {
        findings
            .add(format!("{prefix}scaling.min"), "must be at least 1: AKS' own pods run in this node group");
    }
    let mut notices = Vec::new();
    if facts.mode == Mode::System && facts.size.is_some_and(|size| size.machine.vcpus < 4) {
        notices.push(format!(
            "node group {}: Microsoft recommends at least 4 vCPUs for the node group that AKS' own pods run in",
            request.name
        ));
    }
    Choice {
        name: request.name.clone(),
        mode: facts.mode,
        // As Azure writes it.
        machine_type: facts.size.map(|size| size.machine.name.clone()),
        image,
        disk_type: disk_type(request, facts.size, prefix, findings),
        disk_size: request.root_disk_size_gib,
        zones: facts.zones.to_vec(),
        scaling: request.scaling,
        notices,
    }
}

fn check_machine(request: &NodeGroupRequest, facts: &Facts<'_>, prefix: &str, findings: &mut Findings) {
    let field = format!("{prefix}machineType");
    let name = request.machine_type.as_str();
    let Some(size) = facts.size else {
        if !name.is_empty() {
            findings.add(field, format!("{name:?} is not offered in this region"));
        }
        return;
    };
    if !size.restricted.is_empty() {
        findings.add(&field, format!("{name:?} is closed to this subscription here ({})", size.restricted));
    }
    if size.machine.vcpus < LEAST_VCPUS {
        findings.add(&field, format!("{name:?} has too few vCPUs: AKS' nodes have {LEAST_VCPUS} at least"));
    }
    if let Some(zone) = facts.zones.iter().find(|zone| !size.machine.zones.contains(zone)) {
        let says = if size.machine.zones.is_empty() {
            format!("{name:?} is offered in no zone of its own here")
        } else {
            format!("{name:?} is offered in the zones {}, not in {zone}", size.machine.zones.join(", "))
        };
        findings.add(field, says);
    }
}

/// AKS lets choose whether the disk is managed or the host's own; what a managed one is made of, and whether the host has
/// room, follows from the machine type: where AKS chooses that, nobody knows.
///
/// Source: <https://learn.microsoft.com/azure/aks/concepts-storage>
fn disk_type(
    request: &NodeGroupRequest,
    size: Option<&Size>,
    prefix: &str,
    findings: &mut Findings,
) -> Option<&'static str> {
    let (field, asked) = (format!("{prefix}rootDiskType"), request.root_disk_type.as_str());
    if matches!(asked, "" | "default") {
        return None;
    }
    let of_machine = asked != "Managed";
    if of_machine && request.machine_type.is_empty() {
        let says = "follows from the machine type, which AKS chooses where none is named: name one too";
        findings.add(field, format!("{asked:?} {says}"));
        return None;
    }
    let premium = size.map(|size| size.premium);
    let says = match asked {
        "Ephemeral" => size.and_then(|size| no_room(size, request.root_disk_size_gib)),
        "Premium SSD" | "PremiumSSD" if premium == Some(false) => Some(
            "AKS gives nodes of this machine type standard disks: choose one that has premium storage"
                .to_owned(),
        ),
        "Standard SSD" | "StandardSSD" if premium == Some(true) => Some(
            "AKS gives nodes of this machine type premium disks: choose one without premium storage"
                .to_owned(),
        ),
        _ => None,
    };
    match says {
        Some(says) => {
            findings.add(field, says);
            None
        }
        None if asked == "Ephemeral" => Some("Ephemeral"),
        None => Some("Managed"),
    }
}

/// Why a disk of that size does not fit on the host itself.
fn no_room(size: &Size, wanted: Option<u32>) -> Option<String> {
    let (room, name) = (size.host_disk_gib?, &size.machine.name);
    let needed = wanted.map_or(HOST_DISK_GIB, u64::from);
    if room >= needed {
        return None;
    }
    Some(if room == 0 {
        format!("hosts of {name} have no room for the nodes' disks: choose Managed, or another machine type")
    } else {
        format!(
            "hosts of {name} have room for {room} GiB, and {needed} GiB are needed: choose a smaller root disk, \
             Managed, or another machine type"
        )
    })
}

/// The version of a new pool: its cluster's, or an older one that is within its reach.
///
/// # Errors
/// A sentence that names both.
pub(super) fn pool_version(
    asked: &VersionRequest,
    cluster: &Version,
    skew: u32,
    offered: &[pmks_model::KubernetesVersion],
) -> std::result::Result<String, Says> {
    let VersionRequest::Given(wanted) = asked else { return Ok(cluster.to_string()) };
    if wanted.covers(cluster) {
        return Ok(cluster.to_string());
    }
    if !cluster.reaches(wanted) {
        return Err(format!("nodes never run ahead of their cluster, which is at {cluster}").into());
    }
    if cluster.minors_ahead_of(wanted).is_none_or(|minors| minors > skew) {
        let says = format!("nodes may lie at most {skew} minors behind their cluster, which is at {cluster}");
        return Err(says.into());
    }
    asked.pick(offered).map(|picked| picked.version.to_string())
}

#[cfg(test)]
#[path = "pool_choice_tests.rs"]
mod tests;
