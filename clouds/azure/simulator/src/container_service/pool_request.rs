//! What may be asked of an agent pool, and the defaults of what is not said.
//!
//! Sources: <https://learn.microsoft.com/rest/api/aks/agent-pools/create-or-update>,
//! <https://learn.microsoft.com/azure/aks/create-node-pools#limitations>,
//! <https://learn.microsoft.com/azure/aks/cluster-autoscaler>.

use serde_json::{Value, json};

use super::state::{Cluster, Pool};
use super::versions;
use crate::arm::{Call, key};
use crate::catalogue::{self, Size};
use crate::error::{Error, Result};
use crate::json::{at, is_true, items, number, remove, set, set_default, text};

/// Nodes that a pool can have.
const MOST_NODES: i64 = 1000;
/// The processors of a region that a subscription may use.
pub(crate) const CORES: u32 = 350;
/// What never changes once it was chosen.
const FIXED: [&str; 8] = [
    "vmSize",
    "osDiskSizeGB",
    "osDiskType",
    "vnetSubnetID",
    "availabilityZones",
    "osType",
    "maxPods",
    "kubeletDiskType",
];

/// What the rules depend on beside the pool itself.
pub(super) struct Setting<'a> {
    /// How the properties are named in refusals.
    pub(super) prefix: &'a str,
    /// The cluster's region.
    pub(super) location: &'a str,
    /// The control plane's version, as it will be.
    pub(super) version: &'a str,
    /// The pool as it stands.
    pub(super) known: Option<&'a Pool>,
}

/// A pool as it will be.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wanted {
    /// Its name.
    pub(super) name: String,
    /// All properties.
    pub(super) properties: Value,
    /// The version of its nodes.
    pub(super) version: String,
}

/// Reads what is asked of a pool.
///
/// # Errors
/// AKS' refusal.
pub(super) fn read(call: &Call<'_>, name: &str, given: &Value, setting: &Setting<'_>) -> Result<Wanted> {
    check_name(name)?;
    let mut properties = given.clone();
    remove(
        &mut properties,
        &[
            "name",
            "provisioningState",
            "currentOrchestratorVersion",
            "eTag",
            "powerState",
            "status",
            "nodeImageVersion",
        ],
    );
    let about = |what: &str| format!("{}.{what}", setting.prefix);
    if number(&properties, "count").is_none() {
        return Err(Error::missing(&about("count")));
    }
    if let Some(known) = setting.known {
        keep_fixed(&mut properties, known, &about)?;
        check_autoscaled(&properties, known)?;
    }
    set_default(&mut properties, "vmSize", "Standard_D2s_v5");
    let size = check_size(name, &properties, setting.location)?;
    add_defaults(&mut properties, size);
    check_counts(&properties, setting.known.is_none(), &about)?;
    check_disk(&properties, size, &about)?;
    check_zones(&properties, setting.location, &about)?;
    check_subnet(call, &properties, &about)?;
    let asked = text(&properties, "orchestratorVersion").map(str::to_owned);
    let version = match setting.known {
        Some(known) => versions::meant(asked.as_deref(), &known.version)?,
        None => versions::meant(asked.as_deref(), setting.version)?,
    };
    versions::check_skew(&version, setting.version)?;
    if let Some(known) = setting.known.filter(|known| known.version != version) {
        versions::check_pool_upgrade(name, &known.version, &version)?;
    }
    set_default(&mut properties, "orchestratorVersion", version.as_str());
    Ok(Wanted { name: name.to_owned(), properties, version })
}

fn check_name(name: &str) -> Result<()> {
    let fine = (1..=12).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit());
    if fine {
        return Ok(());
    }
    let says = format!(
        "The value of parameter agentPoolProfile.name is invalid. Error details: Invalid agent pool name {name}: it must \
         conform to the regex: '^[a-z][a-z0-9]{{0,11}}$'. Please see https://aka.ms/aks-naming-rules for more details."
    );
    Err(Error::invalid("agentPoolProfile.name", says))
}

