//! What clouds measure of nodes, asked now and kept for some seconds. Measures nothing itself.

use jiff::SignedDuration;
use pmks_driver::{DriverError, NodeMetricsAsked};
use pmks_model::{Findings, MetricWindow, NodeMetric};

use super::{Clusters, NODES_KEPT};
use crate::failure::{check, unknown};
use crate::{NodeMetricsView, Result};

/// What is asked for, and what the caller calls it: a refusal tells it by that.
#[derive(Clone, Copy, Debug)]
pub struct MetricAsked<'a> {
    /// The metric.
    pub metric: NodeMetric,
    /// The caller's word for it.
    pub called: &'a str,
}

impl Clusters<'_> {
    /// The metric of a word.
    ///
    /// # Errors
    /// `NotFound`, naming those that there are.
    pub fn metric(self, word: &str) -> Result<NodeMetric> {
        NodeMetric::of(word).ok_or_else(|| {
            let known: Vec<&str> = NodeMetric::ALL.iter().map(|metric| metric.as_str()).collect();
            Box::new(unknown("metric", word).with_fix(format!("name one of {}", known.join(", "))))
        })
    }

    /// What the cloud measures of one node, by the node's name or the VM's identifier: of whole intervals, the last of
    /// which is over.
    ///
    /// # Errors
    /// `InvalidRequest` for a window that the cloud does not answer, `Unsupported` for what it does not measure,
    /// `NotFound`, and as [`Clusters::nodes`].
    pub async fn node_metrics(
        self,
        connection: &str,
        cluster: &str,
        node: &str,
        asked: MetricAsked<'_>,
        window: MetricWindow,
    ) -> Result<NodeMetricsView> {
        let MetricAsked { metric, called } = asked;
        let shared = &self.0.shared;
        let (at, seen) = shared.seen_cluster(connection, cluster).await?;
        let capabilities = at.driver.capabilities();
        if !capabilities.node_metrics.contains(&metric) {
            let error = DriverError::unsupported(capabilities.provider, called);
            return Err(at.failed(&error));
        }
        let mut findings = Findings::default();
        window.find_wrong(capabilities.metric_intervals, &mut findings);
        check(findings)?;
        let node = self.node(connection, cluster, node, None).await?.node;
        let now = shared.clock.wall();
        let seconds = 60 * i64::from(window.interval_minutes);
        let until = now - SignedDuration::from_secs(now.as_second().rem_euclid(seconds));
        let from = until - SignedDuration::from_hours(i64::from(window.hours));
        let key = format!(
            "metrics\n{}\n{}\n{}\n{}\n{}\n{}",
            at.connection.uid,
            seen.iid.system_id,
            node.iid.system_id,
            metric.as_str(),
            window.interval_minutes,
            window.hours
        );
        let ask = async || {
            let interval = window.interval();
            let asked = NodeMetricsAsked { cluster: &seen, node: &node, metric, interval, from, until };
            at.driver.node_metrics(&asked).await.map_err(|error| at.failed(&error))
        };
        let dated = shared.live.get(key, shared.clock.as_ref(), NODES_KEPT, ask).await?;
        Ok(NodeMetricsView {
            connection: connection.to_owned(),
            cluster: cluster.to_owned(),
            node: node.iid,
            metric,
            unit: metric.unit(),
            window,
            values: dated.items,
            observed_at: dated.observed_at,
        })
    }
}
