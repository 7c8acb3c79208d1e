//! Elastic Load Balancing's calls, one function each, of both generations: classic balancers (API 2012-06-01), and
//! network and application balancers (API 2015-12-01). Lists follow every page.
//!
//! Sources: <https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/Welcome.html> and
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/Welcome.html>.

use std::collections::BTreeMap;

use pmks_driver::{Effect, Result};

use super::Api;
use super::ec2::all_pages;
use crate::query::{Query, QueryService};
use crate::wire::{elb, elbv2};

/// How many resources one request for tags may name, in both generations.
const TAGS_AT_ONCE: usize = 20;

fn classic(action: &'static str, effect: Effect) -> Query {
    Query::new(QueryService::ClassicBalancing, action, effect)
}

fn current(action: &'static str, effect: Effect) -> Query {
    Query::new(QueryService::Balancing, action, effect)
}

/// Classic balancers.
impl Api {
    /// The classic balancers of the region; of one name, if given.
    ///
    /// # Errors
    /// `NotFound` (`LoadBalancerNotFound`) for a name that there is not.
    pub(crate) async fn classic_balancers(&self, name: Option<&str>) -> Result<Vec<elb::LoadBalancer>> {
        let query = classic("elasticloadbalancing.DescribeLoadBalancers", Effect::Read)
            .list("LoadBalancerNames", name);
        all_pages!(self, query, elb::DescribeLoadBalancers, load_balancer_descriptions, "Marker", next_marker)
    }

    /// The tags of classic balancers, by name.
    pub(crate) async fn classic_balancer_tags(
        &self,
        names: &[String],
    ) -> Result<BTreeMap<String, BTreeMap<String, String>>> {
        let mut found = BTreeMap::new();
        for batch in names.chunks(TAGS_AT_ONCE) {
            let query =
                classic("elasticloadbalancing.DescribeTags", Effect::Read).list("LoadBalancerNames", batch);
            let answer: elb::DescribeTags = self.query(query).await?;
            let described = answer.tag_descriptions.entries.into_iter();
            found.extend(described.map(|tagged| (tagged.load_balancer_name, tagged.tags.to_tags())));
        }
        Ok(found)
    }

    /// Deletes a classic balancer. One that is gone already is success, as the cloud itself has it.
    pub(crate) async fn delete_classic_balancer(&self, name: &str) -> Result<()> {
        let query = classic("elasticloadbalancing.DeleteLoadBalancer", Effect::Idempotent);
        self.done(query.field("LoadBalancerName", name)).await
    }
}

/// Network and application balancers, and their target groups.
impl Api {
    /// The network and application balancers of the region; of one ARN, if given.
    ///
    /// # Errors
    /// `NotFound` (`LoadBalancerNotFound`) for an ARN that there is not.
    pub(crate) async fn balancers(&self, arn: Option<&str>) -> Result<Vec<elbv2::LoadBalancer>> {
        let query =
            current("elasticloadbalancing.DescribeLoadBalancers", Effect::Read).list("LoadBalancerArns", arn);
        all_pages!(self, query, elbv2::DescribeLoadBalancers, load_balancers, "Marker", next_marker)
    }

    /// The target groups of the region; of one ARN, if given.
    ///
    /// # Errors
    /// `NotFound` (`TargetGroupNotFound`) for an ARN that there is not.
    pub(crate) async fn target_groups(&self, arn: Option<&str>) -> Result<Vec<elbv2::TargetGroup>> {
        let query =
            current("elasticloadbalancing.DescribeTargetGroups", Effect::Read).list("TargetGroupArns", arn);
        all_pages!(self, query, elbv2::DescribeTargetGroups, target_groups, "Marker", next_marker)
    }

    /// The tags of balancers and target groups, by ARN.
    pub(crate) async fn balancing_tags(
        &self,
        arns: &[String],
    ) -> Result<BTreeMap<String, BTreeMap<String, String>>> {
        let mut found = BTreeMap::new();
        for batch in arns.chunks(TAGS_AT_ONCE) {
            let query =
                current("elasticloadbalancing.DescribeTags", Effect::Read).list("ResourceArns", batch);
            let answer: elbv2::DescribeTags = self.query(query).await?;
            let described = answer.tag_descriptions.entries.into_iter();
            found.extend(described.map(|tagged| (tagged.resource_arn, tagged.tags.to_tags())));
        }
        Ok(found)
    }

    /// Deletes a network or application balancer with its listeners. One that is gone already is success, as the
    /// cloud itself has it.
    pub(crate) async fn delete_balancer(&self, arn: &str) -> Result<()> {
        let query = current("elasticloadbalancing.DeleteLoadBalancer", Effect::Idempotent);
        self.done(query.field("LoadBalancerArn", arn)).await
    }

    /// Deletes a target group that no listener names.
    pub(crate) async fn delete_target_group(&self, arn: &str) -> Result<()> {
        let query = current("elasticloadbalancing.DeleteTargetGroup", Effect::Idempotent);
        self.done(query.field("TargetGroupArn", arn)).await
    }
}
