//! What Azure Monitor knows of nodes by itself. Never writes.

use pmks_driver::{DriverError, ErrorKind, NodeMetricsAsked, Result};
use pmks_model::{MetricValue, NodeMetric};

use crate::arm_id::ArmId;
use crate::{AzureDriver, PROVIDER};

/// The intervals of metrics, in minutes, and how they are written.
///
/// Source: <https://learn.microsoft.com/azure/azure-monitor/essentials/metrics-aggregation-explained#granularity>
fn grain(minutes: u64) -> Option<&'static str> {
    match minutes {
        1 => Some("PT1M"),
        5 => Some("PT5M"),
        15 => Some("PT15M"),
        30 => Some("PT30M"),
        60 => Some("PT1H"),
        360 => Some("PT6H"),
        720 => Some("PT12H"),
        1440 => Some("P1D"),
        _ => None,
    }
}

/// Those that have a word.
pub(crate) const INTERVALS: [u32; 8] = [1, 5, 15, 30, 60, 360, 720, 1440];

/// How a value becomes one of ours.
#[derive(Clone, Copy)]
enum Means {
    /// The mean of a hundred.
    Part,
    /// What is left of a hundred.
    Rest,
    /// The sum of the interval.
    Sum,
    /// The mean of each second of the interval.
    EachSecond,
}

/// What a machine of a scale set tells Azure Monitor.
///
/// Source: <https://learn.microsoft.com/azure/azure-monitor/reference/supported-metrics/microsoft-compute-virtualmachinescalesets-virtualmachines-metrics>
const METRICS: [(NodeMetric, &str, Means); 8] = [
    (NodeMetric::CpuUsage, "Percentage CPU", Means::Part),
    (NodeMetric::MemoryUsage, "Available Memory Percentage", Means::Rest),
    (NodeMetric::DiskRead, "Disk Read Bytes", Means::Sum),
    (NodeMetric::DiskWrite, "Disk Write Bytes", Means::Sum),
    (NodeMetric::DiskReadOperations, "Disk Read Operations/Sec", Means::EachSecond),
    (NodeMetric::DiskWriteOperations, "Disk Write Operations/Sec", Means::EachSecond),
    (NodeMetric::NetworkIn, "Network In Total", Means::Sum),
    (NodeMetric::NetworkOut, "Network Out Total", Means::Sum),
];

/// One metric of one node. One call.
pub(crate) async fn node(driver: &AzureDriver, asked: &NodeMetricsAsked<'_>) -> Result<Vec<MetricValue>> {
    let known = METRICS.iter().find(|(metric, ..)| *metric == asked.metric);
    let (Some((_, name, means)), Some(grain)) = (known, grain(asked.interval.as_secs() / 60)) else {
        return Err(DriverError::unsupported(PROVIDER, asked.metric.as_str()));
    };
    let id = &asked.node.iid.system_id;
    let machine = ArmId::parse(id).ok_or_else(|| {
        DriverError::new(ErrorKind::NotFound, PROVIDER, format!("{id:?} is no machine's identifier"))
    })?;
    let aggregation = if matches!(means, Means::Sum) { "Total" } else { "Average" };
    let time = (asked.from, asked.until);
    let told = driver.api.metric(&machine, name, aggregation, time, grain).await?;
    let points = told.value.into_iter().flat_map(|metric| metric.timeseries).flat_map(|series| series.data);
    let seconds = asked.interval.as_secs_f64();
    let mut values: Vec<MetricValue> = points
        .filter_map(|point| {
            let value = match means {
                Means::Part => point.average?,
                Means::Rest => 100.0 - point.average?,
                Means::Sum => point.total?,
                Means::EachSecond => point.average? * seconds,
            };
            Some(MetricValue { at: point.at, value })
        })
        .collect();
    values.sort_by_key(|value| value.at);
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_interval_is_one_of_azures() {
        let known: Vec<u32> = (0..=1440).filter(|minutes| grain(u64::from(*minutes)).is_some()).collect();
        assert_eq!(known, INTERVALS);
    }
}
