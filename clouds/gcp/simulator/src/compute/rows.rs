//! The ground truth of Compute Engine in one project.

use std::collections::BTreeMap;

use pmks_simulation::Resource;
use serde_json::Value;

use super::collections::collection;
use crate::world::Project;

/// Every resource, and every item of the metadata that all machines share.
pub(crate) fn resources(project: &Project) -> Vec<Resource> {
    let state = &project.compute;
    let mut rows = Vec::new();
    for stored in state.resources.values() {
        let Some(known) = collection(&stored.collection) else { continue };
        let labels: BTreeMap<String, String> = stored
            .body
            .get("labels")
            .and_then(Value::as_object)
            .map(|labels| {
                labels
                    .iter()
                    .map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()))
                    .collect()
            })
            .unwrap_or_default();
        let ready = if stored.busy.is_some() { "BUSY" } else { "READY" };
        let mut row =
            Resource::new(known.row, &stored.id, ready, stored.created).named(&stored.name).tagged(&labels);
        row = row.with("scope", &*stored.scope);
        for field in ["network", "ipCidrRange", "description"] {
            if let Some(value) = stored.body.get(field) {
                row = row.with(field, value.clone());
            }
        }
        rows.push(row);
    }
    for (key, value) in &state.metadata {
        let row = Resource::new("metadataItem", key, "READY", project.created).named(key);
        rows.push(row.with("value", value.as_str()));
    }
    for group in state.groups.values() {
        let row = Resource::new("instanceGroupManager", &group.id, "READY", group.created).named(&group.name);
        rows.push(
            row.with("zone", &*group.wish.zone)
                .with("targetSize", group.target)
                .with("cluster", &*group.wish.cluster),
        );
    }
    for one in state.instances.values() {
        let row = Resource::new("instance", &one.id, &one.status, one.created)
            .named(&one.name)
            .tagged(&one.wish.labels);
        let row = row
            .with("zone", &*one.wish.zone)
            .with("cluster", &*one.wish.cluster)
            .with("pool", &*one.wish.pool);
        rows.push(row.with("ready", one.ready_since.is_some()).with("version", &*one.wish.version));
    }
    rows
}
