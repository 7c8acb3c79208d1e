//! The calls of Auto Scaling.

use pmks_driver::{Effect, Result};

use super::Api;
use crate::query::{Query, QueryService};
use crate::wire::autoscaling;

/// The largest page.
const PAGE: &str = "100";

impl Api {
    /// A page of the region's Auto Scaling groups that carry this tag key.
    ///
    /// Source: <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DescribeAutoScalingGroups.html>
    pub(crate) async fn describe_tagged_groups(
        &self,
        tag_key: &str,
        page: Option<&str>,
    ) -> Result<autoscaling::Groups> {
        let query = describe()
            .field("Filters.member.1.Name", "tag-key")
            .field("Filters.member.1.Values.member.1", tag_key)
            .field("MaxRecords", PAGE)
            .field_some("NextToken", page);
        self.query(query).await
    }

    /// These Auto Scaling groups; at most 100 names. Unknown ones are left out.
    ///
    /// Source: <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DescribeAutoScalingGroups.html>
    pub(crate) async fn describe_groups(&self, names: &[String]) -> Result<autoscaling::Groups> {
        let query = describe()
            .list("AutoScalingGroupNames", names.iter().map(String::as_str))
            .field("MaxRecords", PAGE);
        self.query(query).await
    }

    /// Sets tags of Auto Scaling groups; instances do not get them.
    ///
    /// Source: <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CreateOrUpdateTags.html>
    pub(crate) async fn create_or_update_tags(&self, tags: &[(&str, &str, &str)]) -> Result<()> {
        self.done(tag_query("autoscaling.CreateOrUpdateTags", tags)).await
    }

    /// Removes tags of Auto Scaling groups; those that are not there do not matter.
    ///
    /// Source: <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DeleteTags.html>
    pub(crate) async fn delete_tags(&self, tags: &[(&str, &str, &str)]) -> Result<()> {
        self.done(tag_query("autoscaling.DeleteTags", tags)).await
    }
}

fn describe() -> Query {
    Query::new(QueryService::AutoScaling, "autoscaling.DescribeAutoScalingGroups", Effect::Read)
}

/// A request over tags, each given as group, key and value.
fn tag_query(action: &'static str, tags: &[(&str, &str, &str)]) -> Query {
    let records: Vec<Vec<(&str, String)>> = tags
        .iter()
        .map(|(group, key, value)| {
            vec![
                ("ResourceId", (*group).to_owned()),
                ("ResourceType", "auto-scaling-group".to_owned()),
                ("Key", (*key).to_owned()),
                ("Value", (*value).to_owned()),
                ("PropagateAtLaunch", "false".to_owned()),
            ]
        })
        .collect();
    Query::new(QueryService::AutoScaling, action, Effect::Idempotent).records("Tags", &records)
}