/// What is fixed stays as it is where it is not said, and is refused where it is said otherwise.
fn keep_fixed(properties: &mut Value, known: &Pool, about: &dyn Fn(&str) -> String) -> Result<()> {
    for name in FIXED {
        let own = at(&known.properties, name).clone();
        let asked = at(properties, name).clone();
        let same = match (asked.as_str(), own.as_str()) {
            (Some(asked), Some(own)) => asked.eq_ignore_ascii_case(own),
            _ => asked == own,
        };
        if !asked.is_null() && !same {
            let target = about(name);
            let says = format!("Changing property '{target}' is not allowed.");
            return Err(Error::bad("PropertyChangeNotAllowed", says).about(&target));
        }
        if !own.is_null() {
            set(properties, name, own);
        }
    }
    Ok(())
}

/// While the autoscaler moves the count, nobody else does.
fn check_autoscaled(properties: &Value, known: &Pool) -> Result<()> {
    let moved = number(properties, "count") != Some(i64::from(known.count()));
    if !moved || !is_true(properties, "enableAutoScaling") {
        return Ok(());
    }
    let says = if known.auto_scaling() {
        format!("Cannot manually scale AgentPool '{}' while the cluster autoscaler is enabled.", known.name)
    } else {
        format!(
            "Cannot manually scale and enable cluster autoscaler in the same update operation on VMSS Agentpool '{}'.",
            known.name
        )
    };
    Err(Error::bad("BadRequest", says))
}

fn check_size(name: &str, properties: &Value, location: &str) -> Result<&'static Size> {
    let asked = text(properties, "vmSize").unwrap_or_default();
    catalogue::size(asked).ok_or_else(|| {
        let known: Vec<&str> = catalogue::SIZES.iter().map(|size| size.name).collect();
        Error::bad(
            "BadRequest",
            format!(
                "The VM size of AgentPoolProfile:{name} is not allowed in your subscription in location '{location}'. The \
                 available VM sizes are '{}'. For more details, please visit https://aka.ms/cpu-quota",
                known.join(",")
            ),
        )
    })
}

fn add_defaults(properties: &mut Value, size: &Size) {
    let ephemeral = size.cache_gib >= 128;
    let defaults = [
        ("osDiskSizeGB", json!(128)),
        ("osDiskType", json!(if ephemeral { "Ephemeral" } else { "Managed" })),
        ("kubeletDiskType", json!("OS")),
        ("maxPods", json!(250)),
        ("osType", json!("Linux")),
        ("osSKU", json!("Ubuntu")),
        ("mode", json!("User")),
        ("enableAutoScaling", json!(false)),
        ("enableNodePublicIP", json!(false)),
        ("enableEncryptionAtHost", json!(false)),
        ("enableUltraSSD", json!(false)),
        ("enableFIPS", json!(false)),
        ("scaleDownMode", json!("Delete")),
        ("upgradeSettings", json!({"maxSurge": "10%", "maxUnavailable": "0"})),
        ("securityProfile", json!({"enableVTPM": false, "enableSecureBoot": false})),
    ];
    for (name, value) in defaults {
        set_default(properties, name, value);
    }
    set(properties, "vmSize", size.name);
}

fn check_counts(properties: &Value, is_new: bool, about: &dyn Fn(&str) -> String) -> Result<()> {
    let count = number(properties, "count").unwrap_or_default();
    let system = text(properties, "mode") == Some("System");
    let least = i64::from(system);
    let wrong = |what: &str, says: String| {
        let target = about(what);
        Err(Error::invalid(
            &target,
            format!("The value of parameter {target} is invalid. Error details: {says}"),
        ))
    };
    if !(least..=MOST_NODES).contains(&count) {
        return wrong("count", format!("The count must be in the range of {least} to {MOST_NODES}."));
    }
    let limits = (number(properties, "minCount"), number(properties, "maxCount"));
    match (is_true(properties, "enableAutoScaling"), limits) {
        (false, (None, None)) => Ok(()),
        (false, (min, _)) => {
            let what = if min.is_some() { "minCount" } else { "maxCount" };
            wrong(what, format!("{what} should not be set when autoscaling is not enabled."))
        }
        (true, (None, _)) => {
            wrong("minCount", "minCount is required when autoscaling is enabled.".to_owned())
        }
        (true, (_, None)) => {
            wrong("maxCount", "maxCount is required when autoscaling is enabled.".to_owned())
        }
        (true, (Some(min), Some(max))) => {
            if !(least..=MOST_NODES).contains(&min) || !(1..=MOST_NODES).contains(&max) || min > max {
                let says = format!(
                    "minCount {min} and maxCount {max} must be in the range of {least} to {MOST_NODES}, minCount not above maxCount."
                );
                return wrong("minCount", says);
            }
            if is_new && !(min..=max).contains(&count) {
                return wrong(
                    "count",
                    format!("count {count} must be in the range of minCount {min} to maxCount {max}."),
                );
            }
            Ok(())
        }
    }
}

