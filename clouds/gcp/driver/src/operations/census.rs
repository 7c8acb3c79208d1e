//! The end of a creation: everything that carries the operation's marks is counted once more, in every location.
//! Changes nothing; what is there and should not be is named, so that it costs nobody unseen.

use std::collections::BTreeSet;

use async_trait::async_trait;
use pmks_driver::{
    Asked, DriverError, Effect, ErrorKind, Look, Marks, Result, StageContext, StageSpecification,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Maker, Stage};
use crate::names::ClusterName;
use crate::wire::container as wire;
use crate::{GcpDriver, PROVIDER, convert};

/// The stages of this file.
pub(super) const STAGES: &[Maker] = &[Maker::of::<Census>()];

/// The stage that counts what an operation made of a cluster, after the stages of these names.
pub(super) fn stage<'a>(
    cluster: &ClusterName,
    marks: &Marks,
    node_groups: impl IntoIterator<Item = String>,
    after: impl IntoIterator<Item = &'a str>,
) -> StageSpecification {
    let census = Census {
        cluster: cluster.path(),
        marks: marks.clone(),
        node_groups: node_groups.into_iter().collect(),
    };
    census.specification("census").after(after).effect(Effect::Read)
}

/// Counts the clusters and node pools that carry the marks.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Census {
    cluster: String,
    marks: Marks,
    node_groups: BTreeSet<String>,
}

impl Census {
    /// The clusters other than its own that carry the marks, and its own node pools that do.
    fn count(&self, clusters: &[wire::Cluster], project: &str) -> (Vec<String>, BTreeSet<String>) {
        let path = |cluster: &wire::Cluster| convert::cluster_name(cluster, project).path();
        let marked = clusters.iter().filter(|cluster| self.marks.are_on(&cluster.resource_labels));
        let strange = marked.map(path).filter(|found| *found != self.cluster).collect();
        let own = clusters.iter().filter(|cluster| path(cluster) == self.cluster);
        let pools = own.flat_map(|cluster| &cluster.node_pools);
        let pools = pools.filter(|pool| self.marks.are_on(&pool.config.resource_labels));
        (strange, pools.map(|pool| pool.name.clone()).collect())
    }
}

#[async_trait]
impl Stage<GcpDriver> for Census {
    const KIND: &'static str = "gcp.census";

    async fn look(&self, driver: &GcpDriver, _context: &StageContext) -> Result<Look> {
        let listed = driver.api.list_clusters().await?;
        if let Some(place) = listed.missing_zones.first() {
            return Ok(Look::Unsure(format!("{place} does not answer now")));
        }
        let (strange, counted) = self.count(&listed.clusters, driver.api.project());
        Ok(match difference(&self.node_groups, &counted, &strange) {
            None => Look::ready(self.cluster.as_str(), "", Value::Null),
            Some(says) => {
                let error = DriverError::new(ErrorKind::Unexpected, PROVIDER, says);
                Look::failed(self.cluster.as_str(), "", error)
            }
        })
    }

    async fn ask(&self, _driver: &GcpDriver, _context: &StageContext) -> Result<Asked> {
        Ok(Asked::accepted())
    }
}

/// What is missing and what is too many; `None`: all is as it should be.
fn difference(wanted: &BTreeSet<String>, counted: &BTreeSet<String>, strange: &[String]) -> Option<String> {
    let names = |set: Vec<&String>| set.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let missing = names(wanted.difference(counted).collect());
    let surplus = names(counted.difference(wanted).chain(strange).collect());
    match (missing.is_empty(), surplus.is_empty()) {
        (true, true) => None,
        (false, true) => Some(format!("of what was made, these node groups are gone already: {missing}")),
        (true, false) => {
            Some(format!("these carry this operation's marks and were not asked for: {surplus}"))
        }
        (false, false) => Some(format!("node groups gone already: {missing}; not asked for: {surplus}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn counts_what_is_missing_and_what_is_too_many() {
        let marks = Marks { installation: "i".into(), operation: "o".into(), uid: "u".into() };
        let labels = marks.onto(&std::collections::BTreeMap::default());
        let census = Census {
            cluster: "projects/p/locations/r1-a/clusters/c".into(),
            marks,
            node_groups: ["ga", "gb"].map(str::to_owned).into(),
        };
        let pool = |name: &str, labels: &Value| json!({"name": name, "config": {"resourceLabels": labels}});
        let labels = json!(labels);
        let says = |clusters: Value| {
            let clusters: Vec<wire::Cluster> = serde_json::from_value(clusters).unwrap();
            let (strange, counted) = census.count(&clusters, "p");
            difference(&census.node_groups, &counted, &strange).unwrap_or_default()
        };
        let cluster = |location: &str, pools: Value| json!({"name": "c", "location": location, "resourceLabels": labels, "nodePools": pools});
        let both = json!([pool("ga", &labels), pool("gb", &labels), pool("theirs", &json!({}))]);
        assert_eq!(says(json!([cluster("r1-a", both.clone())])), "");
        assert!(says(json!([cluster("r1-a", json!([pool("ga", &labels)]))])).contains("gone already: gb"));
        assert!(
            says(json!([cluster("r1-a", both.clone()), cluster("r1-b", json!([]))]))
                .contains("r1-b/clusters/c")
        );
        let more = json!([pool("ga", &labels), pool("gb", &labels), pool("gc", &labels)]);
        assert!(says(json!([cluster("r1-a", more)])).contains("not asked for: gc"));
    }
}
