//! The Kubernetes versions of AKS, and what a cluster or pool may be upgraded to.
//!
//! Source: <https://learn.microsoft.com/azure/aks/supported-kubernetes-versions>.

use serde_json::{Value, json};

use super::clusters;
use crate::arm::Call;
use crate::catalogue;
use crate::error::{Error, Result};
use crate::reply::Reply;

/// Minor versions with their patches, oldest first.
const VERSIONS: [(&str, &[&str]); 5] = [
    ("1.31", &["1.31.11", "1.31.13"]),
    ("1.32", &["1.32.9", "1.32.11"]),
    ("1.33", &["1.33.5", "1.33.7"]),
    ("1.34", &["1.34.2", "1.34.4"]),
    ("1.35", &["1.35.0", "1.35.1"]),
];
/// Minor versions that only clusters with long-term support may have.
const LONG_TERM: [&str; 2] = ["1.31", "1.32"];
/// The one that is chosen where none is asked for.
const DEFAULT: &str = "1.34";
/// How many minor versions nodes may be behind.
const SKEW: u32 = 3;

/// The image of nodes.
pub(super) const NODE_IMAGE: &str = "AKSUbuntu-2204gen2containerd-202611.05.0";

/// All patch versions, oldest first.
fn patches() -> impl Iterator<Item = &'static str> {
    VERSIONS.iter().flat_map(|(_, patches)| patches.iter().copied())
}

fn minor(version: &str) -> &str {
    match version.match_indices('.').nth(1) {
        Some((at, _)) => version.get(..at).unwrap_or(version),
        None => version,
    }
}

fn minor_number(version: &str) -> u32 {
    minor(version).rsplit('.').next().and_then(|number| number.parse().ok()).unwrap_or_default()
}

fn place(version: &str) -> Option<usize> {
    patches().position(|known| known == version)
}

/// The patch version that an asked one means: itself, or the newest of a minor version; the default for none.
///
/// # Errors
/// `AgentPoolK8sVersionNotSupported`.
pub(super) fn resolve(asked: Option<&str>) -> Result<&'static str> {
    let asked = asked.unwrap_or(DEFAULT);
    let whole = patches().find(|known| *known == asked);
    let newest = || patches().filter(|known| minor(known) == asked).last();
    whole.or_else(newest).ok_or_else(|| {
        Error::bad(
            "AgentPoolK8sVersionNotSupported",
            format!(
                "Version {asked} is not supported in this region. Please use [az aks get-versions] command to get the \
                 supported version list in this region. For more information, please check \
                 https://aka.ms/supported-version-list"
            ),
        )
    })
}

/// Whether a version is only for clusters with long-term support.
pub(super) fn is_long_term(version: &str) -> bool {
    LONG_TERM.contains(&minor(version))
}

/// What a control plane of this version may be upgraded to: later patches, and the next minor version.
pub(super) fn upgrades(from: &str) -> Vec<&'static str> {
    let next = minor_number(from) + 1;
    let later = |known: &&str| place(known) > place(from) && minor_number(known) <= next;
    patches().filter(later).collect()
}

/// What an asked version means for something that has one: the same where only the minor version is said and is the same.
///
/// # Errors
/// When there is no such version.
pub(super) fn meant(asked: Option<&str>, current: &str) -> Result<String> {
    match asked {
        None => Ok(current.to_owned()),
        Some(asked) if asked == current || asked == minor(current) => Ok(current.to_owned()),
        Some(asked) => resolve(Some(asked)).map(str::to_owned),
    }
}

/// Whether a control plane may go from one version to the other.
///
/// # Errors
/// With the versions to which it may go.
pub(super) fn check_upgrade(from: &str, to: &str) -> Result<()> {
    let available = upgrades(from);
    if available.contains(&to) {
        return Ok(());
    }
    Err(Error::bad(
        "OperationNotAllowed",
        format!(
            "Upgrading Kubernetes version {from} to {to} is not allowed. Available upgrades: [{}]. Please see \
             https://aka.ms/aks-supported-k8s-ver for version details.",
            available.join(" ")
        ),
    ))
}

/// Whether nodes of a version can be in a cluster of another.
///
/// # Errors
/// `NodePoolMcVersionIncompatible`.
pub(super) fn check_skew(pool: &str, control_plane: &str) -> Result<()> {
    let (nodes, own) = (minor_number(pool), minor_number(control_plane));
    if place(pool) <= place(control_plane) && own - nodes <= SKEW {
        return Ok(());
    }
    Err(Error::bad(
        "NodePoolMcVersionIncompatible",
        format!(
            "Node pool version {pool} and control plane version {control_plane} are incompatible. Minor version of node \
             pool cannot be bigger than control plane version. Minor version of node pool cannot be more than {SKEW} \
             versions less than control plane."
        ),
    ))
}

/// Whether a pool may go from one version to the other.
///
/// # Errors
/// When it would be a step back.
pub(super) fn check_pool_upgrade(name: &str, from: &str, to: &str) -> Result<()> {
    if place(to) > place(from) {
        return Ok(());
    }
    let says =
        format!("Downgrading agent pool {name} from Kubernetes version {from} to {to} is not allowed.");
    Err(Error::bad("AgentPoolUpgradeVersionNotAllowed", says))
}

