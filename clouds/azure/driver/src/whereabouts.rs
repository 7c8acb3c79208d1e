//! Where clusters lie and what guards them, as far as AKS itself does not say it: the scale sets of their nodes do, and the
//! networks whose parts their subnets are. Never writes.

use std::collections::BTreeMap;

use futures::stream::{self, StreamExt};
use pmks_driver::{ErrorKind, Marks, Missed};
use pmks_model::{Cluster, Iid};

use crate::arm_id::ArmId;
use crate::clusters::{AT_ONCE, miss};
use crate::wire::container_service as wire;
use crate::wire::{compute, network};
use crate::{AzureDriver, convert};

/// The security groups of subnets, by the subnet's identifier in lower case.
pub(crate) type Guards = BTreeMap<String, Iid>;

/// The security groups at the subnets that were named for these clusters: one call for each network. Of clusters that pmks
/// made none is asked for: their groups are those that were named for them.
pub(crate) async fn guards(
    driver: &AzureDriver,
    clusters: &[wire::ManagedCluster],
    missed: &mut Vec<Missed>,
) -> Guards {
    let others = clusters.iter().filter(|cluster| !is_marked(cluster.tags.keys()));
    let networks = others.flat_map(convert::subnets).filter_map(|subnet| subnet.parent());
    let networks: BTreeMap<String, ArmId> = networks.map(|id| (key(&id), id)).collect();
    let calls: Vec<_> =
        networks.into_values().map(|id| async move { (driver.api.network(&id).await, id) }).collect();
    let read: Vec<_> = stream::iter(calls).buffered(AT_ONCE).collect().await;
    let mut guards = Guards::new();
    for (read, id) in read {
        match read {
            Ok(network) => guards.extend(network.properties.subnets.iter().filter_map(guard)),
            // A network of somebody else's, of whom the cluster has its subnet: whoever may read the one need not read
            // the other.
            Err(error) if error.is_not_found() || matches!(error.kind(), ErrorKind::Forbidden { .. }) => {}
            Err(error) => missed.push(miss(&format!("network {}", id.name()), &error)),
        }
    }
    guards
}

fn guard(subnet: &network::Subnet) -> Option<(String, Iid)> {
    let group = ArmId::parse(&subnet.properties.network_security_group.as_ref()?.id)?;
    Some((key(&ArmId::parse(&subnet.id)?), Iid::new(group.name(), group.to_string())))
}

fn key(id: &ArmId) -> String {
    id.to_string().to_lowercase()
}

fn is_marked<'a>(mut tags: impl Iterator<Item = &'a String>) -> bool {
    tags.any(|key| Marks::is_own(key))
}

/// A cluster with what its nodes' interfaces and its subnets say. One for which no subnet was named lies in a network that
/// AKS made for it. One that pmks made has the group that was named for it at its subnets, and AKS' own is nobody's to
/// name.
pub(crate) fn placed(
    mut cluster: Cluster,
    found: &wire::ManagedCluster,
    sets: &[compute::ScaleSet],
    guards: &Guards,
) -> Cluster {
    let interfaces = interfaces(found.properties.node_resource_group.as_deref(), sets);
    if cluster.network.subnets.is_empty() {
        let addresses = interfaces.iter().flat_map(|one| &one.ip_configurations);
        let subnets = addresses.filter_map(|one| one.properties.subnet.as_ref());
        cluster.network = convert::network(&convert::each_once(subnets.map(|subnet| subnet.id.as_str())));
    }
    if !is_marked(cluster.tags.keys()) {
        let mut groups = security_groups(&interfaces);
        let subnets = cluster.network.subnets.iter();
        groups.extend(subnets.filter_map(|subnet| guards.get(&subnet.system_id.to_lowercase()).cloned()));
        groups.sort();
        groups.dedup_by(|a, b| a.system_id.eq_ignore_ascii_case(&b.system_id));
        cluster.network.security_groups = groups;
    }
    cluster
}

