//! Whether a subnetwork has addresses for the nodes that a cluster begins with. Pure.

use pmks_model::{Cidr, NodeGroupRequest};

/// The addresses of a subnetwork's primary range that nobody gets.
///
/// Source: <https://cloud.google.com/vpc/docs/subnets#unusable-ip-addresses-in-every-subnet>
const KEPT_BY_GOOGLE: u64 = 4;

/// Each node takes an address of the subnetwork's primary range. What else takes some there is not counted.
///
/// Source: <https://cloud.google.com/kubernetes-engine/docs/concepts/alias-ips#cluster_sizing_primary_range>
pub(super) fn shortage(range: &str, groups: &[NodeGroupRequest], zones: usize) -> Option<String> {
    let addresses: Cidr = range.parse().ok()?;
    let all = 1_u64 << (32 - u32::from(addresses.prefix()).min(32));
    let free = all.saturating_sub(KEPT_BY_GOOGLE);
    let least = u64::try_from(zones).unwrap_or(1);
    let of = |group: &NodeGroupRequest| if group.any_size { least } else { group.scaling.desired.into() };
    let nodes: u64 = groups.iter().map(of).sum();
    (nodes > free).then(|| {
        format!(
            "{range} has {free} addresses for nodes, and {nodes} nodes are asked for: name a larger subnet"
        )
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nodes_need_addresses_and_the_arithmetic_is_shown() {
        let group = |desired: u32, any_size: bool| -> NodeGroupRequest {
            let scaling = json!({"autoScaling": false, "min": 1, "max": 9, "desired": desired});
            serde_json::from_value(json!({"name": "g", "scaling": scaling, "anySize": any_size})).unwrap()
        };
        assert_eq!(shortage("10.0.0.0/29", &[group(1, false), group(3, false)], 1), None);
        assert_eq!(shortage("10.0.0.0/29", &[group(1, true)], 3), None);
        let small = shortage("10.0.0.0/29", &[group(2, false), group(1, true)], 3).unwrap();
        assert!(small.contains("has 4 addresses for nodes, and 5 nodes are asked for"), "{small}");
    }
}
