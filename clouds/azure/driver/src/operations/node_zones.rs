//! The zones of nodes: those that the user names, else the connection's. AKS spreads the nodes of a pool over its zones,
//! in whatever number they are, and a pool keeps its zones for life.
//!
//! Source: <https://learn.microsoft.com/azure/aks/reliability-availability-zones-configure>

use std::collections::BTreeSet;

use pmks_model::{ClusterRequest, Findings};
use serde_json::Value;

use crate::capabilities::NODE_ZONES;
use crate::machines::Size;
use crate::wire::container_service::ManagedCluster;

/// The zones of a pool; none: its nodes are regional.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Zones {
    pub(super) names: Vec<String>,
    /// Whether the option of the cluster names them, which nobody has held against the region yet.
    by_option: bool,
}

impl Zones {
    /// Of the pools that a cluster is made with.
    pub(super) fn of_request(request: &ClusterRequest, here: Option<&str>) -> Self {
        match request.options.get(NODE_ZONES).and_then(Value::as_array) {
            Some(asked) if !asked.is_empty() => {
                let names = asked.iter().filter_map(Value::as_str).map(str::to_owned).collect();
                Self { names, by_option: true }
            }
            _ => Self { names: here.map(str::to_owned).into_iter().collect(), by_option: false },
        }
    }

    /// Of a pool that is added: those of the cluster's first one, so that what was chosen for the cluster goes on. Zones
    /// that AKS chooses are said as `auto`, which is a choice and no zone:
    /// <https://learn.microsoft.com/azure/aks/configure-automatic-zone-placement>
    pub(super) fn of_standing(cluster: &ManagedCluster, here: Option<&str>) -> Self {
        let first = cluster.properties.agent_pool_profiles.first();
        let fixed = |zones: &Vec<String>| !zones.is_empty() && zones.iter().all(|zone| zone != "auto");
        let names = first.map(|pool| pool.availability_zones.clone()).filter(fixed);
        let names = names.unwrap_or_else(|| here.map(str::to_owned).into_iter().collect());
        Self { names, by_option: false }
    }

    /// Each is a zone that some machine type of the region is offered in, and is named once.
    pub(super) fn check(&self, sizes: &[Size], region: &str, findings: &mut Findings) {
        if !self.by_option {
            return;
        }
        let field = format!("options.{NODE_ZONES}");
        let known: BTreeSet<&str> =
            sizes.iter().flat_map(|size| &size.machine.zones).map(String::as_str).collect();
        let mut seen = BTreeSet::new();
        for zone in &self.names {
            if !known.contains(zone.as_str()) {
                let has = if known.is_empty() {
                    "none".to_owned()
                } else {
                    known.iter().copied().collect::<Vec<_>>().join(", ")
                };
                findings.add(
                    &field,
                    format!("{zone:?} is no zone of {region} for this subscription; it has {has}"),
                );
            } else if !seen.insert(zone) {
                findings.add(&field, format!("names {zone:?} twice"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use pmks_model::MachineType;
    use serde_json::json;

    use super::*;

    fn request(options: &Value) -> ClusterRequest {
        serde_json::from_value(
            json!({"name": "web", "version": "default", "network": {"nameId": "n", "systemId": "n"},
            "subnets": [], "securityGroups": [], "nodeGroups": [], "tags": {}, "options": options}),
        )
        .unwrap()
    }

    #[test]
    fn the_option_comes_before_the_connection_and_standing_pools_before_it() {
        let asked = |options: Value, here| Zones::of_request(&request(&options), here).names;
        assert_eq!(asked(json!({}), None), [""; 0]);
        assert_eq!(asked(json!({}), Some("1")), ["1"]);
        assert_eq!(asked(json!({"nodeZones": []}), Some("1")), ["1"]);
        assert_eq!(asked(json!({"nodeZones": ["2", "3"]}), Some("1")), ["2", "3"]);
        let standing = |zones: Value, here| {
            let pools = json!([{"name": "ga", "availabilityZones": zones}]);
            let cluster =
                serde_json::from_value(json!({"properties": {"agentPoolProfiles": pools}})).unwrap();
            Zones::of_standing(&cluster, here).names
        };
        assert_eq!(standing(json!(["2", "3"]), Some("1")), ["2", "3"]);
        assert_eq!(standing(json!([]), Some("1")), ["1"]);
        assert_eq!(standing(json!(["auto"]), Some("1")), ["1"]);
        assert_eq!(standing(json!([]), None), [""; 0]);
    }

    #[test]
    fn zones_are_those_of_the_region_each_once() {
        let size = |zones: &[&str]| Size {
            machine: MachineType {
                zones: zones.iter().map(|zone| (*zone).to_owned()).collect(),
                ..MachineType::default()
            },
            ..Size::default()
        };
        let found = |named: Value, sizes: &[Size]| {
            let mut findings = Findings::default();
            let zones = Zones::of_request(&request(&json!({"nodeZones": named})), None);
            zones.check(sizes, "koreacentral", &mut findings);
            findings.to_string()
        };
        let sizes = [size(&["1"]), size(&["1", "2"])];
        assert_eq!(found(json!(["2", "1"]), &sizes), "");
        let strange = found(json!(["2", "3"]), &sizes);
        assert!(
            strange.contains("options.nodeZones: \"3\" is no zone") && strange.contains("1, 2"),
            "{strange}"
        );
        assert!(found(json!(["1", "1"]), &sizes).contains("twice"));
        assert!(found(json!(["1"]), &[]).contains("it has none"));
    }
}