fn check_disk(properties: &Value, size: &Size, about: &dyn Fn(&str) -> String) -> Result<()> {
    let gib = number(properties, "osDiskSizeGB").unwrap_or_default();
    let target = about("osDiskSizeGB");
    if gib != 0 && !(30..=2048).contains(&gib) {
        let says = format!(
            "The value of parameter {target} is invalid. Error details: it must be in the range of 30 to 2048."
        );
        return Err(Error::invalid(&target, says));
    }
    match text(properties, "osDiskType") {
        Some("Managed") => Ok(()),
        Some("Ephemeral") if gib <= i64::from(size.cache_gib) => Ok(()),
        Some("Ephemeral") => {
            let says = format!(
                "The virtual machine size {} has a cache size of {} GB, but the OS disk requires {gib} GB. Use a VM size \
                 with larger cache or disable ephemeral OS.",
                size.name, size.cache_gib
            );
            Err(Error::invalid(&about("osDiskType"), says))
        }
        other => {
            let says = format!("Invalid osDiskType '{}'.", other.unwrap_or_default());
            Err(Error::invalid(&about("osDiskType"), says))
        }
    }
}

fn check_zones(properties: &Value, location: &str, about: &dyn Fn(&str) -> String) -> Result<()> {
    let known = catalogue::region(location).map_or(&[][..], catalogue::Region::zones);
    for zone in items(at(properties, "availabilityZones")) {
        let zone = zone.as_str().unwrap_or_default();
        if !known.contains(&zone) {
            let says = format!(
                "Preflight validation check for resource(s) failed: availability zone '{zone}' is not supported in location '{location}'."
            );
            return Err(Error::bad("AvailabilityZoneNotSupported", says).about(&about("availabilityZones")));
        }
    }
    Ok(())
}

fn check_subnet(call: &Call<'_>, properties: &Value, about: &dyn Fn(&str) -> String) -> Result<()> {
    let Some(subnet) = text(properties, "vnetSubnetID") else { return Ok(()) };
    if call.subscription().documents.contains_key(&key(subnet)) {
        return Ok(());
    }
    let says = format!("Subnet {subnet} does not exist, or the identity of the cluster may not read it.");
    Err(Error::bad("SubnetNotFound", says).about(&about("vnetSubnetID")))
}

/// Holds pools against the subscription's processors in the region.
///
/// # Errors
/// `ErrCode_InsufficientVCPUQuota`.
pub(super) fn check_quota(call: &Call<'_>, location: &str, more: u32) -> Result<()> {
    let used = used_cores(call.subscription().clusters.values(), location);
    let left = if call.effects.quota() { 0 } else { CORES.saturating_sub(used) };
    if more <= left && !call.effects.quota() {
        return Ok(());
    }
    Err(Error::bad(
        "ErrCode_InsufficientVCPUQuota",
        format!(
            "Insufficient regional vcpu quota left for location {location}. left regional vcpu quota {left}, requested \
             quota {more}. If you want to increase the quota, please follow this instruction: \
             https://learn.microsoft.com/azure/quotas/view-quotas. Surge nodes would also consume vcpu quota, please \
             consider use smaller maxSurge or use maxUnavailable to proceed upgrade without surge nodes, details: \
             aka.ms/aks/maxUnavailable."
        ),
    ))
}

/// Processors of a region that clusters use.
pub(crate) fn used_cores<'a>(clusters: impl Iterator<Item = &'a Cluster>, location: &str) -> u32 {
    clusters
        .filter(|cluster| {
            cluster.location == location && !cluster.stopped && !super::copies::is_copy(cluster.name())
        })
        .flat_map(|cluster| cluster.pools.iter().filter(|pool| !super::copies::is_copy(&pool.name)))
        .map(|pool| pool.count() * pool.size().map_or(0, |size| size.cpu))
        .sum()
}
