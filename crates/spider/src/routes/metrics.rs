//! What the cloud measures of the nodes of a node group, which are counted from one. Measures nothing itself.

use pmks_core::{MetricAsked, NodeMetricsView};
use pmks_model::{Failure, MetricWindow, NodeMetric};
use serde_json::{Value, json};

use super::all::{Kind as _, Outcome};
use super::clusters::Cluster;
use crate::Refusal;
use crate::call::{Answer, Call};
use crate::reply::Reply;

/// CB-Spider's words.
const METRICS: &[(&str, NodeMetric)] = &[
    ("cpu_usage", NodeMetric::CpuUsage),
    ("memory_usage", NodeMetric::MemoryUsage),
    ("disk_read", NodeMetric::DiskRead),
    ("disk_write", NodeMetric::DiskWrite),
    ("disk_read_ops", NodeMetric::DiskReadOperations),
    ("disk_write_ops", NodeMetric::DiskWriteOperations),
    ("network_in", NodeMetric::NetworkIn),
    ("network_out", NodeMetric::NetworkOut),
];

pub(super) async fn of_node(call: Call) -> Answer {
    let connection = call.connection()?;
    let (cluster, group, word) = (call.named(0), call.named(1), call.named(3));
    let metric = metric(word)?;
    let window = window(&call)?;
    let cluster = Cluster::get(&call, &connection, cluster).await?;
    let Some(group) = cluster.node_groups.iter().find(|known| known.name == group) else {
        let says = format!("Kubernetes NodeGroup '{group}' does not exist in connection '{connection}'");
        return Err(Refusal::absent(says));
    };
    let number = call.named(2).trim();
    let number: usize =
        number.parse().map_err(|_| Refusal::invalid(format!("NodeNumber: {number:?} is no whole number")))?;
    let node = number.checked_sub(1).and_then(|index| group.nodes.get(index)).ok_or_else(|| {
        let has = group.nodes.len();
        Refusal::absent(format!(
            "node {number} of '{}' does not exist: it has {has}, counted from 1",
            group.name
        ))
    })?;
    let asked = MetricAsked { metric, called: word };
    let told = call
        .pmks()
        .clusters()
        .node_metrics(&connection, &cluster.name, &node.system_id, asked, window)
        .await
        .map_err(in_their_words)?;
    Ok(Reply::Json(metric_data(word, &told)))
}

/// A refusal with the window called as clients call it.
fn in_their_words(mut failure: Box<Failure>) -> Refusal {
    failure.findings.rename(|field| match field {
        "intervalMinutes" => Some("IntervalMinute".to_owned()),
        "hours" => Some("TimeBeforeHour".to_owned()),
        _ => None,
    });
    failure.into()
}

fn metric(word: &str) -> Outcome<NodeMetric> {
    METRICS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|(_, metric)| *metric).ok_or_else(
        || {
            let known: Vec<&str> = METRICS.iter().map(|(known, _)| *known).collect();
            Refusal::invalid(format!("MetricType: {word:?} is none of {}", known.join(", ")))
        },
    )
}

fn window(call: &Call) -> Outcome<MetricWindow> {
    let number = |key: &str| match call.body.number(key)? {
        None => call.query.number(key),
        said => Ok(said),
    };
    let MetricWindow { interval_minutes, hours } = MetricWindow::DEFAULT;
    Ok(MetricWindow {
        interval_minutes: number("IntervalMinute")?.unwrap_or(interval_minutes),
        hours: number("TimeBeforeHour")?.unwrap_or(hours),
    })
}

/// Values are texts, as CB-Spider writes them.
///
/// Source: <https://github.com/cloud-barista/cb-spider/blob/master/cloud-control-manager/cloud-driver/interfaces/resources/MonitoringHandler.go>
fn metric_data(word: &str, told: &NodeMetricsView) -> Value {
    let values = told
        .values
        .iter()
        .map(|one| json!({"timestamp": one.at.to_string(), "value": one.value.to_string()}))
        .collect::<Vec<_>>();
    json!({"metricName": word, "metricUnit": told.unit.as_str(), "timestampValues": values})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_has_a_word_of_cb_spiders() {
        for known in NodeMetric::ALL {
            let (word, _) = METRICS.iter().find(|(_, metric)| *metric == known).unwrap();
            assert_eq!(metric(&word.to_uppercase()).unwrap(), known);
        }
        assert_eq!(metric("cpu").unwrap_err().status.as_u16(), 400);
    }
}
