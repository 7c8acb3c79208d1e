//! What a node group becomes at GKE: checked against what is offered, and chosen where the user left a choice.

use std::collections::BTreeMap;

use pmks_driver::{Prepared, Result};
use pmks_model::{Findings, Iid, MachineType, NodeGroupRequest, Scaling, Tags};

use super::disks;
use super::quota::Need;
use crate::wire::container::{NewNodePool, NodeConfig, NodeManagement, NodePoolAutoscaling, ServerConfig};
use crate::{GcpDriver, convert, key_pairs, machines};

/// What GKE makes nodes from where nobody names a machine type.
///
/// Source: <https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/NodeConfig>, `machineType`
const DEFAULT_MACHINE_TYPE: &str = "e2-medium";
/// The size of a node's disk where nobody says one, in GiB: the same source, `diskSizeGb`.
const DEFAULT_DISK_GIB: u32 = 100;

/// What the node groups of one operation have in common.
pub(super) struct Common<'a> {
    pub(super) config: &'a ServerConfig,
    /// The zones of their nodes.
    pub(super) zones: &'a [String],
    pub(super) security_groups: Vec<String>,
    /// The user's and our marks.
    pub(super) labels: Tags,
}

/// Node pools as they are sent, and what they need of the region's quotas.
pub(super) struct Choice {
    pub(super) pools: Vec<NewNodePool>,
    pub(super) needs: Vec<Need>,
}

/// Checks and chooses; what is wrong goes to `findings`. One call for each machine type and zone, and one if key pairs
/// are named.
pub(super) async fn choose(
    driver: &GcpDriver,
    groups: &[NodeGroupRequest],
    common: &Common<'_>,
    prefix: impl Fn(usize) -> String,
    findings: &mut Findings,
) -> Result<Choice> {
    let groups: Vec<NodeGroupRequest> = groups.iter().map(|group| sized(group, common.zones)).collect();
    let keys = public_keys(driver, &groups, &prefix, findings).await?;
    let mut types: BTreeMap<&str, Option<MachineType>> = BTreeMap::new();
    let mut choice = Choice { pools: Vec::new(), needs: Vec::new() };
    for (index, group) in groups.iter().enumerate() {
        let prefix = prefix(index);
        let name = machine_type_name(group);
        if !types.contains_key(name) {
            types.insert(name, find_type(driver, common.zones, name, &prefix, findings).await?);
        }
        let image = image_type(group, common.config, &prefix, findings);
        check_key(group, &image, &prefix, findings);
        let refusal = disks::refusal(name, &group.root_disk_type);
        findings.add_some(format!("{prefix}rootDiskType"), refusal);
        let count =
            per_zone(group.scaling.desired, common.zones, &format!("{prefix}scaling.desired"), findings);
        let public_key = group.key_pair.as_ref().and_then(|iid| Some((iid, keys.get(&iid.system_id)?)));
        choice.pools.push(new_pool(group, common, image, count, public_key));
        if let Some(Some(machine)) = types.get(name) {
            choice.needs.push(Need::of(group, machine, group.root_disk_size_gib.unwrap_or(DEFAULT_DISK_GIB)));
        }
    }
    Ok(choice)
}

/// One node in each zone where nobody says a size: less than that GKE cannot make.
fn sized(group: &NodeGroupRequest, zones: &[String]) -> NodeGroupRequest {
    let scaling = if group.any_size { Scaling::fixed(number_of(zones)) } else { group.scaling };
    NodeGroupRequest { scaling, ..group.clone() }
}

fn number_of(zones: &[String]) -> u32 {
    u32::try_from(zones.len()).unwrap_or(1).max(1)
}

fn machine_type_name(group: &NodeGroupRequest) -> &str {
    if group.machine_type.is_empty() { DEFAULT_MACHINE_TYPE } else { &group.machine_type }
}

