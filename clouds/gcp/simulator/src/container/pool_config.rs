//! What the machines of a node pool are: what was asked, checked, with GKE's defaults.
//!
//! Source: <https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/NodeConfig>.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::state::{Cluster, NodePool, Status};
use super::versions::{self, IMAGE_TYPES};
use crate::call::Call;
use crate::catalogue::{DISK_TYPES, machine_type, takes_disk};
use crate::compute::{Wish, key, link};
use crate::error::{Error, Result};

/// The scopes of nodes for which none are asked.
const SCOPES: [&str; 6] = [
    "https://www.googleapis.com/auth/devstorage.read_only",
    "https://www.googleapis.com/auth/logging.write",
    "https://www.googleapis.com/auth/monitoring",
    "https://www.googleapis.com/auth/service.management.readonly",
    "https://www.googleapis.com/auth/servicecontrol",
    "https://www.googleapis.com/auth/trace.append",
];

/// The configuration of machines, complete.
///
/// # Errors
/// 400 for what there is not.
pub(crate) fn complete(given: Option<&Value>) -> Result<Map<String, Value>> {
    let mut config = given.and_then(Value::as_object).cloned().unwrap_or_default();
    config.retain(|_, value| !value.is_null());
    let mut default = |field: &str, value: Value| {
        config.entry(field.to_owned()).or_insert(value);
    };
    default("machineType", "e2-medium".into());
    default("diskSizeGb", 100.into());
    default("diskType", "pd-balanced".into());
    default("imageType", IMAGE_TYPES[0].into());
    default("serviceAccount", "default".into());
    default("oauthScopes", json!(SCOPES));
    default("metadata", json!({}));
    default("shieldedInstanceConfig", json!({"enableIntegrityMonitoring": true}));
    default("effectiveCgroupMode", "EFFECTIVE_CGROUP_MODE_V2".into());
    if let Some(metadata) = config.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.entry("disable-legacy-endpoints").or_insert_with(|| "true".into());
    }
    check(&mut config)?;
    Ok(config)
}

