//! What `CloudWatch` knows of nodes without an agent within them. Never writes.

use pmks_driver::{DriverError, NodeMetricsAsked, Result};
use pmks_model::{MetricValue, NodeMetric};

use crate::api::cloudwatch::Statistic;
use crate::{AwsDriver, PROVIDER};

/// What EC2 tells of an instance. Memory it does not see: that takes `CloudWatch`'s agent within the node. The disks are
/// those of EBS, as nodes have them, which instances on Nitro tell of; `DiskReadBytes` and its like are of instance
/// stores alone.
///
/// Sources: <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/viewing_metrics_with_cloudwatch.html>,
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Install-CloudWatch-Agent.html>
fn statistic(metric: NodeMetric) -> Option<Statistic> {
    let average = |metric| Some(Statistic { metric, statistic: "Average" });
    let sum = |metric| Some(Statistic { metric, statistic: "Sum" });
    match metric {
        NodeMetric::CpuUsage => average("CPUUtilization"),
        NodeMetric::MemoryUsage => None,
        NodeMetric::DiskRead => sum("EBSReadBytes"),
        NodeMetric::DiskWrite => sum("EBSWriteBytes"),
        NodeMetric::DiskReadOperations => sum("EBSReadOps"),
        NodeMetric::DiskWriteOperations => sum("EBSWriteOps"),
        NodeMetric::NetworkIn => sum("NetworkIn"),
        NodeMetric::NetworkOut => sum("NetworkOut"),
    }
}

/// What there is a statistic of.
pub(crate) const NODE_METRICS: &[NodeMetric] = &[
    NodeMetric::CpuUsage,
    NodeMetric::DiskRead,
    NodeMetric::DiskWrite,
    NodeMetric::DiskReadOperations,
    NodeMetric::DiskWriteOperations,
    NodeMetric::NetworkIn,
    NodeMetric::NetworkOut,
];

/// One metric of one node. One call.
pub(crate) async fn node(driver: &AwsDriver, asked: &NodeMetricsAsked<'_>) -> Result<Vec<MetricValue>> {
    let Some(of) = statistic(asked.metric) else {
        return Err(DriverError::unsupported(PROVIDER, asked.metric.as_str()));
    };
    let (instance, period) = (&asked.node.iid.system_id, asked.interval.as_secs());
    let told = driver.api.metric_statistics(instance, of, asked.from, asked.until, period).await?;
    let points = told.points.entries.into_iter();
    let mut values: Vec<MetricValue> = points
        .filter_map(|point| Some(MetricValue { at: point.at, value: point.average.or(point.sum)? }))
        .collect();
    values.sort_by_key(|value| value.at);
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_what_there_is_a_statistic_of() {
        let told: Vec<NodeMetric> =
            NodeMetric::ALL.into_iter().filter(|metric| statistic(*metric).is_some()).collect();
        assert_eq!(told, NODE_METRICS);
    }
}