/// The machine type, which every zone of the nodes must have.
async fn find_type(
    driver: &GcpDriver,
    zones: &[String],
    name: &str,
    prefix: &str,
    findings: &mut Findings,
) -> Result<Option<MachineType>> {
    let mut found = None;
    for zone in zones {
        match machines::machine_type(driver, zone, name).await {
            Ok(machine) => found = Some(machine),
            Err(error) if error.is_not_found() => {
                findings.add(format!("{prefix}machineType"), format!("{zone} has no machine type {name:?}"));
                return Ok(None);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// The public halves of the key pairs that are named, by identifier.
async fn public_keys(
    driver: &GcpDriver,
    groups: &[NodeGroupRequest],
    prefix: &impl Fn(usize) -> String,
    findings: &mut Findings,
) -> Result<BTreeMap<String, String>> {
    let mut keys = BTreeMap::new();
    if groups.iter().all(|group| group.key_pair.is_none()) {
        return Ok(keys);
    }
    let project = driver.api.get_project().await?;
    for (index, group) in groups.iter().enumerate() {
        let Some(iid) = &group.key_pair else { continue };
        match key_pairs::find(&project, &iid.system_id) {
            Some(stored) => drop(keys.insert(iid.system_id.clone(), stored.public_key)),
            None => findings.add(
                format!("{}keyPair", prefix(index)),
                format!("there is no key pair {:?} in this project", iid.system_id),
            ),
        }
    }
    Ok(keys)
}

/// GKE's own word for the image type, whatever its case; its default where none is named.
fn image_type(
    group: &NodeGroupRequest,
    config: &ServerConfig,
    prefix: &str,
    findings: &mut Findings,
) -> String {
    if matches!(group.image.as_str(), "" | "default") {
        return config.default_image_type.clone();
    }
    let known = config.valid_image_types.iter().find(|known| known.eq_ignore_ascii_case(&group.image));
    known.cloned().unwrap_or_else(|| {
        let offered = config.valid_image_types.join(", ");
        findings.add(
            format!("{prefix}image"),
            format!("{:?} is not offered; offered are {offered}", group.image),
        );
        String::new()
    })
}

fn check_key(group: &NodeGroupRequest, image: &str, prefix: &str, findings: &mut Findings) {
    if group.key_pair.is_some() && machines::is_windows(image) {
        findings.add(format!("{prefix}keyPair"), format!("nodes of {image} take no SSH keys"));
    }
}

/// The number of nodes in each zone: GKE knows no other number.
pub(super) fn per_zone(total: u32, zones: &[String], field: &str, findings: &mut Findings) -> u32 {
    let count = number_of(zones);
    if !total.is_multiple_of(count) {
        let says = format!(
            "must be a multiple of {count}: every zone ({}) has the same number of nodes",
            zones.join(", ")
        );
        findings.add(field, says);
    }
    total / count
}

/// Whether a size lies between the limits that every zone can have its part of: only such a one can be set.
pub(super) fn reachable(limits: Scaling, zones: &[String], field: &str, findings: &mut Findings) {
    let count = number_of(zones);
    if limits.max / count * count < limits.min {
        let says = format!(
            "no size from {} to {} is a multiple of {count}: every zone ({}) has the same number of nodes",
            limits.min,
            limits.max,
            zones.join(", ")
        );
        findings.add(field, says);
    }
}

/// The autoscaler's limits as they are sent: of the pool's one zone, or of all of them together.
pub(super) fn autoscaling(wanted: Scaling, zones: u32) -> NodePoolAutoscaling {
    if !wanted.auto_scaling {
        return NodePoolAutoscaling::default();
    }
    let on = NodePoolAutoscaling { enabled: true, ..NodePoolAutoscaling::default() };
    if zones == 1 {
        NodePoolAutoscaling { min_node_count: wanted.min, max_node_count: wanted.max, ..on }
    } else {
        NodePoolAutoscaling { total_min_node_count: wanted.min, total_max_node_count: wanted.max, ..on }
    }
}

fn new_pool(
    group: &NodeGroupRequest,
    common: &Common<'_>,
    image_type: String,
    count: u32,
    key: Option<(&Iid, &String)>,
) -> NewNodePool {
    let mut metadata = BTreeMap::new();
    if let Some((iid, public_key)) = key {
        metadata.insert("ssh-keys".to_owned(), key_pairs::ssh_keys(public_key));
        metadata.insert(convert::KEY_PAIR.to_owned(), iid.system_id.clone());
    }
    let disk_type = disks::of(machine_type_name(group), &group.root_disk_type).to_owned();
    let zones = number_of(common.zones);
    NewNodePool {
        name: group.name.clone(),
        initial_node_count: count,
        version: None,
        config: NodeConfig {
            machine_type: machine_type_name(group).to_owned(),
            image_type,
            disk_type,
            disk_size_gb: group.root_disk_size_gib,
            tags: common.security_groups.clone(),
            metadata,
            labels: BTreeMap::new(),
            resource_labels: common.labels.clone(),
            service_account: None,
            spot: false,
        },
        autoscaling: group.scaling.auto_scaling.then(|| autoscaling(group.scaling, zones)),
        // A release channel wants both, and Google's own clients switch them on without one.
        management: NodeManagement { auto_upgrade: true, auto_repair: true },
        locations: common.zones.to_vec(),
    }
}

/// Says what was chosen.
pub(super) fn tell(prepared: &mut Prepared, pools: &[NewNodePool]) {
    for pool in pools {
        let config = &pool.config;
        let mut says = format!("{} of {}", config.machine_type, config.image_type);
        if pool.locations.len() > 1 {
            says = format!("{says}, {} in each zone", pool.initial_node_count);
        }
        prepared.resolved.insert(format!("node group {}", pool.name), says);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::versions::tests::config;
    use serde_json::json;

    fn group(change: &serde_json::Value) -> NodeGroupRequest {
        let mut group =
            json!({"name": "ga", "scaling": {"autoScaling": false, "min": 1, "max": 4, "desired": 2}});
        group.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        serde_json::from_value(group).unwrap()
    }

    fn made(group: &NodeGroupRequest, zones: &[&str]) -> serde_json::Value {
        let zones: Vec<String> = zones.iter().map(|zone| (*zone).to_owned()).collect();
        let config = config();
        let common = Common {
            config: &config,
            zones: &zones,
            security_groups: vec!["web".to_owned()],
            labels: Tags::from([("pmks-uid".to_owned(), "u".to_owned())]),
        };
        let mut findings = Findings::default();
        let image = image_type(group, &config, "", &mut findings);
        let count = per_zone(group.scaling.desired, &zones, "scaling.desired", &mut findings);
        assert!(findings.is_empty(), "{findings}");
        let (iid, public_key) = (Iid::new("admin", "admin"), "ssh-ed25519 AAAA".to_owned());
        serde_json::to_value(new_pool(group, &common, image, count, Some((&iid, &public_key)))).unwrap()
    }

    #[test]
    fn a_pool_is_what_was_asked_for_and_googles_defaults() {
        let pool = made(&group(&json!({})), &["r1-a"]);
        assert_eq!(
            pool,
            json!({"name": "ga", "initialNodeCount": 2, "locations": ["r1-a"],
                "management": {"autoUpgrade": true, "autoRepair": true},
                "config": {"machineType": "e2-medium", "imageType": "COS_CONTAINERD", "tags": ["web"],
                    "metadata": {"ssh-keys": "cb-user:ssh-ed25519 AAAA", "pmks-key-pair": "admin"},
                    "resourceLabels": {"pmks-uid": "u"}}})
        );
        let disk =
            group(&json!({"rootDiskType": "pd-ssd", "rootDiskSizeGib": 50, "image": "ubuntu_containerd"}));
        let pool = made(&disk, &["r1-a"]);
        assert_eq!(
            (&pool["config"]["diskType"], &pool["config"]["diskSizeGb"]),
            (&json!("pd-ssd"), &json!(50))
        );
        assert_eq!(pool["config"]["imageType"], "UBUNTU_CONTAINERD");
        let default = made(&group(&json!({"rootDiskType": "default"})), &["r1-a"]);
        assert_eq!(default["config"].get("diskType"), None);
        let newer = made(&group(&json!({"machineType": "n4-standard-2"})), &["r1-a"]);
        assert_eq!(newer["config"]["diskType"], "hyperdisk-balanced");
    }

    #[test]
    fn sizes_are_of_each_zone_and_limits_of_all() {
        let auto = group(&json!({"scaling": {"autoScaling": true, "min": 0, "max": 6, "desired": 3}}));
        let one = made(&auto, &["r1-a"]);
        assert_eq!(
            (&one["initialNodeCount"], &one["autoscaling"]),
            (&json!(3), &json!({"enabled": true, "maxNodeCount": 6}))
        );
        let three = made(&auto, &["r1-a", "r1-b", "r1-c"]);
        assert_eq!(
            (&three["initialNodeCount"], &three["autoscaling"]),
            (&json!(1), &json!({"enabled": true, "totalMaxNodeCount": 6}))
        );
        let unsaid = group(
            &json!({"anySize": true, "scaling": {"autoScaling": false, "min": 1, "max": 1, "desired": 1}}),
        );
        let zones = ["r1-a", "r1-b", "r1-c"].map(str::to_owned);
        assert_eq!(sized(&unsaid, &zones).scaling, Scaling::fixed(3));
        assert_eq!(sized(&auto, &zones).scaling, auto.scaling);
        let mut findings = Findings::default();
        let zones = ["a".to_owned(), "b".to_owned()];
        per_zone(3, &zones, "scaling.desired", &mut findings);
        assert!(findings.to_string().contains("scaling.desired: must be a multiple of 2"));
        assert_eq!(per_zone(4, &zones, "x", &mut Findings::default()), 2);
        let within = |min: u32, max: u32| {
            let mut findings = Findings::default();
            let zones = ["a", "b", "c"].map(str::to_owned);
            let limits = Scaling { auto_scaling: true, min, max, desired: min };
            reachable(limits, &zones, "scaling.max", &mut findings);
            findings.to_string()
        };
        assert!(within(4, 5).contains("scaling.max: no size from 4 to 5 is a multiple of 3"));
        assert!([(4, 6), (3, 3), (0, 2), (0, 9)].iter().all(|(min, max)| within(*min, *max).is_empty()));
    }

    #[test]
    fn what_is_not_offered_is_a_finding() {
        let mut findings = Findings::default();
        image_type(&group(&json!({"image": "CENTOS"})), &config(), "nodeGroups[0].", &mut findings);
        let key = group(&json!({"keyPair": {"nameId": "a", "systemId": "a"}}));
        check_key(&key, "WINDOWS_LTSC_CONTAINERD", "nodeGroups[0].", &mut findings);
        check_key(&key, "COS_CONTAINERD", "nodeGroups[0].", &mut findings);
        let fields: Vec<&str> = findings.iter().map(|finding| finding.field.as_str()).collect();
        assert_eq!(fields, ["nodeGroups[0].image", "nodeGroups[0].keyPair"]);
    }
}