fn check(config: &mut Map<String, Value>) -> Result<()> {
    let text = |config: &Map<String, Value>, field: &str| {
        config.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let image = text(config, "imageType").to_uppercase();
    let image = if image.is_empty() { IMAGE_TYPES[0].to_owned() } else { image };
    if !IMAGE_TYPES.contains(&image.as_str()) && image != "COS" {
        return Err(Error::invalid(format!("Image type \"{image}\" is not supported.")));
    }
    config.insert("imageType".to_owned(), image.into());
    let machine = text(config, "machineType");
    if machine_type(&machine).is_none() {
        return Err(Error::invalid(format!("Machine type with name \"{machine}\" does not exist.")));
    }
    let disk = text(config, "diskType");
    if !DISK_TYPES.iter().any(|(name, ..)| *name == disk) {
        return Err(Error::invalid(format!("Disk type \"{disk}\" is not supported.")));
    }
    if !takes_disk(&machine, &disk) {
        return Err(Error::invalid(format!("{disk} disk type cannot be used by {machine} machine type.")));
    }
    let size = config.get("diskSizeGb").and_then(whole).unwrap_or(0);
    if !(10..=65_536).contains(&size) {
        return Err(Error::invalid(format!("Disk size must be between 10 and 65536 GB, not {size}.")));
    }
    config.insert("diskSizeGb".to_owned(), size.into());
    Ok(())
}

/// A whole number, written as a number or as text.
pub(crate) fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

/// The size of a root disk.
pub(crate) fn disk_gib(pool: &NodePool) -> u32 {
    pool.config.get("diskSizeGb").and_then(whole).and_then(|size| u32::try_from(size).ok()).unwrap_or(100)
}

/// The processors of a machine.
pub(crate) fn machine_cpus(pool: &NodePool) -> u32 {
    machine_type(pool.text("machineType")).map_or(2, |machine| machine.cpus)
}

/// A new node pool, of what was asked for it; its machines are made later.
///
/// # Errors
/// 400 for what cannot be.
pub(crate) fn new_pool(
    call: &mut Call<'_>,
    cluster: &Cluster,
    given: &Map<String, Value>,
) -> Result<NodePool> {
    let name = given.get("name").and_then(Value::as_str).unwrap_or_default();
    super::places::new_name("node_pool.name", name)?;
    let count = given.get("initialNodeCount").and_then(whole).unwrap_or(0);
    let size = u32::try_from(count).ok().filter(|count| *count <= 1000);
    let size = size.ok_or_else(|| {
        Error::invalid(format!("NodePool.initial_node_count must be between 0 and 1000, not {count}."))
    })?;
    let version = given.get("version").and_then(Value::as_str).unwrap_or_default();
    let version = versions::node(version, &cluster.version)?;
    let mut asked = given.clone();
    asked.retain(|field, value| {
        !["name", "initialNodeCount", "version", "config", "locations"].contains(&field.as_str())
            && !value.is_null()
    });
    check_management(&mut asked, &cluster.channel)?;
    let limits = asked.get("autoscaling").cloned();
    check_auto_scaling(limits.as_ref())?;
    asked.entry("upgradeSettings").or_insert_with(|| json!({"maxSurge": 1, "strategy": "SURGE"}));
    let zones = match given.get("locations").and_then(Value::as_array) {
        Some(zones) if !zones.is_empty() => {
            zones.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        _ => cluster.zones.clone(),
    };
    let base = group_base(&cluster.name, name);
    let groups =
        zones.into_iter().map(|zone| (zone, format!("{base}-{}-grp", call.world.random.hex(8)))).collect();
    Ok(NodePool {
        name: name.to_owned(),
        status: Status::Provisioning,
        conditions: Vec::new(),
        shown_over: Map::new(),
        config: complete(given.get("config"))?,
        asked,
        version,
        before: None,
        initial_node_count: size,
        size,
        groups,
        revision: 0,
    })
}

/// `gke-CLUSTER-POOL`, each cut so that host names fit.
fn group_base(cluster: &str, pool: &str) -> String {
    format!("gke-{:.20}-{:.16}", cluster, pool).trim_end_matches('-').to_owned()
}

/// Automatic upgrade and repair belong to release channels; what is not said is on, what is half said is off.
///
/// # Errors
/// 400 where a channel is to do without them.
pub(crate) fn check_management(asked: &mut Map<String, Value>, channel: &str) -> Result<()> {
    let management =
        asked.entry("management").or_insert_with(|| json!({"autoUpgrade": true, "autoRepair": true}));
    let on = |field: &str| management.get(field).and_then(Value::as_bool).unwrap_or(false);
    for (field, word) in [("autoUpgrade", "Auto_upgrade"), ("autoRepair", "Auto_repair")] {
        if !channel.is_empty() && !on(field) {
            return Err(Error::invalid(format!(
                "{word} must be true when release_channel {channel} is set."
            )));
        }
    }
    Ok(())
}

/// Checks limits of autoscaling.
///
/// # Errors
/// 400 for limits that cannot be.
pub(crate) fn check_auto_scaling(given: Option<&Value>) -> Result<()> {
    let Some(given) = given.filter(|given| given.get("enabled").and_then(Value::as_bool) == Some(true))
    else {
        return Ok(());
    };
    let number = |field: &str| given.get(field).and_then(whole).unwrap_or(0);
    let (min, max) = (number("minNodeCount"), number("maxNodeCount"));
    let (total_min, total_max) = (number("totalMinNodeCount"), number("totalMaxNodeCount"));
    if max <= 0 && total_max <= 0 {
        return Err(Error::invalid("Autoscaling.max_node_count must be greater than zero."));
    }
    if min < 0 || total_min < 0 || (max > 0 && min > max) || (total_max > 0 && total_min > total_max) {
        return Err(Error::invalid(
            "Autoscaling.min_node_count must be between zero and Autoscaling.max_node_count.",
        ));
    }
    Ok(())
}

/// What the machines of a pool in a zone are made from.
pub(crate) fn wish(call: &Call<'_>, cluster: &Cluster, pool: &NodePool, zone: &str) -> Wish {
    let texts = |field: &str| -> BTreeMap<String, String> {
        let members = pool.config.get(field).and_then(Value::as_object);
        let members = members.into_iter().flatten();
        members.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
    };
    let list = |field: &str| -> Vec<String> {
        let items = pool.config.get(field).and_then(Value::as_array).into_iter().flatten();
        items.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let region = format!("regions/{}", cluster.region());
    let mut labels = cluster.labels.clone();
    labels.extend(texts("resourceLabels"));
    for (key, value) in [
        ("goog-gke-node", ""),
        ("goog-k8s-cluster-name", cluster.name.as_str()),
        ("goog-k8s-cluster-location", cluster.location.as_str()),
        ("goog-k8s-node-pool-name", pool.name.as_str()),
    ] {
        labels.insert(key.to_owned(), value.to_owned());
    }
    let mut metadata = texts("metadata");
    for (key, value) in [
        ("cluster-name", cluster.name.as_str()),
        ("cluster-location", cluster.location.as_str()),
        ("cluster-uid", cluster.id.as_str()),
    ] {
        metadata.insert(key.to_owned(), value.to_owned());
    }
    let account = pool.text("serviceAccount");
    let on = |pointer: &str| cluster.asked.get("privateClusterConfig").and_then(|config| config.get(pointer));
    Wish {
        zone: zone.to_owned(),
        cluster: cluster.name.clone(),
        location: cluster.location.clone(),
        pool: pool.name.clone(),
        machine_type: pool.text("machineType").to_owned(),
        disk_type: pool.text("diskType").to_owned(),
        disk_gib: disk_gib(pool),
        image_type: pool.text("imageType").to_owned(),
        version: pool.version.clone(),
        subnetwork: link(&format!("projects/{}/{region}/subnetworks/{}", call.project, cluster.subnetwork)),
        network: link(&format!("projects/{}/global/networks/{}", call.project, cluster.network)),
        subnetwork_key: key("subnetworks", &region, &cluster.subnetwork),
        tags: std::iter::once(cluster.node_tag()).chain(list("tags")).collect(),
        labels,
        node_labels: texts("labels"),
        metadata,
        service_account: if account == "default" {
            format!("{}-compute@developer.gserviceaccount.com", call.held().number)
        } else {
            account.to_owned()
        },
        scopes: list("oauthScopes"),
        spot: ["spot", "preemptible"].iter().any(|field| pool.config.get(*field) == Some(&Value::Bool(true))),
        external: on("enablePrivateNodes").and_then(Value::as_bool) != Some(true),
    }
}
