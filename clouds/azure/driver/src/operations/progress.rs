//! AKS' own work, read in one list of the subscription's clusters: what it works on says so itself. How work ended no
//! list says: its operation is asked then. Pure.
//!
//! AKS lists the operations of one cluster at most, in preview:
//! <https://learn.microsoft.com/javascript/api/@azure/arm-containerservice/operationstatusresultoperations>

use std::collections::HashMap;

use pmks_driver::{Handle, Poll, ProgressList};
use serde_json::Value;

use crate::arm_id::ArmId;
use crate::wire::container_service::ManagedCluster;

/// The member of a handle that names what is worked on.
pub(super) const RESOURCE: &str = "resource";

/// The clusters and node groups that AKS works on, by their identifiers, with its word for that.
struct UnderWay(HashMap<String, String>);

/// What clusters say, as the list that answers many.
pub(crate) fn list(clusters: Vec<ManagedCluster>) -> ProgressList {
    let mut under_way = HashMap::new();
    for cluster in clusters {
        let Some(id) = ArmId::parse(&cluster.id) else { continue };
        for pool in cluster.properties.agent_pool_profiles {
            under_way.insert(key(&id.child("agentPools", &pool.name)), pool.provisioning_state);
        }
        under_way.insert(key(&id), cluster.properties.provisioning_state);
    }
    under_way.retain(|_, word| !matches!(word.as_str(), "Succeeded" | "Failed" | "Canceled" | ""));
    ProgressList::new(UnderWay(under_way))
}

/// How the work behind a handle stands by that list; `None`: it is not under way there.
pub(crate) fn follow_in(handle: &Handle, list: &ProgressList) -> Option<Poll> {
    let resource = handle.0.get(RESOURCE).and_then(Value::as_str)?;
    let says = list.get::<UnderWay>()?.0.get(&key(&ArmId::parse(resource)?))?.clone();
    Some(Poll::Pending { says, after: None })
}

fn key(id: &ArmId) -> String {
    id.to_string().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    const WEB: &str =
        "/subscriptions/0/resourceGroups/G/providers/Microsoft.ContainerService/managedClusters/web";

    fn says(cluster: &str, pool: &str, resource: &str) -> Option<String> {
        let shown = json!({
            "id": WEB.to_ascii_lowercase(), "name": "web",
            "properties": {
                "provisioningState": cluster,
                "agentPoolProfiles": [{"name": "ga", "provisioningState": pool}],
            },
        });
        let list = list(vec![ManagedCluster::deserialize(shown).unwrap()]);
        let handle = Handle(json!({"operation": "https://m/o", RESOURCE: resource}));
        follow_in(&handle, &list).map(|poll| match poll {
            Poll::Pending { says, after: None } => says,
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn what_is_worked_on_says_so_itself() {
        let pool = format!("{WEB}/agentPools/ga");
        assert_eq!(says("Creating", "Creating", WEB).as_deref(), Some("Creating"));
        assert_eq!(says("Succeeded", "Scaling", &pool).as_deref(), Some("Scaling"));
        assert_eq!(says("Succeeded", "Scaling", WEB), None);
    }

    #[test]
    fn how_it_ended_is_asked() {
        for word in ["Succeeded", "Failed", "Canceled", ""] {
            assert_eq!(says(word, word, WEB), None, "{word}");
        }
        assert_eq!(says("Deleting", "", &format!("{WEB}2")), None);
        // Work that an earlier release began.
        let list = list(Vec::new());
        assert!(follow_in(&Handle(json!({"operation": "https://m/o"})), &list).is_none());
    }
}
