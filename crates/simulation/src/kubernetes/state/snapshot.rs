//! A cluster's content as JSON, for a simulated world that outlives its process.
//! The recent changes are not kept: a watch from before is told to list again.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::identifiers::Identifiers;
use super::store::{Key, Store};
use super::{ClusterSettings, ClusterState, World};
use crate::kubernetes::resource::Resource;
use crate::kubernetes::{Error, Result, WallClock};

/// All that a cluster holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterSnapshot {
    settings: ClusterSettings,
    resource_version: u64,
    identifiers: Identifiers,
    objects: Vec<Value>,
}

impl ClusterState {
    /// What [`ClusterState::restore`] needs.
    pub fn snapshot(&self) -> ClusterSnapshot {
        self.read(|world| ClusterSnapshot {
            settings: world.settings.clone(),
            resource_version: world.store.version(),
            identifiers: world.identifiers.clone(),
            objects: world.store.all().map(|object| Value::clone(object)).collect(),
        })
    }

    /// The same cluster again. [`ClusterState::on_delete`] must be set anew.
    ///
    /// # Errors
    /// [`Error::Snapshot`] when an object in it is damaged or of a kind unknown here.
    pub fn restore(snapshot: ClusterSnapshot, clock: WallClock) -> Result<Self> {
        let mut store = Store::at(snapshot.resource_version);
        for object in snapshot.objects {
            store.restore(key_of(&object)?, object);
        }
        let ClusterSnapshot { settings, identifiers, .. } =
            ClusterSnapshot { objects: Vec::new(), ..snapshot };
        Ok(Self::over(World { settings, store, identifiers, unseen_since: None }, clock))
    }
}

fn key_of(object: &Value) -> Result<Key> {
    let damaged = |what: &str| Error::Snapshot(format!("{what}: {}", object["metadata"]["name"]));
    let resource = Resource::of_object(object).ok_or_else(|| damaged("an object of an unknown kind"))?;
    let metadata = &object["metadata"];
    let name = metadata["name"].as_str().ok_or_else(|| damaged("an object without a name"))?;
    // What edits an object relies on these being objects.
    if [&object["spec"], &object["status"]].into_iter().any(|part| !part.is_object() && !part.is_null()) {
        return Err(damaged("an object whose spec or status is none"));
    }
    Ok(Key::new(resource, metadata["namespace"].as_str().unwrap_or_default(), name))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;

    #[test]
    fn a_damaged_snapshot_is_an_error_and_a_whole_one_the_same_again() {
        let clock: WallClock = Arc::new(|| "2026-11-23T12:00:00Z".parse().unwrap());
        let state = ClusterState::new(ClusterSettings::new("seoul", "v1.33.4"), Arc::clone(&clock));
        let stored = serde_json::to_value(state.snapshot()).unwrap();
        let again =
            ClusterState::restore(serde_json::from_value(stored.clone()).unwrap(), Arc::clone(&clock));
        assert_eq!(serde_json::to_value(again.unwrap().snapshot()).unwrap(), stored);
        for object in [
            json!(7),
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}}),
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": "a"}),
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": []}),
        ] {
            let mut damaged = stored.clone();
            damaged["objects"] = json!([object]);
            let snapshot = serde_json::from_value(damaged).unwrap();
            assert!(matches!(ClusterState::restore(snapshot, Arc::clone(&clock)), Err(Error::Snapshot(_))));
        }
    }
}
