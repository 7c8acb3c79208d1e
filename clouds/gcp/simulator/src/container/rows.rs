//! The ground truth of GKE in one project.

use std::collections::BTreeMap;

use pmks_simulation::Resource;
use serde_json::Value;

use super::state::Status;
use crate::world::Project;

/// Every cluster and node pool.
pub(crate) fn resources(project: &Project) -> Vec<Resource> {
    let word = |status: Status| format!("{status:?}").to_uppercase();
    let mut rows = Vec::new();
    for cluster in project.container.clusters.values() {
        let row = Resource::new("cluster", &cluster.id, &word(cluster.status), cluster.created)
            .named(&cluster.name);
        let endpoint = cluster.endpoint.as_ref().map(|endpoint| endpoint.url.clone());
        rows.push(
            row.tagged(&cluster.labels)
                .with("location", &*cluster.location)
                .with("version", &*cluster.version)
                .with("endpoint", endpoint),
        );
        for pool in &cluster.pools {
            let id = format!("{}/{}", cluster.id, pool.name);
            let row = Resource::new("nodePool", &id, &word(pool.status), cluster.created).named(&pool.name);
            let labels = pool.config.get("resourceLabels").and_then(Value::as_object).into_iter().flatten();
            let labels = labels.filter_map(|(key, label)| Some((key.clone(), label.as_str()?.to_owned())));
            let row = row
                .tagged(&labels.collect::<BTreeMap<_, _>>())
                .with("cluster", &*cluster.name)
                .with("size", pool.size);
            rows.push(row.with("version", &*pool.version));
        }
    }
    rows
}
