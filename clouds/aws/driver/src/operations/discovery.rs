//! The switch of autoscaling: the two tags by which the Cluster Autoscaler finds an Auto Scaling group.
//!
//! EKS sets them by itself on the groups of managed node groups, and node-group tags do not reach those; so switching
//! off means deleting them, and switching on (or making sure) means setting them.
//! Source: <https://docs.aws.amazon.com/eks/latest/userguide/managed-node-groups.html>

use async_trait::async_trait;
use pmks_driver::{Asked, Look, Result, StageContext};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Stage;
use crate::wire::autoscaling::Group;
use crate::{AwsDriver, clusters, convert};

/// Sets or deletes the tags of a node group's Auto Scaling groups.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DiscoveryTags {
    cluster: String,
    node_group: String,
    /// The stage whose outputs name the Auto Scaling groups; empty: they are asked for.
    made_by: String,
    on: bool,
}

impl DiscoveryTags {
    /// The switch of a node group that an earlier stage makes.
    pub(super) fn of_new(cluster: &str, node_group: &str, made_by: &str, on: bool) -> Self {
        Self {
            cluster: cluster.to_owned(),
            node_group: node_group.to_owned(),
            made_by: made_by.to_owned(),
            on,
        }
    }

    /// The switch of a node group that stands.
    pub(super) fn of_standing(cluster: &str, node_group: &str, on: bool) -> Self {
        Self::of_new(cluster, node_group, "", on)
    }

    /// The names of the Auto Scaling groups: from the outputs, else from EKS.
    async fn groups(&self, driver: &AwsDriver, context: &StageContext) -> Result<Vec<String>> {
        let stored = context.outputs.get(&self.made_by).and_then(|outputs| outputs.get("autoScalingGroups"));
        if let Some(names) = stored.and_then(Value::as_array).filter(|names| !names.is_empty()) {
            return Ok(names.iter().filter_map(Value::as_str).map(str::to_owned).collect());
        }
        let group = driver.api.describe_nodegroup(&self.cluster, &self.node_group).await?;
        Ok(group.auto_scaling_groups().map(str::to_owned).collect())
    }
}

#[async_trait]
impl Stage<AwsDriver> for DiscoveryTags {
    const KIND: &'static str = "aws.autoscalerDiscovery";

    async fn look(&self, driver: &AwsDriver, context: &StageContext) -> Result<Look> {
        let names = self.groups(driver, context).await?;
        let groups = clusters::groups_named(driver, &names).await?;
        let standing: Vec<&Group> = groups.values().collect();
        Ok(look_at(&self.cluster, &self.node_group, &standing, self.on))
    }

    async fn ask(&self, driver: &AwsDriver, context: &StageContext) -> Result<Asked> {
        let names = self.groups(driver, context).await?;
        let keys = convert::discovery_tags(&self.cluster);
        let tags: Vec<(&str, &str, &str)> = names
            .iter()
            .flat_map(|name| keys.iter().map(|(key, value)| (name.as_str(), key.as_str(), *value)))
            .collect();
        if self.on {
            driver.api.create_or_update_tags(&tags).await?;
        } else {
            driver.api.delete_tags(&tags).await?;
        }
        Ok(Asked::done(Value::Null))
    }
}

/// A node group without an Auto Scaling group that can be seen has nothing that an autoscaler could find: off is done,
/// and on would set tags on nothing.
fn look_at(cluster: &str, node_group: &str, groups: &[&Group], on: bool) -> Look {
    let done = if on {
        groups.is_empty() || groups.iter().all(|group| convert::is_discoverable(cluster, group))
    } else {
        groups.iter().all(|group| !convert::has_discovery_tag(cluster, group))
    };
    if done { Look::ready(node_group, "", Value::Null) } else { Look::Absent }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{List, Tag};

    fn group(keys: &[&str]) -> Group {
        let entries = keys.iter().map(|key| Tag { key: (*key).to_owned(), value: String::new() }).collect();
        Group { name: "asg".into(), tags: List { entries }, ..Group::default() }
    }

    #[test]
    fn on_needs_both_tags_and_off_neither() {
        let both = group(&["k8s.io/cluster-autoscaler/enabled", "k8s.io/cluster-autoscaler/prod", "other"]);
        let one = group(&["k8s.io/cluster-autoscaler/enabled"]);
        let none = group(&["k8s.io/cluster-autoscaler/another"]);
        for (groups, on, ready) in [
            (vec![&both], true, true),
            (vec![&both], false, false),
            (vec![&one], true, false),
            (vec![&one], false, false),
            (vec![&none], true, false),
            (vec![&none], false, true),
            (vec![&both, &none], true, false),
            (vec![&both, &none], false, false),
            (vec![], true, true),
            (vec![], false, true),
        ] {
            let look = look_at("prod", "g", &groups, on);
            assert_eq!(matches!(look, Look::Present(_)), ready, "{} {on}", groups.len());
        }
    }
}
