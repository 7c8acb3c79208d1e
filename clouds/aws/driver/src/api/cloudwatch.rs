//! The calls of `CloudWatch`.

use jiff::Timestamp;
use pmks_driver::{Effect, Result};

use super::Api;
use crate::query::{Query, QueryService};
use crate::wire::cloudwatch;

/// What EC2 tells `CloudWatch` of its machines.
///
/// Source: <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/viewing_metrics_with_cloudwatch.html>
const OF_EC2: &str = "AWS/EC2";

/// A metric of EC2's, as one of `CloudWatch`'s statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Statistic {
    /// The metric.
    pub(crate) metric: &'static str,
    /// `Average` or `Sum`.
    pub(crate) statistic: &'static str,
}

impl Api {
    /// A statistic of one instance for each period, in no order. At most 1440 of them.
    ///
    /// Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html>
    pub(crate) async fn metric_statistics(
        &self,
        instance: &str,
        of: Statistic,
        from: Timestamp,
        until: Timestamp,
        period_seconds: u64,
    ) -> Result<cloudwatch::Statistics> {
        let query = Query::new(QueryService::CloudWatch, "monitoring.GetMetricStatistics", Effect::Read)
            .field("Namespace", OF_EC2)
            .field("MetricName", of.metric)
            .records("Dimensions", &[vec![("Name", "InstanceId".to_owned()), ("Value", instance.to_owned())]])
            .field("StartTime", from.to_string())
            .field("EndTime", until.to_string())
            .field("Period", period_seconds.to_string())
            .list("Statistics", [of.statistic]);
        self.query(query).await
    }
}