/// The versions of a region.
pub(super) fn list(call: &Call<'_>) -> Result<Reply> {
    let location = call.name(1);
    if catalogue::region(location).is_none() {
        let says = format!(
            "The provided location '{location}' is not available for resource type 'managedClusters'."
        );
        return Err(Error::bad("LocationNotAvailableForResourceType", says));
    }
    let show = |(version, own): &(&str, &[&str])| {
        let patches: serde_json::Map<String, Value> =
            own.iter().map(|patch| ((*patch).to_owned(), json!({"upgrades": upgrades(patch)}))).collect();
        let plans: &[&str] = if LONG_TERM.contains(version) {
            &["AKSLongTermSupport"]
        } else {
            &["KubernetesOfficial", "AKSLongTermSupport"]
        };
        json!({
            "version": version, "capabilities": {"supportPlan": plans}, "patchVersions": patches,
            "isDefault": (*version == DEFAULT).then_some(true),
        })
    };
    Ok(Reply::ok(json!({"values": VERSIONS.iter().map(show).collect::<Vec<_>>()})))
}

fn choices(from: &str) -> Vec<Value> {
    upgrades(from).into_iter().map(|version| json!({"kubernetesVersion": version})).collect()
}

/// What a cluster and its pools may be upgraded to.
pub(super) fn of_cluster(call: &Call<'_>) -> Result<Reply> {
    let cluster = clusters::find(call)?;
    let pools = cluster.pools.iter().map(|pool| {
        json!({"name": pool.name, "kubernetesVersion": pool.version, "osType": "Linux", "upgrades": choices(&pool.version)})
    });
    Ok(Reply::ok(json!({
        "id": format!("{}/upgradeProfiles/default", cluster.id), "name": "default",
        "type": "Microsoft.ContainerService/managedClusters/upgradeProfiles",
        "properties": {
            "controlPlaneProfile": {
                "kubernetesVersion": cluster.version, "osType": "Linux", "upgrades": choices(&cluster.version),
            },
            "agentPoolProfiles": pools.collect::<Vec<_>>(),
        },
    })))
}

/// What one pool may be upgraded to.
pub(super) fn of_pool(call: &Call<'_>) -> Result<Reply> {
    let cluster = clusters::find(call)?;
    let pool = super::pools::find(cluster, call.name(3))?;
    let upgrades: Vec<Value> = patches()
        .filter(|known| place(known) > place(&pool.version) && check_skew(known, &cluster.version).is_ok())
        .map(|version| json!({"kubernetesVersion": version}))
        .collect();
    Ok(Reply::ok(json!({
        "id": format!("{}/agentPools/{}/upgradeProfiles/default", cluster.id, pool.name), "name": "default",
        "type": "Microsoft.ContainerService/managedClusters/agentPools/upgradeProfiles",
        "properties": {
            "kubernetesVersion": pool.version, "osType": "Linux", "upgrades": upgrades,
            "latestNodeImageVersion": NODE_IMAGE,
        },
    })))
}

/// The versions that a new pool of a cluster may have.
pub(super) fn for_pools(call: &Call<'_>) -> Result<Reply> {
    let cluster = clusters::find(call)?;
    let fit = patches().filter(|known| check_skew(known, &cluster.version).is_ok());
    let shown: Vec<Value> =
        fit.map(|known| json!({"kubernetesVersion": known, "default": known == cluster.version})).collect();
    Ok(Reply::ok(json!({
        "id": format!("{}/availableAgentPoolVersions", cluster.id), "name": "default",
        "type": "Microsoft.ContainerService/managedClusters/availableAgentpoolVersions",
        "properties": {"agentPoolVersions": shown},
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_resolved() {
        assert_eq!(resolve(None).unwrap(), "1.34.4");
        assert_eq!(resolve(Some("1.33")).unwrap(), "1.33.7");
        assert_eq!(resolve(Some("1.33.5")).unwrap(), "1.33.5");
        assert_eq!(resolve(Some("1.9")).unwrap_err().code, "AgentPoolK8sVersionNotSupported");
        assert_eq!(meant(Some("1.33"), "1.33.5").unwrap(), "1.33.5");
        assert_eq!(meant(Some("1.34"), "1.33.5").unwrap(), "1.34.4");
    }

    #[test]
    fn upgrades_go_one_minor_version_at_a_time() {
        assert_eq!(upgrades("1.33.5"), ["1.33.7", "1.34.2", "1.34.4"]);
        assert!(check_upgrade("1.33.5", "1.34.2").is_ok());
        assert!(check_upgrade("1.33.5", "1.35.0").unwrap_err().message.contains("[1.33.7 1.34.2 1.34.4]"));
        assert!(check_upgrade("1.34.2", "1.33.7").is_err());
        assert!(upgrades("1.35.1").is_empty());
    }

    #[test]
    fn nodes_are_never_newer_and_not_too_old() {
        assert!(check_skew("1.33.5", "1.34.2").is_ok());
        assert!(check_skew("1.34.4", "1.34.2").is_err());
        assert!(check_skew("1.31.11", "1.35.0").is_err());
    }
}