/// The interfaces of one cluster's nodes: of its scale sets, those in its node resource group.
fn interfaces<'a>(
    group: Option<&str>,
    sets: &'a [compute::ScaleSet],
) -> Vec<&'a compute::InterfaceConfigurationProperties> {
    let Some(group) = group else { return Vec::new() };
    let is_own = |set: &&compute::ScaleSet| {
        ArmId::parse(&set.id).is_some_and(|id| id.group().eq_ignore_ascii_case(group))
    };
    let profiles = sets
        .iter()
        .filter(is_own)
        .filter_map(|set| set.properties.virtual_machine_profile.as_ref()?.network_profile.as_ref());
    profiles
        .flat_map(|profile| &profile.network_interface_configurations)
        .map(|one| &one.properties)
        .collect()
}

/// The security groups of these interfaces. AKS makes one, and CB-Spider adds the rules of the groups that are named for a
/// cluster to it.
///
/// Source: <https://github.com/cloud-barista/cb-spider>, `drivers/azure/resources/ClusterHandler.go`, `applySecurityGroupList`
fn security_groups(interfaces: &[&compute::InterfaceConfigurationProperties]) -> Vec<Iid> {
    let ids = interfaces.iter().filter_map(|one| ArmId::parse(&one.network_security_group.as_ref()?.id));
    let mut found: Vec<Iid> = ids.map(|id| Iid::new(id.name(), id.to_string())).collect();
    found.sort();
    found.dedup_by(|a, b| a.system_id.eq_ignore_ascii_case(&b.system_id));
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_groups_of_a_cluster_are_those_of_its_nodes_interfaces() {
        const SET: &str = "/subscriptions/0/resourceGroups/MC_g/providers/Microsoft.Compute/virtualMachineScaleSets/aks-ga-1";
        const GROUP: &str = "/subscriptions/0/resourceGroups/MC_g/providers/Microsoft.Network/networkSecurityGroups/aks-1-nsg";
        let set = |id: &str, groups: &[&str]| -> compute::ScaleSet {
            let of = |id: &&str| json!({"name": "n", "properties": {"networkSecurityGroup": {"id": id}}});
            let mut all: Vec<serde_json::Value> = groups.iter().map(of).collect();
            all.push(json!({"name": "none", "properties": {"networkSecurityGroup": null}}));
            let profile = json!({"networkProfile": {"networkInterfaceConfigurations": all}});
            serde_json::from_value(json!({"id": id, "properties": {"virtualMachineProfile": profile}}))
                .unwrap()
        };
        let other = GROUP.replace("aks-1", "other");
        let sets = [
            set(SET, &[GROUP]),
            set(&SET.replace("ga", "gb"), &[&GROUP.to_lowercase().replace("mc_g", "MC_g"), &other]),
            set(&SET.replace("MC_g", "MC_other"), &[&GROUP.replace("aks-1", "theirs")]),
            serde_json::from_value(json!({"id": SET})).unwrap(),
        ];
        let of = |sets: &[compute::ScaleSet]| security_groups(&interfaces(Some("mc_g"), sets));
        let found = of(&sets);
        let names: Vec<&str> = found.iter().map(|group| group.name_id.as_str()).collect();
        assert_eq!(names, ["aks-1-nsg", "other-nsg"]);
        assert_eq!(found[0].system_id, GROUP);
        assert!(interfaces(None, &sets).is_empty());
    }

    #[test]
    fn where_nodes_lie_is_told_where_no_subnet_was_named() {
        const GROUP: &str = "/subscriptions/0/resourceGroups/MC_g/providers";
        let subnet = format!("{GROUP}/Microsoft.Network/virtualNetworks/aks-vnet-1/subnets/aks-subnet");
        let address = json!({"name": "a", "properties": {"primary": true, "subnet": {"id": subnet}}});
        let interface = json!({"name": "n", "properties": {"ipConfigurations": [address, address]}});
        let profile = json!({"networkProfile": {"networkInterfaceConfigurations": [interface]}});
        let set = json!({"id": format!("{GROUP}/Microsoft.Compute/virtualMachineScaleSets/aks-ga-1"),
            "properties": {"virtualMachineProfile": profile}});
        let sets = [serde_json::from_value(set).unwrap()];
        let found = serde_json::from_value(json!({"properties": {"nodeResourceGroup": "mc_g"}})).unwrap();
        let network = placed(Cluster::default(), &found, &sets, &Guards::new()).network;
        let own = subnet.strip_suffix("/subnets/aks-subnet").unwrap();
        assert_eq!(network.network, Iid::new("aks-vnet-1", own));
        assert_eq!(network.subnets, [Iid::new("aks-subnet", subnet)]);
    }
}
