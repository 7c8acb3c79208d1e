//! The addresses of a cluster beside those of its network: services' and pods' blocks that overlap nothing, and whether
//! the subnet has room for its nodes. Pure.
//!
//! Sources: <https://learn.microsoft.com/azure/aks/concepts-network-ip-address-planning>,
//! <https://learn.microsoft.com/azure/aks/concepts-network-cni-overview#aks-cni-networking-prerequisites>

use pmks_model::{Cidr, Findings, NodeGroupRequest};
use serde_json::{Value, json};

use crate::wire::network::{Subnet, VirtualNetwork};

/// What AKS takes for services where nobody chooses.
const SERVICES: &str = "10.0.0.0/16";
/// What AKS takes for pods where nobody chooses.
const PODS: &str = "10.244.0.0/16";
/// What AKS keeps for itself.
const RESERVED: [&str; 4] = ["169.254.0.0/16", "192.0.2.0/24", "172.30.0.0/16", "172.31.0.0/16"];
/// The addresses of each subnet that Azure keeps:
/// <https://learn.microsoft.com/azure/virtual-network/virtual-networks-faq#are-there-any-restrictions-on-using-ip-addresses-within-these-subnets>
const KEPT_BY_AZURE: u64 = 5;

/// The blocks of services and pods; `None` where AKS' own defaults overlap nothing.
///
/// # Errors
/// A sentence where no private block is left.
pub(super) fn profile(network: &VirtualNetwork) -> Result<Option<Value>, String> {
    let spaces: Vec<Cidr> = network
        .properties
        .address_space
        .address_prefixes
        .iter()
        .filter_map(|text| text.parse().ok())
        .collect();
    let (services, pods) = (block(SERVICES), block(PODS));
    let is_free = |candidate: Cidr, taken: &[Cidr]| !taken.iter().any(|other| other.overlaps(candidate));
    if is_free(services, &spaces) && is_free(pods, &spaces) {
        return Ok(None);
    }
    let choose = |first: Cidr, taken: &[Cidr]| {
        let all = [first].into_iter().chain(candidates());
        all.into_iter().find(|one| is_free(*one, taken)).ok_or_else(|| {
            "leaves no private block of 16 bits for the cluster's own services and pods".to_owned()
        })
    };
    let mut taken = [spaces, RESERVED.map(block).to_vec()].concat();
    // Pods first: of the two, theirs is the one that users know by heart.
    let pods = choose(pods, &taken)?;
    taken.push(pods);
    let services = choose(services, &taken)?;
    let start = services.to_string();
    let dns = start.split_once(".0/").map(|(head, _)| format!("{head}.10")).unwrap_or_default();
    Ok(Some(json!({"serviceCidr": start, "dnsServiceIP": dns, "podCidr": pods.to_string()})))
}

/// Private blocks of 16 bits.
fn candidates() -> impl Iterator<Item = Cidr> {
    let tens = (0..=255).map(|second| format!("10.{second}.0.0/16"));
    let others = (16..30).map(|second| format!("172.{second}.0.0/16"));
    tens.chain(others).chain(["192.168.0.0/16".to_owned()]).map(|text| block(&text))
}

fn block(text: &str) -> Cidr {
    text.parse().unwrap_or(Cidr::ALL)
}

/// Everything that is wrong with a subnet for so many nodes.
pub(super) fn check_subnet(
    field: &str,
    subnet: &Subnet,
    groups: &[NodeGroupRequest],
    findings: &mut Findings,
) {
    if !subnet.properties.delegations.is_empty() {
        findings.add(field, "is delegated to another service, which AKS does not take");
    }
    let Ok(addresses) = subnet.properties.cidr().parse::<Cidr>() else { return };
    if let Some(other) = RESERVED.into_iter().find(|other| block(other).overlaps(addresses)) {
        findings.add(field, format!("{addresses} overlaps {other}, which AKS keeps for itself"));
    }
    if let Some(says) = shortage(addresses, subnet.properties.ip_configurations.len(), groups) {
        findings.add(field, says);
    }
}

/// Each node takes an address, and one more of each node group while it is upgraded.
fn shortage(addresses: Cidr, used: usize, groups: &[NodeGroupRequest]) -> Option<String> {
    let all = 1_u64 << (32 - u32::from(addresses.prefix()).min(32));
    let used = u64::try_from(used).unwrap_or(u64::MAX);
    let free = all.saturating_sub(KEPT_BY_AZURE).saturating_sub(used);
    let most = |group: &NodeGroupRequest| {
        let scaling = group.scaling;
        u64::from(if scaling.auto_scaling { scaling.max.max(scaling.desired) } else { scaling.desired })
    };
    let nodes: u64 = groups.iter().map(most).sum();
    let surge = u64::try_from(groups.len()).unwrap_or_default();
    (nodes + surge > free).then(|| {
        format!(
            "{addresses} has {all} addresses, {KEPT_BY_AZURE} are Azure's and {used} are in use: {free} are free, and up \
             to {nodes} nodes need them, and {surge} more during upgrades"
        )
    })
}

#[cfg(test)]
mod tests {
    use pmks_model::Scaling;

    use super::*;
    use crate::wire::network::{AddressSpace, VirtualNetworkProperties};

    fn network(prefixes: &[&str]) -> VirtualNetwork {
        let address_prefixes = prefixes.iter().map(|text| (*text).to_owned()).collect();
        let properties = VirtualNetworkProperties {
            address_space: AddressSpace { address_prefixes },
            ..VirtualNetworkProperties::default()
        };
        VirtualNetwork { properties, ..VirtualNetwork::default() }
    }

    #[test]
    fn the_defaults_are_left_to_aks_where_they_fit() {
        assert_eq!(profile(&network(&["10.20.0.0/16"])).unwrap(), None);
        for (prefix, services, dns, pods) in [
            ("10.0.0.0/16", "10.1.0.0/16", "10.1.0.10", "10.244.0.0/16"),
            ("10.0.0.0/8", "172.17.0.0/16", "172.17.0.10", "172.16.0.0/16"),
            // Pods choose first; services give way in their turn.
            ("10.244.0.0/16", "10.1.0.0/16", "10.1.0.10", "10.0.0.0/16"),
        ] {
            let wanted = json!({"serviceCidr": services, "dnsServiceIP": dns, "podCidr": pods});
            assert_eq!(profile(&network(&[prefix])).unwrap().unwrap(), wanted, "{prefix}");
        }
        assert!(profile(&network(&["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"])).is_err());
    }

    #[test]
    fn nodes_need_addresses_and_the_arithmetic_is_shown() {
        let group = |desired, max, auto_scaling| NodeGroupRequest {
            name: "g".into(),
            version: pmks_model::VersionRequest::Default,
            machine_type: String::new(),
            image: String::new(),
            root_disk_type: String::new(),
            root_disk_size_gib: None,
            key_pair: None,
            scaling: Scaling { auto_scaling, min: 1, max, desired },
            any_size: false,
        };
        let block = "10.0.0.0/28".parse().unwrap();
        assert_eq!(shortage(block, 0, &[group(10, 99, false)]), None);
        assert!(shortage(block, 0, &[group(11, 99, false)]).unwrap().contains("11 are free"));
        assert!(shortage(block, 0, &[group(2, 11, true)]).is_some());
        assert!(shortage(block, 9, &[group(2, 2, false)]).is_some());
    }
}
