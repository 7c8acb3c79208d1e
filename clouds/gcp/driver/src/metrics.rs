//! What Cloud Monitoring knows of nodes by itself. Never writes.

use jiff::SignedDuration;
use pmks_driver::{DriverError, ErrorKind, NodeMetricsAsked, Result};
use pmks_model::{MetricValue, NodeMetric};

use crate::api::monitoring::Asked;
use crate::names::{ClusterName, Placed};
use crate::{GcpDriver, PROVIDER};

/// How a value becomes one of ours.
#[derive(Clone, Copy)]
enum Means {
    /// The mean of a part of one.
    Part,
    /// The sum of the interval.
    Sum,
}

/// Whose series they are.
#[derive(Clone, Copy)]
enum Of {
    /// The instance's, which Compute Engine itself measures.
    Instance,
    /// The node's, which GKE measures as long as a cluster's system metrics are on. Compute Engine sees the memory of
    /// few kinds of machines.
    Node,
}

/// Source: <https://cloud.google.com/monitoring/api/metrics_gcp_c#gcp-compute>,
/// <https://cloud.google.com/monitoring/api/metrics_kubernetes>
const METRICS: [(NodeMetric, &str, Of, Means); 8] = [
    (NodeMetric::CpuUsage, "compute.googleapis.com/instance/cpu/utilization", Of::Instance, Means::Part),
    (NodeMetric::MemoryUsage, "kubernetes.io/node/memory/allocatable_utilization", Of::Node, Means::Part),
    (NodeMetric::DiskRead, "compute.googleapis.com/instance/disk/read_bytes_count", Of::Instance, Means::Sum),
    (
        NodeMetric::DiskWrite,
        "compute.googleapis.com/instance/disk/write_bytes_count",
        Of::Instance,
        Means::Sum,
    ),
    (
        NodeMetric::DiskReadOperations,
        "compute.googleapis.com/instance/disk/read_ops_count",
        Of::Instance,
        Means::Sum,
    ),
    (
        NodeMetric::DiskWriteOperations,
        "compute.googleapis.com/instance/disk/write_ops_count",
        Of::Instance,
        Means::Sum,
    ),
    (
        NodeMetric::NetworkIn,
        "compute.googleapis.com/instance/network/received_bytes_count",
        Of::Instance,
        Means::Sum,
    ),
    (
        NodeMetric::NetworkOut,
        "compute.googleapis.com/instance/network/sent_bytes_count",
        Of::Instance,
        Means::Sum,
    ),
];

/// One metric of one node, of all its disks or interfaces together. One call, pages apart.
pub(crate) async fn node(driver: &GcpDriver, asked: &NodeMetricsAsked<'_>) -> Result<Vec<MetricValue>> {
    let known = METRICS.iter().find(|(metric, ..)| *metric == asked.metric);
    let Some((_, metric, of, means)) = known else {
        return Err(DriverError::unsupported(PROVIDER, asked.metric.as_str()));
    };
    let id = &asked.node.iid.system_id;
    let at = Placed::read(id).ok_or_else(|| {
        DriverError::new(ErrorKind::NotFound, PROVIDER, format!("{id:?} is no instance's identifier"))
    })?;
    let of = match of {
        // A name is an instance's own within its zone.
        Of::Instance => format!(
            "resource.type = \"gce_instance\" AND resource.labels.zone = \"{}\" AND metric.labels.instance_name = \"{}\"",
            at.place, at.name
        ),
        // What could be evicted is not in use, as little as it is at other clouds.
        Of::Node => {
            let cluster = &asked.cluster.iid.system_id;
            let cluster = ClusterName::read(cluster, driver.api.project(), driver.region())?;
            format!(
                "resource.type = \"k8s_node\" AND resource.labels.location = \"{}\" AND resource.labels.cluster_name = \
                 \"{}\" AND resource.labels.node_name = \"{}\" AND metric.labels.memory_type = \"non-evictable\"",
                cluster.location, cluster.name, at.name
            )
        }
    };
    let filter = format!("metric.type = \"{metric}\" AND {of}");
    let (aligner, factor) = match means {
        Means::Part => ("ALIGN_MEAN", 100.0),
        Means::Sum => ("ALIGN_DELTA", 1.0),
    };
    let seconds = asked.interval.as_secs();
    let (from, until) = (asked.from, asked.until);
    let told = driver.api.time_series(&Asked { filter: &filter, aligner, seconds, from, until }).await?;
    let interval = SignedDuration::try_from(asked.interval).unwrap_or_default();
    let mut values: Vec<MetricValue> = told
        .iter()
        .filter_map(|point| {
            let at = point.interval.end_time.checked_sub(interval).ok()?;
            Some(MetricValue { at, value: point.value.number()? * factor })
        })
        .collect();
    values.sort_by_key(|value| value.at);
    Ok(values)
}
